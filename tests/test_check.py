"""Malformed books and their whole messages; the rules' arithmetic against the package that computes with the same book.

`cases/malformed/sound.yaml` has no issue. A `.toml` there edits it and states every issue that follows, word for word; a `.yaml`
with a `.txt` beside it is a text that is no book at all.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake import front
from offtake.book import text
from offtake.book.check import RULES, check
from offtake.book.numbers import Number
from offtake.book.rules.dependence import semidefinite
from offtake.book.rules.finding import undrawn
from offtake.errors import BookError, Issue
from offtake.world.dependence import is_possible

CASES = Path(__file__).parent / "cases" / "malformed"
SOUND = (CASES / "sound.yaml").read_text(encoding="utf-8")
BOOKS = Path(__file__).parents[1] / "src" / "offtake" / "books"


def issues_of(path: Path) -> list[Issue]:
    try:
        return check(text.load(path))
    except BookError as error:
        return list(error.issues)


def said(issues: list[Issue]) -> str:
    return "\n".join(issue.to_text() for issue in issues) + "\n"


def edited(old: str, new: str) -> str:
    """What `check` says about the sound book with one edit."""
    assert old in SOUND
    try:
        return said(check(text.read(SOUND.replace(old, new, 1))))
    except BookError as error:
        return said(list(error.issues))


def test_sound_book_has_no_issue() -> None:
    assert issues_of(CASES / "sound.yaml") == []


@pytest.mark.parametrize("case", sorted(CASES.glob("*.toml")), ids=lambda case: case.stem)
def test_edited_book(case: Path, tmp_path: Path) -> None:
    wanted = tomllib.loads(case.read_text(encoding="utf-8"))
    book = SOUND
    for edit in wanted["edits"]:
        assert edit["old"] in book
        book = book.replace(edit["old"], edit["new"], 1)
    file = tmp_path / f"{case.stem}.yaml"
    file.write_text(book, encoding="utf-8")
    assert said(issues_of(file)) == wanted["expected"]


@pytest.mark.parametrize("case", sorted(CASES.glob("*.txt")), ids=lambda case: case.stem)
def test_no_book(case: Path) -> None:
    assert said(issues_of(case.with_suffix(".yaml"))) == case.read_text(encoding="utf-8")


def test_there_are_enough_cases() -> None:
    assert len(list(CASES.glob("*.toml"))) + len(list(CASES.glob("*.txt"))) >= 60


def test_all_issues_of_a_book_come_in_one_run_in_the_order_of_the_text() -> None:
    book = SOUND.replace("home: aws", "home: gcp").replace("1.5 bn USD [memo]", "1.5 bn USD [mem]").replace("    term: 42 months\n", "")
    found = check(text.read(book))
    assert [issue.path for issue in found] == ["companies.lab.customer.cash.source", "contracts.aws", "workloads.chat.home"]
    assert [issue.line for issue in found] == sorted(issue.line for issue in found)


@pytest.mark.parametrize("name", [path.stem for path in sorted(BOOKS.glob("*.yaml"))])
def test_shipped_books_have_no_issue(name: str) -> None:
    assert said(issues_of(BOOKS / f"{name}.yaml")) == "\n"


def test_checking_a_book_loads_no_numba() -> None:
    largest = max(BOOKS.glob("*.yaml"), key=lambda path: path.stat().st_size)
    code = f"from offtake.book import text, check; check.check(text.load({str(largest)!r})); import sys; print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_rules_have_names_and_sentences() -> None:
    for rule in RULES:
        assert rule.__doc__ and not rule.__name__.startswith("_")


def test_anchor_says_both_figures() -> None:
    """40 M users x 21.2 requests a week x 4.348 weeks x (0.1 x 1000 + 400) tokens x 1.8 / (300 x 0.445 x 3600) = 6.91 M."""
    assert edited("compute_cost: 15 to 90 M USD/month", "compute_cost: 1 to 2 M USD/month") == (
        "book.yaml:25:21  companies.lab.customer.compute_cost\n"
        "  got   6.91 M GPU-h in month 0 x 2.5 USD/GPU-h = 17.3 M USD a month\n"
        "  rule  demand reproduces the known compute cost, 1 to 2 M USD a month (D-05)\n"
        "  fix   demand is 8.64 times too much: mend requests, tokens, throughput or the price\n"
    )


def test_anchor_of_a_training_run_counts_its_part_of_month_0() -> None:
    """1.8e24 FLOP over 5 months: 3.6e23 in month 0 / (2e15 x 0.4 x 0.9 x 3600 FLOP a GPU-h) = 138,889 GPU-h, 0.35 M USD."""
    work = (
        "workloads:\n  frontier: {name: T, kind: training, customer: lab, assumed: x, may_run: [aws], gang: 8 GPU, home: aws,\n"
        "    reference: old, moving: 0 USD/GPU-h, value: 5 USD/GPU-h, efficiency: 1, \n"
        "    runs: [{flop: 1.8 M EFLOP, month: 2026-01, over: 5 months}], precision: fp8, mfu: 40 %, goodput: 90 %}\n"
    )
    start, end = SOUND.index("workloads:"), SOUND.index("factors:")
    (issue,) = check(text.read(SOUND[:start] + work + SOUND[end:]))
    assert issue.got == "139 k GPU-h in month 0 x 2.5 USD/GPU-h = 347 k USD a month"


def test_price_of_exactly_the_total_passes_and_one_percent_more_does_not() -> None:
    """20 k GPU for 42 months and 10 k from 2026-06 over 6 months: (20 x 42 + 345) k x 730.5 h = 865.6 M GPU-h for 4.2 bn USD."""
    hours = (20_000 * 42 + 10_000 * (37 - 2.5)) * 730.5
    assert edited("price: implied", f"price: {4.2e9 / hours * 1.004} USD/GPU-h") == "\n"
    assert "rule  price x committed hours stay within the total, 4.2 bn USD (C-07)" in edited(
        "price: implied", f"price: {4.2e9 / hours * 1.01} USD/GPU-h"
    )


def test_two_paths_that_follow_each_other() -> None:
    found = edited("energy_price: 65 USD/MWh", "energy_price: {index: {base: 65 USD/MWh, of: sites.plains.energy_price}}")
    assert "sites.plains.energy_price follows sites.plains.energy_price" in found


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
@settings(max_examples=200, deadline=None)
def test_semidefinite_agrees_with_eigenvalues(entries: list[float]) -> None:
    """The plain-Python pivots of the rule and the eigenvalues of the run, away from the edge where rounding decides."""
    import numpy as np

    matrix = np.eye(4)
    matrix[np.triu_indices(4, 1)] = entries
    matrix = matrix + matrix.T - np.eye(4)
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if abs(lowest) > 1e-6:
        assert semidefinite(matrix.tolist()) == is_possible(matrix) == (lowest > 0)


def test_nearest_valid_correlation_is_valid_and_the_edge() -> None:
    """Of 0.9, -0.9 and -0.5 among three numbers one is named; at its nearest value all pass, 0.002 towards the old one they do not."""
    ends = ("companies.lab.customer.paying", "companies.lab.customer.raises", "sites.plains.lots.1.slip")
    pairs = [(ends[0], ends[2]), (ends[1], ends[2]), (ends[0], ends[1])]
    start, end = SOUND.index("factors:"), SOUND.index("scenarios:")

    def found(ranks: list[float]) -> list[Issue]:
        lines = [f"  - {{between: [{a}, {b}], rank: {rank}, assumed: x}}\n" for (a, b), rank in zip(pairs, ranks)]
        return check(text.read(SOUND[:start] + "correlations:\n" + "".join(lines) + SOUND[end:]))

    asked = [0.9, -0.9, -0.5]
    (issue,) = found(asked)
    at, nearest = int(issue.path.split(".")[1]), float(issue.fix.rpartition(" ")[2])
    back = 0.002 if asked[at] > nearest else -0.002
    assert issue.path == f"correlations.{at}.rank" and issue.got.startswith(f"{asked[at]:g} between")
    assert found([*asked[:at], nearest, *asked[at + 1 :]]) == []
    assert len(found([*asked[:at], nearest + back, *asked[at + 1 :]])) == 1


@pytest.mark.parametrize("name", ["gpu-cloud", "openai-aws", "two-clouds"])
def test_rules_know_which_numbers_no_path_draws(name: str) -> None:
    """N-04: the rule that refuses idle dependence names exactly the uncertain numbers that the compiled book does not draw."""
    book = front.load(name)
    plan = front.compile(book)
    numbers = {path: n for path, n in text.numbers_of(book) if isinstance(n, Number)}
    idle = {path for path in numbers if path not in plan.factor_paths and not path.startswith("scenarios.")}
    uncertain = {path for path in numbers if numbers[path].kind != "constant"}
    assert {path for path in uncertain if undrawn(book, path)} == idle & uncertain
    assert {path for path in numbers if undrawn(book, path)} >= idle - {"scenarios"} - {p for p in idle if ".dense." in p}
