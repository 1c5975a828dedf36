"""Returns of a stream of cash, and a dollar of obligations: by hand, against scipy's root finder and plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from offtake.kernels import returns


def irr(*flow: float) -> float:
    out = np.zeros(1)
    returns.irr_block(np.array(flow)[:, None], out)
    return float(out[0])


def payback(*flow: float) -> float:
    out = np.zeros(1)
    returns.payback_block(np.array(flow)[:, None], out)
    return float(out[0])


def test_irr_of_an_annuity() -> None:
    """100 a month for a year against 1,125.50775 a month before: 1 % a month, 12.682503 % a year."""
    assert irr(-1125.5077473, *[100.0] * 12) == pytest.approx(1.01**12 - 1.0, rel=1e-8)


def test_irr_of_one_payment_a_year_later() -> None:
    assert irr(-100.0, *[0.0] * 11, 110.0) == pytest.approx(0.10, rel=1e-12)
    assert irr(-100.0, *[0.0] * 11, 80.0) == pytest.approx(-0.20, rel=1e-12)


def test_a_stream_without_a_change_of_sign_has_none() -> None:
    assert np.isnan(irr(1.0, 2.0, 3.0)) and np.isnan(irr(-1.0, -2.0)) and np.isnan(irr(0.0, 0.0))


def test_money_borrowed_is_no_investment() -> None:
    assert np.isnan(irr(100.0, *[0.0] * 11, -110.0))


def test_of_two_roots_the_falling_one() -> None:
    """-100, +230 a year later, -132 two years later: zero at 10 % (rising) and 20 % (falling)."""
    assert irr(-100.0, *[0.0] * 11, 230.0, *[0.0] * 11, -132.0) == pytest.approx(0.20, rel=1e-9)


@pytest.mark.parametrize("rates, nearest", [((-0.30, 0.05, 0.60), -0.30), ((-0.50, 0.10, 0.25), 0.25)])
def test_of_two_falling_roots_the_nearer_to_zero(rates: tuple[float, ...], nearest: float) -> None:
    """(y - y1)(y - y2)(y - y3) in y = 1 / (1 + rate) a year, multiplied out by hand: value falls at the lowest and at the highest rate."""
    a, b, c = (1.0 / (1.0 + r) for r in rates)
    gap = [0.0] * 11
    assert irr(-a * b * c, *gap, a * b + b * c + c * a, *gap, -(a + b + c), *gap, 1.0) == pytest.approx(nearest, rel=1e-8)


def test_payback_by_hand() -> None:
    assert payback(-10.0, 4.0, 4.0, 4.0, 4.0) == 4.0
    assert payback(5.0, -10.0, 4.0, 1.0, 1.0) == 4.0
    assert payback(1.0, 1.0) == 0.0
    assert np.isnan(payback(-10.0, 4.0, 4.0))


@given(st.lists(st.floats(-50, 100), min_size=3, max_size=40), st.floats(50, 500))
@settings(max_examples=80, deadline=None)
def test_irr_is_a_root_that_scipy_finds(tail: list[float], outlay: float) -> None:
    flow = np.array([-outlay, *tail])
    out = np.zeros(1)
    returns.irr_block(flow[:, None], out)

    def worth(rate: float) -> float:
        return float(sum(cash / (1.0 + rate) ** ((m + 1) / 12.0) for m, cash in enumerate(flow)))

    if np.isnan(out[0]):
        return
    rate, step = float(out[0]), 0.002
    if worth(rate - step) > 0 > worth(rate + step):
        assert rate == pytest.approx(brentq(worth, rate - step, rate + step, xtol=1e-14), abs=1e-9)
    assert abs(worth(rate)) <= 1e-6 * np.abs(flow).sum()


@given(st.floats(0.5, 20))
@settings(max_examples=20, deadline=None)
def test_scaling_the_money_changes_no_return(scale: float) -> None:
    flow = np.array([-100.0, 10.0, 20.0, 90.0, -5.0])
    assert irr(*(scale * flow)) == pytest.approx(irr(*flow), rel=1e-9)
    assert payback(*(scale * flow)) == payback(*flow)


def obligation(**other: object) -> np.ndarray:
    """120 signed, 10 a month for a year at 12 % a year, unless told otherwise."""
    even = np.full((12, 1), 10.0)
    told = {"total": 120.0, "remaining": 0.0, "gone": np.zeros((12, 1)), "straight": even, "paid": even, "rate": 0.12} | other
    out = np.zeros((5, 1))
    arrays = [np.atleast_1d(told[k]) for k in ("total", "remaining", "gone", "straight", "paid", "rate")]
    returns.obligation_block(*arrays, out)
    return out[:, 0]


def naive_factor(amounts: np.ndarray, rate: float) -> float:
    return sum(a / (1 + rate) ** ((m + 1) / 12) for m, a in enumerate(amounts[:, 0])) / amounts.sum()


def test_a_dollar_paid_on_time_loses_time_alone() -> None:
    value, time, delay, cancelled, unpaid = obligation()
    assert value == pytest.approx(naive_factor(np.full((12, 1), 10.0), 0.12), rel=1e-12)
    assert time == pytest.approx(1 - value, rel=1e-12)
    assert (delay, cancelled, unpaid) == pytest.approx((0.0, 0.0, 0.0), abs=1e-15)


def test_a_dollar_late_cut_and_unpaid() -> None:
    """All of it a year's end: half terminated, a quarter never paid, the rest paid in month 12."""
    gone, paid = np.zeros((12, 1)), np.zeros((12, 1))
    gone[5], paid[11] = 60.0, 30.0
    value, time, delay, cancelled, unpaid = obligation(gone=gone, paid=paid)
    assert value == pytest.approx(0.25 / 1.12, rel=1e-12)
    assert cancelled == pytest.approx(0.5 / 1.12, rel=1e-12)
    assert unpaid == pytest.approx(0.25 / 1.12, rel=1e-12)
    assert time + delay == pytest.approx(1 - 1 / 1.12, rel=1e-12)


def test_what_falls_due_later_is_left_out() -> None:
    assert obligation(total=240.0, remaining=120.0) == pytest.approx(obligation(), rel=1e-12)
    assert np.isnan(obligation(remaining=120.0)).all()


@given(st.integers(0, 10_000))
@settings(max_examples=50, deadline=None)
def test_the_parts_of_a_dollar_add_up(seed: int) -> None:
    r = np.random.default_rng(seed)
    paid, gone = r.uniform(0, 10, (24, 1)), r.uniform(0, 2, (24, 1))
    found = obligation(total=r.uniform(200, 400), remaining=r.uniform(0, 90), paid=paid, gone=gone, straight=r.uniform(1, 9, (24, 1)))
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
