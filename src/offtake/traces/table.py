"""Open a Parquet or CSV file lazily, and name what is wrong with the file itself: cut short, ragged, not text."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from ..errors import Issue
from .jobs import TraceError

MAGIC = b"PAR1"


def is_parquet(file: Path) -> bool:
    """Told by the first bytes, not by the name."""
    with file.open("rb") as stream:
        return stream.read(4) == MAGIC


def open_table(file: Path, shape: str) -> pl.LazyFrame:
    """Columns as they are (Parquet) or as text (CSV). Raises TraceError for a file that is neither, or was cut short."""
    if is_parquet(file):
        _whole(file)
        return pl.scan_parquet(file)
    if file.suffix == ".parquet":
        raise TraceError(f"{file}: no Parquet file (it does not start with PAR1); {shape}")
    try:
        lazy = pl.scan_csv(file, infer_schema=False)
        lazy.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error, shape) from None
    return lazy


def unreadable(file: Path, error: Exception, shape: str) -> TraceError:
    """What stopped the reading: the row at fault where there is one, else the reader's own words."""
    fault = None if is_parquet(file) else ragged(file)
    if fault is not None:
        return TraceError(fault.to_text(), (fault,))
    return TraceError(f"{file}: the trace could not be read ({str(error).splitlines()[0]}); {shape}")


def _whole(file: Path) -> None:
    """A Parquet file ends with its footer; one that was cut short does not, and nothing of it can be told from the rest."""
    with file.open("rb") as stream:
        stream.seek(-min(4, file.stat().st_size), 2)
        end = stream.read()
    if end != MAGIC or file.stat().st_size < 12:
        raise TraceError(
            f"{file}: the Parquet file is cut short: its last bytes are {end!r}, not PAR1. Its footer says where the rows are, so none "
            f"can be read; copy it again ({file.stat().st_size:,} bytes arrived)"
        )


def ragged(file: Path) -> Issue | None:
    """The first row of a CSV file with another number of fields than its header, or that is not text; read row by row."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = enumerate(csv.reader(stream), 1)
            head = next((row for _, row in rows if row), [])
            for number, row in rows:
                if row and len(row) != len(head):
                    got = f"{len(row)} fields: {','.join(row)[:80]}"
                    return Issue(str(file), number, len(row), "", got, f"a row has the {len(head)} fields of the header", "mend the row")
    except (UnicodeDecodeError, csv.Error) as error:
        return Issue(str(file), 0, 0, "", str(error), "a trace is text in UTF-8", "save it as UTF-8")
    return None
