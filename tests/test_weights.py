"""What a path counts (E-02): fixed-point weights, effective paths, the tail, and runs with weights."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake import montecarlo
from offtake.evidence.weights import HEAVIEST, alike, effective, fixed, generalised_pareto_shape, pareto_tail
from offtake.kernels import reduce, replicates
from offtake.questions import question


def weighted_mean(values, weights):
    """Mean and its replicate error, as a person would write them down; path p stands in replicate p mod 16, NaN is absent."""
    paths = [(p, v, int(w)) for p, (v, w) in enumerate(zip(values, weights)) if w > 0 and not math.isnan(v)]
    total = sum(w for _, _, w in paths)
    mean = sum(w * v for _, v, w in paths) / total
    off = [sum(w * (v - mean) for p, v, w in paths if p % 16 == r) for r in range(16) if any(p % 16 == r for p, _, _ in paths)]
    return mean, math.sqrt(sum(x * x for x in off) * len(off) / (len(off) - 1)) / total


def weighted_quantile(values, weights, p):
    """The value that covers rank p (n - 1), a path covering its weight over the mean weight; a line between whole ranks."""
    order = sorted((v, int(w)) for v, w in zip(values, weights) if w > 0)
    unit = sum(w for _, w in order) / len(order)
    rank, ends = p * (len(order) - 1), np.cumsum([w for _, w in order])

    def at(k):
        return order[min(int(np.searchsorted(ends, k * unit, side="right")), len(order) - 1)][0]

    whole = math.floor(rank)
    return at(whole) if whole == rank else at(whole) + (rank - whole) * (at(whole + 1) - at(whole))


POINTS = np.array([0.05, 0.5, 0.95])


def tallied(rows, weight=None, chunk=64, kind=None):
    """Histogram and replicates of rows, in chunks; without weights by the plain tally."""
    low, scale = reduce.ranges(rows)
    whole = reduce.empty(len(rows), kind=reduce.BIN if weight is None else reduce.WEIGHED)
    marks, each = replicates.marks_near(rows, POINTS, weight), np.ones(rows.shape[1], np.int64) if weight is None else weight
    total, held = np.zeros((len(rows), 16)), np.zeros((len(rows), 16), np.int64)
    below, paths = np.zeros((len(rows), 3, 16), np.int64), np.zeros(len(rows), np.int64)
    for start in range(0, rows.shape[1], chunk):
        part, mine = rows[:, start : start + chunk].copy(), each[start : start + chunk].copy()
        reduce.tally(whole, part, low, scale) if weight is None else reduce.tally_weighted(whole, part, mine, low, scale)
        replicates.by_replicate(part, mine, low, marks, total, held, below, paths)
    return whole, low, total, held, below, paths


def summary(whole, low, total, held, below, paths):
    every = slice(0, len(low))
    weight = reduce.count(whole, every)
    quantiles = [reduce.quantiles(whole, every, p, paths) for p in (0.0, 0.05, 0.5, 0.95, 1.0)]
    spread = replicates.share_error(below[:, 1], held, 0.5)
    mean = low + total.sum(axis=1) / weight
    se = replicates.ratio_error(total, held)
    return np.stack([paths, mean, se, *quantiles, reduce.quantile_errors(whole, every, 0.5, spread, paths)])


def sample(n=1024):
    r = np.random.default_rng(7)
    rows = np.stack([r.normal(5, 2, n), r.lognormal(0, 1, n), np.where(r.random(n) < 0.4, 0.0, r.exponential(3, n)), np.full(n, 38e9)])
    rows[1, ::7] = np.nan
    return rows, r.integers(0, 1000, n)


def test_weighted_tally_against_its_twin():
    rows, weight = sample()
    found = summary(*tallied(rows, weight))
    for r, row in enumerate(rows):
        known = ~np.isnan(row)
        mean, se = weighted_mean(row, weight)
        assert found[0, r] == np.count_nonzero(known & (weight > 0))
        assert found[1, r] == pytest.approx(mean, rel=1e-12)
        assert found[2, r] == pytest.approx(se, rel=1e-6, abs=1e-9)
        width = np.nanmax(row) - np.nanmin(row)
        for i, p in enumerate((0.0, 0.05, 0.5, 0.95, 1.0)):
            assert found[3 + i, r] == pytest.approx(weighted_quantile(row[known], weight[known], p), abs=width / 100)


@settings(deadline=None, max_examples=20)
@given(size=st.sampled_from([1, 2, 1024, HEAVIEST]))
def test_equal_weights_of_any_power_of_two_give_the_bits_of_no_weights(size):
    rows, _ = sample()
    assert np.array_equal(summary(*tallied(rows, np.full(rows.shape[1], size))), summary(*tallied(rows)))


@settings(deadline=None, max_examples=20)
@given(factor=st.integers(2, 1_000_000))
def test_scaling_all_weights_changes_nothing(factor):
    rows, weight = sample()
    a, b = summary(*tallied(rows, weight)), summary(*tallied(rows, weight * factor))
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_weights_0_and_1_are_the_subset():
    """The same as if the paths of weight 0 had no value."""
    rows, weight = sample()
    weight = (weight > 600).astype(np.int64)
    low, scale = reduce.ranges(rows)
    whole, part = reduce.empty(len(rows), kind=reduce.WEIGHED), reduce.empty(len(rows))
    reduce.tally_weighted(whole, rows, weight, low, scale)
    reduce.tally(part, rows[:, weight > 0].copy(), low, scale)
    n = reduce.count(part, slice(0, 4))
    for p in (0.05, 0.5, 0.95):
        assert np.array_equal(reduce.quantiles(whole, slice(0, 4), p, n), reduce.quantiles(part, slice(0, 4), p))
    absent = np.where(weight > 0, rows, np.nan)
    _, _, total, held, _, paths = tallied(rows, weight)
    _, _, total_of, held_of, _, _ = tallied(absent)
    assert np.array_equal(paths, n) and np.array_equal(held, held_of)
    np.testing.assert_allclose(replicates.ratio_error(total, held), replicates.error_of_mean(absent), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(replicates.ratio_error(total_of, held_of), replicates.error_of_mean(absent), rtol=1e-9, atol=1e-9)


def test_any_order_of_chunks_gives_the_same_histogram():
    rows, weight = sample()
    low, scale = reduce.ranges(rows)
    found = []
    for starts in (range(0, 1024, 64), range(960, -1, -64)):
        whole = reduce.empty(len(rows), kind=reduce.WEIGHED)
        for s in starts:
            reduce.tally_weighted(whole, rows[:, s : s + 64].copy(), weight[s : s + 64].copy(), low, scale)
        found.append(whole)
    assert np.array_equal(*found)


def test_fixed_weights_keep_ratios_and_drop_the_impossible():
    weights = fixed(np.log([0.5, 1.0, 0.25, 0.0 + 1e-300]) - 700.0)
    assert weights.tolist() == [HEAVIEST // 2, HEAVIEST, HEAVIEST // 4, 0]
    assert not fixed(np.full(3, -np.inf)).any()


def test_effective_paths_by_hand():
    assert effective(np.array([3, 3, 3, 3])) == 4.0
    assert effective(np.array([1, 0, 0])) == 1.0
    assert effective(np.array([2, 1, 1])) == pytest.approx(16 / 6)
    assert effective(np.zeros(3)) == 0.0


@pytest.mark.parametrize("shape", [-0.3, 0.2, 0.5, 0.9])
def test_shape_of_a_tail_that_is_known(shape):
    x = np.sort(((1.0 - np.random.default_rng(3).random(20_000)) ** -shape - 1.0) / shape)
    assert generalised_pareto_shape(x) == pytest.approx(shape, abs=0.05)


def test_tail_of_weights():
    """Weights 1 / U**k of uniform U have shape k; equal ones have no tail; a single heavy path cannot be judged."""
    u = np.random.default_rng(5).random(100_000)
    for k in (0.3, 0.8):
        assert pareto_tail(u**-k * 1000) == pytest.approx(k, abs=0.1)
    assert pareto_tail(np.full(1000, 7)) is None
    assert pareto_tail(np.eye(1, 1000)[0]) is None or pareto_tail(np.eye(1, 1000)[0]) == math.inf
    assert pareto_tail(np.array([5, 3, 0, 0, 0, 0, 0, 0])) == math.inf


def test_alike_stands_for_the_weights():
    assert alike(np.full(7, 3)).tolist() == list(range(7))
    picked = alike(np.array([0, 6, 0, 2]))
    assert picked.tolist() == [1, 1, 1, 3]


@pytest.fixture(scope="module")
def asked(small):
    return [question(small.plan, "revenue", "contracts.north", "calendar-year"), question(small.plan, "irr", "contracts.north")]


def same(a, b):
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(figures(a), figures(b)))


def figures(outcome):
    return [c for t in outcome.tallies for c in (t.count, t.share, t.mean, t.se, *t.quantiles.values(), *t.errors.values(), t.kept)]


def test_a_run_whose_paths_all_weigh_one_has_the_bits_of_a_plain_run(small, asked):
    plain = montecarlo.run(small.plan, asked, 1500, 1)
    for size in (1, HEAVIEST):
        assert same(plain, montecarlo.compute(small.plan, asked, montecarlo.Futures(1500, 1, np.full(1500, size))))


def test_any_number_of_workers_gives_the_same_bits_with_weights(small, asked):
    futures = montecarlo.Futures(1500, 1, np.random.default_rng(1).integers(0, 9, 1500))
    assert same(montecarlo.compute(small.plan, asked, futures, 1), montecarlo.compute(small.plan, asked, futures, 2))


def test_a_weighted_run_is_its_kept_paths_weighted(small, asked):
    """Weight on late chunks alone: the first chunks are not computed, and the figures are those of the paths with weight."""
    weights = np.zeros(1500, np.int64)
    weights[700:] = np.random.default_rng(2).integers(0, 9, 800)
    plain = montecarlo.run(small.plan, asked, 1500, 1).tallies[0].kept
    found = montecarlo.compute(small.plan, asked, montecarlo.Futures(1500, 1, weights))
    assert np.isnan(found.tallies[0].kept[:, :512]).all()
    assert found.tallies[0].share.tolist() == [1.0] * len(plain)
    for row, values in enumerate(plain):
        mean, se = weighted_mean(values, weights)
        assert found.tallies[0].mean[row] == pytest.approx(mean, rel=1e-12)
        assert found.tallies[0].se[row] == pytest.approx(se, rel=1e-6)
        width = np.ptp(values[weights > 0]) / 50
        assert found.tallies[0].quantiles[0.5][row] == pytest.approx(weighted_quantile(values, weights, 0.5), abs=width)


def test_sensitivities_count_each_path_by_its_weight(small, asked):
    """Weights 0 and 1: what moves the number is read from the paths with weight alone."""
    weights = (np.arange(1024) % 2).astype(np.int64)
    found = montecarlo.compute(small.plan, asked, montecarlo.Futures(1024, 1, weights))
    plain = montecarlo.run(small.plan, asked, 1024, 1)
    twice = np.repeat(np.arange(1, 1024, 2), 2)
    assert np.array_equal(found.alike(found.inputs), plain.inputs[:, twice])
    assert np.array_equal(found.alike(found.tallies[0].kept), plain.tallies[0].kept[:, twice])
