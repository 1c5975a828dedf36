"""The ledger (E-05): a chain in which a changed byte is found and located, and writers that lose nothing."""

import json
import random
import sqlite3
import subprocess
import sys

import pytest

from offtake.errors import StoreError
from offtake.evidence.ledger import FIRST, append, forecasts, hash_of, verify
from tests.forecasts import made


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "s.db"
    for n in range(5):
        append(path, [made(n)])
    return path


def edited(path, statement, *values):
    """What somebody with the file and SQLite can do."""
    with sqlite3.connect(path, isolation_level=None) as db:
        for trigger in ("forecasts_stay", "forecasts_last"):
            db.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        db.execute(statement, values)
    db.close()


def test_what_was_said_comes_back(store):
    assert [f.about for f in forecasts(store)] == [made(n).about for n in range(5)]
    assert forecasts(store)[3] == made(3) and forecasts(store, "other") == []
    told = verify(store)
    assert told["rows"] == 5 and told["faults"] == []
    assert verify(store, told["head"])["faults"] == []


def test_rows_cannot_be_changed_through_sqlite_alone(store):
    with sqlite3.connect(store) as db, pytest.raises(sqlite3.IntegrityError, match="never changed"):
        db.execute("UPDATE forecasts SET book = 'x'")
    with sqlite3.connect(store) as db, pytest.raises(sqlite3.IntegrityError, match="never removed"):
        db.execute("DELETE FROM forecasts")


@pytest.mark.parametrize("column", ["made", "book", "about", "body", "previous", "hash"])
def test_one_changed_byte_is_located(store, column):
    with sqlite3.connect(store) as db:
        text = db.execute(f"SELECT {column} FROM forecasts WHERE id = 3").fetchone()[0]
    at = random.Random(column).randrange(len(text))
    other = "0" if text[at] != "0" else "1"
    edited(store, f"UPDATE forecasts SET {column} = ? WHERE id = 3", text[:at] + other + text[at + 1 :])
    told = verify(store)
    assert told["faults"][0]["row"] == 3
    with pytest.raises(StoreError, match="the ledger is broken \\(row 3: "):
        forecasts(store)


def test_each_byte_of_the_rows_in_the_file(store):
    """60 bytes anywhere in the stored text of the rows, each flipped in a copy of the file: every one is found in its row."""
    with sqlite3.connect(store) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        bodies = [(row[0], row[1].encode()) for row in db.execute("SELECT id, body FROM forecasts")]
    db.close()
    whole, chance = store.read_bytes(), random.Random(1)
    for _ in range(60):
        number, body = chance.choice(bodies)
        at = whole.index(body) + chance.randrange(len(body))
        copy = store.with_name("copy.db")
        copy.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert [f["row"] for f in verify(copy)["faults"]][:1] == [number]


def test_rows_taken_out_put_in_or_cut_off(store):
    head = verify(store)["head"]
    edited(store, "DELETE FROM forecasts WHERE id = 2")
    assert verify(store)["faults"][0] == {"row": 3, "fault": "rows 2 to 2 are missing"}
    edited(store, "DELETE FROM forecasts WHERE id > 2")
    told = verify(store, head)
    assert told["rows"] == 1 and told["faults"][0]["fault"].startswith("the hash that you kept is not in the chain")


def test_a_changed_hash_is_told_from_changed_content(store):
    edited(store, "UPDATE forecasts SET hash = ? WHERE id = 2", "f" * 64)
    assert verify(store)["faults"][0] == {"row": 2, "fault": "its own hash was changed; its content is as it was"}


def test_a_forger_has_to_write_every_later_row_anew(store):
    """Row 3 changed with a true hash of its own, row 4 pointed at it: row 4 no longer gives its hash."""
    with sqlite3.connect(store) as db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("SELECT * FROM forecasts WHERE id = 3").fetchone()) | {"book": "x"}
    db.close()
    edited(store, "UPDATE forecasts SET book = 'x', hash = ? WHERE id = 3", hash_of(row))
    edited(store, "UPDATE forecasts SET previous = ? WHERE id = 4", hash_of(row))
    assert [f["row"] for f in verify(store)["faults"]] == [4]


def test_no_two_rows_read_alike():
    row = {"id": 1, "made": "ab", "book": "c", "about": "d", "body": "e", "previous": FIRST}
    assert hash_of(row) != hash_of(row | {"made": "a", "book": "bc"})


def test_nothing_is_added_to_a_broken_end(store):
    edited(store, "UPDATE forecasts SET body = '{}' WHERE id = 5")
    with pytest.raises(StoreError, match="row 5 of the ledger is broken; nothing was added"):
        append(store, [made(9)])
    assert verify(store)["rows"] == 5


def test_a_batch_is_whole_or_not_there(store):
    with pytest.raises(ValueError):
        append(store, [made(6), made(7, absent=float("nan"))])
    assert verify(store) | {"head": ""} == {"rows": 5, "head": "", "faults": []}


def test_no_ledger_is_said(tmp_path):
    with pytest.raises(StoreError, match="there is no such store"):
        verify(tmp_path / "none.db")
    assert FIRST == "0" * 64


WRITER = """
import sys
from tests.forecasts import made
from offtake.evidence.ledger import append
for n in range(6):
    append(sys.argv[1], [made(n, book=sys.argv[2])])
"""


def test_eight_writers_lose_nothing(tmp_path):
    """Eight processes append at once: 48 rows in one sound chain."""
    path = tmp_path / "s.db"
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), f"w{n}"]) for n in range(8)]
    assert [p.wait(timeout=120) for p in running] == [0] * 8
    told = verify(path)
    assert told["rows"] == 48 and told["faults"] == []
    assert sorted(f.book for f in forecasts(path)) == sorted(f"w{n}" for n in range(8) for _ in range(6))


def test_killed_between_statements_it_is_whole(tmp_path):
    """kill -9 while rows are written, again and again: what stands there is a sound chain, and goes on."""
    path = tmp_path / "s.db"
    append(path, [made(0)])
    for n in range(50):
        running = subprocess.Popen([sys.executable, "-c", KILLED, str(path), str(n)])
        running.wait(timeout=60)
        assert running.returncode == -9
        assert verify(path)["faults"] == []
    numbers, _ = append(path, [made(1)])
    assert verify(path)["rows"] == numbers[0]


KILLED = """
import os, signal, sqlite3, sys
from offtake import store
from offtake.evidence import ledger
sys.path.insert(0, ".")
steps = int(sys.argv[2])
count = [0]
real = store.sqlite3.connect

def connect(*a, **k):
    db = real(*a, **k)
    def told(statement):
        count[0] += 1
        if count[0] > 8 + steps:
            os.kill(os.getpid(), signal.SIGKILL)
    db.set_trace_callback(told)
    return db

store.sqlite3.connect = connect
from tests.forecasts import made
for n in range(100):
    ledger.append(sys.argv[1], [made(n % 12), made(3), made(4)])
"""


def test_bodies_are_one_line_of_json():
    assert json.loads(made(0).body())["unit"] == "USD" and "\n" not in made(0).body()
