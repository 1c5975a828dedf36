"""The first book with every feature on: what the features cost, and that everything holds with all of them at once."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from offtake import front, stages
from offtake.book import text
from offtake.book.check import check
from offtake.book.terms import Book
from offtake.identities import worst_of
from offtake.studies.journal import imbalance

OVERLAY = Path(__file__).parent / "books" / "everything.yaml"


def merged(old: Any, new: Any) -> Any:
    """`new` laid over `old`, mapping by mapping."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}


def everything() -> Book:
    """The first book, patched and checked."""
    raw, more = (yaml.load(p.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) for p in (front.locate("openai-aws"), OVERLAY))
    book = text.read(yaml.safe_dump(merged(raw, more), sort_keys=False, allow_unicode=True))
    faults = [issue.to_text() for issue in check(book)]
    if faults:
        raise ValueError("\n".join(faults))
    return book


def cost(runs: int, lanes: int = stages.LANES) -> tuple[float, float]:
    """CPU seconds of a block of 64 paths, draws to identities: of the first book, and of the same with every feature on. Each the least of
    some runs, taken in turn."""
    blocks = [stages.allocate(front.compile(book)) for book in (front.load("openai-aws"), everything())]
    best = [np.inf, np.inf]
    for n in range(runs + 1):
        for i, block in enumerate(blocks):
            start = time.process_time()
            stages.fill(block, 1, n * lanes, np.zeros(len(block.plan.factor_paths), np.int64))
            worst_of(block, lanes)
            if n:  # the first call compiles
                best[i] = min(best[i], time.process_time() - start)
    return best[0], best[1]


def worst(paths: int) -> tuple[float, str]:
    """Of all identities and all journal entries on all paths of the book with everything on: the worst, and where it stands."""
    block = stages.allocate(front.compile(everything()))
    found = (0.0, "none")
    for first in range(0, paths, stages.LANES):
        lanes = min(stages.LANES, paths - first)
        stages.fill(block, 1, first, np.zeros(len(block.plan.factor_paths), np.int64))
        told = [(w.error, f"{w.rule}, path {first + w.path}, month {w.month}") for w in worst_of(block, lanes)]
        left, where = imbalance(block, lanes)
        found = max([found, *told, (left, f"journal: {where}, from path {first}")])
    return found
