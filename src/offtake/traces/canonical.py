"""Rows of a file in the canonical schema: types, the rules a row must pass, the arrays. Only `read` calls it.

Source  R-01; the columns are those of docs/traces.md
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import Issue
from .jobs import NAMED, SHAPE, Jobs, Refusals, TraceError
from .table import is_parquet, open_table, unreadable

NEEDED = ("job_id", "submit_s", "duration_s", "gpus")
NUMBERS = ("submit_s", "duration_s", "gpus", "gpu_milli", "start_s", "end_s")
TEXTS = ("job_id", "pool", "user", "gpu_type", "priority")
OPTIONAL = ("gpu_milli", "start_s", "end_s", "pool", "user", "gpu_type", "priority")
CLASSES = {"BE": 0, "Burstable": 1, "LS": 2, "Guaranteed": 3}  # Kubernetes and openb2023: best effort yields to latency-sensitive
YEARS_20 = 20 * 365.25 * 86_400.0
EPOCH_2001 = 1e9  # seconds since 1970
Rule = tuple[pl.Expr, str, str, str]  # breaks, column, rule, fix

c = pl.col

SKIPPED: tuple[Rule, ...] = (
    (c("job_id").is_null(), "job_id", "a job has an id", "give it one"),
    (c("submit_s").is_null(), "submit_s", "a job states when it was submitted, in seconds since the start", "write it, as in 86400"),
    (c("submit_s") < 0, "submit_s", "times count from the trace's start: none is below 0", "take off the time of the first job"),
    (c("gpus").is_null(), "gpus", "a job states its GPUs", "write how many it starts together"),
    (c("gpus") < 0, "gpus", "a job has one GPU or more", "mend it"),
    (c("gpus") == 0, "gpus", "a job has one GPU or more", "leave it out: it takes no GPU"),
    (c("duration_s").is_null(), "duration_s", "a job states its run time in seconds", "leave the job out if it never started"),
    (c("duration_s") < 0, "duration_s", "a run time is not below 0", "mend it: the end lies before the start"),
)
CHANGED: tuple[Rule, ...] = (
    (c("gpus") != c("gpus").ceil(), "gpus", "a part of a GPU counts as a whole one", "round it up yourself"),
    (c("gpu_milli") < 1000, "gpu_milli", "a part of a GPU counts as a whole one", "write 1000, or leave the column out"),
    (c("rank").is_null(), "priority", f"a priority is a whole number or one of {', '.join(CLASSES)}; else it counts as 0", "mend it"),
)  # fmt: skip
TWICE = ("job_id", "an id stands once", "number the jobs anew, or leave the second out")
UNSORTED = ("submit_s", "jobs stand in the order of their submission; they are sorted", "sort the file by submit_s")


def canonical(file: Path, skip_bad: bool) -> Jobs:
    """Read a file whole. Raises TraceError with every fault unless `skip_bad`."""
    lazy = open_table(file, SHAPE)
    columns = lazy.collect_schema().names()
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise TraceError(f"{file}: no column {', '.join(missing)} (it has {', '.join(columns)[:200]}); {SHAPE}")
    try:
        frame = _typed(file, lazy).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error, SHAPE) from None
    if frame.is_empty():
        raise TraceError(f"{file}: the trace has no job; {SHAPE}")
    _one_unit(file, frame)
    frame = frame.with_columns(_twice()).with_columns(_unsorted())
    broken = _refused(file, frame, columns)
    if broken.total and not skip_bad:
        raise TraceError(broken.faults(), broken.issues)
    return _arrays(frame.filter(c("skip") < 0), broken)


def _typed(file: Path, lazy: pl.LazyFrame) -> pl.LazyFrame:
    """Columns that are read: numbers where finite, text where not blank, what stood there where it is neither; the first rule broken."""
    schema = lazy.collect_schema()
    for name in NUMBERS:
        if name in schema and not (schema[name].is_numeric() or schema[name] in (pl.String, pl.Null)):
            raise TraceError(f"{file}: column {name} holds {schema[name]}, not numbers; write seconds since the trace's start")
    present = [name for name in (*NEEDED, *OPTIONAL) if name in schema]
    numbers = [_number(name, schema[name]) for name in present if name in NUMBERS]
    texts = [_text(name) for name in present if name in TEXTS]
    raw = [c(name).cast(pl.String).alias(f"raw_{name}") for name in present if name in NUMBERS and schema[name] == pl.String]
    absent = [pl.lit(None, pl.Float64 if n in NUMBERS else pl.String).alias(n) for n in OPTIONAL if n not in present]
    if "log_row" in schema:  # of a log that was just converted: the row that its owner knows
        lazy = lazy.select(*present, c("log_row").alias("row"))
    else:
        lazy = lazy.select(present).with_row_index("row", offset=1 if is_parquet(file) else 2)
    lazy = lazy.with_columns(*raw, *numbers, *texts, *absent).with_columns(_rank())
    return lazy.with_columns(_first(SKIPPED).alias("skip"), _first(CHANGED).alias("change"))


def _number(name: str, kind: Any) -> pl.Expr:
    value = c(name).str.strip_chars() if kind == pl.String else c(name)
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias(name)


def _text(name: str) -> pl.Expr:
    """Blank is absent."""
    text = c(name).cast(pl.String).str.strip_chars()
    return pl.when(text.str.len_chars() > 0).then(text).alias(name)


def _rank() -> pl.Expr:
    """Priority as a whole number: 0 where none is stated, null where what is stated is no priority."""
    number = c("priority").cast(pl.Int64, strict=False)
    word = c("priority").replace_strict(list(CLASSES), list(CLASSES.values()), default=None, return_dtype=pl.Int64)
    return pl.when(c("priority").is_null()).then(0).otherwise(pl.coalesce(number, word)).alias("rank")


def _first(rules: Sequence[Rule]) -> pl.Expr:
    """Number of the first rule that a row breaks; -1 for a row that breaks none."""
    found: Any = pl
    for number, (breaks, *_) in enumerate(rules):
        found = found.when(breaks.fill_null(False)).then(pl.lit(number, pl.Int32))
    chosen: pl.Expr = found.otherwise(pl.lit(-1, pl.Int32))
    return chosen


def _twice() -> pl.Expr:
    """The second and later rows of an id, among rows that stand."""
    again = ~c("job_id").is_first_distinct() & (c("skip") < 0)
    return pl.when(again).then(pl.lit(len(SKIPPED), pl.Int32)).otherwise(c("skip")).alias("skip")


def _unsorted() -> pl.Expr:
    """A row submitted before one above it, among rows that stand."""
    stands = pl.when(c("skip") < 0).then(c("submit_s"))
    return (stands < stands.cum_max().shift(1).fill_null(strategy="forward")).fill_null(False).alias("late")


def _one_unit(file: Path, frame: pl.DataFrame) -> None:
    """A unit other than seconds since the trace's start is named, never guessed and converted."""
    first, last = _float(frame["submit_s"].min()), _float(frame["submit_s"].max())
    if first is None or last is None:
        return
    span = last - first
    what = f"submit_s runs from {first:,.0f} to {last:,.0f}"
    if span > YEARS_20:
        rule = f"read as seconds it spans {span / 31_557_600:,.0f} years, as milliseconds {span / 86_400_000:,.1f} days"
        raise TraceError(_unit(file, f"{what}: {rule}", "divide the column by 1,000 (or by 1,000,000 if it holds microseconds)"))
    if first >= EPOCH_2001:
        raise TraceError(_unit(file, f"{what}: that is a calendar time, in seconds since 1970", "take off the time of the first job"))
    ran = frame.filter((c("end_s") > c("start_s")) & (c("duration_s") > 0))
    ratio = _float(ran.select((c("end_s") - c("start_s")) / c("duration_s")).to_series().median())
    if ratio is not None and not 0.01 < ratio < 100.0:
        raise TraceError(_unit(file, f"end_s - start_s is {ratio:,.4g} times duration_s (median)", "write all times in seconds"))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _unit(file: Path, got: str, remedy: str) -> str:
    return Issue(str(file), 1, 0, "submit_s", got, "times are seconds since the trace's start, all in one unit", remedy).to_text()


