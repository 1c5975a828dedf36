"""When to stop: `p95(revenue of contracts.aws @ 2027) within 0.5 %`, checked as paths double (U-02).

The tolerance is the half-width of the 95 % interval, 2.13 errors from sixteen replicates: a share of the figure, or an amount in its
unit. Paths are 1,024, 2,048, .. up to the most that are allowed; a run of as many paths gives the same bits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import QuestionError
from ..kernels.replicates import T95
from ..questions import Question, address, at_period, by_of, question
from ..tables import plain
from ..units import UnitError, read_quantity

if TYPE_CHECKING:
    from ..plan import Plan
    from ..tallies import Tally

RULE = re.compile(r"^(?P<of>.+?)\s+within\s+(?P<size>.+)$", re.IGNORECASE)
HOW = "write STATISTIC(MEASURE of ENTITY @ PERIOD) within TOLERANCE, as in 'p95(revenue of contracts.aws @ 2027) within 0.5 %'"
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}
FIRST = 1_024


@dataclass(frozen=True)
class Until:
    """A stop rule on row `row` of a question: a statistic and its tolerance, relative or in the measure's unit."""

    text: str
    question: Question
    row: int
    statistic: str
    tolerance: float
    relative: bool

    def read(self, tally: Tally) -> tuple[float, float]:
        """The figure, and the half-width of its 95 % interval."""
        if self.statistic == "mean":
            return float(tally.mean[self.row]), T95 * float(tally.se[self.row])
        p = QUANTILES[self.statistic]
        return float(tally.quantiles[p][self.row]), T95 * float(tally.errors[p][self.row])

    def holds(self, tally: Tally) -> bool:
        """Whether the figure is known well enough; what has no value never is."""
        value, half = self.read(tally)
        return half <= self.tolerance * (abs(value) if self.relative else 1.0)

    def told(self, tally: Tally, paths: int) -> dict[str, Any]:
        """{rule, paths, figure, half_width, unit, reached}."""
        value, half = self.read(tally)
        return {"rule": self.text, "paths": paths, "figure": plain(value), "half_width": plain(half), "unit": self.question.measure.unit,
                "reached": self.holds(tally)}  # fmt: skip


def until_of(plan: Plan, text: str) -> Until:
    """Read a stop rule. Raises QuestionError with what is wrong and how it reads."""
    found = RULE.match(text.strip())
    if not found:
        raise QuestionError(f"'{text}' is no stop rule; {HOW}")
    asked = address(found["of"])
    q = question(plan, asked.measure, asked.of, by_of(asked.period) if asked.period else None)
    if q.measure.kind in ("causes", "surface", "postings") or (q.width > 1 and not asked.period):
        raise QuestionError(f"'{text}' is not about one figure; {HOW}")
    tolerance, relative = _tolerance(found["size"].strip(), q.measure.unit)
    return Until(text.strip(), q, at_period(q, asked.period) if asked.period else 0, asked.statistic or "mean", tolerance, relative)


def _tolerance(written: str, unit: str) -> tuple[float, bool]:
    """`0.5 %` is a share of the figure; anything else stands in the measure's unit."""
    share = re.fullmatch(r"([0-9.eE+-]+)\s*%", written)
    try:
        size = float(share[1]) / 100.0 if share else read_quantity(written).to_base(unit)
    except (UnitError, ValueError) as fault:
        wrong = f"{fault.rule}; {fault.fix}" if isinstance(fault, UnitError) else "it is no number"
        raise QuestionError(f"'{written}' is no tolerance: {wrong}; write 0.5 % of the figure, or an amount in {unit}") from None
    if not size > 0.0:
        raise QuestionError(f"'{written}' is no tolerance: it must be above 0")
    return size, share is not None
