"""Figures outside of what they can be: PUE under 1, a life of nothing, scenario chances above 1."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..numbers import Number, Series
from ..ranges import support
from ..terms import Book
from .finding import Finding, Steps, middle, terms_of

ABOVE_ZERO = {  # these divide, or nothing happens without them
    "life": "A-04", "over": "S-01", "term": "C-01", "half": "P-03", "gang": "P-03", "throughput": "D-01", "dense": "D-02",
    "building_life": "A-04", "rpo_life": "A-09", "efficiency": "D-01", "headroom": "D-01", "derate": "D-01", "mfu": "D-02",
    "goodput": "D-02", "availability": "S-05", "overhead": "S-03", "kw": "S-02", "sla": "C-01", "construction": "A-04",
    "expires": "C-04", "every": "S-05", "length": "S-05", "remote": "A-01",
    "shares": "V-06",
}  # fmt: skip
AT_LEAST_ZERO = (
    "lead", "acceptance", "payment_lag", "order_lead", "after", "months", "total", "prepaid", "rent", "cost", "build_cost", "price",
    "market_price", "anchor_price", "overage_price", "operations", "energy_price", "value", "moving", "minimum_cash", "rounding",
    "committed", "capex", "compute_cost", "users", "api", "raises",
)  # fmt: skip
LONGEST = 600.0  # months


def above_zero(book: Book) -> Iterator[Finding]:
    """Divisors and lengths are above zero; prices, counts and lags are not negative."""
    for steps, term in terms_of(book):
        if not isinstance(term, Number):
            continue
        key = _key(steps)
        low = support(term)[0]
        if key in ABOVE_ZERO and (low < 0.0 or (low == 0.0 and term.kind in ("constant", "discrete"))):
            rule = f"`{key}` is above zero ({ABOVE_ZERO[key]})"
            yield Finding(steps, term.text, rule, "write a number above zero, or add a clip")
        elif key in AT_LEAST_ZERO and low < 0.0:
            yield Finding(steps, term.text, f"`{key}` is not negative (N-01)", "write an interval, or add clip: 0 to ..")


def _key(steps: Steps) -> str:
    """The field a number belongs to: outside of paths in time and of tables by chip."""
    names = [str(step) for step in steps]
    if len(names) > 3 and names[0] == "workloads" and names[2] == "throughput":
        return "throughput"
    if "dense" in names:
        return "dense"
    if names[-2:] == ["power", "value"]:
        return "kw"
    inner = {"start", "level", "low", "high", "base", "value"}
    for place, name in enumerate(names):
        if name in ("growth", "mean_reversion", "s_curve", "index", "jump", "steps", "points") and place > 0:
            return names[place - 1] if names[-1] in inner or name in ("steps", "points") else ""
    return names[-2] if names[-1].isdigit() and len(names) > 1 else names[-1]


def lengths(book: Book) -> Iterator[Finding]:
    """No length in months is longer than fifty years."""
    for steps, term in terms_of(book):
        if isinstance(term, Number) and term.unit == "month" and abs(term.median()) > LONGEST:
            yield Finding(steps, term.text, f"a length is at most {LONGEST:g} months (N-01)", "check the unit: months, not days")


def pue(book: Book) -> Iterator[Finding]:
    """A facility takes at least what its IT takes; the peak is not below the average (S-03)."""
    for name, site in book.sites.items():
        for key in ("peak_pue", "average_pue"):
            value = middle(getattr(site, key))
            if not 1.0 <= value <= 3.0:
                yield Finding(("sites", name, key), f"{value:g}", "a PUE is 1 to 3 (S-03)", "write facility power over IT power")
        if middle(site.peak_pue) < middle(site.average_pue):
            got = f"{middle(site.peak_pue):g}, under the average of {middle(site.average_pue):g}"
            yield Finding(("sites", name, "peak_pue"), got, "capacity uses the peak PUE, the larger one (S-03)", "swap the two")
        held = middle(site.non_gpu) + middle(site.reserve)
        if held >= 1.0:
            got = f"{held:.3g} with the reserve"
            yield Finding(("sites", name, "non_gpu"), got, "some power is left for GPUs (S-03)", "write the shares of IT power")


def scenario_chances(book: Book) -> Iterator[Finding]:
    """Scenario probabilities are single numbers that leave something for the base (U-03)."""
    total = 0.0
    for name, scenario in book.scenarios.items():
        chance = scenario.probability
        if chance is None:
            continue
        at = ("scenarios", name, "probability")
        if chance.kind != "constant":
            yield Finding(at, chance.text, "a scenario's probability is one number (U-03)", "write 20 %")
            continue
        before, total = total, total + chance.median()
        if total > 1.0 + 1e-12 >= before:
            got = f"{chance.text}, {total:.4g} with those before"
            yield Finding(at, got, "probabilities of all scenarios add up to at most 1; the rest is `base` (U-03)", "lower some")


def shares_in_time(book: Book) -> Iterator[Finding]:
    """A share that moves in time stays a share over the horizon, with every number at its median (N-03)."""
    from ..timeline import value_in

    last = int(book.start) + book.months - 1
    for steps, term in terms_of(book):
        if isinstance(term, Series) and term.unit == "share":
            value = value_in(book, term, last)
            if not (math.isfinite(value) and 0.0 <= value <= 1.0 + 1e-12):
                got = f"{value:.3g} in the last month"
                yield Finding(steps, got, "a share stays within 0 to 1 (N-03)", "write an s_curve, which ends at `high`")
