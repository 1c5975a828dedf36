"""A rare outcome: how likely it is, and figures where it holds, for a terminal."""

from __future__ import annotations

import textwrap
from typing import Any

from ..units import format_value
from .terminal import grid


def share(value: float | None) -> str:
    """A chance with three digits, however small."""
    return "\u2013" if value is None else f"{100 * value:.3g} %"


def tail_text(found: dict[str, Any], width: int) -> str:
    """Chance with and without the shift, what was shifted, and figures."""
    a, b = found["plain"], found["weighted"]
    rows = [
        {"paths": "as they are", "chance": share(a["chance"]), "\u00b1": share(a["se"]), "of them hit": f"{a['hits']:,}"},
        {"paths": "drawn where it happens", "chance": share(b["chance"]), "\u00b1": share(b["se"]), "of them hit": f"{b['hits']:,}"},
    ]
    told = (
        f"{found['outcome']}: {found['paths']:,} weighted paths count like {b['effective_paths']:,.0f} in all and like "
        f"{b['effective_hits']:,.0f} where it holds. \u00b1 is one standard error from sixteen replicates."
    )
    moved = "; ".join(f"{s['input']} {s['deviations']:+.2f}" for s in found["shift"]) or "nothing"
    figures = [
        {
            "measure": r["measure"],
            "where it holds": f"{format_value(r['given'], r['unit'])} \u00b1 {format_value(r['se_given'], r['unit'])}",
            "all paths": f"{format_value(r['all'], r['unit'])} \u00b1 {format_value(r['se_all'], r['unit'])}",
        }
        for r in found["rows"]
    ]
    wrap = textwrap.wrap(f"means moved, in standard deviations: {moved}", width, break_on_hyphens=False)
    return "\n".join([grid(rows, width), *textwrap.wrap(told, width), *wrap, grid(figures, width)])
