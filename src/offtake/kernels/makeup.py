"""Make-up: hours paid as a deficiency and taken later, oldest first, until the right expires.

Axes    contracts (C), months (M), lanes (L); path last.
Units   GPU-h, USD.
Signs   all >= 0. balance opening + opened - taken - expired = closing, in GPU-h; owed is what of it is not yet revenue, in USD.
Order within the month   make-up taken, what is too old expires, a deficiency opens a new right.
Source  model C-02, C-04, A-01 (ASC 606-10-55-46 to 55-49: customers' unexercised rights).
"""


from .compiled import entry, piece


@piece
def makeup_month(used, committed, due_left, balance):
    """GPU-h of make-up taken: use beyond what is still due in the period, and none while any of that is missing (C-04)."""
    own = max(due_left, 0.0)
    return min(balance, used - own) if own <= min(used, committed) else 0.0


@piece
def expired_month(balance, stale, taken, over):
    """GPU-h that expire: of `stale`, too old by now, what is not taken this month; all of the balance once the contract is over."""
    return balance if over > 0.0 else min(max(stale - taken, 0.0), balance)


@entry
def advance(c, m, i, head, left, out_hours, opened):
    """Oldest right with hours left and how many, after `out_hours` went in month m; rights are opened[c, :, i] by month."""
    while head < m and out_hours >= left:
        out_hours -= left
        head += 1
        left = opened[c, head, i]
    return head, max(left - out_hours, 0.0)


@entry
def owed_month(c, m, i, head, left, opened, price, breakage, remote):
    """USD of rights not yet revenue at the end of month m (A-01).

    An hour taken earns 1 / (1 - breakage) of its price: what will never be taken is earned in proportion to what is. A right is
    earned in full `remote` months after it was opened, when taking the rest is no longer to be expected.
    """
    owed = 0.0
    for n in range(head, m + 1):
        if m - n < remote:
            taken = opened[c, n, i] - left if n == head else 0.0
            owed += price[c, n, i] * max(opened[c, n, i] - taken / max(1.0 - breakage, 1e-12), 0.0)
    return owed
