"""A table in the canonical schema -> the same jobs as a Parquet file, sorted, in memory that does not grow with them.

Every rule of a replay's reading is checked. The file is read once, and once more where ids stand twice: which of an id's rows is the first
is known only once all hashes are (`hashes`).
Memory  as `convert`, and the ids that stand twice
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from .canonical import out_of_order
from .convert import About, Converted, made_beside, readable, write
from .hashes import Hashes, hash_of, is_again
from .jobs import NAMED, SHAPE, TraceError
from .ordered import Runs
from .rules import AGAIN, LATE, Faults, Units, opened, typed
from .sums import gpu_hours

KEPT = ("pool", "user", "gpu_type", "start_s", "end_s")  # as they are
c = pl.col


def copy(file: Path, out: Path, skip_bad: bool = False) -> Converted:
    """Write the jobs of a table to `out`. Raises TraceError with every row at fault unless `skip_bad`, and WriteError as `convert`."""
    with made_beside(out, [file]) as folder:
        hashes = Hashes(folder, "id")
        table = Table(readable(file), folder / "once", hashes, np.zeros(0, np.uint64))
        again = hashes.again()
        if len(again):
            table = Table(file, folder / "twice", None, again)
        refusals, about = table.faults.refusals(file), table.about
        if refusals.total and not skip_bad:
            raise TraceError(refusals.faults(), refusals.issues)
        if not about.jobs:
            raise TraceError(f"{file}: no job is left to replay\n" + "\n".join(refusals.counts()))
        write(table.sorted(), folder, out)
        return Converted(str(out), about.jobs, gpu_hours(about.time), about.last - about.first, int(about.gpus), refusals)


class Table:
    """One reading of a table: its jobs in runs on disk, its faults; of ids whose hash is in `again`, rows after the first are left out."""

    def __init__(self, file: Path, folder: Path, hashes: Hashes | None, again: np.ndarray[Any, Any]) -> None:
        folder.mkdir()
        self._columns, batches = opened(file)
        self._runs, self._hashes, self._again, self._seen = Runs(folder), hashes, again, set[str]()
        self._latest, self._plain = -np.inf, True
        self.faults, self.about = Faults(), About()
        units = Units()
        for first, batch in batches:
            rows = typed(file, first, batch)
            units.of(rows)
            self._add(rows)
        if self.faults.read == 0:
            raise TraceError(f"{file}: the trace has no job; {SHAPE}")
        units.check(file)

    def _add(self, rows: pl.DataFrame) -> None:
        if self._hashes is not None:
            self._hashes.add(rows.filter(c("job_id").is_not_null()).select(hash_of("job_id"))["hash"].to_numpy())
        rows = self._mark_again(rows)
        self.faults.of(rows)
        stands = (rows["skip"] < 0).to_numpy()
        late, self._latest = out_of_order(rows["submit_s"].fill_null(0.0).to_numpy(), stands, self._latest)
        self.faults.change(LATE, int(late.sum()), rows["row"].to_numpy()[late][:NAMED])
        self._plain = self._plain and bool(rows["plain"].all())
        jobs = rows.filter(c("skip") < 0).select(
            c("submit_s").alias("time"), "duration_s", c("size").alias("gpus"), "job_id", c("rank").fill_null(0).alias("priority"),
            c("least").alias("min_gpus"), c("latest").alias("latest_s"), *KEPT,
        )  # fmt: skip
        self.about.add(jobs)
        self._runs.add(jobs)

    def _mark_again(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows whose id was seen before are left out for it, unless they are for another reason."""
        if not len(self._again):
            return rows
        rows = rows.with_columns(hash_of("job_id"))
        at = rows.with_row_index("at").filter(is_again(self._again) & c("job_id").is_not_null()).select("at", "job_id")
        known = []
        for place, job in at.iter_rows():
            if job in self._seen:
                known.append(place)
            self._seen.add(job)
        marked = np.zeros(rows.height, bool)
        marked[known] = True
        return rows.with_columns(pl.when(pl.Series(marked) & (c("skip") < 0)).then(pl.lit(AGAIN, pl.Int8)).otherwise("skip").alias("skip"))

    def sorted(self) -> Iterator[pl.DataFrame]:
        """By (submit, id), a stretch of time at a time; columns that the table has, ids as numbers where all are."""
        present = [name for name in ("priority", "min_gpus", "latest_s", *KEPT) if name in self._columns]
        job = c("job_id").cast(pl.Int64) if self._plain else c("job_id")
        for part in self._runs.stretches():
            yield part.select(job, c("time").alias("submit_s"), "duration_s", "gpus", *present).sort("submit_s", "job_id")
