"""A number opened on one path (U-05): parts make the number, months make the parts, and one contract worked by hand."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

import offtake
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.measures import MEASURES, entities
from offtake.questions import question
from offtake.reports.terminal import explain_text
from offtake.studies.formulas import FORMULAS
from offtake.studies.onepath import open_path
from tests.test_compare import hall

OPEN = [m for m in MEASURES.values() if m.kind not in ("causes", "surface", "postings")]


def joined(told: dict) -> float:
    """The number from its parts, as its way says."""
    total = {side: math.fsum(p["value"] for p in told["parts"] if p["side"] == side) for side in ("sum", "over", "under", "less", "below")}
    if told["way"] == "ratio":
        return total["over"] / total["under"]
    if told["way"] == "change":
        return total["over"] / total["under"] - total["less"] / total["below"]
    return total["sum"]


@pytest.mark.parametrize("measure", OPEN, ids=lambda m: m.name)
@pytest.mark.parametrize("path", [0, 77, 333])
def test_parts_make_the_number(small: offtake.Run, measure, path: int) -> None:
    dust = 1e-6 if measure.unit in ("USD", "GPU-h") else 1e-12  # what rounding leaves of sums that cancel
    for entity in entities(measure, small.plan):
        q = question(small.plan, measure.name, entity.label)
        for row in {0, len(q.periods) // 2, len(q.periods) - 1}:
            told = open_path(small, q, row, path)
            if told["number"] is None:  # nothing to divide by in this period
                continue
            gross = sum(abs(p["value"]) for p in told["parts"]) if told["way"] in ("flow", "roll", "level") else 1.0
            assert joined(told) == pytest.approx(told["number"], rel=1e-9, abs=1e-9 * gross + dust), (entity.label, told)
            shown = small.table(measure.name, entity.label, path=path).rows()[row]["value"]
            assert told["number"] == shown


@pytest.mark.parametrize("path", [5, 400])
def test_months_make_the_parts(small: offtake.Run, path: int) -> None:
    for (name, axis), formula in FORMULAS.items():
        if axis.endswith("slots"):
            continue  # no hours of the day in this book: `test_day` opens those
        q = next(question(small.plan, name, e.label) for e in entities(MEASURES[name], small.plan) if e.axis == axis)
        told = open_path(small, q, 0, path)
        for part in told["parts"]:
            if part["term"] != "opening":
                months = math.fsum(m[part["term"]] for m in told["months"])
                assert part["value"] == pytest.approx(months, rel=1e-12, abs=1e-6), (name, part)
        assert len(told["months"]) == (48 if MEASURES[name].kind == "once" else 12)
        assert {t.name for t in formula.terms} | {"month"} == set(told["months"][0])


def test_every_input_opens_to_what_is_written_and_why(first: offtake.Run) -> None:
    """Value, line and reason are those of the book's file; the scenario shows its chances; each says what it is."""
    file = (Path(offtake.__file__).parent / "books" / "openai-aws.yaml").read_text(encoding="utf-8").splitlines()
    found = first.explain("revenue", of="contracts.aws", at="2027")
    said = " ".join(explain_text(found, 100).split())
    for x in found["inputs"]:
        assert x["meaning"] and f"{x['input']}: {x['meaning']}" in said
        if x["line"]:
            assert x["value"] in file[x["line"] - 1]
            assert f"{x['value']} [{x['unit']}]; {x['quality']}, line {x['line']}: " in said
            assert (x["publisher"] or x["assumed"]) in said
    opened = {x["input"]: x for x in found["inputs"]}
    assert sum(x["line"] is not None for x in found["inputs"]) >= 3
    assert "scenario" not in opened or opened["scenario"]["value"] == "base 40 %, agentic 20 %, power-shortage 20 %, ai-disappoints 20 %"


def test_one_contract_by_hand() -> None:
    """100 GPUs x 2 USD: 744 h in January, 672 h in February; worth 148,800 / 1.1 ^ (1/12), then / 1.1 ^ (2/12)."""
    run = offtake.run(hall({}).book, paths=64)
    told = run.explain("revenue", of="contracts.deal", at="2026", path=9)["on_path"]
    assert [m["price x (base + deficiency)"] for m in told["months"][:2]] == [pytest.approx(148_800), pytest.approx(134_400)]
    assert told["number"] == pytest.approx(2 * 100 * 8760) and told["scenario"] == "base"
    worth = run.explain("npv", of="contracts.deal", path=9)["on_path"]["months"]
    assert worth[0]["collected"] == pytest.approx(148_800 / 1.1 ** (1 / 12), rel=1e-12)
    assert worth[1]["collected"] == pytest.approx(134_400 / 1.1 ** (2 / 12), rel=1e-12)


def test_a_rolling_stock_begins_with_what_it_held(small: offtake.Run) -> None:
    told = small.explain("cash_balance", of="companies.lab", at="2027", path=3)["on_path"]
    before = small.table("cash_balance", "companies.lab", path=3).rows()[0]["value"]
    assert told["parts"][0] == {"term": "opening", "side": "sum", "value": pytest.approx(before, rel=1e-12)}
    assert small.explain("cash_balance", of="companies.lab", at="2026", path=3)["on_path"]["parts"][0]["value"] == 1.5e9


def test_inputs_as_the_path_drew_them(small: offtake.Run) -> None:
    found = small.explain("rpo", of="contracts.north", at="2026", path=21)["inputs"]
    firm = next(x for x in found if x["input"] == "contracts.north.firm_on")
    assert firm["drawn_word"] == ("signing", "order", "tranche", "never")[int(firm["drawn"])]
    share = firm["drawn_percentile"]  # discrete: signing up to 0.5, order to 0.75, tranche to 0.9
    assert firm["drawn_word"] == ("signing" if share < 0.5 else "order" if share < 0.75 else "tranche" if share < 0.9 else "never")
    assert firm["assumed"] == "invented, to show the language"


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("revenue", 512, "path 512 is not one of this run's 512 paths, 0 to 511"),
        ("passage", 3, "'passage' is not one number a period; `offtake measure BOOK passage` shows it"),
    ],
)
def test_what_has_no_path(small: offtake.Run, name: str, path: int, message: str) -> None:
    with pytest.raises(QuestionError) as refused:
        small.explain(name, of="contracts.north" if name == "revenue" else None, path=path)
    assert str(refused.value) == message


def test_command_fits_eighty_columns() -> None:
    words = ["explain", "two-clouds", "margin_effect of companies.north @ FY2027", "--path", "17", "--paths", "128"]
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "80"}).stdout
    assert max(len(line) for line in shown.splitlines()) <= 80, shown
    assert "revenue without" in shown and "not shown" not in shown and "on this path" in shown
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["on_path"]["way"] == "change"
