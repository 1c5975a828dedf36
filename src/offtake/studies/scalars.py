"""Numbers of every path, a row a path, as Parquet: for whoever wants to look at single futures or do arithmetic of their own.

Paths are computed a second time, block by block, and written as they come; memory does not grow with their number.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from .. import stages
from ..block import Block
from ..errors import WriteError
from ..files import MARK
from ..questions import Question, at_period, question, read_all
from ..spread import cores, in_order
from .asked import Run
from .compare import headlines

SLICE = 65_536  # paths a piece


def figures(run: Run) -> list[tuple[str, Question]]:
    """The headlines of a comparison, one row a path each, by their address."""
    found = []
    for c in headlines(run.plan):
        whole = question(run.plan, c.measure, c.of, c.by)
        found.append((c.label, replace(whole, periods=(whole.periods[at_period(whole, c.period)],))))
    return found


def values(run: Run, questions: list[Question], first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (questions, paths) and scenario numbers (paths,) of the paths first .. last - 1; `first` begins a block."""
    plan, free = run.plan, deque[Block]()

    def one(start: int) -> tuple[np.ndarray, np.ndarray]:
        try:
            b = free.pop()
        except IndexError:  # as many blocks as there are workers
            b = stages.allocate(plan)
        stages.fill(b, run.stamp.seed, start, np.zeros(len(plan.factor_paths), np.int64))
        rows = np.empty((len(questions), min(stages.LANES, last - start)))
        read_all(questions, b, rows)
        told = rows, b.scenario[: rows.shape[1]].copy()
        free.append(b)
        return told

    parts = list(in_order(one, range(first, last, stages.LANES), run.workers or cores()))
    return np.concatenate([rows for rows, _ in parts], axis=1), np.concatenate([scenario for _, scenario in parts])


def frames(run: Run) -> Iterator[Any]:
    """Polars frames of the paths in order: path, scenario, and one column a headline; absent is null (N-06)."""
    import polars

    asked, names = figures(run), run.plan.names.scenarios
    for first in range(0, run.stamp.paths, SLICE):
        last = min(first + SLICE, run.stamp.paths)
        rows, scenario = values(run, [q for _, q in asked], first, last)
        drawn = [names[n] if n < len(names) else run.stamp.scenario for n in scenario]
        columns = {"path": np.arange(first, last), "scenario": drawn} | {name: row for (name, _), row in zip(asked, rows)}
        yield polars.DataFrame(columns).with_columns(polars.selectors.float().fill_nan(None))


def write(run: Run, target: Path) -> None:
    """Write the file in one step; an older one stays whole if writing fails. Raises WriteError."""
    import polars

    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as held:
            for number, frame in enumerate(frames(run)):
                frame.write_parquet(Path(held) / f"{number:06d}.parquet")
            whole = Path(held) / "whole"
            polars.scan_parquet(Path(held) / "*.parquet").sink_parquet(whole, metadata={"generator": MARK})
            whole.replace(target)
    except (OSError, polars.exceptions.ComputeError) as fault:
        raise WriteError(f"{target}: the file could not be written ({fault})") from None
