"""Verbs that run a book: answers, one measure, an explanation, two sides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .base import (
    AsOf,
    BookName,
    ClosesFile,
    Cluster,
    Json,
    Most,
    Paths,
    Resume,
    Sampler,
    Scenarios,
    Seed,
    Sets,
    Store,
    Until,
    Workers,
    app,
    computed,
    known_sampler,
    say,
    say_json,
    say_stopped,
    width,
)

Stresses = Annotated[
    list[str] | None,
    typer.Option("--stress", metavar="OUTCOME", help="In the report: what brings 'MEASURE of ENTITY @ PERIOD < LEVEL' about."),
]


if TYPE_CHECKING:
    from ..front import Run

PathsOut = Annotated[Path | None, typer.Option("--paths-out", metavar="FILE", help="Write the headlines of every path as Parquet.")]


@app.command("run")
def run_book(
    book: BookName,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    until: Until = None,
    most: Most = 1_048_576,
    cluster: Cluster = None,
    resume: Resume = False,
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the report; this folder unless told.")] = None,
    closes: ClosesFile = None,
    stress: Stresses = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="Write an Excel workbook too, with live formulas.")] = None,
    paths_out: PathsOut = None,
    full: Annotated[bool, typer.Option("--full", help="Print every answer whole; else what is long is cut at a sentence.")] = False,
    as_json: Json = False,
) -> None:
    """Answer the book's 13 questions and write the report BOOK.html."""
    from ..reports.terminal import answers_text

    target = (out or Path(".")) / f"{Path(book).stem}.html"
    kept = target.with_suffix(".chunks") if resume or cluster else None
    with computed(book, most if until else paths, seed, workers, scenario, set_, as_of, store, sampler, until, cluster, kept) as done:
        _require_writable(target, xlsx, paths_out)
        if closes is not None:
            done.read_closes(closes)
        for outcome in stress or ():
            done.stress(outcome)
        done.report(target)
        answers = done.answers()
        _write_also(done, xlsx, paths_out)
    say_json(answers) if as_json else say(answers_text(answers, width(), full))
    named = {"report": target, "workbook": xlsx, "paths": paths_out}
    typer.echo("\n".join(f"{what}: {file}" for what, file in named.items() if file is not None), err=True)
    say_stopped(done)


def _require_writable(*files: Path | None) -> None:
    """Raises WriteError, before anything is computed, where a file may not be written."""
    from ..files import allowed

    for file in files:
        if file is not None:
            allowed(file)


def _write_also(done: Run, xlsx: Path | None, paths_out: Path | None) -> None:
    """What was asked for beside the report."""
    if xlsx is not None:
        done.workbook(xlsx)
    if paths_out is not None:
        done.paths(paths_out)


@app.command("measure")
def measure_book(
    book: BookName,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A measure (`offtake list measures`) or an address: 'p95(revenue of contracts.x @ 2027)'.")
    ],
    of: Annotated[str | None, typer.Option(help="The entity, such as contracts.aws.")] = None,
    by: Annotated[str | None, typer.Option(help="month, quarter, fiscal-quarter, fiscal-year, calendar-year or total.")] = None,
    path: Annotated[int | None, typer.Option(min=0, help="The values of this one path.")] = None,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    until: Until = None,
    most: Most = 1_048_576,
    cluster: Cluster = None,
    resume: Resume = False,
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Print one measure by period: mean, quantiles and their Monte Carlo errors."""
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    from ..reports.terminal import table_text

    kept = Path(".") / f"{Path(book).stem}.chunks" if resume or cluster else None
    with computed(book, most if until else paths, seed, workers, scenario, set_, as_of, store, sampler, until, cluster, kept) as done:
        table = done.ask(name, of=of, by=by, path=path)
    if as_json:
        say_json(table.about | {"rows": table.rows()})
    elif as_csv:
        say(table.to_csv(), nl=False)
    else:
        say(table_text(table, width()))
    say_stopped(done)


@app.command("explain")
def explain_measure(
    book: BookName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A measure.")],
    of: Annotated[str | None, typer.Option(help="The entity, such as contracts.aws.")] = None,
    at: Annotated[str | None, typer.Option(help="A period, such as 2026 or FY2026Q2.")] = None,
    path: Annotated[int | None, typer.Option(min=0, help="Open the number on this one path, month by month.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Open a number: rule, formula, value, the inputs that move it, and their sources."""
    from ..reports.terminal import explain_text

    with computed(book, paths, seed, workers, scenario, set_, as_of, store, sampler) as done:
        found = done.explain(name, of=of, at=at, path=path)
    say_json(found) if as_json else say(explain_text(found, width()))


@app.command("compare")
def compare_sides(
    a: Annotated[str, typer.Argument(metavar="A", help="BOOK, BOOK:SCENARIO or BOOK:ONE+OTHER; `base` forces the book without scenarios.")],
    b: Annotated[str | None, typer.Argument(metavar="[B]", help="The other side; A as it is written unless told.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Annotated[list[str] | None, typer.Option("--scenario", help="Force a scenario on side B.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Replace a number on side B.")] = None,
    as_json: Json = False,
) -> None:
    """Put every headline of two sides side by side and attribute the change, input by input."""
    from .. import front
    from ..reports.comparison import comparison_text
    from ..reports.progress import Progress

    if b is None and not scenario and not set_:
        raise typer.BadParameter("name a second side, or say how it differs with --scenario or --set")
    first = front.side(a, sampler=known_sampler(sampler))
    second = front.side(b or a, set_ or (), scenario or (), sampler)
    with Progress() as progress:
        found = front.compare(first, second, paths, seed, workers, progress)
    say_json(found) if as_json else say(comparison_text(found, width()))
