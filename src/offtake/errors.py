"""What can go wrong, as values and as exceptions.

    OfftakeError
      BookError        a book has issues; `.issues` holds them all
      QuestionError    a measure, entity, period or path that does not exist
      WriteError       a file could not be written; the old one is whole
      StoreError       a store that is not there, is not ours, or refused what was asked of it
      FilingError      a filing that cannot be read, or must not be
      RoomError        a run that does not fit into the memory that is free
      IdentityError    a run broke an identity of A-10
      ChunkError       a file of finished chunks that is not whole, or not of this run
      ClusterError     a cluster that is not there, was lost, or runs another version
      ShapeError       arrays that do not fit together: a bug of the caller

Data faults are `Issue`s: where, got, rule, fix. Raise only for bugs and misuse.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Issue:
    """One fault of a book: file and place, the path of the term, what was got, the rule, and the fix."""

    file: str
    line: int
    column: int
    path: str
    got: str
    rule: str
    fix: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_text(self) -> str:
        """Four lines: place and path, got, rule, fix."""
        place = f"{self.file}:{self.line}:{self.column}  {self.path}".rstrip()
        return f"{place}\n  got   {self.got}\n  rule  {self.rule}\n  fix   {self.fix}"


def one_line(text: str, most: int = 120) -> str:
    """What stood in a book, on one line and not too long; nothing is said as `nothing`."""
    line = " ".join(text.split())
    return f"{line[: most - 3]}..." if len(line) > most else line or "nothing"


class OfftakeError(Exception):
    """The root of all errors a caller may meet."""


class BookError(OfftakeError):
    """A book has issues."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__(f"{len(issues)} issue{'s' * (len(issues) != 1)}, the first: {issues[0].to_text() if issues else ''}")
        self.issues = issues


class QuestionError(OfftakeError):
    """A question that the book cannot answer: unknown measure, entity, period, path or scenario."""


class WriteError(OfftakeError):
    """A file could not be written; what was there before is whole."""


class StoreError(OfftakeError):
    """A store that is not there, belongs to another program, or refused a write; what stood in it is whole."""


class FilingError(OfftakeError):
    """A filing that is too big, malformed, carries entities of its own, or does not say whose or of which day it is."""


class RoomError(OfftakeError):
    """A run would need more memory than is free; said before any of it is taken: where, got, rule, fix."""


class IdentityError(OfftakeError):
    """A run broke an identity of A-10: a bug, named with rule, path and month."""


class ChunkError(OfftakeError):
    """A file of finished chunks is damaged or belongs to another run, or could not be written."""


class ClusterError(OfftakeError):
    """A cluster is not there, was lost on the way, or runs another version; what is finished is kept."""


class ShapeError(OfftakeError):
    """Arrays that do not fit together."""
