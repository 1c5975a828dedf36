"""Contracts whose months share a commitment (P-02): what an hour of them costs, and how far placement can be from the best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..montecarlo import Outcome
from ..plan import Plan
from ..questions import Question, question
from ..tables import plain
from ..tallies import Tally
from .found import Asked, Findings

COLUMNS: dict[str, str | None] = {
    "year": None, "shadow price": "USD/GPU-h", "error": "USD/GPU-h", "p05": "USD/GPU-h", "p95": "USD/GPU-h", "gap": "share"
}  # fmt: skip


def contracts(plan: Plan) -> list[str]:
    """Names of the contracts whose months share a commitment."""
    return [plan.names.contracts[c] for c in plan.coupled.contract]


def questions(plan: Plan) -> Iterator[tuple[str, Question]]:
    """What is asked of the ensemble about each of them."""
    for name in contracts(plan):
        for by in ("calendar-year", "total"):
            for measure in ("shadow_price", "placement_gap"):
                yield f"{measure} {name} {by}", question(plan, measure, f"contracts.{name}", by)


def told(f: Findings) -> dict[str, Any]:
    """The gap of a run, mean by contract and worst of all paths, and shadow prices by year; nothing where months stand apart."""
    names = contracts(f.outcome.plan)
    if not names:
        return {}
    rows = [
        {
            "contract": name, "gap": _mean(f.tallies[f"placement_gap {name} total"], 0),
            "shadow_prices": [
                {"period": row["year"], "mean": row["shadow price"], "se": row["error"], "p05": row["p05"], "p95": row["p95"]}
                for row in years(f, name)
            ],
        }
        for name in names
    ]  # fmt: skip
    worst = f.outcome.gap
    return {"coupled": {"rule": worst.rule, "worst": worst.error, "path": worst.path, "contracts": rows}}


def beside(plan: Plan, q: Question) -> list[Question]:
    """What is asked beside a number of such a contract: shadow price and gap in the same periods."""
    c = q.entity.index if q.entity.axis == "contracts" else -1
    if c not in plan.coupled.contract:
        return []
    return [replace(question(plan, m, q.entity.label, q.by), keep=False) for m in ("shadow_price", "placement_gap")]


def behind(outcome: Outcome) -> dict[str, Any]:
    """What stands behind a number of such a contract, from the tallies of `beside`: the mean of each period, and the worst gap."""
    if len(outcome.tallies) < 3:
        return {}
    price, gap = outcome.tallies[1:]
    rows = [
        {"period": period.label, "shadow_price": _mean(price, i), "se": plain(price.se[i]), "gap": _mean(gap, i)}
        for i, period in enumerate(price.question.periods)
    ]
    return {"coupled": {"rule": outcome.gap.rule, "worst": outcome.gap.error, "path": outcome.gap.path, "periods": rows}}


def years(f: Findings, name: str) -> list[dict[str, Any]]:
    """Shadow price and gap of a contract by calendar year."""
    price, gap = (f.tallies[f"{measure} {name} calendar-year"] for measure in ("shadow_price", "placement_gap"))
    return [
        {
            "year": period.label, "shadow price": _mean(price, i), "error": plain(price.se[i]),
            "p05": plain(price.quantiles[0.05][i]), "p95": plain(price.quantiles[0.95][i]), "gap": _mean(gap, i),
        }
        for i, period in enumerate(price.question.periods)
    ]  # fmt: skip


def panels(a: Asked) -> list[dict[str, Any]]:
    """One table a contract for the report."""
    found = []
    for name in contracts(a.run.plan):
        rows = [list(row.values()) for row in years(a.f, name)]
        worst = a.f.outcome.gap
        note = (
            "What an hour within the commitment costs at the margin: nothing while it is not expected to be used up, the price once it "
            "is, between them the value of the hour elsewhere in the true-up period, which the path knows (P-02). Gap: how far placement "
            f"can be from the best plan over all months, mean; the worst of all paths is {worst.error:.1e} (path {worst.path})."
        )
        title = f"{a.run.plan.book.contracts[name].name}: shadow price of what remains"
        found.append({"section": "contracts", "title": title, "columns": list(COLUMNS), "units": list(COLUMNS.values()), "rows": rows,
                      "note": note})  # fmt: skip
    return found


def _mean(tally: Tally, row: int) -> float | None:
    found: float | None = plain(tally.mean[row])
    return found
