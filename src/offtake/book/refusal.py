"""Pydantic's errors as issues: place in the text, what was got, the rule, and the fix."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ..errors import Issue, one_line
from .tree import Node
from .walk import schema_at

CITES = re.compile(r"\([A-Z]-\d\d")
HOME = {"contracts": "C-01", "chips": "S-02", "sites": "S-02", "workloads": "D-01", "scenarios": "U-03"}
PLAIN = {
    "int_parsing": ("a whole number", "write digits only"), "int_type": ("a whole number", "write digits only"),
    "int_from_float": ("a whole number", "write digits only"), "int_parsing_size": ("a whole number", "write fewer digits"),
    "bool_parsing": ("true or false", "write true or false"), "bool_type": ("true or false", "write true or false"),
    "list_type": ("a list", "write [a, b], or one `- ` a line"), "tuple_type": ("a list", "write [a, b]"),
    "dict_type": ("a mapping", "write one `key: value` a line"), "model_type": ("a mapping", "write one `key: value` a line"),
    "model_attributes_type": ("a mapping", "write one `key: value` a line"), "string_type": ("text", "write text"),
    "too_short": ("two entries", "write [a, b]"), "too_long": ("two entries", "write [a, b]"),
}  # fmt: skip


def issues_of(details: Iterable[ErrorDetails], tree: Node, file: str) -> list[Issue]:
    """One issue a place: where a field may be a number or a word, what is said about the number counts."""
    found: dict[str, tuple[bool, Issue]] = {}
    for detail in details:
        issue = _issue(detail, tree, file)
        known = found.get(issue.path)
        if known is None or (detail["type"] == "number" and not known[0]):
            found[issue.path] = (detail["type"] == "number", issue)
    return [issue for _, issue in found.values()]


def _issue(detail: ErrorDetails, tree: Node, file: str) -> Issue:
    kind, context = detail["type"], detail.get("ctx") or {}
    steps = _steps(detail["loc"], tree, kind in ("missing", "extra_forbidden"))
    steps += [str(step) for step in context.get("where", ())] if kind == "number" else []
    node, (line, column) = tree.find(steps)
    path = one_line(".".join(steps)) if steps else ""
    if kind == "extra_forbidden":
        parent = tree.find(steps[:-1])[0]
        line, column = parent.keys.get(steps[-1], (line, column))
        return Issue(file, line, column, path, f"`{one_line(steps[-1])}`", "a key that is known here", _near(steps))
    if kind == "missing":
        rule = f"`{steps[-1]}` is needed here; what is absent is never filled in (N-06)"
        return Issue(file, line, column, path, "nothing", rule, f"add `{steps[-1]}: ..`")
    if kind == "number":
        where = "where" in context and bool(context["where"]) and not _exists(tree, steps)
        line, column = tree.find(steps[:-1])[0].keys.get(steps[-1], (line, column)) if where else (line, column)
        return Issue(file, line, column, path, one_line(context["got"]), _rule(context["rule"], steps), _fix(context["fix"], steps))
    return Issue(file, line, column, path, _short(node.plain()), *_plain(kind, context, detail["msg"], node))


def _steps(location: Iterable[Any], tree: Node, keep_last: bool) -> list[str]:
    """The location without the tags of unions: what does not stand in the text."""
    found: list[str] = []
    node = tree
    steps = list(location)
    for count, step in enumerate(steps):
        child = node.child(step)
        if child is not None:
            node = child
            found.append(str(step))
        elif keep_last and count == len(steps) - 1:
            found.append(str(step))
    return found


def _exists(tree: Node, steps: list[str]) -> bool:
    node: Node | None = tree
    for step in steps:
        node = node and node.child(step)
    return node is not None


def _rule(rule: str, steps: list[str]) -> str:
    return rule if CITES.search(rule) else f"{rule} ({HOME.get(steps[0] if steps else '', 'N-01')})"


def _fix(fix: str, steps: list[str]) -> str:
    if steps and steps[-1] == "take_or_pay" and fix.startswith("write 0.8"):
        return f"{fix}; a minimum in GPU-hours is its share of the hours committed"
    return fix


def _plain(kind: str, context: dict[str, Any], message: str, node: Node) -> tuple[str, str]:
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = get_close_matches(str(node.value), words, n=1)
        return f"one of {', '.join(words)}", f"did you mean `{near[0]}`?" if near else "write one of these words"
    if kind == "label":
        return message, "write a number with its unit, or the word"
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        return message.replace("Input should be", "a number"), "write a number in that range"
    return PLAIN.get(kind, (message, "see `offtake schema`"))


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str), 60)


def _near(steps: list[str]) -> str:
    model, used = schema_at(steps[:-1])
    known = isinstance(model, type) and issubclass(model, BaseModel) and used == len(steps) - 1
    names = list(model.model_fields) if known else []
    near = get_close_matches(steps[-1], names, n=1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"remove it, or use one of {', '.join(names[:8])}{' ..' if len(names) > 8 else ''}"
