"""How long a job is expected to wait in a pool, read from the replays behind the surface that a book names (R-03, P-06).

    load       hours placed in the pool that month, of those open there, on the mean path (S-05)
    the rest   mix and failures of the book on the mean path; growth of the pool since the month before; contracts with open hours
    a gang     of as many GPUs as in the replays, which have 4,608 in all clouds together

Nothing is extrapolated. On more GPUs, below the axis of load and above that of growth the same gang waits no longer than the replays
say (docs/replay.md: on four times as many it waited less at each of 108 points): there a wait is a bound. Where work piles up, on fewer
GPUs, away from all replays (leverage above three times the mean), above the month that jobs of a replay had to start, and for gangs
larger than in any replay there is no figure, and the reason stands in its place.

Gangs above 256 GPUs stand in a second set of replays, on 18,432 GPUs with the book's own gangs four times as large (`large`): they have
a wait where as many GPUs are open.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from math import exp, log, sqrt
from typing import Any, NamedTuple

import numpy as np

from ..block import Block
from ..catalog import surface
from ..kernels import surface as kernel
from .place import Queue, Waits
from .waits import FIGURES, SETTLED, TOPS, stands

Array = np.ndarray[Any, Any]
HOUR = 3600.0
MACHINES = 4_608.0  # GPUs of every replay
MACHINES_OF_LARGE = 18_432.0  # .. and of those with larger gangs
ABOVE = (512, 1_024)  # classes that are read from these
SETS = {True: ("large_replays", "large_waits", "large_wait_terms", "large_about"), False: ("replays", "waits", "wait_terms", "about")}
FARTHEST = 3.0  # times the mean leverage
LEAST = 0.75  # load; between 0.7 and this too few replays stand
LONGEST = 720.0  # hours that the last jobs of a replay that count had to start
BOUNDED = {"load": "below", "growth": "above"}  # where waits are no longer than at the edge


class Terms(NamedTuple):
    """Exponents (T, 5) and weights (T,) of a polynomial."""

    power: Array
    weight: Array

    def at(self, x: Array) -> Array:
        """Products of powers (.., T) at scaled points (.., 5)."""
        found: Array = np.prod(x[..., None, :] ** self.power, axis=-1)
        return found


@cache
def terms_of(name: str, file: str, output: str) -> Terms:
    """A polynomial of a surface."""
    rows = [row for row in surface.rows(name, file) if row["output"] == output]
    return Terms(np.array([[int(row[a]) for a in surface.AXES] for row in rows]), np.array([float(row["weight"]) for row in rows]))


def scaled_at(name: str, point: Mapping[str, float]) -> Array:
    """A point (5,) of 0 to 1, moved to the edge where it lies outside."""
    return np.array([_scaled(row, point[row["axis"]]) for row in surface.rows(name, "axes")])


def value_at(name: str, file: str, output: str, point: Mapping[str, float]) -> float:
    """A polynomial of a surface at a point in natural units."""
    terms = terms_of(name, file, output)
    return float(terms.at(scaled_at(name, point)) @ terms.weight)


@cache
def _replays(name: str, top: int) -> Array:
    """Scaled points (N, 5) of the replays that a class stands on."""
    replays, waited, *_ = SETS[top in ABOVE]
    rows = zip(surface.rows(name, replays), surface.rows(name, waited), strict=True)
    numbers = [{key: float(value) for key, value in (row | waits).items()} for row, waits in rows]
    low, _ = surface.axis(name, "load")
    return np.array([scaled_at(name, row) for row in numbers if row["load"] >= low and stands(row, top)])


def leverage(name: str, figure: str, top: int, point: Mapping[str, float]) -> float:
    """How much a point would hang on itself were it a replay, over the mean of the replays: large where few lie near."""
    terms, points = terms_of(name, SETS[top in ABOVE][2], f"{figure}_{top}"), _replays(name, top)
    _, upper = np.linalg.qr(terms.at(points))
    own = np.linalg.solve(upper.T, terms.at(scaled_at(name, point)))
    return float(own @ own) * len(points) / len(terms.weight)


def _scaled(row: Mapping[str, str], value: float) -> float:
    low, high = float(row["low"]), float(row["high"])
    v = min(max(value, low), high)
    if row["scale"] == "root":
        return sqrt(v / high)
    return log(v / low) / log(high / low) if row["scale"] == "log" else (v - low) / (high - low)


def beside(name: str, point: Mapping[str, float]) -> dict[str, str]:
    """Axes of which a point lies outside: below or above."""
    found = {}
    for axis in surface.AXES:
        low, high = surface.axis(name, axis)
        if not low <= point[axis] <= high:
            found[axis] = "below" if point[axis] < low else "above"
    return found


def queue_at(name: str, point: Mapping[str, float], open_gpus: float) -> Queue:
    """Waits by class of gangs on `open_gpus` GPUs at a point of the surface, or why there are none."""
    sides = beside(name, point)
    outside = {axis: f"{_words(axis, point)} is {side} the replays' {_edge(name, axis, side)}" for axis, side in sides.items()}
    for axis, side in sides.items():
        if BOUNDED.get(axis) != side:
            return Queue(told=(outside[axis],))
    if open_gpus < MACHINES:
        return Queue(told=(f"{open_gpus:,.0f} GPUs are open, fewer than the replays' {MACHINES:,.0f}",))
    piled, slack = point["load"] - value_at(name, "terms", "occupancy", point), 2.0 * float(surface.about(name)["occupancy leave-one-out"])
    if piled > SETTLED + slack and "load" not in outside:
        told = f"at {_words('load', point)} gangs cannot take {100 * piled:.1f} points: work piles up, and a wait has no end"
        return Queue(told=(told,))
    if point["load"] < LEAST:
        outside["load"] = f"{_words('load', point)} is below {100 * LEAST:.0f} %, where replays begin"
        point = {**point, "load": LEAST}
    large = f" (gangs above {TOPS[-1]}: {MACHINES_OF_LARGE:,.0f})" if open_gpus >= MACHINES_OF_LARGE else ""
    there = f"{open_gpus:,.0f} GPUs are open, more than the replays' {MACHINES:,.0f}{large}"
    edges = [there] * (open_gpus > MACHINES) + list(outside.values())
    bounds = tuple(f"{edge}: no longer than there" for edge in edges)
    if open_gpus < MACHINES_OF_LARGE:
        larger = f"gangs above {TOPS[-1]} GPUs stand in replays on {MACHINES_OF_LARGE:,.0f} GPUs, and {open_gpus:,.0f} are open"
        return Queue(tuple(_waits(name, point, top) for top in TOPS), bounds, bool(bounds), larger)
    return Queue(tuple(_waits(name, point, top) for top in (*TOPS, *ABOVE)), bounds, bool(bounds))


def _edge(name: str, axis: str, side: str) -> str:
    return _words(axis, {axis: surface.axis(name, axis)[side == "above"]}).removeprefix("a load of ").removeprefix("growth of ")


def _waits(name: str, point: Mapping[str, float], top: int) -> Waits:
    _, _, file, about = SETS[top in ABOVE]
    told = {row["key"]: row["value"] for row in surface.rows(name, about)}
    hours = [
        max(exp(value_at(name, file, f"{figure}_{top}", point)) - added, 0.0) / HOUR
        if leverage(name, figure, top, point) <= FARTHEST else None
        for figure, added in FIGURES.items()
    ]  # fmt: skip
    mean, p95 = (None if found is None or found > LONGEST else found for found in hours)
    return Waits(top, mean, p95, float(told[f"mean_{top} {'cross-validated' if top in ABOVE else 'leave-one-out'}"]))


def _words(axis: str, point: Mapping[str, float]) -> str:
    value = point[axis]
    return {
        "load": f"a load of {100 * value:.1f} %", "mix": f"a mix of {100 * value:.0f} %", "failures": f"{value:.3g} x the failures",
        "growth": f"growth of {100 * value:.1f} % a month", "clouds": f"{value:.0f} clouds",
    }[axis]  # fmt: skip


def queues_of(b: Block, month: int) -> tuple[Queue, ...]:
    """What replays say of waits in each pool of the mean path (block) in a month."""
    p, open_hours = b.plan, b.capacity[:, month, 0]
    if p.book.replay is None:
        return tuple(Queue(told=("the book names no surface of replays (`replay`)",)) for _ in p.names.pools)
    ready = b.supply.ready[:, :, 0]
    gpus = float(ready[open_hours > 0.0, month].sum())
    clouds = len({c for c, hours in zip(p.places.contract, open_hours) if hours > 0.0})
    found = []
    for k, hours in enumerate(open_hours):
        if hours <= 0.0:
            found.append(Queue(told=("no hours are open",)))
            continue
        before = float(ready[k, month - 1]) if month else 0.0
        point = {
            "load": float(b.used[k, month, 0]) / float(hours), "mix": float(b.X[p.surface.mix_x, 0]),
            "failures": float(b.X[p.surface.failures_x, 0]), "growth": float(kernel.growth_month(float(ready[k, month]), before)),
            "clouds": float(clouds),
        }  # fmt: skip
        found.append(queue_at(p.book.replay.surface, point, gpus))
    return tuple(found)
