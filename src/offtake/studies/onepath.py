"""A number on one path: its months term by term, and the inputs as that path drew them (U-05)."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from .. import stages
from ..block import Block
from ..errors import QuestionError
from ..montecarlo import LANES
from ..periods import Period, periods_of
from ..questions import Question
from ..tables import plain
from .asked import Run
from .formulas import Formula, Term, formula_of
from .inputs import number_at

REFUSED = ("causes", "surface", "postings")


def open_path(run: Run, q: Question, row: int, path: int) -> dict[str, Any]:
    """{path, scenario, number, way, opening, parts, months}: parts make the number as `way` says; months are the period's.

    Raises QuestionError for a path there is none of, or a measure that is no single number a period.
    """
    if not 0 <= path < run.stamp.paths:
        raise QuestionError(f"path {path} is not one of this run's {run.stamp.paths:,} paths, 0 to {run.stamp.paths - 1}")
    if q.measure.kind in REFUSED:
        raise QuestionError(f"'{q.measure.name}' is not one number a period; `offtake measure BOOK {q.measure.name}` shows it")
    b, lane = fill(run, path)
    entity, period = q.entity.index, q.periods[row]
    formula = formula_of(q.measure, q.entity.axis, b, entity) or whole(q)
    months = np.array([t.sign * t.read(b, entity, lane) for t in formula.terms])
    number = float(q.read(b)[row, lane])
    return {
        "path": path,
        "scenario": run.plan.names.scenarios[b.scenario[lane]] if b.scenario[lane] < len(run.plan.names.scenarios) else run.stamp.scenario,
        "number": plain(number),
        "way": formula.way,
        "parts": parts(formula, months, period, held(q, formula, b, lane, period)),
        "months": by_month(run, formula.terms, months, period),
    }


def fill(run: Run, path: int) -> tuple[Block, int]:
    """The block that holds a path, and its lane there: the same bits as in any run."""
    b = stages.allocate(run.plan)
    stages.fill(b, run.stamp.seed, path - path % LANES, np.zeros(len(run.plan.factor_paths), np.int64))
    return b, path % LANES


def whole(q: Question) -> Formula:
    """A number as its own only term."""
    read, kind = q.measure.reads[q.entity.axis], q.measure.kind
    names = {"ratio": ("over", "under"), "change": ("over", "under", "less", "below")}.get(kind, ("sum",))
    way = {"ratio": "ratio", "change": "change", "stock": "level", "once": "level"}.get(kind, "flow")
    return Formula(way, tuple(Term(q.measure.name if len(names) == 1 else name, 1, _part(read, n), name) for n, name in enumerate(names)))


def _part(read: Any, n: int) -> Any:
    """One path's months of part `n`; a number of the whole horizon stands in every month."""
    return lambda b, e, i: np.broadcast_to(read(b, e)[n][..., i], (b.plan.months,))


def held(q: Question, formula: Formula, b: Block, lane: int, period: Period) -> float:
    """What a stock held before the period."""
    if period.first == 0:
        return formula.opening(b, q.entity.index, lane)
    return float(q.measure.reads[q.entity.axis](b, q.entity.index)[0][period.first - 1, lane])


def parts(formula: Formula, months: np.ndarray, period: Period, opening: float) -> list[dict[str, Any]]:
    """Signed parts of the number: the months' sums; a rolling stock begins with `opening`."""
    inside = slice(period.first, period.last + 1)
    values = months[:, period.last] if formula.way == "level" else months[:, inside].sum(axis=1)
    found = [{"term": t.name, "side": t.side, "value": plain(float(v))} for t, v in zip(formula.terms, values)]
    if formula.way == "roll":
        found = [{"term": "opening", "side": "sum", "value": plain(opening)}, *found]
    return found


def by_month(run: Run, terms: tuple[Term, ...], months: np.ndarray, period: Period) -> list[dict[str, Any]]:
    labels = periods_of(run.plan.start, run.plan.months, "month", 12)
    return [
        {"month": labels[m].label} | {t.name: plain(float(v)) for t, v in zip(terms, months[:, m])}
        for m in range(period.first, period.last + 1)
    ]


def drawn(run: Run, b: Block, lane: int, names: list[str]) -> list[dict[str, Any]]:
    """What the path drew for these inputs: the value in base units, its word if it is a choice, and its score's percentile."""
    found = []
    for name in names:
        row = run.plan.factor_paths.index(name) if name in run.plan.factor_paths else None
        score = float(b.Z[run.plan.inputs.names.index(name), lane]) if name in run.plan.inputs.names[1:] else None
        found.append(
            {
                "drawn": plain(float(b.X[row, lane])) if row is not None else None,
                "drawn_word": word(run, name, float(b.X[row, lane])) if row is not None else None,
                "drawn_percentile": plain(NormalDist().cdf(score)) if score is not None else None,
            }
        )
    return found


def word(run: Run, name: str, value: float) -> str | None:
    """The label that a choice among words drew; None for a number."""
    labels = getattr(number_at(run.plan.book, name), "labels", ())
    return labels[int(value)] if labels else None
