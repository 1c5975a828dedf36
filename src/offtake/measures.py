"""The named outputs: kind, unit, axes, rule, formula, and how to read each from a block.

Kinds: a *flow* adds up over a period, a *stock* is taken at its end, a *ratio* divides sums over the period, a *change* is
the difference of two ratios, *once* has the whole horizon as its only period, *causes* splits a share by cause, *postings* are
the entries of one path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import coupling, daytime, losses, power, value
from .block import Block
from .errors import QuestionError
from .plan import Plan

Parts = tuple[np.ndarray, ...]
Reader = Callable[[Block, int], Parts]
CAUSES = ("none", "chips", "power", "shell", "acceptance")


@dataclass(frozen=True)
class Measure:
    """A named output. `reads` has one reader an axis; each gives (M, L) arrays, as many as the kind combines."""

    name: str
    kind: str
    unit: str
    rule: str
    formula: str
    reads: dict[str, Reader]


def _contract(field: str, stage: str) -> Reader:
    return lambda b, c: (getattr(getattr(b, stage), field)[c],)


def _hours(array: Callable[[Block], np.ndarray]) -> dict[str, Reader]:
    """Readers of a (K, M, L) array by contract, site and pool."""
    return {
        "contracts": lambda b, c: (b.over_pools(array(b), c),),
        "sites": lambda b, t: (array(b)[b.plan.places.site == t].sum(axis=0),),
        "pools": lambda b, k: (array(b)[k],),
    }


def _occupancy(axis: str) -> Reader:
    used, offered = _hours(lambda b: b.used)[axis], _hours(lambda b: b.capacity)[axis]
    return lambda b, i: (*used(b, i), *offered(b, i))


def _company_revenue(b: Block, j: int) -> Parts:
    """A customer's own revenue (V-01); a provider's segment with the deals (A-06)."""
    u = b.plan.customer_of_company[j]
    return (b.signed.revenue[u],) if u >= 0 else (b.segments.revenue_with[j],)


def _customer(field: str, stage: str) -> Reader:
    return lambda b, j: (getattr(getattr(b, stage), field)[b.plan.customer_of_company[j]],)


def _renegotiated(b: Block, c: int) -> Parts:
    tau = b.signed.tau[b.plan.terms.customer[c]]
    return ((np.arange(b.plan.months)[:, None] >= tau[None, :]).astype(float),)


def _exercised(b: Block, o: int) -> Parts:
    return ((np.arange(b.plan.months)[:, None] >= b.when[o][None, :]).astype(float),)


def _binding(b: Block, k: int) -> Parts:
    """Which of CAUSES limits the pool, (M, L) int64."""
    return (b.supply.binding[k],)


def _npv(b: Block, c: int) -> Parts:
    return (b.npv[c],)


def _idle_cost(*who: int) -> Reader:
    """Value of idle hours at the contract's price (0 customer, 1 provider) over the value of all offered hours."""

    def read(b: Block, c: int) -> Parts:
        lost = np.zeros(b.idle_cost.shape[3:])
        for payer in who:
            for cause in range(b.idle_cost.shape[1]):
                lost += b.idle_cost[payer, cause, c]
        return lost, b.schedule.price[c] * b.over_pools(b.capacity, c)

    return read


def _passage(b: Block, j: int) -> Parts:
    """Month in which the path has been below threshold a for run b, the horizon if never: (TH x RUN, L)."""
    found = b.signed.passage[b.plan.customer_of_company[j]]
    return (found.reshape(-1, found.shape[-1]),)


def _journal(b: Block, c: int) -> Parts:
    raise QuestionError("a journal is that of one path: `offtake measure BOOK journal --path 17`")


def _equity(field: str) -> Reader:
    """An array of equity edges by contract; nothing in a book without edges."""

    def read(b: Block, c: int) -> Parts:
        found = getattr(b.equity, field)
        return (found[c] if len(found) else np.zeros(found.shape[1:]),)

    return read


def _worn(field: str) -> Reader:
    """An array that only chips with terms beyond their life have; no value in a book without (N-06)."""

    def read(b: Block, c: int) -> Parts:
        found = getattr(b.wear, field)
        return (found[c] if len(found) else np.full(found.shape[1:], np.nan),)

    return read


