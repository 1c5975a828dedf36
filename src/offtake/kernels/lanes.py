"""The placement programs of a block's paths side by side: which bases still stand in the new month, and the steps of those that do not.

Axes    as in `basis`, lanes (L) last, but first in what steps read (`Own`). A lane never reads another lane.
Units   GPU-h, USD per GPU-h.
Signs   as in `basis`.
Order within the month   the month's numbers are handed to the lanes; lane by lane hours, and steps where they or the jobs' duals break a
        bound; then, for all lanes at once, whether a column would earn, and steps where one would. Two months in three the basis of the
        month before stands, and no step is taken.
Source  model P-04.

A lane's inverse, read at a stride of 64 lanes, is a line of the cache a number, and strides of 512 bytes share one part in eight of the
cache: copying it out and back was more than a quarter of placement with slots.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.basis import BASIC, EMPTY, Program, duals, hours, rebuild, reset
from offtake.kernels.compiled import inner, once, step
from offtake.kernels.simplex import TINY, improve, net_of, noise, rents, repair, without_rounding

STALE = 400  # pivots after which the inverse is built anew
ATTEMPTS = 3


class Own(NamedTuple):
    """Each lane's program in one piece: read by steps, which go lane by lane. Lengths as in `Program`."""

    inverse: np.ndarray  # (L, R, R)
    basis: np.ndarray  # (L, R) int64
    state: np.ndarray  # (L, Q) int64
    age: np.ndarray  # (L, 1) int64
    speed: np.ndarray  # (L, W * K)
    profit: np.ndarray  # (L, C)
    room: np.ndarray  # (L, C)
    rhs: np.ndarray  # (L, R)
    x: np.ndarray  # (L, R)
    y: np.ndarray  # (L, R)


class Lanes(NamedTuple):
    """Programs of all lanes, as far as they are worked out side by side. Segments are those of pools, then those of slots."""

    pools: int  # K
    share: np.ndarray  # (S,)
    spot: np.ndarray  # (W,) int64
    pool: np.ndarray  # (Q,) int64 line of each segment
    own: Own
    state: np.ndarray  # (Q, L) int64
    speed: np.ndarray  # (W * K, L)
    profit: np.ndarray  # (C, L)
    room: np.ndarray  # (C, L)
    rhs: np.ndarray  # (R, L) work of the jobs
    y: np.ndarray  # (R, L)
    toll: np.ndarray  # (P, L)
    grain: np.ndarray  # (P, L)
    worth: np.ndarray  # (P, L) of the lines, once bases stand: `rents`
    size: np.ndarray  # (L,) sum of the absolute terms of a sum
    floor: np.ndarray  # (L,) gains below are none
    broken: np.ndarray  # (L,) int64 1 where steps are needed
    fair: np.ndarray  # (W * K,) takes the tie rule out again: profit * fair is the true profit
    use: np.ndarray  # (W * K, L) hours of the plan, cut to what is feasible
    fill: np.ndarray  # (Q, L) hours from each segment
    total: np.ndarray  # (L,)
    gap: np.ndarray  # (L,) relative gap between the plan and the bound


def side_by_side(jobs, pools, segments, lanes, slots=0):
    """Memory for `lanes` programs of `jobs` W, `pools` K, `segments` Q of pools, `slots` S, and for a single one."""
    n, lines, segments = jobs * pools, pools * (1 + slots), segments + pools * slots
    rows, spots, columns, z, whole = jobs + lines, lines + pools * (slots > 0), n + segments + jobs, np.zeros, np.int64
    one = Program(
        pools, z(slots), z(jobs, whole),
        z((rows, rows)), z(rows, whole), z(segments, whole), z(segments, whole), z(lines, whole), z(n), z(columns),
        np.full(columns, np.inf), z(rows), z(rows), z(rows), z(rows), z(spots), z(spots), z(spots), z(columns), z(columns), z(1, whole),
        z(rows + columns, whole),
    )  # fmt: skip
    own = Own(
        z((lanes, rows, rows)), z((lanes, rows), whole), z((lanes, segments), whole), z((lanes, 1), whole), z((lanes, n)),
        z((lanes, columns)), np.full((lanes, columns), np.inf), z((lanes, rows)), z((lanes, rows)), z((lanes, rows)),
    )  # fmt: skip
    many = Lanes(
        pools, one.share, one.spot, z(segments, whole), own, z((segments, lanes), whole), z((n, lanes)),
        z((columns, lanes)), np.full((columns, lanes), np.inf), z((rows, lanes)), z((rows, lanes)),
        z((spots, lanes)), z((spots, lanes)), z((spots, lanes)), z(lanes), z(lanes), z(lanes, whole),
        np.ones(n), z((n, lanes)), z((segments, lanes)), z(lanes), z(lanes),
    )  # fmt: skip
    return many, one


