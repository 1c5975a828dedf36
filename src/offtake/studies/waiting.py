"""What it is worth, in USD, to see each signal before a position is put on (E-04, V-08).

In the tree's own world: a path of a leaf prints the signal's figure and gives the position its profit, and counts by the leaf's chance and
by what was observed. A profit is the mean over residual moves of closes, which nothing that is printed foretells. The position is
bought at the last close or not at all; what the price does until the figure is out is not in it, so waiting is worth this at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..evidence.information import GROUPS
from ..evidence.observations import Observation
from ..evidence.waiting import worth_of_waiting
from ..kernels.prices import DAYS_A_YEAR
from ..tables import plain
from . import positions
from .asked import Run
from .branches import Leaf, error_over, mean_over
from .signals import figure_of, measures_of
from .tree_given import Given, given, missing
from .walks import Prices, Weights

MONEY = "10 M USD"


@dataclass(frozen=True)
class Stakes:
    """What a weight of 100 % is in USD, and the sizes among which one chooses, as shares of the position; 0 is nothing."""

    money: float
    sizes: tuple[float, ...] = (0.0, 1.0)


def sizes_of(text: str) -> tuple[float, ...]:
    """`0, 0.5, 1` or `0 %, 50 %, 100 %` as shares, smallest first. Raises QuestionError."""
    found = []
    for part in text.split(","):
        try:
            share = float(part.strip().removesuffix("%")) / (100.0 if part.strip().endswith("%") else 1.0)
        except ValueError:
            raise QuestionError(f"'{part.strip()}' is no size; write --sizes '0, 50 %, 100 %', shares of the position") from None
        if not 0.0 <= share <= 10.0:
            raise QuestionError(f"a size of {part.strip()} is not between 0 and 10 positions; the other side is a position of its own")
        found.append(share)
    if len(set(found)) < 2:
        raise QuestionError(f"'{text}' leaves nothing to choose; write --sizes '0, 100 %'")
    return tuple(sorted(set(found)))


def beside(run: Run, observations: Sequence[Observation], told: dict[str, Any], stakes: Stakes) -> dict[str, Any]:
    """A watch list with the positions: the best size of each now, and by signal what seeing it first is worth; or what is missing."""
    book = run.plan.book
    lacks = missing(run) or (None if book.positions else "this book declares no `positions:`")
    if lacks:
        return told | {"positions": {"missing": lacks}}
    texts = measures_of(run.plan)
    found = given(run, observations, list(texts.values()), fresh=False)
    leaves = found.after or list(found.before)
    held = positions.weights(found.prices, book)
    profits = {name: expected(found.prices, held, b) for b, name in enumerate(held.names) if name != positions.TOTAL}
    figures = {
        name: [figure_of(run.plan, i, leaf.values[text], run.stamp.seed) for leaf in leaves] for i, (name, text) in enumerate(texts.items())
    }
    worths = {key: {name: seen_first(leaves, rows, profit, stakes) for name, profit in profits.items()} for key, rows in figures.items()}
    for row in told["signals"]:
        row["positions"] = [_row(row, name, worths) for name in profits]
    return told | {"positions": _head(found, leaves, profits, stakes)}


def _head(found: Given, leaves: Sequence[Leaf], profits: dict[str, list[np.ndarray]], stakes: Stakes) -> dict[str, Any]:
    """What each position is worth unseen, at its best size."""
    best = []
    for name, rows in profits.items():
        mean = stakes.money * mean_over(leaves, rows)
        size = stakes.sizes[-1] if mean > 0.0 else stakes.sizes[0]
        error = size * stakes.money * error_over(leaves, rows)
        best.append({"position": name, "size": size, "mean": size * mean, "se": plain(error)})
    note = "nothing observed yet" if found.told["method"] == "none" else "the observations taken in"
    if found.told["method"] == "refused":
        note = f"{found.told['refused']}: figures are those of the prior"
    return {
        "money": stakes.money, "sizes": list(stakes.sizes), "paths": found.told["paths"], "closes_to": str(found.prices.closes.days[-1]),
        "note": note, "best_now": best,
        "estimator": "best size by cell of the figure chosen on one half of the paths and judged on the other, both ways round; `at_most` "
        "on the same paths; error by jackknife over 16 groups",
    }  # fmt: skip


def expected(prices: Prices, held: Weights, b: int) -> list[np.ndarray]:
    """Mean profit of a position on every path of each leaf, over residual moves: a share of the money put in."""
    years = prices.terms.days / DAYS_A_YEAR
    growth = (1.0 + prices.terms.required) ** years
    rows = []
    for i, leaf in enumerate(prices.leaves):
        profit = np.full(len(leaf.share), -held.fee[b] - held.cost[b] * years)
        for weight, priced in zip(held.weight[b], prices.priced.values()):
            profit += weight * (growth * np.exp(priced.surprise[i]) - 1.0)
        rows.append(profit)
    return rows


def seen_first(leaves: Sequence[Leaf], figure: Sequence[np.ndarray], profit: Sequence[np.ndarray], stakes: Stakes) -> dict[str, Any]:
    """Value of seeing a figure before choosing a size; figure and profit (N,) a leaf."""
    gain = stakes.money * np.concatenate(list(profit))
    weights, groups = (np.concatenate(rows) for rows in ([x.share for x in leaves], [x.numbers % GROUPS for x in leaves]))
    return worth_of_waiting(np.concatenate(list(figure)), np.outer(stakes.sizes, gain), weights, groups).to_dict()


def _row(signal: dict[str, Any], name: str, worths: dict[str, dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """One position beside one signal: by its chance to be published, its proxy by the rest."""
    never, own = signal["never"], worths[signal["signal"]][name]
    proxy = worths.get(f"{signal['signal']} proxy", {}).get(name)
    value, error = (1.0 - never) * own["value"], (1.0 - never) * own["se"]
    if proxy:
        value, error = value + never * proxy["value"], float(np.hypot(error, never * proxy["se"]))
    return {"position": name, "value": value, "se": error, "if_published": own, "proxy": proxy}
