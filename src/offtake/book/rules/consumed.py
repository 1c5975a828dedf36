"""Consumption to date (C-07, C-08): a contract begun before the book says what was billed of it, month by month, without a gap."""

from __future__ import annotations

from collections.abc import Iterator

from ..consumption import Consumed
from ..numbers import Month
from ..past import months_before, period_before
from ..terms import Book, Contract
from .finding import Finding, billing


def begun(book: Book) -> Iterator[Finding]:
    """Who starts before the book's first month states `consumed`, and nobody else."""
    for name, deal in billing(book).items():
        early = len(months_before(book, deal)) > 0
        if early and deal.consumed is None:
            at = ("contracts", name, "starts" if deal.starts is not None else "signed")
            rule = f"a contract begun before {book.start}, the book's first month, states what was consumed (C-07)"
            fix = "add `consumed: {months: {..}}` or `consumed: {focus: FILE, commitment: ID}`"
            yield Finding(at, str(Month(months_before(book, deal).start)), rule, fix)
        if deal.consumed is not None and not early:
            rule = f"nothing was consumed of a contract that starts in {book.start} or later (C-07)"
            yield Finding(("contracts", name, "consumed"), "`consumed`", rule, "remove it, or mend `starts`")


def _told(book: Book) -> Iterator[tuple[str, Contract, Consumed]]:
    for name, deal in billing(book).items():
        if deal.consumed is not None and months_before(book, deal):
            yield name, deal, deal.consumed


def one_way(book: Book) -> Iterator[Finding]:
    """By month, as one sum or from an export."""
    for name, _, past in _told(book):
        if bool(past.months) == (past.billed is not None):
            got = "`months` and `billed`" if past.months else "neither"
            yield Finding(("contracts", name, "consumed"), got, "one of `months`, `billed` and `focus` (C-07)", "keep one")
        for month, usd in past.months.items():
            if usd.kind != "constant" or usd.params[0] < 0.0:
                rule = "what was billed is one number, not below zero (C-07)"
                yield Finding(("contracts", name, "consumed", "months", month), usd.text, rule, "write it, or `billed: a to b USD`")


def whole(book: Book) -> Iterator[Finding]:
    """Every month from the contract's start to the book's; a month without consumption says `0 USD` (N-06)."""
    for name, deal, past in _told(book):
        at = ("contracts", name, "consumed", "focus" if past.focus else "months")
        wanted = [str(Month(m)) for m in months_before(book, deal)]
        missing = [month for month in wanted if month not in past.months] if past.months else []
        if missing:
            rule = f"consumption is known of each month from {wanted[0]} to {wanted[-1]}; nothing is filled with zero (N-06)"
            yield Finding(at, f"nothing of {', '.join(missing)}", rule, "add them, or mend `starts`")
        outside = sorted(m for m in past.months if m < wanted[0] or (m > wanted[-1] and not past.focus))
        if outside:
            rule = f"consumption to date lies from {wanted[0]}, the contract's start, to {wanted[-1]} (C-07)"
            yield Finding(at, ", ".join(outside), rule, "remove them, or mend `starts`")


def period(book: Book) -> Iterator[Finding]:
    """What of it counts in the true-up period under way."""
    for name, deal, past in _told(book):
        under_way = period_before(book, deal)
        hours = deal.form == "take_or_pay" and len(under_way) > 0
        for key, value in (("used", past.used), ("due", past.due)):
            if hours and value is None:
                rule = f"hours due and used since {Month(under_way.start)} are settled with those to come (C-03)"
                yield Finding(("contracts", name, "consumed"), f"no `{key}`", rule, f"add `{key}: 1 M GPU-h` or what was counted")
            if not hours and value is not None:
                rule = "hours are told of a take_or_pay contract within a true-up period (C-03)"
                yield Finding(("contracts", name, "consumed", key), value.text, rule, "remove it")
        if past.billed is not None and deal.form == "build_up" and len(under_way) < len(months_before(book, deal)):
            rule = "each commitment year is settled by itself (C-08)"
            yield Finding(("contracts", name, "consumed", "billed"), past.billed.text, rule, "write `months`")


def others(book: Book) -> Iterator[Finding]:
    """What this version does not carry over from before the book's first month."""
    of_edges = {edge.contract for edge in book.equity.values()}
    for name, deal, _ in _told(book):
        leased = deal.lease_rate is not None or deal.recognition in ("operating_lease", "sales_type_lease")
        for key, there in (("makeup", deal.makeup is not None), ("lease_rate", leased), ("equity", name in of_edges)):
            if there:
                rule = f"what was before {book.start} of `{key}` is not carried over (docs/limits.md)"
                yield Finding(("contracts", name, "consumed"), f"with `{key}`", rule, "start the book with the contract, or leave it out")
