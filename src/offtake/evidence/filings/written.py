"""Numbers, days and lengths of time as filings write them, by the transformations that inline tags name."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
WORDS = {word: value for value, word in enumerate(ONES)} | TENS
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
DAY = rf"(?:{'|'.join(month.capitalize() for month in MONTHS)})\s+\d{{1,2}},\s+\d{{4}}"
POINT = ("", "num-dot-decimal", "numdotdecimal", "num-dot-decimal-apos", "numcommadot", "numspacedot")
COMMA = ("num-comma-decimal", "numcommadecimal", "numdotcomma", "numspacecomma")
ZERO = ("fixed-zero", "zerodash", "num-zero", "numdash")
WORDED = ("numwordsen", "num-word-en")
IN_YEARS = {"year": 1.0, "month": 1.0 / 12.0, "week": 7.0 / 365.25, "day": 1.0 / 365.25}
SPAN = re.compile(r"P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)D)?$")


class Unreadable(ValueError):
    """Text that the named transformation does not fit."""


def read_number(text: str, form: str) -> Decimal:
    """A number as shown, without scale and sign, to its last digit. Raises Unreadable."""
    plain = re.sub(r"\s", "", text)
    if form in ZERO:
        return Decimal(0)
    if form in WORDED:
        return Decimal(words_to_number(text))
    if form in COMMA:
        plain = plain.replace(".", "").replace(",", ".")
    elif form in POINT:
        plain = plain.replace(",", "").replace("'", "")
    else:
        raise Unreadable(f"'{text[:40]}' in the unknown form '{form}'")
    if not re.fullmatch(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", plain):
        raise Unreadable(f"'{text[:40]}' is no number")
    return Decimal(plain)


def words_to_number(text: str) -> int:
    """`twenty-five` is 25; `no` and `none` are 0. Raises Unreadable."""
    words = re.split(r"[\s-]+", text.strip().lower())
    if words in (["no"], ["none"]):
        return 0
    if not words or any(word not in WORDS for word in words) or len(words) > 2:
        raise Unreadable(f"'{text[:40]}' is no number in words")
    return sum(WORDS[word] for word in words)


def duration(text: str, form: str = "") -> float | None:
    """A length of time in years: `P6Y`, `five years`, `18 months`; with a form `duryear` the bare number. None where it is none."""
    span = SPAN.fullmatch(text.strip())
    if span and any(span.groups()):
        years, months, days = (float(part or 0) for part in span.groups())
        return years + months / 12.0 + days / 365.25
    unit = next((word for word in IN_YEARS if form == f"dur{word}"), None)
    found = re.fullmatch(r"([\w.\-]+)(?:\s+(year|month|week|day)s?)?", " ".join(text.split()), re.IGNORECASE)
    if not found or not (unit or found[2]):
        return None
    count = amount_in_words(found[1])
    return None if count is None else count * IN_YEARS[unit or found[2].lower()]


def amount_in_words(text: str) -> float | None:
    """`5`, `3.5`, `five`; None for another word."""
    try:
        return float(text) if re.fullmatch(r"\d+(?:\.\d+)?", text) else float(words_to_number(text))
    except Unreadable:
        return None


def day_in_words(text: str) -> date | None:
    """`September 30, 2025` or `2025-09-30`."""
    found = re.fullmatch(r"([A-Za-z]+)\s+(\d{1,2}),\s+(\d{4})", " ".join(text.split()))
    try:
        if found and found[1].lower() in MONTHS:
            return date(int(found[3]), MONTHS.index(found[1].lower()) + 1, int(found[2]))
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
