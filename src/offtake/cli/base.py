"""What the verbs share: the app, the options that several of them take, and how they print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..front import Run

app = typer.Typer(
    name="offtake",
    help="What a multi-year AI compute contract is worth, to whom, and what could go wrong.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

BookName = Annotated[str, typer.Argument(metavar="BOOK", help="A shipped book's name (see `offtake list`) or a path to a YAML file.")]
Paths = Annotated[int, typer.Option(min=1, help="How many futures to compute.")]
Seed = Annotated[int, typer.Option(min=0, help="Same book, seed and paths: the same bytes.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Threads; all cores unless told. The numbers do not depend on it.")]
Scenarios = Annotated[list[str] | None, typer.Option("--scenario", help="Force a scenario; give it again to stack patches.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="Replace a number, as in contracts.aws.take_or_pay=0.9.")]
ClosesFile = Annotated[Path | None, typer.Option("--closes", help="Daily closes, `date,TICKER,..`: what event, tree and positions need.")]
AllowRefused = Annotated[bool, typer.Option("--allow-refused", help="Go on without refused rows; what is left out is said.")]
Store = Annotated[Path | None, typer.Option("--store", metavar="FILE", help="The store; offtake.db in this folder unless told.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="As it was known on this day, such as 2025-06-30.")]
Sampler = Annotated[str, typer.Option("--sampler", metavar="sobol|random", help="Scrambled Sobol points, or plain random paths.")]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="RULE", help="Stop once a figure is known: 'p95(revenue of contracts.aws @ 2027) within 0.5 %'."),
]
Most = Annotated[int, typer.Option("--most", min=1, help="With --until: paths double from 1,024 up to this many.")]
Cluster = Annotated[str | None, typer.Option("--cluster", metavar="ADDRESS", help="Compute on a Dask scheduler's workers: tcp://host:8786.")]
Resume = Annotated[bool, typer.Option("--resume", help="Keep finished chunks in BOOK.chunks, and go on from those of an interrupted run.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str, nl: bool = True) -> None:
    """Print to standard output, the only place where that happens. Raises WriteError where it is full."""
    try:
        typer.echo(text, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as fault:
        from ..errors import WriteError

        raise WriteError(f"standard output could not be written ({fault.strerror})") from None


def say_json(value: Any) -> None:
    say(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def say_version(wanted: bool) -> None:
    """Print the version and end, where it was asked for."""
    if wanted:
        from importlib.metadata import version

        say(f"offtake {version('offtake')}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=say_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """What a multi-year AI compute contract is worth, to whom, and what could go wrong."""


def known_sampler(name: str) -> str:
    """The sampler, or a wrong command line."""
    if name not in ("sobol", "random"):
        raise typer.BadParameter(f"'{name}' is no sampler; --sampler takes sobol or random")
    return name


@contextmanager
def computed(
    book: str, paths: int, seed: int, workers: int | None, scenario: list[str] | None, sets: list[str] | None,
    as_of: str | None = None, store: Path | None = None, sampler: str = "sobol", until: str | None = None,
    cluster: str | None = None, folder: Path | None = None,
) -> Iterator[Run]:
    """A run of a book, with progress on stderr while it is used."""
    from .. import front
    from ..reports.progress import Progress

    with Progress() as progress:
        loaded = front.load(book, sets or (), day_of(as_of), store)
        how: front.How = {"progress": progress, "sampler": known_sampler(sampler), "until": until, "cluster": cluster, "folder": folder}
        yield front.run(loaded, paths=paths, seed=seed, workers=workers, scenario=scenario or (), **how)


def day_of(text: str | None) -> Any:
    """A day of the command line; nothing where none was given."""
    try:
        return None if text is None else date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no date; write 2024-06-30") from None


def say_stopped(run: Run) -> None:
    """What the stop rule came to, on standard error; a rule that was not reached ends in code 1, after all that was computed is out."""
    if run.stopped:
        from ..reports.stopping import sentence

        typer.echo(sentence(run.stopped), err=True)
        if not run.stopped["reached"]:
            raise typer.Exit(1)


def width() -> int:
    """Columns to print in: the terminal's, at most 120."""
    import shutil

    return min(120, shutil.get_terminal_size((100, 24)).columns)
