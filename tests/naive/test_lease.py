"""Leases against plain Python, path by path: both treatments, their books, and an annuity by hand."""

import numpy as np
import pytest

from offtake.kernels import lease

from .money import C, L, M
from .test_money import recognised

CLOSE = 1e-9


def leased(seed):
    """Every second contract with an hourly price, booked as a service, an operating and a sales-type lease in turn."""
    terms, _, X, schedule, settlement, _, _, _, delivered, books, *_ = recognised(seed)
    contract = np.flatnonzero(terms.form < 2)
    r = np.random.default_rng(seed)
    X = np.concatenate([X, r.uniform(0.0, 0.2, (len(contract), L)) * (r.random((len(contract), L)) < 0.8)])
    table = lease.LeaseTerms(contract, np.arange(len(contract)) % 3, np.arange(len(X) - len(contract), len(X)))
    before = type(books)(*(field.copy() for field in books))
    out = lease.Leases(*(np.full((len(contract), M, L), np.nan) for _ in lease.Leases._fields))
    lease.lease_block(table, terms, schedule, settlement, delivered, X, books, out)
    return table, terms, X, schedule, settlement, delivered, before, books, out


def twin(terms, X, schedule, settlement, delivered, rate, c, i):
    """Operating, sales-type, net investment: tranche by tranche in words an accountant uses."""
    signed = X[terms.total_x[c], i] + np.cumsum((settlement.added - settlement.terminated - settlement.lapsed)[c, :, i])
    charged, term = np.cumsum(settlement.charge[c, :, i]), int(X[terms.term_x[c], i] + 0.5)
    rows, line, sold, owed, there = [], 0.0, 0.0, 0.0, 0.0
    for m in range(M):
        over = schedule.ends[c, m, i] > 0 or signed[m] - charged[m] <= 1e-9 * X[terms.total_x[c], i]
        rest = max(terms.starts[c] + term - m, 1)
        share = max(delivered[c, m, i] if m >= terms.starts[c] else 0.0, there)
        level = (share - there) * signed[m] / rest
        worth = level * (sum((1 + rate / 12) ** -n for n in range(1, rest + 1)))
        a = max(share * signed[m] - line, 0.0) / rest
        b = worth + (owed + worth) * rate / 12
        a, b = (charged[m] - line, charged[m] - sold) if over else (min(a, signed[m] - line), min(b, signed[m] - sold))
        line, sold, there = line + a, sold + b, share
        owed = 0.0 if over else max(owed + b - settlement.charge[c, m, i], 0.0)
        rows.append((a, b, owed, max(signed[m] - charged[m], 0.0)))
    return np.array(rows)


@pytest.mark.parametrize("seed", range(6))
def test_both_treatments(seed):
    table, terms, X, schedule, settlement, delivered, before, books, out = leased(seed)
    for s, c in enumerate(table.contract):
        for i in range(L):
            total = X[terms.total_x[c], i]
            want = twin(terms, X, schedule, settlement, delivered, X[table.rate_x[s], i], c, i)
            for f, name in enumerate(("operating", "sales_type", "investment", "to_come")):
                if name != "to_come" or table.booked[s]:
                    np.testing.assert_allclose(getattr(out, name)[s, :, i], want[:, f], rtol=CLOSE, atol=CLOSE * total, err_msg=name)
            beyond = (settlement.overage_usd - settlement.credit + settlement.penalty)[c, :, i]
            np.testing.assert_allclose(out.service[s, :, i], before.revenue[c, :, i] - beyond, atol=CLOSE * total)
            chosen = (out.service, out.operating, out.sales_type)[table.booked[s]][s, :, i]
            np.testing.assert_allclose(books.revenue[c, :, i], chosen + beyond, atol=CLOSE * total)
            if table.booked[s]:
                ahead = np.cumsum(chosen - settlement.charge[c, :, i])
                np.testing.assert_allclose(books.unbilled[c, :, i] - books.deferred[c, :, i], ahead, atol=CLOSE * total)
                assert np.all(books.rpo[c, :, i] == 0.0) and np.all(books.in_scope[c, :, i] == 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_all_treatments_earn_what_is_charged(seed):
    """In the last month of the term, or once all is charged, the sums agree (A-01)."""
    table, terms, X, schedule, settlement, *_, out = leased(seed)
    for s, c in enumerate(table.contract):
        charged = np.cumsum(settlement.charge[c], axis=0)
        done = schedule.ends[c] > 0
        for found in (out.operating, out.sales_type):
            left = np.where(done, np.cumsum(found[s], axis=0) - charged, 0.0)
            assert np.all(np.abs(left) <= 1e-7 * X[terms.total_x[c]])


def test_annuity_by_hand():
    """Three payments of 1 at 1 % a month: 1/1.01 + 1/1.0201 + 1/1.030301 = 2.94098520723561; at no rate, 3."""
    value = getattr(lease.annuity, "py_func", lease.annuity)
    assert value(3.0, 0.01) == pytest.approx(1 / 1.01 + 1 / 1.0201 + 1 / 1.030301, rel=1e-12)
    assert value(3.0, 0.0) == 3.0


def test_contracts_are_some():
    assert all(len(leased(seed)[0].contract) >= 6 for seed in range(2)) and C == 10
