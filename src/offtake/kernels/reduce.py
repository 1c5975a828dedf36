"""Rows of per-path values -> counts, sums and quantiles that merge in any order, and rank correlations (U-01, U-02, U-04).

**Axes**    rows (R), paths of a chunk (N), bins (B + 2: one below, B inside, one above), inputs (I), outputs (O).
**Units**   those of the row.
**Order**   counts, extremes and ties merge in any order to the same bits; sums are added by the caller in chunk order.
**Source**  speed.md, Reduction.

Every bin keeps its least and its most value and how many paths had exactly those. So an atom (nothing unpaid, the whole
contract) that is an end of its bin comes back exactly, and a quantile is off by less than its bin's observed width. An atom
with other values of its bin on both sides of it is spread over them. NaN is absent: counted as such, and in no sum.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from offtake.kernels.compiled import inner

BINS = 512
TAIL = 0.002  # share of the pilot at either end that the range leaves to the end bins
MARGIN = 0.02  # of that range, added at either end


class Histogram(NamedTuple):
    """Counts (R, B + 2) int64, and per bin the least and most value with how many paths had it; `absent` (R,) int64."""

    counts: np.ndarray
    least: np.ndarray
    most: np.ndarray
    at_least: np.ndarray
    at_most: np.ndarray
    absent: np.ndarray


def empty(rows, bins=BINS):
    """A histogram of nothing."""
    shape = (rows, bins + 2)
    return Histogram(
        np.zeros(shape, np.int64), np.full(shape, np.inf), np.full(shape, -np.inf), np.zeros(shape, np.int64),
        np.zeros(shape, np.int64), np.zeros(rows, np.int64),
    )  # fmt: skip


def ranges(pilot, bins=BINS):
    """Lower end and bins per unit of each row, from the pilot's values (R, N); 0 bins per unit where they are all one value."""
    low, scale = np.zeros(pilot.shape[0]), np.zeros(pilot.shape[0])
    for r, row in enumerate(pilot):
        known = np.sort(row[np.isfinite(row)])
        if len(known) == 0:
            continue
        cut = int(TAIL * len(known))
        first, last = known[cut], known[len(known) - 1 - cut]
        width = last - first
        low[r] = first - MARGIN * width
        scale[r] = bins / ((1.0 + 2.0 * MARGIN) * width) if width > 0.0 else 0.0
    return low, scale


@njit(cache=True, forceinline=True, error_model="numpy")
def bin_of(value, low, scale, bins):
    """Bin number: 0 below the range, 1 to B inside, B + 1 above; without a range, bin 1 for `low` itself."""
    at = (value - low) * scale if scale > 0.0 else (0.0 if value == low else np.inf)
    return 0 if value < low else (int(at) + 1 if at < bins else bins + 1)


@inner
def bin_row(row, low, scale, bins, found):
    """Bin of every path of a row, -1 where the value is absent."""
    for n in range(row.shape[0]):
        found[n] = bin_of(row[n], low, scale, bins) if row[n] == row[n] else -1


@njit(cache=True, nogil=True, error_model="numpy")
def tally(histogram, rows, low, scale, total, squares):
    """Count rows (R, N) into the histogram; total and squares (R,) gain the sums of (value - low) in the order of the paths."""
    found = np.empty(rows.shape[1], np.int64)
    for r in range(rows.shape[0]):
        counts, least, most = histogram.counts[r], histogram.least[r], histogram.most[r]
        at_least, at_most = histogram.at_least[r], histogram.at_most[r]
        start, absent, plain, squared = low[r], 0, 0.0, 0.0
        bin_row(rows[r], start, scale[r], counts.shape[0] - 2, found)
        for n in range(rows.shape[1]):
            value, b = rows[r, n], found[n]
            if b < 0:
                absent += 1
                continue
            plain += value - start
            squared += (value - start) * (value - start)
            counts[b] += 1
            if value <= least[b]:  # branches that rarely change are cheaper than stores
                at_least[b] = 1 if value < least[b] else at_least[b] + 1
                least[b] = value
            if value >= most[b]:
                at_most[b] = 1 if value > most[b] else at_most[b] + 1
                most[b] = value
        histogram.absent[r] += absent
        total[r] += plain
        squares[r] += squared


def merge(into, other):
    """Add another histogram to `into`; any order gives the same bits."""
    least, most = np.minimum(into.least, other.least), np.maximum(into.most, other.most)
    into.at_least[:] = np.where(into.least == least, into.at_least, 0) + np.where(other.least == least, other.at_least, 0)
    into.at_most[:] = np.where(into.most == most, into.at_most, 0) + np.where(other.most == most, other.at_most, 0)
    into.least[:], into.most[:] = least, most
    into.counts[:] += other.counts
    into.absent[:] += other.absent


