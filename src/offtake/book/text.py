"""Text <-> terms: reads a book with every issue at its line and column, patches it, walks its numbers, and hashes it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PydanticUndefinedAnnotation, ValidationError
from pydantic_core import ErrorDetails

from ..errors import BookError, Issue
from .numbers import Month, Number, Series
from .terms import Book
from .tree import Node, Refused, decode, parse

__all__ = ["PydanticUndefinedAnnotation", "book_hash", "load", "numbers_of", "place_of", "read", "scenario_book"]

SET = "set on the command line"
_TREES: dict[int, tuple[Node, str]] = {}


def load(path: str | Path, patches: Sequence[tuple[str, str]] = ()) -> Book:
    """Read a book from a file. Raises BookError with every issue of its text and types."""
    file = Path(path)
    issues: list[Issue] = []
    try:
        content = decode(file)
    except Refused as refused:
        raise BookError((refused.issue,)) from None
    return _book(content, file.name, patches, issues)


def read(content: str, file: str = "book.yaml", patches: Sequence[tuple[str, str]] = ()) -> Book:
    """Read a book from a string."""
    return _book(content, file, patches, [])


def _book(content: str, file: str, patches: Sequence[tuple[str, str]], issues: list[Issue]) -> Book:
    tree = parse(content, file, issues)
    if tree is None:
        raise BookError(tuple(issues))
    if not isinstance(tree.value, dict):
        raise BookError((Issue(file, tree.line, tree.column, "", "no mapping", "a book is a mapping of title, as_of, ..", "start from a shipped book"),))
    for path, value in patches:
        _patch(tree, path, _fresh(value, SET), file, issues)
    book = _validate(tree, file, issues)
    if issues or book is None:
        raise BookError(tuple(sorted(issues)))
    return _remember(book, tree, file)


def _remember(book: Book, tree: Node, file: str) -> Book:
    object.__setattr__(book, "_tree", tree)
    object.__setattr__(book, "_file", file)
    return book


def place_of(book: Book, path: str) -> tuple[str, int, int]:
    """File, line and column of a term."""
    tree: Node = getattr(book, "_tree")  # noqa: B009  set by `_remember`, not a field
    _, (line, column) = tree.find(tuple(path.split(".")))
    return getattr(book, "_file"), line, column  # noqa: B009


def _fresh(value: str, reason: str) -> Node:
    """A patched value: it counts as assumed, for the reason given."""
    return Node({"value": Node(value, 0, 0), "assumed": Node(reason, 0, 0)}, 0, 0)


def _patch(tree: Node, path: str, value: Node, file: str, issues: list[Issue]) -> None:
    """Replace the number at `path`, in place; an unknown path is an issue."""
    *steps, last = path.split(".")
    node = tree
    for step in steps:
        inner = node.value
        nearer = inner.get(step) if isinstance(inner, dict) else inner[int(step)] if isinstance(inner, list) and step.isdigit() and int(step) < len(inner) else None
        if nearer is None:
            break
        node = nearer
    else:
        if isinstance(node.value, dict) and last in node.value:
            old = node.value[last]
            node.value[last] = _at(value, old.line, old.column)
            return
        if isinstance(node.value, list) and last.isdigit() and int(last) < len(node.value):
            node.value[int(last)] = _at(value, node.line, node.column)
            return
    known = list(_paths(tree))
    near = get_close_matches(path, known, n=1)
    issues.append(Issue(file, 1, 1, path, "a path that this book does not have", "a patch replaces a number that is there (U-03)",
                        f"did you mean {near[0]}?" if near else "see `offtake show BOOK` for the paths"))  # fmt: skip


def _at(node: Node, line: int, column: int) -> Node:
    inner = node.value
    if isinstance(inner, dict):
        inner = {k: _at(v, line, column) for k, v in inner.items()}
    elif isinstance(inner, list):
        inner = [_at(v, line, column) for v in inner]
    return Node(inner, line, column)


def _paths(node: Node, prefix: str = "") -> Iterator[str]:
    items = node.value.items() if isinstance(node.value, dict) else enumerate(node.value) if isinstance(node.value, list) else ()
    for key, child in items:
        yield f"{prefix}{key}"
        yield from _paths(child, f"{prefix}{key}.")


def _validate(tree: Node, file: str, issues: list[Issue]) -> Book | None:
    try:
        book = Book.model_validate(tree.plain())
    except ValidationError as error:
        issues.extend(_issue(detail, tree, file) for detail in error.errors(include_url=False))
        return None
    return _with_provenance(book, tree)


def _issue(detail: ErrorDetails, tree: Node, file: str) -> Issue:
    """One of pydantic's errors with its place in the text."""
    location = tuple(step for step in detail["loc"] if not (isinstance(step, str) and step in ("number", "label", "Label", "none")))
    location = tuple(step for step in location if not (isinstance(step, str) and step.startswith(("function-", "lax-or-strict", "is-instance"))))
    node, (line, column) = tree.find(location)
    path = ".".join(str(step) for step in location)
    kind, context = detail["type"], detail.get("ctx") or {}
    if kind == "extra_forbidden":
        parent, _ = tree.find(location[:-1])
        line, column = parent.keys.get(str(location[-1]), (line, column))
        return Issue(file, line, column, path, f"`{location[-1]}`", "a key that is known here", _near(location))
    if kind == "missing":
        return Issue(file, line, column, path, "nothing", f"`{location[-1]}` is needed here (N-06: absent is never filled)", f"add `{location[-1]}:`")
    if kind == "number" and "got" in context:
        return Issue(file, line, column, path, str(context["got"]), str(context["rule"]), str(context["fix"]))
    got = node.plain()
    return Issue(file, line, column, path, "nothing" if got is None else _short(got), detail["msg"], _FIXES.get(kind, "see `offtake schema`"))


