"""Verbs of what a deal is worth: the market's move, the tree, the way to an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .base import BookName, Json, Paths, Sampler, Scenarios, Seed, Sets, Workers, app, computed, say, say_json, width


@app.command("event")
def event_study(
    book: BookName,
    closes: Annotated[Path, typer.Option("--closes", help="Daily closes, `date,TICKER,..`.")],
    event: Annotated[str | None, typer.Option(help="A date or an event of the book; its first event unless told.")] = None,
    of: Annotated[str | None, typer.Option(help="The company, such as amzn.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="A ticker of the closes; the book's benchmarks unless told.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Study one day of a share: abnormal return, what it implies in USD, and what one must believe."""
    from ..reports.worth import event_text

    with computed(book, paths, seed, workers, scenario, set_, sampler=sampler) as done:
        found = done.read_closes(closes).event(event, of, benchmark)
    say_json(found) if as_json else say(event_text(found, width()))


@app.command("tree")
def scenario_tree(
    book: BookName,
    closes: Annotated[Path, typer.Option("--closes", help="Daily closes, `date,TICKER,..`.")],
    paths: Paths = 1_024,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Price the book's tree: leaves, statements with and without the deal, and positions."""
    from ..reports.worth import tree_text

    with computed(book, paths, seed, workers, None, set_, sampler=sampler) as done:
        found = {"stamp": done.stamp.to_dict()} | done.read_closes(closes).market_tree
    say_json(found) if as_json else say(tree_text(found, width()))


@app.command("stress")
def reverse_stress(
    book: BookName,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="Such as 'rpo of contracts.aws @ 2026-12 < 10 bn USD'.")],
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    sampler: Sampler = "sobol",
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Find the most likely inputs that bring an outcome about, and the path that came nearest."""
    from ..reports.stress import stress_text

    with computed(book, paths, seed, workers, scenario, set_, sampler=sampler) as done:
        found = done.stress(outcome)
    say_json(found) if as_json else say(stress_text(found, width()))
