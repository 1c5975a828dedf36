"""Numbers as written: digits, Chinese numerals, English words, magnitudes, and vague ones such as 数十万 or `hundreds of thousands`."""

from __future__ import annotations

import re
from typing import NamedTuple

ONES = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
TENS = {"十": 10, "百": 100, "千": 1000}
SCALES = {
    "万亿": 1e12,
    "亿": 1e8,
    "万": 1e4,
    "萬": 1e4,
    "億": 1e8,
    "萬億": 1e12,
    "千亿": 1e11,
    "百亿": 1e10,
    "十亿": 1e9,
    "千万": 1e7,
    "百万": 1e6,
    "十万": 1e5,
}
TEENS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
TIES = "twenty thirty forty fifty sixty seventy eighty ninety"
WORDS = {w: n for n, w in enumerate(TEENS.split())} | {w: 10 * n for n, w in enumerate(TIES.split(), 2)}
ENGLISH = {
    "trillion": 1e12, "tn": 1e12, "trn": 1e12, "billion": 1e9, "bn": 1e9, "million": 1e6, "mn": 1e6, "thousand": 1e3, "hundred": 1e2,
    "T": 1e12, "t": 1e12, "B": 1e9, "b": 1e9, "M": 1e6, "m": 1e6, "k": 1e3, "K": 1e3,
}  # fmt: skip
WORD = "|".join(sorted(WORDS, key=len, reverse=True))
HAN = "零〇一二两三四五六七八九十百千"
DIGITS = re.compile(r"(?<![0-9A-Za-z_])(?<![0-9][.,])(?<![A-Za-z]-)[0-9]{1,15}(?:(?:,[0-9]{3}){1,5}(?![0-9]))?(?:\.[0-9]{1,12})?(?![0-9])")
AGAIN = re.compile(r"[0-9]{1,15}(?:(?:,[0-9]{3}){1,5}(?![0-9]))?(?:\.[0-9]{1,12})?(?![0-9])")
CHINESE = re.compile(rf"[{HAN}]{{1,12}}点[零〇一二三四五六七八九]{{1,6}}|[{HAN}]{{1,12}}")
SPOKEN = re.compile(
    rf"(?<![A-Za-z0-9-])(?:(?:{WORD})(?:[- ](?:{WORD}))?|an?(?= (?:hundred|thousand|million|billion|trillion)\b))"
    r"(?: hundred(?: and)?(?: [a-z]{3,9})?)?(?: and a half)?(?![A-Za-z])", re.IGNORECASE
)  # fmt: skip
SCALE = re.compile("|".join(SCALES))
MAGNITUDE = re.compile(r" ?-?(trillion|billion|million|thousand|hundred)(?![A-Za-z])| ?(trn|tn|bn|mn)(?![A-Za-z])", re.IGNORECASE)
LETTER = re.compile(r" ?([TtBbMmkK])(?![A-Za-z0-9])")
THINGS = re.compile(  # `5m users` are five million
    r"([BbMm])(?= (?:[a-z-]{3,12} ){0,2}(?:users|customers|subscribers|people|tokens|requests|queries|shares|homes|"
    r"GPUs|chips|accelerators)(?![a-z]))"
)
SOME_MORE = re.compile(r"[多余](?=[万亿])")
SMALLER = re.compile(rf"([0-9]{{1,4}}|[{HAN}]{{1,7}})(千万|百万|万)")
SOME_TENS = re.compile(r"([一二三四五六七八九]?)十[几多余](万亿|亿|万)?")
SEVERAL = re.compile(
    r"(?<![A-Za-z])(?:several|a few) (hundred|thousand|million|billion|trillion)(?: (thousand|million|billion))?(?![A-Za-z])",
    re.IGNORECASE,
)
VAGUE = re.compile(r"(?:好几|数|几|上)(百万亿|十万亿|万亿|千亿|百亿|十亿|亿|千万|百万|十万|万|千|百|十)")
PLURAL = re.compile(
    r"(?<![A-Za-z])(tens|dozens|hundreds|thousands|millions|billions|trillions)(?: of (thousands|millions|billions|"
    r"trillions))?(?![A-Za-z])",
    re.IGNORECASE,
)
PLURALS = {"tens": 10, "dozens": 12, "hundreds": 100, "thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}


def decimal(value: float) -> float:
    """The number that was written: 5.8 * 0.01 is 0.058, which floating point misses by a bit."""
    return float(f"{value:.15g}")


class Numeral(NamedTuple):
    """One written number [a, b): `value`, or `low` to `high` where it is vague. `step` is what the last written digit counts.

    scale    the magnitude that stands in it, such as 亿 or `bn`; 1 without
    grouped  written with commas between thousands
    """

    a: int
    b: int
    value: float | None
    low: float
    high: float
    step: float
    scale: float
    grouped: bool

    @property
    def scaled(self) -> bool:
        return self.scale > 1.0

    def times(self, scale: float) -> Numeral:
        value = None if self.value is None else decimal(self.value * scale)
        return self._replace(value=value, low=decimal(self.low * scale), high=decimal(self.high * scale), step=self.step * scale)


def of_han(text: str) -> float:
    """两亿四千万 without its 亿 and 万: 二百五十 -> 250, 十二 -> 12, 二〇二八 -> 2028, 三点五 -> 3.5."""
    whole, _, part = text.partition("点")
    if part:
        return of_han(whole) + float("0." + "".join(str(ONES[c]) for c in part))
    if len(whole) > 1 and not any(c in TENS for c in whole):
        return float("".join(str(ONES[c]) for c in whole))
    total, last = 0, 0
    for c in whole:
        if c in TENS:
            total, last = total + max(last, 1) * TENS[c], 0
        else:
            last = ONES[c]
    return float(total + last)


def of_words(text: str) -> float:
    """`five and a half` -> 5.5, `twenty-two` -> 22, `a` -> 1, `two hundred and fifty` -> 250."""
    total, half = 0.0, text.lower().endswith("and a half")
    for word in re.split("[- ]", text.lower().removesuffix(" and a half")):
        if word == "hundred":
            total *= 100
        elif word in ("a", "an"):
            total += 1
        else:
            total += WORDS.get(word, 0)
    return total + 0.5 * half


def second_at(text: str, at: int, money: bool) -> Numeral | None:
    """The second number of a range, which may stand right behind the first one's unit: `10x-12x`."""
    return numeral_at(text, at, money) or _digits(text, at, money, AGAIN)


def numeral_at(text: str, at: int, money: bool = False) -> Numeral | None:
    """The number that begins exactly here, its magnitude included; `money`: a currency stands before, and `m` and `b` are magnitudes."""
    return _digits(text, at, money) or _vague(text, at) or _han(text, at) or _words(text, at)


def _digits(text: str, at: int, money: bool, form: re.Pattern[str] = DIGITS) -> Numeral | None:
    found = form.match(text, at)
    if not found:
        return None
    written = found[0].replace(",", "")
    value = float(written)
    whole, _, part = written.partition(".")
    padding = min(len(whole) - len(whole.rstrip("0")), max(0, len(whole) - 3))  # 4550 may be rounded; three digits are taken as meant
    step = 10.0 ** -len(part) if part else 10.0**padding
    return _scaled(text, Numeral(at, found.end(), value, value, value, step, 1.0, "," in found[0]), money)


def _scaled(text: str, n: Numeral, money: bool) -> Numeral:
    """With the magnitude that follows, if any; 2亿4000万 adds up."""
    if n.value is not None and SOME_MORE.match(text, n.b) and SCALE.match(text, n.b + 1):
        place = 10.0 ** (len(f"{n.value:.0f}") - len(f"{n.value:.0f}".rstrip("0")))
        n = n._replace(b=n.b + 1, value=None, high=n.high + place)  # 30多亿 lies between 30 and 40
    scale = SCALE.match(text, n.b)
    if scale:
        whole = n._replace(b=scale.end(), scale=SCALES[scale[0]]).times(SCALES[scale[0]])
        more = SMALLER.match(text, scale.end()) if "亿" in scale[0] else None
        if more and whole.value is not None:
            extra = (float(more[1]) if more[1].isdigit() else of_han(more[1])) * SCALES[more[2]]
            value = whole.value + extra
            return whole._replace(b=more.end(), value=value, low=value, high=value, step=SCALES[more[2]])
        return whole
    word = MAGNITUDE.match(text, n.b) or (
        LETTER.match(text, n.b) if money or text[n.b : n.b + 1] in ("k", "M", "K") else THINGS.match(text, n.b)
    )
    if word:
        name = next(g for g in word.groups() if g)
        by = ENGLISH[name if len(name) == 1 else name.lower()]
        return n._replace(b=word.end(), scale=by).times(by)
    return n


def _han(text: str, at: int) -> Numeral | None:
    found = CHINESE.match(text, at)
    if not found or (at and text[at - 1] in HAN + "第数几"):
        return None
    value = of_han(found[0])
    step = 10.0 ** -len(found[0].partition("点")[2]) if "点" in found[0] else 1.0
    return _scaled(text, Numeral(at, found.end(), value, value, value, step, 1.0, False), False)


def _vague(text: str, at: int) -> Numeral | None:
    tens = SOME_TENS.match(text, at)
    if tens:
        unit, first = SCALES.get(tens[2] or "", 1.0), 10.0 * (ONES[tens[1]] if tens[1] else 1)
        return Numeral(at, tens.end(), None, first * unit, (first + 10.0) * unit, 10.0 * unit, 10.0 * unit, False)
    found = VAGUE.match(text, at)
    if found:
        unit = 1.0
        for part in re.findall("万亿|亿|万|千|百|十", found[1]):
            unit *= SCALES.get(part) or TENS[part]
        high = unit * 10 if found[0][0] != "上" else float("inf")
        return Numeral(at, found.end(), None, unit, high, unit, unit, False)
    several = SEVERAL.match(text, at)
    if several:
        unit = ENGLISH[several[1].lower()] * ENGLISH.get((several[2] or "").lower(), 1.0)
        return Numeral(at, several.end(), None, unit, unit * 10, unit, unit, False)
    plural = PLURAL.match(text, at)
    if not plural:
        return None
    unit = PLURALS[plural[1].lower()] * (PLURALS[plural[2].lower()] if plural[2] else 1.0)
    step = 10 if plural[1].lower() in ("tens", "hundreds") else 1000 if plural[1].lower() != "thousands" else 10
    return Numeral(at, plural.end(), None, unit, unit * step if step == 10 else float("inf"), unit, unit, False)


def _words(text: str, at: int) -> Numeral | None:
    found = SPOKEN.match(text, at)
    if not found:
        return None
    value = of_words(found[0])
    step = 0.5 if found[0].lower().endswith("half") else 1.0
    return _scaled(text, Numeral(at, found.end(), value, value, value, step, 1.0, False), False)


BEGINS = re.compile(
    rf"{DIGITS.pattern}|[{HAN}]|(?:好几|数|几|上)(?=[万亿千百十])|(?<![A-Za-z0-9-])(?:{WORD}|an?|several|tens|dozens|hundreds|thousands|millions|billions)"
    r"(?![A-Za-z])", re.IGNORECASE
)  # fmt: skip


def places(text: str) -> list[int]:
    """Where a number may begin, in order."""
    return [found.start() for found in BEGINS.finditer(text)]


def numerals(text: str, start: int, stop: int) -> list[Numeral]:
    """All numbers of a stretch, in order and apart from one another."""
    found: list[Numeral] = []
    at = start
    for begin in BEGINS.finditer(text, start, stop):
        if begin.start() >= at and (n := numeral_at(text, begin.start())):
            found.append(n)
            at = n.b
    return found
