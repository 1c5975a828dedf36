"""Draws against known answers, the C library, scipy, and plain Python."""

import math

import numba
import numpy as np
import pytest
from scipy import special

from offtake.kernels import draw as d
from offtake.kernels.sobol import directions

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # whole numbers wrap where JIT is off
LANES = 4 if numba.config.DISABLE_JIT else d.LANES
MANY = 2_000 if numba.config.DISABLE_JIT else 60_000
WORD = 2**64 - 1
INF = math.inf

KNOWN = [
    ((0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
    ((WORD, WORD), (WORD, WORD), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
    (
        (0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x243F6A8885A308D3, 0x13198A2E03707344),
        (0x263C7D30BB0F0AF1, 0x56BE8361D3311526),
    ),
]


def threefry(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Threefry2x64-20 from its paper, in whole numbers."""
    keys = [*key, 0x1BD11BDAA9FC1A22 ^ key[0] ^ key[1]]
    x, y = (counter[0] + keys[0]) & WORD, (counter[1] + keys[1]) & WORD
    for i in range(20):
        by = (16, 42, 12, 31, 16, 32, 24, 21)[i % 8]
        x = (x + y) & WORD
        y = (((y << by) | (y >> (64 - by))) & WORD) ^ x
        if i % 4 == 3:
            step = i // 4 + 1
            x, y = (x + keys[step % 3]) & WORD, (y + keys[(step + 1) % 3] + step) & WORD
    return x, y


def uniform(seed: int, path: int, number: int, month: int) -> float:
    return ((threefry((seed, number), (path, month))[0] >> 12) + 0.5) / 2**52


@pytest.mark.parametrize("key, counter, answer", KNOWN)
def test_threefry_known_answers(key, counter, answer):
    assert threefry(key, counter) == answer
    words = d.threefry2x64(*(np.uint64(word) for word in (*key, *counter)))
    assert tuple(int(word) for word in words) == answer


@pytest.mark.parametrize("seed, path, number, month", [(0, 0, 0, 0), (7, 10**7, 40, 95), (2**62, 3, 2, 1), (1, 2, 3, 4)])
def test_uniform_is_the_top_52_bits(seed, path, number, month):
    assert d.uniform(seed, path, number, month) == uniform(seed, path, number, month)


def test_a_uniform_of_all_ones_or_zeros_stays_inside():
    assert 0.0 < 0.5 / 2**52 and (2**52 - 0.5) / 2**52 < 1.0
    assert math.isfinite(d.inverse_normal(0.5 / 2**52)) and d.inverse_normal((2**52 - 0.5) / 2**52) > 8.1


def relative(got: list[float], wanted: np.ndarray) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.nanmax(np.abs(np.array(got, np.longdouble) / wanted - 1.0)))


def test_exp():
    xs = np.concatenate([np.linspace(-708.0, 709.7, MANY), np.linspace(-1.0, 1.0, MANY)])
    assert relative([d.exp_(x) for x in xs], np.exp(xs.astype(np.longdouble))) < 2.5e-16
    assert [d.exp_(x) for x in (-INF, -800.0, 0.0, 710.0, INF)] == [0.0, 0.0, 1.0, INF, INF]
    assert d.exp_(-745.0) == 5e-324 and d.exp_(-740.0) == pytest.approx(math.exp(-740.0), rel=1e-3)
    assert math.isnan(d.exp_(math.nan))


def test_log():
    xs = np.concatenate([np.exp(np.linspace(-708.0, 709.0, MANY)), np.linspace(0.5, 2.0, MANY), [5e-324, 1e-310]])
    assert relative([d.log_(x) for x in xs], np.log(xs.astype(np.longdouble))) < 2.5e-16
    assert [d.log_(x) for x in (0.0, 1.0, INF)] == [-INF, 0.0, INF]
    assert math.isnan(d.log_(-1.0)) and math.isnan(d.log_(math.nan))


def test_inverse_normal():
    us = np.concatenate([np.linspace(1e-9, 1.0 - 1e-9, MANY), 2.0 ** -np.arange(1, 54), np.linspace(0.07, 0.08, MANY // 4)])
    wanted = special.ndtri(us)
    got = np.array([d.inverse_normal(u) for u in us])
    assert np.abs(got - wanted).max() < 2e-14  # scipy's own error near 1 is 1e-14
    assert relative(got[us <= 0.5], wanted[us <= 0.5]) < 2e-15
    assert d.inverse_normal(0.5) == 0.0


def test_normal_cdf():
    zs = np.linspace(-40.0, 40.0, MANY)
    got = np.array([d.normal_cdf(z) for z in zs])
    assert np.abs(got - special.ndtr(zs)).max() < 5e-16
    middle = np.abs(zs) < 8.0
    assert relative(got[middle], special.ndtr(zs[middle])) < 1e-12
    assert (np.diff(got) >= 0.0).all()


def draws_of(kind, par, table=(), low=-INF, high=INF, scenarios=1) -> d.Draws:
    """One factor of one kind, the same in every scenario."""
    shape = (scenarios, 1)
    return d.Draws(
        kind=np.full(shape, kind),
        par=np.tile(np.array([*par, 0.0, 0.0, 0.0][:4], float), (scenarios, 1, 1)),
        low=np.full(shape, low),
        high=np.full(shape, high),
        input=np.array([1]),
        table=np.array(table, float).reshape(len(table), 257),
        mixed=np.zeros(0, np.int64),
        chol=np.zeros((0, 0)),
        cumulative=np.arange(1, scenarios + 1) / scenarios,
        own=np.zeros(shape, np.int64),
        coordinate=np.full(16, -1),
        directions=directions(),
    )


def block(draws: d.Draws, first=0, seed=1, forced=-1, lanes=LANES, inputs=None):
    """(Z, X, scenario, clipped) of one block."""
    factors = draws.kind.shape[1]
    Z, X = np.empty((inputs or int(draws.input.max()) + 1, lanes)), np.empty((factors, lanes))
    scenario, clipped = np.empty(lanes, np.int64), np.zeros(factors, np.int64)
    d.draw_block(draws, seed, first, forced, Z, X, scenario, clipped)
    return Z, X, scenario, clipped


def phi(z):
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def triangle(z, low, mode, high):
    u = phi(z)
    if u * (high - low) < mode - low:
        return low + math.sqrt(u * (high - low) * (mode - low))
    return high - math.sqrt(phi(-z) * (high - low) * (high - mode))


def step_of(z, chances, values):
    u = phi(z)
    for chance, value in zip(chances, values):
        if u < chance:
            return value
    raise AssertionError


RAMP = np.linspace(-5.0, 5.0, 257) ** 3
CHANCES, VALUES = np.ones(257), np.ones(257)
CHANCES[:3], VALUES[:3] = [0.2, 0.7, 1.0], [3.0, 5.0, 9.0]
TWINS = {
    "constant": (d.CONSTANT, (4.0,), (), lambda z: 4.0),
    "normal": (d.NORMAL, (1.0, 2.0), (), lambda z: 1.0 + 2.0 * z),
    "lognormal": (d.LOGNORMAL, (1.0, 0.5), (), lambda z: math.exp(1.0 + 0.5 * z)),
    "logit_normal": (d.LOGIT_NORMAL, (-1.0, 0.7), (), lambda z: 1.0 / (1.0 + math.exp(1.0 - 0.7 * z))),
    "uniform": (d.UNIFORM, (2.0, 5.0), (), lambda z: 2.0 + 3.0 * phi(z)),
    "triangular": (d.TRIANGULAR, (1.0, 2.0, 6.0), (), lambda z: triangle(z, 1.0, 2.0, 6.0)),
    "table": (d.TABLE, (0.0,), (RAMP,), lambda z: float(np.interp(z, np.linspace(-5.0, 5.0, 257), RAMP))),
    "discrete": (d.DISCRETE, (0.0, 3.0), (CHANCES, VALUES), lambda z: step_of(z, [0.2, 0.7, 1.0], [3.0, 5.0, 9.0])),
}


@pytest.mark.parametrize("name", TWINS)
def test_factor_of_its_score(name):
    kind, par, table, twin = TWINS[name]
    for first in (0, 64, 6400):
        Z, X, _, _ = block(draws_of(kind, par, table), first)
        assert Z[1] == pytest.approx([special.ndtri(uniform(1, first + i, 1, 0)) for i in range(LANES)], abs=1e-14)
        assert X[0] == pytest.approx([twin(z) for z in Z[1]], rel=1e-12, abs=1e-12)


def test_a_path_is_the_same_bits_wherever_its_block_starts():
    draws = draws_of(d.LOGNORMAL, (1.0, 0.5))
    _, whole, _, _ = block(draws, 0, lanes=3 * LANES)
    for first in (0, 1, LANES // 2, LANES, 2 * LANES):
        _, part, _, _ = block(draws, first)
        assert (part[0] == whole[0, first : first + LANES]).all()
    assert (block(draws, 0, seed=2)[1][0] != whole[0, :LANES]).all()


def test_correlation_is_the_factor_times_the_scores():
    lower = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [-0.5, 0.3, math.sqrt(0.66)]])
    draws = draws_of(d.CONSTANT, (1.0,))
    free, _, _, _ = block(draws, inputs=6)
    tied, _, _, _ = block(draws._replace(mixed=np.array([4, 1, 3]), chol=lower), inputs=6)
    for i in range(LANES):
        z = [free[4, i], free[1, i], free[3, i]]
        wanted = [sum(a * b for a, b in zip(row, z)) for row in lower]
        assert [tied[row, i] for row in (4, 1, 3)] == pytest.approx(wanted, rel=1e-12)
    assert (tied[[0, 2, 5]] == free[[0, 2, 5]]).all()


def test_scenarios_choose_the_row_and_change_no_other_draw():
    draws = draws_of(d.NORMAL, (1.0, 2.0), scenarios=3)._replace(cumulative=np.array([0.5, 0.8, 1.0]))
    draws.par[1, 0, 0], draws.own[1, 0] = 100.0, 1
    draws.kind[2, 0], draws.par[2, 0, 0], draws.own[2, 0] = d.CONSTANT, -7.0, 1
    for first in (0, LANES):
        Z, X, scenario, _ = block(draws, first)
        for i in range(LANES):
            u = uniform(1, first + i, 0, 0)
            assert scenario[i] == (0 if u < 0.5 else 1 if u < 0.8 else 2)
            assert X[0, i] == [1.0 + 2.0 * Z[1, i], 100.0 + 2.0 * Z[1, i], -7.0][scenario[i]]
        for forced in range(3):
            same, X, scenario, _ = block(draws, first, forced=forced)
            assert (scenario == forced).all() and (same == Z).all()
            assert (X[0] == [1.0 + 2.0 * Z[1], 100.0 + 2.0 * Z[1], np.full(LANES, -7.0)][forced]).all()


def test_clips_are_counted_once_and_only_where_the_row_is_used():
    draws = draws_of(d.NORMAL, (0.0, 1.0), low=-0.5, high=1.0, scenarios=2)
    draws.low[1, 0], draws.high[1, 0], draws.own[1, 0] = -INF, 0.0, 1
    Z, X, scenario, clipped = block(draws)
    outside = [z > 0.0 if n else not -0.5 <= z <= 1.0 for z, n in zip(Z[1], scenario)]
    assert clipped[0] == sum(outside) > 0
    assert X[0] == pytest.approx([min(z, 0.0) if n else min(max(z, -0.5), 1.0) for z, n in zip(Z[1], scenario)], abs=0.0)
