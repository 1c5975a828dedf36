"""One large customer against many small ones of the same size (V-05): the provider's loss when the commitments are one's or many's.

A path is one customer's fate. Many small customers are many paths, each with its part of the same commitments, so that the mean
loss stays and only its spread changes. Independent in everything, or in one market: then all share the scenario of the path, which
is what brings many down together, and are independent within it. Paths in a row are spread more evenly than chance would, so they
are shuffled first.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from ..kernels.prices import uniforms
from ..plan import Plan

SIZES = (10, 100)
SHUFFLE = 900  # an own input that only orders the paths
LARGE = 0.10  # of signed value: what counts as a large loss


def together(losses: np.ndarray, customers: int) -> np.ndarray:
    """Mean loss of `customers` paths in a row, from each path on, around the end: (P,) to (P,). One customer is the path itself."""
    n = min(customers, len(losses))
    around = np.concatenate([losses, losses[: n - 1]])
    sums = np.concatenate([[0.0], np.cumsum(around)])
    found: np.ndarray = (sums[n:] - sums[:-n]) / n
    return found


def in_one_market(losses: np.ndarray, market: np.ndarray, customers: int) -> np.ndarray:
    """The same among the paths of one market (P,); each market keeps its weight."""
    found = np.empty_like(losses)
    for each in np.unique(market):
        found[market == each] = together(losses[market == each], customers)
    return found


def markets(plan: Plan, scores: np.ndarray) -> np.ndarray:
    """Scenario number of each path from the normal scores of input 0 (U-03)."""
    if plan.forced >= 0:
        return np.full(len(scores), plan.forced)
    uniform = np.array([NormalDist().cdf(z) for z in scores])
    return np.minimum(np.searchsorted(plan.draws.cumulative, uniform, side="right"), len(plan.draws.cumulative) - 1)


def shuffled(paths: int) -> np.ndarray:
    """The paths in an order that has nothing to do with their draws."""
    found = np.empty(paths)
    uniforms(0, np.arange(paths), SHUFFLE, found)
    return np.argsort(found, kind="stable")


def tail(losses: np.ndarray, signed: float) -> dict[str, float]:
    """Mean, median, 95th percentile, mean of the worst twentieth, and P(more than a tenth of signed value)."""
    worst = np.sort(losses)[-max(len(losses) // 20, 1) :]
    return {
        "mean": float(losses.mean()),
        "p50": float(np.quantile(losses, 0.5)),
        "p95": float(np.quantile(losses, 0.95)),
        "worst_twentieth": float(worst.mean()),
        "p_large": float((losses > LARGE * signed).mean()),
    }


def compare(losses: np.ndarray, market: np.ndarray, signed: float) -> list[dict[str, Any]]:
    """Rows {customers, market} and `tail`: one customer, and each number of many, independent and in one market."""
    rows: list[dict[str, Any]] = [{"customers": 1, "market": None} | tail(losses, signed)]
    order = shuffled(len(losses))
    losses, market = losses[order], market[order]
    for n in SIZES:
        rows.append({"customers": n, "market": "own"} | tail(together(losses, n), signed))
        rows.append({"customers": n, "market": "one"} | tail(in_one_market(losses, market, n), signed))
    return rows
