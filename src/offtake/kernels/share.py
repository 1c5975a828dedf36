"""Months that share commitments, lane by lane: which hours of each contract its commitment pays, and at what shadow price.

All commitments at nothing first: where they pay for all that is wanted, that is the plan. Elsewhere the contracts in turn, the others
as they stand: `walk` finds the price of each period, and its hours there become the rooms that are paid. Rounds go on where the plan is
farther than GOOD from what the dual says, ROUNDS at most; the best plan and the closest dual of all rounds are kept. Work that waits ties
months too: while prices are sought it is held to what the last plan left of it.

Axes    as in `couple`; jobs (J).
Units   GPU-h, USD; prices per unit of the stock.
Signs   prices and rooms >= 0; rooms of a pool add up to what they were.
Order within the month   plan at no price, rooms, prices and rooms contract by contract, plan at all prices.
Source  model P-02. Method: one contract is exact; several by turns, with the gap told (`couple.bound_block`).
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.basis import reset
from offtake.kernels.compiled import inner, once, step, way_in
from offtake.kernels.couple import Coupled, Shadow, hour_cost
from offtake.kernels.place import Jobs, Loads, Segments, prepare, profit_month
from offtake.kernels.simplex import rents
from offtake.kernels.walk import GRAIN, of_month, put_price, read_hours, solve, span, start_from, taken_in, value_of, walk_period

ROUNDS = 3  # over the contracts, where there are several
GOOD = 1e-5  # relative gap of a period that needs no further round
FRESH, PRICED, ROOMED = 0, 1, 2  # how months are planned


class Case(NamedTuple):
    """The programs of a block's lanes, and what is known of their shadow prices."""

    coupled: Coupled
    segments: Segments
    jobs: Jobs
    loads: Loads
    ready: np.ndarray  # (K, M, L) GPUs
    X: np.ndarray  # (F, L)
    full: np.ndarray  # (K, M, L) USD per GPU-h past the commitment
    known: Shadow


class Ledger(NamedTuple):
    """What the rounds of one lane are kept in."""

    late: np.ndarray  # (J,) work put off
    mode: np.ndarray  # (1,) int64 how months are planned
    touched: np.ndarray  # (M,) int64 1 for months of open periods
    roomed: np.ndarray  # (M,) USD of the best that can be done in the rooms as they stand
    priced: np.ndarray  # (M,) and of the last at the shadow prices
    worth: np.ndarray  # (V, M) of an hour more of each line there
    open: np.ndarray  # (P,) int64 1 where a price is sought
    over: np.ndarray  # (P,) int64 1 where more is wanted for nothing than the stock pays
    price: np.ndarray  # (P,) of the closest dual
    paid: np.ndarray  # (K, M) rooms of the best plan


def ledger(case, jobs):
    """Memory for one lane of `jobs` J."""
    (pools, months, _), slots, rows, z, whole = case.full.shape, len(case.jobs.day.share), len(case.known.stock), np.zeros, np.int64
    return Ledger(
        z(jobs), z(1, whole), z(months, whole), z(months), z(months), z((pools * (1 + slots), months)), z(rows, whole), z(rows, whole),
        z(rows), z((pools, months)),
    )  # fmt: skip


@once
def pose_jobs(t, i, case, b, desk, w):
    """Speeds and profits of jobs on lane i in all months."""
    for j in range(t.speed.shape[0]):
        k = j % t.pools
        fabric = case.jobs.fabric_x[k]
        t.speed[j] = b.speed[j, i]
        for m in range(w.turn.shape[0]):
            limit = case.ready[k, m, i]
            limit = min(limit, case.X[fabric, i]) if fabric >= 0 else limit
            w.profit[m, j] = profit_month(desk.gain[j, i], desk.gang[j, i], limit)


@once
def pose_terms(i, case, w):
    """What an hour of each contract takes of its stock, and costs past it, on lane i in all months."""
    for n in range(w.unit.shape[0]):
        for m in range(w.unit.shape[1]):
            w.unit[n, m] = case.known.unit[n, m, i]
    for k in range(w.full.shape[0]):
        for m in range(w.full.shape[1]):
            w.full[k, m] = case.full[k, m, i]


