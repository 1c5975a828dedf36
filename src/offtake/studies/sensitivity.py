"""What moves a number: rank correlations and variance shares of all inputs, from the ensemble itself (U-04, V-10).

Axes   inputs (I, N) normal scores as drawn, targets (N,) values of the same paths.
Source least squares on the normal scores; a share of variance is beta x cov(score, value) / var(value), so the shares of
       correlated inputs add up to the R2 of the fit. What the fit leaves is reported as `unexplained`, never spread over inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mover:
    """One input's hold on a number: Spearman correlation, share of variance, and the number at the input's 10th and 90th percentile."""

    name: str
    correlation: float
    share: float
    low: float
    high: float


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of values (N,), ties at their average."""
    order = np.argsort(values)  # ties are averaged: their order does not matter
    found = values[order]
    starts = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1])))
    ends = np.concatenate((starts[1:], [len(found)]))
    result = np.empty(values.shape)
    result[order] = np.repeat((starts + ends - 1) / 2.0, ends - starts)
    return result


def _standard(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean()
    size = np.sqrt((centred**2).mean())
    result: np.ndarray = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)
    return result


def _inverse(sizes: np.ndarray) -> np.ndarray:
    """1 over each size; 0 for what does not vary."""
    result: np.ndarray = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return result


BATCH = 32  # rows that are widened at a time


class Sensitivity:
    """Inputs prepared once, asked about many targets.

    Nothing as large as the inputs is kept beside them but their ranks less the mean: halves, exact in half the width.
    """

    def __init__(self, names: tuple[str, ...], inputs: np.ndarray) -> None:
        self.names = names
        self._inputs = inputs
        n = inputs.shape[1]
        self.ranks = np.empty(inputs.shape, np.float32)
        for row, rank in zip(inputs, self.ranks):
            rank[:] = ranks(row) - (n - 1) / 2.0
        self._over_rank = _inverse(np.array([np.sqrt((r.astype(float) ** 2).mean()) for r in self.ranks]))
        means = inputs.mean(axis=1)
        covariance = inputs @ inputs.T / n - np.outer(means, means)
        self._over_score = _inverse(np.array([row.std() for row in inputs]))
        self._solver = np.linalg.pinv(covariance * np.outer(self._over_score, self._over_score), rcond=1e-10, hermitian=True)

    def _by_rank(self, y: np.ndarray) -> np.ndarray:
        """Sums of ranks times y, by input."""
        return np.concatenate([self.ranks[a : a + BATCH].astype(float) @ y for a in range(0, len(self.ranks), BATCH)])

    def movers(self, target: np.ndarray) -> list[Mover]:
        """All inputs, the strongest by share of variance first; empty where the target does not vary or is partly absent."""
        if np.isnan(target).any() or np.ptp(target) == 0.0:
            return []
        n = len(target)
        correlations = self._by_rank(_standard(ranks(target))) * self._over_rank / n
        slopes = self._inputs @ _standard(target) * self._over_score / n
        shares = (self._solver @ slopes) * slopes
        found = [Mover(name, float(c), float(s), float("nan"), float("nan")) for name, c, s in zip(self.names, correlations, shares)]
        order = sorted(range(len(found)), key=lambda i: (-abs(found[i].share), found[i].name))
        return [self._with_ends(found[i], i, target) if place < 12 else found[i] for place, i in enumerate(order)]

    def _with_ends(self, mover: Mover, i: int, target: np.ndarray) -> Mover:
        """The target's mean where the input lies within 5 points of its 10th and its 90th percentile."""
        score = self._inputs[i]
        cut = np.quantile(score, [0.05, 0.15, 0.85, 0.95])
        low, high = target[(score >= cut[0]) & (score <= cut[1])], target[(score >= cut[2]) & (score <= cut[3])]
        return Mover(mover.name, mover.correlation, mover.share, float(low.mean()), float(high.mean()))
