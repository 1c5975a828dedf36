"""The identities of A-10 and S-05, checked on every path and month of every run, relative to gross flows.

Each is a rule of `kernels/balance` and a loop of `kernels/balanced`. A run that breaks one by more than 1e-9 stops and names the path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import coupling
from .block import Block
from .kernels import balance, balanced


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


RULES = {  # each identity, by the field of what the kernels keep of it, in the order in which they are told
    "rpo": "A-02 RPO: opening + new + remeasured - revenue - terminated - lapsed = closing",
    "scope": "A-10 revenue = in scope + out of scope",
    "value": "A-10 revenue + RPO + not in RPO + terminated + lapsed = signed value + added",
    "liability": "C-09 contract liability: opening + received + interest - drawn - refunded = closing",
    "committed": "S-05 committed + early = ready + late",
    "ready": "S-05 ready = offered + down",
    "offered": "S-05 offered = used + idle by cause",
    "slotted": "S-05 in slots: offered x share of the day = used + idle, and use adds up",
    "filled": "S-05 used = useful + overhead + unfilled",
    "cash": "V-01 cash: opening + in - out = closing",
    "ledger": "A-04 property: opening + capex - depreciation - sold - written down = closing",
    "makeup": "C-04 make-up: opening + opened - taken - expired = closing",
    "equity": "C-10 equity: opening + given - borne by revenue = closing",
    "companies": "A-09 companies: cash and debt, opening + in - out = closing",
    "bills": "A-10 debits = credits of bills",
    "payments": "A-10 debits = credits of payments",
}
IDENTITIES = tuple(RULES.values())
GAP = "P-02 months that share a commitment: (bound on every plan - the plan) / bound"  # no identity: it may be any share
TOLD = (*IDENTITIES, GAP)  # whose worst a run tells


def worst_of(block: Block, lanes: int) -> list[Worst]:
    """The worst relative error of each identity over the first `lanes` paths of a block; what is no number is off by infinity."""
    b, p = block, block.plan
    w = dict(zip(RULES, balance.weights(len(RULES), lanes)))
    of_contracts, of_pools = (kind(*(w[name] for name in kind._fields)) for kind in (balanced.Contracts, balanced.Pools))
    balanced.contracts(
        b.books, b.settlement, b.equity, b.payments.paid, b.payments.arrears, b.ledger, b.wear.impairment, b.wear.sold, b.before, p.terms,
        b.X, of_contracts,
    )  # fmt: skip
    day, placed = p.jobs.day.share, b.placement
    balanced.pools(b.supply, b.capacity, b.used, placed.idle, b.filled, day, placed.slot_use, placed.slot_idle, p.hours, of_pools)
    balanced.customers(p.terms.customer, p.customers.cash_x, b.signed.operating, b.equity.cash_in, b.payments, b.X, w["cash"])
    balanced.companies(b.group, p.finances.cash_x, p.finances.debt_x, b.X, w["companies"])
    return [Worst(rule, float(of[0]), b.first + int(of[2]), int(of[1])) for rule, of in ((RULES[name], w[name].worst) for name in RULES)]


def told_of(block: Block, lanes: int) -> list[Worst]:
    """`worst_of`, and the widest gap of a path's placement behind them."""
    gaps = coupling.of_paths(block)[:lanes]
    lane = int(np.argmax(gaps))
    return [*worst_of(block, lanes), Worst(GAP, float(gaps[lane]), block.first + lane, 0)]
