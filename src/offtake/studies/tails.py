"""Rare outcomes: paths drawn where an outcome happens, and weighted back to how likely they are (importance sampling).

Method  Normal scores get a new mean: that of the paths on which the outcome holds, found in rounds that go a fiftieth of the paths further
        each time (cross-entropy: Rubinstein and Kroese, 2004). Then every path is drawn from a mixture, a quarter as it is and the rest
        around that mean, so no weight is above 4 (defensive: Hesterberg, Technometrics 37, 1995). A weight is the density of the book's
        own draws over that of the mixture; histograms, means and errors are those of `Futures` with weights. A path stays a function of
        (book, seed, path) and of the shift, which the first paths of the same seed settle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import montecarlo, stages
from ..block import Block
from ..errors import QuestionError
from ..evidence.weights import effective, fixed
from ..kernels.draw import uniform_row
from ..kernels.replicates import error_of_mean, folded, ratio_error
from ..plan import Plan
from ..questions import Question
from ..tables import plain
from .asked import Run
from .conditions import Condition, condition_of
from .crowd import markets
from .sweep import figures_of
from .whatif import by_block

AS_IT_IS = 0.25  # share of the paths that are drawn without the shift
PILOT = 4_096
ELITE = 0.02  # share of a round's paths that lead further
ROUNDS = 8
CLEAR = 3.0  # standard errors by which a mean must differ from nothing
FEWEST = 32  # paths of the outcome for a mean of scores
COIN = 4_000_000  # input number of the draw that says which part of the mixture a path is from


@dataclass(frozen=True)
class Shift:
    """A new mean of the scores: as they are read (I,), and in scores before dependence, of which the mixed inputs come first."""

    plan: Plan
    mean: np.ndarray

    def apply(self, b: Block, seed: int) -> np.ndarray:
        """Move the scores of a block's paths that are not drawn as they are; returns the log weights (L,)."""
        coin = np.empty(b.Z.shape[1])
        uniform_row(seed, b.first, COIN, 0, coin)
        b.Z += self.mean[:, None] * (coin >= AS_IT_IS)
        if self.plan.forced < 0:
            b.scenario[:] = markets(self.plan, b.Z[0])
        return self.log_weights(b.Z)

    def log_weights(self, Z: np.ndarray) -> np.ndarray:
        """log of 1 / (share + (1 - share) x density around the new mean over density around 0), for scores (I, L)."""
        free, tied, back = self._parts()
        ahead = self.mean[free] @ Z[free] + (back @ self.mean[tied]) @ (back @ Z[tied])
        size = self.mean[free] @ self.mean[free] + ((back @ self.mean[tied]) ** 2).sum()
        found: np.ndarray = -np.logaddexp(np.log(AS_IT_IS), np.log1p(-AS_IT_IS) + ahead - 0.5 * size)
        return found

    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs that stand alone, mixed ones, and what turns mixed scores back into independent ones."""
        tied = self.plan.draws.mixed
        return np.setdiff1d(np.arange(len(self.mean)), tied), tied, np.linalg.pinv(self.plan.draws.chol)

    def fill(self, b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
        """Compute the 64 paths from `first` on, shifted."""
        stages.draw_inputs(b, seed, first, np.zeros_like(clipped))
        self.apply(b, seed)
        stages.redraw(b, seed, clipped)
        stages.follow(b)


def pilot(run: Run, condition: Condition, shift: Shift) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (N,), log weights (N,) and scores (I, N) of the first paths, shifted."""

    def read(b: Block) -> np.ndarray:
        logs = shift.apply(b, run.stamp.seed)
        scores = b.Z.copy()
        stages.redraw(b, run.stamp.seed, np.zeros(len(run.plan.factor_paths), np.int64))
        stages.follow(b)
        return np.concatenate([condition.question.read(b)[condition.row or 0][None], logs[None], scores])

    found = by_block(run.plan, run.stamp.seed, PILOT, read, run.workers)
    return found[0], found[1], found[2:]


