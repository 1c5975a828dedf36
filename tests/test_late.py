"""One provider late, one cloud and several (V-05): cases by hand, and what holds of any book."""

from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import offtake
from offtake import front
from offtake.book import text
from offtake.book.check import check
from offtake.studies import late
from offtake.units import format_interval, format_value

from .deals import BASE, merged

HOURS_JUL_TO_DEC_2026 = 184 * 24
HOURS_JUL_TO_SEP_2026 = 92 * 24
HOURS = 730 * 24  # two years

TERMS = {
    "name": "Terms", "customer": "buyer", "layer": "cloud", "assumed": "invented", "signed": "2026-01", "starts": "2026-01", "firm": 1,
    "form": "reserved", "total": "1 bn USD", "term": "24 months", "price": "2 USD/GPU-h", "true_up": "month", "ramp": "readiness",
    "at_end": "lapse", "recognition": "reserved", "firm_on": "signing", "payment_lag": "0 months",
}  # fmt: skip


def lot(gpus: str, month: str, slip: str = "0 months", running: bool = False) -> dict[str, Any]:
    return {"chip": "chip", "gpus": gpus, "month": month, "over": "1 month", "slip": slip, "acceptance": "0 months", "running": running}


def two_halls(hall: list[dict[str, Any]], barn: list[dict[str, Any]], work: dict[str, Any], other: dict[str, Any] | None = None) -> Any:
    """A hall of one cloud and a barn of another, each under a contract of its own, and one job."""
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    del base["contracts"]["deal"]
    added = {
        "companies": {
            "farm": {"name": "The Farm", "fiscal_year_end": "12", "discount_rate": "10 %", "assumed": "invented"},
            "buyer": {"customer": {"compute_cost": "1 to 1000000000 USD/month"}},
        },
        "sites": {"hall": {"lots": hall}, "barn": {**deepcopy(base["sites"]["hall"]), "provider": "farm", "lots": barn}},
        "contracts": {
            "deal": {**deepcopy(TERMS), "provider": "cloud", "sites": ["hall"], "priority": 1},
            "side": {**deepcopy(TERMS), "provider": "farm", "sites": ["barn"], "priority": 2},
        },
        "workloads": {"work": {"may_run": ["deal", "side"], "deferrable": "false", **work}},
    }
    book = text.read(yaml.safe_dump(merged(merged(base, added), other or {}), sort_keys=False))
    assert [issue.to_text() for issue in check(book)] == []
    return book


def losses(book: Any, months: tuple[int, ...], paths: int = 64) -> dict[tuple[str, int], np.ndarray]:
    found, values = late.compute(front.compile(book), 1, paths, months, workers=1)
    whole = values.sum(axis=1)
    return dict(zip(found.names, whole[0] - whole[4:]))


WANTED = {"gpu_hours": {"steps": {"2026-01": "1 M GPU-h/month"}}, "moving": "1 USD/GPU-h"}


def test_a_late_lot_loses_its_hours_at_what_they_earn() -> None:
    """60 GPUs of July come in January: 60 x hours x (50 - 1) USD; the hall has nothing left to deliver."""
    book = two_halls([lot("100 GPU", "2026-01", running=True)], [lot("60 GPU", "2026-07")], WANTED)
    found = losses(book, (3, 6))
    assert set(found) == {("farm", 3), (late.ALL, 3), ("farm", 6), (late.ALL, 6)}
    assert found["farm", 3] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_SEP_2026 * 49.0), rel=1e-12)
    assert found["farm", 6] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_DEC_2026 * 49.0), rel=1e-12)
    assert np.array_equal(found["farm", 6], found[late.ALL, 6])


def test_renegotiation_does_not_hide_a_loss() -> None:
    """A buyer without income would give up half of everything in the first month; the loss is that of the signed terms."""
    broke = {"users": "0 users", "renegotiation": {"below": "1", "months": "1 month", "cut": "50 %", "probability": "1"}, "cash": "1 k USD"}
    other = {"companies": {"buyer": {"customer": broke}}}
    book = two_halls([lot("100 GPU", "2026-01", running=True)], [lot("60 GPU", "2026-07")], WANTED, other)
    assert losses(book, (3,))["farm", 3] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_SEP_2026 * 49.0), rel=1e-12)


