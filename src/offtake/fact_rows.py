"""Facts as rows of a CSV file, ours or a person's: read with every fault at its row, and written back.

    entity,metric,period_start,period_end,value,unit,quality,published,publisher,document      and, if wanted, scope, url, note

`value` is in `unit`, which may carry a magnitude (`bn USD`); what is kept is in the plain unit. A number at a date has no `period_start`.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path

from .errors import BookError, Issue, one_line
from .facts import KEY, NAME, QUALITIES, Fact, Facts
from .lookahead import days_in, quoted_days
from .units import MAGNITUDES, Quantity, UnitError, parse_unit

NEEDED = ("entity", "metric", "period_end", "value", "unit", "quality", "published", "publisher", "document")
OPTIONAL = ("period_start", "scope", "url", "note")
COLUMNS = (
    "entity", "metric", "scope", "period_start", "period_end", "value", "unit", "quality", "published", "publisher", "document", "url",
    "note",
)  # fmt: skip
AHEAD = ("guidance", "projection", "projected", "target", "planned", "plan", "forecast")  # words of a metric about days to come
MOST_BYTES = 100_000_000
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
NUMBER = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")


class Fault(ValueError):
    """What is wrong with one cell: its column, got, rule, fix."""

    def __init__(self, column: str, got: str, rule: str, fix: str) -> None:
        super().__init__(rule)
        self.column, self.got, self.rule, self.fix = column, got, rule, fix


@cache
def catalog() -> Facts:
    """The facts that ship with the package."""
    return Facts(_shipped)


def _shipped() -> Iterator[Fact]:
    for file in sorted(files("offtake.catalog").joinpath("facts").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".csv"):
            yield from read_text(file.read_text(encoding="utf-8"), file.name)


def read_file(path: str | Path) -> list[tuple[int, Fact]]:
    """The facts of a CSV file, each with its line. Raises BookError with every fault of its rows."""
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise _unreadable(file, f"{size:,} bytes", "a file of facts is at most 100 MB", "split it")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"byte 0x{error.object[error.start]:02x}"
        raise _unreadable(file, got, "a file of facts is UTF-8 text", "save it as CSV, UTF-8") from None
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error), "a file of facts can be read", "check the file's name and rights") from None
    return read_lines(text, file.name)


def _unreadable(file: Path, got: str, rule: str, fix: str) -> BookError:
    return BookError((Issue(file.name, 1, 1, "", got, rule, fix),))


def read_text(text: str, name: str) -> list[Fact]:
    """The facts of CSV text. Raises BookError with every fault, in the order of rows."""
    return [fact for _, fact in read_lines(text, name)]


def read_lines(text: str, name: str) -> list[tuple[int, Fact]]:
    """The facts of CSV text, each with its line. Raises BookError."""
    issues: list[Issue] = []
    found: list[tuple[int, Fact]] = []
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(rows, [])]
    _check_header(header, name, issues)
    try:
        for cells in rows if not issues else ():
            if any(cell.strip() for cell in cells):
                _take(header, cells, Issue(name, rows.line_num, 1, "", "", "", ""), issues, found)
    except csv.Error as error:
        issues.append(Issue(name, rows.line_num, 1, "", str(error), "a file of facts is CSV", "mind quotes and line ends near this row"))
    if issues:
        raise BookError(tuple(issues))
    return found


def _check_header(header: list[str], name: str, issues: list[Issue]) -> None:
    rule = f"a first row that names {', '.join(NEEDED)}; {', '.join(OPTIONAL)} may be there (N-05)"
    if not any(header):
        issues.append(Issue(name, 1, 1, "", "an empty file", rule, "start from `offtake facts export -`"))
        return
    for place, column in enumerate(header, 1):
        if column not in COLUMNS or column in header[: place - 1]:
            near = get_close_matches(column, COLUMNS, n=1)
            fix = "a column stands once" if column in COLUMNS else f"did you mean `{near[0]}`?" if near else "take it out"
            issues.append(Issue(name, 1, place, one_line(column), f"`{one_line(column, 60)}`", rule, fix))
    for column in NEEDED:
        if column not in header:
            issues.append(Issue(name, 1, 1, column, "no such column", rule, f"add `{column}`"))


def _take(header: list[str], cells: list[str], at: Issue, issues: list[Issue], found: list[tuple[int, Fact]]) -> None:
    """One row: a fact, or its fault."""
    over = len(cells) - len(header)
    try:
        if over:
            got = f"{abs(over)} cells {'more' if over > 0 else 'fewer'} than the first row"
            raise Fault("", got, "a row has the cells of the first row", "put text with commas in quotes")
        found.append((at.line, fact_of({key: value.strip() for key, value in zip(header, cells)})))
    except Fault as fault:
        place = header.index(fault.column) + 1 if fault.column in header else 1
        issues.append(Issue(at.file, at.line, place, fault.column, one_line(fault.got), fault.rule, fault.fix))


def fact_of(row: dict[str, str]) -> Fact:
    """The fact of one row of text. Raises Fault."""
    for column in NEEDED:
        if not row.get(column):
            rule = f"`{column}` is needed; what is absent is never filled in (N-06)"
            raise Fault(column, "nothing", rule, "write it, or leave the row out")
    for column, text in row.items():
        if CONTROL.search(text):
            raise Fault(column, "a control character", "a row is plain text", "remove it")
    entity, metric, scope = row["entity"], row["metric"], row.get("scope", "")
    for column in ("entity", "metric"):
        if not re.fullmatch(NAME, row[column]):
            raise Fault(column, row[column], "a name has letters, digits, `_` and `-`", "rename it; what people read goes into `note`")
    if scope and not KEY.fullmatch(f"{entity}.{metric}/{scope}"):
        raise Fault("scope", scope, "a scope has letters, digits and `_ - = ; . +`", "write it as segment=cloud")
    if row["quality"] not in QUALITIES:
        raise Fault("quality", row["quality"], f"one of {', '.join(QUALITIES[::-1])} (N-05)", "what is assumed belongs in a book")
    value, unit = _amount(row["value"], row["unit"])
    start = _day("period_start", row["period_start"]) if row.get("period_start") else None
    fact = Fact(
        entity, metric, _day("period_end", row["period_end"]), value, unit, row["quality"], _day("published", row["published"]),
        row["publisher"], row["document"], row.get("note", ""), scope, start, row.get("url", ""),
    )  # fmt: skip
    _check_days(fact)
    _check_documents(fact)
    return fact


def _check_days(fact: Fact) -> None:
    if fact.period_start and fact.period_start > fact.period_end:
        raise Fault("period_start", str(fact.period_start), f"a day up to {fact.period_end}, the period's end", "swap the days")
    if fact.days > 3700:
        raise Fault("period_start", str(fact.period_start), "a period of at most ten years", "leave it empty for a number at a date")
    if fact.published < fact.period_end and not set(AHEAD) & set(fact.metric.lower().split("_")):
        fix = f"mend the date, or say in `metric` that it is one of {', '.join(AHEAD)}"
        raise Fault("published", str(fact.published), f"a day from {fact.period_end} on, when the period was over (T-02)", fix)


def _check_documents(fact: Fact) -> None:
    """Neither document, address nor note is later than the publication that they stand for, even where they repeat an old figure."""
    for column, text in (("document", fact.document), ("url", fact.url), ("note", fact.note)):
        for day in days_in(text) if re.match(r"\S*https?://", text) else quoted_days(text):
            if day > fact.published:
                rule = f"what was known on {fact.published}, the day of publication (T-02)"
                raise Fault(column, f"{day} in: {text[:60]}", rule, "cite the document of that day, or the day of this one in `published`")


def _day(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else _no_day(column, text)
    except ValueError:
        return _no_day(column, text)


def _no_day(column: str, text: str) -> date:
    raise Fault(column, text, "a date (T-02)", "write it as 2025-09-30")


def _amount(value: str, unit: str) -> tuple[float, str]:
    """The number in the unit without its magnitude: 35.1 of `bn USD` is 35.1e9 of USD."""
    if not NUMBER.fullmatch(value) or not any(letter.isdigit() for letter in value):
        raise Fault("value", value, "a number: digits, a point for decimals (N-01)", "write 35.095; a range belongs in `note`")
    number = float(value.replace(",", ""))
    if not math.isfinite(number):
        raise Fault("value", value, "a finite number (N-01)", "write fewer digits in the exponent")
    magnitude, _, plain = unit.partition(" ")
    magnitude, plain = (magnitude, plain.strip()) if magnitude in MAGNITUDES else ("", unit)
    try:
        parse_unit(plain)
    except UnitError as fault:
        raise Fault("unit", unit, fault.rule, fault.fix) from None
    return Quantity(number, magnitude, "").to_base("any"), plain


def to_row(fact: Fact) -> dict[str, str]:
    """A fact as one row of text that reads back as it was."""
    said = {key: "" if value is None else str(value) for key, value in fact._asdict().items()}
    return {column: said[column] for column in COLUMNS} | {"value": written(fact.value)}


def written(value: float) -> str:
    """A number that reads back to the last bit, a whole one without a point."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 2**53 else repr(value)


def to_csv(facts: Iterable[Fact]) -> str:
    """CSV text with all columns."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(to_row(fact) for fact in facts)
    return text.getvalue()
