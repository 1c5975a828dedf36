"""The run as an Excel workbook: inputs with sources, answers, tables by month and fiscal period, and a sheet of live formulas a contract.

Text is always written as text: a cell that begins with an equals sign in a book is no formula here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from ..files import AUTHOR
from .html import put
from .view import View

Cells = list[list[Any]]
CHECKED = 1e-9  # of the largest figure of the column: more is no rounding


class Book:
    """A workbook in memory with its formats."""

    def __init__(self) -> None:
        self.held = io.BytesIO()
        options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
        self.file = xlsxwriter.Workbook(self.held, options)
        make = self.file.add_format
        self.title = make({"bold": True, "font_size": 14})
        self.head = make({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.unit = make({"italic": True, "font_color": "#555555", "bottom": 1})
        self.wrap = make({"text_wrap": True, "valign": "top"})
        self.value = make({"font_color": "#0000C0", "num_format": "#,##0.00##"})
        self.made = make({"num_format": "#,##0.00##"})
        self.check = make({"num_format": "0.0E+00", "font_color": "#777777"})
        self.used: set[str] = set()

    def sheet(self, name: str) -> Any:
        """A sheet under a name that Excel takes and that is not used yet."""
        short = re.sub(r"[\[\]:*?/\\']", "-", name)[:28] or "sheet"
        found, n = short, 1
        while found.lower() in self.used:
            n += 1
            found = f"{short} {n}"
        self.used.add(found.lower())
        return self.file.add_worksheet(found)

    def done(self) -> bytes:
        self.file.close()
        return self.held.getvalue()


def write(view: View, tables: list[dict[str, Any]], sheets: list[Any], path: Path) -> None:
    """Write the workbook in one step.

    view    what the HTML report shows (answers, inputs, sources, stamp)
    tables  {name, title, columns: {name: unit}, rows}
    sheets  `workings.Sheet` by contract
    raises  WriteError when it cannot be written; an older file stays whole
    """
    book = Book()
    told = datetime.fromisoformat(str(view["as_of"])).replace(tzinfo=None)
    # not the clock: the same run gives the same bytes
    book.file.set_properties({"title": view["title"], "author": AUTHOR, "created": told})
    front = book.sheet("Read me")
    _table(book, "Answers", "The answers", _ANSWERS, _answers(view), (5, 40, 110, 50))
    _table(book, "Inputs", "Every number that the run read", _INPUTS, _inputs(view), (44, 26, 12, 11, 18, 12, 8, 60))
    _table(book, "Sources", "Documents", _SOURCES, _sources(view), (18, 30, 60, 12, 11))
    for table in tables:
        _table(book, table["name"], table["title"], table["columns"], table["rows"], (26,))
    checks = [_workings(book, sheet) for sheet in sheets]
    _read_me(book, front, view, sheets, checks)
    put(book.done(), path)


_ANSWERS = dict.fromkeys(("n", "question", "answer", "rests on"))
_INPUTS = dict.fromkeys(("input", "value", "unit", "quality", "source", "published", "line", "note"))
_SOURCES = dict.fromkeys(("source", "publisher", "title", "published", "quality"))


def _answers(view: View) -> Cells:
    return [[a["n"], a["question"], a["text"], ", ".join(str(r) for r in a["rests_on"])] for a in view["answers"]]


def _inputs(view: View) -> Cells:
    return [[i["path"], i["value"], i["unit"], i["quality"], i["source"], i["published"], i["line"], i["note"]] for i in view["inputs"]]


def _sources(view: View) -> Cells:
    return [[s["id"], s["publisher"], s["title"], s["published"], s["quality"]] for s in view["sources"]]


def _table(book: Book, name: str, title: str, columns: dict[str, Any], rows: Cells, widths: tuple[int, ...]) -> None:
    """A titled table: names, units below, and the header stays in sight."""
    sheet = book.sheet(name)
    sheet.write_string(0, 0, title, book.title)
    for j, (column, unit) in enumerate(columns.items()):
        sheet.write_string(2, j, column, book.head)
        sheet.write_string(3, j, unit or "", book.unit)
        sheet.set_column(j, j, widths[min(j, len(widths) - 1)] if j < len(widths) else 16)
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            _cell(book, sheet, 4 + i, j, cell)
    sheet.freeze_panes(4, 1)
    _on_paper(sheet)


def _on_paper(sheet: Any) -> None:
    """One page wide."""
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _cell(book: Book, sheet: Any, i: int, j: int, value: Any) -> None:
    """A number as a number, nothing as nothing, all else as text."""
    if value is None:
        return
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(i, j, value, book.made if isinstance(value, float) else None)
    else:
        sheet.write_string(i, j, str(value), book.wrap)


class Grid(NamedTuple):
    """Where a contract's table stands on its sheet: header row, column of each key, cell of each term, number of months."""

    book: Book
    sheet: Any
    top: int
    columns: dict[str, int]
    scalars: dict[str, str]
    months: int

    @property
    def first(self) -> int:
        """Row of the first month; openings stand in the row above."""
        return self.top + 3

    def span(self, j: int) -> str:
        """The months of a column, as Excel writes a range."""
        name = xl_col_to_name(j)
        return f"{name}{self.first + 1}:{name}{self.first + self.months}"

    def head(self, j: int, title: str, unit: str) -> None:
        self.sheet.write_string(self.top, j, title, self.book.head)
        self.sheet.write_string(self.top + 1, j, unit, self.book.unit)


