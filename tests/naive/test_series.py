"""Time paths against scalar rules a person would write, which share only the uniform draws."""

import math
from itertools import pairwise
from statistics import NormalDist

import numba
import numpy as np
import pytest

from offtake.kernels import series as s
from offtake.kernels.draw import LANES as FULL
from offtake.kernels.draw import uniform

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")  # whole numbers wrap where JIT is off
LANES = 4 if numba.config.DISABLE_JIT else FULL
MONTHS, STREAM, SEED, FIRST = 96, 9, 5, 128


def steps(knots, m, _path):
    value = knots[0][1]
    for month, later in knots:
        value = later if month <= m else value
    return value


def points(knots, m, _path):
    if m <= knots[0][0]:
        return knots[0][1]
    for (a, x), (b, y) in pairwise(knots):
        if a <= m <= b:
            return x + (y - x) * (m - a) / (b - a)
    return knots[-1][1]


def growth(args, m, _path):
    start, yearly, long_run, half_life = args
    value = start
    for i in range(m):
        now = yearly if long_run is None else long_run + (yearly - long_run) * 0.5 ** (i / half_life)
        value *= (1.0 + now) ** (1.0 / 12.0)
    return value


def s_curve(args, m, _path):
    low, high, middle, width = args
    return low + (high - low) / (1.0 + math.exp(-(m - middle) / width))


def mean_reversion(args, m, path):
    start, level, speed, volatility = args
    x, year = math.log(start), 1.0 / 12.0
    for i in range(m):
        score = NormalDist().inv_cdf(uniform(SEED, path, STREAM, i + 1))
        spread = math.sqrt(volatility**2 / (2.0 * speed) * (1.0 - math.exp(-2.0 * speed * year)))
        x = math.log(level) + (x - math.log(level)) * math.exp(-speed * year) + spread * score
    return math.exp(x)


def jump(args, m, path):
    value, size, hazard = args
    chance = 1.0 - math.exp(-hazard / 12.0)
    happened = any(uniform(SEED, path, STREAM, i + 1) < chance for i in range(m + 1))
    return value * size if happened else value


KNOTS = [(3.0, 0), (10.0, 1), (40.0, 2)]
RULES = {
    "constant": (s.CONSTANT, [0], lambda args, m, path: args[0]),
    "steps": (s.STEPS, KNOTS, steps),
    "points": (s.POINTS, KNOTS, points),
    "growth": (s.GROWTH, [0, 3, -1, -1], growth),
    "fading growth": (s.GROWTH, [0, 3, 4, 5], growth),
    "s_curve": (s.S_CURVE, [0, 1, 6, 5], s_curve),
    "mean_reversion": (s.MEAN_REVERSION, [0, 1, 2, 3], mean_reversion),
    "jump": (s.JUMP, [0, 1, 3], jump),
}


def factors():
    """X (7, L): positive levels, rates and months, different on every lane."""
    random = np.random.default_rng(3)
    middle = np.array([2.0, 3.0, 0.8, 0.4, 0.05, 12.0, 30.0])
    return middle[:, None] * random.uniform(0.5, 1.5, (7, LANES))


def table(rows):
    """Timelines of rows[n][s] = (kind, arguments or knots)."""
    shape = (len(rows), len(rows[0]))
    found = s.Timelines(
        kind=np.zeros(shape, np.int64),
        arg=np.full((*shape, 6), -1, np.int64),
        knot_first=np.zeros(shape, np.int64),
        knot_count=np.zeros(shape, np.int64),
        knot_month=np.zeros(0),
        knot_x=np.zeros(0, np.int64),
        stream=np.full(shape[1], STREAM),
    )
    knots = []
    for n, row in enumerate(rows):
        for j, (kind, what) in enumerate(row):
            found.kind[n, j], found.knot_first[n, j] = kind, len(knots)
            if kind in (s.STEPS, s.POINTS):
                found.knot_count[n, j] = len(what)
                knots += what
            else:
                found.arg[n, j, : len(what)] = what
    months, rows_of = [m for m, _ in knots], [x for _, x in knots]
    return found._replace(knot_month=np.array(months, float), knot_x=np.array(rows_of, np.int64))


