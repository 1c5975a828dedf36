"""Settle, customer and recognise against twins that a person would write: one path, one contract, plain Python."""

import numpy as np
import pytest

from offtake.kernels import customer, recognise, settle, tranche

from .money import HOURS, C, L, M, changed, draw, zeros
from .rights import Rights, amount_of, owed_by_lots


def plain(function):
    """The Python function behind a kernel, compiled or not."""
    return getattr(function, "py_func", function)


TIGHT = 1e-9  # relative to the contract's value
NO_EQUITY = np.zeros((0, M, L))
TH, RUNS = np.array([0.5, 1.0, 1.5]), np.array([1, 3], np.int64)


def scheduled(seed):
    terms, table, people, owner, planned, ready, offered, X, Y, r = draw(seed)
    out = zeros(settle.Schedule, (C, M, L))
    settle.schedule_block(terms, changed(seed, terms, X), owner, planned, ready, offered, X, Y, HOURS, out)
    return terms, table, people, owner, planned, ready, offered, X, Y, r, out


@pytest.mark.parametrize("seed", range(3))
def test_options_alone_change_a_price(seed):
    terms, *_, X, _, _, schedule = scheduled(seed)
    price = changed(seed, terms, X).price
    assert (terms.optional == 0).any() and (price[terms.optional == 0] == 1.0).all() and np.array_equal(schedule.factor, price)


def by_chip(terms, owner, planned, ready, Y, c, i):
    """Average price of the GPUs that are there as promised, month by month; of the promised ones where none is."""
    mine = np.flatnonzero(owner == c)
    found = []
    for m in range(M):
        gpus = [min(planned[k, m, i], ready[k, m, i]) for k in mine]
        gpus = gpus if sum(gpus) > 0 else [planned[k, m, i] for k in mine]
        found.append(sum(g * Y[terms.price_k[k], m, i] for g, k in zip(gpus, mine)) / sum(gpus))
    return found


def schedule_twin(terms, changes, owner, planned, ready, offered, X, Y, c, i):
    plan, there, serve = (sum(a[k, :, i] for k in np.flatnonzero(owner == c)) for a in (planned, ready, offered))
    start, term, total = terms.starts[c], round(X[terms.term_x[c], i] - 1e-9), X[terms.total_x[c], i]
    end = start + int(X[terms.term_x[c], i] + 0.5)
    del term
    if terms.gpus_x[c] >= 0:
        block = X[terms.gpus_x[c], i]
        serve = serve * np.minimum(1, block / np.maximum(there, block))
        plan, there = np.minimum(plan, block), np.minimum(there, block)
    mix = by_chip(terms, owner, planned, ready, Y, c, i) if terms.price_y[c] == -2 else None
    scale = changes.scale[c, :, i]
    hours = sum(plan[min(m, M - 1)] / scale[min(m, M - 1)] * (HOURS[m] if m < M else 730.5) for m in range(start, end))
    owed, late, standing, rows, whole = 0.0, 0, 1.0, [], total
    listed = [Y[terms.price_y[c], m, i] if terms.price_y[c] >= 0 else mix[m] if mix else total / hours for m in range(M)]
    listed = np.array(listed) * changes.price[c, :, i]
    for m in range(M):
        price, more = listed[m], int(changes.longer[c, m, i])
        behind = range(end, end + more)
        extra = sum(plan[min(n, M - 1)] * (HOURS[n] if n < M else 730.5) * listed[min(n, M - 1)] for n in behind)
        end += more
        whole += (whole - owed) * changes.change[c, m, i] + extra
        inside = start <= m < end or (terms.remedy[c] == 1 and m >= end and owed < whole * (1 - 1e-12))
        late = late + 1 if inside and plan[m] > 0 and there[m] < 0.99 * plan[m] else 0
        if terms.remedy[c] == 3 and late > X[terms.late_after_x[c], i]:
            standing = 0.0
        committed = (plan[m] if terms.ramp[c] == 1 else min(plan[m], there[m])) * HOURS[m] if inside else 0.0
        quality = serve[m] / (there[m] * HOURS[m]) if there[m] > 0 else 0.0
        available = min(plan[m], there[m]) * HOURS[m] * min(1.0, quality / X[terms.sla_x[c], i]) if inside else 0.0
        missing = max(committed - available, 0.0)
        due = available if terms.form[c] == 0 else max(X[terms.take_or_pay_x[c], i] * committed - missing, 0.0)
        if terms.form[c] >= 2:
            committed = available
            amount, length = amount_of(terms, X, c, i, m)
            due = amount / length / price if inside else 0.0
        last = m == end - 1 and terms.remedy[c] != 1
        pay = whole - owed if last and terms.at_end[c] == 0 else min(price * due, whole - owed)
        owed += pay
        rows.append((committed, available, price, pay, standing * changes.kept[c, m, i], float(inside), float(last), extra))
    return np.array(rows)


