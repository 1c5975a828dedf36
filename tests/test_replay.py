"""Replays of real traces against published figures, and what a person gets to see."""

from __future__ import annotations

import json
import math
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import BookError, QuestionError
from offtake.fleet import Failures, Outage, Outcome, Pool, Rules, Saving, run_jobs
from offtake.fleet.ask import Asked, replay_pools
from offtake.fleet.events import Span, sizes, spans, standing
from offtake.fleet.fleets import Fleet, stints
from offtake.fleet.known import BY_CAUSE, INTERRUPTIONS, LLAMA3
from offtake.fleet.outcome import BINS
from offtake.fleet.text import load_pools, seconds
from offtake.fleet.work import largest_gang, whole_ms
from offtake.kernels import replay_state as k
from offtake.kernels.replay_stays import daly_interval
from offtake.reports.timeline import MOST_TICKS, chosen, stacked, ticks, timeline, tops
from offtake.traces import Jobs, TraceError, read_jobs
from offtake.traces.load import load_of
from tests.shared import SHARED

TRACES = SHARED / "traces"
HOUR_MS = 3_600_000


def trace(name: str) -> Path:
    file = TRACES / f"jobs_{name}.parquet"
    if not file.exists():
        pytest.skip("the traces of ../shared are not here")
    return file


def work_of(submit: list[float], duration: list[float], gpus: list[int]) -> k.Jobs:
    """Jobs from hours."""
    return k.Jobs(
        np.array(np.rint(np.array(submit) * HOUR_MS), np.int64), np.array(np.rint(np.array(duration) * HOUR_MS), np.int64),
        np.array(gpus, np.int32), np.zeros(1, np.int16), np.ones(1, np.int64),
    )  # fmt: skip


def counted(name: str, jobs: int | None, policy: str, depth: int = 10**9) -> Outcome:
    found = read_jobs(trace(name)).select(slice(jobs))
    work = k.Jobs(
        np.rint(found.submit_s * 1000).astype(np.int64), np.rint(found.duration_s * 1000).astype(np.int64), found.gpus.astype(np.int32),
        np.zeros(1, np.int16), np.ones(1, np.int64),
    )  # fmt: skip
    return run_jobs(work, [Pool("one", ((0.0, 1280),))], Rules(policy, depth))


@pytest.mark.parametrize(
    ("jobs", "policy", "wait"),
    [(10_000, "fifo", 2847.9729), (10_000, "backfill", 2478.19), (None, "fifo", 12748.6721)],
    ids=["fifo of 10,000", "exact EASY of 10,000", "fifo of all"],
)
def test_mean_waits_of_itp2021(jobs: int | None, policy: str, wait: float) -> None:
    """Figures on which five programs agree (shared/traces/README.md); EASY with unlimited depth."""
    digits = len(str(wait).split(".")[1])
    assert round(float(counted("itp2021", jobs, policy).wait_s().mean()), digits) == wait


def test_useful_hours_are_those_of_the_trace() -> None:
    assert counted("itp2021", None, "fifo").to_dict()["bins"]["useful"]["gpu_h"] == pytest.approx(1_632_719.7, abs=0.05)


def test_a_day_by_hand() -> None:
    """8 GPUs in nodes of 4: 3 and 2 GPUs share nothing of size, the gang of 8 waits for both, a gang of 5 takes two nodes.

    0-2 h: 3 + 2 GPUs held, 3 free while the gang of 8 assembles (from 1 h; before that no demand). 2-3 h: 2 held, 6 free.
    3-4 h: 8 held. 4-5 h: 5 asked, 8 held.
    """
    work = work_of([0, 0, 1, 1], [2, 3, 1, 1], [3, 2, 8, 5])
    found = run_jobs(work, [Pool("p", ((0.0, 8),), node=4, domain=8)], Rules())
    hours = {name: row["gpu_h"] for name, row in found.to_dict()["bins"].items() if row["gpu_ms"]}
    assert hours == {"useful": 6 + 6 + 8 + 5, "fragmentation": 3, "assembling": 3 + 6, "no_demand": 3}
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 3, 4]


def test_fragmentation_by_hand() -> None:
    """Two racks of two trays of 4; one tray of each is taken: 8 GPUs are free, and a gang of 8 that must share a rack waits."""
    work = work_of([0, 0, 0, 1], [1, 3, 3, 1], [8, 4, 4, 8])
    rack = Pool("p", ((0.0, 16),), node=4, domain=8, segment=8)
    found = run_jobs(work, [rack], Rules())
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 0, 1]  # the two trays fill one rack: best fit
    apart = work_of([0, 0, 0, 0, 1], [1, 3, 1, 3, 1], [4, 4, 4, 4, 8])
    found = run_jobs(apart, [rack], Rules())
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 0, 0, 3]
    assert found.to_dict()["bins"]["fragmentation"]["gpu_h"] == 8 * 2
    soft = Pool("p", ((0.0, 16),), node=4, domain=8, segment=8, slowdown=0.25)
    found = run_jobs(apart, [soft], Rules())
    told = found.to_dict()
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 0, 0, 1] and found.ended[4] / HOUR_MS == 2.25
    assert told["spread_out"] == 1 and told["bins"]["slowdown"]["gpu_h"] == 8 * 0.25


