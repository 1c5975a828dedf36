"""The identities of `balance` over the items of a block: all months of an item for one or two identities, then for the next.

A core asks memory ahead for some ten or fifteen rows that go on from month to month; with all thirty-four arrays of a contract read side
by side these loops took twice as long. What one identity has read of an item lies in the second cache for the next.

**Axes**    contracts (C), pools (K), customers (U), companies (G), months (M), lanes (L); path last.
**Units**   USD, GPU, GPU-h; errors relative.
**Signs**   as the arrays have them.
**Order within the month**   the identities of an item, one after the other.
**Source**  model A-02, A-04, A-10, C-04, C-09, S-05, V-01.
"""

from typing import NamedTuple

from .balance import (
    Weights,
    begin,
    bill_month,
    cash_month,
    committed_month,
    company_month,
    consideration_month,
    filled_month,
    keep_worst,
    least_of,
    liability_month,
    makeup_month,
    offered_month,
    payment_month,
    property_month,
    ready_month,
    rpo_month,
    scope_month,
    value_month,
    weigh,
)
from .compiled import apart, block


class Contracts(NamedTuple):
    """What is kept of the identities of contracts."""

    rpo: Weights
    scope: Weights
    value: Weights
    liability: Weights
    ledger: Weights
    makeup: Weights
    equity: Weights
    bills: Weights
    payments: Weights


class Pools(NamedTuple):
    """What is kept of the identities of pools."""

    committed: Weights
    ready: Weights
    offered: Weights
    slotted: Weights
    filled: Weights


