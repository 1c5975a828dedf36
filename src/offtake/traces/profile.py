"""A request trace -> the profile of the day that a book states (D-01): load in each slot over its mean, and how far days differ.

Axes    days of the trace (D), hours of the clock (24), slots
Units   loads over the mean of the day, so that their mean weighed with the slots' hours is 1
Counted whole days from the first request on; what comes after them is left out and said
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import QuestionError
from .jobs import TraceError
from .load import DAY, HOUR, Requests, after_midnight, by_hour, read_requests

Array = np.ndarray[Any, Any]
SLOT = re.compile(r"\s*([A-Za-z_][\w-]*)\s*:?\s+(\d+(?:\.\d+)?)\s*h(?:ours?)?\s*")
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def slots_of(text: str | None) -> dict[str, float]:
    """`night 8 h, day 12 h, peak 4 h` as hours by slot, from midnight on; 24 slots of an hour where nothing is said.

    Raises QuestionError."""
    if text is None:
        return {f"h{hour:02d}": 1.0 for hour in range(24)}
    found: dict[str, float] = {}
    for part in text.strip().removeprefix("{").removesuffix("}").split(","):
        match = SLOT.fullmatch(part)
        if not match or float(match[2]) <= 0.0 or match[1] in found:
            raise QuestionError(f"--day reads as in 'night 8 h, day 12 h, peak 4 h', each slot once, not '{part.strip()}'")
        found[match[1]] = float(match[2])
    if abs(sum(found.values()) - 24.0) > 1e-9:
        raise QuestionError(f"--day: the slots add up to {sum(found.values()):g} h, not to 24 (P-01)")
    return found


def clock_of(text: str) -> float:
    """`18:15` as seconds after midnight. Raises QuestionError."""
    match = CLOCK.fullmatch(text.strip())
    if not match:
        raise QuestionError(f"--begins is the clock time of the first request, as in 18:15, not '{text}'")
    return int(match[1]) * HOUR + int(match[2]) * 60.0 + int(match[3] or 0)


def in_slots(hours: Array, slots: dict[str, float]) -> Array:
    """(D, S) mean load of each slot, of loads (D, 24) that are even within an hour."""
    whole = np.concatenate([np.zeros((len(hours), 1)), np.cumsum(hours, axis=1)], axis=1)
    lengths = np.array(list(slots.values()))
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    return np.stack([np.diff(np.interp(edges, np.arange(25.0), row)) / lengths for row in whole])


def profile_of(file: Path, trace: str | None, begins: str | None, day: str | None, input_weight: float) -> dict[str, Any]:
    """The profile of a trace by slot and by hour, and of what it was made.

    Raises TraceError for the file or a trace of less than a day, QuestionError where nothing says at which hour the trace begins."""
    slots = slots_of(day)
    found = read_requests(file, trace, input_weight)
    tokens = by_hour(found, _begins(found, begins))
    if tokens.sum(axis=1).min() == 0.0:
        raise TraceError(f"{found.trace}: day {int(np.argmin(tokens.sum(axis=1))) + 1} has no tokens, so it has no profile")
    each = tokens * 24.0 / tokens.sum(axis=1, keepdims=True)
    whole = tokens.sum(axis=0, keepdims=True) * 24.0 / tokens.sum()
    rows, mean = in_slots(each, slots), in_slots(whole, slots)[0]
    with file.open("rb") as stream:
        sha = hashlib.file_digest(stream, "sha256").hexdigest()
    days = len(tokens)
    return {
        "file": file.name, "sha256": sha, "trace": found.trace, "requests": int((found.at < days * DAY).sum()), "days": days,
        "left_out": int((found.at >= days * DAY).sum()), "begins_at_s": _begins(found, begins), "input_weight": input_weight,
        "hours": whole[0].tolist(), "peak_over_mean": float(whole.max()),
        "slots": {
            name: {"hours": slots[name], "load": float(mean[n]), "low": float(rows[:, n].min()), "high": float(rows[:, n].max())}
            for n, name in enumerate(slots)
        },
    }  # fmt: skip


def _begins(found: Requests, begins: str | None) -> float:
    """Seconds after midnight at which the trace begins: as told, or as the file knows."""
    if begins is not None:
        return clock_of(begins)
    at = found.begins
    if at is None:
        raise QuestionError(f"nothing says at which hour {found.trace} begins: add --begins, as in --begins 18:15")
    return after_midnight(at)
