"""Time paths: one number of the book as it runs over the months (N-03).

**Axes**    series (S), months (M), knots (Z), factors (F), scenarios (N, base first), lanes (L); path last.
**Units**   a series has the base unit of its values; growth and volatility are per year, half-life and width in months.
**Signs**   a positive growth, size above 1 or volatility raises; nothing here refuses a negative value.
**Order within the month**   the value of month m holds for the whole month; what happens in a month (a jump, a year's growth
            divided by twelve) shows from that month's value or from the next one's, as each rule says.
**Source**  model N-03; log Ornstein-Uhlenbeck in its exact discretisation: Gillespie, Phys. Rev. E 54 (1996) 2084.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import entry, inner, piece

from .draw import exp_, log_, score_row, uniform_row

CONSTANT, STEPS, POINTS, GROWTH, S_CURVE, MEAN_REVERSION, JUMP, INDEX = range(8)
LN2 = 0.6931471805599453
SLOWEST = 1e-6  # per year: a mean reversion slower than this is one of this speed, within 1e-6 of a random walk


class Timelines(NamedTuple):
    """How each series runs, per scenario.

    kind                    (N, S) int64     CONSTANT .. INDEX
    arg                     (N, S, 6) int64  rows of X by kind, -1 absent; of INDEX: row of X, then an earlier series
    knot_first, knot_count  (N, S) int64     where the knots of STEPS and POINTS stand
    knot_month              (Z,)             months from the start, rising
    knot_x                  (Z,) int64       rows of X
    stream                  (S,) int64       input number of the monthly noise, -1 none
    """

    kind: np.ndarray
    arg: np.ndarray
    knot_first: np.ndarray
    knot_count: np.ndarray
    knot_month: np.ndarray
    knot_x: np.ndarray
    stream: np.ndarray


@piece
def growth_of_month(yearly):
    """What a month at a yearly growth multiplies by."""
    return exp_(log_(1.0 + yearly) / 12.0)


@piece
def fading_growth(first, long_run, left):
    """Yearly growth when the share `left` of the way from the first to the long-run one is still to go."""
    return long_run + (first - long_run) * left


@piece
def s_curve_month(low, high, middle, width, month):
    """Logistic curve: half of the way in the middle month, 12 % and 88 % two widths from it."""
    return low + (high - low) / (1.0 + exp_((middle - month) / width))


@piece
def reversion_month(before, level, kept, spread, score):
    """A month of mean reversion in logs: `kept` of the distance to the level stays, then a shock."""
    return exp_(level + (log_(before) - level) * kept + spread * score)


@piece
def between_knots(value, later_value, share):
    return value + (later_value - value) * share


@inner
def knots_series(months, rows, linear, X, mine, y):
    """Steps, or straight lines between knots; the first value before the first knot, the last after the last."""
    count = months.shape[0]
    for m in range(y.shape[0]):
        k = 0
        while k + 1 < count and months[k + 1] <= m:
            k += 1
        inside = linear and k + 1 < count and m > months[k]
        later = k + 1 if inside else k
        share = (m - months[k]) / (months[k + 1] - months[k]) if inside else 0.0
        value, later_value = X[rows[k]], X[rows[later]]
        for i in range(y.shape[1]):
            y[m, i] = between_knots(value[i], later_value[i], share) if mine[i] else y[m, i]


@inner
def growth_series(arg, X, mine, y, scratch):
    """start x growth; with a long-run growth and a half-life the growth fades, without them it stays."""
    start, first = X[arg[0]], X[arg[1]]
    fades = arg[2] >= 0 and arg[3] >= 0
    long_run, half_life = X[max(arg[2], 0)], X[max(arg[3], 0)]
    left, keeps, times = scratch[0], scratch[1], scratch[2]
    for i in range(y.shape[1]):
        y[0, i] = start[i] if mine[i] else y[0, i]
        left[i] = 1.0
        keeps[i] = exp_(-LN2 / half_life[i]) if fades else 1.0
    for m in range(y.shape[0] - 1):
        if fades or m == 0:
            for i in range(y.shape[1]):
                times[i] = growth_of_month(fading_growth(first[i], long_run[i] if fades else 0.0, left[i]))
        for i in range(y.shape[1]):
            left[i] *= keeps[i]
            y[m + 1, i] = y[m, i] * times[i] if mine[i] else y[m + 1, i]


@inner
def s_curve_series(arg, X, mine, y):
    low, high, middle, width = X[arg[0]], X[arg[1]], X[arg[2]], X[arg[3]]
    for m in range(y.shape[0]):
        for i in range(y.shape[1]):
            y[m, i] = s_curve_month(low[i], high[i], middle[i], width[i], m) if mine[i] else y[m, i]


@inner
def reversion_series(arg, X, seed, first, stream, mine, y, scratch):
    """Log Ornstein-Uhlenbeck: the level is the long-run median; the shock of month m is drawn as month m of the stream."""
    start, level, speed, volatility = X[arg[0]], X[arg[1]], X[arg[2]], X[arg[3]]
    log_level, kept, spread, score, radius = scratch[0], scratch[1], scratch[2], scratch[3], scratch[4]
    for i in range(y.shape[1]):
        pull = max(speed[i], SLOWEST)
        log_level[i] = log_(level[i])
        kept[i] = exp_(-pull / 12.0)
        spread[i] = volatility[i] * np.sqrt((1.0 - kept[i] * kept[i]) / (2.0 * pull))
        y[0, i] = start[i] if mine[i] else y[0, i]
    for m in range(y.shape[0] - 1):
        score_row(seed, first, stream, m + 1, score, radius)
        for i in range(y.shape[1]):
            y[m + 1, i] = reversion_month(y[m, i], log_level[i], kept[i], spread[i], score[i]) if mine[i] else y[m + 1, i]


@inner
def jump_series(arg, X, seed, first, stream, mine, y, scratch):
    """`value`, times `size` from the month of the first event; month m draws as month m + 1 of the stream."""
    value, size, hazard = X[arg[0]], X[arg[1]], X[arg[2]]
    chance, times, u = scratch[0], scratch[1], scratch[2]
    for i in range(y.shape[1]):
        chance[i] = 1.0 - exp_(-hazard[i] / 12.0)
        times[i] = 1.0
    for m in range(y.shape[0]):
        uniform_row(seed, first, stream, m + 1, u)
        for i in range(y.shape[1]):
            times[i] = size[i] if u[i] < chance[i] else times[i]
            y[m, i] = value[i] * times[i] if mine[i] else y[m, i]


@inner
def index_series(arg, X, of, mine, y):
    """A base that moves with another series, from that one's first month."""
    base = X[arg[0]]
    for m in range(y.shape[0]):
        for i in range(y.shape[1]):
            y[m, i] = base[i] * of[m, i] / of[0, i] if mine[i] else y[m, i]


