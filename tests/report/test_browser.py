"""The report in a real browser, from disk, with the network refused."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

from offtake.reports import html

EXAMPLE = runpy.run_path(str(Path(__file__).parent / "example.py"))["example"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OFFLINE = ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
KINDS = {"fan": 5, "stack": 2, "heat": 1, "sankey": 1, "surface": 2, "tornado": 1}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the report was not opened in a browser")
needs_library = pytest.mark.skipif(not html.asset("vendor/echarts.min.js"), reason="the chart library is not built in: no charts")


def opened(page, folder):
    """(the page as the browser holds it, its console lines)"""
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *OFFLINE, f"--user-data-dir={folder / 'profile'}"]
    command += [
        "--enable-logging=stderr",
        "--v=0",
        "--virtual-time-budget=4000",
        "--window-size=1280,2000",
        "--dump-dom",
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode(), [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return opened(html.render(EXAMPLE()), tmp_path_factory.mktemp("report"))


@needs_library
def test_every_chart_is_drawn_and_nothing_is_refused(example):
    page, console = example
    assert console == []
    assert len(re.findall(r'<div class="chart"[^>]*>.{0,400}?<svg', page, re.S)) == sum(KINDS.values())
    assert page.count('class="chart failed"') == 0
    assert page.count('aria-expanded="false">Show as table') == sum(KINDS.values())
    assert re.search(r'id="filter-count"[^>]*>47 of 47 inputs', page)


@needs_library
def test_charts_carry_units_and_hatch_what_is_undetermined(example):
    page, _ = example
    labels = set(re.findall(r"<text[^>]*>([^<]*)</text>", page))
    assert {"bn USD", "thousand GPUs", "million GPU-h", "%", "fiscal year", "quarter", "month"} <= labels
    assert page.count("<pattern") >= 3


@needs_library
def test_the_tornado_has_sign_whisker_and_unit(example):
    page, _ = example
    figure = next(f for f in re.findall(r"<figure.*?</figure>", page, re.S) if "Revenue in fiscal year 2027" in f and "<svg" in f)
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", figure)
    assert {"−660 ± 66.1 M USD", "+430 ± 59.7 M USD", "5.90 → 4.20 bn USD", "+140 M USD"} <= set(labels)
    assert "M USD per standard deviation of the input" in labels
    assert len(re.findall(r'<path[^>]*stroke="#1d2430" stroke-width="1.4"', figure)) == 3 * 5  # one of six bars has no interval


def test_without_the_library_the_tables_are_open(tmp_path, monkeypatch):
    real = html.asset
    monkeypatch.setattr(html, "asset", lambda name: "" if name.startswith("vendor") else real(name))
    page, console = opened(html.render(EXAMPLE()), tmp_path)
    assert console == []
    assert page.count('<table class="numbers">') == sum(KINDS.values())
    revenue = page[page.index('<table class="numbers">') :].split("</table>")[0]
    assert '<td>FY2027</td><td class="n">' in revenue and ", bn USD</caption>" in revenue
    assert '<td class="n">–</td>' in page


@needs_library
def test_the_policy_stops_a_script_that_is_not_ours(tmp_path):
    bad = html.render(EXAMPLE()).replace("</main>", '<script>document.title = "taken"</script></main>')
    page, console = opened(bad, tmp_path)
    assert "<title>taken" not in page
    assert any("Content Security Policy" in line for line in console)


@needs_library
def test_a_chart_that_cannot_be_drawn_shows_its_table(tmp_path):
    view = EXAMPLE()
    back = {"source": "AWS", "target": "ChatGPT inference", "value": 1e6, "undetermined": False, "low": None, "high": None}
    view["sankey"]["links"].append(back)
    page, _ = opened(html.render(view), tmp_path)
    assert page.count('class="chart failed"') == 1 and page.count('<table class="numbers">') == 1
