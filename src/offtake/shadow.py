"""The shadow price of what remains of a commitment, on every path, and how a block's months share what it pays (P-02).

All commitments at nothing first: where they pay for all that is wanted, that is the plan. Elsewhere the contracts in turn, the others as
they stand: trials at prices that close in on the one where what is taken meets the stock (`kernels/seek`), periods and lanes side by side;
what is found leaves the trials. Rounds go on where the bound says that a period is farther than GOOD from the best, ROUNDS at most. Work
that waits ties months too: while prices are sought it is held to what the last plan left of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .block import Block
from .kernels import couple, place, seek
from .kernels.couple import Coupled, Shadow
from .kernels.seek import Search

TRIALS = 40  # of one search at most; most end after 1 to 10
ROUNDS = 2  # over the contracts, where there are several
GOOD = 1e-5  # relative gap of a period that needs no further round


@dataclass(frozen=True)
class Programs:
    """The programs of some lanes: what `place` reads, full prices (K, M, L) past the commitments, and what is known of shadow prices."""

    coupled: Coupled
    segments: place.Segments
    jobs: place.Jobs
    loads: place.Loads
    ready: np.ndarray
    X: np.ndarray
    full: np.ndarray
    shadow: Shadow

    @staticmethod
    def of(b: Block) -> Programs:
        """Those of a whole block, with the segments as they were priced by month."""
        coupled, hours = b.plan.coupled, b.segment_hours
        full = np.zeros(b.used.shape)
        full[coupled.owner >= 0] = hours.cost[coupled.past[coupled.owner >= 0]]
        return Programs(coupled, hours, b.plan.jobs, place.Loads(*b.demand), b.supply.ready, b.X, full, b.shadow)

    @property
    def lanes(self) -> int:
        return int(self.X.shape[1])

    def some(self, lanes: np.ndarray) -> Programs:
        """A copy of some lanes."""
        pool, cap, cost = self.segments
        ready, X, full = some((self.ready, self.X, self.full), lanes)
        return Programs(
            self.coupled, place.Segments(pool, *some((cap, cost), lanes)), self.jobs, place.Loads(*some(self.loads, lanes)),
            ready, X, full, Shadow(*some(self.shadow, lanes)),
        )  # fmt: skip

    def months(self, at: Months) -> Programs:
        """Some months of lanes, one after the other; nothing is put off in them, and a month that is none has no hours."""
        pool, cap, cost = self.segments
        cap, cost, ready = at.cut(cap), at.cut(cost), at.cut(self.ready)
        cap *= at.real
        work, speed, value, moving = self.loads
        loads = place.Loads(at.cut(work), *some((speed, value, moving), at.lane))
        X = np.ascontiguousarray(self.X[:, at.lane])
        return Programs(self.coupled, place.Segments(pool, cap, cost), self.jobs, loads, ready, X, self.full, self.shadow)

    def held(self, todo: np.ndarray) -> Programs:
        """The same with the work of each month given (W, M, L), so that none waits; segments and shadow prices are shared."""
        if not self.jobs.deferrable.any():
            return self
        jobs = self.jobs._replace(deferrable=np.zeros_like(self.jobs.deferrable))
        return replace(self, jobs=jobs, loads=self.loads._replace(work=np.ascontiguousarray(todo)))

    def placed(self) -> place.Placement:
        """Hours placed at the segments' costs."""
        works, pools = self.jobs.eligible.shape
        count, months, day = len(self.segments.pool), self.ready.shape[1], self.jobs.day
        out: place.Placement = place.placement(works, pools, count, months, self.lanes, day)
        work = place.scratch(len(day.owner), pools, count, self.lanes, len(day.share))
        place.place_block(self.segments, self.jobs, self.loads, self.ready, self.X, work, out)
        return out

    def price(self, n: int, shadow: np.ndarray) -> None:
        """Hours of coupled contract n at shadow prices (P, L)."""
        couple.price_block(n, self.coupled, shadow, self.shadow.unit, self.full, self.segments.cost)

    def lock(self) -> None:
        """Hours that are paid cost nothing more, those past them their full price."""
        owned = self.coupled.owner >= 0
        self.segments.cost[self.coupled.paid[owned]] = 0.0
        self.segments.cost[self.coupled.past[owned]] = self.full[owned]

    def rows(self, n: int) -> slice:
        """Periods of contract n."""
        return slice(self.coupled.first[n], self.coupled.first[n + 1])

    def give(self, n: int, s: Search, found: np.ndarray) -> None:
        """Rooms of contract n as both points of a search say, in the periods `found` (P, L)."""
        seek.rooms_block(n, self.coupled, self.shadow, s, found, self.segments.cap)

    def fresh(self, expected: np.ndarray) -> Search:
        """A search of every contract that begins at the prices it expects (P, L)."""
        shape, hours, z = expected.shape, self.full.shape, np.zeros
        highest = z(shape)
        for n in range(len(self.coupled.contract)):
            couple.highest_block(n, self.coupled, self.shadow.unit, self.full, self.segments.cap, highest)
        price = np.stack([np.full(shape, -1.0), np.full(shape, np.inf)])
        trial, never = np.minimum(expected, highest), np.full(shape, -np.inf)
        (taken, value), months = z((2, 2, *shape)), hours[1:]
        return Search(trial, never, z(shape), highest, price, taken, value, z((2, *months)), z((2, *hours)), z(months), z(shape))


