"""Contracts that can be billed: the terms each form needs, dates in order, totals that hold (C-01)."""

from __future__ import annotations

from collections.abc import Iterator

from ..fields import FIRM_ON
from ..forms import IN_USD, word
from ..numbers import Month, Number, Series
from ..sharing import chips_of, promised_gpus
from ..terms import Book, Contract
from ..timeline import value_in
from .finding import Finding, billing, middle

NEEDED = {
    "term": "84 months", "price": "implied", "true_up": "year", "ramp": "readiness", "at_end": "shortfall",
    "recognition": "reserved", "firm_on": "signing",
}  # fmt: skip
WORDS = ("true_up", "ramp", "at_end", "recognition")  # a form may settle these (C-08)
HOURS = 730.5  # in a month
SLACK = 1.005  # of the total value, for rounded prices


def needed_terms(book: Book) -> Iterator[Finding]:
    """Every term that billing reads (C-01); what is absent is never filled in (N-06)."""
    for name, deal in billing(book).items():
        wanted = {**NEEDED, **({"take_or_pay": "80 %"} if deal.form == "take_or_pay" else {})}
        for key, example in wanted.items():
            if key == "price" and deal.prices:
                continue
            if (word(deal, key) if key in WORDS else getattr(deal, key)) is None:
                fix = f"add `{key}: {example}` or what the contract says"
                yield Finding(("contracts", name), f"no `{key}`", f"a {deal.form} contract states `{key}` (C-01)", fix)
        if not deal.sites:
            fix = "add `sites: [..]`, or make it `form: announced`"
            rule = f"a {deal.form} contract names the sites that serve it (C-01)"
            yield Finding(("contracts", name), "no `sites`", rule, fix)
        if not isinstance(deal.total, Number):
            fix = "give its value, or make it `form: announced`"
            rule = f"a {deal.form} contract has a total value (C-07)"
            yield Finding(("contracts", name, "total"), str(deal.total), rule, fix)
        if _may_follow_orders(deal) and deal.order_lead is None:
            fix = "add `order_lead: 6 months`: from order to delivery"
            rule = "a contract firm on order says how long before delivery (A-02)"
            yield Finding(("contracts", name), "no `order_lead`", rule, fix)


def _may_follow_orders(deal: Contract) -> bool:
    number, order = deal.firm_on, float(FIRM_ON.index("order"))
    if number is None:
        return False
    half = len(number.params) // 2
    chances = dict(zip(number.params[:half], number.params[half:])) if number.kind == "discrete" else {number.params[0]: 1.0}
    return chances.get(order, 0.0) > 0.0


def exemptions(book: Book) -> Iterator[Finding]:
    """What may stay out of RPO: contracts of a year at most, hours billed as they are worth, variable amounts (A-02)."""
    for name, deal in billing(book).items():
        at = ("contracts", name, "exemption")
        if deal.exemption == "one_year" and deal.term is not None and middle(deal.term) > 12.0:
            rule = "the one-year exemption is for contracts of at most 12 months (A-02, ASC 606-10-50-14)"
            yield Finding(at, f"a term of {middle(deal.term):.4g} months", rule, "remove it, or mend the term")
        if deal.exemption in ("right_to_invoice", "allocated_variable") and deal.form != "take_or_pay":
            rule = f"`{deal.exemption}` is about hours billed as they are used (A-02, ASC 606-10-50-14 and 50-14A)"
            yield Finding(at, f"in a {deal.form} contract", rule, "remove it, or write `form: take_or_pay`")


def words(book: Book) -> Iterator[Finding]:
    """`unsized` is a total, `implied` is a price (N-06)."""
    for name, deal in book.contracts.items():
        if deal.total == "implied":
            rule = "a value in USD, or unsized (N-06)"
            yield Finding(("contracts", name, "total"), "implied", rule, "write its value, or `unsized`")
        if deal.price == "unsized":
            rule = "a price, or implied (C-01)"
            yield Finding(("contracts", name, "price"), "unsized", rule, "write a price, or `implied` by the total")


