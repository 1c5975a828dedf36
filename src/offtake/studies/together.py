"""A batch of jobs placed together in the GPU-hours of a month, and how far that can be from the best: the bound of a linear program.

Each job runs whole in one pool. Jobs take their turn from the largest gang down, then by GPU-hours, then by name: each goes to the pool
of least total for what those before it left. The bound lets jobs be divided: jobs alike in workload, chip and pools are one row of the
placement's own program (`kernels.place`), whose optimum costs no more than any placement of whole jobs (P-04).
Source  model P-01, P-03, P-04
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..kernels import place as kernel
from ..kernels.slots import one_block
from .place import HOURS, Job, Offers, Pool, Quote, busy_hours, cost_of, ranked, refusal, stack

PLENTY = 100.0  # times the dearest hour: what a GPU-h served is worth in the bound, so that serving comes first


Alike = tuple[str | None, str | None]  # workload and chip: jobs that run equally long everywhere


def stretches_of(offers: Offers, jobs: Sequence[Job]) -> dict[Alike, dict[str, float]]:
    """Run time in each pool over that of the fastest, of each kind of job."""
    kinds = {(job.workload, job.chip): job for job in jobs}
    return {alike: offers.stretches(job) for alike, job in kinds.items()}


def window_of(offers: Offers, jobs: Sequence[Job]) -> float:
    """Hours that a batch shares: those left of the month, or of its longest job in its slowest pool."""
    slowest = {alike: max(found.values(), default=1.0) for alike, found in stretches_of(offers, jobs).items()}
    return max([offers.hours, *(job.hours * slowest[job.workload, job.chip] for job in jobs)])


def turn(job: Job) -> tuple[int, float, str]:
    """The order in which jobs are placed."""
    return -job.gpus, -job.gpus * job.hours, job.name


def together(offers: Offers, jobs: Sequence[Job]) -> tuple[dict[str, Quote], dict[str, list[Quote]]]:
    """The best quote of each job that finds a place, and all quotes of those that do not."""
    window = window_of(offers, jobs)
    parts = {pool.label: stack(pool, window) for pool in offers.pools}
    taken = {pool.label: busy_hours(pool, window) for pool in offers.pools}
    whole = {label: sum(size for size, _, _ in stacked) for label, stacked in parts.items()}
    stretches = stretches_of(offers, jobs)
    placed: dict[str, Quote] = {}
    nowhere: dict[str, list[Quote]] = {}
    for job in sorted(jobs, key=turn):
        quotes = []
        for pool in offers.pools:
            run = job.hours * stretches[job.workload, job.chip][pool.label]
            quotes.append(_quote(offers, job, pool, run, (parts[pool.label], taken[pool.label], whole[pool.label])))
        best = ranked(quotes)[:1]
        if best:
            placed[job.name] = best[0]
            taken[best[0].pool.label] += best[0].gpu_hours
        else:
            nowhere[job.name] = quotes
    return placed, nowhere


def _quote(offers: Offers, job: Job, pool: Pool, run: float, at: tuple[list[tuple[float, float, str]], float, float]) -> Quote:
    parts, taken, whole = at
    need, fit = job.gpus * run, offers.fit(job, pool)
    refused = refusal(job, pool, fit)
    if refused is None and need > whole - taken + 1e-6:
        left = max(whole - taken, 0.0)
        refused = HOURS, f"{left:,.0f} GPU-h are left", f"{need - left:,.0f} GPU-h more", None
    if refused:
        return Quote(pool, need, run, None, None, (), *refused)
    usd, why = cost_of(parts, taken, need)
    return Quote(pool, need, run, usd, None if fit.moving is None else fit.moving * need, why)


def bound(offers: Offers, jobs: Sequence[Job]) -> float:
    """USD below which no placement of all these jobs can cost, hours and moving."""
    window = window_of(offers, jobs)
    rows: dict[tuple[str | None, str | None, tuple[int, ...]], float] = {}
    for job in sorted(jobs, key=turn):
        pools = tuple(k for k, pool in enumerate(offers.pools) if refusal(job, pool, offers.fit(job, pool)) is None)
        rows[job.workload, job.chip, pools] = rows.get((job.workload, job.chip, pools), 0.0) + job.gpus * job.hours
    if not rows:
        return 0.0
    samples = [Job("", 1, 1.0, work, chip) for work, chip, _ in rows]
    table, out = _solved(offers, samples, [k for _, _, k in rows], np.array(list(rows.values())), window)
    use = out.use[:, :, 0, 0]
    usd = 0.0
    for k, pool in enumerate(offers.pools):
        usd += cost_of(stack(pool, window), busy_hours(pool, window), float(use[:, k].sum()))[0]
    return float(usd + (use * table.moving[:, :, 0]).sum())


def _solved(
    offers: Offers, rows: list[Job], pools: list[tuple[int, ...]], work: np.ndarray, window: float
) -> tuple[kernel.Loads, kernel.Placement]:
    """The placement of rows of work (GPU-h where each is fastest) in what is not busy, cheapest first."""
    w, count, whole = len(rows), len(offers.pools), np.int64
    segments = _segments(offers, window)
    eligible = np.zeros((w, count), whole)
    speed, moving = np.zeros((w, count, 1)), np.zeros((w, count, 1))
    for r, job in enumerate(rows):
        eligible[r, list(pools[r])] = 1
        stretches = offers.stretches(job)
        for k, pool in enumerate(offers.pools):
            speed[r, k], moving[r, k] = 1.0 / stretches[pool.label], offers.fit(job, pool).moving or 0.0
    names = np.argsort(np.argsort([pool.label for pool in offers.pools])).astype(whole)
    nothing, turns, limits = np.full(w, -1, whole), np.arange(w, dtype=whole), np.full(count, -1, whole)
    jobs = kernel.Jobs(eligible, nothing, np.zeros(w, whole), turns, names, limits, one_block(w))
    plenty = PLENTY * (1.0 + float(segments.cost.max(initial=0.0)) + float(moving.max(initial=0.0))) / float(speed.min(initial=1.0))
    loads = kernel.Loads(work.reshape(w, 1, 1), speed, np.full((w, 1), plenty), moving)
    out = kernel.placement(w, count, len(segments.pool), 1, 1)
    kernel.place_block(
        segments, jobs, loads, np.zeros((count, 1, 1)), np.zeros((1, 1)), kernel.scratch(w, count, len(segments.pool), 1), out
    )
    return loads, out


def _segments(offers: Offers, window: float) -> kernel.Segments:
    """What is not busy, as segments: at least one a pool."""
    pool, cap, cost = [], [], []
    for k, p in enumerate(offers.pools):
        held = busy_hours(p, window)
        for size, price, _ in stack(p, window) or [(0.0, 0.0, "")]:
            skipped = min(held, size)
            held -= skipped
            pool.append(k)
            cap.append(size - skipped)
            cost.append(price)
    shape = (len(pool), 1, 1)
    return kernel.Segments(np.array(pool, np.int64), np.array(cap).reshape(shape), np.array(cost).reshape(shape))
