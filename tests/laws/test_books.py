"""Any text is a book or a list of issues, never a traceback; a book made by the rules has no issue."""

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.book import text
from offtake.book.check import check
from offtake.book.terms import Book
from offtake.errors import BookError, Issue

SOUND = (Path(__file__).parents[1] / "cases" / "malformed" / "sound.yaml").read_text(encoding="utf-8")
LINES = SOUND.split("\n")
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def issues_of(content: str, patches: tuple[tuple[str, str], ...] = ()) -> list[Issue]:
    """Every issue, and all that may be done with a book that has none."""
    try:
        book = text.read(content, patches=patches)
    except BookError as error:
        found = list(error.issues)
        assert found
    else:
        found = check(book)
        use(book)
    for issue in found:
        assert issue.line >= 1 and issue.column >= 1 and issue.got and issue.rule and issue.fix
        assert len(issue.to_text().split("\n")) >= 4 and issue.to_dict()["rule"] == issue.rule
    return found


def use(book: Book) -> None:
    assert len(text.book_hash(book)) == 64
    assert all(path for path, _ in text.numbers_of(book))
    for name in book.scenarios:
        text.scenario_book(book, [name])


@given(st.text(max_size=200))
@QUIET
def test_any_text(content: str) -> None:
    assert issues_of(content)


@given(st.binary(max_size=200))
@QUIET
def test_any_bytes(tmp_path_factory: Any, content: bytes) -> None:
    file = tmp_path_factory.mktemp("books") / "book.yaml"
    file.write_bytes(content)
    try:
        text.load(file)
    except BookError as error:
        assert error.issues
    else:
        raise AssertionError("bytes made a book")


NASTY = st.sampled_from(
    [
        "", "~", "null", "{}", "[]", "[[]]", "{a: {b: c}}", "- a", "0", "-1", "1e999", "-1e999", "1e-999", "nan", ".inf",
        "no", "true", "2026-01", "0 months", "-5 months", "9999999 months", "0 %", "100 %", "101 %", "1 USD", "0 USD",
        "1e300 USD", "5 GPU", "1 to 2", "1 to 2 months", "2 to 1 %", "normal(0, 1) months", "uniform(0, 1)", "beta(1, 1)",
        '"discrete({1: 1})"', '"discrete({0: 0.5, 1: 0.5}) months"', '"mixture({1: 1 to 2}) %"', "empirical(x)",
        "empirical(/etc/passwd) USD", "{value: 1}", "{value: 1 to 2 months, clip: 0 to 1 months}",
        "{growth: {start: 1, yearly: -1}}", "{points: {2026-01: 1 %}}", "{steps: {}}",
        "{steps: {2026-01: {steps: {2026-01: 1}}}}", "{index: {base: 1, of: months}}",
        "{index: {base: 65 USD/MWh, of: sites.plains.energy_price}}",
        "{mean_reversion: {start: 1 %, level: 2 %, speed: 1, volatility: 1}}", "{jump: {value: 1 %, size: 0, hazard: 1}}",
        "{s_curve: {low: 0 %, high: 1 %, middle: 2026-06, width: 1 day}}", "signing", "implied", "unsized", "announced",
        "reserved", "training", "batch", "aws", "big", "lab", "plains", "[aws]", "[plains, plains]", "[big, aws]", "&a b",
        "*a", "!!int 3", '\x00', "1" * 5000, "9" * 20, "５ months", "380亿美元", "a: b: c", "'", '"', "{", "]", "# x", "|", ">",
        "%", "@", "`",
    ]
)  # fmt: skip


@given(st.integers(0, len(LINES) - 1), NASTY | st.text(max_size=20), st.integers(0, 3))
@settings(parent=QUIET, max_examples=150)
def test_any_value_on_any_line(line: int, value: str, how: int) -> None:
    """One line's value, key or indentation replaced, or the line dropped or doubled."""
    key, colon, _ = LINES[line].partition(": ")
    changed = [f"{key}{colon}{value}", f"{value}{LINES[line].lstrip()}", "", f"{LINES[line]}\n{LINES[line]}"][how]
    issues_of("\n".join([*LINES[:line], changed, *LINES[line + 1 :]]))


@given(st.integers(0, len(SOUND)), st.integers(0, 60), NASTY | st.text(max_size=10))
@settings(parent=QUIET, max_examples=150)
def test_any_splice(at: int, length: int, value: str) -> None:
    issues_of(SOUND[:at] + value + SOUND[at + length :])


PATHS = [path for path, _ in text.numbers_of(text.read(SOUND))]


