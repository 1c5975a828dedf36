"""One event of one firm: how much of the day's move the benchmark does not explain, and what it would be in USD (V-06).

Closes give close-to-close moves only: what happened before the market and at the open is listed as somebody quoted it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from ..book.market import Event
from ..closes import Closes
from ..errors import QuestionError
from ..market import Abnormal, MarketModel, abnormal, market_model, without_name

if TYPE_CHECKING:
    from ..book.terms import Book

WINDOW = 120  # trading days of estimation, as is usual
GAP = 5  # trading days between the window and the event
FEWEST = 30  # days left in the window, below which no study is made
IMPLIED = (("value", "abnormal"), ("low", "low"), ("high", "high"))
CLOSE_ONLY = "closes give the move from close to close; before the market and at the open stand as quoted, not checked"


@dataclass(frozen=True)
class Wanted:
    """What to study: an event's name or its date; whose; against which ticker; how long a window."""

    event: str | None = None
    of: str | None = None
    benchmark: str | None = None
    window: int = WINDOW


@dataclass(frozen=True)
class Day:
    """The rows of the closes that matter: the reaction, and the days of the window with earnings days out."""

    row: int
    window: np.ndarray
    left_out: tuple[date, ...]


def chosen(book: Book, wanted: Wanted) -> Event:
    """The event asked for; the book's first one unless told. Raises QuestionError where there is none."""
    named = {n: e for n, e in book.events.items() if wanted.of in (None, e.of)}
    if wanted.event is None:
        if named:
            return next(iter(named.values()))
        raise QuestionError("this book declares no event; give --event DATE and --of COMPANY, or add `events:`")
    if wanted.event in named:
        return named[wanted.event]
    try:
        day = date.fromisoformat(wanted.event)
    except ValueError:
        known = ", ".join(book.events) or "none"
        raise QuestionError(f"'{wanted.event}' is neither a date nor an event of this book ({known})") from None
    for event in named.values():
        if event.day == day:
            return event
    if wanted.of is None:
        raise QuestionError(f"no event of this book lies on {day}; say whose it is: --of COMPANY")
    return Event(title=f"{wanted.of}, {day}", of=wanted.of, day=day, when="before open")


def ticker_of(book: Book, company: str) -> str:
    """A company's ticker. Raises QuestionError where it has none."""
    name = company.removeprefix("companies.")
    if name not in book.companies:
        raise QuestionError(f"no company is called '{name}'; this book has {', '.join(book.companies)}")
    found = book.companies[name].ticker
    if not found:
        raise QuestionError(f"companies.{name} states no `ticker`")
    return found


def reaction(closes: Closes, day: date, when: str) -> int:
    """Row of the first close that knows: the day itself, or the next trading day after an evening. Past the file's end: its length."""
    if when == "before open":
        return closes.day_of(day)
    return sum(found <= day for found in closes.days)


def day_of(book: Book, closes: Closes, event: Event, window: int) -> Day:
    """The event's row, and the window before it without the days on which the firm's earnings moved the price."""
    row = reaction(closes, event.day, event.when)
    if not 0 < row < len(closes.days):
        raise QuestionError(f"the closes hold no close before and after {event.day}; they run {closes.days[0]} to {closes.days[-1]}")
    reported = {reaction(closes, e.day, e.when) for e in book.companies[event.of].earnings if closes.days[0] < e.day <= closes.days[-1]}
    last = row - GAP
    rows = np.arange(max(last - window, 1), max(last, 1))
    out = tuple(closes.days[r] for r in rows if r in reported)
    return Day(row, np.array([r for r in rows if r not in reported], int), out)


def benchmarks_of(book: Book, closes: Closes, wanted: Wanted) -> list[str]:
    """The benchmark asked for, or those of the book that the closes hold."""
    if wanted.benchmark is not None:
        closes.of(wanted.benchmark)
        return [wanted.benchmark]
    named = list(book.market.benchmarks) if book.market else []
    found = [name for name in named if closes.has(name)]
    if not found:
        told = f"the book names {', '.join(named)}" if named else "the book names none under `market`"
        raise QuestionError(f"no benchmark: {told}, the closes hold {', '.join(closes.tickers)}; give --benchmark TICKER")
    return found


