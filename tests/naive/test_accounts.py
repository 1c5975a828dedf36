"""The provider's accounts against a twin that follows every cohort, and worth against a plain discounting loop."""

import numpy as np
import pytest

from offtake.kernels import accounts, supply, value

from .money import HOURS, zeros

K, T, C, J, M, L = 3, 2, 2, 2, 40, 4
OWNER, SITE, CHIP = np.array([0, 1, 1]), np.array([0, 1, 1]), np.array([0, 0, 1])


def booked(seed):
    r = np.random.default_rng(seed)
    rows, series = [], []

    def xs(values):
        rows.extend(np.full(L, float(v)) for v in values)
        return np.arange(len(rows) - len(values), len(rows))

    def ys(low, high, n):
        series.extend(r.uniform(low, high, (M, L)) for _ in range(n))
        return np.arange(len(series) - n, len(series))

    costs = accounts.Costs(
        cost_x=xs([50e3, 70e3]), lead_x=xs([3, 5]), life_x=xs([12, 20])[CHIP], kw_x=xs([1.4, 2.5]), overhead_x=xs([1.0, 1.2]),
        kw_basis=np.array([3, 0]), load_x=xs([0.7, 0.8]), idle_x=xs([0.2, 0.3]), market_y=ys(1, 4, 2), average_pue_x=xs([1.1, 1.2]),
        peak_pue_x=xs([1.3, 1.4]), energy_y=ys(50, 90, 2), build_x=xs([10e6, 0]), construction_x=xs([6, 4]),
        building_life_x=xs([24, 30]), rent_x=xs([0, 120]), operations_x=xs([0.1, 0.2]), us_share_x=xs([1, 0.5]),
        pool_contract=OWNER, pool_site=SITE, pool_chip=CHIP, part_site=np.array([0, 1]), part_contract=np.array([0, 1]),
    )  # fmt: skip
    sunk = r.uniform(0, 200, (K, L))
    delivered = sunk[:, None] + np.cumsum(r.uniform(0, 50, (K, M, L)) * (np.arange(M)[None, :, None] < 25), axis=1)
    ready = delivered * r.uniform(0.6, 1, (K, 1, L))
    ready = np.maximum(np.sort(ready, axis=1), 0)
    offered = ready * HOURS[None, :, None] * 0.95
    used = offered * r.uniform(0, 1, (K, M, L))
    energised = np.cumsum(r.uniform(0, 3, (T, M, L)) * (np.arange(M)[None, :, None] < 20), axis=1)
    alive = np.where(np.arange(M)[None, :, None] < 30, 1.0, 0.6) * np.ones((C, M, L))
    revenue = r.uniform(1e6, 5e6, (C, M, L))
    given = {"delivered": delivered, "ready": ready, "offered": offered, "energised": energised, "allotted": energised}
    supplied = supply.Supply(**{name: given.get(name, np.zeros((K, M, L))) for name in supply.Supply._fields})
    out = accounts.Ledger(**{name: np.full((C, M, L), np.nan) for name in accounts.Ledger._fields} | {
        "opening": np.full((C, L), np.nan), "us_energy": np.full((M, L), np.nan)
    })  # fmt: skip
    X, Y = np.array(rows), np.array(series)
    accounts.ledger_block(costs, supplied, sunk, used, alive, revenue, 0.5, X, Y, HOURS, out)
    return costs, sunk, delivered, ready, offered, used, energised, alive, revenue, X, Y, out


def chips_twin(cost, lead, life, delivered, ready, sunk):
    """Whole-month lead and life: pay each delivery `lead` months ahead (in month 0 at the earliest), wear each cohort `life` months."""
    paid, worn = [0.0] * M, [0.0] * M
    came = [delivered[0] - sunk] + [delivered[m] - delivered[m - 1] for m in range(1, M)]
    for m, gpus in enumerate(came):
        paid[max(m - lead, 0)] += gpus * cost
    use, before = [], sunk
    for m in range(M):
        before = max(before, ready[m])
        use.append(before)
    for m in range(M):
        cohort = use[0] if m == 0 else use[m] - use[m - 1]
        for n in range(m, min(m + life, M)):
            worn[n] += cohort * cost / life
    return paid, worn


