"""A plan too large for memory is refused before anything of it is allocated: where, got, rule, fix; nothing is lost."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import offtake
from bench.many import plan_of
from offtake import front, memory, montecarlo, stages
from offtake.cli import app
from offtake.errors import RoomError
from offtake.plan import Plan
from offtake.questions import question


def even(size: float) -> Callable[[int, int], float]:
    """So many bytes shared, whatever the paths and threads."""
    return lambda paths, threads: size


@pytest.fixture(scope="module")
def plan() -> Plan:
    return front.compile(offtake.load("two-clouds"))


@pytest.mark.parametrize("book", ["two-clouds", "openai-aws"])
def test_a_block_is_told_to_the_byte(book: str) -> None:
    """From blocks of one month and of two, what a whole one holds with the solver's arrays, once it has been filled."""
    whole = front.compile(offtake.load(book))
    b = stages.allocate(whole)
    block, month, scratch = memory.of_block(whole)
    assert block == memory.held(b) and month == memory.held(stages.allocate(replace(whole, months=whole.months + 1))) - block
    stages.fill(b, 1, 0, np.zeros(len(whole.factor_paths), np.int64))
    assert memory.held(b) == block + scratch * (b.scratch is not None)  # shared commitments are placed in arrays of their own


def test_a_blocks_arrays_lie_in_one_piece(plan: Plan) -> None:
    """Each begins a line of the cache, none reaches into another, and rows of a month do not all fall on one place of a page."""
    b = stages.allocate(plan)
    found = {id(a): a for part in (b.supply, b.settlement, b.books, b.ledger, (b.X, b.when)) for a in part if a.size}.values()
    ends = sorted((a.ctypes.data, a.ctypes.data + a.nbytes) for a in found)
    assert all(first % 64 == 0 for first, _ in ends) and all(a[1] <= b[0] for a, b in pairwise(ends))
    assert len({id(next(memory.arrays(a))) for a in found}) == 1
    assert len({first % 4096 for first, _ in ends}) > len(ends) / 2
    assert b.supply.allotted is b.supply.energised  # one array under two names


def test_a_memory_counts_once() -> None:
    """1,000 bytes twice, and half of them as a view; 80 of another array."""
    a, b = np.zeros(125), np.zeros(10)
    assert memory.held((a, (a, a[:60]), b, "no array")) == 1080 and memory.held((a[:60],)) == 1000


