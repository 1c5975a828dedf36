"""Facts and scores for a terminal: what was reported, and how forecasts of it did."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from ..tables import Table
from ..units import format_value, write_value
from .terminal import grid

WHOLE = "--json has all"
SHOWN = 40  # facts of a filing in a terminal


def series_text(rows: list[dict[str, Any]], width: int) -> str:
    """The series there are."""
    told = ("series", "periods", "first", "last", "newest", "unit", "rows")
    return grid([{k: str(row[k]) for k in told} for row in rows], width, WHOLE)


def facts_text(rows: list[dict[str, Any]], width: int) -> str:
    """Facts, a line each, and below it who published it where."""
    lines = []
    for row in rows:
        value = write_value(row["value"], row["unit"])
        lines.append(f"{row['period']}  {value}  {row['status']}, {row['quality']}, {row['published']}")
        where = ", ".join(dict.fromkeys(part for part in (row["publisher"], row["document"], row["url"]) if part))
        lines.append(fill(where + (f" ({row['note']})" if row["note"] else ""), width, initial_indent="    ", subsequent_indent="    "))
    return "\n".join(lines)


def changes_text(rows: list[dict[str, Any]], width: int) -> str:
    """What changed between two sides, one row a fact."""
    shown = [
        {key: _written(row[key], row["unit"]) if key in ("before", "after") else str(row[key])
         for key in ("fact", "how", "before", "after")}
        | {"change": format_value(row["change"], "share"), "published": row["published"], "document": row["document"]}
        for row in rows
    ]  # fmt: skip
    return grid(shown, width, WHOLE) if shown else "no difference"


def readings_text(told: dict[str, Any], width: int) -> str:
    """What became of filings: counts, facts by series, remarks."""
    lines = []
    for found in told["files"]:
        counts = ", ".join(f"{count} {what}" for what, count in found["counts"].items() if count)
        lines.append(fill(f"{found['file']} ({found['kind']}, {found['entity']}): {counts}", width, subsequent_indent="    "))
        lines += [f"  {row['fact']}  {write_value(row['value'], row['unit'])}  {row['published']}" for row in found["facts"][:SHOWN]]
        more = len(found["facts"]) - SHOWN
        lines += [f"  and {more} more (--json has all)"] if more > 0 else []
        lines += [fill(f"remark: {remark}", width, initial_indent="  ", subsequent_indent="    ") for remark in found["remarks"]]
    kept = told["kept"]
    return "\n".join([*lines, f"{kept['added']} added, {kept['known']} known already" if kept else "nothing kept (--dry-run)"])


def _written(value: float | None, unit: str) -> str:
    return "–" if value is None else write_value(value, unit)


def scores_text(table: Table, width: int) -> str:
    """Scores of each series beside those of the naive walk, for a terminal."""
    dates = table.about["as_of"]
    head = f"forecasts made as of {dates[0]} to {dates[-1]} ({len(dates)} dates), {table.about['ahead']} quarters ahead"
    told = [head]
    for row in table.rows():
        name = f"{row['series']} ({row['measure']} of {row['company']}): "
        told.append(fill(name + _said(row), width, subsequent_indent="    "))
        lines = calibrated(table.about["calibration"], row)
        told += [fill(line, width, initial_indent="    ", subsequent_indent="      ") for line in lines]
    if table.about["together"]:
        told += [fill(together_text(table.about["together"]), width, subsequent_indent="    ")]
    return "\n".join(told)


def together_text(whole: dict[str, Any]) -> str:
    """All series as one histogram, in words."""
    shares = " ".join(f"{100 * share:.0f}" for share in whole["fifths"])
    low, high = (format_value(end, "share") for end in whole["band"])
    weak = "; ".join(whole["weak"]) or "nothing beyond chance"
    return (
        f"all {whole['series']} series: {whole['forecasts']} forecasts of {whole['quarters']} quarters, as if independent: PIT by fifths "
        f"{shares} % ({low} to {high} by chance); weak: {weak}. Nothing was widened for it."
    )


def calibrated(found: list[dict[str, Any]], row: dict[str, Any]) -> list[str]:
    """PIT by fifths, coverage by level, and the weak points of a series that is scored."""
    one = next((c for c in found if (c["company"], c["measure"], c["series"]) == (row["company"], row["measure"], row["series"])), None)
    if one is None:
        return []
    shares = " ".join(f"{100 * share:.0f}" for share in one["fifths"])
    low, high = (format_value(end, "share") for end in one["band"])
    held = ", ".join(f"{100 * c['level']:.0f} % {_interval(c)}" for c in one["coverage"])
    return [
        f"PIT by fifths {shares} % ({low} to {high} by chance); interval and what it held ({row['quarters']} trials): {held}",
        f"weak: {'; '.join(one['weak']) or 'nothing beyond chance'}",
    ]


def _interval(c: dict[str, Any]) -> str:
    held, low, high = (format_value(c[key], "share") for key in ("held", "low", "high"))
    return f"{held} ({low} to {high})"


def _over(row: dict[str, Any]) -> str:
    last, drift = (format_value(row[key], "share") for key in ("skill_last", "skill_drift"))
    return f"{last} over the last value, {drift} over drift; mean PIT {row['pit']:.2f}"


def _said(row: dict[str, Any]) -> str:
    skipped = f"; {row['skipped']} dates skipped, too few quarters without a gap" if row["skipped"] else ""
    if row["crps"] is None:
        return f"not back-tested: {row['quarters']} distinct target quarters, 6 are needed{skipped}."
    skill = format_value(row["skill"], "share")
    ours, naive = (format_value(row[key], "USD") for key in ("crps", "naive_crps"))
    return (
        f"{row['forecasts']} forecasts of {row['quarters']} quarters{skipped}. CRPS {ours} against {naive} of a naive walk, skill {skill}: "
        f"{row['verdict']}; {_over(row)}."
    )
