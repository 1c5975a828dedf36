"""What providers stand to lose on their customers (V-04, V-05): expected loss, wrong-way risk, one large customer against many."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..book.numbers import Number
from ..plan import Plan
from ..tables import plain
from ..units import format_value
from . import crowd, link
from .findings import EXPOSED
from .found import Findings, Found
from .late import name_of, spread


def signed(plan: Plan, contract: str) -> float:
    """Signed value of a billing contract, USD, its median where it is uncertain."""
    total = plan.book.contracts[contract].total
    return total.median() if isinstance(total, Number) else 0.0


def by_provider(f: Findings) -> list[dict[str, Any]]:
    """Rows {provider, name, signed, mean, se, p05 .. p95, share}: loss on all contracts of each provider, on the kept paths."""
    plan = f.outcome.plan
    rows: list[dict[str, Any]] = []
    for provider in dict.fromkeys(plan.book.contracts[n].provider for n in plan.names.contracts):
        mine = [n for n in plan.names.contracts if plan.book.contracts[n].provider == provider]
        losses = np.sum([f.tallies[f"loss {n}"].kept[0] for n in mine], axis=0)
        whole = sum(signed(plan, n) for n in mine)
        rows.append(
            {"provider": provider, "name": name_of(plan, provider), "signed": whole}
            | spread(losses)
            | {"share": float(losses.mean()) / whole if whole else None}
        )
    return rows


def one_or_many(f: Findings, contract: str) -> dict[str, Any]:
    """The loss on one contract with one customer, and with many small ones that hold the same commitments together."""
    losses = f.tallies[f"loss {contract}"].kept[0]
    market = crowd.markets(f.outcome.plan, f.outcome.inputs[0])
    whole = signed(f.outcome.plan, contract)
    return {"contract": contract, "signed": whole, "paths": len(losses), "rows": crowd.compare(losses, market, whole)}


def wrong_way(run: Found) -> dict[str, Any]:
    """By contract, on the first paths: expected loss, P(renegotiated), and idle value where it is renegotiated, linked and cut."""
    plan, f = run.plan, run.findings
    paths = min(link.PATHS, run.stamp.paths)
    keys = [f"{what} {n}" for n in plan.names.contracts for what in EXPOSED]
    cut = link.cut(plan, run.stamp.seed, paths, [f.tallies[key].question for key in keys], run.workers)
    linked = np.concatenate([f.tallies[key].kept[:, :paths] for key in keys])
    rows = []
    for i, name in enumerate(plan.names.contracts):
        both = {word: _exposure(found[3 * i : 3 * i + 3]) for word, found in (("linked", linked), ("cut", cut))}
        change = spread(linked[3 * i] - cut[3 * i])
        rows.append({"contract": name, "name": plan.book.contracts[name].name} | both | {"change": change["mean"], "se": change["se"]})
    return {"paths": paths, "rows": rows}


def _exposure(found: np.ndarray) -> dict[str, Any]:
    """`found` holds the rows of EXPOSED: loss, whether it was renegotiated, idle value."""
    loss, fired, idle = found
    hit = (fired > 0.0) & ~np.isnan(idle)
    return {
        "loss": float(loss.mean()),
        "p_renegotiated": float(fired.mean()),
        "idle_if_renegotiated": plain(idle[hit].mean()) if hit.any() else None,
    }


def sentence(many: dict[str, Any]) -> str:
    """What answer 5 says of one customer against many, on the deal."""
    one = many["rows"][0]
    crowd_of = next(r for r in many["rows"] if r["customers"] == crowd.SIZES[-1] and r["market"] == "one")
    return (
        f"on the deal {format_value(one['mean'], 'USD')}, {format_value(one['worst_twentieth'], 'USD')} in the worst twentieth of paths, "
        f"which {crowd_of['customers']} customers in one market would hold to {format_value(crowd_of['worst_twentieth'], 'USD')}."
    )
