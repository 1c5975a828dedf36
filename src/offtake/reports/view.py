"""The view: everything the HTML report shows, as plain data. Reports format it; they compute nothing.

**Units**  numbers are in the unit named beside them. The base units `USD`, `share`, `GPU`, `GPU-h` and `MW` are scaled for
           display (bn USD, %, thousand GPUs ..); any other unit is printed as it stands.
**Axes**   `periods` are labels such as `2026-03`, `2026Q1`, `FY2026` or `2026`; every list of a chart has their length,
           every row of a matrix too.
**Absent** None is absent: an en dash, never 0 (N-06). A NaN or an infinity is a fault and is refused.
**Links**  `rests_on` names input paths as in `inputs`, `source` names a source id as in `sources`; what is found there becomes
           a link, what is not stays text.
"""

from typing import Literal, NotRequired, TypedDict

Number = float | None
Cell = str | float | None
Quality = Literal["filed", "stated", "reported", "derived", "assumed"]
Section = Literal[
    "money", "contracts", "pace", "capacity", "national", "placement", "customer", "concentration", "value", "stress",
    "calibration", "convergence",
]


class Stamp(TypedDict):
    """What makes the run repeatable: the same stamp, the same bits. Further keys are shown as they stand."""

    book: str
    catalog: str
    seed: int | str
    sampler: str
    paths: int
    block: int
    version: str
    scenario: NotRequired[str]


class Headline(TypedDict):
    """One figure of the first screen; value and interval are finished text ("5.1 bn USD", "3.9 to 6.0")."""

    label: str
    value: Cell
    interval: str | None
    note: str | None
    rests_on: list[str]


class Answer(TypedDict):
    """One of the numbered questions.

    conditional   "if you believe X", shown before the text (V-10)
    not_computed  why there is no answer
    """

    n: int
    question: str
    text: str
    value: NotRequired[Cell]
    interval: NotRequired[str | None]
    rests_on: list[str]
    conditional: str | None
    not_computed: str | None


class Band(TypedDict):
    """Percentiles and mean over the paths, one value a period."""

    name: str
    p05: list[Number]
    p25: list[Number]
    p50: list[Number]
    p75: list[Number]
    p95: list[Number]
    mean: list[Number]


class Line(TypedDict):
    """One named value a period."""

    name: str
    values: list[Number]


class Fan(TypedDict):
    """Intervals over time beside reference lines. `form`: "fan" over many periods, "bars" over few (default: by count)."""

    id: str
    title: str
    unit: str
    periods: list[str]
    bands: list[Band]
    lines: list[Line]
    note: str | None
    section: NotRequired[Section]
    form: NotRequired[Literal["fan", "bars"]]
    rests_on: NotRequired[list[str]]


class Stack(TypedDict):
    """Parts of a whole over time, such as the share of paths in which a cause binds (S-04)."""

    id: str
    title: str
    unit: str
    periods: list[str]
    series: list[Line]
    note: str | None
    section: NotRequired[Section]
    rests_on: NotRequired[list[str]]


class Heat(TypedDict):
    """A matrix, values[row][period]; None where there is nothing to measure."""

    title: str
    unit: str
    rows: list[str]
    periods: list[str]
    values: list[list[Number]]
    note: NotRequired[str | None]
    rests_on: NotRequired[list[str]]


class Node(TypedDict):
    name: str


class Link(TypedDict):
    """A flow; `low` and `high` are its smallest and largest value over all optimal plans (P-05)."""

    source: str
    target: str
    value: Number
    undetermined: bool
    low: Number
    high: Number


class Sankey(TypedDict):
    title: str
    unit: str
    nodes: list[Node]
    links: list[Link]
    note: NotRequired[str | None]
    rests_on: NotRequired[list[str]]


