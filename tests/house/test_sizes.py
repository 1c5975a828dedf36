"""Size limits of the house: file <= 400 lines, function <= 40 (a kernel loop <= 60), <= 6 parameters outside kernels."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "offtake"
FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_sizes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    kernel = "kernels" in file.parts
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef):
            continue
        length = (node.end_lineno or 0) - node.lineno + 1
        assert length <= (60 if kernel else 40), f"{node.name} has {length} lines"
        if not kernel and "cli" not in file.parts:  # a verb's parameters are its options
            parameters = [a for a in node.args.args + node.args.kwonlyargs if a.arg not in ("self", "cls")]
            assert len(parameters) <= 6, f"{node.name} has {len(parameters)} parameters"
