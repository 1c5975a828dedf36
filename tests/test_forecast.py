"""Forecasts in the ledger and their scores (E-05): against scoringrules, closed forms, and numbers worked by hand."""

import json
import math
from datetime import date

import numpy as np
import pytest
import scoringrules
from scipy import stats
from typer.testing import CliRunner

from offtake import front
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.evidence.scores import brier, crps, log_score, pit
from offtake.front import learn
from offtake.studies.forecast import beside, make, score
from offtake.studies.history import extrapolated
from tests.forecasts import made
from tests.learned import how, seen, small_plan

M = "revenue of companies.c @ 2026-03"


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_scoringrules(seed):
    r = np.random.default_rng(seed)
    x, y = r.lognormal(3, 1, 300), float(r.lognormal(3, 1))
    assert crps(x, y) == pytest.approx(float(scoringrules.crps_ensemble(y, x, estimator="nrg")), rel=1e-9)
    assert brier(0.3, True) == pytest.approx(float(scoringrules.brier_score(1.0, 0.3)), rel=1e-12)
    width = 1.06 * min(x.std(ddof=1), float(np.subtract(*np.quantile(x, [0.75, 0.25]))) / 1.34) * len(x) ** -0.2
    assert log_score(x, y) == pytest.approx(float(scoringrules.logs_ensemble(y, x, bw=np.array(width))), rel=1e-9)


def test_log_score_of_many_samples_is_that_of_their_law():
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for y in (0.0, 1.5):
        assert log_score(x, y) == pytest.approx(-stats.norm.logpdf(y), abs=0.02)
    assert log_score(np.full(9, 3.0), 3.0) is None


def test_pit_by_hand():
    assert pit(np.array([1.0, 2.0, 2.0, 4.0]), 2.0) == 0.5
    assert (pit(np.arange(4.0), -1.0), pit(np.arange(4.0), 9.0)) == (0.0, 1.0)


def test_last_value_and_drift_by_hand():
    """Doubling in eight quarters: a quarter on is 2^(1/8) more; of a year two quarters are known already."""
    values = [2.0 ** (q / 8) for q in range(12)]
    last = values[-1]
    assert extrapolated(values, [1]) == {"last value": last, "drift": pytest.approx(last * 2 ** (1 / 8))}
    year = extrapolated(values, [2, 1, 0, -1])
    assert year["last value"] == pytest.approx(3 * last + values[-2])
    assert year["drift"] == pytest.approx(last * (2 ** (2 / 8) + 2 ** (1 / 8) + 1) + values[-2])


def test_a_forecast_is_what_the_run_says():
    plan = small_plan()
    stamp = front.run(plan.book, paths=4096).stamp
    from offtake.fact_rows import catalog

    free = make(plan, "small", [M], how(), ([], catalog(), stamp))[0]
    figure = seen(plan, f"{M} = 112 M USD", rounding="none", discrepancy="5 M USD")
    told = make(plan, "small", [M], how(), ([figure], catalog(), stamp))[0]
    assert free.ends == "2026-03-31" and len(free.samples) == 512
    assert free.event is None and free.evidence == []
    assert np.mean(free.samples) == pytest.approx(100e6, rel=1e-3) and np.std(free.samples) == pytest.approx(10e6, rel=0.01)
    assert np.mean(told.samples) == pytest.approx(109.6e6, rel=2e-3)
    assert np.std(told.samples) == pytest.approx(math.sqrt(20) * 1e6, rel=0.02)
    assert told.evidence == [f"{M} = 112 M USD (10-Q, 2026-05-01)"]
    with pytest.raises(QuestionError, match="this book registers no signal"):
        make(plan, "small", [], how(), ([], catalog(), stamp))


def outcome(plan, text, day):
    return ("b", seen(plan, text, published=day))


