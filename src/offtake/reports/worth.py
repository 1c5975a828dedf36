"""Event studies, trees, positions and stress as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from ..units import format_interval, format_value


def share(value: float | None) -> str:
    return format_value(value, "share")


def grid(head: list[str], rows: list[list[str]]) -> list[str]:
    """Columns as wide as they must be, the first to the left."""
    sizes = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return ["  ".join(c.ljust(n) if i == 0 else c.rjust(n) for i, (c, n) in enumerate(zip(row, sizes))).rstrip() for row in [head, *rows]]


def paragraphs(lines: list[str], width: int) -> str:
    """Each line wrapped, what follows the first line of it set in."""
    return "\n".join(part for line in lines for part in (textwrap.wrap(line, width, subsequent_indent="  ") or [""]))


def interval(row: dict[str, Any] | None, unit: str) -> str:
    if row is None or row["p50"] is None:
        return "absent"
    return f"{format_value(row['p50'], unit)} ({format_interval(row['p05'], row['p95'], unit)})"


def event_text(found: dict[str, Any], width: int) -> str:
    """The study: the day, one row a benchmark, what it implies, what must be believed."""
    head = [
        f"{found['event']}: {found['ticker']} from {found['close_before']:.2f} on {found['day_before']} to {found['close']:.2f} on "
        f"{found['day']}, {share(found['move'])}",
        f"earnings days out of the window: {', '.join(found['earnings_days_out']) or 'none lie in it'}",
        "",
    ]
    table = grid(
        ["benchmark", "name out", "days", "beta", "expected", "abnormal", "s.e.", "p", "90 % interval"],
        [
            [b["benchmark"], share(b["name_taken_out"]), str(b["days"]), f"{b['beta']:.2f}", share(b["expected"]), share(b["abnormal"]),
             share(b["se"]), f"{b['p_value']:.3f}", f"{share(b['low'])} to {share(b['high'])}"]
            for b in found["benchmarks"]
        ],
    )  # fmt: skip
    return "\n".join([paragraphs(head, width), *table, "", paragraphs(_worth(found) + _others(found), width)])


def _worth(found: dict[str, Any]) -> list[str]:
    if not found["implied"]:
        return [f"companies.{found['company']} states no `shares`: the move has no value in USD"]
    i = found["implied"]
    lines = [f"implied: {format_value(i['value'], 'USD')} ({format_interval(i['low'], i['high'], 'USD')})"]
    against = found.get("against")
    if against is None:
        return lines
    lines.append(f"modelled {against['measure']}: {interval(against['modelled'], 'USD')}; gap {format_value(against['gap'], 'USD')}")
    lines.append(f"paths that reach the implied value: {share(against['share_of_paths_at_least_implied'])}")
    lines.append("to close the gap alone:")
    for x in against["believe"]:
        needed = "nothing of the kind suffices" if x["needed"] is None else format_value(x["needed"], x["unit"])
        lines.append(f"- {x['what']}: {needed}" + (f"; it has {format_value(x['modelled'], x['unit'])}" if x["modelled"] else ""))
    return lines


def _others(found: dict[str, Any]) -> list[str]:
    lines = [f"quoted, not in the closes: {q['what']} {share(q['move'])} [{q['source']}]" for q in found["quoted"]]
    lines += [f"news, {n['day']}: {n['title']} [{n['source']}]" for n in found["news"]]
    lines.append("others that day: " + ", ".join(f"{t} {share(m)}" for t, m in found["others"].items()))
    if found["closes_left_out"]:
        lines.append(f"{found['closes_left_out']} later closes were left out: the book knows nothing after its as_of")
    return [*lines, f"{found['note']}. Not investment advice."]


def tree_text(found: dict[str, Any], width: int) -> str:
    """Leaves, prices, statements and positions as tables."""
    t = found["tree"]
    leaves = grid(["leaf", "chance"], [[x["leaf"], share(x["probability"])] for x in t["leaves"]])
    names = [x["leaf"] for x in t["leaves"]]
    prices = grid(
        ["price", "close", "anchor", "off by", "vol", "residual", "without deal", *names],
        [
            [p["ticker"], f"{p['close']:.2f}", f"{p['anchor']:.3f}", f"{p['reprice_error']:.0e}", share(p["volatility"]),
             share(p["residual"]), share(p["without_deal"]), *(f"{p['by_leaf'][n]:.0f}" for n in names)]
            for p in t["prices"]
        ],
    )  # fmt: skip
    said = grid(
        ["statement", "with", "s.e.", "without", "deal adds", "diffusion"],
        [
            [s["title"], share(s["with"]["probability"]), share(s["with"]["se"]), share(s["without"]["probability"]),
             share(s["deal_adds"]["probability"]), share(s["diffusion"]["probability"])]
            for s in found["statements"]
        ],
    )  # fmt: skip
    held = grid(
        ["position", "mean", "s.e.", "p05", "p50", "p95", "CVaR 95 %", "high to low", *names],
        [
            [p["position"], share(p["mean"]), share(p["se"]), share(p["p05"]), share(p["p50"]), share(p["p95"]), share(p["cvar_95"]),
             share(p["peak_to_trough"]["p50"]), *(share(x["mean"]) for x in p["by_leaf"])]
            for p in found["positions"]
        ],
    )  # fmt: skip
    head = f"{t['from']} to {t['to']}, {t['days']} trading days; every ticker reprices to its close at {share(t['required_return'])} a year"
    notes = [f"{p['position']}: {p['assumption']['is']}, {p['assumption']['input']}" for p in found["positions"] if p["assumption"]]
    rule = found["short_candidates"]
    notes += [f"short candidates: {', '.join(rule['tickers']) or 'none'}; a company that {rule['rule']}", found["note"]]
    return "\n".join([paragraphs([head], width), "", *leaves, "", *prices, "", *said, "", *held, "", paragraphs(notes, width)])
