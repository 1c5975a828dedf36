"""Claims: each quantity with who says it, as what, of whom and what, and when; dates that qualify no amount are claims of their own."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from typing import NamedTuple

from . import voice
from .dates import Dated, dates, ends
from .layout import Layout, joined, layout
from .names import Named, metric_words, named, wholes, year_ends
from .quantities import Quantity, quantities
from .source import Source

NEAR = 160  # characters around a quantity in which its metric is looked for
CODES = {"USD", "CNY", "EUR", "GBP", "JPY", "HKD", "TWD", "KRW", "AUD", "CAD"}
MONEY_METRICS = {
    "contract value a year",
    "market value",
    "performance obligations",
    "capex",
    "commitments",
    "contract value",
    "revenue",
    "earnings",
    "orders",
    "debt",
}
GENERAL = ("growth", "price change")  # said of anything: another metric in reach wins
OF_THE_DEAL = ("contract value", "contract value a year", "term", "GPUs", "deployment", "expansion")
OF_NOBODY = ("share of electricity", "productivity", "infrastructure", "price change", "demand")  # unless the clause names a company
AGAINST = re.compile(r"(?:(?<![A-Za-z])(?:compared with|compared to|versus|vs\.?|than|over)(?: in)?(?: the)? ?|较|比|同比)\Z")
OF_A_PERIOD = re.compile(
    r"(?:(?<![A-Za-z])(?:ended|ending|as of|compared with|compared to|versus|vs\.?|than|over)(?: in)?(?: the)? ?|"
    r"截至|较|比|同比)\Z"
)
OPENING = re.compile(r"[\s“]{0,4}(?:预计|截至|到|在|[Bb]y|[Ii]n|[Oo]n|[Aa]s of)?\s?(?:预计|截至|到|在|the end of)?\s?")
INTRODUCES = re.compile(
    r"(?:in|by|on|from|since|at|through|until|before|after|during|early|late|mid|for|of|ending|ended|the)\s?(?:the\s)?\Z", re.IGNORECASE
)
POINTS = re.compile(r"(?<![A-Za-z])(?:bps?|basis|points?|pp)(?![A-Za-z])|基点|百分点")
MOVES = re.compile(
    r"下降|下滑|削减|拖累|收窄|扩大|提高|上升|回落|缩|(?<![A-Za-z])(?:cut|cuts|fell|fall|falls|reduced?|lowered|lower|raised?|rose|shrink|narrow|widen"
    r"|cost|costs|squeezed?|hit|by)(?![A-Za-z])"
)
STANDS = re.compile(r"(?:(?<![A-Za-z])(?:to|from|at|of|was|is|were|near)(?: an?)?|至|到|为|从|由)\s?\Z")
PARTNER = re.compile(r"(?:与|和|、|跟|对|(?<![A-Za-z])(?:with|and|to|from)\s(?:the\s)?)\Z")
PRODUCT = re.compile(r"\s?(?:[A-Z]{2,4}\d{0,3}|S3|芯片|平台)(?![a-z])")
THE_DEAL = re.compile(
    r"(?:这项|这份|这笔|该项|该)[^。,]{0,14}(?:交易|合同|协议|合作)|交易(?:的)?总|(?<![A-Za-z])(?:the|this) (?:[\w$.]{1,12} "
    r"){0,3}(?:deal|contract|agreement)",
    re.IGNORECASE,
)
EVENT = re.compile(r"[年月日度]?(?:的(?:重组|收购|上市|合并|发布会))|(?:之前|以前|此前)")
EARLIER = re.compile(r"此前|之前|earlier|previously|before that", re.IGNORECASE)


class Claim(NamedTuple):
    """One quantity that the text claims.

    span      [a, b) in the file; `text` is what a reader sees there
    sentence  [a, b) of the sentence around it, in the file; `within` the same in the flat text
    company   the company it is most likely about, "" where none is named; `others` stand in the same sentence
    date      of the claim as the text gives it, "" where it gives none
    """

    text: str
    span: tuple[int, int]
    sentence: tuple[int, int]
    kind: str
    quantity: Quantity
    name: str
    company: str
    others: tuple[str, ...]
    metric: str
    speaker: str
    date: str
    negated: bool
    within: tuple[int, int]

    @property
    def subject(self) -> str | None:
        """Whom and what it is about, as in `Azure growth`."""
        return " ".join(w for w in (self.name, self.metric) if w) or None


class Read(NamedTuple):
    """An article: its claims in order, its own date, and its flat text in sentences."""

    claims: tuple[Claim, ...]
    day: date | None
    title: str
    source: Source


def read(source: Source, as_of: date | None = None) -> Read:
    """All claims of a text; `as_of` is its date where it gives none. Raises nothing; a text without a claim has none."""
    text = joined(source.flat)
    stamp = date.fromisoformat(source.published) if source.published and _real(source.published) else None
    when, day = dates(text, stamp, as_of)
    return Read(tuple(_Reader(text, source, when, day).claims()), day, _title(source.shown), source)


def _real(iso: str) -> bool:
    try:
        date.fromisoformat(iso)
    except ValueError:
        return False
    return True


def _title(shown: str) -> str:
    """The first sentence of the first line that says something, at most 120 characters of it."""
    first = re.search(r"\S[^\n。]{0,119}", shown)
    found = re.split(r"(?<=[a-z0-9)][.!?]) (?=[A-Z])", first[0])[0].strip() if first else ""
    return f"{found}.." if len(found) == 120 else found


def _with_parties(claims: list[Claim]) -> list[Claim]:
    """What is said of the deal is about both its parties, also where the sentence names one of them or none."""
    named = next((c for c in claims if c.metric == "contract value" and c.company and c.others), None)
    if named is None:
        return claims
    parties = {named.company, *named.others}
    return [
        c._replace(others=tuple(sorted(parties - {c.company}))) if c.metric in OF_THE_DEAL and {c.company, *c.others} <= parties else c
        for c in claims
    ]


def _fiscal(iso: str, company: str) -> str:
    """A fiscal year as the days that it has in this company's calendar, as far as that is known (T-01)."""
    month = year_ends().get(company) if iso.startswith("FY") else None
    if month is None:
        return iso
    if month == 12:
        return iso.removeprefix("FY")
    year = int(iso[2:6])
    return f"{date(year - 1, month + 1, 1)}..{date(year, month + 1, 1) - timedelta(days=1)}"


