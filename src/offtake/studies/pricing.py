"""Prices at the leaves: by stated multiples of measured forecasts, each anchored so that the tree reprices today's close (V-07).

    pe          P = multiple (operating income + rest) (1 - tax) / shares
    ev_revenue  P = (multiple (revenue + rest) - net debt) / shares
    elastic     P ~ (measure / its mean) ^ elasticity
    basket      log P moves by elasticity x sum of weight x the other tickers' moves

    anchor k:   sum over leaves of chance x mean(k P) / (1 + required return)^T = close at t0

`surprise` is log(k P / (close (1 + required return)^T)): what a path's news are worth, over what a holder must earn anyway.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from ..book.market import Pricing, Tree
from ..closes import Closes
from ..errors import QuestionError
from ..market import DAYS_A_YEAR
from .branches import Leaf, drawn, mean_over

FLOOR = 0.02  # of the mean price: a path with losses is not worth less
STAGES = 10  # years of growth in a reverse DCF
Rows = list[np.ndarray]  # one (N,) a leaf


@dataclass(frozen=True)
class Priced:
    """One ticker at the leaves; `without` is with the deals' capacity unbuilt, at the same anchor."""

    ticker: str
    close: float
    anchor: float
    surprise: Rows
    without: Rows
    floored: float  # share of paths at the floor
    growth: float | None  # a year for ten years after the tree's, as the close implies (reverse DCF)
    split: dict[str, Rows]  # of the surprise: revenue, margin, multiple, .. each over its mean


@dataclass(frozen=True)
class Terms:
    """What all tickers share: years from the last close to the end of the tree's year, and the growth that must be earned."""

    years: float
    required: float  # a year

    @property
    def growth(self) -> float:
        return float((1.0 + self.required) ** self.years)

    @property
    def days(self) -> int:
        return max(round(self.years * DAYS_A_YEAR), 1)


def terms_of(tree: Tree, last: date) -> Terms:
    """Raises QuestionError where the closes end after the tree."""
    years = (date(tree.year, 12, 31) - last).days / 365.25
    if years <= 0.0:
        raise QuestionError(f"the closes end on {last}, after the tree's year {tree.year}")
    return Terms(years, tree.required_return.median())


def price_all(tree: Tree, leaves: Sequence[Leaf], closes: Closes, seed: int) -> dict[str, Priced]:
    """Every ticker of the tree, baskets last. Raises QuestionError where the closes lack one."""
    terms = terms_of(tree, closes.days[-1])
    found: dict[str, Priced] = {}
    order = sorted(tree.prices, key=lambda t: tree.prices[t].method == "basket")
    for ticker in order:
        own = 10 * list(tree.prices).index(ticker) + 1
        pricing, close = tree.prices[ticker], closes.last(ticker)
        if pricing.method == "basket":
            found[ticker] = _basket(ticker, pricing, leaves, close, found, (seed, own))
        elif pricing.method == "elastic":
            found[ticker] = _elastic(ticker, pricing, leaves, close, (seed, own))
        else:
            found[ticker] = _multiple(ticker, tree, leaves, close, terms, (seed, own))
    return {ticker: found[ticker] for ticker in tree.prices}


def repriced(priced: Priced, leaves: Sequence[Leaf]) -> float:
    """Today's price by the tree: the discounted mean over all leaves."""
    return priced.close * mean_over(leaves, [np.exp(s) for s in priced.surprise])


def _anchored(leaves: Sequence[Leaf], values: Rows, target: float) -> tuple[float, Rows, float]:
    """Anchor, log values over target, and the share of paths lifted to the floor; values (N,) a leaf."""
    mean = mean_over(leaves, values)
    if not mean > 0.0:
        raise QuestionError("a price of the tree is not positive on average: mend its multiple, rest or net debt")
    lifted = [np.maximum(v, FLOOR * mean) for v in values]
    anchor = target / mean_over(leaves, lifted)
    return anchor, [np.log(anchor * v / target) for v in lifted], mean_over(leaves, [(v < FLOOR * mean).astype(float) for v in values])


def _of(leaves: Sequence[Leaf], measure: str, company: str | None, year: int) -> Rows:
    return [leaf.values[f"{measure} of companies.{company} @ {year}"] for leaf in leaves]


def _multiple(ticker: str, tree: Tree, leaves: Sequence[Leaf], close: float, terms: Terms, draw: tuple[int, int]) -> Priced:
    """A price by a multiple of the tree year's earnings or revenue."""
    pricing, name = tree.prices[ticker], tree.prices[ticker].company
    earns = pricing.method == "pe"
    multiple, rest = (_drawn(leaves, ticker, key, draw, i) for i, key in enumerate(("multiple", "rest")))
    rest = [np.nan_to_num(r) for r in rest]  # absent: all of the company is modelled
    kept = [_kept(leaf, name, earns) for leaf in leaves]
    debt = [np.nan_to_num(d) for d in _drawn(leaves, ticker, "net_debt", draw, 2)]

    def value(modelled: Rows) -> Rows:
        return [(m * (x + r) * k - d) for m, x, r, k, d in zip(multiple, modelled, rest, kept, debt)]

    measure, without = ("operating_income", "income_without") if earns else ("revenue", "revenue_without")
    modelled = _of(leaves, measure, name, tree.year)
    anchor, surprise, floored = _anchored(leaves, value(modelled), close * terms.growth)
    mean = mean_over(leaves, value(modelled))
    bare = [
        np.log(anchor * np.maximum(v, FLOOR * mean) / (close * terms.growth)) for v in value(_of(leaves, without, name, tree.year))
    ]
    earnings = [(x + r) * k for x, r, k in zip(modelled, rest, kept)]
    growth = reverse_dcf(close * terms.growth, mean_over(leaves, earnings), terms.required, tree.terminal_growth.median())
    split = _split(leaves, tree, ticker, earns, {"multiple": multiple, "rest": rest})
    return Priced(ticker, close, anchor, surprise, bare, floored, growth if earns else None, split)


