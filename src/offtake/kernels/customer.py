"""The customer: users to revenue to cash, what it owes, what it can pay, and when it asks for new terms.

Axes    customers (U), contracts (C), months (M), lanes (L); path last.
Units   USD; coverage is a multiple; shares 0 to 1.
Signs   flows in are positive, payments are positive amounts; cash opening + operating + equity + raised - disbursed = closing.
Order within the month   operating cash and equity, invoices fall due, raise what is missing, pay by priority, the rest is arrears.
Source  model V-01 to V-04; coverage = (cash - bills that wait + 12 months of operating cash, equity and raises) / obligations of the 12.
        Cash below zero counts once: as what is overdrawn, in the gap; it is not a bill that waits.
"""

from typing import NamedTuple

import numpy as np

from .compiled import apart, block, copy_months, entry, inner, piece, step

ENDLESS = 1e9
AHEAD = 12


class Customers(NamedTuple):
    """One row a customer: rows of Y (`_y`) and X (`_x`)."""

    users_y: np.ndarray
    paying_y: np.ndarray
    price_y: np.ndarray
    api_y: np.ndarray
    other_y: np.ndarray
    revenue_share_y: np.ndarray
    cost_y: np.ndarray
    operations_y: np.ndarray
    other_compute_y: np.ndarray
    raises_y: np.ndarray
    cash_x: np.ndarray
    minimum_x: np.ndarray
    below_x: np.ndarray
    run_months_x: np.ndarray
    cut_x: np.ndarray
    probability_x: np.ndarray
    luck_x: np.ndarray  # a uniform draw: below `probability` the customer does ask
    collectible_x: np.ndarray


class Signed(NamedTuple):
    """The path without renegotiation: (U, M, L), but for tau (U, L), alive (C, M, L) and passage (U, TH, RUN, L) int64."""

    revenue: np.ndarray
    operating: np.ndarray
    obligations: np.ndarray
    coverage: np.ndarray
    cash: np.ndarray
    tau: np.ndarray
    alive: np.ndarray
    passage: np.ndarray


class Payments(NamedTuple):
    """What is paid: (C, M, L) disbursed, paid, arrears, collectible; (U, M, L) raised, cash_balance, funding_gap, coverage."""

    disbursed: np.ndarray
    paid: np.ndarray
    arrears: np.ndarray
    collectible: np.ndarray
    raised: np.ndarray
    cash_balance: np.ndarray
    funding_gap: np.ndarray
    coverage: np.ndarray


@piece
def income_month(users, paying, price, api, other, share, cost, operations, compute):
    """Revenue and cash before contract compute (V-01)."""
    revenue = users * paying * price + api + other
    return revenue, revenue - revenue * share - revenue * cost - operations - compute


@piece
def raise_month(cash, due, minimum, limit):
    """What is raised: enough to pay and keep the minimum, if investors give it (V-01)."""
    return min(max(due + minimum - cash, 0.0), limit)


@piece
def pay_month(due, left):
    """What one contract gets out of what is left, and what waits (V-02)."""
    paid = min(due, max(left, 0.0))
    return paid, due - paid


@piece
def overdrawn(cash):
    """Operating losses beyond cash and what investors give: nobody is named who pays them, so they are part of the funding gap (V-03)."""
    return max(-cash, 0.0)


@piece
def coverage_month(cash, resources, obligations):
    """Resources over obligations of the next 12 months (V-03); endless where nothing is due, 0 where resources are gone."""
    return max(cash + resources, 0.0) / obligations if obligations > 0.0 else ENDLESS


@apart
def look_ahead(values, out):
    """Sum of values over the 12 months from each month on, cut at the horizon's end; both (M, L)."""
    months = values.shape[0]
    for m in range(months):
        total = out[m]
        total[:] = 0.0
        for n in range(m, min(m + AHEAD, months)):
            value = values[n]
            for i in range(total.shape[0]):
                total[i] += value[i]


