"""The identities of the accounts, hours and cash: what is left over where nothing should be (A-02, A-10, C-04, C-09, S-05, V-01).

Axes    identities (10), contracts (C), pools (K), customers (U), months (M), lanes (L); path last.
Units   USD or GPU-h left over; errors are relative to gross flows.
Signs   errors >= 0; inf where a term is not a number.
Order within the month   one identity after the other; gross flows are the largest of the path up to the month, at least 1.
Source  model A-10. Each month function returns what is left over, and the gross flow it is measured against.
"""

import numpy as np
from numba import njit

plain = njit(error_model="numpy", forceinline=True)
inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)

RPO, SCOPE, VALUE, LIABILITY, COMMITTED, READY, OFFERED, CASH, PROPERTY, MAKEUP = range(10)
COUNT = 10


@plain
def rpo_month(opening, new, remeasured, in_scope, terminated, lapsed, closing):
    """A-02: opening + new + remeasured - revenue in scope - terminated - lapsed = closing."""
    left = opening + new + remeasured - in_scope - terminated - lapsed - closing
    return left, abs(opening) + abs(new) + abs(remeasured) + abs(in_scope) + abs(closing)


@plain
def scope_month(revenue, in_scope, out_of_scope):
    """A-10: revenue = in scope + out of scope."""
    return revenue - in_scope - out_of_scope, abs(revenue)


@plain
def value_month(earned, rpo, not_in_rpo, gone, total):
    """A-10: earned so far + RPO + not in RPO + terminated and lapsed so far, less what options added = signed value."""
    return earned + rpo + not_in_rpo + gone - total, abs(earned) + abs(total)


@plain
def liability_month(opening, received, interest, drawn, refunded, closing):
    """C-09: opening + received + interest - drawn - refunded = closing."""
    return opening + received + interest - drawn - refunded - closing, abs(opening) + abs(received) + abs(drawn)


@plain
def makeup_month(opening, opened, taken, expired, closing):
    """C-04: opening + opened - taken - expired = closing, in GPU-h."""
    return opening + opened - taken - expired - closing, abs(opening) + abs(opened) + abs(taken)


@plain
def committed_month(planned, early, ready, late):
    """S-05: committed + early = ready + late, in GPU-h."""
    return planned + early - ready - late, abs(planned) + abs(early)


@plain
def ready_month(ready, offered, down):
    """S-05: ready = offered + down, in GPU-h."""
    return ready - offered - down, abs(ready)


@plain
def offered_month(offered, open_to_customer, used, idle):
    """S-05: hours open to the customer = used + idle by cause."""
    return open_to_customer - used - idle, abs(offered)


@plain
def cash_month(opening, operating, raised, paid, closing):
    """V-01: opening + in - out = closing."""
    return opening + operating + raised - paid - closing, abs(opening) + abs(operating) + abs(paid)


@plain
def property_month(opening, capex, depreciation, closing):
    """A-04: opening + capex - depreciation = closing."""
    return opening + capex - depreciation - closing, abs(opening) + abs(capex) + abs(closing)


@plain
def error_month(left, gross, largest):
    """Relative error, and the largest gross flow so far."""
    largest = max(largest, gross)
    error = abs(left) / largest
    return error if error < np.inf else np.inf, largest


@plain
def keep_worst(error, m, worst, month):
    """The worst error so far and its month; the first stays on a tie."""
    return (error, m) if error > worst else (worst, month)


@inner
def contracts_balance(books, settled, total, largest, sums, worst, month):
    """RPO, scope, value, liability and make-up of every contract; `largest` (5, L) and `sums` (2, L) are scratch."""
    for c in range(total.shape[0]):
        largest[:] = 1.0
        sums[:] = 0.0
        for m in range(books.revenue.shape[1]):
            for i in range(books.revenue.shape[2]):
                opening = books.rpo[c, m - 1, i] if m > 0 else 0.0
                left, gross = rpo_month(
                    opening, books.new[c, m, i], books.remeasured[c, m, i], books.in_scope[c, m, i], books.rpo_terminated[c, m, i],
                    books.rpo_lapsed[c, m, i], books.rpo[c, m, i],
                )  # fmt: skip
                error, largest[0, i] = error_month(left, gross, largest[0, i])
                worst[RPO, i], month[RPO, i] = keep_worst(error, m, worst[RPO, i], month[RPO, i])
            for i in range(books.revenue.shape[2]):
                left, gross = scope_month(books.revenue[c, m, i], books.in_scope[c, m, i], books.out_scope[c, m, i])
                error, largest[1, i] = error_month(left, gross, largest[1, i])
                worst[SCOPE, i], month[SCOPE, i] = keep_worst(error, m, worst[SCOPE, i], month[SCOPE, i])
            for i in range(books.revenue.shape[2]):
                sums[0, i] += books.revenue[c, m, i] - settled.overage_usd[c, m, i] - settled.penalty[c, m, i] + settled.credit[c, m, i]
                sums[1, i] += settled.terminated[c, m, i] + settled.lapsed[c, m, i] - settled.added[c, m, i]
                left, gross = value_month(sums[0, i], books.rpo[c, m, i], books.not_in_rpo[c, m, i], sums[1, i], total[c, i])
                error, largest[2, i] = error_month(left, gross, largest[2, i])
                worst[VALUE, i], month[VALUE, i] = keep_worst(error, m, worst[VALUE, i], month[VALUE, i])
            for i in range(books.revenue.shape[2]):
                opening = settled.unearned[c, m - 1, i] if m > 0 else 0.0
                left, gross = liability_month(
                    opening, settled.prepaid_in[c, m, i], settled.interest[c, m, i], settled.drawdown[c, m, i],
                    settled.refunded[c, m, i], settled.unearned[c, m, i],
                )  # fmt: skip
                error, largest[3, i] = error_month(left, gross, largest[3, i])
                worst[LIABILITY, i], month[LIABILITY, i] = keep_worst(error, m, worst[LIABILITY, i], month[LIABILITY, i])
            for i in range(books.revenue.shape[2]):
                opening = settled.makeup_balance[c, m - 1, i] if m > 0 else 0.0
                left, gross = makeup_month(
                    opening, settled.makeup_opened[c, m, i], settled.makeup[c, m, i], settled.makeup_expired[c, m, i],
                    settled.makeup_balance[c, m, i],
                )  # fmt: skip
                error, largest[4, i] = error_month(left, gross, largest[4, i])
                worst[MAKEUP, i], month[MAKEUP, i] = keep_worst(error, m, worst[MAKEUP, i], month[MAKEUP, i])