def share_of(book: Book, benchmark: str, company: str) -> float:
    """How much of the benchmark the company is, as the book states it; 0 where it is no part of it."""
    found = book.market.benchmarks.get(benchmark) if book.market else None
    held = found.holds.get(company) if found else None
    return held.median() if held is not None else 0.0


def one(book: Book, closes: Closes, event: Event, day: Day, benchmark: str) -> dict[str, Any]:
    """The market model against one benchmark and what is abnormal on the day."""
    ticker, share = ticker_of(book, event.of), share_of(book, benchmark, event.of)
    if benchmark == ticker:
        raise QuestionError(f"the benchmark is the firm itself, {ticker}")
    firm = closes.returns(ticker)
    index = without_name(closes.returns(benchmark), firm, share)
    known = int(np.count_nonzero(~np.isnan(firm[day.window]) & ~np.isnan(index[day.window])))
    if known < FEWEST:
        raise QuestionError(f"{known} days of both {ticker} and {benchmark} before the event; an estimation needs {FEWEST}")
    model: MarketModel = market_model(firm[day.window], index[day.window])
    found: Abnormal = abnormal(model, float(firm[day.row]), float(index[day.row]))
    return {
        "benchmark": benchmark,
        "name_taken_out": share,
        "days": model.days,
        "alpha": model.alpha,
        "beta": model.beta,
        "residual": model.sigma,
        "benchmark_move": float(index[day.row]),
        "expected": model.expected(float(index[day.row])),
        "abnormal": found.value,
        "se": found.error,
        "ratio": found.ratio,
        "p_value": found.p_value,
        "low": found.low,
        "high": found.high,
    }


def study(book: Book, closes: Closes, wanted: Wanted) -> dict[str, Any]:
    """The whole study, ready for JSON; nothing in it comes from the model but the shares outstanding."""
    closes = closes.until(book.as_of.date())
    event = chosen(book, wanted)
    ticker = ticker_of(book, event.of)
    day = day_of(book, closes, event, wanted.window)
    before, after = float(closes.of(ticker)[day.row - 1]), float(closes.of(ticker)[day.row])
    rows = [one(book, closes, event, day, name) for name in benchmarks_of(book, closes, wanted)]
    shares = book.companies[event.of].shares
    cap = before * shares.median() if shares is not None else None
    found = {
        "event": event.title, "company": event.of, "contract": event.contract, "ticker": ticker,
        "day": str(closes.days[day.row]), "day_before": str(closes.days[day.row - 1]),
        "close_before": before, "close": after, "move": after / before - 1.0,
        "earnings_days_out": [str(d) for d in day.left_out], "benchmarks": rows, "market_value_before": cap,
        "implied": None if cap is None else {name: rows[0][key] * cap for name, key in IMPLIED},
    }  # fmt: skip
    return found | _told(event, cap) | {"others": _others(closes, ticker, day.row), "closes_left_out": closes.left_out, "note": CLOSE_ONLY}


def _told(event: Event, cap: float | None) -> dict[str, Any]:
    """What others quoted of the day, and what else was news."""
    quoted = [
        {"what": q.what, "move": q.move.median(), "source": q.source or event.source}
        | {"implied": None if cap is None else q.move.median() * cap}
        for q in event.quoted
    ]
    return {"quoted": quoted, "news": [{"title": n.title, "day": str(n.day), "source": n.source} for n in event.news]}


def _others(closes: Closes, ticker: str, row: int) -> dict[str, float]:
    """What all other tickers of the file did that day."""
    moves = {t: float(closes.returns(t)[row]) for t in closes.tickers if t != ticker}
    return {t: m for t, m in moves.items() if not np.isnan(m)}