@apart
def first_below(coverage, threshold, run, count, found):
    """First month in which coverage (M, L) has been below the threshold for `run` months in a row; the horizon if never (V-04).

    threshold (L,), run (L,) float; `count` is working space, `found` is filled, both (L,) float
    """
    months = float(coverage.shape[0])
    count[:] = 0.0
    found[:] = months
    for m in range(coverage.shape[0]):
        now = coverage[m]
        for i in range(count.shape[0]):
            count[i] = count[i] + 1.0 if now[i] < threshold[i] else 0.0
            found[i] = float(m) if (count[i] >= run[i] and found[i] == months) else found[i]


@apart
def owe(u, customer, amounts, weight, out):
    """Sum of (C, M, L) amounts x weight over the contracts of customer u into out (M, L)."""
    out[:] = 0.0
    for c in range(amounts.shape[0]):
        if customer[c] == u:
            for m in range(out.shape[0]):
                for i in range(out.shape[1]):
                    out[m, i] += amounts[c, m, i] * weight[c, m, i]


@apart
def earn(u, table, Y, revenue, operating):
    """Revenue and operating cash (M, L) of customer u."""
    users, paying, price = Y[table.users_y[u]], Y[table.paying_y[u]], Y[table.price_y[u]]
    api, other, share = Y[table.api_y[u]], Y[table.other_y[u]], Y[table.revenue_share_y[u]]
    cost, operations, compute = Y[table.cost_y[u]], Y[table.operations_y[u]], Y[table.other_compute_y[u]]
    for m in range(revenue.shape[0]):
        for i in range(revenue.shape[1]):
            revenue[m, i], operating[m, i] = income_month(
                users[m, i],
                paying[m, i],
                price[m, i],
                api[m, i],
                other[m, i],
                share[m, i],
                cost[m, i],
                operations[m, i],
                compute[m, i],
            )


@apart
def add_equity(operating, equity_in, u, out):
    """Cash of customer u before raises and payments into out (M, L): operating (M, L) and what is paid for its equity (C-10)."""
    for m in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[m, i] = operating[m, i]
    if equity_in.shape[0] > 0:
        for m in range(out.shape[0]):
            for i in range(out.shape[1]):
                out[m, i] += equity_in[u, m, i]


class Purse(NamedTuple):
    """Where a customer stands on each path when a month begins, and then in that month, all (L,)."""

    cash: np.ndarray
    arrears: np.ndarray
    due: np.ndarray
    left: np.ndarray  # cash above the minimum, while it is paid out
    waiting: np.ndarray  # what is not paid


@apart
def signed_month(u, m, first, minimum, limit, flow, inflow, raises, dues, s, out):
    """Cash and coverage of customer u in one month under the signed terms; flow (L,); inflow, raises, dues (L,) of 12 months ahead;
    `first` (L,) is the cash at the start."""
    obligations, coverage, cash = out.obligations[u, m], out.coverage[u, m], out.cash[u, m]
    for i in range(flow.shape[0]):
        held, arrears = (first[i] if m == 0 else s.cash[i]), (0.0 if m == 0 else s.arrears[i])
        coverage[i] = coverage_month(held - arrears, inflow[i] + raises[i], dues[i])
        held += flow[i]
        due = obligations[i] + arrears
        held += raise_month(held, due, minimum[i], limit[i])
        paid, s.arrears[i] = pay_month(due, held - minimum[i])
        s.cash[i] = held - paid
        cash[i] = s.cash[i]


@apart
def passages(coverage, thresholds, runs, s, out):
    """When the rule of each threshold and run fires (TH, RUN, L), in all one pass needs of coverage (M, L)."""
    for a in range(thresholds.shape[0]):
        for b in range(runs.shape[0]):
            s.left[:] = thresholds[a]
            s.waiting[:] = float(runs[b])
            first_below(coverage, s.left, s.waiting, s.due, s.cash)
            for i in range(s.cash.shape[0]):
                out[a, b, i] = int(s.cash[i])


@apart
def asks(fires, chance, luck, months, tau):
    """Month in which the customer asks for new terms: when the rule fires, if it does ask; all (L,)."""
    for i in range(tau.shape[0]):
        tau[i] = int(fires[i]) if luck[i] < chance[i] else months


