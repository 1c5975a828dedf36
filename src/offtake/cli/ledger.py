"""Verbs of the ledger: forecasts kept in a chain, the chain checked, and the forecasts scored."""

from __future__ import annotations

from typing import Annotated

import typer

from .base import AsOf, BookName, Json, Paths, Scenarios, Seed, Sets, Store, Workers, app, computed, day_of, say, say_json, width

ledger = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Forecasts as made, in a chain of hashes; and their scores.")
app.add_typer(ledger, name="ledger")

Given = Annotated[str, typer.Option(help="observations, facts, or both with a comma.")]


@ledger.command("record")
def record_forecasts(
    book: BookName,
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[NUMBER]..", help="As in 'revenue of companies.x @ 2027'; all signals' unless told.")
    ] = None,
    given: Annotated[str | None, typer.Option(help="Forecast with this evidence: observations, facts, or both with a comma.")] = None,
    reference: Annotated[
        list[str] | None, typer.Option(help="What others say of the one number, as in 'guidance=125 bn USD'; give it again.")
    ] = None,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    scenario: Scenarios = None,
    set_: Sets = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Keep what a book says of numbers that are not known yet."""
    from ..front import learn
    from ..reports.ledger import record_text

    kinds = tuple(part.strip() for part in given.split(",")) if given else ()
    with computed(book, paths, seed, workers, scenario, set_) as run:
        found = learn.record_forecasts(run, book, addresses or (), learn.Given(kinds, store=store), reference or ())
    say_json(found) if as_json else say(record_text(found, width()))


@ledger.command("verify")
def verify_chain(
    head: Annotated[str | None, typer.Option(metavar="HASH", help="A hash that you kept: it must be in the chain.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Check the chain row by row; a changed byte is named with its row, and the exit code is 1."""
    from ..front import learn
    from ..reports.ledger import verify_text

    found = learn.verify_ledger(store, head)
    say_json(found) if as_json else say(verify_text(found, width()))
    raise typer.Exit(1 if found["faults"] else 0)


@ledger.command("score")
def score_forecasts(
    book: Annotated[str | None, typer.Argument(metavar="[BOOK]", help="Forecasts of this book; of all unless told.")] = None,
    given: Given = "observations",
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Score forecasts by what was printed since: CRPS, log score, Brier, PIT, coverage, skill."""
    from ..front import learn
    from ..reports.ledger import score_text

    kinds = tuple(part.strip() for part in given.split(","))
    found = learn.score_ledger(book, learn.Given(kinds, day_of(as_of), store))
    say_json(found) if as_json else say(score_text(found, width()))
