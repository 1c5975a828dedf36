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

from .compiled import inner, step
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
    amount_of_period,
    due_month,
    is_true_up,
    left_of,
    opening,
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


@inner
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


@step
def held_before(c, i, terms, X):
    """USD prepaid before month 0 and not yet drawn by what was billed since (C-09); the interest of that time is left out."""
    consumed, _, _ = opening(c, i, terms, X)
    return max(X[terms.prepaid_x[c], i] - consumed, 0.0) if terms.consumed_x[c] >= 0 else 0.0


class Account(NamedTuple):
    """What stands on a contract's account on each path when a month begins, all (L,)."""

    remaining: np.ndarray  # USD of the total not billed
    held: np.ndarray  # USD prepaid and not drawn
    before: np.ndarray  # share of the contract that stood last month
    due: np.ndarray  # due to date of the true-up period, in the unit of the commitment
    base: np.ndarray  # and base to date
    period: np.ndarray  # due hours of the whole period, -1 until they are read
    balance: np.ndarray  # GPU-h of make-up not taken
    stale: np.ndarray  # GPU-h of make-up too old to last


@step
def open_account(c, terms, X, s):
    """Fill `s` with how contract c opens."""
    for i in range(s.due.shape[0]):
        consumed, s.base[i], s.due[i] = opening(c, i, terms, X)
        s.remaining[i], s.held[i] = X[terms.total_x[c], i] - consumed, held_before(c, i, terms, X)
        s.before[i], s.period[i], s.balance[i], s.stale[i] = 1.0, -1.0, 0.0, 0.0


@step
def rights_month(c, m, i, lasts, gone, makeup, opened, s, out):
    """Make-up rights after a month (C-04): what expires, what was opened, and the balance."""
    s.stale[i] += out.makeup_opened[c, m - lasts, i] if m >= lasts else 0.0
    expired = expired_month(s.balance[i] - makeup, s.stale[i], makeup, gone)
    s.stale[i] -= makeup + expired
    s.balance[i] += opened - makeup - expired
    out.makeup[c, m, i], out.makeup_opened[c, m, i], out.makeup_expired[c, m, i] = makeup, opened, expired
    out.makeup_balance[c, m, i] = s.balance[i]


@step
def option_month(c, m, i, live, left, remaining, schedule, out):
    """Signed value that options add or take away, and the penalty of what is given up (C-06): what remains, and the penalty."""
    penalty = left * schedule.fee[c, m, i]
    added = remaining * schedule.change[c, m, i] + schedule.extra[c, m, i] * live
    out.added[c, m, i], out.penalty[c, m, i] = added, penalty
    return remaining + added, penalty


@step
def prepayment_month(c, m, i, terms, billed, gone, X, s, out):
    """Bill `billed` to the prepayment first (C-09)."""
    end = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
    received = X[terms.prepaid_x[c], i] if (m == max(terms.starts[c], 0) and terms.consumed_x[c] < 0) else 0.0
    interest, drawdown, refunded, s.held[i] = prepaid_month(
        billed, s.held[i], received, X[terms.financing_x[c], i], float(end - m), gone
    )
    out.prepaid_in[c, m, i], out.drawdown[c, m, i], out.interest[c, m, i] = received, drawdown, interest
    out.refunded[c, m, i], out.unearned[c, m, i], out.invoiced[c, m, i] = refunded, s.held[i], out.billed[c, m, i] - drawdown


@step
def taken_month(c, m, i, lasts, terms, schedule, alive, took, remaining, X, s):
    """Base, overage and due of a month in the unit of the commitment, make-up taken (GPU-h), and USD per unit."""
    live, share = alive[c, m, i], X[terms.take_or_pay_x[c], i]
    committed, available = schedule.committed[c, m, i] * live, schedule.available[c, m, i] * live
    price, form, makeup = schedule.price[c, m, i], terms.form[c], 0.0
    if form >= BURN_DOWN:
        amount, length = amount_of_period(c, i, m - terms.starts[c], terms, X)
        room = remaining if form == BURN_DOWN else min(amount * live - s.base[i], remaining)
        base, overage = amount_month(took, price, room)
        return base, overage, amount * live / length * schedule.in_term[c, m, i], 0.0, 1.0
    if lasts >= 0:
        if s.period[i] < 0.0:
            s.period[i] = period_due(c, i, m, terms, schedule, alive, share)
        makeup = makeup_month(took, committed, s.period[i] - s.base[i], s.balance[i])
    base, overage, due = take_month(form, took - makeup, committed, available, due_month(committed, available, share))
    return base, overage, due, makeup, price


