"""What is drawn, how it runs over the months and what is wanted, in NumPy and SciPy, vectorised over paths.

Axes as in the kernels, path last, any number of paths (P) at once. Uniform draws and the scores of monthly noise are given: from the
kernels where a twin is checked, from NumPy's own generator where it is timed. Factors of one kind are drawn together.
"""

import numpy as np
from scipy.special import ndtr, ndtri

from offtake.kernels import demand as wanted
from offtake.kernels import draw, series


def factors(draws, forced, u):
    """Scores (I, P), factors (F, P) and scenario (P,) of uniform draws u (I, P); clips are not counted."""
    scenario = np.searchsorted(draws.cumulative[:-1], u[0], side="right") if forced < 0 else np.full(u.shape[1], forced)
    Z = ndtri(u)
    Z[draws.mixed] = draws.chol @ Z[draws.mixed]
    X = np.empty((draws.kind.shape[1], u.shape[1]))
    for n in range(draws.kind.shape[0]):
        paths = slice(None) if n == 0 else np.flatnonzero(scenario == n)
        rows = np.arange(len(X)) if n == 0 else np.flatnonzero(draws.own[n])
        for kind in np.unique(draws.kind[n, rows]):
            of = rows[draws.kind[n, rows] == kind]
            found = one_kind(kind, draws.par[n, of], draws.table, Z[np.maximum(draws.input[of], 0)][:, paths])
            found = np.clip(found, draws.low[n, of, None], draws.high[n, of, None])
            if n == 0:
                X[of] = found
            else:
                X[np.ix_(of, paths)] = found
    return Z, X, scenario


def one_kind(kind, par, table, z):
    """Factors (R, P) of one kind from their parameters (R, 4) and scores (R, P)."""
    a, b, c = par[:, 0, None], par[:, 1, None], par[:, 2, None]
    if kind == draw.CONSTANT:
        return np.broadcast_to(a, z.shape)
    if kind in (draw.NORMAL, draw.LOGNORMAL, draw.LOGIT_NORMAL):
        line = a + b * z
        return line if kind == draw.NORMAL else np.exp(line) if kind == draw.LOGNORMAL else 1.0 / (1.0 + np.exp(-line))
    if kind == draw.UNIFORM:
        return a + (b - a) * ndtr(z)
    if kind == draw.TRIANGULAR:
        below, above = ndtr(z) * (c - a), ndtr(-z) * (c - a)
        return np.where(below < b - a, a + np.sqrt(below * (b - a)), c - np.sqrt(above * (c - b)))
    if kind == draw.TABLE:
        nodes = np.linspace(-draw.TABLE_REACH, draw.TABLE_REACH, draw.TABLE_NODES)
        return np.stack([np.interp(row, nodes, table[int(p[0])]) for row, p in zip(z, par)])
    rows = [(row, table[int(p[0])], table[int(p[0]) + 1], int(p[1])) for row, p in zip(z, par)]
    return np.stack([values[np.searchsorted(chances[: count - 1], ndtr(row), side="right")] for row, chances, values, count in rows])


def timelines(table, X, scenario, noise, months):
    """Series (S, M, P); `noise` (streams, M + 1, P) by number of the stream: scores of mean reversion, uniform draws of jumps."""
    Y = np.empty((table.kind.shape[1], months, X.shape[1]))
    for s in range(len(Y)):
        Y[s] = one_series(table, 0, s, X, Y, noise, slice(None))
        for n in range(1, len(table.kind)):
            paths = np.flatnonzero(scenario == n)
            if len(paths) and rule(table, n, s) != rule(table, 0, s):
                Y[s][:, paths] = one_series(table, n, s, X, Y, noise, paths)
    return Y


def rule(table, n, s):
    """What tells the rules of a series apart."""
    knots = slice(table.knot_first[n, s], table.knot_first[n, s] + table.knot_count[n, s])
    return table.kind[n, s], tuple(table.arg[n, s]), tuple(table.knot_month[knots]), tuple(table.knot_x[knots])


def one_series(table, n, s, X, Y, noise, paths):
    """Series s (M, P) by the rule of scenario n on some paths."""
    kind, arg, months = table.kind[n, s], table.arg[n, s], np.arange(Y.shape[1])[:, None]
    given = [X[x][paths] if x >= 0 else None for x in arg]
    if kind == series.CONSTANT:
        return np.broadcast_to(given[0], (len(months), len(given[0])))
    if kind in (series.STEPS, series.POINTS):
        knots = slice(table.knot_first[n, s], table.knot_first[n, s] + table.knot_count[n, s])
        return between(table.knot_month[knots], X[table.knot_x[knots]][:, paths], months[:, 0], kind == series.POINTS)
    if kind == series.GROWTH:
        return growth(*given[:4], len(months))
    if kind == series.S_CURVE:
        low, high, middle, width = given[:4]
        return low + (high - low) / (1.0 + np.exp((middle - months) / width))
    if kind == series.MEAN_REVERSION:
        return reversion(*given[:4], noise[table.stream[s]][1 : len(months)][:, paths])
    if kind == series.JUMP:
        value, size, hazard = given[:3]
        happened = noise[table.stream[s]][1 : len(months) + 1][:, paths] < 1.0 - np.exp(-hazard / 12.0)
        return value * np.where(np.logical_or.accumulate(happened, axis=0), size, 1.0)
    of = Y[arg[1]][:, paths]
    return given[0] * of / of[0]


