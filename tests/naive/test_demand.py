"""Demand against plain Python, path by path, and against numbers worked out by hand."""

import numba
import numpy as np
import pytest

from offtake.kernels.demand import Demand, Fabrics, Places, Workloads, demand_block

LANES = 4 if numba.config.DISABLE_JIT else 64
RATIO = 1e-12  # relative, where something is divided
MONTHS, CHIPS, POOLS, SITES, WORKS, RUNS = 10, 3, 5, 3, 6, 7
WEEKS = 365.25 / 84


def whole(values):
    return np.array(values, np.int64)


def filled(works, fabrics, places, X, Y):
    w, k, m, lanes = len(works.kind), len(places.site), Y.shape[1], X.shape[1]
    out = Demand(
        np.full((w, m, lanes), np.nan),
        np.full((w, k, lanes), np.nan),
        np.full((w, lanes), np.nan),
        np.full((w, k, lanes), np.nan),
    )
    demand_block(works, fabrics, places, X, Y, out)
    return out


def random_book(seed):
    """Two workloads of each kind; some terms, throughputs and precisions are absent."""
    rng = np.random.default_rng(seed)
    X = np.concatenate([rng.uniform(0.5, 2.0, (40, LANES)), rng.uniform(0.2, 6.0, (10, LANES))])
    Y = rng.uniform(0.5, 3.0, (12, MONTHS, LANES))

    def x(*shape):
        return rng.integers(0, 40, shape)

    def y(absent=0.3):
        return np.where(rng.random(WORKS) < absent, -1, rng.integers(0, 12, WORKS))

    works = Workloads(
        kind=whole([0, 0, 1, 1, 2, 2]),
        users_y=y(), requests_y=y(), input_tokens_y=y(), output_tokens_y=y(), tokens_y=y(),
        input_weight_x=x(WORKS), headroom_x=x(WORKS), efficiency_y=y(0.0), gpu_hours_y=y(),
        derate_x=x(WORKS), mfu_x=x(WORKS), goodput_x=x(WORKS), gang_x=np.where(rng.random(WORKS) < 0.2, -1, x(WORKS)),
        value_x=x(WORKS), moving_x=x(WORKS),
        reference=rng.integers(0, CHIPS, WORKS), deferrable=rng.integers(0, 2, WORKS),
        throughput_x=np.where(rng.random((WORKS, CHIPS)) < 0.3, -1, x(WORKS, CHIPS)),
        dense_x=np.where(rng.random((WORKS, CHIPS)) < 0.3, -1, x(WORKS, CHIPS)),
        home=rng.integers(0, 3, WORKS), eligible=(rng.random((WORKS, POOLS)) < 0.7).astype(np.int64),
        run_first=whole([0, 0, 0, 4, 7, 7, 7]), run_flop_x=x(RUNS),
        run_month=rng.integers(-3, MONTHS + 2, RUNS), run_over_x=rng.integers(40, 50, RUNS),
    )  # fmt: skip
    places = Places(rng.integers(0, SITES, POOLS), rng.integers(0, CHIPS, POOLS), rng.integers(0, 3, POOLS))
    return works, Fabrics(x(SITES), x(SITES)), places, X, Y


def naive_work(works, X, Y, w, m, i):
    def y(row):
        return Y[row, m, i] if row >= 0 else 0.0

    if works.kind[w] == 0:
        per_request = X[works.input_weight_x[w], i] * y(works.input_tokens_y[w]) + y(works.output_tokens_y[w])
        asked = y(works.users_y[w]) * y(works.requests_y[w]) * WEEKS * per_request + y(works.tokens_y[w])
        asked *= X[works.headroom_x[w], i]
    elif works.kind[w] == 1:
        asked = 0.0
        for r in range(works.run_first[w], works.run_first[w + 1]):
            start, over = works.run_month[r], X[works.run_over_x[r], i]
            inside = min(m + 1, start + over) - max(m, start)
            asked += X[works.run_flop_x[r], i] * max(inside, 0.0) / over
    else:
        asked = y(works.gpu_hours_y[w])
    return asked / Y[works.efficiency_y[w], m, i]


def naive_speed(works, X, w, chip, i, slower=1.0):
    """Work per hour on a chip; None where it cannot run there."""
    if works.kind[w] == 0:
        row = works.throughput_x[w, chip]
        return None if row < 0 else X[row, i] * X[works.derate_x[w], i] * 60.0 * 60.0
    row, reference = works.dense_x[w, chip], works.dense_x[w, works.reference[w]]
    if row < 0:
        return None
    if works.kind[w] == 1:
        return X[row, i] * X[works.mfu_x[w], i] / slower * X[works.goodput_x[w], i] * 60.0 * 60.0
    return None if reference < 0 else X[row, i] / X[reference, i]


