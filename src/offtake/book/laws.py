"""Distributions written in place (N-02): intervals, families with their numbers, lists of outcomes, files of observations."""

from __future__ import annotations

import math
from pathlib import Path

from ..units import convert, read_quantity
from .numbers import Z95, Beside, Fault, Number

MOST_VALUES = 100_000  # of an empirical distribution
MOST_OUTCOMES = 256  # of a discrete one: what a draw table holds


def interval(ends: tuple[float, float], unit: str, text: str) -> Number:
    """`a to b`: a 90 % interval; lognormal where positive, logit-normal for a share."""
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high)):
        raise Fault(text, "a finite number (N-01)", "write fewer digits in the exponent")
    if low >= high:
        raise Fault(text, "an interval runs from its lower to its upper end (N-02)", "swap the ends, or write one number")
    if unit == "share":
        if high > 1.0 or low < 0.0:
            raise Fault(text, "a share, 0 to 1", share_fix(high, text))
        if low <= 0.0 or high >= 1.0:
            fix = "for an end at 0 or 1 write uniform(a, b) or beta(a, b)"
            raise Fault(text, "an interval of a share lies inside 0 to 1 (N-02)", fix)
        a, b = (math.log(end / (1.0 - end)) for end in ends)
        return Number("logit_normal", ((a + b) / 2.0, (b - a) / (2.0 * Z95)), unit, text)
    if low <= 0.0:
        fix = "write normal(mean, sd), uniform(a, b) or triangular(a, mode, b)"
        raise Fault(text, "an interval that touches or crosses zero needs a family (N-02)", fix)
    a, b = math.log(low), math.log(high)
    return Number("lognormal", ((a + b) / 2.0, (b - a) / (2.0 * Z95)), unit, text)


def share_fix(value: float, text: str) -> str:
    """Percent written without its sign is the usual slip."""
    return f"write `{text} %`, or 0.8 for 80 %" if 2.0 <= value <= 100.0 and "%" not in text else "write 0.8 for 80 %"


def family(text: str, name: str, inside: str, tail: str, unit: str, beside: Beside) -> Number:
    """`name(inside) tail`: the unit stands behind, or with each number."""
    if name == "empirical":
        return _empirical(text, inside.strip(), tail, unit, beside)
    if name == "discrete":
        return _discrete(text, inside, tail, unit)
    words = split_outside(inside)
    names = {"normal": "mean, sd", "lognormal": "mu, sigma", "uniform": "a, b", "triangular": "a, mode, b", "beta": "a, b"}[name]
    if len(words) != names.count(",") + 1:
        raise Fault(text, f"{name} takes {names.count(',') + 1} numbers (N-02)", f"write {name}({names})")
    if name == "beta" and (unit not in ("share", "multiple", "any") or tail):
        raise Fault(text, "beta is for shares (N-02)", "write beta(a, b) without a unit, or another family")
    if name in ("beta", "lognormal"):
        values = [read_quantity(word).to_base("multiple") for word in words]
        values[0] += math.log(_amount("1", tail, unit)) if name == "lognormal" else 0.0
    else:
        values = [_amount(word, tail, unit) for word in words]
    _check_shape(text, name, values)
    return Number(name, tuple(values), unit, text)


def _check_shape(text: str, name: str, values: list[float]) -> None:
    if not all(math.isfinite(v) for v in values):
        raise Fault(text, "a finite number (N-01)", "write fewer digits in the exponent")
    if name in ("uniform", "triangular"):
        if not (sorted(values) == values and values[0] < values[-1]):
            fix = "write the lower one first; write one number where there is no width"
            raise Fault(text, f"the numbers of {name} rise (N-02)", fix)
    elif values[1] <= 0.0 or (name == "beta" and values[0] <= 0.0):
        raise Fault(text, f"the width of {name} is above zero (N-02)", "write one number where there is no width")


def _amount(word: str, tail: str, unit: str) -> float:
    """One number of a family; what stands behind the bracket holds for all of them."""
    quantity = read_quantity(word)
    return (quantity.completed(read_quantity(f"1 {tail}")) if tail else quantity).to_base(unit)


def split_outside(inside: str) -> list[str]:
    """Parts between the commas that stand in no inner bracket."""
    parts, depth = [""], 0
    for letter in inside:
        depth += (letter in "({[") - (letter in ")}]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def pairs_of(inside: str, text: str) -> list[tuple[str, str]]:
    """`{a: b, c: d}` as pairs."""
    body = inside.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise Fault(text, "outcomes stand in braces (N-02)", 'write "discrete({4: 0.5, 6: 0.5})"')
    pairs = [part.partition(":") for part in split_outside(body[1:-1])]
    if any(not colon or not a.strip() or not b.strip() for a, colon, b in pairs):
        raise Fault(text, "each outcome has its chance (N-02)", 'write "discrete({4: 0.5, 6: 0.5})"')
    if len(pairs) > MOST_OUTCOMES:
        raise Fault(f"{len(pairs)} outcomes", f"at most {MOST_OUTCOMES} outcomes (N-02)", "write empirical(file.csv)")
    return [(a.strip(), b.strip()) for a, _, b in pairs]


def chances_of(words: list[str], text: str) -> list[float]:
    """Probabilities that add up to 1."""
    chances = [read_quantity(word).to_base("share") for word in words]
    if not all(0.0 <= c <= 1.0 for c in chances):
        raise Fault(text, "a chance lies in 0 to 1 (N-02)", "write 0.5 or 50 %")
    total = math.fsum(chances)
    if abs(total - 1.0) > 1e-9:
        raise Fault(text, "chances add up to 1 (N-02)", f"they add up to {total:.6g}")
    return chances


def _discrete(text: str, inside: str, tail: str, unit: str) -> Number:
    """discrete({value: chance})."""
    pairs = pairs_of(inside, text)
    chances = chances_of([b for _, b in pairs], text)
    return Number("discrete", (*(_amount(a, tail, unit) for a, _ in pairs), *chances), unit, text)


def _empirical(text: str, name: str, tail: str, unit: str, beside: Beside) -> Number:
    """Observations, one a line, from a file beside the book."""
    if beside.folder is None or not name or Path(name).name != name:
        raise Fault(text, "an empirical distribution names a file beside the book (N-02)", "write empirical(file.csv) and the unit")
    try:
        lines = (beside.folder / name).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, ValueError):
        fix = "check its name; it is UTF-8, one number a line"
        raise Fault(name, "a file of numbers beside the book (N-02)", fix) from None
    factor = convert(tail, unit)
    values = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                values.append(float(line) * factor)
            except ValueError:
                got = f"{line.strip()[:40]} in {name}:{number}"
                raise Fault(got, "one number a line (N-02)", "remove the header and the units") from None
    if not 2 <= len(values) <= MOST_VALUES or not all(math.isfinite(v) for v in values):
        got = f"{len(values)} values in {name}"
        raise Fault(got, f"2 to {MOST_VALUES:,} finite values (N-02)", "give the observations")
    return Number("empirical", tuple(values), unit, text)