def test_what_is_free_beside_the_head_counts_all_that_end_with_it() -> None:
    """5 GPUs, 2 + 2 held until 2 h; the gang of 3 is promised 2 h, when 5 come free: a long job of 1 GPU fits beside it and starts."""
    work = work_of([0, 0, 0.25, 0.5], [2, 2, 1, 10], [2, 2, 3, 1])
    found = run_jobs(work, [Pool("p", ((0.0, 5),))], Rules("backfill"))
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 2, 0.5]


def bin_hours(found: Outcome) -> dict[str, float]:
    return {name: row["gpu_h"] for name, row in found.to_dict()["bins"].items() if row["gpu_ms"]}


@pytest.mark.parametrize("node", [1, 4])
def test_an_outage_by_hand(node: int) -> None:
    """16 GPUs; from 1 h to 3 h the last 8 have no power. The gang of 12 loses its hour and starts again when power returns, since it
    fits no earlier; 8 GPUs stand dark for 2 h, the other 8 idle while the gang waits."""
    work = work_of([0], [4], [12])
    found = run_jobs(work, [Pool("p", ((0.0, 16),), node, outages=(Outage(3600.0, 7200.0, 8),))], Rules())
    assert bin_hours(found) == {"useful": 48, "lost_work": 12, "power": 16, "assembling": 16, "no_demand": 4 * 5}
    assert found.ended[0] / HOUR_MS == 7 and found.stops[0] == 1


@pytest.mark.parametrize(("node", "leaves"), [(1, 1), (4, 0)])
def test_a_pool_that_shrinks_by_hand(node: int, leaves: int) -> None:
    """16 GPUs, from 2 h on 8: that is planned, so the gang that leaves (the newest; with nodes the one on the last, which were taken
    first) keeps what it did, waits for the other and goes on; nothing is dark."""
    work = work_of([0, 0], [3, 3], [8, 8])
    found = run_jobs(work, [Pool("p", ((0.0, 16), (7200.0, 8)), node)], Rules())
    assert bin_hours(found) == {"useful": 48}
    assert found.ended[leaves] / HOUR_MS == 4 and found.ended[1 - leaves] / HOUR_MS == 3 and found.stops[leaves] == 1
    assert found.ready.sum() == (16 * 2 + 8 * 2) * HOUR_MS


def test_a_repair_goes_on_in_the_dark() -> None:
    """Everything breaks at once and is mended within hours, while power is away for a day: repairs end, then no power; it adds up."""
    failures = Failures(40.0, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (1.0,) * 6, (0.0,) * 6, 0.0, "made up")
    pool = Pool("p", ((0.0, 16),), 4, 8, outages=(Outage(7200.0, 86_400.0, 16),))
    hours = bin_hours(run_jobs(work_of([0, 48], [1, 1], [1, 1]), [pool], Rules(failures=failures, until=26 * 3600.0)))
    assert 0 < hours["repair"] < 16 * 3 and hours["power"] > 16 * 23
    assert sum(hours.values()) == 16 * 26 and set(hours) <= {"power", "repair", "useful", "lost_work", "no_demand", "assembling"}


def flexible(work: k.Jobs, least: list[int] | None = None, latest: list[float] | None = None, serves: list[int] | None = None) -> k.Jobs:
    """Jobs from hours, with their terms."""
    n = len(work.submit)
    rows = (work.gpus if least is None else least, [-1] * n if latest is None else np.array(latest) * HOUR_MS, serves or [0] * n)
    return work._replace(terms=np.stack([np.array(row, np.int64) for row in rows], axis=1))


def test_an_elastic_job_by_hand() -> None:
    """8 GPUs. An elastic job (2 to 8 GPUs, 4 h on 8) holds all; at 1 h a gang of 6 comes for 1 h: the job goes on with 2, a quarter as
    fast. At 2 h it grows back: 8 + 2 of 32 GPU-h are done, 22 are left: 2.75 h on 8. Nothing is lost: 38 GPU-h useful, none idle.

    With a restart of 3 h and the gang there for 12 h: at 13 h a quarter of the 12 h on 2 GPUs is left; to grow would take 3.75 h more."""
    work = flexible(work_of([0, 1], [4, 1], [8, 6]), least=[2, 6])
    found = run_jobs(work, [Pool("p", ((0.0, 8),))], Rules())
    assert (found.ended / HOUR_MS).tolist() == [4.75, 2] and bin_hours(found) == {"useful": 38}
    assert found.counts["resized"] == 2 and found.stops.sum() == 0
    work = flexible(work_of([0, 1], [4, 12], [8, 6]), least=[2, 6])
    slow = run_jobs(work, [Pool("p", ((0.0, 8),))], Rules(saving=Saving(0.0, 3.0 * 3600)))
    assert (slow.ended / HOUR_MS).tolist() == [1 + 3 + 12, 13] and slow.counts["resized"] == 1


def test_an_elastic_job_starts_on_what_is_free() -> None:
    """Racks of 2 trays of 4, one tray taken for 2 h: a job of 4 to 16 GPUs takes the three free ones at once, and the last one later."""
    work = flexible(work_of([0, 0], [2, 3], [4, 16]), least=[4, 4])
    found = run_jobs(work, [Pool("p", ((0.0, 16),), node=4, domain=8)], Rules())
    assert found.begun.tolist() == [0, 0] and found.ended[1] / HOUR_MS == 2 + (48 - 24) / 16
    assert bin_hours(found) == {"useful": 8 + 48}


