"""What the contracts promise, and what is billed.

Axes    contracts (C), pools (K), months (M), lanes (L); path last.
Units   GPU-h, USD, USD/GPU-h; shares 0 to 1. A commitment in USD (`burn_down`, `build_up`) is tested in USD: its base, due and
        deficiency count USD inside this file and in `ytd_due`, `ytd_base`; outputs are GPU-h at the month's price.
Signs   all outputs >= 0. unearned opening + prepaid_in + interest - drawdown - refunded = closing;
        makeup_balance opening + makeup_opened - makeup - makeup_expired = closing.
Order within the month   termination and its penalty, options, make-up, base and overage, true-up, end of term, total-value cap, prepayment.
Source  model C-01 to C-09, S-05. A contract year begins in the month the contract starts.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .makeup import expired_month, makeup_month
from .schedule import (
    AT_TERM,
    BUILD_UP,
    BURN_DOWN,
    CALENDAR,
    CREDIT,
    EXTEND,
    LAPSE,
    MONTHLY,
    READINESS,
    RESERVED,
    SHORTFALL,
    TAKE_OR_PAY,
    WALK,
    YEARLY,
    Schedule,
    Terms,
    due_month,
    is_true_up,
    left_of,
    opening,
    period_amount,
    schedule_block,
    segments_block,
    take_month,
)

__all__ = [
    "AT_TERM", "BUILD_UP", "BURN_DOWN", "CALENDAR", "EXTEND", "MONTHLY", "READINESS", "RESERVED", "TAKE_OR_PAY", "WALK", "YEARLY",
    "Schedule", "Settlement", "Terms", "left_of", "opening", "schedule_block", "segments_block", "settle_block",
]  # fmt: skip


class Settlement(NamedTuple):
    """What is billed, all (C, M, L); `charge` is price x (base + deficiency) within total value, before credits."""

    used: np.ndarray
    base: np.ndarray
    overage: np.ndarray
    deficiency: np.ndarray
    charge: np.ndarray
    overage_usd: np.ndarray
    credit: np.ndarray
    billed: np.ndarray
    prepaid_in: np.ndarray
    drawdown: np.ndarray
    interest: np.ndarray
    refunded: np.ndarray
    unearned: np.ndarray
    invoiced: np.ndarray
    terminated: np.ndarray
    lapsed: np.ndarray
    remaining: np.ndarray
    ytd_due: np.ndarray
    ytd_base: np.ndarray
    trued: np.ndarray
    makeup: np.ndarray
    makeup_opened: np.ndarray
    makeup_expired: np.ndarray
    makeup_balance: np.ndarray
    added: np.ndarray  # signed value that options add or take away
    penalty: np.ndarray


@njit(cache=True, forceinline=True, error_model="numpy")
def amount_month(used, price, left):
    """USD of a month's use that count towards an amount (C-08), and the GPU-h beyond it; `left` of the amount."""
    spent, left = price * used, max(left, 0.0)
    return min(spent, left), max(used - left / price, 0.0) if spent > left else 0.0


@njit(cache=True, forceinline=True, error_model="numpy")
def prepaid_month(billed, opening, received, rate, ahead, gone):
    """Prepayment (C-09): interest while more than a year is ahead, drawdown by bills, refund when the contract is gone."""
    interest = opening * rate / 12.0 if ahead > 12.0 else 0.0
    held = opening + received + interest
    drawdown = min(billed, held)
    refunded = (held - drawdown) * gone
    return interest, drawdown, refunded, held - drawdown - refunded


@njit(cache=True, forceinline=True, error_model="numpy")
def write_month(c, m, i, out, used, base, overage, deficiency, charge, extra, credit, penalty):
    """One row of the bill."""
    out.used[c, m, i], out.base[c, m, i], out.overage[c, m, i], out.deficiency[c, m, i] = used, base, overage, deficiency
    out.charge[c, m, i], out.overage_usd[c, m, i], out.credit[c, m, i] = charge, extra, credit
    out.billed[c, m, i] = charge - credit + extra + penalty


@njit(cache=True, nogil=True, error_model="numpy")
def period_due(c, i, first, terms, schedule, alive, share):
    """Due quantity (GPU-h) of the true-up period that begins in month `first`, as it is settled at its end (C-04)."""
    due = 0.0
    for m in range(first, alive.shape[1]):
        committed, available = schedule.committed[c, m, i] * alive[c, m, i], schedule.available[c, m, i] * alive[c, m, i]
        due += due_month(committed, available, share)
        if is_true_up(terms.true_up[c], m - terms.starts[c], schedule.ends[c, m, i]):
            break
    return due


@njit(cache=True, forceinline=True, error_model="numpy")
def charge_month(rate, base, deficiency, remaining, ends, at_end):
    """USD charged within what is left of the total value, and what lapses at the end of the term (C-07)."""
    charge = min(rate * (base + deficiency), remaining)
    charge = remaining if (ends > 0.0 and at_end == SHORTFALL) else charge
    return charge, (remaining - charge if (ends > 0.0 and at_end == LAPSE) else 0.0)


@njit(cache=True, forceinline=True, error_model="numpy")
def opened_month(charge, rate, base, deficiency, over):
    """GPU-h of make-up that a paid deficiency opens (C-04): what the charge covers beyond the base; none once the term is over."""
    paid = max(charge - rate * base, 0.0) / rate if rate > 0.0 else deficiency
    return 0.0 if over > 0.0 else min(deficiency, paid)