def filled(rows, X, scenario=None, first=FIRST):
    found = np.full((len(rows[0]), MONTHS, LANES), np.nan)
    scenario = np.zeros(LANES, np.int64) if scenario is None else scenario
    s.series_block(table(rows), X, scenario, SEED, first, found)
    return found


def wanted(rule, what, kind, X, i, path):
    value = lambda row: None if row < 0 else float(X[row, i])  # noqa: E731
    given = [(m, value(x)) for m, x in what] if kind in (s.STEPS, s.POINTS) else [value(x) for x in what]
    return [rule(given, m, path) for m in range(MONTHS)]


@pytest.mark.parametrize("name", RULES)
def test_series_against_its_rule(name):
    kind, what, rule = RULES[name]
    X = factors()
    Y = filled([[(kind, what)]], X)
    for i in range(LANES):
        assert Y[0, :, i] == pytest.approx(wanted(rule, what, kind, X, i, FIRST + i), rel=1e-11 if "reversion" in name else 1e-12)


def test_a_jump_happens_on_some_paths_and_stays():
    Y = filled([[(s.JUMP, [0, 1, 3])]], factors() * np.array([1.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0])[:, None])
    rises = (np.diff(Y[0], axis=0) > 0.0).sum(axis=0)
    assert (np.diff(Y[0], axis=0) >= 0.0).all() and rises.max() == 1


def test_index_follows_an_earlier_series():
    X = factors()
    Y = filled([[(s.POINTS, KNOTS), (s.INDEX, [4, 0])]], X)
    assert Y[1] == pytest.approx(X[4] * Y[0] / Y[0, 0], rel=1e-15)


def test_steep_s_curve_stays_finite():
    X = np.tile(np.array([1.0, 2.0, 0.0, 0.0, 0.0, 1e-3, 30.5])[:, None], LANES)
    Y = filled([[(s.S_CURVE, [0, 1, 6, 5])]], X)
    assert (Y[0, :30] == 1.0).all() and (Y[0, 31:] == 2.0).all()


def test_each_lane_runs_its_own_scenario_with_the_same_draws():
    X, scenario = factors(), np.arange(LANES) % 3
    names = ["mean_reversion", "growth", "points"]
    rows = [[RULES["jump"][:2], RULES["steps"][:2], (s.INDEX, [4, 0])] for _ in range(3)]
    for n, name in enumerate(names[:2]):
        rows[n + 1][0] = RULES[name][:2]
    rows[2][1] = RULES[names[2]][:2]
    mixed = filled(rows, X, scenario)
    for n in range(3):
        alone = filled([rows[n]], X)
        assert (mixed[:, :, scenario == n] == alone[:, :, scenario == n]).all()


def test_a_path_is_the_same_bits_wherever_its_block_starts():
    X = np.tile(factors()[:, :1], LANES)
    rows = [[RULES["mean_reversion"][:2], RULES["jump"][:2]]]
    there, later = filled(rows, X, first=0), filled(rows, X, first=LANES // 2)
    assert (there[:, :, LANES // 2 :] == later[:, :, : LANES - LANES // 2]).all()


def test_mean_reversion_settles_at_its_level_with_its_spread():
    if numba.config.DISABLE_JIT:
        pytest.skip("thousands of paths: too slow without compilation")
    X = np.tile(np.array([1.0, 2.0, 3.0, 0.4])[:, None], LANES)
    logs = np.log([filled([[(s.MEAN_REVERSION, [0, 1, 2, 3])]], X, first=b * LANES)[0, -1] for b in range(64)]).ravel()
    spread = 0.4 / math.sqrt(2.0 * 3.0)
    assert abs(logs.mean() - math.log(2.0)) < 4.0 * spread / math.sqrt(logs.size)
    assert abs(logs.std() / spread - 1.0) < 4.0 / math.sqrt(2.0 * logs.size)
