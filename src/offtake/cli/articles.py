"""The verb that reads an article."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .base import ClosesFile, Json, Store, app, day_of, say, say_json, width


@app.command("read")
def read_text(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Plain text or HTML in UTF-8, Chinese or English; - reads standard input.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Judge it by what was known on this day; the article's own date unless told."),
    ] = None,
    book: Annotated[str | None, typer.Option("--book", metavar="BOOK", help="Line claims up with this book's sourced terms too.")] = None,
    closes: ClosesFile = None,
    store: Store = None,
    draft: Annotated[
        Path | None, typer.Option("--draft", metavar="FILE", help="Write sources and claims as a draft section of a book.")
    ] = None,
    publisher: Annotated[str, typer.Option(help="Who published it, for the draft.")] = "not stated",
    as_json: Json = False,
) -> None:
    """Find an article's quantitative claims, check the arithmetic between them, and line them up with the record of its date."""
    from .. import front
    from ..reports.article import article_text

    found = front.read_article(file, day_of(as_of), book, closes, store)
    if draft is not None:
        front.write_draft(found, draft, publisher)
    say_json(found.to_dict()) if as_json else say(article_text(found.to_dict(), width()))
    if draft is not None:
        typer.echo(f"draft: {draft}", err=True)
