"""The public surface, the cold start, and what must never stand in the repository."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import offtake

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "offtake"


def test_public_names() -> None:
    assert sorted(offtake.__all__) == ["BookError", "OfftakeError", "QuestionError", "Run", "check", "load", "run", "show"]
    for name in offtake.__all__:
        assert getattr(offtake, name).__doc__


def _imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(' '.join(sys.modules))"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_no_machinery() -> None:
    loaded = _imported("import offtake.cli")
    assert not loaded & {"numba", "numpy", "polars", "pydantic", "rich", "yaml"}


def test_check_loads_no_numba() -> None:
    loaded = _imported("import offtake.front as f; f.check('two-clouds')")
    assert not loaded & {"numba", "polars"}


def test_no_print_and_no_global_random_state() -> None:
    for file in SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])print\(", text), file
        assert "np.random" not in text, file


def test_company_names_stand_in_books_and_catalog_only() -> None:
    names = re.compile(r"openai|amazon|\baws\b|microsoft|oracle|coreweave|google|anthropic", re.IGNORECASE)
    allowed = re.compile(r"contracts\.aws|openai-aws")  # addresses in help texts, as the shipped book names them
    for file in SOURCE.rglob("*.py"):
        if {"books", "catalog"} & set(file.relative_to(SOURCE).parts):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert not names.search(allowed.sub("", line)), f"{file}:{number}: {line.strip()}"


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-skypilot.txt"])
def test_pins_carry_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text and "@" not in text
    for line in text.splitlines():
        assert re.fullmatch(r"[\w.\-]+==[\w.\-]+", line), line


def test_check_knows_every_measure_by_what_it_is_asked_of() -> None:
    """The list that `check` reads without the kernels is that of the measures."""
    from offtake.book.outputs import MEASURES_OF, all_measures
    from offtake.measures import MEASURES

    assert set(all_measures()) == set(MEASURES)
    listed = {(axis, name) for axis, names in MEASURES_OF.items() for name in names}
    assert listed == {(axis, m.name) for m in MEASURES.values() for axis in m.reads}
