"""What all paths said: counts, extremes and sums by replicate that merge exactly, and the figures read from them (U-01, U-02).

Axes: rows of all questions one below the other (R), quantiles (Q), replicates (16). Counts merge in any order. Sums are floats: those of
256 paths are added in order to those of 4,096, and these in order to the whole, wherever they were computed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .kernels import reduce, replicates
from .questions import Question
from .spread import in_order

QUANTILES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
STRIPES = 16


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
class Ranges:
    """What the pilot settles for a whole run: lower ends (R,), bins per unit (R,), marks (R, Q), and whether paths have weights."""

    low: np.ndarray
    scale: np.ndarray
    marks: np.ndarray
    weighted: bool

    @staticmethod
    def of(pilot: np.ndarray, weight: np.ndarray | None, workers: int = 1) -> Ranges:
        """From the rows of the pilot's paths (R, N), and their weights (N,); each of the workers takes a part of the rows."""

        def some(rows: np.ndarray) -> tuple[np.ndarray, ...]:
            return *reduce.ranges(rows, weight=weight), replicates.marks_near(rows, np.array(QUANTILES), weight)

        low, scale, marks = map(np.concatenate, zip(*in_order(some, np.array_split(pilot, workers), workers)))
        return Ranges(low, scale, marks, weight is not None)


class Counts:
    """Counts of all workers, in stripes of rows that one worker at a time may write: memory does not grow with the workers.

    whole  (R, bins + 3)  histogram
    held   (R, 16)        weight of the paths with a value, by replicate
    below  (R, Q, 16)     weight below each mark
    paths  (R,)           paths with a value and a weight
    """

    ROW = (reduce.BINS + 3) * reduce.WEIGHED.itemsize + 8 * ((len(QUANTILES) + 1) * replicates.REPLICATES + 1)  # bytes, at most

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        rows, r = len(ranges.low), replicates.REPLICATES
        self.whole = reduce.empty(rows, kind=reduce.WEIGHED if ranges.weighted else reduce.BIN)
        self.held, self.below = np.zeros((rows, r), np.int64), np.zeros((rows, len(QUANTILES), r), np.int64)
        self.paths = np.zeros(rows, np.int64)
        ends = [rows * n // STRIPES for n in range(STRIPES + 1)]
        self._stripes = [(threading.Lock(), slice(a, b)) for a, b in pairwise(ends)]

    def tally(self, rows: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
        """Count the rows of one chunk (R, N); returns its sums by row and replicate (R, 16)."""
        total, of = np.zeros((len(rows), replicates.REPLICATES)), self.ranges
        each = np.ones(rows.shape[1], np.int64) if weight is None else weight
        for lock, s in self._stripes:
            with lock:
                if weight is None:
                    reduce.tally(self.whole[s], rows[s], of.low[s], of.scale[s])
                else:
                    reduce.tally_weighted(self.whole[s], rows[s], weight, of.low[s], of.scale[s])
                replicates.by_replicate(rows[s], each, of.low[s], of.marks[s], total[s], self.held[s], self.below[s], self.paths[s])
        return total

    def merge(self, other: Counts) -> None:
        """Add what another counted of the same run."""
        mine, theirs = self.whole, other.whole
        for end, ties, beyond in (("least", "at_least", np.less), ("most", "at_most", np.greater)):
            same, further = mine[end] == theirs[end], beyond(theirs[end], mine[end])
            mine[ties] = np.where(further, theirs[ties], mine[ties] + np.where(same, theirs[ties], 0))
            mine[end] = np.where(further, theirs[end], mine[end])
        mine["count"] += theirs["count"]
        self.held += other.held
        self.below += other.below
        self.paths += other.paths


@dataclass(frozen=True)
class Figures:
    """What counts and sums say of a slice of rows; fields as in `Tally`, quantiles and their errors (Q, rows)."""

    count: np.ndarray
    share: np.ndarray
    mean: np.ndarray
    se: np.ndarray
    quantiles: np.ndarray
    errors: np.ndarray

    @staticmethod
    def of(part: slice, counts: Counts, total: np.ndarray, weight: float) -> Figures:
        """From all counts and sums (R, 16); `weight` is that of all paths."""
        of, held, n = counts.ranges, counts.held[part], counts.paths[part]
        mine = held.sum(axis=1)
        mean = of.low[part] + np.divide(total[part].sum(axis=1), mine, out=np.full(len(n), np.nan), where=mine > 0)
        spread = np.stack([replicates.share_error(counts.below[part, i], held, p) for i, p in enumerate(QUANTILES)])
        value, error = reduce.quantiles_and_errors(counts.whole, part, QUANTILES, spread, n)
        return Figures(n, mine / weight, mean, replicates.ratio_error(total[part], held), value, error)

    def tally(self, q: Question, at: int) -> Tally:
        """Those of the question whose rows begin at row `at` of the slice."""
        part = slice(at, at + q.width)
        values, errors = (dict(zip(QUANTILES, each[:, part])) for each in (self.quantiles, self.errors))
        return Tally(q, self.count[part], self.share[part], self.mean[part], self.se[part], values, errors, np.empty((0, 0)))


def tally_of(q: Question, at: int, counts: Counts, total: np.ndarray, weight: float) -> Tally:
    """Figures of the question whose rows begin at `at`, from all counts and sums (R, 16); `weight` is that of all paths."""
    return Figures.of(slice(at, at + q.width), counts, total, weight).tally(q, 0)


def starts_of(questions: Sequence[Question]) -> list[int]:
    """First row of each question."""
    return [0, *np.cumsum([q.width for q in questions])[:-1].tolist()] if questions else []
