"""What every reader of a public format hands over: rows in canonical columns, and for each row whether it is a job, sound, or neither.

A file is read once, batch by batch, and is never whole in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import Issue
from .batches import table_batches
from .jobs import TraceError

COLUMNS: dict[str, Any] = {
    "job_id": pl.String, "pool": pl.String, "user": pl.String, "time": pl.Float64, "start": pl.Float64, "end": pl.Float64,
    "duration_s": pl.Float64, "gpus": pl.Float64, "gpu_type": pl.String, "cpus": pl.Float32, "mem_gib": pl.Float32,
    "priority": pl.String, "status": pl.String, "censored": pl.String,
}  # fmt: skip
Reason = tuple[pl.Expr, str]  # the row is no job to replay, and why
Rule = tuple[pl.Expr, str, str, str]  # breaks, column as the file names it, rule, fix

c = pl.col


@dataclass(frozen=True)
class Foreign:
    """One file in a public format.

    columns  as the file names them, in order
    parts    of each batch in turn a frame with `row`, COLUMNS, `apart`, `skip` (numbers of reason and rule, -1 none) and `cell`, its text
    apart    why rows are no job to replay
    rules    column, rule, fix
    """

    file: Path
    columns: tuple[str, ...]
    parts: Iterable[pl.LazyFrame]
    apart: tuple[str, ...]
    rules: tuple[tuple[str, str, str], ...]

    def issue(self, row: int, rule: int, cell: str | None) -> Issue:
        column, text, fix = self.rules[rule]
        place = self.columns.index(column) + 1 if column in self.columns else 0
        return Issue(str(self.file), row, place, column, (cell or "nothing")[:80], text, fix)


def judged(lazy: pl.LazyFrame, apart: Sequence[Reason], rules: Sequence[Rule]) -> pl.LazyFrame:
    """Number of the first reason and of the first rule of each row; `raw_COLUMN` (or `line`) says what stood there."""
    skip = numbered([breaks for breaks, *_ in rules])
    lazy = lazy.with_columns(numbered([is_apart for is_apart, _ in apart]).alias("apart"))
    lazy = lazy.with_columns(pl.when(c("apart") < 0).then(skip).otherwise(pl.lit(-1, pl.Int32)).alias("skip"))
    names = lazy.collect_schema().names()
    cell: Any = pl
    for number, (_, column, *_) in enumerate(rules):
        cell = cell.when(c("skip") == number).then(c(f"raw_{column}" if f"raw_{column}" in names else "line"))
    lazy = lazy.with_columns(cell.otherwise(None).alias("cell"))
    absent = [pl.lit(None, kind).alias(name) for name, kind in COLUMNS.items() if name not in names]
    kinds = [c(name).cast(kind) for name, kind in COLUMNS.items()]
    return lazy.with_columns(*absent).select(c("row").cast(pl.Int64), *kinds, "apart", "skip", "cell")


def numbered(tests: Sequence[pl.Expr]) -> pl.Expr:
    """Number of the first test that holds, -1 where none does."""
    found: Any = pl
    for number, test in enumerate(tests):
        found = found.when(test.fill_null(False)).then(pl.lit(number, pl.Int32))
    chosen: pl.Expr = found.otherwise(pl.lit(-1, pl.Int32))
    return chosen


def table_of(
    file: Path, needed: Sequence[str], what: str
) -> tuple[tuple[str, ...], Iterator[pl.LazyFrame]]:
    """A CSV file with a header: its columns, and batches with `row` from 2 and `raw_COLUMN` as text, null where blank.

    Raises TraceError where a column is missing.
    """
    try:
        columns, batches = table_batches(file, what)
    except TraceError as error:
        raise TraceError(str(error).replace("the trace could not", "the file could not"), error.issues) from None
    missing = [name for name in needed if name not in columns]
    if missing:
        raise TraceError(f"{file}: no column {', '.join(missing)} (it has {', '.join(columns)[:200]}); {what}")
    return tuple(columns), (_raw(first, batch) for first, batch in batches)


def _raw(first: int, batch: pl.DataFrame) -> pl.LazyFrame:
    text = {name: c(name).cast(pl.String).str.strip_chars() for name in batch.columns}
    raw = [pl.when(value != "").then(value).alias(f"raw_{name}") for name, value in text.items()]
    return batch.lazy().select(pl.int_range(first, first + batch.height, dtype=pl.Int64).alias("row"), *raw)


def number(column: str) -> pl.Expr:
    """A finite number, null else."""
    value = c(column).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def moment(column: str, pattern: str = "%Y-%m-%d %H:%M:%S") -> pl.Expr:
    """Seconds since 1970 of a local time without a zone, null else."""
    return c(column).str.to_datetime(pattern, strict=False, time_unit="us").dt.epoch("us") / 1e6
