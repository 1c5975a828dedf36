"""A number that breaks an identity of A-10 or S-05 is found, with its rule, path and month; a run that has one stops."""

from collections.abc import Callable

import numpy as np
import pytest

import offtake
from offtake import stages
from offtake.block import Block
from offtake.errors import IdentityError
from offtake.identities import IDENTITIES, worst_of

PATH, MONTH = 7, 20
Broken = Callable[[Block], np.ndarray]

# One array of each identity that no other identity reads, in the order of IDENTITIES.
TERMS: list[Broken] = [
    lambda b: b.books.remeasured,
    lambda b: b.books.out_scope,
    lambda b: b.books.not_in_rpo,
    lambda b: b.settlement.interest,
    lambda b: b.supply.early,
    lambda b: b.supply.down,
    lambda b: b.placement.idle[1],
    lambda b: b.payments.raised,
    lambda b: b.ledger.capex,
    lambda b: b.settlement.makeup_expired,
]


@pytest.fixture(scope="module")
def block(small: offtake.Run) -> Block:
    made = stages.allocate(small.plan)
    stages.fill(made, 1, 0, np.zeros(len(small.plan.factor_paths), np.int64))
    return made


def test_all_hold(block: Block) -> None:
    assert [w.rule for w in worst_of(block, 64)] == list(IDENTITIES)
    assert all(w.error <= 1e-9 for w in worst_of(block, 64))


@pytest.mark.parametrize("number", range(len(IDENTITIES)))
@pytest.mark.parametrize("how", ["a billion more", "not a number"])
def test_a_broken_term_is_found_and_named(block: Block, number: int, how: str) -> None:
    term = TERMS[number](block)
    before = term[0, MONTH, PATH]
    term[0, MONTH, PATH] = np.nan if how == "not a number" else before + 1e9
    try:
        found = worst_of(block, 64)
        here = found[number]
        assert here.rule == IDENTITIES[number]
        assert here.error > 1e-9 and (here.path, here.month) == (PATH, MONTH)
        assert all(w.error <= 1e-9 for w in found if w is not here)
        assert worst_of(block, PATH)[number].error <= 1e-9, "lanes beyond the last path do not count"
    finally:
        term[0, MONTH, PATH] = before


def test_a_run_that_breaks_one_stops(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = stages.fill

    def wrong(b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
        right(b, seed, first, clipped)
        b.supply.down[0, 3, 5] += 1e9

    monkeypatch.setattr(stages, "fill", wrong)
    with pytest.raises(IdentityError, match=r"S-05 ready = offered \+ down .* on path 5 in month 3"):
        offtake.run(offtake.load("two-clouds"), paths=64).table("revenue", "contracts.north", "total")