class _Reader:
    """What is known of a text while its claims are put together."""

    def __init__(self, text: str, source: Source, when: list[Dated], day: date | None) -> None:
        self.text, self.source, self.when, self.day = text, source, when, day
        self.plan: Layout = layout(text)
        self.voices = voice.Voices(text, self.plan)
        self.names: list[Named] = named(text)
        self.words = metric_words(text)
        self.trimmed: dict[int, tuple[int, int]] = {}
        self.deal: Named | None = None
        self.worth: tuple[float | None, str] | None = None
        self.amounts: list[Quantity] = []
        self.amounts = self._amounts(quantities(text, [(d.a, d.b) for d in when]))

    def claims(self) -> list[Claim]:
        """Amounts and dates of their own, in order."""
        used: set[int] = set()
        found = []
        for q in self.amounts:
            d = self._date(q)
            used |= {d} if d is not None else set()
            found.append(self._claim(q, "" if d is None else self.when[d].iso))
        for n, own in enumerate(self.when):
            if own.own and n not in used and self._alone(n):
                found.append(self._claim(Quantity(own.a, own.b, None, None, None, "date", "", 0.0, ""), own.iso))
        return _with_parties(sorted(found, key=lambda c: c.quantity.a))

    def _amounts(self, found: list[Quantity]) -> list[Quantity]:
        """Where no unit is written: a count of what was counted last in the sentence, or money where the only currency is known."""
        codes = {q.unit[:3] for q in found if q.unit[:3] in CODES}
        out: list[Quantity] = []
        for q in found:
            if q.note:
                before = out[-1] if out and self.plan.sentence(out[-1].a) == self.plan.sentence(q.a) else None
                if before and before.of and before.unit == "count":
                    q = q._replace(of=before.of, note=f"counts {before.of} as the number before it")
                elif len(codes) == 1 and q.step >= 1e6 and self._metric(q._replace(unit=next(iter(codes)))) in MONEY_METRICS:
                    q = q._replace(unit=next(iter(codes)), note="no currency is written; the text's only one is taken")
            if q.unit == "count" and not q.of:
                q = q._replace(of=self._counted(q))
                q = q._replace(note="" if q.of else q.note)
            out.append(q)
        return out

    def _counted(self, q: Quantity) -> str:
        """`Customers: more than 1,200`: what stands before a colon in the same line."""
        from .quantities import NOUN

        head = re.search(r"([A-Za-z]{3,12}|[\u4e00-\u9fff]{2,4}): ?[^\n:]{0,20}\Z", self.text[max(0, q.a - 40) : q.a])
        return NOUN.get(head[1].lower(), "") if head else ""

    def _claim(self, q: Quantity, iso: str) -> Claim:
        speaker = self.voices.at(q.a)
        s = self.plan.sentences[self.plan.sentence(q.a)]
        metric = self._metric(q)
        if metric == "margin change" and not self._changes(q):
            metric = "margin"
        if self.worth and (q.value, q.unit) == self.worth:
            metric = "contract value"  # the deal's own figure, wherever it is said again
        whom = self._company(q, metric)
        iso = _fiscal(iso, whom.company if whom else "")
        if metric == "contract value" and self.deal is None:
            self.deal, self.worth = whom, (q.value, q.unit)
        others = {n.company for n in self._between(max(s.a, q.a - NEAR), min(s.b, q.b + NEAR))} - {whom.company if whom else ""}
        return Claim(
            self.source.shown[q.a : q.b], self.source.span(q.a, q.b), self.source.span(*self._trimmed(s.a, s.b)),
            self._kind(q, speaker, iso), q, whom.name if whom else "", whom.company if whom else "",
            tuple(sorted(others)), metric, speaker, iso, voice.negated(self.text, self.plan, q.a), self._trimmed(s.a, s.b),
        )  # fmt: skip

    def _changes(self, q: Quantity) -> bool:
        """Whether a share of margin says how far it moves, and not where it stands."""
        clause = self.plan.clauses[self.plan.clause(q.a)]
        before = self.text[max(clause.a, q.a - 60) : q.a]
        return bool(POINTS.search(self.text, q.a, q.b)) or bool(MOVES.search(before) and not STANDS.search(before))

    def _kind(self, q: Quantity, speaker: str, iso: str) -> str:
        """As the words say; what lies after the article's own day is no fact yet."""
        found = voice.kind(self.text, self.plan, (q.a, q.b), self.voices.judges(speaker))
        return "opinion" if found == "fact" and self.day and iso and ends(iso)[0] > self.day else found

    def _trimmed(self, a: int, b: int) -> tuple[int, int]:
        """Without blanks at its ends."""
        if a not in self.trimmed:
            piece = self.text[a:b]
            self.trimmed[a] = (b - len(piece.lstrip()), a + len(piece.rstrip()))
        return self.trimmed[a]

    def _between(self, a: int, b: int) -> list[Named]:
        return self.names[bisect_left(self.names, a, key=lambda n: n.a) : bisect_left(self.names, b, key=lambda n: n.a)]

    def _company(self, q: Quantity, metric: str) -> Named | None:
        """The nearest before it in the sentence that is no other's partner or product; else behind it; else the deal's; else the last one
        named."""
        s = self.plan.sentences[self.plan.sentence(q.a)]
        if metric in OF_NOBODY:
            c = self.plan.clauses[self.plan.clause(q.a)]
            return next(iter(self._between(c.a, c.b)), None)
        before = self._between(max(s.a, q.a - 400), q.a)
        whole = [n for n in before if not PARTNER.search(self.text[max(0, n.a - 6) : n.a]) and not PRODUCT.match(self.text, n.b)]
        if before:
            return (whole or before)[-1]
        behind = self._between(q.a, min(s.b, q.b + NEAR))
        if behind:
            return behind[0]
        if self.deal and THE_DEAL.search(self.text, max(s.a, q.a - NEAR), min(s.b, q.b + NEAR)):
            return self.deal
        earlier = bisect_left(self.names, q.a, key=lambda n: n.a)
        if not earlier:
            return None
        last = self.names[earlier - 1]
        return last._replace(name=wholes().get(last.company, last.name))  # of a segment that an earlier sentence named, the company goes on

    def _metric(self, q: Quantity) -> str:
        """The metric with the nearest word among those whose unit fits; a clause away counts as 15 characters, behind as a fifth more."""
        s = self.plan.sentences[self.plan.sentence(q.a)]
        a, b = max(s.a, q.a - NEAR), min(s.b, q.b + NEAR)
        best, name = 1e9, ""
        clause = self.plan.clause(q.a)
        for word in self.words[bisect_left(self.words, a, key=lambda w: w.a) : bisect_left(self.words, b, key=lambda w: w.a)]:
            fitting = [m for m in word.metrics if q.unit in m.units]
            if not fitting:
                continue
            gap = (q.a - word.b) if word.b <= q.a else 1.2 * max(0, word.a - q.b)
            cost = gap + 15 * abs(self.plan.clause(word.a) - clause) - min(word.b - word.a, 8) / 2
            for metric in fitting:
                whole = cost + metric.order / 100 + 20 * (metric.name in GENERAL)
                if whole < best:
                    best, name = whole, metric.name
        return name

    def _date(self, q: Quantity) -> int | None:
        """The date that qualifies an amount: in its clause, nearest before it or led in behind it; else one that leads the clause
        before."""
        c = self.plan.clause(q.a)
        here = self.plan.clauses[c]
        last = bisect_right(self.when, q.a, key=lambda d: d.a) - 1
        behind = last + 1
        against = AGAINST.search(self.text[max(here.a, q.a - 24) : q.a]) is not None  # what it is compared with is of another time
        before = last if last >= 0 and self.when[last].a >= here.a and not against else None
        after = behind if behind < len(self.when) and self.when[behind].b <= here.b and self._led(q, self.when[behind]) else None
        if before is not None and after is not None:
            return before if q.a - self.when[before].b <= 3 or self.text[q.a] > "\u2e80" else after
        if before is not None or after is not None:
            return before if before is not None else after
        return None if against else self._leading(q, c, last)

    def _led(self, q: Quantity, d: Dated) -> bool:
        """Whether a date behind an amount is its own: no other amount lies between, and a preposition leads it in."""
        if AGAINST.search(self.text[max(q.b, d.a - 24) : d.a]):
            return False
        n = bisect_left(self.amounts, q.b, key=lambda x: x.a)
        if n < len(self.amounts) and self.amounts[n].a < d.a:
            return False
        return bool(INTRODUCES.search(self.text[max(q.b, d.a - 12) : d.a])) or self.text[d.a] in "itT" or d.a - q.b <= 1

    def _leading(self, q: Quantity, c: int, last: int) -> int | None:
        """The date of the clause before, where no other amount and no 'earlier' stands between, or the day that opens the sentence."""
        s = self.plan.sentences[self.plan.sentence(q.a)]
        if last < 0 or self.when[last].a < s.a or EARLIER.search(self.text[max(s.a, q.a - 60) : q.a]):
            return None
        d = self.when[last]
        apart = c - self.plan.clause(d.a)
        n = bisect_left(self.amounts, d.b, key=lambda x: x.a)
        first = n < len(self.amounts) and self.amounts[n].a == q.a
        opens = d.a - s.a <= 40 and OPENING.fullmatch(self.text, s.a, d.a) is not None
        if apart == 1 and first and not EVENT.match(self.text, d.b):
            return last
        return last if opens and apart <= 3 else None

    def _alone(self, n: int) -> bool:
        """Whether a date says something by itself: not a dateline, and its sentence has a verb's worth of words."""
        d = self.when[n]
        s = self.plan.sentences[self.plan.sentence(d.a)]
        before, behind = self.text[max(s.a, d.a - 200) : d.a], self.text[d.b : min(s.b, d.b + 200)]
        words = len(re.findall(r"[A-Za-z]{2,}", before + behind)) + len(re.findall(r"[\u4e00-\u9fff]", before + behind)) / 2
        dateline = len(d.iso) == 10 and (not before.strip() or (self.day is not None and d.iso == self.day.isoformat()))
        if words < 4 or dateline or OF_A_PERIOD.search(before):
            return False
        return len(d.iso) != 4 or "年" in self.text[d.a : d.b] or bool(INTRODUCES.search(self.text[max(0, d.a - 12) : d.a]))
