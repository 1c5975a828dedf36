"""What an XBRL document reports: numbers and words with their context, from an instance or from a page with inline tags.

A number is what its tag says: displayed text x 10^scale, with the tag's sign. Brackets around it, a minus before it and the sign of a
negated label are presentation and outside of the tag. A nil fact is absent, never zero (N-06).
Source  XBRL 2.1, 4.7 (contexts) and 4.8 (units); XBRL Dimensions 1.0; Inline XBRL 1.1, 10 to 15; SEC's and XII's transformation registries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from .opening import local
from .written import Unreadable, duration, read_number

XBRLI = "{http://www.xbrl.org/2003/instance}"
XBRLDI = "{http://xbrl.org/2006/xbrldi}"
IX = "{http://www.xbrl.org/2013/inlineXBRL}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
HOMES = (("fasb.org/us-gaap", "us-gaap"), ("fasb.org/srt", "srt"), ("xbrl.sec.gov/dei", "dei"))
AXES = {
    "StatementBusinessSegmentsAxis": "segment", "ProductOrServiceAxis": "product", "MajorCustomersAxis": "customer",
    "StatementGeographicalAxis": "region", "PropertyPlantAndEquipmentByTypeAxis": "of",
    "RevenueRemainingPerformanceObligationExpectedTimingOfSatisfactionStartDateAxis": "from",
}  # fmt: skip
WHOLE = {("ConsolidationItemsAxis", "OperatingSegmentsMember")}  # a segment's own number, by another name
EXACT = 99  # decimals of INF


class Context(NamedTuple):
    """Days, and the part of the whole: `segment=Cloud;customer=LabA`, in the order of the axes' names; empty for the whole."""

    start: date | None
    end: date
    scope: str


class Item(NamedTuple):
    """One tagged number; `value` is None where it is nil. `unit` is USD, shares, pure, USD/shares or whatever the document calls it."""

    tag: str
    context: Context
    value: float | None
    unit: str
    decimals: int


@dataclass
class Document:
    """All that was read; `about` holds the cover page's words (dei), `remarks` what could not be read."""

    items: list[Item] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_document(root: Any) -> Document:
    """An instance (its root is `xbrl`) or a page with inline tags."""
    contexts = {node.get("id"): context_of(node) for node in root.iter(f"{XBRLI}context")}
    units = {node.get("id"): _unit(node) for node in root.iter(f"{XBRLI}unit")}
    found = Document()
    for node in _tagged(root):
        _take(node, contexts, units, found)
    return found


def _tagged(root: Any) -> Iterator[Any]:
    if root.tag == f"{XBRLI}xbrl":
        yield from (node for node in root if isinstance(node.tag, str) and node.get("contextRef"))
    else:
        yield from root.iter(f"{IX}nonFraction", f"{IX}nonNumeric", f"{IX}fraction")


def _take(node: Any, contexts: dict[str, Context | None], units: dict[str, str], found: Document) -> None:
    inline = node.tag.startswith(IX)
    tag = name_of(node, node.get("name")) if inline else name_of(node, None)
    context = contexts.get(node.get("contextRef"))
    if context is None:
        found.remarks.append(f"{tag}: its context '{node.get('contextRef')}' is not there or has no dates")
        return
    text = shown(node).strip()
    try:
        if node.tag == f"{IX}fraction":
            raise Unreadable("a fraction")
        if node.get("unitRef") is None:
            _take_words(node, tag, context, text, found)
            return
        value = None if node.get(NIL) in ("true", "1") else _number(node, text, inline)
    except Unreadable as fault:
        found.remarks.append(f"{tag}: {fault}")
        return
    found.items.append(Item(tag, context, value, units.get(node.get("unitRef"), "unknown"), _decimals(node.get("decimals"))))


def _take_words(node: Any, tag: str, context: Context, text: str, found: Document) -> None:
    """Words of the cover page, and lengths of time, which are no numbers to XBRL but are to us."""
    if tag.startswith("dei:") and not context.scope:
        found.about.setdefault(tag.removeprefix("dei:"), " ".join(text.split()))
    if node.get(NIL) in ("true", "1") or len(text) > 60:
        return
    years = duration(text, (node.get("format") or "").rpartition(":")[2])
    if years is not None:
        found.items.append(Item(tag, context, years, "year", EXACT))


def _number(node: Any, text: str, inline: bool) -> float:
    """The value of a tag: what is shown, by its format, x 10^scale, with its sign."""
    if not inline:
        return float(read_number(text, ""))
    scale = node.get("scale") or "0"
    if not re.fullmatch(r"[+-]?\d{1,2}", scale):
        raise Unreadable(f"the scale '{scale[:20]}'")
    value = float(read_number(text, (node.get("format") or "").rpartition(":")[2]).scaleb(int(scale)))
    return -value if node.get("sign") == "-" else value


def shown(node: Any) -> str:
    """The text of a tag, without what it excludes (a page number in the middle of it)."""
    inner = [(shown(child) if child.tag != f"{IX}exclude" else "") + (child.tail or "") for child in node]
    return "".join([node.text or "", *inner])


def _decimals(text: str | None) -> int:
    """Decimals that are said; none said, or said oddly, is exact."""
    return int(text) if re.fullmatch(r"[+-]?\d{1,3}", text or "") and text else EXACT


def name_of(node: Any, name: str | None) -> str:
    """`us-gaap:Revenues`, whatever prefix the document uses for the taxonomies that everybody shares."""
    if name is None:
        space, own = node.tag[1:].partition("}")[0], local(node.tag)
        prefix = node.prefix or ""
    else:
        prefix, _, own = name.rpartition(":")
        space = node.nsmap.get(prefix or None) or ""
    home = next((word for part, word in HOMES if part in space), prefix)
    return f"{home}:{own}"


def context_of(node: Any) -> Context | None:
    """Days and scope; None for a context without days (`forever`), or with days that are none."""
    period = node.find(f"{XBRLI}period")
    said = {local(child.tag): (child.text or "").strip() for child in (period if period is not None else ())}
    end = said.get("instant") or said.get("endDate")
    if not end:
        return None
    parts = [_part(member) for holder in node.iter(f"{XBRLI}segment", f"{XBRLI}scenario") for member in holder]
    scope = ";".join(sorted(part for part in parts if part))
    try:
        return Context(date.fromisoformat(said["startDate"][:10]) if "startDate" in said else None, _end(end), scope)
    except (ValueError, OverflowError):
        return None


def _end(text: str) -> date:
    """The last day: midnight at the start of a day is the end of the one before."""
    day = date.fromisoformat(text[:10])
    return day - timedelta(1) if text[10:].startswith("T00:00:00") else day


def _part(member: Any) -> str:
    axis = local(member.get("dimension", "").rpartition(":")[2])
    typed = member.tag == f"{XBRLDI}typedMember"
    value = "".join(member.itertext()).strip()
    value = value if typed else value.rpartition(":")[2]
    if (axis, value) in WHOLE:
        return ""
    word = AXES.get(axis, axis.removesuffix("Axis"))
    return f"{_plain(word)}={_plain(value.removesuffix('Member'))}"


def _plain(text: str) -> str:
    """A member as a scope may write it."""
    return "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "_-." else "-" for letter in text)


def _unit(node: Any) -> str:
    measures = [(m.text or "").strip().rpartition(":")[2] for m in node.iter(f"{XBRLI}measure")]
    return "/".join(measures) if node.find(f"{XBRLI}divide") is not None else "-".join(measures)
