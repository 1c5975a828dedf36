"""Every identity catches a broken array and names the path and the month; what is no number is worst of all."""

import re

import numpy as np
import pytest

from offtake import front, identities, stages
from offtake.book import text
from offtake.errors import IdentityError
from offtake.montecarlo import TOLERANCE, refuse_broken

BREAKS = {  # one array that only this identity, or this one and the next, reads: (rule's beginning, where, index of the item)
    "A-02": lambda b: b.books.remeasured,
    "A-10 revenue = ": lambda b: b.books.out_scope,
    "A-10 revenue + ": lambda b: b.books.not_in_rpo,
    "C-09": lambda b: b.settlement.interest,
    "S-05 committed": lambda b: b.supply.late[2],
    "S-05 ready": lambda b: b.supply.down,
    "S-05 offered": lambda b: b.placement.idle[1],
    "S-05 in slots": lambda b: b.placement.slot_idle[0],
    "S-05 used": lambda b: b.filled.overhead,
    "V-01": lambda b: b.payments.disbursed,
    "A-04": lambda b: b.ledger.depreciation,
    "C-04": lambda b: b.settlement.makeup_expired,
    "C-10": lambda b: b.equity.held,
    "A-09": lambda b: b.group.free_cash_flow,
    "A-10 debits = credits of bills": lambda b: b.books.deferred,
    "A-10 debits = credits of payments": lambda b: b.payments.paid,
}
PATH, MONTH = 64 + 5, 17


@pytest.fixture(scope="module")
def plan():
    replay = "replay: {surface: nvl72, mix: {value: 0.5, assumed: x}, failures: {value: 1, assumed: x}}\n"
    more = replay + "day: {night: 8 h, day: 12 h, peak: 4 h}\n"
    return front.compile(text.read((front.BOOKS / "two-clouds.yaml").read_text(encoding="utf-8") + more))


@pytest.fixture
def block(plan):
    b = stages.allocate(plan)
    stages.fill(b, 1, 64, np.zeros(len(plan.factor_paths), np.int64))
    return b


def at(rule):
    return next(n for n, name in enumerate(identities.IDENTITIES) if name.startswith(rule))


def test_every_identity_is_broken_below():
    assert [at(rule) for rule in BREAKS] == list(range(len(identities.IDENTITIES)))


def test_whole_block_keeps_all(block):
    assert all(0.0 <= w.error <= TOLERANCE for w in identities.worst_of(block, 64))


@pytest.mark.parametrize("rule", BREAKS)
@pytest.mark.parametrize("wrong", [1e15, np.nan])
def test_broken_month_is_caught_and_named(block, rule, wrong):
    array = BREAKS[rule](block)
    array[-1, MONTH, PATH - 64] += wrong
    found = identities.worst_of(block, 64)
    worst = found[at(rule)]
    assert (worst.path, worst.month) == (PATH, MONTH)
    assert worst.error == np.inf if np.isnan(wrong) else worst.error > 0.1
    assert [n for n, w in enumerate(found) if w.error > TOLERANCE] == [at(rule)]
    with pytest.raises(IdentityError, match=re.escape(identities.IDENTITIES[at(rule)]) + rf".* on path {PATH} in month {MONTH}$"):
        refuse_broken(found)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_path_that_is_not_asked_for_breaks_nothing(block, rule):
    BREAKS[rule](block)[-1, MONTH, PATH - 64] += 1e15
    assert identities.worst_of(block, PATH - 64)[at(rule)].error <= TOLERANCE


def scope(block, revenue, inside):
    """Error, month and path of the identity of scope, of arrays (C, M, L) that stand first among those of a block else without any."""
    books, lanes = block.books, revenue.shape[2]
    for array, given in ((books.revenue, revenue), (books.in_scope, inside), (books.out_scope, 0.0 * revenue)):
        array[:] = 0.0
        array[: len(revenue), : revenue.shape[1], :lanes] = given
    worst = identities.worst_of(block, lanes)[at("A-10 revenue = ")]
    return worst.error, worst.month, worst.path - block.first


def test_error_is_measured_against_the_largest_gross_so_far(block):
    """Revenue 200 then 4, one of it nowhere in the second month: off by 1 of 200; the other way round by 1 of 4."""
    for revenue, month, error in (([200.0, 4.0], 1, 1 / 200), ([4.0, 200.0], 0, 1 / 4)):
        earned = np.array(revenue).reshape(1, 2, 1)
        inside = earned.copy()
        inside[0, month] -= 1.0
        assert scope(block, earned, inside) == (error, month, 0)


def test_worst_is_that_of_all_errors_whatever_comes_first(block):
    """Random errors, many of them the same, some no number: the first month, then lane, of the largest, as if all were kept."""
    rng = np.random.default_rng(7)
    for n in range(200):
        revenue = rng.choice([0.0, 1.0, 3.0, 1e3], (2, 5, 4))
        off = rng.choice([0.0, 1e-16, 1e-9, 0.25], (2, 5, 4), p=[0.6, 0.2, 0.1, 0.1])
        off[rng.random(off.shape) < 0.01 * (n % 3)] = np.nan
        inside = revenue * (1.0 - off)
        gross = np.maximum.accumulate(np.maximum(np.abs(revenue), 1.0), axis=1)
        size = np.abs(revenue - inside)
        errors = np.where(np.isfinite(size), size / gross, np.inf).max(axis=0)
        month, lane = divmod(int(np.argmax(errors)), errors.shape[1])
        assert scope(block, revenue, inside) == (errors[month, lane], month, lane)
