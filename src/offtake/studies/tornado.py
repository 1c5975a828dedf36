"""The report's tornado: the inputs that hold most of a headline, each with its effect, sign and interval (U-02, U-04).

Every figure is one of the rows that `offtake sensitivity` tells of the same number, to the bit.
"""

from __future__ import annotations

from typing import Any

from .found import Asked, unit_of

MOST = 8  # bars
LEAST = 0.005  # of the variance
SHOWN = (
    "input", "sign", "slope", "slope_se", "slope_low", "slope_high", "share", "first_order", "at_p10", "at_p90", "quality",
)  # fmt: skip


def wanted(a: Asked) -> list[tuple[str, str, str]]:
    """Title, key of the question, and period of each tornado."""
    quarter = (a.rows("rpo fiscal-quarter") or [{"period": ""}])[0]["period"]
    return [
        (f"Revenue of the deal {a.year + 1}", "revenue calendar-year", str(a.year + 1)),
        (f"RPO, end {quarter}", "rpo fiscal-quarter", quarter),
        ("Value standing idle", "idle_value", "total"),
        (f"Customer revenue {a.year + 2}", "customer revenue", str(a.year + 2)),
    ]


def holds(r: dict[str, Any]) -> bool:
    """Whether an input holds enough of the variance, and more than chance would show."""
    return any(abs(r[name]) >= LEAST and (r[f"{name}_low"] or 0.0) > 0.0 for name in ("share", "first_order"))


def tornado(a: Asked) -> list[dict[str, Any]]:
    """What moves revenue, RPO, idle value and the customer's revenue."""
    found = []
    for title, key, period in wanted(a):
        row, tally = a.f.row(key, period), a.tally(key)
        held = a.f.held(key, row) if row is not None else []
        bars = [{name: r[name] for name in SHOWN} for r in held if holds(r)][:MOST]
        if bars and tally:
            note = f"First {tally.kept.shape[-1]:,} paths; offtake sensitivity tells of every input, and more of each."
            found.append({"title": title, "unit": unit_of(tally), "bars": bars, "note": note})
    return found
