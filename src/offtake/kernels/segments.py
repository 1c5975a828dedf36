"""What an hour costs at the margin: each pool's offered hours as segments that are paid whether used or not, or priced.

Axes    contracts (C), pools (K), segments (Q), months (M), lanes (L); path last.
Units   GPU-h, USD/GPU-h; shares 0 to 1.
Signs   all outputs >= 0; the segments of a pool add up to its offered hours while its contract stands.
Order within the month   after what is promised and what the customer keeps of it, before placement.
Source  model P-02, C-02, C-08.
"""

import numpy as np

from .compiled import apart, block, entry, piece
from .schedule import BUILD_UP, BURN_DOWN, RESERVED, YEARLY, amount_of_period, began, due_month, gather


@piece
def segment_month(kind, offered, due_share, committed_share):
    """GPU-h of one segment (P-02): 0 paid whether used or not, 1 up to the commitment, 2 beyond it."""
    free = offered * due_share
    pay = offered * max(committed_share - due_share, 0.0)
    return free if kind == 0 else (pay if kind == 1 else max(offered - free - pay, 0.0))


@entry
def free_share(c, terms, schedule, offered, X, out):
    """Share of a contract's offered hours that its amount in USD pays, the same in all months of a commitment year (P-02), (M, L).

    While the amount exceeds what can still be used every hour is free; else it is spread over the hours offered, pro rata.
    """
    yearly = terms.true_up[c] == YEARLY and terms.form[c] == BUILD_UP
    first = max(terms.starts[c], 0)
    for i in range(out.shape[1]):
        term = int(X[terms.term_x[c], i] + 0.5)
        m, last = first, min(terms.starts[c] + term, out.shape[0])
        while m < last:
            since = m - terms.starts[c]
            closing = terms.starts[c] + min(12 * (since // 12 + 1) if yearly else term, term)
            end = min(closing, last)
            amount, length = amount_of_period(c, i, since, terms, X)
            amount *= (closing - m) / length
            if m == 0 and terms.consumed_x[c] >= 0:
                _, taken, owed = began(c, i, terms, X)
                amount = max(amount + owed - taken, 0.0)
            worth = 0.0
            for n in range(m, end):
                worth += schedule.price[c, n, i] * offered[n, i]
            share = min(amount * (end - m) / (closing - m) / max(worth, 1e-300), 1.0)
            for n in range(m, end):
                out[n, i] = share
            m = end


@apart
def paid_share(c, m, amount, terms, schedule, served, share, free, within, paid):
    """Shares of a contract's offered hours up to the commitment, `within`, and paid whether used or not, `paid`; all (L,)."""
    committed, available = schedule.committed[c, m], schedule.available[c, m]
    reserved, limited, blocked = terms.form[c] == RESERVED, terms.allows_overage[c] == 1, terms.gpus_x[c] >= 0
    for i in range(paid.shape[0]):
        due = due_month(committed[i], available[i], share[i])
        due = available[i] if reserved else due
        whole = max(served[i], 1e-300)
        most = min(committed[i] / whole, 1.0) if limited else 1.0  # without overage terms no offered hour lies beyond
        most = min(available[i] / whole, 1.0) if blocked else most  # .. but those that a block does not hold
        most = free[i] if amount else most
        within[i], paid[i] = most, most if share[i] >= 1.0 else min(due / whole, most)


@apart
def price_segment(c, m, kind, by_chip, schedule, alive, offered, listed, dear, within, paid, cap, cost):
    """Capacity and marginal cost of one segment in a month; `listed` (L,) is the chip's price where that counts."""
    price, factor, inside = schedule.price[c, m], schedule.factor[c, m], schedule.in_term[c, m]
    for i in range(cap.shape[0]):
        cap[i] = segment_month(kind, offered[i], paid[i], within[i]) * (alive[i] * inside[i])
        each = listed[i] * factor[i] if by_chip else price[i]
        cost[i] = 0.0 if kind == 0 else (each if kind == 1 else dear[i])


@block
def segments_block(terms, schedule, alive, pool_contract, offered, seg_pool, seg_kind, X, Y, cap, cost):
    """Fill capacity (GPU-h) and marginal cost (USD/GPU-h) of all segments; a contract's due share falls on its pools pro rata."""
    months, lanes = offered.shape[1], offered.shape[2]
    served, free = np.zeros((months, lanes)), np.zeros((months, lanes))
    within, paid = np.zeros(lanes), np.zeros(lanes)
    for q in range(seg_pool.shape[0]):
        k = seg_pool[q]
        c = pool_contract[k]
        gather(c, pool_contract, offered, served)
        in_usd, by_chip, priced = terms.form[c] >= BURN_DOWN, terms.price_k[k] >= 0, terms.overage_y[c] >= 0
        if in_usd:
            free_share(c, terms, schedule, served, X, free)
        for m in range(months):
            dear = Y[terms.overage_y[c], m] if priced else schedule.price[c, m]
            listed = Y[terms.price_k[k], m] if by_chip else schedule.price[c, m]
            paid_share(c, m, in_usd, terms, schedule, served[m], X[terms.take_or_pay_x[c]], free[m], within, paid)
            price_segment(
                c, m, seg_kind[q], by_chip, schedule, alive[c, m], offered[k, m], listed, dear, within, paid, cap[q, m], cost[q, m]
            )  # fmt: skip


@apart
def add_rows(values, first, out):
    """Add (M, L) to (M, L), or set it where it is the first."""
    for m in range(out.shape[0]):
        row, total = values[m], out[m]
        for i in range(out.shape[1]):
            total[i] = row[i] if first else total[i] + row[i]


@block
def sum_block(use, seg_pool, cap, used, capacity):
    """Hours used (K, M, L) over workloads, from use (W, K, M, L), and open (K, M, L), from segments' rooms (Q, M, L); pool by pool,
    each of which has both."""
    for k in range(used.shape[0]):
        first = True
        for n in range(use.shape[0]):
            add_rows(use[n, k], n == 0, used[k])
        for q in range(seg_pool.shape[0]):
            if seg_pool[q] == k:
                add_rows(cap[q], first, capacity[k])
                first = False
