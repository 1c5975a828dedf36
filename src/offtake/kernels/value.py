"""What a deal is worth, what idle hours cost whom, and how far the obligations lean on one provider.

**Axes**    contracts (C), pools (K), causes (3), months (M), lanes (L); path last.
**Units**   USD at month 0; USD of each month; shares 0 to 1.
**Signs**   npv is positive where cash in exceeds cash out; idle cost is a positive amount, customer + provider = hours x price.
            When a true-up bills idle hours of months gone by, their cost moves from the provider to the customer in that month.
**Order within the month**   month-end discounting: month m by (1 + rate) ^ -((m + 1) / 12).
**Source**  model V-05, V-06 (before tax, no terminal value, nothing from before month 0), P-06, C-02, C-03.
"""

import numpy as np

from .compiled import apart, block, piece
from .draw import exp_, log_

TINY = 1e-300  # keeps 0 / 0 at 0


@piece
def cash_month(collected, release, capex, energy, operations, rent):
    """Cash to the provider in a month, before tax (V-06)."""
    return collected + release - capex - energy - operations - rent


@block
def npv_block(ledger, collected, rate_x, X, out):
    """Fill `out` (C, L) with present values at month 0.

    ledger     what accounts.ledger_block filled
    collected  (C, M, L) USD from the customer
    rate_x     (C,) rows of X: the provider's yearly discount rate
    """
    lanes = out.shape[1]
    step, discount = np.empty(lanes), np.empty(lanes)
    for c in range(out.shape[0]):
        rate, npv = X[rate_x[c]], out[c]
        for i in range(lanes):
            step[i] = exp_(-log_(1.0 + rate[i]) / 12.0)
            discount[i] = 1.0
            npv[i] = 0.0
        for m in range(collected.shape[1]):
            paid, release, capex = collected[c, m], ledger.release[c, m], ledger.capex[c, m]
            energy, operations, rent = ledger.energy[c, m], ledger.operations[c, m], ledger.rent[c, m]
            for i in range(lanes):
                discount[i] *= step[i]
                npv[i] += discount[i] * cash_month(paid[i], release[i], capex[i], energy[i], operations[i], rent[i])


@block
def add_block(flow, sign, rate_x, X, npv):
    """Add the present value of one more flow (C, M, L), times `sign`, to the deals' (C, L), in place."""
    lanes = npv.shape[1]
    step, discount = np.empty(lanes), np.empty(lanes)
    for c in range(flow.shape[0]):
        rate, total = X[rate_x[c]], npv[c]
        for i in range(lanes):
            step[i], discount[i] = exp_(-log_(1.0 + rate[i]) / 12.0), 1.0
        for m in range(flow.shape[1]):
            now = flow[c, m]
            for i in range(lanes):
                discount[i] *= step[i]
                total[i] += sign * discount[i] * now[i]


@piece
def idle_month(hours, waiting, paid_share, price):
    """One cause: USD to the customer (billed and not used), USD to the provider, and hours nobody was billed for yet."""
    paid = (hours + waiting) * paid_share
    return paid * price, (hours - paid) * price, hours + waiting - paid


@piece
def paid_idle_month(charge, price, used, idle, waiting):
    """Share of the idle hours of this month and of those still waiting for a true-up that the charge covers (C-02, C-03)."""
    billed = max(charge / max(price, TINY) - used, 0.0)
    return min(billed / max(idle + waiting, TINY), 1.0)


@apart
def paid_shares(c, m, price, charge, used, waiting, share, out):
    """Share of all idle hours of contract c, this month's and those waiting (3, L), that the charge covers: `share` (L,), filled."""
    a, b, d = out[1, 0, c, m], out[1, 1, c, m], out[1, 2, c, m]
    before, later, last = waiting[0], waiting[1], waiting[2]
    for i in range(share.shape[0]):
        behind = before[i] + later[i] + last[i]
        share[i] = paid_idle_month(charge[i], price[i], used[i], a[i] + b[i] + d[i], behind)


@apart
def split_cause(price, share, waiting, mine, theirs):
    """One cause of a month: `theirs` (L,) comes as hours and leaves as USD to the provider; `mine` is the customer's."""
    for i in range(share.shape[0]):
        mine[i], theirs[i], left = idle_month(theirs[i], waiting[i], share[i], price[i])
        waiting[i] = 0.0 if share[i] > 0.0 else left  # a bill closes what was open


@apart
def add_hours(hours, total):
    """Add (M, L) to (M, L)."""
    for m in range(hours.shape[0]):
        for i in range(hours.shape[1]):
            total[m, i] += hours[m, i]


@block
def idle_block(pool_contract, idle, price, charge, used, out):
    """Fill `out` (2, 3, C, M, L) USD: customer and provider, by cause.

    idle    (3, K, M, L) GPU-h by cause
    price   (C, M, L) USD/GPU-h;  charge (C, M, L) USD billed for base and deficiency;  used (C, M, L) GPU-h
    """
    months, lanes = price.shape[1], price.shape[2]
    waiting, share = np.empty((3, lanes)), np.empty(lanes)
    for c in range(price.shape[0]):
        waiting[:] = 0.0
        for cause in range(3):
            out[1, cause, c] = 0.0
            for k in range(pool_contract.shape[0]):
                if pool_contract[k] == c:
                    add_hours(idle[cause, k], out[1, cause, c])  # hours, until they are priced below
        for m in range(months):
            paid_shares(c, m, price[c, m], charge[c, m], used[c, m], waiting, share, out)
            for cause in range(3):
                split_cause(price[c, m], share, waiting[cause], out[0, cause, c, m], out[1, cause, c, m])


@block
def concentration_block(provider, obligations, herfindahl, largest):
    """How the obligations of each month spread over providers (V-05); NaN in a month without any.

    provider            (C,) int64 company number
    obligations         (C, M, L) USD, >= 0
    herfindahl, largest (M, L) out   sum of squared shares; the largest share
    """
    companies = 0
    for c in range(provider.shape[0]):
        companies = max(companies, provider[c] + 1)
    lanes = obligations.shape[2]
    owed, total = np.empty((companies, lanes)), np.empty(lanes)
    for m in range(obligations.shape[1]):
        owed[:] = 0.0
        total[:] = 0.0
        for c in range(provider.shape[0]):
            owed[provider[c]] += obligations[c, m]
            total += obligations[c, m]
        herfindahl[m], largest[m] = 0.0, 0.0
        for j in range(companies):
            for i in range(lanes):
                share = owed[j, i] / total[i]
                herfindahl[m, i] += share * share
                largest[m, i] = max(largest[m, i], share) if total[i] > 0.0 else np.nan
