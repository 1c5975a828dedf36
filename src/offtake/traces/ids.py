"""Ids that come again: runs of a requeued job, dumps that overlap, parts of one gang, or a fault. Only `convert` calls it."""

from __future__ import annotations

import polars as pl

from ..errors import Issue
from .foreign import COLUMNS
from .jobs import NAMED, Refusals

AGAIN = "a run of a job that was requeued: each run stands as a job of its own (`#2`)"
JOINED = "a part of a heterogeneous job, whose parts start together: joined into one gang"
OVERLAP = "the same run again, where dumps overlap: the later row stands"
TWICE = ("an id stands once in a log", "leave the second out, or give each cluster a file of its own")

c = pl.col


def runs(jobs: pl.LazyFrame) -> tuple[Refusals, pl.LazyFrame]:
    """Slurm: parts of a gang joined, a run told twice once, runs of one job numbered."""
    jobs = jobs.drop("log", "file")
    apart: dict[str, int] = {}
    changed: dict[str, int] = {}
    if not _unique(jobs, "job_id"):
        once = jobs.unique(["job_id", "start"], keep="last", maintain_order=True)
        count = _count(jobs) - _count(once)
        jobs = once.with_columns(c("job_id").cum_count().over("job_id").alias("nth")).collect().lazy()
        again = _count(jobs.filter(c("nth") > 1))
        numbered = pl.when(c("nth") > 1).then(pl.format("{}#{}", "job_id", "nth")).otherwise("job_id")
        jobs = jobs.with_columns(numbered.alias("job_id")).drop("nth")
        apart |= {OVERLAP: count} if count else {}
        changed |= {AGAIN: again} if again else {}
    parts = c("job_id").str.contains(r"^\d+\+\d+").fill_null(False)
    gangs = jobs.filter(parts).collect(engine="streaming")
    if gangs.height:
        changed[JOINED] = gangs.height
        jobs = pl.concat([jobs.filter(~parts), _joined(gangs).lazy()])
    return Refusals(changed=changed, apart=apart), jobs


def _joined(parts: pl.DataFrame) -> pl.DataFrame:
    """One gang a heterogeneous job and run: GPUs summed, from the first start to the last end."""
    most = [c(name).max() for name in ("end", "duration_s")]
    summed = [pl.when(c(name).count() > 0).then(c(name).sum()).alias(name) for name in ("gpus", "cpus", "mem_gib")]
    same = [c(name).first() for name in ("row", "pool", "user", "gpu_type", "priority", "status", "censored")]
    whole = parts.with_columns(c("job_id").str.replace(r"\+\d+", "").alias("job_id"))
    first = [c(name).min() for name in ("time", "start")]
    return whole.group_by("job_id", maintain_order=True).agg(*same, *first, *most, *summed).select("row", *COLUMNS)


def distinct(jobs: pl.LazyFrame, several: bool) -> tuple[Refusals, pl.LazyFrame]:
    """Other logs: an id stands once in its log. Of several logs whose ids meet, each id is told apart by its log's name."""
    refused = Refusals()
    if not _unique(jobs, "log", "job_id"):
        marked = jobs.with_columns(pl.struct("log", "job_id").is_first_distinct().alias("first")).collect().lazy()
        left = marked.filter(~c("first")).collect()
        first = left.select("file", "row", "job_id").head(NAMED).iter_rows()
        issues = tuple(Issue(file, row, 0, "job id", job, *TWICE) for file, row, job in first)
        hours = float((left["gpus"] * left["duration_s"]).sum()) / 3600.0
        refused = Refusals(skipped={TWICE[0]: left.height}, hours=hours, issues=issues)
        jobs = marked.filter("first").drop("first")
    if several and not _unique(jobs, "job_id"):
        jobs = jobs.with_columns(pl.format("{}/{}", "log", "job_id").alias("job_id"))
    if several:
        jobs = jobs.with_columns(pl.when(c("pool").is_null()).then("log").otherwise("pool").alias("pool"))
    return refused, jobs.drop("log", "file")


def _unique(jobs: pl.LazyFrame, *columns: str) -> bool:
    """By 64-bit hashes: 8 bytes a job. Two ids of one hash would be told as one that stands twice, and then compared in full."""
    key = pl.struct(*columns).hash() if len(columns) > 1 else c(columns[0]).hash()
    return bool(jobs.select(key.n_unique() == pl.len()).collect(engine="streaming").item())


def _count(jobs: pl.LazyFrame) -> int:
    return int(jobs.select(pl.len()).collect(engine="streaming").item())
