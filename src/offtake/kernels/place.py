"""Where the customer's work runs: the exact optimum of one linear program per path and month.

    max sum_{w,q} (value_w speed_wk - moving_wk - cost_q) x_wq,  k = pool of segment q
    sum_w x_wq <= cap_q,   sum_q speed_wk x_wq <= work_w + backlog_w,   x >= 0
    x_wq = 0 where job w may not run in pool k, or its gang exceeds what is ready there or what one fabric joins

Axes    jobs (W), segments (Q), pools (K), months (M), lanes (L); path last. A path never reads another path.
Units   GPU-h; work in the job's own unit; speed in work per GPU-h; USD per unit of work, USD per GPU-h.
Signs   all outputs >= 0. served + unserved = work + backlog. Sum of segments - use = sum of idle.
Order within the month   backlog in, program, tie rule, duals, idle by cause, backlog out (deferrable jobs only).
Tie rule   among optima the plan with the largest sum of profit x key wins, key = sqrt((rank_w + golden) (rank_k + sqrt 2)),
        by multiplying profits with 1 + 1e-10 key / largest key: only names' ranks matter, never the order in the book.
Dual    worth of one GPU-hour more in the pool that costs nothing to use: at a pool whose segment q is full it is the segment's
        dual plus cost_q; at a segment partly used it is cost_q. Who must pay for the hour subtracts the price.
Idle    left-over hours by cause. Unserved work is shared out once, over pools then jobs by rank: first to jobs that may run there
        but whose gang finds no room, then to jobs that may not run there (at their fastest pool's speed where the chip has
        none); the rest is no demand (worth serving).
Source  model P-01, P-03 to P-06, D-03, D-04. Method: `simplex`, started from last month's basis.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from offtake.kernels.certificate import GAP, solve
from offtake.kernels.simplex import Program, inner, reset

TIE = 1e-10  # largest relative change of a profit by the tie rule
GOLDEN, ROOT_TWO = 1.618033988749895, 1.4142135623730951
DUST = 1e-14  # unserved work and left-over hours below this share of the whole are rounding, and zero
NO_DEMAND, NOT_ALLOWED, NO_ROOM = 0, 1, 2


class Segments(NamedTuple):
    """Capacity at one price: several segments a pool (paid already, overage, ...)."""

    pool: np.ndarray  # (Q,) int64
    cap: np.ndarray  # (Q, M, L) GPU-h
    cost: np.ndarray  # (Q, M, L) USD per GPU-h, the marginal cost (P-02)


class Jobs(NamedTuple):
    """What may run where, and the ranks of names that break ties."""

    eligible: np.ndarray  # (W, K) int64, 0 or 1
    gang_x: np.ndarray  # (W,) int64 rows of X: GPUs that start together, -1 none
    deferrable: np.ndarray  # (W,) int64, 0 or 1
    rank_w: np.ndarray  # (W,) int64 rank of the job's name
    rank_k: np.ndarray  # (K,) int64 rank of the pool's name
    fabric_x: np.ndarray  # (K,) int64 rows of X: GPUs one fabric joins, -1 no limit


class Loads(NamedTuple):
    """What there is to do and what it is worth."""

    work: np.ndarray  # (W, M, L) work of the month
    speed: np.ndarray  # (W, K, L) work per GPU-h
    value: np.ndarray  # (W, L) USD per unit of work
    moving: np.ndarray  # (W, K, L) USD per GPU-h


class Placement(NamedTuple):
    """What `place_block` fills."""

    use: np.ndarray  # (W, K, M, L) GPU-h
    served: np.ndarray  # (W, M, L) work
    unserved: np.ndarray  # (W, M, L) work
    dual: np.ndarray  # (K, M, L) USD per GPU-h
    idle: np.ndarray  # (3, K, M, L) GPU-h: no demand, not allowed, no room for the gang
    status: np.ndarray  # (L,) int64: 0, or 1 + the first month without a certificate
    gap: np.ndarray  # (L,) the largest relative gap


class Scratch(NamedTuple):
    """Memory of one worker: what a lane keeps from month to month (lane first), and what all lanes share."""

    inverse: np.ndarray  # (L, R, R)
    basis: np.ndarray  # (L, R) int64
    age: np.ndarray  # (L, 1) int64
    speed: np.ndarray  # (L, N) relative to the fastest
    gain: np.ndarray  # (L, N) USD per GPU-h before cost
    gang: np.ndarray  # (L, N) GPUs; inf where the job may not run
    fastest: np.ndarray  # (L, W) work per GPU-h
    backlog: np.ndarray  # (L, W) work
    shared: Program  # lane fields of it are replaced lane by lane
    bias: np.ndarray  # (N,) the tie rule, a factor on profits
    limit: np.ndarray  # (Q,) GPUs that can start together
    cost: np.ndarray  # (Q,)
    left: np.ndarray  # (K,) hours
    todo: np.ndarray  # (W,) work not served
    pool_turn: np.ndarray  # (K,) int64 pools by rank
    job_turn: np.ndarray  # (W,) int64 jobs by rank
    waiting: np.ndarray  # (W,) int64 jobs with work not served, by rank


def scratch(jobs, segments, lanes=64):
    """Memory for `place_block` and `range_block`: `jobs` W, `segments` Q (pools are at most Q long), `lanes` L."""
    n, rows = jobs * segments, jobs + segments
    whole = np.int64
    lane = Program(
        np.zeros((rows, rows)), np.zeros(rows, whole), np.repeat(np.arange(jobs), segments), np.tile(np.arange(segments), jobs),
        np.zeros(n), np.zeros(n), np.ones(n), np.zeros(rows), np.zeros(rows), np.zeros(rows), np.zeros(rows),
        np.zeros(segments), np.zeros(n + rows), np.zeros(1, whole),
    )  # fmt: skip
    return Scratch(
        np.zeros((lanes, rows, rows)), np.zeros((lanes, rows), whole), np.zeros((lanes, 1), whole),
        np.zeros((lanes, n)), np.zeros((lanes, n)), np.zeros((lanes, n)), np.zeros((lanes, jobs)), np.zeros((lanes, jobs)),
        lane, np.ones(n), np.zeros(segments), np.zeros(segments), np.zeros(segments), np.zeros(jobs),
        np.zeros(segments, whole), np.zeros(jobs, whole), np.zeros(jobs, whole),
    )  # fmt: skip


@inner
def tie_key(rank_w, rank_k):
    """What the tie rule prefers: larger is better. Irrational shifts keep different plans from scoring the same."""
    return np.sqrt((rank_w + GOLDEN) * (rank_k + ROOT_TWO))


@inner
def profit_month(gain, cost, bias, gang, limit, ceiling):
    """Profit of an hour; where the gang does not fit, a loss that no cost can offset (P-03)."""
    return (gain - cost) * bias if gang <= limit else -2.0 * (ceiling + abs(cost))


@inner
def lane_of(work, i):
    """The program of lane i: its own inverse, basis and speeds, the shared memory otherwise."""
    s = work.shared
    return Program(work.inverse[i], work.basis[i], s.job, s.segment, work.speed[i], s.profit, s.fair, s.rhs,
                   s.x, s.y, s.column, s.worth, s.reduced, work.age[i])  # fmt: skip


@inner
def take_turns(jobs, work):
    """Fill the order by rank of pools and jobs, and the tie rule (`bias`); the caller's ranks are a permutation."""
    for k in range(jobs.rank_k.shape[0]):
        before = 0
        for other in range(jobs.rank_k.shape[0]):
            before += jobs.rank_k[other] < jobs.rank_k[k] or (jobs.rank_k[other] == jobs.rank_k[k] and other < k)
        work.pool_turn[before] = k
    for w in range(jobs.rank_w.shape[0]):
        before = 0
        for other in range(jobs.rank_w.shape[0]):
            before += jobs.rank_w[other] < jobs.rank_w[w] or (jobs.rank_w[other] == jobs.rank_w[w] and other < w)
        work.job_turn[before] = w


