"""Power of the sites as measures read it: on schedule, energised, and beside US generation (S-02, S-06)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .block import Block
from .kernels.supply import AT_IT, AT_UTILITY

Parts = tuple[np.ndarray, ...]
Reader = Callable[[Block, int], Parts]


def energised(b: Block, t: int) -> np.ndarray:
    """MW at the facility that a site's steps give, (M, L)."""
    found: np.ndarray = b.supply.energised[t]
    return found


def scheduled(b: Block, t: int) -> np.ndarray:
    """MW at the facility by the steps' own months, without slip (S-02), (M, L)."""
    s, month = b.plan.sites, np.arange(b.plan.months)[:, None]
    total = np.zeros((b.plan.months, b.X.shape[1]))
    for step in range(s.step_first[t], s.step_first[t + 1]):
        mw, basis = b.X[s.step_mw_x[step]], s.step_basis[step]
        facility = mw * (b.X[s.peak_pue_x[t]] if basis == AT_IT else 1.0 - b.X[s.losses_x[t]] if basis == AT_UTILITY else 1.0)
        total += facility * (month >= s.step_month[step])
    return total


def of_sites(array: Callable[[Block, int], np.ndarray]) -> dict[str, Reader]:
    """Readers of MW by site, and of all sites by their share on the US grid (S-06)."""

    def national(b: Block, _: int) -> Parts:
        share = b.plan.costs.us_share_x
        return (np.sum([array(b, t) * b.X[share[t]] for t in range(len(share))], axis=0),)

    return {"sites": lambda b, t: (array(b, t),), "national": national}


def share_of_generation(b: Block, _: int) -> Parts:
    """Energy of all modelled pools on the US grid, MWh (S-06)."""
    return (b.ledger.us_energy, np.repeat(b.plan.us_generation[:, None], b.ledger.us_energy.shape[1], axis=1))
