"""Laws of placement that need no second solver (P-01, P-03, P-05, P-06, D-03)."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offtake.kernels import place, ranges, slots

JOBS, POOLS, SEGMENTS, MONTHS, LANES = 4, 5, 7, 4, 8
few = settings(max_examples=25, deadline=None)
seeds, coarse = st.integers(0, 10**6), st.booleans()


def book(seed, coarse=False):
    """(segments, jobs, loads, ready, X); coarse: few distinct numbers, hence many optima and degenerate corners."""
    rng = np.random.default_rng(seed)

    def number(*shape):
        return rng.integers(1, 4, shape).astype(float) if coarse else rng.uniform(0.1, 3.0, shape)

    pool = np.concatenate([np.arange(POOLS), rng.integers(0, POOLS, SEGMENTS - POOLS)]).astype(np.int64)
    cost = np.where(np.arange(SEGMENTS) < POOLS, 0.0, 0.5)[:, None, None] * number(SEGMENTS, MONTHS, LANES)
    segments = place.Segments(pool, number(SEGMENTS, MONTHS, LANES) * (rng.random((SEGMENTS, MONTHS, LANES)) < 0.9), cost)
    jobs = place.Jobs(
        (rng.random((JOBS, POOLS)) < 0.7).astype(np.int64), np.arange(JOBS), (rng.random(JOBS) < 0.5).astype(np.int64),
        rng.permutation(JOBS), rng.permutation(POOLS), JOBS + np.arange(POOLS), slots.one_block(JOBS),
    )  # fmt: skip
    loads = place.Loads(
        number(JOBS, MONTHS, LANES) * (rng.random((JOBS, MONTHS, LANES)) < 0.9), number(JOBS, POOLS, LANES), number(JOBS, LANES),
        0.2 * number(JOBS, POOLS, LANES) * (rng.random((JOBS, POOLS, 1)) < 0.3),
    )  # fmt: skip
    X = np.concatenate([rng.integers(1, 7, (JOBS, LANES)), rng.integers(4, 12, (POOLS, LANES))]).astype(float)
    return segments, jobs, loads, rng.integers(2, 12, (POOLS, MONTHS, LANES)).astype(float), X


def solved(segments, jobs, loads, ready, X, work=None):
    lanes = loads.value.shape[1]
    out = place.placement(JOBS, POOLS, len(segments.pool), MONTHS, lanes)
    place.place_block(segments, jobs, loads, ready, X, work or place.scratch(JOBS, POOLS, len(segments.pool), lanes), out)
    assert not out.status.any()
    return out


def earned(segments, loads, out):
    """(M, L) USD: value less moving less the cost of segments filled from the cheapest."""
    gain = loads.value[:, None] * loads.speed - loads.moving
    total = (gain[:, :, None] * out.use).sum((0, 1))
    left = out.use.sum(0)
    order = np.argsort(np.where(np.arange(len(segments.pool)) < POOLS, 0.0, 1.0)[:, None, None] + segments.cost, axis=0)
    for at in np.ndindex(total.shape):
        for q in order[(slice(None), *at)]:
            take = min(left[(segments.pool[q], *at)], segments.cap[(q, *at)])
            total[at] -= take * segments.cost[(q, *at)]
            left[(segments.pool[q], *at)] -= take
    return total


def capacity(segments):
    """(K, M, L) GPU-h over the segments of a pool."""
    total = np.zeros((POOLS, *segments.cap.shape[1:]))
    np.add.at(total, segments.pool, segments.cap)
    return total


def compact(part):
    """The same numbers in plain memory order, so that nothing compiles anew."""
    if isinstance(part, np.ndarray):
        return np.ascontiguousarray(part)
    return type(part)(*(compact(a) for a in part))


def months_apart(jobs):
    """Nothing is put off: months do not touch."""
    return jobs._replace(deferrable=np.zeros(JOBS, np.int64))


@few
@given(seeds, coarse)
@example(816338, False)  # once walked in circles: rounding made a basic column look better than itself
def test_limits_hold_and_everything_adds_up(seed, coarse):
    """P-03, P-06, D-03: use within capacity, only where allowed; served + unserved = work + backlog; idle = capacity - use."""
    segments, jobs, loads, ready, X = book(seed, coarse)
    out, cap = solved(segments, jobs, loads, ready, X), capacity(book(seed, coarse)[0])
    assert (out.use >= 0).all() and (out.use.sum(0) <= cap * (1 + 1e-12)).all()
    fits = jobs.eligible[:, :, None, None] * (X[:JOBS, None, None] <= np.minimum(ready, X[JOBS:, None])[None])
    assert (out.use[fits == 0] == 0).all()
    np.testing.assert_allclose((out.use * loads.speed[:, :, None]).sum(1), out.served, rtol=1e-12, atol=1e-12)
    backlog = np.zeros_like(loads.work)
    backlog[:, 1:] = out.unserved[:, :-1] * jobs.deferrable[:, None, None]
    np.testing.assert_allclose(out.served + out.unserved, loads.work + backlog, rtol=1e-14)
    assert (out.idle >= 0).all() and (out.dual >= 0).all() and (out.served >= 0).all() and (out.unserved >= 0).all()
    np.testing.assert_allclose(out.idle.sum(0), cap - out.use.sum(0), rtol=1e-12, atol=1e-12)


@few
@example(8419, True)  # two plans of equal profit whose keys agree to 2 parts in 10,000
@given(seeds, coarse)
def test_order_in_the_book_is_irrelevant(seed, coarse):
    """P-05: jobs, pools and segments in another order, names' ranks moving with them: the same plan, ties or not.

    The rule tells plans apart whose sums of gain x key differ by 1 part in 1,000; nearer ones (rare) may come out either way."""
    segments, jobs, loads, ready, X = book(seed, coarse)
    jobs = months_apart(jobs)
    rng = np.random.default_rng(seed + 1)
    w, k, q = rng.permutation(JOBS), rng.permutation(POOLS), rng.permutation(SEGMENTS)
    swapped = (
        place.Segments(np.argsort(k)[segments.pool[q]], segments.cap[q], segments.cost[q]),
        place.Jobs(
            jobs.eligible[w][:, k], jobs.gang_x[w], jobs.deferrable[w], jobs.rank_w[w], jobs.rank_k[k], jobs.fabric_x[k], jobs.day
        ),
        place.Loads(loads.work[w], loads.speed[w][:, k], loads.value[w], loads.moving[w][:, k]),
        ready[k],
        X,
    )
    out, other = solved(segments, jobs, loads, ready, X), solved(*(compact(a) for a in swapped))
    use = other.use[np.argsort(w)][:, np.argsort(k)]
    same = (np.abs(use - out.use) <= 1e-9).all((0, 1))
    key = np.sqrt((jobs.rank_w + 1.618033988749895)[:, None] * (jobs.rank_k + 1.414213562373095))
    gain = (loads.value[:, None] * loads.speed - loads.moving) * key[:, :, None]
    score, score_other = ((gain[:, :, None] * plan).sum((0, 1))[~same] for plan in (out.use, use))
    np.testing.assert_allclose(score_other, score, rtol=1e-3)
    assert same.mean() > 0.9
    np.testing.assert_allclose(other.unserved[:, same], out.unserved[w][:, same], rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.idle[:, :, same], out.idle[:, k][:, :, same], rtol=0, atol=1e-9)


@few
@given(seeds, coarse, st.integers(0, SEGMENTS - 1))
def test_more_capacity_never_earns_less(seed, coarse, q):
    segments, jobs, loads, ready, X = book(seed, coarse)
    jobs = months_apart(jobs)
    more = segments.cap.copy()
    more[q] += 0.7
    before = earned(segments, loads, solved(segments, jobs, loads, ready, X))
    richer = segments._replace(cap=more)
    after = earned(richer, loads, solved(richer, jobs, loads, ready, X))
    assert (after >= before - 1e-9 * np.abs(before)).all()


def test_a_month_whose_costs_eat_its_gains_is_proven():
    """Gains of 65 times the profit: the tie rule's 1e-10 of the gains would be 6.5e-9 of the profit, though the plan is the optimum."""
    segments, jobs, loads, ready, X = book(33647)
    assert solved(segments, months_apart(jobs), loads, ready, X).gap.max() < 1e-9


