"""Reverse stress (V-09): the most likely set of inputs that brings a stated outcome about, and the path that came nearest to it.

Method  In normal scores the inputs are a Gaussian; for an outcome beyond a plane, the mean of the scores given the outcome points from
        the middle to the plane's most likely point. The scenario under which the outcome holds most often comes first; the mean over
        its paths where the outcome holds gives the direction, without inputs whose mean stands within three of its standard errors of
        zero. How far to go is not read off the plane, for there is none: the inputs are set there, all others stay drawn, and the
        model runs again under that scenario, until the outcome holds on every second path. The path that came nearest is the
        outcome's own path there with the least distance from that point.
Source  the design point of Hasofer and Lind, J. Eng. Mech. Div. 100 (1974) 111; distances by the inputs' own correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from .. import montecarlo
from ..book.numbers import Number
from ..book.terms import Book
from ..book.text import scenario_book, with_numbers
from ..book.walk import numbers_of
from ..kernels.replicates import error_of_mean
from ..plan import compile_book
from .asked import Run
from .conditions import Condition, condition_of
from .inputs import number_at

FEWEST = 50  # paths of the outcome under which a mean of scores says little
MOST = 8  # inputs that are set
CLEAR = 3.0  # standard errors
CHECKED = 512  # paths of each run with the inputs set
HALVINGS = 7
REACH = 2.0  # times the conditional mean: as far as is tried


def reverse_stress(run: Run, text: str) -> dict[str, Any]:
    """{outcome, paths, chance, scenarios, inputs, holds_when_set, distance, nearest}; fewer where the outcome is too rare to say."""
    wanted = condition_of(run.plan, text, "an outcome")
    done = run.outcome([wanted.question])
    values = done.tallies[0].kept[wanted.row or 0]
    hit = wanted.holds(values)
    count = int(hit.sum())
    told: dict[str, Any] = {
        "outcome": text, "unit": wanted.question.measure.unit, "level": wanted.level, "paths": len(values), "hits": count,
        "chance": count / len(values), "se": float(error_of_mean(hit.astype(float))),
    }  # fmt: skip
    if count < FEWEST or count == len(values):
        edge = np.nanargmin(np.abs(values - wanted.level))
        why = "on every path" if count == len(values) else f"on {count} of {len(values):,} paths, {FEWEST} are needed"
        return told | {"refused": f"the outcome holds {why}; ask more paths or another level", "nearest": int(edge),
                       "nearest_value": float(values[edge])}  # fmt: skip
    book, drawn, told["scenarios"] = run.plan.book, np.ones(len(values), bool), []
    if run.stamp.scenario != "drawn":
        book = scenario_book(book, run.stamp.scenario.split("+"))
    elif book.scenarios:
        told["scenarios"] = scenarios(run, done.inputs[0], hit)
        name = max(told["scenarios"], key=lambda s: s["given"])["scenario"]
        told["under"] = name
        book = scenario_book(book, [name]) if name in book.scenarios else book
        drawn = scenario_of(run, done.inputs[0]) == run.plan.names.scenarios.index(name)
    return told | design(run, wanted, done, (book, hit & drawn))


def scenario_of(run: Run, scores: np.ndarray) -> np.ndarray:
    """Number of the scenario that each path drew, from its score of input 0 (U-03)."""
    normal = NormalDist()
    edges = [normal.inv_cdf(min(max(p, 1e-12), 1.0 - 1e-12)) for p in run.plan.draws.cumulative[:-1]]
    return np.searchsorted(edges, scores, side="right")


def scenarios(run: Run, scores: np.ndarray, hit: np.ndarray) -> list[dict[str, Any]]:
    """Chance of each scenario, and given the outcome; those that no path drew are left out."""
    drawn, names = scenario_of(run, scores), run.plan.names.scenarios
    return [{"scenario": n, "chance": float((drawn == i).mean()), "given": float((drawn[hit] == i).mean())}
            for i, n in enumerate(names) if (drawn == i).any()]  # fmt: skip


def design(run: Run, wanted: Condition, done: montecarlo.Outcome, where: tuple[Book, np.ndarray]) -> dict[str, Any]:
    """The inputs at the most likely point, how often the outcome holds there, and the path nearest to it; `where` is the book of
    the scenario and the paths on which it was drawn and the outcome holds."""
    book, hit = where
    numbers = {path: n for path, n in numbers_of(book) if isinstance(n, Number) and n.kind != "constant"}
    means = done.inputs[:, hit].mean(axis=1)
    error = 1.0 / np.sqrt(hit.sum())
    able = [i for i in np.argsort(-np.abs(means)) if run.plan.inputs.names[i] in numbers and abs(means[i]) > CLEAR * error][:MOST]
    if not able:
        alone, near = chance_in(book, run, wanted), int(np.flatnonzero(hit)[0])
        told = {"inputs": [], "nearest": near, "nearest_value": float(done.tallies[0].kept[wanted.row or 0, near])}
        why = "no single input moves it clearly: it comes from chance events or many small things"
        return told | ({"distance": 0.0, "holds_when_set": alone, "checked_paths": CHECKED} if alone >= 0.5 else {"refused": why})
    names = [run.plan.inputs.names[i] for i in able]
    step, held = _distance_to_go(run, wanted, book, [(n, numbers[n], float(z)) for n, z in zip(names, means[able])])
    point = step * means[able]
    covariance = np.atleast_2d(np.cov(done.inputs[able]))
    off = done.inputs[able][:, hit] - point[:, None]
    near = int(np.flatnonzero(hit)[np.argmin((off * np.linalg.solve(covariance, off)).sum(axis=0))])
    return {
        "inputs": [_input(n, numbers[n], z, done.inputs[i, near]) for n, z, i in zip(names, point, able)],
        "distance": float(np.sqrt(point @ np.linalg.solve(covariance, point))),
        "holds_when_set": held, "checked_paths": CHECKED, "nearest": near,
        "nearest_value": float(done.tallies[0].kept[wanted.row or 0, near]),
    }  # fmt: skip


def _input(name: str, number: Number, score: float, there: float) -> dict[str, Any]:
    """One input: its value and quantile at the point, its median, and its score on the nearest path."""
    normal = NormalDist()
    return {
        "input": name, "unit": number.unit, "median": said(number, 0.0), "value": said(number, score),
        "quantile": normal.cdf(score), "on_nearest": said(number, there), "assumed": number.assumed,
        "source": number.fact.address if number.fact else number.source,
    }  # fmt: skip


def said(number: Number, score: float) -> float | str:
    """`value_at`; of a choice among words the word."""
    value = value_at(number, score)
    return number.labels[int(value)] if number.labels else value


def value_at(number: Number, score: float) -> float:
    """The number at a normal score, clipped as the book says."""
    found = number.quantile(min(max(NormalDist().cdf(float(score)), 1e-6), 1.0 - 1e-6))
    return min(max(found, number.clip[0]), number.clip[1]) if number.clip else found


def _distance_to_go(run: Run, wanted: Condition, book: Book, means: Sequence[tuple[str, Number, float]]) -> tuple[float, float]:
    """How many times the conditional mean, so that the outcome holds on every second path; and how often it then does."""

    def share(times: float) -> float:
        values = {name: (value_at(number, times * z), number.unit) for name, number, z in means}
        return chance_in(set_numbers(book, values), run, wanted)

    if (found := share(0.0)) >= 0.5:
        return 0.0, found
    low, high = 0.0, REACH
    most = share(high)
    if most < 0.5:
        return high, most
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        found = share(middle)
        low, high, most = (low, middle, found) if found >= 0.5 else (middle, high, most)
    return high, most


def set_numbers(book: Book, values: dict[str, tuple[float, str]]) -> Book:
    """The book with constants, in base units, where numbers were."""
    return with_numbers(book, [(path, written(number_at(book, path), value, unit)) for path, (value, unit) in values.items()])


def written(number: Any, value: float, unit: str) -> str:
    """A constant as a book writes it; of a choice among words the word."""
    if isinstance(number, Number) and number.labels:
        return number.labels[int(value)]
    return repr(value) if unit in ("share", "multiple") else f"{value!r} {unit}"


def chance_in(book: Book, run: Run, wanted: Condition) -> float:
    """Share of paths on which the outcome holds in another book of the same shape, without its scenarios."""
    alone = book.model_copy(update={"scenarios": {}})
    plan = compile_book(alone, [], sampler=run.plan.sampler)
    tally = montecarlo.run(plan, [wanted.question], CHECKED, run.stamp.seed, run.workers).tallies[0]
    return float(wanted.holds(tally.kept[wanted.row or 0]).mean())