@apart
def stay_alive(cut, tau, standing, alive):
    """Share of a contract that stands after the customer's new terms (M, L); cut, tau (L,)."""
    for m in range(alive.shape[0]):
        stands, lives = standing[m], alive[m]
        for i in range(cut.shape[0]):
            lives[i] = stands[i] * (1.0 - cut[i] if m >= tau[i] else 1.0)


@entry
def purse(lanes):
    """Working rows of a block."""
    w = np.empty((5, lanes))
    return Purse(w[0], w[1], w[2], w[3], w[4])


@block
def signed_block(table, terms, schedule, equity_in, X, Y, thresholds, runs, out):
    """Fill `out`: the path without renegotiation, when the rule fires on it, and what stays alive of each contract.

    equity_in (U, M, L) USD paid for the customers' equity; no rows where there is none
    """
    months, lanes = out.revenue.shape[1], out.revenue.shape[2]
    flow, inflow, raises, dues = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes))
    s, run = purse(lanes), np.empty(lanes)
    for u in range(out.revenue.shape[0]):
        earn(u, table, Y, out.revenue[u], out.operating[u])
        owe(u, terms.customer, schedule.must_pay, schedule.standing, out.obligations[u])
        add_equity(out.operating[u], equity_in, u, flow)
        look_ahead(flow, inflow)
        look_ahead(Y[table.raises_y[u]], raises)
        look_ahead(out.obligations[u], dues)
        limit = Y[table.raises_y[u]]
        for m in range(months):
            signed_month(u, m, X[table.cash_x[u]], X[table.minimum_x[u]], limit[m], flow[m], inflow[m], raises[m], dues[m], s, out)
        for i in range(lanes):
            run[i] = float(int(X[table.run_months_x[u], i] + 0.5))
        first_below(out.coverage[u], X[table.below_x[u]], run, s.due, s.cash)
        asks(s.cash, X[table.probability_x[u]], X[table.luck_x[u]], months, out.tau[u])
        passages(out.coverage[u], thresholds, runs, s, out.passage[u])
    for c in range(out.alive.shape[0]):
        stay_alive(X[table.cut_x[terms.customer[c]]], out.tau[terms.customer[c]], schedule.standing[c], out.alive[c])


@apart
def bill_rows(c, even, lag, settlement, out):
    """What contract c's invoices and prepayment add to arrears, month by month, into `arrears`; lag (L,) whole months, in all lanes the
    same where it is `even`."""
    for m in range(out.arrears.shape[1]):
        prepaid, arrears = settlement.prepaid_in[c, m], out.arrears[c, m]
        if even:
            late = m - lag[0]
            bill = settlement.invoiced[c, max(late, 0)]
            for i in range(lag.shape[0]):
                arrears[i] = (bill[i] if late >= 0 else 0.0) + prepaid[i]
        else:
            for i in range(lag.shape[0]):
                late = m - lag[i]
                arrears[i] = (settlement.invoiced[c, max(late, 0), i] if late >= 0 else 0.0) + prepaid[i]


@step
def bill_contract(c, months, lag, settlement, out):
    """`bill_rows`; months (L,) from the bill to its day, lag (L,) working space."""
    even = True
    for i in range(lag.shape[0]):
        lag[i] = int(months[i] + 0.5)
        even = even and lag[i] == lag[0]
    bill_rows(c, even, lag, settlement, out)


@apart
def fall_due(c, m, refunded, s, out):
    """What contract c has in arrears in the month, those of the month before with them, and what refunds add to cash."""
    arrears, before = out.arrears[c, m], out.arrears[c, max(m - 1, 0)]
    for i in range(refunded.shape[0]):
        arrears[i] += before[i] if m > 0 else 0.0
        s.due[i] += arrears[i]
        s.cash[i] += refunded[i]


@apart
def pay_contract(c, m, refunded, s, out):
    """Pay contract c out of what is left; the rest stays in arrears."""
    paid, arrears = out.paid[c, m], out.arrears[c, m]
    for i in range(refunded.shape[0]):
        given, arrears[i] = pay_month(arrears[i], s.left[i])
        paid[i] = given - refunded[i]
        s.left[i], s.cash[i], s.waiting[i] = s.left[i] - given, s.cash[i] - given, s.waiting[i] + arrears[i]


