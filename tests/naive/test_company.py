"""The whole company against plain Python, path by path; and its depreciation against what one company filed."""

import csv
from itertools import product

import numpy as np
import pytest

from offtake.kernels import accounts, company

from ..shared import ABSENT, SHARED
from .money import zeros

C, J, M, L = 3, 3, 40, 4
OWNER = np.array([0, 2, 2])
FACTS = SHARED / "facts"


def drawn(seed):
    """Companies 0 and 2 state their finances; whole months of lag and life."""
    r = np.random.default_rng(seed)
    rows, series = [], []

    def xs(low, high, whole=False):
        found = [r.uniform(low, high, L) for _ in range(2)]
        rows.extend(np.floor(v) if whole else v for v in found)
        return np.arange(len(rows) - 2, len(rows))

    def ys(low, high):
        series.extend(r.uniform(low, high, (M, L)) for _ in range(2))
        return np.arange(len(series) - 2, len(series))

    table = company.Finances(
        company=np.array([0, 2]), operating_y=ys(1e6, 9e6), payouts_y=ys(0, 3e5), leased_x=xs(0, 0.3), incentives_x=xs(0, 0.1),
        tax_x=xs(0, 0.3), cash_x=xs(1e6, 9e6), minimum_x=xs(1e5, 3e6), debt_x=xs(1e6, 9e6), interest_x=xs(0.01, 0.1), wear_x=xs(1e5, 5e5),
        existing_x=xs(10, 80), progress_x=xs(1e5, 9e6), lag_x=xs(1, 8, whole=True), life_x=xs(12, 30, whole=True), share_x=xs(0.2, 0.9),
    )  # fmt: skip
    ledger = zeros(accounts.Ledger, (C, M, L))
    for name in ("release", "energy", "operations", "rent", "operating_income"):
        getattr(ledger, name)[:] = r.uniform(0, 4e5, (C, M, L))
    flows = [r.uniform(0, 2e6, (C, M, L)) for _ in range(3)]
    return table, r.uniform(1e6, 8e6, (J, M, L)), ledger, flows, np.array(rows), np.array(series)


@pytest.mark.parametrize("seed", range(4))
def test_company(seed):
    table, capex, ledger, (collected, sold, invested), X, Y = drawn(seed)
    out = zeros(company.Group, (2, M, L))
    company.company_block(table, OWNER, capex, ledger, collected, sold, invested, X, Y, out)
    for g, i in ((g, i) for g in range(2) for i in range(L)):
        x = {f: X[getattr(table, f)[g], i] for f in table._fields if f.endswith("_x")}
        j, mine = table.company[g], np.flatnonzero(table.company[g] == OWNER)
        lag, life = int(x["lag_x"]), int(x["life_x"])
        wear = np.array([max(x["wear_x"] * (1 - (m + 1) / x["existing_x"]), 0.0) for m in range(M)])
        for m in range(lag):  # what was in progress comes into use evenly over the lag
            wear[m : m + life] += x["progress_x"] / lag / life
        for m in range(M - lag):
            wear[m + lag : m + lag + life] += capex[j, m, i] / life
        np.testing.assert_allclose(out.depreciation[g, :, i], wear, rtol=1e-9)
        np.testing.assert_allclose(out.burden[g, :, i], wear * x["share_x"], rtol=1e-9)
        cash, debt, extra = x["cash_x"], x["debt_x"], 0.0
        for m in range(M):
            deals = (collected + sold + ledger.release - ledger.energy - ledger.operations - ledger.rent)[mine, m, i].sum()
            deals -= x["tax_x"] * ledger.operating_income[mine, m, i].sum()
            paid = capex[j, m, i] * (1 - x["leased_x"])
            free = Y[table.operating_y[g], m, i] + deals - extra * x["interest_x"] / 12 - paid + paid * x["incentives_x"]
            cash += free - Y[table.payouts_y[g], m, i] - invested[mine, m, i].sum()
            if cash < x["minimum_x"]:
                extra, cash = extra + x["minimum_x"] - cash, x["minimum_x"]
            else:
                back = min(extra, cash - x["minimum_x"])
                extra, cash = extra - back, cash - back
            got = [getattr(out, n)[g, m, i] for n in ("capex_cash", "free_cash_flow", "cash", "debt")]
            np.testing.assert_allclose(got, [paid, free, cash, debt + extra], rtol=1e-9, atol=1e-3)


def test_nothing_sold_or_invested_needs_no_rows():
    table, capex, ledger, (collected, *_), X, Y = drawn(0)
    found = []
    for none in (np.zeros((C, M, L)), np.zeros((0, M, L))):
        out = zeros(company.Group, (2, M, L))
        company.company_block(table, OWNER, capex, ledger, collected, none, none, X, Y, out)
        found.append(out.debt)
    assert np.array_equal(*found)


def filed(metric):
    """USD bn by quarter end, as known by the fact files."""
    rows = [row for name in ("known_by_2025-11-03.csv", "known_more.csv") for row in csv.DictReader((FACTS / name).open())]
    return {row["as_of_date"]: float(row["value"]) / 1e3 for row in rows if row["entity"] == "Amazon" and row["metric"] == metric}


def modelled(capex, wear, existing, progress, lag, life):
    """Depreciation by quarter, USD bn, of the kernel: quarterly capex spread over its months."""
    table = company.Finances(*(np.array([n]) for n in range(16)))._replace(company=np.array([0]))
    x = dict(wear_x=wear, existing_x=existing, progress_x=progress, lag_x=lag, life_x=life, share_x=1.0)
    X = np.zeros((16, 1))
    for name, value in x.items():
        X[getattr(table, name)[0]] = value
    months = np.repeat(np.array(capex) / 3, 3)[:, None]
    out = zeros(company.Group, (1, len(months), 1))
    company.wear_company(0, table, months, X, np.empty(months.shape), out)
    return out.depreciation[0, :, 0].reshape(-1, 3).sum(axis=1)


@pytest.mark.skipif(not FACTS.exists(), reason=ABSENT)
def test_filed_depreciation_follows_filed_capex():
    """Lives and lag fitted to the four quarters of 2024 foretell the three of 2025 within 8 %; those of the shipped book give all seven
    within 3 %, where the last quarter of 2024 held on would be 19 % short in the end (its trend, drawn on, would be 5 % short)."""
    capex, wear, year = (filed(m) for m in ("purchases_of_property_and_equipment_quarter", "depreciation_quarter", "depreciation_FY"))
    ends = [f"{y}-{d}" for y in (2024, 2025) for d in ("03-31", "06-30", "09-30", "12-31")][:7]
    known = [wear.get(end) for end in ends]
    known[3] = year["2024-12-31"] - sum(known[:3])
    spent, before = [capex[end] for end in ends], [capex[end] for end in ("2023-06-30", "2023-09-30", "2023-12-31")]
    best = min(
        product((60, 84, 108, 132), (3, 6, 9), (60, 72, 84, 96, 108)),
        key=lambda p: sum((a / b - 1) ** 2 for a, b in zip(model(spent, before, known, p), known[:4])),
    )
    for a, b in zip(model(spent, before, known, best)[4:], known[4:]):
        assert a == pytest.approx(b, rel=0.08)
    for a, b in zip(model(spent, before, known, (156, 9, 72)), known):
        assert a == pytest.approx(b, rel=0.03)
    assert known[3] / known[6] - 1 == pytest.approx(-0.19, abs=0.01)


def model(spent, before, known, p):
    existing, lag, life = p
    progress = sum(before[3 - lag // 3 :])
    return modelled(spent, known[0] / 3 * 0.985, existing, progress, float(lag), float(life))
