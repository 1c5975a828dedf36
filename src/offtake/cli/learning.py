"""Verbs of what is learned: observations and what follows from them."""

from __future__ import annotations

from typing import Annotated

import typer

from .base import BookName, ClosesFile, Json, Paths, Scenarios, Seed, Sets, Store, Workers, app, computed, day_of, say, say_json, width

Figure = Annotated[
    str | None,
    typer.Argument(metavar="[FIGURE]", help="As in 'reported_rpo of companies.x @ 2026Q1 = 200 bn USD'; without one, list what there is."),
]


@app.command("observe")
def observe_figure(
    book: BookName,
    figure: Figure = None,
    source: Annotated[str | None, typer.Option(help="'PUBLISHER, DOCUMENT, 2026-02-06': where and when it was printed.")] = None,
    discrepancy: Annotated[
        str | None, typer.Option(help="How far the model may lie from the world, one s.d.: '2 %' of the figure, '5 bn USD', none.")
    ] = None,
    because: Annotated[str | None, typer.Option(help="Why that discrepancy; with --withdraw, why it is withdrawn.")] = None,
    rounding: Annotated[str | None, typer.Option(help="Rounded to this, or none; else its last digit.")] = None,
    spread: Annotated[str | None, typer.Option(help="One s.d. of 'approximately'; 5 % of the figure unless told.")] = None,
    covers: Annotated[str | None, typer.Option(help="Share of the measure that its definition covers: '90 %', '85 % to 95 %'.")] = None,
    definition: Annotated[str | None, typer.Option(help="How whoever printed it defines it.")] = None,
    withdraw: Annotated[int | None, typer.Option(metavar="NUMBER", help="Take this observation out of the evidence.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Keep a printed figure as evidence: = printed, ~ approximately, > more than, < less than, '= 190 to 210 bn USD', '= 7 of 10'."""
    from ..front import learn
    from ..reports.learning import observation_text, observations_text

    if withdraw is not None:
        if figure is not None or not because:
            raise typer.BadParameter("--withdraw takes a number and --because, and no figure")
        learn.withdraw(book, withdraw, because, store)
    if figure is None:
        rows = learn.observed(book, store)
        say_json(rows) if as_json else say(observations_text(rows, width()))
        return
    if source is None:
        raise typer.BadParameter("a figure has a source: --source 'PUBLISHER, DOCUMENT, 2026-02-06'")
    told = {"discrepancy": discrepancy, "because": because, "rounding": rounding, "spread": spread}
    told |= {"covers": covers, "definition": definition}
    found = learn.observe(book, figure, source, store, told)
    say_json(found) if as_json else say(observation_text(found, width()))


@app.command("condition")
def condition_book(
    book: BookName,
    given: Annotated[str, typer.Option(help="observations, facts, or both with a comma.")] = "observations",
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Evidence published by this date; all unless told.")] = None,
    show: Annotated[list[str] | None, typer.Option(help="A further number, such as 'revenue of companies.x @ 2027'.")] = None,
    discrepancy: Annotated[str | None, typer.Option(help="Of facts: how far model and world differ, one s.d.; '2 %' unless told.")] = None,
    because: Annotated[str | None, typer.Option(help="Why that discrepancy.")] = None,
    closes: ClosesFile = None,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    scenario: Scenarios = None,
    set_: Sets = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """What follows from what was observed: headlines, scenarios, inputs, tree and positions before and after."""
    from ..front import learn
    from ..reports.learning import condition_text
    from ..reports.tree_given import market_text

    kinds = tuple(part.strip() for part in given.split(","))
    evidence = learn.Given(kinds, day_of(as_of), store, discrepancy, because)
    with computed(book, paths, seed, workers, scenario, set_, store=store) as run:
        found = learn.condition(run.read_closes(closes) if closes else run, book, evidence, show or ())
    say_json(found) if as_json else say("\n\n".join([condition_text(found, width()), market_text(found["market"], width())]))


@app.command("watch")
def watch_signals(
    book: BookName,
    check: Annotated[bool, typer.Option("--check", help="Say which thresholds were crossed, a line each; exit code 3 if any.")] = False,
    target: Annotated[str | None, typer.Option(help="Rank by what they tell of it; a deal's NPV unless told.")] = None,
    given: Annotated[str, typer.Option(help="Evidence: observations, facts, or both with a comma.")] = "observations",
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="The day it is; the book's own, with all evidence, else.")] = None,
    closes: ClosesFile = None,
    money: Annotated[str | None, typer.Option(help="With --closes: what a position's weight of 100 % is; 10 M USD unless told.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Sizes to choose among: '0, 50 %, 100 %'; all or nothing unless told.")] = None,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    set_: Sets = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """What to watch: due when and where, expected figure, threshold, what it would tell, what we would do."""
    from ..front import learn
    from ..reports.watch import alert_line, watch_text

    evidence = learn.Given(tuple(part.strip() for part in given.split(",")), day_of(as_of), store)
    if check:
        told = learn.check_alerts(book, evidence)
        lines = [alert_line(told["book"], a) for a in told["alerts"]]
        say_json(told) if as_json else say("\n".join(lines) or f"{told['book']}: no threshold is crossed")
        raise typer.Exit(3 if lines else 0)
    with computed(book, paths, seed, workers, None, set_, store=store) as run:
        found = learn.watch(run.read_closes(closes) if closes else run, book, evidence, target, money, sizes)
    say_json(found) if as_json else say(watch_text(found, width()))
