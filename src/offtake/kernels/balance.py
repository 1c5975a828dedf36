"""The identities: what must add up in every month of every path, and by how much it does not.

**Axes**    items (contracts C, pools K, customers U), months (M), lanes (L); path last.
**Units**   USD or GPU-h in, relative errors out.
**Signs**   a residual is what comes in less what goes out less what is left; an error is its size over the gross flows.
**Order within the month**   opening, flows, closing.
**Source**  model A-02, A-04, A-10, C-04, C-09, S-05, V-01.

A month function gives the residual and the month's gross flows and stocks. The error is taken against the largest gross on the
path so far, at least 1, so that the last cent of a contract is not measured against itself. What is not a finite number is
off without end. Each loop leaves in `w.errors` (M, L) the largest error over its items, of the first lanes of `w.gross`.
"""

from typing import NamedTuple

import numpy as np

from .compiled import block, piece


class Weights(NamedTuple):
    """Working arrays: `errors` (M, L) out; per lane the largest gross so far, nothing, and two running sums, all (L,)."""

    errors: np.ndarray
    gross: np.ndarray
    nothing: np.ndarray
    sum: np.ndarray
    other: np.ndarray


def weights(months, lanes):
    """Working arrays for the first `lanes` paths of a block."""
    return Weights(np.zeros((months, lanes)), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes))


@piece
def begin(w):
    """Before the first month of an item."""
    w.gross[:] = 1.0
    w.sum[:] = 0.0
    w.other[:] = 0.0


@piece
def weigh(left, gross, m, i, w):
    """Take in the residual and the gross of an item's month."""
    size = abs(left)
    w.gross[i] = gross if gross > w.gross[i] else w.gross[i]
    error = size / w.gross[i] if size + gross < np.inf else np.inf
    w.errors[m, i] = max(w.errors[m, i], error)


@piece
def rpo_month(opening, new, remeasured, in_scope, terminated, lapsed, closing):
    """RPO rolls forward (A-02)."""
    gross = abs(opening) + abs(new) + abs(remeasured) + abs(in_scope) + abs(closing)
    return opening + new + remeasured - in_scope - terminated - lapsed - closing, gross


@piece
def scope_month(revenue, in_scope, out_scope):
    """All revenue is in the scope of RPO or out of it (A-10)."""
    return revenue - in_scope - out_scope, abs(revenue)


@piece
def value_month(earned, rpo, not_in_rpo, gone, total):
    """Signed value is earned, still to come, terminated or lapsed (A-10); sums to date, `gone` less what options added."""
    return earned + rpo + not_in_rpo + gone - total, abs(earned) + abs(total)


@piece
def liability_month(opening, received, interest, drawdown, refunded, closing):
    """The contract liability rolls forward (C-09)."""
    return opening + received + interest - drawdown - refunded - closing, abs(opening) + abs(received) + abs(drawdown)


@piece
def makeup_month(opening, opened, taken, expired, closing):
    """Make-up rights roll forward (C-04), in GPU-h."""
    return opening + opened - taken - expired - closing, abs(opening) + abs(opened) + abs(taken)


@piece
def committed_month(planned_hours, early, ready_hours, late):
    """Hours of the signed schedule come as ready or late (S-05)."""
    return planned_hours + early - ready_hours - late, abs(planned_hours) + abs(early)


@piece
def ready_month(ready_hours, offered, down):
    """Ready hours are offered or down (S-05)."""
    return ready_hours - offered - down, abs(ready_hours)


@piece
def offered_month(capacity, used, idle, offered):
    """Hours open to the customer are used or idle (S-05)."""
    return capacity - used - idle, abs(offered)


@piece
def filled_month(used, useful, overhead, unfilled):
    """Hours used are useful, overhead or unfilled (S-05, R-03)."""
    return used - useful - overhead - unfilled, abs(used)


@piece
def cash_month(opening, earned, raised, paid, closing):
    """The customer's cash rolls forward (V-01); what it earned includes what was paid for its equity."""
    return opening + earned + raised - paid - closing, abs(opening) + abs(earned) + abs(paid)


@piece
def consideration_month(opening, given, contra, closing):
    """Equity given ahead of revenue rolls forward (C-10)."""
    return opening + given - contra - closing, abs(opening) + abs(given) + abs(contra)


@piece
def property_month(opening, capex, depreciation, gone, closing):
    """Property rolls forward (A-04); `gone` is sold or written down."""
    return opening + capex - depreciation - gone - closing, abs(opening) + abs(capex) + abs(closing)


