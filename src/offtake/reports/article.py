"""An article's claims for a terminal; formatting only. Chinese characters take two columns."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

from ..units import format_interval, format_value

AUTHOR = "the article"


def article_text(told: dict[str, Any], width: int) -> str:
    """Head, two lines or more a claim, then the arithmetic between claims."""
    lines = wrapped(" · ".join(w for w in (told["title"], told["date"] or "undated") if w), width)
    if not told["claims"]:
        return "\n".join([*lines, "no quantitative claim is in it"])
    lines += [*wrapped(_count(told), width), ""]
    for n, claim in enumerate(told["claims"], 1):
        lines += _claim(n, claim, width)
    if told["checks"]:
        lines += ["", "Arithmetic between claims"]
        for check in told["checks"]:
            lines += wrapped(_check(check), width, "    ", "      ")
    return "\n".join([*lines, "", *wrapped("Not investment advice.", width)])


def _count(told: dict[str, Any]) -> str:
    claims = told["claims"]
    kinds = Counter(c["kind"] for c in claims)
    verdicts = Counter(c["verdict"].partition(" ")[0] for c in claims)
    known = f"the record as known on {told['as_of']}" if told["as_of"] else "no date, so nothing is lined up: give --as-of"
    said = ", ".join(f"{kinds[kind]} {kind}{'s' * (kinds[kind] != 1)}" for kind in ("fact", "promise", "opinion"))
    return (
        f"{len(claims)} claim{'s' * (len(claims) != 1)}: {said}; "
        f"{verdicts['agrees']} agree, "
        f"{verdicts['stale']} stale, {verdicts['differs']} differ, {verdicts['not']} not found ({known})"
    )


def _claim(n: int, c: dict[str, Any], width: int) -> list[str]:
    """`7  380亿美元  38 bn USD  fact`, then who says it and the verdict."""
    about = ", ".join(w for w in (c["subject"], c["date"] if c["quantity"]["unit"] != "date" else None) if w)
    denied = "denied " if c["negated"] else ""
    by = f" ({c['speaker']})" if c["speaker"] != AUTHOR else ""
    head = f"{padded(_clipped(c['text'], 24), 24)}  {padded(_quantity(c), 20)}  {denied}{c['kind']}{by}"
    second = "; ".join(w for w in (about, c["verdict"] + _beside(c)) if w)
    return [*wrapped(head, width, f"{n:>3}  ", "     "), *wrapped(second, width, "     ", "     ")]


def _beside(c: dict[str, Any]) -> str:
    """The record and the note behind a verdict."""
    r = c["record"]
    said = f": {_record(r)}, {r['publisher']}, {r['published']}" if r else ""
    return said + (f"; {c['note']}" if c["note"] else "")


def _record(r: dict[str, Any]) -> str:
    if r["unit"] == "date":
        return str(r["period"])
    unit = {"month": "months", "user": "users", "GPU": "GPUs"}.get(r["unit"], r["unit"])
    shown = format_value(r["value"], unit) if r["value"] is not None else format_interval(r["low"], r["high"], unit)
    return f"{shown} ({r['period']})" if r["period"] else shown


def _quantity(c: dict[str, Any]) -> str:
    """In base units, with what its words leave open."""
    q = c["quantity"]
    if q["unit"] == "date":
        return str(c["date"])
    unit = _many(q["of"] or "") if q["unit"] == "count" else {"multiple": "x", "month": "months"}.get(q["unit"], q["unit"])
    if q["value"] is None:
        open_ended = q["low"] is None or q["high"] is None
        if open_ended and q["low"] is not None:
            return f"at least {format_value(q['low'], unit)}"
        return (
            f"{format_value(q['low'], '')} to {format_value(q['high'], unit)}"
            if q["unit"] == "count"
            else format_interval(q["low"], q["high"], unit)
        )
    price = abs(q["value"]) < 1e4 and q["unit"] not in ("share", "multiple", "count", "month")
    value = f"{q['value']:,.10g} {unit}" if price else format_value(q["value"], unit)
    return " ".join(w for w in (q["hedge"] if q["hedge"] not in (None, "range", "vague") else "", value) if w)


def _many(of: str) -> str:
    """users, GPUs, people."""
    return {"": "", "person": "people", "company": "companies"}.get(of, f"{of}s")


def _check(check: dict[str, Any]) -> str:
    unit = "x" if check["unit"] == "multiple" else check["unit"]
    says = ""
    if check["stated"] is not None:
        says = f"; {'the close before' if check['kind'] == 'price before' else 'the text'} says {_shown(check['stated'], unit)}"
    elif check["low"] is not None or check["high"] is not None:
        says = f"; the text says {format_interval(check['low'], check['high'], unit)}"
    places = ", ".join(str(n + 1) for n in check["claims"])
    return f"claims {places}: {check['formula']} = {_shown(check['computed'], unit)}{says}: {check['verdict']}"


def _shown(value: float, unit: str) -> str:
    return f"{value:,.2f} {unit}" if unit not in ("share", "x") and abs(value) < 1e4 else format_value(value, unit)


def columns(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def padded(text: str, size: int) -> str:
    return text + " " * max(0, size - columns(text))


def _clipped(text: str, size: int) -> str:
    """On one line, shortened to `size` columns."""
    line = " ".join(text.split())
    if columns(line) <= size:
        return line
    while columns(line) > size - 2:
        line = line[:-1]
    return f"{line}.."


def wrapped(text: str, width: int, first: str = "", then: str = "") -> list[str]:
    """Lines of at most `width` columns, broken at blanks, or within Chinese text anywhere."""
    lines, line = [], first
    for word in text.split(" "):
        gap = "" if line in (first, then) and not line.strip() else " "
        if columns(line + gap + word) <= width:
            line += gap + word
            continue
        if line.strip() and columns(then + word) <= width:
            lines.append(line)
            line = then + word
            continue
        line += gap
        for c in word:
            if columns(line + c) > width:
                lines.append(line)
                line = then
            line += c
    return [x.rstrip() for x in [*lines, line]]
