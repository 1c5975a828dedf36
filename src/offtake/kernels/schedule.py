"""What the contracts promise, make available and must be paid.

Axes    contracts (C), pools (K), months (M), lanes (L); path last.
Units   GPU-h, USD, USD/GPU-h; shares 0 to 1.
Signs   all outputs >= 0.
Order within the month   what is made available, late remedies, options, what is due.
Source  model C-01 to C-03, C-05 to C-07, C-08, S-05. A contract year begins in the month the contract starts.
"""

from typing import NamedTuple

import numpy as np

from .compiled import apart, block, copy_months, entry, inner, piece, step

BY_CHIP = -2
RESERVED, TAKE_OR_PAY, BURN_DOWN, BUILD_UP = 0, 1, 2, 3  # a capacity block bills as `reserved`
MONTHLY, YEARLY, AT_TERM = 0, 1, 2
READINESS, CALENDAR = 0, 1
EXTEND, CREDIT, WALK = 1, 2, 3
SHORTFALL, LAPSE = 0, 1
MONTH_HOURS = 730.5


class Terms(NamedTuple):
    """One row a contract; `_x` rows of X, `_y` rows of Y (-1 absent); months count from the book's start."""

    form: np.ndarray
    starts: np.ndarray
    signed: np.ndarray
    price_y: np.ndarray  # -1: implied by total value and schedule; -2: by chip
    overage_y: np.ndarray
    total_x: np.ndarray
    term_x: np.ndarray
    take_or_pay_x: np.ndarray
    true_up: np.ndarray
    ramp: np.ndarray
    remedy: np.ndarray
    late_after_x: np.ndarray
    credit_x: np.ndarray
    sla_x: np.ndarray
    prepaid_x: np.ndarray
    financing_x: np.ndarray
    at_end: np.ndarray
    payment_lag_x: np.ndarray
    allows_overage: np.ndarray
    customer: np.ndarray
    provider: np.ndarray
    priority: np.ndarray  # 0 is paid first
    makeup_x: np.ndarray  # months a make-up right lasts; -1: none
    gpus_x: np.ndarray  # GPUs of a capacity block; -1: all that its sites hold
    committed_first: np.ndarray  # (C + 1,): which of `committed_x` are a contract's commitment years; none: the total, evenly
    committed_x: np.ndarray
    optional: np.ndarray  # 1: has options; what they change is read for these alone
    price_k: np.ndarray  # (K,): rows of Y, the price of each pool's chip; -1: its contract's
    consumed_x: np.ndarray  # USD of the total billed before month 0; -1: the contract began in month 0 or later
    taken_x: np.ndarray  # of that, what counts in the true-up period under way: USD of an amount, GPU-h else
    owed_x: np.ndarray  # GPU-h that fell due in that period; of an amount it follows from the months


class Schedule(NamedTuple):
    """What is promised and offered, all (C, M, L). `ends` is 1 in the last month of a term that does not extend."""

    committed: np.ndarray
    available: np.ndarray
    price: np.ndarray
    must_pay: np.ndarray
    standing: np.ndarray
    in_term: np.ndarray
    ends: np.ndarray
    factor: np.ndarray  # what re-pricing made of the price
    fee: np.ndarray  # penalty of a termination, as a share of the value left
    change: np.ndarray  # relative change of the value left (C-06)
    extra: np.ndarray  # USD of value that a longer term adds, in the month of exercise (C-06)


@piece
def available_month(planned, ready, offered, hours, sla):
    """Billable GPU-h (S-05): ready up to what was promised, less availability below the contractual one."""
    share = offered / max(ready * hours, 1e-300)
    return min(ready, planned) * hours * min(1.0, share / max(sla, 1e-300))


@piece
def due_month(committed, available, take_or_pay):
    """GPU-h that count as taken whether used or not (C-02): the share promised, less what was not made available."""
    return max(take_or_pay * committed - max(committed - available, 0.0), 0.0)


@piece
def take_month(reserved, used, committed, available, due):
    """Base, overage and due of the month (C-02); `reserved` bills what is made available, whatever is used."""
    base = available if reserved else min(used, committed)
    owed = available if reserved else due
    return base, max(used - max(min(used, committed), 0.0), 0.0), owed


@piece
def is_true_up(kind, months_in, ends):
    """Whether the month closes a true-up period (C-03)."""
    yearly = kind == YEARLY and months_in % 12 == 11
    return kind == MONTHLY or yearly or ends > 0.0


