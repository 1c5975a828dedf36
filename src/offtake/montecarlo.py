"""Blocks: draw, call the kernels in their order, measure; merge in block order (U-01).

One worker owns one `Block` and fills it again and again, and all share one histogram: memory does not grow with the number of
paths. A chunk is 256 paths (4 blocks); its sums are added in chunk order, counts in any order, so that any number of workers
gives the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from . import stages
from .block import Block
from .errors import IdentityError
from .identities import IDENTITIES, Worst, worst_of
from .kernels import reduce
from .plan import Plan
from .questions import Question, read_all
from .spread import cores, in_order

LANES = 64
CHUNK = 256
PILOT = 1_024
KEPT = 16_384
TOLERANCE = 1e-9


class Reporter(Protocol):
    """What a run tells while it goes on."""

    def stage(self, name: str) -> None: ...
    def step(self, done: int, total: int, unit: str = "paths") -> None: ...


class Silent:
    """Tells nobody."""

    def stage(self, name: str) -> None:
        """Nothing."""

    def step(self, done: int, total: int, unit: str = "paths") -> None:
        """Nothing."""


@dataclass(frozen=True)
class Tally:
    """What all paths said to one question: one entry a row; `kept` holds the first paths' values (rows, kept)."""

    question: Question
    count: np.ndarray
    mean: np.ndarray
    se: np.ndarray
    quantiles: dict[float, np.ndarray]
    errors: dict[float, np.ndarray]
    kept: np.ndarray


@dataclass(frozen=True)
class Outcome:
    """A finished run: tallies in the order of the questions, inputs of the kept paths, and the worst of each identity."""

    plan: Plan
    paths: int
    seed: int
    tallies: list[Tally]
    inputs: np.ndarray  # (inputs, kept) normal scores
    identities: list[Worst]
    clipped: np.ndarray
    unsolved: int


QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


STRIPES = 16


@dataclass
class _Chunk:
    rows: np.ndarray  # all rows of a pilot chunk, the kept ones of the first chunks, none of later ones
    inputs: np.ndarray
    worst: list[Worst]
    unsolved: int
    total: np.ndarray
    squares: np.ndarray


