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

    inverse: np.ndarray  # (R, R) of the basis, turned: [i, r] is what an hour more in row i of the program gives the basic column r
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
    picked: np.ndarray  # (R + C,) int64 scratch: rows or columns that a sum or choice is of


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
                column[r] += part * inverse[(1 + s) * pools + k, r]


@step
def expand(t, j):
    """Column j in terms of the basis, into `column`; rounding dust is dropped."""
    n, lines, segments = t.speed.shape[0], t.first.shape[0], t.pool.shape[0]
    inverse, column = t.inverse, t.column
    if j < n:
        k, w, s = j % t.pools, j // t.pools, t.speed[j]
        for r in range(column.shape[0]):
            column[r] = inverse[k, r] + s * inverse[lines + w, r]
        if t.spot[w] > 0:
            expand_slots(t, k, t.spot[w])
    else:
        i, sign = (t.pool[j - n], -1.0) if j < n + segments else (lines + j - n - segments, 1.0)
        for r in range(column.shape[0]):
            column[r] = sign * inverse[i, r]
    for r in range(column.shape[0]):
        column[r] = column[r] if abs(column[r]) > 1e-15 else 0.0


@step
def expand_row(t, sign):
    """A row of the inverse, given in `column`, times every column, times `sign`, into `row`; a full segment's turned, a basic one's zero.

    Returns how many of them are negative; which ones, in order, is in `picked`. Signs and counts are reckoned, not asked for: of questions
    answered at random a machine guesses many wrong, and waits."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    given, row, speed, picked, count = t.column, t.row, t.speed, t.picked, 0
    tolls(t, given)
    for w in range(row.shape[0] - n - segments):
        by_work, base = sign * given[lines + w], t.spot[w] * pools
        for k in range(pools):
            j = w * pools + k
            here = sign * t.toll[base + k] + speed[j] * by_work
            row[j], picked[count] = here, j
            count += here < -SMALL_PIVOT
    for q in range(segments):
        turned = -1.0 if t.state[q] == EMPTY else (1.0 if t.state[q] == FULL else 0.0)
        here = sign * given[t.pool[q]] * turned
        row[n + q], picked[count] = here, n + q
        count += here < -SMALL_PIVOT
    for j in range(n + segments, row.shape[0]):
        here = sign * given[lines + j - n - segments]
        row[j], picked[count] = here, j
        count += here < -SMALL_PIVOT
    return count


@inner
def difference(a, b):
    """a - b, and zero where they are equal but for rounding: what is left of it would grow from pivot to pivot."""
    return a - b if abs(a - b) > CANCELLED * abs(a) else 0.0


@step
def swap(t, p, j):
    """Column j (expanded in `column`) replaces the basic column of row p in basis and inverse; hours are the caller's.

    Rows of the program that give the leaving column nothing stay as they are: most of those whose own segment or slack is basic."""
    column, over, picked, count = t.column, 1.0 / t.column[p], t.picked, 0
    for i in range(column.shape[0]):
        picked[count] = i
        count += t.inverse[i, p] != 0.0
    for at in range(count):
        given = t.inverse[picked[at]]
        f = given[p] * over
        for r in range(column.shape[0]):
            given[r] = difference(given[r], f * column[r])
        given[p] = f
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
    n, lines = t.speed.shape[0], t.first.shape[0]
    for k in range(lines):
        t.rhs[k] = 0.0
    for q in range(t.pool.shape[0]):
        t.rhs[t.pool[q]] += t.room[n + q] if t.state[q] == FULL else 0.0
    share_out(t)


@step
def share_out(t):
    """Basic values x = inverse . rhs, four rows at a time. A line none of whose segments is full holds nothing, and gives nothing."""
    x, inverse, rhs, picked, count = t.x, t.inverse, t.rhs, t.picked, 0
    x[:] = 0.0
    for i in range(x.shape[0]):
        picked[count] = i
        count += rhs[i] != 0.0
    for at in range(0, count - count % 4, 4):
        i, j, k, m = picked[at], picked[at + 1], picked[at + 2], picked[at + 3]
        one, two, three, four = inverse[i], inverse[j], inverse[k], inverse[m]
        a, b, c, d = rhs[i], rhs[j], rhs[k], rhs[m]
        for r in range(x.shape[0]):
            x[r] = x[r] + one[r] * a + two[r] * b + three[r] * c + four[r] * d
    for at in range(count - count % 4, count):
        given, held = inverse[picked[at]], rhs[picked[at]]
        for r in range(x.shape[0]):
            x[r] += given[r] * held


@inner
def duals(t):
    """y = profit of the basis . inverse; `column` is scratch."""
    for r in range(t.x.shape[0]):
        t.column[r] = t.profit[t.basis[r]]
    earn(t)


@step
def earn(t):
    """y = `column` . inverse, `column` being what the basic columns earn. Rows whose own segment or slack is basic need no sum."""
    n, lines, segments, rows = t.speed.shape[0], t.first.shape[0], t.pool.shape[0], t.x.shape[0]
    y, earned, inverse, picked, count, last = t.y, t.column, t.inverse, t.picked, 0, rows
    y[:] = np.inf
    for r in range(rows):
        j = t.basis[r]
        if j >= n:
            y[t.pool[j - n] if j < n + segments else lines + j - n - segments] = -earned[r] if j < n + segments else 0.0
        picked[count] = r
        count += earned[r] != 0.0
    for i in range(rows):
        picked[last] = i
        last += y[i] == np.inf
    for at in range(rows, last, 4):
        i, j, k, m = picked[at], picked[min(at + 1, last - 1)], picked[min(at + 2, last - 1)], picked[min(at + 3, last - 1)]
        one, two, three, four = inverse[i], inverse[j], inverse[k], inverse[m]
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for p in range(count):
            r = picked[p]
            a, b, c, d = a + one[r] * earned[r], b + two[r] * earned[r], c + three[r] * earned[r], d + four[r] * earned[r]
        y[i], y[j], y[k], y[m] = a, b, c, d


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
