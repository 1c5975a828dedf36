"""What it is worth to see a figure before acting (E-04): pre-posterior analysis on the paths of an ensemble.

Axes    paths (P,), actions (A), cells of the figure (C), groups (16).
Units   those of the payoffs.
Method  value = E[max over actions of E(payoff | figure)] - max over actions of E(payoff). The figure is cut into cells that are about
        equally likely. To choose an action and to read what it is worth off the same paths is too high: the largest of noisy means is
        large by its noise. So the best action of every cell, and the best without the figure, are chosen on one half of the groups
        of paths and judged on the other, both ways round, and the two are averaged. That is too low, if anything: noise may choose
        the second best. The reading on the same paths is kept beside it: the two hold the value between them, but for noise.
        The error is the jackknife's over sixteen groups of paths.
Source  Raiffa and Schlaifer, Applied statistical decision theory, 1961, ch. 4; halves: the optimism of a maximum, Smith and Winkler,
        Manage. Sci. 52 (2006) 311.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .information import GROUPS, cells_for, cells_of

HALVES = (0, 1)


@dataclass(frozen=True)
class Worth:
    """Value with its error, the reading on the same paths, and how likely the figure makes another action best."""

    value: float
    se: float
    at_most: float
    changes: float

    def to_dict(self) -> dict[str, Any]:
        return {"value": self.value, "se": self.se, "at_most": self.at_most, "changes": self.changes}


def worth_of_waiting(figure: np.ndarray, payoffs: np.ndarray, weights: np.ndarray, groups: np.ndarray | None = None) -> Worth:
    """Value of seeing a figure (P,) before choosing among payoffs (A, P), the first of which counts where two are alike.

    weights  (P,) what each path counts
    groups   (P,) 0 to 15: paths that hang together share one; path p is in p mod 16 unless told
    """
    of = np.arange(len(figure)) % GROUPS if groups is None else groups
    cells = cells_for(weights[of % 2 == 0])
    at = cells_of(figure, weights, cells)
    sums = np.stack([[np.bincount(at[of == g], (weights * row)[of == g], cells + 1) for row in payoffs] for g in range(GROUPS)])
    held = np.bincount(of, weights, GROUPS)
    there = held > 0.0
    whole = crossed(sums, held, there)
    left = np.array([crossed(sums, held, there & (np.arange(GROUPS) != g)) for g in np.flatnonzero(there)])
    total = sums.sum(axis=0)
    alone = int(total.sum(axis=1).argmax())
    best = total.argmax(axis=0)
    likely = np.bincount(at, weights, cells + 1) / held.sum()
    most = float(total.max(axis=0).sum() - total[alone].sum()) / float(held.sum())
    return Worth(whole, float(np.sqrt((len(left) - 1) * left.var())), most, float(likely[best != alone].sum()))


def crossed(sums: np.ndarray, held: np.ndarray, keep: np.ndarray) -> float:
    """Actions chosen on one half of the groups and judged on the other, both ways; sums (16, A, C) of weighted payoffs, held (16,)."""
    even = np.arange(GROUPS) % 2 == 0
    halves = [sums[keep & (even == bool(side))].sum(axis=0) for side in HALVES]
    gained = 0.0
    for chosen, judged in (halves, halves[::-1]):
        best, alone = chosen.argmax(axis=0), int(chosen.sum(axis=1).argmax())
        gained += float(judged[best, np.arange(judged.shape[1])].sum() - judged[alone].sum())
    return gained / float(held[keep].sum())
