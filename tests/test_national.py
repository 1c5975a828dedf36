"""The national view (S-06) and P(renegotiation) by year (V-04): by hand, and what holds of any book."""

from typing import Any

import numpy as np
import pytest

import offtake
from offtake import montecarlo
from offtake.questions import question
from offtake.stages import RUNS, THRESHOLDS
from offtake.studies import national, panels
from offtake.studies.found import Asked

from .deals import block_of
from .test_exposure import BROKE, DEAL, WORK

STEPS = [
    {"mw": "10 MW", "basis": "it", "month": "2026-01", "slip": "0 months"},
    {"mw": "5 MW", "basis": "utility", "month": "2026-07", "slip": "3 months"},
    {"mw": "2 MW", "basis": "facility", "month": "2027-03", "slip": "0.5 months"},
]


def national_mw(block: Any, measure: str) -> np.ndarray:
    return question(block.plan, measure, "national", "month").read(block)[:, 0]


def test_power_by_hand() -> None:
    """IT MW x 1.2, MW at the grid less 10 %, MW at the facility; a quarter of the site is on the US grid."""
    block = block_of(DEAL, WORK, {"sites": {"hall": {"power": STEPS, "losses": "10 %", "us_share": "0.25"}}})
    scheduled, energised = national_mw(block, "scheduled"), national_mw(block, "energised")
    first, second, third = 0.25 * 12.0, 0.25 * 4.5, 0.25 * 2.0
    assert scheduled == pytest.approx([first] * 6 + [first + second] * 8 + [first + second + third] * 10)
    assert energised == pytest.approx(
        [first] * 9 + [first + second] * 5 + [first + second + 0.5 * third] + [first + second + third] * 9
    )  # half of the slipped month is left
    at_site = question(block.plan, "energised", "sites.hall", "month").read(block)[:, 0]
    assert at_site == pytest.approx(4.0 * energised)


def test_energised_never_exceeds_the_schedule(small: offtake.Run) -> None:
    asked = [question(small.plan, m, "national", "month") for m in ("scheduled", "energised")]
    scheduled, energised = (t.kept for t in montecarlo.run(small.plan, asked, 256, 1).tallies)
    assert np.all(energised <= scheduled + 1e-9) and np.any(energised < scheduled - 1.0)
    assert np.array_equal(energised[0], scheduled[0])  # what powers the first chips is there


def test_data_centres_on_record() -> None:
    """176 TWh in 2023, 325 to 580 in 2028; three fifths of the way in 2026."""
    assert national.data_centres(2023) == (176.0, 176.0) and national.data_centres(2028) == (325.0, 580.0)
    assert national.data_centres(2026) == pytest.approx((265.4, 418.4))
    assert national.data_centres(2029) is None and national.data_centres(2022) is None


def test_commitments_in_gw_take_the_overlap_out(first: offtake.Run) -> None:
    """Oracle 4.5, AMD 6, Broadcom 10; NVIDIA's 10 and Stargate's 7 lie inside others."""
    assert national.committed(first.plan) == pytest.approx({"outside": 20.5, "with_overlap": 37.5})


def test_the_rows_of_the_first_book(first: offtake.Run) -> None:
    rows = {r["period"]: r for r in national.by_year(Asked(first))}
    assert rows["2025"]["data_centres"] is None and rows["2033"]["data_centres"] is None
    of_2030 = rows["2030"]
    assert of_2030["load"]["mean"] / 4184e6 == pytest.approx(of_2030["share_of_generation"]["mean"], rel=1e-9)
    assert of_2030["energised"]["mean"] / (4184e6 / 8766.0) == pytest.approx(of_2030["share_of_mean_generation"], rel=1e-9)
    text = first.answers()["answers"][7]["text"]
    assert "325 to 580 TWh of all US data centres in 2028" in text and "commitments name 20.5 GW" in text


def test_passage_by_month_by_hand() -> None:
    """Coverage is 0 from the first month on: six months in a row are full in the sixth, twelve in the twelfth."""
    block = block_of(DEAL, WORK, {"companies": {"buyer": {"customer": {**BROKE, "users": "0 users"}}}})
    rows = question(block.plan, "passage", "companies.buyer", "month").read(block)[:, 0]
    found = rows.reshape(24, len(THRESHOLDS), len(RUNS))
    for run, months in enumerate(RUNS):
        assert np.array_equal(found[:, 3, run], (np.arange(24) >= months - 1).astype(float))


def test_passage_grows_with_year_and_threshold_and_falls_with_the_run(first: offtake.Run) -> None:
    tally, total = first.findings.tallies["surface by year"], first.findings.tallies["surface"]
    found = tally.mean.reshape(-1, len(THRESHOLDS), len(RUNS))
    assert np.all(np.diff(found, axis=0) >= 0.0) and np.all(np.diff(found, axis=1) >= 0.0) and np.all(np.diff(found, axis=2) <= 0.0)
    assert np.array_equal(found[-1].ravel(), total.mean)


@pytest.mark.parametrize(
    ("column", "row"), [([0.0, 0.05, 0.15, 0.3], 1.5), ([0.2, 0.3], -0.5), ([0.0, 0.01], 1.5), ([0.0, 0.10, 0.5], 1.0), ([0.1], -0.5)]
)
def test_where_a_column_reaches_a_tenth(column: list[float], row: float) -> None:
    assert panels.crossing(column) == pytest.approx(row)


def test_the_panels_show_what_the_answers_say(first: offtake.Run) -> None:
    a, told = Asked(first), first.answers()
    charts, tables = panels.concentration(a, told)
    assert charts[0]["periods"] == ["Amazon", "Microsoft", "Oracle", "CoreWeave", "all together"]
    by_title = {t["title"]: t for t in tables}
    late = next(t for title, t in by_title.items() if title.startswith("One provider late"))
    for row in late["rows"]:
        assert row[1] < row[2] < row[3], row[0]  # 3, 6, 12 months
    assert late["rows"][-1][2] == pytest.approx(charts[0]["bands"][0]["mean"][-1])
    for table in [*tables, *panels.grid(a)[1]]:
        assert all(len(row) == len(table["columns"]) == len(table["units"]) for row in table["rows"])


def test_self_funded_is_absent_without_equity_and_that_of_the_measure_with_it(first: offtake.Run, small: offtake.Run) -> None:
    assert panels.self_funded(Asked(first), "msft") is None
    measured = small.table("self_funded_share", "contracts.south", "total").rows()[0]["mean"]
    assert panels.self_funded(Asked(small), "south") == pytest.approx(measured, rel=1e-12) and measured > 0.0
