"""Revised simplex for the placement program of one path and month: transport with gains and stepped prices.

Axes    as in `basis`: pools (K), lines (V), spots (P), jobs (W), rows R = V + W, columns C.
Units   GPU-h, USD per GPU-h.
Signs   maximise; gains, steps and ratios >= 0.
Order within the month   start from the basis at hand; if it breaks a bound, dual steps (costs of offending columns shifted for
        their duration); then primal steps with the true costs. What the steps reach is proven elsewhere (`certificate`).
Source  model P-01, P-04. Method: dual then primal simplex with bounds on an explicit inverse; Bland's rule when steps do not move.
"""

import numpy as np

from offtake.kernels.basis import BASIC, EMPTY, FULL, SMALL_PIVOT, duals, expand, expand_row, is_full, known_duals, stand, swap, tolls
from offtake.kernels.compiled import inner, step

TINY = 3e-14  # reduced costs and basic hours below this, relative to the terms they are sums of, are zero
NOISE = 1e-15  # reduced costs below this, relative to the largest profit in the basis, do not count as gains
CLEAR = 1e9  # duals above this x NOISE x the largest profit in the basis are no rounding
FRESH = 24  # steps after which duals are computed anew
STALL = 12  # steps without movement after which Bland's rule takes over
FLIP, NONE = -2, -1  # leaving row: the entering column reaches its own other bound; nothing limits it


@step
def leaving_dual(t):
    """Row that breaks its bounds most, and by how much (negative below zero); -1 if none does by more than rounding. Its row of the
    inverse is in `column`."""
    p, worst, last, most = NONE, 0.0, NONE, np.inf
    while True:  # after a breach that is rounding the next smaller one
        for r in range(t.x.shape[0]):
            over = breach(t, r)
            if abs(worst) < abs(over) <= most and (abs(over) < most or r > last):
                p, worst = r, over
        if p < 0 or abs(worst) > TINY * ((t.room[t.basis[p]] if worst > 0.0 else 0.0) + row_of(t, p)):
            return p, worst
        p, worst, last, most = NONE, 0.0, p, abs(worst)


@step
def breach(t, r):
    """By how much the basic column of row r exceeds its room, or (negative) falls below zero."""
    return min(t.x[r], 0.0) + max(t.x[r] - t.room[t.basis[r]], 0.0)


@step
def row_of(t, r):
    """Row r of the inverse into `column`; the sum of the absolute terms of x[r]."""
    given, size = t.column, 0.0
    for i in range(given.shape[0]):
        given[i] = t.inverse[i, r]
        size += abs(given[i] * t.rhs[i])
    return size


@step
def entering_dual(t, count):
    """Of the first `count` columns picked, the one that keeps the reduced costs signed when the row in `row` leaves (ties: the larger
    pivot), and the ratio; -1 if none."""
    e, best, size, row, reduced = NONE, np.inf, 0.0, t.row, t.reduced
    for at in range(count):
        j = t.picked[at]
        ratio = reduced[j] / row[j]
        if ratio < best or (ratio == best and -row[j] > size):
            e, best, size = j, ratio, -row[j]
    return e, best


@step
def shifted_costs(t):
    """Reduced costs into `reduced` (a full segment's with the sign turned), positive ones set to zero: the shift that makes any
    basis dual feasible."""
    n, pools, lines, segments, y, reduced = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0], t.y, t.reduced
    duals(t)
    tolls(t, y)
    for w in range(t.x.shape[0] - lines):
        reduced[n + segments + w] = min(-y[lines + w], 0.0)
        for k in range(pools):
            j = w * pools + k
            reduced[j] = min(t.profit[j] - t.toll[t.spot[w] * pools + k] - t.speed[j] * y[lines + w], 0.0)
    for q in range(segments):
        gain = t.profit[n + q] + y[t.pool[q]]
        reduced[n + q] = min(-gain if t.state[q] == FULL else gain, 0.0)
    for r in range(t.x.shape[0]):
        t.reduced[t.basis[r]] = 0.0


