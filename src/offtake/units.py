"""The only place where units convert: text such as `38 bn USD` or `380亿美元` into a number of base units, and back for display.

A unit is a product of atoms, each with a dimension and a size. Base units: USD, share, GPU, GPU-h, MW, month, hour where a rate
needs it. `GPU-h` and `GPU` are dimensions of their own: a GPU-hour does not turn into a GPU by division. A missing or unknown
unit is an error, never a guess (N-01).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches

HOUR = 1.0
DAY, WEEK, MONTH, YEAR = 24.0, 168.0, 730.5, 8766.0

Dimension = tuple[tuple[str, int], ...]

ATOMS: dict[str, tuple[float, str]] = {
    "USD": (1.0, "money"), "美元": (1.0, "money"),
    "GPU-h": (1.0, "GPU-hour"), "GPU": (1.0, "GPU"),
    "h": (HOUR, "time"), "hour": (HOUR, "time"), "s": (HOUR / 3600.0, "time"), "second": (HOUR / 3600.0, "time"),
    "min": (HOUR / 60.0, "time"), "minute": (HOUR / 60.0, "time"), "day": (DAY, "time"), "week": (WEEK, "time"),
    "month": (MONTH, "time"), "year": (YEAR, "time"),
    "W": (1e-6, "power"), "kW": (1e-3, "power"), "MW": (1.0, "power"), "GW": (1e3, "power"),
    "Wh": (1e-6, "energy"), "kWh": (1e-3, "energy"), "MWh": (1.0, "energy"), "GWh": (1e3, "energy"), "TWh": (1e6, "energy"),
    "user": (1.0, "user"), "request": (1.0, "request"), "token": (1.0, "token"),
    "FLOP": (1.0, "flop"), "GFLOP": (1e9, "flop"), "TFLOP": (1e12, "flop"), "PFLOP": (1e15, "flop"), "EFLOP": (1e18, "flop"),
    "share": (1.0, ""), "multiple": (1.0, ""), "x": (1.0, ""), "rank": (1.0, ""), "%": (0.01, ""), "bp": (0.0001, ""),
}  # fmt: skip
WHOLE_RATES = {f"{p}FLOPS": f"{p}FLOP/s" for p in ("", "G", "T", "P", "E")}
MAGNITUDES = {
    "k": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9, "tn": 1e12, "trillion": 1e12,
    "万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "万亿": 1e12, "萬億": 1e12,
}  # fmt: skip
BARE = {"share", "multiple", "rank", "any"}
WORDS = {"share", "multiple", "rank", "x"}  # names of bare units: one does not stand for another
CURRENCIES = {"EUR", "GBP", "JPY", "CNY", "RMB", "HKD", "TWD", "KRW", "CAD", "AUD", "元", "人民币", "日元", "欧元"}


class UnitError(ValueError):
    """A unit that is missing, unknown or of another dimension; `got` and `fix` make the issue."""

    def __init__(self, got: str, rule: str, fix: str) -> None:
        super().__init__(rule)
        self.got, self.rule, self.fix = got, rule, fix


@dataclass(frozen=True)
class Unit:
    """Size in base atoms, and the dimension as sorted (name, power) pairs."""

    size: float
    dimension: Dimension


def _atom(word: str) -> tuple[float, str]:
    if word in ATOMS:
        return ATOMS[word]
    if word.endswith("s") and len(word) > 3 and word[:-1] in ATOMS:
        return ATOMS[word[:-1]]
    if word in CURRENCIES:
        raise UnitError(word, "money is in USD (N-01)", "convert it at a stated rate and write USD; say the rate in `note`")
    near = get_close_matches(word, [w for w in ATOMS if len(w) > 1], n=1, cutoff=0.5)
    known = "use USD, GPU, GPU-h, MW, kW, MWh, month, user, token, request, FLOP or %"
    fix = f"did you mean `{near[0]}`?" if near else known
    raise UnitError(word or "nothing", f"a unit this book knows; '{word}' is none (N-01)", fix)


def _words(part: str) -> list[str]:
    """Atoms of a product: `kW-month` is two, `GPU-h` is one."""
    pieces = part.split("-")
    words = []
    while pieces:
        piece = pieces.pop(0)
        if piece in ("GPU", "GPUs") and pieces and pieces[0] in ("h", "hour", "hours"):
            pieces.pop(0)
            piece = "GPU-h"
        words.append(piece)
    return words


def parse_unit(text: str) -> Unit:
    """`USD/GPU-h`, `token/s/GPU`, `bn USD/year`. Raises UnitError."""
    first, *below = WHOLE_RATES.get(text.strip(), text.strip()).split("/")
    words = first.split()
    size = MAGNITUDES[words.pop(0)] if words and words[0] in MAGNITUDES else 1.0
    powers: dict[str, int] = {}
    for sign, parts in ((1, words or [""]), (-1, [part.strip() for part in below])):
        for word in (w for part in parts for w in _words(part)):
            scale, dimension = _atom(word)
            size *= scale**sign
            powers[dimension] = powers.get(dimension, 0) + sign
    return Unit(size, tuple(sorted((d, p) for d, p in powers.items() if p and d)))


def convert(unit: str, base: str) -> float:
    """What one `unit` is in `base` units. Raises UnitError where the dimensions differ or a unit is missing."""
    if not unit:
        if base in BARE:
            return 1.0
        raise UnitError("no unit", f"{said(base)} says its unit (N-01)", f"write the unit, as in `{example(base)}`")
    found = parse_unit(unit)
    if base == "any":
        return found.size
    wanted = parse_unit(base)
    if found.dimension != wanted.dimension or (unit in WORDS and unit not in (base, "x")):
        rule = f"{said(base)}; '{unit}' measures something else (N-01)"
        raise UnitError(unit, rule, f"write it as in `{example(base)}`")
    return found.size / wanted.size


def said(base: str) -> str:
    """What is wanted where the base unit is `base`."""
    names = {"share": "a share", "multiple": "a multiple", "rank": "a rank correlation", "any": "a number", "month": "a length in months"}
    return names.get(base, f"a number in {base}")


def example(base: str) -> str:
    """How a number in `base` may read."""
    amounts = {
        "USD": "38 bn USD", "month": "84 months", "USD/GPU-h": "2.95 USD/GPU-h", "MW": "1.2 GW", "GPU": "100 k GPU",
        "share": "80 %", "multiple": "1.2", "rank": "0.5",
    }  # fmt: skip
    return amounts.get(base, f"5 {base}")


DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9][0-9_]*)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3}(?![0-9]))?"
SPLIT = re.compile(rf"^\s*([+-]?{DIGITS})\s*(.*?)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Quantity:
    """A written number before conversion: `25 bn USD` is 25, "bn", "USD"; magnitude and unit may be absent."""

    value: float
    magnitude: str
    unit: str

    def to_base(self, base: str) -> float:
        """In base units. Raises UnitError."""
        factor = convert(self.unit, base)
        value = self.value * MAGNITUDES.get(self.magnitude, 1.0)
        parts = 1.0 / factor
        return value / parts if factor < 1.0 and parts == round(parts) else value * factor  # 35 % is 0.35 to the last bit

    def completed(self, behind: Quantity) -> Quantity:
        """`25 to 45 M USD`: what stands once, behind, holds for both; an own unit or magnitude wins."""
        if self.unit:
            return self
        return Quantity(self.value, self.magnitude or behind.magnitude, behind.unit)


def read_quantity(text: str) -> Quantity:
    """Take a written number apart. Raises UnitError where there is none."""
    found = SPLIT.match(text)
    digits = found.group(1).replace(",", "").replace("_", "") if found else ""
    if not found or not re.search("[0-9]", digits.lower().partition("e")[0]):
        fix = "write it as in `38 bn USD`: digits, a point for decimals, then the unit"
        raise UnitError(text or "nothing", "a number and its unit (N-01)", fix)
    if found.group(2).startswith(","):
        raise UnitError(text, "a point stands before decimals, a comma between thousands (N-01)", "write 38.5, or 38,500")
    magnitude, unit = _magnitude(found.group(2))
    if _magnitude(unit)[0]:
        raise UnitError(text, "one magnitude a number (N-01)", "write one, as in `38 bn USD`")
    return Quantity(float(digits), magnitude, unit)


def _magnitude(rest: str) -> tuple[str, str]:
    for word in sorted(MAGNITUDES, key=len, reverse=True):
        after = rest[len(word) :]
        if rest.startswith(word) and (after == "" or after[0] in " /" or "\u4e00" <= word[0] <= "\u9fff"):
            return word, after.strip()
    return "", rest


def number_and_unit(text: str) -> tuple[float, str]:
    """`380亿美元` -> (3.8e10, '美元'); `1.2 GW` -> (1.2, 'GW'). Magnitudes are multiplied in. Raises UnitError."""
    found = read_quantity(text)
    return found.value * MAGNITUDES.get(found.magnitude, 1.0), found.unit


def format_value(value: float | None, unit: str | None) -> str:
    """A number for a reader, three significant digits: `38 bn USD`, `12.5 %`, `212 k GPU`. Absent is an en dash."""
    if value is None or value != value:
        return "–"
    if value in (math.inf, -math.inf):
        return f"{'-' * (value < 0)}unlimited"
    if unit == "share":
        return f"{_digits(100 * value)} %"
    size = abs(value)
    if size >= 1e16:
        return f"{value:.3g} {unit or ''}".strip()
    for limit, word, by in ((1e12, "tn ", 1e12), (1e9, "bn ", 1e9), (1e6, "M ", 1e6), (1e4, "k ", 1e3)):
        if size >= limit * 0.9995:
            return f"{_digits(value / by)} {word}{unit or ''}".strip()
    return f"{_digits(value)} {unit or ''}".strip()


def write_value(value: float, unit: str) -> str:
    """A number as a book writes it, all its digits: `35.095 bn USD`, `0.345 share`, `7432377655` of a bare multiple."""
    bare = "" if unit == "multiple" else unit
    for size, word in ((1e12, "tn"), (1e9, "bn"), (1e6, "M")) if bare else ():
        if abs(value) >= size:
            return f"{value / size:.15g} {word} {bare}"
    return f"{value:.15g} {bare}".strip()


def format_interval(low: float | None, high: float | None, unit: str | None) -> str:
    """`4.1 to 6.0 bn USD`; the unit once where both ends share it."""
    first, second = format_value(low, unit), format_value(high, unit)
    number, _, tail = first.partition(" ")
    return f"{number} to {second}" if tail and second.partition(" ")[2] == tail else f"{first} to {second}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    text = f"{value:.3g}"
    if abs(value) < 1.0:
        return text
    return f"{float(text):,.0f}" if "e" in text or abs(value) >= 1000 else text
