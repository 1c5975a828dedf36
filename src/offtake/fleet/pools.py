"""What a replay runs on: pools, failures, checkpoints, policy. Plain terms; `machines` makes arrays of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .fleets import Fleet

CAUSES = ("gpu", "tray", "rack", "network", "site", "software")
POLICIES = ("fifo", "backfill", "sjf", "las", "priority")
MOST_IN_DOMAIN = 62  # nodes of a domain, GPUs of a node: the kernel keeps them as bits


@dataclass(frozen=True)
class Outage:
    """Power fails at `at` seconds, for `length` seconds, for so many GPUs of a pool: the last of those ready."""

    at: float
    length: float
    gpus: int


@dataclass(frozen=True)
class Service:
    """Maintenance: each domain once in `every` seconds, `length` seconds long."""

    every: float
    length: float


@dataclass(frozen=True)
class Pool:
    """Machines of one kind in one place; all sizes in GPUs.

    gpus     steps (seconds, GPUs) of what is ready from then on; nodes come from the first on and leave from the last
    node     a tray or server; 1 counts GPUs without placement
    domain   a rack whose GPUs share one scale-up network; a node where nothing is said
    segment  the largest part of a gang that must share a domain; 0: none must
    slowdown share by which a gang runs longer when its segments cannot share domains; None: it waits for them
    spares   held back for failures
    chip     what stands there, for jobs that ask for one
    outages  when power fails, for how many GPUs
    price    USD per GPU-hour
    service  maintenance of this pool, where the rules state none for all
    """

    name: str
    gpus: tuple[tuple[float, int], ...]
    node: int = 1
    domain: int = 0
    segment: int = 0
    spares: int = 0
    slowdown: float | None = None
    chip: str | None = None
    outages: tuple[Outage, ...] = ()
    price: float = 0.0
    service: Service | None = None

    @property
    def most(self) -> int:
        """GPUs at its largest."""
        return max(gpus for _, gpus in self.gpus)


@dataclass(frozen=True)
class Failures:
    """How often something breaks, what it takes along, and how long until it works again.

    rate     interruptions per GPU-day, all causes together
    shares   of the causes in `CAUSES`; they add up to 1
    hours    median hours to repair by cause    spread  standard deviation of their logarithm
    notice   seconds until a failure is noticed: part of the time down, booked as failure and not as repair
    source   where the numbers are from
    """

    rate: float
    shares: tuple[float, ...]
    hours: tuple[float, ...]
    spread: tuple[float, ...]
    notice: float
    source: str


@dataclass(frozen=True)
class Saving:
    """Checkpoints: seconds to write one and to start again from it; seconds of work between two, None for Daly's optimum."""

    write: float = 0.0
    restart: float = 0.0
    interval: float | None = None


@dataclass(frozen=True)
class Rules:
    """How jobs are chosen, and what interruptions cost.

    depth    how many waiting jobs backfill looks at
    ladder   GPU-hours of service after which a job falls to the next class (las)
    move     seconds that a job pays to go to another pool than the one it waits in; None: it stays
    serving  fleets of inference
    value    USD that an hour of waiting costs a job for each of its GPUs: it moves where that pays; None: wherever there is room
    fleets   how inference that grows back gets GPUs: `preempt` those of jobs, or `wait` before the first of them
    low      share of a pool's GPUs up to which jobs that may be put off start early
    until    seconds at which the replay stops; None: when all is done
    """

    policy: str = "fifo"
    depth: int = 1000
    ladder: tuple[float, ...] = (1.0, 10.0, 100.0)
    move: float | None = 0.0
    value: float | None = None
    fleets: str = "preempt"
    serving: tuple[Fleet, ...] = ()
    low: float = 0.8
    until: float | None = None
    failures: Failures | None = None
    saving: Saving = field(default_factory=Saving)
    service: Service | None = None
    seed: int = 1
    path: int = 0
    log: int = 0
