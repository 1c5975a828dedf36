"""`offtake sensitivity`: what each input holds of a number, over all paths or on those where a condition holds (U-04)."""

from __future__ import annotations

from functools import cached_property
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
from .tail_totals import LEFT, TRIES, Tail, totals_given
from .totals import PATHS, totals

if TYPE_CHECKING:
    from ..montecarlo import Outcome
    from ..plan import Plan
    from ..questions import Question

FEWEST = 64  # paths on which anything is said
PER_INPUT = 8  # paths an input in the plane; with fewer paths the inputs of the strongest rank correlations alone are asked
METHOD = (
    "per deviation: slope of the least-squares plane in normal scores, for one standard deviation of the input; share: of variance, by "
    "that plane; rank: Spearman; first order: variance of the mean given the input; total: lost when the input is drawn anew given all "
    "others. ± is half of the interval of 95 % from the sixteen replicates (t, 15 degrees), 2.13 standard errors; a sign is open where "
    "that interval holds 0. Rows are in the order of the nearer ends of the intervals of share or first order, whichever is farther from 0."
)
NONE = f"no total index where too many paths find no second draw inside the condition within {TRIES} tries: "


def sensitivity(
    run: Run, name: str, of: str | None = None, at: str | None = None, given: str | None = None, anew: int = 8
) -> dict[str, Any]:
    """{stamp, measure, of, period, unit, given, in_any_month, paths, explained, method, without_total, rows}; rows have what holds most
    of the variance beyond chance first.

    given   a condition on the path; without a period it holds where any month holds it (`in_any_month`)
    anew    how many of the strongest inputs get a total index; with a condition, inside the tail (`tail_totals`)
    raises  QuestionError for a number that is not one a path, a condition that does not read, or too few paths where it holds
    """
    found = address(name)
    period = at or found.period
    q = question(run.plan, found.measure, found.of or of, by_of(period) if period else None)
    row = at_period(q, period) if period else len(q.periods) - 1
    if found.statistic or q.measure.kind in ("causes", "surface", "postings"):
        raise QuestionError(f"'{name}' is not one number a path; ask of a measure such as 'revenue', with --of and --at")
    condition = condition_of(run.plan, given, "a condition", any_period=True) if given is not None else None
    done = run.outcome([q, *([condition.question] if condition else [])])
    there, y = paths_of(done, row, condition, name)
    rows, explained = Holds(run.plan, done.inputs, np.arange(len(y)) % REPLICATES).table(y, there)
    note = add_totals(run, q, row, condition, rows[:anew], Tail(np.flatnonzero(there), done.inputs[:, there], y[there])) if anew else None
    return {
        "stamp": run.stamp.to_dict(), "measure": q.measure.name, "of": q.entity.label, "period": q.periods[row].label,
        "unit": q.measure.unit, "given": given, "in_any_month": condition is not None and condition.in_any_month,
        "paths": int(there.sum()), "of_paths": len(there), "inputs": len(rows),
        "explained": explained, "method": METHOD, "without_total": note, "rows": rows,
    }  # fmt: skip