def test_hours_beyond_those_owed_are_worth_less_by_their_price() -> None:
    """Half of the barn's hours are owed anyway, the other half costs 2 USD when used: 49 - 1 on average."""
    side = {"form": "take_or_pay", "take_or_pay": "50 %"}
    book = two_halls([lot("100 GPU", "2026-01", running=True)], [lot("60 GPU", "2026-07")], WANTED, {"contracts": {"side": side}})
    assert losses(book, (3,))["farm", 3] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_SEP_2026 * 48.0), rel=1e-12)


def test_a_late_power_step_counts_too() -> None:
    """The chips are there; the 60 kW of July come in October."""
    power = [{"mw": "0.06 MW", "basis": "it", "month": "2026-07", "slip": "0 months"}]
    book = two_halls([lot("100 GPU", "2026-01", running=True)], [lot("60 GPU", "2026-02")], WANTED, {"sites": {"barn": {"power": power}}})
    plan = front.compile(book)
    assert [plan.factor_paths[x] for x in late.slips(plan, "farm")] == ["sites.barn.lots.0.slip", "sites.barn.power.0.slip"]
    assert losses(book, (3,))["farm", 3] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_SEP_2026 * 49.0), rel=1e-12)


def test_another_cloud_stands_in() -> None:
    """The barn's 60 GPUs are late while the hall's 60 of the same month stand idle: nothing is lost.

    Both late together lose 60 GPUs' work. This is what several clouds buy.
    """
    work = {"gpu_hours": {"steps": {f"2026-{m:02d}": f"{60 * 24 * d} GPU-h/month" for m, d in ((7, 31), (8, 31), (9, 30), (10, 31))}}}
    work["gpu_hours"]["steps"] = {"2026-01": "10 GPU-h/month", **work["gpu_hours"]["steps"], "2026-11": "10 GPU-h/month"}
    found = losses(two_halls([lot("60 GPU", "2026-07")], [lot("60 GPU", "2026-07")], {**work, "moving": "0 USD/GPU-h"}), (3,))
    assert np.all(found["cloud", 3] == 0.0) and np.all(found["farm", 3] == 0.0)
    assert found[late.ALL, 3] == pytest.approx(np.full(64, 60 * HOURS_JUL_TO_SEP_2026 * 50.0), rel=1e-12)


def test_pools_apart_stand_idle_where_one_cloud_would_not() -> None:
    """The job may run in the hall alone: the barn's 60 GPUs idle at 2 USD an hour, and would earn 50 in one cloud."""
    book = two_halls([lot("100 GPU", "2026-01", running=True)], [lot("60 GPU", "2026-01", running=True)], {**WANTED, "may_run": ["deal"]})
    found = late.told(offtake.run(book, paths=64))
    assert found["rows"] == [] and late.sentence(found) == "No provider has anything left to deliver late."
    assert found["idle_apart"]["mean"] == pytest.approx(60 * HOURS * 2.0, rel=1e-12)
    assert found["idle_one_cloud"]["mean"] == pytest.approx(0.0, abs=1e-6)
    assert found["idle_cost"]["p05"] == pytest.approx(60 * HOURS * 2.0, rel=1e-12)
    assert found["work_cost"]["mean"] == pytest.approx(60 * HOURS * 50.0, rel=1e-12)


def test_one_cloud_keeps_customers_and_chips_apart() -> None:
    plan = front.compile(offtake.load("two-clouds"))
    one = late.one_cloud(plan)
    jobs, pools = plan.names.workloads, plan.names.pool_labels
    opened = {(jobs[w], pools[k]) for w, k in np.argwhere(one.jobs.eligible > plan.jobs.eligible)}
    assert opened == set()  # frontier needs the newer chip, which one cloud alone has; the rest runs everywhere already
    assert np.array_equal(one.jobs.eligible, one.workloads.eligible)