class _Histogram:
    """Counts of all workers, in stripes of rows that one worker at a time may write: memory does not grow with the workers."""

    def __init__(self, low: np.ndarray, scale: np.ndarray) -> None:
        self.low, self.scale = low, scale
        self.whole = reduce.empty(len(low))
        ends = [len(low) * n // STRIPES for n in range(STRIPES + 1)]
        self._stripes = [(threading.Lock(), slice(a, b)) for a, b in pairwise(ends)]

    def tally(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count the rows of one chunk (width, N); returns its sums and sums of squares by row."""
        total, squares = np.zeros(len(rows)), np.zeros(len(rows))
        for lock, s in self._stripes:
            with lock:
                reduce.tally(reduce.part(self.whole, s), rows[s], self.low[s], self.scale[s], total[s], squares[s])
        return total, squares


class _Workers:
    """Each thread's own block, made when the thread first works, and the histogram they share."""

    def __init__(self, plan: Plan, seed: int, questions: Sequence[Question], paths: int) -> None:
        self.plan, self.seed, self.questions, self.paths = plan, seed, questions, paths
        self.width = sum(q.width for q in questions)
        self.kept = np.flatnonzero(np.concatenate([np.full(q.width, q.keep) for q in questions]))
        self.histogram: _Histogram | None = None  # none while the pilot looks for its ranges
        self.clipped: list[np.ndarray] = []
        self._mine = threading.local()
        self._lock = threading.Lock()

    def _own(self) -> tuple[Block, np.ndarray]:
        if not hasattr(self._mine, "block"):
            self._mine.block = stages.allocate(self.plan)
            self._mine.clipped = np.zeros(len(self.plan.factor_paths), np.int64)
            self._mine.rows = np.empty(self.width * CHUNK)
            with self._lock:
                self.clipped.append(self._mine.clipped)
        return self._mine.block, self._mine.clipped

    def chunk(self, number: int) -> _Chunk:
        """Compute chunk `number`: rows (width, paths in the chunk), and tally them once the ranges are known."""
        block, clipped = self._own()
        first = number * CHUNK
        count = min(CHUNK, self.paths - first)
        rows = self._mine.rows[: self.width * count].reshape(self.width, count)
        inputs = np.empty((block.Z.shape[0], count if first < KEPT else 0))
        worst = [Worst.none(name) for name in IDENTITIES]
        unsolved = 0
        for offset in range(0, count, LANES):
            lanes = min(LANES, count - offset)
            stages.fill(block, self.seed, first + offset, clipped if self.histogram else np.zeros_like(clipped))
            read_all(self.questions, block, rows[:, offset : offset + lanes])
            if first < KEPT:
                inputs[:, offset : offset + lanes] = block.Z[:, :lanes]
            worst = [max(a, b) for a, b in zip(worst, worst_of(block, lanes))]
            unsolved += int(np.count_nonzero(block.placement.status[:lanes]))
        if self.histogram is None:
            return _Chunk(rows.copy(), inputs, worst, unsolved, np.zeros(0), np.zeros(0))
        total, squares = self.histogram.tally(rows)
        return _Chunk(rows[self.kept] if first < KEPT else rows[:0], inputs, worst, unsolved, total, squares)


def run(
    plan: Plan, questions: Sequence[Question], paths: int, seed: int, workers: int | None = None, reporter: Reporter | None = None
) -> Outcome:
    """Compute `paths` futures and tally the questions. Raises IdentityError where an identity of A-10 breaks."""
    tell = reporter or Silent()
    team = _Workers(plan, seed, questions, paths)
    threads = workers or cores()
    if not stages.is_compiled():
        tell.stage("compiling the kernels, once on a machine: about a minute")
        stages.compile_kernels(plan, tell.step)
    tell.stage("finding ranges")
    team.histogram = _ranges(team, min(paths, PILOT), threads)
    tell.stage(f"computing {paths:,} paths")
    total, squares = np.zeros(team.width), np.zeros(team.width)
    kept, inputs = np.full((len(team.kept), min(paths, KEPT)), np.nan), np.zeros((len(plan.inputs.names), min(paths, KEPT)))
    worst = [Worst.none(name) for name in IDENTITIES]
    unsolved = 0
    for number, part in enumerate(in_order(team.chunk, range(-(-paths // CHUNK)), threads)):
        total += part.total
        squares += part.squares
        first, last = number * CHUNK, min((number + 1) * CHUNK, kept.shape[1])
        if first < last:
            kept[:, first:last] = part.rows[:, : last - first]
            inputs[:, first:last] = part.inputs[:, : last - first]
        worst = [max(a, b) for a, b in zip(worst, part.worst)]
        unsolved += part.unsolved
        tell.step(min((number + 1) * CHUNK, paths), paths)
    _refuse_broken(worst)
    tallies = _tallies(questions, team.histogram, total, squares, kept)
    return Outcome(plan, paths, seed, tallies, inputs, worst, np.sum(team.clipped, axis=0), unsolved)


def _ranges(team: _Workers, paths: int, threads: int) -> _Histogram:
    """Histogram ranges from the first paths; what lies outside later falls into end bins that keep their own extremes."""
    everything, team.paths = team.paths, paths
    pilot = np.empty((team.width, paths))
    for number, part in enumerate(in_order(team.chunk, range(-(-paths // CHUNK)), threads)):
        pilot[:, number * CHUNK : number * CHUNK + part.rows.shape[1]] = part.rows
    team.paths = everything
    return _Histogram(*reduce.ranges(pilot))


def _refuse_broken(worst: list[Worst]) -> None:
    for w in worst:
        if not w.error <= TOLERANCE:
            raise IdentityError(f"{w.rule} breaks by {w.error:.1e} of gross flows on path {w.path} in month {w.month}")


def _tallies(
    questions: Sequence[Question], histogram: _Histogram, total: np.ndarray, squares: np.ndarray, kept: np.ndarray
) -> list[Tally]:
    whole, found, at, row = histogram.whole, [], 0, 0
    for q in questions:
        part = slice(at, at + q.width)
        n = reduce.count(whole, part)
        mean, se = reduce.mean_and_error(histogram.low[part], total[part], squares[part], n)
        values = {p: reduce.quantiles(whole, part, p) for p in QUANTILES}
        errors = {p: reduce.quantile_errors(whole, part, p) for p in QUANTILES}
        own = kept[row : row + q.width] if q.keep else kept[:0]
        found.append(Tally(q, n, mean, se, values, errors, own))
        at += q.width
        row += len(own)
    return found


def one_path(plan: Plan, question: Question, path: int, seed: int) -> np.ndarray:
    """The values of a single path: the same bits as in any run that holds it."""
    block = stages.allocate(plan)
    first = path - path % LANES
    stages.fill(block, seed, first, np.zeros(len(plan.factor_paths), np.int64))
    return question.read(block)[:, path - first]
