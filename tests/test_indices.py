"""What inputs hold (U-04): against the closed forms of Ishigami and Sobol-G, SciPy, quadrature, and common random numbers."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats
from typer.testing import CliRunner

import offtake
from offtake import stages
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.kernels import sobol
from offtake.questions import question
from offtake.reports import html
from offtake.reports.holds import holds_text
from offtake.studies.conditions import condition_of
from offtake.studies.holds import Holds, sensitivity, sign
from offtake.studies.indices import T975, Estimate, Indices
from offtake.studies.sensitivity import Sensitivity
from offtake.studies.totals import conditional, draw_anew, jansen, totals
from offtake.studies.view import view
from offtake.studies.whatif import by_block

N = 16_384


def draws(inputs: int, seed: int = 1) -> np.ndarray:
    """(inputs, N) uniform draws of scrambled points."""
    words, keys, u = np.empty((2, N), np.uint64), np.empty((4, 16), np.uint64), np.empty((inputs, N))
    for i in range(inputs):
        sobol.sobol_row(sobol.directions(), seed, i, i, 0, words, keys, u[i])
    return u


def ishigami(u: np.ndarray) -> np.ndarray:
    x = np.pi * (2.0 * u - 1.0)
    found: np.ndarray = np.sin(x[0]) + 7.0 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])
    return found


A = np.array([0.0, 1.0, 4.5, 9.0, 99.0])


def sobol_g(u: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.prod((np.abs(4.0 * u - 2.0) + A[:, None]) / (1.0 + A[:, None]), axis=0)
    return found


def closed_forms() -> dict[str, tuple[object, list[float], list[float]]]:
    """First-order and total indices: Ishigami with a = 7, b = 0.1 (Ishigami and Homma, 1990), and Sobol's G (Saltelli and Sobol, 1995)."""
    v1, v2, v13 = 0.5 * (1.0 + 0.1 * np.pi**4 / 5.0) ** 2, 49.0 / 8.0, 8.0 * 0.01 * np.pi**8 / 225.0
    v = v1 + v2 + v13
    part = 1.0 / (3.0 * (1.0 + A) ** 2)
    whole = np.prod(1.0 + part) - 1.0
    total = [float(p * np.prod(1.0 + np.delete(part, i)) / whole) for i, p in enumerate(part)]
    return {
        "ishigami": (ishigami, [v1 / v, v2 / v, 0.0], [(v1 + v13) / v, v2 / v, v13 / v]),
        "sobol-g": (sobol_g, (part / whole).tolist(), total),
    }


@pytest.mark.parametrize("name", ["ishigami", "sobol-g"])
def test_first_order_indices(name: str) -> None:
    """Within 0.01 of the closed form, and the told errors are those of the spread over seeds."""
    function, first, _ = closed_forms()[name]
    found = []
    for seed in range(1, 7):
        u = draws(len(first), seed)
        of = Indices(tuple("abcde"[: len(first)]), special.ndtri(u), np.arange(N) % 16)
        found.append(of.first_order(function(u)))  # type: ignore[operator]
    values = np.array([f.value for f in found])
    assert values.mean(axis=0) == pytest.approx(first, abs=0.01)
    told = np.sqrt(np.mean([f.se**2 for f in found], axis=0))
    assert (values.std(axis=0, ddof=1) < 2.0 * told + 1e-3).all() and (told < 0.01).all()


def ishigami_slopes() -> list[float]:
    """Mean derivatives in the normal scores (Stein), by quadrature; those of Sobol's G are all 0, since it is even about the middle."""

    def x(z: float) -> float:
        return float(math.pi * (2.0 * stats.norm.cdf(z) - 1.0))

    fourth = integrate.quad(lambda z: x(z) ** 4 * stats.norm.pdf(z), -8, 8)[0]
    return [(1.0 + 0.1 * fourth) * integrate.quad(lambda z: math.sin(x(z)) * z * stats.norm.pdf(z), -8, 8)[0], 0.0, 0.0]


SEEDS = 200
FEWEST_COVERED, MOST_COVERED = stats.binom.ppf([1e-4, 1.0 - 1e-4], SEEDS, 0.95)


