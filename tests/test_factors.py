"""Factors and their dependence against scipy: quantiles of every law, moments of their draws, realised rank correlations."""

import math

import numpy as np
import pytest
from scipy import stats

from offtake.book.numbers import Number
from offtake.kernels import draw
from offtake.world.dependence import (
    ImpossibleDependence,
    correlation_matrix,
    is_possible,
    lower_factor,
    nearest_correlation,
    rank_correlation,
    score_correlation,
)
from offtake.world.draws import assemble
from offtake.world.factors import compile_factors
from offtake.world.laws import quantile

BLOCKS = 1024
PATHS = BLOCKS * draw.LANES


def number(kind, *params, clip=None, parts=()):
    return Number(kind=kind, params=tuple(float(p) for p in params), unit="", text=kind, clip=clip, parts=tuple(parts))


def drawn(draws, inputs, seed=11, blocks=BLOCKS):
    """Z (I, P), X (F, P), scenario (P,), clipped (F,) of the first blocks."""
    lanes, factors = draw.LANES, draws.kind.shape[1]
    Z, X = np.empty((len(inputs.names), blocks * lanes)), np.empty((factors, blocks * lanes))
    scenario, clipped = np.empty(blocks * lanes, np.int64), np.zeros(factors, np.int64)
    z, x, n = np.empty((len(inputs.names), lanes)), np.empty((factors, lanes)), np.empty(lanes, np.int64)
    for b in range(blocks):
        here = slice(b * lanes, (b + 1) * lanes)
        draw.draw_block(draws, seed, b * lanes, -1, z, x, n, clipped)
        Z[:, here], X[:, here], scenario[here] = z, x, n
    return Z, X, scenario, clipped


def alone(**numbers):
    """Draws and inputs of independent numbers without scenarios."""
    return assemble(list(numbers), [numbers], [1.0], {}, [], [])


SAMPLE = [1.0, 2.0, 2.5, 4.0, 8.0]
LAWS = {
    "normal": (number("normal", 3, 2), stats.norm(3, 2)),
    "lognormal": (number("lognormal", 1, 0.5), stats.lognorm(0.5, scale=math.e)),
    "uniform": (number("uniform", 2, 5), stats.uniform(2, 3)),
    "triangular": (number("triangular", 1, 2, 6), stats.triang(0.2, 1, 5)),
    "beta": (number("beta", 2, 5), stats.beta(2, 5)),
    "steep beta": (number("beta", 0.5, 0.7), stats.beta(0.5, 0.7)),
    "narrow beta": (number("beta", 300, 500), stats.beta(300, 500)),
    "discrete": (number("discrete", 9, 3, 5, 0.3, 0.2, 0.5), stats.rv_discrete(values=([3, 5, 9], [0.2, 0.5, 0.3]))),
}
SCORES = np.linspace(-4.9, 4.9, 2003)


@pytest.mark.parametrize("name", LAWS)
def test_quantiles(name):
    """The law itself: within 1e-5 of a standard deviation (beta, by its grid), 1e-12 where there is a formula."""
    law, oracle = LAWS[name]
    allowed = 1e-5 if law.kind == "beta" else 1e-12
    wanted = np.where(SCORES < 0.0, oracle.ppf(stats.norm.cdf(SCORES)), getattr(oracle, "isf", oracle.ppf)(stats.norm.sf(SCORES)))
    assert np.abs(quantile(law, SCORES) - wanted).max() < allowed * max(1.0, np.abs(wanted).max())


@pytest.mark.parametrize("name", ["beta", "steep beta", "narrow beta"])
def test_table_error_of_a_beta(name):
    """As drawn: straight lines between 257 nodes, within 1e-3 of a standard deviation."""
    law, oracle = LAWS[name]
    draws, _ = alone(a=law)
    x = np.empty_like(SCORES)
    draw.table_row(draws.table[0], SCORES, x)
    wanted = np.where(SCORES < 0.0, oracle.ppf(stats.norm.cdf(SCORES)), oracle.isf(stats.norm.sf(SCORES)))
    assert np.abs(x - wanted).max() < 1e-3 * oracle.std()


@pytest.mark.parametrize("name", LAWS)
def test_moments_of_draws(name):
    """Mean and variance of 65,536 draws within 4 standard errors, and the distribution function within Kolmogorov's bound."""
    law, oracle = LAWS[name]
    _, X, _, _ = drawn(*alone(a=law))
    mean, variance = oracle.mean(), oracle.var()
    kurtosis = -1.0 if law.kind == "discrete" else float(oracle.stats("k"))
    assert abs(X[0].mean() - mean) < 4.0 * math.sqrt(variance / PATHS)
    assert abs(X[0].var() - variance) < 4.0 * variance * math.sqrt((kurtosis + 2.0) / PATHS)
    if law.kind != "discrete":
        assert stats.kstest(X[0], oracle.cdf).statistic < 2.2 / math.sqrt(PATHS)


