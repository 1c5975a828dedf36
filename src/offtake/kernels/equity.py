"""Equity that changes hands beside a contract: what vests, the cash it brings, what it does to revenue, who funded whom.

**Axes**    edges (E), contracts (C), customers (U), months (M), lanes (L); path last.
**Units**   USD at the fair value of the grant; shares 0 to 1.
**Signs**   `given` and `contra` are positive where the provider gives and revenue falls, negative where it is paid in shares and
            revenue rises; consideration opening + given - contra = closing; cash_in, invested and self_funded >= 0.
**Order within the month**   what vests changes hands, the cash for it is paid, revenue of the month bears its share.
**Source**  model C-10, A-02, V-01; ASC 606-10-32-21 to 32-24 (shares from a customer), 32-25 to 32-27 (equity to a customer).

Consideration is borne by the contract's revenue in proportion to what is recognised of its value, whenever the equity vests: it is
promised at signing (32-27). What vested ahead of that is an asset, what is borne ahead of it a liability. Once nothing is left of the
contract's value, all that stands and all that still vests is borne at once.
"""

from typing import NamedTuple

import numpy as np

from .compiled import block, piece
from .supply import arrived

GRANT, STAKE, VENDOR = 0, 1, 2  # provider's equity to the customer; customer's to the provider; customer's to an outsider
TIME, DELIVERY = 0, 1
DUST = 1e-9  # of the total value: less is nothing left


class Edges(NamedTuple):
    """One row an edge; `_x` rows of X."""

    kind: np.ndarray
    contract: np.ndarray  # -1: none
    customer: np.ndarray
    value_x: np.ndarray  # USD, fair value of the whole grant
    paid_x: np.ndarray  # USD that the holder pays for it
    vests: np.ndarray  # TIME, DELIVERY
    first: np.ndarray  # months from the book's start
    over_x: np.ndarray  # months


class Equity(NamedTuple):
    """Outputs; no rows at all in a book without edges."""

    vested: np.ndarray  # (E, M, L) share of each edge
    cash_in: np.ndarray  # (U, M, L) paid for the customer's equity, by anyone
    given: np.ndarray  # (C, M, L) consideration that changes hands
    contra: np.ndarray  # (C, M, L) revenue given up
    left: np.ndarray  # (C, M, L) stock: contra still to come
    held: np.ndarray  # (C, M, L) stock: given ahead of contra; negative: behind it
    invested: np.ndarray  # (C, M, L) cash that the provider pays for the customer's equity
    self_funded: np.ndarray  # (C, M, L) payments to the provider out of its own cash


@piece
def consideration(kind, value, paid):
    """What an edge takes off the transaction price (C-10): a grant its fair value, a stake what is paid beyond its fair value."""
    return value if kind == GRANT else (paid - value if kind == STAKE else 0.0)


@piece
def borne_to_date(earned, share, to_come, given):
    """Revenue given up to date: the consideration's share of what is earned; all that was given once nothing is left (A-02)."""
    return earned * share if to_come > 0.0 else given


@piece
def fund_month(own, cash, inflow, own_in, paid):
    """Of a payment, what the payee's own cash funded, pro rata (C-10); and the payee's cash among the customer's before the payment."""
    there, mine = max(cash, 0.0) + max(inflow, 0.0) + own_in, own + own_in
    share = min(mine / there, 1.0) if there > 0.0 else 0.0
    return max(paid, 0.0) * share, share


