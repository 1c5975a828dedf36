"""What providers stand to lose (V-04, V-05): one customer or many, the link between demand and solvency, a loss by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import offtake
from offtake import front, stages
from offtake.questions import question
from offtake.studies import crowd, exposure, link

from .deals import block_of, monthly

HOURS = 730 * 24
DEAL = {
    "form": "reserved", "starts": "2026-01", "term": "24 months", "price": "3 USD/GPU-h", "total": "5256000 USD", "true_up": "month",
    "ramp": "readiness", "at_end": "lapse", "recognition": "reserved", "payment_lag": "0 months", "priority": 1,
}  # fmt: skip
WORK = {"2026-01": "1000 GPU-h/month"}
BROKE = {"cash": "1 k USD", "renegotiation": {"below": "1", "months": "1 month", "cut": "50 %", "probability": "1"}}
BUST = {"title": "Bust", "assumed": "invented", "probability": "50 %"}


def loss(block: Any) -> np.ndarray:
    found: np.ndarray = question(block.plan, "counterparty_loss", "contracts.deal", "total").read(block)[0]
    return found


def test_loss_of_a_cut_by_hand() -> None:
    """5.256 M USD signed. From month 0 on half is cancelled, and of the freed 50 GPUs half is let at 2 USD an hour: 0.876 M USD. Who
    has no income and 1 M USD of costs a month pays nothing of the other half."""
    block = block_of(DEAL, WORK, {"companies": {"buyer": {"customer": {**BROKE, "users": "0 users"}}}})
    assert np.all(monthly(block, "cash") == 0.0)
    assert loss(block) == pytest.approx(np.full(64, 2_628_000.0 - 50 * HOURS * 0.5 * 2.0 + 2_628_000.0), rel=1e-12)


def test_hours_let_after_the_term_make_nothing_good() -> None:
    """A term of one year in a horizon of two: 50 freed GPUs are let for 8,760 hours, not for 17,520."""
    year = {**DEAL, "term": "12 months", "total": "2628000 USD"}
    block = block_of(year, WORK, {"companies": {"buyer": {"customer": {**BROKE, "users": "0 users"}}}})
    assert loss(block) == pytest.approx(np.full(64, 2_628_000.0 - 50 * 8760 * 0.5 * 2.0), rel=1e-12)


def test_who_pays_and_stays_is_no_loss() -> None:
    assert np.all(loss(block_of(DEAL, WORK)) == 0.0)


def test_windows_by_hand() -> None:
    assert list(crowd.together(np.array([0.0, 0.0, 0.0, 12.0]), 2)) == [0.0, 0.0, 6.0, 6.0]
    assert list(crowd.together(np.array([0.0, 0.0, 0.0, 12.0]), 99)) == [3.0, 3.0, 3.0, 3.0]
    assert list(crowd.in_one_market(np.array([0.0, 4.0, 8.0, 12.0]), np.array([0, 1, 0, 1]), 2)) == [4.0, 8.0, 4.0, 8.0]


def test_tail_by_hand() -> None:
    """0, 1, .. 39 of 100 signed: the worst two are 38 and 39; 29 of 40 exceed a tenth."""
    found = crowd.tail(np.arange(40.0), 100.0)
    assert (found["mean"], found["p50"], found["worst_twentieth"], found["p_large"]) == (19.5, 19.5, 38.5, 29 / 40)


LOSSES = arrays(float, st.integers(20, 120), elements=st.floats(-5, 100))


@given(LOSSES, st.integers(2, 30), st.integers(1, 4))
def test_many_customers_lose_the_same_on_average_and_less_in_the_tail(losses: np.ndarray, customers: int, count: int) -> None:
    market = np.arange(len(losses)) % count
    one = crowd.tail(losses, 100.0)
    own, shared = crowd.together(losses, customers), crowd.in_one_market(losses, market, customers)
    for found in (own, shared):
        assert crowd.tail(found, 100.0)["mean"] == pytest.approx(one["mean"], abs=1e-9)
        assert crowd.tail(found, 100.0)["worst_twentieth"] <= one["worst_twentieth"] + 1e-9
    assert np.array_equal(crowd.together(losses, 1), losses) or np.allclose(crowd.together(losses, 1), losses, atol=1e-9)
    assert np.allclose(crowd.in_one_market(losses, np.zeros(len(losses)), customers), own)


def test_the_market_of_a_path_is_its_scenario() -> None:
    plan = front.compile(offtake.load("two-clouds"))
    block = stages.allocate(plan)
    stages.draw_inputs(block, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    assert len(set(block.scenario)) == 3
    assert np.array_equal(crowd.markets(plan, block.Z[0]), block.scenario)
    forced = front.compile(offtake.load("two-clouds"), ["sober"])
    assert set(crowd.markets(forced, block.Z[0])) == {forced.forced}


def bust_book(market: str) -> Any:
    """In a bust, half of the paths, the buyer earns nothing, and an hour fetches `market`."""
    scenario = {**BUST, "set": {"companies.buyer.customer.users": "0 users", "chips.chip.market_price": market}}
    return block_of(DEAL, WORK, {"companies": {"buyer": {"customer": BROKE}}, "scenarios": {"bust": scenario}}).plan


def test_wrong_way_by_hand() -> None:
    """Linked, every bust sells its hours for nothing and loses all; cut, half of them meet a market of 2 USD: 0.876 M USD less."""
    plan, paths = bust_book("0 USD/GPU-h"), 512
    asked = [question(plan, "counterparty_loss", "contracts.deal", "total"), question(plan, "cash", "contracts.deal", "total")]
    cut, paid = link.cut(plan, 1, paths, asked)
    linked, linked_paid = _as_drawn(plan, paths, asked)
    whole, let = 5_256_000.0, 876_000.0  # cancelled and unpaid
    assert set(np.round(linked)) == {0.0, whole}
    assert set(np.round(cut)) == {0.0, whole, whole - let}
    bust, both = np.mean(linked > 0.0), np.mean(np.round(cut) == whole)
    assert bust == pytest.approx(0.5, abs=0.07) and both == pytest.approx(0.25, abs=0.06)
    assert cut.mean() < linked.mean() and set(np.round(paid)) == set(np.round(linked_paid)) == {0.0, whole}


def _as_drawn(plan: Any, paths: int, asked: list[Any]) -> np.ndarray:
    from offtake import montecarlo

    return np.concatenate([t.kept for t in montecarlo.run(plan, asked, paths, 1).tallies])


def test_cut_moves_the_customer_and_nothing_else() -> None:
    """Supply and demand keep their bits; the customer is that of another path, drawn from the same book."""
    plan = front.compile(offtake.load("two-clouds"))
    ask = [question(plan, "ready", "contracts.north", "month"), question(plan, "revenue", "companies.lab", "total")]
    cut, linked = link.cut(plan, 1, 512, ask, workers=2), _as_drawn(plan, 512, ask)
    assert np.array_equal(cut[:-1], linked[:-1])
    assert abs(np.corrcoef(cut[-1], linked[-1])[0, 1]) < 0.15
    assert np.median(cut[-1]) == pytest.approx(np.median(linked[-1]), rel=0.1)


def test_without_anything_uncertain_the_cut_changes_nothing() -> None:
    plan = block_of(DEAL, WORK, {"companies": {"buyer": {"customer": {**BROKE, "users": "0 users"}}}}).plan
    ask = [question(plan, "counterparty_loss", "contracts.deal", "total")]
    assert np.array_equal(link.cut(plan, 1, 70, ask), _as_drawn(plan, 70, ask))


def test_answer_five_adds_up(first: offtake.Run) -> None:
    values = first.answers()["answers"][4]["values"]
    signed = sum(r["signed"] for r in values["expected_loss"])
    assert signed == pytest.approx(610.4e9, rel=1e-9)
    assert [r["provider"] for r in values["expected_loss"]] == ["amzn", "msft", "orcl", "crwv"]
    means = {row["mean"] for row in values["one_or_many"]["rows"]}
    assert max(means) == pytest.approx(min(means), rel=1e-9) == pytest.approx(values["expected_loss"][0]["mean"], rel=1e-9)
    found = exposure.wrong_way(first)
    assert found["paths"] == 256 and len(found["rows"]) == 4
    assert found["rows"][0]["linked"]["loss"] == pytest.approx(values["expected_loss"][0]["mean"], rel=1e-12)
