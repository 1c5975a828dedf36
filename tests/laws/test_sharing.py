"""What holds when contracts share a site: nothing is lost between them, who stands higher is served first, order is irrelevant."""

from typing import Any

import numpy as np
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.block import Block
from offtake.identities import worst_of

from ..deals import BASE, block_of, merged, monthly
from .test_contracts import LEVELS, RESERVED, contracts, work_of

QUIET = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LOTS = [
    {"chip": "chip", "gpus": "60 GPU", "month": "2026-01", "over": "1 month", "slip": "0 months", "acceptance": "0 months",
     "running": "true"},
    {"chip": "chip", "gpus": "40 GPU", "month": "2026-03", "over": "2 months", "slip": "normal(2, 3) months", "acceptance": "1 month"},
]  # fmt: skip
SCARCE = {"power": [{"mw": "0.03 to 0.08 MW", "basis": "it", "month": "2026-01", "slip": "0 months"},
                    {"mw": "0.04 MW", "basis": "it", "month": "2026-06", "slip": "1 to 9 months"}],
          "availability": "70 to 99 %", "build_cost": "12 M USD/MW", "construction": "6 months", "rent": "5 USD/kW-month"}  # fmt: skip


def two(first: int, claim: int, **terms: Any) -> dict[str, Any]:
    """A second customer on the same hall, with a contract and work of its own; `first` is the priority of `deal`, the other's is 5."""
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    first_is_deal = first > 5
    claims = {"pools": {"hall": {"chip": f"{claim} GPU"}}}
    other = {**base["contracts"]["deal"], **RESERVED, **terms, "customer": "rival", "service_priority": 5}
    return {
        "companies": {"rival": {**base["companies"]["buyer"], "name": "The Rival"}},
        "sites": {"hall": {**SCARCE, "lots": LOTS}},
        "contracts": {"deal": {"service_priority": first, **(claims if first_is_deal else {})},
                      "other": {**other, **({} if first_is_deal else claims)}},
        "workloads": {"more": {**base["workloads"]["work"], "customer": "rival", "may_run": ["other"], "home": "other",
                               "gpu_hours": "60000 GPU-h/month"}},
    }  # fmt: skip


def shared(deal: dict[str, Any], first: int, claim: int, levels: list[int], **terms: Any) -> Block:
    return block_of(deal, work_of(levels), two(first, claim, **terms))


WORK = [40_000, 60_000, 20_000, 50_000]


@given(st.integers(1, 100))
@QUIET
def test_all_gpus_of_one_contract_are_those_of_two(claim: int) -> None:
    """Planned, ready, offered and property of a shared hall add up to what one contract of the whole hall would have.

    After the term each contract's property is a group of its own in the impairment test, so wear need not add up there.
    """
    alone = block_of(RESERVED, work_of(WORK), {"sites": {"hall": {**SCARCE, "lots": LOTS}}})
    both = shared(RESERVED, 9, claim, WORK)
    for name in ("planned", "delivered", "ready", "offered"):
        np.testing.assert_allclose(getattr(both.supply, name).sum(axis=0), getattr(alone.supply, name)[0], rtol=1e-9, atol=1e-6)
    for name in ("capex", "rent", "opening"):
        np.testing.assert_allclose(getattr(both.ledger, name).sum(axis=0), getattr(alone.ledger, name)[0], rtol=1e-9, atol=1e-3)
    for name in ("depreciation", "net"):
        np.testing.assert_allclose(getattr(both.ledger, name).sum(axis=0)[:12], getattr(alone.ledger, name)[0, :12], rtol=1e-9, atol=1e-3)


@given(st.integers(10, 90))
@QUIET
def test_who_is_served_first_is_served_as_if_alone(claim: int) -> None:
    """With the same GPUs promised, the first never has fewer ready than as the second, in any month of any path."""
    first, second = shared(RESERVED, 9, claim, WORK), shared(RESERVED, 1, 100 - claim, WORK)
    assert np.all(monthly(first, "ready") >= monthly(second, "ready") - 1e-9)
    assert np.all(monthly(first, "ready", "contracts.other") <= monthly(second, "ready", "contracts.other") + 1e-9)
    assert np.any(monthly(first, "ready") > monthly(second, "ready") + 1.0)


def test_the_order_of_the_book_is_irrelevant() -> None:
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    one = shared(RESERVED, 9, 70, WORK)
    turned = merged(two(9, 70), {"contracts": {"deal": merged(base["contracts"]["deal"], RESERVED)}})
    turned["contracts"] = dict(reversed(turned["contracts"].items()))
    two_first = block_of({}, work_of(WORK), turned)
    for of in ("contracts.deal", "contracts.other"):
        for name in ("ready", "used", "revenue", "capex", "operating_income", "cash"):
            np.testing.assert_allclose(monthly(one, name, of), monthly(two_first, name, of), rtol=1e-12, err_msg=f"{name} {of}")


@given(contracts(), LEVELS, st.integers(20, 80), st.booleans())
@QUIET
def test_identities_hold_on_a_shared_site(deal: dict[str, Any], levels: list[int], claim: int, first: bool) -> None:
    if deal["form"] == "capacity_block":
        claim = 40 if first else 60  # what is left holds the block
    block = shared(deal, 9 if first else 1, claim, levels, late={"remedy": "credit", "after": "0 months", "credit": "30 %"})
    for worst in worst_of(block, 64):
        assert worst.error <= 1e-9, worst


def test_power_goes_to_who_is_served_first_even_for_older_chips() -> None:
    """60 old GPUs of the first and 40 new ones of the second, 70 kW: 60 and 10 are ready."""
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    other = two(9, 60)
    other["chips"] = {"newer": {**base["chips"]["chip"], "generation": 2}}
    other["sites"]["hall"]["lots"] = [LOTS[0], {**LOTS[0], "chip": "newer", "gpus": "40 GPU"}]
    other["sites"]["hall"]["power"] = [{"mw": "0.07 MW", "basis": "it", "month": "2026-01", "slip": "0 months"}]
    block = block_of(RESERVED, work_of(WORK), other)
    assert np.allclose(monthly(block, "ready")[0], 60.0) and np.allclose(monthly(block, "ready", "contracts.other")[0], 10.0)
    assert np.allclose(monthly(block, "ready", "pools.hall.newer.other")[0], 10.0)