@piece
def bill_month(invoiced, drawn, asset, deferred, revenue):
    """Debits = credits of a bill (A-10): receivable + contract liability + what the contract asset gains = deferred + revenue."""
    return invoiced + drawn + asset - deferred - revenue, abs(invoiced) + abs(drawn) + abs(revenue)


@piece
def payment_month(paid, refunded, invoiced, received, gained, receivable):
    """Debits = credits of a payment (A-10): cash + refund = billed + prepayment due - what the receivable gains."""
    return paid + refunded - (invoiced + received - gained), abs(invoiced) + abs(received) + abs(receivable)


@block
def rpo(books, w):
    """By contract; books (C, M, L)."""
    for c in range(books.rpo.shape[0]):
        begin(w)
        for m in range(books.rpo.shape[1]):
            opening, closing = books.rpo[c, m - 1] if m > 0 else w.nothing, books.rpo[c, m]
            new, remeasured, in_scope = books.new[c, m], books.remeasured[c, m], books.in_scope[c, m]
            terminated, lapsed = books.rpo_terminated[c, m], books.rpo_lapsed[c, m]
            for i in range(w.gross.shape[0]):
                left, gross = rpo_month(opening[i], new[i], remeasured[i], in_scope[i], terminated[i], lapsed[i], closing[i])
                weigh(left, gross, m, i, w)


@block
def scope(books, w):
    """By contract; books (C, M, L)."""
    for c in range(books.revenue.shape[0]):
        begin(w)
        for m in range(books.revenue.shape[1]):
            revenue, in_scope, out_scope = books.revenue[c, m], books.in_scope[c, m], books.out_scope[c, m]
            for i in range(w.gross.shape[0]):
                left, gross = scope_month(revenue[i], in_scope[i], out_scope[i])
                weigh(left, gross, m, i, w)


@block
def value(books, settlement, equity, before, total_x, X, w):
    """By contract; revenue without overage, credit and penalty, before equity given up; before (C, L) USD earned before month 0;
    total_x (C,) rows of X."""
    some = equity.contra.shape[0] > 0
    for c in range(books.revenue.shape[0]):
        begin(w)
        total = X[total_x[c]]
        w.sum[:] = before[c, : w.sum.shape[0]]
        for m in range(books.revenue.shape[1]):
            revenue, rest, outside = books.revenue[c, m], books.rpo[c, m], books.not_in_rpo[c, m]
            overage, credit, penalty = settlement.overage_usd[c, m], settlement.credit[c, m], settlement.penalty[c, m]
            terminated, lapsed, added = settlement.terminated[c, m], settlement.lapsed[c, m], settlement.added[c, m]
            for i in range(w.gross.shape[0]):
                w.sum[i] += revenue[i] - overage[i] + credit[i] - penalty[i]
                w.other[i] += terminated[i] + lapsed[i] - added[i]
                w.sum[i] += equity.contra[c, m, i] if some else 0.0
                to_come = rest[i] + (equity.left[c, m, i] if some else 0.0)
                left, gross = value_month(w.sum[i], to_come, outside[i], w.other[i], total[i])
                weigh(left, gross, m, i, w)


@block
def liability(settlement, before, w):
    """By contract; settlement (C, M, L); before (C, L) USD held before month 0."""
    for c in range(settlement.unearned.shape[0]):
        begin(w)
        for m in range(settlement.unearned.shape[1]):
            opening, closing = settlement.unearned[c, m - 1] if m > 0 else before[c], settlement.unearned[c, m]
            received, interest = settlement.prepaid_in[c, m], settlement.interest[c, m]
            drawdown, refunded = settlement.drawdown[c, m], settlement.refunded[c, m]
            for i in range(w.gross.shape[0]):
                left, gross = liability_month(opening[i], received[i], interest[i], drawdown[i], refunded[i], closing[i])
                weigh(left, gross, m, i, w)


@block
def makeup(settlement, w):
    """By contract; settlement (C, M, L)."""
    for c in range(settlement.makeup.shape[0]):
        begin(w)
        for m in range(settlement.makeup.shape[1]):
            opening, closing = settlement.makeup_balance[c, m - 1] if m > 0 else w.nothing, settlement.makeup_balance[c, m]
            opened, taken, expired = settlement.makeup_opened[c, m], settlement.makeup[c, m], settlement.makeup_expired[c, m]
            for i in range(w.gross.shape[0]):
                left, gross = makeup_month(opening[i], opened[i], taken[i], expired[i], closing[i])
                weigh(left, gross, m, i, w)


