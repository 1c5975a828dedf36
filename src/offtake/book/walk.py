"""Ways through a book: its numbers with their paths, the type at a path, the place of a term in the text, its hash."""

from __future__ import annotations

import hashlib
import json
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from .numbers import Month, Number, Series
from .reader import Reader
from .terms import Book


def numbers_of(term: Any, path: str = "") -> Iterator[tuple[str, Number | Series]]:
    """Every number below a term with its dotted path, in the order of the schema; a path in time gives the numbers inside it."""
    if isinstance(term, Number):
        yield path, term
    elif isinstance(term, Series):
        for name, value in [*term.args.items(), *term.knots]:
            if isinstance(value, Number):
                yield f"{path}.{term.kind}.{name}", value
    else:
        for key, value in items_of(term):
            yield from numbers_of(value, f"{path}.{key}" if path else str(key))


def fields_of(term: Any, path: str = "") -> Iterator[tuple[str, Number | Series]]:
    """Every field that holds a number or a path in time, whole."""
    if isinstance(term, (Number, Series)):
        yield path, term
    else:
        for key, value in items_of(term):
            yield from fields_of(value, f"{path}.{key}" if path else str(key))


def items_of(term: Any) -> list[tuple[Any, Any]]:
    """What stands directly below a term."""
    if isinstance(term, BaseModel):
        return [(name, getattr(term, name)) for name in type(term).model_fields]
    if isinstance(term, Mapping):
        return list(term.items())
    return list(enumerate(term)) if isinstance(term, (list, tuple)) else []


def schema_at(steps: Sequence[Any]) -> tuple[Any, int]:
    """What stands at a path, as a type or a Reader, and how many steps lead there: a Reader's field is the end of the way."""
    at: Any = Book
    for count, step in enumerate(steps):
        if isinstance(at, Reader):
            return at, count
        if isinstance(at, type) and issubclass(at, BaseModel):
            found = at.model_fields.get(str(step))
            if found is None:
                return None, count
            reader = next((m for m in found.metadata if isinstance(m, Reader)), None)
            at = reader or _below(found.annotation)
        elif get_origin(at) in (dict, list):
            at = _below(get_args(at)[-1])
        else:
            return None, count
    return at, len(steps)


def _below(annotation: Any) -> Any:
    """A Reader, a model, a dict or list type, or a plain type; of a choice, the number or the model."""
    if get_origin(annotation) is Annotated:
        return next((m for m in annotation.__metadata__ if isinstance(m, Reader)), annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        choices = [_below(a) for a in get_args(annotation) if a is not type(None)]
        return next((c for c in choices if isinstance(c, Reader)), choices[0])
    return annotation


def place_of(book: Book, steps: Sequence[Any]) -> tuple[str, int, int]:
    """File, line and column of the term that these steps lead to, or of the nearest one above."""
    if book._tree is None:
        return book._file, 0, 0
    _, (line, column) = book._tree.find(steps)
    return book._file, line, column


LATER = frozenset({"maintenance", "outages"})  # no part of the hash where absent: hashes made before these fields stand


def book_hash(book: Book) -> str:
    """SHA-256 of the resolved book after patches: its values and provenance, not its layout."""
    return hashlib.sha256(resolved_json(book).encode()).hexdigest()


def resolved_json(book: Book) -> str:
    """The book as canonical JSON: numbers in base units, with their provenance, without their places."""
    return json.dumps(_canonical(book), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _canonical(term: Any) -> Any:
    if isinstance(term, BaseModel):
        told = [name for name in type(term).model_fields if name not in LATER or getattr(term, name) is not None]
        return {name: _canonical(getattr(term, name)) for name in told}
    if is_dataclass(term) and not isinstance(term, type):
        found = {f.name: _canonical(getattr(term, f.name)) for f in fields(term) if f.name not in ("line", "column", "fact")}
        fact = getattr(term, "fact", None)
        return found | {"fact": _canonical(fact._asdict())} if fact else found
    if isinstance(term, dict):
        return {str(k): _canonical(v) for k, v in term.items()}
    if isinstance(term, (list, tuple)):
        return [_canonical(v) for v in term]
    if isinstance(term, (Month, date, datetime)):
        return str(term)
    return term
