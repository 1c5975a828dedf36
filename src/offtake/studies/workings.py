"""A contract on one path as a sheet of formulas: hours and terms to bills, revenue, RPO and NPV by month (C-02, A-01, A-02, V-06).

What the solver, the customer and the supply decide stands as values; what the contract's terms and the rules of accounting make of them
is a formula over cells to its left and above. Beside the results stand the model's own, so that every difference shows.

A formula names cells: `[x]` this month's x, `[x-]` last month's (the row before the first holds openings), `{x}` a term above the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..block import Block
from ..kernels import recognise, schedule, settle
from ..periods import periods_of

LANE = 0


@dataclass(frozen=True)
class Column:
    """One column: `values` (M,) from the model, or `formula`; `model` is what the formula must come to. `opening` is the row before."""

    key: str
    title: str
    unit: str
    values: np.ndarray | None = None
    formula: str = ""
    opening: float | None = None
    model: np.ndarray | None = None


@dataclass(frozen=True)
class Scalar:
    """A term above the table."""

    key: str
    title: str
    value: float
    unit: str
    path: str


@dataclass
class Sheet:
    """One contract: its terms, columns in order, results below, and what is not rebuilt, in sentences."""

    name: str
    title: str
    months: list[str]
    scalars: list[Scalar]
    columns: list[Column] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    npv: float = 0.0

    def given(self, key: str, title: str, unit: str, values: np.ndarray, opening: float | None = None) -> None:
        self.columns.append(Column(key, title, unit, values=np.asarray(values, float), opening=opening))

    def made(self, key: str, title: str, unit: str, formula: str, opening: float | None = None, model: np.ndarray | None = None) -> None:
        self.columns.append(Column(key, title, unit, formula=formula, opening=opening, model=model))


def contract_sheet(b: Block, c: int) -> Sheet:
    """The sheet of contract `c` on the block's first lane."""
    p = b.plan
    name = p.names.contracts[c]
    months = [period.label for period in periods_of(p.start, p.months, "month", 12)]
    sheet = Sheet(name, p.book.contracts[name].name, months, terms_of(b, c))
    quantities(b, c, sheet)
    dues(b, c, sheet)
    bills(b, c, sheet)
    earned(b, c, sheet)
    obligations(b, c, sheet)
    worth(b, c, sheet)
    return sheet


def at(b: Block, c: int, stage: str, name: str) -> np.ndarray:
    return np.asarray(getattr(getattr(b, stage), name)[c, :, LANE])


def has_rights(b: Block, c: int) -> bool:
    return bool(b.plan.terms.makeup_x[c] >= 0)


def before(b: Block, c: int) -> tuple[float, float, float]:
    """What was before month 0 (C-07, C-08): USD billed of the total; base and due to date of the true-up period under way."""
    consumed, base, due = settle.opening(c, LANE, b.plan.terms, b.X)
    return float(consumed), float(base), float(due)


def held_and_ahead(b: Block, c: int) -> tuple[float, float]:
    """USD prepaid and not drawn, and revenue ahead of billing, before month 0."""
    held, ahead, _ = b.before
    return float(held[c, LANE]), float(ahead[c, LANE])


def in_usd(b: Block, c: int) -> bool:
    return bool(b.plan.terms.form[c] >= schedule.BURN_DOWN)


def terms_of(b: Block, c: int) -> list[Scalar]:
    """Terms that are one number, at the mean path."""
    t, r, name = b.plan.terms, b.plan.recognition, b.plan.names.contracts[c]

    def of(key: str, title: str, row: int, unit: str) -> Scalar:
        return Scalar(key, title, float(b.X[row, LANE]) if row >= 0 else 0.0, unit, f"contracts.{name}.{key}")

    return [
        of("total", "total value", t.total_x[c], "USD"),
        of("term", "term", t.term_x[c], "month"),
        of("take_or_pay", "take or pay", t.take_or_pay_x[c], "share"),
        of("credit", "credit for late hours", t.credit_x[c] if t.remedy[c] == schedule.CREDIT else -1, "share"),
        of("prepaid", "prepaid at the start", t.prepaid_x[c], "USD"),
        of("financing_rate", "financing rate a year", t.financing_x[c], "share"),
        of("breakage", "expected breakage", r.breakage_x[c] if not has_rights(b, c) else -1, "share"),
        of("discount_rate", "provider's discount rate a year", b.plan.rate_x[c], "share"),
    ]


