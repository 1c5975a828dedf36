"""One block through all kernels, in the order of the model: draw, supply, demand, contracts, customer, placement, money.

Only this room calls the kernels; `montecarlo` calls this room block by block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import shadow
from . import value as worths
from .block import Block, count_endless, lay_together
from .identities import worst_of
from .kernels import (
    accounts,
    company,
    customer,
    demand,
    draw,
    equity,
    lease,
    options,
    place,
    recognise,
    reduce,
    replicates,
    segments,
    series,
    settle,
    supply,
    surface,
    tranche,
    upkeep,
    value,
    wear,
)
from .kernels.ranges import range_block
from .plan import Plan

LANES = draw.LANES
THRESHOLDS = np.array([0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0])
RUNS = np.array([1, 3, 6, 12], np.int64)
RELEASE_SHARE = 0.5  # share of freed hours that the market takes at its price (V-04); named in docs/limits.md


def filled(kind: type[Any], *shape: int, **other: np.ndarray) -> Any:
    """An output tuple whose fields all have one shape, but for those in `other`."""
    return kind(**{name: other[name] if name in other else np.zeros(shape) for name in kind._fields})


def neutral(changes: options.Changes) -> options.Changes:
    """What contracts are while no option is exercised, in the arrays given."""
    for name, array in changes._asdict().items():
        array.fill(1.0 if name in ("scale", "price", "kept") else 0.0)
    return changes


def allocate(plan: Plan, lanes: int | None = None) -> Block:
    """The arrays of one worker, made once: of 64 paths side by side, unless told how many."""
    n, m, ln, q = plan.names, plan.months, lanes or LANES, len(plan.segment_pool)
    k, c, w, u, t = len(n.pools), len(n.contracts), len(n.workloads), len(n.customers), len(n.sites)
    energised, nobody = np.zeros((t, m, ln)), np.zeros((0, m, ln))
    supplied = filled(
        supply.Supply, k, m, ln, late=np.zeros((4, k, m, ln)), binding=np.zeros((k, m, ln), np.int64),
        powered=nobody, shelled=nobody, energised=energised, allotted=energised if len(n.parts) == t else np.zeros((len(n.parts), m, ln)),
    )  # fmt: skip
    money = (c, m, ln)
    people = (u, m, ln)
    return lay_together(Block(
        plan=plan, first=0,
        X=np.zeros((len(plan.factor_paths), ln)), Y=np.zeros((len(plan.series_paths), m, ln)),
        Z=np.zeros((len(plan.inputs.names), ln)), scenario=np.zeros(ln, np.int64), supply=supplied,
        demand=demand.Demand(np.zeros((w, m, ln)), np.zeros((w, k, ln)), np.zeros((w, ln)), np.zeros((w, k, ln))),
        schedule=filled(settle.Schedule, *money),
        signed=filled(customer.Signed, *people, tau=np.zeros((u, ln), np.int64), alive=np.zeros(money),
                      passage=np.zeros((u, len(THRESHOLDS), len(RUNS), ln), np.int64)),
        placement=place.placement(w, k, q, m, ln, plan.jobs.day),
        used=np.zeros((k, m, ln)), capacity=np.zeros((k, m, ln)), settlement=filled(settle.Settlement, *money),
        payments=filled(customer.Payments, *money, **{f: np.zeros(people) for f in ("raised", "cash_balance", "funding_gap", "coverage")}),
        books=filled(recognise.Books, *money),
        ledger=filled(accounts.Ledger, *money, opening=np.zeros((c, ln)), us_energy=np.zeros((m, ln))),
        segments=filled(accounts.Segments, len(n.companies), m, ln), npv=np.zeros((c, ln)), idle_cost=np.zeros((2, 3, c, m, ln)),
        segment_hours=place.Segments(plan.segment_pool, np.zeros((q, m, ln)), np.zeros((q, m, ln))),
        ordered=np.zeros(money), delivered=np.zeros(money), scratch=None,
        before=np.zeros((3, c, ln)), changes=neutral(filled(options.Changes, *money)), equity=_no_equity(plan, ln),
        shadow=shadow.empty(plan.coupled, k, m, ln, len(plan.jobs.day.share)),
        leases=filled(lease.Leases, len(plan.leases.contract), m, ln),
        wear=filled(wear.Wear, c * (len(plan.wear.pool) > 0), m, ln, impairment=np.zeros(money)),
        group=filled(company.Group, len(plan.finances.company), m, ln),
        when=np.full((len(plan.options.contract), ln), m, np.int64), filled=_no_replay(plan, ln),
        stops=np.zeros((2, t * bool((plan.upkeep.every_x >= 0).any()), ln)),
    ))  # fmt: skip


def _no_equity(plan: Plan, lanes: int) -> equity.Equity:
    """Arrays for equity edges (C-10); without any edge they have no rows and cost nothing."""
    edges, on = len(plan.edges.kind), int(len(plan.edges.kind) > 0)
    shape = (on * len(plan.names.contracts), plan.months, lanes)
    rows = {"vested": edges, "cash_in": on * len(plan.names.customers)}
    made: equity.Equity = filled(equity.Equity, *shape, **{name: np.zeros((n, *shape[1:])) for name, n in rows.items()})
    return made


def _no_replay(plan: Plan, lanes: int) -> surface.Filled:
    """Arrays for what replays say of used hours (R-03); without a surface they have no pools and cost nothing."""
    many = len(plan.surface.variant)
    shape = (len(plan.names.pools) * (many > 0), plan.months, lanes)
    made: surface.Filled = filled(surface.Filled, *shape, other=np.zeros((many, *shape)))
    return made


def fill(b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
    """Compute the paths from `first` on, as many as the block has lanes."""
    draw_inputs(b, seed, first, clipped)
    follow(b)


def draw_inputs(b: Block, seed: int, first: int, clipped: np.ndarray) -> None:
    """What is drawn of the 64 paths from `first` on: factors and time paths. A study may change them before `serve` or `follow`."""
    p = b.plan
    b.first = first
    draw.draw_block(p.draws, seed, first, p.forced, b.Z, b.X, b.scenario, clipped)
    count_endless(b, clipped)
    series.series_block(p.timelines, b.X, b.scenario, seed, first, b.Y)


def redraw(b: Block, seed: int, clipped: np.ndarray) -> None:
    """Factors and time paths anew from a block's scores and scenarios, which a study has changed; monthly noise stays the path's."""
    draw.factors_block(b.plan.draws, b.Z, b.scenario, b.X, clipped)
    count_endless(b, clipped)
    series.series_block(b.plan.timelines, b.X, b.scenario, seed, b.first, b.Y)


def fill_given(b: Block, seed: int, scores: np.ndarray, noise: np.ndarray, clipped: np.ndarray) -> None:
    """Compute 64 paths from scores after dependence (I, L), and the paths whose monthly noise they have (L,); the scenario is that of
    score 0 unless one is forced."""
    p = b.plan
    b.Z[:] = scores
    draw.choose_scenario(p.draws.cumulative, p.forced, b.scenario, np.array([draw.normal_cdf(z) for z in b.Z[0]]))
    draw.factors_block(p.draws, b.Z, b.scenario, b.X, clipped)
    count_endless(b, clipped)
    b.first = int(noise[0])
    if np.array_equal(noise, b.first + np.arange(len(noise))) or not p.inputs.streams:
        series.series_block(p.timelines, b.X, b.scenario, seed, b.first, b.Y)
    else:
        y = np.empty((*b.Y.shape[:2], 1))
        for i, path in enumerate(noise):
            series.series_block(p.timelines, np.ascontiguousarray(b.X[:, i : i + 1]), b.scenario[i : i + 1].copy(), seed, int(path), y)
            b.Y[:, :, i] = y[:, :, 0]
    follow(b)


def follow(b: Block) -> None:
    """All that follows from what was drawn."""
    serve(b)
    _fill(b)
    _settle(b)
    _book(b)


def serve(b: Block) -> None:
    """What is ready, wanted, signed and placed; no money yet."""
    p = b.plan
    b.told.clear()
    _supply(b)
    demand.demand_block(p.workloads, p.fabrics, p.places, b.X, b.Y, b.demand)
    if len(p.options.contract):
        _exercise(b)
    _sign(b)
    _place(b)


def _supply(b: Block) -> None:
    """What is ready of what was ordered."""
    p = b.plan
    supply.supply_block(p.lots, p.sites, p.pools, b.X, p.hours, b.supply)
    if p.surface.site.any():
        _offer(b)
    if b.stops.size:
        _keep_up(b)
    tranche.tranche_block(p.places.contract, b.supply.planned, b.supply.ready, p.recognition.order_lead_x, b.X, b.ordered, b.delivered)
    if len(p.edges.kind):
        equity.vest_block(p.edges, b.delivered, b.X, b.equity)


# What a first run compiles (`compiling`): groups of kernels, longest first, and about how many functions each is of.
WORKS: dict[str, tuple[Callable[[Block], Any], int]] = {
    "shared commitments": (shadow.compile_kernels, 98),
    "placement": (lambda b: _place_and_range(b), 96),
    "identities": (lambda b: worst_of(b, 1), 33),
    "accounts": (lambda b: _account(b), 51),
    "draws": (lambda b: _draw_anew(b), 71),
    "settlement": (lambda b: _settle(b), 37),
    "contracts": (lambda b: _sign(b), 36),
    "recognition": (lambda b: _recognise(b), 25),
    "supply": (lambda b: _supply(b), 18),
    "demand": (lambda b: demand.demand_block(b.plan.workloads, b.plan.fabrics, b.plan.places, b.X, b.Y, b.demand), 16),
    "counts": (lambda b: _count(b), 13),
    "prices of hours": (lambda b: _price(b), 5),
    "what replays say": (lambda b: [work(b) for work in (_offer, _keep_up, _fill)], 19),
    "worth": (lambda b: _value(b), 9),
}


def _place_and_range(b: Block) -> None:
    place_hours(b)
    _range(b, *(_by_contract(b.plan) for _ in range(2)))


def _draw_anew(b: Block) -> None:
    clipped = np.zeros(len(b.plan.factor_paths), np.int64)
    draw_inputs(b, 1, 0, clipped)
    redraw(b, 1, clipped)
    draw.score_row(1, 0, 0, 0, b.Z[0], np.zeros(LANES))


def _count(b: Block) -> None:
    rows, month = np.zeros((1, LANES)), np.zeros(1, np.int64)
    for read in (worths.payback, worths.rate_of_return, worths.collected, worths.obligation(0)):
        read(b, 0)
    reduce.tally(reduce.empty(1), rows, rows[:, 0].copy(), rows[:, 0].copy())
    replicates.by_replicate(
        rows, np.ones(LANES, np.int64), rows[:, 0].copy(), rows, np.zeros((1, 16)), np.zeros((1, 16), np.int64),
        np.zeros((1, LANES, 16), np.int64), np.zeros(1, np.int64),
    )  # fmt: skip
    reduce.quantiles(reduce.empty(1), slice(0, 1), 0.5)
    reduce.by_period(rows, month, month, rows)
    reduce.shares_by_period(np.zeros((b.plan.months, LANES), np.int64), month, month, np.zeros((1, 5, LANES)))


def _exercise(b: Block) -> None:
    """Which options are exercised on the path without any (C-06), and what they change; hours are placed only if a rule reads them."""
    p, s = b.plan, b.supply
    neutral(b.changes)
    _sign(b)
    if np.any(p.options.state == options.OCCUPANCY):
        _place(b)
    market = p.costs.market_y[p.places.chip]
    options.exercise_block(p.options, p.terms, b.schedule, b.signed, p.places.contract, market, s, b.used, b.capacity, b.X, b.Y, b.when)
    options.change_block(p.options, b.schedule, b.when, b.X, b.changes)
    options.enlarge_block(p.options, b.changes, b.schedule.in_term, b.when, p.places.contract, p.costs.part_contract, b.X, s)


def _sign(b: Block) -> None:
    """What the signed terms promise, and which of them the customer keeps."""
    p, s = b.plan, b.supply
    settle.schedule_block(p.terms, b.changes, p.places.contract, s.planned, s.ready, s.offered, b.X, b.Y, p.hours, b.schedule)
    customer.signed_block(p.customers, p.terms, b.schedule, b.equity.cash_in, b.X, b.Y, THRESHOLDS, RUNS, b.signed)


def _price(b: Block) -> None:
    """Room and cost of the hours that may be placed."""
    p = b.plan
    settle.segments_block(
        p.terms, b.schedule, b.signed.alive, p.places.contract, b.supply.offered, p.segment_pool, p.segment_kind, b.X, b.Y,
        b.segment_hours.cap, b.segment_hours.cost,
    )  # fmt: skip


def _place(b: Block) -> None:
    _price(b)
    if len(b.plan.coupled.contract):
        shadow.place_block(b)
        sum_hours(b)
    else:
        place_hours(b)


def place_hours(b: Block) -> None:
    """Hours placed on the block's segments as they stand: a study may have given them another cost since they were priced."""
    place.place_block(b.segment_hours, b.plan.jobs, place.Loads(*b.demand), b.supply.ready, b.X, scratch(b), b.placement)
    sum_hours(b)


