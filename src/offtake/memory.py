"""What a run will need of memory, told before anything of it is allocated, and what the machine has.

Units   bytes.
Method  every thread has a block and the solver's working arrays, whose sizes are linear in the months: a block of one month and one of two
        tell any other, of any book, without a list of arrays to keep. Beside them come what a thread makes and drops on its way (`PASSING`
        of its block), what all threads share (histograms, first paths, inputs: `montecarlo` says), and the program with its compiled
        kernels. `python -m bench memory` holds the sum against what runs took at most.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import stages
from .errors import RoomError
from .plan import Plan

PROGRAM = 205e6  # Python, NumPy, Numba and the machine code of all kernels
PASSING = 0.4  # of a block: arrays that a stage or a measure makes and drops
RESERVE = 0.05  # of what is free, for others
FEWEST = 64  # paths that a refusal offers at least
LONG = 120  # months that are a horizon, whatever the book's own was


@dataclass(frozen=True)
class Need:
    """Bytes for each thread, of these for each month, and for all together."""

    each: float
    month: float
    shared: float

    def of(self, threads: int) -> float:
        """Bytes of the whole program."""
        return PROGRAM + self.shared + threads * self.each


def arrays(value: Any) -> Iterator[np.ndarray]:
    """All arrays of a block or a tuple of arrays, each memory as it was made; one may come twice."""
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from arrays(part)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name != "plan":
                yield from arrays(getattr(value, field.name))


def held(value: Any) -> int:
    """Bytes of all arrays of a block or tuple, each memory once."""
    return sum({id(a): a.nbytes for a in arrays(value)}.values())


def of_block(plan: Plan) -> tuple[float, float, float]:
    """Bytes of one thread's block, of a month in it, and of the solver's working arrays."""
    one, two = (stages.allocate(replace(plan, months=m)) for m in (1, 2))
    first, second = held(one), held(two)
    return first + (plan.months - 1) * (second - first), second - first, held(stages.scratch(one))


def needed(plan: Plan, shared: float) -> Need:
    """What a run needs whose threads share arrays of so many bytes."""
    block, month, scratch = of_block(plan)
    return Need((1.0 + PASSING) * block + scratch, (1.0 + PASSING) * month, shared)


def require(plan: Plan, paths: int, threads: int, shared: Callable[[int, int], float]) -> None:
    """Refuse a run that does not fit into the memory that is free; `shared` tells what so many paths and threads share.

    Raises RoomError; where nobody tells what is free, all is tried.
    """
    room = free()
    if room is None:
        return
    need, room = needed(plan, shared(paths, threads)), room * (1.0 - RESERVE)
    if need.of(threads) <= room:
        return
    n = plan.names
    where = (
        f"this plan: {plan.months} months x {len(n.contracts)} contracts x {len(n.pools)} pools x {len(n.workloads)} workloads, "
        f"{stages.LANES} paths side by side in each of {said_threads(threads)}"
    )
    got = f"{amount(need.of(threads))}: {amount(need.each)} for each thread, {amount(need.shared)} shared, {amount(PROGRAM)} the program"
    rule = f"a run fits into the memory that is free, {amount(room)}"

    def asked(paths: int, threads: int) -> float:
        return replace(need, shared=shared(paths, threads)).of(threads)

    fix = _by_run(asked, paths, threads, room) or _by_book(plan, replace(need, shared=shared(paths, 1)), room)
    raise RoomError(f"{where}\n  got   {got}\n  rule  {rule}\n  fix   {fix}")


def _by_run(asked: Callable[[int, int], float], paths: int, threads: int, room: float) -> str:
    """The most threads that fit, else how many paths with one, a power of two; nothing where none do."""
    for fewer in range(threads - 1, 0, -1):
        if asked(paths, fewer) <= room:
            return f"--workers {fewer} needs {amount(asked(paths, fewer))}"
    few = 2 ** (max(paths - 1, 1).bit_length() - 1)
    while few >= FEWEST:
        if asked(few, 1) <= room:
            return f"--workers 1 --paths {few} needs {amount(asked(few, 1))}"
        few //= 2
    return ""


def _by_book(plan: Plan, need: Need, room: float) -> str:
    """What is left where no run of this plan fits; a shorter horizon where it is one that somebody may want."""
    said = f"--workers 1 needs {amount(need.of(1))}: a machine with more memory, or a book with fewer pools, contracts or workloads"
    months = plan.months - math.ceil((need.of(1) - room) / need.month)
    return f"{said}, or a horizon of {months} months" if months >= min(plan.months / 2, LONG) else said


def said_threads(threads: int) -> str:
    return f"{threads} thread{'s' * (threads != 1)}"


def amount(size: float) -> str:
    """`41 GB`, `950 MB`, `2 TB`."""
    return f"{size / 1e12:.3g} TB" if size >= 1e12 else f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def free() -> float | None:
    """Bytes that this process may have, those it has included: the machine's and the container's; None where nobody tells."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _physical()
    told = [room for room in (_linux(), *_containers()) if room is not None]
    return min(told) + _resident() if told else _physical()


def _linux(root: Path = Path("/proc")) -> float | None:
    """What the kernel says can be had without swapping."""
    with suppress(OSError, ValueError, IndexError):
        for line in (root / "meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    return None


def _containers(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> list[float]:
    """What is left of the limits of this process's control groups, version 2 and 1; none where none is set."""
    paths, found = [], []
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds in ("", "memory"):
                mine = root / kinds / path.lstrip("/")
                paths += [mine, *(p for p in mine.parents if p.is_relative_to(root))]
    for folder in [*paths, root, root / "memory"]:
        for limit, taken in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with suppress(OSError, ValueError):  # "max" is no number: no limit
                found.append(float((folder / limit).read_text()) - float((folder / taken).read_text()) + _reclaimable(folder))
    return found


def _reclaimable(folder: Path) -> float:
    """Bytes of files that the kernel keeps for a group and gives up when asked."""
    with suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text().splitlines():
            name, size = line.split()
            if name in ("inactive_file", "total_inactive_file"):
                return float(size)
    return 0.0


def _resident(root: Path = Path("/proc")) -> float:
    """Bytes that this process has already."""
    import os

    with suppress(OSError, ValueError, IndexError):
        return float((root / "self" / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0.0


def _physical() -> float | None:
    """All memory of the machine, where the system tells no more than that."""
    import os

    with suppress(ValueError, OSError, AttributeError):
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    return None


def _windows() -> float | None:
    """What Windows says is free, and what this process has of it at least."""
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [(name, ctypes.c_ulonglong) for name in "abcdefg"]

    status = Status()
    status.length = ctypes.sizeof(Status)
    kernel: Any = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return float(status.b)
