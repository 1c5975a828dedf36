"""Calibration of the back-test (E-05): fifths and bands by hand and by scipy, weak points, the picture in docs and report."""

import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import offtake
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.evidence.scores import wilson
from offtake.facts import Fact
from offtake.reports import calibration as picture
from offtake.studies.backtest import Forecast, Scores
from offtake.studies.calibration import band, fifths, of_series, table, together, weak_points

PICTURE = Path(__file__).parents[1] / "docs" / "calibration.svg"
NORMAL = stats.norm.ppf((np.arange(999) + 0.5) / 999)


def made(came: list[float], spread: float = 1.0, each: int = 1) -> Scores:
    """A series whose forecasts are normal(0, spread); `each` forecasts of a quarter, all of which see the same figure."""
    forecasts = []
    for q, value in enumerate(came):
        end = date(2020 + q // 4, 3 * (q % 4) + 3, 28)
        fact = Fact("X", "y", end, value, "USD", "filed", end, "X", "10-Q", "")
        forecasts += [Forecast("X.y", end, 1, fact, spread * NORMAL, spread * NORMAL, {"last value": 0.0, "drift": 0.0})] * each
    return Scores("x", "revenue", "X.y", 0, forecasts)


def at(*places: float) -> list[float]:
    return [float(stats.norm.ppf(p)) for p in places]


def test_fifths_by_hand() -> None:
    assert fifths([0.0, 0.1, 0.3, 0.99, 1.0]) == [0.4, 0.2, 0.0, 0.0, 0.4]


@pytest.mark.parametrize("trials", [6, 8, 38, 200])
def test_the_band_is_the_binomials(trials: int) -> None:
    assert band(trials) == tuple(stats.binom.ppf([0.05, 0.95], trials, 0.2) / trials)


def test_a_series_that_is_right_has_no_weak_point_but_its_skill() -> None:
    """Eight quarters spread as the forecast says, against a walk that says the same: half of them inside the half."""
    told = of_series(made(at(0.06, 0.19, 0.31, 0.44, 0.56, 0.69, 0.81, 0.94)))
    assert told is not None and told["fifths"] == [0.25, 0.125, 0.25, 0.125, 0.25]
    held = {c["level"]: c["held"] for c in told["coverage"]}
    assert held == {0.5: 0.5, 0.8: 0.75, 0.9: 1.0}
    assert told["weak"] == ["no better than a naive walk (skill 0 %)"] and told["mean_pit"] == pytest.approx(0.5, abs=1e-3)


def test_trials_are_quarters_and_not_forecasts() -> None:
    """The same eight surprises, each seen by four forecasts: intervals and bands stay those of eight."""
    places = at(0.06, 0.19, 0.31, 0.44, 0.56, 0.69, 0.81, 0.94)
    one, four = of_series(made(places)), of_series(made(places, each=4))
    assert one is not None and four is not None
    assert four["forecasts"] == 32 and four["quarters"] == 8
    assert four["coverage"] == one["coverage"] and four["band"] == one["band"]
    assert one["coverage"][0] == {"level": 0.5, "held": 0.5} | dict(zip(("low", "high"), wilson(4, 8)))


def test_weak_points_are_named() -> None:
    """Too narrow by a factor of four; too low by 1.5 deviations; too wide by a factor of ten."""
    narrow, low, wide = (of_series(made(list(came), spread)) for came, spread in (
        (at(0.05, 0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 0.95), 0.25), (np.array(at(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)) + 1.5, 1.0),
        (at(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9), 10.0)))  # fmt: skip
    assert narrow is not None and low is not None and wide is not None
    assert narrow["weak"][0] == "the 50 % interval held 0 %: too narrow"
    assert any(re.fullmatch(r"what came lay above the middle \(mean PIT 0\.8\d\): forecasts too low", said) for said in low["weak"])
    assert any("in the highest fifth" in said for said in low["weak"])
    assert wide["weak"][:2] == ["the 50 % interval held 100 %: too wide", "100 % of what came in the middle fifth"]
    assert weak_points(narrow | {"coverage": [], "fifths": [0.2] * 5}, 0.1) == []


def test_few_quarters_are_not_calibrated_and_series_add_up() -> None:
    few, whole = made(at(0.1, 0.3, 0.5, 0.7, 0.9)), made(at(0.06, 0.19, 0.31, 0.44, 0.56, 0.94), each=2)
    assert of_series(few) is None and together([]) is None
    told = table([few, whole, whole], [date(2020, 1, 1)]).about
    assert len(told["calibration"]) == 2 and told["together"]["quarters"] == 12 and told["together"]["forecasts"] == 24
    with pytest.raises(QuestionError, match="there is nothing to draw"):
        picture.picture({"calibration": [], "together": None})


def numbers(text: str) -> tuple[str, list[float]]:
    """A text without its numbers, and the numbers."""
    return re.sub(r"-?\d+\.?\d*", "#", text), [float(n) for n in re.findall(r"-?\d+\.?\d*", text)]


def test_the_picture_in_the_docs_is_what_the_command_draws(tmp_path: Path) -> None:
    """To a fifth of a pixel, which another machine's logarithms may move."""
    told = CliRunner().invoke(app, ["backtest", "openai-aws", "--out", str(tmp_path / "c.svg"), "--json"])
    drawn, there = numbers((tmp_path / "c.svg").read_text("utf-8")), numbers(PICTURE.read_text("utf-8"))
    assert drawn[0] == there[0] and drawn[1] == pytest.approx(there[1], abs=0.2)
    about = json.loads(told.stdout)
    assert len(about["calibration"]) == sum(row["crps"] is not None for row in about["rows"]) == about["together"]["series"]
    for one in about["calibration"]:
        row = next(r for r in about["rows"] if r["series"] == one["series"] and r["measure"] == one["measure"])
        assert (row["covered"], row["covered_low"], row["covered_high"]) == tuple(one["coverage"][2][k] for k in ("held", "low", "high"))
    wrong = CliRunner().invoke(app, ["backtest", "openai-aws", "--out", "c.png"])
    assert isinstance(wrong.exception, QuestionError) and "ends in .svg" in str(wrong.exception)


def test_the_terminal_and_the_report_say_the_same(tmp_path: Path) -> None:
    run = offtake.run(offtake.load("openai-aws"), paths=64)
    run.report(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="calibration">') :].split("</section>")[0]
    assert "PIT histogram of past forecasts" in section and "Observed against nominal coverage" in section
    told = offtake.front.back_test(run.plan.book, offtake.front.past_quarters(run.plan.book), 64, 1).about
    said = CliRunner().invoke(app, ["backtest", "openai-aws", "--paths", "64"]).stdout
    for one in told["calibration"]:
        for weak in one["weak"]:
            assert weak in section and weak in " ".join(said.split())
    assert "Nothing was widened" in section
