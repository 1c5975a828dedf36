"""Invented closes for tests: a market, and names that follow it with noise of their own; the event day is known."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

EVENT = date(2025, 11, 3)


def trading_days(count: int, last: date) -> list[date]:
    found, day = [], last
    while len(found) < count:
        if day.weekday() < 5:
            found.append(day)
        day -= timedelta(days=1)
    return found[::-1]


def write_closes(file: Path, tickers: list[str], jumps: dict[tuple[str, date], float], count: int = 200, last: date = EVENT) -> Path:
    """Prices around 100; `jumps` add a return to a ticker on a day. The first ticker is the market."""
    r, days = np.random.default_rng(3), trading_days(count, last)
    market = r.normal(0.0005, 0.008, count)
    columns = []
    for i, ticker in enumerate(tickers):
        moves = market if i == 0 else 1.2 * market + r.normal(0, 0.012, count)
        moves = moves + np.array([jumps.get((ticker, d), 0.0) for d in days])
        columns.append(100 * np.cumprod(1 + moves))
    rows = [f"{d}," + ",".join(f"{c[i]:.8f}" for c in columns) for i, d in enumerate(days)]
    file.write_text(f"date,{','.join(tickers)}\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file
