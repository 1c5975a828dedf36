"""The watch list (E-01, E-04): expected information against closed forms, alerts, proxies, and the line that a script mails."""

import json
import math
from datetime import date

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from offtake import front
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.evidence.information import cells_for, cells_of, information, of_cells, of_normals, of_pair
from offtake.front import learn
from offtake.studies.signals import printed
from offtake.studies.watch import alerts, watch
from tests.learned import how, seen, small_book, small_plan

ONES = np.ones(16_384, np.int64)
M = "revenue of companies.c @ 2026-03"


def normals(correlation, n=16_384, seed=1):
    r = np.random.default_rng(seed)
    x = r.normal(size=n)
    return x, correlation * x + math.sqrt(1 - correlation**2) * r.normal(size=n)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6, 0.9, -0.9])
def test_information_of_correlated_normals(correlation):
    """-log(1 - r2) / 2, less up to 6 % for what the cells forget, within three errors."""
    value, error = information(*normals(correlation), ONES)
    want = of_normals(correlation)
    assert 0.94 * want - 3 * error <= value <= want + 3 * error
    assert 0.0 < error < 0.01


def test_the_error_is_the_spread_of_repeats():
    found = [information(*normals(0.5, 4096, seed), ONES[:4096]) for seed in range(24)]
    assert np.mean([e for _, e in found]) == pytest.approx(np.std([v for v, _ in found]), rel=0.5)


