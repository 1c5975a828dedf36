"""What a stop rule came to, as a sentence."""

from __future__ import annotations

from typing import Any

from ..units import format_value


def sentence(told: dict[str, Any]) -> str:
    """What the rule came to."""
    unit = told["unit"]
    if told["figure"] is None or told["half_width"] is None:
        return f"The stop rule '{told['rule']}' was not reached: no path gives the figure an error to judge, in {told['paths']:,} paths."
    figure = f"{format_value(told['figure'], unit)} ± {format_value(told['half_width'], unit)} (95 %)"
    if told["reached"]:
        return f"Stopped at {told['paths']:,} paths: {figure} meets '{told['rule']}'."
    return f"The stop rule '{told['rule']}' was not reached in {told['paths']:,} paths, the most allowed: {figure}. Allow more with --most."
