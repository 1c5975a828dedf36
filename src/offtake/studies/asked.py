"""What a study may ask of the run that it is given: `front.Run` is one, and no study knows `front`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ..closes import Closes
from ..montecarlo import Outcome, Reporter
from ..plan import Plan
from ..questions import Question
from ..tables import Stamp
from .whatif import Look


class Run(Protocol):
    """A plan, which paths of it are computed and with what, and what the user gave and asked so far."""

    plan: Plan
    stamp: Stamp
    workers: int | None
    progress: Reporter | None
    closes: Closes | None
    stressed: dict[str, dict[str, Any]]  # reverse stress asked for so far
    stopped: dict[str, Any] | None  # what the stop rule came to

    def outcome(self, questions: Sequence[Question], looks: Sequence[Look] = ()) -> Outcome:
        """All paths, and the tallies of these questions; `looks` see the first of them where they are computed here."""

    def answers(self) -> dict[str, Any]:
        """Stamp, the 13 answers and the identities."""

    @property
    def market_tree(self) -> dict[str, Any]:
        """Leaves, prices, statements and positions (V-07, V-08)."""
