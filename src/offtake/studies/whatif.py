"""The first paths of a run: once more, with what was drawn changed by hand and everything else as it was (U-03); or as they are, looked at
while the run has them in its blocks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from .. import stages
from ..block import Block
from ..plan import Plan
from ..spread import cores, in_order


def by_block(plan: Plan, seed: int, paths: int, read: Callable[[Block], np.ndarray], workers: int | None = None) -> np.ndarray:
    """What `read` says of each block of the first `paths` paths, side by side: (..., paths).

    read     is handed a block that holds the draws alone; it changes them, calls `stages.serve` or `stages.follow` as often as it
             wants, and returns an array of its own with the lanes last
    returns  the same bits for any number of workers; a path is that of the run with the same seed
    """
    free: deque[Block] = deque()
    firsts = range(0, paths, stages.LANES)
    todo = deque(firsts)

    def one(first: int) -> np.ndarray:
        todo.popleft()
        try:
            b = free.pop()
        except IndexError:
            b = stages.allocate(plan)
        stages.draw_inputs(b, seed, first, np.zeros(len(plan.factor_paths), np.int64))
        found = read(b)[..., : paths - first]
        if todo:  # else nobody here needs the block: there are never more of them than items that run
            free.append(b)
        return found

    return np.concatenate(list(in_order(one, firsts, workers or cores())), axis=-1)


def swap(b: Block, plan: Plan) -> Plan:
    """Hand the block another plan of the same shape; returns the one it had."""
    old, b.plan = b.plan, plan
    return old


class Look:
    """What a study reads of the first paths of a run as they are, so that nobody has to compute them again.

    shape  of what is read, without the paths
    read   is handed a block that has been filled, leaves it as it is, and returns (*shape, lanes)
    """

    def __init__(self, shape: tuple[int, ...], paths: int, read: Callable[[Block], np.ndarray]) -> None:
        self._firsts, self._paths, self._read = range(0, paths, stages.LANES), paths, read
        self._seen: dict[int, np.ndarray] = {}
        self.size = 8 * math.prod(shape) * paths  # bytes that will be held

    def see(self, b: Block) -> None:
        """Read a block of the run, if it is one of the first."""
        if b.first in self._firsts:
            self._seen[b.first] = self._read(b)[..., : self._paths - b.first]

    def values(self, plan: Plan, seed: int, workers: int | None = None) -> np.ndarray:
        """(*shape, paths); computed here where no run was looked at, or one that had its paths elsewhere."""
        if len(self._seen) == len(self._firsts):
            return np.concatenate([self._seen[first] for first in self._firsts], axis=-1)

        def read(b: Block) -> np.ndarray:
            stages.follow(b)
            return self._read(b)

        return by_block(plan, seed, self._paths, read, workers)


def fill_and_look(looks: Sequence[Look], b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
    """`stages.fill`, and what is to be read of the block."""
    stages.fill(b, seed, first, clipped)
    for look in looks:
        look.see(b)