def scratch(b: Block) -> Any:
    """The solver's working arrays for the block's own lanes, made when they are first asked for."""
    if b.scratch is None:
        day = b.plan.jobs.day
        b.scratch = place.scratch(len(day.owner), len(b.plan.names.pools), len(b.plan.segment_pool), b.X.shape[1], len(day.share))
    return b.scratch


def sum_hours(b: Block) -> None:
    """Hours used and open by pool, from those placed."""
    segments.sum_block(b.placement.use, b.plan.segment_pool, b.segment_hours.cap, b.used, b.capacity)


def _offer(b: Block) -> None:
    """Availability of sites that leave it to the replays (S-05, R-03)."""
    p, s = b.plan, b.supply
    surface.offer_block(p.surface, p.pools.site, s.ready, p.hours, b.X, s.offered, s.down)


def _keep_up(b: Block) -> None:
    """Hours that maintenance and outages of power take, where sites state them (S-05)."""
    p, s = b.plan, b.supply
    upkeep.upkeep_block(p.upkeep, p.pools.site, s.ready, p.hours, b.X, b.stops, s.offered, s.down)


def _fill(b: Block) -> None:
    """What of the placed hours is useful, as the replays have it at this load (R-03)."""
    p = b.plan
    if len(b.filled.useful):
        clouds = np.zeros(b.used.shape[1:], np.int64)
        surface.clouds_block(p.places.contract, b.capacity, clouds)
        own, kept = np.zeros(b.used.shape), np.zeros(b.used.shape)
        surface.own_block(p.surface.goodput_x, b.placement.use, b.X, own, kept)
        surface.fill_block(p.surface, b.used, b.capacity, b.supply.ready, clouds, own, kept, b.X, b.filled)


