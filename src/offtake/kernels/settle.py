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

from .compiled import apart, block, inner, piece, step
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
    began,
    due_month,
    is_true_up,
    left_of,
    opening,
    schedule_block,
    take_month,
)
from .segments import segments_block

__all__ = [
    "AT_TERM", "BUILD_UP", "BURN_DOWN", "CALENDAR", "EXTEND", "MONTHLY", "READINESS", "RESERVED", "TAKE_OR_PAY", "WALK", "YEARLY",
    "Schedule", "Settlement", "Terms", "began", "left_of", "opening", "schedule_block", "segments_block", "settle_block",
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


@piece
def amount_month(used, price, left):
    """USD of a month's use that count towards an amount (C-08), and the GPU-h beyond it; `left` of the amount."""
    spent, left = price * used, max(left, 0.0)
    return min(spent, left), max(used - left / price, 0.0) if spent > left else 0.0


@piece
def prepaid_month(billed, opening, received, rate, ahead, gone):
    """Prepayment (C-09): interest while more than a year is ahead, drawdown by bills, refund when the contract is gone."""
    interest = opening * rate / 12.0 if ahead > 12.0 else 0.0
    held = opening + received + interest
    drawdown = min(billed, held)
    refunded = (held - drawdown) * gone
    return interest, drawdown, refunded, held - drawdown - refunded


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


@piece
def charge_month(rate, base, deficiency, remaining, ends, shortfall, lapse):
    """USD charged within what is left of the total value, and what lapses at the end of the term (C-07)."""
    charge = min(rate * (base + deficiency), remaining)
    charge = remaining if (ends > 0.0 and shortfall) else charge
    return charge, (remaining - charge if (ends > 0.0 and lapse) else 0.0)


@piece
def opened_month(charge, rate, base, deficiency, over):
    """GPU-h of make-up that a paid deficiency opens (C-04): what the charge covers beyond the base; none once the term is over."""
    paid = max(charge - rate * base, 0.0) / rate if rate > 0.0 else deficiency
    return 0.0 if over > 0.0 else min(deficiency, paid)


@step
def held_before(c, i, terms, X):
    """USD prepaid before month 0 and not yet drawn by what was billed since (C-09); the interest of that time is left out."""
    consumed, _, _ = began(c, i, terms, X)
    return max(X[terms.prepaid_x[c], i] - consumed, 0.0) if terms.consumed_x[c] >= 0 else 0.0


class Account(NamedTuple):
    """What stands on a contract's account on each path when a month begins, and then in that month, all (L,)."""

    remaining: np.ndarray  # USD of the total not billed
    held: np.ndarray  # USD prepaid and not drawn
    before: np.ndarray  # share of the contract that stood last month
    due: np.ndarray  # due to date of the true-up period, in the unit of the commitment
    base: np.ndarray  # and base to date
    period: np.ndarray  # due hours of the whole period, -1 until they are read
    balance: np.ndarray  # GPU-h of make-up not taken
    stale: np.ndarray  # GPU-h of make-up too old to last
    end: np.ndarray  # first month after the term
    nothing: np.ndarray  # 0: the penalty where there are no options
    taken: np.ndarray  # base of the month, in the unit of the commitment
    beyond: np.ndarray  # GPU-h of overage
    owing: np.ndarray  # due of the month
    makeup: np.ndarray  # GPU-h of make-up taken
    whole: np.ndarray  # 1: all of the contract stands before month 0


@step
def open_account(c, terms, X, s):
    """Fill `s` with how contract c opens."""
    for i in range(s.due.shape[0]):
        consumed, s.base[i], s.due[i] = began(c, i, terms, X)
        s.remaining[i], s.held[i] = X[terms.total_x[c], i] - consumed, held_before(c, i, terms, X)
        s.before[i], s.period[i], s.balance[i], s.stale[i] = 1.0, -1.0, 0.0, 0.0
        s.end[i] = float(terms.starts[c] + int(X[terms.term_x[c], i] + 0.5))
        s.nothing[i], s.makeup[i], s.whole[i] = 0.0, 0.0, 1.0


@piece
def ended_month(remaining, live, before):
    """USD of the total that ends with a share of the contract, where `before` of it stood and `live` does now (C-06)."""
    return remaining * (1.0 - live / before) if before > 0.0 else 0.0


@piece
def option_month(left, remaining, live, fee, change, extra):
    """Signed value that options add or take away, and the penalty of what is given up (C-06)."""
    return remaining * change + extra * live, left * fee


@apart
def change_value(c, m, optional, schedule, alive, s, out):
    """What of the total ends, and what options change of it."""
    live, terminated, added, penalty = alive[c, m], out.terminated[c, m], out.added[c, m], out.penalty[c, m]
    for i in range(live.shape[0]):
        terminated[i] = ended_month(s.remaining[i], live[i], s.before[i])
    if optional:
        fee, change, extra = schedule.fee[c, m], schedule.change[c, m], schedule.extra[c, m]
        for i in range(live.shape[0]):
            remaining = s.remaining[i] - terminated[i]
            added[i], penalty[i] = option_month(s.remaining[i], remaining, live[i], fee[i], change[i], extra[i])
            s.remaining[i] = remaining + added[i]
    else:
        for i in range(live.shape[0]):
            s.remaining[i] -= terminated[i]


@apart
def take_hours(c, m, reserved, schedule, alive, used, top, s):
    """Base, overage and due in GPU-h (C-02), of a contract without make-up."""
    live, committed, available = alive[c, m], schedule.committed[c, m], schedule.available[c, m]
    for i in range(live.shape[0]):
        promised, there = committed[i] * live[i], available[i] * live[i]
        s.taken[i], s.beyond[i], s.owing[i] = take_month(reserved, used[i], promised, there, due_month(promised, there, top[i]))


@apart
def take_rights(c, m, reserved, terms, schedule, alive, used, top, s):
    """The same where make-up may be taken (C-04): what the whole period owes is read when it begins."""
    for i in range(used.shape[0]):
        live = alive[c, m, i]
        promised, there = schedule.committed[c, m, i] * live, schedule.available[c, m, i] * live
        if s.period[i] < 0.0:
            s.period[i] = period_due(c, i, m, terms, schedule, alive, top[i])
        s.makeup[i] = makeup_month(used[i], promised, s.period[i] - s.base[i], s.balance[i])
        due = due_month(promised, there, top[i])
        s.taken[i], s.beyond[i], s.owing[i] = take_month(reserved, used[i] - s.makeup[i], promised, there, due)


@apart
def take_amount(c, m, terms, schedule, alive, used, X, s):
    """Base and due in USD, overage in GPU-h, of a contract that commits to an amount (C-08)."""
    bought = terms.form[c] == BURN_DOWN
    for i in range(used.shape[0]):
        live = alive[c, m, i]
        amount, length = amount_of_period(c, i, m - terms.starts[c], terms, X)
        room = s.remaining[i] if bought else min(amount * live - s.base[i], s.remaining[i])
        s.taken[i], s.beyond[i] = amount_month(used[i], schedule.price[c, m, i], room)
        s.owing[i] = amount * live / length * schedule.in_term[c, m, i]


class Billing(NamedTuple):
    """What settles every month of a contract; the last two (L,)."""

    in_usd: bool  # its commitment is an amount
    bought: bool  # .. that was bought: there is no deficiency
    shortfall: bool  # what is left at the end is billed
    lapse: bool  # .. or lapses
    credits: bool  # missing hours are credited
    overage: float  # 1 where overage is billed
    credit: np.ndarray  # share of the price of a missing hour
    top: np.ndarray  # share of the commitment that is due


@step
def billing(c, terms, X):
    """The terms of contract c that settle its months."""
    form, end = terms.form[c], terms.at_end[c]
    return Billing(
        form >= BURN_DOWN, form == BURN_DOWN, end == SHORTFALL, end == LAPSE, terms.remedy[c] == CREDIT, float(terms.allows_overage[c]),
        X[terms.credit_x[c]], X[terms.take_or_pay_x[c]],
    )  # fmt: skip


@apart
def charge_hours(c, m, closes, b, schedule, alive, s, out):
    """True-up, charge and what lapses (C-02, C-03, C-07); leaves base and due to date."""
    price, ends = schedule.price[c, m], schedule.ends[c, m]
    deficiency, charge, lapsed, remaining = out.deficiency[c, m], out.charge[c, m], out.lapsed[c, m], out.remaining[c, m]
    due, base, trued = out.ytd_due[c, m], out.ytd_base[c, m], out.trued[c, m]
    for i in range(price.shape[0]):
        due[i], base[i] = s.due[i] + s.owing[i], s.base[i] + s.taken[i]
        trued[i] = 1.0 if (closes or ends[i] > 0.0) else 0.0
        missed = max(due[i] - base[i], 0.0) if (trued[i] > 0.0 and not b.bought) else 0.0
        per = 1.0 if b.in_usd else price[i]
        charge[i], lapsed[i] = charge_month(per, s.taken[i], missed, s.remaining[i], ends[i], b.shortfall, b.lapse)
        remaining[i] = s.remaining[i] - (charge[i] + lapsed[i])
        s.owing[i] = missed
        hours = 1.0 if not b.in_usd else (1.0 / price[i] if price[i] > 0.0 else 0.0)
        deficiency[i] = missed * hours


@piece
def credit_month(share, price, committed, available, live, charge):
    """USD credited for hours that were promised and not made available, at most the charge (C-05)."""
    return min(share * price * max((committed - available) * live, 0.0), charge)


@apart
def bill_month(c, m, b, schedule, alive, dear, penalty, out):
    """Credits, overage and the bill; base comes in the unit of the commitment and leaves in GPU-h; dear, penalty (L,)."""
    price, live = schedule.price[c, m], alive[c, m]
    committed, available, charge = schedule.committed[c, m], schedule.available[c, m], out.charge[c, m]
    base, overage, usd, credit, billed = out.base[c, m], out.overage[c, m], out.overage_usd[c, m], out.credit[c, m], out.billed[c, m]
    for i in range(price.shape[0]):
        lost = credit_month(b.credit[i], price[i], committed[i], available[i], live[i], charge[i])
        credit[i] = lost if b.credits else 0.0
        usd[i] = overage[i] * dear[i] * b.overage
        billed[i] = charge[i] - credit[i] + usd[i] + penalty[i]
        base[i] = base[i] * (1.0 if not b.in_usd else (1.0 / price[i] if price[i] > 0.0 else 0.0))


@apart
def prepay(c, m, opens, schedule, alive, before, prepaid, rate, s, out):
    """Bill the month to the prepayment first (C-09); `opens`: the prepayment is received now; before (L,) share that stood last month."""
    ends, live, billed = schedule.ends[c, m], alive[c, m], out.billed[c, m]
    received, drawdown, interest = out.prepaid_in[c, m], out.drawdown[c, m], out.interest[c, m]
    refunded, unearned, invoiced = out.refunded[c, m], out.unearned[c, m], out.invoiced[c, m]
    for i in range(live.shape[0]):
        gone = 1.0 if (ends[i] > 0.0 or (live[i] <= 0.0 and before[i] > 0.0)) else 0.0
        received[i] = prepaid[i] if opens else 0.0
        interest[i], drawdown[i], refunded[i], s.held[i] = prepaid_month(billed[i], s.held[i], received[i], rate[i], s.end[i] - m, gone)
        unearned[i], invoiced[i] = s.held[i], billed[i] - drawdown[i]


@apart
def keep_rights(c, m, in_usd, terms, schedule, alive, X, s, out):
    """Make-up rights after a month (C-04): what expires, what was opened, and the balance."""
    for i in range(s.due.shape[0]):
        lasts = max(int(X[terms.makeup_x[c], i] + 0.5), 1)
        live, per = alive[c, m, i], 1.0 if in_usd else schedule.price[c, m, i]
        gone = 1.0 if (schedule.ends[c, m, i] > 0.0 or (live <= 0.0 and s.before[i] > 0.0)) else 0.0
        opened, makeup = opened_month(out.charge[c, m, i], per, s.taken[i], s.owing[i], gone), s.makeup[i]
        s.stale[i] += out.makeup_opened[c, m - lasts, i] if m >= lasts else 0.0
        expired = expired_month(s.balance[i] - makeup, s.stale[i], makeup, gone)
        s.stale[i] -= makeup + expired
        s.balance[i] += opened - makeup - expired
        out.makeup[c, m, i], out.makeup_opened[c, m, i], out.makeup_expired[c, m, i] = makeup, opened, expired
        out.makeup_balance[c, m, i] = s.balance[i]


@apart
def close_month(c, m, alive, s, out):
    """What the next month begins with, and what the month's bill is made of."""
    base_now, overage = out.base[c, m], out.overage[c, m]
    live, trued, due, base, remaining = alive[c, m], out.trued[c, m], out.ytd_due[c, m], out.ytd_base[c, m], out.remaining[c, m]
    for i in range(live.shape[0]):
        over = trued[i] > 0.0
        s.due[i], s.base[i], s.period[i] = 0.0 if over else due[i], 0.0 if over else base[i], -1.0 if over else s.period[i]
        s.remaining[i], s.before[i] = remaining[i], live[i]
        base_now[i], overage[i] = s.taken[i], s.beyond[i]


@inner
def settle_contract(c, terms, schedule, alive, X, Y, s, out):
    """Bill one contract: what is taken and charged in all months, then bills, then prepayment, so that few arrays are open at a time.
    Lanes are the inner loop of every step."""
    form, starts, kind, rights, optional = terms.form[c], terms.starts[c], terms.true_up[c], terms.makeup_x[c] >= 0, terms.optional[c] == 1
    b = billing(c, terms, X)
    open_account(c, terms, X, s)
    for m in range(alive.shape[1]):
        used = out.used[c, m]
        change_value(c, m, optional, schedule, alive, s, out)
        if b.in_usd:
            take_amount(c, m, terms, schedule, alive, used, X, s)
        elif rights:
            take_rights(c, m, form == RESERVED, terms, schedule, alive, used, b.top, s)
        else:
            take_hours(c, m, form == RESERVED, schedule, alive, used, b.top, s)
        charge_hours(c, m, is_true_up(kind, m - starts, 0.0), b, schedule, alive, s, out)
        if rights:
            keep_rights(c, m, b.in_usd, terms, schedule, alive, X, s, out)
        close_month(c, m, alive, s, out)
    for m in range(alive.shape[1]):
        dear = Y[terms.overage_y[c], m] if terms.overage_y[c] >= 0 else schedule.price[c, m]
        bill_month(c, m, b, schedule, alive, dear, out.penalty[c, m] if optional else s.nothing, out)
    for m in range(alive.shape[1]):
        opens, before = m == max(starts, 0) and terms.consumed_x[c] < 0, alive[c, m - 1] if m > 0 else s.whole
        prepay(c, m, opens, schedule, alive, before, X[terms.prepaid_x[c]], X[terms.financing_x[c]], s, out)


@block
def settle_block(terms, schedule, alive, X, Y, out):
    """Fill `out` for all contracts from `out.used` (C, M, L) GPU-h."""
    w = np.empty((15, alive.shape[2]))
    s = Account(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], w[10], w[11], w[12], w[13], w[14])
    for c in range(alive.shape[0]):
        settle_contract(c, terms, schedule, alive, X, Y, s, out)
