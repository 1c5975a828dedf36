"""Scenarios side by side: those with a probability from the same paths, the others forced with the same draws (U-03)."""

from __future__ import annotations

from typing import Any

from ..units import format_value
from .findings import Columns
from .found import Found, unit_of

FORCED_PATHS = 512


def compare(run: Found, columns: list[Columns]) -> dict[str, Any]:
    """Rows {name, probability, cells}: means. A scenario without probability is forced on the first paths, and says so."""
    rows = []
    for i, name in enumerate(run.plan.names.scenarios):
        probability = _probability(run, i)
        cells = _drawn(run, name, columns) if probability > 0 else _forced(run, name, columns)
        rows.append(
            {
                "name": name if probability > 0 else f"{name} (forced, {min(FORCED_PATHS, run.stamp.paths)} paths)",
                "probability": probability,
                "cells": cells,
            }
        )
    return {"columns": [c.label for c in columns], "rows": rows, "note": "Means. Scenarios share all other draws."}


def _probability(run: Found, i: int) -> float:
    cumulative = run.plan.draws.cumulative
    if run.plan.forced >= 0:
        return float(i == run.plan.forced)
    return float(cumulative[i] - (cumulative[i - 1] if i else 0.0)) if i < len(cumulative) else 0.0


def _drawn(run: Found, name: str, columns: list[Columns]) -> list[str | None]:
    cells: list[str | None] = []
    for c in columns:
        key = f"scenario {name} {c.label}"
        row, tally = run.findings.row(key, c.period), run.findings.tallies[key]
        value = None if row is None or tally.count[row] == 0 else float(tally.mean[row])
        cells.append(None if value is None else format_value(value, unit_of(tally)))
    return cells


def _forced(run: Found, name: str, columns: list[Columns]) -> list[str | None]:
    from dataclasses import replace

    from .. import montecarlo
    from ..questions import at_period, question

    plan = replace(run.plan, forced=run.plan.names.scenarios.index(name))
    asked = [replace(question(plan, c.measure, c.of, c.by), keep=False) for c in columns]
    tallies = montecarlo.run(plan, asked, min(FORCED_PATHS, run.stamp.paths), run.stamp.seed, run.workers).tallies
    return [format_value(float(t.mean[at_period(t.question, c.period)]), unit_of(t)) for t, c in zip(tallies, columns)]