def _settle(b: Block) -> None:
    p = b.plan
    used = b.settlement.used  # what was used is gathered where settlement states it
    used[:] = 0.0
    for k, c in enumerate(p.places.contract):
        used[c] += b.used[k]
    settle.settle_block(p.terms, b.schedule, b.signed.alive, b.X, b.Y, b.settlement)
    customer.pay_block(p.customers, p.terms, b.schedule, b.signed, b.settlement, b.equity.cash_in, b.X, b.Y, b.payments)
    if len(p.edges.kind):
        equity.fund_block(p.terms.customer, p.terms.provider, b.signed.operating, b.payments, p.customers.cash_x, b.X, b.equity)


def _book(b: Block) -> None:
    """Recognition, the provider's accounts, and worth."""
    _recognise(b)
    _account(b)
    _value(b)


def _recognise(b: Block) -> None:
    p = b.plan
    recognise.recognise_block(
        p.terms, p.recognition, b.schedule, b.settlement, b.signed.alive, b.payments.collectible, b.ordered, b.delivered, b.X, b.books
    )
    recognise.before_block(p.terms, p.recognition, b.schedule, b.X, *b.before)
    if len(p.leases.contract):
        lease.lease_block(p.leases, p.terms, b.schedule, b.settlement, b.delivered, b.X, b.books, b.leases)
    if len(p.edges.kind):
        equity.net_block(p.edges, p.terms.total_x, b.settlement, b.X, b.books, b.equity)


