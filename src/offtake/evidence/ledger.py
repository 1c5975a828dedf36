"""The ledger (E-05): forecasts as they were made, chained by their hashes, and never changed.

Each row holds the hash of the row before it, and a hash over that one and everything of its own: whoever changes a byte of a row, takes
one out or puts one in between breaks the chain there. Only rows cut off at the end leave no trace inside: keep the last hash elsewhere,
and `verify` tells whether it is still in the chain.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..store import Room, opened, writing

FIRST = "0" * 64
COLUMNS = ("id", "made", "book", "about", "body", "previous", "hash")
LEDGER = Room(
    "ledger",
    (
        (
            "CREATE TABLE forecasts (id INTEGER PRIMARY KEY, made TEXT NOT NULL, book TEXT NOT NULL, about TEXT NOT NULL, "
            "body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL UNIQUE) STRICT",
            "CREATE TRIGGER forecasts_stay BEFORE UPDATE ON forecasts BEGIN SELECT RAISE(ABORT, 'never changed'); END",
            "CREATE TRIGGER forecasts_last BEFORE DELETE ON forecasts BEGIN SELECT RAISE(ABORT, 'never removed'); END",
        ),
    ),
)


@dataclass(frozen=True)
class Forecast:
    """What was said of one number before it was known.

    made        UTC time at which it was made; `as_of` the day of knowledge of its book
    ends        last day of the period that it is about
    quantiles   by name (p05 ..), in `unit`; samples, equally likely, likewise; `absent` the share of paths without the number
    event       threshold and chance that the number lies above it, where a signal states one
    references  point forecasts of others by name, as they were known then
    evidence    observations that it was conditioned on, as written
    stamp       book hash, seed, paths, sampler, version
    """

    made: str
    book: str
    about: str
    unit: str
    as_of: str
    ends: str
    quantiles: dict[str, float]
    samples: list[float]
    absent: float
    event: dict[str, float] | None
    references: dict[str, float]
    evidence: list[str]
    stamp: dict[str, Any]

    def body(self) -> str:
        """Everything but made, book and about, as one line of JSON."""
        told = asdict(self)
        return json.dumps({k: v for k, v in told.items() if k not in ("made", "book", "about")}, sort_keys=True, allow_nan=False)


def append(path: str | Path, forecasts: Sequence[Forecast]) -> tuple[list[int], str]:
    """Add forecasts to the chain, all or none: their numbers, and the hash to keep. Raises StoreError where the last row is broken."""
    numbers: list[int] = []
    with opened(path, LEDGER) as store, writing(store):
        last = store.execute("SELECT * FROM forecasts ORDER BY id DESC LIMIT 1").fetchone()
        if last and hash_of(last) != last["hash"]:
            raise StoreError(f"{path}: row {last['id']} of the ledger is broken; nothing was added. `offtake ledger verify` says more")
        number, head = (last["id"], last["hash"]) if last else (0, FIRST)
        for f in forecasts:
            number += 1
            row = {"id": number, "made": f.made, "book": f.book, "about": f.about, "body": f.body(), "previous": head}
            head = hash_of(row)
            store.execute("INSERT INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?)", (*row.values(), head))
            numbers.append(number)
    return numbers, head


def hash_of(row: Any) -> str:
    """SHA-256 over the columns of a row but its own hash, each with its length, so that no two rows read alike."""
    parts = [str(row[name]) for name in COLUMNS[:-1]]
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


def verify(path: str | Path, kept: str | None = None) -> dict[str, Any]:
    """Walk the chain: rows, last hash, and every fault with its row. `kept` is a hash that must be in the chain."""
    faults: list[dict[str, Any]] = []
    head, number, hashes = FIRST, 0, {FIRST}
    with opened(path, LEDGER, create=False) as store:
        faults += [{"row": None, "fault": f"the file: {r[0]}"} for r in store.execute("PRAGMA quick_check(5)") if r[0] != "ok"]
        try:
            rows = store.execute("SELECT * FROM forecasts ORDER BY id").fetchall()
        except sqlite3.DatabaseError as error:
            return {"rows": 0, "head": FIRST, "faults": [*faults, {"row": None, "fault": f"the table cannot be read ({error})"}]}
    for at, row in enumerate(rows):
        faults += [{"row": row["id"], "fault": said} for said in _faults(row, rows[at + 1] if at + 1 < len(rows) else None, head, number)]
        head, number = row["hash"], row["id"]
        hashes.add(head)
    if kept is not None and kept not in hashes:
        faults.append({"row": None, "fault": "the hash that you kept is not in the chain: rows were cut off or changed"})
    return {"rows": len(rows), "head": head, "faults": faults}


def _faults(row: Any, after: Any, head: str, number: int) -> list[str]:
    """What is wrong with a row: its number, its link, its content, or its own hash (where the next row still knows the true one)."""
    found = []
    if row["id"] != number + 1:
        found.append(f"rows {number + 1} to {row['id'] - 1} are missing")
    true = hash_of(row)
    content = true != row["hash"]
    if content and after is not None and after["previous"] == true:
        found.append("its own hash was changed; its content is as it was")
    elif content:
        found.append("its content does not give its hash: a byte of it was changed")
    if row["previous"] != head and not content:
        found.append(f"it does not follow row {number}: that row was changed, put in or taken out")
    return found


def forecasts(path: str | Path, book: str | None = None) -> list[Forecast]:
    """The forecasts of a ledger, of one book or of all, in the order in which they were made. Raises StoreError where it is broken."""
    told = verify(path)
    if told["faults"]:
        first = told["faults"][0]
        where = f"row {first['row']}: " if first["row"] else ""
        raise StoreError(f"{path}: the ledger is broken ({where}{first['fault']}); `offtake ledger verify` lists all")
    with opened(path, LEDGER, create=False) as store:
        rows = store.execute("SELECT * FROM forecasts ORDER BY id").fetchall()
    return [
        Forecast(made=row["made"], book=row["book"], about=row["about"], **json.loads(row["body"]))
        for row in rows if book is None or row["book"] == book
    ]  # fmt: skip