def quantities(b: Block, c: int, sheet: Sheet) -> None:
    """What stands, is promised, available and used; the model's own results."""
    months = np.arange(b.plan.months, dtype=float)
    sheet.given("m", "month number", "", months)
    sheet.given("alive", "share that stands", "share", b.signed.alive[c, :, LANE], opening=1.0)
    sheet.given("committed", "committed", "GPU-h", at(b, c, "schedule", "committed"))
    sheet.given("available", "made available", "GPU-h", at(b, c, "schedule", "available"))
    sheet.given("price", "price", "USD/GPU-h", at(b, c, "schedule", "price"))
    sheet.given("used", "used", "GPU-h", at(b, c, "settlement", "used"))
    sheet.given("ends", "term ends", "0 or 1", at(b, c, "schedule", "ends"))
    sheet.given("trued", "trued up", "0 or 1", at(b, c, "settlement", "trued"), opening=0.0)
    if has_rights(b, c):
        for key, title in (("makeup", "make-up taken"), ("makeup_opened", "make-up opened"), ("makeup_expired", "make-up expired")):
            sheet.given(key, title, "GPU-h", at(b, c, "settlement", key))
        sheet.given("owed", "owed to make-up rights", "USD", at(b, c, "books", "makeup_owed"), opening=0.0)
        sheet.said.append("Make-up hours taken, opened and expired, and what is owed for them, are the model's values, not rebuilt.")
    if b.plan.terms.optional[c]:
        for key, title, unit in (("fee", "penalty", "share"), ("change", "change", "share"), ("extra", "value added", "USD")):
            sheet.given(f"option_{key}", f"options: {title}", unit, at(b, c, "schedule", key))
        sheet.said.append("What options change is the model's value: options are exercised on the path's state (C-06).")


def dues(b: Block, c: int, sheet: Sheet) -> None:
    """Due, base and overage of the month (C-02, C-08)."""
    form = b.plan.terms.form[c]
    options = bool(b.plan.terms.optional[c])
    gone = "IF([alive-]>0,[left-]*(1-[alive]/[alive-]),0)"
    sheet.made("terminated", "value terminated", "USD", gone, model=at(b, c, "settlement", "terminated"))
    if options:
        sheet.made("penalty", "penalty", "USD", "[left-]*[option_fee]")
        sheet.made("added", "value added", "USD", "([left-]-[terminated])*[option_change]+[option_extra]*[alive]")
    added, past = ("+[added]" if options else ""), "IF([trued-]=1,0,[{}-])"
    sheet.made("room", "value not billed yet", "USD", f"[left-]-[terminated]{added}")
    if in_usd(b, c):
        amounts(b, c, sheet)
        room = "[room]" if form == schedule.BURN_DOWN else f"MIN([amount]*[alive]-{past.format('base_sum')},[room])"
        sheet.made("open", "amount left", "USD", f"MAX({room},0)")
        sheet.made("base", "base", "USD", "MIN([price]*[used],[open])")
        beyond = "IF([price]*[used]>[open],MAX([used]-[open]/[price],0),0)"
        sheet.made("overage", "overage", "GPU-h", beyond, model=at(b, c, "settlement", "overage"))
        sheet.made("due", "due", "USD", "[amount]*[alive]/[length]*[in_term]")
    else:
        hours(b, c, sheet)
    unit = "USD" if in_usd(b, c) else "GPU-h"
    _, base, due = before(b, c)
    for key, title, opening in (("due", "due to date", due), ("base", "base to date", base)):
        model = at(b, c, "settlement", f"ytd_{key}")
        sheet.made(f"{key}_sum", title, unit, f"{past.format(f'{key}_sum')}+[{key}]", opening=opening, model=model)


