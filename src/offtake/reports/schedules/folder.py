"""A folder of exported files: whose they are, and writing only those that change.

raises  WriteError  before anything is written, where a file stands in the folder that this export did not write
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...errors import QuestionError, WriteError
from ..html import put


def held(folder: Path, mark: str) -> dict[str, str]:
    """Text by path of what stands in a folder, hidden files left aside. Raises WriteError where something is not ours."""
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise WriteError(f"{folder}: a file stands where the folder would go")
    found = {}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if any(part.startswith(".") for part in path.parts) or (file.is_dir() and not file.is_symlink()):
            continue
        try:
            text = file.read_text(encoding="utf-8") if file.is_file() and not file.is_symlink() else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        if mark not in text.splitlines()[:2]:
            raise WriteError(f"{file}: this export did not write it, so nothing in {folder} is touched; name a folder of its own")
        found[path.as_posix()] = text
    return found


def plan_in(folder: Path, mark: str) -> dict[str, str]:
    """The files of a plan in force. Raises QuestionError where there are none, WriteError where something else stands."""
    found = held(folder, mark)
    if not found:
        raise QuestionError(f"{folder}: no plan stands there; a plan is a folder that this export wrote for the same book and target")
    return found


def put_files(folder: Path, files: Mapping[str, str], before: Mapping[str, str]) -> dict[str, list[str]]:
    """Write what changed, remove what is no longer part of the plan; each file is whole at any moment."""
    new = [path for path, text in files.items() if before.get(path) != text]
    gone = [path for path in before if path not in files]
    try:
        for path in new:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for path in new:
            put(files[path].encode(), folder / path)
            if files[path].startswith("#!"):
                os.chmod(folder / path, 0o755)
        for path in gone:
            (folder / path).unlink()
    except OSError as fault:
        raise WriteError(f"{folder}: the folder could not be written ({fault.strerror or fault})") from None
    return {"written": sorted(new), "unchanged": sorted(set(files) - set(new)), "removed": sorted(gone)}
