"""The tree: chances, anchors, reverse DCF and positions by hand; a whole run; and what `check` says of a tree that does not stand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import offtake
from offtake.book import text
from offtake.book.check import check
from offtake.book.grammar import read_number
from offtake.book.market import Pricing, Tree
from offtake.errors import BookError, QuestionError
from offtake.studies import positions
from offtake.studies.branches import Leaf, ends, error_over, mean_over, quantile_over
from offtake.studies.pricing import price_all, repriced, reverse_dcf
from offtake.studies.walks import Prices

from .closes import write_closes

TICKERS = ["SPY", "AMZN", "MSFT", "ORCL", "CRWV", "NBIS", "IREN", "APLD", "SKYY"]
BOOK = Path(__file__).parents[1] / "src" / "offtake" / "books" / "openai-aws.yaml"


def made(prices: dict[str, Pricing], chances: dict[str, float], values: dict[str, dict[str, list[float]]]) -> tuple[Tree, list[Leaf]]:
    """A tree of single nodes with invented paths; the book holds no more than the tree reads."""
    nodes = {n: {"title": n, "probability": f"{100 * c} %"} for n, c in chances.items()}
    tree = Tree(
        year=2027, required_return="10 %", terminal_growth="0 %", priced_over="10", nodes=nodes, prices=prices  # type: ignore[arg-type]
    )
    number = read_number("100", "multiple")
    company = SimpleNamespace(shares=number, tax_rate=read_number("20 %", "share"))
    book = SimpleNamespace(tree=tree, companies={"firm": company})
    count = len(next(iter(next(iter(values.values())).values())))
    leaves = [
        Leaf(n, (n,), c, book, {a: np.array(v) for a, v in values[n].items()}, np.zeros((1, count)), ("scenario",))  # type: ignore[arg-type]
        for n, c in chances.items()
    ]
    return tree, leaves


@pytest.fixture(scope="module")
def closes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_closes(tmp_path_factory.mktemp("closes") / "closes.csv", TICKERS, {})


@pytest.fixture(scope="module")
def grown(closes: Path) -> offtake.Run:
    return offtake.run(offtake.load("openai-aws"), paths=64).read_closes(closes)


def read(closes: Path) -> object:
    from offtake.closes import read_closes

    return read_closes(closes)


def test_two_leaves_by_hand(closes: Path) -> None:
    """A quarter of 4 and three quarters of 4/3 is 2 on average: the price doubles in one leaf and loses a third in the other."""
    follow = Pricing(method="elastic", follows="m", elasticity="1")  # type: ignore[arg-type]
    tree, leaves = made({"AMZN": follow}, {"up": 0.25, "down": 0.75}, {"up": {"m": [4.0, 4.0]}, "down": {"m": [4 / 3, 4 / 3]}})
    priced = price_all(tree, leaves, read(closes), 1)["AMZN"]
    assert priced.anchor == pytest.approx(1.0, rel=1e-12)
    assert np.exp(priced.surprise[0]) == pytest.approx([2.0, 2.0], rel=1e-12)
    assert np.exp(priced.surprise[1]) == pytest.approx([2 / 3, 2 / 3], rel=1e-12)
    assert repriced(priced, leaves) == pytest.approx(priced.close, rel=1e-12)


def test_a_price_by_earnings_by_hand(closes: Path) -> None:
    """20 x (900 + 100) x (1 - 20 %) / 100 shares = 160 a share; the anchor is what lifts its present value to the close."""
    pe = Pricing(method="pe", company="firm", multiple="20", rest="100 USD")  # type: ignore[arg-type]
    told = {"operating_income": 900.0, "income_without": 400.0, "revenue": 3000.0, "revenue_without": 2000.0}
    at = {f"{m} of companies.firm @ 2027": [v, v] for m, v in told.items()}
    tree, leaves = made({"AMZN": pe}, {"only": 1.0}, {"only": at})
    found = price_all(tree, leaves, read(closes), 1)["AMZN"]
    years = (np.datetime64("2027-12-31") - np.datetime64("2025-11-03")).astype(int) / 365.25
    assert found.anchor == pytest.approx(found.close * 1.1**years / 160.0, rel=1e-12)
    assert found.surprise[0] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert np.exp(found.without[0]) == pytest.approx([0.5, 0.5], rel=1e-12)  # 500 in place of 1000


def test_revenue_and_margin_are_told_apart(closes: Path) -> None:
    """Two leaves of the same income: one has more revenue at less margin, so its surprise in revenue is taken back by margin."""
    pe = Pricing(method="pe", company="firm", multiple="20")  # type: ignore[arg-type]
    names = ("operating_income", "income_without", "revenue", "revenue_without")
    at = lambda *v: {f"{n} of companies.firm @ 2027": [x] for n, x in zip(names, v)}  # noqa: E731
    tree, leaves = made({"AMZN": pe}, {"a": 0.5, "b": 0.5}, {"a": at(100.0, 100.0, 500.0, 500.0), "b": at(100.0, 100.0, 300.0, 300.0)})
    split = price_all(tree, leaves, read(closes), 1)["AMZN"].split
    assert split["revenue"][0] == pytest.approx(np.log([1.25])) and split["revenue"][1] == pytest.approx(np.log([0.75]))
    assert split["revenue"][0] + split["margin"][0] == pytest.approx([0.0], abs=1e-12)


def test_a_basket_moves_with_its_weights(closes: Path) -> None:
    follow = Pricing(method="elastic", follows="m", elasticity="1")  # type: ignore[arg-type]
    basket = Pricing(method="basket", weights={"AMZN": "60 %", "MSFT": "40 %"})  # type: ignore[dict-item]
    still = Pricing(method="elastic", follows="s", elasticity="1")  # type: ignore[arg-type]
    tree, leaves = made(
        {"SKYY": basket, "AMZN": follow, "MSFT": still}, {"up": 0.5, "down": 0.5},
        {"up": {"m": [3.0], "s": [1.0]}, "down": {"m": [1.0], "s": [1.0]}},
    )  # fmt: skip
    found = price_all(tree, leaves, read(closes), 1)
    moved = found["SKYY"].surprise[0] - found["SKYY"].surprise[1]
    assert moved == pytest.approx(0.6 * np.log([3.0]), rel=1e-12)
    assert repriced(found["SKYY"], leaves) == pytest.approx(found["SKYY"].close, rel=1e-12)


def test_reverse_dcf_where_growth_equals_the_required_return() -> None:
    """Every year is then worth today's earnings: ten of them, and a perpetuity of 1.1 / 10 % / 1.1 = 10 more."""
    assert reverse_dcf(20.0, 1.0, 0.10, 0.0) == pytest.approx(0.10, rel=1e-9)
    assert reverse_dcf(10.0, 1.0, 0.10, 0.0) == pytest.approx(0.0, abs=1e-9)  # no growth: a perpetuity at 10 %
    assert reverse_dcf(20.0, -1.0, 0.10, 0.0) is None and reverse_dcf(20.0, 1.0, 0.03, 0.03) is None


