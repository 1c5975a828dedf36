"""Wrong-way risk: the same book with the link between demand and solvency cut (V-04).

With the link, the users who fill the GPUs are those who pay the customer's bills: one bad future empties the pools, breaks the
customer, and sells its hours into a weak market at the same time. Cut, each path keeps its demand, supply and market, and gets the
customer of another path: revenue, cost, cash and raises drawn alike and independent of the rest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import stages
from ..block import Block
from ..plan import Plan
from ..questions import Question, read_all
from ..world.draws import off_sobol
from .whatif import by_block, swap

PATHS = 512
APART = 1 << 40  # a path so far away is in no run: the customer comes from there, drawn at random, tied to no point of the run


def own_rows(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Rows of X and of Y that are the customers' alone: what decides whether they can pay."""
    table = plan.customers._asdict()
    found = (np.unique(np.concatenate([rows for name, rows in table.items() if name.endswith(end)])) for end in ("_x", "_y"))
    x, y = (rows[rows >= 0] for rows in found)
    return x, y


def cut(plan: Plan, seed: int, paths: int, questions: list[Question], workers: int | None = None) -> np.ndarray:
    """The questions' rows on the first paths with the link cut: (rows, paths)."""
    x, y = own_rows(plan)
    width = sum(q.width for q in questions)
    strangers = replace(plan, draws=off_sobol(plan.draws))

    def read(b: Block) -> np.ndarray:
        seen_x, seen_y, seen_z, scenario, first = b.X.copy(), b.Y.copy(), b.Z.copy(), b.scenario.copy(), b.first
        swap(b, strangers)
        stages.draw_inputs(b, seed, first + APART, np.zeros(len(plan.factor_paths), np.int64))
        swap(b, plan)
        seen_x[x], seen_y[y] = b.X[x], b.Y[y]
        b.X[:], b.Y[:], b.Z[:], b.scenario[:], b.first = seen_x, seen_y, seen_z, scenario, first
        stages.follow(b)
        found = np.empty((width, stages.LANES))
        read_all(questions, b, found)
        return found

    return by_block(plan, seed, paths, read, workers)
