"""Where a number may lie: shares in 0 to 1, ranks in -1 to 1, nothing physical below zero; growth above -100 % a year."""

from __future__ import annotations

import math

from .laws import share_fix
from .numbers import Fault, Number

SIGNED = ("USD", "month", "multiple", "any")  # may be negative: cash, a slip that is early, a fall


def support(number: Number) -> tuple[float, float]:
    """The lowest and highest value that can be drawn, clip included."""
    low, high = _of_law(number)
    if number.clip and number.kind != "constant":
        low, high = max(low, number.clip[0]), min(high, number.clip[1])
    return low, high


def _of_law(number: Number) -> tuple[float, float]:
    kind, params = number.kind, number.params
    if kind in ("constant", "uniform", "triangular", "empirical"):
        return min(params), max(params)
    if kind == "discrete":
        values = params[: len(params) // 2]
        return min(values), max(values)
    if kind in ("beta", "logit_normal"):
        return 0.0, 1.0
    if kind == "mixture":
        ends = [support(part) for part in number.parts]
        return min(a for a, _ in ends), max(b for _, b in ends)
    return (0.0 if kind == "lognormal" else -math.inf), math.inf


def fit(number: Number) -> None:
    """Raise Fault where a number can lie outside of what its unit allows."""
    low, high = support(number)
    unit, text = number.unit, number.text
    if number.kind in ("constant", "uniform", "triangular", "discrete") and not (math.isfinite(low) and math.isfinite(high)):
        raise Fault(text, "a finite number (N-01)", "write fewer digits in the exponent")
    if number.clip and number.kind == "constant":
        raise Fault(text, "a clip belongs to a distribution (N-02)", "remove `clip`", ("clip",))
    if low > high:
        raise Fault(text, "a clip leaves something of the distribution (N-02)", "widen the clip", ("clip",))
    if unit == "share" and not (low >= 0.0 and high <= 1.0):
        open_ended = not (math.isfinite(low) and math.isfinite(high))
        fix = "write an interval or beta(a, b), or add clip: 0 to 1" if open_ended else share_fix(high, text)
        raise Fault(text, "a share, 0 to 1", fix)
    if unit == "rank" and (number.kind != "constant" or not -1.0 <= low <= 1.0):
        raise Fault(text, "a rank correlation, one number from -1 to 1 (N-04)", "write 0.5")
    if unit not in ("share", "rank", *SIGNED) and not unit.startswith("USD") and low < 0.0:
        fix = "write an interval, or add clip: 0 to .." if number.kind in ("normal", "mixture") else "write it without the sign"
        raise Fault(text, f"a number in {unit} is not negative", fix)


ABOVE = {  # arguments of paths in time: the lowest value, whether it is allowed itself, the sentence
    "yearly": (-1.0, False, "growth a year is above -1 (N-03)"),
    "long_run": (-1.0, False, "growth a year is above -1 (N-03)"),
    "half_life": (0.0, False, "a half-life is above zero (N-03)"),
    "width": (0.0, False, "a width is above zero (N-03)"),
    "speed": (0.0, False, "the speed of a return is above zero (N-03)"),
    "volatility": (0.0, True, "a volatility is not negative (N-03)"),
    "size": (0.0, True, "a jump multiplies by a number that is not negative (N-03)"),
    "hazard": (0.0, True, "a hazard is not negative (N-03)"),
}


def fit_argument(kind: str, name: str, number: Number) -> None:
    """Raise Fault where an argument of a path in time cannot be worked with."""
    low, _ = support(number)
    lowest, allowed, rule = ABOVE.get(name, (-math.inf, True, ""))
    if kind == "mean_reversion" and name in ("start", "level"):
        lowest, allowed, rule = 0.0, False, "mean reversion works on logarithms: start and level are above zero (N-03)"
    open_end = number.kind in ("lognormal", "logit_normal", "beta")  # the end itself is never drawn
    if low < lowest or (low == lowest and not allowed and not open_end):
        raise Fault(number.text, rule, f"write a number above {lowest:g}")
