"""Tempered particles (E-02): closed forms far in the tail, scenarios and noise that move, populations that err honestly, refusals."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from offtake import front, montecarlo, stages
from offtake.evidence.weights import fixed
from offtake.montecarlo import Futures
from offtake.questions import question
from offtake.recount import read
from offtake.studies.condition import condition
from offtake.studies.temper import Particles, Tempering, filler, free_choices
from offtake.studies.weighing import evidence_of
from tests.learned import how, seen, small_plan

M = "revenue of companies.c @ 2026-03"


def exact(plan, text, **told):
    return seen(plan, text, rounding="none", **told)


def side(found, group, name):
    return next(row for row in found[group] if row[group[:-1]] == name)["posterior"]


def test_given_its_own_scores_and_noise_a_block_is_the_path():
    """Every array that a path leaves, from a book with noise, scenarios and dependence; noise of other paths changes time paths alone."""
    plan = front.compile(front.load("two-clouds"))
    assert plan.inputs.streams and len(plan.draws.mixed)
    one, other = stages.allocate(plan), stages.allocate(plan)
    clipped = np.zeros(len(plan.factor_paths), np.int64)
    stages.fill(one, 1, 64, clipped)
    stages.fill_given(other, 1, one.Z.copy(), np.arange(64, 128), clipped)
    for name in ("X", "Y", "Z", "scenario", "npv", "used"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    stages.fill_given(other, 1, one.Z.copy(), np.arange(127, 63, -1), clipped)
    back = stages.allocate(plan)
    stages.fill_given(back, 1, one.Z[:, ::-1].copy(), np.arange(64, 128), clipped)
    assert np.array_equal(other.X, one.X) and np.array_equal(other.Y, back.Y[:, :, ::-1])
    noisy = [plan.series_paths.index(name) for name in plan.inputs.streams]
    assert not np.array_equal(other.Y[noisy], one.Y[noisy])
    still = [s for s in range(len(plan.series_paths)) if s not in noisy and plan.timelines.kind[0, s] != 7]
    assert np.array_equal(other.Y[still], one.Y[still])


@pytest.mark.parametrize(("figure", "discrepancy"), [(137.0, 2.0), (150.0, 2.0)])
def test_a_surprise_far_in_the_tail_is_conjugate_all_the_same(figure, discrepancy):
    """Prior normal(100, 10), figures 3.7 and 5 deviations out (1 in 10,000, in 3,000,000): mean, spread, evidence in closed form."""
    plan = small_plan()
    found = condition(plan, [exact(plan, f"{M} = {figure} M USD", discrepancy=f"{discrepancy} M USD")], how())
    precision = 1 / 100 + 1 / discrepancy**2
    told = side(found, "headlines", M)
    assert found["method"] == "tempered"
    assert abs(told["mean"] - (1 + figure / discrepancy**2) / precision * 1e6) <= 3.0 * told["se"]
    assert (told["p95"] - told["p05"]) / 3.29 == pytest.approx(1e6 / math.sqrt(precision), rel=0.06)
    spread = math.hypot(10, discrepancy)
    want = -0.5 * ((figure - 100) / spread) ** 2 - math.log(spread * 1e6 * math.sqrt(2 * math.pi))
    assert found["tempering"]["log_evidence"] == pytest.approx(want, abs=0.4)
    assert [s["input"] for s in found["tempering"]["strained"]] == ["companies.c.segment.revenue"]
    assert found["tempering"]["stretched"] == []


def test_a_rare_scenario_that_explains_a_surprise_is_found():
    """1 in 100 draws normal(150, 10): figure 150 makes it all but certain, by Bayes 1 - 4e-4; base cannot reach it."""
    boom = {"title": "b", "assumed": "a test", "probability": "1 %", "set": {"companies.c.segment.revenue": "normal(150, 10) M USD/month"}}
    plan = small_plan(scenarios={"boom": boom})
    assert free_choices(plan).tolist() == [0]
    found = condition(plan, [exact(plan, f"{M} = 150 M USD", discrepancy="2 M USD")], how())
    density = lambda mean: math.exp(-0.5 * ((150 - mean) / math.hypot(10, 2)) ** 2)  # noqa: E731
    want = 0.01 * density(150) / (0.01 * density(150) + 0.99 * density(100))
    told = side(found, "scenarios", "boom")
    assert found["method"] == "tempered" and abs(told["mean"] - want) <= 3.0 * told["se"] + 2e-3
    assert side(found, "headlines", M)["mean"] == pytest.approx(150e6, rel=0.01)


def test_monthly_noise_moves_like_any_other_input():
    """A mean-reverting revenue of which only noise is uncertain: the particles' posterior is that of 65,536 weighted paths."""
    path = {"mean_reversion": {"start": "100 M USD/month", "level": "100 M USD/month", "speed": "1", "volatility": "0.2"}}
    plan = small_plan(revenue=path)
    figure = exact(plan, "revenue of companies.c @ 2026-06 = 112 M USD", discrepancy="3 M USD")
    q = question(plan, "revenue", "companies.c", "month")
    values = read(plan, [q], Futures(65_536, 1))
    logs = np.zeros(65_536)
    figure.add_log_likelihood(values[5], logs)
    w = fixed(logs).astype(float)
    want = values @ w / w.sum()
    done = Tempering(plan, evidence_of(plan, [figure]), how(2048)).run()
    p = done.particles
    got = montecarlo.compute(plan, [q], Futures(2048, 1, done.weights, filler(p.scores, p.noise))).tallies[0]
    assert done.refused is None and len(set(p.noise.tolist())) > 1000
    for month in (3, 5, 8, 11):
        error = math.hypot(got.se[month], values[month].std() / math.sqrt(w.sum() ** 2 / (w @ w)))
        assert abs(got.mean[month] - want[month]) <= 3.5 * error


