"""Azure's LLM inference traces (TIMESTAMP,ContextTokens,GeneratedTokens) -> a Parquet file of requests, one trace a file.

Source  Azure/AzurePublicDataset: AzureLLMInferenceDataset2023 and 2024, README
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from .convert import Judge, made_beside, readable, write
from .foreign import Foreign, Rule, numbered, table_of
from .jobs import Refusals, TraceError
from .ordered import Runs

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
    with made_beside(out, files) as folder:
        refusals, traces = Refusals(" ".join(str(f) for f in files)), dict[str, list[tuple[Runs, int]]]()
        for number, file in enumerate(files):
            judge, begun = Judge(_azure(readable(file))), list[int]()
            (folder / str(number)).mkdir()
            runs = Runs(folder / str(number))
            for part in judge.parts():
                begun += part["time"].sort().head(1).to_list()
                runs.add(part.select("time", "input", "output"))
            refusals += judge.refusals()
            traces.setdefault(file.stem, []).append((runs, min(begun, default=0)))
        if refusals.left_out and not skip_bad:
            raise TraceError(refusals.faults(), refusals.issues)
        count = Count()
        frames = count.of(_arrivals(folder, traces))
        write(frames, folder, out)
        return Requests(str(out), count.requests, count.tokens[0], count.tokens[1], count.last / 1e9, refusals)


class Count:
    """Requests, tokens in and out, and the last arrival in ns, of frames as they pass."""

    def __init__(self) -> None:
        self.requests, self.tokens, self.last = 0, [0, 0], 0

    def of(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same frames, as they are written."""
        for frame in frames:
            self.requests += frame.height
            self.tokens = [before + int(frame[name].sum()) for before, name in zip(self.tokens, ("input", "output"), strict=True)]
            self.last = max(self.last, int(frame["time"].max() or 0))  # type: ignore[arg-type]
            yield frame.select(
                "trace", (c("time") / 1e9).alias("arrival_s"), c("input").alias("input_tokens"), c("output").alias("output_tokens"),
                "begins", pl.lit(None, pl.List(pl.Int32)).alias("prefix_blocks"),
            )  # fmt: skip


def _arrivals(folder: Path, traces: dict[str, list[tuple[Runs, int]]]) -> Iterator[pl.DataFrame]:
    """Requests trace by trace, each file from its first arrival; files of one name are one trace."""
    for number, name in enumerate(sorted(traces)):
        parts = (_from_first(part, first) for runs, first in traces[name] for part in runs.stretches())
        if len(traces[name]) > 1:
            (folder / f"both-{number}").mkdir()
            both = Runs(folder / f"both-{number}")
            for part in parts:
                both.add(part)
            parts = (part.sort("time", maintain_order=True) for part in both.stretches())
        for part in parts:
            yield part.select(pl.lit(name).alias("trace"), "time", "input", "output", "begins")


def _from_first(part: pl.DataFrame, first: int) -> pl.DataFrame:
    """Sorted, from the first arrival of the file, which stands beside each."""
    begins = pl.lit(first, pl.Int64).cast(pl.Datetime("ns")).alias("begins")
    return part.sort("time", maintain_order=True).with_columns(c("time") - first, begins)


def _azure(file: Path) -> Foreign:
    """Times in whole nanoseconds, so that ticks of 100 ns survive; `time`, `input`, `output` beside the codes."""
    columns, batches = table_of(file, COLUMNS, "Azure publishes TIMESTAMP,ContextTokens,GeneratedTokens")
    return Foreign(file, columns, (_requests(lazy, columns) for lazy in batches), (), tuple(rule[1:] for rule in RULES))


def _requests(lazy: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
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
    return lazy.with_columns(
        cell.otherwise(None).alias("cell"), pl.lit(0.0).alias("gpus"), pl.lit(0.0).alias("duration_s"), pl.lit("none").alias("censored"),
        c("row").cast(pl.Int64),
    ).drop([f"raw_{name}" for name in columns])  # fmt: skip