@inner
def one_series(table, n, s, X, seed, first, mine, Y, scratch):
    """Series s by the rule of scenario n, on the lanes marked in `mine`."""
    kind, arg, y = table.kind[n, s], table.arg[n, s], Y[s]
    begin = table.knot_first[n, s]
    end = begin + table.knot_count[n, s]
    if kind == CONSTANT:
        value = X[arg[0]]
        for m in range(y.shape[0]):
            for i in range(y.shape[1]):
                y[m, i] = value[i] if mine[i] else y[m, i]
    elif kind in (STEPS, POINTS):
        knots_series(table.knot_month[begin:end], table.knot_x[begin:end], kind == POINTS, X, mine, y)
    elif kind == GROWTH:
        growth_series(arg, X, mine, y, scratch)
    elif kind == S_CURVE:
        s_curve_series(arg, X, mine, y)
    elif kind == MEAN_REVERSION:
        reversion_series(arg, X, seed, first, table.stream[s], mine, y, scratch)
    elif kind == JUMP:
        jump_series(arg, X, seed, first, table.stream[s], mine, y, scratch)
    else:
        index_series(arg, X, Y[arg[1]], mine, y)


@inner
def same_rule(table, n, s):
    """Whether scenario n runs series s by the base's rule and from the same rows."""
    same = table.kind[n, s] == table.kind[0, s] and table.knot_count[n, s] == table.knot_count[0, s]
    for a in range(table.arg.shape[2]):
        same = same and table.arg[n, s, a] == table.arg[0, s, a]
    if same:
        for k in range(table.knot_count[0, s]):
            here, there = table.knot_first[n, s] + k, table.knot_first[0, s] + k
            same = same and table.knot_month[here] == table.knot_month[there] and table.knot_x[here] == table.knot_x[there]
    return same


@entry
def series_block(table, X, scenario, seed, first, Y):
    """Fill Y (S, M, L) for the block of paths first, first + 1, ..: the base's rule, then each scenario's own on its lanes.

    X         (F, L)       factors, as draw_block left them
    scenario  (L,) int64   as draw_block left it
    """
    lanes = Y.shape[2]
    scratch, mine = np.empty((5, lanes)), np.empty(lanes, np.bool_)
    for s in range(Y.shape[0]):
        for n in range(table.kind.shape[0]):
            present = n == 0
            for i in range(lanes):
                mine[i] = n == 0 or scenario[i] == n
                present = present or mine[i]
            if present and (n == 0 or not same_rule(table, n, s)):
                one_series(table, n, s, X, seed, first, mine, Y, scratch)
