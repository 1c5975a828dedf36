"""One provider late, or all: what the customers' work is worth with months added to the slips (V-05).

The comparison holds the signed terms and dates: no extension, credit or walking away, and no renegotiation, so that lateness
alone speaks. An extension would hand hours back years later: that is a question to the terms, not to the number of clouds.

Late are lots that do not run yet and steps of power and shell after the book's first month; what stands, stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import stages
from ..block import Block
from ..kernels.replicates import error_of_mean
from ..periods import periods_of
from ..plan import Plan
from ..units import format_interval, format_value
from .asked import Run
from .whatif import by_block, swap

MONTHS = (3, 6, 12)
SHOWN = 6  # months; what answer and chart tell of
PATHS = 128
ALL = "all together"


@dataclass(frozen=True)
class Cases:
    """What is compared with the path on time.

    names  (provider or ALL, months late) of each case; `rows` are the rows of X that get these months
    held   the plan at the signed terms and dates; `one` is the same with all pools one cloud's
    """

    names: tuple[tuple[str, int], ...]
    rows: tuple[np.ndarray, ...]
    held: Plan
    one: Plan


def slips(plan: Plan, provider: str) -> np.ndarray:
    """Rows of X: slips of what a provider still has to deliver."""
    mine = np.array([plan.book.sites[site].provider == provider for site in plan.names.sites])
    lots, sites = plan.lots, plan.sites
    found = [lots.slip_x[mine[plan.pools.site[lots.pool]] & (lots.running == 0)]]
    power = (sites.step_first, sites.step_month, sites.step_slip_x)
    for first, month, slip in (power, (sites.shell_first, sites.shell_month, sites.shell_slip_x)):
        owner = np.repeat(mine, np.diff(first))
        found.append(slip[owner & (month > 0)])
    return np.unique(np.concatenate(found))


def hold(plan: Plan) -> Plan:
    """The plan without remedies for lateness (C-05)."""
    return replace(plan, terms=plan.terms._replace(remedy=np.zeros_like(plan.terms.remedy)))


def one_cloud(plan: Plan) -> Plan:
    """All pools of a customer as one cloud's: a chip that a job may use somewhere it may use everywhere, gangs find room as if pools
    were joined, and nothing is away from home."""
    works, places = plan.workloads, plan.places
    owner = np.array([plan.names.customers.index(plan.book.workloads[n].customer) for n in plan.names.workloads])
    eligible = np.zeros_like(works.eligible)
    for k, chip in enumerate(places.chip):
        same = places.chip == chip
        eligible[:, k] = works.eligible[:, same].max(axis=1) * (plan.terms.customer[places.contract[k]] == owner)
    jobs = plan.jobs._replace(eligible=eligible, gang_x=np.full_like(plan.jobs.gang_x, -1))
    return replace(plan, workloads=works._replace(eligible=eligible), jobs=jobs)


def cases(plan: Plan, months: Sequence[int]) -> Cases:
    """Each provider that still has something to deliver late by each number of months, and all together."""
    moved = {p: slips(plan, p) for p in dict.fromkeys(plan.book.sites[s].provider for s in plan.names.sites)}
    each = {p: rows for p, rows in moved.items() if len(rows)}
    if each:
        each[ALL] = np.concatenate(list(each.values()))
    held = hold(plan)
    names = tuple((p, n) for n in months for p in each)
    return Cases(names, tuple(each[p] for p, _ in names), held, one_cloud(held))


def worth(b: Block) -> np.ndarray:
    """Value of the work served less moving and what hours cost beyond those owed anyway: placement's own objective (P-01), (M, L) USD."""
    total: np.ndarray = np.einsum("wl,wml->ml", b.demand.value, b.placement.served)
    total -= np.einsum("wkl,wkml->ml", b.demand.moving, b.placement.use)
    hours = b.segment_hours
    for k in range(len(b.used)):
        mine = np.flatnonzero(hours.pool == k)
        order = np.argsort(hours.cost[mine], axis=0, kind="stable")
        cost, cap = (np.take_along_axis(a[mine], order, axis=0) for a in (hours.cost, hours.cap))
        before = np.cumsum(cap, axis=0) - cap
        total -= (np.clip(b.used[k] - before, 0.0, cap) * cost).sum(axis=0)
    return total


def idle(b: Block) -> np.ndarray:
    """Idle hours at the contract's price, (M, L) USD (P-06)."""
    price = b.schedule.price[b.plan.places.contract]
    left: np.ndarray = ((b.capacity - b.used) * price).sum(axis=0)
    return left


