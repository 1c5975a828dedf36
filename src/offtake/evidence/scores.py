"""Scores of forecasts (E-05): CRPS and log score of samples, Brier score of events, PIT, coverage with the error of a proportion.

A smaller CRPS, log score or Brier score is the better one. A point forecast's CRPS is its distance from what came.

Source CRPS as E|X - y| - E|X - X'| / 2 over all pairs of samples: Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359.
       Log score of samples: minus the log density of their normal-kernel estimate, width by Silverman's rule (Density estimation,
       1986, eq. 3.31). Brier, Mon. Weather Rev. 78 (1950) 1. PIT with ties in their middle: Czado, Gneiting and Held, Biometrics 65
       (2009) 1254. Interval of a proportion: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np


def crps(samples: np.ndarray, observed: float) -> float:
    """Continuous ranked probability score of equally likely `samples` (N,), in their unit; 0 is perfect."""
    x = np.sort(samples)
    n = len(x)
    spread = float(np.sum((2.0 * np.arange(1, n + 1) - n - 1.0) * x)) / n**2  # E|X - X'| / 2
    return float(np.abs(x - observed).mean()) - spread


def wilson(hits: float, count: int, level: float = 0.90) -> tuple[float, float]:
    """Interval of the probability behind `hits` of `count`; hits need not be whole where a share stands for fewer trials than cases."""
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    share, more = hits / count, z * z / count
    middle = (share + more / 2.0) / (1.0 + more)
    half = z * math.sqrt(share * (1.0 - share) / count + more / (4.0 * count)) / (1.0 + more)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def log_score(samples: np.ndarray, observed: float) -> float | None:
    """Minus the log of the smoothed density of equally likely `samples` (N,) at what came; None where they do not vary."""
    n = len(samples)
    ends = np.quantile(samples, [0.25, 0.75])
    width = min(float(samples.std(ddof=1)), float(ends[1] - ends[0]) / 1.34) if n > 1 else 0.0
    if not width > 0.0:
        return None
    h = 1.06 * width * n**-0.2
    logs = -0.5 * ((observed - samples) / h) ** 2
    top = float(logs.max())
    return math.log(h * math.sqrt(2.0 * math.pi)) - top - math.log(float(np.exp(logs - top).mean()))


def brier(chance: float, happened: bool) -> float:
    """Squared distance of a stated chance from what came: 0 is perfect, 0.25 is a coin's."""
    return (chance - float(happened)) ** 2


def pit(samples: np.ndarray, observed: float) -> float:
    """Where what came lies among the samples, 0 to 1; ties count half."""
    return float(((samples < observed) + 0.5 * (samples == observed)).mean())
