"""One SQLite file of a person's own: `./offtake.db`, or what `--store` names. Facts, the ledger and runs keep their tables in it.

Each room that keeps something declares its tables once, as a chain of small upgraders:

    LEDGER = Room("ledger", (("CREATE TABLE forecasts (..)",), ("ALTER TABLE forecasts ADD COLUMN ..",)))

and opens the file with it: `with opened(path, LEDGER) as store, writing(store): store.execute(..)`. The n-th entry of the chain brings the
room's tables from version n to n + 1; an entry that was once released is never edited. Versions are kept per room, so rooms do not know
each other. What `writing` wraps is there whole or not at all: the file is in WAL mode, a commit is synced to disk, and a second writer
waits for the first (the house's rule that nothing is lost; stack: run store).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .errors import StoreError

DEFAULT = Path("offtake.db")
APPLICATION = 0x4F46544B  # "OFTK", written into the file's header
WAIT = 60.0  # seconds that a writer waits for the writers before it
VERSIONS = "CREATE TABLE IF NOT EXISTS rooms (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"


@dataclass(frozen=True)
class Room:
    """Tables with one owner: its name, and the statements that lead from each version to the next."""

    name: str
    chain: tuple[tuple[str, ...], ...]


@contextmanager
def opened(path: str | Path, room: Room, create: bool = True) -> Iterator[sqlite3.Connection]:
    """The store with a room's tables up to date. Rows read by name (`sqlite3.Row`); nothing is written outside `writing`.

    raises    StoreError where the file is no store, is newer than this version, or is absent and not to be created
    """
    file = Path(path)
    if file.is_dir():
        raise StoreError(f"{file}: a folder; a store is one file, such as {DEFAULT}")
    if not create:
        existing(file)
    try:
        store = sqlite3.connect(file, timeout=WAIT, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{file}: the store could not be opened ({error})") from None
    try:
        _prepare(store, file, room)
        yield store
    except sqlite3.Error as error:
        raise StoreError(f"{file}: {_said(error)}") from error
    finally:
        store.close()


def existing(path: str | Path) -> Path:
    """The file of a store that is there. Raises StoreError."""
    if not Path(path).is_file():
        raise StoreError(f"{path}: there is no such store; `offtake facts import FILE --store {path}` makes one")
    return Path(path)


@contextmanager
def writing(store: sqlite3.Connection) -> Iterator[None]:
    """One transaction that holds the write lock from its start: all of it is kept, or nothing."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if store.in_transaction:  # a full disk has ended it already
            store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


def _prepare(store: sqlite3.Connection, file: Path, room: Room) -> None:
    store.row_factory = sqlite3.Row
    _own(store, file)
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        _patient(partial(store.execute, f"PRAGMA {setting}"))
    if _version(store, room) == len(room.chain):
        return
    with writing(store):
        _upgrade(store, file, room)


def _own(store: sqlite3.Connection, file: Path) -> None:
    """Refuse what is no store of ours before a byte is written."""
    try:
        found, tables = _patient(partial(_header, store))
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{file}: no store of offtake ({error}); name another file with --store") from None
    if found not in (0, APPLICATION) or (found == 0 and tables):
        raise StoreError(f"{file}: a database of another program; name another file with --store")


def _header(store: sqlite3.Connection) -> tuple[int, int]:
    """Whose file it is, and how many tables it has: read at one moment, since another process may be making it."""
    store.execute("BEGIN")
    try:
        found = store.execute("PRAGMA application_id").fetchone()[0]
        return found, store.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        store.execute("COMMIT")


def _version(store: sqlite3.Connection, room: Room) -> int:
    if not store.execute("SELECT 1 FROM sqlite_master WHERE name = 'rooms'").fetchone():
        return 0
    row = store.execute("SELECT version FROM rooms WHERE room = ?", (room.name,)).fetchone()
    return int(row["version"]) if row else 0


def _upgrade(store: sqlite3.Connection, file: Path, room: Room) -> None:
    """The rest of the chain, under the write lock: a second process that waited finds it done."""
    store.execute(f"PRAGMA application_id = {APPLICATION}")
    store.execute(VERSIONS)
    version = _version(store, room)
    if version > len(room.chain):
        raise StoreError(f"{file}: its {room.name} are of version {version}, this offtake knows {len(room.chain)}; use a newer offtake")
    for statements in room.chain[version:]:
        for statement in statements:
            store.execute(statement)
    store.execute("INSERT OR REPLACE INTO rooms VALUES (?, ?)", (room.name, len(room.chain)))


def _patient(ask: Callable[[], Any]) -> Any:
    """SQLite does not wait for a lock while a file turns to WAL; here it does."""
    until = time.monotonic() + WAIT
    while True:
        try:
            return ask()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _said(error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"another process held the store for more than {WAIT:g} s; try again"
    return f"the store refused ({error})"