def test_chances_multiply_along_the_tree() -> None:
    tree = offtake.load("openai-aws").tree
    assert tree is not None
    found = dict((nodes[-1], chance) for nodes, chance in ends(tree))
    assert found["agents-short"] == pytest.approx(0.2 * 0.3) and sum(found.values()) == pytest.approx(1.0, abs=1e-12)


def test_means_and_quantiles_weigh_leaves() -> None:
    _, leaves = made({}, {"a": 0.25, "b": 0.75}, {"a": {"m": [0.0] * 4}, "b": {"m": [0.0] * 4}})
    rows = [np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 10.0, 20.0, 20.0])]
    assert mean_over(leaves, rows) == pytest.approx(0.25 * 2.5 + 0.75 * 15)
    assert quantile_over(leaves, rows, 0.2) == 4.0 and quantile_over(leaves, rows, 0.3) == 10.0 and quantile_over(leaves, rows, 0.9) == 20.0
    mixed = 0.25 * rows[0] + 0.75 * rows[1]
    assert error_over(leaves, rows) == pytest.approx(mixed.std(ddof=1) / 2)


def test_losses_by_hand() -> None:
    """Twenty paths, 1 % to 20 % profit but for one that loses 50 %: the worst twentieth is that one."""
    _, leaves = made({}, {"a": 1.0}, {"a": {"m": [0.0] * 20}})
    profit = np.arange(1, 21) / 100.0
    profit[7] = -0.5
    found = positions.losses(leaves, [profit], [np.abs(profit)])
    assert found["var_95"] == pytest.approx(0.5) and found["cvar_95"] == pytest.approx(0.5) and found["p_loss"] == pytest.approx(0.05)
    assert found["peak_to_trough"]["p95"] == pytest.approx(0.2)


