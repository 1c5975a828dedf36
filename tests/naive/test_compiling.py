"""The first run on a machine: works are shared out among processes, whoever is free takes the next, and one that dies is made up for."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core import config

from offtake import compiling, stages
from offtake.compiling import DONE, FUNCTION, Works, counting, share_out

SIZES = {"long": 5, "middle": 3, "short": 2, "least": 1}
WORKER = f"""
import sys, time
for line in sys.stdin:
    assert line.strip() in {list(SIZES)!r}
    for _ in range(4):
        print({FUNCTION!r}, flush=True)
    print({DONE!r}, flush=True)
"""
DIES = "import sys; sys.stdin.readline(); print('+', flush=True); sys.exit(3)"


def shared(command: str, others: int, here: Any) -> tuple[list[tuple[int, int]], list[str]]:
    """What is told as works are shared out among this process, where they are done by `here`, and others that run a text."""
    told: list[tuple[int, int]] = []
    said: list[str] = []
    works = Works(SIZES, lambda done, total, unit: told.append((done, total)))
    share_out(works, others, here, said.append, (sys.executable, "-c", command))
    return told, said


def test_all_is_done_once_by_the_others_and_the_count_rises_to_the_whole() -> None:
    mine: list[str] = []
    for others in (1, 3):
        told, said = shared(WORKER, others, mine.append)
        done = [d for d, _ in told]
        assert done == sorted(done) and told[0] == (1, 11) and told[-1] == (11, 11) and len(told) == 4 * len(SIZES) + len(SIZES)
    assert not mine and not said


def test_works_are_taken_longest_first_and_what_is_given_back_first_of_all() -> None:
    works = Works(SIZES, lambda done, total, unit: None)
    taken = [works.take() for _ in range(5)]
    assert taken == [*SIZES, None]
    works.give_back("short")
    assert works.take() == "short" and works.take() is None


def test_a_process_that_dies_is_told_and_its_work_is_done_here() -> None:
    mine: list[str] = []
    told, said = shared(DIES, 2, mine.append)
    assert sorted(mine) == sorted(SIZES) and told[-1] == (11, 11)
    assert said and all("status 3" in line and line.split(" compiled ")[1].split(" ended")[0] in SIZES for line in said)


def test_what_fails_here_ends_all() -> None:
    def fails(name: str) -> None:
        raise ValueError(name)

    with pytest.raises(ValueError, match=r"long|middle"):
        shared(DIES, 1, fails)


def test_alone_the_longest_comes_first() -> None:
    mine: list[str] = []
    told, _ = shared(WORKER, 0, mine.append)
    assert mine == list(SIZES) and told == [(5, 11), (8, 11), (10, 11), (11, 11)]


def test_a_worker_answers_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[Any] = []
    monkeypatch.setattr(compiling, "compile_here", lambda plan, names: did.append((plan, names)))
    said = io.StringIO()
    compiling.serve(["one", "two"], io.StringIO("placement\nworth\n"), said)  # type: ignore[arg-type]
    assert did == [(plan, [name]) for name in ("placement", "worth") for plan in ("one", "two")] and said.getvalue() == f"{DONE}\n{DONE}\n"


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="without compilation there is nothing to count")
def test_every_function_that_is_compiled_is_counted() -> None:
    found: list[int] = []

    @njit
    def below(x: float) -> float:
        return x + 1.0

    @njit
    def above(x: float) -> float:
        return below(x) * 2.0

    with counting(lambda: found.append(1)):
        assert above(1.0) == 4.0
    assert len(found) == 2
    above(np.float32(1.0))
    assert len(found) == 2


def test_works_are_named_for_all_kernels_of_a_run_the_longest_first() -> None:
    sizes = [size for _, size in stages.WORKS.values()]
    assert all(size > 0 for size in sizes) and next(iter(stages.WORKS)) == "shared commitments"


def test_where_no_process_can_be_started_all_is_done_here() -> None:
    mine: list[str] = []
    share_out(Works(SIZES, lambda done, total, unit: None), 2, mine.append, print, ("no such program at all",))
    assert mine == [*SIZES]


def test_as_many_processes_as_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "cores", lambda: 6)
    for room, many in ((None, 6), (1e12, 6), (2.5 * compiling.EACH, 2), (0.0, 1)):
        monkeypatch.setattr(compiling.memory, "free", lambda room=room: room)
        assert compiling.processes() == many


def test_a_worker_takes_no_module_of_the_folder_that_the_user_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numba.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert subprocess.run(compiling.worker(), input="", text=True, capture_output=True).returncode == 0


def test_nobody_is_told_of_a_process_that_was_ended() -> None:
    works = Works(SIZES, lambda done, total, unit: None)
    assert works.take() == "long" and works.give_back("long")
    works.close()
    assert works.take() is None and not works.give_back("long")
