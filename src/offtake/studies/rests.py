"""What an answer rests on: the one or two inputs that move it most, and "if you believe X" where assumptions carry it (V-10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..book.numbers import Number
from ..book.terms import Book
from ..plan.rows import at
from ..units import format_value
from .findings import Findings, unit_of

MOSTLY = 0.5
LEAST = 0.05


@dataclass(frozen=True)
class Rests:
    inputs: list[dict[str, Any]] = field(default_factory=list)
    prefix: str = ""
    suffix: str = ""


def number_at(book: Book, name: str) -> Any:
    """The number behind an input's name, inside a time path too; None where the book has none (the scenario, a common factor)."""
    try:
        return at(book, name)
    except (KeyError, AttributeError, IndexError, ValueError):
        return _inside(book, name)


def quality_of(book: Book, name: str) -> str:
    """Quality of the number behind an input; the scenario draw and common factors are the book's own assumptions."""
    number = number_at(book, name)
    if isinstance(number, Number) and number.fact:
        return number.fact.quality
    if not isinstance(number, Number) or number.source is None:
        return "assumed"
    return number.quality or book.sources[number.source].quality


def _inside(book: Book, name: str) -> Any:
    """A number inside a time path: `companies.x.customer.users.growth.start`."""
    parts = name.split(".")
    for cut in (2, 1):
        try:
            series = at(book, ".".join(parts[:-cut]))
        except (KeyError, AttributeError, IndexError, ValueError):
            continue
        if hasattr(series, "args"):
            return series.args.get(parts[-1]) or dict(series.knots).get(parts[-1]) or series
    return None


def rests_on(f: Findings, key: tuple[str, int] | None) -> Rests:
    """The two inputs with the largest share of the answer's variance, and the V-10 reading."""
    if key is None:
        return Rests()
    movers = f.movers(*key)
    book, tally = f.outcome.plan.book, f.tallies[key[0]]
    top = [m for m in movers[:2] if m.share >= LEAST]
    inputs = [
        {
            "input": m.name,
            "rank_correlation": m.correlation,
            "share_of_variance": m.share,
            "quality": quality_of(book, m.name),
            "at_p10": m.low,
            "at_p90": m.high,
        }
        for m in top
    ]
    believed = sum(m.share for m in movers if quality_of(book, m.name) == "assumed")
    assumed = [m for m in top if quality_of(book, m.name) == "assumed"]
    if believed <= MOSTLY or not assumed:
        return Rests(inputs)
    x, unit = assumed[0], unit_of(tally)
    suffix = f" At {x.name}'s 10th and 90th percentile the mean is {format_value(x.low, unit)} and {format_value(x.high, unit)}."
    return Rests(inputs, f"if you believe {x.name}: ", suffix)
