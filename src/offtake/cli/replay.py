"""The verb that replays a job trace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from .base import Json, Sets, app, say, say_json, width

MONTHS = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:\.\.(\d{4})-(0[1-9]|1[0-2]))?")

Requests = Annotated[
    list[str] | None,
    typer.Option("--requests", metavar="[WORKLOAD=]FILE[:TRACE]", help="Of a book: its inference follows this trace; repeatable."),
]


@app.command("replay")
def replay_trace(
    book: Annotated[str | None, typer.Argument(metavar="[BOOK]", help="A book whose pools are replayed; or give --pools.")] = None,
    trace: Annotated[Path | None, typer.Option("--trace", metavar="FILE", help="Jobs: a file as docs/traces.md says.")] = None,
    pools: Annotated[Path | None, typer.Option("--pools", metavar="FILE", help="A YAML file of pools, instead of a book.")] = None,
    mix: Annotated[str, typer.Option(help="Of a book: trace, book (its own workloads) or half.")] = "trace",
    policy: Annotated[str, typer.Option(help="fifo, backfill, sjf, las or priority.")] = "fifo",
    months: Annotated[str | None, typer.Option(help="Of a book, as in 2027-01..2027-06; its second year unless told.")] = None,
    failures: Annotated[str, typer.Option(help="none, book (as the book or the file of pools states) or llama3.")] = "none",
    pin_pools: Annotated[bool, typer.Option("--pin-pools", help="With --pools: a job runs only in the pool that the trace names.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without rows at fault; they are counted and said.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Chance of failures: the same seed, the same bits.")] = 1,
    segment: Annotated[int | None, typer.Option(min=0, help="Of a book: GPUs of a rack that one gang's part may take.")] = None,
    spares: Annotated[int, typer.Option(min=0, help="Of a book: GPUs of every rack held back for failures.")] = 0,
    compare: Annotated[str | None, typer.Option(metavar="WHAT", help="segment, spares or both: the same jobs with and without.")] = None,
    maintenance: Annotated[str | None, typer.Option(metavar="TEXT", help="Rolling, as in '8 h every 90 days' for each domain.")] = None,
    requests: Requests = None,
    step: Annotated[str | None, typer.Option(metavar="TIME", help="Of --requests: how often replicas come and go; else 1 h.")] = None,
    set_: Sets = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write timeline.html and events.csv into this folder.")] = None,
    as_json: Json = False,
) -> None:
    """Replay a trace job by job: waits, and where every GPU-hour went."""
    from ..front import replays
    from ..reports.replay import replay_text

    of_book = bool(mix != "trace" or months or segment is not None or spares or set_ or requests or step)
    _fitting(book, pools, trace, of_book, pin_pools)
    asked = replays.also(replays.asked(policy, failures, pin_pools, skip_bad, seed, out is not None), compare, maintenance)
    wanted = replays.wanted(mix, _window(months), segment, spares, requests or (), step)
    answer = _replayed(book, trace, pools, wanted, set_, asked)
    written = replays.write(answer, out) if out is not None else []
    say_json(answer.told) if as_json else say(replay_text(answer.told, width()))
    if written:
        typer.echo("\n".join(f"written: {path}" for path in written), err=True)


def _fitting(book: str | None, pools: Path | None, trace: Path | None, of_book: bool, pin_pools: bool) -> None:
    """Options that go together. Raises BadParameter."""
    if (book is None) == (pools is None):
        raise typer.BadParameter("give a BOOK or --pools FILE, one of the two")
    if pools is not None and trace is None:
        raise typer.BadParameter("--pools needs --trace FILE")
    if pools is not None and of_book:
        raise typer.BadParameter(
            "--mix, --months, --segment, --spares, --requests, --step and --set are questions to a BOOK; a file of pools states its own"
        )
    if book is not None and pin_pools:
        raise typer.BadParameter("--pin-pools goes with --pools: a book's pools are not those of a trace")


def _window(months: str | None) -> tuple[int, int] | None:
    """First and last month as year x 12 + month - 1."""
    if months is None:
        return None
    match = MONTHS.fullmatch(months)
    if not match:
        raise typer.BadParameter(f"--months is a month or two, as in 2027-01..2027-06, not '{months}'")
    first = int(match[1]) * 12 + int(match[2]) - 1
    return first, int(match[3]) * 12 + int(match[4]) - 1 if match[3] else first


def _replayed(
    book: str | None, trace: Path | None, pools: Path | None, wanted: Any, sets: list[str] | None, asked: Any
) -> Any:
    from .. import front
    from ..front import replays
    from ..reports.progress import Progress

    with Progress() as progress:
        if book is None:
            assert trace is not None and pools is not None
            return replays.on_pools(trace, pools, asked, progress)
        plan = front.compile(front.load(book, set=sets or ()))
        return replays.on_book(plan, asked, wanted, trace, progress)
