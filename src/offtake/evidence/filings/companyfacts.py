"""The SEC's companyfacts JSON: every number that a company tagged for the whole of it, filing by filing; no dimensions are in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from ...errors import FilingError


class Entry(NamedTuple):
    """One number of one filing."""

    tag: str
    unit: str
    start: date | None
    end: date
    value: float
    filed: date
    form: str
    accession: str


class Company(NamedTuple):
    cik: int
    name: str
    entries: list[Entry]
    remarks: list[str]


def read_companyfacts(content: bytes, name: str) -> Company:
    """Raises FilingError where it is no such file."""
    try:
        held = json.loads(content)
        cik, company, taxonomies = int(held["cik"]), str(held["entityName"]), held["facts"]
        taxonomies.items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise FilingError(f"{name}: JSON, but not the SEC's companyfacts (cik, entityName, facts)") from None
    entries: list[Entry] = []
    remarks: list[str] = []
    for tag, unit, row in _rows(taxonomies):
        try:
            entries.append(_entry(tag, unit, row))
        except (KeyError, TypeError, ValueError, OverflowError):
            remarks.append(f"{tag}: a row that is not like the others: {json.dumps(row)[:100]}")
    return Company(cik, company, sorted(entries, key=lambda e: (e.filed, e.accession)), remarks)


def _rows(taxonomies: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for taxonomy, tags in taxonomies.items():
        for tag, held in tags.items() if isinstance(tags, dict) else ():
            units = held.get("units") if isinstance(held, dict) else None
            for unit, rows in units.items() if isinstance(units, dict) else ():
                yield from ((f"{taxonomy}:{tag}", unit, row) for row in (rows if isinstance(rows, list) else ()))


def _entry(tag: str, unit: str, row: Any) -> Entry:
    start = date.fromisoformat(row["start"]) if "start" in row else None
    value = float(row["val"])
    if not math.isfinite(value):
        raise ValueError
    end, filed = date.fromisoformat(row["end"]), date.fromisoformat(row["filed"])
    return Entry(tag, unit, start, end, value, filed, str(row["form"]), str(row["accn"]))
