"""The verbs of the command line. Each calls `front` and prints; nothing is computed here.

Exit codes: 0 done, 1 the book or the question is at fault, 2 wrong command line, 70 a bug of ours.
Imports stand inside the commands, so that `--help` loads neither numpy nor numba.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from .front import Run

app = typer.Typer(
    name="offtake",
    help="What a multi-year AI compute contract is worth, to whom, and what could go wrong.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

BookName = Annotated[
    str, typer.Argument(metavar="BOOK", help="A shipped book's name (see `offtake list`) or a path to a YAML file.")
]
Paths = Annotated[int, typer.Option(min=1, help="How many futures to compute.")]
Seed = Annotated[int, typer.Option(min=0, help="Same book, seed and paths: the same bytes.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; all cores unless told. The numbers do not depend on it.")]
Scenarios = Annotated[list[str] | None, typer.Option("--scenario", help="Force a scenario; give it again to stack patches.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="Replace a number, as in contracts.aws.take_or_pay=0.9.")]
ClosesFile = Annotated[
    Path | None, typer.Option("--closes", help="Daily closes, `date,TICKER,..`: what event, tree and positions need.")
]
AllowRefused = Annotated[bool, typer.Option("--allow-refused", help="Go on without refused rows; what is left out is said.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    """Print to standard output, the only place where that happens."""
    typer.echo(text)


def say_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


@contextmanager
def computed(
    book: str, paths: int, seed: int, workers: int | None, scenario: list[str] | None, sets: list[str] | None
) -> Iterator[Run]:
    """A run of a book, with progress on stderr while it is used."""
    from . import front
    from .reports.progress import Progress

    with Progress() as progress:
        loaded = front.load(book, set=sets or ())
        yield front.run(loaded, paths=paths, seed=seed, workers=workers, scenario=scenario or (), progress=progress)


@app.command("run")
def run_book(
    book: BookName,
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    scenario: Scenarios = None,
    set_: Sets = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the report; this folder unless told.")] = None,
    closes: ClosesFile = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", metavar="FILE", help="Write an Excel workbook too, with live formulas.")] = None,
    as_json: Json = False,
) -> None:
    """Answer the book's 13 questions and write the report BOOK.html."""
    from .reports.terminal import answers_text

    target = (out or Path(".")) / f"{Path(book).stem}.html"
    with computed(book, paths, seed, workers, scenario, set_) as done:
        if closes is not None:
            done.read_closes(closes)
        answers = done.answers()
        done.report(target)
        if xlsx is not None:
            done.workbook(xlsx)
    say_json(answers) if as_json else say(answers_text(answers, width()))
    typer.echo(f"report: {target}" + (f"\nworkbook: {xlsx}" if xlsx is not None else ""), err=True)


@app.command("check")
def check_book(book: BookName, set_: Sets = None, as_json: Json = False) -> None:
    """List every issue of a book with its place, what was got, the rule and the fix."""
    from . import front

    issues = front.check(book, set=set_ or ())
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
    as_json: Json = False,
) -> None:
    """Show resolved numbers: value or distribution, unit, source, date, quality and line."""
    from . import front
    from .reports.terminal import numbers_text

    found = front.show(book, path, set=set_ or ())
    say_json(found) if as_json else say(numbers_text(found, width()))


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
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Print one measure by period: mean, quantiles and their Monte Carlo errors."""
    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both")
    from .reports.terminal import table_text

    with computed(book, paths, seed, workers, scenario, set_) as done:
        table = done.ask(name, of=of, by=by, path=path)
    if as_json:
        say_json(table.about | {"rows": table.rows()})
    elif as_csv:
        typer.echo(table.to_csv(), nl=False)
    else:
        say(table_text(table, width()))


@app.command("list")
def list_things(
    what: Annotated[str, typer.Argument(metavar="[books|measures|fields|catalog]", help="What to list.")] = "books",
    as_json: Json = False,
) -> None:
    """List the shipped books, the measures every book has, the fields of a book, or the catalog of sourced constants."""
    from . import front
    from .reports.terminal import rows_text

    if what not in ("books", "measures", "fields", "catalog"):
        raise typer.BadParameter(f"'{what}' is none of books, measures, fields, catalog")
    rows = front.listing(what)
    say_json(rows) if as_json else say(rows_text(rows, width()))


@app.command("schema")
def print_schema() -> None:
    """Print the JSON Schema of a book, for editors."""
    from . import front

    say_json(front.schema())


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
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Open a number: rule, formula, value, the inputs that move it, and their sources."""
    from .reports.terminal import explain_text

    with computed(book, paths, seed, workers, scenario, set_) as done:
        found = done.explain(name, of=of, at=at, path=path)
    say_json(found) if as_json else say(explain_text(found, width()))


