"""Revised simplex for the placement program of one path and month: a transportation program with gains.

    max profit . x,   sum_w x[w, q] <= rhs[q],   sum_q speed[w, q] x[w, q] <= rhs[Q + w],   x >= 0

Axes    segments (Q), jobs (W), rows R = Q + W, columns N = W * Q, column w * Q + q first, then one slack a row.
Units   x and rhs in GPU-h (work is divided by the job's fastest speed, so that speeds are 0 to 1), profit in USD per GPU-h.
Signs   maximise; a column that may not be used has a negative profit and therefore never carries hours at an optimum.
Order within the month   start from the basis at hand; if it is infeasible, dual steps (costs of offending columns shifted for
        their duration); then primal steps with the true costs; then a certificate, which no tolerance enters.
Source  model P-01, P-04. Method: dual then primal simplex on an explicit inverse, Bland's rule when steps do not move.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

TINY = 3e-14  # reduced costs and basic hours below this, relative to the terms they are sums of, are zero
NOISE = 1e-15  # reduced costs below this, relative to the largest profit in the basis, do not count as gains
SMALL_PIVOT = 1e-10
FRESH = 24  # steps after which duals are computed anew
STALL = 12  # steps without movement after which Bland's rule takes over

# Called by other kernels only: no way in from Python is built, and they are cached inside their callers (half the compile time).
inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


class Program(NamedTuple):
    """One path-month and the memory to solve it. Lengths as in the file header."""

    inverse: np.ndarray  # (R, R) of the basis
    basis: np.ndarray  # (R,) int64 column basic in each row
    job: np.ndarray  # (N,) int64
    segment: np.ndarray  # (N,) int64
    speed: np.ndarray  # (N,) relative to the job's fastest
    profit: np.ndarray  # (N,) with the tie rule in it
    fair: np.ndarray  # (N,) takes the tie rule out again: profit * fair is the true profit
    rhs: np.ndarray  # (R,) hours
    x: np.ndarray  # (R,) hours of the basic columns
    y: np.ndarray  # (R,) dual
    column: np.ndarray  # (R,) entering column in terms of the basis
    worth: np.ndarray  # (Q,) best profit of an hour net of the job's dual, less rounding; USD per GPU-h
    reduced: np.ndarray  # (N + R,) reduced costs in dual steps, row flags when the inverse is rebuilt
    age: np.ndarray  # (1,) int64 pivots since the inverse was built


@inner
def reset(t):
    """All-slack basis: nothing is placed; always feasible."""
    rows = t.x.shape[0]
    for r in range(rows):
        t.basis[r] = t.speed.shape[0] + r
        for i in range(rows):
            t.inverse[r, i] = 0.0
        t.inverse[r, r] = 1.0
    t.age[0] = 0


@inner
def expand(t, j):
    """Column j in terms of the basis, into `column`; rounding dust is dropped."""
    n, segments = t.speed.shape[0], t.worth.shape[0]
    if j >= n:
        for r in range(t.x.shape[0]):
            t.column[r] = t.inverse[r, j - n]
        return
    q, w, s = t.segment[j], segments + t.job[j], t.speed[j]
    for r in range(t.x.shape[0]):
        f = t.inverse[r, q] + s * t.inverse[r, w]
        t.column[r] = f if abs(f) > 1e-15 else 0.0


@inner
def pivot(t, p, j):
    """Column j (expanded in `column`) replaces the basic column of row p; hours and inverse follow."""
    rows = t.x.shape[0]
    inverse, column, x = t.inverse, t.column, t.x
    over = 1.0 / column[p]
    for i in range(rows):
        inverse[p, i] *= over
    step = x[p] * over
    for r in range(rows):
        f = column[r]
        if r != p and f != 0.0:
            for i in range(rows):
                inverse[r, i] -= f * inverse[p, i]
            x[r] -= step * f
    x[p] = step
    t.basis[p] = j
    t.age[0] += 1


@inner
def rebuild(t):
    """Inverse of the same basis from scratch, largest pivots first come; the all-slack basis if that is singular."""
    n, rows = t.speed.shape[0], t.x.shape[0]
    wanted = t.reduced
    for i in range(n + rows):
        wanted[i] = 0.0
    for r in range(rows):
        wanted[t.basis[r]] = 1.0
    reset(t)
    for j in range(n):
        if wanted[j] == 0.0:
            continue
        expand(t, j)
        p, best = -1, SMALL_PIVOT
        for r in range(rows):
            if wanted[n + r] == 0.0 and t.basis[r] >= n and abs(t.column[r]) > best:
                p, best = r, abs(t.column[r])
        if p < 0:
            reset(t)
            return
        pivot(t, p, j)
    t.age[0] = 0


@inner
def hours(t):
    """Basic hours x = inverse . rhs."""
    rows, inverse, rhs = t.x.shape[0], t.inverse, t.rhs
    for r in range(rows):
        even = odd = 0.0  # two sums: half the waiting
        for i in range(0, rows - 1, 2):
            even += inverse[r, i] * rhs[i]
            odd += inverse[r, i + 1] * rhs[i + 1]
        if rows % 2 == 1:
            even += inverse[r, rows - 1] * rhs[rows - 1]
        t.x[r] = even + odd


@inner
def duals(t):
    """y = profit of the basis . inverse."""
    n, rows = t.speed.shape[0], t.x.shape[0]
    for i in range(rows):
        t.y[i] = 0.0
    for r in range(rows):
        if t.basis[r] < n:
            c = t.profit[t.basis[r]]
            for i in range(rows):
                t.y[i] += c * t.inverse[r, i]
    free_rows(t)


@inner
def free_rows(t):
    """Rows whose slack is basic have dual zero, without rounding."""
    n = t.speed.shape[0]
    for r in range(t.x.shape[0]):
        if t.basis[r] >= n:
            t.y[t.basis[r] - n] = 0.0


@inner
def below_zero(t, r):
    """True if x[r] is negative by more than rounding of the sum that made it."""
    size = 0.0
    for i in range(t.x.shape[0]):
        size += abs(t.inverse[r, i] * t.rhs[i])
    return t.x[r] < -TINY * size


@inner
def dual_is_zero(t, i):
    """True if y[i] is no more than rounding of the sum that made it."""
    n, size = t.speed.shape[0], 0.0
    for r in range(t.x.shape[0]):
        if t.basis[r] < n:
            size += abs(t.profit[t.basis[r]] * t.inverse[r, i])
    return abs(t.y[i]) <= TINY * size


@inner
def leaving_dual(t):
    """Row with the most negative hours, -1 if none."""
    p, worst = -1, 0.0
    for r in range(t.x.shape[0]):
        if t.x[r] < worst and below_zero(t, r):
            p, worst = r, t.x[r]
    return p


@inner
def entering_dual(t, p):
    """Column that keeps the reduced costs signed when row p leaves (ties: the larger pivot); -1 if none."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    e, best, size = -1, np.inf, 0.0
    for j in range(n + rows):
        if j < n:
            a = t.inverse[p, t.segment[j]] + t.speed[j] * t.inverse[p, segments + t.job[j]]
        else:
            a = t.inverse[p, j - n]
        if a < -SMALL_PIVOT:
            ratio = t.reduced[j] / a
            if ratio < best or (ratio == best and -a > size):
                e, best, size = j, ratio, -a
    return e, best


