"""Jobs for designed replays, drawn from stated mixes: run times lognormal and cut at a stated length, GPU-hours shared out as stated.

Run times are drawn evenly over their distribution, so that the GPU-hours of few large gangs hang on no luck; arrivals are by chance, of
planned work evenly spread with a random moment in each interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.random import PCG64, Generator

from ..kernels.replay_state import Jobs

DAY = 86_400.0
NORMAL = NormalDist()


@dataclass(frozen=True)
class Kind:
    """Jobs of one size: share of the mix's GPU-hours, median and longest run time in seconds, spread of its logarithm."""

    mix: str
    gpus: int
    share: float
    median: float
    spread: float
    longest: float
    planned: bool

    def reach(self) -> float:
        """Probability that the lognormal stays below the longest run time."""
        return NORMAL.cdf(math.log(self.longest / self.median) / self.spread)

    def mean(self) -> float:
        """Mean run time, seconds: E[X | X < longest] of a lognormal."""
        at = math.log(self.longest / self.median) / self.spread
        return self.median * math.exp(self.spread**2 / 2.0) * NORMAL.cdf(at - self.spread) / self.reach()

    def quantiles(self, u: np.ndarray) -> np.ndarray:
        """Run times at these probabilities (J,)."""
        reach = self.reach()
        return np.array([self.median * math.exp(self.spread * NORMAL.inv_cdf(p * reach)) for p in u])


def kinds_of(rows: Sequence[dict[str, str]]) -> tuple[Kind, ...]:
    """Kinds as `mix.csv` of a surface states them."""
    return tuple(
        Kind(r["mix"], int(r["gpus"]), float(r["hours_share"]), float(r["median_s"]), float(r["spread"]), float(r["longest_s"]),
             r["planned"] == "yes")
        for r in rows
    )  # fmt: skip


def jobs_of(kinds: Sequence[Kind], mix: float, gpu_hours: Sequence[float], month_s: float, seed: int) -> Jobs:
    """Jobs whose GPU-hours submitted in each month come to `gpu_hours` (one entry a month); `mix` is the share of the book's own."""
    r = Generator(PCG64(seed))
    submit, length, gangs = [], [], []
    for kind in kinds:
        part = kind.share * (mix if kind.mix == "book" else 1.0 - mix)
        counts = [hours * part * 3600.0 / (kind.gpus * kind.mean()) for hours in gpu_hours]
        moments = _moments(kind, counts, month_s, r)
        n = len(moments)
        submit.append(moments)
        length.append(kind.quantiles((r.permutation(n) + np.clip(r.random(n), 1e-9, 1.0 - 1e-9)) / max(n, 1)))
        gangs.append(np.full(n, kind.gpus))
    at, gpus = np.concatenate(submit), np.concatenate(gangs)
    order = np.lexsort((gpus, at))
    ms = np.rint(np.concatenate(length) * 1000.0).astype(np.int64)
    return Jobs(
        np.rint(at[order] * 1000.0).astype(np.int64), np.maximum(ms[order], 1), gpus[order].astype(np.int32), np.zeros(1, np.int16),
        np.full(1, -1, np.int64),
    )  # fmt: skip


def _moments(kind: Kind, counts: Sequence[float], month_s: float, r: Generator) -> np.ndarray:
    """Submission times (n,): at a pace of `counts` a month; by chance, or one in each interval where work is planned."""
    whole = np.concatenate([[0.0], np.cumsum(counts)])
    n = math.floor(whole[-1] + r.random())
    share = (np.arange(n) + r.random(n)) / max(n, 1) if kind.planned else np.sort(r.random(n))
    times: np.ndarray = np.interp(share * whole[-1], whole, np.arange(len(whole)) * month_s)
    return times
