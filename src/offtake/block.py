"""One block of 64 paths as the kernels left it: the arrays every measure reads.

Axes: K pools, C contracts, W workloads, U customers, J companies, M months, L lanes; the path is the last axis.
A block is filled again and again by one worker; nothing may keep a view of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from .kernels.accounts import Ledger, Segments
from .kernels.company import Group
from .kernels.couple import Shadow
from .kernels.customer import Payments, Signed
from .kernels.demand import Demand
from .kernels.equity import Equity
from .kernels.lease import Leases
from .kernels.options import Changes
from .kernels.place import Placement
from .kernels.place import Segments as Segmented
from .kernels.recognise import Books
from .kernels.settle import Schedule, Settlement
from .kernels.supply import Supply
from .kernels.surface import Filled
from .kernels.upkeep import MAINTENANCE, MONTH
from .kernels.wear import Wear
from .plan import Plan


@dataclass
class Block:
    """Named results of one block; the field names are those of the kernels' output tuples."""

    plan: Plan
    first: int
    X: np.ndarray
    Y: np.ndarray
    Z: np.ndarray
    scenario: np.ndarray
    supply: Supply
    demand: Demand
    schedule: Schedule
    signed: Signed
    placement: Placement
    used: np.ndarray  # (K, M, L) GPU-h, over workloads
    settlement: Settlement
    payments: Payments
    books: Books
    ledger: Ledger
    segments: Segments
    npv: np.ndarray  # (C, L) USD
    idle_cost: np.ndarray  # (2, 3, C, M, L) USD: customer | provider, by cause
    capacity: np.ndarray  # (K, M, L) GPU-h open to the customer: offered hours of contracts that stand
    segment_hours: Segmented
    ordered: np.ndarray  # (C, M, L) share
    delivered: np.ndarray  # (C, M, L) share
    before: np.ndarray  # (3, C, L) USD at the start of month 0: prepayment held, revenue ahead of billing, revenue of signed value
    shadow: Shadow
    changes: Changes
    equity: Equity
    leases: Leases
    wear: Wear
    group: Group
    filled: Filled
    stops: np.ndarray  # (2, T, L) share of the time that maintenance and outages of power take; no sites where none states any
    when: np.ndarray  # (O, L) int64: month in which each option is exercised, the horizon if never
    scratch: Any  # the solver's working arrays, made at the first placement
    told: dict[Hashable, np.ndarray] = field(default_factory=dict)  # what several measures read; gone when the block is filled again

    def once(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """`compute()`, or what it gave since the block was last filled."""
        if key not in self.told:
            self.told[key] = compute()
        return self.told[key]

    def pools_of(self, contract: int) -> list[int]:
        """Pool numbers of a contract."""
        return self._pools[contract]

    @cached_property
    def _pools(self) -> list[list[int]]:
        """Pool numbers of each contract."""
        of = self.plan.places.contract
        return [np.flatnonzero(of == c).tolist() for c in range(len(self.plan.names.contracts))]

    def over_pools(self, values: np.ndarray, contract: int) -> np.ndarray:
        """Sum of a (K, M, L) array over a contract's pools, in pool order: (M, L)."""
        pools = self.pools_of(contract)
        if not pools:
            return np.zeros(values.shape[1:])
        total: np.ndarray = values[pools[0]] + 0.0  # a sum from nothing: no zero is negative
        for k in pools[1:]:
            total += values[k]
        return total


LINE, SPACING = 64, 576  # bytes: a line of the cache, and what lies between two arrays


def lay_together(b: Block) -> Block:
    """The block with its arrays in one piece of memory, each from a line of its own on.

    Large pieces get large pages of the system, and rows of one month of different arrays fall on different sets of the first cache:
    arrays of the same size, each in pages of its own, all fall on the same.
    """

    def parts(value: Any) -> list[np.ndarray]:
        return [a for a in (value if isinstance(value, tuple) else (value,)) if isinstance(a, np.ndarray)]

    fields: dict[str, Any] = {name: value for name, value in vars(b).items() if name not in ("plan", "told", "scratch")}
    mine = {id(a): a for value in fields.values() for a in parts(value)}  # one array may have two names
    room = {key: -(-(a.nbytes + SPACING) // LINE) * LINE for key, a in mine.items()}
    whole = np.zeros(sum(room.values()) + LINE, np.uint8)
    at, moved = -whole.ctypes.data % LINE, {}
    for key, a in mine.items():
        moved[key] = whole[at : at + a.nbytes].view(a.dtype).reshape(a.shape)
        if a.any():  # a page that nobody touches costs nothing
            moved[key][...] = a
        at += room[key]
    for name, value in fields.items():
        if hasattr(value, "_fields"):
            setattr(b, name, value._make(moved.get(id(a), a) for a in value))
        elif id(value) in moved:
            setattr(b, name, moved[id(value)])
    return b


def count_endless(b: Block, clipped: np.ndarray) -> None:
    """Raise `clipped` (F,) by the draws of maintenance not over before it comes again, whose share of the time is held at 1 (S-05)."""
    for every, length in zip(b.plan.upkeep.every_x[MAINTENANCE], b.plan.upkeep.length_x[MAINTENANCE], strict=True):
        if every >= 0:
            clipped[length] += np.count_nonzero(b.X[length] > b.X[every] * MONTH)
