"""The back-test in the report: PIT histogram and coverage as charts, scores as a table with the weak points in words (E-05)."""

from __future__ import annotations

from typing import Any

from ..units import format_value
from .asked import Run
from .backtest import PATHS, back_test, past_quarters
from .calibration import FIFTHS, LEVELS, of_series, together

SECTION = "calibration"


def panels(run: Run) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Charts and the table; nothing where no company of the book names its series. The numbers of `offtake backtest` of this seed."""
    book = run.plan.book
    if not any(company.history for company in book.companies.values()):
        return [], []
    dates = past_quarters(book)
    scores = back_test(book, dates, min(PATHS, run.stamp.paths), run.stamp.seed)
    found = [one for one in map(of_series, scores) if one is not None]
    whole = together(found)
    if whole is None:
        return [], []
    made = f"As of {dates[0]} to {dates[-1]}, up to four quarters ahead, by the rule of the back-test, with what was known on each date."
    return [_histogram(whole, found), _coverage(found)], [_table(found, whole, made)]


def _histogram(whole: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    low, high = whole["band"]
    labels = [f"PIT {k / FIFTHS:.1f} to {(k + 1) / FIFTHS:.1f}" for k in range(FIFTHS)]
    even = {"name": f"{whole['quarters']} fair draws", **_flat(low, 1.0 / FIFTHS, high, FIFTHS)}
    lines = [{"name": f"all {whole['series']} series", "values": whole["fifths"]}]
    note = (
        f"Where what came lay among the values of its forecast: {whole['forecasts']} forecasts of {whole['quarters']} quarters of "
        f"{whole['series']} series, as if the surprises of series were independent. The bar is what chance leaves a fifth in nine cases "
        "of ten."
    )
    return _chart("pit", "PIT histogram of past forecasts", labels, [even], lines, note)


def _coverage(found: list[dict[str, Any]]) -> dict[str, Any]:
    bands = [
        {"name": one["series"]} | {
            "p05": [c["low"] for c in one["coverage"]], "p25": [None] * len(LEVELS), "p50": [c["held"] for c in one["coverage"]],
            "p75": [None] * len(LEVELS), "p95": [c["high"] for c in one["coverage"]], "mean": [c["held"] for c in one["coverage"]],
        }
        for one in found
    ]  # fmt: skip
    note = "Share of what came that the interval held (tick), with its 90 % interval for as many trials as there are distinct quarters."
    lines = [{"name": "nominal", "values": list(LEVELS)}]
    labels = [f"interval of {100 * level:.0f} %" for level in LEVELS]
    return _chart("coverage", "Observed against nominal coverage", labels, bands, lines, note)


def _flat(low: float, middle: float, high: float, count: int) -> dict[str, list[float | None]]:
    return {"p05": [low] * count, "p25": [None] * count, "p50": [middle] * count, "p75": [None] * count, "p95": [high] * count,
            "mean": [middle] * count}  # fmt: skip


def _chart(
    name: str, title: str, labels: list[str], bands: list[dict[str, Any]], lines: list[dict[str, Any]], note: str
) -> dict[str, Any]:
    return {
        "id": name, "title": title, "unit": "share", "periods": labels, "bands": bands, "lines": lines, "note": note, "section": SECTION,
        "form": "bars",
    }  # fmt: skip


def _table(found: list[dict[str, Any]], whole: dict[str, Any], made: str) -> dict[str, Any]:
    columns: dict[str, str | None] = {"series": None, "forecasts": None, "quarters": None, "skill over a naive walk": "share"}
    *inner, outer = (f"{100 * level:.0f} %" for level in LEVELS)
    columns |= {f"{', '.join(inner)} held": None, f"{outer} held": None, "mean PIT": None}
    rows = [
        [one["series"], one["forecasts"], one["quarters"], one["skill"], *_held(one["coverage"]), f"{one['mean_pit']:.2f}"]
        for one in found
    ]
    weak = [f"{one['series']}: {'; '.join(one['weak']) or 'none beyond chance'}." for one in found]
    weak.append(f"All {whole['series']} series together: {'; '.join(whole['weak']) or 'none beyond chance'}.")
    note = (
        f"{made} Nothing was widened for it. In brackets the 90 % interval of the share; a weak point is what chance leaves in less than "
        "one case of ten, or a skill of nothing. Series with fewer than six distinct quarters are not back-tested.\nWeak points:\n"
        + "\n".join(weak)
    )
    return {
        "section": SECTION, "title": "How past forecasts of reported totals did", "columns": list(columns), "units": list(columns.values()),
        "rows": rows, "note": note,
    }  # fmt: skip


def _held(coverage: list[dict[str, Any]]) -> tuple[str, str]:
    """What the inner intervals held, and the outermost with the interval of that share."""
    *inner, outer = coverage
    low, high = (format_value(outer[key], "share") for key in ("low", "high"))
    return ", ".join(format_value(c["held"], "share") for c in inner), f"{format_value(outer['held'], 'share')} ({low} to {high})"
