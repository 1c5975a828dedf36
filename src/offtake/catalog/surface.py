"""Response surfaces of replays, as text (R-03): one folder a surface, made by `studies/distil` and shipped with what it was made from.

`about.csv` key, value · `axes.csv` how the axes are scaled · `terms.csv` exponents and weights · `replays.csv` every replay behind it ·
`mix.csv` the jobs they ran.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

AXES = ("load", "mix", "failures", "growth", "clouds")
OUTPUTS = ("availability", "occupancy", "goodput")


@cache
def names() -> tuple[str, ...]:
    """Surfaces that ship with the package."""
    return tuple(sorted(f.name for f in files(__package__).joinpath("surfaces").iterdir() if f.joinpath("terms.csv").is_file()))


def folder(name: str) -> Path:
    """Where a shipped surface lies."""
    return Path(str(files(__package__).joinpath("surfaces", name)))


@cache
def rows(name: str, file: str) -> tuple[dict[str, str], ...]:
    """Rows of `about`, `axes`, `terms`, `replays` or `mix` of a surface."""
    with (folder(name) / f"{file}.csv").open(encoding="utf-8", newline="") as text:
        return tuple(csv.DictReader(text))


def about(name: str) -> dict[str, str]:
    """What a surface says of itself: replays, seeds, version, errors, machines, policy."""
    return {row["key"]: row["value"] for row in rows(name, "about")}


def axis(name: str, which: str) -> tuple[float, float]:
    """The range of an axis that replays cover, natural units."""
    found = next(row for row in rows(name, "axes") if row["axis"] == which)
    return float(found["low"]), float(found["high"])
