"""The documents are tested: examples are read, verbs and measures are named, limits printed in the report are in the file."""

import re
from pathlib import Path

import pytest
import yaml

from offtake.book.grammar import read_number
from offtake.book.numbers import Number
from offtake.book.options import Option, When
from offtake.cli import app
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


RULES = re.findall(
    r"^\| `([^`]+)` \| (\w+) \| (above|below) \| ([\d.]+) \| (\d+) \|$", (DOCS / "language.md").read_text(encoding="utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("written", "state", "side", "level", "months"), RULES)
def test_examples_of_rules(written: str, state: str, side: str, level: str, months: str) -> None:
    rule = When.model_validate(written)
    assert (rule.state, rule.side) == (state, side)
    assert rule.level.median() == pytest.approx(float(level)) and (rule.months.median() if rule.months else 1.0) == float(months)


def test_there_are_rules_and_options_that_read() -> None:
    """The block of options in the language's document is a contract's."""
    text = (DOCS / "language.md").read_text(encoding="utf-8")
    block = text[text.index("    options:\n") : text.index("A rule reads the path")]
    options = yaml.safe_load(block)["options"]
    kinds = {Option.model_validate(option).kind for option in options.values()}
    assert kinds == {"expand", "extend", "terminate", "reprice", "swap"} and len(RULES) == 3


def test_every_measure_is_in_the_dictionary() -> None:
    text = (DOCS / "dictionary.md").read_text(encoding="utf-8")
    for measure in MEASURES.values():
        assert f"| `{measure.name}` | {measure.kind} | {measure.unit} |" in text, measure.name


def test_every_verb_is_in_the_readme() -> None:
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    for verb in (command.name for command in app.registered_commands):
        assert f"offtake {verb}" in text
