"""Facts as known on a date, the rule that forecasts from them, and scores (T-02, A-09, E-05)."""

import json
import re
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

import offtake
from offtake import montecarlo
from offtake.book import text
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.evidence.scores import crps, wilson
from offtake.fact_rows import catalog
from offtake.facts import Fact, Facts
from offtake.plan import compile_book
from offtake.questions import question
from offtake.studies import backtest, history

AWS = "AMZN.aws_revenue"
DAYS = [date(2023, 12, 31), date(2024, 3, 31), date(2024, 6, 30)]


def series(values: list[float]) -> list[Fact]:
    """Quarters from 2019 on, each known a month after its end."""
    ends = [date(2019 + q // 4, 3 * (q % 4) + 3, 28) for q in range(len(values))]
    return [Fact("X", "y", end, v, "USD", "filed", end + timedelta(30), "X", "10-Q", "") for end, v in zip(ends, values)]


def test_a_fact_is_not_known_before_it_is_published() -> None:
    """Q2 2019 was derived from a document of 2020-10-30; Q1 2024 was 25.0 bn in the release and 25.037 bn in the filing a day later."""
    known, first_published = catalog().known, catalog().first_published
    assert date(2019, 6, 30) not in {f.period_end for f in known(AWS, date(2020, 10, 29))}
    assert date(2019, 6, 30) in {f.period_end for f in known(AWS, date(2020, 10, 30))}
    quarter = lambda rows: next(f.value for f in rows if f.period_end == date(2024, 3, 31))  # noqa: E731
    assert quarter(known(AWS, date(2024, 4, 30))) == 25.0e9
    assert quarter(known(AWS, date(2024, 5, 1))) == 25.037e9
    assert quarter(first_published(AWS, date(2025, 1, 1))) == 25.0e9


def test_every_fact_is_dated_after_its_quarter_and_before_the_first_book() -> None:
    for fact in catalog():
        assert fact.published <= date(2025, 11, 3) and fact.publisher and fact.document
        assert fact.period_end <= fact.published or re.search("guidance|target|projection", fact.metric)


def test_unbroken_takes_the_quarters_after_the_last_gap() -> None:
    rows = series([1.0] * 12)
    assert history.unbroken(rows[:4] + rows[5:]) == rows[5:]


def test_steady_growth_goes_on() -> None:
    """20 % a year without a wobble: the next quarters are the last one times 1.2^(h/4), and nobody is unsure."""
    rows = series([100e9 * 1.2 ** (q / 4) for q in range(12)])
    samples = backtest.model_samples("revenue", rows, date(2022, 2, 1), 256, 1)
    wanted = rows[-1].value * 1.2 ** (np.arange(1, 5) / 4)
    assert np.abs(np.median(samples, axis=1) / wanted - 1.0).max() < 2e-3
    assert (np.quantile(samples, 0.95, axis=1) / np.quantile(samples, 0.05, axis=1) < 1.001).all()


def test_a_stock_that_stands_still_goes_on() -> None:
    """Signings that replace the run-off: 200 bn stay 200 bn, within what young contracts run off later than old ones."""
    samples = backtest.model_samples("rpo", series([200e9] * 12), date(2022, 2, 1), 256, 1)
    assert np.abs(np.median(samples, axis=1) / 200e9 - 1.0).max() < 0.01


def test_growth_that_changed_is_uncertain_by_as_much() -> None:
    """Growth of 10 % and then of 30 % (in logs 0.1 and 0.3): the middle is the latest, the interval reaches the former."""
    logs = np.cumsum([0.025] * 8 + [0.075] * 4)
    samples = backtest.model_samples("revenue", series(list(1e9 * np.exp(logs))), date(2022, 2, 1), 4096, 1)
    year = np.log(samples[3] / (1e9 * np.exp(logs[-1])))
    assert np.median(year) == pytest.approx(0.3, abs=0.02)
    assert np.quantile(year, 0.02) < 0.15 and np.quantile(year, 0.98) > 0.40


@pytest.mark.parametrize("measure", ["revenue", "rpo"])
def test_many_paths_side_by_side_have_the_bits_of_64(measure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 paths: a whole chunk of 256 and a short one, in blocks of 256 and of 64; a run keeps the same values."""
    rows, day = series([100e9 * 1.2 ** (q / 4) for q in range(12)]), date(2022, 2, 1)
    wide = backtest.model_samples(measure, rows, day, 300, 1)
    monkeypatch.setattr(backtest, "CHUNK", 64)
    assert np.array_equal(wide, backtest.model_samples(measure, rows, day, 300, 1))
    kind, name = backtest.MEASURES[measure]
    plan = compile_book(text.read(json.dumps(history.book_text(kind, rows, backtest.AHEAD, day))), [])
    months = montecarlo.run(plan, [question(plan, name, "companies.c", "month")], 300, 1).tallies[0].kept.reshape(4, 3, -1)
    assert np.array_equal(wide, months.sum(axis=1) if kind == "flow" else months[:, 2])


def test_no_forecast_sees_what_came_later() -> None:
    """The same samples when everything published after the date is gone from the store."""
    book = offtake.load("openai-aws")
    day = date(2024, 6, 30)
    whole = next(s for s in backtest.back_test(book, [day], 128, 1) if s.series == AWS)
    cut = Facts(f for f in catalog() if f.published <= day)
    rows = history.unbroken(cut.quarters(AWS, day))
    assert np.array_equal(backtest.model_samples("revenue", rows, day, 128, 1)[0], whole.forecasts[0].model)


def test_below_six_quarters_there_is_no_score() -> None:
    book = offtake.load("openai-aws")
    rows = {s.series: s.row() for s in backtest.back_test(book, DAYS[:2], 64, 1)}
    assert rows[AWS]["quarters"] == 5 and rows[AWS]["crps"] is None and rows[AWS]["verdict"] == "not back-tested"
    more = {s.series: s.row() for s in backtest.back_test(book, DAYS, 64, 1)}
    assert more[AWS]["quarters"] == 6 and more[AWS]["crps"] > 0 and more[AWS]["naive_crps"] > 0


def test_the_first_book_starts_where_its_history_ends() -> None:
    """Two months of growth after the last filed quarter: AWS revenue of 33.0 bn, RPO of 200 bn, capex of 35.1 bn USD."""
    company = offtake.load("openai-aws").companies["amzn"]
    last = {measure: catalog().quarters(key, date(2025, 11, 3))[-1] for measure, key in company.history.items()}
    assert {fact.period_end for fact in last.values()} == {date(2025, 9, 30)}
    starts = {"revenue": company.segment.revenue.args["start"], "rpo": company.segment.rpo, "capex": company.capex.args["start"]}
    for measure, months in (("revenue", 3), ("rpo", 1), ("capex", 3)):
        assert last[measure].value / months == pytest.approx(starts[measure].median(), rel=0.06)


def test_refusals() -> None:
    with pytest.raises(QuestionError, match="names its series"):
        backtest.back_test(offtake.load("two-clouds"), DAYS, 64, 1)
    with pytest.raises(QuestionError, match="2025-11-03"):
        backtest.back_test(offtake.load("openai-aws"), [date(2025, 11, 3)], 64, 1)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40), st.floats(-1e3, 1e3))
def test_crps_over_all_pairs(values: list[float], observed: float) -> None:
    x = np.array(values)
    wanted = np.abs(x - observed).mean() - np.abs(x[:, None] - x[None, :]).mean() / 2.0
    assert crps(x, observed) == pytest.approx(wanted, abs=1e-9)


def test_crps_of_a_normal() -> None:
    """Closed form of a standard normal at y: y (2 F(y) - 1) + 2 f(y) - 1/sqrt(pi); Gneiting and Raftery, 2007."""
    x = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    wanted = 0.7 * (2 * stats.norm.cdf(0.7) - 1) + 2 * stats.norm.pdf(0.7) - 1 / np.sqrt(np.pi)
    assert crps(x, 0.7) == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(("hits", "count"), [(0, 6), (5, 8), (8, 8)])
def test_wilson(hits: int, count: int) -> None:
    assert wilson(hits, count) == pytest.approx(stats.binomtest(hits, count).proportion_ci(0.90, method="wilson"), abs=1e-12)


def test_commands() -> None:
    told = CliRunner().invoke(app, ["backtest", "openai-aws", "--paths", "64", "--json"])
    rows = json.loads(told.stdout)
    assert rows["ahead"] == 4 and len(rows["as_of"]) == 7
    assert {r["verdict"] for r in rows["rows"]} >= {"not back-tested"}
    said = CliRunner().invoke(app, ["backtest", "openai-aws", "--paths", "64"]).stdout
    assert "naive walk" in said and "not back-tested" in said
    assert "33 bn USD" in CliRunner().invoke(app, ["facts", "show", AWS]).stdout
    assert CliRunner().invoke(app, ["facts", "show", AWS, "--as-of", "soon"]).exit_code == 2