@step
def settle_month(c, m, i, terms, schedule, alive, used, X, Y, s, out):
    """Bill one contract for one month on one path."""
    live, took, before, form = alive[c, m, i], used[c, m, i], s.before[i], terms.form[c]
    lasts = max(int(X[terms.makeup_x[c], i] + 0.5), 1) if terms.makeup_x[c] >= 0 else -1
    left, penalty = s.remaining[i], 0.0
    terminated = left * (1.0 - live / before) if before > 0.0 else 0.0
    remaining = left - terminated
    if terms.optional[c] == 1:
        remaining, penalty = option_month(c, m, i, live, left, remaining, schedule, out)
    price, ends = schedule.price[c, m, i], schedule.ends[c, m, i]
    base, overage, due, makeup, per = taken_month(c, m, i, lasts, terms, schedule, alive, took, remaining, X, s)
    due_sum, base_sum = s.due[i] + due, s.base[i] + base
    trued = is_true_up(terms.true_up[c], m - terms.starts[c], ends)
    deficiency = max(due_sum - base_sum, 0.0) if (trued and form != BURN_DOWN) else 0.0
    charge, lapsed = charge_month(per, base, deficiency, remaining, ends, terms.at_end[c])
    remaining -= charge + lapsed
    missing = max((schedule.committed[c, m, i] - schedule.available[c, m, i]) * live, 0.0)
    credit = min(X[terms.credit_x[c], i] * price * missing, charge) if terms.remedy[c] == CREDIT else 0.0
    extra = overage * (Y[terms.overage_y[c], m, i] if terms.overage_y[c] >= 0 else price) * terms.allows_overage[c]
    gone = 1.0 if (ends > 0.0 or (live <= 0.0 and before > 0.0)) else 0.0
    hours = 1.0 if form < BURN_DOWN else (1.0 / price if price > 0.0 else 0.0)
    write_month(c, m, i, out, took, base * hours, overage, deficiency * hours, charge, extra, credit, penalty)
    prepayment_month(c, m, i, terms, charge - credit + extra + penalty, gone, X, s, out)
    if lasts >= 0:
        rights_month(c, m, i, lasts, gone, makeup, opened_month(charge, per, base, deficiency, gone), s, out)
    out.terminated[c, m, i], out.lapsed[c, m, i], out.remaining[c, m, i] = terminated, lapsed, remaining
    out.ytd_due[c, m, i], out.ytd_base[c, m, i], out.trued[c, m, i] = due_sum, base_sum, 1.0 if trued else 0.0
    s.due[i], s.base[i], s.period[i] = (0.0, 0.0, -1.0) if trued else (due_sum, base_sum, s.period[i])
    s.remaining[i], s.before[i] = remaining, live


@inner
def settle_contract(c, terms, schedule, alive, used, X, Y, s, out):
    """Bill one contract. Lanes are the inner loop, so that a month's rows are read in one piece."""
    open_account(c, terms, X, s)
    for m in range(used.shape[1]):
        for i in range(used.shape[2]):
            settle_month(c, m, i, terms, schedule, alive, used, X, Y, s, out)


@njit(cache=True, nogil=True, error_model="numpy")
def settle_block(terms, schedule, alive, used, X, Y, out):
    """Fill `out` for all contracts from use (C, M, L) GPU-h."""
    lanes = np.empty((8, used.shape[2]))
    s = Account(lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5], lanes[6], lanes[7])
    for c in range(used.shape[0]):
        settle_contract(c, terms, schedule, alive, used, X, Y, s, out)