@inner
def shifted_costs(t):
    """Reduced costs into `reduced`, positive ones set to zero: the shift that makes any basis dual feasible."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    duals(t)
    for j in range(n):
        t.reduced[j] = min(t.profit[j] - t.y[t.segment[j]] - t.speed[j] * t.y[segments + t.job[j]], 0.0)
    for i in range(rows):
        t.reduced[n + i] = min(-t.y[i], 0.0)
    for r in range(rows):
        t.reduced[t.basis[r]] = 0.0


@inner
def repair(t):
    """Dual steps until no hours are negative. Returns the steps, or -1 if that did not end."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    for steps in range(6 * rows):
        p = leaving_dual(t)
        if p < 0:
            return steps
        if steps == 0:
            shifted_costs(t)
        e, ratio = entering_dual(t, p)
        if e < 0:
            return -1
        for j in range(n):
            a = t.inverse[p, t.segment[j]] + t.speed[j] * t.inverse[p, segments + t.job[j]]
            t.reduced[j] = min(t.reduced[j] - ratio * a, 0.0)
        for i in range(rows):
            t.reduced[n + i] = min(t.reduced[n + i] - ratio * t.inverse[p, i], 0.0)
        expand(t, e)
        t.reduced[t.basis[p]] = -ratio
        t.reduced[e] = 0.0
        pivot(t, p, e)
    return -1


@inner
def net_of(profit, speed, y):
    """Profit of an hour net of the job's dual y, less what rounding may have added."""
    return (profit - TINY * abs(profit)) - speed * (y + TINY * abs(y))


