"""Stages: the kernels against NumPy twins (`twin`) on the same paths of the first book, in one process and one thread.

Both get the same factors, series and hours. A twin is checked against its kernel first (largest relative difference of every array,
at most 1e-9), then both are timed over and over on paths at hand, as in a run: the kernel on a block of 64, the twin on the best of
several chunks. CPU seconds a path, least of some repeats. All-path quantiles: the kernel's streaming histogram against
`np.quantile`, which must hold every path.
"""

import time
from typing import NamedTuple

import numpy as np

from bench import twin, twin_money
from bench.roof import operations
from offtake import front, stages
from offtake.kernels import accounts, customer, recognise, reduce, settle, supply, value

LANES = stages.LANES
POINTS = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
ROWS = 200


class Ratio(NamedTuple):
    """Seconds a path of both, the best chunk of the twin, how far the two are apart, and float operations a path (0: not counted)."""

    stage: str
    kernel: float
    twin: float
    chunk: int
    apart: float
    operations: float = 0.0


def least(work, repeats):
    """CPU seconds, the least of some repeats; the first call compiles or loads and is not counted."""
    work()
    found = np.inf
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(5):  # the clock of a process is coarse
            work()
        found = min(found, (time.process_time() - start) / 5)
    return found


def apart(ours, theirs):
    """Largest difference relative to the largest entry."""
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-300))


class Paths:
    """Blocks of the first book as the kernels left them, and the same inputs side by side for the twin."""

    def __init__(self, book, paths):
        self.plan = front.compile(front.load(book))
        self.blocks, clipped = [], np.zeros(len(self.plan.factor_paths), np.int64)
        for first in range(0, paths, LANES):
            b = stages.allocate(self.plan)
            stages.fill(b, 1, first, clipped)
            self.blocks.append(b)
        self.count = len(self.blocks) * LANES
        self.X, self.Y = self.side_by_side(lambda b: b.X), self.side_by_side(lambda b: b.Y)

    def side_by_side(self, read):
        return np.concatenate([read(b) for b in self.blocks], axis=-1)

    def sunk(self, b):
        """(K, L) GPUs that ran before month 0."""
        p, total = self.plan, np.zeros((len(self.plan.names.pools), LANES))
        np.add.at(total, p.lots.pool, b.X[p.lots.gpus_x] * p.lots.running[:, None])
        return total


def best_chunk(paths, cut, work, repeats):
    """Seconds a path and chunk of the twin at its best, and its float operations a path; `cut` makes its inputs for some paths, `work`
    takes them."""
    found, count = [], operations(work, cut(slice(0, LANES)), LANES)
    for chunk in (64, 256, 1024, 4096):
        if chunk <= paths:
            given = cut(slice(0, chunk))
            found.append((least(lambda given=given: work(*given), repeats) / chunk, chunk))
    return *min(found), count


def slices(at, *arrays):
    """The paths `at` of every array, in plain memory."""
    return tuple({n: np.ascontiguousarray(v[..., at]) for n, v in a.items()} if isinstance(a, dict) else
                 np.ascontiguousarray(a[..., at]) for a in arrays)  # fmt: skip


def supply_ratio(p, repeats):
    plan, tables = p.plan, (p.plan.lots, p.plan.sites, p.plan.pools)
    made = twin.hours(p.X, tables, plan.hours)
    table = stages.allocate(plan).supply  # the kernel alone: of the blocks, a surface of replays may have set what is offered

    def alone(b, name):
        supply.supply_block(plan.lots, plan.sites, plan.pools, b.X, plan.hours, table)
        return getattr(table, name).copy()

    gap = max(apart(made[n], p.side_by_side(lambda b, n=n: alone(b, n))) for n in ("ready", "offered", "late", "energised"))
    b = p.blocks[0]
    ours = least(lambda: supply.supply_block(plan.lots, plan.sites, plan.pools, b.X, plan.hours, table), repeats) / LANES
    theirs, chunk, count = best_chunk(p.count, lambda at: slices(at, p.X), lambda X: twin.hours(X, tables, plan.hours), repeats)
    return Ratio("supply", ours, theirs, chunk, gap, count)


def ledger_ratio(p, repeats):
    plan = p.plan
    made = twin.hours(p.X, (plan.lots, plan.sites, plan.pools), plan.hours)
    made["offered"] = p.side_by_side(lambda b: b.supply.offered)  # as the surface of replays has it
    used, alive = p.side_by_side(lambda b: b.used), p.side_by_side(lambda b: b.signed.alive)
    sunk = [p.sunk(b) for b in p.blocks]
    sunk_all = np.concatenate(sunk, axis=-1)

    def theirs(made, sunk, used, alive, X, Y):
        return twin.ledger(plan.costs, made, sunk, used, alive, stages.RELEASE_SHARE, X, Y, plan.hours)

    def ours(b, s):
        accounts.ledger_block(
            plan.costs, b.supply, s, b.used, b.signed.alive, b.books.revenue, stages.RELEASE_SHARE, b.X, b.Y, plan.hours, b.ledger
        )

    for b, s in zip(p.blocks, sunk):  # anew: `wear` has since rewritten depreciation in place
        ours(b, s)
    given = (made, sunk_all, used, alive, p.X, p.Y)
    gap = max(apart(array, p.side_by_side(lambda b, n=name: getattr(b.ledger, n))) for name, array in theirs(*given).items())
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, *given), theirs, repeats)
    return Ratio("ledger", least(lambda: ours(p.blocks[0], sunk[0]), repeats) / LANES, seconds, chunk, gap, count)


def compared(ours, theirs):
    """How far the arrays of `theirs`, a dict, are from those of the same name in every block."""
    return max(apart(array, ours(name)) for name, array in theirs.items())