@few
@given(seeds, st.integers(0, POOLS - 1))
def test_dual_is_what_one_hour_more_is_worth(seed, k):
    """P-06: a segment of free hours added to pool k; where the objective is straight, the dual is its slope."""
    segments, jobs, loads, ready, X = book(seed)
    jobs, step = months_apart(jobs), 1e-4
    free = place.Segments(
        np.append(segments.pool, k), np.concatenate([segments.cap, 0 * segments.cap[:1]]),
        np.concatenate([segments.cost, 0 * segments.cost[:1]]),
    )  # fmt: skip

    def at(hours):
        free.cap[-1] = hours
        return earned_with_free(free, loads, solved(free, jobs, loads, ready, X), k)

    none, one, two = at(0.0), at(step), at(2 * step)
    slope, smooth = (one - none) / step, np.abs(two - 2 * one + none) < 1e-9
    dual = solved(segments, jobs, loads, ready, X).dual[k]  # of the book without the free hours
    smooth &= segments.cap[segments.pool == k].min(0) > 0  # an empty segment is a corner: several duals are right there
    assert smooth.mean() > 0.5
    np.testing.assert_allclose(dual[smooth], slope[smooth], rtol=1e-6, atol=1e-6)


def earned_with_free(segments, loads, out, k):
    """As `earned`, with the last segment free of charge (it then fills before any other of its pool)."""
    hours = np.minimum(out.use[:, k].sum(0), segments.cap[-1])
    rest = segments._replace(pool=segments.pool[:-1], cap=segments.cap[:-1], cost=segments.cost[:-1])
    use = out.use.copy()
    share = hours / np.maximum(use[:, k].sum(0), 1e-300)
    gain = loads.value[:, None] * loads.speed - loads.moving
    first = (gain[:, k, None] * use[:, k] * share).sum(0)
    use[:, k] *= 1 - share
    return first + earned(rest, loads, out._replace(use=use))


