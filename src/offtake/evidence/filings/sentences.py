"""What a filing says in a sentence and not, or no longer, in a tag: obligations, their life and time bands, leases not yet commenced,
purchase obligations, changed useful lives.

One rule a kind; where a sentence has several amounts and dates they are paired in order, and a sentence that does not say which amount
belongs to which date is a remark, not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from .written import DAY, amount_in_words, day_in_words

SIZES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
AMOUNT = re.compile(r"\$\s?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?:\s+(thousand|million|billion|trillion))?")
PARTS = re.compile(r"(?:(?:ad)+|(?:da)+)a+")  # an amount with its date, `of which` so much
WITHIN = re.compile(r"\bof which\b|\bincluding\b", re.IGNORECASE)
IN_ORDER = re.compile(r"(?:ad)+|(?:da)+|a+d+|d+a+")
DATED = re.compile(DAY)
BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"(])")
OWED = re.compile(r"performance obligations?|commitments not yet recognized|revenue backlog", re.IGNORECASE)
NONE = re.compile(r"\b(?:did|do|does|had|have) not have\b|\bno (?:material |remaining )*performance obligations\b", re.IGNORECASE)
ABOUT = r"(?:approximately |about )?"
LIFE = re.compile(rf"weighted[- ]average remaining (?:life|term|duration)[^.]*?\b(?:is|was|of)\s+{ABOUT}([\w.]+) years", re.IGNORECASE)
PERCENT = r"(\d{1,3}(?:\.\d+)?)\s?%"
NEXT = re.compile(PERCENT + r"[^%.]*?\b(?:over|in|within|during) the (?:next|following) ([\w-]+) (months|years)", re.IGNORECASE)
BAND = re.compile(PERCENT + r"[^%]*?\bmonths? (\d+) (?:to|through) (?:month )?(\d+)", re.IGNORECASE)
LEASES = re.compile(r"\bleases?\b[^.]*\bnot (?:yet )?commenced\b|\bnot (?:yet )?commenced\b[^.]*\bleases?\b", re.IGNORECASE)
BOUGHT = re.compile(r"\bpurchase (?:obligations|commitments)\b", re.IGNORECASE)
LIVES = re.compile(
    r"useful li(?:fe|ves) (?:of|for) (?:our |certain |the )*((?:a )?(?:subset of )?(?:our )?[\w ,&-]+?)"
    r"(?:,? (?:was|were|has been|have been) changed)?"
    rf" from {ABOUT}([\w.]+)(?: years?)? to {ABOUT}([\w.]+) years",
    re.IGNORECASE,
)
EFFECTIVE = re.compile(rf"(?:effective|beginning|as of|from|on) ({DAY})", re.IGNORECASE)


class Said(NamedTuple):
    """One number of a sentence: its kind (the tag `text:kind` of the tables), scope, day, value, unit, and the sentence."""

    kind: str
    scope: str
    day: date
    value: float
    unit: str
    sentence: str


def sentences(text: str) -> Iterator[str]:
    """Sentences of a text whose paragraphs end with a line; figures such as $156.6 do not end one."""
    for paragraph in text.split("\n"):
        yield from (part for part in BREAK.split(" ".join(paragraph.split())) if part)


def read_sentences(text: str, period_end: date | None) -> tuple[list[Said], list[str]]:
    """What is said, and remarks on what could not be told; `period_end` is the filing's, for sentences without a date of their own."""
    found: list[Said] = []
    remarks: list[str] = []
    day = period_end
    for sentence in sentences(text):
        for rule in (_owed, _leases, _bought, _lives):
            told, remark = rule(sentence, day)
            found += told
            remarks += [remark] if remark else []
            day = next((s.day for s in told if s.kind == "performance_obligations"), day)
        found += [*_life(sentence, day), *_bands(sentence, day)]
    return list(dict.fromkeys(found)), list(dict.fromkeys(remarks))


Told = tuple[list[Said], str | None]


def _dated(kind: str, sentence: str, day: date | None) -> Told:
    """Amounts paired with dates: as many of both, each beside its own or all of one kind first; amounts after the last date are parts."""
    amounts = [(match.start(), _usd(match)) for match in AMOUNT.finditer(sentence)]
    days = [(match.start(), found) for match in DATED.finditer(sentence) if (found := day_in_words(match[0]))]
    if not amounts:
        return [], None
    if not days and day and len(amounts) == 1:
        days = [(0, day)]
    order = "".join(letter for _, letter in sorted([(at, "a") for at, _ in amounts] + [(at, "d") for at, _ in days]))
    if not (PARTS.fullmatch(order) and WITHIN.search(sentence)) and not (IN_ORDER.fullmatch(order) and len(amounts) == len(days)):
        return [], f"{len(amounts)} amounts and {len(days)} dates, and not which belong together, in: {sentence[:140]}"
    return [Said(kind, "", when, amount, "USD", sentence) for (_, when), (_, amount) in zip(days, amounts)], None


def _usd(match: re.Match[str]) -> float:
    whole = float(match[1].replace(",", "") + (match[2] or ""))
    return float(round(whole * SIZES.get(match[3] or "", 1.0), 2))


def _owed(sentence: str, day: date | None) -> Told:
    if not OWED.search(sentence):
        return [], None
    if NONE.search(sentence):
        return [], f"a negation, so not read: {sentence[:140]}" if AMOUNT.search(sentence) else None
    return _dated("performance_obligations", sentence, day)


def _leases(sentence: str, day: date | None) -> Told:
    return _dated("leases_not_yet_commenced", sentence, day) if LEASES.search(sentence) else ([], None)


def _bought(sentence: str, day: date | None) -> Told:
    return _dated("purchase_obligations", sentence, day) if BOUGHT.search(sentence) and not LEASES.search(sentence) else ([], None)


def _lives(sentence: str, day: date | None) -> Told:
    """`from six years to five years for servers, effective January 1, 2025`: the new life, from that day on."""
    found = LIVES.search(sentence)
    when = EFFECTIVE.search(sentence)
    since = day_in_words(when[1]) if when else None
    if not found:
        return [], None
    new = amount_in_words(found[3])
    if new is None or since is None:
        return [], f"a useful life without {'a number' if new is None else 'the day from which it holds'} in: {sentence[:140]}"
    what = re.sub(r"\W+", "-", re.sub(r"^a |\bour ", "", found[1].strip().lower())).strip("-")
    return [Said("useful_life", f"of={what}", since, new, "year", sentence)], None


def _life(sentence: str, day: date | None) -> list[Said]:
    found = LIFE.search(sentence)
    years = amount_in_words(found[1]) if found else None
    return [Said("performance_obligations_life", "", day, years, "year", sentence)] if years is not None and day else []


def _bands(sentence: str, day: date | None) -> list[Said]:
    """`40 % over the next twelve months` and `36 % in month 13 to month 36`: shares of the obligations by months from the period's end."""
    if not day or not re.search(r"recogni[sz]e", sentence, re.IGNORECASE):
        return []
    found = []
    for match in NEXT.finditer(sentence):
        count = amount_in_words(match[2])
        if count is not None:
            found.append((match[1], f"months=1-{count * (12 if match[3].lower() == 'years' else 1):g}"))
    found += [(match[1], f"months={match[2]}-{match[3]}") for match in BAND.finditer(sentence)]
    return [Said("performance_obligations_share", scope, day, float(share) / 100.0, "share", sentence) for share, scope in found]


