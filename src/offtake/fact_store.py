"""Facts in the store: rows that are added and never changed (E-06). A store adds to the facts that ship with the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from .fact_rows import catalog
from .facts import Fact, Facts
from .store import DEFAULT, Room, existing, opened

FACTS = Room(
    "facts",
    (
        (
            """CREATE TABLE facts (
                row INTEGER PRIMARY KEY, entity TEXT NOT NULL, metric TEXT NOT NULL, scope TEXT NOT NULL, period_start TEXT NOT NULL,
                period_end TEXT NOT NULL, value REAL NOT NULL, unit TEXT NOT NULL, quality TEXT NOT NULL, published TEXT NOT NULL,
                publisher TEXT NOT NULL, document TEXT NOT NULL, url TEXT NOT NULL, note TEXT NOT NULL, recorded TEXT NOT NULL,
                UNIQUE (entity, metric, scope, period_start, period_end, published, publisher, document)
            ) STRICT""",
            "CREATE TRIGGER facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never overwritten'); END",
            "CREATE TRIGGER facts_last BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never removed'); END",
        ),
    ),
)
SELECT = """SELECT value, unit FROM facts WHERE entity = ? AND metric = ? AND scope = ? AND period_start = ? AND period_end = ?
            AND published = ? AND publisher = ? AND document = ?"""
INSERT = "INSERT INTO facts VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Kept:
    """What became of facts that were to be kept: rows added, rows that stood there already, and contradictions (place among them, the
    number that the same document says in the store). Where there is a contradiction nothing was added."""

    added: int
    known: int
    contradictions: tuple[tuple[int, float], ...]


def keep(path: str | Path, facts: Sequence[Fact]) -> Kept:
    """Add facts to a store, all or none; the store is made if it is not there. Raises StoreError."""
    added, known, contradictions = 0, 0, []
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with opened(path, FACTS) as store:
        store.execute("BEGIN IMMEDIATE")
        for place, fact in enumerate(facts):
            start = str(fact.period_start or "")
            one = (fact.entity, fact.metric, fact.scope, start, str(fact.period_end), str(fact.published), fact.publisher, fact.document)
            row = store.execute(SELECT, one).fetchone()
            if row is None:
                values = (*one[:5], fact.value, fact.unit, fact.quality, *one[5:], fact.url, fact.note, now)
                store.execute(INSERT, values)
                added += 1
            elif (row["value"], row["unit"]) == (fact.value, fact.unit):
                known += 1
            else:
                contradictions.append((place, float(row["value"])))
        store.execute("ROLLBACK" if contradictions else "COMMIT")
    return Kept(0 if contradictions else added, known, tuple(contradictions))


def stored(path: str | Path) -> list[Fact]:
    """The facts of a store, in the order in which they came. Raises StoreError."""
    with opened(path, FACTS, create=False) as store:
        rows = store.execute("SELECT * FROM facts ORDER BY row").fetchall()
    return [
        Fact(
            row["entity"], row["metric"], date.fromisoformat(row["period_end"]), row["value"], row["unit"], row["quality"],
            date.fromisoformat(row["published"]), row["publisher"], row["document"], row["note"], row["scope"],
            date.fromisoformat(row["period_start"]) if row["period_start"] else None, row["url"],
        )
        for row in rows
    ]  # fmt: skip


def on_record(path: str | Path | None = None) -> Facts:
    """The catalog's facts and those of a store: of `path`, else of the file `offtake.db` where one lies in the folder one works in.

    A store is read when the first fact is asked for, so that a book that cites none does not wait for it. Raises StoreError.
    """
    if path is None and not DEFAULT.is_file():
        return catalog()
    file = existing(DEFAULT if path is None else path)
    return Facts(lambda: joined(catalog(), stored(file)))


def joined(facts: Iterable[Fact], more: Iterable[Fact]) -> Facts:
    """Both, a row that stands in both once."""
    return Facts(dict.fromkeys([*facts, *more]))
