"""Rows of a file in the canonical schema: types, the rules a row must pass, the arrays. Only `read` calls it.

Memory  grows with the jobs, not with the bytes of the file: rows are streamed, labels kept as codes and ids as numbers where they are whole
        numbers, and what stood in a faulty cell is read again from the file
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
NUMBERS = ("submit_s", "duration_s", "gpus", "gpu_milli", "start_s", "end_s", "min_gpus", "latest_s")
TEXTS = ("job_id", "pool", "user", "gpu_type", "priority")
LABELS = ("pool", "user", "gpu_type")
OPTIONAL = ("gpu_milli", "start_s", "end_s", "min_gpus", "latest_s", "pool", "user", "gpu_type", "priority")
CLASSES = {"BE": 0, "Burstable": 1, "LS": 2, "Guaranteed": 3}  # Kubernetes and openb2023: best effort yields to latency-sensitive
YEARS_20 = 20 * 365.25 * 86_400.0
MOST_GPUS = 1e9
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
    (c("gpus") > MOST_GPUS, "gpus", "a job has no more than a billion GPUs", "mend it"),
    (c("duration_s") > YEARS_20, "duration_s", "a run time is below 20 years", "write it in seconds"),
)
CHANGED: tuple[Rule, ...] = (
    (c("gpus") != c("gpus").ceil(), "gpus", "a part of a GPU counts as a whole one", "round it up yourself"),
    (c("gpu_milli") < 1000, "gpu_milli", "a part of a GPU counts as a whole one", "write 1000, or leave the column out"),
    (~c("min_gpus").is_between(1, c("gpus")), "min_gpus", "a job shrinks to 1 GPU or more of its own; else it keeps them all", "mend it"),
    (c("latest_s") < c("submit_s"), "latest_s", "a job may be put off until after its submission; else it is not put off", "mend it"),
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
    frame = frame.with_columns(_twice(frame)).with_columns(_unsorted())
    broken = _refused(file, frame, lazy)
    if broken.total and not skip_bad:
        raise TraceError(broken.faults(), broken.issues)
    return _arrays(frame.filter(c("skip") < 0) if broken.left_out else frame, broken)


def _numbered(file: Path, lazy: pl.LazyFrame) -> pl.LazyFrame:
    """With `row`: of a log that was just converted, the row that its owner knows."""
    if "log_row" in lazy.collect_schema():
        return lazy.with_columns(c("log_row").alias("row"))
    return lazy.with_row_index("row", offset=1 if is_parquet(file) else 2)


def _typed(file: Path, lazy: pl.LazyFrame) -> pl.LazyFrame:
    """Columns that are kept: numbers where finite, labels where not blank, the first rule broken, end - start over the run time."""
    schema = lazy.collect_schema()
    for name in NUMBERS:
        if name in schema and not (schema[name].is_numeric() or schema[name] in (pl.String, pl.Null)):
            raise TraceError(f"{file}: column {name} holds {schema[name]}, not numbers; write seconds since the trace's start")
    present = [name for name in (*NEEDED, *OPTIONAL) if name in schema]
    numbers = [_number(name, schema[name]) for name in present if name in NUMBERS]
    texts = [_text(name) for name in present if name in TEXTS]
    absent = [pl.lit(None, pl.Float64 if n in NUMBERS else pl.String).alias(n) for n in OPTIONAL if n not in present]
    found = _numbered(file, lazy).select("row", *numbers, *texts, *absent).with_columns(_rank(), *_plain())
    found = found.with_columns(_first(SKIPPED).alias("skip"), _first(CHANGED).alias("change"))
    ran = pl.when((c("end_s") > c("start_s")) & (c("duration_s") > 0)).then((c("end_s") - c("start_s")) / c("duration_s"))
    kept = [c(name).cast(pl.Categorical()) for name in LABELS if name in present]
    kept += [c(name) for name in ("min_gpus", "latest_s") if name in present]
    if "priority" in present:
        kept.append(c("rank"))
    if {"start_s", "end_s"} <= set(present):
        kept.append(ran.cast(pl.Float32).alias("ran"))
    text = pl.when(~c("plain")).then(c("job_id")).alias("text")
    return found.select("row", "submit_s", "duration_s", "gpus", "number", text, "skip", "change", *kept)


def _plain() -> tuple[pl.Expr, pl.Expr]:
    """The id as a whole number, and whether that is how it is written."""
    number = c("job_id").cast(pl.Int64, strict=False)
    return number.alias("number"), (number.is_not_null() & (number.cast(pl.String) == c("job_id"))).fill_null(False).alias("plain")


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
        found = found.when(breaks.fill_null(False)).then(pl.lit(number, pl.Int8))
    chosen: pl.Expr = found.otherwise(pl.lit(-1, pl.Int8))
    return chosen


def _ids(frame: pl.DataFrame) -> pl.Series:
    """Ids as numbers where all are plain whole numbers, else as text."""
    if frame["text"].null_count() == frame.height:
        return frame["number"]
    return frame.select(pl.coalesce("text", c("number").cast(pl.String))).to_series()


def _twice(frame: pl.DataFrame) -> pl.Series:
    """The second and later rows of an id, among rows that stand."""
    ids, skip = _ids(frame), frame["skip"]
    if ids.dtype == pl.Int64 and bool((ids.diff() > 0).all()):
        return skip
    again = ~ids.is_first_distinct() & (skip < 0)
    return pl.select(pl.when(again).then(pl.lit(len(SKIPPED), pl.Int8)).otherwise(skip).alias("skip")).to_series()


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
    ratio = _float(frame["ran"].median()) if "ran" in frame.columns else None
    if ratio is not None and not 0.01 < ratio < 100.0:
        raise TraceError(_unit(file, f"end_s - start_s is {ratio:,.4g} times duration_s (median)", "write all times in seconds"))


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _unit(file: Path, got: str, remedy: str) -> str:
    return Issue(str(file), 1, 0, "submit_s", got, "times are seconds since the trace's start, all in one unit", remedy).to_text()


def _refused(file: Path, frame: pl.DataFrame, lazy: pl.LazyFrame) -> Refusals:
    """Everything that rows break, counted by rule; the first rows of all named in file order."""
    skipped: dict[str, int] = {}
    changed: dict[str, int] = {}
    named: list[tuple[pl.Series, tuple[str, str, str]]] = []
    skips = dict(frame["skip"].value_counts().iter_rows())
    changes = dict(frame.filter(c("skip") < 0)["change"].value_counts().iter_rows()) if (frame["change"] >= 0).any() else {}
    for number, (_, column, rule, remedy) in enumerate((*SKIPPED, (None, *TWICE))):
        if number in skips:
            skipped[rule] = skipped.get(rule, 0) + skips[number]
            named.append((frame.filter(c("skip") == number)["row"], (column, rule, remedy)))
    for number, (_, column, rule, remedy) in enumerate(CHANGED):
        if number in changes:
            changed[rule] = changed.get(rule, 0) + changes[number]
            named.append((frame.filter((c("skip") < 0) & (c("change") == number))["row"], (column, rule, remedy)))
    if frame["late"].any():
        changed[UNSORTED[1]] = int(frame["late"].sum())
        named.append((frame.filter(c("late"))["row"], UNSORTED))
    known = (c("gpus") <= MOST_GPUS) & (c("duration_s") <= YEARS_20)
    hours = pl.when(c("gpus") <= 0).then(0.0).when(known).then(c("gpus").ceil() * c("duration_s").clip(0) / 3600.0)
    left = frame.filter(c("skip") >= 0).select(hours.alias("hours")).to_series() if skipped else pl.Series([], dtype=pl.Float64)
    return Refusals(str(file), frame.height, skipped, changed, float(left.sum()), left.null_count(), _issues(file, lazy, named))


def _issues(file: Path, lazy: pl.LazyFrame, named: list[tuple[pl.Series, tuple[str, str, str]]]) -> tuple[Issue, ...]:
    """The first NAMED faults in file order, each with what stands in its cell, which is read from the file again."""
    faults = sorted((int(row), told) for rows, told in named for row in rows.head(NAMED))[:NAMED]
    if not faults:
        return ()
    columns = lazy.collect_schema().names()
    wanted = sorted({told[0] for _, told in faults} & set(columns))
    rows = _numbered(file, lazy).filter(c("row").is_in([row for row, _ in faults])).select("row", *(_text(name) for name in wanted))
    cells = {int(row["row"]): row for row in rows.collect(engine="streaming").iter_rows(named=True)}
    found = []
    for row, (column, rule, remedy) in faults:
        cell = cells[row].get(column)
        place = columns.index(column) + 1 if column in columns else 0
        found.append(Issue(str(file), row, place, column, "nothing" if cell is None else cell[:60], rule, remedy))
    return tuple(found)


def _arrays(frame: pl.DataFrame, refusals: Refusals) -> Jobs:
    """Sorted by (submit_s, job_id). Ids that are all whole numbers, written plainly, are themselves; others are ranked."""
    ids = _ids(frame)
    plain = ids.dtype == pl.Int64
    frame = frame.drop("number", "text").with_columns(ids.alias("id"))
    if not _in_order(frame["submit_s"], ids):
        frame = frame.sort("submit_s", "id")
    pool, pools = _codes(frame, "pool")
    chip, chips = _codes(frame, "gpu_type")
    user, _ = _codes(frame, "user")
    ranks = frame["rank"].fill_null(0).to_numpy() if "rank" in frame.columns else np.zeros(frame.height, np.int64)
    gpus = frame["gpus"].ceil().cast(pl.Int64).to_numpy()
    return Jobs(
        frame["submit_s"].to_numpy(), frame["duration_s"].to_numpy(), gpus, ranks, user, pool, chip,
        frame["id"].to_numpy() if plain else np.arange(frame.height, dtype=np.int64), pools, chips,
        None if plain else np.array(frame["id"].to_list(), np.dtypes.StringDType()), frame["row"].cast(pl.Int64).to_numpy(), refusals,
        _stated(frame, pl.when(c("min_gpus").is_between(1, c("gpus"))).then(c("min_gpus")).otherwise(c("gpus")).ceil().cast(pl.Int64)),
        _stated(frame, pl.when(c("latest_s") >= c("submit_s")).then(c("latest_s")).otherwise(-1.0)),
    )  # fmt: skip


def _stated(frame: pl.DataFrame, values: pl.Expr) -> np.ndarray | None:
    """Values of a column that few traces have, the first that they come from; None where no row states it."""
    column = values.meta.root_names()[0]
    if column not in frame.columns or frame[column].null_count() == frame.height:
        return None
    return frame.select(values.alias("value")).to_series().to_numpy()


def _in_order(submit: pl.Series, ids: pl.Series) -> bool:
    """Whether rows stand sorted by (submit_s, job_id) already."""
    if ids.dtype != pl.Int64:
        return False
    later, same = submit.diff() > 0, submit.diff() == 0
    return bool((later | (same & (ids.diff() > 0))).all())


def _codes(frame: pl.DataFrame, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes in the alphabetical order of the names; -1 where absent."""
    if name not in frame.columns:
        return np.full(frame.height, -1, np.int64), ()
    column = frame[name]
    known = column.drop_nulls().unique()
    names = known.cast(pl.String)
    order = names.arg_sort()
    kinds = known.to_physical().to_numpy()[order.to_numpy()].astype(np.int64)
    rank = np.full(int(kinds.max(initial=-1)) + 2, -1, np.int64)
    rank[kinds] = np.arange(len(kinds))
    return rank[column.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()], tuple(names.gather(order).to_list())
