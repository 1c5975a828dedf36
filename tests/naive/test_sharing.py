"""Several contracts on one site against plain Python: GPUs by claim, power by priority, MW allotted; and by hand."""

import numpy as np
import pytest

from offtake.kernels.supply import Lots, Pools, Sites, sunk_block

from .test_supply import LANES, MONTHS, RATIO, Tables, filled, naive_counts, naive_limits, whole


def shared_book(seed):
    """Site 0 has two chips and contracts A and B, site 1 one chip and contract C; lots fall on A's pools and on C's."""
    rng = np.random.default_rng(seed)
    table = Tables()

    def x(n, low, high):
        return table.x([rng.uniform(low, high, LANES) for _ in range(n)])

    lots = Lots(
        whole([0, 1, 4, *rng.choice([0, 1, 4], 4)]), rng.integers(-2, 8, 7), x(7, 100, 900), x(7, 0.5, 6), x(7, -2, 5), x(7, 0, 3),
        whole([1, 0, 0, 0, 1, 0, 0]),
    )  # fmt: skip
    sites = Sites(
        whole([0, 2, 4]), x(4, 0.3, 1.5), rng.integers(0, 8, 4), x(4, -1, 6), rng.integers(0, 3, 4),
        whole([0, 2, 2]), x(2, 0.3, 1.5), rng.integers(0, 8, 2), x(2, 0, 6), rng.integers(0, 3, 2),
        x(2, 1.05, 1.5), x(2, 0, 0.1), x(2, 0, 0.2), x(2, 0, 0.1), x(2, 0.9, 1),
    )  # fmt: skip
    claim = whole([*x(2, 50, 900), -1, *x(1, 20, 300), -1])
    kw, overhead = x(2, 0.7, 2), x(2, 1, 1.3)
    pools = Pools(
        whole([0, 0, 0, 0, 1]), whole([0, 1, 0, 1, 0]), kw[[0, 1, 0, 1, 0]], overhead[[0, 1, 0, 1, 0]], whole([0, 3, 0, 3, 0]),
        whole([1, 0, 3, 2, 4]), whole([0, 0, 1, 1, 2]), claim, whole([2, 3, -1, -1, -1]), whole([0, 0, 1]),
    )  # fmt: skip
    return lots, sites, pools, table.X(), rng.uniform(670.0, 745.0, MONTHS)


def naive_claims(pools, X, k, there, i):
    """Of what is there of a chip (first pool k), by pool: first served first, the last one no more than it claims either."""
    found = {}
    while k >= 0:
        asked = there if pools.claim_x[k] < 0 else X[pools.claim_x[k], i]
        found[k] = asked if asked < there else there
        there -= found[k]
        k = pools.heir[k]
    return found


def naive_shares(book, last, i):
    """Share of each part in its site: kW of the GPUs promised at the end."""
    lots, sites, pools, X, _ = book
    kw = np.zeros(len(pools.part_site))
    for first in (0, 1, 4):
        for k, gpus in naive_claims(pools, X, first, naive_counts(lots, X, first, last, i)[0], i).items():
            facility = X[sites.peak_pue_x[pools.site[k]], i] if pools.kw_basis[k] == 3 else 1.0
            kw[pools.part[k]] += gpus * X[pools.kw_x[k], i] * X[pools.overhead_x[k], i] / facility
    return [kw[b] / sum(kw[j] for j in range(len(kw)) if pools.part_site[j] == t) for b, t in enumerate(pools.part_site)]


@pytest.mark.parametrize("seed", range(4))
def test_claims_power_and_parts(seed):
    book = shared_book(seed)
    lots, _, pools, X, _ = book
    out = filled(*book)
    for i in range(0, LANES, 7):
        shares = naive_shares(book, MONTHS - 1, i)
        for m in range(MONTHS):
            counts = [[0.0] * 3 for _ in pools.site]
            for first in (0, 1, 4):
                for n, there in enumerate(naive_counts(lots, X, first, m, i)):
                    for k, gpus in naive_claims(pools, X, first, there, i).items():
                        counts[k][n] = gpus
            for k, (planned, delivered, accepted) in enumerate(counts):
                assert out.planned[k, m, i] == pytest.approx(planned, rel=RATIO, abs=1e-9)
                assert out.delivered[k, m, i] == pytest.approx(delivered, rel=RATIO, abs=1e-9)
                assert out.accepted[k, m, i] == pytest.approx(accepted, rel=RATIO, abs=1e-9)
            for t in range(2):
                limits, mw = naive_limits(book, counts, t, m, i)
                for k, powered, shelled in limits:
                    assert out.powered[k, m, i] == pytest.approx(powered, rel=RATIO, abs=1e-9)
                    assert out.shelled[k, m, i] == pytest.approx(shelled, rel=RATIO, abs=1e-9)
                for b in np.flatnonzero(pools.part_site == t):
                    assert out.allotted[b, m, i] == pytest.approx(mw * shares[b], rel=RATIO)


@pytest.mark.parametrize("seed", range(4))
def test_what_ran_before(seed):
    lots, _, pools, X, _ = shared_book(seed)
    out = np.full((5, 1, LANES), np.nan)
    sunk_block(lots, pools, X, out)
    for i in range(LANES):
        for first in (0, 1, 4):
            there = sum(X[lots.gpus_x[g], i] for g in range(len(lots.pool)) if lots.pool[g] == first and lots.running[g])
            for k, gpus in naive_claims(pools, X, first, there, i).items():
                assert out[k, 0, i] == pytest.approx(gpus, rel=RATIO)


def test_two_contracts_by_hand():
    """100 GPUs of 1 kW and 70 kW: A claims 60 and has them, B is promised 40 and has power for 10; 84 kW stand 60 to 40."""
    table = Tables()
    lots = Lots(*[whole([0]), whole([0]), *(table.x([v]) for v in (100, 1, 0, 0))], whole([1]))
    none = whole([])
    sites = Sites(
        whole([0, 1]), table.x([0.07]), whole([0]), table.x([0]), whole([0]), whole([0, 0]), none, none, none, none,
        table.x([1.2]), table.x([0]), table.x([0]), table.x([0]), table.x([1]),
    )  # fmt: skip
    one = table.x([1])
    pools = Pools(
        whole([0, 0]), whole([0, 0]), one[[0, 0]], one[[0, 0]], whole([0, 0]), whole([0, 1]), whole([0, 1]),
        whole([table.x([60])[0], -1]), whole([1, -1]), whole([0, 0]),
    )  # fmt: skip
    out = filled(lots, sites, pools, table.X(), np.full(2, 100.0))
    assert out.planned[:, 1, 0].tolist() == [60.0, 40.0]
    assert out.ready[:, 1, 0] == pytest.approx([60.0, 10.0], rel=RATIO)
    assert out.binding[:, 1, 0].tolist() == [0, 2]
    assert out.allotted[:, 1, 0] == pytest.approx([0.0504, 0.0336], rel=RATIO)
