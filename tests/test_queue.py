"""What replays say of waits: counted by hand, read back from the shipped surface, bounded beside it, and in the answer of a placement."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from offtake.catalog import surface
from offtake.cli import app
from offtake.fleet import Pool, Rules, run_jobs
from offtake.kernels import replay_state as k
from offtake.studies import large
from offtake.studies.distil import replayed
from offtake.studies.queue import ABOVE, MACHINES_OF_LARGE, leverage, queue_at, value_at
from offtake.studies.waits import FIGURES, TOPS, stands, waited

MIDDLE = {"load": 0.85, "mix": 0.5, "failures": 1.0, "growth": 0.02, "clouds": 4.0}


def test_waits_by_hand() -> None:
    """512 GPUs, times in hours. The gang of 256 comes at 1 h and waits for both of 256 until 3 h; 8 GPUs at 2 h are too early to be
    counted and those at 9 h too late; the gang of 128 comes at 4 h behind one of 512 that never ends, and never starts."""
    hour = 3_600_000
    submit = np.array([0, 0, 1, 2, 3, 3.5, 4, 9]) * hour
    length = np.array([3, 3, 0.5, 1, 0.25, 100, 1, 1]) * hour
    gpus = np.array([256, 256, 256, 8, 64, 512, 128, 8], np.int32)
    work = k.Jobs(submit.astype(np.int64), length.astype(np.int64), gpus, np.zeros(1, np.int16), np.ones(1, np.int64))
    told = waited(run_jobs(work, [Pool("p", ((0.0, 512),))], Rules(until=10 * 3_600.0)), 2.5 * 3_600.0, 8 * 3_600.0)
    assert (told["jobs_64"], told["mean_64"], told["unstarted_64"]) == (1, 0.0, 0)
    assert (told["jobs_128"], told["unstarted_128"], told["mean_128"], told["p95_128"]) == (1, 1, 6 * 3_600.0, 6 * 3_600.0)
    assert told["jobs_8"] == told["jobs_256"] == 0
    whole = waited(run_jobs(work, [Pool("p", ((0.0, 512),))], Rules(until=10 * 3_600.0)), 0.0, 8 * 3_600.0)
    assert whole["jobs_256"] == 3 and whole["mean_256"] == pytest.approx(2 * 3_600.0 / 3)
    assert whole["p95_256"] == pytest.approx(1.8 * 3_600.0)
    assert (whole["jobs_8"], whole["mean_8"]) == (1, 3_600.0)


@pytest.mark.parametrize("top", TOPS)
@pytest.mark.parametrize("figure", list(FIGURES))
def test_the_surface_says_what_its_replays_said(top: int, figure: str) -> None:
    """Over the replays that it stands on, its waits are off by no more than what is told of those left out, and it knows nearly all of
    how they differ."""
    name, added = f"{figure}_{top}", FIGURES[figure]
    rows = zip(surface.rows("nvl72", "replays"), surface.rows("nvl72", "waits"), strict=True)
    numbers = [{key: float(value) for key, value in (row | waits).items()} for row, waits in rows]
    settled = [row for row in numbers if row["load"] >= 0.7 and stands(row, top)]
    assert len(settled) == int(surface.about("nvl72")[f"{name} replays"]) > 90
    true = np.log([row[name] + added for row in settled])
    told = np.array([value_at("nvl72", "wait_terms", name, row) for row in settled])
    off = float(np.sqrt(np.mean((told - true) ** 2)))
    assert off < math.log(float(surface.about("nvl72")[f"{name} leave-one-out"])) and off < 0.4 * true.std()


def rows_of_large() -> list[dict[str, float]]:
    rows = zip(surface.rows("nvl72", "large_replays"), surface.rows("nvl72", "large_waits"), strict=True)
    return [{key: float(value) for key, value in (row | waits).items()} for row, waits in rows]


@pytest.mark.parametrize("top", ABOVE)
@pytest.mark.parametrize("figure", list(FIGURES))
def test_larger_gangs_wait_as_in_their_replays(top: int, figure: str) -> None:
    """As above, over the second set of replays: enough of them, and off by no more than is told."""
    name, about = f"{figure}_{top}", {row["key"]: row["value"] for row in surface.rows("nvl72", "large_about")}
    settled = [row for row in rows_of_large() if row["load"] >= 0.7 and stands(row, top)]
    assert len(settled) == int(about[f"{name} replays"]) > 60
    true = np.log([row[name] + FIGURES[figure] for row in settled])
    told = np.array([value_at("nvl72", "large_wait_terms", name, row) for row in settled])
    off = float(np.sqrt(np.mean((told - true) ** 2)))
    assert off < math.log(float(about[f"{name} leave-one-out"])) < math.log(float(about[f"{name} cross-validated"])) < 0.6 * true.std()


def test_a_larger_replay_runs_again() -> None:
    """The design is the shipped one, and the replay with the fewest jobs gives the same bits; points are where work does not pile up."""
    rows = rows_of_large()
    points = large.design(len(rows))
    assert [(p.load, float(p.seed)) for p in points] == [(row["asked"], row["seed"]) for row in rows]
    n = min(range(len(rows)), key=lambda n: rows[n]["jobs"])
    assert replayed(points[n], large.MACHINES, large.larger(surface.rows("nvl72", "mix"))) == rows[n]
    for p in points:
        at = {axis: float(getattr(p, axis)) for axis in surface.AXES}
        assert p.load - value_at("nvl72", "terms", "occupancy", at) <= large.PILED and 0.15 <= p.mix <= 1.0 and p.clouds in (1, 2, 4, 8)


def test_gangs_above_256_have_a_wait_where_as_many_gpus_are_open() -> None:
    there, more = (queue_at("nvl72", MIDDLE | {"load": 0.8}, gpus) for gpus in (MACHINES_OF_LARGE, 100_000.0))
    assert [w.gang for w in there.classes] == [*TOPS, *ABOVE] and there.of(257) == there.classes[4] and there.of(1_024) == there.classes[5]
    assert there.why(1_025) == ("the replays have no gang above 1,024 GPUs",) and more.classes == there.classes and more.at_most
    assert 0.0 <= there.classes[4].mean <= there.classes[5].mean and there.classes[5].mean < there.classes[5].p95
    about = {row["key"]: row["value"] for row in surface.rows("nvl72", "large_about")}
    assert [w.factor for w in there.classes[4:]] == [float(about[f"mean_{top} cross-validated"]) for top in ABOVE]
    few = queue_at("nvl72", MIDDLE | {"load": 0.8}, MACHINES_OF_LARGE - 1.0)
    assert [w.gang for w in few.classes] == list(TOPS) and few.of(512) is None
    assert few.why(512) == ("gangs above 256 GPUs stand in replays on 18,432 GPUs, and 18,431 are open",)


def test_waits_grow_with_load_and_gang() -> None:
    at = {load: queue_at("nvl72", MIDDLE | {"load": load}, 4_608.0) for load in (0.75, 0.8, 0.85)}
    means = {load: [w.mean for w in queue.classes] for load, queue in at.items()}
    assert all(means[0.85][n] > means[0.75][n] for n in range(4)) and means[0.85] == sorted(means[0.85])
    assert at[0.85].of(8) == at[0.85].classes[0] and at[0.85].of(9) == at[0.85].classes[1] and at[0.85].of(257) is None
    assert at[0.85].why(257) == ("gangs above 256 GPUs stand in replays on 18,432 GPUs, and 4,608 are open",)
    assert not at[0.85].at_most and at[0.85].told == () == at[0.85].why(256)


@pytest.mark.parametrize(
    ("axis", "value", "told"),
    [
        ("load", 1.0, "at a load of 100.0 % gangs cannot take"),
        ("load", 1.2, "a load of 120.0 % is above the replays' 104.0 %"),
        ("failures", 5.0, "5 x the failures is above the replays' 4 x the failures"),
        ("clouds", 9.0, "9 clouds is above the replays' 8 clouds"),
    ],
)  # fmt: skip
def test_outside_the_replays_there_is_no_figure(axis: str, value: float, told: str) -> None:
    found = queue_at("nvl72", MIDDLE | {axis: value}, 46_080.0)
    assert found.classes == () and found.told[0].startswith(told) and found.of(8) is None
    few = queue_at("nvl72", MIDDLE, 4_000.0)
    assert few.classes == () and few.told == ("4,000 GPUs are open, fewer than the replays' 4,608",)


@pytest.mark.parametrize(("axis", "value", "edge"), [("load", 0.4, 0.75), ("load", 0.7, 0.75), ("growth", 0.3, 0.08)])
def test_beside_an_edge_that_bounds_the_wait_it_is_no_longer_than_there(axis: str, value: float, edge: float) -> None:
    found, there = (queue_at("nvl72", MIDDLE | {axis: v}, 4_608.0) for v in (value, edge))
    assert found.classes == there.classes and found.at_most and not there.at_most and found.told[0].endswith("no longer than there")
    more = queue_at("nvl72", MIDDLE | {axis: edge}, 100_000.0)
    assert more.classes[:4] == there.classes and more.at_most and len(more.classes) == 6


def test_away_from_the_replays_there_is_no_figure() -> None:
    """Leverage over its mean averages to 1 over the replays themselves; in a corner where no replay had such gangs it is large."""
    rows = [{key: float(value) for key, value in (a | b).items()}
            for a, b in zip(surface.rows("nvl72", "replays"), surface.rows("nvl72", "waits"), strict=True)]  # fmt: skip
    own = [leverage("nvl72", "mean", 256, row) for row in rows if row["load"] >= 0.7 and stands(row, 256)]
    assert np.mean(own) == pytest.approx(1.0, rel=1e-6) and min(own) > 0.0
    corner = MIDDLE | {"load": 0.8, "mix": 0.0, "clouds": 8.0}
    assert leverage("nvl72", "mean", 256, corner) > 3.0
    found = queue_at("nvl72", corner, 4_608.0)
    assert found.of(256) is None and "too few" in found.why(256)[0] and found.of(8) is not None


def test_no_replay_below_the_axis_of_load_had_a_wait() -> None:
    assert float(surface.about("nvl72")["longest mean wait below"]) == 0.0


def place(*words: str) -> dict:
    told = CliRunner().invoke(app, ["place", "openai-aws", "--month", "2027-06", "--workload", "frontier", "--json", *words])
    assert told.exit_code == 0, told.output
    return json.loads(told.output)


def test_the_answer_of_a_placement() -> None:
    plain, charged = place("--gpus", "128", "--hours", "72"), place("--gpus", "128", "--hours", "72", "--charge-queue")
    rows = {row["pool"]: row for row in plain["pools"]}
    assert rows["azure-fleet.h100"]["queue_h"] > 0.0 and rows["azure-fleet.h100"]["queue_at_most"]
    assert rows["azure-fleet.h100"]["queue_factor"] == float(surface.about("nvl72")["mean_128 leave-one-out"])
    assert rows["stargate.gb200"]["queue_h"] is None and "work piles up" in rows["stargate.gb200"]["queue_told"][0]
    for row in charged["pools"]:
        before = rows[row["pool"]]
        if row["cause"] is None and row["queue_h"] is not None:
            worth = row["queue_h"] * plain["value_usd"] / 72
            assert row["queue_usd"] == pytest.approx(worth) and row["total_usd"] == pytest.approx(before["total_usd"] + worth)
        else:
            assert row["total_usd"] == before["total_usd"]
    known = [row["queue_h"] is not None for row in charged["pools"] if row["cause"] is None]
    assert known == sorted(known, reverse=True)  # where nobody knows the queue a job goes last
    large = place("--gpus", "2048", "--hours", "72")
    assert all(row["queue_h"] is None for row in large["pools"]) and "no gang above 1,024 GPUs" in json.dumps(large)


def test_in_a_pool_that_a_state_speaks_of_the_state_says_it(tmp_path: Path) -> None:
    (tmp_path / "state.yaml").write_text("at: 2027-06-10T07:30\nbusy:\n  azure-fleet.gb200: [{gpus: 1000}]\n")
    found = place("--gpus", "128", "--hours", "72", "--state", str(tmp_path / "state.yaml"), "--now", "2027-06-10T08:00")
    rows = {row["pool"]: row for row in found["pools"]}
    assert rows["azure-fleet.gb200"]["queue_h"] == 0.0 and rows["azure-fleet.gb200"]["queue_told"] == ["by the state enough is free now"]
    assert rows["azure-fleet.h100"]["queue_h"] > 0.0


def test_charging_needs_a_workload_whose_hours_have_a_value() -> None:
    words = ["place", "openai-aws", "--month", "2027-06", "--gpus", "8", "--hours", "1", "--charge-queue"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 1 and "--charge-queue needs --workload" in str(told.exception)
