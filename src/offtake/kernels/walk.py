"""The shadow price at which what is taken of a commitment meets what remains: a walk along the prices at which months change their plan.

A month's plan stays the optimum while the price of a contract's hours moves, up to the price at which a column begins to earn: its
next turn. Of a period's months the one whose turn comes first takes its steps, and takes less (dearer) or more (cheaper) from then on;
where what the period takes crosses its stock, that is the shadow price. Months that turn there take what they took before and after in the
same shares, so that the stock is taken whole.

Axes    months (M), rows (R), columns (C), segments (Q), pools (K) as in `basis` and `couple`; one lane at a time.
Units   GPU-h, USD; prices per unit of the stock.
Signs   prices >= 0; way +1 dearer, -1 cheaper.
Order within the month   a plan at the price to begin with, then turn by turn.
Source  model P-02. Method: parametric simplex (Gass and Saaty, Naval Research Logistics Quarterly 2, 1955), a month at a time.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.basis import FULL, Program, duals, hours, reset, tolls
from offtake.kernels.compiled import inner, once, step
from offtake.kernels.couple import hour_cost
from offtake.kernels.lanes import STALE
from offtake.kernels.simplex import improve, repair

NEAR = 1e-9  # relative: prices that are one
GRAIN = 1e-12  # of the largest profit: what a column earns where it turns, well above what the steps take for rounding
REACHED = 1e-13  # relative: a price this close to one it moves to is there
FLAT = 1e-9  # of the price per hour: rates below are rounding
TURNS = 10_000  # of a period; never seen above some hundreds


class Trail(NamedTuple):
    """The programs of one lane's months, and where the walk of a period stands. One worker's memory, 0.3 MB on the first book."""

    inverse: np.ndarray  # (M, R, R)
    basis: np.ndarray  # (M, R) int64
    state: np.ndarray  # (M, Q) int64
    age: np.ndarray  # (M, 1) int64
    x: np.ndarray  # (M, R)
    profit: np.ndarray  # (M, C)
    room: np.ndarray  # (M, C)
    rhs: np.ndarray  # (M, R)
    grain: np.ndarray  # (M,) USD: what a column earns where it turns
    unit: np.ndarray  # (N, M) of the stock that a GPU-h takes
    full: np.ndarray  # (K, M) USD per GPU-h past the commitment
    hours: np.ndarray  # (K, M) GPU-h within the commitment that is walked
    before: np.ndarray  # (K, M) what they were before the month's last turn
    last: np.ndarray  # (M,) price of the month's last turn, -1 none
    turn: np.ndarray  # (M,) price of its next
    rate: np.ndarray  # (C,) profit of a column by the price
    slope: np.ndarray  # (R,) duals by the price
    drift: np.ndarray  # (C,) what a column earns by the price


def trail(contracts, months, t):
    """Memory for the months of one lane, `contracts` N, `t` being the program of one month."""
    z, whole, (rows, columns, segments), pools = np.zeros, np.int64, (len(t.x), len(t.profit), len(t.pool)), (t.pools, months)
    return Trail(
        z((months, rows, rows)), z((months, rows), whole), z((months, segments), whole), z((months, 1), whole), z((months, rows)),
        z((months, columns)), np.full((months, columns), np.inf), z((months, rows)), z(months), z((contracts, months)), z(pools), z(pools),
        z(pools), z(months), z(months), z(columns), z(rows), z(columns),
    )  # fmt: skip


@once
def of_month(t, w, m):
    """The program of month m, what belongs to the month in the trail's own memory, the rest in that of `t`."""
    return Program(
        t.pools, t.share, t.spot, w.inverse[m], w.basis[m], w.state[m], t.pool, t.first, t.speed, w.profit[m], w.room[m], w.rhs[m], w.x[m],
        t.y, t.column, t.toll, t.grain, t.worth, t.reduced, t.row, w.age[m], t.picked,
    )  # fmt: skip


@once
def start_from(a, b):
    """Begin program a with the basis of b."""
    for r in range(a.x.shape[0]):
        a.basis[r] = b.basis[r]
        for j in range(a.x.shape[0]):
            a.inverse[r, j] = b.inverse[r, j]
    for q in range(a.pool.shape[0]):
        a.state[q] = b.state[q]
    a.age[0] = b.age[0]


