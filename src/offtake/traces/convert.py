"""Public logs -> a Parquet file of jobs in the canonical schema, in memory that does not grow with them.

Each file is read once, batch by batch, into runs on disk that are sorted by time, and these are merged, a stretch of time at a time. The
file appears whole or not at all.
Memory  a batch, a run and a stretch (`batches`, `ordered`), some hashes of ids (`hashes`); of rows whose id comes again, and of parts of
        gangs, all
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import WriteError
from .foreign import Foreign
from .hashes import Hashes, hash_of, is_again
from .ids import PART, distinct, runs
from .jobs import NAMED, Refusals, TraceError
from .logs import helios, itp, philly, swf
from .ordered import Runs
from .sacct import sacct
from .sums import gpu_hours, gpu_time

FORMATS: dict[str, Callable[[Path], Foreign]] = {"sacct": sacct, "swf": swf, "philly": philly, "helios": helios, "itp": itp}
GROUP = 1 << 18  # rows of a row group of what is written
RUNNING = "still running when the log ends: their run time so far is taken"

c = pl.col


@dataclass(frozen=True)
class Converted:
    """What a conversion wrote: jobs, GPU-hours, the span of submissions in seconds, the largest gang; what it left out and why."""

    file: str
    jobs: int
    gpu_hours: float
    span_s: float
    largest: int
    refusals: Refusals

    def to_dict(self) -> dict[str, Any]:
        about = {"file": self.file, "jobs": self.jobs, "gpu_h": self.gpu_hours, "span_s": self.span_s, "largest_gpus": self.largest}
        return self.refusals.to_dict() | about


def convert(form: str, files: Sequence[Path], out: Path, skip_bad: bool = False, rows: bool = False) -> Converted:
    """Read files of one format and write jobs to `out`; `rows` keeps the row of the log beside each job.

    Raises TraceError with every row at fault unless `skip_bad`, and where no job is left; WriteError where `out` cannot be written.
    """
    with made_beside(out, files) as folder:
        refusals, log = Refusals(" ".join(str(f) for f in files)), Log(form, folder, files)
        for number, file in enumerate(files):
            judge = Judge(FORMATS[form](readable(file)))
            for part in judge.parts():
                log.add(number, part)
            refusals += judge.refusals()
        refusals += log.settle()
        if refusals.left_out and not skip_bad:
            raise TraceError(replace(refusals, changed={}).faults(), refusals.issues)
        about = log.about
        if not about.jobs:
            raise TraceError(f"{refusals.file}: no job is left to replay\n" + "\n".join(refusals.counts()))
        write(log.sorted(rows), folder, out)
        return Converted(str(out), about.jobs, gpu_hours(about.time), about.last - about.first, int(about.gpus), refusals)


def readable(file: Path) -> Path:
    """The file itself. Raises TraceError where it is a folder, empty or not there."""
    try:
        size = file.stat().st_size
    except OSError as error:
        raise TraceError(f"{file}: the log could not be read ({error.strerror})") from None
    if file.is_dir() or size == 0:
        raise TraceError(f"{file}: {'a folder is no log' if file.is_dir() else 'the file is empty'}")
    return file


@contextmanager
def made_beside(out: Path, files: Sequence[Path]) -> Iterator[Path]:
    """A folder for parts, beside what is to be written, gone at the end.

    Raises WriteError where none can be made, and where `out` is no Parquet file by its name or one of the `files` that are read."""
    if out.suffix != ".parquet":
        raise WriteError(f"{out}: what is written is a Parquet file, and its name ends in .parquet; write -o {out.stem or 'jobs'}.parquet")
    if any(out.exists() and file.exists() and out.samefile(file) for file in files):
        raise WriteError(f"{out}: this file is read, so nothing is written in its place; name another with -o")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        held = tempfile.TemporaryDirectory(prefix=".offtake-", dir=out.parent)
    except OSError as error:
        raise WriteError(f"{out}: could not be written ({error.strerror})") from None
    with held as name:
        yield Path(name)


def write(frames: Iterable[pl.DataFrame], folder: Path, out: Path) -> None:
    """Frames one after the other as one Parquet file of GROUP rows a row group, moved into place. Raises WriteError where that fails."""
    parts = []
    for number, frame in enumerate(frames):
        parts.append(folder / f"sorted-{number}.parquet")
        frame.write_parquet(parts[-1], compression="lz4", statistics=False)
    if not parts:
        raise TraceError(f"{out}: nothing is left to write")
    whole = folder / "whole.parquet"
    pl.scan_parquet(parts).sink_parquet(whole, row_group_size=GROUP)
    try:
        os.replace(whole, out)
    except OSError as error:
        raise WriteError(f"{out}: could not be written ({error.strerror})") from None


class Judge:
    """Rows of one file by reason and by rule; the first at fault by name."""

    def __init__(self, foreign: Foreign) -> None:
        self._foreign, self._read, self._running, self._time, self._unknown = foreign, 0, 0, 0, 0
        self._apart, self._skips, self._issues = dict[int, int](), dict[int, int](), list[tuple[int, int, str | None]]()

    def parts(self) -> Iterator[pl.DataFrame]:
        """Of each batch the jobs that stand. Raises TraceError where the file cannot be read to its end, or holds nothing."""
        found = False
        try:
            for part in self._foreign.parts:
                yield self._of(part.collect())
                found = True
        except pl.exceptions.PolarsError as error:
            raise TraceError(_stopped(self._foreign.file, error)) from None
        if not found:
            raise TraceError(f"{self._foreign.file}: the log holds no job")

    def _of(self, rows: pl.DataFrame) -> pl.DataFrame:
        self._read += rows.height
        for column, counts in (("apart", self._apart), ("skip", self._skips)):
            for number, count in rows.filter(c(column) >= 0)[column].value_counts().iter_rows():
                counts[number] = counts.get(number, 0) + count
        left = rows.filter(c("skip") >= 0)
        if left.height:
            left = left.with_columns((c("gpus").clip(0) * c("duration_s").clip(0)).alias("seconds"))
            self._time += gpu_time(left, c("seconds"))
            self._unknown += left["seconds"].null_count()
            self._issues += left.select("row", "skip", "cell").head(NAMED - len(self._issues)).rows()
        stand = rows.filter((c("apart") < 0) & (c("skip") < 0)).drop("apart", "skip", "cell")
        self._running += int((stand["censored"] == "right").sum())
        return stand

    def refusals(self) -> Refusals:
        """What stands apart, was left out, or still runs."""
        foreign, skipped = self._foreign, dict[str, int]()
        for number in sorted(self._skips):
            rule = foreign.rules[number][1]
            skipped[rule] = skipped.get(rule, 0) + self._skips[number]
        apart = {foreign.apart[number]: self._apart[number] for number in sorted(self._apart)}
        issues = tuple(foreign.issue(*found) for found in self._issues)
        told = {RUNNING: self._running} if self._running else {}
        return Refusals("", self._read, skipped, told, gpu_hours(self._time), self._unknown, issues, apart)


def _stopped(file: Path, error: Exception) -> str:
    from .table import ragged

    fault = ragged(file)
    return fault.to_text() if fault else f"{file}: the log could not be read ({str(error).splitlines()[0]})"


@dataclass
class About:
    """Of the jobs that stand: how many, their GPU time in millionths of a second, the first and last submission, the largest gang."""

    jobs: int = 0
    time: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    gpus: float = 0.0

    def add(self, rows: pl.DataFrame) -> None:
        """Rows with time, gpus and duration_s."""
        if rows.height:
            self.jobs += rows.height
            self.time += gpu_time(rows, c("gpus") * c("duration_s"))
            first, last, gpus = rows.select(c("time").min().alias("first"), c("time").max().alias("last"), c("gpus").max()).row(0)
            self.first, self.last, self.gpus = min(self.first, first), max(self.last, last), max(self.gpus, gpus)


class Log:
    """Jobs of all files on disk. Logs of several clusters are told apart by their name: the file's, or its folder's where every cluster's
    file has the same name."""

    def __init__(self, form: str, folder: Path, files: Sequence[Path]) -> None:
        self._form, self._files = form, [str(file) for file in files]
        labels = [f.stem if f.stem not in ("cluster_log", "cluster_job_log") else f.resolve().parent.name for f in files]
        self._labels = list(dict.fromkeys(labels))
        self._of_file = [self._labels.index(label) for label in labels]
        self._runs, self._pairs = Runs(folder), Hashes(folder, "pair")
        self._ids = Hashes(folder, "id") if form != "sacct" and len(files) > 1 else None
        self._rest, self._meet = pl.lit(True), False
        self.about = About()

    def add(self, source: int, rows: pl.DataFrame) -> None:
        """Jobs of a batch of file `source`."""
        rows = rows.with_columns(pl.lit(source, pl.Int32).alias("source"), pl.lit(self._of_file[source], pl.Int32).alias("log"))
        rows = rows.with_columns(hash_of("job_id") if self._form == "sacct" else hash_of("log", "job_id"), pl.lit(False).alias("settled"))
        self._pairs.add(rows["hash"].to_numpy())
        if self._ids is not None:
            self._ids.add(rows["job_id"].hash().to_numpy())
        self._runs.add(rows)

    def settle(self) -> Refusals:
        """Look at ids that come again and at parts of gangs: these rows stand from now on as they were found to be."""
        again = self._pairs.again()
        taken = is_again(again)
        if self._form == "sacct":
            taken = taken | c("job_id").str.contains(PART).fill_null(False)
        if self._ids is not None:
            self._ids.again()
            self._meet = self._ids.distinct < self._pairs.distinct
        self._rest = c("settled") | ~taken
        found = []
        for run in self._runs.all():
            found.append(run.filter(taken).collect())
            self.about.add(run.filter(~taken).select("time", "gpus", "duration_s").collect())
        refused = Refusals()
        if any(part.height for part in found):
            rows = pl.concat(found).sort("source", "row")
            refused, rows = runs(rows) if self._form == "sacct" else distinct(rows, self._files)
            self.about.add(rows)
            self._runs.add(rows.with_columns(pl.lit(True).alias("settled")))
        return refused

    def sorted(self, rows: bool) -> Iterator[pl.DataFrame]:
        """By (submit, id), a stretch of time at a time."""
        for part in self._runs.stretches():
            jobs = part.filter(self._rest).with_columns(c("log").replace_strict(range(len(self._labels)), self._labels).alias("log"))
            if self._meet:
                jobs = jobs.with_columns(pl.format("{}/{}", "log", "job_id").alias("job_id"))
            if self._ids is not None:
                jobs = jobs.with_columns(pl.when(c("pool").is_null()).then("log").otherwise("pool").alias("pool"))
            yield _canonical(self._form, jobs, self.about.first, rows).sort("submit_s", "job_id")


def _canonical(form: str, jobs: pl.DataFrame, first: float, rows: bool) -> pl.DataFrame:
    """The columns of docs/traces.md: times from the first submission."""
    return jobs.select(
        pl.lit(form).alias("trace"), "job_id", "pool", "user", (c("time") - first).alias("submit_s"), (c("start") - first).alias("start_s"),
        (c("end") - first).alias("end_s"), "duration_s", c("gpus").cast(pl.Float32), pl.lit(None, pl.Int32).alias("gpu_milli"), "gpu_type",
        "cpus", "mem_gib", "priority", "status", "censored", *([c("row").alias("log_row")] if rows else []),
    )  # fmt: skip
