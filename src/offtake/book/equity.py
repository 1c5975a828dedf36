"""Equity that changes hands beside a contract: who issues it, who holds it, what is paid for it (C-10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from .fields import Months, Sourced, Usd
from .numbers import Month

if TYPE_CHECKING:
    from .terms import Contract


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


def kind_of(contracts: Mapping[str, Contract], edge: Edge) -> str:
    """`grant`: the provider's to its customer; `stake`: the customer's to its provider; `vendor`: the customer's to anyone else."""
    deal = contracts.get(edge.contract) if edge.contract else None
    if deal is not None and (edge.issuer, edge.holder) == (deal.provider, deal.customer):
        return "grant"
    if deal is not None and (edge.issuer, edge.holder) == (deal.customer, deal.provider):
        return "stake"
    return "vendor"
