"""What becomes of property after the plan: chips replaced and sold, another useful life, and stranded property written down.

**Axes**    pools with such terms (Q), pools (K), contracts (C), months (M), lanes (L); path last.
**Units**   USD, GPU; shares 0 to 1.
**Signs**   all outputs >= 0. property opening + capex - depreciation - sold - impairment = closing.
**Order within the month**   chips reach their life's end, are replaced and sold; wear; what is stranded is tested and written down.
**Source**  model A-04; ASC 360-10-35-17 (two steps), 35-20 (the lower amount is the new cost).

A chip wears to its resale value. Within the term it is replaced at its life's end where the contract says so, once, and sold; else it works
on, worn out, and is sold at the end of the term, or of its life where that comes later. Sales are at book value: no gain.

Property of a contract is one group. It is tested when a share of the contract ends and when the term does. Step one: what it is expected to
bring in over the months it has left, undiscounted, at this month's prices: the contract's bills while they last, the market after that,
running costs off. Step two, where that is less than the carrying amount: down to the same, discounted at the provider's rate.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .accounts import SHORTEST, even_month, read_curve
from .draw import exp_, log_
from .lease import annuity


class WearTerms(NamedTuple):
    """One row a pool whose chips are sold, replaced, outlived by their contract, or asked about at another life; `_x` rows of X."""

    pool: np.ndarray
    contract: np.ndarray
    resale_x: np.ndarray  # share of the cost
    replace_x: np.ndarray  # cost of the next chip over that of the first; -1: not replaced
    other_x: np.ndarray  # months; -1: not asked


class Wear(NamedTuple):
    """Outputs (C, M, L); all but `impairment` have no rows where no pool has such terms."""

    impairment: np.ndarray
    sold: np.ndarray  # proceeds, at book value
    worn_out: np.ndarray  # stock: GPU at work beyond their life
    depreciation_if: np.ndarray  # at the other useful life


@njit(cache=True, nogil=True, error_model="numpy")
def use_curve(ready, sunk, use):
    """GPUs that have come into use (M, L)."""
    for m in range(use.shape[0]):
        for i in range(use.shape[1]):
            use[m, i] = max(ready[m, i], use[m - 1, i] if m > 0 else sunk[i])


@njit(cache=True, forceinline=True, error_model="numpy")
def months_ago(curve, m, months, i):
    """A curve so many months before m."""
    back = np.floor(-months)
    return read_curve(curve, m + int(back), -months - back, i)


@njit(cache=True, nogil=True, error_model="numpy")
def wear_lane(c, i, cost, life, resale, again, other, end, use, next_use, ledger, out):
    """Replace, sell and wear one pool on one path; `again` < 0: not replaced; `other` <= 0: not asked; next_use (M, L) is working space."""
    gone, sold, net, life = 0.0, 0.0, 0.0, max(life, SHORTEST)
    for m in range(use.shape[0]):
        ago = months_ago(use, m, life, i)
        own = even_month(use[m, i], ago, cost, life)
        replaced = ago if (again >= 0.0 and m < end) else gone
        next_use[m, i] = replaced
        fresh = max(again, 0.0) * cost
        wear = own * (1.0 - resale) + even_month(replaced, months_ago(next_use, m, life, i), fresh * (1.0 - resale), life)
        sell = max(ago if (again >= 0.0 or m >= end) else 0.0, sold)
        spent, proceeds = fresh * (replaced - gone), resale * cost * (sell - sold)
        net += spent - (wear - own) - proceeds
        ledger.capex[c, m, i] += spent
        ledger.in_service[c, m, i] += fresh * replaced - resale * cost * sell
        ledger.depreciation[c, m, i] += wear - own
        ledger.net[c, m, i] += net
        ledger.operating_income[c, m, i] -= wear - own
        out.sold[c, m, i] += proceeds
        out.worn_out[c, m, i] += ago - sell if again < 0.0 else 0.0
        if other > 0.0:
            asked = even_month(use[m, i], months_ago(use, m, other, i), cost, other)
            out.depreciation_if[c, m, i] += (asked - own) * (1.0 - resale)
        gone, sold = replaced, sell


@njit(cache=True, nogil=True, error_model="numpy")
def wear_block(table, costs, terms, ready, sunk, X, ledger, out):
    """Change `ledger` (in place) by what is replaced and sold, and fill `out` but for `impairment`; ready (K, M, L), sunk (K, L) GPU."""
    months, lanes = ready.shape[1], ready.shape[2]
    use, next_use = np.empty((months, lanes)), np.empty((months, lanes))
    out.sold[:] = 0.0
    out.worn_out[:] = 0.0
    out.depreciation_if[:] = 0.0
    for q in range(table.pool.shape[0]):
        k, c = table.pool[q], table.contract[q]
        use_curve(ready[k], sunk[k], use)
        for i in range(lanes):
            end = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
            again = X[table.replace_x[q], i] if table.replace_x[q] >= 0 else -1.0
            other = max(X[table.other_x[q], i], SHORTEST) if table.other_x[q] >= 0 else -1.0
            wear_lane(
                c, i, X[costs.cost_x[costs.pool_chip[k]], i], X[costs.life_x[k], i], X[table.resale_x[q], i], again, other, end, use,
                next_use, ledger, out,
            )  # fmt: skip
    for c in range(out.depreciation_if.shape[0]):
        out.depreciation_if[c] += ledger.depreciation[c]


@njit(cache=True, forceinline=True, error_model="numpy")
def impairment_test(carrying, months, term_left, under, after, rate):
    """Loss of a group (360-10-35-17): none while undiscounted cash covers it; else down to the discounted cash."""
    within = min(term_left, months)
    beyond = months - within
    if carrying <= within * under + beyond * after:
        return 0.0
    worth = annuity(within, rate) * under + exp_(-within * log_(1.0 + rate)) * annuity(beyond, rate) * after
    return min(max(carrying - worth, 0.0), carrying)


@njit(cache=True, nogil=True, error_model="numpy")
def impair_lane(c, i, end, rate, schedule, alive, ledger, out):
    """Test and write down one contract's property on one path; what was written down no longer wears."""
    written, before, was_in, opening = 0.0, 1.0, 0.0, ledger.opening[c, i]
    for m in range(alive.shape[1]):
        net, wear, live, inside = ledger.net[c, m, i], ledger.depreciation[c, m, i], alive[c, m, i], schedule.in_term[c, m, i]
        gross = opening + ledger.capex[c, m, i]
        relief = min(written * wear / gross, written) if gross > 0.0 else 0.0
        written -= relief
        loss = 0.0
        if (live < before * (1.0 - 1e-12) or inside < was_in) and net - written > 0.0 and wear > 0.0:
            running = ledger.energy[c, m, i] + ledger.operations[c, m, i] + ledger.rent[c, m, i]
            bills = schedule.price[c, m, i] * schedule.available[c, m, i]
            under = max(live * bills + (1.0 - live) * ledger.resale[c, m, i] - running, 0.0)
            after = max(ledger.resale[c, m, i] - running, 0.0)
            term_left = float(max(end - m - 1, 0)) * inside
            loss = impairment_test(net - written, net / wear, term_left, under, after, rate)
            written += loss
        out.impairment[c, m, i] = loss
        ledger.depreciation[c, m, i] -= relief
        ledger.operating_income[c, m, i] += relief - loss
        ledger.net[c, m, i] -= written
        before, was_in, opening = live, inside, net


@njit(cache=True, nogil=True, error_model="numpy")
def impair_block(terms, rate_x, schedule, alive, X, ledger, out):
    """Fill `impairment` and change `ledger` (in place); rate_x (C,) rows of X: the provider's yearly discount rate."""
    for c in range(alive.shape[0]):
        for i in range(alive.shape[2]):
            end = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
            rate = exp_(log_(1.0 + X[rate_x[c], i]) / 12.0) - 1.0
            impair_lane(c, i, end, rate, schedule, alive, ledger, out)
