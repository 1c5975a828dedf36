"""YAML as a tree with places: scalars stay text, every key and value knows its line and column.

Only the event stream of the YAML library is used: no types are guessed (`no` stays `no`), no alias is followed, nothing deep
or huge is built. Every fault is an Issue; reading goes on where it can.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import Issue

MOST_BYTES = 10_000_000
MOST_DEPTH = 64
Loader: Any = getattr(yaml, "CLoader", yaml.Loader)


@dataclass
class Node:
    """A value with its place: a str, a list of nodes, or a dict of nodes; `keys` holds the places of a dict's keys."""

    value: Any
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        return [v.plain() for v in self.value] if isinstance(self.value, list) else self.value

    def find(self, path: tuple[Any, ...]) -> tuple[Node, tuple[int, int]]:
        """The deepest node along `path` and its place: of the value, or of the key where the path ends in a key."""
        node, place = self, (self.line, self.column)
        for step in path:
            inner = node.value
            if isinstance(inner, dict) and str(step) in inner:
                node = inner[str(step)]
            elif isinstance(inner, list) and str(step).isdigit() and int(step) < len(inner):
                node = inner[int(step)]
            else:
                continue
            place = (node.line, node.column)
        return node, place


class Refused(Exception):
    """Reading stops here; the issue says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.rule)
        self.issue = issue


def decode(path: Path) -> str:
    """The file's text. Raises Refused for a file that is too big, unreadable or not UTF-8."""
    name = path.name
    try:
        if path.stat().st_size > MOST_BYTES:
            got = f"{path.stat().st_size:,} bytes"
            raise Refused(Issue(name, 1, 1, "", got, "a book is at most 10 MB", "cut it; long tables belong in a file of their own"))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        got = f"byte 0x{error.object[error.start]:02x}"
        raise Refused(Issue(name, line, 1, "", got, "a book is UTF-8 text", "save it as UTF-8")) from None
    except OSError as error:
        raise Refused(Issue(name, 1, 1, "", error.strerror or str(error), "a book can be read", "check the file's name and rights")) from None


def parse(text: str, file: str, issues: list[Issue]) -> Node | None:
    """The tree of one YAML document; faults are appended to `issues`."""
    if not text.strip():
        issues.append(Issue(file, 1, 1, "", "an empty file", "a book has a title, sources, contracts ..", "start from a shipped book"))
        return None
    try:
        return _Walker(file, issues).walk(yaml.parse(text, Loader))
    except Refused as refused:
        issues.append(refused.issue)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        got = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "text that is not YAML")
        issues.append(Issue(file, line, column, "", got, "a book is YAML", "mind indentation, colons and brackets near this place"))
    return None


class _Walker:
    """Events to nodes with a stack of its own: depth cannot exhaust Python's."""

    def __init__(self, file: str, issues: list[Issue]) -> None:
        self.file, self.issues = file, issues

    def walk(self, events: Any) -> Node | None:
        stack: list[tuple[Node, str | None]] = []
        root: Node | None = None
        documents = 0
        for event in events:
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Refused(Issue(self.file, line, column, "", "a second document", "a file holds one book", "remove the `---`"))
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                mark = f"*{event.anchor}" if isinstance(event, yaml.AliasEvent) else f"&{event.anchor}"
                raise Refused(Issue(self.file, line, column, _path(stack), mark, "a book has no anchors and aliases", "write the value again"))
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.ScalarEvent)):
                node = self._node(event, line, column)
                if isinstance(event, yaml.ScalarEvent) and stack and self._is_key(stack):
                    self._open_key(stack, node)
                    continue
                root = root or node
                self._place(stack, node)
                if not isinstance(event, yaml.ScalarEvent):
                    stack.append((node, None))
                    self._limit(stack, line, column)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
        return root

    def _node(self, event: Any, line: int, column: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            absent = event.value == "" and event.style is None or event.value == "~" and event.style is None
            return Node(None if absent else event.value, line, column)
        return Node({} if isinstance(event, yaml.MappingStartEvent) else [], line, column)

    def _limit(self, stack: list[tuple[Node, str | None]], line: int, column: int) -> None:
        if len(stack) > MOST_DEPTH:
            raise Refused(Issue(self.file, line, column, "", f"{len(stack)} levels", f"a book is at most {MOST_DEPTH} levels deep", "flatten it"))

    def _is_key(self, stack: list[tuple[Node, str | None]]) -> bool:
        node, key = stack[-1]
        return isinstance(node.value, dict) and key is None

    def _open_key(self, stack: list[tuple[Node, str | None]], key: Node) -> None:
        node, _ = stack[-1]
        name = str(key.value)
        if name in node.keys:
            line, _column = node.keys[name]
            self.issues.append(Issue(self.file, key.line, key.column, _path(stack, name), f"`{name}` again",
                                     "a key stands once", f"it stands already in line {line}: remove one"))  # fmt: skip
        node.keys.setdefault(name, (key.line, key.column))
        stack[-1] = (node, name)

    def _place(self, stack: list[tuple[Node, str | None]], child: Node) -> None:
        if not stack:
            return
        node, key = stack[-1]
        if isinstance(node.value, list):
            node.value.append(child)
        elif key is None:
            raise Refused(Issue(self.file, child.line, child.column, _path(stack), "a mapping or list as a key", "keys are words", "write a word"))
        else:
            node.value.setdefault(key, child)
            stack[-1] = (node, None)


def _path(stack: list[tuple[Node, str | None]], last: str | None = None) -> str:
    steps = []
    for node, key in stack:
        if isinstance(node.value, list):
            steps.append(str(len(node.value)))
        elif key is not None:
            steps.append(key)
    return ".".join(steps + ([last] if last else []))
