/* Intervals over time: a fan over many periods, boxes over few. ES5, no DOM, no network. Read after axes.js. */
(function (root) {
  'use strict';

  var A = root.OfftakeAxes, COLOURS = A.COLOURS, INK = A.INK, LINES = A.LINES;
  var faint = A.faint, figure = A.figure, largest = A.largest, plain = A.plain, scaleOf = A.scaleOf, scaled = A.scaled;
  var periodName = A.periodName;

  var PARTS = ['p05', 'p25', 'p50', 'p75', 'p95', 'mean'];

  function fanNumbers(data) {
    var all = [];
    data.bands.forEach(function (b) { PARTS.forEach(function (p) { all = all.concat(b[p] || []); }); });
    data.lines.forEach(function (l) { all = all.concat(l.values); });
    return all;
  }

  /* Runs of periods in which both edges are present. */
  function stretches(low, high) {
    var found = [], start = -1, i;
    for (i = 0; i <= low.length; i++) {
      var here = i < low.length && low[i] !== null && high[i] !== null;
      if (here && start < 0) { start = i; }
      if (!here && start >= 0) { found.push([start, i - 1]); start = -1; }
    }
    return found;
  }

  function bandSeries(name, low, high, colour, alpha) {
    var parts = stretches(low, high);
    return {
      type: 'custom', name: name, silent: true, z: 1, tooltip: { show: false }, itemStyle: { color: colour },
      data: parts.map(function (p) { return [p[0], high[p[0]]]; }),
      renderItem: function (params, api) {
        var part = parts[params.dataIndex], points = [], i;
        for (i = part[0]; i <= part[1]; i++) { points.push(api.coord([i, high[i]])); }
        for (i = part[1]; i >= part[0]; i--) { points.push(api.coord([i, low[i]])); }
        return { type: 'polygon', shape: { points: points }, style: { fill: faint(colour, alpha), stroke: 'none' } };
      }
    };
  }

  function lineSeries(name, values, colour, style) {
    return {
      type: 'line', name: name, data: values, showSymbol: values.length === 1, symbol: 'circle', connectNulls: false, z: 3,
      itemStyle: { color: colour }, lineStyle: { color: colour, width: style.width, type: style.type }
    };
  }

  function fanSeries(data, by) {
    var series = [], single = data.bands.length === 1, pale = single ? [0.16, 0.26] : [0.12, 0.16];
    data.bands.forEach(function (band, i) {
      var c = COLOURS[i % COLOURS.length], s = {};
      PARTS.forEach(function (p) { s[p] = scaled(band[p] || [], by); });
      series.push(bandSeries(band.name, s.p05, s.p95, c, pale[0]));
      series.push(bandSeries(band.name, s.p25, s.p75, c, pale[1]));
      series.push(lineSeries(band.name, s.p50, c, { width: 2, type: 'solid' }));
      if (single) { series.push(lineSeries(band.name, s.mean, c, { width: 1.5, type: 'dotted' })); }
    });
    data.lines.forEach(function (line, i) {
      series.push(lineSeries(line.name, scaled(line.values, by), LINES[i % LINES.length], { width: 1.6, type: [6, 4] }));
    });
    return series;
  }

  function fanTooltip(data, scale) {
    return function (params) {
      var i = (params[0] || params).dataIndex, out = [data.periods[i] + '  (' + scale.unit + ')'];
      data.bands.forEach(function (b) {
        out.push(b.name + ': ' + A.spread(b.p50[i], b.p05[i], b.p95[i], scale.by));
      });
      data.lines.forEach(function (l) { out.push(l.name + ': ' + figure(l.values[i], scale.by)); });
      return out.map(plain).join('\n');
    };
  }

  /* Few periods: a whisker, a box and a tick for each band; a dash for each line. */
  function boxSeries(band, at, of, colour, by) {
    var s = {};
    PARTS.forEach(function (p) { s[p] = scaled(band[p] || [], by); });
    return {
      type: 'custom', name: band.name, itemStyle: { color: colour }, z: 2,
      data: s.p50.map(function (v, i) { return [i, v]; }),
      renderItem: function (params, api) {
        var i = params.dataIndex;
        if (s.p50[i] === null || s.p05[i] === null || s.p95[i] === null) { return null; }
        var slot = Math.min(api.size([1, 0])[0] * 0.62, 34 * of + 12), width = Math.min(slot / of * 0.8, 34);
        var x = api.coord([i, 0])[0] + ((at + 0.5) / of - 0.5) * slot;
        var y = function (p) { return api.coord([i, s[p][i]])[1]; };
        var rect = function (half, top, bottom, style) {
          return { type: 'rect', shape: { x: x - half, y: top, width: 2 * half, height: Math.max(bottom - top, 1) }, style: style };
        };
        var parts = [rect(width * 0.16, y('p95'), y('p05'), { fill: A.tint(colour, 0.4) })];
        if (s.p25[i] !== null && s.p75[i] !== null) { parts.push(rect(width / 2, y('p75'), y('p25'), { fill: A.tint(colour, 0.7) })); }
        parts.push(rect(width / 2 + 2, y('p50') - 1.25, y('p50') + 1.25, { fill: INK }));
        return { type: 'group', children: parts };
      }
    };
  }

  function dashSeries(line, colour, by) {
    var values = scaled(line.values, by);
    return {
      type: 'custom', name: line.name, itemStyle: { color: colour }, z: 4,
      data: values.map(function (v, i) { return [i, v]; }),
      renderItem: function (params, api) {
        var i = params.dataIndex;
        if (values[i] === null) { return null; }
        var at = api.coord([i, values[i]]), half = api.size([1, 0])[0] * 0.42;
        return {
          type: 'line', shape: { x1: at[0] - half, y1: at[1], x2: at[0] + half, y2: at[1] },
          style: { stroke: colour, lineWidth: 1.8, lineDash: [5, 3] }
        };
      }
    };
  }

  function fewPeriods(data) { return data.form ? data.form === 'bars' : data.periods.length <= 12; }

  function fan(data, words, width) {
    var all = fanNumbers(data), scale = scaleOf(data.unit, largest(all), words), bars = fewPeriods(data);
    var names = function (list) { return list.map(function (x) { return x.name; }); };
    var key = A.legend(names(data.bands), names(data.lines), width), limits = A.niceLimits(scaled(all, scale.by));
    var series = !bars ? fanSeries(data, scale.by) : data.bands.map(function (b, i) {
      return boxSeries(b, i, data.bands.length, COLOURS[i % COLOURS.length], scale.by);
    }).concat(data.lines.map(function (l, i) { return dashSeries(l, LINES[i % LINES.length], scale.by); }));
    return A.base({
      legend: key.option, grid: { left: 56, right: 34, top: key.top, bottom: 50 },
      tooltip: { trigger: 'axis', formatter: fanTooltip(data, scale), axisPointer: { type: bars ? 'shadow' : 'line' } },
      xAxis: A.periodAxis(data.periods, words, bars), yAxis: A.valueAxis(limits, scale.unit), series: A.zeroLine(series, limits)
    });
  }

  function fanTable(data, words) {
    var scale = scaleOf(data.unit, largest(fanNumbers(data)), words), columns = [periodName(data.periods, words)];
    data.bands.forEach(function (b) {
      ['5 %', '25 %', words.median, '75 %', '95 %', words.mean].forEach(function (p) {
        columns.push((data.bands.length > 1 ? b.name + ', ' : '') + p);
      });
    });
    data.lines.forEach(function (l) { columns.push(l.name); });
    return {
      unit: scale.unit, columns: columns, rows: data.periods.map(function (period, i) {
        var row = [period];
        data.bands.forEach(function (b) { PARTS.forEach(function (p) { row.push(figure((b[p] || [])[i], scale.by)); }); });
        data.lines.forEach(function (l) { row.push(figure(l.values[i], scale.by)); });
        return row;
      })
    };
  }

  root.OfftakeFan = { option: fan, table: fanTable };
}(typeof self !== 'undefined' ? self : this));
