"""Tree and positions under the evidence (E-03): Bayes over leaves in closed form, by weights and by fresh paths; what is held, and what
is said where nothing can be said."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from offtake import front
from offtake.cli import app
from offtake.front import learn
from offtake.studies import tree_given
from offtake.studies.branches import Leaf

from .closes import write_closes
from .learned import seen, small_book

M = "revenue of companies.c @ 2026-03"
UP, DOWN = 130.0, 100.0  # means of the two leaves, each with a deviation of 10
TREE = {
    "year": 2026, "assumed": "a test", "required_return": "10 %", "terminal_growth": "2 %", "priced_over": "20",
    "nodes": {
        "up": {"title": "up", "probability": "30 %", "assumed": "a test",
               "set": {"companies.c.segment.revenue": f"normal({UP:g}, 10) M USD/month"}},
        "down": {"title": "down", "probability": "70 %", "assumed": "a test"},
        "high": {"title": "high", "after": "up", "probability": "40 %", "assumed": "a test"},
        "low": {"title": "low", "after": "up", "probability": "60 %", "assumed": "a test"},
    },
    "prices": {"AMZN": {"method": "elastic", "company": "c", "follows": "revenue of companies.c @ 2026", "elasticity": "1"}},
    "statements": {"fall": {"title": "it falls", "ticker": "AMZN", "fall": "50 %", "days": 1, "assumed": "a test"}},
}  # fmt: skip
POSITIONS = {
    "long": {"ticker": "AMZN", "side": "long", "weight": "50 %", "assumption": "companies.c.segment.revenue", "assumed": "a test"},
    "short": {"ticker": "AMZN", "side": "short", "weight": "100 %", "assumption": "companies.c.segment.revenue", "assumed": "a test",
              "trading": "1 %"},
}  # fmt: skip


@pytest.fixture(scope="module")
def closes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_closes(tmp_path_factory.mktemp("closes") / "closes.csv", ["SPY", "AMZN"], {})


def run_of(closes: Path, paths: int = 4096, seed: int = 1) -> front.Run:
    return front.run(small_book(tree=TREE, positions=POSITIONS), paths=paths, seed=seed).read_closes(closes)


def bayes(figure: float, off: float) -> tuple[float, float]:
    """Chance of `up`, and the mean of revenue, in closed form: odds by predictive densities, conjugate means in each leaf."""
    chances = [c * stats.norm.pdf(figure, mean, math.hypot(10, off)) for c, mean in ((0.3, UP), (0.7, DOWN))]
    up = chances[0] / sum(chances)
    middle = [(mean / 100 + figure / off**2) / (1 / 100 + 1 / off**2) for mean in (UP, DOWN)]
    return up, up * middle[0] + (1 - up) * middle[1]


def of(rows: list[dict[str, Any]], key: str, name: str) -> dict[str, Any]:
    return next(row for row in rows if row[key] == name)


@pytest.mark.parametrize(("figure", "off", "method"), [(112.0, 8.0, "weights"), (158.0, 2.0, "tempered")])
def test_branches_prices_and_positions_are_those_of_bayes(closes: Path, figure: float, off: float, method: str) -> None:
    """`up` draws normal(130, 10) and has a chance of 30 %, `down` normal(100, 10); one figure, near or 2.8 and 5.8 deviations out. The
    price follows revenue one to one, so the tree's price moves by mean revenue after over before, and a profit by the growth of it."""
    run = run_of(closes)
    found = tree_given.market(run, [seen(run.plan, f"{M} = {figure} M USD", rounding="none", discrepancy=f"{off} M USD")])
    assert found["method"] == method
    up, revenue = bayes(figure, off)
    told = of(found["nodes"], "node", "up")
    assert told["prior"] == {"mean": pytest.approx(0.3, abs=1e-15), "se": pytest.approx(0.0, abs=1e-15)}
    assert abs(told["posterior"]["mean"] - up) <= 3.0 * told["posterior"]["se"] + 2e-3
    price = found["prices"][0]
    assert price["reprice_error"] <= 1e-12 and price["prior"] == pytest.approx(price["close"], rel=1e-12)
    want = revenue / (0.3 * UP + 0.7 * DOWN) - 1.0
    assert abs(price["moves"]["mean"] - want) <= 3.0 * price["moves"]["se"]
    assert 0.0 < price["moves"]["se"] < 0.01
    long, short = (of(found["positions"], "position", name) for name in ("long", "short"))
    growth = 1.1 ** ((np.datetime64("2026-12-31") - np.datetime64("2025-11-03")).astype(int) / 365.25)
    assert abs(long["change"]["mean"] - 0.5 * growth * want) <= 3.0 * long["change"]["se"] + 1e-3
    assert short["change"]["mean"] == pytest.approx(-2.0 * long["change"]["mean"], rel=1e-9)
    total = of(found["positions"], "position", "all positions")
    assert total["posterior"]["mean"] == pytest.approx(long["posterior"]["mean"] + short["posterior"]["mean"], abs=1e-12)