def merged(parts):
    """All histograms as a new one."""
    whole = empty(parts[0].counts.shape[0], parts[0].counts.shape[1] - 2)
    for part in parts:
        merge(whole, part)
    return whole


@njit(cache=True, forceinline=True, error_model="numpy")
def value_in_bin(rank, count, least, most, at_least, at_most):
    """Value of the rank-th path (from 0) of a bin: ties exactly, what lies between on a straight line."""
    first, last = at_least - 1.0, float(count - at_most)
    inside = least + (most - least) * (rank - first) / (last - first)
    return least if rank <= first else (most if rank >= last else inside)


@njit(cache=True, nogil=True, error_model="numpy")
def value_at(histogram, r, rank):
    """Value of the rank-th path (from 0) of row r; NaN beyond the last."""
    before = 0
    for b in range(histogram.counts.shape[1]):
        count = histogram.counts[r, b]
        if rank < before + count:
            return value_in_bin(
                float(rank - before), count, histogram.least[r, b], histogram.most[r, b],
                histogram.at_least[r, b], histogram.at_most[r, b],
            )  # fmt: skip
        before += count
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def quantile(histogram, r, p):
    """Quantile p of row r: on a straight line between the two paths next to rank p (n - 1), as numpy's default."""
    n = histogram.counts[r].sum()
    rank = p * max(n - 1, 0)
    whole = int(np.floor(rank))
    left = value_at(histogram, r, whole)
    if rank == whole:
        return left
    right = value_at(histogram, r, whole + 1)
    return left if left == right else left + (rank - whole) * (right - left)


@njit(cache=True, nogil=True, error_model="numpy")
def quantile_error(histogram, r, p):
    """Monte Carlo error of quantile p of row r (U-02): sqrt(p (1 - p) / n) over the density between the quantiles one such
    binomial error to either side of p; NaN with fewer than two paths."""
    n = histogram.counts[r].sum()
    if n < 2:
        return np.nan
    spread = np.sqrt(p * (1.0 - p) / n)
    low, high = max(p - spread, 0.0), min(p + spread, 1.0)
    if high == low:
        return 0.0
    return spread * (quantile(histogram, r, high) - quantile(histogram, r, low)) / (high - low)


def count(histogram, rows):
    """Paths with a value, by row of a slice."""
    return histogram.counts[rows].sum(axis=1, dtype=np.int64)


def quantiles(histogram, rows, p):
    """Quantile p of a slice of rows; NaN for a row without paths."""
    return np.array([quantile(histogram, r, p) for r in range(rows.start, rows.stop)], np.float64)


def quantile_errors(histogram, rows, p):
    """Monte Carlo errors of quantile p of a slice of rows."""
    return np.array([quantile_error(histogram, r, p) for r in range(rows.start, rows.stop)], np.float64)


def mean_and_error(low, total, squares, n):
    """Mean and its standard error from sums of (value - low); NaN where there is no path, and no error for a single one."""
    known = n > 0
    safe = np.where(known, n, 1)
    shifted = total / safe
    variance = np.maximum(squares / safe - shifted**2, 0.0) * safe / np.maximum(safe - 1, 1)
    mean = np.where(known, low + shifted, np.nan)
    return mean, np.where(n > 1, np.sqrt(variance / safe), np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def rank_row(values, order, out):
    """Ranks of values (N,) less their mean, ties at their average; `order` sorts the values."""
    n, first = values.shape[0], 0
    while first < n:
        last = first
        while last + 1 < n and values[order[last + 1]] == values[order[first]]:
            last += 1
        for at in range(first, last + 1):
            out[order[at]] = 0.5 * (first + last) - 0.5 * (n - 1)
        first = last + 1


def ranks(values):
    """Ranks along the last axis of (R, N) less their mean, ties at their average."""
    out = np.empty(values.shape)
    for row, order, into in zip(values, np.argsort(values, axis=1, kind="stable"), out):
        rank_row(row, order, into)
    return out


def spearman(inputs, outputs):
    """Rank correlations (O, I) of inputs (I, N) with outputs (O, N), over the paths where the output has a value.

    NaN where either does not vary. Ranks are halves, so up to 2e5 paths all sums are exact whatever their order.
    """
    found = np.empty((outputs.shape[0], inputs.shape[0]))
    all_ranks = ranks(inputs)
    for o, row in enumerate(outputs):
        known = ~np.isnan(row)
        a = all_ranks if known.all() else ranks(inputs[:, known])
        b = ranks(row[known][None])[0]
        size = np.sqrt((a * a).sum(axis=1)) * np.sqrt((b * b).sum())
        found[o] = np.divide(a @ b, size, out=np.full(len(a), np.nan), where=size > 0.0)
    return found
