"""Very small books for tests of learning: one company whose revenue and margin are uncertain, and nothing that bills."""

import json

from offtake import front
from offtake.book.text import read
from offtake.studies.compare import Asked
from offtake.studies.observe import Told, observation

TOLD = {"publisher": "Cloud", "document": "10-Q", "published": __import__("datetime").date(2026, 5, 1)}


def small_book(revenue="normal(100, 10) M USD/month", margin="30 %", months=12, **more):
    """A company with a segment of constant revenue and margin."""
    segment = {
        "name": "cloud", "revenue": revenue, "margin": margin, "rpo": "1 bn USD", "rpo_life": "48 months",
        "signings": "20 M USD/month", "rounding": "1 M USD",
    }  # fmt: skip
    text = {
        "title": "small", "as_of": "2025-11-03", "start": "2026-01", "months": months, "sources": {},
        "companies": {"c": {"name": "c", "assumed": "a test", "segment": segment}},
        "chips": {}, "sites": {}, "contracts": {}, "workloads": {},
    }  # fmt: skip
    return read(json.dumps(text | more), "small")


def small_plan(**changed):
    return front.compile(small_book(**changed))


def seen(plan, text, **told):
    """An observation of the small book, exact and without discrepancy unless told."""
    return observation(plan, text, Told(**TOLD | told))


def how(paths=4096, seed=1):
    return Asked(paths, seed, 1, None)