@inner
def solve(t):
    """The optimum in `t` from the basis at hand, then from nothing placed by Bland's rule; returns the steps, -1 where that did not end."""
    for again in range(2):
        if again > 0 or t.age[0] > STALE:
            reset(t)
        hours(t)
        repaired = repair(t)
        steps = improve(t, again > 0) if repaired >= 0 else -1
        if steps >= 0:
            return repaired + steps
    return -1


@once
def value_of(t):
    """USD of the plan in `t`."""
    n, value = t.speed.shape[0], 0.0
    for r in range(t.x.shape[0]):
        value += t.x[r] * t.profit[t.basis[r]]
    for q in range(t.pool.shape[0]):
        value += t.room[n + q] * t.profit[n + q] if t.state[q] == FULL else 0.0
    return value


@step
def read_hours(t, n, m, case, w):
    """Hours of contract n in the plan of month m."""
    first, coupled = t.speed.shape[0], case.coupled
    for k in range(coupled.owner.shape[0]):
        if coupled.owner[k] == n:
            paid, past = coupled.paid[k], coupled.past[k]
            w.hours[k, m] = t.room[first + paid] if t.state[paid] == FULL else 0.0
            w.hours[k, m] += t.room[first + past] if t.state[past] == FULL else 0.0
    for r in range(t.x.shape[0]):
        q = t.basis[r] - first
        if 0 <= q < case.segments.pool.shape[0]:
            k = case.segments.pool[q]
            w.hours[k, m] += max(t.x[r], 0.0) if coupled.owner[k] == n and (q == coupled.paid[k] or q == coupled.past[k]) else 0.0


@step
def rates(t, n, m, price, way, case, w):
    """How profits and duals move with the price on its way; the price at which the first hour costs its full price, or infinity."""
    first, kink, coupled, unit = t.speed.shape[0], np.inf, case.coupled, w.unit[n, m]
    w.rate[:] = 0.0
    for k in range(coupled.owner.shape[0]):
        if coupled.owner[k] == n and unit > 0.0:
            ends = w.full[k, m] / unit
            ahead = way * (ends - price)
            ahead = ahead if ahead > REACHED * ends else 0.0
            within = ahead > 0.0 if way > 0.0 else ahead == 0.0
            w.rate[first + coupled.paid[k]] = w.rate[first + coupled.past[k]] = -way * unit if within else 0.0
            kink = min(kink, ahead) if ahead > 0.0 else kink
    w.slope[:] = 0.0
    for r in range(t.x.shape[0]):
        rate = w.rate[t.basis[r]]
        if rate != 0.0:
            for j in range(t.x.shape[0]):
                w.slope[j] += rate * t.inverse[j, r]
    return kink


@inner
def earnings(t, profit, y, out):
    """What each column earns at duals y, a full segment by being emptied; basic ones nothing."""
    n, pools, lines, segments = t.speed.shape[0], t.pools, t.first.shape[0], t.pool.shape[0]
    tolls(t, y)
    for w in range(t.spot.shape[0]):
        base = t.spot[w] * pools
        out[n + segments + w] = -y[lines + w]
        for k in range(pools):
            j = w * pools + k
            out[j] = profit[j] - t.toll[base + k] - t.speed[j] * y[lines + w]
    for q in range(segments):
        gain = profit[n + q] + y[t.pool[q]]
        out[n + q] = -gain if t.state[q] == FULL else gain
    for r in range(t.x.shape[0]):
        out[t.basis[r]] = 0.0


@step
def next_turn(t, n, m, price, way, case, w):
    """The price at which month m, whose plan at `price` is in `t`, changes it: a column begins to earn, or an hour costs its full price."""
    far = rates(t, n, m, price, way, case, w)
    earnings(t, t.profit, t.y, t.reduced)
    earnings(t, w.rate, w.slope, w.drift)
    flat = FLAT * w.unit[n, m]
    for j in range(t.profit.shape[0]):
        if w.drift[j] > flat:
            far = min(far, max(w.grain[m] - t.reduced[j], 0.0) / w.drift[j])
    at = price + way * far
    w.turn[m] = at if at >= 0.0 and far < np.inf else np.inf


