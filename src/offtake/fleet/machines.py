"""Arrays of a replay: pools and rules as the rows that `kernels/replay` runs on. The only file that knows both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..kernels import replay_state as k
from .pools import CAUSES, MOST_IN_DOMAIN, Pool, Rules

Array = np.ndarray[Any, Any]
MS, HOUR_MS, DAY_MS = 1000.0, 3.6e6, 8.64e7
STRETCH = 1 << 20  # jobs that are gone through at a time, where whole columns beside the others would be large
NO_FALL = 1 << 60  # GPU-ms of service that nobody ever has: inference stays in its class
AFTERLIFE_MS = 3653 * 86_400_000  # ten years after the last submission, where failures could keep a gang waiting for ever


def in_ms(seconds: float) -> int:
    """Whole milliseconds, the clock of a replay."""
    return round(seconds * MS)


def _rows(pools: Sequence[Pool], rules: Rules) -> tuple[Array, int, int]:
    """Pool rows, and how many domains and nodes there are; a pool that counts GPUs has none."""
    rows = np.zeros((len(pools), k.POOL_FIELDS), np.int64)
    domains = nodes = 0
    for row, pool in zip(rows, pools, strict=True):
        per = max(pool.domain, pool.node) // pool.node if pool.node > 1 else 1
        row[k.NODE], row[k.DOMAIN_NODES], row[k.SEGMENT] = pool.node, per, pool.segment // pool.node if pool.node > 1 else 0
        row[k.SLOW] = -1 if pool.slowdown is None else round(pool.slowdown * k.MILLION)
        row[k.NODES], row[k.SPARE_SEATS] = pool.most // pool.node, pool.spares // pool.node
        row[k.FIRST_DOMAIN], row[k.CAUSE], row[k.PRICE] = domains, k.NO_DEMAND, in_ms(pool.price)
        row[k.SHADOW_JOB] = row[k.YOUNGEST] = row[k.ELDEST] = -1
        row[k.NEXT_FAILURE] = row[k.NEXT_SERVICE] = k.NEVER
        if service := rules.service or pool.service:
            row[k.SERVICE], row[k.SERVICE_LENGTH] = in_ms(service.every), in_ms(service.length)
        if pool.node > 1:
            domains += -(-row[k.NODES] // per)
            nodes += row[k.NODES]
    return rows, int(domains), int(nodes)


def _fabric(pool: Array, domains: int, nodes: int) -> tuple[Array, Array]:
    """Empty domains and nodes."""
    domain, node = np.zeros((max(domains, 1), k.DOMAIN_FIELDS), np.int64), np.full((max(nodes, 1), k.NODE_FIELDS), -1, np.int64)
    domain[:, [k.AFTER, k.BEFORE, k.FIRST_PIECE]] = -1
    first = 0
    for p, row in enumerate(pool):
        if row[k.NODE] > 1:
            count = -(-row[k.NODES] // row[k.DOMAIN_NODES])
            mine = slice(row[k.FIRST_DOMAIN], row[k.FIRST_DOMAIN] + count)
            domain[mine, k.POOL] = p
            domain[mine, k.FIRST_NODE] = first + np.arange(count) * row[k.DOMAIN_NODES]
            first += row[k.NODES]
    return domain, node


def _steps(pools: Sequence[Pool], begins: int) -> Array:
    """Steps (ms, pool, GPUs ready, GPUs with power) in order; every pool stands there at the beginning, if only with 0 GPUs."""
    steps = []
    for p, pool in enumerate(pools):
        known = [(in_ms(at), gpus) for at, gpus in pool.gpus]
        outages = [(in_ms(o.at), in_ms(o.at) + in_ms(o.length), o.gpus) for o in pool.outages]
        times = {at for at, _ in known} | {at for begin, end, _ in outages for at in (begin, end)}
        for now in sorted({begins} | {at for at in times if at > begins}):
            ready = max(((at, gpus) for at, gpus in known if at <= now), default=(0, 0))[1]
            lost = sum(gpus for begin, end, gpus in outages if begin <= now < end)
            steps.append((now, p, ready, max(ready - lost, 0)))
    return np.array(sorted(steps), np.int64).reshape(-1, 4)


def _tally(rules: Rules, jobs: k.Jobs, breaking: bool) -> Array:
    """Counters at 0, and the rule; `breaking` where machines may go down."""
    rule = np.zeros(k.TALLIES, np.int64)
    rule[k.ORDER] = {"sjf": k.SHORTEST, "las": k.ATTAINED, "priority": k.CLASS}.get(rules.policy, k.ARRIVAL)
    rule[k.DEPTH] = rules.depth if rules.policy in ("backfill", "priority") else 0
    rule[k.PREEMPT] = 1 if rules.policy in ("priority", "las") or (jobs.terms[:, k.SERVES].any() and rules.fleets == "preempt") else 0
    rule[k.SAVE], rule[k.AGAIN] = in_ms(rules.saving.write), in_ms(rules.saving.restart)
    rule[k.VALUE] = -1 if rules.value is None else in_ms(rules.value)  # thousandths of a USD
    rule[k.MOVE] = -1 if rules.move is None else in_ms(rules.move)
    last = int(jobs.submit[-1]) if jobs.submit.size else 0
    never = last + AFTERLIFE_MS if breaking else k.NEVER
    rule[k.UNTIL] = never if rules.until is None else in_ms(rules.until)
    rule[k.NOTICE] = in_ms(rules.failures.notice) if rules.failures else 0
    rule[k.SEED], rule[k.PATH], rule[k.LOW] = rules.seed, rules.path, round(rules.low * k.MILLION)
    return rule


def _chance(rules: Rules) -> Array:
    chance = np.zeros(20)
    chance[1] = 0.0 if rules.saving.interval is None else rules.saving.interval * MS
    if failures := rules.failures:
        many = len(CAUSES)
        chance[0] = failures.rate / DAY_MS
        chance[2 : 2 + many] = list(accumulate(failures.shares))
        chance[2 + many : 2 + 2 * many] = [math.log(max(hours * HOUR_MS, 1.0)) for hours in failures.hours]
        chance[2 + 2 * many : 2 + 3 * many] = failures.spread
    return chance


def _queue(pools: int, rules: Rules, jobs: k.Jobs) -> tuple[Array, Array, Array]:
    """Empty queues, the class each job begins in, and the ladder of classes (las). Inference, where there is any, is a class above all."""
    ladder = np.array([round(hours * HOUR_MS) for hours in rules.ladder] if rules.policy == "las" else [], np.int64)
    level = np.zeros(jobs.submit.size, np.int16)
    if rules.policy == "priority":
        level[:] = jobs.rank
    if jobs.terms[:, k.SERVES].any():
        level = np.where(jobs.terms[:, k.SERVES] > 0, 0, level + 1).astype(np.int16)
        ladder = np.concatenate([[NO_FALL], ladder]) if ladder.size else ladder
    queue = np.full((pools, max(ladder.size, int(level.max(initial=0))) + 1, k.QUEUE_FIELDS), -1, np.int64)
    queue[:, :, k.HELD_BY], queue[:, :, k.HOPELESS] = 0, k.NEVER
    return queue, level, ladder


def _turns(jobs: k.Jobs) -> Array:
    """Empty heaps of jobs put off and of inference."""
    most = max((jobs.terms[:, k.LATEST] >= 0).sum(), jobs.terms[:, k.SERVES].sum())
    return np.zeros((k.TURN_ROWS, int(most)), np.int64)


def _shelf(pool: Array) -> Array:
    """No domain and no node is free yet."""
    shelf = np.full((len(pool), k.SHELVES, 64), -1, np.int64)
    shelf[:, [k.COUNTS, k.SEATING, k.BESIDE, k.ASKING]] = 0
    for row, mine in zip(pool, shelf, strict=True):
        if row[k.SEGMENT]:
            free = np.arange(MOST_IN_DOMAIN + 1)
            mine[k.SEATING, free] = free // row[k.SEGMENT]
            mine[k.BESIDE, free] = [int((1 << free[free % row[k.SEGMENT] >= rest]).sum()) for rest in free]
    return shelf


def _table(rows: int, fields: int, stack: int, none: int | None = None) -> Array:
    """An empty table with the stack of its free rows, the first on top."""
    table = np.zeros((rows, fields), np.int64)
    table[:, stack] = np.arange(rows - 1, -1, -1)
    if none is not None:
        table[:, none] = -1
    return table


def state_of(pools: Sequence[Pool], rules: Rules, jobs: k.Jobs) -> k.State:
    """Empty machines and an empty queue for these jobs."""
    pool, domains, nodes = _rows(pools, rules)
    domain, node = _fabric(pool, domains, nodes)
    count, number = len(pools), int(jobs.submit.size)
    stays = int(min(sum(p.most for p in pools), max(number, 1)))
    pieces = max(sum(p.most for p in pools if p.node > 1), 1)
    breaking = bool(rules.failures or rules.service or any(p.service for p in pools))
    units = nodes + sum(p.most for p in pools if p.node == 1) if breaking else 1
    begins = min(int(jobs.submit[0]) if number else 0, *(in_ms(p.gpus[0][0]) for p in pools))
    pool[:, k.SINCE] = begins
    queue, level, ladder = _queue(count, rules, jobs)
    tally = _tally(rules, jobs, breaking)
    tally[k.SLOTS_LEFT], tally[k.PIECES_LEFT], tally[k.UNITS_LEFT] = stays, pieces, units
    job = np.full((number, k.JOB_FIELDS), -1, np.int64)
    job[:, k.LEFT] = jobs.duration
    return k.State(
        pool=pool, shelf=_shelf(pool), domain=domain, node=node,
        stay=_table(stays, k.STAY_FIELDS, k.SLOT_STACK, k.KEY), piece=_table(pieces, k.PIECE_FIELDS, k.PIECE_STACK),
        heap=np.zeros((k.HEAP_ROWS, 2 * stays + 64), np.int64),
        unit=_table(units, k.UNIT_FIELDS, k.UNIT_STACK), mended=np.zeros((2, units), np.int64), steps=_steps(pools, begins),
        queue=queue, link=np.full((number, 2), -1, np.int32), sort=np.zeros((2, count, number if rules.policy == "sjf" else 1), np.int64),
        job=job, level=level, stops=np.zeros(number, np.int32), bins=np.zeros((count, k.BIN_FIELDS), np.int64), tally=tally,
        log=np.zeros((rules.log, 6), np.int64), chance=_chance(rules), ladder=ladder, turn=_turns(jobs),
    )  # fmt: skip