def bent() -> dict[str, tuple[object, list[float], list[float] | None]]:
    """Numbers bent in the normal scores, and one with a jump: first-order indices, each half of the variance by hand, and slopes."""

    def square(u: np.ndarray) -> np.ndarray:
        z = special.ndtri(u)
        found: np.ndarray = z[0] + z[1] ** 2 / math.sqrt(2.0)
        return found

    def lognormal(u: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.exp(special.ndtri(u)).sum(axis=0)
        return found

    def jump(u: np.ndarray) -> np.ndarray:
        found: np.ndarray = (u < 0.3).sum(axis=0).astype(float)
        return found

    half = [0.5, 0.5]
    return {"square": (square, half, [1.0, 0.0]), "lognormal": (lognormal, half, None), "jump": (jump, half, None)}


def cases() -> dict[str, tuple[object, list[float], list[float] | None]]:
    """Each closed form with its slopes, where they are asked for."""
    known = {"ishigami": ishigami_slopes(), "sobol-g": [0.0] * len(A)}
    return {name: (function, first, known[name]) for name, (function, first, _) in closed_forms().items()} | bent()


@pytest.mark.parametrize("sampler", ["sobol", "random"])
@pytest.mark.parametrize("name", ["ishigami", "sobol-g", "square", "lognormal", "jump"])
def test_intervals_cover_the_closed_forms(name: str, sampler: str) -> None:
    """Over 200 seeds of 1,024 and of 4,096 paths (of what is bent in the scores, of 16,384 too), an interval of 95 % covers as often as 200
    tosses of 0.95 would but for 1 case in 10,000 to either side; where an index is nothing or nearly so its estimate is a square, and the
    interval may cover more often. Slopes of the lognormal are not held to it: with Sobol points they cover 9 times of 10."""
    function, first, slopes = cases()[name]
    for n in (1_024, 4_096, 16_384)[: 3 if name in bent() else 2]:
        covered = np.zeros((2, len(first)), int)
        for seed in range(1, SEEDS + 1):
            u = draws(len(first), seed)[:, :n] if sampler == "sobol" else np.random.default_rng(seed).random((len(first), n))
            of = Indices(tuple("abcde"[: len(first)]), special.ndtri(u), np.arange(n) % 16)
            y = function(u)  # type: ignore[operator]
            for k, (found, wanted) in enumerate(((of.regression(y)[0], slopes), (of.first_order(y), first))):
                covered[k] += wanted is None or (found.low <= wanted) & (wanted <= found.high)
        assert (covered >= FEWEST_COVERED).all(), covered
        assert slopes is None or (covered[0] <= MOST_COVERED).all(), covered


@pytest.mark.parametrize("name", ["square", "lognormal", "jump"])
def test_more_paths_come_nearer_where_a_number_is_bent(name: str) -> None:
    """The mean over 40 seeds at 16,384 paths, of a true 0.500: a line in 32 bins however many paths gave 0.495 of the jump, means in 32
    bins 0.463 of the square and 0.426 of the lognormal."""
    function, first, _ = bent()[name]
    found = []
    for seed in range(1, 41):
        u = draws(2, seed)
        found.append(Indices(("a", "b"), special.ndtri(u), np.arange(N) % 16).first_order(function(u)).value)  # type: ignore[operator]
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(40)
    assert (np.abs(mean - first) < 4.0 * error + 0.001).all(), mean


def pairs(y: np.ndarray, bins: np.ndarray, replicate: np.ndarray) -> float:
    """Sum over bins of share x (mean of the products of two paths of different replicates), in plain Python."""
    found = 0.0
    for members in [np.flatnonzero(bins == b) for b in np.unique(bins)]:
        products = [y[i] * y[j] for i in members for j in members if replicate[i] != replicate[j]]
        found += len(members) / len(y) * float(np.mean(products))
    return found


def test_ranks_that_are_known_are_not_found_again() -> None:
    """The same places to the bit, of paths that all differ and of such that count twice or three times, whose ranks are averages."""
    z = np.random.default_rng(7).standard_normal((3, 200))
    z[1, 50:80], z[2, 100:] = z[1, 20:50], np.concatenate([z[2, :50], z[2, :50]])
    ranks, replicate = Sensitivity(("a", "b", "c"), z).ranks, np.arange(200) % 16
    plain, known = Indices(("a", "b", "c"), z, replicate), Indices(("a", "b", "c"), z, replicate, ranks)
    y = z[0] + z[1] ** 2
    for name in ("rank", "first_order"):
        one, other = getattr(plain, name)(y), getattr(known, name)(y)
        assert np.array_equal(one.value, other.value) and np.array_equal(one.se, other.se)
    swapped = Indices(("a", "b", "c"), z, replicate, ranks[::-1])  # so they are read where there are no ties
    assert swapped.rank(y).value[2] == plain.rank(y).value[0]


def test_ranks_stand_beside_the_inputs_that_vary(small: Any) -> None:
    """Of a run whose first input is the same on all paths, as a forced scenario is."""
    z = np.random.default_rng(8).standard_normal((len(small.plan.inputs.names), 1024))
    z[0], y, replicate = 0.0, z[1] + z[2] ** 2, np.arange(1024) % 16
    ranks, there = Sensitivity(small.plan.inputs.names, z).ranks, np.ones(1024, bool)
    plain, known = (Holds(small.plan, z, replicate, given).of(y, there) for given in (None, ranks))
    assert small.plan.inputs.names[0] not in known.names and np.array_equal(plain.rank(y).value, known.rank(y).value)


def test_first_order_against_its_pairs() -> None:
    """96 paths of unequal replicates, one by one: three bins by rank, in each a mean and a line, products of two replicates."""
    r = np.random.default_rng(5)
    z, replicate = r.standard_normal((2, 96)), r.integers(0, 5, 96)
    y = z[0] ** 2 + 0.3 * z[1] + 4.0
    found = Indices(("a", "b"), z, replicate).first_order(y)

    def naive(row: np.ndarray, of: np.ndarray) -> float:
        place, c = stats.rankdata(row).astype(int) - 1, y - y.mean()
        bins, score, leaning = place // 32, stats.norm.ppf((place + 0.5) / 96), np.empty(96)
        for b in range(3):
            mine = bins == b
            leaning[mine] = stats.zscore(score[mine]) * (c[mine] - c[mine].mean())
        c_, r_, b_ = c[of], replicate[of], bins[of]
        middle = pairs(c_, np.zeros(len(c_)), r_)
        return (pairs(c_, b_, r_) + pairs(leaning[of], b_, r_) - middle) / (float((c_**2).mean()) - middle)

    left = np.array([[naive(row, np.flatnonzero(replicate != k)) for row in z] for k in range(5)])
    assert found.value == pytest.approx([naive(row, np.arange(96)) for row in z], rel=1e-12)
    assert found.se == pytest.approx(np.sqrt(0.8 * ((left - left.mean(axis=0)) ** 2).sum(axis=0)), rel=1e-10)
    assert found.t == pytest.approx(stats.t.ppf(0.975, 4))


def test_students_t() -> None:
    assert list(T975) == pytest.approx([stats.t.ppf(0.975, k) for k in range(1, 16)], abs=1e-9)


@pytest.mark.parametrize("name", ["ishigami", "sobol-g"])
def test_total_indices(name: str) -> None:
    """Within four of their own errors and 0.02 of the closed form; inputs drawn anew one by one."""
    function, _, total = closed_forms()[name]
    u, other = draws(len(total)), np.random.default_rng(3).random((len(total), N))
    anew = []
    for i in range(len(total)):
        changed = u.copy()
        changed[i] = other[i]
        anew.append(function(changed))  # type: ignore[operator]
    found = jansen(function(u), np.array(anew))  # type: ignore[operator]
    assert found.value == pytest.approx(total, abs=0.02)
    assert (np.abs(found.value - total) < 4.0 * found.se + 1e-4).all()


def test_slopes_are_mean_derivatives() -> None:
    """Stein: on normal scores the plane's slope is E[dy/dz], here by quadrature; the sign follows."""
    u = draws(3)
    of = Indices(("a", "b", "c"), special.ndtri(u), np.arange(N) % 16)
    slope, share = of.regression(ishigami(u))

    wanted = ishigami_slopes()[0]
    assert slope.value == pytest.approx([wanted, 0.0, 0.0], abs=4.0 * slope.se.max())
    assert share.value.sum() == pytest.approx(wanted**2 / ishigami(u).var(), rel=0.02)


def test_ranks_and_shares_are_those_of_the_ensemble() -> None:
    """One implementation: the same numbers as the answers', now with errors."""
    z = np.random.default_rng(7).standard_normal((3, 4096))
    z[2] = 0.8 * z[0] + 0.6 * z[2]
    y = np.exp(z[0]) - 0.5 * np.round(z[1]) + z[2]
    of = Indices(("a", "b", "c"), z, np.arange(4096) % 16)
    movers = {m.name: m for m in Sensitivity(("a", "b", "c"), z).movers(y)}
    rank, (_, share) = of.rank(y), of.regression(y)
    assert rank.value == pytest.approx([stats.spearmanr(row, y).statistic for row in z], abs=1e-9)
    assert rank.value == pytest.approx([movers[n].correlation for n in "abc"], abs=1e-9)
    assert share.value == pytest.approx([movers[n].share for n in "abc"], abs=1e-9)


def test_errors_are_the_spread_of_repeats() -> None:
    """Forty ensembles of 1,024 plain random paths: the spread of each estimate is the error that it tells; where a share is nothing the
    estimate is a square, and the jackknife tells up to twice too much."""
    r, found = np.random.default_rng(11), []
    for _ in range(40):
        z = r.standard_normal((3, 1024))
        of = Indices(("a", "b", "c"), z, np.arange(1024) % 16)
        y = 2.0 * z[0] + z[1] ** 2 + 0.5 * r.standard_normal(1024)
        found.append([*of.regression(y), of.rank(y), of.first_order(y)])
    for k in range(4):
        told = np.sqrt(np.mean([f[k].se ** 2 for f in found], axis=0))
        spread = np.std([f[k].value for f in found], axis=0, ddof=1)
        assert (told > 0.65 * spread).all() and (told < 1.4 * spread + 0.002).all()
    nothing = [f[3].value[2] for f in found]  # an input that moves nothing: of 1,024 paths in 32 bins, 0.03 would be chance
    assert abs(np.mean(nothing)) < 0.005


def test_slopes_against_common_random_numbers(small: offtake.Run) -> None:
    """The model itself, each input's score moved a little up and down on every path: central differences are the slopes (Stein)."""
    q = question(small.plan, "revenue", "contracts.north", "calendar-year")
    run = offtake.run(small.plan.book, paths=2048)
    found = {r["input"]: r for r in sensitivity(run, "revenue", "contracts.north", "2027", anew=0)["rows"]}
    names, step, row = small.plan.inputs.names, 0.1, 1
    for name in ("sites.plains.power.1.slip", "sites.plains.lots.1.slip", "workloads.research.gpu_hours.growth.yearly"):
        i = names.index(name)

        def read(b: stages.Block, i: int = i) -> np.ndarray:
            ends = []
            for by in (step, -2.0 * step):
                b.Z[i] += by
                stages.redraw(b, 1, np.zeros(len(small.plan.factor_paths), np.int64))
                stages.follow(b)
                ends.append(q.read(b)[row].copy())
            return (ends[0] - ends[1]) / (2.0 * step)

        moved = by_block(small.plan, 1, 2048, read).mean()
        assert found[name]["slope"] == pytest.approx(moved, abs=6.0 * found[name]["slope_se"] + 0.03 * abs(moved))


def test_total_indices_of_the_model(small: offtake.Run) -> None:
    """At least the first-order index of an input that stands alone; what moves nothing has none; scenario included."""
    q = question(small.plan, "npv", "contracts.north")
    names = small.plan.inputs.names
    rows = {r["input"]: r for r in sensitivity(offtake.run(small.plan.book, paths=1024), "npv", "contracts.north", anew=0)["rows"]}
    asked = ["chips.new.cost", "scenario", "companies.lab.customer.renegotiation.luck"]
    target = small.outcome([q]).tallies[0].kept[0]
    found = totals(offtake.run(small.plan.book, paths=1024), q, 0, [names.index(n) for n in asked], target, 512)
    for n, value, se in zip(asked, found.value, found.se):
        assert value > rows[n]["first_order"] - 4.0 * (se + rows[n]["first_order_se"]) - 0.02, n
    assert found.value[0] > 0.2 and found.value[1] > 0.1 and found.value[2] < 0.01


def test_an_input_is_drawn_anew_given_what_it_depends_on(small: offtake.Run) -> None:
    """The conditional mean and spread of a normal given the others: by the partitioned inverse, against regression on many draws."""
    given = conditional(small.plan)
    d = small.plan.draws
    z = d.chol @ np.random.default_rng(1).standard_normal((len(d.mixed), 200_000))
    for k, i in enumerate(d.mixed):
        others = [j for j in range(len(d.mixed)) if j != k]
        weights = np.linalg.lstsq(z[others].T, z[k], rcond=None)[0]
        mine, spread = given[int(i)]
        assert mine[others] == pytest.approx(weights, abs=0.02) and mine[k] == 0.0
        assert spread == pytest.approx((z[k] - weights @ z[others]).std(), abs=0.02)


def test_what_is_drawn_anew_keeps_its_correlations_and_nothing_else(small: offtake.Run) -> None:
    """Over 4,096 paths: variance 1 and the old correlation with the others, and beyond them the old score tells nothing of the new."""
    plan, old, new = small.plan, [], []
    i, given = int(plan.draws.mixed[-1]), conditional(plan)
    b = stages.allocate(plan)
    for first in range(0, 4096, 64):
        stages.draw_inputs(b, 1, first, np.zeros(len(plan.factor_paths), np.int64))
        old.append(b.Z[plan.draws.mixed].copy())
        draw_anew(plan, 1, b, i, given)
        new.append(b.Z[i].copy())
    z, again = np.concatenate(old, axis=1), np.concatenate(new)
    wanted = (plan.draws.chol @ plan.draws.chol.T)[-1]
    assert again.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(z[:-1], again)[-1, :-1] == pytest.approx(wanted[:-1], abs=0.06)
    assert np.abs(wanted[:-1]).max() > 0.3
    weights = np.linalg.lstsq(z[:-1].T, np.stack([z[-1], again]).T, rcond=None)[0]
    rest = np.stack([z[-1], again]) - weights.T @ z[:-1]
    assert abs(np.corrcoef(rest)[0, 1]) < 0.06


def test_inside_a_tail(small: offtake.Run) -> None:
    """The same estimators on the paths of the condition alone."""
    run = offtake.run(small.plan.book, paths=2048)
    q = question(run.plan, "npv", "contracts.north")
    level = float(np.quantile(run.outcome([q]).tallies[0].kept[0], 0.25))
    found = sensitivity(run, "npv", "contracts.north", given=f"npv of contracts.north < {level:.0f} USD")
    assert found["paths"] == 512 and found["of_paths"] == 2048 and found["without_total"] is None
    assert [r["total"] is None for r in found["rows"][:9]] == [False] * 8 + [True]
    whole = sensitivity(run, "npv", "contracts.north", anew=0)
    assert {r["input"] for r in found["rows"]} <= {r["input"] for r in whole["rows"]}
    assert whole["rows"][0]["sign"] == "-" and whole["rows"][0]["at_p10"] > whole["rows"][0]["at_p90"]


def test_the_tornado_is_the_verb(small: offtake.Run) -> None:
    """Every figure in the page's own data is that of `--json`, to the bit, and the bars are the first of its rows."""
    page = html.render(view(small))
    charts = json.loads(re.findall(r'<script[^>]*id="offtake-charts"[^>]*>(.*?)</script>', page, re.S)[0])
    drawn = {c["data"]["title"]: c["data"]["bars"] for c in charts if c["kind"] == "tornado"}
    for title, words in (
        ("Customer revenue 2028", ["revenue", "--of", "companies.lab", "--at", "2028"]),
        ("Value standing idle", ["idle_value", "--of", "contracts.north", "--at", "total"]),
    ):
        done = CliRunner().invoke(app, ["sensitivity", "two-clouds", *words, "--paths", "512", "--seed", "1", "--total", "0", "--json"])
        rows = {r["input"]: r for r in json.loads(done.stdout)["rows"]}
        sure = {n: max((r[k] for k in ("share", "first_order") if r[f"{k}_low"] > 0.0), default=0.0) for n, r in rows.items()}
        held = [n for n in rows if sure[n] >= 0.005]  # what chance alone would not show
        assert len(drawn[title]) >= 2 and [b["input"] for b in drawn[title]] == held[:8]
        for bar in drawn[title]:
            assert bar == {key: rows[bar["input"]][key] for key in bar}
            half = stats.t.ppf(0.975, 15) * bar["slope_se"]
            assert [bar["slope"] - half, bar["slope"] + half] == pytest.approx([bar["slope_low"], bar["slope_high"]], rel=1e-8)


@pytest.mark.parametrize(("ends", "wanted"), [((0.1, 0.3), "+"), ((-0.3, -0.1), "-"), ((-0.1, 0.1), "?"), ((0.0, 0.2), "?")])
def test_a_sign_is_told_where_the_interval_has_one(ends: tuple[float, float], wanted: str) -> None:
    low, high = ends
    middle = np.array([(low + high) / 2.0])
    assert sign(Estimate(middle, middle * 0.0 + (high - low) / 2.0, 1.0), 0) == wanted


def test_a_condition_without_a_period_holds_in_any_month(small: offtake.Run) -> None:
    condition = condition_of(small.plan, "coverage < 3", "a condition", any_period=True)
    rows = np.array([[5.0, 2.0, np.nan], [4.0, 9.0, np.nan]])
    assert condition.row is None and condition.on(rows).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("npv", "--of", "contracts.north", "--given", "npv of contracts.north < -90 bn USD"), "on 0 of 256 paths, 64 are needed"),
        (("npv", "--of", "contracts.north", "--given", ""), "'' is no condition; write a condition as MEASURE"),
        (("npv", "--of", "contracts.north", "--given", "soon"), "'soon' is no condition; write a condition as MEASURE"),
        (("npv", "--of", "contracts.north", "--given", "npv of contracts.north < 3 GPU"), "'3 GPU' is no level of npv"),
        (("mean(npv of contracts.north)",), "is not one number a path"),
        (("straight_line", "--of", "contracts.north", "--at", "2026"), "is the same number on every path"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], sentence: str) -> None:
    done = CliRunner().invoke(app, ["sensitivity", "two-clouds", *words, "--paths", "256"])
    assert isinstance(done.exception, QuestionError) and sentence in str(done.exception)


