"""Replays by design and the surface distilled from them: the jobs drawn, the error left out, and rows of the shipped surface run again."""

import math
import statistics

import numpy as np
import pytest

from offtake.catalog import surface
from offtake.studies import distil as d
from offtake.studies.mixes import Kind, jobs_of, kinds_of

MIX = surface.rows("nvl72", "mix")


def test_run_times_are_those_of_the_kind() -> None:
    """Mean and median of a lognormal cut at its longest, against its quantiles taken finely."""
    kind = Kind("trace", 8, 1.0, 18_025.0, 1.526319, 864_000.0, False)
    times = kind.quantiles((np.arange(200_000) + 0.5) / 200_000)
    assert times.max() <= 864_000.0 and kind.mean() == pytest.approx(times.mean(), rel=1e-4)
    share = statistics.NormalDist().cdf(math.log(864_000.0 / 18_025.0) / 1.526319)
    assert kind.reach() == pytest.approx(share) and np.median(times) < 18_025.0 < times[int(0.5 / share * 200_000) + 100]


@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
def test_jobs_come_to_the_hours_asked_for(mix: float) -> None:
    month = 30 * 86_400.0
    hours = [1e6, 2e6, 4e6]
    jobs = jobs_of(kinds_of(MIX), mix, hours, month, 3)
    assert (np.diff(jobs.submit) >= 0).all() and jobs.duration.min() >= 1
    work = jobs.duration * jobs.gpus / 3.6e6
    assert work.sum() == pytest.approx(7e6, rel=0.05)
    for m, wanted in enumerate(hours):
        mine = (jobs.submit >= m * month * 1000) & (jobs.submit < (m + 1) * month * 1000)
        assert work[mine].sum() == pytest.approx(wanted, rel=0.15)
    own = {int(k["gpus"]) for k in MIX if k["mix"] == "book" and k["gpus"] != "8" and k["gpus"] != "64"}
    assert (set(np.unique(jobs.gpus).tolist()) >= own) == (mix > 0.0)
    again = jobs_of(kinds_of(MIX), mix, hours, month, 3)
    assert all((a == b).all() for a, b in zip(jobs, again)) and len(jobs_of(kinds_of(MIX), mix, hours, month, 4)[0]) != 0


def test_the_design_holds_its_corners_and_stays_inside() -> None:
    points = d.design(100)
    assert len(points) == 100 and len({p.seed for p in points}) == 100 and d.design(40) == points[:40]
    assert {(p.mix, p.failures, p.clouds) for p in points[:32]} == {(a, b, c) for a in (0.0, 1.0) for b in (0.0, 4.0) for c in (1, 8)}
    for p in points:
        assert 0.4 <= p.load <= 1.04 and 0 <= p.mix <= 1 and 0 <= p.failures <= 4 and 0 <= p.growth <= 0.08 and p.clouds in (1, 2, 4, 8)


def test_left_out_is_what_a_fit_without_the_point_misses() -> None:
    r = np.random.default_rng(1)
    table, y = np.concatenate([np.ones((40, 1)), r.normal(size=(40, 4))], axis=1), r.normal(size=40)
    for n, error in enumerate(d._left_out(table, y)):
        rest = np.arange(40) != n
        assert error == pytest.approx(y[n] - table[n] @ np.linalg.lstsq(table[rest], y[rest], rcond=None)[0])


def test_a_fit_finds_a_polynomial_and_leaves_noise() -> None:
    r = np.random.default_rng(2)
    x = r.random((200, 5))
    power = d.candidates((4, 2, 0, 0, 2))
    true = 0.9 - 0.3 * x[:, 0] ** 3 * x[:, 4] + 0.2 * x[:, 1]
    found = d.fit(x, true + r.normal(0.0, 0.01, 200), power)
    assert 0.009 < found.error < 0.012 and len(found.weight) < 25
    told = np.stack([np.prod(x**p, axis=1) for p in found.power], axis=1) @ found.weight
    assert float(np.sqrt(np.mean((told - true) ** 2))) < 0.005
    exact = d.fit(x, true, power)
    assert exact.error < 1e-10


def test_rows_of_the_shipped_surface_run_again() -> None:
    """Three replays of the design, to the last bit: what is shipped is what these jobs on these machines give."""
    rows, waits = surface.rows("nvl72", "replays"), surface.rows("nvl72", "waits")
    points = d.design(len(rows))
    few = sorted(range(len(rows)), key=lambda n: int(rows[n]["jobs"]))[:3]
    for n in few:
        told = d.replayed(points[n], d.Machines(), MIX)
        assert {key: float(value) for key, value in (rows[n] | waits[n]).items()} == told


def test_the_shipped_surface_is_what_its_replays_distil_to() -> None:
    rows = zip(surface.rows("nvl72", "replays"), surface.rows("nvl72", "waits"), strict=True)
    found = [{key: float(value) for key, value in (row | waits).items()} for row, waits in rows]
    texts = d.written(found, d.Machines())
    for file in ("terms", "wait_terms"):
        terms, shipped = texts[f"{file}.csv"].splitlines()[1:], surface.rows("nvl72", file)
        assert len(terms) == len(shipped)
        for line, row in zip(terms, shipped):
            *place, weight = line.split(",")
            assert place == [row["output"], *(row[a] for a in surface.AXES)]
            assert float(weight) == pytest.approx(float(row["weight"]), rel=1e-6)
    about = {row.split(",")[0]: row for row in texts["about.csv"].splitlines()}
    assert set(surface.about("nvl72")) == set(about) - {"key"}