def test_jobs_put_off_by_hand() -> None:
    """8 GPUs, 6 held for 5 h. Two jobs of 2 may wait until 3 h and 9 h: with them more than 80 % is held, so the first starts at 3 h
    because its time has come, the other at 5 h when load is low. While only they wait, what is free counts as put off."""
    work = flexible(work_of([0, 0, 0], [5, 1, 1], [6, 2, 2]), latest=[-1 / HOUR_MS, 3, 9])
    found = run_jobs(work, [Pool("p", ((0.0, 8),))], Rules())
    assert (found.begun / HOUR_MS).tolist() == [0, 3, 5]
    assert bin_hours(found) == {"useful": 34, "put_off": 2 * 3 + 2 * 1, "no_demand": 6}
    early = run_jobs(work, [Pool("p", ((0.0, 8),))], Rules(low=1.0))
    assert (early.begun / HOUR_MS).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("how", "unmet", "ended"), [("preempt", 0.0, 5.0), ("wait", 8.0, 3.0)])
def test_a_fleet_that_grows_back_by_hand(how: str, unmet: float, ended: float) -> None:
    """8 GPUs, replicas of 4: one from 0 to 1 h, two from 2 h to 4 h; a job of 8 x 2 h comes at 1 h. Preempted, it does an hour before and
    one after; else the fleet goes without its 8 GPU-h until 3 h, and gets the last hour."""
    fleet = Fleet("chat", 4, (1, 0, 2, 2, 0, 0), 3600.0)
    found = run_jobs(work_of([1], [2], [8]), [Pool("p", ((0.0, 8),))], Rules(fleets=how, serving=(fleet,), until=6 * 3600.0))
    told = found.inference()["chat"]
    assert told == {"asked_gpu_h": 4 + 16, "unmet_gpu_h": unmet}
    assert found.ended[found.source == 0] / HOUR_MS == ended
    assert found.to_dict()["jobs"] == 1 and found.to_dict()["finished"] == 1
    assert bin_hours(found)["useful"] == 16 + 20 - unmet


def test_stints_are_those_of_the_profile() -> None:
    """Replica n is there when the load asks for n: the sums of stints are those of the profile, whatever its shape."""
    rng = np.random.default_rng(3)
    wanted = tuple(int(n) for n in rng.integers(0, 7, 24))
    rows = stints(Fleet("f", 8, wanted, 3600.0), 50 * 3600.0)
    for hour in range(50):
        on = (rows[:, 0] <= hour * 3600) & (rows[:, 0] + rows[:, 1] > hour * 3600)
        assert on.sum() == wanted[hour % 24]


def test_the_load_of_a_request_trace(tmp_path: Path) -> None:
    file = tmp_path / "requests.parquet"
    at = [0.0, 10.0, 3599.0, 3600.0, 7300.0]
    table = {"trace": ["a"] * 5, "arrival_s": at, "input_tokens": [100] * 5, "output_tokens": [10, 20, 30, 40, 50]}
    pl.DataFrame(table).write_parquet(file)
    assert load_of(file, None, 0.0, 3600.0).tokens == (60 / 3600, 40 / 3600)  # the third hour is not whole
    assert load_of(file, "a", 0.1, 3600.0).tokens == (90 / 3600, 50 / 3600)
    assert load_of(file, None, 0.0, 10_000.0).tokens == (150 / 7300,)
    with pytest.raises(TraceError, match=r"requests\.parquet holds a, not b"):
        load_of(file, "b", 0.0, 3600.0)


@pytest.mark.parametrize("policy", ["fifo", "sjf"])
def test_inference_stands_before_all_jobs(policy: str) -> None:
    """8 GPUs held until 2 h; a job of half an hour and a replica wait from 1 h on: the replica is first under every policy."""
    fleet = Fleet("chat", 8, (0, 1, 1, 1, 0), 3600.0)
    rules = Rules(policy, fleets="wait", serving=(fleet,), until=5 * 3600.0)
    found = run_jobs(work_of([0, 1], [2, 0.5], [8, 8]), [Pool("p", ((0.0, 8),))], rules)
    assert (found.begun[found.source >= 0] / HOUR_MS).tolist() == [0, 4]
    assert found.inference()["chat"] == {"asked_gpu_h": 24, "unmet_gpu_h": 8}


@pytest.mark.parametrize(
    ("price", "hours", "moves"), [(2.0, 0.0, True), (3.2, 0.0, True), (3.3, 0.0, False), (2.6, 0.5, True), (2.7, 0.5, False)]
)
def test_a_move_that_pays_by_hand(price: float, hours: float, moves: bool) -> None:
    """A gang of 8 (4 h) waits in the first pool until 4 h; from 1.5 h on there is room in the second. At 2 USD a GPU-hour of waiting it
    gains 2 x 2.5 h; the second pool costs (its price - 2) x 4 h: it moves below 3.25 USD.

    A move of half an hour gains 2 x 2 h and costs half an hour more there: it moves below 2.67 USD."""
    pools = [Pool("a", ((0.0, 8),), price=2.0), Pool("b", ((0.0, 4), (5400.0, 8)), price=price)]
    work = work_of([0, 1], [4, 4], [8, 8])._replace(allow=np.array([1, 3]))
    found = run_jobs(work, pools, Rules(value=2.0, move=hours * 3600))
    assert found.begun[1] / HOUR_MS == (1.5 if moves else 4)
    assert bin_hours(found).get("not_worth", 0) == (0 if moves else 8 * 2.5)
    assert found.usd() == pytest.approx(32 * 2.0 + (32 + 8 * hours) * price if moves else 64 * 2.0)


