"""The identities of A-10 and S-05, checked on every path and month of every run, relative to gross flows.

Each is a rule and a loop of `kernels/balance`. A run that breaks one by more than 1e-9 stops and names the path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import coupling
from .block import Block
from .kernels import balance


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
        return self.error < other.error  # on a tie the earlier path stays


_RULES: dict[str, Callable[[Block, balance.Weights], None]] = {
    "A-02 RPO: opening + new + remeasured - revenue - terminated - lapsed = closing": lambda b, w: balance.rpo(b.books, w),
    "A-10 revenue = in scope + out of scope": lambda b, w: balance.scope(b.books, w),
    "A-10 revenue + RPO + not in RPO + terminated + lapsed = signed value + added": lambda b, w: balance.value(
        b.books, b.settlement, b.equity, b.before[2], b.plan.terms.total_x, b.X, w
    ),
    "C-09 contract liability: opening + received + interest - drawn - refunded = closing": lambda b, w: balance.liability(
        b.settlement, b.before[0], w
    ),
    "S-05 committed + early = ready + late": lambda b, w: balance.committed(b.supply, b.plan.hours, w),
    "S-05 ready = offered + down": lambda b, w: balance.ready(b.supply, b.plan.hours, w),
    "S-05 offered = used + idle by cause": lambda b, w: balance.offered(b.capacity, b.used, b.placement.idle, b.supply.offered, w),
    "S-05 in slots: offered x share of the day = used + idle, and use adds up": lambda b, w: balance.slotted(
        b.plan.jobs.day.share, b.capacity, b.used, b.placement.slot_use, b.placement.slot_idle, w
    ),
    "S-05 used = useful + overhead + unfilled": lambda b, w: balance.filled(b.used, b.filled, w),
    "V-01 cash: opening + in - out = closing": lambda b, w: balance.cash(
        b.plan.terms.customer, b.plan.customers.cash_x, b.signed.operating, b.equity.cash_in, b.payments, b.X, w
    ),
    "A-04 property: opening + capex - depreciation - sold - written down = closing": lambda b, w: balance.ledger(
        b.ledger, b.wear.impairment, b.wear.sold, w
    ),
    "C-04 make-up: opening + opened - taken - expired = closing": lambda b, w: balance.makeup(b.settlement, w),
    "C-10 equity: opening + given - borne by revenue = closing": lambda b, w: balance.consideration(b.equity, w),
    "A-09 companies: cash and debt, opening + in - out = closing": lambda b, w: balance.companies(
        b.group, b.plan.finances.cash_x, b.plan.finances.debt_x, b.X, w
    ),
    "A-10 debits = credits of bills": lambda b, w: balance.bills(
        b.books, b.settlement, b.equity.contra, b.before[1], w
    ),
    "A-10 debits = credits of payments": lambda b, w: balance.payments(
        b.settlement, b.payments.paid, b.payments.arrears, b.plan.terms.payment_lag_x, b.X, w
    ),
}
IDENTITIES = tuple(_RULES)
GAP = "P-02 months that share a commitment: (bound on every plan - the plan) / bound"  # no identity: it may be any share
TOLD = (*IDENTITIES, GAP)  # whose worst a run tells


def worst_of(block: Block, lanes: int) -> list[Worst]:
    """The worst relative error of each identity over the first `lanes` paths of a block; what is no number is off by infinity."""
    found = []
    w = balance.weights(block.plan.months, lanes)
    for rule, check in _RULES.items():
        w.errors[:] = 0.0
        check(block, w)
        month, lane = divmod(int(np.argmax(w.errors)), lanes)
        found.append(Worst(rule, float(w.errors[month, lane]), block.first + lane, month))
    return found


def told_of(block: Block, lanes: int) -> list[Worst]:
    """`worst_of`, and the widest gap of a path's placement behind them."""
    gaps = coupling.of_paths(block)[:lanes]
    lane = int(np.argmax(gaps))
    return [*worst_of(block, lanes), Worst(GAP, float(gaps[lane]), block.first + lane, 0)]