@njit(cache=True, nogil=True, error_model="numpy")
def held_before(c, i, terms, X):
    """USD prepaid before month 0 and not yet drawn by what was billed since (C-09); the interest of that time is left out."""
    consumed, _, _ = opening(c, i, terms, X)
    return max(X[terms.prepaid_x[c], i] - consumed, 0.0) if terms.consumed_x[c] >= 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def settle_lane(c, i, terms, schedule, alive, used, X, Y, out):
    """Bill one contract on one path, month by month."""
    rate, prepaid = X[terms.financing_x[c], i], X[terms.prepaid_x[c], i]
    consumed, base_sum, due_sum = opening(c, i, terms, X)
    share, end = X[terms.take_or_pay_x[c], i], terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
    form, lasts = terms.form[c], max(int(X[terms.makeup_x[c], i] + 0.5), 1) if terms.makeup_x[c] >= 0 else -1
    remaining, held = X[terms.total_x[c], i] - consumed, held_before(c, i, terms, X)
    before, period, balance, stale = 1.0, -1.0, 0.0, 0.0
    for m in range(alive.shape[1]):
        live, took = alive[c, m, i], used[c, m, i]
        terminated = remaining * (1.0 - live / before) if before > 0.0 else 0.0
        left, penalty = remaining, 0.0
        remaining -= terminated
        if terms.optional[c] == 1:
            penalty = left * schedule.fee[c, m, i]
            added = remaining * schedule.change[c, m, i] + schedule.extra[c, m, i] * live
            remaining += added
            out.added[c, m, i], out.penalty[c, m, i] = added, penalty
        committed, available = schedule.committed[c, m, i] * live, schedule.available[c, m, i] * live
        price, ends, makeup = schedule.price[c, m, i], schedule.ends[c, m, i], 0.0
        per = 1.0 if form >= BURN_DOWN else price  # USD per unit in which the commitment is tested
        if form >= BURN_DOWN:
            amount, length = period_amount(c, i, m - terms.starts[c], terms, X)
            room = remaining if form == BURN_DOWN else min(amount * live - base_sum, remaining)
            base, overage = amount_month(took, price, room)
            due = amount * live / length * schedule.in_term[c, m, i]
        else:
            if lasts >= 0 and period < 0.0:
                period = period_due(c, i, m, terms, schedule, alive, share)
            makeup = makeup_month(took, committed, period - base_sum, balance) if lasts >= 0 else 0.0
            base, overage, due = take_month(form, took - makeup, committed, available, due_month(committed, available, share))
        due_sum, base_sum = due_sum + due, base_sum + base
        trued = is_true_up(terms.true_up[c], m - terms.starts[c], ends)
        deficiency = max(due_sum - base_sum, 0.0) if (trued and form != BURN_DOWN) else 0.0
        charge, lapsed = charge_month(per, base, deficiency, remaining, ends, terms.at_end[c])
        remaining -= charge + lapsed
        credit = min(X[terms.credit_x[c], i] * price * max(committed - available, 0.0), charge) if terms.remedy[c] == CREDIT else 0.0
        extra = overage * (Y[terms.overage_y[c], m, i] if terms.overage_y[c] >= 0 else price) * terms.allows_overage[c]
        received = prepaid if (m == max(terms.starts[c], 0) and terms.consumed_x[c] < 0) else 0.0
        gone = 1.0 if (ends > 0.0 or (live <= 0.0 and before > 0.0)) else 0.0
        interest, drawdown, refunded, held = prepaid_month(charge - credit + extra + penalty, held, received, rate, float(end - m), gone)
        if lasts >= 0:
            stale += out.makeup_opened[c, m - lasts, i] if m >= lasts else 0.0
            expired = expired_month(balance - makeup, stale, makeup, gone)
            stale -= makeup + expired
            opened = opened_month(charge, per, base, deficiency, gone)
            balance += opened - makeup - expired
            out.makeup[c, m, i], out.makeup_opened[c, m, i], out.makeup_expired[c, m, i] = makeup, opened, expired
            out.makeup_balance[c, m, i] = balance
        hours = 1.0 if form < BURN_DOWN else (1.0 / price if price > 0.0 else 0.0)
        write_month(c, m, i, out, took, base * hours, overage, deficiency * hours, charge, extra, credit, penalty)
        out.prepaid_in[c, m, i], out.drawdown[c, m, i], out.interest[c, m, i] = received, drawdown, interest
        out.refunded[c, m, i], out.unearned[c, m, i], out.invoiced[c, m, i] = refunded, held, out.billed[c, m, i] - drawdown
        out.terminated[c, m, i], out.lapsed[c, m, i], out.remaining[c, m, i] = terminated, lapsed, remaining
        out.ytd_due[c, m, i], out.ytd_base[c, m, i], out.trued[c, m, i] = due_sum, base_sum, 1.0 if trued else 0.0
        due_sum, base_sum, period = (0.0, 0.0, -1.0) if trued else (due_sum, base_sum, period)
        before = live


@njit(cache=True, nogil=True, error_model="numpy")
def settle_block(terms, schedule, alive, used, X, Y, out):
    """Fill `out` for all contracts from use (C, M, L) GPU-h; a month depends on the one before, so the lane is the outer loop."""
    for c in range(used.shape[0]):
        for i in range(used.shape[2]):
            settle_lane(c, i, terms, schedule, alive, used, X, Y, out)
