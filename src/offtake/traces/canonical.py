"""A file in the canonical schema -> the arrays of its jobs. Only `read` calls it.

Memory  one batch of the file, and of each job what a replay reads: times 16 bytes, GPUs 4, a whole-number id 8, row 4, what it broke 2,
        a label 4 each where the trace has it, a priority 4 to 8; an id that is text 16 and its letters. To look for ids that stand twice,
        where numbers do not rise from row to row, takes about as much again as the ids for a while; to sort, 8 and a column at a time
Source  R-01; the columns are those of docs/traces.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .jobs import NAMED, SHAPE, Jobs, Refusals, TraceError
from .rules import AGAIN, LABELS, LATE, Faults, Units, opened, typed

Array = np.ndarray[Any, Any]
KINDS = {
    "submit_s": np.float64, "duration_s": np.float64, "size": np.int32, "number": np.int64, "skip": np.int8, "change": np.int8,
    "row": np.uint32, "least": np.int32, "latest": np.float64, "rank": np.int64,
}  # fmt: skip
ROWS = 1 << 20
ABSENT = {"size": 0, "number": 0, "least": 0, "rank": 0}  # what a null becomes: of rows left out, or where nothing is stated
STATED = {"least": "min_gpus", "latest": "latest_s", "rank": "priority"}  # columns that few traces have

c = pl.col


def canonical(file: Path, skip_bad: bool) -> Jobs:
    """Read a file whole. Raises TraceError with every fault unless `skip_bad`."""
    columns, batches = opened(file)
    present = [name for name in KINDS if STATED.get(name, name) in columns or name not in STATED]
    held = Columns(present, [name for name in LABELS if name in columns])
    units, faults = Units(), Faults()
    for first, batch in batches:
        rows = typed(file, first, batch)
        units.of(rows)
        faults.read += rows.height
        faults.lost(rows.filter(c("skip") >= 0))
        held.add(rows)
    if faults.read == 0:
        raise TraceError(f"{file}: the trace has no job; {SHAPE}")
    units.check(file)
    arrays = held.joined()
    _across(arrays, held, faults)
    broken = faults.refusals(file)
    if broken.total and not skip_bad:
        raise TraceError(broken.faults(), broken.issues)
    return _jobs(arrays, held, broken)


class Growing:
    """An array that grows in place, an eighth at a time: parts that are joined at the end would stand twice."""

    def __init__(self, kind: Any) -> None:
        self._array, self._count = np.empty(0, kind), 0

    def add(self, part: Array) -> None:
        """More entries; a wider kind widens the array."""
        end = self._count + len(part)
        if part.dtype.itemsize > self._array.dtype.itemsize:
            self._array = self._array.astype(part.dtype)
        if end > len(self._array):
            self._array.resize(end + end // 8, refcheck=False)
        self._array[self._count : end] = part
        self._count = end

    def whole(self) -> Array:
        """All entries; nothing may be added any more."""
        self._array.resize(self._count, refcheck=False)
        return self._array


class Columns:
    """Columns of all batches, each as narrow as it can be; labels as codes, in the order in which they come."""

    def __init__(self, names: list[str], labels: list[str]) -> None:
        self._columns = {name: Growing(np.int32 if name in labels else KINDS[name]) for name in (*names, *labels)}
        self.labels: dict[str, dict[str, int]] = {name: {} for name in labels}
        self._texts, self._heights = list[pl.Series | None](), list[int]()
        self.ids = pl.Series([], dtype=pl.Int64)

    def add(self, rows: pl.DataFrame) -> None:
        """A batch as `typed` makes it."""
        for name, column in self._columns.items():
            if name in self.labels:
                column.add(self._codes(name, rows[name]))
            else:
                part = (rows[name].fill_null(ABSENT[name]) if name in ABSENT else rows[name]).to_numpy()
                wide = name == "row" and len(part) > 0 and part[-1] >= 1 << 32
                column.add(part if wide else part.astype(KINDS[name]))
        self._texts.append(None if rows["plain"].all() else rows["job_id"])
        self._heights.append(rows.height)

    def _codes(self, name: str, texts: pl.Series) -> Array:
        known, new = self.labels[name], texts.drop_nulls().unique(maintain_order=True)
        for text in new.to_list():
            known.setdefault(text, len(known))
        codes = [known[text] for text in new.to_list()]
        if not codes:
            return np.full(len(texts), -1, np.int32)
        return texts.replace_strict(new, codes, default=-1, return_dtype=pl.Int32).to_numpy()

    def joined(self) -> dict[str, Array]:
        """Whole columns; ids as numbers where all are plain whole numbers, else as text."""
        arrays = {name: column.whole() for name, column in self._columns.items()}
        self._columns = {}
        if all(text is None for text in self._texts):
            self.ids = pl.Series("id", arrays["number"])
        else:
            self.ids = _as_text(arrays["number"], self._texts, self._heights)
            del arrays["number"]
        return arrays


def _as_text(number: Array, texts: list[pl.Series | None], heights: list[int]) -> pl.Series:
    """Ids of all batches as text; of a batch that had none else, its numbers."""
    parts, at = [], 0
    for text, height in zip(texts, heights, strict=True):
        parts.append(pl.Series("id", number[at : at + height]).cast(pl.String) if text is None else text.alias("id"))
        at += height
    return pl.concat(parts)


def _across(arrays: dict[str, Array], held: Columns, faults: Faults) -> None:
    """What no row shows by itself: ids that stand twice, rows out of order. Then all that was broken is counted."""
    skip, submit, row = arrays["skip"], arrays["submit_s"], arrays["row"]
    again = _twice(held.ids, skip)
    if again.any():
        skip[again] = AGAIN
        faults.lost(pl.DataFrame({"gpus": arrays["size"][again].astype(np.float64), "duration_s": arrays["duration_s"][again]}))
    stands = skip < 0
    for number in np.unique(skip[~stands]):
        faults.skip(int(number), int((skip == number).sum()), row[skip == number][:NAMED])
    change = arrays.pop("change")
    for number in np.unique(change[stands & (change >= 0)]):
        mine = stands & (change == number)
        faults.change(int(number), int(mine.sum()), row[mine][:NAMED])
    if not (stands.all() and (submit[1:] >= submit[:-1]).all()):
        late, _ = out_of_order(submit, stands, -np.inf)
        faults.change(LATE, int(late.sum()), row[late][:NAMED])


def out_of_order(submit: Array, stands: Array, before: float) -> tuple[Array, float]:
    """Which rows (N,) that stand were submitted before one above them that stands, `before` being the latest so far; and the latest."""
    top = np.maximum.accumulate(np.concatenate([[before], np.where(stands, submit, -np.inf)]))
    return stands & (submit < top[:-1]), float(top[-1])


def _twice(ids: pl.Series, skip: Array) -> Array:
    """The second and later rows of an id, among rows that stand."""
    if ids.dtype == pl.Int64:
        number = ids.to_numpy()
        if (number[1:] > number[:-1]).all():
            return np.zeros(len(skip), bool)
    return ~ids.is_first_distinct().to_numpy() & (skip < 0)


def _jobs(arrays: dict[str, Array], held: Columns, refusals: Refusals) -> Jobs:
    """Sorted by (submit_s, job_id). Ids that are all whole numbers, written plainly, are themselves; others are ranked."""
    ids, stands = held.ids, arrays.pop("skip") < 0
    held.ids = pl.Series([], dtype=pl.Int64)
    arrays.pop("number", None)
    if not stands.all():
        ids = ids.filter(pl.Series(stands))
        _each(arrays, stands)
    if not _in_order(arrays["submit_s"], ids):
        order = pl.DataFrame({"s": arrays["submit_s"], "id": ids}).select(pl.arg_sort_by("s", "id")).to_series()
        ids = ids.gather(order)
        _each(arrays, order.to_numpy())
    count, plain = len(ids), ids.dtype == pl.Int64
    pool, pools = _codes(arrays, held, "pool", count)
    chip, chips = _codes(arrays, held, "gpu_type", count)
    user, _ = _codes(arrays, held, "user", count)
    least, latest, rank = (arrays.pop(name, None) for name in STATED)
    return Jobs(
        arrays["submit_s"], arrays["duration_s"], arrays["size"], _narrow(rank, count), user, pool, chip,
        ids.to_numpy() if plain else np.arange(count, dtype=np.int64), pools, chips, None if plain else _names(ids),
        arrays["row"], refusals,
        None if least is None or not least.any() else np.where(least > 0, least, arrays["size"]),
        None if latest is None or np.isnan(latest).all() else np.where(np.isnan(latest), -1.0, latest),
    )  # fmt: skip


def _each(arrays: dict[str, Array], chosen: Array) -> None:
    """Choose rows column by column, so that one is held twice at a time."""
    for name in arrays:
        arrays[name] = arrays[name][chosen]


def _narrow(rank: Array | None, count: int) -> Array:
    """Priorities in 4 bytes where they fit; in none where there are none."""
    if rank is None:
        return np.broadcast_to(np.int64(0), count)
    small = len(rank) == 0 or max(int(rank.max()), -int(rank.min())) < 1 << 31
    return rank.astype(np.int32) if small else rank


def _names(ids: pl.Series) -> Array:
    names = np.empty(len(ids), np.dtypes.StringDType())
    for first in range(0, len(ids), 1 << 16):
        part = ids.slice(first, 1 << 16).to_list()
        names[first : first + len(part)] = part
    return names


def _in_order(submit: Array, ids: pl.Series) -> bool:
    """Whether rows stand sorted by (submit_s, job_id) already, looked at in stretches of ROWS."""
    for first in range(0, len(ids), ROWS):
        time, job = submit[first : first + ROWS + 1], ids.slice(first, ROWS + 1)
        rising = (job.slice(1) > job.slice(0, max(len(job) - 1, 0))).to_numpy()
        if not ((time[1:] > time[:-1]) | ((time[1:] == time[:-1]) & rising)).all():
            return False
    return True


def _codes(arrays: dict[str, Array], held: Columns, name: str, count: int) -> tuple[Array, tuple[str, ...]]:
    """Codes in the alphabetical order of the names that stand; -1 where absent."""
    codes = arrays.pop(name, None)
    if codes is None:
        return np.broadcast_to(np.int64(-1), count), ()
    names = list(held.labels[name])
    known = np.unique(codes[codes >= 0])
    order = sorted(known.tolist(), key=lambda code: names[code].encode())
    rank = np.full(len(names) + 1, -1, np.int32)
    rank[order] = np.arange(len(order))
    return rank[codes], tuple(names[code] for code in order)
