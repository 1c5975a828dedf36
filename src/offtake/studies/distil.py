"""Many designed replays -> a response surface (R-03): availability, occupancy, goodput and waits of load, mix, failures, growth and clouds.

Each replay runs synthetic jobs on the same machines, split evenly between the clouds, for nine months, of which the first fills them and
is not counted. The surface is a polynomial in scaled axes; its terms are chosen one by one while the leave-one-out error falls.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..catalog.surface import AXES, OUTPUTS, folder, rows
from ..fleet import Pool, Rules, run_jobs
from ..fleet.known import LLAMA3, LLAMA3_SAVING
from ..fleet.outcome import rates
from ..spread import in_order
from . import waits
from .mixes import DAY, jobs_of, kinds_of

MONTH = 30.0 * DAY
LOW = (0.7, 0.0, 0.0, 0.0, 1.0)
HIGH = (1.04, 1.0, 4.0, 0.08, 8.0)
SCALE = ("linear", "linear", "root", "linear", "log")
PRIMES = (2, 3, 5, 7, 11)
MOST_TERMS = 60
PATIENCE = 6  # terms tried beyond the best number of them
REACH = {"availability": (0, 0, 4, 0, 0), "occupancy": (6, 4, 3, 1, 3), "goodput": (2, 3, 4, 1, 2)}  # highest exponents
REACH_OF_WAITS = (2, 2, 2, 1, 2)


@dataclass(frozen=True)
class Machines:
    """What every replay of a surface runs on: racks of 72 as 18 trays of 4, at most 16 trays of a rack to one job."""

    gpus: int = 4_608
    node: int = 4
    domain: int = 72
    segment: int = 64
    months: int = 9
    warm: int = 1
    depth: int = 100
    move_s: float = 600.0
    tops: tuple[int, ...] = waits.TOPS


@dataclass(frozen=True)
class Point:
    """One replay of the design; `load` as asked for, which the replay then measures."""

    load: float
    mix: float
    failures: float
    growth: float
    clouds: int
    seed: int


def design(count: int) -> list[Point]:
    """The corners, then points of the Halton sequence with loads from 0.72 on, a little beyond what the machines can do."""
    found: list[Point] = []
    for load, mix, failures, growth, clouds in product((0.4, 1.04), (0.0, 1.0), (0.0, 4.0), (0.0, 0.08), (1, 8)):
        found.append(Point(load, mix, failures, growth, clouds, len(found) + 1))
    for n in range(1, count - len(found) + 1):
        u = [halton(n, base) for base in PRIMES]
        load = 0.4 + 0.64 * u[0] if n % 2 else 0.8 + 0.24 * u[0]
        found.append(Point(load, u[1], 4.0 * u[2] ** 2, 0.08 * u[3], 2 ** int(4.0 * u[4]), len(found) + 1))
    return found[:count]


def halton(n: int, base: int) -> float:
    """Number n of the sequence of a prime, in [0, 1)."""
    part, value = 1.0, 0.0
    while n:
        part /= base
        n, digit = divmod(n, base)
        value += digit * part
    return value


def replayed(point: Point, machines: Machines, mix: Sequence[dict[str, str]]) -> dict[str, float]:
    """One replay: its point with the measured load (work submitted over hours offered), three shares, waits."""
    racks = machines.gpus // point.clouds // machines.domain
    steps = [(m * MONTH, int(racks * (1.0 + point.growth) ** m) * machines.domain) for m in range(machines.months)]
    pools = [Pool(f"cloud-{n}", tuple(steps), machines.node, machines.domain, machines.segment) for n in range(point.clouds)]
    hours = [point.load * point.clouds * gpus * MONTH / 3600.0 for _, gpus in steps]
    jobs = jobs_of(kinds_of(mix), point.mix, hours, MONTH, point.seed)
    failures = replace(LLAMA3, rate=LLAMA3.rate * point.failures) if point.failures else None
    rules = Rules("backfill", machines.depth, move=machines.move_s, failures=failures, saving=LLAMA3_SAVING, seed=point.seed)
    begin, end = machines.warm * MONTH, machines.months * MONTH
    before = run_jobs(jobs, pools, replace(rules, until=begin)).bins.sum(axis=0)
    whole = run_jobs(jobs, pools, replace(rules, until=end))
    after = whole.bins.sum(axis=0)
    shares = rates(after - before)
    late = jobs.submit >= begin * 1000.0
    work = float((jobs.duration[late] * jobs.gpus[late].astype(np.int64)).sum())
    offered = float((after - before).sum()) * (shares["availability"] or 0.0)
    return {
        "asked": point.load, "load": work / offered, "mix": point.mix, "failures": point.failures, "growth": point.growth,
        "clouds": float(point.clouds), "seed": float(point.seed), "jobs": float(len(jobs.submit)),
        **{name: float(shares[name] or 0.0) for name in OUTPUTS},
        **waits.waited(whole, begin, end - MONTH, machines.tops),
    }  # fmt: skip


def replay_all(points: Iterable[Point], machines: Machines, mix: Sequence[dict[str, str]], workers: int) -> list[dict[str, float]]:
    """All replays side by side, in the order of the design."""
    return list(in_order(lambda point: replayed(point, machines, mix), points, workers))


def scaled(found: Sequence[dict[str, float]]) -> np.ndarray:
    """Points (N, 5) on axes of 0 to 1, moved to the edge where they lie outside."""
    columns = []
    for name, low, high, how in zip(AXES, LOW, HIGH, SCALE):
        v = np.clip(np.array([row[name] for row in found]), low, high)
        placed = {"root": np.sqrt(v / high), "linear": (v - low) / (high - low)}
        columns.append(placed[how] if how in placed else np.log(v / low) / np.log(high / low))
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Fit:
    """Terms of one output: exponents (T, 5), weights (T,); leave-one-out errors (N,) in shares."""

    power: np.ndarray
    weight: np.ndarray
    left_out: np.ndarray

    @property
    def error(self) -> float:
        """Root mean square of the leave-one-out errors."""
        return float(np.sqrt(np.mean(self.left_out**2)))


def candidates(reach: Sequence[int]) -> np.ndarray:
    """Exponents (C, 5): those of load as far as they reach, and at most three of the other axes' powers together."""
    found = [e for e in product(*(range(r + 1) for r in reach)) if sum(e[1:]) <= max(3, max(reach[1:])) and sum(p > 0 for p in e) <= 4]
    return np.array(sorted(found, key=lambda e: (sum(e), e)), np.int64)


