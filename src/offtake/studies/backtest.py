"""Back-test (E-05): reported totals forecast with what was known on past dates, scored against what was published later.

A company of the book names its series under `history`. On each date the fixed rule of `studies/history` makes a book from the
quarters known by then, which runs through the same kernels as any other (A-09); the book's own numbers are not used, for they know
more than the date did. Beside each forecast stands a naive one: a random walk of the logarithm with the drift and spread of the
last eight quarters; and two points without a spread, the last value and that drift. A series with fewer than six distinct target
quarters says `not back-tested`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

from ..book.terms import Book
from ..book.text import read
from ..errors import QuestionError
from ..evidence.scores import crps, log_score, pit, wilson
from ..fact_rows import catalog
from ..facts import Fact, Facts
from ..montecarlo import CHUNK, Futures
from ..plan import compile_book
from ..questions import question
from ..recount import read as values_of
from .history import LEAST, WINDOW, book_text, extrapolated, unbroken

AHEAD = 4
PATHS = 4_096
FEWEST = 6  # distinct target quarters under which a score says nothing
MEASURES = {"revenue": ("flow", "revenue"), "capex": ("flow", "revenue"), "rpo": ("stock", "reported_rpo")}
QUARTER_ENDS = ("12-31", "03-31", "06-30", "09-30")


@dataclass(frozen=True)
class Forecast:
    """One target quarter as seen on one date: equally likely values of model and naive walk (USD), and what came."""

    series: str
    as_of: date
    ahead: int
    target: Fact
    model: np.ndarray
    naive: np.ndarray
    points: dict[str, float]  # last value and drift

    def inside(self, level: float = 0.90) -> bool:
        """Whether what came lies in the model's central interval."""
        low, high = np.quantile(self.model, [0.5 - level / 2.0, 0.5 + level / 2.0])
        return bool(low <= self.target.value <= high)


@dataclass(frozen=True)
class Scores:
    """What one series' forecasts came to; `quarters` are distinct targets."""

    company: str
    measure: str
    series: str
    skipped: int
    forecasts: list[Forecast]

    @property
    def quarters(self) -> int:
        return len({f.target.period_end for f in self.forecasts})

    def row(self) -> dict[str, Any]:
        """One row of the table; the scores are absent, and `verdict` says why, below six distinct quarters."""
        found: dict[str, Any] = {
            "company": self.company, "measure": self.measure, "series": self.series, "forecasts": len(self.forecasts),
            "quarters": self.quarters, "skipped": self.skipped, "crps": None, "naive_crps": None, "skill": None,
            "skill_last": None, "skill_drift": None, "log_score": None, "pit": None,
            "covered": None, "covered_low": None, "covered_high": None, "verdict": "not back-tested",
        }  # fmt: skip
        if self.quarters < FEWEST:
            return found
        model, naive = (float(np.mean([crps(x, f.target.value) for f, x in pairs])) for pairs in (
            [(f, f.model) for f in self.forecasts], [(f, f.naive) for f in self.forecasts]))  # fmt: skip
        share = sum(f.inside() for f in self.forecasts) / len(self.forecasts)
        low, high = wilson(share * self.quarters, self.quarters)
        points = {name: float(np.mean([abs(f.points[name] - f.target.value) for f in self.forecasts])) for name in ("last value", "drift")}
        logs = [log_score(f.model, f.target.value) for f in self.forecasts]
        return found | {
            "skill_last": 1.0 - model / points["last value"], "skill_drift": 1.0 - model / points["drift"],
            "log_score": None if None in logs else float(np.mean([v for v in logs if v is not None])),
            "pit": float(np.mean([pit(f.model, f.target.value) for f in self.forecasts])),
            "crps": model, "naive_crps": naive, "skill": 1.0 - model / naive, "covered": share,
            "covered_low": low, "covered_high": high, "verdict": "better than naive" if model < naive else "no better than naive",
        }  # fmt: skip


