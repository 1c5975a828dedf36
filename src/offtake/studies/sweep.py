"""A sweep: one book at many values of a few numbers, every path drawn once for all of them (U-03).

All books of a sweep stand in one plan, as scenarios do, so that a number is drawn from the same input everywhere and the difference of
two points is paired path by path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from .. import montecarlo
from ..errors import QuestionError
from ..plan import Plan, compile_book
from ..questions import Question, address, at_period, by_of, question
from ..tables import plain
from ..units import UnitError, read_quantity
from ..world.dependence import ImpossibleDependence
from .compare import Asked, paired_error
from .found import subject
from .sides import Side, part_of
from .tabulate import SHOWN

MOST = 64  # points
HOW = "write --over PATH=FROM..TO:COUNT, as in contracts.aws.take_or_pay=0.5..1.0:6, or PATH=VALUE,VALUE,.."


@dataclass(frozen=True)
class Over:
    """A number of the book and the values it takes, as text."""

    path: str
    values: tuple[str, ...]


def over_of(written: str) -> Over:
    """Read `PATH=FROM..TO:COUNT` or `PATH=VALUE,VALUE`. Raises QuestionError with how it reads."""
    path, equals, rest = written.partition("=")
    if not equals or not path.strip() or not rest.strip():
        raise QuestionError(f"'{written}' is no sweep; {HOW}")
    steps = re.fullmatch(r"\s*(.+?)\s*\.\.\s*(.+?)\s*:\s*(\d+)\s*", rest)
    values = _evenly(steps[1], steps[2], int(steps[3]), written) if steps else tuple(v.strip() for v in rest.split(","))
    if not all(values) or len(set(values)) < len(values):
        raise QuestionError(f"'{written}' names a value twice or none; {HOW}")
    return Over(path.strip(), values)


def _evenly(first: str, last: str, count: int, written: str) -> tuple[str, ...]:
    """Values from the first to the last, both in, in the unit of the last."""
    try:
        high, low = read_quantity(last), read_quantity(first)
    except UnitError:
        raise QuestionError(f"'{written}' has no number on both sides of ..; {HOW}") from None
    end = f" {f'{high.magnitude} {high.unit}'.strip()}".rstrip()
    if f" {f'{low.magnitude} {low.unit}'.strip()}".rstrip() not in ("", end):
        raise QuestionError(f"'{written}' begins and ends in different units; write the unit once, after the last number")
    if count < 2 or count > MOST:
        raise QuestionError(f"'{written}' asks {count} values; a sweep takes 2 to {MOST}")
    return tuple(f"{_plain(low.value + (high.value - low.value) * k / (count - 1))}{end}" for k in range(count))


def _plain(number: float) -> str:
    """A number as a person writes it: 0.7, not 0.7000000000000001; it is what the point computes with."""
    return f"{number:.6g}"


def points_of(over: Sequence[Over]) -> list[tuple[str, ...]]:
    """Every combination, the last number running fastest. Raises QuestionError for too many."""
    if len({o.path for o in over}) < len(over):
        raise QuestionError("a number is swept twice; name each path once")
    found = list(product(*(o.values for o in over)))
    if len(found) > MOST:
        raise QuestionError(f"{' x '.join(str(len(o.values)) for o in over)} are {len(found):,} points; a sweep takes at most {MOST}")
    return found


def plans_of(sides: Sequence[Side]) -> list[Plan]:
    """A plan of each book, all with the same draws. Raises QuestionError where they cannot be drawn together."""
    flat = [book for side in sides for book in side.books]
    try:
        whole = compile_book(flat[0], flat[1:], sampler=sides[0].sampler)
    except ImpossibleDependence as error:
        raise QuestionError(f"the books of the sweep cannot be drawn: {error}") from None
    n = len(sides[0].books)
    return [part_of(whole, k * n, side.weights) for k, side in enumerate(sides)]


def figures_of(plan: Plan, measures: Sequence[str]) -> list[tuple[str, Question]]:
    """What is read at every point: an address and its one-row question. Raises QuestionError where one is not a number a period."""
    named = list(measures) or [f"{m} of {subject(plan).deal} @ total" for m in ("npv", "revenue", "idle_value")]
    found = []
    for written in named:
        asked = address(written)
        q = question(plan, asked.measure, asked.of, by_of(asked.period) if asked.period else None)
        if asked.statistic or q.measure.kind in ("causes", "surface", "postings") or (q.width > 1 and not asked.period):
            raise QuestionError(f"'{written}' is not one number a path; write MEASURE of ENTITY @ PERIOD, as in 'npv of contracts.aws'")
        row = at_period(q, asked.period) if asked.period and q.measure.kind != "once" else 0
        found.append((written.strip(), replace(q, periods=(q.periods[row],))))
    return found


def sweep(
    over: Sequence[Over], books: Callable[[tuple[str, ...]], Side], measures: Sequence[str], asked: Asked
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows, one a point and figure, and the figures {measure, unit}; `books` makes the side of a point."""
    points = points_of(over)
    plans = plans_of([books(point) for point in points])
    figures = figures_of(plans[0], measures)
    rows, first = [], None
    for k, (point, plan) in enumerate(zip(points, plans)):
        if asked.reporter:
            asked.reporter.stage(f"point {k + 1} of {len(points)}")
        questions = [q for _, q in figures]
        tallies = montecarlo.run(plan, questions, asked.paths, asked.seed, asked.workers, asked.reporter).tallies
        first = first or tallies
        where = dict(zip((o.path for o in over), point))
        for (name, q), tally, base in zip(figures, tallies, first):
            change, error = tally.mean[0] - base.mean[0], paired_error(tally.kept[0] - base.kept[0], asked.paths)
            about = where | {"measure": name, "unit": q.measure.unit}
            rows.append(about | _statistics(tally) | {"change": plain(change), "se_change": plain(error)})
    return rows, [{"measure": name, "unit": q.measure.unit} for name, q in figures]


def _statistics(tally: montecarlo.Tally) -> dict[str, Any]:
    found = {"mean": plain(tally.mean[0]), "se": plain(tally.se[0])}
    return found | {name: plain(tally.quantiles[p][0]) for p, name in SHOWN.items()} | {
        f"se_{name}": plain(tally.errors[p][0]) for p, name in SHOWN.items()
    }  # fmt: skip
