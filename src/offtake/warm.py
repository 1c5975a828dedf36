"""Compile every kernel into the shared cache: `python -m offtake.warm`. Run once before parallel tests or a first demo."""

from __future__ import annotations


def warm() -> None:
    """Fill one block of the shipped book."""
    from . import front, montecarlo
    from .questions import question

    plan = front.compile(front.load("two-clouds"))
    montecarlo.run(plan, [question(plan, "revenue", f"contracts.{plan.names.contracts[0]}", "total")], 64, 1, 1)
    from . import stages

    stages.ranges(plan, 1)


if __name__ == "__main__":
    warm()
