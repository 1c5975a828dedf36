"""What the model says a deal is worth, beside what the market's move says, and what one must believe to close the gap (V-06)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..montecarlo import Tally
from ..plan import Plan
from ..questions import Question, question
from ..tables import plain
from .tabulate import statistics

PREFIX = "worth "
ASKED = (
    ("npv_after_tax", "contract", "total"), ("npv", "contract", "total"), ("collected_value", "contract", "total"),
    ("irr", "contract", "total"), ("payback", "contract", "total"), ("fcf", "contract", "fiscal-year"),
    ("eps_effect", "contract", "fiscal-year"), ("rpo_value", "contract", "total"), ("margin", "provider", "fiscal-year"),
)  # fmt: skip


def questions(plan: Plan, contract: str) -> dict[str, Question]:
    """Questions on a deal's worth by key; those that the book cannot answer are left out."""
    provider, found = plan.book.contracts[contract].provider, {}
    for measure, whose, by in ASKED:
        of = f"contracts.{contract}" if whose == "contract" else f"companies.{provider}"
        try:
            found[PREFIX + measure] = question(plan, measure, of, by)
        except QuestionError:  # a provider without a segment has no margin
            continue
    return found


def row(tally: Tally, at: int = 0) -> dict[str, Any]:
    """One row of a tally as JSON values, with the share of paths that have no such number."""
    values = {name: plain(column[at]) for name, column in statistics(tally).items()}
    return values | {"absent": float(np.isnan(tally.kept[at]).mean())}


def known(tallies: Mapping[str, Tally], measure: str) -> Tally | None:
    """A tally that at least one path answers."""
    found = tallies.get(PREFIX + measure)
    return found if found is not None and found.count.max(initial=0) > 0 else None


def worth(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Values of the deal: NPV, IRR, payback, a dollar of RPO, free cash and EPS by fiscal year; absent is None (N-06)."""
    found: dict[str, Any] = {}
    for measure, _, by in ASKED[:8]:
        tally = known(tallies, measure)
        if tally is None:
            found[measure] = None
        elif by == "total":
            found[measure] = row(tally)
        else:
            found[measure] = [{"period": p.label} | row(tally, i) for i, p in enumerate(tally.question.periods)]
    return found


def against(plan: Plan, contract: str, tallies: Mapping[str, Tally], implied: Mapping[str, float]) -> dict[str, Any]:
    """The implied value beside the modelled one: where it lies among the paths, the gap, and what closes it."""
    name = "npv_after_tax" if known(tallies, "npv_after_tax") else "npv"
    tally = tallies[PREFIX + name]
    values = tally.kept[0][~np.isnan(tally.kept[0])]
    gap = implied["value"] - float(tally.mean[0])
    return {
        "measure": name,
        "modelled": row(tally),
        "implied": dict(implied),
        "share_of_paths_at_least_implied": float((values >= implied["value"]).mean()),
        "share_of_paths_at_least_low": float((values >= implied["low"]).mean()),
        "gap": gap,
        "believe": [x for x in (_margin(tallies, name, implied), _renewal(plan, contract, tallies, gap),
                                _obligations(plan, contract, tallies, implied), _repeats(tallies, name, gap)) if x],
    }  # fmt: skip


def _margin(tallies: Mapping[str, Tally], name: str, implied: Mapping[str, float]) -> dict[str, Any] | None:
    """Cash margin over the deal's life: value over what the customer pays, both discounted."""
    paid = tallies[PREFIX + "collected_value"].mean[0]
    if not paid > 0.0:
        return None
    return {
        "what": "cash margin on what the customer pays",
        "unit": "share",
        "needed": float(implied["value"] / paid),
        "modelled": float(tallies[PREFIX + name].mean[0] / paid),
        "possible": bool(implied["value"] <= paid),
    }


def _renewal(plan: Plan, contract: str, tallies: Mapping[str, Tally], gap: float) -> dict[str, Any] | None:
    """Years of the last whole fiscal year's free cash after the horizon, without new chips, that are worth the gap."""
    tally, rate = known(tallies, "fcf"), plan.book.companies[plan.book.contracts[contract].provider].discount_rate
    if tally is None or rate is None:
        return None
    whole = [i for i, p in enumerate(tally.question.periods) if not p.cut]
    yearly, r = float(tally.mean[whole[-1]]) if whole else math.nan, rate.median()
    at_end = yearly * (1.0 + r) ** (-plan.months / 12.0)
    forever = at_end / r if r > 0.0 else math.inf
    years = -math.log1p(-gap / forever) / math.log1p(r) if 0.0 < gap < forever else None
    return {
        "what": "years of renewal at the last whole year's free cash, no new chips",
        "unit": "year",
        "needed": years,
        "modelled": 0.0,
        "possible": years is not None,
        "forever_is_worth": forever if yearly > 0.0 else 0.0,
    }


def _obligations(plan: Plan, contract: str, tallies: Mapping[str, Tally], implied: Mapping[str, float]) -> dict[str, Any] | None:
    """RPO at the segment's margin, discounted and taxed as the deal's, that is worth what the market added."""
    margin, value = known(tallies, "margin"), known(tallies, "rpo_value")
    tax = plan.book.companies[plan.book.contracts[contract].provider].tax_rate
    total = plan.book.contracts[contract].total
    if margin is None or value is None or tax is None or isinstance(total, str):
        return None
    whole = [i for i, p in enumerate(margin.question.periods) if not p.cut]
    kept = float(margin.mean[whole[1 if len(whole) > 1 else 0]]) * (1.0 - tax.median()) * float(value.mean[0])
    return {
        "what": "RPO at the segment's own margin",
        "unit": "USD",
        "needed": implied["value"] / kept if kept > 0.0 else None,
        "modelled": total.median(),
        "possible": kept > 0.0 and implied["value"] / kept <= total.median(),
    }


def _repeats(tallies: Mapping[str, Tally], name: str, gap: float) -> dict[str, Any]:
    """Further deals like this one: what an option to expand would have to hold."""
    each = float(tallies[PREFIX + name].mean[0])
    return {
        "what": "further deals on these terms (an option to expand)",
        "unit": "deals",
        "needed": gap / each if each > 0.0 else None,
        "modelled": 0.0,
        "possible": each > 0.0,
    }