def _remaining_life(b: Block, c: int) -> Parts:
    """Months from each month end to the scheduled revenue behind it, weighted by it; no value where nothing is in RPO (N-06)."""
    due = b.schedule.price[c] * b.schedule.committed[c] * b.signed.alive[c]
    behind = np.cumsum(due[::-1], axis=0)[::-1]  # from each month on
    later = np.concatenate([behind[1:], np.zeros((1, due.shape[1]))])
    months = np.cumsum(later[::-1], axis=0)[::-1]
    standing = (b.books.rpo[c] > 0.0) & (later > 0.0)
    return (np.divide(months, later, out=np.full(due.shape, np.nan), where=standing),)


def _leased(field: str) -> Reader:
    """An array of contracts that state a lease's rate; no value for the others (N-06)."""

    def read(b: Block, c: int) -> Parts:
        at = np.flatnonzero(b.plan.leases.contract == c)
        found = getattr(b.leases, field)
        return (found[at[0]] if len(at) else np.full(found.shape[1:], np.nan),)

    return read


def _group(*fields: str) -> Reader:
    """Arrays of a company that states its finances."""

    def read(b: Block, j: int) -> Parts:
        at = int(np.flatnonzero(b.plan.finances.company == j)[0])
        return tuple(getattr(b.group, field)[at] for field in fields)

    return read


def _printed_rpo(b: Block, j: int) -> Parts:
    """What the filing prints: rounded to the unit it is stated in (A-09)."""
    unit = b.X[b.plan.segments.rounding_x[j]]
    return (np.floor(b.segments.reported_rpo[j] / unit + 0.5) * unit,)


def _equity_in(b: Block, j: int) -> Parts:
    found = b.equity.cash_in
    return (found[b.plan.customer_of_company[j]] if len(found) else np.zeros(found.shape[1:]),)


USD, GPU_H = "USD", "GPU-h"

