"""Blocks: draw, call the kernels in their order, measure; merge in block order (U-01).

A worker fills the same `Block` again and again, and all share one histogram: memory does not grow with the number of paths.
A chunk is 256 paths (4 blocks); its sums are added in chunk order, counts in any order, so that any number of workers gives
the same bits.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
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
    worst: list[Worst]
    unsolved: int
    sums: tuple[np.ndarray, np.ndarray]  # of values and of their squares by row; empty until the ranges are known


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
                reduce.tally(self.whole[s], rows[s], self.low[s], self.scale[s], total[s], squares[s])
        return total, squares


@dataclass
class _Desk:
    """What one chunk needs while it is computed: a block, its count of clipped draws, and room for the chunk's rows."""

    block: Block
    clipped: np.ndarray
    rows: np.ndarray


class _Workers:
    """Desks that are handed on from chunk to chunk, and what all share: the histogram, and the first paths, a column each."""

    def __init__(self, plan: Plan, seed: int, questions: Sequence[Question], paths: int) -> None:
        self.plan, self.seed, self.questions, self.paths = plan, seed, questions, paths
        self.width = sum(q.width for q in questions)
        self.wanted = np.flatnonzero(np.concatenate([np.full(q.width, q.keep) for q in questions]))
        self.first_paths = min(paths, KEPT) if len(self.wanted) else 0  # what nobody asks for is not kept
        self.kept = np.empty((len(self.wanted), self.first_paths))
        self.inputs = np.empty((len(plan.inputs.names), self.first_paths))
        self.pilot = np.empty((self.width, min(paths, PILOT)))
        self.histogram: _Histogram | None = None
        self._desks: deque[_Desk] = deque()

    def clipped(self) -> np.ndarray:
        """Draws that a law's support cut off, by factor row."""
        total: np.ndarray = np.sum([desk.clipped for desk in self._desks], axis=0)
        return total

    @contextmanager
    def _desk(self) -> Iterator[_Desk]:
        """A free desk, or a new one where all are taken: there are never more desks than threads."""
        try:
            desk = self._desks.pop()
        except IndexError:
            clipped = np.zeros(len(self.plan.factor_paths), np.int64)
            desk = _Desk(stages.allocate(self.plan), clipped, np.empty(self.width * CHUNK))
        yield desk
        self._desks.append(desk)

    def chunk(self, number: int) -> _Chunk:
        """Compute chunk `number` and tally it; before the ranges are known its rows go into the pilot instead."""
        first = number * CHUNK
        last = min(first + CHUNK, self.paths)
        with self._desk() as desk:
            room = desk.rows[: self.width * (last - first)].reshape(self.width, -1)
            rows = room if self.histogram else self.pilot[:, first:last]
            worst, unsolved = self._compute(desk, first, last, rows)
            if first < self.first_paths:
                self.kept[:, first:last] = rows[self.wanted]
            return _Chunk(worst, unsolved, self.histogram.tally(rows) if self.histogram else (np.empty(0), np.empty(0)))

    def _compute(self, desk: _Desk, first: int, last: int, rows: np.ndarray) -> tuple[list[Worst], int]:
        """Fill the rows of paths first .. last - 1; returns the worst of each identity and the months without a placement."""
        block, worst, unsolved = desk.block, [Worst.none(name) for name in IDENTITIES], 0
        for start in range(first, last, LANES):
            lanes = min(LANES, last - start)
            stages.fill(block, self.seed, start, desk.clipped)
            read_all(self.questions, block, rows[:, start - first : start - first + lanes])
            if first < self.first_paths:
                self.inputs[:, start : start + lanes] = block.Z[:, :lanes]
            worst = [max(a, b) for a, b in zip(worst, worst_of(block, lanes))]
            unsolved += int(np.count_nonzero(block.placement.status[:lanes]))
        return worst, unsolved

    def find_ranges(self, pilot: Sequence[_Chunk]) -> _Histogram:
        """Histogram ranges from the first paths, which are then tallied; what lies outside later falls into end bins that keep
        their own extremes."""
        self.histogram = _Histogram(*reduce.ranges(self.pilot))
        for number, part in enumerate(pilot):
            part.sums = self.histogram.tally(self.pilot[:, number * CHUNK : (number + 1) * CHUNK].copy())
        self.pilot = np.empty((0, 0))
        return self.histogram


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
    chunks = range(-(-paths // CHUNK))
    pilot = list(in_order(team.chunk, chunks[: PILOT // CHUNK], threads))
    histogram = team.find_ranges(pilot)
    tell.stage(f"computing {paths:,} paths")
    total, squares = np.zeros(team.width), np.zeros(team.width)
    worst, unsolved = [Worst.none(name) for name in IDENTITIES], 0
    for number, part in enumerate(chain(pilot, in_order(team.chunk, chunks[len(pilot) :], threads))):
        total += part.sums[0]
        squares += part.sums[1]
        worst = [max(a, b) for a, b in zip(worst, part.worst)]
        unsolved += part.unsolved
        tell.step(min((number + 1) * CHUNK, paths), paths)
    _refuse_broken(worst)
    tallies = _tallies(questions, histogram, total, squares, team.kept)
    return Outcome(plan, paths, seed, tallies, team.inputs, worst, team.clipped(), unsolved)


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