def _years(plan: Plan, values: np.ndarray) -> np.ndarray:
    """(M, L) to (Y, L), calendar years."""
    firsts = [p.first for p in periods_of(plan.start, plan.months, "calendar-year", 12)]
    found: np.ndarray = np.add.reduceat(values, firsts, axis=0)
    return found


def compute(plan: Plan, seed: int, paths: int, months: Sequence[int] = MONTHS, workers: int | None = None) -> tuple[Cases, np.ndarray]:
    """Cases, and by calendar year on each path: worth on time, in one cloud, idle cost on time, in one cloud, worth in each case;
    (4 + cases, Y, paths) USD."""
    found = cases(plan, months)

    def read(b: Block) -> np.ndarray:
        ours = swap(b, found.held)
        b.X[plan.customers.probability_x] = 0.0
        stages.serve(b)
        on_time, idle_apart = worth(b), idle(b)
        late = [_late(b, rows, float(n)) for rows, (_, n) in zip(found.rows, found.names)]
        swap(b, found.one)
        moving = plan.workloads.moving_x[plan.workloads.moving_x >= 0]
        b.X[moving] = 0.0
        stages.serve(b)
        told = [on_time, worth(b), idle_apart, idle(b), *late]
        swap(b, ours)
        return np.stack([_years(plan, v) for v in told])

    return found, by_block(plan, seed, paths, read, workers)


def _late(b: Block, rows: np.ndarray, months: float) -> np.ndarray:
    """Worth with months added to some slips, which are put back."""
    kept = b.X[rows]
    b.X[rows] = kept + months
    stages.serve(b)
    b.X[rows] = kept
    return worth(b)


def told(run: Run, months: Sequence[int] = MONTHS) -> dict[str, Any]:
    """Losses {provider, months, mean, se, p05, p50, p95, share}, and what keeping pools apart costs, USD over the horizon."""
    paths = min(PATHS, run.stamp.paths)
    found, values = compute(run.plan, run.stamp.seed, paths, months, run.workers)
    whole = values.sum(axis=1)
    on_time = float(whole[0].mean())
    rows = [
        {"provider": p, "name": name_of(run.plan, p), "months": n}
        | spread(whole[0] - late)
        | {"share": float((whole[0] - late).mean()) / on_time}
        for (p, n), late in zip(found.names, whole[4:])
    ]
    return {
        "paths": paths,
        "on_time": on_time,
        "rows": rows,
        "idle_apart": spread(whole[2]),
        "idle_one_cloud": spread(whole[3]),
        "idle_cost": spread(whole[2] - whole[3]),
        "work_cost": spread(whole[1] - whole[0]),
    }


def name_of(plan: Plan, company: str) -> str:
    return plan.book.companies[company].name if company in plan.book.companies else company


def spread(values: np.ndarray) -> dict[str, float]:
    """Mean, its error, and quantiles over the paths."""
    found = {"mean": float(values.mean()), "se": float(error_of_mean(values))}
    return found | {f"p{round(100 * q):02d}": float(np.quantile(values, q)) for q in (0.05, 0.25, 0.5, 0.75, 0.95)}


def at(found: dict[str, Any], provider: str, months: int = SHOWN) -> dict[str, Any] | None:
    return next((r for r in found["rows"] if (r["provider"], r["months"]) == (provider, months)), None)


def sentence(found: dict[str, Any]) -> str:
    """What answer 5 says of one cloud against several."""
    single = sorted((r for r in found["rows"] if r["provider"] != ALL and r["months"] == SHOWN), key=lambda r: -r["mean"])
    together = at(found, ALL)
    if not single or together is None:
        return "No provider has anything left to deliver late."
    each = ", ".join(f"{r['name']} {format_value(r['mean'], 'USD')}" for r in single)
    text = f"One provider {SHOWN} months late costs its customers work worth, on average, {each}"
    if len(single) > 1:
        hours = "more" if found["idle_cost"]["mean"] > 0.0 else "fewer"
        alone, costliest = (format_value(row["mean"], "USD") for row in (together, single[0]))
        text += f"; all late together {_span(together)}. Several clouds cost work worth {_span(found['work_cost'])} that one cloud with "
        text += f"the same GPUs would do, and {_span(found['idle_cost'])} {hours} idle hours at contract prices; they insure against the "
        text += f"one cloud that is late, which would cost {alone} where the costliest of several costs {costliest}"
    return f"{text} (first {found['paths']} paths)."


def _span(row: dict[str, Any]) -> str:
    """A mean with its 90 % interval."""
    return f"{format_value(row['mean'], 'USD')} ({format_interval(row['p05'], row['p95'], 'USD')})"
