"""How much of a contract's capacity has been ordered, and how much has been delivered (A-02, `firm_on`).

Axes    pools (K), contracts (C), months (M), lanes (L); path last.
Units   GPU in, shares out, 0 to 1.
Signs   both shares only rise: an order is not undone, a delivered tranche stays delivered.
Order within the month   at month end.
Source  model A-02: value is firm at signing, when the tranche is ordered, or when it is delivered.
"""

import numpy as np

from .compiled import apart, block, piece


@piece
def tranche_month(total, planned_ahead, ready, ordered_before, delivered_before):
    """Ordered and delivered share of `total` GPUs, given those ordered by now (planned `lead` months ahead) and ready now."""
    safe = max(total, 1e-300)
    ordered = max(ordered_before, min(planned_ahead, total) / safe)
    delivered = max(delivered_before, min(ready, total) / safe)
    return ordered, delivered


@apart
def add_ahead(planned, m, even, lead, ahead):
    """Add to `ahead` (L,) what of planned (M, L) stands `lead` (L,) months after m; `even`: in all lanes the same number of months."""
    last = planned.shape[0] - 1
    if even:
        later = planned[min(last, m + lead[0])]
        for i in range(ahead.shape[0]):
            ahead[i] += later[i]
    else:
        for i in range(ahead.shape[0]):
            ahead[i] += planned[min(last, m + lead[i]), i]


@apart
def add_row(row, total):
    """Add (L,) to (L,)."""
    for i in range(total.shape[0]):
        total[i] += row[i]


@apart
def share_month(total, ahead, there, before, was, ordered, delivered):
    """`tranche_month` of all lanes."""
    for i in range(total.shape[0]):
        ordered[i], delivered[i] = tranche_month(total[i], ahead[i], there[i], before[i], was[i])


@block
def tranche_block(pool_contract, planned, ready, lead_x, X, ordered, delivered):
    """Fill `ordered` and `delivered` (C, M, L).

    pool_contract  (K,)       contract of each pool
    planned        (K, M, L)  GPU, the signed schedule
    ready          (K, M, L)  GPU
    lead_x         (C,)       rows of X: months from order to planned delivery, taken as whole months
    """
    pools, months, lanes = planned.shape
    total, ahead, there, nothing = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    lead = np.zeros(lanes, np.int64)
    for c in range(ordered.shape[0]):
        total[:] = 0.0
        for k in range(pools):
            if pool_contract[k] == c:
                add_row(planned[k, months - 1], total)
        even = True
        for i in range(lanes):
            lead[i] = int(X[lead_x[c], i] + 0.5)
            even = even and lead[i] == lead[0]
        for m in range(months):
            ahead[:] = 0.0
            there[:] = 0.0
            for k in range(pools):
                if pool_contract[k] == c:
                    add_ahead(planned[k], m, even, lead, ahead)
                    add_row(ready[k, m], there)
            before, was = (ordered[c, m - 1], delivered[c, m - 1]) if m > 0 else (nothing, nothing)
            share_month(total, ahead, there, before, was, ordered[c, m], delivered[c, m])