def test_the_solvers_arrays_count(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    before, real = memory.needed(plan, 0.0).each, stages.scratch
    monkeypatch.setattr(stages, "scratch", lambda b: (real(b), np.zeros(1_000_000)))
    assert memory.needed(plan, 0.0).each == before + 8e6


def test_many_pools_take_more(plan: Plan) -> None:
    few, many = (memory.needed(plan_of(n, 96), 0.0).each for n in (10, 100))
    assert 8.0 < many / few < 12.0 and few > memory.needed(plan_of(1, 96), 0.0).each


def test_the_refusal(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two threads of eight: said to the word, and two do fit."""
    need = memory.needed(plan, 10e6)
    room = (need.of(2) + 0.4 * need.each) / (1.0 - memory.RESERVE)
    monkeypatch.setattr(memory, "free", lambda: room)
    with pytest.raises(RoomError) as refused:
        memory.require(plan, 1024, 8, even(10e6))
    each, n = memory.amount(need.each), plan.names
    assert str(refused.value) == (
        f"this plan: {plan.months} months x {len(n.contracts)} contracts x {len(n.pools)} pools x {len(n.workloads)} workloads, 64 paths "
        f"side by side in each of 8 threads\n  got   {memory.amount(need.of(8))}: {each} for each thread, 10 MB shared, 205 MB the "
        f"program\n  rule  a run fits into the memory that is free, {memory.amount(0.95 * room)}\n  fix   --workers 2 needs "
        f"{memory.amount(need.of(2))}"
    )
    memory.require(plan, 1024, 2, even(10e6))


def test_where_no_thread_fits_fewer_paths_may(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte a path: of 5,000 paths, 1,024 are the largest power of two that fits, and they do."""
    need = memory.needed(plan, 0.0)

    def shared(paths: int, threads: int) -> float:
        return 1e6 * paths

    monkeypatch.setattr(memory, "free", lambda: (need.of(1) + 1.5e9) / (1.0 - memory.RESERVE))
    with pytest.raises(RoomError) as refused:
        memory.require(plan, 5000, 4, shared)
    assert str(refused.value).endswith(f"\n  fix   --workers 1 --paths 1024 needs {memory.amount(need.of(1) + 1.024e9)}")
    memory.require(plan, 1024, 1, shared)
    with pytest.raises(RoomError):
        memory.require(plan, 2048, 1, shared)


def test_where_no_run_fits_the_book_is_what_gives(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shorter horizon is offered where it is one: of 4,800 months those that fit, and no year of a book of four."""
    monkeypatch.setattr(memory, "free", lambda: 1e9)
    long = replace(plan, months=plan.months * 100)
    with pytest.raises(RoomError, match=r"a horizon of \d+ months$") as refused:
        memory.require(long, 1024, 1, even(0.0))
    months = int(str(refused.value).rsplit(" months", 1)[0].rsplit(" ", 1)[1])
    memory.require(replace(plan, months=months), 1024, 1, even(0.0))
    with pytest.raises(RoomError):
        memory.require(replace(plan, months=months + 2), 1024, 1, even(0.0))
    need = memory.needed(plan, 0.0)
    monkeypatch.setattr(memory, "free", lambda: (need.of(1) - 0.7 * plan.months * need.month) / (1.0 - memory.RESERVE))
    with pytest.raises(RoomError, match=r"a machine with more memory, or a book with fewer pools, contracts or workloads$"):
        memory.require(plan, 1024, 1, even(0.0))


def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Months of every block that is made from now on."""
    made: list[int] = []
    real = stages.allocate

    def noted(of: Plan) -> object:
        made.append(of.months)
        return real(of)

    monkeypatch.setattr(stages, "allocate", noted)
    return made


def test_no_more_blocks_than_chunks(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """64 cores and 1,024 paths: four chunks of 256 are under way at most, and room for four blocks is enough; with one thread less room
    it is not."""
    q = [question(plan, "npv", "contracts.north")]
    need = memory.needed(plan, montecarlo.shared_bytes(plan, q, 1024, 4))
    monkeypatch.setattr(montecarlo, "cores", lambda: 64)
    assert [montecarlo.under_way(n, None) for n in (1, 256, 257, 1024, 10**6)] == [1, 1, 2, 4, 64]
    made = watched(monkeypatch)
    monkeypatch.setattr(memory, "free", lambda: 1.001 * need.of(4) / (1.0 - memory.RESERVE))
    montecarlo.run(plan, q, 1024, 1)
    assert made.count(plan.months) <= 4
    monkeypatch.setattr(memory, "free", lambda: need.of(3) / (1.0 - memory.RESERVE))
    with pytest.raises(RoomError, match=r"in each of 4 threads"):
        montecarlo.run(plan, q, 1024, 1)


def test_what_is_kept_of_the_first_paths_counts(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte that `fill` keeps is asked for; what the report looks at is told to the byte (test_beside)."""
    q, futures = [question(plan, "npv", "contracts.north")], montecarlo.Futures(1024, 1)
    need = memory.needed(plan, montecarlo.shared_bytes(plan, q, 1024, 1))
    monkeypatch.setattr(memory, "free", lambda: (need.of(1) + 0.9e6) / (1.0 - memory.RESERVE))
    montecarlo.require_room(plan, q, futures, 1)
    with pytest.raises(RoomError):
        montecarlo.require_room(plan, q, replace(futures, held=1_000_000), 1)


def test_nothing_of_it_is_allocated(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """480,000 months of a hundred pools would be terabytes; the machine's own figure refuses them, and no block is made."""
    many = replace(plan_of(100, 96), months=480_000)
    made = watched(monkeypatch)
    with pytest.raises(RoomError, match=r"TB|GB"):
        montecarlo.run(many, [question(many, "npv", "contracts.c0")], 1024, 1)
    assert made == [1, 2]


def test_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb ends in a sentence, and an older report stays as it was."""
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "two-clouds.html"
    page.write_text("<!-- an older report -->")
    monkeypatch.setattr(memory, "free", lambda: 50e6)
    done = CliRunner().invoke(app, ["measure", "two-clouds", "npv", "--of", "contracts.north", "--paths", "64"])
    assert isinstance(done.exception, RoomError) and "--workers 1 needs" in str(done.exception)
    done = CliRunner().invoke(app, ["run", "two-clouds", "--paths", "64", "--out", "new/folder"])
    assert isinstance(done.exception, RoomError)
    assert page.read_text() == "<!-- an older report -->" and [p.name for p in tmp_path.iterdir()] == [page.name]


def test_where_nobody_tells_all_is_tried(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda: None)
    memory.require(replace(plan, months=10**9), 1024, 8, even(0.0))


def test_what_a_container_leaves(tmp_path: Path) -> None:
    """A limit of 1,000 bytes with 700 taken, 200 of them files given up when asked; one without limit; version 1."""
    for name, files in {
        "a": {"memory.max": "1000\n", "memory.current": "700\n", "memory.stat": "anon 500\ninactive_file 200\n"},
        "a/b": {"memory.max": "max\n", "memory.current": "700\n"},
        "memory/c": {"memory.limit_in_bytes": "4000", "memory.usage_in_bytes": "1000"},
    }.items():
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (tmp_path / name / file).write_text(text)
    own = tmp_path / "own"
    own.write_text("0::/a/b\n5:cpu,cpuacct:/x\n4:memory:/c\n")
    assert sorted(memory._containers(tmp_path, own)) == [500.0, 3000.0]
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:       7 kB\n")
    assert memory._linux(tmp_path) == 7168.0 and memory._linux(tmp_path / "none") is None
