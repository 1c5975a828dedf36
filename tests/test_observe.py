"""What a sentence says (E-02): relation, rounding by its digits, discrepancy, definition; and the store that keeps it."""

from datetime import date

import pytest

from offtake import front
from offtake.errors import QuestionError, StoreError
from offtake.evidence.observations import evidence, from_row, record, recorded, withdraw
from offtake.front import learn
from offtake.studies.observe import source
from tests.learned import seen, small_plan


@pytest.fixture(scope="module")
def plan():
    return small_plan()


M = "revenue of companies.c @ 2026-03"


@pytest.mark.parametrize(
    ("text", "relation", "low", "high"),
    [
        (f"{M} = 100 M USD", "=", 99.5e6, 100.5e6),
        (f"{M} = 100.3 M USD", "=", 100.25e6, 100.35e6),
        (f"{M} = 1,200 M USD", "=", 1199.5e6, 1200.5e6),
        (f"{M} = 0.1 bn USD", "=", 50e6, 150e6),
        (f"{M} = 1.02e2 M USD", "=", 101.5e6, 102.5e6),
        (f"{M} ~ 100 M USD", "~", 99.5e6, 100.5e6),
        (f"{M} = about 100 M USD", "~", 99.5e6, 100.5e6),
        (f"{M} > 100 M USD", ">", 100e6, None),
        (f"{M} = more than 100 M USD", ">", 100e6, None),
        (f"{M} < 100 M USD", "<", None, 100e6),
        (f"{M} = 90 to 110 M USD", "in", 90e6, 110e6),
        (f"{M} = between 0.09 and 0.11 bn USD", "in", 90e6, 110e6),
        ("margin of companies.c @ 2026 = 34.6 %", "=", 0.3455, 0.3465),
        ("margin of companies.c @ 2026 = 7 of 10", "of", 7.0, 10.0),
        ("reported_rpo of companies.c @ 2026Q1 = 1亿美元", "=", 0.5e8, 1.5e8),
    ],
)
def test_what_a_figure_covers(plan, text, relation, low, high):
    found = seen(plan, text)
    assert found.relation == relation
    assert (found.low, found.high) == (pytest.approx(low) if low else None, pytest.approx(high) if high else None)


def test_discrepancy_is_stated_or_says_that_it_is_not(plan):
    assert seen(plan, f"{M} = 100 M USD").discrepancy == pytest.approx(2e6)
    assert seen(plan, f"{M} = 100 M USD").because.startswith("not stated: the tool's own 2 % of the figure")
    stated = seen(plan, f"{M} = 100 M USD", discrepancy="5 M USD", because="another scope")
    assert (stated.discrepancy, stated.because) == (pytest.approx(5e6), "another scope")
    assert seen(plan, f"{M} = 100 M USD", discrepancy="none").discrepancy == 0.0
    assert seen(plan, "margin of companies.c @ 2026 = 30 %", discrepancy="200 bp").discrepancy == pytest.approx(0.02)
    assert seen(plan, "margin of companies.c @ 2026 = 30 %", discrepancy="2 %").discrepancy == pytest.approx(0.006)


def test_rounding_spread_and_definition_are_the_users(plan):
    assert seen(plan, f"{M} = 100 M USD", rounding="10 M USD").high == pytest.approx(105e6)
    exact = seen(plan, f"{M} = 100 M USD", rounding="none")
    assert exact.low == exact.high == pytest.approx(100e6)
    assert seen(plan, f"{M} ~ 100 M USD").spread == pytest.approx(5e6)
    assert seen(plan, f"{M} ~ 100 M USD", spread="8 M USD").spread == pytest.approx(8e6)
    half = seen(plan, f"{M} = 90 M USD", covers="85 % to 95 %", definition="without the small regions")
    assert half.covers == pytest.approx((0.85 * 0.95) ** 0.5) and half.covers_spread == pytest.approx(0.0338, abs=1e-3)


@pytest.mark.parametrize(
    ("text", "told", "said"),
    [
        ("revenue is high", {}, "'revenue is high' is no observation; write it as 'MEASURE of ENTITY @ PERIOD = 200 bn USD'; ~ is "
         "approximately, > more than, < less than, '= 190 to 210 bn USD' between"),
        (f"{M} = 100", {}, "'100': a number in USD says its unit (N-01); write the unit, as in `38 bn USD`"),
        (f"{M} = 100 GW", {}, "'100 GW': a number in USD; 'GW' measures something else (N-01); write it as in `38 bn USD`"),
        ("revenu of companies.c @ 2026 = 1 USD", {}, "no measure is called 'revenu'; did you mean revenue?"),
        ("p95(revenue of companies.c @ 2026) = 1 USD", {}, "'p95(revenue of companies.c @ 2026)' asks of all paths at once; write it as "
         "'MEASURE of ENTITY @ PERIOD = 200 bn USD', without p95(..)"),
        ("revenue of companies.c @ 2025 = 1 USD", {}, "'2025' is outside the horizon of this book: 2026 to 2026"),
        (f"{M} > about 100 M USD", {}, "'> about 100 M USD' says two things; write one of =, ~, > and <"),
        (f"{M} = 110 to 90 M USD", {}, "'110 to 90 M USD' is no interval: write the lower end first"),
        (f"{M} = 7 of 10", {}, "'7 of 10' is no count of a share: revenue of companies.c @ 2026-03 is in USD; write `7 of 10` of a measure "
         "in shares"),
        (f"{M} = 100 M USD", {"discrepancy": "-1 M USD"}, "--discrepancy '-1 M USD' is no size; write `2 %` of the figure, or an amount "
         "as in `5 bn USD`"),
        (f"{M} = 100 M USD", {"covers": "0 %"}, "--covers '0 %' is no share above zero; write `90 %`, or `85 % to 95 %`"),
    ],
)  # fmt: skip
def test_what_is_no_observation_is_said_in_a_sentence(plan, text, told, said):
    with pytest.raises(QuestionError) as caught:
        seen(plan, text, **told)
    assert str(caught.value) == said


