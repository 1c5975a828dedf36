"""What a measure is made of on one path: signed terms by month, each read from an array of its own.

A *flow* adds its terms up; a stock *rolls*: opening and the flows of the month; a *level* is a stock whose terms stand side by
side at month end; a *ratio* divides one sum by another; a *change* is one ratio less another. Where the stages keep nothing finer
than the number itself, it is its only term.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import daytime, losses
from ..block import Block
from ..measures import CAUSES, Measure, Reader
from ..value import against_resold

Read = Callable[[Block, int, int], np.ndarray]  # block, entity, lane -> (M,)


@dataclass(frozen=True)
class Term:
    """A named part of a number. `side` says where it goes: a sum, or one of the sums that a ratio or a change divides."""

    name: str
    sign: int
    read: Read
    side: str = "sum"


@dataclass(frozen=True)
class Formula:
    """How terms make the number. `opening` is what a rolling stock holds before month 0."""

    way: str  # flow, roll, level, ratio, change
    terms: tuple[Term, ...]
    opening: Callable[[Block, int, int], float] = lambda b, e, i: 0.0


def first_of(reader: Reader) -> Read:
    """One path's months of what a measure reads."""
    return lambda b, e, i: np.asarray(reader(b, e)[0][:, i])


def of_contract(field: str, stage: str) -> Read:
    return lambda b, c, i: np.asarray(getattr(getattr(b, stage), field)[c, :, i])


def if_any(field: str, stage: str) -> Read:
    """An array that has no rows in a book without such terms: nothing there."""

    def read(b: Block, c: int, i: int) -> np.ndarray:
        found = getattr(getattr(b, stage), field)
        return np.asarray(found[c, :, i]) if len(found) else np.zeros(b.plan.months)

    return read


def of_group(field: str) -> Read:
    """An array of a company that states its finances."""
    return lambda b, j, i: np.asarray(getattr(b.group, field)[group(b, j), :, i])


def group(b: Block, j: int) -> int:
    return int(np.flatnonzero(b.plan.finances.company == j)[0])


def of_company(field: str) -> Read:
    return lambda b, j, i: np.asarray(getattr(b.segments, field)[j, :, i])


def gain(read: Read) -> Read:
    """What a stock gains in each month."""
    return lambda b, c, i: np.diff(read(b, c, i), prepend=0.0)


def billed_later(b: Block, c: int, i: int) -> np.ndarray:
    """What revenue gains on billing in each month; it may have been ahead before month 0."""
    return np.diff(b.books.unbilled[c, :, i], prepend=b.before[1, c, i])


def due(b: Block, c: int, i: int) -> np.ndarray:
    """Bills that fall due, after the payment lag."""
    lag = int(b.X[b.plan.terms.payment_lag_x[c], i] + 0.5)
    found: np.ndarray = np.concatenate([np.zeros(lag), b.settlement.invoiced[c, :, i]])[: b.plan.months]
    return found


def taxed(b: Block, c: int, i: int) -> np.ndarray:
    """Tax on the deal's operating income; absent where the provider states no rate (N-06)."""
    row = b.plan.tax_x[c]
    rate = b.X[row, i] if row >= 0 else np.nan
    found: np.ndarray = rate * b.ledger.operating_income[c, :, i]
    return found


def discounted(read: Read) -> Read:
    """USD at month 0: month m by (1 + rate) ^ -((m + 1) / 12)."""

    def present(b: Block, c: int, i: int) -> np.ndarray:
        rate = b.X[b.plan.rate_x[c], i]
        found: np.ndarray = read(b, c, i) * (1.0 + rate) ** (-np.arange(1, b.plan.months + 1) / 12.0)
        return found

    return present


def pools(array: Callable[[Block], np.ndarray]) -> dict[str, Read]:
    """Readers of a (K, M, L) array by contract, site and pool."""
    return {
        "contracts": lambda b, c, i: b.over_pools(array(b), c)[:, i],
        "sites": lambda b, t, i: array(b)[b.plan.places.site == t].sum(axis=0)[:, i],
        "pools": lambda b, k, i: array(b)[k][:, i],
    }


def customer(b: Block, j: int) -> int:
    return int(b.plan.customer_of_company[j])


def series(key: str) -> Read:
    return lambda b, j, i: np.asarray(b.Y[getattr(b.plan.customers, key)[customer(b, j)], :, i])


def subscriptions(b: Block, j: int, i: int) -> np.ndarray:
    return series("users_y")(b, j, i) * series("paying_y")(b, j, i) * series("price_y")(b, j, i)


