"""Replays against published waits, against SimPy on the same jobs, and against their own size."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from offtake.fleet import Outcome, Pool, Rules, run_jobs
from offtake.fleet.known import LLAMA3, LLAMA3_SAVING
from offtake.fleet.machines import state_of
from offtake.fleet.outcome import outcome_of
from offtake.kernels import replay_state as k
from offtake.kernels.replay import replay
from offtake.traces import read_jobs

ROOT = Path(__file__).resolve().parents[1]
TRACES = next((up / "shared" / "traces" for up in ROOT.parents if (up / "shared" / "traces").is_dir()), ROOT.parent / "shared" / "traces")
ANCHORS = (("fifo", 10_000, 2847.9729), ("backfill", 10_000, 2478.19), ("fifo", None, 12748.6721))
SIZES = (1, 1, 1, 1, 1, 1, 2, 4, 8, 8, 16, 32)  # GPUs of an invented job, drawn evenly: 6.4 GPUs on average


class Timed(NamedTuple):
    """A replay and the processor seconds of its event loop."""

    outcome: Outcome
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.outcome.begun) / self.seconds


def timed(work: k.Jobs, pool: Pool, rules: Rules) -> Timed:
    """Run the event loop alone, once it is compiled."""
    state = state_of([pool], rules, work)
    start = time.thread_time()
    replay(work, state)
    return Timed(outcome_of([pool], rules, work, state), time.thread_time() - start)


def best(work: k.Jobs, pool: Pool, rules: Rules, times: int) -> Timed:
    """The fastest of several runs: others use this machine too."""
    return min((timed(work, pool, rules) for _ in range(times)), key=lambda t: t.seconds)


def racks(gpus: int) -> Pool:
    """Racks of 8 nodes of 8 GPUs, gangs in segments of a rack."""
    return Pool("racks", ((0.0, gpus),), node=8, domain=64, segment=64)


def itp(jobs: int | None = None) -> k.Jobs | None:
    """Jobs of itp2021, None where the trace is not here."""
    file = TRACES / "jobs_itp2021.parquet"
    if not file.exists():
        return None
    found = read_jobs(file).select(slice(jobs))
    submit, duration = (np.rint(x * 1000).astype(np.int64) for x in (found.submit_s, found.duration_s))
    return k.Jobs(submit, duration, found.gpus.astype(np.int32), np.zeros(1, np.int16), np.ones(1, np.int64))


def invented(jobs: int, gpus: int, load: float, seed: int = 1) -> k.Jobs:
    """Jobs that arrive at random: sizes of SIZES, run times of an hour on average (exponential), three classes."""
    rng = np.random.default_rng(seed)
    size = rng.choice(np.array(SIZES, np.int32), jobs)
    duration = rng.exponential(3_600_000.0, jobs).astype(np.int64)
    gap = float(np.mean(SIZES)) * 3_600_000.0 / (load * gpus)
    submit = np.cumsum(rng.exponential(gap, jobs)).astype(np.int64)
    return k.Jobs(submit, duration, size, rng.integers(0, 3, jobs).astype(np.int16), np.ones(1, np.int64))


EVERYTHING = Rules("priority", depth=1000, failures=LLAMA3, saving=LLAMA3_SAVING)


def anchors() -> dict[str, tuple[float, float]]:
    """Mean waits of itp2021 on 1,280 counted GPUs, and what they must be; empty where the trace is not here."""
    found = {}
    for policy, jobs, wanted in ANCHORS:
        work = itp(jobs)
        if work is not None:
            outcome = run_jobs(work, [Pool("one", ((0.0, 1280),))], Rules(policy, depth=10**9))
            found[f"{policy} of {jobs or len(outcome.begun):,} jobs"] = (float(outcome.wait_s().mean()), wanted)
    return found


def simpy_fifo(work: k.Jobs, gpus: int) -> tuple[float, float]:
    """Mean wait and seconds of a first-come gang queue in SimPy, which counts GPUs and places nothing. Raises ImportError."""
    import simpy  # type: ignore[import-untyped]

    env = simpy.Environment()
    free = simpy.Container(env, gpus, gpus)
    waits = []

    def job(length: int, size: int):  # type: ignore[no-untyped-def]
        came = env.now
        yield free.get(size)
        waits.append(env.now - came)
        yield env.timeout(length)
        yield free.put(size)

    def arrivals():  # type: ignore[no-untyped-def]
        for submit, length, size in zip(work.submit.tolist(), work.duration.tolist(), work.gpus.tolist(), strict=True):
            yield env.timeout(submit - env.now)
            env.process(job(length, size))

    env.process(arrivals())
    start = time.thread_time()
    env.run()
    return float(np.mean(waits)) / 1000, time.thread_time() - start


def large(jobs: int) -> tuple[float, float]:
    """Seconds of the event loop and peak MB of a process of its own that replays so many jobs."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.replay import *; import re, pathlib;"
        f"t = timed(invented({jobs}, 12_800, 0.7), racks(12_800), Rules());"
        "print(t.seconds, re.search(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    return float(told[0]), float(told[1]) / 1024


def by_command(jobs: int) -> tuple[float, float]:
    """CPU seconds and peak MB of `offtake replay` as a process of its own, from a Parquet file of so many jobs to the figures."""
    work = invented(jobs, 12_800, 0.7)
    with tempfile.TemporaryDirectory(prefix="offtake-") as folder:
        trace, pools = Path(folder) / "jobs.parquet", Path(folder) / "pools.yaml"
        times = {"submit_s": work.submit / 1000, "duration_s": work.duration / 1000}
        pl.DataFrame({"job_id": np.arange(jobs)} | times | {"gpus": work.gpus}).write_parquet(trace)
        pools.write_text("pools: {racks: {gpus: 12800, node: 8, domain: 64, segment: 64}}\n")
        code = (
            "import time, sys, re, pathlib; from offtake.cli import app; app(sys.argv[1:], standalone_mode=False);"
            "print(time.process_time(), re.search(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
        )
        ask = [sys.executable, "-c", code, "replay", "--trace", str(trace), "--pools", str(pools)]
        told = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()[-2:]
    return float(told[0]), float(told[1]) / 1024
