"""Comparison (U-06): parts that add up, a change worked by hand, paired errors, and what is refused."""

import json
import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import offtake
from offtake import front, montecarlo
from offtake.book import text
from offtake.cli import app
from offtake.errors import BookError, QuestionError
from offtake.questions import question
from offtake.reports.comparison import comparison_text
from offtake.studies.compare import groups, on_grid
from offtake.studies.sides import Between, Change, Side
from tests.deals import BASE, merged

DEAL: dict[str, Any] = {
    "form": "reserved", "total": "1 bn USD", "starts": "2026-01", "term": "24 months", "price": "2 USD/GPU-h", "true_up": "month",
    "ramp": "readiness", "at_end": "lapse", "recognition": "reserved",
}  # fmt: skip
LOT = {"chip": "chip", "month": "2026-01", "over": "1 month", "slip": "0 months", "acceptance": "0 months", "running": "true"}


def hall(deal: dict[str, Any], gpus: str = "100 GPU", **rest: Any) -> Side:
    """One contract on one site, from the book of tests/cases/contracts."""
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    work = {"workloads": {"work": {"gpu_hours": "100 k GPU-h/month"}}}
    sites = {"sites": {"hall": {"lots": [{**LOT, "gpus": gpus}]}}}
    book = merged(merged(base, {"contracts": {"deal": {**DEAL, **deal}}, **work, **sites}), rest)
    return Side("hall", text.read(yaml.safe_dump(book, sort_keys=False)))


def row(found: dict[str, Any], headline: str) -> dict[str, Any]:
    return next(r for r in found["headlines"] if r["headline"] == headline)


def test_a_change_worked_by_hand() -> None:
    """Revenue of 2026 is price x GPUs x 8,760 h. Price first: 1 x 100 x 8,760; price last: 1 x 120 x 8,760; GPUs alike."""
    found = front.compare(hall({}), hall({"price": "3 USD/GPU-h"}, "120 GPU"), paths=64)
    told = row(found, "revenue of contracts.deal @ 2026")
    assert (told["a"]["mean"], told["b"]["mean"]) == (pytest.approx(1_752_000, rel=1e-12), pytest.approx(3_153_600, rel=1e-12))
    parts = {p["input"]: p["change"] for p in told["parts"]}
    assert parts == {
        "sites.hall.lots.0.gpus": pytest.approx(20 * 2.5 * 8760, rel=1e-12),
        "contracts.deal.price": pytest.approx(1 * 110 * 8760, rel=1e-12),
    }
    assert sum(parts.values()) == told["change"]


@pytest.fixture(scope="module")
def sober() -> dict[str, Any]:
    return front.compare(front.side("two-clouds"), front.side("two-clouds:sober", ["companies.north.discount_rate=8 %"]), paths=512)


def test_parts_add_up_to_the_last_bit_in_any_order(sober: dict[str, Any]) -> None:
    order = random.Random(3)
    told = [r for r in sober["headlines"] if r["change"] is not None]
    assert len(told) > 20 and sum(r["change"] != 0.0 for r in told) > 10
    for r in told:
        assert r["change"] == pytest.approx(r["b"]["mean"] - r["a"]["mean"], rel=1e-9, abs=1e-13 * abs(r["a"]["mean"]))
        for _ in range(4):
            parts = [p["change"] for p in r["parts"]]
            order.shuffle(parts)
            assert sum(parts) == r["change"], r["headline"]


def test_scenarios_that_are_not_forced_give_their_share_too(sober: dict[str, Any]) -> None:
    """Side a draws slow-grid on a fifth of its paths, side b never: the grid's number is among the parts."""
    assert [c["input"] for c in sober["changed"]] == [
        "companies.lab.customer.users", "companies.lab.customer.raises", "companies.north.discount_rate", "sites.plains.power.1.slip",
    ]  # fmt: skip
    parts = {p["input"]: p["change"] for p in row(sober, "npv of contracts.north @ total")["parts"]}
    assert parts["companies.north.discount_rate"] != 0.0 != parts["sites.plains.power.1.slip"]


