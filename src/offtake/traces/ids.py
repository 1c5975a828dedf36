"""Ids that come again: runs of a requeued job, dumps that overlap, parts of one gang, or a fault. Only `convert` calls it.

Memory  the rows that are handed in, which are those whose id comes again or that are parts of a gang
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..errors import Issue
from .jobs import NAMED, Refusals
from .sums import gpu_hours, gpu_time

AGAIN = "a run of a job that was requeued: each run stands as a job of its own (`#2`)"
JOINED = "a part of a heterogeneous job, whose parts start together: joined into one gang"
OVERLAP = "the same run again, where dumps overlap: the later row stands"
TWICE = ("an id stands once in a log", "leave the second out, or give each cluster a file of its own")
SAME = ("row", "pool", "user", "gpu_type", "priority", "status", "censored", "source", "log", "hash", "settled")  # of a gang's first part
PART = r"^\d+\+\d+"  # 104+1

c = pl.col


def runs(jobs: pl.DataFrame) -> tuple[Refusals, pl.DataFrame]:
    """Slurm: parts of a gang joined, a run told twice once, runs of one job numbered. Rows stand in the order of their files."""
    once = jobs.unique(["job_id", "start"], keep="last", maintain_order=True)
    count = jobs.height - once.height
    once = once.with_columns(c("job_id").cum_count().over("job_id").alias("nth"))
    again = once.filter(c("nth") > 1).height
    numbered = pl.when(c("nth") > 1).then(pl.format("{}#{}", "job_id", "nth")).otherwise("job_id")
    once = once.with_columns(numbered.alias("job_id")).drop("nth")
    parts = c("job_id").str.contains(PART).fill_null(False)
    gangs = once.filter(parts)
    changed = {AGAIN: again} if again else {}
    if gangs.height:
        changed[JOINED] = gangs.height
        once = pl.concat([once.filter(~parts), _joined(gangs)])
    return Refusals(changed=changed, apart={OVERLAP: count} if count else {}), once


def _joined(parts: pl.DataFrame) -> pl.DataFrame:
    """One gang a heterogeneous job and run: GPUs summed, from the first start to the last end."""
    most = [c(name).max() for name in ("end", "duration_s")]
    summed = [pl.when(c(name).count() > 0).then(c(name).sum()).alias(name) for name in ("gpus", "cpus", "mem_gib")]
    same = [c(name).first() for name in SAME]
    whole = parts.with_columns(c("job_id").str.replace(r"\+\d+", "").alias("job_id"))
    first = [c(name).min() for name in ("time", "start")]
    return whole.group_by("job_id", maintain_order=True).agg(*same, *first, *most, *summed).select(*parts.columns)


def distinct(jobs: pl.DataFrame, files: Sequence[str]) -> tuple[Refusals, pl.DataFrame]:
    """Other logs: an id stands once in its log. Rows stand in the order of their `files`, which `source` numbers."""
    first = jobs.select(pl.struct("log", "job_id").is_first_distinct()).to_series()
    left = jobs.filter(~first)
    if not left.height:
        return Refusals(), jobs
    named = left.select("source", "row", "job_id").head(NAMED).iter_rows()
    issues = tuple(Issue(files[source], row, 0, "job id", job, *TWICE) for source, row, job in named)
    hours = gpu_hours(gpu_time(left, c("gpus") * c("duration_s")))
    return Refusals(skipped={TWICE[0]: left.height}, hours=hours, issues=issues), jobs.filter(first)
