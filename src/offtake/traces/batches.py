"""A file of any size, one batch of its rows at a time: whole lines of a text, slices of a Parquet file.

Memory  one batch: BLOCK bytes of text, or ROWS rows of a Parquet file
Order   of the file; nothing that is read from batches may depend on where they end (tests/laws/test_batches.py)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from ..errors import Issue
from .jobs import TraceError
from .table import is_parquet, open_table, unreadable

BLOCK = 1 << 23  # bytes of text that are read at a time
ROWS = 1 << 18  # rows of a Parquet file that are read at a time
LONGEST = 1 << 26  # bytes of one row; a quote that is never closed would else take the rest of the file in
BOM = b"\xef\xbb\xbf"
QUOTED = "a row is shorter than 64 MB: a quote that opens in it closes in it"


def table_batches(file: Path, shape: str) -> tuple[list[str], Iterator[tuple[int, pl.DataFrame]]]:
    """Names of the columns; batches with the number of their first row: of text (CSV, the header is row 1), as they are (Parquet, from 1).

    Raises TraceError for a file that is neither, was cut short, or has a row of another number of fields.
    """
    lazy = open_table(file, shape)
    columns = lazy.collect_schema().names()
    return columns, _slices(file, lazy, shape) if is_parquet(file) else _csv(file, shape)


def _slices(file: Path, lazy: pl.LazyFrame, shape: str) -> Iterator[tuple[int, pl.DataFrame]]:
    try:
        count = int(lazy.select(pl.len()).collect().item())
        for first in range(0, count, ROWS):
            yield first + 1, lazy.slice(first, ROWS).collect()
        if count == 0:
            yield 1, lazy.collect()
    except pl.exceptions.PolarsError as error:
        raise unreadable(file, error, shape) from None


def _csv(file: Path, shape: str) -> Iterator[tuple[int, pl.DataFrame]]:
    """Every block is read under the header of the file, so that a short row is one, and a blank one too; blank lines before it count."""
    row, head = 2, b""
    for block in text_blocks(file, quoted=True):
        if not head:
            bare = block.lstrip(b"\r\n")
            row += block.count(b"\n", 0, len(block) - len(bare))
            if not bare:
                continue
            block = bare
            end = _end_of_first(block)
            head, block = block[:end], block[end:]
            head = head if head.endswith(b"\n") else head + b"\n"
        try:
            frame = pl.read_csv(head + block, infer_schema=False)
        except pl.exceptions.PolarsError as error:
            raise unreadable(file, error, shape) from None
        yield row, frame
        row += frame.height


def _end_of_first(block: bytes) -> int:
    """Where the first row of a block ends."""
    end = block.find(b"\n") + 1
    while end and block.count(b'"', 0, end) % 2:
        end = block.find(b"\n", end) + 1
    return end or len(block)


def text_blocks(file: Path, quoted: bool) -> Iterator[bytes]:
    """Whole lines, about BLOCK bytes at a time; `quoted`: a line that ends inside quotes goes on.

    Raises TraceError for a row beyond LONGEST."""
    row, held = 1, b""
    with file.open("rb") as stream:
        _skip_mark(stream)
        while more := stream.read(BLOCK):
            held += more
            end = _whole(held, quoted)
            if end:
                yield held[:end]
                row, held = row + held.count(b"\n", 0, end), held[end:]
            elif len(held) > LONGEST:
                start = held[:60].decode("utf-8", "replace")
                raise TraceError(Issue(str(file), row, 0, "", start, QUOTED, "close the quote, or leave quotes out").to_text())
    if held:
        yield held


def _skip_mark(stream: BinaryIO) -> None:
    if stream.read(len(BOM)) != BOM:
        stream.seek(0)


def _whole(held: bytes, quoted: bool) -> int:
    """Where the last whole row ends: behind a line end outside quotes; 0 where there is none."""
    end = held.rfind(b"\n") + 1
    if not quoted or not end:
        return end
    inside = held.count(b'"', 0, end) % 2
    while end and inside:
        before = held.rfind(b"\n", 0, end - 1) + 1
        inside = (inside + held.count(b'"', before, end)) % 2
        end = before
    return end


def line_batches(file: Path) -> Iterator[pl.DataFrame]:
    """`row` from 1 and `line`, null where blank; bytes that are no text are replaced, since names of jobs are not read."""
    row = 1
    for block in text_blocks(file, quoted=False):
        lines = pl.Series("line", [block.decode("utf-8", "replace").removesuffix("\n")]).str.split("\n").explode().str.strip_chars_end("\r")
        frame = pl.DataFrame({"row": pl.arange(row, row + len(lines), eager=True), "line": lines})
        yield frame.with_columns(pl.when(pl.col("line") != "").then("line"))
        row += len(lines)