@piece
def year_amount(year, total, term, yearly):
    """USD of commitment year `year` and the months it has: the total spread evenly over the term, in one period unless `yearly`."""
    length = max(min(12.0, term - 12.0 * year), 1.0) if yearly else term
    return total * length / term, length


@apart
def gather(c, pool_contract, values, out):
    """Sum of a (K, M, L) array over the pools of contract c into out (M, L)."""
    out[:] = 0.0
    for k in range(values.shape[0]):
        if pool_contract[k] == c:
            for m in range(out.shape[0]):
                for i in range(out.shape[1]):
                    out[m, i] += values[k, m, i]


@apart
def cap_block(gpus, planned, ready, offered):
    """Cut a contract's GPUs and hours (M, L) to the GPUs (L,) of its capacity block (C-08)."""
    for m in range(planned.shape[0]):
        for i in range(planned.shape[1]):
            kept = min(ready[m, i], gpus[i])
            offered[m, i] *= kept / max(ready[m, i], 1e-300)
            planned[m, i], ready[m, i] = min(planned[m, i], gpus[i]), kept


@step
def amount_of_period(c, i, months_in, terms, X):
    """USD committed in the commitment year (or term) that a month lies in, and how many months share it (C-08)."""
    total, term = X[terms.total_x[c], i], float(int(X[terms.term_x[c], i] + 0.5))
    year = max(months_in, 0) // 12
    amount, length = year_amount(year, total, term, terms.true_up[c] == YEARLY and terms.form[c] == BUILD_UP)
    first, last = terms.committed_first[c], terms.committed_first[c + 1]
    if last > first:
        amount = X[terms.committed_x[min(first + year, last - 1)], i]
    return amount, length


@entry
def period_amount(c, i, months_in, terms, X):
    """`amount_of_period`, for callers that are no kernels."""
    return amount_of_period(c, i, months_in, terms, X)


@step
def began(c, i, terms, X):
    """What was before month 0 (C-07, C-08): USD billed of the total, and base and due to date of the true-up period under way."""
    if terms.consumed_x[c] < 0:
        return 0.0, 0.0, 0.0
    consumed, taken, owed = min(X[terms.consumed_x[c], i], X[terms.total_x[c], i]), X[terms.taken_x[c], i], X[terms.owed_x[c], i]
    if terms.form[c] >= BURN_DOWN:
        since = -terms.starts[c]
        amount, length = amount_of_period(c, i, since, terms, X)
        past = since % 12 if (terms.true_up[c] == YEARLY and terms.form[c] == BUILD_UP) else since
        taken, owed = min(taken, amount), amount * past / length
    return consumed, taken, owed


@entry
def opening(c, i, terms, X):
    """`began`, for callers that are no kernels."""
    return began(c, i, terms, X)


@entry
def left_of(c, terms, X):
    """USD of the total value that is not billed at the start of month 0, (L,)."""
    left = X[terms.total_x[c]].copy()
    for i in range(left.shape[0]):
        consumed, _, _ = began(c, i, terms, X)
        left[i] -= consumed
    return left


@apart
def mix_price(c, pool_contract, price_k, planned, ready, Y, sums, price):
    """Price by chip (C-01): the mix of what is made available in the month; of what is planned where nothing is. sums (4, L) is working
    space: GPU and USD, there and hoped for."""
    there, usd, hoped, full = sums[0], sums[1], sums[2], sums[3]
    for m in range(price.shape[0]):
        sums[:] = 0.0
        for k in range(pool_contract.shape[0]):
            if pool_contract[k] == c:
                plan, here, each = planned[k, m], ready[k, m], Y[price_k[k], m]
                for i in range(plan.shape[0]):
                    gpus = min(plan[i], here[i])
                    there[i], usd[i] = there[i] + gpus, usd[i] + gpus * each[i]
                    hoped[i], full[i] = hoped[i] + plan[i], full[i] + plan[i] * each[i]
        now = price[m]
        for i in range(now.shape[0]):
            now[i] = usd[i] / there[i] if there[i] > 0.0 else (full[i] / hoped[i] if hoped[i] > 0.0 else 0.0)


