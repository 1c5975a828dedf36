"""Months that commitments tie together, against HiGHS: one program over all months with a row for each true-up period (P-02)."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from offtake import shadow
from offtake.kernels import couple, place, share, walk

from .test_place import Instance, instance, may_use

JOBS, POOLS, MONTHS, LANES = 3, 4, 6, 4
ONE, SEVERAL = 1e-9, 2e-2  # relative gaps: one contract; three at once, the worst of 3,000 lanes
PRICE = 1e-7  # USD per GPU-h: the tie rule moves profits by 1e-10 of a gain
KINDS = ("plain", "round", "flat", "empty")


def coupled(contracts):
    """Pools 0 .. contracts - 1 are one contract each: the first trued up every three months, the others at the end."""
    period = np.array([[0, 0, 0, 1, 1, 1], *([[1 + n] * MONTHS for n in range(1, contracts)])])
    owner = np.where(np.arange(POOLS) < contracts, np.arange(POOLS), -1)
    past = np.where(owner >= 0, POOLS + owner, -1)
    return couple.Coupled(
        np.arange(contracts), period, np.array([0, *range(2, contracts + 2)]), owner, np.where(owner >= 0, np.arange(POOLS), -1), past
    )


def made(seed, kind, contracts, wait=False):
    """Programs whose commitments bind on some lanes: paid and past segments of each coupled pool, and one more of pool 3."""
    case = instance(seed, kind, JOBS, POOLS, contracts + 1, MONTHS, LANES)
    return tied(case._replace(jobs=case.jobs._replace(deferrable=case.jobs.deferrable * wait)), seed, contracts)


def tied(case, seed, contracts):
    """An `instance` whose first pools are `contracts` commitments over months; its segments are one a pool and `contracts` + 1 more."""
    rng = np.random.default_rng(seed + 1)
    pool = np.array([*range(POOLS), *range(contracts), 3])
    cost = case.segments.cost.copy()
    cost[POOLS : POOLS + contracts] = rng.uniform(0.2, 1.5, (contracts, 1, LANES))
    table = coupled(contracts)
    full = np.zeros((POOLS, MONTHS, LANES))
    full[:contracts] = cost[POOLS : POOLS + contracts]
    rows = table.first[-1]
    unit = rng.choice([1.0, 2.0], (contracts, 1, 1)) * np.ones((contracts, MONTHS, LANES))
    within = (case.segments.cap[:contracts] + case.segments.cap[POOLS : POOLS + contracts]) * unit
    stock = np.array([within[n][table.period[n] == p].sum(axis=0) for n in range(contracts) for p in range(*table.first[n : n + 2])])
    known = shadow.empty(table, POOLS, MONTHS, LANES, len(case.jobs.day.share))
    known.stock[:], known.unit[:] = stock * rng.uniform(0.0, 1.1, (rows, LANES)), unit
    segments = place.Segments(pool, case.segments.cap, cost)
    return share.Case(table, segments, case.jobs, case.loads, case.ready, case.X, full, known)


def solved(programs):
    out = place.placement(JOBS, POOLS, len(programs.segments.pool), MONTHS, programs.X.shape[1])
    shadow.solve(programs, out)
    assert not out.status.any()
    return out


def whole(programs, out, i):
    """Optimum over all months of lane i, with the work of each month that the plan left it, and duals of the stocks."""
    table, cost = programs.coupled, programs.segments.cost
    case = Instance(programs.segments, programs.jobs, programs.loads, programs.ready, programs.X)
    gains, rows, limits = [], {}, {}
    for m in range(MONTHS):
        for q, k in enumerate(programs.segments.pool):
            n = table.owner[k]
            paid, past = n >= 0 and q == table.paid[k], n >= 0 and q == table.past[k]
            hours = ("hours", m, k) if paid or past else ("other", m, q)
            limits[hours] = limits.get(hours, 0.0) + programs.segments.cap[q, m, i]
            price = 0.0 if paid else programs.full[k, m, i] if past else cost[q, m, i]
            for w in range(JOBS):
                speed = programs.loads.speed[w, k, i]
                entries = [(hours, 1.0), (("work", m, w), speed)]
                if paid:
                    entries.append((("stock", table.period[n, m], 0), programs.known.unit[n, m, i]))
                if may_use(case, w, k, m, i):
                    for key, value in entries:
                        rows.setdefault(key, []).append((len(gains), value))
                    gains.append(programs.loads.value[w, i] * speed - programs.loads.moving[w, k, i] - price)
                limits["work", m, w] = out.served[w, m, i] + out.unserved[w, m, i]
    if not gains:
        return 0.0, [0.0] * len(programs.known.stock)
    limits |= {("stock", p, 0): programs.known.stock[p, i] for p in range(len(programs.known.stock))}
    most, duals = optimum(gains, rows, limits)
    return most, [duals.get(("stock", p, 0), 0.0) for p in range(len(programs.known.stock))]


def optimum(gains, rows, limits):
    """The most that columns gain by HiGHS, and the dual of every row; rows hold (column, value) by key, each at most its limit."""
    matrix = np.zeros((len(rows), len(gains)))
    for r, entries in enumerate(rows.values()):
        for column, value in entries:
            matrix[r, column] += value
    found = linprog(-np.array(gains), matrix, [limits[key] for key in rows], method="highs-ds")
    assert found.status == 0
    return -found.fun, dict(zip(rows, -found.ineqlin.marginals))


def gaps(programs, out):
    """What is told of each lane: value of the plan and of the bound, and the true optimum."""
    bound, slack = programs.known.bound.sum(axis=0), programs.known.slack.sum(axis=0)
    best = np.array([whole(programs, out, i)[0] for i in range(programs.X.shape[1])])
    return bound - slack, best, bound


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.booleans())
def test_one_contract_is_placed_as_one_program_over_its_months(seed, kind, wait):
    programs = made(seed, kind, 1, wait)
    reached, best, bound = gaps(programs, solved(programs))
    assert np.allclose(reached, best, rtol=ONE, atol=1e-9) and np.allclose(bound, best, rtol=ONE, atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_the_shadow_price_is_the_dual_of_the_stock(seed):
    programs = made(seed, "plain", 1)
    out = solved(programs)
    assert programs.known.price == pytest.approx(np.array([whole(programs, out, i)[1] for i in range(programs.X.shape[1])]).T, abs=PRICE)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(2, 3), st.booleans())
def test_several_contracts_lie_within_the_bound_that_is_told(seed, kind, contracts, wait):
    programs = made(seed, kind, contracts, wait)
    reached, best, bound = gaps(programs, solved(programs))
    close = 1e-8 * (1.0 + np.abs(best))
    assert (reached <= best + close).all() and (best <= bound + close).all()
    assert (bound - reached <= SEVERAL * bound + close).all()


def test_most_lanes_of_several_contracts_are_exact():
    found = []
    for seed in range(40):
        programs = made(seed, "plain", 3)
        solved(programs)
        found.append(programs.known.slack.sum(axis=0) <= ONE * programs.known.bound.sum(axis=0))
    assert np.mean(found) > 0.9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(1, 3))
def test_rooms_are_worth_what_is_earned_in_them(seed, kind, contracts):
    programs = shadow.one_lane(made(seed, kind, contracts), 0)
    work = shadow.scratch(programs)
    trail, book = walk.trail(contracts, MONTHS, work[1]), share.ledger(programs, JOBS)
    share.share_block(programs, work, trail, book)
    (pool, cap, cost), table = programs.segments, programs.coupled
    for k in range(contracts):
        for q, price in ((table.paid[k], 0.0), (table.past[k], programs.full[k])):
            cap[q, :, 0], cost[q] = trail.room[:, JOBS * POOLS + q], price
    out, earned = place.placement(JOBS, POOLS, len(pool), MONTHS, 1), np.zeros((MONTHS, 1))
    place.place_block(programs.segments, programs.jobs, programs.loads, programs.ready, programs.X, work, out)
    couple.earned_block(programs.segments, programs.loads, out.use, earned)
    assert book.roomed == pytest.approx(earned[:, 0], rel=ONE, abs=1e-8)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(1, 3))
def test_no_period_takes_more_than_its_stock_for_nothing(seed, kind, contracts):
    programs = made(seed, kind, contracts)
    whole_of = programs.segments.cap.sum(axis=0)
    out = solved(programs)
    table, cap = programs.coupled, programs.segments.cap
    assert np.allclose(cap.sum(axis=0), whole_of) and (cap >= 0.0).all()
    rooms = np.zeros_like(programs.known.stock)
    for n, k in enumerate(range(contracts)):
        for m in range(MONTHS):
            rooms[table.period[n, m]] += cap[table.paid[k], m] * programs.known.unit[n, m]
    assert (rooms <= programs.known.stock * (1.0 + 1e-12) + 1e-12).all()
    assert (out.use.sum(axis=0)[:contracts] <= (cap[:contracts] + cap[POOLS : POOLS + contracts]) * (1 + 1e-12)).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS))
def test_more_commitment_never_raises_the_shadow_price(seed, kind):
    prices = []
    for more in (0.3, 0.6, 0.9, 1.2):
        programs = made(seed, kind, 1)
        programs.known.stock[:] *= more
        solved(programs)
        prices.append(programs.known.price.copy())
    assert all((dear >= cheap - PRICE).all() for dear, cheap in pairwise(prices))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(("plain", "empty")))
def test_scaled_money_scales_the_shadow_price(seed, kind):
    one, other = made(seed, kind, 1), made(seed, kind, 1)
    for array in (other.segments.cost, other.full, other.loads.value, other.loads.moving):
        array *= 4.0
    solved(one), solved(other)
    assert other.known.price == pytest.approx(4.0 * one.known.price, abs=PRICE)
    assert other.known.bound.sum(axis=0) == pytest.approx(4.0 * one.known.bound.sum(axis=0), rel=ONE)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(1, 3), st.booleans())
def test_a_path_does_not_know_its_neighbours(seed, kind, contracts, wait):
    together = made(seed, kind, contracts, wait)
    alone = shadow.one_lane(together, 2)
    a, b = solved(together), solved(alone)
    for whole_array, part in zip((*a, *together.known, *together.segments[1:]), (*b, *alone.known, *alone.segments[1:])):
        assert np.array_equal(whole_array[..., [2]], part)


def test_what_a_plan_earns_by_hand():
    """Pool 0 has 3 hours at 1 USD and 5 at 2, pool 1 has 4 at half a USD. Job 0 (4 USD of work, twice the speed in pool 1, 1 USD to move
    there) runs 4 hours in pool 0 and 2 in pool 1, job 1 (3 USD) 2 hours in pool 0: 16 + 2 x (8 - 1) + 6 = 36 USD, less
    3 x 1 + 3 x 2 + 2 x 0.5 = 10. In the second month nothing runs, and nothing is paid."""
    use = np.zeros((2, 2, 2, 1))
    use[0, :, 0, 0], use[1, :, 0, 0] = (4.0, 2.0), (2.0, 0.0)
    loads = place.Loads(
        work=np.zeros((2, 2, 1)), speed=np.array([[[1.0], [2.0]], [[1.0], [1.0]]]), value=np.array([[4.0], [3.0]]),
        moving=np.array([[[0.0], [1.0]], [[0.0], [0.0]]]),
    )  # fmt: skip
    each = np.ones((2, 1))
    segments = place.Segments(np.array([0, 1, 0]), np.array([3.0 * each, 4.0 * each, 5.0 * each]), np.array([each, 0.5 * each, 2.0 * each]))
    out = np.full((2, 1), np.nan)
    couple.earned_block(segments, loads, use, out)
    assert out[:, 0].tolist() == [26.0, 0.0]
