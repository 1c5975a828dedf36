"""From what was known to a forecast: the A-09 terms of one reported total, read off its own history by a fixed rule.

The rule uses nothing but the quarters known on the date:
  growth    a path that starts at the last quarter and grows at last year's pace g; g is uncertain by the root mean square of its own
            changes from year to year (the same number a year before), uniform; the start by how quarters stray from their trend.
  stock     RPO: each quarter's signings are its change plus a straight run-off over twice a life of LIFE months; the level is the
            last four quarters' mean, uncertain by how that mean changed from year to year; single quarters stray as they did.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from ..facts import Fact

LEAST = 9  # quarters without a gap: two yearly growth rates, one of them a year old
WINDOW = 8
LIFE = 48.0  # months; signings are net of the same run-off, so a forecast of a year hardly depends on it
SPEED = 4.0  # per year: a quarter's signings say little about the next quarter's


def unbroken(series: Sequence[Fact]) -> list[Fact]:
    """The last quarters without a gap, oldest first."""
    found: list[Fact] = []
    for fact in reversed(series):
        if found and found[-1].quarter - fact.quarter != 1:
            break
        found.append(fact)
    return found[::-1]


def book_text(kind: str, series: Sequence[Fact], quarters: int, as_of: date) -> dict[str, Any]:
    """A book of one company whose `flow` (revenue) or `stock` (RPO) follows the rule, from the month after its last quarter on."""
    values = np.array([fact.value for fact in series])
    flow = _growth(values) if kind == "flow" else "1 USD/month"
    stock = _signings(values) if kind == "stock" else {"rpo": "0 USD", "signings": "0 USD/month"}
    end = series[-1].period_end
    first = end.year * 12 + end.month
    segment = {"name": "history", "revenue": flow, "margin": "0 %", "rpo_life": f"{LIFE:g} months", "rounding": "1 USD", **stock}
    return {
        "title": "history", "as_of": as_of.isoformat(), "start": f"{first // 12}-{first % 12 + 1:02d}", "months": str(3 * quarters),
        "sources": {}, "companies": {"c": {"name": "c", "assumed": "the rule of the back-test", "segment": segment}},
        "chips": {}, "sites": {}, "contracts": {}, "workloads": {},
    }  # fmt: skip


def _growth(values: np.ndarray) -> dict[str, Any]:
    logs = np.log(values)
    yearly = logs[4:] - logs[:-4]
    drift = float(yearly[-1])
    changes = yearly[4:] - yearly[:-4]
    half = math.sqrt(3.0) * float(np.sqrt((changes**2).mean()))
    low, high = (max(math.expm1(drift) + side * half * math.exp(drift), -0.95) for side in (-1.0, 1.0))
    steps = np.diff(logs)[-WINDOW:]
    stray = max(float(steps.std()) / math.sqrt(2.0), 1e-6)
    start = values[-1] / 3.0 * math.exp(drift / 6.0)  # from the middle of the quarter to the month after it
    return {"growth": {"start": _lognormal(start, stray, "USD/month"), "yearly": f"uniform({low:.6f}, {max(high, low + 1e-6):.6f})"}}


def _signings(values: np.ndarray) -> dict[str, Any]:
    signed = np.diff(values) + values[:-1] * 3.0 / (2.0 * LIFE)
    sums = np.convolve(signed, np.ones(4), "valid")  # of four quarters
    level = max(float(sums[-1]) / 12.0, 1.0)
    ratios = np.log(np.maximum(sums[4:], 1.0) / np.maximum(sums[:-4], 1.0))
    change = max(float(np.sqrt((ratios**2).mean())), 1e-6)
    lumps = float(signed[-WINDOW:].std() / max(signed[-WINDOW:].mean(), 1.0))
    volatility = math.sqrt(2.0 * SPEED * math.log1p(lumps**2))
    drawn = _lognormal(level, change, "USD/month")
    path = {"start": drawn, "level": drawn, "speed": f"{SPEED:g}", "volatility": f"{max(volatility, 1e-6):.6f}"}
    return {"rpo": f"{values[-1]:.0f} USD", "signings": {"mean_reversion": path}}


def _lognormal(median: float, sd: float, unit: str) -> str:
    """The 90 % interval that the grammar reads as a lognormal."""
    wide = 1.6448536269514722 * sd
    return f"{median * math.exp(-wide):.6g} to {median * math.exp(wide):.6g} {unit}"


def extrapolated(values: Sequence[float], ahead: Sequence[int]) -> dict[str, float]:
    """Last value and drift (mean step of the logarithm over eight quarters) for quarters so many ahead; sums where there are several. A
    quarter that is known already counts as it is."""
    step = math.log(values[-1] / values[-1 - WINDOW]) / WINDOW
    known = [values[h - 1] if h <= 0 else None for h in ahead]
    last = sum(values[-1] if k is None else k for k in known)
    drift = sum(values[-1] * math.exp(step * h) if k is None else k for k, h in zip(known, ahead))
    return {"last value": last, "drift": drift}
