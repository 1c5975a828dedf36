"""Fleets of inference that follow a load step by step: replicas as jobs that are over at their time, whenever they began (D-01, R-01).

Replica n of a fleet is wanted in the steps whose load asks for n or more, so that those that come last leave first. A stretch of such
steps is one job; what of it is not served is counted as unmet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..kernels import replay_state as k

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fleet:
    """Inference that wants so many replicas of `gang` GPUs in each step of `step` seconds, again and again; `pools`: bits of those that
    may run it, -1 for all."""

    name: str
    gang: int
    replicas: tuple[int, ...]
    step: float
    pools: int = -1


def stints(fleet: Fleet, end: float) -> Array:
    """(n, 2) seconds: when each replica comes and how long it is wanted, until `end`."""
    count = int(np.ceil(end / fleet.step))
    wanted = np.resize(np.array(fleet.replicas), count)
    edges = np.minimum(np.arange(count + 1) * fleet.step, end)
    rows: list[Array] = []
    for n in range(1, int(wanted.max(initial=0)) + 1):
        on = np.diff(np.concatenate([[0], wanted >= n, [0]]).astype(int))
        begins, ends = edges[np.flatnonzero(on > 0)], edges[np.flatnonzero(on < 0)]
        rows.append(np.stack([begins, ends - begins], axis=1))
    return np.concatenate(rows) if rows else np.zeros((0, 2))


def with_fleets(work: k.Jobs, fleets: Sequence[Fleet], fits: Sequence[int], end: float) -> tuple[k.Jobs, Array | None]:
    """The jobs and the fleets' replicas until `end` seconds, in the order of their coming, fleets first; and where each is from: the place
    of a job in `work`, or -1 - n for fleet n; None where there are no fleets. `fits` (P,) is the largest gang of each pool.

    Raises QuestionError where a replica fits nowhere."""
    if not fleets:
        return work, None
    found = [stints(fleet, end) for fleet in fleets]
    number = np.concatenate([np.full(len(rows), n) for n, rows in enumerate(found)])
    allow = [sum(1 << p for p, most in enumerate(fits) if most >= fleet.gang and fleet.pools >> p & 1) for fleet in fleets]
    for fleet, may in zip(fleets, allow, strict=True):
        if may == 0:
            raise QuestionError(f"a replica of {fleet.name} is {fleet.gang:,} GPUs, and no pool holds so many")
    rows = np.rint(np.concatenate(found) * 1000.0).astype(np.int64)
    jobs, many = len(work.submit), len(rows)
    terms = work.terms if len(work.terms) else np.stack([work.gpus, np.full(jobs, -1), np.zeros(jobs)], axis=1).astype(np.int64)
    gang = np.array([fleets[n].gang for n in number], np.int64)
    submit = np.concatenate([rows[:, 0], work.submit])
    order = np.argsort(submit, kind="stable")

    def both(mine: Array, theirs: Array) -> Array:
        spread = theirs if len(theirs) == jobs else np.resize(theirs, jobs)
        return np.concatenate([mine.astype(theirs.dtype), spread])[order]

    serving = np.stack([gang, np.full(many, -1), np.ones(many)], axis=1).astype(np.int64)
    merged = k.Jobs(
        submit[order], both(rows[:, 1], work.duration), both(gang, work.gpus), both(np.zeros(many), work.rank),
        both(np.array([allow[n] for n in number]), work.allow), np.concatenate([serving, terms])[order],
    )  # fmt: skip
    return merged, np.concatenate([-1 - number, np.arange(jobs)])[order]
