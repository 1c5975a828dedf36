"""Which pool a job goes to now, and why: the marginal cost of its hours in every pool, on top of what is busy.

    hours of a pool   levels, cheapest first (P-02): paid whether used or not, up to the commitment, past it. What is busy lies in the
                      cheapest hours; the job takes the next ones. Levels are in GPUs, so a window of any length has its hours.
    a job fits        where its workload may run, its chip stands, one fabric joins its gang, so many GPUs are ready and are free (P-03)
    the queue         what replays expect a gang to wait there (`queue`); it is in the total only where it is asked for, at the value of
                      the hours that wait (D-04): GPUs x hours x value, and then a pool whose queue nobody knows comes last
    the best pool     that of the least total: hours at marginal cost, moving, a queue that is charged. A tie goes to the first name.

Prices come from the placement of the mean path (`offers`); nothing is solved again here, and no array is needed.
Source  model P-01 to P-03, P-06
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, isclose
from typing import NamedTuple

ALLOWED, CHIP, CLOSED, FABRIC, READY, BUSY, HOURS = (
    "not allowed", "chip", "closed", "fabric", "ready", "busy", "hours",
)  # fmt: skip
NEAREST = (BUSY, HOURS, READY, FABRIC, CLOSED, CHIP, ALLOWED)  # which cause is told first when no pool takes the job
DUST = 1e-9  # of a GPU or GPU-h: rounding


@dataclass(frozen=True)
class Job:
    """What is to be placed: GPUs that start together, hours of run time where it is fastest."""

    name: str
    gpus: int
    hours: float
    workload: str | None = None
    chip: str | None = None


@dataclass(frozen=True)
class Level:
    """GPUs whose hours have one marginal cost, USD per GPU-h; of a commitment with `left` GPU-h, `past` is what hours beyond cost."""

    gpus: float
    cost: float
    why: str
    left: float = inf
    past: float = 0.0


class Waits(NamedTuple):
    """Hours that gangs of at most `gang` GPUs wait: mean and 95th percentile, None where no replays lie near; the mean is off by `factor`
    where a replay is left out."""

    gang: float
    mean: float | None
    p95: float | None
    factor: float


@dataclass(frozen=True)
class Queue:
    """What is known of waits in a pool, by class of gangs, smallest first.

    told     why there are none, or what lies beside the replays
    at_most  waits are bounds from above
    larger   what larger gangs would take to have a wait
    """

    classes: tuple[Waits, ...] = ()
    told: tuple[str, ...] = ()
    at_most: bool = False
    larger: str = ""

    def of(self, gpus: int) -> Waits | None:
        """Waits of a gang; None where its mean is not known, or the gang is larger than in any replay."""
        found = next((waits for waits in self.classes if gpus <= waits.gang), None)
        return found if found and found.mean is not None else None

    def why(self, gpus: int) -> tuple[str, ...]:
        """What there is to say of the wait of a gang, where that is not all in its numbers."""
        if self.classes and self.of(gpus) is None and gpus <= self.classes[-1].gang:
            return ("replays near this load, mix and number of clouds are too few, or their waits too long, to tell",)
        if self.classes and self.of(gpus) is None:
            return (self.larger or f"the replays have no gang above {self.classes[-1].gang:,.0f} GPUs",)
        return self.told


@dataclass(frozen=True)
class Pool:
    """A pool in one month. GPUs; `busy` holds (GPUs, hours until free or None); `later` (month, ready GPUs) of the months that follow."""

    label: str
    cloud: str
    site: str
    chip: str
    ready: float
    fabric: float
    levels: tuple[Level, ...]
    busy: tuple[tuple[int, float | None], ...] = ()
    later: tuple[tuple[str, float], ...] = ()
    queue: Queue = Queue()

    @cached_property
    def open(self) -> float:
        """GPUs whose hours are open to the customer."""
        return sum(level.gpus for level in self.levels)

    @property
    def taken(self) -> int:
        return sum(gpus for gpus, _ in self.busy)

    @property
    def free(self) -> int:
        """Whole GPUs that nothing holds now."""
        return max(int(min(self.ready, self.open) + DUST) - self.taken, 0)


@dataclass(frozen=True)
class Fit:
    """A workload in a pool: whether it may run, run time over that where it is fastest, USD per GPU-h of moving (None: not told)."""

    allowed: bool = True
    stretch: float = 1.0
    moving: float | None = None


@dataclass(frozen=True)
class Offers:
    """Pools of a month with how each workload fits each, and USD that a workload's hour is worth where it is fastest.

    `charge`: whether waiting is charged at that worth.
    """

    month: str
    pools: tuple[Pool, ...]
    fits: dict[tuple[str, str], Fit] = field(default_factory=dict)
    value: dict[str, float] = field(default_factory=dict)
    hours: float = 730.5  # of the month that are left
    notes: tuple[str, ...] = ()
    charge: bool = False

    def fit(self, job: Job, pool: Pool) -> Fit:
        return Fit() if job.workload is None else self.fits[job.workload, pool.label]

    def stretches(self, job: Job) -> dict[str, float]:
        """Run time in each pool over that of the fastest pool with the job's chip; 1 where it may not run."""
        fits = {pool.label: self.fit(job, pool) for pool in self.pools}
        of = [fits[p.label].stretch for p in self.pools if fits[p.label].allowed and job.chip in (None, p.chip)]
        return {label: fit.stretch / min(of) if of and fit.allowed else 1.0 for label, fit in fits.items()}


