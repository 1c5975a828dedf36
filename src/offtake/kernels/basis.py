"""The basis of one placement program: its columns, its inverse, and what follows from them.

    max sum profit . x - sum cost . u,   sum_w x[w, k] = sum of u over the segments of pool k,   0 <= u <= room,
    sum_k speed[w, k] x[w, k] <= work[w],   x >= 0

Axes    pools (K), jobs (W), rows R = K + W; columns: W * K of x (pool first), Q segments u, W slacks of the jobs.
Units   x, u, room and work in GPU-h (work is divided by the job's fastest speed, so that speeds are 0 to 1), USD per GPU-h.
Signs   maximise; cost and room >= 0; a column that may not be used has a negative profit and so carries no hours at an optimum.
Order within the month   none: `simplex` takes the steps.
Source  model P-01, P-04. A segment is a column with two bounds, so that a pool costs one row however many prices it has.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import inner

SMALL_PIVOT = 1e-10
CANCELLED = 1e-14  # differences below this, relative to what they are of, are rounding
EMPTY, FULL, BASIC = 0, 1, 2  # where a segment stands


class Program(NamedTuple):
    """One path-month and the memory to solve it. Lengths as in the file header, C = W * K + Q + W columns."""

    inverse: np.ndarray  # (R, R) of the basis
    basis: np.ndarray  # (R,) int64 column basic in each row
    state: np.ndarray  # (Q,) int64 EMPTY, FULL or BASIC
    pool: np.ndarray  # (Q,) int64
    first: np.ndarray  # (K,) int64 a segment of each pool
    speed: np.ndarray  # (W * K,) relative to the job's fastest
    profit: np.ndarray  # (C,) x: with the tie rule in it; u: less the cost; slack: 0
    room: np.ndarray  # (C,) upper bounds: x and slack inf
    rhs: np.ndarray  # (R,) full segments of the pool; work of the job
    x: np.ndarray  # (R,) value of the basic columns
    y: np.ndarray  # (R,) dual
    column: np.ndarray  # (R,) entering column in terms of the basis
    worth: np.ndarray  # (K,) best profit of an hour net of the job's dual, less rounding; USD per GPU-h
    reduced: np.ndarray  # (C,) reduced costs in dual steps, wanted columns when the inverse is rebuilt
    row: np.ndarray  # (C,) leaving row in terms of the basis
    age: np.ndarray  # (1,) int64 pivots since the inverse was built


@inner
def reset(t):
    """Nothing is placed, every segment empty: always feasible."""
    n, pools, rows = t.speed.shape[0], t.first.shape[0], t.x.shape[0]
    t.state[:] = EMPTY
    t.inverse[:] = 0.0
    for k in range(pools):
        t.basis[k] = n + t.first[k]
        t.state[t.first[k]] = BASIC
        t.inverse[k, k] = -1.0
    for r in range(pools, rows):
        t.basis[r] = n + t.pool.shape[0] + r - pools
        t.inverse[r, r] = 1.0
    t.age[0] = 0


@inner
def expand(t, j):
    """Column j in terms of the basis, into `column`; rounding dust is dropped."""
    n, pools, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    inverse, column = t.inverse, t.column
    if j < n:
        k, i, s = j % pools, pools + j // pools, t.speed[j]
        for r in range(column.shape[0]):
            column[r] = inverse[r, k] + s * inverse[r, i]
    else:
        i, sign = (t.pool[j - n], -1.0) if j < n + segments else (pools + j - n - segments, 1.0)
        for r in range(column.shape[0]):
            column[r] = sign * inverse[r, i]
    for r in range(column.shape[0]):
        column[r] = column[r] if abs(column[r]) > 1e-15 else 0.0


@inner
def expand_row(t, p, sign):
    """Row p of the inverse times every column, times `sign`, into `row`; a full segment's turned, a basic one's zero."""
    n, pools, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    inverse, row, speed = t.inverse, t.row, t.speed
    for w in range(row.shape[0] - n - segments):
        by_work = sign * inverse[p, pools + w]
        row[n + segments + w] = by_work
        for k in range(pools):
            row[w * pools + k] = sign * inverse[p, k] + speed[w * pools + k] * by_work
    for q in range(segments):
        here, state = sign * inverse[p, t.pool[q]], t.state[q]
        row[n + q] = -here if state == EMPTY else (here if state == FULL else 0.0)


@inner
def difference(a, b):
    """a - b, and zero where they are equal but for rounding: what is left of it would grow from pivot to pivot."""
    return a - b if abs(a - b) > CANCELLED * abs(a) else 0.0


@inner
def swap(t, p, j):
    """Column j (expanded in `column`) replaces the basic column of row p in basis and inverse; hours are the caller's."""
    rows, inverse, column = t.x.shape[0], t.inverse, t.column
    over = 1.0 / column[p]
    for i in range(rows):
        inverse[p, i] *= over
    for r in range(rows):
        f = column[r]
        if r != p and f != 0.0:
            for i in range(rows):
                inverse[r, i] = difference(inverse[r, i], f * inverse[p, i])
    t.basis[p] = j
    t.age[0] += 1


@inner
def stand(t, j, state):
    """A segment's column is now EMPTY, FULL or BASIC; other columns have one bound only."""
    q = j - t.speed.shape[0]
    if 0 <= q < t.pool.shape[0]:
        t.state[q] = state


@inner
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
    """Basic values x = inverse . rhs; the rows of pools hold what their full segments give."""
    n, pools, rows = t.speed.shape[0], t.first.shape[0], t.x.shape[0]
    inverse, rhs = t.inverse, t.rhs
    for k in range(pools):
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


@inner
def known_duals(t):
    """Without rounding: rows whose slack is basic have dual zero, a pool with a segment partly used that segment's cost."""
    n, pools, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    for r in range(t.x.shape[0]):
        j = t.basis[r]
        if j >= n + segments:
            t.y[pools + j - n - segments] = 0.0
        elif j >= n:
            t.y[t.pool[j - n]] = -t.profit[j]