def payments(b: Block, j: int) -> list[Term]:
    """What a customer pays each contract, and what waits there."""
    mine = [c for c, u in enumerate(b.plan.terms.customer) if u == customer(b, j)]
    return [Term(b.plan.names.contracts[c], -1, lambda b, _, i, c=c: b.payments.paid[c, :, i]) for c in mine]  # type: ignore[misc]


def waiting(b: Block, j: int) -> list[Term]:
    mine = [c for c, u in enumerate(b.plan.terms.customer) if u == customer(b, j)]
    return [
        *(Term(b.plan.names.contracts[c], 1, lambda b, _, i, c=c: b.payments.arrears[c, :, i]) for c in mine),  # type: ignore[misc]
        OVERDRAWN,
    ]


OVERDRAWN = Term("overdrawn", 1, lambda b, j, i: np.maximum(-b.payments.cash_balance[customer(b, j), :, i], 0.0))


_BILL = (
    Term("price x (base + deficiency)", 1, of_contract("charge", "settlement")),
    Term("overage", 1, of_contract("overage_usd", "settlement")),
    Term("credit", -1, of_contract("credit", "settlement")),
    Term("penalty", 1, of_contract("penalty", "settlement")),
)
_REVENUE = (
    Term("earned, not billed yet", 1, billed_later),
    Term("billed, not earned yet", -1, gain(of_contract("deferred", "books"))),
    Term("equity given to the customer", -1, if_any("contra", "equity")),
)
_COSTS = tuple(Term(name, -1, of_contract(name, "ledger")) for name in ("energy", "operations", "rent"))
_RELEASE = Term("re-lease", 1, of_contract("release", "ledger"))
_INCOME = (
    Term("revenue", 1, of_contract("revenue", "books")), _RELEASE, Term("depreciation", -1, of_contract("depreciation", "ledger")),
    Term("impairment", -1, of_contract("impairment", "wear")), *_COSTS,
)  # fmt: skip
_SOLD = if_any("sold", "wear")
_PROPERTY = (
    Term("capex", 1, of_contract("capex", "ledger")), Term("depreciation", -1, of_contract("depreciation", "ledger")),
    Term("sold", -1, _SOLD), Term("impairment", -1, of_contract("impairment", "wear")),
)  # fmt: skip
_EQUITY = (Term("given", 1, if_any("given", "equity")), Term("borne by revenue", -1, if_any("contra", "equity")))
_DEBT = (Term("borrowed", 1, of_group("borrowed")), Term("repaid", -1, of_group("repaid")))
_TREASURY = (Term("free cash flow", 1, of_group("free_cash_flow")), Term("payouts and equity bought", -1, of_group("outside")), *_DEBT)
_FLOWS = (
    Term("collected", 1, of_contract("paid", "payments")), _RELEASE, Term("capex", -1, of_contract("capex", "ledger")), *_COSTS,
    Term("chips sold", 1, _SOLD), Term("equity given, at fair value", -1, if_any("given", "equity")),
)  # fmt: skip
_WORTH = tuple(Term(t.name, t.sign, discounted(t.read)) for t in _FLOWS)
_FREE = (*_FLOWS, Term("tax", -1, taxed))
_WORTH_AFTER_TAX = tuple(Term(t.name, t.sign, discounted(t.read)) for t in _FREE)
_COLLECTED = (Term("collected", 1, discounted(of_contract("paid", "payments"))),)
_CASH = (
    Term("bills that fall due", 1, due), Term("prepaid", 1, of_contract("prepaid_in", "settlement")),
    Term("refunded", -1, of_contract("refunded", "settlement")), Term("left unpaid", -1, gain(of_contract("arrears", "payments"))),
)  # fmt: skip
_LIABILITY = tuple(
    Term(name, sign, of_contract(field, "settlement"))
    for name, sign, field in (
        ("prepaid", 1, "prepaid_in"), ("interest", 1, "interest"), ("drawn", -1, "drawdown"), ("refunded", -1, "refunded"),
    )
)  # fmt: skip
_MAKEUP = tuple(
    Term(name, sign, of_contract(field, "settlement"))
    for name, sign, field in (("opened", 1, "makeup_opened"), ("taken", -1, "makeup"), ("expired", -1, "makeup_expired"))
)
_RPO = tuple(
    Term(name, sign, of_contract(field, "books"))
    for name, sign, field in (
        ("new", 1, "new"), ("remeasured", 1, "remeasured"), ("recognised", -1, "in_scope"), ("terminated", -1, "rpo_terminated"),
        ("lapsed", -1, "rpo_lapsed"),
    )
)  # fmt: skip
_MARGIN = (
    Term("income with the deals", 1, of_company("income_with"), "over"),
    Term("revenue with the deals", 1, of_company("revenue_with"), "under"),
)
_WITHOUT = (
    Term("income without", 1, of_company("income_without"), "less"), Term("revenue without", 1, of_company("revenue_without"), "below"),
)  # fmt: skip
_RESOLD = (
    Term("income resold", 1, lambda b, j, i: against_resold(b, j)[2][:, i], "less"),
    Term("revenue resold", 1, lambda b, j, i: against_resold(b, j)[3][:, i], "below"),
)
FORMULAS: dict[tuple[str, str], Formula] = {
    ("revenue", "contracts"): Formula("flow", (*_BILL, *_REVENUE)),
    ("billed", "contracts"): Formula("flow", _BILL),
    ("cash", "contracts"): Formula("flow", _CASH),
    ("operating_income", "contracts"): Formula("flow", _INCOME),
    ("npv", "contracts"): Formula("flow", _WORTH),
    ("fcf", "contracts"): Formula("flow", _FREE),
    ("npv_after_tax", "contracts"): Formula("flow", _WORTH_AFTER_TAX),
    ("collected_value", "contracts"): Formula("flow", _COLLECTED),
    ("rpo", "contracts"): Formula("roll", _RPO),
    ("unearned", "contracts"): Formula("roll", _LIABILITY, lambda b, c, i: float(b.before[0, c, i])),
    ("makeup_balance", "contracts"): Formula("roll", _MAKEUP),
    ("property", "contracts"): Formula("roll", _PROPERTY, lambda b, c, i: float(b.ledger.opening[c, i])),
    ("equity_ahead", "contracts"): Formula("roll", _EQUITY),
    ("debt", "companies"): Formula("roll", _DEBT, lambda b, j, i: float(b.X[b.plan.finances.debt_x[group(b, j)], i])),
    ("cash_balance", "companies"): Formula("roll", _TREASURY, lambda b, j, i: float(b.X[b.plan.finances.cash_x[group(b, j)], i])),
    ("margin", "companies"): Formula("ratio", _MARGIN),
    ("margin_effect", "companies"): Formula("change", (*_MARGIN, *_WITHOUT)),
    ("margin_effect_resold", "companies"): Formula("change", (*_MARGIN, *_RESOLD)),
}
for _axis, _used in pools(lambda b: b.used).items():
    _open = pools(lambda b: b.capacity)[_axis]
    FORMULAS["occupancy", _axis] = Formula("ratio", (Term("used", 1, _used, "over"), Term("offered", 1, _open, "under")))
    _idle = [(cause, pools(lambda b, n=n: b.placement.idle[n])[_axis]) for n, cause in enumerate(("no demand", "not allowed", "no room"))]  # type: ignore[misc]
    FORMULAS["idle", _axis] = Formula("flow", tuple(Term(cause, 1, read) for cause, read in _idle))
    _late = [(cause, pools(lambda b, n=n: b.supply.late[n])[_axis]) for n, cause in enumerate(CAUSES[1:])]  # type: ignore[misc]
    _down = [(cause, pools(losses.down(cause))[_axis]) for cause in ("failure", "maintenance", "power")]
    FORMULAS["down", _axis] = Formula("flow", tuple(Term(cause, 1, read) for cause, read in _down))
    FORMULAS["late", _axis] = Formula("flow", tuple(Term(cause, 1, read) for cause, read in _late))


