"""The market model by hand and against scipy, diffusion against its laws, and what a file of closes may look like."""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from offtake import market
from offtake.closes import read_closes
from offtake.errors import QuestionError

SIX = np.array([-2.0, -1.0, 0.0, 0.0, 1.0, 2.0]) / 100
FIRM = np.array([-3.0, -1.0, 1.0, 3.0, 1.0, 5.0]) / 100


def test_a_six_day_market_model_by_hand() -> None:
    """Sxx = 10, Sxy = 18 (squared per cent): beta 1.8, alpha 1 %; residuals -0.4 -0.2 0 2 -1.8 0.4, so sigma^2 = 7.6 / 4."""
    model = market.market_model(FIRM, SIX)
    assert (model.alpha, model.beta) == pytest.approx((0.01, 1.8), rel=1e-12)
    assert model.sigma == pytest.approx(math.sqrt(1.9) / 100, rel=1e-12)
    found = market.abnormal(model, 0.07, 0.01)
    assert found.value == pytest.approx(0.07 - 0.028, rel=1e-12)
    assert found.error == pytest.approx(math.sqrt(1.9 * (1 + 1 / 6 + 1 / 10)) / 100, rel=1e-12)
    assert found.ratio == pytest.approx(4.2 / math.sqrt(1.9 * 1.2666666666666666), rel=1e-12)
    assert found.p_value == pytest.approx(1 / 7, rel=1e-12)  # no residual of the window is as large
    assert market.abnormal(model, 0.038, 0.01).p_value == pytest.approx(3 / 7, rel=1e-12)  # two are: 2 and -1.8 against 1


@given(st.integers(0, 10_000), st.integers(10, 200))
@settings(max_examples=40, deadline=None)
def test_the_market_model_is_scipys(seed: int, days: int) -> None:
    r = np.random.default_rng(seed)
    x = r.normal(0.0005, 0.01, days)
    y = 0.001 + 1.3 * x + r.normal(0, 0.015, days)
    model, line = market.market_model(y, x), stats.linregress(x, y)
    assert (model.alpha, model.beta) == pytest.approx((line.intercept, line.slope), rel=1e-9)
    at = 0.02  # variance of the fitted line at a point, from scipy's own standard errors
    fitted = line.intercept_stderr**2 + at**2 * line.stderr**2 - 2 * at * x.mean() * line.stderr**2
    sigma = math.sqrt(((y - line.intercept - line.slope * x) ** 2).sum() / (days - 2))
    assert model.error(at) == pytest.approx(math.sqrt(sigma**2 + fitted), rel=1e-9)


@given(st.floats(-0.02, 0.02), st.floats(0.2, 5))
@settings(max_examples=30, deadline=None)
def test_a_constant_or_another_unit_of_the_benchmark_changes_nothing_abnormal(constant: float, scale: float) -> None:
    plain = market.abnormal(market.market_model(FIRM, SIX), 0.07, 0.01)
    other = market.abnormal(market.market_model(FIRM + constant, scale * SIX), 0.07 + constant, scale * 0.01)
    assert (other.value, other.error, other.p_value) == pytest.approx((plain.value, plain.error, plain.p_value), rel=1e-9)


def test_days_without_a_close_are_left_out() -> None:
    firm, index = np.append(FIRM, [np.nan, 0.5]), np.append(SIX, [0.01, np.nan])
    assert market.market_model(firm, index).beta == pytest.approx(1.8, rel=1e-12)
    with pytest.raises(ValueError, match="3 days"):
        market.market_model(FIRM[:3], SIX[:3])
    with pytest.raises(ValueError, match="never moves"):
        market.market_model(FIRM, np.zeros(6))


def test_an_index_without_one_of_its_names() -> None:
    """Half of it the name at 4 %, half others at 1 %: the index moves 2.5 %."""
    assert market.without_name(np.array([0.025]), np.array([0.04]), 0.5) == pytest.approx([0.01], rel=1e-12)


def test_sample_quantile_p_values_are_uniform_where_nothing_happened() -> None:
    """On 400 quiet days the p-value lies under 0.1 about one time in ten."""
    r = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        x = r.standard_t(4, 121) * 0.008
        y = 0.8 * x + r.standard_t(4, 121) * 0.012
        hits += market.abnormal(market.market_model(y[:-1], x[:-1]), float(y[-1]), float(x[-1])).p_value <= 0.1
    assert 22 <= hits <= 60


