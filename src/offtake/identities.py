"""The identities of A-10 and S-05, checked on every path and month of every run, relative to gross flows.

Each identity is a residual (.., M, L) and the gross flows it is measured against. A run that breaks one by more than 1e-9
stops and names the path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .block import Block

Residual = Callable[[Block], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Worst:
    """The largest relative error of one identity so far, and where it stands."""

    rule: str
    error: float
    path: int
    month: int

    @staticmethod
    def none(rule: str) -> Worst:
        return Worst(rule, 0.0, 0, 0)

    def __lt__(self, other: Worst) -> bool:
        # NaN counts as the worst of all; on a tie the earlier path stays.
        mine, theirs = np.nan_to_num(self.error, nan=np.inf), np.nan_to_num(other.error, nan=np.inf)
        return bool(mine < theirs)


def _before(stock: np.ndarray) -> np.ndarray:
    """The stock at the month's opening; nothing before month 0."""
    opening = np.zeros_like(stock)
    opening[..., 1:, :] = stock[..., :-1, :]
    return opening


def _gross(*parts: np.ndarray) -> np.ndarray:
    """Gross flows and stocks of an identity: the largest of them on the path up to the month, at least 1."""
    total = np.zeros_like(parts[0])
    for part in parts:
        total += np.abs(part)
    return np.maximum.accumulate(np.maximum(total, 1.0), axis=-2)


def _rpo(b: Block) -> tuple[np.ndarray, np.ndarray]:
    k = b.books
    opening = _before(k.rpo)
    residual = opening + k.new + k.remeasured - k.in_scope - k.rpo_terminated - k.rpo_lapsed - k.rpo
    return residual, _gross(opening, k.new, k.remeasured, k.in_scope, k.rpo)


def _scope(b: Block) -> tuple[np.ndarray, np.ndarray]:
    k = b.books
    return k.revenue - k.in_scope - k.out_scope, _gross(k.revenue)


def _value(b: Block) -> tuple[np.ndarray, np.ndarray]:
    """Signed value: revenue without overage, credit and interest + RPO + not in RPO + terminated + lapsed = total."""
    k, s = b.books, b.settlement
    total = b.X[b.plan.terms.total_x][:, None, :]
    earned = np.cumsum(k.revenue - s.overage_usd + s.credit, axis=1)
    gone = np.cumsum(s.terminated + s.lapsed, axis=1)
    return earned + k.rpo + k.not_in_rpo + gone - total, _gross(earned, np.broadcast_to(total, earned.shape))


def _liability(b: Block) -> tuple[np.ndarray, np.ndarray]:
    s = b.settlement
    opening = _before(s.unearned)
    return opening + s.prepaid_in + s.interest - s.drawdown - s.refunded - s.unearned, _gross(opening, s.prepaid_in, s.drawdown)


def _committed_hours(b: Block) -> tuple[np.ndarray, np.ndarray]:
    s, hours = b.supply, b.plan.hours[:, None]
    return s.planned * hours + s.early - s.ready * hours - s.late.sum(axis=0), _gross(s.planned * hours, s.early)


def _ready_hours(b: Block) -> tuple[np.ndarray, np.ndarray]:
    s, hours = b.supply, b.plan.hours[:, None]
    return s.ready * hours - s.offered - s.down, _gross(s.ready * hours)


def _offered_hours(b: Block) -> tuple[np.ndarray, np.ndarray]:
    residual = b.capacity - b.used - b.placement.idle.sum(axis=0)
    return residual, _gross(b.supply.offered)


def _cash(b: Block) -> tuple[np.ndarray, np.ndarray]:
    p = b.payments
    opening = _before(p.cash_balance)
    opening[:, 0, :] = b.X[b.plan.customers.cash_x]
    paid = np.zeros_like(p.cash_balance)
    for c, u in enumerate(b.plan.terms.customer):
        paid[u] += p.disbursed[c]
    return opening + b.signed.operating + p.raised - paid - p.cash_balance, _gross(opening, b.signed.operating, paid)


def _property(b: Block) -> tuple[np.ndarray, np.ndarray]:
    k = b.ledger
    opening = _before(k.net)
    opening[:, 0, :] = b.ledger.opening
    return opening + k.capex - k.depreciation - k.net, _gross(opening, k.capex, k.net)


_RULES: dict[str, Residual] = {
    "A-02 RPO: opening + new + remeasured - revenue - terminated - lapsed = closing": _rpo,
    "A-10 revenue = in scope + out of scope": _scope,
    "A-10 revenue + RPO + not in RPO + terminated + lapsed = signed value": _value,
    "C-09 contract liability: opening + received + interest - drawn - refunded = closing": _liability,
    "S-05 committed + early = ready + late": _committed_hours,
    "S-05 ready = offered + down": _ready_hours,
    "S-05 offered = used + idle by cause": _offered_hours,
    "V-01 cash: opening + in - out = closing": _cash,
    "A-04 property: opening + capex - depreciation = closing": _property,
}
IDENTITIES = tuple(_RULES)


def worst_of(block: Block, lanes: int) -> list[Worst]:
    """The worst relative error of each identity over the first `lanes` paths of a block."""
    found = []
    for rule, residual in _RULES.items():
        left, gross = residual(block)
        error = (np.abs(left) / gross)[..., :lanes].reshape(-1, *left.shape[-2:-1], lanes).max(axis=0)
        month, lane = np.unravel_index(int(np.argmax(np.where(np.isnan(error), np.inf, error))), error.shape)
        found.append(Worst(rule, float(error[month, lane]), block.first + int(lane), int(month)))
    return found