@inner
def begin(b, t, pool, share, spot):
    """Nothing placed in any lane; `pool` (Q,) int64 is each segment's pool, `share` (S,) and `spot` (W,) as in `basis`."""
    for q in range(t.pool.shape[0] - 1, -1, -1):
        line = pool[q] if q < pool.shape[0] else t.pools + q - pool.shape[0]
        b.pool[q] = t.pool[q] = line
        t.first[line] = q
    for s in range(share.shape[0]):
        t.share[s] = share[s]
    for w in range(spot.shape[0]):
        t.spot[w] = spot[w]
    for i in range(b.gap.shape[0]):
        reset(of_lane(b, t, i, t.profit, t.y))


@once
def of_lane(b, t, i, profit, y):
    """The program of lane i with profits and duals in the memory given: its own parts, and scratch in the memory of `t`."""
    own = b.own
    return Program(
        t.pools, t.share, t.spot, own.inverse[i], own.basis[i], own.state[i], t.pool, t.first, own.speed[i], profit, own.room[i],
        own.rhs[i], own.x[i], y, t.column, t.toll, t.grain, t.worth, t.reduced, t.row, own.age[i], t.picked,
    )  # fmt: skip


@step
def turn(given, first, till, out):
    """Rows `first` to before `till` of (N, L) into the columns of (L, N)."""
    for j in range(first, till):
        for i in range(out.shape[0]):
            out[i, j] = given[j, i]


@step
def turn_back(given, out):
    """(L, N) into (N, L)."""
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[j, i] = given[i, j]


@inner
def hand_out_speeds(b):
    """Speeds, which stay over the months, to the lanes."""
    turn(b.speed, 0, b.speed.shape[0], b.own.speed)


@inner
def hand_out(b):
    """Profits, rooms and work of the month to the lanes: read a row at a time, where a lane would read every 64th number.

    No lane is known to be solved."""
    n, lines = b.speed.shape[0], b.rhs.shape[0] - b.spot.shape[0]
    turn(b.profit, 0, b.profit.shape[0], b.own.profit)
    turn(b.room, n, n + b.pool.shape[0], b.own.room)
    turn(b.rhs, lines, b.rhs.shape[0], b.own.rhs)
    b.broken[:] = 0
    b.gap[:] = np.inf


@inner
def segments_stand(b):
    """Broken where a segment would earn by leaving its bound."""
    n = b.speed.shape[0]
    for q in range(b.pool.shape[0]):
        y, profit, state = b.y[b.pool[q]], b.profit[n + q], b.state[q]
        for i in range(y.shape[0]):
            gain = y[i] + profit[i]  # negative profit: the cost
            gain = gain if state[i] == EMPTY else -gain
            least = b.floor[i] + TINY * (abs(y[i]) + abs(profit[i]))
            b.broken[i] = b.broken[i] if state[i] == BASIC or gain <= least else 1


@inner
def add_toll(b, at, line, part):
    """Add what `part` hours of a line cost to the toll of spot `at`."""
    toll, grain, y = b.toll[at], b.grain[at], b.y[line]
    for i in range(y.shape[0]):
        toll[i] += part * y[i]
        grain[i] += abs(part * y[i])


@inner
def tolls_side_by_side(b):
    """What an hour at each spot costs, and the sum of its absolute terms."""
    pools, slots = b.pools, b.share.shape[0]
    b.toll[:] = 0.0
    b.grain[:] = 0.0
    for at in range(b.toll.shape[0]):
        add_toll(b, at, at % pools, 1.0)
        if at >= pools * (1 + slots):
            for s in range(slots):
                add_toll(b, at, (1 + s) * pools + at % pools, b.share[s])
        elif at >= pools:
            add_toll(b, at, at, 1.0)


