"""The posting journal of one path: what the provider of each contract books, month by month, debit and credit (A-10).

Every leg of an entry is read from an array of its own (a stock's change from the stock, a flow from the flow), so that an entry
balances only if the stages agree. `identities` checks the same on every path of every run. Credits of an entry are negative here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import stages
from ..block import Block
from ..errors import IdentityError, QuestionError
from ..kernels.equity import GRANT, VENDOR
from ..measures import entities, find
from ..montecarlo import LANES, TOLERANCE
from ..periods import periods_of
from ..tables import Table
from .asked import Run

Legs = dict[str, np.ndarray]
DUST = 1e-6  # USD: a leg below this in a period is rounding of the sums it comes from, and no posting


@dataclass(frozen=True)
class Entry:
    """A kind of entry: its rule, and its legs (account -> USD a month, credits negative) on one contract and lane.

    A leg that is the change of a stock carries the stock's rounding: `stock` (M,) is as large as what was subtracted.
    """

    name: str
    rule: str
    legs: Callable[[Block, int, int], Legs]
    stock: Callable[[Block, int, int], np.ndarray] | None = None


def change(stock: np.ndarray, opening: float = 0.0) -> np.ndarray:
    """What a stock gains in each month."""
    gain: np.ndarray = np.diff(stock, prepend=opening)
    return gain


def receivable(b: Block, c: int, i: int) -> np.ndarray:
    """What the customer owes at month end: arrears, and bills that are not due yet."""
    lag = int(b.X[b.plan.terms.payment_lag_x[c], i] + 0.5)
    billed = np.cumsum(b.settlement.invoiced[c, :, i])
    due = np.concatenate([np.zeros(lag), billed])[: len(billed)]
    owed: np.ndarray = b.payments.arrears[c, :, i] + billed - due
    return owed


def opening(b: Block, c: int, i: int) -> Legs:
    """Property, and of a contract begun before month 0 the prepayment held and the revenue ahead of billing."""
    first = np.zeros(b.plan.months)
    first[0] = 1.0
    held, asset, owned = b.before[0, c, i] * first, b.before[1, c, i] * first, b.ledger.opening[c, i] * first
    return {"property": owned, "contract asset": asset, "contract liability": -held, "equity": held - asset - owned}


def bill(b: Block, c: int, i: int) -> Legs:
    borne = b.equity.contra[c, :, i] if len(b.equity.contra) else 0.0  # a bill shows revenue before it
    return {
        "receivable": b.settlement.invoiced[c, :, i],
        "contract liability": b.settlement.drawdown[c, :, i],
        "contract asset": change(b.books.unbilled[c, :, i], b.before[1, c, i]),
        "deferred revenue": -change(b.books.deferred[c, :, i]),
        "revenue": -(b.books.revenue[c, :, i] + borne),
    }


def consideration(b: Block, c: int, i: int) -> Legs:
    """Equity that vests: granted, or the customer's got for cash and for what revenue bears (C-10)."""
    legs = dict.fromkeys(("equity", "investments", "cash", "consideration", "revenue"), np.zeros(b.plan.months))
    edges = b.plan.edges
    for e in np.flatnonzero((edges.contract == c) & (edges.kind != VENDOR)):
        came = change(b.equity.vested[e, :, i])
        value, paid = b.X[edges.value_x[e], i] * came, b.X[edges.paid_x[e], i] * came
        if edges.kind[e] == GRANT:
            legs["equity"] = legs["equity"] - value
        else:
            legs |= {"investments": legs["investments"] + value, "cash": legs["cash"] - paid}
    if len(edges.kind):
        legs |= {"consideration": change(b.equity.held[c, :, i]), "revenue": b.equity.contra[c, :, i]}
    return legs


def prepayment(b: Block, c: int, i: int) -> Legs:
    s = b.settlement
    return {
        "receivable": s.prepaid_in[c, :, i],
        "financing cost": s.interest[c, :, i],
        "contract liability": -(change(s.unearned[c, :, i], b.before[0, c, i]) + s.drawdown[c, :, i] + s.refunded[c, :, i]),
    }


def collection(b: Block, c: int, i: int) -> Legs:
    s = b.settlement
    return {
        "cash": b.payments.paid[c, :, i],
        "contract liability": s.refunded[c, :, i],
        "receivable": -(s.invoiced[c, :, i] + s.prepaid_in[c, :, i] - change(receivable(b, c, i))),
    }


def spending(b: Block, c: int, i: int) -> Legs:
    return {"property": b.ledger.capex[c, :, i], "cash": -b.ledger.capex[c, :, i]}


def wear(b: Block, c: int, i: int) -> Legs:
    used_up = b.ledger.capex[c, :, i] - change(b.ledger.net[c, :, i], b.ledger.opening[c, i])
    legs = {"depreciation": b.ledger.depreciation[c, :, i], "impairment": b.wear.impairment[c, :, i]}
    return legs | ({"cash": b.wear.sold[c, :, i]} if len(b.wear.sold) else {}) | {"property": -used_up}


def running(b: Block, c: int, i: int) -> Legs:
    k = b.ledger
    costs = {"energy": k.energy[c, :, i], "operations": k.operations[c, :, i], "rent": k.rent[c, :, i]}
    worn = k.depreciation[c, :, i] + b.wear.impairment[c, :, i]
    other = k.operating_income[c, :, i] - b.books.revenue[c, :, i] - k.release[c, :, i] + worn
    return costs | {"cash": other}  # what income says was spent


