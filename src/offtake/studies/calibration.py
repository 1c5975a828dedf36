"""Whether forecasts knew what they did not know (E-05): where what came lay among the forecast's values, and how often intervals held it.

Forecasts of one quarter share its surprise, so a series counts as many trials as it has distinct target quarters, not as many as it has
forecasts: bands and intervals are those of so many coins. Weak points are named by fixed rules: where a number lies outside of what
chance allows in nine cases of ten, and where there is no skill over a naive walk.

Source  PIT histogram: Gneiting, Balabdaoui and Raftery, J. R. Stat. Soc. B 69 (2007) 243; interval of a share: Wilson, 1927.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from statistics import NormalDist
from typing import Any

import numpy as np

from ..evidence.scores import pit, wilson
from ..tables import Table
from .backtest import AHEAD, FEWEST, Scores

LEVELS = (0.50, 0.80, 0.90)
FIFTHS = 5
SURE = 0.90


def of_series(scores: Scores) -> dict[str, Any] | None:
    """One series' calibration; None below six distinct target quarters."""
    if scores.quarters < FEWEST:
        return None
    pits = [pit(f.model, f.target.value) for f in scores.forecasts]
    held = {level: sum(f.inside(level) for f in scores.forecasts) / len(pits) for level in LEVELS}
    told: dict[str, Any] = {
        "company": scores.company, "measure": scores.measure, "series": scores.series, "forecasts": len(pits), "quarters": scores.quarters,
        "pits": pits, "fifths": fifths(pits), "band": list(band(scores.quarters)), "mean_pit": float(np.mean(pits)),
        "coverage": [
            {"level": level, "held": share} | dict(zip(("low", "high"), wilson(share * scores.quarters, scores.quarters, SURE)))
            for level, share in held.items()
        ],
    }  # fmt: skip
    skill = scores.row()["skill"]
    return told | {"skill": skill, "weak": weak_points(told, skill)}


def together(found: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """All series as one histogram, as if their surprises were independent; None where there is none."""
    if not found:
        return None
    pits, quarters = [p for one in found for p in one["pits"]], sum(one["quarters"] for one in found)
    told: dict[str, Any] = {
        "series": len(found), "forecasts": len(pits), "quarters": quarters, "fifths": fifths(pits), "band": list(band(quarters)),
        "mean_pit": float(np.mean(pits)), "coverage": [],
    }  # fmt: skip
    return told | {"weak": weak_points(told, None)}


def fifths(pits: Sequence[float]) -> list[float]:
    """Share of the values in each fifth of 0 to 1."""
    counts = np.bincount(np.minimum((np.asarray(pits) * FIFTHS).astype(int), FIFTHS - 1), minlength=FIFTHS)
    return [float(c) / len(pits) for c in counts]


def band(trials: int) -> tuple[float, float]:
    """Shares of one fifth between which `trials` fair draws leave it in nine cases of ten."""
    reached = 0.0
    ends: list[float] = []
    for hits in range(trials + 1):
        reached += math.comb(trials, hits) * (1.0 / FIFTHS) ** hits * (1.0 - 1.0 / FIFTHS) ** (trials - hits)
        while len(ends) < 2 and reached >= (0.5 - SURE / 2.0, 0.5 + SURE / 2.0)[len(ends)]:
            ends.append(hits / trials)
    return ends[0], ends[1] if len(ends) > 1 else 1.0


def weak_points(told: dict[str, Any], skill: float | None) -> list[str]:
    """What chance does not explain, and a skill of nothing, in words."""
    found = []
    for c in told["coverage"]:
        if not c["low"] <= c["level"] <= c["high"]:
            side = "narrow" if c["held"] < c["level"] else "wide"
            found.append(f"the {100 * c['level']:.0f} % interval held {100 * c['held']:.0f} %: too {side}")
    off = told["mean_pit"] - 0.5
    if abs(off) > NormalDist().inv_cdf(0.5 + SURE / 2.0) / math.sqrt(12.0 * told["quarters"]):
        found.append(f"what came lay {'above' if off > 0 else 'below'} the middle (mean PIT {told['mean_pit']:.2f}): forecasts too "
                     f"{'low' if off > 0 else 'high'}")  # fmt: skip
    low, high = told["band"]
    for name, share in zip(("lowest", "second", "middle", "fourth", "highest"), told["fifths"]):
        if not low <= share <= high:
            found.append(f"{100 * share:.0f} % of what came in the {name} fifth")
    if skill is not None and skill <= 0.0:
        found.append(f"no better than a naive walk (skill {100 * skill:.0f} %)")
    return found


def table(scores: Sequence[Scores], dates: Sequence[date]) -> Table:
    """One row a series; under `about` the calibration of each that is scored, and of all together."""
    rows = [s.row() for s in scores]
    shares = ("skill", "skill_last", "skill_drift", "covered", "covered_low", "covered_high")
    units = {"crps": "USD", "naive_crps": "USD"} | dict.fromkeys(shares, "share")
    found = [one for one in map(of_series, scores) if one is not None]
    about = {"as_of": [d.isoformat() for d in dates], "ahead": AHEAD, "calibration": found, "together": together(found)}
    return Table({key: [row[key] for row in rows] for key in rows[0]}, units, None, about)
