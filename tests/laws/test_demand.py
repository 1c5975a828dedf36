"""Laws of demand: what scales, what is conserved, what a larger gang or a better chip does (D-01 to D-03, P-03)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.kernels.demand import Demand, Fabrics, Places, Workloads, demand_block

LANES, MONTHS, CHIPS, POOLS, WORKS = 8, 30, 3, 5, 3
INFERENCE, TRAINING, BATCH = 0, 1, 2  # one workload of each kind
FLOATING = 1e-12
few = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 10**6)


def whole(values):
    return np.array(values, np.int64)


def book(seed):
    """(works, fabrics, places, X, Y); each workload has its own rows; four runs, all inside the horizon."""
    rng = np.random.default_rng(seed)
    rows = []

    def x(low, high, *shape):
        rows.append(rng.uniform(low, high, (int(np.prod(shape)), LANES)))
        last = sum(len(r) for r in rows)
        return np.arange(last - int(np.prod(shape)), last).reshape(shape)

    Y = rng.uniform(1.0, 3.0, (7 * WORKS, MONTHS, LANES))
    y = [np.arange(n * WORKS, (n + 1) * WORKS) for n in range(7)]
    works = Workloads(
        whole([INFERENCE, TRAINING, BATCH]), *y[:5], x(0, 1, WORKS), x(1, 2, WORKS), y[5], y[6],
        x(0.2, 1, WORKS), x(0.2, 0.6, WORKS), x(0.7, 1, WORKS), x(1, 1e5, WORKS), x(1, 5, WORKS), x(0, 1, WORKS),
        rng.integers(0, CHIPS, WORKS), whole([0, 0, 1]), x(1e3, 1e4, WORKS, CHIPS), x(1e15, 9e15, WORKS, CHIPS),
        rng.integers(0, 2, WORKS), rng.integers(0, 2, (WORKS, POOLS)),
        whole([0, 0, 4, 4]), x(1e24, 1e26, 4), rng.integers(0, 20, 4), x(0.0, 9.9, 4),
    )  # fmt: skip
    fabrics = Fabrics(x(1e3, 1e5, 2), x(1e4, 1e6, 2))
    places = Places(rng.integers(0, 2, POOLS), rng.integers(0, CHIPS, POOLS), rng.integers(0, 2, POOLS))
    return works, fabrics, places, np.concatenate(rows), Y


def demanded(works, fabrics, places, X, Y):
    z = np.zeros
    out = Demand(z((WORKS, Y.shape[1], LANES)), z((WORKS, POOLS, LANES)), z((WORKS, LANES)), z((WORKS, POOLS, LANES)))
    demand_block(works, fabrics, places, X, Y, out)
    return out


def times(rows, number, by):
    rows = rows.copy()
    rows[number] *= by
    return rows


@few
@given(seeds)
def test_all_is_finite_and_none_is_negative(seed):
    for values in demanded(*book(seed)):
        assert np.isfinite(values).all() and (values >= 0.0).all()


@few
@given(seeds, st.sampled_from([0.5, 2.0, 4.0]))
def test_users_scale_inference_and_nothing_else(seed, by):
    works, fabrics, places, X, Y = book(seed)
    Y[works.tokens_y[INFERENCE]] = 0.0
    before = demanded(works, fabrics, places, X, Y).work
    for number in (works.users_y, works.requests_y):
        after = demanded(works, fabrics, places, X, times(Y, number, by)).work
        assert (after[INFERENCE] == by * before[INFERENCE]).all()
        assert (after[1:] == before[1:]).all()


@few
@given(seeds, st.floats(0.1, 10))
def test_tokens_come_beside_users(seed, by):
    works, fabrics, places, X, Y = book(seed)
    alone = demanded(works, fabrics, places, X, times(Y, works.users_y, 0.0)).work[INFERENCE]
    users = demanded(works, fabrics, places, X, times(Y, works.tokens_y, 0.0)).work[INFERENCE]
    both = demanded(works, fabrics, places, X, times(Y, works.tokens_y, by)).work[INFERENCE]
    assert both == pytest.approx(users + by * alone, rel=FLOATING)


@few
@given(seeds)
def test_flop_of_runs_inside_the_horizon_are_conserved(seed):
    works, fabrics, places, X, Y = book(seed)
    Y[works.efficiency_y] = 1.0
    out = demanded(works, fabrics, places, X, Y)
    assert out.work[TRAINING].sum(axis=0) == pytest.approx(X[works.run_flop_x].sum(axis=0), rel=FLOATING)


@few
@given(seeds, st.sampled_from([0.5, 2.0, 8.0]))
def test_efficiency_divides_all_work(seed, by):
    works, fabrics, places, X, Y = book(seed)
    before, after = demanded(works, fabrics, places, X, Y), demanded(works, fabrics, places, X, times(Y, works.efficiency_y, by))
    assert (after.work * by == before.work).all()
    assert (after.speed == before.speed).all() and (after.value == before.value).all()


@few
@given(seeds, st.floats(1, 100))
def test_a_larger_gang_never_trains_faster_and_a_better_fabric_never_slower(seed, by):
    works, fabrics, places, X, Y = book(seed)
    before = demanded(works, fabrics, places, X, Y)
    gang, fabric = (demanded(works, fabrics, places, times(X, rows, by), Y) for rows in (works.gang_x, fabrics.half_x))
    assert (gang.speed <= before.speed).all() and (fabric.speed >= before.speed).all()
    for other in (gang, fabric):
        assert (other.speed[[INFERENCE, BATCH]] == before.speed[[INFERENCE, BATCH]]).all()
        assert (other.value == before.value).all()


@few
@given(seeds)
def test_a_reference_hour_is_worth_its_value(seed):
    """Value x speed on the reference chip, without the roofline, is USD per hour of that chip."""
    works, fabrics, places, X, Y = book(seed)
    works = works._replace(eligible=np.ones((WORKS, POOLS), np.int64), gang_x=whole([-1, -1, -1]))
    out = demanded(works, fabrics, places._replace(chip=np.repeat(works.reference, 2)[:POOLS]), X, Y)
    for w, k in ((INFERENCE, 0), (TRAINING, 2), (BATCH, 4)):
        assert out.value[w] * out.speed[w, k] == pytest.approx(X[works.value_x[w]], rel=FLOATING)


@few
@given(seeds)
def test_speed_only_where_it_may_run_and_moving_only_away_from_home(seed):
    works, fabrics, places, X, Y = book(seed)
    out = demanded(works, fabrics, places, X, Y)
    assert ((out.speed > 0.0) == (works.eligible != 0)[:, :, None]).all()
    assert ((out.moving > 0.0) == (places.contract[None, :] != works.home[:, None])[:, :, None]).all()


@few
@given(seeds)
def test_a_path_never_reads_another(seed):
    works, fabrics, places, X, Y = book(seed)
    before = demanded(works, fabrics, places, X, Y)
    after = demanded(works, fabrics, places, np.ascontiguousarray(X[:, ::-1]), np.ascontiguousarray(Y[..., ::-1]))
    for one, other in zip(before, after):
        assert (other[..., ::-1] == one).all()
