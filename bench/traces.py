"""Memory of a trace in CSV: of its conversion, which must not grow with the file, and of its reading, a job."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

PART = 1_000_000
PEAK = "import re, pathlib; print(re.search(r'VmHWM:\\s*(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
ASK = {
    "convert": "from pathlib import Path; from offtake.traces.copied import copy; copy(Path({file!r}), Path({out!r}))",
    "read": "from offtake.traces import read_jobs; read_jobs({file!r})",
}


def written(file: Path, jobs: int) -> None:
    """A CSV of so many jobs, sorted by time, their ids text in no order."""
    rng = np.random.default_rng(7)
    with file.open("wb") as stream:
        stream.write(b"job_id,submit_s,duration_s,gpus,pool,user\n")
        for first in range(0, jobs, PART):
            n = min(PART, jobs - first)
            ids = pl.Series(rng.permutation(n) + first)
            labels = [pl.format(letter + "{}", pl.Series(rng.integers(0, many, n))) for letter, many in (("p", 8), ("u", 2000))]
            frame = pl.select(
                pl.format("job-{}", ids), pl.Series(np.sort(rng.integers(0, 12_000, n)) + first // PART * 12_000).alias("submit"),
                pl.Series(rng.integers(10, 90_000, n)).alias("duration"), pl.Series(rng.choice([1, 1, 2, 4, 8, 16], n)).alias("gpus"),
                labels[0].alias("pool"), labels[1].alias("user"),
            )  # fmt: skip
            stream.write(frame.write_csv(include_header=False).encode())


def peak_mb(what: str, file: Path) -> float:
    """High-water mark of a process of its own."""
    code = ASK[what].format(file=str(file), out=str(file.with_suffix(".parquet"))) + ";" + PEAK
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) / 1024


def peaks(sizes: tuple[int, ...]) -> Iterator[tuple[int, float, float, float]]:
    """Of a CSV of so many jobs: its MB, and peak MB of its conversion and of its reading."""
    with tempfile.TemporaryDirectory(prefix="offtake-") as folder:
        for jobs in sizes:
            file = Path(folder) / "jobs.csv"
            written(file, jobs)
            yield jobs, file.stat().st_size / 1e6, peak_mb("convert", file), peak_mb("read", file)
