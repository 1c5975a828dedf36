"""The watch list of a run: the numbers of `offtake watch` without observations, for answer 11 and the report (E-01, E-04)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..units import format_interval, format_value
from .found import Asked
from .signals import goal_of, listing, seen

PREFIX = "watch "


def watched(a: Asked) -> dict[str, Any] | None:
    """The list from the run's own kept paths: the bits of `offtake watch`; None where a signal is not one number a path."""
    values = {key.removeprefix(PREFIX): tally.kept[0] for key, tally in a.f.tallies.items() if key.startswith(PREFIX)}
    if not values:
        return None
    ones = np.ones(len(next(iter(values.values()))), np.int64)
    found = seen(a.plan, values, ones, a.run.stamp.seed)
    return listing(a.plan, found, goal_of(a.plan, None), a.plan.book.as_of.date())


def expected(s: dict[str, Any]) -> str:
    """The figure that will be printed: median and 90 % interval."""
    f = s["figure"]
    return "absent" if f["p50"] is None else f"{format_value(f['p50'], s['unit'])} ({format_interval(f['p05'], f['p95'], s['unit'])})"


def crossing(s: dict[str, Any]) -> str | None:
    """`above 120 bn USD: 98.4 %`: the side of the alert, the threshold, and how likely the figure lies there."""
    if s["threshold"] is None:
        return None
    return f"{s['alert']} {s['threshold']}" + ("" if s["chance"] is None else f": {100 * s['chance']:.1f} %")


def nats(value: float, error: float) -> str:
    return f"{value:.3f} ± {error:.3f}"


def publication(s: dict[str, Any]) -> str:
    """How likely it is never published, and what is read then."""
    if not s["never"]:
        return "expected"
    told, p = f"never on {100 * s['never']:.0f} %", s["proxy"]
    if p is None:
        return told
    link = f"link error {format_value(p['link'], 'share')}, {nats(p['information'], p['se'])} nats"
    return f"{told} (if it is: {nats(s['if_published']['information'], s['if_published']['se'])} nats); then {p['measure']}, {link}"


def sentence(s: dict[str, Any]) -> str:
    """One signal in answer 11."""
    past = f", {crossing(s)}" if s["threshold"] else ""
    return f"{s['title']} (due {s['due']}): {expected(s)}{past}, tells {nats(s['information'], s['information_se'])} nats"


def rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines of the report's list, the most telling first."""
    return [
        {
            "title": s["title"], "due": s["due"], "measure": s["about"], "interval": expected(s), "threshold": crossing(s),
            "information": nats(s["information"], s["information_se"]), "publication": publication(s),
            "action": s["action"], "otherwise": s["otherwise"],
        }
        for s in found["signals"]
    ]  # fmt: skip


def note(found: dict[str, Any]) -> str:
    """How the list is to be read, and which two signals tell most together."""
    pair = found["together"][0] if found["together"] else None
    both = f" Together {' and '.join(pair['signals'])} tell most: {nats(pair['information'], pair['se'])} nats." if pair else ""
    return (
        f"The figure that will be printed: the measure, off by the signal's discrepancy. Ranked by what it tells of {found['target']}, "
        f"in nats, ± one Monte Carlo error.{both} Of {found['paths']:,} paths, nothing observed; offtake watch takes observations in, and "
        "with closes says what waiting for a signal is worth to a position."
    )
