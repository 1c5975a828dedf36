"""Hours of the day against HiGHS: the month written down hour block by hour block, batch work too, and solved by somebody else."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offtake.kernels import place, ranges, slots

from .test_place import Instance, highs, instance, may_use, objective

highspy = pytest.importorskip("highspy")

INFERENCE, TRAINING, BATCH = 0, 1, 2
OBJECTIVE = 1e-9  # relative, P-04
POOLS, EXTRA, MONTHS, LANES = 3, 2, 3, 4


class Slotted(NamedTuple):
    case: Instance
    kind: np.ndarray  # (W,) how each workload lies in the day
    profile: np.ndarray  # (W, S, L) load over its mean


def slotted(seed, kind, share=(0.375, 0.5, 0.125), works=4, pools=POOLS, lanes=LANES, months=MONTHS):
    """An `instance` whose workloads follow the day, run through it or lie anywhere; `sparse`: a slot without load or of no length."""
    rng = np.random.default_rng(seed)
    case = instance(seed, "round" if kind == "sparse" else kind, works, pools, EXTRA, months, lanes)
    of, share = rng.integers(0, 3, works), np.array(share)
    profile = rng.uniform(0.2, 2.0, (works, len(share), lanes))
    if kind in ("round", "flat", "sparse"):
        profile = rng.integers(0 if kind == "sparse" else 1, 3, profile.shape).astype(float)
    found = [(w, spot) for w in range(works) for spot in spots_of(of[w], len(share))]
    owner, spot = np.array(found).T.copy()
    slotwise = (spot > 0) & (spot <= len(share))
    count = case.X.shape[0]
    rows = np.where(slotwise, count + owner * len(share) + spot - 1, -1)
    names = case.jobs.rank_w[owner] * 10 + spot
    jobs = case.jobs._replace(
        day=slots.Day(share, owner, spot, rows),
        rank_w=np.argsort(np.argsort(names)),
        deferrable=np.where(of == INFERENCE, 0, case.jobs.deferrable),
    )
    return Slotted(case._replace(jobs=jobs, X=np.concatenate([case.X, profile.reshape(-1, lanes)])), of, profile)


def spots_of(kind, count):
    return range(1, count + 1) if kind == INFERENCE else [count + 1] if kind == TRAINING else [0]


def solved(case):
    w, m, lanes = case.loads.work.shape
    day, q = case.jobs.day, len(case.segments.pool)
    out = place.placement(w, len(case.ready), q, m, lanes, day)
    place.place_block(*case, place.scratch(len(day.owner), len(case.ready), q, lanes, len(day.share)), out)
    return out


def load(told, w, m, i):
    """(S,) work of an inference workload in each slot; an idle profile asks for the mean."""
    share = told.case.jobs.day.share
    mean = share @ told.profile[w, :, i]
    return told.case.loads.work[w, m, i] * share * (told.profile[w, :, i] / mean if mean > 0 else np.ones(len(share)))


class Hours(NamedTuple):
    """A column of the oracle: which workload, pool, slots with the part of an hour in each, and the work's row."""

    w: int
    k: int
    part: np.ndarray
    row: int


def columns(told, m, i):
    """Every way to spend an hour, and the work of every row."""
    case, share = told.case, told.case.jobs.day.share
    found, work, one = [], [], np.eye(len(share))
    for w, kind in enumerate(told.kind):
        for s in range(len(share)) if kind == INFERENCE else [0]:
            for k in range(len(case.ready)):
                parts = [one[s]] if kind == INFERENCE else [share] if kind == TRAINING else list(one)
                found += [Hours(w, k, part, len(work)) for part in parts if may_use(case, w, k, m, i)]
            work.append((w, s))
    return found, work