def test_information_of_words_and_of_what_is_absent():
    """A fair coin told outright is log 2; a number that is absent on half of the paths tells of the coin that made it absent."""
    coin = (np.arange(16_384) // 16 % 2).astype(float)
    assert information(coin, coin, ONES)[0] == pytest.approx(math.log(2), abs=1e-3)
    absent = np.where(coin == 1.0, np.nan, normals(0.0)[0])
    assert information(absent, coin, ONES)[0] == pytest.approx(math.log(2), abs=0.01)


def test_a_value_that_many_share_stands_in_the_cell_of_its_middle():
    """Half of the weight on one value, its middle at a quarter: cell 1 of 4; the rest at 17/32, 19/32, .. Weights move it."""
    values = np.array([0.0] * 8 + list(range(1, 9)))
    assert cells_of(values, np.ones(16, int), 4).tolist() == [1] * 8 + [2] * 4 + [3] * 4
    assert cells_of(values, np.array([3] * 8 + [1] * 8), 4).tolist() == [1] * 8 + [3] * 8  # 24 of 32: the middle at 3/8
    assert cells_of(values, np.array([1] * 8 + [9] * 8), 4).tolist() == [0] * 8 + [0, 1, 1, 1, 2, 2, 3, 3]
    assert cells_of(np.array([np.nan, 2.0, 1.0, np.nan]), np.ones(4, int), 2).tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize(("r1", "r2", "rho"), [(0.6, 0.5, 0.0), (0.6, 0.5, 0.8), (0.3, 0.0, 0.0)])
def test_two_figures_together(r1, r2, rho):
    """Three normals: -log(1 - R2) / 2 of both, 20 % short of it at most for coarse cells; what the second adds,
    -log((1 - R2) / (1 - r1^2)) / 2, likewise, and where that is nothing (all but the first case) at most 0.005."""
    r = np.random.default_rng(8)
    among = np.array([[1.0, rho, r1], [rho, 1.0, r2], [r1, r2, 1.0]])
    first, second, target = np.linalg.cholesky(among) @ r.normal(size=(3, 16_384))
    found = of_pair(first, second, target, ONES)
    explained = (r1**2 + r2**2 - 2 * r1 * r2 * rho) / (1 - rho**2)
    want, adds = of_normals(math.sqrt(explained)), 0.5 * math.log((1 - r1**2) / (1 - explained))
    assert 0.8 * want - 3 * found.se <= found.information <= want + 3 * found.se
    assert 0.78 * adds - 3 * found.adds_se <= found.adds <= adds + 3 * found.adds_se + 0.005
    assert found.information == pytest.approx(found.alone[0] + found.adds, abs=1e-12) and 0.0 < found.adds_se < found.se < 0.01
    turned = of_pair(second, first, target, ONES)
    assert turned.information == pytest.approx(found.information, abs=1e-12) and turned.alone == found.alone[::-1]


def test_the_pairs_are_ranked_and_the_more_telling_stands_first():
    third = signals()["signals"]["first"] | {"title": "April", "measure": "revenue of companies.c @ 2026-04"}
    plan = small_plan(**{"signals": signals()["signals"] | {"april": third}})
    found = watch(plan, [], how(16_384), "revenue of companies.c @ 2026", date(2025, 11, 3))["together"]
    assert set(found[0]["signals"]) == {"first", "april"} and len(found) == 3
    assert all(p["alone"][0] >= p["alone"][1] for p in found)
    assert found[0]["adds"] > 0.05 and found[-1]["adds"] < 0.01  # two readings of one revenue add; a margin that does not vary adds nothing


def test_weights_count_as_copies():
    x, y = normals(0.7, 2048)
    twice, weights = np.r_[np.arange(2048), np.arange(1024)], np.r_[np.full(1024, 2), np.ones(1024, int)]
    a, b = (cells_of(v, weights, 9) for v in (x, y))
    assert np.array_equal(cells_of(x[twice], np.ones(3072, int), 9), a[twice])
    n, e = float(weights.sum()), cells_for(weights)
    assert e >= 4 and of_cells(a, b, weights) == pytest.approx(
        of_cells(a[twice], b[twice], np.ones(3072)) - _bias(a, b) * ((weights**2).sum() / n**2 - 1 / n), abs=1e-12
    )


def _bias(a, b):
    return (len(set(zip(a, b))) - len(set(a)) - len(set(b)) + 1) / 2


def signals(**more):
    first = {
        "title": "Revenue of March", "measure": M, "document": "10-Q", "due": "2026-05-01", "threshold": "110 M USD", "alert": "above",
        "action": "look again", "otherwise": "ask", "assumed": "a test",
    }  # fmt: skip
    other = first | {"title": "Margin", "measure": "margin of companies.c @ 2026", "threshold": "25 %", "alert": "below"}
    return {"signals": {"first": first | more, "other": other}}


def the(found, name):
    return next(s for s in found["signals"] if s["signal"] == name)


def test_the_list_ranks_by_what_is_told_of_the_target():
    """Revenue of a year is that of a month times twelve: March, off by 2 % of 100 against a spread of 10, tells log(sqrt(1 + 25))."""
    plan = small_plan(**signals())
    found = watch(plan, [], how(16_384), "revenue of companies.c @ 2026", date(2025, 11, 3))
    first, other = the(found, "first"), the(found, "other")
    assert [s["signal"] for s in found["signals"]] == ["first", "other"]
    want = of_normals(10 / math.hypot(10, 2))
    assert 0.92 * want <= first["information"] <= want + 0.02
    assert abs(other["information"]) <= 3 * other["information_se"] + 1e-3
    assert first["figure"]["p50"] == pytest.approx(100e6, rel=0.01)
    assert (first["figure"]["p95"] - first["figure"]["p05"]) / 3.29 == pytest.approx(math.hypot(10, 2) * 1e6, rel=0.05)
    assert first["chance"] == pytest.approx(stats.norm.sf(10 / math.hypot(10, 2)), abs=0.01)
    assert first["days"] == 179 and not first["discrepancy_stated"]


def test_a_signal_that_may_never_come_counts_by_its_chance():
    """Never on 60 %: its own information by 40 %, its proxy's (half of the revenue's spread lost in the link) by 60 %."""
    proxy = {"measure": "revenue of companies.c @ 2026-04", "link": "10 %", "assumed": "a test"}
    plan = small_plan(**signals(never="60 %", proxy=proxy, discrepancy={"value": "1 %", "assumed": "a test"}))
    first = the(watch(plan, [], how(16_384), "revenue of companies.c @ 2026", date(2025, 11, 3)), "first")
    assert first["proxy"]["information"] == pytest.approx(of_normals(1 / math.sqrt(2)), abs=0.03)
    assert first["information"] == pytest.approx(0.4 * first["if_published"]["information"] + 0.6 * first["proxy"]["information"])
    assert first["discrepancy"] == 0.01 and first["discrepancy_stated"]
    assert seen(plan, f"{M} = 100 M USD").discrepancy_text == "1 %" and seen(plan, f"{M} = 100 M USD").because == "signals.first: a test"


def test_what_was_observed_narrows_what_is_expected():
    plan = small_plan(**signals())
    figures = [seen(plan, "revenue of companies.c @ 2026-02 = 120 M USD", rounding="none", discrepancy="5 M USD")]
    first = the(watch(plan, figures, how(16_384), "revenue of companies.c @ 2026", date(2025, 11, 3)), "first")
    assert first["figure"]["p50"] == pytest.approx(116e6, rel=0.01)
    with pytest.raises(QuestionError, match="this book registers no signal"):
        watch(small_plan(), [], how(), "revenue of companies.c @ 2026", date(2025, 11, 3))
    with pytest.raises(QuestionError, match="the 13 answers are about a contract"):
        watch(plan, [], how(), None, date(2025, 11, 3))


def test_nobody_prints_more_than_all():
    assert printed(np.full(64, 0.99), 0.05, True, 1, 7).max() == 1.0
    assert printed(np.full(64, 0.99), 0.05, False, 1, 7).max() > 1.0


@pytest.mark.parametrize(
    ("text", "crossed"),
    [
        ("= 111 M USD", True), ("= 110 M USD", False), ("= 109 M USD", False), ("~ 130 M USD", True), ("> 110 M USD", True),
        ("> 100 M USD", False), ("< 130 M USD", False), ("= 105 to 130 M USD", True),
    ],
)  # fmt: skip
def test_a_threshold_is_crossed_by_what_was_printed(text, crossed):
    plan = small_plan(**signals())
    assert bool(alerts(plan, [seen(plan, f"{M} {text}")])) is crossed


def test_a_signal_meets_its_figure_however_its_period_is_written():
    plan = small_plan(**signals(measure="reported_rpo of companies.c @ FY2026Q1", threshold="0.9 bn USD"))
    figures = [seen(plan, f"reported_rpo of companies.c @ {period} = 0.95 bn USD") for period in ("2026-03", "2026Q1", "FY2026Q1")]
    assert all(alerts(plan, [figure]) for figure in figures) and len({f.about for f in figures}) == 1


def test_below_is_the_other_side():
    plan = small_plan(**signals())
    name = "margin of companies.c @ 2026"
    assert [bool(alerts(plan, [seen(plan, f"{name} {t}")])) for t in ("= 24 %", "= 26 %", "< 25 %", "< 30 %", "> 30 %")] == [
        True, False, True, False, False,
    ]  # fmt: skip


def test_the_check_exits_3_and_prints_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    action = "    action: extend the model's slips\n"
    text = front.locate("two-clouds").read_text().replace(action, f"    threshold: 60 k GPU\n    alert: below\n{action}")
    (tmp_path / "mine.yaml").write_text(text)
    run = lambda *args: CliRunner().invoke(app, list(args))  # noqa: E731
    quiet = run("watch", "mine.yaml", "--check")
    assert (quiet.exit_code, quiet.stdout) == (0, "mine: no threshold is crossed\n")
    learn.observe("mine.yaml", "ready of contracts.north @ 2026-12 = 55 k GPU", "North Cloud, call, 2026-05-01")
    loud = run("watch", "mine.yaml", "--check")
    line = (
        "ALERT mine ready: ready of contracts.north @ 2026Q4 = 55 k GPU: 55000 GPU is below 60 k GPU (call, 2026-05-01): "
        "extend the model's slips\n"
    )
    assert (loud.exit_code, loud.stdout) == (3, line)
    told = run("watch", "mine.yaml", "--check", "--json")
    assert told.exit_code == 3 and json.loads(told.stdout)["alerts"][0]["level"] == 60_000
    assert run("watch", "mine.yaml", "--check", "--as-of", "2026-04-30").exit_code == 0


def test_the_first_books_list_reads_like_an_analysts_last_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["watch", "openai-aws", "--paths", "1024"]).stdout
    for words in ("due in 95 days", "where: 10-K for 2025", "Then: extend the slips of sites.aws-ultra", "80.0 % likely never published",
                  "above 235 bn USD", "link", "no figure of it would change whether to hold the target",
                  "Positions: not computed: the tree and the positions follow the evidence on daily closes"):  # fmt: skip
        assert words in " ".join(said.split())
    assert small_book(**signals()).signals["first"].alert == "above"


def test_the_report_shows_the_numbers_of_the_verb(tmp_path, monkeypatch):
    """Answer 11 and the report's list are `offtake watch --json` of the same paths and seed, to the bit, and its words."""
    monkeypatch.chdir(tmp_path)
    told = json.loads(CliRunner().invoke(app, ["watch", "openai-aws", "--paths", "512", "--json"]).stdout)
    run = front.run(front.load("openai-aws"), paths=512)
    values = json.loads(json.dumps(run.answers()["answers"][10]["values"]["watch"]))
    assert {key: told[key] for key in values} == values and {"signals", "together", "target", "paths"} <= set(values)
    run.report(tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    listed = page[page.index('<section id="watch">') :].split("</section>")[0]
    for s in told["signals"]:
        assert f"{s['information']:.3f} ± {s['information_se']:.3f}" in listed and f"{100 * s['chance']:.1f} %" in listed
    assert "never on 80 %" in listed and "above 235 bn USD" in listed and "link error" in listed
