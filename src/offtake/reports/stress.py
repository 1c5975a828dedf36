"""Reverse stress as text for a terminal; formatting only."""

from __future__ import annotations

from typing import Any

from ..units import format_value
from .worth import grid, paragraphs, share


def stress_text(found: dict[str, Any], width: int) -> str:
    """The outcome's chance, the scenario and the inputs that bring it about, and the path to look at."""
    head = [f"{found['outcome']}: {share(found['chance'])} of {found['paths']:,} paths (s.e. {share(found['se'])})"]
    last = ""
    if "nearest" in found:
        value = format_value(found["nearest_value"], found["unit"])
        last = f"nearest path: {found['nearest']}, at {value}; --path {found['nearest']} shows it"
    if found.get("scenarios"):
        told = "; ".join(f"{s['scenario']} {share(s['given'])} (always {share(s['chance'])})" for s in found["scenarios"])
        head.append(f"scenarios where it holds: {told}")
    if "refused" in found:
        return paragraphs([*head, found["refused"], last], width)
    under = f"under {found['under']}, " if "under" in found else ""
    if found["distance"] == 0.0:
        head.append(f"{under}no input need move: with those that move it most at their medians it holds on "
                    f"{share(found['holds_when_set'])} of {found['checked_paths']} paths")  # fmt: skip
    else:
        head.append(f"{under}most likely with these inputs, {found['distance']:.2f} standard deviations out together; set so, it holds on "
                    f"{share(found['holds_when_set'])} of {found['checked_paths']} paths")  # fmt: skip
    rows = [
        [i["input"], _said(i["median"], i["unit"]), _said(i["value"], i["unit"]), share(i["quantile"]), _said(i["on_nearest"], i["unit"])]
        for i in found["inputs"]
    ]
    table = grid(["input", "median", "most likely", "quantile", "nearest path"], rows)
    return "\n".join([paragraphs(head, width), *table, paragraphs([last], width)])


def _said(value: float | str, unit: str) -> str:
    """A number in its unit, or the word that a choice took."""
    return value if isinstance(value, str) else format_value(value, unit)
