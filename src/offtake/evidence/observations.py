"""What was observed (E-02): a printed figure, how it was measured, how far the model may lie from the world, and where it was printed.

Observations stand in the user's store and are never changed: one that was wrong is withdrawn, with a reason and a day. A figure that a
later document prints again stands in place of the earlier one, as known on the day that is asked (E-06).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..kernels.likelihood import log_counted_row, log_likelihood_row
from ..store import Room, opened, writing

OBSERVATIONS = Room(
    "observations",
    (
        (
            "CREATE TABLE observations (id INTEGER PRIMARY KEY, book TEXT NOT NULL, about TEXT NOT NULL, written TEXT NOT NULL, "
            "relation TEXT NOT NULL, low REAL, high REAL, unit TEXT NOT NULL, spread REAL NOT NULL, discrepancy REAL NOT NULL, "
            "discrepancy_text TEXT NOT NULL, because TEXT NOT NULL, covers REAL NOT NULL, covers_spread REAL NOT NULL, definition TEXT, "
            "publisher TEXT NOT NULL, document TEXT NOT NULL, published TEXT NOT NULL, recorded TEXT NOT NULL, "
            "UNIQUE (book, about, written, published, document)) STRICT",
            "CREATE TABLE withdrawn (observation INTEGER PRIMARY KEY REFERENCES observations (id), because TEXT NOT NULL, "
            "recorded TEXT NOT NULL) STRICT",
            "CREATE TRIGGER observations_stay BEFORE UPDATE ON observations BEGIN SELECT RAISE(ABORT, 'never changed'); END",
            "CREATE TRIGGER observations_last BEFORE DELETE ON observations BEGIN SELECT RAISE(ABORT, 'never removed'); END",
        ),
    ),
)


@dataclass(frozen=True)
class Observation:
    """A printed figure about one measure of one period.

    about             `MEASURE of ENTITY @ PERIOD`
    relation          = (printed, with its rounding), ~ (approximately), > (more than), < (less than), in (an interval), of (a count)
    low, high         what was printed covers this, in `unit`; absent: without end. Of a count: hits, and of how many
    spread            standard deviation of "approximately", in `unit`; 0 for the others
    discrepancy       standard deviation of the world's figure around the model's, in `unit`; `discrepancy_text` as stated, `because` why
    covers            share of the measure that the printed figure covers by its definition, the median; `covers_spread` in logs
    """

    about: str
    written: str
    relation: str
    low: float | None
    high: float | None
    unit: str
    spread: float
    discrepancy: float
    discrepancy_text: str
    because: str
    covers: float
    covers_spread: float
    definition: str | None
    publisher: str
    document: str
    published: date
    id: int | None = None

    @property
    def order(self) -> tuple[Any, ...]:
        """Evidence is a set: whatever the order in which it was recorded, it is read in this one."""
        return (self.about, self.published, self.written, self.document)

    @property
    def middle(self) -> float | None:
        """The printed figure; the end that is known where there is one, and the share that a count makes."""
        if self.relation == "of" and self.low is not None and self.high:
            return self.low / self.high
        ends = [end for end in (self.low, self.high) if end is not None]
        return sum(ends) / len(ends) if ends else None

    def add_log_likelihood(self, values: np.ndarray, out: np.ndarray) -> None:
        """Add the log-likelihood of each path's value (P,) to out (P,)."""
        values = np.ascontiguousarray(values)
        if self.relation == "of" and self.low is not None and self.high is not None:
            log_counted_row(values, self.low, self.high, out)
            return
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        off = math.hypot(self.discrepancy, self.spread)
        log_likelihood_row(values, low, high, off, self.covers, self.covers_spread, out)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"published": str(self.published)}


def record(path: str | Path, book: str, found: Observation) -> int:
    """Append an observation to the store; its number. Raises QuestionError where the same figure of the same document stands there."""
    row = found.to_dict() | {"book": book, "recorded": now()}
    del row["id"]
    with opened(path, OBSERVATIONS) as store, writing(store):
        same = "SELECT id FROM observations WHERE book = ? AND about = ? AND written = ? AND published = ? AND document = ?"
        there = store.execute(same, (book, found.about, found.written, row["published"], found.document)).fetchone()
        if there:
            raise QuestionError(f"this figure of this document is observation {there['id']} already; nothing was added")
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        return int(store.execute(f"INSERT INTO observations ({columns}) VALUES ({marks})", tuple(row.values())).lastrowid or 0)


def withdraw(path: str | Path, book: str, number: int, because: str) -> None:
    """Take an observation out of the evidence; it stays in the store with the reason. Raises QuestionError where there is none."""
    with opened(path, OBSERVATIONS, create=False) as store, writing(store):
        if not store.execute("SELECT 1 FROM observations WHERE id = ? AND book = ?", (number, book)).fetchone():
            raise QuestionError(f"the store has no observation {number} of {book}; `offtake observe {book}` lists them")
        if store.execute("SELECT 1 FROM withdrawn WHERE observation = ?", (number,)).fetchone():
            raise QuestionError(f"observation {number} is withdrawn already")
        store.execute("INSERT INTO withdrawn VALUES (?, ?, ?)", (number, because, now()))


def recorded(path: str | Path, book: str) -> list[dict[str, Any]]:
    """All observations of a book with what became of them, in the order in which they were recorded; none where there is no store."""
    if not Path(path).is_file():
        return []
    with opened(path, OBSERVATIONS) as store:
        rows = store.execute(
            "SELECT o.*, w.because AS withdrawn FROM observations o LEFT JOIN withdrawn w ON w.observation = o.id "
            "WHERE o.book = ? ORDER BY o.id", (book,),
        )  # fmt: skip
        return [dict(row) for row in rows]


def from_row(row: dict[str, Any]) -> Observation:
    """An observation as the store keeps it."""
    known = {name: row[name] for name in Observation.__dataclass_fields__}
    return Observation(**known | {"published": date.fromisoformat(row["published"])})


def evidence(found: Iterable[Observation], as_of: date | None) -> tuple[list[Observation], list[Observation]]:
    """The evidence known on a day, in its own order, and what a later document has replaced.

    Of one measure and period the last day on which something was published counts; all that was published on it does.
    """
    known = sorted((o for o in found if as_of is None or o.published <= as_of), key=lambda o: o.order)
    last = {o.about: max(x.published for x in known if x.about == o.about) for o in known}
    return [o for o in known if o.published == last[o.about]], [o for o in known if o.published < last[o.about]]


def now() -> str:
    """The time of day of a record, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
