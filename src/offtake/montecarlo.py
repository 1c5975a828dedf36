"""Blocks: draw, call the kernels in their order, measure; merge in block order (U-01).

A worker fills the same `Block` again and again, and all share one histogram: memory does not grow with the number of paths.
A chunk is 256 paths (4 blocks); its sums are added in chunk order, counts in any order, so that any number of workers gives
the same bits. Errors come from sixteen replicates, path p in number p mod 16 (U-02).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Protocol

import numpy as np

from . import stages
from .block import Block
from .errors import IdentityError, QuestionError
from .evidence.weights import alike
from .identities import IDENTITIES, Worst, worst_of
from .kernels import reduce, replicates
from .plan import Plan
from .questions import Question, read_all
from .spread import cores, in_order

LANES = 64
CHUNK = 256
PILOT = 1_024
PILOT_CHUNKS = 16  # at most, where weights leave few paths that count
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


Filler = Callable[[Block, int, int, np.ndarray], None]  # block, seed, first path, clipped


@dataclass(frozen=True)
class Futures:
    """Which paths a run computes: the first `count` of a seed, what each counts, and what fills a block with 64 of them.

    weights  (count,) int64, 0 to `reduce.HEAVIEST`; without them each path counts one. A chunk without weight is not computed.
    """

    count: int
    seed: int
    weights: np.ndarray | None = None
    fill: Filler = stages.fill

    def of(self, first: int, last: int) -> np.ndarray | None:
        """Weights of paths first .. last - 1."""
        return None if self.weights is None else self.weights[first:last]

    @property
    def chunks(self) -> tuple[list[int], list[int]]:
        """Chunks of the pilot, then the others that count: from the front, or where weights differ the heaviest."""
        starts = range(0, self.count, CHUNK)
        if self.weights is None:
            return list(range(len(starts)))[: PILOT // CHUNK], list(range(len(starts)))[PILOT // CHUNK :]
        heavy = np.add.reduceat(self.weights, starts) if self.count else np.zeros(0, np.int64)
        order = np.argsort(-heavy, kind="stable")[: np.count_nonzero(heavy)]
        gathered = np.cumsum(heavy[order]) ** 2.0 / np.cumsum(np.add.reduceat(self.weights.astype(float) ** 2, starts)[order])
        enough = int(np.searchsorted(gathered, min(PILOT, self.count))) + 1
        pilot = order[: min(enough, PILOT_CHUNKS)].tolist()
        return sorted(pilot), sorted(set(order.tolist()) - set(pilot))


@dataclass(frozen=True)
class Tally:
    """What all paths said to one question: one entry a row; `kept` holds the first paths' values (rows, kept).

    `count` is the number of paths with a value, of those that count; `share` is their part of all weight.
    """

    question: Question
    count: np.ndarray
    share: np.ndarray
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
    weights: np.ndarray | None = None  # (kept,) of the kept paths, where a run has weights

    def alike(self, kept: np.ndarray) -> np.ndarray:
        """Columns of kept values (rows, kept) that count alike: themselves, or with weights each about as often as its weight says."""
        return kept if self.weights is None else kept[:, alike(self.weights)]


QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


STRIPES = 16


@dataclass
class _Chunk:
    worst: list[Worst]
    unsolved: int
    sums: np.ndarray  # (rows, 16) by replicate; empty until the ranges are known


class _Histogram:
    """Counts of all workers, in stripes of rows that one worker at a time may write: memory does not grow with the workers."""

    def __init__(self, pilot: np.ndarray, weight: np.ndarray | None) -> None:
        self.low, self.scale = reduce.ranges(pilot, weight=weight)
        self.marks = replicates.marks_near(pilot, np.array(QUANTILES), weight)
        rows, r = len(pilot), replicates.REPLICATES
        self.whole = reduce.empty(rows, kind=reduce.BIN if weight is None else reduce.WEIGHED)
        self.held, self.below = np.zeros((rows, r), np.int64), np.zeros((rows, len(QUANTILES), r), np.int64)
        self.paths = np.zeros(rows, np.int64)
        ends = [rows * n // STRIPES for n in range(STRIPES + 1)]
        self._stripes = [(threading.Lock(), slice(a, b)) for a, b in pairwise(ends)]

    def tally(self, rows: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """Count the rows of one chunk (width, N); returns its sums by row and replicate."""
        total = np.zeros((len(rows), replicates.REPLICATES))
        each = np.ones(rows.shape[1], np.int64) if weight is None else weight
        for lock, s in self._stripes:
            with lock:
                if weight is None:
                    reduce.tally(self.whole[s], rows[s], self.low[s], self.scale[s])
                else:
                    reduce.tally_weighted(self.whole[s], rows[s], weight, self.low[s], self.scale[s])
                replicates.by_replicate(
                    rows[s], each, self.low[s], self.marks[s], total[s], self.held[s], self.below[s], self.paths[s]
                )
        return total


@dataclass
class _Desk:
    """What one chunk needs while it is computed: a block, its count of clipped draws, and room for the chunk's rows."""

    block: Block
    clipped: np.ndarray
    rows: np.ndarray


