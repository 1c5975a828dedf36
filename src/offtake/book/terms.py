"""What was agreed: the frozen types of a book.

A book is text; `text` reads it into these types, `check` looks for faults, `plan` compiles them to arrays. Nothing here
computes. Every field that is a number says its base unit; `numbers` turns what is written into that unit (N-01 to N-03).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from .company import Company
from .consumption import Consumed
from .equity import Edge
from .fields import (
    FirmOn,
    Gpus,
    KwPerGpu,
    Months,
    Multiple,
    MultipleTimeline,
    Mw,
    Rate,
    Share,
    Sourced,
    Term,
    Usd,
    UsdPerGpu,
    UsdPerGpuHour,
    UsdPerGpuHourFlat,
    UsdPerMw,
    UsdPerMwh,
    Users,
)
from .market import Event, Market, Tree
from .numbers import Beside, Day, Hours, Label, Moment, Month, Number, Series
from .options import Option
from .reader import quantity, timeline
from .tree import Node


class Source(Term):
    """A document: who published it, what, when, and how good it is (N-05)."""

    publisher: str
    title: str
    published: Day
    quality: Literal["filed", "stated", "reported", "derived"]
    url: str | None = None
    note: str | None = None


class Power(Sourced):
    """kW per GPU with its basis (S-02): where it is measured, and what kind of figure it is."""

    value: KwPerGpu
    basis: Literal["gpu", "rack", "it", "facility"]
    rating: Literal["nameplate", "provisioned", "measured"]


class Chip(Sourced):
    """A chip generation as it is bought: one GPU with its share of server and network."""

    name: str
    vendor: str
    generation: int
    domain: int = Field(gt=0, description="GPUs that share the scale-up fabric (P-03)")
    power: Power
    overhead: Multiple  # provisioned IT kW over the power figure's own basis
    load: Share  # measured power of a working GPU over provisioned
    idle: Share  # measured power of an idle GPU over provisioned
    cost: UsdPerGpu  # server, network and storage per GPU
    lead: Months  # paid before delivery
    life: Months  # useful life
    resale: Share | None = Field(default=None, description="what a GPU brings at its life's end, of its cost; absent: nothing (A-04)")
    other_life: Months | None = Field(default=None, description="a useful life to ask about: depreciation beside the booked one (A-04)")
    dense: dict[Literal["bf16", "fp8", "fp4"], Annotated[Number, quantity("FLOP/s")]]
    market_price: UsdPerGpuHour  # re-lease price (V-04)


class Step(Sourced):
    """MW that become usable in one month, then slip (S-02)."""

    mw: Mw
    basis: Literal["it", "facility", "utility"]
    month: Month
    slip: Months


class Lot(Sourced):
    """GPUs delivered evenly over some months, then slipped and accepted (S-01)."""

    chip: str
    gpus: Gpus
    month: Month
    over: Months
    slip: Months
    acceptance: Months
    running: bool = False  # a month-0 lot: already there


class Fabric(Sourced):
    """Scale-out network: the largest gang it carries, and the gang at which MFU has halved (P-03)."""

    gpus: Gpus
    half: Gpus


class Stops(Sourced):
    """What takes machines down again and again: how often and for how long, each on average (S-05)."""

    every: Months = Field(description="maintenance: from one start to the next of each rack; outages: time with power before it fails")
    length: Annotated[Number, quantity("h")]


class Site(Sourced):
    """Where pools stand: power, shell, lots of chips, and what running them costs."""

    name: str
    provider: str
    tenants: list[str] = Field(default=[], description="other providers that may serve contracts from here (C-01)")
    us_share: Share = Field(description="share of the site's load on the US grid (S-06)")
    power: list[Step]
    shell: list[Step] = []
    lots: list[Lot]
    peak_pue: Multiple
    average_pue: Multiple
    non_gpu: Share  # of IT power
    reserve: Share  # of IT power held back for redundancy
    losses: Share  # between the grid and the facility
    availability: Share | None = Field(default=None, description="part of ready hours that can be used; absent: by the surface (S-05)")
    maintenance: Stops | None = Field(default=None, description="planned: each rack in turn; beside availability (S-05)")
    outages: Stops | None = Field(default=None, description="of the power of the whole site; beside availability (S-05)")
    fabric: Fabric
    energy_price: UsdPerMwh
    build_cost: UsdPerMw  # shell, power and cooling, per facility MW; 0 when leased
    construction: Months
    building_life: Months
    rent: Annotated[Number, quantity("USD/kW-month")]  # leased capacity as rent; 0 when owned
    operations: UsdPerGpuHourFlat


class Late(Sourced):
    """Late-delivery remedy (C-05)."""

    remedy: Literal["extend", "credit", "walk", "none"]
    after: Months
    credit: Share = Field(description="of the price of each late hour, when the remedy is a credit")


class Makeup(Sourced):
    """Hours paid as a deficiency may be taken later (C-04); what is never taken is earned by `breakage` or when it expires (A-01)."""

    expires: Months = Field(description="months after the true-up in which the hours may still be taken, within the term")
    remote: Months | None = Field(default=None, description="months after which the rest counts as never taken; absent: on expiry")


class Contract(Sourced):
    """A commitment and its terms (C-01). `announced` ones are listed and reconciled but bill nothing (C-11)."""

    name: str
    customer: str
    provider: str
    layer: Literal["chip", "shell", "power", "cloud"]
    form: Literal["reserved", "take_or_pay", "burn_down", "build_up", "capacity_block", "announced"]
    signed: Month
    total: Usd | Label
    inside: list[str] = []
    firm: Share
    priority: int | None = Field(default=None, description="who is paid first when cash is short (V-02); higher first")
    up_to: bool = False
    power: Mw | None = None
    starts: Month | None = None
    term: Annotated[Number, quantity("month")] | None = None
    sites: list[str] = []
    service_priority: int | None = Field(default=None, description="who is served first where a site is shared (C-01); higher first")
    pools: dict[str, dict[str, Gpus]] = Field(default={}, description="GPUs by site and chip that it may claim; absent: all, or the rest")
    price: UsdPerGpuHour | Label | None = None
    prices: dict[str, UsdPerGpuHour] = Field(default={}, description="price by chip, in place of `price` (C-01)")
    overage_price: UsdPerGpuHour | None = None
    take_or_pay: Share | None = None
    true_up: Literal["month", "year", "term"] | None = None
    makeup: Makeup | None = None
    committed: list[Usd] = Field(default=[], description="USD by commitment year of a `build_up`; empty: the total, evenly (C-08)")
    gpus: Gpus | None = Field(default=None, description="GPUs of a `capacity_block` (C-08)")
    ramp: Literal["readiness", "calendar"] | None = None
    late: Late | None = None
    sla: Share | None = None
    prepaid: Usd | None = None
    replacement: Multiple | None = Field(
        default=None, description="cost of the chips that follow worn-out ones within the term, over the first cost; absent: none follow"
    )
    financing_rate: Rate | None = None
    at_end: Literal["shortfall", "lapse"] | None = None
    recognition: Literal["reserved", "usage", "operating_lease", "sales_type_lease"] | None = None
    lease_rate: Rate | None = Field(default=None, description="rate implicit in it as a lease: shows all treatments side by side (A-01)")
    breakage: Share | None = None
    firm_on: FirmOn | None = None
    exemption: Literal["one_year", "right_to_invoice", "allocated_variable"] | None = Field(
        default=None, description="why the provider leaves it out of RPO, if it does (A-02, ASC 606-10-50-14)"
    )
    order_lead: Months | None = None
    payment_lag: Months | None = None
    options: dict[str, Option] = {}
    consumed: Consumed | None = Field(default=None, description="what was billed of it before the book's first month (C-07)")
    exclusive: list[str] = Field(default=[], description="workloads that may run on this contract alone (C-01, P-03)")
    first_refusal: Share | None = Field(
        default=None, description="share of cases in which the provider, asked first, declines what another contract would add (C-01)"
    )


class Run(Sourced):
    """One training run (D-02)."""

    flop: Annotated[Number, quantity("FLOP")]
    month: Month
    over: Months


class Workload(Sourced):
    """What the customer wants to compute (D-01 to D-03) and where it may run (P-03)."""

    name: str
    kind: Literal["inference", "training", "batch"]
    customer: str
    may_run: list[str]
    chips: list[str] = []
    domain: int = 1
    gang: Gpus
    home: str
    moving: UsdPerGpuHourFlat
    value: UsdPerGpuHourFlat
    reference: str
    efficiency: MultipleTimeline
    deferrable: bool = False
    users: Users | None = None
    requests: Annotated[Number | Series, timeline("request/user-week")] | None = None
    input_tokens: Annotated[Number | Series, timeline("token/request")] | None = None
    output_tokens: Annotated[Number | Series, timeline("token/request")] | None = None
    tokens: Annotated[Number | Series, timeline("token/month")] | None = None
    input_weight: Share | None = None
    headroom: Multiple | None = None
    profile: dict[str, Multiple] = Field(default={}, description="load in each slot of the day over its mean (D-01)")
    throughput: dict[str, Annotated[Number, quantity("token/s/GPU")]] = {}
    derate: Share | None = None
    runs: list[Run] = []
    precision: Literal["bf16", "fp8", "fp4"] | None = None
    mfu: Share | None = None
    goodput: Share | None = None
    gpu_hours: Annotated[Number | Series, timeline("GPU-h/month")] | None = None


class Factor(Sourced):
    """A named common factor: Spearman rank correlation of each driven input with it (N-04)."""

    drives: dict[str, Annotated[Number, quantity("rank")]]


class Correlation(Sourced):
    between: tuple[str, str]
    rank: Annotated[Number, quantity("rank")]


class Scenario(Sourced):
    """A named patch of the book: it changes numbers, never the set of pools or contracts (U-03)."""

    title: str
    probability: Share | None = None
    set: dict[str, object]


class Replay(Sourced):
    """Which response surface of job replays says how much of the hours is useful (R-03)."""

    surface: str
    mix: Share  # of GPU-hours in the book's own workloads; the rest is a public trace
    failures: Multiple  # over the surface's own rate of interruptions


class Position(Sourced):
    """What is held and on which assumption it is long or short (V-08): one ticker, a basket in equal parts, or what a rule picks."""

    ticker: str = Field(description="of the share; of a basket, its name")
    side: Literal["long", "short"]
    weight: Share
    assumption: str = Field(description="the input it is long or short")
    basket: list[str] = []
    rule: Literal["no frontier-lab contract"] | None = None
    borrow: Rate | None = None  # a year, of the money shorted
    trading: Share | None = None  # in and out together, of the money put in


class Proxy(Sourced):
    """What to read in place of a signal that is never published (E-01)."""

    measure: str
    link: Share = Field(description="link error: one s.d. of the proxy's figure around its measure, of the figure")


class Signal(Sourced):
    """What to watch, registered before the fact (E-01)."""

    title: str
    measure: str
    document: str
    table: str | None = None
    due: Day
    threshold: Annotated[Number, quantity("any")] | None = None
    alert: Literal["above", "below"] | None = Field(default=None, description="side of the threshold that asks for the action")
    action: str
    discrepancy: Share | None = Field(default=None, description="how far model and figure may lie apart, one s.d., of the figure (E-02)")
    never: Share | None = Field(default=None, description="chance that it is never published")
    proxy: Proxy | None = None
    otherwise: str


class Claim(Sourced):
    """A sentence somebody said, beside the record on that date."""

    text: str
    speaker: str
    kind: Literal["fact", "promise", "opinion"]
    claimed: Annotated[Number, quantity("any")] | None = None
    record: Annotated[Number, quantity("any")] | None = None
    measure: str | None = None
    quotes: Literal["commitments"] | None = None
    verdict: str


class Book(Term):
    title: str
    as_of: Moment
    start: Month
    months: int = Field(gt=0, le=480)
    day: dict[str, Hours] = Field(default={}, description="hours of each slot of the day; none: a month is one block (P-01)")
    sources: dict[str, Source]
    companies: dict[str, Company]
    chips: dict[str, Chip]
    sites: dict[str, Site]
    contracts: dict[str, Contract]
    equity: dict[str, Edge] = {}
    workloads: dict[str, Workload]
    replay: Replay | None = None
    factors: dict[str, Factor] = {}
    correlations: list[Correlation] = []
    scenarios: dict[str, Scenario] = {}
    market: Market | None = None
    events: dict[str, Event] = {}
    tree: Tree | None = None
    positions: dict[str, Position] = {}
    signals: dict[str, Signal] = {}
    claims: dict[str, Claim] = {}

    _tree: Node | None = PrivateAttr(default=None)  # the text it was read from, for places and scenarios
    _file: str = PrivateAttr(default="book.yaml")
    _beside: Beside = PrivateAttr(default=Beside())
