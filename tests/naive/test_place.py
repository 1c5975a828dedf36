"""Placement against HiGHS: the same program, month by month, written down plainly and solved by somebody else."""

from typing import NamedTuple

import numpy as np
import pytest

from offtake.kernels import place, ranges, slots

highspy = pytest.importorskip("highspy")

LANES = 64
OBJECTIVE = 1e-9  # relative, P-04


class Instance(NamedTuple):
    segments: place.Segments
    jobs: place.Jobs
    loads: place.Loads
    ready: np.ndarray
    X: np.ndarray


def instance(seed, kind, jobs=4, pools=5, extra=2, months=7, lanes=LANES):
    """A random book. kind: plain, round (few distinct numbers: ties and degenerate corners), flat (all values and speeds
    equal), empty (much zero capacity and demand), wide (hours and values over many orders of magnitude)."""
    rng = np.random.default_rng(seed)
    pool = np.concatenate([np.arange(pools), rng.integers(0, pools, extra)]).astype(np.int64)
    q_count = len(pool)

    def number(shape, low, high):
        if kind in ("round", "flat"):
            return rng.integers(1, 4, shape).astype(float)
        return rng.uniform(low, high, shape)

    speed = np.ones((jobs, pools, lanes)) if kind == "flat" else number((jobs, pools, lanes), 0.2, 3.0)
    speed *= rng.random((jobs, pools, 1)) < 0.9
    value = np.full((jobs, lanes), 3.0) if kind == "flat" else number((jobs, lanes), 0.5, 4.0)
    work, cap = number((jobs, months, lanes), 0.0, 4.0), number((q_count, months, lanes), 0.0, 3.0)
    if kind == "empty":
        work *= rng.random(work.shape) < 0.5
        cap *= rng.random(cap.shape) < 0.5
    if kind == "wide":
        work *= 10.0 ** rng.integers(-3, 4, (jobs, 1, 1))
        cap *= 10.0 ** rng.integers(-3, 4, (q_count, 1, 1))
        unit = 10.0 ** rng.integers(-9, 10, (jobs, 1))
        speed, value, work = speed * unit[:, :, None], value / unit, work * unit[:, :, None]
    cost = np.where(np.arange(q_count) < pools, 0.0, 1.0)[:, None, None] * number((q_count, months, lanes), 0.0, 1.5)
    moving = 0.25 * number((jobs, pools, lanes), 0.0, 1.0) * (rng.random((jobs, pools, 1)) < 0.4)
    X = np.concatenate([rng.integers(1, 9, (jobs, lanes)), rng.integers(4, 16, (pools, lanes))]).astype(float)
    return Instance(
        place.Segments(pool, cap, cost),
        place.Jobs(
            (rng.random((jobs, pools)) < 0.7).astype(np.int64),
            np.where(rng.random(jobs) < 0.8, np.arange(jobs), -1),
            (rng.random(jobs) < 0.4).astype(np.int64),
            rng.permutation(jobs),
            rng.permutation(pools),
            np.where(rng.random(pools) < 0.8, jobs + np.arange(pools), -1),
            slots.one_block(jobs),
        ),
        place.Loads(work, speed, value, moving),
        rng.integers(0, 20, (pools, months, lanes)).astype(float),
        X,
    )


def solved(case):
    """Run the kernel on a whole instance."""
    (w, m, lanes), k = case.loads.work.shape, case.jobs.eligible.shape[1]
    out = place.placement(w, k, len(case.segments.pool), m, lanes)
    place.place_block(*case, place.scratch(w, len(case.ready), len(case.segments.pool), lanes), out)
    return out


def may_use(case, w, k, m, i):
    """P-03 as one would say it: allowed, able, and the gang fits in what is ready and in one fabric."""
    gang = case.X[case.jobs.gang_x[w], i] if case.jobs.gang_x[w] >= 0 else 0.0
    fabric = case.X[case.jobs.fabric_x[k], i] if case.jobs.fabric_x[k] >= 0 else np.inf
    return bool(case.jobs.eligible[w, k]) and case.loads.speed[w, k, i] > 0 and gang <= min(case.ready[k, m, i], fabric)


def todo(case, out, m, i):
    """(W,) work of the month plus what was put off."""
    work = case.loads.work[:, m, i].copy()
    return work + np.where(case.jobs.deferrable != 0, out.unserved[:, m - 1, i], 0.0) if m else work


def columns(case, m, i):
    """The usable (w, q) pairs with a profit: lists of w, q, speed, profit."""
    rows = []
    for w in range(case.loads.work.shape[0]):
        for q, k in enumerate(case.segments.pool):
            speed = case.loads.speed[w, k, i]
            profit = case.loads.value[w, i] * speed - case.loads.moving[w, k, i] - case.segments.cost[q, m, i]
            if may_use(case, w, k, m, i):
                rows.append((w, q, speed, profit))
    return rows