def settle_ratio(p, repeats):
    plan, names = p.plan, ("committed", "available", "price", "ends")
    schedule = {n: p.side_by_side(lambda b, n=n: getattr(b.schedule, n)) for n in names}
    given = (schedule, p.side_by_side(lambda b: b.signed.alive), p.side_by_side(lambda b: b.settlement.used), p.X, p.Y)

    def theirs(schedule, alive, used, X, Y):
        return twin_money.settle(plan.terms, schedule, alive, used, X, Y)

    gap = compared(lambda n: p.side_by_side(lambda b: getattr(b.settlement, n)), theirs(*given))
    b = p.blocks[0]
    ours = least(lambda: settle.settle_block(plan.terms, b.schedule, b.signed.alive, b.X, b.Y, b.settlement), repeats) / LANES
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, *given), theirs, repeats)
    return Ratio("settlement", ours, seconds, chunk, gap, count)


def recognise_ratio(p, repeats):
    plan, fields = p.plan, ("committed", "price")
    schedule = {n: p.side_by_side(lambda b, n=n: getattr(b.schedule, n)) for n in fields}
    bill = {n: p.side_by_side(lambda b, n=n: getattr(b.settlement, n)) for n in twin_money.MONEY}
    paths = [p.side_by_side(read) for read in (
        lambda b: b.signed.alive, lambda b: b.payments.collectible, lambda b: b.ordered, lambda b: b.delivered)]  # fmt: skip
    given = (schedule, bill, *paths, p.X)

    def theirs(schedule, bill, alive, collectible, ordered, delivered, X):
        return twin_money.recognise(plan.terms, plan.recognition, schedule, bill, alive, collectible, ordered, delivered, X)

    def ours(b):
        recognise.recognise_block(
            plan.terms, plan.recognition, b.schedule, b.settlement, b.signed.alive, b.payments.collectible, b.ordered, b.delivered, b.X,
            b.books,
        )  # fmt: skip

    for b in p.blocks:  # anew: what equity takes has since been taken off revenue
        ours(b)
    gap = compared(lambda n: p.side_by_side(lambda b: getattr(b.books, n)), theirs(*given))
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, *given), theirs, repeats)
    return Ratio("recognition", least(lambda: ours(p.blocks[0]), repeats) / LANES, seconds, chunk, gap, count)


def customer_ratio(p, repeats):
    plan, names = p.plan, ("invoiced", "prepaid_in", "refunded")
    schedule = {"must_pay": p.side_by_side(lambda b: b.schedule.must_pay)}
    bill = {n: p.side_by_side(lambda b, n=n: getattr(b.settlement, n)) for n in names}
    flow = p.side_by_side(lambda b: b.signed.operating[0] + (b.equity.cash_in[0] if len(b.equity.cash_in) else 0.0))
    given = (schedule, flow, p.side_by_side(lambda b: b.signed.alive), bill, p.X, p.Y)

    def theirs(schedule, flow, alive, bill, X, Y):
        return twin_money.pay(plan.customers, plan.terms, schedule, flow, alive, bill, X, Y)

    def read(n):
        return p.side_by_side(lambda b: getattr(b.payments, n)[0] if getattr(b.payments, n).shape[0] == 1 else getattr(b.payments, n))

    def ours(b):
        customer.pay_block(
            plan.customers, plan.terms, b.schedule, b.signed, b.settlement, b.equity.cash_in, b.X, b.Y, b.payments
        )  # fmt: skip

    gap = compared(read, theirs(*given))
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, *given), theirs, repeats)
    return Ratio("customer", least(lambda: ours(p.blocks[0]), repeats) / LANES, seconds, chunk, gap, count)


def npv_ratio(p, repeats):
    plan = p.plan
    names = ("release", "capex", "energy", "operations", "rent")
    books = {n: p.side_by_side(lambda b, n=n: getattr(b.ledger, n)) for n in names}
    paid, rate = p.side_by_side(lambda b: b.payments.paid), p.X[plan.rate_x]

    gap = apart(twin.npv(books, paid, rate), p.side_by_side(lambda b: b.npv))
    b = p.blocks[0]
    ours = least(lambda: value.npv_block(b.ledger, b.payments.paid, plan.rate_x, b.X, b.npv), repeats) / LANES
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, books, paid, rate), twin.npv, repeats)
    return Ratio("worth", ours, seconds, chunk, gap, count)


def quantile_ratio(p, repeats):
    """Rows of revenue by month, shaken copies making 16 times as many paths; the twin sees all of them at once, as it must."""
    rows = np.tile(p.side_by_side(lambda b: b.books.revenue.reshape(-1, LANES)[:ROWS]), (1, 16))
    rows *= np.random.default_rng(1).uniform(0.99, 1.01, rows.shape)
    height, count = rows.shape
    low, scale = reduce.ranges(rows)
    widths = np.where(scale > 0.0, 1.0 / np.where(scale > 0.0, scale, 1.0), 0.0)

    def ours():
        histogram = reduce.empty(height)
        for first in range(0, count, 256):
            reduce.tally(histogram, np.ascontiguousarray(rows[:, first : first + 256]), low, scale)
        every = slice(0, height)
        return np.stack([reduce.quantiles(histogram, every, q) for q in POINTS])

    _, exact = twin.quantiles(rows, POINTS)
    inside = (exact > low) & (exact < low + reduce.BINS * widths)
    gap = float((np.abs(ours() - exact)[inside] / np.broadcast_to(np.maximum(widths, 1e-300), exact.shape)[inside]).max())
    repeats = min(repeats, 3)
    seconds = least(lambda: twin.quantiles(rows, POINTS), repeats)
    return Ratio("quantiles", least(ours, repeats) / count, seconds / count, count, gap)
