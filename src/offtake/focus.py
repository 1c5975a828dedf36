"""A FOCUS 1.2 cost export, CSV or Parquet, as consumption to date by commitment and month.

The file is read in one streaming pass a question, so that a file of several GB needs bounded memory. Sums are decimals to 1e-12 of
a USD: they do not depend on the order in which rows arrive. A row that breaks a rule is refused, counted and named; nothing is
filled in. What counts as consumed:
    of a commitment   EffectiveCost of `Usage` rows whose CommitmentDiscountStatus is not `Unused`
    of the whole file BilledCost of `Usage` and `Purchase` rows; credits, adjustments and tax stand apart
Source  FinOps Open Cost and Usage Specification 1.2: columns, null rules and signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import QuestionError
from .units import format_value

COSTS = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
WORDS = ("BillingCurrency", "ChargeCategory", "ChargeClass")
COMMITMENT = ("CommitmentDiscountId", "CommitmentDiscountCategory", "CommitmentDiscountStatus", "CommitmentDiscountUnit")
NUMBERS = ("ContractedUnitPrice", "PricingQuantity", "ConsumedQuantity", "CommitmentDiscountQuantity")
NEEDED = (*COSTS, *TIMES, *WORDS)  # must be columns; ChargeClass may be empty
OPTIONAL = (*COMMITMENT, *NUMBERS, "ConsumedUnit", "ServiceName")
GPU_HOURS = ("GPU-Hours", "GPU-Hour")
NAMED = 1_000  # refused rows that are kept by name; all are counted
SHAPE = "a FOCUS 1.2 export is a CSV file with a header or a Parquet file (.parquet), one charge a row"


@dataclass(frozen=True, order=True)
class Refused:
    """One row that breaks a rule; `row` counts records, the CSV header being row 1; `usd` its BilledCost where it is a number."""

    row: int
    got: str
    rule: str
    fix: str
    usd: float | None

    def to_dict(self) -> dict[str, Any]:
        return {"row": self.row, "got": self.got, "rule": self.rule, "fix": self.fix, "usd": self.usd}


@dataclass(frozen=True)
class Used:
    """One commitment in one month: USD as in the module's head, `quantity` by unit; commitment is None where a row names none."""

    commitment: str | None
    month: str
    consumed: float
    unused: float
    billed: float
    purchased: float
    apart: float
    quantity: dict[str, float]


@dataclass(frozen=True)
class Export:
    """What a file says: rows read, used and refused, refused rows by rule, and what was used."""

    file: str
    read: int
    refused: int
    rows: tuple[Refused, ...]
    by_rule: dict[str, int]
    left_out: float  # USD of BilledCost of refused rows that have one
    without_cost: int  # refused rows whose BilledCost is no number
    used: tuple[Used, ...]
    unreconciled: tuple[str, ...]  # commitments whose amortised cost does not add up to what was bought

    @property
    def sound(self) -> bool:
        return not self.refused and not self.unreconciled

    def commitments(self) -> list[str]:
        return sorted({u.commitment for u in self.used if u.commitment is not None})

    def by_month(self, commitment: str | None) -> dict[str, float]:
        """USD consumed by month, of a commitment or of the whole file. Raises QuestionError for a commitment that is not there."""
        if commitment is not None and commitment not in self.commitments():
            known = ", ".join(self.commitments()) or "none"
            raise QuestionError(f"{self.file}: no row has CommitmentDiscountId '{commitment}'; it has {known}")
        found: dict[str, float] = {}
        for u in self.used:
            if commitment is None:
                found[u.month] = found.get(u.month, 0.0) + u.billed
            elif u.commitment == commitment:
                found[u.month] = u.consumed
        return found

    def hours_by_month(self, commitment: str | None) -> dict[str, float]:
        """GPU-h used by month. Raises QuestionError where quantities are in another unit: they convert to GPU-h by no rule."""
        self.by_month(commitment)
        chosen = [u for u in self.used if u.quantity and commitment in (None, u.commitment)]
        other = sorted({unit for u in chosen for unit in u.quantity} - set(GPU_HOURS))
        if other or not chosen:
            raise QuestionError(f"{self.file}: its use is counted in {', '.join(other) or 'nothing'}, not in {GPU_HOURS[0]}")
        found: dict[str, float] = {}
        for u in chosen:
            found[u.month] = found.get(u.month, 0.0) + sum(u.quantity.values())
        return found

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": self.file, "rows_read": self.read, "rows_used": self.read - self.refused, "rows_refused": self.refused,
            "refused_by_rule": self.by_rule, "left_out_usd": self.left_out, "refused_without_cost": self.without_cost,
            "refused": [r.to_dict() for r in self.rows], "unreconciled": list(self.unreconciled), "unit": "USD",
            "used": [vars(u) for u in self.used],
        }  # fmt: skip

    def faults(self, most: int = 20) -> str:
        """Every fault in words: the first `most` refused rows, how many by rule, and commitments that do not reconcile."""
        lines = []
        for r in self.rows[:most]:
            lines += [f"{self.file}: row {r.row}", f"  got   {r.got}", f"  rule  {r.rule}", f"  fix   {r.fix}"]
        if self.refused > most:
            lines.append(f".. and {self.refused - most:,} rows more (--json names the first {NAMED:,})")
        lines += [f"{n:,} row{'s' * (n != 1)} refused: {rule}" for rule, n in self.by_rule.items()]
        return "\n".join([*lines, *self.unreconciled, self.counts()])

    def counts(self) -> str:
        text = f"{self.file}: {self.read:,} rows read, {self.read - self.refused:,} used, {self.refused:,} refused"
        if not self.refused:
            return text
        unknown = f" and {self.without_cost:,} row{'s' * (self.without_cost != 1)} without a billed cost" if self.without_cost else ""
        return f"{text}; left out {format_value(self.left_out, 'USD')} billed{unknown}"