def naive_value(works, X, w, i):
    hour = X[works.value_x[w], i]
    if works.kind[w] == 2:
        return hour
    speed = naive_speed(works, X, w, works.reference[w], i)
    return 0.0 if speed is None else hour / speed


@pytest.mark.parametrize("seed", range(6))
def test_work(seed):
    works, fabrics, places, X, Y = random_book(seed)
    out = filled(works, fabrics, places, X, Y)
    for w in range(WORKS):
        for m in range(MONTHS):
            for i in range(LANES):
                assert out.work[w, m, i] == pytest.approx(naive_work(works, X, Y, w, m, i), rel=RATIO, abs=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_speed_value_moving(seed):
    works, fabrics, places, X, Y = random_book(seed)
    out = filled(works, fabrics, places, X, Y)
    for w in range(WORKS):
        for i in range(LANES):
            assert out.value[w, i] == pytest.approx(naive_value(works, X, w, i), rel=RATIO)
            for k in range(POOLS):
                gang = X[works.gang_x[w], i] if works.gang_x[w] >= 0 else 0.0
                slower = 1.0 + gang / X[fabrics.half_x[places.site[k]], i]
                speed = naive_speed(works, X, w, places.chip[k], i, slower) if works.eligible[w, k] else None
                assert out.speed[w, k, i] == pytest.approx(speed or 0.0, rel=RATIO)
                away = places.contract[k] != works.home[w]
                assert out.moving[w, k, i] == (X[works.moving_x[w], i] if away else 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_without_a_division_to_the_bit(seed):
    """With efficiency 1 throughout, inference and batch only multiply and add."""
    works, fabrics, places, X, Y = random_book(seed)
    Y[0] = 1.0
    works = works._replace(efficiency_y=np.zeros(WORKS, np.int64))
    out = filled(works, fabrics, places, X, Y)
    weeks = 365.25 / 12.0 / 7.0
    for i in range(LANES):
        for m in range(MONTHS):
            for w in (0, 1):
                u, q, a, b, c = (
                    Y[row[w], m, i] if row[w] >= 0 else 0.0
                    for row in (works.users_y, works.requests_y, works.input_tokens_y, works.output_tokens_y, works.tokens_y)
                )
                asked = u * q * weeks * (X[works.input_weight_x[w], i] * a + b) + c
                assert out.work[w, m, i] == asked * X[works.headroom_x[w], i]
            for w in (4, 5):
                assert out.work[w, m, i] == (Y[works.gpu_hours_y[w], m, i] if works.gpu_hours_y[w] >= 0 else 0.0)


def hand_book(x, y, eligible=((1, 1),), chips=(0, 1), **terms):
    """One workload, two pools at sites 0 and 1 under contracts 0 and 1; x and y name rows by their numbers (a list of months
    in y); terms give the columns of one workload by name of the row."""
    names_x, names_y = list(x), list(y)
    X = np.array([[v] * 2 for v in x.values()], float)
    Y = np.array([[[v, v] for v in (row if isinstance(row, list) else [row] * 4)] for row in y.values()], float)

    def column(name, default):
        value = terms.get(name, default)
        if isinstance(value, str):
            value = names_y.index(value) if name.endswith("_y") else names_x.index(value)
        return whole([value])

    def table(name):
        return whole([[names_x.index(v) if v else -1 for v in terms.get(name, (None, None))]])

    runs = terms.get("runs", [])
    single = {
        name: column(name, -1 if name.endswith("_y") else names_x.index("one"))
        for name in Workloads._fields[1:16]
    }  # fmt: skip
    works = Workloads(
        kind=whole([terms["kind"]]), **single, reference=whole([0]), deferrable=whole([0]),
        throughput_x=table("throughput"), dense_x=table("dense"), home=whole([0]), eligible=whole(eligible),
        run_first=whole([0, len(runs)]), run_flop_x=whole([names_x.index(r[0]) for r in runs]),
        run_month=whole([r[1] for r in runs]), run_over_x=whole([names_x.index(r[2]) for r in runs]),
    )  # fmt: skip
    fabrics = Fabrics(whole([names_x.index("half")] * 2), whole([names_x.index("half"), names_x.index("half_1")]))
    return filled(works, fabrics, Places(whole([0, 1]), whole(chips), whole([0, 1])), X, Y)


COMMON = {"one": 1.0, "half": 1_000.0, "half_1": 3_000.0}


def test_inference_by_hand():
    """84 users x 4 requests a week x 365.25/84 weeks = 1,461 requests; x (0.25 x 800 + 300) = 730,500 weighted tokens;
    + 269,500 by tokens = 1,000,000; x headroom 1.5 = 1,500,000; efficiency 1, 2, 4, 5.

    Speed: 1,000 tokens/s x 0.5 x 3,600 = 1,800,000 an hour on the first chip, twice that on the second; a reference hour is
    worth 3.6 USD: 2e-6 USD a token. Moving 0.125 USD from the home contract.
    """
    x = {**COMMON, "weight": 0.25, "headroom": 1.5, "derate": 0.5, "value": 3.6, "away": 0.125, "slow": 1_000.0, "fast": 2_000.0}
    y = {"users": 84, "requests": 4, "in": 800, "out": 300, "tokens": 269_500, "gain": [1, 2, 4, 5]}
    out = hand_book(
        x, y, kind=0, users_y="users", requests_y="requests", input_tokens_y="in", output_tokens_y="out", tokens_y="tokens",
        efficiency_y="gain", input_weight_x="weight", headroom_x="headroom", derate_x="derate", value_x="value",
        moving_x="away", throughput=("slow", "fast"),
    )  # fmt: skip
    assert out.work[0, :, 0] == pytest.approx([1_500_000, 750_000, 375_000, 300_000], rel=RATIO)
    assert out.speed[0, :, 0].tolist() == [1_800_000, 3_600_000]
    assert out.value[0, 0] == pytest.approx(2e-6, rel=RATIO)
    assert out.moving[0, :, 0].tolist() == [0.0, 0.125]


def test_training_by_hand():
    """A run of 900 FLOP from month 1 over 1.5 months: 600 and 300. One of 80 FLOP from month -1 over 4 months: 20 a month in
    months 0 to 2 (20 before the book). One of 7 FLOP that takes no time, in month 3. Efficiency 1, 2, 2, 1.

    20, 620, 320, 7 over 1, 2, 2, 1 = 20, 310, 160, 7.
    Speed: 2 FLOP/s x 0.4 x 0.75 x 3,600 = 2,160 an hour; a gang of 1,000 halves it where half is 1,000 (1,080); where half is
    3,000 it takes a quarter off the second chip's 4 FLOP/s, 4,320: 3,240. A reference hour is worth 4.32 USD: 0.002 USD a FLOP.
    """
    x = {
        **COMMON, "mfu": 0.4, "goodput": 0.75, "gang": 1_000.0, "value": 4.32, "slow": 2.0, "fast": 4.0,
        "big": 900.0, "big_over": 1.5, "old": 80.0, "old_over": 4.0, "dot": 7.0, "dot_over": 0.0,
    }  # fmt: skip
    out = hand_book(
        x, {"gain": [1, 2, 2, 1]}, kind=1, efficiency_y="gain", mfu_x="mfu", goodput_x="goodput", gang_x="gang", value_x="value",
        dense=("slow", "fast"), runs=[("big", 1, "big_over"), ("old", -1, "old_over"), ("dot", 3, "dot_over")],
    )  # fmt: skip
    assert out.work[0, :, 0] == pytest.approx([20, 310, 160, 7], rel=RATIO)
    assert out.speed[0, :, 0] == pytest.approx([1_080, 3_240], rel=RATIO)
    assert out.value[0, 0] == pytest.approx(0.002, rel=RATIO)


def test_batch_by_hand():
    """1,000 reference hours a month at efficiency 1, 1.25, 2, 2.5; the second chip is 2.5 times as fast, but not allowed."""
    x = {**COMMON, "value": 3.0, "slow": 2.0, "fast": 5.0}
    y = {"hours": 1_000, "gain": [1, 1.25, 2, 2.5]}
    terms = {"kind": 2, "gpu_hours_y": "hours", "efficiency_y": "gain", "value_x": "value", "dense": ("slow", "fast")}
    out = hand_book(x, y, **terms)
    assert out.work[0, :, 0].tolist() == [1_000, 800, 500, 400]
    assert out.speed[0, :, 0].tolist() == [1.0, 2.5]
    assert out.value[0, 0] == 3.0
    assert hand_book(x, y, eligible=((1, 0),), **terms).speed[0, :, 0].tolist() == [1.0, 0.0]


def test_a_chip_without_a_throughput_runs_nothing():
    """The second chip has none; where the reference has none either, a unit of work has no value that could be stated."""
    x, y = {**COMMON, "fast": 10.0}, {"gain": 1}
    out = hand_book(x, y, kind=0, efficiency_y="gain", throughput=("fast", None))
    assert out.speed[0, :, 0].tolist() == [36_000.0, 0.0] and out.value[0, 0] > 0.0 and not out.work.any()
    assert not hand_book(x, y, kind=0, efficiency_y="gain", throughput=(None, "fast")).value.any()
