"""Rows of per-path values -> counts, sums and quantiles, whatever the order of the paths and whatever each counts (U-01, U-02, E-02).

**Axes**    rows (R), paths of a chunk (N), bins (B + 3: one below, B inside, one above, one for NaN).
**Units**   those of the row; a weight is a whole number, and only its share of all weights matters.
**Order**   counts, extremes and ties are the same bits in any order of chunks.
**Source**  speed.md, Reduction.

Every bin keeps its least and its most value and how many paths had exactly those. So an atom (nothing unpaid, the whole
contract) that is an end of its bin comes back exactly, and a quantile is off by less than its bin's observed width. An atom
with other values of its bin on both sides of it is spread over them. NaN is absent: counted in the last bin, and in no quantile.

A path of weight w counts like w paths in every share, but like one in the ranks of a quantile, whose unit is the mean weight of
the row's paths: equal weights of any size give the bits of no weights, and weights 0 and 1 those of the paths with a 1.
"""

import numpy as np

from .compiled import block, entry, piece, step

BINS = 512
TAIL = 0.002  # share of the pilot at either end that the range leaves to the end bins
MARGIN = 0.02  # of that range, added at either end


# One record a bin, all of it in one half of a cache line: the rows of a run are wider than any cache.
BIN = np.dtype(
    [("least", np.float64), ("most", np.float64), ("count", np.int32), ("at_least", np.int32), ("at_most", np.int32)], align=True
)
WEIGHED = np.dtype(
    [("least", np.float64), ("most", np.float64), ("count", np.int64), ("at_least", np.int64), ("at_most", np.int64)], align=True
)
HEAVIEST = 1 << 30  # a weight is at most this, so that no sum over four billion paths overflows
LIGHT = 1e-3  # of the heaviest: lighter paths of a pilot say nothing about where the others lie


def empty(rows, bins=BINS, kind=BIN):
    """A histogram of nothing: (R, B + 3) of BIN, each with its paths, least and most value and how many paths had exactly it.

    Of kind WEIGHED the last three are sums of weights.
    """
    found = np.zeros((rows, bins + 3), kind)
    found["least"], found["most"] = np.inf, -np.inf
    return found


def ranges(pilot, bins=BINS, weight=None):
    """Lower end and bins per unit of each row, from the pilot's values (R, N); 0 bins per unit where they are all one value.

    weight  (N,) int64 of its paths: the light ones do not count
    """
    pilot = pilot if weight is None else pilot[:, weight > LIGHT * weight.max(initial=0)]
    known, rows = np.sort(np.where(np.isfinite(pilot), pilot, np.inf), axis=1), np.arange(len(pilot))
    there = np.isfinite(known).sum(axis=1)
    cut = (TAIL * there).astype(np.int64)
    known = np.where(there[:, None] > 0, known, 0.0) if pilot.shape[1] else np.zeros((len(pilot), 1))
    first, last = known[rows, cut], known[rows, np.maximum(there - 1 - cut, 0)]
    width = last - first
    scale = np.divide(bins, (1.0 + 2.0 * MARGIN) * width, out=np.zeros(len(pilot)), where=width > 0.0)
    return first - MARGIN * width, scale


@piece
def bin_of(value, low, scale, bins):
    """Bin number: 0 below the range, 1 to B inside, B + 1 above; without a range, bin 1 for `low` itself."""
    at = (value - low) * scale if scale > 0.0 else (0.0 if value == low else np.inf)
    return 0 if value < low else (int(at) + 1 if at < bins else bins + 1)


@piece
def extreme(value, known, ties, beyond):
    """The extreme of a bin and its ties once `value` is in; `beyond` says that it lies further out than the known one."""
    return (value, 1) if beyond else (known, ties + (1 if value == known else 0))


@entry
def tally(histogram, rows, low, scale):
    """Count rows (R, N) into the histogram.

    Bins come first and are filled second, without a branch on the value: which paths lack one is as good as random.
    """
    at = np.empty(rows.shape[1], np.int32)
    for r in range(rows.shape[0]):
        row, held, start, unit, bins = rows[r], histogram[r], low[r], scale[r], histogram.shape[1] - 3
        for n in range(row.shape[0]):
            at[n] = bins + 2 if np.isnan(row[n]) else bin_of(row[n], start, unit, bins)
        for n in range(row.shape[0]):
            value, bin = row[n], held[at[n]]
            bin.count += 1
            bin.least, bin.at_least = extreme(value, bin.least, bin.at_least, value < bin.least)
            bin.most, bin.at_most = extreme(value, bin.most, bin.at_most, value > bin.most)


@piece
def heavier(value, known, ties, beyond, weight):
    """`extreme` where a path counts its weight."""
    return (value, weight) if beyond else (known, ties + (weight if value == known else 0))


@entry
def tally_weighted(histogram, rows, weight, low, scale):
    """Count rows (R, N) by weight (N,) int64 into a histogram of WEIGHED; a path of weight 0 leaves no trace."""
    for r in range(rows.shape[0]):
        row, held, start, unit, bins = rows[r], histogram[r], low[r], scale[r], histogram.shape[1] - 3
        for n in range(row.shape[0]):
            if weight[n] > 0:
                value = row[n]
                bin = held[bins + 2 if np.isnan(value) else bin_of(value, start, unit, bins)]
                bin.count += weight[n]
                bin.least, bin.at_least = heavier(value, bin.least, bin.at_least, value < bin.least, weight[n])
                bin.most, bin.at_most = heavier(value, bin.most, bin.at_most, value > bin.most, weight[n])


