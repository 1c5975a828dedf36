"""An uncertain input in words: what it is, what the book believes of it, and the words that it chooses among.

Its address stays beside the words, so that a reader finds the row; what it means is said once, in the data dictionary.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..book.dictionary import dictionary
from ..book.numbers import Number
from ..book.terms import Book
from ..plan.rows import at

SCENARIO = "scenario"
PARTS = {
    "start": "level at the start", "yearly": "yearly growth", "long_run": "growth in the long run",
    "half_life": "time in which growth fades", "level": "long-run level",
}  # fmt: skip


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


def meaning(name: str) -> str:
    """What the data dictionary says of an input; the part of a time path beside it. Empty where the dictionary knows no such field."""
    if name == SCENARIO:
        return "which scenario comes true"
    if name.startswith("factors."):
        return "a common cause that several inputs move with"
    if name.endswith(".luck"):
        return "whether its stated chance comes true"
    parts = name.split(".")
    for cut in range(len(parts), 1, -1):
        told = _told().get(_pattern(tuple(parts[:cut])) or "")
        if told:
            rest = [p for p in parts[cut:] if p not in ("points", "growth", "mean_reversion", "jump")]
            return ", ".join([told, *(PARTS.get(p, p.replace("_", " ")) for p in rest)])
    return ""


@lru_cache(maxsize=1)
def _told() -> dict[str, str]:
    return {row["field"]: row["description"] for row in dictionary()}


def _pattern(parts: tuple[str, ...]) -> str | None:
    """The dictionary's field that a path is of: names are `*`, places in a list `[]`."""
    for field in _told():
        kinds = field.split(".")
        if len(kinds) == len(parts) and all(k == p or k == "*" or (k == "[]" and p.isdigit()) for k, p in zip(kinds, parts)):
            return field
    return None


def in_words(name: str) -> str:
    """`sites.plains.lots.2.gpus (GPUs of the delivery)`."""
    told = meaning(name)
    return f"{name} ({told})" if told else name


def choices(book: Book, name: str) -> list[tuple[str, float]]:
    """The words an input chooses among with their chances, in the order of its draw; empty where it is a number."""
    if name == SCENARIO:
        chances = {n: s.probability.median() if s.probability else 0.0 for n, s in book.scenarios.items()}
        return [("base", 1.0 - sum(chances.values())), *((n, c) for n, c in chances.items() if c > 0.0)]
    number = number_at(book, name)
    if not isinstance(number, Number) or not number.labels or number.kind != "discrete":
        return []
    half = len(number.params) // 2
    return [
        (number.labels[int(value)], chance) for value, chance in sorted(zip(number.params[:half], number.params[half:])) if chance > 0.0
    ]


def belief(book: Book, name: str) -> str:
    """What the book believes of an input, for "if you believe ..": the chances of its words, or the number as it is written."""
    words = choices(book, name)
    if name == SCENARIO:
        return f"the chances of the scenarios ({chances_of(words)})"
    if words:
        return f"the chances of {name}, {meaning(name)} ({chances_of(words)})"
    number = number_at(book, name)
    text = f"{number.text} for " if isinstance(number, Number) else ""
    return f"{text}{in_words(name)}"


def chances_of(words: list[tuple[str, float]]) -> str:
    """`base 40 %, shortage 60 %`."""
    return ", ".join(f"{word} {100 * chance:.3g} %" for word, chance in words)
