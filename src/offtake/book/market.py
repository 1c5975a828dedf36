"""Terms of the market: benchmarks, earnings days, events, and the scenario tree that prices shares (V-06 to V-08)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .fields import Multiple, Rate, Share, Sourced, Usd
from .numbers import Day, Number
from .reader import quantity

WHEN = Literal["before open", "after close"]


class Earnings(Sourced):
    """A day on which a company reported; the price reacts that day, or the next trading day."""

    day: Day
    when: WHEN


class Benchmark(Sourced):
    """An index as a benchmark; what a company is of it is taken out of its return (V-06)."""

    holds: dict[str, Share] = Field(default={}, description="company: its share of the index")


class Market(Sourced):
    """Tickers of benchmarks, the first one first in every answer."""

    benchmarks: dict[str, Benchmark]


class Quote(Sourced):
    """A move that somebody quoted and closes do not show: before the market, at the open."""

    what: str
    move: Annotated[Number, quantity("multiple")]


class News(Sourced):
    """What else was known to the market by that day's close."""

    title: str
    day: Day


class Event(Sourced):
    """A day on which the market learnt something about a company."""

    title: str
    of: str
    contract: str | None = None
    day: Day
    when: WHEN
    quoted: list[Quote] = []
    news: list[News] = []


class Branch(Sourced):
    """A node of the tree: what happens, after which node, how likely given that one, and which numbers it changes (V-07)."""

    title: str
    after: str | None = None
    probability: Share
    scenario: str | None = None
    set: dict[str, object] = {}


class Pricing(Sourced):
    """How a ticker is priced at the end of the tree's year.

    pe          multiple x (modelled + rest operating income) x (1 - tax)
    ev_revenue  multiple x (modelled + rest revenue) - net debt
    elastic     moves with a measure: elasticity x log(measure / its mean)
    basket      moves with other tickers, by weight, times elasticity
    """

    method: Literal["pe", "ev_revenue", "elastic", "basket"]
    company: str | None = None
    multiple: Multiple | None = None
    rest: Usd | None = None
    net_debt: Usd | None = None
    follows: str | None = None
    elasticity: Multiple | None = None
    weights: dict[str, Share] = {}


class Statement(Sourced):
    """What is said about a price: a market value reached by the end of the year, or a fall over some days."""

    title: str
    ticker: str
    above: Usd | None = None
    reading: Literal["touch", "at date"] | None = None
    fall: Share | None = None
    days: int | None = Field(default=None, gt=0)


class Tree(Sourced):
    """Conditional probabilities, prices and statements (V-07)."""

    year: int
    required_return: Rate  # a year; its median counts
    terminal_growth: Rate  # a year, after the ten years of a reverse DCF; its median counts
    priced_over: Annotated[Number, quantity("multiple")]  # trading days from the first word of a branch to its full price
    nodes: dict[str, Branch]
    prices: dict[str, Pricing]
    statements: dict[str, Statement] = {}
