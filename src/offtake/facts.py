"""Facts: what was published about a company and a period, and what of it was known on a date (T-02, N-05, E-06).

    AMZN.aws_revenue                            a series: who, what
    GOOGL.revenue/segment=cloud                 the part of it that a scope names
    AMZN.aws_revenue@2025Q3                     one period of it: a calendar quarter in which it ends, FY2025, 2025H1, a date,
                                                or 2025-01-01..2025-09-30

A fact is never overwritten. What says another number later is another row: the first to be published stays what was first known, the later
one `restated` it, and a row that says the same again `repeated` it. Which of these a row is follows from the rows beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

QUALITIES = ("derived", "reported", "stated", "filed")  # of two rows of one day the later in this order counts
GRACE = 3  # days that a fiscal period of whole weeks may run into the next month
QUARTER, HALF, YEAR = (80, 100), (170, 192), (350, 380)  # days
ADDRESS = "the address of a fact: COMPANY.metric@PERIOD, such as AMZN.aws_revenue@2025Q3, @FY2024 or @2025-09-30"
NAME = r"[A-Za-z0-9][\w\-]*"
KEY = re.compile(rf"{NAME}\.{NAME}(/[\w\-=;.+]+)?")


class Unknown(ValueError):
    """No such fact was known: what was got, the rule, and the fix."""

    def __init__(self, got: str, rule: str, fix: str) -> None:
        super().__init__(rule)
        self.got, self.rule, self.fix = got, rule, fix


class Fact(NamedTuple):
    """One published number: `value` in `unit` of the days from `period_start` to `period_end`, or at the end of `period_end` where it has
    no start. `document` is its title, or its address where no title is known; `scope` says which part of the whole it covers."""

    entity: str
    metric: str
    period_end: date
    value: float
    unit: str
    quality: str
    published: date
    publisher: str
    document: str
    note: str = ""
    scope: str = ""
    period_start: date | None = None
    url: str = ""

    @property
    def key(self) -> str:
        """The series."""
        return f"{self.entity}.{self.metric}" + (f"/{self.scope}" if self.scope else "")

    @property
    def days(self) -> int:
        """Days of the period; 0 of a number at a date."""
        return 0 if self.period_start is None else (self.period_end - self.period_start).days + 1

    @property
    def month_end(self) -> int:
        """Month that the period belongs to, year x 12 + month - 1; a fiscal period of whole weeks may end `GRACE` days into the next."""
        return self.period_end.year * 12 + self.period_end.month - 1 - (self.period_end.day <= GRACE)

    @property
    def quarter(self) -> int:
        """Quarters since year 0 by the month in which the period ends: neighbours differ by one."""
        return self.month_end // 3

    @property
    def period(self) -> str:
        """The period as an address writes it."""
        year, month = divmod(self.month_end, 12)
        if self.period_start is None:
            return self.period_end.isoformat()
        if _within(self.days, QUARTER):
            return f"{year}Q{month // 3 + 1}"
        if _within(self.days, YEAR):
            return f"FY{year}"
        if _within(self.days, HALF) and month in (5, 11):
            return f"{year}H{month // 6 + 1}"
        return f"{self.period_start}..{self.period_end}"

    @property
    def address(self) -> str:
        return f"{self.key}@{self.period}"

    @property
    def link(self) -> str | None:
        """The document's address, where one is known."""
        return self.url or (self.document if self.document.startswith(("http://", "https://")) else None)

    @property
    def title(self) -> str:
        """The document's title; where its address alone is known, what it says."""
        return self.address if self.document == self.link else self.document

    @property
    def about(self) -> tuple[str, date, date]:
        """What it is about, of which rows may say different numbers: series and days, a number at a date first."""
        return self.key, self.period_end, self.period_start or self.period_end

    def covers(self, period: str) -> bool:
        """Whether an address may write its period so; a number at a date also belongs to the quarter in which the date lies."""
        year, month = divmod(self.month_end, 12)
        by_quarter = not self.days and period == f"{year}Q{month // 3 + 1}"
        return by_quarter or period == self.period or period == f"{self.period_start}..{self.period_end}"


class Vintage(NamedTuple):
    """One row of a period and what it was when it was published: `first`, `repeated` (the same number) or `restated`."""

    status: str
    fact: Fact


