"""How much of a contract's capacity has been ordered, and how much has been delivered (A-02, `firm_on`).

Axes    pools (K), contracts (C), months (M), lanes (L); path last.
Units   GPU in, shares out, 0 to 1.
Signs   both shares only rise: an order is not undone, a delivered tranche stays delivered.
Order within the month   at month end.
Source  model A-02: value is firm at signing, when the tranche is ordered, or when it is delivered.
"""

import numpy as np

from .compiled import block, piece


@piece
def tranche_month(total, planned_ahead, ready, ordered_before, delivered_before):
    """Ordered and delivered share of `total` GPUs, given those ordered by now (planned `lead` months ahead) and ready now."""
    safe = max(total, 1e-300)
    ordered = max(ordered_before, min(planned_ahead, total) / safe)
    delivered = max(delivered_before, min(ready, total) / safe)
    return ordered, delivered


@block
def tranche_block(pool_contract, planned, ready, lead_x, X, ordered, delivered):
    """Fill `ordered` and `delivered` (C, M, L).

    pool_contract  (K,)       contract of each pool
    planned        (K, M, L)  GPU, the signed schedule
    ready          (K, M, L)  GPU
    lead_x         (C,)       rows of X: months from order to planned delivery, taken as whole months
    """
    pools, months, lanes = planned.shape
    total = np.zeros(lanes)
    ahead = np.zeros(lanes)
    there = np.zeros(lanes)
    for c in range(ordered.shape[0]):
        for m in range(months):
            total[:] = 0.0
            ahead[:] = 0.0
            there[:] = 0.0
            for k in range(pools):
                if pool_contract[k] == c:
                    for i in range(lanes):
                        later = min(months - 1, m + int(X[lead_x[c], i] + 0.5))
                        total[i] += planned[k, months - 1, i]
                        ahead[i] += planned[k, later, i]
                        there[i] += ready[k, m, i]
            for i in range(lanes):
                before = ordered[c, m - 1, i] if m > 0 else 0.0
                was = delivered[c, m - 1, i] if m > 0 else 0.0
                ordered[c, m, i], delivered[c, m, i] = tranche_month(total[i], ahead[i], there[i], before, was)
