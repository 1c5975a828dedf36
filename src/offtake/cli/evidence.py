"""Verbs of what is on record: forecasts scored, consumption."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .base import (
    AllowRefused,
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
    say,
    say_json,
    width,
)


@app.command("backtest")
def back_test_book(
    book: BookName,
    as_of: Annotated[str | None, typer.Option(metavar="DATES", help="Dates with commas; quarter ends of 7 quarters unless told.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the calibration picture, .svg.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Forecast reported totals with what was known on past dates, and score them against what came."""
    from .. import front
    from ..files import allowed, writable
    from ..reports import calibration
    from ..reports.scores import scores_text

    if out is not None:
        calibration.require_picture(out)
        allowed(out)
    loaded = front.load(book, store=store)
    dates = [day_of(d) for d in as_of.split(",")] if as_of else front.past_quarters(loaded)
    table = front.back_test(loaded, dates, paths, seed, store)
    if out is not None:
        calibration.write(table.about, writable(out))
    say_json(table.about | {"rows": table.rows()}) if as_json else say(scores_text(table, width()))


@app.command("pace")
def pace_book(
    book: BookName,
    of: Annotated[str | None, typer.Option(help="A contract, such as contracts.aws; all that bill unless told.")] = None,
    focus: Annotated[Path | None, typer.Option("--focus", help="A FOCUS 1.2 cost export of that contract.")] = None,
    commitment: Annotated[str | None, typer.Option(help="Its CommitmentDiscountId; the whole file unless told.")] = None,
    allow_refused: AllowRefused = False,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Set consumption beside glide path and forecast: shortfall, and the month in which it becomes unavoidable."""
    from .. import front
    from ..reports.pace import pace_text

    with computed(book, paths, seed, workers, scenario, set_, sampler=sampler) as done:
        export = None if focus is None else front.read_export(focus, sound=not allow_refused)
        found = done.pace(of, export, commitment)
    say_json(found) if as_json else say(pace_text(found, width()))


@app.command("focus")
def read_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A FOCUS 1.2 cost export, CSV or Parquet.")],
    allow_refused: AllowRefused = False,
    as_json: Json = False,
) -> None:
    """Read a cost export: what was consumed by commitment and month, and every row that does not reconcile."""
    from .. import front
    from ..reports.pace import export_text

    found = front.read_export(file)
    say_json(found.to_dict()) if as_json else say(export_text(found, width()))
    raise typer.Exit(0 if found.sound or allow_refused else 1)
