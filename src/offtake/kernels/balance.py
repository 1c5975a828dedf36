"""The identities: what must add up in every month of every path, and by how much it does not.

**Axes**    items (contracts C, pools K, customers U), months (M), lanes (L); path last.
**Units**   USD or GPU-h in, relative errors out.
**Signs**   a residual is what comes in less what goes out less what is left; an error is its size over the gross flows.
**Order within the month**   opening, flows, closing.
**Source**  model A-02, A-04, A-10, C-04, C-09, S-05, V-01.

A month function gives the residual and the month's gross flows and stocks. The error is taken against the largest gross on the
path so far, at least 1, so that the last cent of a contract is not measured against itself. What is not a finite number is
off without end. `kernels/balanced` has the loops; each leaves in `worst` the largest error and the first month and lane that have it.

Nothing is divided but where it may matter: a month whose every lane stays below the worst error so far is passed over.
"""

from typing import NamedTuple

import numpy as np

from .compiled import piece, step

BELOW = 1.0 - 1e-12  # what stays below so much of the worst error is smaller, however it is rounded


class Weights(NamedTuple):
    """One identity's working arrays: `worst` (3,) out, an error, its month and its lane; per lane the size of the month's residual, the
    largest gross so far, nothing, and two running sums, all (L,)."""

    worst: np.ndarray
    size: np.ndarray
    gross: np.ndarray
    nothing: np.ndarray
    sum: np.ndarray
    other: np.ndarray


def weights(count, lanes):
    """Working arrays of so many identities for the first `lanes` paths of a block, nothing of it wrong yet."""
    return [Weights(worst, *rows) for worst, rows in zip(np.zeros((count, 3)), np.zeros((count, len(Weights._fields) - 1, lanes)))]


@step
def begin(w):
    """Before the first month of an item."""
    for i in range(w.gross.shape[0]):
        w.gross[i], w.sum[i], w.other[i] = 1.0, 0.0, 0.0


@step
def least_of(w):
    """The error that a lane must reach for its month to be looked at."""
    return w.worst[0] * BELOW


@piece
def weigh(left, gross, least, i, w):
    """Take in the residual and the gross of an item's month; 1 where its error may be the worst, else 0."""
    size = abs(left)
    size = size if size + gross < np.inf else np.inf
    most = gross if gross > w.gross[i] else w.gross[i]
    w.size[i], w.gross[i] = size, most
    return 1 if (size > least * most or size == np.inf) else 0


@step
def keep_worst(m, w):
    """The worst error so far, now that month m of an item is in `size` and `gross`; of equal ones the first month's, then lane's."""
    for i in range(w.size.shape[0]):
        error = np.inf if w.size[i] == np.inf else w.size[i] / w.gross[i]
        before = m < w.worst[1] or (m == w.worst[1] and i < w.worst[2])
        if error > w.worst[0] or (error == w.worst[0] and before):
            w.worst[0], w.worst[1], w.worst[2] = error, float(m), float(i)


@piece
def rpo_month(opening, new, remeasured, in_scope, terminated, lapsed, closing):
    """RPO rolls forward (A-02)."""
    gross = abs(opening) + abs(new) + abs(remeasured) + abs(in_scope) + abs(closing)
    return opening + new + remeasured - in_scope - terminated - lapsed - closing, gross


@piece
def scope_month(revenue, in_scope, out_scope):
    """All revenue is in the scope of RPO or out of it (A-10)."""
    return revenue - in_scope - out_scope, abs(revenue)


@piece
def value_month(earned, rpo, not_in_rpo, gone, total):
    """Signed value is earned, still to come, terminated or lapsed (A-10); sums to date, `gone` less what options added."""
    return earned + rpo + not_in_rpo + gone - total, abs(earned) + abs(total)


@piece
def liability_month(opening, received, interest, drawdown, refunded, closing):
    """The contract liability rolls forward (C-09)."""
    return opening + received + interest - drawdown - refunded - closing, abs(opening) + abs(received) + abs(drawdown)


@piece
def makeup_month(opening, opened, taken, expired, closing):
    """Make-up rights roll forward (C-04), in GPU-h."""
    return opening + opened - taken - expired - closing, abs(opening) + abs(opened) + abs(taken)


@piece
def committed_month(planned_hours, early, ready_hours, late):
    """Hours of the signed schedule come as ready or late (S-05)."""
    return planned_hours + early - ready_hours - late, abs(planned_hours) + abs(early)


@piece
def ready_month(ready_hours, offered, down):
    """Ready hours are offered or down (S-05)."""
    return ready_hours - offered - down, abs(ready_hours)


@piece
def offered_month(capacity, used, idle, offered):
    """Hours open to the customer are used or idle (S-05)."""
    return capacity - used - idle, abs(offered)


@piece
def filled_month(used, useful, overhead, unfilled):
    """Hours used are useful, overhead or unfilled (S-05, R-03)."""
    return used - useful - overhead - unfilled, abs(used)


@piece
def cash_month(opening, earned, raised, paid, closing):
    """The customer's cash rolls forward (V-01); what it earned includes what was paid for its equity."""
    return opening + earned + raised - paid - closing, abs(opening) + abs(earned) + abs(paid)


@piece
def consideration_month(opening, given, contra, closing):
    """Equity given ahead of revenue rolls forward (C-10)."""
    return opening + given - contra - closing, abs(opening) + abs(given) + abs(contra)


@piece
def property_month(opening, capex, depreciation, gone, closing):
    """Property rolls forward (A-04); `gone` is sold or written down."""
    return opening + capex - depreciation - gone - closing, abs(opening) + abs(capex) + abs(closing)


@piece
def bill_month(invoiced, drawn, asset, deferred, revenue):
    """Debits = credits of a bill (A-10): receivable + contract liability + what the contract asset gains = deferred + revenue."""
    return invoiced + drawn + asset - deferred - revenue, abs(invoiced) + abs(drawn) + abs(revenue)


@piece
def payment_month(paid, refunded, invoiced, received, gained, receivable):
    """Debits = credits of a payment (A-10): cash + refund = billed + prepayment due - what the receivable gains."""
    return paid + refunded - (invoiced + received - gained), abs(invoiced) + abs(received) + abs(receivable)


@piece
def company_month(opening, free, outside, borrowed, repaid, closing):
    """A company's cash less its debt rolls forward (A-09)."""
    return opening + free - outside + borrowed - repaid - closing, abs(opening) + abs(free) + abs(outside) + abs(closing)
