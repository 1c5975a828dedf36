"""GPU time added up exactly, so that a sum over batches does not depend on where they end.

Units   GPU-seconds, whole millionths of one each; a Python integer holds any number of them
"""

from __future__ import annotations

import polars as pl

MILLION = 1_000_000
HIGH = float(1 << 20)  # GPU-seconds are added in two parts, each of which fits 64 bits for a billion jobs
HOUR = 3600.0


def gpu_time(frame: pl.DataFrame, seconds: pl.Expr) -> int:
    """Millionths of a GPU-second of all rows, nulls being none: each rounded, then added."""
    whole = (seconds / HIGH).floor()
    low = ((seconds - whole * HIGH) * MILLION).round()
    high, rest = frame.select(whole.cast(pl.Int64).sum().alias("high"), low.cast(pl.Int64).sum().alias("low")).row(0)
    return int(high) * (1 << 20) * MILLION + int(rest)


def gpu_hours(millionths: int) -> float:
    """Of whole millionths of a GPU-second."""
    return millionths / MILLION / HOUR
