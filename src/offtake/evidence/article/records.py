"""What is on record beside a claim, as known on the article's date: agrees, stale, differs by, not found (T-02, N-05).

Records are the catalog's dated statements, the fact store, and the sourced terms of a book where one is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Any

from ... import facts
from ...units import format_interval, format_value
from .claims import Claim
from .dates import ends
from .names import table, wholes

INCOME, SALES = "aws_operating_income", "aws_revenue"  # the segment whose margin can be told
SAID = {"capex_guidance": "guidance", "revenue_target": "a target", "revenue_projection": "a projection"}
LATELY = 550  # days after which an older record is history, not a stale one
HEDGED = 0.025  # what "about", "nearly", "up to" may be off
METRICS = {  # of the fact store: what an article calls it, and the part of the company that alone it is of
    "performance_obligations": ("performance obligations", ""), "remaining_performance_obligations": ("performance obligations", ""),
    "commercial_remaining_performance_obligations": ("performance obligations", ""), "revenue_backlog": ("performance obligations", ""),
    "purchases_of_property_and_equipment": ("capex", ""), "additions_to_property_and_equipment": ("capex", ""),
    "capital_expenditures": ("capex", ""), "capex_guidance": ("capex", ""), "weekly_active_users": ("weekly users", ""),
    "revenue": ("revenue", ""), "revenue_target": ("revenue", ""), "revenue_projection": ("revenue", ""), "net_sales": ("revenue", "whole"),
    "aws_revenue": ("revenue", "part"), "cloud_revenue": ("revenue", "part"),
}  # fmt: skip
GROWS = ("weekly users", "monthly users", "users", "customers")  # between two counts that once were right lies one that once was right


@dataclass(frozen=True)
class Record:
    """A published number, date or range: of `company` (with `other`, where two are in it), "" where it is of nobody alone.

    period  the day, quarter, half or year it is for; "" where it holds until it is replaced
    part    `whole` or `part` where a company's total and a segment's stand side by side
    """

    company: str
    other: str
    metric: str
    period: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    published: date
    quality: str
    publisher: str
    document: str
    note: str
    part: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"published": self.published.isoformat()} | {k: getattr(self, k) or None for k in ("period", "note", "part")}

    def said(self) -> str:
        """For a reader: `125 bn USD (2025), its publisher, 2025-10-30`."""
        if self.unit == "date":
            shown = self.period
        else:
            unit = {"month": "months", "user": "users", "GPU": "GPUs"}.get(self.unit, self.unit)
            shown = format_value(self.value, unit) if self.value is not None else format_interval(self.low, self.high, unit)
            shown += f" ({self.period})" if self.period else ""
        return f"{shown}, {self.publisher}, {self.published}"


@cache
def spoken() -> tuple[Record, ...]:
    """Dated statements of the catalog."""
    return tuple(
        Record(
            r["company"], r["other"], r["metric"], r["period"], _number(r["value"]), _number(r["low"]), _number(r["high"]), r["unit"],
            date.fromisoformat(r["published"]), r["quality"], r["publisher"], r["document"], r["note"], r["part"],
        )
        for r in table("records.csv")
    )  # fmt: skip


def _number(text: str) -> float | None:
    return float(text) if text else None


def stored(known: Iterable[facts.Fact]) -> list[Record]:
    """Facts whose metric an article may name; those of a segment beside the whole have names of their own."""
    return [
        Record(
            f.entity.upper(), "", METRICS[f.metric][0], _period(f), f.value, None, None, f.unit, f.published, f.quality, f.publisher,
            f.document, SAID.get(f.metric, ""), METRICS[f.metric][1],
        )
        for f in known if f.metric in METRICS and not f.scope
    ]  # fmt: skip


def reckoned(known: Iterable[facts.Fact]) -> list[Record]:
    """Growth of each quarter on the year before, and a segment's margin, from facts of the store: `derived`, known when the later was."""
    rows: dict[tuple[str, str], dict[int, list[facts.Fact]]] = {}
    for f in known:
        if not f.scope and (not f.days or 80 <= f.days <= 100) and (f.metric in METRICS or f.metric == INCOME):
            rows.setdefault((f.entity, f.metric), {}).setdefault(f.quarter, []).append(f)
    found = []
    for (entity, metric), quarters in rows.items():
        if metric == INCOME:
            continue
        names = (METRICS[metric][0], *(("growth",) if METRICS[metric][0] == "revenue" else ()))
        for quarter, several in quarters.items():
            for f in several:
                before = _latest(quarters.get(quarter - 4, []), f.published)
                if before and before.value > 0 and f.value > 0:
                    found += [_share(f, name, _ratio(f, before), 1.0, "on the year before, from facts") for name in names]
                income = _latest(rows.get((entity, INCOME), {}).get(quarter, []), f.published)
                if income and metric == SALES and f.value > 0 and income.value > 0:
                    found.append(_share(f, "margin", _ratio(income, f), 0.0, "operating income over revenue, from facts"))
    return found