@inner
def rents_side_by_side(b):
    """`worth` of the lines as in `rents`."""
    pools, slots = b.pools, b.share.shape[0]
    for at in range(pools, pools * (1 + slots)):
        rent, worth, y = b.worth[at % pools], b.worth[at], b.y[at]
        for i in range(y.shape[0]):
            held = max(y[i], 0.0)
            rent[i] = max(rent[i], worth[i] - held)
            worth[i] = held
    for at in range(pools * (1 + slots), b.worth.shape[0]):
        rent, worth = b.worth[at % pools], b.worth[at]
        for s in range(slots):
            held, share = b.worth[(1 + s) * pools + at % pools], b.share[s]
            for i in range(worth.shape[0]):
                worth[i] -= share * held[i]
        for i in range(worth.shape[0]):
            rent[i] = max(rent[i], worth[i])
        for s in range(slots):
            held = b.worth[(1 + s) * pools + at % pools]
            for i in range(worth.shape[0]):
                held[i] = max(held[i] + min(rent[i], 0.0), 0.0)
        for i in range(worth.shape[0]):
            rent[i] = max(rent[i], 0.0)


@inner
def prices_stand(b):
    """Broken where a segment would earn by leaving its bound, or a column by entering; fills `worth`."""
    n, pools, lines = b.speed.shape[0], b.pools, b.y.shape[0] - b.spot.shape[0]
    segments_stand(b)
    b.worth[:] = -np.inf
    for j in range(n):
        w = j // pools
        worth, profit, speed, y = b.worth[b.spot[w] * pools + j % pools], b.profit[j], b.speed[j], b.y[lines + w]
        for i in range(worth.shape[0]):
            worth[i] = max(worth[i], net_of(profit[i], speed[i], y[i]))
    tolls_side_by_side(b)
    for k in range(b.worth.shape[0]):
        worth, toll, grain = b.worth[k], b.toll[k], b.grain[k]
        for i in range(worth.shape[0]):
            b.broken[i] = b.broken[i] if worth[i] - (toll[i] + TINY * grain[i]) <= b.floor[i] else 1
    rents_side_by_side(b)


@step
def duals_stand(a, floor):
    """True if no job's dual is negative; those of jobs and slots within rounding of zero are set to zero."""
    duals(a)
    without_rounding(a, floor)
    stand = True
    for r in range(a.first.shape[0], a.y.shape[0]):
        stand = stand and a.y[r] >= -floor
    return stand


@once
def solve_lane(b, t, i, attempt):
    """Steps of lane i from the basis at hand (attempt 0, and -1: only where its hours or jobs' duals break a bound), then from its rebuilt
    inverse, then from nothing placed by Bland's rule."""
    a = of_lane(b, t, i, b.own.profit[i], b.own.y[i])
    if attempt == 2:
        reset(a)
    elif attempt == 1 or a.age[0] > STALE:
        rebuild(a)
    hours(a)
    steps = repair(a)
    b.floor[i] = noise(a)
    if attempt < 0 and steps == 0 and duals_stand(a, b.floor[i]):
        return
    if steps >= 0:
        steps = improve(a, attempt == 2)
    hours(a)
    if steps != 0:
        duals(a)
    b.floor[i] = noise(a)
    without_rounding(a, b.floor[i])
    b.broken[i] = 0
    b.gap[i] = 0.0
    if attempt >= 0:
        show_lane(b, a, i)


@step
def show_lane(b, a, i):
    """What the lanes' rows say of lane i, after steps of its own."""
    rents(a)
    for q in range(a.state.shape[0]):
        b.state[q, i] = a.state[q]
    for r in range(a.y.shape[0]):
        b.y[r, i] = a.y[r]
    for k in range(a.worth.shape[0]):
        b.worth[k, i] = a.worth[k]


@inner
def ask_prices(b):
    """Of all lanes side by side: where would a column earn? Broken then, unless the lane has taken its steps."""
    turn_back(b.own.y, b.y)
    turn_back(b.own.state, b.state)
    prices_stand(b)
