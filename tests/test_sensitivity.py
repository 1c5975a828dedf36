"""What moves a number (U-04): rank correlations against scipy, variance shares against closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from offtake.studies.sensitivity import Sensitivity, ranks

SCORES = np.random.default_rng(7).standard_normal((3, 4096))


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=60))
def test_ranks_with_ties(values: list[int]) -> None:
    assert np.array_equal(ranks(np.array(values, float)), stats.rankdata(values) - 1.0)


def test_rank_correlations() -> None:
    target = np.exp(SCORES[0]) - 0.5 * np.round(SCORES[2])
    found = {m.name: m.correlation for m in Sensitivity(("a", "b", "c"), SCORES).movers(target)}
    assert found == pytest.approx({n: stats.spearmanr(x, target).statistic for n, x in zip("abc", SCORES)}, abs=1e-12)


def test_shares_of_independent_inputs() -> None:
    """y = 3 a + 4 b: shares 0.36 and 0.64, none of what does not move it; the strongest first."""
    found = Sensitivity(("a", "b", "c"), SCORES).movers(3.0 * SCORES[0] + 4.0 * SCORES[1])
    assert [m.name for m in found] == ["b", "a", "c"]
    assert [m.share for m in found] == pytest.approx([0.64, 0.36, 0.0], abs=0.03)
    assert sum(m.share for m in found) == pytest.approx(1.0, abs=1e-9)


def test_shares_of_correlated_inputs_add_up() -> None:
    """y = a + b with correlation 0.8: each holds half by symmetry, and the two add up to all of the variance."""
    mixed = np.stack([SCORES[0], 0.8 * SCORES[0] + 0.6 * SCORES[1]])
    found = Sensitivity(("a", "b"), mixed).movers(mixed[0] + mixed[1])
    assert sum(m.share for m in found) == pytest.approx(1.0, abs=1e-9)
    assert [m.share for m in found] == pytest.approx([0.5, 0.5], abs=0.02)


def test_an_input_and_its_copy() -> None:
    """A singular covariance: the two share what one would hold."""
    found = Sensitivity(("a", "copy"), np.stack([SCORES[0], SCORES[0]])).movers(SCORES[0] * 2.0)
    assert [m.share for m in found] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_ends_are_the_means_near_the_tenth_and_ninetieth_percentile() -> None:
    """y = a: the 10th percentile of a normal score is -1.28; within 5 points of it the mean is -1.30."""
    best = Sensitivity(("a", "b", "c"), SCORES).movers(SCORES[0])[0]
    assert (best.name, best.correlation) == ("a", pytest.approx(1.0))
    assert (best.low, best.high) == (pytest.approx(-1.30, abs=0.04), pytest.approx(1.30, abs=0.04))


@pytest.mark.parametrize("target", [np.full(4096, 2.0), np.where(SCORES[0] > 0, SCORES[0], np.nan)])
def test_what_does_not_vary_or_is_partly_absent_moves_by_nothing(target: np.ndarray) -> None:
    assert Sensitivity(("a", "b", "c"), SCORES).movers(target) == []
