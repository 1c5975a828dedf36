"""How much each input holds of a number, by four estimators, each with its error from the replicates (U-04).

Axes    inputs (I, N) normal scores as drawn, a target (N,) of the same paths, the replicate (N,) that each path stands in.
Method  slope: of the least-squares plane in the scores, per standard deviation of the input. With normal scores it is the mean of the
        derivative, whatever the function (Stein's lemma), and has the sign that a tornado shows.
        share: slope x cov(score, target) / var(target); shares of all inputs add up to the R2 of the plane.
        rank: Spearman's correlation.
        first order: var(E[target | input]) / var(target), given data (Plischke, Borgonovo and Smith, Eur. J. Oper. Res. 226, 2013): in
        bins of `PER_BIN` paths each, the target's mean and its slope in the normal score of the input's rank. The square of a mean or a
        slope is the product of two replicates' sums, over all pairs: replicates are independent where the paths of one are not, so
        nothing of the chance in a mean is squared and nothing has to be taken off for it. Bins grow in number with the paths, so what
        a line in a bin misses goes away: a bend falls like 1/B4, a jump like 1/B, and tails as fast as paths come to stand in them.
        Inputs that depend on each other share what they hold, so it adds up to more than 1 with them.
        Errors leave one replicate out after the other (jackknife); an interval of 95 % takes Student's t of one degree of freedom
        fewer than there are replicates, 15 of sixteen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from .sensitivity import ranks

PER_BIN = 32  # paths


# Student's t that 2.5 % lie above, by degrees of freedom from 1 on
T975 = (
    12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252, 2.306004135, 2.262157163, 2.228138852,
    2.200985160, 2.178812830, 2.160368656, 2.144786688, 2.131449546,
)  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """Values (I,), their errors (I,), and how many standard errors to either side are an interval of 95 %."""

    value: np.ndarray
    se: np.ndarray
    t: float = T975[-1]

    @property
    def low(self) -> np.ndarray:
        """Lower ends (I,) of the intervals of 95 %."""
        found: np.ndarray = self.value - self.t * self.se
        return found

    @property
    def high(self) -> np.ndarray:
        """Upper ends (I,)."""
        found: np.ndarray = self.value + self.t * self.se
        return found


def jackknife(whole: np.ndarray, left_out: np.ndarray) -> Estimate:
    """An estimate (I,) with its error from those that leave one replicate out (R, I); NaN where there are fewer than two."""
    n = len(left_out)
    if n < 2:
        return Estimate(whole, np.full(np.shape(whole), np.nan), float("nan"))
    t = T975[min(n - 1, len(T975)) - 1]
    return Estimate(whole, np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)), t)


class Indices:
    """Inputs prepared once, asked about many targets; inside, the paths of one replicate stand side by side.

    ranks  (I, N) of the scores less their mean, ties at their average, where somebody has found them
    """

    def __init__(self, names: tuple[str, ...], scores: np.ndarray, replicate: np.ndarray, ranks: np.ndarray | None = None) -> None:
        self.names, self._ranks = names, ranks
        self._order = np.argsort(replicate, kind="stable")
        self.scores = np.take(scores, self._order, axis=1)
        self._starts = np.flatnonzero(np.diff(replicate[self._order], prepend=-1))
        ends = np.append(self._starts[1:], len(replicate))
        self._own = [slice(a, b) for a, b in zip(self._starts, ends)]
        self._count = ends - self._starts  # paths of each replicate
        self._replicate = np.repeat(np.arange(len(self._own)), self._count)

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """Sums of values (.., N) over the paths of each replicate: (.., R)."""
        found: np.ndarray = np.add.reduceat(values, self._starts, axis=-1)
        return found

    @cached_property
    def _places(self) -> np.ndarray:
        """(I, N) int32: which place each path has among all by its score; scores have no ties."""
        found, n = np.empty(self.scores.shape, np.int32), self.scores.shape[1]
        for i, (row, mine) in enumerate(zip(self.scores, found)):
            if self._ranks is not None:
                mine[:] = self._ranks[i, self._order] + (n - 1) / 2.0
            if self._ranks is None or np.bincount(mine, minlength=n).max() > 1:  # of scores that are alike, as in paths counted twice
                mine[np.argsort(row)] = np.arange(n, dtype=np.int32)
        return found

    @cached_property
    def _squares(self) -> np.ndarray:
        """(I, R) sums of the squares of centred places."""
        n = self.scores.shape[1]
        return np.array([self._summed((row - (n - 1) / 2.0) ** 2) for row in self._places])

    @cached_property
    def _bins(self) -> tuple[int, np.ndarray, np.ndarray]:
        """How many bins, and by place: its bin (N,), and the normal score of the place as a line in its bin, of mean 0 and variance 1."""
        n = self.scores.shape[1]
        bins = max(n // PER_BIN, 2)
        at = np.arange(n) * bins // n
        line = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
        line -= (np.bincount(at, line) / np.bincount(at))[at]
        return bins, at, line / np.sqrt(np.bincount(at, line**2) / np.bincount(at))[at]

    @cached_property
    def _planes(self) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Of all paths, then with each replicate left out: paths, mean scores (I,), inverse covariance (I, I)."""
        sums = self._summed(self.scores).T
        squares = [self.scores[:, own] @ self.scores[:, own].T for own in self._own]
        total, square, n = sums.sum(axis=0), np.sum(squares, axis=0), self.scores.shape[1]
        found = [_plane(n, total, square)]
        if len(self._own) > 1:
            found += [_plane(int(n - c), total - s, square - q) for c, s, q in zip(self._count, sums, squares)]
        return found

    def regression(self, y: np.ndarray) -> tuple[Estimate, Estimate]:
        """Slopes per standard deviation, and shares of variance."""
        y = y[self._order]
        parts = [(len(y[own]), self.scores[:, own] @ y[own], y[own].sum(), (y[own] ** 2).sum()) for own in self._own]
        whole = tuple(np.sum([part[i] for part in parts], axis=0) for i in range(4))
        left = [tuple(w - p for w, p in zip(whole, part)) for part in parts] if len(parts) > 1 else []
        fits = [_fit(plane, sums) for plane, sums in zip(self._planes, [whole, *left])]
        return tuple(jackknife(fits[0][i], np.array([fit[i] for fit in fits[1:]])) for i in (0, 1))  # type: ignore[return-value]

    def rank(self, y: np.ndarray) -> Estimate:
        """Spearman correlations: ranks over all paths, their correlation with each replicate left out."""
        middle = (len(y) - 1) / 2.0
        order = ranks(y)[self._order] - middle
        cross = np.array([self._summed((row - middle) * order) for row in self._places])
        sums = np.stack([cross, self._squares, np.broadcast_to(self._summed(order * order), cross.shape)])
        whole = sums.sum(axis=-1)
        return jackknife(_correlation(whole), _correlation(whole[..., None] - sums).T)

    def first_order(self, y: np.ndarray) -> Estimate:
        """var(E[target | input]) / var(target)."""
        centred = (y - y.mean())[self._order]
        count, total, squared = self._count.astype(float), self._summed(centred), self._summed(centred**2)
        n, middle = _left(count), _of_pairs(_pairs(count), total)
        between = np.array([self._between(row, centred) for row in self._places]) / n - middle
        variance = _left(squared) / n - middle
        found = np.divide(between, variance, out=np.zeros_like(between), where=variance > 0.0)
        return jackknife(found[:, 0], found[:, 1:].T if len(count) > 1 else found[:0])

    def _between(self, places: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Sum of the squares that one input's bins explain of a centred target y (N,): of all replicates, then of all but one (1 + R,)."""
        bins, bin_of, line_of = self._bins
        at, each = bin_of[places], len(self._own)
        cell = at * each + self._replicate

        def summed(values: np.ndarray | None) -> np.ndarray:
            return np.bincount(cell, values, bins * each).reshape(bins, each).astype(float)

        count, total = summed(None), summed(y)
        level = total.sum(axis=1) / count.sum(axis=1)
        leaning = summed(line_of[places] * (y - level[at]))
        pairs = _pairs(count)
        found: np.ndarray = (_left(count) * (_of_pairs(pairs, total) + _of_pairs(pairs, leaning))).sum(axis=0)
        return found

    def ends(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The target's means where each input lies within 5 points of its 10th and of its 90th percentile, both (I,)."""
        n, y = len(y), y[self._order]
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


def _correlation(sums: np.ndarray) -> np.ndarray:
    """From sums (3, ..): of products, and of the squares of each."""
    cross, one, other = sums
    size = np.sqrt(np.maximum(one * other, 0.0))
    found: np.ndarray = np.divide(cross, size, out=np.zeros_like(cross), where=size > 0.0)
    return found


def _left(values: np.ndarray) -> np.ndarray:
    """Sums over replicates (.., R): of all, then of all but one (.., 1 + R)."""
    whole = values.sum(axis=-1, keepdims=True)
    return np.concatenate([whole, whole - values], axis=-1)


def _pairs(count: np.ndarray) -> np.ndarray:
    """Pairs of paths of two replicates, from the paths of each (.., R): of all, then with one left out after the other (.., 1 + R)."""
    found: np.ndarray = _left(count) ** 2 - _left(count**2)
    return found


def _of_pairs(pairs: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Squared means from `_pairs` and sums (.., R): products of the sums of two replicates, over all pairs of them, then with one replicate
    left out after the other (.., 1 + R); 0 where no pair is."""
    product = _left(total) ** 2 - _left(total**2)
    found: np.ndarray = np.divide(product, pairs, out=np.zeros_like(product), where=pairs > 0.5)
    return found
