"""What a run believes, before and after: headlines, scenarios and inputs as questions, tallied with or without weights (E-03).

An input is asked twice: its normal score, which says how far it moved, and its value in the book's own unit. A choice among words is
asked word by word. Monthly noise of time paths is reweighted or moved with the rest of its path and not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..book.numbers import Number
from ..errors import QuestionError
from ..montecarlo import Outcome, Tally
from ..plan import Plan
from ..questions import Question, at_period, question
from ..tables import plain
from .compare import headlines
from .inputs import number_at
from .observe import asked, named
from .single import once, one

SHOWN = {"p05": 0.05, "p50": 0.50, "p95": 0.95}
MOVED = 4.0  # errors of the change beyond which an input counts as moved: one false in four lists of 250


@dataclass(frozen=True)
class Beliefs:
    """Questions by what they are about; one row each."""

    headlines: dict[str, Question]
    scenarios: dict[str, Question]
    scores: dict[str, Question]
    values: dict[str, Question]
    words: dict[tuple[str, str], Question]

    @property
    def questions(self) -> list[Question]:
        """All of them in one order."""
        groups = (self.headlines, self.scenarios, self.scores, self.values, self.words)
        return [q for group in groups for q in group.values()]


def beliefs(plan: Plan, addresses: Sequence[str]) -> Beliefs:
    """Everything that is told before and after: the book's headlines, and the addresses, which come first."""
    told: dict[str, Question] = {}
    for text in addresses:
        q, row = asked(plan, text)
        told[named(plan, q, row)] = one(q, row)
    for c in _headlines(plan):
        q = question(plan, c.measure, c.of, c.by)
        told.setdefault(c.label, one(q, at_period(q, c.period)))
    names = ["base", *plan.book.scenarios]
    scenarios = {n: once(f"scenario {n}", "share", plan.months, _drawn(i)) for i, n in enumerate(names) if _possible(plan, i)}
    scores: dict[str, Question] = {}
    values: dict[str, Question] = {}
    words: dict[tuple[str, str], Question] = {}
    for i, name in enumerate(plan.inputs.names[1:], 1):
        scores[name] = once(f"score of {name}", "", plan.months, _score(i))
        number = number_at(plan.book, name)
        if name not in plan.factor_paths:
            continue
        f = plan.factor_paths.index(name)
        if isinstance(number, Number) and number.labels:
            words |= {(name, w): once(f"{name} is {w}", "share", plan.months, _is(f, k)) for k, w in enumerate(number.labels)}
        else:
            values[name] = once(name, number.unit if isinstance(number, Number) else "", plan.months, _factor(f))
    return Beliefs(told, scenarios, scores, values, words)


def _headlines(plan: Plan) -> list[Any]:
    try:
        return headlines(plan)
    except QuestionError:  # a book in which nothing bills has no headlines
        return []


def _possible(plan: Plan, scenario: int) -> bool:
    if plan.forced >= 0:
        return scenario == plan.forced
    below = plan.draws.cumulative[scenario - 1] if scenario else 0.0
    return bool(plan.draws.cumulative[scenario] > below)


def _drawn(i: int) -> Any:
    return lambda b: (b.scenario == i).astype(float)


def _score(i: int) -> Any:
    return lambda b: b.Z[i]


def _factor(f: int) -> Any:
    return lambda b: b.X[f]


def _is(f: int, word: int) -> Any:
    return lambda b: (b.X[f] == word).astype(float)


def told(tally: Tally) -> dict[str, Any]:
    """Mean, error and quantiles of a question of one row."""
    found = {"mean": plain(tally.mean[0]), "se": plain(tally.se[0])}
    return found | {name: plain(tally.quantiles[p][0]) for name, p in SHOWN.items()} | {"absent": float(1.0 - tally.share[0])}


def before_and_after(found: Beliefs, prior: Outcome, posterior: Outcome | None) -> dict[str, Any]:
    """Headlines, scenarios and inputs of two outcomes side by side, the furthest move first; a posterior that is refused is absent."""
    after = posterior.tallies if posterior else [None] * len(prior.tallies)
    rows = iter(zip(prior.tallies, after))
    return {
        "headlines": [_row("headline", name, q.measure.unit, next(rows)) for name, q in found.headlines.items()],
        "scenarios": [_row("scenario", name, "share", next(rows)) for name in found.scenarios],
        "inputs": _inputs(found, rows),
    }


Sides = tuple[Tally, Tally | None]


def _row(what: str, name: str, unit: str, sides: Sides) -> dict[str, Any]:
    prior, posterior = sides
    return {what: name, "unit": unit, "prior": told(prior), "posterior": told(posterior) if posterior else None}


def _inputs(found: Beliefs, rows: Iterator[Sides]) -> list[dict[str, Any]]:
    """Each input with how far its score moved (its prior has mean 0 and deviation 1), and its values."""
    scores = {name: next(rows) for name in found.scores}
    values = {name: next(rows) for name in found.values}
    words = {key: next(rows) for key in found.words}
    told_of = []
    for name, sides in scores.items():
        row = {"input": name} | _moved(*sides)
        if name in values:
            row |= _row("input", name, found.values[name].measure.unit, values[name])
        by_word = {w: pair for (of, w), pair in words.items() if of == name}
        if by_word:
            row["words"] = [_row("word", w, "share", pair) for w, pair in by_word.items()]
        told_of.append(row)
    return sorted(told_of, key=lambda r: (-abs(r["moved"] or 0.0), r["input"]))


def _moved(prior: Tally, posterior: Tally | None) -> dict[str, Any]:
    """How far the mean of a score moved, its error, how wide its interval is of the prior's, and whether the move is clear of error."""
    if posterior is None:
        return {"moved": None, "se": None, "width": None, "clear": False}
    moved = float(posterior.mean[0] - prior.mean[0])
    wide, narrow = (float(t.quantiles[0.95][0] - t.quantiles[0.05][0]) for t in (prior, posterior))
    error = float(np.hypot(prior.se[0], posterior.se[0]))
    return {"moved": plain(moved), "se": plain(error), "width": plain(narrow / wide), "clear": abs(moved) > MOVED * error}