def test_what_the_evidence_says_nothing_of_keeps_its_chance(closes: Path) -> None:
    """`high` and `low` differ in nothing: given `up` their chances stay 40 and 60 %, to the last bits by weights."""
    run = run_of(closes)
    found = tree_given.market(run, [seen(run.plan, f"{M} = 115 M USD", rounding="none", discrepancy="8 M USD")])
    assert found["method"] == "weights"
    for node, chance in (("high", 0.4), ("low", 0.6)):
        assert of(found["nodes"], "node", node)["posterior"]["mean"] == pytest.approx(chance, abs=1e-12)
    leaves = {x["leaf"]: x["posterior"]["mean"] for x in found["leaves"]}
    assert sum(leaves.values()) == pytest.approx(1.0, abs=1e-12)
    assert leaves["high"] == pytest.approx(0.4 * of(found["nodes"], "node", "up")["posterior"]["mean"], abs=1e-12)
    for p in found["positions"]:
        assert p["posterior"]["mean"] == pytest.approx(sum(leaves[x["leaf"]] * x["posterior"] for x in p["by_leaf"]), abs=1e-12)


def test_without_evidence_after_is_before(closes: Path) -> None:
    found = tree_given.market(run_of(closes, 1024), [])
    assert found["method"] == "none"
    for row in (*found["nodes"], *found["leaves"], *found["statements"], *found["positions"]):
        assert row["prior"] == row["posterior"]
    assert all(p["change"] == {"mean": 0.0, "se": 0.0} for p in found["positions"])
    assert found["prices"][0]["moves"] == {"mean": 0.0, "se": 0.0}


def test_the_errors_are_the_spread_of_seeds(closes: Path) -> None:
    """Sixteen seeds of 1,024 paths: printed errors of a chance, a price's move and a profit's change lie within a factor of two of it."""
    shown, errors = [], []
    for seed in range(16):
        run = run_of(closes, 1024, seed)
        found = tree_given.market(run, [seen(run.plan, f"{M} = 112 M USD", rounding="none", discrepancy="8 M USD")])
        rows = (of(found["nodes"], "node", "up")["posterior"], found["prices"][0]["moves"], found["positions"][0]["change"])
        shown.append([row["mean"] for row in rows])
        errors.append([row["se"] for row in rows])
    ratio = np.mean(errors, axis=0) / np.std(shown, axis=0, ddof=1)
    assert np.all((ratio > 0.5) & (ratio < 2.0)), ratio


def test_a_leaf_that_evidence_rules_out_has_no_figures_of_its_own(closes: Path) -> None:
    """10 deviations below `up` no path of it is left: its chance is nothing, the chances below it are absent, and JSON takes it."""
    run = run_of(closes)
    found = tree_given.market(run, [seen(run.plan, f"{M} = 60 M USD", rounding="none", discrepancy="2 M USD")])
    assert of(found["nodes"], "node", "down")["posterior"]["mean"] == pytest.approx(1.0, abs=1e-9)
    assert of(found["nodes"], "node", "high")["posterior"] == {"mean": None, "se": None}
    assert of(found["positions"][0]["by_leaf"], "leaf", "high")["posterior"] is None
    json.dumps(found, allow_nan=False)