def _refused(file: Path, frame: pl.DataFrame, columns: list[str]) -> Refusals:
    """Everything that rows break, counted by rule; the first rows of all named in file order."""
    skipped: dict[str, int] = {}
    changed: dict[str, int] = {}
    issues: list[Issue] = []
    for number, (_, column, rule, remedy) in enumerate((*SKIPPED, (None, *TWICE))):
        rows = frame.filter(c("skip") == number)
        if rows.height:
            skipped[rule] = skipped.get(rule, 0) + rows.height
            issues += _named(file, rows, columns, (column, rule, remedy))
    stand = frame.filter(c("skip") < 0)
    for number, (_, column, rule, remedy) in enumerate(CHANGED):
        rows = stand.filter(c("change") == number)
        if rows.height:
            changed[rule] = changed.get(rule, 0) + rows.height
            issues += _named(file, rows, columns, (column, rule, remedy))
    late = stand.filter(c("late"))
    if late.height:
        changed[UNSORTED[1]] = late.height
        issues += _named(file, late, columns, UNSORTED)
    hours = pl.when(c("gpus") <= 0).then(0.0).otherwise(c("gpus").ceil() * c("duration_s").clip(0) / 3600.0)
    left = frame.filter(c("skip") >= 0).select(hours.alias("hours")).to_series()
    named = tuple(sorted(issues, key=lambda issue: issue.line)[:NAMED])
    return Refusals(str(file), frame.height, skipped, changed, float(left.sum()), left.null_count(), named)