def hours(b: Block, c: int, sheet: Sheet) -> None:
    """Due, base and overage where the commitment is in hours (C-02)."""
    reserved = b.plan.terms.form[c] == schedule.RESERVED
    taken = "([used]-[makeup])" if has_rights(b, c) else "[used]"
    sheet.made("promised", "committed and standing", "GPU-h", "[committed]*[alive]")
    sheet.made("there", "available and standing", "GPU-h", "[available]*[alive]")
    sheet.made("base", "base", "GPU-h", "[there]" if reserved else f"MIN({taken},[promised])", model=at(b, c, "settlement", "base"))
    overage = f"MAX({taken}-MAX(MIN({taken},[promised]),0),0)"
    sheet.made("overage", "overage", "GPU-h", overage, model=at(b, c, "settlement", "overage"))
    owed = "MAX({take_or_pay}*[promised]-MAX([promised]-[there],0),0)"
    sheet.made("due", "due", "GPU-h", "[there]" if reserved else owed)


def amounts(b: Block, c: int, sheet: Sheet) -> None:
    """USD committed in the period that each month lies in, and the months that share it (C-08)."""
    t = b.plan.terms
    found = [schedule.period_amount(c, LANE, m - int(t.starts[c]), t, b.X) for m in range(b.plan.months)]
    sheet.given("amount", "amount of the period", "USD", np.array([a for a, _ in found]))
    sheet.given("length", "months of the period", "month", np.array([n for _, n in found]))
    sheet.given("in_term", "within the term", "0 or 1", at(b, c, "schedule", "in_term"))


def bills(b: Block, c: int, sheet: Sheet) -> None:
    """What is charged within the total, credited, billed, and drawn from a prepayment (C-02 to C-09)."""
    t, usd = b.plan.terms, in_usd(b, c)
    late = "0" if t.form[c] == schedule.BURN_DOWN else "IF([trued]=1,MAX([due_sum]-[base_sum],0),0)"
    sheet.made("deficiency", "deficiency", "USD" if usd else "GPU-h", late)
    owed = ("" if usd else "[price]*") + "([base]+[deficiency])"
    at_end = t.at_end[c]
    charge = f"MIN({owed},[room])"
    charge = f"IF([ends]=1,[room],{charge})" if at_end == schedule.SHORTFALL else charge
    sheet.made("charge", "charged", "USD", charge, model=at(b, c, "settlement", "charge"))
    lapsed = "IF([ends]=1,[room]-[charge],0)" if at_end == schedule.LAPSE else "0"
    sheet.made("lapsed", "lapsed", "USD", lapsed, model=at(b, c, "settlement", "lapsed"))
    left = at(b, c, "settlement", "remaining")
    sheet.made("left", "value left", "USD", "[room]-[charge]-[lapsed]", opening=total_of(sheet) - before(b, c)[0], model=left)
    late_hours = "MAX([committed]*[alive]-[available]*[alive],0)"
    credit = f"MIN({{credit}}*[price]*{late_hours},[charge])" if t.remedy[c] == schedule.CREDIT else "0"
    sheet.made("credited", "credit", "USD", credit, model=at(b, c, "settlement", "credit"))
    dear = t.overage_y[c] >= 0
    if dear:
        sheet.given("overage_price", "price beyond the commitment", "USD/GPU-h", b.Y[t.overage_y[c], :, LANE])
    price = "[overage_price]" if dear else "[price]"
    extra = f"[overage]*{price}" if t.allows_overage[c] else "0"
    sheet.made("overage_usd", "overage", "USD", extra, model=at(b, c, "settlement", "overage_usd"))
    penalty = "+[penalty]" if t.optional[c] else ""
    billed = f"[charge]-[credited]+[overage_usd]{penalty}"
    sheet.made("billed", "billed", "USD", billed, model=at(b, c, "settlement", "billed"))
    prepayment(b, c, sheet)


def total_of(sheet: Sheet) -> float:
    return next(s.value for s in sheet.scalars if s.key == "total")


