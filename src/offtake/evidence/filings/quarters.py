"""Quarters that a company reports only within the year to date: this year to date less the one before it (T-01).

Cash flow statements say three, six, nine and twelve months; the second quarter is six months less three. Periods are paired by their
days, so that fiscal years of any start, and of 52 or 53 weeks, come out alike. The difference is `derived`, of the later document and its
day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from ...facts import Fact, Facts

QUARTER = range(80, 101)  # days
LONGER = range(170, 381)


def derived(new: Iterable[Fact], record: Facts) -> list[Fact]:
    """Quarters that follow from `new` facts and what is on record (the new ones among it) by the day of each, where none is reported."""
    found: dict[tuple[str, date, date], Fact] = {}
    for fact in new:
        if fact.days in LONGER and adds_up(fact):
            quarter = _quarter(fact, record)
            if quarter is not None:
                found.setdefault(quarter.about, quarter)
    return list(found.values())


def adds_up(fact: Fact) -> bool:
    """Money that flows adds up over time; earnings per share, rates and counts do not."""
    return fact.unit == "USD" and not fact.metric.endswith(("_eps", "PerShare")) and "PerShare" not in fact.metric


def _quarter(fact: Fact, record: Facts) -> Fact | None:
    known = record.known(fact.key, fact.published)
    if any(f.days in QUARTER and f.period_end == fact.period_end and f.quality != "derived" for f in known):
        return None
    before = [f for f in known if f.period_start == fact.period_start and (fact.period_end - f.period_end).days in QUARTER]
    if not before:
        return None
    (first, note) = before[-1], f"{fact.period} less {before[-1].period}, both of this series"
    start = first.period_end + timedelta(1)
    return fact._replace(value=fact.value - first.value, quality="derived", period_start=start, note=note)