def test_what_cannot_be_is_refused_and_the_prior_stands(closes: Path) -> None:
    run = run_of(closes, 512)
    found = tree_given.market(run, [seen(run.plan, f"{M} < -900 M USD", discrepancy="none")])
    assert (found["method"], found["refused"]) == ("refused", "in some population no path is possible under the figures")
    assert all(p["posterior"] is None and p["change"] is None and p["prior"] for p in found["positions"])
    assert tree_given.given(run, [seen(run.plan, f"{M} = 158 M USD", discrepancy="2 M USD")], fresh=False).after is None


def test_paths_of_one_number_are_one_draw(closes: Path) -> None:
    """A figure that says nothing leaves as many effective paths as there are numbers, not as there are paths of all leaves."""
    run = run_of(closes, 1024)
    told = tree_given.market(run, [seen(run.plan, f"{M} > -900 M USD", discrepancy="none")])
    assert told["weights"]["effective"] == pytest.approx(1024, rel=1e-12)
    assert told["weights"]["log_evidence"] == pytest.approx(0.0, abs=1e-9)


def test_fresh_leaves_hold_each_particle_once_and_count_it_by_its_population(closes: Path) -> None:
    run = run_of(closes, 1024)
    found = tree_given.given(run, [seen(run.plan, f"{M} = 158 M USD", rounding="none", discrepancy="2 M USD")])
    assert found.after is not None and found.told["method"] == "tempered"
    fresh = found.after[3:]
    numbers, shares = (np.concatenate([getattr(leaf, name) for leaf in fresh]) for name in ("numbers", "share"))
    assert sorted(numbers.tolist()) == list(range(1024)) and sum(leaf.share.sum() for leaf in found.after[:3]) == 0.0
    by_population = [set(shares[numbers % 16 == r].tolist()) for r in range(16)]
    assert all(len(one) == 1 for one in by_population) and len(set.union(*by_population)) > 8
    assert all(leaf.inputs.shape[1] == len(leaf.numbers) == len(leaf.values[M.replace("2026-03", "2026")]) for leaf in fresh)


def test_a_chance_given_what_does_not_happen_is_absent() -> None:
    leaf = Leaf("a", ("a",), 0.0, None, {}, np.zeros((1, 32)), ())  # type: ignore[arg-type]
    assert tree_given.of_them([leaf], lambda leaf: True) == {"mean": None, "se": None}


def test_a_book_without_a_tree_and_a_run_without_closes_say_so() -> None:
    assert tree_given.market(front.run(small_book(), paths=64), []) == {"missing": "this book declares no `tree:`"}
    said = tree_given.market(front.run(small_book(tree=TREE), paths=64), [])["missing"]
    assert said == "the tree and the positions follow the evidence on daily closes: --closes FILE with `date,TICKER,..` for AMZN"


def test_the_verb_shows_the_prior_beside_the_posterior(closes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ask = lambda *more: CliRunner().invoke(app, ["condition", "openai-aws", "--paths", "256", *more])  # noqa: E731
    assert "tree and positions: not computed: the tree and the positions follow" in " ".join(ask().stdout.split())
    all_of_them = write_closes(tmp_path / "all.csv", ["SPY", "AMZN", "MSFT", "ORCL", "CRWV", "NBIS", "IREN", "APLD", "SKYY"], {})
    learn.observe("openai-aws", "revenue of companies.amzn @ 2026Q2 = 38 bn USD", "Amazon, 10-Q, 2026-08-01")
    said = " ".join(ask("--closes", str(all_of_them)).stdout.split())
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    assert ask("--closes", str(all_of_them), "--json").exit_code == 0
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before  # nothing of the prior, the store or the closes is touched
    for words in ("branch given before after", "long-amzn before", "the tree makes of it", "change", "mean at the leaf"):
        assert words in said
