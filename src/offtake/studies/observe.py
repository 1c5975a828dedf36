"""From a sentence to an observation (E-02): `MEASURE of ENTITY @ PERIOD = 200 bn USD`, read against what the measure is.

What the digits say counts: `200 bn USD` was printed in whole billions and covers 199.5 to 200.5; `200.3` covers 200.25 to 200.35.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from ..errors import QuestionError
from ..evidence.observations import Observation
from ..facts import Facts
from ..plan import Plan
from ..questions import Question, address, at_period, by_of, question
from ..units import Quantity, UnitError, read_quantity

RULE = "write it as 'MEASURE of ENTITY @ PERIOD = 200 bn USD'"
SIGNS = "~ is approximately, > more than, < less than, '= 190 to 210 bn USD' between"
SAID = re.compile(r"^(?P<about>[^=~≈<>]+?)\s*(?P<sign>>=|<=|=|~|≈|>|<)\s*(?P<figure>[^=~≈<>]+)$")
WORDS = (
    ("~", re.compile(r"^(?:approximately|approx\.?|about|around|nearly|roughly|~|≈|约|大约)\s*", re.I)),
    (">", re.compile(r"^(?:more than|over|above|at least|超过|至少)\s*", re.I)),
    ("<", re.compile(r"^(?:less than|under|below|up to|at most|不到|至多)\s*", re.I)),
)
BETWEEN = re.compile(r"^(?:between\s+)?(?P<low>[^\s].*?)\s+(?:to|and)\s+(?P<high>\S.*)$")
COUNT = re.compile(r"^(?P<hits>\d+)\s+of\s+(?P<count>\d+)$")
DIGITS = re.compile(r"^[+-]?[\d,_]*(?:\.(?P<decimals>\d*))?(?:[eE](?P<power>[+-]?\d+))?")
DISCREPANCY = "2 %"
NOT_STATED = "not stated: the tool's own 2 % of the figure; say yours with --discrepancy and --because"
ABOUT_SPREAD = 0.05  # of the figure: one standard deviation of "approximately", unless --spread says another


@dataclass(frozen=True)
class Told:
    """What the user says beside the figure, as written; absent where not said."""

    publisher: str
    document: str
    published: date
    discrepancy: str | None = None
    because: str | None = None
    rounding: str | None = None
    spread: str | None = None
    covers: str | None = None
    definition: str | None = None


def source(text: str) -> tuple[str, str, date]:
    """Publisher, document and day of `PUBLISHER, DOCUMENT, 2026-02-06`. Raises QuestionError."""
    parts = [part.strip() for part in text.split(",")]
    rule = "name the source as 'PUBLISHER, DOCUMENT, 2026-02-06', the day on which it was published last (N-05)"
    if len(parts) < 3 or not all(parts):
        raise QuestionError(f"'{text}' is no source; {rule}")
    try:
        day = date.fromisoformat(parts[-1])
    except ValueError:
        raise QuestionError(f"'{parts[-1]}' is no day; {rule}") from None
    if day > date.today():
        raise QuestionError(f"{day} is not yet there: nothing published on it can have been observed (T-02)")
    return parts[0], ", ".join(parts[1:-1]), day


def asked(plan: Plan, about: str) -> tuple[Question, int]:
    """The question behind `MEASURE of ENTITY @ PERIOD` and the row of its period. Raises QuestionError."""
    found = address(about)
    if found.statistic:
        raise QuestionError(f"'{about}' asks of all paths at once; {RULE}, without {found.statistic}(..)")
    q = question(plan, found.measure, found.of, by_of(found.period) if found.period else None)
    if q.measure.kind in ("causes", "surface", "postings"):
        raise QuestionError(f"'{q.measure.name}' is not one number a path; {RULE}")
    if found.period is None and q.width > 1:
        raise QuestionError(f"'{about}' has {q.width} periods; {RULE}, with a period")
    return q, at_period(q, found.period) if found.period else 0


def named(plan: Plan, q: Question, row: int) -> str:
    """The one address of a number that has several: a fiscal period that is a calendar one is written so, and a stock by the quarter or
    month at whose end it is taken, so that a figure meets its signal and forecast however each is written."""
    period = q.periods[row]
    label, last = period.label, plan.start + period.last
    months = 1 if q.measure.kind == "stock" else period.last - period.first + 1
    year, month = divmod(last, 12)
    if q.by != "total" and (q.measure.kind == "stock" or not period.cut):
        if months == 12 and month == 11:
            label = f"{year}"
        elif month % 3 == 2 and (months == 3 or q.measure.kind == "stock"):
            label = f"{year}Q{month // 3 + 1}"
        elif months == 1:
            label = f"{year}-{month + 1:02d}"
    return f"{q.measure.name} of {q.entity.label} @ {label}"


def address_of(plan: Plan, text: str) -> str | None:
    """The one address that a measure's text stands for; None where it is not one number a path."""
    try:
        return named(plan, *asked(plan, text))
    except QuestionError:
        return None


