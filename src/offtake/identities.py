"""The identities of A-10 and S-05, checked on every path and month of every run, relative to gross flows.

`kernels/balance` works them out, one month function each. A run that breaks one by more than 1e-9 stops and names the path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


IDENTITIES = (
    "A-02 RPO: opening + new + remeasured - revenue - terminated - lapsed = closing",
    "A-10 revenue = in scope + out of scope",
    "A-10 revenue + RPO + not in RPO + terminated + lapsed = signed value + added",
    "C-09 contract liability: opening + received + interest - drawn - refunded = closing",
    "S-05 committed + early = ready + late",
    "S-05 ready = offered + down",
    "S-05 offered = used + idle by cause",
    "V-01 cash: opening + in - out = closing",
    "A-04 property: opening + capex - depreciation = closing",
    "C-04 make-up: opening + opened - taken - expired = closing",
)


def worst_of(block: Block, lanes: int) -> list[Worst]:
    """The worst relative error of each identity over the first `lanes` paths of a block; inf where a term is not a number."""
    b, p = block, block.plan
    error, month = np.empty((balance.COUNT, b.Z.shape[1])), np.empty((balance.COUNT, b.Z.shape[1]), np.int64)
    balance.balance_block(
        b.books, b.settlement, b.supply, (b.used, b.capacity, b.placement.idle), b.payments, b.signed.operating, b.ledger,
        (b.X[p.terms.total_x], b.X[p.customers.cash_x]), (p.hours, p.terms.customer), error, month,
    )  # fmt: skip
    found = []
    for rule, row, months in zip(IDENTITIES, error[:, :lanes], month):
        lane = int(np.argmax(row))
        found.append(Worst(rule, float(row[lane]), b.first + lane, int(months[lane])))
    return found
