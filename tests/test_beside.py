"""Studies beside the ensemble, side by side: the same bits on any number of threads, each once, in no more blocks than threads."""

import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import offtake
from offtake import montecarlo, stages
from offtake.block import Block
from offtake.errors import QuestionError
from offtake.front import Run
from offtake.spread import in_order
from offtake.studies import beside, pace_panels, where
from offtake.studies.view import view
from offtake.studies.whatif import by_block


def run_of(workers: int, progress: Any = None) -> Run:
    return offtake.run(offtake.load("two-clouds"), paths=300, workers=workers, progress=progress)


@pytest.fixture(scope="module")
def alone() -> Any:
    return view(run_of(1))


@pytest.mark.parametrize("workers", [2, 5])
def test_the_report_does_not_know_the_threads(workers: int, alone: Any) -> None:
    assert repr(view(run_of(workers))) == repr(alone)


def test_one_worker_starts_no_thread(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert repr(view(run_of(1))) == repr(alone)
    with pytest.raises(AssertionError, match="a thread"):
        run_of(2).answers()


def test_each_study_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers alone take theirs, the report after them the others."""
    asked: list[str] = []

    def noted(name: str, study: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda a: (asked.append(name), study(a))[1]

    monkeypatch.setattr(beside, "STUDIES", {name: (told, noted(name, study)) for name, (told, study) in beside.STUDIES.items()})
    run = run_of(2)
    run.answers()
    assert sorted(asked) == sorted(beside.ANSWERED)
    view(run)
    run.answers()
    assert sorted(asked) == sorted(beside.STUDIES)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many blocks of two years or more there were at once, noted as each is made."""
    real, alive, found = stages.allocate, weakref.WeakSet[Block](), list[int]()

    def noted(plan: Any, lanes: int | None = None) -> Block:
        made = real(plan, lanes)
        if plan.months >= 24:
            alive.add(made)
            found.append(len(alive))
        return made

    monkeypatch.setattr(Block, "__hash__", object.__hash__, raising=False)
    monkeypatch.setattr(stages, "allocate", noted)
    return found


@pytest.mark.parametrize("workers", [2, 3])
def test_no_more_blocks_than_threads(workers: int, blocks: list[int]) -> None:
    """The ensemble's among them."""
    view(run_of(workers))
    assert 1 <= max(blocks) <= workers


def test_a_block_that_nobody_needs_is_let_go(blocks: list[int]) -> None:
    """Three threads: one is long in its first paths and another has done what followed them, then helps the third."""
    plan = run_of(1).plan

    def slow(b: Block) -> np.ndarray:
        time.sleep(0.0 if b.first else 0.3)
        return b.X[:1].copy()

    def short(b: Block) -> np.ndarray:
        time.sleep(0.02)
        return b.X[:1].copy()

    sizes = [values.shape for values in in_order(lambda job: by_block(plan, 1, *job, 3), [(128, slow), (1280, short)], 3)]
    assert sizes == [(1, 128), (1, 1280)] and len(blocks) >= 3 and max(blocks) == 3


def test_a_fault_comes_out_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(a: Any) -> Any:
        raise QuestionError("no such thing")

    monkeypatch.setitem(beside.STUDIES, "where", ("where workloads run", fault))
    for workers in (1, 2):
        with pytest.raises(QuestionError, match=r"^no such thing$"):
            run_of(workers).answers()


def test_a_run_is_looked_at_while_it_has_its_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pace and ranges read of the first paths is what they would compute; of a run in parts they compute it, and only there."""
    run, parts = run_of(2), run_of(2).at(None, tmp_path / "kept")
    anew = {name: look.values(run.plan, 1) for name, look in (("pace", pace_panels.looked(run)), ("where", where.looked(run)))}
    assert anew["pace"].shape[-1] == 300 and anew["where"].shape[-1] == 64
    for name, values in anew.items():
        assert np.array_equal(parts.findings.looks[name].values(run.plan, 1), values)
    assert run.findings.outcome.paths == 300
    told = list[int]()
    monkeypatch.setattr(montecarlo, "require_room", lambda plan, questions, futures, threads: told.append(futures.held))
    monkeypatch.delitem(vars(run), "findings")
    assert run.findings.looks.keys() == anew.keys() and told == [sum(values.nbytes for values in anew.values())]
    monkeypatch.setattr(stages, "follow", None)
    for name, values in anew.items():
        assert np.array_equal(run.findings.looks[name].values(run.plan, 1), values)
        assert run.findings.looks[name].size == values.nbytes


class Told:
    """All that a run tells, the stages of its studies and their steps."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.steps: list[tuple[int, int]] = []

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def step(self, done: int, total: int, unit: str = "paths") -> None:
        if unit == "studies":
            self.steps.append((done, total))


def test_what_is_being_done_is_told() -> None:
    told = Told()
    view(run_of(2, told))
    assert told.stages == ["finding ranges", "computing 300 paths", *(f"studies: {name}" for name, _ in beside.STUDIES.values())]
    assert told.steps == [(n, len(beside.STUDIES)) for n in range(len(beside.STUDIES))]
