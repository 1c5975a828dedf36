"""What lies in each slot of the day, as measures read it (P-01, P-06): of all pools, of one pool, of one workload.

Slots are numbered as in `Plan.labels`: item x slots + slot. A book without slots has none of these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .block import Block

Parts = tuple[np.ndarray, ...]
Reader = Callable[[Block, int], Parts]


def split(b: Block, at: int) -> tuple[int, int]:
    """(item, slot) of a number on an axis of slots."""
    return divmod(at, len(b.plan.names.slots))


def used() -> dict[str, Reader]:
    """GPU-h placed in a slot."""

    def of_pool(b: Block, at: int) -> Parts:
        k, s = split(b, at)
        return (b.placement.slot_use[:, k, s].sum(axis=0),)

    def of_workload(b: Block, at: int) -> Parts:
        w, s = split(b, at)
        return (b.placement.slot_use[w, :, s].sum(axis=0),)

    whole: Reader = lambda b, s: (b.placement.slot_use[:, :, s].sum(axis=(0, 1)),)  # noqa: E731
    return {"slots": whole, "pool_slots": of_pool, "workload_slots": of_workload}


def idle() -> dict[str, Reader]:
    """GPU-h of a slot that nobody used."""

    def of_pool(b: Block, at: int) -> Parts:
        return (b.placement.slot_idle[split(b, at)],)

    return {"slots": lambda b, s: (b.placement.slot_idle[:, s].sum(axis=0),), "pool_slots": of_pool}


def offered() -> dict[str, Reader]:
    """GPU-h open to the customer in a slot."""

    def of_pool(b: Block, at: int) -> Parts:
        k, s = split(b, at)
        return (b.plan.jobs.day.share[s] * b.capacity[k],)

    return {"slots": lambda b, s: (b.plan.jobs.day.share[s] * b.capacity.sum(axis=0),), "pool_slots": of_pool}


def occupancy() -> dict[str, Reader]:
    """Used over offered GPU-h in a slot."""
    over, under = used(), offered()
    return {axis: lambda b, at, axis=axis: (*over[axis](b, at), *under[axis](b, at)) for axis in under}  # type: ignore[misc]


def worth() -> dict[str, Reader]:
    """USD of one GPU-h more in a pool, through the day and in a slot (P-06), x the month's hours, and those hours."""

    def weighed(b: Block, usd: np.ndarray) -> Parts:
        hours = np.broadcast_to(b.plan.hours[:, None], usd.shape)
        return usd * hours, hours

    return {
        "pools": lambda b, k: weighed(b, b.placement.dual[k]),
        "pool_slots": lambda b, at: weighed(b, b.placement.slot_dual[split(b, at)]),
    }
