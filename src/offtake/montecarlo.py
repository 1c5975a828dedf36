"""Blocks: draw, call the kernels in their order, measure; merge in block order (U-01).

One worker owns one `Block` and fills it again and again: memory does not grow with the number of paths. A chunk is 256 paths
(4 blocks); a chunk's sums are added in chunk order, counts in any order, so that any number of workers gives the same bits.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from . import stages
from .block import Block
from .errors import IdentityError
from .identities import IDENTITIES, Worst, worst_of
from .kernels import reduce
from .plan import Plan
from .questions import Question
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
    inputs: np.ndarray  # (inputs, kept) normal scores; no paths where no question keeps any
    identities: list[Worst]
    clipped: np.ndarray
    unsolved: int


QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


@dataclass
class _Chunk:
    rows: np.ndarray
    inputs: np.ndarray
    worst: list[Worst]
    unsolved: int


class _Workers:
    """Each thread's own block and accumulator, made when the thread first works."""

    def __init__(self, plan: Plan, seed: int, questions: Sequence[Question], paths: int) -> None:
        self.plan, self.seed, self.questions, self.paths = plan, seed, questions, paths
        self.width = sum(q.width for q in questions)
        self.low = np.zeros(self.width)
        self.scale = np.zeros(self.width)
        self.pilot: dict[int, _Chunk] = {}
        self.histograms: list[reduce.Histogram] = []
        self.clipped: list[np.ndarray] = []
        self._mine = threading.local()
        self._lock = threading.Lock()

    def _own(self) -> tuple[Block, np.ndarray]:
        if not hasattr(self._mine, "block"):
            self._mine.block = stages.allocate(self.plan)
            self._mine.clipped = np.zeros(len(self.plan.factor_paths), np.int64)
            with self._lock:
                self.clipped.append(self._mine.clipped)
        return self._mine.block, self._mine.clipped

    def _histogram(self) -> reduce.Histogram:
        if not hasattr(self._mine, "histogram"):
            self._mine.histogram = reduce.empty(self.width)
            with self._lock:
                self.histograms.append(self._mine.histogram)
        own: reduce.Histogram = self._mine.histogram
        return own

    def chunk(self, number: int) -> _Chunk:
        """Compute chunk `number`: rows (width, paths in the chunk), inputs, the worst of each identity."""
        block, clipped = self._own()
        first = number * CHUNK
        count = min(CHUNK, self.paths - first)
        rows = np.empty((self.width, count))
        inputs = np.empty((block.Z.shape[0], count))
        worst = [Worst.none(name) for name in IDENTITIES]
        unsolved = 0
        for offset in range(0, count, LANES):
            lanes = min(LANES, count - offset)
            stages.fill(block, self.seed, first + offset, clipped)
            at = 0
            shared: dict[tuple[str, str, str], np.ndarray] = {}
            for q in self.questions:
                rows[at : at + q.width, offset : offset + lanes] = q.read(block, shared)[:, :lanes]
                at += q.width
            inputs[:, offset : offset + lanes] = block.Z[:, :lanes]
            worst = [max(a, b) for a, b in zip(worst, worst_of(block, lanes))]
            unsolved += int(np.count_nonzero(block.placement.status[:lanes]))
        return _Chunk(rows, inputs, worst, unsolved)

    def tallied(self, number: int) -> tuple[_Chunk, np.ndarray, np.ndarray]:
        """Chunk `number`, counted, with its sums and sums of squares; the pilot's chunks are at hand already."""
        chunk = self.pilot.pop(number, None) or self.chunk(number)
        total, squares = np.zeros(self.width), np.zeros(self.width)
        reduce.tally(self._histogram(), chunk.rows, self.low, self.scale, total, squares)
        return chunk, total, squares


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
    _find_ranges(team, min(paths, PILOT), threads)
    tell.stage(f"computing {paths:,} paths")
    total, squares = np.zeros(team.width), np.zeros(team.width)
    wanted = np.flatnonzero(np.concatenate([np.full(q.width, q.keep) for q in questions]))
    first_paths = min(paths, KEPT) if len(wanted) else 0
    kept, inputs = np.empty((len(wanted), first_paths)), np.empty((len(plan.inputs.names), first_paths))
    worst = [Worst.none(name) for name in IDENTITIES]
    unsolved = 0
    for number, (part, more, more_squares) in enumerate(in_order(team.tallied, range(-(-paths // CHUNK)), threads)):
        total += more
        squares += more_squares
        first, last = number * CHUNK, min((number + 1) * CHUNK, kept.shape[1])
        if first < last:
            kept[:, first:last] = part.rows[wanted, : last - first]
            inputs[:, first:last] = part.inputs[:, : last - first]
        worst = [max(a, b) for a, b in zip(worst, part.worst)]
        unsolved += part.unsolved
        tell.step(min((number + 1) * CHUNK, paths), paths)
    _refuse_broken(worst)
    tallies = _tallies(team, total, squares, kept)
    return Outcome(plan, paths, seed, tallies, inputs, worst, np.sum(team.clipped, axis=0), unsolved)


def _find_ranges(team: _Workers, paths: int, threads: int) -> None:
    """Histogram ranges from the first paths; what lies outside later falls into end bins that keep their own extremes."""
    team.pilot = dict(enumerate(in_order(team.chunk, range(-(-paths // CHUNK)), threads)))
    team.low, team.scale = reduce.ranges(np.concatenate([part.rows for part in team.pilot.values()], axis=1))


def _refuse_broken(worst: list[Worst]) -> None:
    for w in worst:
        if not w.error <= TOLERANCE:
            raise IdentityError(f"{w.rule} breaks by {w.error:.1e} of gross flows on path {w.path} in month {w.month}")


def _tallies(team: _Workers, total: np.ndarray, squares: np.ndarray, kept: np.ndarray) -> list[Tally]:
    merged = reduce.merged(team.histograms)
    found, at, row = [], 0, 0
    for q in team.questions:
        part = slice(at, at + q.width)
        n = reduce.count(merged, part)
        mean, se = reduce.mean_and_error(team.low[part], total[part], squares[part], n)
        values = {p: reduce.quantiles(merged, part, p) for p in QUANTILES}
        errors = {p: reduce.quantile_errors(merged, part, p) for p in QUANTILES}
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