@inner
def tie_rule(segments, jobs, work):
    """Fill `bias` (N,): 1 + TIE x key / largest key, and its inverse `fair`."""
    bias, q_count, largest = work.bias, segments.pool.shape[0], 0.0
    for w in range(jobs.rank_w.shape[0]):
        for q in range(q_count):
            key = tie_key(jobs.rank_w[w], jobs.rank_k[segments.pool[q]])
            bias[w * q_count + q] = key
            largest = max(largest, key)
    for j in range(bias.shape[0]):
        bias[j] = 1.0 + TIE * bias[j] / largest
        work.shared.fair[j] = 1.0 / bias[j]


@inner
def prepare(segments, jobs, loads, X, work):
    """What stays the same over the months: ranks, relative speeds, gains, gangs; every lane starts with nothing placed."""
    take_turns(jobs, work)
    tie_rule(segments, jobs, work)
    q_count = segments.pool.shape[0]
    for i in range(loads.value.shape[1]):
        reset(lane_of(work, i))
        for w in range(loads.value.shape[0]):
            fastest = 0.0
            for k in range(jobs.eligible.shape[1]):
                fastest = max(fastest, loads.speed[w, k, i])
            work.fastest[i, w] = fastest
            work.backlog[i, w] = 0.0
            gang = X[jobs.gang_x[w], i] if jobs.gang_x[w] >= 0 else 0.0
            for q in range(q_count):
                k, j = segments.pool[q], w * q_count + q
                runs = jobs.eligible[w, k] != 0 and loads.speed[w, k, i] > 0.0
                work.speed[i, j] = loads.speed[w, k, i] / fastest if runs else 0.0
                work.gain[i, j] = loads.value[w, i] * loads.speed[w, k, i] - loads.moving[w, k, i] if runs else 0.0
                work.gang[i, j] = gang if runs else np.inf


