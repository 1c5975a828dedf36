"""Verbs of facts on record: list, show, diff, bring in, hand out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .base import AsOf, Json, Store, app, day_of, say, say_json, width

facts = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What was published, when, by whom; a store of your own adds to it.")
app.add_typer(facts, name="facts")

Like = Annotated[str | None, typer.Option("--of", metavar="TEXT", help="Series whose key has this text in it, such as AMZN.")]


@facts.command("list")
def list_facts(
    like: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="Part of a key, such as AMZN; with a * the whole key.")] = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List the series there are: unit, periods, rows, first and last period, newest document."""
    from .. import front
    from ..reports.scores import series_text

    rows = front.list_facts(like, day_of(as_of), store)
    say_json(rows) if as_json else say(series_text(rows, width()))


@facts.command("show")
def show_facts(
    key: Annotated[str, typer.Argument(metavar="KEY[@PERIOD]", help="A series, such as AMZN.aws_revenue, or one period, @2025Q3.")],
    as_of: AsOf = None,
    whole: Annotated[bool, typer.Option("--all", help="Every row, restatements too; not the last of each period alone.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show a series as it was known: value, first or restated, quality, date of publication and document."""
    from .. import front
    from ..reports.scores import facts_text

    rows = front.show_facts(key, day_of(as_of), whole, store)
    say_json(rows) if as_json else say(facts_text(rows, width()))


@facts.command("diff")
def diff_facts(
    a: Annotated[str, typer.Argument(metavar="A", help="A day such as 2025-06-30, a CSV file, or a store.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other side.")],
    like: Like = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """List what changed between two days, or between two files: new, restated, gone."""
    from .. import front
    from ..reports.scores import changes_text

    rows = front.diff_facts(a, b, like, store)
    say_json(rows) if as_json else say(changes_text(rows, width()))


@facts.command("import")
def import_facts(
    files: Annotated[list[Path], typer.Argument(metavar="FILE..", help="CSV files of facts.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Keep the facts of CSV files, all or none; every fault is named by row."""
    from .. import front

    kept = front.import_facts(files, store)
    say_json(kept) if as_json else say(f"{kept['added']} added, {kept['known']} known already")


@facts.command("export")
def export_facts(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Where to; - prints.")] = "-",
    like: Like = None,
    store: Store = None,
) -> None:
    """Write the facts on record as CSV, which `import` reads."""
    from .. import front

    say(front.export_facts(file, like, store).rstrip("\n"))
