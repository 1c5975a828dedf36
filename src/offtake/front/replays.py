"""The public API of replays: what a trace would have done on pools (R-01, R-02). Machinery is imported inside the functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import QuestionError, WriteError

if TYPE_CHECKING:
    from ..fleet.ask import Answer, Asked
    from ..montecarlo import Reporter
    from ..plan import Plan
    from ..studies.cluster import Wanted

LOGGED = 2_000_000  # events kept where a log is asked for


def asked(
    policy: str = "fifo", failures: str = "none", pin: bool = False, skip_bad: bool = False, seed: int = 1, log: bool = False
) -> Asked:  # fmt: skip
    """How to replay a trace, with a log of events or without. Raises QuestionError for a policy or failures that there are not."""
    from ..fleet.ask import Asked

    return Asked(policy, failures, pin, skip_bad, seed, LOGGED if log else 0)


def also(asked: Asked, compare: str | None = None, maintenance: str | None = None) -> Asked:
    """The same question, with what to leave out in further replays (`segment,spares`) and maintenance (`8 h every 90 days`).

    Raises QuestionError for what cannot be read."""
    from dataclasses import replace

    from ..fleet.ask import service_of

    names = tuple(compare.split(",")) if compare else ()
    return replace(asked, compare=names, service=service_of(maintenance) if maintenance else None)


def on_pools(trace: str | Path, pools: str | Path, asked: Asked, progress: Reporter | None = None) -> Answer:
    """Replay a job trace over the pools of a file: waits, occupancy, goodput, and every ready GPU-hour in one bin (S-05).

    Raises BookError for the file of pools, TraceError for the trace, QuestionError where the two do not go together.
    """
    from ..fleet.ask import replay_pools

    _tell(progress)
    return replay_pools(trace, pools, asked)


def wanted(
    mix: str = "trace", months: tuple[int, int] | None = None, segment: int | None = None, spares: int = 0, requests: Sequence[str] = (),
    step: str | None = None,
) -> Wanted:  # fmt: skip
    """What to replay of a book; its inference follows the request traces `requests`, each `[WORKLOAD=]FILE[:TRACE]`, in steps of an
    hour unless told.

    Raises QuestionError for a mix that there is not, for a step that is no part of a day, and for one without requests."""
    from ..fleet.ask import time_of
    from ..studies.cluster import Wanted
    from ..studies.rhythm import Followed

    if step is not None and not requests:
        raise QuestionError("--step says how often replicas of --requests come and go: add --requests FILE, or leave it out")
    return Wanted(mix, months, segment, spares, Followed(tuple(requests), time_of(step or "1 h", "--step")))


def on_book(
    plan: Plan, asked: Asked, wanted: Wanted, trace: str | Path | None = None, progress: Reporter | None = None
) -> Answer:  # fmt: skip
    """Replay a trace, the book's own workloads, or half of each over the book's pools as they are delivered and energised (R-03).

    Raises QuestionError for months outside the book, a mix without the trace that it needs or with one that it does not, or
    racks that cannot be, TraceError for the trace.
    """
    from ..studies.cluster import replay_book

    return replay_book(plan, asked, wanted, trace, lambda: _tell(progress))


def write(answer: Answer, folder: str | Path) -> list[Path]:
    """The timeline of the cluster (`timeline.html`) and its events (`events.csv`) in a folder; the files' paths.

    Raises WriteError where one cannot be written or somebody else's file stands there.
    """
    from ..files import writable
    from ..fleet import events
    from ..reports import html
    from ..reports.timeline import timeline

    where = Path(folder)
    page = writable(where / "timeline.html")
    table = where / "events.csv"
    head = ",".join(events.HEADER)
    if table.exists() and (not table.is_file() or not table.read_text(encoding="utf-8", errors="replace").startswith(head)):
        raise WriteError(f"{table}: offtake did not write this file, so it stays as it is; move it or name another place")
    lines = [head, *(",".join(row) for row in events.rows(answer.outcome, answer.name))]
    if answer.outcome.unlogged:
        lines.append(f"# {answer.outcome.unlogged:,} later events are not kept")
    title = f"{answer.told['stamp']['trace'] or 'workloads of a book'}, policy {answer.outcome.rules.policy}"
    spans = events.spans(answer.outcome, answer.name)
    html.put(timeline(spans, events.sizes(answer.outcome), title, events.standing(answer.outcome)).encode(), page)
    html.put(("\n".join(lines) + "\n").encode(), table)
    return [page, table]


def _tell(progress: Reporter | None) -> None:
    from ..fleet.ask import compiled

    if progress is not None:
        progress.stage("replaying" if compiled() else "replaying; the first replay on a machine compiles for about a minute")
