"""Any number opens to its formula, its inputs and their sources (U-05)."""

from __future__ import annotations

from typing import Any

from ..questions import address, at_period, by_of, question
from ..tables import plain
from . import coupled
from .asked import Run
from .inputs import SCENARIO, chances_of, choices, meaning, quality_of
from .lost import behind
from .onepath import drawn, fill, open_path
from .provenance import describe
from .sensitivity import Sensitivity
from .tabulate import statistics


def explain(run: Run, name: str, of: str | None, at: str | None, path: int | None = None) -> dict[str, Any]:
    """Rule, formula, value at a period (the last one unless told), and the ten inputs with the largest share of its variance;
    of one path its months term by term, and what it drew for these inputs."""
    found = address(name)
    period = at or found.period
    q = question(run.plan, found.measure, found.of or of, by_of(period) if period else None)
    row = at_period(q, period) if period else len(q.periods) - 1
    opened = {} if path is None else {"on_path": open_path(run, q, row, path)}
    outcome = run.outcome([q, *coupled.beside(run.plan, q)])
    tally = outcome.tallies[0]
    movers = Sensitivity(run.plan.inputs.names, outcome.inputs).movers(tally.kept[row])
    book = run.plan.book
    listed = [m for m in movers[:10] if abs(m.share) >= 0.001]
    drew: list[dict[str, Any]] = [{}] * len(listed) if path is None else drawn(run, *fill(run, path), [m.name for m in listed])
    return {
        "stamp": run.stamp.to_dict(),
        "measure": q.measure.name,
        "of": q.entity.label,
        "period": q.periods[row].label,
        "unit": q.measure.unit,
        "kind": q.measure.kind,
        "rule": q.measure.rule,
        "formula": q.measure.formula,
        "value": {name: plain(values[row]) for name, values in statistics(tally).items()},
        "inputs": [
            {
                "input": m.name,
                "rank_correlation": m.correlation,
                "share_of_variance": m.share,
                "at_p10": plain(m.low),
                "at_p90": plain(m.high),
                "meaning": meaning(m.name),
                "quality": quality_of(book, m.name),
            }
            | _origin(run, m.name)
            | here
            for m, here in zip(listed, drew)
        ],
        "explained": sum(m.share for m in movers),
    } | opened | behind(run.plan, q.measure.rule) | coupled.behind(outcome)


def _origin(run: Run, name: str) -> dict[str, Any]:
    """What is written in the book at an input, and its source; of the scenario its chances; of luck or a common cause nothing."""
    book = run.plan.book
    row = next((row for row in describe(book) if row["path"] == name), {})
    found = {key: row.get(key) for key in ("value", "unit", "fact", "publisher", "title", "published", "assumed", "note", "line")}
    return found if row or name != SCENARIO else found | {"value": chances_of(choices(book, name))}