@pytest.mark.parametrize("seed", range(6))
def test_schedule(seed):
    terms, _, _, owner, planned, ready, offered, X, Y, _, out = scheduled(seed)
    for c in range(C):
        for i in range(0, L, 3):
            want = schedule_twin(terms, changed(seed, terms, X), owner, planned, ready, offered, X, Y, c, i)
            for f, name in enumerate(("committed", "available", "price", "must_pay", "standing", "in_term", "ends", "extra")):
                got = getattr(out, name)[c, :, i]
                np.testing.assert_allclose(got, want[:, f], rtol=1e-11, atol=1e-12 * X[terms.total_x[c], i], err_msg=f"{name} of {c}")


def test_who_walks_away_counts_months_in_a_row():
    """Two months late, one in time, two late: who may leave after two stays. The third in a row, month 6, ends it (C-05)."""
    terms, _, _, owner, planned, _, _, X, Y, _ = draw(0)
    whole = {"starts": 0, "remedy": 3, "gpus_x": -1, "optional": 0}
    terms = terms._replace(**{name: np.full(C, value) for name, value in whole.items()})
    X[terms.late_after_x], X[terms.term_x] = 2.0, float(M)
    planned[:] = 100.0
    for late, last in (([1, 2, 4, 5], M), ([1, 2, 4, 5, 6], 6)):
        ready, out = planned.copy(), zeros(settle.Schedule, (C, M, L))
        ready[:, late] = 50.0
        settle.schedule_block(terms, changed(0, terms, X), owner, planned, ready, ready * HOURS[:, None], X, Y, HOURS, out)
        np.testing.assert_array_equal(out.standing, np.broadcast_to((np.arange(M) < last)[:, None] * 1.0, out.standing.shape))


def settled(seed):
    terms, table, people, owner, planned, ready, offered, X, Y, r, schedule = scheduled(seed)
    alive = schedule.standing * np.minimum.accumulate(np.where(r.random((C, M, L)) < 0.02, 0.6, 1.0), axis=1)
    serve = np.stack([offered[owner == c].sum(axis=0) for c in range(C)])
    used = serve * alive * schedule.in_term * r.uniform(0.2, 1, (C, M, L))
    out = zeros(settle.Settlement, (C, M, L))
    out.used[:] = used
    settle.settle_block(terms, schedule, alive, X, Y, out)
    return terms, table, people, X, Y, r, schedule, alive, used, out, owner, planned, ready


