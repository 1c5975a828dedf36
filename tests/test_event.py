"""The event study of a book: which day reacts, which days stay out, what is implied and what must be believed."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

import offtake
from offtake.book.terms import Book
from offtake.closes import read_closes
from offtake.errors import QuestionError
from offtake.studies.event import GAP, Wanted, study

from .closes import EVENT, trading_days, write_closes

NAMES = ["SPY", "AMZN", "OTHER"]
REPORTED = date(2025, 8, 1)  # the reaction to results of the evening before


@pytest.fixture(scope="module")
def book() -> Book:
    return offtake.load("openai-aws")


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    return write_closes(tmp_path / "closes.csv", NAMES, {("AMZN", EVENT): 0.04})


def test_the_study_is_a_market_model_without_the_name_and_without_earnings_days(book: Book, quiet: Path) -> None:
    """Everything again, in a few lines, from the file itself."""
    found = study(book, read_closes(quiet), Wanted())
    rows = [line.split(",") for line in quiet.read_text(encoding="utf-8").splitlines()[1:]]
    prices = np.array([[float(cell) for cell in row[1:]] for row in rows])
    moves = prices[1:] / prices[:-1] - 1
    held = book.market.benchmarks["SPY"].holds["amzn"].median()
    index, firm = (moves[:, 0] - held * moves[:, 1]) / (1 - held), moves[:, 1]
    window = np.arange(len(moves) - 1 - GAP - 120, len(moves) - 1 - GAP)
    window = window[[rows[w + 1][0] != str(REPORTED) for w in window]]
    slope, constant = np.polyfit(index[window], firm[window], 1)
    first = found["benchmarks"][0]
    assert first["days"] == len(window) == 119 and found["earnings_days_out"] == [str(REPORTED)]
    assert first["abnormal"] == pytest.approx(firm[-1] - constant - slope * index[-1], rel=1e-9)
    assert found["implied"]["value"] == pytest.approx(first["abnormal"] * prices[-2, 1] * 10_690_216_011, rel=1e-9)
    assert found["day"] == "2025-11-03" and found["day_before"] == "2025-10-31"


def test_a_jump_on_the_day_is_found_and_one_on_an_earnings_day_is_not_noise(book: Book, tmp_path: Path) -> None:
    quiet = study(book, read_closes(write_closes(tmp_path / "a.csv", NAMES, {("AMZN", EVENT): 0.05})), Wanted())
    loud = study(book, read_closes(write_closes(tmp_path / "b.csv", NAMES, {("AMZN", EVENT): 0.05, ("AMZN", REPORTED): -0.2})), Wanted())
    assert quiet["benchmarks"][0]["p_value"] < 0.05
    assert loud["benchmarks"][0]["residual"] == pytest.approx(quiet["benchmarks"][0]["residual"], rel=1e-9)
    none = study(book, read_closes(write_closes(tmp_path / "c.csv", NAMES, {})), Wanted())
    assert none["benchmarks"][0]["abnormal"] == pytest.approx(quiet["benchmarks"][0]["abnormal"] - 0.05, abs=2e-3)


def test_what_others_quoted_stands_apart(book: Book, quiet: Path) -> None:
    found = study(book, read_closes(quiet), Wanted())
    assert found["quoted"][0]["move"] == pytest.approx(0.058) and found["quoted"][0]["source"] == "article"
    assert "close to close" in found["note"] and "as quoted" in found["note"]
    assert len(found["news"]) == 3


def test_closes_after_the_day_of_knowledge_are_left_out(book: Book, tmp_path: Path) -> None:
    later = date(2025, 11, 28)
    jumps = {("AMZN", EVENT): 0.04, ("AMZN", later): 0.5}
    found = study(book, read_closes(write_closes(tmp_path / "later.csv", NAMES, jumps, 220, later)), Wanted())
    assert found["closes_left_out"] == sum(d > EVENT for d in trading_days(220, later)) == 19


def test_an_evenings_news_moves_the_next_trading_day(book: Book, quiet: Path) -> None:
    evening = study(book, read_closes(quiet), Wanted("2025-10-15", "amzn"))
    assert evening["day"] == "2025-10-15"
    with pytest.raises(QuestionError, match="no event of this book lies on 2025-10-15; say whose it is"):
        study(book, read_closes(quiet), Wanted("2025-10-15"))


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted("deal-day"), "'deal-day' is neither a date nor an event of this book (announcement)"),
        (Wanted(benchmark="QQQ"), "the closes hold no 'QQQ'; they hold SPY, AMZN, OTHER"),
        (Wanted(benchmark="AMZN"), "the benchmark is the firm itself, AMZN"),
        (Wanted("2025-11-03", "openai"), "companies.openai states no `ticker`"),
        (Wanted("2025-11-03", "ibm"), "no company is called 'ibm'"),
        (Wanted("2024-12-02", "amzn"), "the closes hold no close before and after 2024-12-02"),
        (Wanted("2025-03-03", "amzn"), "days of both AMZN and SPY before the event; an estimation needs 30"),
    ],
)
def test_studies_that_cannot_be_made(book: Book, quiet: Path, wanted: Wanted, sentence: str) -> None:
    with pytest.raises(QuestionError) as caught:
        study(book, read_closes(quiet), wanted)
    assert sentence in str(caught.value)


def test_what_must_be_believed(first: offtake.Run, quiet: Path) -> None:
    first.read_closes(quiet)
    found = first.event()
    against, worth = found["against"], found["worth"]
    needed = {x["what"]: x for x in against["believe"]}
    assert against["gap"] == pytest.approx(against["implied"]["value"] - worth["npv_after_tax"]["mean"], rel=1e-9)
    margin = needed["cash margin on what the customer pays"]
    assert margin["needed"] * worth["collected_value"]["mean"] == pytest.approx(against["implied"]["value"], rel=1e-9)
    assert margin["possible"] == (margin["needed"] <= 1)
    assert 0 <= against["share_of_paths_at_least_implied"] <= against["share_of_paths_at_least_low"] <= 1


def test_without_closes_the_answer_names_what_is_missing(small: offtake.Run) -> None:
    told = small.answers()["answers"][8]
    assert told["text"].startswith("not computed: this book declares no `events:`")
    assert "NPV after tax" in told["text"] and told["values"]["worth"]["npv_after_tax"]["mean"] is not None
