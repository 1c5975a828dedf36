"""What a deal is worth to its provider, read from a block: free cash, earnings per share, returns, and a dollar of obligations.

Nothing here is computed unless a question asks for it. A number that the provider does not state (tax rate, shares) makes the
measure absent, never zero (N-06).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .block import Block
from .kernels import returns, settle

Parts = tuple[np.ndarray, ...]


def _own(b: Block, row: int) -> np.ndarray:
    """A factor of the provider (L,); absent where the book states none."""
    return b.X[row] if row >= 0 else np.full(b.X.shape[1], np.nan)


def cash_before_tax(b: Block, c: int) -> np.ndarray:
    """Cash of a contract to its provider, USD (M, L)."""
    k = b.ledger
    found: np.ndarray = b.payments.paid[c] + k.release[c] - k.capex[c] - k.energy[c] - k.operations[c] - k.rent[c]
    if len(b.wear.sold):
        found += b.wear.sold[c]
    if len(b.equity.given):
        found -= b.equity.given[c]  # equity to the customer, at fair value: what it costs the provider's owners
    return found


def cash_after_tax(b: Block, c: int) -> np.ndarray:
    """Less tax on operating income, USD (M, L); a loss lowers the tax of the group."""
    found: np.ndarray = cash_before_tax(b, c) - _own(b, b.plan.tax_x[c]) * b.ledger.operating_income[c]
    return found


def free_cash(b: Block, c: int) -> Parts:
    return (cash_after_tax(b, c),)


def per_share(b: Block, c: int) -> Parts:
    return (b.ledger.operating_income[c] * (1.0 - _own(b, b.plan.tax_x[c])) / _own(b, b.plan.shares_x[c]),)


def _present(b: Block, c: int, flow: np.ndarray) -> np.ndarray:
    """Present value of a flow (M, L) at the provider's rate: (L,)."""
    factor, out = (1.0 + b.X[b.plan.rate_x[c]]) ** (-1.0 / 12.0), np.zeros(flow.shape[1])
    returns.value_at(flow, factor, out)
    return out


def worth_after_tax(b: Block, c: int) -> Parts:
    return (_present(b, c, cash_after_tax(b, c)),)


def collected(b: Block, c: int) -> Parts:
    return (_present(b, c, b.payments.paid[c]),)


def against_resold(b: Block, j: int) -> Parts:
    """Segment income and revenue of company j with the deals, and with their capacity built all the same and its hours sold to others at
    market prices (A-06); the market takes the share of them that it takes of freed ones (V-04)."""
    mine, books, segment = np.flatnonzero(b.plan.segments.contract_company == j), b.ledger, b.segments
    resale, gone = books.resale[mine].sum(axis=0), (b.books.revenue[mine] + books.release[mine]).sum(axis=0)
    income = segment.income_without[j] + books.operating_income[mine].sum(axis=0) - gone + resale
    return segment.income_with[j], segment.revenue_with[j], income, segment.revenue_without[j] + resale


def rate_of_return(b: Block, c: int) -> Parts:
    out = np.zeros(b.X.shape[1])
    returns.irr_block(cash_before_tax(b, c), out)
    return (out,)


def payback(b: Block, c: int) -> Parts:
    out = np.zeros(b.X.shape[1])
    returns.payback_block(cash_before_tax(b, c), out)
    return (out,)


def _obligation(b: Block, c: int) -> np.ndarray:
    """A dollar of signed value in parts (5, L): value today, lost to time, delay, cancelled, unpaid."""
    s, out = b.settlement, np.zeros((5, b.X.shape[1]))
    total, rate = settle.left_of(c, b.plan.terms, b.X), b.X[b.plan.rate_x[c]]
    gone = s.terminated[c] + s.lapsed[c]
    returns.obligation_block(total, s.remaining[c, -1], gone, b.books.straight_line[c], b.payments.paid[c], rate, out)
    return out


def obligation(part: int) -> Callable[[Block, int], Parts]:
    """Reader of one part of `_obligation`; all five come from one pass."""
    return lambda b, c: (b.once(("obligation", c), lambda: _obligation(b, c))[part],)


def counterparty_loss(b: Block, c: int) -> Parts:
    """What the provider does not get: value cancelled, less what the freed hours earn within the term, and bills never paid (V-04)."""
    regained = (b.ledger.release[c] * b.schedule.in_term[c]).sum(axis=0)
    return (b.settlement.terminated[c].sum(axis=0) - regained + b.payments.arrears[c, -1],)