def fit(x: np.ndarray, y: np.ndarray, power: np.ndarray) -> Fit:
    """Choose terms one by one, each the one that explains most of what is left, while the leave-one-out error falls."""
    table = np.stack([np.prod(x**p, axis=1) for p in power], axis=1)
    chosen: list[int] = [0]
    errors = _left_out(table[:, chosen], y)
    best = (float(np.mean(errors**2)), 1, errors)
    while len(chosen) < min(MOST_TERMS, len(power)) and len(chosen) < best[1] + PATIENCE:
        basis, _ = np.linalg.qr(table[:, chosen])
        rest = table - basis @ (basis.T @ table)
        norm = np.sqrt((rest**2).sum(axis=0))
        gain = np.where(norm > 1e-5, np.abs(rest.T @ y) / np.maximum(norm, 1e-5), 0.0)
        gain[chosen] = 0.0
        chosen.append(int(np.argmax(gain)))
        errors = _left_out(table[:, chosen], y)
        if np.mean(errors**2) < 0.998 * best[0]:
            best = (float(np.mean(errors**2)), len(chosen), errors)
    kept = chosen[: best[1]]
    return Fit(power[kept], np.linalg.lstsq(table[:, kept], y, rcond=None)[0], best[2])


def _left_out(table: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What each point would be missed by, were it not in the fit (N,): residual / (1 - leverage)."""
    basis, _ = np.linalg.qr(table)
    residual = y - basis @ (basis.T @ y)
    return np.asarray(residual / np.maximum(1.0 - (basis**2).sum(axis=1), 1e-9))


def distil(found: Sequence[dict[str, float]]) -> dict[str, Fit]:
    """The surface of each output, from the replays within the axis of load: below it gangs find room, which the other replays show."""
    inside = [row for row in found if row["load"] >= LOW[0]]
    x = scaled(inside)
    return {name: fit(x, np.array([row[name] for row in inside]), candidates(REACH[name])) for name in OUTPUTS}


def crossed(x: np.ndarray, y: np.ndarray, power: np.ndarray, parts: int = 10) -> float:
    """Root mean square of what is missed where the terms themselves are chosen anew without each tenth of the points."""
    missed = np.zeros(len(y))
    for part in range(parts):
        out = np.arange(len(y)) % parts == part
        found = fit(x[~out], y[~out], power)
        missed[out] = y[out] - np.stack([np.prod(x[out] ** p, axis=1) for p in found.power], axis=1) @ found.weight
    return float(np.sqrt(np.mean(missed**2)))


def waits_of(found: Sequence[dict[str, float]], figure: str, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 5) and logarithms (N,) of a wait and what is added to it, of the replays in which work does not pile up."""
    settled = [row for row in found if row["load"] >= LOW[0] and waits.stands(row, top)]
    return scaled(settled), np.log(np.array([row[f"{figure}_{top}"] + waits.FIGURES[figure] for row in settled]))


def distil_waits(
    found: Sequence[dict[str, float]], tops: Sequence[int] = waits.TOPS, reach: Sequence[int] = REACH_OF_WAITS
) -> dict[str, Fit]:  # fmt: skip
    """The surface of each wait (`mean_8`, ..): of the logarithm, from the replays in which work does not pile up."""
    return {f"{figure}_{top}": fit(*waits_of(found, figure, top), candidates(reach)) for top, figure in product(tops, waits.FIGURES)}


def terms_of_fits(fits: dict[str, Fit]) -> list[dict[str, Any]]:
    """Rows of exponents and weights by output."""
    return [
        {"output": name} | dict(zip(AXES, (int(e) for e in power))) | {"weight": repr(float(weight))}
        for name, found_fit in fits.items() for power, weight in zip(found_fit.power, found_fit.weight)
    ]  # fmt: skip


def written(found: Sequence[dict[str, float]], machines: Machines) -> dict[str, str]:
    """The files of a surface by name, as text."""
    axes = [{"axis": a, "low": repr(l), "high": repr(h), "scale": s} for a, l, h, s in zip(AXES, LOW, HIGH, SCALE)]
    fits, fits_of_waits = distil(found), distil_waits(found)
    told = {
        "replays": len(found), "jobs": int(sum(row["jobs"] for row in found)), "seeds": f"1 to {len(found)}, one a replay",
        "version": version("offtake"),
        "machines": f"{machines.gpus:,} GPUs in racks of {machines.domain} ({machines.node} a tray), at most {machines.segment} of one "
        "to a job; no spares; split evenly between the clouds",
        "policy": f"backfill, depth {machines.depth}; a waiting job may move for {machines.move_s:g} s",
        "time": f"{machines.months} months of 30 days, the first not counted",
        "failure rate": repr(LLAMA3.rate), "failure source": LLAMA3.source,
        "checkpoints": f"{LLAMA3_SAVING.write:g} s to write, {LLAMA3_SAVING.restart:g} s to restart, interval by Daly",
        "unfilled below": repr(max(row["load"] - row["occupancy"] for row in found if row["load"] < LOW[0])),
    } | {f"{name} leave-one-out": repr(f.error) for name, f in fits.items()} | told_of_waits(found, fits_of_waits)  # fmt: skip
    exact = (*AXES, *OUTPUTS, "asked")
    whole = [{key: repr(value) if key in exact else int(value) for key, value in row.items() if key not in waits.COLUMNS} for row in found]
    measured = tuple(waits.FIGURES)
    waited = [{k: repr(row[k]) if k.startswith(measured) else int(row[k]) for k in ("seed", *waits.COLUMNS)} for row in found]
    return {
        "about.csv": tabled([{"key": key, "value": value} for key, value in told.items()]), "axes.csv": tabled(axes),
        "terms.csv": tabled(terms_of_fits(fits)), "replays.csv": tabled(whole), "waits.csv": tabled(waited),
        "wait_terms.csv": tabled(terms_of_fits(fits_of_waits)),
    }  # fmt: skip


def told_of_waits(found: Sequence[dict[str, float]], fits: dict[str, Fit], tops: Sequence[int] = waits.TOPS) -> dict[str, str]:
    """What a surface says of its waits: how they were counted, replays behind each, and the error left out as a factor."""
    offsets = " and ".join(f"{figure} + {added / 3600.0:g} h" for figure, added in waits.FIGURES.items())
    told = {
        "waits": "seconds from submission to the first start, of jobs submitted after the first month and before the last; by gang, "
        f"on these machines at most {', '.join(str(top) for top in tops)} GPUs; the logarithm of {offsets} is fitted, over replays "
        f"whose load is at most {waits.SETTLED:g} above their occupancy (beyond, work piles up), with {waits.FEWEST} gangs of the class, "
        "all of which started",
        "longest mean wait below": repr(max((row[f"mean_{t}"] for row in found if row["load"] < LOW[0] for t in tops), default=0.0)),
    }  # fmt: skip
    for name, f in fits.items():
        told[f"{name} leave-one-out"] = repr(float(np.exp(f.error)))
        told[f"{name} replays"] = str(len(f.left_out))
    return told


def tabled(table: Sequence[dict[str, Any]]) -> str:
    """Rows of one shape as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()


def make(name: str, count: int, workers: int) -> Path:
    """Run the design and write the surface beside its mix; the files in the package are made by this."""
    machines, mix, target = Machines(), rows(name, "mix"), folder(name)
    found = replay_all(design(count), machines, mix, workers)
    for file, text in written(found, machines).items():
        (target / file).write_text(text, encoding="utf-8")
    return target


