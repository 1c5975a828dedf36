"""`offtake sensitivity`: what each input holds of a number, over all paths or on those where a condition holds (U-04)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import QuestionError
from ..kernels.replicates import REPLICATES
from ..questions import address, at_period, by_of, question
from ..tables import plain
from .asked import Run
from .conditions import Condition, condition_of
from .indices import Estimate, Indices
from .inputs import quality_of
from .totals import PATHS, totals

if TYPE_CHECKING:
    from ..montecarlo import Outcome
    from ..questions import Question

FEWEST = 64  # paths on which anything is said
PER_INPUT = 8  # paths an input in the plane; with fewer paths the inputs of the strongest rank correlations alone are asked
METHOD = (
    "slope: least squares on normal scores, per standard deviation of the input; share: of variance, by that plane; rank: Spearman; "
    "first order: variance of the mean given the input; total: lost when the input is drawn anew given all others. ± is one standard "
    "error from sixteen replicates; an interval of 95 % takes 2.13 of them."
)


def sensitivity(
    run: Run, name: str, of: str | None = None, at: str | None = None, given: str | None = None, anew: int = 8
) -> dict[str, Any]:
    """{stamp, measure, of, period, unit, given, paths, explained, method, rows}; rows have the largest share of variance first.

    given   a condition on the path; without a period it holds where any month holds it
    anew    how many of the strongest inputs get a total index; none with a condition, which a new draw would not keep
    raises  QuestionError for a number that is not one a path, a condition that does not read, or too few paths where it holds
    """
    found = address(name)
    period = at or found.period
    q = question(run.plan, found.measure, found.of or of, by_of(period) if period else None)
    row = at_period(q, period) if period else len(q.periods) - 1
    if found.statistic or q.measure.kind in ("causes", "surface", "postings"):
        raise QuestionError(f"'{name}' is not one number a path; ask of a measure such as 'revenue', with --of and --at")
    condition = condition_of(run.plan, given, "a condition", any_period=True) if given else None
    done = run.outcome([q, *([condition.question] if condition else [])])
    there, y = paths_of(done, row, condition, name)
    replicate = np.flatnonzero(there) % REPLICATES
    names, scores = strongest(run.plan.inputs.names, done.inputs[:, there], y[there])
    rows, explained = table(names, scores, y[there], replicate)
    if anew and condition is None and there.all():
        add_totals(run, q, row, rows[:anew], y)
    for r in rows:
        r["quality"] = quality_of(run.plan.book, r["input"])
    return {
        "stamp": run.stamp.to_dict(), "measure": q.measure.name, "of": q.entity.label, "period": q.periods[row].label,
        "unit": q.measure.unit, "given": given, "paths": int(there.sum()), "of_paths": len(there), "inputs": len(names),
        "explained": explained, "method": METHOD, "rows": rows,
    }  # fmt: skip


def paths_of(done: Outcome, row: int, condition: Condition | None, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Which of the kept paths count, and the target on all of them. Raises QuestionError where too few do, or the target is constant."""
    y = done.tallies[0].kept[row]
    there = ~np.isnan(y)
    if condition is not None:
        there &= condition.on(done.tallies[1].kept)
    where = f"'{condition.text}' holds and the number has a value" if condition else "the number has a value"
    if there.sum() < FEWEST:
        raise QuestionError(f"{where} on {there.sum()} of {len(y):,} paths, {FEWEST} are needed: ask more paths or another condition")
    if np.ptp(y[there]) == 0.0:
        raise QuestionError(f"'{name}' is the same number on every path where {where}: no input moves it")
    return there, y


def strongest(names: tuple[str, ...], scores: np.ndarray, y: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Inputs that vary on these paths; with few paths those with the strongest rank correlations."""
    varies = np.flatnonzero(scores.std(axis=1) > 0.0)
    most = max(len(y) // PER_INPUT, 1)
    if len(varies) > most:
        r = np.abs(Indices(names, scores[varies], np.zeros(len(y), np.int64)).rank(y).value)
        varies = np.sort(varies[np.argsort(-r, kind="stable")[:most]])
    return tuple(names[i] for i in varies), scores[varies]


def table(names: tuple[str, ...], scores: np.ndarray, y: np.ndarray, replicate: np.ndarray) -> tuple[list[dict[str, Any]], float]:
    """One row an input, the largest share of variance first, and the R2 of the plane."""
    of = Indices(names, scores, replicate)
    slope, share = of.regression(y)
    rank, first, (low, high) = of.rank(y), of.first_order(y), of.ends(y)
    order = sorted(range(len(names)), key=lambda i: (-max(abs(share.value[i]), first.value[i]), names[i]))
    rows = [
        {"input": names[i], "sign": "+" if slope.value[i] > 0.0 else "-" if slope.value[i] < 0.0 else "0"}
        | _told("slope", slope, i) | _told("share", share, i) | _told("rank", rank, i) | _told("first_order", first, i)
        | {"total": None, "total_se": None, "at_p10": plain(low[i]), "at_p90": plain(high[i])}
        for i in order
    ]  # fmt: skip
    return rows, float(share.value.sum())


def _told(name: str, estimate: Estimate, i: int) -> dict[str, Any]:
    return {name: plain(estimate.value[i]), f"{name}_se": plain(estimate.se[i])}


def add_totals(run: Run, q: Question, row: int, rows: list[dict[str, Any]], y: np.ndarray) -> None:
    """Total indices of these inputs, on the first 1,024 paths of a target (N,)."""
    number = {name: i for i, name in enumerate(run.plan.inputs.names)}
    found = totals(run, q, row, [number[r["input"]] for r in rows], y, PATHS)
    for i, r in enumerate(rows):
        r["total"], r["total_se"] = plain(found.value[i]), plain(found.se[i])
