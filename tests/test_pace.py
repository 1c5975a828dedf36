"""Pace: glide path, shortfall and the month of no return worked by hand, and against a twin that a person would write."""

import csv
import json
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from offtake import front
from offtake.cli import app
from offtake.reports.pace import pace_text
from offtake.studies.pace import Paths, periods, spread

from .deals import book_of
from .test_focus import SOUND, written

HOURS = {"form": "take_or_pay", "total": "440000 USD", "term": "3 months", "price": "2 USD/GPU-h", "take_or_pay": "80 %",
         "true_up": "term", "ramp": "calendar", "at_end": "lapse", "recognition": "usage"}  # fmt: skip
MONEY = {"form": "build_up", "total": "300 k USD", "term": "3 months", "price": "2 USD/GPU-h", "true_up": "term",
         "recognition": "usage"}  # fmt: skip


def pace_of(contract: dict[str, Any], work: dict[str, str], other: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = front.run(book_of(contract, work, other), paths=64).pace()["contracts"][0]
    return found


def uses(*hours: int) -> dict[str, str]:
    return {f"2026-{m:02d}": f"{h} GPU-h/month" for m, h in enumerate((*hours, 0), 1)}


@pytest.mark.parametrize(
    ("hours", "shortfall", "month", "from_start"),
    [
        ((74_400, 67_200, 0), 31_200, "2026-03", 0.0),  # 141,600 + 74,400 could still reach 172,800 at the end of February
        ((40_000, 40_000, 0), 92_800, "2026-02", 0.0),  # 40,000 + 141,600 could; 80,000 + 74,400 cannot
        ((20_000, 20_000, 74_400), 58_400, "2026-01", 0.0),  # 20,000 + 67,200 + 74,400 = 161,600
        ((74_400, 67_200, 31_200), 0, None, 0.0),
    ],
)
def test_hours_by_hand(hours: tuple[int, ...], shortfall: float, month: str | None, from_start: float) -> None:
    """Due: 0.8 x 216,000 = 172,800 h, 57,600 a month in a straight line; by the schedule 59,520, 53,760 and 59,520."""
    found = pace_of(HOURS, uses(*hours))
    assert found["unit"] == "GPU-h" and [row["month"] for row in found["months"]] == ["2026-01", "2026-02", "2026-03"]
    assert [row["straight_line"] for row in found["months"]] == pytest.approx([57_600, 115_200, 172_800], rel=1e-12)
    assert [row["schedule"] for row in found["months"]] == pytest.approx([59_520, 113_280, 172_800], rel=1e-12)
    assert [row["forecast"]["p50"] for row in found["months"]] == pytest.approx(np.cumsum(hours), rel=1e-12)
    (row,) = found["true_ups"]
    assert row["true_up"] == "2026-03" and row["shortfall"]["mean"] == pytest.approx(shortfall, rel=1e-9)
    assert row["short"]["probability"] == float(month is not None) and row["from_the_start"]["probability"] == from_start
    assert [(m["month"], m["probability"]) for m in row["unavoidable"]] == ([] if month is None else [(month, 1.0)])
    rate = found["run_rate"]
    assert rate["required"] == pytest.approx(57_600) and rate["forecast"] == pytest.approx(sum(hours) / 3)
    assert rate["possible"] == pytest.approx(72_000) and not found["open_at_the_end"]


@pytest.mark.parametrize(
    ("total", "month", "from_start"),
    [("300 k USD", "2026-03", 0.0), ("310 k USD", "2026-02", 0.0), ("430 k USD", "2026-01", 0.0), ("433 k USD", "2026-01", 1.0)],
)
def test_usd_by_hand(total: str, month: str, from_start: float) -> None:
    """40,000 h a month are 80,000 USD; the hall could give 148,800, 134,400 and 148,800, in all 432,000. After February 160,000 + 148,800
    = 308,800 are in reach, after January 80,000 + 283,200 = 363,200."""
    found = pace_of(MONEY | {"total": total}, uses(40_000, 40_000, 40_000))
    (row,) = found["true_ups"]
    assert found["unit"] == "USD" and row["shortfall"]["p95"] == pytest.approx(float(total[:3]) * 1000 - 240_000)
    assert row["unavoidable"][0]["month"] == month and row["from_the_start"]["probability"] == from_start


def test_every_month_for_itself() -> None:
    """Reserved: 216,000 h are paid, 10,000 used a month. Nothing cures January, which is lost by its end."""
    found = pace_of(
        {"form": "reserved", "total": "440 k USD", "term": "3 months", "price": "2 USD/GPU-h", "true_up": "month", "ramp": "calendar",
         "at_end": "lapse", "recognition": "reserved"}, uses(74_400, 10_000, 10_000))  # fmt: skip
    (row,) = found["true_ups"]
    assert row["shortfall"]["mean"] == pytest.approx(67_200 + 74_400 - 20_000) and row["unavoidable"][0]["month"] == "2026-02"


def test_a_true_up_beyond_the_horizon_is_not_known() -> None:
    found = pace_of(MONEY | {"term": "36 months"}, uses(40_000))
    assert found["true_ups"] == [] and found["open_at_the_end"]
    whole = {"stamp": {"book": "0" * 64, "seed": 1, "paths": 64}, "contracts": [found]}
    assert "A true-up lies beyond the horizon" in pace_text(whole, 80)


def twin(p: Paths) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lost, hopeless and shortfall, path by path and period by period."""
    months, paths = p.due.shape
    lost, hopeless, short = np.zeros((months, paths), bool), np.zeros((months, paths), bool), np.zeros((months, paths))
    for i in range(paths):
        begin = 0
        for end in [m for m in range(months) if p.closes[m, i]]:
            for m in range(begin, end + 1):
                lost[m, i] = p.taken[m, i] + sum(p.possible[n, i] for n in range(m + 1, end + 1)) < p.due[end, i]
            before = p.taken[begin, i] - p.month[begin, i]
            hopeless[begin, i] = before + sum(p.possible[n, i] for n in range(begin, end + 1)) < p.due[end, i]
            short[end, i] = max(p.due[end, i] - p.taken[end, i], 0.0)
            begin = end + 1
    return lost, hopeless, short


def random_paths(seed: int, months: int = 14, paths: int = 32) -> Paths:
    """Whole numbers, so that sums are exact; periods of any length, the last one open on some paths."""
    r = np.random.default_rng(seed)
    possible = r.integers(0, 20, (months, paths)).astype(float)
    month = np.floor(possible * r.random((months, paths)) * r.random(paths))
    closes = (r.random((months, paths)) < 0.25).astype(float)
    due, taken = np.zeros((months, paths)), np.zeros((months, paths))
    for i in range(paths):
        owed, got = float(r.integers(0, 10)), float(r.integers(0, 5))
        for m in range(months):
            owed, got = owed + float(r.integers(0, 12)), got + month[m, i]
            due[m, i], taken[m, i] = owed, got
            owed, got = (0.0, 0.0) if closes[m, i] else (owed, got)
    return Paths(due, taken, month, possible, closes)


@pytest.mark.parametrize("seed", range(6))
def test_month_of_no_return_against_its_twin(seed: int) -> None:
    p = random_paths(seed)
    lost, hopeless, short = twin(p)
    found = periods(p)
    assert np.array_equal(found.lost, lost) and np.array_equal(found.hopeless, hopeless)
    assert np.array_equal(found.shortfall, short)
    assert lost.any() and hopeless.any() and not lost.all()


def test_errors_are_those_of_the_replicates() -> None:
    """Four paths are four replicates of one path each: the error of their mean is s / 2; a single path has none."""
    assert spread(np.array([1.0, 2.0, 3.0, 6.0]))["se"] == pytest.approx(np.sqrt(14 / 3) / 2)
    assert spread(np.array([1.0, 2.0, np.nan, 3.0, 6.0]))["mean"] == 3.0
    assert spread(np.array([7.0]))["se"] is None and spread(np.array([7.0]))["se_p50"] is None


def test_the_verb_with_an_export(tmp_path: Any) -> None:
    """40 USD of January and 40 of February stand beside the forecast; the export is of one contract."""
    rows = [{k: v.replace("2025-08", "2026-02").replace("2025-07", "2026-01") for k, v in SOUND.items()} for _ in range(4)]
    rows += [{k: v.replace("2025-08", "2026-03").replace("2025-07", "2026-02") for k, v in SOUND.items()} for _ in range(4)]
    file = written(tmp_path, *rows)
    run = front.run(book_of(MONEY, uses(40_000)), paths=64)
    months = run.pace("contracts.deal", front.read_export(file))["contracts"][0]["months"]
    assert [row["consumed"] for row in months] == [40.0, 80.0, None]
    told = CliRunner().invoke(app, ["pace", "two-clouds", "--focus", str(file), "--paths", "64"])
    assert told.exit_code == 1 and "say which with --of" in str(told.exception)
    told = CliRunner().invoke(app, ["pace", "two-clouds", "--of", "contracts.south", "--focus", str(file), "--paths", "64", "--json"])
    found = json.loads(told.stdout)["contracts"]
    assert [row["consumed"] for row in found[0]["months"][:3]] == [20.0, 40.0, None]  # 5 GPU-h a row


@pytest.mark.parametrize("width", [80, 120])
def test_text_fits(width: int) -> None:
    found = front.run(front.load("two-clouds"), paths=64).pace()
    lines = pace_text(found, width).splitlines()
    assert max(len(line) for line in lines) <= width and not any("not shown" in line for line in lines)
    assert all(x["unit"] in ("USD", "GPU-h") for x in found["contracts"])


def test_the_shipped_book_starts_in_the_middle_of_its_commitment() -> None:
    """GPU-hours x 2.60 by day, transfer at 50 USD a TB, the storage plan's 8,000 a month, less the 624 billed twice in July."""
    with (front.BOOKS / "small-lab-focus.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    hours = sum(int(r["ConsumedQuantity"]) for r in rows if r["ConsumedUnit"] == "GPU-Hours")
    transfer = sum(120 + 15 * m for m in range(6))
    assert hours == sum(24 * (88 + 6 * (d.month - 5) + (d.day - 1) * 7 % 11 - 14 * (d.weekday() > 4)) for d in days()) - 240
    found = front.run(front.load("small-lab"), paths=256).pace("contracts.spend")["contracts"][0]
    past = [row["consumed"] for row in found["months"][:6]]
    assert past[-1] == pytest.approx(hours * 2.6 + transfer * 50 + 6 * 8_000, rel=1e-9)
    assert found["months"][6]["month"] == "2025-11" and found["run_rate"]["required"] == pytest.approx((6e6 - past[-1]) / 18, rel=1e-9)
    (row,) = found["true_ups"]
    assert row["true_up"] == "2027-04" and 0.1 < row["short"]["probability"] < 0.6
    assert sum(m["probability"] for m in row["unavoidable"]) == pytest.approx(row["short"]["probability"])


def days() -> list[date]:
    return [date(2025, 5, 1) + timedelta(days=n) for n in range(184)]