def building_twin(build, length, life, energised):
    """Each MW is built over the `length` months before it is energised; what falls before month 0 is opening property."""
    spent, worn = [0.0] * M, [0.0] * M
    for m in range(M):
        mw = energised[0] if m == 0 else energised[m] - energised[m - 1]
        for n in range(m - length, m):
            if n >= 0:
                spent[n] += mw * build / length
        for n in range(m, min(m + life, M)):
            worn[n] += mw * build / life
    return spent, worn


@pytest.mark.parametrize("seed", range(3))
def test_capex_and_wear_by_cohort(seed):
    costs, sunk, delivered, ready, *_, energised, _, _, X, _, out = booked(seed)
    for i in range(L):
        for c in range(C):
            capex, worn = np.zeros(M), np.zeros(M)
            for k in np.flatnonzero(c == OWNER):
                g = CHIP[k]
                cost, lead, life = X[costs.cost_x[g], i], X[costs.lead_x[g], i], X[costs.life_x[k], i]
                a, b = chips_twin(cost, int(lead), int(life), delivered[k, :, i], ready[k, :, i], sunk[k, i])
                capex, worn = capex + a, worn + b
            a, b = building_twin(
                X[costs.build_x[c], i], int(X[costs.construction_x[c], i]), int(X[costs.building_life_x[c], i]), energised[c, :, i]
            )
            np.testing.assert_allclose(out.capex[c, :, i], capex + a, rtol=1e-9, atol=1e-3)
            np.testing.assert_allclose(out.depreciation[c, :, i], worn + b, rtol=1e-9, atol=1e-3)
            net = out.opening[c, i] + np.cumsum(out.capex[c, :, i] - out.depreciation[c, :, i])
            np.testing.assert_allclose(out.net[c, :, i], net, rtol=1e-9, atol=1e-2)