def test_daly_beats_its_neighbours() -> None:
    """The interval of Daly's equation 37 wastes least by his own whole cost (equation 20), within a tenth of a percent."""

    def waste(tau: float, save: float, mean: float) -> float:
        return mean * float(np.expm1((tau + save) / mean)) / tau

    for save, mean in ((30.0, 11_135.0), (300.0, 11_135.0), (300.0, 900.0)):
        best = min(waste(tau, save, mean) for tau in np.geomspace(1.0, 10 * mean, 20_001))
        assert waste(float(daly_interval(save, mean)), save, mean) <= best * (1.001 if save < mean / 10 else 1.01)
    assert daly_interval(10.0, 4.0) == 4.0


def test_causes_of_llama3_add_up() -> None:
    assert sum(BY_CAUSE.values()) == INTERRUPTIONS and sum(LLAMA3.shares) == pytest.approx(1.0, abs=1e-12)
    assert pytest.approx(4.735e-4, rel=1e-3) == LLAMA3.rate


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_more_than_nine_tenths_of_llama3s_time_was_training(seed: int) -> None:
    """16,384 GPUs for 54 days, 1,024 more as spares: the paper says more than 90 % effective, 419 interruptions (3 standard deviations)."""
    work = work_of([0], [54 * 24], [16_384])
    pool = Pool("cluster", ((0.0, 17_408),), node=8, domain=8, spares=1_024)
    found = run_jobs(work, [pool], Rules(failures=LLAMA3, saving=Saving(30.0, 300.0), until=54 * 86_400.0, seed=seed)).to_dict()
    effective = found["bins"]["useful"]["gpu_h"] / (16_384 * 54 * 24)
    assert 0.90 < effective < 0.95
    assert abs(found["interruptions"] - 419) < 3 * 419**0.5


def test_availability_is_that_of_a_renewal() -> None:
    """Units fail at a rate while up and take a lognormal time to mend: up time over the whole is 1 / (1 + rate x mean repair)."""
    failures = Failures(0.5, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), (6.0,) * 6, (0.5,) * 6, 0.0, "made up")
    late = work_of([0, 24 * 200], [1, 1], [1, 1])
    told = run_jobs(late, [Pool("p", ((0.0, 4_000),), node=4, domain=16)], Rules(failures=failures, until=200 * 86_400.0)).to_dict()
    mean = 6 / 24 * float(np.exp(0.5**2 / 2))
    assert told["availability"] == pytest.approx(1 / (1 + 4 * 0.5 * mean), abs=0.004)  # a node of 4 fails four times as often


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (4, 0.8), (16, 0.9)])
def test_waits_of_single_gpu_jobs_are_erlangs(servers: int, load: float) -> None:
    """M/M/c: mean wait = C(c, a) / (c mu - lambda), from 400,000 jobs."""
    rng = np.random.default_rng(servers)
    n = 400_000
    submit = np.cumsum(rng.exponential(1 / (load * servers), n))
    work = work_of(list(submit), list(rng.exponential(1.0, n)), [1] * n)
    found = run_jobs(work, [Pool("p", ((0.0, servers),))], Rules())
    busy = servers * load
    terms = np.cumprod([1.0, *(busy / i for i in range(1, servers + 1))])
    queued = terms[-1] / (1 - load) / (terms[:-1].sum() + terms[-1] / (1 - load))
    wanted = queued / (servers - busy)
    batches = found.wait_s()[40_000:].reshape(40, -1).mean(axis=1) / 3600
    assert abs(batches.mean() - wanted) < 4 * batches.std(ddof=1) / 40**0.5
    assert found.to_dict()["occupancy"] == pytest.approx(load, abs=0.01)


def test_largest_gang() -> None:
    assert largest_gang(Pool("a", ((0.0, 100),), spares=3)) == 97
    assert largest_gang(Pool("a", ((0.0, 144),), 4, 72, 64)) == 136  # two segments of 64; of the rest 8 lie in one domain
    assert largest_gang(Pool("a", ((0.0, 144),), 4, 72, 64, slowdown=0.1)) == 144


