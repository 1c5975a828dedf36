"""The evidence as questions, and prior paths weighed by its likelihood (E-02)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import recount
from ..evidence import weights
from ..evidence.observations import Observation
from ..montecarlo import Futures, Outcome
from ..plan import Plan
from ..questions import Question
from .compare import Asked
from .observe import asked
from .single import one

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


def log_mean(logs: np.ndarray) -> float:
    """log of the mean of exp(logs)."""
    top = float(logs.max(initial=-math.inf))
    return top if top == -math.inf else top + math.log(float(np.exp(logs - top).mean()))
