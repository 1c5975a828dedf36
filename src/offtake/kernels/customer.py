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
from numba import njit

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


@njit(cache=True, forceinline=True, error_model="numpy")
def income_month(users, paying, price, api, other, share, cost, operations, compute):
    """Revenue and cash before contract compute (V-01)."""
    revenue = users * paying * price + api + other
    return revenue, revenue - revenue * share - revenue * cost - operations - compute


@njit(cache=True, forceinline=True, error_model="numpy")
def raise_month(cash, due, minimum, limit):
    """What is raised: enough to pay and keep the minimum, if investors give it (V-01)."""
    return min(max(due + minimum - cash, 0.0), limit)


@njit(cache=True, forceinline=True, error_model="numpy")
def pay_month(due, left):
    """What one contract gets out of what is left, and what waits (V-02)."""
    paid = min(due, max(left, 0.0))
    return paid, due - paid


@njit(cache=True, forceinline=True, error_model="numpy")
def overdrawn(cash):
    """Operating losses beyond cash and what investors give: nobody is named who pays them, so they are part of the funding gap (V-03)."""
    return max(-cash, 0.0)


@njit(cache=True, forceinline=True, error_model="numpy")
def coverage_month(cash, resources, obligations):
    """Resources over obligations of the next 12 months (V-03); endless where nothing is due, 0 where resources are gone."""
    return max(cash + resources, 0.0) / obligations if obligations > 0.0 else ENDLESS


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def first_below(coverage, i, threshold, run):
    """First month in which coverage has been below the threshold for `run` months in a row; the horizon if never (V-04)."""
    count = 0
    for m in range(coverage.shape[0]):
        count = count + 1 if coverage[m, i] < threshold else 0
        if count >= run:
            return m
    return coverage.shape[0]


@njit(cache=True, nogil=True, error_model="numpy")
def owe(u, customer, amounts, weight, out):
    """Sum of (C, M, L) amounts x weight over the contracts of customer u into out (M, L)."""
    out[:] = 0.0
    for c in range(amounts.shape[0]):
        if customer[c] == u:
            for m in range(out.shape[0]):
                for i in range(out.shape[1]):
                    out[m, i] += amounts[c, m, i] * weight[c, m, i]


@njit(cache=True, nogil=True, error_model="numpy")
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


@njit(cache=True, nogil=True, error_model="numpy")
def add_equity(operating, equity_in, u, out):
    """Cash of customer u before raises and payments into out (M, L): operating (M, L) and what is paid for its equity (C-10)."""
    out[:] = operating
    if equity_in.shape[0] > 0:
        out += equity_in[u]


@njit(cache=True, nogil=True, error_model="numpy")
def signed_lane(u, i, table, X, Y, out, flow, inflow, raises, dues):
    """Cash and coverage of customer u on one path under the signed terms; flow (M, L); inflow, raises, dues (M, L) of 12 months ahead."""
    limit = Y[table.raises_y[u]]
    cash, minimum = X[table.cash_x[u], i], X[table.minimum_x[u], i]
    arrears = 0.0
    for m in range(out.revenue.shape[1]):
        out.coverage[u, m, i] = coverage_month(cash - arrears, inflow[m, i] + raises[m, i], dues[m, i])
        cash += flow[m, i]
        due = out.obligations[u, m, i] + arrears
        cash += raise_month(cash, due, minimum, limit[m, i])
        paid, arrears = pay_month(due, cash - minimum)
        cash -= paid
        out.cash[u, m, i] = cash


