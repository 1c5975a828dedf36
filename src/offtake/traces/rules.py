"""Rows of the canonical schema: types, the rules a row must pass, and what broke them, batch by batch.

Memory  one batch, and the first NAMED rows of each rule; what stood in a faulty cell is read again from the file
Source  R-01; the columns are those of docs/traces.md
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ..errors import Issue
from ..judge import first_broken
from .batches import table_batches
from .jobs import NAMED, SHAPE, Refusals, TraceError
from .sums import gpu_hours, gpu_time

NEEDED = ("job_id", "submit_s", "duration_s", "gpus")
NUMBERS = ("submit_s", "duration_s", "gpus", "gpu_milli", "start_s", "end_s", "min_gpus", "latest_s")
TEXTS = ("job_id", "pool", "user", "gpu_type", "priority")
LABELS = ("pool", "user", "gpu_type")
OPTIONAL = ("gpu_milli", "start_s", "end_s", "min_gpus", "latest_s", "pool", "user", "gpu_type", "priority")
CLASSES = {"BE": 0, "Burstable": 1, "LS": 2, "Guaranteed": 3}  # Kubernetes and openb2023: best effort yields to latency-sensitive
YEARS_20 = 20 * 365.25 * 86_400.0
MOST_GPUS = 1e9
EPOCH_2001 = 1e9  # seconds since 1970
SAMPLED = 1_000_000  # run times of which a message tells the median
Rule = tuple[pl.Expr, str, str, str]  # breaks, column, rule, fix
Told = tuple[str, str, str]  # column, rule, fix

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
TWICE: Told = ("job_id", "an id stands once", "number the jobs anew, or leave the second out")
UNSORTED: Told = ("submit_s", "jobs stand in the order of their submission; they are sorted", "sort the file by submit_s")
OF_SKIPPED: tuple[Told, ...] = (*(rule[1:] for rule in SKIPPED), TWICE)
OF_CHANGED: tuple[Told, ...] = (*(rule[1:] for rule in CHANGED), UNSORTED)
AGAIN, LATE = len(SKIPPED), len(CHANGED)  # numbers of TWICE and UNSORTED


def opened(file: Path) -> tuple[list[str], Iterable[tuple[int, pl.DataFrame]]]:
    """Names of the columns, and batches. Raises TraceError where a column is missing."""
    columns, batches = table_batches(file, SHAPE)
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise TraceError(f"{file}: no column {', '.join(missing)} (it has {', '.join(columns)[:200]}); {SHAPE}")
    return columns, batches


def typed(file: Path, first: int, batch: pl.DataFrame) -> pl.DataFrame:
    """Rows of a batch: `row`, numbers where finite, texts where not blank, and what they come to.

    number, plain  the id as a whole number, and whether that is how it is written
    rank           priority as a number; null where what is stated is none
    size           GPUs (Int32), a part counting as one; least, latest  those of an elastic job and of one that may be put off, null else
    skip, change   number of the first rule broken, -1 for none; ran: end - start over the run time
    """
    schema = batch.schema
    for name in NUMBERS:
        if name in schema and not (schema[name].is_numeric() or schema[name] in (pl.String, pl.Null)):
            raise TraceError(f"{file}: column {name} holds {schema[name]}, not numbers; write seconds since the trace's start")
    numbers = [_number(name, schema[name]) if name in schema else pl.lit(None, pl.Float64).alias(name) for name in NUMBERS]
    texts = [text_of(name) if name in schema else pl.lit(None, pl.String).alias(name) for name in TEXTS]
    found = numbered(first, batch).lazy().select("row", *numbers, *texts).with_columns(_rank(), *_plain())
    found = found.with_columns(first_broken(SKIPPED).alias("skip"), first_broken(CHANGED).alias("change"))
    ran = pl.when((c("end_s") > c("start_s")) & (c("duration_s") > 0)).then((c("end_s") - c("start_s")) / c("duration_s"))
    stands = c("skip") < 0
    return found.with_columns(
        pl.when(stands).then(c("gpus").ceil()).cast(pl.Int32).alias("size"),
        pl.when(stands & c("min_gpus").is_between(1, c("gpus"))).then(c("min_gpus").ceil()).cast(pl.Int32).alias("least"),
        pl.when(stands & (c("latest_s") >= c("submit_s"))).then("latest_s").alias("latest"), ran.cast(pl.Float32).alias("ran"),
    ).collect()  # fmt: skip


def numbered(first: int, batch: pl.DataFrame) -> pl.DataFrame:
    """With `row`: of a log that was just converted, the row that its owner knows."""
    if "log_row" in batch.schema:
        return batch.with_columns(c("log_row").cast(pl.Int64).alias("row"))
    return batch.with_columns(pl.int_range(first, first + batch.height, dtype=pl.Int64).alias("row"))


def _plain() -> tuple[pl.Expr, pl.Expr]:
    number = c("job_id").cast(pl.Int64, strict=False)
    return number.alias("number"), (number.is_not_null() & (number.cast(pl.String) == c("job_id"))).fill_null(False).alias("plain")


def _number(name: str, kind: Any) -> pl.Expr:
    value = c(name).str.strip_chars() if kind == pl.String else c(name)
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number).alias(name)


def text_of(name: str) -> pl.Expr:
    """Blank is absent."""
    text = c(name).cast(pl.String).str.strip_chars()
    return pl.when(text.str.len_chars() > 0).then(text).alias(name)


def _rank() -> pl.Expr:
    """0 where none is stated."""
    number = c("priority").cast(pl.Int64, strict=False)
    word = c("priority").replace_strict(list(CLASSES), list(CLASSES.values()), default=None, return_dtype=pl.Int64)
    return pl.when(c("priority").is_null()).then(0).otherwise(pl.coalesce(number, word)).alias("rank")


class Units:
    """Whether times are seconds since the trace's start: their range, and the observed run times against those stated."""

    def __init__(self) -> None:
        self._first, self._last, self._low, self._high, self._count = np.inf, -np.inf, 0, 0, 0
        self._sample: list[np.ndarray[Any, Any]] = []
        self._sampled = 0

    def of(self, rows: pl.DataFrame) -> None:
        """A batch as `typed` makes it."""
        first, last = rows["submit_s"].min(), rows["submit_s"].max()
        if first is not None:
            self._first, self._last = min(self._first, float(first)), max(self._last, float(last))  # type: ignore[arg-type]
        ran = rows["ran"].drop_nulls().to_numpy()
        self._count += len(ran)
        self._low, self._high = self._low + int((ran <= 0.01).sum()), self._high + int((ran >= 100.0).sum())
        if len(ran) and self._sampled < SAMPLED:
            self._sample.append(ran[: SAMPLED - self._sampled])
            self._sampled += len(self._sample[-1])

    def check(self, file: Path) -> None:
        """A unit other than seconds is named, never guessed and converted: raises TraceError."""
        if self._first > self._last:
            return
        span, what = self._last - self._first, f"submit_s runs from {self._first:,.0f} to {self._last:,.0f}"
        if span > YEARS_20:
            rule = f"read as seconds it spans {span / 31_557_600:,.0f} years, as milliseconds {span / 86_400_000:,.1f} days"
            raise TraceError(_unit(file, f"{what}: {rule}", "divide the column by 1,000 (or by 1,000,000 if it holds microseconds)"))
        if self._first >= EPOCH_2001:
            raise TraceError(_unit(file, f"{what}: that is a calendar time, in seconds since 1970", "take off the time of the first job"))
        if 2 * max(self._low, self._high) > self._count:
            ratio = float(np.median(np.concatenate(self._sample)))
            raise TraceError(_unit(file, f"end_s - start_s is {ratio:,.4g} times duration_s (median)", "write all times in seconds"))


