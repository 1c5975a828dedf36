"""Truths of conditioning (E-02, E-03): closed forms, no evidence, any order, and a prior that nothing touches."""

import hashlib
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from offtake import front, montecarlo
from offtake.book.text import read
from offtake.errors import QuestionError, ShapeError
from offtake.evidence.weights import fixed
from offtake.fact_rows import catalog
from offtake.front import learn
from offtake.montecarlo import Futures
from offtake.questions import question
from offtake.recount import read as read_paths
from offtake.recount import reweigh
from offtake.studies.condition import condition
from offtake.studies.observe import from_facts
from tests.learned import how, seen, small_plan

M = "revenue of companies.c @ 2026-03"
PATHS = 1 << 17


def side(found, group, name, key="posterior"):
    return next(row for row in found[group] if row[group[:-1]] == name)[key]


TABLE = 1e-5  # a beta is drawn from straight lines between 257 nodes, and its mean is off by about that much


def near(told, mean, off=0.0):
    """Within three Monte Carlo errors, and what the prior itself is off by."""
    assert abs(told["mean"] - mean) <= 3.0 * told["se"] + off, (told["mean"], mean, told["se"])


def test_conjugate_normal():
    """Prior normal(100, 10), figure 112 exactly, discrepancy 5: precision 1/100 + 1/25, mean (100/100 + 112/25) over it."""
    plan = small_plan()
    found = condition(plan, [seen(plan, f"{M} = 112 M USD", rounding="none", discrepancy="5 M USD")], how(PATHS))
    precision = 1 / 100 + 1 / 25
    told = side(found, "headlines", M)
    near(told, (100 / 100 + 112 / 25) / precision * 1e6)
    spread = 1 / math.sqrt(precision) * 1e6
    assert (told["p95"] - told["p05"]) / 2 / 1.6449 == pytest.approx(spread, rel=0.02)
    assert found["method"] == "weights"
    log_evidence = -0.5 * (12 / math.hypot(10, 5)) ** 2 - math.log(math.hypot(10, 5) * 1e6 * math.sqrt(2 * math.pi))
    assert found["weights"]["log_evidence"] == pytest.approx(log_evidence, abs=0.02)


def test_conjugate_normal_of_two_figures():
    """Two figures of one revenue, 112 with discrepancy 5 and 96 with 8."""
    plan = small_plan()
    figures = [
        seen(plan, f"{M} = 112 M USD", rounding="none", discrepancy="5 M USD"),
        seen(plan, "revenue of companies.c @ 2026-04 = 96 M USD", rounding="none", discrepancy="8 M USD"),
    ]
    precision = 1 / 100 + 1 / 25 + 1 / 64
    near(side(condition(plan, figures, how(PATHS)), "headlines", M), (1 + 112 / 25 + 96 / 64) / precision * 1e6)


def test_conjugate_beta():
    """Prior beta(2, 3) on a margin of which 7 of 10 cases held: beta(9, 6)."""
    plan = small_plan(margin="beta(2, 3)")
    name = "margin of companies.c @ 2026"
    found = condition(plan, [seen(plan, f"{name} = 7 of 10")], how(PATHS))
    told = side(found, "headlines", name)
    near(told, 9 / 15, TABLE)
    near(side(found, "headlines", name, "prior"), 2 / 5, TABLE)
    from scipy import stats

    assert told["p05"] == pytest.approx(stats.beta.ppf(0.05, 9, 6), abs=0.005)
    assert told["p95"] == pytest.approx(stats.beta.ppf(0.95, 9, 6), abs=0.005)


def test_scenarios_follow_by_bayes():
    """Two scenarios that print another revenue: odds times the ratio of their predictive densities."""
    more = {"scenarios": {"boom": {"title": "b", "assumed": "a test", "probability": "20 %", "set": {
        "companies.c.segment.revenue": "normal(130, 10) M USD/month"}}}}  # fmt: skip
    plan = small_plan(**more)
    found = condition(plan, [seen(plan, f"{M} = 120 M USD", rounding="none", discrepancy="5 M USD")], how(PATHS))

    def density(mean):
        return math.exp(-0.5 * ((120 - mean) / math.hypot(10, 5)) ** 2)

    boom = 0.2 * density(130) / (0.2 * density(130) + 0.8 * density(100))
    near(side(found, "scenarios", "boom"), boom)
    near(side(found, "scenarios", "base"), 1 - boom)


