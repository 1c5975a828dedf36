"""Consumption to date: a book that starts in the middle of a contract goes on as the book that started with it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from offtake import front
from offtake.book import text
from offtake.errors import BookError
from offtake.identities import worst_of
from offtake.studies.formulas import FORMULAS
from offtake.studies.journal import ENTRIES

from ..deals import block_of, book_of, monthly
from ..test_focus import SOUND, TRAPS, written

SPLIT = 3  # months
BASE = {"total": "1752 k USD", "term": "12 months", "price": "2 USD/GPU-h", "starts": "2026-01"}
FORMS: dict[str, dict[str, Any]] = {
    "reserved": {"form": "reserved", "true_up": "month", "ramp": "calendar", "at_end": "lapse", "recognition": "reserved"},
    "implied": {"form": "reserved", "price": "implied", "true_up": "month", "ramp": "calendar", "at_end": "lapse",
                "recognition": "reserved"},
    "take_or_pay by month": {"form": "take_or_pay", "take_or_pay": "80 %", "true_up": "month", "ramp": "calendar", "at_end": "shortfall",
                             "recognition": "usage"},
    "take_or_pay by year": {"form": "take_or_pay", "take_or_pay": "80 %", "true_up": "year", "ramp": "calendar",
                            "at_end": "lapse", "recognition": "usage", "breakage": "30 %"},
    "take_or_pay, rateable": {"form": "take_or_pay", "take_or_pay": "80 %", "true_up": "term", "ramp": "calendar",
                              "at_end": "lapse", "recognition": "reserved"},
    "burn_down": {"form": "burn_down", "total": "900 k USD", "at_end": "lapse", "breakage": "20 %"},
    "build_up": {"form": "build_up", "total": "900 k USD", "true_up": "term", "recognition": "reserved"},
    "build_up by year": {"form": "build_up", "total": "900 k USD", "term": "18 months", "true_up": "year", "recognition": "usage",
                         "committed": ["700 k USD", "200 k USD"]},
    "prepaid": {"form": "take_or_pay", "take_or_pay": "80 %", "true_up": "month", "ramp": "calendar", "at_end": "lapse",
                "recognition": "usage", "prepaid": "400 k USD"},
}  # fmt: skip
WORK = {"2026-01": "30000 GPU-h/month", "2026-03": "20000 GPU-h/month", "2026-06": "70000 GPU-h/month", "2026-09": "25000 GPU-h/month"}
MEASURES = ("used", "billed", "deficiency", "overage", "revenue", "lapsed", "rpo", "unbilled", "deferred", "unearned", "not_in_rpo")


def halves(deal: dict[str, Any]) -> tuple[Any, Any]:
    """The book from January on, and the book from April on that is told what was billed until then."""
    whole = block_of(BASE | deal, WORK)
    billed = monthly(whole, "billed")[:, 0]
    past: dict[str, Any] = {"months": {f"2026-{m + 1:02d}": f"{float(billed[m])!r} USD" for m in range(SPLIT)}}
    if deal["form"] == "take_or_pay" and deal["true_up"] != "month":
        past |= {"used": f"{float(whole.settlement.ytd_base[0, SPLIT - 1, 0])!r} GPU-h",
                 "due": f"{float(whole.settlement.ytd_due[0, SPLIT - 1, 0])!r} GPU-h"}  # fmt: skip
    late = {"start": "2026-04", "months": "21", "sites": {"hall": {"lots": [
        {"chip": "chip", "gpus": "100 GPU", "month": "2026-01", "over": "1 month", "slip": "0 months", "acceptance": "0 months",
         "running": "true"}]}}}  # fmt: skip
    return whole, block_of(BASE | deal | {"consumed": past}, WORK, late)


@pytest.mark.parametrize("name", FORMS)
def test_a_book_split_in_two_goes_on_as_one(name: str) -> None:
    whole, rest = halves(FORMS[name])
    for measure in MEASURES:
        one, two = monthly(whole, measure)[SPLIT:, 0], monthly(rest, measure)[:, 0]
        assert two == pytest.approx(one, rel=1e-9, abs=1e-4), measure
    assert monthly(whole, "billed")[:SPLIT].sum() > 0.0
    for w in worst_of(rest, 64):
        assert w.error <= 1e-9, w


@pytest.mark.parametrize("consumed", [0, 240_000, 600_000, 700_000])
def test_nothing_offered_is_a_shortfall_of_all_that_is_left(consumed: int) -> None:
    """600,000 USD committed from July to June; the hall stands empty from January on. A consumption beyond the amount leaves nothing."""
    months = {f"2025-{m:02d}": f"{consumed / 6} USD" for m in range(7, 13)}
    deal = {"form": "build_up", "total": "600 k USD", "term": "12 months", "price": "2 USD/GPU-h", "true_up": "term",
            "recognition": "usage", "signed": "2025-07", "consumed": {"months": months}}  # fmt: skip
    lot = {"chip": "chip", "gpus": "100 GPU", "month": "2027-12", "over": "1 month", "slip": "0 months", "acceptance": "0 months"}
    empty = {"sites": {"hall": {"lots": [lot]}}}
    found = front.run(book_of(deal, {"2026-01": "9000 GPU-h/month"}, empty), paths=64).pace()["contracts"][0]
    (row,) = found["true_ups"]
    left = max(600_000 - consumed, 0)
    assert row["shortfall"]["p50"] == pytest.approx(left) and row["from_the_start"]["probability"] == float(left > 0)
    assert [m["month"] for m in row["unavoidable"]] == (["2026-01"] if left else [])
    assert [m["straight_line"] for m in found["months"]] == pytest.approx([50_000.0 * n for n in range(1, 13)])
    assert [m["consumed"] for m in found["months"][:6]] == pytest.approx([consumed / 6 * n for n in range(1, 7)])
    assert found["run_rate"]["required"] == pytest.approx(left / 6)


def told(tmp_path: Path, consumed: Any, **deal: Any) -> list[tuple[str, str]]:
    """Path and fault of each issue of a contract that begins in July before the base book."""
    import yaml

    from offtake.book.check import check

    from ..deals import BASE as FILE
    from ..deals import merged

    own = {"form": "build_up", "total": "600 k USD", "term": "12 months", "price": "2 USD/GPU-h", "true_up": "term", "recognition": "usage",
           "signed": "2025-07"} | deal | ({"consumed": consumed} if consumed is not None else {})  # fmt: skip
    base = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    book = merged(base, {"contracts": {"deal": own}, "workloads": {"work": {"gpu_hours": "9000 GPU-h/month"}}})
    (tmp_path / "book.yaml").write_text(yaml.safe_dump(book, sort_keys=False), encoding="utf-8")
    try:
        issues = check(text.load(tmp_path / "book.yaml"))
    except BookError as error:
        issues = list(error.issues)
    return [(issue.path.removeprefix("contracts.deal."), issue.got) for issue in issues]


def months(first: int = 7, last: int = 12, usd: str = "1 k USD") -> dict[str, str]:
    return {f"2025-{m:02d}": usd for m in range(first, last + 1)}


def test_what_is_not_known_is_refused(tmp_path: Path) -> None:
    hours = {"form": "take_or_pay", "total": "1752 k USD", "take_or_pay": "80 %", "ramp": "calendar", "at_end": "lapse"}
    assert told(tmp_path, {"months": months()}) == []
    assert told(tmp_path, None) == [("signed", "2025-07")]
    assert told(tmp_path, {"months": months()}, signed="2026-01") == [("consumed", "`consumed`")]
    assert told(tmp_path, {"months": months(8)}) == [("consumed.months", "nothing of 2025-07")]
    assert told(tmp_path, {"months": months(6)}) == [("consumed.months", "2025-06")]
    assert told(tmp_path, {"months": months(usd="1 to 2 k USD")})[0] == ("consumed.months.2025-07", "1 to 2 k USD")
    assert told(tmp_path, {}) == [("consumed", "neither")]
    assert told(tmp_path, {"months": months(), "used": "3 GPU-h"}) == [("consumed.used", "3 GPU-h")]
    assert told(tmp_path, {"billed": "6 k USD"}, **hours) == [("consumed", "no `due`"), ("consumed", "no `used`")]
    assert told(tmp_path, {"billed": "6 k USD", "used": "3 k GPU-h", "due": "4 k GPU-h"}, **hours) == []
    lease = hours | {"true_up": "month", "lease_rate": "9 %"}
    assert told(tmp_path, {"billed": "6 k USD"}, **lease) == [("consumed", "with `lease_rate`")]
    assert told(tmp_path, {"months": {"July": "1 USD"}})[0][1] == "July"


def test_an_export_beside_the_book(tmp_path: Path) -> None:
    """July to December, 10 USD each, and a January that the book forecasts itself; a refused row refuses the book, unless allowed."""
    rows = []
    for month, after in (("2025-07", "2025-08"), ("2025-08", "2025-09"), ("2025-09", "2025-10"), ("2025-10", "2025-11"),
                         ("2025-11", "2025-12"), ("2025-12", "2026-01"), ("2026-01", "2026-02")):  # fmt: skip
        rows.append({k: v.replace("2025-08", "after").replace("2025-07", month).replace("after", after) for k, v in SOUND.items()})
    written(tmp_path, *rows)
    assert told(tmp_path, {"focus": "export.csv"}) == []
    book = text.load(tmp_path / "book.yaml")
    plan = front.compile(book)
    assert plan.draws is not None and book.contracts["deal"].consumed is not None
    assert {m: v.median() for m, v in book.contracts["deal"].consumed.months.items()} == dict.fromkeys(
        [*months(), "2026-01"], 10.0
    )
    before = text.book_hash(book)
    (fault,) = told(tmp_path, {"focus": "export.csv", "commitment": "C1"})
    assert fault[1] == "export.csv: no row has CommitmentDiscountId 'C1'; it has none"
    assert told(tmp_path, {"focus": "../export.csv"}) == [("consumed.focus", "../export.csv")]
    assert told(tmp_path, {"focus": "none.csv"})[0][1].startswith("the export could not be read (No such file or directory)")
    written(tmp_path, *rows, TRAPS[1])
    assert told(tmp_path, {"focus": "export.csv"}) == [
        ("consumed.focus", "1 of 8 rows refused, the first in row 9: BillingCurrency absent")
    ]
    assert told(tmp_path, {"focus": "export.csv", "allow_refused": "true"}) == []
    written(tmp_path, *rows, SOUND)
    assert told(tmp_path, {"focus": "export.csv"}) == []
    assert text.book_hash(text.load(tmp_path / "book.yaml")) != before
    assert np.isfinite(front.run(text.load(tmp_path / "book.yaml"), paths=64).pace()["contracts"][0]["run_rate"]["required"])


@pytest.mark.parametrize("name", ["take_or_pay, rateable", "prepaid"])
def test_journal_and_explanation_open_with_what_was_before(name: str) -> None:
    """Every posting balances, the accounts end where the stocks end, and a number is the sum of its terms."""
    _, rest = halves(FORMS[name])
    total: dict[str, float] = {}
    for entry in ENTRIES:
        legs = entry.legs(rest, 0, 0)
        assert sum(legs.values()) == pytest.approx(np.zeros(rest.plan.months), abs=1e-6), entry.name
        for account, usd in legs.items():
            total[account] = total.get(account, 0.0) + float(np.sum(usd[:4]))
    assert rest.before[:2, 0, 0].max() > 0.0
    assert total["contract liability"] == pytest.approx(-monthly(rest, "unearned")[3, 0], abs=1e-6)
    assert total["contract asset"] == pytest.approx(monthly(rest, "unbilled")[3, 0], abs=1e-6)
    terms = FORMULAS["revenue", "contracts"].terms
    assert sum(t.sign * t.read(rest, 0, 0) for t in terms) == pytest.approx(monthly(rest, "revenue")[:, 0], abs=1e-6)
