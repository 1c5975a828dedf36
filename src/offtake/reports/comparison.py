"""A comparison as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from ..units import format_interval, format_value

SHOWN_PARTS = 6
NOTHING = 1e-9  # of the larger mean: smaller changes are rounding


def comparison_text(found: dict[str, Any], width: int) -> str:
    """What differs, then each headline on both sides and the parts of its change; unchanged headlines in one line."""
    lines = [f"a  {found['a']['label']}", f"b  {found['b']['label']}", ""]
    lines += _changed(found, width)
    same = [row for row in found["headlines"] if not _moved(row)]
    for row in found["headlines"]:
        if _moved(row):
            lines += ["", *_headline(row, width)]
    if same:
        lines += ["", *_wrap(f"unchanged: {', '.join(row['headline'] for row in same)}", width, 2)]
    stamp = found["a"]["stamp"]
    end = (
        f"{found['method']} Each part is one {found['attributed_by']}. In brackets 5th to 95th percentile; ± one Monte Carlo "
        f"error, of changes path by path. Seed {stamp['seed']}, {stamp['paths']:,} paths. Not investment advice."
    )
    return "\n".join([*lines, "", *_wrap(end, width, 0)])


def _wrap(text: str, width: int, indent: int, first: int = 0) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=" " * first, subsequent_indent=" " * (first + indent), break_on_hyphens=False, break_long_words=False
    )


def _changed(found: dict[str, Any], width: int) -> list[str]:
    if not found["changed"] and not found["not_numbers"]:
        return ["no number that a run reads differs"]
    lines = []
    for group in found["changed"]:
        if len(group["numbers"]) == 1:
            one = group["numbers"][0]
            lines += _wrap(f"{one['path']}: {one['a']} -> {one['b']}", width, 4)
        else:
            lines += _wrap(f"{group['input']}: {len(group['numbers'])} numbers", width, 4)
    if found["not_numbers"]:
        lines += _wrap(f"terms that are no numbers: {', '.join(found['not_numbers'])}", width, 4)
    return lines


def _moved(row: dict[str, Any]) -> bool:
    if row["a"] is None or row["b"] is None:
        return True
    if row["change"] is None:
        return False
    size = max(abs(row["a"]["mean"]), abs(row["b"]["mean"]))
    return any(abs(part["change"]) > NOTHING * size for part in row["parts"]) or abs(row["change"]) > NOTHING * size


def _headline(row: dict[str, Any], width: int) -> list[str]:
    unit = row["unit"]
    lines = [row["headline"]]
    for side in ("a", "b"):
        told = row[side]
        if told is None or told["mean"] is None:
            lines.append(f"  {side:<8}absent")
            continue
        span = format_interval(told["p05"], told["p95"], unit)
        lines += _wrap(f"{side:<8}{format_value(told['mean'], unit)} ± {format_value(told['se'], unit)}  ({span})", width, 8, 2)
    if row["change"] is None:
        return lines
    lines.append(f"  {'change':<8}{_signed(row['change'], unit)} ± {format_value(row['se'], unit)}")
    parts = sorted((p for p in row["parts"] if p["change"]), key=lambda p: -abs(p["change"]))
    for part in parts[:SHOWN_PARTS]:
        lines += _wrap(f"{_signed(part['change'], unit)} ± {format_value(part['se'], unit)}  {part['input']}", width, 4, 10)
    if len(parts) > SHOWN_PARTS:
        rest = sum(p["change"] for p in parts[SHOWN_PARTS:])
        lines.append(f"{'':10}{_signed(rest, unit)}  {len(parts) - SHOWN_PARTS} more (--json has all)")
    return lines


def _signed(value: float, unit: str) -> str:
    return f"{'+' * (value > 0)}{format_value(value, unit)}"
