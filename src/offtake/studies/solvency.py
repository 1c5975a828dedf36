"""Answer 5: what is committed, to whom, against what people quote; whether it can be paid, and what must hold for that."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tables import plain
from ..units import format_interval, format_value
from . import commitments, exposure, late
from .found import Asked, chance

DUE = 1e6  # USD: less is nothing left unpaid


def usd(value: float | None) -> str:
    return format_value(value, "USD")


def quoted(a: Asked) -> list[dict[str, Any]]:
    """Sums that people quote for the book's commitments, beside the book's own (C-11): each once, the record's before the claimed."""
    own = commitments.summary(a.plan)["sized"]
    claims = [c for c in a.plan.book.claims.values() if c.quotes == "commitments"]
    said = [(_publisher(a, c.source), c.record) for c in claims] + [(c.speaker, c.claimed) for c in claims]
    found: dict[float, dict[str, Any]] = {}
    for by, number in said:
        if number is not None:
            value = number.median()
            found.setdefault(value, {"by": by, "value": value, "own": own, "difference": value - own})
    return list(found.values())


def _publisher(a: Asked, source: str | None) -> str:
    found = a.plan.book.sources.get(source or "")
    return f"{found.publisher}, {found.published}" if found else "the record"


def paid(a: Asked, last: str, year: str) -> dict[str, Any]:
    """What must hold: the customer's revenue of `year` on the paths that leave nothing unpaid at the end of `last`, and on the others."""
    gap, revenue = (a.row(f"customer {what}", period) for what, period in (("funding_gap", last), ("revenue", year)))
    if gap is None or revenue is None:
        return {}
    unpaid, got = (a.f.outcome.alike(a.f.tallies[key].kept[at : at + 1])[0] for key, at in (gap, revenue))
    sides = {"paid": got[unpaid <= DUE], "unpaid": got[unpaid > DUE]}
    return {
        word: {"paths": len(values)} | {q: plain(np.quantile(values, p)) for q, p in (("p05", 0.05), ("p50", 0.5), ("p95", 0.95))}
        for word, values in sides.items()
        if len(values)
    }


def loss(a: Asked) -> dict[str, Any]:
    """Signed value that all providers lose together: mean and 90 % interval."""
    kept = [a.f.outcome.alike(a.f.tallies[f"loss {name}"].kept[:1])[0] for name in a.plan.names.contracts]
    total = np.sum(kept, axis=0)
    return {"mean": float(total.mean()), "p05": float(np.quantile(total, 0.05)), "p95": float(np.quantile(total, 0.95))}


def committed(found: dict[str, Any]) -> str:
    """The sum."""
    text = f"{usd(found['sized'])} is committed in sized contracts"
    text += f" ({usd(found['with_overlap'])} with what lies inside another)" if found["with_overlap"] > found["sized"] else ""
    text += f", {usd(found['firm'])} of it firm" if found["firm"] < found["sized"] else ""
    text += f", plus {found['unsized']} known but unsized" if found["unsized"] else ""
    return f"{text}."


def beside(found: dict[str, Any], said: list[dict[str, Any]]) -> str:
    """The sums people quote, and who holds most of what is committed."""
    text = ""
    if said:
        quotes = (f"{usd(q['value'])} ({q['by']}: {usd(abs(q['difference']))} {'more' if q['difference'] > 0 else 'less'})" for q in said)
        text = f"People quote {' and '.join(quotes)} as committed. "
    if found["largest"]:
        text += f"Of {usd(found['cloud'])} with clouds, {100 * found['largest_share']:.0f} % is {found['largest']}."
    return text.strip()


def holds(sides: dict[str, Any], last: str, year: str) -> str:
    """Peak or bubble, in one sentence."""
    told = {word: f"{usd(s['p50'])} ({format_interval(s['p05'], s['p95'], 'USD')})" for word, s in sides.items()}
    if set(told) == {"paid", "unpaid"}:
        paid_up = f"{told['paid']} where all that is due by the end of {last} gets paid"
        return f"Peak or bubble: revenue of {year} is {paid_up}, {told['unpaid']} where not."
    return f"Peak or bubble: all that is due by the end of {last} gets paid on {'every' if 'paid' in told else 'no'} path." if told else ""


def text_of(a: Asked, values: dict[str, Any], last: str, year: str) -> str:
    """In paragraphs: what is committed, whether it is paid, who loses, and one provider late; `values` are those of `solvency`."""
    name, lost = a.s.contract, values["loss"]
    gap, overdrawn, reneged = a.at("gap_event", last), a.at("overdrawn_event", last), a.at(f"renegotiated {name}", last)
    losses = f" (operating losses that nobody funds among it on {chance(overdrawn)})" if overdrawn and overdrawn["mean"] else ""
    due = (
        f"Due and unpaid at the end of {last}: {a.span('customer funding_gap', last)}, something on {chance(gap)} of paths{losses}; "
        f"P(renegotiated by then) {chance(reneged)}."
    )
    most = chance(a.at("customer_50", year))
    earned = f"Revenue of {year} over all paths: {a.span('customer revenue', year)}, P(50 bn USD or more) {most}."
    whole = (
        f"Providers lose {usd(lost['mean'])} ({format_interval(lost['p05'], lost['p95'], 'USD')}) of what they signed, on average, "
        "cancelled or unpaid less re-let;"
    )
    paragraphs = [
        (committed(values), beside(values, values["quoted"])),
        (due, holds(values["what_must_hold"], last, year), earned),
        (whole, exposure.sentence(values["one_or_many"])),
        (late.sentence(values["late"]),),
    ]
    return "\n".join(" ".join(part for part in parts if part) for parts in paragraphs)


def solvency(a: Asked) -> tuple[str, dict[str, Any], tuple[str, int] | None]:
    """Text, values and the row it rests on."""
    last, year = str(min(a.year + 3, (a.plan.start + a.plan.months - 1) // 12)), str(a.year + 2)
    values = commitments.summary(a.plan) | {
        "quoted": quoted(a),
        "what_must_hold": paid(a, last, year),
        "loss": loss(a),
        "expected_loss": exposure.by_provider(a.f),
        "one_or_many": exposure.one_or_many(a.f, a.s.contract),
        "late": a.beside("late"),
        "funding_gap": a.rows("customer funding_gap"),
        "coverage": a.rows("customer coverage"),
        "p_unpaid": a.rows("gap_event"),
        "renegotiated": a.rows(f"renegotiated {a.s.contract}"),
        "p_50_bn_usd": a.mean("customer_50", year),
    }
    return text_of(a, values, last, year), values, a.row("customer revenue", year)
