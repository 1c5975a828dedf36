"""The response surface's kernels against plain Python: shares, identities, edges."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.kernels import surface as k

LOW, HIGH = np.array([0.3, 0.0, 0.0, -0.5, 1.5]), np.array([1.0, 1.0, 3.0, 0.2, 8.0])
SCALE = np.array([k.LINEAR, k.LINEAR, k.ROOT, k.LINEAR, k.LOG])
share = st.floats(0.0, 1.0)


def made(seed: int) -> k.Surface:
    """A surface of 12 random terms an output, whose shares lie about the middle of 0 and 1."""
    r = np.random.default_rng(seed)
    power, weight = r.integers(0, 5, (36, 5)), r.normal(0.0, 0.1, 36)
    power[:, [k.LOAD, k.FAILURES]] = r.integers(0, 9, (36, 2))
    power[[0, 12, 24]], weight[[0, 12, 24]] = 0, (0.97, 0.8, 0.9)
    variant = np.array([[0.0, -1.0], [0.5, -1.0], [-1.0, 1.0]])
    first, own, site = np.array([0, 12, 24, 36]), np.array([2, -1]), np.array([1, 0])
    scale = SCALE.copy()
    scale[k.LOAD] = seed % 3  # linear, root or logarithm
    return k.Surface(scale, LOW, HIGH, first, power, weight, power.max(axis=0), 0, 1, own, site, variant)


def placed(value: float, low: float, high: float, how: int) -> float:
    v = min(max(value, low), high)
    if how == k.ROOT:
        return math.sqrt(v / high)
    return math.log2(v / low) / math.log2(high / low) if how == k.LOG else (v - low) / (high - low)


def naive(s: k.Surface, output: int, point: list[float]) -> float:
    """One share, written as a person would."""
    x = [placed(value, float(s.low[d]), float(s.high[d]), int(s.scale[d])) for d, value in enumerate(point)]
    total = 0.0
    for t in range(int(s.first[output]), int(s.first[output + 1])):
        total += float(s.weight[t]) * math.prod(x[d] ** int(s.power[t, d]) for d in range(5))
    return min(max(total, 0.0), 1.0)


def world(seed: int) -> tuple[np.ndarray, ...]:
    """used, capacity (3, 4, 5) GPU-h, ready GPU, and X with mix and failures; some of each at 0 and beyond the edges."""
    r = np.random.default_rng(seed)
    ready = r.uniform(0.0, 100.0, (3, 4, 5)) * (r.random((3, 4, 5)) > 0.2)
    capacity = ready * 700.0 * 0.95
    used = capacity * r.choice([0.0, 0.2, 0.7, 1.0], (3, 4, 5))
    return used, capacity, ready, np.array([r.uniform(0, 1, 5), r.uniform(0, 4, 5), r.uniform(0.5, 1, 5)])


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_fill_against_plain_python(seed: int) -> None:
    s, (used, capacity, ready, X) = made(seed), world(seed)
    contract = np.array([0, 1, 0])
    clouds = np.zeros(used.shape[1:], np.int64)
    k.clouds_block(contract, capacity, clouds)
    out = k.Filled(*(np.full(used.shape, np.nan) for _ in range(3)), np.full((3, *used.shape), np.nan))
    own, kept = np.full(used.shape, np.nan), np.full(used.shape, np.nan)
    use = np.stack([used * 0.25, used * 0.75])  # the first workload states its goodput
    k.own_block(s.goodput_x, use, X, own, kept)
    k.fill_block(s, used, capacity, ready, clouds, own, kept, X, out)
    for p, m, i in np.ndindex(used.shape):
        seen = {int(contract[q]) for q in range(3) if capacity[q, m, i] > 0.0}
        assert clouds[m, i] == len(seen)
        before = ready[p, m - 1, i] if m else 0.0
        grown = max(ready[p, m, i] / before - 1.0, 0.0) if before > 0.0 else 0.0
        took, there = used[p, m, i], capacity[p, m, i]
        found = []
        for mix, many in [(X[0, i], len(seen)), (0.0, len(seen)), (0.5, len(seen)), (X[0, i], 1)]:
            point = [took / there if there else 0.0, mix, X[1, i], grown, many]
            unfilled = max(took - there * naive(s, 1, point), 0.0)
            useful = (took - unfilled) * (0.25 * X[2, i] + 0.75 * naive(s, 2, point))
            found.append((useful, took - unfilled - useful, unfilled))
        assert (out.useful[p, m, i], out.overhead[p, m, i], out.unfilled[p, m, i]) == pytest.approx(found[0], rel=1e-12, abs=1e-9)
        assert list(out.other[:, p, m, i]) == pytest.approx([f[1] + f[2] for f in found[1:]], rel=1e-12, abs=1e-9)
    assert np.allclose(out.useful + out.overhead + out.unfilled, used, rtol=1e-15)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_offer_against_plain_python(seed: int) -> None:
    """Pool 1 stands on a site that states its availability: it stays as it was."""
    s, (_, _, ready, X) = made(seed), world(seed)
    hours = np.array([744.0, 720.0, 744.0, 720.0])
    offered, down = np.full(ready.shape, 7.0), np.full(ready.shape, 7.0)
    k.offer_block(s, np.array([0, 1, 0]), ready, hours, X, offered, down)
    for p, m, i in np.ndindex(ready.shape):
        if p == 1:
            assert (offered[p, m, i], down[p, m, i]) == (7.0, 7.0)
            continue
        part = naive(s, 0, [1.0, X[0, i], X[1, i], 0.0, 1.0])
        assert offered[p, m, i] == pytest.approx(ready[p, m, i] * hours[m] * part, rel=1e-12, abs=1e-9)
        assert offered[p, m, i] + down[p, m, i] == pytest.approx(ready[p, m, i] * hours[m], rel=1e-12)


@given(used=st.floats(0.0, 1e6), part=share, occupancy=share, goodput=share)
def test_a_month_adds_up_and_nothing_is_negative(used: float, part: float, occupancy: float, goodput: float) -> None:
    capacity = used / part if part > 0.01 else used
    useful, overhead, unfilled = k.fill_month(used, capacity, occupancy, goodput)
    assert min(useful, unfilled) >= 0.0 and overhead >= -1e-9 * used
    assert useful + overhead + unfilled == pytest.approx(used, rel=1e-12)


def test_a_month_by_hand() -> None:
    """1,000 GPU-h open, 950 used: gangs fill 90 %, so 50 are not filled; of 900, 96 % is progress."""
    assert k.fill_month(950.0, 1000.0, 0.9, 0.96) == (864.0, 36.0, 50.0)
    assert k.growth_month(120.0, 100.0) == pytest.approx(0.2) and k.growth_month(5.0, 0.0) == 0.0
