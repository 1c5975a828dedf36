"""Paths counted anew: a finished run with other weights, and the bare values of every path (E-02)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, groupby

import numpy as np

from . import stages
from .block import Block
from .errors import ShapeError
from .kernels.replicates import REPLICATES
from .montecarlo import CHUNK, LANES, UNIT, Futures, Outcome, Reporter, Silent, prepare
from .plan import Plan
from .questions import Question, read_all
from .spread import cores, in_order
from .tallies import Counts, Figures, Ranges, starts_of


def read(
    plan: Plan,
    questions: Sequence[Question],
    futures: Futures,
    workers: int | None = None,
    reporter: Reporter | None = None,
    lanes: int = LANES,
) -> np.ndarray:
    """The values of every path, (rows, count), untallied: for few questions. Chunks without weight are NaN.

    lanes  paths side by side: 64, or a whole chunk where a plan is so small that calling the kernels costs more than what they do
    """
    tell = reporter or Silent()
    prepare(plan, tell)
    tell.stage(f"reading {futures.count:,} paths")
    found = np.full((sum(q.width for q in questions), futures.count), np.nan)
    blocks: deque[Block] = deque()

    def fill(number: int) -> int:
        try:
            block = blocks.pop()
        except IndexError:
            block = stages.allocate(plan, lanes)
        clipped = np.zeros(len(plan.factor_paths), np.int64)
        last = min((number + 1) * CHUNK, futures.count)
        for start in range(number * CHUNK, last, lanes):
            futures.fill(block, futures.seed, start, clipped)
            read_all(questions, block, found[:, start : min(start + lanes, last)])
        blocks.append(block)
        return last

    for last in in_order(fill, sorted(chain(*futures.chunks)), workers or cores()):
        tell.step(last, futures.count)
    return found


def reweigh(outcome: Outcome, weights: np.ndarray) -> Outcome:
    """A finished run with other weights, from its kept paths: the bits of `compute`, without computing a path again.

    raises  ShapeError where not every question kept every path
    """
    futures = Futures(outcome.paths, outcome.seed, weights)
    questions = [t.question for t in outcome.tallies]
    if any(t.kept.shape != (t.question.width, outcome.paths) for t in outcome.tallies):
        raise ShapeError(f"not every question kept all {outcome.paths:,} paths")
    rows = np.concatenate([t.kept for t in outcome.tallies])
    pilot, others = futures.chunks
    at = {number: slice(number * CHUNK, (number + 1) * CHUNK) for number in (*pilot, *others)}
    first, counted = (np.concatenate([a[..., at[n]] for n in pilot], axis=-1) for a in (rows, weights))
    counts = Counts(Ranges.of(first, counted))
    total = np.zeros((len(rows), REPLICATES))
    for _, unit in groupby(sorted(at), key=lambda number: number // UNIT):
        total += sum(counts.tally(np.ascontiguousarray(rows[:, at[n]]), weights[at[n]]) for n in unit)
    figures = Figures.of(slice(0, len(rows)), counts, total, weights.sum())
    found = [figures.tally(q, start) for q, start in zip(questions, starts_of(questions))]
    return replace(outcome, tallies=[replace(f, kept=t.kept) for f, t in zip(found, outcome.tallies)], weights=weights)