def test_a_particle_does_not_depend_on_who_computes_it():
    plan = small_plan()
    found = evidence_of(plan, [exact(plan, f"{M} = 137 M USD", discrepancy="2 M USD")])
    from offtake.studies.compare import Asked

    one, two = (Tempering(plan, found, Asked(512, 1, workers, None)).run() for workers in (1, 2))
    assert np.array_equal(one.particles.scores, two.particles.scores) and one.powers == two.powers


def test_the_errors_of_populations_are_the_spread_of_seeds():
    """Twelve seeds of 1,024 particles: the printed error is within a factor of two of the means' own spread (24 seeds: 1.2 times it)."""
    plan = small_plan()
    found = evidence_of(plan, [exact(plan, f"{M} = 130 M USD", discrepancy="4 M USD")])
    q = question(plan, "revenue", "companies.c", "month")
    means, errors = [], []
    for seed in range(12):
        done = Tempering(plan, found, how(1024, seed)).run()
        futures = Futures(1024, seed, done.weights, filler(done.particles.scores, done.particles.noise))
        tally = montecarlo.compute(plan, [q], futures).tallies[0]
        means.append(tally.mean[2])
        errors.append(tally.se[2])
    assert 0.5 <= np.mean(errors) / np.std(means, ddof=1) <= 2.0


def test_a_population_counts_by_its_evidence():
    """Evidence 1 to 16: particle p weighs p mod 16 + 1; effective populations (sum w)2 / sum w2; one that has all is a disagreement."""
    plan = small_plan()
    tempering = Tempering(plan, evidence_of(plan, [exact(plan, f"{M} = 100 M USD")]), how(256))
    p = Particles(np.zeros((1, 256)), np.arange(256), np.zeros((1, 256)), np.zeros((1, 256)))
    ended = tempering._ended(p, np.log(np.arange(1.0, 17.0)), [0.0, 1.0], [1.0, 0.3], None)
    assert ended.weights[37] / ended.weights[15] == pytest.approx(6 / 16, rel=1e-6) and ended.log_evidence == pytest.approx(math.log(8.5))
    assert ended.agree == pytest.approx(136**2 / 1496, rel=1e-6) and ended.refused is None
    one = tempering._ended(p, np.where(np.arange(16) == 3, 0.0, -50.0), [0.0, 1.0], [1.0, 0.3], None)
    assert one.refused == "the sixteen populations disagree: 1.0 of them count"


def test_what_cannot_be_is_refused_in_a_sentence():
    plan = small_plan()
    found = condition(plan, [seen(plan, f"{M} < -900 M USD", discrepancy="none")], how(512))
    assert found["method"] == "refused" and found["refused"] == "in some population no path is possible under the figures"
    assert all(row["posterior"] is None for row in found["headlines"])


