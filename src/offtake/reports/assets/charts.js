/* Data in, ECharts options out: one file for the report, the app and pictures without a browser.
 *
 * OfftakeCharts.option(kind, data, words, width)  an ECharts option; kind: fan | stack | heat | sankey | tornado | surface
 * OfftakeCharts.table(kind, data, words)  {unit, columns, rows} of finished text: the same numbers
 * OfftakeCharts.height(kind, data, width)  pixels
 *
 * Read after axes.js, fan.js and tornado.js. ES5, no DOM, no network. Numbers are in data.unit; base units are scaled for display. null is absent and stays absent.
 */
(function (root) {
  'use strict';

  var A = root.OfftakeAxes, COLOURS = A.COLOURS, INK = A.INK, SOFT = A.SOFT;
  var base = A.base, faint = A.faint, figure = A.figure, largest = A.largest, legend = A.legend, niceLimits = A.niceLimits;
  var periodAxis = A.periodAxis, periodName = A.periodName, plain = A.plain, scaleOf = A.scaleOf, scaled = A.scaled;
  var valueAxis = A.valueAxis;

  // ---- stack: parts of a whole over time ------------------------------------------------------------------------------

  function stackTotals(data) {
    return data.periods.map(function (_, i) {
      return data.series.reduce(function (sum, s) { return sum + (s.values[i] || 0); }, 0);
    });
  }

  function stack(data, words, width) {
    var totals = stackTotals(data), scale = scaleOf(data.unit, largest(totals), words), few = data.periods.length <= 12;
    var series = data.series.map(function (s, i) {
      var c = COLOURS[i % COLOURS.length];
      return few ?
        { type: 'bar', name: s.name, stack: 'all', data: scaled(s.values, scale.by), itemStyle: { color: c }, barMaxWidth: 46 } :
        {
          type: 'line', name: s.name, stack: 'all', data: scaled(s.values, scale.by), showSymbol: false, itemStyle: { color: c },
          lineStyle: { width: 0.8, color: '#fff' }, areaStyle: { color: c, opacity: 0.88 }
        };
    });
    var limits = niceLimits(scaled(totals, scale.by));
    if (data.unit === 'share' && Math.abs(largest(totals) - 1) < 1e-6) { limits = { min: 0, max: 100, interval: 20 }; }
    var key = legend(data.series.map(function (s) { return s.name; }), [], width);
    return base({
      legend: key.option, grid: { left: 56, right: 34, top: key.top, bottom: 50 },
      tooltip: {
        trigger: 'axis', formatter: function (params) {
          var i = params[0].dataIndex, lines = [data.periods[i] + '  (' + scale.unit + ')'];
          data.series.forEach(function (s) { lines.push(s.name + ': ' + figure(s.values[i], scale.by)); });
          return lines.map(plain).join('\n');
        }
      },
      xAxis: periodAxis(data.periods, words, few), yAxis: valueAxis(limits, scale.unit), series: series
    });
  }

  function stackTable(data, words) {
    var scale = scaleOf(data.unit, largest(stackTotals(data)), words);
    return {
      unit: scale.unit, columns: [periodName(data.periods, words)].concat(data.series.map(function (s) { return s.name; })),
      rows: data.periods.map(function (p, i) {
        return [p].concat(data.series.map(function (s) { return figure(s.values[i], scale.by); }));
      })
    };
  }

  // ---- heat and surface: matrices -------------------------------------------------------------------------------------

  function cells(values, by) {
    var found = [];
    values.forEach(function (row, y) {
      row.forEach(function (v, x) { if (v !== null && v !== undefined) { found.push([x, y, v / by]); } });
    });
    return found;
  }

  function flat(values) { return values.reduce(function (all, row) { return all.concat(row); }, []); }

  /* Rows of text beside columns of text; labelled cells where they fit. */
  function matrix(m, words) {
    var scale = scaleOf(m.unit, largest(flat(m.values)), words), data = cells(m.values, scale.by);
    var limits = niceLimits(data.map(function (d) { return d[2]; })), few = m.columns.length <= 14;
    var dark = limits.min + 0.6 * (limits.max - limits.min);
    var left = m.left || 172, x = periodAxis(m.columns, words, true);
    if (m.columnName) { x.name = m.columnName; }
    return base({
      grid: { left: left, right: 20, top: 48, bottom: 54, show: true, backgroundColor: '#e9ebee', borderWidth: 0 },
      tooltip: {
        formatter: function (p) {
          return plain(m.rows[p.value[1]] + ', ' + m.columns[p.value[0]]) + '\n' + figure(p.value[2] * scale.by, scale.by) + ' ' + plain(scale.unit);
        }
      },
      visualMap: {
        min: limits.min, max: limits.max, dimension: 2, orient: 'horizontal', top: 0, right: 20, calculable: false, itemWidth: 10,
        itemHeight: 120, text: [A.stepFormat(limits.interval)(limits.max) + ' ' + scale.unit, A.stepFormat(limits.interval)(limits.min)],
        textStyle: { color: SOFT, fontSize: 12 }, inRange: { color: A.RAMP }
      },
      xAxis: x,
      yAxis: {
        type: 'category', data: m.rows, inverse: true, axisTick: { show: false }, axisLine: { show: false }, name: m.rowName || '',
        nameLocation: 'start', nameGap: 14, nameTextStyle: { color: SOFT, fontSize: 12, align: 'left', padding: [0, 0, 0, 12 - left] },
        axisLabel: { color: INK, fontSize: 12, lineHeight: 13, width: left - 16, overflow: 'break', interval: 0 }
      },
      series: [{
        type: 'heatmap', itemStyle: { borderColor: '#fff', borderWidth: few ? 2 : 0.6 },
        data: data.map(function (d) { return { value: d, label: { color: d[2] > dark ? '#fff' : INK } }; }),
        label: { show: few, fontSize: 12, formatter: function (p) { return figure(p.value[2] * scale.by, scale.by); } },
        emphasis: { itemStyle: { borderColor: INK, borderWidth: 1 } }
      }]
    });
  }

  /* A line over the cells of a matrix, from middle to middle of its columns; `rows` counts rows, with parts between their middles. */
  function overlay(option, line, rows) {
    var columns = line.rows.length;
    var points = line.rows.map(function (row, i) { return row === null ? null : [i + 0.5, row + 0.5]; });
    option.visualMap.seriesIndex = 0;
    option.xAxis = [option.xAxis, { type: 'value', min: 0, max: columns, show: false }];
    option.yAxis = [option.yAxis, { type: 'value', min: 0, max: rows, show: false, inverse: true }];
    option.series.push({
      type: 'line', xAxisIndex: 1, yAxisIndex: 1, data: points, step: 'middle', showSymbol: false, silent: true, z: 5, tooltip: { show: false },
      lineStyle: { color: '#b91c1c', width: 2.5 }, endLabel: { show: true, formatter: plain(line.name), color: '#b91c1c', fontWeight: 'bold' }
    });
    return option;
  }

  function heat(data, words) {
    return matrix({ unit: data.unit, rows: data.rows, columns: data.periods, values: data.values }, words);
  }

  function surface(data, words) {
    var option = matrix({
      unit: 'share', rows: data.runs.map(String), columns: data.thresholds.map(String), values: data.values, left: 84,
      columnName: data.threshold_name || words.threshold_name, rowName: data.run_name || words.run_name
    }, words);
    if (data.line) { overlay(option, data.line, data.runs.length); option.grid.right = 44; }
    return option;
  }

  function matrixTable(unit, rows, columns, values, corner, words) {
    var scale = scaleOf(unit, largest(flat(values)), words);
    return {
      unit: scale.unit, columns: [corner].concat(columns.map(String)), rows: rows.map(function (name, i) {
        return [String(name)].concat(values[i].map(function (v) { return figure(v, scale.by); }));
      })
    };
  }

  // ---- sankey: flows, undetermined ones hatched ------------------------------------------------------------------------

  function hatch(colour) {
    var svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="' + colour +
      '" fill-opacity="0.10"/><path d="M-2 2L2-2M0 8L8 0M6 10L10 6" stroke="' + colour + '" stroke-width="1.6"/></svg>';
    return { image: 'data:image/svg+xml,' + encodeURIComponent(svg), imageWidth: 8, imageHeight: 8, repeat: 'repeat' };
  }

  function sankeyNodes(data, scale) {
    var targets = data.nodes.filter(function (n) { return data.links.some(function (l) { return l.target === n.name; }); });
    return data.nodes.map(function (n) {
      var out = 0, into = 0, at = targets.indexOf(n);
      data.links.forEach(function (l) {
        out += l.source === n.name ? l.value || 0 : 0;
        into += l.target === n.name ? l.value || 0 : 0;
      });
      return {
        name: n.name, itemStyle: { color: at < 0 ? '#4b5563' : COLOURS[at % COLOURS.length] },
        label: { position: at < 0 ? 'left' : 'right', formatter: plain(n.name) + (data.unit === 'share' ? '' : '\n' + figure(Math.max(out, into), scale.by)) }
      };
    });
  }

  function sankeyScale(data, words) {
    return scaleOf(data.unit, largest(data.links.map(function (l) { return l.value; })), words);
  }

  function sankey(data, words) {
    var scale = sankeyScale(data, words), nodes = sankeyNodes(data, scale), colour = {};
    nodes.forEach(function (n) { colour[n.name] = n.itemStyle.color; });
    var drawn = data.links.filter(function (l) { return l.value; });
    var used = nodes.filter(function (n) { return drawn.some(function (l) { return l.source === n.name || l.target === n.name; }); });
    return base({
      tooltip: {
        formatter: function (p) {
          if (p.dataType !== 'edge') { return plain(p.name); }
          var l = drawn[p.dataIndex];
          return plain(l.source + ' \u2192 ' + l.target) + '\n' + A.spread(l.value, l.low, l.high, scale.by) + ' ' + plain(scale.unit);
        }
      },
      title: { text: scale.unit, left: 0, top: 0, textStyle: { color: SOFT, fontSize: 12, fontWeight: 'normal' } },
      series: [{
        type: 'sankey', left: 190, right: 170, top: 30, bottom: 24, nodeGap: 22, nodeWidth: 12, draggable: false, layoutIterations: 32,
        label: { color: INK, fontSize: 12, lineHeight: 15, width: 165, overflow: 'break' }, data: used,
        emphasis: { focus: 'none' },
        links: drawn.map(function (l) {
          var c = colour[l.target];
          return {
            source: l.source, target: l.target, value: l.value / scale.by,
            lineStyle: l.undetermined ? { color: hatch(c), opacity: 1 } : { color: faint(c, 0.42), opacity: 1 }
          };
        })
      }]
    });
  }

  function sankeyTable(data, words) {
    var scale = sankeyScale(data, words);
    return {
      unit: scale.unit, columns: [words.flow_from, words.flow_to, words.mean, words.low, words.high, words.is_undetermined],
      rows: data.links.map(function (l) {
        var sizes = [l.value, l.low, l.high].map(function (v) { return figure(v, scale.by); });
        return [l.source, l.target].concat(sizes, l.undetermined ? words.yes : words.no);
      }), text: 2
    };
  }

  // ---- the door ---------------------------------------------------------------------------------------------------------

  var OPTION = { fan: root.OfftakeFan.option, stack: stack, heat: heat, sankey: sankey, tornado: root.OfftakeTornado.option, surface: surface };
  var TABLE = {
    fan: root.OfftakeFan.table, stack: stackTable, sankey: sankeyTable, tornado: root.OfftakeTornado.table,
    heat: function (d, words) { return matrixTable(d.unit, d.rows, d.periods, d.values, '', words); },
    surface: function (d, words) { return matrixTable('share', d.runs, d.thresholds, d.values, d.run_name || words.run_name, words); }
  };
  var HEIGHT = {
    fan: function () { return 340; }, stack: function () { return 330; },
    heat: function (d) { return 110 + 34 * d.rows.length; }, surface: function (d) { return 124 + 36 * d.runs.length; },
    sankey: function (d) { return Math.max(400, 48 * d.nodes.length); }, tornado: root.OfftakeTornado.height
  };

  root.OfftakeCharts = {
    option: function (kind, data, words, width) { return OPTION[kind](data, words, width); },
    table: function (kind, data, words) { return TABLE[kind](data, words); },
    height: function (kind, data, width) { return HEIGHT[kind](data, width); }
  };
}(typeof self !== 'undefined' ? self : this));