@inner
def hours_balance(supply, used, capacity, idle, hours, largest, worst, month):
    """Committed, ready and offered hours of every pool; `largest` (3, L) is scratch."""
    for k in range(used.shape[0]):
        largest[:] = 1.0
        for m in range(used.shape[1]):
            for i in range(used.shape[2]):
                late = supply.late[0, k, m, i] + supply.late[1, k, m, i] + supply.late[2, k, m, i] + supply.late[3, k, m, i]
                ready = supply.ready[k, m, i] * hours[m]
                left, gross = committed_month(supply.planned[k, m, i] * hours[m], supply.early[k, m, i], ready, late)
                error, largest[0, i] = error_month(left, gross, largest[0, i])
                worst[COMMITTED, i], month[COMMITTED, i] = keep_worst(error, m, worst[COMMITTED, i], month[COMMITTED, i])
            for i in range(used.shape[2]):
                left, gross = ready_month(supply.ready[k, m, i] * hours[m], supply.offered[k, m, i], supply.down[k, m, i])
                error, largest[1, i] = error_month(left, gross, largest[1, i])
                worst[READY, i], month[READY, i] = keep_worst(error, m, worst[READY, i], month[READY, i])
            for i in range(used.shape[2]):
                unused = idle[0, k, m, i] + idle[1, k, m, i] + idle[2, k, m, i]
                left, gross = offered_month(supply.offered[k, m, i], capacity[k, m, i], used[k, m, i], unused)
                error, largest[2, i] = error_month(left, gross, largest[2, i])
                worst[OFFERED, i], month[OFFERED, i] = keep_worst(error, m, worst[OFFERED, i], month[OFFERED, i])


@inner
def cash_balance(payer, payments, operating, cash, largest, paid, worst, month):
    """Cash of every customer; `payer` (C,) is each contract's customer, `cash` (U, L) the opening balance."""
    for u in range(cash.shape[0]):
        largest[:] = 1.0
        for m in range(operating.shape[1]):
            paid[0] = 0.0
            for c in range(payer.shape[0]):
                if payer[c] == u:
                    for i in range(cash.shape[1]):
                        paid[0, i] += payments.disbursed[c, m, i]
            for i in range(cash.shape[1]):
                opening = payments.cash_balance[u, m - 1, i] if m > 0 else cash[u, i]
                left, gross = cash_month(
                    opening, operating[u, m, i], payments.raised[u, m, i], paid[0, i], payments.cash_balance[u, m, i]
                )
                error, largest[0, i] = error_month(left, gross, largest[0, i])
                worst[CASH, i], month[CASH, i] = keep_worst(error, m, worst[CASH, i], month[CASH, i])


@inner
def property_balance(ledger, largest, worst, month):
    """Property of every contract."""
    for c in range(ledger.capex.shape[0]):
        largest[:] = 1.0
        for m in range(ledger.capex.shape[1]):
            for i in range(ledger.capex.shape[2]):
                opening = ledger.net[c, m - 1, i] if m > 0 else ledger.opening[c, i]
                left, gross = property_month(opening, ledger.capex[c, m, i], ledger.depreciation[c, m, i], ledger.net[c, m, i])
                error, largest[0, i] = error_month(left, gross, largest[0, i])
                worst[PROPERTY, i], month[PROPERTY, i] = keep_worst(error, m, worst[PROPERTY, i], month[PROPERTY, i])


@njit(cache=True, nogil=True, error_model="numpy")
def balance_block(books, settled, supply, hours_used, payments, operating, ledger, openings, plan, worst, month):
    """Fill `worst` (10, L) and `month` (10, L) int64.

    books, settled, supply, payments, ledger  the kernels' outputs;  hours_used  used, capacity (K, M, L), idle (3, K, M, L)
    operating  (U, M, L) USD;  openings  signed value (C, L), cash (U, L);  plan  hours (M,), each contract's customer (C,)
    """
    used, capacity, idle = hours_used
    total, cash = openings
    hours, payer = plan
    lanes = worst.shape[1]
    largest, sums = np.zeros((5, lanes)), np.zeros((2, lanes))
    worst[:] = 0.0
    month[:] = 0
    contracts_balance(books, settled, total, largest, sums, worst, month)
    hours_balance(supply, used, capacity, idle, hours, largest, worst, month)
    cash_balance(payer, payments, operating, cash, largest, sums, worst, month)
    property_balance(ledger, largest, worst, month)
