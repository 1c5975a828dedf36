"""The basis of one placement program: its columns, its inverse, and what follows from them.

    max sum profit . x - sum cost . u,   sum_w x[w, k] = sum of u over the segments of pool k,   0 <= u <= room,
    sum_k speed[w, k] x[w, k] <= work[w],   x >= 0
    and in slot s of the day, where there are any:   sum_w part[w, s] x[w, k] = u of (k, s),   0 <= u <= share[s] x room of pool k

Axes    pools (K), slots (S), jobs (W); lines V = K (1 + S): pools, then the pools of each slot; rows R = V + W; columns: W * K of x
        (pool first), Q segments u (those of slots last), W slacks of the jobs. Spots P: where columns stand: pool k in the month (k),
        in slot s ((1 + s) K + k, as its line), through the day ((1 + S) K + k). A job has one spot a pool: a column in the month uses
        the pool's line alone, one in a slot that slot's too (part 1), one through the day all of them by their shares.
Units   x, u, room and work in GPU-h (work is divided by the job's fastest speed, so that speeds are 0 to 1), USD per GPU-h.
Signs   maximise; cost and room >= 0; a column that may not be used has a negative profit and so carries no hours at an optimum.
Order within the month   none: `simplex` takes the steps.
Source  model P-01, P-04. A segment is a column with two bounds, so that a pool costs one row however many prices it has.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import inner, step

SMALL_PIVOT = 1e-10
CANCELLED = 1e-14  # differences below this, relative to what they are of, are rounding
EMPTY, FULL, BASIC = 0, 1, 2  # where a segment stands


class Program(NamedTuple):
    """One path-month and the memory to solve it. Lengths as in the file header, C = W * K + Q + W columns."""

    pools: int  # K
    share: np.ndarray  # (S,) of the day
    spot: np.ndarray  # (W,) int64: 0 any time of the month, 1 + s in slot s, 1 + S through the day

    inverse: np.ndarray  # (R, R) of the basis
    basis: np.ndarray  # (R,) int64 column basic in each row
    state: np.ndarray  # (Q,) int64 EMPTY, FULL or BASIC
    pool: np.ndarray  # (Q,) int64 line of each segment
    first: np.ndarray  # (V,) int64 a segment of each line
    speed: np.ndarray  # (W * K,) relative to the job's fastest
    profit: np.ndarray  # (C,) x: with the tie rule in it; u: less the cost; slack: 0
    room: np.ndarray  # (C,) upper bounds: x and slack inf
    rhs: np.ndarray  # (R,) full segments of the line; work of the job
    x: np.ndarray  # (R,) value of the basic columns
    y: np.ndarray  # (R,) dual
    column: np.ndarray  # (R,) entering column in terms of the basis
    toll: np.ndarray  # (P,) what an hour at each spot costs: duals, or a row of the inverse, summed over its lines
    grain: np.ndarray  # (P,) the sum of the absolute terms of `toll`
    worth: np.ndarray  # (P,) best profit of an hour net of the job's dual, less rounding; USD per GPU-h
    reduced: np.ndarray  # (C,) reduced costs in dual steps, wanted columns when the inverse is rebuilt
    row: np.ndarray  # (C,) leaving row in terms of the basis
    age: np.ndarray  # (1,) int64 pivots since the inverse was built


@inner
def reset(t):
    """Nothing is placed, every segment empty: always feasible."""
    n, lines, rows = t.speed.shape[0], t.first.shape[0], t.x.shape[0]
    t.state[:] = EMPTY
    t.inverse[:] = 0.0
    for k in range(lines):
        t.basis[k] = n + t.first[k]
        t.state[t.first[k]] = BASIC
        t.inverse[k, k] = -1.0
    for r in range(lines, rows):
        t.basis[r] = n + t.pool.shape[0] + r - lines
        t.inverse[r, r] = 1.0
    t.age[0] = 0


@step
def tolls(t, y):
    """What an hour at each spot costs at prices y of the lines, and the sum of its absolute terms."""
    pools, slots, toll, grain = t.pools, t.share.shape[0], t.toll, t.grain
    through = toll.shape[0] - pools
    for k in range(pools):
        toll[k] = toll[through + k] = y[k]
        grain[k] = grain[through + k] = abs(y[k])
    for s in range(slots):
        share, at = t.share[s], (1 + s) * pools
        for k in range(pools):
            toll[at + k], grain[at + k] = y[k] + y[at + k], abs(y[k]) + abs(y[at + k])
            toll[through + k] += share * y[at + k]
            grain[through + k] += share * abs(y[at + k])


@step
def expand_slots(t, k, spot):
    """Add to `column` what a column on pool k uses of slots."""
    inverse, column, pools, slots = t.inverse, t.column, t.pools, t.share.shape[0]
    for s in range(slots):
        part = t.share[s] if spot > slots else (1.0 if spot == 1 + s else 0.0)
        if part > 0.0:
            for r in range(column.shape[0]):
                column[r] += part * inverse[r, (1 + s) * pools + k]


@step
def expand(t, j):
    """Column j in terms of the basis, into `column`; rounding dust is dropped."""
    n, lines, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    inverse, column = t.inverse, t.column
    if j < n:
        k, w, s = j % t.pools, j // t.pools, t.speed[j]
        for r in range(column.shape[0]):
            column[r] = inverse[r, k] + s * inverse[r, lines + w]
        if t.spot[w] > 0:
            expand_slots(t, k, t.spot[w])
    else:
        i, sign = (t.pool[j - n], -1.0) if j < n + segments else (lines + j - n - segments, 1.0)
        for r in range(column.shape[0]):
            column[r] = sign * inverse[r, i]
    for r in range(column.shape[0]):
        column[r] = column[r] if abs(column[r]) > 1e-15 else 0.0


@step
def expand_row(t, p, sign):
    """Row p of the inverse times every column, times `sign`, into `row`; a full segment's turned, a basic one's zero."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    inverse, row, speed = t.inverse, t.row, t.speed
    tolls(t, inverse[p])
    for w in range(row.shape[0] - n - segments):
        by_work, base = sign * inverse[p, lines + w], t.spot[w] * pools
        row[n + segments + w] = by_work
        for k in range(pools):
            row[w * pools + k] = sign * t.toll[base + k] + speed[w * pools + k] * by_work
    for q in range(segments):
        here, state = sign * inverse[p, t.pool[q]], t.state[q]
        row[n + q] = -here if state == EMPTY else (here if state == FULL else 0.0)


