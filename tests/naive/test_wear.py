"""Chips replaced, sold, and at another life against a list of cohorts; impairment against the two questions of the standard."""

import numpy as np
import pytest

from offtake.kernels import accounts, settle, wear

from .money import zeros

K, C, M, L = 4, 3, 40, 5
OWNER = np.array([0, 1, 1, 2])


def drawn(seed):
    """Four pools of three contracts: one is replaced, one asked about at another life, one only sold; whole months of life."""
    r = np.random.default_rng(seed)
    rows = []

    def put(values):
        rows.append(np.full(L, values, float) if np.ndim(values) == 0 else values)
        return len(rows) - 1

    cost, life = [put(r.uniform(1e3, 5e3, L)) for _ in range(2)], [put(r.integers(9, 16, L).astype(float)) for _ in range(K)]
    table = wear.WearTerms(
        np.array([0, 1, 3]), OWNER[[0, 1, 3]], np.array([put(r.uniform(0, 0.3, L)) for _ in range(3)]),
        np.array([put(r.uniform(0.3, 1.2, L)), -1, put(0.7)]), np.array([-1, put(r.integers(6, 30, L).astype(float)), -1]),
    )  # fmt: skip
    term = np.array([put(r.integers(10, 30, L).astype(float)) for _ in range(C)])
    terms = zeros(settle.Terms, (C,), starts=np.array([0, 3, 2]), term_x=term)
    costs = zeros(accounts.Costs, (1,), cost_x=np.array(cost), life_x=np.array(life), pool_chip=np.array([0, 1, 0, 1]))
    ready = np.maximum(0, np.cumsum(r.uniform(-3, 8, (K, M, L)), axis=1))
    sunk = r.uniform(0, 10, (K, L))
    ledger = zeros(accounts.Ledger, (C, M, L), opening=r.uniform(1e5, 1e6, (C, L)))
    for name in ("capex", "depreciation", "net", "operating_income"):
        getattr(ledger, name)[:] = r.uniform(1e5, 2e5, (C, M, L))
    out = wear.Wear(*(np.full((C, M, L), np.nan) for _ in wear.Wear._fields))
    return table, terms, costs, ready, sunk, np.array(rows), ledger, out


def cohorts_twin(table, terms, costs, ready, sunk, X, q, i):
    """Month by month: capex, change of wear, sales, worn-out GPUs and wear at the other life, from cohorts by month of first use."""
    k = table.pool[q]
    cost, life = X[costs.cost_x[costs.pool_chip[k]], i], int(X[costs.life_x[k], i])
    resale, end = X[table.resale_x[q], i], terms.starts[table.contract[q]] + int(X[terms.term_x[table.contract[q]], i])
    spent, extra, sold, old, other = (np.zeros(M) for _ in range(5))
    high = np.maximum.accumulate(np.concatenate([[sunk[k, i]], ready[k, :, i]]))[1:]
    for m, gpus in enumerate(np.diff(high, prepend=0.0)):
        extra[m : m + life] -= resale * cost * gpus / life
        if table.other_x[q] >= 0:
            asked = int(X[table.other_x[q], i])
            other[m : m + asked] += (1 - resale) * cost * gpus / asked
        done = m + life
        if done >= M:
            continue
        if table.replace_x[q] >= 0 and done < end:
            price = X[table.replace_x[q], i] * cost
            spent[done] += price * gpus
            extra[done : done + life] += (1 - resale) * price * gpus / life
        gone = done if table.replace_x[q] >= 0 else max(done, end)
        sold[gone : gone + 1] += resale * cost * gpus
        if table.replace_x[q] < 0:
            old[done:gone] += gpus
    return spent, extra, sold, old, other


@pytest.mark.parametrize("seed", range(4))
def test_replaced_sold_and_asked(seed):
    table, terms, costs, ready, sunk, X, ledger, out = drawn(seed)
    before = accounts.Ledger(*(field.copy() for field in ledger))
    wear.wear_block(table, costs, terms, ready, sunk, X, ledger, out)
    for c in range(C):
        for i in range(L):
            parts = [cohorts_twin(table, terms, costs, ready, sunk, X, q, i) for q in range(3) if table.contract[q] == c]
            spent, extra, sold, old, other = (sum(each) for each in zip(*parts))
            close = {"rtol": 1e-9, "atol": 1e-5}
            np.testing.assert_allclose(ledger.capex[c, :, i] - before.capex[c, :, i], spent, **close)
            np.testing.assert_allclose(ledger.depreciation[c, :, i] - before.depreciation[c, :, i], extra, **close)
            np.testing.assert_allclose(before.operating_income[c, :, i] - ledger.operating_income[c, :, i], extra, **close)
            np.testing.assert_allclose(ledger.net[c, :, i] - before.net[c, :, i], np.cumsum(spent - extra - sold), **close)
            np.testing.assert_allclose(out.sold[c, :, i], sold, **close)
            np.testing.assert_allclose(out.worn_out[c, :, i], old, **close)
    q, c = 1, table.contract[1]  # the pool that is asked about; the other chips of its contract wear as booked
    for i in range(L):
        *_, other = cohorts_twin(table, terms, costs, ready, sunk, X, q, i)
        k, life = table.pool[q], int(X[costs.life_x[table.pool[q]], i])
        high = np.maximum.accumulate(np.concatenate([[sunk[k, i]], ready[k, :, i]]))[1:]
        own = np.zeros(M)
        for m, gpus in enumerate(np.diff(high, prepend=0.0)):
            own[m : m + life] += (1 - X[table.resale_x[q], i]) * X[costs.cost_x[costs.pool_chip[k]], i] * gpus / life
        np.testing.assert_allclose(out.depreciation_if[c, :, i] - ledger.depreciation[c, :, i], other - own, rtol=1e-9, atol=1e-5)


