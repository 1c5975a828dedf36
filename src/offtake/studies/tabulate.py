"""A measure by period as a Table: mean, quantiles and their Monte Carlo errors, or one path's values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..measures import CAUSES, find
from ..montecarlo import Tally, one_path
from ..questions import Question, address, at_period, by_of, question
from ..tables import Table
from .asked import Run
from .journal import postings

SHOWN = {0.05: "p05", 0.25: "p25", 0.50: "p50", 0.75: "p75", 0.95: "p95"}


def ask(run: Run, name: str, of: str | None, by: str | None, path: int | None) -> Table:
    """A measure's name with options, or a whole address; an address with a period gives that row alone."""
    found = address(name)
    if found.of and of and found.of != of:
        raise QuestionError(f"the address asks of '{found.of}' and --of of '{of}'; give one")
    if found.period and by and by_of(found.period) != by:
        raise QuestionError(f"the address asks @ {found.period} and --by {by}; give one")
    table = measure(run, found.measure, found.of or of, by_of(found.period) if found.period else by, path)
    if found.period:
        table = _only(table, "period", found.period)
    if found.statistic and path is None:
        keep = ["period", found.statistic] + ([f"se_{found.statistic}"] if found.statistic != "mean" else ["se"])
        table = Table({k: table.columns[k] for k in keep}, table.units, table.stamp, table.about)
    return table


def _only(table: Table, column: str, value: str) -> Table:
    rows = [i for i, v in enumerate(table.columns[column]) if v == value]
    if not rows:
        raise QuestionError(f"'{value}' is outside the horizon of this book: {table.columns[column][0]} to {table.columns[column][-1]}")
    return Table({k: [v[i] for i in rows] for k, v in table.columns.items()}, table.units, table.stamp, table.about)


def measure(run: Run, name: str, of: str | None, by: str | None, path: int | None) -> Table:
    """Compute one measure. Raises QuestionError for unknown names, entities, periods or paths."""
    if find(name).kind == "causes":
        return _causes(run, name, of, by)
    if find(name).kind == "postings":
        return postings(run, of, by, path)
    q = question(run.plan, name, of, by)
    if path is not None:
        if not 0 <= path < run.stamp.paths:
            raise QuestionError(f"path {path} is not one of this run's {run.stamp.paths:,} paths, 0 to {run.stamp.paths - 1}")
        values = one_path(run.plan, q, path, run.stamp.seed)
        return Table(_periods(q) | {"value": list(values)}, {"value": q.measure.unit}, run.stamp, _about(run, q) | {"path": path})
    questions = [q]
    if name == "revenue" and q.entity.axis == "contracts":
        questions.append(question(run.plan, "straight_line", q.entity.label, q.by))
    tallies = run.outcome([replace(asked, keep=False) for asked in questions]).tallies
    columns = _periods(q)
    if q.measure.kind == "once" and any(tallies[0].share < 1.0):
        columns["absent"] = list(1.0 - tallies[0].share)  # paths without such a number (N-06)
    columns |= statistics(tallies[0])
    if len(tallies) > 1:
        columns["straight_line"] = list(tallies[1].mean)
    if q.measure.kind == "surface":
        raise QuestionError("'passage' is shown as a surface in the report; ask `renegotiated` for one rule")
    units = {c: "share" if c == "absent" else q.measure.unit for c in columns if c not in ("period", "months")}
    return Table(columns, units, run.stamp, _about(run, q))


def _about(run: Run, q: Question) -> dict[str, Any]:
    stopped = {"until": run.stopped} if run.stopped else {}
    return {"stamp": run.stamp.to_dict(), "measure": q.measure.name, "of": q.entity.label, "by": q.by, "unit": q.measure.unit} | stopped


def _periods(q: Question) -> dict[str, list[Any]]:
    labels: dict[str, list[Any]] = {"period": [p.label for p in q.periods]}
    if any(p.cut for p in q.periods):
        labels["months"] = [p.last - p.first + 1 if p.cut else None for p in q.periods]
    return labels


def statistics(tally: Tally) -> dict[str, list[float]]:
    """Mean and quantiles with their errors, as columns."""
    columns = {"mean": list(tally.mean), "se": list(tally.se)}
    columns |= {name: list(tally.quantiles[p]) for p, name in SHOWN.items()}
    return columns | {f"se_{name}": list(tally.errors[p]) for p, name in SHOWN.items()}


def _causes(run: Run, name: str, of: str | None, by: str | None) -> Table:
    """Share of paths and months in which each cause limits each pool; `of` narrows to a pool, a site's or a contract's pools."""
    plan = run.plan
    labels = [label for _, label, _ in plan.labels("pools")]
    chosen = [label for k, label in enumerate(labels) if of is None or of in (label, *_owners(run, k))]
    if not chosen:
        raise QuestionError(f"'{name}' is not known of '{of}'; it is known of: {', '.join(labels)}")
    questions = [replace(question(plan, name, label, by), keep=False) for label in chosen]
    columns: dict[str, list[Any]] = {"period": [], "pool": [], "cause": [], "share": [], "se": []}
    for label, tally in zip(chosen, run.outcome(questions).tallies):
        for i, period in enumerate(tally.question.periods):
            for j, cause in enumerate(CAUSES):
                row = i * len(CAUSES) + j
                for key, value in zip(columns, (period.label, label, cause, tally.mean[row], tally.se[row])):
                    columns[key].append(value)
    about = _about(run, questions[0]) | {"of": of}
    return Table(columns, {"share": "share", "se": "share"}, run.stamp, about)


def _owners(run: Run, k: int) -> tuple[str, str]:
    plan = run.plan
    return f"sites.{plan.names.pools[k][0]}", f"contracts.{plan.names.contracts[int(plan.places.contract[k])]}"


def value_at(table: Table, column: str, period: str) -> float:
    """One cell of a table by period."""
    return float(np.float64(table.columns[column][table.columns["period"].index(period)]))


__all__ = ["ask", "at_period", "measure", "statistics", "value_at"]
