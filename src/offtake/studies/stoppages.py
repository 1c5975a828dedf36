"""What takes a book's machines down in a replay: failures, planned maintenance and power outages, each as the book states it (R-01, S-05).

Axes    pools (K), sites (T)
Units   seconds since the window began; hours, months and shares as in the book
Assumed power runs for an exponential time and then is off for as long as stated; all of a site goes dark, and is lit when the window begins
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..block import Block
from ..book.terms import Site
from ..errors import QuestionError
from ..fleet import Failures, Outage, Pool, Service
from ..fleet.known import LLAMA3
from ..fleet.pools import CAUSES
from ..kernels.draw import log_, uniform
from ..kernels.upkeep import MAINTENANCE, OUTAGES, dark_share, planned_share
from ..plan import Plan
from ..units import MONTH

KINDS = {"maintenance": MAINTENANCE, "outages": OUTAGES}
SHARES = {"maintenance": planned_share, "outages": dark_share}
HOUR = 3600.0
STREAM = 1_000  # random numbers of site t's outages; those of pools' failures stand below


@dataclass(frozen=True)
class Stop:
    """Maintenance or outages of a site on the mean path: months from one to the next (of outages: with power), hours of one, the share
    of the time that they take in the long run."""

    every: float
    length: float
    share: float


def stops_of(plan: Plan, b: Block, site: str) -> dict[str, Stop]:
    """What a site states, on the mean path."""
    at, found = plan.names.sites.index(site), {}
    for name, kind in KINDS.items():
        row = plan.upkeep.every_x[kind, at]
        if row >= 0:
            every, length = float(b.X[row, 0]), float(b.X[plan.upkeep.length_x[kind, at], 0])
            found[name] = Stop(every, length, float(SHARES[name](every, length)))
    return found


def outages_of(stop: Stop, gpus: int, until: float, seed: int, stream: int) -> tuple[Outage, ...]:
    """When power fails in `until` seconds, for all GPUs of a pool: exponential times with power between outages of one length."""
    found: list[Outage] = []
    at = 0.0
    while True:
        at += -float(log_(uniform(seed, 0, stream, len(found)))) * stop.every * MONTH * HOUR
        if at >= until:
            return tuple(found)
        found.append(Outage(at, stop.length * HOUR, gpus))
        at += stop.length * HOUR


def with_stops(plan: Plan, b: Block, pools: Sequence[Pool], until: float, seed: int) -> list[Pool]:
    """Pools with the maintenance and outages of their sites; outages strike all pools of a site at once.

    Raises QuestionError where maintenance, which goes by racks, is stated for a chip that stands in none."""
    found = []
    for pool in pools:
        name = site_name(plan, pool)
        stops = stops_of(plan, b, name)
        if service := stops.get("maintenance"):
            if pool.node == 1:
                raise QuestionError(f"maintenance of {name} goes by racks, and pool {pool.name} counts GPUs: its chip has a domain of 1")
            pool = replace(pool, service=Service(service.every * MONTH * HOUR, service.length * HOUR))
        if dark := stops.get("outages"):
            stream = STREAM + plan.names.sites.index(name)
            pool = replace(pool, outages=outages_of(dark, pool.most, until, seed, stream))
        found.append(pool)
    return found


def told_of_stops(plan: Plan, b: Block, pools: Sequence[Pool]) -> dict[str, Any]:
    """By site: what it states of maintenance and outages, their share in the long run, and how often power fails in this replay."""
    found: dict[str, Any] = {}
    for pool in pools:
        name = site_name(plan, pool)
        stops = stops_of(plan, b, name)
        rows = {kind: {"every_months": s.every, "length_h": s.length, "share": s.share} for kind, s in stops.items()}
        if "outages" in rows:
            rows["outages"]["times"] = len(pool.outages)
        if rows:
            found[name] = rows
    return found


def site_name(plan: Plan, pool: Pool) -> str:
    """The site that a pool of the book stands at."""
    return plan.names.pools[plan.names.pool_labels.index(pool.name)][0]


def stated_failures(plan: Plan, pools: Sequence[Pool]) -> Failures:
    """Interruptions as published (llama3), as many times as the book's `replay` says; where its sites state their availability, repairs
    are so long that it comes out (GPU-weighted over those that do)."""
    times = float(plan.book.replay.failures.median()) if plan.book.replay else 1.0
    rate, source = LLAMA3.rate * times, f"interruptions {times:.3g} times as in llama3"
    stated: list[tuple[Pool, float]] = [(p, x.median()) for p in pools if (x := _site(plan, p).availability) is not None]
    if not stated:
        return replace(LLAMA3, rate=rate, source=f"{source}, repairs as there")
    sizes = np.array([pool.most for pool, _ in stated], float)
    up = float(sizes @ np.array([share for _, share in stated]) / sizes.sum())
    node = float(sizes @ np.array([pool.node for pool, _ in stated]) / sizes.sum())
    days = 0.0
    for share, hours, spread, cause in zip(LLAMA3.shares, LLAMA3.hours, LLAMA3.spread, CAUSES, strict=True):
        days += share * hours / 24.0 * float(np.exp(spread**2 / 2)) if cause != "software" else 0.0
    longer = (1.0 - up) / up / (rate * node * days)
    told = f"{source}; repairs {longer:.1f} times as long, so that {100 * up:.2f} % is up, as the book's sites state"
    return replace(LLAMA3, rate=rate, hours=tuple(hours * longer for hours in LLAMA3.hours), source=told)


def _site(plan: Plan, pool: Pool) -> Site:
    return plan.book.sites[site_name(plan, pool)]