@inner
def limit_month(jobs, ready, X, k, m, i):
    """GPUs of pool k that can start together: ready ones, at most one fabric's worth (P-03)."""
    fabric = X[jobs.fabric_x[k], i] if jobs.fabric_x[k] >= 0 else np.inf
    return min(ready[k, m, i], fabric)


@inner
def pose(segments, jobs, loads, ready, X, work, t, m, i):
    """Right-hand sides and profits of month m, lane i, into the program."""
    q_count, w_count = segments.pool.shape[0], loads.work.shape[0]
    ceiling = 1.0
    for j in range(t.profit.shape[0]):
        ceiling = max(ceiling, work.gain[i, j])
    for q in range(q_count):
        t.rhs[q] = max(segments.cap[q, m, i], 0.0)
        work.cost[q] = segments.cost[q, m, i]
        work.limit[q] = limit_month(jobs, ready, X, segments.pool[q], m, i)
    for w in range(w_count):
        work.todo[w] = max(loads.work[w, m, i], 0.0) + work.backlog[i, w]
        t.rhs[q_count + w] = work.todo[w] / work.fastest[i, w] if work.fastest[i, w] > 0.0 else 0.0
        for q in range(q_count):
            j = w * q_count + q
            t.profit[j] = profit_month(work.gain[i, j], work.cost[q], work.bias[j], work.gang[i, j], work.limit[q], ceiling)


