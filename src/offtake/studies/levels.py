"""Statements about prices: their chance with the deal, without it, and by plain diffusion; and what must hold (V-07)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..book.market import Statement
from ..book.terms import Book
from ..kernels.prices import Walked
from ..market import DAYS_A_YEAR, chance_at, chance_of_a_fall, chance_touched, worst_fall
from .branches import mean_over, quantile_over
from .pricing import repriced
from .walks import Prices, chances

WHICH = ("with", "without", "diffusion")


def tree_table(prices: Prices, book: Book) -> dict[str, Any]:
    """Leaves with their chances, tickers with anchor, reprice error, volatilities and the growth that the close implies."""
    rows = []
    for j, (ticker, p) in enumerate(prices.priced.items()):
        again = repriced(p, prices.leaves)
        rows.append(
            {
                "ticker": ticker,
                "method": prices.tree.prices[ticker].method,
                "close": p.close,
                "anchor": p.anchor,
                "repriced": again,
                "reprice_error": abs(again / p.close - 1.0),
                "volatility": float(prices.sigma[j] * math.sqrt(DAYS_A_YEAR)),
                "residual": float(prices.residual[j] * math.sqrt(DAYS_A_YEAR)),
                "explained": float(prices.explained[j] / (prices.sigma[j] ** 2 * prices.terms.days)),
                "floored": p.floored,
                "implied_growth": p.growth,
                "by_leaf": {leaf.name: _price(prices, p.surprise[i], p.close) for i, leaf in enumerate(prices.leaves)},
                "without_deal": mean_over(prices.leaves, [np.exp(s) for s in p.without]) - again / p.close,
            }
        )
    leaves = [
        {"leaf": leaf.name, "nodes": list(leaf.nodes), "title": ", ".join(prices.tree.nodes[n].title for n in leaf.nodes),
         "probability": leaf.chance, "paths": leaf.inputs.shape[1]}
        for leaf in prices.leaves
    ]  # fmt: skip
    terms = {"from": str(prices.closes.days[-1]), "to": f"{prices.tree.year}-12-31", "years": prices.terms.years, "days": prices.terms.days}
    return {"leaves": leaves, "prices": rows, "required_return": prices.terms.required} | terms


def _price(prices: Prices, surprise: np.ndarray, close: float) -> float:
    """Mean price of a leaf at the end of the tree's year, before residual moves."""
    return float(close * prices.terms.growth * np.exp(surprise).mean())


def falls_of(prices: Prices) -> list[tuple[str, int]]:
    """(ticker, days) of all statements about falls, each once."""
    return list(dict.fromkeys((s.ticker, s.days or 1) for s in prices.tree.statements.values() if s.fall is not None))


def statements(prices: Prices, book: Book, walked: dict[str, list[Walked]]) -> list[dict[str, Any]]:
    """Every statement of the tree; `walked` has the walks with, without and by diffusion."""
    falls = falls_of(prices)
    found = []
    for name, said in prices.tree.statements.items():
        told: dict[str, Any] = {"statement": name, "title": said.title, "ticker": said.ticker, "until": f"{prices.tree.year}-12-31"}
        came = {which: [happened(prices, book, said, falls, w) for w in walked[which]] for which in WHICH}
        told |= {which: chances(prices.leaves, rows) for which, rows in came.items()}
        del told["diffusion"]["by_leaf"]  # the same in each
        told["deal_adds"] = chances(prices.leaves, [a - b for a, b in zip(came["with"], came["without"])])
        found.append(told | (_level(prices, book, said) if said.above is not None else _fall(prices, said)))
    return found


def _ratio(prices: Prices, book: Book, said: Statement) -> float:
    """The level as a multiple of today's close, at today's count of shares."""
    company = prices.tree.prices[said.ticker].company
    assert company is not None and said.above is not None
    shares = book.companies[company].shares
    assert shares is not None
    return said.above.median() / (shares.median() * prices.priced[said.ticker].close)


def happened(prices: Prices, book: Book, said: Statement, falls: list[tuple[str, int]], walked: Walked) -> np.ndarray:
    """Whether a statement came true on each path of one leaf (N,), 0 or 1."""
    j = prices.tickers.index(said.ticker)
    if said.fall is not None:
        worst = walked.fall[:, falls.index((said.ticker, said.days or 1))]
        return (worst <= math.log(1.0 - said.fall.median())).astype(float)
    level = math.log(_ratio(prices, book, said))
    reached = walked.highest[:, j] if said.reading == "touch" else walked.end[:, j]
    return (reached >= level).astype(float)


def _level(prices: Prices, book: Book, said: Statement) -> dict[str, Any]:
    """The reading, the closed form of plain diffusion, and what the forecast or the multiple must be."""
    j, p, ratio = prices.tickers.index(said.ticker), prices.priced[said.ticker], _ratio(prices, book, said)
    drift, sigma, days = math.log1p(prices.terms.required) / DAYS_A_YEAR, float(prices.sigma[j]), float(prices.terms.days)
    chance = chance_touched if said.reading == "touch" else chance_at
    surprise = math.log(ratio / prices.terms.growth)
    reach = float(mean_over(prices.leaves, [(s >= surprise).astype(float) for s in p.surprise]))
    return {
        "reading": f"{'any close until then' if said.reading == 'touch' else 'the close on that day'}, at today's count of shares",
        "level": said.above.median() if said.above else None,
        "over_close": ratio,
        "diffusion_closed_form": chance(ratio, drift, sigma, days),
        "must_hold": {
            "growth_a_year": ratio ** (1.0 / prices.terms.years) - 1.0,
            "forecast_times_multiple_over_mean": ratio / prices.terms.growth,
            "median_of_it": math.exp(quantile_over(prices.leaves, p.surprise, 0.5)),
            "share_of_paths_whose_forecast_does": reach,
        },
    }


def _fall(prices: Prices, said: Statement) -> dict[str, Any]:
    """The reading, what closes have seen, and the closed form of plain diffusion for one day."""
    assert said.fall is not None and said.days is not None
    j, fall = prices.tickers.index(said.ticker), said.fall.median()
    drift, sigma = math.log1p(prices.terms.required) / DAYS_A_YEAR, float(prices.sigma[j])
    one = chance_of_a_fall(fall, drift, sigma, float(prices.terms.days)) if said.days == 1 else None
    days = "one trading day" if said.days == 1 else f"{said.days} trading days"
    return {
        "reading": f"a fall of {said.ticker} by {100 * fall:g} % or more over {days}, at any time until then; not a fall from a high",
        "diffusion_closed_form": one,
        "worst_in_closes": worst_fall(prices.closes.of(said.ticker), said.days),
        "closes": len(prices.closes.days),
        "in_standard_deviations": -math.log(1.0 - fall) / (sigma * math.sqrt(said.days)),
    }
