"""Which reader a file wants. polars is loaded by the readers alone."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from .jobs import Jobs, TraceError

SHAPE = "a job trace is a Parquet or CSV file with the columns job_id, submit_s, duration_s, gpus (docs/traces.md)"


def read_jobs(path: str | Path, skip_bad: bool = False) -> Jobs:
    """Jobs of a Parquet or CSV file in the canonical schema.

    Raises TraceError with every fault, row and column; with `skip_bad` rows at fault are left out, counted and named in `refusals`.
    """
    file = Path(path)
    try:
        about = file.stat()
    except OSError as error:
        raise TraceError(f"{file}: the trace could not be read ({error.strerror}); {SHAPE}") from None
    if file.is_dir():
        raise TraceError(f"{file}: a folder is no trace; {SHAPE}")
    if about.st_size == 0:
        raise TraceError(f"{file}: the file is empty; {SHAPE}")
    return _read(file, skip_bad, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=2)
def _read(file: Path, skip_bad: bool, changed: int, size: int) -> Jobs:
    from .canonical import canonical

    return canonical(file, skip_bad)


def read_any(path: str | Path, skip_bad: bool = False) -> Jobs:
    """Jobs of a file in any format that its first bytes tell. Raises TraceError as `read_jobs` does."""
    return read_jobs(path, skip_bad)