def _workings(book: Book, spec: Any) -> tuple[str, str, str]:
    """One contract's sheet; returns its name and the cells of its NPV and of its largest difference."""
    sheet = book.sheet(spec.name)
    sheet.write_string(0, 0, spec.title, book.title)
    scalars = _scalars(book, sheet, spec)
    for n, said in enumerate(spec.said):
        sheet.write_string(3 + len(spec.scalars) + n, 0, said)
    columns = {c.key: 1 + j for j, c in enumerate(spec.columns)}
    grid = Grid(book, sheet, 4 + len(spec.scalars) + len(spec.said), columns, scalars, len(spec.months))
    _months(grid, spec.months)
    width, checks, least = len(spec.columns) + 1, list[str](), _least(spec.columns)
    for column in spec.columns:
        _column(grid, column)
        if column.model is not None:
            checks.append(_check(grid, column, width + 2 * len(checks), least[column.unit]))
    _result(grid, spec.npv, checks)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, width + 2 * len(checks), 17)
    sheet.freeze_panes(grid.first, 1)
    return sheet.get_name(), "E2", "I2"


def _result(grid: Grid, npv: float, checks: list[str]) -> None:
    """NPV beside the model's, and the largest difference of the sheet."""
    sheet, book = grid.sheet, grid.book
    sheet.write_string(1, 3, "NPV, USD", book.head)
    sheet.write_formula(1, 4, f"=SUM({grid.span(grid.columns['present'])})", book.made)
    sheet.write_string(1, 5, "the model's", book.head)
    sheet.write_number(1, 6, npv, book.made)
    sheet.write_string(1, 7, "largest difference", book.head)
    sheet.write_formula(1, 8, f"=MAX({','.join([*checks, 'ABS(E2-G2)/MAX(ABS(G2),1)'])})", book.check)


def _scalars(book: Book, sheet: Any, spec: Any) -> dict[str, str]:
    """Terms above the table, and the cell of each."""
    found = {}
    for n, scalar in enumerate(spec.scalars):
        sheet.write_string(2 + n, 0, scalar.title)
        sheet.write_number(2 + n, 1, scalar.value, book.value)
        sheet.write_string(2 + n, 2, f"{scalar.unit}   {scalar.path}")
        found[scalar.key] = xl_rowcol_to_cell(2 + n, 1, row_abs=True, col_abs=True)
    return found


def _months(grid: Grid, months: list[str]) -> None:
    grid.head(0, "month", "")
    grid.sheet.write_string(grid.top + 2, 0, "before the first month")
    for m, month in enumerate(months):
        grid.sheet.write_string(grid.first + m, 0, month)


def _column(grid: Grid, column: Any) -> None:
    """Values in blue, formulas in black; the opening stands in the row before the first month."""
    j = grid.columns[column.key]
    grid.head(j, column.title, column.unit)
    if column.opening is not None:
        grid.sheet.write_number(grid.top + 2, j, column.opening, grid.book.value)
    for m in range(grid.months):
        row = grid.first + m
        if column.values is not None:
            grid.sheet.write_number(row, j, float(column.values[m]), grid.book.value)
        else:
            grid.sheet.write_formula(row, j, "=" + _filled(grid, column.formula, row), grid.book.made)


