"""Facts and scores for a terminal: what was reported, and how forecasts of it did."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from ..tables import Table
from ..units import format_value
from .terminal import grid


def facts_text(rows: list[dict[str, Any]], width: int) -> str:
    """A series by quarter, or the series there are."""
    shown = [{k: format_value(v, row["unit"]) if k == "value" else str(v) for k, v in row.items() if k not in ("unit", "note")}
             for row in rows]  # fmt: skip
    return grid(shown, width)


def scores_text(table: Table, width: int) -> str:
    """Scores of each series beside those of the naive walk, for a terminal."""
    dates = table.about["as_of"]
    head = f"forecasts made as of {dates[0]} to {dates[-1]} ({len(dates)} dates), {table.about['ahead']} quarters ahead"
    told = [head]
    for row in table.rows():
        name = f"{row['series']} ({row['measure']} of {row['company']}): "
        told.append(fill(name + _said(row), width, subsequent_indent="    "))
    return "\n".join(told)


def _said(row: dict[str, Any]) -> str:
    skipped = f"; {row['skipped']} dates skipped, too few quarters without a gap" if row["skipped"] else ""
    if row["crps"] is None:
        return f"not back-tested: {row['quarters']} distinct target quarters, 6 are needed{skipped}."
    skill, held, low, high = (format_value(row[key], "share") for key in ("skill", "covered", "covered_low", "covered_high"))
    ours, naive = (format_value(row[key], "USD") for key in ("crps", "naive_crps"))
    return (
        f"{row['forecasts']} forecasts of {row['quarters']} quarters{skipped}. CRPS {ours} against {naive} of a naive walk, skill {skill}: "
        f"{row['verdict']}. The 90 % interval held {held} of what came ({low} to {high} for {row['quarters']} quarters)."
    )
