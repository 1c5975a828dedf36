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
from ..kernels.replicates import REPLICATES, ratio_error
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


def jansen(y: np.ndarray, anew: np.ndarray, paths: np.ndarray | None = None) -> Estimate:
    """From a target (N,) and the same with each input drawn anew (I, N), NaN where there is none; `paths` (N,) are their numbers, the
    first N of a run unless told."""
    replicate = (np.arange(len(y)) if paths is None else paths) % REPLICATES
    found = np.array([_of_pairs(y[there], other[there], replicate[there]) for other in anew for there in [~np.isnan(other)]])
    return Estimate(*found.reshape(-1, 2).T)


def _of_pairs(y: np.ndarray, anew: np.ndarray, replicate: np.ndarray) -> tuple[float, float]:
    """One input's index and its error; NaN where the target does not vary."""
    if len(y) == 0 or not np.ptp(y) > 0.0:
        return float("nan"), float("nan")
    squared, half = (y - y.mean()) ** 2, (y - anew) ** 2 / 2.0
    variance = squared.mean()
    value = half.mean() / variance
    off, held = (np.bincount(replicate, w, REPLICATES) for w in ((half - value * squared) / variance, np.ones(len(y))))
    return float(value), float(ratio_error(off, held))


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