@dataclass(frozen=True)
class Quote:
    """A job in one pool: GPU-h, run time, USD, and why it does not fit where it does not; `room` says what would make room."""

    pool: Pool
    gpu_hours: float
    run_hours: float
    compute: float | None
    moving: float | None
    why: tuple[str, ...]
    cause: str | None = None
    told: str | None = None
    room: str | None = None
    wait: float | None = None  # hours until enough GPUs are free, where the state tells
    queue: Waits | None = None  # what the job is expected to wait
    queue_usd: float | None = None  # what the hours that wait are worth
    charged: bool = False  # whether that is in the total

    @property
    def total(self) -> float:
        return inf if self.compute is None else self.compute + (self.moving or 0.0) + (self.queue_usd or 0.0 if self.charged else 0.0)

    @property
    def last(self) -> bool:
        """Whether the queue is charged and nobody knows it."""
        return self.charged and self.queue_usd is None


def busy_hours(pool: Pool, window: float) -> float:
    """GPU-h of the next `window` hours that are held already; what ends nobody knows when holds them all."""
    return sum(gpus * (window if until is None else min(until, window)) for gpus, until in pool.busy)


def stack(pool: Pool, window: float) -> list[tuple[float, float, str]]:
    """(GPU-h, USD per GPU-h, why) of the next `window` hours, cheapest first."""
    found, held = [], busy_hours(pool, window)
    for level in pool.levels:
        hours = level.gpus * window
        inside = min(hours, held + level.left)
        found.append((inside, level.cost, level.why))
        if hours > inside:
            found.append((hours - inside, level.past, PAST))
    return sorted(found, key=lambda part: part[1])


PAST = "past the commitment"


def cost_of(parts: Sequence[tuple[float, float, str]], first: float, hours: float) -> tuple[float, tuple[str, ...]]:
    """USD of `hours` GPU-h of a stack after its `first`, and why."""
    usd, why = 0.0, []
    for size, cost, reason in parts:
        skipped = min(first, size)
        first, size = first - skipped, size - skipped
        part = min(size, hours)
        if part > DUST:
            usd, hours = usd + part * cost, hours - part
            why.append(reason)
    return usd, tuple(dict.fromkeys(why))


def quote(offers: Offers, job: Job, pool: Pool) -> Quote:
    """A job that starts now in a pool."""
    fit, stretch = offers.fit(job, pool), offers.stretches(job)[pool.label]
    run = job.hours * stretch
    need = job.gpus * run
    refused = refusal(job, pool, fit) or crowded(job, pool)
    if refused:
        return Quote(pool, need, run, None, None, (), *refused)
    usd, why = cost_of(stack(pool, run), busy_hours(pool, run), need)
    queue, value = pool.queue.of(job.gpus), offers.value.get(job.workload or "")
    worth = None if queue is None or queue.mean is None or value is None else queue.mean * job.gpus * value
    moving = None if fit.moving is None else fit.moving * need
    return Quote(pool, need, run, usd, moving, why, queue=queue, queue_usd=worth, charged=offers.charge)