@given(st.sampled_from(PATHS) | st.text(max_size=20), NASTY | st.text(max_size=10))
@settings(parent=QUIET, max_examples=150)
def test_any_patch(path: str, value: str) -> None:
    issues_of(SOUND, ((path, value),))


@given(st.sampled_from(PATHS), NASTY)
@settings(parent=QUIET, max_examples=150)
def test_any_scenario(path: str, value: str) -> None:
    issues_of(SOUND.replace("sites.plains.lots.1.slip: 6 to 18 months", f"{path}: {value}"))


def number(low: float, high: float, unit: str) -> st.SearchStrategy[str]:
    """A constant, an interval, or a family between two positive ends."""
    ends = st.tuples(st.floats(low, high), st.floats(1.01, 3.0)).map(lambda e: (e[0], min(e[0] * e[1], high * 1.001)))
    shapes = ["{0} {2}", "{0} to {1} {2}", "uniform({0}, {1}) {2}", '"discrete({{{0}: 0.25, {1}: 0.75}}) {2}"'.strip('"')]
    return st.tuples(ends, st.sampled_from(shapes)).map(lambda x: x[1].format(f"{x[0][0]:.6g}", f"{x[0][1] * 1.01:.6g}", unit))


@st.composite
def books(draw: st.DrawFn) -> dict[str, Any]:
    """A book with one to three clouds, each with a site, a contract and its own chip; names and numbers differ."""
    names = draw(st.lists(st.from_regex(r"[a-z][a-z0-9_\-]{0,8}", fullmatch=True), min_size=1, max_size=3, unique=True))
    months = draw(st.integers(12, 60))
    sound = yaml.load(SOUND, Loader=yaml.BaseLoader)
    chip, site, deal, work = sound["chips"]["old"], sound["sites"]["plains"], sound["contracts"]["aws"], sound["workloads"]["chat"]
    customer = {**sound["companies"]["lab"]["customer"], "compute_cost": "1 k to 1 tn USD/month", "revenue_share_to": f"c-{names[0]}"}
    book = {"title": draw(st.text("ab c:#", max_size=5)) or "A", "as_of": "2025-11-03", "start": "2026-01", "months": str(months)}
    book |= {"sources": sound["sources"], "companies": {"lab": {"name": "Lab", "customer": customer}}}
    book |= {"chips": {}, "sites": {}, "contracts": {}, "workloads": {}}
    for name in names:
        cost, lead, slip = draw(number(1, 90, "k USD/GPU")), draw(number(1, 12, "months")), draw(number(1, 9, "months"))
        month = f"2026-{draw(st.integers(1, 12)):02d}"
        lots = [{**site["lots"][0], "chip": f"g-{name}"}, {**site["lots"][1], "chip": f"g-{name}", "slip": slip, "month": month}]
        form = draw(st.sampled_from(["take_or_pay", "reserved"]))
        book["companies"][f"c-{name}"] = sound["companies"]["north"]
        book["chips"][f"g-{name}"] = {**chip, "cost": cost, "lead": lead}
        book["sites"][f"s-{name}"] = {**site, "provider": f"c-{name}", "lots": lots}
        book["contracts"][f"d-{name}"] = {**deal, "provider": f"c-{name}", "sites": [f"s-{name}"], "form": form}
    deals = [f"d-{name}" for name in names]
    book["workloads"]["chat"] = {**work, "may_run": deals, "home": deals[0], "reference": f"g-{names[0]}"}
    book["workloads"]["chat"]["throughput"] = {f"g-{name}": draw(number(100, 900, "tokens/s/GPU")) for name in names}
    found: dict[str, Any] = json.loads(json.dumps(book))  # no term is shared: YAML would write an alias
    return found


@given(books())
@QUIET
def test_a_book_made_by_the_rules_has_no_issue(book: dict[str, Any]) -> None:
    assert issues_of(yaml.safe_dump(book, sort_keys=False, allow_unicode=True)) == []


@given(books(), st.data())
@QUIET
def test_a_term_left_out_never_raises(book: dict[str, Any], data: st.DataObject) -> None:
    """Whatever is taken out of a sound book, at any depth, leaves a book or issues."""
    term: Any = book
    while True:
        keys = list(term) if isinstance(term, dict) else list(range(len(term)))
        key = data.draw(st.sampled_from(keys))
        below = term[key]
        if not isinstance(below, (dict, list)) or not below or data.draw(st.booleans()):
            break
        term = below
    del term[key]
    issues_of(yaml.safe_dump(book, sort_keys=False))