@few
@given(seeds, coarse, st.integers(0, LANES - 1))
def test_a_path_never_reads_another(seed, coarse, i):
    """The same bits for a path alone, in a block, and in memory that another book has used."""
    segments, jobs, loads, ready, X = book(seed, coarse)
    work = place.scratch(JOBS, POOLS, SEGMENTS, LANES)
    solved(*book(seed + 1), work=work)
    whole = solved(segments, jobs, loads, ready, X, work)
    one = slice(i, i + 1)
    cut = (
        place.Segments(segments.pool, segments.cap[..., one], segments.cost[..., one]), jobs,
        place.Loads(*(a[..., one] for a in loads)), ready[..., one], X[:, one],
    )  # fmt: skip
    alone = solved(*(compact(a) for a in cut))
    for a, b in zip(whole, alone, strict=True):
        np.testing.assert_array_equal(a[..., one], b)


@few
@given(seeds, coarse)
def test_ranges_hold_the_plan(seed, coarse):
    """P-05: the plan that the tie rule picks lies within the ranges; providers' least work never exceeds what is served."""
    segments, jobs, loads, ready, X = book(seed, coarse)
    out = solved(segments, jobs, loads, ready, X)
    provider_of = np.arange(POOLS) % 2
    lo, hi = np.zeros((JOBS, 2, MONTHS, LANES)), np.zeros((JOBS, 2, MONTHS, LANES))
    ranges.range_block(
        segments, jobs, loads, ready, X, provider_of, out, place.scratch(JOBS, POOLS, SEGMENTS, LANES), lo, hi
    )
    done = out.use * loads.speed[:, :, None]
    for j in range(2):
        mine = done[:, provider_of == j].sum(1)
        assert (lo[:, j] <= mine + 1e-9).all() and (mine <= hi[:, j] + 1e-9).all()


