"""What a rule finds, and the small words that rules share."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from ..numbers import Number, Series
from ..terms import Book, Contract
from ..walk import items_of

Steps = tuple[Any, ...]


@dataclass(frozen=True)
class Finding:
    """A fault of the term that `steps` lead to."""

    steps: Steps
    got: str
    rule: str
    fix: str


def unknown(steps: Steps, name: str, known: Collection[str], what: str, rule: str) -> Finding:
    """A name that leads nowhere, with the nearest one that does."""
    near = get_close_matches(name, list(known), n=1)
    listed = ", ".join(list(known)[:8]) + (" .." if len(known) > 8 else "")
    fix = f"did you mean `{near[0]}`?" if near else f"use one of {listed}" if known else f"add it under `{what}`"
    return Finding(steps, name, f"a name under `{what}` ({rule})", fix)


def terms_of(term: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every term, number and path in time with the steps that lead to it, outer ones first."""
    if isinstance(term, (BaseModel, Number, Series)):
        yield steps, term
    if isinstance(term, Series):
        for name, value in [*term.args.items(), *term.knots]:
            if isinstance(value, Number):
                yield (*steps, term.kind, name), value
    elif not isinstance(term, Number):
        for key, value in items_of(term):
            yield from terms_of(value, (*steps, key))


def billing(book: Book) -> dict[str, Contract]:
    """Contracts that bill (C-11)."""
    return {name: deal for name, deal in book.contracts.items() if deal.form != "announced"}


def undrawn(book: Book, path: str) -> str | None:
    """Why no path draws the number at `path`, a path of this book; None where one does."""
    section, name, *inner = path.split(".")
    deals = billing(book)
    if section == "contracts":
        return "an announced contract bills nothing" if name not in deals else OF_CONTRACTS.get(inner[0])
    if section == "sites":
        astray = any(not deal.sites or set(deal.sites) - set(book.sites) for deal in deals.values())  # an issue of its own
        stood_on = any(name in deal.sites for deal in deals.values())
        return None if stood_on or astray else "no contract that bills stands on this site"
    if section == "companies" and inner[0] == "discount_rate":
        return None if any(name == deal.provider for deal in deals.values()) else "the company provides no contract that bills"
    if section == "chips" and inner[0] == "dense":
        counted = {work.precision or "bf16" for work in book.workloads.values() if work.kind != "inference"}
        return None if inner[1] in counted else "no workload counts in this precision"
    if section == "companies":
        return next((why for key, why in OF_COMPANIES.items() if key in inner), None)
    return None if section in ("chips", "equity", "workloads", "replay") else "read for itself, never on a path"


OF_CONTRACTS = {"firm": "a state for the tables (C-11)", "power": "stated beside the sites, never computed with"}
OF_COMPANIES = {
    "compute_cost": "an anchor that the workloads are compared with (D-05)",
    "anchor_price": "an anchor that the workloads are compared with (D-05)",
    "guidance": "a company's own word beside the forecast",
}


def middle(number: Any) -> float:
    """The median of a number; 1 where the book is silent and a factor is meant."""
    return number.median() if isinstance(number, Number) else 1.0
