"""Consumption against commitment as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from ..focus import Export
from ..units import format_interval, format_value
from .terminal import grid, side_by_side


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


def pace_text(found: dict[str, Any], width: int) -> str:
    """One contract after the other: pace by month, shortfall by true-up, run rate."""
    stamp = found["stamp"]
    parts = ["\n".join(_contract(x, width)) for x in found["contracts"]]
    said = (
        "By month, to date. Straight line: what will be due over the term, spread evenly. Schedule: what falls due by the contract's own "
        "ramp. Unavoidable: at the end of that month what is taken and all that the open pools can still deliver in the period do not "
        "reach what will be due. "
        f"Means over paths unless told; \u00b1 is the Monte Carlo error. Book {stamp['book'][:12]}, seed {stamp['seed']}, "
        f"{stamp['paths']:,} paths. Not investment advice."
    )
    return "\n\n".join([*parts, "\n".join(textwrap.wrap(said, width))])


def _contract(x: dict[str, Any], width: int) -> list[str]:
    unit, rate = x["unit"], x["run_rate"]
    until = "the horizon's end" if x["open_at_the_end"] else x["until"]
    lines = textwrap.wrap(f"{x['contract']}, {x['name']}: {x['form']}, true-up by {x['true_up']}; {x['commitment']}, in {unit}", width)
    if x["consumed_source"]:
        lines += textwrap.wrap(f"consumed: {x['consumed_source']}", width)
    rows = [_month(row, unit) for row in thinned(x["months"])]
    if all(row["consumed"] is None for row in x["months"]):
        rows = [{k: v for k, v in row.items() if k != "consumed"} for row in rows]
    lines += ["", *_tables(rows, width)]
    if x["true_ups"]:
        lines += _tables([_true_up(row, unit) for row in x["true_ups"]], width)
        for row in x["true_ups"]:
            lines += textwrap.wrap(_unavoidable(row), width, subsequent_indent="  ")
    if x["open_at_the_end"]:
        lines += textwrap.wrap("A true-up lies beyond the horizon: its shortfall is not known here.", width)
    need, hope, most = (f"{format_value(rate[k], unit)}/month" for k in ("required", "forecast", "possible"))
    return [*lines, *textwrap.wrap(f"From now to {until}: {need} are required, {hope} forecast, {most} could be delivered.", width)]


def _tables(rows: list[dict[str, str]], width: int) -> list[str]:
    return [line for part in side_by_side(rows, list(rows[0])[1:], width) for line in (grid(part, width), "")]


def thinned(months: list[dict[str, Any]], most: int = 24) -> list[dict[str, Any]]:
    """All months of a short term; of a longer one the first twelve, each quarter's end, and the last."""
    if len(months) <= most:
        return months
    return [row for n, row in enumerate(months) if n < 12 or row["month"][-2:] in ("03", "06", "09", "12") or n == len(months) - 1]


def _month(row: dict[str, Any], unit: str) -> dict[str, str]:
    forecast = row["forecast"] or {}
    cells = {name: row[name.replace(" ", "_")] for name in ("consumed", "straight line", "schedule")} | {"forecast": forecast.get("mean")}
    between = format_interval(forecast.get("p05"), forecast.get("p95"), unit) if forecast else "\u2013"
    return {"month": row["month"]} | {k: format_value(v, unit) for k, v in cells.items()} | {"5 % to 95 %": between}


def _true_up(row: dict[str, Any], unit: str) -> dict[str, str]:
    s, p = row["shortfall"], row["short"]
    return {
        "true-up": row["true_up"],
        "P(shortfall)": f"{format_value(p['probability'], 'share')} \u00b1 {format_value(p['se'], 'share')}",
        "mean": f"{format_value(s['mean'], unit)} \u00b1 {format_value(s['se'], unit)}",
        "p05": format_value(s["p05"], unit),
        "p50": format_value(s["p50"], unit),
        "p95": format_value(s["p95"], unit),
    }


def _unavoidable(row: dict[str, Any], most: int = 6) -> str:
    """The likeliest months of no return, in the order of time."""
    months = row["unavoidable"]
    if not months:
        return f"{row['true_up']}: no path falls short"
    kept = sorted(sorted(months, key=lambda m: -m["probability"])[:most], key=lambda m: str(m["month"]))
    said = ", ".join(f"{m['month']} on {format_value(m['probability'], 'share')}" for m in kept)
    rest = 1.0 - row["short"]["probability"]
    more = "" if len(months) <= most else f", {len(months) - most} more"
    start = row["from_the_start"]["probability"]
    early = f"; out of reach from the period's start on {format_value(start, 'share')}" if start else ""
    never = f"never on {format_value(rest, 'share')} of paths"
    return f"{row['true_up']}: a shortfall becomes unavoidable by the end of {said}{more}; {never}{early}"