def oracle(told, out, m, i, more=None):
    """HiGHS model: hours in slots, hours of segments; rows: pool x slot, pool, work. `more` = (k, s, hours) adds free hours."""
    case, share = told.case, told.case.jobs.day.share
    s_count, k_count, cap = len(share), len(case.ready), case.segments.cap[:, m, i]
    hours, work = columns(told, m, i)
    late = np.zeros(len(told.kind))
    if m:
        late = np.where(case.jobs.deferrable != 0, out.unserved[:, m - 1, i], 0.0)
    fastest = case.loads.speed[:, :, i].max(1)
    asked = [load(told, w, m, i)[s] if told.kind[w] == INFERENCE else case.loads.work[w, m, i] + late[w] for w, s in work]
    room = np.array([share * cap[case.segments.pool == k].sum() for k in range(k_count)])
    spare = np.zeros(k_count)
    if more:
        room[more[0], more[1]] += more[2]
        spare[more[0]] = more[2]
    upper = np.concatenate([room.ravel(), spare, [a / fastest[w] if fastest[w] > 0 else 0.0 for a, (w, _) in zip(asked, work)]])
    matrix, profit = np.zeros((len(upper), len(hours) + len(cap))), np.zeros(len(hours) + len(cap))
    for j, h in enumerate(hours):
        matrix[h.k * s_count : (h.k + 1) * s_count, j] = h.part
        matrix[k_count * s_count + h.k, j] = 1.0
        matrix[k_count * (s_count + 1) + h.row, j] = case.loads.speed[h.w, h.k, i] / fastest[h.w]
        profit[j] = case.loads.value[h.w, i] * case.loads.speed[h.w, h.k, i] - case.loads.moving[h.w, h.k, i]
    for q, k in enumerate(case.segments.pool):
        matrix[k_count * s_count + k, len(hours) + q] = -1.0
        profit[len(hours) + q] = -case.segments.cost[q, m, i]
    return matrix, upper, profit, np.concatenate([np.full(len(hours), np.inf), cap]), hours


def best(solver, matrix, upper, profit, most):
    """Largest profit, hours over the largest hours, money over the largest profit."""
    hour = max(upper.max(initial=0.0), most[np.isfinite(most)].max(initial=0.0), 1e-300)
    money = np.abs(profit).max(initial=0.0) or 1.0
    lp, inf = highspy.HighsLp(), highspy.kHighsInf
    lp.num_col_, lp.num_row_, lp.sense_ = len(profit), len(upper), highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = profit / money, np.zeros(len(profit)), np.where(np.isinf(most), inf, most / hour)
    lp.row_lower_, lp.row_upper_ = np.full(len(upper), -inf), upper / hour
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    found = [np.flatnonzero(column) for column in matrix.T]
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(rows) for rows in found])])
    lp.a_matrix_.index_ = np.concatenate(found).astype(np.int32)
    lp.a_matrix_.value_ = np.concatenate([column[rows] for column, rows in zip(matrix.T, found)])
    solver.passModel(lp)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return solver.getInfo().objective_function_value * hour * money, hour * money


KINDS = ("plain", "round", "flat", "empty", "wide", "sparse")
SHARES = ((0.375, 0.5, 0.125), (0.5, 0.5), (0.25, 0.25, 0.25, 0.25), (1.0,), (11 / 24, 12 / 24, 1 / 24))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.sampled_from(SHARES))
def test_objective_is_that_of_highs(seed, kind, share):
    """P-01, P-04: 12 months an example, each within 1e-9 relative of HiGHS, each with a certificate."""
    told = slotted(seed, kind, share)
    out, solver = solved(told.case), highs()
    assert not out.status.any() and out.gap.max() <= OBJECTIVE
    for m in range(MONTHS):
        for i in range(LANES):
            (theirs, gross), ours = best(solver, *oracle(told, out, m, i)[:4]), objective(told.case, out, m, i)
            assert ours == pytest.approx(theirs, rel=OBJECTIVE, abs=1e-14 * gross), (m, i)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.sampled_from(SHARES))
def test_hours_of_every_slot_are_there_and_add_up(seed, kind, share):
    """S-05, D-02: use and idle of slots within their room, their sums the day's; training alike in every hour; causes add up to idle."""
    told = slotted(seed, kind, share)
    case, out, share = told.case, solved(told.case), np.array(share)
    cap = np.stack([case.segments.cap[case.segments.pool == k].sum(0) for k in range(POOLS)])
    near = dict(rtol=1e-12, atol=1e-12 * max(cap.max(), 1e-300))
    np.testing.assert_allclose(out.slot_use.sum(2), out.use, **near)
    np.testing.assert_allclose(out.slot_use.sum(0) + out.slot_idle, share[:, None, None] * cap[:, None], **near)
    np.testing.assert_allclose(out.idle.sum(0), out.slot_idle.sum(1), **near)
    np.testing.assert_allclose(out.idle.sum(0) + out.use.sum(0), cap, **near)
    assert min(a.min() for a in (out.slot_use, out.slot_idle, out.idle, out.use, out.dual, out.slot_dual, out.unserved)) >= 0
    for w in np.flatnonzero(told.kind == TRAINING):
        np.testing.assert_allclose(out.slot_use[w], share[:, None, None] * out.use[w][:, None], **near)
    for w in np.flatnonzero(told.kind == INFERENCE):
        done = (out.slot_use[w] * case.loads.speed[w][:, None, None]).sum(0)
        asked = np.array([[load(told, w, m, i) for i in range(LANES)] for m in range(MONTHS)]).transpose(2, 0, 1)
        np.testing.assert_array_less(done, asked * (1 + 1e-12) + 1e-300)
        np.testing.assert_allclose(out.served[w] + out.unserved[w], case.loads.work[w], rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(SHARES))