@inner
def book_month(segments, jobs, loads, work, t, m, i, out):
    """Use, served, unserved, duals, left-over hours and backlog from the solved program; `use`, `dual` come in as zeros."""
    n, q_count = t.speed.shape[0], segments.pool.shape[0]
    work.left[:] = 0.0
    for q in range(q_count):
        k = segments.pool[q]
        work.left[k] += t.rhs[q]
        out.dual[k, m, i] = max(out.dual[k, m, i], t.worth[q] + work.cost[q])
    for w in range(work.todo.shape[0]):
        out.served[w, m, i] = 0.0
    for r in range(t.x.shape[0]):
        if t.basis[r] < n:
            w, k = t.job[t.basis[r]], segments.pool[t.segment[t.basis[r]]]
            out.use[w, k, m, i] += t.x[r]
            out.served[w, m, i] += t.x[r] * loads.speed[w, k, i]
            work.left[k] -= t.x[r]
    for q in range(q_count):  # a pool full but for rounding is full
        k = segments.pool[q]
        work.left[k] = work.left[k] if work.left[k] > DUST * t.rhs[q] else 0.0
    for w in range(work.todo.shape[0]):
        all_done = work.todo[w] - out.served[w, m, i] <= DUST * work.todo[w]
        out.served[w, m, i] = work.todo[w] if all_done else out.served[w, m, i]
        work.todo[w] = work.todo[w] - out.served[w, m, i]
        out.unserved[w, m, i] = work.todo[w]
        work.backlog[i, w] = work.todo[w] if jobs.deferrable[w] != 0 else 0.0


@inner
def explain_hours(left, todo, speed):
    """Hours of `left` that `todo` work would fill, and the work that is then spoken for."""
    hours = min(left, todo / speed) if speed > 0.0 else 0.0
    return hours, min(hours * speed, todo)


@inner
def blame_month(jobs, loads, ready, X, work, m, i, idle):
    """Left-over hours by cause (P-06): no room for the gang, then not allowed, then no demand. `idle` comes in as zeros."""
    waiting = 0
    for b in range(work.todo.shape[0]):
        work.waiting[waiting] = work.job_turn[b]
        waiting += work.todo[work.job_turn[b]] > 0.0
    for a in range(jobs.rank_k.shape[0]):
        k = work.pool_turn[a]
        left = work.left[k]
        if left <= 0.0:
            continue
        limit = limit_month(jobs, ready, X, k, m, i)
        for cause in (NO_ROOM, NOT_ALLOWED):
            for b in range(waiting):
                w = work.waiting[b]
                if left <= 0.0 or work.todo[w] <= 0.0:
                    continue
                gang = X[jobs.gang_x[w], i] if jobs.gang_x[w] >= 0 else 0.0
                allowed = jobs.eligible[w, k] != 0
                if (allowed and gang > limit) if cause == NO_ROOM else not allowed:
                    speed = loads.speed[w, k, i] if loads.speed[w, k, i] > 0.0 else work.fastest[i, w]
                    hours, spoken = explain_hours(left, work.todo[w], speed)
                    idle[cause, k, m, i] += hours
                    left -= hours
                    work.todo[w] -= spoken
        idle[NO_DEMAND, k, m, i] = left


@njit(cache=True, nogil=True, error_model="numpy")
def place_block(segments, jobs, loads, ready, X, work, out):
    """Fill `out` for a block of paths.

    segments  capacity and marginal cost; jobs  who may run where; loads  work, speed, value, moving
    ready     (K, M, L) GPUs ready;  X (F, L) factors;  work  from `scratch(W, Q, L)`
    """
    prepare(segments, jobs, loads, X, work)
    out.use[:] = 0.0
    out.dual[:] = 0.0
    out.idle[:] = 0.0
    out.status[:] = 0
    out.gap[:] = 0.0
    for m in range(loads.work.shape[1]):
        for i in range(loads.work.shape[2]):
            t = lane_of(work, i)
            pose(segments, jobs, loads, ready, X, work, t, m, i)
            gap = solve(t)
            if not gap <= GAP and out.status[i] == 0:
                out.status[i] = m + 1
            out.gap[i] = gap if not gap <= out.gap[i] else out.gap[i]
            book_month(segments, jobs, loads, work, t, m, i, out)
            blame_month(jobs, loads, ready, X, work, m, i, out.idle)