def test_every_ticker_reprices_to_its_own_close(grown: offtake.Run) -> None:
    found = grown.market_tree
    assert {p["ticker"] for p in found["tree"]["prices"]} == set(TICKERS) - {"SPY"}
    for p in found["tree"]["prices"]:
        assert p["reprice_error"] <= 1e-6
        assert 0.0 <= p["residual"] <= p["volatility"] * (1 + 1e-12)
        if p["method"] != "elastic":
            assert p["by_leaf"]["disappoints"] < p["by_leaf"]["steady-power"] < p["by_leaf"]["agents-power"]
    assert sum(x["probability"] for x in found["tree"]["leaves"]) == pytest.approx(1.0, abs=1e-12)


def test_statements_hang_together(grown: offtake.Run) -> None:
    said = {s["statement"]: s for s in grown.market_tree["statements"]}
    for which in ("with", "without", "diffusion"):
        assert said["three-trillion-end"][which]["probability"] <= said["three-trillion"][which]["probability"]
        assert said["overnight"][which]["probability"] <= said["in-a-week"][which]["probability"]
    one = said["three-trillion"]
    leaves = {x["leaf"]: x["probability"] for x in grown.market_tree["tree"]["leaves"]}
    assert one["with"]["probability"] == pytest.approx(sum(leaves[n] * p for n, p in one["with"]["by_leaf"].items()), rel=1e-12)
    assert one["deal_adds"]["probability"] == pytest.approx(one["with"]["probability"] - one["without"]["probability"], abs=1e-12)
    assert "shares" in one["reading"] and "not a fall from a high" in said["overnight"]["reading"]


def test_positions_add_up_and_name_what_they_hold(grown: offtake.Run) -> None:
    found = {p["position"]: p for p in grown.market_tree["positions"]}
    assert set(found["short-basket"]["holds"]) == {"NBIS", "IREN", "APLD"}
    parts = found["long-amzn"]["mean"] + found["short-basket"]["mean"]
    assert found[positions.TOTAL]["mean"] == pytest.approx(parts, rel=1e-9)
    for p in found.values():
        assert p["mean"] == pytest.approx(sum(x["probability"] * x["mean"] for x in p["by_leaf"]), rel=1e-9)
        assert p["cvar_95"] >= p["var_95"] - 1e-12
    assert found["short-basket"]["borrow_a_year"] > 0.0


def test_short_candidates_have_no_frontier_lab() -> None:
    book = offtake.load("openai-aws")
    assert positions.candidates(book) == ["NBIS", "IREN", "APLD"]
    sold = text.read(BOOK.read_text(encoding="utf-8").replace("provider: googl", "provider: nbis", 1))
    assert positions.candidates(sold) == ["GOOGL", "IREN", "APLD"]


