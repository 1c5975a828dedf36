"""Stop rules: how they read, when they stop, and that a stopped run is a run of as many paths, bit for bit."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import offtake
from offtake import front, montecarlo
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.kernels.replicates import T95
from offtake.questions import question
from offtake.studies.until import until_of

RULE = "p95(revenue of contracts.north @ 2027) within 0.5 %"


@pytest.mark.parametrize(
    ("text", "statistic", "tolerance", "relative"),
    [
        (RULE, "p95", 0.005, True),
        ("npv of contracts.north within 2 M USD", "mean", 2e6, False),
        ("mean(renegotiated of contracts.north @ 2027) WITHIN 0.01", "mean", 0.01, False),
        ("occupancy of pools.plains.new @ 2027 within 1 %", "mean", 0.01, True),
    ],
)
def test_rules_read(small: offtake.Run, text: str, statistic: str, tolerance: float, relative: bool) -> None:
    rule = until_of(small.plan, text)
    assert (rule.statistic, rule.tolerance, rule.relative) == (statistic, pytest.approx(tolerance), relative)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("p95(revenue of contracts.north @ 2027)", "is no stop rule; write STATISTIC(MEASURE of ENTITY @ PERIOD) within TOLERANCE"),
        ("revenue of contracts.north within 1 %", "is not about one figure"),
        ("npv of contracts.north within 1 GPU", "'1 GPU' is no tolerance"),
        ("npv of contracts.north within soon", "'soon' is no tolerance"),
        ("npv of contracts.north within 0 %", "'0 %' is no tolerance: it must be above 0"),
        ("npv of contracts.nort within 1 %", "is not known of 'contracts.nort'"),
        ("p99(npv of contracts.north) within 1 %", "is not an address"),
        ("passage of companies.lab within 1 %", "is not about one figure"),
    ],
)
def test_rules_that_do_not_read(small: offtake.Run, text: str, sentence: str) -> None:
    with pytest.raises(QuestionError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        until_of(small.plan, text)


def figures(tally: montecarlo.Tally) -> list[np.ndarray]:
    return [tally.mean, tally.se, tally.count, *tally.quantiles.values(), *tally.errors.values(), tally.kept]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stopped_run_is_a_run_of_as_many_paths(small: offtake.Run, workers: int) -> None:
    """The tolerance lies between the half-widths at 1,024 and at 4,096 paths, so it stops on the way; every bit is that of a plain run."""
    q = question(small.plan, "idle_value", "contracts.north", "total")
    first = montecarlo.run(small.plan, [q], 1024, 1).tallies[0]
    rule = until_of(small.plan, f"idle_value of contracts.north @ total within {0.7 * T95 * first.se[0]:.9f}")
    stop = montecarlo.Stop(0, rule.holds)
    found = montecarlo.compute(small.plan, [q], montecarlo.Futures(16_384, 1), workers, None, stop)
    assert found.paths in (2048, 4096, 8192)
    before = montecarlo.run(small.plan, [q], found.paths // 2, 1).tallies[0]
    plain = montecarlo.run(small.plan, [q], found.paths, 1)
    assert rule.holds(found.tallies[0]) and not rule.holds(before)
    assert all(np.array_equal(a, b) for a, b in zip(figures(found.tallies[0]), figures(plain.tallies[0])))
    assert np.array_equal(found.inputs, plain.inputs)
    assert [w.error for w in found.identities] == [w.error for w in plain.identities]


def test_the_result_says_how_many_paths_it_took() -> None:
    run = offtake.run(offtake.load("two-clouds"), paths=4096, until="npv of contracts.north within 50 %")
    rows = run.table("npv", "contracts.north")
    assert rows.about["stamp"]["paths"] == 1024 and run.stamp.paths == 1024
    assert rows.about["until"]["reached"] and rows.about["until"]["paths"] == 1024
    again = offtake.run(offtake.load("two-clouds"), paths=1024).table("npv", "contracts.north")
    assert again.rows() == rows.rows()
    assert run.outcome([question(run.plan, "npv", "contracts.north")]).paths == 1024  # whatever is asked next takes as many


def test_a_rule_that_is_never_reached_says_so_after_all_is_printed() -> None:
    words = ["measure", "two-clouds", "npv", "--of", "contracts.north", "--json", "--most", "1536"]
    done = CliRunner().invoke(app, [*words, "--until", "npv of contracts.north within 1 USD"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["until"] == told["until"] | {"reached": False, "paths": 1536} and told["rows"][0]["mean"] is not None
    assert "was not reached in 1,536 paths, the most allowed" in done.stderr and "Allow more with --most." in done.stderr


def test_a_figure_without_a_value_is_never_known(small: offtake.Run) -> None:
    """Thirty-two paths none of which has the number: the rule does not hold and nothing is claimed."""
    q = question(small.plan, "npv", "contracts.north", given=("scenario", 99.0))
    tally = montecarlo.run(small.plan, [q], 32, 1).tallies[0]
    rule = until_of(small.plan, "npv of contracts.north within 99 %")
    assert not rule.holds(tally)
    assert rule.told(tally, 32) | {"unit": ""} == {
        "rule": rule.text, "paths": 32, "figure": None, "half_width": None, "unit": "", "reached": False,
    }  # fmt: skip


def test_front_refuses_a_rule_before_anything_is_computed() -> None:
    with pytest.raises(QuestionError, match="is no stop rule"):
        front.run(offtake.load("two-clouds"), until="as soon as possible")