def test_one_cloud_opens_no_pool_of_another_customer() -> None:
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    other = {"companies": {"rival": {**base["companies"]["buyer"], "name": "The Rival"}}, "contracts": {"side": {"customer": "rival"}}}
    job = {
        **base["workloads"]["work"],
        "customer": "rival",
        "may_run": ["side"],
        "home": "side",
        "gpu_hours": {"steps": {"2026-01": "1000 GPU-h/month"}},
    }
    other["workloads"] = {"rival-work": job}
    running = [lot("60 GPU", "2026-01", running=True)]
    plan = front.compile(two_halls(running, deepcopy(running), {**deepcopy(WANTED), "may_run": ["deal"]}, deepcopy(other)))
    assert np.array_equal(late.one_cloud(plan).jobs.eligible, plan.jobs.eligible) and plan.jobs.eligible.tolist() == [[1, 0], [0, 1]]


SIZE, SLIP = st.integers(10, 90), st.sampled_from(["0 months", "1 to 5 months", "0.3 to 9 months"])


@settings(max_examples=12, deadline=None)
@given(SIZE, SIZE, SLIP, SLIP, st.integers(2, 11), st.integers(2, 11), st.integers(20, 150))
def test_laws(a: int, b: int, slip_a: str, slip_b: str, month_a: int, month_b: int, wanted: int) -> None:
    """No lateness, no loss, to the bit; more months never lose less; one provider never more than all, on every path."""
    book = two_halls(
        [lot("20 GPU", "2026-01", running=True), lot(f"{a} GPU", f"2026-{month_a:02d}", slip_a)],
        [lot(f"{b} GPU", f"2026-{month_b:02d}", slip_b)],
        {"gpu_hours": {"steps": {"2026-01": f"{wanted * 700} GPU-h/month"}}, "moving": "3 USD/GPU-h"},
    )
    found = losses(book, (0, 2, 7))
    tiny = 1e-9 * wanted * 700 * 24 * 50
    for provider in ("cloud", "farm", late.ALL):
        assert np.all(found[provider, 0] == 0.0)
        assert np.all(found[provider, 2] >= -tiny) and np.all(found[provider, 7] >= found[provider, 2] - tiny)
    for n in (2, 7):
        assert np.all(np.maximum(found["cloud", n], found["farm", n]) <= found[late.ALL, n] + tiny)
        assert np.any(found[late.ALL, n] > 0.0) or wanted < 23  # 20 GPUs are there


@cache
def told() -> dict[str, Any]:
    return late.told(offtake.run(offtake.load("openai-aws"), paths=64))


def test_the_first_book_loses_less_to_one_than_to_all() -> None:
    """Whole losses of a shipped book, in USD of its own work; placement really changes."""
    assert {r["months"] for r in told()["rows"]} == set(late.MONTHS)
    single = [r["mean"] for r in told()["rows"] if r["provider"] != late.ALL and r["months"] == late.SHOWN]
    together = late.at(told(), late.ALL)
    assert together is not None and len(single) == 4 and min(single) > 0.0
    assert max(single) < together["mean"] and sum(single) < together["mean"] < told()["on_time"]
    said = late.sentence(told())
    assert told()["paths"] == 64 and "(first 64 paths)" in said
    price, most = told()["work_cost"], format_value(max(single), "USD")
    span = format_interval(price["p05"], price["p95"], "USD")
    assert f"Several clouds cost work worth {format_value(price['mean'], 'USD')} ({span})" in said
    assert f"would cost {format_value(together['mean'], 'USD')} where the costliest of several costs {most}" in said


def test_same_bits_on_one_worker_or_two_and_the_first_paths_of_more() -> None:
    plan = front.compile(offtake.load("two-clouds"))
    one, two = (late.compute(plan, 1, 130, (6,), workers=n)[1] for n in (1, 2))
    assert np.array_equal(one, two) and np.array_equal(one[..., :70], late.compute(plan, 1, 70, (6,))[1])
