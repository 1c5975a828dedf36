"""Waits of gangs above 256 GPUs: a second set of replays, on four times the machines, the book's own gangs four times as large (R-03).

Points  a Halton sequence over loads that such machines can take: where the surface says that work piles up, no wait ends, and a replay is
        long. So there are no corners, and no mix of little but small jobs, in which large gangs are too few to count.
Seeds   above those of the surface
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from math import exp
from pathlib import Path
from typing import Any

from ..catalog.surface import AXES, OUTPUTS, folder, rows
from ..spread import in_order
from . import distil, waits
from .distil import Machines, Point, candidates, tabled
from .queue import ABOVE, MACHINES_OF_LARGE, value_at

TIMES = 4
TOPS = (8, 64, 256, 512, 1_024)
MACHINES = replace(Machines(), gpus=int(MACHINES_OF_LARGE), tops=TOPS)
LEAST_LOAD, MOST_LOAD, LEAST_MIX = 0.72, 0.97, 0.15
PILED = 0.005  # load above the surface's occupancy, beyond which a point is passed over
FIRST_SEED = 1_001
REACH = (2, 2, 1, 0, 2)  # highest exponents: more of them only follow luck


def larger(mix: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The mix with the book's own gangs TIMES as large, but for replicas of inference, which are parts of a rack."""
    return [row | {"gpus": str(int(row["gpus"]) * (TIMES if row["mix"] == "book" and int(row["gpus"]) > 8 else 1))} for row in mix]


def design(count: int, name: str = "nvl72") -> list[Point]:
    """Points at which the surface says that work does not pile up."""
    found: list[Point] = []
    n = 0
    while len(found) < count:
        n += 1
        u = [distil.halton(n, base) for base in distil.PRIMES]
        load, mix = LEAST_LOAD + (MOST_LOAD - LEAST_LOAD) * u[0], LEAST_MIX + (1.0 - LEAST_MIX) * u[1]
        point = Point(load, mix, 4.0 * u[2] ** 2, 0.08 * u[3], 2 ** int(4.0 * u[4]), FIRST_SEED + len(found))
        at = {axis: float(getattr(point, axis)) for axis in AXES}
        if load - value_at(name, "terms", "occupancy", at) <= PILED:
            found.append(point)
    return found


def replay_all(points: Iterable[Point], name: str, workers: int) -> list[dict[str, float]]:
    """All replays, in the order of the design."""
    mix = larger(rows(name, "mix"))
    return list(in_order(lambda point: distil.replayed(point, MACHINES, mix), points, workers))


def written(found: Sequence[dict[str, float]], name: str) -> dict[str, str]:
    """The files that stand beside those of the surface, by name, as text."""
    fits = distil.distil_waits(found, ABOVE, REACH)
    names = [(figure, top) for top in ABOVE for figure in waits.FIGURES]
    anew = {f"{figure}_{top}": distil.crossed(*distil.waits_of(found, figure, top), candidates(REACH)) for figure, top in names}
    gangs = sorted({int(row["gpus"]) for row in larger(rows(name, "mix")) if row["mix"] == "book"})
    told: dict[str, Any] = {
        "replays": len(found), "jobs": int(sum(row["jobs"] for row in found)),
        "seeds": f"{FIRST_SEED} to {FIRST_SEED + len(found) - 1}, one a replay", "version": version("offtake"),
        "machines": f"{MACHINES.gpus:,} GPUs, else as the surface's", "gangs": f"the book's own of {', '.join(map(str, gangs))} GPUs",
        "points": f"loads of {LEAST_LOAD:g} to {MOST_LOAD:g}, at most {PILED:g} above the surface's occupancy; mix from {LEAST_MIX:g} on",
    } | distil.told_of_waits(found, fits, ABOVE) | {f"{key} cross-validated": repr(exp(error)) for key, error in anew.items()}  # fmt: skip
    exact = (*AXES, *OUTPUTS, "asked")
    columns, measured = waits.columns(TOPS), tuple(waits.FIGURES)
    whole = [{k: repr(v) if k in exact else int(v) for k, v in row.items() if k not in columns} for row in found]
    waited = [{k: repr(row[k]) if k.startswith(measured) else int(row[k]) for k in ("seed", *columns)} for row in found]
    return {
        "large_about.csv": tabled([{"key": key, "value": value} for key, value in told.items()]),
        "large_replays.csv": tabled(whole), "large_waits.csv": tabled(waited), "large_wait_terms.csv": tabled(distil.terms_of_fits(fits)),
    }  # fmt: skip


def make(name: str, count: int, workers: int) -> Path:
    """Run the design and write its files beside those of the surface, which stay as they are."""
    target = folder(name)
    for file, text in written(replay_all(design(count, name), name, workers), name).items():
        (target / file).write_text(text, encoding="utf-8")
    return target
