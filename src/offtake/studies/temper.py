"""Tempered sequential Monte Carlo (E-02): a posterior where weights on prior paths leave too few of them.

Method  particles start as prior paths. The evidence is taken in by powers of its likelihood, each as large a step as leaves half of the
        effective particles; after each step particles are resampled and moved, so that they are fresh paths and not copies. Moves
        leave the prior as it is and are accepted by the likelihood alone: preconditioned Crank-Nicolson in the normal scores, after
        dependence, with a step that follows the share accepted; and, in turn, draws from the prior of what does not move by small
        steps: the scenario and the other choices among values, or all monthly noise of the path, which counts as one input.
        Sixteen populations, particle p in number p mod 16, share the steps and nothing else; each counts by its own estimate of the
        evidence, and their spread is the error that is shown.
Source  Del Moral, Doucet and Jasra, J. R. Stat. Soc. B 68 (2006) 411; Cotter, Roberts, Stuart and White, Stat. Sci. 28 (2013) 424;
        steps by conditional effective particles: Zhou, Johansen and Aston, J. Comput. Graph. Stat. 25 (2016) 701.

A particle is a pure function of book, seed, its number, the stage and the evidence: draws are those of input, path and stage (U-01).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .. import stages
from ..block import Block
from ..evidence.weights import effective, fixed
from ..kernels import draw
from ..kernels.replicates import REPLICATES
from ..montecarlo import LANES, Filler, Futures
from ..plan import Plan
from ..recount import read
from .compare import Asked
from .weighing import Evidence

STAGE_MONTH = 1 << 20  # draws of stages are keyed by months from here on, beyond those of any horizon
MOST_STAGES = 60
KEEP = 0.6  # of the effective particles that a step leaves
STEPS = 4  # moves in the scores after each step; twice as many at the end
PARTICLES = 4_096
FEWEST_AGREE = 4.0  # effective populations of the sixteen, under which they disagree too much


@dataclass
class Particles:
    """Scores after dependence (I, N), the path whose monthly noise each particle has (N,), and its values and log-likelihoods (E, N)."""

    scores: np.ndarray
    noise: np.ndarray
    values: np.ndarray
    logs: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """Log-likelihood of the whole evidence (N,)."""
        found: np.ndarray = self.logs.sum(axis=0)
        return found

    def take(self, chosen: np.ndarray) -> None:
        """Become copies of the chosen particles (N,)."""
        for name in ("scores", "noise", "values", "logs"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[..., chosen]))


@dataclass(frozen=True)
class Tempered:
    """Where it ended: particles, their whole weights (by population), powers of the likelihood by stage, shares accepted, and the
    logarithm of the evidence; `refused` says why there is no posterior."""

    particles: Particles
    weights: np.ndarray
    powers: list[float]
    accepted: list[float]
    log_evidence: float
    agree: float
    refused: str | None


class Tempering:
    """One evidence on one plan."""

    def __init__(self, plan: Plan, found: Evidence, how: Asked) -> None:
        self.plan, self.found, self.how = plan, found, how
        self.count = max(min(how.paths, PARTICLES) // 256 * 256, 256)
        self.step, self.moves = 0.5, 0
        self.own = free_choices(plan)

    def run(self) -> Tempered:
        """From the prior to the posterior, or to a refusal."""
        p = self._start()
        power, powers, accepted = 0.0, [0.0], [1.0]
        evidence = np.zeros(REPLICATES)
        while power < 1.0:
            if not np.isfinite(p.total).reshape(-1, REPLICATES).any(axis=0).all():
                return self._ended(p, evidence, powers, accepted, "in some population no path is possible under the figures")
            rise = self._rise(p.total, 1.0 - power)
            if rise < 1e-6 or len(powers) > MOST_STAGES:
                return self._ended(p, evidence, powers, accepted, f"after {len(powers) - 1} stages only {power:.2g} of the evidence is in")
            power = min(power + rise, 1.0)
            evidence += self._resample(p, rise, len(powers))
            accepted.append(self._move(p, power, 2 if power == 1.0 else 1))
            powers.append(power)
            if self.how.reporter:
                self.how.reporter.stage(f"tempering: {100 * power:.3g} % of the evidence is in; {100 * accepted[-1]:.0f} % of moves taken")
        return self._ended(p, evidence, powers, accepted, None)

    def _ended(self, p: Particles, evidence: np.ndarray, powers: list[float], accepted: list[float], refused: str | None) -> Tempered:
        weights = np.tile(fixed(evidence), self.count // REPLICATES)
        top = evidence.max()
        whole = float(top + math.log(np.exp(evidence - top).mean())) if np.isfinite(top) else -math.inf
        agree = effective(fixed(evidence))
        if refused is None and agree < FEWEST_AGREE:
            refused = f"the sixteen populations disagree: {agree:.1f} of them count"
        return Tempered(p, weights, powers, accepted, whole, agree, refused)

    def _start(self) -> Particles:
        scores, noise = np.empty((len(self.plan.inputs.names), self.count)), np.arange(self.count)
        block, clipped = stages.allocate(self.plan), np.zeros(len(self.plan.factor_paths), np.int64)
        for first in range(0, self.count, LANES):
            stages.draw_inputs(block, self.how.seed, first, clipped)
            scores[:, first : first + LANES] = block.Z
        values = self._values(scores, noise)
        return Particles(scores, noise, values, self.found.log_likelihood(values))

    def _values(self, scores: np.ndarray, noise: np.ndarray) -> np.ndarray:
        futures = Futures(self.count, self.how.seed, fill=filler(scores, noise))
        return read(self.plan, self.found.questions, futures, self.how.workers)

    def _rise(self, total: np.ndarray, most: float) -> float:
        """The largest step in the power that leaves half of the effective particles, by bisection."""
        there = total[np.isfinite(total)]

        def kept(rise: float) -> float:
            w = np.exp(rise * (there - there.max()))
            return float(w.sum() ** 2 / (w @ w)) / len(w)

        if kept(most) >= KEEP:
            return most
        low, high = 0.0, most
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if kept(middle) >= KEEP else (low, middle)
        return low

    def _resample(self, p: Particles, rise: float, stage: int) -> np.ndarray:
        """Resample each population systematically by its weights; returns the logarithm of its mean weight (16,)."""
        logs = rise * p.total.reshape(-1, REPLICATES)
        weights = np.exp(logs - logs.max(axis=0))
        chosen = np.empty(weights.shape, np.int64)
        for r in range(REPLICATES):
            reach = np.cumsum(weights[:, r])
            start = draw.uniform(self.how.seed, r, 0, STAGE_MONTH + stage)
            at = (np.arange(len(reach)) + start) * (reach[-1] / len(reach))
            chosen[:, r] = np.minimum(np.searchsorted(reach, at, side="right"), len(reach) - 1) * REPLICATES + r
        found: np.ndarray = np.log(weights.mean(axis=0)) + logs.max(axis=0)
        p.take(chosen.ravel())
        return found

    def _move(self, p: Particles, power: float, rounds: int) -> float:
        """Steps in the scores, then choices and noise drawn anew; returns the share of steps in the scores that were taken."""
        shares = []
        for _ in range(rounds):
            for _ in range(STEPS):
                shares.append(self._accept(p, power, *self._nearby(p)))
                self.step = min(max(self.step * math.exp(shares[-1] - 0.3), 0.02), 1.0)
            if len(self.own):
                self._accept(p, power, self._chosen(p), p.noise)
            if self.plan.inputs.streams:
                self.moves += 1
                self._accept(p, power, p.scores, self.count * (self.moves + 1) + np.arange(self.count))
        return float(np.mean(shares))

    def _fresh(self, rows: np.ndarray) -> np.ndarray:
        """Independent scores (rows, N) of this move."""
        found, scratch = np.empty((len(rows), self.count)), np.empty(self.count)
        for z, i in zip(found, rows):
            draw.score_row(self.how.seed, 0, int(i), STAGE_MONTH * 2 + self.moves, z, scratch)
        return found

    def _nearby(self, p: Particles) -> tuple[np.ndarray, np.ndarray]:
        self.moves += 1
        fresh = self._fresh(np.arange(len(p.scores)))
        draw.correlate(self.plan.draws.mixed, self.plan.draws.chol, fresh)
        return math.sqrt(1.0 - self.step**2) * p.scores + self.step * fresh, p.noise

    def _chosen(self, p: Particles) -> np.ndarray:
        self.moves += 1
        scores = p.scores.copy()
        scores[self.own] = self._fresh(self.own)
        return scores

    def _accept(self, p: Particles, power: float, scores: np.ndarray, noise: np.ndarray) -> float:
        """Take a proposal where the likelihood says so; returns the share taken."""
        values = self._values(scores, noise)
        logs = self.found.log_likelihood(values)
        u = np.empty(self.count)
        draw.uniform_row(self.how.seed, 0, len(p.scores), STAGE_MONTH * 2 + self.moves, u)
        with np.errstate(invalid="ignore"):
            taken = np.log(u) < power * (logs.sum(axis=0) - p.total)
        p.scores = np.where(taken, scores, p.scores)
        p.noise = np.where(taken, noise, p.noise)
        p.values, p.logs = np.where(taken, values, p.values), np.where(taken, logs, p.logs)
        return float(taken.mean())


def free_choices(plan: Plan) -> np.ndarray:
    """Inputs that are drawn anew as a whole: the scenario, and choices among values on which no other input depends."""
    d = plan.draws
    discrete = {int(d.input[f]) for f in range(len(d.input)) if d.input[f] > 0 and (d.kind[:, f] == draw.DISCRETE).any()}
    drawn = plan.forced < 0 and len(d.cumulative) > 1
    return np.array(sorted(({0} if drawn else set()) | (discrete - set(d.mixed.tolist()))), np.int64)


def filler(scores: np.ndarray, noise: np.ndarray) -> Filler:
    """Fills a block with the particles first, first + 1, .."""

    def fill(block: Block, seed: int, first: int, clipped: np.ndarray) -> None:
        here = slice(first, first + LANES)
        stages.fill_given(block, seed, scores[:, here], noise[here], clipped)

    return fill
