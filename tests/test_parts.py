"""Runs in parts: the bits of one thread however the work is cut, files that are damaged, and a real Dask cluster that loses a worker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import offtake
from offtake import front, montecarlo, parts, spread, stages
from offtake.block import Block
from offtake.errors import ChunkError, ClusterError, QuestionError
from offtake.montecarlo import Futures
from offtake.parts import Place
from offtake.questions import Question, question

PATHS = 1_900  # seven units of 256 and a short one, where units are small


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of 256 paths in place of 4,096, so that a few paths are many units."""
    for room in (montecarlo, parts):
        monkeypatch.setattr(room, "UNIT", 1)
    monkeypatch.setattr(parts, "PATHS", montecarlo.CHUNK)


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    plan = front.compile(offtake.load("two-clouds"))
    whole = question(plan, "revenue", "contracts.north", "month")
    return [question(plan, "npv", "contracts.north"), replace(whole, keep=False), question(plan, "irr", "contracts.south")]


def bits(done: montecarlo.Outcome) -> list[np.ndarray]:
    """All figures of a run: sums, histograms by their quantiles, errors, kept scalars, inputs."""
    found = [done.inputs, done.clipped, np.array([w.error for w in done.identities]), np.array([w.path for w in done.identities])]
    for t in done.tallies:
        found += [t.count, t.share, t.mean, t.se, *t.quantiles.values(), *t.errors.values(), t.kept]
    return found


def same(a: montecarlo.Outcome, b: montecarlo.Outcome) -> bool:
    return a.paths == b.paths and all(np.array_equal(x, y, equal_nan=True) for x, y in zip(bits(a), bits(b), strict=True))


@pytest.mark.parametrize(("each", "workers"), [(1, 1), (2, 2), (7, 1), (7, 2)])
def test_any_cut_gives_the_bits_of_one_thread(
    small: offtake.Run, asked: list[Question], small_units: None, monkeypatch: pytest.MonkeyPatch, each: int, workers: int
) -> None:
    monkeypatch.setattr(parts, "MOST_UNITS", each)
    monkeypatch.setattr(parts, "SECONDS", 1e9)
    whole = montecarlo.run(small.plan, asked, PATHS, 1, 1)
    assert same(whole, parts.compute(small.plan, asked, Futures(PATHS, 1), Place(workers=workers)))


