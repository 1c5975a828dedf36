"""A book as a cluster to replay on: pools as delivered and energised on the mean path, and jobs for the work it wants done (R-01, R-03).

Axes    pools (K), workloads (W), months of the window (N)
Units   GPUs, GPU-hours, seconds since the window began
Assumed a batch job runs a day, and a deferrable one may start up to 30 days later; training gangs hold their GPUs for a month at a time;
        how inference follows the day is `rhythm`'s to say; trays of four GPUs in racks, servers of eight; a gang's segment is a whole
        rack unless told. Half of the hours come from each side in the mix `half`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..block import Block
from ..errors import QuestionError
from ..fleet import Fleet, Pool, Rules, run_jobs
from ..fleet.ask import Answer, Asked, rules_of, told
from ..fleet.compare import compared
from ..fleet.work import largest_gang, whole_ms
from ..kernels import replay_state as k
from ..plan import Plan
from ..traces import Jobs, read_any
from .meanpath import mean_path
from .rhythm import HOUR, Followed, Rhythm, rhythms_of
from .stoppages import stated_failures, told_of_stops, with_stops

Array = np.ndarray[Any, Any]
DAY = 86400.0
BATCH_HOURS = 24.0
LATER = 30 * DAY  # for which a deferrable job may be put off
MOST_JOBS = 500_000  # of a trace; beyond that pools and jobs are taken at a stated scale
GOLDEN = 0.6180339887498949
MIXES = ("trace", "book", "half")


@dataclass(frozen=True)
class Wanted:
    """What to replay of a book: the mix of jobs, first and last calendar month (year x 12 + month - 1), GPUs of a rack that one gang's
    segment may take (a whole one unless told; 0: gangs need share none), GPUs of every rack held back as spares, what inference follows."""

    mix: str = "trace"
    months: tuple[int, int] | None = None
    segment: int | None = None
    spares: int = 0
    followed: Followed = field(default_factory=Followed)

    def __post_init__(self) -> None:
        if self.mix not in MIXES:
            raise QuestionError(f"--mix is one of {', '.join(MIXES)}, not '{self.mix}'")
        if self.followed.requests and self.mix == "trace":
            raise QuestionError("--requests drive the book's own inference, and --mix trace has none: ask for --mix book or half")


@dataclass(frozen=True)
class Window:
    """Months of a book: first and one past the last, counted from its start; `begins` (N + 1,) seconds."""

    first: int
    end: int
    begins: Array

    @property
    def until(self) -> float:
        return float(self.begins[-1])


@dataclass(frozen=True)
class Cluster:
    """What is replayed: pools and jobs at 1 : `scale`, and what was left out or cut on the way."""

    pools: list[Pool]
    work: k.Jobs
    scale: int
    left_out: dict[str, float]  # GPU-h by pool: parts of a node
    cut: dict[str, tuple[int, int]]  # workload: its gang, and the largest that a pool holds
    fleets: tuple[Fleet, ...] = ()
    demand: float = 0.0  # GPU-h that the book's workloads ask for
    rhythms: Mapping[str, Rhythm] = field(default_factory=dict)
    waiting: float = 0.0  # USD that an hour of waiting costs a job for each GPU


def window_of(plan: Plan, months: tuple[int, int] | None) -> Window:
    """The calendar months (year x 12 + month - 1, both ends inside), or the second year of the book. Raises QuestionError outside it."""
    first, last = (plan.start + 12, plan.start + 23) if months is None else months
    if not plan.start <= first <= last < plan.start + plan.months:
        raise QuestionError(
            f"--months {_month(first)}..{_month(last)} is not inside the book, {_month(plan.start)}..{_month(plan.start + plan.months - 1)}"
        )
    at = slice(first - plan.start, last - plan.start + 1)
    return Window(at.start, at.stop, np.concatenate([[0.0], np.cumsum(plan.hours[at]) * HOUR]))


def _month(index: int) -> str:
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def pools_of(plan: Plan, b: Block, window: Window, wanted: Wanted, scale: int) -> tuple[list[Pool], dict[str, float]]:
    """Pools at 1 : `scale` as they grow and shrink, in whole nodes; and the GPU-hours left out: parts of nodes."""
    pools, left = [], {}
    for n, label in enumerate(plan.names.pool_labels):
        chip = plan.names.pools[n][1]
        domain = plan.book.chips[chip].domain
        node = domain if domain <= 8 else 4
        ready = b.supply.ready[n, window.first : window.end, 0]
        whole = (ready / (scale * node)).astype(int) * node
        if whole.max() == 0:
            if ready.sum() > 0:
                left[label] = float(ready @ plan.hours[window.first : window.end])
            continue
        left[label] = float((ready - whole * scale) @ plan.hours[window.first : window.end])
        steps = tuple((float(t), int(g)) for t, g in zip(window.begins[:-1], whole, strict=True))
        pools.append(_rack(Pool(label, steps, node, domain, domain if domain > node else 0, 0, None, chip), wanted))
    if not pools:
        raise QuestionError("the book has no GPU ready in these months on its mean path")
    return pools, left


def priced(plan: Plan, b: Block, window: Window, pools: Sequence[Pool]) -> list[Pool]:
    """Pools with the price of their contract on the mean path, USD per GPU-hour, averaged over the window."""
    found = []
    for pool in pools:
        _, _, contract = plan.names.pools[plan.names.pool_labels.index(pool.name)]
        price = b.schedule.price[plan.names.contracts.index(contract), window.first : window.end, 0]
        found.append(replace(pool, price=float(price.mean())))
    return found


def worth_of_waiting(plan: Plan, hours: Array) -> float:
    """What an hour of waiting costs a job for each of its GPUs: the workloads' stated value, weighed by their GPU-hours (W, N)."""
    values = np.array([plan.book.workloads[name].value.median() for name in plan.names.workloads])
    return float(values @ hours.sum(axis=1) / hours.sum())