def whole(plan: Plan, q: Question, row: int) -> None:
    """A printed figure is of a whole period: raises QuestionError where the horizon cuts it. A stock needs its last month alone."""
    period = q.periods[row]
    ends = period.last < plan.months - 1 if q.measure.kind == "stock" else False
    if period.cut and not ends:
        held = period.last - period.first + 1
        raise QuestionError(
            f"the book's horizon holds {held} months of {period.label}; a figure printed for all of it says nothing of {q.measure.name} "
            "there; ask a period inside the horizon"
        )


def observation(plan: Plan, text: str, told: Told) -> Observation:
    """An observation from a sentence and what was told of it. Raises QuestionError with what is wrong and how it reads."""
    said = SAID.match(" ".join(text.split()))
    if not said:
        raise QuestionError(f"'{text}' is no observation; {RULE}; {SIGNS}")
    q, row = asked(plan, said["about"])
    whole(plan, q, row)
    unit = q.measure.unit
    relation, figure = _relation(said["sign"], said["figure"])
    if relation == "of":
        return _counted(named(plan, q, row), q, said, told)
    low, high = _ends(relation, figure, unit, told.rounding)
    middle = abs(((low if low is not None else high or 0.0) + (high if high is not None else low or 0.0)) / 2.0)
    covers, covers_spread = _covers(told.covers)
    about = named(plan, q, row)
    stated, because = _stated(plan, about, told)
    return Observation(
        about=about, written=f"{said['sign']} {said['figure'].strip()}",
        relation=relation, low=low, high=high, unit=unit,
        spread=(_size(told.spread, middle, unit, "--spread") if told.spread else ABOUT_SPREAD * middle) if relation == "~" else 0.0,
        discrepancy=_size(stated, middle, unit, "--discrepancy"), discrepancy_text=stated,
        because=because,
        covers=covers, covers_spread=covers_spread, definition=told.definition,
        publisher=told.publisher, document=told.document, published=told.published,
    )  # fmt: skip


def _stated(plan: Plan, about: str, told: Told) -> tuple[str, str]:
    """The discrepancy and its reason: the user's, else that of the book's signal about the same number, else the tool's own."""
    if told.discrepancy:
        return told.discrepancy, told.because or "no reason stated"
    for name, signal in plan.book.signals.items():
        if signal.discrepancy is not None and address_of(plan, signal.measure) == about:
            why = signal.discrepancy.assumed or signal.discrepancy.source
            return f"{100.0 * signal.discrepancy.median():g} %", f"signals.{name}: {why}"
    return DISCREPANCY, NOT_STATED


def _counted(about: str, q: Question, said: re.Match[str], told: Told) -> Observation:
    """`7 of 10`: a count of cases that the measure, a share, gives the chance of."""
    found = COUNT.match(said["figure"].strip())
    assert found is not None
    hits, count = int(found["hits"]), int(found["count"])
    if q.measure.unit != "share" or not 0 <= hits <= count or count == 0:
        raise QuestionError(f"'{found[0]}' is no count of a share: {about} is in {q.measure.unit}; write `7 of 10` of a measure in shares")
    if told.discrepancy or told.spread or told.rounding or told.covers:
        raise QuestionError("a count measures itself: it takes no discrepancy, spread, rounding or covers; write the share instead")
    return Observation(about, f"= {found[0]}", "of", float(hits), float(count), "share", 0.0, 0.0, "none", "a count: the binomial's own",
                       1.0, 0.0, told.definition, told.publisher, told.document, told.published)  # fmt: skip


def _relation(sign: str, figure: str) -> tuple[str, str]:
    """The relation that sign and words make, and the figure without the words."""
    relation = {"≈": "~", ">=": ">", "<=": "<"}.get(sign, sign)
    for word, pattern in WORDS:
        found = pattern.match(figure)
        if found:
            if relation not in ("=", word):
                raise QuestionError(f"'{sign} {figure}' says two things; write one of =, ~, > and <")
            return word, figure[found.end() :]
    if relation == "=" and COUNT.match(figure.strip()):
        return "of", figure
    return ("in", figure) if relation == "=" and BETWEEN.match(figure) else (relation, figure)


