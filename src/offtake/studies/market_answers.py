"""Answers 9, 10 and 12: the market's move, positions, levels. Each says which input is missing where it cannot be given."""

from __future__ import annotations

from typing import Any

from ..errors import QuestionError
from ..units import format_interval, format_value
from . import believe, event
from .found import Asked
from .inputs import in_words

Told = tuple[str, dict[str, Any], tuple[str, int] | None]
MISSING = "not computed: "


def usd(value: float | None) -> str:
    return format_value(value, "USD")


def span(row: dict[str, Any] | None, unit: str) -> str:
    """Median and 90 % interval of a row of statistics."""
    if row is None or row["p50"] is None:
        return "absent"
    return f"{format_value(row['p50'], unit)} ({format_interval(row['p05'], row['p95'], unit)})"


def share(value: float) -> str:
    return format_value(value, "share")


def needs(a: Asked, section: str, what: str) -> str | None:
    """What is missing before the market can be asked anything; None where nothing is."""
    if not getattr(a.plan.book, section):
        return f"{MISSING}this book declares no `{section}:`, which {what} needs"
    if a.run.closes is None:
        tickers = sorted({c.ticker for c in a.plan.book.companies.values() if c.ticker})
        return f"{MISSING}{what} needs daily closes, which nobody gave: --closes FILE with `date,TICKER,..` for {', '.join(tickers)}"
    return None


def move(a: Asked) -> Told:
    """Answer 9: what the deal justifies of the market's move."""
    values = {"worth": believe.worth(a.f.tallies)}
    measure = "npv_after_tax" if values["worth"]["npv_after_tax"] else "npv"
    deal = f"The model's NPV {'after' if measure == 'npv_after_tax' else 'before'} tax is {span(values['worth'][measure], 'USD')}"
    irr = values["worth"]["irr"]
    known = f"IRR {span(irr, 'share')} and absent on {share(irr['absent'])} of paths" if irr else "IRR absent on every path"
    returns = f"{deal}, {known}"
    key = (believe.PREFIX + measure, 0)
    missing = needs(a, "events", "the move")
    if missing:
        return f"{missing}. {returns}.", values, key
    assert a.run.closes is not None
    try:
        found = event.study(a.plan.book, a.run.closes, event.Wanted())
    except QuestionError as error:
        return f"{MISSING}{error}. {returns}.", values, key
    values["event"] = found
    if found["implied"] is None:
        return f"{MISSING}companies.{found['company']} states no `shares`. {returns}.", values, key
    contract = found["contract"] or a.s.contract
    if contract == a.s.contract:
        values["against"] = believe.against(a.plan, contract, a.f.tallies, found["implied"])
    return f"{returns}. {moved(found)} {closing(values.get('against'))}", values, key


def moved(found: dict[str, Any]) -> str:
    """The move of the day as a sentence."""
    first, implied = found["benchmarks"][0], found["implied"]
    others = "; ".join(f"{b['benchmark']} {share(b['abnormal'])}" for b in found["benchmarks"][1:])
    quoted = "; ".join(f"{q['what']} {share(q['move'])}" for q in found["quoted"])
    text = (
        f"{found['ticker']} closed {share(found['move'])} up on {found['day']}"
        if found["move"] >= 0
        else f"{found['ticker']} closed {share(-found['move'])} down on {found['day']}"
    )
    text += (
        f", {share(first['abnormal'])} abnormal against {first['benchmark']} without it (90 % {share(first['low'])} to "
        f"{share(first['high'])}, sample-quantile p {first['p_value']:.2g}, {first['days']} days): {usd(implied['value'])} "
        f"({format_interval(implied['low'], implied['high'], 'USD')})."
    )
    text += f" Other benchmarks: {others}." if others else ""
    text += f" Quoted, not in closes: {quoted}." if quoted else ""
    return text + (f" Same days: {'; '.join(n['title'] for n in found['news'])}." if found["news"] else "")


def closing(against: dict[str, Any] | None) -> str:
    """What one must believe, in one sentence."""
    if against is None:
        return "The event names another contract."
    parts = []
    for x in against["believe"]:
        needed = "nothing of the kind suffices" if x["needed"] is None else amount(x["needed"], x["unit"])
        has = f" (it has {amount(x['modelled'], x['unit'])})" if x["modelled"] else ""
        parts.append(f"{x['what']}: {needed}{has}")
    chance = share(against["share_of_paths_at_least_implied"])
    return f"{chance} of paths reach the implied value, the gap is {usd(against['gap'])}. To close it alone: {'; '.join(parts)}."


def amount(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if unit in ("deals", "year") else format_value(value, unit)


def positions(a: Asked) -> Told:
    """Answer 10: profit of the book's positions, by leaf."""
    found = market(a, "positions")
    if isinstance(found, str):
        return found, {}, None
    parts = []
    for p in found["positions"]:
        leaves = ", ".join(f"{x['leaf']} {share(x['mean'])}" for x in p["by_leaf"])
        fall = p["peak_to_trough"]
        text = (
            f"{p['position']} ({p['side']} {' '.join(p['holds'])}): mean {share(p['mean'])} (90 % {share(p['p05'])} to {share(p['p95'])}), "
            f"loses on {share(p['p_loss'])} of paths, on average {share(p['cvar_95'])} on the worst twentieth (CVaR 95 %), "
            f"median fall from its high {share(fall['p50'])}; by leaf: {leaves}"
        )
        parts.append(text + (f"; {p['assumption']['is']}: {in_words(p['assumption']['input'])}" if p["assumption"] else ""))
    rule = found["short_candidates"]
    text = f"{'. '.join(parts)}. Short candidates ({rule['rule']}): {', '.join(rule['tickers']) or 'none'}. Not investment advice."
    return text, {k: found[k] for k in ("tree", "positions", "short_candidates")}, None


def levels(a: Asked) -> Told:
    """Answer 12: chances of levels and falls, and what must hold."""
    found = market(a, "tree")
    if isinstance(found, str):
        return found, {}, None
    parts = []
    for s in found["statements"]:
        text = f"P({s['title']}) {share(s['with']['probability'])}, without the deal {share(s['without']['probability'])}, plain diffusion "
        text += share(s["diffusion"]["probability"])
        if "must_hold" in s:
            text += f" ({s['reading']}; {share(s['must_hold']['growth_a_year'])} a year)"
        else:
            text += f" (at any time until {s['until']}; {s['in_standard_deviations']:.1f} standard deviations of such a span; "
            text += f"worst in {s['closes']} closes {share(s['worst_in_closes'])})"
        parts.append(text)
    anchors = ", ".join(_anchor(p) for p in found["tree"]["prices"] if p["method"] in ("pe", "ev_revenue")) or "none"
    text = f"{'; '.join(parts)}. Anchors over the stated multiples: {anchors}. Chances of branches are judged. Not investment advice."
    return text, {k: found[k] for k in ("tree", "statements")}, None


def _anchor(p: dict[str, Any]) -> str:
    implied = f" (its close implies {share(p['implied_growth'])} a year for ten years)" if p["implied_growth"] else ""
    return f"{p['ticker']} {p['anchor']:.2f}{implied}"


def market(a: Asked, section: str) -> dict[str, Any] | str:
    """The tree on the run's closes, or what is missing."""
    missing = needs(a, section, "this answer") or needs(a, "tree", "this answer")
    if missing:
        return missing
    try:
        return a.run.market_tree
    except QuestionError as error:
        return f"{MISSING}{error}"
