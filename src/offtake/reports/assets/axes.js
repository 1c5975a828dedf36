/* Numbers, scales and axes that every chart shares. ES5, no DOM, no network. Read before charts.js. */
(function (root) {
  'use strict';

  var FONT = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", "Noto Sans", "PingFang SC", ' +
    '"Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif';
  var INK = '#1d2430', SOFT = '#5b6472', RULE = '#d9dde3', ACCENT = '#1f4e79', AMBER = '#b8741a';
  var COLOURS = ['#1f4e79', '#c0692b', '#2f8f83', '#86589b', '#8a8f98', '#b3922c', '#5b8fc0', '#a33f4a'];
  var LINES = ['#1d2430', '#a33f4a', '#2f8f83', '#86589b'];
  var RAMP = ['#f0f5fa', '#bcd3e6', '#7aa5cb', '#3f76a6', '#1f4e79'];

  // ---- numbers -------------------------------------------------------------------------------------------------------

  function present(values) { return values.filter(function (v) { return v !== null && v !== undefined; }); }

  function largest(values) {
    return present(values).reduce(function (most, v) { return Math.max(most, Math.abs(v)); }, 0);
  }

  /* The scale at which a base unit is read: {by: divisor, unit: words}. */
  function scaleOf(unit, most, words) {
    var steps = {
      'USD': [[1e12, 'USD_tn'], [1e9, 'USD_bn'], [1e6, 'USD_m'], [1e3, 'USD_k'], [0, 'USD']],
      'GPU': [[1e6, 'GPU_m'], [1e4, 'GPU_k'], [0, 'GPU']],
      'GPU-h': [[1e9, 'GPU-h_bn'], [1e6, 'GPU-h_m'], [1e4, 'GPU-h_k'], [0, 'GPU-h']],
      'MW': [[1e4, 'GW'], [0, 'MW']]
    }[unit];
    var divisors = { tn: 1e12, bn: 1e9, m: 1e6, k: 1e3, GW: 1e3 };
    if (unit === 'share') { return { by: 0.01, unit: '%' }; }
    if (!steps) { return { by: 1, unit: unit }; }
    var step = steps.filter(function (s) { return most >= 2 * s[0] || s[0] === 0; })[0];
    return { by: divisors[step[1].split('_')[1] || step[1]] || 1, unit: words['unit_' + step[1]] || step[1] };
  }

  function grouped(text) {
    var parts = text.split('.');
    parts[0] = parts[0].replace(/\B(?=(\d{3})+(?!\d))/g, ',');
    return parts.join('.').replace('-', '\u2212');
  }

  /* Three figures for reading; null is an en dash. */
  function figure(value, by) {
    if (value === null || value === undefined) { return '\u2013'; }
    var v = value / (by || 1), size = Math.abs(v), percent = by === 0.01;
    if (percent) { return grouped(v.toFixed(size === 0 || size >= 9.95 && size <= 99 || size >= 99.95 ? 0 : 1)); }
    return grouped(v.toFixed(size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3));
  }

  function scaled(values, by) {
    return values.map(function (v) { return v === null || v === undefined ? null : v / by; });
  }

  function niceStep(span) {
    var raw = span / 5, power = Math.pow(10, Math.floor(Math.log(raw) / Math.LN10 + 1e-9)), r = raw / power;
    return (r <= 1 ? 1 : r <= 2 ? 2 : r <= 2.5 ? 2.5 : r <= 5 ? 5 : 10) * power;
  }

  /* Limits on whole steps, zero inside: {min, max, interval}. */
  function niceLimits(values) {
    var all = present(values), low = Math.min.apply(null, all.concat([0])), high = Math.max.apply(null, all.concat([0]));
    if (high === low) { high = low + 1; }
    var step = niceStep(high - low);
    var trim = function (v) { return Number(v.toPrecision(12)); };
    return { min: trim(Math.floor(low / step + 1e-9) * step), max: trim(Math.ceil(high / step - 1e-9) * step), interval: step };
  }

  function stepFormat(step) {
    var digits = Math.max(0, -Math.floor(Math.log(step) / Math.LN10 + 1e-9));
    if (Math.abs(step * Math.pow(10, digits) % 1) > 1e-6) { digits += 1; }
    return function (v) { return grouped(Number(v).toFixed(digits)); };
  }

  /* The colour mixed with white, opaque. */
  function tint(hex, share) {
    var n = parseInt(hex.slice(1), 16);
    var mix = [n >> 16, n >> 8 & 255, n & 255].map(function (v) { return Math.round(v * share + 255 * (1 - share)); });
    return 'rgb(' + mix.join(',') + ')';
  }

  function faint(hex, alpha) {
    var n = parseInt(hex.slice(1), 16);
    return 'rgba(' + (n >> 16) + ',' + (n >> 8 & 255) + ',' + (n & 255) + ',' + alpha + ')';
  }

  // ---- axes ----------------------------------------------------------------------------------------------------------

  function periodName(periods, words) {
    var p = String(periods[0] || '');
    if (/^\d{4}-\d\d$/.test(p)) { return words.month; }
    if (/^FY\d{4}Q/i.test(p)) { return words.fiscal_quarter; }
    if (/^FY/i.test(p)) { return words.fiscal_year; }
    if (/Q\d/i.test(p)) { return words.quarter; }
    if (/^\d{4}$/.test(p)) { return words.year; }
    return /^\d/.test(p) ? words.period : '';  // names of things need no title
  }

  /* Months and quarters over years are labelled once a year, at their first period. */
  function yearly(periods) {
    var first = /^\d{4}-01$|^\d{4}-?Q1$/, many = periods.length > 16;
    if (!many || !periods.some(function (p) { return first.test(p); })) { return null; }
    return function (index, label) { return first.test(label); };
  }

  function periodAxis(periods, words, gap) {
    var each = yearly(periods);
    return {
      type: 'category', data: periods, boundaryGap: gap, name: periodName(periods, words), nameLocation: 'middle', nameGap: 30,
      nameTextStyle: { color: SOFT, fontSize: 12 },
      axisLine: { onZero: false, lineStyle: { color: '#9aa2ad' } },
      axisTick: { alignWithLabel: true, interval: each || 'auto', lineStyle: { color: '#9aa2ad' } },
      axisLabel: {
        color: SOFT, fontSize: 12, hideOverlap: true, interval: each || 'auto',
        formatter: function (label) { return each ? label.slice(0, 4) : label; }
      }
    };
  }

  function valueAxis(limits, unit) {
    return {
      type: 'value', min: limits.min, max: limits.max, interval: limits.interval, name: unit, nameLocation: 'end', nameGap: 12,
      nameTextStyle: { color: SOFT, fontSize: 12, align: 'left', padding: [0, 0, 0, -44] },
      axisLabel: { color: SOFT, fontSize: 12, formatter: stepFormat(limits.interval) },
      splitLine: { lineStyle: { color: '#eceff2' } }
    };
  }

  function base(extra) {
    var option = {
      animation: false, aria: { enabled: false }, backgroundColor: '#fff', color: COLOURS,
      textStyle: { fontFamily: FONT, color: INK, fontSize: 12 },
      tooltip: {
        renderMode: 'richText', confine: true, backgroundColor: '#fff', borderColor: RULE, borderWidth: 1,
        textStyle: { color: INK, fontSize: 12, fontFamily: FONT }
      }
    };
    Object.keys(extra).forEach(function (key) {
      if (key !== 'tooltip') { option[key] = extra[key]; return; }
      Object.keys(extra.tooltip).forEach(function (k) { option.tooltip[k] = extra.tooltip[k]; });
    });
    return option;
  }

  var DASHES = 'path://M0 4h5v2h-5zM7 4h5v2h-5zM14 4h5v2h-5z';

  /* Names of areas, then names of dashed lines; `rows` is how many lines the legend takes at this width, so that a grid can clear it. */
  function legend(areas, dashed, width) {
    var at = 0, rows = 1, items = areas.map(function (n) { return { name: n, icon: 'roundRect' }; });
    items = items.concat(dashed.map(function (n) { return { name: n, icon: DASHES }; }));
    items.forEach(function (item) {
      var wide = 36 + item.name.split('').reduce(function (sum, c) { return sum + (c.charCodeAt(0) > 0x2e7f ? 12.5 : 7); }, 0);
      if (at > 0 && at + wide > (width || 900)) { rows += 1; at = 0; }
      at += wide;
    });
    return {
      rows: rows, top: 20 * rows + 34,
      option: { data: items, top: 0, left: 0, itemWidth: 16, itemHeight: 10, itemGap: 14, textStyle: { color: INK, fontSize: 12 } }
    };
  }

  function rule(at) {
    return { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: '#6b7480', type: 'solid', width: 1 }, data: [at] };
  }

  /* A rule at zero where the axis goes below it. */
  function zeroLine(series, limits) {
    if (limits.min < 0 && series.length) { series[series.length - 1].markLine = rule({ yAxis: 0 }); }
    return series;
  }

  /* A middle and its interval. */
  function spread(middle, low, high, by) {
    return figure(middle, by) + '  [' + figure(low, by) + ' \u2026 ' + figure(high, by) + ']';
  }

  /* Braces would start a text style in a label or tooltip. */
  function plain(text) { return String(text).replace(/[{}|]/g, ' '); }

  root.OfftakeAxes = {
    ACCENT: ACCENT, AMBER: AMBER, COLOURS: COLOURS, INK: INK, LINES: LINES, RAMP: RAMP, RULE: RULE, SOFT: SOFT,
    base: base, faint: faint, figure: figure, largest: largest, legend: legend, niceLimits: niceLimits, periodAxis: periodAxis,
    periodName: periodName, plain: plain, present: present, scaleOf: scaleOf, rule: rule, scaled: scaled, spread: spread, stepFormat: stepFormat, tint: tint, valueAxis: valueAxis, zeroLine: zeroLine
  };
}(typeof self !== 'undefined' ? self : this));
