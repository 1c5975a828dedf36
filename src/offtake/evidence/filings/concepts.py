"""Which tag of which company is which series: the tables `catalog/filings` say it, since each company has its own tags and definitions."""

from __future__ import annotations

import csv
import re
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

STANDARD = ("us-gaap", "srt", "dei", "ecd", "country", "text")
UNITS = {"USD": "USD", "shares": "multiple", "USD/shares": "USD", "pure": "multiple", "year": "year", "share": "share"}


class Company(NamedTuple):
    """A company that the tables know: the name of its series, its number at the SEC, its name."""

    entity: str
    cik: int
    name: str


class Concept(NamedTuple):
    """One row: a tag (with `*` a pattern) of a company (`*` any), within a scope, is a metric in a unit."""

    entity: str
    metric: str
    tag: str
    scope: str
    unit: str


@cache
def companies() -> tuple[Company, ...]:
    return tuple(Company(r["entity"], int(r["cik"]), r["name"]) for r in _rows("companies.csv"))


@cache
def concepts() -> tuple[Concept, ...]:
    return tuple(Concept(**r) for r in _rows("concepts.csv"))


def _rows(name: str) -> list[dict[str, str]]:
    with files("offtake.catalog").joinpath("filings", name).open("r", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def company_of(cik: int | None, name: str | None) -> Company | None:
    """By number, else by name: `ALPHABET INC` and `Alphabet Inc.` are one."""
    for known in companies():
        if cik == known.cik or (name and _plain(name).startswith(_plain(known.name))):
            return known
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Series(NamedTuple):
    """Where a tagged number goes; of two tags of one filing that go to one place the lower `rank`, the earlier row, counts."""

    metric: str
    scope: str
    unit: str
    rank: int


@lru_cache(maxsize=16_384)
def series_of(entity: str, tag: str, scope: str, unit: str) -> Series | None:
    """The series of a tagged number. A company's own row goes before one for all, the row of that scope before the row of the
    whole, whose scope then stays; a tag of the company's own that no row names keeps its name. None for a standard tag that no row names,
    and for a unit that is none of ours."""
    ours = UNITS.get(unit)
    if ours is None:
        return None
    ranked = [(rank, c) for rank, c in enumerate(concepts()) if c.entity in (entity, "*") and c.scope in ("", scope)]
    rows = [(rank, c) for rank, c in ranked if fnmatchcase(tag, c.tag)]
    if rows:
        rank, best = max(rows, key=lambda row: (row[1].scope == scope, row[1].entity == entity, -row[0]))
        return Series(best.metric, "" if best.scope else scope, best.unit, rank) if _same_kind(ours, best.unit) else None
    prefix, _, name = tag.partition(":")
    return None if prefix in STANDARD else Series(_own_name(f"{prefix}-{name}"), scope, _own_unit(name, ours), len(concepts()))


def any_series(tag: str, scope: str, unit: str) -> Series | None:
    """The same for a tag that no row names: under its own name."""
    ours = UNITS.get(unit)
    return None if ours is None else Series(_own_name(tag), scope, _own_unit(tag, ours), len(concepts()))


def _own_name(tag: str) -> str:
    """A tag as a metric may be written."""
    return re.sub(r"[^\w\-]|[^\x00-\x7f]", "-", tag)


def _own_unit(name: str, unit: str) -> str:
    return "share" if unit == "multiple" and re.search(r"Percentage|Percent|Rate$|Share$", name) else unit


def _same_kind(got: str, wanted: str) -> bool:
    return got == wanted or {got, wanted} <= {"multiple", "share"}