def model(case, demand, m, i):
    """HiGHS model of one month, each job's work in hours of its fastest pool, hours over the largest hours, money over the
    largest profit. Returns (lp, scale of the objective, columns, scale of hours)."""
    pairs = columns(case, m, i)
    cap = case.segments.cap[:, m, i]
    fastest = case.loads.speed[:, :, i].max(axis=1)
    rhs = np.concatenate([cap, demand / np.where(fastest > 0, fastest, 1.0)])
    hour = max(rhs.max(), 1e-300)
    money = max([abs(p[3]) for p in pairs], default=1.0) or 1.0
    q_count = len(cap)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(pairs), len(rhs)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.array([p[3] / money for p in pairs])
    lp.col_lower_, lp.col_upper_ = np.zeros(len(pairs)), np.full(len(pairs), highspy.kHighsInf)
    lp.row_lower_, lp.row_upper_ = np.full(len(rhs), -highspy.kHighsInf), rhs / hour
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = 2 * np.arange(len(pairs) + 1)
    lp.a_matrix_.index_ = np.array([r for w, q, _, _ in pairs for r in (q, q_count + w)], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([v for w, _, s, _ in pairs for v in (1.0, s / fastest[w])])
    return lp, hour * money, pairs, hour


def highs():
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("primal_feasibility_tolerance", 1e-10)
    solver.setOptionValue("dual_feasibility_tolerance", 1e-10)
    return solver


def best(solver, case, demand, m, i):
    """Largest objective of the month in USD, by HiGHS, and the USD of all hours at the best profit."""
    lp, scale, pairs, _ = model(case, demand, m, i)
    if not pairs:
        return 0.0, scale
    solver.passModel(lp)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return solver.getInfo().objective_function_value * scale, scale


def objective(case, out, m, i):
    """USD of the kernel's plan: a pool's segments fill from the cheapest."""
    total = 0.0
    for w in range(case.loads.work.shape[0]):
        for k in range(case.jobs.eligible.shape[1]):
            per_hour = case.loads.value[w, i] * case.loads.speed[w, k, i] - case.loads.moving[w, k, i]
            total += per_hour * out.use[w, k, m, i]
    for k in range(case.jobs.eligible.shape[1]):
        hours = out.use[:, k, m, i].sum()
        mine = np.flatnonzero(case.segments.pool == k)
        for q in mine[np.argsort(case.segments.cost[mine, m, i], kind="stable")]:
            take = min(hours, case.segments.cap[q, m, i])
            total -= take * case.segments.cost[q, m, i]
            hours -= take
    return total


@pytest.mark.parametrize("kind", ["plain", "round", "flat", "empty", "wide"])
def test_objective_is_that_of_highs(kind):
    """P-04: 448 months a kind, 2,240 in all, each within 1e-9 relative of HiGHS, each with a certificate."""
    case = instance({"plain": 1, "round": 2, "flat": 3, "empty": 4, "wide": 5}[kind], kind)
    out, solver = solved(case), highs()
    assert not out.status.any() and out.gap.max() <= OBJECTIVE
    for m in range(case.loads.work.shape[1]):
        for i in range(LANES):
            (theirs, gross), ours = best(solver, case, todo(case, out, m, i), m, i), objective(case, out, m, i)
            assert ours == pytest.approx(theirs, rel=OBJECTIVE, abs=1e-14 * gross), (m, i)


def ends(solver, case, demand, provider_of, m, i):
    """(W, J) least and most work over plans within 1e-10 of the best objective, by HiGHS: objective held, goal minimised."""
    lp, _, pairs, hour = model(case, demand, m, i)
    shape = (case.loads.work.shape[0], provider_of.max() + 1)
    least, largest = np.zeros(shape), np.zeros(shape)
    if not pairs:
        return least, largest
    solver.passModel(lp)
    solver.run()
    top = solver.getInfo().objective_function_value
    profits = np.array(lp.col_cost_)
    solver.addRow(top - 1e-10, highspy.kHighsInf, len(pairs), np.arange(len(pairs), dtype=np.int32), profits)
    for w in range(shape[0]):
        for j in range(shape[1]):
            goal = np.array([s if a == w and provider_of[case.segments.pool[q]] == j else 0.0 for a, q, s, _ in pairs])
            for sense, result in ((highspy.ObjSense.kMinimize, least), (highspy.ObjSense.kMaximize, largest)):
                solver.changeColsCost(len(pairs), np.arange(len(pairs), dtype=np.int32), goal)
                solver.changeObjectiveSense(sense)
                solver.run()
                result[w, j] = solver.getInfo().objective_function_value * hour
    return least, largest


@pytest.mark.parametrize("kind", ["plain", "round", "flat", "empty"])
def test_ranges_are_those_of_highs(kind):
    """P-05: least and most work of each job on each provider over the optimal plans.

    Within 1e-4 of the largest amount: HiGHS needs room in the objective it holds.
    """
    case = instance(11, kind, jobs=3, pools=4, extra=1, months=3, lanes=8)
    out, solver = solved(case), highs()
    provider_of = np.array([0, 1, 0, 1])
    lo, hi = np.zeros((3, 2, 3, 8)), np.zeros((3, 2, 3, 8))
    ranges.range_block(*case, provider_of, out, place.scratch(3, len(case.ready), 5, 8), lo, hi)
    for m in range(3):
        for i in range(8):
            least, largest = ends(solver, case, todo(case, out, m, i), provider_of, m, i)
            near = 1e-4 * max(largest.max(), 1.0)
            np.testing.assert_allclose(lo[:, :, m, i], least, rtol=0, atol=near)
            np.testing.assert_allclose(hi[:, :, m, i], largest, rtol=0, atol=near)
    if kind in ("round", "flat"):
        assert (hi - lo).max() > 0.1  # such books do have more than one optimum