def test_no_evidence_is_the_prior_to_the_bit():
    plan = small_plan()
    found = condition(plan, [], how())
    for group in ("headlines", "scenarios", "inputs"):
        for row in found[group]:
            if "prior" in row:
                assert row["prior"] == row["posterior"]
            if group == "inputs":
                assert row["moved"] == 0.0 and row["width"] == 1.0


def test_a_figure_that_says_nothing_changes_nothing():
    plan = small_plan()
    found = condition(plan, [seen(plan, f"{M} > 0 USD", discrepancy="none")], how(), [M])
    assert side(found, "headlines", M) == side(found, "headlines", M, "prior")
    assert found["weights"]["effective"] == 4096


def test_the_order_of_evidence_is_irrelevant():
    plan = small_plan()
    figures = [
        seen(plan, f"{M} = 104 M USD"),
        seen(plan, "revenue of companies.c @ 2026-04 > 95 M USD"),
        seen(plan, "reported_rpo of companies.c @ 2026Q1 = 1.0 bn USD"),
    ]
    one, other = condition(plan, figures, how()), condition(plan, figures[::-1], how())
    assert json.dumps(one) == json.dumps(other)


def test_more_paths_than_are_kept_give_the_bits_of_kept_ones(monkeypatch):
    """The same evidence with and without kept paths: read again and computed again, not recounted."""
    plan = small_plan()
    figures = [seen(plan, f"{M} = 104 M USD")]
    kept = condition(plan, figures, how(2048))
    monkeypatch.setattr(montecarlo, "KEPT", 256)
    assert json.dumps(condition(plan, figures, how(2048))) == json.dumps(kept)


def test_a_recount_has_the_bits_of_a_weighted_run():
    plan = small_plan()
    asked = [question(plan, "revenue", "companies.c", "month"), question(plan, "margin", "companies.c")]
    weights = np.random.default_rng(3).integers(0, 5, 1500)
    weights[300:900] = 0
    done = montecarlo.run(plan, asked, 1500, 1)
    one, other = reweigh(done, weights), montecarlo.compute(plan, asked, Futures(1500, 1, weights))
    for a, b in zip(one.tallies, other.tallies):
        for x, y in zip((a.count, a.mean, a.se, *a.quantiles.values()), (b.count, b.mean, b.se, *b.quantiles.values())):
            assert np.array_equal(x, y, equal_nan=True)
    assert np.array_equal(read_paths(plan, asked, Futures(1500, 1)), np.concatenate([t.kept for t in done.tallies]))
    with pytest.raises(ShapeError, match="not every question kept all 1,500 paths"):
        reweigh(montecarlo.run(plan, [replace(asked[0], keep=False)], 1500, 1), weights)


def test_a_surprise_is_refused_and_says_which_figure():
    plan = small_plan()
    figures = [seen(plan, f"{M} = 160 M USD", discrepancy="1 M USD"), seen(plan, "margin of companies.c @ 2026 = 30 %")]
    found = condition(plan, figures, how())
    assert not found["weights"]["trusted"]
    assert found["evidence"][1]["below"] == 1.0


def test_how_far_out_a_figure_is():
    """Prior normal(100, 10), discrepancy 5: 125 lies 25 / sqrt(125) deviations out, on both sides; a bound is as far out as nothing."""
    plan = small_plan()
    figures = [seen(plan, f"{M} = 125 M USD", rounding="none", discrepancy="5 M USD"), seen(plan, "margin of companies.c @ 2026 > 1 %")]
    found = condition(plan, figures, how(16_384))
    chances = {o["about"]: o["chance"] for o in found["evidence"]}
    assert chances[M] == pytest.approx(math.erfc(25 / math.sqrt(125) / math.sqrt(2)), rel=0.05)
    assert chances["margin of companies.c @ 2026"] is None


def test_a_path_without_the_number_is_ruled_out():
    plan = front.compile(front.load("two-clouds"))
    name = "occupancy of pools.plains.new @ 2026"
    found = condition(plan, [seen(plan, f"{name} < 200 %", discrepancy="none")], how(512))
    prior, posterior = (side(found, "headlines", name, key) for key in ("prior", "posterior"))
    assert prior["absent"] > 0.0 == posterior["absent"] and found["evidence"][0]["prior"]["absent"] == prior["absent"]
    assert found["weights"]["effective"] == round(512 * (1 - prior["absent"]))


