"""The fact store: what companies reported, and what of it was known on a date (T-02, E-06).

A row is never overwritten: a restatement is another row with a later date. A key reads `TICKER.metric`.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Fact(NamedTuple):
    """One reported number: `value` in `unit`, of the quarter that ends on `period_end`, as one document published it."""

    entity: str
    metric: str
    period_end: date
    value: float
    unit: str
    quality: str
    published: date
    publisher: str
    document: str
    note: str

    @property
    def key(self) -> str:
        return f"{self.entity}.{self.metric}"

    @property
    def quarter(self) -> int:
        """Quarters since year 0 by the month in which the period ends: neighbours differ by one."""
        return (self.period_end.year * 12 + self.period_end.month - 1) // 3


@cache
def facts() -> tuple[Fact, ...]:
    """All facts of the catalog, by key, period and date of publication."""
    with files("offtake.catalog").joinpath("facts", "quarters.csv").open("r", encoding="utf-8") as text:
        return tuple(sorted((_fact(row) for row in csv.DictReader(text)), key=lambda f: (f.key, f.period_end, f.published)))


def _fact(row: dict[str, str]) -> Fact:
    return Fact(
        row["entity"], row["metric"], date.fromisoformat(row["period_end"]), float(row["value"]), row["unit"], row["quality"],
        date.fromisoformat(row["published"]), row["publisher"], row["document"], row["note"],
    )  # fmt: skip


def keys() -> tuple[str, ...]:
    """Keys of all series there are."""
    return tuple(dict.fromkeys(fact.key for fact in facts()))


def known(key: str, as_of: date) -> list[Fact]:
    """The series as it was known on a date: of each period the last that was published by then, in the order of periods."""
    found: dict[date, Fact] = {}
    for fact in facts():
        if fact.key == key and fact.published <= as_of:
            found[fact.period_end] = fact
    return list(found.values())


def first_published(key: str, by: date) -> list[Fact]:
    """The series as each period was first published, up to a date: what a forecast is scored against."""
    found: dict[date, Fact] = {}
    for fact in facts():
        if fact.key == key and fact.published <= by:
            found.setdefault(fact.period_end, fact)
    return list(found.values())
