"""Rows of per-path values -> counts, sums and quantiles that merge in any order (U-01, U-02).

Axes    rows (R), paths of a chunk (N), bins (B + 2: one below, B inside, one above).
Units   those of the row.
Order   counts, extremes and ties merge in any order; sums are added by the caller in chunk order.
Source  speed.md, Reduction. Every bin keeps its least and its most value and how many paths had exactly those, so that an atom
        (nothing unpaid, the whole contract) comes back exactly and end bins stay sharp. NaN is absent and counted nowhere.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

BINS = 512


class Histogram(NamedTuple):
    """Counts (R, B + 2), and per bin the least and most value with how many paths had it."""

    counts: np.ndarray
    least: np.ndarray
    most: np.ndarray
    at_least: np.ndarray
    at_most: np.ndarray


def empty(rows):
    """A histogram of nothing."""
    shape = (rows, BINS + 2)
    return Histogram(
        np.zeros(shape, np.int32),
        np.full(shape, np.inf),
        np.full(shape, -np.inf),
        np.zeros(shape, np.int32),
        np.zeros(shape, np.int32),
    )


def ranges(pilot):
    """Lower end and bins per unit of each row, from the pilot's values (R, N): its 0.2 and 99.8 percentiles, widened."""
    low, scale = np.zeros(pilot.shape[0]), np.zeros(pilot.shape[0])
    for r, row in enumerate(pilot):
        known = np.sort(row[~np.isnan(row)])
        if len(known) == 0:
            continue
        cut = int(0.002 * len(known))
        first, last = known[cut], known[len(known) - 1 - cut]
        width = last - first
        low[r] = first - 0.02 * width
        scale[r] = BINS / (1.04 * width) if width > 0.0 else 0.0
    return low, scale


@njit(cache=True, inline="always", error_model="numpy")
def bin_of(value, low, scale):
    """Bin number: 0 below the range, 1 to B inside, B + 1 above."""
    at = (value - low) * scale
    return int(min(max(np.floor(at) + 1.0, 0.0), BINS + 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def tally(histogram, rows, low, scale, total, squares):
    """Count rows (R, N) into the histogram; total and squares (R,) get the sums of (value - low)."""
    for r in range(rows.shape[0]):
        for n in range(rows.shape[1]):
            value = rows[r, n]
            if np.isnan(value):
                continue
            total[r] += value - low[r]
            squares[r] += (value - low[r]) * (value - low[r])
            b = bin_of(value, low[r], scale[r])
            histogram.counts[r, b] += 1
            if value < histogram.least[r, b]:
                histogram.least[r, b] = value
                histogram.at_least[r, b] = 0
            if value == histogram.least[r, b]:
                histogram.at_least[r, b] += 1
            if value > histogram.most[r, b]:
                histogram.most[r, b] = value
                histogram.at_most[r, b] = 0
            if value == histogram.most[r, b]:
                histogram.at_most[r, b] += 1


def merged(parts):
    """All histograms as one; the order of the parts does not matter."""
    least = np.minimum.reduce([p.least for p in parts])
    most = np.maximum.reduce([p.most for p in parts])
    return Histogram(
        np.sum([p.counts for p in parts], axis=0, dtype=np.int32),
        least,
        most,
        np.sum([np.where(p.least == least, p.at_least, 0) for p in parts], axis=0, dtype=np.int32),
        np.sum([np.where(p.most == most, p.at_most, 0) for p in parts], axis=0, dtype=np.int32),
    )


@njit(cache=True, nogil=True, error_model="numpy")
def value_in_bin(rank, count, least, most, at_least, at_most):
    """Value of the rank-th path (from 0, may lie between two) of a bin: ties exactly, the rest on a straight line."""
    if rank <= at_least - 1.0 or least == most:
        return least
    if rank >= count - at_most:
        return most
    return least + (most - least) * (rank - (at_least - 1.0)) / (count - at_most - (at_least - 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def quantile(histogram, first, p, out):
    """Quantile p of the rows from `first` on into out: rank p (n - 1), as numpy's default; NaN for a row without paths."""
    for r in range(out.shape[0]):
        counts = histogram.counts[first + r]
        n = 0
        for b in range(counts.shape[0]):
            n += counts[b]
        out[r] = np.nan
        rank, before = p * (n - 1.0), 0.0
        for b in range(counts.shape[0]):
            if counts[b] > 0 and rank < before + counts[b]:
                out[r] = value_in_bin(
                    rank - before, counts[b], histogram.least[first + r, b], histogram.most[first + r, b],
                    histogram.at_least[first + r, b], histogram.at_most[first + r, b],
                )  # fmt: skip
                break
            before += counts[b]


def count(histogram, rows):
    """Paths with a value, by row."""
    return histogram.counts[rows].sum(axis=1, dtype=np.int64)


def quantiles(histogram, rows, p):
    """Quantile p of a slice of rows."""
    out = np.empty(rows.stop - rows.start)
    quantile(histogram, rows.start, p, out)
    return out


def quantile_errors(histogram, rows, p):
    """Monte Carlo error of a quantile: half the distance of the quantiles one binomial standard error to either side (U-02)."""
    n = np.maximum(count(histogram, rows), 1)
    spread = np.sqrt(p * (1.0 - p) / n)
    out = np.empty(rows.stop - rows.start)
    low, high = np.empty(1), np.empty(1)
    for r in range(len(out)):
        quantile(histogram, rows.start + r, max(p - spread[r], 0.0), low)
        quantile(histogram, rows.start + r, min(p + spread[r], 1.0), high)
        out[r] = (high[0] - low[0]) / 2.0
    return out


def mean_and_error(low, total, squares, n):
    """Mean and its standard error from sums of (value - low); NaN where there is no path, 0 error of a single one is NaN too."""
    known = n > 0
    safe = np.where(known, n, 1)
    shifted = total / safe
    variance = np.maximum(squares / safe - shifted**2, 0.0) * safe / np.maximum(safe - 1, 1)
    mean = np.where(known, low + shifted, np.nan)
    return mean, np.where(n > 1, np.sqrt(variance / safe), np.nan)
