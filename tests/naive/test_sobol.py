"""Scrambled Sobol points against whole numbers of plain Python, scipy's own points, and what a net must be."""

import math

import numba
import numpy as np
import pytest
from scipy import special, stats
from scipy.stats import qmc

from offtake.kernels import draw as kernel
from offtake.kernels import replicates
from offtake.kernels import sobol as s
from tests.naive.test_draw import block, draws_of, threefry
from tests.naive.test_draw import uniform as plain_uniform

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # whole numbers wrap where JIT is off
SLOW = bool(numba.config.DISABLE_JIT)
WORD = 2**64 - 1
EVEN = 0x9E3779B97F4A7C16
COLUMNS = s.directions()


def odd_numbers(dimension: int, count: int) -> list[int]:
    """m_1 .. m_count by the recurrence of Sobol's paper, term by term."""
    if dimension == 0:
        return [1] * count
    polynomial, first = s.FOUND[dimension - 1]
    bits, m = f"{polynomial:b}", list(first)
    degree = len(bits) - 1
    while len(m) < count:
        terms = [m[-degree], 2**degree * m[-degree]]
        terms += [2**k * m[-k] for k in range(1, degree) if bits[k] == "1"]
        value = 0
        for term in terms:
            value ^= term
        m.append(value)
    return m[:count]


def point(dimension: int, index: int) -> list[int]:
    """The first 32 binary digits of a point, most significant first."""
    found = 0
    for j, m in enumerate(odd_numbers(dimension, 32)):
        if index >> j & 1:
            found ^= m << (31 - j)
    return [int(digit) for digit in f"{found:032b}"]


def flipped(word: int, keys: tuple[int, int, int, int]) -> int:
    a, b, c, d = keys
    word = (word + a) * (b | 1) & WORD
    word ^= word * (c << 1 & WORD) & WORD
    word = (word + d) * (a | 1) & WORD
    return word ^ (word * EVEN & WORD)


def keys_of(seed: int, of: int, scramble: int, use: int) -> tuple[int, int, int, int]:
    return (*threefry((seed, of), (scramble, use)), *threefry((seed, of), (scramble, use + 1)))


def backwards(word: int, bits: int) -> int:
    return int(f"{word:0{bits}b}"[::-1], 2)


def uniform(seed: int, path: int, number: int, coordinate: int) -> float:
    """The draw, digit by digit."""
    scramble, index = path % 16, path // 16
    group, dimension = divmod(coordinate, 64)
    if group:
        shuffled = flipped(backwards(index, 32), keys_of(seed, group, scramble, s.SHUFFLES)) & 0xFFFFFFFF
        index = backwards(shuffled, 32)
    word = sum(digit << k for k, digit in enumerate(point(dimension, index)))
    return ((backwards(flipped(word, keys_of(seed, number, scramble, s.FLIPS)), 64) >> 12) + 0.5) / 2**52


def row(seed: int, number: int, coordinate: int, first: int, count: int) -> np.ndarray:
    words, keys, u = np.empty((2, count), np.uint64), np.empty((4, 16), np.uint64), np.empty(count)
    s.sobol_row(COLUMNS, seed, number, coordinate, first, words, keys, u)
    return u


@pytest.mark.parametrize("coordinate", [0, 1, 5, 63, 64, 100, 200])
@pytest.mark.parametrize("first", [0, 64, 1000, 16 * 2**20 + 7])
def test_draws_are_those_of_the_twin(coordinate: int, first: int) -> None:
    for seed, number in ((1, 3), (2**40, 0)):
        assert row(seed, number, coordinate, first, 20).tolist() == [uniform(seed, first + i, number, coordinate) for i in range(20)]


def test_a_path_is_the_same_bits_wherever_its_block_starts() -> None:
    for coordinate in (3, 70):
        whole = row(1, 4, coordinate, 0, 192)
        for first in (0, 1, 17, 64, 100):
            assert np.array_equal(row(1, 4, coordinate, first, 64), whole[first : first + 64])


def test_a_block_draws_each_input_by_its_sampler() -> None:
    """Scenario on coordinate 1, input 1 on coordinate 70, input 2 by Threefry: scores and scenarios are those of the twins."""
    draws = draws_of(kernel.NORMAL, (0.0, 1.0), scenarios=3)
    draws = draws._replace(coordinate=np.array([1, 70, -1]), cumulative=np.array([0.3, 0.6, 1.0]))
    Z, _, scenario, _ = block(draws, first=64, lanes=16, inputs=3)
    wanted = [[uniform(1, 64 + i, 0, 1) for i in range(16)], [uniform(1, 64 + i, 1, 70) for i in range(16)]]
    wanted.append([plain_uniform(1, 64 + i, 2, 0) for i in range(16)])
    np.testing.assert_allclose(Z, special.ndtri(np.array(wanted)), atol=1e-13)
    assert scenario.tolist() == [0 if u < 0.3 else 1 if u < 0.6 else 2 for u in wanted[0]]


def full_rank(rows: list[int]) -> bool:
    basis: dict[int, int] = {}
    for r in rows:
        while r:
            top = r.bit_length() - 1
            if top not in basis:
                basis[top] = r
                break
            r ^= basis[top]
        if not r:
            return False
    return True


