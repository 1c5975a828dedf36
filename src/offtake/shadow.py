"""What a commitment that months share pays on every path, and the shadow price of what remains of it (P-02).

`kernels/share` finds prices and rooms lane by lane; then hours are placed in the rooms, month by month, as anywhere; and the bound on every
plan says how far this one can be from the best.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .block import Block
from .kernels import couple, place, share, walk
from .kernels.couple import Coupled, Shadow
from .kernels.share import Case


def case_of(b: Block) -> Case:
    """The programs of a whole block, with the segments as they were priced by month; full prices (K, M, L) past the commitments."""
    coupled, hours = b.plan.coupled, b.segment_hours
    full = np.zeros(b.used.shape)
    full[coupled.owner >= 0] = hours.cost[coupled.past[coupled.owner >= 0]]
    return Case(coupled, hours, b.plan.jobs, place.Loads(*b.demand), b.supply.ready, b.X, full, b.shadow)


def one_lane(case: Case, lane: int) -> Case:
    """A copy of one lane of a case."""

    def cut(arrays: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        return [np.ascontiguousarray(array[..., lane : lane + 1]) for array in arrays]

    (pool, *rooms), (ready, X, full) = case.segments, cut((case.ready, case.X, case.full))
    segments, loads, known = place.Segments(pool, *cut(tuple(rooms))), place.Loads(*cut(case.loads)), Shadow(*cut(case.known))
    return Case(case.coupled, segments, case.jobs, loads, ready, X, full, known)


def place_block(b: Block) -> None:
    """Place a block whose months some contracts tie together: fills its placement, the segments' rooms, and `b.shadow`."""
    p = b.plan
    couple.stock_block(p.coupled, p.terms, b.schedule, b.signed.alive, b.X, b.shadow)
    solve(case_of(b), b.placement)


def solve(case: Case, placed: place.Placement) -> None:
    """Fill `placed`, the segments' rooms and what is known of the shadow prices, from stocks and segments as months alone price them."""
    work = scratch(case)
    share_out(case, work)
    place.place_block(case.segments, case.jobs, case.loads, case.ready, case.X, work, placed)
    measure(case, placed)


def share_out(case: Case, work: Any) -> None:
    """Shadow prices and rooms, nothing placed in them yet."""
    _, program, desk = work
    trail = walk.trail(len(case.coupled.contract), case.ready.shape[1], program)
    share.share_block(case, work, trail, share.ledger(case, len(desk.job_turn)))


def scratch(case: Case) -> Any:
    """The solver's working arrays."""
    day = case.jobs.day
    return place.scratch(len(day.owner), len(case.coupled.owner), len(case.segments.pool), case.X.shape[1], len(day.share))


def measure(case: Case, placed: place.Placement) -> None:
    """Fill `slack` and `bound`: how far a placement can be from the best of its periods, by weak duality at the shadow prices."""
    coupled, shadow, (pool, cap, cost) = case.coupled, case.known, case.segments
    flat, hours, taken = cost.copy(), np.zeros(case.full.shape), np.zeros(shadow.stock.shape)
    segments = place.Segments(pool, cap, flat)
    for n in range(len(coupled.contract)):
        couple.price_block(n, coupled, shadow.price, shadow.unit, case.full, flat)
        couple.within_block(n, coupled, cap, placed.use, shadow.unit, hours, taken)
    todo = placed.served + placed.unserved
    couple.bound_block(segments, case.jobs, case.loads, case.ready, case.X, todo, shadow)
    couple.earned_block(segments, case.loads, placed.use, shadow.slack)
    np.subtract(shadow.bound, shadow.slack, out=shadow.slack)
    for n in range(len(coupled.contract)):
        couple.periods_block(n, coupled, case.full, cap, hours, taken, shadow)


def empty(coupled: Coupled, pools: int, months: int, lanes: int, slots: int = 0) -> Shadow:
    """Arrays of a block; a book without such contracts has no rows, and they cost nothing."""
    n, rows, z = len(coupled.contract), int(coupled.first[-1]), np.zeros
    on = int(n > 0)
    by_month = (on * months, lanes)
    return Shadow(
        z((rows, lanes)), z((rows, lanes)), z((n, months, lanes)), z((on * pools, months, lanes)), z((on * pools, slots, months, lanes)),
        z(by_month), z(by_month),
    )  # fmt: skip


def compile_kernels(b: Block) -> None:
    """Run every kernel that only a book with a coupled contract has once, on nothing placed."""
    p = b.plan
    couple.stock_block(p.coupled, p.terms, b.schedule, b.signed.alive, b.X, b.shadow)
    case = case_of(b)
    share_out(case, scratch(case))
    measure(case, b.placement)
