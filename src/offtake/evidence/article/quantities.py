"""Quantities in a text: a number with its unit, a range, a share or multiple in words, and what the words around it allow.

A plain number has value = low = high. "Up to", "nearly" leave the low side open, "more than" the high side, "about" both; a range has ends
and no value. Units: USD and other currencies as written, share, multiple, month, hour, MW, MWh, USD/GPU-h, count (`of` says of what).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .numerals import HAN, ONES, SCALES, WORDS, Numeral, decimal, numeral_at, places, second_at

CURRENCY = {
    "US$": "USD", "$": "USD", "USD": "USD", "HK$": "HKD", "NT$": "TWD", "A$": "AUD", "C$": "CAD", "€": "EUR", "EUR": "EUR", "£": "GBP",
    "GBP": "GBP", "¥": "CNY", "RMB": "CNY", "CNY": "CNY",
}  # fmt: skip
BEFORE = re.compile(r"(US\$|HK\$|NT\$|A\$|C\$|\$|€|£|¥|(?<![A-Za-z])(?:USD|EUR|GBP|RMB|CNY)) ?\Z")
MONEY = {
    "美元": "USD", "美金": "USD", "人民币": "CNY", "元人民币": "CNY", "元": "CNY", "欧元": "EUR", "英镑": "GBP", "日元": "JPY",
    "港元": "HKD",
    "港币": "HKD", "新台币": "TWD", "韩元": "KRW", "usd": "USD", "dollars": "USD", "dollar": "USD", "euros": "EUR", "euro": "EUR",
    "pounds": "GBP", "yuan": "CNY", "yen": "JPY", "eur": "EUR", "cny": "CNY", "rmb": "CNY", "gbp": "GBP",
}  # fmt: skip
SHARES = {
    "%": 0.01, "percent": 0.01, "per cent": 0.01, "pct": 0.01, "percentage points": 0.01, "percentage point": 0.01, "个百分点": 0.01,
    "百分点": 0.01, "pp": 0.01, "basis points": 1e-4, "basis point": 1e-4, "bps": 1e-4, "bp": 1e-4, "个基点": 1e-4, "基点": 1e-4, "成": 0.1,
}  # fmt: skip
TIMES = {
    "年": 12.0, "年期": 12.0, "个月": 1.0, "个季度": 3.0, "years": 12.0, "year": 12.0, "months": 1.0, "month": 1.0, "quarters": 3.0,
    "weeks": 12 / 52.1786, "days": 12 / 365.25, "周": 12 / 52.1786, "天": 12 / 365.25,
}  # fmt: skip
POWER = {
    "GW": ("MW", 1e3), "MW": ("MW", 1.0), "kW": ("MW", 1e-3), "gigawatts": ("MW", 1e3), "gigawatt": ("MW", 1e3), "megawatts": ("MW", 1.0),
    "吉瓦": ("MW", 1e3), "兆瓦": ("MW", 1.0), "千瓦": ("MW", 1e-3), "TWh": ("MWh", 1e6), "GWh": ("MWh", 1e3), "MWh": ("MWh", 1.0),
    "太瓦时": ("MWh", 1e6), "hours": ("hour", 1.0), "小时": ("hour", 1.0), "minutes": ("hour", 1 / 60), "分钟": ("hour", 1 / 60),
}  # fmt: skip
NOUNS = {
    "user": "users user 用户", "customer": "customers clients subscribers 企业客户 客户 订户",
    "GPU": "GPUs GPU accelerators chips cards 加速卡 显卡 芯片 算力卡 GPU芯片",
    "employee": "employees staff workers 员工 雇员", "data centre": "centres centers campuses sites 数据中心 园区",
    "server": "servers 服务器",
    "rack": "racks 机柜 机架", "token": "tokens 令牌", "request": "requests prompts queries 请求", "share": "shares 股",
    "person": "people 人",
    "home": "homes households 家庭", "order": "orders 订单", "contract": "contracts deals agreements 合同 协议", "cluster": "clusters 集群",
    "company": "companies firms 公司 企业",
}  # fmt: skip
NOUN = {word: of for of, words in NOUNS.items() for word in words.split()}


def _any(words: Iterator[str] | list[str]) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))


HAN_NOUN = _any([w for w in NOUN if not w.isascii()])
LATIN_NOUN = _any([w for w in NOUN if w.isascii()])
UNIT = re.compile(
    rf"[”\"]? ?(?:(?P<money>{_any([w for w in MONEY if not w.isascii()])}|"
    rf"(?:of )?(?:U\.?S\.? )?(?i:{_any([w for w in MONEY if w.isascii()])})(?![A-Za-z]))"
    rf"|-? ?(?P<share>%|(?:percentage points?|per cent|percent|pct|pp|basis points?|bps?)(?![A-Za-z])|个百分点|百分点|个基点|"
    rf"基点|成(?![功为立长本交员果]))"
    rf"|(?P<multiple>倍|-?fold(?![A-Za-z])|x(?![A-Za-z0-9])|×(?! ?\d)|times(?! (?:a|per|each)\b)(?![A-Za-z]))"
    rf"|(?P<power>{_any([w for w in POWER if not w.isascii()])}|-?(?:{_any([w for w in POWER if w.isascii()])})(?![A-Za-z]))"
    rf"|-?(?P<time>年期|年(?![初中末底前后代度])|个月|个季度|周(?!年)|天(?!前)|(?:years?|months?|quarters|weeks|days)(?![A-Za-z]))"
    rf"|(?P<han>[个名位家张块台座颗枚款份笔户万]{{0,2}}(?:(?![数几亿万元]|美元)[^\W\d_]){{0,6}}?(?:{HAN_NOUN}|GPUs?(?![A-Za-z])))"
    rf"|(?P<latin>(?:-?[A-Za-z][A-Za-z0-9]*[ -]){{0,2}}(?:{LATIN_NOUN})(?![A-Za-z]))"
    r"|(?P<each>[个名位家张块台座颗枚款](?!月|季|百|基|方面|原因|问题|点|阶段|星期|小时)))"
)  # fmt: skip
RANGE = re.compile(r" ?(?:-|–|—(?!—)|~|至|到|to(?= )) ?")
BETWEEN = re.compile(r"(?:between |介于|在)\Z", re.IGNORECASE)
AND = re.compile(r" ?(?:and|与|和) ?")
MINUS = re.compile(r"(?:^|[ \n(为至是约到:])-\Z")
FROM = re.compile(r"(?:(?<![A-Za-z])from |从|由)[^\d]{0,3}\Z", re.IGNORECASE)
HOUR = re.compile(
    r" ?(?:per|an?|/) ?(?:[A-Za-z]{0,3}\d{0,4}[- ]|[A-Za-z]{1,3}\d{2,4}[- ])?(?:GPU[- ]?)?(?:hour|hr|h)\b|/(?:卡时|卡小时|GPU小时)",
    re.IGNORECASE,
)
WHOLE = re.compile(r"百分之")
PHRASES = re.compile(
    r"(?P<among>(?<![A-Za-z0-9.,$])(?:(?:[Oo]ne|[Tt]wo|[Tt]hree) (?:in|out of) (?:three|four|five|six|seven|eight|nine|ten)|"
    r"\d (?:in|out of) \d{1,2})(?![A-Za-z0-9.,]))|"
    r"(?P<third>(?:an?|one|two)[ -](?:thirds?|fifths?|tenths?)(?![A-Za-z]))|(?P<quarter>(?:an?|one|three)[ -]quarters?(?= of(?! "
    r"\d| an?\b| the year)))"
    r"|(?P<half>(?<![A-Za-z])half(?= (?:of|the|its|their)\b(?! \d))|(?<=by )half(?![A-Za-z])|一半|半数)"
    r"|(?P<part>[二三四五六七八九十]分之[一二三四五六七八九])"
    r"|(?P<halve>(?<![A-Za-z])halv(?:e[sd]?|ing)(?![A-Za-z])|减半|腰斩)"
    r"|(?P<double>(?<![A-Za-z])doubl(?:e[sd]?|ing)(?![A-Za-z])(?! down)|翻一?番|翻倍)|(?P<triple>(?<![A-Za-z])tripl(?:e[sd]?|"
    r"ing)(?![A-Za-z])|翻两番)"
    r"|(?P<quadruple>(?<![A-Za-z])quadrupl(?:e[sd]?|ing)(?![A-Za-z]))"
    r"|(?P<fold>(?<![A-Za-z])(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)-?fold(?![A-Za-z]))"
    r"|(?P<bare>(?:百万亿|十万亿|万亿|千亿|百亿|十亿)(?=美元|元))|(?P<dollar>(?:multi-?)?(?:trillion|billion|million)(?=-dollar))"
)
UP_TO = (
    "高达|多达|最多|至多|不超过|不高于|不到|不足|少于|低于|up to|as much as|as many as|as high as|at most|no more than|not more than|under|"
    "less than|fewer than|below|not exceeding"
)
NEARLY = "接近|将近|近|nearly|almost|close to|approaching"
AT_LEAST = (
    "超过|超|逾|突破|高于|至少|不低于|不少于|多于|大于|"
    "over|more than|at least|above|exceeding|exceeded|exceeds|exceed|upwards of|surpassing|"
    "surpassed|topped|north of"
)
ABOUT = "约为|大约|约|大概|左右|about|around|roughly|some|approximately|circa|~"
HEDGE = re.compile(
    rf"(?:(?P<nearly>{NEARLY})|(?P<up>{UP_TO})|(?P<least>{AT_LEAST})|(?P<about>{ABOUT}))(?:了|达到|达|为|至|到|the|a)? ?\Z", re.IGNORECASE
)
BEHIND = re.compile(
    r"(?P<least>以上|多(?!年|期|个|家)|有余| or more| and more)|(?P<up>以下|以内|之内| or less| at most)|(?P<about>左右|上下| or so)"
)
NEVER = re.compile(r"(?:\bnever\b|\bnot\b|n't\b|\bno\b)[^.;。]{0,30}\Z", re.IGNORECASE)
GROWN = re.compile(r"(?:增长|提高|增加|上升|扩大|提升|涨)了?\Z")


class Quantity(NamedTuple):
    """A quantity [a, b) of the flat text. `step` is what its last written digit counts; `hedge` one of "", up to, nearly, at least, about,
    range, vague; `note` says what was taken from elsewhere."""

    a: int
    b: int
    value: float | None
    low: float | None
    high: float | None
    unit: str
    of: str
    step: float
    hedge: str
    note: str = ""


class _Unit(NamedTuple):
    name: str
    size: float
    of: str
    end: int

    def to_base(self, value: float) -> float:
        """5.8 % is 0.058 to the last bit."""
        return decimal(value * self.size)


def _unit_at(text: str, at: int) -> _Unit | None:
    """The unit that stands here, in base units."""
    found = UNIT.match(text, at, min(len(text), at + 60))
    if not found:
        return None
    kind, word = found.lastgroup or "", found[found.lastgroup or 0].strip(" -")
    if kind == "money":
        return _Unit(MONEY[word.lower().rsplit(" ", 1)[-1]], 1.0, "", found.end())
    if kind == "share":
        return _Unit("share", SHARES[word], "", found.end())
    if kind == "power":
        name, size = POWER[word]
        return _Unit(name, size, "", found.end())
    if kind == "time":
        return _Unit("month", TIMES[word], "", found.end())
    if kind in ("han", "latin"):
        last = next(w for w in sorted(NOUN, key=len, reverse=True) if word.endswith(w))
        return _Unit("count", 1.0, NOUN[last], found.end())
    return _Unit("count" if kind == "each" else "multiple", 1.0, "", found.end())


def quantities(text: str, taken: list[tuple[int, int]]) -> list[Quantity]:
    """All quantities of a text in order; nothing that touches a `taken` span (the dates) is one."""
    free = _Free(taken)
    found: list[Quantity] = []
    for at in sorted({*places(text), *(m.start() for m in PHRASES.finditer(text)), *(m.start() for m in WHOLE.finditer(text))}):
        if (found and at < found[-1].b) or not free.at(at):
            continue
        one = _whole(text, at) or _among(text, at) or _written(text, at) or _phrase(text, at)
        one = _signed(text, one) if one else None
        if one and free.span(one.a, one.b) and not (found and one.a < found[-1].b):
            found.append(_bounded(text, one))
    if any(text[q.a] == "¥" for q in found) and re.search(r"[\u4e00-\u9fff]", text) is None:
        found = [q._replace(unit="¥") if text[q.a] == "¥" else q for q in found]  # yuan or yen: the text does not say
    return found


class _Free:
    """Whether a place lies outside the taken spans; asked in growing order."""

    def __init__(self, taken: list[tuple[int, int]]) -> None:
        self.taken, self.next = sorted(taken), 0

    def at(self, place: int) -> bool:
        while self.next < len(self.taken) and self.taken[self.next][1] <= place:
            self.next += 1
        return self.next == len(self.taken) or place < self.taken[self.next][0]

    def span(self, a: int, b: int) -> bool:
        return self.next == len(self.taken) or b <= self.taken[self.next][0] or a >= self.taken[self.next][1]


def _among(text: str, at: int) -> Quantity | None:
    """`one in three`, which is no count."""
    found = PHRASES.match(text, at)
    return _phrase(text, at) if found and found.lastgroup == "among" else None


def _signed(text: str, q: Quantity) -> Quantity:
    """-59亿美元, `-$5.9 billion`: the sign belongs to the number where no word or number stands before it."""
    if not MINUS.search(text, max(0, q.a - 2), q.a) or (q.low is None and q.high is None):
        return q
    low, high = (None if x is None else -x for x in (q.high, q.low))
    return q._replace(a=q.a - 1, value=None if q.value is None else -q.value, low=low, high=high)


def _whole(text: str, at: int) -> Quantity | None:
    """百分之三十五, 百分之五到十."""
    if not text.startswith("百分之", at):
        return None
    first = numeral_at(text, at + 3)
    if not first or first.value is None:
        return None
    sep = RANGE.match(text, first.b)
    second = numeral_at(text, sep.end() + 3 * text.startswith("百分之", sep.end())) if sep else None
    if second and second.value is not None:
        low, high = decimal(first.value / 100), decimal(second.value / 100)
        return Quantity(at, second.b, None, low, high, "share", "", second.step / 100, "range")
    value = decimal(first.value / 100)
    return Quantity(at, first.b, value, value, value, "share", "", first.step / 100, "")


def _written(text: str, at: int) -> Quantity | None:
    """A number or a range with its unit; None where no unit and no magnitude makes it one."""
    sign = BEFORE.search(text, max(0, at - 5), at)
    first = numeral_at(text, at, sign is not None)
    if not first:
        return None
    unit = _Unit(CURRENCY[sign[1]], 1.0, "", first.b) if sign else _unit_at(text, first.b)
    a = sign.start() if sign else at
    return _range(text, a, first, unit, sign) or _single(text, a, first, unit, sign is not None)


def _range(text: str, a: int, first: Numeral, unit: _Unit | None, sign: re.Match[str] | None) -> Quantity | None:
    """`50至100个基点`, `$5-10 billion`, `five to ten percent`, `between 9 and 11 MW`; `from A to B` with two units is a change."""
    own = unit is not None and sign is None
    end = unit.end if unit is not None else first.b
    between = BETWEEN.search(text, max(0, a - 8), a)
    sep = RANGE.match(text, end) or (AND.match(text, end) if between else None)
    if not sep or first.value is None:
        return None
    here = sep.end()
    again = re.compile(r"US\$|\$|€|£|¥").match(text, here)
    second = second_at(text, again.end() if again else here, sign is not None)
    if not second or second.value is None or (FROM.search(text, max(0, a - 8), a) and (own or again)):
        return None
    last = unit if sign else _unit_at(text, second.b) or unit
    if last is None or (again and own) or (own and (unit is None or last is unit or unit.name != last.name)):
        return None
    if not first.scaled and second.scaled:
        first = first.times(second.scale)
    low, high = (unit if own and unit is not None else last).to_base(first.low), last.to_base(second.high)
    if low > high:
        return None
    b = max(second.b, last.end if last is not unit or not sign else second.b)
    return _priced(
        text,
        Quantity(
            between.start() if between and sep.re is AND else a, b, None, low, high, last.name, last.of, second.step * last.size, "range"
        ),
    )


def _single(text: str, a: int, n: Numeral, unit: _Unit | None, signed: bool) -> Quantity | None:
    if unit is None and (not n.scaled or (text[n.a] in HAN and "亿" not in text[n.a : n.b])) and not n.grouped:
        return None
    base = unit or _Unit("count", 1.0, "", n.b)
    name, size, of, end = base
    if not _worth_it(text, a, n, unit, signed):
        return None
    value, low, high = n.value, base.to_base(n.low), base.to_base(n.high)
    if name == "multiple" and GROWN.search(text, max(0, a - 5), a) and text[n.b : n.b + 1] == "倍":
        low, high = low + 1.0, high + 1.0  # 增长一倍 is twice as much
    bounded = None if high == float("inf") else high
    value = None if value is None else low
    hedge = "vague" if n.value is None else ""
    note = "" if unit else "no unit is written"
    return _priced(text, Quantity(a, max(end, n.b), value, low, bounded, name, of, n.step * size, hedge, note))


def _worth_it(text: str, a: int, n: Numeral, unit: _Unit | None, signed: bool) -> bool:
    """Whether this is a quantity and not the article of a noun, part of a name, or `once a day`."""
    small = n.value is not None and n.value <= 2 and not n.scaled and not text[a].isdigit() and not signed
    if unit is not None and unit.name == "count" and small:
        return False
    if unit is not None and unit.name == "month" and small and (text[a] in "一" or text[a : a + 2].lower() in ("a ", "an", "on")):
        return False
    if unit is not None and unit.name == "multiple" and small and text[a] != "一" and text[a].lower() == "a":
        return False
    return not (text[a - 1 : a] in ("第", "#") and a > 0)


def _priced(text: str, q: Quantity) -> Quantity:
    """Money for an hour of a GPU: the unit says so."""
    if len(q.unit) != 3 or not q.unit.isupper():
        return q
    behind, around = HOUR.match(text, q.b), text[max(0, q.a - 24) : q.a]
    hour = behind[0] if behind else "".join(re.findall(r"每小时|每(?:张)?卡时|\bhour\b", around))
    if hour and re.search(r"卡|GPU|[A-Z]\d{3}|chip|accelerator", around + hour):
        return q._replace(unit=f"{q.unit}/GPU-h")
    if behind:
        return q._replace(unit=f"{q.unit}/hour")
    return q


def _phrase(text: str, at: int) -> Quantity | None:
    """Shares and multiples said in words, and amounts that are only a magnitude."""
    found = PHRASES.match(text, at)
    if not found:
        return None
    kind, word = found.lastgroup or "", found[0].lower()
    if kind in ("bare", "dollar"):
        value = SCALES[found[0]] if kind == "bare" else {"t": 1e12, "b": 1e9, "m": 1e6}[re.sub("multi-?", "", word)[0]]
        if word.startswith("multi"):
            return Quantity(at, found.end() + len("-dollar"), None, value, None, "USD", "", value, "vague")
        end = found.end() + len("-dollar") if kind == "dollar" else found.end()
        unit = None if kind == "dollar" else _unit_at(text, found.end())
        return Quantity(at, unit.end if unit else end, value, None, None, unit.name if unit else "USD", "", value, "about")
    value, unit_name = _said(kind, word)
    return Quantity(at, found.end(), value, value, value, unit_name, "", 0.05 if unit_name == "share" else 0.1, "")


def _said(kind: str, word: str) -> tuple[float, str]:
    """`a third` -> 1/3 share, 翻番 -> multiple of 2."""
    if kind == "part":
        below, _, above = word.partition("分之")
        return ONES.get(above, 10) / ONES.get(below, 10), "share"
    if kind == "among":
        some, of = (float(w) if w.isdigit() else float(WORDS[w]) for w in (word.split()[0], word.split()[-1]))
        return some / max(of, 1.0), "share"
    if kind in ("third", "quarter"):
        count, _, part = re.sub("-", " ", word).partition(" ")
        size = {"thi": 3, "qua": 4, "fif": 5, "ten": 10}[part[:3]]
        return {"two": 2, "three": 3}.get(count, 1) / size, "share"
    if kind == "half":
        return 0.5, "share"
    if kind == "fold":
        return float(WORDS[word.replace("fold", "").strip("-")]), "multiple"
    if word == "翻两番":
        return 4.0, "multiple"
    return {"halve": 0.5, "double": 2.0, "triple": 3.0, "quadruple": 4.0}[kind], "multiple"


def _bounded(text: str, q: Quantity) -> Quantity:
    """With the bounds that the words before and behind it set."""
    before = HEDGE.search(text, max(0, q.a - 20), q.a)
    behind = BEHIND.match(text, q.b)
    kind = (before and before.lastgroup) or (behind and behind.lastgroup) or q.hedge
    if kind == "least" and before and before["least"] == "over" and q.unit in ("month", "hour"):
        return q  # `over seven years` is how long, not how long at least
    if kind == "least" and before and NEVER.search(text, max(0, before.start() - 40), before.start()):
        kind = "up"
    if q.value is None or not kind:
        return q
    if kind == "about":
        return q._replace(low=None, high=None, hedge="about")
    if kind == "least":
        return q._replace(high=None, hedge="at least")
    return q._replace(low=None, hedge="nearly" if kind == "nearly" else "up to")
