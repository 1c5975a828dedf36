"""Months that a commitment ties together, in books with hours of the day, against HiGHS: one program over all months and slots (P-02)."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake import shadow
from offtake.kernels import place

from .test_couple import JOBS, LANES, MONTHS, ONE, POOLS, optimum, tied
from .test_slots import INFERENCE, columns, load, slotted

KINDS = ("plain", "round", "flat", "sparse")


def made(seed, kind, contracts):
    """Workloads that follow the day, run through it or lie anywhere, on pools of which some share a commitment over months."""
    told = slotted(seed, kind, works=JOBS, pools=POOLS, lanes=LANES, months=MONTHS, extra=contracts + 1)
    return told, tied(told.case, seed, contracts)


def solved(programs):
    day = programs.jobs.day
    out = place.placement(JOBS, POOLS, len(programs.segments.pool), MONTHS, LANES, day)
    shadow.solve(programs, out)
    assert not out.status.any()
    return out


def whole(told, programs, out, i):
    """Optimum over all months of lane i, with the work of each month that the plan left it."""
    share, table, (pool, cap, cost) = told.case.jobs.day.share, programs.coupled, programs.segments
    gains, rows, limits = [], {}, {}

    def add(gain, entries):
        for key, value in entries:
            rows.setdefault(key, []).append((len(gains), value))
        gains.append(gain)

    for m in range(MONTHS):
        found, work = columns(told, m, i)
        for h in found:
            speed = told.case.loads.speed[h.w, h.k, i]
            hours = [(("slot", m, h.k, s), part) for s, part in enumerate(h.part)]
            earned = told.case.loads.value[h.w, i] * speed - told.case.loads.moving[h.w, h.k, i]
            add(earned, [*hours, (("pool", m, h.k), 1.0), (("work", m, h.row), speed)])
        for row, (w, s) in enumerate(work):
            asked = load(told, w, m, i)[s] if told.kind[w] == INFERENCE else out.served[w, m, i] + out.unserved[w, m, i]
            limits["work", m, row] = asked
        for k in range(POOLS):
            limits |= {("slot", m, k, s): share[s] * cap[pool == k, m, i].sum() for s in range(len(share))} | {("pool", m, k): 0.0}
        for q, k in enumerate(pool):
            n = table.owner[k]
            paid, past = n >= 0 and q == table.paid[k], n >= 0 and q == table.past[k]
            both = ("both", m, k) if paid or past else ("alone", m, q)
            limits[both] = limits.get(both, 0.0) + cap[q, m, i]
            drawn = [(("stock", table.period[n, m]), programs.known.unit[n, m, i])] if paid else []
            price = 0.0 if paid else programs.full[k, m, i] if past else cost[q, m, i]
            add(-price, [(("pool", m, k), -1.0), (both, 1.0), *drawn])
    limits |= {("stock", p): stock for p, stock in enumerate(programs.known.stock[:, i])}
    return optimum(gains, rows, limits)[0]


def gaps(told, programs):
    """What is told of each lane: value of the plan and of the bound, and the true optimum."""
    out = solved(programs)
    bound, slack = programs.known.bound.sum(axis=0), programs.known.slack.sum(axis=0)
    return bound - slack, np.array([whole(told, programs, out, i) for i in range(LANES)]), bound


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS))
def test_one_contract_is_placed_as_one_program_over_months_and_slots(seed, kind):
    reached, best, bound = gaps(*made(seed, kind, 1))
    assert np.allclose(reached, best, rtol=ONE, atol=1e-9) and np.allclose(bound, best, rtol=ONE, atol=1e-9)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(2, 3))
def test_several_contracts_lie_within_the_bound_that_is_told(seed, kind, contracts):
    reached, best, bound = gaps(*made(seed, kind, contracts))
    close = 1e-8 * (1.0 + np.abs(best))
    assert (reached <= best + close).all() and (best <= bound + close).all()
