"""Options against a twin that a person would write: one path at a time, a list of what is exercised and what follows."""

import numpy as np
import pytest

from offtake.kernels import customer, options, settle, supply

from .money import zeros

C, K, M, L, O = 3, 4, 30, 6, 12
OWNER = np.array([0, 1, 1, 2])


# A type of a test would be written into the kernels' shared cache, which the tool then could not read: types here are the kernels' own.
def owners(customers):
    """Terms of which options read the customer alone."""
    return zeros(settle.Terms, (1,), customer=customers)


def covered(coverage):
    """A signed path of which options read the coverage alone."""
    return zeros(customer.Signed, (1,), coverage=coverage)


def drawn(seed):
    """Twelve options of every kind and state over three contracts, and the world that their rules read."""
    r = np.random.default_rng(seed)
    rows = []

    def xs(low, high, n=O):
        rows.extend(r.uniform(low, high, (n, L)))
        return np.arange(len(rows) - n, len(rows))

    kind = r.permutation([0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4])
    size = xs(0.1, 0.9)
    for o in np.flatnonzero(kind == 1):
        rows[size[o]] = r.uniform(1, 9, L)
    contract = r.integers(0, C, O)
    contract[kind == 4] = 1
    chance, declines = xs(0, 1), xs(0, 1)
    chance[r.random(O) < 0.4] = -1
    declines[r.random(O) < 0.7] = -1
    swaps = np.flatnonzero(kind == 4)
    table = options.Options(
        contract=contract, kind=kind, state=r.integers(0, 4, O), above=r.integers(0, 2, O), level_x=xs(0.3, 0.9), run_x=xs(1, 4),
        first=r.integers(0, 12, O), last=r.integers(10, 40, O), probability_x=chance, luck_x=xs(0, 1), declines_x=declines,
        declines_luck_x=xs(0, 1), size_x=size, penalty_x=xs(0, 0.6), lag_x=xs(0, 4), swap_option=swaps, swap_from=np.array([1, 2]),
        swap_to=np.array([2, 1]),
    )  # fmt: skip
    schedule = zeros(settle.Schedule, (C, M, L), price=r.uniform(1, 3, (C, M, L)), in_term=np.zeros((C, M, L)), standing=np.ones((C, M, L)))
    schedule.in_term[:, 2:26] = 1.0
    schedule.standing[2, 15:, :3] = 0.0
    mw, others = r.uniform(1, 9, (2, M, L)), ("late", "energised", "allotted", "binding")
    there = {name: r.uniform(1, 50, (K, M, L)) for name in supply.Supply._fields if name not in others}
    world = supply.Supply(**there, late=r.uniform(0, 9, (4, K, M, L)), energised=mw, allotted=mw, binding=np.zeros((K, M, L)))
    used, capacity = r.uniform(0, 1, (K, M, L)), r.uniform(0.8, 1.2, (K, M, L))
    market, coverage = r.uniform(0.5, 2, (K, M, L)), r.uniform(0, 1.5, (2, M, L))
    return table, schedule, world, used, capacity, market, coverage, np.array(rows)


def exercised(seed):
    table, schedule, world, used, capacity, market, coverage, X = drawn(seed)
    when = np.zeros((O, L), np.int64)
    terms, signed = owners(np.array([0, 1, 0])), covered(coverage)
    options.exercise_block(table, terms, schedule, signed, OWNER, np.arange(K), world, used, capacity, X, market, when)
    return table, schedule, world, used, capacity, market, coverage, X, when


def state_twin(table, schedule, world, used, capacity, market, coverage, o, i):
    c = table.contract[o]
    mine = c == OWNER
    if table.state[o] == 1:
        return used[mine, :, i].sum(axis=0) / capacity[mine, :, i].sum(axis=0)
    if table.state[o] == 2:
        gpus = world.planned[mine, :, i]
        return (gpus * market[mine, :, i]).sum(axis=0) / gpus.sum(axis=0) / schedule.price[c, :, i]
    return coverage[[0, 1, 0][c], :, i]


def when_twin(table, schedule, state, X, o, i):
    """First month in the window that ends enough months in a row in which the rule held while the contract stood."""
    for chance, luck in ((table.probability_x, table.luck_x), (table.declines_x, table.declines_luck_x)):
        if chance[o] >= 0 and X[luck[o], i] >= X[chance[o], i]:
            return M
    live = (schedule.in_term[table.contract[o], :, i] * schedule.standing[table.contract[o], :, i]) > 0
    level = X[table.level_x[o], i]
    holds = live & (state > level if table.above[o] else state < level)
    run = int(X[table.run_x[o], i] + 0.5)
    for m in range(table.first[o], min(table.last[o], M - 1) + 1):
        in_a_row = live[m] if table.state[o] == 0 else m + 1 >= run and holds[m + 1 - run : m + 1].all()
        if in_a_row and live[m]:
            return m
    return M