@block
def by_period(values, first, last, out):
    """Sums of values (M, L) from month first[p] to last[p], both in, into out (P, L); first month first."""
    for p in range(first.shape[0]):
        total = out[p]
        total[:] = 0.0
        for m in range(first[p], last[p] + 1):
            value = values[m]
            for i in range(total.shape[0]):
                total[i] += value[i]


@entry
def shares_by_period(causes, first, last, out):
    """Share of the months first[p] .. last[p] in which causes (M, L) int64 name each cause, into out (P, causes, L)."""
    for p in range(first.shape[0]):
        share = out[p]
        share[:] = 0.0
        for m in range(first[p], last[p] + 1):
            for i in range(share.shape[1]):
                share[causes[m, i], i] += 1.0
        share /= last[p] - first[p] + 1.0


@piece
def value_in_bin(rank, count, least, most, at_least, at_most):
    """Value of the rank-th path (from 0) of a bin: ties exactly, what lies between on a straight line."""
    first, last = at_least - 1.0, float(count - at_most)
    inside = least + (most - least) * (rank - first) / (last - first)
    return least if rank <= first else (most if rank >= last else inside)


@step
def reach_of(row, reach):
    """Weight of the paths of a row up to the end of each bin, into `reach`; that of all with a value is the last of it."""
    before = 0
    for b in range(reach.shape[0]):
        before += row[b].count
        reach[b] = before


@step
def value_at(row, reach, rank, unit):
    """Value of the rank-th path (from 0), a path being `unit` of weight; NaN beyond the last."""
    low, high = 0, reach.shape[0]
    while low < high:  # the first bin that reaches beyond the rank
        middle = (low + high) // 2
        if rank < reach[middle] / unit:
            high = middle
        else:
            low = middle + 1
    if low == reach.shape[0]:
        return np.nan
    bin, before = row[low], (reach[low - 1] if low > 0 else 0)
    return value_in_bin(rank - before / unit, bin.count / unit, bin.least, bin.most, bin.at_least / unit, bin.at_most / unit)


@step
def quantile(row, reach, p, paths):
    """Quantile p of a row, which `paths` paths answer: on a straight line between the two next to rank p (n - 1), as numpy's default."""
    unit = reach[reach.shape[0] - 1] / max(paths, 1)
    rank = p * max(paths - 1, 0)
    whole = np.floor(rank)
    left = value_at(row, reach, whole, unit)
    if rank == whole:
        return left
    right = value_at(row, reach, whole + 1.0, unit)
    return left if left == right else left + (rank - whole) * (right - left)


@step
def quantile_error(row, reach, p, spread, paths):
    """Monte Carlo error of quantile p of a row (U-02), which `paths` paths answer: the error `spread` of the share below it, over the
    density between the quantiles one such error to either side; NaN where the spread is."""
    if np.isnan(spread):
        return np.nan
    low, high = max(p - spread, 0.0), min(p + spread, 1.0)
    if high == low:
        return 0.0
    return spread * (quantile(row, reach, high, paths) - quantile(row, reach, low, paths)) / (high - low)


@entry
def read_rows(histogram, points, spread, paths, value, error):
    """Quantiles `points` (Q,) of all rows, and their errors from those of the shares below them, `spread` (Q, R): into (Q, R) both."""
    reach = np.empty(histogram.shape[1] - 1, np.int64)
    for r in range(histogram.shape[0]):
        reach_of(histogram[r], reach)
        for q in range(points.shape[0]):
            value[q, r] = quantile(histogram[r], reach, points[q], paths[r])
            error[q, r] = quantile_error(histogram[r], reach, points[q], spread[q, r], paths[r])


def count(histogram, rows):
    """Paths with a value, by row of a slice; their weight where they have one."""
    return histogram["count"][rows, :-1].sum(axis=1, dtype=np.int64)


def quantiles_and_errors(histogram, rows, points, spread, paths=None):
    """Quantiles `points` (Q,) of a slice of rows, and their Monte Carlo errors from the errors (Q, R) of the shares below them, both
    (Q, R); NaN for a row without paths. `paths` (R,) counts them where they have weights."""
    n = count(histogram, rows) if paths is None else paths
    value, error = np.empty((len(points), len(n))), np.empty((len(points), len(n)))
    read_rows(histogram[rows], np.asarray(points, np.float64), np.ascontiguousarray(spread, np.float64), n, value, error)
    return value, error


def quantiles(histogram, rows, p, paths=None):
    """Quantile p of a slice of rows; NaN for a row without paths. `paths` (R,) counts them where they have weights."""
    return quantiles_and_errors(histogram, rows, [p], np.zeros((1, rows.stop - rows.start)), paths)[0][0]


def quantile_errors(histogram, rows, p, spread, paths=None):
    """Monte Carlo errors of quantile p of a slice of rows, from the errors (R,) of the shares below them."""
    return quantiles_and_errors(histogram, rows, [p], np.asarray(spread)[None], paths)[1][0]