def test_a_period_that_the_horizon_cuts_is_no_figure_of_a_whole_one():
    """Two months of 2027 are no year's revenue; RPO at the end of the first year is whole though the book begins in its middle."""
    plan = small_plan(months=14, start="2026-06")
    with pytest.raises(QuestionError, match="the book's horizon holds 7 months of 2027"):
        seen(plan, "revenue of companies.c @ 2027 = 1 bn USD")
    with pytest.raises(QuestionError, match="holds 7 months of 2026"):
        seen(plan, "revenue of companies.c @ 2026 = 1 bn USD")
    assert seen(plan, "reported_rpo of companies.c @ 2026 = 1 bn USD").low == pytest.approx(0.5e9)
    with pytest.raises(QuestionError, match="holds 7 months of 2027"):
        seen(plan, "reported_rpo of companies.c @ 2027 = 1 bn USD")


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("revenue of companies.c @ FY2026Q1", "revenue of companies.c @ 2026Q1"),
        ("revenue of companies.c @ FY2026", "revenue of companies.c @ 2026"),
        ("revenue of companies.c @ 2026-03", "revenue of companies.c @ 2026-03"),
        ("reported_rpo of companies.c @ FY2026", "reported_rpo of companies.c @ 2026Q4"),
        ("reported_rpo of companies.c @ 2026-12", "reported_rpo of companies.c @ 2026Q4"),
        ("reported_rpo of companies.c @ 2026-11", "reported_rpo of companies.c @ 2026-11"),
    ],
)
def test_a_number_has_one_address_however_it_is_written(plan, written, one):
    assert seen(plan, f"{written} = 1.0 bn USD").about == one


def test_a_fiscal_year_of_its_own_keeps_its_periods():
    plan = front.compile(front.load("two-clouds"))  # companies.south closes its books in June
    assert seen(plan, "revenue of contracts.south @ FY2027 = 1 bn USD").about == "revenue of contracts.south @ FY2027"
    assert seen(plan, "revenue of contracts.south @ FY2027Q1 = 1 bn USD").about == "revenue of contracts.south @ 2026Q3"


def test_a_source_has_a_day_that_has_been():
    assert source("Cloud, Inc., 10-Q, second page, 2026-05-01") == ("Cloud", "Inc., 10-Q, second page", date(2026, 5, 1))
    for text, said in (
        ("Cloud", "'Cloud' is no source; name the source as"),
        ("Cloud, 10-Q, May", "'May' is no day; name the source as"),
        ("Cloud, 10-Q, 9999-01-01", "9999-01-01 is not yet there: nothing published on it can have been observed"),
    ):
        with pytest.raises(QuestionError, match=said):
            source(text)


def test_a_store_gives_back_what_it_got(plan, tmp_path):
    found = seen(plan, f"{M} = 100.3 M USD", covers="85 % to 95 %", definition="d")
    number = record(tmp_path / "s.db", "small", found)
    rows = recorded(tmp_path / "s.db", "small")
    back = from_row(rows[0])
    assert back.id == number and back.to_dict() | {"id": None} == found.to_dict()
    assert recorded(tmp_path / "s.db", "other") == [] and recorded(tmp_path / "none.db", "small") == []


def test_the_same_figure_twice_counts_once_and_what_is_withdrawn_stays(plan, tmp_path):
    store, found = tmp_path / "s.db", seen(plan, f"{M} = 100 M USD")
    record(store, "small", found)
    with pytest.raises(QuestionError, match="this figure of this document is observation 1 already; nothing was added"):
        record(store, "small", found)
    withdraw(store, "small", 1, "a typing error")
    assert recorded(store, "small")[0]["withdrawn"] == "a typing error"
    with pytest.raises(QuestionError, match="observation 1 is withdrawn already"):
        withdraw(store, "small", 1, "again")
    with pytest.raises(QuestionError, match="the store has no observation 7 of small"):
        withdraw(store, "small", 7, "no such")
    with pytest.raises(StoreError, match="there is no such store"):
        withdraw(tmp_path / "none.db", "small", 1, "no store")


def test_a_later_document_takes_the_place_of_an_earlier_one(plan):
    first = seen(plan, f"{M} ~ 100 M USD", published=date(2026, 4, 1))
    filed = seen(plan, f"{M} = 104 M USD", published=date(2026, 5, 1))
    both = seen(plan, f"{M} > 90 M USD", published=date(2026, 5, 1))
    assert evidence([both, filed, first], None) == ([filed, both], [first])
    assert evidence([filed, first], date(2026, 4, 30)) == ([first], [])


def test_the_front_door(tmp_path):
    store, book = tmp_path / "s.db", "two-clouds"
    found = learn.observe(book, "revenue of companies.north @ 2026Q1 = 2.4 bn USD", "North, 10-Q, 2026-05-01", store)
    assert found["id"] == 1 and not found["known_to_the_book"]
    early = learn.observe(book, "revenue of companies.north @ 2026Q1 ~ 2 bn USD", "North, guidance, 2025-10-01", store)
    assert early["known_to_the_book"]
    assert [o["about"] for o in learn.observed(book, store)] == ["revenue of companies.north @ 2026Q1"] * 2
