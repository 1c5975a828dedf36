"""The HTML report: one string, nothing from elsewhere, nulls as dashes, text escaped, written whole or not at all."""

import base64
import hashlib
import json
import os
import re
import runpy
from pathlib import Path

import pytest

from offtake.reports import html, parts
from offtake.reports.words import WORDS

EXAMPLE = runpy.run_path(str(Path(__file__).parent / "report" / "example.py"))["example"]
LIBRARY = bool(html.asset("vendor/echarts.min.js"))


def block(page, name):
    return json.loads(re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1])


def without_library(page):
    return re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_the_page_asks_for_nothing_but_citations():
    page = without_library(html.render(EXAMPLE()))
    assert not re.findall(r"<(?:link|iframe|img|object|embed|base)\b", page)
    assert not re.findall(r"\ssrc\s*=", page)
    assert "@import" not in page and "url(" not in page
    addresses = re.findall(r'(<[a-z]+)[^>]*href="(?!#)([^"]*)"', page)
    assert addresses and all(tag == "<a" and url.startswith("https://example.com/") for tag, url in addresses)


def test_a_script_address_never_becomes_a_link():
    page = html.render(EXAMPLE())
    assert 'href="javascript' not in page
    assert parts.outer_link("javascript:alert(1)", "x") == "x"


def test_every_script_and_style_of_the_page_is_in_its_policy():
    page = html.render(EXAMPLE())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    inside = re.findall(r"<script>(.*?)</script>", page, re.S) + re.findall(r"<style>(.*?)</style>", page, re.S)
    assert len(inside) == (7 if LIBRARY else 6)
    for content in inside:
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy
    assert "script-src 'sha256-" in policy and "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")


def poisoned(value):
    if isinstance(value, dict):
        return {key: poisoned(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner) for inner in value]
    return f"</script><script>alert(1)</script>\"'><b onload=x>{value}" if isinstance(value, str) else value


def test_no_text_of_the_view_becomes_markup():
    clean, view = EXAMPLE(), poisoned(EXAMPLE())
    for fan, good in zip(view["fans"] + view["stacks"], clean["fans"] + clean["stacks"], strict=True):
        if "section" in good:
            fan["section"] = good["section"]
    page, plain = html.render(view), html.render(clean)
    assert page.count("<script") == plain.count("<script")
    assert page.count("<b onload") == 0
    assert block(page, "offtake-charts")[0]["data"]["title"].startswith("</script>")


def test_a_table_stands_under_its_section_and_an_empty_one_nowhere():
    page = html.render(EXAMPLE())
    section = page[page.index('<section id="concentration">') :].split("</section>")[0]
    cells = '<td>all together</td><td class="n">87.7 bn USD</td><td class="n">–</td>'
    assert "<h3>One provider late</h3>" in section and cells in section and '<p class="note">' in section
    assert '<section id="national">' not in page


def test_absent_is_a_dash_and_never_zero():
    assert parts.quantity(None, "USD") == parts.text(None) == parts.badge(None, {}) == "–"
    page = html.render(EXAMPLE())
    nvidia = page[page.index("<td>Nvidia systems") :].split("</tr>")[0]
    assert '<td class="n">–</td>' in nvidia
    heat = next(c for c in block(page, "offtake-charts") if c["kind"] == "heat")
    assert heat["data"]["values"][5][0] is None


def test_an_empty_view_is_a_page_without_sections():
    empty = {list: [], dict: None}
    view = {key: empty.get(type(value), value) for key, value in EXAMPLE().items()}
    page = html.render(view | {"stamp": EXAMPLE()["stamp"], "subtitle": None})
    assert "<section" not in page and "Not investment advice." in page


def test_a_number_that_is_not_finite_is_refused_with_its_place():
    view = EXAMPLE()
    view["fans"][0]["bands"][0]["p50"][3] = float("nan")
    with pytest.raises(ValueError) as fault:
        html.render(view)
    assert str(fault.value) == (
        "report: Revenue recognised on the contract by fiscal year, against the straight line / bands / 0 / p50 / 3: "
        "nan is not a number to show; write None for absent"
    )