def written(folder: Path, text: str) -> Path:
    file = folder / "pools.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_pools_are_read(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "pools:\n  a: {gpus: 144, node: 4, domain: 72, segment: 64, spares: 8, chip: GB300}\n  b: {gpus: 10}\n"
        "checkpoint: {write: 1 min, restart: 5 min}\nmove: never\n",
    )
    pools, rules = load_pools(file)
    assert pools == [Pool("a", ((0.0, 144),), 4, 72, 64, 8, None, "GB300"), Pool("b", ((0.0, 10),))]
    assert rules.saving == Saving(60.0, 300.0) and rules.move is None
    text = "pools: {a: {gpus: {0 h: 16, 1 h: 32, 2 days: 0}, node: 8}}\noutages: [{pool: a, at: 90 min, length: 1 h, gpus: 8}]\n"
    (pool,), _ = load_pools(written(tmp_path, text))
    assert pool.gpus == ((0.0, 16), (3600.0, 32), (172_800.0, 0)) and pool.outages == (Outage(5400.0, 3600.0, 8),)
    assert seconds("1.5 h") == 5400.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "pools:\n  a: {gpus: 1281, node: 8}\n",
            "pools.yaml:2:13  pools.a.gpus\n  got   1281\n  rule  whole nodes of 8 GPUs (R-01)\n  fix   round to a multiple of node",
        ),
        (
            "pools:\n  a: {gpus: many}\n",
            "pools.yaml:2:13  pools.a.gpus\n  got   'many'\n  rule  a whole number of GPUs, above 0\n"
            "  fix   write the number alone: gpus: 1280",
        ),
        (
            "pools:\n  a: {gpus: 8, nodes: 8}\n",
            "pools.yaml:2:16  pools.a.nodes\n  got   'nodes'\n  rule  one of gpus, node, domain, segment, spares, slowdown, chip, price\n"
            "  fix   mind the spelling",
        ),
        (
            "pools:\n  a: {gpus: 8}\ncheckpoint: {write: 60}\n",
            "pools.yaml:3:21  checkpoint.write\n  got   '60'\n  rule  a length of time with its unit: s, min, h, days\n"
            "  fix   write 60 s or 12 h",
        ),
        (
            "pools:\n  a: {gpus: {1 h: 8}}\n",
            "pools.yaml:2:13  pools.a.gpus\n  got   steps\n  rule  the first step is at 0 h, and some step is above 0\n"
            "  fix   gpus: {0 h: 640, 30 days: 1280, 60 days: 320}",
        ),
        (
            "pools:\n  a: {gpus: 8, node: 4}\noutages: [{pool: a, at: 0 h, length: 1 h, gpus: 6}]\n",
            "pools.yaml:3:49  outages.1.gpus\n  got   6\n  rule  whole nodes of 4 GPUs, at most the 8 of the pool\n"
            "  fix   write how many of the pool's last GPUs lose power",
        ),
        (
            "\n",
            "pools.yaml:1:1\n  got   an empty file\n  rule  pools: {main: {gpus: 1280, node: 8, domain: 72, segment: 64, spares: 0}}\n"
            "  fix   write the pools",
        ),
    ],
    ids=["half a node", "no number", "a typo", "no unit", "a late step", "half a node dark", "nothing"],
)
def test_faults_of_pools(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BookError) as caught:
        load_pools(written(tmp_path, text))
    assert [issue.to_text() for issue in caught.value.issues] == [message]


def jobs_file(folder: Path, rows: str) -> Path:
    file = folder / "jobs.csv"
    file.write_text("job_id,submit_s,duration_s,gpus,pool,priority\n" + rows, encoding="utf-8")
    return file


def command(*words: str | Path) -> tuple[int, str, Exception | None]:
    done = CliRunner().invoke(app, ["replay", *map(str, words)])
    return done.exit_code, done.stdout, done.exception if isinstance(done.exception, Exception) else None


