"""Errors from sixteen replicates against plain loops, closed forms, and the spread of repeats."""

import math

import numpy as np
import pytest

from offtake.kernels import replicates as rp


def twin(values):
    """Error of a mean: what each replicate's paths are off the mean by, in sum; NaN is absent, path p in replicate p mod 16."""
    known = [(p, v) for p, v in enumerate(values) if not math.isnan(v)]
    mean = sum(v for _, v in known) / len(known)
    off = {p % 16: 0.0 for p, _ in known}
    for p, v in known:
        off[p % 16] += v - mean
    return math.sqrt(sum(x * x for x in off.values()) * len(off) / (len(off) - 1)) / len(known)


def test_error_of_a_mean():
    r = np.random.default_rng(1)
    rows = r.normal(3, 2, (4, 1000))
    rows[1, r.random(1000) < 0.7] = np.nan
    rows[2, 3:] = np.nan
    assert rp.error_of_mean(rows) == pytest.approx([twin(row) for row in rows], rel=1e-9)


def test_equal_replicates_give_the_error_of_their_means():
    values = np.random.default_rng(2).normal(size=1600)
    means = values.reshape(-1, 16).mean(axis=0)
    assert rp.error_of_mean(values) == pytest.approx(means.std(ddof=1) / 4, rel=1e-12)


def test_replicates_of_unlike_size_are_weighed():
    """Values all 5: whatever the sizes of the replicates, the mean is 5 and nothing is off it."""
    held = np.arange(1, 17)
    assert rp.ratio_error(5.0 * held, held) == pytest.approx(0.0, abs=1e-12)
    total = 5.0 * held + np.where(held % 2 == 0, 1.0, -1.0)
    assert rp.ratio_error(total, held) == pytest.approx(math.sqrt(16 * 16 / 15) / held.sum(), rel=1e-12)


def test_fewer_than_two_replicates_tell_no_error():
    alone = np.full(64, np.nan)
    assert np.isnan(rp.error_of_mean(alone))
    alone[[5, 21, 37]] = 1.0, 2.0, 9.0  # three paths of one replicate
    assert np.isnan(rp.error_of_mean(alone)) and np.isnan(rp.error_of_quantile(alone, 0.5))
    assert rp.error_of_mean(np.full(64, 4.0)) == 0.0


def test_quantile_error_is_the_spread_of_repeats():
    """300 repeats of 1,024 exponentials: the root mean square of the told errors is the quantile's own spread; an atom has none."""
    draws = np.random.default_rng(5).exponential(size=(300, 1024))
    for p in (0.05, 0.5, 0.95):
        told = np.sqrt(np.mean([rp.error_of_quantile(row, p) ** 2 for row in draws]))
        assert told == pytest.approx(np.quantile(draws, p, axis=1).std(), rel=0.15)
    assert rp.error_of_quantile(np.maximum(draws[0] - 1.0, 0.0), 0.3) == 0.0


def test_by_replicate_counts_what_loops_count():
    r = np.random.default_rng(3)
    rows, weight = r.integers(0, 9, (3, 200)).astype(float), r.integers(0, 5, 200)
    rows[0, ::3] = np.nan
    low, marks = np.array([1.0, 0.0, -2.0]), np.array([[2.0, 5.0], [0.0, 4.5], [8.0, 9.0]])
    total, held, below, paths = np.zeros((3, 16)), np.zeros((3, 16), np.int64), np.zeros((3, 2, 16), np.int64), np.zeros(3, np.int64)
    for start, end in ((0, 112), (112, 200)):  # the second begins at a multiple of 16 and is no power of two
        rp.by_replicate(rows[:, start:end].copy(), weight[start:end].copy(), low, marks, total, held, below, paths)
    for i in range(3):
        known = [(p, rows[i, p], weight[p]) for p in range(200) if not math.isnan(rows[i, p])]
        assert paths[i] == sum(1 for _, _, w in known if w > 0)
        for s in range(16):
            mine = [(v, w) for p, v, w in known if p % 16 == s]
            assert total[i, s] == sum(w * (v - low[i]) for v, w in mine)
            assert held[i, s] == sum(w for _, w in mine)
            assert below[i, :, s].tolist() == [sum(w for v, w in mine if v < mark) for mark in marks[i]]


def test_marks_by_hand():
    """0 0 0 1 2 3 4 5 6 7: a tenth lies inside the zeros, whose end (0.3) is nearer than their start only from 0.15 on."""
    pilot, points = np.array([[3.0, 0.0, 1.0, 7.0, 0.0, 2.0, 0.0, 6.0, 5.0, 4.0]]), np.array([0.1, 0.2, 0.55])
    up = np.nextafter
    assert rp.marks_near(pilot, points)[0].tolist() == [0.0, up(0.0, 1.0), up(3.0, 4.0)]
    weight = np.array([0, 0, 0, 5, 0, 0, 0, 0, 0, 5])
    assert rp.marks_near(pilot, np.array([0.2, 0.7]), weight)[0].tolist() in ([4.0, 7.0], [4.0, up(7.0, 8.0)])


def test_a_mark_beside_an_atom_still_tells_an_error():
    """Five in a hundred are nothing: the 5th percentile is nothing or 1, and three errors of four say so."""
    r, told = np.random.default_rng(8), []
    for _ in range(40):
        values = np.where(r.random(512) < 0.05, 0.0, 1.0 + r.random(512))
        told.append(rp.error_of_quantile(values, 0.05))
    assert np.mean(np.array(told) > 0.005) > 0.6
