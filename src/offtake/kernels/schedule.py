"""What the contracts promise, and what an hour costs at the margin.

Axes    contracts (C), pools (K), segments (Q), months (M), lanes (L); path last.
Units   GPU-h, USD, USD/GPU-h; shares 0 to 1.
Signs   all outputs >= 0.
Order within the month   what is made available, late remedies, options, what is due.
Source  model C-01 to C-03, C-05 to C-07, C-08, P-02, S-05. A contract year begins in the month the contract starts.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .compiled import inner, step

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


@njit(cache=True, forceinline=True, error_model="numpy")
def available_month(planned, ready, offered, hours, sla):
    """Billable GPU-h (S-05): ready up to what was promised, less availability below the contractual one."""
    share = offered / max(ready * hours, 1e-300)
    return min(ready, planned) * hours * min(1.0, share / max(sla, 1e-300))


@njit(cache=True, forceinline=True, error_model="numpy")
def due_month(committed, available, take_or_pay):
    """GPU-h that count as taken whether used or not (C-02): the share promised, less what was not made available."""
    return max(take_or_pay * committed - max(committed - available, 0.0), 0.0)


@njit(cache=True, forceinline=True, error_model="numpy")
def take_month(form, used, committed, available, due):
    """Base, overage and due of the month (C-02); `reserved` bills what is made available, whatever is used."""
    base = available if form == RESERVED else min(used, committed)
    owed = available if form == RESERVED else due
    return base, max(used - max(min(used, committed), 0.0), 0.0), owed


@njit(cache=True, forceinline=True, error_model="numpy")
def is_true_up(kind, months_in, ends):
    """Whether the month closes a true-up period (C-03)."""
    yearly = kind == YEARLY and months_in % 12 == 11
    return kind == MONTHLY or yearly or ends > 0.0


@njit(cache=True, forceinline=True, error_model="numpy")
def year_amount(year, total, term, yearly):
    """USD of commitment year `year` and the months it has: the total spread evenly over the term, in one period unless `yearly`."""
    length = max(min(12.0, term - 12.0 * year), 1.0) if yearly else term
    return total * length / term, length


@njit(cache=True, nogil=True, error_model="numpy")
def gather(c, pool_contract, values, out):
    """Sum of a (K, M, L) array over the pools of contract c into out (M, L)."""
    out[:] = 0.0
    for k in range(values.shape[0]):
        if pool_contract[k] == c:
            for m in range(out.shape[0]):
                for i in range(out.shape[1]):
                    out[m, i] += values[k, m, i]


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def period_amount(c, i, months_in, terms, X):
    """`amount_of_period`, for callers that are no kernels."""
    return amount_of_period(c, i, months_in, terms, X)


@njit(cache=True, forceinline=True, nogil=True, error_model="numpy")
def opening(c, i, terms, X):
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


@njit(cache=True, nogil=True, error_model="numpy")
def left_of(c, terms, X):
    """USD of the total value that is not billed at the start of month 0, (L,)."""
    left = X[terms.total_x[c]].copy()
    for i in range(left.shape[0]):
        consumed, _, _ = opening(c, i, terms, X)
        left[i] -= consumed
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def mix_price(c, pool_contract, price_k, planned, ready, Y, price):
    """Price by chip (C-01): the mix of what is made available in the month; of what is planned where nothing is."""
    months, lanes = price.shape
    for m in range(months):
        for i in range(lanes):
            there = usd = hoped = full = 0.0
            for k in range(pool_contract.shape[0]):
                if pool_contract[k] == c:
                    gpus, each = min(planned[k, m, i], ready[k, m, i]), Y[price_k[k], m, i]
                    there, usd = there + gpus, usd + gpus * each
                    hoped, full = hoped + planned[k, m, i], full + planned[k, m, i] * each
            price[m, i] = usd / there if there > 0.0 else (full / hoped if hoped > 0.0 else 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def implied_price(start, term, total, planned, scale, hours, price):
    """Total value over the hours of the signed schedule (C-01), for all months; beyond the horizon the last level goes on."""
    months, lanes = planned.shape
    for i in range(lanes):
        end = start + int(term[i] + 0.5)
        promised = 0.0
        for m in range(max(start, 0), end):
            promised += planned[min(m, months - 1), i] / scale[min(m, months - 1), i] * (hours[m] if m < months else MONTH_HOURS)
        for m in range(months):
            price[m, i] = total[i] / promised if promised > 0.0 else 0.0


@inner
def longer_value(i, end, months_more, planned, hours, price, c):
    """USD of the hours that a longer term adds to contract c behind month `end` - 1 (C-06); beyond the horizon the last level goes on."""
    value, last = 0.0, planned.shape[0] - 1
    for n in range(end, end + months_more):
        value += planned[min(n, last), i] * (hours[n] if n <= last else MONTH_HOURS) * price[c, min(n, last), i]
    return value


class Running(NamedTuple):
    """Where a contract's term stands on each path when a month begins, all (L,)."""

    end: np.ndarray  # first month after the term
    owed: np.ndarray  # USD that had to be paid so far
    late: np.ndarray  # months in a row in which GPUs were missing
    standing: np.ndarray  # 1 until the customer walks away
    whole: np.ndarray  # USD of the total, with what options changed


