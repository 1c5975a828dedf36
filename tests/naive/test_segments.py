"""What an hour costs at the margin (P-02): segments against a twin of plain Python, and by hand through placement."""

import numpy as np
import pytest

from offtake.kernels import segments, settle

from ..deals import block_of, monthly
from .money import C, L, M
from .rights import amount_of
from .test_money import scheduled

Q = 42  # three segments for each of 14 pools


def segmented(seed):
    terms, _, _, owner, _, _, offered, X, Y, r, schedule = scheduled(seed)
    pool, kind = np.repeat(np.arange(14), 3), np.tile(np.arange(3), 14)
    alive = r.uniform(0, 1, (C, M, L))
    cap, cost = np.zeros((Q, M, L)), np.zeros((Q, M, L))
    settle.segments_block(terms, schedule, alive, owner, offered, pool, kind, X, Y, cap, cost)
    return terms, schedule, alive, owner, offered, pool, kind, X, Y, cap, cost


def test_hours_used_and_open_add_up():
    """Over workloads, and over the segments of each pool, in whatever order the segments stand."""
    r = np.random.default_rng(3)
    use, cap, pool = r.uniform(0, 9, (3, 4, M, L)), r.uniform(0, 9, (9, M, L)), np.array([1, 0, 3, 2, 1, 0, 0, 3, 1])
    used, room = np.full((2, 4, M, L), np.nan)
    segments.sum_block(use, pool, cap, used, room)
    assert np.array_equal(used, use[0] + use[1] + use[2])
    for k in range(4):
        np.testing.assert_allclose(room[k], cap[pool == k].sum(axis=0), rtol=1e-14)


def free_twin(terms, schedule, hours, X, c, i, m):
    """Share of the hours offered in m's commitment year (or term) that its amount pays; what the horizon cuts off is paid pro rata."""
    start, term = terms.starts[c], int(X[terms.term_x[c], i] + 0.5)
    first, last = start, start + term
    if terms.form[c] == 3 and terms.true_up[c] == 1:
        first = start + (m - start) // 12 * 12
        last = min(first + 12, last)
    amount, length = amount_of(terms, X, c, i, m)
    seen = range(first, min(last, M))
    worth = sum(schedule.price[c, n, i] * hours[n] for n in seen)
    return min(amount * len(seen) / length / worth, 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_segments(seed):
    """An hour is free while its use is paid anyway, costs the price up to the commitment, and what lies beyond it the overage price."""
    terms, schedule, alive, owner, offered, pool, kind, X, Y, cap, cost = segmented(seed)
    for q in range(Q):
        c = owner[pool[q]]
        for i in range(0, L, 3):
            hours = offered[owner == c, :, i].sum(axis=0)
            for m in range(M):
                committed, available = schedule.committed[c, m, i], schedule.available[c, m, i]
                share = X[terms.take_or_pay_x[c], i] if terms.form[c] == 1 else 1.0
                inside = schedule.in_term[c, m, i]
                part = min(committed / hours[m], 1.0) if terms.allows_overage[c] else 1.0
                part = min(available / hours[m], 1.0) if terms.gpus_x[c] >= 0 else part
                due = max(share * committed - max(committed - available, 0.0), 0.0)
                free = min(due / hours[m], part) if terms.form[c] == 1 else part
                if terms.form[c] >= 2 and inside:
                    part = free = free_twin(terms, schedule, hours, X, c, i, m)
                own = offered[pool[q], m, i] * alive[c, m, i] * inside
                want = own * (free, max(part - free, 0.0), 1 - max(part, free))[kind[q]]
                assert cap[q, m, i] == pytest.approx(want, rel=1e-9, abs=1e-6)
                dear = Y[terms.overage_y[c], m, i] if terms.overage_y[c] >= 0 else schedule.price[c, m, i]
                k = terms.price_k[pool[q]]
                price = Y[k, m, i] * schedule.factor[c, m, i] if k >= 0 else schedule.price[c, m, i]
                assert cost[q, m, i] == (0.0, price, dear)[kind[q]]


CHEAP = {"workloads": {"work": {"value": "1 USD/GPU-h"}}}
FULL = {"2026-01": "150000 GPU-h/month"}


def test_an_amount_in_usd_is_spread_over_the_hours_offered():
    """150,000 h of 434,400 are paid by 300,000 USD at 2: work worth 1 takes 150,000 / 434,400 of each month, and all is burned."""
    deal = {"form": "burn_down", "total": "300000 USD", "term": "6 months", "price": "2 USD/GPU-h", "at_end": "lapse"}
    block = block_of(deal, FULL, CHEAP)
    used = monthly(block, "used")[:, 0]
    assert used[0] == pytest.approx(74_400 * 150_000 / 434_400) and used[:6].sum() == pytest.approx(150_000)
    assert monthly(block, "lapsed").sum() == pytest.approx(0.0, abs=1e-6)
    assert monthly(block, "overage").sum() == pytest.approx(0.0, abs=1e-6)
    more = block_of({**deal, "total": "1 M USD"}, FULL, CHEAP)  # more than 868,800 USD of hours: every hour is free
    assert monthly(more, "used")[:6, 0].sum() == pytest.approx(434_400)


def test_each_commitment_year_has_its_own_share():
    """876,000 of the 1,752,000 USD that a year's hours cost: half of the hours; 438,000 in the second year: a quarter."""
    deal = {"form": "build_up", "total": "1314000 USD", "committed": ["876000 USD", "438000 USD"], "term": "24 months",
            "price": "2 USD/GPU-h", "true_up": "year", "recognition": "usage"}  # fmt: skip
    used = monthly(block_of(deal, FULL, CHEAP), "used")[:, 0]
    assert used[0] == pytest.approx(37_200) and used[12] == pytest.approx(18_600)


def test_work_worth_less_than_the_price_leaves_make_up_alone():
    """Stated error of the rule: due hours are free, hours above them cost the price, though make-up may have paid them (C-04, P-02)."""
    deal = {"form": "take_or_pay", "total": "2 M USD", "term": "12 months", "price": "2 USD/GPU-h", "take_or_pay": "80 %",
            "true_up": "month", "ramp": "calendar", "at_end": "lapse", "recognition": "usage",
            "makeup": {"expires": "6 months"}}  # fmt: skip
    work = {"2026-01": "40000 GPU-h/month", "2026-02": "150000 GPU-h/month"}
    assert monthly(block_of(deal, work), "makeup")[1, 0] == pytest.approx(13_440)
    assert monthly(block_of(deal, work, CHEAP), "makeup")[:, 0].sum() == 0.0
