"""How much each input holds of a number, by four estimators, each with its error from the replicates (U-04).

Axes    inputs (I, N) normal scores as drawn, a target (N,) of the same paths, the replicate (N,) that each path stands in.
Method  slope: of the least-squares plane in the scores, per standard deviation of the input. With normal scores it is the mean of the
        derivative, whatever the function (Stein's lemma), and has the sign that a tornado shows.
        share: slope x cov(score, target) / var(target); shares of all inputs add up to the R2 of the plane.
        rank: Spearman's correlation.
        first order: var(E[target | input]) / var(target), from the target's means in bins of equally many paths, less what means of so
        few paths vary by chance (epsilon squared: Kelley, Proc. Nat. Acad. Sci. 21, 1935; given data: Plischke, Borgonovo and Smith,
        Eur. J. Oper. Res. 226, 2013). Inputs that depend on each other share what they hold, so it adds up to more than 1 with them.
        Errors leave one replicate out after the other (jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .sensitivity import ranks

BINS = 32
PER_BIN = 16  # paths at least


@dataclass(frozen=True)
class Estimate:
    """Values (I,) and their errors (I,)."""

    value: np.ndarray
    se: np.ndarray


def jackknife(whole: np.ndarray, left_out: np.ndarray) -> Estimate:
    """An estimate (I,) with its error from those that leave one replicate out (R, I); NaN where there are fewer than two."""
    n = len(left_out)
    if n < 2:
        return Estimate(whole, np.full(np.shape(whole), np.nan))
    return Estimate(whole, np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)))


class Indices:
    """Inputs prepared once, asked about many targets."""

    def __init__(self, names: tuple[str, ...], scores: np.ndarray, replicate: np.ndarray) -> None:
        self.names, self.scores = names, scores
        self._own = [np.flatnonzero(replicate == r) for r in np.unique(replicate)]
        self._replicate = np.searchsorted(np.unique(replicate), replicate)

    @cached_property
    def _places(self) -> np.ndarray:
        """(I, N) int32: which place each path has among all by its score; scores have no ties."""
        found = np.empty(self.scores.shape, np.int32)
        for row, mine in zip(self.scores, found):
            mine[np.argsort(row)] = np.arange(len(row), dtype=np.int32)
        return found

    @cached_property
    def _planes(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Of all paths, then with each replicate left out: paths, mean scores (I,), inverse covariance (I, I)."""
        sums = np.stack([self.scores[:, own].sum(axis=1) for own in self._own])
        squares = [self.scores[:, own] @ self.scores[:, own].T for own in self._own]
        total, square, n = sums.sum(axis=0), np.sum(squares, axis=0), self.scores.shape[1]
        found = [_plane(n, total, square)]
        if len(self._own) > 1:
            found += [_plane(n - len(own), total - s, square - q) for own, s, q in zip(self._own, sums, squares)]
        return found

    def regression(self, y: np.ndarray) -> tuple[Estimate, Estimate]:
        """Slopes per standard deviation, and shares of variance."""
        parts = [(len(own), self.scores[:, own] @ y[own], y[own].sum(), (y[own] ** 2).sum()) for own in self._own]
        whole = tuple(np.sum([part[i] for part in parts], axis=0) for i in range(4))
        left = [tuple(w - p for w, p in zip(whole, part)) for part in parts] if len(parts) > 1 else []
        fits = [_fit(plane, sums) for plane, sums in zip(self._planes, [whole, *left])]
        return tuple(jackknife(fits[0][i], np.array([fit[i] for fit in fits[1:]])) for i in (0, 1))  # type: ignore[return-value]

    def rank(self, y: np.ndarray) -> Estimate:
        """Spearman correlations: ranks over all paths, their correlation with each replicate left out."""
        n, each = len(y), len(self._own)
        order = (ranks(y) - (n - 1) / 2.0) / n
        own = np.bincount(self._replicate, order * order, each)
        found = []
        for row in self._places:
            mine = (row - (n - 1) / 2.0) / n
            sums = np.stack([np.bincount(self._replicate, mine * order, each), np.bincount(self._replicate, mine * mine, each), own])
            found.append([_correlation(sums.sum(axis=1)), *(_correlation(sums.sum(axis=1) - s) for s in sums.T)])
        table = np.array(found)
        return jackknife(table[:, 0], table[:, 1:].T)

    def first_order(self, y: np.ndarray) -> Estimate:
        """var(E[target | input]) / var(target)."""
        n, each = len(y), len(self._own)
        bins = int(np.clip(n // PER_BIN, 2, BINS))
        found, centred = [], y - y.mean()
        squared, whole = centred**2, np.bincount(self._replicate, centred**2, each)
        for row in self._places:
            at = (row.astype(np.int64) * bins // n) * each + self._replicate
            count, total = (np.bincount(at, w, bins * each).reshape(bins, each) for w in (None, centred))
            left = [(count.sum(axis=1) - count[:, r], total.sum(axis=1) - total[:, r], whole.sum() - whole[r]) for r in range(each)]
            found.append([_between(*sums) for sums in [(count.sum(axis=1), total.sum(axis=1), squared.sum()), *left]])
        table = np.array(found)
        return jackknife(table[:, 0], table[:, 1:].T)

    def ends(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The target's means where each input lies within 5 points of its 10th and of its 90th percentile, both (I,)."""
        n = len(y)
        low = [y[(row >= 0.05 * n) & (row < 0.15 * n)].mean() for row in self._places]
        high = [y[(row >= 0.85 * n) & (row < 0.95 * n)].mean() for row in self._places]
        return np.array(low), np.array(high)


def _plane(n: int, total: np.ndarray, square: np.ndarray) -> tuple[int, np.ndarray, np.ndarray]:
    mean = total / n
    covariance = square / n - np.outer(mean, mean)
    size = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    over = np.divide(1.0, size, out=np.zeros_like(size), where=size > 1e-12)
    scaled = np.linalg.pinv(covariance * np.outer(over, over), rcond=1e-10, hermitian=True)
    return n, mean, scaled * np.outer(over, over)


def _fit(plane: tuple[int, np.ndarray, np.ndarray], sums: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Slopes and shares of one plane."""
    n, mean, inverse = plane
    _, cross, total, square = sums
    covariance = cross / n - mean * (total / n)
    slope = inverse @ covariance
    variance = square / n - (total / n) ** 2
    return slope, slope * covariance / variance if variance > 0.0 else np.zeros_like(slope)


def _correlation(sums: np.ndarray) -> float:
    cross, one, other = sums
    return float(cross / np.sqrt(one * other)) if one > 0.0 and other > 0.0 else 0.0


def _between(count: np.ndarray, total: np.ndarray, square: float) -> float:
    """Share of variance between bins: 1 - (variance within) / (variance), each by its degrees of freedom."""
    n, there = count.sum(), count > 0
    whole = (square - total.sum() ** 2 / n) / max(n - 1.0, 1.0)
    within = (square - (total[there] ** 2 / count[there]).sum()) / max(n - there.sum(), 1.0)
    return float(1.0 - within / whole) if whole > 0.0 else 0.0