@inner
def difference(a, b):
    """a - b, and zero where they are equal but for rounding: what is left of it would grow from pivot to pivot."""
    return a - b if abs(a - b) > CANCELLED * abs(a) else 0.0


@step
def swap(t, p, j):
    """Column j (expanded in `column`) replaces the basic column of row p in basis and inverse; hours are the caller's.

    `row` is scratch: a copy of the pivot's row, so that the compiler sees that rows do not overlap."""
    rows, inverse, column, pivot = t.x.shape[0], t.inverse, t.column, t.row
    over = 1.0 / column[p]
    for i in range(rows):
        pivot[i] = inverse[p, i] * over
        inverse[p, i] = pivot[i]
    for r in range(rows):
        f = column[r]
        if r != p and f != 0.0:
            for i in range(rows):
                inverse[r, i] = difference(inverse[r, i], f * pivot[i])
    t.basis[p] = j
    t.age[0] += 1


@step
def stand(t, j, state):
    """A segment's column is now EMPTY, FULL or BASIC; other columns have one bound only."""
    q = j - t.speed.shape[0]
    if 0 <= q < t.pool.shape[0]:
        t.state[q] = state


@step
def is_full(t, j):
    """True if column j is a segment at its upper bound."""
    q = j - t.speed.shape[0]
    return 0 <= q < t.pool.shape[0] and t.state[q] == FULL


@inner
def rebuild(t):
    """Inverse of the same basis from scratch, largest pivots first come; nothing placed if that is singular."""
    n, segments, rows = t.speed.shape[0], t.pool.shape[0], t.x.shape[0]
    wanted = t.reduced
    wanted[:] = 0.0
    for q in range(segments):
        wanted[n + q] = -1.0 if t.state[q] == FULL else 0.0
    for r in range(rows):
        wanted[t.basis[r]] = 1.0
    reset(t)
    for j in range(n + segments):
        if wanted[j] != 1.0 or (j >= n and t.state[j - n] == BASIC):
            continue
        expand(t, j)
        p, best = -1, SMALL_PIVOT
        for r in range(rows):
            if wanted[t.basis[r]] != 1.0 and abs(t.column[r]) > best:
                p, best = r, abs(t.column[r])
        if p < 0:
            reset(t)
            return
        stand(t, t.basis[p], EMPTY)
        stand(t, j, BASIC)
        swap(t, p, j)
    for q in range(segments):
        t.state[q] = FULL if wanted[n + q] < 0.0 else t.state[q]
    t.age[0] = 0


@inner
def hours(t):
    """Basic values x = inverse . rhs; the rows of lines hold what their full segments give."""
    n, lines, rows = t.speed.shape[0], t.first.shape[0], t.x.shape[0]
    inverse, rhs = t.inverse, t.rhs
    for k in range(lines):
        t.rhs[k] = 0.0
    for q in range(t.pool.shape[0]):
        t.rhs[t.pool[q]] += t.room[n + q] if t.state[q] == FULL else 0.0
    for r in range(rows):
        total = 0.0
        for i in range(rows):
            total += inverse[r, i] * rhs[i]
        t.x[r] = total


@inner
def duals(t):
    """y = profit of the basis . inverse."""
    rows, y, inverse = t.x.shape[0], t.y, t.inverse
    y[:] = 0.0
    for r in range(rows):
        c = t.profit[t.basis[r]]
        if c != 0.0:
            for i in range(rows):
                y[i] += c * inverse[r, i]
    known_duals(t)


@step
def known_duals(t):
    """Without rounding: rows whose slack is basic have dual zero, a line with a segment partly used that segment's cost."""
    n, lines, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    for r in range(t.x.shape[0]):
        j = t.basis[r]
        if j >= n + segments:
            t.y[lines + j - n - segments] = 0.0
        elif j >= n:
            t.y[t.pool[j - n]] = -t.profit[j]
