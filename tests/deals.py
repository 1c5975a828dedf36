"""One contract as a whole book: the terms that a test states, in the book of tests/cases/contracts."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from offtake import front, stages
from offtake.block import Block
from offtake.book import text
from offtake.book.check import check
from offtake.book.terms import Book
from offtake.questions import question

BASE = Path(__file__).parent / "cases" / "contracts" / "base.yaml"


def merged(old: Any, new: Any) -> Any:
    """`new` laid over `old`, mapping by mapping."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: merged(old.get(key), value) for key, value in new.items()}}


def book_of(contract: dict[str, Any], work: dict[str, str], other: dict[str, Any] | None = None) -> Book:
    """The book of one contract, checked; `other` patches the rest of the book."""
    base = yaml.load(BASE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    own = {"contracts": {"deal": contract}, "workloads": {"work": {"gpu_hours": {"steps": work}}}}
    book = text.read(yaml.safe_dump(merged(merged(base, own), other or {}), sort_keys=False))
    assert [issue.to_text() for issue in check(book)] == []
    return book


def block_of(contract: dict[str, Any], work: dict[str, str], other: dict[str, Any] | None = None, scenario: tuple[str, ...] = ()) -> Block:
    """The book of one contract, compiled and run on its first 64 paths; `other` patches the rest of the book."""
    book = book_of(contract, work, other)
    block = stages.allocate(front.compile(book, scenario))
    stages.fill(block, 1, 0, np.zeros(len(block.plan.factor_paths), np.int64))
    return block


def monthly(block: Block, measure: str, of: str = "contracts.deal") -> np.ndarray:
    """A measure by month and path: (M, L)."""
    return question(block.plan, measure, of, "month").read(block)
