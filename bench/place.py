"""Placement: path-months per CPU-second of the kernel, and of HiGHS on the same instances in the same run.

8 jobs x 9 pools, 96 months, 64 paths; three books: one segment a pool with slow (2 % a month) and fast (10 %) changes of
demand and capacity, and 5 second segments that cost something. HiGHS is warm: one model a path, right-hand sides and costs
changed month by month.
Run: python -m bench placement
"""

import time

import numpy as np

from offtake.kernels import place, slots

JOBS, POOLS, MONTHS, LANES, HIGHS_PATHS = 8, 9, 96, 64, 4


def book(seed, extra, walk):
    """(segments, jobs, loads, ready, X): lognormal walks in demand and capacity about balance, 70 % of pairs eligible."""
    rng = np.random.default_rng(seed)
    pool = np.concatenate([np.arange(POOLS), np.arange(extra)]).astype(np.int64)

    def path(n, scale):
        steps = np.cumsum(rng.normal(0, walk, (n, MONTHS, LANES)), 1)
        return np.exp(steps + rng.normal(0, 0.5, (n, 1, 1))) * scale

    jobs = place.Jobs(
        (rng.random((JOBS, POOLS)) < 0.7).astype(np.int64), np.zeros(JOBS, np.int64), (rng.random(JOBS) < 0.3).astype(np.int64),
        np.arange(JOBS), np.arange(POOLS), np.ones(POOLS, np.int64), slots.one_block(JOBS),
    )  # fmt: skip
    speed = np.exp(rng.normal(0, 0.5, (JOBS, POOLS, LANES)) + rng.normal(0, 2, (JOBS, 1, 1)))
    value = np.exp(rng.normal(1, 0.5, (JOBS, LANES))) / speed.max(1)
    moving = rng.random((JOBS, POOLS, LANES)) * 0.1 * (rng.random((JOBS, POOLS, 1)) < 0.5)
    loads = place.Loads(path(JOBS, 1e6) * speed.mean(1)[:, None], speed, value, moving)
    cost = np.where(np.arange(len(pool)) < POOLS, 0.0, 1.5)[:, None, None] * np.ones((len(pool), MONTHS, LANES))
    X = np.stack([np.full(LANES, 100.0), np.full(LANES, 1e5)])
    return place.Segments(pool, path(len(pool), 1e6), cost), jobs, loads, np.full((POOLS, MONTHS, LANES), 1e3), X


def kernel(case, repeats=7):
    """Path-months per CPU-second, the best of some repeats, and the result."""
    k, q, day = POOLS, len(case[0].pool), case[1].day
    out, work = place.placement(JOBS, k, q, MONTHS, LANES, day), place.scratch(len(day.owner), k, q, LANES, len(day.share))
    least = np.inf
    for _ in range(repeats + 1):  # the first compiles or loads
        start = time.process_time()
        place.place_block(*case, work, out)
        least = min(least, time.process_time() - start)
    assert not out.status.any()
    return MONTHS * LANES / least, out


def highs(case, out, paths=HIGHS_PATHS):
    """Path-months per CPU-second of HiGHS started from last month's basis, and the largest relative difference of objectives."""
    import highspy

    segments, jobs, loads, _, _ = case
    q_count, worst, spent, inf = len(segments.pool), 0.0, 0.0, highspy.kHighsInf
    pairs = [(w, q) for w in range(JOBS) for q in range(q_count) if jobs.eligible[w, segments.pool[q]]]
    ws, qs = np.array(pairs).T
    ks = segments.pool[qs]
    numbers, rows = np.arange(len(pairs), dtype=np.int32), np.arange(q_count + JOBS, dtype=np.int32)
    for i in range(paths):
        fastest = loads.speed[:, :, i].max(1)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_, lp.sense_ = len(pairs), q_count + JOBS, highspy.ObjSense.kMaximize
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(len(pairs)), np.zeros(len(pairs)), np.full(len(pairs), inf)
        lp.row_lower_, lp.row_upper_ = np.full(len(rows), -inf), np.zeros(len(rows))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = 2 * np.arange(len(pairs) + 1)
        lp.a_matrix_.index_ = np.stack([qs, q_count + ws], 1).ravel().astype(np.int32)
        lp.a_matrix_.value_ = np.stack([np.ones(len(ws)), loads.speed[ws, ks, i] / fastest[ws]], 1).ravel()
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("presolve", "off")
        solver.passModel(lp)
        for m in range(MONTHS):
            late = out.unserved[:, m - 1, i] * jobs.deferrable if m else 0.0
            rhs = np.concatenate([segments.cap[:, m, i], (loads.work[:, m, i] + late) / fastest]) / 1e6
            profit = loads.value[ws, i] * loads.speed[ws, ks, i] - loads.moving[ws, ks, i] - segments.cost[qs, m, i]
            start = time.process_time()
            solver.changeColsCost(len(numbers), numbers, profit)
            solver.changeRowsBounds(len(rows), rows, lp.row_lower_, rhs)
            solver.run()
            top = solver.getInfo().objective_function_value
            spent += time.process_time() - start
            worst = max(worst, abs(top * 1e6 / earned(segments, loads, out, m, i) - 1.0))
    return paths * MONTHS / spent, worst


def earned(segments, loads, out, m, i):
    """USD of the plan; the free segment of a pool fills first."""
    gain = loads.value[:, None, i] * loads.speed[:, :, i] - loads.moving[:, :, i]
    total = (gain * out.use[:, :, m, i]).sum()
    for q in range(POOLS, len(segments.pool)):
        k = segments.pool[q]
        total -= max(out.use[:, k, m, i].sum() - segments.cap[k, m, i], 0.0) * segments.cost[q, m, i]
    return total


BOOKS = {"slow changes": (0, 0.02), "fast changes": (0, 0.1), "fast, 5 priced segments": (5, 0.1)}


def measure(paths=HIGHS_PATHS, repeats=7):
    """By book: path-months per CPU-second of the kernel and of HiGHS, how far their objectives differ, the worst certificate."""
    found = {}
    for name, (extra, walk) in BOOKS.items():
        case = book(1, extra, walk)
        ours, out = kernel(case, repeats)
        theirs, differ = highs(case, out, paths)
        found[name] = (ours, theirs, differ, out.gap.max())
    return found
