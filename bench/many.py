"""The accounts of many contracts: CPU seconds of settlement, recognition, ledger and worth, a path, contract and month.

The second book's first contract and its site stand in the book 1, 10 and 100 times, over 96 and 360 months. Only the accounts are
timed; what is placed comes from the block as it was filled.
"""

import time
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import yaml

from offtake import front, stages

CONTRACT, SITE = "north", "plains"


class Cost(NamedTuple):
    contracts: int
    months: int
    seconds: float  # a block


def many(count, months):
    """The book's text with `count` copies of one contract, each with a site of its own."""
    book = yaml.safe_load(front.locate("two-clouds").read_text(encoding="utf-8"))
    deal, site = book["contracts"][CONTRACT], book["sites"][SITE]
    book["months"] = months
    book["contracts"] = {f"c{n}": deepcopy(deal) | {"sites": [f"s{n}"], "priority": n + 1} for n in range(count)}
    book["sites"] = {f"s{n}": deepcopy(site) for n in range(count)}
    chat = book["workloads"]["chat"]
    # one workload: placement is not what is timed
    book["workloads"] = {"chat": chat | {"may_run": [f"c{n}" for n in range(count)], "home": "c0"}}
    book["companies"]["lab"]["customer"]["compute_cost"] = "3 to 12 M USD/month"
    for key in ("equity", "factors", "scenarios", "signals", "claims", "correlations"):
        book.pop(key)
    return yaml.safe_dump(book, allow_unicode=True)


def plan_of(count, months):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "many.yaml"
        path.write_text(many(count, months), encoding="utf-8")
        return front.compile(front.load(str(path)))


def cost(count, months, repeats):
    """CPU seconds of the accounts of one block of 64 paths, the least of some repeats."""
    plan = plan_of(count, months)
    b = stages.allocate(plan)
    stages.fill(b, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    found = np.inf
    for _ in range(repeats):
        start = time.process_time()
        stages._settle(b)
        stages._book(b)
        found = min(found, time.process_time() - start)
    return Cost(count, months, found)


def costs(repeats=7, counts=(1, 10, 100), lengths=(96, 360)):
    return [cost(count, months, repeats) for months in lengths for count in counts]