def test_noise_takes_no_ranks(small: offtake.Run) -> None:
    """Three inputs hold a number of 512 paths, one of them by its square, the third little but for sure; of the others chance gives one
    twice as much. What is sure comes first, by the nearer end of its interval, then what is not, by its estimate."""
    r, names = np.random.default_rng(7), small.plan.inputs.names
    z = r.standard_normal((len(names), 2048))
    y = 0.6 * z[3] + 0.5 * z[5] ** 2 + 0.25 * z[9] + r.standard_normal(2048)
    rows, _ = Holds(small.plan, z, np.arange(2048) % 16).table(y, np.arange(2048) < 512)

    def sure(row: dict[str, Any]) -> float:
        return max(0.0, row["share_low"], -row["share_high"], row["first_order_low"])

    told = [max(abs(row["share"]), row["first_order"]) for row in rows]
    assert [row["input"] for row in rows[:3]] == [names[5], names[3], names[9]]
    assert [sure(row) for row in rows] == sorted(map(sure, rows), reverse=True) and sure(rows[2]) > 0.0
    unsure = [t for t, row in zip(told, rows) if sure(row) == 0.0]
    assert unsure == sorted(unsure, reverse=True) and unsure[0] > 1.5 * told[2]


def test_a_narrow_terminal_keeps_what_orders_the_rows(small: offtake.Run) -> None:
    """At 80 columns the share and the total indices just computed are there, and what is not is named; without any, the share alone."""
    run = offtake.run(small.plan.book, paths=1024)
    found = sensitivity(run, "npv", "contracts.north", given="npv of contracts.north < 0 USD", anew=2)
    text = holds_text(found, 80, 12).splitlines()
    head = next(line for line in text if line.startswith("input"))
    assert head.split()[:3] == ["input", "share", "total"] and any(line.startswith("not shown at this width") for line in text)
    none = holds_text(found | {"rows": [r | {"total": None} for r in found["rows"]]}, 80, 12)
    assert next(line for line in none.splitlines() if line.startswith("input")).split()[:2] == ["input", "share"]


