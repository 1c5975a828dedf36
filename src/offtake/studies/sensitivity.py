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
    order = np.argsort(values, kind="stable")
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


class Sensitivity:
    """Inputs prepared once, asked about many targets."""

    def __init__(self, names: tuple[str, ...], inputs: np.ndarray) -> None:
        self.names = names
        self._inputs = inputs
        self._scores, self._ranks = np.empty_like(inputs), np.empty_like(inputs)
        for row, score, rank in zip(inputs, self._scores, self._ranks):  # row by row: whole temporaries would be the run's peak
            score[:], rank[:] = _standard(row), _standard(ranks(row))
        n = inputs.shape[1]
        gram = self._scores @ self._scores.T / n
        self._solver = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)

    def movers(self, target: np.ndarray) -> list[Mover]:
        """All inputs, the strongest by share of variance first; empty where the target does not vary or is partly absent."""
        if np.isnan(target).any() or np.ptp(target) == 0.0:
            return []
        n = len(target)
        y = _standard(target)
        correlations = self._ranks @ _standard(ranks(target)) / n
        slopes = self._scores @ y / n
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
