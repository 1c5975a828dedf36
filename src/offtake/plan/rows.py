"""Which number of the book stands in which row of X (factors) or Y (time paths).

Every number of the book is a factor, every time path a series. Each gets one row for all scenarios: a scenario only changes
how the row is drawn (U-03), so no kernel after the draws knows that scenarios exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..book.numbers import Month, Number, Series
from ..book.terms import Book
from ..kernels.series import Timelines

KINDS = ("constant", "steps", "points", "growth", "s_curve", "mean_reversion", "jump", "index")
ARGUMENTS = {
    "constant": ("value",),
    "growth": ("start", "yearly", "long_run", "half_life"),
    "s_curve": ("low", "high", "middle", "width"),
    "mean_reversion": ("start", "level", "speed", "volatility"),
    "jump": ("value", "size", "hazard"),
    "index": ("base",),
}
NOISY = ("mean_reversion", "jump")


def constant(value: float) -> Number:
    """A number that the model itself needs (a zero for an absent term), not one of the book's."""
    return Number(kind="constant", params=(float(value),), unit="", text=f"{value:g}")


def at(book: Book, path: str) -> Any:
    """The term at a dotted path: `sites.virginia.lots.0.gpus`."""
    term: Any = book
    for key in path.split("."):
        term = (
            term[int(key)] if isinstance(term, (list, tuple)) else term[key] if isinstance(term, Mapping) else getattr(term, key)
        )
    return term


@dataclass
class Rows:
    """Rows as they are handed out; `books` is one book per scenario, base first."""

    books: list[Book]
    numbers: dict[str, list[Number]] = field(default_factory=dict)
    series: dict[str, list[tuple[str, dict[str, int]]]] = field(default_factory=dict)
    knots: dict[str, list[list[tuple[float, int]]]] = field(default_factory=dict)

    def x(self, path: str, adjust: Callable[[Number], Number] | None = None) -> int:
        """Factor row of the number at `path`."""
        if path not in self.numbers:
            found = [at(book, path) for book in self.books]
            self.numbers[path] = [adjust(n) for n in found] if adjust else found
        return list(self.numbers).index(path)

    def x_or(self, path: str, value: float) -> int:
        """Factor row of an optional term, or of the constant that its absence means."""
        return self.x(path) if at(self.books[0], path) is not None else self.fixed(value)

    def fixed(self, value: float) -> int:
        name = f"={value:g}"
        self.numbers.setdefault(name, [constant(value)] * len(self.books))
        return list(self.numbers).index(name)

    def given(self, name: str, value: float) -> int:
        """Factor row of a constant that the book's own numbers add up to."""
        self.numbers.setdefault(f"={name}", [constant(value)] * len(self.books))
        return list(self.numbers).index(f"={name}")

    def luck(self, customer: str) -> int:
        """Factor row of a customer's uniform draw: whether the renegotiation rule's chance comes true (V-04)."""
        return self.uniform(f"companies.{customer}.customer.renegotiation.luck")

    def uniform(self, name: str) -> int:
        """Factor row of a uniform draw that the model itself needs."""
        self.numbers.setdefault(
            name, [Number(kind="uniform", params=(0.0, 1.0), unit="", text="uniform(0, 1)")] * len(self.books)
        )
        return list(self.numbers).index(name)

    def y(self, path: str) -> int:
        """Series row of the time path at `path`; a single number is a constant path."""
        if path not in self.series:
            found = [at(book, path) for book in self.books]
            compiled = [self._timeline(path, term, s) for s, term in enumerate(found)]
            self.series[path] = [(kind, args) for kind, args, _ in compiled]
            self.knots[path] = [knots for _, _, knots in compiled]
        return list(self.series).index(path)

    def y_or_absent(self, path: str) -> int:
        return self.y(path) if isinstance(at(self.books[0], path), (Number, Series)) else -1

    def _inner(self, name: str, number: Number, scenario: int) -> int:
        """Row of a number inside a time path; scenarios that write the path in another way leave it unused."""
        self.numbers.setdefault(name, [constant(0.0) for _ in self.books])[scenario] = number
        return list(self.numbers).index(name)

    def _timeline(self, path: str, term: Number | Series, scenario: int) -> tuple[str, dict[str, int], list[tuple[float, int]]]:
        if isinstance(term, Number):
            return "constant", {"value": self._inner(path, term, scenario)}, []
        start = int(self.books[0].start)
        args: dict[str, int] = {}
        for key in ARGUMENTS.get(term.kind, ()):
            value = term.args.get(key)
            if value is None:
                args[key] = -1
            elif isinstance(value, Number):
                args[key] = self._inner(f"{path}.{term.kind}.{key}", value, scenario)
            else:
                args[key] = self.fixed(float(int(value) - start))  # a month, as months from the start
        if term.kind == "index":
            args["of"] = self.y(str(term.args["of"]))
        knots = [
            (float(int(Month(month)) - start), self._inner(f"{path}.{term.kind}.{month}", number, scenario))
            for month, number in term.knots
        ]
        return term.kind, args, knots

    def noisy(self) -> list[str]:
        """Time paths that draw every month, in row order."""
        return [path for path, kinds in self.series.items() if any(kind in NOISY for kind, _ in kinds)]

    def timelines(self, stream_of: Mapping[str, int]) -> Timelines:
        """The table of all series; `stream_of` gives the input number of each noisy one."""
        n, s = len(self.books), len(self.series)
        table = Timelines(
            kind=np.zeros((n, s), np.int64),
            arg=np.full((n, s, 6), -1, np.int64),
            knot_first=np.zeros((n, s), np.int64),
            knot_count=np.zeros((n, s), np.int64),
            knot_month=np.zeros(0),
            knot_x=np.zeros(0, np.int64),
            stream=np.array([stream_of.get(path, -1) for path in self.series], np.int64),
        )
        months: list[float] = []
        rows: list[int] = []
        for j, path in enumerate(self.series):
            for i, (kind, args) in enumerate(self.series[path]):
                table.kind[i, j] = KINDS.index(kind)
                names = ARGUMENTS.get(kind, ()) + (("of",) if kind == "index" else ())
                for a, name in enumerate(names):
                    table.arg[i, j, a] = args[name]
                table.knot_first[i, j] = len(months)
                table.knot_count[i, j] = len(self.knots[path][i])
                months += [month for month, _ in self.knots[path][i]]
                rows += [row for _, row in self.knots[path][i]]
        return table._replace(knot_month=np.array(months, float), knot_x=np.array(rows, np.int64))