@njit(cache=True, nogil=True, error_model="numpy")
def signed_block(table, terms, schedule, equity_in, X, Y, thresholds, runs, out):
    """Fill `out`: the path without renegotiation, when the rule fires on it, and what stays alive of each contract.

    equity_in (U, M, L) USD paid for the customers' equity; no rows where there is none
    """
    months, lanes = out.revenue.shape[1], out.revenue.shape[2]
    flow, inflow, raises, dues = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes))
    for u in range(out.revenue.shape[0]):
        earn(u, table, Y, out.revenue[u], out.operating[u])
        owe(u, terms.customer, schedule.must_pay, schedule.standing, out.obligations[u])
        add_equity(out.operating[u], equity_in, u, flow)
        look_ahead(flow, inflow)
        look_ahead(Y[table.raises_y[u]], raises)
        look_ahead(out.obligations[u], dues)
        below, run_months = X[table.below_x[u]], X[table.run_months_x[u]]
        chance, luck = X[table.probability_x[u]], X[table.luck_x[u]]
        for i in range(lanes):
            signed_lane(u, i, table, X, Y, out, flow, inflow, raises, dues)
            fires = first_below(out.coverage[u], i, below[i], int(run_months[i] + 0.5))
            out.tau[u, i] = fires if luck[i] < chance[i] else months
            for a in range(thresholds.shape[0]):
                for b in range(runs.shape[0]):
                    out.passage[u, a, b, i] = first_below(out.coverage[u], i, thresholds[a], runs[b])
    for c in range(out.alive.shape[0]):
        u = terms.customer[c]
        cut = X[table.cut_x[u]]
        for m in range(months):
            for i in range(lanes):
                out.alive[c, m, i] = schedule.standing[c, m, i] * (1.0 - cut[i] if m >= out.tau[u, i] else 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def pay_lane(u, i, table, terms, settlement, flow, X, Y, out):
    """Pay the invoices of customer u on one path, in order of priority, arrears first."""
    cash, minimum = X[table.cash_x[u], i], X[table.minimum_x[u], i]
    contracts = terms.customer.shape[0]
    for m in range(out.raised.shape[1]):
        cash += flow[m, i]
        due = 0.0
        for c in range(contracts):
            if terms.customer[c] == u:
                late = m - int(X[terms.payment_lag_x[c], i] + 0.5)
                bill = settlement.invoiced[c, late, i] if late >= 0 else 0.0
                out.arrears[c, m, i] = bill + settlement.prepaid_in[c, m, i] + (out.arrears[c, m - 1, i] if m > 0 else 0.0)
                due += out.arrears[c, m, i]
                cash += settlement.refunded[c, m, i]
        raised = raise_month(cash, due, minimum, Y[table.raises_y[u], m, i])
        cash += raised
        left, waiting = cash - minimum, 0.0
        for turn in range(contracts):
            for c in range(contracts):
                if terms.customer[c] == u and terms.priority[c] == turn:
                    paid, rest = pay_month(out.arrears[c, m, i], left)
                    out.disbursed[c, m, i], out.arrears[c, m, i] = paid - settlement.refunded[c, m, i], rest
                    out.paid[c, m, i] = paid - settlement.refunded[c, m, i]
                    left, cash, waiting = left - paid, cash - paid, waiting + rest
        out.raised[u, m, i], out.cash_balance[u, m, i] = raised, cash
        out.funding_gap[u, m, i] = waiting + overdrawn(cash)


@njit(cache=True, nogil=True, error_model="numpy")
def pay_block(table, terms, schedule, signed, settlement, equity_in, X, Y, out):
    """Fill `out` after billing: payments, cash, gap, coverage under the terms that stand, and what counts as collectible."""
    months, lanes = out.raised.shape[1], out.raised.shape[2]
    inflow, raises, dues = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes))
    owed, flow = np.empty((months, lanes)), np.empty((months, lanes))
    for u in range(out.raised.shape[0]):
        owe(u, terms.customer, schedule.must_pay, signed.alive, owed)
        add_equity(signed.operating[u], equity_in, u, flow)
        for i in range(lanes):
            pay_lane(u, i, table, terms, settlement, flow, X, Y, out)
        look_ahead(flow, inflow)
        look_ahead(Y[table.raises_y[u]], raises)
        look_ahead(owed, dues)
        for m in range(months):
            for i in range(lanes):
                cash = out.cash_balance[u, m - 1, i] if m > 0 else X[table.cash_x[u], i]
                waiting = out.funding_gap[u, m - 1, i] - overdrawn(cash) if m > 0 else 0.0
                out.coverage[u, m, i] = coverage_month(cash - waiting, inflow[m, i] + raises[m, i], dues[m, i])
    for c in range(out.collectible.shape[0]):
        u = terms.customer[c]
        floor = X[table.collectible_x[u]]
        for m in range(months):
            for i in range(lanes):
                out.collectible[c, m, i] = 1.0 if out.coverage[u, m, i] >= floor[i] else 0.0
