"""What a conversion or a check says, as plain values: counts, GPU-hours, and a note for everything that was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .jobs import Refusals, TraceError
from .read import read_any


def converted(form: str, files: Sequence[Path], out: Path, skip_bad: bool) -> dict[str, Any]:
    """Write the file. Raises TraceError and WriteError as `convert` does."""
    if form == "azure-llm":
        from .requests import convert_requests

        wrote = convert_requests(files, out, skip_bad)
        return _with_notes(wrote.to_dict(), wrote.refusals)
    if form == "table":
        if len(files) > 1:
            raise TraceError(f"{files[1]}: one table at a time; join the files first, so that ids and times are those of one trace")
        from .copied import copy

        done = copy(files[0], out, skip_bad)
    else:
        from .convert import convert

        done = convert(form, files, out, skip_bad)
    return _with_notes(done.to_dict(), done.refusals)


def checked(file: str | Path, skip_bad: bool) -> dict[str, Any]:
    """Read a trace. Raises TraceError as `read_any` does."""
    jobs = read_any(file, skip_bad)
    about = {"jobs": len(jobs), "gpu_h": jobs.gpu_hours, "span_s": jobs.span_s, "largest_gpus": int(jobs.gpus.max(initial=0))}
    return _with_notes(jobs.refusals.to_dict() | about | {"file": str(file)}, jobs.refusals)


def _with_notes(found: dict[str, Any], refusals: Refusals) -> dict[str, Any]:
    return found | {"notes": refusals.counts()}