@block
def committed(supply, hours, w):
    """By pool; planned, ready (K, M, L) GPU, early (K, M, L) and late (causes, K, M, L) GPU-h, hours (M,)."""
    for k in range(supply.planned.shape[0]):
        begin(w)
        for m in range(supply.planned.shape[1]):
            planned, ready, early = supply.planned[k, m], supply.ready[k, m], supply.early[k, m]
            w.sum[:] = 0.0
            for cause in range(supply.late.shape[0]):
                late = supply.late[cause, k, m]
                for i in range(w.gross.shape[0]):
                    w.sum[i] += late[i]
            for i in range(w.gross.shape[0]):
                left, gross = committed_month(planned[i] * hours[m], early[i], ready[i] * hours[m], w.sum[i])
                weigh(left, gross, m, i, w)


@block
def ready(supply, hours, w):
    """By pool; ready (K, M, L) GPU, offered and down (K, M, L) GPU-h, hours (M,)."""
    for k in range(supply.ready.shape[0]):
        begin(w)
        for m in range(supply.ready.shape[1]):
            there, offered, down = supply.ready[k, m], supply.offered[k, m], supply.down[k, m]
            for i in range(w.gross.shape[0]):
                left, gross = ready_month(there[i] * hours[m], offered[i], down[i])
                weigh(left, gross, m, i, w)


@block
def offered(capacity, used, idle, offered_hours, w):
    """By pool; all (K, M, L) GPU-h, idle (causes, K, M, L)."""
    for k in range(capacity.shape[0]):
        begin(w)
        for m in range(capacity.shape[1]):
            open_hours, taken, there = capacity[k, m], used[k, m], offered_hours[k, m]
            w.sum[:] = 0.0
            for cause in range(idle.shape[0]):
                unused = idle[cause, k, m]
                for i in range(w.gross.shape[0]):
                    w.sum[i] += unused[i]
            for i in range(w.gross.shape[0]):
                left, gross = offered_month(open_hours[i], taken[i], w.sum[i], there[i])
                weigh(left, gross, m, i, w)


@block
def slotted(share, capacity, used, slot_use, slot_idle, w):
    """By pool: in each slot of the day, and what slots add up to. share (S,); slot_use (W, K, S, M, L), slot_idle (K, S, M, L) GPU-h."""
    for k in range(capacity.shape[0] if share.shape[0] > 0 else 0):
        begin(w)
        for m in range(capacity.shape[1]):
            w.other[:] = 0.0
            for s in range(share.shape[0]):
                w.sum[:] = 0.0
                for item in range(slot_use.shape[0]):
                    here = slot_use[item, k, s, m]
                    for i in range(w.gross.shape[0]):
                        w.sum[i] += here[i]
                for i in range(w.gross.shape[0]):
                    w.other[i] += w.sum[i]
                    left, gross = offered_month(share[s] * capacity[k, m, i], w.sum[i], slot_idle[k, s, m, i], capacity[k, m, i])
                    weigh(left, gross, m, i, w)
            for i in range(w.gross.shape[0]):
                left, gross = offered_month(w.other[i], used[k, m, i], 0.0, capacity[k, m, i])
                weigh(left, gross, m, i, w)


@block
def filled(used, parts, w):
    """By pool; used (K, M, L) GPU-h, parts useful, overhead, unfilled (K, M, L), or no rows in a book without a surface."""
    for k in range(parts.useful.shape[0]):
        begin(w)
        for m in range(used.shape[1]):
            for i in range(w.gross.shape[0]):
                left, gross = filled_month(used[k, m, i], parts.useful[k, m, i], parts.overhead[k, m, i], parts.unfilled[k, m, i])
                weigh(left, gross, m, i, w)


@block
def cash(customer, cash_x, operating, equity_in, payments, X, w):
    """By customer; customer (C,) of each contract, cash_x (U,) rows of X, operating (U, M, L), equity_in the same or no rows."""
    for u in range(operating.shape[0]):
        begin(w)
        for m in range(operating.shape[1]):
            opening = payments.cash_balance[u, m - 1] if m > 0 else X[cash_x[u]]
            earned, raised, closing = operating[u, m], payments.raised[u, m], payments.cash_balance[u, m]
            w.sum[:] = 0.0
            for c in range(customer.shape[0]):
                if customer[c] == u:
                    paid = payments.disbursed[c, m]
                    for i in range(w.gross.shape[0]):
                        w.sum[i] += paid[i]
            for i in range(w.gross.shape[0]):
                came = earned[i] + (equity_in[u, m, i] if equity_in.shape[0] > 0 else 0.0)
                left, gross = cash_month(opening[i], came, raised[i], w.sum[i], closing[i])
                weigh(left, gross, m, i, w)


