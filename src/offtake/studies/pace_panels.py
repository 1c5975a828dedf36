"""Pace in the report: a chart of each contract with an end of its own, and one table of shortfalls."""

from __future__ import annotations

from typing import Any

from ..units import format_interval
from .asked import Run
from .found import Asked
from .pace import look, pace
from .whatif import Look

PATHS = 1_024  # the verb `pace` takes more


def looked(run: Run) -> Look:
    """What the section reads of the first paths."""
    return look(run.plan, list(run.plan.names.contracts), min(PATHS, run.stamp.paths))


def panels(a: Asked) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Charts and the table of the section."""
    found = [x for x in pace(a.run, None, looked=a.f.looks["pace"])["contracts"] if x["true_ups"]]
    return [_chart(x) for x in found if x["true_up"] != "month"], [_table(found)] if found else []


def _chart(x: dict[str, Any]) -> dict[str, Any]:
    months = [row for row in x["months"] if row["forecast"] is not None]
    lines = [{"name": "straight line", "values": [row["straight_line"] for row in months]},
             {"name": "schedule", "values": [row["schedule"] for row in months]}]  # fmt: skip
    band = {q: [row["forecast"][q] for row in months] for q in ("p05", "p25", "p50", "p75", "p95", "mean")}
    past = f"Consumed before: {x['consumed_source']}." if x["consumed_source"] else ""
    return {
        "id": f"pace-{x['contract'].replace('.', '-')}",
        "title": f"{x['name']}: taken against the commitment",
        "unit": x["unit"],
        "periods": [row["month"] for row in months],
        "bands": [{"name": "forecast, to date"} | band],
        "lines": lines,
        "note": f"To date since {x['starts']}; {x['commitment']}. {past} First {PATHS:,} paths.",
        "section": "pace",
        "form": "fan",
    }


def _table(found: list[dict[str, Any]]) -> dict[str, Any]:
    rows = []
    for x in found:
        for row in x["true_ups"]:
            s = row["shortfall"]
            likely = max(row["unavoidable"], key=lambda m: float(m["probability"]), default=None)
            month = None if likely is None else f"{likely['month']} ({100 * likely['probability']:.0f} % of paths)"
            interval = f"{format_interval(s['p05'], s['p95'], x['unit'])}"
            rows.append([x["name"], row["true_up"], row["short"]["probability"], interval, month])
    return {
        "section": "pace",
        "title": "Shortfall at each true-up, and when it can no longer be avoided",
        "columns": ["contract", "true-up", "P(shortfall)", "90 % interval", "likeliest month of no return"],
        "units": [None, None, "share", None, None],
        "rows": rows,
        "note": "Unavoidable: what is taken and all that the open pools can still deliver in the period do not reach what will be due "
        "(C-02, C-03). Where each month is settled by itself, by contract year.",
    }
