"""The charts of a view: which there are, where they stand, and the empty frames that charts.js fills."""

from typing import Any, NamedTuple

from offtake.reports import parts
from offtake.reports.tabled import without_scripts
from offtake.reports.view import View


class Chart(NamedTuple):
    """kind as in charts.js; section the heading it stands under; data the view's own entry."""

    id: str
    kind: str
    section: str
    data: Any


def charts(view: View) -> list[Chart]:
    """All charts in reading order."""
    found = [Chart("", "fan", fan.get("section", "money"), fan) for fan in view["fans"]]
    found += [Chart("", "stack", stack.get("section", "capacity"), stack) for stack in view["stacks"]]
    alone = (
        ("heat", "capacity", view["heat"]),
        ("sankey", "placement", view["sankey"]),
        ("surface", "customer", view["surface"]),
        ("surface", "customer", view.get("surface_by_year")),
    )
    found += [Chart("", kind, section, data) for kind, section, data in alone if data is not None]
    found += [Chart("", "tornado", "sensitivity", tornado) for tornado in view["tornado"]]
    return [chart._replace(id=f"chart-{i}") for i, chart in enumerate(filter(filled, found), 1)]


def filled(chart: Chart) -> bool:
    """Whether there is anything to draw."""
    needed = {"fan": ("periods",), "stack": ("periods", "series"), "heat": ("rows", "periods"), "sankey": ("links",)}
    return all(len(chart.data[part]) for part in (needed | {"surface": ("runs", "thresholds"), "tornado": ("bars",)})[chart.kind])


def key(chart: Chart, say: dict[str, str]) -> str:
    """How to read the chart, as markup."""
    if chart.kind == "sankey":
        return (
            f'<span class="swatch solid"></span>{parts.text(say["determined"])} &ensp; '
            f'<span class="swatch hatched"></span>{parts.text(say["undetermined"])}'
        )
    if chart.kind == "fan":
        few = chart.data.get("form", "bars" if len(chart.data["periods"]) <= 12 else "fan") == "bars"
        return parts.text(say["bars_key" if few else "band_key" if len(chart.data["bands"]) == 1 else "bands_key"])
    if chart.kind == "surface":
        return parts.text(say["surface_key"])
    return parts.text(say[f"{chart.kind}_key"]) if chart.kind in ("heat", "tornado") else ""


def frame(chart: Chart, say: dict[str, str], known: set[str]) -> str:
    """The figure: title, place of the chart, how to read it, note, what it rests on, and the button for its table."""
    title, note = chart.data["title"], chart.data.get("note")
    button = f'<button type="button" aria-expanded="false" hidden>{parts.text(say["show_table"])}</button>'
    rests = rests_on(chart.data.get("rests_on", []), say, known)
    return (
        f'<figure id="{chart.id}"><div class="figure-head"><h3 id="{chart.id}-title">{parts.text(title)}</h3>{button}</div>'
        f'<div class="chart" role="img" aria-labelledby="{chart.id}-title"></div>{without_scripts(chart.kind, chart.data, say)}'
        f"<figcaption>{parts.element('p', key(chart, say), 'key')}{parts.paragraph(note)}{rests}</figcaption>"
        f'<div class="numbers-box" hidden></div></figure>\n'
    )


def frames(view: View, section: str, say: dict[str, str]) -> str:
    """Every frame of one section."""
    known = {entry["path"] for entry in view["inputs"]}
    return "".join(frame(chart, say, known) for chart in charts(view) if chart.section == section)


def rests_on(paths: list[str], say: dict[str, str], known: set[str]) -> str:
    """The inputs that a figure rests on, each a link to its row."""
    links = ", ".join(parts.inner_link("input", path, known) for path in paths)
    return parts.element("p", f'<span class="label">{parts.text(say["rests_on"])}</span> {links}' if links else "", "rests")
