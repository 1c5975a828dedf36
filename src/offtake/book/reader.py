"""A field of a book that holds a number: what it reads, and how its JSON Schema says so (N-01 to N-03)."""

from __future__ import annotations

from typing import Any

from pydantic_core import core_schema

from ..units import said
from .grammar import read_number, read_timeline
from .numbers import Beside, Number, Series, _custom


class Reader:
    """Pydantic annotation of a number's field: reads what the book says; the annotated class is not validated again."""

    def __init__(self, unit: str, kind: str, labels: tuple[str, ...] = ()) -> None:
        self.unit, self.kind, self.labels = unit, kind, labels

    def read(self, value: Any, beside: Beside = Beside()) -> Number | Series:
        """Text or mapping -> number or path in time. Raises Fault or UnitError."""
        if isinstance(value, (Number, Series)):
            return value
        if self.kind == "timeline":
            return read_timeline(value, self.unit, beside)
        return read_number(value, self.unit, self.labels, beside)

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        return core_schema.with_info_plain_validator_function(
            lambda value, info: _custom(lambda: self.read(value, (info.context or {}).get("beside", Beside())))
        )

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> Any:
        what = " | ".join(self.labels) if self.labels else f"{said(self.unit)}, {{fact: COMPANY.metric@PERIOD}}"
        more = ", a distribution or a path in time" if self.kind == "timeline" else " or a distribution"
        return {"type": ["string", "number", "object"], "description": what + more}


def quantity(unit: str) -> Reader:
    """A number in base `unit`, with its JSON Schema."""
    return Reader(unit, "quantity")


def timeline(unit: str) -> Reader:
    """A number or a path in time in base `unit`."""
    return Reader(unit, "timeline")


def labelled(labels: tuple[str, ...]) -> Reader:
    """A word among `labels`, or a discrete distribution over them; the number is the label's index."""
    return Reader("any", "labelled", labels)