@block
def ledger(accounts, impairment, sold, w):
    """By contract; accounts, impairment (C, M, L), sold the same or no rows, the accounts' opening (C, L)."""
    for c in range(accounts.net.shape[0]):
        begin(w)
        for m in range(accounts.net.shape[1]):
            opening, closing = accounts.net[c, m - 1] if m > 0 else accounts.opening[c], accounts.net[c, m]
            capex, depreciation = accounts.capex[c, m], accounts.depreciation[c, m]
            for i in range(w.gross.shape[0]):
                gone = impairment[c, m, i] + (sold[c, m, i] if sold.shape[0] > 0 else 0.0)
                left, gross = property_month(opening[i], capex[i], depreciation[i], gone, closing[i])
                weigh(left, gross, m, i, w)


@block
def bills(books, settled, contra, ahead, w):
    """By contract; books, settled (C, M, L); contra the same or no rows: revenue given up for equity, which no bill shows; ahead
    (C, L) USD of revenue ahead of billing before month 0."""
    for c in range(books.revenue.shape[0]):
        begin(w)
        w.sum[:] = ahead[c, : w.sum.shape[0]]
        for m in range(books.revenue.shape[1]):
            invoiced, drawn, revenue = settled.invoiced[c, m], settled.drawdown[c, m], books.revenue[c, m]
            unbilled, deferred = books.unbilled[c, m], books.deferred[c, m]
            for i in range(w.gross.shape[0]):
                asset, liability = unbilled[i] - w.sum[i], deferred[i] - w.other[i]
                before = revenue[i] + (contra[c, m, i] if contra.shape[0] > 0 else 0.0)
                left, gross = bill_month(invoiced[i], drawn[i], asset, liability, before)
                weigh(left, gross, m, i, w)
                w.sum[i], w.other[i] = unbilled[i], deferred[i]


@block
def payments(settled, paid, arrears, lag_x, X, w):
    """By contract; paid, arrears (C, M, L), lag_x (C,) rows of X: months from the bill to its day. Bills not due stay receivable."""
    for c in range(paid.shape[0]):
        begin(w)
        for m in range(paid.shape[1]):
            for i in range(w.gross.shape[0]):
                due = m - int(X[lag_x[c], i] + 0.5)
                w.other[i] += settled.invoiced[c, m, i] - (settled.invoiced[c, due, i] if due >= 0 else 0.0)
                receivable = arrears[c, m, i] + w.other[i]
                left, gross = payment_month(
                    paid[c, m, i], settled.refunded[c, m, i], settled.invoiced[c, m, i], settled.prepaid_in[c, m, i],
                    receivable - w.sum[i], receivable,
                )  # fmt: skip
                weigh(left, gross, m, i, w)
                w.sum[i] = receivable


@piece
def company_month(opening, free, outside, borrowed, repaid, closing):
    """A company's cash less its debt rolls forward (A-09)."""
    return opening + free - outside + borrowed - repaid - closing, abs(opening) + abs(free) + abs(outside) + abs(closing)


@block
def companies(group, cash_x, debt_x, X, w):
    """By company, its cash and then its debt; group (G, M, L), cash_x and debt_x (G,) rows of X."""
    for g in range(group.cash.shape[0]):
        begin(w)
        for m in range(group.cash.shape[1]):
            for i in range(w.gross.shape[0]):
                cash = group.cash[g, m - 1, i] if m > 0 else X[cash_x[g], i]
                owed = group.debt[g, m - 1, i] if m > 0 else X[debt_x[g], i]
                borrowed, repaid = group.borrowed[g, m, i], group.repaid[g, m, i]
                left, gross = company_month(
                    cash, group.free_cash_flow[g, m, i], group.outside[g, m, i], borrowed, repaid, group.cash[g, m, i]
                )
                debt, owing = company_month(owed, 0.0, 0.0, borrowed, repaid, group.debt[g, m, i])
                weigh(abs(left) + abs(debt), gross + owing, m, i, w)


@block
def consideration(equity, w):
    """By contract; equity (C, M, L)."""
    for c in range(equity.held.shape[0]):
        begin(w)
        for m in range(equity.held.shape[1]):
            opening, closing = equity.held[c, m - 1] if m > 0 else w.nothing, equity.held[c, m]
            given, contra = equity.given[c, m], equity.contra[c, m]
            for i in range(w.gross.shape[0]):
                left, gross = consideration_month(opening[i], given[i], contra[i], closing[i])
                weigh(left, gross, m, i, w)