def between(knots, values, months, linear):
    """Steps, or straight lines, through values (Z, P) at knots (Z,)."""
    at = np.maximum(np.searchsorted(knots, months, side="right") - 1, 0)
    if not linear or len(knots) == 1:
        return values[at]
    later = np.minimum(at + 1, len(knots) - 1)
    width = np.where(later > at, knots[later] - knots[at], 1.0)
    share = np.clip((months - knots[at]) / width, 0.0, 1.0)[:, None]
    return values[at] + (values[later] - values[at]) * share


def growth(start, first, long_run, half_life, months):
    """A start that grows at a yearly rate, which fades where it has a half-life."""
    if long_run is None or half_life is None:
        return start * (1.0 + first) ** (np.arange(months)[:, None] / 12.0)
    left = np.exp(-series.LN2 / np.maximum(half_life, 1e-300)) ** np.arange(months - 1)[:, None]
    times = (1.0 + long_run + (first - long_run) * left) ** (1.0 / 12.0)
    made = np.concatenate([start * np.ones((1, times.shape[1])), times])
    for m in range(1, months):  # row by row, several times faster than `np.cumprod` down the first axis
        made[m] *= made[m - 1]
    return made


def reversion(start, level, speed, volatility, scores):
    """Mean reversion of the logarithm in its exact discretisation."""
    pull = np.maximum(speed, series.SLOWEST)
    kept, level = np.exp(-pull / 12.0), np.log(level)
    spread = volatility * np.sqrt((1.0 - kept * kept) / (2.0 * pull))
    y = [np.log(start)]
    for score in scores:
        y.append(level + (y[-1] - level) * kept + spread * score)
    return np.exp(np.stack(y))


def demand(workloads, fabrics, places, X, Y):
    """Work (W, M, P), speed and moving (W, K, P), value (W, P) of all workloads: a dict."""
    (count, pools), months, paths = workloads.eligible.shape, Y.shape[1], X.shape[1]
    made = {"work": np.zeros((count, months, paths)), "value": np.zeros((count, paths))}
    made |= {name: np.zeros((count, pools, paths)) for name in ("speed", "moving")}
    for w in range(count):
        made["work"][w] = work(workloads, w, X, Y)
        hour, best = X[workloads.value_x[w]], speed(workloads, w, workloads.reference[w], X, np.inf)
        made["value"][w] = hour if workloads.kind[w] == wanted.BATCH else np.where(best > 0.0, hour / np.maximum(best, 1e-300), 0.0)
        for k in np.flatnonzero(workloads.eligible[w]):
            made["speed"][w, k] = speed(workloads, w, places.chip[k], X, X[fabrics.half_x[places.site[k]]])
        if workloads.moving_x[w] >= 0:
            made["moving"][w, places.contract != workloads.home[w]] = X[workloads.moving_x[w]]
    return made


def work(table, w, X, Y):
    """Work (M, P) of one workload."""
    efficiency = Y[table.efficiency_y[w]]
    if table.kind[w] == wanted.BATCH:
        return Y[table.gpu_hours_y[w]] / efficiency if table.gpu_hours_y[w] >= 0 else 0.0
    if table.kind[w] == wanted.TRAINING:
        total = np.zeros(efficiency.shape)
        for r in range(table.run_first[w], table.run_first[w + 1]):
            since, over = np.arange(len(total) + 1)[:, None] - table.run_month[r], np.maximum(X[table.run_over_x[r]], wanted.SHORTEST)
            total += X[table.run_flop_x[r]] * np.diff(np.clip(since / over, 0.0, 1.0), axis=0)
        return total / efficiency
    rows = table.users_y, table.requests_y, table.input_tokens_y, table.output_tokens_y, table.tokens_y
    users, requests, tokens_in, tokens_out, tokens = (Y[y[w]] if y[w] >= 0 else 0.0 for y in rows)
    weight = X[table.input_weight_x[w]] if table.input_weight_x[w] >= 0 else 0.0
    return (users * requests * wanted.WEEKS * (weight * tokens_in + tokens_out) + tokens) * X[table.headroom_x[w]] / efficiency


def speed(table, w, chip, X, half):
    """Work per GPU-h (P,) of one workload on a chip."""
    kind, reference = table.kind[w], table.dense_x[w, table.reference[w]]
    x = table.throughput_x[w, chip] if kind == wanted.INFERENCE else table.dense_x[w, chip]
    if x < 0 or (kind == wanted.BATCH and reference < 0):
        return np.zeros(X.shape[1])
    if kind == wanted.INFERENCE:
        return X[x] * X[table.derate_x[w]] * wanted.SECONDS
    if kind == wanted.TRAINING:
        gang = X[table.gang_x[w]] if table.gang_x[w] >= 0 else 0.0
        return X[x] * X[table.mfu_x[w]] * X[table.goodput_x[w]] * wanted.SECONDS / (1.0 + gang / half)
    return X[x] / X[reference]
