"""Where the customer's work runs: the exact optimum of one linear program per path and month.

    max sum_{w,q} (value_w speed_wk - moving_wk - cost_q) x_wq,  k = pool of segment q
    sum_w x_wq <= cap_q,   sum_q speed_wk x_wq <= work_w + backlog_w,   x >= 0
    x_wq = 0 where job w may not run in pool k, or its gang exceeds what is ready there or what one fabric joins
    and in slot s of the day, where the book has any:  sum_w part_ws x_wk <= share_s (sum_q cap_q),
    part_ws = 1 for a job of slot s, share_s for one that runs through the day, 0 for one that may run at any time

Axes    workloads (W), jobs (J), segments (Q), pools (K), slots of the day (S), months (M), lanes (L); path last. A path never reads
        another path. A job is a workload, or in a book with slots one slot of an inference workload: its load there is work of its own.
Units   GPU-h; work in the job's own unit; speed in work per GPU-h; USD per unit of work, USD per GPU-h.
Signs   all outputs >= 0. served + unserved = work + backlog. Sum of segments - use = sum of idle.
Order within the month   backlog in, program, tie rule, duals, hours by slot, idle by cause, backlog out (deferrable jobs only).
Tie rule   among optima the plan with the largest sum of gain x key wins, key = sqrt((rank_w + golden) (rank_k + sqrt 2)),
        by multiplying gains (profits before cost_q) with 1 + 1e-10 key / largest key: only names' ranks matter, never the order in
        the book. Two plans whose sums of gain x key agree to about 1 part in 1,000 are one to it: either may come out.
Dual    worth of one GPU-hour more in the pool that costs nothing to use: what the best job would earn with it, net of the job's
        own dual; at a segment partly used it is cost_q. Who must pay for the hour subtracts the price. An hour more in slot s is
        worth that and the slot's own dual; an hour more through the day that and the slots' duals by their shares.
Slots   jobs of any time lie in what is left of each slot, in proportion to it: the program does not ask where. So is what stays idle.
Idle    left-over hours by cause. Unserved work is shared out once, over pools then jobs by rank: first to jobs that may run there
        but whose gang finds no room, then to jobs that may not run there (at their fastest pool's speed where the chip has
        none); the rest is no demand (worth serving). A job of a slot finds left-over hours there alone, one through the day only
        such as are left in every slot.
Source  model P-01, P-03 to P-06, D-03, D-04. Method: `certificate.solve_month`, from last month's basis.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.certificate import GAP, solve_month
from offtake.kernels.compiled import entry, inner
from offtake.kernels.idle import blame_month
from offtake.kernels.lanes import begin, hand_out_speeds, side_by_side
from offtake.kernels.slots import DUST, Day, book_slots, load_parts

TIE = 1e-10  # largest relative change of a profit by the tie rule
GOLDEN, ROOT_TWO = 1.618033988749895, 1.4142135623730951
LOSS = -1.0  # USD per GPU-h where a job cannot run: costs are never negative, so no hours go there


class Segments(NamedTuple):
    """Capacity at one price: at least one segment a pool, or several (paid already, overage, ...)."""

    pool: np.ndarray  # (Q,) int64
    cap: np.ndarray  # (Q, M, L) GPU-h
    cost: np.ndarray  # (Q, M, L) USD per GPU-h, the marginal cost (P-02), >= 0


class Jobs(NamedTuple):
    """What may run where, the ranks of names that break ties, and the day."""

    eligible: np.ndarray  # (W, K) int64, 0 or 1
    gang_x: np.ndarray  # (W,) int64 rows of X: GPUs that start together, -1 none
    deferrable: np.ndarray  # (W,) int64, 0 or 1; 0 where a workload has several jobs
    rank_w: np.ndarray  # (J,) int64 rank of the job's name
    rank_k: np.ndarray  # (K,) int64 rank of the pool's name
    fabric_x: np.ndarray  # (K,) int64 rows of X: GPUs one fabric joins, -1 no limit
    day: Day


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
    basis: np.ndarray  # (R, M, L) int64 the optimal bases, for `ranges`; R = J + K (1 + S)
    state: np.ndarray  # (Q + S * K, M, L) int64 where their segments stand
    slot_use: np.ndarray  # (W, K, S, M, L) GPU-h
    slot_idle: np.ndarray  # (K, S, M, L) GPU-h
    slot_dual: np.ndarray  # (K, S, M, L) USD per GPU-h


def placement(workloads, pools, segments, months, lanes=64, day=None):
    """An empty `Placement` of `workloads` W, `pools` K, `segments` Q; `day` where a month is not one block."""
    z, whole, ends, slots = np.zeros, np.int64, (months, lanes), 0 if day is None else len(day.share)
    jobs = workloads if day is None else len(day.owner)
    return Placement(
        z((workloads, pools, *ends)), z((workloads, *ends)), z((workloads, *ends)), z((pools, *ends)), z((3, pools, *ends)),
        z(lanes, whole), z(lanes), z((jobs + pools * (1 + slots), *ends), whole), z((segments + pools * slots, *ends), whole),
        z((workloads, pools, slots, *ends)), z((pools, slots, *ends)), z((pools, slots, *ends)),
    )  # fmt: skip


class Desk(NamedTuple):
    """What the months of a block are worked out with, lanes last. T = max(S, 1): without slots the month is one."""

    gain: np.ndarray  # (J * K, L) USD per GPU-h before cost, with the tie rule in it
    gang: np.ndarray  # (J * K, L) GPUs that start together
    fastest: np.ndarray  # (J, L) work per GPU-h
    blame: np.ndarray  # (J * K, L) work per GPU-h that a left-over hour of the pool would do: there, or where the job is fastest
    backlog: np.ndarray  # (J, L) work
    part: np.ndarray  # (J, L) of the workload's work in the month
    limit: np.ndarray  # (K, L) GPUs that can start together
    left: np.ndarray  # (K, L) hours
    free: np.ndarray  # (T * K, L) hours left in each slot
    todo: np.ndarray  # (J, L) work not served
    bias: np.ndarray  # (J * K,) the tie rule, a factor on gains
    pool_turn: np.ndarray  # (K,) int64 pools by rank
    job_turn: np.ndarray  # (J,) int64 jobs by rank


def scratch(jobs, pools, segments, lanes=64, slots=0):
    """Memory of one worker for `place_block` and `range_block`, three tuples: `jobs` J, `pools` K, `segments` Q, `lanes` L."""
    n, z = jobs * pools, np.zeros
    desk = Desk(
        z((n, lanes)), z((n, lanes)), z((jobs, lanes)), z((n, lanes)), z((jobs, lanes)), z((jobs, lanes)), z((pools, lanes)),
        z((pools, lanes)), z((max(slots, 1) * pools, lanes)), z((jobs, lanes)), z(n), z(pools, np.int64), z(jobs, np.int64),
    )  # fmt: skip
    return *side_by_side(jobs, pools, segments, lanes, slots), desk


@inner
def tie_key(rank_w, rank_k):
    """What the tie rule prefers: larger is better. Irrational shifts keep different plans from scoring the same."""
    return np.sqrt((rank_w + GOLDEN) * (rank_k + ROOT_TWO))


@inner
def profit_month(gain, gang, limit):
    """Profit of an hour before its cost; a loss where the gang does not fit (P-03)."""
    return gain if gang <= limit else LOSS


@inner
def by_rank(rank, turn):
    """Fill `turn` with the items from the lowest rank up."""
    for a in range(rank.shape[0]):
        before = 0
        for other in range(rank.shape[0]):
            before += rank[other] < rank[a] or (rank[other] == rank[a] and other < a)
        turn[before] = a


@inner
def tie_rule(jobs, b, desk):
    """Fill `bias` (W * K,): 1 + TIE x key / largest key, and its inverse `fair`."""
    bias, pools, largest = desk.bias, jobs.rank_k.shape[0], 0.0
    for j in range(bias.shape[0]):
        bias[j] = tie_key(jobs.rank_w[j // pools], jobs.rank_k[j % pools])
        largest = max(largest, bias[j])
    for j in range(bias.shape[0]):
        bias[j] = 1.0 + TIE * bias[j] / largest
        b.fair[j] = 1.0 / bias[j]


@inner
def prepare(segments, jobs, loads, X, b, t, desk):
    """What stays the same over the months: ranks, relative speeds, gains, gangs; every lane starts with nothing placed."""
    pools, count = jobs.eligible.shape[1], loads.value.shape[1]
    by_rank(jobs.rank_k, desk.pool_turn)
    by_rank(jobs.rank_w, desk.job_turn)
    tie_rule(jobs, b, desk)
    begin(b, t, segments.pool, jobs.day.share, jobs.day.spot)
    load_parts(jobs.day, X, desk)
    desk.fastest[:] = 0.0
    desk.backlog[:] = 0.0
    for r in range(jobs.day.owner.shape[0]):
        w = jobs.day.owner[r]
        for k in range(pools):
            for i in range(count):
                desk.fastest[r, i] = max(desk.fastest[r, i], loads.speed[w, k, i])
        for k in range(pools):
            j = r * pools + k
            for i in range(count):
                speed = loads.speed[w, k, i]
                runs = jobs.eligible[w, k] != 0 and speed > 0.0
                gain = (loads.value[w, i] * speed - loads.moving[w, k, i]) * desk.bias[j]
                b.speed[j, i] = speed / desk.fastest[r, i] if runs else 0.0
                desk.gain[j, i] = gain if runs else LOSS
                desk.gang[j, i] = X[jobs.gang_x[w], i] if jobs.gang_x[w] >= 0 else 0.0
                desk.blame[j, i] = speed if speed > 0.0 else desk.fastest[r, i]
    hand_out_speeds(b)


@inner
def limit_month(jobs, ready, X, desk, m):
    """Fill `limit`: GPUs of each pool that can start together, ready ones and at most one fabric's worth (P-03)."""
    for k in range(desk.limit.shape[0]):
        limit, now, fabric = desk.limit[k], ready[k, m], jobs.fabric_x[k]
        for i in range(limit.shape[0]):
            limit[i] = min(now[i], X[fabric, i]) if fabric >= 0 else now[i]


