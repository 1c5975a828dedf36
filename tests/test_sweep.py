"""Sweeps: how they read, that every point is the book with that value on the same draws, and what the pictures hold."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

import offtake
from offtake import front, montecarlo
from offtake.cli import app
from offtake.errors import BookError, QuestionError, WriteError
from offtake.kernels.replicates import error_of_mean
from offtake.questions import question
from offtake.reports.svg import ticks
from offtake.studies.sweep import over_of, points_of

TAKE = "contracts.north.take_or_pay=0.5..1.0:3"


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ("a.b=0.5..1.0:6", ("0.5", "0.6", "0.7", "0.8", "0.9", "1")),
        ("a.b=2..3 USD/GPU-h:3", ("2 USD/GPU-h", "2.5 USD/GPU-h", "3 USD/GPU-h")),
        ("a.b = 1 bn USD..3 bn USD:2", ("1 bn USD", "3 bn USD")),
        ("a.b=50..100 %:2", ("50 %", "100 %")),
        ("a.b=signing, order,never", ("signing", "order", "never")),
        ("a.b=-5..5 months:3", ("-5 months", "0 months", "5 months")),
    ],
)
def test_values_read(written: str, values: tuple[str, ...]) -> None:
    assert over_of(written).path == "a.b" and over_of(written).values == values


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("a.b", "'a.b' is no sweep; write --over PATH=FROM..TO:COUNT"),
        ("a.b=1..2:1", "asks 1 values; a sweep takes 2 to 64"),
        ("a.b=1..2:900", "asks 900 values; a sweep takes 2 to 64"),
        ("a.b=low..high:3", "has no number on both sides of .."),
        ("a.b=1 USD..2 GPU:3", "begins and ends in different units"),
        ("a.b=1,1", "names a value twice or none"),
        ("a.b=1,,2", "names a value twice or none"),
    ],
)
def test_values_that_do_not_read(written: str, sentence: str) -> None:
    with pytest.raises(QuestionError) as caught:
        over_of(written)
    assert sentence in str(caught.value)


def test_points_are_all_combinations_the_last_running_fastest() -> None:
    assert points_of([over_of("a=1,2"), over_of("b=x,y")]) == [("1", "x"), ("1", "y"), ("2", "x"), ("2", "y")]
    with pytest.raises(QuestionError, match="9 x 9 are 81 points; a sweep takes at most 64"):
        points_of([over_of("a=1..9:9"), over_of("b=1..9:9")])
    with pytest.raises(QuestionError, match="swept twice"):
        points_of([over_of("a=1,2"), over_of("a=3,4")])


def test_a_point_is_the_book_with_that_value(small: offtake.Run) -> None:
    """A number that no path draws (a rate): each point has the figures of `--set`, bit for bit, and changes are paired."""
    found = front.sweep("two-clouds", ["companies.north.discount_rate=6..10 %:3"], ["npv of contracts.north"], paths=512)
    kept = []
    for row, rate in zip(found["rows"], ("6 %", "8 %", "10 %")):
        assert row["companies.north.discount_rate"] == rate
        plan = front.compile(offtake.load("two-clouds", set=[f"companies.north.discount_rate={rate}"]))
        tally = montecarlo.run(plan, [question(plan, "npv", "contracts.north")], 512, 1).tallies[0]
        if plan.inputs.names == small.plan.inputs.names:
            assert row["mean"] == pytest.approx(float(tally.mean[0]), rel=1e-9)
        kept.append(tally.kept[0])
    assert found["rows"][0]["change"] == 0.0
    for row, values in zip(found["rows"], kept):
        assert row["se_change"] == pytest.approx(float(error_of_mean(values - kept[0])), rel=0.5, abs=1e-6)
        assert row["se_change"] <= row["se"] + found["rows"][0]["se"]


def test_all_points_share_their_draws() -> None:
    """What the swept number does not touch is the same on every path: revenue of the other contract has no change and no error."""
    found = front.sweep("two-clouds", ["companies.north.discount_rate=6..10 %:3"], ["revenue of contracts.south @ total"], paths=256)
    assert {row["mean"] for row in found["rows"]} == {found["rows"][0]["mean"]}
    assert all(row["change"] == 0.0 and row["se_change"] == 0.0 for row in found["rows"])


def test_more_take_or_pay_is_more_npv() -> None:
    found = front.sweep("two-clouds", [TAKE], paths=256)
    npv = [row["mean"] for row in found["rows"] if row["measure"] == "npv of contracts.north @ total"]
    assert len(found["rows"]) == 9 and npv == sorted(npv) and npv[0] < npv[-1]
    assert [m["measure"].split()[0] for m in found["measures"]] == ["npv", "revenue", "idle_value"]


def test_faults_name_the_value() -> None:
    with pytest.raises(BookError) as caught:
        front.sweep("two-clouds", ["contracts.north.take_or_pay=0.5,1.8"], paths=64)
    assert caught.value.issues[0].got == "1.8"
    with pytest.raises(QuestionError, match="is not one number a path"):
        front.sweep("two-clouds", [TAKE], ["revenue of contracts.north"], paths=64)


def test_the_verb_prints_table_json_and_csv() -> None:
    words = ["sweep", "two-clouds", "--over", TAKE, "--measure", "npv of contracts.north", "--paths", "128"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    rows = list(csv.DictReader(io.StringIO(CliRunner().invoke(app, [*words, "--csv"]).stdout)))
    assert [float(r["mean"]) for r in rows] == [r["mean"] for r in told["rows"]]
    assert [r["contracts.north.take_or_pay"] for r in rows] == ["0.5", "0.75", "1"]
    assert "path by path on the same draws" in " ".join(CliRunner().invoke(app, words).stdout.split())


def test_a_picture_over_one_number_and_over_two(tmp_path: Path) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.html"
    words = ["sweep", "two-clouds", "--over", TAKE, "--measure", "npv of contracts.north", "--paths", "64"]
    assert CliRunner().invoke(app, [*words, "--out", str(one)]).exit_code == 0
    tags = [e.tag.rpartition("}")[2] for e in ElementTree.parse(one).iter()]
    assert tags.count("circle") == 3 and tags.count("polyline") == 1 and tags.count("polygon") == 1
    done = CliRunner().invoke(app, [*words, "--over", "companies.north.discount_rate=6 %,9 %", "--out", str(two)])
    assert done.exit_code == 0
    page = two.read_text()
    assert page.count("<rect") == 1 + 6 and page.count("<tr>") == 1 + 6
    assert CliRunner().invoke(app, [*words, "--out", str(one)]).exit_code == 0  # its own picture is replaced


def test_pictures_are_refused_before_anything_is_computed(tmp_path: Path) -> None:
    words = ["sweep", "two-clouds", "--over", TAKE]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "a.png")])
    assert isinstance(done.exception, QuestionError) and "ends in .svg or .html" in str(done.exception)
    three = [*words, "--over", "a.b=1,2", "--over", "c.d=1,2", "--out", str(tmp_path / "a.svg")]
    done = CliRunner().invoke(app, three)
    assert isinstance(done.exception, QuestionError) and "a picture shows one or two swept numbers, not 3" in str(done.exception)
    (tmp_path / "mine.svg").write_text("mine")
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "mine.svg")])
    assert isinstance(done.exception, WriteError) and (tmp_path / "mine.svg").read_text() == "mine"


@pytest.mark.parametrize(
    ("low", "high", "found"), [(0, 10, [0, 2, 4, 6, 8, 10]), (-1e9, 1.5e9, [-1e9, -5e8, 0, 5e8, 1e9, 1.5e9]), (3, 3, [3])]
)
def test_ticks_are_round(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(found)
    assert np.all(np.diff(ticks(0.13, 0.87)) > 0)