for _axis, _room in daytime.offered().items():
    FORMULAS["idle", _axis] = Formula("flow", (Term("offered", 1, first_of(_room)), Term("used", -1, first_of(daytime.used()[_axis]))))


def formula_of(measure: Measure, axis: str, b: Block, entity: int) -> Formula | None:
    """The terms of a measure of one entity; None where the stages keep nothing finer."""
    if (measure.name, axis) in FORMULAS:
        return FORMULAS[measure.name, axis]
    if measure.name == "revenue" and axis == "companies" and customer(b, entity) >= 0:
        terms = (Term("users x paying x price", 1, subscriptions), Term("API", 1, series("api_y")), Term("other", 1, series("other_y")))
        return Formula("flow", terms)
    if measure.name == "cash_balance":
        flows = [Term(name, 1, lambda b, j, i, s=stage, f=field: getattr(getattr(b, s), f)[customer(b, j), :, i])  # type: ignore[misc]
                 for name, stage, field in (("operating", "signed", "operating"), ("raised", "payments", "raised"))]  # fmt: skip
        flows.append(Term("paid for its equity", 1, lambda b, j, i: if_any("cash_in", "equity")(b, customer(b, j), i)))
        return Formula("roll", (*flows, *payments(b, entity)), lambda b, j, i: float(b.X[b.plan.customers.cash_x[customer(b, j)], i]))
    if measure.name == "funding_gap":
        return Formula("level", tuple(waiting(b, entity)))
    if measure.name == "overdrawn":
        return Formula("level", (OVERDRAWN,))
    return None
