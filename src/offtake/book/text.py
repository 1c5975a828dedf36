"""Text <-> terms: reads a book with every issue at its line and column, and applies patches and scenarios."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from ..errors import BookError, Issue, one_line
from ..facts import Facts
from .numbers import Beside, Fault, moment
from .patch import apply_patches, cannot_replace, set_number
from .provenance import inherit
from .refusal import issues_of
from .terms import Book
from .tree import Node, Refused, decode, parse
from .walk import book_hash, fields_of, numbers_of, place_of, resolved_json, schema_at

__all__ = ["book_hash", "branch_book", "fields_of", "load", "numbers_of", "place_of", "read", "resolved_json", "scenario_book"]

NAME = re.compile(r"[\w\-]+")
NAMED = (
    "day", "sources", "companies", "chips", "sites", "contracts", "workloads", "factors", "scenarios", "events", "positions", "signals",
    "claims",
)  # fmt: skip


def load(path: str | Path, patches: Sequence[tuple[str, str]] = (), facts: Facts | None = None, as_of: date | None = None) -> Book:
    """Read a book from a file, with the facts on record (the catalog's unless told) and, if told, as of another day (T-02).

    Raises BookError with every issue of its text and types."""
    file = Path(path)
    try:
        content = decode(file)
    except Refused as refused:
        raise BookError((refused.issue,)) from None
    return _book(content, file.name, patches, Beside(file.parent, facts, as_of))


def read(content: str, file: str = "book.yaml", patches: Sequence[tuple[str, str]] = ()) -> Book:
    """Read a book from a string. Raises BookError."""
    return _book(content, file, patches, Beside())


def _book(content: str, file: str, patches: Sequence[tuple[str, str]], beside: Beside) -> Book:
    issues: list[Issue] = []
    tree = parse(content, file, issues)
    if tree is not None and not isinstance(tree.value, dict):
        got = "a list" if isinstance(tree.value, list) else "one piece of text"
        rule = "a book is a mapping: title, as_of, .."
        issues.append(Issue(file, tree.line, tree.column, "", got, rule, "start from a shipped book"))
        tree = None
    if tree is None:
        raise BookError(tuple(sorted(issues)))
    if beside.as_of:
        _set_day(tree, beside.as_of)
    issues += _bad_names(tree, file)
    for path, value in patches:
        set_number(tree, path, value, issues)
    book = _terms(tree, file, replace(beside, as_of=_day_of(tree)), issues)
    if book is not None:
        issues += _bad_scenarios(book, tree, file)
    if issues or book is None:
        raise BookError(tuple(sorted(set(issues))))
    return book


def _set_day(tree: Node, day: date) -> None:
    """The book asked as of another day: what stands under `as_of` gives way, in its place."""
    old = tree.value.get("as_of")
    tree.value["as_of"] = Node(day.isoformat(), old.line, old.column) if old else Node(day.isoformat(), tree.line, tree.column)


def _day_of(tree: Node) -> date | None:
    """The day of knowledge; None where the text has none, which is an issue of its own."""
    node = tree.child("as_of")
    try:
        return moment(node.plain()).date() if node else None
    except Fault:
        return None


def _terms(tree: Node, file: str, beside: Beside, issues: list[Issue]) -> Book | None:
    """The typed book, with its numbers' provenance; None, and issues, where it has no such types."""
    from pydantic import ValidationError

    try:
        book = Book.model_validate(tree.plain(), context={"beside": beside})
    except ValidationError as error:
        issues.extend(issues_of(error.errors(include_url=False), tree, file))
        return None
    found: Book = inherit(book, tree)
    found._tree, found._file, found._beside = tree, file, beside
    return found


def _bad_names(tree: Node, file: str) -> list[Issue]:
    """Names are parts of dotted paths: a dot in one would lead elsewhere."""
    rule, fix = "a name has letters, digits, `_` and `-`", "rename it; what people read goes into `name` or `title`"
    found = []
    for section in NAMED:
        node = tree.child(section)
        for name, (line, column) in (node.keys if node else {}).items():
            if not NAME.fullmatch(name):
                found.append(Issue(file, line, column, one_line(f"{section}.{name}"), f"`{one_line(name, 60)}`", rule, fix))
    return found


def _bad_scenarios(book: Book, tree: Node, file: str) -> list[Issue]:
    """Paths and numbers of all scenarios and branches, each beside the field it patches."""
    found = []
    patched: list[tuple[tuple[str, ...], Mapping[str, object]]] = [(("scenarios", n), s.set) for n, s in book.scenarios.items()]
    patched += [(("tree", "nodes", n), node.set) for n, node in (book.tree.nodes.items() if book.tree else ())]
    for steps, patches in patched:
        for path in patches:
            at, node = f"{'.'.join(steps)}.set.{path}", tree.find((*steps, "set", path))[0]
            fault = cannot_replace(tree, path)
            if fault:
                rule = f"a {'scenario' if steps[0] == 'scenarios' else 'branch'} replaces numbers that are there (U-03)"
                found.append(Issue(file, node.line, node.column, one_line(at), fault[0], rule, fault[1]))
            else:
                found += _bad_value(node, at, path.split("."), file, book._beside)
    return found


def _bad_value(node: Node, at: str, steps: list[str], file: str, beside: Beside) -> list[Issue]:
    """Whether the field at `steps` reads what a scenario writes; inside a path in time, any number of the field's unit."""
    from ..units import UnitError
    from .grammar import argument_unit
    from .numbers import Number
    from .ranges import fit_argument
    from .reader import Reader

    reader, used = schema_at(steps)
    assert isinstance(reader, Reader)
    if used < len(steps):
        reader = Reader(argument_unit(steps[-1], reader.unit), "quantity")
    try:
        number = reader.read(node.plain(), beside)
        if used < len(steps) and isinstance(number, Number):
            fit_argument(steps[-2], steps[-1], number)
    except (Fault, UnitError) as fault:
        _, (line, column) = node.find(getattr(fault, "where", ()))
        return [Issue(file, line, column, at, one_line(fault.got), fault.rule, fault.fix)]
    return []


def scenario_book(book: Book, names: Sequence[str]) -> Book:
    """The book with the patches of these scenarios, later ones last (U-03). Raises BookError where a patch does not fit."""
    return patched_book(book, [("scenarios", name) for name in names])


def branch_book(book: Book, nodes: Sequence[str]) -> Book:
    """The book with the scenarios and patches of these branches, in their order (V-07). Raises BookError where a patch does not fit."""
    assert book.tree is not None
    steps: list[tuple[str, ...]] = []
    for name in nodes:
        scenario = book.tree.nodes[name].scenario
        steps += [("scenarios", scenario)] if scenario else []
        steps.append(("tree", "nodes", name))
    return patched_book(book, steps)


def with_numbers(book: Book, patches: Sequence[tuple[str, str]]) -> Book:
    """The book with other numbers, written as on the command line. Raises BookError where one does not fit."""
    whole = book._tree
    assert whole is not None
    issues: list[Issue] = []
    tree = whole.opened([path.split(".") for path, _ in patches])
    for path, written in patches:
        set_number(tree, path, written, issues)
    found = _terms(tree, book._file, book._beside, issues)
    if issues or found is None:
        raise BookError(tuple(sorted(set(issues))))
    return found


def patched_book(book: Book, terms: Sequence[tuple[str, ...]]) -> Book:
    """The book with the numbers under `set` of these terms. Raises BookError where one does not fit."""
    whole = book._tree
    assert whole is not None
    patches = [whole.find(steps)[0].child("set") for steps in terms]
    tree = whole.opened([path.split(".") for patch in patches if patch for path in patch.value])
    issues: list[Issue] = []
    for steps in terms:
        apply_patches(tree, steps, book._file, issues)
    patched = _terms(tree, book._file, book._beside, issues)
    if issues or patched is None:
        raise BookError(tuple(sorted(set(issues))))
    return patched