def shifted(b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
    """Every path is the next one's."""
    stages.fill(b, seed, first + 1, clipped)


def test_a_shifted_path_is_seen(small: offtake.Run, asked: list[Question], small_units: None) -> None:
    whole = montecarlo.run(small.plan, asked, PATHS, 1, 1)
    off = parts.compute(small.plan, asked, Futures(PATHS, 1, fill=shifted), Place(workers=1))
    assert not same(whole, off)
    assert all(not np.array_equal(a.mean, b.mean) for a, b in zip(whole.tallies, off.tallies))


class Interrupted(Exception):
    """A run that ends after some parts."""


def stop_after(monkeypatch: pytest.MonkeyPatch, count: int) -> list[tuple[int, int]]:
    """Let `count` parts be computed, then fail; returns the spans that were asked for."""
    spans: list[tuple[int, int]] = []
    compute = parts.compute_part

    def once(job: parts.Job, span: tuple[int, int]) -> bytes:
        if len(spans) == count:
            raise Interrupted
        spans.append(span)
        return compute(job, span)

    monkeypatch.setattr(parts, "compute_part", once)
    return spans


def test_an_interrupted_run_goes_on_from_its_finished_parts(
    small: offtake.Run, asked: list[Question], small_units: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_UNITS", 2)
    monkeypatch.setattr(parts, "SECONDS", 1e9)
    place = Place(folder=tmp_path / "kept", workers=1)
    with monkeypatch.context() as once:
        stop_after(once, 2)
        with pytest.raises(Interrupted):
            parts.compute(small.plan, asked, Futures(PATHS, 1), place)
    assert [f.name for f in sorted(tmp_path.rglob("*.part"))] == ["units-0000000-0000002.part", "units-0000002-0000004.part"]
    with monkeypatch.context() as again:
        spans = stop_after(again, 99)
        done = parts.compute(small.plan, asked, Futures(PATHS, 1), place)
    assert spans == [(4, 6), (6, 8)]
    assert same(montecarlo.run(small.plan, asked, PATHS, 1, 1), done)
    assert not (tmp_path / "kept").exists()  # a whole run needs its parts no more


def damaged(small: offtake.Run, asked: list[Question], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Place]:
    """A folder with one finished part."""
    place = Place(folder=tmp_path, workers=1)
    with monkeypatch.context() as once:
        once.setattr(parts, "MOST_UNITS", 2)
        stop_after(once, 1)
        with pytest.raises(Interrupted):
            parts.compute(small.plan, asked, Futures(PATHS, 1), place)
    return next(tmp_path.rglob("*.part")), place


@pytest.mark.parametrize("kind", ["short", "flipped", "foreign", "head"])
def test_a_damaged_file_is_named(
    small: offtake.Run, asked: list[Question], small_units: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file, place = damaged(small, asked, tmp_path, monkeypatch)
    raw = bytearray(file.read_bytes())
    body = len(raw) - raw.index(b"\n", len(parts.MAGIC)) - 1
    if kind == "short":
        raw = raw[:-100]
    elif kind == "flipped":
        raw[-50] ^= 4
    elif kind == "foreign":
        at = raw.index(b'"key": "') + 8
        raw[at : at + 4] = b"0000" if raw[at : at + 4] != b"0000" else b"1111"
    else:
        raw = raw[:40]
    file.write_bytes(bytes(raw))
    with pytest.raises(ChunkError) as caught:
        parts.compute(small.plan, asked, Futures(PATHS, 1), place)
    sentence = {
        "short": f"{file} is cut short: {body - 100:,} of {body:,} bytes are there",
        "flipped": f"{file} has been changed: its bytes do not have the checksum in its head",
        "foreign": f"{file} belongs to another run: another book, seed, number of paths or version",
        "head": f"{file} is no file of finished chunks, or its head is damaged",
    }[kind]
    assert str(caught.value) == f"{sentence}; delete {file}: its paths are then computed again"
    assert file.exists()  # nothing is thrown away unasked
    file.unlink()
    assert same(montecarlo.run(small.plan, asked, PATHS, 1, 1), parts.compute(small.plan, asked, Futures(PATHS, 1), place))


def test_another_run_keeps_its_parts_elsewhere(small: offtake.Run, asked: list[Question]) -> None:
    """Seed, paths, questions, book and sampler are all in the key."""
    ranges, _ = montecarlo.pilot_ranges(small.plan, asked, Futures(64, 1), 1, montecarlo.Silent())
    job = parts.Job(small.plan, tuple(asked), Futures(PATHS, 1), ranges, parts.code())
    others = [
        replace(job, futures=Futures(PATHS, 2)), replace(job, futures=Futures(PATHS + 1, 1)), replace(job, questions=tuple(asked[:2])),
        replace(job, plan=front.compile(offtake.load("two-clouds"), sampler="random")), replace(job, code="older"),
        replace(job, plan=front.compile(offtake.load("two-clouds", set=["contracts.north.take_or_pay=0.9"]))),
    ]  # fmt: skip
    assert len({job.key, *(other.key for other in others)}) == 7
    assert replace(job).key == job.key


def test_a_worker_of_another_version_is_refused(small: offtake.Run, asked: list[Question]) -> None:
    ranges, _ = montecarlo.pilot_ranges(small.plan, asked, Futures(64, 1), 1, montecarlo.Silent())
    job = parts.Job(small.plan, tuple(asked), Futures(PATHS, 1), ranges, "offtake 0.0.9, text 000000000000")
    with pytest.raises(ChunkError) as caught:
        parts.compute_part(job, (0, 1))
    assert str(caught.value) == (
        f"a worker runs {parts.code()}, and the run offtake 0.0.9, text 000000000000: install the same version on every worker"
    )


def test_what_a_part_cannot_be(small: offtake.Run, tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="--until computes on this machine alone"):
        offtake.run(small.plan.book, until="npv of contracts.north within 1 %", cluster="tcp://127.0.0.1:1")
    place = Place(folder=tmp_path / "file" / "kept", workers=1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ChunkError, match="finished chunks could not be written"):
        parts.compute(small.plan, [question(small.plan, "npv", "contracts.north")], Futures(64, 1), place)


# A real scheduler and real workers on this machine. Processes are ended by their own numbers.


class Cluster:
    """A scheduler and workers in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, []
        self._file = folder / "scheduler.json"
        words = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
        self.scheduler = self._start([*words, "--scheduler-file", str(self._file)])
        for _ in range(300):
            if self._file.exists() and self._file.read_text().strip():
                break
            time.sleep(0.1)
        import json

        self.address = json.loads(self._file.read_text())["address"]

    def _start(self, words: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def join(self) -> None:
        words = ["-m", "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        self.workers.append(self._start([*words, "--host", "127.0.0.1", "--local-directory", str(self.folder)]))

    def close(self) -> None:
        for process in [*self.workers, self.scheduler]:
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    found = Cluster(tmp_path)
    yield found
    found.close()


class Eventful:
    """Does something once a number of paths is in."""

    def __init__(self, at: int, event: object) -> None:
        self.at, self.event, self.seen = at, event, []

    def stage(self, name: str) -> None:
        """Nothing."""

    def step(self, done: int, total: int, unit: str = "paths") -> None:
        if unit == "paths" and total > montecarlo.PILOT:
            self.seen.append(done)
            if done >= self.at and self.event is not None:
                event, self.event = self.event, None
                event()  # type: ignore[operator]


def test_a_worker_lost_and_one_gained_change_no_bit(cluster: Cluster, small: offtake.Run, tmp_path: Path) -> None:
    """Three workers; after the first part one is killed outright and a fourth joins."""
    for _ in range(3):
        cluster.join()
    q = question(small.plan, "npv", "contracts.north")

    def lose_one() -> None:
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        cluster.join()

    tell = Eventful(1, lose_one)
    futures = Futures(6 * parts.PATHS - 700, 1)
    done = parts.compute(small.plan, [q], futures, Place(cluster.address, tmp_path / "kept"), tell)
    assert tell.event is None and cluster.workers[0].wait(10) == -signal.SIGKILL and len(cluster.workers) == 4
    assert tell.seen == sorted(tell.seen) and tell.seen[-1] == futures.count
    assert same(montecarlo.run(small.plan, [q], futures.count, 1), done)


def test_a_lost_scheduler_leaves_a_run_that_goes_on(cluster: Cluster, small: offtake.Run, tmp_path: Path) -> None:
    cluster.join()
    q = question(small.plan, "npv", "contracts.north")
    futures, place = Futures(4 * parts.PATHS, 1), Place(cluster.address, tmp_path / "kept")
    tell = Eventful(1, lambda: os.kill(cluster.scheduler.pid, signal.SIGKILL))
    with pytest.raises(ClusterError) as caught:
        parts.compute(small.plan, [q], futures, place, tell)
    assert f"the cluster at {cluster.address} was lost after 4,096 of 16,384 paths" in str(caught.value)
    assert f"they are in {place.folder}: the same command with --resume goes on from there" in str(caught.value)
    here = Eventful(1, None)
    done = parts.compute(small.plan, [q], futures, Place(folder=place.folder), here)
    assert here.seen[0] >= 2 * parts.PATHS
    assert same(montecarlo.run(small.plan, [q], futures.count, 1), done)


def test_no_scheduler_and_no_worker_are_sentences(cluster: Cluster, small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "PATIENCE", 2.0)
    q = question(small.plan, "npv", "contracts.north")
    for address, sentence in (
        ("tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
        ("nowhere", "no Dask scheduler answers at nowhere"),
        (cluster.address, "no worker has joined the scheduler within 2 seconds; start one with `dask worker`"),
    ):
        with pytest.raises(ClusterError) as caught:
            parts.compute(small.plan, [q], Futures(64, 1), Place(address))
        assert sentence in str(caught.value)


def test_a_part_that_comes_twice_counts_once(small: offtake.Run, asked: list[Question], small_units: None) -> None:
    """A worker that was thought lost may still answer."""
    ranges, _ = montecarlo.pilot_ranges(small.plan, asked, Futures(PATHS, 1), 1, montecarlo.Silent())
    job = parts.Job(small.plan, tuple(asked), Futures(PATHS, 1), ranges, parts.code())
    part = parts.from_bytes(parts.compute_part(job, (0, 2)), job, "a part", job.key)
    once, twice = parts.Merged(job), parts.Merged(job)
    once.add(part)
    for _ in range(2):
        twice.add(part)
    assert once.paths == twice.paths == 512
    assert np.array_equal(once.total, twice.total) and np.array_equal(once.counts.whole, twice.counts.whole)
    assert once.unsolved == twice.unsolved and np.array_equal(once.clipped, twice.clipped)
