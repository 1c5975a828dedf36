"""How far placement is undetermined: smallest and largest work of a job on a provider over all optimal plans.

Axes    jobs (W), providers (J), months (M), lanes (L); path last.
Units   the job's own unit of work, per month.
Signs   0 <= lo <= hi; NaN where the search did not end.
Order within the month   the program of `place` with the backlog that its tie rule left; then, among the columns that cost nothing
        to exchange at the optimum without the tie rule, least and most work of each job on each provider.
        Months part once backlogs are given, so sums of lo and of hi over months are ranges too.
Source  model P-05. Method: primal simplex on the optimal face (complementary slackness with one optimal dual).
"""

import numpy as np

from offtake.kernels.basis import BASIC, EMPTY, duals, expand, hours, is_full, rebuild, tolls
from offtake.kernels.compiled import entry, inner, step
from offtake.kernels.lanes import hand_out, of_lane
from offtake.kernels.place import pose, prepare
from offtake.kernels.simplex import NONE, STALL, advance, inside, leaving

# Reduced costs below this, relative to their terms (a segment's or slack's: to the largest profit), are zero: exchange costs nothing.
FACE = 1e-9
STEP = 1e-10  # least change of the job's work per hour moved that counts as a step


@inner
def largest_profit(t):
    """Of the basic columns."""
    largest = 0.0
    for r in range(t.x.shape[0]):
        largest = max(largest, t.profit[t.basis[r]])
    return largest


@inner
def face(t, fair, free):
    """Mark in `free` (C) what may leave its bound at no loss under the true profits (they replace those with the tie rule)."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    for j in range(n):
        t.profit[j] = t.profit[j] * fair[j]
    duals(t)
    tolls(t, t.y)
    least = FACE * largest_profit(t)
    for j in range(n):
        at, v = t.spot[j // pools] * pools + j % pools, t.speed[j] * t.y[lines + j // pools]
        free[j] = t.profit[j] - t.toll[at] - v >= -FACE * (abs(t.profit[j]) + t.grain[at] + abs(v))
    for q in range(segments):
        free[n + q] = t.state[q] == BASIC or abs(t.y[t.pool[q]] + t.profit[n + q]) <= least
    for w in range(t.x.shape[0] - lines):
        free[n + segments + w] = abs(t.y[lines + w]) <= least


@inner
def goal_gain(t, goal, j):
    """What column j adds to the goal an hour; `y` holds what the rows are worth to it, `toll` what spots are."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    if j < n:
        return goal[j] - t.toll[t.spot[j // pools] * pools + j % pools] - t.speed[j] * t.y[lines + j // pools]
    if j < n + segments:
        q = j - n
        gain = t.y[t.pool[q]]
        return 0.0 if t.state[q] == BASIC else (gain if t.state[q] == EMPTY else -gain)
    return -t.y[lines + j - n - segments]


@inner
def entering_face(t, free, goal, first):
    """Free column that raises goal . x most per hour (under Bland the first that does), -1 if none."""
    n, rows = t.speed.shape[0], t.x.shape[0]
    t.y[:] = 0.0
    for r in range(rows):
        if t.basis[r] < n and goal[t.basis[r]] != 0.0:
            for i in range(rows):
                t.y[i] += goal[t.basis[r]] * t.inverse[i, r]
    tolls(t, t.y)
    e, best = NONE, STEP
    for j in range(t.profit.shape[0]):
        if free[j] == 0:
            continue
        gain = goal_gain(t, goal, j)
        if gain > best:
            e, best = j, gain
            if first:
                return e
    return e


@inner
def most(t, free, goal):
    """Largest goal . x on the face, from the basis at hand; NaN if the steps did not end."""
    n, rows, still = t.speed.shape[0], t.x.shape[0], 0
    hours(t)
    inside(t)
    for _ in range(40 * rows):
        first = still > STALL
        e = entering_face(t, free, goal, first)
        if e < 0:
            total = 0.0
            for r in range(rows):
                if t.basis[r] < n:
                    total += goal[t.basis[r]] * t.x[r]
            return total
        expand(t, e)
        sign = -1.0 if is_full(t, e) else 1.0
        p, step = leaving(t, e, sign, first)
        if p == NONE:
            return np.nan
        still = still + 1 if step <= 0.0 else 0
        advance(t, e, p, step, sign)
    return np.nan


@inner
def range_month(pool_provider, t, free, goal, owner, w, provider, fastest):
    """Least and most work of workload w (all jobs that it owns) on a provider, over the optimal plans of the program just solved."""
    pools = t.pools
    for sign in (-1.0, 1.0):
        goal[:] = 0.0
        for j in range(goal.shape[0]):
            if owner[j // pools] == w and pool_provider[j % pools] == provider:
                goal[j] = sign * t.speed[j]
        if sign < 0.0:
            least = -most(t, free, goal)
        else:
            largest = most(t, free, goal)
    least = least if least > 0.0 or np.isnan(least) else 0.0
    return least * fastest, max(largest, least) * fastest


@step
def first_of(owner, w):
    """The first job of workload w; each has one at least, and they follow each other."""
    r = 0
    while owner[r] != w:
        r += 1
    return r


@inner
def recall(a, m, i, placed):
    """Program a of lane i, month m, at the optimal basis that placement kept."""
    for r in range(a.basis.shape[0]):
        a.basis[r] = placed.basis[r, m, i]
    for q in range(a.state.shape[0]):
        a.state[q] = placed.state[q, m, i]
    rebuild(a)


@entry
def range_block(segments, jobs, loads, ready, X, pool_provider, placed, work, lo, hi):
    """Fill `lo` and `hi` (W, J, M, L) for a block of paths that `place_block` has placed.

    pool_provider  (K,) int64 number of each pool's provider;  placed  from `place_block`;  the rest as there
    """
    b, t, desk = work
    prepare(segments, jobs, loads, X, b, t, desk)
    owner = jobs.day.owner
    free, goal = np.zeros(b.profit.shape[0], np.int64), np.zeros(b.speed.shape[0])
    for m in range(loads.work.shape[1]):
        for r in range(owner.shape[0]):
            if m > 0 and jobs.deferrable[owner[r]] != 0:
                desk.backlog[r, :] = placed.unserved[owner[r], m - 1]
        pose(segments, jobs, loads, ready, X, b, desk, m)
        hand_out(b)
        for i in range(loads.work.shape[2]):
            a = of_lane(b, t, i, b.own.profit[i], b.own.y[i])
            recall(a, m, i, placed)
            face(a, b.fair, free)
            for w in range(lo.shape[0]):
                for provider in range(lo.shape[1]):
                    low, high = range_month(pool_provider, a, free, goal, owner, w, provider, desk.fastest[first_of(owner, w), i])
                    lo[w, provider, m, i], hi[w, provider, m, i] = low, high