_ALL = [
    Measure("revenue", "flow", USD, "A-01", "recognised by policy; a company: its own revenue with the deals",
            {"contracts": _contract("revenue", "books"), "companies": _company_revenue}),
    Measure("straight_line", "flow", USD, "A-03", "total / term in whole months", {"contracts": _contract("straight_line", "books")}),
    Measure("billed", "flow", USD, "C-02", "price x (base + deficiency) + overage - credit + penalty, up to total value",
            {"contracts": _contract("billed", "settlement")}),
    Measure("cash", "flow", USD, "V-02", "collected, prepayments included", {"contracts": _contract("paid", "payments")}),
    Measure("terminated", "flow", USD, "V-04", "signed value cancelled", {"contracts": _contract("terminated", "settlement")}),
    Measure("lapsed", "flow", USD, "C-07", "signed value that ends unbilled", {"contracts": _contract("lapsed", "settlement")}),
    Measure("credit", "flow", USD, "C-05", "credits for late capacity", {"contracts": _contract("credit", "settlement")}),
    Measure("deficiency", "flow", GPU_H, "C-02", "due - base of a true-up period, billed though not used",
            {"contracts": _contract("deficiency", "settlement")}),
    Measure("shadow_price", "ratio", "USD/GPU-h", "P-02", "what an hour within a commitment that months share costs at the margin",
            {"contracts": coupling.shadow_price}),
    Measure("placement_gap", "ratio", "share", "P-02", "(bound on every plan - the plan) / bound, where months share a commitment",
            {"contracts": coupling.gap}),
    Measure("overage", "flow", USD, "C-02", "use beyond the commitment x overage price",
            {"contracts": _contract("overage_usd", "settlement")}),
    Measure("makeup", "flow", GPU_H, "C-04", "hours taken that an earlier deficiency paid",
            {"contracts": _contract("makeup", "settlement")}),
    Measure("makeup_expired", "flow", GPU_H, "C-04", "make-up hours that nobody took in time",
            {"contracts": _contract("makeup_expired", "settlement")}),
    Measure("added", "flow", USD, "C-06", "signed value that exercised options add, or take away",
            {"contracts": _contract("added", "settlement")}),
    Measure("penalty", "flow", USD, "C-06", "paid for a termination", {"contracts": _contract("penalty", "settlement")}),
    Measure("revenue_as_service", "flow", USD, "A-01", "the contract as a service, rateably or as used; without variable amounts",
            {"contracts": _leased("service")}),
    Measure("revenue_as_operating_lease", "flow", USD, "A-01", "the same as an operating lease, straight line whatever the billing",
            {"contracts": _leased("operating")}),
    Measure("revenue_as_sales_type_lease", "flow", USD, "A-01", "the same as a sales-type lease: present value, then interest",
            {"contracts": _leased("sales_type")}),
    Measure("lease_to_come", "stock", USD, "A-02", "fixed payments to come of what is booked as a lease: its own table, outside RPO",
            {"contracts": _leased("to_come")}),
    Measure("net_investment", "stock", USD, "A-01", "net investment in the contract as a sales-type lease",
            {"contracts": _leased("investment")}),
    Measure("rpo_new", "flow", USD, "A-02", "value that turned firm, exercised options inside", {"contracts": _contract("new", "books")}),
    Measure("rpo_remeasured", "flow", USD, "A-02", "RPO that left as collectibility failed, or came back",
            {"contracts": _contract("remeasured", "books")}),
    Measure("in_scope", "flow", USD, "A-02", "revenue in the scope of RPO", {"contracts": _contract("in_scope", "books")}),
    Measure("rpo_terminated", "flow", USD, "A-02", "RPO cancelled or cut", {"contracts": _contract("rpo_terminated", "books")}),
    Measure("rpo_lapsed", "flow", USD, "A-02", "RPO that ended unbilled", {"contracts": _contract("rpo_lapsed", "books")}),
    Measure("rpo_life", "stock", "month", "A-02", "weighted average months to the revenue scheduled from the next month on",
            {"contracts": _remaining_life}),
    Measure("out_scope", "flow", USD, "A-02", "revenue outside RPO: usage beyond the commitment, what was not firm, leases",
            {"contracts": _contract("out_scope", "books")}),
    Measure("consideration", "flow", USD, "C-10", "equity to the customer borne by revenue; below zero: shares received add to it",
            {"contracts": _equity("contra")}),
    Measure("equity_ahead", "stock", USD, "C-10", "equity given ahead of the revenue that bears it; below zero: behind it",
            {"contracts": _equity("held")}),
    Measure("invested", "flow", USD, "C-10", "cash the provider pays for the customer's equity", {"contracts": _equity("invested")}),
    Measure("equity_in", "flow", USD, "C-10", "cash the customer gets for its equity, from providers and others",
            {"customers": _equity_in}),
    Measure("self_funded", "flow", USD, "C-10", "collected out of the provider's own cash, pro rata to the customer's cash",
            {"contracts": _equity("self_funded")}),
    Measure("self_funded_share", "ratio", "share", "C-10", "self_funded / collected",
            {"contracts": lambda b, c: (*_equity("self_funded")(b, c), b.payments.paid[c])}),
    Measure("capex", "flow", USD, "A-04", "chips paid ahead, shell and power over construction; a company: its own definition",
            {"contracts": _contract("capex", "ledger"), "companies": lambda b, j: (b.segments.capex[j],)}),
    Measure("depreciation", "flow", USD, "A-04", "straight line by class from ready for use",
            {"contracts": _contract("depreciation", "ledger"), "companies": _group("depreciation")}),
    Measure("capex_cash", "flow", USD, "A-07", "a company's capex without finance leases", {"companies": _group("capex_cash")}),
    Measure("free_cash_flow", "flow", USD, "A-09", "operating cash and the deals' after tax - interest - cash capex net of incentives",
            {"companies": _group("free_cash_flow")}),
    Measure("debt", "stock", USD, "A-09", "opening + borrowed - repaid", {"companies": _group("debt")}),
    Measure("depreciation_burden", "ratio", "share", "A-06", "the segment's part of company depreciation / segment revenue with the deals",
            {"companies": lambda b, j: (*_group("burden")(b, j), b.segments.revenue_with[j])}),
    Measure("impairment", "flow", USD, "A-04", "stranded property written down in two steps (ASC 360)",
            {"contracts": _contract("impairment", "wear")}),
    Measure("sold", "flow", USD, "A-04", "chips sold at their resale value, at book", {"contracts": _worn("sold")}),
    Measure("worn_out", "stock", "GPU", "A-04", "GPUs at work beyond their useful life", {"contracts": _worn("worn_out")}),
    Measure("depreciation_if", "flow", USD, "A-04", "depreciation at the other useful life that chips state",
            {"contracts": _worn("depreciation_if")}),
    Measure("property", "stock", USD, "A-04", "opening + capex - depreciation - sold - impairment, work in progress inside",
            {"contracts": _contract("net", "ledger")}),
    Measure("energy", "flow", USD, "A-05", "measured load x average PUE x price", {"contracts": _contract("energy", "ledger")}),
    Measure("revenue_without", "flow", USD, "A-06", "segment revenue with the deals' capacity unbuilt",
            {"companies": lambda b, j: (b.segments.revenue_without[j],)}),
    Measure("income_without", "flow", USD, "A-06", "segment operating income with the deals' capacity unbuilt",
            {"companies": lambda b, j: (b.segments.income_without[j],)}),
    Measure("operating_income", "flow", USD, "A-05", "revenue + re-lease - depreciation - impairment - energy - operations - rent",
            {"contracts": _contract("operating_income", "ledger"), "companies": lambda b, j: (b.segments.income_with[j],)}),
    Measure("offered", "flow", GPU_H, "S-05", "ready hours x availability while the contract stands", _hours(lambda b: b.capacity)
            | daytime.offered()),
    Measure("used", "flow", GPU_H, "P-01", "hours placed", _hours(lambda b: b.used)
            | {"workloads": lambda b, w: (b.placement.use[w].sum(axis=0),)} | daytime.used()),
    Measure("idle", "flow", GPU_H, "P-06", "offered - used", _hours(lambda b: b.capacity - b.used) | daytime.idle()),
    Measure("idle_no_demand", "flow", GPU_H, "P-06", "idle: no workload wanted the hour", _hours(lambda b: b.placement.idle[0])),
    Measure("idle_not_allowed", "flow", GPU_H, "P-06", "idle: who waits may not run here", _hours(lambda b: b.placement.idle[1])),
    Measure("idle_no_room", "flow", GPU_H, "P-06", "idle: no room for the gang", _hours(lambda b: b.placement.idle[2])),
    Measure("late", "flow", GPU_H, "S-05", "signed schedule less ready, chips + power + shell + acceptance",
            _hours(lambda b: b.supply.late.sum(axis=0))),
    Measure("idle_value", "ratio", "share", "P-06", "idle hours x price / offered hours x price",
            {"contracts": _idle_cost(0, 1)}),
    Measure("idle_value_customer", "ratio", "share", "P-06", "part of idle_value that the customer pays for and does not use",
            {"contracts": _idle_cost(0)}),
    *(Measure(name, "flow", GPU_H, "S-05", formula, _hours(losses.down(cause))) for name, cause, formula in losses.DOWN),
    Measure("useful", "flow", GPU_H, "R-03", "used hours that are progress: (used - unfilled) x goodput", _hours(losses.hours("useful"))),
    Measure("overhead", "flow", GPU_H, "R-03", "checkpoints, restarts, lost work", _hours(losses.hours("overhead"))),
    Measure("unfilled", "flow", GPU_H, "R-03", "used - occupancy x offered: gangs do not fit", _hours(losses.hours("unfilled"))),
    *(Measure(name, "ratio", "share", "R-03", formula, {"contracts": reader}) for name, formula, reader in losses.RATIOS),
    Measure("passage", "surface", "share", "V-04",
            "P(coverage below a threshold for n months in a row by the period's end, without renegotiation)",
            {"customers": _passage}),
    Measure("rpo", "stock", USD, "A-02", "firm value not yet recognised, collectible", {"contracts": _contract("rpo", "books")}),
    Measure("crpo", "stock", USD, "A-02", "part of RPO scheduled within 12 months", {"contracts": _contract("crpo", "books")}),
    Measure("not_in_rpo", "stock", USD, "A-02", "signed value neither recognised nor in RPO nor terminated",
            {"contracts": _contract("not_in_rpo", "books")}),
    Measure("reported_rpo", "stock", USD, "A-09", "existing RPO run off + signings + the deals' RPO",
            {"companies": lambda b, j: (b.segments.reported_rpo[j],)}),
    Measure("printed_rpo", "stock", USD, "A-09", "reported RPO rounded as the filing prints it", {"companies": _printed_rpo}),
    Measure("cash_balance", "stock", USD, "V-01", "opening + in - out", {"customers": _customer("cash_balance", "payments"),
             "companies": _group("cash")}),
    Measure("funding_gap", "stock", USD, "V-03", "obligations due and unpaid + overdrawn",
            {"customers": _customer("funding_gap", "payments")}),
    Measure("overdrawn", "stock", USD, "V-03", "operating losses beyond cash and raises, which nobody funds: cash below zero",
            {"customers": lambda b, j: (np.maximum(-_customer("cash_balance", "payments")(b, j)[0], 0.0),)}),
    Measure("unearned", "stock", USD, "C-09", "prepaid and not yet drawn", {"contracts": _contract("unearned", "settlement")}),
    Measure("makeup_balance", "stock", GPU_H, "C-04", "paid as deficiency, neither taken nor expired",
            {"contracts": _contract("makeup_balance", "settlement")}),
    Measure("makeup_owed", "stock", USD, "A-01", "make-up rights not yet revenue: a contract liability",
            {"contracts": _contract("makeup_owed", "books")}),
    Measure("deferred", "stock", USD, "A-01", "billed and not yet revenue, make-up rights inside, prepayments apart",
            {"contracts": _contract("deferred", "books")}),
    Measure("unbilled", "stock", USD, "A-01", "revenue not yet billed", {"contracts": _contract("unbilled", "books")}),
    Measure("ready", "stock", "GPU", "S-04", "min(delivered, power allows, shell, acceptance)", _hours(lambda b: b.supply.ready)),
    Measure("coverage", "stock", "share", "V-03", "resources / obligations due in 12 months",
            {"customers": _customer("coverage", "payments")}),
    Measure("occupancy", "ratio", "share", "S-05", "used / offered", {x: _occupancy(x) for x in ("contracts", "sites", "pools")}
            | daytime.occupancy()),
    Measure("hour_worth", "ratio", "USD/GPU-h", "P-06", "what one GPU-hour more would earn: the pool's dual, over the day or in a slot",
            daytime.worth()),
    Measure("margin", "ratio", "share", "A-06", "segment operating income with the deals / revenue with the deals",
            {"companies": lambda b, j: (b.segments.income_with[j], b.segments.revenue_with[j])}),
    Measure("margin_effect", "change", "share", "A-06", "margin with the deals - margin with their capacity unbuilt (0.01 = 100 bp)",
            {"companies": lambda b, j: (b.segments.income_with[j], b.segments.revenue_with[j],
                                        b.segments.income_without[j], b.segments.revenue_without[j])}),
    Measure("margin_effect_resold", "change", "share", "A-06", "margin with the deals - margin with their hours sold to others at market",
            {"companies": value.against_resold}),
    Measure("us_power", "ratio", "share", "S-06", "energy of the modelled pools in the US / US generation",
            {"national": power.share_of_generation}),
    Measure("us_energy", "flow", "MWh", "S-06", "energy of the modelled pools in the US", {"national": lambda b, _: (b.ledger.us_energy,)}),
    Measure("energised", "stock", "MW", "S-06", "at the facility, by steps that take power; all sites: on the US grid",
            power.of_sites(power.energised)),
    Measure("scheduled", "stock", "MW", "S-06", "the same by the steps' own months, without slip", power.of_sites(power.scheduled)),
    Measure("renegotiated", "stock", "share", "V-04", "P(the renegotiation rule has fired by the period's end)",
            {"contracts": _renegotiated}),
    Measure("exercised", "stock", "share", "C-06", "P(the option has been exercised by the period's end)", {"options": _exercised}),
    Measure("npv", "once", USD, "V-06", "cash - capex - energy - operations - rent + re-lease, discounted, before tax",
            {"contracts": _npv}),
    Measure("counterparty_loss", "once", USD, "V-04", "cancelled - re-let within the term + unpaid at the horizon's end",
            {"contracts": value.counterparty_loss}),
    Measure("journal", "postings", USD, "A-10", "the provider's postings of one path, debit and credit; --path says which",
            {"contracts": _journal}),
    Measure("fcf", "flow", USD, "V-06", "cash - capex - energy - operations - rent + re-lease - tax on operating income",
            {"contracts": value.free_cash}),
    Measure("eps_effect", "flow", "USD/share", "V-06", "operating income x (1 - tax) / provider's shares; no cost of finance",
            {"contracts": value.per_share}),
    Measure("npv_after_tax", "once", USD, "V-06", "fcf, discounted at the provider's rate; no terminal value",
            {"contracts": value.worth_after_tax}),
    Measure("collected_value", "once", USD, "V-06", "cash collected, discounted at the provider's rate", {"contracts": value.collected}),
    Measure("irr", "once", "share", "V-06", "yearly rate at which fcf before tax is worth nothing; absent where no rate does it",
            {"contracts": value.rate_of_return}),
    Measure("payback", "once", "month", "V-06", "months until cash put in has come back, before tax; absent where it never does",
            {"contracts": value.payback}),
    Measure("rpo_value", "once", "share", "V-06", "collected, discounted / signed value that falls due within the horizon",
            {"contracts": value.obligation(0)}),
    Measure("rpo_time", "once", "share", "V-06", "lost to waiting if paid by straight line", {"contracts": value.obligation(1)}),
    Measure("rpo_delay", "once", "share", "V-06", "lost to being paid later than that", {"contracts": value.obligation(2)}),
    Measure("rpo_cancelled", "once", "share", "V-06", "lost to termination and lapse", {"contracts": value.obligation(3)}),
    Measure("rpo_unpaid", "once", "share", "V-06", "lost to bills unpaid or in flight at the end, and credits; less overage",
            {"contracts": value.obligation(4)}),
    Measure("binding", "causes", "share", "S-04", "share of paths and months in which each cause limits ready", {"pools": _binding}),

]  # fmt: skip

