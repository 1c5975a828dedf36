"""Where every number of a book comes from: one row a number, for `show`, `explain` and the report's list of inputs (N-05)."""

from __future__ import annotations

from typing import Any

from ..book import text
from ..book.terms import Book


def describe(book: Book) -> list[dict[str, Any]]:
    """One row a number, in book order, for `show` and the report's list of inputs."""
    rows = []
    for path, number in text.numbers_of(book):
        source, fact = book.sources.get(number.source or ""), getattr(number, "fact", None)
        rows.append(
            {
                "path": path,
                "value": number.text,
                "kind": number.kind,
                "unit": number.unit,
                "quality": quality(book, number),
                "source": number.source,
                "fact": fact.address if fact else None,
                "publisher": fact.publisher if fact else source.publisher if source else None,
                "title": fact.document if fact else source.title if source else None,
                "published": str(fact.published) if fact else str(source.published) if source else None,
                "assumed": number.assumed,
                "note": number.note,
                "line": number.line,
            }
        )
    return rows


def quality(book: Book, number: Any) -> str | None:
    """filed, stated, reported, derived or assumed (N-05)."""
    if getattr(number, "fact", None):
        return str(number.fact.quality)
    if number.source and number.source in book.sources:
        return number.quality or book.sources[number.source].quality
    return "assumed" if number.assumed else None
