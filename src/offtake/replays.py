"""The public API of replays: what a trace would have done on pools (R-01, R-02). Machinery is imported inside the functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .fleet.ask import Asked
    from .montecarlo import Reporter


def asked(policy: str = "fifo", failures: str = "none", pin: bool = False, skip_bad: bool = False, seed: int = 1) -> Asked:
    """How to replay a trace. Raises QuestionError for a policy or failures that there are not."""
    from .fleet.ask import Asked

    return Asked(policy, failures, pin, skip_bad, seed)


def on_pools(trace: str | Path, pools: str | Path, asked: Asked, progress: Reporter | None = None) -> dict[str, Any]:
    """Replay a job trace over the pools of a file: waits, occupancy, goodput, and every ready GPU-hour in one bin (S-05).

    Raises BookError for the file of pools, TraceError for the trace, QuestionError where the two do not go together.
    """
    from .fleet.ask import compiled, replay_pools

    if progress is not None:
        progress.stage("replaying" if compiled() else "replaying; the first replay on a machine compiles for about a minute")
    return replay_pools(trace, pools, asked)[0]
