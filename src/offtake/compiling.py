"""What a machine does once: every kernel compiled into the cache, by as many processes as there are cores and memory holds.

The works (`stages.WORKS`) lie on one list, longest first; whoever is free takes the first that nobody has. Who works is a process of
its own (`worker`), which is told a work a line and answers a sign a function and a line a work: it compiles for books that together
have every stage but those of options and leases, whatever book is run first. What one that dies had taken goes back on the list, and it
is said how it ended; its own words stand on stderr. What all of them leave is compiled here.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from threading import Lock, Thread
from typing import IO, Any

from numba.core import event

from . import memory, stages
from .kernels.cache import is_kept, mark
from .plan import Plan
from .spread import cores

MOST = 8  # processes: with more the longest work is waited for
FUNCTION, DONE = "+", "done"  # what a worker says: of a function, of a work
EACH = 900e6  # bytes that a process takes at most, one that compiles everything

Step = Callable[[int, int, str], None]
Say = Callable[[str], None]


class Works:
    """The list, who has what, and how many functions are done of each work. All workers' threads share it."""

    def __init__(self, sizes: dict[str, int], step: Step) -> None:
        self._sizes, self._step, self._lock = sizes, step, Lock()
        self._left, self._seen, self._is_closed = list(sizes), dict.fromkeys(sizes, 0), False

    def take(self) -> str | None:
        """The longest work that nobody has; None where there is none."""
        with self._lock:
            return self._left.pop(0) if self._left else None

    def give_back(self, name: str) -> bool:
        """A work that was taken and not done; whether anybody will take it."""
        with self._lock:
            self._seen[name] = 0
            self._left.insert(0, name)
            return not self._is_closed

    def close(self) -> None:
        """Nobody takes any more."""
        with self._lock:
            self._is_closed = True
            self._left.clear()

    def count(self, name: str) -> None:
        """A function of a work is compiled."""
        self._tell(name, min(self._seen[name] + 1, self._sizes[name]))

    def done(self, name: str) -> None:
        """All of a work is."""
        self._tell(name, self._sizes[name])

    def _tell(self, name: str, seen: int) -> None:
        with self._lock:
            self._seen[name] = seen
            self._step(sum(self._seen.values()), sum(self._sizes.values()), "functions")


class _Functions(event.Listener):  # type: ignore[misc]  # numba is untyped
    """Calls `counted` for every function that numba compiles."""

    def __init__(self, counted: Callable[[], None]) -> None:
        self._counted = counted

    def on_start(self, event: Any) -> None:
        """Nothing: it is not done."""

    def on_end(self, event: Any) -> None:
        """One is done."""
        self._counted()


@contextlib.contextmanager
def counting(counted: Callable[[], None]) -> Iterator[None]:
    """Call `counted` for every function that is compiled meanwhile."""
    with event.install_listener("numba:compile", _Functions(counted)):
        yield


def compile_here(plan: Plan, names: Sequence[str]) -> None:
    """Compile some works by running the kernels that a plan needs once, on empty arrays."""
    for name in names:
        b = stages.allocate(plan)
        b.X.fill(1.0)
        stages.WORKS[name][0](b)


def serve(plans: Sequence[Plan], told: IO[str], said: IO[str]) -> None:
    """A worker: compile the works named on the lines of `told`, one by one, until there are no more."""

    def say(line: str) -> None:
        said.write(line + "\n")
        said.flush()

    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        for line in told:
            with counting(lambda: say(FUNCTION)):
                for plan in plans:
                    compile_here(plan, [line.strip()])
            say(DONE)


def compile_all(plan: Plan, step: Step = lambda done, total, unit: None, say: Say = lambda line: None) -> None:
    """Compile what the cache does not hold yet, and leave the mark. `step` is told after every function, `say` of a process that died."""
    works = Works({name: size for name, (_, size) in stages.WORKS.items()}, step)
    others = processes() if is_kept() else 0
    share_out(works, others, lambda name: compile_here(plan, [name]), say, worker())
    mark_compiled()


def worker() -> Sequence[str]:
    """The command of a worker, which finds modules where this process does, and none in the folder that the user stands in."""
    ours = f"import sys; sys.path[:] = {[path for path in sys.path if path]!r}; from offtake.warm import warm; warm('worker')"
    return (sys.executable, "-P", "-c", ours)


def processes() -> int:
    """How many compile: one a core, as many as memory holds, `MOST` at most."""
    room = memory.free()
    fit = MOST if room is None else int(room // EACH)
    return max(min(cores(), MOST, fit), 1)


def share_out(works: Works, others: int, compile_one: Callable[[str], None], say: Say, command: Sequence[str]) -> None:
    """Do all works in `others` processes of their own, and here what they leave, all of it where none can be started."""
    started: list[subprocess.Popen[str]] = []
    try:
        with contextlib.suppress(OSError):
            for _ in range(others):
                started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace"))
        threads = [Thread(target=_feed, args=(process, works, say), daemon=True) for process in started]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while (name := works.take()) is not None:
            _work_here(name, works, compile_one)
    finally:
        works.close()
        for process in started:
            process.kill()
            process.wait()


def _work_here(name: str, works: Works, compile_one: Callable[[str], None]) -> None:
    with counting(lambda: works.count(name)):
        compile_one(name)
    works.done(name)


def _feed(process: subprocess.Popen[str], works: Works, say: Say) -> None:
    """Hand works to one process until there are no more, or it dies."""
    assert process.stdin and process.stdout
    while (name := works.take()) is not None:
        is_done = False
        try:
            with contextlib.suppress(OSError):  # one that is dead says nothing, which is seen below
                process.stdin.write(name + "\n")
                process.stdin.flush()
            is_done = any(_is_done(line, name, works) for line in process.stdout)
        finally:
            is_wanted = not is_done and works.give_back(name)
        if is_wanted:
            say(f"a process that compiled {name} ended with status {process.wait()}; another compiles it")
        if not is_done:
            return
    with contextlib.suppress(OSError):
        process.stdin.close()


def _is_done(line: str, name: str, works: Works) -> bool:
    """Take note of what a worker says of a work; whether that is done."""
    if line.strip() == DONE:
        works.done(name)
        return True
    works.count(name)
    return False


def is_compiled() -> bool:
    """Whether this machine's cache holds the kernels as they are now; the mark is made after the first compilation."""
    return mark().exists()


def mark_compiled() -> None:
    """Leave the mark; a cache that cannot be written only costs the next run its start."""
    with contextlib.suppress(OSError):
        if is_kept():
            mark().touch()