@pytest.mark.parametrize("seed", range(8))
def test_when(seed):
    *world, X, when = exercised(seed)
    for o in range(O):
        for i in range(L):
            assert when[o, i] == when_twin(world[0], world[1], state_twin(*world, o, i), X, o, i), (o, i)
    assert np.any(when < M) and np.any(when == M)


def follows(table, X, when, o, i):
    """First month of what an exercised option does."""
    return when[o, i] + int(X[table.lag_x[o], i] + 0.5) + (table.state[o] != 0)


@pytest.mark.parametrize("seed", range(8))
def test_changes_and_supply(seed):
    table, schedule, world, *_, X, when = exercised(seed)
    out = options.Changes(*(np.full((C, M, L), np.nan) for _ in range(6)))
    options.change_block(table, schedule, when, X, out)
    before = {name: getattr(world, name).copy() for name in world._fields}
    options.enlarge_block(table, out, schedule.in_term, when, OWNER, np.array([0, 1]), X, world)
    for i in range(L):
        scale, price, kept, fee, change, longer = np.ones((C, M)), np.ones((C, M)), np.ones((C, M)), *np.zeros((3, C, M))
        moved = {name: before[name][..., i].copy() for name in before}
        for o in np.flatnonzero(when[:, i] < M):
            c, size, first = table.contract[o], X[table.size_x[o], i], follows(table, X, when, o, i)
            if table.kind[o] == 1:
                longer[c, when[o, i]] += int(size + 0.5)
            if first >= M or not schedule.in_term[c, first, i]:
                continue
            if table.kind[o] == 0:
                scale[c, first:] *= 1 + size
                change[c, first] = (1 + change[c, first]) * (1 + size) - 1
            elif table.kind[o] == 3:
                price[c, first:] *= size
                change[c, first] = (1 + change[c, first]) * size - 1
            elif table.kind[o] == 2:
                kept[c, first:] *= 1 - size
                fee[c, first] += X[table.penalty_x[o], i] * size
        for got, want in zip(out, (scale, price, kept, fee, change, longer)):
            np.testing.assert_allclose(got[..., i], want, rtol=1e-12)
        for o, old, new in zip(table.swap_option, table.swap_from, table.swap_to):
            if when[o, i] == M:
                continue
            first, ratio = follows(table, X, when, o, i), X[table.size_x[o], i]
            if first >= M or not schedule.in_term[table.contract[o], first, i]:
                continue
            for name in ("planned", "ready", "offered", "down", "early", "late"):
                values = moved[name] if name == "late" else moved[name][None]
                values[:, new, first:] += ratio * values[:, old, first:]
                values[:, old, first:] = 0.0
            moved["delivered"][new, first:] += ratio * moved["delivered"][old, first:]
        for name in set(before) - {"binding", "energised", "powered", "shelled"}:  # the last two say what limited the book's own GPUs
            factor = scale[[0, 1]] if name == "allotted" else scale[OWNER]
            np.testing.assert_allclose(getattr(world, name)[..., i], moved[name] * factor, rtol=1e-12, err_msg=name)


def test_a_rule_by_hand():
    """Occupancy 0.95, 0.95, 0.5, 0.95, 0.95, 0.95 over 0.9 for 3 months: exercised in month 5, not in month 3."""
    levels = np.array([0.95, 0.95, 0.5, 0.95, 0.95, 0.95])
    one = np.array([0])
    table = options.Options(*(one for _ in range(18)))._replace(
        state=one + 1, above=one + 1, run_x=one + 1, last=one + 9, probability_x=one - 1, declines_x=one - 1, swap_option=one[:0]
    )
    lane = levels.reshape(1, 6, 1)
    schedule = zeros(settle.Schedule, (1, 6, 1), price=np.ones((1, 6, 1)), in_term=np.ones((1, 6, 1)), standing=np.ones((1, 6, 1)))
    world = zeros(supply.Supply, (1, 6, 1), late=np.zeros((4, 1, 6, 1)), planned=np.ones((1, 6, 1)), binding=np.zeros((1, 6, 1)))
    when = np.zeros((1, 1), np.int64)
    X = np.array([[0.9], [3.0]])
    options.exercise_block(table, owners(one), schedule, covered(lane), one, one, world, lane, np.ones((1, 6, 1)), X, lane, when)
    assert when[0, 0] == 5
