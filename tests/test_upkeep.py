"""A book states maintenance and outages of its sites: what they take from the hours offered, and the same in a replay.

    sites:
      plains: {maintenance: {every: 60 days, length: 36 h}, outages: {every: 20 days, length: 24 h}, ..}
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from offtake import front, losses, stages
from offtake.book import text
from offtake.book.check import check
from offtake.book.walk import resolved_json
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.fleet import Pool, Rules, run_jobs
from offtake.fleet.ask import Asked
from offtake.reports import replay
from offtake.reports.terminal import answers_text
from offtake.studies import counted
from offtake.studies.cluster import Wanted, cluster_of, replay_book, window_of
from offtake.studies.found import Asked as Told
from offtake.studies.meanpath import mean_path
from offtake.studies.stoppages import Stop, outages_of, stops_of, with_stops

SHIPPED = (Path(__file__).parents[1] / "src/offtake/books/two-clouds.yaml").read_text(encoding="utf-8")
STOPS = "\n    maintenance: {every: 60 days, length: 36 h}\n    outages: {every: 20 days, length: 24 h}"
PLANNED, DARK = 36 / (60 * 24), 24 / (20 * 24 + 24)
SITES = {"plains": "availability: 93 to 98.5 %", "coast": "availability: 95 %"}


def written(*sites: str, stops: str = STOPS) -> str:
    book = SHIPPED
    for site in sites:
        assert SITES[site] in book
        book = book.replace(SITES[site], SITES[site] + stops)
    return book


@pytest.fixture(scope="module")
def told():
    """Plan and mean path of two-clouds as it ships, and where both sites state their stops."""
    books = front.load("two-clouds"), text.read(written("plains", "coast"))
    plans = [front.compile(book) for book in books]
    return [(plan, mean_path(plan, 1)) for plan in plans]


def test_availability_is_lower_by_both(told) -> None:
    """36 h in 60 days and 24 h after 20 days: offered x (1 - 2.5 %) x (1 - 24/504), on the same draws."""
    (_, bare), (plan, b) = told
    np.testing.assert_allclose(b.supply.offered, bare.supply.offered * (1 - PLANNED) * (1 - DARK), rtol=1e-12)
    np.testing.assert_allclose(b.supply.offered + b.supply.down, b.supply.ready * plan.hours[:, None], rtol=1e-12)
    found = stops_of(plan, b, "coast")
    assert found["maintenance"].share == pytest.approx(PLANNED) and found["outages"].share == pytest.approx(DARK)


def test_hours_down_by_cause(told) -> None:
    """S-05: power first, maintenance of the rest, failures of what remains; they add up to what is down."""
    (_, bare), (_, b) = told
    ready = b.supply.ready * b.plan.hours[:, None]
    np.testing.assert_allclose(losses.down("power")(b), ready * DARK, rtol=1e-12)
    np.testing.assert_allclose(losses.down("maintenance")(b), ready * (1 - DARK) * PLANNED, rtol=1e-12)
    np.testing.assert_allclose(losses.down("failure")(b), bare.supply.down * (1 - DARK) * (1 - PLANNED), rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(sum(losses.down(c)(b) for c in ("power", "maintenance", "failure")), losses.down("all")(b), rtol=1e-12)
    assert (losses.down("failure")(bare) == bare.supply.down).all() and not losses.down("power")(bare).any()


def test_a_site_that_states_none_keeps_its_bits(told) -> None:
    (plan, bare), _ = told
    b = mean_path(front.compile(text.read(written("coast"))), 1)
    kept = [k for k, (site, *_) in enumerate(plan.names.pools) if site == "plains"]
    lost = [k for k, (site, *_) in enumerate(plan.names.pools) if site == "coast"]
    assert (b.supply.offered[kept] == bare.supply.offered[kept]).all() and (b.supply.down[kept] == bare.supply.down[kept]).all()
    assert (b.supply.offered[lost] < bare.supply.offered[lost]).any()
    assert '"maintenance"' not in resolved_json(plan.book) and resolved_json(b.plan.book).count('"maintenance"') == 1


def test_beside_a_surface_too() -> None:
    """The first book leaves availability to a surface: what it states of maintenance multiplies what the surface gives."""
    shipped = (Path(__file__).parents[1] / "src/offtake/books/openai-aws.yaml").read_text(encoding="utf-8")
    site = next(iter(front.load("openai-aws").sites))
    at = shipped.index("    lots:", shipped.index(f"\n  {site}:"))
    book = text.read(shipped[:at] + "    maintenance: {every: 30 days, length: 36 h, assumed: for the test}\n" + shipped[at:])
    bare, b = mean_path(front.compile(front.load("openai-aws")), 1), mean_path(front.compile(book), 1)
    mine = [k for k, (where, *_) in enumerate(b.plan.names.pools) if where == site]
    np.testing.assert_allclose(b.supply.offered[mine], bare.supply.offered[mine] * (1 - 36 / 720), rtol=1e-12)


def test_outages_come_as_often_as_stated() -> None:
    """4,000 outages: mean time with power within four standard errors; each of one length, none within another."""
    stop = Stop(0.5, 6.0, 0.0)
    outages = outages_of(stop, 64, 4_000 * (0.5 * 730.5 + 6.0) * 3600.0, 1, 1_000)
    at, ends = np.array([o.at for o in outages]), np.array([o.at + o.length for o in outages])
    on = np.diff(np.concatenate([[0.0], ends]))[:] - (ends - at)
    assert (on > 0).all() and {o.length for o in outages} == {6.0 * 3600.0} and {o.gpus for o in outages} == {64}
    assert on.mean() == pytest.approx(0.5 * 730.5 * 3600.0, rel=4 / len(on) ** 0.5)
    assert outages != outages_of(stop, 64, 1e9, 2, 1_000)[: len(outages)] != outages_of(stop, 64, 1e9, 1, 1_001)[: len(outages)]


def test_a_replay_has_the_shares_of_the_ensemble(told) -> None:
    """Without failures what is offered in the replay is the closed form's share: maintenance to its last cycle, power within four
    standard errors over sixteen seeds."""
    _, (plan, b) = told
    window = window_of(plan, (plan.start + 24, plan.start + 35))
    cluster = cluster_of(plan, b, window, Wanted("book"), None)
    dark, planned = [], []
    for seed in range(16):
        pools = with_stops(plan, b, cluster.pools, window.until, seed)
        bins = run_jobs(cluster.work, pools, Rules("fifo", until=window.until, depth=100)).to_dict()["bins"]
        dark.append(bins["power"]["share"])
        planned.append(bins["maintenance"]["share"] / (1 - bins["power"]["share"]))
    error = np.std(dark, ddof=1) / 4
    assert error < 0.01 and abs(np.mean(dark) - DARK) < 4 * error
    assert np.mean(planned) == pytest.approx(PLANNED, rel=0.1)
    quiet = [replace(pool, outages=()) for pool in pools]
    found = run_jobs(cluster.work, quiet, Rules("fifo", until=window.until)).to_dict()["bins"]["maintenance"]["share"]
    assert found == pytest.approx(PLANNED, rel=0.02)


def test_power_fails_at_all_pools_of_a_site_at_once(told) -> None:
    _, (plan, b) = told
    pools = with_stops(plan, b, [Pool(label, ((0.0, 720),), 4, 72, 72) for label in plan.names.pool_labels], 1e8, 3)
    times: dict[str, set[tuple[float, ...]]] = {}
    for pool in pools:
        site = plan.names.pools[plan.names.pool_labels.index(pool.name)][0]
        times.setdefault(site, set()).add(tuple(o.at for o in pool.outages))
    assert {len(found) for found in times.values()} == {1} and len(set.union(*times.values())) == len(times) == 2
    with pytest.raises(QuestionError, match=r"maintenance of plains goes by racks, and pool plains\.old counts GPUs"):
        with_stops(plan, b, [Pool("plains.old", ((0.0, 720),))], 1e8, 3)


def test_only_failures_of_the_book_bring_them(told) -> None:
    _, (plan, _) = told
    months = (plan.start + 24, plan.start + 25)
    found = {how: replay_book(plan, Asked("fifo", how), Wanted("book", months), None).told for how in ("book", "none", "llama3")}
    lost = {how: [row["bins"][name]["gpu_ms"] > 0 for name in ("maintenance", "power")] for how, row in found.items()}
    assert lost == {"book": [True, True], "none": [False, False], "llama3": [False, False]}
    assert found["none"]["book"]["stops"] == {} and set(found["book"]["book"]["stops"]) == {"plains", "coast"}


def test_the_command_and_where_numbers_come_from(tmp_path: Path) -> None:
    """`replay` tells them, `show` lists them with their source, `explain` names them behind the hours offered."""
    file, run = tmp_path / "stops.yaml", CliRunner()
    stops = '\n    maintenance: {every: 60 days, length: 36 h, source: memo}\n    outages: {every: "uniform(10, 60) days", length: 24 h}'
    book = written("coast", stops=stops)
    file.write_text(book, encoding="utf-8")
    done = run.invoke(app, ["replay", str(file), "--mix", "book", "--failures", "book", "--months", "2027-01"])
    said = " ".join(done.stdout.split())
    assert "coast states 36 h of maintenance every 1.97 months (2.50 %) and 24 h without power after 1.15 months with it on average" in said
    shown = json.loads(run.invoke(app, ["show", str(file), "--json"]).stdout)
    row = next(r for r in shown if r["path"] == "sites.coast.maintenance.length")
    assert row["publisher"] == "Example Research"
    told = json.loads(run.invoke(app, ["explain", str(file), "offered of sites.coast @ 2027-01", "--paths", "512", "--json"]).stdout)
    first = told["inputs"][0]
    assert first["input"] == "sites.coast.outages.every" and first["quality"] == "assumed" and first["rank_correlation"] > 0


def test_hours_and_months_in_words() -> None:
    """No power of ten and no plural of one."""
    told = {
        "maintenance": {"length_h": 1_570.4, "every_months": 1.0, "share": 0.5},
        "outages": {"length_h": 24.0, "every_months": 1.0, "share": 0.1, "times": 1},
    }  # fmt: skip
    assert replay._stops("coast", told) == (
        "coast states 1,570 h of maintenance every month (50.00 %) and 24 h without power after 1 month with it on average "
        "(10.00 %; 1 time in this replay)."
    )
    told = {"maintenance": {"length_h": 0.5, "every_months": 2.957, "share": 0.01}}
    assert replay._stops("coast", told) == "coast states 0.5 h of maintenance every 2.96 months (1.00 %)."


def test_maintenance_is_over_in_99_of_100_draws() -> None:
    """At the 99th percentile of length and the 1st of every, each clipped as written."""
    for stops, said in (
        ("{every: 1 month, length: 50 to 6000 h}", "16,171 h at the 99th percentile, every 730.5 h at the 1st"),
        ("{every: 1 month, length: 560 to 700 h}", "733.1 h at the 99th percentile, every 730.5 h at the 1st"),
        ('{every: "uniform(0, 2) months", length: 36 h}', "36 h at the 99th percentile, every 14.61 h at the 1st"),
        ("{every: 1 month, length: 560 to 690 h}", None),
        ("{every: 1 month, length: {value: 50 to 6000 h, clip: 0 to 700 h}}", None),
        ("{every: 60 to 90 days, length: 4 to 12 h}", None),
    ):
        issues = check(text.read(written("coast", stops=f"\n    maintenance: {stops}")))
        assert [(issue.path, issue.got) for issue in issues] == ([] if said is None else [("sites.coast.maintenance.length", said)])


def test_a_share_held_at_one_is_counted_and_told() -> None:
    """Maintenance of 560 to 690 h lasts a month on some paths: as many as have a share of exactly 1."""
    book = text.read(written("coast", stops="\n    maintenance: {every: 1 month, length: 560 to 690 h}"))
    plan = front.compile(book)
    b, at, expected = stages.allocate(plan), plan.names.sites.index("coast"), 0
    for first in range(0, 1_024, 64):
        counts = np.zeros((3, len(plan.factor_paths)), np.int64)
        stages.fill(b, 1, first, counts[0])
        mine = int((b.stops[0, at] == 1.0).sum())
        stages.redraw(b, 1, counts[1])
        stages.fill_given(b, 1, b.Z.copy(), np.arange(first, first + 64), counts[2])
        assert counts.sum(axis=1).tolist() == [mine] * 3
        expected += mine
    run = front.run(book, paths=1_024)
    told = run.answers()
    (table,) = counted.panels(Told(run))
    assert table["rows"] == [["sites.coast.maintenance.length", str(expected)]]
    assert 0 < expected < 30 and told["clipped"] == {"sites.coast.maintenance.length": expected}
    said = f"Of 1,024 draws each, clipped: {expected} of sites.coast.maintenance.length."
    assert said in " ".join(answers_text(told, 100).split())
    assert "clipped" not in front.run(front.load("two-clouds"), paths=256).answers()
