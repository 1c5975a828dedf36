"""Reverse stress (V-09) against closed forms: one input, two inputs that add up, a scenario that does it alone."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import offtake
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.reports.stress import stress_text
from offtake.studies.stress import reverse_stress

BOOK = """
title: One company
as_of: 2025-11-03
start: 2026-01
months: 24
sources: {}
companies:
  north:
    name: North Cloud
    assumed: invented
    capex: {value: "normal(5, 1) M USD/month", clip: 0.1 to 20 M USD/month}
    segment: {name: Cloud, revenue: "normal(10, 1) M USD/month", margin: 30 %, rpo: "normal(100, 8) M USD", rpo_life: 600 months,
              signings: "normal(10, 0.5) M USD/month", rounding: 1 USD}
chips: {}
sites: {}
contracts: {}
workloads: {}
scenarios:
  slump: {title: Slump, probability: 10 %, assumed: invented, set: {companies.north.capex: 1.7 to 2.3 M USD/month}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> offtake.Run:
    file = tmp_path_factory.mktemp("stress") / "one.yaml"
    file.write_text(BOOK)
    return offtake.run(offtake.load(file), paths=8192)


def test_one_input(run: offtake.Run) -> None:
    """Revenue of a year above 12 x 12 M: two standard deviations, 2.3 % of paths, and the point stands on the level."""
    found = reverse_stress(run, "revenue of companies.north @ 2026 > 144 M USD")
    assert found["chance"] == pytest.approx(0.0228, abs=3 * found["se"])
    (only,) = found["inputs"]
    assert only["input"] == "companies.north.segment.revenue" and only["median"] == 10e6
    assert only["value"] == pytest.approx(12e6, rel=0.01) and only["quantile"] == pytest.approx(0.9772, abs=0.005)
    assert found["distance"] == pytest.approx(2.0, abs=0.05) and found["holds_when_set"] == 1.0
    assert found["nearest_value"] > 144e6 and only["on_nearest"] * 12 == pytest.approx(found["nearest_value"], rel=1e-6)


def test_two_inputs_share_by_their_weight(run: offtake.Run) -> None:
    """RPO at the year's end = 100 + 12 x 10 M with deviations 8 and 12 x 0.5 = 6, 10 together: 240 M lies 2 out, 8/10 and 6/10 of it
    on each; so 112.8 M of old and 10.6 M a month of new. Run-off over 1,200 months takes 1.6 M of the 240."""
    found = reverse_stress(run, "reported_rpo of companies.north @ 2026 > 238.4 M USD")
    values = {i["input"].rpartition(".")[2]: i["value"] for i in found["inputs"]}
    assert found["distance"] == pytest.approx(2.0, abs=0.1)
    assert values["rpo"] == pytest.approx(112.8e6, rel=0.02) and values["signings"] == pytest.approx(10.6e6, rel=0.02)


def test_a_scenario_alone(run: offtake.Run) -> None:
    """Capex below 2.5 M a month is a slump: nothing else need move. Above 7 M it is the base case, two deviations out."""
    found = reverse_stress(run, "capex of companies.north @ 2026 < 30 M USD")
    assert found["under"] == "slump" and found["distance"] == 0.0 and found["holds_when_set"] > 0.9
    assert {s["scenario"]: s["given"] for s in found["scenarios"]}["slump"] > 0.9
    low = reverse_stress(run, "capex of companies.north @ 2026 > 84 M USD")
    assert low["under"] == "base" and low["distance"] == pytest.approx(2.0, abs=0.1)


def test_too_rare(run: offtake.Run) -> None:
    found = reverse_stress(run, "revenue of companies.north @ 2026 > 200 M USD")
    assert "0 of 8,192 paths" in found["refused"] and "inputs" not in found
    most = run.outcome([offtake.questions.question(run.plan, "revenue", "companies.north")]).tallies[0].kept.max()
    assert found["nearest_value"] == most


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("revenue of companies.north @ 2026", "is no outcome"),
        ("revenue of companies.north > 5 M USD", "not one number a path"),
        ("p95(revenue of companies.north @ 2026) > 5 M USD", "asks of all paths at once"),
        ("revenue of companies.north @ 2026 > 5 months", "no level of revenue"),
        ("revenu of companies.north @ 2026 > 5 USD", "did you mean"),
        ("revenue of companies.north @ 2031 > 5 USD", "outside the horizon"),
    ],
)
def test_refusals(run: offtake.Run, text: str, said: str) -> None:
    with pytest.raises(QuestionError, match=said):
        reverse_stress(run, text)


def test_command(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(BOOK)
    asked = ["stress", str(file), "revenue of companies.north @ 2026 > 140 M USD", "--paths", "2048"]
    told = " ".join(CliRunner().invoke(app, asked).stdout.split())
    assert "standard deviations out together" in told and "nearest path" in told
    assert json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)["hits"] > 50


def test_a_choice_among_words_is_set_as_the_word(small: offtake.Run) -> None:
    """RPO hangs on `firm_on`: the way to little of it leads through `never`, which a book writes as a word, not as 3."""
    found = small.stress("rpo of contracts.north @ 2027-12 < 1 bn USD")
    chosen = next(i for i in found["inputs"] if i["input"] == "contracts.north.firm_on")
    assert chosen["median"] == "signing" and chosen["value"] == chosen["on_nearest"] == "never"
    assert found["holds_when_set"] >= 0.5 and found["nearest_value"] < 1e9
    assert "never" in stress_text(found, 100)