@apart
def raise_cash(u, m, minimum, limit, s, out):
    """Raise what is missing, and set aside what may be paid out."""
    raised = out.raised[u, m]
    for i in range(raised.shape[0]):
        raised[i] = raise_month(s.cash[i], s.due[i], minimum[i], limit[i])
        s.cash[i] += raised[i]
        s.left[i], s.waiting[i] = s.cash[i] - minimum[i], 0.0


@apart
def begin_month(first, m, flow, s):
    """Cash after the month's operating cash and equity; `first` (L,) is the cash at the start."""
    for i in range(flow.shape[0]):
        s.cash[i] = (first[i] if m == 0 else s.cash[i]) + flow[i]
        s.due[i] = 0.0


@apart
def end_month(u, m, s, out):
    """What is left, and what is missing."""
    balance, gap = out.cash_balance[u, m], out.funding_gap[u, m]
    for i in range(gap.shape[0]):
        balance[i], gap[i] = s.cash[i], s.waiting[i] + overdrawn(s.cash[i])


@inner
def pay_customer(u, table, terms, settlement, flow, X, Y, s, out):
    """Pay the invoices of customer u, in order of priority, arrears first."""
    contracts = terms.customer.shape[0]
    for m in range(flow.shape[0]):
        begin_month(X[table.cash_x[u]], m, flow[m], s)
        for c in range(contracts):
            if terms.customer[c] == u:
                fall_due(c, m, settlement.refunded[c, m], s, out)
        raise_cash(u, m, X[table.minimum_x[u]], Y[table.raises_y[u], m], s, out)
        for turn in range(contracts):
            for c in range(contracts):
                if terms.customer[c] == u and terms.priority[c] == turn:
                    pay_contract(c, m, settlement.refunded[c, m], s, out)
        end_month(u, m, s, out)


@apart
def cover(u, first, inflow, raises, dues, out):
    """Coverage of customer u under the terms that stand (V-03); `first` (L,) is the cash at the start."""
    for m in range(inflow.shape[0]):
        coverage, balance, gap = out.coverage[u, m], out.cash_balance[u, max(m - 1, 0)], out.funding_gap[u, max(m - 1, 0)]
        came, raised, due = inflow[m], raises[m], dues[m]
        for i in range(first.shape[0]):
            cash = balance[i] if m > 0 else first[i]
            waiting = gap[i] - overdrawn(cash) if m > 0 else 0.0
            coverage[i] = coverage_month(cash - waiting, came[i] + raised[i], due[i])


@apart
def collect(coverage, floor, collectible):
    """Whether a contract's price counts as collectible (M, L): coverage at least `floor` (L,)."""
    for m in range(coverage.shape[0]):
        now, counts = coverage[m], collectible[m]
        for i in range(floor.shape[0]):
            counts[i] = 1.0 if now[i] >= floor[i] else 0.0


@block
def pay_block(table, terms, schedule, signed, settlement, equity_in, X, Y, out):
    """Fill `out` after billing: payments, cash, gap, coverage under the terms that stand, and what counts as collectible."""
    months, lanes = out.raised.shape[1], out.raised.shape[2]
    inflow, raises, dues = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes))
    owed, flow, s, lag = np.empty((months, lanes)), np.empty((months, lanes)), purse(lanes), np.empty(lanes, np.int64)
    for c in range(terms.customer.shape[0]):
        bill_contract(c, X[terms.payment_lag_x[c]], lag, settlement, out)
    for u in range(out.raised.shape[0]):
        owe(u, terms.customer, schedule.must_pay, signed.alive, owed)
        add_equity(signed.operating[u], equity_in, u, flow)
        pay_customer(u, table, terms, settlement, flow, X, Y, s, out)
        look_ahead(flow, inflow)
        look_ahead(Y[table.raises_y[u]], raises)
        look_ahead(owed, dues)
        cover(u, X[table.cash_x[u]], inflow, raises, dues, out)
    for c in range(out.collectible.shape[0]):
        u = terms.customer[c]
        collect(out.coverage[u], X[table.collectible_x[u]], out.collectible[c])
        copy_months(out.paid[c], out.disbursed[c])