def settle_twin(terms, schedule, alive, used, X, Y, c, i):
    """C-02, C-03, C-07 and C-09 as an accountant would fill a sheet, one row a month."""
    total, top = X[terms.total_x[c], i], X[terms.take_or_pay_x[c], i]
    end = terms.starts[c] + int(X[terms.term_x[c], i] + 0.5)
    left, liability, dues, bases, live_before, sheet = total, 0.0, 0.0, 0.0, 1.0, []
    rights = Rights(round(X[terms.makeup_x[c], i])) if terms.makeup_x[c] >= 0 else None
    for m in range(M):
        live, price = alive[c, m, i], schedule.price[c, m, i]
        cancelled = left * (1 - live / live_before) if live_before > 0 else 0.0
        fee = left * schedule.fee[c, m, i]
        left -= cancelled
        added = left * schedule.change[c, m, i] + schedule.extra[c, m, i] * live
        left += added
        committed, available = schedule.committed[c, m, i] * live, schedule.available[c, m, i] * live
        took, makeup, opened, expired = used[c, m, i], 0.0, 0.0, 0.0
        missing = max(committed - available, 0.0)
        if terms.form[c] >= 2:
            amount, length = amount_of(terms, X, c, i, m)
            due = amount * live / length * schedule.in_term[c, m, i]
            base = min(took * price, max(left if terms.form[c] == 2 else min(amount * live - bases, left), 0.0))
            over = max(took - base / price, 0.0)
        elif terms.form[c] == 0:
            base = due = available
            over = max(took - min(took, committed), 0.0)
        else:
            if rights:
                whole = rights.period_due(terms, schedule, alive, top, c, i, m)
                makeup = rights.take(m, took, committed, whole - bases)
            base, due = min(took - makeup, committed), max(top * committed - missing, 0.0)
            over = max(took - makeup - base, 0.0)
        dues, bases = dues + due, bases + base
        closing = schedule.ends[c, m, i] > 0
        year = terms.true_up[c] == 1 and (m - terms.starts[c]) % 12 == 11
        up = terms.true_up[c] == 0 or year or closing
        short = max(dues - bases, 0.0) if up and terms.form[c] != 2 else 0.0
        unit = 1.0 if terms.form[c] >= 2 else price
        charge = left if closing and terms.at_end[c] == 0 else min(unit * (base + short), left)
        left -= charge
        lapsed = left if closing and terms.at_end[c] == 1 else 0.0
        left -= lapsed
        credit = min(X[terms.credit_x[c], i] * price * missing, charge) if terms.remedy[c] == 2 else 0.0
        dear = Y[terms.overage_y[c], m, i] if terms.overage_y[c] >= 0 else price
        extra = over * dear if terms.allows_overage[c] else 0.0
        billed = charge - credit + extra + fee
        got = X[terms.prepaid_x[c], i] if m == terms.starts[c] else 0.0
        interest = liability * X[terms.financing_x[c], i] / 12 if end - m > 12 else 0.0
        held = liability + got + interest
        drawn = min(billed, held)
        back = held - drawn if closing or (live <= 0 < live_before) else 0.0
        liability = held - drawn - back
        if rights:
            over_now = closing or (live <= 0 < live_before)
            expired = rights.expire(m, over_now)
            opened = 0.0 if over_now else min(short, max(charge / price - base, 0.0))
            rights.open(m, opened)
        if terms.form[c] >= 2:
            base, short = base / price, short / price
        sheet.append((base, over, short, charge, extra, credit, billed, got, drawn, interest, back, liability, cancelled, lapsed, left,
                      makeup, opened, expired, rights.balance() if rights else 0.0, added, fee))  # fmt: skip
        if up:
            dues = bases = 0.0
        live_before = live
    return np.array(sheet)


@pytest.mark.parametrize("seed", range(8))
def test_settlement(seed):
    terms, _, _, X, Y, _, schedule, alive, used, out, *_ = settled(seed)
    names = "base overage deficiency charge overage_usd credit billed prepaid_in drawdown interest refunded unearned "
    names += "terminated lapsed remaining makeup makeup_opened makeup_expired makeup_balance added penalty"
    for c in range(C):
        for i in range(0, L, 3):
            want = settle_twin(terms, schedule, alive, used, X, Y, c, i)
            for f, name in enumerate(names.split()):
                got = getattr(out, name)[c, :, i]
                np.testing.assert_allclose(got, want[:, f], rtol=1e-11, atol=1e-11 * X[terms.total_x[c], i], err_msg=f"{name} of {c}")


def test_take_or_pay_by_hand():
    """100 GPU-h committed at 2 USD, 80 % owed, 50 used: base 50, deficiency 30, billed 160; with 90 used: 180."""
    for used, billed in ((50.0, 160.0), (90.0, 180.0), (0.0, 160.0), (100.0, 200.0)):
        base, over, owed = plain(settle.take_month)(False, used, 100.0, 100.0, plain(settle.due_month)(100.0, 100.0, 0.8))
        assert 2.0 * (base + max(owed - base, 0.0)) == billed and over == 0.0
    # 30 of the 100 hours were not made available: only 80 - 30 are owed (C-02)
    assert plain(settle.due_month)(100.0, 70.0, 0.8) == 50.0
    # beyond the commitment: 20 hours of overage
    assert plain(settle.take_month)(False, 120.0, 100.0, 100.0, 80.0) == (100.0, 20.0, 80.0)


