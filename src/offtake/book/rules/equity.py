"""Equity edges: who they are between, what they need to vest, and that revenue can bear them (C-10)."""

from __future__ import annotations

from collections.abc import Iterator

from ..equity import Edge
from ..forms import kind_of
from ..numbers import Number
from ..terms import Book
from .finding import Finding, Steps, billing, middle, unknown


def parties(book: Book) -> Iterator[Finding]:
    """Two companies, one of them a customer; a contract that bills."""
    customers = {name for name, company in book.companies.items() if company.customer}
    for name, edge in book.equity.items():
        at: Steps = ("equity", name)
        for key, company in (("issuer", edge.issuer), ("holder", edge.holder)):
            if company not in book.companies:
                yield unknown((*at, key), company, book.companies, "companies", "C-10")
        if edge.contract is not None and edge.contract not in billing(book):
            yield unknown((*at, "contract"), edge.contract, billing(book), "contracts that bill", "C-10")
        elif {edge.issuer, edge.holder} <= set(book.companies):
            yield from _direction(book, at, edge, customers)


def _direction(book: Book, at: Steps, edge: Edge, customers: set[str]) -> Iterator[Finding]:
    kind, got = kind_of(book.contracts, edge), f"{edge.issuer} to {edge.holder}"
    if edge.issuer == edge.holder or (kind == "vendor" and edge.issuer not in customers):
        rule = "a provider's equity goes to the customer of a `contract` of the two, a customer's to anyone else (C-10)"
        yield Finding((*at, "issuer"), got, rule, "mend the two, or name their contract")
    elif kind == "vendor" and any((d.customer, d.provider) == (edge.issuer, edge.holder) for d in billing(book).values()):
        rule = "equity between a customer and its provider names their contract, whose revenue may bear it (C-10)"
        yield Finding(at, f"no `contract` between {edge.issuer} and {edge.holder}", rule, "add `contract`")
    elif kind == "vendor" and edge.paid is None:
        rule = "an outsider pays for the equity it gets (C-10)"
        yield Finding(at, "no `paid`", rule, "add `paid: 1 bn USD`")
    elif kind == "grant" and edge.paid is not None:
        rule = "equity that a provider grants is not paid for in cash; its fair value is net of what it costs to exercise (C-10)"
        yield Finding((*at, "paid"), edge.paid.text, rule, "remove `paid`, and lower `value` by it")


def vesting(book: Book) -> Iterator[Finding]:
    """Over time it has a first month and a length, with deliveries a contract."""
    for name, edge in book.equity.items():
        at = ("equity", name)
        if edge.vests == "time" and (edge.first is None or edge.over is None):
            missing = " and ".join(f"`{key}`" for key in ("first", "over") if getattr(edge, key) is None)
            rule = "equity that vests over time says from when and how long (C-10)"
            yield Finding(at, f"no {missing}", rule, "add `first: 2026-01` and `over: 12 months`")
        if edge.vests == "delivery" and edge.contract is None:
            rule = "equity that vests with deliveries names the contract (C-10)"
            yield Finding(at, "no `contract`", rule, "add `contract`, or write `vests: time`")


def bearable(book: Book) -> Iterator[Finding]:
    """Consideration to a customer stays below the contract's value (C-10, A-02)."""
    borne: dict[str, float] = {}
    for name, edge in book.equity.items():
        kind, deal = kind_of(book.contracts, edge), billing(book).get(edge.contract or "")
        if deal is None or kind == "vendor" or not isinstance(deal.total, Number):
            continue
        paid = edge.paid.median() if edge.paid else 0.0
        cost = edge.value.median() if kind == "grant" else paid - edge.value.median()
        borne[str(edge.contract)] = borne.get(str(edge.contract), 0.0) + cost
        if cost > 0.0 and borne[str(edge.contract)] >= middle(deal.total):
            rule = f"equity given to a customer stays below the contract's value, {middle(deal.total) / 1e9:,.4g} bn USD (C-10)"
            got = f"{borne[str(edge.contract)] / 1e9:,.4g} bn USD in all"
            yield Finding(("equity", name, "value"), got, rule, "mend the value or what is paid")
