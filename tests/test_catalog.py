"""The catalog: every row sourced and dated, and the shipped books at one with it (N-05, T-02)."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
import yaml

from offtake import catalog

AS_OF = date(2025, 11, 3)
COLUMNS = {"topic", "name", "value", "unit", "as_of", "published", "publisher", "title", "quality", "note"}


@pytest.mark.parametrize("row", catalog.rows(), ids=lambda r: r["name"])
def test_every_row_says_where_it_is_from(row):
    assert set(row) == COLUMNS
    assert all(row[c] for c in COLUMNS - {"note"})
    assert row["quality"] in ("filed", "stated", "reported", "derived")
    assert float(row["value"]) > 0
    assert date.fromisoformat(row["published"]) <= AS_OF, "nothing published later enters (T-02)"
    date.fromisoformat(row["as_of"])


def test_a_name_stands_once_and_its_topic_is_its_file():
    names = [(r["topic"], r["name"]) for r in catalog.rows()]
    assert len(names) == len(set(names))
    held = {f.name.removesuffix(".csv") for f in files(catalog).iterdir() if f.name.endswith(".csv")}
    assert {topic for topic, _ in names} == held == {"chips", "grid", "power", "prices"}


@pytest.mark.parametrize("chip", ["h100", "gb200", "gb300"])
@pytest.mark.parametrize("form", ["bf16", "fp8", "fp4"])
def test_the_books_chips_are_those_of_the_catalog(chip, form):
    book = yaml.safe_load((files("offtake") / "books" / "openai-aws.yaml").read_text(encoding="utf-8"))
    dense = book["chips"][chip]["dense"]
    listed = {r["name"]: r for r in catalog.rows()}.get(f"{chip}_{form}_dense")
    if listed is None:
        assert form not in dense or (chip, form) == ("h100", "fp8")
        return
    assert dense[form] == f"{float(listed['value']):g} {listed['unit']}"


def test_the_catalogs_date_is_its_newest_row():
    assert catalog.newest() == max(r["published"] for r in catalog.rows()) == "2025-11-01"