def _account(b: Block) -> None:
    p = b.plan
    sunk = np.zeros((len(p.names.pools), 1, b.X.shape[1]))
    supply.sunk_block(p.lots, p.pools, b.X, sunk)
    accounts.ledger_block(
        p.costs, b.supply, sunk[:, 0], b.used, b.signed.alive, b.books.revenue, RELEASE_SHARE, b.X, b.Y, p.hours, b.ledger
    )
    if len(p.wear.pool):
        wear.wear_block(p.wear, p.costs, p.terms, b.supply.ready, sunk[:, 0], b.X, b.ledger, b.wear)
    wear.impair_block(p.terms, p.rate_x, b.schedule, b.signed.alive, b.X, b.ledger, b.wear)
    accounts.segment_block(p.segments, b.ledger, b.books.revenue, b.books.rpo, b.X, b.Y, b.segments)
    if len(p.finances.company):
        company.company_block(
            p.finances, p.segments.contract_company, b.segments.capex, b.ledger, b.payments.paid, b.wear.sold, b.equity.invested, b.X, b.Y,
            b.group,
        )  # fmt: skip


def _value(b: Block) -> None:
    p = b.plan
    value.npv_block(b.ledger, b.payments.paid, p.rate_x, b.X, b.npv)
    if len(p.edges.kind):
        value.add_block(b.equity.given, -1.0, p.rate_x, b.X, b.npv)
    if len(p.wear.pool):
        value.add_block(b.wear.sold, 1.0, p.rate_x, b.X, b.npv)
    value.idle_block(p.places.contract, b.placement.idle, b.schedule.price, b.settlement.charge, b.settlement.used, b.idle_cost)


def ranges(b: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest, chosen and largest served work of each workload on each contract's pools, (W, C, M, L), of a filled block (P-05)."""
    low, chosen, high = (_by_contract(b.plan) for _ in range(3))
    _range(b, low, high)
    done = b.placement.use * b.demand.speed[:, :, None, :]
    for k, c in enumerate(b.plan.places.contract):
        chosen[:, c] += done[:, k]
    return low, chosen, high


def _by_contract(plan: Plan) -> np.ndarray:
    """(W, C, M, L) work of each workload on each contract's pools."""
    return np.zeros((len(plan.names.workloads), len(plan.names.contracts), plan.months, LANES))


def _range(b: Block, low: np.ndarray, high: np.ndarray) -> None:
    p = b.plan
    range_block(b.segment_hours, p.jobs, place.Loads(*b.demand), b.supply.ready, b.X, p.places.contract, b.placement, scratch(b), low, high)