def _latest(rows: list[facts.Fact], by: date) -> facts.Fact | None:
    return max((f for f in rows if f.published <= by), key=lambda f: f.published, default=None)


def _ratio(f: facts.Fact, g: facts.Fact) -> tuple[float, float]:
    """The least and the greatest that f over g may be, as both were rounded when they were printed."""
    a, b = _rounding(f.value), _rounding(g.value)
    return (f.value - a) / (g.value + b), (f.value + a) / (g.value - b)


def _rounding(value: float) -> float:
    """Half of what the last digit that is no zero counts: 33.0 bn may be 0.05 bn off, but never more than 0.15 % where that is more."""
    digits = f"{abs(value):.0f}"
    step: float = 10.0 ** (len(digits) - len(digits.rstrip("0")))
    return min(step, max(1e8, 0.003 * abs(value)), 0.01 * abs(value)) / 2


def _share(f: facts.Fact, metric: str, ends_: tuple[float, float], less: float, note: str) -> Record:
    low, high = ends_[0] - less, ends_[1] - less
    value = (low + high) / 2 if high - low < 0.0005 else None
    return Record(
        f.entity.upper(), "", metric, _period(f), value, None if value is not None else low, None if value is not None else high, "share",
        f.published, "derived", f.publisher, f.document, note, METRICS[f.metric][1],
    )  # fmt: skip


def _period(f: facts.Fact) -> str:
    """As a date of a claim is written; a fiscal year that is no calendar year as its days."""
    if not f.period.startswith("FY"):
        return f.period
    start = f.period_start or f.period_end
    return f"{start.year}" if (start.month, start.day) == (1, 1) else f"{start}..{f.period_end}"


@dataclass(frozen=True)
class Verdict:
    """`agrees`, `stale`, `differs by ..` or `not found`; the record it rests on, and what to know of it."""

    text: str
    record: Record | None
    note: str


def verdict(claim: Claim, records: Iterable[Record], as_of: date | None) -> Verdict:
    """A claim beside what was published by `as_of`. The record of the most parties named counts, unless a wider one agrees."""
    if as_of is None:
        return Verdict("not found", None, "the article's date is not known; give --as-of")
    if not claim.metric:
        return Verdict("not found", None, "its metric is not known here")
    if claim.date.startswith("FY"):
        return Verdict("not found", None, "whose fiscal year it is is not known here")
    whom = {claim.company, *claim.others, ""}
    known = [r for r in records if r.metric == claim.metric and r.published <= as_of and _fits(claim, r, whom)]
    if not known:
        return Verdict("not found", None, "")
    groups = [[r for r in known if bool(r.other) is two] for two in (True, False)]
    told = [_beside(claim, group, as_of) for group in groups if group]
    order = {"agrees": 0, "stale": 1}
    found = min(told, key=lambda v: order.get(v.text, 2 if v.text.startswith("differs") else 3))
    return _denied(found) if claim.negated else found


def _fits(claim: Claim, r: Record, whom: set[str]) -> bool:
    unit = claim.quantity.of if claim.quantity.unit == "count" else claim.quantity.unit
    if r.part and (r.part == "whole") != (claim.name == wholes().get(claim.company)):
        return False
    if r.other:
        return unit == r.unit and {r.company, r.other} <= whom
    return unit == r.unit and r.company in ("", claim.company)  # of one party: the company that the claim is about, not one beside it


def _denied(found: Verdict) -> Verdict:
    """A denial of what is on record."""
    if found.text == "agrees":
        return Verdict("differs by a denial", found.record, "the text denies what is on record")
    return Verdict("not found", None, "the text denies it; nothing on record says it")


def _beside(claim: Claim, group: list[Record], as_of: date) -> Verdict:
    """A claim beside the records of one kind of parties. What runs by periods (revenue, capex) cannot be stale or differ where the
    claim names none: only one that agrees is then told."""
    inside = _tightest(claim, [r for r in group if _when(claim, r, as_of)])
    if not inside:
        return _nothing(claim, group)
    if claim.quantity.unit == "date":
        return _beside_date(claim, inside)
    *older, current = sorted(inside, key=lambda r: (ends(r.period)[1] if r.period else date.min, r.published))
    newest = [current, *(r for r in older if (r.period, r.published) == (current.period, current.published))]
    hit = next((r for r in newest if _agree(claim, r)), None)
    once = next((r for r in reversed(older) if (as_of - r.published).days <= LATELY and _agree(claim, r)), None)
    if hit or (once and _undated_flow(claim, once)):
        found = hit or once
        return Verdict("agrees", found, found.note if found else "")
    if _undated_flow(claim, current) or not _comparable(claim, current):
        return _nothing(claim, [current])
    if once:
        return Verdict("stale", current, f"it was {once.said()}")
    between = _between(claim, [*older, current])
    if between:
        return Verdict("stale", current, between)
    return Verdict(f"differs by {_difference(claim, current)}", current, current.note)


