"""Placement with hours of the day against HiGHS, in the same run: the program of three slots, month by month.

The book of `bench.place` with fast changes and 5 priced segments: 3 of its 8 jobs are inference that follows the slots, 2 run through the
day, 3 at any time. HiGHS is given the compact program (a row a pool, a row a pool and slot, a row a job), warm as there.
Run: python -m bench placement
"""

import time

import numpy as np

from bench.place import HIGHS_PATHS, JOBS, LANES, MONTHS, POOLS, book, earned, kernel
from offtake.kernels import slots

SHARE = np.array([8.0, 12.0, 4.0]) / 24.0
PROFILE = np.array([0.5, 1.2, 1.4])
SPOTS = [(w, s) for w in range(3) for s in (1, 2, 3)] + [(3, 4), (4, 4)] + [(w, 0) for w in range(5, JOBS)]


def slotted(seed=1):
    """The book, with a day."""
    segments, jobs, loads, ready, X = book(seed, 5, 0.1)
    owner, spot = np.array(SPOTS).T.copy()
    slotwise = (spot > 0) & (spot < 4)
    day = slots.Day(SHARE, owner, spot, np.where(slotwise, len(X) + spot - 1, -1))
    jobs = jobs._replace(day=day, rank_w=np.arange(len(owner)), deferrable=np.where(np.arange(JOBS) < 3, 0, jobs.deferrable))
    return segments, jobs, loads, ready, np.concatenate([X, PROFILE[:, None] * np.ones((3, LANES))])


def program(case, i):
    """Columns (job, pool), rows and coefficients of path i: pools, pools in slots, jobs; then a column a segment."""
    segments, jobs, loads, _, _ = case
    pairs = [(r, k) for r, (w, _) in enumerate(SPOTS) for k in range(POOLS) if jobs.eligible[w, k]]
    matrix = np.zeros((POOLS * (1 + len(SHARE)) + len(SPOTS), len(pairs) + len(segments.pool)))
    for j, (r, k) in enumerate(pairs):
        w, spot = SPOTS[r]
        matrix[k, j] = 1.0
        for s, share in enumerate(SHARE):
            matrix[(1 + s) * POOLS + k, j] = share if spot == 4 else float(spot == 1 + s)
        matrix[POOLS * (1 + len(SHARE)) + r, j] = loads.speed[w, k, i] / loads.speed[w, :, i].max()
    matrix[segments.pool, len(pairs) + np.arange(len(segments.pool))] = -1.0
    return pairs, matrix


def right_sides(case, out, m, i):
    """What the rows of month m hold, and the most of each segment."""
    segments, jobs, loads, _, _ = case
    fastest = loads.speed[:, :, i].max(1)
    late = out.unserved[:, m - 1, i] * jobs.deferrable if m else 0.0
    asked = (loads.work[:, m, i] + late) / fastest
    part = np.array([SHARE[s - 1] * PROFILE[s - 1] if 0 < s < 4 else 1.0 for _, s in SPOTS])
    cap = np.zeros(POOLS)
    np.add.at(cap, segments.pool, segments.cap[:, m, i])
    rows = np.concatenate([np.zeros(POOLS), *(share * cap for share in SHARE), asked[[w for w, _ in SPOTS]] * part])
    return rows / 1e6, segments.cap[:, m, i] / 1e6


def highs(case, out, paths=HIGHS_PATHS):
    """Path-months per CPU-second of HiGHS started from last month's basis, and the largest relative difference of objectives."""
    import highspy

    segments, _, loads, _, _ = case
    worst, spent, inf = 0.0, 0.0, highspy.kHighsInf
    for i in range(paths):
        pairs, matrix = program(case, i)
        rows, columns = matrix.shape
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_, lp.sense_ = columns, rows, highspy.ObjSense.kMaximize
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.zeros(columns), np.full(columns, inf)
        lp.row_lower_, lp.row_upper_ = np.full(rows, -inf), np.zeros(rows)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        found = [np.flatnonzero(column) for column in matrix.T]
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(f) for f in found])])
        lp.a_matrix_.index_ = np.concatenate(found).astype(np.int32)
        lp.a_matrix_.value_ = np.concatenate([column[f] for column, f in zip(matrix.T, found)])
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("presolve", "off")
        solver.passModel(lp)
        w, k = np.array([(SPOTS[r][0], k) for r, k in pairs]).T
        gain = loads.value[w, i] * loads.speed[w, k, i] - loads.moving[w, k, i]
        every, lines = np.arange(columns, dtype=np.int32), np.arange(rows, dtype=np.int32)
        for m in range(MONTHS):
            right, most = right_sides(case, out, m, i)
            upper = np.concatenate([np.full(len(pairs), inf), most])
            start = time.process_time()
            solver.changeColsCost(columns, every, np.concatenate([gain, -segments.cost[:, m, i]]))
            solver.changeColsBounds(columns, every, lp.col_lower_, upper)
            solver.changeRowsBounds(rows, lines, lp.row_lower_, right)
            solver.run()
            top = solver.getInfo().objective_function_value
            spent += time.process_time() - start
            worst = max(worst, abs(top * 1e6 / earned(segments, loads, out, m, i) - 1.0))
    return paths * MONTHS / spent, worst


def measure(paths=HIGHS_PATHS, repeats=7):
    """As `bench.place.measure`, of the one book."""
    case = slotted()
    ours, out = kernel(case, repeats)
    theirs, differ = highs(case, out, paths)
    return {"three slots of the day": (ours, theirs, differ, out.gap.max())}
