"""Verbs of job and request logs: `offtake traces convert`, `offtake traces check`, `offtake traces profile`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from .base import Json, app, say, say_json

traces = typer.Typer(
    help="Read public logs of jobs and requests: convert them to one schema, or check a trace.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(traces, name="traces")

SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave rows at fault out; they are counted, named, and their GPU time is said.")]


class Format(str, Enum):  # noqa: UP042 -- typer shows the values of this form
    """Public formats there are readers for, and the schema itself."""

    sacct = "sacct"
    swf = "swf"
    philly = "philly"
    helios = "helios"
    itp = "itp"
    azure_llm = "azure-llm"
    table = "table"


@traces.command("convert")
def convert_log(
    form: Annotated[Format, typer.Argument(metavar="FORMAT", help="sacct, swf, philly, helios, itp, azure-llm, or table: the schema.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Logs of one format, as published.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The Parquet file to write.")],
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Convert public logs to one Parquet file of jobs (of requests: azure-llm), and say what was left out and why."""
    from .. import front
    from ..reports.traces import trace_text

    found = front.convert_trace(form.value, files, out, skip_bad)
    say_json(found) if as_json else say(trace_text(found))


@traces.command("check")
def check_trace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A job trace in the schema, or a log of jobs in a public format.")],
    skip_bad: SkipBad = False,
    as_json: Json = False,
) -> None:
    """Read a job trace as a replay would: every row at fault with its place, rule and fix, or what is in it."""
    from .. import front
    from ..reports.traces import trace_text

    found = front.check_trace(file, skip_bad)
    say_json(found) if as_json else say(trace_text(found))


@traces.command("profile")
def profile_trace(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A request trace, as `offtake traces convert azure-llm` writes it.")],
    trace: Annotated[str | None, typer.Option(metavar="NAME", help="Which one, where the file holds several.")] = None,
    day: Annotated[str | None, typer.Option(metavar="TEXT", help="'night 8 h, day 12 h, peak 4 h', from midnight; else hours.")] = None,
    begins: Annotated[str | None, typer.Option(metavar="HH:MM", help="When the first request came, where the file does not know.")] = None,
    input_weight: Annotated[float, typer.Option(min=0.0, max=1.0, help="Output tokens that an input token counts as.")] = 0.0,
    as_json: Json = False,
) -> None:
    """Turn a request trace into the profile of the day that a book states."""
    from .. import front
    from ..reports.traces import profile_text

    found = front.profile_trace(file, trace, begins, day, input_weight)
    say_json(found) if as_json else say(profile_text(found))
