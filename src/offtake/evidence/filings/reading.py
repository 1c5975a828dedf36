"""One file on disk -> facts, with a count of everything that was read and not kept, and remarks on what could not be told.

What a file does not say is asked for, never guessed: the day of publication stands in companyfacts and in the header of a full submission
alone, and a page that names no company needs `--entity`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import FilingError, one_line
from ...fact_rows import Fault, fact_of, to_row
from ...facts import NAME, Fact, Facts
from ...units import write_value
from . import concepts, opening
from .companyfacts import read_companyfacts
from .quarters import derived
from .sentences import read_sentences
from .written import day_in_words
from .xbrl import Document, Item, read_document

PART = re.compile(rb"<DOCUMENT>\s*<TYPE>([^\s<]+)(.*?)</DOCUMENT>", re.DOTALL)
PERIOD = "remaining_performance_obligations_period"
SHARE = "remaining_performance_obligations_share"


class Asked(NamedTuple):
    """What the caller says of a file: the day it was published, whose it is, whether standard tags without a series count too, and what the
    document is called where that is known better than the page says it."""

    published: date | None = None
    entity: str | None = None
    every: bool = False
    document: str | None = None


class Filed(NamedTuple):
    """Whose document it is, and when it was published."""

    entity: str
    publisher: str
    published: date
    document: str


@dataclass
class Reading:
    """What became of one file. `counts`: numbers read; nil ones; of standard tags without a series; in a unit that is none of ours; of days
    that end after publication; said twice."""

    file: str
    kind: str
    entity: str
    facts: list[Fact] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by


def read_filing(path: str | Path, asked: Asked, record: Facts) -> Reading:
    """The facts of a file; quarters that follow from the year to date are worked out with what is on record. Raises FilingError."""
    content, name = opening.read_bytes(path), Path(path).name
    kind = opening.kind_of(content)
    if kind == "json":
        reading = _from_companyfacts(content, name, asked)
    elif kind == "submission":
        reading = _from_submission(content, name, asked)
    else:
        reading = _from_document(content, name, kind, asked)
    reading.facts = list(_sound(reading))
    more = derived(reading.facts, Facts([*record, *reading.facts]))
    reading.facts += more
    reading.count("derived quarters", len(more))
    return reading


def _sound(reading: Reading) -> Iterator[Fact]:
    """The facts that would read back as rows of CSV; a remark for what would not."""
    for fact in reading.facts:
        try:
            yield fact_of(to_row(fact))
        except Fault as fault:
            reading.remarks.append(f"{fact.metric} of {fact.period_end}: {one_line(fault.got, 60)}, where {fault.rule} is needed; left out")


def _from_companyfacts(content: bytes, name: str, asked: Asked) -> Reading:
    company = read_companyfacts(content, name)
    known = concepts.company_of(company.cik, company.name)
    entity = asked.entity or (known.entity if known else None) or _unknown(name, company.name)
    reading = Reading(name, "companyfacts", entity, remarks=company.remarks)
    found: list[tuple[int, Fact]] = []
    for e in company.entries:
        reading.count("numbers")
        filed = Filed(entity, _publisher(entity, company.name), e.filed, f"{e.form} {e.accession}")
        found += _fact(reading, filed, asked.every, (e.tag, "", e.unit, e.start, e.end), e.value)
    reading.facts = _once(reading, found)
    return reading


def _from_submission(content: bytes, name: str, asked: Asked) -> Reading:
    """The text that the SEC keeps of a whole filing: a header, then its documents; the first of form 10-Q or 10-K is read."""
    head = content[:20_000].decode("utf-8", "replace")
    day = re.search(r"FILED AS OF DATE:\s*(\d{4})(\d\d)(\d\d)", head)
    cik = re.search(r"CENTRAL INDEX KEY:\s*(\d+)", head)
    company = re.search(r"COMPANY CONFORMED NAME:\s*(.+)", head)
    known = concepts.company_of(int(cik[1]) if cik else None, company[1] if company else None)
    filed = day_in_words("-".join(day.groups())) if day else None
    said = asked._replace(published=asked.published or filed, entity=asked.entity or (known.entity if known else None))
    for part in PART.finditer(content):
        if part[1].startswith((b"10-Q", b"10-K", b"20-F", b"8-K")):
            inner = re.sub(rb"(?s)^.*?<TEXT>\s*(?:<XBRL>\s*)?|\s*(?:</XBRL>\s*)?</TEXT>\s*$", b"", part[2])
            return _from_document(inner, name, opening.kind_of(inner), said)
    raise FilingError(f"{name}: a submission without a 10-Q, 10-K, 20-F or 8-K in it")


def _from_document(content: bytes, name: str, kind: str, asked: Asked) -> Reading:
    found, text = Document(), ""
    if kind in ("inline", "instance"):
        root = opening.tree_of(content, name)
        found = read_document(root)
        text = opening.words_of(root) if kind == "inline" else ""
    elif kind == "html":
        text = opening.words_of(opening.html_tree(content, name))
    else:
        opening.refuse_entities(content, name)
        text = content.decode("utf-8", "replace")
        text = re.sub(r"(?<=\S)[ \t]*\n(?=[ \t]*\S)", " ", text)  # a paragraph of plain text runs over lines
    filed = _filed(found.about, name, asked)
    reading = Reading(name, kind, filed.entity, remarks=found.remarks)
    rows = [pair for item in found.items for pair in _tagged(reading, filed, asked.every, item)]
    reading.facts = _with_bands(_once(reading, rows))
    reading.facts += _said(reading, filed, text, day_in_words(found.about.get("DocumentPeriodEndDate", "")))
    if not reading.facts and not found.items:
        reading.remarks.append("nothing in it reads as a fact")
    return reading


def _filed(about: dict[str, str], name: str, asked: Asked) -> Filed:
    cik, company = about.get("EntityCentralIndexKey", ""), about.get("EntityRegistrantName")
    known = concepts.company_of(int(cik) if cik.isdigit() else None, company)
    entity = asked.entity or (known.entity if known else about.get("TradingSymbol")) or _unknown(name, company)
    if not re.fullmatch(NAME, entity):
        _unknown(name, entity)
    if asked.published is None:
        raise FilingError(f"{name}: it does not say when it was published; give --published 2025-10-31")
    form, end = about.get("DocumentType"), day_in_words(about.get("DocumentPeriodEndDate", ""))
    document = asked.document or (f"{form} for the period to {end}" if form and end else name)
    return Filed(entity, _publisher(entity, company), asked.published, document)


def _publisher(entity: str, company: str | None) -> str:
    """One name a company, however a file writes it: the table's, where it has one."""
    return next((c.name for c in concepts.companies() if c.entity == entity), company or entity)


