"""The questions a book asks by itself, all computed in one pass: what the 13 answers and the report read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..book.fields import FIRM_ON
from ..errors import QuestionError
from ..plan import Plan
from ..questions import Question, address, at_period, by_of, question
from . import believe, coupled, deal_panels, lost, pace_panels, signals, slots, where
from .asked import Run
from .found import IDLE, Findings, subject

MOVED = (
    "revenue calendar-year", "rpo fiscal-quarter", "margin_effect", "idle_value", "customer revenue", "customer funding_gap",
    "ready calendar-year", "us_power",
)  # fmt: skip
OBLIGATION = ("rpo_value", "rpo_time", "rpo_delay", "rpo_cancelled", "rpo_unpaid")
EXPOSED = ("loss", "fired", "idle_value")  # of every contract; kept for the studies of exposure


@dataclass(frozen=True)
class Columns:
    """The columns of the scenario table: label, measure, entity, period kind and period."""

    label: str
    measure: str
    of: str
    by: str
    period: str


def scenario_columns(plan: Plan) -> list[Columns]:
    """A scenario is told by these numbers; a column whose period lies outside the horizon is left out."""
    s, year = subject(plan), plan.start // 12
    wanted = [
        Columns(f"revenue {year + 1}", "revenue", s.deal, "calendar-year", str(year + 1)),
        Columns(f"revenue {year + 2}", "revenue", s.deal, "calendar-year", str(year + 2)),
        Columns("revenue, whole horizon", "revenue", s.deal, "total", "total"),
        Columns(f"GPUs ready end {year + 1}", "ready", s.deal, "calendar-year", str(year + 1)),
        Columns("idle value", "idle_value", s.deal, "total", "total"),
        Columns(f"customer revenue {year + 2}", "revenue", s.buyer, "calendar-year", str(year + 2)),
        Columns(f"funding gap end {year + 3}", "funding_gap", s.buyer, "calendar-year", str(year + 3)),
        Columns("P(renegotiated)", "renegotiated", s.deal, "total", "total"),
    ]
    return [c for c in wanted if answerable(plan, c)]


def answerable(plan: Plan, c: Columns) -> bool:
    """Whether a book has this number: a period may lie outside its horizon, a company may state no segment."""
    try:
        at_period(question(plan, c.measure, c.of, c.by), c.period)
    except QuestionError:
        return False
    return True


def _own(plan: Plan) -> Iterator[tuple[str, Question]]:
    """Questions about the subject, its provider and its customer."""
    s = subject(plan)

    def ask(key: str, measure: str, of: str, by: str, **more: object) -> Iterator[tuple[str, Question]]:
        try:
            yield key, question(plan, measure, of, by, **more)  # type: ignore[arg-type]
        except QuestionError:  # a book may leave out a segment or a customer: the answer says that it is absent
            return

    for by in ("fiscal-year", "calendar-year", "total"):
        yield from ask(f"revenue {by}", "revenue", s.deal, by)
        yield from ask(f"straight_line {by}", "straight_line", s.deal, by)
    for measure in ("rpo", "not_in_rpo"):
        yield from ask(f"{measure} fiscal-quarter", measure, s.deal, "fiscal-quarter")
    for measure in ("ready", "offered", "used", "late"):
        yield from ask(f"{measure} month", measure, s.deal, "month")
    yield from ask("ready calendar-year", "ready", s.deal, "calendar-year")
    for cause in IDLE:
        yield from ask(f"{cause} calendar-year", cause, s.deal, "calendar-year")
    yield from ask("margin_effect", "margin_effect", s.seller, "fiscal-year")
    yield from ask("margin_resold", "margin_effect_resold", s.seller, "fiscal-year")
    yield from ask("margin_event", "margin_effect", s.seller, "fiscal-year", between=(-0.0100, -0.0050))
    for measure in ("idle_value", "idle_value_customer", "npv"):
        yield from ask(measure, measure, s.deal, "total")
    yield from ask("idle_event", "idle_value", s.deal, "total", between=(0.05, 0.10))
    yield from ask("reported_rpo", "reported_rpo", s.seller, "fiscal-quarter")
    yield from ask("capex", "capex", s.seller, "calendar-year")
    for measure in ("revenue", "funding_gap", "coverage", "cash_balance"):
        yield from ask(f"customer {measure}", measure, s.buyer, "calendar-year")
    yield from ask("customer cash quarter", "cash_balance", s.buyer, "quarter")
    for name, measure, low in (("gap_event", "funding_gap", 1e6), ("overdrawn_event", "overdrawn", 1e6), ("customer_50", "revenue", 50e9)):
        yield from ask(name, measure, s.buyer, "calendar-year", between=(low, np.inf))
    yield from ask("surface", "passage", s.buyer, "total")
    yield from ask("surface by year", "passage", s.buyer, "calendar-year")
    for measure in ("us_power", "us_energy", "energised", "scheduled"):
        yield from ask(measure, measure, "national", "calendar-year")
    for mode, word in enumerate(FIRM_ON):
        given = (f"contracts.{s.contract}.firm_on", float(mode))
        yield from ask(f"rpo if {word}", "rpo", s.deal, "fiscal-quarter", given=given)


def _each(plan: Plan) -> Iterator[tuple[str, Question]]:
    """Questions asked of every contract and every pool."""
    for name in plan.names.contracts:
        of = f"contracts.{name}"
        yield f"renegotiated {name}", question(plan, "renegotiated", of, "calendar-year")
        yield f"idle_value {name}", question(plan, "idle_value", of, "total")
        yield f"loss {name}", question(plan, "counterparty_loss", of, "total")
        yield f"fired {name}", question(plan, "renegotiated", of, "total")
        if len(plan.edges.kind):
            yield f"self_funded {name}", question(plan, "self_funded_share", of, "total")
        yield f"revenue {name}", question(plan, "revenue", of, "calendar-year")
        for part in OBLIGATION:
            yield f"{part} {name}", question(plan, part, of, "total")
    for label in plan.names.pool_labels:
        if plan.places.contract[plan.names.pool_labels.index(label)] == 0:  # what binds is shown for the subject's pools
            yield f"binding {label}", question(plan, "binding", f"pools.{label}", "quarter")
        yield f"occupancy {label}", question(plan, "occupancy", f"pools.{label}", "quarter")


def _scenarios(plan: Plan) -> Iterator[tuple[str, Question]]:
    for i, name in enumerate(plan.names.scenarios):
        for c in scenario_columns(plan):
            yield f"scenario {name} {c.label}", question(plan, c.measure, c.of, c.by, given=("scenario", float(i)))


def _watched(plan: Plan) -> Iterator[tuple[str, Question]]:
    """Signals and claims name their measure by address."""
    named = [(f"signal {n}", s.measure) for n, s in plan.book.signals.items()]
    named += [(f"claim {n}", c.measure) for n, c in plan.book.claims.items() if c.measure]
    for key, text in named:
        found = address(text)
        try:
            yield key, question(plan, found.measure, found.of, by_of(found.period) if found.period else None)
        except QuestionError as error:
            raise QuestionError(f"measure of {key}: {error}") from None


def _figures(plan: Plan) -> dict[str, Question]:
    """What the watch list reads; nothing where the book has no signal, or one that is not one number a path."""
    if not plan.book.signals:
        return {}
    try:
        return {f"watch {name}": q for name, q in signals.questions(plan, signals.goal_of(plan, None)).items()}
    except QuestionError:
        return {}


def find_all(run: Run) -> Findings:
    """Compute every question of the book in one pass."""
    plan = run.plan
    kept = {*MOVED, *(f"{what} {name}" for what in EXPOSED for name in plan.names.contracts)}
    asked = {key: replace(q, keep=key in kept) for key, q in [*_own(plan), *_each(plan), *_scenarios(plan), *_watched(plan)]}
    asked |= dict(lost.questions(plan, subject(plan).deal)) | dict(slots.questions(plan))
    asked |= believe.questions(plan, subject(plan).contract) | dict(deal_panels.questions(plan))
    asked |= _figures(plan)
    asked |= {key: replace(q, keep=False) for key, q in coupled.questions(plan)}
    looks = {"pace": pace_panels.looked(run), "where": where.looked(run)}
    outcome = run.outcome(list(asked.values()), list(looks.values()))
    return Findings(run, outcome, dict(zip(asked, outcome.tallies)), looks)
