"""A book as a cluster: its pools by month on the mean path, its workloads as gangs, a trace as many jobs as ask for the same hours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from offtake import front
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.fleet import Pool, Rules, run_jobs
from offtake.fleet.ask import Asked
from offtake.fleet.known import LLAMA3
from offtake.kernels import replay_state as k
from offtake.studies.cluster import Wanted, cluster_of, hours_wanted, pools_of, replay_book, window_of
from offtake.studies.meanpath import mean_path
from offtake.studies.rhythm import Followed, daily, rhythms_of
from offtake.studies.stoppages import stated_failures
from offtake.traces import read_jobs


@pytest.fixture(scope="module")
def told():
    """Plan, mean path and the book's second year."""
    plan = front.compile(front.load("two-clouds"))
    return plan, mean_path(plan, 1), window_of(plan, None)


def jobs_file(folder: Path) -> Path:
    file = folder / "jobs.csv"
    rows = "".join(f"{n},{600 * n},{3600 * (1 + n % 5)},{2 ** (n % 5)}\n" for n in range(500))
    file.write_text("job_id,submit_s,duration_s,gpus\n" + rows, encoding="utf-8")
    return file


def test_pools_are_what_is_ready(told) -> None:
    """Whole nodes of what is ready month by month; ready hours = replayed + left out, less than a node a pool and hour."""
    plan, b, window = told
    pools, left = pools_of(plan, b, window, Wanted(), 1)
    hours = plan.hours[window.first : window.end]
    for pool in pools:
        n = plan.names.pool_labels.index(pool.name)
        ready = b.supply.ready[n, window.first : window.end, 0]
        gpus = np.array([g for _, g in pool.gpus])
        assert (gpus <= ready).all() and (ready - gpus < pool.node).all() and (gpus % pool.node == 0).all()
        assert gpus @ hours + left[pool.name] == pytest.approx(ready @ hours, rel=1e-12)


@pytest.mark.parametrize("mix", ["trace", "book", "half"])
def test_jobs_ask_for_the_hours_of_the_workloads(told, tmp_path: Path, mix: str) -> None:
    plan, b, window = told
    jobs = read_jobs(jobs_file(tmp_path))
    cluster = cluster_of(plan, b, window, Wanted(mix), jobs)
    fleets = sum(fleet.gang * sum(fleet.replicas) for fleet in cluster.fleets)
    asked = (float(cluster.work.gpus.astype(float) @ cluster.work.duration) / 3.6e6 + fleets) * cluster.scale
    assert asked == pytest.approx(float(hours_wanted(plan, b, window, rhythms_of(plan, Followed())).sum()), rel=0.01)
    assert (np.diff(cluster.work.submit) >= 0).all()


def test_prices_are_those_of_the_contracts(told) -> None:
    plan, b, window = told
    cluster = cluster_of(plan, b, window, Wanted("book"), None)
    for pool in cluster.pools:
        contract = plan.names.pools[plan.names.pool_labels.index(pool.name)][2]
        price = b.schedule.price[plan.names.contracts.index(contract), window.first : window.end, 0]
        assert price.min() - 1e-9 <= pool.price <= price.max() + 1e-9 and pool.price > 0
    values = [load.value.median() for load in plan.book.workloads.values()]
    assert min(values) < cluster.waiting < max(values)


def test_inference_follows_the_day(told) -> None:
    """Peak over average is the headroom; by day a fleet holds what it held all month, at night less, and its hours are those of its day."""
    for headroom in (1.0, 1.4, 2.0):
        day = daily(headroom)
        assert day.max() == day[16] == 1.0 and day[16] / day.mean() == pytest.approx(headroom)
    plan, b, window = told
    fleets = cluster_of(plan, b, window, Wanted("book"), None).fleets
    assert [fleet.name for fleet in fleets] == [n for n in plan.names.workloads if plan.book.workloads[n].kind == "inference"]
    for fleet in fleets:
        assert len(fleet.replicas) == round(window.until / 3600) and max(fleet.replicas[:24]) == fleet.replicas[16]
        x = plan.book.workloads[fleet.name].headroom
        assert x is None or x.median() == 1 or min(fleet.replicas[:24]) < max(fleet.replicas[:24])


def test_deferrable_jobs_may_start_a_month_later(told) -> None:
    plan, b, window = told
    work = cluster_of(plan, b, window, Wanted("book"), None).work
    named = {n: load for n, load in plan.book.workloads.items() if load.kind != "inference"}
    assert any(load.deferrable for load in named.values()) and len(work.terms) == len(work.submit)
    late = work.terms[:, k.LATEST] >= 0
    assert (work.terms[late, k.LATEST] - work.submit[late] == 30 * 86_400_000).all() and late.any()
    assert (work.terms[:, k.AT_LEAST] == work.gpus).all()


def test_half_and_half_differ(told, tmp_path: Path) -> None:
    plan, _, _ = told
    months = (plan.start + 12, plan.start + 13)
    file = jobs_file(tmp_path)
    traces = {"trace": file, "half": file, "book": None}
    found = {mix: replay_book(plan, Asked("backfill"), Wanted(mix, months), on).told for mix, on in traces.items()}
    assert len({row["occupancy"] for row in found.values()}) == 3
    assert found["book"]["stamp"]["trace"] is None and found["half"]["book"]["mix"] == "half"


def test_availability_is_the_books(told) -> None:
    """Repairs are stretched so that what is up is what the sites state; the replay comes out there once repairs have set in."""
    plan, b, window = told
    cluster = cluster_of(plan, b, window, Wanted("book"), None)
    failures = stated_failures(plan, cluster.pools)
    stated = np.array([site.availability.median() for site in plan.book.sites.values() if site.availability])
    found = run_jobs(cluster.work, cluster.pools, Rules("backfill", failures=failures, until=window.until)).to_dict()
    assert stated.min() - 0.01 < found["availability"] < stated.max() + 0.03


def test_questions_that_cannot_be(told) -> None:
    plan, _, _ = told
    for wanted, message in (
        (Wanted("trace"), "--mix trace needs a trace: --trace FILE, or --mix book"),
        (Wanted("book", (2050 * 12, 2050 * 12)), "--months 2050-01..2050-01 is not inside the book, 2026-01..2029-12"),
    ):
        with pytest.raises(QuestionError) as caught:
            replay_book(plan, Asked(), wanted, None)
        assert str(caught.value) == message
    with pytest.raises(QuestionError, match="--mix is one of trace, book, half, not 'bok'"):
        Wanted("bok")


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner()
    done = run.invoke(app, ["replay", "two-clouds", "--mix", "book", "--months", "2027-01..2027-02", "--json"])
    found = json.loads(done.stdout)
    assert found["book"]["months"] == ["2027-01", "2027-02"]
    assert sum(b["gpu_ms"] for b in found["bins"].values()) == sum(b["gpu_ms"] for p in found["pools"].values() for b in p["bins"].values())
    assert run.invoke(app, ["replay"]).exit_code == 2
    assert run.invoke(app, ["replay", "two-clouds", "--mix", "book", "--months", "2027"]).exit_code == 2


def test_failures_where_no_site_states_its_availability() -> None:
    """The first book leaves it to a surface: the published rate as many times as the book says, repairs as published."""
    plan = front.compile(front.load("openai-aws"))
    pool = Pool("aws-ultra.gb200", ((0.0, 720),), 4, 72, 72)
    found = stated_failures(plan, [pool])
    assert found.hours == LLAMA3.hours and found.rate == LLAMA3.rate * plan.book.replay.failures.median()
