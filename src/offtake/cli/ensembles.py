"""Verbs that ask the whole ensemble: what inputs hold, and the same draws at many values of a number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .base import (
    AsOf,
    BookName,
    Json,
    Paths,
    Sampler,
    Scenarios,
    Seed,
    Sets,
    Store,
    Workers,
    app,
    computed,
    day_of,
    known_sampler,
    say,
    say_json,
    width,
)

Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Overs = Annotated[
    list[str],
    typer.Option("--over", metavar="PATH=FROM..TO:COUNT", help="A number and its values, or PATH=VALUE,VALUE; again for a grid."),
]
Measures = Annotated[
    list[str] | None,
    typer.Option("--measure", metavar="ADDRESS", help="What to read; NPV, revenue and idle value of the deal unless told."),
]
Given = Annotated[
    str | None,
    typer.Option("--given", metavar="CONDITION", help="Only paths where it holds: 'coverage @ 2027-03 < 1'; no period: in any month."),
]
Picture = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the picture, .svg, or with the table, .html.")]


def one_of(as_json: bool, as_csv: bool) -> None:
    """A wrong command line where both are asked for."""
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")


def say_found(found: dict[str, Any], as_json: bool, as_csv: bool, to_text: Callable[[], str]) -> None:
    """Print what was found: whole as JSON, its rows as CSV, or as text."""
    from ..tables import Table

    if as_json:
        say_json(found)
    elif as_csv:
        say(Table({k: [r[k] for r in found["rows"]] for k in found["rows"][0]}).to_csv(), nl=False)
    else:
        say(to_text())


@app.command("sensitivity")
def sensitivity_of(
    book: BookName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A measure (`offtake list measures`), or an address with its period.")],
    of: Annotated[str | None, typer.Option(help="The entity, such as contracts.aws.")] = None,
    at: Annotated[str | None, typer.Option(help="A period, such as 2026 or FY2026Q2; the last one unless told.")] = None,
    given: Given = None,
    total: Annotated[int, typer.Option("--total", min=0, help="How many of the strongest inputs get a total index.")] = 8,
    top: Annotated[int, typer.Option("--top", min=1, help="How many inputs to show; JSON and CSV have all.")] = 12,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show what each input holds of a number, with sign and error; in a tail too, with --given."""
    one_of(as_json, as_csv)
    from ..reports.holds import holds_text

    with computed(book, paths, seed, workers, scenario, set_, as_of, store, sampler) as done:
        found = done.sensitivity(name, of, at, given, total)
    say_found(found, as_json, as_csv, lambda: holds_text(found, width(), top))


@app.command("tail")
def tail_of(
    book: BookName,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="Such as 'coverage of companies.x @ 2028-06 < 0.8'.")],
    measure: Measures = None,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Say how likely a rare outcome is, from paths drawn where it happens and weighted back, and figures where it holds."""
    from ..reports.tails import tail_text

    with computed(book, paths, seed, workers, scenario, set_, as_of, store, sampler) as done:
        found = done.tail(outcome, measure or ())
    say_json(found) if as_json else say(tail_text(found, width()))


@app.command("sweep")
def sweep_book(
    book: BookName,
    over: Overs,
    measure: Measures = None,
    out: Picture = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Compute a book at many values of a number, or of several, on the same draws: a table and a picture."""
    one_of(as_json, as_csv)
    from .. import front
    from ..files import allowed, writable
    from ..reports import sweep as report
    from ..reports.progress import Progress

    if out is not None:
        report.require_picture(out, len(over))
        allowed(out)
    with Progress() as progress:
        found = front.sweep(
            book, over, measure or (), paths, seed, progress=progress, sampler=known_sampler(sampler), set=set_ or (),
            scenario=scenario or (), workers=workers, as_of=day_of(as_of), store=store,
        )  # fmt: skip
    if out is not None:
        report.write(found, writable(out))
        typer.echo(f"picture: {out}", err=True)
    say_found(found, as_json, as_csv, lambda: report.sweep_text(found, width()))
