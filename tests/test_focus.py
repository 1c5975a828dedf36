"""FOCUS 1.2 exports: what counts as consumed, and every row that does not reconcile by name; all figures are worked by hand."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import QuestionError
from offtake.focus import NEEDED
from offtake.focus_rows import read_focus, read_sound

CASES = Path(__file__).parent / "cases" / "focus"
COLUMNS = (*NEEDED, "CommitmentDiscountId", "CommitmentDiscountCategory", "CommitmentDiscountStatus", "CommitmentDiscountQuantity",
           "CommitmentDiscountUnit", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice", "PricingQuantity")  # fmt: skip
SOUND = {
    "BilledCost": "10", "EffectiveCost": "10", "ContractedCost": "10", "ListCost": "12", "BillingCurrency": "USD",
    "BillingPeriodStart": "2025-07-01T00:00:00Z", "BillingPeriodEnd": "2025-08-01T00:00:00Z",
    "ChargePeriodStart": "2025-07-03T00:00:00Z", "ChargePeriodEnd": "2025-07-04T00:00:00Z", "ChargeCategory": "Usage",
    "ConsumedQuantity": "5", "ConsumedUnit": "GPU-Hours", "ContractedUnitPrice": "2", "PricingQuantity": "5",
}  # fmt: skip
COVERED = {"CommitmentDiscountId": "C1", "CommitmentDiscountCategory": "Spend", "CommitmentDiscountStatus": "Used", "BilledCost": "0"}


def august(**other: str) -> dict[str, str]:
    return {name: value.replace("2025-08", "2025-09").replace("2025-07", "2025-08") for name, value in (SOUND | other).items()}


def written(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    file = folder / "export.csv"
    lines = [",".join(columns), *(",".join(row.get(name, "") for name in columns) for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_consumed_of_a_file_and_of_a_commitment(tmp_path: Path) -> None:
    """July: 10 billed, 7 of C1 used and 3 of it unused, 2.5 corrected away, 4 of credit and 1 of tax apart. August: 10."""
    file = written(
        tmp_path,
        SOUND,
        SOUND | COVERED | {"EffectiveCost": "7", "CommitmentDiscountQuantity": "7", "CommitmentDiscountUnit": "USD"},
        SOUND | COVERED | {"EffectiveCost": "3", "CommitmentDiscountStatus": "Unused", "ConsumedQuantity": "", "ConsumedUnit": ""},
        SOUND | {"ChargeClass": "Correction", "BilledCost": "-2.5", "ConsumedQuantity": "-1", "ContractedCost": "7"},
        SOUND | {"ChargeCategory": "Credit", "BilledCost": "-4", "ConsumedQuantity": "", "ConsumedUnit": ""},
        SOUND | {"ChargeCategory": "Tax", "BilledCost": "1", "ContractedUnitPrice": "", "ConsumedQuantity": "", "ConsumedUnit": ""},
        august(),
    )
    found = read_focus(file)
    assert (found.read, found.refused, found.sound) == (7, 0, True)
    assert found.by_month(None) == {"2025-07": 7.5, "2025-08": 10.0}
    assert found.by_month("C1") == {"2025-07": 7.0}
    c1 = next(u for u in found.used if u.commitment == "C1")
    assert (c1.unused, c1.quantity) == (3.0, {"USD": 7.0})
    rest = next(u for u in found.used if u.commitment is None)
    assert (rest.apart, rest.quantity) == (-3.0, {"GPU-Hours": 4.0})


def test_parquet_says_what_csv_says(tmp_path: Path) -> None:
    """Typed columns, times in a zone of their own: 02:00 in Berlin is midnight in UTC."""
    csv = written(tmp_path, SOUND, SOUND | COVERED, SOUND | {"BilledCost": "-1"}, august())
    text = pl.read_csv(csv, infer_schema=False)
    times = [name for name in text.columns if "Period" in name]
    numbers = [name for name in text.columns if "Cost" in name or name.endswith("Quantity") or name.endswith("Price")]
    berlin = [pl.col(t).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC").dt.convert_time_zone("Europe/Berlin") for t in times]
    file = tmp_path / "export.parquet"
    text.with_columns(*berlin, *(pl.col(n).cast(pl.Decimal(20, 6)) for n in numbers)).write_parquet(file)
    a, b = read_focus(csv), read_focus(file)
    assert (b.read, b.refused, b.used) == (a.read, a.refused, a.used) == (4, 1, a.used)
    assert (a.rows[0].row, b.rows[0].row) == (4, 3)  # a CSV file has a header


TRAPS = [
    SOUND,
    SOUND | {"BillingCurrency": ""},
    SOUND | {"BillingCurrency": "EUR"},
    SOUND | {"ChargePeriodEnd": ""},
    SOUND | {"ChargePeriodStart": "3 July 2025"},
    SOUND | {"ChargePeriodEnd": "2025-07-03T00:00:00Z"},
    SOUND | {"ChargeCategory": "Refund"},
    SOUND | {"ChargeClass": "Corrected"},
    SOUND | {"ChargePeriodStart": "2025-06-30T00:00:00Z", "ChargePeriodEnd": "2025-07-01T00:00:00Z"},
    SOUND | {"ChargePeriodStart": "2025-07-01T00:00:00Z", "ChargePeriodEnd": "2025-08-01T00:00:01Z", "BillingPeriodEnd": "2025-09-01"},
    SOUND | {"EffectiveCost": ""},
    SOUND | {"BilledCost": "1.2.3"},
    SOUND | {"ConsumedQuantity": "-5"},
    SOUND | {"BilledCost": "-10"},
    SOUND | {"PricingQuantity": "6"},
    SOUND | {"ConsumedQuantity": ""},
    SOUND | {"CommitmentDiscountId": "C1", "CommitmentDiscountCategory": "Spend"},
    SOUND | COVERED | {"CommitmentDiscountCategory": "Money"},
    SOUND | {"CommitmentDiscountStatus": "Used"},
]


def test_every_refused_row_is_named_and_counted(tmp_path: Path) -> None:
    """The whole message; 18 rows of 19, whose billed costs are 15 x 10 - 10 + 0, one has none."""
    file = written(tmp_path, *TRAPS)
    assert read_focus(file).faults() + "\n" == (CASES / "traps.txt").read_text(encoding="utf-8")
    with pytest.raises(QuestionError, match="to go on without them"):
        read_sound(file, allow_refused=False)
    assert read_sound(file, allow_refused=True).by_month(None) == {"2025-07": 10.0}


def test_no_export(tmp_path: Path) -> None:
    columns = tuple(name for name in COLUMNS if name not in ("BilledCost", "ChargeCategory"))
    shape = "a FOCUS 1.2 export is a CSV file with a header or a Parquet file (.parquet), one charge a row"
    file = written(tmp_path, SOUND, columns=columns)
    with pytest.raises(QuestionError) as told:
        read_focus(file)
    assert str(told.value) == f"{file}: no column BilledCost, ChargeCategory; {shape}, with the mandatory columns of the specification"
    with pytest.raises(QuestionError) as told:
        read_focus(tmp_path / "nothing.csv")
    assert str(told.value) == f"{tmp_path / 'nothing.csv'}: the export could not be read (No such file or directory); {shape}"
    for name, content in (("empty.csv", b""), ("torn.parquet", b"PAR1 and then nothing")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(QuestionError, match="the export could not be read"):
            read_focus(tmp_path / name)
    with pytest.raises(QuestionError, match="no row has CommitmentDiscountId 'C9'; it has C1"):
        read_focus(written(tmp_path, SOUND | COVERED)).by_month("C9")


def test_half_a_cent_or_a_ten_thousandth_is_rounding(tmp_path: Path) -> None:
    """2 x 5 = 10 against 10.009: within a cent. 2 x 50,000 = 100,000 against 100,009: within a ten-thousandth; 100,011 is not."""
    large = SOUND | {"PricingQuantity": "50000"}
    costs = [SOUND | {"ContractedCost": "10.009"}, large | {"ContractedCost": "100009"}, large | {"ContractedCost": "100011"}]
    assert [r.row for r in read_focus(written(tmp_path, *costs)).rows] == [4]


def purchase(cost: str, end: str) -> dict[str, str]:
    own = {"ChargeCategory": "Purchase", "ChargePeriodStart": "2025-07-01T00:00:00Z", "ChargePeriodEnd": end, "BilledCost": cost}
    return SOUND | COVERED | {"CommitmentDiscountStatus": "", "ConsumedQuantity": "", "ConsumedUnit": "", "EffectiveCost": "0"} | own


@pytest.mark.parametrize(
    ("bought", "until", "sound"),
    [("10", "2025-07-04T00:00:00Z", True), ("10", "2026-07-01T00:00:00Z", True), ("50", "2026-07-01T00:00:00Z", True),
     ("50", "2025-07-04T00:00:00Z", False), ("9", "2026-07-01T00:00:00Z", False)],
)  # fmt: skip
def test_what_was_bought_is_what_is_amortised(tmp_path: Path, bought: str, until: str, sound: bool) -> None:
    """10 USD are amortised by 4 July. Bought for 10: right. For 50 until next July: more is to come. For 50 until then, or for 9: wrong."""
    found = read_focus(written(tmp_path, purchase(bought, until), SOUND | COVERED))
    assert found.refused == 0 and found.sound is sound
    if bought == "9":
        assert found.unreconciled == (
            "export.csv: commitment C1 was bought for 9.00 USD (BilledCost of its purchases) and 10.00 USD of it were amortised "
            "(EffectiveCost of its use, unused inside); the two are the same",
        )


def test_sums_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [SOUND | {"BilledCost": f"{0.1 * n:.3f}"} for n in range(1, 500)]
    there = read_focus(written(tmp_path, *rows)).by_month(None)
    back = read_focus(written(tmp_path, *rows[::-1], SOUND | {"BilledCost": "0"})).by_month(None)
    assert there == back == {"2025-07": 12475.0}  # 0.1 x 499 x 500 / 2


def test_the_verb_names_rows_and_fails_unless_they_are_allowed(tmp_path: Path) -> None:
    file = str(written(tmp_path, *TRAPS[:3]))
    told = CliRunner().invoke(app, ["focus", file])
    assert told.exit_code == 1 and "3 rows read, 1 used, 2 refused; left out 20 USD billed" in told.stdout
    assert CliRunner().invoke(app, ["focus", file, "--allow-refused"]).exit_code == 0
    found = json.loads(CliRunner().invoke(app, ["focus", file, "--json"]).stdout)
    assert [r["row"] for r in found["refused"]] == [3, 4] and found["used"][0]["consumed"] == 10.0


def test_a_correction_may_lie_in_an_earlier_period_and_a_purchase_in_a_later_one(tmp_path: Path) -> None:
    """Billed in August: 2 USD of July taken back, and 30 paid for a plan of the year to come."""
    billing = {"BillingPeriodStart": "2025-08-01T00:00:00Z", "BillingPeriodEnd": "2025-09-01T00:00:00Z"}
    back = SOUND | billing | {"ChargeClass": "Correction", "BilledCost": "-2"}
    plan = august(ChargeCategory="Purchase", BilledCost="30", ChargePeriodEnd="2026-08-01T00:00:00Z", ConsumedQuantity="", ConsumedUnit="")
    found = read_focus(written(tmp_path, SOUND, back, plan))
    assert found.refused == 0 and found.by_month(None) == {"2025-07": 8.0, "2025-08": 30.0}