def paid(seed, burn=1.0):
    """Stages up to payments; in its first months the first customer pays for `burn` times its operations."""
    terms, table, people, X, Y, _r, schedule, _, _, settlement, owner, planned, ready = settled(seed)
    Y[people.operations_y[0], :4] *= burn
    X[terms.payment_lag_x[seed % C]] = 1.7  # one contract's days to pay are the same on every path
    signed = zeros(
        customer.Signed, (2, M, L), tau=np.zeros((2, L), np.int64), alive=np.zeros((C, M, L)), passage=np.zeros((2, 3, 2, L), np.int64)
    )
    customer.signed_block(people, terms, schedule, NO_EQUITY, X, Y, TH, RUNS, signed)
    out = zeros(customer.Payments, (C, M, L), **{f: np.zeros((2, M, L)) for f in ("raised", "cash_balance", "funding_gap", "coverage")})
    customer.pay_block(people, terms, schedule, signed, settlement, NO_EQUITY, X, Y, out)
    return terms, table, people, X, Y, schedule, settlement, signed, out, owner, planned, ready


def signed_twin(people, terms, schedule, X, Y, u, i):
    y = lambda key: Y[getattr(people, key)[u], :, i]  # noqa: E731
    revenue = y("users_y") * y("paying_y") * y("price_y") + y("api_y") + y("other_y")
    operating = revenue * (1 - y("revenue_share_y") - y("cost_y")) - y("operations_y") - y("other_compute_y")
    mine = np.flatnonzero(terms.customer == u)
    owed = sum((schedule.must_pay[c, :, i] * schedule.standing[c, :, i] for c in mine), np.zeros(M))
    cash, floor, waiting, coverage = X[people.cash_x[u], i], X[people.minimum_x[u], i], 0.0, []
    for m in range(M):
        ahead = slice(m, m + 12)
        resources = cash - waiting + operating[ahead].sum() + y("raises_y")[ahead].sum()
        coverage.append(max(resources, 0.0) / owed[ahead].sum() if owed[ahead].sum() > 0 else 1e9)
        cash += operating[m]
        due = owed[m] + waiting
        cash += min(max(due + floor - cash, 0.0), y("raises_y")[m])
        pay = min(due, max(cash - floor, 0.0))
        cash, waiting = cash - pay, due - pay
    return revenue, operating, np.array(coverage)


def test_months_in_a_row_start_again():
    """Below, above, below, below: two in a row end in month 3, three never (V-04)."""
    coverage = np.array([[0.5], [1.5], [0.5], [0.5]])
    found = [np.zeros(1) for _ in range(3)]
    for run, month in enumerate(found, 1):
        plain(customer.first_below)(coverage, np.array([1.0]), np.array([float(run)]), np.zeros(1), month)
    assert [month[0] for month in found] == [0, 3, 4]


def first_twin(coverage, threshold, run):
    for m in range(M):
        if m + 1 >= run and all(coverage[n] < threshold for n in range(m + 1 - run, m + 1)):
            return m
    return M