@app.command("facts")
def list_facts(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="One series, such as AMZN.aws_revenue; all keys unless told.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="As it was known on this date; all that is known unless told.")] = None,
    as_json: Json = False,
) -> None:
    """List what companies reported by quarter: value, quality, date of publication and document."""
    from . import front
    from .reports.scores import facts_text

    rows = front.known_facts(key, None if as_of is None else _day(as_of))
    say_json(rows) if as_json else say(facts_text(rows, width()))


@app.command("backtest")
def back_test_book(
    book: BookName,
    as_of: Annotated[str | None, typer.Option(metavar="DATES", help="Dates with commas; quarter ends of 7 quarters unless told.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Forecast reported totals with what was known on past dates, and score them against what came."""
    from . import front
    from .reports.scores import scores_text

    loaded = front.load(book)
    dates = [_day(d) for d in as_of.split(",")] if as_of else front.past_quarters(loaded)
    table = front.back_test(loaded, dates, paths, seed)
    say_json(table.about | {"rows": table.rows()}) if as_json else say(scores_text(table, width()))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no date; write 2024-06-30") from None


@app.command("compare")
def compare_sides(
    a: Annotated[
        str, typer.Argument(metavar="A", help="BOOK, BOOK:SCENARIO or BOOK:ONE+OTHER; `base` forces the book without scenarios.")
    ],
    b: Annotated[str | None, typer.Argument(metavar="[B]", help="The other side; A as it is written unless told.")] = None,
    paths: Paths = 4_096,
    seed: Seed = 1,
    workers: Workers = None,
    scenario: Annotated[list[str] | None, typer.Option("--scenario", help="Force a scenario on side B.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Replace a number on side B.")] = None,
    as_json: Json = False,
) -> None:
    """Put every headline of two sides side by side and attribute the change, input by input."""
    from . import front
    from .reports.comparison import comparison_text
    from .reports.progress import Progress

    if b is None and not scenario and not set_:
        raise typer.BadParameter("name a second side, or say how it differs with --scenario or --set")
    first = front.side(a)
    second = front.side(b or a, set_ or (), scenario or ())
    with Progress() as progress:
        found = front.compare(first, second, paths, seed, workers, progress)
    say_json(found) if as_json else say(comparison_text(found, width()))


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
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Study one day of a share: abnormal return, what it implies in USD, and what one must believe."""
    from .reports.worth import event_text

    with computed(book, paths, seed, workers, scenario, set_) as done:
        found = done.read_closes(closes).event(event, of, benchmark)
    say_json(found) if as_json else say(event_text(found, width()))


@app.command("tree")
def scenario_tree(
    book: BookName,
    closes: Annotated[Path, typer.Option("--closes", help="Daily closes, `date,TICKER,..`.")],
    paths: Paths = 1_024,
    seed: Seed = 1,
    workers: Workers = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Price the book's tree: leaves, statements with and without the deal, and positions."""
    from .reports.worth import tree_text

    with computed(book, paths, seed, workers, None, set_) as done:
        found = {"stamp": done.stamp.to_dict()} | done.read_closes(closes).market_tree
    say_json(found) if as_json else say(tree_text(found, width()))


@app.command("stress")
def reverse_stress(
    book: BookName,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="Such as 'rpo of contracts.aws @ 2026-12 < 10 bn USD'.")],
    paths: Paths = 16_384,
    seed: Seed = 1,
    workers: Workers = None,
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Find the most likely inputs that bring an outcome about, and the path that came nearest."""
    from .reports.stress import stress_text

    with computed(book, paths, seed, workers, scenario, set_) as done:
        found = done.stress(outcome)
    say_json(found) if as_json else say(stress_text(found, width()))


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
    scenario: Scenarios = None,
    set_: Sets = None,
    as_json: Json = False,
) -> None:
    """Set consumption beside glide path and forecast: shortfall, and the month in which it becomes unavoidable."""
    from . import front
    from .reports.pace import pace_text

    with computed(book, paths, seed, workers, scenario, set_) as done:
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
    from . import front
    from .reports.pace import export_text

    found = front.read_export(file)
    say_json(found.to_dict()) if as_json else say(export_text(found, width()))
    raise typer.Exit(0 if found.sound or allow_refused else 1)


def width() -> int:
    """Columns to print in: the terminal's, at most 120."""
    import shutil

    return min(120, shutil.get_terminal_size((100, 24)).columns)


def main() -> NoReturn:
    """Run the command line and turn what went wrong into a sentence and an exit code."""
    from .errors import BookError, OfftakeError

    try:
        app(standalone_mode=True)
        sys.exit(0)
    except BookError as error:
        for issue in error.issues:
            typer.echo(issue.to_text(), err=True)
        sys.exit(1)
    except OfftakeError as error:
        typer.echo(f"offtake: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        typer.echo("offtake: interrupted; nothing half-written is left", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("OFFTAKE_DEBUG"):
            raise
        typer.echo(f"offtake: a bug of ours: {type(error).__name__}: {error}. OFFTAKE_DEBUG=1 shows where.", err=True)
        sys.exit(70)
