"""Rare outcomes by weighted paths: closed forms far in the tail, the same answer as plain paths nearer, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import offtake
from offtake import stages
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.studies.crowd import markets
from offtake.studies.tails import AS_IT_IS, Shift, share_of, tail
from tests.test_stress import BOOK


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> offtake.Run:
    """Revenue of a year is 12 x normal(10 M, 1 M); no scenario is drawn."""
    file = tmp_path_factory.mktemp("tails") / "one.yaml"
    file.write_text(BOOK[: BOOK.index("scenarios:")])
    return offtake.run(offtake.load(file), paths=8192)


@pytest.mark.parametrize("deviations", [3.0, 4.5])
def test_chance_of_a_normal_tail(normal: offtake.Run, deviations: float) -> None:
    """P(z > 3) = 0.00135 and P(z > 4.5) = 3.4e-6, on which plain paths see nothing: within four errors, and those within 5 %."""
    found = tail(normal, f"revenue of companies.north @ 2026 > {12 * (10 + deviations)} M USD", ["revenue of companies.north @ 2026"])
    wanted, got = stats.norm.sf(deviations), found["weighted"]
    assert got["chance"] == pytest.approx(wanted, abs=4 * got["se"]) and got["se"] < 0.05 * wanted
    assert found["plain"]["hits"] == (0 if deviations > 4 else found["plain"]["hits"])
    assert got["effective_hits"] > 500 and 0.2 * 8192 < got["effective_paths"] < 8192
    (only,) = found["shift"]
    assert only["input"] == "companies.north.segment.revenue" and only["deviations"] == pytest.approx(deviations + 0.25, abs=0.15)
    beyond = stats.norm.pdf(deviations) / wanted  # E[z | z > d]
    assert found["rows"][0]["given"] == pytest.approx(12e6 * (10 + beyond), abs=4 * found["rows"][0]["se_given"])
    assert found["rows"][0]["all"] == pytest.approx(120e6, abs=4 * found["rows"][0]["se_all"])


def test_the_same_as_plain_paths_where_they_see_enough(small: offtake.Run) -> None:
    """A tail of a few per cent of the model itself, with scenarios, mixed inputs and 48 months: chance and figures agree within errors."""
    run = offtake.run(small.plan.book, paths=4096)
    found = tail(run, "npv of contracts.north < -3 bn USD")
    plain, weighted = found["plain"], found["weighted"]
    assert plain["hits"] > 50
    assert abs(plain["chance"] - weighted["chance"]) < 4 * math.hypot(plain["se"], weighted["se"])
    for row in found["rows"]:
        mean = run.table(*row["measure"].split(" @ ")[0].split(" of "), "total").rows()[0]
        assert abs(row["all"] - mean["mean"]) < 4 * math.hypot(row["se_all"], mean["se"]), row["measure"]
    assert {s["input"] for s in found["shift"]} >= {"chips.new.cost", "sites.plains.power.1.slip"}


def test_weights_are_the_ratio_of_densities(small: offtake.Run) -> None:
    """With dependent inputs: multivariate normal densities of scipy; no weight above 1 / share, and they average 1 under the mixture."""
    plan = small.plan
    i = plan.draws.mixed
    mean = np.zeros(len(plan.inputs.names))
    mean[[0, 1, *i[:2]]] = 0.9, 0.7, 1.1, -0.6
    shift, b, logs, scores, changed = Shift(plan, mean), stages.allocate(plan), [], [], 0
    for first in range(0, 8192, 64):
        stages.draw_inputs(b, 3, first, np.zeros(len(plan.factor_paths), np.int64))
        before = b.scenario.copy()
        logs.append(shift.apply(b, 3))
        changed += int((b.scenario != before).sum())
        assert np.array_equal(b.scenario, markets(plan, b.Z[0]))  # who moves the score of input 0 draws another scenario
        scores.append(b.Z.copy())
    log, z = np.concatenate(logs), np.concatenate(scores, axis=1)
    covariance = np.eye(len(mean))
    covariance[np.ix_(i, i)] = plan.draws.chol @ plan.draws.chol.T
    own, new = (stats.multivariate_normal(m, covariance, allow_singular=True).logpdf(z.T) for m in (np.zeros(len(mean)), mean))
    wanted = -np.log(AS_IT_IS + (1.0 - AS_IT_IS) * np.exp(new - own))
    assert log == pytest.approx(wanted, abs=1e-8)
    assert np.exp(log).max() <= 1.0 / AS_IT_IS and np.exp(log).mean() == pytest.approx(1.0, abs=0.03)
    assert changed > 1000


def test_share_by_hand() -> None:
    """Weights 1 2 1 2 .. on 32 paths, of which the heavy are hit: two thirds, and replicates that hold all or nothing of it."""
    weights = np.tile([1, 2], 16)
    chance, error = share_of(weights == 2, weights)
    off = [(2 * (w == 2)) * 2 - 2 / 3 * 2 * w for w in (1, 2) for _ in range(8)]
    assert chance == pytest.approx(2 / 3) and error == pytest.approx(math.sqrt(sum(x * x for x in off) * 16 / 15) / 48)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("npv of contracts.north < -900 bn USD", "holds on no path that 8 rounds of 4,096 paths came near"),
        ("npv of contracts.north", "is no outcome; write an outcome as MEASURE"),
        ("revenue of contracts.north < 3 USD", "is not one number a path"),
    ],
)
def test_what_is_refused(small: offtake.Run, outcome: str, sentence: str) -> None:
    with pytest.raises(QuestionError, match=sentence):
        tail(offtake.run(small.plan.book, paths=256), outcome)


def test_the_verb(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(BOOK[: BOOK.index("scenarios:")])
    words = ["tail", str(file), "revenue of companies.north @ 2026 > 150 M USD", "--measure", "revenue of companies.north @ 2026"]
    told = json.loads(CliRunner().invoke(app, [*words, "--paths", "1024", "--json"]).stdout)
    assert {"plain", "weighted", "shift", "rows", "paths"} <= set(told) and told["weighted"]["chance"] == pytest.approx(0.0062, rel=0.2)
    text = " ".join(CliRunner().invoke(app, [*words, "--paths", "1024"]).stdout.split())
    assert "drawn where it happens 0.6" in text and "weighted paths count like" in text