def prepayment(b: Block, c: int, sheet: Sheet) -> None:
    """The contract liability of a prepayment (C-09)."""
    first = max(int(b.plan.terms.starts[c]), 0)
    begins = b.plan.terms.starts[c]
    received = "0" if b.plan.terms.consumed_x[c] >= 0 else f"IF([m]={first},{{prepaid}},0)"  # else it came before month 0
    sheet.made("received", "prepayment received", "USD", received, model=at(b, c, "settlement", "prepaid_in"))
    sheet.made("gone", "contract over", "0 or 1", "IF(OR([ends]>0,AND([alive]<=0,[alive-]>0)),1,0)")
    ahead = f"{int(begins)}+INT({{term}}+0.5)-[m]>12"
    sheet.made("interest", "interest", "USD", f"IF({ahead},[unearned-]*{{financing_rate}}/12,0)", model=at(b, c, "settlement", "interest"))
    sheet.made("drawdown", "drawn by bills", "USD", "MIN([billed],[unearned-]+[received]+[interest])")
    sheet.made("refunded", "refunded", "USD", "([unearned-]+[received]+[interest]-[drawdown])*[gone]")
    held = "[unearned-]+[received]+[interest]-[drawdown]-[refunded]"
    opening, _ = held_and_ahead(b, c)
    sheet.made("unearned", "prepaid and not drawn", "USD", held, opening=opening, model=at(b, c, "settlement", "unearned"))


def earned(b: Block, c: int, sheet: Sheet) -> None:
    """Revenue (A-01): accrued by policy inside a true-up period, caught up with charges at its end."""
    _, ahead = held_and_ahead(b, c)
    rights, policy, usd = has_rights(b, c), b.plan.recognition.policy[c], in_usd(b, c)
    per = "" if usd else "[price]*"
    past = {k: f"IF([trued-]=1,0,[{k}-])" for k in ("base_sum", "due_sum")}
    if policy == recognise.RESERVED:
        accrued = f"{per}MAX(MAX([base_sum],[due_sum])-MAX({past['base_sum']},{past['due_sum']}),0)"
    elif policy == recognise.IN_PROPORTION:
        accrued = f"{per}([base_sum]-{past['base_sum']})/MAX(1-{{breakage}},1E-12)"
    else:
        unused = f"MAX([due_sum]-[base_sum],0)-MAX({past['due_sum']}-{past['base_sum']},0)"
        accrued = f"{per}MAX([base_sum]-{past['base_sum']}+{{breakage}}*({unused}),0)"
    sheet.made("accrued", "accrued by policy", "USD", accrued)
    deferred = "[price]*[makeup_opened]" if rights else "0"
    added = "+[added]" if b.plan.terms.optional[c] else ""
    sheet.made("charged", "charged to date", "USD", f"[charged-]+[charge]-{deferred}", opening=0.0)
    owed = "-[owed-]" if rights else ""
    own = f"IF([trued]=1,[charged]-[own_sum-],MIN([accrued],[to_come-]{owed}-[terminated]-[lapsed]{added}))"
    sheet.made("own", "earned on charges", "USD", own)
    sheet.made("own_sum", "earned on charges to date", "USD", "[own_sum-]+[own]", opening=ahead)
    sheet.made("earned", "earned of the value", "USD", f"[own]+[owed-]+{deferred}-[owed]" if rights else "[own]")
    taken = "-[added]" if added else ""
    to_come = f"[to_come-]-([terminated]+[lapsed]+[earned]{taken})"
    sheet.made("to_come", "value not earned yet", "USD", to_come, opening=total_of(sheet) - before(b, c)[0] - ahead)
    sheet.made("earned_sum", "earned to date", "USD", "[earned_sum-]+[earned]", opening=0.0)
    penalty = "+[penalty]" if added else ""
    revenue, model = f"[earned]+[overage_usd]-[credited]{penalty}", at(b, c, "books", "revenue")
    if len(b.equity.contra) and np.abs(b.equity.contra[c, :, LANE]).max() > 0:
        sheet.given("contra", "equity given to the customer, borne by revenue", "USD", b.equity.contra[c, :, LANE])
        revenue += "-[contra]"
        sheet.said.append("What revenue bears for equity given to the customer is the model's value (C-10).")
    if leased(b, c):
        sheet.said.append("Booked as a lease: revenue and RPO here are those of the same contract as a service (A-01).")
    sheet.made("revenue", "revenue", "USD", revenue, model=None if leased(b, c) else model)


def leased(b: Block, c: int) -> bool:
    """Whether what is booked is a lease."""
    rows = np.flatnonzero(b.plan.leases.contract == c)
    return bool(len(rows)) and bool(b.plan.leases.booked[rows[0]] != 0)


