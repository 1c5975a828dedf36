"""Supply against plain Python, path by path, and against numbers worked out by hand.

Hand cases: months of 100 hours, one site with PUE 1.25, no reserve, no other load, 1 kW of IT power per GPU unless said.
"""

import numba
import numpy as np
import pytest

from offtake.kernels.supply import Lots, Pools, Sites, Supply, supply_block

LANES = 4 if numba.config.DISABLE_JIT else 64
RATIO = 1e-12  # relative, where something is divided
MONTHS = 14


class Tables:
    """Hands out rows of X."""

    def __init__(self, lanes=LANES):
        self.lanes, self.rows = lanes, []

    def x(self, values):
        """Rows for a list of numbers or of arrays (L,)."""
        first = len(self.rows)
        self.rows += [np.full(self.lanes, v) if np.ndim(v) == 0 else np.asarray(v, float) for v in values]
        return np.arange(first, len(self.rows), dtype=np.int64)

    def X(self):
        return np.array(self.rows, float)


def whole(values):
    return np.array(values, np.int64)


def alone(site):
    """`part`, `claim_x`, `heir` and `part_site` of pools whose sites have one contract each."""
    nothing = whole([-1] * len(site))
    return whole(site), nothing, nothing, whole(range(max(site) + 1))


def filled(lots, sites, pools, X, hours, limits=True):
    k, t, m, lanes = len(pools.site), len(sites.peak_pue_x), len(hours), X.shape[1]
    rows = {} if limits else {name: np.zeros((0, m, lanes)) for name in ("powered", "shelled")}
    other = rows | {
        "binding": np.full((k, m, lanes), 9),
        "late": np.full((4, k, m, lanes), np.nan),
        "energised": np.full((t, m, lanes), np.nan),
    }
    other["allotted"] = np.full((len(pools.part_site), m, lanes), np.nan) if len(pools.part_site) > t else other["energised"]
    out = Supply(**{name: other.get(name, np.full((k, m, lanes), np.nan)) for name in Supply._fields})
    supply_block(lots, sites, pools, X, hours, out)
    return out


def random_book(seed):
    """Three sites with shared chips, five pools, nine lots; slips of both signs so that some are early."""
    rng = np.random.default_rng(seed)
    table = Tables()

    def x(n, low, high):
        return table.x([rng.uniform(low, high, LANES) for _ in range(n)])

    pool = whole([0, 1, 2, 3, 4, *rng.integers(0, 5, 4)])
    lots = Lots(
        pool, rng.integers(-2, 8, 9), x(9, 100, 900), x(9, 0.5, 6), x(9, -2, 5), x(9, 0, 3), whole([1, 0, 0, 0, 0, 0, 0, 0, 1])
    )
    steps, shells = whole([0, 2, 4, 5]), whole([0, 2, 2, 4])
    sites = Sites(
        steps, x(5, 0.3, 1.5), rng.integers(0, 8, 5), x(5, -1, 6), rng.integers(0, 3, 5),
        shells, x(4, 0.3, 1.5), rng.integers(0, 8, 4), x(4, 0, 6), rng.integers(0, 3, 4),
        x(3, 1.05, 1.5), x(3, 0, 0.1), x(3, 0, 0.2), x(3, 0, 0.1), x(3, 0.9, 1),
    )  # fmt: skip
    pools = Pools(
        whole([0, 0, 1, 1, 2]), whole([0, 1, 0, 1, 1]), x(5, 0.7, 2), x(5, 1, 1.3), whole([0, 3, 2, 1, 0]), whole([1, 0, 3, 2, 4]),
        *alone([0, 0, 1, 1, 2]),
    )  # fmt: skip
    return lots, sites, pools, table.X(), rng.uniform(670.0, 745.0, MONTHS)


def clip(value):
    return 0.0 if value < 0.0 else 1.0 if value > 1.0 else value


def naive_counts(lots, X, k, m, i):
    """Planned, delivered, accepted GPUs of pool k."""
    counts = [0.0, 0.0, 0.0]
    for g in range(len(lots.pool)):
        if lots.pool[g] != k:
            continue
        gpus, over = X[lots.gpus_x[g], i], X[lots.over_x[g], i]
        starts = [float(lots.month[g])] * 3
        starts[1] += X[lots.slip_x[g], i]
        starts[2] += X[lots.slip_x[g], i] + X[lots.acceptance_x[g], i]
        for n, start in enumerate(starts):
            counts[n] += gpus * (1.0 if lots.running[g] else clip((m + 1 - start) / over))
    return counts


