"""Scores of forecasts (E-05): CRPS of samples, coverage of an interval with the error of a proportion.

Source CRPS as E|X - y| - E|X - X'| / 2 over all pairs of samples: Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359.
       Interval of a proportion: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
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


def wilson(hits: int, count: int, level: float = 0.90) -> tuple[float, float]:
    """Interval of the probability behind `hits` of `count`."""
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    share, more = hits / count, z * z / count
    middle = (share + more / 2.0) / (1.0 + more)
    half = z * math.sqrt(share * (1.0 - share) / count + more / (4.0 * count)) / (1.0 + more)
    return max(middle - half, 0.0), min(middle + half, 1.0)
