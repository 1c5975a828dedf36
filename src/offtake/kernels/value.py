"""What a deal is worth, and what idle hours cost whom.

Axes    contracts (C), pools (K), causes (3), months (M), lanes (L); path last.
Units   USD at month 0; USD of each month.
Signs   npv is positive where cash in exceeds cash out; idle cost is a positive amount.
Order within the month   month-end discounting: month m by (1 + rate) ^ ((m + 1) / 12).
Source  model V-06 (before tax, no terminal value, spending before month 0 is sunk), P-06, S-05.
"""

import numpy as np
from numba import njit

from .draw import exp_, log_


@njit(cache=True, inline="always", error_model="numpy")
def cash_month(collected, release, capex, energy, operations, rent):
    """Cash to the provider in a month, before tax."""
    return collected + release - capex - energy - operations - rent


@njit(cache=True, nogil=True, error_model="numpy")
def npv_block(ledger, collected, rate_x, X, out):
    """Fill `out` (C, L) with present values at month 0 of collected (C, M, L) and the ledger's costs."""
    for c in range(out.shape[0]):
        for i in range(out.shape[1]):
            step = exp_(-log_(1.0 + X[rate_x[c], i]) / 12.0)
            discount, total = 1.0, 0.0
            for m in range(collected.shape[1]):
                discount *= step
                total += discount * cash_month(
                    collected[c, m, i], ledger.release[c, m, i], ledger.capex[c, m, i], ledger.energy[c, m, i],
                    ledger.operations[c, m, i], ledger.rent[c, m, i],
                )  # fmt: skip
            out[c, i] = total


@njit(cache=True, inline="always", error_model="numpy")
def idle_month(hours, all_idle, billed_idle, price):
    """Cost of one cause's idle hours to the customer (billed and not used) and to the provider (the rest)."""
    paid = hours * min(billed_idle / max(all_idle, 1e-300), 1.0)
    return paid * price, (hours - paid) * price


@njit(cache=True, nogil=True, error_model="numpy")
def idle_block(pool_contract, idle, price, charge, used, out):
    """Fill `out` (2, 3, C, M, L): customer and provider, by cause, from idle (3, K, M, L) GPU-h."""
    months, lanes = price.shape[1], price.shape[2]
    out[:] = 0.0
    hours = np.zeros((3, months, lanes))
    for c in range(price.shape[0]):
        hours[:] = 0.0
        for k in range(pool_contract.shape[0]):
            if pool_contract[k] == c:
                for cause in range(3):
                    for m in range(months):
                        for i in range(lanes):
                            hours[cause, m, i] += idle[cause, k, m, i]
        for m in range(months):
            for i in range(lanes):
                whole = hours[0, m, i] + hours[1, m, i] + hours[2, m, i]
                billed = max(charge[c, m, i] / max(price[c, m, i], 1e-300) - used[c, m, i], 0.0)
                for cause in range(3):
                    mine, theirs = idle_month(hours[cause, m, i], whole, billed, price[c, m, i])
                    out[0, cause, c, m, i], out[1, cause, c, m, i] = mine, theirs
