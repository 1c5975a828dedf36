"""A contract as a service, an operating lease and a sales-type lease, side by side; and the one that is booked.

**Axes**    leased contracts (S), contracts (C), months (M), lanes (L); path last.
**Units**   USD; shares 0 to 1.
**Signs**   revenue of each treatment adds up to what is charged; payments to come and net investment >= 0.
**Order within the month**   termination and lapse, delivery, revenue, the bill; the last month takes what is left.
**Source**  model A-01, A-02; ASC 842-30-25-1 and 25-8 (sales-type), 842-30-25-11 (operating).

Each tranche is a lease that commences when it is delivered and ends with the term. Fixed payments are the signed value that is left on the
path, level over the months left. Hours beyond it, credits and penalties are variable: they are booked as they come, the same in all three.
Of a sales-type lease the present value is revenue at commencement and the rest is interest; its chips are expensed when they come into use.
"""

from typing import NamedTuple

import numpy as np

from .compiled import block, entry, piece
from .draw import exp_, log_

SERVICE, OPERATING, SALES_TYPE = 0, 1, 2
DUST = 1e-9  # of the total value: less is nothing left


class LeaseTerms(NamedTuple):
    """One row a contract that states the rate of a lease."""

    contract: np.ndarray
    booked: np.ndarray  # SERVICE, OPERATING or SALES_TYPE
    rate_x: np.ndarray  # rows of X: rate implicit in the lease, a year


class Leases(NamedTuple):
    """Outputs, all (S, M, L); no rows at all in a book without such a contract."""

    service: np.ndarray
    operating: np.ndarray
    sales_type: np.ndarray
    to_come: np.ndarray  # stock: fixed payments still to be charged, where the lease is what is booked
    investment: np.ndarray  # stock: net investment in the sales-type lease


@piece
def annuity(months, rate):
    """Present value of 1 at the end of each of so many months, at a monthly rate."""
    return (1.0 - exp_(-months * log_(1.0 + rate))) / rate if rate > 0.0 else months


@piece
def operating_month(commenced, earned, months_left):
    """Straight line whatever the billing: what has commenced and is not yet earned, over the months left (842-30-25-11)."""
    return max(commenced - earned, 0.0) / months_left


@piece
def sales_type_month(fresh, months_left, rate, investment):
    """Present value of what commences, and interest of the month on it and on the net investment (842-30-25-1, 25-8)."""
    sold = fresh / months_left * annuity(months_left, rate)
    return sold + (investment + sold) * rate


@piece
def within(accrued, earned, charged, whole, over):
    """Revenue of the month: never beyond the value that is left; at the end, what was charged and is not yet earned."""
    return charged - earned if over else min(accrued, whole - earned)


@entry
def lease_lane(s, c, i, terms, rate, schedule, settlement, delivered, X, out):
    """All months of one leased contract on one path."""
    whole, end = X[terms.total_x[c], i], terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
    dust = DUST * whole
    charged, straight, sold, investment, there = 0.0, 0.0, 0.0, 0.0, 0.0
    for m in range(out.operating.shape[1]):
        whole += settlement.added[c, m, i] - settlement.terminated[c, m, i] - settlement.lapsed[c, m, i]
        charge = settlement.charge[c, m, i]
        charged += charge
        share = delivered[c, m, i] if m >= terms.starts[c] else 0.0
        months_left = float(max(end - m, 1))
        over = schedule.ends[c, m, i] > 0.0 or whole - charged <= dust
        own = within(operating_month(share * whole, straight, months_left), straight, charged, whole, over)
        earned = within(sales_type_month(max(share - there, 0.0) * whole, months_left, rate / 12.0, investment), sold, charged, whole, over)
        straight, sold, there = straight + own, sold + earned, max(share, there)
        investment = 0.0 if over else max(investment + earned - charge, 0.0)
        out.operating[s, m, i], out.sales_type[s, m, i] = own, earned
        out.to_come[s, m, i], out.investment[s, m, i] = max(whole - charged, 0.0), investment


@entry
def book_lease(s, c, booked, total, settlement, books, out):
    """Put a lease in the books (in place): all of its revenue out of RPO's scope, and what it is ahead of or behind the bills."""
    for i in range(total.shape[0]):
        ahead, left = 0.0, total[i]
        for m in range(out.operating.shape[1]):
            own = out.operating[s, m, i] if booked == OPERATING else out.sales_type[s, m, i]
            beyond = settlement.overage_usd[c, m, i] - settlement.credit[c, m, i] + settlement.penalty[c, m, i]
            left += settlement.added[c, m, i] - settlement.terminated[c, m, i] - settlement.lapsed[c, m, i] - own
            ahead += own - settlement.charge[c, m, i]
            books.revenue[c, m, i], books.out_scope[c, m, i], books.not_in_rpo[c, m, i] = own + beyond, own + beyond, left
            books.unbilled[c, m, i], books.deferred[c, m, i] = max(ahead, 0.0), max(-ahead, 0.0)
            for nothing in (books.in_scope, books.rpo, books.crpo, books.new, books.remeasured, books.rpo_terminated, books.rpo_lapsed):
                nothing[c, m, i] = 0.0


@block
def lease_block(leases, terms, schedule, settlement, delivered, X, books, out):
    """Fill `out`, and put the leases that are booked as such into `books`; delivered (C, M, L) share."""
    for s in range(leases.contract.shape[0]):
        c, booked = leases.contract[s], leases.booked[s]
        out.service[s] = books.revenue[c]
        for i in range(X.shape[1]):
            lease_lane(s, c, i, terms, X[leases.rate_x[s], i], schedule, settlement, delivered, X, out)
        for m in range(out.operating.shape[1]):
            for i in range(X.shape[1]):
                beyond = settlement.overage_usd[c, m, i] - settlement.credit[c, m, i] + settlement.penalty[c, m, i]
                out.service[s, m, i] -= beyond
                out.to_come[s, m, i] = out.to_come[s, m, i] if booked != SERVICE else 0.0
        if booked != SERVICE:
            book_lease(s, c, booked, X[terms.total_x[c]], settlement, books, out)
