"""Contract forms that deepen the plain ones: make-up, amounts in USD, capacity blocks (C-02, C-04, C-08)."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from math import ceil

from ..forms import FIXED, IN_USD
from ..numbers import Number, Series
from ..ranges import support
from ..terms import Book, Contract
from .finding import Finding, billing, middle

YEAR = 12.0  # months
ROUNDED = 0.01  # a sum in rounded numbers agrees within this


def makeup(book: Book) -> Iterator[Finding]:
    """A make-up right stands on a deficiency: take-or-pay hours, recognised as they are taken (C-04, A-01)."""
    for name, deal in billing(book).items():
        if deal.makeup is None:
            continue
        at = ("contracts", name, "makeup")
        if deal.form != "take_or_pay":
            rule = "make-up gives back hours of a deficiency, which take_or_pay alone has (C-04)"
            yield Finding(at, f"make-up in a {deal.form} contract", rule, "remove `makeup`, or write `form: take_or_pay`")
        elif deal.recognition != "usage":
            rule = "a deficiency with a make-up right is owed, not earned, until it is taken or expires (A-01)"
            yield Finding(("contracts", name, "recognition"), f"{deal.recognition}, with make-up", rule, "write `recognition: usage`")


def leases(book: Book) -> Iterator[Finding]:
    """A lease is of identified GPUs by the hour, and states its rate (A-01)."""
    for name, deal in billing(book).items():
        leased = deal.recognition in ("operating_lease", "sales_type_lease")
        if (leased or deal.lease_rate is not None) and deal.form not in ("reserved", "take_or_pay"):
            key = "recognition" if leased else "lease_rate"
            rule = "a lease is of GPUs held for the customer: reserved or take_or_pay (A-01, ASC 842-10-15-9)"
            yield Finding(("contracts", name, key), f"a lease in a {deal.form}", rule, f"remove `{key}`, or choose another form")
        elif leased and deal.lease_rate is None:
            rule = "a lease states the rate implicit in it, and so all treatments stand side by side (A-01)"
            yield Finding(("contracts", name), "no `lease_rate`", rule, "add `lease_rate: 9 %`")
        elif deal.lease_rate is not None and deal.makeup is not None:
            rule = "a right to make-up hours is no lease (A-01)"
            yield Finding(("contracts", name, "lease_rate"), deal.lease_rate.text, rule, "remove it, or `makeup`")


def fixed_words(book: Book) -> Iterator[Finding]:
    """What a form settles by itself is not said otherwise (C-08)."""
    for name, deal in billing(book).items():
        for key, implied in FIXED.get(deal.form, {}).items():
            said = getattr(deal, key)
            if said is not None and said != implied:
                rule = f"a {deal.form} has `{key}: {implied}` (C-08)"
                yield Finding(("contracts", name, key), said, rule, "remove it, or choose another form")
        if deal.form == "build_up" and deal.true_up == "month":
            rule = "a build_up is trued up by commitment year or at the end (C-08)"
            yield Finding(("contracts", name, "true_up"), "month", rule, "write `true_up: year` or `true_up: term`")


def yearly(book: Book) -> Iterator[Finding]:
    """A yearly true-up has a year to close (C-03)."""
    for name, deal in billing(book).items():
        if deal.true_up == "year" and deal.term is not None and support(deal.term)[1] < YEAR:
            got = f"year, in a contract of {deal.term.text}"
            yield Finding(("contracts", name, "true_up"), got, "no true-up period is longer than the term (C-03)", "write `true_up: term`")


def own_terms(book: Book) -> Iterator[Finding]:
    """Terms that one form alone can have stand in no other; a price per hour measures an amount in USD (C-08)."""
    for name, deal in billing(book).items():
        for key, form in (("committed", "build_up"), ("gpus", "capacity_block")):
            if getattr(deal, key) and deal.form != form:
                rule = f"`{key}` is a term of a {form} (C-08)"
                yield Finding(("contracts", name, key), f"`{key}` in a {deal.form} contract", rule, f"remove it, or write `form: {form}`")
        if deal.form == "capacity_block" and deal.gpus is None:
            rule = "a capacity_block states its `gpus` (C-08)"
            yield Finding(("contracts", name), "no `gpus`", rule, "add `gpus: 1 k GPU` or what the contract says")
        if deal.form in (*IN_USD, "capacity_block") and deal.price == "implied":
            rule = f"a {deal.form} states what an hour costs (C-08)"
            yield Finding(("contracts", name, "price"), "implied", rule, "write a price, as in `2.4 USD/GPU-h`")
        if deal.form in (*IN_USD, "capacity_block") and deal.late is not None and deal.late.remedy != "none":
            rule = f"a {deal.form} has no schedule that could be late (C-05, C-08)"
            yield Finding(("contracts", name, "late", "remedy"), deal.late.remedy, rule, "remove `late`")


def years(book: Book) -> Iterator[Finding]:
    """Commitments by year: one a commitment year, adding up to the total (C-08)."""
    for name, deal in billing(book).items():
        if not deal.committed or deal.form != "build_up":
            continue
        at = ("contracts", name, "committed")
        if deal.true_up == "term":
            rule = "commitments by year are trued up by year (C-08)"
            yield Finding(at, f"{len(deal.committed)} years, trued up at the end", rule, "write `true_up: year`, or remove `committed`")
        wanted = ceil(middle(deal.term) / 12.0 - 1e-9) if deal.term is not None else len(deal.committed)
        if len(deal.committed) != wanted:
            rule = f"one commitment a year of the term, {wanted} in all (C-08)"
            yield Finding(at, f"{len(deal.committed)} of {wanted} years", rule, "add or remove years, or mend the term")
        total = sum(middle(amount) for amount in deal.committed)
        if isinstance(deal.total, Number) and abs(total - middle(deal.total)) > ROUNDED * middle(deal.total):
            rule = f"commitments add up to the total, {middle(deal.total) / 1e6:,.4g} M USD (C-07)"
            yield Finding(at, f"{total / 1e6:,.4g} M USD in all", rule, "mend the years or the total")


def block_cost(book: Book) -> Iterator[Finding]:
    """A capacity block costs its GPUs x hours x price (C-08)."""
    for name, deal in billing(book).items():
        cost = _cost(book, deal)
        if cost is None or not isinstance(deal.total, Number) or abs(cost - middle(deal.total)) <= ROUNDED * middle(deal.total):
            continue
        rule = f"GPUs x hours x price are the total, {middle(deal.total) / 1e6:,.4g} M USD (C-08)"
        yield Finding(("contracts", name, "total"), f"{cost / 1e6:,.4g} M USD", rule, "mend the total, the price, the term or the GPUs")


def _cost(book: Book, deal: Contract) -> float | None:
    """USD of a capacity block at medians; None where something it needs is missing, or another form."""
    from ..timeline import value_in

    if deal.form != "capacity_block" or deal.gpus is None or deal.term is None or not isinstance(deal.price, (Number, Series)):
        return None
    first = int(deal.starts if deal.starts is not None else deal.signed)
    months = range(first, first + min(int(middle(deal.term) + 0.5), 600))
    hours = {month: 24.0 * calendar.monthrange(month // 12, month % 12 + 1)[1] for month in months}
    return sum(value_in(book, deal.price, month) * hours[month] for month in months) * middle(deal.gpus)
