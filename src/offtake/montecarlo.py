"""Blocks: draw, call the kernels in their order, measure; merge in block order (U-01).

A worker fills the same `Block` again and again, and all share one histogram: memory does not grow with the number of paths.
A chunk is 256 paths (4 blocks), a unit 16 chunks. Counts merge in any order; a chunk's sums are added to those of its unit and these to
the whole, in order, so that any number of workers gives the same bits. Errors come from sixteen replicates, path p in number p mod 16
(U-02).
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from . import compiling, memory, stages
from .block import Block
from .errors import IdentityError, QuestionError
from .evidence.weights import alike
from .identities import GAP, TOLD, Worst, told_of
from .kernels.replicates import REPLICATES
from .plan import Plan
from .questions import Question, read_all
from .spread import cores, in_order
from .tallies import Counts, Figures, Ranges, starts_of, tally_of
from .tallies import Tally as Tally

LANES = 64
CHUNK = 256
UNIT = 16  # chunks
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
    held     bytes that `fill` keeps of what it sees
    """

    count: int
    seed: int
    weights: np.ndarray | None = None
    fill: Filler = stages.fill
    held: int = 0

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
class Outcome:
    """A finished run: tallies in the order of the questions, inputs of the kept paths, and the worst of each identity."""

    plan: Plan
    paths: int
    seed: int
    tallies: list[Tally]
    inputs: np.ndarray  # (inputs, kept) normal scores
    worst: list[Worst]  # of each identity, and the widest gap of a placement
    clipped: np.ndarray
    unsolved: int
    weights: np.ndarray | None = None  # (kept,) of the kept paths, where a run has weights

    @property
    def identities(self) -> list[Worst]:
        """The worst of each identity."""
        return self.worst[:-1]

    @property
    def gap(self) -> Worst:
        """The path whose placement is farthest from the bound where months share a commitment (P-02)."""
        return self.worst[-1]

    def alike(self, kept: np.ndarray) -> np.ndarray:
        """Columns of kept values (rows, kept) that count alike: themselves, or with weights each about as often as its weight says."""
        return kept if self.weights is None else kept[:, alike(self.weights)]


@dataclass(frozen=True)
class Stop:
    """When to stop before all paths are computed: question `at` is judged at 1,024 paths and at every doubling of them."""

    at: int
    holds: Callable[[Tally], bool]


@dataclass
class _Chunk:
    worst: list[Worst]
    unsolved: int
    sums: np.ndarray  # (rows, 16) by replicate; empty until the ranges are known


@dataclass
class _Desk:
    """What one chunk needs while it is computed: a block, its count of clipped draws, and room for the chunk's rows."""

    block: Block
    clipped: np.ndarray
    rows: np.ndarray


class Workers:
    """Desks that are handed on from chunk to chunk, and what all share: the histogram, and the first paths, a column each.

    span  first path and the one after the last, of who computes a part of a run: only their values are kept, and no inputs
    """

    def __init__(self, plan: Plan, questions: Sequence[Question], futures: Futures, span: tuple[int, int] | None = None) -> None:
        self.plan, self.futures, self.questions = plan, futures, questions
        self.paths = paths = futures.count
        self.pilot_chunks, self.other_chunks = futures.chunks
        self.width = sum(q.width for q in questions)
        self.wanted = np.flatnonzero(np.concatenate([np.full(q.width, q.keep) for q in questions]))
        self.first_paths = min(paths, KEPT) if len(self.wanted) else 0  # what nobody asks for is not kept
        self.base, end = span or (0, self.first_paths)
        self.kept = np.empty((len(self.wanted), max(min(end, self.first_paths) - self.base, 0)))
        self.inputs = np.empty((len(plan.inputs.names), 0 if span else self.first_paths))
        if futures.weights is not None:  # a path of weight 0 may not be computed
            self.kept.fill(np.nan)
            self.inputs.fill(0.0)
        self.pilot = np.empty((self.width, sum(self._ends(c)[1] - self._ends(c)[0] for c in self.pilot_chunks)))
        self.counts: Counts | None = None
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
            rows = room if self.counts else self._pilot_of(number)
            worst, unsolved = self._compute(desk, first, last, rows)
            if first < self.first_paths:
                self.kept[:, first - self.base : last - self.base] = rows[self.wanted]
            found = self.counts.tally(rows, self.futures.of(first, last)) if self.counts else np.empty(0)
            return _Chunk(worst, unsolved, found)

    def _compute(self, desk: _Desk, first: int, last: int, rows: np.ndarray) -> tuple[list[Worst], int]:
        """Fill the rows of paths first .. last - 1; returns the worst of each identity and the months without a placement."""
        block, worst, unsolved = desk.block, no_worst(), 0
        for start in range(first, last, LANES):
            lanes = min(LANES, last - start)
            self.futures.fill(block, self.futures.seed, start, desk.clipped)
            read_all(self.questions, block, rows[:, start - first : start - first + lanes])
            if first < self.inputs.shape[1]:
                self.inputs[:, start : start + lanes] = block.Z[:, :lanes]
            worst = [max(a, b) for a, b in zip(worst, told_of(block, lanes))]
            unsolved += int(np.count_nonzero(block.placement.status[:lanes]))
        return worst, unsolved

    def find_ranges(self, pilot: Sequence[_Chunk], threads: int) -> Counts:
        """Histogram ranges from the first paths, which are then tallied; what lies outside later falls into end bins that keep
        their own extremes."""
        weights = [self.futures.of(*self._ends(number)) for number in self.pilot_chunks]
        weight = None if self.futures.weights is None else np.concatenate([w for w in weights if w is not None])
        self.counts = counts = Counts(Ranges.of(self.pilot, weight, threads))
        rows = zip(map(self._pilot_of, self.pilot_chunks), weights)
        for part, sums in zip(pilot, in_order(lambda one: counts.tally(one[0].copy(), one[1]), rows, threads)):
            part.sums = sums
        self.pilot = np.empty((0, 0))
        return counts