def test_idle_hours_by_cause():
    """P-06, by hand: pool 0 has 10 h, pool 1 has 4 h; job 0 (3 h of work) runs in pool 0; job 1 (gang too large for pool 0)
    has 2 h of work beyond pool 1; job 2 (5 h of work) may run nowhere; all speeds are 1."""
    one = np.ones((1, 1))
    segments = place.Segments(np.array([0, 1]), np.array([10.0, 4.0])[:, None, None] * one, np.zeros((2, 1, 1)))
    jobs = place.Jobs(
        np.array([[1, 0], [1, 1], [0, 0]]), np.array([0, 1, 0]), np.zeros(3, np.int64), np.arange(3), np.arange(2),
        np.array([-1, -1]), slots.one_block(3),
    )  # fmt: skip
    loads = place.Loads(np.array([3.0, 6.0, 5.0])[:, None, None] * one, np.ones((3, 2, 1)), np.ones((3, 1)), np.zeros((3, 2, 1)))
    ready, X = np.array([8.0, 16.0])[:, None, None] * one, np.array([[1.0], [16.0]])
    out = place.placement(3, 2, 2, 1, 1)
    place.place_block(segments, jobs, loads, ready, X, place.scratch(3, 2, 2, 1), out)
    np.testing.assert_allclose(out.use[:, :, 0, 0], [[3.0, 0.0], [0.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(out.idle[:, :, 0, 0], [[0.0, 0.0], [5.0, 0.0], [2.0, 0.0]])
    np.testing.assert_allclose(out.dual[:, 0, 0], [0.0, 1.0])


def by_hand(cap, cost, eligible, work, value, rank_k):
    """One month, one path, all speeds 1, no gangs: what `place_block` makes of it."""
    w, k, one = len(work), len(cap), np.ones((1, 1))
    segments = place.Segments(np.arange(k), np.array(cap)[:, None, None] * one, np.array(cost)[:, None, None] * one)
    none = np.full(max(w, k), -1)
    jobs = place.Jobs(np.array(eligible), none[:w], np.zeros(w, np.int64), np.arange(w), np.array(rank_k), none[:k], slots.one_block(w))
    loads = place.Loads(
        np.array(work)[:, None, None] * one, np.ones((w, k, 1)), np.array(value)[:, None] * np.ones((1, 1)), np.zeros((w, k, 1))
    )
    out = place.placement(w, k, k, 1, 1)
    place.place_block(segments, jobs, loads, np.ones((k, 1, 1)), np.ones((1, 1)), place.scratch(w, k, k, 1), out)
    return out


@pytest.mark.parametrize("rank_k, blamed", [([0, 1], [5.0, 0.0]), ([1, 0], [1.0, 4.0])])
def test_unserved_work_is_blamed_once(rank_k, blamed):
    """P-06, by hand: 5 h of work may run nowhere; pools of 10 h and 4 h stand idle; the pool first by rank takes the blame first."""
    out = by_hand([10.0, 4.0], [0.0, 0.0], [[0, 0]], [5.0], [1.0], rank_k)
    np.testing.assert_allclose(out.idle[1, :, 0, 0], blamed)
    np.testing.assert_allclose(out.idle[:, :, 0, 0].sum(0), [10.0, 4.0])


@pytest.mark.parametrize("work, worth", [(6.0, 3.0), (3.0, 0.5)])
def test_dual_counts_the_price_of_a_segment(work, worth):
    """P-06, by hand: 4 h at 0.50 USD, a job that earns 3 USD/h. Pool full: a free hour more earns 3. Partly used: it saves 0.50."""
    out = by_hand([4.0], [0.5], [[1]], [work], [3.0], [0])
    np.testing.assert_allclose(out.dual[:, 0, 0], [worth])


def test_a_month_without_a_certificate_is_named():
    """A demand that is not a number cannot be certified: the first such month is in `status`, other paths are untouched."""
    segments, jobs, loads, ready, X = book(3)
    loads.work[1, 2, 4] = np.nan
    out = place.placement(JOBS, POOLS, SEGMENTS, MONTHS, LANES)
    place.place_block(segments, jobs, loads, ready, X, place.scratch(JOBS, POOLS, SEGMENTS, LANES), out)
    assert out.status.tolist() == [0, 0, 0, 0, 3, 0, 0, 0]
    assert not out.gap[4] <= 1e-9
    assert out.gap[:4] == pytest.approx(0.0, abs=1e-9)
