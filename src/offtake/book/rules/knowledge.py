"""What was known, and from whom: sources, reasons, and the look-ahead guard (N-05, T-02)."""

from __future__ import annotations

from collections.abc import Iterator

from ...lookahead import days_in, quoted_days
from ..fields import Sourced
from ..numbers import Number, Series
from ..terms import Book
from .finding import Finding, Steps, terms_of, unknown


def known_sources(book: Book) -> Iterator[Finding]:
    """Every source id stands under `sources` (N-05)."""
    seen: set[Steps] = set()
    for steps, term in terms_of(book):
        source = getattr(term, "source", None)
        if not source or source in book.sources or any(steps[:n] in seen for n in range(len(steps))):
            continue
        seen.add(steps)
        yield unknown((*steps, "source"), source, book.sources, "sources", "N-05")


def sourced(book: Book) -> Iterator[Finding]:
    """Every number has a source or a reason (N-05)."""
    for steps, term in terms_of(book):
        if isinstance(term, Number) and not term.source and not term.assumed and not term.fact:
            fix = "cite it, as in `38 bn USD [deal]`, or give `source` or `assumed` to it or to the term around it"
            yield Finding(steps, term.text, "a number has a source, or is assumed with a reason (N-05)", fix)


def one_origin(book: Book) -> Iterator[Finding]:
    """A term is sourced or assumed, not both (N-05)."""
    for steps, term in terms_of(book):
        if isinstance(term, Sourced) and term.source and term.assumed:
            fix = "keep one; a number inside may carry its own"
            yield Finding((*steps, "assumed"), "source and assumed", "a term has a source, or is assumed (N-05)", fix)


def published(book: Book) -> Iterator[Finding]:
    """No document is later than `as_of` (T-02)."""
    for name, source in book.sources.items():
        if source.published > book.as_of.date():
            rule = f"a document known on {book.as_of.date()}, the book's `as_of` (T-02)"
            fix = "cite what was known then, or move `as_of`"
            yield Finding(("sources", name, "published"), str(source.published), rule, fix)
        for day in days_in(source.url or ""):
            if day > book.as_of.date():
                rule = f"a document known on {book.as_of.date()}, the book's `as_of` (T-02)"
                yield Finding(("sources", name, "url"), f"{day} in the address", rule, "cite what was known then")


def notes(book: Book) -> Iterator[Finding]:
    """No note, reason or title quotes what was published after `as_of` (T-02). Plans for later days may stand there."""
    limit = book.as_of.date()
    told: set[str] = set()
    for steps, term in terms_of(book):
        for key in ("note", "assumed", "title"):
            text = getattr(term, key, None)
            if not isinstance(text, str) or (isinstance(term, (Number, Series)) and text in told):
                continue
            told.add(text)
            for day in quoted_days(text):
                if day > limit:
                    rule = f"a note quotes what was known on {limit}, the book's `as_of` (T-02)"
                    yield Finding((*steps, key), f"{day} in: {text[:60]}", rule, "take the later document out")


def due(book: Book) -> Iterator[Finding]:
    """A signal is registered before the fact (E-01)."""
    for name, signal in book.signals.items():
        if signal.due <= book.as_of.date():
            rule = f"a day after {book.as_of.date()}, the book's `as_of` (E-01)"
            yield Finding(("signals", name, "due"), str(signal.due), rule, "what is known already is a claim or a source")


def alerts(book: Book) -> Iterator[Finding]:
    """A threshold says which side of it asks for the action, and a signal that may never come what is read in its place (E-01)."""
    for name, signal in book.signals.items():
        if signal.threshold is not None and signal.alert is None:
            rule = "a threshold says which side of it asks for the action (E-01)"
            yield Finding(("signals", name, "threshold"), signal.threshold.text, rule, "add `alert: above` or `alert: below`")
        if signal.alert is not None and signal.threshold is None:
            rule = "an alert has a threshold (E-01)"
            yield Finding(("signals", name, "alert"), signal.alert, rule, "add `threshold`, or leave the alert out")
        if signal.never is not None and signal.never.median() > 0.0 and signal.proxy is None:
            rule = "a signal that may never be published has a proxy (E-01)"
            fix = "add `proxy: {measure: .., link: ..}`, its link error as a share"
            yield Finding(("signals", name, "never"), signal.never.text, rule, fix)
