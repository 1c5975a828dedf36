"""Rows sorted by time, of any number: runs on disk, merged a stretch of time at a time.

Memory  one run: RUN rows as they come, about as many while they are merged; rows of one instant are merged together, however many they are
Order   (time, job_id), whatever the batches were
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

RUN = 1 << 19  # rows
SAMPLE = 1 << 12  # of a run on disk, every so many times are kept to find a place in it
GROUP = 1 << 16  # rows of a run that are read at the least

Array = np.ndarray[Any, Any]
c = pl.col


@dataclass(frozen=True)
class Run:
    """Rows on disk in the order of `time`; `sample` holds the time of every SAMPLE-th."""

    file: Path
    sample: Array
    rows: int
    last: Any


class Runs:
    """Rows with a column `time`, added batch by batch."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._held, self._count = folder, list[pl.DataFrame](), 0
        self.runs: list[Run] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Rows of a batch, `time` being known of each."""
        if frame.height:
            self._held.append(frame)
            self._count += frame.height
        if self._count >= RUN:
            self.close()

    def close(self) -> None:
        """Write what is held as a run."""
        if not self._count:
            return
        frame = pl.concat(self._held).sort("time", maintain_order=True)
        self._held, self._count = [], 0
        file = self._folder / f"run-{len(self.runs)}.parquet"
        frame.write_parquet(file, compression="lz4", row_group_size=GROUP, statistics=False)
        times = frame["time"].to_numpy()
        self.runs.append(Run(file, times[::SAMPLE].copy(), frame.height, times[-1].item()))

    def all(self) -> Iterator[pl.LazyFrame]:
        """Each run by itself."""
        self.close()
        for run in self.runs:
            yield pl.scan_parquet(run.file)

    def stretches(self) -> Iterator[pl.DataFrame]:
        """All rows, a stretch of time at a time, each stretch in any order."""
        self.close()
        edges = self._edges()
        for low, high in zip([None, *edges], [*edges, None]):
            parts = [part for run in self.runs if (part := _between(run, low, high)) is not None]
            if parts:
                yield pl.concat(parts)

    def _edges(self) -> list[Any]:
        """Times between which lie about RUN rows; none where all fit."""
        if not self.runs:
            return []
        times = np.sort(np.concatenate([run.sample for run in self.runs]))
        step = max(RUN // SAMPLE, 1)
        return list(np.unique(times[step::step]).tolist())


def _between(run: Run, low: Any, high: Any) -> pl.DataFrame | None:
    """Rows of a run from `low` to below `high`, None standing for no bound; None where there are none."""
    if (low is not None and run.last < low) or (high is not None and run.sample[0] >= high):
        return None
    first = 0 if low is None else max(int(np.searchsorted(run.sample, low)) - 1, 0) * SAMPLE
    last = run.rows if high is None else min(int(np.searchsorted(run.sample, high)) * SAMPLE, run.rows)
    part = pl.scan_parquet(run.file).slice(first, last - first).collect()
    times = part["time"].to_numpy()
    begin = 0 if low is None else int(np.searchsorted(times, low))
    end = len(times) if high is None else int(np.searchsorted(times, high))
    return part.slice(begin, end - begin)
