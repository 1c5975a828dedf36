"""Which reader a file wants, told by how it begins. polars is loaded by the readers alone."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from .jobs import SHAPE, Jobs, TraceError

KEPT = 1 << 24  # bytes of a file whose jobs stay in memory for the next question; those of a larger one are read again


def read_jobs(path: str | Path, skip_bad: bool = False) -> Jobs:
    """Jobs of a Parquet or CSV file in the canonical schema.

    Raises TraceError with every fault, row and column; with `skip_bad` rows at fault are left out, counted and named in `refusals`.
    """
    return _read(*_known(path), skip_bad, "canonical")


def read_any(path: str | Path, skip_bad: bool = False) -> Jobs:
    """Jobs of a file in the canonical schema or in a public format, told by its first line: a dump of sacct needs no conversion first.

    Raises TraceError as `read_jobs` does.
    """
    file, changed, size = _known(path)
    return _read(file, changed, size, skip_bad, format_of(file))


def format_of(file: Path) -> str:
    """`canonical`, or the public format that the file's first line belongs to."""
    with file.open(encoding="utf-8", errors="replace") as stream:
        head = stream.readline(100_000).removeprefix("\ufeff").strip()
    names, words = set(head.split(",")), head.split()
    if "|" in head and "JobID" in head.split("|"):
        return "sacct"
    if head.startswith(";") or (len(words) == 18 and all(_is_number(word) for word in words)):
        return "swf"
    if head.startswith(("[", "{")):
        return "philly"
    if {"gpu_num", "submit_time"} <= names:
        return "helios"
    return "itp" if {"num_gpu", "submission_time"} <= names else "canonical"


def _is_number(word: str) -> bool:
    return word.lstrip("-").replace(".", "", 1).isdigit()


def _known(path: str | Path) -> tuple[Path, int, int]:
    """The file, when it was changed, and its size. Raises TraceError where there is none, or nothing in it."""
    file = Path(path)
    try:
        about = file.stat()
    except OSError as error:
        raise TraceError(f"{file}: the trace could not be read ({error.strerror}); {SHAPE}") from None
    if file.is_dir():
        raise TraceError(f"{file}: a folder is no trace; {SHAPE}")
    if about.st_size == 0:
        raise TraceError(f"{file}: the file is empty; {SHAPE}")
    return file, about.st_mtime_ns, about.st_size


def _read(file: Path, changed: int, size: int, skip_bad: bool, form: str) -> Jobs:
    return _kept(file, changed, size, skip_bad, form) if size <= KEPT else _fresh(file, skip_bad, form)


@lru_cache(maxsize=2)
def _kept(file: Path, changed: int, size: int, skip_bad: bool, form: str) -> Jobs:
    return _fresh(file, skip_bad, form)


def _fresh(file: Path, skip_bad: bool, form: str) -> Jobs:
    from .canonical import canonical

    if form == "canonical":
        return canonical(file, skip_bad)
    from .convert import convert

    with tempfile.TemporaryDirectory(prefix="offtake-") as folder:
        whole = Path(folder) / "jobs.parquet"
        done = convert(form, [file], whole, skip_bad, rows=True)
        jobs = canonical(whole, skip_bad)
    found = replace(jobs.refusals, read=0, file=str(file))
    return replace(jobs, refusals=done.refusals + found)
