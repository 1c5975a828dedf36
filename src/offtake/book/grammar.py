"""The grammar of a number: text or mapping -> Number or Series in base units. Raises Fault with got, rule and fix."""

from __future__ import annotations

import math
import re
from typing import Any

from ..units import UnitError
from .numbers import SHARE_RULE, Z95, Fault, Month, Number, Series, _to_base

CITED = re.compile(r"^(.*\S)\s*\[([\w.\-]+)\]\s*$", re.DOTALL)
CALL = re.compile(r"^\s*([a-z_]+)\s*\((.*)\)\s*(\S.*)?$", re.DOTALL)
INTERVAL = re.compile(r"^\s*(.+?)\s+to\s+(.+?)\s*$", re.DOTALL)
ABOUT = ("source", "assumed", "note", "quality", "clip")
ARGUMENTS = {
    "growth": {"start": True, "yearly": True, "long_run": False, "half_life": False},
    "s_curve": {"low": True, "high": True, "middle": True, "width": True},
    "mean_reversion": {"start": True, "level": True, "speed": True, "volatility": True},
    "jump": {"value": True, "size": True, "hazard": True},
    "index": {"base": True, "of": True},
}
ARGUMENT_UNIT = {
    "yearly": "multiple", "long_run": "multiple", "half_life": "month", "width": "month", "speed": "multiple",
    "volatility": "multiple", "size": "multiple", "hazard": "multiple",
}  # fmt: skip
FAMILIES = ("normal", "lognormal", "uniform", "triangular", "beta", "discrete", "mixture", "empirical")


def read_number(value: Any, unit: str, labels: tuple[str, ...] = ()) -> Number:
    """A number from text, or from a mapping with `value` and where it comes from."""
    if isinstance(value, dict):
        _only(value, ("value", *ABOUT))
        if "value" not in value:
            raise Fault("no `value`", "a number says its value (N-01)", "write {value: .., source: ..} or the number itself")
        inner = read_number(value["value"], unit, labels)
        return Number(**{**_fields(inner), **_about(value, unit)})
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise Fault(_short(value), f"a number in {unit} (N-01)", "write a number with its unit")
    text, source = _cited(str(value))
    if labels:
        return _labelled(text, source, labels)
    number = _law(text, unit)
    _in_range(number, unit)
    return Number(**{**_fields(number), "text": text, "source": source})


def read_timeline(value: Any, unit: str) -> Number | Series:
    """A number, or a path in time (N-03)."""
    if isinstance(value, dict) and "value" not in value:
        kinds = [key for key in value if key not in ABOUT]
        known = ("steps", "points", *ARGUMENTS)
        if len(kinds) != 1 or kinds[0] not in known:
            raise Fault(", ".join(kinds) or "nothing", "one path in time (N-03)", f"write one of {', '.join(known)}, or value")
        return _series(kinds[0], value[kinds[0]], unit, _about(value, unit))
    return read_number(value, unit)


def _series(kind: str, body: Any, unit: str, about: dict[str, Any]) -> Series:
    if not isinstance(body, dict) or not body:
        raise Fault(_short(body), f"`{kind}` is a mapping (N-03)", "see the book language, paths in time")
    if kind in ("steps", "points"):
        knots = tuple((str(Month(month)), read_number(number, unit)) for month, number in body.items())
        if any(int(Month(a)) >= int(Month(b)) for (a, _), (b, _) in zip(knots, knots[1:])):
            raise Fault(", ".join(m for m, _ in knots), "months in order (N-03)", "write the earlier month first")
        return Series(kind, {}, knots, unit, kind, **about)
    _only(body, tuple(ARGUMENTS[kind]))
    missing = [name for name, needed in ARGUMENTS[kind].items() if needed and name not in body]
    if missing:
        raise Fault(f"{kind} without {', '.join(missing)}", f"`{kind}` takes {', '.join(ARGUMENTS[kind])} (N-03)", f"add {missing[0]}")
    args: dict[str, Any] = {}
    for name, written in body.items():
        if name == "middle":
            args[name] = Month(written)
        elif name == "of":
            args[name] = str(written)
        else:
            args[name] = read_number(written, ARGUMENT_UNIT.get(name, unit))
    return Series(kind, args, (), unit, kind, **about)