@step
def repair(t):
    """Dual steps until no bound is broken. Returns the steps, or -1 if that did not end."""
    rows = t.x.shape[0]
    for steps in range(6 * rows):
        p, over = leaving_dual(t)
        if p < 0:
            return steps
        if steps == 0:
            shifted_costs(t)
            row_of(t, p)
        sign, target = (1.0, 0.0) if over < 0.0 else (-1.0, t.room[t.basis[p]])
        e, ratio = entering_dual(t, expand_row(t, sign))
        if e < 0:  # no plan can do better, so the breach is rounding; what the steps reach is proven anyway
            return steps
        for j in range(t.row.shape[0]):
            t.reduced[j] = min(t.reduced[j] - ratio * t.row[j], 0.0)
        expand(t, e)
        t.reduced[t.basis[p]] = -ratio
        t.reduced[e] = 0.0
        enter(t, p, e, (t.x[p] - target) / t.column[p], FULL if over > 0.0 else EMPTY)
    return -1


@step
def enter(t, p, e, step, side):
    """Column e moves by `step` and becomes basic in row p, whose column leaves to `side`."""
    start = t.room[e] if is_full(t, e) else 0.0
    for r in range(t.x.shape[0]):
        t.x[r] -= t.column[r] * step
    t.x[p] = start + step
    stand(t, t.basis[p], side)
    stand(t, e, BASIC)
    swap(t, p, e)


@inner
def net_of(profit, speed, y):
    """Profit of an hour net of the job's dual y, less what rounding may have added."""
    return (profit - TINY * abs(profit)) - speed * (y + TINY * abs(y))


@step
def worths(t):
    """Fill `worth`: the best use of one hour more at each spot."""
    pools, lines, worth, profit, speed = t.pools, t.first.shape[0], t.worth, t.profit, t.speed
    worth[:] = -np.inf
    for w in range(t.x.shape[0] - lines):
        y, base = t.y[lines + w], t.spot[w] * pools
        for k in range(pools):
            worth[base + k] = max(worth[base + k], net_of(profit[w * pools + k], speed[w * pools + k], y))


@step
def rents(t):
    """Fill `worth` of the lines with prices at which no column earns, whatever the duals of jobs and slots are: a slot's is its dual,
    the pool's the best use of an hour more at any of its spots, net of the slots that it takes; where that is a loss, slots bear it."""
    pools, slots, worth = t.pools, t.share.shape[0], t.worth
    through = worth.shape[0] - pools
    worths(t)
    for s in range(slots):
        share, at = t.share[s], (1 + s) * pools
        for k in range(pools):
            held = max(t.y[at + k], 0.0)
            worth[k] = max(worth[k], worth[at + k] - held)
            worth[at + k] = held
            worth[through + k] -= share * held
    for k in range(pools if slots > 0 else 0):
        worth[k] = max(worth[k], worth[through + k])
        for s in range(slots):
            worth[(1 + s) * pools + k] = max(worth[(1 + s) * pools + k] + min(worth[k], 0.0), 0.0)
        worth[k] = max(worth[k], 0.0)


@step
def noise(t):
    """Gains below this are none."""
    floor = 0.0
    for r in range(t.x.shape[0]):
        floor = max(floor, t.profit[t.basis[r]])
    return NOISE * floor


@inner
def segment_gain(y, cost, state):
    """What a step away from its bound earns in a segment, less rounding; a loss if it is basic."""
    gain = y - cost if state == EMPTY else (cost - y if state == FULL else -np.inf)
    return gain - TINY * (abs(y) + cost)


@step
def may_earn(t, q, least):
    """True if segment q gains more than `least` by a step from its bound. A slot's dual within rounding of zero gains nothing."""
    at = t.pool[q]
    if segment_gain(t.y[at], -t.profit[t.speed.shape[0] + q], t.state[q]) <= least:
        return False
    return at < t.pools or not dual_is_zero(t, at)


