"""Inputs in words, what answers say of them (V-10), and answer 5's sums against a reader's own arithmetic."""

import numpy as np
import pytest

import offtake
from offtake.studies.found import Asked
from offtake.studies.inputs import belief, choices, in_words, meaning
from offtake.studies.rests import means_by_word
from offtake.studies.solvency import paid, quoted

ASKED = "customer revenue"


@pytest.mark.parametrize("book", ["openai-aws", "gpu-cloud", "two-clouds", "small-lab"])
def test_every_uncertain_input_has_a_meaning(book):
    """No reader meets a bare address: the data dictionary tells what each drawn number is."""
    names = offtake.run(offtake.load(book), paths=64).plan.inputs.names
    assert [n for n in names if not meaning(n)] == []


def test_words_by_hand(first):
    book = first.plan.book
    assert in_words("sites.aws-ultra.lots.2.gpus") == "sites.aws-ultra.lots.2.gpus (GPUs of the delivery)"
    assert meaning("companies.openai.customer.users.growth.yearly") == "people who use its products, yearly growth"
    assert meaning("companies.openai.customer.paying.points.2027-11") == "part of them that pays, 2027-11"
    assert belief(book, "sites.aws-ultra.lots.1.slip").startswith("0.3 to 5 months for sites.aws-ultra.lots.1.slip (months")
    chances = "base 40 %, agentic 20 %, power-shortage 20 %, ai-disappoints 20 %"
    assert belief(book, "scenario") == f"the chances of the scenarios ({chances})"
    assert choices(book, "contracts.aws.firm_on") == [("signing", 0.5), ("order", 0.25), ("tranche", 0.15), ("never", 0.1)]
    assert choices(book, "contracts.aws.take_or_pay") == []


def test_means_by_scenario_are_those_of_the_paths_that_drew_it(first):
    """Against the tallies that count each path under its own scenario as the kernel drew it."""
    f, year = first.findings, str(first.plan.start // 12 + 2)
    found = means_by_word(f, (ASKED, f.row(ASKED, year)), "scenario")
    for name, mean in found.items():
        key = f"scenario {name} customer revenue {year}"
        assert mean == pytest.approx(float(f.tallies[key].mean[f.row(key, year)]), rel=1e-12), name
    assert set(found) == {"base", "agentic", "power-shortage", "ai-disappoints"}


def test_what_must_hold_splits_the_paths_by_what_is_left_unpaid(first):
    a = Asked(first)
    sides = paid(a, "2028", "2027")
    table = [first.table("funding_gap", "companies.openai", "calendar-year", path=p).rows() for p in range(8)]
    unpaid = [next(r["value"] for r in rows if r["period"] == "2028") > 1e6 for rows in table]
    kept = a.f.tallies["customer funding_gap"].kept[a.f.row("customer funding_gap", "2028")]
    assert list(kept[:8] > 1e6) == unpaid
    assert sides["paid"]["paths"] + sides["unpaid"]["paths"] == first.stamp.paths
    revenue = a.f.tallies[ASKED].kept[a.f.row(ASKED, "2027")]
    assert sides["paid"]["p50"] == pytest.approx(np.median(revenue[kept <= 1e6]))
    assert sides["paid"]["p50"] > sides["unpaid"]["p50"]


def test_quoted_sums_are_reconciled(first):
    """1.4 tn on record and 1.5 tn in the article against the book's sum without overlap (C-11)."""
    rows = quoted(Asked(first))
    own = sum(r["value"] for r in first.answers()["answers"][4]["values"]["rows"] if r["value"] is not None and not r["inside"])
    assert [(r["value"], r["difference"]) for r in rows] == [(1.4e12, 1.4e12 - own), (1.5e12, 1.5e12 - own)]


def test_answers_name_inputs_in_words(first):
    for answer in first.answers()["answers"]:
        assert "if you believe scenario" not in answer["text"] and "scenario's" not in answer["text"]
        assert all(r["means"] for r in answer["rests_on"])
    claims = first.answers()["answers"][12]["values"]["claims"]
    assert {c["claim"] for c in claims if c["model"]} == {n for n, c in first.plan.book.claims.items() if c.measure}