def order_of_dates(book: Book) -> Iterator[Finding]:
    """Signed before started, started within the horizon, running lots from month 0 (T-01)."""
    last = Month(int(book.start) + book.months - 1)
    for name, deal in billing(book).items():
        starts = deal.starts if deal.starts is not None else deal.signed
        at = ("contracts", name, "starts" if deal.starts is not None else "signed")
        if starts < deal.signed:
            rule = f"a contract starts in or after {deal.signed}, when it is signed (C-01)"
            yield Finding(at, str(starts), rule, "mend one of the two")
        if starts > last:
            rule = f"a contract starts within the horizon, {book.start} to {last} (T-01)"
            yield Finding(at, str(starts), rule, "add months, or make it `form: announced`")
    for name, site in book.sites.items():
        for i, lot in enumerate(site.lots):
            if lot.running and lot.month > book.start:
                rule = f"a running lot stands in month 0, {book.start} (S-01)"
                fix = "remove `running`, or write the first month"
                yield Finding(("sites", name, "lots", i, "month"), str(lot.month), rule, fix)


def within_total(book: Book) -> Iterator[Finding]:
    """A stated price over the signed schedule stays within the total value (C-07); an amount in USD or a block has no such schedule."""
    for name, deal in billing(book).items():
        if deal.form in (*IN_USD, "capacity_block"):
            continue
        if not isinstance(deal.total, Number) or not (deal.prices or isinstance(deal.price, (Number, Series))) or deal.term is None:
            continue
        first = int(deal.starts if deal.starts is not None else deal.signed)
        months = min(int(middle(deal.term) + 0.5), 600)
        held = [(site, chip) for site in deal.sites for chip in chips_of(book, deal, site)]
        billed = hours = 0.0
        for month in range(max(first, int(book.start)), first + months):
            for site, chip in held:
                promised = promised_gpus(book, name, site, month, chip) * HOURS
                hours += promised
                billed += promised * value_in(book, _price(deal, chip), month)
        if billed > middle(deal.total) * SLACK:
            got = f"{hours / 1e6:,.4g} M GPU-h for {billed / 1e9:,.4g} bn USD"
            rule = f"price x committed hours stay within the total, {middle(deal.total) / 1e9:,.4g} bn USD (C-07)"
            fix = "mend the price, the lots or the term; or write `price: implied`"
            yield Finding(("contracts", name, "prices" if deal.prices else "price"), got, rule, fix)


def _price(deal: Contract, chip: str) -> Number | Series | None:
    price = deal.prices.get(chip) if deal.prices else deal.price
    return price if isinstance(price, (Number, Series)) else None


def finances(book: Book) -> Iterator[Finding]:
    """A whole company's finances stand on its capex, in its own definition (A-04, A-07)."""
    for name, company in book.companies.items():
        if company.finances is None:
            continue
        at = ("companies", name, "finances")
        if company.capex is None:
            rule = "free cash flow and depreciation follow from the company's capex (A-07)"
            yield Finding(at, "no `capex`", rule, f"add companies.{name}.capex, in its own definition")
        if company.tax_rate is None:
            rule = "the deals' profits are taxed at the company's own rate (V-06)"
            yield Finding(at, "no `tax_rate`", rule, f"add companies.{name}.tax_rate and where it comes from")
        if company.finances.capex_as == "cash" and middle(company.finances.leased) > 0.0:
            rule = "capex as `cash` holds no finance leases (A-04)"
            fix = "write `leased: 0`, or `capex_as: with_finance_leases`"
            yield Finding((*at, "leased"), company.finances.leased.text, rule, fix)


def providers(book: Book) -> Iterator[Finding]:
    """Cash of a contract is discounted at its provider's rate (V-06)."""
    told: set[str] = set()
    for deal in billing(book).values():
        company = book.companies.get(deal.provider)
        if company is not None and company.discount_rate is None and deal.provider not in told:
            told.add(deal.provider)
            rule = "a provider with a contract states its discount rate (V-06)"
            fix = "add `discount_rate: 9 %` and where it comes from"
            yield Finding(("companies", deal.provider), "no `discount_rate`", rule, fix)
