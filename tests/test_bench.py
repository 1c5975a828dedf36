"""Benches still run; what they measure here means nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


LINES = {
    "startup": 3, "stages": 13, "vector": 1, "placement": 4, "accounts": 1, "features": 2, "coupled": 4, "sampling": 2, "memory": 3,
    "jobs": 1, "studies": 1, "reference": 7, "parts": 2,
    "replay": 11, "terms": 6, "traces": 2,
}  # fmt: skip


@pytest.mark.parametrize("name, lines", LINES.items())
def test_a_bench_runs_and_says_how_it_went(name: str, lines: int) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", name, "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if " goal " in line]
    assert len(told) == lines
    assert all(line.split()[-1] in ("ok", "short", "skipped") for line in told)


@pytest.mark.parametrize("name, rows", {"training": 1, "policies": 5, "sizes": 3, "maintenance": 1}.items())
def test_a_table_of_the_docs_is_printed(name: str, rows: int) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", name, "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [line[:2] for line in done.stdout.splitlines()] == ["| "] * rows


def test_an_unknown_bench_is_named() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "nothing"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "no bench 'nothing'; there are: startup" in done.stderr


def test_the_twins_and_their_kernels_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from bench.ratios import ratios

    for r in ratios(64, 1):
        assert r.apart <= (1.0 if r.stage == "quantiles" else 1e-9), r.stage


def test_the_whole_job_in_numpy_is_that_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from bench.whole import BOOK, check, front

    apart, quantiles, places = check(front.compile(front.load(BOOK)), 512)
    assert apart <= 1e-9 and quantiles <= 0.01 and len(places.cells.cells) > 20
