"""The documents are tested: examples are read, verbs and measures are named, limits printed in the report are in the file."""

import doctest
import re
import shlex
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from typer.testing import CliRunner

from offtake.book.grammar import read_number
from offtake.book.numbers import Number
from offtake.book.options import Option, When
from offtake.cli import app
from offtake.errors import BookError
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
    verbs = [str(command.name) for command in app.registered_commands]
    verbs += [f"{group.name} {command.name}" for group in app.registered_groups for command in group.typer_instance.registered_commands]
    for verb in verbs:
        assert f"offtake {verb}" in text


def test_the_page_on_python_says_what_python_says() -> None:
    done = doctest.testfile(str(DOCS / "python.md"), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert done.failed == 0 and done.attempted >= 10


@pytest.mark.parametrize("page", ["actions.md", "article.md", "facts.md", "learning.md", "replay.md", "traces.md"])
def test_a_walk_through_prints_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of `$ offtake ..` run in order in one empty folder; a block under `FILE:` is that file; `..` stands for lines left out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, body in re.findall(r"^`([\w.]+)`:\n\n((?:    (?!\$ ).*\n|\n(?=    (?!\$ )))+)", text, re.MULTILINE):
        (tmp_path / name).write_text(dedent(body), encoding="utf-8")
    runs = re.findall(r"^    \$ offtake (.*)\n((?:    (?!\$ ).*\n|\n(?=    (?!\$ )))*)", text, re.MULTILINE)
    assert len(runs) >= 5
    for command, said in runs:
        told = CliRunner().invoke(app, shlex.split(command))
        lines = told.stdout.splitlines() if told.exception is None else str(told.exception).splitlines()
        if isinstance(told.exception, BookError):
            lines = "\n".join(issue.to_text() for issue in told.exception.issues).splitlines()
        for part in dedent(said).strip().split("\n..\n"):
            wanted = [line for line in part.splitlines() if line != ".."]
            assert any(lines[i : i + len(wanted)] == wanted for i in range(len(lines) + 1)), (command, wanted, lines)