@block
def vest_block(edges, delivered, X, out):
    """Fill `vested`, `cash_in`, `given` and `invested`; delivered (C, M, L) shares."""
    out.cash_in[:] = 0.0
    out.given[:] = 0.0
    out.invested[:] = 0.0
    for e in range(edges.kind.shape[0]):
        kind, c, u = edges.kind[e], edges.contract[e], edges.customer[e]
        value, cost, over = X[edges.value_x[e]], X[edges.paid_x[e]], X[edges.over_x[e]]
        for m in range(out.vested.shape[1]):
            for i in range(over.shape[0]):
                before = out.vested[e, m - 1, i] if m > 0 else 0.0
                there = delivered[c, m, i] if edges.vests[e] == DELIVERY else arrived(float(m + 1 - edges.first[e]), over[i])
                out.vested[e, m, i] = there
                if kind != GRANT:
                    out.cash_in[u, m, i] += cost[i] * (there - before)
                if c >= 0:
                    out.given[c, m, i] += consideration(kind, value[i], cost[i]) * (there - before)
                    out.invested[c, m, i] += cost[i] * (there - before) if kind == STAKE else 0.0


@block
def net_block(edges, total_x, settlement, X, books, out):
    """Take the consideration off revenue and RPO (in place), and fill `contra`, `left` and `held`."""
    lanes = X.shape[1]
    share, vested, signed, earned, before = np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes), np.empty(lanes)
    for c in range(out.contra.shape[0]):
        share[:] = 0.0
        for e in range(edges.kind.shape[0]):
            if edges.contract[e] == c:
                for i in range(share.shape[0]):
                    share[i] += consideration(edges.kind[e], X[edges.value_x[e], i], X[edges.paid_x[e], i])
        for i in range(share.shape[0]):
            signed[i], vested[i], earned[i], before[i] = X[total_x[c], i], 0.0, 0.0, 0.0
            share[i] /= signed[i]
        for m in range(out.contra.shape[1]):
            for i in range(share.shape[0]):
                beyond = settlement.overage_usd[c, m, i] - settlement.credit[c, m, i] + settlement.penalty[c, m, i]
                signed[i] += settlement.added[c, m, i] - settlement.terminated[c, m, i] - settlement.lapsed[c, m, i]
                vested[i] += out.given[c, m, i]
                to_come = books.rpo[c, m, i] + books.not_in_rpo[c, m, i]
                to_come = to_come if to_come > DUST * X[total_x[c], i] else 0.0
                earned[i] += books.revenue[c, m, i] - beyond
                borne = borne_to_date(earned[i], share[i], to_come, vested[i])
                contra = borne - before[i]
                out.contra[c, m, i], before[i] = contra, borne
                out.held[c, m, i] = vested[i] - (share[i] * (signed[i] - to_come) if to_come > 0.0 else vested[i])
                out.left[c, m, i] = (books.rpo[c, m, i] + books.not_in_rpo[c, m, i]) * share[i]
                books.revenue[c, m, i] -= contra
                for stock in (books.rpo, books.crpo, books.not_in_rpo):
                    stock[c, m, i] *= 1.0 - share[i]
                for flow in (books.in_scope, books.new, books.remeasured, books.rpo_terminated, books.rpo_lapsed):
                    flow[c, m, i] *= 1.0 - share[i]
                books.out_scope[c, m, i] = books.revenue[c, m, i] - books.in_scope[c, m, i]


@block
def fund_block(customer, provider, operating, payments, opening_x, X, out):
    """Fill `self_funded`: the customer's cash is fungible, so each payment takes the provider's own cash with it pro rata.

    customer, provider (C,) of each contract; operating (U, M, L); opening_x (U,) rows of X: cash before month 0, none of it the provider's
    """
    for c in range(customer.shape[0]):
        u = customer[c]
        for i in range(X.shape[1]):
            own = 0.0
            for m in range(operating.shape[1]):
                cash = payments.cash_balance[u, m - 1, i] if m > 0 else X[opening_x[u], i]
                own_in = 0.0
                for d in range(customer.shape[0]):
                    own_in += out.invested[d, m, i] if customer[d] == u and provider[d] == provider[c] else 0.0
                inflow = operating[u, m, i] + payments.raised[u, m, i] + out.cash_in[u, m, i] - own_in
                out.self_funded[c, m, i], share = fund_month(own, cash, inflow, own_in, payments.paid[c, m, i])
                own = max(payments.cash_balance[u, m, i], 0.0) * share
