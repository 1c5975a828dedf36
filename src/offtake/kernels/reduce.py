"""Rows of per-path values -> counts, sums and quantiles, whatever the order of the paths, and rank correlations (U-01, U-02, U-04).

**Axes**    rows (R), paths of a chunk (N), bins (B + 3: one below, B inside, one above, one for NaN), inputs (I), outputs (O).
**Units**   those of the row.
**Order**   counts, extremes and ties are the same bits in any order of chunks; sums are added by the caller in chunk order.
**Source**  speed.md, Reduction.

Every bin keeps its least and its most value and how many paths had exactly those. So an atom (nothing unpaid, the whole
contract) that is an end of its bin comes back exactly, and a quantile is off by less than its bin's observed width. An atom
with other values of its bin on both sides of it is spread over them. NaN is absent: counted in the last bin, and in no sum.
"""

import numpy as np
from numba import njit

BINS = 512
TAIL = 0.002  # share of the pilot at either end that the range leaves to the end bins
MARGIN = 0.02  # of that range, added at either end


# One record a bin, all of it in one half of a cache line: the rows of a run are wider than any cache.
BIN = np.dtype(
    [("least", np.float64), ("most", np.float64), ("count", np.int32), ("at_least", np.int32), ("at_most", np.int32)], align=True
)


def empty(rows, bins=BINS):
    """A histogram of nothing: (R, B + 3) of BIN, each with its paths, least and most value and how many paths had exactly it."""
    found = np.zeros((rows, bins + 3), BIN)
    found["least"], found["most"] = np.inf, -np.inf
    return found


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


@njit(cache=True, forceinline=True, error_model="numpy")
def extreme(value, known, ties, beyond):
    """The extreme of a bin and its ties once `value` is in; `beyond` says that it lies further out than the known one."""
    return (value, 1) if beyond else (known, ties + (1 if value == known else 0))


@njit(cache=True, nogil=True, error_model="numpy")
def tally(histogram, rows, low, scale, total, squares):
    """Count rows (R, N) into the histogram; total and squares (R,) gain the sums of (value - low) in the order of the paths.

    Bins come first and are filled second, without a branch on the value: which paths lack one is as good as random.
    """
    at = np.empty(rows.shape[1], np.int32)
    for r in range(rows.shape[0]):
        row, held, start, unit, bins = rows[r], histogram[r], low[r], scale[r], histogram.shape[1] - 3
        for n in range(row.shape[0]):
            at[n] = bins + 2 if np.isnan(row[n]) else bin_of(row[n], start, unit, bins)
        plain, squared = 0.0, 0.0
        for n in range(row.shape[0]):
            value, bin = row[n], held[at[n]]
            above = 0.0 if np.isnan(value) else value - start
            plain += above
            squared += above * above
            bin.count += 1
            bin.least, bin.at_least = extreme(value, bin.least, bin.at_least, value < bin.least)
            bin.most, bin.at_most = extreme(value, bin.most, bin.at_most, value > bin.most)
        total[r] += plain
        squares[r] += squared


@njit(cache=True, nogil=True, error_model="numpy")
def by_period(values, first, last, out):
    """Sums of values (M, L) from month first[p] to last[p], both in, into out (P, L); first month first."""
    for p in range(first.shape[0]):
        total = out[p]
        total[:] = 0.0
        for m in range(first[p], last[p] + 1):
            value = values[m]
            for i in range(total.shape[0]):
                total[i] += value[i]


@njit(cache=True, nogil=True, error_model="numpy")
def shares_by_period(causes, first, last, out):
    """Share of the months first[p] .. last[p] in which causes (M, L) int64 name each cause, into out (P, causes, L)."""
    for p in range(first.shape[0]):
        share = out[p]
        share[:] = 0.0
        for m in range(first[p], last[p] + 1):
            for i in range(share.shape[1]):
                share[causes[m, i], i] += 1.0
        share /= last[p] - first[p] + 1.0


@njit(cache=True, forceinline=True, error_model="numpy")
def value_in_bin(rank, count, least, most, at_least, at_most):
    """Value of the rank-th path (from 0) of a bin: ties exactly, what lies between on a straight line."""
    first, last = at_least - 1.0, float(count - at_most)
    inside = least + (most - least) * (rank - first) / (last - first)
    return least if rank <= first else (most if rank >= last else inside)


@njit(cache=True, nogil=True, error_model="numpy")
def paths_of(histogram, r):
    """Paths with a value in row r."""
    paths = 0
    for b in range(histogram.shape[1] - 1):
        paths += histogram[r, b].count
    return paths


@njit(cache=True, nogil=True, error_model="numpy")
def value_at(histogram, r, rank):
    """Value of the rank-th path (from 0) of row r; NaN beyond the last."""
    before = 0
    for b in range(histogram.shape[1] - 1):
        bin = histogram[r, b]
        if rank < before + bin.count:
            return value_in_bin(float(rank - before), bin.count, bin.least, bin.most, bin.at_least, bin.at_most)
        before += bin.count
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def quantile(histogram, r, p):
    """Quantile p of row r: on a straight line between the two paths next to rank p (n - 1), as numpy's default."""
    n = paths_of(histogram, r)
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
    n = paths_of(histogram, r)
    if n < 2:
        return np.nan
    spread = np.sqrt(p * (1.0 - p) / n)
    low, high = max(p - spread, 0.0), min(p + spread, 1.0)
    if high == low:
        return 0.0
    return spread * (quantile(histogram, r, high) - quantile(histogram, r, low)) / (high - low)


def count(histogram, rows):
    """Paths with a value, by row of a slice."""
    return histogram["count"][rows, :-1].sum(axis=1, dtype=np.int64)


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
