"""Months that a commitment ties together: what remains of it, what an hour of it costs, and how far a plan can be from the best.

    max  sum over months of (what is served - moving - other hours' cost - sum of full_m past_m)
    s.t. each month's program (`place`);  hours within the commitment = paid_m + past_m;  sum over m of unit_m paid_m <= stock

The sum over months has one multiplier, the shadow price. Given it months come apart: an hour within the commitment costs
min(price x unit, full), and what is taken falls as the price rises. `walk` finds it; any price gives a bound on every plan.

Axes    coupled contracts (N), periods (P: the contracts' true-up periods, one below the other), jobs (W), pools (K), segments (Q),
        months (M), lanes (L); path last. A path never reads another path.
Units   stock in GPU-h, or USD of an amount; unit what a GPU-h takes of it, 1 or the month's price; shadow price in USD per unit of the
        stock: USD per GPU-h, or a share of the price.
Signs   all outputs >= 0 but for rounding. 0 <= cost of an hour <= its full price.
Order within the month   stock, then prices and rooms (`share`); after placement the bound.
Source  model P-02. Method: Lagrange relaxation of the commitment, weak duality for the bound.
"""

from typing import NamedTuple

import numpy as np

from .compiled import entry, inner, step
from .schedule import BUILD_UP, BURN_DOWN, YEARLY, amount_of_period, due_month, opening
from .slots import load_parts


class Coupled(NamedTuple):
    """Commitments that more than a month shares; -1 where there is none."""

    contract: np.ndarray  # (N,) int64
    period: np.ndarray  # (N, M) int64 which stock a month draws on
    first: np.ndarray  # (N + 1,) int64 first period of each contract
    owner: np.ndarray  # (K,) int64 which coupled contract a pool belongs to
    paid: np.ndarray  # (K,) int64 segment of the hours that are paid already
    past: np.ndarray  # (K,) int64 segment of those that cost their full price


class Parts(NamedTuple):
    """What `load_parts` fills."""

    part: np.ndarray  # (J, L) of the workload's work
    limit: np.ndarray  # (1, L) scratch


class Shadow(NamedTuple):
    """What a block knows of its coupled months."""

    stock: np.ndarray  # (P, L)
    price: np.ndarray  # (P, L) the multiplier, per unit of the stock
    unit: np.ndarray  # (N, M, L) of the stock that a GPU-h takes: 1, or USD
    worth: np.ndarray  # (K, M, L) USD per GPU-h: duals of the pools at that price
    slot_worth: np.ndarray  # (K, S, M, L) USD per GPU-h: and in each slot of the day
    slack: np.ndarray  # (M, L) USD that no plan can gain on this one, a period's part spread over its months
    bound: np.ndarray  # (M, L) USD that no plan can exceed


@inner
def due_in(c, m, i, terms, schedule, alive, X):
    """What month m adds to its period's stock: GPU-h that count as taken whether used or not (C-02); where all is due, all committed."""
    committed, available, share = schedule.committed[c, m, i], schedule.available[c, m, i], X[terms.take_or_pay_x[c], i]
    due = committed if share >= 1.0 else due_month(committed, available, share)
    return due * alive[c, m, i]