@pytest.mark.parametrize("seed", range(6))
def test_signed_customer(seed):
    terms, _, people, X, Y, schedule, _, signed, *_ = paid(seed)
    for u in range(2):
        for i in range(L):
            revenue, operating, coverage = signed_twin(people, terms, schedule, X, Y, u, i)
            np.testing.assert_allclose(signed.revenue[u, :, i], revenue, rtol=1e-12)
            np.testing.assert_allclose(signed.operating[u, :, i], operating, rtol=1e-9, atol=1e-6)
            np.testing.assert_allclose(signed.coverage[u, :, i], coverage, rtol=1e-9, atol=1e-9)
            for a, threshold in enumerate(TH):
                for b, run in enumerate(RUNS):
                    assert signed.passage[u, a, b, i] == first_twin(coverage, threshold, run)
            fires = first_twin(coverage, X[people.below_x[u], i], int(X[people.run_months_x[u], i] + 0.5))
            asks = X[people.luck_x[u], i] < X[people.probability_x[u], i]
            assert signed.tau[u, i] == (fires if asks else M)
            for c in np.flatnonzero(terms.customer == u):
                cut = np.where(np.arange(M) >= signed.tau[u, i], 1 - X[people.cut_x[u], i], 1.0)
                np.testing.assert_allclose(signed.alive[c, :, i], schedule.standing[c, :, i] * cut, rtol=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_payments(seed):
    """Priority decides who waits (V-02); nobody gets more than is due; cash adds up."""
    terms, _, people, X, Y, _, settlement, signed, out, *_ = paid(seed)
    for u in range(2):
        mine = sorted(np.flatnonzero(terms.customer == u), key=lambda c: terms.priority[c])
        for i in range(L):
            cash, floor, waiting = X[people.cash_x[u], i], X[people.minimum_x[u], i], dict.fromkeys(mine, 0.0)
            for m in range(M):
                cash += signed.operating[u, m, i]
                for c in mine:
                    lag = int(X[terms.payment_lag_x[c], i] + 0.5)
                    waiting[c] += (settlement.invoiced[c, m - lag, i] if m >= lag else 0.0) + settlement.prepaid_in[c, m, i]
                    cash += settlement.refunded[c, m, i]
                raised = min(max(sum(waiting.values()) + floor - cash, 0.0), Y[people.raises_y[u], m, i])
                cash += raised
                for c in mine:
                    pay = min(waiting[c], max(cash - floor, 0.0))
                    cash, waiting[c] = cash - pay, waiting[c] - pay
                    assert out.paid[c, m, i] == pytest.approx(pay - settlement.refunded[c, m, i], rel=1e-9, abs=1e-3)
                    assert out.arrears[c, m, i] == pytest.approx(waiting[c], rel=1e-9, abs=1e-3)
                assert out.raised[u, m, i] == pytest.approx(raised, rel=1e-9, abs=1e-3)
                assert out.cash_balance[u, m, i] == pytest.approx(cash, rel=1e-9, abs=1e-3)
                assert out.funding_gap[u, m, i] == pytest.approx(sum(waiting.values()) + max(-cash, 0.0), rel=1e-9, abs=1e-3)


@pytest.mark.parametrize("burn", [1.0, 20.0])
@pytest.mark.parametrize("seed", range(3))
def test_coverage_of_the_terms_that_stand(seed, burn):
    """Cash less the bills that wait and the next 12 months over what is owed in them (V-03); cash below zero counts once."""
    terms, _, people, X, Y, schedule, _, signed, out, *_ = paid(seed, burn)
    below = out.cash_balance[0] < 0.0
    assert (below[:-1] & (out.coverage[0, 1:] > 0.0)).any() == below.any() == (burn > 1.0)
    for u in range(2):
        mine = np.flatnonzero(terms.customer == u)
        owed, waiting = (np.sum([part[c] for c in mine], axis=0) for part in (schedule.must_pay * signed.alive, out.arrears))
        for i in range(L):
            for m in range(M):
                cash = out.cash_balance[u, m - 1, i] - waiting[m - 1, i] if m else X[people.cash_x[u], i]
                cash += signed.operating[u, m : m + 12, i].sum() + Y[people.raises_y[u], m : m + 12, i].sum()
                due = owed[m : m + 12, i].sum()
                want = max(cash, 0.0) / due if due > 0.0 else 1e9
                assert out.coverage[u, m, i] == pytest.approx(want, rel=1e-9, abs=1e-9)


def recognised(seed):
    terms, table, _people, X, _Y, schedule, settlement, signed, payments, owner, planned, ready = paid(seed)
    ordered, delivered = np.zeros((C, M, L)), np.zeros((C, M, L))
    tranche.tranche_block(owner, planned, ready, table.order_lead_x, X, ordered, delivered)
    out = zeros(recognise.Books, (C, M, L))
    recognise.recognise_block(terms, table, schedule, settlement, signed.alive, payments.collectible, ordered, delivered, X, out)
    return terms, table, X, schedule, settlement, signed, payments, ordered, delivered, out, owner, planned, ready


@pytest.mark.parametrize("seed", range(6))
def test_tranches(seed):
    *_, X, _, _, _, _, ordered, delivered, _, owner, planned, ready = (None, *recognised(seed))
    table = recognised(seed)[1]
    for c in range(C):
        plan, there = planned[owner == c].sum(axis=0), ready[owner == c].sum(axis=0)
        for i in range(L):
            lead = int(X[table.order_lead_x[c], i] + 0.5)
            want = [min(max(plan[min(n + lead, M - 1), i] for n in range(m + 1)) / plan[-1, i], 1.0) for m in range(M)]
            np.testing.assert_allclose(ordered[c, :, i], want, rtol=1e-12)
            want = [min(max(there[n, i] for n in range(m + 1)) / plan[-1, i], 1.0) for m in range(M)]
            np.testing.assert_allclose(delivered[c, :, i], want, rtol=1e-12)


def test_an_order_that_all_paths_place_as_early():
    """Two pools of one contract, ordered three months ahead on every path: 1 + 10 and 3 + 30 GPU planned in months 0 and 1, all by 4."""
    planned = np.array([[[1.0]] * 1 + [[3.0]] * 3 + [[6.0]] * 2, [[10.0]] * 1 + [[30.0]] * 3 + [[60.0]] * 2]) * np.ones(L)
    ordered, delivered = np.full((2, 1, 6, L), np.nan)
    tranche.tranche_block(np.zeros(2, np.int64), planned, planned / 2.0, np.zeros(1, np.int64), np.full((1, L), 3.2), ordered, delivered)
    for i in range(L):
        np.testing.assert_allclose(ordered[0, :, i], [33 / 66, 1, 1, 1, 1, 1], rtol=1e-12)
        np.testing.assert_allclose(delivered[0, :, i], [11 / 132, *[33 / 132] * 3, 0.5, 0.5], rtol=1e-12)


def earned_twin(terms, table, schedule, settlement, X, c, i, total):
    """A-01: rateable, or as used with expected breakage; a catch-up at each true-up; never beyond the value left."""
    base_before = due_before = earned = charged = gone = owed_before = 0.0
    rows, beta, rights = [], X[table.breakage_x[c], i], terms.makeup_x[c] >= 0
    taken = settlement.makeup[c, :, i] + settlement.makeup_expired[c, :, i]
    deferred = schedule.price[c, :, i] * settlement.makeup_opened[c, :, i]
    owed = owed_by_lots(settlement.makeup_opened[c, :, i], taken, schedule.price[c, :, i], beta, X[table.remote_x[c], i])
    for m in range(M):
        price, base, due = schedule.price[c, m, i], settlement.ytd_base[c, m, i], settlement.ytd_due[c, m, i]
        charged += settlement.charge[c, m, i] - deferred[m]
        gone += settlement.terminated[c, m, i] + settlement.lapsed[c, m, i] - settlement.added[c, m, i]
        if table.policy[c] == 0:
            hours = max(base, due) - max(base_before, due_before)
        elif table.policy[c] == 2 or rights:
            hours = (base - base_before) / (1 if rights else 1 - beta)
        else:
            idle, idle_before = max(due - base, 0.0), max(due_before - base_before, 0.0)
            hours = base - base_before + X[table.breakage_x[c], i] * (idle - idle_before)
        up = settlement.trued[c, m, i] > 0
        unit = 1.0 if terms.form[c] >= 2 else price
        left = total - gone - earned - deferred[:m].sum()  # what no bill and no right holds yet
        own = charged - earned if up else min(unit * max(hours, 0.0), left)
        earned += own
        rows.append(own + owed_before + deferred[m] - owed[m])
        owed_before = owed[m]
        base_before, due_before = (0.0, 0.0) if up else (base, due)
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_recognition(seed):
    """Revenue catches up with what was charged at each true-up; RPO is firm, collectible value not yet earned (A-01, A-02)."""
    terms, table, X, schedule, settlement, signed, payments, ordered, delivered, out, *_ = recognised(seed)
    for c in range(C):
        for i in range(L):
            total, mode = X[terms.total_x[c], i], int(X[table.firm_on_x[c], i])
            charged = np.cumsum(settlement.charge[c, :, i])
            gone = np.cumsum(settlement.terminated[c, :, i] + settlement.lapsed[c, :, i] - settlement.added[c, :, i])
            extra = settlement.overage_usd[c, :, i] - settlement.credit[c, :, i] + settlement.penalty[c, :, i]
            earned = np.cumsum(out.revenue[c, :, i] - extra)
            ups = settlement.trued[c, :, i] > 0
            held = out.makeup_owed[c, :, i]
            np.testing.assert_allclose((earned + held)[ups], charged[ups], rtol=1e-9, atol=TIGHT * total)
            assert np.all(earned <= total - gone + TIGHT * total)
            stock, outside = out.unbilled[c, :, i] - out.deferred[c, :, i], out.in_scope[c, :, i] + out.out_scope[c, :, i]
            np.testing.assert_allclose(stock, earned - charged, rtol=1e-9, atol=TIGHT * total)
            np.testing.assert_allclose(outside, out.revenue[c, :, i], rtol=1e-9, atol=TIGHT * total)
            left = total - gone - earned
            np.testing.assert_allclose(out.rpo[c, :, i] + out.not_in_rpo[c, :, i], left, rtol=1e-9, atol=TIGHT * total)
            share = (np.ones(M), ordered[c, :, i], delivered[c, :, i], np.zeros(M))[mode]
            if mode == 0:
                np.testing.assert_allclose(out.rpo[c, :, i], left * payments.collectible[c, :, i], rtol=1e-9, atol=TIGHT * total)
            assert np.all(out.rpo[c, :, i] <= share * (total + np.cumsum(np.maximum(settlement.added[c, :, i], 0))) + TIGHT * total)
            assert np.all(out.rpo[c, :, i] >= -TIGHT * total) and np.all(out.not_in_rpo[c, :, i] >= -TIGHT * total)
            assert np.all(out.rpo[c, payments.collectible[c, :, i] == 0, i] == 0.0)
            opening = np.concatenate(([0.0], out.rpo[c, :-1, i]))
            flows = out.new + out.remeasured - out.in_scope - out.rpo_terminated - out.rpo_lapsed
            np.testing.assert_allclose(opening + flows[c, :, i], out.rpo[c, :, i], rtol=1e-9, atol=TIGHT * total)
            coming = schedule.price[c, :, i] * schedule.committed[c, :, i] * signed.alive[c, :, i]
            current = [min(out.rpo[c, m, i], sum(coming[m + 1 : m + 13]) + held[m]) for m in range(M)]
            np.testing.assert_allclose(out.crpo[c, :, i], current, rtol=1e-9, atol=TIGHT * total)
            want = earned_twin(terms, table, schedule, settlement, X, c, i, total)
            np.testing.assert_allclose(out.revenue[c, :, i] - extra, want, rtol=1e-9, atol=TIGHT * total)


def test_phased_rpo_by_hand():
    """A 100 USD contract, firm by tranche: half firm in month 0, half in month 2, 20 a month earned."""
    opening, early, before = 0.0, 0.0, 0.0
    seen = []
    for share, earned in ((0.5, 20.0), (0.5, 20.0), (1.0, 20.0), (1.0, 40.0)):
        new, _, _, taken, opening, early = plain(recognise.firm_month)(opening, early, before, share, 100.0, 0.0, 0.0, earned, 0.0)
        before = share
        seen.append((new, taken, opening))
    assert seen == [(50.0, 20.0, 30.0), (0.0, 20.0, 10.0), (50.0, 20.0, 40.0), (0.0, 40.0, 0.0)]
    # earned before it was firm: 20 outside RPO in month 0 are not counted again when the tranche turns firm
    new, _, _, taken, opening, early = plain(recognise.firm_month)(0.0, 0.0, 0.0, 0.0, 100.0, 0.0, 0.0, 20.0, 0.0)
    assert (new, taken, opening, early) == (0.0, 0.0, 0.0, 20.0)
    new, _, _, taken, opening, early = plain(recognise.firm_month)(opening, early, 0.0, 0.5, 100.0, 0.0, 0.0, 10.0, 0.0)
    assert (new, taken, opening, early) == (30.0, 10.0, 20.0, 0.0)