def tallies_of(questions: Sequence[Question], counts: Counts, total: np.ndarray, kept: np.ndarray, weight: float) -> list[Tally]:
    """Figures of all questions, from counts, sums (R, 16) and kept values; `weight` is that of all paths."""
    found, row, figures = [], 0, Figures.of(slice(0, len(total)), counts, total, weight)
    for q, at in zip(questions, starts_of(questions)):
        mine = kept[row : row + q.width] if q.keep else kept[:0]
        found.append(replace(figures.tally(q, at), kept=mine))
        row += len(mine)
    return found


def shared_bytes(plan: Plan, questions: Sequence[Question], paths: int, threads: int) -> float:
    """What a run holds beside the blocks of its threads: rows of chunks and of the pilot, counts and sums, first paths and inputs."""
    rows, kept = sum(q.width for q in questions), sum(q.width for q in questions if q.keep)
    first = min(paths, KEPT)
    columns = 3 * min(paths, PILOT) + CHUNK * threads  # the pilot's rows are sorted: copies of them
    inputs = len(plan.inputs.names) * first if kept else 0
    return 8.0 * (rows * columns + kept * first + inputs) + rows * Counts.ROW


def under_way(paths: int, workers: int | None) -> int:
    """Threads that have a chunk at the same time: no more than there are chunks, so no more blocks either."""
    return max(min(workers or cores(), -(-paths // CHUNK)), 1)


def require_room(plan: Plan, questions: Sequence[Question], futures: Futures, threads: int) -> None:
    """Raises RoomError where a run would not fit into memory, before anything of it is allocated."""
    memory.require(plan, futures.count, threads, lambda count, each: shared_bytes(plan, questions, count, each) + futures.held)


def inputs_of(plan: Plan, futures: Futures, paths: int) -> np.ndarray:
    """Normal scores of the inputs (I, paths) of the first paths, drawn alone."""
    b, clipped = stages.allocate(plan), np.zeros(len(plan.factor_paths), np.int64)
    found = np.empty((len(plan.inputs.names), paths))
    for first in range(0, paths, LANES):
        stages.draw_inputs(b, futures.seed, first, clipped)
        found[:, first : first + LANES] = b.Z[:, : paths - first]
    return found


def pilot_ranges(
    plan: Plan, questions: Sequence[Question], futures: Futures, workers: int | None, tell: Reporter
) -> tuple[Ranges, float]:
    """Ranges of a whole run from its first paths, and seconds a path on one thread."""
    threads = under_way(futures.count, workers)
    require_room(plan, questions, futures, threads)
    prepare(plan, tell)
    tell.stage("finding ranges")
    team = Workers(plan, questions, replace(futures, count=min(futures.count, PILOT)))

    def took(number: int) -> float:
        begun = time.perf_counter()
        team.chunk(number)
        return (time.perf_counter() - begun) / min(CHUNK, team.pilot.shape[1])

    pace = min(in_order(took, team.pilot_chunks, threads))  # the first chunk of each thread waits for kernels to load
    return Ranges.of(team.pilot, None, threads), pace


def no_worst() -> list[Worst]:
    """What a run tells the worst of, nothing of it known yet."""
    return [Worst.none(name) for name in TOLD]


def run(
    plan: Plan, questions: Sequence[Question], paths: int, seed: int, workers: int | None = None, reporter: Reporter | None = None
) -> Outcome:
    """Compute `paths` futures and tally the questions. Raises IdentityError where an identity of A-10 breaks."""
    return compute(plan, questions, Futures(paths, seed), workers, reporter)


def compute(
    plan: Plan,
    questions: Sequence[Question],
    futures: Futures,
    workers: int | None = None,
    reporter: Reporter | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """`run`, of futures that may have weights and another source, perhaps until a figure is known well enough.

    Raises QuestionError where no path has any weight.
    """
    if futures.weights is not None and not futures.weights.any():
        raise QuestionError("no path has any weight: nothing is left to compute")
    tell, threads = reporter or Silent(), under_way(futures.count, workers)
    require_room(plan, questions, futures, threads)
    team = Workers(plan, questions, futures)
    prepare(plan, tell)
    tell.stage("finding ranges")
    pilot = list(in_order(team.chunk, team.pilot_chunks, threads))
    counts = team.find_ranges(pilot, threads)
    done = _Done(team.width)
    known = list(zip(team.pilot_chunks, pilot))
    for until in _stages(futures.count, stop):
        tell.stage(f"computing {until:,} paths")
        rest = [number for number in team.other_chunks if done.paths <= number * CHUNK < until]
        done.add(heapq.merge(known, zip(rest, in_order(team.chunk, rest, threads)), key=lambda part: part[0]), until, tell)
        known = []
        if stop and stop.holds(tally_of(questions[stop.at], starts_of(questions)[stop.at], counts, done.total, until)):
            break
    refuse_broken(done.worst)
    kept = min(done.paths, team.first_paths)
    weight = done.paths if futures.weights is None else futures.weights.sum()
    tallies = tallies_of(questions, counts, done.total, team.kept[:, :kept], weight)
    return Outcome(
        plan, done.paths, futures.seed, tallies, team.inputs[:, :kept], done.worst, team.clipped(), done.unsolved, futures.of(0, kept)
    )


def _stages(paths: int, stop: Stop | None) -> list[int]:
    """Numbers of paths at which a run is judged: all of them, or with a stop rule 1,024, 2,048, .. and all."""
    found, at = [], PILOT
    while stop and at < paths:
        found.append(at)
        at *= 2
    return [*found, paths]


class _Done:
    """What has been added up so far, in the order of the chunks: whole units, and the unit under way."""

    def __init__(self, rows: int) -> None:
        self._units, self._unit, self._number = np.zeros((rows, REPLICATES)), np.zeros((rows, REPLICATES)), 0
        self.worst, self.unsolved, self.paths = no_worst(), 0, 0

    @property
    def total(self) -> np.ndarray:
        """Sums (R, 16) of all that was added."""
        return self._units + self._unit

    def add(self, parts: Iterable[tuple[int, _Chunk]], until: int, tell: Reporter) -> None:
        """Add chunks by their numbers, rising, of the paths up to `until`."""
        for number, part in parts:
            if number // UNIT != self._number:
                self._units += self._unit
                self._unit[:], self._number = 0.0, number // UNIT
            self._unit += part.sums
            self.worst = [max(a, b) for a, b in zip(self.worst, part.worst)]
            self.unsolved += part.unsolved
            tell.step(min((number + 1) * CHUNK, until), until)
        self.paths = until


def prepare(plan: Plan, tell: Reporter) -> None:
    """Compile the kernels where this machine's cache does not hold them."""
    if not compiling.is_compiled():
        stage = "compiling the kernels, once on a machine: about a minute"

        def say(line: str) -> None:
            tell.stage(line)
            tell.stage(stage)

        tell.stage(stage)
        compiling.compile_all(plan, tell.step, say)


def refuse_broken(worst: list[Worst]) -> None:
    for w in worst:
        if w.rule != GAP and not w.error <= TOLERANCE:
            raise IdentityError(f"{w.rule} breaks by {w.error:.1e} of gross flows on path {w.path} in month {w.month}")


def one_path(plan: Plan, question: Question, path: int, seed: int) -> np.ndarray:
    """The values of a single path: the same bits as in any run that holds it."""
    block = stages.allocate(plan)
    first = path - path % LANES
    stages.fill(block, seed, first, np.zeros(len(plan.factor_paths), np.int64))
    return question.read(block)[:, path - first].copy()  # a view would hold the block