@once
def pose_segments(t, i, case, w):
    """Rooms and costs on lane i in all months, as the segments have them."""
    n, pools, own = t.speed.shape[0], t.pools, case.segments.pool.shape[0]
    for m in range(w.turn.shape[0]):
        for q in range(own, t.pool.shape[0]):
            w.room[m, n + q] = 0.0
        for q in range(own):
            cap = max(case.segments.cap[q, m, i], 0.0)
            w.room[m, n + q], w.profit[m, n + q] = cap, -case.segments.cost[q, m, i]
            for s in range(t.share.shape[0]):
                w.room[m, n + own + s * pools + case.segments.pool[q]] += t.share[s] * cap
        w.grain[m] = 0.0
        for j in range(t.profit.shape[0]):
            w.grain[m] = max(w.grain[m], GRAIN * abs(w.profit[m, j]))


@once
def left_undone(t, r, i, desk):
    """Work of job r that the plan in `t` leaves; rounding of what there was is nothing."""
    lines, first = t.first.shape[0], r * t.pools
    done = 0.0
    for p in range(t.x.shape[0]):
        j = t.basis[p]
        if first <= j < first + t.pools and t.profit[j] > 0.0:
            done += max(t.x[p], 0.0) * t.speed[j]
    left = t.rhs[lines + r] - done
    return left * desk.fastest[r, i] if left > 1e-14 * t.rhs[lines + r] else 0.0


@once
def put_off(t, i, case, desk, book):
    """What the plan in `t` leaves of the work that can wait."""
    for r in range(book.late.shape[0]):
        book.late[r] = left_undone(t, r, i, desk) if case.jobs.deferrable[case.jobs.day.owner[r]] != 0 else 0.0


@once
def pose_work(t, m, i, case, desk, w, book):
    """The month's work, and what was put off."""
    lines = t.first.shape[0]
    for r in range(book.late.shape[0]):
        todo, fastest = max(case.loads.work[case.jobs.day.owner[r], m, i], 0.0) * desk.part[r, i] + book.late[r], desk.fastest[r, i]
        w.rhs[m, lines + r] = todo / fastest if fastest > 0.0 else 0.0


@inner
def plan_all(t, i, case, desk, w, book):
    """Plan the months that are touched: hours of every contract, and what each month is worth.

    The mode: FRESH and ROOMED follow each other, with what is put off, from the basis of the month before or each from its own; PRICED keep
    the work that there was to do. FRESH and PRICED are plans at the shadow prices, and say what an hour more of each line is worth.
    """
    mode = book.mode[0]
    book.late[:] = 0.0
    for m in range(w.turn.shape[0]):
        if book.touched[m] == 0:
            continue
        if mode != PRICED:
            pose_work(t, m, i, case, desk, w, book)
        a = of_month(t, w, m)
        if mode == FRESH and m > 0:
            start_from(a, of_month(t, w, m - 1))
        elif mode == FRESH:
            reset(a)
        solve(a)
        for n in range(case.coupled.contract.shape[0]):
            read_hours(a, n, m, case, w)
        if mode != ROOMED:
            book.priced[m] = value_of(a)
            rents(a)
            for line in range(book.worth.shape[0]):
                book.worth[line, m] = max(a.worth[line], 0.0)
        if mode != PRICED:
            book.roomed[m] = value_of(a)
            put_off(a, i, case, desk, book)


@step
def put_prices(t, i, case, w):
    """Hours of every contract at its shadow prices."""
    first, coupled, known = t.speed.shape[0], case.coupled, case.known
    for k in range(coupled.owner.shape[0]):
        n = coupled.owner[k]
        for m in range(w.turn.shape[0] if n >= 0 else 0):
            p = coupled.period[n, m]
            if p >= 0:
                cost = hour_cost(known.price[p, i], w.unit[n, m], w.full[k, m])
                w.profit[m, first + coupled.paid[k]] = w.profit[m, first + coupled.past[k]] = -cost


@step
def lock(t, n, case, w):
    """Hours that contract n's commitment pays cost nothing more, those past them their full price."""
    first, coupled = t.speed.shape[0], case.coupled
    for k in range(coupled.owner.shape[0]):
        for m in range(w.turn.shape[0] if coupled.owner[k] == n else 0):
            if coupled.period[n, m] >= 0:
                w.profit[m, first + coupled.paid[k]], w.profit[m, first + coupled.past[k]] = 0.0, -w.full[k, m]


