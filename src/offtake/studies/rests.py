"""What an answer rests on: the one or two inputs that move it most, and "if you believe X" where assumptions carry it (V-10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from ..units import format_value
from .found import Findings, unit_of
from .inputs import belief, choices, meaning, quality_of
from .sensitivity import Mover

MOSTLY = 0.5
LEAST = 0.05


@dataclass(frozen=True)
class Rests:
    inputs: list[dict[str, Any]] = field(default_factory=list)
    prefix: str = ""
    suffix: str = ""


def rests_on(f: Findings, key: tuple[str, int] | None, what: str | None = "the mean") -> Rests:
    """The two inputs with the largest share of the answer's variance, and the V-10 reading; `what` is the number that they move, None
    where the answer tells the ends itself."""
    if key is None:
        return Rests()
    movers = f.movers(*key)
    book = f.outcome.plan.book
    top = [m for m in movers[:2] if m.share >= LEAST]
    inputs = [
        {
            "input": m.name,
            "means": meaning(m.name),
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
    return Rests(inputs, f"if you believe {belief(book, assumed[0].name)}: ", ends(f, key, assumed[0], what) if what else "")


def ends(f: Findings, key: tuple[str, int], x: Mover, what: str) -> str:
    """The number's mean where the input is low and where it is high; of a choice among words, by word (V-10)."""
    unit = unit_of(f.tallies[key[0]])
    by_word = means_by_word(f, key, x.name)
    if by_word:
        parts = ", ".join(f"{word} {format_value(mean, unit)}" for word, mean in by_word.items())
        return f" By {x.name.rpartition('.')[2]}, {what} is: {parts}."
    low, high = format_value(x.low, unit), format_value(x.high, unit)
    return f" With {x.name} at its 10th percentile {what} is {low}, at its 90th {high}."


def means_by_word(f: Findings, key: tuple[str, int], name: str) -> dict[str, float]:
    """Mean of a kept number over the paths that drew each word of an input; empty where the input is a number."""
    words = choices(f.outcome.plan.book, name)
    if not words:
        return {}
    scores = f.outcome.alike(f.outcome.inputs)[f.outcome.plan.inputs.names.index(name)]
    values = f.outcome.alike(f.tallies[key[0]].kept[key[1] : key[1] + 1])[0]
    reached = np.cumsum([chance for _, chance in words])[:-1]
    drawn = np.searchsorted([NormalDist().inv_cdf(float(c)) for c in reached], scores, side="right")
    return {word: float(values[drawn == i].mean()) for i, (word, _) in enumerate(words) if (drawn == i).any()}
