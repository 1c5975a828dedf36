"""The whole company: capex by its own definition, depreciation that follows from it, free cash flow, cash and debt.

**Axes**    companies that state their finances (G), contracts (C), companies (J), months (M), lanes (L); path last.
**Units**   USD, flows per month, stocks at month end.
**Signs**   capex, depreciation, interest, borrowed and repaid >= 0; free cash flow: operating cash less capex net of incentives. cash
            opening + free cash flow - payouts - invested + borrowed - repaid = closing; debt opening + borrowed - repaid = closing.
**Order within the month**   operations and the deals, interest on what was borrowed before, capex, payouts, then borrow or repay.
**Source**  model A-04, A-06, A-07, A-09.

The deals' capex lies inside the company's. What a company calls capex may hold finance leases: `leased` of it is not paid in cash.
Depreciation: what was in use at the start runs off straight, what was in progress comes into use evenly over the lag, every month's capex
comes into use a lag later and wears straight over the blended life. New debt is repaid first from cash above the minimum; what was owed at
the start is rolled over.
"""

from typing import NamedTuple

import numpy as np

from .accounts import SHORTEST, even_month, read_curve
from .compiled import block, entry, piece


class Finances(NamedTuple):
    """One row a company that states its finances; `_x` rows of X, `_y` rows of Y."""

    company: np.ndarray
    operating_y: np.ndarray  # operating cash flow without the deals
    payouts_y: np.ndarray
    leased_x: np.ndarray  # share of capex that is finance leases
    incentives_x: np.ndarray  # share of cash capex that comes back
    tax_x: np.ndarray  # on the deals' operating income
    cash_x: np.ndarray
    minimum_x: np.ndarray
    debt_x: np.ndarray
    interest_x: np.ndarray  # a year, on what is borrowed from now on
    wear_x: np.ndarray  # USD/month: depreciation at the start
    existing_x: np.ndarray  # months until what is in use at the start is worn out
    progress_x: np.ndarray  # USD in progress at the start
    lag_x: np.ndarray  # months from capex to use
    life_x: np.ndarray  # months, blended
    share_x: np.ndarray  # of depreciation that is the segment's


class Group(NamedTuple):
    """Outputs (G, M, L)."""

    capex_cash: np.ndarray
    depreciation: np.ndarray
    burden: np.ndarray  # the segment's part of depreciation
    free_cash_flow: np.ndarray
    outside: np.ndarray  # payouts and equity bought: cash that leaves outside of free cash flow
    borrowed: np.ndarray
    repaid: np.ndarray
    cash: np.ndarray
    debt: np.ndarray


@piece
def existing_month(wear, m, months):
    """Depreciation of what was in use at the start, as its cohorts wear out one after the other."""
    return wear * max(1.0 - (m + 1.0) / max(months, SHORTEST), 0.0)


@piece
def deal_month(collected, release, energy, operations, rent, sold, income, tax):
    """Cash of a deal before capex, after tax on its income."""
    return collected + release + sold - energy - operations - rent - tax * income


@piece
def cash_month(cash, flow, outside, minimum, new_debt):
    """Borrowed, repaid and closing cash: the minimum is kept, new debt is repaid from what is above it."""
    before = cash + flow - outside
    borrowed = max(minimum - before, 0.0)
    repaid = min(max(before - minimum, 0.0), new_debt)
    return borrowed, repaid, before + borrowed - repaid


@entry
def deals_cash(j, tax_x, owner, ledger, collected, sold, invested, X, cash, bought):
    """Sum over the contracts of company j of their cash and of the equity bought, (M, L); sold and invested may have no rows."""
    cash[:] = 0.0
    bought[:] = 0.0
    for c in range(owner.shape[0]):
        if owner[c] == j:
            for m in range(cash.shape[0]):
                for i in range(cash.shape[1]):
                    cash[m, i] += deal_month(
                        collected[c, m, i], ledger.release[c, m, i], ledger.energy[c, m, i], ledger.operations[c, m, i],
                        ledger.rent[c, m, i], sold[c, m, i] if sold.shape[0] > 0 else 0.0, ledger.operating_income[c, m, i], X[tax_x, i],
                    )  # fmt: skip
                    bought[m, i] += invested[c, m, i] if invested.shape[0] > 0 else 0.0


@entry
def wear_company(g, table, capex, X, placed, out):
    """Depreciation of a company from its capex (M, L), and the segment's part; placed (M, L) is working space."""
    for i in range(capex.shape[1]):
        lag, life = max(X[table.lag_x[g], i], 0.0), max(X[table.life_x[g], i], SHORTEST)
        back, ago = np.floor(-lag), np.floor(-life)
        spent = 0.0
        for m in range(capex.shape[0]):
            spent += capex[m, i]
            out.depreciation[g, m, i] = spent  # cumulative capex, read below before it is overwritten
        for m in range(capex.shape[0]):
            began = min((m + 1.0) / lag, 1.0) if lag > 0.0 else 1.0
            placed[m, i] = X[table.progress_x[g], i] * began + read_curve(out.depreciation[g], m + int(back), -lag - back, i)
        for m in range(capex.shape[0]):
            new = even_month(placed[m, i], read_curve(placed, m + int(ago), -life - ago, i), 1.0, life)
            wear = existing_month(X[table.wear_x[g], i], m, X[table.existing_x[g], i]) + new
            out.depreciation[g, m, i] = wear
            out.burden[g, m, i] = wear * X[table.share_x[g], i]


@block
def company_block(table, owner, capex, ledger, collected, sold, invested, X, Y, out):
    """Fill `out`; capex (J, M, L) of all companies, owner (C,) company of each contract, collected (C, M, L) from customers."""
    months, lanes = capex.shape[1], capex.shape[2]
    flow, bought, placed = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((months, lanes))
    for g in range(table.company.shape[0]):
        j = table.company[g]
        deals_cash(j, table.tax_x[g], owner, ledger, collected, sold, invested, X, flow, bought)
        wear_company(g, table, capex[j], X, placed, out)
        operating, payouts = Y[table.operating_y[g]], Y[table.payouts_y[g]]
        for i in range(lanes):
            cash, opening = X[table.cash_x[g], i], X[table.debt_x[g], i]
            debt = opening
            for m in range(months):
                interest = (debt - opening) * X[table.interest_x[g], i] / 12.0
                spent = capex[j, m, i] * (1.0 - X[table.leased_x[g], i])
                free = operating[m, i] + flow[m, i] - interest - spent * (1.0 - X[table.incentives_x[g], i])
                outside = payouts[m, i] + bought[m, i]
                borrowed, repaid, cash = cash_month(cash, free, outside, X[table.minimum_x[g], i], debt - opening)
                debt += borrowed - repaid
                out.capex_cash[g, m, i], out.free_cash_flow[g, m, i], out.outside[g, m, i] = spent, free, outside
                out.borrowed[g, m, i], out.repaid[g, m, i], out.cash[g, m, i], out.debt[g, m, i] = borrowed, repaid, cash, debt