def _unknown(name: str, company: str | None) -> str:
    why = f"no series is kept for {company}" if company else "it names no company"
    raise FilingError(f"{name}: {why}; give --entity, such as --entity CRWV")


def _tagged(reading: Reading, filed: Filed, every: bool, item: Item) -> list[tuple[int, Fact]]:
    reading.count("numbers")
    if item.value is None:
        reading.count("nil, so absent")
        return []
    context = item.context
    rows = _fact(reading, filed, every, (item.tag, context.scope, item.unit, context.start, context.end), item.value)
    return [(1000 * rank - item.decimals, fact) for rank, fact in rows]  # of one series the more exact


Tagged = tuple[str, str, str, date | None, date]  # tag, scope, unit, days


def _fact(reading: Reading, filed: Filed, every: bool, tagged: Tagged, value: float) -> list[tuple[int, Fact]]:
    """The fact of a tagged number with its rank, or nothing and a count of why."""
    tag, scope, unit, start, end = tagged
    if unit not in concepts.UNITS:
        reading.count("in a unit that is none of ours")
        return []
    series = concepts.series_of(filed.entity, tag, scope, unit) or (concepts.any_series(tag, scope, unit) if every else None)
    if series is None:
        reading.count("of standard tags without a series")
        return []
    if end > filed.published:
        reading.count("of days that end after publication")
        return []
    note = f"tag {tag}"
    fact = Fact(
        filed.entity, series.metric, end, value, series.unit, "filed", filed.published, filed.publisher, filed.document, note,
        series.scope, start,
    )  # fmt: skip
    return [(series.rank, fact)]


def _once(reading: Reading, rows: Iterable[tuple[int, Fact]]) -> list[Fact]:
    """Of rows of one document about one thing the first by rank; a remark where another says more than rounding would."""
    best: dict[tuple[Any, ...], tuple[int, Fact]] = {}
    for rank, fact in sorted(rows, key=lambda row: row[0]):
        one = (*fact.about, fact.published, fact.document)
        kept = best.setdefault(one, (rank, fact))[1]
        if kept is not fact:
            reading.count("said twice")
            if abs(kept.value - fact.value) > 0.01 * max(abs(kept.value), abs(fact.value)):
                why = f"{kept.note} says {_shown(kept)}, {fact.note} {_shown(fact)}; the first is kept"
                reading.remarks.append(f"{fact.address}: {why}")
    return [fact for _, fact in best.values()]


def _shown(fact: Fact) -> str:
    return write_value(fact.value, fact.unit)


def _with_bands(facts: list[Fact]) -> list[Fact]:
    """Shares of the obligations with the months that they are due in, where a length of time stands beside the share."""
    spans = {(f.scope, f.period_end): round(12 * f.value) for f in facts if f.metric == PERIOD}
    found = []
    for fact in facts:
        months = spans.get((fact.scope, fact.period_end)) if fact.metric == SHARE else None
        found.append(fact._replace(scope=f"{fact.scope};months={months}".lstrip(";")) if months else fact)
    return found


def _said(reading: Reading, filed: Filed, text: str, period_end: date | None) -> Iterator[Fact]:
    """What sentences say of series that no tag of the document gave."""
    tagged = {fact.metric for fact in reading.facts}
    told, remarks = read_sentences(text, period_end)
    seen: dict[tuple[Any, ...], Fact] = {}
    for said in told:
        series = concepts.series_of(filed.entity, f"text:{said.kind}", said.scope, said.unit)
        if series is None or series.metric in tagged:
            continue
        ahead = "_planned" if said.day > filed.published else ""
        note = f"sentence: {said.sentence[:300]}"
        fact = Fact(
            filed.entity, series.metric + ahead, said.day, said.value, series.unit, "filed", filed.published, filed.publisher,
            filed.document, note, series.scope,
        )  # fmt: skip
        kept = seen.setdefault(fact.about, fact)
        if kept is fact:
            reading.count("from sentences")
            yield fact
        elif kept.value != fact.value:
            reading.remarks.append(f"{fact.address}: sentences say {_shown(kept)} and {_shown(fact)}; the first is kept")
    reading.remarks += remarks
