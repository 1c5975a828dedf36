"""Sixteen replicates of a run, path p in number p mod 16: sums and counts of each, and the errors that their spread shows (U-02).

**Axes**    rows (R), paths in a row (N), replicates (16), marks (Q): values near the quantiles that are asked for.
**Units**   those of the row; weights are whole numbers.
**Signs**   an error is never negative.
**Order**   a chunk's sums are added by halves; counts are whole and the same bits in any order.
**Source**  Owen, "Monte Carlo variance of scrambled net quadrature", 1997, on replicates of scrambled nets; a mean over the paths that
            have a value is a ratio, whose error is that of its residuals: Cochran, "Sampling techniques", 1977, ch. 6.

Each scramble is a draw of the whole set of points, so replicates are independent where paths are not: s / sqrt(n) would tell the error
of plain random paths. With plain random paths the same formula holds. A replicate error has 15 degrees of freedom: an interval of 95 %
is 2.13 errors to either side, one of 90 % 1.75.
"""

import numpy as np

from .compiled import entry
from .sobol import REPLICATES as REPLICATES

T95, T90 = 2.131449546, 1.753050356  # two-sided, 15 degrees of freedom


@entry
def fold(values):
    """Add the second half of values (16 x 2^k,) to the first, again and again, down to the sixteen replicates."""
    half = values.shape[0] // 2
    while half >= REPLICATES:
        for n in range(half):
            values[n] += values[n + half]
        half //= 2


@entry
def by_replicate(rows, weight, low, marks, total, held, below, paths):
    """Add rows (R, N) to the replicates; the first column is a path whose number is a multiple of 16.

    weight  (N,) int64 of each path
    low     (R,) what sums are less
    marks   (R, Q)
    total   (R, 16) gain the sums of weight x (value - low)
    held    (R, 16) int64 gain the weight of the paths with a value
    below   (R, Q, 16) int64 gain the weight of the paths with a value below each mark
    paths   (R,) int64 gain the number of paths with a value and a weight
    """
    columns, room = rows.shape[1], REPLICATES
    while room < columns:
        room *= 2
    value, count = np.empty(room), np.empty(room, np.int64)
    for r in range(rows.shape[0]):
        row, start = rows[r], low[r]
        value[:], count[:] = 0.0, 0
        for n in range(columns):
            absent = np.isnan(row[n])
            value[n] = 0.0 if absent else weight[n] * (row[n] - start)
            count[n] = 0 if absent else weight[n]
        for n in range(columns):
            paths[r] += 1 if count[n] > 0 else 0
        fold(value)
        fold(count)
        for s in range(REPLICATES):
            total[r, s] += value[s]
            held[r, s] += count[s]
        for q in range(marks.shape[1]):
            mark = marks[r, q]
            count[:] = 0
            for n in range(columns):
                count[n] = weight[n] if row[n] < mark else 0
            fold(count)
            for s in range(REPLICATES):
                below[r, q, s] += count[s]


def marks_near(pilot, points, weight=None):
    """(R, Q) values near each quantile of the pilot's rows (R, N), by weight (N,): where the pilot has ties, the side of them on which
    the share below is nearer to what is asked for, so that a mark on an atom still tells how its share moves."""
    if weight is None:
        return _marks(np.sort(pilot, axis=1), points)
    found, weight = np.zeros((len(pilot), len(points))), weight / weight.max()
    for row, mine in zip(pilot, found):
        there = ~np.isnan(row) & (weight > 0.0)
        if there.any():
            order = np.argsort(row[there], kind="stable")
            known, reach = row[there][order], np.concatenate([[0.0], np.cumsum(weight[there][order])])
            at = known[np.minimum(np.searchsorted(reach[1:], points * reach[-1]), len(known) - 1)]
            under, upto = (reach[np.searchsorted(known, at, side)] / reach[-1] for side in ("left", "right"))
            mine[:] = np.where(np.abs(under - points) < np.abs(upto - points), at, np.nextafter(at, np.inf))
    return found


def _marks(known, points):
    """`marks_near` of sorted rows (R, N), NaN last, whose paths count alike; all rows at once."""
    there, found = np.count_nonzero(~np.isnan(known), axis=1), np.zeros((len(known), len(points)))
    some = there > 0
    known, there = known[some], there[some]
    for q, p in enumerate(points):
        rank = np.maximum(np.ceil(p * there).astype(np.int64) - 1, 0)
        at = known[np.arange(len(known)), np.minimum(rank, there - 1)]
        under, upto = (np.count_nonzero(beyond(known, at[:, None]), axis=1) / there for beyond in (np.less, np.less_equal))
        found[some, q] = np.where(np.abs(under - p) < np.abs(upto - p), at, np.nextafter(at, np.inf))
    return found


def ratio_error(total, held):
    """Error of sum(total) / sum(held) over the last axis (.., 16); NaN where fewer than two replicates hold anything."""
    weight = held.sum(axis=-1)
    there = (held > 0).sum(axis=-1)
    safe = np.where(weight > 0, weight, 1)
    off = total - (total.sum(axis=-1) / safe)[..., None] * held
    spread = np.sqrt((off * off).sum(axis=-1) * (there / np.maximum(there - 1, 1))) / safe
    return np.where(there > 1, spread, np.nan)


def share_error(below, held, p):
    """Error of the share p of paths below a quantile, from the weight below a mark near it (.., 16)."""
    share = below.sum(axis=-1) / np.maximum(held.sum(axis=-1), 1)
    between = (share > 0.0) & (share < 1.0)
    scale = np.sqrt(p * (1.0 - p) / np.where(between, share * (1.0 - share), 1.0))
    return ratio_error(below, held) * np.where(between, scale, 0.0)


def folded(values):
    """Sums (.., 16) of values (.., N) of the first N paths of a run by replicate, and how many have a value."""
    n = values.shape[-1]
    padded = np.full((*values.shape[:-1], -(-n // REPLICATES) * REPLICATES), np.nan)
    padded[..., :n] = values
    by = padded.reshape(*values.shape[:-1], padded.shape[-1] // REPLICATES, REPLICATES)
    return np.nansum(by, axis=-2), np.count_nonzero(~np.isnan(by), axis=-2)


def error_of_mean(values):
    """Error of the mean of values (.., N) of the first N paths of a run; NaN values are absent."""
    total, held = folded(values)
    middle = total.sum(axis=-1) / np.maximum(held.sum(axis=-1), 1)
    return ratio_error(*folded(values - middle[..., None]))


def quantiles_and_errors(values, points):
    """Quantiles `points` (Q,) of values (N,) of the first N paths of a run, and their errors; NaN values are absent."""
    there, held = values[~np.isnan(values)], folded(values)[1]
    if np.count_nonzero(held) < 2:
        return np.quantile(there, points), np.full(len(points), np.nan)
    below = folded((values < marks_near(there[None], points)[0][:, None]) * 1.0)[0]
    spread = share_error(below, np.broadcast_to(held, below.shape), points)
    low, high = np.maximum(points - spread, 0.0), np.minimum(points + spread, 1.0)
    at, left, right = np.quantile(there, np.concatenate([points, low, high])).reshape(3, -1)
    return at, np.divide(spread * (right - left), high - low, out=np.zeros(len(points)), where=high > low)


def error_of_quantile(values, p):
    """Error of one quantile of values (N,) of the first N paths of a run."""
    return float(quantiles_and_errors(values, np.array([p]))[1][0])
