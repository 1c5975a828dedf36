/* Puts the charts and tables of the page in place. The page's data are JSON in #offtake-charts and #offtake-words. */
(function () {
  'use strict';

  var words = JSON.parse(document.getElementById('offtake-words').textContent);
  var charts = JSON.parse(document.getElementById('offtake-charts').textContent);
  var drawn = [];

  function element(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) { made.textContent = text; }
    if (name) { made.className = name; }
    return made;
  }

  function row(cells, tag, texts) {
    var tr = element('tr');
    cells.forEach(function (cell, i) { tr.appendChild(element(i < texts ? 'th' === tag ? 'th' : 'td' : tag, cell, i < texts ? '' : 'n')); });
    return tr;
  }

  function numbers(chart) {
    var t = OfftakeCharts.table(chart.kind, chart.data, words), table = element('table', undefined, 'numbers');
    var head = element('thead'), body = element('tbody');
    table.appendChild(element('caption', chart.data.title + (t.unit ? ', ' + t.unit : '')));
    head.appendChild(row(t.columns, 'th', t.text || 1));
    t.rows.forEach(function (r) { body.appendChild(row(r, 'td', t.text || 1)); });
    table.appendChild(head);
    table.appendChild(body);
    return table;
  }

  function tableButton(figure, chart) {
    var button = figure.querySelector('button'), holder = figure.querySelector('.numbers-box');
    function set(open) {
      if (open && !holder.firstChild) { holder.appendChild(numbers(chart)); }
      holder.hidden = !open;
      button.setAttribute('aria-expanded', String(open));
      button.textContent = open ? words.hide_table : words.show_table;
    }
    button.hidden = false;
    button.addEventListener('click', function () { set(holder.hidden); });
    return set;
  }

  function mount(chart) {
    var figure = document.getElementById(chart.id), box = figure.querySelector('.chart'), show = tableButton(figure, chart);
    if (typeof echarts === 'undefined') { box.hidden = true; show(true); return; }
    box.style.height = OfftakeCharts.height(chart.kind, chart.data, box.clientWidth) + 'px';
    try {
      var made = echarts.init(box, null, { renderer: 'svg' });
      drawn.push({ chart: chart, made: made, box: box });
      draw(drawn[drawn.length - 1]);
    } catch (fault) {
      box.style.height = '';
      box.textContent = words.chart_failed;
      box.className = 'chart failed';
      show(true);
      if (window.console) { console.error('chart ' + chart.id + ': ' + fault.message); }
    }
  }

  function draw(item) {
    item.made.setOption(OfftakeCharts.option(item.chart.kind, item.chart.data, words, item.made.getWidth()), true);
  }

  function resize(width) {
    drawn.forEach(function (item) {
      item.box.style.height = OfftakeCharts.height(item.chart.kind, item.chart.data, width || item.box.clientWidth) + 'px';
      item.made.resize(width ? { width: width } : {});
      draw(item);
    });
  }

  function filterInputs() {
    var box = document.getElementById('filter');
    if (!box) { return; }
    var rows = Array.prototype.slice.call(document.querySelectorAll('#inputs-table tbody tr'));
    var count = document.getElementById('filter-count');
    function apply() {
      var wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      rows.forEach(function (r) {
        var text = r.textContent.toLowerCase(), keep = wanted.every(function (w) { return text.indexOf(w) >= 0; });
        r.hidden = !keep;
        shown += keep ? 1 : 0;
      });
      count.textContent = words.filter_count.replace('{shown}', shown).replace('{all}', rows.length);
    }
    box.addEventListener('input', apply);
    window.addEventListener('hashchange', function () {
      var target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (target && target.hidden) { box.value = ''; apply(); target.scrollIntoView(); }
    });
    apply();
  }

  charts.forEach(mount);
  filterInputs();
  var waiting = null;
  window.addEventListener('resize', function () { clearTimeout(waiting); waiting = setTimeout(function () { resize(); }, 80); });
  window.addEventListener('beforeprint', function () { resize(660); });
  window.addEventListener('afterprint', function () { resize(); });
}());
