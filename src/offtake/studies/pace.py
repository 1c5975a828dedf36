"""Pace: what is consumed of a commitment against its glide path and the forecast, and when a shortfall can no longer be avoided.

A commitment is tested in its own unit (C-02, C-08): hours due of a take-or-pay, USD of an amount, hours made available of reserved
capacity and blocks. On a path a true-up period is lost in the first month at whose end what is taken so far and all that the open pools
can still deliver in the period, at contract prices, do not reach what will be due. What happens on the path afterwards is known
to the path alone: the month is a distribution over paths.

Arrays are (M, P): months of the book, paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..block import Block
from ..book.forms import IN_USD, word
from ..book.numbers import Month
from ..book.past import period_before
from ..errors import QuestionError
from ..kernels import replicates
from ..plan import Plan
from .asked import Run
from .whatif import Look

if TYPE_CHECKING:
    from ..focus import Export

HELD = ("reserved", "capacity_block")  # paid as made available: what is not used is lost
FIELDS = 5
NOTHING = 1e-9  # relative: a shortfall below this part of what is due is rounding
SHOWN = {"p05": 0.05, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True)
class Paths:
    """One contract in its unit, all (M, P): due and taken to date in the true-up period, taken in the month, what the open pools could
    deliver of it in the month, and whether the month closes a period. In month 0 what was consumed before is in both dates."""

    due: np.ndarray
    taken: np.ndarray
    month: np.ndarray
    possible: np.ndarray
    closes: np.ndarray


def month_label(month: int) -> str:
    """`2026-03` of an absolute month."""
    return str(Month(month))


def unit_of(plan: Plan, contract: str) -> str:
    return "USD" if plan.book.contracts[contract].form in IN_USD else "GPU-h"


def look(plan: Plan, contracts: list[str], paths: int) -> Look:
    """What `read` has to say of the first paths."""
    return Look((len(contracts) * (FIELDS + 1), plan.months), paths, partial(read, plan, contracts))


def read(plan: Plan, contracts: list[str], b: Block) -> np.ndarray:
    """(C x FIELDS + C, M, L) of a block: the fields of `Paths`, contract by contract, and then whether each is in its term."""
    found = []
    for name in contracts:
        c, form = plan.names.contracts.index(name), plan.book.contracts[name].form
        s, hours = b.settlement, b.over_pools(b.capacity, c)
        due, taken, month, possible = s.ytd_due[c], s.ytd_base[c], s.base[c], hours
        if form in IN_USD:
            month, possible = s.base[c] * b.schedule.price[c], hours * b.schedule.price[c]
        elif form in HELD:
            taken = month = np.minimum(s.used[c], s.ytd_due[c])  # each month closes its own period
        else:
            possible = np.minimum(hours, b.schedule.committed[c] * b.signed.alive[c])
        found += [due, taken, month, possible, s.trued[c]]
    return np.concatenate([np.stack(found), b.schedule.in_term[[plan.names.contracts.index(n) for n in contracts]]])


@dataclass(frozen=True)
class Periods:
    """What follows from `Paths` by month: the month in which the period began and what will be due at its end (absent where it ends
    beyond the horizon), the shortfall in the month that closes it, and whether it is lost by the month's end or was from the start."""

    first: np.ndarray
    shortfall: np.ndarray
    lost: np.ndarray
    hopeless: np.ndarray


def periods(p: Paths) -> Periods:
    """Look back from each closing month: what could still be taken, and what it must reach."""
    months, paths = p.due.shape
    first, lost, hopeless = np.zeros((months, paths), np.int64), np.zeros((months, paths), bool), np.zeros((months, paths), bool)
    for m in range(1, months):
        first[m] = np.where(p.closes[m - 1] > 0.0, m, first[m - 1])
    still, goal = np.zeros(paths), np.full(paths, np.nan)  # beyond the horizon nothing is known
    for m in range(months - 1, -1, -1):
        closing = p.closes[m] > 0.0
        still, goal = np.where(closing, 0.0, still), np.where(closing, p.due[m], goal)
        floor = goal * (1.0 - NOTHING)
        lost[m] = p.taken[m] + still < floor
        hopeless[m] = (p.taken[m] - p.month[m] + p.possible[m] + still < floor) & (first[m] == m)
        still = still + p.possible[m]
    missing = np.maximum(p.due - p.taken, 0.0)
    shortfall = np.where((p.closes > 0.0) & (missing > NOTHING * p.due), missing, 0.0)
    return Periods(first, shortfall, lost, hopeless)


