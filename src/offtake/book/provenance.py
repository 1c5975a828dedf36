"""Where a number comes from: its own source, or that of the nearest term around it (N-05); and where it stands in the text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from .numbers import Number, Series
from .tree import Node


def inherit(term: Any, node: Node | None, source: str | None = None, assumed: str | None = None) -> Any:
    """The term with every number's source or reason, line and column filled in."""
    if isinstance(term, Number):
        return _number(term, node, source, assumed)
    if isinstance(term, Series):
        return _series(term, node, source, assumed)
    if isinstance(term, BaseModel):
        own = getattr(term, "source", None), getattr(term, "assumed", None)
        source, assumed = own if any(own) else (source, assumed)
        old = {name: getattr(term, name) for name in type(term).model_fields}
        new = {name: inherit(value, node and node.child(name), source, assumed) for name, value in old.items()}
        return term.model_copy(update={name: value for name, value in new.items() if value is not old[name]})
    if isinstance(term, dict):
        return {key: inherit(value, node and node.child(key), source, assumed) for key, value in term.items()}
    if isinstance(term, list):
        return [inherit(value, node and node.child(i), source, assumed) for i, value in enumerate(term)]
    return term


def _number(term: Number, node: Node | None, source: str | None, assumed: str | None) -> Number:
    if term.source or term.assumed or term.fact:
        source, assumed = term.source, term.assumed
    written = ((node.child("value") or node.child("fact")) if node and isinstance(node.value, dict) else None) or node
    line, column = (written.line, written.column) if written else (0, 0)
    return replace(term, source=source, assumed=assumed, line=line, column=column)


def _series(term: Series, node: Node | None, source: str | None, assumed: str | None) -> Series:
    if term.source or term.assumed:
        source, assumed = term.source, term.assumed
    body = node and node.child(term.kind)
    args = {
        name: _number(value, body and body.child(name), source, assumed) if isinstance(value, Number) else value
        for name, value in term.args.items()
    }
    knots = tuple((month, _number(value, body and body.child(month), source, assumed)) for month, value in term.knots)
    line, column = (node.line, node.column) if node else (0, 0)
    return replace(term, source=source, assumed=assumed, args=args, knots=knots, line=line, column=column)
