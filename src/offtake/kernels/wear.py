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

from .accounts import SHORTEST, even_month, read_curve
from .compiled import apart, block, piece, step
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


@apart
def use_curve(ready, sunk, use):
    """GPUs that have come into use (M, L)."""
    for m in range(use.shape[0]):
        for i in range(use.shape[1]):
            use[m, i] = max(ready[m, i], use[m - 1, i] if m > 0 else sunk[i])


@piece
def months_ago(curve, m, months, i):
    """A curve so many months before m."""
    back = np.floor(-months)
    return read_curve(curve, m + int(back), -months - back, i)


class Chips(NamedTuple):
    """One pool's chips on each path, all (L,): what they are, and where they stand when a month begins."""

    cost: np.ndarray
    life: np.ndarray
    resale: np.ndarray
    again: np.ndarray  # cost of the next chip over that of the first; below zero: not replaced
    other: np.ndarray  # another useful life, where one is asked about
    end: np.ndarray  # first month after the term
    gone: np.ndarray  # GPU replaced
    sold: np.ndarray  # GPU sold
    net: np.ndarray  # USD that property changed by so far


@step
def chips(q, k, c, table, costs, terms, X, s):
    """Fill `s` for pool k of contract c, row q of the table."""
    cost, life, resale = X[costs.cost_x[costs.pool_chip[k]]], X[costs.life_x[k]], X[table.resale_x[q]]
    for i in range(cost.shape[0]):
        s.cost[i], s.life[i], s.resale[i] = cost[i], max(life[i], SHORTEST), resale[i]
        s.again[i] = X[table.replace_x[q], i] if table.replace_x[q] >= 0 else -1.0
        s.other[i] = max(X[table.other_x[q], i], SHORTEST) if table.other_x[q] >= 0 else SHORTEST
        s.end[i] = float(terms.starts[c] + int(X[terms.term_x[c], i] + 0.5))
        s.gone[i] = s.sold[i] = s.net[i] = 0.0


@apart
def replace_month(m, use, s, next_use, replaced, sell):
    """GPUs replaced and sold by the end of month m: `replaced`, `sell` (L,), filled, as is row m of next_use (M, L); use (M, L)."""
    for i in range(sell.shape[0]):
        ago, again = months_ago(use, m, s.life[i], i), s.again[i] >= 0.0
        replaced[i] = ago if (again and m < s.end[i]) else s.gone[i]
        next_use[m, i] = replaced[i]
        sell[i] = max(ago if (again or m >= s.end[i]) else 0.0, s.sold[i])


@apart
def wear_month(c, m, replaces, use, next_use, replaced, sell, s, ledger, out):
    """What replacing, selling and wear of one pool change in month m; `replaces`: there is a next chip."""
    capex, depreciation = ledger.capex[c, m], ledger.depreciation[c, m]
    net, income = ledger.net[c, m], ledger.operating_income[c, m]
    sold, worn_out = out.sold[c, m], out.worn_out[c, m]
    for i in range(sell.shape[0]):
        cost, life, resale, again = s.cost[i], s.life[i], s.resale[i], s.again[i]
        ago = months_ago(use, m, life, i)
        own = even_month(use[m, i], ago, cost, life)
        fresh = max(again, 0.0) * cost
        next_ago = months_ago(next_use, m, life, i) if replaces else 0.0
        wear = own * (1.0 - resale) + even_month(replaced[i], next_ago, fresh * (1.0 - resale), life)
        spent, proceeds = fresh * (replaced[i] - s.gone[i]), resale * cost * (sell[i] - s.sold[i])
        s.net[i] += spent - (wear - own) - proceeds
        capex[i] += spent
        depreciation[i] += wear - own
        net[i] += s.net[i]
        income[i] -= wear - own
        sold[i] += proceeds
        worn_out[i] += ago - sell[i] if again < 0.0 else 0.0
        s.gone[i], s.sold[i] = replaced[i], sell[i]


@apart
def ask_month(c, m, use, s, out):
    """How much more would wear in month m at the other useful life."""
    asked = out.depreciation_if[c, m]
    for i in range(asked.shape[0]):
        own = even_month(use[m, i], months_ago(use, m, s.life[i], i), s.cost[i], s.life[i])
        other = even_month(use[m, i], months_ago(use, m, s.other[i], i), s.cost[i], s.other[i])
        asked[i] += (other - own) * (1.0 - s.resale[i])


@block
def wear_block(table, costs, terms, ready, sunk, X, ledger, out):
    """Change `ledger` (in place) by what is replaced and sold, and fill `out` but for `impairment`; ready (K, M, L), sunk (K, L) GPU."""
    months, lanes = ready.shape[1], ready.shape[2]
    use, next_use, w = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((11, lanes))
    s = Chips(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8])
    out.sold[:] = 0.0
    out.worn_out[:] = 0.0
    out.depreciation_if[:] = 0.0
    for q in range(table.pool.shape[0]):
        k, c = table.pool[q], table.contract[q]
        use_curve(ready[k], sunk[k], use)
        chips(q, k, c, table, costs, terms, X, s)
        for m in range(months):
            replace_month(m, use, s, next_use, w[9], w[10])
            wear_month(c, m, table.replace_x[q] >= 0, use, next_use, w[9], w[10], s, ledger, out)
        for m in range(months if table.other_x[q] >= 0 else 0):
            ask_month(c, m, use, s, out)
    for c in range(out.depreciation_if.shape[0]):
        out.depreciation_if[c] += ledger.depreciation[c]