def test_json_has_what_it_promises(tmp_path: Path) -> None:
    jobs = jobs_file(tmp_path, "1,0,3600,8,a,0\n2,60,3600,4,b,1\n3,120,60,12,b,0\n")
    pools = written(tmp_path, "pools: {a: {gpus: 8}, b: {gpus: 16, node: 4}}")
    code, out, _ = command("--trace", jobs, "--pools", pools, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["jobs"] == 3 and {"mean_wait_s", "p50_wait_s", "p95_wait_s", "makespan_s", "occupancy", "goodput", "bins"} <= set(found)
    assert sum(b["gpu_ms"] for b in found["bins"].values()) == round(found["ready_gpu_h"] * HOUR_MS)
    code, text, _ = command("--trace", jobs, "--pools", pools)
    assert code == 0 and "3 jobs of jobs.csv, policy fifo." in text and "idle: no demand" in text


def test_terms_of_a_trace(tmp_path: Path) -> None:
    """min_gpus and latest_s are read where stated; what cannot be is named."""
    file = tmp_path / "jobs.csv"
    file.write_text("job_id,submit_s,duration_s,gpus,min_gpus,latest_s\n1,0,60,8,2,\n2,5,60,8,,90\n3,6,60,4,,\n", encoding="utf-8")
    found = read_jobs(file)
    assert found.least is not None and found.latest_s is not None
    assert found.least.tolist() == [2, 8, 4] and found.latest_s.tolist() == [-1, 90, -1]
    assert found.select(slice(1, 3)).smallest.tolist() == [8, 4]
    file.write_text("job_id,submit_s,duration_s,gpus,min_gpus,latest_s\n1,0,60,8,9,\n2,5,60,8,,4\n", encoding="utf-8")
    with pytest.raises(TraceError) as caught:
        read_jobs(file)
    places = [(issue.line, issue.column, issue.path, issue.got) for issue in caught.value.issues]
    assert places == [(2, 5, "min_gpus", "9"), (3, 6, "latest_s", "4")]
    kept = read_jobs(file, skip_bad=True)
    assert len(kept) == 2 and kept.smallest.tolist() == [8, 8]


def test_pins(tmp_path: Path) -> None:
    jobs = jobs_file(tmp_path, "1,0,3600,8,a,0\n2,60,3600,8,a,1\n")
    pools = written(tmp_path, "pools: {a: {gpus: 8}, b: {gpus: 16}}")
    free, pinned = (json.loads(command("--trace", jobs, "--pools", pools, "--json", *more)[1]) for more in ((), ("--pin-pools",)))
    assert free["mean_wait_s"] == 0 and pinned["mean_wait_s"] == 3540 / 2
    assert pinned["pools"]["b"]["bins"]["not_allowed"]["gpu_h"] == pytest.approx(16 * 3540 / 3600)
    wrong = jobs_file(tmp_path, "1,0,3600,8,c,0\n")
    _, _, error = command("--trace", wrong, "--pools", pools, "--pin-pools")
    assert isinstance(error, QuestionError)
    assert str(error) == "--pin-pools: 1 job of the trace name a pool that is not in the file, the first (1) 'c'; there are: a, b"


def test_unknown_words(tmp_path: Path) -> None:
    jobs, pools = jobs_file(tmp_path, "1,0,1,1,a,0\n"), written(tmp_path, "pools: {a: {gpus: 8}}")
    told = {
        ("--policy", "lifo"): "--policy is one of fifo, backfill, sjf, las, priority, not 'lifo'",
        ("--failures", "book"): "pools.yaml states no failures: give a `failures` block (docs/replay.md), or --failures llama3 or none",
    }
    for words, message in told.items():
        _, _, error = command("--trace", jobs, "--pools", pools, *words)
        assert str(error) == message


def test_the_same_jobs_with_and_without(tmp_path: Path) -> None:
    """Two racks of two trays of 4, a tray of each rack taken: a gang of 8 waits 3 h for a rack of its own, and not at all without segments.

    With one of the trays a spare there are three for jobs; without spares four."""
    jobs = jobs_file(tmp_path, "1,0,3600,4,,0\n2,0,10800,4,,0\n3,0,3600,4,,0\n4,0,10800,4,,0\n5,3600,3600,8,,0\n")
    pools = written(tmp_path, "pools: {a: {gpus: 16, node: 4, domain: 8, segment: 8}}")
    found = json.loads(command("--trace", jobs, "--pools", pools, "--compare", "segment", "--json")[1])["compare"]
    assert [row["segment"] for row in found] == [True, False]
    assert [row["mean_wait_s"] for row in found] == [7200 / 5, 0] and [row["stranded_gpu_h"] for row in found] == [16, 0]
    pools = written(tmp_path, "pools: {a: {gpus: 16, node: 4, domain: 8, segment: 8, spares: 4}}")
    found = json.loads(command("--trace", jobs, "--pools", pools, "--compare", "segment,spares", "--json")[1])["compare"]
    assert [(row["segment"], row["spares"]) for row in found] == [(True, True), (True, False), (False, True), (False, False)]
    assert [row["spare_gpu_h"] > 0 for row in found] == [True, False, True, False]
    told = command("--trace", jobs, "--pools", pools, "--compare", "segment,spares")[1]
    assert "The same jobs with and without, as stated first:" in told
    for words, message in (
        (("--compare", "racks"), "--compare takes segment and spares, each once, not 'racks'"),
        (("--compare", "spares"), "--compare spares: no pool has a spares, so there is nothing to leave out"),
        (("--maintenance", "often"), "--maintenance reads LENGTH every TIME, as in '8 h every 90 days', not 'often'"),
    ):
        bare = written(tmp_path, "pools: {a: {gpus: 16, node: 4}}")
        assert str(command("--trace", jobs, "--pools", bare, *words)[2]) == message


def test_maintenance_by_hand(tmp_path: Path) -> None:
    """Two racks of 8, each once in 2 h for half an hour: one from 1 h, the other from 2 h on, and so on.
    A job of 4 h lies on the second, and moves over at 2 h, 3 h and 4 h."""
    jobs = jobs_file(tmp_path, "1,0,14400,8,,0\n")
    pools = written(tmp_path, "pools: {a: {gpus: 16, node: 4, domain: 8, segment: 8}}\ncheckpoint: {write: 1 min, restart: 1 min}")
    found = json.loads(command("--trace", jobs, "--pools", pools, "--maintenance", "30 min every 2 h", "--json")[1])
    bins = {name: row["gpu_h"] for name, row in found["bins"].items() if row["gpu_ms"]}
    ends = found["makespan_s"] / 3600
    assert bins["useful"] == 32 and bins["maintenance"] == pytest.approx(8 * (3 * 0.5 + (ends - 4)))
    assert 4 < ends < 4.5 and found["preemptions"] == 3 and bins["checkpointing"] == pytest.approx(8 * 3 / 60)


def test_the_timeline_and_the_events(tmp_path: Path) -> None:
    """Two racks: what starts also ends, and boxes of one rack do not lie on each other."""
    jobs = jobs_file(tmp_path, "a1,0,3600,8,a,0\na2,60,3600,4,b,1\na3,120,60,12,b,0\n")
    pools = written(tmp_path, "pools: {a: {gpus: 16, node: 4, domain: 8}, b: {gpus: 4}}")
    code, _, _ = command("--trace", jobs, "--pools", pools, "--out", tmp_path / "out")
    lines = (tmp_path / "out" / "events.csv").read_text().splitlines()
    assert code == 0 and lines[0] == "time_s,event,job,pool,gpus,domain"
    assert "0.000,hold,a1,a,8,1" in lines and "3600.000,end,a1,a,8," in lines
    assert sum(",start," in line for line in lines) == sum(",end," in line for line in lines) == 3
    page = (tmp_path / "out" / "timeline.html").read_text()
    assert page.count("<title>job ") == sum(",hold," in line for line in lines) + sum(",start,a2,b," in line for line in lines)
    assert command("--trace", jobs, "--pools", pools, "--out", tmp_path / "out")[0] == 0  # its own files are replaced
    (tmp_path / "out" / "events.csv").write_text("mine\n")
    _, _, error = command("--trace", jobs, "--pools", pools, "--out", tmp_path / "out")
    assert "offtake did not write this file" in str(error)


def test_boxes_are_stacked() -> None:
    boxes = [Span("r", since, to, gpus, "a job", False) for since, to, gpus in ((0, 10, 4), (0, 5, 2), (6, 9, 2), (6, 9, 2))]
    assert [at for _, at in stacked(boxes, {"r": 8})] == [0, 4, 4, 6]


def test_what_stands_where_and_what_is_dark() -> None:
    """Two racks of 8 of which the second leaves at 10 h; from 1 to 3 h it has no power: one box of 8 GPUs, black, and white after 10 h."""
    pool = Pool("a", ((0.0, 16), (36_000.0, 8)), 4, 8, outages=(Outage(3_600.0, 7_200.0, 8),))
    found = run_jobs(work_of([0], [12], [8]), [pool, Pool("n", ((0.0, 4),))], Rules(log=1_000))
    assert standing(found) == {
        "a 0": [(0.0, 36_000.0, 8), (36_000.0, math.inf, 8)],
        "a 1": [(0.0, 36_000.0, 8), (36_000.0, math.inf, 0)],
        "n": [(0.0, math.inf, 4)],
    }
    shown = spans(found, lambda job: f"job {job}")
    assert [(s.row, s.begins, s.ends, s.gpus) for s in shown if s.down] == [("a 1", 3_600.0, 10_800.0, 8)]
    page = timeline(shown, sizes(found), "t", standing(found))
    scale = (1100 - 150 - 24) / max(s.ends for s in shown)
    assert f'<rect x="{150 + 3_600 * scale:.1f}" y="52.0" width="{7_200 * scale:.1f}" height="18.0" fill="#1c1c1c">' in page
    idle = [f'width="{(36_000 - 0) * scale:.1f}" height="18.0" fill="#e4e4e4"/>', f'y="52" width="{36_000 * scale:.1f}"']
    assert all(part in page for part in idle) and page.count('fill="#e4e4e4"/>') == 4  # rack one in two parts, rack two, the pool


def test_rows_of_a_large_cluster_are_chosen_evenly() -> None:
    """Of 1,000 domains 120, from the first to the last pool; where their boxes are too many, fewer domains and all of their boxes."""
    rows = [f"{pool} {n}" for pool, n in (("a", n) for n in range(500))] + [f"b {n}" for n in range(500, 1_000)]
    boxes = [Span(row, t, t + 1, 4, "x", False) for t in range(10) for row in rows]
    kept, shown = chosen(boxes, rows)
    assert len(kept) == 120 and kept[0] == "a 0" and sum(row.startswith("b") for row in kept) == 60 and len(shown) == 1_200
    kept, shown = chosen([Span(row, t, t + 1, 4, "x", False) for t in range(300) for row in rows], rows)
    assert len(kept) == 60 and len(shown) == 18_000
    at = tops(["a 0", "a 1", "b 2"])
    assert at["a 1"] - at["a 0"] == 22 and at["b 2"] - at["a 1"] == 30


@pytest.mark.parametrize(
    ("begin", "end", "step"), [(0, 36_000, 7_200), (0, 1_800, 300), (0, 59 * 86_400, 10 * 86_400), (3_600, 4_000, 60)]
)
def test_ticks_are_round(begin: float, end: float, step: float) -> None:
    found = ticks(begin, end)
    assert all(begin <= at <= end for at in found) and (np.diff(found) == step).all()
    assert 1 < len(found) <= MOST_TICKS


@pytest.mark.parametrize(("hours", "begins"), [(1.5, 0.5), (1.6, 3.0)])
def test_a_job_that_ends_with_the_promise_does_not_delay_it(hours: float, begins: float) -> None:
    """4 GPUs, 3 held until 2 h, when a gang of 4 is promised them: a job of 1 GPU passes at 0.5 h if it ends by 2 h, else it waits."""
    work = work_of([0, 0.25, 0.5], [2, 1, hours], [3, 4, 1])
    found = run_jobs(work, [Pool("p", ((0.0, 4),))], Rules("backfill"))
    assert (found.begun / HOUR_MS).tolist() == [0, 2, begins]


def test_inference_that_waited_passes_by_what_is_left_of_its_time() -> None:
    """4 GPUs, 3 held until 4 h, when inference of 4 is promised them, and 1 until 2.5 h: a replica of 1 that came at 1 h for 2 h passes
    at 2.5 h, for it is over at 3 h."""
    work = flexible(work_of([0, 0, 0.5, 1], [4, 2.5, 10, 2], [3, 1, 4, 1]), serves=[0, 0, 1, 1])
    found = run_jobs(work, [Pool("p", ((0.0, 4),))], Rules("backfill", fleets="wait"))
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 4, 2.5]