@step
def give_rooms(t, n, p, i, case, w, book):
    """Hours of a period that its stock pays become rooms: what is left of it is spread, of one that is exceeded each gets its part, and the
    months pay for the rest."""
    first, coupled, unit, stock = t.speed.shape[0], case.coupled, w.unit, case.known.stock[p, i]
    since, till = span(n, p, coupled)
    taken, rest = 0.0, 0.0
    for k in range(coupled.owner.shape[0]):
        for m in range(since, till if coupled.owner[k] == n else since):
            whole = w.room[m, first + coupled.paid[k]] + w.room[m, first + coupled.past[k]]
            w.hours[k, m] = min(w.hours[k, m], whole)
            taken += w.hours[k, m] * unit[n, m]
            rest += (whole - w.hours[k, m]) * unit[n, m]
    kept = min(stock / taken, 1.0) if taken > 0.0 else 0.0
    more = min(max(stock - taken, 0.0) / rest, 1.0) if rest > 0.0 else 0.0
    for k in range(coupled.owner.shape[0]):
        for m in range(since, till if coupled.owner[k] == n else since):
            whole = w.room[m, first + coupled.paid[k]] + w.room[m, first + coupled.past[k]]
            paid = min(w.hours[k, m] * kept + (whole - w.hours[k, m]) * more, whole)
            w.room[m, first + coupled.paid[k]], w.room[m, first + coupled.past[k]] = paid, whole - paid
            book.roomed[m] -= max(w.hours[k, m] - paid, 0.0) * w.full[k, m]


@once
def begin(t, i, case, desk, w, book):
    """All commitments at nothing: work to do, rooms to begin with; returns whether one does not pay for all that is wanted."""
    case.known.price[:, i] = 0.0
    put_prices(t, i, case, w)
    book.mode[0], book.touched[:] = FRESH, 1
    plan_all(t, i, case, desk, w, book)
    over = False
    for n in range(case.coupled.contract.shape[0]):
        for p in range(case.coupled.first[n], case.coupled.first[n + 1]):
            taken, (since, till) = 0.0, span(n, p, case.coupled)
            for m in range(since, till):
                taken += taken_in(n, m, case, w, w.hours)
            book.over[p] = 1 if taken > case.known.stock[p, i] else 0
            over = over or book.over[p] != 0
            give_rooms(t, n, p, i, case, w, book)
        lock(t, n, case, w)
    return over


@once
def value_period(t, n, p, i, case, w, book):
    """What months of a period are worth by their plan at its price, with contract n's hours for nothing."""
    price, (since, till) = case.known.price[p, i], span(n, p, case.coupled)
    for m in range(since, till):
        a = of_month(t, w, m)
        put_price(a, n, m, price, case, w)
        book.roomed[m] = value_of(a)
        for k in range(case.coupled.owner.shape[0]):
            if case.coupled.owner[k] == n:
                book.roomed[m] += w.hours[k, m] * hour_cost(price, w.unit[n, m], w.full[k, m])


@once
def sweep(t, n, i, case, w, book):
    """Prices and rooms of contract n's open periods, the others as they stand. The price of the last that had one is a good first guess."""
    guess = 0.0
    for p in range(case.coupled.first[n], case.coupled.first[n + 1]):
        if case.known.price[p, i] == 0.0 and book.over[p] != 0:
            case.known.price[p, i] = guess
        if book.open[p] != 0:
            walk_period(t, n, p, i, case, w)
            value_period(t, n, p, i, case, w, book)
            give_rooms(t, n, p, i, case, w, book)
        guess = max(case.known.price[p, i], 0.0) if book.over[p] != 0 else guess
    lock(t, n, case, w)


@step
def promised(t, m, i, case, w):
    """USD of month m's paid rooms at the shadow prices."""
    total, coupled, known = 0.0, case.coupled, case.known
    for k in range(coupled.owner.shape[0]):
        n = coupled.owner[k]
        if n >= 0 and coupled.period[n, m] >= 0:
            paid = w.room[m, t.speed.shape[0] + coupled.paid[k]]
            total += paid * w.unit[n, m] * known.price[coupled.period[n, m], i]
    return total


@once
def waits(case):
    """Whether any work can be put off."""
    found = False
    for r in range(case.jobs.deferrable.shape[0]):
        found = found or case.jobs.deferrable[r] != 0
    return found


