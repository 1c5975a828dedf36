"""Hours of the day in a report: what runs in each slot, and what of the deal stands idle there (P-01, P-06)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..plan import Plan
from ..questions import Question, question
from .found import Asked, percent


def questions(plan: Plan) -> Iterator[tuple[str, Question]]:
    """What runs in each slot by workload, what stays idle there, and both of the deal's own pools; nothing in a book without slots."""
    slots = [f"slots.{slot}" for slot in plan.book.day]
    works = [f"workloads.{name}.{slot}" for name in plan.names.workloads for slot in plan.book.day]
    yield from ((f"used {of}", question(plan, "used", of, "calendar-year")) for of in works)
    yield from ((f"idle {of}", question(plan, "idle", of, "calendar-year")) for of in slots)
    for of in _own(plan):
        for measure in ("idle", "offered"):
            yield f"{measure} {of}", question(plan, measure, of, "total")


def _own(plan: Plan) -> list[str]:
    """The deal's pools, slot by slot."""
    labels = [label for label, c in zip(plan.names.pool_labels, plan.places.contract) if c == 0]
    return [f"pools.{label}.{slot}" for slot in plan.book.day for label in labels]


def chart(a: Asked) -> list[dict[str, Any]]:
    """GPUs by slot and what they do, mean of the book's second calendar year; none without slots."""
    book, year = a.plan.book, str(a.year + 1)
    hours = sum(float(h) for m, h in enumerate(a.plan.hours) if (a.plan.start + m) // 12 == a.year + 1)
    if not book.day or not hours:
        return []

    def gpus(measure: str, of: str) -> list[float]:
        return [(a.mean(f"{measure} {of}.{slot}", year) or 0.0) / (hours * length / 24.0) for slot, length in book.day.items()]

    series = [{"name": work.name, "values": gpus("used", f"workloads.{name}")} for name, work in book.workloads.items()]
    return [
        {
            "id": "hours",
            "title": f"What runs at which hours of the day, {year}",
            "unit": "GPU",
            "periods": [f"{slot}, {length}" for slot, length in book.day.items()],
            "section": "placement",
            "series": [*series, {"name": "idle", "values": gpus("idle", "slots")}],
            "note": "GPUs of all contracts, mean over paths and days (P-01). A run goes through the day; work without hours of its own lies"
            " in what is left of each slot, in proportion.",
        }
    ]


def idle_by_slot(a: Asked) -> dict[str, float]:
    """Share of the deal's offered hours that stands idle in each slot, mean over mean of the horizon."""
    found = {}
    for slot in a.plan.book.day:
        own = [of for of in _own(a.plan) if of.endswith(f".{slot}")]
        idle, offered = (sum(a.mean(f"{measure} {of}", "total") or 0.0 for of in own) for measure in ("idle", "offered"))
        found[slot] = idle / offered if offered else 0.0
    return found


def sentence(shares: dict[str, float]) -> str:
    """`Of the hours offered, idle by slot of the day: night 40 %, peak 2 %.`"""
    return f"Of the hours offered, idle by slot of the day: {', '.join(f'{slot} {percent(share)}' for slot, share in shares.items())}."
