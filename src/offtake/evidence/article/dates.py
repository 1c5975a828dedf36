"""Dates in a text: days, months, quarters, halves and years, in figures or in words, and those that only the article's own date resolves.

A date is written 2025-11-03, 2025-10, 2026Q1, 2025H1 or 2027; the end of a year is its last month,
the middle its sixth, the beginning its first.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

from .numerals import of_han

TWELVE = "january february march april may june july august september october november december"
MONTHS = TWELVE.split()
MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)(?![a-z])\.?)"
)
YEAR = r"(?:19[5-9]\d|20\d\d|21[0-4]\d)"
NOT_AN_AMOUNT = (
    r"(?![\d]|[.,]\d|\s?(?:%|percent|per cent|basis|bps?\b|bn\b|tn\b|billion|million|trillion|thousand|GW\b|MW\b|kW\b|x\b|"
    r"times\b|users|customers|"
    r"clients|employees|people|servers|racks|sites|homes|shares|tokens|requests|accelerators|chips|cards|GPUs?\b|dollars|euros|"
    r"yuan|data cent|"
    r"more\b|[年万亿美元倍个张名家台]))"
)
ERA = r"[12][0-9]{3}|[一二][零〇一二三四五六七八九]{3}"
HAN_DATE = re.compile(
    rf"(?<![0-9零〇一二三四五六七八九.])(?:(?P<fy>{ERA})(?:财年|财政年度)|(?:(?P<y0>{ERA})年?[至到–-])?(?P<y>{ERA})年"
    rf"(?:(?P<m>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月(?:份|(?P<d>3[01]|[12][0-9]|0?[1-9])[日号])?"
    r"|第?(?P<q>[一二三四1-4])季度|(?P<h>[上下])半年|(?P<part>年?[末底初中]))?)"
)
HAN_DAY = re.compile(r"(?<![0-9年])(?P<m>1[0-2]|[1-9])月(?:(?P<d>3[01]|[12][0-9]|[1-9])[日号]|份)")
HAN_RELATIVE = re.compile(
    r"(?<![年第上下每单近这该财一二三四五六七八九十])第?(?P<q>[一二三四])季度"
    r"|今年(?:(?P<m>1[0-2]|[1-9])月(?P<d>3[01]|[12][0-9]|[1-9])[日号])?|去年|明年|今天|目前|当前|当日|今日"
)
ENGLISH = re.compile(
    rf"(?<![A-Za-z0-9$€£¥#])(?:(?:from |between )?(?P<r1>{YEAR})(?: to |-|–)(?P<r2>{YEAR})|between (?P<r3>{YEAR}) and (?P<r4>{YEAR})"
    rf"|(?P<d>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)? (?P<m>{MONTH}),? (?P<y>{YEAR})"
    rf"|(?P<m2>{MONTH}) (?P<d2>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,? (?P<y2>{YEAR})"
    rf"|(?P<m3>{MONTH}) (?P<y3>{YEAR})"
    rf"|(?P<iso>{YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
    rf"|(?:the )?(?P<q>first|second|third|fourth|1st|2nd|3rd|4th) quarter (?:of |in )?(?P<y4>{YEAR})"
    rf"|Q(?P<q5>[1-4])[ -]?(?P<y5>{YEAR})|(?P<y6>{YEAR})[ -]?Q(?P<q6>[1-4])"
    rf"|(?:the )?(?P<h>first|second) half (?:of |in )?(?P<y7>{YEAR})|(?:H(?P<h8>[12])[ -]?(?P<y8>{YEAR}))"
    rf"|(?:the )?(?P<part>end|middle|beginning|start) of (?P<y9>{YEAR})|(?P<part2>mid|late|early)[- ](?P<y10>{YEAR})"
    rf"|(?:FY|fiscal(?: year)? )(?P<fy>{YEAR})|FY'?(?P<fs>[0-4]\d)|Q(?P<qs>[1-4])'(?P<ys>[0-4]\d)"
    rf"|(?P<y11>(?<![-.,]){YEAR}){NOT_AN_AMOUNT})(?![A-Za-z0-9])"
)
LATIN_RELATIVE = re.compile(
    rf"(?<![A-Za-z])(?P<word>[Tt]his year|[Ll]ast year|[Nn]ext year|[Tt]oday|[Cc]urrently)(?![A-Za-z])"
    rf"|(?<!fiscal )(?<![A-Za-z])(?P<q>[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth)[- ]quarter(?!s| (?:of |in )?(?:fiscal |{YEAR}))(?![A-Za-z])"
    rf"|(?:in|since|from|on|by) (?P<m>{MONTH})(?: (?P<d>3[01]|[12]\d|0?[1-9])(?!\d|,\d))?(?!,? ?\d{4})(?![A-Za-z0-9])"
)
PARTS = {
    "末": "12",
    "底": "12",
    "中": "06",
    "初": "01",
    "end": "12",
    "middle": "06",
    "mid": "06",
    "late": "12",
    "beginning": "01",
    "start": "01",
    "early": "01",
}
ORDER = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "一": 1, "二": 2, "三": 3, "四": 4}


class Dated(NamedTuple):
    """A date [a, b) of the flat text; `own` where the text says the year, so that it can be a claim of its own."""

    a: int
    b: int
    iso: str
    own: bool


def dates(text: str, stamp: date | None, otherwise: date | None = None) -> tuple[list[Dated], date | None]:
    """All dates in order, and the article's own: its `stamp`, else the first full day in the first 2,000 characters, else `otherwise`."""
    own = [*_han(text), *_english(text)]
    day = stamp or _first_day(own) or otherwise
    found = sorted([*own, *_relative(text, day)], key=lambda d: (d.a, -d.b))
    kept: list[Dated] = []
    for one in found:
        if one.iso and not (kept and one.a < kept[-1].b):
            kept.append(one)
    return kept, day