Refusal = tuple[str, str, str, float | None]  # cause, what it is, what would make room, hours until there is


def refusal(job: Job, pool: Pool, fit: Fit) -> Refusal | None:
    """Why a job cannot run in a pool whatever is busy there (P-03); nothing where it can."""
    if not fit.allowed:
        decides = f"`may_run`, `chips`, `domain` and `exclusive` of the book decide ({pool.cloud})"
        return ALLOWED, f"{job.workload} may not run here", decides, None
    if job.chip not in (None, pool.chip):
        return CHIP, f"its chip is {pool.chip}", f"ask for {pool.chip}, or leave --chip out", None
    if pool.open <= DUST:
        return CLOSED, f"no hours of {pool.cloud} are open in this month", "a month inside the term in which GPUs are ready", None
    if job.gpus > pool.fabric + DUST:
        return FABRIC, f"one fabric joins {_whole(pool.fabric)} GPUs", f"a gang of {_whole(pool.fabric)} GPUs at most", None
    here = min(pool.ready, pool.open)
    if job.gpus > here + DUST:
        when = next((month for month, ready in pool.later if ready + DUST >= job.gpus), None)
        more = f"{_whole(job.gpus - int(here + DUST))} GPUs more; on the mean path "
        return READY, f"{_whole(here)} GPUs are ready", more + (f"so many are ready from {when}" if when else "never in the horizon"), None
    return None


def crowded(job: Job, pool: Pool) -> Refusal | None:
    """Why a job that could run in a pool cannot start now."""
    if job.gpus <= pool.free:
        return None
    short = job.gpus - pool.free
    wait = opening(pool, short + max(pool.taken - int(min(pool.ready, pool.open) + DUST), 0))
    unknown = sum(gpus for gpus, until in pool.busy if until is None)
    when = f"the state does not say when ({_whole(unknown)} GPUs without an end)" if wait is None else f"free in {wait:,.1f} h by the state"
    return BUSY, f"{_whole(pool.free)} of {_whole(min(pool.ready, pool.open))} GPUs are free", f"{_whole(short)} GPUs more; {when}", wait


def opening(pool: Pool, short: float) -> float | None:
    """Hours until `short` of the GPUs held are free again; None where the state does not tell."""
    freed = 0
    for until, gpus in sorted((until, gpus) for gpus, until in pool.busy if until is not None):
        freed += gpus
        if freed >= short:
            return until
    return None


def _whole(gpus: float) -> str:
    return f"{int(gpus + DUST):,}"


def ranked(quotes: Sequence[Quote]) -> list[Quote]:
    """Quotes that fit, the cheapest first, one with a queue that is charged and not known last; a tie to 1e-12 goes to the first name,
    whatever the order of the book (P-05)."""
    left, found = [q for q in sorted(quotes, key=lambda q: q.pool.label) if q.cause is None], []
    while left:
        first = [q for q in left if not q.last] or left
        least = min(q.total for q in first)
        best = next(q for q in first if isclose(q.total, least, rel_tol=1e-12, abs_tol=1e-9))
        left.remove(best)
        found.append(best)
    return found


def nearest(quotes: Sequence[Quote]) -> Quote:
    """Of quotes that do not fit, the one that is closest to it."""
    return min(quotes, key=lambda q: (NEAREST.index(q.cause or BUSY), q.wait if q.wait is not None else inf, q.pool.label))


def fits_no_fabric(offers: Offers, job: Job) -> str | None:
    """The sentence for a job that is larger than any fabric; nothing where one joins it."""
    most = max((pool.fabric for pool in offers.pools), default=0.0)
    if job.gpus <= most + DUST:
        return None
    where = ", ".join(pool.label for pool in offers.pools if pool.fabric == most)
    return f"{job.name}: {job.gpus:,} GPUs are more than any fabric joins; the largest joins {_whole(most)} ({where})"
