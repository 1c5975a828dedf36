"""offtake: what a multi-year AI compute contract is worth, to whom, and what could go wrong."""

from __future__ import annotations

from typing import Any

__all__ = ["BookError", "OfftakeError", "QuestionError", "Run", "check", "load", "run", "show"]


def __getattr__(name: str) -> Any:
    """Public names come from `front` and `errors` when first used, so that importing the package stays light."""
    if name not in __all__:
        raise AttributeError(f"module 'offtake' has no attribute '{name}'")
    from . import errors, front

    return getattr(front, name, None) or getattr(errors, name)
