"""What a book's number may say (N-01 to N-03), its quantiles, and months and moments."""

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.book.grammar import read_number, read_timeline
from offtake.book.numbers import Beside, Fault, Month, Number, Series, _day, moment
from offtake.book.reader import labelled
from offtake.world.laws import quantile

DOUBLE = {"rel": 1e-12}
TABLE = {"rel": 5e-3}  # beta, mixture: a grid in the plain-Python quantile


def test_a_constant_with_its_source() -> None:
    number = read_number("38 bn USD [deal]", "USD")
    assert (number.kind, number.params, number.unit, number.text, number.source) == ("constant", (38e9,), "USD", "38 bn USD", "deal")


def test_a_mapping_with_provenance_and_clip() -> None:
    number = read_number(
        {"value": "2 to 9 months", "assumed": "no record", "note": "grid", "clip": "0 to 12 months"}, "month"
    )
    assert (number.kind, number.assumed, number.note, number.clip) == ("lognormal", "no record", "grid", (0.0, 12.0))


def test_an_interval_is_lognormal_with_its_ends_at_5_and_95_percent() -> None:
    number = read_number("2 to 9 months", "month")
    assert number.params == pytest.approx((math.log(18) / 2, math.log(4.5) / 3.29), **DOUBLE)
    assert (number.quantile(0.05), number.quantile(0.95)) == pytest.approx((2, 9), rel=3e-4)  # 3.29 is 2 x 1.645
    assert number.median() == pytest.approx(math.sqrt(18), **DOUBLE)


def test_an_interval_of_a_share_is_logit_normal() -> None:
    number = read_number("60 to 90 %", "share")
    a, b = math.log(0.6 / 0.4), math.log(9.0)
    assert number.kind == "logit_normal" and number.params == pytest.approx(((a + b) / 2, (b - a) / 3.29), **DOUBLE)


@pytest.mark.parametrize(
    ("text", "unit", "ends"),
    [
        ("25 to 45 M USD/month", "USD/month", (25e6, 45e6)),
        ("900 k to 1.2 M USD", "USD", (900e3, 1.2e6)),
        ("1 k to 2 k tokens/request", "token/request", (1000, 2000)),
        ("6 months to 2 years", "month", (6, 24)),
        ("30 % to 0.6", "share", (0.3, 0.6)),
        ("10 to 20亿美元", "USD", (1e9, 2e9)),
        ("60 to 300 M EFLOP", "FLOP", (60e24, 300e24)),
    ],
)
def test_the_unit_stands_once_behind(text: str, unit: str, ends: tuple[float, float]) -> None:
    number = read_number(text, unit)
    assert (number.quantile(0.05), number.quantile(0.95)) == pytest.approx(ends, rel=6e-4)


@pytest.mark.parametrize(
    ("text", "unit", "kind", "params"),
    [
        ("normal(5, 2) months", "month", "normal", (5, 2)),
        ("normal(1 year, 2 months)", "month", "normal", (12, 2)),
        ("uniform(1, 2) bn USD", "USD", "uniform", (1e9, 2e9)),
        ("triangular(1, 2, 4) years", "month", "triangular", (12, 24, 48)),
        ("beta(2, 5)", "share", "beta", (2, 5)),
        ("lognormal(1, 0.5) years", "month", "lognormal", (1 + math.log(12), 0.5)),
        ("discrete({4: 0.5, 6: 0.5}) months", "month", "discrete", (4, 6, 0.5, 0.5)),
        ("discrete({4 months: 25 %, 1 year: 75 %})", "month", "discrete", (4, 12, 0.25, 0.75)),
        ("mixture({0.7: 2 to 4, 0.3: normal(9, 1)}) months", "month", "mixture", (0.7, 0.3)),
    ],
)
def test_families(text: str, unit: str, kind: str, params: tuple[float, ...]) -> None:
    number = read_number(text, unit)
    assert number.kind == kind and number.params == pytest.approx(params, **DOUBLE)


