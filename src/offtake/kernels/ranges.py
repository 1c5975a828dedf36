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
from numba import njit

from offtake.kernels.certificate import solve
from offtake.kernels.place import lane_of, pose, prepare
from offtake.kernels.simplex import duals, expand, hours, inner, leaving, pivot

# Reduced costs below this, relative to their terms (a slack's: to the largest profit), are zero: exchange costs nothing.
FACE = 1e-9
STEP = 1e-10  # least change of the job's work per hour moved that counts as a step
STALL = 12


@inner
def face(t, free):
    """Mark in `free` (N + R) what may enter at no loss under the true profits (they replace those with the tie rule)."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    for j in range(n):
        t.profit[j] = t.profit[j] * t.fair[j]
    duals(t)
    for j in range(n):
        u, v = t.y[t.segment[j]], t.speed[j] * t.y[segments + t.job[j]]
        free[j] = t.profit[j] - u - v >= -FACE * (abs(t.profit[j]) + abs(u) + abs(v))
    largest = 0.0
    for r in range(rows):
        largest = max(largest, t.profit[t.basis[r]] if t.basis[r] < n else 0.0)
    for i in range(rows):
        free[n + i] = abs(t.y[i]) <= FACE * largest


@inner
def entering_face(t, free, goal, first):
    """Free column that raises goal . x most per hour (under Bland the first that does), -1 if none."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    t.y[:] = 0.0
    for r in range(rows):
        if t.basis[r] < n and goal[t.basis[r]] != 0.0:
            for i in range(rows):
                t.y[i] += goal[t.basis[r]] * t.inverse[r, i]
    e, best = -1, STEP
    for j in range(n + rows):
        if free[j] == 0:
            continue
        if j < n:
            gain = goal[j] - t.y[t.segment[j]] - t.speed[j] * t.y[segments + t.job[j]]
        else:
            gain = -t.y[j - n]
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
    for r in range(rows):
        t.x[r] = max(t.x[r], 0.0)
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
        p = leaving(t, first)
        if p < 0:
            return np.nan
        still = still + 1 if t.x[p] <= 0.0 else 0
        pivot(t, p, e)
        for r in range(rows):
            t.x[r] = max(t.x[r], 0.0)
    return np.nan


@inner
def range_month(segments, pool_provider, t, free, goal, w, provider, fastest):
    """Least and most work of job w on a provider, over the optimal plans of the program just solved."""
    q_count = segments.pool.shape[0]
    for sign in (-1.0, 1.0):
        goal[:] = 0.0
        for q in range(q_count):
            if pool_provider[segments.pool[q]] == provider:
                goal[w * q_count + q] = sign * t.speed[w * q_count + q]
        if sign < 0.0:
            least = -most(t, free, goal)
        else:
            largest = most(t, free, goal)
    least = least if least > 0.0 or np.isnan(least) else 0.0
    return least * fastest, max(largest, least) * fastest


@njit(cache=True, nogil=True, error_model="numpy")
def range_block(segments, jobs, loads, ready, X, pool_provider, unserved, work, lo, hi):
    """Fill `lo` and `hi` (W, J, M, L) for a block of paths that `place_block` has placed.

    pool_provider  (K,) int64 number of each pool's provider;  unserved  (W, M, L) from `place_block`;  the rest as there
    """
    prepare(segments, jobs, loads, X, work)
    n, rows = work.speed.shape[1], work.basis.shape[1]
    free, goal = np.zeros(n + rows, np.int64), np.zeros(n)
    for i in range(loads.work.shape[2]):
        t = lane_of(work, i)
        for m in range(loads.work.shape[1]):
            for w in range(jobs.deferrable.shape[0]):
                work.backlog[i, w] = unserved[w, m - 1, i] if m > 0 and jobs.deferrable[w] != 0 else 0.0
            pose(segments, jobs, loads, ready, X, work, t, m, i)
            solve(t)
            face(t, free)
            for w in range(lo.shape[0]):
                for provider in range(lo.shape[1]):
                    low, high = range_month(segments, pool_provider, t, free, goal, w, provider, work.fastest[i, w])
                    lo[w, provider, m, i], hi[w, provider, m, i] = low, high
