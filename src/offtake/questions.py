"""A question: a measure, of an entity, by period, perhaps on some paths only. Grammar: `MEASURE [of ENTITY] [@ PERIOD]`.

A question turns a block into rows, one a period, of one value a lane; NaN says that the path has no value there (N-06).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .block import Block
from .errors import QuestionError
from .kernels import reduce
from .measures import CAUSES, Entity, Measure, entity, find
from .periods import Period, periods_of
from .plan import Plan

BY = ("month", "quarter", "fiscal-quarter", "fiscal-year", "calendar-year", "total")
SURFACE = 28  # thresholds x runs of `stages`
STATISTICS = ("mean", "p05", "p25", "p50", "p75", "p95")
ADDRESS = re.compile(r"^\s*(?P<measure>[a-z_]+)(?:\s+of\s+(?P<of>[\w.\-]+))?(?:\s*@\s*(?P<period>[\w\-]+))?\s*$")


@dataclass(frozen=True)
class Address:
    """`p95(revenue of contracts.aws @ 2027)`, taken apart; absent parts are None."""

    measure: str
    of: str | None
    period: str | None
    statistic: str | None


def address(text: str) -> Address:
    """Take an address apart, or say how one reads."""
    statistic, inner = None, text
    outer = re.match(r"^\s*(\w+)\s*\((.*)\)\s*$", text)
    if outer:
        statistic, inner = outer.group(1), outer.group(2)
    found = ADDRESS.match(inner)
    if not found or (statistic is not None and statistic not in STATISTICS):
        raise QuestionError(
            f"'{text}' is not an address; write MEASURE [of ENTITY] [@ PERIOD], as in 'revenue of contracts.aws @ 2027', "
            f"with one of {', '.join(STATISTICS)} in front if one number is wanted: 'p95(revenue of contracts.aws @ 2027)'"
        )
    return Address(found["measure"], found["of"], found["period"], statistic)


def by_of(period: str) -> str:
    """The kind of period a label is written in."""
    for pattern, by in (
        (r"\d{4}-\d\d", "month"),
        (r"\d{4}Q[1-4]", "quarter"),
        (r"FY\d{4}Q[1-4]", "fiscal-quarter"),
        (r"FY\d{4}", "fiscal-year"),
        (r"\d{4}", "calendar-year"),
        ("total", "total"),
    ):
        if re.fullmatch(pattern, period):
            return by
    raise QuestionError(f"'{period}' is not a period; write 2026-03, 2026Q1, FY2026Q2, FY2026, 2026 or total")


@dataclass(frozen=True)
class Question:
    """What to read from every path. `given` keeps the paths where a factor row has a value (or the scenario a number)."""

    measure: Measure
    entity: Entity
    by: str
    periods: tuple[Period, ...]
    given: tuple[str, float] | None = None
    between: tuple[float, float] | None = None
    keep: bool = True  # whether the first paths' values are kept for sensitivities

    @cached_property
    def width(self) -> int:
        """Rows."""
        each = {"causes": len(CAUSES), "surface": SURFACE}.get(self.measure.kind, 1)
        return len(self.periods) * each

    def read(self, block: Block, shared: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """(rows, L): one row a period (times cause); in an event question 1 where the value lies in `between`.

        `shared` keeps what questions of one block have in common: the same rows under other conditions are read once.
        """
        rows = shared.get(self.key) if shared is not None else None
        if rows is None:
            rows = self._rows(self.measure.reads[self.entity.axis](block, self.entity.index))
            if shared is not None:
                shared[self.key] = rows
        if self.between is not None:
            low, high = self.between
            rows = np.where(np.isnan(rows), np.nan, ((rows >= low) & (rows <= high)).astype(float))
        if self.given is not None:
            what, value = self.given
            state = block.scenario if what == "scenario" else block.X[block.plan.factor_paths.index(what)]
            rows = np.where(state[None, :] == value, rows, np.nan)
        return rows

    @cached_property
    def key(self) -> str:
        """The same rows before any condition have the same key: measure, entity and periods."""
        return "|".join((self.measure.name, self.entity.label, self.by, *(p.label for p in self.periods)))

    @cached_property
    def _months(self) -> tuple[np.ndarray, np.ndarray]:
        """First and last month of each period."""
        return np.array([p.first for p in self.periods]), np.array([p.last for p in self.periods])

    @cached_property
    def _is_each_month(self) -> bool:
        """Whether the rows are the months themselves, of one flow or stock, on all paths."""
        first, last = self._months
        plain = self.given is None and self.between is None and self.measure.kind in ("flow", "stock")
        return plain and np.array_equal(first, last) and np.array_equal(first, np.arange(len(first)))

    def fill(self, block: Block, shared: dict[str, np.ndarray], out: np.ndarray) -> None:
        """`read`, the first lanes of it, into `out` (rows, lanes): what is read as it stands is written once."""
        if not self._is_each_month or self.key in shared:
            out[:] = self.read(block, shared)[:, : out.shape[1]]
            return
        values = self.measure.reads[self.entity.axis](block, self.entity.index)[0][: len(out), : out.shape[1]]
        if self.measure.kind == "flow":
            np.add(values, 0.0, out=out)  # as a sum of one month has it: no zero is negative
        else:
            np.copyto(out, values)
        if out.shape[1] == block.X.shape[1]:
            shared[self.key] = out

    def _rows(self, parts: tuple[np.ndarray, ...]) -> np.ndarray:
        kind = self.measure.kind
        if kind == "once":
            return parts[0][None, :]
        if kind == "surface":
            return np.concatenate([(parts[0] <= p.last).astype(float) for p in self.periods])
        if kind == "stock":
            return np.take(parts[0], self._months[1], axis=0)
        if kind == "causes":
            shares = np.empty((len(self.periods), len(CAUSES), parts[0].shape[1]))
            reduce.shares_by_period(parts[0], *self._months, shares)
            return shares.reshape(-1, parts[0].shape[1])
        sums: list[np.ndarray] = [np.empty((len(self.periods), part.shape[1])) for part in parts]
        for part, total in zip(parts, sums):
            reduce.by_period(part, *self._months, total)
        if kind == "flow":
            return sums[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(sums[1] != 0.0, sums[0] / sums[1], np.nan)
            return share if kind == "ratio" else share - np.where(sums[3] != 0.0, sums[2] / sums[3], np.nan)


def read_all(questions: Sequence[Question], block: Block, out: np.ndarray) -> None:
    """Read the questions one below the other into `out` (rows, lanes); lanes beyond those of `out` are left out."""
    shared: dict[str, np.ndarray] = {}
    at = 0
    for q in questions:
        q.fill(block, shared, out[at : at + q.width])
        at += q.width


def question(
    plan: Plan,
    measure: str,
    of: str | None = None,
    by: str | None = None,
    given: tuple[str, float] | None = None,
    between: tuple[float, float] | None = None,
) -> Question:
    """Build a question from names; without `by` the calendar year, or the total where nothing else makes sense."""
    m = find(measure)
    e = entity(m, plan, of)
    chosen = "total" if m.kind == "once" else by or ("total" if m.kind == "surface" else "calendar-year")
    if chosen not in BY:
        raise QuestionError(f"'{chosen}' is not a period; --by takes {', '.join(BY)}")
    if m.kind == "once" and by not in (None, "total"):
        raise QuestionError(f"'{m.name}' is one number for the whole horizon; ask it --by total")
    return Question(m, e, chosen, tuple(periods_of(plan.start, plan.months, chosen, e.fiscal_year_end)), given, between)


def at_period(q: Question, period: str) -> int:
    """Row of a period in a question, or a sentence with the first and last there are."""
    labels = [p.label for p in q.periods]
    if period not in labels:
        raise QuestionError(f"'{period}' is outside the horizon of this book: {labels[0]} to {labels[-1]}")
    return labels.index(period)
