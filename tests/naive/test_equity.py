"""Equity edges against plain Python, path by path: vesting, what revenue bears, whose cash pays, present value."""

import numpy as np
import pytest

from offtake.kernels import customer, equity, recognise, settle, value

from .money import C, L, M, zeros
from .test_money import NO_EQUITY, RUNS, TH, scheduled

E = 7
CLOSE = 1e-9


def drawn(seed):
    """Seven edges on random contracts, books that run off to nothing on half of the contracts, and random cash."""
    r = np.random.default_rng(seed)
    rows = []

    def xs(low, high, n):
        rows.extend(r.uniform(low, high, (n, L)))
        return np.arange(len(rows) - n, len(rows))

    total_x = xs(1e6, 9e6, C)
    kind, contract = np.array([0, 1, 2, 0, 1, 1, 2]), r.integers(0, C, E)
    contract[2] = -1
    owner, provider = r.integers(0, 2, C), r.integers(0, 2, C)
    payer = np.where(contract >= 0, owner[contract], 1)
    edges = equity.Edges(
        kind, contract, payer, xs(1e4, 4e5, E), xs(1e4, 4e5, E), np.array([0, 1, 0, 0, 0, 1, 1]), r.integers(-3, 20, E), xs(0.4, 20, E)
    )
    rate_x, cash_x = xs(0.02, 0.2, C), xs(0, 2e6, 2)
    X = np.array(rows)
    delivered = np.minimum(np.cumsum(r.uniform(0, 0.08, (C, M, L)), axis=1), 1.0)
    out = zeros(equity.Equity, (C, M, L), vested=np.zeros((E, M, L)), cash_in=np.zeros((2, M, L)))
    equity.vest_block(edges, delivered, X, out)
    return r, edges, X, total_x, rate_x, cash_x, owner, provider, delivered, out


def vested_twin(edges, delivered, X, e, i):
    months = np.arange(M) + 1.0 - edges.first[e]
    over_time = np.clip(months / X[edges.over_x[e], i], 0, 1)
    return delivered[edges.contract[e], :, i] if edges.vests[e] == 1 else over_time


def borne(edges, X, e, i):
    """USD that an edge takes off the price: a grant its value, the customer's stock what was paid beyond its value."""
    value, paid = X[edges.value_x[e], i], X[edges.paid_x[e], i]
    return {0: value, 1: paid - value, 2: 0.0}[int(edges.kind[e])]


@pytest.mark.parametrize("seed", range(4))
def test_vesting(seed):
    _, edges, X, *_, delivered, out = drawn(seed)
    for i in range(L):
        cash, given, invested = np.zeros((2, M)), np.zeros((C, M)), np.zeros((C, M))
        for e in range(E):
            came = np.diff(vested_twin(edges, delivered, X, e, i), prepend=0.0)
            c, paid = edges.contract[e], X[edges.paid_x[e], i]
            if edges.kind[e] != 0:
                cash[edges.customer[e]] += paid * came
            if c >= 0:
                given[c] += borne(edges, X, e, i) * came
                invested[c] += paid * came * (edges.kind[e] == 1)
        for name, want in (("cash_in", cash), ("given", given), ("invested", invested)):
            np.testing.assert_allclose(getattr(out, name)[..., i], want, rtol=1e-12, atol=1e-6, err_msg=name)


def booked(seed):
    """Books before equity: value runs off month by month, with terminations, and to nothing on the even contracts."""
    r, edges, X, total_x, rate_x, *_, out = drawn(seed)
    settlement = zeros(settle.Settlement, (C, M, L))
    books = zeros(recognise.Books, (C, M, L))
    for c in range(C):
        left = X[total_x[c]].copy()
        for m in range(M):
            settlement.added[c, m] = left * r.choice([0.0, 0.1], L, p=[0.95, 0.05])
            settlement.terminated[c, m] = left * r.choice([0.0, 0.3], L, p=[0.95, 0.05])
            settlement.overage_usd[c, m], settlement.credit[c, m] = r.uniform(0, 2e3, L), r.uniform(0, 1e3, L)
            settlement.penalty[c, m] = r.choice([0.0, 5e3], L)
            left = left + settlement.added[c, m] - settlement.terminated[c, m]
            earned = left if (c % 2 == 0 and m == 30) else left * r.uniform(0, 0.1, L)
            left = left - earned
            books.revenue[c, m] = earned + settlement.overage_usd[c, m] - settlement.credit[c, m] + settlement.penalty[c, m]
            inside = r.uniform(0, 1, L)
            books.rpo[c, m], books.not_in_rpo[c, m] = left * inside, left * (1 - inside)
            books.in_scope[c, m] = earned * r.uniform(0, 1, L)
            for name in ("crpo", "new", "remeasured", "rpo_terminated", "rpo_lapsed"):
                getattr(books, name)[c, m] = r.uniform(0, 1e5, L)
    before = recognise.Books(*(field.copy() for field in books))
    equity.net_block(edges, total_x, settlement, X, books, out)
    return edges, X, total_x, rate_x, settlement, before, books, out


