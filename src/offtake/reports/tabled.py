"""The numbers of each chart as a table in the page itself, for readers whose scripts do not run: mail attachments, previews."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from offtake.reports import parts

Table = tuple[list[str], list[list[str]]]  # columns as text; rows of markup, the first cell a name
Words = dict[str, str]


def without_scripts(kind: str, data: Any, say: Words) -> str:
    """A table of a chart's numbers, which shows only where no script runs."""
    columns, rows = TABLES[kind](data, say)
    shown = [("", row) for row in rows]
    return f"<noscript>{parts.table(columns, shown, range(1, len(columns)), '')}</noscript>"


def _of(values: Sequence[Any], unit: str | None) -> list[str]:
    return [parts.quantity(value, unit) for value in values]


def _fan(data: Any, say: Words) -> Table:
    """5th percentile, median and 95th of each band, then the lines."""
    columns, found = [say["period"]], [[parts.text(period) for period in data["periods"]]]
    for band in data["bands"]:
        name = f"{band['name']}, " if len(data["bands"]) > 1 else ""
        columns += [f"{name}p05", f"{name}{say['median']}", f"{name}p95"]
        found += [_of(band[key], data["unit"]) for key in ("p05", "p50", "p95")]
    columns += [line["name"] for line in data["lines"]]
    found += [_of(line["values"], data["unit"]) for line in data["lines"]]
    return columns, [list(row) for row in zip(*found)]


def _stack(data: Any, say: Words) -> Table:
    found = [[parts.text(period) for period in data["periods"]], *(_of(part["values"], data["unit"]) for part in data["series"])]
    return [say["period"], *(part["name"] for part in data["series"])], [list(row) for row in zip(*found)]


def _heat(data: Any, say: Words) -> Table:
    """Periods downwards: there are more of them than rows."""
    found = [[parts.text(period) for period in data["periods"]], *(_of(row, data["unit"]) for row in data["values"])]
    return [say["period"], *data["rows"]], [list(row) for row in zip(*found)]


def _surface(data: Any, say: Words) -> Table:
    rows = [[parts.text(run), *_of(values, "share")] for run, values in zip(data["runs"], data["values"])]
    return [data.get("run_name") or say["run_name"], *map(str, data["thresholds"])], rows


def _sankey(data: Any, say: Words) -> Table:
    columns = [say["flow_from"], say["flow_to"], say["mean"], say["low"], say["high"]]
    links = data["links"]
    return columns, [
        [parts.text(link["source"]), parts.text(link["target"]), *_of([link[key] for key in ("value", "low", "high")], data["unit"])]
        for link in links
    ]


def _tornado(data: Any, say: Words) -> Table:
    columns = [say[name] for name in ("col_input", "effect", "effect_low", "effect_high", "first_order", "input_low", "input_high")]
    return columns, [
        [
            parts.breaking(bar["input"]), *_of([bar[key] for key in ("slope", "slope_low", "slope_high")], data["unit"]),
            parts.quantity(bar["first_order"], "share"), *_of([bar["at_p10"], bar["at_p90"]], data["unit"]),
        ]
        for bar in data["bars"]
    ]  # fmt: skip


TABLES: dict[str, Callable[[Any, Words], Table]] = {
    "fan": _fan, "stack": _stack, "heat": _heat, "surface": _surface, "sankey": _sankey, "tornado": _tornado,
}  # fmt: skip
