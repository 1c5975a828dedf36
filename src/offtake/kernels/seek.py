"""The shadow price at which what is taken of a commitment meets what remains, on all paths at once.

Two points lie either side of it: at the lower price too much is taken, at the higher one not too much. Each gives every month a tangent of
its part of the dual function, which is convex and piecewise linear. Where the sum of the higher tangents is least is the next trial; where
the dual lies on them there, it is the least value. A month then has the hours of the point its tangent belongs to; months whose tangents
meet at the price have a share of either, so that the stock is taken whole.

Axes    as in `couple`.
Units   GPU-h, USD; prices per unit of the stock.
Signs   prices >= 0, at most `highest`.
Order within the month   a trial is taken in after all months of its period are placed; rooms follow when the price is found.
Source  model P-02. Method: cutting planes, a month at a time (Kelley, J. SIAM 8, 1960), in one dimension.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .compiled import inner
from .couple import hour_cost

SAME = 1e-10  # relative: values of the dual function that are one
BESIDE = 1e-3  # relative: how far beside an expected price the second trial lies
DUST = 1e-12  # relative: hours that are rounding
NEAR = 1e-9  # relative: prices that are one


class Search(NamedTuple):
    """Where the search for each period's multiplier stands: two points (0: too much is taken, 1: not too much), and the next to try."""

    trial: np.ndarray  # (P, L) the multiplier to try
    hoped: np.ndarray  # (P, L) the dual's least value if the trial is the last
    open: np.ndarray  # (P, L) 1 until it is found
    highest: np.ndarray  # (P, L) the multiplier at which every hour costs its full price
    price: np.ndarray  # (2, P, L); -1 and infinity where a point is not known
    taken: np.ndarray  # (2, P, L) of the stock
    value: np.ndarray  # (2, P, L) of the dual function, USD
    gross: np.ndarray  # (2, M, L) USD of the months before the contract's own hours are paid
    hours: np.ndarray  # (2, K, M, L) GPU-h within the commitment
    meets: np.ndarray  # (M, L) the multiplier at which a month goes from the hours of point 0 to those of point 1
    tries: np.ndarray  # (P, L)


@inner
def keep_point(at, n, p, i, coupled, taken, value, gross, hours, s):
    """Point `at` of period p is the trial: what it took, its value, its hours."""
    s.price[at, p, i], s.taken[at, p, i], s.value[at, p, i] = s.trial[p, i], taken, value
    for m in range(gross.shape[0]):
        if coupled.period[n, m] == p:
            s.gross[at, m, i] = gross[m, i]
            for k in range(hours.shape[0]):
                if coupled.owner[k] == n:
                    s.hours[at, k, m, i] = hours[k, m, i]


@inner
def took(at, n, m, i, coupled, shadow, s):
    """What month m takes of the stock at a point."""
    taken = 0.0
    for k in range(coupled.owner.shape[0]):
        if coupled.owner[k] == n:
            taken += s.hours[at, k, m, i] * shadow.unit[n, m, i]
    return taken


@inner
def value_at(at, n, m, i, price, coupled, shadow, full, s):
    """USD of month m at a shadow price with the hours of a point: a tangent of the month's part of the dual."""
    value = s.gross[at, m, i]
    for k in range(coupled.owner.shape[0]):
        if coupled.owner[k] == n:
            value -= s.hours[at, k, m, i] * hour_cost(price, shadow.unit[n, m, i], full[k, m, i])
    return value


@inner
def meet_month(n, p, m, i, coupled, shadow, s):
    """The price at which a month's two tangents meet, and by how much what it takes falls there; the last price where it does not."""
    less = took(0, n, m, i, coupled, shadow, s) - took(1, n, m, i, coupled, shadow, s)
    falls = less > DUST * shadow.stock[p, i]
    at = (s.gross[0, m, i] - s.gross[1, m, i]) / less if falls else s.price[1, p, i]
    return min(max(at, s.price[0, p, i]), s.price[1, p, i]), less if falls else 0.0


@inner
def between_points(n, p, i, coupled, shadow, full, s):
    """The least value of all months' tangents between both points, and the price where it is."""
    low, high, stock = s.price[0, p, i], s.price[1, p, i], shadow.stock[p, i]
    best = high
    for m in range(s.meets.shape[0]):
        if coupled.period[n, m] == p:
            s.meets[m, i], _ = meet_month(n, p, m, i, coupled, shadow, s)
    for c in range(s.meets.shape[0]):
        if coupled.period[n, c] == p and s.meets[c, i] < best:
            taken = s.taken[0, p, i]
            for m in range(s.meets.shape[0]):
                if coupled.period[n, m] == p and s.meets[m, i] <= s.meets[c, i]:
                    _, less = meet_month(n, p, m, i, coupled, shadow, s)
                    taken -= less
            best = s.meets[c, i] if taken <= stock else best
    value = best * stock
    for m in range(s.meets.shape[0]):
        if coupled.period[n, m] == p:
            below = value_at(0, n, m, i, best, coupled, shadow, full, s)
            value += max(below, value_at(1, n, m, i, best, coupled, shadow, full, s))
    return max(best, low), value


@inner
def next_trial(n, p, i, coupled, shadow, full, s):
    """The price to try next: a little beside one that was expected, the end of the range, or where the months' tangents are least."""
    low, high, tries = s.price[0, p, i], s.price[1, p, i], s.tries[p, i]
    s.hoped[p, i] = -np.inf
    if high == np.inf:
        s.trial[p, i] = min(low * (1.0 + BESIDE), s.highest[p, i]) if tries == 1.0 and low > 0.0 else s.highest[p, i]
    elif low < 0.0:
        s.trial[p, i] = high * (1.0 - BESIDE) if tries == 1.0 and high < s.highest[p, i] else 0.0
    else:
        s.trial[p, i], s.hoped[p, i] = between_points(n, p, i, coupled, shadow, full, s)


