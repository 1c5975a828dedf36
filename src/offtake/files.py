"""Whose a file is: a run replaces what it wrote itself, never what someone else wrote.

A report carries its mark in its head, a workbook in its properties, where a spreadsheet program that saves it puts its own user's name.
Read-only but for the folder that `writable` makes; `reports/html.put` puts the bytes in place.
"""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

from .errors import WriteError

MARK = '<meta name="generator" content="offtake">'
AUTHOR = "offtake"
_HEAD = 4096  # bytes of a report in which its mark stands
_FOOT = 1 << 20  # bytes at the end of a Parquet file, which hold its own account of itself


def is_ours(target: Path) -> bool:
    """Whether a report or a workbook was written here and not changed by another program since."""
    if zipfile.is_zipfile(target):
        try:
            with zipfile.ZipFile(target) as held:
                said = held.read("docProps/core.xml").decode("utf-8", "replace")
        except (KeyError, zipfile.BadZipFile):
            return False
        return all(f"<{tag}>{AUTHOR}</{tag}>" in said for tag in ("dc:creator", "cp:lastModifiedBy"))
    with target.open("rb") as held_file:
        head = held_file.read(_HEAD)
        if head.startswith(b"PAR1"):  # Parquet keeps what is said of a file at its end
            held_file.seek(max(target.stat().st_size - _FOOT, 0))
            head = held_file.read()
    return MARK.encode() in head


def writable(path: str | Path) -> Path:
    """A file that may be written: its folder made, nobody else's file in its place. Raises WriteError."""
    target = allowed(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise WriteError(f"{target.parent}: the folder could not be made ({fault.strerror})") from None
    return target


def allowed(path: str | Path) -> Path:
    """A file that could be written, and nothing made for it yet: a run that is refused later leaves no empty folder.

    raises  WriteError  before anything is computed, so that nobody waits for a refusal
    """
    target = Path(path)
    try:
        there = next(folder for folder in target.absolute().parents if folder.exists())
        if not there.is_dir():
            raise WriteError(f"{target.parent}: the folder could not be made ({os.strerror(errno.EEXIST)})")
        if not os.access(there, os.W_OK | os.X_OK):
            raise WriteError(f"{there}: no right to write in this folder")
        if target.is_dir():
            raise WriteError(f"{target}: a folder stands where the file would go")
        if target.exists() and not is_ours(target):
            raise WriteError(f"{target}: offtake did not write this file, so it stays as it is; move it or name another place")
    except OSError as fault:
        raise WriteError(f"{target}: the file in its place could not be read ({fault.strerror})") from None
    return target
