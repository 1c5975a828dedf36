"""Two sides of a comparison: their books, where these differ, and the plans between them (U-03, U-06).

Every book between the sides stands in one plan, as scenarios do: a row of X is drawn from the same input on both sides and on
every step between, so that all differences are paired path by path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import BaseModel

from ..book import text
from ..book.numbers import Number, Series
from ..book.terms import Book
from ..book.walk import items_of
from ..errors import BookError, Issue, QuestionError
from ..plan import SOBOL, Plan, compile_book
from ..plan.rows import at
from ..world.dependence import ImpossibleDependence

COMPUTED = ("companies", "chips", "sites", "contracts", "workloads")
PROSE = ("name", "title", "vendor", "source", "assumed", "quality", "note")
PROBABILITIES = "scenarios.*.probability"


@dataclass(frozen=True)
class Side:
    """A book as one side reads it; without `scenario` each path draws its own."""

    label: str
    book: Book
    scenario: tuple[str, ...] = ()
    sampler: str = SOBOL

    @cached_property
    def books(self) -> list[Book]:
        """The book of each scenario a path may draw, base first; one where a scenario is forced."""
        if self.scenario:
            patches = [name for name in self.scenario if name != "base"]
            return [text.scenario_book(self.book, patches) if patches else self.book]
        return [self.book, *(text.scenario_book(self.book, [name]) for name in self.book.scenarios)]

    @property
    def weights(self) -> tuple[float, ...]:
        """Probability of each of `books`."""
        if self.scenario:
            return (1.0,)
        stated = [s.probability.params[0] if s.probability else 0.0 for s in self.book.scenarios.values()]
        return (1.0 - sum(stated), *stated)


@dataclass(frozen=True)
class Change:
    """A number that differs: its path, and how each side writes it."""

    path: str
    a: str
    b: str


def require_one_horizon(a: Side, b: Side) -> None:
    """Raises BookError, at the second book's line, where first month or length differ: no month would face its like."""
    issues = []
    for key, mine, other in (("start", a.book.start, b.book.start), ("months", a.book.months, b.book.months)):
        if mine != other:
            file, line, column = text.place_of(b.book, [key])
            rule = f"two sides of a comparison have one horizon; '{a.label}' has {mine} (U-06)"
            issues.append(Issue(file, line, column, key, str(other), rule, f"write {key}: {mine} in a copy, and compare that"))
    if issues:
        raise BookError(tuple(issues))


def structure(a: Any, b: Any, path: str = "") -> Iterator[str]:
    """Paths at which two terms differ in more than numbers: a word, a length, a term that one of them lacks."""
    if isinstance(a, (Number, Series)) and isinstance(b, (Number, Series)):
        return
    mine, other = dict(items_of(a)), dict(items_of(b))
    if type(a) is not type(b) or (not mine and not other and a != b):
        yield path
        return
    for key in dict.fromkeys([*mine, *other]):
        below = f"{path}.{key}" if path else str(key)
        if (key not in mine or key not in other) and not isinstance(a, BaseModel):
            yield below
        elif key not in PROSE:
            yield from structure(mine.get(key), other.get(key), below)


def structures(a: Side, b: Side) -> list[str]:
    """Where the sides differ in more than numbers. Strengths of dependence count: they belong to the draws, not to a path."""
    found = [p for part in COMPUTED for p in structure(getattr(a.book, part), getattr(b.book, part), part)]
    for part in ("factors", "correlations"):
        if text_of(getattr(a.book, part)) != text_of(getattr(b.book, part)):
            found.append(part)
    if not a.scenario and not b.scenario and list(a.book.scenarios) != list(b.book.scenarios):
        found.append("scenarios")
    return found


def text_of(term: Any) -> Any:
    """A term without its prose and places, numbers by their law: equal where the draws are."""
    if isinstance(term, Number):
        return (term.kind, term.params, term.clip, tuple(text_of(part) for part in term.parts))
    if isinstance(term, Series):
        args = {key: text_of(value) for key, value in term.args.items()}
        return (term.kind, args, tuple((month, text_of(number)) for month, number in term.knots))
    below = items_of(term)
    return {key: text_of(value) for key, value in below if key not in PROSE} if below else str(term)


def written(term: Number | Series) -> str:
    """A number as the book has it; a path in time with what stands inside."""
    if isinstance(term, Number):
        return term.text
    inside = [f"{key} {v.text if isinstance(v, Number) else v}" for key, v in (*term.args.items(), *term.knots) if v is not None]
    return f"{term.kind}({', '.join(inside)})"


def numbers(book: Book) -> dict[str, Number | Series]:
    """Every number and path in time that a run may read, whole, by its path."""
    return {path: n for part in COMPUTED for path, n in text.fields_of(getattr(book, part), part)}


