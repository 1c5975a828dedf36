"""The workbook: its formulas, recalculated by LibreOffice, come to the model's numbers, and follow when a cell is changed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import offtake
from offtake import stages
from offtake.reports import workbook
from offtake.studies import meanpath, workings
from offtake.studies.view import view

openpyxl = pytest.importorskip("openpyxl")
OFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed: nothing else recalculates the formulas")
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""


def recalculated(path: Path, folder: Path):
    """The workbook as LibreOffice computes it, formulas replaced by their values."""
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    out = folder / "computed"
    command = [OFFICE, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xlsx", "--outdir", str(out), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    return openpyxl.load_workbook(out / path.name, data_only=True)


def columns(sheet) -> dict[str, list[float]]:
    """Columns of a contract's sheet by title, months only."""
    rows = list(sheet.iter_rows(values_only=True))
    head = next(i for i, row in enumerate(rows) if row[0] == "month")
    return {title: [row[j] for row in rows[head + 3 :]] for j, title in enumerate(rows[head]) if title and title != "difference"}


def apart(ours, theirs) -> float:
    theirs = np.asarray(theirs, float)
    return float(np.abs(np.asarray(ours, float) - theirs).max() / max(np.abs(theirs).max(), 1.0))


@pytest.fixture(scope="module", params=["two-clouds", "gpu-cloud", "small-lab", "openai-aws"])
def made(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    run = offtake.run(offtake.load(request.param), paths=64)
    return run, run.workbook(folder / "book.xlsx"), folder


@needs_office
def test_every_rebuilt_cell_is_the_models(made):
    run, path, folder = made
    found, b = recalculated(path, folder), meanpath.mean_path(run.plan, 1)
    for c, name in enumerate(run.plan.names.contracts):
        cells = columns(found[name])
        kernels = {
            "charged": b.settlement.charge, "billed": b.settlement.billed, "value left": b.settlement.remaining,
            "prepaid and not drawn": b.settlement.unearned, "revenue": b.books.revenue, "RPO": b.books.rpo,
        }  # fmt: skip
        if len(b.equity.left):
            kernels.pop("RPO")
        for title, array in kernels.items():
            assert apart(cells[title], array[c, :, 0]) <= 1e-9, (name, title)
        assert found[name]["E2"].value == pytest.approx(b.npv[c, 0], rel=1e-9)
    assert found["Read me"].cell(found["Read me"].max_row, 1).value == "formulas and model agree"
    for sheet in found:
        assert not [v for row in sheet.iter_rows(values_only=True) for v in row if isinstance(v, str) and v.startswith(("#", "Err:"))]


@needs_office
def test_a_changed_term_changes_revenue_as_it_does_in_the_model(tmp_path):
    """Take or pay and the total, typed over in the sheet, against the kernels on the same use."""
    run = offtake.run(offtake.load("two-clouds"), paths=64)
    changed = {"take or pay": ("take_or_pay_x", 0.4), "total value": ("total_x", 3.0e9)}
    path = run.workbook(tmp_path / "book.xlsx")
    file = openpyxl.load_workbook(path)
    sheet = file["north"]
    for row in range(1, 12):
        if sheet.cell(row, 1).value in changed:
            sheet.cell(row, 2).value = changed[sheet.cell(row, 1).value][1]
    opening = next(row for row in range(1, 30) if sheet.cell(row, 1).value == "before the first month")
    for column in range(1, sheet.max_column):
        if sheet.cell(opening - 2, column).value in ("value left", "value not earned yet"):
            sheet.cell(opening, column).value = 3.0e9
    file.save(tmp_path / "changed.xlsx")
    cells = columns(recalculated(tmp_path / "changed.xlsx", tmp_path)["north"])

    b = meanpath.mean_path(run.plan, 1)
    c = run.plan.names.contracts.index("north")
    before = b.books.revenue[c, :, 0].copy()
    for field, value in changed.values():
        b.X[getattr(run.plan.terms, field)[c]] = value
    stages._settle(b)
    stages._book(b)
    assert apart(before, b.books.revenue[c, :, 0]) > 0.01, "the change must matter"
    earned = b.books.revenue[c, :, 0] + (b.equity.contra[c, :, 0] if len(b.equity.contra) else 0.0)
    ours = np.asarray(cells["revenue"]) + np.asarray(cells.get("equity given to the customer, borne by revenue", 0.0))
    assert apart(ours, earned) <= 1e-9


def test_text_is_never_a_formula(tmp_path):
    """A book's text that begins with an equals sign stays text; what is absent stays empty."""
    run = offtake.run(offtake.load("two-clouds"), paths=64)
    seen = view(run)
    seen["title"] = '=HYPERLINK("http://example.invalid")'
    seen["inputs"] = [seen["inputs"][0] | {"note": "=1+1", "value": None}]
    workbook.write(seen, [], [], tmp_path / "text.xlsx")
    cells = [cell for sheet in openpyxl.load_workbook(tmp_path / "text.xlsx") for row in sheet.iter_rows() for cell in row]
    formulas = [cell.value for cell in cells if cell.data_type == "f"]
    assert all("HYPERLINK" not in f and f != "=1+1" for f in formulas)
    assert "=1+1" in [cell.value for cell in cells if cell.data_type == "s"]


def test_tables_say_what_measure_says(made):
    run, path, _ = made
    name = f"contracts.{run.plan.names.contracts[0]}"
    asked = run.table("revenue", of=name, by="fiscal-year").rows()
    rows = openpyxl.load_workbook(path)["Fiscal years"].iter_rows(min_row=5, values_only=True)
    shown = [row for row in rows if row[1] == name and row[2] == "revenue"]
    assert [row[4] for row in shown] == pytest.approx([row["mean"] for row in asked], rel=1e-15)  # a cell holds 16 digits
    assert [row[8] for row in shown] == pytest.approx([row["p50"] for row in asked], rel=1e-15)
    assert all(row[3] == "USD" for row in shown)


def test_the_mean_path_takes_means_and_commonest_words():
    X = np.array([[1.0, 2.0, 6.0], [0.0, 1.0, 1.0], [0.1, 0.1, 0.1]])
    assert meanpath.central(X, np.array([False, True, False])).tolist() == [3.0, 1.0, 0.1]
    assert meanpath.commonest(np.array([3.0, 2.0, 2.0, 3.0])) == 2.0


def test_a_workbook_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    run = offtake.run(offtake.load("two-clouds"), paths=64)
    path = run.workbook(tmp_path / "book.xlsx")
    old = path.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(offtake.errors.WriteError, match="No space left"):
        run.workbook(path)
    assert path.read_bytes() == old and list(tmp_path.iterdir()) == [path]


def test_same_run_same_bytes(tmp_path):
    made = [offtake.run(offtake.load("two-clouds"), paths=64).workbook(tmp_path / f"{n}.xlsx").read_bytes() for n in "ab"]
    assert made[0] == made[1]


def test_a_contract_without_rights_or_options_says_nothing_is_left_out():
    b = meanpath.mean_path(offtake.run(offtake.load("two-clouds"), paths=64).plan, 1)
    sheet = workings.contract_sheet(b, 1)
    assert not [s for s in sheet.said if "make-up" in s.lower() or "option" in s.lower()]