def test_property_a() -> None:
    """Of any 2^d points in a row from a multiple of 2^d on, one lies in each of the 2^d halves-of-everything, for every d up to 64."""
    first_digits = [[m >> j & 1 for j, m in enumerate(odd_numbers(d, 64))] for d in range(64)]
    for d in range(1, 65):
        assert full_rank([sum(bit << j for j, bit in enumerate(digits[:d])) for digits in first_digits[:d]]), d


def test_polynomials_are_primitive_and_each_is_used_once() -> None:
    assert len(s.FOUND) == 63 and len({polynomial for polynomial, _ in s.FOUND}) == 63
    for polynomial, first in s.FOUND:
        degree, power, order = polynomial.bit_length() - 1, 1, 0
        while order == 0 or power != 1:  # powers of x until the first that is 1
            power, order = power << 1, order + 1
            power ^= polynomial if power >> degree else 0
        assert order == 2**degree - 1, polynomial
        assert len(first) == degree and all(m % 2 == 1 and m < 2 ** (k + 1) for k, m in enumerate(first))


def test_unscrambled_points_are_scipys_where_the_numbers_are() -> None:
    """The first two dimensions leave no choice; scipy counts by Gray code, which only orders each power of two anew."""
    theirs = qmc.Sobol(2, scramble=False).random(256)
    for d in (0, 1):
        ours = [sum(digit / 2 ** (k + 1) for k, digit in enumerate(point(d, i ^ i >> 1))) for i in range(256)]
        assert ours == theirs[:, d].tolist()


@pytest.mark.parametrize("coordinates", [(0, 1), (0, 17), (40, 63), (64, 65), (70, 120)])
def test_every_scramble_of_a_prefix_is_a_net(coordinates: tuple[int, int]) -> None:
    """2^k points of a scramble: one in each interval of width 2^-k of a coordinate, whatever k; boxes as two dimensions allow."""
    most = 4 if SLOW else 8
    for k in range(most + 1):
        for number, c in enumerate(coordinates, 1):
            u = row(5, number, c, 0, 16 * 2**k).reshape(-1, 16)
            cells = np.sort(np.floor(u * 2**k), axis=0)
            assert (cells == np.arange(2**k)[:, None]).all()
    if coordinates[0] % 64 == 0 and coordinates[1] % 64 == 1:  # t = 0: every elementary box
        x, y = (row(5, n, c, 0, 16 * 2**most).reshape(-1, 16) for n, c in enumerate(coordinates, 1))
        for a in range(most + 1):
            boxes = np.floor(x * 2**a) * 2 ** (most - a) + np.floor(y * 2 ** (most - a))
            assert (np.sort(boxes, axis=0) == np.arange(2**most)[:, None]).all()


def test_single_draws_are_uniform_and_scrambles_independent() -> None:
    count = 200 if SLOW else 4000
    draws = np.array([row(seed, 2, 9, 0, 16) for seed in range(count)])
    for scramble in (0, 7, 15):
        assert stats.kstest(draws[:, scramble], "uniform").pvalue > 1e-3
    r = np.corrcoef(draws.T)[np.triu_indices(16, 1)]
    assert np.abs(r).max() < 4.5 / math.sqrt(count)


def smooth(u: np.ndarray) -> np.ndarray:
    """A present value of four lognormal numbers."""
    z = special.ndtri(u)
    return np.exp(0.3 * z[0] - 0.2 * z[1]) * (1.0 + np.exp(0.1 * z[2] + 0.1 * z[3]))


TRUTH = math.exp((0.09 + 0.04) / 2) * (1 + math.exp(0.01))


@pytest.mark.skipif(SLOW, reason="thousands of draws")
@pytest.mark.parametrize("first_coordinate, times", [(0, 10.0), (62, 5.0), (80, 10.0)])
def test_error_of_a_smooth_mean_is_far_below_that_of_random_paths(first_coordinate: int, times: float) -> None:
    """In the first group, across two (products of two groups meet by chance), in a shuffled one."""
    n = 4096
    off = [smooth(np.stack([row(seed, 1 + i, first_coordinate + i, 0, n) for i in range(4)])).mean() - TRUTH for seed in range(40)]
    plain = smooth(np.random.default_rng(1).random((4, 200_000))).std() / math.sqrt(n)
    assert plain / np.sqrt(np.mean(np.square(off))) > times
    assert abs(np.mean(off)) < 4.0 * np.std(off) / math.sqrt(40)


@pytest.mark.skipif(SLOW, reason="thousands of draws")
@pytest.mark.parametrize("random", [False, True])
def test_intervals_of_16_replicates_hold_as_often_as_they_say(random: bool) -> None:
    """400 seeds: the 95 % interval of the mean holds the truth in 95 %, give or take 3.5 binomial errors; so does the median's 90 %."""
    n, held, middle = 512, 0, 0
    median = np.median(smooth(np.random.default_rng(2).random((4, 4_000_000))))
    for seed in range(400):
        u = np.random.default_rng(seed).random((4, n)) if random else np.stack([row(seed, 1 + i, i, 0, n) for i in range(4)])
        values = smooth(u)
        held += abs(values.mean() - TRUTH) <= replicates.T95 * replicates.error_of_mean(values)
        middle += abs(np.median(values) - median) <= replicates.T90 * replicates.error_of_quantile(values, 0.5)
    assert abs(held / 400 - 0.95) < 3.5 * math.sqrt(0.05 * 0.95 / 400)
    assert middle / 400 > 0.90 - 3.5 * math.sqrt(0.1 * 0.9 / 400)
