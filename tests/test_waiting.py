"""What it is worth to wait (E-04): closed forms of normals, an estimator that chance does not lift, and positions on the tree."""

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
from offtake.evidence.waiting import Worth, crossed, worth_of_waiting
from offtake.studies.compare import Asked
from offtake.studies.positions import weights
from offtake.studies.tree_given import given
from offtake.studies.waiting import Stakes, beside, expected, sizes_of
from offtake.studies.watch import watch

from .closes import write_closes
from .learned import seen, small_book

ONES = np.ones(16_384, np.int64)
M = "revenue of companies.c @ 2026-03"
DAY = date(2025, 11, 3)


def held(target, *sizes):
    return np.outer(sizes or (0.0, 1.0), target)


def of_waiting(mean, s):
    """E max(0, m) - max(0, mean), m normal(mean, s): the value of information of all or nothing."""
    return s * stats.norm.pdf(mean / s) + mean * stats.norm.cdf(mean / s) - max(mean, 0.0)


@pytest.mark.parametrize("mean", [0.0, 1.0, -1.0, 3.0])
def test_of_normals(mean):
    """Target normal(mean, 2), figure off by 1: E(target | figure) has a deviation of 4 / sqrt 5. The two readings hold it between them."""
    r = np.random.default_rng(2)
    target = mean + 2.0 * r.normal(size=16_384)
    found = worth_of_waiting(target + r.normal(size=16_384), held(target), ONES)
    s = 4 / math.sqrt(5)
    want = of_waiting(mean, s)
    assert found.value == pytest.approx(want, abs=3 * found.se + 0.01)
    assert found.value <= found.at_most and found.at_most == pytest.approx(want, abs=3 * found.se + 0.01)
    assert found.changes == pytest.approx(stats.norm.cdf(-abs(mean) / s), abs=0.05)
    assert 0.0 < found.se < 0.03


def test_chance_does_not_lift_it():
    """A figure that tells nothing, of a target about zero: 64 draws of 512 paths. Read off the same paths it seems to be worth
    something, every time; chosen on one half and judged on the other, nothing."""
    r = np.random.default_rng(4)
    runs = [worth_of_waiting(r.normal(size=512), held(r.normal(size=512)), ONES[:512]) for _ in range(64)]
    values, most = np.array([f.value for f in runs]), np.array([f.at_most for f in runs])
    assert abs(values.mean()) <= 3.0 * values.std() / 8
    assert most.mean() > 5.0 * most.std() / 8 and most.mean() > 10.0 * abs(values.mean())


def test_the_error_is_the_spread_of_repeats():
    r = np.random.default_rng(6)
    runs = []
    for _ in range(32):
        target = 0.5 + r.normal(size=2048)
        runs.append(worth_of_waiting(target + r.normal(size=2048), held(target), ONES[:2048]))
    ratio = np.mean([f.se for f in runs]) / np.std([f.value for f in runs], ddof=1)
    assert 0.5 < ratio < 2.0


def test_two_cells_by_hand():
    """Two groups, two cells, nothing or hold: group 0 gains 3 and -1, group 1 gains 1 and -5. Group 0 would hold in the first cell and,
    unseen, hold (3 - 1 > 0); on group 1 that is 1 against 1 - 5: +5. Group 1 would hold in the first and, unseen, not: on group 0 3
    against 0: +3. Over eight paths of weight 1 in each: 8 / 16."""
    sums = np.zeros((16, 2, 2))
    sums[0, 1], sums[1, 1] = (3.0, -1.0), (1.0, -5.0)
    weight = np.zeros(16)
    weight[:3] = 8.0  # what group 2 counts is left out with it
    assert crossed(sums, weight, np.arange(16) < 2) == pytest.approx(0.5)


def test_a_figure_that_changes_nothing_is_worth_nothing():
    r = np.random.default_rng(3)
    target = 100.0 + r.normal(size=4096)
    assert worth_of_waiting(target, held(target), ONES[:4096]) == Worth(0.0, 0.0, 0.0, 0.0)