def test_an_empirical_file_beside_the_book(tmp_path: Path) -> None:
    (tmp_path / "slips.csv").write_text("1\n\n2\n4.5\n", encoding="utf-8")
    assert read_number("empirical(slips.csv) years", "month", beside=Beside(tmp_path)).params == (12, 24, 54)
    (tmp_path / "slips.csv").write_text("months\n2\n", encoding="utf-8")
    with pytest.raises(Fault) as error:
        read_number("empirical(slips.csv) months", "month", beside=Beside(tmp_path))
    assert error.value.got == "months in slips.csv:1"


LABELS = ("signing", "order", "tranche", "never")


def test_labels() -> None:
    reader = labelled(LABELS)
    one, some = reader.read("order"), reader.read("discrete({signing: 0.5, tranche: 0.5}) [memo]")
    assert isinstance(one, Number) and (one.params, one.labels) == ((1.0,), LABELS)
    assert isinstance(some, Number) and (some.params, some.source) == ((0.0, 2.0, 0.5, 0.5), "memo")


@pytest.mark.parametrize("text", ["3", "discrete({signing: 0.5, later: 0.5})", "discrete({signing: 0.5})", "signing to order", ""])
def test_labels_refuse(text: str) -> None:
    with pytest.raises(Fault):
        labelled(LABELS).read(text)


SERIES: list[tuple[dict[str, Any], str]] = [
    ({"steps": {"2026-01": "10 M USD/month", "2027-01": "10 to 20 M USD/month"}}, "steps"),
    ({"points": {"2026-01": "1 USD/month"}, "source": "memo"}, "points"),
    ({"growth": {"start": "1 USD/month", "yearly": "0.6 to 1.4", "long_run": "5 %", "half_life": "2 years"}}, "growth"),
    ({"s_curve": {"low": "1 USD/month", "high": "2 USD/month", "middle": "2026-06", "width": "6 months"}}, "s_curve"),
    ({"mean_reversion": {"start": "1 USD/month", "level": "2 USD/month", "speed": "1.5", "volatility": "0.5"}}, "mean_reversion"),
    ({"jump": {"value": "1 USD/month", "size": "0.5", "hazard": "5 %"}}, "jump"),
    ({"index": {"base": "1 USD/month", "of": "chips.h100.market_price"}}, "index"),
]


@pytest.mark.parametrize(("written", "kind"), SERIES, ids=[kind for _, kind in SERIES])
def test_paths_in_time(written: dict[str, Any], kind: str) -> None:
    series = read_timeline(written, "USD/month")
    assert isinstance(series, Series) and series.kind == kind and series.source == written.get("source")
    if kind == "s_curve":
        assert series.args["middle"] == Month("2026-06") and series.args["width"].unit == "month"
    if kind == "steps":
        assert [month for month, _ in series.knots] == ["2026-01", "2027-01"] and series.knots[1][1].kind == "lognormal"


