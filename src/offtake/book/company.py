"""Companies of a book: customers from users to cash, providers' other business, a whole company's money, its shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .fields import (
    Months,
    Multiple,
    Rate,
    Share,
    ShareTimeline,
    Sourced,
    Usd,
    UsdPerGpuHourFlat,
    UsdPerMonth,
    Users,
)
from .market import Earnings
from .numbers import Number, Series
from .reader import quantity, timeline


class Renegotiation(Sourced):
    """A rule on the path's own state (V-04)."""

    below: Multiple  # coverage
    months: Months  # in a row
    cut: Share  # of what remains
    probability: Share


class Customer(Sourced):
    """Users to cash (V-01 to V-04)."""

    users: Users
    paying: ShareTimeline
    price: Annotated[Number | Series, timeline("USD/user-month")]
    api: UsdPerMonth
    other: UsdPerMonth
    revenue_share: ShareTimeline
    revenue_share_to: str
    cost_of_revenue: ShareTimeline  # before compute
    operations: UsdPerMonth  # people, sales; not compute
    other_compute: UsdPerMonth  # compute paid outside the contracts of this book
    cash: Usd
    minimum_cash: Usd
    raises: UsdPerMonth  # what investors and lenders would put in at most
    compute_cost: Annotated[Number, quantity("USD/month")]  # D-05: known cost at month 0, an interval
    anchor_price: UsdPerGpuHourFlat  # D-05
    renegotiation: Renegotiation
    collectible_above: Multiple  # coverage under which revenue no longer counts as collectible


class Segment(Sourced):
    """The provider's other business: the segment without the deal (A-06), and reported RPO (A-09)."""

    name: str
    revenue: UsdPerMonth
    margin: ShareTimeline
    rpo: Usd
    rpo_life: Months
    signings: UsdPerMonth
    rounding: Usd


class Guidance(Sourced):
    """What the company said it would spend in a calendar year (A-07)."""

    year: int
    capex: Usd


class Finances(Sourced):
    """The whole company beside its capex: what it earns, owes and wears (A-04, A-07, A-09)."""

    capex_as: Literal["cash", "with_finance_leases"] = Field(description="what the company's own `capex` is")
    leased: Share = Field(description="share of that capex which is finance leases, not cash")
    incentives: Share = Field(description="share of cash capex that comes back as proceeds and incentives")
    operating_cash: UsdPerMonth = Field(description="operating cash flow without the deals")
    payouts: UsdPerMonth = Field(description="dividends and buybacks")
    cash: Usd
    minimum_cash: Usd
    debt: Usd
    interest: Rate = Field(description="a year, on what is borrowed from now on")
    depreciation: Annotated[Number, quantity("USD/month")] = Field(description="of the month before the start")
    existing: Months = Field(description="until what is in use at the start is worn out")
    in_progress: Usd = Field(description="paid for and not in use at the start")
    lag: Months = Field(description="from capex to use")
    life: Months = Field(description="blended useful life of the capex")
    segment_share: Share = Field(description="of the company's depreciation")


class Company(Sourced):
    name: str
    ticker: str | None = None
    fiscal_year_end: int | None = Field(default=None, ge=1, le=12, description="last month of the fiscal year (T-01)")
    discount_rate: Rate | None = None
    shares: Annotated[Number, quantity("multiple")] | None = None  # outstanding, a count
    tax_rate: Share | None = None  # of profit before tax; on the deal's losses too, which lower the group's tax
    earnings: list[Earnings] = []
    frontier_lab: bool = False  # trains models at the frontier: who sells to it is no short candidate (V-08)
    sells_compute: bool = False
    segment: Segment | None = None
    capex: UsdPerMonth | None = None
    guidance: list[Guidance] = []
    history: dict[Literal["revenue", "capex", "rpo"], str] = Field(default={}, description="keys of the series it reported (E-05)")
    finances: Finances | None = None
    customer: Customer | None = None