def test_sizes_scale_and_weights_count_as_copies():
    r = np.random.default_rng(5)
    target = r.normal(size=4096)
    figure = target + r.normal(size=4096)
    one, two = (worth_of_waiting(figure, held(target, *sizes), ONES[:4096]) for sizes in ((0.0, 1.0), (0.0, 1.0, 2.0)))
    assert two.value == pytest.approx(2.0 * one.value) and two.at_most == pytest.approx(2.0 * one.at_most)
    counts = np.where(np.arange(4096) < 2048, 2, 0)
    groups = np.arange(4096) % 16
    weighed = worth_of_waiting(figure, held(target), counts)
    kept = worth_of_waiting(figure[:2048], held(target)[:, :2048], ONES[:2048])
    assert weighed.value == pytest.approx(kept.value) and weighed.se == pytest.approx(kept.se)
    again = worth_of_waiting(figure[::-1], held(target)[:, ::-1], ONES[:4096], groups[::-1])
    assert again.value == pytest.approx(one.value) and again.se == pytest.approx(one.se)


SIGNAL = {
    "title": "Revenue of March", "measure": M, "document": "10-Q", "due": "2026-05-01", "threshold": "110 M USD", "alert": "above",
    "action": "look again", "otherwise": "ask", "assumed": "a test", "discrepancy": {"value": "5 %", "assumed": "a test"},
}  # fmt: skip
TREE = {
    "year": 2026, "assumed": "a test", "required_return": "10 %", "terminal_growth": "2 %", "priced_over": "20",
    "nodes": {"only": {"title": "only", "probability": "100 %", "assumed": "a test"}},
    "prices": {"AMZN": {"method": "elastic", "company": "c", "follows": "revenue of companies.c @ 2026", "elasticity": "1"}},
}  # fmt: skip
LONG = {"ticker": "AMZN", "side": "long", "weight": "100 %", "assumption": "companies.c.segment.revenue", "assumed": "a test"}
SHORT = LONG | {"side": "short"}


@pytest.fixture(scope="module")
def closes(tmp_path_factory):
    return write_closes(tmp_path_factory.mktemp("closes") / "closes.csv", ["SPY", "AMZN"], {})


def listed(closes, observations=(), stakes=Stakes(1e6), **signal):
    book = small_book(tree=TREE, positions={"long": LONG, "short": SHORT}, signals={"first": SIGNAL | signal})
    run = front.run(book, paths=4096, seed=1).read_closes(closes)
    figures = [seen(run.plan, text, rounding="none", discrepancy=off) for text, off in observations]
    found = watch(run.plan, figures, Asked(4096, 1, 1, None), "revenue of companies.c @ 2026", DAY)
    return beside(run, figures, found, stakes)


def of(found, name):
    return next(p for p in found["signals"][0]["positions"] if p["position"] == name)


def test_positions_in_closed_form(closes):
    """The price follows a normal revenue, 100 +- 10, one to one: a profit of 1 M USD is normal(G - 1, G / 10), G the growth asked for; a
    figure off by 5 % leaves its mean a deviation of G / 10 x 10 / hypot(10, 5). The short is the long turned round."""
    found = listed(closes)
    growth = 1.1 ** (round((date(2026, 12, 31) - DAY).days / 365.25 * 252) / 252)
    s = 0.1 * growth * 10 / math.hypot(10, 5)
    for name, mean in (("long", growth - 1), ("short", 1 - growth)):
        told = of(found, name)
        assert told["value"] == pytest.approx(1e6 * of_waiting(mean, s), abs=3 * told["se"] + 500)
        assert told["if_published"]["value"] == told["value"] and told["proxy"] is None
    best = {b["position"]: b for b in found["positions"]["best_now"]}
    assert best["long"]["size"] == 1.0 and best["long"]["mean"] == pytest.approx(1e6 * (growth - 1), abs=3 * best["long"]["se"])
    assert (best["short"]["size"], best["short"]["mean"]) == (0.0, 0.0)
    json.dumps(found, allow_nan=False)


