"""Contracts whose months share a commitment (P-02): by hand, and what a run tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

import offtake
from offtake import front, shadow, stages
from offtake.block import Block
from offtake.book import text
from offtake.front import Run

from .deals import block_of, monthly

DEAL = {"form": "take_or_pay", "total": "20 M USD", "term": "24 months", "price": "2 USD/GPU-h", "take_or_pay": "50 %", "true_up": "year",
        "ramp": "readiness", "at_end": "lapse", "recognition": "usage"}  # fmt: skip
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 2)
FULL = 2400.0 * DAYS  # GPU-h of 100 GPUs
YEAR = FULL[:12].sum()


def placed(deal: dict[str, Any], better: float = 0.0, value: float = 50.0, gpus: float = 100.0) -> Block:
    """100 GPUs; work of `gpus` GPUs all the time, and from July to December work for `better` GPUs that is worth 1.5 USD an hour."""
    second = {
        "name": "Better work", "kind": "batch", "customer": "buyer", "assumed": "invented", "may_run": ["deal"], "gang": "1 GPU",
        "home": "deal", "moving": "0 USD/GPU-h", "value": "1.5 USD/GPU-h", "reference": "chip", "efficiency": "1",
        "gpu_hours": {"steps": {f"20{y}-{m:02d}": f"{better * 24 * DAYS[m - 1] if m > 6 else 0} GPU-h/month"
                                for y in (26, 27) for m in range(1, 13)}},
    }  # fmt: skip
    steps = {f"20{y}-{m:02d}": f"{gpus * 24 * DAYS[m - 1]} GPU-h/month" for y in (26, 27) for m in range(1, 13)}
    other: dict[str, Any] = {"workloads": {"work": {"value": f"{value} USD/GPU-h"}} | ({"better": second} if better else {})}
    return block_of(deal, steps, other)


def test_a_commitment_that_is_never_used_up_costs_nothing() -> None:
    b = placed(DEAL, gpus=30.0)
    assert np.all(b.shadow.price == 0.0) and monthly(b, "used")[:, 0] == pytest.approx(0.3 * FULL)


def test_one_that_is_always_used_up_costs_its_price() -> None:
    b = placed(DEAL)
    assert b.shadow.price == pytest.approx(2.0) and monthly(b, "used")[:, 0] == pytest.approx(FULL)


def test_months_that_are_alike_take_alike() -> None:
    """Half of each year is paid, and work that is worth 1 USD an hour wants all of it: any half is as good, each month takes its own."""
    b = placed(DEAL, value=1.0)
    assert b.shadow.price == pytest.approx(1.0) and monthly(b, "used")[:, 0] == pytest.approx(0.5 * FULL)


@pytest.mark.parametrize("form", ["take_or_pay", "build_up", "burn_down"])
def test_between_them_hours_lie_where_they_are_worth_most(form: str) -> None:
    """Half of the year is paid, 438,000 GPU-h. From July on better work takes 80 of 100 GPUs, 353,280 GPU-h of it, which no month's own
    half would pay; work at 1 USD takes the 84,720 left, and is what another hour is worth. Neither is worth the price of 2 USD."""
    amount = {"form": form, "total": f"{2 * YEAR} USD", "term": "24 months", "price": "2 USD/GPU-h", "recognition": "usage"}
    deal: dict[str, Any] = {"take_or_pay": DEAL, "build_up": amount | {"true_up": "year"}, "burn_down": amount | {"at_end": "lapse"}}[form]
    b = placed(deal, better=80.0, value=1.0)
    better, used = b.placement.use[1, 0, :, 0], monthly(b, "used")[:, 0]
    assert better == pytest.approx(np.where(np.arange(24) % 12 > 5, 0.8 * FULL, 0.0))
    assert used.reshape(2, 12).sum(axis=1) == pytest.approx(YEAR / 2) if form != "burn_down" else used.sum() == pytest.approx(YEAR)
    assert monthly(b, "shadow_price")[:, 0] == pytest.approx(1.0)
    assert monthly(b, "placement_gap")[:, 0] == pytest.approx(0.0, abs=1e-9)
    assert monthly(b, "deficiency").sum() == pytest.approx(0.0, abs=1e-3)


def test_beside_the_plan_month_by_month_the_shared_one_is_worth_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Month by month 50 of the 80 GPUs find paid hours: 30 x 184 days x 24 h a year go without their 0.5 USD more."""

    def worth(b: Block) -> float:
        return float((b.demand.value[:, None] * b.placement.served).sum(axis=(0, 1))[0])

    shared = worth(placed(DEAL, better=80.0, value=1.0))

    def by_month(b: Block) -> None:
        stages.place_hours(b)

    monkeypatch.setattr(shadow, "place_block", by_month)
    assert shared - worth(placed(DEAL, better=80.0, value=1.0)) == pytest.approx(2 * 30 * 184 * 24 * 0.5)


