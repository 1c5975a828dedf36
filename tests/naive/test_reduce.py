"""Counts, sums and quantiles against NumPy on the whole sample; merging in any order; atoms exactly."""

import numpy as np
import pytest

from offtake.kernels import reduce


def tallied(rows, order=None, chunk=64):
    low, scale = reduce.ranges(rows[:, :256])
    whole = reduce.empty(len(rows))
    starts = list(range(0, rows.shape[1], chunk))
    for start in order(starts) if order else starts:
        reduce.tally(whole, rows[:, start : start + chunk].copy(), low, scale)
    return whole


def sample(seed, n=4096):
    r = np.random.default_rng(seed)
    rows = np.stack([r.normal(5, 2, n), r.lognormal(0, 1, n), np.where(r.random(n) < 0.4, 0.0, r.exponential(3, n)), np.full(n, 38e9)])
    return rows


@pytest.mark.parametrize("seed", range(3))
def test_quantiles_lie_within_a_bin_of_numpy(seed):
    rows = sample(seed)
    merged = tallied(rows)
    for p in (0.05, 0.25, 0.5, 0.75, 0.95):
        got, want = reduce.quantiles(merged, slice(0, 4), p), np.quantile(rows, p, axis=1)
        width = (np.quantile(rows, 0.998, axis=1) - np.quantile(rows, 0.002, axis=1)) / 256
        assert np.all(np.abs(got - want) <= width)


def test_atoms_come_back_exactly():
    merged = tallied(sample(1))
    assert reduce.quantiles(merged, slice(2, 3), 0.25)[0] == 0.0
    assert all(reduce.quantiles(merged, slice(3, 4), p)[0] == 38e9 for p in (0.05, 0.5, 0.95))


def test_any_order_of_chunks_gives_the_same_bits():
    rows = sample(2)
    one, two = tallied(rows), tallied(rows, order=lambda s: s[::-1])
    assert np.array_equal(one, two)


def test_absent_is_counted_nowhere():
    rows = sample(4)
    rows[0, ::2] = np.nan
    merged = tallied(rows)
    assert list(reduce.count(merged, slice(0, 4))) == [2048, 4096, 4096, 4096]
    assert reduce.quantiles(merged, slice(0, 1), 0.5)[0] == pytest.approx(np.nanmedian(rows[0]), abs=0.03)


def test_error_of_a_quantile_is_that_of_its_share_over_the_density():
    """Uniform on 0 to 1: a share off by 0.01 moves the quantile by 0.01; without an error of the share there is none."""
    rows = np.random.default_rng(1).permutation(np.linspace(0.0, 1.0, 4001))[None]
    merged = tallied(rows)
    assert reduce.quantile_errors(merged, slice(0, 1), 0.5, np.array([0.01]))[0] == pytest.approx(0.01, rel=0.01)
    assert reduce.quantile_errors(merged, slice(0, 1), 0.05, np.array([0.2]))[0] == pytest.approx(0.2, rel=0.02)  # cut at the end
    assert reduce.quantile_errors(merged, slice(0, 1), 0.5, np.array([0.0]))[0] == 0.0
    assert np.isnan(reduce.quantile_errors(merged, slice(0, 1), 0.5, np.array([np.nan]))[0])


def test_sums_and_shares_by_period_by_hand():
    """Months 1 2 3 4 in periods of three and one month: 6 and 4; causes 0 2 2 | 1: a third and two thirds, then all of cause 1."""
    first, last = np.array([0, 3]), np.array([2, 3])
    sums, shares = np.empty((2, 2)), np.empty((2, 3, 1))
    reduce.by_period(np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]]), first, last, sums)
    assert sums.tolist() == [[6.0, 60.0], [4.0, 40.0]]
    reduce.shares_by_period(np.array([[0], [2], [2], [1]]), first, last, shares)
    assert shares[:, :, 0].tolist() == [[1 / 3, 0.0, 2 / 3], [0.0, 1.0, 0.0]]
