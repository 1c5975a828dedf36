"""The data dictionary and the types of a book are held to each other, both ways."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from offtake.book.dictionary import Field, dictionary, fields_of_a_book

ROOT = Path(__file__).parents[2]
BOOKS = sorted((ROOT / "src/offtake/books").glob("*.yaml"))
PATHS = {"steps", "points", "growth", "s_curve", "mean_reversion", "jump", "index"}


def test_every_field_is_told_and_nothing_else() -> None:
    rows = dictionary()
    assert [Field(r["field"], r["unit"], r["axes"], r["needed"] == "yes", r["sign"]) for r in rows] == fields_of_a_book()


def test_every_row_says_what_it_means_and_which_rule_it_serves() -> None:
    for row in dictionary():
        assert len(row["description"]) >= 4, row["field"]
        assert re.fullmatch(r"[A-Z]-\d\d", row["source"]), row["field"]


def test_every_key_of_the_shipped_books_is_in_it() -> None:
    known = {row["field"] for row in dictionary()}
    patterns = [_pattern(field) for field in known]
    written = {path for book in BOOKS for path in _leaves(yaml.safe_load(book.read_text(encoding="utf-8")), "")}
    lost = [path for path in written if not any(p.fullmatch(path) for p in patterns)]
    assert len(written) > 500 and not lost


def test_hand_picked_rows() -> None:
    found = {row["field"]: row for row in dictionary()}
    assert found["contracts.*.take_or_pay"]["unit"] == "share" and found["contracts.*.take_or_pay"]["sign"] == "0 to 1"
    assert found["sites.*.power.[].basis"]["unit"] == "it | facility | utility"
    assert found["companies.*.customer.users"]["axes"] == "months" and found["contracts.*.term"]["axes"] == ""
    assert found["chips.*.resale"]["needed"] == "" and found["chips.*.cost"]["needed"] == "yes"
    assert found["contracts.*.total"]["unit"] == "USD"


def _pattern(field: str) -> re.Pattern[str]:
    """`*` is a name, at the end any text (a factor drives a path); `[]` a place in a list."""
    text = re.escape(field).replace(r"\[\]", r"\d+")
    return re.compile(re.sub(r"\\\*$", ".+", text).replace(r"\*", "[^.]+"))


def _leaves(node: object, path: str) -> list[str]:
    """Paths of what is written, a number or a path in time being one leaf, less what says where it comes from."""
    if isinstance(node, dict) and not _is_number(node):
        return [
            p for key, value in node.items() if key not in ("source", "assumed", "note")
            for p in _leaves(value, f"{path}.{key}" if path else str(key))
        ]  # fmt: skip
    if isinstance(node, list):
        return [p for i, value in enumerate(node) for p in _leaves(value, f"{path}.{i}")]
    return [] if ".set." in path else [path]


def _is_number(node: dict[object, object]) -> bool:
    keys = {str(key) for key in node}
    cited = "fact" in keys and keys <= {"fact", "per", "note"}
    return bool(keys & PATHS) or cited or ("value" in keys and keys <= {"value", "source", "assumed", "note", "clip", "quality"})