def shift_for(run: Run, condition: Condition) -> Shift:
    """The mean of the scores on the outcome. Raises QuestionError where no round comes nearer to it."""
    shift = Shift(run.plan, np.zeros(len(run.plan.inputs.names)))
    sign, last = (1.0 if condition.below else -1.0), np.inf
    for _ in range(ROUNDS):
        values, logs, scores = pilot(run, condition, shift)
        depth = sign * np.where(np.isnan(values), np.inf * sign, values)
        reached = max(sign * condition.level, float(np.quantile(depth, ELITE)))
        elite = condition.holds(values) if reached == sign * condition.level else depth <= reached
        if elite.sum() >= FEWEST:
            shift = Shift(run.plan, _mean_of(scores[:, elite], np.exp(logs[elite] - logs[elite].max())))
        if condition.holds(values).sum() >= FEWEST and reached == sign * condition.level:
            return shift
        if not reached < last:
            break
        last = reached
    raise QuestionError(
        f"'{condition.text}' holds on no path that {ROUNDS} rounds of {PILOT:,} paths came near: the book as it is hardly allows it"
    )


def _mean_of(scores: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean of scores (I, n), nothing where it does not clearly differ from nothing."""
    mean = scores @ weight / weight.sum()
    error = np.sqrt((weight**2).sum()) / weight.sum()
    return np.where(np.abs(mean) > CLEAR * error, mean, 0.0)


def tail(run: Run, text: str, measures: Sequence[str] = ()) -> dict[str, Any]:
    """{outcome, paths, plain, weighted, shift, rows}: how likely an outcome is, with and without the shift, and figures where it holds.

    Raises QuestionError for an outcome that does not read, or that no round comes near.
    """
    condition = condition_of(run.plan, text, "an outcome")
    figures = figures_of(run.plan, measures)
    shift = shift_for(run, condition)
    event = replace(condition.question, periods=(condition.question.periods[condition.row or 0],))
    asked = [event, *(q for _, q in figures)]
    before = run.outcome([event])
    values = before.tallies[0].kept[0]
    hit = condition.holds(values).astype(float)
    done = _weighted(run, shift, asked)
    weights, seen = done.weights, condition.holds(done.tallies[0].kept[0])
    assert weights is not None
    chance, error = share_of(seen, weights)
    se = float(error_of_mean(hit))
    moved = np.argsort(-np.abs(shift.mean), kind="stable")[:8]
    return {
        "stamp": run.stamp.to_dict(), "outcome": text, "unit": event.measure.unit, "level": condition.level, "paths": len(weights),
        "plain": {"chance": float(hit.mean()), "se": plain(se), "hits": int(hit.sum())},
        "weighted": {"chance": chance, "se": plain(error), "hits": int(seen.sum()), "effective_paths": effective(weights),
                     "effective_hits": effective(weights * seen)},
        "shift": [{"input": run.plan.inputs.names[i], "deviations": float(shift.mean[i])} for i in moved if shift.mean[i]],
        "rows": [_figure(name, q, t, weights, seen) for (name, q), t in zip(figures, done.tallies[1:])],
    }  # fmt: skip


def _weighted(run: Run, shift: Shift, asked: Sequence[Question]) -> montecarlo.Outcome:
    """The paths of the run that are kept, from the mixture, with their weights."""
    count = min(run.stamp.paths, montecarlo.KEPT)
    logs = by_block(run.plan, run.stamp.seed, count, lambda b: shift.apply(b, run.stamp.seed), run.workers)
    futures = montecarlo.Futures(count, run.stamp.seed, fixed(logs), shift.fill)
    return montecarlo.compute(run.plan, asked, futures, run.workers, run.progress)


def share_of(hit: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted share of the paths that are hit, and its error from the replicates."""
    held = folded(weights.astype(float))[0]
    total = folded(weights * hit.astype(float))[0]
    return float(total.sum() / held.sum()), float(ratio_error(total, held))


def _figure(name: str, q: Question, tally: montecarlo.Tally, weights: np.ndarray, hit: np.ndarray) -> dict[str, Any]:
    """Mean of a figure where the outcome holds, and over all paths, each with its error."""
    values = tally.kept[0]
    there = hit & ~np.isnan(values)
    w = np.where(there, weights, 0).astype(float)
    total, held = folded(w * np.where(there, values, 0.0))[0], folded(w)[0]
    given = plain(total.sum() / held.sum()) if there.any() else None
    return {
        "measure": name, "unit": q.measure.unit, "given": given, "se_given": plain(ratio_error(total, held)) if there.any() else None,
        "all": plain(tally.mean[0]), "se_all": plain(tally.se[0]),
    }  # fmt: skip
