"""The only place where units convert: text such as `38 bn USD` or `380亿美元` into a number of base units, and back for display.

A unit is a product of atoms, each with a dimension and a size. Base units: USD, share, GPU, GPU-h, MW, month, hour where a rate
needs it. `GPU-h` and `GPU` are dimensions of their own: a GPU-hour does not turn into a GPU by division. A missing or unknown
unit is an error, never a guess (N-01).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    "万": 1e4, "亿": 1e8, "億": 1e8, "万亿": 1e12,
}  # fmt: skip
BARE = {"share", "multiple", "rank", "any"}


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
    if word.endswith("s") and len(word) > 2 and word[:-1] in ATOMS:
        return ATOMS[word[:-1]]
    raise UnitError(word, f"'{word}' is not a unit (N-01)", "use USD, GPU-h, GPU, MW, kW, MWh, month, user, token, request, FLOP or %")


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
    size = 1.0
    powers: dict[str, int] = {}
    expanded = text.strip()
    for whole, rate in WHOLE_RATES.items():
        expanded = rate if expanded == whole else expanded
    for place, part in enumerate(expanded.split("/")):
        sign = 1 if place == 0 else -1
        for piece in part.split():
            if piece in MAGNITUDES and place == 0:
                size *= MAGNITUDES[piece]
                continue
            for word in _words(piece):
                scale, dimension = _atom(word)
                size *= scale**sign
                if dimension:
                    powers[dimension] = powers.get(dimension, 0) + sign
    return Unit(size, tuple(sorted((d, p) for d, p in powers.items() if p)))


def convert(unit: str, base: str) -> float:
    """What one `unit` is in `base` units. Raises UnitError where the dimensions differ or a unit is missing."""
    if base == "any":
        return parse_unit(unit).size if unit else 1.0
    if not unit:
        if base in BARE:
            return 1.0
        raise UnitError("no unit", f"a number in {base} needs its unit (N-01)", f"write the unit, as in `{_example(base)}`")
    found, wanted = parse_unit(unit), parse_unit(base)
    if found.dimension != wanted.dimension:
        raise UnitError(unit, f"a number in {base}; '{unit}' measures something else (N-01)", f"write it in {base}, as in `{_example(base)}`")
    if base in BARE and unit in BARE and unit not in (base, "x"):
        raise UnitError(unit, f"a {base}", f"write it as a {base}")
    return found.size / wanted.size


def _example(base: str) -> str:
    amounts = {"USD": "38 bn USD", "month": "84 months", "USD/GPU-h": "2.95 USD/GPU-h", "MW": "1.2 GW", "GPU": "100 k GPU"}
    return amounts.get(base, f"5 {base}")


SPLIT = re.compile(r"^\s*([+-]?(?:\d[\d,_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$", re.DOTALL)


def number_and_unit(text: str) -> tuple[float, str]:
    """`380亿美元` -> (3.8e10, 'USD'); `1.2 GW` -> (1.2, 'GW'). Magnitudes are multiplied in. Raises UnitError."""
    found = SPLIT.match(text)
    if not found:
        raise UnitError(text, "not a number", "write a number and its unit, as in `38 bn USD`")
    value = float(found.group(1).replace(",", "").replace("_", ""))
    rest = found.group(2)
    for word in sorted(MAGNITUDES, key=len, reverse=True):
        after = rest[len(word) :]
        if rest.startswith(word) and (after == "" or after[0] in " /" or "\u4e00" <= word[0] <= "\u9fff"):
            return value * MAGNITUDES[word], after.strip()
    return value, rest


def format_value(value: float | None, unit: str | None) -> str:
    """A number for a reader, three significant digits: `38 bn USD`, `12.5 %`, `212 k GPU`. Absent is an en dash."""
    if value is None or value != value:
        return "–"
    if unit == "share":
        return f"{_digits(100 * value)} %"
    size = abs(value)
    for limit, word, by in ((1e12, "tn ", 1e12), (1e9, "bn ", 1e9), (1e6, "M ", 1e6), (1e4, "k ", 1e3)):
        if size >= limit * 0.9995:
            return f"{_digits(value / by)} {word}{unit or ''}".strip()
    return f"{_digits(value)} {unit or ''}".strip()


def format_interval(low: float | None, high: float | None, unit: str | None) -> str:
    """`4.1 to 6.0 bn USD`; the unit once where both ends share it."""
    first, second = format_value(low, unit), format_value(high, unit)
    number, _, tail = first.partition(" ")
    return f"{number} to {second}" if tail and second.endswith(tail) and second.partition(" ")[2] == tail else f"{first} to {second}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if "e" in text or abs(value) >= 1000 else text