def spread(values: np.ndarray) -> dict[str, float | None]:
    """Mean and quantiles of one number over the first paths (P,) that have it (not NaN), each with its Monte Carlo error."""
    at, errors = replicates.quantiles_and_errors(values, np.array(list(SHOWN.values())))
    found = {"mean": float(np.nanmean(values)), "se": error_or_none(replicates.error_of_mean(values))} | dict(zip(SHOWN, at.tolist()))
    return found | {f"se_{name}": error_or_none(error) for name, error in zip(SHOWN, errors)}


def error_or_none(error: float) -> float | None:
    """A single path has no error."""
    return None if np.isnan(error) else float(error)


def chance(hits: np.ndarray, on: np.ndarray) -> dict[str, float | None]:
    """Share of the paths `on` that are hit, and its error."""
    there = np.where(on, hits.astype(float), np.nan)
    return {"probability": float(np.nanmean(there)), "se": error_or_none(replicates.error_of_mean(there))}


def true_ups(p: Paths, found: Periods, groups: Mapping[int, int], start: int) -> list[dict[str, Any]]:
    """One row a true-up. `groups` maps the last month of each to the first month whose closing counts (the same where it closes once)."""
    rows, months = [], np.arange(p.due.shape[0])[:, None]
    for last, begins in groups.items():
        inside = (months >= begins) & (months <= last) & (p.closes > 0.0) & (p.due > 0.0)
        on = np.asarray(inside.any(axis=0))
        if not on.any():
            continue
        opened = found.first[np.argmax(inside, axis=0), np.arange(p.due.shape[1])]
        window = (months >= opened) & (months <= last)
        missing = np.where(on, (found.shortfall * inside).sum(axis=0), 0.0)
        lost, hopeless = found.lost & window & on, found.hopeless & window & on
        early = hopeless.any(axis=0) & (np.argmax(hopeless, axis=0) <= np.argmax(lost, axis=0)) & (missing > 0.0)
        when = np.where(lost.any(axis=0) & (missing > 0.0), np.argmax(lost, axis=0), -1)
        rows.append(
            {"true_up": month_label(start + last), "paths": int(on.sum()), "shortfall": spread(np.where(on, missing, np.nan)),
             "short": chance(missing > 0.0, on), "from_the_start": chance(early, on),
             "unavoidable": [{"month": month_label(start + m)} | chance(when == m, on) for m in sorted(set(when.tolist()) - {-1})]}
        )  # fmt: skip
    return rows


def groups_of(p: Paths, monthly: bool, starts: int) -> dict[int, int]:
    """Closing months; where every month closes, the last month of each contract year with its first."""
    months = p.due.shape[0]
    if not monthly:
        return {m: m for m in range(months) if (p.closes[m] > 0.0).any()}
    first = max(starts, 0)
    ends = [m for m in range(first, months) if (m - starts) % 12 == 11 or m == months - 1]
    return {m: max(m - (m - starts) % 12, first) for m in ends}


def monthly_due(p: Paths) -> np.ndarray:
    """What falls due in each month (M, P), with what was due before month 0 inside month 0."""
    before = np.concatenate([np.zeros((1, p.due.shape[1])), np.where(p.closes > 0.0, 0.0, p.due)[:-1]])
    found: np.ndarray = p.due - before
    return found


