"""The store: a chain of upgraders per room, one transaction whole or not at all, writers that wait, and files that are none."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offtake import store
from offtake.errors import StoreError
from offtake.store import Room, opened, writing

NOTES = Room("notes", (("CREATE TABLE notes (word TEXT NOT NULL)", "INSERT INTO notes VALUES ('first')"),))
LATER = Room("notes", (*NOTES.chain, ("ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT 7",)))


def words(path: Path, room: Room = NOTES) -> list[str]:
    with opened(path, room) as db:
        return [row["word"] for row in db.execute("SELECT word FROM notes ORDER BY rowid")]


def test_a_chain_runs_once_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    assert words(path) == ["first"] and words(path) == ["first"]
    assert words(path, LATER) == ["first"]
    with opened(path, LATER) as db:
        assert db.execute("SELECT size FROM notes").fetchone()["size"] == 7
    with opened(path, Room("other", (("CREATE TABLE other (x)",),))) as db:
        assert {row["room"]: row["version"] for row in db.execute("SELECT * FROM rooms")} == {"notes": 2, "other": 1}
    with pytest.raises(StoreError, match="its notes are of version 2, this offtake knows 1; use a newer offtake"), opened(path, NOTES):
        pass


def test_a_transaction_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with opened(path, NOTES) as db:
        with pytest.raises(KeyError), writing(db):
            db.execute("INSERT INTO notes VALUES ('lost')")
            raise KeyError
        with writing(db):
            db.execute("INSERT INTO notes VALUES ('kept')")
    assert words(path) == ["first", "kept"]


def test_a_broken_upgrade_leaves_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    words(path)
    broken = Room("notes", (*NOTES.chain, ("INSERT INTO notes VALUES ('half')", "INSERT INTO nowhere VALUES (1)")))
    with pytest.raises(StoreError, match="nowhere"), opened(path, broken):
        pass
    assert words(path) == ["first"]


def test_what_is_no_store_is_left_alone(tmp_path: Path) -> None:
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("entity,metric\n" * 100)
    said = r"text\.db: no store of offtake \(file is not a database\); name another file with --store"
    with pytest.raises(StoreError, match=said), opened(text, NOTES):
        pass
    assert text.read_text() == "entity,metric\n" * 100
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = other.read_bytes()
    with pytest.raises(StoreError, match=r"other\.db: a database of another program"), opened(other, NOTES):
        pass
    assert other.read_bytes() == before
    with pytest.raises(StoreError, match="a folder; a store is one file"), opened(tmp_path, NOTES):
        pass
    with pytest.raises(StoreError, match="there is no such store"), opened(tmp_path / "absent.db", NOTES, create=False):
        pass
    assert not (tmp_path / "absent.db").exists()
    with pytest.raises(StoreError, match="could not be opened"), opened(tmp_path / "no" / "a.db", NOTES):
        pass


def test_a_lock_held_too_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    words(path)
    monkeypatch.setattr(store, "WAIT", 0.05)
    said = pytest.raises(StoreError, match=r"another process held the store for more than 0\.05 s")
    with opened(path, NOTES) as first, writing(first), said, opened(path, NOTES) as second:
        second.execute("BEGIN IMMEDIATE")


WRITERS = """
import os, sys
from pathlib import Path
from offtake.store import Room, opened, writing
path, room = Path(sys.argv[1]), Room("lines", (("CREATE TABLE lines (writer INTEGER, line INTEGER, half INTEGER)",),))
children = []
for writer in range(8):
    pid = os.fork()
    if pid == 0:
        for line in range(25):
            with opened(path, room) as db, writing(db):
                for half in (0, 1):
                    db.execute("INSERT INTO lines VALUES (?, ?, ?)", (writer, line, half))
        os._exit(0)
    children.append(pid)
sys.exit(any([os.waitpid(pid, 0)[1] for pid in children]))
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from offtake.store import Room, opened, writing
path, room = Path(sys.argv[1]), Room("lines", (("CREATE TABLE lines (writer INTEGER, line INTEGER, half INTEGER)",),))
for round in range(50):
    come, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        with opened(path, room) as db:
            for line in range(1000):
                with writing(db):
                    db.execute("INSERT INTO lines VALUES (?, ?, 0)", (round, line))
                    if line == round % 5:
                        os.write(go, bytes([line]))
                        os.kill(os.getpid(), signal.SIGKILL)  # between two statements of one transaction
                    db.execute("INSERT INTO lines VALUES (?, ?, 1)", (round, line))
        os._exit(0)
    assert os.read(come, 1)[0] == round % 5
    os.waitpid(pid, 0)
    os.close(come), os.close(go)
"""


def run(code: str, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def lines(path: Path) -> list[tuple[int, int, int]]:
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = list(db.execute("SELECT writer, line, half FROM lines ORDER BY writer, line, half"))
    db.close()
    return found


def test_eight_writers_lose_nothing(tmp_path: Path) -> None:
    """Eight processes open a store that is not there yet and write 25 pairs each; all 400 rows are there."""
    run(WRITERS, tmp_path / "a.db")
    assert lines(tmp_path / "a.db") == [(w, line, half) for w in range(8) for line in range(25) for half in (0, 1)]


def test_a_process_killed_fifty_times_between_statements_leaves_whole_transactions(tmp_path: Path) -> None:
    """Every pair that was committed is there, no half pair is, and the next process goes on at once."""
    run(KILLED, tmp_path / "a.db")
    assert lines(tmp_path / "a.db") == [(r, line, half) for r in range(50) for line in range(r % 5) for half in (0, 1)]
