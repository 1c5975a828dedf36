"""What if: the first paths of a run once more, with what was drawn changed by hand and everything else as it was (U-03)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

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