def _ends(relation: str, figure: str, unit: str, rounding: str | None) -> tuple[float | None, float | None]:
    """What the printed figure covers, in the measure's unit."""
    if relation == "in":
        parts = BETWEEN.match(figure)
        assert parts is not None
        upper = _quantity(parts["high"])
        low, high = _base(_quantity(parts["low"]).completed(upper), unit, figure), _base(upper, unit, figure)
        if not low < high:
            raise QuestionError(f"'{figure}' is no interval: write the lower end first")
        return low, high
    value = _base(_quantity(figure), unit, figure)
    if relation == ">":
        return value, None
    if relation == "<":
        return None, value
    half = _half(figure, unit, rounding, value)
    return value - half, value + half


def _half(figure: str, unit: str, rounding: str | None, value: float) -> float:
    """Half a unit of the last digit, or of a stated rounding; `none` makes the figure exact."""
    if rounding is not None:
        return 0.0 if rounding == "none" else _size(rounding, abs(value), unit, "--rounding") / 2.0
    digits = DIGITS.match(figure.strip())
    assert digits is not None
    last = 10.0 ** (int(digits["power"] or 0) - len(digits["decimals"] or ""))
    written = _quantity(figure)
    return _base(Quantity(0.5 * last, written.magnitude, written.unit), unit, figure)


def _size(text: str, of: float, unit: str, option: str) -> float:
    """A size in the measure's unit: a bare percentage is of the figure, points of a share are written in bp; `none` is 0."""
    if text.strip() == "none":
        return 0.0
    found = _quantity(text)
    value = found.value / 100.0 * of if found.unit == "%" else _base(found, unit, text)
    if not 0.0 <= value < float("inf"):
        raise QuestionError(f"{option} '{text}' is no size; write `2 %` of the figure, or an amount as in `5 bn USD`")
    return value


def _covers(text: str | None) -> tuple[float, float]:
    """Median and standard deviation in logs of what a definition covers: `90 %`, or `85 % to 95 %` as a 90 % interval (N-02)."""
    if text is None:
        return 1.0, 0.0
    from math import log, sqrt

    parts = BETWEEN.match(text)
    ends = [parts["low"], parts["high"]] if parts else [text]
    found = [_quantity(end) for end in ends]
    values = [_base(q.completed(found[-1]), "multiple", text) for q in found]
    if min(values) <= 0.0 or values != sorted(values):
        raise QuestionError(f"--covers '{text}' is no share above zero; write `90 %`, or `85 % to 95 %`")
    return sqrt(values[0] * values[-1]), log(values[-1] / values[0]) / 3.29


def amount_of(text: str, unit: str) -> float:
    """An amount in the unit of a measure. Raises QuestionError."""
    return _base(_quantity(text), unit, text)


def _quantity(text: str) -> Quantity:
    try:
        return read_quantity(text)
    except UnitError as fault:
        raise QuestionError(f"'{text}': {fault.rule}; {fault.fix}") from None


def _base(found: Quantity, unit: str, text: str) -> float:
    try:
        return found.to_base(unit)
    except UnitError as fault:
        raise QuestionError(f"'{text}': {fault.rule}; {fault.fix}") from None


MEASURE_OF = {"revenue": "revenue", "capex": "capex", "rpo": "reported_rpo"}
PRINTED_IN = "1 M USD"


def from_facts(
    plan: Plan, facts: Facts, as_of: date | None = None, discrepancy: str | None = None, because: str | None = None
) -> list[Observation]:
    """Facts that were published after the book's `as_of` about what its companies name under `history`, as observations.

    A figure counts as printed in whole millions, RPO as the company's own `rounding` says. Quarters that the horizon cuts are left out.
    """
    found = []
    for name, company in plan.book.companies.items():
        for what, key in company.history.items():
            unit = company.segment.rounding.text if what == "rpo" and company.segment else PRINTED_IN
            for fact in facts.quarters(key, as_of or date.max):
                label = _quarter(plan, MEASURE_OF[what], f"companies.{name}", fact.period_end)
                if fact.published > plan.book.as_of.date() and label:
                    told = Told(fact.publisher, fact.document, fact.published, discrepancy, because, unit)
                    text = f"{MEASURE_OF[what]} of companies.{name} @ {label} = {fact.value:.0f} {fact.unit}"
                    found.append(observation(plan, text, told))
    return found


def _quarter(plan: Plan, measure: str, of: str, end: date) -> str | None:
    """Label of the company's fiscal quarter that ends in this month, where the horizon holds it whole."""
    q = question(plan, measure, of, "fiscal-quarter")
    month = end.year * 12 + end.month - 1 - plan.start
    return next((p.label for p in q.periods if p.last == month and not p.cut), None)