def naive_mw(steps, sites, X, t, m, i):
    """MW at the facility of one site; `steps` = (first, mw_x, month, slip_x, basis)."""
    first, mw_x, month, slip_x, basis = steps
    total = 0.0
    for s in range(first[t], first[t + 1]):
        mw = X[mw_x[s], i]
        if basis[s] == 0:
            mw = mw * X[sites.peak_pue_x[t], i]
        if basis[s] == 2:
            mw = mw * (1.0 - X[sites.losses_x[t], i])
        total += mw * clip(float(m + 1 - month[s]) - X[slip_x[s], i])
    return total


def naive_limits(book, counts, t, m, i):
    """By pool of site t, newest first: (k, GPUs by power, GPUs by shell); and the site's MW."""
    _, sites, pools, X, _ = book
    pue, free = X[sites.peak_pue_x[t], i], 1.0 - X[sites.reserve_x[t], i] - X[sites.non_gpu_x[t], i]
    mw = naive_mw(sites[0:5], sites, X, t, m, i)
    power = mw / pue * 1000.0 * free
    shell = naive_mw(sites[5:10], sites, X, t, m, i) / pue * 1000.0 * free
    if sites.shell_first[t] == sites.shell_first[t + 1]:
        shell = None
    found = []
    for k in pools.order:
        if pools.site[k] != t:
            continue
        kw = X[pools.kw_x[k], i] * X[pools.overhead_x[k], i] / (pue if pools.kw_basis[k] == 3 else 1.0)
        found.append((k, power / kw, 1e18 if shell is None else shell / kw))
        held = min(counts[k][1] * kw, power, power if shell is None else shell)
        power -= held
        shell = None if shell is None else shell - held
    return found, mw


def naive_hours(out, k, m, i, hours, availability):
    """What follows from the counts: ready, offered, down, late by cause, early, binding."""
    planned, ready = out.planned[k, m, i], min(out.accepted[k, m, i], out.powered[k, m, i], out.shelled[k, m, i])
    offered = ready * hours * availability
    late, early = [0.0] * 4, 0.0
    if ready > planned:
        early = (ready - planned) * hours
    total = (planned - ready) * hours if planned > ready else 0.0
    without = [out.delivered[k, m, i], out.powered[k, m, i], out.shelled[k, m, i]]  # were all accepted at once
    level = min(*without, planned)
    late[3] = (level - ready) * hours if level > ready else 0.0
    late[without.index(min(without))] = total - late[3]
    binding = 0 if total == 0.0 else 1 + late.index(max(late))
    return ready, offered, ready * hours - offered, late, early, binding


def test_limits_that_nobody_looks_at_have_no_rows():
    book = random_book(9)
    whole, bare = filled(*book), filled(*book, limits=False)
    for name in set(Supply._fields) - {"powered", "shelled"}:
        assert np.array_equal(getattr(whole, name), getattr(bare, name))