def test_duals_are_what_highs_makes_of_one_hour_more(seed, share):
    """P-06: what a free GPU-h more in one slot of one pool earns, on both sides of it where that differs."""
    told = slotted(seed, "plain", share, months=1)
    case, out, solver = told.case, solved(told.case), highs()
    step = 1e-5
    for i in range(LANES):
        base, _ = best(solver, *oracle(told, out, 0, i)[:4])
        for k in range(POOLS):
            for s in range(len(share)):
                up, down = (best(solver, *oracle(told, out, 0, i, (k, s, e))[:4])[0] - base for e in (step, -step))
                if out.slot_use[:, k, s, 0, i].sum() > 1e-3:
                    assert up / step - 1e-4 <= out.slot_dual[k, s, 0, i] <= -down / step + 1e-4
        np.testing.assert_allclose(out.dual[:, 0, i], out.slot_dual[:, :, 0, i] @ np.array(share), rtol=1e-12, atol=1e-12)


def ends(solver, told, out, provider_of, m, i):
    """(W, J) least and most work over plans within 1e-10 of the best objective, by HiGHS: objective held, goal minimised."""
    matrix, upper, profit, most, hours = oracle(told, out, m, i)
    shape = (len(told.kind), provider_of.max() + 1)
    least, largest = np.zeros(shape), np.zeros(shape)
    _, scale = best(solver, matrix, upper, profit, most)
    top, hour = solver.getInfo().objective_function_value, scale / (np.abs(profit).max(initial=0.0) or 1.0)
    numbers = np.arange(len(profit), dtype=np.int32)
    solver.addRow(top - 1e-10, highspy.kHighsInf, len(profit), numbers, profit / (np.abs(profit).max(initial=0.0) or 1.0))
    for w in range(shape[0]):
        for j in range(shape[1]):
            goal = np.zeros(len(profit))
            for at, h in enumerate(hours):
                goal[at] = told.case.loads.speed[h.w, h.k, i] if h.w == w and provider_of[h.k] == j else 0.0
            for sense, result in ((highspy.ObjSense.kMinimize, least), (highspy.ObjSense.kMaximize, largest)):
                solver.changeColsCost(len(goal), numbers, goal)
                solver.changeObjectiveSense(sense)
                solver.run()
                result[w, j] = solver.getInfo().objective_function_value * hour
    return least, largest


@pytest.mark.parametrize("kind", ["plain", "round", "flat", "empty"])
def test_ranges_are_those_of_highs(kind):
    """P-05: least and most work of each workload on each provider over the optimal plans of a day with three slots."""
    told = slotted(12, kind)
    out, solver = solved(told.case), highs()
    day, provider_of = told.case.jobs.day, np.array([0, 1, 0])
    shape = (len(told.kind), 2, MONTHS, LANES)
    lo, hi = np.zeros(shape), np.zeros(shape)
    work = place.scratch(len(day.owner), POOLS, len(told.case.segments.pool), LANES, len(day.share))
    ranges.range_block(*told.case, provider_of, out, work, lo, hi)
    for m in range(MONTHS):
        for i in range(LANES):
            least, largest = ends(solver, told, out, provider_of, m, i)
            near = 1e-4 * max(largest.max(), 1.0)
            np.testing.assert_allclose(lo[:, :, m, i], least, rtol=0, atol=near)
            np.testing.assert_allclose(hi[:, :, m, i], largest, rtol=0, atol=near)
    if kind in ("round", "flat"):
        assert (hi - lo).max() > 0.1
