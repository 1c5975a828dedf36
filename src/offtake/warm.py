"""Compile every kernel into the shared cache, a process a core: `python -m offtake.warm`.

A first run does the same by itself; before parallel tests it keeps the workers from compiling the same kernels each for itself.
`python -m offtake.warm worker` is one of those processes (`compiling`).
"""

from __future__ import annotations

import gc
import os
import signal
import sys

BOOKS = ("openai-aws", "two-clouds")  # together they have every stage of a run without options and leases


def warm(role: str = "all") -> None:
    """Compile all kernels, or as a `worker` those that are named on standard input."""
    from . import compiling, front
    from .reports.progress import Progress

    plans = [front.compile(front.load(front.BOOKS / f"{book}.yaml")) for book in BOOKS]
    if role == "worker":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the whole group's: who started this one ends it
        _collect_seldom()
        said = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what anybody else prints is no answer
        compiling.serve(plans, sys.stdin, said)
        return
    with Progress() as progress:
        progress.stage("compiling the kernels")
        compiling.compile_all(plans[0], progress.step, progress.stage)


def _collect_seldom() -> None:
    """A compiler makes many small things that stay: looking for cycles among them as often as Python does was a fifth of its time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


if __name__ == "__main__":
    warm(*sys.argv[1:])
