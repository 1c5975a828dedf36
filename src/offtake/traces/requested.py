"""Rows of a request trace: what each states, every fault with its place, and whether times are seconds.

Order   of the file: rows count from 1
Memory  the columns that are read; of rows at fault the first NAMED
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..errors import Issue
from .jobs import NAMED, SHOWN, TraceError
from .rules import EPOCH_2001

Rule = tuple[pl.Expr, str, str, str]  # breaks, column, rule, fix

YEAR = 366.0 * 86_400.0
NUMBERS = ("arrival_s", "input_tokens", "output_tokens")

c = pl.col

TYPES = {
    "trace": ("a request names its trace in text", "write the name of the trace beside each request"),
    "arrival_s": ("a time is a number of seconds since the trace's first request", "write it as a number, as in 86400.0"),
    "input_tokens": ("tokens are a number", "write them as a number"),
    "output_tokens": ("tokens are a number", "write them as a number"),
    "begins": ("`begins` is the date and time at which the trace began", "write it as a Parquet timestamp, or leave the column out"),
}
NAMELESS: Rule = (c("trace").is_null(), "trace", "a request names its trace", "name it, or leave the request out")


def _tokens(name: str) -> list[Rule]:
    return [
        (c(name).is_null(), name, "a request states its tokens", "write them (0 where there are none), or leave the request out"),
        (~c(name).is_finite() | (c(name) < 0), name, "tokens are a finite number from 0", "mend it, or leave the request out"),
    ]


BEFORE = c("arrival_s").shift().is_finite() & (c("arrival_s") < c("arrival_s").shift())
RULES: tuple[Rule, ...] = (
    (c("arrival_s").is_null(), "arrival_s", "a request states when it came, in seconds", "write it, or leave the request out"),
    (~c("arrival_s").is_finite() | (c("arrival_s") < 0), "arrival_s", "a time is a finite number of seconds from 0", "mend it"),
    (BEFORE, "arrival_s", "requests of a trace stand in the order of their coming", "sort them by arrival_s"),
    *_tokens("input_tokens"),
    *_tokens("output_tokens"),
)
ONCE: Rule = (
    c("begins").ne_missing(c("begins").first()), "begins", "a trace began once: each of its requests states the same `begins`",
    "write one, or leave the column out",
)  # fmt: skip


def typed(file: Path, frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Rows with their number as `row`, traces as text, numbers as Float64; `columns` are all of the file's.

    Raises TraceError where a column is of another type, or a request names no trace."""
    issues = [_of_type(file, frame[name], columns) for name in frame.columns if not _fits(name, frame.schema[name])]
    if issues:
        raise TraceError("\n".join(issue.to_text() for issue in issues), tuple(issues))
    kinds = [c("trace").cast(pl.String), *(c(name).cast(pl.Float64) for name in NUMBERS)]
    rows = frame.with_columns(*kinds).with_row_index("row", 1)
    _refuse(file, rows, [NAMELESS], columns)
    return rows


def _fits(name: str, kind: pl.DataType) -> bool:
    if kind == pl.Null:
        return True  # a fault of its rows, and no `begins`
    if name == "trace":
        return kind == pl.String or isinstance(kind, (pl.Categorical, pl.Enum))
    return isinstance(kind, pl.Datetime) if name == "begins" else kind.is_numeric()


def _of_type(file: Path, column: pl.Series, columns: Sequence[str]) -> Issue:
    first = column.drop_nulls().head(1).to_list()
    got = f"{column.dtype}" + (f", as in {str(first[0])[:60]!r}" if first else "")
    return Issue(str(file), 1, columns.index(column.name) + 1, column.name, got, *TYPES[column.name])


def check_requests(file: Path, rows: pl.DataFrame, columns: Sequence[str]) -> None:
    """Rows of one trace, as `typed` makes them. Raises TraceError with every row at fault, and where times are in another unit."""
    _refuse(file, rows, [*RULES, *([ONCE] if "begins" in rows.columns else [])], columns)
    first, last = float(rows["arrival_s"][0]), float(rows["arrival_s"][-1])
    span, what = last - first, f"{first:,.0f} to {last:,.0f}"
    if first >= EPOCH_2001:
        told = (f"{what}: that is a calendar time, since 1970", "take off the time of the first request, and write seconds")
    elif span > YEAR:
        told = (
            f"{what}: as seconds {span / 86_400:,.0f} days, as milliseconds {span / 3_600_000:,.1f} h",
            "divide the column by 1,000 (or by 1,000,000 if it holds microseconds); of a longer trace give a year",
        )  # fmt: skip
    else:
        return
    rule = "times are seconds since the trace's first request, and span a year at the most"
    issue = Issue(str(file), int(rows["row"][-1]), columns.index("arrival_s") + 1, "arrival_s", told[0], rule, told[1])
    raise TraceError(issue.to_text(), (issue,))


def _refuse(file: Path, rows: pl.DataFrame, rules: Sequence[Rule], columns: Sequence[str]) -> None:
    """Raises TraceError with what broke the rules: the first of each by name, all counted."""
    breaks = rows.select(rule[0].fill_null(False).alias(str(number)) for number, rule in enumerate(rules))
    issues, lines, shown = list[Issue](), list[str](), list[Issue]()
    for number, (_, column, rule, fix) in enumerate(rules):
        if count := int(breaks[str(number)].sum()):
            bad = rows.filter(breaks[str(number)]).head(NAMED).select("row", column)
            place = columns.index(column) + 1
            found = [Issue(str(file), row, place, column, _cell(got), rule, fix) for row, got in bad.iter_rows()]
            issues, shown = issues + found, shown + found[:SHOWN]
            lines.append(f"{count:,} row{'s' * (count != 1)}: {column}, {rule}")
    if issues:
        raise TraceError("\n".join([*(issue.to_text() for issue in shown), *lines]), tuple(sorted(issues)[:NAMED]))


def _cell(got: Any) -> str:
    return "nothing" if got is None else f"{got:,.10g}" if isinstance(got, float) else str(got)[:60]
