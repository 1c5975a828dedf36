"""The mean path: the model run once with every drawn number, and every month of every path in time, at its mean.

A word or a choice among few values has no mean worth the name: it takes the value that most paths have. Its results are those of one
path that nobody drew; they are not the means of the run, since a floor or a cap bends what is averaged (U-01).
"""

from __future__ import annotations

import numpy as np

from .. import stages
from ..block import Block
from ..kernels import draw
from ..plan import Plan

PATHS = 1_024  # means are over the first paths of the run


def mean_path(plan: Plan, seed: int) -> Block:
    """A filled block whose lanes are all the mean path; read lane 0."""
    b = stages.allocate(plan)
    clipped = np.zeros(len(plan.factor_paths), np.int64)
    factors, series, scenarios = [], np.zeros(b.Y.shape[:2]), []
    for first in range(0, PATHS, stages.LANES):
        stages.draw_inputs(b, seed, first, clipped)
        factors.append(b.X.copy())
        series += b.Y.mean(axis=2) * (stages.LANES / PATHS)
        scenarios.append(b.scenario.copy())
    X = np.concatenate(factors, axis=1)
    b.X[:] = central(X, few_values(plan))[:, None]
    b.Y[:] = series[:, :, None]
    b.scenario[:] = commonest(np.concatenate(scenarios))
    stages.follow(b)
    return b


def few_values(plan: Plan) -> np.ndarray:
    """(F,) bool: factors that are drawn from a list of values in some scenario."""
    return np.asarray((plan.draws.kind == draw.DISCRETE).any(axis=0))


def central(X: np.ndarray, listed: np.ndarray) -> np.ndarray:
    """(F,) mean of each factor over paths (F, P), or its commonest value where it is one of a list."""
    found = X.mean(axis=1)
    for f in np.flatnonzero(listed):
        found[f] = commonest(X[f])
    constant = X.min(axis=1) == X.max(axis=1)  # a mean would move the last bit
    return np.where(constant, X[:, 0], found)


def commonest(values: np.ndarray) -> float:
    """The value met most often; of two as often, the smaller."""
    found, counts = np.unique(values, return_counts=True)
    return float(found[np.argmax(counts)])