def replaced(term: Any, steps: Sequence[str], value: Any) -> Any:
    """A copy of a term with another value at the end of `steps`; the term itself stays."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(term, BaseModel):
        return term.model_copy(update={first: replaced(getattr(term, first), rest, value)})
    if isinstance(term, dict):
        return {**term, first: replaced(term[first], rest, value)}
    return type(term)(replaced(v, rest, value) if i == int(first) else v for i, v in enumerate(term))


class Between:
    """The ways from side a to side b: what differs, and a plan for any set of numbers taken from b and the rest from a.

    Where the sides differ in structure too, b itself has a plan of its own, and `structures` says where.
    """

    def __init__(self, a: Side, b: Side) -> None:
        require_one_horizon(a, b)
        self.a, self.b = a, b
        self.structures = structures(a, b)
        self._books_a, self._books_b, self._weights_a, self._weights_b = _aligned(a, b)
        read = _read(self._books_a[0])
        self.changes = [c for c in self._changed() if c.path in read]
        if self._weights_a != self._weights_b:
            self.changes.append(Change(PROBABILITIES, _shares(self._weights_a), _shares(self._weights_b)))

    def _changed(self) -> list[Change]:
        """Numbers that both sides have and that differ in a scenario that either may draw, in book order."""
        found: dict[str, Change] = {}
        for s, (one, other) in enumerate(zip(self._books_a, self._books_b)):
            if not self._weights_a[s] and not self._weights_b[s]:
                continue
            theirs = numbers(other)
            for path, n in numbers(one).items():
                if path in theirs and path not in found and text_of(n) != text_of(theirs[path]):
                    found[path] = Change(path, written(n), written(theirs[path]))
        order = list(numbers(self._books_a[0]))
        return sorted(found.values(), key=lambda c: order.index(c.path))

    def plans(self, sets: Sequence[Collection[str]]) -> list[Plan]:
        """A plan for each set of paths whose numbers are b's. Raises QuestionError where no such book can be drawn."""
        books = [self._mixed(paths) for paths in sets]
        flat = [book for row in books for book in row]
        try:
            whole = compile_book(flat[0], flat[1:], sampler=self.a.sampler)
        except ImpossibleDependence as error:
            raise QuestionError(f"the books between '{self.a.label}' and '{self.b.label}' cannot be drawn: {error}") from None
        n = len(self._books_a)
        weights = [self._weights_b if PROBABILITIES in paths else self._weights_a for paths in sets]
        return [part_of(whole, v * n, weights[v]) for v in range(len(sets))]

    def _mixed(self, paths: Collection[str]) -> list[Book]:
        """The book of each scenario, with b's numbers at `paths`."""
        found = []
        for book, other in zip(self._books_a, self._books_b):
            for path in paths:
                if path != PROBABILITIES:
                    book = replaced(book, path.split("."), at(other, path))
            found.append(book)
        return found


def _aligned(a: Side, b: Side) -> tuple[list[Book], list[Book], tuple[float, ...], tuple[float, ...]]:
    """Books and probabilities of both sides, scenario facing scenario; a forced one faces each that the other may draw."""
    mine, other = a.books, b.books
    if len(mine) == len(other):
        return mine, other, a.weights, b.weights
    if len(mine) == 1:
        return mine * len(other), other, b.weights, b.weights
    if len(other) == 1:
        return mine, other * len(mine), a.weights, a.weights
    return mine, other[:1] * len(mine), a.weights, a.weights  # different scenarios: a difference in structure


def _read(book: Book) -> set[str]:
    """Paths of the numbers that a run of this book reads."""
    plan = compile_book(book, [])
    return set(plan.factor_paths) | set(plan.series_paths)


def _shares(weights: Sequence[float]) -> str:
    return " / ".join(f"{100 * w:g} %" for w in weights)


def part_of(plan: Plan, first: int, weights: Sequence[float]) -> Plan:
    """The scenarios `first`, `first` + 1, .. of a plan as a plan of their own, drawn with these probabilities."""
    rows = slice(first, first + len(weights))
    d, t = plan.draws, plan.timelines
    kind, par, low, high = d.kind[rows], d.par[rows], d.low[rows], d.high[rows]
    own = (kind != kind[0]) | (low != low[0]) | (high != high[0]) | (par != par[0]).any(axis=2)
    draws = d._replace(kind=kind, par=par, low=low, high=high, own=own.astype(np.int64), cumulative=np.cumsum(weights))
    times = t._replace(kind=t.kind[rows], arg=t.arg[rows], knot_first=t.knot_first[rows], knot_count=t.knot_count[rows])
    return replace(plan, draws=draws, timelines=times, forced=-1)