def _tightest(claim: Claim, inside: list[Record]) -> list[Record]:
    """Of what runs by periods, the records of the shortest period that holds the claim's: of a quarter, not of its year."""
    if not claim.date or len(inside) < 2 or not all(r.period for r in inside):
        return inside
    spans = [(ends(r.period)[1] - ends(r.period)[0]).days for r in inside]
    return [r for r, span in zip(inside, spans) if span <= min(spans) + 3] if min(spans) else inside


def _nothing(claim: Claim, group: list[Record]) -> Verdict:
    """No record of that time: the nearest is told, as a note."""
    aim = ends(claim.date)[1] if claim.date else date.max
    near = min(group, key=lambda r: (abs((aim - (ends(r.period)[1] if r.period else date.min)).days), -r.published.toordinal()))
    when = claim.date or ("that time, which the text does not give" if claim.kind == "fact" else "a time to come")
    return Verdict("not found", None, f"nothing for {when}; the nearest on record: {near.said()}")


def _beside_date(claim: Claim, inside: list[Record]) -> Verdict:
    a, b = ends(claim.date)
    hit = next((r for r in inside if a <= ends(r.period)[1] <= b), None)
    newest = max(inside, key=lambda r: r.published)
    return Verdict("agrees", hit, hit.note) if hit else Verdict(f"differs by date: {newest.period}", newest, newest.note)


def _undated_flow(claim: Claim, r: Record) -> bool:
    """Whether the claim names no period of something that runs by periods."""
    return not claim.date and bool(r.period) and (r.quality == "derived" if r.unit == "share" else len(r.period) != 10)


def _comparable(claim: Claim, r: Record) -> bool:
    """Figures ten times apart are not of the same thing, whatever the words around them are."""
    q = claim.quantity.value if claim.quantity.value is not None else claim.quantity.low or claim.quantity.high
    other = r.value if r.value is not None else r.low or r.high
    return not q or not other or 0.1 <= abs(q / other) <= 10.0


def _when(claim: Claim, r: Record, as_of: date) -> bool:
    """Whether a record is of the time that the claim is about; an undated claim is about the newest that had begun."""
    if not r.period:
        return True
    first, last = ends(r.period)
    if claim.quantity.unit == "date":
        return True
    if not claim.date and claim.kind != "fact":
        return False  # a forecast without its time is not of the past
    if not claim.date:
        return first <= as_of and (last <= as_of or first.year == as_of.year)
    a, b = ends(claim.date)
    level = first == last
    if level or a == b:
        return first <= b if level and b >= as_of else a <= last and first <= b
    if r.unit == "share":
        return a <= first and last <= b  # a quarter's margin in its year
    return a <= last and first <= b and abs((last - first).days - (b - a).days) <= 12  # a quarter's flow is not a year's


def _agree(claim: Claim, r: Record) -> bool:
    """Whether the record rounds to what is written; hedged words may be off by HEDGED."""
    q = claim.quantity
    low, high = (r.value, r.value) if r.value is not None else (r.low, r.high)
    low, high = -float("inf") if low is None else low, float("inf") if high is None else high
    if q.value is None:
        a, b = -float("inf") if q.low is None else q.low, float("inf") if q.high is None else q.high
        return low <= b and a <= high
    slack = max(q.step / 2, HEDGED * abs(q.value) if q.hedge else 0.0) * (1 + 1e-9)
    return low - slack <= q.value <= high + slack


def _between(claim: Claim, series: list[Record]) -> str:
    """Where a growing count once passed the claimed one."""
    if claim.metric not in GROWS or claim.quantity.value is None:
        return ""
    for a, b in pairwise(series):
        if a.value is not None and b.value is not None and a.value < claim.quantity.value < b.value:
            return f"passed between {a.period} and {b.period}"
    return ""


def _difference(claim: Claim, r: Record) -> str:
    """The claim less the record: points of a share, percent of anything else; of a range the nearer end counts."""
    q = claim.quantity
    ours = [x for x in ((q.low, q.high) if q.value is None else (q.value,)) if x is not None]
    theirs = [x for x in ((r.low, r.high) if r.value is None else (r.value,)) if x is not None]
    claimed, record = min(((x, y) for x in ours for y in theirs), key=lambda pair: abs(pair[0] - pair[1]))
    if q.unit == "share":
        return f"{100 * (claimed - record):+.1f} points"
    return f"{100 * (claimed / record - 1):+.1f} %" if record else f"{claimed:+.3g} {q.unit}"