@once
def look_for_gaps(t, i, case, w, book):
    """Open the periods whose months are farther from the dual than GOOD, touch their months; returns whether there is one."""
    found = False
    book.touched[:] = 0
    for n in range(case.coupled.contract.shape[0]):
        for p in range(case.coupled.first[n], case.coupled.first[n + 1]):
            slack, bound, (since, till) = 0.0, 0.0, span(n, p, case.coupled)
            for m in range(since, till):
                most = book.priced[m] + promised(t, m, i, case, w)
                bound += most
                slack += most - book.roomed[m]
            book.open[p] = 1 if slack > GOOD * abs(bound) else 0
            found = found or book.open[p] != 0
            for m in range(since, till):
                book.touched[m] |= book.open[p]
    if found and waits(case):  # work put off ties all months
        book.touched[:] = 1
    return found


@step
def keep_dual(i, case, least, book):
    """Prices and worth of hours of the closest dual so far, whose bound was `least`; returns its bound."""
    bound, known, slots = 0.0, case.known, case.jobs.day.share.shape[0]
    for m in range(book.priced.shape[0]):
        bound += book.priced[m]
    for p in range(book.price.shape[0]):
        bound += known.price[p, i] * known.stock[p, i]
    if bound >= least:
        return least
    for p in range(book.price.shape[0]):
        book.price[p] = known.price[p, i]
    pools = known.worth.shape[0]
    for m in range(book.priced.shape[0]):
        for k in range(pools):
            known.worth[k, m, i] = book.worth[k, m]
            for s in range(slots):
                held = book.worth[(1 + s) * pools + k, m]
                known.slot_worth[k, s, m, i] = book.worth[k, m] + held
                known.worth[k, m, i] += case.jobs.day.share[s] * held
    return bound


@step
def keep_plan(t, case, most, w, book):
    """Rooms of the best plan so far, which was worth `most`; returns what it is worth."""
    value = 0.0
    for m in range(book.roomed.shape[0]):
        value += book.roomed[m]
    if value <= most:
        return most
    for k in range(book.paid.shape[0]):
        for m in range(book.paid.shape[1] if case.coupled.owner[k] >= 0 else 0):
            book.paid[k, m] = w.room[m, t.speed.shape[0] + case.coupled.paid[k]]
    return value


@once
def settle(t, i, case, w, book):
    """The best plan's rooms and the closest dual's prices."""
    coupled, cap, first = case.coupled, case.segments.cap, t.speed.shape[0]
    for p in range(book.price.shape[0]):
        case.known.price[p, i] = book.price[p]
    for k in range(book.paid.shape[0]):
        for m in range(book.paid.shape[1] if coupled.owner[k] >= 0 else 0):
            whole = w.room[m, first + coupled.paid[k]] + w.room[m, first + coupled.past[k]]
            cap[coupled.paid[k], m, i] = book.paid[k, m]
            cap[coupled.past[k], m, i] = max(whole - book.paid[k, m], 0.0)


@once
def share_lane(t, i, case, desk, w, book):
    """Prices and rooms of lane i."""
    again = begin(t, i, case, desk, w, book)
    least, most = keep_dual(i, case, np.inf, book), keep_plan(t, case, -np.inf, w, book)
    most = -np.inf if again else most  # the first rooms are no plan yet
    book.open[:] = 1
    for _ in range(ROUNDS):
        if not again:
            break
        for n in range(case.coupled.contract.shape[0]):
            sweep(t, n, i, case, w, book)
        if waits(case):  # what is put off follows from month to month
            book.mode[0] = ROOMED
            plan_all(t, i, case, desk, w, book)
        value = keep_plan(t, case, most, w, book)
        put_prices(t, i, case, w)
        book.mode[0] = PRICED
        plan_all(t, i, case, desk, w, book)
        if waits(case):  # then plan and dual are of the same work
            least = np.inf if value > most else -np.inf
        least, most = keep_dual(i, case, least, book), value
        again = look_for_gaps(t, i, case, w, book)
        for n in range(case.coupled.contract.shape[0]):
            lock(t, n, case, w)
    settle(t, i, case, w, book)


@way_in
def share_block(case, work, w, book):
    """Shadow prices, worth of hours, and rooms of every lane, from stocks and segments as months alone price them.

    work  from `place.scratch`; w from `walk.trail`; book from `ledger`. Fills `price`, `worth` and `slot_worth` of `case.known`, and
    rooms of the coupled segments.
    """
    b, t, desk = work
    prepare(case.segments, case.jobs, case.loads, case.X, b, t, desk)
    for i in range(case.X.shape[1]):
        pose_jobs(t, i, case, b, desk, w)
        pose_terms(i, case, w)
        pose_segments(t, i, case, w)
        share_lane(t, i, case, desk, w, book)
