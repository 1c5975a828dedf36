"""The proof that a plan is an optimum: hours that are feasible exactly, and a bound on every plan that they reach.

Axes    as in `lanes`.
Units   GPU-h, USD; the gap is relative.
Signs   gap >= 0 but for rounding; at most GAP means solved.
Order within the month   hours of the basic columns, cut to what the segments of each line give, then to the work; profit; bound;
        where the gap is larger than GAP the lane is solved again from its rebuilt inverse, then from nothing placed. Never silent.
Source  model P-04. Method: weak duality of linear programs; no tolerance of the steps enters.
"""

import numpy as np

from offtake.kernels.basis import FULL, duals
from offtake.kernels.compiled import inner, once, step
from offtake.kernels.lanes import ATTEMPTS, ask_prices, hand_out, of_lane, solve_lane
from offtake.kernels.simplex import rents

GAP = 1e-9  # a month is solved when its certificate is at most this (P-04)


@inner
def read_plan(b):
    """Hours `use` of jobs in pools and `fill` from segments, between their bounds."""
    n, segments = b.speed.shape[0], b.fill.shape[0]
    for j in range(n):
        b.use[j] = 0.0
    for q in range(segments):
        for i in range(b.gap.shape[0]):
            b.fill[q, i] = b.room[n + q, i] if b.state[q, i] == FULL else 0.0
    for i in range(b.gap.shape[0]):
        basis, hours, profit, room = b.own.basis[i], b.own.x[i], b.own.profit[i], b.own.room[i]
        for r in range(basis.shape[0]):
            j, x = basis[r], max(hours[r], 0.0)
            if j < n:
                b.use[j, i] = x if profit[j] > 0.0 else 0.0
            elif j < n + segments:
                b.fill[j - n, i] = min(x, room[j])


