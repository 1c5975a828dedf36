/* What inputs move a number by: a bar with its sign, a whisker for its 95 % interval. ES5, no DOM, no network. Read after axes.js. */
(function (root) {
  'use strict';

  var A = root.OfftakeAxes, INK = A.INK, SOFT = A.SOFT, NARROW = 560;
  var figure = A.figure, largest = A.largest, niceLimits = A.niceLimits, plain = A.plain, scaleOf = A.scaleOf, scaled = A.scaled;

  function of(data, keys) {
    return data.bars.reduce(function (all, b) { return all.concat(keys.map(function (k) { return b[k]; })); }, []);
  }

  function scales(data, words) {
    return {
      effect: scaleOf(data.unit, largest(of(data, ['slope', 'slope_low', 'slope_high'])), words),
      output: scaleOf(data.unit, largest(of(data, ['at_p10', 'at_p90'])), words)
    };
  }

  /* "+1.20 ± 0.04 bn USD"; of an error that is absent the effect alone. */
  function effect(b, scale) {
    var half = b.slope_high === null || b.slope_low === null ? null : (b.slope_high - b.slope_low) / 2;
    return (b.slope > 0 ? '+' : '') + figure(b.slope, scale.by) + (half === null ? '' : ' \u00b1 ' + figure(half, scale.by)) + ' ' + scale.unit;
  }

  function ends(b, scale) {
    if (b.at_p10 === null && b.at_p90 === null) { return figure(null); }
    return figure(b.at_p10, scale.by) + ' \u2192 ' + figure(b.at_p90, scale.by) + ' ' + scale.unit;
  }

  /* The colour tells who says so; a bar whose sign is open is hollow. */
  function look(b) {
    var c = b.quality === 'assumed' ? A.AMBER : A.ACCENT;
    return b.sign === '?' ? { color: A.tint(c, 0.14), borderColor: c, borderWidth: 1 } : { color: c };
  }

  function whiskers(bars, by, thick) {
    var cap = thick / 3;
    return {
      type: 'custom', silent: true, z: 5, tooltip: { show: false },
      data: bars.map(function (b, i) { return [b.slope_low === null ? null : b.slope_low / by, i, b.slope_high === null ? null : b.slope_high / by]; }),
      renderItem: function (params, api) {
        var b = bars[params.dataIndex];
        if (b.slope_low === null || b.slope_high === null) { return null; }
        var low = api.coord([b.slope_low / by, params.dataIndex]), high = api.coord([b.slope_high / by, params.dataIndex]), y = low[1];
        var under = function (x1, y1, x2, y2, colour, wide) {
          return { type: 'line', shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: { stroke: colour, lineWidth: wide } };
        };
        var strokes = [['#fff', 4], [INK, 1.4]];  // a pale edge keeps the whisker visible on the bar
        return {
          type: 'group', children: strokes.reduce(function (all, s) {
            return all.concat([
              under(low[0], y, high[0], y, s[0], s[1]),
              under(low[0], y - cap, low[0], y + cap, s[0], s[1]),
              under(high[0], y - cap, high[0], y + cap, s[0], s[1])
            ]);
          }, [])
        };
      }
    };
  }

  /* A long address on two lines, broken after a dot where there is one. */
  function broken(name) {
    if (name.length <= 36 || name.indexOf(' ') >= 0) { return name; }
    var at = name.lastIndexOf('.', 35) + 1;
    return at > 8 ? name.slice(0, at) + '\n' + name.slice(at) : name;
  }

  function category(extra) {
    var axis = { type: 'category', inverse: true, axisTick: { show: false }, axisLine: { show: false } };
    Object.keys(extra).forEach(function (k) { axis[k] = extra[k]; });
    return axis;
  }

  /* Names at the left and figures at the right; on a narrow page both stand above the bar. */
  function wideAxes(bars, by) {
    var rich = { a: { color: INK, fontSize: 12, lineHeight: 15 }, b: { color: SOFT, fontSize: 11, lineHeight: 14 } };
    return [category({
      data: bars.map(function (b) { return broken(b.input); }),
      axisLabel: { color: INK, fontSize: 12, lineHeight: 13, width: 240, overflow: 'break', interval: 0 }
    }), category({
      data: bars.map(function (b) { return '{a|' + effect(b, by.effect) + '}\n{b|' + ends(b, by.output) + '}'; }), position: 'right',
      axisLabel: { interval: 0, rich: rich }
    })];
  }

  function narrowAxes(bars, by, width) {
    var rich = { a: { color: INK, fontSize: 11, lineHeight: 14 }, b: { color: SOFT, fontSize: 11, lineHeight: 14 } };
    return [category({
      data: bars.map(function (b) { return '{a|' + b.input + '}\n{b|' + effect(b, by.effect) + '}'; }),
      axisLabel: { inside: true, margin: 0, align: 'left', verticalAlign: 'bottom', padding: [0, 0, 11, 0], interval: 0, rich: rich, width: width - 24, overflow: 'truncate' },
      z: 10
    })];
  }

  function tooltip(data, by, words) {
    return function (p) {
      var b = data.bars[p.dataIndex];
      return [
        b.input, effect(b, by.effect), words.first_order + ' ' + figure(b.first_order, 0.01) + ' %',
        ends(b, by.output)
      ].map(plain).join('\n');
    };
  }

  function option(data, words, width) {
    var bars = data.bars, by = scales(data, words), narrow = width < NARROW, thick = narrow ? 12 : 16;
    var reach = scaled(of(data, ['slope', 'slope_low', 'slope_high']), by.effect.by);
    var limits = niceLimits(reach), x = A.valueAxis(limits, words.axis_effect.replace('{unit}', by.effect.unit));
    x.nameLocation = 'middle'; x.nameGap = 28; x.nameTextStyle = { color: SOFT, fontSize: 12 };
    x.axisLabel.hideOverlap = true;
    return A.base({
      grid: narrow ? { left: 18, right: 18, top: 22, bottom: 48 } : { left: 256, right: 156, top: 14, bottom: 48 },
      tooltip: { formatter: tooltip(data, by, words) },
      xAxis: x, yAxis: narrow ? narrowAxes(bars, by, width) : wideAxes(bars, by),
      series: [{
        type: 'bar', barWidth: thick, markLine: A.rule({ xAxis: 0 }),
        data: bars.map(function (b) { return { value: b.slope === null ? null : b.slope / by.effect.by, itemStyle: look(b) }; })
      }, whiskers(bars, by.effect.by, thick)]
    });
  }

  function table(data, words) {
    var by = scales(data, words), e = by.effect.by, o = by.output.by;
    return {
      unit: by.effect.unit + (by.output.unit === by.effect.unit ? '' : '; ' + words.output + ' ' + by.output.unit), text: 2,
      columns: [
        words.col_input, words.col_quality, words.effect, words.effect_low, words.effect_high, words.first_order + ', %', words.input_low,
        words.input_high
      ],
      rows: data.bars.map(function (b) {
        return [
          b.input, words['quality_' + b.quality] || b.quality, figure(b.slope, e), figure(b.slope_low, e), figure(b.slope_high, e),
          figure(b.first_order, 0.01), figure(b.at_p10, o), figure(b.at_p90, o)
        ];
      })
    };
  }

  root.OfftakeTornado = {
    option: option, table: table,
    height: function (d, width) { return width < NARROW ? 80 + 54 * d.bars.length : 72 + 38 * d.bars.length; }
  };
}(typeof self !== 'undefined' ? self : this));
