"""What a stream of cash returns: internal rate, payback, and what a dollar of obligations is worth today.

**Axes**    months (M), lanes (L); path last. One contract a call.
**Units**   USD of each month; rates per year; months; shares of the obligations that fall due within the horizon.
**Signs**   cash in is positive. Time, delay, cancellation and non-payment are positive losses; they and the value add up to 1.
**Order within the month**   month-end discounting: month m by factor ^ (m + 1), factor = (1 + yearly rate) ^ (-1/12).
**Source**  model V-06. A stream may cross zero more than once: the rate kept is one at which the value falls through zero as the
            rate rises (an investment, not a loan), the nearest to zero of those; NaN where there is none.
"""

import numpy as np

from .compiled import entry, piece
from .draw import exp_, log_

HALVINGS = 60
NODES = 96  # rates tried, evenly in log(1 + rate)
LOWEST, HIGHEST = -3.0, 2.4  # log(1 + rate): -95 % to +1,002 % a year
SMALLEST = 1e-9  # USD: a stream that never holds more is no stream


@entry
def value_at(flow, factor, out):
    """Present value at monthly factors; flow (M, L), factor (L,), out (L,)."""
    out[:] = 0.0
    for m in range(flow.shape[0] - 1, -1, -1):
        for i in range(out.shape[0]):
            out[i] = (out[i] + flow[m, i]) * factor[i]


@entry
def irr_block(flow, out):
    """Yearly internal rates of return: flow (M, L) USD, out (L,) share, NaN where no rate brings the value to zero."""
    lanes = out.shape[0]
    low, high, factor = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    before, now = np.zeros(lanes), np.empty(lanes)
    out[:] = np.nan
    step = (HIGHEST - LOWEST) / (NODES - 1)
    for node in range(NODES):
        rate = LOWEST + node * step
        factor[:] = exp_(-rate / 12.0)
        value_at(flow, factor, now)
        for i in range(lanes):
            falls = node > 0 and before[i] > 0.0 and now[i] <= 0.0
            nearer = not (abs(out[i]) <= abs(rate))  # NaN is never nearer
            if falls and nearer:
                out[i], low[i], high[i] = rate, rate - step, rate
            before[i] = now[i]
    for _ in range(HALVINGS):
        for i in range(lanes):
            factor[i] = exp_(-0.5 * (low[i] + high[i]) / 12.0) if out[i] == out[i] else 0.0
        value_at(flow, factor, now)
        for i in range(lanes):
            middle = 0.5 * (low[i] + high[i])
            low[i], high[i] = (middle, high[i]) if now[i] > 0.0 else (low[i], middle)
    for i in range(lanes):
        out[i] = exp_(0.5 * (low[i] + high[i])) - 1.0 if out[i] == out[i] else np.nan


@entry
def payback_block(flow, out):
    """Months until what was put in has come back: flow (M, L) USD, out (L,); 0 where nothing was put in, NaN where it never does."""
    for i in range(out.shape[0]):
        total, found, under = 0.0, np.nan, False
        for m in range(flow.shape[0]):
            total += flow[m, i]
            if total < -SMALLEST:
                under = True
            elif under and found != found:
                found = m + 1.0
        out[i] = found if under else 0.0


@piece
def mean_factor(amount, i, factor):
    """Present value and sum of one lane's amounts (M, L) at a monthly factor."""
    present, total = 0.0, 0.0
    for m in range(amount.shape[0] - 1, -1, -1):
        present = (present + amount[m, i]) * factor
        total += amount[m, i]
    return present, total


@entry
def obligation_block(total, remaining, gone, straight, paid, rate, out):
    """A dollar of signed value that falls due within the horizon, taken apart (V-06).

    total      (L,) USD signed; remaining (L,) USD neither billed nor gone at the horizon's end
    gone       (M, L) USD terminated or lapsed; straight (M, L) USD by straight line; paid (M, L) USD collected
    rate       (L,) yearly discount rate
    out        (5, L) shares: value today, time, delay, cancelled, unpaid; NaN where nothing falls due
    """
    for i in range(rate.shape[0]):
        factor = exp_(-log_(1.0 + rate[i]) / 12.0)
        planned, even = mean_factor(straight, i, factor)
        present, collected = mean_factor(paid, i, factor)
        lost = 0.0
        for m in range(gone.shape[0]):
            lost += gone[m, i]
        due = total[i] - remaining[i]
        punctual = planned / even if even > 0.0 else np.nan
        actual = present / collected if collected > 0.0 else punctual
        out[0, i] = present / due if due > 0.0 else np.nan
        out[1, i] = 1.0 - punctual if due > 0.0 else np.nan
        out[2, i] = punctual - actual if due > 0.0 else np.nan
        out[3, i] = lost / due * actual if due > 0.0 else np.nan
        out[4, i] = (due - lost - collected) / due * actual if due > 0.0 else np.nan
