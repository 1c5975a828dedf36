"""All commitments of a book by layer and firmness, reconciled to their sum; concentration (C-11, V-05)."""

from __future__ import annotations

from typing import Any

from ..book.numbers import Number
from ..plan import Plan


def rows(plan: Plan) -> list[dict[str, Any]]:
    """One row a commitment; an unsized one has value None and stands in no sum (N-06)."""
    book = plan.book
    return [
        {
            "contract": name,
            "name": c.name,
            "customer": c.customer,
            "provider": c.provider,
            "layer": c.layer,
            "form": c.form,
            "value": c.total.median() if isinstance(c.total, Number) else None,
            "firm": c.firm.median(),
            "up_to": c.up_to,
            "power_mw": c.power.median() if c.power else None,
            "inside": list(c.inside),
            "source": _source(c),
        }
        for name, c in book.contracts.items()
    ]


def _source(contract: Any) -> str | None:
    total = contract.total
    return (total.source if isinstance(total, Number) else None) or contract.source


def summary(plan: Plan) -> dict[str, Any]:
    """Sums by layer, the overlap taken out, and how concentrated the cloud layer is."""
    found = rows(plan)
    sized = [r for r in found if r["value"] is not None]
    outside = [r for r in sized if not r["inside"]]
    layers: dict[str, float] = {}
    for r in sized:
        layers[r["layer"]] = layers.get(r["layer"], 0.0) + r["value"]
    cloud = [r for r in sized if r["layer"] == "cloud"]
    total = sum(r["value"] for r in cloud)
    largest = max(cloud, key=lambda r: r["value"], default=None)
    return {
        "sized": sum(r["value"] for r in outside),
        "with_overlap": sum(r["value"] for r in sized),
        "by_layer": layers,
        "unsized": sum(r["value"] is None for r in found),
        "cloud": total,
        "firm": sum(r["value"] * r["firm"] for r in outside),
        "largest": largest["name"] if largest else None,
        "largest_share": largest["value"] / total if largest and total else None,
        "herfindahl": sum((r["value"] / total) ** 2 for r in cloud) if total else None,
        "gigawatts": sum(r["power_mw"] or 0.0 for r in found) / 1000.0,
        "rows": found,
    }
