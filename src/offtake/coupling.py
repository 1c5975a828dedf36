"""Commitments that tie months together, as measures read them from a block (P-02)."""

from __future__ import annotations

import numpy as np

from .block import Block


def _coupled(b: Block, c: int) -> int:
    """Number of contract c among those whose commitment months share; -1 where they do not."""
    found = np.flatnonzero(b.plan.coupled.contract == c)
    return int(found[0]) if len(found) else -1


def shadow_price(b: Block, c: int) -> tuple[np.ndarray, np.ndarray]:
    """Hours within the commitment x what one more of them costs, and these hours, (M, L); no value where months stand apart (N-06)."""
    n, coupled, hours = _coupled(b, c), b.plan.coupled, b.segment_hours
    shape = b.used.shape[1:]
    if n < 0:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    period, inside = coupled.period[n], coupled.period[n] >= 0
    price = np.zeros(shape)
    price[inside] = b.shadow.price[period[inside]] * b.shadow.unit[n, inside]
    cost, within = np.zeros(shape), np.zeros(shape)
    for k in b.pools_of(c):
        there = hours.cap[coupled.paid[k]] + hours.cap[coupled.past[k]]
        cost += np.minimum(price, hours.cost[coupled.past[k]]) * there
        within += there
    return cost, within


def gap(b: Block, c: int) -> tuple[np.ndarray, np.ndarray]:
    """USD that no plan can gain on the one placed, and the bound on all plans, (M, L) within the contract's term."""
    n, shape = _coupled(b, c), b.used.shape[1:]
    if n < 0:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    inside = (b.plan.coupled.period[n] >= 0)[:, None]
    return np.where(inside, np.maximum(b.shadow.slack, 0.0), 0.0), np.where(inside, b.shadow.bound, 0.0)


def of_paths(b: Block) -> np.ndarray:
    """The gap of each path over all months, (L,); 0 in a book whose months stand apart."""
    if not len(b.shadow.bound):
        return np.zeros(b.used.shape[2])
    slack, bound = np.maximum(b.shadow.slack, 0.0).sum(axis=0), b.shadow.bound.sum(axis=0)
    found: np.ndarray = np.divide(slack, bound, out=np.zeros(len(slack)), where=bound > 0.0)
    return found
