"""Profit and loss of the book's positions: by leaf, over all paths, and what each is long or short (V-08).

A position is bought at the last close with its weight of the money, left alone to the end of the tree's year, and sold there.
Profits are shares of that money (a weight of 100 % puts all of it in). A short pays `borrow` a year; `trading` is paid once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..book.terms import Book, Position
from ..errors import QuestionError
from ..kernels.prices import Walked
from .branches import Leaf, error_over, mean_over, quantile_over
from .pricing import Rows
from .sensitivity import ranks
from .tabulate import SHOWN
from .walks import Prices, Weights

TOTAL = "all positions"
TAIL = 0.05
NOISE = 3.0  # standard errors of a rank correlation
RULE = "sells computing capacity, is listed, and no contract of this book lets it sell to a frontier lab"


def candidates(book: Book) -> list[str]:
    """Tickers by the rule: who sells capacity without a frontier-lab contract (V-08)."""
    served = {c.provider for c in book.contracts.values() if book.companies[c.customer].frontier_lab}
    return [c.ticker for n, c in book.companies.items() if c.sells_compute and c.ticker and n not in served]


def tickers_of(book: Book, position: Position) -> list[str]:
    """What a position holds. Raises QuestionError where its rule finds nothing."""
    if position.rule:
        found = candidates(book)
        if not found:
            raise QuestionError(f"no company of this book {RULE}")
        return found
    return position.basket or [position.ticker]


def weights(prices: Prices, book: Book) -> Weights:
    """Positions, and their sum last. Raises QuestionError where the tree prices no such ticker."""
    names, rows, cost, fee = [], [], [], []
    for name, position in book.positions.items():
        row = np.zeros(len(prices.tickers))
        held = tickers_of(book, position)
        size, sign = position.weight.median(), 1.0 if position.side == "long" else -1.0
        for ticker in held:
            if ticker not in prices.tickers:
                raise QuestionError(f"positions.{name} holds {ticker}, which `tree.prices` does not price")
            row[prices.tickers.index(ticker)] += sign * size / len(held)
        names.append(name)
        rows.append(row)
        cost.append(size * position.borrow.median() if position.borrow and position.side == "short" else 0.0)
        fee.append(size * position.trading.median() if position.trading else 0.0)
    return Weights(
        (*names, TOTAL), np.vstack([*rows, np.sum(rows, axis=0)]), np.array([*cost, sum(cost)]), np.array([*fee, sum(fee)])
    )


def table(prices: Prices, book: Book, held: Weights, walked: list[Walked]) -> list[dict[str, Any]]:
    """One entry a position: over all paths, by leaf, and the assumption it rests on."""
    found = []
    for b, name in enumerate(held.names):
        position = book.positions.get(name)
        profit, trough = [w.profit[:, b] for w in walked], [w.trough[:, b] for w in walked]
        found.append(
            {
                "position": name,
                "side": position.side if position else "sum",
                "holds": {t: float(w) for t, w in zip(prices.tickers, held.weight[b]) if w},
                "borrow_a_year": float(held.cost[b]),
                "trading": float(held.fee[b]),
            }
            | losses(prices.leaves, profit, trough)
            | {"by_leaf": [_leaf(prices, held.weight[b], i, profit, trough) for i in range(len(prices.leaves))]}
            | {"assumption": _assumption(prices, position, held.weight[b]) if position else None}
        )
    return found


def losses(leaves: Sequence[Leaf], profit: Rows, trough: Rows) -> dict[str, Any]:
    """Mean with its error, quantiles, value at risk and the mean beyond it, and the fall from the high."""
    quantile = {name: quantile_over(leaves, profit, p) for p, name in SHOWN.items()}
    at = quantile["p05"]
    beyond = [(p <= at).astype(float) for p in profit]
    return {
        "mean": mean_over(leaves, profit),
        "se": error_over(leaves, profit),
        **quantile,
        "p_loss": mean_over(leaves, [(p < 0).astype(float) for p in profit]),
        "var_95": -at,
        "cvar_95": -mean_over(leaves, [p * b for p, b in zip(profit, beyond)]) / mean_over(leaves, beyond),
        "peak_to_trough": {"p50": quantile_over(leaves, trough, 0.5), "p95": quantile_over(leaves, trough, 0.95)},
    }


def _leaf(prices: Prices, weight: np.ndarray, i: int, profit: Rows, trough: Rows) -> dict[str, Any]:
    """A leaf's mean profit, and what the forecasts say of it by revenue, margin and the rest, before residual moves (A-08)."""
    split: dict[str, float] = {}
    for w, priced in zip(weight, prices.priced.values()):
        for part, rows in priced.split.items():
            if w:
                split[part] = split.get(part, 0.0) + float(w * prices.terms.growth * (rows[i].mean()))
    leaf = prices.leaves[i]
    return {
        "leaf": leaf.name,
        "probability": leaf.chance,
        "mean": float(profit[i].mean()),
        "p05": quantile_over([leaf], profit[i : i + 1], TAIL),
        "p95": quantile_over([leaf], profit[i : i + 1], 1.0 - TAIL),
        "peak_to_trough": quantile_over([leaf], trough[i : i + 1], 0.5),
        "surprise": split,
    }


def _assumption(prices: Prices, position: Position, weight: np.ndarray) -> dict[str, Any]:
    """Whether a position is long or short the input it names: rank correlation inside leaves with its worth before residual moves."""
    names = prices.leaves[0].names
    told: dict[str, Any] = {"input": position.assumption, "rank_correlation": None}
    if position.assumption not in names:
        return told | {"is": "not drawn in this book"}
    row = names.index(position.assumption)
    correlation = 0.0
    for i, leaf in enumerate(prices.leaves):
        worth = sum(w * np.exp(p.surprise[i]) for w, p in zip(weight, prices.priced.values()) if w)
        correlation += leaf.chance * _rank_correlation(leaf.inputs[row], worth)
    told["rank_correlation"] = correlation
    strong = abs(correlation) >= NOISE / np.sqrt(len(prices.leaves[0].inputs[row]))
    return told | {"is": ("long it" if correlation > 0 else "short it") if strong else "neither long nor short it beyond the noise"}


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return 0.0
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])
