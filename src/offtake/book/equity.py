"""Equity that changes hands beside a contract: who issues it, who holds it, what is paid for it (C-10)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .fields import Months, Sourced, Usd
from .numbers import Month


class Edge(Sourced):
    """Stock or warrants of one company that come to another."""

    name: str
    issuer: str = Field(description="the company whose equity it is")
    holder: str = Field(description="the company that gets it")
    instrument: Literal["stock", "warrants"]
    contract: str | None = Field(default=None, description="the contract between the two, or whose deliveries it vests with")
    value: Usd = Field(description="fair value of all of it: at grant, or when it is bought")
    paid: Usd | None = Field(default=None, description="what the holder pays the issuer for it, in cash; absent: nothing")
    vests: Literal["time", "delivery"] = Field(description="evenly over months, or with the share of the contract's GPUs delivered")
    first: Month | None = Field(default=None, description="first month of vesting over time")
    over: Months | None = Field(default=None, description="months of vesting over time")
