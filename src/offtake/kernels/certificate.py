"""Solve a placement program and prove the answer: feasible hours, and a bound on every plan that they reach.

Axes    segments (Q), jobs (W), rows R = Q + W, columns N = W * Q, as in `simplex`.
Units   GPU-h, USD; the gap is relative.
Signs   gap >= 0 but for rounding; at most GAP means solved.
Order within the month   steps from the basis at hand; else from its rebuilt inverse; else from nothing placed, by Bland's rule;
        if all fail nothing is placed and the gap is not finite. Never silent.
Source  model P-04. Method: weak duality of linear programs.
"""

import numpy as np

from offtake.kernels.simplex import dual_is_zero, hours, improve, inner, rebuild, repair, reset, worths

GAP = 1e-9  # a month is solved when its certificate is at most this (P-04)
STALE = 400  # pivots after which the inverse is built anew


@inner
def cut(t):
    """Make the hours feasible exactly: cut where a row is exceeded by rounding. Returns their true profit (no tie rule)."""
    n, rows, segments = t.speed.shape[0], t.x.shape[0], t.worth.shape[0]
    used, x, reached = t.column, t.x, 0.0
    for i in range(rows):
        used[i] = 0.0
    for r in range(rows):
        j = t.basis[r]
        x[r] = x[r] if x[r] > 0.0 and (j >= n or t.profit[j] > 0.0) else 0.0
        if j < n:
            used[t.segment[j]] += x[r]
    for r in range(rows):
        j = t.basis[r]
        if j < n:
            q = t.segment[j]
            x[r] = x[r] * (t.rhs[q] / used[q]) if used[q] > t.rhs[q] else x[r]
            used[segments + t.job[j]] += x[r] * t.speed[j]
    for r in range(rows):
        j = t.basis[r]
        if j < n:
            w = segments + t.job[j]
            x[r] = x[r] * (t.rhs[w] / used[w]) if used[w] > t.rhs[w] else x[r]
            reached += x[r] * (t.profit[j] * t.fair[j])
    return reached


@inner
def dual_bound(t):
    """What no plan can exceed: `worth` makes any duals of the jobs feasible, so this needs no tolerance of its own."""
    bound, segments = 0.0, t.worth.shape[0]
    for q in range(segments):
        bound += t.rhs[q] * max(t.worth[q], 0.0)
    for w in range(segments, t.x.shape[0]):
        bound += t.rhs[w] * max(t.y[w], 0.0)
    return bound


@inner
def certify(t):
    """Relative gap between the profit of feasible hours and a bound on every plan: a proof. The tie rule is inside the gap."""
    reached, bound = cut(t), dual_bound(t)
    if bound - reached > GAP * abs(bound):  # where nearly nothing can be earned, rounding of duals that are zero shows
        for i in range(t.x.shape[0]):
            t.y[i] = 0.0 if dual_is_zero(t, i) else t.y[i]
        worths(t)
        bound = dual_bound(t)
    return 0.0 if bound == reached else (bound - reached) / abs(bound)


@inner
def solve(t):
    """Optimum of the program in `t` from the basis at hand. Returns the relative gap (at most GAP when solved)."""
    gap = np.inf
    if t.age[0] > STALE:
        rebuild(t)
    for attempt in range(3):
        if attempt == 1:
            rebuild(t)
        elif attempt == 2:
            reset(t)
        gap, before = np.inf, t.age[0]
        hours(t)
        if repair(t) < 0 or improve(t, attempt == 2) < 0:
            continue
        if t.age[0] != before:
            hours(t)
        gap = certify(t)
        if gap <= GAP:
            return gap
    if not gap < np.inf:  # no basis could be trusted: place nothing, and say so
        reset(t)
        hours(t)
    return gap
