"""What the report shows of reverse stress: one table for each outcome that the run was asked about (V-09)."""

from __future__ import annotations

from typing import Any

from ..units import format_value
from .asked import Run
from .inputs import meaning


def panels(run: Run) -> list[dict[str, Any]]:
    return [table(found) for found in run.stressed.values()]


def table(found: dict[str, Any]) -> dict[str, Any]:
    """The inputs at the most likely point, each with what it is; how likely the outcome is stands in the note."""
    rows = [
        [
            f"{i['input']} ({meaning(i['input'])})",
            shown(i["median"], i["unit"]),
            shown(i["value"], i["unit"]),
            i["quantile"],
            shown(i["on_nearest"], i["unit"]),
        ]
        for i in found.get("inputs", [])
    ]
    return {
        "section": "stress",
        "title": found["outcome"],
        "columns": ["input", "median", "most likely there", "quantile", "nearest path"],
        "units": [None, None, None, "share", None],
        "rows": rows or [["no input is set", None, None, None, None]],
        "note": note(found),
    }


def note(found: dict[str, Any]) -> str:
    """How often the outcome holds, under which scenario, how far out it lies, and the path to look at."""
    text = f"Holds on {format_value(found['chance'], 'share')} of {found['paths']:,} paths (± {format_value(found['se'], 'share')})"
    if found.get("scenarios"):
        told = ", ".join(f"{s['scenario']} {format_value(s['given'], 'share')}" for s in found["scenarios"])
        text += f"; of these {told}"
    if "refused" in found:
        text += f". {found['refused'][0].upper()}{found['refused'][1:]}"
    elif "distance" in found:
        under = f"under {found['under']}, " if "under" in found else ""
        text += f". Most likely {under}{found['distance']:.2f} standard deviations out; set so, it holds on "
        text += f"{format_value(found['holds_when_set'], 'share')} of {found['checked_paths']} paths"
    if "nearest" in found:
        text += f". Path {found['nearest']} came nearest, at {format_value(found['nearest_value'], found['unit'])}"
    return f"{text} (V-09)."


def shown(value: float | str, unit: str) -> str:
    return value if isinstance(value, str) else format_value(value, unit)
