"""The verb that replays a job trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .base import Json, app, say, say_json, width


@app.command("replay")
def replay_trace(
    trace: Annotated[Path, typer.Option("--trace", metavar="FILE", help="Jobs: a Parquet or CSV file (docs/replay.md).")],
    pools: Annotated[Path, typer.Option("--pools", metavar="FILE", help="What they run on: a YAML file of pools.")],
    policy: Annotated[str, typer.Option(help="fifo, backfill, sjf, las or priority.")] = "fifo",
    failures: Annotated[str, typer.Option(help="none, book (as the file of pools states) or llama3.")] = "none",
    pin_pools: Annotated[bool, typer.Option("--pin-pools", help="A job runs only in the pool that the trace names.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without rows at fault; they are counted and said.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Chance of failures: the same seed, the same bits.")] = 1,
    as_json: Json = False,
) -> None:
    """Replay a trace job by job: waits, and where every GPU-hour went."""
    from .. import replays
    from ..reports.progress import Progress
    from ..reports.replay import replay_text

    asked = replays.asked(policy, failures, pin_pools, skip_bad, seed)
    with Progress() as progress:
        found = replays.on_pools(trace, pools, asked, progress)
    say_json(found) if as_json else say(replay_text(found, width()))