@step
def promise_month(c, m, i, terms, changes, supplied, X, hours, s, out):
    """What one contract promises, makes available and must be paid in one month on one path; supplied: plan, there, served (M, L)."""
    plan, there, served = supplied
    kept, start, in_usd = 1.0, terms.starts[c], terms.form[c] >= BURN_DOWN
    if terms.optional[c] == 1:
        more, kept = int(changes.longer[c, m, i]), changes.kept[c, m, i]
        out.extra[c, m, i] = longer_value(i, int(s.end[i]), more, plan, hours, out.price, c) if more > 0 else 0.0
        s.end[i] += more
        s.whole[i] += (s.whole[i] - s.owed[i]) * changes.change[c, m, i] + out.extra[c, m, i]
    end, left = int(s.end[i]), s.whole[i] - s.owed[i]
    extended = terms.remedy[c] == EXTEND and m >= end and s.owed[i] < s.whole[i] * (1.0 - 1e-12)
    inside = 1.0 if (start <= m < end) or extended else 0.0
    short = plan[m, i] > 0.0 and there[m, i] < plan[m, i] * 0.99
    s.late[i] = s.late[i] + 1.0 if (short and inside > 0.0) else 0.0
    if terms.remedy[c] == WALK and s.late[i] > X[terms.late_after_x[c], i]:
        s.standing[i] = 0.0
    promised = plan[m, i] if terms.ramp[c] == CALENDAR else min(plan[m, i], there[m, i])
    available = available_month(plan[m, i], there[m, i], served[m, i], hours[m], X[terms.sla_x[c], i]) * inside
    committed, price = available if in_usd else promised * hours[m] * inside, out.price[c, m, i]
    due = due_month(committed, available, X[terms.take_or_pay_x[c], i])
    _, _, due = take_month(terms.form[c], 0.0, committed, available, due)
    ends = 1.0 if (m == end - 1 and terms.remedy[c] != EXTEND) else 0.0
    if in_usd:
        amount, length = amount_of_period(c, i, m - start, terms, X)
        due = amount / length / price * inside if price > 0.0 else 0.0
    pay = min(price * due, left)
    pay = left if (ends > 0.0 and terms.at_end[c] == SHORTFALL) else pay
    s.owed[i] += pay
    out.available[c, m, i], out.committed[c, m, i] = available, committed
    out.must_pay[c, m, i], out.standing[c, m, i] = pay, s.standing[i] * kept
    out.in_term[c, m, i], out.ends[c, m, i] = inside, ends


@inner
def promise_contract(c, terms, changes, supplied, total, X, hours, s, out):
    """All months of one contract; lanes are the inner loop, so that a month's rows are read in one piece."""
    for i in range(total.shape[0]):
        s.end[i] = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
        s.owed[i], s.late[i], s.standing[i], s.whole[i] = 0.0, 0.0, 1.0, total[i]
    for m in range(hours.shape[0]):
        for i in range(total.shape[0]):
            promise_month(c, m, i, terms, changes, supplied, X, hours, s, out)


@njit(cache=True, nogil=True, error_model="numpy")
def schedule_block(terms, changes, pool_contract, planned, ready, offered, X, Y, hours, out):
    """Fill `out` for all contracts from supply (K, M, L) and what options change."""
    months, lanes = planned.shape[1], planned.shape[2]
    plan, there, served = np.zeros((months, lanes)), np.zeros((months, lanes)), np.zeros((months, lanes))
    w = np.empty((5, lanes))
    s = Running(w[0], w[1], w[2], w[3], w[4])
    for c in range(terms.form.shape[0]):
        gather(c, pool_contract, planned, plan)
        gather(c, pool_contract, ready, there)
        gather(c, pool_contract, offered, served)
        if terms.gpus_x[c] >= 0:
            cap_block(X[terms.gpus_x[c]], plan, there, served)
        total = left_of(c, terms, X)
        if terms.price_y[c] >= 0:
            out.price[c] = Y[terms.price_y[c]]
        elif terms.price_y[c] == BY_CHIP:
            mix_price(c, pool_contract, terms.price_k, planned, ready, Y, out.price[c])
        else:
            implied_price(terms.starts[c], X[terms.term_x[c]], total, plan, changes.scale[c], hours, out.price[c])
        out.factor[c], out.fee[c], out.change[c] = changes.price[c], changes.fee[c], changes.change[c]
        out.price[c] *= changes.price[c]
        promise_contract(c, terms, changes, (plan, there, served), total, X, hours, s, out)


