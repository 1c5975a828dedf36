"""A draft of a book's `sources` and `claims` from an article: each claim a sourced `reported` number, its record beside it (N-05)."""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple

from ...errors import QuestionError
from .claims import Claim, Read
from .quantities import Quantity
from .records import Record, Verdict

WRITTEN = {"user": "users", "GPU": "GPU", "token": "tokens", "request": "requests"}  # counts that the language of books has a unit for
SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1.0, ""))


class Origin(NamedTuple):
    """Who published the article, and when."""

    publisher: str
    published: date | None


def draft(article: Read, verdicts: list[Verdict], origin: Origin) -> str:
    """YAML that can be pasted into a book. Raises QuestionError where the article has no date: an undated source proves nothing."""
    day = origin.published or article.day
    if day is None:
        raise QuestionError("a draft needs the article's date, and the text gives none; say --as-of DATE")
    lines = [
        "# A draft: read every line before it enters a book. A claim without `claimed` is a date, or has a unit that books do not know.",
        "sources:",
        f"  article: {{publisher: {_text(origin.publisher)}, title: {_text(article.title)}, published: {day}, quality: reported}}",
        "",
        "claims:" if article.claims else "claims: {}",
    ]
    for n, (claim, found) in enumerate(zip(article.claims, verdicts), 1):
        lines.append(f"  {_key(n, claim)}: {{{', '.join(_fields(claim, found, article))}}}")
    return "\n".join(lines) + "\n"


def _key(n: int, claim: Claim) -> str:
    """`c07-capex`: the place in the article, and the metric."""
    return f"c{n:02}" + (f"-{claim.metric.replace(' ', '-')}" if claim.metric else "")


def _fields(claim: Claim, found: Verdict, article: Read) -> list[str]:
    words = [f"text: {_text(_sentence(claim, article))}", f"speaker: {_text(claim.speaker)}", f"kind: {claim.kind}"]
    claimed = written(claim.quantity)
    if claimed:
        words.append(f"claimed: {claimed}")
    record = _record(found.record, claim) if found.record else ""
    if record and claimed:
        words.append(f"record: {record}")
    words += [f"verdict: {_text(_verdict(claim, found))}", "source: article"]
    return words


def _sentence(claim: Claim, article: Read) -> str:
    """The sentence, at most 160 characters around the quantity, which stands in brackets."""
    a, b = claim.quantity.a, claim.quantity.b
    text = article.source.shown
    first, last = max(claim.within[0], a - 100), min(claim.within[1], b + 60)
    return " ".join(
        f"{'..' * (first > claim.within[0])}{text[first:a]}[{text[a:b]}]{text[b:last]}{'..' * (last < claim.within[1])}".split()
    )


def _verdict(claim: Claim, found: Verdict) -> str:
    """In one line: the verdict, the record's document, what to know, and the date that the text gives."""
    said = [found.text]
    if found.record:
        said.append(f"{found.record.said()}: {found.record.document}")
    said += [note for note in (found.note, claim.quantity.note) if note]
    if claim.date and claim.quantity.unit != "date":
        said.append(f"the text dates it {claim.date}")
    if claim.negated:
        said.append("the text denies it")
    if claim.quantity.hedge in ("up to", "nearly", "at least", "about"):
        said.append(f'the text says "{claim.quantity.hedge}"')
    return "; ".join(dict.fromkeys(said))


def written(q: Quantity) -> str:
    """A quantity in the language of books, to the last digit; "" where the language has no word for it."""
    unit = {"share": "%", "multiple": "x", "month": "months", "MW": "MW", "MWh": "MWh", "USD": "USD", "USD/GPU-h": "USD/GPU-h"}.get(q.unit)
    if q.unit == "count":
        unit = WRITTEN.get(q.of)
    if unit is None:
        return ""
    ends = [q.value] if q.value is not None else [q.low, q.high]
    if None in ends:
        return ""
    return _number([x for x in ends if x is not None], unit)


def _number(ends: list[float], unit: str) -> str:
    by = 0.01 if unit == "%" else 1.0
    scale, word = next(((s, w) for s, w in SCALES if ends[-1] >= s), (1.0, "")) if unit not in ("%", "x", "months") else (by, "")
    return " to ".join(f"{x / scale:.12g}" for x in ends) + f" {word} {unit}".replace("  ", " ")


def _record(r: Record, claim: Claim) -> str:
    of = {"user": "user", "GPU": "GPU"}.get(r.unit, "")
    q = Quantity(0, 0, r.value, r.low, r.high, "count" if of else r.unit, of, 0.0, "")
    return written(q) if claim.quantity.unit != "date" else ""


def _text(text: str) -> str:
    """A quoted YAML scalar."""
    return json.dumps("".join(c if c.isprintable() else " " for c in text), ensure_ascii=False)