class Facts:
    """Rows by series, period and date of publication; what gives the rows may be called when they are first asked for."""

    def __init__(self, rows: Iterable[Fact] | Callable[[], Iterable[Fact]]) -> None:
        self._rows = rows if callable(rows) else tuple(rows)

    @cached_property
    def _series(self) -> dict[str, tuple[Fact, ...]]:
        rows = self._rows() if callable(self._rows) else self._rows
        order = sorted(rows, key=lambda f: (*f.about, f.published, QUALITIES.index(f.quality)))
        return {key: tuple(found) for key, found in groupby(order, key=lambda f: f.key)}

    def __iter__(self) -> Iterator[Fact]:
        return (fact for rows in self._series.values() for fact in rows)

    @property
    def series(self) -> tuple[str, ...]:
        """Keys of all series there are."""
        return tuple(self._series)

    def rows(self, key: str) -> tuple[Fact, ...]:
        """All rows of a series. Raises Unknown."""
        if key not in self._series:
            raise Unknown(key, "a series that the catalog or the store holds (N-05)", self._near(key))
        return self._series[key]

    def known(self, key: str, as_of: date) -> list[Fact]:
        """The series as it was known on a date: of each period the last that was published by then, in the order of periods."""
        return [last for rows in self._periods(key, as_of) for last in rows[-1:]]

    def first_published(self, key: str, by: date) -> list[Fact]:
        """The series as each period was first published, up to a date: what a forecast is scored against."""
        return [rows[0] for rows in self._periods(key, by)]

    def quarters(self, key: str, as_of: date, first: bool = False) -> list[Fact]:
        """The series' quarters and quarter ends as known on a date, or as first published; years and halves stand apart."""
        found = self.first_published(key, as_of) if first else self.known(key, as_of)
        return list({f.quarter: f for f in found if not f.days or _within(f.days, QUARTER)}.values())

    def vintages(self, key: str, as_of: date = date.max) -> list[Vintage]:
        """Every row of a series published by a date, with what it was then."""
        found: list[Vintage] = []
        for rows in self._periods(key, as_of):
            for before, row in zip((None, *rows), rows):
                same = before is not None and row.value == before.value and row.unit == before.unit
                found.append(Vintage("first" if before is None else "repeated" if same else "restated", row))
        return found

    def find(self, address: str, as_of: date) -> Fact:
        """The fact of an address as it was known on a date. Raises Unknown: no such series or period, or none published by then."""
        key, at, period = address.strip().partition("@")
        if not at or not KEY.fullmatch(key) or not period:
            raise Unknown(address, f"{ADDRESS} (N-05)", "write all three, without spaces")
        covering = [fact for fact in self.rows(key) if fact.covers(period)]
        if not covering:
            raise Unknown(address, "a period that the series has (N-05)", self._reach(key))
        by_then = [fact for fact in covering if fact.published <= as_of]
        if not by_then:
            early = min(fact.published for fact in covering)
            raise Unknown(f"{address}, first published {early}", f"a fact known on {as_of} (T-02)", "ask for an earlier period")
        if len({fact.about for fact in by_then}) > 1:
            days = ", ".join(dict.fromkeys(str(fact.period_end) for fact in by_then))
            raise Unknown(f"{address}, which has {days}", "one period (N-05)", "write one of these dates after the @")
        return by_then[-1]

    def _periods(self, key: str, as_of: date) -> list[list[Fact]]:
        known = [fact for fact in self._series.get(key, ()) if fact.published <= as_of]
        return [list(rows) for _, rows in groupby(known, key=lambda f: f.about)]

    def _near(self, key: str) -> str:
        near = get_close_matches(key, self.series, n=1)
        return f"did you mean {near[0]}?" if near else "see `offtake facts list`"

    def _reach(self, key: str) -> str:
        rows = self.rows(key)
        kinds = list(dict.fromkeys(row.period for row in rows))
        many = f"it has {len(kinds)} from {kinds[0]} to {kinds[-1]}; see `offtake facts show {key}`"
        return many if len(kinds) > 1 else f"it has {kinds[0]}"


def _within(days: int, ends: tuple[int, int]) -> bool:
    return ends[0] <= days <= ends[1]
