"""The response surface that a book reads (R-03), sites that leave their availability to it, maintenance and outages (S-05)."""

from __future__ import annotations

from collections.abc import Iterator

from ...catalog import surface
from ...units import MONTH
from ..numbers import Number
from ..terms import Book
from .finding import Finding, middle, unknown


def surfaces(book: Book) -> Iterator[Finding]:
    """A surface that there is, read where replays stand behind it."""
    if book.replay is None:
        return
    if book.replay.surface not in surface.names():
        yield unknown(("replay", "surface"), book.replay.surface, surface.names(), "replay.surface", "R-03")
        return
    low, high = surface.axis(book.replay.surface, "failures")
    value = middle(book.replay.failures)
    if not low <= value <= high:
        rule = f"the replays behind `{book.replay.surface}` run at {low:g} to {high:g} times its rate of failures (R-03)"
        yield Finding(("replay", "failures"), f"{value:g}", rule, "write a multiple of that rate, as in 0.5 to 1.5")


def availability(book: Book) -> Iterator[Finding]:
    """A site states its availability, or the book names a surface that gives it."""
    for name, site in book.sites.items():
        if site.availability is None and book.replay is None:
            rule = "a site states its availability, unless the book names a surface of replays (S-05, R-03)"
            yield Finding(("sites", name), "no availability", rule, "write `availability: 93 to 98 %`, or add `replay:`")


FAR = 0.99  # of a hundred draws of each, one is longer, or comes sooner


def stops(book: Book) -> Iterator[Finding]:
    """Maintenance is over before the rack's next one, also where it is long and comes soon, and power is on for longer than it is off; both
    leave hours to offer."""
    fix = "write the hours of one stop, and the time from one to the next, as in {every: 90 days, length: 8 h}"
    for name, site in book.sites.items():
        for kind, found in (("maintenance", site.maintenance), ("outages", site.outages)):
            if found is None:
                continue
            hours, every = middle(found.length), middle(found.every) * MONTH
            rule = "maintenance is over before it comes again" if kind == "maintenance" else "power is on for longer than it is off"
            if hours >= every or every <= 0.0:
                yield Finding(("sites", name, kind, "length"), f"{_hours(hours)} every {_hours(every)}", f"{rule} (S-05)", fix)
                continue
            hours, every = far(found.length, FAR), far(found.every, 1.0 - FAR) * MONTH
            if kind == "maintenance" and hours >= every:
                got = f"{_hours(hours)} at the 99th percentile, every {_hours(every)} at the 1st"
                yield Finding(("sites", name, kind, "length"), got, f"{rule}, also where it is long (S-05)", f"{fix}, or add a clip")


def far(number: Number, p: float) -> float:
    """The value at probability p, clipped where the number asks for it."""
    found = number.quantile(p)
    return min(max(found, number.clip[0]), number.clip[1]) if number.clip else found


def _hours(value: float) -> str:
    return f"{value:,.0f} h" if value >= 10_000.0 else f"{value:,.4g} h"
