"""What holds for equity beside any contract: nothing is lost, no more comes back than was put in, an outsider's money bears no revenue."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.identities import worst_of

from ..deals import block_of, merged, monthly
from .test_contracts import LEVELS, LOTS, RESERVED, contracts, work_of

QUIET = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MONEY = 1e-6  # relative to a million USD
PARTIES = {"grant": ("cloud", "buyer"), "stake": ("buyer", "cloud"), "shares": ("buyer", "cloud"), "vendor": ("buyer", "maker")}


@st.composite
def edge(draw: st.DrawFn, kind: str) -> dict[str, str]:
    issuer, holder = PARTIES[kind]
    found = {"name": kind, "issuer": issuer, "holder": holder, "instrument": "stock", "contract": "deal", "assumed": "x",
             "value": "50 to 300 k USD", "vests": draw(st.sampled_from(["time", "delivery"])),
             "first": f"2026-{draw(st.integers(1, 12)):02d}", "over": "1 to 20 months"}  # fmt: skip
    return found | ({"paid": "80 to 400 k USD"} if kind in ("stake", "vendor") else {})


@st.composite
def edges(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.lists(st.sampled_from(list(PARTIES)), min_size=1, max_size=4))
    found = {f"{kind}{n}": draw(edge(kind)) for n, kind in enumerate(kinds)}
    return {"companies": {"maker": {"name": "Maker"}}, "equity": found}


@given(contracts(), LEVELS, edges())
@QUIET
def test_identities_hold_with_equity(deal: dict[str, Any], levels: list[int], other: dict[str, Any]) -> None:
    block = block_of(deal, work_of(levels), merged(LOTS, other))
    for worst in worst_of(block, 64):
        assert worst.error <= 1e-9, worst


@given(edges())
@QUIET
def test_a_contract_that_is_over_has_borne_all_that_was_given(other: dict[str, Any]) -> None:
    """Revenue to the horizon is what was billed less what was given; a year after the end nothing stands ahead or behind."""
    block = block_of(RESERVED, work_of([90_000] * 4), merged(LOTS, other))
    billed, revenue = monthly(block, "billed").sum(axis=0), monthly(block, "revenue").sum(axis=0)
    np.testing.assert_allclose(revenue, billed - block.equity.given[0].sum(axis=0), atol=MONEY * 1e6)
    over = monthly(block, "rpo") + monthly(block, "not_in_rpo") < 1e-3
    assert np.all(over[12:]) and np.all(np.abs(monthly(block, "equity_ahead")[over]) < MONEY * 1e6)


@given(edges(), st.sampled_from(["0 USD", "2 M USD"]))
@QUIET
def test_no_more_of_a_providers_money_comes_back_than_it_put_in(other: dict[str, Any], cash: str) -> None:
    customer = {"cash": cash, "operations": "8.9 M USD/month", "users": "1 M users", "raises": "1 M USD/month"}
    poor = {"companies": {"buyer": {"customer": customer}}}
    block = block_of(RESERVED, work_of([90_000] * 4), merged(merged(LOTS, poor), other))
    back, put = (np.cumsum(monthly(block, name), axis=0) for name in ("self_funded", "invested"))
    assert np.all(back <= put + MONEY * 1e6) and np.all(back >= 0.0)
    assert np.all(monthly(block, "self_funded") <= np.maximum(monthly(block, "cash"), 0.0) + MONEY * 1e6)


@given(edge("vendor"))
@QUIET
def test_an_outsiders_money_is_the_customers_and_no_providers_revenue(found: dict[str, str]) -> None:
    other = {"companies": {"maker": {"name": "Maker"}, "buyer": {"customer": {"renegotiation": {"probability": "0"}}}}}
    with_it = block_of(RESERVED, work_of([90_000] * 4), merged(other, {"equity": {"round": found}}))
    without = block_of(RESERVED, work_of([90_000] * 4), other)
    assert np.array_equal(with_it.npv, without.npv)
    for name in ("revenue", "rpo", "billed"):
        assert np.array_equal(monthly(with_it, name), monthly(without, name))
    more = monthly(with_it, "cash_balance", "companies.buyer") - monthly(without, "cash_balance", "companies.buyer")
    np.testing.assert_allclose(more, np.cumsum(monthly(with_it, "equity_in", "companies.buyer"), axis=0), rtol=1e-9, atol=1.0)
