"""A path never reads another, nor what a worker computed before it: the bits of a block are its own (U-01)."""

import numpy as np
import pytest

from bench.features import everything
from offtake import front, stages

LANES = 8


def filled(plan, *firsts):
    """Every array of a block, by name, after the paths from each of these on were computed in it."""
    block, clipped = stages.allocate(plan, LANES), np.zeros(len(plan.factor_paths), np.int64)
    for first in firsts:
        stages.fill(block, 1, first, clipped)
    found = {}
    for name, value in vars(block).items():
        parts = value._asdict() if hasattr(value, "_fields") else {"": value}
        found |= {f"{name} {part}": array.copy() for part, array in parts.items() if isinstance(array, np.ndarray)}
    return found


@pytest.mark.parametrize("book", ["two-clouds", "openai-aws", "everything"])
def test_a_block_has_the_bits_of_one_that_is_filled_fresh(book: str) -> None:
    plan = front.compile(everything() if book == "everything" else front.load(book))
    after, fresh = filled(plan, 0, 128, 64), filled(plan, 64)
    unlike = [name for name, array in fresh.items() if not np.array_equal(array, after[name], equal_nan=True)]
    assert len(fresh) > 100 and not unlike
