"""What months that share a commitment cost: books as they ship, and the same with every commitment trued up month by month."""

import time

import numpy as np
import yaml

from bench.features import merged
from offtake import coupling, front, stages
from offtake.book import text
from offtake.book.terms import Book


def apart(name: str) -> Book:
    """A shipped book whose take-or-pay contracts are trued up every month, so that none of its months touch."""
    raw = yaml.load(front.locate(name).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    deals = {key: {"true_up": "month"} for key, deal in raw["contracts"].items() if deal.get("form") == "take_or_pay"}
    return text.read(yaml.safe_dump(merged(raw, {"contracts": deals}), sort_keys=False, allow_unicode=True))


def cost(name: str, runs: int) -> tuple[float, float, np.ndarray]:
    """CPU seconds of a block of 64 paths, as shipped and month by month, each the least of some runs taken in turn; and the gaps of all
    paths as shipped."""
    blocks = [stages.allocate(front.compile(book)) for book in (front.load(name), apart(name))]
    best, gaps = [np.inf, np.inf], []
    for n in range(runs + 1):
        for i, block in enumerate(blocks):
            start = time.process_time()
            stages.fill(block, 1, n * stages.LANES, np.zeros(len(block.plan.factor_paths), np.int64))
            if n:  # the first call compiles
                best[i] = min(best[i], time.process_time() - start)
        gaps.append(coupling.of_paths(blocks[0]))
    return best[0], best[1], np.concatenate(gaps)
