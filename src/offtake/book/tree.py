"""YAML as a tree with places: scalars stay text, every key and value knows its line and column.

Only the event stream of the YAML library is used: no types are guessed (`no` stays `no`), no alias is followed, nothing deep
or huge is built. Every fault is an Issue; reading goes on where it can.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..errors import Issue, one_line

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
MOST_BYTES = 10_000_000
MOST_DEPTH = 64
NOT_EMPTY = "a book has a title, sources, contracts .."
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

    def child(self, step: Any) -> Node | None:
        """The node one step below, by key or by place in a list."""
        if isinstance(self.value, dict):
            found = self.value.get(str(step))
            return found if isinstance(found, Node) else None
        digits = str(step)
        inside = isinstance(self.value, list) and digits.isascii() and digits.isdigit() and int(digits) < len(self.value)
        return self.value[int(digits)] if inside else None

    def opened(self, paths: Sequence[Sequence[str]]) -> Node:
        """A tree whose nodes along `paths` are its own, to be replaced; all others are shared with this one."""
        below: dict[str, list[Sequence[str]]] = {}
        for path in filter(None, paths):
            below.setdefault(path[0], []).append(path[1:])
        new = Node(copy(self.value), self.line, self.column, self.keys)
        for step, rest in below.items():
            child = self.child(step)
            if child is not None:
                new.value[int(step) if isinstance(self.value, list) else step] = child.opened(rest)
        return new

    def find(self, path: Sequence[Any]) -> tuple[Node, tuple[int, int]]:
        """The deepest node along `path`, steps that do not exist left out, and its place."""
        node = self
        for step in path:
            node = node.child(step) or node
        return node, (node.line, node.column)


class Refused(Exception):
    """Reading stops here; the issue says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.rule)
        self.issue = issue


def decode(path: Path) -> str:
    """The file's text. Raises Refused for a file that is too big, unreadable or not UTF-8."""
    name = path.name
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            fix = "cut it; long tables belong in a file of their own"
            raise Refused(Issue(name, 1, 1, "", f"{size:,} bytes", "a book is at most 10 MB", fix))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        wide = error.object[:2] in (b"\xff\xfe", b"\xfe\xff")
        got = "UTF-16 text" if wide else f"byte 0x{error.object[error.start]:02x}"
        raise Refused(Issue(name, line, column, "", got, "a book is UTF-8 text", "save it as UTF-8")) from None
    except OSError as error:
        got = error.strerror or str(error)
        fix = "check the file's name and rights"
        raise Refused(Issue(name, 1, 1, "", got, "a book is a file that can be read", fix)) from None


def parse(text: str, file: str, issues: list[Issue]) -> Node | None:
    """The tree of one YAML document; faults are appended to `issues`."""
    if not text.strip():
        issues.append(Issue(file, 1, 1, "", "an empty file", NOT_EMPTY, "start from a shipped book"))
        return None
    try:
        root = _Walker(file, issues).walk(yaml.parse(text, Loader))
    except Refused as refused:
        issues.append(refused.issue)
    except yaml.YAMLError as error:
        issues.append(_unreadable(error, text, file))
    except UnicodeEncodeError:
        issues.append(Issue(file, 1, 1, "", "half a character", "a book is UTF-8 text", "save it as UTF-8"))
    else:
        if root is None:
            issues.append(Issue(file, 1, 1, "", "a file without content", NOT_EMPTY, "start from a shipped book"))
        return root
    return None


def _unreadable(error: yaml.YAMLError, text: str, file: str) -> Issue:
    """What the YAML library says, with the fix for the slips that the language of books invites."""
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    got = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "text that is not YAML")
    lines = text.split("\n")
    written = lines[line - 1] if line <= len(lines) else ""
    fix = "mind indentation, colons and brackets near this place"
    if "\t" in written[: max(column, 1)]:
        got, fix = "a tab", "indent with spaces"
    elif any(f"{name}(" in written for name in ("discrete", "mixture")):
        fix = 'put it in quotes: "discrete({4: 0.5, 6: 0.5}) months"'
    elif "{" in written and "[" in written:
        fix = 'inside braces put a citation in quotes: "38 bn USD [deal]", or write source: deal'
    elif CONTROL.search(text) and not mark:
        before = text[: CONTROL.search(text).start()]  # type: ignore[union-attr]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        got, fix = "a control character", "remove it; a book is plain text"
    return Issue(file, line, column, "", got, "a book is YAML", fix)


class _Walker:
    """Events to nodes with a stack of its own: depth cannot exhaust Python's."""

    def __init__(self, file: str, issues: list[Issue]) -> None:
        self.file, self.issues = file, issues
        self.stack: list[tuple[Node, str | None]] = []

    def walk(self, events: Any) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(line, column, "a second document", "a file holds one book", "remove the `---`")
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self.stack.pop()
            elif isinstance(event, (yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.ScalarEvent)):
                node = self._node(event, line, column)
                root = root or node
                self._take(node, isinstance(event, yaml.ScalarEvent))
        return root

    def _node(self, event: Any, line: int, column: int) -> Node:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            mark = "*" if isinstance(event, yaml.AliasEvent) else "&"
            self._refuse(line, column, f"{mark}{event.anchor}", "a book has no anchors and aliases", "write the value again")
        if event.tag:
            self._refuse(line, column, str(event.tag)[:60], "a book has no YAML tags", "remove it")
        if isinstance(event, yaml.ScalarEvent):
            absent = not event.style and event.value in ("", "~")
            return Node(None if absent else event.value, line, column)
        return Node({} if isinstance(event, yaml.MappingStartEvent) else [], line, column)

    def _take(self, node: Node, scalar: bool) -> None:
        """A key, or a value that is placed; a mapping or list stays open on the stack."""
        if self.stack and isinstance(self.stack[-1][0].value, dict) and self.stack[-1][1] is None:
            if not scalar or node.value is None:
                got = "an empty key" if scalar else "a mapping or list as a key"
                self._refuse(node.line, node.column, got, "keys are words", "write a word; put text with braces in quotes")
            self._open_key(node)
            return
        if self.stack:
            parent, key = self.stack[-1]
            if key is None:
                parent.value.append(node)
            else:
                parent.value.setdefault(key, node)
                self.stack[-1] = (parent, None)
        if not scalar:
            self.stack.append((node, None))
            if len(self.stack) > MOST_DEPTH:
                got, rule = f"{len(self.stack)} levels", f"a book is at most {MOST_DEPTH} levels deep"
                raise Refused(Issue(self.file, node.line, node.column, "", got, rule, "flatten it"))

    def _open_key(self, key: Node) -> None:
        node, _ = self.stack[-1]
        name = str(key.value)
        if name in node.keys:
            fix = f"it stands already in line {node.keys[name][0]}: remove one"
            path = self._path(name)
            self.issues.append(Issue(self.file, key.line, key.column, path, f"`{one_line(name, 60)}` again", "a key stands once", fix))
        node.keys.setdefault(name, (key.line, key.column))
        self.stack[-1] = (node, name)

    def _refuse(self, line: int, column: int, got: str, rule: str, fix: str) -> None:
        raise Refused(Issue(self.file, line, column, self._path(), got, rule, fix))

    def _path(self, last: str | None = None) -> str:
        steps = []
        for node, key in self.stack:
            if isinstance(node.value, list):
                steps.append(str(len(node.value)))
            elif key is not None:
                steps.append(key)
        return ".".join(steps + ([last] if last else []))
