"""An article beside the record: its claims, what can be recomputed between them, and the verdict on each as known on its date."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from ..book.numbers import Number
from ..evidence.article.arithmetic import Check, checks
from ..evidence.article.claims import Claim, Read, read
from ..evidence.article.draft import Origin, draft
from ..evidence.article.records import Record, Verdict, reckoned, spoken, stored, verdict
from ..evidence.article.source import source_of

if TYPE_CHECKING:
    from ..book.terms import Book
    from ..closes import Closes
    from ..facts import Facts


@dataclass(frozen=True)
class Article:
    """What `offtake read` shows: claims with their verdicts, in the order of the text, and the checks between them."""

    read: Read
    verdicts: tuple[Verdict, ...]
    checks: tuple[Check, ...]
    as_of: date | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `offtake read --json`: numbers as they are, absent is None."""
        return {
            "title": self.read.title,
            "date": self.read.day.isoformat() if self.read.day else None,
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "claims": [_claim(c, v) for c, v in zip(self.read.claims, self.verdicts)],
            "checks": [c._asdict() | {"claims": list(c.claims)} for c in self.checks],
        }

    def draft(self, publisher: str) -> str:
        """YAML of `sources` and `claims` for a book. Raises QuestionError without a date."""
        return draft(self.read, list(self.verdicts), Origin(publisher, self.read.day))


def _claim(c: Claim, v: Verdict) -> dict[str, Any]:
    q = c.quantity
    return {
        "text": c.text,
        "span": list(c.span),
        "kind": c.kind,
        "quantity": {"value": q.value, "low": q.low, "high": q.high, "unit": q.unit, "of": q.of or None, "hedge": q.hedge or None},
        "subject": c.subject,
        "speaker": c.speaker,
        "date": c.date or None,
        "verdict": v.text,
        "negated": c.negated,
        "company": c.company or None,
        "others": list(c.others),
        "metric": c.metric or None,
        "sentence": list(c.sentence),
        "record": v.record.to_dict() if v.record else None,
        "note": "; ".join(n for n in (q.note, v.note) if n) or None,
    }


@dataclass(frozen=True)
class Beside:
    """What an article is set beside: the facts on record, and where they are given a book's sourced terms and daily closes."""

    facts: Facts
    book: Book | None = None
    closes: Closes | None = None


def line_up(text: str, page: bool | None, as_of: date | None, beside: Beside) -> Article:
    """Read a text and set it beside the record: as known on `as_of`, else on the article's own date (T-02)."""
    article = read(source_of(text, page), as_of)
    day = as_of or article.day
    records: Sequence[Record] = (*spoken(), *stored(beside.facts), *reckoned(beside.facts), *(_of_book(beside.book) if beside.book else ()))
    by_metric: dict[str, list[Record]] = {}
    for record in records:
        by_metric.setdefault(record.metric, []).append(record)
    verdicts = tuple(verdict(c, by_metric.get(c.metric, ()), day) for c in article.claims)
    return Article(article, verdicts, tuple(checks(article.claims, _before(beside.closes, day))), day)


def _of_book(book: Book) -> list[Record]:
    """Sourced totals and terms of a book's contracts: an assumed number is no record."""
    company = {name: c.ticker or name.upper() for name, c in book.companies.items()}
    found = []
    for name, deal in book.contracts.items():
        two = (company.get(deal.provider, deal.provider.upper()), company.get(deal.customer, deal.customer.upper()))
        for metric, number, unit in (("contract value", deal.total, "USD"), ("term", deal.term, "month")):
            source = book.sources.get(number.source or deal.source or "") if isinstance(number, Number) else None
            if not isinstance(number, Number) or source is None or number.kind != "constant" or number.assumed:
                continue
            published, note = date.fromisoformat(str(source.published)[:10]), f"contracts.{name} of the book"
            found.append(
                Record(*two, metric, "", number.median(), None, None, unit, published, source.quality, source.publisher, source.title, note)
            )
    return found


def _before(closes: Closes | None, day: date | None) -> dict[str, float]:
    """The last close before a day, of each ticker that has one then."""
    if closes is None or day is None:
        return {}
    rows = [n for n, d in enumerate(closes.days) if d < day]
    if not rows:
        return {}
    return {t: float(p) for t, p in zip(closes.tickers, closes.prices[rows[-1]]) if not math.isnan(p)}
