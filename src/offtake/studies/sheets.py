"""What the workbook shows of the run: headline measures of every contract by month, fiscal quarter and fiscal year."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..measures import MEASURES
from ..questions import Question, question
from ..tables import plain
from . import meanpath, workings
from .asked import Run
from .tabulate import statistics

SHOWN = ("revenue", "straight_line", "billed", "cash", "rpo", "not_in_rpo", "offered", "used", "capex", "depreciation", "operating_income")
PERIODS = (("Monthly", "month"), ("Fiscal quarters", "fiscal-quarter"), ("Fiscal years", "fiscal-year"))
STATISTICS = ("mean", "se", "p05", "p25", "p50", "p75", "p95")
COLUMNS = dict.fromkeys(("period", "contract", "measure", "unit")) | dict.fromkeys(STATISTICS, "in the row's unit")


def period_tables(run: Run) -> list[dict[str, Any]]:
    """{name, title, columns, rows} by kind of period; all of them come from one pass over the paths."""
    asked = {by: _questions(run, by) for _, by in PERIODS}
    tallies = iter(run.outcome([q for group in asked.values() for q in group]).tallies)
    found = []
    for name, by in PERIODS:
        rows = [row for q in asked[by] for row in _rows(q, statistics(next(tallies)))]
        title = f"{name}: flows of the period, stocks at its end; {run.stamp.paths:,} paths; a period that the horizon cuts says so"
        found.append({"name": name, "title": title, "columns": COLUMNS, "rows": rows})
    return found


def _questions(run: Run, by: str) -> list[Question]:
    contracts = run.plan.names.contracts
    return [replace(question(run.plan, m, f"contracts.{c}", by), keep=False) for c in contracts for m in SHOWN if m in MEASURES]


def _rows(q: Question, columns: dict[str, list[float]]) -> list[list[Any]]:
    def label(i: int) -> str:
        period = q.periods[i]
        return f"{period.label} ({period.last - period.first + 1} months)" if period.cut else period.label

    about = (q.entity.label, q.measure.name, q.measure.unit)
    return [[label(i), *about, *(plain(columns[s][i]) for s in STATISTICS)] for i in range(len(q.periods))]


def contract_sheets(run: Run) -> list[workings.Sheet]:
    """The mean path's contracts as formulas."""
    b = meanpath.mean_path(run.plan, run.stamp.seed)
    return [workings.contract_sheet(b, c) for c in range(len(run.plan.names.contracts))]
