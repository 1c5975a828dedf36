"""Sourced constants by topic, one CSV a topic; each row says its publisher, document, date and quality (N-05)."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@cache
def rows() -> tuple[dict[str, str], ...]:
    """All rows of all topics, in file order."""
    found: list[dict[str, str]] = []
    for file in sorted(files(__name__).iterdir(), key=lambda f: f.name):
        if file.name.endswith(".csv"):
            with file.open("r", encoding="utf-8") as text:
                found += list(csv.DictReader(text))
    return tuple(found)


def newest() -> str:
    """Publication date of the newest row: the catalog's date in every stamp."""
    return max(row["published"] for row in rows())


def row(topic: str, name: str) -> dict[str, str]:
    """One row by topic and name."""
    return next(r for r in rows() if r["topic"] == topic and r["name"] == name)


def us_generation_mwh(months: int) -> np.ndarray:
    """US electricity generation a month, MWh, held at the last sourced year (S-06); the report says so."""
    import numpy as np  # a check reads the catalog and computes nothing

    twh = float(row("grid", "us_generation")["value"])
    return np.full(months, twh * 1e6 / 12.0)