def test_logit_normal():
    _, X, _, _ = drawn(*alone(a=number("logit_normal", -1, 0.7)), blocks=256)
    logits = np.log(X[0] / (1.0 - X[0]))
    assert stats.kstest(logits, stats.norm(-1, 0.7).cdf).statistic < 2.2 / math.sqrt(len(logits))
    got = quantile(number("logit_normal", -1, 0.7), np.array([0.0, 1.0]))
    assert got == pytest.approx(1 / (1 + np.exp([1.0, 0.3])), rel=1e-14)


def test_empirical_is_straight_between_its_observations():
    law = number("empirical", *SAMPLE[::-1])
    assert quantile(law, SCORES) == pytest.approx(np.quantile(SAMPLE, stats.norm.cdf(SCORES)), rel=1e-12)
    _, X, _, _ = drawn(*alone(a=law), blocks=256)
    assert X[0].min() >= 1.0 and X[0].max() <= 8.0
    assert np.quantile(X[0], [0.25, 0.5, 0.75]) == pytest.approx([2.0, 2.5, 4.0], abs=0.06)


MIXED = number("mixture", 3, 1, parts=[number("lognormal", 0, 0.4), number("normal", 6, 0.5)])


def test_mixture_of_smooth_parts():
    """The probability at or below each quantile is the one asked, from both tails."""
    x = quantile(MIXED, SCORES)
    below = 0.75 * stats.lognorm(0.4).cdf(x) + 0.25 * stats.norm(6, 0.5).cdf(x)
    above = 0.75 * stats.lognorm(0.4).sf(x) + 0.25 * stats.norm(6, 0.5).sf(x)
    near = np.where(SCORES < 0.0, below / stats.norm.cdf(SCORES), above / stats.norm.sf(SCORES))
    assert near == pytest.approx(np.ones_like(near), rel=1e-9)
    _, X, _, _ = drawn(*alone(a=MIXED))
    assert stats.kstest(X[0], lambda v: 0.75 * stats.lognorm(0.4).cdf(v) + 0.25 * stats.norm(6, 0.5).cdf(v)).pvalue > 1e-4


def test_mixture_with_a_constant_a_triangle_and_a_mixture():
    law = number("mixture", 0.5, 0.3, 0.2, parts=[number("constant", 2), number("triangular", 0, 2, 4), MIXED])
    _, X, _, _ = drawn(*alone(a=law))
    inner = 0.75 * stats.lognorm(0.4).mean() + 0.25 * 6
    assert abs(X[0].mean() - (0.5 * 2 + 0.3 * 2 + 0.2 * inner)) < 4.0 * X[0].std() / math.sqrt(PATHS)
    assert abs((X[0] == 2.0).mean() - 0.5) < 0.03  # a step is smeared over one node


def test_inputs_follow_the_names_and_scenarios_share_them():
    base = {"a": number("constant", 1), "b": number("normal", 0, 1), "c": number("constant", 2), "d": number("beta", 2, 5)}
    other = {**base, "a": number("uniform", 0, 1), "d": number("constant", 0.5), "c": number("constant", 3)}
    draws, inputs = assemble(list(base), [base, other], [0.7, 0.3], {"grid": {"b": 0.5}}, [], ["x.price", "y.users"])
    assert draws.input.tolist() == [1, 2, -1, 3]
    assert inputs.names == ("scenario", "a", "b", "d", "factors.grid") and dict(inputs.streams) == {"x.price": 5, "y.users": 6}
    assert draws.own.tolist() == [[0, 0, 0, 0], [1, 0, 1, 1]] and len(draws.table) == 1
    _, X, scenario, _ = drawn(draws, inputs)
    assert abs((scenario == 1).mean() - 0.3) < 4.0 * math.sqrt(0.21 / PATHS)
    assert (X[2] == np.where(scenario == 1, 3.0, 2.0)).all() and (X[0][scenario == 0] == 1.0).all()
    assert (X[3][scenario == 1] == 0.5).all() and X[0][scenario == 1].std() > 0.2


def test_clips_are_counted():
    _, X, _, clipped = drawn(*alone(a=number("normal", 0, 1, clip=(-1.0, None)), b=number("normal", 0, 1)))
    assert X[0].min() == -1.0 and clipped[0] == (X[0] == -1.0).sum() and clipped[1] == 0
    assert abs(clipped[0] / PATHS - stats.norm.cdf(-1)) < 4.0 * math.sqrt(0.13 / PATHS)


