"""Patches: other numbers in an existing book, from the command line or from a scenario; never another structure (U-03)."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from ..errors import Issue
from .grammar import ABOUT
from .reader import Reader
from .tree import Node, parse
from .walk import schema_at

SETTING = "--set"  # where a patch of the command line stands
ON_COMMAND_LINE = "set on the command line"
RULE = "a patch replaces a number that is there (U-03)"
CLOSED = ("value", "fact", "per", "of", "middle", *ABOUT)  # keys of a number's mapping that are no numbers


def set_number(tree: Node, path: str, written: str, issues: list[Issue]) -> None:
    """`path=written` from the command line, in place: the number counts as assumed."""
    value = Node(written, 0, 0)
    if written.lstrip().startswith("{"):
        read = parse(written, SETTING, issues)
        if read is None:
            return
        value = _at(read, 0, 0)
    replace_number(tree, path, value, {"assumed": Node(ON_COMMAND_LINE, 0, 0)}, Issue(SETTING, 1, 1, path, "", RULE, ""), issues)


def replace_number(tree: Node, path: str, value: Node, about: dict[str, Node], at: Issue, issues: list[Issue]) -> None:
    """Put `value` where a number stands; `about` is its provenance unless it brings its own; `at` is the place for an issue."""
    fault = cannot_replace(tree, path)
    if fault:
        got, fix = fault
        issues.append(Issue(at.file, at.line, at.column, at.path, got, RULE, fix))
        return
    *above, last = path.split(".")
    parent = tree.find(above)[0]
    old = parent.child(last)
    assert old is not None
    inner = dict(value.value) if isinstance(value.value, dict) else {"value": value}
    if not {"source", "assumed", "fact"} & set(inner):
        inner = {**inner, **about}
    place = (value.line, value.column) if value.line else (old.line, old.column)
    new = Node(inner, *place)
    parent.value[int(last) if isinstance(parent.value, list) else last] = new if value.line else _at(new, *place)


def cannot_replace(tree: Node, path: str) -> tuple[str, str] | None:
    """Why no number stands at a path, as got and fix; None where one does."""
    node: Node | None = tree
    steps = path.split(".")
    for step in steps:
        node = node and node.child(step)
    if node is None:
        near = get_close_matches(path, list(number_paths(tree)), n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else "see `offtake show BOOK` for the paths"
        return "a path that this book does not have", fix
    found, used = schema_at(steps)
    inner = steps[used:]
    if not isinstance(found, Reader) or (inner and inner[-1] in CLOSED) or (isinstance(node.value, dict) and len(inner) == 1):
        return "a path to something else than a number", "patch a number below it; see `offtake show BOOK` for the paths"
    return None


def number_paths(tree: Node, prefix: tuple[str, ...] = ()) -> Iterator[str]:
    """Paths of all numbers in the text."""
    items = tree.value.items() if isinstance(tree.value, dict) else enumerate(tree.value) if isinstance(tree.value, list) else ()
    for key, child in items:
        steps = (*prefix, str(key))
        if isinstance(schema_at(steps)[0], Reader):
            yield ".".join(steps)
        yield from number_paths(child, steps)


def apply_patches(tree: Node, steps: tuple[str, ...], file: str, issues: list[Issue]) -> None:
    """Put the numbers under `set` of a scenario or a branch into the tree; they take its source or reason."""
    written = tree.find(steps)[0]
    patches = written.child("set")
    about = {k: v for k, v in written.value.items() if k in ("source", "assumed")}
    for path, value in (patches.value.items() if patches else ()):
        at = Issue(file, value.line, value.column, f"{'.'.join(steps)}.set.{path}", "", RULE, "")
        replace_number(tree, path, value, about, at, issues)


def _at(node: Node, line: int, column: int) -> Node:
    """The node as if all of it stood in one place."""
    inner = node.value
    if isinstance(inner, dict):
        inner = {key: _at(value, line, column) for key, value in inner.items()}
    elif isinstance(inner, list):
        inner = [_at(value, line, column) for value in inner]
    return Node(inner, line, column)
