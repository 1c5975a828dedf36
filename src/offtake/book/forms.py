"""What the form of a contract settles by itself, so that the book need not say it again (C-02, C-08); which way its equity
goes (C-10)."""

from __future__ import annotations

from collections.abc import Mapping

from .equity import Edge
from .terms import Contract

IN_USD = ("burn_down", "build_up")
FIXED = {
    "capacity_block": {"true_up": "month", "ramp": "calendar", "at_end": "lapse", "recognition": "reserved"},
    "burn_down": {"true_up": "term", "ramp": "readiness", "recognition": "usage"},
    "build_up": {"ramp": "readiness", "at_end": "shortfall"},
}


def word(deal: Contract, key: str) -> str | None:
    """A contract's own word for `key`, or the one that its form implies."""
    stated: str | None = getattr(deal, key)
    return stated if stated is not None else FIXED.get(deal.form, {}).get(key)


def bought(deal: Contract) -> bool:
    """Whether the whole value is paid at the start unless `prepaid` says how much."""
    return deal.form in ("burn_down", "capacity_block")


def kind_of(contracts: Mapping[str, Contract], edge: Edge) -> str:
    """`grant`: the provider's to its customer; `stake`: the customer's to its provider; `vendor`: the customer's to anyone else."""
    deal = contracts.get(edge.contract) if edge.contract else None
    if deal is not None and (edge.issuer, edge.holder) == (deal.provider, deal.customer):
        return "grant"
    if deal is not None and (edge.issuer, edge.holder) == (deal.customer, deal.provider):
        return "stake"
    return "vendor"
