"""A condition on a path: `MEASURE of ENTITY @ PERIOD < LEVEL`, in the measure's unit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import QuestionError
from ..questions import Question, address, at_period, by_of, question
from ..units import UnitError, read_quantity

if TYPE_CHECKING:
    from ..plan import Plan

WRITTEN = re.compile(r"^(?P<of>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<level>[^<>=]+)$")


@dataclass(frozen=True)
class Condition:
    """A measure below or above a level: in one period, or where `row` is None in any of them."""

    text: str
    question: Question
    row: int | None
    below: bool
    level: float

    @property
    def in_any_month(self) -> bool:
        """Whether it holds on a path where any month holds it."""
        return self.row is None

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Where values of one period hold it; nowhere a value is absent."""
        found: np.ndarray = values < self.level if self.below else values > self.level
        return found

    def on(self, rows: np.ndarray) -> np.ndarray:
        """(N,) paths on which it holds, from the question's rows (R, N)."""
        return self.holds(rows[self.row]) if self.row is not None else np.asarray(self.holds(rows).any(axis=0))


def condition_of(plan: Plan, text: str, what: str, any_period: bool = False) -> Condition:
    """Read a condition; `what` it is called in a refusal. Without a period, `any_period` takes any month, else there must be one.

    Raises QuestionError with what is wrong and how it reads.
    """
    found = WRITTEN.match(text.strip())
    rule = f"write {what} as MEASURE of ENTITY @ PERIOD < LEVEL, as in 'rpo of contracts.aws @ 2026-12 < 10 bn USD'"
    if not found:
        raise QuestionError(f"'{text}' is no {what.split()[-1]}; {rule}")
    asked = address(found["of"])
    if asked.statistic:
        raise QuestionError(f"'{text}' asks of all paths at once; {rule}, without {asked.statistic}(..)")
    q = question(plan, asked.measure, asked.of, by_of(asked.period) if asked.period else None)
    several = q.width > 1 and not asked.period
    if q.measure.kind in ("causes", "surface", "postings") or (several and not any_period):
        raise QuestionError(f"'{text}' is not one number a path; {rule}")
    unit = q.measure.unit
    try:
        level = read_quantity(found["level"]).to_base(unit)
    except UnitError as fault:
        raise QuestionError(f"'{found['level'].strip()}' is no level of {q.measure.name}: {fault.rule}; {fault.fix}") from None
    if several:
        return Condition(text, question(plan, asked.measure, asked.of, "month"), None, found["sign"].startswith("<"), level)
    return Condition(text, q, at_period(q, asked.period) if asked.period else 0, found["sign"].startswith("<"), level)
