"""The log-likelihood of a printed figure against SciPy's normal distribution, far into the tails, and against simulated measurements."""

import math

import numpy as np
import pytest
from scipy import stats

from offtake.kernels.likelihood import log_between, log_counted, log_counted_row, log_likelihood, log_likelihood_row, log_tail


@pytest.mark.parametrize("z", [-8.0, -1.0, 0.0, 0.5, 3.0, 8.0, 20.0, 29.99, 30.01, 60.0, 1000.0])
def test_tail(z):
    assert log_tail(z) == pytest.approx(stats.norm.logsf(z), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(
    ("a", "b"),
    [(-1, 1), (-0.2, 3), (2, 2.5), (-2.5, -2), (12, 13), (-13, -12), (-60, -59), (35, 35.01), (1, math.inf), (-math.inf, -3),
     (-3, math.inf)],
)
def test_between(a, b):
    if a == -math.inf:
        want = stats.norm.logcdf(b)
    elif b == math.inf:
        want = stats.norm.logsf(a)
    else:
        low, high = (a, b) if a + b >= 0 else (-b, -a)
        want = stats.norm.logsf(low) + math.log(-math.expm1(stats.norm.logsf(high) - stats.norm.logsf(low)))
    assert log_between(float(a), float(b)) == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize("middle", [0.0, 0.7, 5.0, 40.0])
def test_a_narrow_interval_is_its_width_times_the_density(middle):
    for width in (2e-5, 5e-6, 1e-9):
        got = log_between(middle - width / 2, middle + width / 2)
        assert got == pytest.approx(stats.norm.logpdf(middle) + math.log(width), abs=1e-5)


def test_a_point_is_a_density_and_a_path_without_value_impossible():
    assert log_likelihood(98.0, 100.0, 100.0, 2.0, 1.0, 0.0) == pytest.approx(stats.norm.logpdf(100, 98, 2), rel=1e-14)
    assert log_likelihood(200.0, 100.0, 100.0, 2.0, 0.5, 0.01) == pytest.approx(stats.norm.logpdf(100, 100, math.hypot(2, 1)), rel=1e-14)
    assert log_likelihood(math.nan, 99.0, 101.0, 2.0, 1.0, 0.0) == -math.inf


def test_without_discrepancy_a_figure_holds_or_not():
    for value, want in ((99.4, -math.inf), (99.5, 0.0), (100.5, 0.0), (100.6, -math.inf)):
        assert log_likelihood(value, 99.5, 100.5, 0.0, 1.0, 0.0) == want


def test_a_rounded_figure_is_as_likely_as_simulated_printing_says():
    """The world's figure is normal around the model's, and printed in whole billions: how often 200 comes out, in 400,000 prints."""
    printed = np.round(np.random.default_rng(4).normal(200.8, 0.4, 400_000))
    share = float(np.mean(printed == 200.0))
    assert math.exp(log_likelihood(200.8, 199.5, 200.5, 0.4, 1.0, 0.0)) == pytest.approx(share, abs=4 * math.sqrt(share / 400_000))


def test_a_row_adds_to_what_is_there():
    out = np.array([1.0, 2.0])
    log_likelihood_row(np.array([98.0, np.nan]), 100.0, 100.0, 2.0, 1.0, 0.0, out)
    assert out[0] == pytest.approx(1.0 + stats.norm.logpdf(100, 98, 2)) and out[1] == -np.inf


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (7, 10)])
def test_a_count_is_binomial(hits, count):
    """Ratios of likelihoods, as what no path changes is left out."""
    p, q = 0.3, 0.8
    want = stats.binom.logpmf(hits, count, p) - stats.binom.logpmf(hits, count, q)
    assert log_counted(p, float(hits), float(count)) - log_counted(q, float(hits), float(count)) == pytest.approx(want, rel=1e-12)


def test_a_count_at_the_ends():
    out = np.zeros(4)
    log_counted_row(np.array([0.0, 1.0, np.nan, 1.5]), 0.0, 3.0, out)
    assert out.tolist() == [0.0, -np.inf, -np.inf, -np.inf]