def test_a_signal_that_may_never_come_and_sizes(closes):
    proxy = {"measure": "revenue of companies.c @ 2026-04", "link": "10 %", "assumed": "a test"}
    told = of(listed(closes, never="60 %", proxy=proxy), "long")
    assert told["value"] == pytest.approx(0.4 * told["if_published"]["value"] + 0.6 * told["proxy"]["value"])
    assert told["if_published"]["value"] > told["proxy"]["value"] > 0.0
    double = listed(closes, stakes=Stakes(1e6, (0.0, 0.5, 2.0)))
    assert of(double, "long")["value"] == pytest.approx(2.0 * of(listed(closes), "long")["value"])
    assert {b["size"] for b in double["positions"]["best_now"]} == {0.0, 2.0}


def test_what_was_observed_counts_and_what_weights_cannot_carry_does_not(closes):
    """After a figure of 90 +- 4 the long is worth less than nothing, and the short is held; one 6 deviations out is left to `condition`."""
    after = listed(closes, [("revenue of companies.c @ 2026-02 = 90 M USD", "8 M USD")])
    middle = (100 / 100 + 90 / 64) / (1 / 100 + 1 / 64)
    growth = 1.1 ** (round((date(2026, 12, 31) - DAY).days / 365.25 * 252) / 252)
    best = {b["position"]: b for b in after["positions"]["best_now"]}
    assert best["long"]["mean"] == pytest.approx(1e6 * (growth * middle / 100 - 1), abs=3 * best["long"]["se"])
    assert after["positions"]["note"] == "the observations taken in"
    far = listed(closes, [("revenue of companies.c @ 2026-02 = 40 M USD", "2 M USD")])
    assert far["positions"]["note"].endswith("figures are those of the prior")


def test_an_expected_profit_is_the_mean_of_the_walks(closes):
    """Leaf by leaf and path by path: daily walks of the same paths, with fee and borrowing, scatter about it and no more."""
    short = SHORT | {"borrow": "40 %", "trading": "10 %"}
    run = front.run(small_book(tree=TREE, positions={"short": short}), paths=4096, seed=1).read_closes(closes)
    prices = given(run, []).prices
    stakes = weights(prices, run.plan.book)
    off = prices.walk("with", [], stakes)[0].profit[:, 0] - expected(prices, stakes, 0)[0]
    assert abs(off.mean()) <= 3.0 * off.std() / 64 and expected(prices, stakes, 0)[0].mean() < -0.5


def test_sizes_are_read():
    assert sizes_of("100 %, 0, 0.5") == (0.0, 0.5, 1.0)
    for text, said in (("half", "'half' is no size"), ("-1, 0", "is not between 0 and 10"), ("1", "leaves nothing to choose")):
        with pytest.raises(QuestionError, match=said):
            sizes_of(text)


def test_the_verb(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_closes(tmp_path / "all.csv", ["SPY", "AMZN", "MSFT", "ORCL", "CRWV", "NBIS", "IREN", "APLD", "SKYY"], {})
    ask = ["watch", "openai-aws", "--paths", "512", "--closes", str(file), "--money", "1 M USD", "--sizes", "0, 50 %, 100 %"]
    said = " ".join(CliRunner().invoke(app, ask).stdout.split())
    for words in ("100 % being 1 M USD, sizes 0 %, 50 %, 100 %", "long-amzn: unseen,", "seeing it first is worth"):
        assert words in said
    told = json.loads(CliRunner().invoke(app, [*ask, "--json"]).stdout)
    wrong = CliRunner().invoke(app, ["watch", "openai-aws", "--paths", "64", "--money", "-1 M USD"])
    assert isinstance(wrong.exception, QuestionError) and "is no money to put in" in str(wrong.exception)
    assert [p["position"] for p in told["signals"][0]["positions"]] == ["long-amzn", "short-basket"]