@apart
def rpo(c, m, books, w):
    """Of one contract in a month; books (C, M, L)."""
    opening, closing = books.rpo[c, m - 1] if m > 0 else w.nothing, books.rpo[c, m]
    new, remeasured, in_scope = books.new[c, m], books.remeasured[c, m], books.in_scope[c, m]
    terminated, lapsed = books.rpo_terminated[c, m], books.rpo_lapsed[c, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = rpo_month(opening[i], new[i], remeasured[i], in_scope[i], terminated[i], lapsed[i], closing[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def scope(c, m, books, w):
    """Of one contract in a month; books (C, M, L)."""
    revenue, in_scope, out_scope = books.revenue[c, m], books.in_scope[c, m], books.out_scope[c, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = scope_month(revenue[i], in_scope[i], out_scope[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def value(c, m, books, settlement, equity, total, w):
    """Of one contract in a month; revenue without overage, credit and penalty, before equity given up; total (L,) USD."""
    revenue, rest, outside = books.revenue[c, m], books.rpo[c, m], books.not_in_rpo[c, m]
    overage, credit, penalty = settlement.overage_usd[c, m], settlement.credit[c, m], settlement.penalty[c, m]
    terminated, lapsed, added = settlement.terminated[c, m], settlement.lapsed[c, m], settlement.added[c, m]
    some, least, high = equity.contra.shape[0] > 0, least_of(w), 0
    given, coming = (equity.contra[c, m], equity.left[c, m]) if some else (w.nothing, w.nothing)
    for i in range(w.gross.shape[0]):
        w.sum[i] = w.sum[i] + (revenue[i] - overage[i] + credit[i] - penalty[i]) + given[i]
        w.other[i] += terminated[i] + lapsed[i] - added[i]
        left, gross = value_month(w.sum[i], rest[i] + coming[i], outside[i], w.other[i], total[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def liability(c, m, settlement, before, w):
    """Of one contract in a month; settlement (C, M, L); before (L,) USD held before month 0."""
    opening, closing = settlement.unearned[c, m - 1] if m > 0 else before, settlement.unearned[c, m]
    received, interest = settlement.prepaid_in[c, m], settlement.interest[c, m]
    drawdown, refunded = settlement.drawdown[c, m], settlement.refunded[c, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = liability_month(opening[i], received[i], interest[i], drawdown[i], refunded[i], closing[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def makeup(c, m, settlement, w):
    """Of one contract in a month; settlement (C, M, L)."""
    opening, closing = settlement.makeup_balance[c, m - 1] if m > 0 else w.nothing, settlement.makeup_balance[c, m]
    opened, taken, expired = settlement.makeup_opened[c, m], settlement.makeup[c, m], settlement.makeup_expired[c, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = makeup_month(opening[i], opened[i], taken[i], expired[i], closing[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def bills(c, m, books, settled, contra, w):
    """Of one contract in a month; books, settled (C, M, L); contra the same or no rows: revenue given up for equity, which no bill shows;
    `w.sum` and `w.other` are the stocks of the month before."""
    invoiced, drawn, revenue = settled.invoiced[c, m], settled.drawdown[c, m], books.revenue[c, m]
    unbilled, deferred = books.unbilled[c, m], books.deferred[c, m]
    given = contra[c, m] if contra.shape[0] > 0 else w.nothing
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = bill_month(invoiced[i], drawn[i], unbilled[i] - w.sum[i], deferred[i] - w.other[i], revenue[i] + given[i])
        high += weigh(left, gross, least, i, w)
        w.sum[i], w.other[i] = unbilled[i], deferred[i]
    if high:
        keep_worst(m, w)


@apart
def payments(c, m, settled, paid, arrears, lag, w):
    """Of one contract in a month; paid, arrears (C, M, L), lag (L,) months from the bill to its day. Bills not due stay receivable."""
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        due = m - int(lag[i] + 0.5)
        w.other[i] += settled.invoiced[c, m, i] - (settled.invoiced[c, due, i] if due >= 0 else 0.0)
        receivable = arrears[c, m, i] + w.other[i]
        left, gross = payment_month(
            paid[c, m, i], settled.refunded[c, m, i], settled.invoiced[c, m, i], settled.prepaid_in[c, m, i],
            receivable - w.sum[i], receivable,
        )  # fmt: skip
        high += weigh(left, gross, least, i, w)
        w.sum[i] = receivable
    if high:
        keep_worst(m, w)


@apart
def ledger(c, m, accounts, impairment, sold, w):
    """Of one contract in a month; accounts, impairment (C, M, L), sold the same or no rows, the accounts' opening (C, L)."""
    opening, closing = accounts.net[c, m - 1] if m > 0 else accounts.opening[c], accounts.net[c, m]
    capex, depreciation, impaired = accounts.capex[c, m], accounts.depreciation[c, m], impairment[c, m]
    gone = sold[c, m] if sold.shape[0] > 0 else w.nothing
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = property_month(opening[i], capex[i], depreciation[i], impaired[i] + gone[i], closing[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def consideration(c, m, equity, w):
    """Of one contract in a month; equity (C, M, L)."""
    opening, closing = equity.held[c, m - 1] if m > 0 else w.nothing, equity.held[c, m]
    given, contra = equity.given[c, m], equity.contra[c, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = consideration_month(opening[i], given[i], contra[i], closing[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@block
def contracts(books, settlement, equity, paid, arrears, accounts, impairment, sold, before, terms, X, w):
    """The identities of contracts.

    paid, arrears, impairment   (C, M, L)
    sold                        (C, M, L), or no rows where nothing is
    before                      (3, C, L) USD before month 0: prepayment held, revenue ahead of billing, revenue of signed value
    w                           Contracts
    """
    months = books.rpo.shape[1]
    for c in range(books.rpo.shape[0]):
        for one in w:
            begin(one)
        for i in range(w.value.sum.shape[0]):
            w.value.sum[i], w.bills.sum[i] = before[2, c, i], before[1, c, i]
        total, lag = X[terms.total_x[c]], X[terms.payment_lag_x[c]]
        for m in range(months):
            rpo(c, m, books, w.rpo)
            scope(c, m, books, w.scope)
        for m in range(months):
            value(c, m, books, settlement, equity, total, w.value)
        for m in range(months):
            bills(c, m, books, settlement, equity.contra, w.bills)
            liability(c, m, settlement, before[0, c], w.liability)
        for m in range(months):
            payments(c, m, settlement, paid, arrears, lag, w.payments)
        for m in range(months):
            makeup(c, m, settlement, w.makeup)
        for m in range(months):
            ledger(c, m, accounts, impairment, sold, w.ledger)
        for m in range(months if equity.held.shape[0] > 0 else 0):
            consideration(c, m, equity, w.equity)


@apart
def add_rows(values, m, out):
    """Sum of values (N, M, L) in a month, added up in the order of the items from nothing, into out (L,)."""
    for i in range(out.shape[0]):
        out[i] = 0.0
    for n in range(values.shape[0]):
        row = values[n, m]
        for i in range(out.shape[0]):
            out[i] += row[i]


@apart
def committed(k, m, supply, hours, w):
    """Of one pool in a month; planned, ready (K, M, L) GPU, early (K, M, L) and late (causes, K, M, L) GPU-h."""
    planned, there, early = supply.planned[k, m], supply.ready[k, m], supply.early[k, m]
    add_rows(supply.late[:, k], m, w.sum)
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = committed_month(planned[i] * hours, early[i], there[i] * hours, w.sum[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def ready(k, m, supply, hours, w):
    """Of one pool in a month; ready (K, M, L) GPU, offered and down (K, M, L) GPU-h."""
    there, open_hours, down = supply.ready[k, m], supply.offered[k, m], supply.down[k, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = ready_month(there[i] * hours, open_hours[i], down[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def offered(k, m, capacity, used, idle, offered_hours, w):
    """Of one pool in a month; all (K, M, L) GPU-h, idle (causes, K, M, L)."""
    open_hours, taken, there = capacity[k, m], used[k, m], offered_hours[k, m]
    add_rows(idle[:, k], m, w.sum)
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = offered_month(open_hours[i], taken[i], w.sum[i], there[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def in_slot(k, m, s, share, capacity, slot_use, slot_idle, w):
    """Of one slot of the day; adds its use to `w.other`."""
    add_rows(slot_use[:, k, s], m, w.sum)
    there, unused, least, high = capacity[k, m], slot_idle[k, s, m], least_of(w), 0
    for i in range(w.gross.shape[0]):
        w.other[i] += w.sum[i]
        left, gross = offered_month(share * there[i], w.sum[i], unused[i], there[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def slotted(k, m, share, capacity, used, slot_use, slot_idle, w):
    """Of one pool in a month: in each slot of the day, and what slots add up to. share (S,); slot_use (W, K, S, M, L), slot_idle
    (K, S, M, L) GPU-h."""
    for i in range(w.other.shape[0]):
        w.other[i] = 0.0
    for s in range(share.shape[0]):
        in_slot(k, m, s, share[s], capacity, slot_use, slot_idle, w)
    there, taken, least, high = capacity[k, m], used[k, m], least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = offered_month(w.other[i], taken[i], 0.0, there[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@apart
def filled(k, m, used, parts, w):
    """Of one pool in a month; used (K, M, L) GPU-h, parts useful, overhead, unfilled (K, M, L)."""
    taken, useful, overhead, unfilled = used[k, m], parts.useful[k, m], parts.overhead[k, m], parts.unfilled[k, m]
    least, high = least_of(w), 0
    for i in range(w.gross.shape[0]):
        left, gross = filled_month(taken[i], useful[i], overhead[i], unfilled[i])
        high += weigh(left, gross, least, i, w)
    if high:
        keep_worst(m, w)


@block
def pools(supply, capacity, used, idle, parts, share, slot_use, slot_idle, hours, w):
    """The identities of pools.

    idle       (causes, K, M, L) GPU-h
    parts      what replays say of used hours; no rows in a book without a surface
    share      (S,) of the day; slot_use (W, K, S, M, L), slot_idle (K, S, M, L) GPU-h
    hours      (M,)
    w          Pools
    """
    months = capacity.shape[1]
    for k in range(capacity.shape[0]):
        for one in w:
            begin(one)
        for m in range(months):
            committed(k, m, supply, hours[m], w.committed)
        for m in range(months):
            ready(k, m, supply, hours[m], w.ready)
        for m in range(months):
            offered(k, m, capacity, used, idle, supply.offered, w.offered)
        for m in range(months if share.shape[0] > 0 else 0):
            slotted(k, m, share, capacity, used, slot_use, slot_idle, w.slotted)
        for m in range(months if parts.useful.shape[0] > 0 else 0):
            filled(k, m, used, parts, w.filled)


@block
def customers(customer, cash_x, operating, equity_in, money, X, w):
    """By customer, its cash; customer (C,) of each contract, cash_x (U,) rows of X, operating (U, M, L), equity_in the same or no rows."""
    for u in range(operating.shape[0]):
        begin(w)
        for m in range(operating.shape[1]):
            opening = money.cash_balance[u, m - 1] if m > 0 else X[cash_x[u]]
            earned, raised, closing = operating[u, m], money.raised[u, m], money.cash_balance[u, m]
            given = equity_in[u, m] if equity_in.shape[0] > 0 else w.nothing
            w.sum[:] = 0.0
            for c in range(customer.shape[0]):
                if customer[c] == u:
                    paid = money.disbursed[c, m]
                    for i in range(w.gross.shape[0]):
                        w.sum[i] += paid[i]
            least, high = least_of(w), 0
            for i in range(w.gross.shape[0]):
                left, gross = cash_month(opening[i], earned[i] + given[i], raised[i], w.sum[i], closing[i])
                high += weigh(left, gross, least, i, w)
            if high:
                keep_worst(m, w)


@block
def companies(group, cash_x, debt_x, X, w):
    """By company, its cash and then its debt; group (G, M, L), cash_x and debt_x (G,) rows of X."""
    for g in range(group.cash.shape[0]):
        begin(w)
        for m in range(group.cash.shape[1]):
            least, high = least_of(w), 0
            for i in range(w.gross.shape[0]):
                cash = group.cash[g, m - 1, i] if m > 0 else X[cash_x[g], i]
                owed = group.debt[g, m - 1, i] if m > 0 else X[debt_x[g], i]
                borrowed, repaid = group.borrowed[g, m, i], group.repaid[g, m, i]
                left, gross = company_month(
                    cash, group.free_cash_flow[g, m, i], group.outside[g, m, i], borrowed, repaid, group.cash[g, m, i]
                )
                debt, owing = company_month(owed, 0.0, 0.0, borrowed, repaid, group.debt[g, m, i])
                high += weigh(abs(left) + abs(debt), gross + owing, least, i, w)
            if high:
                keep_worst(m, w)