def paths_of(done: Outcome, row: int, condition: Condition | None, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Which of the kept paths count, and the target on all of them. Raises QuestionError where too few do, or the target is constant."""
    y = done.tallies[0].kept[row]
    there = ~np.isnan(y)
    if condition is not None:
        there &= condition.on(done.tallies[1].kept)
    held = f"'{condition.text}' holds{' in any month' * condition.in_any_month} and " if condition else ""
    where = f"{held}the number has a value"
    if there.sum() < FEWEST:
        raise QuestionError(f"{where} on {there.sum()} of {len(y):,} paths, {FEWEST} are needed: ask more paths or another condition")
    if np.ptp(y[there]) == 0.0:
        raise QuestionError(f"'{name}' is the same number on every path where {where}: no input moves it")
    return there, y


class Holds:
    """Inputs of a run's kept paths, asked what they hold of many numbers; what all paths share is prepared once.

    inputs     (I, N) normal scores
    replicate  (N,) that each path stands in
    ranks      (I, N) of the scores less their mean, where somebody has found them
    """

    def __init__(self, plan: Plan, inputs: np.ndarray, replicate: np.ndarray, ranks: np.ndarray | None = None) -> None:
        self._plan, self._inputs, self._replicate, self._ranks = plan, inputs, replicate, ranks

    @cached_property
    def _all(self) -> Indices:
        """Every input that varies, on all paths."""
        varies = np.flatnonzero(self._inputs.std(axis=1) > 0.0)
        ranks = None if self._ranks is None else self._ranks[varies]
        return Indices(tuple(self._plan.inputs.names[i] for i in varies), self._inputs[varies], self._replicate, ranks)

    def of(self, y: np.ndarray, there: np.ndarray) -> Indices:
        """The inputs that are asked of a number y (N,) on the paths `there`: with few paths those of the strongest rank correlations."""
        most = max(int(there.sum()) // PER_INPUT, 1)
        if there.all() and len(self._all.names) <= most:
            return self._all
        scores, names = self._inputs[:, there], self._plan.inputs.names
        varies = np.flatnonzero(scores.std(axis=1) > 0.0)
        if len(varies) > most:
            r = np.abs(Indices(names, scores[varies], np.zeros(scores.shape[1], np.int64)).rank(y[there]).value)
            varies = np.sort(varies[np.argsort(-r, kind="stable")[:most]])
        return Indices(tuple(names[i] for i in varies), scores[varies], self._replicate[there])

    def table(self, y: np.ndarray, there: np.ndarray) -> tuple[list[dict[str, Any]], float]:
        """One row an input, and the R2 of the plane; of a number y (N,) on the paths `there`. First is what holds most beyond chance by
        share or first order, so that in a tail noise takes no ranks; what holds nothing beyond chance follows by its estimates."""
        of, y = self.of(y, there), y[there]
        slope, share = of.regression(y)
        rank, first, (low, high) = of.rank(y), of.first_order(y), of.ends(y)
        told_of, sure = np.maximum(np.abs(share.value), first.value), np.maximum(beyond_chance(share), np.nan_to_num(first.low))
        order = np.lexsort([of.names, -told_of, -sure])
        rows = [
            {"input": of.names[i], "sign": sign(slope, i)}
            | told("slope", slope, i) | told("share", share, i) | told("rank", rank, i) | told("first_order", first, i)
            | told("total", None, i) | {"at_p10": plain(low[i]), "at_p90": plain(high[i])}
            | {"quality": quality_of(self._plan.book, of.names[i])}
            for i in order
        ]  # fmt: skip
        return rows, float(share.value.sum())


def beyond_chance(estimate: Estimate) -> np.ndarray:
    """How far from nothing the nearer ends (I,) of the intervals are; 0 where an interval holds 0 or there is none."""
    found: np.ndarray = np.nan_to_num(np.maximum(np.maximum(estimate.low, -estimate.high), 0.0))
    return found


def sign(slope: Estimate, i: int) -> str:
    """`+` or `-` where the whole interval says so, else `?`."""
    return "+" if slope.low[i] > 0.0 else "-" if slope.high[i] < 0.0 else "?"


def told(name: str, estimate: Estimate | None, i: int) -> dict[str, Any]:
    """Value, standard error and the ends of the interval of 95 %; None where there is no estimate."""
    if estimate is None:
        return dict.fromkeys((name, f"{name}_se", f"{name}_low", f"{name}_high"))
    parts = {"": estimate.value, "_se": estimate.se, "_low": estimate.low, "_high": estimate.high}
    return {name + end: plain(values[i]) for end, values in parts.items()}


def add_totals(run: Run, q: Question, row: int, condition: Condition | None, rows: list[dict[str, Any]], tail: Tail) -> str | None:
    """Total indices of these inputs: on the first 1,024 paths where all count, else on the first 512 of those that do. Returns which
    inputs have none, and why."""
    number = {name: i for i, name in enumerate(run.plan.inputs.names)}
    inputs = [number[r["input"]] for r in rows]
    first = tail.paths[:PATHS]
    if condition is None and np.array_equal(first, np.arange(len(first))):
        found, left = totals(run, q, row, inputs, tail.target, PATHS), np.zeros(len(rows))
    else:
        found, left = totals_given(run, q, row, condition, inputs, tail)
    for i, r in enumerate(rows):
        r |= told("total", found, i)
    none = [f"{r['input']} ({100 * share:.0f} %)" for r, share in zip(rows, left) if share > LEFT]
    return f"{NONE}{', '.join(none)}" if none else None