@apart
def implied_price(start, term, total, planned, scale, hours, promised, price):
    """Total value over the hours of the signed schedule (C-01), for all months; beyond the horizon the last level goes on. promised (L,)
    is working space."""
    months, last = planned.shape[0], 0
    for i in range(total.shape[0]):
        last = max(last, start + int(term[i] + 0.5))
        promised[i] = 0.0
    for m in range(max(start, 0), last):
        n, length = min(m, months - 1), hours[m] if m < months else MONTH_HOURS
        plan, scaled = planned[n], scale[n]
        for i in range(total.shape[0]):
            promised[i] += plan[i] / scaled[i] * length if m < start + int(term[i] + 0.5) else 0.0
    for m in range(months):
        now = price[m]
        for i in range(total.shape[0]):
            now[i] = total[i] / promised[i] if promised[i] > 0.0 else 0.0


@apart
def reprice(c, changes, out):
    """What options make of the price, and of what is given up (C-06)."""
    for m in range(out.price.shape[1]):
        by, fee, change = changes.price[c, m], changes.fee[c, m], changes.change[c, m]
        price, factor, given_up, changed = out.price[c, m], out.factor[c, m], out.fee[c, m], out.change[c, m]
        for i in range(by.shape[0]):
            factor[i], given_up[i], changed[i] = by[i], fee[i], change[i]
            price[i] *= by[i]


@inner
def longer_value(i, end, months_more, planned, hours, price, c):
    """USD of the hours that a longer term adds to contract c behind month `end` - 1 (C-06); beyond the horizon the last level goes on."""
    value, last = 0.0, planned.shape[0] - 1
    for n in range(end, end + months_more):
        value += planned[min(n, last), i] * (hours[n] if n <= last else MONTH_HOURS) * price[c, min(n, last), i]
    return value


class Running(NamedTuple):
    """Where a contract's term stands on each path when a month begins, and then in that month, all (L,)."""

    end: np.ndarray  # first month after the term
    owed: np.ndarray  # USD that had to be paid so far
    late: np.ndarray  # months in a row in which GPUs were missing
    standing: np.ndarray  # 1 until the customer walks away
    whole: np.ndarray  # USD of the total, with what options changed
    due: np.ndarray  # due of the month, GPU-h


@inner
def lengthen(c, m, changes, plan, hours, s, out):
    """What options change of the term and of its value (C-06)."""
    for i in range(s.due.shape[0]):
        more = int(changes.longer[c, m, i])
        out.extra[c, m, i] = longer_value(i, int(s.end[i]), more, plan, hours, out.price, c) if more > 0 else 0.0
        s.end[i] += more
        s.whole[i] += (s.whole[i] - s.owed[i]) * changes.change[c, m, i] + out.extra[c, m, i]


@piece
def inside_month(m, start, end, extends, owed, whole):
    """1 inside the term, or beyond it while a term that extends has not billed its total (C-05)."""
    return 1.0 if ((start <= m < end) or (extends and m >= end and owed < whole * (1.0 - 1e-12))) else 0.0


@piece
def late_months(late, planned, there, inside):
    """Months in a row in which GPUs were missing, this one too (C-05)."""
    return late + 1.0 if (planned > 0.0 and there < planned * 0.99 and inside > 0.0) else 0.0


class Promising(NamedTuple):
    """What schedules every month of a contract; the last three (L,)."""

    start: float
    optional: bool  # it has options
    extends: bool  # the term goes on until the total is billed
    walks: bool  # the customer may walk away
    calendar: bool  # hours are promised by the calendar, whether they are there or not
    reserved: bool
    in_usd: bool  # the commitment is an amount
    shortfall: bool  # what is left at the end is billed
    after: np.ndarray  # months late after which the customer walks away
    sla: np.ndarray
    top: np.ndarray  # share of the commitment that is due


@step
def promising(c, terms, X):
    """The terms of contract c that schedule its months."""
    remedy, form = terms.remedy[c], terms.form[c]
    return Promising(
        float(terms.starts[c]), terms.optional[c] == 1, remedy == EXTEND, remedy == WALK, terms.ramp[c] == CALENDAR, form == RESERVED,
        form >= BURN_DOWN, terms.at_end[c] == SHORTFALL, X[terms.late_after_x[c]], X[terms.sla_x[c]], X[terms.take_or_pay_x[c]],
    )  # fmt: skip