MEASURES: dict[str, Measure] = {m.name: m for m in _ALL}


def find(name: str) -> Measure:
    """The measure called `name`, or a sentence with the nearest ones."""
    if name in MEASURES:
        return MEASURES[name]
    from difflib import get_close_matches

    near = get_close_matches(name, MEASURES, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `offtake list measures` shows them"
    raise QuestionError(f"no measure is called '{name}'{hint}")


@dataclass(frozen=True)
class Entity:
    """What a measure is asked of: `contracts.aws` is axis `contracts`, index 0. A provider's fiscal calendar comes along."""

    axis: str
    index: int
    label: str
    fiscal_year_end: int


def entities(measure: Measure, plan: Plan) -> list[Entity]:
    """Everything a measure can be asked of, in book order."""
    found = []
    for axis in measure.reads:
        for index, label, company in plan.labels(axis):
            if axis == "companies" and not plan.has(company, COMPANY_NEEDS[measure.name]):
                continue
            found.append(Entity(axis, index, label, plan.fiscal_year_end(company)))
    return found


COMPANY_NEEDS = {
    "reported_rpo": "segment", "margin": "segment", "margin_effect": "segment", "margin_effect_resold": "segment",
    "operating_income": "segment", "printed_rpo": "segment", "revenue_without": "segment", "income_without": "segment",
    "depreciation": "finances", "capex_cash": "finances", "free_cash_flow": "finances", "debt": "finances", "cash_balance": "finances",
    "depreciation_burden": "finances", "capex": "capex", "revenue": "revenue",
}  # fmt: skip


def entity(measure: Measure, plan: Plan, of: str | None) -> Entity:
    """The entity called `of`; without a name, the only one there is."""
    all_of = entities(measure, plan)
    if of is None:
        if len(all_of) == 1:
            return all_of[0]
        raise QuestionError(f"'{measure.name}' needs --of, one of: {', '.join(e.label for e in all_of)}")
    for e in all_of:
        if e.label == of:
            return e
    raise QuestionError(f"'{measure.name}' is not known of '{of}'; it is known of: {', '.join(e.label for e in all_of) or 'nothing here'}")
