"""Placing jobs now: brute force over hypothesis-made states, the shadow price, batches beside all their placements, and what people see."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from offtake.cli import app
from offtake.kernels import couple, place
from offtake.kernels.share import Case
from offtake.shadow import scratch
from offtake.studies.meanpath import mean_path
from offtake.studies.offers import offers_of, period_of, remaining, rest_of, shadow_price, with_busy
from offtake.studies.place import Fit, Job, Level, Offers, Pool, Queue, Waits, quote, ranked
from offtake.studies.placed import place_batch, place_one
from offtake.studies.together import bound, together

NOW = datetime(2026, 3, 10, 8, 0)


# -- brute force: every hour of every GPU is an entry of a list

@st.composite
def states(draw: st.DrawFn) -> tuple[Offers, Job]:
    """Up to four pools with whole GPUs, whole hours and prices in quarters, so that sums are exact; some queues nobody knows."""
    works = ("a", "b")
    pools, fits = [], {}
    for n in range(draw(st.integers(1, 4))):
        levels = []
        for cost in sorted(draw(st.lists(st.integers(0, 12), min_size=1, max_size=3, unique=True))):
            left = draw(st.one_of(st.just(float("inf")), st.integers(0, 40).map(float)))
            levels.append(Level(float(draw(st.integers(0, 6))), cost / 4, f"level {cost}", left, 3.0 + draw(st.integers(0, 4)) / 4))
        busy = draw(st.lists(st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(1, 9).map(float))), max_size=3))
        ready, fabric = float(draw(st.integers(0, 14))), float(draw(st.integers(1, 12)))
        label, waits = f"p{n}", [Waits(float(top), draw(st.integers(0, 8)) / 4, 9.0, 1.5) for top in (4, 8)]
        queue = Queue(tuple(waits[: draw(st.integers(0, 2))]))
        pools.append(Pool(label, "c", "s", draw(st.sampled_from(["x", "y"])), ready, fabric, tuple(levels), tuple(busy), queue=queue))
        for w in works:
            fits[w, label] = Fit(draw(st.booleans()), float(draw(st.sampled_from([1, 2, 4]))), draw(st.integers(0, 8)) / 4)
    job = Job("j", draw(st.integers(1, 12)), float(draw(st.integers(1, 8))), draw(st.sampled_from([None, *works])),
              draw(st.sampled_from([None, "x", "y"])))  # fmt: skip
    charge = job.workload is not None and draw(st.booleans())
    return Offers("2026-01", tuple(pools), fits, {"a": 1.25, "b": 0.5}, charge=charge), job


def by_hand(offers: Offers, job: Job) -> tuple[str | None, float | None]:
    """The cheapest pool: hours of each pool written out one by one, sorted, the busy ones taken off the front."""
    ways = {}
    runs = {p.label: offers.fits[job.workload, p.label] if job.workload else Fit() for p in offers.pools}
    able = [runs[p.label].stretch for p in offers.pools if runs[p.label].allowed and (not job.chip or job.chip == p.chip)]
    for pool in offers.pools:
        fit, here = runs[pool.label], min(pool.ready, sum(level.gpus for level in pool.levels))
        if not fit.allowed or (job.chip and job.chip != pool.chip) or job.gpus > min(here, pool.fabric):
            continue
        if here - sum(n for n, _ in pool.busy) < job.gpus:
            continue
        window = job.hours * fit.stretch / min(able)
        hours = []
        held = int(sum(n * min(window, u if u is not None else window) for n, u in pool.busy))
        for level in pool.levels:
            for hour in range(int(level.gpus * window)):
                hours.append(level.cost if hour < held + level.left else level.past)
        need = int(job.gpus * window)
        cheapest = sorted(hours)[held : held + need]
        assert len(cheapest) == need
        ways[pool.label] = (False, sum(cheapest) + (fit.moving or 0.0) * need)
        if offers.charge:
            waits = [w.mean for w in pool.queue.classes if job.gpus <= w.gang]
            ways[pool.label] = (not waits, ways[pool.label][1] + (waits[0] * job.gpus * offers.value[job.workload] if waits else 0.0))
    return min(((last, usd, label) for label, (last, usd) in ways.items()), default=(None, None, None))[:0:-1]


@settings(max_examples=500, deadline=None, derandomize=True)
@given(states())
def test_the_best_pool_is_that_of_a_brute_force_search(case: tuple[Offers, Job]) -> None:
    offers, job = case
    label, usd = by_hand(offers, job)
    found = place_one(offers, job)
    if label is None:
        assert found["best"] is None and found["nowhere"]["room"] and found["nowhere"]["cause"]
        return
    assert (found["best"]["pool"], found["best"]["total_usd"]) == (label, usd)
    rest = replace(offers, pools=tuple(p for p in offers.pools if p.label != label))
    fit = {p.label: p for p in rest.pools}
    if found["runner_up"]:
        assert found["runner_up"]["pool"] in fit
        apart = found["runner_up"]["total_usd"] - usd
        unknown = offers.charge and (found["runner_up"]["queue_h"] is None) != (found["best"]["queue_h"] is None)
        assert found["worse_usd"] is None if unknown else found["worse_usd"] == apart >= 0.0
    else:
        assert all(row["cause"] for row in found["pools"] if row["pool"] != label)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(states())
def test_the_order_of_pools_is_irrelevant(case: tuple[Offers, Job]) -> None:
    offers, job = case
    turned = replace(offers, pools=offers.pools[::-1])
    assert [q.pool.label for q in ranked([quote(offers, job, p) for p in offers.pools])] == [
        q.pool.label for q in ranked([quote(turned, job, p) for p in turned.pools])
    ]


def hall(gpus: int, busy: tuple[tuple[int, float | None], ...] = (), ready: float | None = None, fabric: float = 1000.0) -> Pool:
    """A pool of one free level."""
    level = (Level(float(gpus), 0.0, "free"),) if gpus else ()
    return Pool("hall.gpu", "block", "hall", "gpu", float(gpus) if ready is None else ready, fabric, level, busy, (("2026-02", 900.0),))


@pytest.mark.parametrize(
    ("pool", "job", "cause", "room", "wait"),
    [
        (hall(100, ((60, 5.0), (20, 2.0))), Job("j", 50, 1.0), "busy", "30 GPUs more; free in 5.0 h by the state", 5.0),
        (hall(100, ((60, 5.0), (20, 2.0))), Job("j", 40, 1.0), "busy", "20 GPUs more; free in 2.0 h by the state", 2.0),
        (hall(100, ((60, None),)), Job("j", 50, 1.0), "busy", "10 GPUs more; the state does not say when (60 GPUs without an end)", None),
        (hall(100, ((60, None), (60, 3.0))), Job("j", 50, 1.0), "busy",
         "50 GPUs more; the state does not say when (60 GPUs without an end)", None),
        (hall(100), Job("j", 200, 1.0), "ready", "100 GPUs more; on the mean path so many are ready from 2026-02", None),
        (hall(100), Job("j", 950, 1.0), "ready", "850 GPUs more; on the mean path never in the horizon", None),
        (hall(100, fabric=64.0), Job("j", 65, 1.0), "fabric", "a gang of 64 GPUs at most", None),
        (hall(0), Job("j", 1, 1.0), "closed", "a month inside the term in which GPUs are ready", None),
        (hall(100), Job("j", 1, 1.0, chip="other"), "chip", "ask for gpu, or leave --chip out", None),
    ],
)  # fmt: skip
def test_nowhere_names_the_cause_and_what_would_make_room(pool: Pool, job: Job, cause: str, room: str, wait: float | None) -> None:
    found = place_one(Offers("2026-01", (pool,)), job)["nowhere"]
    assert (found["cause"], found["room"], found["wait_h"]) == (cause, room, wait)


# -- batches

@st.composite
def batches(draw: st.DrawFn) -> tuple[Offers, list[Job]]:
    offers, _ = draw(states())
    names = "klmn"[: draw(st.integers(1, 4))]
    works = st.sampled_from([None, "a", "b"])
    return offers, [Job(n, draw(st.integers(1, 8)), float(draw(st.integers(1, 6))), draw(works)) for n in names]


def cheapest(offers: Offers, jobs: list[Job]) -> float:
    """Least USD over all placements of whole jobs, by trying every one."""
    best = float("inf")
    for where in product(offers.pools, repeat=len(jobs)):
        best = min(best, cost_in(offers, jobs, dict(zip([j.name for j in jobs], where))))
    return best


def run_over(offers: Offers, job: Job, pool: Pool) -> float:
    """Run time over that of the fastest pool that may run the job."""
    if job.workload is None or not offers.fits[job.workload, pool.label].allowed:
        return 1.0
    able = [offers.fits[job.workload, p.label] for p in offers.pools]
    return offers.fits[job.workload, pool.label].stretch / min(fit.stretch for fit in able if fit.allowed)


def cost_in(offers: Offers, jobs: list[Job], where: dict[str, Pool]) -> float:
    """USD of one placement, hours written out; infinite where a job does not fit."""
    stretch = {(j.name, p.label): run_over(offers, j, p) for j in jobs for p in offers.pools}
    window = int(max([offers.hours, *(j.hours * stretch[j.name, p.label] for j in jobs for p in offers.pools)]))
    total = 0.0
    for pool in offers.pools:
        here = [j for j in jobs if where[j.name] is pool]
        need = 0
        for job in here:
            fit = offers.fit(job, pool)
            if not fit.allowed or job.gpus > min(pool.ready, pool.fabric, sum(level.gpus for level in pool.levels)):
                return float("inf")
            hours = int(job.gpus * job.hours * stretch[job.name, pool.label])
            need += hours
            total += (fit.moving or 0.0) * hours
        held = int(sum(n * min(window, u if u is not None else window) for n, u in pool.busy))
        prices = []
        for level in pool.levels:
            prices += [level.cost if h < held + level.left else level.past for h in range(int(level.gpus * window))]
        if need > max(len(prices) - held, 0):
            return float("inf")
        total += sum(sorted(prices)[held : held + need])
    return total


@settings(max_examples=60, deadline=None, derandomize=True)
@given(batches())
def test_bound_and_best_and_ours_stand_in_order(case: tuple[Offers, list[Job]]) -> None:
    offers, jobs = case
    offers = replace(offers, hours=12.0, charge=False)
    placed, _ = together(offers, jobs)
    if len(placed) < len(jobs):
        return  # what has no place has no cost
    ours, best = sum(q.total for q in placed.values()), cheapest(offers, jobs)
    least = bound(offers, jobs)
    slack = 1e-6 * (1.0 + best)
    assert least <= best + slack and best <= ours + slack
    if len(jobs) == 1:
        assert ours == pytest.approx(best, abs=1e-9)


def test_a_batch_by_hand() -> None:
    """Two pools: 10 free GPUs, and 10 at 2 USD. Window 10 h: the 8 x 10 h job takes 80 of the 100 free hours; 6 x 10 h would need 60 and
    takes the paid pool; 2 x 10 h fits the 20 left. Divided, the bound is the same: 40 hours past the free ones cost 2 USD each."""
    free = Pool("a.gpu", "c", "a", "gpu", 10.0, 10.0, (Level(10.0, 0.0, "free"),))
    paid = Pool("b.gpu", "d", "b", "gpu", 10.0, 10.0, (Level(10.0, 2.0, "paid"),))
    offers = Offers("2026-01", (free, paid), hours=10.0)
    found = place_batch(offers, [Job("small", 2, 10.0), Job("large", 8, 10.0), Job("middle", 6, 10.0)])
    assert [row["pool"] for row in found["jobs"]] == ["a.gpu", "a.gpu", "b.gpu"]
    assert found["total_usd"] == 120.0 and found["bound_usd"] == pytest.approx(120.0, abs=1e-4)
    full = Pool("a.gpu", "c", "a", "gpu", 10.0, 10.0, (Level(10.0, 0.0, "free"),), ((10, None),))
    held = place_batch(Offers("2026-01", (full, paid), hours=10.0), [Job("x", 5, 10.0)])
    assert held["total_usd"] == 100.0 and held["bound_usd"] == pytest.approx(100.0, abs=1e-4)  # what is busy is not to be had
    tight = place_batch(offers, [Job("x", 6, 10.0), Job("y", 6, 10.0)])
    assert tight["total_usd"] == 120.0 and tight["bound_usd"] == pytest.approx(40.0, abs=1e-4)
    assert tight["gap_usd"] == pytest.approx(80.0, abs=1e-4)


# -- prices from the book

@pytest.mark.parametrize(("book", "month"), [("small-lab", 4), ("small-lab", 14), ("two-clouds", 6), ("openai-aws", 10)])
def test_the_shadow_price_is_where_demand_meets_what_remains(book: str, month: int) -> None:
    """Complementary slackness (P-02): a little cheaper and more would be wanted than remains, or the price is 0."""
    import offtake
    from offtake import front
    from offtake.studies import offers as study

    plan = front.compile(offtake.load(book))
    b = mean_path(plan, 1)
    before = b.used.copy(), b.segment_hours.cost.copy()
    for c in [c for c in range(len(plan.names.contracts)) if study.has_shadow(plan, c)]:
        share, _ = shadow_price(b, c, month, None)
        if not b.schedule.in_term[c, month, 0]:
            assert share == 1.0
            continue
        left, months = remaining(b, c, month, None), slice(month, min(period_of(plan, b, c, month)[1], plan.months))
        demand = [wanted(rest_of(b, c, months, left), max(share + step, 0.0)) for step in (-1e-4, 1e-4)]
        assert 0.0 <= share <= 1.0
        assert share >= 1.0 or demand[1] <= left * (1 + 1e-9)
        assert share == 0.0 or demand[0] > left
    assert np.array_equal(b.used, before[0]) and np.array_equal(b.segment_hours.cost, before[1])


def wanted(case: Case, share: float) -> float:
    """What is taken of a commitment if its hours cost `share` of the most that one costs."""
    hours, taken, inside = np.zeros(case.full.shape), np.zeros((1, 1)), case.coupled.period[0] == 0
    mine, there = case.coupled.owner == 0, case.segments.cap[case.coupled.paid] + case.segments.cap[case.coupled.past] > 0.0
    prices = (case.full / case.known.unit[0])[mine][:, inside]
    highest = prices[there[mine][:, inside]].max(initial=0.0)
    couple.price_block(0, case.coupled, np.full((1, 1), share * highest), case.known.unit, case.full, case.segments.cost)
    works, pools = case.jobs.eligible.shape
    out = place.placement(works, pools, len(case.segments.pool), case.ready.shape[1], 1, case.jobs.day)
    place.place_block(case.segments, case.jobs, case.loads, case.ready, case.X, scratch(case), out)
    couple.within_block(0, case.coupled, case.segments.cap, out.use, case.known.unit, hours, taken)
    return float(taken[0, 0])


@pytest.mark.parametrize("book", ["small-lab", "two-clouds", "gpu-cloud", "openai-aws"])
def test_a_period_ends_where_the_contract_is_trued_up(book: str) -> None:
    """In every month of a term, extended ones too: the next month that settlement trued up is the period's last, or the term's."""
    import offtake
    from offtake import front
    from offtake.studies import offers as study

    plan = front.compile(offtake.load(book))
    b = mean_path(plan, 1)
    for c in [c for c in range(len(plan.names.contracts)) if study.has_shadow(plan, c)]:
        inside = np.flatnonzero(b.schedule.in_term[c, :, 0])
        trued = set(np.flatnonzero(b.settlement.trued[c, :, 0]).tolist()) | {int(inside[-1])}
        for month in inside:
            ends = [m for m in trued if m >= month]
            _, closing = study.period_of(plan, b, c, int(month))
            assert closing == min(ends) + 1 or (closing >= plan.months and min(ends) == plan.months - 1)


def test_the_block_is_free_and_a_used_up_commitment_costs_its_price() -> None:
    import offtake
    from offtake import front

    plan = front.compile(offtake.load("small-lab"))
    costs = {}
    for usd in (0.0, 6e6):
        offers = offers_of(plan, 1, 4, {"spend": usd})
        costs[usd] = {pool.label: pool.levels for pool in offers.pools}
    assert [level.cost for level in costs[0.0]["hall.gpu"]] == [0.0]
    assert costs[0.0]["region.gpu"][0].cost == 0.0  # 6 M USD in 14 months are more than 256 GPUs can use
    assert costs[6e6]["region.gpu"][0].cost == pytest.approx(2.6) and costs[6e6]["region.gpu"][0].left == 0.0
    held = with_busy(offers, (), 100.0)
    assert held.hours == 100.0


# -- the command

SACCT = """JobID|Partition|Submit|Start|End|Elapsed|Timelimit|State|AllocTRES
71|hall-gpu|2026-03-10T05:00:00|2026-03-10T06:00:00|Unknown|02:00:00|12:00:00|RUNNING|billing=8,cpu=64,gres/gpu=192,node=24
72|region-gpu|2026-03-10T05:00:00|2026-03-10T06:00:00|Unknown|02:00:00|UNLIMITED|RUNNING|cpu=64,gres/gpu=32,node=4
73|hall-gpu|2026-03-09T05:00:00|2026-03-09T06:00:00|2026-03-09T07:00:00|01:00:00|12:00:00|COMPLETED|cpu=64,gres/gpu=64,node=8
"""
SQUEUE = """JOBID|PARTITION|STATE|NODES|TRES_PER_NODE|END_TIME
71|hall-gpu|RUNNING|24|gres/gpu:8|2026-03-10T18:00:00
72|region-gpu|RUNNING|4|gres:gpu:h100:8|N/A
74|region-gpu|PENDING|4|gres/gpu:8|N/A
"""
YAML = """at: 2026-03-10T07:30
busy:
  hall.gpu: [{gpus: 192, until: 2026-03-10T18:00}]
  region.gpu: [{gpus: 32}]
