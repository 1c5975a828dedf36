"""Every test that docs/testing.md says kills a mutant exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_tests_that_are_named_exist():
    files = list((ROOT / "tests").rglob("*.py"))
    there = {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)}
    named = set(re.findall(r"\btest_\w+", (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")))
    assert len(named) > 100 and not named - there - {file.stem for file in files}
