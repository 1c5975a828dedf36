"""The slots of the day, and the profiles that follow them (D-01, P-01)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..ranges import support
from ..terms import Book, Workload
from .finding import Finding

ROUNDING = 0.005  # what a mean may be off: profiles are written with two decimals


def whole(book: Book) -> Iterator[Finding]:
    """The slots of a day are 24 hours."""
    total = math.fsum(book.day.values())
    if book.day and abs(total - 24.0) > 1e-9:
        fix = f"{'lengthen' if total < 24.0 else 'shorten'} a slot by {abs(24.0 - total):g} h"
        yield Finding(("day",), f"{total:g} h", "the slots of a day add up to 24 h (P-01)", fix)


def profiles(book: Book) -> Iterator[Finding]:
    """A profile states a load for every slot, its mean over the hours of the day 1: demand itself stands elsewhere."""
    for name, work in book.workloads.items():
        if work.profile:
            at = ("workloads", name, "profile")
            found = [_misplaced(book, work), *(_load(book, work, slot) for slot in work.profile), _mean(book, work)]
            for steps, got, rule, fix in (one for one in found if one):
                yield Finding((*at, *steps), got, rule, fix)


Fault = tuple[tuple[str, ...], str, str, str]


def _misplaced(book: Book, work: Workload) -> Fault | None:
    if work.kind != "inference":
        return (), f"a profile of {work.kind} work", "inference follows the day; other work has no profile (D-01)", "take it out"
    if work.deferrable:
        rule = "what may wait for another month has no load by the hour (D-03)"
        return (), "a profile and `deferrable: true`", rule, "keep one of them"
    if not book.day:
        return (), "no `day`", "a profile is by the slots of `day` (D-01)", "add `day: {night: 8 h, ..}`, in all 24 h"
    missing = [slot for slot in book.day if slot not in work.profile]
    if missing:
        rule = "a profile states every slot of `day` (D-01, N-06)"
        return (), f"nothing for {', '.join(missing)}", rule, f"add `{missing[0]}: ..`, its load over the mean"
    return None


def _load(book: Book, work: Workload, slot: str) -> Fault | None:
    if book.day and slot not in book.day:
        return (slot,), slot, "a slot of `day` (D-01)", f"use one of {', '.join(book.day)}"
    if support(work.profile[slot])[0] < 0.0:
        return (slot,), work.profile[slot].text, "a load is not negative (D-01)", "write an interval, or add clip: 0 to .."
    return None


def _mean(book: Book, work: Workload) -> Fault | None:
    if set(work.profile) != set(book.day) or abs(math.fsum(book.day.values()) - 24.0) > 1e-9:
        return None  # told already
    mean = math.fsum(hours * work.profile[slot].median() for slot, hours in book.day.items()) / 24.0
    if abs(mean - 1.0) <= ROUNDING:
        return None
    fix = f"divide every load by {mean:.4g}" if mean > 0.0 else "write the load of each slot over the mean"
    return (), f"a mean of {mean:.4g} over the day", "the loads of a profile, weighed with their hours, have the mean 1 (D-01)", fix
