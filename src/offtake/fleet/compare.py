"""The same jobs with and without what was asked: largest segments, spares (R-01)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from ..errors import QuestionError
from .outcome import Outcome
from .pools import Pool

COMPARED = ("segment", "spares")
STRANDED = ("fragmentation", "assembling", "reserved")


def without(pools: Sequence[Pool], names: Sequence[str]) -> list[Pool]:
    """Pools without segments, without spares, or without both: gangs may lie anywhere, every GPU is for jobs."""
    bare = [replace(pool, segment=0, slowdown=None) if "segment" in names else pool for pool in pools]
    return [replace(pool, spares=0) if "spares" in names else pool for pool in bare]


def row_of(found: dict[str, Any], names: Sequence[str], gone: Sequence[str]) -> dict[str, Any]:
    """What one of the replays says: shares, waits, GPU-hours that were free but stranded, and those held back."""
    hours = {name: found["bins"][name]["gpu_h"] for name in (*STRANDED, "spare", "useful")}
    return (
        {name: name not in gone for name in names}
        | {key: found[key] for key in ("occupancy", "goodput", "mean_wait_s", "p95_wait_s", "finished")}
        | {"stranded_gpu_h": sum(hours[name] for name in STRANDED), "spare_gpu_h": hours["spare"], "useful_gpu_h": hours["useful"]}
    )


def compared(pools: Sequence[Pool], names: Sequence[str], first: Outcome, run: Callable[[list[Pool]], Outcome]) -> list[dict[str, Any]]:
    """A row for every choice of the names, as stated first; `run` replays on other pools. Raises QuestionError for what no pool states."""
    for name in names:
        if not any(getattr(pool, name) for pool in pools):
            raise QuestionError(f"--compare {name}: no pool has a {name}, so there is nothing to leave out")
    rows = []
    for kept in product((True, False), repeat=len(names)):
        gone = [name for name, keep in zip(names, kept, strict=True) if not keep]
        rows.append(row_of((first if not gone else run(without(pools, gone))).to_dict(), names, gone))
    return rows