def _rack(pool: Pool, wanted: Wanted) -> Pool:
    """The pool with the segment and the spares that were asked for. Raises QuestionError where they are no whole nodes of a rack."""
    if pool.segment == 0:
        return pool
    for name, gpus in (("segment", wanted.segment or 0), ("spares", wanted.spares)):
        if gpus % pool.node or not 0 <= gpus <= pool.domain or (name == "spares" and gpus == pool.domain):
            raise QuestionError(f"--{name} is a number of GPUs in whole nodes of {pool.node}, within a rack of {pool.domain}, not {gpus}")
    spares = pool.most // pool.domain * wanted.spares
    return replace(pool, segment=pool.segment if wanted.segment is None else wanted.segment, spares=spares)


def hours_of_work(plan: Plan, b: Block, window: Window) -> Array:
    """(W, N) GPU-hours that each workload takes where the plan puts it, and would take for what the plan leaves undone."""
    at = slice(window.first, window.end)
    used = b.placement.use[:, :, at, 0].sum(axis=1)
    speed = b.demand.speed[:, :, 0].max(axis=1)
    undone = np.where(speed[:, None] > 0, b.placement.unserved[:, at, 0] / np.where(speed, speed, 1.0)[:, None], 0.0)
    return np.asarray(used + undone)


def hours_wanted(plan: Plan, b: Block, window: Window, rhythms: Mapping[str, Rhythm]) -> Array:
    """(W, N) GPU-hours that workloads ask for where inference gives up at night what it holds for its peak."""
    held = np.array([rhythms[name].held for name in plan.names.workloads])
    return np.asarray(hours_of_work(plan, b, window) * held[:, None])


@dataclass
class Own:
    """A book's own work: rows (submit s, duration s, GPUs, allowed pools, latest start s or -1), fleets of inference, gangs cut."""

    rows: list[Array]
    fleets: list[Fleet]
    cut: dict[str, tuple[int, int]]


def jobs_of_book(
    plan: Plan, hours: Array, window: Window, pools: Sequence[Pool], scale: int, rhythms: Mapping[str, Rhythm]
) -> Own:  # fmt: skip
    """Gangs and fleets that ask for the workloads' hours (W, N)."""
    own = Own([], [], {})
    for w, name in enumerate(plan.names.workloads):
        load = plan.book.workloads[name]
        may = [p for p, pool in enumerate(pools) if _may(plan, name, pool)]
        if not may:
            continue
        stated = max(round(load.gang.median() / scale), 1)
        gang = min(stated, max(largest_gang(pools[p]) for p in may))
        if gang < stated:
            own.cut[name] = (stated, gang)
        allow = sum(1 << p for p in may)
        if load.kind == "inference":
            rhythm = rhythms[name]
            own.fleets.append(Fleet(name, gang, rhythm.replicas(hours[w] / scale, gang, window.begins), rhythm.step, allow))
            continue
        for m in range(len(window.begins) - 1):
            length = float(window.begins[m + 1] - window.begins[m])
            one = BATCH_HOURS * HOUR if load.kind == "batch" else length
            gangs = _gangs(hours[w, m] * HOUR / scale, gang, one, window.begins[m], length)
            latest = gangs[:, 0] + LATER if load.deferrable else np.full(len(gangs), -1.0)
            own.rows.append(np.column_stack([gangs, np.full(len(gangs), float(allow)), latest]))
    return own