def test_a_number_that_no_path_has_rules_all_out():
    plan = front.compile(front.load("two-clouds"))
    found = condition(plan, [seen(plan, "irr of contracts.south @ total > 5 %")], how(256))
    assert found["weights"]["effective"] == 0.0 and found["weights"]["log_evidence"] is None and not found["weights"]["trusted"]
    assert found["evidence"][0]["below"] is None


def test_simulation_based_calibration():
    """500 runs: a truth is one path of a seed, a figure is printed of it, the others are weighed; the truth's ranks are uniform."""
    plan = small_plan()
    months = question(plan, "revenue", "companies.c", "month")
    q = replace(months, periods=months.periods[2:3])
    noise = np.random.default_rng(5).normal(0, 5e6, 500)
    ranks = []
    for seed in range(500):
        values = read_paths(plan, [q], Futures(513, seed), 1)[0]
        truth, others = values[-1], values[:-1]
        figure = seen(plan, f"{M} = {(truth + noise[seed]) / 1e6:.1f} M USD", discrepancy="5 M USD")
        logs = np.zeros(len(others))
        figure.add_log_likelihood(others, logs)
        weights = fixed(logs)
        ranks.append(weights[others < truth].sum() / weights.sum())
    counts = np.histogram(ranks, 20, (0, 1))[0]
    assert ((counts - 25.0) ** 2 / 25.0).sum() < 43.8  # chi-squared of 19 degrees, one in a thousand


def digest(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_conditioned_run_never_touches_the_priors_files(tmp_path):
    book = tmp_path / "mine.yaml"
    book.write_bytes(front.locate("two-clouds").read_bytes())
    run = front.run(front.load(book), paths=512, seed=1)
    run.report(tmp_path / "mine.html")
    store = tmp_path / "offtake.db"
    learn.observe(book, "revenue of companies.north @ 2026Q1 = 2.4 bn USD", "North, 10-Q, 2026-05-01", store)
    before = digest(tmp_path)
    prior = run.table("revenue", "companies.north", "quarter").rows()
    found = learn.condition(run, book, learn.Given(store=store))
    assert found["method"] in ("weights", "tempered") and digest(tmp_path) == before
    assert run.table("revenue", "companies.north", "quarter").rows() == prior


def test_evidence_is_what_was_published_by_a_day(tmp_path):
    store, book = tmp_path / "s.db", "two-clouds"
    learn.observe(book, "revenue of companies.north @ 2026Q1 = 2.4 bn USD", "North, 10-Q, 2026-05-01", store)
    run = front.run(front.load(book), paths=256, seed=1)
    early = learn.condition(run, book, learn.Given(as_of=date(2026, 4, 30), store=store))
    assert early["method"] == "none" and early["evidence"] == []
    learn.withdraw(book, 1, "a typing error", store)
    late = learn.condition(run, book, learn.Given(store=store))
    assert late["method"] == "none" and late["withdrawn"] == 1
    with pytest.raises(QuestionError, match="'guesses' is no evidence; --given takes observations or facts"):
        learn.condition(run, book, learn.Given(kinds=("guesses",), store=store))


def test_facts_published_after_the_book_are_evidence():
    """A book of 2024 that names a series: the quarters that came until 2025-06 are figures in whole millions."""
    text = {
        "title": "small", "as_of": "2024-06-30", "start": "2024-07", "months": 12, "sources": {},
        "companies": {"c": {"name": "c", "assumed": "a test", "history": {"revenue": "AMZN.aws_revenue"}, "segment": {
            "name": "cloud", "revenue": "8 to 10 bn USD/month", "margin": "30 %", "rpo": "1 bn USD", "rpo_life": "48 months",
            "signings": "20 M USD/month", "rounding": "1 M USD"}}},
        "chips": {}, "sites": {}, "contracts": {}, "workloads": {},
    }  # fmt: skip
    plan = front.compile(read(json.dumps(text), "small"))
    found = from_facts(plan, catalog(), date(2025, 3, 1), "1 %", "scope")
    assert [o.about for o in found] == ["revenue of companies.c @ 2024Q3", "revenue of companies.c @ 2024Q4"]
    assert all(o.high - o.low == pytest.approx(1e6) and o.discrepancy == pytest.approx(0.01 * o.middle) for o in found)
    assert len(from_facts(plan, catalog(), date(2024, 12, 31))) == 1
    assert condition(plan, found, how())["method"] == "weights"