def test_a_forecast_is_scored_by_what_was_printed_first_after_its_book():
    """Samples 1, 2, 3 against 2.5: CRPS = mean |x - y| - mean |x - x'| / 2 = 5/6 - 4/9; the last value was 2.0, off by 0.5."""
    plan = small_plan()
    mine = made(0, about=M, samples=[1.0, 2.0, 3.0], event={"threshold": 2.2, "above": 0.25})
    outcomes = [
        outcome(plan, f"{M} = 2.5 USD", date(2026, 4, 20)),
        outcome(plan, f"{M} = 9.5 USD", date(2026, 5, 20)),
        outcome(plan, f"{M} > 1.5 USD", date(2026, 4, 1)),
    ]
    found = score([mine, made(1)], outcomes)
    row = found["scored"][0]
    assert (found["forecasts"], found["pending"], len(found["scored"])) == (2, 1, 1)
    assert row["crps"] == pytest.approx((1.5 + 0.5 + 0.5) / 3 - (2 * 1 + 2 * 1 + 2 * 2) / 9 / 2)
    assert row["brier"] == 0.75**2 and row["pit"] == pytest.approx(2 / 3) and row["references"] == {"last value": 0.5}
    assert row["inside"] and row["kind"] == "forecast"
    late = made(0, about=M, made="2026-04-20T08:00:00+00:00")
    assert score([late], outcomes)["scored"][0]["kind"] == "hindcast"
    knew = made(0, about=M, as_of="2026-04-20")
    assert score([knew], outcomes[:1])["pending"] == 1


def test_a_figure_of_a_part_of_the_measure_is_scaled_to_the_whole():
    plan = small_plan()
    half = ("b", seen(plan, f"{M} = 1.25 USD", covers="50 %", published=date(2026, 4, 20)))
    assert score([made(0, about=M)], [half])["scored"][0]["came"] == pytest.approx(2.5)


def test_means_and_skill_over_six_periods():
    """Six months that came as forecast by half: coverage 3 of 6, skill against a last value that is off by 1 each time."""
    plan = small_plan()
    forecasts, outcomes = [], []
    for month in range(1, 7):
        about = f"revenue of companies.c @ 2026-{month:02d}"
        level = 2.0 if month % 2 else 9.0
        forecasts.append(made(0, about=about, ends=f"2026-{month:02d}-28", samples=[2.0] * 5, references={"last value": level + 1.0}))
        outcomes.append(outcome(plan, f"{about} = {level} USD", date(2026, 8, 1)))
    one = score(forecasts[:5], outcomes)["series"][0]
    assert one["verdict"] == "not scored: 5 distinct periods, 6 are needed" and "crps" not in one
    found = score(forecasts, outcomes)["series"][0]
    assert found["covered"] == 0.5 and found["crps"] == pytest.approx(3.5) and found["log_score"] is None
    assert found["skill"]["last value"] == pytest.approx(1 - 3.5 / 1.0)
    low, high = stats.binomtest(3, 6).proportion_ci(0.90, "wilson")
    assert (found["covered_low"], found["covered_high"]) == (pytest.approx(low), pytest.approx(high))


def test_what_others_say_is_a_reference_of_one_number():
    one = beside([made(0)], ["guidance=2.5 bn USD", "desk = 1 M USD"])[0]
    assert one.references == {"last value": 2.0, "guidance": 2.5e9, "desk": 1e6}
    with pytest.raises(QuestionError, match="what others say is of one number; 2 are recorded"):
        beside([made(0), made(1)], ["guidance=2.5 bn USD"])
    for text, said in (("guidance", "'guidance' is no reference"), ("g=5", "a number in USD says its unit")):
        with pytest.raises(QuestionError, match=said):
            beside([made(0)], [text])


def test_the_verbs_from_record_to_score(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = lambda *args: CliRunner().invoke(app, list(args))  # noqa: E731
    said = run("ledger", "record", "two-clouds", "revenue of companies.north @ 2026Q1", "--paths", "512")
    assert said.exit_code == 0 and "head " in said.stdout
    learn.observe("two-clouds", "revenue of companies.north @ 2026Q1 = 2.2 bn USD", "North, 10-Q, 2026-05-01")
    assert run("ledger", "verify").exit_code == 0
    told = json.loads(run("ledger", "score", "two-clouds", "--json").stdout)
    assert told["scored"][0]["about"] == "revenue of companies.north @ 2026Q1" and told["scored"][0]["came"] == 2.2e9
    assert run("ledger", "verify", "--head", "f" * 64).exit_code == 1
    assert "the hash that you kept is not in the chain" in run("ledger", "verify", "--head", "f" * 64).stdout