def _may(plan: Plan, workload: str, pool: Pool) -> bool:
    """Whether a workload may run in a pool: its contract is one where it may, its chip one it supports."""
    _, chip, contract = plan.names.pools[plan.names.pool_labels.index(pool.name)]
    load = plan.book.workloads[workload]
    return contract in load.may_run and (not load.chips or chip in load.chips) and (not load.throughput or chip in load.throughput)


def _gangs(gpu_seconds: float, gang: int, one: float, begins: float, length: float) -> Array:
    """(n, 3) jobs of `one` seconds each, spread evenly over the time in which they can end, and one for the rest."""
    many = int(gpu_seconds / (gang * one))
    rest = round(gpu_seconds / gang - many * one)
    at = begins + (np.arange(many) / max(many, 1)) * max(length - one, 0.0)
    rows = np.column_stack([at, np.full(many, one), np.full(many, float(gang))])
    return np.concatenate([rows, [[begins, float(rest), float(gang)]]]) if rest > 0 else rows


def jobs_of_trace(jobs: Jobs, hours: Array, window: Window, scale: int, pools: Sequence[Pool]) -> Array:
    """(n, 5) jobs of a trace, in its order and with its bursts, again and again until they ask for the hours (N,) at 1 : `scale`."""
    mean = float(jobs.gpus @ jobs.duration_s) / len(jobs)
    rows, taken, allow = [], 0, float((1 << len(pools)) - 1)
    for m, wanted in enumerate(hours):
        many = round(wanted * HOUR / scale / mean)
        index = taken + np.arange(many)
        begins, length = window.begins[m], float(window.begins[m + 1] - window.begins[m])
        row = index % len(jobs)
        at = begins + np.mod(jobs.submit_s[row] + (index // len(jobs)) * GOLDEN * length, length)
        rows.append(np.column_stack([at, jobs.duration_s[row], jobs.gpus[row], np.full(many, allow), np.full(many, -1.0)]))
        taken += many
    return np.concatenate(rows)


def scale_for(jobs: Jobs | None, hours: float) -> int:
    """So many times smaller a replay is, that a trace's jobs stay below MOST_JOBS."""
    if jobs is None or hours == 0:
        return 1
    return max(int(np.ceil(hours * HOUR / (float(jobs.gpus @ jobs.duration_s) / len(jobs)) / MOST_JOBS)), 1)


def cluster_of(
    plan: Plan, b: Block, window: Window, wanted: Wanted, jobs: Jobs | None, rhythms: dict[str, Rhythm] | None = None
) -> Cluster:  # fmt: skip
    """Pools of the book, and jobs that ask for as many GPU-hours as its workloads do, in the shape of a trace, of the book, or of both;
    `rhythms` where they have been read."""
    rhythms = rhythms if rhythms is not None else rhythms_of(plan, wanted.followed)
    hours = hours_wanted(plan, b, window, rhythms)
    share = {"trace": 1.0, "half": 0.5, "book": 0.0}[wanted.mix]
    scale = scale_for(jobs, share * float(hours.sum())) if share else 1
    bare, left = pools_of(plan, b, window, wanted, scale)
    pools = priced(plan, b, window, bare)
    parts: list[Array] = []
    own = Own([], [], {})
    if share and jobs is not None:
        parts.append(jobs_of_trace(jobs, share * hours.sum(axis=0), window, scale, pools))
    if share < 1.0:
        own = jobs_of_book(plan, (1.0 - share) * hours, window, pools, scale, rhythms)
        parts += own.rows
    rows = np.concatenate(parts) if parts else np.zeros((0, 5))
    if len(rows) == 0 and not own.fleets:
        raise QuestionError("the book's workloads ask for no GPU-hours in these months")
    order = np.argsort(rows[:, 0], kind="stable")
    rows = rows[order]
    work = k.Jobs(
        whole_ms(rows[:, 0]), whole_ms(rows[:, 1]), rows[:, 2].astype(np.int32), np.zeros(1, np.int16), rows[:, 3].astype(np.int64),
        _terms(rows),
    )  # fmt: skip
    fleets, demand, waiting = tuple(own.fleets), float(hours.sum()), worth_of_waiting(plan, hours)
    return Cluster(pools, _fitting(work, pools), scale, left, own.cut, fleets, demand, rhythms, waiting)


def _terms(rows: Array) -> Array:
    """What jobs state beyond a rigid gang: until when they may be put off; no rows where none does."""
    if not (rows[:, 4] >= 0).any():
        return np.zeros((0, k.TERM_FIELDS), np.int64)
    latest = np.where(rows[:, 4] < 0, -1, whole_ms(rows[:, 4]))
    return np.stack([rows[:, 2].astype(np.int64), latest, np.zeros(len(rows), np.int64)], axis=1)


def _fitting(work: k.Jobs, pools: Sequence[Pool]) -> k.Jobs:
    """The same jobs, each allowed where it fits. Raises QuestionError where one fits nowhere."""
    fits = sum((work.gpus <= largest_gang(pool)).astype(np.int64) << p for p, pool in enumerate(pools))
    allow = work.allow & fits
    if (allow == 0).any():
        gpus = int(work.gpus[allow == 0].max())
        raise QuestionError(f"a job of {gpus:,} GPUs fits into no pool of these months; leave it out of the trace, or ask for later months")
    return work._replace(allow=allow)


def replay_book(
    plan: Plan, asked: Asked, wanted: Wanted, trace: str | Path | None, begun: Callable[[], None] = lambda: None
) -> Answer:  # fmt: skip
    """Replay work over the pools of a book, month by month; `begun` is called once request traces are read. Raises QuestionError,
    TraceError."""
    mix = wanted.mix
    if mix != "book" and trace is None:
        raise QuestionError(f"--mix {mix} needs a trace: --trace FILE, or --mix book")
    if mix == "book" and trace is not None:
        raise QuestionError("--mix book replays the book's own workloads and no trace: leave --trace out, or say --mix half")
    window, rhythms = window_of(plan, wanted.months), rhythms_of(plan, wanted.followed)
    begun()
    jobs = read_any(trace, asked.skip_bad) if trace is not None else None
    b = mean_path(plan, asked.seed)
    cluster = cluster_of(plan, b, window, wanted, jobs, rhythms)
    if asked.failures == "book":
        cluster = replace(cluster, pools=with_stops(plan, b, cluster.pools, window.until, asked.seed))
    stated = Rules(failures=stated_failures(plan, cluster.pools), serving=cluster.fleets, value=cluster.waiting)
    rules = rules_of(asked, stated, plan.book.title)
    if cluster.scale > 1 and mix == "half" and rules.failures:
        raise QuestionError(
            f"these months at --mix half are replayed 1 : {cluster.scale}, and gangs made smaller would fail too seldom: "
            "ask for fewer --months, or --failures none"
        )
    rules = replace(rules, until=window.until)
    outcome = run_jobs(cluster.work, cluster.pools, rules)
    about = {
        "mix": mix, "months": [_month(plan.start + window.first), _month(plan.start + window.end - 1)], "scale": cluster.scale,
        "demand_gpu_h": cluster.demand, "left_out_gpu_h": cluster.left_out,
        "gangs_cut": {name: {"stated": was, "replayed": now} for name, (was, now) in cluster.cut.items()},
        "inference": {f.name: cluster.rhythms[f.name].told for f in cluster.fleets},
        "stops": told_of_stops(plan, b, cluster.pools) if asked.failures == "book" else {},
    }  # fmt: skip
    said = told(outcome, None if jobs is None else jobs.refusals, trace) | {"book": about}
    if asked.compare:
        quiet = replace(rules, log=0)
        said["compare"] = compared(cluster.pools, asked.compare, outcome, lambda pools: run_jobs(cluster.work, pools, quiet))
    return Answer(said, outcome)