class Months(NamedTuple):
    """Some months of some lanes, one after the other, (T, B): which month of which lane; where `real` is 0 there is none."""

    month: np.ndarray
    lane: np.ndarray  # (B,)
    real: np.ndarray

    @staticmethod
    def of(mask: np.ndarray) -> Months:
        """Those of a mask (M, L)."""
        lane = np.flatnonzero(mask.any(axis=0))
        wanted = mask[:, lane].astype(bool)
        month = np.argsort(~wanted, axis=0, kind="stable")[: int(wanted.sum(axis=0).max(initial=0))]
        return Months(month, lane, np.take_along_axis(wanted, month, axis=0).astype(float))

    def cut(self, array: np.ndarray) -> np.ndarray:
        """(.., M, L) to (.., T, B)."""
        return np.ascontiguousarray(array[..., self.month, self.lane[None, :]])

    def put(self, array: np.ndarray, part: np.ndarray) -> None:
        """(.., T, B) back to where it was in (.., M, L)."""
        there = self.real > 0.0
        array[..., self.month[there], np.broadcast_to(self.lane, there.shape)[there]] = part[..., there]


def some(arrays: tuple[np.ndarray, ...], lanes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Lanes of arrays whose last axis they are."""
    return tuple(np.ascontiguousarray(a[..., lanes]) for a in arrays)


def put(arrays: tuple[np.ndarray, ...], lanes: np.ndarray, parts: tuple[np.ndarray, ...]) -> None:
    """Lanes of arrays, written back."""
    for whole, part in zip(arrays, parts):
        whole[..., lanes] = part


@dataclass(frozen=True)
class Trial:
    """What a trial left: USD of the months before the contract's own hours are paid, and hours within its commitment."""

    gross: np.ndarray  # (M, L)
    hours: np.ndarray  # (K, M, L)

    @staticmethod
    def none(programs: Programs) -> Trial:
        shape = programs.full.shape
        return Trial(np.zeros(shape[1:]), np.zeros(shape))

    def run(self, programs: Programs, n: int, s: Search, first: bool) -> None:
        """Place at the trial prices what they may change: open months, at first whole lanes."""
        coupled, mask = programs.coupled, np.zeros(self.gross.shape, np.int64)
        programs.price(n, s.trial)
        mine = (self.gross, self.hours)
        if first:
            lanes = np.flatnonzero(s.open.any(axis=0))
            put(mine, lanes, _read(programs.some(lanes), n))
        else:
            seek.open_months(n, coupled, s, mask)
            at = Months.of(mask)
            for whole, part in zip(mine, _read(programs.months(at), n)):
                at.put(whole, part)


def _read(programs: Programs, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gross, and hours of contract n within its commitment, of a placement."""
    coupled, (pool, cap, cost) = programs.coupled, programs.segments
    plan = programs.placed()
    mine = np.flatnonzero(coupled.owner == n)
    hours, gross = np.zeros(plan.dual.shape), np.zeros(plan.dual.shape[1:])
    hours[mine] = np.minimum(plan.use[:, mine].sum(axis=0), cap[coupled.paid[mine]] + cap[coupled.past[mine]])
    free = cost.copy()
    free[coupled.paid[mine]] = free[coupled.past[mine]] = 0.0
    couple.earned_block(place.Segments(pool, cap, free), programs.loads, plan.use, gross)
    return gross, hours


def search(programs: Programs, n: int, expected: np.ndarray, wanted: np.ndarray | None = None) -> Search:
    """Shadow prices of contract n, the others as the segments have them.

    expected  (P, L) prices to begin with; wanted (P, L) which to look for, or all. Leaves trial prices in the segments of contract n.
    """
    s, trial, rows = programs.fresh(expected), Trial.none(programs), programs.rows(n)
    s.open[rows] = 1.0 if wanted is None else wanted[rows]
    for count in range(TRIALS):
        if not s.open.any():
            break
        trial.run(programs, n, s, count == 0 and wanted is None)
        seek.narrow_block(n, programs.coupled, programs.shadow, programs.full, trial.gross, trial.hours, s)
    return s


def place_block(b: Block) -> None:
    """Place a block whose months some contracts tie together: fills its placement, the segments' rooms, and `b.shadow`."""
    p = b.plan
    couple.stock_block(p.coupled, p.terms, b.schedule, b.signed.alive, b.X, b.shadow)
    solve(Programs.of(b), b.placement)


def solve(programs: Programs, placed: place.Placement) -> None:
    """Fill `placed`, the segments' rooms and what is known of the shadow prices, from stocks and segments as months alone price them.

    Work that waits is held to what the plan before left of it while prices are sought: then months hang together by commitments alone.
    """
    left, todo = begin(programs)
    settled = np.setdiff1d(np.arange(programs.lanes), left)
    if len(settled):
        put(placed, settled, programs.some(settled).placed())
    wanted = None
    for _ in range(ROUNDS):
        if not len(left):
            break
        mine = programs.some(left)
        before = mine.shadow.bound.sum(axis=0)
        held = mine.held(todo[..., left])
        for n in range(len(mine.coupled.contract)):
            sweep(held, n, wanted)
        at_prices(held)
        mine.lock()
        plan = mine.placed()
        measure(mine, plan)
        put(placed, left, plan)
        put(programs.segments[1:], left, mine.segments[1:])
        better = np.flatnonzero((mine.shadow.bound.sum(axis=0) < before) | (before == 0.0))
        put(programs.shadow, left[better], Shadow(*some(mine.shadow, better)))
        todo[..., left] = plan.served + plan.unserved
        wanted = apart(mine)
        again = np.flatnonzero(wanted.any(axis=0))
        left, wanted = left[again], np.ascontiguousarray(wanted[:, again])
    measure(programs, placed)


def at_prices(programs: Programs) -> place.Placement:
    """The plan where every commitment costs its shadow price, its duals into `programs.shadow`; leaves these prices in the segments."""
    for n in range(len(programs.coupled.contract)):
        programs.price(n, programs.shadow.price)
    plan = programs.placed()
    programs.shadow.worth[:], programs.shadow.slot_worth[:] = plan.dual, plan.slot_dual
    return plan


def sweep(programs: Programs, n: int, wanted: np.ndarray | None) -> None:
    """Find contract n's shadow prices and set its rooms, the others as they stand."""
    s = search(programs, n, programs.shadow.price, wanted)
    rows = programs.rows(n)
    found = np.ones(s.open.shape, bool) if wanted is None else wanted > 0.0
    programs.shadow.price[rows] = np.where(found, s.trial, programs.shadow.price)[rows]
    programs.give(n, s, found)
    programs.lock()


def apart(programs: Programs) -> np.ndarray:
    """(P, L) 1 for periods whose months are farther from their bound than GOOD."""
    slack, bound, period = programs.shadow.slack, programs.shadow.bound, programs.coupled.period
    found = np.zeros(programs.shadow.stock.shape)
    for n in range(len(period)):
        for p in range(*programs.coupled.first[n : n + 2]):
            mine = period[n] == p
            found[p] = slack[mine].sum(axis=0) > GOOD * np.abs(bound[mine].sum(axis=0))
    return found


def begin(programs: Programs) -> tuple[np.ndarray, np.ndarray]:
    """All commitments at nothing: rooms to begin with, prices to expect; returns the lanes on which one does not pay for all, and the work
    (W, M, L) there is to do."""
    coupled, shadow = programs.coupled, programs.shadow
    shadow.price[:] = shadow.bound[:] = 0.0
    s = programs.fresh(shadow.price)
    plan = at_prices(programs)
    for n in range(len(coupled.contract)):
        couple.within_block(n, coupled, programs.segments.cap, plan.use, shadow.unit, s.hours[0], s.taken[0])
    s.hours[1] = s.hours[0]
    over = s.taken[0] > shadow.stock
    for n in range(len(coupled.contract)):
        programs.give(n, s, np.ones(over.shape, bool))
    programs.lock()
    shadow.price[:] = np.where(over, s.highest, 0.0)
    return np.flatnonzero(over.any(axis=0)), plan.served + plan.unserved


def measure(programs: Programs, placed: place.Placement) -> None:
    """Fill `slack` and `bound`: how far a placement can be from the best of its periods, by weak duality at the shadow prices."""
    coupled, shadow, (pool, cap, cost) = programs.coupled, programs.shadow, programs.segments
    flat, hours, taken = cost.copy(), np.zeros(programs.full.shape), np.zeros(shadow.stock.shape)
    segments = place.Segments(pool, cap, flat)
    for n in range(len(coupled.contract)):
        couple.price_block(n, coupled, shadow.price, shadow.unit, programs.full, flat)
        couple.within_block(n, coupled, cap, placed.use, shadow.unit, hours, taken)
    todo = placed.served + placed.unserved
    couple.bound_block(segments, programs.jobs, programs.loads, programs.ready, programs.X, todo, shadow)
    couple.earned_block(segments, programs.loads, placed.use, shadow.slack)
    np.subtract(shadow.bound, shadow.slack, out=shadow.slack)
    for n in range(len(coupled.contract)):
        couple.periods_block(n, coupled, programs.full, cap, hours, taken, shadow)


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
    """Run every kernel of a book with a coupled contract once."""
    programs = Programs.of(b)
    s = search(programs, 0, b.shadow.price)
    seek.open_months(0, programs.coupled, s, np.zeros(b.used.shape[1:], np.int64))
    programs.give(0, s, np.ones(s.open.shape, bool))
    measure(programs, b.placement)