@piece
def impairment_test(carrying, months, term_left, under, after, rate):
    """Loss of a group (360-10-35-17): none while undiscounted cash covers it; else down to the discounted cash."""
    within = min(term_left, months)
    beyond = months - within
    if carrying <= within * under + beyond * after:
        return 0.0
    worth = annuity(within, rate) * under + exp_(-within * log_(1.0 + rate)) * annuity(beyond, rate) * after
    return min(max(carrying - worth, 0.0), carrying)


class Carrying(NamedTuple):
    """A contract's property on each path when a month begins, and then in that month, all (L,)."""

    written: np.ndarray  # USD written down and not yet worn
    before: np.ndarray  # share of the contract that stood last month
    was_in: np.ndarray  # whether last month was inside the term
    opening: np.ndarray  # property before anything was written down
    relief: np.ndarray  # wear that falls away
    loss: np.ndarray
    tested: np.ndarray  # 1 where the group is tested


@apart
def relieve(c, m, live, inside, ledger, s):
    """Wear that falls away since it was written down, and whether the group is tested; returns whether any is."""
    net, wear, capex, some = ledger.net[c, m], ledger.depreciation[c, m], ledger.capex[c, m], 0
    for i in range(live.shape[0]):
        gross = s.opening[i] + capex[i]
        s.relief[i] = min(s.written[i] * wear[i] / gross, s.written[i]) if gross > 0.0 else 0.0
        s.written[i] -= s.relief[i]
        ended = live[i] < s.before[i] * (1.0 - 1e-12) or inside[i] < s.was_in[i]
        tested = ended and net[i] - s.written[i] > 0.0 and wear[i] > 0.0
        s.tested[i], s.loss[i] = 1.0 if tested else 0.0, 0.0
        some += 1 if tested else 0
    return some > 0


@apart
def test_month(c, m, end, rate, schedule, alive, ledger, s):
    """Losses of the groups that are tested; few months have any."""
    for i in range(s.loss.shape[0]):
        if s.tested[i] > 0.0:
            live, resale = alive[c, m, i], ledger.resale[c, m, i]
            running = ledger.energy[c, m, i] + ledger.operations[c, m, i] + ledger.rent[c, m, i]
            bills = schedule.price[c, m, i] * schedule.available[c, m, i]
            under = max(live * bills + (1.0 - live) * resale - running, 0.0)
            net, wear = ledger.net[c, m, i], ledger.depreciation[c, m, i]
            left = net - s.written[i]
            term_left = max(end[i] - m - 1.0, 0.0) * schedule.in_term[c, m, i]
            s.loss[i] = impairment_test(left, net / wear, term_left, under, max(resale - running, 0.0), rate[i])
            s.written[i] += s.loss[i]


@apart
def write_down(c, m, live, inside, s, ledger, out):
    """What the month's loss and relief change; what was written down no longer wears."""
    net, wear, income, impairment = ledger.net[c, m], ledger.depreciation[c, m], ledger.operating_income[c, m], out.impairment[c, m]
    for i in range(live.shape[0]):
        impairment[i] = s.loss[i]
        wear[i] -= s.relief[i]
        income[i] += s.relief[i] - s.loss[i]
        s.opening[i] = net[i]
        net[i] -= s.written[i]
        s.before[i], s.was_in[i] = live[i], inside[i]


@block
def impair_block(terms, rate_x, schedule, alive, X, ledger, out):
    """Fill `impairment` and change `ledger` (in place); rate_x (C,) rows of X: the provider's yearly discount rate."""
    w = np.empty((9, alive.shape[2]))
    s, end, rate = Carrying(w[0], w[1], w[2], w[3], w[4], w[5], w[6]), w[7], w[8]
    for c in range(alive.shape[0]):
        for i in range(alive.shape[2]):
            end[i] = float(terms.starts[c] + int(X[terms.term_x[c], i] + 0.5))
            rate[i] = exp_(log_(1.0 + X[rate_x[c], i]) / 12.0) - 1.0
            s.written[i], s.before[i], s.was_in[i], s.opening[i] = 0.0, 1.0, 0.0, ledger.opening[c, i]
        for m in range(alive.shape[1]):
            if relieve(c, m, alive[c, m], schedule.in_term[c, m], ledger, s):
                test_month(c, m, end, rate, schedule, alive, ledger, s)
            write_down(c, m, alive[c, m], schedule.in_term[c, m], s, ledger, out)