def _named(file: Path, rows: pl.DataFrame, columns: list[str], told: tuple[str, str, str]) -> list[Issue]:
    column, rule, remedy = told
    place = columns.index(column) + 1 if column in columns else 0
    raw = f"raw_{column}" if f"raw_{column}" in rows.columns else column
    cells = rows.head(NAMED).select("row", raw).iter_rows()
    return [Issue(str(file), row, place, column, "nothing" if cell is None else str(cell)[:60], rule, remedy) for row, cell in cells]


def _arrays(frame: pl.DataFrame, refusals: Refusals) -> Jobs:
    """Sorted by (submit_s, job_id). Ids that are all whole numbers, written plainly, are themselves; others are ranked."""
    number = frame["job_id"].cast(pl.Int64, strict=False)
    plain = number.null_count() == 0 and bool((number.cast(pl.String) == frame["job_id"]).all())
    frame = frame.with_columns(number.alias("number")).sort("submit_s", "number" if plain else "job_id")
    pool, pools = _codes(frame["pool"])
    chip, chips = _codes(frame["gpu_type"])
    user, _ = _codes(frame["user"])
    whole = frame["gpus"].ceil().cast(pl.Int64)
    return Jobs(
        frame["submit_s"].to_numpy(), frame["duration_s"].to_numpy(), whole.to_numpy(),
        frame["rank"].fill_null(0).to_numpy(), user, pool, chip,
        frame["number"].to_numpy() if plain else np.arange(frame.height, dtype=np.int64), pools, chips,
        None if plain else np.array(frame["job_id"].to_list(), np.dtypes.StringDType()), frame["row"].cast(pl.Int64).to_numpy(), refusals,
    )  # fmt: skip


def _codes(column: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes in the alphabetical order of the names; -1 where absent."""
    names = column.drop_nulls().unique().sort().to_list()
    codes = column.replace_strict(names, list(range(len(names))), default=-1, return_dtype=pl.Int64).fill_null(-1)
    return codes.to_numpy(), tuple(names)