@step
def amount_in(c, m, i, terms, schedule, alive, X):
    """The same in USD: an amount evenly over the months of its commitment year or term (C-08), with what was before month 0 (C-07)."""
    start, term = terms.starts[c], int(X[terms.term_x[c], i] + 0.5)
    amount, length = amount_of_period(c, i, m - start, terms, X)
    each = amount / length
    yearly = terms.true_up[c] == YEARLY and terms.form[c] == BUILD_UP
    begun = terms.consumed_x[c] >= 0 and start < 0 and (not yearly or (m - start) // 12 == -start // 12)
    if begun:
        _, taken, owed = opening(c, i, terms, X)
        closing = start + (min(12 * (-start // 12 + 1), term) if yearly else term)
        each = max(each + (owed - taken) / max(closing, 1), 0.0)
    return each * alive[c, m, i] * schedule.in_term[c, m, i] if m < start + term else 0.0


@entry
def stock_block(coupled, terms, schedule, alive, X, out):
    """Fill `stock` and `unit` of a `Shadow`."""
    out.stock[:] = 0.0
    for n in range(coupled.contract.shape[0]):
        c = coupled.contract[n]
        in_usd = terms.form[c] >= BURN_DOWN
        for m in range(coupled.period.shape[1]):
            p = coupled.period[n, m]
            for i in range(out.stock.shape[1]):
                out.unit[n, m, i] = schedule.price[c, m, i] if in_usd else 1.0
                if p >= 0 and in_usd:
                    out.stock[p, i] += amount_in(c, m, i, terms, schedule, alive, X)
                elif p >= 0:
                    out.stock[p, i] += due_in(c, m, i, terms, schedule, alive, X)
        if not in_usd and terms.consumed_x[c] >= 0 and coupled.period[n, 0] >= 0:
            p = coupled.period[n, 0]
            for i in range(out.stock.shape[1]):
                _, taken, owed = opening(c, i, terms, X)
                out.stock[p, i] = max(out.stock[p, i] + owed - taken, 0.0)


@inner
def hour_cost(shadow, unit, full):
    """USD of an hour within the commitment at a shadow price."""
    return min(shadow * unit, full)


@entry
def price_block(n, coupled, shadow, unit, full, cost):
    """Put hours of coupled contract n at `shadow` (P, L) into the segments' `cost` (Q, M, L); `full` (K, M, L) USD per GPU-h."""
    for k in range(full.shape[0]):
        if coupled.owner[k] == n:
            paid, past = coupled.paid[k], coupled.past[k]
            for m in range(full.shape[1]):
                p = coupled.period[n, m]
                if p >= 0:
                    for i in range(full.shape[2]):
                        cost[paid, m, i] = hour_cost(shadow[p, i], unit[n, m, i], full[k, m, i])
                        cost[past, m, i] = cost[paid, m, i]


@entry
def within_block(n, coupled, cap, use, unit, hours, taken):
    """Hours within the commitment of contract n by pool into `hours` (K, M, L), and what they take of its periods into `taken` (P, L).

    use  (W, K, M, L) GPU-h placed
    """
    for p in range(coupled.first[n], coupled.first[n + 1]):
        taken[p] = 0.0
    for k in range(hours.shape[0]):
        if coupled.owner[k] == n:
            for m in range(hours.shape[1]):
                p, room, past = coupled.period[n, m], cap[coupled.paid[k], m], cap[coupled.past[k], m]
                hours[k, m] = 0.0
                for w in range(use.shape[0]):
                    for i in range(hours.shape[2]):
                        hours[k, m, i] += use[w, k, m, i]
                for i in range(hours.shape[2]):
                    hours[k, m, i] = min(hours[k, m, i], room[i] + past[i])
                    if p >= 0:
                        taken[p, i] += hours[k, m, i] * unit[n, m, i]


@entry
def earned_block(segments, loads, use, out):
    """What is served less moving and hours at the segments' costs, each pool's filled in their order, into `out` (M, L) USD."""
    out[:] = 0.0
    left = np.empty((use.shape[1], out.shape[1]))
    for m in range(out.shape[0]):
        left[:] = 0.0
        for w in range(use.shape[0]):
            for k in range(use.shape[1]):
                for i in range(out.shape[1]):
                    gain = loads.value[w, i] * loads.speed[w, k, i] - loads.moving[w, k, i]
                    out[m, i] += gain * use[w, k, m, i]
                    left[k, i] += use[w, k, m, i]
        for q in range(segments.pool.shape[0]):
            k = segments.pool[q]
            for i in range(out.shape[1]):
                fill = min(left[k, i], segments.cap[q, m, i])
                left[k, i] -= fill
                out[m, i] -= fill * segments.cost[q, m, i]


@step
def hour_worth(k, spot, m, day, shadow, out):
    """USD of an hour of pool k at a spot of the day into `out` (L,): in a slot the pool's dual there, through the day that over the day
    (`place`); at any time that of the slot where it is least."""
    slots, worth = day.share.shape[0], shadow.worth[k, m]
    for i in range(out.shape[0]):
        out[i] = max(worth[i], 0.0)
    if 0 < spot <= slots:
        held = shadow.slot_worth[k, spot - 1, m]
        for i in range(out.shape[0]):
            out[i] = max(held[i], 0.0)
    for s in range(slots if spot == 0 else 0):
        held = shadow.slot_worth[k, s, m]
        for i in range(out.shape[0]):
            out[i] = min(out[i], max(held[i], 0.0))


@step
def job_worth(j, k, m, jobs, loads, room, hour, each):
    """Most that job j earns per unit of work, net of what an hour is worth, into `each` (L,): pool k, where it may run (P-03)."""
    w = jobs.day.owner[j]
    speed, moving, value, (fits, gang) = loads.speed[w, k], loads.moving[w, k], loads.value[w], room
    for i in range(each.shape[0]):
        rate = speed[i] if speed[i] > 0.0 and gang[i] <= fits[i] else 0.0
        net = value[i] * rate - moving[i] - hour[i]
        each[i] = max(each[i], net / rate if rate > 0.0 else 0.0)


@entry
def bound_block(segments, jobs, loads, ready, X, todo, shadow):
    """USD that no plan of a month exceeds, into `bound` (M, L), from any worth of an hour of its pools and slots: weak duality.

    A segment is worth what an hour at any time is worth above its cost; what slots hold is worth more by their shares, used or not.

    segments  at the costs that count; todo (W, M, L) work there is
    """
    day, lanes, bound = jobs.day, todo.shape[2], shadow.bound
    parts = Parts(np.empty((day.owner.shape[0], lanes)), np.empty((1, lanes)))
    load_parts(day, X, parts)
    hour, through, each, room, none = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes), np.zeros(lanes)
    bound[:] = 0.0
    for m in range(todo.shape[1]):
        for j in range(day.owner.shape[0]):
            w = day.owner[j]
            each[:] = 0.0
            gang = X[jobs.gang_x[w]] if jobs.gang_x[w] >= 0 else none
            for k in range(ready.shape[0]):
                if jobs.eligible[w, k] != 0:
                    for i in range(lanes):
                        room[i] = min(ready[k, m, i], X[jobs.fabric_x[k], i]) if jobs.fabric_x[k] >= 0 else ready[k, m, i]
                    hour_worth(k, day.spot[j], m, day, shadow, hour)
                    job_worth(j, k, m, jobs, loads, (room, gang), hour, each)
            for i in range(lanes):
                bound[m, i] += each[i] * todo[w, m, i] * parts.part[j, i]
        for q in range(segments.pool.shape[0]):
            hour_worth(segments.pool[q], 0, m, day, shadow, hour)
            hour_worth(segments.pool[q], 1 + day.share.shape[0], m, day, shadow, through)
            for i in range(lanes):
                bound[m, i] += segments.cap[q, m, i] * (max(hour[i] - segments.cost[q, m, i], 0.0) + (through[i] - hour[i]))


@entry
def periods_block(n, coupled, full, cap, hours, taken, out):
    """Add to `slack` and `bound` (M, L) what contract n's periods put in, spread over their months by the hours there are.

    hours  (K, M, L) within the commitment as placed; taken (P, L) what they take; full (K, M, L) USD per GPU-h past it
    """
    rows, lanes = out.stock.shape
    lost, room = np.zeros((rows, lanes)), np.zeros((rows, lanes))
    for turn in range(2):
        for k in range(full.shape[0]):
            if coupled.owner[k] != n:
                continue
            for m in range(full.shape[1]):
                p = coupled.period[n, m]
                if p < 0:
                    continue
                for i in range(lanes):
                    there = (cap[coupled.paid[k], m, i] + cap[coupled.past[k], m, i]) * out.unit[n, m, i]
                    if turn == 0:
                        covered = min(out.stock[p, i] / taken[p, i], 1.0) if taken[p, i] > 0.0 else 1.0
                        cost = hour_cost(out.price[p, i], out.unit[n, m, i], full[k, m, i])
                        lost[p, i] += hours[k, m, i] * (full[k, m, i] * (1.0 - covered) - cost)
                        room[p, i] += there
                    elif room[p, i] > 0.0:
                        promised = out.price[p, i] * out.stock[p, i]
                        out.slack[m, i] += (promised + lost[p, i]) * there / room[p, i]
                        out.bound[m, i] += promised * there / room[p, i]