def _filled(grid: Grid, formula: str, row: int) -> str:
    """`[x]` and `[x-]` become cells of this row and the one above, `{x}` a term's cell."""

    def cell(found: re.Match[str]) -> str:
        return str(xl_rowcol_to_cell(row - (1 if found[2] else 0), grid.columns[found[1]]))

    cells = re.sub(r"\[(\w+)(-?)\]", cell, formula)
    return re.sub(r"\{(\w+)\}", lambda found: grid.scalars[found[1]], cells)


def _least(columns: Sequence[Any]) -> dict[str, float]:
    """By unit, a thousandth of the largest amount of the sheet, and 1 at least: below it an amount may be rounding of larger ones."""
    found: dict[str, float] = {}
    for column in columns:
        if column.model is not None:
            largest = max((abs(float(value)) for value in column.model), default=0.0)
            found[column.unit] = max(found.get(column.unit, 1.0), 1e-3 * largest)
    return found


def _check(grid: Grid, column: Any, to: int, least: float) -> str:
    """The model's values and the differences beside the table; returns the largest, relative to the column's largest, as a formula.

    least  what a column of next to nothing is held to instead, in its unit
    """
    grid.head(to, f"{column.title}, the model's", column.unit)
    grid.head(to + 1, "difference", column.unit)
    for m, value in enumerate(column.model):
        row = grid.first + m
        rebuilt, modelled = xl_rowcol_to_cell(row, grid.columns[column.key]), xl_rowcol_to_cell(row, to)
        grid.sheet.write_number(row, to, float(value), grid.book.value)
        grid.sheet.write_formula(row, to + 1, f"={rebuilt}-{modelled}", grid.book.check)
    theirs, apart = grid.span(to), grid.span(to + 1)
    return f"MAX(MAX({apart}),-MIN({apart}))/MAX(MAX({theirs}),-MIN({theirs}),{least!r})"


def _read_me(book: Book, sheet: Any, view: View, sheets: list[Any], checks: list[tuple[str, str, str]]) -> None:
    """What this is, what it knew, how to read it, and whether the formulas come to the model's numbers."""
    _on_paper(sheet)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 3, 24)
    sheet.write_string(0, 0, view["title"], book.title)
    stamp = ", ".join(f"{key} {value}" for key, value in view["stamp"].items())
    lines = [
        f"As of {view['as_of']}; nothing published later is used. Not investment advice.",
        stamp,
        "Money is in USD, not scaled; shares lie between 0 and 1; flows are of the month, stocks at its end; costs are positive.",
        "Blue cells are values: inputs, or results of the model. Black cells are formulas over cells of the same sheet.",
        "The sheets of contracts follow one path, the mean path: every drawn number at its mean, a choice at its commonest value.",
        "Its results are not the means of the run: a floor or a cap bends what is averaged. Tables by month and year are of the run.",
        "Change a blue cell of a contract's sheet and bills, revenue, RPO and NPV follow; use, supply and payments do not.",
    ]
    for n, line in enumerate(lines):
        sheet.write_string(2 + n, 0, line)
    top = 3 + len(lines)
    for j, head in enumerate(("contract", "sheet", "NPV rebuilt, USD", "largest relative difference")):
        sheet.write_string(top, j, head, book.head)
    for n, (spec, (name, npv, apart)) in enumerate(zip(sheets, checks)):
        quoted = f"'{name}'"
        sheet.write_string(top + 1 + n, 0, spec.title)
        sheet.write_string(top + 1 + n, 1, name)
        sheet.write_formula(top + 1 + n, 2, f"={quoted}!{npv}", book.made)
        sheet.write_formula(top + 1 + n, 3, f"={quoted}!{apart}", book.check)
    verdict = f'=IF(MAX(D{top + 2}:D{top + 1 + len(checks)})<={CHECKED},"formulas and model agree","formulas and model differ")'
    sheet.write_formula(top + 2 + len(checks), 0, verdict, book.head)