@apart
def promise_hours(c, m, p, plan, there, served, hours, s, out):
    """What one contract promises and makes available in a month; plan, there, served (L,)."""
    committed, available = out.committed[c, m], out.available[c, m]
    inside, ends, now = out.in_term[c, m], out.ends[c, m], float(m)
    for i in range(plan.shape[0]):
        inside[i] = inside_month(now, p.start, s.end[i], p.extends, s.owed[i], s.whole[i])
        s.late[i] = late_months(s.late[i], plan[i], there[i], inside[i])
        s.standing[i] = 0.0 if (p.walks and s.late[i] > p.after[i]) else s.standing[i]
        promised = plan[i] if p.calendar else min(plan[i], there[i])
        available[i] = available_month(plan[i], there[i], served[i], hours, p.sla[i]) * inside[i]
        committed[i] = available[i] if p.in_usd else promised * hours * inside[i]
        due = due_month(committed[i], available[i], p.top[i])
        _, _, s.due[i] = take_month(p.reserved, 0.0, committed[i], available[i], due)
        ends[i] = 1.0 if (now == s.end[i] - 1.0 and not p.extends) else 0.0


@inner
def due_amount(c, m, terms, X, s, out):
    """The due of a contract that commits to an amount, in GPU-h at the month's price (C-08)."""
    for i in range(s.due.shape[0]):
        price = out.price[c, m, i]
        amount, length = amount_of_period(c, i, m - terms.starts[c], terms, X)
        s.due[i] = amount / length / price * out.in_term[c, m, i] if price > 0.0 else 0.0


@apart
def must_pay(c, m, p, kept, s, out):
    """USD that must be paid, and whether the contract stands; kept (L,) is what options leave of it."""
    price, ends, pay, standing = out.price[c, m], out.ends[c, m], out.must_pay[c, m], out.standing[c, m]
    for i in range(price.shape[0]):
        left = s.whole[i] - s.owed[i]
        pay[i] = left if (ends[i] > 0.0 and p.shortfall) else min(price[i] * s.due[i], left)
        s.owed[i] += pay[i]
        standing[i] = s.standing[i] * kept[i] if p.optional else s.standing[i]


@inner
def promise_contract(c, terms, changes, supplied, total, X, hours, s, out):
    """All months of one contract; lanes are the inner loop of every step. supplied: plan, there, served (M, L)."""
    plan, there, served = supplied
    p = promising(c, terms, X)
    for i in range(total.shape[0]):
        s.end[i] = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
        s.owed[i], s.late[i], s.standing[i], s.whole[i] = 0.0, 0.0, 1.0, total[i]
    for m in range(hours.shape[0]):
        if p.optional:
            lengthen(c, m, changes, plan, hours, s, out)
        promise_hours(c, m, p, plan[m], there[m], served[m], hours[m], s, out)
        if p.in_usd:
            due_amount(c, m, terms, X, s, out)
        must_pay(c, m, p, changes.kept[c, m], s, out)


@block
def schedule_block(terms, changes, pool_contract, planned, ready, offered, X, Y, hours, out):
    """Fill `out` for all contracts from supply (K, M, L) and what options change."""
    months, lanes = planned.shape[1], planned.shape[2]
    plan, there, served = np.zeros((months, lanes)), np.zeros((months, lanes)), np.zeros((months, lanes))
    w, sums = np.empty((6, lanes)), np.empty((4, lanes))
    s = Running(w[0], w[1], w[2], w[3], w[4], w[5])
    for c in range(terms.form.shape[0]):
        gather(c, pool_contract, planned, plan)
        gather(c, pool_contract, ready, there)
        gather(c, pool_contract, offered, served)
        if terms.gpus_x[c] >= 0:
            cap_block(X[terms.gpus_x[c]], plan, there, served)
        total = left_of(c, terms, X)
        if terms.price_y[c] >= 0:
            copy_months(Y[terms.price_y[c]], out.price[c])
        elif terms.price_y[c] == BY_CHIP:
            mix_price(c, pool_contract, terms.price_k, planned, ready, Y, sums, out.price[c])
        else:
            implied_price(terms.starts[c], X[terms.term_x[c]], total, plan, changes.scale[c], hours, sums[0], out.price[c])
        if terms.optional[c] == 1:
            reprice(c, changes, out)
        else:
            out.factor[c], out.fee[c], out.change[c] = 1.0, 0.0, 0.0
        promise_contract(c, terms, changes, (plan, there, served), total, X, hours, s, out)