def test_chance_at_a_date_is_the_lognormal_law() -> None:
    law = stats.lognorm(s=0.02 * math.sqrt(500), scale=math.exp((0.0004 - 0.0002) * 500))
    assert market.chance_at(1.3, 0.0004, 0.02, 500) == pytest.approx(law.sf(1.3), rel=1e-10)


def test_without_drift_in_logs_a_touch_is_twice_as_likely_as_being_there() -> None:
    """The reflection principle, where drift - sigma^2/2 is nothing."""
    drift = 0.5 * 0.02**2
    assert market.chance_touched(1.2, drift, 0.02, 300) == pytest.approx(2 * market.chance_at(1.2, drift, 0.02, 300), rel=1e-12)
    assert market.chance_touched(1.0, drift, 0.02, 300) == 1.0


@given(st.floats(1.01, 3), st.floats(-0.002, 0.002), st.floats(0.005, 0.06), st.floats(5, 1000))
@settings(max_examples=60, deadline=None)
def test_a_touch_is_never_less_likely_than_being_there(level: float, drift: float, sigma: float, days: float) -> None:
    there, touched = market.chance_at(level, drift, sigma, days), market.chance_touched(level, drift, sigma, days)
    assert there - 1e-12 <= touched <= 1.0
    assert market.chance_touched(level * 1.1, drift, sigma, days) <= touched + 1e-12


def test_chance_of_a_fall_in_a_day() -> None:
    one = stats.norm.cdf((math.log(0.85) - (0.0004 - 0.5 * 0.05**2)) / 0.05)
    assert market.chance_of_a_fall(0.15, 0.0004, 0.05, 250) == pytest.approx(1 - (1 - one) ** 250, rel=1e-9)


def test_worst_fall_in_closes() -> None:
    prices = np.array([100.0, 90.0, 95.0, 80.0, 120.0])
    assert market.worst_fall(prices, 1) == pytest.approx(15 / 95)
    assert market.worst_fall(prices, 3) == pytest.approx(0.20)
    assert market.worst_fall(prices[:1], 1) != market.worst_fall(prices[:1], 1)  # absent, not zero


def written(folder: Path, content: str) -> Path:
    file = folder / "closes.csv"
    file.write_text(content, encoding="utf-8")
    return file


GOOD = "date,AAA,BBB\n2025-01-02,10,\n2025-01-03,11,20\n2025-01-06,9.9,22\n"


def test_closes_are_read_and_cut_at_the_day_of_knowledge(tmp_path: Path) -> None:
    closes = read_closes(written(tmp_path, GOOD))
    assert closes.tickers == ("AAA", "BBB") and closes.last("BBB") == 22.0
    assert closes.returns("AAA")[1:] == pytest.approx([0.1, -0.1]) and np.isnan(closes.returns("BBB")[1])
    cut = closes.until(date(2025, 1, 5))
    assert cut.days[-1] == date(2025, 1, 3) and cut.left_out == 1
    assert closes.day_of(date(2025, 1, 4)) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "closes read `date,TICKER,..`"),
        ("day,AAA\n2025-01-02,1\n", "closes.csv:1:"),
        ("date,AAA,AAA\n2025-01-02,1,2\n", "a ticker stands twice"),
        ("date,AAA\n02.01.2025,1\n", "closes.csv:2: '02.01.2025' is not a date"),
        ("date,AAA\n2025-01-03,1\n2025-01-02,1\n", "closes.csv:3: 2025-01-02 does not come after 2025-01-03"),
        ("date,AAA\n2025-01-02,0\n", "closes.csv:2: '0' is not a price"),
        ("date,AAA\n2025-01-02,x\n", "closes.csv:2: 'x' is not a price"),
        ("date,AAA\n2025-01-02,1,2\n", "closes.csv:2: 2 prices for 1 tickers"),
    ],
)
def test_closes_that_cannot_be_read_say_where(tmp_path: Path, content: str, sentence: str) -> None:
    with pytest.raises(QuestionError) as caught:
        read_closes(written(tmp_path, content))
    assert sentence in str(caught.value)


def test_questions_closes_cannot_answer(tmp_path: Path) -> None:
    closes = read_closes(written(tmp_path, GOOD))
    for ask, sentence in (
        (lambda: closes.of("CCC"), "the closes hold no 'CCC'; they hold AAA, BBB"),
        (lambda: closes.until(date(2024, 1, 1)), "no close is as old as 2024-01-01"),
        (lambda: closes.day_of(date(2025, 2, 1)), "the closes end on 2025-01-06, before 2025-02-01"),
        (lambda: read_closes(tmp_path / "none.csv"), "could not be read"),
    ):
        with pytest.raises(QuestionError) as caught:
            ask()
        assert sentence in str(caught.value)