@njit(cache=True, forceinline=True, error_model="numpy")
def segment_month(kind, offered, due_share, committed_share):
    """GPU-h of one segment (P-02): 0 paid whether used or not, 1 up to the commitment, 2 beyond it."""
    free = offered * due_share
    pay = offered * max(committed_share - due_share, 0.0)
    return free if kind == 0 else (pay if kind == 1 else max(offered - free - pay, 0.0))


@njit(cache=True, nogil=True, error_model="numpy")
def free_share(c, terms, schedule, offered, X, out):
    """Share of a contract's offered hours that its amount in USD pays, the same in all months of a commitment year (P-02), (M, L).

    While the amount exceeds what can still be used every hour is free; else it is spread over the hours offered, pro rata.
    """
    yearly = terms.true_up[c] == YEARLY and terms.form[c] == BUILD_UP
    first = max(terms.starts[c], 0)
    for i in range(out.shape[1]):
        term = int(X[terms.term_x[c], i] + 0.5)
        m, last = first, min(terms.starts[c] + term, out.shape[0])
        while m < last:
            since = m - terms.starts[c]
            closing = terms.starts[c] + min(12 * (since // 12 + 1) if yearly else term, term)
            end = min(closing, last)
            amount, length = amount_of_period(c, i, since, terms, X)
            amount *= (closing - m) / length
            if m == 0 and terms.consumed_x[c] >= 0:
                _, taken, owed = opening(c, i, terms, X)
                amount = max(amount + owed - taken, 0.0)
            worth = 0.0
            for n in range(m, end):
                worth += schedule.price[c, n, i] * offered[n, i]
            share = min(amount * (end - m) / (closing - m) / max(worth, 1e-300), 1.0)
            for n in range(m, end):
                out[n, i] = share
            m = end


@njit(cache=True, nogil=True, error_model="numpy")
def segments_block(terms, schedule, alive, pool_contract, offered, seg_pool, seg_kind, X, Y, cap, cost):
    """Fill capacity (GPU-h) and marginal cost (USD/GPU-h) of all segments; a contract's due share falls on its pools pro rata."""
    months, lanes = offered.shape[1], offered.shape[2]
    served, free = np.zeros((months, lanes)), np.zeros((months, lanes))
    for q in range(seg_pool.shape[0]):
        k = seg_pool[q]
        c = pool_contract[k]
        gather(c, pool_contract, offered, served)
        share = X[terms.take_or_pay_x[c]]
        in_usd = terms.form[c] >= BURN_DOWN
        if in_usd:
            free_share(c, terms, schedule, served, X, free)
        dear = Y[terms.overage_y[c]] if terms.overage_y[c] >= 0 else schedule.price[c]
        for m in range(months):
            for i in range(lanes):
                committed, available = schedule.committed[c, m, i], schedule.available[c, m, i]
                due = due_month(committed, available, share[i])
                due = available if terms.form[c] == RESERVED else due
                whole = max(served[m, i], 1e-300)
                within = min(committed / whole, 1.0)
                within = within if terms.allows_overage[c] == 1 else 1.0  # without overage terms no offered hour lies beyond
                within = min(available / whole, 1.0) if terms.gpus_x[c] >= 0 else within  # .. but those that a block does not hold
                within = free[m, i] if in_usd else within
                paid = within if share[i] >= 1.0 else min(due / whole, within)
                on = alive[c, m, i] * schedule.in_term[c, m, i]
                cap[q, m, i] = segment_month(seg_kind[q], offered[k, m, i], paid, within) * on
                price = Y[terms.price_k[k], m, i] * schedule.factor[c, m, i] if terms.price_k[k] >= 0 else schedule.price[c, m, i]
                cost[q, m, i] = 0.0 if seg_kind[q] == 0 else (price if seg_kind[q] == 1 else dear[m, i])
