"""One line on stderr that says what is being done; silent when stderr is not a terminal, but for each stage's name."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Progress:
    """Stages by name, each with done of total. Used as `with Progress() as progress`."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._stage = ""
        self._drawn = 0.0
        self._begun = (0, 0.0)  # what was done, and when, at the first step of the stage

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _b: TracebackType | None) -> None:
        self._clear()

    def stage(self, name: str) -> None:
        """A new stage begins."""
        self._clear()
        self._stage, self._begun = name, (0, 0.0)
        if not self._live:
            sys.stderr.write(f"offtake: {name}\n")
        self.step(0, 0)

    def step(self, done: int, total: int, unit: str = "paths") -> None:
        """`done` of `total` (0 of 0: no count yet); drawn at most ten times a second."""
        now = time.monotonic()
        if not self._live or (now - self._drawn < 0.1 and done not in (0, total)):
            return
        self._drawn = now
        bar = ""
        if total:
            full = 24 * done // total
            self._begun = self._begun if self._begun[1] else (done, now)
            pace = pace_text(done - self._begun[0], total - done, now - self._begun[1], unit)
            bar = f"  [{'#' * full}{'.' * (24 - full)}] {done:,} of {total:,} {unit}{pace}"
        sys.stderr.write(f"\r\033[Kofftake: {self._stage}{bar}")
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._live:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def pace_text(done: int, left: int, seconds: float, unit: str) -> str:
    """`, 3,100 paths/s, 0:42 left`; nothing before there is something to judge by."""
    if done <= 0 or seconds < 0.5:
        return ""
    rate = done / seconds
    wait = round(left / rate)
    clock = f"{wait // 3600}:{wait % 3600 // 60:02d}:{wait % 60:02d}" if wait >= 3600 else f"{wait // 60}:{wait % 60:02d}"
    return f", {rate:,.{0 if rate >= 10 else 1}f} {unit}/s, {clock} left"
