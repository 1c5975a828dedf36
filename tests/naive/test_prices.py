"""Daily walks against plain Python, the laws of diffusion, and a position by hand."""

import math

import numpy as np
import pytest

from offtake import market as laws
from offtake.kernels import prices
from offtake.kernels.draw import inverse_normal, uniform


def walked(n: int, j: int, falls: int = 0, positions: int = 0) -> prices.Walked:
    return prices.Walked(*(np.zeros(s) for s in ((n, j), (n, j), (n, falls), (n, positions), (n, positions))))


def asked(falls: list[tuple[int, int]], weight: np.ndarray, cost: list[float], fee: list[float]) -> prices.Asked:
    tickers, days = (np.array([f[i] for f in falls], np.int64) for i in (0, 1))
    return prices.Asked(tickers, days, weight, np.array(cost), np.array(fee))


def nothing(j: int) -> prices.Asked:
    return asked([], np.zeros((0, j)), [], [])


def test_a_walk_is_what_a_person_would_write() -> None:
    r = np.random.default_rng(5)
    n, j, days, seed = 4, 3, 9, 11
    lower = np.linalg.cholesky(np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]]))
    drift, sigma, surprise = r.normal(0, 0.001, j), r.uniform(0.01, 0.05, j), r.normal(0, 0.3, (n, j))
    m = prices.Market(drift, sigma, lower, surprise, r.uniform(0, 4, n), r.uniform(1, 5, n))
    weight = np.array([[1.0, -0.5, 0.0]])
    out = walked(n, j, 2, 1)
    prices.walk_block(m, asked([(0, 1), (2, 3)], weight, [0.05], [0.01]), seed, np.array([103, 7, 100, 101]), days, out)
    for p in range(n):
        logs = [np.zeros(j)]
        for d in range(1, days + 1):
            e = lower @ [inverse_normal(uniform(seed, (103, 7, 100, 101)[p], prices.FIRST_INPUT + t, d)) for t in range(j)]
            known = [min(max((x - m.opens[p]) / m.takes[p], 0), 1) for x in (d - 1, d)]
            logs.append(logs[-1] + m.drift - m.sigma**2 / 2 + m.surprise[p] * (known[1] - known[0]) + m.sigma * e)
        path = np.array(logs)
        np.testing.assert_allclose(out.end[p], path[-1], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(out.highest[p], path[1:].max(axis=0), rtol=1e-12, atol=1e-14)
        first = min(path[d, 0] - path[d - 1, 0] for d in range(1, days + 1))
        third = min(path[d, 2] - path[max(d - 3, 0), 2] for d in range(1, days + 1))
        np.testing.assert_allclose(out.fall[p], [first, third], rtol=1e-12, atol=1e-14)
        worth = [-0.01, *(-0.01 - 0.05 * d / 252 + (np.exp(path[d]) - 1) @ weight[0] for d in range(1, days + 1))]
        peaks = np.maximum.accumulate(worth)
        np.testing.assert_allclose([out.profit[p, 0], out.trough[p, 0]], [worth[-1], (peaks - worth).max()], rtol=1e-9, atol=1e-14)


def diffusion(n: int, sigma: float, drift: float, days: int) -> prices.Walked:
    zeros = np.zeros((n, 1))
    m = prices.Market(np.array([drift]), np.array([sigma]), np.eye(1), zeros, np.zeros(n), np.ones(n))
    out = walked(n, 1)
    prices.walk_block(m, nothing(1), 3, np.arange(n), days, out)
    return out


def test_plain_diffusion_has_its_closed_forms() -> None:
    """At a date: the lognormal law. At any close: the law of a watched level, moved up by 0.5826 sigma for daily watching."""
    n, sigma, drift, days = 20_000, 0.02, math.log(1.09) / 252, 250
    out = diffusion(n, sigma, drift, days)
    assert np.exp(out.end).mean() == pytest.approx(math.exp(drift * days), abs=4 * np.exp(out.end).std() / math.sqrt(n))
    for level in (1.1, 1.4):
        at, touched = (out.end >= math.log(level)).mean(), (out.highest >= math.log(level)).mean()
        error = 4 * math.sqrt(0.25 / n)
        assert at == pytest.approx(laws.chance_at(level, drift, sigma, days), abs=error)
        assert touched == pytest.approx(laws.chance_touched(level * math.exp(0.5826 * sigma), drift, sigma, days), abs=error)


def test_news_are_in_the_price_once_they_are_known() -> None:
    """No residual move: half of a surprise of log 2 is known half of the way."""
    m = prices.Market(np.zeros(1), np.zeros(1), np.eye(1), np.full((1, 1), math.log(2)), np.array([2.0]), np.array([4.0]))
    path, score = np.zeros((9, 1)), np.zeros(1)
    prices.one_path(m, 0, 1, 0, path, score)
    assert path[:, 0] == pytest.approx(np.log(2) * np.array([0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]), abs=1e-15)


def test_a_short_position_by_hand() -> None:
    """Sold at 1, prices 2, 1, 0.5: -100 %, 0, +50 %, less a fee of 1 % and 252 x 0.01 % a day of borrowing."""
    path = np.log(np.array([[1.0], [2.0], [1.0], [0.5]]))
    profit, trough = prices.hold(asked([], np.array([[-1.0]]), [0.0252], [0.01]), 0, path)
    assert profit == pytest.approx(0.5 - 0.01 - 3 * 0.0001, rel=1e-12)
    assert trough == pytest.approx(1.0 + 0.0001, rel=1e-12)  # from -1 % at the start to -101.01 %


def test_markets_that_differ_in_news_share_their_residual_moves() -> None:
    calm = diffusion(50, 0.02, 0.0, 30).end
    m = prices.Market(np.zeros(1), np.array([0.02]), np.eye(1), np.full((50, 1), 0.1), np.zeros(50), np.ones(50))
    out = walked(50, 1)
    prices.walk_block(m, nothing(1), 3, np.arange(50), 30, out)
    assert out.end - calm == pytest.approx(np.full((50, 1), 0.1), abs=1e-12)