def test_jobs_of_the_next_class_down_give_way_when_something_changed() -> None:
    """8 GPUs. 4 held by class 1 until 5 h, 4 by class 0 until 2 h. A gang of 8 of class 0 asks in vain at 1 h; at 2 h all of class 1
    together do: it starts then, and the other goes on when it is done."""
    work = work_of([0, 0, 1], [5, 2, 1], [4, 4, 8])._replace(rank=np.array([1, 0, 0], np.int16))
    found = run_jobs(work, [Pool("p", ((0.0, 8),), node=4, domain=8)], Rules("priority"))
    assert (found.begun / HOUR_MS).tolist() == [0, 0, 2] and (found.ended / HOUR_MS).tolist() == [6, 2, 3]


def test_part_of_a_node_is_no_place_for_whole_ones() -> None:
    """Nodes of 4, one of them shared by a job of 1: a gang of 6 takes two whole nodes, of which one is missing: it is being assembled."""
    work = work_of([0, 0, 0.5], [2, 2, 1], [1, 4, 6])
    found = run_jobs(work, [Pool("p", ((0.0, 12),), node=4, domain=12)], Rules())
    assert found.begun[2] / HOUR_MS == 2 and bin_hours(found)["assembling"] == 7 * 1.5


def plainly(found: Outcome) -> dict[str, object]:
    """Waits by size as columns say them, all at once."""
    gpus, rows = found.jobs.gpus, []
    began = (found.begun >= 0) & (np.ones(len(gpus), bool) if found.source is None else found.source >= 0)
    for e in range(int(gpus.max()).bit_length()):
        mine = began & (gpus >= 1 << e) & (gpus < 2 << e)
        ended = mine & (found.ended >= 0)
        wait = (found.begun - found.jobs.submit)[mine] / 1000
        slow = ((found.ended - found.jobs.submit) / 1000)[ended] / np.maximum(found.jobs.duration[ended] / 1000, 10)
        if len(wait):
            spread = float(wait.mean()), float(np.median(wait)), float(np.percentile(wait, 95))
            rows.append((1 << e, len(wait), *spread, float(np.maximum(slow, 1).mean()) if len(slow) else None))
    wait = (found.begun - found.jobs.submit)[began] / 1000
    return {"all": (len(wait), float(wait.mean()), float(np.median(wait)), float(np.percentile(wait, 95))), "sizes": rows}


