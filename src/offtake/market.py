"""Statistics of prices: market model, abnormal return of one event, volatility, and what plain diffusion would say.

Axes    days (T,); returns are simple unless called log.
Units   returns and volatilities per day; probabilities 0 to 1; `years` of 252 trading days.
Source  market model and its standard error: MacKinlay, "Event studies in economics and finance", 1997; sample-quantile test for one
        firm and one event: Gelbach, Helland, Klick, "Valid inference in single-firm, single-event studies", 2013 (model V-06);
        first passage of Brownian motion with drift: Harrison, 1985 (model V-07).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

DAYS_A_YEAR = 252.0
LEAST_DAYS = 5  # of an estimation window: two parameters, and something left to judge them by


@dataclass(frozen=True)
class MarketModel:
    """firm = alpha + beta x benchmark + residual, by least squares over `days` returns."""

    alpha: float
    beta: float
    sigma: float  # of residuals, days - 2 degrees of freedom
    centre: float  # mean of the benchmark
    spread: float  # sum of its squared deviations
    residuals: np.ndarray
    benchmark: np.ndarray

    @property
    def days(self) -> int:
        return len(self.residuals)

    def expected(self, benchmark: float) -> float:
        return self.alpha + self.beta * benchmark

    def error(self, benchmark: float) -> float:
        """Standard error of a forecast on a day with this benchmark return: a new residual, and the error of alpha and beta."""
        return self.sigma * math.sqrt(1.0 + 1.0 / self.days + (benchmark - self.centre) ** 2 / self.spread)

    def standard(self) -> np.ndarray:
        """Residuals of the window, each over its own standard error, in rising order."""
        leverage = 1.0 / self.days + (self.benchmark - self.centre) ** 2 / self.spread
        own = np.sqrt(np.maximum(1.0 - leverage, 1e-12))
        found: np.ndarray = np.sort(self.residuals / (self.sigma * own))
        return found


@dataclass(frozen=True)
class Abnormal:
    """Abnormal return of one day: value, standard error, their ratio, two-sided sample-quantile p-value, 90 % interval."""

    value: float
    error: float
    ratio: float
    p_value: float
    low: float
    high: float


def market_model(firm: np.ndarray, benchmark: np.ndarray) -> MarketModel:
    """Fit on days on which both are known (T,). Raises ValueError where fewer than LEAST_DAYS are, or nothing varies."""
    known = ~(np.isnan(firm) | np.isnan(benchmark))
    y, x = firm[known], benchmark[known]
    if len(y) < LEAST_DAYS:
        raise ValueError(f"{len(y)} days with both returns; a market model needs {LEAST_DAYS}")
    centre = float(x.mean())
    spread = float(((x - centre) ** 2).sum())
    if spread <= 0.0:
        raise ValueError("the benchmark never moves")
    beta = float(((x - centre) * (y - y.mean())).sum() / spread)
    alpha = float(y.mean()) - beta * centre
    residuals = y - alpha - beta * x
    sigma = math.sqrt(float((residuals**2).sum()) / (len(y) - 2))
    return MarketModel(alpha, beta, sigma, centre, spread, residuals, x)


def abnormal(model: MarketModel, firm: float, benchmark: float) -> Abnormal:
    """One firm, one event: judged by the quantiles of its own residuals, not by a normal law (V-06)."""
    value, error = firm - model.expected(benchmark), model.error(benchmark)
    own = model.standard()
    ratio = value / error if error > 0.0 else math.copysign(math.inf, value)
    p_value = (1.0 + float(np.count_nonzero(np.abs(own) >= abs(ratio)))) / (model.days + 1.0)
    low, high = (float(q) for q in np.quantile(own, [0.05, 0.95]))
    return Abnormal(value, error, ratio, p_value, value - error * high, value - error * low)


def without_name(index: np.ndarray, name: np.ndarray, share: float) -> np.ndarray:
    """Return of an index without one of its names, which is `share` of it (T,)."""
    found: np.ndarray = (index - share * name) / (1.0 - share)
    return found


def log_returns(prices: np.ndarray) -> np.ndarray:
    """Log returns of consecutive days on which both prices are known; prices (D,) or (D, J): rows with a gap are left out."""
    moves = np.diff(np.log(prices), axis=0)
    whole = ~np.isnan(moves) if moves.ndim == 1 else ~np.isnan(moves).any(axis=1)
    found: np.ndarray = moves[whole]
    return found


def volatility(prices: np.ndarray) -> float:
    """Standard deviation of a day's log return."""
    return float(log_returns(prices).std(ddof=1))


def chance_at(level: float, drift: float, sigma: float, days: float) -> float:
    """P(price at the end >= level x today's): log price drifts by `drift` - sigma^2/2 a day."""
    return NormalDist().cdf(((drift - 0.5 * sigma * sigma) * days - math.log(level)) / (sigma * math.sqrt(days)))


def chance_touched(level: float, drift: float, sigma: float, days: float) -> float:
    """P(price ever >= level x today's within `days`, watched all the time); 1 where the level is reached already."""
    if level <= 1.0:
        return 1.0
    far, slope, size = math.log(level), drift - 0.5 * sigma * sigma, sigma * math.sqrt(days)
    direct = NormalDist().cdf((slope * days - far) / size)
    exponent = 2.0 * slope * far / (sigma * sigma)
    reflected = NormalDist().cdf((-far - slope * days) / size)
    return min(direct + (math.exp(exponent) * reflected if reflected > 0.0 else 0.0), 1.0)


def chance_of_a_fall(fall: float, drift: float, sigma: float, days: float) -> float:
    """P(at least one of `days` single-day returns is a fall of `fall` or more)."""
    one = NormalDist().cdf((math.log(1.0 - fall) - (drift - 0.5 * sigma * sigma)) / sigma)
    return -math.expm1(days * math.log1p(-one)) if one < 1.0 else 1.0


def worst_fall(prices: np.ndarray, days: int) -> float:
    """Largest fall over `days` consecutive trading days in the prices (D,), as a positive share; 0 where they never fell."""
    known = prices[~np.isnan(prices)]
    if len(known) <= days:
        return math.nan
    return max(0.0, float(1.0 - (known[days:] / known[:-days]).min()))
