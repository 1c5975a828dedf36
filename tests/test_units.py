"""Units: what converts, what is refused with which sentence, and how numbers are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.units import UnitError, convert, format_interval, format_value, number_and_unit, parse_unit, read_quantity


def base(text: str, unit: str) -> float:
    return read_quantity(text).to_base(unit)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("38 bn USD", "USD", 38e9),
        ("38bn USD", "USD", 38e9),
        ("380亿美元", "USD", 38e9),
        ("380 億美元", "USD", 38e9),
        ("1.4万亿美元", "USD", 1.4e12),
        ("5 万 GPU", "GPU", 50_000),
        ("1.4 tn USD", "USD", 1.4e12),
        ("250 billion USD", "USD", 250e9),
        ("3 million USD", "USD", 3e6),
        ("1,250 USD", "USD", 1250),
        ("1_250.5 USD", "USD", 1250.5),
        ("1e3 USD", "USD", 1000),
        ("-2.5 USD", "USD", -2.5),
        (".5 USD", "USD", 0.5),
        ("80 %", "share", 0.8),
        ("35 %", "share", 0.35),
        ("75 bp", "share", 0.0075),
        ("0.8", "share", 0.8),
        ("2x", "multiple", 2.0),
        ("9 %", "multiple", 0.09),
        ("0.5", "rank", 0.5),
        ("1.2 GW", "MW", 1200),
        ("500 kW", "MW", 0.5),
        ("1400 W/GPU", "kW/GPU", 1.4),
        ("7 years", "month", 84),
        ("1 week", "month", 168 / 730.5),
        ("730.5 h", "month", 1),
        ("2.95 USD/GPU-h", "USD/GPU-h", 2.95),
        ("2.95 USD/GPU-hour", "USD/GPU-h", 2.95),
        ("100 k GPU", "GPU", 100_000),
        ("100 k GPUs", "GPU", 100_000),
        ("6 M GPU-h/month", "GPU-h/month", 6e6),
        ("12 bn USD/year", "USD/month", 1e9),
        ("240 USD/user-year", "USD/user-month", 20),
        ("15 requests/user-week", "request/user-week", 15),
        ("900 tokens/s/GPU", "token/s/GPU", 900),
        ("65 USD/MWh", "USD/MWh", 65),
        ("0.065 USD/kWh", "USD/MWh", 65),
        ("1 PFLOPS", "FLOP/s", 1e15),
        ("2 EFLOP", "FLOP", 2e18),
        ("11 M USD/MW", "USD/MW", 11e6),
        ("11 bn USD/GW", "USD/MW", 11e6),
    ],
)
def test_reads(text: str, unit: str, value: float) -> None:
    assert base(text, unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("percent", range(101))
def test_percent_is_the_share_to_the_last_bit(percent: int) -> None:
    assert base(f"{percent} %", "share") == percent / 100


@pytest.mark.parametrize(
    ("text", "unit", "got", "rule", "fix"),
    [
        ("38 bn", "USD", "no unit", "a number in USD says its unit (N-01)", "write the unit, as in `38 bn USD`"),
        ("5 kgpu", "GPU", "kgpu", "a unit this book knows; 'kgpu' is none (N-01)",
         "use USD, GPU, GPU-h, MW, kW, MWh, month, user, token, request, FLOP or %"),
        ("5 mw", "MW", "mw", "a unit this book knows; 'mw' is none (N-01)",
         "use USD, GPU, GPU-h, MW, kW, MWh, month, user, token, request, FLOP or %"),
        ("5 EUR", "USD", "EUR", "money is in USD (N-01)", "convert it at a stated rate and write USD; say the rate in `note`"),
        ("5 GPU", "GPU-h", "GPU", "a number in GPU-h; 'GPU' measures something else (N-01)", "write it as in `5 GPU-h`"),
        ("5 MWh", "MW", "MWh", "a number in MW; 'MWh' measures something else (N-01)", "write it as in `1.2 GW`"),
        ("0.5 rank", "share", "rank", "a share; 'rank' measures something else (N-01)", "write it as in `80 %`"),
        ("many USD", "USD", "many USD", "a number and its unit (N-01)",
         "write it as in `38 bn USD`: digits, a point for decimals, then the unit"),
        ("1,5 USD", "USD", "1,5 USD", "a point stands before decimals, a comma between thousands (N-01)", "write 38.5, or 38,500"),
        ("3 k M USD", "USD", "3 k M USD", "one magnitude a number (N-01)", "write one, as in `38 bn USD`"),
    ],
)  # fmt: skip
def test_refuses(text: str, unit: str, got: str, rule: str, fix: str) -> None:
    with pytest.raises(UnitError) as error:
        base(text, unit)
    assert (error.value.got, error.value.rule, error.value.fix) == (got, rule, fix)


PHYSICAL = {  # against SI by hand: one unit in the other
    ("GW", "kW"): 1e6, ("TWh", "MWh"): 1e6, ("year", "month"): 12.0, ("day", "h"): 24.0, ("h", "s"): 3600.0, ("week", "day"): 7.0,
    ("MWh", "kWh"): 1000.0, ("EFLOP", "TFLOP"): 1e6, ("USD/MWh", "USD/kWh"): 1e-3, ("EFLOPS", "PFLOP/s"): 1000.0,
}  # fmt: skip


@pytest.mark.parametrize(("pair", "factor"), PHYSICAL.items())
def test_one_unit_in_another_and_back(pair: tuple[str, str], factor: float) -> None:
    assert convert(*pair) == pytest.approx(factor, rel=1e-14)
    assert convert(pair[1], pair[0]) == pytest.approx(1 / factor, rel=1e-14)


def test_a_power_times_a_time_is_no_energy_by_chance() -> None:
    """kW-month is rent's unit, MWh energy's: they do not mix without a rule."""
    assert parse_unit("USD/kW-month").dimension != parse_unit("USD/MWh").dimension


@given(st.text(max_size=30))
def test_any_text_converts_or_is_refused(text: str) -> None:
    for unit in ("USD", "share", "month", "token/s/GPU", "any"):
        try:
            assert isinstance(base(text, unit), float)
        except UnitError as error:
            assert error.got and error.rule and error.fix


@given(st.floats(-1e15, 1e15).filter(lambda v: v == 0 or abs(v) > 1e-6))
def test_a_written_number_comes_back(value: float) -> None:
    assert number_and_unit(f"{value!r} USD") == (value, "USD")


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (38e9, "USD", "38 bn USD"), (5.43e9, "USD", "5.43 bn USD"), (1.4e12, "USD", "1.4 tn USD"), (200e6, "USD", "200 M USD"),
        (212_345, "GPU", "212 k GPU"), (9_000, "GPU", "9,000 GPU"), (0.125, "share", "12.5 %"), (0, "USD", "0 USD"),
        (-2.5e9, "USD", "-2.5 bn USD"), (2.95, "USD/GPU-h", "2.95 USD/GPU-h"), (None, "USD", "–"), (float("nan"), "USD", "–"),
        (float("inf"), "USD", "unlimited"), (1.2, None, "1.2"), (999_700_000, "USD", "1 bn USD"),
    ],
)  # fmt: skip
def test_shown(value: float | None, unit: str | None, shown: str) -> None:
    assert format_value(value, unit) == shown


@pytest.mark.parametrize(
    ("low", "high", "unit", "shown"),
    [
        (4.1e9, 6e9, "USD", "4.1 to 6 bn USD"), (900e6, 1.2e9, "USD", "900 M USD to 1.2 bn USD"), (0.05, 0.1, "share", "5 to 10 %"),
        (None, 1e9, "USD", "– to 1 bn USD"), (1.0, 2.0, None, "1 to 2"),
    ],
)  # fmt: skip
def test_interval_shown(low: float | None, high: float | None, unit: str | None, shown: str) -> None:
    assert format_interval(low, high, unit) == shown
