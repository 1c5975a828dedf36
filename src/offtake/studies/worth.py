"""The tree on a run's closes, computed once for answers 10 and 12 and the verb `tree`."""

from __future__ import annotations

from typing import Any

from ..errors import QuestionError
from . import levels, positions
from .asked import Run
from .branches import leaves
from .walks import Weights, prices


def tree(run: Run) -> dict[str, Any]:
    """Leaves, prices, statements and positions. Raises QuestionError where an input is missing."""
    book = run.plan.book
    if book.tree is None:
        raise QuestionError("this book declares no `tree:`")
    if run.closes is None:
        raise QuestionError("the tree needs daily closes: --closes FILE")
    priced = prices(book.tree, leaves(run), run.closes, run.stamp.seed)
    held = positions.weights(priced, book) if book.positions else Weights.none(len(priced.tickers))
    falls = levels.falls_of(priced)
    walked = {which: priced.walk(which, falls, held if which == "with" else None) for which in levels.WHICH}
    return {
        "tree": levels.tree_table(priced, book),
        "statements": levels.statements(priced, book, walked),
        "positions": positions.table(priced, book, held, walked["with"]),
        "short_candidates": {"rule": positions.RULE, "tickers": positions.candidates(book)},
        "note": "Prices in USD, profits as shares of the money put in. Not investment advice.",
    }
