"""What the report shows of worth: the deal by year, a dollar of RPO by provider, event, tree, statements and positions (V-06 to V-08)."""

from __future__ import annotations

from typing import Any

from ..units import format_interval, format_value
from .findings import OBLIGATION
from .found import Asked
from .late import name_of

Table = dict[str, Any]
ONCE = (
    ("npv_after_tax", "NPV after tax", "USD"), ("npv", "NPV before tax", "USD"), ("collected_value", "collected, discounted", "USD"),
    ("irr", "IRR before tax", "share"), ("payback", "payback", "month"),
)  # fmt: skip
MARKET = "value"


def panels(a: Asked, told: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Table]]:
    """Charts and tables of the section; what needs closes is there only if they were given."""
    move, hold, levels = (told["answers"][n - 1]["values"] for n in (9, 10, 12))
    tables = [deal_table(move["worth"]), yearly_table(move["worth"]), obligation_table(a)]
    charts = yearly_chart(move["worth"])
    if move.get("event"):
        tables.append(event_table(move["event"]))
    if levels.get("statements"):
        tables += [leaf_table(levels["tree"]), statement_table(levels["statements"])]
    if hold.get("positions"):
        tables.append(position_table(hold["positions"]))
    return charts, [t for t in tables if t is not None]


def table(title: str, columns: dict[str, str | None], rows: list[list[Any]], note: str) -> Table:
    """A table of the section: name and unit of each column."""
    return {"section": MARKET, "title": title, "columns": list(columns), "units": list(columns.values()), "rows": rows, "note": note}


def deal_table(worth: dict[str, Any]) -> Table:
    rows = []
    for key, name, unit in ONCE:
        found = worth.get(key)
        if found is not None and found["p50"] is not None:
            span = format_interval(found["p05"], found["p95"], unit)
            rows.append([name, format_value(found["p50"], unit), span, format_value(found["mean"], unit), found["absent"]])
    columns = {"the deal": None, "median": None, "90 % interval": None, "mean": None, "absent": "share"}
    note = "At the provider's discount rate, without a terminal value; what was spent before month 0 is sunk. Absent: paths without one."
    return table("What the deal is worth to its provider", columns, rows, note)


def yearly_table(worth: dict[str, Any]) -> Table | None:
    cash, shares = worth.get("fcf") or [], {r["period"]: r for r in worth.get("eps_effect") or []}
    if not cash or cash[0]["mean"] is None:
        return None
    rows = [[r["period"], r["mean"], format_interval(r["p05"], r["p95"], "USD"), (shares.get(r["period"]) or {}).get("mean")] for r in cash]
    columns = {"fiscal year": None, "free cash after tax": "USD", "90 % interval": None, "earnings per share": "USD/share"}
    return table("The deal by fiscal year", columns, rows, "Means. Earnings per share carry no cost of finance (V-06).")


def yearly_chart(worth: dict[str, Any]) -> list[dict[str, Any]]:
    cash = worth.get("fcf") or []
    if not cash or cash[0]["mean"] is None:
        return []
    band = {q: [r[q] for r in cash] for q in ("p05", "p25", "p50", "p75", "p95", "mean")}
    return [
        {"id": "fcf", "title": "Free cash of the deal after tax", "unit": "USD", "periods": [r["period"] for r in cash],
         "bands": [{"name": "free cash after tax"} | band], "lines": [], "note": "By the provider's fiscal year (V-06).",
         "section": MARKET, "form": "bars"}
    ]  # fmt: skip


def obligation_table(a: Asked) -> Table:
    """The value today of a dollar of each contract's obligations, and what takes the rest."""
    rows = []
    for name in a.plan.names.contracts:
        deal = a.plan.book.contracts[name]
        rows.append([name_of(a.plan, deal.provider), deal.name, *(a.mean(f"{part} {name}", "total") for part in OBLIGATION)])
    columns = {"provider": None, "contract": None, "worth today": "share", "time": "share", "delay": "share", "cancelled": "share",
               "unpaid": "share"}  # fmt: skip
    note = (
        "Of each dollar of signed value that falls due within the horizon, means; the five add up to 1 (V-06): collected, discounted; "
        "what waiting costs if paid by straight line; what being paid later costs; terminated or lapsed; unpaid, in flight or credited."
    )
    return table("A dollar of each provider's RPO today", columns, rows, note)


def event_table(event: dict[str, Any]) -> Table:
    rows = [[b["benchmark"], b["days"], f"{b['beta']:.2f}", b["expected"], b["abnormal"], b["se"],
             f"{format_value(b['low'], 'share')} to {format_value(b['high'], 'share')}"] for b in event["benchmarks"]]  # fmt: skip
    columns = {"benchmark": None, "days": None, "beta": None, "expected": "share", "abnormal": "share", "s.e.": "share",
               "90 % interval": None}  # fmt: skip
    implied = event.get("implied")
    worth = ""
    if implied:
        worth = f" Implied: {format_value(implied['value'], 'USD')} ({format_interval(implied['low'], implied['high'], 'USD')})."
    note = (
        f"{event['ticker']} from {event['close_before']:.2f} USD on {event['day_before']} to {event['close']:.2f} USD on {event['day']}. "
        f"One firm, one day: the interval comes from its own residuals; its own part is taken out of each benchmark.{worth}"
    )
    return table("The market's move", columns, rows, note)


def leaf_table(tree: dict[str, Any]) -> Table:
    names = [x["leaf"] for x in tree["leaves"]]
    rows: list[list[Any]] = [["chance", None, None, *(format_value(x["probability"], "share") for x in tree["leaves"])]]
    rows += [[p["ticker"], f"{p['close']:.2f}", f"{p['anchor']:.3f}", *(f"{p['by_leaf'][n]:.0f}" for n in names)] for p in tree["prices"]]
    columns = {"price, USD": None, "close": None, "anchor": None} | {n: None for n in names}
    note = (
        f"Mean prices on {tree['to']} by leaf; the anchor makes the tree, discounted at {format_value(tree['required_return'], 'share')} "
        "a year, worth today's close. Chances are judged, multiples and elasticities stated (V-07)."
    )
    return table("Prices at the leaves", columns, rows, note)


def statement_table(statements: list[dict[str, Any]]) -> Table:
    rows = [[s["title"], *(s[k]["probability"] for k in ("with", "without", "diffusion")), s["with"]["se"]] for s in statements]
    columns = {"statement": None, "with the deal": "share", "without it": "share", "plain diffusion": "share", "s.e.": "share"}
    return table("How likely what was said is", columns, rows, "Plain diffusion knows the closes' volatility and no leaves (V-07).")


def position_table(positions: list[dict[str, Any]]) -> Table:
    keys = ("mean", "p05", "p50", "p95", "var_95", "cvar_95")
    leaves = [x["leaf"] for x in positions[0]["by_leaf"]]
    rows = [[p["position"], *(p.get(k) for k in keys), p["peak_to_trough"]["p50"], *(x["mean"] for x in p["by_leaf"])] for p in positions]
    columns: dict[str, str | None] = {"position": None} | {
        n: "share" for n in ("mean", "5th percentile", "median", "95th percentile", "VaR 95 %", "CVaR 95 %", "fall from the high", *leaves)
    }
    note = (
        "Shares of the money put in, bought at the last close, sold at the end of the tree's year; a short may lose more. "
        "The fall is a median, leaves are means (V-08)."
    )
    return table("Positions", columns, rows, note)
