"""Daily share prices on paths: what is learnt of a company, day by day, and what closes do besides.

**Axes**    paths (N), tickers (J), days 0 .. D, falls asked for (F), positions (B). A path is computed whole, one at a time.
**Units**   log prices; days are trading days; profit as a share of the money put into a position.
**Signs**   a short position has negative weights; trough is a positive amount; a fall is a negative log return.
**Order within the day**   drift and what is learnt today, then the residual move; then carrying cost.
**Source**  model V-07, V-08. log S(d) = log S(d-1) + drift - sigma^2/2 + surprise x (known(d) - known(d-1)) + sigma e, where
            known(d) rises straight from 0 to 1 over the days in which the path's news is priced in.
"""

from typing import NamedTuple

import numpy as np

from .compiled import entry, piece
from .draw import exp_, inverse_normal, uniform

FIRST_INPUT = 1_000_000  # inputs of the residual moves stand clear of a plan's own
DAYS_A_YEAR = 252.0


class Market(NamedTuple):
    """What a walk needs.

    drift     (J,) log return a day
    sigma     (J,) residual volatility a day
    chol      (J, J) lower factor of the residual correlation
    surprise  (N, J) log of the path's price at the last day over what the required return alone would give
    opens     (N,) day on which the news begins to be priced in, from 0
    takes     (N,) days it takes, above 0
    """

    drift: np.ndarray
    sigma: np.ndarray
    chol: np.ndarray
    surprise: np.ndarray
    opens: np.ndarray
    takes: np.ndarray


class Asked(NamedTuple):
    """fall_ticker, fall_days (F,) int64; weight (B, J) share of money in each ticker, short negative; cost (B,) a year; fee (B,) once."""

    fall_ticker: np.ndarray
    fall_days: np.ndarray
    weight: np.ndarray
    cost: np.ndarray
    fee: np.ndarray


class Walked(NamedTuple):
    """end, highest (N, J) log of price over the price of day 0; fall (N, F) worst log return; profit, trough (N, B)."""

    end: np.ndarray
    highest: np.ndarray
    fall: np.ndarray
    profit: np.ndarray
    trough: np.ndarray


@piece
def known_by(day, opens, takes):
    """Share of the news that is in the price at the end of a day."""
    return min(max((day - opens) / takes, 0.0), 1.0)


@entry
def one_path(market, p, seed, number, log_price, score):
    """Fill log_price (D + 1, J) of path p, whose draws are those of path `number`; score (J,) is scratch."""
    tickers = log_price.shape[1]
    log_price[0] = 0.0
    for day in range(1, log_price.shape[0]):
        learnt = known_by(day, market.opens[p], market.takes[p]) - known_by(day - 1.0, market.opens[p], market.takes[p])
        for j in range(tickers):
            score[j] = inverse_normal(uniform(seed, number, FIRST_INPUT + j, day))
        for j in range(tickers):
            move = 0.0
            for k in range(j + 1):
                move += market.chol[j, k] * score[k]
            sigma = market.sigma[j]
            drift = market.drift[j] - 0.5 * sigma * sigma
            log_price[day, j] = log_price[day - 1, j] + drift + market.surprise[p, j] * learnt + sigma * move


@entry
def hold(asked, b, log_price):
    """Profit at the last day, and the largest fall from a high, of one position that is bought once and left alone."""
    profit, peak, trough = -asked.fee[b], -asked.fee[b], 0.0
    for day in range(1, log_price.shape[0]):
        profit = -asked.fee[b] - asked.cost[b] * day / DAYS_A_YEAR
        for j in range(log_price.shape[1]):
            if asked.weight[b, j] != 0.0:
                profit += asked.weight[b, j] * (exp_(log_price[day, j]) - 1.0)
        peak = max(peak, profit)
        trough = max(trough, peak - profit)
    return profit, trough


@entry
def walk_block(market, asked, seed, numbers, days, out):
    """Walk all paths; path p draws as path numbers[p], whatever the market is, so that two markets share their residual moves."""
    log_price, score = np.empty((days + 1, market.drift.shape[0])), np.empty(market.drift.shape[0])
    for p in range(out.end.shape[0]):
        one_path(market, p, seed, numbers[p], log_price, score)
        for j in range(score.shape[0]):
            out.end[p, j], out.highest[p, j] = log_price[days, j], -np.inf
            for day in range(1, days + 1):
                out.highest[p, j] = max(out.highest[p, j], log_price[day, j])
        for f in range(asked.fall_ticker.shape[0]):
            j, span, worst = asked.fall_ticker[f], asked.fall_days[f], np.inf
            for day in range(1, days + 1):
                worst = min(worst, log_price[day, j] - log_price[max(day - span, 0), j])
            out.fall[p, f] = worst
        for b in range(asked.weight.shape[0]):
            out.profit[p, b], out.trough[p, b] = hold(asked, b, log_price)


@entry
def uniforms(seed, numbers, input, out):
    """Uniform draws of an input that belongs to no plan, of the paths `numbers` (N,) int64, into out (N,)."""
    for p in range(out.shape[0]):
        out[p] = uniform(seed, numbers[p], FIRST_INPUT + input, 0)
