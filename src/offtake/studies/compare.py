"""Two sides: every headline side by side, and the change of its mean attributed input by input with parts that add up (U-06).

Method  numbers are changed one after the other from a's to b's, in book order and in the reverse order; a part is the mean of
        the two steps that its number made. Each order's steps add up to the whole, so their means do. Where no more than two
        numbers act on each other at a time, a part is the Shapley value. More than `MOST` numbers go by entity of the book,
        more than `MOST` entities by section. What is no number (a word, a term that one side lacks) goes last, in one part.
Exact   means are carried with 46 bits, on one grid a headline: differences and halves lose nothing, parts add up to the last bit.
Errors  from differences path by path: both sides, and every step between, draw from the same inputs (U-03).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import montecarlo
from ..kernels.replicates import error_of_mean
from ..measures import MEASURES
from ..plan import Plan, compile_book
from ..questions import at_period, question
from ..tables import Stamp, plain
from .findings import Columns, answerable
from .found import subject
from .sides import Between, Change, Side, part_of
from .tabulate import SHOWN

MOST = 12
GRID_BITS = 46
STRUCTURE = "terms that are no numbers"
METHOD = (
    "The change of each mean, attributed by stepping from a to b one part at a time, in book order and in reverse; "
    "a part is the mean of its two steps, and parts add up to the change."
)


@dataclass(frozen=True)
class Asked:
    """How to compute: paths, seed, threads, and whom to tell."""

    paths: int
    seed: int
    workers: int | None
    reporter: montecarlo.Reporter | None


@dataclass(frozen=True)
class Group:
    """Changed numbers that are attributed together."""

    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Figure:
    """One headline on one side: statistics, and the first paths' values for paired errors."""

    statistics: dict[str, float]
    kept: np.ndarray


Figures = dict[str, Figure]


def headlines(plan: Plan) -> list[Columns]:
    """What a comparison shows of a book; the label is the number's address."""
    s, year = subject(plan), plan.start // 12
    wanted: list[tuple[str, str, str, str]] = []
    for name in plan.names.contracts:
        of = f"contracts.{name}"
        wanted += [("revenue", of, "calendar-year", str(year + n)) for n in range(3)]
        wanted += [("revenue", of, "total", "total"), ("npv", of, "total", "total")]
        wanted += [("rpo", of, "calendar-year", str(year)), ("rpo", of, "calendar-year", str(year + 1))]
        wanted += [("ready", of, "calendar-year", str(year + 1)), ("idle_value", of, "total", "total")]
        wanted += [("renegotiated", of, "total", "total")]
    wanted += [("margin_effect", s.seller, "fiscal-year", f"FY{year + n}") for n in (1, 2)]
    wanted += [("capex", s.seller, "calendar-year", str(year + 1)), ("reported_rpo", s.seller, "calendar-year", str(year))]
    wanted += [("revenue", s.buyer, "calendar-year", str(year + n)) for n in (1, 2)]
    wanted += [("funding_gap", s.buyer, "calendar-year", str(year + 3)), ("cash_balance", s.buyer, "calendar-year", str(year + 1))]
    wanted += [("us_power", "national", "calendar-year", str(year + 3))]
    found = [Columns(f"{m} of {of} @ {period}", m, of, by, period) for m, of, by, period in wanted]
    return [c for c in found if answerable(plan, c)]


def compute(plan: Plan, columns: Sequence[Columns], asked: Asked) -> Figures:
    """All headlines of one plan in one pass; periods of one measure are one question."""
    grouped: dict[tuple[str, str, str], list[Columns]] = {}
    for c in columns:
        grouped.setdefault((c.measure, c.of, c.by), []).append(c)
    questions = []
    for (measure, of, by), members in grouped.items():
        whole = question(plan, measure, of, by)
        questions.append(replace(whole, periods=tuple(whole.periods[at_period(whole, c.period)] for c in members)))
    tallies = montecarlo.run(plan, questions, asked.paths, asked.seed, asked.workers, asked.reporter).tallies
    found = {}
    for members, tally in zip(grouped.values(), tallies):
        for row, c in enumerate(members):
            told = {"mean": float(tally.mean[row]), "se": float(tally.se[row])}
            for p, name in SHOWN.items():
                told |= {name: float(tally.quantiles[p][row]), f"se_{name}": float(tally.errors[p][row])}
            found[c.label] = Figure(told, tally.kept[row].copy())
    return found


def groups(changes: Sequence[Change]) -> tuple[str, list[Group]]:
    """How changes are grouped, and the groups in book order: by input, by entity (`contracts.aws`), or by section."""
    word, found = "section", _by_depth(changes, 1)
    for finer, depth in (("entity", 2), ("input", 99)):
        if len(_by_depth(changes, depth)) <= MOST:
            word, found = finer, _by_depth(changes, depth)
    return word, found