_FIXES = {
    "literal_error": "write one of these words", "int_parsing": "write a whole number", "bool_parsing": "write true or false",
    "list_type": "write a list, one `- ` a line", "dict_type": "write a mapping, one `key: value` a line", "string_type": "write text",
}  # fmt: skip


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _near(location: tuple[Any, ...]) -> str:
    model = _model_at(location[:-1])
    names = list(model.model_fields) if model else []
    near = get_close_matches(str(location[-1]), names, n=1)
    return f"did you mean `{near[0]}`?" if near else f"remove it, or use one of {', '.join(names[:8])}{' ..' if len(names) > 8 else ''}"


def _model_at(location: tuple[Any, ...]) -> type[BaseModel] | None:
    """The type that a path of the text is read into."""
    model: Any = Book
    for step in location:
        annotation = model.model_fields[step].annotation if isinstance(model, type) and issubclass(model, BaseModel) and step in model.model_fields else model
        model = annotation if annotation is not model else model
        while getattr(model, "__args__", None) and not (isinstance(model, type) and issubclass(model, BaseModel)):
            choices = [a for a in model.__args__ if a is not type(None)]
            model = choices[-1]
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _with_provenance(book: Book, tree: Node) -> Book:
    """Numbers without a source of their own take the nearest enclosing one (N-05); every number learns its place."""
    result = _enrich(book, tree, None, None)
    assert isinstance(result, Book)
    return result


def _enrich(term: Any, node: Node | None, source: str | None, assumed: str | None) -> Any:
    if isinstance(term, (Number, Series)):
        return _enrich_number(term, node, source, assumed)
    if isinstance(term, BaseModel):
        own = getattr(term, "source", None), getattr(term, "assumed", None)
        source, assumed = own if any(own) else (source, assumed)
        changes = {}
        for name in type(term).model_fields:
            old = getattr(term, name)
            new = _enrich(old, _child(node, name), source, assumed)
            if new is not old:
                changes[name] = new
        return term.model_copy(update=changes) if changes else term
    if isinstance(term, dict):
        return {k: _enrich(v, _child(node, k), source, assumed) for k, v in term.items()}
    if isinstance(term, list):
        return [_enrich(v, _child(node, i), source, assumed) for i, v in enumerate(term)]
    return term


