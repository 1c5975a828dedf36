"""The event loop against a replay in plain Python, event for event and GPU-millisecond for GPU-millisecond."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.fleet.machines import state_of
from offtake.fleet.pools import POLICIES, Failures, Outage, Pool, Rules, Saving, Service
from offtake.kernels import replay_state as k
from offtake.kernels.replay import replay
from tests.naive.replay import Replay

HARD = Failures(60.0, (0.3, 0.2, 0.15, 0.1, 0.05, 0.2), (0.02, 0.03, 0.05, 0.01, 0.02, 0.0), (1.0, 0.5, 0.5, 1.0, 0.2, 0.0), 5.0, "made up")


def same(pools: list[Pool], rules: Rules, jobs: k.Jobs) -> None:
    s = state_of(pools, rules, jobs)
    replay(jobs, s)
    twin = Replay(pools, rules, jobs).run()
    rows = [tuple(int(x) for x in row) for row in s.log[: s.tally[k.LOGGED]]]
    for got, wanted in zip(rows, twin.log, strict=False):
        assert got == wanted
    assert len(rows) == len(twin.log) == s.tally[k.LOGGED]
    assert s.job[:, k.BEGUN].tolist() == [j.begun for j in twin.jobs]
    assert s.job[:, k.ENDED].tolist() == [j.ended for j in twin.jobs]
    assert s.job[:, k.LEFT].tolist() == [j.left for j in twin.jobs]
    assert s.stops.tolist() == [j.stops for j in twin.jobs]
    assert s.bins.tolist() == [c.bins for c in twin.clusters]
    assert (s.bins[:, : k.BINS].sum(axis=1) == s.bins[:, k.READY]).all() and (s.bins >= 0).all()


@st.composite
def pools_of(draw: st.DrawFn) -> list[Pool]:
    found = []
    for n in range(draw(st.integers(1, 3))):
        node = draw(st.sampled_from([1, 1, 2, 4]))
        per = draw(st.integers(1, 4)) if node > 1 else 1
        segment = draw(st.integers(0, per)) * node if node > 1 else 0
        nodes = draw(st.integers(3, 10))
        later = draw(st.integers(0, 4))
        steps = ((0.0, nodes * node), (draw(st.integers(1, 100)) * 1.0, (nodes + later) * node)) if later else ((0.0, nodes * node),)
        if draw(st.booleans()):
            steps += ((draw(st.integers(101, 150)) * 1.0, draw(st.integers(0, nodes)) * node),)
        spares = draw(st.integers(0, 1)) * node
        slowdown = draw(st.sampled_from([None, 0.1, 0.25])) if segment else None
        outages, price = draw(outages_of(node, nodes)), draw(st.sampled_from([0.0, 2.5, 3.0]))
        service = draw(st.sampled_from([None, None, None, Service(30.0, 4.0), Service(70.0, 9.0)]))
        found.append(Pool(f"p{n}", steps, node, per * node, segment, spares, slowdown, None, outages, price, service))
    return found


@st.composite
def outages_of(draw: st.DrawFn, node: int, nodes: int) -> tuple[Outage, ...]:
    times = st.integers(0, 120)
    return tuple(
        Outage(draw(times) * 1.0, draw(st.integers(1, 40)) * 1.0, draw(st.integers(1, nodes)) * node)
        for _ in range(draw(st.sampled_from([0, 0, 1, 3])))
    )


@st.composite
def jobs_of(draw: st.DrawFn, pools: list[Pool]) -> k.Jobs:
    n = draw(st.integers(1, 25))
    gaps = draw(st.lists(st.integers(0, 9), min_size=n, max_size=n))
    length = draw(st.lists(st.integers(0, 40), min_size=n, max_size=n))
    rows, allow = [], []
    for _ in range(n):
        p = draw(st.integers(0, len(pools) - 1))
        most = pools[p].gpus[0][1] - pools[p].spares
        most = min(most, pools[p].segment or most)
        rows.append(draw(st.integers(1, max(most, 1))))
        fits = [i for i, q in enumerate(pools) if rows[-1] <= min(q.gpus[0][1] - q.spares, q.segment or 10**9)]
        others = draw(st.lists(st.sampled_from(fits), max_size=3))
        allow.append(sum(1 << i for i in {p, *others}))
    rank = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    submit = np.cumsum(gaps).astype(np.int64) * 1000
    terms = draw(more_of(submit, rows, length)) if draw(st.booleans()) else np.zeros((0, k.TERM_FIELDS), np.int64)
    return k.Jobs(
        submit, np.array(length, np.int64) * 1000, np.array(rows, np.int32), np.array(rank, np.int16), np.array(allow, np.int64), terms
    )  # fmt: skip


@st.composite
def more_of(draw: st.DrawFn, submit: np.ndarray, gpus: list[int], length: list[int]) -> np.ndarray:
    """Some jobs elastic, some that may be put off, some inference."""
    n = len(gpus)
    kind = draw(st.lists(st.sampled_from("reds"), min_size=n, max_size=n))
    least = [draw(st.integers(1, g)) if k == "e" else g for k, g in zip(kind, gpus, strict=True)]
    later = draw(st.lists(st.integers(-5, 60), min_size=n, max_size=n))
    latest = [int(at) + wait * 1000 if k == "d" and wait >= 0 else -1 for k, at, wait in zip(kind, submit, later, strict=True)]
    serves = [int(k == "s" and long > 0) for k, long in zip(kind, length, strict=True)]
    return np.array([least, latest, serves], np.int64).T.copy()


@st.composite
def rules_of(draw: st.DrawFn) -> Rules:
    failures = draw(st.sampled_from([None, None, HARD]))
    write, again = draw(st.sampled_from([(0.0, 0.0), (0.5, 2.0), (1.5, 0.0)]))
    return Rules(
        policy=draw(st.sampled_from(POLICIES)),
        depth=draw(st.sampled_from([1, 2, 1000])),
        ladder=(10 / 3600, 40 / 3600),
        move=draw(st.sampled_from([None, 0.0, 3.0])),
        until=draw(st.sampled_from([None, None, 60.0])) if failures is None else draw(st.sampled_from([60.0, 200.0])),
        failures=failures,
        saving=Saving(write, again, draw(st.sampled_from([None, 4.0]))),
        service=draw(st.sampled_from([None, None, Service(40.0, 5.0)])),
        fleets=draw(st.sampled_from(["preempt", "wait"])),
        value=draw(st.sampled_from([None, None, 0.0, 5.0])),
        low=draw(st.sampled_from([0.5, 0.8, 1.0])),
        seed=draw(st.integers(0, 5)),
        log=20_000,
    )


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_event_for_event(data: st.DataObject) -> None:
    pools = data.draw(pools_of())
    jobs = data.draw(jobs_of(pools))
    rules = data.draw(rules_of())
    if (rules.service or any(pool.service for pool in pools)) and rules.until is None:
        rules = Rules(**{**rules.__dict__, "until": 150.0})
    same(pools, rules, jobs)


DARK = (Outage(300.0, 40.0, 20), Outage(320.0, 60.0, 8))
STEPS = ((0.0, 32), (100.0, 48), (500.0, 24), (600.0, 40))
CROWDED = [Pool("rack", STEPS, 4, 16, 12, 4, 0.1, None, DARK), Pool("counted", STEPS, spares=4, outages=DARK)]


@pytest.mark.parametrize("pool", CROWDED, ids=lambda pool: pool.name)
@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_on_a_crowded_pool(policy: str, pool: Pool) -> None:
    """200 jobs on two racks of four trays of four, or as many counted GPUs: shared nodes and gangs, failures and spares."""
    rng = np.random.default_rng(7)
    n = 200
    jobs = k.Jobs(
        np.sort(rng.integers(0, 400_000, n)), rng.integers(0, 30_000, n), rng.choice([1, 2, 3, 4, 5, 8, 12], n).astype(np.int32),
        rng.integers(0, 3, n).astype(np.int16), np.ones(1, np.int64),
    )  # fmt: skip
    same([pool], Rules(policy, ladder=(0.01, 0.05), failures=HARD, saving=Saving(0.5, 2.0), until=900.0, log=20_000), jobs)


DOWN = ((0.0, 16), (100.0, 12), (150.0, 16), (200.0, 8), (260.0, 12), (300.0, 4))
BROKEN = [(Pool("rack", DOWN, 4, 8, spares=4), 60.0), (Pool("counted", DOWN, spares=4), 60.0), (Pool("counted", DOWN), 600.0)]


@pytest.mark.parametrize(("pool", "rate"), BROKEN, ids=["spares have moved", "spares", "most is broken"])
def test_what_leaves_while_much_is_broken(pool: Pool, rate: float) -> None:
    """GPUs leave and return while others are under repair and spares have stepped in."""
    jobs = k.Jobs(
        np.arange(40) * 10_000, np.full(40, 30_000), np.resize(np.array([1, 2, 4], np.int32), 40), np.zeros(1, np.int16),
        np.ones(1, np.int64),
    )  # fmt: skip
    for seed in range(12):
        same([pool], Rules(failures=replace(HARD, rate=rate), until=400.0, seed=seed, log=20_000), jobs)


WIDE = Pool("wide", ((0.0, 64), (150.0, 48), (200.0, 64)), 4, 32, 12, 4, None, None, (Outage(260.0, 30.0, 16),))


@pytest.mark.parametrize(
    "pool", [WIDE, replace(WIDE, segment=32, slowdown=0.2), Pool("counted", WIDE.gpus, spares=4)], ids=["segments", "soft", "counted"]
)
@pytest.mark.parametrize("seed", range(6))
def test_gangs_of_many_classes_that_wait(seed: int, pool: Pool) -> None:
    """Large gangs of several segments at the head of long queues, small ones that come between: what is asked in vain is asked again once
    it is not."""
    rng = np.random.default_rng(seed)
    n = 300
    submit, gpus = np.sort(rng.integers(0, 500, n)) * 1000, rng.choice([1, 2, 4, 8, 12, 16, 24, 32], n).astype(np.int32)
    duration = rng.integers(1, 60, n) * rng.choice([100, 1000], n)
    terms = np.stack([gpus, np.full(n, -1), (rng.random(n) < 0.05 * (seed % 2))], axis=1).astype(np.int64)
    terms[:, k.AT_LEAST] = np.where((rng.random(n) < 0.2 * (seed % 3)) & (terms[:, k.SERVES] == 0), (gpus + 1) // 2, gpus)
    jobs = k.Jobs(submit, duration, gpus, rng.integers(0, 4, n).astype(np.int16), np.ones(1, np.int64), terms)
    broken = replace(HARD, rate=10.0) if seed > 2 else None
    for policy, depth in (("backfill", 1000), ("priority", 3), ("priority", 1000), ("las", 0)):
        rules = Rules(policy, depth, (0.01, 0.05), failures=broken, saving=Saving(0.5, 2.0), until=700.0, seed=seed, log=20_000)
        same([pool], rules, jobs)


def test_a_gang_that_asked_in_vain_does_not_speak_for_smaller_ones() -> None:
    """Nobody can give way to 8 GPUs of one rack; once that inference is over, the 4 behind it get those of a job."""
    submit, long = np.arange(6) * 1000, np.array([60, 60, 60, 60, 6, 40]) * 1000
    gpus = np.array([4, 4, 4, 4, 8, 4], np.int32)
    terms = np.stack([gpus, np.full(6, -1), [1, 0, 1, 0, 1, 1]], axis=1).astype(np.int64)
    jobs = k.Jobs(submit, long, gpus, np.zeros(1, np.int16), np.ones(1, np.int64), terms)
    pool, rules = Pool("p", ((0.0, 16),), 4, 8, 8), Rules(log=100)
    s = state_of([pool], rules, jobs)
    replay(jobs, s)
    assert s.job[:, k.BEGUN].tolist() == [0, 1000, 2000, 3000, -1, 10_000] and s.stops.tolist() == [0, 0, 0, 1, 0, 0]
    same([pool], rules, jobs)


def test_an_elastic_job_too_wide_to_pass_is_asked_again_once_less_is_free() -> None:
    """One GPU is free beside the head: two would delay it; when a short job leaves but one free, that one does not, at the next event."""
    gpus, least = np.array([6, 9, 2, 3, 9], np.int32), [6, 9, 1, 3, 9]
    terms = np.stack([least, np.full(5, -1), np.zeros(5)], axis=1).astype(np.int64)
    submit, long = np.array([0, 10, 11, 12, 13]) * 1000, np.array([100, 10, 200, 20, 10]) * 1000
    jobs = k.Jobs(submit, long, gpus, np.zeros(1, np.int16), np.ones(1, np.int64), terms)
    pool, rules = Pool("p", ((0.0, 10),)), Rules("backfill", log=100)
    s = state_of([pool], rules, jobs)
    replay(jobs, s)
    assert s.job[:4, k.BEGUN].tolist() == [0, 100_000, 13_000, 12_000]
    same([pool], rules, jobs)


@pytest.mark.parametrize("depth", [5, 1000])
def test_a_turn_of_a_job_that_started_early_is_no_event(depth: int) -> None:
    """Jobs put off that run already, beside elastic ones that would grow at any event: none happens at their latest start."""
    rng = np.random.default_rng(110)
    n = int(rng.integers(100, 350))
    submit, gpus = np.sort(rng.integers(0, 500, n)) * 1000, rng.choice([1, 2, 3, 4, 8, 12, 16, 24, 32], n).astype(np.int32)
    duration = rng.integers(1, 60, n) * rng.choice([100, 1000], n)
    rng.random(n)
    least = np.where(rng.random(n) < 0.8, (gpus + 1) // 2, gpus)
    latest = np.where(rng.random(n) < 0.15, submit + rng.integers(0, 100_000, n), -1)
    terms = np.stack([least, latest, np.zeros(n)], axis=1).astype(np.int64)
    jobs = k.Jobs(submit, duration, gpus, rng.integers(0, 4, n).astype(np.int16), np.full(n, 3, np.int64), terms)
    rules = Rules("backfill", depth, saving=Saving(0.5, 2.0), until=700.0, seed=110, log=20_000, move=3.0)
    same([WIDE, replace(WIDE, name="b", price=2.0)], rules, jobs)