def test_sides_are_the_runs_that_measure_shows(sober: dict[str, Any]) -> None:
    """The same draws as two runs of their own: the inputs that are uncertain are the same on both sides."""
    loaded = offtake.load("two-clouds", set=["companies.north.discount_rate=8 %"])
    runs = {"a": offtake.run(offtake.load("two-clouds"), paths=512), "b": offtake.run(loaded, paths=512, scenario=["sober"])}
    for side, run in runs.items():
        for measure, of, by, period in (
            ("npv", "contracts.north", "total", "total"),
            ("revenue", "contracts.north", "calendar-year", "2027"),
            ("cash_balance", "companies.lab", "calendar-year", "2027"),
        ):
            wanted = next(r for r in run.table(measure, of, by).rows() if r["period"] == period)
            got = row(sober, f"{measure} of {of} @ {period}")[side]
            assert got["mean"] == pytest.approx(wanted["mean"], rel=1e-12)
            assert (got["p05"], got["p95"], got["se"]) == (
                pytest.approx(wanted["p05"], rel=1e-9), pytest.approx(wanted["p95"], rel=1e-9), pytest.approx(wanted["se"], rel=1e-9)
            )  # fmt: skip


def test_errors_of_changes_are_paired() -> None:
    """Of plain random paths the error of a change is the spread of its differences path by path, far below that of two strangers."""
    change = ["companies.north.discount_rate=8 %"]
    sides = front.side("two-clouds", sampler="random"), front.side("two-clouds", change, ["sober"], "random")
    told = row(front.compare(*sides, paths=512), "npv of contracts.north @ total")
    loaded = offtake.load("two-clouds", set=change)
    plans = front.compile(offtake.load("two-clouds"), sampler="random"), front.compile(loaded, ["sober"], "random")
    a, b = (montecarlo.run(plan, [question(plan, "npv", "contracts.north")], 512, 1).tallies[0].kept[0] for plan in plans)
    assert told["se"] == pytest.approx(np.std(b - a, ddof=1) / math.sqrt(512), rel=0.5)
    assert told["se"] < 0.8 * math.hypot(told["a"]["se"], told["b"]["se"])


def test_the_error_of_a_change_is_its_spread_over_seeds(sober: dict[str, Any]) -> None:
    """Scrambled points: twelve seeds, 512 paths each; a replicate error is itself off by a fifth, a spread of twelve by as much."""
    loaded = offtake.load("two-clouds", set=["companies.north.discount_rate=8 %"])
    plans = front.compile(offtake.load("two-clouds")), front.compile(loaded, ["sober"])
    changes = []
    for seed in range(1, 13):
        a, b = (montecarlo.run(plan, [question(plan, "npv", "contracts.north")], 512, seed).tallies[0].kept[0] for plan in plans)
        changes.append((b - a).mean())
    told = row(sober, "npv of contracts.north @ total")
    assert told["se"] == pytest.approx(np.std(changes, ddof=1), rel=0.6)


def test_base_is_the_book_without_scenarios() -> None:
    found = front.compare(front.side("two-clouds:base"), front.side("two-clouds:slow-grid"), paths=256)
    assert [c["input"] for c in found["changed"]] == ["sites.plains.power.1.slip"]
    assert found["changed"][0]["numbers"] == [{"path": "sites.plains.power.1.slip", "a": "1 to 8 months", "b": "6 to 18 months"}]


def test_terms_that_are_no_numbers_are_one_part() -> None:
    """Usage is billed as used: 100 GPUs at full use earn the same under both forms, so the number carries all but the words."""
    b = hall({"price": "3 USD/GPU-h", "form": "take_or_pay", "take_or_pay": "80 %", "recognition": "usage"})
    found = front.compare(hall({}), b, paths=64)
    assert found["not_numbers"] == ["contracts.deal.form", "contracts.deal.take_or_pay", "contracts.deal.recognition"]
    told = row(found, "revenue of contracts.deal @ total")
    assert [p["input"] for p in told["parts"]] == ["contracts.deal.price", "terms that are no numbers"]
    assert sum(p["change"] for p in told["parts"]) == told["change"] == pytest.approx(100 * 17_520, rel=1e-12)
    assert told["parts"][1]["change"] == 0.0


