"""Questions of one row: one period of a measure, or a number a path that is no measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..measures import Entity, Measure
from ..periods import Period
from ..questions import Question


def one(q: Question, row: int) -> Question:
    """A question about one of its periods."""
    return replace(q, periods=(q.periods[row],))


def once(name: str, unit: str, months: int, read: Any) -> Question:
    """A question about one number a path that is no measure: an input, or whether a scenario was drawn."""
    measure = Measure(name, "once", unit, "E-03", name, {"inputs": lambda b, _: (read(b),)})
    return Question(measure, Entity("inputs", 0, name, 12), "total", (Period("total", 0, months - 1, False),))