def test_answers_with_closes_are_answers(grown: offtake.Run) -> None:
    told = grown.answers()["answers"]
    for n in (9, 10, 12):
        assert not told[n - 1]["text"].startswith("not computed") and "absent" not in told[n - 1]["text"].replace("absent on", "")
    assert "CVaR" in told[9]["text"] and "plain diffusion" in told[11]["text"]


def test_closes_that_lack_a_ticker_are_named(tmp_path: Path) -> None:
    run = offtake.run(offtake.load("openai-aws"), paths=64).read_closes(write_closes(tmp_path / "few.csv", TICKERS[:-1], {}))
    with pytest.raises(QuestionError, match="the closes hold no SKYY, which the tree prices"):
        _ = run.market_tree


def test_a_position_that_nothing_prices() -> None:
    book = offtake.load("openai-aws", set=["tree.prices.AMZN.multiple=20"])
    prices = SimpleNamespace(tickers=("AMZN",))
    with pytest.raises(QuestionError, match=r"positions\.short-basket holds NBIS, which `tree.prices` does not price"):
        positions.weights(prices, book)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("probability: 60 %}", "probability: 50 %}", "the branches at the root have probabilities that add up to 1 (V-07)"),
        ("after: agents, probability: 70 %", "after: agent, probability: 70 %", "a name under `tree.nodes` (V-07)"),
        ('{title: "power comes", after: agents,', '{title: "power comes", after: agents-power,', "no node comes after itself (V-07)"),
        ("scenario: agentic\n", "scenario: agentics\n", "a name under `scenarios` (V-07)"),
        ("  year: 2027\n", "  year: 2040\n", "a whole calendar year of the horizon, 2026 to 2032 (V-07)"),
        ("reading: touch, ", "", "a level is reached at any close, or at the end (V-07)"),
        ("fall: 15 %, days: 1,", "fall: 15 %,", "a fall says over how many trading days (V-07)"),
        ("{method: elastic, company: msft,", "{method: pe, company: msft,", "a price by `pe` states `multiple` (V-07)"),
        ("weights: {AMZN: 30 %", "weights: {GOOG: 30 %", "a ticker under `tree.prices` that is no basket itself (V-07)"),
        ("    of: amzn\n    contract: aws", "    of: openai\n    contract: aws", "a company with a `ticker` (V-06)"),
        ("day: 2025-11-03\n    when", "day: 2025-11-04\n    when", "a day known on 2025-11-03, the book's `as_of` (T-02)"),
        ("tree.prices.AMZN.multiple: 26 to 42", "tree.prices.AMZN.multipl: 26 to 42", "a branch replaces numbers that are there (U-03)"),
        ("rule: no frontier-lab", "basket: [AMZN], rule: no frontier-lab", "a basket is listed, or picked by a rule (V-08)"),
    ],
)
def test_a_tree_that_does_not_stand(old: str, new: str, rule: str) -> None:
    content = BOOK.read_text(encoding="utf-8")
    assert old in content
    try:
        issues = check(text.read(content.replace(old, new, 1)))
    except BookError as error:
        issues = list(error.issues)
    assert rule in [issue.rule for issue in issues]
    assert all(issue.line > 0 for issue in issues)


def test_the_residual_is_what_the_closes_show_beyond_the_tree(closes: Path) -> None:
    follow = Pricing(method="elastic", follows="m", elasticity="1")  # type: ignore[arg-type]
    tree, leaves = made({"AMZN": follow}, {"up": 0.5, "down": 0.5}, {"up": {"m": [1.1]}, "down": {"m": [0.9]}})
    found = Prices(tree, leaves, read(closes), price_all(tree, leaves, read(closes), 1), 1)  # type: ignore[arg-type]
    half = np.log(1.1 / 0.9) / 2
    assert found.explained == pytest.approx([half**2], rel=1e-9)
    assert found.residual**2 * found.terms.days == pytest.approx(found.sigma**2 * found.terms.days - half**2, rel=1e-9)
