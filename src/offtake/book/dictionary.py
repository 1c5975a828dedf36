"""The data dictionary of a book: every field that may be written, its unit and axes read off the types, its meaning from `fields.csv`.

`*` stands for a name that the author gives, `[]` for an entry of a list. What a field may hold is the types' to say; what it means, and
the rule it serves, is said in the file alone. A test holds the two to each other.
"""

from __future__ import annotations

import csv
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from importlib.resources import files
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from .numbers import Hours, Label, Month
from .ranges import SIGNED
from .reader import Reader
from .terms import Book

SOURCES = ("source", "assumed", "note")  # stand at any term (N-05), so they are told once
WORDS: dict[Any, str] = {
    str: "text", int: "count", bool: "yes or no", date: "date", datetime: "date and time", Month: "calendar month", Label: "word",
    Hours: "hours of a day",
}  # fmt: skip


class Field(NamedTuple):
    """One field as its type has it. `axes`: "months" where a path in time may stand. `sign`: what its unit allows."""

    field: str
    unit: str
    axes: str
    needed: bool
    sign: str


def fields_of_a_book() -> list[Field]:
    """Every field once, in the order of the schema; a field of two types (a number or a word) keeps the number's unit."""
    found: dict[str, Field] = {}
    for field in _model(Book, ""):
        known = found.get(field.field)
        if known is None or known.unit == "word":
            found[field.field] = field
    return list(found.values())


def dictionary() -> list[dict[str, str]]:
    """The rows of `fields.csv`: field, unit, axes, needed, sign, description, source."""
    with (files("offtake") / "fields.csv").open("r", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def _model(model: type[BaseModel], path: str) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        if name not in SOURCES:
            reader = next((m for m in info.metadata if isinstance(m, Reader)), None)
            yield from _at(info.annotation, f"{path}.{name}" if path else name, reader, info.is_required())


def _at(kind: Any, path: str, reader: Reader | None, needed: bool) -> Iterator[Field]:
    """The fields at and below a type: through unions, lists and mappings down to numbers and words."""
    shape, inside = get_origin(kind), get_args(kind)
    if reader is not None:
        yield Field(path, _unit(reader), "months" if reader.kind == "timeline" else "", needed, _sign(reader.unit))
    elif shape is Annotated:
        yield from _at(inside[0], path, next((m for m in inside[1:] if isinstance(m, Reader)), None), needed)
    elif shape in (Union, types.UnionType):
        for one in inside:
            if one is not types.NoneType:
                yield from _at(one, path, None, needed and types.NoneType not in inside)
    elif shape is Literal:
        yield Field(path, " | ".join(str(word) for word in inside), "", needed, "")
    elif isinstance(shape, type) and issubclass(shape, Mapping):
        yield from _at(inside[1], f"{path}.*", None, needed)
    elif isinstance(shape, type) and issubclass(shape, Sequence):
        yield from _at(inside[0], f"{path}.[]", None, needed)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _model(kind, path)
    else:
        yield Field(path, WORDS.get(kind, "anything"), "", needed, "")


def _unit(reader: Reader) -> str:
    return " | ".join(reader.labels) if reader.labels else {"any": "any unit"}.get(reader.unit, reader.unit)


def _sign(unit: str) -> str:
    """What `ranges` lets a number of this unit be."""
    if unit in ("share", "rank"):
        return {"share": "0 to 1", "rank": "-1 to 1"}[unit]
    return "any" if unit in SIGNED or unit.startswith("USD") else ">= 0"
