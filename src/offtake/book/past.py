"""The months of a contract before the book's first, and what was billed in them (C-03, C-07)."""

from __future__ import annotations

from .forms import word
from .numbers import Month
from .terms import Book, Contract


def starts_of(deal: Contract) -> int:
    """The contract's first month, absolute."""
    return int(deal.starts if deal.starts is not None else deal.signed)


def months_before(book: Book, deal: Contract) -> range:
    """Absolute months of a contract that lie before the book's first."""
    return range(starts_of(deal), int(book.start))


def period_before(book: Book, deal: Contract) -> range:
    """Of these, the months in the true-up period under way; a monthly period has none."""
    whole, true_up = months_before(book, deal), word(deal, "true_up")
    if true_up == "month" or deal.form in ("reserved", "capacity_block"):
        return range(whole.stop, whole.stop)
    return whole if true_up == "term" else range(whole.stop - len(whole) % 12, whole.stop)


def consumed_of(book: Book, name: str) -> tuple[float, float]:
    """USD billed before the book's first month by month: in all, and in the true-up period under way."""
    deal = book.contracts[name]
    past = deal.consumed
    assert past is not None
    usd = {month: past.months[str(Month(month))].median() for month in months_before(book, deal)}
    return sum(usd.values()), sum(usd[m] for m in period_before(book, deal))