def impaired_twin(end, rate, price_hours, inside, alive, books, i):
    """One sheet: what was written down, what wears of it, and the two questions when a share or the term ends."""
    capex, wears, net, resale, running, opening = books
    written, live, was, sheet = 0.0, 1.0, 0.0, []
    for m in range(M):
        there = (opening if m == 0 else net[m - 1]) + capex[m]
        less = min(written, written * wears[m] / there)
        written -= less
        carrying, loss = net[m] - written, 0.0
        if (alive[m] < live * (1 - 1e-12) or inside[m] < was) and carrying > 0:
            months = net[m] / wears[m]
            left = min(max(end - m - 1, 0) * inside[m], months)
            first = max(alive[m] * price_hours[m] + (1 - alive[m]) * resale[m] - running[m], 0)
            later = max(resale[m] - running[m], 0)
            if left * first + (months - left) * later < carrying:
                grow = 1 + rate
                worth = first * (1 - grow**-left) / rate + later * (grow**-left - grow**-months) / rate
                loss = min(max(carrying - worth, 0), carrying)
        written += loss
        sheet.append((loss, wears[m] - less, net[m] - written))
        live, was = alive[m], inside[m]
    return np.array(sheet)


@pytest.mark.parametrize("seed", range(6))
def test_impairment(seed):
    _, terms, _, _, _, X, ledger, out = drawn(seed)
    r = np.random.default_rng(seed + 50)
    X = np.concatenate([X, r.uniform(0.02, 0.2, (C, L))])
    rate_x = np.arange(len(X) - C, len(X))
    ledger.net[:] = ledger.opening[:, None] + np.cumsum(ledger.capex * (np.arange(M) < 10)[None, :, None] - 1e4, axis=1)
    ledger.capex[:, 10:] = 0.0
    ledger.depreciation[:] = 1e4
    ledger.resale[:], ledger.energy[:] = r.uniform(0, 9e4, (C, 1, L)), r.uniform(0, 2e4, (C, M, L))
    ledger.operations[:], ledger.rent[:] = r.uniform(0, 5e3, (C, M, L)), r.uniform(0, 5e3, (C, M, L))
    alive = np.minimum.accumulate(np.where(r.random((C, M, L)) < 0.06, r.uniform(0, 0.8, (C, M, L)), 1.0), axis=1)
    inside = (np.arange(M)[None, :, None] < (terms.starts[:, None] + X[terms.term_x])[:, None, :]).astype(float)
    schedule = zeros(settle.Schedule, (C, M, L), price=r.uniform(1, 3, (C, M, L)), available=r.uniform(1e4, 4e4, (C, M, L)), in_term=inside)
    before = accounts.Ledger(*(field.copy() for field in ledger))
    wear.impair_block(terms, rate_x, schedule, alive, X, ledger, out)
    happened = 0
    for c in range(C):
        for i in range(L):
            running = (before.energy + before.operations + before.rent)[c, :, i]
            books = (*(getattr(before, n)[c, :, i] for n in ("capex", "depreciation", "net", "resale")), running, before.opening[c, i])
            end, rate = terms.starts[c] + X[terms.term_x[c], i], (1 + X[rate_x[c], i]) ** (1 / 12) - 1
            bills = (schedule.price * schedule.available)[c, :, i]
            want = impaired_twin(end, rate, bills, inside[c, :, i], alive[c, :, i], books, i)
            for got, column in ((out.impairment, 0), (ledger.depreciation, 1), (ledger.net, 2)):
                np.testing.assert_allclose(got[c, :, i], want[:, column], rtol=1e-8, atol=1e-3)
            income = before.operating_income[c, :, i] + before.depreciation[c, :, i] - want[:, 1] - want[:, 0]
            np.testing.assert_allclose(ledger.operating_income[c, :, i], income, rtol=1e-8, atol=1e-3)
            happened += int((want[:, 0] > 0).any())
    assert 2 <= happened < C * L  # some are written down, some recover their cost
