"""The value of a path in time in one month, with every number at its median: for checks, never for a run (N-03)."""

from __future__ import annotations

import math

from .numbers import Month, Number, Series
from .terms import Book
from .walk import fields_of

MOST_INDICES = 16  # an index of an index ..: a circle is another rule's finding


def value_in(book: Book, field: Number | Series | None, month: int, depth: int = 0) -> float:
    """The median path's value in an absolute month (year x 12 + month - 1); 0 where there is none."""
    if field is None or depth > MOST_INDICES:
        return 0.0
    if isinstance(field, Number):
        return field.median()
    since = max(month - int(book.start), 0)
    args = {name: value.median() for name, value in field.args.items() if isinstance(value, Number)}
    if field.kind in ("steps", "points"):
        return _between(field, month)
    if field.kind == "growth":
        return _grown(args, since)
    if field.kind == "s_curve":
        turn = (month - int(field.args["middle"])) / args["width"]
        return args["low"] + (args["high"] - args["low"]) / (1.0 + math.exp(min(max(-turn, -700.0), 700.0)))
    if field.kind == "mean_reversion":
        back = math.exp(-args["speed"] * since / 12.0)
        return math.exp(math.log(args["level"]) + (math.log(args["start"]) - math.log(args["level"])) * back)
    if field.kind == "jump":
        return args["value"]
    return _indexed(book, field, month, depth)


def _between(field: Series, month: int) -> float:
    """Steps hold, points are joined by straight lines; both are flat outside."""
    knots = [(int(Month(at)), number.median()) for at, number in field.knots]
    before = [knot for knot in knots if knot[0] <= month]
    after = [knot for knot in knots if knot[0] > month]
    if not before or not after or field.kind == "steps":
        return before[-1][1] if before else after[0][1]
    (first, low), (last, high) = before[-1], after[0]
    return low + (high - low) * (month - first) / (last - first)


def _grown(args: dict[str, float], months: int) -> float:
    value, yearly = args["start"], args["yearly"]
    long_run, half = args.get("long_run", yearly), args.get("half_life", 12.0)
    for m in range(months):
        rate = long_run + (yearly - long_run) * 0.5 ** (m / half)
        value *= max(1.0 + rate, 0.0) ** (1.0 / 12.0)
    return value


def _indexed(book: Book, field: Series, month: int, depth: int) -> float:
    of = dict(fields_of(book)).get(str(field.args["of"]))
    first = value_in(book, of, int(book.start), depth + 1)
    base = field.args["base"]
    return base.median() * value_in(book, of, month, depth + 1) / first if first and isinstance(base, Number) else 0.0