def _unit(file: Path, got: str, remedy: str) -> str:
    return Issue(str(file), 1, 0, "submit_s", got, "times are seconds since the trace's start, all in one unit", remedy).to_text()


class Faults:
    """What rows broke, by rule: counted, the first NAMED of each rule by number of row, and the GPU time of those left out."""

    def __init__(self) -> None:
        self.read = self.unknown = self.time = 0
        self._skips, self._changes = dict[int, int](), dict[int, int]()
        self._rows = list[tuple[int, Told]]()
        self._kept = dict[Told, int]()

    def skip(self, number: int, count: int, rows: Iterable[int]) -> None:
        """So many more rows are left out for a rule; these are the first of them."""
        self._note(self._skips, number, OF_SKIPPED[number], (count, rows))

    def change(self, number: int, count: int, rows: Iterable[int]) -> None:
        """So many more rows are kept with one number counted otherwise."""
        self._note(self._changes, number, OF_CHANGED[number], (count, rows))

    def _note(self, counts: dict[int, int], number: int, told: Told, found: tuple[int, Iterable[int]]) -> None:
        count, rows = found
        if count:
            counts[number] = counts.get(number, 0) + count
            kept = self._kept.get(told, 0)
            more = [(int(row), told) for row, _ in zip(rows, range(NAMED - kept))]
            self._kept[told] = kept + len(more)
            self._rows += more

    def lost(self, rows: pl.DataFrame) -> None:
        """GPU time of rows left out: of those that state GPUs and a run time that can be."""
        known = (c("gpus") <= MOST_GPUS) & (c("duration_s") <= YEARS_20)
        rows = rows.select(pl.when(c("gpus") <= 0).then(0.0).when(known).then(c("gpus").ceil() * c("duration_s").clip(0)).alias("seconds"))
        self.time += gpu_time(rows, c("seconds"))
        self.unknown += rows["seconds"].null_count()

    def of(self, rows: pl.DataFrame) -> None:
        """A batch whose `skip` and `change` are final."""
        self.read += rows.height
        left = rows.filter(c("skip") >= 0)
        if left.height:
            self.lost(left)
            for number in left["skip"].unique().sort().to_list():
                mine = left.filter(c("skip") == number)["row"]
                self.skip(number, len(mine), mine.head(NAMED))
        altered = rows.filter((c("skip") < 0) & (c("change") >= 0))
        for number in altered["change"].unique().sort().to_list():
            mine = altered.filter(c("change") == number)["row"]
            self.change(number, len(mine), mine.head(NAMED))

    def refusals(self, file: Path) -> Refusals:
        """As rules in their order, with what stands in the cells of the first NAMED faults of all."""
        skipped, changed = dict[str, int](), dict[str, int]()
        for number in sorted(self._skips):
            skipped[OF_SKIPPED[number][1]] = skipped.get(OF_SKIPPED[number][1], 0) + self._skips[number]
        for number in sorted(self._changes):
            changed[OF_CHANGED[number][1]] = changed.get(OF_CHANGED[number][1], 0) + self._changes[number]
        issues = _issues(file, sorted(self._rows)[:NAMED])
        return Refusals(str(file), self.read, skipped, changed, gpu_hours(self.time), self.unknown, issues)


def _issues(file: Path, faults: list[tuple[int, Told]]) -> tuple[Issue, ...]:
    """Each with what stands in its cell, which is read from the file again."""
    if not faults:
        return ()
    columns, batches = table_batches(file, SHAPE)
    wanted = sorted({told[0] for _, told in faults} & set(columns))
    rows = pl.Series("row", sorted({row for row, _ in faults}), pl.Int64)
    cells: dict[int, dict[str, Any]] = {}
    for first, batch in batches:
        found = numbered(first, batch).filter(c("row").is_in(rows.implode())).select("row", *(text_of(name) for name in wanted))
        cells |= {int(row["row"]): row for row in found.iter_rows(named=True)}
        if len(cells) == len(rows):
            break
    issues = []
    for row, (column, rule, remedy) in faults:
        cell = cells[row].get(column)
        place = columns.index(column) + 1 if column in columns else 0
        issues.append(Issue(str(file), row, place, column, "nothing" if cell is None else cell[:60], rule, remedy))
    return tuple(issues)