def _about(value: dict[str, Any], unit: str) -> dict[str, Any]:
    """Provenance and clip of a mapping; the number's own source wins over what the text cites."""
    found: dict[str, Any] = {k: str(value[k]) for k in ("source", "assumed", "note", "quality") if k in value}
    if "clip" in value:
        ends = INTERVAL.match(str(value["clip"]))
        if not ends:
            raise Fault(str(value["clip"]), "a clip is an interval (N-02)", "write clip: 0 to 12 months")
        found["clip"] = _ends(ends, unit)
    return found


def _fields(number: Number) -> dict[str, Any]:
    return {name: getattr(number, name) for name in number.__dataclass_fields__}


def _only(value: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            from difflib import get_close_matches

            near = get_close_matches(str(key), known, n=1)
            raise Fault(str(key), f"unknown key; known are {', '.join(known)}", f"did you mean {near[0]}?" if near else "remove it")


def _cited(text: str) -> tuple[str, str | None]:
    found = CITED.match(text)
    return (found[1].strip(), found[2]) if found else (text.strip(), None)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _ends(found: re.Match[str], unit: str) -> tuple[float, float]:
    """Both ends of `a to b unit`; the unit may stand once, behind."""
    from ..units import number_and_unit

    _, behind = number_and_unit(found[2])
    tail = re.sub(r"^\s*[+-]?[\d.,_]+(?:[eE][+-]?\d+)?\s*", "", found[2])
    del behind
    return _to_base(found[1], unit, tail), _to_base(found[2], unit)


def _law(text: str, unit: str) -> Number:
    if not text:
        raise Fault("nothing", f"a number in {unit} (N-06)", "write a number; leave the key out where it is absent")
    call = CALL.match(text)
    if call and call[1] in FAMILIES:
        return _family(call[1], call[2], (call[3] or "").strip(), unit, text)
    if call:
        raise Fault(call[1], f"a distribution is one of {', '.join(FAMILIES)} (N-02)", "write `2 to 9 months` for a 90 % interval")
    interval = INTERVAL.match(text)
    if interval:
        return _interval(_ends(interval, unit), unit, text)
    return Number("constant", (_to_base(text, unit),), unit, text)


def _interval(ends: tuple[float, float], unit: str, text: str) -> Number:
    low, high = ends
    if low >= high:
        raise Fault(text, "an interval runs from its lower to its upper end (N-02)", "swap the ends, or write one number")
    if unit == "share":
        if not 0.0 < low < high < 1.0:
            raise Fault(text, "an interval of a share lies inside 0 to 1 (N-02)", "for an end at 0 or 1 write uniform(a, b) or beta(a, b)")
        low, high = (math.log(end / (1.0 - end)) for end in ends)
        return Number("logit_normal", ((low + high) / 2.0, (high - low) / (2.0 * Z95)), unit, text)
    if low <= 0.0:
        raise Fault(text, "an interval that touches or crosses zero needs a family (N-02)", "write normal(mean, sd), uniform(a, b) or triangular(a, mode, b)")
    return Number("lognormal", (math.log(low * high) / 2.0, math.log(high / low) / (2.0 * Z95)), unit, text)


def _family(name: str, inside: str, tail: str, unit: str, text: str) -> Number:
    if name in ("discrete", "mixture"):
        return _listed(name, inside, tail, unit, text)
    if name == "empirical":
        raise Fault(text, "an empirical distribution lists its values (N-02)", "write discrete({..}) with the values and their chances")
    words = [w.strip() for w in inside.split(",")]
    wanted = {"normal": 2, "lognormal": 2, "uniform": 2, "triangular": 3, "beta": 2}[name]
    if len(words) != wanted:
        raise Fault(text, f"{name} takes {wanted} numbers (N-02)", f"write {name}({', '.join('abc'[:wanted])})")
    plain = name in ("beta", "lognormal")
    values = [float(_to_base(w, "multiple")) if plain else _to_base(w, unit, tail) for w in words]
    if name in ("uniform", "triangular") and not all(a <= b for a, b in zip(values, values[1:])) or values[0] == values[-1] and not plain:
        raise Fault(text, "the numbers of a range rise (N-02)", "write the lower one first")
    if name in ("normal", "lognormal") and values[1] <= 0 or name == "beta" and min(values) <= 0:
        raise Fault(text, f"the width of {name} is above zero (N-02)", "write one number where there is no width")
    return Number(name, tuple(values), unit, text)


def _pairs(inside: str, text: str) -> list[tuple[str, str]]:
    body = inside.strip()
    if not (body.startswith("{") and body.endswith("}")):
        raise Fault(text, "outcomes stand in braces (N-02)", "write discrete({4: 0.5, 6: 0.5})")
    pairs = [part.partition(":") for part in body[1:-1].split(",")]
    if any(not colon for _, colon, _ in pairs):
        raise Fault(text, "each outcome has its chance (N-02)", "write discrete({4: 0.5, 6: 0.5})")
    return [(a.strip(), b.strip()) for a, _, b in pairs]


def _listed(name: str, inside: str, tail: str, unit: str, text: str) -> Number:
    """discrete({value: chance}) and mixture({weight: law})."""
    pairs = _pairs(inside, text)
    chances = [_to_base(b if name == "discrete" else a, "share") for a, b in pairs]
    if any(not 0.0 <= c <= 1.0 for c in chances) or abs(math.fsum(chances) - 1.0) > 1e-9:
        raise Fault(text, "chances lie in 0 to 1 and add up to 1 (N-02)", f"they add up to {math.fsum(chances):g}")
    if name == "discrete":
        values = [_to_base(a, unit, tail) for a, _ in pairs]
        return Number("discrete", (*values, *chances), unit, text)
    parts = tuple(_law(f"{b} {tail}".strip(), unit) for _, b in pairs)
    return Number("mixture", tuple(chances), unit, text, parts=parts)


def _labelled(text: str, source: str | None, labels: tuple[str, ...]) -> Number:
    """A word, or discrete({word: chance}); the number is the word's place among the labels."""
    if text in labels:
        return Number("constant", (float(labels.index(text)),), "", text, source=source, labels=labels)
    call = CALL.match(text)
    if call and call[1] == "discrete":
        pairs = _pairs(call[2], text)
        chances = [_to_base(b, "share") for _, b in pairs]
        if all(a in labels for a, _ in pairs) and abs(math.fsum(chances) - 1.0) <= 1e-9:
            values = tuple(float(labels.index(a)) for a, _ in pairs)
            return Number("discrete", (*values, *chances), "", text, source=source, labels=labels)
    raise Fault(_short(text), f"one of {', '.join(labels)}, or chances that add up to 1 (A-02)",
                f"write {labels[0]}, or discrete({{{labels[0]}: 0.5, {labels[1]}: 0.5}})")  # fmt: skip


def _in_range(number: Number, unit: str) -> None:
    """Shares lie in 0 to 1, ranks in -1 to 1; nothing physical is negative."""
    if number.kind not in ("constant", "uniform", "triangular", "discrete"):
        return
    values = number.params[: len(number.params) // 2] if number.kind == "discrete" else number.params
    if unit == "share" and not all(0.0 <= v <= 1.0 for v in values):
        raise Fault(number.text, SHARE_RULE, "write 0.8 for 80 %")
    if unit == "rank" and not all(-1.0 <= v <= 1.0 for v in values):
        raise Fault(number.text, "a rank correlation, -1 to 1 (N-04)", "write 0.5, or 50 %")
    if unit not in ("share", "rank", "multiple", "any") and not unit.startswith("USD") and unit != "month" and min(values) < 0.0:
        raise Fault(number.text, f"a number in {unit} is not negative", "write it without the sign")
    if any(not math.isfinite(v) for v in values):
        raise Fault(number.text, "a finite number (N-01)", "write a finite number")


__all__ = ["UnitError", "read_number", "read_timeline"]