@pytest.mark.parametrize("seed", range(3))
def test_running_costs(seed):
    costs, _, _, ready, offered, used, energised, alive, revenue, X, Y, out = booked(seed)
    us = np.zeros((M, L))
    for c in range(C):
        release, operations, energy = (np.zeros((M, L)) for _ in range(3))
        for k in np.flatnonzero(c == OWNER):
            g, t = CHIP[k], SITE[k]
            kw = X[costs.kw_x[g]] * X[costs.overhead_x[g]] / (X[costs.peak_pue_x[t]] if costs.kw_basis[g] == 3 else 1.0)
            freed = offered[k] * (1 - alive[c]) * 0.5
            hours = ready[k] * HOURS[:, None]
            working = used[k] + freed
            one = (
                (working * X[costs.load_x[g]] + np.maximum(hours - working, 0) * X[costs.idle_x[g]]) * kw * X[costs.average_pue_x[t]] / 1000
            )
            us = us + one * X[costs.us_share_x[t]]
            energy = energy + one * Y[costs.energy_y[t]]
            operations = operations + hours * X[costs.operations_x[t]]
            release = release + freed * Y[costs.market_y[g]]
        rent = energised[c] * 1000 * X[costs.rent_x[c]]
        for got, want in (
            (out.energy, energy),
            (out.operations, operations),
            (out.release, release),
            (out.rent, rent),
        ):
            np.testing.assert_allclose(got[c], want, rtol=1e-10, atol=1e-6)
        income = revenue[c] + release - out.depreciation[c] - energy - operations - rent
        np.testing.assert_allclose(out.operating_income[c], income, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(out.us_energy, us, rtol=1e-10)


def idle_twin(hours, price, charge, used):
    """P-06, C-02: who bears idle hours by cause, month by month; hours that nobody was billed for yet wait for a true-up, at its price."""
    waiting, rows = np.zeros(3), []
    for m in range(len(price)):
        now = hours[:, m]
        billed = max(charge[m] / price[m] - used[m], 0.0)
        behind = now + waiting
        paid = behind * min(billed / behind.sum(), 1.0) if behind.sum() > 0.0 else np.zeros(3)
        rows.append((paid * price[m], (now - paid) * price[m]))
        waiting = np.zeros(3) if paid.sum() > 0.0 else behind
    return np.array(rows).transpose(1, 2, 0)


@pytest.mark.parametrize("seed", range(3))
def test_idle_hours_are_borne_by_who_paid_for_them(seed):
    r = np.random.default_rng(seed)
    owner, months, lanes = np.array([0, 1, 1]), 15, 5
    idle = r.uniform(0, 50, (3, 3, months, lanes)) * (r.random((3, 3, months, lanes)) < 0.7)
    price, used = r.uniform(1, 4, (2, months, lanes)), r.uniform(0, 100, (2, months, lanes))
    charge = price * (used + 60.0) * (r.random((2, months, lanes)) < 0.4)  # a true-up now and then
    out = np.full((2, 3, 2, months, lanes), np.nan)
    value.idle_block(owner, idle, price, charge, used, out)
    for c in range(2):
        for i in range(lanes):
            want = idle_twin(idle[..., i][:, owner == c].sum(axis=1), price[c, :, i], charge[c, :, i], used[c, :, i])
            np.testing.assert_allclose(out[:, :, c, :, i], want, rtol=1e-12, atol=1e-9)


def test_npv_by_hand():
    """112 collected after a year, all costs after half a year, at 12 %: month-end discounting from month 0."""
    ledger = zeros(accounts.Ledger, (1, 12, 1), opening=np.zeros((1, 1)), us_energy=np.zeros((12, 1)))
    for cost, field in enumerate((ledger.capex, ledger.energy, ledger.operations, ledger.rent), 1):
        field[0, 5, 0] = float(cost)
    ledger.release[0, 5, 0] = 0.5
    collected = np.zeros((1, 12, 1))
    collected[0, 11, 0] = 112.0
    out = np.zeros((1, 1))
    value.npv_block(ledger, collected, np.array([0]), np.array([[0.12]]), out)
    assert out[0, 0] == pytest.approx(112 / 1.12 - 9.5 / 1.12**0.5, rel=1e-12)


def test_segment_with_and_without():
    """RPO of 120 with a life of 10 months runs off 6 a month; signings of 4 a month run off alike; the deal adds its own, and another
    company's deals, of 20 and 30 a month, add to that one's."""
    X, Y = np.array([[120.0], [10.0]]), np.array([np.full((M, 1), 50.0), np.full((M, 1), 0.3), np.full((M, 1), 4.0)])
    table = accounts.SegmentTerms(*(np.array([v, v]) for v in (0, 1, 0, 1, 2, -1, -1)), contract_company=np.array([1, 0, 1]))
    ledger = zeros(accounts.Ledger, (3, M, 1), opening=np.zeros((3, 1)), us_energy=np.zeros((M, 1)))
    ledger.operating_income[:] = -2.0
    revenue, rpo = np.array([20.0, 10.0, 30.0])[:, None, None] * np.ones((3, M, 1)), np.full((3, M, 1), 7.0)
    out = accounts.Segments(*(np.full((2, M, 1), np.nan) for _ in accounts.Segments._fields))
    accounts.segment_block(table, ledger, revenue, rpo, X, Y, out)
    assert out.revenue_with[1, 0, 0] == 100.0 and out.income_with[1, 0, 0] == pytest.approx(11.0)
    assert out.revenue_with[0, 0, 0] == 60.0 and out.income_with[0, 0, 0] == pytest.approx(13.0) and out.income_without[0, 0, 0] == 15.0
    for m in range(M):
        existing = max(120.0 - 6.0 * (m + 1), 0.0)
        signed = sum(4.0 * max(1 - age / 20.0, 0.0) for age in range(m + 1))
        assert out.reported_rpo[0, m, 0] == pytest.approx(existing + signed + 7.0, rel=1e-9)