class Bar(TypedDict):
    """An input: what one standard deviation of it moves the output by, with standard error and interval of 95 %, the share of variance
    that a plane gives to it and its first-order index, and the output's mean with it at its 10th and 90th percentile. `sign` is ? where
    the interval holds 0."""

    input: str
    sign: str
    slope: Number
    slope_se: Number
    slope_low: Number
    slope_high: Number
    share: Number
    first_order: Number
    at_p10: Number
    at_p90: Number
    quality: str


class Tornado(TypedDict):
    """`unit` is that of the output."""

    title: str
    unit: str
    bars: list[Bar]
    note: NotRequired[str | None]


class Commitment(TypedDict):
    """`value` in USD, or text such as "known, unsized"; `inside` names the row whose money already holds it (C-11)."""

    name: str
    customer: str
    provider: str
    layer: str
    value: Cell
    firm: Cell
    quality: str
    inside: str | None
    note: str | None
    source: NotRequired[str | None]


class Total(TypedDict):
    label: str
    value: Cell


class Commitments(TypedDict):
    """`firm` is a share, totals are USD or finished text."""

    rows: list[Commitment]
    totals: list[Total]
    concentration: str | None


class Level(TypedDict):
    """A line of equal value over a surface: for each column the row, with parts between two rows' middles."""

    name: str
    rows: list[Number]


class Surface(TypedDict):
    """P(renegotiation): values[run][threshold], shares; first passage for `run` months below `threshold` (V-04)."""

    title: str
    thresholds: list[Cell]
    runs: list[Cell]
    values: list[list[Number]]
    threshold_name: NotRequired[str]
    run_name: NotRequired[str]
    line: NotRequired[Level]
    note: NotRequired[str | None]


class Grid(TypedDict):
    """A table under a section's heading: a unit a column (None: text or numbers as they stand), rows of cells."""

    section: str
    title: str
    columns: list[str]
    units: list[str | None]
    rows: list[list[Cell]]
    note: str | None


class Scenario(TypedDict):
    """`probability` is a share; cells follow the columns, finished text or numbers as they stand."""

    name: str
    probability: Number
    cells: list[Cell]


class Scenarios(TypedDict):
    columns: list[str]
    rows: list[Scenario]
    note: NotRequired[str | None]


class Watch(TypedDict):
    """A signal registered before the fact (E-01): the figure to expect, the alert's threshold and its chance, what the figure tells, how
    likely it is published and what is read else, and what to do when the threshold is passed and otherwise."""

    title: str
    due: str | None
    measure: str | None
    interval: str | None
    threshold: str | None
    information: str | None
    publication: str | None
    action: str | None
    otherwise: str | None


class Claim(TypedDict):
    """A sentence of the article beside the record; kind is fact, promise or opinion."""

    text: str
    speaker: str | None
    kind: str
    claimed: Cell
    record: Cell
    model: NotRequired[str | None]
    verdict: str | None
    source: str | None


class Input(TypedDict):
    """A number of the book or the catalog; `line` is its line in the book."""

    path: str
    value: Cell
    unit: str | None
    quality: str
    source: str | None
    published: str | None
    line: int | None
    note: str | None


class Source(TypedDict):
    id: str
    publisher: str | None
    title: str | None
    published: str | None
    quality: str | None
    url: str | None


class Identity(TypedDict):
    """A rule of A-10 and its worst breach, relative to gross flows, over every path and period."""

    rule: str
    worst: Number
    path: int | None
    month: Cell


class View(TypedDict):
    title: str
    subtitle: str | None
    as_of: str
    stamp: Stamp
    headline: list[Headline]
    answers: list[Answer]
    fans: list[Fan]
    stacks: list[Stack]
    heat: Heat | None
    sankey: Sankey | None
    tornado: list[Tornado]
    commitments: Commitments | None
    surface: Surface | None
    surface_by_year: NotRequired[Surface | None]
    tables: NotRequired[list[Grid]]
    scenarios: Scenarios | None
    watch: list[Watch]
    watch_note: NotRequired[str | None]
    claims: list[Claim]
    inputs: list[Input]
    sources: list[Source]
    identities: list[Identity]
    limits: list[str]
