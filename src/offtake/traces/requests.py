"""Azure's LLM inference traces (TIMESTAMP,ContextTokens,GeneratedTokens) -> a Parquet file of requests, one trace a file.

Source  Azure/AzurePublicDataset: AzureLLMInferenceDataset2023 and 2024, README
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import WriteError
from .convert import judge, made_beside, readable, stage
from .foreign import Foreign, Rule, numbered, table_of
from .jobs import Refusals, TraceError

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
WHEN = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S")
ZONE = r"(?:Z|[+-]\d\d:?\d\d)$"

c = pl.col

RULES: tuple[Rule, ...] = (
    (c("time").is_null(), "TIMESTAMP", "a time reads 2023-11-16 18:15:46.6805900", "mend it"),
    (c("zone").is_not_null() & ~c("zone").is_in(["Z", "+00:00", "+0000"]), "TIMESTAMP", "a time with a zone is in UTC", "convert it"),
    (c("input").is_null() | (c("input") < 0), "ContextTokens", "tokens are a whole number from 0", "mend it"),
    (c("output").is_null() | (c("output") < 0), "GeneratedTokens", "tokens are a whole number from 0", "mend it"),
)


@dataclass(frozen=True)
class Requests:
    """What was written: requests, tokens, and the longest span of a trace in seconds."""

    file: str
    requests: int
    input_tokens: int
    output_tokens: int
    span_s: float
    refusals: Refusals

    def to_dict(self) -> dict[str, Any]:
        return self.refusals.to_dict() | {
            "file": self.file, "requests": self.requests, "input_tokens": self.input_tokens, "output_tokens": self.output_tokens,
            "span_s": self.span_s,
        }  # fmt: skip


def convert_requests(files: Sequence[Path], out: Path, skip_bad: bool = False) -> Requests:
    """Write requests sorted by arrival within each trace. Raises TraceError with every row at fault unless `skip_bad`."""
    with made_beside(out) as folder:
        refusals, parts = Refusals(" ".join(str(f) for f in files)), []
        for number, file in enumerate(files):
            foreign = _azure(readable(file))
            staged = stage(foreign, folder / f"stage-{number}")
            refusals += judge(foreign, staged)
            good = staged.filter(c("skip") < 0)
            parts.append(good.select(pl.lit(file.stem).alias("trace"), (c("time") - c("time").min()).alias("arrival_s"), "input", "output",
                                     c("time").min().cast(pl.Datetime("ns")).alias("begins")))  # fmt: skip
        if refusals.left_out and not skip_bad:
            raise TraceError(refusals.faults(), refusals.issues)
        frame = pl.concat(parts).sort("trace", "arrival_s", maintain_order=True).collect(engine="streaming")
        if frame.is_empty():
            raise TraceError(f"{refusals.file}: no request is left")
        frame = frame.rename({"input": "input_tokens", "output": "output_tokens"})
        frame = frame.with_columns(c("arrival_s") / 1e9, pl.lit(None, pl.List(pl.Int32)).alias("prefix_blocks"))
        try:
            frame.write_parquet(folder / "whole.parquet")
            os.replace(folder / "whole.parquet", out)
        except OSError as error:
            raise WriteError(f"{out}: could not be written ({error.strerror})") from None
        span = float(frame["arrival_s"].max())  # type: ignore[arg-type]
        return Requests(str(out), frame.height, int(frame["input_tokens"].sum()), int(frame["output_tokens"].sum()), span, refusals)


def _azure(file: Path) -> Foreign:
    """Times in whole nanoseconds, so that ticks of 100 ns survive; `time`, `input`, `output` beside the codes."""
    lazy, columns = table_of(file, COLUMNS, "Azure publishes TIMESTAMP,ContextTokens,GeneratedTokens")
    bare = c("raw_TIMESTAMP").str.replace(ZONE, "").str.replace("T", " ", literal=True)
    times = [bare.str.to_datetime(pattern, strict=False, time_unit="ns") for pattern in WHEN]
    lazy = lazy.with_columns(
        pl.coalesce(*times).dt.epoch("ns").alias("time"), c("raw_TIMESTAMP").str.extract(f"({ZONE})").alias("zone"),
        c("raw_ContextTokens").cast(pl.Int32, strict=False).alias("input"),
        c("raw_GeneratedTokens").cast(pl.Int32, strict=False).alias("output"),
    ).with_columns(numbered([rule[0] for rule in RULES]).alias("skip"), pl.lit(-1, pl.Int32).alias("apart"))  # fmt: skip
    cell: Any = pl
    for number, (_, column, *_) in enumerate(RULES):
        cell = cell.when(c("skip") == number).then(c(f"raw_{column}"))
    lazy = lazy.with_columns(
        cell.otherwise(None).alias("cell"), pl.lit(0.0).alias("gpus"), pl.lit(0.0).alias("duration_s"), pl.lit("none").alias("censored"),
        c("row").cast(pl.Int64),
    ).drop([f"raw_{name}" for name in columns])  # fmt: skip
    return Foreign(file, columns, [lazy], (), tuple(rule[1:] for rule in RULES))