def test_a_condition_without_a_period_is_said(small: offtake.Run) -> None:
    run = offtake.run(small.plan.book, paths=1024)
    asked = (("npv of contracts.north < 0 USD", "< 0 USD: "), ("coverage of companies.lab < 1000", "< 1000 in any month: "))
    for words, said in asked:
        found = sensitivity(run, "npv", "contracts.north", given=words, anew=0)
        assert said in " ".join(holds_text(found, 200, 3).split()) and found["in_any_month"] == said.endswith("month: ")
    with pytest.raises(QuestionError, match=r"^'coverage of companies.lab < -1' holds in any month and the number has a value on 0 of"):
        sensitivity(run, "npv", "contracts.north", given="coverage of companies.lab < -1", anew=0)


def test_the_verb() -> None:
    words = ["sensitivity", "two-clouds", "npv", "--of", "contracts.north", "--paths", "512", "--total", "2"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert {"stamp", "measure", "of", "period", "given", "paths", "explained", "method", "without_total", "rows"} <= set(told)
    assert [r["total"] is None for r in told["rows"][:3]] == [False, False, True]
    lines = CliRunner().invoke(app, [*words, "--csv"]).stdout.splitlines()
    assert lines[0].startswith("input,sign,slope,slope_se,slope_low,slope_high,share,share_se") and len(lines) == len(told["rows"]) + 1
    text = CliRunner().invoke(app, words).stdout
    assert "per deviation" in text and "more inputs hold less (--top)" in text