def test_a_figure_that_nothing_in_the_book_can_move_stretches_the_discrepancy():
    """The margin is 30 % on every path: 40 %, with a discrepancy of 1 point, is ten of them away, and no input is to blame."""
    plan = small_plan()
    name = "margin of companies.c @ 2026"
    found = condition(plan, [exact(plan, f"{name} = 40 %", discrepancy="100 bp")], how(512))
    if found["method"] == "weights":  # every path is as unlikely as any other: the weights are even
        assert found["evidence"][0]["chance"] < 1e-12
    else:
        assert found["tempering"]["stretched"][0]["discrepancies"] == pytest.approx(10.0)


def test_json_holds_what_is_shown():
    plan = small_plan()
    found = condition(plan, [exact(plan, f"{M} = 137 M USD", discrepancy="2 M USD")], how(512))
    assert json.loads(json.dumps(found)) == found


def test_each_population_resamples_itself():
    """Systematic resampling by population: every copy is of a particle of the same population, each as often as its weight says, give or
    take one; and what is returned is the logarithm of the population's mean weight."""
    plan = small_plan()
    tempering = Tempering(plan, evidence_of(plan, [exact(plan, f"{M} = 100 M USD")]), how(1024))
    logs = np.random.default_rng(1).normal(0, 2, (1, 1024))
    p = Particles(np.zeros((2, 1024)), np.arange(1024), logs.copy(), logs.copy())
    found = tempering._resample(p, 0.5, 3)
    weights = np.exp(0.5 * logs[0]).reshape(-1, 16)
    assert np.array_equal(p.noise % 16, np.arange(1024) % 16)
    wanted = weights * (64 / weights.sum(axis=0))
    assert np.all(np.abs(np.bincount(p.noise, minlength=1024).reshape(-1, 16) - wanted) < 1.0)
    assert found == pytest.approx(np.log(weights.mean(axis=0)), abs=1e-12) and np.array_equal(p.logs, p.values)


def test_a_round_of_moves_draws_scenario_and_noise_anew():
    """Where every figure is as likely as any other all proposals are taken: after a round the scenario's score has nothing to do with that
    before, that of an input which moves by steps still has, and no particle has the noise that it had."""
    boom = {"title": "b", "assumed": "a test", "probability": "40 %", "set": {"companies.c.segment.margin": "20 %"}}
    path = {"mean_reversion": {"start": "100 M USD/month", "level": "100 M USD/month", "speed": "1", "volatility": "0.2"}}
    plan = small_plan(revenue=path, margin="20 to 40 %", scenarios={"boom": boom})
    tempering = Tempering(plan, evidence_of(plan, [seen(plan, f"{M} > -9000 M USD", discrepancy="none")]), how(1024))
    tempering.step = 0.02
    p = tempering._start()
    before, noise = p.scores.copy(), p.noise.copy()
    assert tempering._move(p, 1.0, 1) == 1.0
    again = [abs(np.corrcoef(before[i], p.scores[i])[0, 1]) for i in range(len(before))]
    assert again[0] < 0.15 and min(again[1:]) > 0.9
    assert p.scores.std(axis=1) == pytest.approx(np.ones(len(again)), abs=0.1)  # moves leave the prior as it is
    assert not np.any(p.noise == noise) and len(set(p.noise.tolist())) == 1024


def test_simulation_based_calibration_far_from_the_middle():
    """80 runs: a truth of a seed, a figure off by a fifth of the prior's spread, 256 particles; the truth's ranks are uniform."""
    plan = small_plan()
    months = question(plan, "revenue", "companies.c", "month")
    q = replace(months, periods=months.periods[2:3])
    noise = np.random.default_rng(7).normal(0, 2e6, 80)
    ranks = []
    for seed in range(80):
        truth = read(plan, [q], Futures(1025, seed), 1)[0][-1]
        figure = seen(plan, f"{M} = {(truth + noise[seed]) / 1e6:.1f} M USD", discrepancy="2 M USD")
        done = Tempering(plan, evidence_of(plan, [figure]), how(256, seed)).run()
        ranks.append(done.weights[done.particles.values[0] < truth].sum() / done.weights.sum())
    counts = np.histogram(ranks, 8, (0, 1))[0]
    assert ((counts - 10.0) ** 2 / 10.0).sum() < 24.3  # chi-squared of 7 degrees, one in a thousand
