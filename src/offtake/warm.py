"""Compile every kernel into the shared cache, two processes side by side: `python -m offtake.warm`.

A first run does the same by itself; before parallel tests it keeps the workers from compiling the same kernels each for itself.
"""

from __future__ import annotations

import sys


def warm(part: str = "all") -> None:
    """Compile the kernels of one part (`stages.PARTS`), or of all parts in as many processes."""
    from . import front, stages

    plan = front.compile(front.load("two-clouds"))
    if part == "all":
        stages.compile_kernels(plan)
    else:
        stages.compile_part(plan, part)


if __name__ == "__main__":
    warm(*sys.argv[1:])
