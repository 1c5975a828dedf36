"""Every worked example of docs/contracts.md: its terms on one path, against the table that was computed by hand."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from offtake.identities import worst_of
from offtake.questions import question

from .deals import block_of

DOCS = Path(__file__).parents[1] / "docs" / "contracts.md"
EXACT = 1e-9  # relative


def sections() -> list[tuple[str, dict[str, Any], list[dict[str, str]]]]:
    """Title, terms and rows of the table of every example."""
    found = []
    for part in re.split(r"^### ", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        terms = yaml.load(re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)[0], Loader=yaml.BaseLoader)
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")]
        rows = [dict(zip(lines[0], line)) for line in lines[2:]]
        found.append((part.splitlines()[0], terms, rows))
    return found


EXAMPLES = sections()


@pytest.mark.parametrize(("terms", "rows"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_example(terms: dict[str, Any], rows: list[dict[str, str]]) -> None:
    block = block_of(terms["contract"], terms["work"], terms.get("book"))
    for worst in worst_of(block, 1):
        assert worst.error <= EXACT, worst
    for name in [key for key in rows[0] if key != "month"]:
        measure, _, of = name.partition(" of ")
        asked = question(block.plan, measure, of or "contracts.deal", "month")
        values = dict(zip([period.label for period in asked.periods], asked.read(block)[:, 0]))
        for row in rows:
            assert row[name] == "" or values[row["month"]] == pytest.approx(float(row[name].replace(" ", "")), rel=EXACT, abs=1e-6), (
                name,
                row["month"],
            )


def test_there_are_twenty_five() -> None:
    assert len(EXAMPLES) >= 25


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Make-up with breakage under ASC 606", "ASC 606-10-55-46 to 55-49"),
        ("Spend commitments by year, trued up each year", "Form S-1"),
        ("A rack lease with late delivery", "section 2A-516(1)"),
    ],
)
def test_three_are_worked_after_public_texts(title: str, text: str) -> None:
    """Each says which text, by section or form; its table is one of those that `test_example` holds to 1e-9."""
    assert title in [e[0] for e in EXAMPLES]
    section = DOCS.read_text(encoding="utf-8").split(f"### {title}\n")[1].split("### ")[0]
    assert text in " ".join(section.split())
