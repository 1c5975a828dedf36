"""A month's schedule as files of a scheduler, and back: `write` gives text by path, `read` the GPUs by workload, pool and cloud.

Files say nothing of the month, so that a month in which nothing changes changes no file. Each begins with the mark of its book and target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...errors import QuestionError
from ...quotas import Schedule
from . import kueue, skypilot, slurm

Files = dict[str, str]
Back = dict[tuple[str, str, str], int]
TARGETS: Mapping[str, tuple[Callable[[Schedule], Files], Callable[[Mapping[str, str]], Back]]] = {
    "slurm": (slurm.write, slurm.read), "skypilot": (skypilot.write, skypilot.read), "kueue": (kueue.write, kueue.read),
}  # fmt: skip


def mark_of(book: str, target: str) -> str:
    """The line that says whose a file is."""
    return f"# offtake export schedule {book} --to {target}: written whole, do not edit"


def files_of(plan: Schedule, target: str) -> Files:
    """Text by path, the mark in its first line, or behind the line that names a script's shell."""
    mark, found = mark_of(plan.book, target), {}
    for path, text in TARGETS[target][0](plan).items():
        shell, line, rest = text.partition("\n") if text.startswith("#!") else ("", "", text)
        found[path] = f"{shell}{line}{mark}\n{rest}"
    return found


def read_back(files: Mapping[str, str], target: str) -> Back:
    """GPUs above 0 by workload, pool and cloud. Raises QuestionError for files that are not what `files_of` writes."""
    try:
        return {key: gpus for key, gpus in TARGETS[target][1](files).items() if gpus}
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as fault:
        raise QuestionError(f"the plan in force could not be read as {target} files ({type(fault).__name__}: {fault})") from None