class _Workers:
    """Desks that are handed on from chunk to chunk, and what all share: the histogram, and the first paths, a column each."""

    def __init__(self, plan: Plan, questions: Sequence[Question], futures: Futures) -> None:
        self.plan, self.futures, self.questions = plan, futures, questions
        self.paths = paths = futures.count
        self.pilot_chunks, self.other_chunks = futures.chunks
        self.width = sum(q.width for q in questions)
        self.wanted = np.flatnonzero(np.concatenate([np.full(q.width, q.keep) for q in questions]))
        self.first_paths = min(paths, KEPT) if len(self.wanted) else 0  # what nobody asks for is not kept
        self.kept = np.empty((len(self.wanted), self.first_paths))
        self.inputs = np.empty((len(plan.inputs.names), self.first_paths))
        if futures.weights is not None:  # a path of weight 0 may not be computed
            self.kept.fill(np.nan)
            self.inputs.fill(0.0)
        self.pilot = np.empty((self.width, sum(self._ends(c)[1] - self._ends(c)[0] for c in self.pilot_chunks)))
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

    def _ends(self, number: int) -> tuple[int, int]:
        """First path of a chunk, and the one after its last."""
        return number * CHUNK, min((number + 1) * CHUNK, self.paths)

    def _pilot_of(self, number: int) -> np.ndarray:
        """The pilot's columns of a chunk; only the last chunk of a run is short."""
        first = self.pilot_chunks.index(number) * CHUNK
        return self.pilot[:, first : first + CHUNK]

    def chunk(self, number: int) -> _Chunk:
        """Compute chunk `number` and tally it; before the ranges are known its rows go into the pilot instead."""
        first, last = self._ends(number)
        with self._desk() as desk:
            room = desk.rows[: self.width * (last - first)].reshape(self.width, -1)
            rows = room if self.histogram else self._pilot_of(number)
            worst, unsolved = self._compute(desk, first, last, rows)
            if first < self.first_paths:
                self.kept[:, first:last] = rows[self.wanted]
            found = self.histogram.tally(rows, self.futures.of(first, last)) if self.histogram else np.empty(0)
            return _Chunk(worst, unsolved, found)

    def _compute(self, desk: _Desk, first: int, last: int, rows: np.ndarray) -> tuple[list[Worst], int]:
        """Fill the rows of paths first .. last - 1; returns the worst of each identity and the months without a placement."""
        block, worst, unsolved = desk.block, [Worst.none(name) for name in IDENTITIES], 0
        for start in range(first, last, LANES):
            lanes = min(LANES, last - start)
            self.futures.fill(block, self.futures.seed, start, desk.clipped)
            read_all(self.questions, block, rows[:, start - first : start - first + lanes])
            if first < self.first_paths:
                self.inputs[:, start : start + lanes] = block.Z[:, :lanes]
            worst = [max(a, b) for a, b in zip(worst, worst_of(block, lanes))]
            unsolved += int(np.count_nonzero(block.placement.status[:lanes]))
        return worst, unsolved

    def find_ranges(self, pilot: Sequence[_Chunk]) -> _Histogram:
        """Histogram ranges from the first paths, which are then tallied; what lies outside later falls into end bins that keep
        their own extremes."""
        weights = [self.futures.of(*self._ends(number)) for number in self.pilot_chunks]
        weight = None if self.futures.weights is None else np.concatenate([w for w in weights if w is not None])
        self.histogram = _Histogram(self.pilot, weight)
        for number, part, mine in zip(self.pilot_chunks, pilot, weights):
            part.sums = self.histogram.tally(self._pilot_of(number).copy(), mine)
        self.pilot = np.empty((0, 0))
        return self.histogram


