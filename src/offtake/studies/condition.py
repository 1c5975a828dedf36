"""What follows from what was observed (E-02, E-03): every headline, scenario and input before and after.

The evidence is conditioned on as a whole and read in its own order, so the order in which it came does not matter. Each path is weighted
by the likelihood of all figures on it; effective paths and the tail of the weights say whether that carries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import montecarlo, recount
from ..evidence import weights
from ..evidence.observations import Observation
from ..montecarlo import Futures, Outcome
from ..plan import Plan
from ..questions import Question
from ..tables import plain
from .beliefs import before_and_after, beliefs, one
from .compare import Asked
from .observe import asked

ENOUGH = 400.0  # effective paths under which weights alone do not carry a posterior


@dataclass(frozen=True)
class Evidence:
    """Observations in their own order, and the one-row question that each measures."""

    observations: tuple[Observation, ...]
    questions: tuple[Question, ...]

    def log_likelihood(self, values: np.ndarray) -> np.ndarray:
        """(observations, P) of the values (observations, P) of the questions."""
        found = np.zeros(values.shape)
        for o, row, out in zip(self.observations, values, found):
            o.add_log_likelihood(row, out)
        return found


def evidence_of(plan: Plan, observations: Sequence[Observation]) -> Evidence:
    """Raises QuestionError where the book has no such measure or period."""
    found = tuple(sorted(observations, key=lambda o: o.order))
    return Evidence(found, tuple(one(*asked(plan, o.about)) for o in found))


@dataclass(frozen=True)
class Weighing:
    """The prior paths weighed: their values under each observation, log-likelihoods by observation, and whole weights."""

    values: np.ndarray
    by_observation: np.ndarray
    weights: np.ndarray

    @property
    def effective(self) -> float:
        return weights.effective(self.weights)

    @property
    def tail(self) -> float | None:
        return weights.pareto_tail(self.weights)

    @property
    def trusted(self) -> bool:
        tail = self.tail
        return self.effective >= min(ENOUGH, len(self.weights)) and (tail is None or tail <= weights.UNRELIABLE)


def weigh(plan: Plan, found: Evidence, how: Asked, prior: Outcome) -> Weighing:
    """The likelihood of the whole evidence on each prior path: read from the kept paths where all are kept, else computed."""
    by_key = {q.key: t.kept for q, t in ((t.question, t) for t in prior.tallies)}
    if all(by_key.get(q.key, np.empty(0)).shape == (1, how.paths) for q in found.questions):
        values = np.concatenate([by_key[q.key] for q in found.questions])
    else:
        values = recount.read(plan, found.questions, Futures(how.paths, how.seed), how.workers, how.reporter)
    by_observation = found.log_likelihood(values)
    return Weighing(values, by_observation, weights.fixed(by_observation.sum(axis=0)))


def reweighed(plan: Plan, prior: Outcome, weights: np.ndarray, how: Asked) -> Outcome:
    """The prior's questions with the paths weighed."""
    if how.paths <= montecarlo.KEPT:
        return recount.reweigh(prior, weights)
    return montecarlo.compute(plan, [t.question for t in prior.tallies], Futures(how.paths, how.seed, weights), how.workers, how.reporter)


def condition(plan: Plan, observations: Sequence[Observation], how: Asked, shown: Sequence[str] = ()) -> dict[str, Any]:
    """Before and after, ready for JSON. Without evidence both are the same paths, each counting one."""
    found = evidence_of(plan, observations)
    wanted = beliefs(plan, [*(o.about for o in found.observations), *shown])
    prior = montecarlo.run(plan, wanted.questions, how.paths, how.seed, how.workers, how.reporter)
    if not found.observations:
        return {"method": "none", "paths": how.paths, "evidence": [], **before_and_after(wanted, prior, prior)}
    weighing = weigh(plan, found, how, prior)
    told = {"paths": how.paths, "evidence": [_told(o, i, weighing) for i, o in enumerate(found.observations)]}
    told["weights"] = {
        "effective": weighing.effective, "enough": min(ENOUGH, how.paths), "tail": plain(weighing.tail), "trusted": weighing.trusted,
        "log_evidence": plain(log_mean(weighing.by_observation.sum(axis=0))),
    }  # fmt: skip
    if weighing.trusted:
        posterior = reweighed(plan, prior, weighing.weights, how)
        return {"method": "weights", **told, **before_and_after(wanted, prior, posterior)}
    return {"method": "refused", **told, "refused": refusal(weighing, found), **before_and_after(wanted, prior, None)}


def log_mean(logs: np.ndarray) -> float:
    """log of the mean of exp(logs)."""
    top = float(logs.max(initial=-math.inf))
    return top if top == -math.inf else top + math.log(float(np.exp(logs - top).mean()))


def _told(o: Observation, i: int, weighing: Weighing) -> dict[str, Any]:
    """One observation as it was read, where the prior puts it, and how far it alone goes."""
    values = weighing.values[i]
    there = values[~np.isnan(values)] * o.covers
    alone = weights.fixed(weighing.by_observation[i])
    ends = [plain(np.quantile(there, q)) if len(there) else None for q in (0.05, 0.5, 0.95)]
    middle = o.middle
    return o.to_dict() | {
        "prior": {"p05": ends[0], "p50": ends[1], "p95": ends[2], "absent": 1.0 - len(there) / len(values)},
        "below": None if middle is None or not len(there) else float((there < middle).mean()),
        "chance": None if middle is None or not len(there) else as_far_out(o, there, middle),
        "effective": weights.effective(alone),
        "log_evidence": plain(log_mean(weighing.by_observation[i])),
    }


def as_far_out(o: Observation, values: np.ndarray, figure: float) -> float | None:
    """Chance, before anything was observed, of a figure at least as far out on its side, twice: values of the paths blurred by the
    discrepancy. A bound says no such thing, and a count has its own law."""
    if o.relation not in ("=", "~", "in"):
        return None
    spread = np.hypot(np.hypot(o.discrepancy, o.spread), o.covers_spread * values)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0.0, (figure - values) / spread, np.sign(figure - values) * np.inf)
    below = float(np.mean([0.5 * math.erfc(-z / math.sqrt(2.0)) for z in np.nan_to_num(scores)]))
    return 2.0 * min(below, 1.0 - below)


def refusal(weighing: Weighing, found: Evidence) -> str:
    """Why weights do not carry: the figure that leaves the fewest paths."""
    alone = [weights.effective(weights.fixed(row)) for row in weighing.by_observation]
    worst = found.observations[int(np.argmin(alone))]
    return (
        f"{weighing.effective:,.0f} effective paths are left of {len(weighing.weights):,}; {worst.about} {worst.written} alone leaves "
        f"{min(alone):,.0f}"
    )


__all__ = ["Evidence", "Weighing", "condition", "evidence_of", "log_mean", "weigh"]
