"""The report's contract pages: their rows are the measures, their terms the book's."""

from __future__ import annotations

import pytest

import offtake
from offtake.studies import deal_panels
from offtake.studies.found import Asked


@pytest.fixture(scope="module")
def pages(small: offtake.Run):
    return deal_panels.pages(Asked(small))


def test_one_page_a_contract_with_a_unit_for_every_number(pages, small):
    assert [p["title"] for p in pages] == ["The Lab and North Cloud", "The Lab and South Cloud"]
    for p in pages:
        assert len(p["columns"]) == len(p["units"]) and all(len(r) == len(p["columns"]) for r in p["rows"])
        assert [u for u in p["units"][1:]] == ["USD"] * 7 + ["share"]


def test_rows_are_what_measure_says(pages, small):
    for p, name in zip(pages, ("north", "south")):
        for column, measure in ((1, "revenue"), (2, "straight_line"), (4, "billed"), (7, "rpo")):
            told = small.table(measure, of=f"contracts.{name}", by="fiscal-year").rows()
            assert [r[0] for r in p["rows"]] == [t["period"] for t in told]
            assert [r[column] for r in p["rows"]] == pytest.approx([t["mean"] for t in told], rel=1e-12)


def test_the_difference_is_of_the_two_beside_it_and_shares_lie_between_0_and_1(pages):
    rows = [r for p in pages for r in p["rows"]]
    assert any(abs(r[3]) > 1e6 for r in rows)
    assert all(r[3] == pytest.approx(r[1] - r[2], abs=1.0) for r in rows)
    assert all(r[8] is None or 0.0 <= r[8] <= 1.0 for r in rows)


def test_terms_are_said_as_the_book_writes_them(pages):
    north, south = (p["note"] for p in pages)
    assert north.startswith("take or pay; total 4.2 bn USD; term 42 months; price implied; take or pay 90 %; true-up by year; ramp on")
    assert "prepaid 200 M USD" in north and "when late extend, after 0 months" in north
    assert south.startswith("reserved; total 1.6 bn USD; term 36 months; price 2.4 USD/GPU-h") and "when late" not in south
