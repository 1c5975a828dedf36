"""A file of daily closes: `date,TICKER,..`, one trading day a row, oldest first, adjusted for splits and dividends; blank is absent.

The file is the user's own: none is shipped, and nothing of it is kept but the numbers asked for.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from .errors import QuestionError

SHAPE = "closes read `date,TICKER,..`, then one row a trading day: 2025-01-02,220.22,.."


@dataclass(frozen=True)
class Closes:
    """Days (D,), tickers (T,), prices (D, T) in USD with NaN where absent; `left_out` days lay after the day of knowledge."""

    days: tuple[date, ...]
    tickers: tuple[str, ...]
    prices: np.ndarray
    left_out: int = 0

    def has(self, ticker: str) -> bool:
        return ticker in self.tickers

    def of(self, ticker: str) -> np.ndarray:
        """Prices of a ticker (D,). Raises QuestionError where the file has none."""
        if ticker not in self.tickers:
            raise QuestionError(f"the closes hold no '{ticker}'; they hold {', '.join(self.tickers)}")
        found: np.ndarray = self.prices[:, self.tickers.index(ticker)]
        return found

    def returns(self, ticker: str) -> np.ndarray:
        """Simple returns from the close before (D,); NaN on the first day and beside an absent close."""
        price = self.of(ticker)
        return np.concatenate(([np.nan], price[1:] / price[:-1] - 1.0))

    def last(self, ticker: str) -> float:
        """The newest close. Raises QuestionError where it is absent."""
        price = float(self.of(ticker)[-1])
        if math.isnan(price):
            raise QuestionError(f"the closes hold no price of '{ticker}' on {self.days[-1]}, their last day")
        return price

    def day_of(self, day: date) -> int:
        """Row of the first trading day on or after `day`. Raises QuestionError where the file ends before."""
        for row, found in enumerate(self.days):
            if found >= day:
                return row
        raise QuestionError(f"the closes end on {self.days[-1]}, before {day}")

    def until(self, day: date) -> Closes:
        """Without the days after `day` (T-02). Raises QuestionError where none is left."""
        count = sum(found <= day for found in self.days)
        if count == 0:
            raise QuestionError(f"no close is as old as {day}, the book's `as_of`")
        return Closes(self.days[:count], self.tickers, self.prices[:count], len(self.days) - count)


def read_closes(path: str | Path) -> Closes:
    """Read a file. Raises QuestionError with the line at fault."""
    file = Path(path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise QuestionError(f"{file}: the closes could not be read ({error}); {SHAPE}") from None
    if len(rows) < 2 or rows[0][0].strip().lower() != "date" or len(rows[0]) < 2:
        raise QuestionError(f"{file}:1: {SHAPE}")
    tickers = tuple(name.strip() for name in rows[0][1:])
    if len(set(tickers)) < len(tickers):
        raise QuestionError(f"{file}:1: a ticker stands twice")
    days: list[date] = []
    prices = np.empty((len(rows) - 1, len(tickers)))
    for n, row in enumerate(rows[1:]):
        days.append(_day(file, n + 2, row, days))
        prices[n] = _prices(file, n + 2, row[1:], len(tickers))
    return Closes(tuple(days), tickers, prices)


def _day(file: Path, line: int, row: Sequence[str], before: list[date]) -> date:
    try:
        found = date.fromisoformat(row[0].strip())
    except ValueError:
        raise QuestionError(f"{file}:{line}: '{row[0]}' is not a date; write 2025-11-03") from None
    if before and found <= before[-1]:
        raise QuestionError(f"{file}:{line}: {found} does not come after {before[-1]}")
    return found


def _prices(file: Path, line: int, cells: Sequence[str], count: int) -> list[float]:
    if len(cells) != count:
        raise QuestionError(f"{file}:{line}: {len(cells)} prices for {count} tickers")
    found = []
    for cell in cells:
        try:
            value = float(cell) if cell.strip() else math.nan
        except ValueError:
            raise QuestionError(f"{file}:{line}: '{cell}' is not a price") from None
        if value <= 0.0 or math.isinf(value):
            raise QuestionError(f"{file}:{line}: '{cell}' is not a price; leave the cell blank where there is none")
        found.append(value)
    return found