@step
def price(t):
    """Column with the largest gain, -1 at an optimum; fills `worth` and `toll`."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    e, best, at = NONE, noise(t), -1
    for i in range(lines, t.x.shape[0]):
        if -t.y[i] > best and not dual_is_zero(t, i):
            e, best = n + segments + i - lines, -t.y[i]
    for q in range(segments):
        if may_earn(t, q, best):
            e, best = n + q, segment_gain(t.y[t.pool[q]], -t.profit[n + q], t.state[q])
    worths(t)
    tolls(t, t.y)
    for p in range(t.worth.shape[0]):
        over = t.worth[p] - (t.toll[p] + TINY * t.grain[p])
        if over > best:
            at, best = p, over
    if at < 0:
        return e
    for w in range(t.spot.shape[0]):
        j = w * pools + at % pools
        if t.spot[w] == at // pools and net_of(t.profit[j], t.speed[j], t.y[lines + w]) >= t.worth[at]:
            return j
    return e


@inner
def first_to_gain(t, last):
    """The first column with a gain (Bland), where `price` found that `last` has one."""
    n, pools, lines, segments, floor = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0], noise(t)
    for j in range(n):
        at = t.spot[j // pools] * pools + j % pools
        if net_of(t.profit[j], t.speed[j], t.y[lines + j // pools]) > t.toll[at] + TINY * t.grain[at] + floor:
            return j
    for q in range(segments):
        if may_earn(t, q, floor):
            return n + q
    return last


@inner
def dual_is_zero(t, i):
    """True if y[i] is no more than rounding of the sum that made it."""
    size = 0.0
    for r in range(t.x.shape[0]):
        size += abs(t.profit[t.basis[r]] * t.inverse[i, r])
    return abs(t.y[i]) <= TINY * size


@step
def without_rounding(t, floor):
    """Duals of slots and jobs that are no more than rounding of the sums that made them become zero; what the basic columns earn is in
    `column`. Those well above `floor` are asked no further: their terms would have to be a billion times the largest profit."""
    for i in range(t.pools, t.y.shape[0]):
        if 0.0 < abs(t.y[i]) <= CLEAR * floor:
            size = 0.0
            for r in range(t.y.shape[0]):
                size += abs(t.column[r] * t.inverse[i, r])
            t.y[i] = t.y[i] if abs(t.y[i]) > TINY * size else 0.0


@step
def leaving(t, e, sign, bland):
    """Row that limits the entering column (ties: the larger pivot; under Bland the lower column), and the step.

    FLIP where column e reaches its own other bound first, NONE where nothing limits it."""
    p, least, size = NONE, t.room[e], 0.0
    if least < np.inf:
        p = FLIP
    for r in range(t.x.shape[0]):
        d, room = sign * t.column[r], t.room[t.basis[r]]
        if d > SMALL_PIVOT:
            ratio = max(t.x[r], 0.0) / d
        elif d < -SMALL_PIVOT and room < np.inf:
            ratio = max(room - t.x[r], 0.0) / -d
        else:
            continue
        if ratio < least:
            p, least, size = r, ratio, abs(d)
        elif ratio == least and p >= 0 and (t.basis[r] < t.basis[p] if bland else abs(d) > size):
            p, size = r, abs(d)
    return p, least


@step
def inside(t):
    """Basic values back between their bounds, where rounding has carried them out."""
    for r in range(t.x.shape[0]):
        t.x[r] = min(max(t.x[r], 0.0), t.room[t.basis[r]])


@step
def advance(t, e, p, step, sign):
    """A primal step: column e, expanded, moves by `step` its way; a flip leaves the basis as it is."""
    if p == FLIP:
        for r in range(t.x.shape[0]):
            t.x[r] -= sign * step * t.column[r]
        stand(t, e, EMPTY if is_full(t, e) else FULL)
    else:
        enter(t, p, e, sign * step, EMPTY if sign * t.column[p] > 0.0 else FULL)
    inside(t)


@step
def reduced_cost(t, j):
    """Profit of column j less what its rows are worth; `toll` is that of the duals at hand."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    if j < n:
        w = j // pools
        return t.profit[j] - t.toll[t.spot[w] * pools + j % pools] - t.speed[j] * t.y[lines + w]
    if j < n + segments:
        return t.profit[j] + t.y[t.pool[j - n]]
    return -t.y[lines + j - n - segments]


@step
def improve(t, bland):
    """Primal steps to the optimum. Returns the steps, or -1 if that did not end."""
    rows, still = t.x.shape[0], 0
    inside(t)
    for steps in range(40 * rows):
        if steps % FRESH == 0:
            duals(t)
        e = price(t)
        if e < 0:
            return steps
        first = bland or still > STALL
        if first:
            e = first_to_gain(t, e)
        expand(t, e)
        sign = -1.0 if is_full(t, e) else 1.0
        p, step = leaving(t, e, sign, first)
        if p == NONE:
            return -1
        gain = reduced_cost(t, e)
        still = still + 1 if step <= 0.0 else 0
        advance(t, e, p, step, sign)
        if p != FLIP:
            for i in range(rows):
                t.y[i] += gain * t.inverse[i, p]
            known_duals(t)
    return -1