def obligations(b: Block, c: int, sheet: Sheet) -> None:
    """RPO (A-02): firm value comes in, revenue and terminations go out, while it is collectible."""
    mode = int(b.X[b.plan.recognition.firm_on_x[c], LANE])
    signed = (np.arange(b.plan.months) >= b.plan.terms.signed[c]).astype(float)
    by = {recognise.SIGNING: signed, recognise.ORDER: b.ordered[c, :, LANE], recognise.TRANCHE: b.delivered[c, :, LANE]}
    sheet.given("firm", "firm by its event", "share", by.get(mode, np.zeros(b.plan.months)))
    sheet.given("collectible", "collectible", "0 or 1", b.payments.collectible[c, :, LANE])
    added = "[added]" if b.plan.terms.optional[c] else "0"
    sheet.made("share", "firm share", "share", "MAX([firm],[share-])", opening=0.0)
    sheet.made("cancelled", "RPO terminated", "USD", "MIN([latent-],[share-]*[terminated])")
    sheet.made("ended", "RPO lapsed", "USD", "MIN([latent-]-[cancelled],[share-]*[lapsed])")
    sheet.made("lost", "taken away by options", "USD", f"MIN([latent-]-[cancelled]-[ended],[share]*MAX(-{added},0))")
    early = f"[early-]+[share-]*([terminated]+[lapsed])-[cancelled]-[ended]+[share]*MAX(-{added},0)-[lost]"
    sheet.made("early_now", "earned before it was firm", "USD", early)
    firm = f"MAX([share]-[share-],0)*([to_come]+[earned_sum]-{added})+[share]*MAX({added},0)"
    sheet.made("turned", "value turned firm", "USD", firm)
    sheet.made("absorbed", "of it earned already", "USD", "MIN([early_now],[turned])")
    sheet.made("new", "new RPO", "USD", "[turned]-[absorbed]-[lost]")
    sheet.made("undone", "revenue taken back outside", "USD", "MIN(MAX(-[earned],0),[early_now]-[absorbed])")
    sheet.made("inside", "revenue inside RPO", "USD", "MIN(MAX([earned],0),[latent-]-[cancelled]-[ended]+[new])")
    sheet.made("scope", "revenue out of RPO", "USD", "[inside]-(MAX(-[earned],0)-[undone])")
    sheet.made("latent", "firm and not earned", "USD", "[latent-]-[cancelled]-[ended]+[new]-[scope]", opening=0.0)
    carried = "[early_now]-[absorbed]-[undone]+MAX([earned],0)-[inside]"
    sheet.made("early", "earned before it was firm, carried", "USD", carried, opening=0.0)
    net = len(b.equity.left) and np.abs(b.equity.left[c, :, LANE]).max() > 0
    sheet.made("rpo", "RPO", "USD", "[latent]*[collectible]", model=None if leased(b, c) or net else at(b, c, "books", "rpo"))
    if net:
        sheet.said.append("RPO here is before what revenue bears for equity given to the customer (C-10); the model reports it net.")


def worth(b: Block, c: int, sheet: Sheet) -> None:
    """NPV (V-06): cash in less cash out at the provider's rate, by month end."""
    sheet.given("paid", "collected", "USD", b.payments.paid[c, :, LANE])
    for key, title in (("release", "re-let"), ("capex", "capex"), ("energy", "energy"), ("operations", "operations"), ("rent", "rent")):
        sheet.given(key, title, "USD", at(b, c, "ledger", key))
    more = ""
    if len(b.plan.wear.pool):
        sheet.given("sold", "chips sold", "USD", b.wear.sold[c, :, LANE])
        more += "+[sold]"
    if len(b.plan.edges.kind):
        sheet.given("equity", "equity given", "USD", b.equity.given[c, :, LANE])
        more += "-[equity]"
    sheet.made("flow", "cash of the deal, before tax", "USD", f"[paid]+[release]-[capex]-[energy]-[operations]-[rent]{more}")
    sheet.made("discount", "discount factor", "", "(1+{discount_rate})^(-([m]+1)/12)")
    sheet.made("present", "present value", "USD", "[flow]*[discount]")
    sheet.npv = float(b.npv[c, LANE])
