"""Answers about placing jobs, as plain values: the best pool, the runner-up, every other pool with its cause, and what would make room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import inf
from typing import Any

from ..book.terms import Book
from ..errors import QuestionError
from ..units import format_value
from .place import Job, Offers, Quote, fits_no_fabric, nearest, quote, ranked
from .together import bound, together, window_of

REPLAYED = "mean wait of such a gang in replays at the pool's load in this month and at the book's mix and failures; `<=`: a bound"


def note_of_queue(offers: Offers, jobs: Sequence[Job]) -> str:
    """What the queues are, and by which rule they count."""
    known = [found.gang for pool in offers.pools for job in jobs if (found := pool.queue.of(job.gpus))]
    if not known:
        return "queue: no pool has a known one, and none is charged"
    if min(known) == inf:
        return "queue: what the state says, and no replay"
    if not offers.charge:
        return f"queue: {REPLAYED}; not charged (--charge-queue)"
    rates = {job.workload: job.gpus * offers.value[job.workload] for job in jobs if job.workload}
    told = ", ".join(f"{work}: {format_value(usd, 'USD')} an hour" for work, usd in rates.items())
    return f"queue: {REPLAYED}; it is charged at what the hours that wait are worth to the workload (D-04; {told})"


def require(book: Book, offers: Offers, jobs: Sequence[Job]) -> None:
    """Raises QuestionError for what the book does not know, and for a job larger than any fabric."""
    chips = list(dict.fromkeys(pool.chip for pool in offers.pools))
    for job in jobs:
        if job.workload is not None and job.workload not in book.workloads:
            raise QuestionError(f"{job.name}: no workload is called '{job.workload}'; this book has {', '.join(book.workloads)}")
        if job.chip is not None and job.chip not in chips:
            raise QuestionError(f"{job.name}: no pool has the chip '{job.chip}'; this book's pools have {', '.join(chips)}")
        if offers.charge and job.workload is None:
            raise QuestionError(f"{job.name}: --charge-queue needs --workload: waiting costs what its hours are worth")
        if too_large := fits_no_fabric(offers, job):
            raise QuestionError(too_large)


def row_of(q: Quote, gpus: int) -> dict[str, Any]:
    """One pool's answer; what is not known is None."""
    fits = q.cause is None
    return {
        "pool": q.pool.label, "cloud": q.pool.cloud, "chip": q.pool.chip, "ready_gpus": min(q.pool.ready, q.pool.open),
        "free_gpus": q.pool.free, "run_h": q.run_hours, "gpu_h": q.gpu_hours,
        "marginal_usd_per_gpu_h": q.compute / q.gpu_hours if q.compute is not None else None,
        "compute_usd": q.compute, "moving_usd": q.moving if fits else None, "total_usd": q.total if fits else None,
        "why": list(q.why), "cause": q.cause, "told": q.told, "room": q.room, "wait_h": q.wait,
    } | (queue_of(q, gpus) if fits else dict.fromkeys(QUEUE) | {"queue_told": []})  # fmt: skip


QUEUE = ("queue_h", "queue_p95_h", "queue_at_most", "queue_factor", "queue_usd", "queue_told")


def queue_of(q: Quote, gpus: int) -> dict[str, Any]:
    """What the job is expected to wait in a pool, and why that is not known where it is not."""
    found = q.queue
    mean, p95, factor = (found.mean, found.p95, found.factor) if found else (None, None, None)
    told = list(q.pool.queue.why(gpus))
    return dict(zip(QUEUE, (mean, p95, q.pool.queue.at_most if found else None, factor, q.queue_usd, told), strict=True))


def place_one(offers: Offers, job: Job) -> dict[str, Any]:
    """Where a job goes now."""
    quotes = [quote(offers, job, pool) for pool in offers.pools]
    order = ranked(quotes)
    rows = [row_of(q, job.gpus) for q in order] + [row_of(q, job.gpus) for q in quotes if q.cause is not None]
    best, second = (rows[0] if order else None), (rows[1] if len(order) > 1 else None)
    comparable = len(order) > 1 and order[0].last == order[1].last
    worse = second["total_usd"] - best["total_usd"] if best and second and comparable else None
    value = offers.value.get(job.workload or "")
    return {
        "job": asdict(job), "best": best, "runner_up": second, "worse_usd": worse,
        "worse_share": worse / best["total_usd"] if worse is not None and best and best["total_usd"] > 0.0 else None,
        "value_usd": None if value is None else value * job.gpus * job.hours,
        "nowhere": None if order else row_of(nearest(quotes), job.gpus), "pools": rows, "notes": notes_of(offers, [job]),
    }  # fmt: skip


def place_batch(offers: Offers, jobs: Sequence[Job]) -> dict[str, Any]:
    """Where each job of a batch goes, and the distance to the bound."""
    placed, nowhere = together(offers, jobs)
    inside = [job for job in jobs if job.name in placed]
    total = sum(q.total for q in placed.values())
    least = bound(offers, inside)
    rows = []
    for job in jobs:
        q = placed.get(job.name) or nearest(nowhere[job.name])
        rows.append({"job": job.name, "gpus": job.gpus, "hours": job.hours, "workload": job.workload} | row_of(q, job.gpus))
    gap = max(total - least, 0.0)  # below 0 by rounding alone
    return {
        "jobs": rows, "placed": len(inside), "nowhere": len(jobs) - len(inside), "total_usd": total, "bound_usd": least,
        "gap_usd": gap, "gap_share": gap / least if least > 0.0 else None, "window_h": window_of(offers, jobs),
        "order": "the largest gang first, then the most GPU-hours, then the name; each job to the pool of least total for what is left",
        "notes": notes_of(offers, jobs),
    }  # fmt: skip


def notes_of(offers: Offers, jobs: Sequence[Job]) -> list[str]:
    """What the answer takes as given."""
    notes = [*offers.notes, note_of_queue(offers, jobs)]
    if any(job.workload is None for job in jobs):
        notes.append("moving: no workload was named, so nothing is charged for it and every pool may run the job")
    return notes
