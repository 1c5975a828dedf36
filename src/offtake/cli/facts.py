"""Verbs of facts on record: list, show, diff, bring in, hand out."""

from __future__ import annotations

import sys
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
    from ..front import record
    from ..reports.scores import series_text

    rows = record.list_facts(like, day_of(as_of), store)
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
    from ..front import record
    from ..reports.scores import facts_text

    rows = record.show_facts(key, day_of(as_of), whole, store)
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
    from ..front import record
    from ..reports.scores import changes_text

    rows = record.diff_facts(a, b, like, store)
    say_json(rows) if as_json else say(changes_text(rows, width()))


@facts.command("import")
def import_facts(
    files: Annotated[list[Path], typer.Argument(metavar="FILE..", help="CSV files of facts.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Keep the facts of CSV files, all or none; every fault is named by row."""
    from ..front import record

    kept = record.import_facts(files, store)
    say_json(kept) if as_json else say(f"{kept['added']} added, {kept['known']} known already")


@facts.command("read")
def read_filings(
    files: Annotated[list[Path], typer.Argument(metavar="FILE..", help="companyfacts JSON, inline XBRL, an instance, a filing's text.")],
    published: Annotated[str | None, typer.Option(metavar="DATE", help="The day of publication, where the file does not say it.")] = None,
    entity: Annotated[str | None, typer.Option(metavar="TICKER", help="Whose series they are, where the file does not say it.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also numbers of standard tags that no series is kept for.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Show what would be kept, and keep nothing.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Read filings on disk and keep their facts; what is not kept is counted, what cannot be told is said."""
    from ..front import record
    from ..reports.scores import readings_text

    found = record.read_filings(files, day_of(published), entity, every, not dry, store)
    say_json(found) if as_json else say(readings_text(found, width()))


@facts.command("pull")
def pull_filings(
    tickers: Annotated[list[str], typer.Argument(metavar="TICKER..", help="Companies, such as AMZN MSFT.")],
    identity: Annotated[str | None, typer.Option(metavar="TEXT", help="Name and e-mail, as the SEC asks; kept for next time.")] = None,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where files go and stay; none is fetched twice.")] = Path("filings"),
    newest: Annotated[int, typer.Option(min=0, max=40, help="Reports of each company, beside its companyfacts.")] = 4,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Fetch companyfacts and reports from the SEC, read them and keep their facts. Needs a network."""
    from ..front import record
    from ..reports.scores import readings_text

    if identity is None and record.known_identity() is None and sys.stdin.isatty():
        identity = typer.prompt("The SEC asks who reads its data (name and e-mail; kept for next time)")
    found = record.pull_filings(tickers, identity, folder, newest, store)
    say_json(found) if as_json else say(readings_text(found, width()))


@facts.command("export")
def export_facts(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="Where to; - prints.")] = "-",
    like: Like = None,
    store: Store = None,
) -> None:
    """Write the facts on record as CSV, which `import` reads."""
    from ..front import record

    say(record.export_facts(file, like, store).rstrip("\n"))
