"""Verbs that act on a plan: `offtake place`, `offtake export schedule`."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from .base import AsOf, BookName, Json, Seed, Sets, Store, app, day_of, say, say_json, width


def moment_of(text: str | None) -> Any:
    """A moment of the command line; nothing where none was given."""
    try:
        found = None if text is None else datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if text is not None and (found is None or found.tzinfo is not None):
        raise typer.BadParameter(f"'{text}' is no local moment; write 2026-09-14T08:00")
    return found


@app.command("place")
def place_job(
    book: BookName,
    gpus: Annotated[int | None, typer.Option(help="GPUs that start together.")] = None,
    hours: Annotated[float | None, typer.Option(help="Run time in the pool where the job is fastest.")] = None,
    chip: Annotated[str | None, typer.Option(help="Only pools of this chip.")] = None,
    workload: Annotated[str | None, typer.Option(help="A workload of the book: where it may run, how fast, what moving costs.")] = None,
    jobs: Annotated[Path | None, typer.Option("--jobs", metavar="FILE", help="A batch (CSV or YAML) placed together.")] = None,
    state: Annotated[Path | None, typer.Option("--state", metavar="FILE", help="What is busy: sacct or squeue output, or YAML.")] = None,
    partition: Annotated[list[str] | None, typer.Option("--partition", metavar="NAME=POOL", help="A partition's pool in the book.")] = None,
    month: Annotated[str | None, typer.Option("--month", help="Whose prices count, as 2026-09; this month unless told.")] = None,
    now: Annotated[str | None, typer.Option("--now", metavar="MOMENT", help="As 2026-09-14T08:00; the clock unless told.")] = None,
    charge_queue: Annotated[bool, typer.Option("--charge-queue", help="Count waiting too, at the value of the job's hours.")] = False,
    seed: Seed = 1,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say which pool a job goes to now, what it costs there and elsewhere, or what would make room."""
    if (jobs is None) == (gpus is None and hours is None) or (jobs is None and (gpus is None or hours is None)):
        raise typer.BadParameter("give --gpus and --hours of one job, or --jobs FILE of a batch")
    if jobs is not None and (chip or workload or charge_queue):
        raise typer.BadParameter("--chip, --workload and --charge-queue are of one job; in a batch the first two are columns")
    from ..front import actions
    from ..reports.placed import batch_text, job_text

    how: actions.How = {
        "set": set_ or (), "as_of": day_of(as_of), "store": store, "month": month, "state": state, "partitions": partition or (),
        "now": moment_of(now), "seed": seed, "charge": charge_queue,
    }  # fmt: skip
    if jobs is not None:
        found = actions.place_file(book, jobs, **how)
        say_json(found) if as_json else say(batch_text(found, width()))
    else:
        found = actions.place(book, actions.job_of(gpus or 0, hours or 0.0, chip, workload), **how)
        say_json(found) if as_json else say(job_text(found, width()))


export = typer.Typer(help="Hand a plan to other systems.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(export, name="export")


class Target(str, Enum):  # noqa: UP042 -- typer shows the values of this form
    """Schedulers there are writers for."""

    slurm = "slurm"
    skypilot = "skypilot"
    kueue = "kueue"


@export.command("schedule")
def export_schedule(
    book: BookName,
    month: Annotated[str, typer.Option("--month", help="The month, as 2026-09.")],
    to: Annotated[Target, typer.Option("--to", metavar="TARGET", help="slurm, skypilot or kueue.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A folder of its own for the files.")],
    against: Annotated[Path | None, typer.Option("--against", metavar="DIR", help="The plan in force, to say what changes.")] = None,
    seed: Seed = 1,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write a month's placement as whole GPUs by workload and pool, as configuration that a scheduler loads."""
    from ..front import actions
    from ..reports.schedule_text import schedule_text

    how: actions.Asked = {"set": set_ or (), "as_of": day_of(as_of), "store": store, "seed": seed}
    found = actions.export_schedule(book, month, to.value, out, against, **how)
    say_json(found) if as_json else say(schedule_text(found, width()))