@step
def part_of(b, line, j):
    """Hours of a line that an hour of column j takes; 0 where it is another pool's."""
    pools, slots, spot = b.pools, b.share.shape[0], b.spot[j // b.pools]
    if j % pools != line % pools:
        return 0.0
    if line < pools:
        return 1.0
    return b.share[line // pools - 1] if spot > slots else (1.0 if spot == line // pools else 0.0)


@inner
def cut_lines(b):
    """Where rounding has a line give more than its segments do, the hours on it are cut; `size` and `total` are scratch."""
    n, given, used = b.speed.shape[0], b.size, b.total
    for line in range(b.y.shape[0] - b.spot.shape[0]):
        given[:] = 0.0
        used[:] = 0.0
        for q in range(b.fill.shape[0]):
            if b.pool[q] == line:
                fill = b.fill[q]
                for i in range(b.gap.shape[0]):
                    given[i] += fill[i]
        for j in range(line % b.pools, n, b.pools):
            use, part = b.use[j], part_of(b, line, j)
            if part > 0.0:
                for i in range(b.gap.shape[0]):
                    used[i] += part * use[i]
        over = False
        for i in range(b.gap.shape[0]):
            over |= used[i] > given[i]
            used[i] = given[i] / used[i] if used[i] > given[i] else 1.0
        for j in range(line % b.pools, n, b.pools):
            use = b.use[j]
            if over and part_of(b, line, j) > 0.0:
                for i in range(b.gap.shape[0]):
                    use[i] *= used[i]


@inner
def cut_jobs(b):
    """Where rounding has a job do more than its work, its hours are cut."""
    pools, lines, done = b.pools, b.y.shape[0] - b.spot.shape[0], b.total
    for w in range(b.spot.shape[0]):
        work = b.rhs[lines + w]
        done[:] = 0.0
        for j in range(w * pools, (w + 1) * pools):
            use, speed = b.use[j], b.speed[j]
            for i in range(b.gap.shape[0]):
                done[i] += use[i] * speed[i]
        for i in range(b.gap.shape[0]):
            done[i] = work[i] / done[i] if done[i] > work[i] else 1.0
        for j in range(w * pools, (w + 1) * pools):
            use = b.use[j]
            for i in range(b.gap.shape[0]):
                use[i] *= done[i]


@inner
def reach(b):
    """True profit (no tie rule) of the feasible plan, into `total`."""
    n, total = b.speed.shape[0], b.total
    total[:] = 0.0
    for j in range(n):
        use, profit, fair = b.use[j], b.profit[j], b.fair[j]
        for i in range(b.gap.shape[0]):
            total[i] += use[i] * (profit[i] * fair)
    for q in range(b.fill.shape[0]):
        fill, profit = b.fill[q], b.profit[n + q]
        for i in range(b.gap.shape[0]):
            total[i] += fill[i] * profit[i]


@inner
def bound_plans(b):
    """What no plan can exceed, into `size`: the lines' `worth` makes any duals of jobs and slots feasible: no tolerance of its own."""
    n, lines, bound = b.speed.shape[0], b.y.shape[0] - b.spot.shape[0], b.size
    bound[:] = 0.0
    for q in range(b.fill.shape[0]):
        room, worth, profit = b.room[n + q], b.worth[b.pool[q]], b.profit[n + q]
        for i in range(b.gap.shape[0]):
            bound[i] += room[i] * max(worth[i] + profit[i], 0.0)
    for r in range(lines, b.y.shape[0]):
        work, y = b.rhs[r], b.y[r]
        for i in range(b.gap.shape[0]):
            bound[i] += work[i] * max(y[i], 0.0)


@inner
def certify(b):
    """Fill `use`, `fill` and `gap`: relative gap between a feasible plan and the bound, a proof. The tie rule is inside the gap."""
    read_plan(b)
    cut_lines(b)
    cut_jobs(b)
    reach(b)
    bound_plans(b)
    for i in range(b.gap.shape[0]):
        reached, bound = b.total[i], b.size[i]
        gap = 0.0 if bound == reached else (bound - reached) / abs(bound)
        b.gap[i] = gap if gap < np.inf else np.inf  # not a number is not a proof


@once
def bound_without_ties(b, t, i):
    """The bound of lane i from duals at true profits: where costs eat most of the gains, the tie rule alone would exceed GAP."""
    for j in range(t.profit.shape[0]):
        t.profit[j] = b.own.profit[i, j] * (b.fair[j] if j < t.speed.shape[0] else 1.0)
    a = of_lane(b, t, i, t.profit, t.y)
    duals(a)
    bound = 0.0
    for r in range(a.first.shape[0], a.x.shape[0]):
        a.y[r] = max(a.y[r], 0.0)
        bound += a.rhs[r] * a.y[r]
    rents(a)
    for q in range(a.pool.shape[0]):
        column = a.speed.shape[0] + q
        bound += a.room[column] * max(a.worth[a.pool[q]] + a.profit[column], 0.0)
    return bound


@once
def prove_again(b, t):
    """Lanes whose gap may be the tie rule's own: measured once more without it."""
    for i in range(b.gap.shape[0]):
        if b.gap[i] > GAP:
            bound = bound_without_ties(b, t, i)
            gap = (bound - b.total[i]) / abs(bound)
            b.gap[i] = gap if gap < b.gap[i] else b.gap[i]


@inner
def solve_month(b, t):
    """Optimum of every lane (steps in `t`), proven: `use`, `fill`, `gap`.

    A gap above GAP says which lane is not solved."""
    hand_out(b)
    for attempt in range(-1, ATTEMPTS):
        open_lanes = 0
        for i in range(b.gap.shape[0]):
            if b.gap[i] > GAP and (attempt != 0 or b.broken[i] != 0):
                solve_lane(b, t, i, attempt)
                open_lanes += 1
        if attempt < 0:
            ask_prices(b)
        elif attempt == 0 or open_lanes > 0:
            certify(b)
            prove_again(b, t)
