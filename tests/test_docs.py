"""The documents are tested: examples are read, verbs and measures are named, limits printed in the report are in the file."""

import re
from pathlib import Path

import pytest

from offtake.book.grammar import read_number
from offtake.book.numbers import Number
from offtake.measures import MEASURES

DOCS = Path(__file__).parents[1] / "docs"
ROWS = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| (\w+) \| ([\d.]+) \|$", (DOCS / "language.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(ROWS) >= 14


@pytest.mark.parametrize(("written", "unit", "kind", "median"), ROWS)
def test_examples_of_numbers(written: str, unit: str, kind: str, median: str) -> None:
    number = read_number(written, unit.strip())
    assert isinstance(number, Number) and number.kind == kind
    assert number.median() == pytest.approx(float(median), rel=1e-12)


def test_every_measure_is_in_the_dictionary() -> None:
    text = (DOCS / "dictionary.md").read_text(encoding="utf-8")
    for measure in MEASURES.values():
        assert f"| `{measure.name}` | {measure.kind} | {measure.unit} |" in text, measure.name


def test_every_verb_is_in_the_readme() -> None:
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    for verb in ("run", "check", "show", "measure", "list", "schema", "explain"):
        assert f"offtake {verb}" in text