def test_a_number_that_no_run_reads_is_no_change() -> None:
    found = front.compare(hall({}), hall({}, companies={"buyer": {"customer": {"anchor_price": "9 USD/GPU-h"}}}), paths=64)
    assert found["changed"] == [] and all(r["change"] == 0.0 for r in found["headlines"])
    assert "no number that a run reads differs" in comparison_text(found, 80)


def test_probabilities_of_scenarios_are_an_input() -> None:
    found = front.compare(front.side("two-clouds"), front.side("two-clouds", ["scenarios.sober.probability=60 %"]), paths=512)
    assert [(c["input"], c["numbers"][0]["a"], c["numbers"][0]["b"]) for c in found["changed"]] == [
        ("scenarios.*.probability", "55 % / 20 % / 25 % / 0 %", "20 % / 20 % / 60 % / 0 %")
    ]
    assert row(found, "revenue of companies.lab @ 2028")["change"] < 0.0


def test_many_numbers_go_by_entity_then_by_section() -> None:
    few = [Change(f"contracts.a.n{i}", "1", "2") for i in range(12)]
    assert groups(few)[0] == "input"
    word, found = groups([*few, Change("contracts.b.n0", "1", "2")])
    assert word == "entity" and [(g.name, len(g.changes)) for g in found] == [("contracts.a", 12), ("contracts.b", 1)]
    word, found = groups([Change(f"sites.s{i}.rent", "1", "2") for i in range(13)])
    assert word == "section" and [g.name for g in found] == ["sites"]


def test_the_grid_loses_nothing() -> None:
    values = on_grid([0.1, 0.2, 0.7, -0.30000000000000004])
    assert sum([b - a for a, b in pairwise(values)]) == values[-1] - values[0]
    assert values == pytest.approx([0.1, 0.2, 0.7, -0.3], rel=1e-13)
    assert on_grid([0.0, 0.0]) == [0.0, 0.0]


def test_other_horizons_are_refused_at_their_line() -> None:
    with pytest.raises(BookError) as refused:
        Between(front.side("two-clouds"), hall({}))
    assert [issue.to_text() for issue in refused.value.issues] == [
        "book.yaml:4:9  months\n  got   24\n  rule  two sides of a comparison have one horizon; 'two-clouds' has 48 (U-06)\n"
        "  fix   write months: 48 in a copy, and compare that"
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("two-clouds:sobr", "no scenario is called 'sobr'; this book has slow-grid, sober, certain"),
        ("two-cluds", "no file and no shipped book is called 'two-cluds'; did you mean two-clouds?"),
    ],
)
def test_typos(written: str, message: str) -> None:
    with pytest.raises(QuestionError) as refused:
        front.side(written)
    assert str(refused.value) == message


def test_a_folder_is_no_side(tmp_path: Any) -> None:
    with pytest.raises(QuestionError, match=r"is a folder\. A report holds rounded text, not the numbers of its run"):
        front.side(str(tmp_path))


def test_command() -> None:
    words = ["compare", "two-clouds", "--set", "contracts.north.take_or_pay=80 %", "--paths", "128"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert set(told) == {"a", "b", "method", "attributed_by", "changed", "not_numbers", "headlines"}
    assert told["b"]["label"] == "two-clouds contracts.north.take_or_pay=80 %"
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "80"}).stdout
    assert max(len(line) for line in shown.splitlines()) <= 80 and "contracts.north.take_or_pay: 90 % -> 80 %" in shown
    assert CliRunner().invoke(app, ["compare", "two-clouds"]).exit_code == 2
