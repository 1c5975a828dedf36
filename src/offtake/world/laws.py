"""Quantiles of the laws that a number may follow (N-02), in normal-score space: z is the score, Phi(z) the probability.

Working in scores keeps both tails exact to the last digits, and most laws are nearly straight lines there. Nothing here runs
during a draw: laws without a formula of their own become quantile tables once, when the book is compiled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from ..book.numbers import Number

GRID = 40_001  # points of a numerical distribution function
BISECTIONS = 90  # halvings of a bracket: down to the last bit

Curve = Callable[[np.ndarray], np.ndarray]
_normal = NormalDist()


def share_below(z: np.ndarray) -> np.ndarray:
    """Probability of a score below z, exact in the lower tail."""
    return np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in np.ravel(z)]).reshape(np.shape(z))


def score_of(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Score of a probability given from both ends (each exact where small); infinite at 0 and 1."""

    def one(low: float, high: float) -> float:
        if low <= 0.0 or high <= 0.0:
            return -math.inf if low <= 0.0 else math.inf
        return _normal.inv_cdf(low) if low < 0.5 else -_normal.inv_cdf(min(high, 0.5))

    return np.array([one(a, b) for a, b in zip(np.ravel(below), np.ravel(above))]).reshape(np.shape(below))


def quantile(number: Number, z: np.ndarray) -> np.ndarray:
    """Value of the number at normal scores z (any shape), clipped where it asks for it."""
    values = LAWS[number.kind](number, np.asarray(z, float))
    low, high = bounds(number)
    return np.clip(values, low, high)


def bounds(number: Number) -> tuple[float, float]:
    """Clip bounds; infinite where none was asked."""
    low, high = number.clip or (None, None)
    return (-math.inf if low is None else float(low)), (math.inf if high is None else float(high))


def outcomes(number: Number) -> tuple[np.ndarray, np.ndarray]:
    """Values, rising, and probabilities of a discrete number, or the one value of a constant."""
    if number.kind == "constant":
        return np.array(number.params[:1], float), np.ones(1)
    half = len(number.params) // 2
    values, chances = np.array(number.params[:half], float), np.array(number.params[half:], float)
    order = np.argsort(values, kind="stable")
    return values[order], chances[order] / chances.sum()


def mixed_parts(number: Number) -> list[tuple[float, Number]]:
    """Weights, adding to 1, and parts of a mixture."""
    total = math.fsum(number.params)
    return [(weight / total, part) for weight, part in zip(number.params, number.parts)]


def _constant(number: Number, z: np.ndarray) -> np.ndarray:
    return np.full(z.shape, float(number.params[0]))


def _normal_law(number: Number, z: np.ndarray) -> np.ndarray:
    return number.params[0] + number.params[1] * z


def _lognormal(number: Number, z: np.ndarray) -> np.ndarray:
    return np.exp(number.params[0] + number.params[1] * z)


def _logit_normal(number: Number, z: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-(number.params[0] + number.params[1] * z)))


def _uniform(number: Number, z: np.ndarray) -> np.ndarray:
    low, high = number.params[:2]
    return low + (high - low) * share_below(z)


def _triangular(number: Number, z: np.ndarray) -> np.ndarray:
    low, mode, high = number.params[:3]
    below, above = share_below(z), share_below(-z)
    rising = low + np.sqrt(below * (high - low) * (mode - low))
    return np.where(below * (high - low) < mode - low, rising, high - np.sqrt(above * (high - low) * (high - mode)))


def _beta(number: Number, z: np.ndarray) -> np.ndarray:
    """By the distribution function of the logit, summed from both ends; log-concave, so its tails end where said here."""
    a, b = number.params[:2]
    middle, width = math.log(a / b), math.sqrt(1.0 / a + 1.0 / b)
    t = np.linspace(middle - 46.0 / a - 12.0 * width, middle + 46.0 / b + 12.0 * width, GRID)
    density = np.exp(a * (t - middle) - (a + b) * (np.logaddexp(0.0, t) - math.log1p(a / b)))
    steps = 0.5 * (density[1:] + density[:-1])
    below = np.concatenate([[0.0], np.cumsum(steps)])
    above = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]])
    total = below[-1]
    wanted = (below / total > 1e-12) & (above / total > 1e-12)
    scores = score_of(below[wanted] / total, above[wanted] / total)
    return np.asarray(1.0 / (1.0 + np.exp(-np.interp(z, scores, t[wanted]))))


def _discrete(number: Number, z: np.ndarray) -> np.ndarray:
    values, chances = outcomes(number)
    return values[np.searchsorted(np.cumsum(chances)[:-1], share_below(z), side="right")]


def _empirical(number: Number, z: np.ndarray) -> np.ndarray:
    """Straight lines between the sorted observations, the first at probability 0 and the last at 1."""
    values = np.sort(np.array(number.params, float))
    return np.asarray(np.interp(share_below(z), np.linspace(0.0, 1.0, len(values)), values))


def _mixture(number: Number, z: np.ndarray) -> np.ndarray:
    """The smallest value whose probability reaches that of z, between the parts' own quantiles at z."""
    parts = [(weight, *_distribution(part)) for weight, part in mixed_parts(number)]
    at = np.array([quantile(part, z) for part in number.parts])
    low, high = at.min(axis=0), at.max(axis=0)
    below, above = share_below(z), share_below(-z)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        got_below = sum(weight * under(middle) for weight, under, _ in parts)
        got_above = sum(weight * over(middle) for weight, _, over in parts)
        reached = np.where(z <= 0.0, got_below >= below, got_above <= above)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return np.asarray(high)


def _distribution(number: Number) -> tuple[Curve, Curve]:
    """Probability at or below x, and above x, as functions of x."""
    if number.kind in ("constant", "discrete"):
        values, chances = outcomes(number)
        below, above = np.concatenate([[0.0], np.cumsum(chances)]), np.concatenate([np.cumsum(chances[::-1])[::-1], [0.0]])
        return (
            lambda x: below[np.searchsorted(values, x, side="right")],
            lambda x: above[np.searchsorted(values, x, side="right")],
        )
    score = (lambda x: SCORES[number.kind](number, x)) if number.kind in SCORES else _score_by_grid(number)
    return lambda x: share_below(score(x)), lambda x: share_below(-score(x))


def _score_by_grid(number: Number) -> Curve:
    """Scores by inverting the quantiles on a fine grid; the highest score of a value that has several."""
    grid = np.linspace(-8.0, 8.0, 3201)
    values, first = np.unique(quantile(number, grid)[::-1], return_index=True)
    scores = grid[::-1][first]

    def score(x: np.ndarray) -> np.ndarray:
        inside = np.interp(x, values, scores)
        return np.where(x < values[0], -np.inf, np.where(x >= values[-1], np.inf, inside))

    return score


def _log(x: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0.0, np.log(x), -np.inf)


Law = Callable[[Number, np.ndarray], np.ndarray]
LAWS: dict[str, Law] = {
    "constant": _constant,
    "normal": _normal_law,
    "lognormal": _lognormal,
    "logit_normal": _logit_normal,
    "uniform": _uniform,
    "triangular": _triangular,
    "beta": _beta,
    "discrete": _discrete,
    "empirical": _empirical,
    "mixture": _mixture,
}
SCORES: dict[str, Law] = {
    "normal": lambda n, x: (x - n.params[0]) / n.params[1],
    "lognormal": lambda n, x: (_log(x) - n.params[0]) / n.params[1],
    "logit_normal": lambda n, x: (_log(x) - _log(1.0 - x) - n.params[0]) / n.params[1],
}