@pytest.mark.parametrize("seed", range(4))
def test_counts_and_limits(seed):
    book = random_book(seed)
    lots, sites, pools, X, _ = book
    out = filled(*book)
    for i in range(0, LANES, 5):
        for m in range(MONTHS):
            counts = [naive_counts(lots, X, k, m, i) for k in range(len(pools.site))]
            for k, (planned, delivered, accepted) in enumerate(counts):
                assert out.planned[k, m, i] == pytest.approx(planned, rel=RATIO)
                assert out.delivered[k, m, i] == pytest.approx(delivered, rel=RATIO)
                assert out.accepted[k, m, i] == pytest.approx(accepted, rel=RATIO)
            for t in range(len(sites.peak_pue_x)):
                limits, mw = naive_limits(book, counts, t, m, i)
                assert out.energised[t, m, i] == mw
                for k, powered, shelled in limits:
                    assert out.powered[k, m, i] == pytest.approx(powered, rel=RATIO, abs=1e-9)
                    assert out.shelled[k, m, i] == pytest.approx(shelled, rel=RATIO, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_hours_to_the_bit(seed):
    book = random_book(seed)
    _, sites, pools, X, hours = book
    out = filled(*book)
    for k, t in enumerate(pools.site):
        for m in range(MONTHS):
            for i in range(LANES):
                wanted = naive_hours(out, k, m, i, hours[m], X[sites.availability_x[t], i])
                late = [float(v) for v in out.late[:, k, m, i]]
                got = (
                    out.ready[k, m, i],
                    out.offered[k, m, i],
                    out.down[k, m, i],
                    late,
                    out.early[k, m, i],
                    out.binding[k, m, i],
                )
                assert got == wanted
    if LANES == 64:
        assert set(np.unique(out.binding)) == {0, 1, 2, 3, 4}


def hand_book(lots, power, shell=(), chips=((1.0, 1.0, 0),), order=(0,), **site):
    """lots: (pool, month, gpus, over, slip, acceptance, running); power, shell: (MW, month, slip, basis);
    chips: (kW, overhead, basis) by pool."""
    table = Tables(4)
    lot, step, wall = list(zip(*lots)), list(zip(*power)) or [()] * 4, list(zip(*shell)) or [()] * 4
    at = {"pue": 1.25, "non_gpu": 0.0, "reserve": 0.0, "losses": 0.0, "availability": 1.0, **site}
    lots = Lots(whole(lot[0]), whole(lot[1]), table.x(lot[2]), table.x(lot[3]), table.x(lot[4]), table.x(lot[5]), whole(lot[6]))
    sites = Sites(
        whole([0, len(power)]), table.x(step[0]), whole(step[1]), table.x(step[2]), whole(step[3]),
        whole([0, len(shell)]), table.x(wall[0]), whole(wall[1]), table.x(wall[2]), whole(wall[3]),
        *(table.x([at[name]]) for name in ("pue", "non_gpu", "reserve", "losses", "availability")),
    )  # fmt: skip
    kw, overhead, basis = zip(*chips)
    here = [0] * len(kw)
    pools = Pools(whole(here), whole(range(len(kw))), table.x(kw), table.x(overhead), whole(basis), whole(order), *alone(here))
    return filled(lots, sites, pools, table.X(), np.full(6, 100.0))


def test_a_late_lot_by_hand():
    """400 GPUs over 4 months from month 0, half a month late, accepted a month after; power for 1,000.

    planned    100 200 300 400 400 400      delivered  50 150 250 350 400 400
    accepted     0  50 150 250 350 400      late: chips 5,000 h until month 3, then none; acceptance 5,000, 10,000, ...
    """
    out = hand_book([(0, 0, 400, 4, 0.5, 1, 0)], [(1.0, 0, 0, 0)], availability=0.75)
    assert out.planned[0, :, 0].tolist() == [100, 200, 300, 400, 400, 400]
    assert out.delivered[0, :, 0].tolist() == [50, 150, 250, 350, 400, 400]
    assert out.accepted[0, :, 0].tolist() == out.ready[0, :, 0].tolist() == [0, 50, 150, 250, 350, 400]
    assert out.late[:, 0, :, 0].tolist() == [
        [5_000, 5_000, 5_000, 5_000, 0, 0], [0] * 6, [0] * 6, [5_000, 10_000, 10_000, 10_000, 5_000, 0],
    ]  # fmt: skip
    assert out.binding[0, :, 0].tolist() == [1, 4, 4, 4, 4, 0]
    assert out.offered[0, :, 0].tolist() == [0, 3_750, 11_250, 18_750, 26_250, 30_000]
    assert out.down[0, :, 0].tolist() == [0, 1_250, 3_750, 6_250, 8_750, 10_000]
    assert (out.shelled == 1e18).all() and not out.early.any()


def test_power_of_each_basis_by_hand():
    """1,500 GPUs there from month 0. Steps: 0.25 MW at the facility in month 0, 0.2 MW of IT power in month 1, half a month
    late, and 0.5 MW at the utility with 10 % losses in month 2.

    At the facility: 0.25; + 0.2 x 1.25 x half; + the rest, + 0.5 x 0.9 = 0.25, 0.375, 0.95 MW.
    IT kW: / 1.25 = 200, 300, 760; for GPUs 1 - 0.1 - 0.15 = 3/4 of it: 150, 225, 570.
    A GPU: 0.5 kW at the facility, overhead 1.5, / 1.25 = 0.6 kW: 250, 375, 950 GPUs.
    """
    power = [(0.25, 0, 0, 1), (0.2, 1, 0.5, 0), (0.5, 2, 0, 2)]
    lot = (0, 0, 1_500, 1, 0, 0, 0)
    out = hand_book([lot], power, chips=((0.5, 1.5, 3),), losses=0.1, reserve=0.1, non_gpu=0.15)
    assert out.energised[0, :4, 0] == pytest.approx([0.25, 0.375, 0.95, 0.95], rel=RATIO)
    assert out.ready[0, :4, 0] == pytest.approx([250, 375, 950, 950], rel=RATIO)
    assert out.late[1, 0, :4, 0] == pytest.approx([125_000, 112_500, 55_000, 55_000], rel=RATIO)
    assert (out.binding == 2).all() and not out.late[[0, 2, 3]].any()


def test_newest_chips_first_by_hand():
    """1 MW of IT power, of shell 0.9 MW. New chips (pool 1, 2 kW): 300 GPUs, accepted a month after delivery in month 1.
    Old ones (pool 0, 1 kW): 500 that run already.

    Month 0: old alone, 500. From month 1 the new ones hold 600 of the 900 kW that shell gives, also while they are being
    accepted: old 300, of 400 that power would run. New: 0 in month 1 (acceptance), 300 from month 2.
    """
    lots = [(0, 0, 500, 1, 9, 9, 1), (1, 1, 300, 1, 0, 1, 0)]
    out = hand_book(lots, [(1.0, 0, 0, 0)], [(0.9, 0, 0, 0)], chips=((1.0, 1.0, 0), (2.0, 1.0, 0)), order=(1, 0))
    assert out.ready[0, :3, 0] == pytest.approx([500, 300, 300], rel=RATIO)
    assert out.ready[1, :3, 0] == pytest.approx([0, 0, 300], rel=RATIO)
    assert out.powered[0, :3, 0] == pytest.approx([1_000, 400, 400], rel=RATIO)
    assert out.shelled[1, :3, 0] == pytest.approx([450, 450, 450], rel=RATIO)
    assert out.late[:, 0, 1, 0] == pytest.approx([0, 0, 20_000, 0], rel=RATIO)
    assert out.late[:, 1, 1, 0].tolist() == [0, 0, 0, 30_000]
    assert out.binding[:, :3, 0].tolist() == [[0, 3, 3], [0, 4, 0]]


def test_power_and_acceptance_share_the_blame_by_hand():
    """300 GPUs delivered on time in month 0, accepted half a month later; power for 200.

    Month 0: accepted 150; but for acceptance 200 would be ready. Late 150 x 100 h: 5,000 by acceptance, 10,000 by power,
    none by chips, which came on time. From month 1: 100 x 100 h, all by power.
    """
    out = hand_book([(0, 0, 300, 1, 0, 0.5, 0)], [(0.2, 0, 0, 0)])
    assert out.late[:, 0, :2, 0] == pytest.approx(np.array([[0, 0], [10_000, 10_000], [0, 0], [5_000, 0]]), rel=RATIO)
    assert out.binding[0, :2, 0].tolist() == [2, 2]


def test_an_early_lot_and_no_duration_by_hand():
    """100 GPUs at once in month 2, a month early: 100 x 100 h early in month 1, then on schedule."""
    out = hand_book([(0, 2, 100, 0, -1, 0, 0)], [(1.0, 0, 0, 0)])
    assert out.planned[0, :4, 0].tolist() == [0, 0, 100, 100]
    assert out.early[0, :4, 0].tolist() == [0, 10_000, 0, 0]
    assert not out.late.any() and not out.binding.any()


def test_a_site_without_power_runs_nothing():
    out = hand_book([(0, 0, 100, 1, 0, 0, 1)], [])
    assert not out.ready.any() and (out.late[1] == 10_000.0).all() and (out.binding == 2).all()
