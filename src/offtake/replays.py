"""The public API of replays: what a trace would have done on pools (R-01, R-02). Machinery is imported inside the functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fleet.ask import Asked
    from .montecarlo import Reporter
    from .plan import Plan
    from .studies.cluster import Wanted


def asked(policy: str = "fifo", failures: str = "none", pin: bool = False, skip_bad: bool = False, seed: int = 1) -> Asked:
    """How to replay a trace. Raises QuestionError for a policy or failures that there are not."""
    from .fleet.ask import Asked

    return Asked(policy, failures, pin, skip_bad, seed)


def on_pools(trace: str | Path, pools: str | Path, asked: Asked, progress: Reporter | None = None) -> dict[str, Any]:
    """Replay a job trace over the pools of a file: waits, occupancy, goodput, and every ready GPU-hour in one bin (S-05).

    Raises BookError for the file of pools, TraceError for the trace, QuestionError where the two do not go together.
    """
    from .fleet.ask import replay_pools

    _tell(progress)
    return replay_pools(trace, pools, asked)[0]


def wanted(mix: str = "trace", months: tuple[int, int] | None = None, segment: int | None = None, spares: int = 0) -> Wanted:
    """What to replay of a book. Raises QuestionError for a mix that there is not."""
    from .studies.cluster import Wanted

    return Wanted(mix, months, segment, spares)


def on_book(
    plan: Plan, asked: Asked, wanted: Wanted, trace: str | Path | None = None, progress: Reporter | None = None
) -> dict[str, Any]:  # fmt: skip
    """Replay a trace, the book's own workloads, or half of each over the book's pools as they are delivered and energised (R-03).

    Raises QuestionError for months outside the book, a mix without a trace or racks that cannot be, TraceError for the trace.
    """
    from .studies.cluster import replay_book

    _tell(progress)
    return replay_book(plan, asked, wanted, trace)


def _tell(progress: Reporter | None) -> None:
    from .fleet.ask import compiled

    if progress is not None:
        progress.stage("replaying" if compiled() else "replaying; the first replay on a machine compiles for about a minute")