"""


def ask(*words: str) -> tuple[int, str]:
    told = CliRunner().invoke(app, ["place", *words])
    if told.exception and not isinstance(told.exception, SystemExit):
        return 1, str(told.exception)
    return told.exit_code, told.output


@pytest.mark.parametrize(("name", "text"), [("sacct.txt", SACCT), ("squeue.txt", SQUEUE), ("state.yaml", YAML)])
def test_three_forms_of_state_say_the_same(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)
    stamp = NOW.timestamp() - 60
    os.utime(file, (stamp, stamp))
    code, said = ask("small-lab", "--gpus", "100", "--hours", "5", "--state", str(file), "--now", "2026-03-10T08:00", "--json")
    found = json.loads(said)
    assert code == 0
    rows = {row["pool"]: row for row in found["pools"]}
    assert found["best"]["pool"] == "region.gpu" and rows["hall.gpu"]["cause"] == "busy" and rows["hall.gpu"]["wait_h"] == 10.0
    assert rows["hall.gpu"]["room"] == "36 GPUs more; free in 10.0 h by the state"
    assert (rows["hall.gpu"]["free_gpus"], rows["region.gpu"]["free_gpus"]) == (64, 224)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("old.yaml", YAML.replace("03-10T07", "03-07T07"),
         "the state of 2026-03-07 07:30 is 3.0 days old: what was busy then says nothing of now; write it anew (a state counts for a day)"),
        ("pool.yaml", YAML.replace("region.gpu", "moon.gpu"), "rule  one of hall.gpu, region.gpu"),
        ("sacct.txt", SACCT.replace("region-gpu", "moon"), "no pool of the book is called 'moon'; its pools are hall.gpu, region.gpu "
         "(--partition NAME=POOL says which one a partition is)"),
        ("empty.txt", "", "the file is empty; a state is the pipe output of sacct or squeue"),
        ("cut.txt", SACCT.splitlines()[0] + "\n71|hall-gpu|2026-03\n", "cut.txt:2: 3 fields under a header of 9; leave JobName out"),
        ("squeue.txt", SQUEUE.replace("NODES|", "N|"), "no column NODES; ask for `squeue"),
        ("gpus.yaml", YAML.replace("gpus: 32", "gpus: -32"), "rule  a whole number of GPUs, 0 or more"),
        ("list.yaml", "- 1\n", "a state is the pipe output"),
        ("used.yaml", YAML + "used: {spend: 12}\n", "used.spend"),
        ("used2.yaml", YAML + "used: {block: 12 USD}\n", "rule  one of spend"),
        ("when.yaml", YAML.replace("at: 2026-03-10T07:30", "at: noon"), "rule  a local moment without a zone"),
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_used_is_refused_with_a_sentence(name: str, text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(text)
    stamp = NOW.timestamp()
    os.utime(file, (stamp, stamp))
    code, told = ask("small-lab", "--gpus", "8", "--hours", "5", "--state", str(file), "--now", "2026-03-10T08:00")
    assert code == 1 and said in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--gpus", "8", "--hours", "-1", "--month", "2026-03"), "8 GPUs for -1 hours is no job; both are above 0"),
        (("--gpus", "8", "--hours", "1", "--month", "2031-01"),
         "2031-01 is outside the book's horizon, 2025-11 to 2027-10; give --month inside it"),
        (("--gpus", "8", "--hours", "1", "--month", "soon"), "'soon' is no month; write it as 2026-09"),
        (("--gpus", "300", "--hours", "1", "--month", "2026-03"),
         "the job: 300 GPUs are more than any fabric joins; the largest joins 256 (hall.gpu, region.gpu)"),
        (("--gpus", "8", "--hours", "1", "--month", "2026-03", "--workload", "x"),
         "the job: no workload is called 'x'; this book has assistant, tuning"),
        (("--gpus", "8", "--hours", "1", "--month", "2026-03", "--chip", "x"),
         "the job: no pool has the chip 'x'; this book's pools have gpu"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered(words: tuple[str, ...], said: str) -> None:
    assert ask("small-lab", *words) == (1, said)


@pytest.mark.parametrize(
    "words",
    [(), ("--gpus", "8"), ("--gpus", "8", "--hours", "1", "--jobs", "x.csv"), ("--jobs", "x.csv", "--chip", "gpu"),
     ("--gpus", "8", "--hours", "1", "--now", "noon")],
)  # fmt: skip
def test_a_wrong_command_line_ends_in_2(words: tuple[str, ...]) -> None:
    assert ask("small-lab", *words)[0] == 2


def test_used_to_date_is_read_from_an_export(tmp_path: Path) -> None:
    """The example export bills 1.3 M USD or so before the book begins: less is left than if nothing had been used."""

    import offtake

    shutil.copy(Path(offtake.__file__).parent / "books" / "small-lab-focus.csv", tmp_path / "costs.csv")
    file = tmp_path / "state.yaml"
    file.write_text(YAML + "used: {spend: {focus: costs.csv}}\n")
    from offtake.occupied import Known, read_state

    known = Known(("hall.gpu", "region.gpu"), {"spend": [f"2025-{m:02d}" for m in range(5, 13)]}, {}, NOW)
    used = read_state(file, known).used["spend"]
    months = Known(known.pools, {"spend": ["2025-05"]}, {}, NOW)
    assert 0.0 < read_state(file, months).used["spend"] < used


def test_a_batch_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("name,gpus,hours,workload\na,128,100,tuning\nb,64,50,assistant\n")
    (tmp_path / "jobs.yaml").write_text(
        "- {name: a, gpus: 128, hours: 100, workload: tuning}\n- {name: b, gpus: 64, hours: 50, workload: assistant}\n"
    )
    said = [ask("small-lab", "--jobs", str(tmp_path / f"jobs.{form}"), "--month", "2026-03", "--json") for form in ("csv", "yaml")]
    assert said[0] == said[1] and said[0][0] == 0
    found = json.loads(said[0][1])
    assert [row["job"] for row in found["jobs"]] == ["a", "b"] and found["gap_usd"] >= 0.0 and found["nowhere"] == 0
    (tmp_path / "bad.csv").write_text("name,gpus,hours\na,8,x\na,-1,2\n")
    code, told = ask("small-lab", "--jobs", str(tmp_path / "bad.csv"), "--month", "2026-03")
    assert code == 1 and "issues" in told


def dual_of_the_rest(b: Any, c: int, months: range, left: float) -> float:
    """The dual of what remains of a commitment in USD, from one linear program over all its months (scipy), as a share of the price.

    Hours of the contract cost nothing until `left` USD are spent and their price beyond; those of others what the mean path says.
    """
    from scipy.optimize import linprog

    p = b.plan
    gain, rows, spent, bounds = [], {}, [], []
    for m in months:
        for w in range(len(p.names.workloads)):
            for q, k in enumerate(p.segment_pool):
                speed = b.demand.speed[w, k, 0]
                gang = b.X[p.jobs.gang_x[w], 0] <= min(b.supply.ready[k, m, 0], b.X[p.jobs.fabric_x[k], 0])
                mine = p.places.contract[k] == c
                cost = 0.0 if mine else b.segment_hours.cost[q, m, 0]
                gain.append(b.demand.value[w, 0] * speed - b.demand.moving[w, k, 0] - cost)
                bounds.append((0.0, None if p.jobs.eligible[w, k] and speed > 0 and gang else 0.0))
                rows.setdefault((m, "hours", q), []).append((len(gain) - 1, 1.0))
                rows.setdefault((m, "work", w), []).append((len(gain) - 1, speed))
                if mine:
                    spent.append((len(gain) - 1, b.schedule.price[c, m, 0]))
    gain.append(-1.0)  # a USD beyond what remains
    bounds.append((0.0, None))
    rows["rest", "", 0] = [*spent, (len(gain) - 1, -1.0)]
    matrix, limits = np.zeros((len(rows), len(gain))), []
    for r, (key, cells) in enumerate(rows.items()):
        for column, value in cells:
            matrix[r, column] = value
        there = b.segment_hours.cap if key[1] == "hours" else b.demand.work
        limits.append(left if key[0] == "rest" else there[key[2], key[0], 0])
    scale = np.abs(matrix).max(axis=1)
    solved = linprog(-np.array(gain), matrix / scale[:, None], np.array(limits) / scale, bounds=bounds, method="highs")
    assert solved.status == 0
    return float(-solved.ineqlin.marginals[-1] / scale[-1])


@pytest.mark.parametrize(("month", "used"), [(0, None), (4, None), (4, 3.0e6), (4, 5.0e6), (8, None), (8, 1.0e6), (13, 4.0e6)])
def test_the_shadow_price_is_the_dual_of_one_program_over_all_months(month: int, used: float | None, tmp_path: Path) -> None:
    """Without work that waits, months hang together by the commitment alone, so the dual is that of the whole program (P-02, P-04)."""
    import offtake
    from offtake import front
    from offtake.studies import offers as study

    books = Path(offtake.__file__).parent / "books"
    shutil.copy(books / "small-lab-focus.csv", tmp_path)
    text = (books / "small-lab.yaml").read_text(encoding="utf-8")
    assert "    deferrable: true\n" in text
    (tmp_path / "book.yaml").write_text(text.replace("    deferrable: true\n", ""), encoding="utf-8")
    plan = front.compile(offtake.load(tmp_path / "book.yaml"))
    b = mean_path(plan, 1)
    c = plan.names.contracts.index("spend")
    left = remaining(b, c, month, used)
    end = min(study.period_of(plan, b, c, month)[1], plan.months)
    share, _ = shadow_price(b, c, month, used)
    assert share == pytest.approx(dual_of_the_rest(b, c, range(month, end), left), abs=1e-4)


MONTHS = [("two-clouds", "2026-06"), ("two-clouds", "2029-12"), ("gpu-cloud", "2026-06"), ("openai-aws", "2026-06")]


@pytest.mark.parametrize(("book", "month"), MONTHS)
def test_every_book_places_a_job(book: str, month: str) -> None:
    """A job of each book's first workload, also in a term that was extended: a pool, or what would make room; twice the same."""
    import offtake

    work = next(iter(offtake.load(book).workloads))
    words = (book, "--gpus", "8", "--hours", "24", "--workload", work, "--month", month, "--json")
    code, said = ask(*words)
    found = json.loads(said)
    assert code == 0 and ask(*words) == (0, said)
    assert len(found["pools"]) == len({row["pool"] for row in found["pools"]})
    assert (found["best"] is None) == all(row["cause"] for row in found["pools"]) and (found["best"] or found["nowhere"]["room"])
