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
    """Quarters that `new` facts make known with what is on record (the new ones among it), as of the day of each document, where none is
    reported; filings may come in any order, so a later year to date on record counts too."""
    rows = sorted((fact for key in {f.key for f in new} for fact in record.rows(key)), key=lambda f: (f.published, f.about))
    known = {(f.about, f.published, f.document) for f in rows if f.quality == "derived"}
    found: dict[tuple[str, date, date], Fact] = {}
    for fact in rows:
        if fact.days in LONGER and adds_up(fact):
            quarter = _quarter(fact, record)
            if quarter is not None and (quarter.about, quarter.published, quarter.document) not in known:
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
