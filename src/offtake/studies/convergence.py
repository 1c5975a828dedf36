"""Error against paths: how the Monte Carlo error of each headline falls as the first paths of the run double (U-02)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.replicates import error_of_mean
from ..units import format_value
from .findings import MOVED
from .found import Findings

if TYPE_CHECKING:
    from ..montecarlo import Tally

FIRST = 1_024


def doublings(paths: int) -> list[int]:
    """1,024, 2,048, .. up to the paths there are; fewer where there are fewer."""
    found = [n for k in range(5) if (n := FIRST << k) <= paths]
    return found or [paths]


def errors(values: np.ndarray, counts: list[int]) -> list[float]:
    """Error of the mean of the first paths of values (N,), for each number of paths."""
    return [float(error_of_mean(values[:n])) for n in counts]


def rate(found: list[float], counts: list[int]) -> float | None:
    """Power of the number of paths that the errors fall with: 0.5 for random paths; absent with less than two errors above nothing."""
    known = [(n, e) for n, e in zip(counts, found) if e > 0.0]
    if len(known) < 2:
        return None
    n, e = np.log(np.array(known)).T
    return float(-np.polyfit(n, e, 1)[0])


def table(f: Findings) -> dict[str, Any]:
    """One row a headline: its mean, its error at each number of paths, and the power they fall with."""
    counts, rows = doublings(f.outcome.inputs.shape[1]), []
    for key in MOVED:
        if (tally := f.tallies.get(key)) is not None:
            rows.append(_row(tally, counts))
    return {
        "section": "convergence",
        "title": "Monte Carlo error of the headlines, by the number of paths",
        "columns": ["headline", "mean", *(f"{n:,} paths" for n in counts), "falls as n to the power"],
        "units": [None] * (len(counts) + 3),
        "rows": rows,
        "note": "One standard error of the mean, from sixteen replicates, of the first paths of this run; 95 % lie within 2.13 of them. "
        "Errors of plain random paths fall with the power -0.5. Each is itself off by a fifth or so.",
    }


def _row(tally: Tally, counts: list[int]) -> list[str]:
    q, row = tally.question, min(2, len(tally.kept) - 1)
    values, unit = tally.kept[row], tally.question.measure.unit
    found = errors(values, counts)
    power = rate(found, counts)
    name = f"{q.measure.name} of {q.entity.label} @ {q.periods[row].label}"
    told = [format_value(e, unit) for e in found]
    return [name, format_value(float(tally.mean[row]), unit), *told, "\u2013" if power is None else f"{-power:+.2f}"]
