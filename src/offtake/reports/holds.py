"""What each input holds of a number, as a table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from ..units import format_value
from .terminal import grid

FIRST = ("share", "total")  # what is left of a narrow terminal; without total indices the share alone
LAST = ("first_order", "total", "rank")


def holds_text(found: dict[str, Any], width: int, most: int) -> str:
    """Head, the strongest inputs with sign, slope and shares, each with its interval, and how they are estimated."""
    of = f" of {found['of']}" if found["of"] else ""
    given = f", given {found['given']}{' in any month' * found['in_any_month']}" if found["given"] else ""
    head = (
        f"{found['measure']}{of} @ {found['period']}{given}: {found['paths']:,} of {found['of_paths']:,} paths, {found['inputs']} inputs; "
        f"a plane in their normal scores explains {100 * found['explained']:.0f} % of the variance"
    )
    first = FIRST if any(r["total"] is not None for r in found["rows"][:most]) else FIRST[:1]
    rows = [_row(r, found["unit"], first) for r in found["rows"][:most]]
    left = len(found["rows"]) - len(rows)
    more = [f"{left} more inputs hold less (--top)"] if left > 0 else []
    without = textwrap.wrap(found["without_total"], width) if found["without_total"] else []
    return "\n".join([*textwrap.wrap(head, width), grid(rows, width), *more, *without, *textwrap.wrap(found["method"], width)])


def _row(r: dict[str, Any], unit: str, first: Sequence[str]) -> dict[str, str]:
    half = _half(r, "slope")
    slope = f"{'+' if r['slope'] > 0.0 else ''}{format_value(r['slope'], unit)}"
    slope += "" if half is None else f" ± {format_value(half, unit)}"
    told = {name: _share(r[name], _half(r, name)) for name in dict.fromkeys((*first, *LAST))}
    shares = {name.replace("_", " "): told[name] for name in told}
    return {"input": r["input"]} | {name: shares[name] for name in first} | {"per deviation": slope} | shares


def _half(r: dict[str, Any], name: str) -> float | None:
    """Half of the interval of 95 %."""
    high, low = r[f"{name}_high"], r[f"{name}_low"]
    return None if high is None or low is None else (high - low) / 2.0


def _share(value: float | None, half: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + ("" if half is None else f" ± {half:.3f}")