def spearman_error(X, i, j, asked):
    """Realised minus asked rank correlation, in standard errors (Fieller's, for ranks)."""
    found = stats.spearmanr(X[i], X[j]).statistic
    return (math.atanh(found) - math.atanh(asked)) / math.sqrt(1.06 / (PATHS - 3))


NUMBERS = {"a": LAWS["lognormal"][0], "b": LAWS["beta"][0], "c": LAWS["triangular"][0], "e": LAWS["normal"][0]}


def realised(common, pairs):
    draws, inputs = assemble(list(NUMBERS), [NUMBERS], [1.0], common, pairs, [])
    return draws, inputs, drawn(draws, inputs)


def test_realised_rank_correlations():
    _, inputs, (Z, X, _, _) = realised({"grid": {"a": 0.8, "b": -0.5}}, [("b", "c", 0.4), ("c", "e", -0.3)])
    implied = float(rank_correlation(score_correlation(0.8) * score_correlation(-0.5)))
    for i, j, asked in [(0, 1, implied), (1, 2, 0.4), (2, 3, -0.3), (0, 3, 0.0)]:
        assert abs(spearman_error(X, i, j, asked)) < 4.0
    grid = Z[list(inputs.names).index("factors.grid")]
    for i, asked in [(0, 0.8), (1, -0.5)]:
        assert abs(spearman_error(np.array([X[i], grid]), 0, 1, asked)) < 4.0
    assert np.corrcoef(Z[1:]) == pytest.approx(np.corrcoef(Z[1:]).T) and abs(Z.std() - 1.0) < 0.005


def test_the_correlation_test_would_notice_a_dropped_dependence():
    draws, inputs, _ = realised({"grid": {"a": 0.8, "b": -0.5}}, [])
    _, X, _, _ = drawn(draws._replace(mixed=np.zeros(0, np.int64), chol=np.zeros((0, 0))), inputs)
    assert abs(spearman_error(X, 0, 1, float(rank_correlation(score_correlation(0.8) * score_correlation(-0.5))))) > 20.0


def test_a_full_rank_correlation_is_the_same_number():
    _, _, (Z, X, _, _) = realised({}, [("a", "e", 1.0)])
    assert np.abs(Z[1] - Z[4]).max() < 1e-6 and stats.spearmanr(X[0], X[3]).statistic == pytest.approx(1.0)


def test_impossible_correlations_name_the_nearest_valid_ones():
    pairs = [("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)]
    with pytest.raises(ImpossibleDependence) as error:
        realised({}, pairs)
    assert str(error.value) == (
        "these rank correlations cannot hold together (N-04):\n"
        "  b and a: 0.900, nearest 0.483\n  c and a: -0.900, nearest -0.483\n  c and b: 0.900, nearest 0.483"
    )
    matrix = correlation_matrix(["a", "b", "c"], {}, pairs)
    nearest = nearest_correlation(matrix)
    assert not is_possible(matrix) and is_possible(nearest) and np.diag(nearest) == pytest.approx(np.ones(3))


def test_nearest_correlation_of_highams_example():
    """Higham 2002, section 1: the tridiagonal matrix of ones, whose nearest has 0.7607 and 0.1573."""
    nearest = nearest_correlation(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert nearest == pytest.approx(np.array([[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]), abs=5e-5)


def test_lower_factor_of_a_singular_matrix():
    matrix = correlation_matrix(["f", "a", "b"], {"f": {"a": 1.0, "b": 0.5}}, [])
    lower = lower_factor(matrix)
    assert lower @ lower.T == pytest.approx(matrix, abs=1e-12) and lower[1, 1] == 0.0


def test_what_nothing_draws_is_named_not_refused():
    numbers = {"a": number("constant", 1), "b": number("normal", 0, 1)}
    _, inputs = assemble(list(numbers), [numbers], [1.0], {"grid": {"a": 0.5, "b": 0.5}}, [("b", "nowhere", 0.2)], [])
    assert inputs.idle == ("a", "nowhere")


def test_scenario_probabilities_must_add_up():
    with pytest.raises(ValueError, match=r"add up to 1, not \[0.5, 0.6\] \(U-03\)"):
        assemble(["a"], [{"a": number("constant", 1)}] * 2, [0.5, 0.6], {}, [], [])


def test_tables_are_shared_by_numbers_of_one_law():
    numbers = {"a": number("beta", 2, 5), "b": number("beta", 2, 5), "c": number("beta", 2, 6)}
    found = compile_factors(list(numbers), [numbers])
    assert found.par[0, :, 0].tolist() == [0.0, 0.0, 1.0] and found.table.shape == (2, 257)