def glide(p: Paths, term: np.ndarray, counted: int, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight line, schedule and forecast to date, each (M, P).

    term     (P,) months of the term within the horizon, from month `first` on
    counted  months of the term before month 0 that are in `p` already
    """
    due, taken = np.cumsum(monthly_due(p), axis=0), np.cumsum(p.month, axis=0) + (p.taken[0] - p.month[0])
    gone = np.arange(p.due.shape[0])[:, None] - first + 1 + counted
    straight = due[-1] * np.clip(gone / np.maximum(counted + term, 1), 0.0, 1.0)
    return straight, due, taken


@dataclass(frozen=True)
class Told:
    """What is known of the past of a contract: USD or GPU-h by month, where from, and how many months before month 0 `Paths` counts."""

    months: Mapping[str, float]
    source: str | None
    counted: int


def contract_pace(plan: Plan, name: str, p: Paths, in_term: np.ndarray, told: Told) -> dict[str, Any]:
    """Everything about one contract, numbers unrounded."""
    deal, c = plan.book.contracts[name], plan.names.contracts.index(name)
    starts = int(plan.terms.starts[c])
    first, term = max(starts, 0), in_term.sum(axis=0)
    straight, due, taken = glide(p, term, told.counted, first)
    last = min(first + int(term.max()), plan.months) - 1
    monthly = word(deal, "true_up") == "month"
    rows = true_ups(p, periods(p), groups_of(p, monthly, starts), plan.start)
    return {
        "contract": f"contracts.{name}", "name": deal.name, "form": deal.form, "unit": unit_of(plan, name),
        "commitment": COMMITMENT[deal.form], "true_up": word(deal, "true_up"), "starts": month_label(plan.start + starts),
        "until": month_label(plan.start + last), "consumed_source": told.source,
        "months": [*before(plan, straight, told, first), *after(plan, (straight, due, taken), told, range(first, last + 1))],
        "true_ups": rows, "open_at_the_end": not rows or rows[-1]["true_up"] < month_label(plan.start + last),
        "run_rate": run_rate(p, due, taken, term),
    }  # fmt: skip


COMMITMENT = {
    "take_or_pay": "hours due: take_or_pay x committed, less what is not made available",
    "burn_down": "the amount bought",
    "build_up": "the spend committed",
    "reserved": "hours made available, paid whether used or not",
    "capacity_block": "hours of the block, paid whether used or not",
}


def before(plan: Plan, straight: np.ndarray, told: Told, first: int) -> list[dict[str, Any]]:
    """Months before the book's first that the past is told of, oldest first."""
    rows, done = [], 0.0
    earlier = [n for n in range(plan.start - told.counted, plan.start) if told.months]
    per = float(straight[first].mean()) / (told.counted + 1) if earlier else 0.0
    for n, m in enumerate(earlier, 1):
        done += told.months.get(month_label(m), 0.0)
        rows.append({"month": month_label(m), "consumed": done, "straight_line": per * n, "schedule": None, "forecast": None})
    return rows


def after(plan: Plan, lines: tuple[np.ndarray, np.ndarray, np.ndarray], told: Told, months: range) -> list[dict[str, Any]]:
    straight, due, taken = lines
    known = sum(v for m, v in told.months.items() if m < month_label(plan.start))
    rows = []
    for m in months:
        label = month_label(plan.start + m)
        known = known + told.months[label] if label in told.months else float("nan")
        rows.append(
            {"month": label, "consumed": None if np.isnan(known) else known, "straight_line": float(straight[m].mean()),
             "schedule": float(due[m].mean()), "forecast": spread(taken[m])}
        )  # fmt: skip
    return rows


def run_rate(p: Paths, due: np.ndarray, taken: np.ndarray, term: np.ndarray) -> dict[str, float]:
    """A month, over the months left of the term within the horizon: what must be taken, what is forecast, what could be delivered."""
    left, past = np.maximum(term, 1), p.taken[0] - p.month[0]
    return {
        "required": float((np.maximum(due[-1] - past, 0.0) / left).mean()),
        "forecast": float(((taken[-1] - past) / left).mean()),
        "possible": float((p.possible.sum(axis=0) / left).mean()),
    }


def chosen(plan: Plan, of: str | None) -> list[str]:
    """Contracts to tell of. Raises QuestionError for one that bills nothing or is not there."""
    names = list(plan.names.contracts)
    if of is None:
        return names
    name = of.removeprefix("contracts.")
    if name not in names:
        raise QuestionError(f"no contract that bills is called '{of}'; this book has {', '.join(f'contracts.{n}' for n in names)}")
    return [name]


def told_of(plan: Plan, name: str, export: Export | None, commitment: str | None) -> Told:
    """The past of a contract since its true-up period under way began: from a cost export, or from the book's own `consumed`."""
    deal, months, source = plan.book.contracts[name], dict[str, float](), None
    began = period_before(plan.book, deal)
    usd = unit_of(plan, name) == "USD"
    if export is not None:
        months, source = export.by_month(commitment) if usd else export.hours_by_month(commitment), export.counts()
    elif deal.consumed is not None:
        months = {month: value.median() for month, value in deal.consumed.months.items()} if usd else {}
        own = f"the book's export, {deal.consumed.focus}" if deal.consumed.focus else "the book's own figures"
        source = f"{own}, since {month_label(began.start)}"
    return Told({m: v for m, v in months.items() if m >= month_label(began.start)}, source, len(began))


def pace(
    run: Run, of: str | None, export: Export | None = None, commitment: str | None = None, looked: Look | None = None
) -> dict[str, Any]:
    """The pace of each contract that bills; an export tells of one of them what was consumed. On all paths, or those `looked` at."""
    plan = run.plan
    names = chosen(plan, of)
    if export is not None and len(names) > 1:
        raise QuestionError("a cost export is of one contract: say which with --of, as in --of contracts.aws")
    past = {name: told_of(plan, name, export, commitment) for name in names}
    values = (looked or look(plan, names, run.stamp.paths)).values(plan, run.stamp.seed, run.workers)
    rows = []
    for n, name in enumerate(names):
        p = Paths(*values[n * FIELDS : (n + 1) * FIELDS])
        rows.append(contract_pace(plan, name, p, values[len(names) * FIELDS + n], past[name]))
    return {"stamp": run.stamp.to_dict(), "contracts": rows}
