"""The load of a request trace: tokens a second step by step, and by the hour of the day.

Columns  trace, arrival_s, input_tokens, output_tokens; `begins`, the clock time of each trace's first request, where the file knows it.
Whole    a step counts where the trace covers it, a day as well; the last one too, where the last request comes within its last sixtieth
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from .jobs import TraceError

Array = np.ndarray[Any, Any]
HOUR, DAY = 3600.0, 86400.0
COLUMNS = ("trace", "arrival_s", "input_tokens", "output_tokens")


@dataclass(frozen=True)
class Load:
    """Tokens a second and requests (H,) in each step of `step` seconds, as the trace went; all its requests, their span in seconds, and the
    whole days in it."""

    trace: str
    begins: datetime | None
    requests: int
    span: float
    days: int
    step: float
    tokens: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Requests:
    """One trace: arrivals (N,) in seconds since the first, and what each weighs in output tokens (N,)."""

    trace: str
    begins: datetime | None
    at: Array
    tokens: Array

    @property
    def span(self) -> float:
        """Seconds from the first request to the last."""
        return float(self.at.max())

    def whole(self, step: float) -> int:
        """How many steps the trace covers."""
        return int((self.span + step / 60.0) // step)


def read_requests(file: Path, trace: str | None, input_weight: float) -> Requests:
    """One trace of a file; an input token counts `input_weight` of an output token.

    Raises TraceError where the file is no request trace, has rows at fault, or holds several and `trace` names none of them."""
    import polars as pl

    from .requested import check_requests, typed

    if not file.is_file():
        raise TraceError(f"{file.name} is not there")
    try:
        known = pl.read_parquet_schema(file)
        frame = pl.read_parquet(file, columns=[*COLUMNS, *(["begins"] if "begins" in known else [])])
    except (pl.exceptions.PolarsError, OSError):
        raise TraceError(f"{file.name}: a request trace is a Parquet file with {', '.join(COLUMNS)}") from None
    rows = typed(file, frame, list(known))
    names = rows["trace"].unique().sort().to_list()
    if not names:
        raise TraceError(f"{file.name} holds no request")
    if trace is None and len(names) != 1:
        raise TraceError(f"{file.name} holds {', '.join(names)}: `trace` says which one")
    if trace is not None and trace not in names:
        raise TraceError(f"{file.name} holds {', '.join(names)}, not {trace}")
    mine = rows.filter(pl.col("trace") == (trace or names[0]))
    check_requests(file, mine, list(known))
    at = mine["arrival_s"].to_numpy()
    tokens = mine["output_tokens"].to_numpy() + input_weight * mine["input_tokens"].to_numpy()
    begins = mine["begins"][0] if "begins" in mine.columns else None
    return Requests(trace or names[0], begins, at - at.min(), tokens)


def after_midnight(at: datetime) -> float:
    """Seconds since the midnight before, by the clock of `at`."""
    return (at - at.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()


def load_of(file: Path, trace: str | None, input_weight: float, step: float) -> Load:
    """Tokens a second in each whole step of a trace; of all of it, where it is shorter than a step.

    Raises TraceError as `read_requests`."""
    found = read_requests(file, trace, input_weight)
    days = found.whole(DAY)
    steps = max(found.whole(step), int(days * DAY // step))
    about = (found.trace, found.begins, len(found.at), found.span, days)
    if steps == 0:
        length = max(found.span, 1.0)
        return Load(*about, length, (float(found.tokens.sum()) / length,), (len(found.at),))
    place = (found.at // step).astype(int)
    sums, counts = (np.bincount(place, weights=weights, minlength=steps + 1)[:steps] for weights in (found.tokens, None))
    return Load(*about, step, tuple((sums / step).tolist()), tuple(counts.tolist()))


def by_hour(found: Requests, begins: float) -> Array:
    """(D, 24) tokens by day of the trace and clock hour, in whole days from its first request, which came `begins` seconds after midnight.

    Raises TraceError where the trace is shorter than a day."""
    days = found.whole(DAY)
    if days == 0:
        raise TraceError(f"{found.trace} spans {found.span / HOUR:,.1f} h: a profile of the day takes a whole day at least")
    inside = found.at < days * DAY
    at, tokens = found.at[inside], found.tokens[inside]
    hour = ((at + begins) % DAY // HOUR).astype(int)
    return np.bincount((at // DAY).astype(int) * 24 + hour, weights=tokens, minlength=days * 24).reshape(days, 24)
