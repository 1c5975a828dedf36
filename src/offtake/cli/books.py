"""Verbs that read a book or what ships with it; nothing is run."""

from __future__ import annotations

from typing import Annotated

import typer

from .base import AsOf, BookName, Json, Sets, Store, app, day_of, say, say_json, width


@app.command("check")
def check_book(book: BookName, set_: Sets = None, as_of: AsOf = None, store: Store = None, as_json: Json = False) -> None:
    """List every issue of a book with its place, what was got, the rule and the fix."""
    from .. import front

    issues = front.check(book, set_ or (), day_of(as_of), store)
    if as_json:
        say_json([issue.to_dict() for issue in issues])
    else:
        for issue in issues:
            say(issue.to_text())
        say(f"{len(issues)} issue{'s' * (len(issues) != 1)}" if issues else f"{book}: no issue")
    raise typer.Exit(1 if issues else 0)


@app.command("show")
def show_number(
    book: BookName,
    path: Annotated[str | None, typer.Argument(metavar="[PATH]", help="A dotted path such as contracts.aws.total.")] = None,
    set_: Sets = None,
    as_of: AsOf = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Show resolved numbers: value or distribution, unit, source, date, quality and line."""
    from .. import front
    from ..reports.terminal import numbers_text

    found = front.show(book, path, set_ or (), day_of(as_of), store)
    say_json(found) if as_json else say(numbers_text(found, width()))


@app.command("list")
def list_things(
    what: Annotated[str, typer.Argument(metavar="[books|measures|fields|catalog]", help="What to list.")] = "books",
    as_json: Json = False,
) -> None:
    """List the shipped books, the measures every book has, the fields of a book, or the catalog of sourced constants."""
    from .. import front
    from ..reports.terminal import rows_text

    if what not in ("books", "measures", "fields", "catalog"):
        raise typer.BadParameter(f"'{what}' is none of books, measures, fields, catalog")
    rows = front.listing(what)
    say_json(rows) if as_json else say(rows_text(rows, width()))


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a book, for editors."""
    from .. import front

    say_json(front.schema())