def _first_day(found: list[Dated]) -> date | None:
    days = [d for d in sorted(found) if len(d.iso) == 10 and d.a < 2_000]
    return date.fromisoformat(days[0].iso) if days else None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else int(of_han(text))


def _day(year: int, month: int, day: int) -> str:
    """The day, or "" where the calendar has none."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _han(text: str) -> list[Dated]:
    found = []
    for hit in HAN_DATE.finditer(text):
        year = _number(hit["y"] or hit["fy"])
        iso = f"{'FY' * bool(hit['fy'])}{year}" if 1950 <= year < 2150 else ""
        if iso and hit["y0"]:
            first = _number(hit["y0"])
            iso = f"{first}-01-01..{year}-12-31" if 1950 <= first < year and not (hit["m"] or hit["q"] or hit["h"] or hit["part"]) else ""
        elif iso and hit["m"]:
            month = _number(hit["m"])
            iso = _day(year, month, int(hit["d"])) if hit["d"] else f"{year}-{month:02}"
        elif iso and hit["q"]:
            iso = f"{year}Q{_number(hit['q'])}"
        elif iso and hit["h"]:
            iso = f"{year}H{1 if hit['h'] == '上' else 2}"
        elif iso and hit["part"]:
            iso = f"{year}-{PARTS[hit['part'][-1]]}"
        found.append(Dated(hit.start(), hit.end(), iso, True))
    return found


def _english(text: str) -> list[Dated]:
    found = []
    for hit in ENGLISH.finditer(text):
        g = {name: value for name, value in hit.groupdict().items() if value}
        span = [value for name, value in g.items() if name[0] == "r"]
        if span:
            found.append(Dated(hit.start(), hit.end(), f"{span[0]}-01-01..{span[1]}-12-31" if span[0] < span[1] else "", True))
            continue
        year = next((value if len(value) == 4 else f"20{value}" for name, value in g.items() if name[0] in "yf"), "")
        month = next((_month(value) for name, value in g.items() if name[0] == "m"), 0)
        day = next((int(value) for name, value in g.items() if name in ("d", "d2")), 0)
        quarter = next((ORDER.get(value) or int(value) for name, value in g.items() if name[0] == "q"), 0)
        half = next((ORDER.get(value) or int(value) for name, value in g.items() if name[0] == "h"), 0)
        part = next((PARTS[value] for name, value in g.items() if name.startswith("part")), "")
        iso = g.get("iso") or (_day(int(year), month, day) if day else "")
        if not iso and not day:
            iso = (
                f"{year}-{month:02}"
                if month
                else f"{year}Q{quarter}"
                if quarter
                else f"{year}H{half}"
                if half
                else f"{year}-{part}".rstrip("-")
            )
        found.append(Dated(hit.start(), hit.end(), f"FY{iso}" if "fy" in g or "fs" in g else iso, True))
    return found


def _month(word: str) -> int:
    return next(n for n, name in enumerate(MONTHS, 1) if name.startswith(word.rstrip(".").lower()[:3]))


def _relative(text: str, day: date | None) -> list[Dated]:
    """今年, `today`, `in June`: nothing where the article's own date is not known."""
    if day is None:
        return []
    found = []
    for hit in [*HAN_RELATIVE.finditer(text), *LATIN_RELATIVE.finditer(text), *HAN_DAY.finditer(text)]:
        g = hit.groupdict()
        if g.get("q"):
            found.append(Dated(hit.start(), hit.end(), _nearest_quarter(day, ORDER[g["q"].lower()]), False))
        elif g.get("m"):
            month = _month(g["m"]) if g["m"][0].isalpha() else int(g["m"])
            found.append(Dated(hit.start(), hit.end(), _nearest(day, month, int(g["d"]) if g.get("d") else 0), False))
        else:
            found.append(Dated(hit.start(), hit.end(), _word(hit[0], day), False))
    return found


def _nearest(day: date, month: int, of_month: int) -> str:
    """A month without its year is this year's."""
    return _day(day.year, month, of_month) if of_month else f"{day.year}-{month:02}"


def _nearest_quarter(day: date, quarter: int) -> str:
    """A quarter without its year is the one that ends nearest to the article's day: a third quarter told of in October has just ended."""
    return min((f"{year}Q{quarter}" for year in (day.year - 1, day.year, day.year + 1)), key=lambda iso: abs((ends(iso)[1] - day).days))


def _word(word: str, day: date) -> str:
    word = word.lower()
    years = {"今年": 0, "去年": -1, "明年": 1, "this year": 0, "last year": -1, "next year": 1}
    return str(day.year + years[word]) if word in years else day.isoformat()


def ends(iso: str) -> tuple[date, date]:
    """First and last day of a written date, or of `2025-06-01..2026-05-31`; a fiscal year of nobody known as its calendar year."""
    iso = iso.removeprefix("FY")
    if ".." in iso:
        first_day, _, last_day = iso.partition("..")
        return date.fromisoformat(first_day), date.fromisoformat(last_day)
    year = int(iso[:4])
    if len(iso) == 10:
        return date.fromisoformat(iso), date.fromisoformat(iso)
    first, months = 1, 12
    if iso[4:5] == "Q":
        first, months = 3 * int(iso[5]) - 2, 3
    elif iso[4:5] == "H":
        first, months = 6 * int(iso[5]) - 5, 6
    elif len(iso) == 7:
        first, months = int(iso[5:]), 1
    after = first + months
    return date(year, first, 1), date(year + (after > 12), (after - 1) % 12 + 1, 1) - timedelta(days=1)
