"""Whole runs: bits, scenarios, patches, identities and what the plain contract must add up to."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import offtake
from offtake import front, montecarlo
from offtake.errors import QuestionError
from offtake.questions import question

MONEY = 1e-9  # of the contract's value


def rows(run: offtake.Run, *args: object, **kwargs: object) -> list[dict]:
    return run.table(*args, **kwargs).rows()


def test_same_bits_on_one_worker_or_two() -> None:
    book = offtake.load("two-clouds")
    one = rows(offtake.run(book, paths=600, workers=1), "rpo", "contracts.north", "quarter")
    two = rows(offtake.run(book, paths=600, workers=2), "rpo", "contracts.north", "quarter")
    assert one == two


def test_first_paths_of_a_long_run_are_those_of_a_short_one(small: offtake.Run) -> None:
    q = question(small.plan, "revenue", "contracts.north", "month")
    long = montecarlo.run(small.plan, [q], 640, 1).tallies[0].kept
    short = montecarlo.run(small.plan, [q], 100, 1).tallies[0].kept
    assert np.array_equal(long[:, :100], short)


def test_one_path_is_the_path_of_the_ensemble(small: offtake.Run) -> None:
    q = question(small.plan, "revenue", "contracts.north", "calendar-year")
    kept = montecarlo.run(small.plan, [q], 200, 1).tallies[0].kept
    alone = [row["value"] for row in rows(small, "revenue", "contracts.north", "calendar-year", path=137)]
    assert alone == list(kept[:, 137])


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_the_first_paths_of_a_long_run_have_the_bits_of_a_short_one(sampler: str) -> None:
    """Every figure of 1,024 paths, on one worker or two, and every value of them in a run of 2,048."""
    plan = front.compile(offtake.load("two-clouds"), sampler=sampler)
    q = question(plan, "npv", "contracts.north")
    short, again = (montecarlo.run(plan, [q], 1024, 1, workers).tallies[0] for workers in (1, 2))
    long = montecarlo.run(plan, [q], 2048, 1).tallies[0]
    assert np.array_equal(long.kept[:, :1024], short.kept)
    assert (short.mean, short.se, short.errors[0.05]) == (again.mean, again.se, again.errors[0.05])
    assert short.mean[0] == pytest.approx(short.kept[0].mean(), rel=1e-12)


def test_the_stamp_names_the_sampler(small: offtake.Run) -> None:
    plain = offtake.run(offtake.load("two-clouds"), paths=64, sampler="random")
    assert (small.stamp.sampler, plain.stamp.sampler) == ("sobol-owen-16", "threefry2x64-20")
    assert (plain.plan.draws.coordinate == -1).all() and sorted(small.plan.draws.coordinate) == list(range(len(small.plan.inputs.names)))
    with pytest.raises(QuestionError) as caught:
        offtake.run(offtake.load("two-clouds"), sampler="halton")
    assert str(caught.value) == "'halton' is no sampler; --sampler takes sobol or random"


def test_scenario_and_common_factors_lead(first: offtake.Run) -> None:
    """The rule is on the book alone: scenario, common factors, then numbers by input number."""
    names, coordinate = first.plan.inputs.names, first.plan.draws.coordinate
    order = [names[i] for i in np.argsort(coordinate)]
    factors = [f"factors.{name}" for name in first.plan.book.factors]
    assert order == ["scenario", *factors, *(n for n in names if n != "scenario" and n not in factors)]


def test_a_prefix_is_balanced(small: offtake.Run) -> None:
    """16 x 32 paths: each scramble has 32 scores of an input, one in every 32nd of its law; plain random paths do not."""
    u = special.ndtr(montecarlo.run(small.plan, [question(small.plan, "npv", "contracts.north")], 512, 1).inputs)
    free = [i for i in range(len(u)) if i not in set(small.plan.draws.mixed)]
    cells = np.sort(np.floor(u[free].reshape(len(free), 32, 16) * 32), axis=1)
    assert (cells == np.arange(32)[None, :, None]).all()


def test_another_seed_is_another_ensemble() -> None:
    book = offtake.load("two-clouds")
    a, b = (rows(offtake.run(book, paths=64, seed=s), "revenue", "contracts.north", "total")[0]["mean"] for s in (1, 2))
    assert a != b


def test_plain_contract_adds_up_on_every_path() -> None:
    """revenue + RPO + terminated = 38 bn on every path of `plain`."""
    run = offtake.run(offtake.load("openai-aws"), paths=512, scenario=["plain"])
    end = str((run.plan.start + run.plan.months - 1) // 12)
    asked = [
        question(run.plan, m, "contracts.aws", by) for m, by in (("revenue", "total"), ("terminated", "total"), ("rpo", "calendar-year"))
    ]
    revenue, terminated, rpo = (t.kept for t in run.outcome(asked).tallies)
    last = [p.label for p in asked[2].periods].index(end)
    assert np.max(np.abs(revenue[0] + terminated[0] + rpo[last] - 38e9)) <= MONEY * 38e9
    assert np.all(terminated[0] == 0.0)


def test_forced_scenario_leaves_other_draws_unchanged() -> None:
    book = offtake.load("two-clouds")
    base, forced = front.compile(book), front.compile(book, ["slow-grid"])
    q = question(base, "ready", "contracts.south", "month")
    a, b = montecarlo.run(base, [q], 128, 1), montecarlo.run(forced, [q], 128, 1)
    assert np.array_equal(a.tallies[0].kept, b.tallies[0].kept)  # the other site does not feel the slow grid
    assert np.array_equal(a.inputs[1:], b.inputs[1:])
    q = question(base, "ready", "contracts.north", "month")
    slow, drawn = (montecarlo.run(p, [q], 128, 1).tallies[0].mean.sum() for p in (forced, base))
    assert slow < drawn


def test_patch_changes_the_result_and_the_hash(small: offtake.Run) -> None:
    other = offtake.run(offtake.load("two-clouds", set=["contracts.north.total=2.1 bn USD"]), paths=512)
    assert other.stamp.book != small.stamp.book
    a, b = (rows(r, "straight_line", "contracts.north", "total")[0]["mean"] for r in (small, other))
    assert b == pytest.approx(a / 2, rel=1e-12)


def test_every_measure_of_every_entity_has_finite_or_absent_rows(small: offtake.Run) -> None:
    from offtake.measures import MEASURES, entities

    measures = [m for m in MEASURES.values() if m.kind not in ("surface", "postings")]
    asked = [question(small.plan, m.name, e.label) for m in measures for e in entities(m, small.plan)]
    for tally in montecarlo.run(small.plan, asked, 128, 1).tallies:
        values = np.concatenate([tally.mean, *tally.quantiles.values()])
        assert np.all(np.isfinite(values) | np.isnan(values)), tally.question.measure.name
        known = tally.count > 0
        assert np.all(tally.quantiles[0.05][known] <= tally.quantiles[0.95][known])


def test_quantiles_agree_with_the_kept_paths(small: offtake.Run) -> None:
    q = question(small.plan, "cash", "contracts.north", "calendar-year")
    tally = small.outcome([q]).tallies[0]
    for p, value in tally.quantiles.items():
        exact = np.quantile(tally.kept, p, axis=1)
        width = np.ptp(tally.kept, axis=1) / 100
        assert np.all(np.abs(value - exact) <= width)
    assert tally.mean == pytest.approx(tally.kept.mean(axis=1), rel=1e-12)


def test_dependence_reaches_the_answer() -> None:
    """Without the common factor the two driven inputs lose their correlation."""
    book = offtake.load("two-clouds")
    run = front.run(book, paths=4096)
    q = question(run.plan, "ready", "contracts.north", "month")
    outcome = run.outcome([q])
    names = run.plan.inputs.names
    a, b = names.index("sites.plains.lots.1.slip"), names.index("chips.new.cost")
    assert (
        abs(np.corrcoef(outcome.inputs[a], outcome.inputs[b])[0, 1] - 2 * math.sin(math.pi * 0.7 / 6) * 2 * math.sin(math.pi * 0.3 / 6))
        < 0.06
    )


def test_questions_that_cannot_be_answered(small: offtake.Run) -> None:
    for args, sentence in (
        (("revenu", None), "no measure is called 'revenu'; did you mean revenue?"),
        (("rpo", None), "'rpo' needs --of, one of: contracts.north, contracts.south"),
        (("rpo", "contracts.east"), "'rpo' is not known of 'contracts.east'; it is known of: contracts.north, contracts.south"),
        (("revenue of contracts.north @ 2031", None), "'2031' is outside the horizon of this book: 2026 to 2029"),
        (("revenue of contracts.north @ soon", None), "'soon' is not a period; write 2026-03, 2026Q1, FY2026Q2, FY2026, 2026 or total"),
    ):
        with pytest.raises(QuestionError) as caught:
            small.ask(*args)
        assert str(caught.value) == sentence


COMPANY_ALONE = """
title: No contract
as_of: 2025-11-03
start: 2026-01
months: 12
sources: {}
companies:
  north:
    name: North Cloud
    assumed: invented
    segment: {name: Cloud, revenue: 10 M USD/month, margin: 30 %, rpo: 100 M USD,
              rpo_life: 24 months, signings: 0 USD/month, rounding: 1 USD}
chips: {}
sites: {}
contracts: {}
workloads: {}
"""


def test_a_book_without_contracts_reads_what_it_has(tmp_path: Path) -> None:
    """No axis is long: the company's own business is there all the same, and the 13 answers say what they need."""
    book = tmp_path / "alone.yaml"
    book.write_text(COMPANY_ALONE)
    run = offtake.run(offtake.load(book), paths=64)
    assert [row["mean"] for row in rows(run, "revenue", "companies.north")] == pytest.approx([120e6])
    with pytest.raises(QuestionError, match="about a contract"):
        run.answers()


def test_a_claim_of_what_a_company_does_not_state_is_named(tmp_path):
    """`check` knows that companies may have a margin; whether this one has what it takes is known when it is asked."""
    text = (Path(offtake.__file__).parent / "books" / "two-clouds.yaml").read_text(encoding="utf-8")
    book = tmp_path / "book.yaml"
    book.write_text(text.replace("measure: revenue of contracts.north", "measure: margin of companies.lab"), encoding="utf-8")
    with pytest.raises(QuestionError, match=r"measure of claim straight: 'margin' is not known of 'companies\.lab'"):
        offtake.run(offtake.load(book), paths=64).answers()