@pytest.mark.parametrize("seed", range(4))
def test_what_revenue_bears(seed):
    """To date revenue bears its share of what was earned; when nothing is left to earn, it has borne all that was given."""
    edges, X, total_x, _, settlement, before, books, out = booked(seed)
    for c in range(C):
        for i in range(L):
            share = sum(borne(edges, X, e, i) for e in range(E) if edges.contract[e] == c) / X[total_x[c], i]
            beyond = (settlement.overage_usd - settlement.credit + settlement.penalty)[c, :, i]
            to_come = (before.rpo + before.not_in_rpo)[c, :, i]
            to_come[to_come < 1e-9 * X[total_x[c], i]] = 0.0
            earned, given = np.cumsum(before.revenue[c, :, i] - beyond), np.cumsum(out.given[c, :, i])
            to_date = np.where(to_come > 0, share * earned, given)
            size = CLOSE * X[total_x[c], i]
            np.testing.assert_allclose(np.cumsum(out.contra[c, :, i]), to_date, rtol=CLOSE, atol=size)
            np.testing.assert_allclose(out.held[c, :, i], given - to_date, rtol=CLOSE, atol=size)
            np.testing.assert_allclose(books.revenue[c, :, i], before.revenue[c, :, i] - np.diff(to_date, prepend=0.0), atol=size)
            np.testing.assert_allclose(out.left[c, :, i] + (books.rpo + books.not_in_rpo)[c, :, i], to_come, rtol=CLOSE, atol=size)
            for name in ("rpo", "crpo", "in_scope", "new", "remeasured", "rpo_terminated", "rpo_lapsed"):
                want = getattr(before, name)[c, :, i] * (1 - share)
                np.testing.assert_allclose(getattr(books, name)[c, :, i], want, rtol=1e-12, err_msg=name)
            np.testing.assert_allclose(books.in_scope[c, :, i] + books.out_scope[c, :, i], books.revenue[c, :, i], atol=size)


@pytest.mark.parametrize("seed", range(4))
def test_whose_cash_pays(seed):
    """The customer's purse as two heaps, one of the provider's money: every payment takes from both in proportion."""
    r, _, X, _, _, cash_x, owner, provider, _, out = drawn(seed)
    operating, raised = r.uniform(-2e5, 3e5, (2, M, L)), r.uniform(0, 2e5, (2, M, L))
    paid = r.uniform(0, 2e5, (C, M, L))
    balance = np.zeros((2, M, L))
    for u in range(2):
        for m in range(M):
            opening = balance[u, m - 1] if m else X[cash_x[u]]
            spent = paid[owner == u][:, m].sum(axis=0)
            balance[u, m] = opening + operating[u, m] + raised[u, m] + out.cash_in[u, m] - spent
    made = zeros(customer.Payments, (C, M, L), paid=paid, raised=raised, cash_balance=balance)
    equity.fund_block(owner, provider, operating, made, cash_x, X, out)
    for c in range(C):
        friends = [d for d in range(C) if owner[d] == owner[c] and provider[d] == provider[c]]
        for i in range(L):
            heap, own, u = X[cash_x[owner[c]], i], 0.0, owner[c]
            for m in range(M):
                mine = sum(out.invested[d, m, i] for d in friends)
                flow = operating[u, m, i] + raised[u, m, i] + out.cash_in[u, m, i] - mine
                heap = max(heap, 0.0) + max(flow, 0.0) + mine
                part = min((own + mine) / heap, 1.0) if heap > 0 else 0.0
                assert out.self_funded[c, m, i] == pytest.approx(paid[c, m, i] * part, rel=1e-12, abs=1e-9)
                heap = balance[u, m, i]
                own = max(heap, 0.0) * part


def test_present_value_by_hand():
    """110 given at the end of month 12 at 10 % a year takes 100 off."""
    given = np.zeros((1, 13, 1))
    given[0, 11] = 110.0
    npv = np.array([[500.0]])
    value.add_block(given, -1.0, np.array([0]), np.array([[0.10]]), npv)
    assert npv[0, 0] == pytest.approx(400.0, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_equity_in_is_cash_like_any_other(seed):
    """Paid for equity or saved in operations: the same cash, coverage and payments (V-01)."""
    terms, _, people, _, _, _, _, X, Y, r, schedule = scheduled(seed)
    came = r.uniform(0, 2e5, (2, M, L))
    cheaper = Y.copy()
    for u in range(2):
        cheaper[people.operations_y[u]] -= came[u]
    bills = zeros(settle.Settlement, (C, M, L), invoiced=r.uniform(0, 1e5, (C, M, L)))
    found = []
    for flow, series in ((came, Y), (NO_EQUITY, cheaper)):
        signed = zeros(
            customer.Signed, (2, M, L), tau=np.zeros((2, L), np.int64), alive=np.zeros((C, M, L)), passage=np.zeros((2, 3, 2, L), np.int64)
        )
        customer.signed_block(people, terms, schedule, flow, X, series, TH, RUNS, signed)
        out = zeros(customer.Payments, (C, M, L), **{f: np.zeros((2, M, L)) for f in ("raised", "cash_balance", "funding_gap", "coverage")})
        customer.pay_block(people, terms, schedule, signed, bills, flow, X, series, out)
        found.append((signed.coverage, signed.cash, out.cash_balance, out.paid, out.coverage))
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-3)