def _kept(leaf: Leaf, company: str | None, earns: bool) -> float:
    """What a dollar of the forecast is a share: after tax for earnings, over the shares outstanding; medians."""
    assert company is not None
    own = leaf.book.companies[company]
    assert own.shares is not None
    tax = own.tax_rate.median() if earns and own.tax_rate is not None else 0.0
    return (1.0 - tax) / own.shares.median()


def _drawn(leaves: Sequence[Leaf], ticker: str, key: str, draw: tuple[int, int], offset: int) -> Rows:
    """A number of a ticker's pricing on the paths of every leaf, as the leaf's book has it."""
    found = []
    for leaf in leaves:
        assert leaf.book.tree is not None
        found.append(drawn(getattr(leaf.book.tree.prices[ticker], key), draw[0], draw[1] + offset, leaf.numbers))
    return found


def _split(leaves: Sequence[Leaf], tree: Tree, ticker: str, earns: bool, drew: dict[str, Rows]) -> dict[str, Rows]:
    """Log moves of what a price is a product of (A-08): revenue at the mean margin, margin beyond that, rest, multiple."""
    name = tree.prices[ticker].company
    revenue, rest = _of(leaves, "revenue", name, tree.year), drew["rest"]
    income = _of(leaves, "operating_income", name, tree.year) if earns else revenue
    margin = mean_over(leaves, income) / mean_over(leaves, revenue)
    fixed = mean_over(leaves, rest)
    whole = mean_over(leaves, income) + fixed

    def log_of(values: Rows) -> Rows:
        return [np.log(np.maximum(v, FLOOR * whole) / whole) for v in values]

    first = log_of([margin * r + fixed for r in revenue])
    both = log_of([x + fixed for x in income])
    every = log_of([x + r for x, r in zip(income, rest)])
    return {
        "revenue": first,
        "margin": [b - a for a, b in zip(first, both)],
        "rest": [c - b for b, c in zip(both, every)],
        "multiple": [np.log(m / mean_over(leaves, drew["multiple"])) for m in drew["multiple"]],
    }


def _elastic(ticker: str, pricing: Pricing, leaves: Sequence[Leaf], close: float, draw: tuple[int, int]) -> Priced:
    """A price that follows a measure of the model."""
    followed = [leaf.values[str(pricing.follows)] for leaf in leaves]
    mean = mean_over(leaves, followed)
    if not (mean > 0.0 and all((f > 0.0).all() for f in followed)):
        raise QuestionError(f"the price of {ticker} follows '{pricing.follows}', which is not positive on every path")
    power = _drawn(leaves, ticker, "elasticity", draw, 3)
    anchor, surprise, floored = _anchored(leaves, [(f / mean) ** e for f, e in zip(followed, power)], 1.0)
    return Priced(ticker, close, anchor, surprise, surprise, floored, None, {str(pricing.follows): surprise})


def _basket(
    ticker: str, pricing: Pricing, leaves: Sequence[Leaf], close: float, priced: dict[str, Priced], draw: tuple[int, int]
) -> Priced:
    """A price that moves with other tickers."""
    total = sum(w.median() for w in pricing.weights.values())
    beta = _drawn(leaves, ticker, "elasticity", draw, 3) if pricing.elasticity else [np.ones(leaf.inputs.shape[1]) for leaf in leaves]

    def moves(of: str) -> Rows:
        rows = [(w.median() / total, getattr(priced[t], of)) for t, w in pricing.weights.items()]
        return [np.exp(beta[i] * sum(w * r[i] for w, r in rows)) for i in range(len(leaves))]

    anchor, surprise, floored = _anchored(leaves, moves("surprise"), 1.0)
    return Priced(ticker, close, anchor, surprise, [np.log(anchor * m) for m in moves("without")], floored, None, {"basket": surprise})


def reverse_dcf(price: float, earnings: float, required: float, terminal: float) -> float | None:
    """Yearly growth of earnings for ten years, then `terminal` for ever, that makes them worth `price`; None where none does.

    price, earnings  USD a share at the same date; earnings of the year that ends there, all of them free cash
    """
    if not (earnings > 0.0 and required > terminal):
        return None

    def worth(growth: float) -> float:
        step = (1.0 + growth) / (1.0 + required)
        years = sum(step**t for t in range(1, STAGES + 1))
        return earnings * (years + step**STAGES * (1.0 + terminal) / (required - terminal))

    low, high = -0.99, 10.0
    if not worth(low) <= price <= worth(high):
        return None
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if worth(middle) < price else (low, middle)
    found = 0.5 * (low + high)
    return found if math.isfinite(found) else None
