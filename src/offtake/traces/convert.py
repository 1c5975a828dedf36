"""Public logs -> a Parquet file of jobs in the canonical schema, in bounded memory.

Each file is streamed once into parts on disk; rows are then sorted by time, BUCKET rows at a time. The file appears whole or not at all.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import WriteError
from .foreign import Foreign
from .ids import distinct, runs
from .jobs import NAMED, Refusals, TraceError
from .logs import helios, itp, philly, swf
from .sacct import sacct

FORMATS: dict[str, Callable[[Path], Foreign]] = {"sacct": sacct, "swf": swf, "philly": philly, "helios": helios, "itp": itp}
BUCKET = 4_000_000  # rows sorted in memory at a time
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
    with made_beside(out) as folder:
        refusals, parts = Refusals(" ".join(str(f) for f in files)), []
        for number, file in enumerate(files):
            foreign = FORMATS[form](readable(file))
            staged = stage(foreign, folder / f"stage-{number}")
            refusals += judge(foreign, staged)
            parts.append(_kept(foreign, staged))
        told, jobs = runs(pl.concat(parts)) if form == "sacct" else distinct(pl.concat(parts), len(files) > 1)
        refusals += told
        if refusals.left_out and not skip_bad:
            raise TraceError(replace(refusals, changed={}).faults(), refusals.issues)
        return _write(form, jobs, (folder, out, rows), refusals)


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
def made_beside(out: Path) -> Iterator[Path]:
    """A folder for parts, beside what is to be written, gone at the end. Raises WriteError where none can be made."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        held = tempfile.TemporaryDirectory(prefix=".offtake-", dir=out.parent)
    except OSError as error:
        raise WriteError(f"{out}: could not be written ({error.strerror})") from None
    with held as name:
        yield Path(name)


def stage(foreign: Foreign, stem: Path) -> pl.LazyFrame:
    """Stream the parts to disk. Raises TraceError where the file cannot be read to its end."""
    written = []
    try:
        for number, part in enumerate(foreign.parts):
            file = stem.with_name(f"{stem.name}-{number}.parquet")
            part.sink_parquet(file, compression="lz4")
            written.append(file)
    except pl.exceptions.PolarsError as error:
        raise TraceError(_stopped(foreign.file, error)) from None
    if not written:
        raise TraceError(f"{foreign.file}: the log holds no job")
    return pl.scan_parquet(written)


def _stopped(file: Path, error: Exception) -> str:
    from .table import ragged

    fault = ragged(file)
    return fault.to_text() if fault else f"{file}: the log could not be read ({str(error).splitlines()[0]})"


def judge(foreign: Foreign, staged: pl.LazyFrame) -> Refusals:
    """Rows by reason and by rule; the first at fault by name."""
    hours = (c("gpus").clip(0) * c("duration_s").clip(0) / 3600.0).alias("hours")
    found = staged.group_by("apart", "skip").agg(pl.len(), hours.sum(), hours.null_count().alias("unknown")).collect(engine="streaming")
    apart = {foreign.apart[a]: n for a, n in found.filter(c("apart") >= 0).sort("apart").select("apart", "len").iter_rows()}
    bad = found.filter(c("skip") >= 0).sort("skip")
    skipped: dict[str, int] = {}
    for number, n in bad.select("skip", "len").iter_rows():
        rule = foreign.rules[number][1]
        skipped[rule] = skipped.get(rule, 0) + n
    first = staged.filter(c("skip") >= 0).select("row", "skip", "cell").head(NAMED).collect(engine="streaming")
    issues = tuple(foreign.issue(*row) for row in first.iter_rows())
    running = staged.filter((c("apart") < 0) & (c("skip") < 0) & (c("censored") == "right")).select(pl.len()).collect().item()
    told = {RUNNING: running} if running else {}
    return Refusals("", int(found["len"].sum()), skipped, told, float(bad["hours"].sum()), int(bad["unknown"].sum()), issues, apart)


def _kept(foreign: Foreign, staged: pl.LazyFrame) -> pl.LazyFrame:
    """Jobs that stand, with the name of their log: the file's, or its folder's where every cluster's file has the same name."""
    jobs = staged.filter((c("apart") < 0) & (c("skip") < 0)).drop("apart", "skip", "cell")
    label = foreign.file.stem if foreign.file.stem not in ("cluster_log", "cluster_job_log") else foreign.file.resolve().parent.name
    return jobs.with_columns(pl.lit(label).alias("log"), pl.lit(str(foreign.file)).alias("file"))


def _write(form: str, jobs: pl.LazyFrame, where: tuple[Path, Path, bool], refusals: Refusals) -> Converted:
    """Sort by (submit, id), bucket by bucket, and move the whole file into place."""
    folder, out, rows = where
    hours = (c("gpus") * c("duration_s")).sum() / 3600.0
    about = jobs.select(
        pl.len().alias("n"), c("time").min().alias("first"), c("time").max().alias("last"), c("gpus").max(), hours.alias("hours")
    ).collect(engine="streaming").row(0, named=True)  # fmt: skip
    if not about["n"]:
        raise TraceError(f"{refusals.file}: no job is left to replay\n" + "\n".join(refusals.counts()))
    canonical = _canonical(form, jobs, about["first"], rows)
    edges = _edges(jobs, about["n"])
    parts = []
    for number, (low, high) in enumerate(zip([None, *edges], [*edges, None])):
        chosen = canonical
        if low is not None:
            chosen = chosen.filter(c("submit_s") >= low - about["first"])
        if high is not None:
            chosen = chosen.filter(c("submit_s") < high - about["first"])
        parts.append(folder / f"sorted-{number}.parquet")
        chosen.collect(engine="streaming").sort("submit_s", "job_id").write_parquet(parts[-1])
    whole = folder / "whole.parquet"
    pl.scan_parquet(parts).sink_parquet(whole)
    try:
        os.replace(whole, out)
    except OSError as error:
        raise WriteError(f"{out}: could not be written ({error.strerror})") from None
    return Converted(str(out), about["n"], about["hours"], about["last"] - about["first"], int(about["gpus"]), refusals)


def _edges(jobs: pl.LazyFrame, count: int) -> list[float]:
    """Times between buckets of about BUCKET rows."""
    many = -(-count // BUCKET)
    if many < 2:
        return []
    cuts = [c("time").quantile(n / many).alias(str(n)) for n in range(1, many)]
    return sorted(set(jobs.select(cuts).collect(engine="streaming").row(0)))


def _canonical(form: str, jobs: pl.LazyFrame, first: float, rows: bool) -> pl.LazyFrame:
    """The columns of docs/traces.md: times from the first submission."""
    return jobs.select(
        pl.lit(form).alias("trace"), "job_id", "pool", "user", (c("time") - first).alias("submit_s"), (c("start") - first).alias("start_s"),
        (c("end") - first).alias("end_s"), "duration_s", c("gpus").cast(pl.Float32), pl.lit(None, pl.Int32).alias("gpu_milli"), "gpu_type",
        "cpus", "mem_gib", "priority", "status", "censored", *([c("row").alias("log_row")] if rows else []),
    )  # fmt: skip


