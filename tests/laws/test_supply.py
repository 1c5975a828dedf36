"""Laws of supply: hours add up, and nothing that comes later or smaller makes more (S-01 to S-05)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.kernels.supply import Lots, Pools, Sites, Supply, supply_block

LANES, MONTHS, LOTS, STEPS, SITES, POOLS = 8, 24, 9, 6, 2, 4
HOURS = np.full(MONTHS, 730.5)
FLOATING = 1e-12  # relative to gross hours or to all GPUs
few = settings(max_examples=40, deadline=None)
seeds, part = st.integers(0, 10**6), st.integers(0, 10**3)


def whole(values):
    return np.array(values, np.int64)


def book(seed, shells=True):
    """(lots, sites, pools, X): two sites with two chips each; GPUs and MW are of one size, so that anything may bind."""
    rng = np.random.default_rng(seed)
    rows = []

    def x(n, low, high):
        rows.append(rng.uniform(low, high, (n, LANES)))
        last = sum(len(r) for r in rows)
        return np.arange(last - n, last)

    def steps():
        return x(STEPS, 0.2, 1.0), rng.integers(0, 12, STEPS), x(STEPS, 0, 6), rng.integers(0, 3, STEPS)

    lots = Lots(
        rng.integers(0, POOLS, LOTS), rng.integers(-1, 12, LOTS), x(LOTS, 100, 800), x(LOTS, 0.5, 8), x(LOTS, 0, 6),
        x(LOTS, 0, 3), rng.integers(0, 2, LOTS) * rng.integers(0, 2, LOTS),
    )  # fmt: skip
    sites = Sites(
        whole([0, 3, STEPS]), *steps(), whole([0, 3, STEPS] if shells else [0, 0, 0]), *steps(),
        x(SITES, 1.05, 1.5), x(SITES, 0, 0.1), x(SITES, 0, 0.2), x(SITES, 0, 0.1), x(SITES, 0.9, 1),
    )  # fmt: skip
    pools = Pools(
        whole([0, 1, 1, 0]), whole([0, 0, 1, 1]), x(POOLS, 0.5, 2), x(POOLS, 1, 1.3), whole([0, 3, 2, 3]), whole([3, 0, 2, 1]),
        whole([0, 1, 1, 0]), whole([-1] * POOLS), whole([-1] * POOLS), whole([0, 1]),
    )
    return lots, sites, pools, np.concatenate(rows)


def supplied(lots, sites, pools, X):
    shape = (POOLS, MONTHS, X.shape[1])
    other = {"binding": np.zeros(shape, np.int64), "late": np.zeros((4, *shape)), "energised": np.zeros((SITES, *shape[1:]))}
    other["allotted"] = other["energised"]
    out = Supply(**{name: other.get(name, np.zeros(shape)) for name in Supply._fields})
    supply_block(lots, sites, pools, X, HOURS, out)
    return out


def changed(X, rows, times=1.0, plus=0.0):
    X = X.copy()
    X[rows] = X[rows] * times + plus
    return X


@few
@given(seeds, st.booleans())
def test_hours_add_up(seed, shells):
    out = supplied(*book(seed, shells))
    planned, ready = out.planned * HOURS[:, None], out.ready * HOURS[:, None]
    gross = np.maximum(planned + out.early, 1.0)
    assert (np.abs(planned + out.early - ready - out.late.sum(axis=0)) <= FLOATING * gross).all()
    assert (np.abs(ready - out.offered - out.down) <= FLOATING * gross).all()
    for values in out:
        assert np.isfinite(values).all() and (values >= 0).all()
    assert (np.minimum(out.early, out.late.sum(axis=0)) == 0.0).all()


@few
@given(seeds)
def test_a_cause_is_named_exactly_where_hours_are_late(seed):
    out = supplied(*book(seed))
    assert ((out.binding == 0) == (out.late.sum(axis=0) == 0.0)).all()
    for cause in (1, 2, 3, 4):
        named = out.binding == cause
        assert (out.late[cause - 1][named] == out.late.max(axis=0)[named]).all()


@few
@given(seeds, part, st.floats(0, 9))
def test_a_lot_that_slips_never_raises_ready_hours(seed, g, months):
    lots, sites, pools, X = book(seed)
    g %= LOTS
    k = lots.pool[g]
    before = supplied(lots, sites, pools, X)
    for row in (lots.slip_x[g], lots.acceptance_x[g]):
        after = supplied(lots, sites, pools, changed(X, row, plus=months))
        assert (np.cumsum(after.ready[k], axis=0) <= np.cumsum(before.ready[k], axis=0)).all()
        assert (after.planned == before.planned).all()


@few
@given(seeds, part, st.floats(0, 9))
def test_a_step_that_slips_never_raises_ready_hours(seed, s, months):
    lots, sites, pools, X = book(seed)
    before = supplied(lots, sites, pools, X).ready
    for row in (sites.step_slip_x[s % STEPS], sites.shell_slip_x[s % STEPS]):
        assert (supplied(lots, sites, pools, changed(X, row, plus=months)).ready <= before).all()


@few
@given(seeds, part, st.floats(0, 2))
def test_more_megawatts_never_lower_ready(seed, s, mw):
    lots, sites, pools, X = book(seed)
    before = supplied(lots, sites, pools, X).ready
    for row in (sites.step_mw_x[s % STEPS], sites.shell_mw_x[s % STEPS]):
        assert (supplied(lots, sites, pools, changed(X, row, plus=mw)).ready >= before).all()


@few
@given(seeds)
def test_newest_chips_come_first(seed):
    lots, sites, pools, X = book(seed)
    out = supplied(lots, sites, pools, X)
    for new, old in ((3, 0), (2, 1)):
        short = np.minimum(out.powered[new], out.shelled[new]) < out.delivered[new] * (1.0 - FLOATING)
        assert (out.ready[old][short] <= FLOATING * out.planned.max()).all()


@few
@given(seeds)
def test_what_is_ready_never_draws_more_than_the_site_has(seed):
    lots, sites, pools, X = book(seed)
    out = supplied(lots, sites, pools, X)
    for t in range(SITES):
        drawn = np.zeros((MONTHS, LANES))
        for k in np.flatnonzero(pools.site == t):
            pue = X[sites.peak_pue_x[t]] if pools.kw_basis[k] != 3 else 1.0
            drawn += out.ready[k] * X[pools.kw_x[k]] * X[pools.overhead_x[k]] * pue / 1000.0
        free = 1.0 - X[sites.reserve_x[t]] - X[sites.non_gpu_x[t]]
        assert (drawn <= out.energised[t] * free * (1.0 + FLOATING)).all()


@few
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_lots_is_irrelevant(seed, random):
    lots, sites, pools, X = book(seed)
    turn = list(range(LOTS))
    random.shuffle(turn)
    before, after = supplied(lots, sites, pools, X), supplied(Lots(*(column[turn] for column in lots)), sites, pools, X)
    most = before.planned.max()
    for name in ("planned", "delivered", "accepted", "ready"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=FLOATING, abs=FLOATING * most)


@few
@given(seeds)
def test_twice_the_gpus_and_the_megawatts_make_twice_the_hours(seed):
    lots, sites, pools, X = book(seed)
    before = supplied(lots, sites, pools, X)
    after = supplied(lots, sites, pools, changed(X, np.concatenate([lots.gpus_x, sites.step_mw_x, sites.shell_mw_x]), times=2.0))
    for name in ("planned", "ready", "offered", "down", "late", "early", "energised"):
        assert (getattr(after, name) == 2.0 * getattr(before, name)).all()
    assert (after.binding == before.binding).all()


@few
@given(seeds)
def test_a_shell_like_the_power_changes_nothing(seed):
    lots, sites, pools, X = book(seed, shells=False)
    alike = sites._replace(
        shell_first=sites.step_first, shell_mw_x=sites.step_mw_x, shell_month=sites.step_month,
        shell_slip_x=sites.step_slip_x, shell_basis=sites.step_basis,
    )  # fmt: skip
    bare, walled = supplied(lots, sites, pools, X), supplied(lots, alike, pools, X)
    for name in ("ready", "late", "binding", "powered"):
        assert (getattr(bare, name) == getattr(walled, name)).all()
    assert (bare.shelled == 1e18).all() and (walled.shelled == walled.powered).all()


@few
@given(seeds)
def test_a_path_never_reads_another(seed):
    lots, sites, pools, X = book(seed)
    whole_block, turned = supplied(lots, sites, pools, X), supplied(lots, sites, pools, np.ascontiguousarray(X[:, ::-1]))
    for before, after in zip(whole_block, turned):
        assert (after[..., ::-1] == before).all()
