"""Every feature at once, on the first book: what the overlay of `bench/books` switches on is on, and all of it holds."""

import numpy as np
import pytest

from bench.features import everything
from offtake import front, stages
from offtake.identities import worst_of
from offtake.studies.journal import imbalance


@pytest.fixture(scope="module")
def block():
    b = stages.allocate(front.compile(everything()))
    stages.fill(b, 1, 0, np.zeros(len(b.plan.factor_paths), np.int64))
    return b


def test_identities_and_journal_hold(block):
    """A-10, S-05 and every journal entry, on 64 paths here; on 100,000 once (docs/testing.md)."""
    for worst in worst_of(block, 64):
        assert worst.error <= 1e-9, worst
    left, where = imbalance(block, 64)
    assert left <= 1e-9, where


def test_every_feature_happens(block):
    """No feature is on in name alone: each leaves a trace on some path."""
    s, k, w = block.settlement, block.books, block.wear
    for what in (s.makeup, s.makeup_expired, s.overage, s.credit, s.deficiency, s.interest, s.penalty, s.prepaid_in, w.impairment, w.sold):
        assert np.any(what > 0.0)
    assert np.any(block.equity.contra > 0.0) and np.any(block.equity.contra < 0.0) and np.any(block.equity.invested > 0.0)
    assert np.any(block.before[0] > 0.0) or np.any(block.before[1] != 0.0)
    assert np.any(k.rpo > 0.0) and np.any(k.not_in_rpo > 0.0)
    forms = {c.form for c in block.plan.book.contracts.values()}
    assert forms == {"take_or_pay", "announced", "capacity_block", "burn_down", "build_up"}


def test_an_entry_out_of_balance_is_found(block):
    """`imbalance` sees one cent in a thousand dollars on one path."""
    kept = block.books.revenue[0, 9, 17]
    block.books.revenue[0, 9, 17] = kept * (1 + 1e-5)
    left, where = imbalance(block, 64)
    block.books.revenue[0, 9, 17] = kept
    assert left > 1e-9 and where.endswith("of contracts.aws, lane 17, month 9")
