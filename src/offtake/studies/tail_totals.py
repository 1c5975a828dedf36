"""Total indices inside a tail: what is lost of the variance there when an input is drawn anew and the path stays in it (U-04).

Method  T = E[var(target | all others, condition) | condition] / var(target | condition). On a path of the tail the input is drawn anew
        given all others until the condition holds again (rejection): the first draw that does is, given the others and the condition,
        independent of the path's own and of the same law, so half of the squared difference has that inner variance for its mean, and
        Jansen's ratio holds as it does without a condition (`totals`). Inputs that the condition ties together share what they hold.
        How often a draw is refused does not bias it; pairs that are never accepted would, so an input with more than `LEFT` of them
        has no index. Draw t of an input on a path is a pure function of (seed, path, input, t), the first one that of `totals`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .. import stages
from ..block import Block
from ..kernels.draw import score_row
from ..questions import Question
from ..spread import cores, in_order
from .asked import Run
from .conditions import Condition
from .indices import Estimate
from .totals import ANEW, conditional, jansen

PATHS = 512  # of the tail
TRIES = 64
LEFT = 0.01  # of an input's pairs that may find no second draw

Reader = Callable[[Block], tuple[np.ndarray, np.ndarray]]
Attempt = Callable[[np.ndarray, np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def until_inside(paths: int, inputs: int, attempt: Attempt, tries: int = TRIES) -> np.ndarray:
    """The target (I, N) with each input drawn anew on each path of the tail; NaN where no draw stayed inside.

    attempt  is handed the places of paths (J,), those of inputs (J,) and the number of the draw from 0 on; says the target (J,) and
             whether the condition holds (J,)
    """
    found = np.full((inputs, paths), np.nan)
    which, path = (part.ravel() for part in np.indices((inputs, paths)))
    for t in range(tries):
        if len(path) == 0:
            break
        value, inside = attempt(path, which, t)
        found[which[inside], path[inside]] = value[inside]
        path, which = path[~inside], which[~inside]
    return found


@dataclass(frozen=True)
class Tail:
    """Paths of a run on which a condition holds: their numbers (N,), normal scores (I, N) and target (N,)."""

    paths: np.ndarray
    scores: np.ndarray
    target: np.ndarray


class Again:
    """Paths of a tail computed anew with one input of each drawn anew, 64 pairs of them side by side whatever path they are of."""

    def __init__(self, run: Run, tail: Tail, inputs: Sequence[int]) -> None:
        self._plan, self._seed, self._workers = run.plan, run.stamp.seed, run.workers or cores()
        self._tail, self._inputs = tail, np.asarray(inputs)
        self._given = conditional(run.plan)
        self._free: deque[Block] = deque()

    def scores(self, path: np.ndarray, which: np.ndarray, t: int) -> np.ndarray:
        """Scores (I, J) of the pairs, the input of each drawn for the t-th time given all others."""
        z, mixed = self._tail.scores[:, path].copy(), self._plan.draws.mixed
        drawn, scratch = np.empty(1), np.empty(1)
        for j, i in enumerate(self._inputs[which]):
            score_row(self._seed, self._tail.paths[path[j]], ANEW + i, t, drawn, scratch)
            weights, spread = self._given.get(i, (np.zeros(len(mixed)), 1.0))
            z[i, j] = weights @ z[mixed, j] + spread * drawn[0]
        return z

    def attempt(self, path: np.ndarray, which: np.ndarray, t: int, read: Reader) -> tuple[np.ndarray, np.ndarray]:
        """What `read` says of each pair's path with the t-th draw of its input."""

        def some(first: int) -> tuple[np.ndarray, np.ndarray]:
            here = np.minimum(np.arange(first, first + stages.LANES), len(path) - 1)  # the last block is filled with its last pair
            b = self._free.pop() if self._free else stages.allocate(self._plan)
            clipped = np.zeros(len(self._plan.factor_paths), np.int64)
            stages.fill_given(b, self._seed, self.scores(path[here], which[here], t), self._tail.paths[path[here]], clipped)
            value, inside = read(b)
            told = value[: len(path) - first].copy(), inside[: len(path) - first].copy()
            self._free.append(b)
            return told

        parts = list(in_order(some, range(0, len(path), stages.LANES), self._workers))
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def totals_given(
    run: Run, q: Question, row: int, condition: Condition | None, inputs: Sequence[int], tail: Tail
) -> tuple[Estimate, np.ndarray]:
    """Total indices of some inputs on the first `PATHS` paths of a tail, and the share of each one's pairs that found no second draw;
    NaN where that share is above `LEFT`."""
    tail = Tail(*(part[..., :PATHS] for part in (tail.paths, tail.scores, tail.target)))
    again = Again(run, tail, inputs)

    def read(b: Block) -> tuple[np.ndarray, np.ndarray]:
        value = q.read(b)[row].copy()
        inside = ~np.isnan(value)
        return value, inside if condition is None else inside & condition.on(condition.question.read(b))

    anew = until_inside(len(tail.paths), len(inputs), lambda path, which, t: again.attempt(path, which, t, read))
    left = np.isnan(anew).mean(axis=1)
    found = jansen(tail.target, anew, tail.paths)
    gone = left > LEFT
    return Estimate(np.where(gone, np.nan, found.value), np.where(gone, np.nan, found.se)), left