@inner
def pose_segments(segments, b, desk, m):
    """Rooms and prices of the segments of month m, a slot's room its share of its pool's; `left` starts as what each pool has."""
    n = desk.gain.shape[0]
    desk.left[:] = 0.0
    for q in range(segments.pool.shape[0]):
        room, profit, cap, cost = b.room[n + q], b.profit[n + q], segments.cap[q, m], segments.cost[q, m]
        left = desk.left[segments.pool[q]]
        for i in range(room.shape[0]):
            room[i] = max(cap[i], 0.0)
            profit[i] = -cost[i]
            left[i] += room[i]
    for at in range(b.pools, b.y.shape[0] - b.spot.shape[0]):
        room, left, share = b.room[n + segments.pool.shape[0] + at - b.pools], desk.left[at % b.pools], b.share[at // b.pools - 1]
        for i in range(room.shape[0]):
            room[i] = share * left[i]


@inner
def pose(segments, jobs, loads, ready, X, b, desk, m):
    """The programs of month m: rooms, prices, profits, work with the backlog."""
    pools, lines = desk.limit.shape[0], b.y.shape[0] - b.spot.shape[0]
    limit_month(jobs, ready, X, desk, m)
    pose_segments(segments, b, desk, m)
    for j in range(desk.gain.shape[0]):
        profit, gain, gang, limit = b.profit[j], desk.gain[j], desk.gang[j], desk.limit[j % pools]
        for i in range(profit.shape[0]):
            profit[i] = profit_month(gain[i], gang[i], limit[i])
    for r in range(desk.todo.shape[0]):
        rhs, todo, new, part = b.rhs[lines + r], desk.todo[r], loads.work[jobs.day.owner[r], m], desk.part[r]
        backlog, fastest = desk.backlog[r], desk.fastest[r]
        for i in range(rhs.shape[0]):
            todo[i] = max(new[i], 0.0) * part[i] + backlog[i]
            rhs[i] = todo[i] / fastest[i] if fastest[i] > 0.0 else 0.0


@inner
def book_duals(b, m, out):
    """Worth of one GPU-hour more in each pool: in each slot, and over the day."""
    for k in range(b.pools):
        dual, rent = out.dual[k, m], b.worth[k]
        for i in range(dual.shape[0]):
            dual[i] = max(rent[i], 0.0)
        for s in range(b.share.shape[0]):
            here, held = out.slot_dual[k, s, m], b.worth[(1 + s) * b.pools + k]
            for i in range(dual.shape[0]):
                here[i] = max(rent[i], 0.0) + held[i]
                dual[i] += b.share[s] * held[i]


@inner
def book_hours(jobs, b, desk, m, out):
    """Hours by workload and pool, and what is left of each pool."""
    pools, total, day = desk.limit.shape[0], b.total, jobs.day
    for k in range(pools):
        left = desk.left[k]
        for i in range(left.shape[0]):
            total[i] = left[i]
        for r in range(day.owner.shape[0]):
            use, plan, first = out.use[day.owner[r], k, m], b.use[r * pools + k], r == 0 or day.owner[r] != day.owner[r - 1]
            for i in range(left.shape[0]):
                use[i] = plan[i] if first else use[i] + plan[i]
                left[i] -= plan[i]
        for i in range(left.shape[0]):  # a pool full but for rounding is full
            left[i] = left[i] if left[i] > DUST * total[i] else 0.0


@inner
def book_month(jobs, loads, b, desk, m, out):
    """Use, served, unserved, duals, left-over hours and backlog from the solved programs."""
    pools, day, done = desk.limit.shape[0], jobs.day, b.size
    book_duals(b, m, out)
    book_hours(jobs, b, desk, m, out)
    book_slots(jobs, b, desk, m, out)
    for r in range(day.owner.shape[0]):
        w = day.owner[r]
        first, put_off = r == 0 or w != day.owner[r - 1], jobs.deferrable[w] != 0
        todo, served, unserved, backlog = desk.todo[r], out.served[w, m], out.unserved[w, m], desk.backlog[r]
        done[:] = 0.0
        for k in range(pools):
            use, speed = b.use[r * pools + k], loads.speed[w, k]
            for i in range(done.shape[0]):
                done[i] += use[i] * speed[i]
        for i in range(done.shape[0]):
            done[i] = todo[i] if todo[i] - done[i] <= DUST * todo[i] else done[i]
            todo[i] = todo[i] - done[i]
            served[i] = done[i] if first else served[i] + done[i]
            unserved[i] = todo[i] if first else unserved[i] + todo[i]
            backlog[i] = todo[i] if put_off else 0.0


@inner
def keep_basis(b, m, out):
    """The bases of month m."""
    for r in range(b.y.shape[0]):
        for i in range(b.gap.shape[0]):
            out.basis[r, m, i] = b.own.basis[i, r]
    for q in range(b.state.shape[0]):
        for i in range(b.state.shape[1]):
            out.state[q, m, i] = b.state[q, i]


@entry
def place_block(segments, jobs, loads, ready, X, work, out):
    """Fill `out` for a block of paths.

    segments  capacity and marginal cost; jobs  who may run where; loads  work, speed, value, moving
    ready     (K, M, L) GPUs ready;  X (F, L) factors;  work  from `scratch(J, K, Q, L, S)`
    """
    b, t, desk = work
    prepare(segments, jobs, loads, X, b, t, desk)
    out.idle[:] = 0.0
    out.status[:] = 0
    out.gap[:] = 0.0
    for m in range(loads.work.shape[1]):
        pose(segments, jobs, loads, ready, X, b, desk, m)
        solve_month(b, t)
        for i in range(out.gap.shape[0]):
            if b.gap[i] > GAP and out.status[i] == 0:
                out.status[i] = m + 1
            out.gap[i] = max(out.gap[i], b.gap[i])
        keep_basis(b, m, out)
        book_month(jobs, loads, b, desk, m, out)
        blame_month(jobs, desk, m, out.idle)