def _enrich_number(term: Number | Series, node: Node | None, source: str | None, assumed: str | None) -> Number | Series:
    if term.source or term.assumed:
        source, assumed = term.source, term.assumed
    place = {"line": node.line if node else 0, "column": node.column if node else 0}
    if isinstance(term, Number):
        return replace(term, source=source, assumed=assumed, **place)
    body = _child(node, term.kind)
    args = {k: _enrich_number(v, _child(body, k), source, assumed) if isinstance(v, Number) else v for k, v in term.args.items()}
    knots = tuple((m, _enrich_number(n, _child(body, m), source, assumed)) for m, n in term.knots)
    return replace(term, source=source, assumed=assumed, args=args, knots=knots, **place)


def _child(node: Node | None, key: Any) -> Node | None:
    inner = node.value if node else None
    if isinstance(inner, dict):
        return inner.get(str(key))
    return inner[key] if isinstance(inner, list) and isinstance(key, int) and key < len(inner) else None


def scenario_book(book: Book, names: Sequence[str]) -> Book:
    """The book with the patches of these scenarios, later ones last (U-03). Raises BookError where a patch does not fit."""
    file: str = getattr(book, "_file")  # noqa: B009
    tree = copy.deepcopy(getattr(book, "_tree"))
    issues: list[Issue] = []
    for name in names:
        scenario = book.scenarios[name]
        written = tree.value["scenarios"].value[name]
        about = {k: v for k, v in written.value.items() if k in ("source", "assumed")}
        for path in scenario.set:
            value = written.value["set"].value[path]
            inner = dict(value.value) if isinstance(value.value, dict) else {"value": value}
            inner = {**about, **inner} if not {"source", "assumed"} & set(inner) else inner
            _patch(tree, path, Node(inner, value.line, value.column), file, issues)
    patched = _validate(tree, file, issues)
    if issues or patched is None:
        raise BookError(tuple(sorted(issues)))
    return _remember(patched, tree, file)


def numbers_of(term: Any, path: str = "") -> Iterator[tuple[str, Number | Series]]:
    """Every number below a term with its dotted path, in the order of the text; numbers inside a time path as well."""
    if isinstance(term, Number):
        yield path, term
    elif isinstance(term, Series):
        for name, value in [*term.args.items(), *term.knots]:
            if isinstance(value, Number):
                yield f"{path}.{term.kind}.{name}", value
    else:
        for key, value in _items(term):
            yield from numbers_of(value, f"{path}.{key}" if path else str(key))


def _items(term: Any) -> list[tuple[Any, Any]]:
    if isinstance(term, BaseModel):
        return [(name, getattr(term, name)) for name in type(term).model_fields]
    if isinstance(term, Mapping):
        return list(term.items())
    return list(enumerate(term)) if isinstance(term, (list, tuple)) else []


def book_hash(book: Book) -> str:
    """SHA-256 of the resolved book after patches: its values and provenance, not its layout."""
    return hashlib.sha256(json.dumps(_canonical(book), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _canonical(term: Any) -> Any:
    if isinstance(term, BaseModel):
        return {name: _canonical(getattr(term, name)) for name in type(term).model_fields}
    if is_dataclass(term) and not isinstance(term, type):
        return {f.name: _canonical(getattr(term, f.name)) for f in fields(term) if f.name not in ("line", "column")}
    if isinstance(term, dict):
        return {str(k): _canonical(v) for k, v in term.items()}
    if isinstance(term, (list, tuple)):
        return [_canonical(v) for v in term]
    if isinstance(term, (Month, date, datetime)):
        return str(term)
    return term