@pytest.mark.parametrize("stretch", [1, 7, 1 << 20])
@pytest.mark.parametrize("serving", [(), (Fleet("chat", 2, (1, 2), 20.0),)], ids=["jobs", "beside a fleet"])
def test_figures_do_not_hang_on_stretches(monkeypatch: pytest.MonkeyPatch, stretch: int, serving: tuple[Fleet, ...]) -> None:
    """What is worked out a stretch at a time is what whole columns say; some jobs never start, some never end."""
    monkeypatch.setattr("offtake.fleet.outcome.STRETCH", stretch)
    rng = np.random.default_rng(3)
    gpus = rng.choice([1, 2, 5, 8], 600).astype(np.int32)
    work = work_of([], [], [])._replace(submit=np.sort(rng.integers(0, 900_000, 600)), duration=rng.integers(0, 12_000, 600), gpus=gpus)
    found = run_jobs(work, [Pool("p", ((0.0, 12),))], Rules(serving=serving, until=1000.0))
    told, plain = found.to_dict(), plainly(found)
    assert (told["started"], told["mean_wait_s"], told["p50_wait_s"], told["p95_wait_s"]) == plain["all"]
    keys = ("from_gpus", "jobs", "mean_wait_s", "p50_wait_s", "p95_wait_s", "mean_slowdown")
    assert [tuple(row[key] for key in keys) for row in told["sizes"]] == plain["sizes"]
    assert told["jobs"] == 600 > told["started"] > told["finished"] > 0 and (found.source is None) == (not serving)


def test_times_are_whole_milliseconds_in_any_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = np.array([0.0, 0.0004, 0.0005, 0.0015, 1.2345, 3e9])
    assert whole_ms(seconds).tolist() == [0, 0, 0, 2, 1234, 3_000_000_000_000]
    monkeypatch.setattr("offtake.fleet.work.STRETCH", 2)
    assert whole_ms(seconds[:5]).tolist() == [0, 0, 0, 2, 1234]


def test_of_a_large_trace_a_replay_keeps_the_names_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Jobs of a small file stay for the next question; of a larger one nothing does, and a replay lets its times go before it runs."""
    jobs, pools = jobs_file(tmp_path, "b,0,3600,8,a,0\na,0,60,4,a,0\n"), written(tmp_path, "pools: {a: {gpus: 8}}")
    assert read_jobs(jobs) is read_jobs(jobs)
    monkeypatch.setattr("offtake.traces.read.KEPT", 10)
    assert read_jobs(jobs) is not read_jobs(jobs)
    alive: list[weakref.ref[Jobs]] = []

    def read(*words: object) -> Jobs:
        found = read_jobs(jobs)
        alive.append(weakref.ref(found))
        return found

    def run(*words: Any) -> Outcome:
        assert [ref() for ref in alive] == [None]
        return run_jobs(*words)

    monkeypatch.setattr("offtake.fleet.ask.read_any", read)
    monkeypatch.setattr("offtake.fleet.ask.run_jobs", run)
    found = replay_pools(jobs, pools, Asked())
    assert [found.name(job) for job in (0, 1)] == ["a", "b"] and found.told["jobs"] == 2


def test_room_for_the_head_of_another_pool_is_counted_in_own_nodes() -> None:
    """7 of 8 GPUs of a pool of nodes of 4 are free: too few for 5 that wait elsewhere, since those take two whole nodes."""
    work = work_of([0, 0, 2], [9, 9, 1], [8, 1, 5])._replace(allow=np.array([1, 2, 3], np.int64))
    found = run_jobs(work, [Pool("counted", ((0.0, 8),)), Pool("nodes", ((0.0, 8),), node=4, domain=8)], Rules())
    hours = dict(zip(BINS, found.bins[1] / HOUR_MS, strict=True))
    assert found.begun[2] == 9 * HOUR_MS and hours["assembling"] == 7 * 7 and hours["fragmentation"] == 0