def quarter_ends(first: date, last: date) -> list[date]:
    """Ends of calendar quarters from `first` to `last`."""
    found = [date.fromisoformat(f"{year}-{end}") for year in range(first.year, last.year + 1) for end in sorted(QUARTER_ENDS)]
    return [d for d in found if first <= d <= last]


def past_quarters(book: Book) -> list[date]:
    """Ends of the seven calendar quarters up to one before the book's as_of: each leaves quarters to score."""
    day = book.as_of.date()
    return quarter_ends(date(day.year - 3, 1, 1), day)[:-1][-7:]


def back_test(book: Book, dates: Sequence[date], paths: int, seed: int, facts: Facts | None = None) -> list[Scores]:
    """Scores of every series that the book's companies name, from the facts on record (the catalog's unless told).

    raises    QuestionError where there is none, or a date is in the future
    """
    if not any(company.history for company in book.companies.values()):
        raise QuestionError("no company of this book names its series; add `history: {revenue: KEY}`, a key of `offtake facts list`")
    late = next((d for d in dates if d >= book.as_of.date()), None)
    if late:
        raise QuestionError(f"{late} is not before the book's as_of, {book.as_of.date()}: nothing that came after it is known")
    found = []
    for name, company in book.companies.items():
        for measure, series in company.history.items():
            forecasts, skipped = _forecasts(facts or catalog(), measure, series, [*dates, book.as_of.date()], (paths, seed))
            found.append(Scores(name, measure, series, skipped, forecasts))
    return found


def _forecasts(
    facts: Facts, measure: str, series: str, dates: Sequence[date], size: tuple[int, int]
) -> tuple[list[Forecast], int]:
    """Forecasts on all dates but the last, by which the targets were published; and how many dates had too few quarters. `size` is the
    number of paths and the seed."""
    came = {fact.quarter: fact for fact in facts.quarters(series, dates[-1], first=True)}
    found: list[Forecast] = []
    skipped = 0
    for as_of in dates[:-1]:
        history = unbroken(facts.quarters(series, as_of))
        if len(history) < LEAST:
            skipped += 1
            continue
        model = model_samples(measure, history, as_of, *size)
        naive = naive_samples(history, size[0])
        targets = [(h, came.get(history[-1].quarter + h + 1)) for h in range(AHEAD)]
        values = [fact.value for fact in history]
        found += [Forecast(series, as_of, h + 1, t, model[h], naive[h], extrapolated(values, [h + 1])) for h, t in targets if t is not None]
    return found, skipped


def model_samples(measure: str, history: Sequence[Fact], as_of: date, paths: int, seed: int) -> np.ndarray:
    """(AHEAD, paths) USD: the next quarters after the last one known, through the kernels."""
    kind, name = MEASURES[measure]
    book = read(json.dumps(book_text(kind, history, AHEAD, as_of)), "history")
    plan = compile_book(book, [])
    months = values_of(plan, [question(plan, name, "companies.c", "month")], Futures(paths, seed), 1, lanes=CHUNK)
    by_quarter = months.reshape(AHEAD, 3, -1)
    return by_quarter.sum(axis=1) if kind == "flow" else by_quarter[:, 2]


def naive_samples(history: Sequence[Fact], paths: int) -> np.ndarray:
    """(AHEAD, paths) USD: quantiles, evenly spaced in probability, of a random walk of the logarithm."""
    logs = np.log([fact.value for fact in history])
    steps = np.diff(logs)[-WINDOW:]
    ahead = np.arange(1, AHEAD + 1)[:, None]
    found: np.ndarray = np.exp(logs[-1] + ahead * steps.mean() + np.sqrt(ahead) * steps.std(ddof=1) * even_scores(paths))
    return found


@cache
def even_scores(count: int) -> np.ndarray:
    """(count,) normal scores, evenly spaced in probability."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / count) for i in range(count)])