def release(b: Block, c: int, i: int) -> Legs:
    return {"cash": b.ledger.release[c, :, i], "re-lease income": -b.ledger.release[c, :, i]}


def property_held(b: Block, c: int, i: int) -> np.ndarray:
    held: np.ndarray = np.maximum(np.abs(b.ledger.net[c, :, i]), abs(b.ledger.opening[c, i]))
    return held


def billed_to_date(b: Block, c: int, i: int) -> np.ndarray:
    billed: np.ndarray = np.abs(np.cumsum(b.settlement.invoiced[c, :, i]))
    return billed


ENTRIES = (
    Entry("opening", "A-04", opening),
    Entry("bill", "A-01", bill),
    Entry("equity", "C-10", consideration),
    Entry("prepayment", "C-09", prepayment),
    Entry("collection", "V-02", collection, billed_to_date),
    Entry("spending", "A-04", spending),
    Entry("wear", "A-04", wear, property_held),
    Entry("running costs", "A-05", running),
    Entry("re-lease", "V-04", release),
)


def postings(run: Run, of: str | None, by: str | None, path: int | None) -> Table:
    """Rows (period, account, contract, entry, rule, debit, credit) of one path, of all contracts or of one.

    Raises QuestionError for a path or contract there is none of, IdentityError where an entry does not balance.
    """
    if path is None or not 0 <= path < run.stamp.paths:
        raise QuestionError(f"a journal is that of one path, 0 to {run.stamp.paths - 1} here: add --path 17")
    known = [e.label for e in entities(find("journal"), run.plan)]
    if of is not None and of not in known:
        raise QuestionError(f"'journal' is not known of '{of}'; it is known of: {', '.join(known)}")
    block, first = stages.allocate(run.plan), path - path % LANES
    stages.fill(block, run.stamp.seed, first, np.zeros(len(run.plan.factor_paths), np.int64))
    rows: list[tuple[Any, ...]] = []
    for c, label in enumerate(known):
        if of in (None, label):
            rows += _contract(run, block, c, path - first, by or "month")
    names = ("period", "account", "contract", "entry", "rule", "debit", "credit")
    columns: dict[str, list[Any]] = {n: [row[j] for row in rows] for j, n in enumerate(names)}
    about = {"stamp": run.stamp.to_dict(), "measure": "journal", "of": of, "by": by or "month", "unit": "USD", "path": path}
    return Table(columns, {"debit": "USD", "credit": "USD"}, run.stamp, about)


def _contract(run: Run, b: Block, c: int, lane: int, by: str) -> list[tuple[Any, ...]]:
    """Postings of one contract, period by period."""
    plan = run.plan
    name = plan.names.contracts[c]
    provider = plan.book.contracts[name].provider
    periods = periods_of(plan.start, plan.months, by, plan.fiscal_year_end(provider))
    entries = [(e, _balanced(e, b, c, lane)) for e in ENTRIES]
    rows: list[tuple[Any, ...]] = []
    for p in periods:
        for e, legs in entries:
            for account, amounts in legs.items():
                amount = float(amounts[p.first : p.last + 1].sum())
                if abs(amount) > DUST:
                    debit, credit = (amount, None) if amount > 0.0 else (None, -amount)
                    rows.append((p.label, account, f"contracts.{name}", e.name, e.rule, debit, credit))
    return rows


def _balanced(e: Entry, b: Block, c: int, lane: int) -> Legs:
    """The legs, if they add up to nothing in every month."""
    legs = e.legs(b, c, lane)
    left, gross = _left(e, legs, b, c, lane)
    worst = int(np.argmax(left / gross))
    if not left[worst] <= TOLERANCE * gross[worst]:
        name = b.plan.names.contracts[c]
        raise IdentityError(f"A-10 debits = credits: '{e.name}' of contracts.{name} is off by {left[worst]:.3g} USD in month {worst}")
    return legs


def _left(e: Entry, legs: Legs, b: Block, c: int, lane: int) -> tuple[np.ndarray, np.ndarray]:
    """By month: what debits and credits of an entry leave, and the flows or stocks it is measured against; USD."""
    left, size = np.abs(sum(legs.values())), np.maximum(sum(np.abs(a) for a in legs.values()), 1.0)
    return left, np.maximum.accumulate(size if e.stock is None else np.maximum(size, e.stock(b, c, lane)))


def imbalance(b: Block, lanes: int) -> tuple[float, str]:
    """The worst entry of all contracts on the first `lanes` paths of a block: what it leaves over its gross, and where; nothing is
    rounded away, and what is no number is off by infinity."""
    worst = (0.0, "none")
    for c, name in enumerate(b.plan.names.contracts):
        for e in ENTRIES:
            for lane in range(lanes):
                left, gross = _left(e, e.legs(b, c, lane), b, c, lane)
                error = np.nan_to_num(left / gross, nan=np.inf)
                month = int(np.argmax(error))
                if error[month] > worst[0]:
                    worst = (float(error[month]), f"'{e.name}' of contracts.{name}, lane {lane}, month {month}")
    return worst
