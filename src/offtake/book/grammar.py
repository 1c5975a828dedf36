"""The grammar of a number: text or mapping -> Number or Series in base units. Raises Fault with got, rule and fix."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from ..units import UnitError, read_quantity, said
from .citing import read_fact
from .laws import chances_of, family, interval, pairs_of
from .numbers import Beside, Fault, Month, Number, Series
from .ranges import fit, fit_argument

CITED = re.compile(r"^(.*\S)\s*\[([^\[\]]*)\]\s*$", re.DOTALL)
CALL = re.compile(r"^\s*([A-Za-z_]+)\s*\((.*)\)\s*(\S.*)?$", re.DOTALL)
INTERVAL = re.compile(r"^\s*(\S.*?)\s+to\s+(\S.*?)\s*$", re.DOTALL)
ABOUT = ("source", "assumed", "note", "quality", "clip")
QUALITIES = ("filed", "stated", "reported", "derived")
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
PATHS = ("steps", "points", *ARGUMENTS)
FAMILIES = ("normal", "lognormal", "uniform", "triangular", "beta", "discrete", "mixture", "empirical")


def read_number(value: Any, unit: str, labels: tuple[str, ...] = (), beside: Beside = Beside()) -> Number:
    """A number from text, or from a mapping with `value` and where it comes from; `beside` holds the files and facts it names."""
    about: dict[str, Any] = {}
    written = value
    if isinstance(value, dict) and "fact" in value and not labels:
        number = read_fact(value, unit, beside)
        fit(number)
        return number
    if isinstance(value, dict):
        _only(value, ("value", *ABOUT))
        if "value" not in value:
            raise Fault("no `value`", "a number says its value (N-01)", "write {value: .., source: ..} or the number itself")
        about, written = _about(value, unit), value["value"]
    if written is None or isinstance(written, (dict, list, bool)) or not isinstance(written, (str, int, float)):
        fix = "write a number with its unit; leave the key out where it is absent"
        raise Fault(_short(written), f"{said(unit)} (N-01)", fix)
    text, cited = _cited(str(written))
    if cited is not None:
        about = _with_citation(about, cited)
    try:
        number = _labelled(text, labels) if labels else law(text, unit, beside)
    except UnitError as fault:
        raise Fault(_short(text) or "nothing", fault.rule, fault.fix) from None
    number = Number(**{**_fields(number), **about, "text": text})
    if not labels:
        fit(number)
    return number


def read_timeline(value: Any, unit: str, beside: Beside = Beside()) -> Number | Series:
    """A number, or a path in time (N-03)."""
    if not isinstance(value, dict) or "value" in value or "fact" in value:
        return read_number(value, unit, beside=beside)
    kinds = [key for key in value if key not in ABOUT]
    if len(kinds) != 1 or kinds[0] not in PATHS:
        near = get_close_matches(kinds[0], PATHS, n=1) if len(kinds) == 1 else []
        fix = f"did you mean {near[0]}?" if near else f"write one of {', '.join(PATHS)}, or value"
        raise Fault(", ".join(map(str, kinds)) or "nothing", "one path in time (N-03)", fix)
    if "clip" in value:
        raise Fault("`clip`", "a clip belongs to a number, not to a path in time (N-02)", "clip the numbers inside", ("clip",))
    with Fault.inside(kinds[0]):
        return _series(kinds[0], value[kinds[0]], unit, _about(value, unit), beside)


def _series(kind: str, body: Any, unit: str, about: dict[str, Any], beside: Beside) -> Series:
    if not isinstance(body, dict) or not body:
        raise Fault(_short(body), f"`{kind}` is a mapping (N-03)", _shape_of(kind))
    if kind in ("steps", "points"):
        return Series(kind, {}, _knots(body, unit, beside), unit, kind, **about)
    known = ARGUMENTS[kind]
    _only(body, tuple(known))
    missing = [name for name, needed in known.items() if needed and name not in body]
    if missing:
        raise Fault(f"{kind} without {', '.join(missing)}", f"`{kind}` takes {', '.join(known)} (N-03)", f"add {missing[0]}")
    args: dict[str, Any] = {}
    for name, written in body.items():
        with Fault.inside(name):
            if name == "middle":
                args[name] = Month(written)
            elif name == "of":
                args[name] = _word(written, "of")
            else:
                args[name] = read_number(written, ARGUMENT_UNIT.get(name, unit), beside=beside)
                fit_argument(kind, name, args[name])
    return Series(kind, args, (), unit, kind, **about)


def _knots(body: dict[str, Any], unit: str, beside: Beside) -> tuple[tuple[str, Number], ...]:
    found: list[tuple[str, Number]] = []
    for month, written in body.items():
        with Fault.inside(month):
            at = Month(month)
            if found and int(at) <= int(Month(found[-1][0])):
                raise Fault(str(at), f"months in order; {found[-1][0]} stands before it (N-03)", "write the earlier month first")
            found.append((str(at), read_number(written, unit, beside=beside)))
    return tuple(found)


def _shape_of(kind: str) -> str:
    if kind in ("steps", "points"):
        return f"write {kind}: {{2026-01: .., 2027-01: ..}}"
    return f"write {kind}: {{{', '.join(f'{name}: ..' for name in ARGUMENTS[kind])}}}"


def _word(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Fault(_short(value), f"`{name}` is text", f"write {name}: and a few words")
    return value.strip()


def _about(value: dict[str, Any], unit: str) -> dict[str, Any]:
    """Provenance and clip of a mapping."""
    found: dict[str, Any] = {}
    for key in ("source", "assumed", "note", "quality"):
        if key in value:
            with Fault.inside(key):
                found[key] = _word(value[key], key)
    if "source" in found and "assumed" in found:
        raise Fault("source and assumed", "a number has a source, or is assumed (N-05)", "keep one; put the rest in `note`")
    if found.get("quality", "filed") not in QUALITIES:
        fix = "for an assumed number write assumed: and the reason"
        raise Fault(found["quality"], f"one of {', '.join(QUALITIES)} (N-05)", fix, ("quality",))
    if "clip" in value:
        with Fault.inside("clip"):
            found["clip"] = _clip(value["clip"], unit)
    return found


def _clip(written: Any, unit: str) -> tuple[float, float]:
    ends = INTERVAL.match(written) if isinstance(written, str) else None
    if not ends:
        raise Fault(_short(written), "a clip is an interval (N-02)", "write clip: 0 to 12 months")
    low, high = _ends(ends, unit)
    if not low < high:
        raise Fault(written, "a clip runs from its lower to its upper end (N-02)", "swap the ends")
    return low, high


def _with_citation(about: dict[str, Any], cited: str) -> dict[str, Any]:
    if cited == "assumed":
        raise Fault(f"[{cited}]", "an assumed number says why (N-05)", "write {value: .., assumed: the reason}")
    if not re.fullmatch(r"[\w\-]+", cited):
        raise Fault(f"[{cited}]", "brackets hold the id of one source (N-05)", "write [id], an id that stands under `sources`")
    if "source" in about or "assumed" in about:
        raise Fault(f"[{cited}]", "a number names its source once (N-05)", "keep the brackets or the key beside the value")
    return {**about, "source": cited}


def _fields(number: Number) -> dict[str, Any]:
    return {name: getattr(number, name) for name in number.__dataclass_fields__}


def _only(value: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            fix = f"did you mean `{near[0]}`?" if near else f"use {', '.join(known)}"
            raise Fault(f"`{key}`", "a key that is known here", fix, (str(key),))


def _cited(text: str) -> tuple[str, str | None]:
    found = CITED.match(text)
    return (found[1].strip(), found[2].strip()) if found else (text.strip(), None)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _ends(found: re.Match[str], unit: str) -> tuple[float, float]:
    """Both ends of `a to b unit`; the unit may stand once, behind."""
    behind = read_quantity(found[2])
    return read_quantity(found[1]).completed(behind).to_base(unit), behind.to_base(unit)


def law(text: str, unit: str, beside: Beside = Beside()) -> Number:
    """A constant, an interval, or a distribution with a name (N-02)."""
    if not text:
        raise Fault("nothing", f"{said(unit)} (N-06)", "write a number; leave the key out where it is absent")
    call = CALL.match(text)
    if call and call[1] == "mixture":
        return _mixture(text, call[2], (call[3] or "").strip(), unit)
    if call and call[1] in FAMILIES:
        return family(text, call[1], call[2], (call[3] or "").strip(), unit, beside)
    if call:
        near = get_close_matches(call[1], FAMILIES, n=1)
        fix = f"did you mean {near[0]}(..)?" if near else "write `2 to 9 months` for a 90 % interval"
        raise Fault(call[1], f"a distribution is one of {', '.join(FAMILIES)} (N-02)", fix)
    return _plain(text, unit)


def _mixture(text: str, inside: str, tail: str, unit: str) -> Number:
    """mixture({weight: law})."""
    pairs = pairs_of(inside, text)
    chances = chances_of([a for a, _ in pairs], text)
    if any("mixture" in b or "empirical" in b for _, b in pairs):
        raise Fault(text, "a mixture holds plain distributions (N-02)", "multiply the weights out into one mixture")
    parts = []
    for _, b in pairs:
        try:
            parts.append(law(b, unit) if not tail else law(f"{b} {tail}", unit))
        except (Fault, UnitError) as fault:
            raise Fault(f"{b} in {text}", fault.rule, fault.fix) from None
    return Number("mixture", tuple(chances), unit, text, parts=tuple(parts))


@lru_cache(maxsize=4096)  # every scenario reads the whole book again
def _plain(text: str, unit: str) -> Number:
    """A constant or an interval."""
    ends = INTERVAL.match(text)
    if ends:
        return interval(_ends(ends, unit), unit, text)
    return Number("constant", (read_quantity(text).to_base(unit),), unit, text)


def _labelled(text: str, labels: tuple[str, ...]) -> Number:
    """A word, or discrete({word: chance}); the number is the word's place among the labels."""
    if text in labels:
        return Number("constant", (float(labels.index(text)),), "", text, labels=labels)
    call = CALL.match(text)
    if call and call[1] == "discrete" and not call[3]:
        pairs = pairs_of(call[2], text)
        chances = chances_of([chance for _, chance in pairs], text)
        if all(word in labels for word, _ in pairs):
            return Number("discrete", (*(float(labels.index(word)) for word, _ in pairs), *chances), "", text, labels=labels)
    words = ", ".join(labels)
    fix = f"write {labels[0]}, or \"discrete({{{labels[0]}: 0.5, {labels[1]}: 0.5}})\""
    raise Fault(_short(text), f"one of {words}, or chances of these words (A-02)", fix)


def argument_unit(name: str, unit: str) -> str:
    """Base unit of a number inside a path in time; months of steps and points have the unit of the whole."""
    return ARGUMENT_UNIT.get(name, unit)


__all__ = ["argument_unit", "ABOUT", "UnitError", "law", "read_number", "read_timeline"]
