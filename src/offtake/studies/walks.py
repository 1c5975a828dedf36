"""Daily prices under the tree, under the tree without the deal, and by plain diffusion, all with the same residual moves (V-07).

The residual volatility is what the closes show beyond what leaves and paths explain: sigma^2 days - Var(surprise), never below 0.
Plain diffusion has the whole volatility of the closes, no leaves, and the same required return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..book.market import Tree
from ..book.numbers import Number
from ..closes import Closes
from ..errors import QuestionError
from ..kernels.prices import Asked, Market, Walked, walk_block
from ..market import DAYS_A_YEAR, log_returns, volatility
from .branches import Leaf, drawn, error_over, mean_over
from .pricing import Priced, Rows, Terms, price_all, terms_of

OPENS, TAKES = 1, 2  # own inputs of the tree: when its news begins, and how long it takes
FEWEST = 60  # common days for volatilities and correlations
JITTER = 1e-9
ANY_TIME = Number(kind="uniform", params=(0.0, 1.0), unit="", text="uniform(0, 1)")


@dataclass(frozen=True)
class Weights:
    """Positions as rows of shares of money in each ticker, with yearly cost and a fee once."""

    names: tuple[str, ...]
    weight: np.ndarray  # (B, J)
    cost: np.ndarray  # (B,)
    fee: np.ndarray  # (B,)

    @staticmethod
    def none(tickers: int) -> Weights:
        return Weights((), np.zeros((0, tickers)), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Prices:
    """The tree priced on closes: what every statement and position reads."""

    tree: Tree
    leaves: Sequence[Leaf]
    closes: Closes
    priced: dict[str, Priced]
    seed: int

    @property
    def tickers(self) -> tuple[str, ...]:
        return tuple(self.priced)

    @cached_property
    def terms(self) -> Terms:
        return terms_of(self.tree, self.closes.days[-1])

    @cached_property
    def sigma(self) -> np.ndarray:
        """Volatility a day of each ticker's closes (J,)."""
        return np.array([volatility(self.closes.of(t)) for t in self.tickers])

    @cached_property
    def explained(self) -> np.ndarray:
        """Variance of the surprise over leaves and paths (J,)."""
        found = []
        for p in self.priced.values():
            mean = mean_over(self.leaves, p.surprise)
            found.append(mean_over(self.leaves, [(s - mean) ** 2 for s in p.surprise]))
        return np.array(found)

    @cached_property
    def residual(self) -> np.ndarray:
        """Volatility a day that leaves and paths do not explain (J,)."""
        days = self.terms.days
        found: np.ndarray = np.sqrt(np.maximum(self.sigma**2 * days - self.explained, 0.0) / days)
        return found

    @cached_property
    def lower(self) -> np.ndarray:
        """Lower factor of the correlation of daily log returns (J, J), over days on which all are known."""
        moves = log_returns(np.column_stack([self.closes.of(t) for t in self.tickers]))
        if len(moves) < FEWEST:
            raise QuestionError(f"{len(moves)} days on which {', '.join(self.tickers)} all have closes; the tree needs {FEWEST}")
        matrix = np.atleast_2d(np.corrcoef(moves, rowvar=False))
        found: np.ndarray = np.linalg.cholesky((matrix + JITTER * np.eye(len(matrix))) / (1.0 + JITTER))
        return found

    def market(self, leaf: int, which: str) -> Market:
        """What a walk of one leaf needs; `which` is with, without or diffusion."""
        one = self.leaves[leaf]
        count, days = one.inputs.shape[1], float(self.terms.days)
        surprise = {
            "with": [p.surprise[leaf] for p in self.priced.values()],
            "without": [p.without[leaf] for p in self.priced.values()],
            "diffusion": [np.zeros(count) for _ in self.priced],
        }[which]
        sigma = self.sigma if which == "diffusion" else self.residual
        assert one.book.tree is not None
        takes = np.clip(drawn(one.book.tree.priced_over, self.seed, TAKES, one.numbers), 1.0, days)
        opens = drawn(ANY_TIME, self.seed, OPENS, one.numbers) * (days - takes)
        drift = np.full(len(self.priced), np.log1p(self.terms.required) / DAYS_A_YEAR)
        return Market(drift, sigma, self.lower, np.column_stack(surprise), opens, takes)

    def walk(self, which: str, falls: Sequence[tuple[str, int]], held: Weights | None = None) -> list[Walked]:
        """Every leaf's paths, day by day; `falls` are (ticker, trading days)."""
        held = held or Weights.none(len(self.tickers))
        asked = Asked(
            np.array([self.tickers.index(t) for t, _ in falls], np.int64), np.array([n for _, n in falls], np.int64),
            held.weight, held.cost, held.fee,
        )  # fmt: skip
        found = []
        for leaf in range(len(self.leaves)):
            n, j = self.leaves[leaf].inputs.shape[1], len(self.tickers)
            shapes = ((n, j), (n, j), (n, len(falls)), (n, len(held.names)), (n, len(held.names)))
            out = Walked(*(np.zeros(shape) for shape in shapes))
            walk_block(self.market(leaf, which), asked, self.seed, self.leaves[leaf].numbers, self.terms.days, out)
            found.append(out)
        return found


def prices(tree: Tree, leaves: Sequence[Leaf], closes: Closes, seed: int) -> Prices:
    """Price every ticker at every leaf. Raises QuestionError where the closes lack one."""
    missing = [t for t in tree.prices if not closes.has(t)]
    if missing:
        raise QuestionError(f"the closes hold no {', '.join(missing)}, which the tree prices; they hold {', '.join(closes.tickers)}")
    return Prices(tree, leaves, closes, price_all(tree, leaves, closes, seed), seed)


def chances(leaves: Sequence[Leaf], happened: Rows) -> dict[str, Any]:
    """Probability with its error, and by leaf; `happened` is 0 or 1 a path."""
    return {
        "probability": mean_over(leaves, happened),
        "se": error_over(leaves, happened),
        "by_leaf": {leaf.name: float(h.mean()) for leaf, h in zip(leaves, happened)},
    }