def run(
    plan: Plan, questions: Sequence[Question], paths: int, seed: int, workers: int | None = None, reporter: Reporter | None = None
) -> Outcome:
    """Compute `paths` futures and tally the questions. Raises IdentityError where an identity of A-10 breaks."""
    return compute(plan, questions, Futures(paths, seed), workers, reporter)


def compute(
    plan: Plan, questions: Sequence[Question], futures: Futures, workers: int | None = None, reporter: Reporter | None = None
) -> Outcome:
    """`run`, of futures that may have weights and another source. Raises QuestionError where no path has any weight."""
    if futures.weights is not None and not futures.weights.any():
        raise QuestionError("no path has any weight: nothing is left to compute")
    tell = reporter or Silent()
    team = _Workers(plan, questions, futures)
    threads = workers or cores()
    prepare(plan, tell)
    tell.stage("finding ranges")
    pilot = list(in_order(team.chunk, team.pilot_chunks, threads))
    histogram = team.find_ranges(pilot)
    tell.stage(f"computing {futures.count:,} paths")
    total = np.zeros((team.width, replicates.REPLICATES))
    worst, unsolved = [Worst.none(name) for name in IDENTITIES], 0
    for number, part in enumerate(chain(pilot, in_order(team.chunk, team.other_chunks, threads))):
        total += part.sums
        worst = [max(a, b) for a, b in zip(worst, part.worst)]
        unsolved += part.unsolved
        tell.step(min((number + 1) * CHUNK, futures.count), futures.count)
    _refuse_broken(worst)
    tallies = _tallies(questions, histogram, total, team.kept, futures)
    return Outcome(
        plan, futures.count, futures.seed, tallies, team.inputs, worst, team.clipped(), unsolved, futures.of(0, team.first_paths)
    )


def prepare(plan: Plan, tell: Reporter) -> None:
    """Compile the kernels where this machine's cache does not hold them."""
    if not stages.is_compiled():
        tell.stage("compiling the kernels, once on a machine: about a minute")
        stages.compile_kernels(plan, tell.step)


def _refuse_broken(worst: list[Worst]) -> None:
    for w in worst:
        if not w.error <= TOLERANCE:
            raise IdentityError(f"{w.rule} breaks by {w.error:.1e} of gross flows on path {w.path} in month {w.month}")


def _tallies(
    questions: Sequence[Question], histogram: _Histogram, total: np.ndarray, kept: np.ndarray, futures: Futures
) -> list[Tally]:
    whole, found, at, row = histogram.whole, [], 0, 0
    counted = futures.count if futures.weights is None else futures.weights.sum()
    for q in questions:
        part = slice(at, at + q.width)
        held, n, weight = histogram.held[part], histogram.paths[part], reduce.count(whole, part)
        mean = histogram.low[part] + np.divide(total[part].sum(axis=1), weight, out=np.full(len(n), np.nan), where=weight > 0)
        se = replicates.ratio_error(total[part], held)
        values = {p: reduce.quantiles(whole, part, p, n) for p in QUANTILES}
        spreads = {p: replicates.share_error(histogram.below[part, i], held, p) for i, p in enumerate(QUANTILES)}
        errors = {p: reduce.quantile_errors(whole, part, p, spreads[p], n) for p in QUANTILES}
        mine = kept[row : row + q.width] if q.keep else kept[:0]
        found.append(Tally(q, n, weight / counted, mean, se, values, errors, mine))
        at += q.width
        row += len(mine)
    return found


def one_path(plan: Plan, question: Question, path: int, seed: int) -> np.ndarray:
    """The values of a single path: the same bits as in any run that holds it."""
    block = stages.allocate(plan)
    first = path - path % LANES
    stages.fill(block, seed, first, np.zeros(len(plan.factor_paths), np.int64))
    return question.read(block)[:, path - first]
