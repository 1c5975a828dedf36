"""One line of a bench, and whether this is a quick run."""

import sys
from typing import NamedTuple

QUICK = "--quick" in sys.argv  # few paths, no meaning: only shows that a bench still runs


class Line(NamedTuple):
    """One figure; `goal` and `met` are None where nothing was promised."""

    name: str
    goal: str
    figure: str
    ratio: str
    met: bool | None

    def __str__(self) -> str:
        word = "skipped" if self.met is None else "ok" if self.met else "short"
        return f"{self.name:34} goal {self.goal:22} {self.figure:42} {self.ratio:>9}  {word}"
