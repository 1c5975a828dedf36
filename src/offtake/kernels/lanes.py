"""The placement programs of a block's paths side by side: which bases still stand in the new month, and the steps of those that do not.

Axes    as in `basis`, lanes (L) last. A lane never reads another lane.
Units   GPU-h, USD per GPU-h.
Signs   as in `basis`.
Order within the month   prices and rooms of the basic columns, hours, duals, for all lanes at once; then, lane by lane, steps where
        hours or duals break a bound. Two months in three the basis of the month before stands, and no step is taken.
Source  model P-04.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.basis import BASIC, EMPTY, FULL, Program, duals, hours, rebuild, reset
from offtake.kernels.compiled import inner
from offtake.kernels.simplex import NOISE, TINY, improve, net_of, rents, repair, without_rounding

STALE = 400  # pivots after which the inverse is built anew
ATTEMPTS = 3


class Lanes(NamedTuple):
    """Programs of all lanes; a single one is solved in a `Program` of its own. Segments are those of pools, then those of slots."""

    pools: int  # K
    share: np.ndarray  # (S,)
    spot: np.ndarray  # (W,) int64
    pool: np.ndarray  # (Q,) int64 line of each segment
    inverse: np.ndarray  # (R, R, L)
    basis: np.ndarray  # (R, L) int64
    state: np.ndarray  # (Q, L) int64
    age: np.ndarray  # (L,) int64
    speed: np.ndarray  # (W * K, L)
    profit: np.ndarray  # (C, L)
    room: np.ndarray  # (C, L)
    rhs: np.ndarray  # (R, L)
    x: np.ndarray  # (R, L)
    y: np.ndarray  # (R, L)
    toll: np.ndarray  # (P, L)
    grain: np.ndarray  # (P, L)
    worth: np.ndarray  # (P, L) of the lines, once bases stand: `rents`
    earned: np.ndarray  # (R, L) profit of the basic columns
    bound: np.ndarray  # (R, L) room of the basic columns
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
    )  # fmt: skip
    many = Lanes(
        pools, one.share, one.spot,
        z(segments, whole), z((rows, rows, lanes)), z((rows, lanes), whole), z((segments, lanes), whole), z(lanes, whole), z((n, lanes)),
        z((columns, lanes)), np.full((columns, lanes), np.inf), z((rows, lanes)), z((rows, lanes)), z((rows, lanes)),
        z((spots, lanes)), z((spots, lanes)), z((spots, lanes)), z((rows, lanes)), z((rows, lanes)), z(lanes), z(lanes), z(lanes, whole),
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
    reset(t)
    for i in range(b.age.shape[0]):
        store_basis(b, t, i)


@inner
def load(b, t, i):
    """The program of lane i into `t`, in plain memory."""
    for r in range(t.x.shape[0]):
        t.basis[r] = b.basis[r, i]
        t.rhs[r] = b.rhs[r, i]
        for j in range(t.x.shape[0]):
            t.inverse[r, j] = b.inverse[r, j, i]
    for q in range(t.pool.shape[0]):
        t.state[q] = b.state[q, i]
    for j in range(t.profit.shape[0]):
        t.profit[j] = b.profit[j, i]
        t.room[j] = b.room[j, i]
    for j in range(t.speed.shape[0]):
        t.speed[j] = b.speed[j, i]
    t.age[0] = b.age[i]


@inner
def store_basis(b, t, i):
    """Basis and inverse back to lane i."""
    for r in range(t.x.shape[0]):
        b.basis[r, i] = t.basis[r]
        for j in range(t.x.shape[0]):
            b.inverse[r, j, i] = t.inverse[r, j]
    for q in range(t.pool.shape[0]):
        b.state[q, i] = t.state[q]
    b.age[i] = t.age[0]


@inner
def store(b, t, i, steps):
    """The program just solved back to lane i, hours and (after primal steps) duals computed anew from its basis."""
    hours(t)
    if steps != 0:
        duals(t)
    without_rounding(t)
    rents(t)
    store_basis(b, t, i)
    for r in range(t.x.shape[0]):
        b.x[r, i], b.y[r, i] = t.x[r], t.y[r]
    for k in range(t.worth.shape[0]):
        b.worth[k, i] = t.worth[k]


@inner
def read_basis(b):
    """Profits and rooms of the basic columns; what full segments give their line; no lane is broken unless its inverse is old."""
    n, lines = b.speed.shape[0], b.x.shape[0] - b.spot.shape[0]
    for i in range(b.age.shape[0]):
        b.broken[i] = b.age[i] > STALE
        b.floor[i] = 0.0
    for r in range(b.x.shape[0]):
        for i in range(b.age.shape[0]):
            j = b.basis[r, i]
            b.earned[r, i] = b.profit[j, i]
            b.bound[r, i] = b.room[j, i]
        for i in range(b.age.shape[0]):
            b.floor[i] = max(b.floor[i], NOISE * b.earned[r, i])
    b.rhs[:lines] = 0.0
    for q in range(b.pool.shape[0]):
        total, room, state = b.rhs[b.pool[q]], b.room[n + q], b.state[q]
        for i in range(b.age.shape[0]):
            total[i] += room[i] if state[i] == FULL else 0.0


@inner
def hours_stand(b):
    """Hours of the basic columns in all lanes; lanes are broken where they leave their bounds by more than rounding."""
    rows, size = b.x.shape[0], b.size
    for r in range(rows):
        x, bound = b.x[r], b.bound[r]
        x[:] = 0.0
        size[:] = 0.0
        for j in range(rows):
            inverse, rhs = b.inverse[r, j], b.rhs[j]
            for i in range(size.shape[0]):
                term = inverse[i] * rhs[i]
                x[i] += term
                size[i] += abs(term)
        for i in range(size.shape[0]):
            inside = x[i] >= -TINY * size[i] and x[i] - bound[i] <= TINY * (size[i] + bound[i])
            b.broken[i] = b.broken[i] if inside else 1


@inner
def duals_stand(b):
    """Duals in all lanes, those of jobs and slots within rounding of zero set to zero; broken where a job's is negative."""
    rows, lines, size = b.x.shape[0], b.x.shape[0] - b.spot.shape[0], b.size
    for j in range(rows):
        y = b.y[j]
        y[:] = 0.0
        size[:] = 0.0
        for r in range(rows):
            inverse, earned = b.inverse[r, j], b.earned[r]
            for i in range(size.shape[0]):
                term = inverse[i] * earned[i]
                y[i] += term
                size[i] += abs(term)
        if j >= b.pools:
            for i in range(size.shape[0]):
                y[i] = y[i] if abs(y[i]) > TINY * size[i] else 0.0
        if j >= lines:
            for i in range(size.shape[0]):
                b.broken[i] = b.broken[i] if y[i] >= -b.floor[i] else 1


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
    n, pools, lines = b.speed.shape[0], b.pools, b.x.shape[0] - b.spot.shape[0]
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


@inner
def bases_stand(b):
    """Hours, duals and prices of all lanes from the bases at hand; `gap` is inf where steps are needed, else 0."""
    read_basis(b)
    hours_stand(b)
    duals_stand(b)
    prices_stand(b)
    for i in range(b.gap.shape[0]):
        b.gap[i] = np.inf if b.broken[i] != 0 else 0.0


@inner
def solve_lane(b, t, i, attempt):
    """Steps of lane i: from the basis at hand, then from its rebuilt inverse, then from nothing placed by Bland's rule."""
    load(b, t, i)
    if attempt == 2:
        reset(t)
    elif attempt == 1 or t.age[0] > STALE:
        rebuild(t)
    hours(t)
    steps = repair(t)
    if steps >= 0:
        steps = improve(t, attempt == 2)
    store(b, t, i, steps)