def test_each_number_is_two_clicks_from_its_source():
    page = html.render(EXAMPLE())
    for target in set(re.findall(r'href="#([^"]*)"', page)):
        assert page.count(f'id="{target}"') == 1, target
    row = page[page.index('id="input-contracts.aws.total_5f_value"') :].split("</tr>")[0]
    assert 'href="#source-aws-release"' in row
    assert "an input that is not listed" in page and 'href="#input-an' not in page


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (3.8e10, "USD", "38 bn USD"),
        (1.02e12, "USD", "1.02 tn USD"),
        (-2.5e6, "USD", "−2.50 M USD"),
        (0.55, "share", "55 %"),
        (0.0831, "share", "8.3 %"),
        (0.997, "share", "99.7 %"),
        (0.0, "share", "0 %"),
        (212000.0, "GPU", "212 k GPUs"),
        (5.2e8, "GPU-h", "520 M GPU-h"),
        (26000.0, "MW", "26 GW"),
        (84, "months", "84 months"),
        (3.1e-16, None, "3.1e−16"),
        ("known, unsized", "USD", "known, unsized"),
    ],
)
def test_quantities_are_read_in_their_unit(value, unit, words):
    assert parts.quantity(value, unit) == words


def test_anchors_differ_where_names_differ():
    names = ["a.b", "a_b", "a b", "a[0]", "a(0)", "a_5f_b", "价格"]
    assert len({parts.anchor("input", name) for name in names}) == len(names)


def test_words_can_be_translated():
    page = html.render(EXAMPLE(), translate=lambda word: {"Headline": "要点"}.get(word, word), language="zh-Hans")
    assert '<html lang="zh-Hans">' in page and "<h2>要点</h2>" in page
    assert block(page, "offtake-words")["headline"] == "要点"


def test_every_word_of_the_scripts_is_a_known_word():
    used = {key for name in html.SCRIPTS[1:] for key in re.findall(r"\bwords\.([a-z_]+)", html.asset(name))}
    assert used and used <= set(WORDS)


def test_writing_replaces_the_file_whole(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    html.write(EXAMPLE(), path)
    assert path.read_text(encoding="utf-8") == html.render(EXAMPLE())
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(html.WriteError) as fault:
        html.write(EXAMPLE(), path)
    assert str(fault.value) == f"{path}: the file could not be written (No space left on device)"
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_without_the_chart_library_the_page_says_so(monkeypatch):
    real = html.asset
    monkeypatch.setattr(html, "asset", lambda name: "" if name.startswith("vendor") else real(name))
    assert "built without the chart library" in html.render(EXAMPLE())


def test_without_scripts_every_chart_is_a_table():
    """Each figure holds its numbers for a reader whose scripts do not run: mail, previews."""
    page = html.render(EXAMPLE())
    charts = block(page, "offtake-charts")
    for chart in charts:
        figure = re.search(rf'<figure id="{chart["id"]}">(.*?)</figure>', page, re.S)[1]
        (table,) = re.findall(r"<noscript>(.*?)</noscript>", figure, re.S)
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", table, re.S)
        data = chart["data"]
        if chart["kind"] == "fan":
            for band in data["bands"]:
                assert {parts.quantity(v, data["unit"]) for key in ("p05", "p50", "p95") for v in band[key]} <= set(cells)
            assert table.count("<tr>") == 1 + len(data["periods"])
        if chart["kind"] in ("heat", "surface"):
            assert {parts.quantity(v, data.get("unit", "share")) for row in data["values"] for v in row} <= set(cells)
        if chart["kind"] == "stack":
            assert {parts.text(part["name"]) for part in data["series"]} <= set(cells)
        if chart["kind"] in ("sankey", "tornado"):
            assert table.count("<tr>") == 1 + len(data["links" if chart["kind"] == "sankey" else "bars"])
    assert {chart["kind"] for chart in charts} == {"fan", "stack", "heat", "sankey", "surface", "tornado"}


def test_the_manifest_names_no_registry():
    root = Path(__file__).parents[1]
    for name in ("package.json", "package-lock.json", ".npmrc", "hatch_build.py"):
        assert "://" not in (root / name).read_text(), name