@inner
def worths(t):
    """Fill `worth`: the best use of one hour more in each segment. Four segments at once, for the machine's sake."""
    segments, jobs, profit, speed = t.worth.shape[0], t.x.shape[0] - t.worth.shape[0], t.profit, t.speed
    fours = segments - segments % 4
    for q in range(0, fours, 4):
        a = b = c = d = -np.inf
        for w in range(jobs):
            y, j = t.y[segments + w], w * segments + q
            a = max(a, net_of(profit[j], speed[j], y))
            b = max(b, net_of(profit[j + 1], speed[j + 1], y))
            c = max(c, net_of(profit[j + 2], speed[j + 2], y))
            d = max(d, net_of(profit[j + 3], speed[j + 3], y))
        t.worth[q], t.worth[q + 1], t.worth[q + 2], t.worth[q + 3] = a, b, c, d
    for q in range(fours, segments):
        a = -np.inf
        for w in range(jobs):
            a = max(a, net_of(profit[w * segments + q], speed[w * segments + q], t.y[segments + w]))
        t.worth[q] = a


@inner
def price(t):
    """Column with the largest reduced cost, -1 at an optimum; fills `worth`. Duals within rounding of zero become zero."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    floor = 0.0
    for r in range(rows):
        floor = max(floor, t.profit[t.basis[r]] if t.basis[r] < n else 0.0)
    floor *= NOISE
    e, best = -1, floor
    for i in range(rows):
        if t.y[i] < 0.0:
            if t.y[i] >= -floor or dual_is_zero(t, i):
                t.y[i] = 0.0
            elif -t.y[i] > best:
                e, best = n + i, -t.y[i]
    worths(t)
    at = -1
    for q in range(segments):
        over = t.worth[q] - (t.y[q] + TINY * abs(t.y[q]))
        if over > best:
            at, best = q, over
    if at < 0:
        return e
    for j in range(at, n, segments):
        if net_of(t.profit[j], t.speed[j], t.y[segments + t.job[j]]) >= t.worth[at]:
            return j
    return e


@inner
def price_first(t):
    """The first column with a positive reduced cost (Bland), -1 at an optimum; fills `worth` as `price` does."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    if price(t) < 0:
        return -1
    floor = 0.0
    for r in range(rows):
        floor = max(floor, t.profit[t.basis[r]] if t.basis[r] < n else 0.0)
    floor *= NOISE
    for j in range(n):
        u = t.y[t.segment[j]]
        if net_of(t.profit[j], t.speed[j], t.y[segments + t.job[j]]) > u + TINY * abs(u) + floor:
            return j
    for i in range(rows):
        if t.y[i] < 0.0:
            return n + i
    return -1


@inner
def leaving(t, bland):
    """Row that limits the entering column (ties: the larger pivot; under Bland the lower column), -1 if none does."""
    p, least, size = -1, np.inf, 0.0
    for r in range(t.x.shape[0]):
        d = t.column[r]
        if d <= SMALL_PIVOT:
            continue
        ratio = max(t.x[r], 0.0) / d
        if ratio < least:
            p, least, size = r, ratio, d
        elif ratio == least and (t.basis[r] < t.basis[p] if bland else d > size):
            p, size = r, d
    return p


@inner
def improve(t, bland):
    """Primal steps to the optimum. Returns the steps, or -1 if that did not end."""
    rows, still = t.x.shape[0], 0
    for r in range(rows):
        t.x[r] = max(t.x[r], 0.0)
    duals(t)
    for steps in range(40 * rows):
        first = bland or still > STALL
        e = price_first(t) if first else price(t)
        if e < 0:
            return steps
        expand(t, e)
        p = leaving(t, first)
        if p < 0:
            return -1
        still = still + 1 if t.x[p] <= 0.0 else 0
        advance(t, p, e)
        if steps % FRESH == FRESH - 1:
            duals(t)
    return -1


@inner
def advance(t, p, e):
    """A primal step: pivot, keep hours at zero or above, and move the duals along."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    if e < n:
        gain = t.profit[e] - t.y[t.segment[e]] - t.speed[e] * t.y[segments + t.job[e]]
    else:
        gain = -t.y[e - n]
    pivot(t, p, e)
    for i in range(rows):
        t.x[i] = max(t.x[i], 0.0)
        t.y[i] += gain * t.inverse[p, i]
    free_rows(t)