@pytest.mark.parametrize(
    ("value", "unit", "got", "rule"),
    [
        ("0 to 9 months", "month", "0 to 9 months", "an interval that touches or crosses zero needs a family (N-02)"),
        ("9 to 9 months", "month", "9 to 9 months", "an interval runs from its lower to its upper end (N-02)"),
        ("9 months [assumed]", "month", "[assumed]", "an assumed number says why (N-05)"),
        ("9 months [two words]", "month", "[two words]", "brackets hold the id of one source (N-05)"),
        ("normal(3, 1) GPU", "GPU", "normal(3, 1) GPU", "a number in GPU is not negative"),
        ("beta(0, 1)", "share", "beta(0, 1)", "the width of beta is above zero (N-02)"),
        ({"value": "3 months", "clip": "0 to 2 months"}, "month", "3 months", "a clip belongs to a distribution (N-02)"),
        ({"value": "uniform(3, 4) months", "clip": "0 to 2 months"}, "month", "uniform(3, 4) months",
         "a clip leaves something of the distribution (N-02)"),
        ({"source": "memo"}, "month", "nothing", "one path in time (N-03)"),
        ({"value": ["3 months"]}, "month", "['3 months']", "a length in months (N-01)"),
        ({"value": "3 months", "source": ["a"]}, "month", "['a']", "`source` is text"),
        ({"value": "3 months", "source": "a", "quality": "good"}, "month", "good", "one of filed, stated, reported, derived (N-05)"),
        ({"value": "3 months [a]", "source": "b"}, "month", "[a]", "a number names its source once (N-05)"),
        (None, "month", "nothing", "a length in months (N-01)"),
        (True, "month", "True", "a length in months (N-01)"),
        ("1e300 to 1e999 USD", "USD", "1e300 to 1e999 USD", "a finite number (N-01)"),
        ({"growth": {"start": "0 USD/month", "yearly": "-100 %"}}, "USD/month", "-100 %", "growth a year is above -1 (N-03)"),
        ({"mean_reversion": {"start": "0 USD/month", "level": "1 USD/month", "speed": "1", "volatility": "0"}}, "USD/month",
         "0 USD/month", "mean reversion works on logarithms: start and level are above zero (N-03)"),
    ],
)  # fmt: skip
def test_refuses(value: Any, unit: str, got: str, rule: str) -> None:
    with pytest.raises(Fault) as error:
        read_timeline(value, unit)
    assert (error.value.got, error.value.rule) == (got, rule)


@pytest.mark.parametrize(
    ("text", "unit", "tolerance"),
    [
        ("2 to 9 months", "month", DOUBLE), ("60 to 90 %", "share", DOUBLE), ("normal(5, 2) months", "month", DOUBLE),
        ("uniform(1, 2) months", "month", DOUBLE), ("triangular(1, 2, 4) months", "month", DOUBLE),
        ("discrete({4: 0.3, 6: 0.7}) months", "month", DOUBLE), ("beta(2, 5)", "share", TABLE),
        ("mixture({0.7: 2 to 4, 0.3: 6 to 12}) months", "month", TABLE),
    ],
)  # fmt: skip
def test_quantiles_are_those_of_the_run(text: str, unit: str, tolerance: dict[str, float]) -> None:
    number = read_number(text, unit)
    scores = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    chances = [0.5 * math.erfc(-z / math.sqrt(2)) for z in scores]
    assert [number.quantile(p) for p in chances] == pytest.approx(list(quantile(number, scores)), **tolerance)


@given(st.integers(1900 * 12, 2200 * 12 - 1))
def test_a_month_prints_and_reads(index: int) -> None:
    assert int(Month(str(Month(index)))) == index


@pytest.mark.parametrize("text", ["2026", "2026-00", "2026-13", "26-01", "2026-1", "0000-01", None, "2026-01-01"])
def test_a_month_refuses(text: Any) -> None:
    with pytest.raises(Fault) as error:
        Month(text)
    assert error.value.rule == "a month (T-01)"


def test_a_date_of_knowledge_is_the_end_of_that_day() -> None:
    assert moment("2025-11-03") == datetime(2025, 11, 3, 23, 59, 59, tzinfo=UTC)
    assert moment("2025-11-03T21:05Z") == datetime(2025, 11, 3, 21, 5, tzinfo=UTC)
    assert _day("2025-11-03") == date(2025, 11, 3)


@given(st.text(alphabet="0123456789.,eE+-_ %to()[]{}:;xXkMbnUSDGPUhmonths/亿美元normal", max_size=40))
def test_any_text_is_a_number_or_a_fault(text: str) -> None:
    for unit in ("USD", "share", "month", "multiple", "rank", "any"):
        try:
            number = read_number(text, unit)
        except Fault as fault:
            assert fault.got and fault.rule and fault.fix
        else:
            assert all(isinstance(p, float) for p in number.params) and math.isfinite(number.median())
