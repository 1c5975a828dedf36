"""Hours of the day against HiGHS: the month written down hour block by hour block, batch work too, and solved by somebody else."""

import hashlib
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.kernels import place, ranges, slots

from .test_place import Instance, highs, instance, may_use, objective
from .test_place import solved as one_block

highspy = pytest.importorskip("highspy")

INFERENCE, TRAINING, BATCH = 0, 1, 2
OBJECTIVE = 1e-9  # relative, P-04
POOLS, EXTRA, MONTHS, LANES = 3, 2, 3, 4


class Slotted(NamedTuple):
    case: Instance
    kind: np.ndarray  # (W,) how each workload lies in the day
    profile: np.ndarray  # (W, S, L) load over its mean


def slotted(seed, kind, share=(0.375, 0.5, 0.125), works=4, pools=POOLS, lanes=LANES, months=MONTHS, extra=EXTRA):
    """An `instance` whose workloads follow the day, run through it or lie anywhere; `sparse`: a slot without load or of no length."""
    rng = np.random.default_rng(seed)
    case = instance(seed, "round" if kind == "sparse" else kind, works, pools, extra, months, lanes)
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
    out, solver = solved(told.case), highs()
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


def reordered(told, w, k, s):
    """The same months with workloads, pools and slots in another order; ranks of names go along."""
    case, day, count = told.case, told.case.jobs.day, len(told.case.jobs.day.share)
    old = {(int(owner), int(spot)): r for r, (owner, spot) in enumerate(zip(day.owner, day.spot))}
    found = [(at, new, old[int(w[at]), s[new - 1] + 1 if 0 < new <= count else new])
             for at in range(len(w)) for new in spots_of(told.kind[w[at]], count)]  # fmt: skip
    owner, spot, was = (np.array(column) for column in zip(*found))
    jobs = case.jobs._replace(
        eligible=np.ascontiguousarray(case.jobs.eligible[w][:, k]), gang_x=case.jobs.gang_x[w], deferrable=case.jobs.deferrable[w],
        rank_w=case.jobs.rank_w[was], rank_k=case.jobs.rank_k[k], fabric_x=case.jobs.fabric_x[k],
        day=slots.Day(day.share[s], owner, spot, day.profile_x[was]),
    )  # fmt: skip
    loads = place.Loads(*(np.ascontiguousarray(a[w][:, k] if n in (1, 3) else a[w]) for n, a in enumerate(case.loads)))
    pool = np.argsort(k)[case.segments.pool]
    return case._replace(segments=case.segments._replace(pool=pool), jobs=jobs, loads=loads, ready=np.ascontiguousarray(case.ready[k]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(("plain", "round")), st.randoms(use_true_random=False))
def test_order_of_workloads_pools_and_slots_is_irrelevant(seed, kind, random):
    """P-05: ties or not, the same hours in the same places and slots, idle by the same causes."""
    told = slotted(seed, kind, months=1)
    w, k, s = (np.array(random.sample(range(n), n)) for n in (4, POOLS, 3))
    out, other = solved(told.case), solved(reordered(told, w, k, s))
    near = dict(rtol=1e-9, atol=1e-9 * max(told.case.segments.cap.max(), 1.0))
    np.testing.assert_allclose(other.use, out.use[w][:, k], **near)
    np.testing.assert_allclose(other.slot_use, out.slot_use[w][:, k][:, :, s], **near)
    np.testing.assert_allclose(other.slot_idle, out.slot_idle[k][:, s], **near)
    np.testing.assert_allclose(other.unserved, out.unserved[w], **near)


BEFORE = {  # what a month of one block came to before there were slots, to the last bit
    "plain": "b1b8e4685aee268cba7a4db4246496e8",
    "round": "1a83871f08edf25ae0aa85319d42ced7",
    "empty": "ad84fc9093f2085956819985d28f4a70",
}


@pytest.mark.parametrize("kind", BEFORE)
def test_a_book_without_slots_keeps_its_bits(kind):
    """Only + - x / and square roots meet here, so the bits are those of any machine."""
    out, digest = one_block(instance(7, kind, jobs=6, pools=4, extra=3, months=12)), hashlib.sha256()
    for name in ("use", "served", "unserved", "dual", "idle", "status", "gap", "basis", "state"):
        digest.update(np.ascontiguousarray(getattr(out, name)).tobytes())
    assert digest.hexdigest()[:32] == BEFORE[kind]


def by_hand(batch, worth=15.0):
    """10 GPUs for a day: rooms of 80, 120 and 40 GPU-h. Inference of 120 GPU-h at 0.5, 1.2 and 1.4 of its mean: 20, 72 and 28; a run
    of 4 GPUs through the day, 96 GPU-h; batch work that may run at any time. Inference is worth 15, the run 2, batch 1 USD/GPU-h."""
    one, share = np.ones((2, 1)), np.array([8.0, 12.0, 4.0]) / 24.0  # two months alike: in the second no step is taken
    day = slots.Day(share, np.array([0, 0, 0, 1, 2]), np.array([1, 2, 3, 4, 0]), np.array([0, 1, 2, -1, -1]))
    nothing = np.full(3, -1)
    jobs = place.Jobs(np.ones((3, 1), np.int64), nothing, np.zeros(3, np.int64), np.arange(5), np.zeros(1, np.int64),
                      nothing[:1], day)  # fmt: skip
    loads = place.Loads(
        np.array([120.0, 96.0, batch])[:, None, None] * one, np.ones((3, 1, 1)), np.array([[worth], [2.0], [1.0]]), np.zeros((3, 1, 1))
    )
    segments = place.Segments(np.zeros(1, np.int64), 240.0 * np.ones((1, 2, 1)), np.zeros((1, 2, 1)))
    out = solved(Instance(segments, jobs, loads, np.ones((1, 2, 1)), np.array([[0.5], [1.2], [1.4]])))
    for name in ("slot_use", "slot_idle", "slot_dual", "use", "dual", "idle", "unserved"):
        first, second = np.moveaxis(getattr(out, name), -2, 0)
        np.testing.assert_allclose(second, first, rtol=1e-9, atol=1e-9, err_msg=name)
    return out


def test_a_day_by_hand():
    """The peak has 40 - 28 = 12 GPU-h for the run, 3 GPUs: 72 GPU-h. It leaves 80 - 20 - 24 = 36 and 120 - 72 - 36 = 12 GPU-h, which 24
    of batch work fill by half, 18 and 6; the other half is no demand, though the run waits: it would have to run through the peak."""
    out = by_hand(24.0)
    np.testing.assert_allclose(out.slot_use[:, 0, :, 0, 0], [[20, 72, 28], [24, 36, 12], [18, 6, 0]], atol=1e-9)
    np.testing.assert_allclose(out.slot_idle[0, :, 0, 0], [18, 6, 0], atol=1e-9)
    np.testing.assert_allclose(out.unserved[:, 0, 0], [0, 24, 0], atol=1e-9)
    np.testing.assert_allclose(out.idle[:, 0, 0, 0], [24, 0, 0], atol=1e-9)
    # an hour more at the peak is a sixth of the hours that the run needs there: six more of it, at 2 USD each
    np.testing.assert_allclose(out.slot_dual[0, :, 0, 0], [0, 0, 12], atol=1e-8)
    np.testing.assert_allclose(out.dual[0, 0, 0], 2.0, atol=1e-8)


def test_a_run_outbids_cheap_inference_at_the_peak_by_hand():
    """At 3 USD an hour of inference at the peak is worth less than the six hours of the run that it would stop: 40 - 16 are left."""
    out = by_hand(24.0, 3.0)
    np.testing.assert_allclose(out.slot_use[:, 0, :, 0, 0], [[20, 72, 24], [32, 48, 16], [24, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(out.unserved[:, 0, 0], [4, 0, 0], atol=1e-9)


def test_a_trough_that_batch_work_fills_by_hand():
    """100 GPU-h of batch work take the 48 that inference and the run leave; 1 USD is then what an hour more is worth by night."""
    out = by_hand(100.0)
    np.testing.assert_allclose(out.slot_use[2, 0, :, 0, 0], [36, 12, 0], atol=1e-9)
    np.testing.assert_allclose(out.idle, 0.0, atol=1e-9)
    np.testing.assert_allclose(out.unserved[:, 0, 0], [0, 24, 52], atol=1e-9)
    # a run's hour takes 5/6 of an hour that batch work had and 1/6 of the peak: 2 = 1 + (peak - 1) / 6
    np.testing.assert_allclose(out.slot_dual[0, :, 0, 0], [1, 1, 7], atol=1e-8)


def test_work_of_a_slot_is_blamed_on_hours_of_that_slot_by_hand():
    """Inference that comes at the peak alone, 100 GPU-h, may run in the first pool, which has 6 GPU-h then; of the second pool's 240 idle
    GPU-h only the 40 of the peak stand idle because it may not run there."""
    share = np.array([8.0, 12.0, 4.0]) / 24.0
    day = slots.Day(share, np.zeros(3, np.int64), np.array([1, 2, 3]), np.array([0, 1, 2]))
    nothing = np.full(2, -1)
    jobs = place.Jobs(np.array([[1, 0]]), nothing[:1], np.zeros(1, np.int64), np.arange(3), np.arange(2), nothing, day)
    loads = place.Loads(np.full((1, 1, 1), 100.0), np.ones((1, 2, 1)), np.ones((1, 1)), np.zeros((1, 2, 1)))
    segments = place.Segments(np.arange(2), np.array([36.0, 240.0])[:, None, None], np.zeros((2, 1, 1)))
    out = solved(Instance(segments, jobs, loads, np.ones((2, 1, 1)), np.array([[0.0], [0.0], [6.0]])))
    np.testing.assert_allclose(out.slot_use[0, :, :, 0, 0], [[0, 0, 6], [0, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(out.unserved[0, 0, 0], 94.0, atol=1e-9)
    np.testing.assert_allclose(out.idle[:, :, 0, 0], [[30, 200], [0, 40], [0, 0]], atol=1e-9)
