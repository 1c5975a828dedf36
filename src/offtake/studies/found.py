"""What a run's own questions came to, and short ways to say a number of it. `findings` asks them; the answers read this.

The *subject* of a book is its first billing contract; its provider and its customer come with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import Any, Protocol

import numpy as np

from ..errors import QuestionError
from ..kernels.replicates import REPLICATES
from ..measures import MEASURES
from ..montecarlo import Outcome, Tally
from ..plan import Plan
from ..tables import plain
from ..units import format_interval, format_value
from .asked import Run
from .holds import FEWEST, Holds
from .sensitivity import Mover, Sensitivity
from .tabulate import statistics
from .whatif import Look

_ONE_AT_A_TIME = RLock()

IDLE = ("idle_no_demand", "idle_not_allowed", "idle_no_room")


@dataclass(frozen=True)
class Subject:
    """Who the book is about: names and addresses."""

    contract: str
    provider: str
    customer: str

    @property
    def deal(self) -> str:
        return f"contracts.{self.contract}"

    @property
    def seller(self) -> str:
        return f"companies.{self.provider}"

    @property
    def buyer(self) -> str:
        return f"companies.{self.customer}"


def subject(plan: Plan) -> Subject:
    """The first billing contract of the book."""
    if not plan.names.contracts:
        raise QuestionError("the 13 answers are about a contract, and none of this book bills; `offtake measure` reads everything else")
    name = plan.names.contracts[0]
    return Subject(name, plan.book.contracts[name].provider, plan.book.contracts[name].customer)


@dataclass(frozen=True)
class Findings:
    """Tallies by key, and the sensitivities of their kept paths."""

    run: Run
    outcome: Outcome
    tallies: dict[str, Tally]
    looks: dict[str, Look]  # what studies read of the first paths

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """Of the kept paths; studies side by side ask for it at once, and it is made once (a cached property holds no lock of its own)."""
        with _ONE_AT_A_TIME:
            return self._sensitivity

    @cached_property
    def _sensitivity(self) -> Sensitivity:
        return Sensitivity(self.outcome.plan.inputs.names, self.outcome.alike(self.outcome.inputs))

    @cached_property
    def _holds(self) -> tuple[np.ndarray, Holds]:
        """Numbers of the kept paths that count alike, and what their inputs hold."""
        paths = self.outcome.alike(np.arange(self.outcome.inputs.shape[1])[None])[0]
        return paths, Holds(self.outcome.plan, self.outcome.alike(self.outcome.inputs), paths % REPLICATES, self.sensitivity.ranks)

    def held(self, key: str, row: int) -> list[dict[str, Any]]:
        """What each input holds of a kept number, with errors: the rows that `offtake sensitivity` tells; none of a number that is the
        same on all of them or has a value on too few."""
        paths, holds = self._holds
        y = self.tallies[key].kept[row][paths]
        there = ~np.isnan(y)
        return holds.table(y, there)[0] if there.sum() >= FEWEST and np.ptp(y[there]) > 0.0 else []

    def row(self, key: str, period: str) -> int | None:
        """Row of a period, or None where the book has no such question or period."""
        if key not in self.tallies:
            return None
        labels = [p.label for p in self.tallies[key].question.periods]
        return labels.index(period) if period in labels else None

    def movers(self, key: str, row: int) -> list[Mover]:
        return self.sensitivity.movers(self.outcome.alike(self.tallies[key].kept[row : row + 1])[0])


class Found(Run, Protocol):
    """A run whose own questions have been computed."""

    @property
    def findings(self) -> Findings:
        """The book's own questions, computed once."""

    def beside(self, names: Sequence[str]) -> dict[str, Any]:
        """What these studies beside the ensemble came to, by name, each computed once (`studies/beside`)."""


def unit_of(tally: Tally) -> str:
    return MEASURES[tally.question.measure.name].unit


@dataclass(frozen=True)
class Said:
    """What an answer function gives: text, values, and the tally row it rests on."""

    text: str
    values: dict[str, Any]
    key: tuple[str, int] | None = None
    what: str | None = "the mean"  # the number that an assumption moves; None where the text tells its ends itself


class Asked:
    """Findings with short ways to a number."""

    def __init__(self, run: Found) -> None:
        self.run, self.plan, self.f = run, run.plan, run.findings
        self.s: Subject = subject(run.plan)
        self.year = run.plan.start // 12

    def beside(self, name: str) -> Any:
        """What one study beside the ensemble came to."""
        return self.run.beside([name])[name]

    def tally(self, key: str) -> Tally | None:
        return self.f.tallies.get(key)

    def rows(self, key: str) -> list[dict[str, Any]]:
        """All rows of a tally: period and statistics, as JSON values."""
        tally = self.tally(key)
        if tally is None:
            return []
        columns = statistics(tally)
        return [
            {"period": p.label} | {name: plain(values[i]) for name, values in columns.items()} for i, p in enumerate(tally.question.periods)
        ]

    def at(self, key: str, period: str) -> dict[str, Any] | None:
        return next((row for row in self.rows(key) if row["period"] == period), None)

    def span(self, key: str, period: str) -> str:
        """`4.9 bn USD (2.1 to 6.0)`: median and 90 % interval."""
        tally, row = self.tally(key), self.at(key, period)
        if tally is None or row is None or row["p50"] is None:
            return "absent"
        return both(row, unit_of(tally))

    def mean(self, key: str, period: str) -> float | None:
        row = self.at(key, period)
        return None if row is None else row["mean"]

    def said(self, key: str, period: str) -> str:
        """`2026`; of a period that the horizon cuts `2025 (2 months)`."""
        tally = self.tally(key)
        cut = next((p.last - p.first + 1 for p in tally.question.periods if p.label == period and p.cut), 0) if tally else 0
        return f"{period} ({cut} month{'s' * (cut > 1)})" if cut else period

    def row(self, key: str, period: str) -> tuple[str, int] | None:
        row = self.f.row(key, period)
        return None if row is None else (key, row)


def both(row: dict[str, Any], unit: str) -> str:
    middle = format_value(row["p50"], unit)
    return middle if row["p05"] == row["p95"] else f"{middle} ({format_interval(row['p05'], row['p95'], unit)})"


def percent(share: float | None) -> str:
    """Whole percent; a tenth where whole percent would say none or all."""
    if share is None:
        return "absent"
    close = 0.0 < share < 0.0095, 0.995 <= share < 1.0
    return f"{100 * share:.1g} %" if close[0] else f"{min(100 * share, 99.9):.1f} %" if close[1] else f"{100 * share:.0f} %"


def chance(row: dict[str, Any] | None) -> str:
    """A probability with its Monte Carlo error (U-02)."""
    if row is None or row["mean"] is None:
        return "absent"
    return f"{100 * row['mean']:.3g} ± {100 * row['se']:.1g} %" if row["se"] else percent(row["mean"])


def points(share: float | None) -> str:
    return "absent" if share is None else f"{10_000 * share:+.0f} bp"
