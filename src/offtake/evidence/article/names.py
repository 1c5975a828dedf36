"""Companies and metrics that a text speaks of: those of the catalog's lists, and names that the text itself repeats."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import NamedTuple

LOWER = {code: code + 32 for code in range(65, 91)}  # one for one, unlike str.lower
SUFFIX = "集团|公司|科技|云|算力|智能|实验室|银行|证券|电力|能源|半导体|软件"
REPEATED = re.compile(r"(?<![A-Za-z.])[A-Z][A-Za-z]{1,20}(?: [A-Z][A-Za-z]{1,20}){0,2}(?![A-Za-z0-9]|-\d)")
HAN_NAME = re.compile(
    rf"(?:^|(?<=[\n。,;:“与和、向对给到由按此但日月]))(?![亿万千百十元个第与和向对给到由按此但其在从如若那这一不我他她你们是有将已被更最多数就])[\u4e00-\u9fff]{{2,4}}?(?:{SUFFIX})(?=[\u4e00-\u9fff\d,])"
)
HAN_COMMON = frozenset(("人工智能", "云计算", "基础设施", "多云", "代理式人工智能"))
OPENERS = (
    "The A An It Its In On At By If But And Or He She They We You This That These Those Under Analysts Shares About From For With As When "
    "While Not No Some Our Their His Her Finance Gross Net Customers Price Utilisation Remaining Monday Tuesday Wednesday Thursday Friday "
    "Saturday Sunday January February March April May June July August September October November December US GPU GPUs AI CEO CFO Critics"
)
OPENS = re.compile(r"(?:^|[.!?:;\n“\"•])[ \"”]{0,2}\Z")
COMMON = frozenset(OPENERS.split())


class Named(NamedTuple):
    """A company in the text at [a, b): the name it is given here, and the company behind it."""

    a: int
    b: int
    name: str
    company: str


class Metric(NamedTuple):
    """What a quantity measures, and the units that fit; earlier ones in the catalog's list win where two are as near."""

    order: int
    name: str
    units: frozenset[str]


class Word(NamedTuple):
    """A word of metrics at [a, b)."""

    a: int
    b: int
    metrics: tuple[Metric, ...]


def table(name: str) -> list[dict[str, str]]:
    """Rows of one of the catalog's lists for articles."""
    with files("offtake.catalog").joinpath("article", name).open("r", encoding="utf-8") as text:
        return list(csv.DictReader(text))


@cache
def known_names() -> dict[str, tuple[str, str]]:
    """Alias -> the name shown and the company."""
    return {row["alias"]: (row["name"], row["company"]) for row in table("names.csv")}


@cache
def year_ends() -> dict[str, int]:
    """Company -> the month in which its fiscal year ends, where it is known."""
    return {row["company"]: int(row["year_end"]) for row in table("names.csv") if row["year_end"]}


@cache
def wholes() -> dict[str, str]:
    """Company -> the name that means all of it, not a segment."""
    return {row["company"]: row["name"] for row in reversed(table("names.csv")) if not row["part"]}


@cache
def _metric_words() -> dict[str, tuple[Metric, ...]]:
    """Each word, in lower case, with the metrics that it stands for."""
    found: dict[str, tuple[Metric, ...]] = {}
    for n, row in enumerate(table("metrics.csv")):
        metric = Metric(n, row["metric"], frozenset(row["units"].split()))
        for word in row["words"].lower().split("|"):
            found[word] = (*found.get(word, ()), metric)
    return {
        w: tuple(dict.fromkeys(m for part, ms in found.items() if part == w or part in w.split() for m in ms)) for w in found
    }  # `shares of` is `shares` too


@cache
def _any(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of these words, the longest first; whole words are told apart by `_whole`, which leaves the search fast."""
    return re.compile("|".join(re.escape(w) for w in sorted(words, key=len, reverse=True)))


def _whole(text: str, a: int, b: int) -> bool:
    """Whether no Latin letter goes on before or behind a Latin word."""
    if not text[a].isascii():
        return True
    return not ((a and _letter(text[a - 1])) or (b < len(text) and _letter(text[b])))


def _letter(c: str) -> bool:
    return c.isascii() and c.isalpha()


def metric_words(text: str) -> list[Word]:
    """All words of metrics, in order."""
    words, low = _metric_words(), text.translate(LOWER)
    return [Word(m.start(), m.end(), words[m[0]]) for m in _any(tuple(words)).finditer(low) if _whole(text, m.start(), m.end())]


def named(text: str) -> list[Named]:
    """Companies in order: of the catalog, then names that stand in the text at least twice."""
    known = known_names()
    found = [Named(m.start(), m.end(), *known[m[0]]) for m in _any(tuple(known)).finditer(text) if _whole(text, m.start(), m.end())]
    taken = {place for n in found for place in range(n.a, n.b)}
    for n in _repeated(text):
        if n.a not in taken and n.b - 1 not in taken:
            found.append(n)
    return sorted(found)


def _repeated(text: str) -> list[Named]:
    """`Halden Power` and later `Halden` are one; 星河云集团 and 星河云 are one, and so are 北辰智能 and 北辰."""
    hits = [(m.start(), m.end(), _head(m[0])) for m in REPEATED.finditer(text) if _head(m[0])]
    count = Counter(head for _, _, head in hits)
    within = {head for a, b, head in hits if " " in text[a:b] or OPENS.search(text, max(0, a - 3), a) is None}
    latin = [Named(a, b, text[a:b], head) for a, b, head in hits if count[head] >= 2 and head in within]
    return [*latin, *_han_repeated(text)]


def _han_repeated(text: str) -> list[Named]:
    heads = Counter(re.sub("(?:集团|公司)$", "", m[0]) for m in HAN_NAME.finditer(text) if m[0] not in HAN_COMMON)
    if not heads:
        return []
    most = [head for head, _ in heads.most_common(60)]
    roots = {re.sub(f"(?:{SUFFIX})$", "", head): head for head in most}
    forms = sorted({*most, *(root for root in roots if len(root) >= 2)} - HAN_COMMON, key=len, reverse=True)
    places = [(m.start(), m.end(), m[0]) for m in re.finditer("|".join(map(re.escape, forms)), text)]
    often = Counter(form for _, _, form in places)
    kept = {form: form for form in most if often[form] >= 2}
    kept |= {form: root for root, head in roots.items() for form in (root, head) if often[root] + often[head] >= 2 and form not in kept}
    return [Named(a, b, form, kept[form]) for a, b, form in places if form in kept]


def _head(words: str) -> str:
    """The first word that is not one that any sentence may begin with; "" where none is left."""
    return next((w for w in words.split() if w not in COMMON), "") if words.split()[0] not in COMMON else ""