@step
def put_price(t, n, m, price, case, w):
    """Hours of contract n in month m at a price."""
    first, coupled = t.speed.shape[0], case.coupled
    for k in range(coupled.owner.shape[0]):
        if coupled.owner[k] == n:
            cost = hour_cost(price, w.unit[n, m], w.full[k, m])
            t.profit[first + coupled.paid[k]] = t.profit[first + coupled.past[k]] = -cost


@step
def taken_in(n, m, case, w, hours):
    """What a month's hours take of the stock."""
    taken = 0.0
    for k in range(case.coupled.owner.shape[0]):
        if case.coupled.owner[k] == n:
            taken += hours[k, m] * w.unit[n, m]
    return taken


@once
def soonest(since, till, way, w):
    """The month of a period that turns first on the way; -1 where none does."""
    best = -1
    for m in range(since, till):
        if w.turn[m] < np.inf and (best < 0 or way * w.turn[m] < way * w.turn[best]):
            best = m
    return best


@once
def plan_period(t, n, since, till, price, case, w):
    """Plan a period's months at a price; returns what they take."""
    taken = 0.0
    for m in range(since, till):
        a = of_month(t, w, m)
        put_price(a, n, m, price, case, w)
        solve(a)
        read_hours(a, n, m, case, w)
        taken += taken_in(n, m, case, w, w.hours)
    return taken


@once
def look_ahead(t, n, since, till, price, way, case, w):
    """The first turn of every month of a period on its way."""
    for m in range(since, till):
        a = of_month(t, w, m)
        duals(a)
        next_turn(a, n, m, price, way, case, w)
        w.last[m] = -1.0


@once
def turn_month(t, n, m, way, case, w):
    """Month m takes its steps at its turn; returns by how much what it takes changes. `before` is before all turns at one price."""
    price, stays = w.turn[m], w.last[m] == w.turn[m]
    if abs(price - w.last[m]) > NEAR * price:
        for k in range(case.coupled.owner.shape[0]):
            w.before[k, m] = w.hours[k, m]
    w.last[m] = price
    was = taken_in(n, m, case, w, w.hours)
    a = of_month(t, w, m)
    put_price(a, n, m, price, case, w)
    steps = solve(a)
    if steps == 0 and stays:  # nothing to do after all: do not come back for as little
        w.grain[m] *= 10.0
    read_hours(a, n, m, case, w)
    next_turn(a, n, m, price, way, case, w)
    return taken_in(n, m, case, w, w.hours) - was


@once
def share_turns(n, since, till, price, stock, case, w):
    """Months that turn at the price take of before and after in the same shares, so that the period takes its stock."""
    rest, either = stock, 0.0
    for m in range(since, till):
        after = taken_in(n, m, case, w, w.hours)
        rest -= after
        either += taken_in(n, m, case, w, w.before) - after if abs(w.last[m] - price) <= NEAR * price else 0.0
    share = min(max(rest / either, 0.0), 1.0) if either != 0.0 else 0.0
    for k in range(case.coupled.owner.shape[0] if share > 0.0 else 0):
        for m in range(since, till):
            if case.coupled.owner[k] == n and abs(w.last[m] - price) <= NEAR * price:
                w.hours[k, m] += share * (w.before[k, m] - w.hours[k, m])


@step
def span(n, p, coupled):
    """The months of a period, from the first to before the last: they follow each other."""
    since, till = 0, 0
    for m in range(coupled.period.shape[1]):
        if coupled.period[n, m] == p:
            since = m if till == 0 else since
            till = m + 1
    return since, till


@once
def walk_period(t, n, p, i, case, w):
    """Find the shadow price of a period from the one it has, and its months' hours there; the others as the segments have them."""
    price, stock = case.known.price[p, i], case.known.stock[p, i]
    since, till = span(n, p, case.coupled)
    taken = plan_period(t, n, since, till, price, case, w)
    way = 1.0 if taken > stock else -1.0
    found = taken == stock or (taken < stock and price <= 0.0)
    if found:
        return
    look_ahead(t, n, since, till, price, way, case, w)
    for _ in range(TURNS):
        m = soonest(since, till, way, w)
        if m < 0 or (found and way * (w.turn[m] - price) > NEAR * price):
            break
        price = price if found else w.turn[m]
        taken += turn_month(t, n, m, way, case, w)
        found = found or way * (taken - stock) <= 0.0
    price = price if found or way > 0.0 else 0.0
    case.known.price[p, i] = price
    share_turns(n, since, till, price, stock, case, w)
