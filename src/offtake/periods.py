"""Periods of a horizon: calendar views and each company's fiscal calendar (T-01)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Period:
    """A label, the first and last month index, and whether the horizon cuts it."""

    label: str
    first: int
    last: int
    cut: bool


def _label(month: int, by: str, year_end: int) -> tuple[str, int]:
    """Label of the period that absolute month `month` (year x 12 + month - 1) lies in, and the period's full length."""
    year, zero = divmod(month, 12)
    if by == "month":
        return f"{year}-{zero + 1:02d}", 1
    if by == "quarter":
        return f"{year}Q{zero // 3 + 1}", 3
    if by == "calendar-year":
        return f"{year}", 12
    into = (zero - year_end) % 12  # months since the fiscal year began
    fiscal = year + (1 if zero >= year_end else 0)  # a fiscal year is named after the calendar year it ends in
    if by == "fiscal-quarter":
        return f"FY{fiscal}Q{into // 3 + 1}", 3
    if by == "fiscal-year":
        return f"FY{fiscal}", 12
    return "total", 0


def periods_of(start: int, months: int, by: str, fiscal_year_end: int) -> list[Period]:
    """Periods of a horizon of `months` from absolute month `start`, in order; `fiscal_year_end` is the last month, 1 to 12."""
    found: list[Period] = []
    for m in range(months):
        label, length = _label(start + m, by, fiscal_year_end)
        if found and found[-1].label == label:
            first = found[-1].first
            found[-1] = Period(label, first, m, length > 0 and m - first + 1 < length)
        else:
            found.append(Period(label, m, m, length > 1))
    return found
