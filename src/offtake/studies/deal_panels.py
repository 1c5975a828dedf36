"""What the report shows of each contract: its terms in a line, and its money by the provider's fiscal year (C-01, A-01 to A-03)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..book.terms import Contract
from ..plan import Plan
from ..questions import Question, question
from .found import Asked

PAGES = "contracts"
SHOWN = ("revenue", "straight_line", "billed", "cash", "terminated", "rpo", "offered", "used")
COLUMNS: dict[str, str | None] = {
    "fiscal year": None, "revenue": "USD", "straight line": "USD", "difference": "USD", "billed": "USD", "collected": "USD",
    "terminated": "USD", "RPO at the end": "USD", "used of offered": "share",
}  # fmt: skip
TERMS = (
    ("total", "total"),
    ("term", "term"),
    ("price", "price"),
    ("take_or_pay", "take or pay"),
    ("true_up", "true-up by"),
    ("ramp", "ramp on"),
    ("prepaid", "prepaid"),
    ("sla", "service level"),
    ("at_end", "what is left at the end"),
    ("recognition", "recognised as"),
    ("firm_on", "firm on"),
)


def questions(plan: Plan) -> Iterator[tuple[str, Question]]:
    """What the pages ask of the ensemble."""
    for name in plan.names.contracts:
        for measure in SHOWN:
            yield f"page {measure} {name}", question(plan, measure, f"contracts.{name}", "fiscal-year")


def pages(a: Asked) -> list[dict[str, Any]]:
    """One table a contract, in the book's order."""
    return [page(a, name) for name in a.run.plan.names.contracts]


def page(a: Asked, name: str) -> dict[str, Any]:
    deal = a.run.plan.book.contracts[name]
    found = {m: a.rows(f"page {m} {name}") for m in SHOWN}
    rows = []
    for i, r in enumerate(found["revenue"]):
        mean = {m: found[m][i]["mean"] for m in SHOWN}
        share = mean["used"] / mean["offered"] if mean["offered"] else None
        money = [mean[m] for m in ("billed", "cash", "terminated", "rpo")]
        rows.append([r["period"], mean["revenue"], mean["straight_line"], mean["revenue"] - mean["straight_line"], *money, share])
    note = f"{terms_of(deal)}. Means of all paths by the provider's fiscal year; hours used over hours offered are of the means."
    return {"section": PAGES, "title": deal.name, "columns": list(COLUMNS), "units": list(COLUMNS.values()), "rows": rows, "note": note}


def terms_of(deal: Contract) -> str:
    """`take or pay; total 38 bn USD; term 84 months; ..`, as the book writes them."""
    said = [deal.form.replace("_", " ")]
    for key, title in TERMS:
        value = getattr(deal, key)
        text = getattr(value, "text", value)
        if text is not None and text != "":
            said.append(f"{title} {str(text).replace('_', ' ')}")
    if deal.late is not None and deal.late.remedy != "none":
        said.append(f"when late {deal.late.remedy}, after {deal.late.after.text}")
    return "; ".join(said)