def test_a_period_under_way_counts_what_was_taken() -> None:
    """Six months before the book 300,000 of the 400,000 GPU-h due by then were taken: the year under way still pays 100,000 more. The term
    ends in June of the second year."""
    past = {"billed": "600 k USD", "used": "300 k GPU-h", "due": "400 k GPU-h"}
    deal = DEAL | {"signed": "2025-07", "starts": "2025-07", "consumed": past}
    b = placed(deal, better=80.0, value=1.0)
    assert b.shadow.stock[:, 0] == pytest.approx([FULL[:6].sum() / 2 + 100e3, YEAR / 2, 0.0])


@pytest.mark.parametrize("book", ["gpu-cloud"])
def test_a_book_whose_months_stand_apart_pays_nothing(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rows, no search: placement sees the segments as they always were."""

    def never(b: Block) -> None:
        raise AssertionError

    monkeypatch.setattr(shadow, "place_block", never)
    plan = front.compile(offtake.load(book))
    b = stages.allocate(plan)
    stages.fill(b, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    assert sum(array.nbytes for array in b.shadow) == 0 and len(plan.coupled.contract) == 0


def test_a_contract_that_owes_all_it_commits_stands_apart() -> None:
    assert len(placed(DEAL | {"take_or_pay": "100 %"}).plan.coupled.contract) == 0
    assert len(placed(DEAL | {"true_up": "month"}).plan.coupled.contract) == 0


@pytest.fixture(scope="module")
def run() -> Run:
    return offtake.run(offtake.load("two-clouds"), paths=512)


def test_a_run_tells_shadow_prices_and_the_gap(run: Run) -> None:
    found = run.answers()["coupled"]
    assert [row["contract"] for row in found["contracts"]] == ["north"]
    assert 0.0 <= found["contracts"][0]["gap"] <= found["worst"] <= 1e-9
    table = run.table("shadow_price", "contracts.north", "calendar-year").rows()
    assert [row["mean"] for row in table] == [row["mean"] for row in found["contracts"][0]["shadow_prices"]]
    assert all(0.0 <= row["mean"] <= 5.0 for row in table)
    opened = run.explain("used of contracts.north @ 2028")
    assert [row["period"] for row in opened["coupled"]["periods"]] == [row["period"] for row in found["contracts"][0]["shadow_prices"]]
    assert "coupled" not in run.explain("used of contracts.south @ 2028")


def test_no_value_where_months_stand_apart(run: Run) -> None:
    assert all(row["mean"] is None for row in run.table("shadow_price", "contracts.south", "total").rows())


def test_slots_of_the_day_and_shared_commitments_go_together() -> None:
    """The bound holds with the duals of slots, and the plan reaches it."""
    raw = yaml.load(front.locate("two-clouds").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    raw["day"] = {"night": "8 h", "day": "12 h", "peak": "4 h"}
    for work in raw["workloads"].values():
        if work["kind"] == "inference":
            work["profile"] = {"night": "0.5", "day": "1.2", "peak": "1.4"}
    plan = front.compile(text.read(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)))
    b = stages.allocate(plan)
    stages.fill(b, 1, 0, np.zeros(len(plan.factor_paths), np.int64))
    assert len(plan.jobs.day.share) == 3 and b.shadow.price.max() > 0.0
    assert (b.shadow.slack.sum(axis=0) <= 1e-9 * b.shadow.bound.sum(axis=0)).all() and (b.shadow.slack.sum(axis=0) >= 0.0).all()


def test_months_before_a_contract_have_no_gap_of_it() -> None:
    b = placed(DEAL | {"signed": "2026-01", "starts": "2026-07", "term": "18 months"}, better=80.0, value=1.0)
    gap, price = monthly(b, "placement_gap")[:, 0], monthly(b, "shadow_price")[:, 0]
    assert np.isnan(gap[:6]).all() and np.isnan(price[:6]).all() and (gap[6:] <= 1e-9).all() and (price[6:] <= 2.0).all()


def test_an_hour_never_costs_more_than_its_months_price() -> None:
    """Used up in any case, and the price rises in July: an hour costs 1 USD before, 3 from then on, though the stock is worth 3."""
    b = placed(DEAL | {"price": {"steps": {"2026-01": "1 USD/GPU-h", "2026-07": "3 USD/GPU-h"}}})
    assert b.shadow.price[:, 0] == pytest.approx([3.0, 3.0])
    assert monthly(b, "shadow_price")[:, 0] == pytest.approx([1.0] * 6 + [3.0] * 18)


@pytest.mark.parametrize(("form", "stock"), [("build_up", [YEAR - 300e3, YEAR, 0.0]), ("burn_down", [2 * YEAR - 300e3])])
def test_an_amount_under_way_counts_what_was_billed(form: str, stock: list[float]) -> None:
    """Of one USD an hour a year, or of two for the term, 300,000 USD were billed in the six months before the book: that much less is left
    to take of the year under way, or of the whole."""
    deal: dict[str, Any] = {
        "form": form, "total": f"{2 * YEAR} USD", "term": "24 months", "price": "2 USD/GPU-h", "recognition": "usage",
        "signed": "2025-07", "starts": "2025-07", "consumed": {"billed": "300 k USD"},
    }  # fmt: skip
    b = placed(deal | ({"true_up": "year"} if form == "build_up" else {"at_end": "lapse"}), better=80.0, value=1.0)
    assert b.shadow.stock[:, 0] == pytest.approx(stock)
