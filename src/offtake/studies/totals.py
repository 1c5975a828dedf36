"""Total indices: what is lost of the variance when an input is drawn anew and all others stay (U-04).

Method  T = E[(target - target with the input drawn anew)^2] / (2 var(target)): Jansen, Comput. Phys. Comm. 117 (1999) 35. Inputs that
        depend on others are drawn anew given them (Kucherenko, Tarantola and Annoni, Comput. Phys. Comm. 183, 2012), so T is the
        variance that only this input can explain: with dependence it may be below the first-order index. A path's new draw is a pure
        function of (seed, path, input), of Threefry's and tied to no point of the run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import stages
from ..block import Block
from ..kernels.draw import score_row
from ..kernels.replicates import folded, ratio_error
from ..plan import Plan
from ..questions import Question
from .asked import Run
from .crowd import markets
from .indices import Estimate
from .whatif import by_block

ANEW = 3_000_000  # input numbers of the new draws stand clear of a plan's own and of the market's
PATHS = 1_024


def totals(run: Run, q: Question, row: int, inputs: Sequence[int], target: np.ndarray, paths: int = PATHS) -> Estimate:
    """Total indices of some inputs on the first `paths` paths of a run, whose `target` (N,) is known; NaN where it does not vary or is
    absent somewhere."""
    plan, seed = run.plan, run.stamp.seed
    given = conditional(plan)

    def read(b: Block) -> np.ndarray:
        Z, scenario, found = b.Z.copy(), b.scenario.copy(), []
        for i in inputs:
            b.Z[:], b.scenario[:] = Z, scenario
            draw_anew(plan, seed, b, i, given)
            stages.redraw(b, seed, np.zeros(len(plan.factor_paths), np.int64))
            stages.follow(b)
            found.append(q.read(b)[row].copy())
        return np.array(found)

    anew = by_block(plan, seed, min(paths, run.stamp.paths), read, run.workers)
    return jansen(target[: anew.shape[1]], anew)


def jansen(y: np.ndarray, anew: np.ndarray) -> Estimate:
    """From a target (N,) of the first N paths and the same with each input drawn anew (I, N)."""
    centred = y - y.mean()
    variance = (centred**2).mean()
    if not variance > 0.0:
        return Estimate(*np.full((2, len(anew)), np.nan))
    half = (y - anew) ** 2 / 2.0
    value = half.mean(axis=1) / variance
    held = folded(np.zeros(len(y)))[1]
    off = folded((half - value[:, None] * centred**2) / variance)[0]
    return Estimate(value, ratio_error(off, np.broadcast_to(held, off.shape)))


def conditional(plan: Plan) -> dict[int, tuple[np.ndarray, float]]:
    """Of each input that depends on others: weights (D,) of the mixed inputs' scores in its mean given them, and its spread then."""
    mixed = plan.draws.mixed
    if len(mixed) == 0:
        return {}
    correlation, found = plan.draws.chol @ plan.draws.chol.T, {}
    for d, i in enumerate(mixed):
        others = np.arange(len(mixed)) != d
        weights = np.zeros(len(mixed))
        weights[others] = np.linalg.pinv(correlation[np.ix_(others, others)], rcond=1e-10, hermitian=True) @ correlation[others, d]
        found[int(i)] = (weights, float(np.sqrt(max(correlation[d, d] - weights @ correlation[d], 0.0))))
    return found


def draw_anew(plan: Plan, seed: int, b: Block, i: int, given: dict[int, tuple[np.ndarray, float]]) -> None:
    """Another score of input i on every lane of a block, given all others; of input 0 another scenario (U-03)."""
    scratch = np.empty((2, b.Z.shape[1]))
    score_row(seed, b.first, ANEW + i, 0, scratch[0], scratch[1])
    weights, spread = given.get(i, (np.zeros(len(plan.draws.mixed)), 1.0))
    b.Z[i] = weights @ b.Z[plan.draws.mixed] + spread * scratch[0]
    if i == 0 and plan.forced < 0:
        b.scenario[:] = markets(plan, b.Z[0])
