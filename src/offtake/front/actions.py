"""The public API of actions: where a job goes now, and the plan of a month as schedulers' configuration. Machinery is imported inside."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from ..errors import QuestionError

if TYPE_CHECKING:
    from ..book.terms import Book
    from ..occupied import State
    from ..plan import Plan
    from ..studies.place import Job, Offers


class Asked(TypedDict, total=False):
    """What else an action may be told: patches, day and store of facts as a run; the seed of the draws whose means make the mean path."""

    set: Sequence[str]
    as_of: date | None
    store: str | Path | None
    seed: int


class How(Asked, total=False):
    """What else a placement may be told.

    month       whose prices count, as 2026-09; the month of `now` where it is not told
    state       a file of what is busy (docs/actions.md)
    partitions  NAME=POOL: what a partition of the state is in the book
    now         the moment; the machine's clock where it is not told
    charge      whether waiting is charged, at the value of the job's hours
    """

    month: str | None
    state: str | Path | None
    partitions: Sequence[str]
    now: datetime | None
    charge: bool


def job_of(gpus: int, hours: float, chip: str | None, workload: str | None) -> Job:
    """The job of a command line. Raises QuestionError for one that needs no GPU or no time."""
    from ..studies.place import Job

    if gpus < 1 or not 0.0 < hours < float("inf"):
        raise QuestionError(f"{gpus} GPUs for {hours:g} hours is no job; both are above 0")
    return Job("the job", gpus, hours, workload, chip)


def place(book: str | Path, job: Job, **how: Unpack[How]) -> dict[str, Any]:
    """Which pool a job goes to now: {best, runner_up, worse_usd, nowhere, pools, notes, ..}.

    Raises QuestionError and BookError for what the book, the question or the state has wrong.
    """
    from ..studies.placed import place_one, require

    loaded, offers, about = _offers(book, how)
    require(loaded, offers, [job])
    return about | place_one(offers, job)


def place_file(book: str | Path, file: str | Path, **how: Unpack[How]) -> dict[str, Any]:
    """Where each job of a file goes, placed together in the GPU-hours left of the month."""
    from ..studies.batch import read_batch
    from ..studies.placed import place_batch, require

    jobs = read_batch(file)
    loaded, offers, about = _offers(book, how)
    require(loaded, offers, jobs)
    return about | place_batch(offers, jobs)


def month_index(plan: Plan, written: str | None, now: datetime) -> int:
    """Index of a month of the horizon. Raises QuestionError for one outside it."""
    from ..book.numbers import Fault, Month

    try:
        month = Month(written) if written is not None else Month(f"{now:%Y-%m}")
    except Fault:
        raise QuestionError(f"'{written}' is no month; write it as 2026-09") from None
    if not plan.start <= month < plan.start + plan.months:
        first, last = Month(plan.start), Month(plan.start + plan.months - 1)
        what = f"{month} is outside" if written is not None else f"this month, {month}, is outside"
        raise QuestionError(f"{what} the book's horizon, {first} to {last}; give --month inside it")
    return int(month) - plan.start


def _offers(book: str | Path, how: How) -> tuple[Book, Offers, dict[str, Any]]:
    """Everything cheap is judged before the mean path is computed."""
    from .. import front
    from ..book.text import book_hash
    from ..studies.offers import offers_of, with_busy

    now = how.get("now") or datetime.now()
    loaded = front.load(book, how.get("set", ()), how.get("as_of"), how.get("store"))
    plan = front.compile(loaded)
    m = month_index(plan, how.get("month"), now)
    state = _state(plan, m, now, how)
    seed = how.get("seed", 1)
    offers = offers_of(plan, seed, m, state.used if state else {})
    same = int(now.year * 12 + now.month - 1) == plan.start + m
    left = _hours_left(now) if same and state else float(plan.hours[m])
    offers = replace(with_busy(offers, state.busy if state else (), left), charge=how.get("charge", False))
    about = {
        "book": book_hash(loaded), "seed": seed, "month": offers.month, "now": f"{now:%Y-%m-%dT%H:%M}" if state else None,
        "state": {"file": state.file, "at": f"{state.at:%Y-%m-%dT%H:%M}", "busy_gpus": sum(b.gpus for b in state.busy)} if state else None,
    }  # fmt: skip
    return loaded, offers, about


def _hours_left(now: datetime) -> float:
    """Hours of the month that are left."""
    days = calendar.monthrange(now.year, now.month)[1]
    return 24.0 * days - (24.0 * (now.day - 1) + now.hour + now.minute / 60.0)


def _state(plan: Plan, month: int, now: datetime, how: How) -> State | None:
    from ..occupied import Known, read_state

    file = how.get("state")
    if file is None:
        return None
    named = {}
    for pair in how.get("partitions", ()):
        partition, equals, pool = pair.partition("=")
        if not equals or pool not in plan.names.pool_labels:
            raise QuestionError(f"--partition takes NAME=POOL with a pool of the book ({', '.join(plan.names.pool_labels)}), not '{pair}'")
        named[partition] = pool
    return read_state(file, Known(plan.names.pool_labels, _periods(plan, month), named, now))


def _periods(plan: Plan, month: int) -> dict[str, list[str]]:
    """Months of the period under way up to `month`, of contracts whose use to date counts."""
    from ..book.numbers import Month
    from ..studies.offers import first_of_period, has_shadow

    found = {}
    for c, name in enumerate(plan.names.contracts):
        if has_shadow(plan, c):
            found[name] = [str(Month(plan.start + m)) for m in range(first_of_period(plan, c, month), month + 1)]
    return found


def export_schedule(
    book: str | Path, month: str, target: str, out: str | Path, against: str | Path | None, **how: Unpack[Asked]
) -> dict[str, Any]:
    """Write a month's placement as files of `slurm`, `skypilot` or `kueue`, and say what changes against a plan in force.

    Raises QuestionError for a month, a target or a plan in force that is none, WriteError, before anything is written, where someone else's
    file stands in the folder.
    """
    from dataclasses import asdict

    from .. import front
    from ..book.text import book_hash
    from ..quotas import changes, in_force
    from ..reports import schedules
    from ..reports.schedules import folder
    from ..studies.months import schedule_of

    loaded = front.load(book, how.get("set", ()), how.get("as_of"), how.get("store"))
    plan = front.compile(loaded)
    m = month_index(plan, month, datetime(1, 1, 1))
    mark = schedules.mark_of(Path(book).stem, target)
    before = folder.held(Path(out), mark)
    old = None if against is None else schedules.read_back(folder.plan_in(Path(against), mark), target)
    seed = how.get("seed", 1)
    made = schedule_of(plan, seed, m, Path(book).stem)
    files = schedules.files_of(made, target)
    done = folder.put_files(Path(out), files, before)
    return {
        "book": book_hash(loaded), "seed": seed, "month": made.month, "to": target, "out": str(out),
        "against": None if against is None else str(against), "halls": [asdict(hall) | {"nodes": hall.nodes} for hall in made.halls],
        "quotas": [asdict(q) | {"pool": q.hall, "gpus": q.gpus} for q in made.quotas],
        "changes": None if old is None else changes(old, in_force(made.quotas)), "files": done,
    }  # fmt: skip
