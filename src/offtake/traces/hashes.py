"""Which ids come more than once, of any number: 64-bit hashes in sorted runs on disk, compared a stretch at a time.

Memory  HELD hashes of 8 bytes while they come, STRETCH while they are compared, and 8 bytes for each that comes again
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

HELD = 1 << 21
STRETCH = 1 << 21
SAMPLE = 1 << 12  # of a run on disk, every so many hashes are kept to find a place in it

Array = np.ndarray[Any, Any]


def hash_of(*columns: str) -> pl.Expr:
    """Of one id, or of several columns that make one."""
    return (pl.struct(*columns).hash() if len(columns) > 1 else pl.col(columns[0]).hash()).alias("hash")


class Hashes:
    """Hashes, added batch by batch.

    total     how many were added
    distinct  how many of them differ; known once `again` was asked
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._stem, self._held, self._count, self._runs = folder / name, list[Array](), 0, list[tuple[Path, Array, int]]()
        self.total = self.distinct = 0

    def add(self, hashes: Array) -> None:
        """Hashes (N,) uint64 of a batch."""
        self._held.append(hashes)
        self._count += len(hashes)
        self.total += len(hashes)
        if self._count >= HELD:
            self._write()

    def again(self) -> Array:
        """The hashes that came more than once, each one time, ascending."""
        if not self._runs:
            ordered = np.sort(np.concatenate([np.zeros(0, np.uint64), *self._held]))
            self._held = []
            return self._of(ordered)
        if self._count:
            self._write()
        parts = -(-self.total // STRETCH)
        edges = [int(n * ((1 << 64) / parts)) for n in range(1, parts)]
        found = [self._of(np.sort(np.concatenate([self._read(run, low, high) for run in self._runs])))
                 for low, high in zip([0, *edges], [*edges, 1 << 64])]  # fmt: skip
        return np.concatenate(found)

    def _of(self, ordered: Array) -> Array:
        first = np.ones(len(ordered), bool)
        first[1:] = ordered[1:] != ordered[:-1]
        self.distinct += int(first.sum())
        return np.unique(ordered[~first])

    def _write(self) -> None:
        ordered = np.sort(np.concatenate(self._held))
        file = self._stem.with_name(f"{self._stem.name}-{len(self._runs)}.bin")
        ordered.tofile(file)
        self._runs.append((file, ordered[::SAMPLE].copy(), len(ordered)))
        self._held, self._count = [], 0

    def _read(self, run: tuple[Path, Array, int], low: int, high: int) -> Array:
        """Hashes of a run from `low` to below `high`."""
        file, sample, count = run
        first = max(int(np.searchsorted(sample, np.uint64(low))) - 1, 0) * SAMPLE
        last = count if high >= 1 << 64 else min(int(np.searchsorted(sample, np.uint64(high))) * SAMPLE, count)
        part = np.fromfile(file, np.uint64, last - first, offset=8 * first)
        begin = int(np.searchsorted(part, np.uint64(low)))
        end = len(part) if high >= 1 << 64 else int(np.searchsorted(part, np.uint64(high)))
        return part[begin:end]


def is_again(again: Array) -> pl.Expr:
    """Whether the row's `hash` is one of them."""
    return pl.col("hash").is_in(pl.Series(again, dtype=pl.UInt64).implode()) if len(again) else pl.lit(False)
