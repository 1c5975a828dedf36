"""What each input holds of a number, as a table for a terminal."""

from __future__ import annotations

import textwrap
from typing import Any

from ..units import format_value
from .terminal import grid

SHOWN = ("share", "first_order", "total", "rank")


def holds_text(found: dict[str, Any], width: int, most: int) -> str:
    """Head, the strongest inputs with sign, slope and shares, each with its error, and how they are estimated."""
    of = f" of {found['of']}" if found["of"] else ""
    given = f", given {found['given']}" if found["given"] else ""
    head = (
        f"{found['measure']}{of} @ {found['period']}{given}: {found['paths']:,} of {found['of_paths']:,} paths, {found['inputs']} inputs; "
        f"a plane in their normal scores explains {100 * found['explained']:.0f} % of the variance"
    )
    rows = [_row(r, found["unit"]) for r in found["rows"][:most]]
    left = len(found["rows"]) - len(rows)
    more = [f"{left} more inputs hold less (--top)"] if left > 0 else []
    return "\n".join([*textwrap.wrap(head, width), grid(rows, width), *more, *textwrap.wrap(found["method"], width)])


def _row(r: dict[str, Any], unit: str) -> dict[str, str]:
    slope = f"{'+' if r['slope'] > 0.0 else ''}{format_value(r['slope'], unit)} ± {format_value(r['slope_se'], unit)}"
    return {"input": r["input"], "per deviation": slope} | {
        name.replace("_", " "): _share(r[name], r[f"{name}_se"]) for name in SHOWN
    }  # fmt: skip


def _share(value: float | None, error: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + ("" if error is None else f" ± {error:.3f}")