def _by_depth(changes: Sequence[Change], depth: int) -> list[Group]:
    """Changes together whose paths begin with the same `depth` names."""
    found: dict[str, list[Change]] = {}
    for c in changes:
        found.setdefault(".".join(c.path.split(".")[:depth]), []).append(c)
    return [Group(name, tuple(members)) for name, members in found.items()]


def on_grid(values: Sequence[float]) -> list[float]:
    """Values rounded to 46 bits of the largest: sums, differences and halves of them are exact."""
    size = max((abs(v) for v in values), default=0.0)
    if not 0.0 < size < math.inf:
        return list(values)
    step = 2.0 ** (math.frexp(size)[1] - GRID_BITS)
    return [round(v / step) * step for v in values]


def orders(n: int) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """Sets of groups taken from b, from none to all: in book order, and in reverse."""
    forward = [frozenset(range(k)) for k in range(n + 1)]
    return forward, [frozenset(range(n - k, n)) for k in range(n + 1)]


class Steps:
    """Figures of every book between two sides, each computed once."""

    def __init__(self, between: Between, found: Sequence[Group], asked: Asked) -> None:
        self.groups = found
        self.forward, self.backward = orders(len(found))
        sets = list(dict.fromkeys([*self.forward, *self.backward]))
        plans = between.plans([[c.path for g in sorted(s) for c in found[g].changes] for s in sets])
        self.columns = headlines(plans[0])
        self.at = {s: compute(plan, self.columns, asked) for s, plan in zip(sets, plans)}
        self.a, self.last = self.at[self.forward[0]], self.at[self.forward[-1]]
        self.b, self.structural = self.last, bool(between.structures)
        if self.structural:
            books = between.b.books
            own = part_of(compile_book(books[0], books[1:], sampler=between.a.sampler), 0, between.b.weights)
            theirs = headlines(own)
            self.b = compute(own, theirs, asked)
            self.columns += [c for c in theirs if c.label not in self.a]

    def attribute(self, label: str, paths: int) -> dict[str, Any]:
        """The change of one mean and its parts; all absent where one side has no such number."""
        if label not in self.a or label not in self.b:
            return {"change": None, "se": None, "parts": []}
        figures = [f[label] for f in (self.a, self.b, *self.at.values())]
        mean = dict(zip(["a", "b", *self.at], on_grid([f.statistics["mean"] for f in figures])))
        parts = []
        for i, group in enumerate(self.groups):
            n = len(self.groups)
            ways = [(self.forward[i], self.forward[i + 1]), (self.backward[n - 1 - i], self.backward[n - i])]
            change = sum(0.5 * (mean[after] - mean[before]) for before, after in ways)
            paired = sum(0.5 * (self.at[after][label].kept - self.at[before][label].kept) for before, after in ways)
            parts.append({"input": group.name, "change": plain(change), "se": plain(paired_error(np.asarray(paired), paths))})
        if self.structural:
            error = paired_error(self.b[label].kept - self.last[label].kept, paths)
            parts.append({"input": STRUCTURE, "change": plain(mean["b"] - mean[self.forward[-1]]), "se": plain(error)})
        whole = paired_error(self.b[label].kept - self.a[label].kept, paths)
        return {"change": plain(mean["b"] - mean["a"]), "se": plain(whole), "parts": parts}


def paired_error(differences: np.ndarray, paths: int) -> float:
    """Monte Carlo error of a mean over `paths` paths, from the differences of those that were kept and have a value."""
    return float(error_of_mean(differences)) * math.sqrt(len(differences) / paths)


def compare(a: Side, b: Side, asked: Asked, stamps: tuple[Stamp, Stamp]) -> dict[str, Any]:
    """Headlines of both sides with intervals and errors, and each change with its parts, ready for JSON."""
    between = Between(a, b)
    word, found = groups(between.changes)
    steps = Steps(between, found, asked)
    rows = []
    for c in steps.columns:
        sides = {k: shown(f.get(c.label)) for k, f in (("a", steps.a), ("b", steps.b))}
        about = {"headline": c.label, "measure": c.measure, "of": c.of, "period": c.period, "unit": MEASURES[c.measure].unit}
        rows.append(about | sides | steps.attribute(c.label, asked.paths))
    return {
        "a": {"label": a.label, "stamp": stamps[0].to_dict()},
        "b": {"label": b.label, "stamp": stamps[1].to_dict()},
        "method": METHOD,
        "attributed_by": word,
        "changed": [{"input": g.name, "numbers": [vars(c) for c in g.changes]} for g in found],
        "not_numbers": between.structures,
        "headlines": rows,
    }


def shown(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else {name: plain(value) for name, value in figure.statistics.items()}