@njit(cache=True, nogil=True, error_model="numpy")
def narrow_block(n, coupled, shadow, full, gross, hours, s):
    """Take in a trial of contract n and choose the next; a period that is found keeps its points.

    gross  (M, L) USD of the months before the cost of the contract's hours; hours (K, M, L) within the commitment
    full   (K, M, L) USD per GPU-h past it
    """
    for p in range(coupled.first[n], coupled.first[n + 1]):
        for i in range(gross.shape[1]):
            if s.open[p, i] == 0.0:
                continue
            trial, stock, taken = s.trial[p, i], shadow.stock[p, i], 0.0
            value = trial * stock
            for m in range(gross.shape[0]):
                if coupled.period[n, m] == p:
                    value += gross[m, i]
                    for k in range(full.shape[0]):
                        if coupled.owner[k] == n:
                            taken += hours[k, m, i] * shadow.unit[n, m, i]
                            value -= hours[k, m, i] * hour_cost(trial, shadow.unit[n, m, i], full[k, m, i])
            s.tries[p, i] += 1.0
            over = taken > stock
            if taken == stock or (trial >= s.highest[p, i] if over else trial <= 0.0):
                keep_point(0, n, p, i, coupled, taken, value, gross, hours, s)
                keep_point(1, n, p, i, coupled, taken, value, gross, hours, s)
                s.open[p, i] = 0.0
            elif value - s.hoped[p, i] <= SAME * abs(value):
                s.open[p, i] = 0.0
            else:
                keep_point(0 if over else 1, n, p, i, coupled, taken, value, gross, hours, s)
                next_trial(n, p, i, coupled, shadow, full, s)


@njit(cache=True, nogil=True, error_model="numpy")
def open_months(n, coupled, s, out):
    """Months of contract n (M, L) whose hours a trial may still change, as 1: those of open periods that differ between both points."""
    for m in range(out.shape[0]):
        p = coupled.period[n, m]
        for i in range(out.shape[1]):
            out[m, i] = 0
            if p >= 0 and s.open[p, i] > 0.0:
                apart = s.price[0, p, i] < 0.0 or s.price[1, p, i] == np.inf
                for k in range(coupled.owner.shape[0]):
                    if coupled.owner[k] == n:
                        apart = apart or abs(s.hours[0, k, m, i] - s.hours[1, k, m, i]) > DUST * s.hours[0, k, m, i]
                out[m, i] = 1 if apart else 0


@inner
def side_of(meets, price):
    """Which point's hours a month has at a price: 0 or 1, and 2 where it may have either."""
    near = abs(meets - price) <= NEAR * price
    return 2 if near else (1 if meets < price else 0)


@inner
def share_between(n, p, i, coupled, shadow, s):
    """Share of point 0 in the months that may have either point's hours, so that the period takes its stock."""
    rest, either = shadow.stock[p, i], 0.0
    for m in range(s.meets.shape[0]):
        if coupled.period[n, m] == p:
            low, high = took(0, n, m, i, coupled, shadow, s), took(1, n, m, i, coupled, shadow, s)
            side = side_of(s.meets[m, i], s.trial[p, i])
            rest -= low if side == 0 else high
            either += low - high if side == 2 else 0.0
    return min(max(rest / either, 0.0), 1.0) if either > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def rooms_block(n, coupled, shadow, s, found, cap):
    """Hours of contract n that its stock pays into `cap` (Q, M, L) of their segments: each month's at the shadow price.

    What is left of a stock is spread over the room left; of one that is exceeded each month gets its part. Periods not `found` (P, L)
    keep what they have.
    """
    hours, taken, room = np.zeros(s.hours.shape[1:]), np.zeros(s.trial.shape), np.zeros(s.trial.shape)
    for p in range(coupled.first[n], coupled.first[n + 1]):
        for i in range(taken.shape[1]):
            share = share_between(n, p, i, coupled, shadow, s)
            for m in range(s.meets.shape[0]):
                if coupled.period[n, m] == p:
                    side, unit = side_of(s.meets[m, i], s.trial[p, i]), shadow.unit[n, m, i]
                    part = share if side == 2 else 1.0 - side
                    for k in range(hours.shape[0]):
                        if coupled.owner[k] == n:
                            whole = cap[coupled.paid[k], m, i] + cap[coupled.past[k], m, i]
                            hours[k, m, i] = min(part * s.hours[0, k, m, i] + (1.0 - part) * s.hours[1, k, m, i], whole)
                            taken[p, i] += hours[k, m, i] * unit
                            room[p, i] += (whole - hours[k, m, i]) * unit
    for k in range(hours.shape[0]):
        if coupled.owner[k] == n:
            paid, past = cap[coupled.paid[k]], cap[coupled.past[k]]
            for m in range(s.meets.shape[0]):
                p = coupled.period[n, m]
                for i in range(taken.shape[1]):
                    if p >= 0 and found[p, i]:
                        stock, whole = shadow.stock[p, i], paid[m, i] + past[m, i]
                        kept = min(stock / taken[p, i], 1.0) if taken[p, i] > 0.0 else 0.0
                        more = min(max(stock - taken[p, i], 0.0) / room[p, i], 1.0) if room[p, i] > 0.0 else 0.0
                        paid[m, i] = min(hours[k, m, i] * kept + (whole - hours[k, m, i]) * more, whole)
                        past[m, i] = whole - paid[m, i]
