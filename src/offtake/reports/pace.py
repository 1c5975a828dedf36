"""Consumption against commitment as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap

from ..focus import Export
from ..units import format_value
from .terminal import grid


def export_text(found: Export, width: int) -> str:
    """A cost export: consumed by commitment and month in USD, quantities, then faults and counts."""
    rows = []
    for u in found.used:
        amounts = {"consumed": u.consumed, "unused": u.unused, "billed": u.billed, "purchased": u.purchased, "apart": u.apart}
        quantity = ", ".join(f"{value:,.6g} {unit}" for unit, value in u.quantity.items())
        usd = {k: format_value(v, "USD") for k, v in amounts.items()}
        rows.append({"commitment": u.commitment or "none named", "month": u.month} | usd | {"quantity": quantity or "\u2013"})
    said = (
        "consumed: EffectiveCost of use; unused: the same of unused commitment; billed: BilledCost of use and purchases; purchased: "
        "of purchases; apart: of tax, credits and adjustments."
    )
    return "\n".join([grid(rows, width), "", *textwrap.wrap(said, width), "", found.faults()])
