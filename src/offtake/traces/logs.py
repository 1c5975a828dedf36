"""Public job logs but Slurm's: Standard Workload Format, Helios and ITP tables, Philly's JSON.

Source  swf: Feitelson, Parallel Workloads Archive, version 2.2 · helios: HeliosData, README, `cluster_log.csv`
        itp: elasticflow-traces (ASPLOS 2023), README, raw-traces · philly: msr-fiddle/philly-traces, README, `cluster_job_log`
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from .batches import line_batches
from .foreign import Foreign, Reason, Rule, judged, moment, number, table_of
from .jobs import TraceError

SWF = (
    "job", "submit", "wait", "run", "procs", "cpu_time", "memory", "asked_procs", "asked_time", "asked_memory", "status", "user",
    "group", "program", "queue", "partition", "preceding", "think",
)  # fmt: skip
SWF_STATUS = {"0": "FAILED", "1": "COMPLETED", "2": "PARTIAL", "3": "PARTIAL", "4": "PARTIAL", "5": "CANCELLED"}
HELIOS = ("job_id", "user", "vc", "gpu_num", "state", "submit_time", "start_time", "end_time", "duration")
ITP = ("job_id", "submission_time", "duration", "num_gpu")
PART = 20_000  # jobs of a JSON log that stand in memory at a time

c = pl.col


def swf(file: Path) -> Foreign:
    """A processor counts as a GPU. Lines 2 to 4 of a status are parts of a job that has a line of its own."""
    return _foreign(file, SWF, (judged(_swf(lines), SWF_APART, SWF_RULES) for lines in line_batches(file)), (SWF_APART, SWF_RULES))


def _swf(lines: pl.DataFrame) -> pl.LazyFrame:
    lazy = lines.lazy().filter(c("line").is_not_null() & ~c("line").str.strip_chars().str.starts_with(";"))
    words = c("line").str.strip_chars().str.replace_all(r"\s+", " ")
    parts = words.str.split_exact(" ", len(SWF) - 1).struct
    raw = [parts.field(f"field_{n}").alias(f"raw_{name}") for n, name in enumerate(SWF)]
    lazy = lazy.with_columns(*raw, (words.str.count_matches(" ", literal=True) + 1 != len(SWF)).alias("ragged"))
    given = [_known(name) for name in ("procs", "asked_procs")]
    return lazy.with_columns(
        c("raw_job").alias("job_id"), number("raw_submit").alias("time"), _known("run").alias("duration_s"),
        pl.coalesce(*given).alias("gpus"), _code("user"), _code("queue").alias("pool"),
        pl.coalesce(*(pl.when(c("raw_status") == n).then(pl.lit(word)) for n, word in SWF_STATUS.items())).alias("status"),
        pl.lit("none").alias("censored"),
    ).with_columns((c("time") + _known("wait")).alias("start"), (c("time") + _known("wait") + c("duration_s")).alias("end"))  # fmt: skip


def _known(name: str) -> pl.Expr:
    """-1 is absent."""
    value = number(f"raw_{name}")
    return pl.when(value >= 0).then(value)


def _code(name: str) -> pl.Expr:
    return pl.when(c(f"raw_{name}") != "-1").then(c(f"raw_{name}")).alias(name)


SWF_APART: tuple[Reason, ...] = (
    (c("status") == "PARTIAL", "a part of a job that was swapped out; the job has a line of its own"),
    ((c("status") == "CANCELLED") & (c("duration_s").fill_null(0) == 0), "never started"),
)
SWF_RULES: tuple[Rule, ...] = (
    (c("ragged"), "line", "a line has 18 fields", "write -1 where a field is not known"),
    (c("time").is_null() | (c("time") < 0), "submit", "a submit time is in seconds since the log's start", "mend it"),
    (c("duration_s").is_null(), "run", "a job states its run time in seconds", "leave the job out if it never started"),
    (c("gpus").is_null() | (c("gpus") < 1), "procs", "a job states its processors", "write them as allocated or as requested"),
)


def _foreign(
    file: Path, columns: tuple[str, ...], parts: Any, judge: tuple[tuple[Reason, ...], tuple[Rule, ...]]
) -> Foreign:
    apart, rules = judge
    return Foreign(file, columns, parts, tuple(why for _, why in apart), tuple(rule[1:] for rule in rules))


TABLE_RULES = {
    "time": "a submit time reads 2020-06-09 18:41:01",
    "duration": "a run time is in seconds and not below 0",
    "gpus": "a job states its GPUs as a number from 0",
}


def _table_rules(submit: str, duration: str, gpus: str) -> tuple[Rule, ...]:
    return (
        (c("job_id").is_null(), "job_id", "a job has an id", "give it one"),
        (c("time").is_null(), submit, TABLE_RULES["time"] if submit == "submit_time" else "a submit time is in seconds", "mend it"),
        (c("gpus").is_null() | (c("gpus") < 0), gpus, TABLE_RULES["gpus"], "mend it"),
        (c("duration_s").is_null() | (c("duration_s") < 0), duration, TABLE_RULES["duration"], "mend it"),
    )


def helios(file: Path) -> Foreign:
    columns, batches = table_of(file, HELIOS, "Helios publishes `cluster_log.csv`: job_id,user,vc,gpu_num,..,duration,queue")
    read = (judged(_helios(lazy, columns), HELIOS_APART, HELIOS_RULES) for lazy in batches)
    return _foreign(file, columns, read, (HELIOS_APART, HELIOS_RULES))


def _helios(lazy: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    return lazy.with_columns(
        c("raw_job_id").alias("job_id"), c("raw_vc").alias("pool"), c("raw_user").alias("user"), c("raw_state").alias("status"),
        moment("raw_submit_time").alias("time"), moment("raw_start_time").alias("start"), moment("raw_end_time").alias("end"),
        number("raw_duration").alias("duration_s"), number("raw_gpu_num").alias("gpus"), pl.lit("none").alias("censored"),
        (number("raw_cpu_num") if "cpu_num" in columns else pl.lit(None, pl.Float64)).alias("cpus"),
    )  # fmt: skip


HELIOS_APART: tuple[Reason, ...] = (
    (c("gpus") == 0, "takes no GPU"),
    (c("start").is_null() & c("raw_start_time").is_null(), "never started"),
)
HELIOS_RULES = (
    *_table_rules("submit_time", "duration", "gpu_num"),
    (c("end") < c("start"), "end_time", "a job does not end before it starts", "mend the row"),
)


def itp(file: Path) -> Foreign:
    """The cluster is the file's name: one file a cluster."""
    columns, batches = table_of(file, ITP, "ITP publishes one CSV file a cluster: job_id,submission_time,duration,num_gpu")
    read = (judged(_itp(lazy, file.stem), ITP_APART, ITP_RULES) for lazy in batches)
    return _foreign(file, columns, read, (ITP_APART, ITP_RULES))


def _itp(lazy: pl.LazyFrame, cluster: str) -> pl.LazyFrame:
    return lazy.with_columns(
        c("raw_job_id").alias("job_id"), pl.lit(cluster).alias("pool"), number("raw_submission_time").alias("time"),
        number("raw_duration").alias("duration_s"), number("raw_num_gpu").alias("gpus"), pl.lit("none").alias("censored"),
    )  # fmt: skip


ITP_APART: tuple[Reason, ...] = ((c("gpus") == 0, "takes no GPU"),)
ITP_RULES = _table_rules("submission_time", "duration", "num_gpu")


PHILLY = ("jobid", "submitted_time", "attempts")
PHILLY_APART: tuple[Reason, ...] = (
    (c("tries") == 0, "never started: no attempt was recorded"),
    (c("tries") == c("unknown"), "its run time was not recorded: no attempt has both a start and an end"),
    (c("gpus") == 0, "takes no GPU"),
)
PHILLY_RULES: tuple[Rule, ...] = (
    (c("job_id").is_null(), "jobid", "a job has an id", "give it one"),
    (c("time").is_null(), "submitted_time", "a submit time reads 2017-10-07 01:11:39", "mend it"),
    (c("duration_s") < 0, "attempts", "an attempt does not end before it starts", "mend it"),
)


def philly(file: Path) -> Foreign:
    """Run time is that of all attempts: GPU-seconds over the largest number of GPUs, so that GPU time is kept."""
    return _foreign(file, PHILLY, _philly_parts(file), (PHILLY_APART, PHILLY_RULES))


def _philly_parts(file: Path) -> Iterator[pl.LazyFrame]:
    kinds = {
        "row": pl.Int64, "job_id": pl.String, "pool": pl.String, "user": pl.String, "time": pl.Float64, "start": pl.Float64,
        "end": pl.Float64, "duration_s": pl.Float64, "gpus": pl.Float64, "status": pl.String, "censored": pl.String,
        "tries": pl.Int64, "unknown": pl.Int64, "raw_jobid": pl.String, "raw_submitted_time": pl.String, "line": pl.String,
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    for line, entry in entries(file):
        rows.append(_philly_job(line, entry))
        if len(rows) == PART:
            yield judged(pl.LazyFrame(rows, kinds), PHILLY_APART, PHILLY_RULES)
            rows = []
    if rows:
        yield judged(pl.LazyFrame(rows, kinds), PHILLY_APART, PHILLY_RULES)


def _philly_job(line: int, entry: dict[str, Any]) -> dict[str, Any]:
    tries = [t for t in entry.get("attempts") or [] if isinstance(t, dict)]
    spans = [(_seconds(t.get("start_time")), _seconds(t.get("end_time")), _gpus(t)) for t in tries]
    whole = [(s, e, g) for s, e, g in spans if s is not None and e is not None]
    most = max((g for _, _, g in whole or spans), default=0)
    worked = sum((e - s) * g for s, e, g in whole)
    wrong = any(e < s for s, e, _ in whole)
    running = bool(spans) and spans[-1][0] is not None and spans[-1][1] is None
    text = {name: None if entry.get(key) is None else str(entry[key]) for name, key in
            (("job_id", "jobid"), ("pool", "vc"), ("user", "user"), ("status", "status"))}  # fmt: skip
    return text | {
        "row": line, "time": _seconds(entry.get("submitted_time")), "start": min((s for s, _, _ in whole), default=None),
        "end": None if running else max((e for _, e, _ in whole), default=None),
        "duration_s": -1.0 if wrong else worked / most if most else 0.0, "gpus": float(most),
        "censored": "right" if running else "none", "tries": len(spans), "unknown": len(spans) - len(whole),
        "raw_jobid": text["job_id"], "raw_submitted_time": None if entry.get("submitted_time") is None else str(entry["submitted_time"]),
        "line": json.dumps(entry.get("attempts"))[:200],
    }  # fmt: skip


def _gpus(attempt: dict[str, Any]) -> int:
    return sum(len(d.get("gpus") or []) for d in attempt.get("detail") or [])


def _seconds(text: Any) -> float | None:
    try:
        return (datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S") - datetime(1970, 1, 1)).total_seconds()
    except ValueError:
        return None


def entries(file: Path, most: int = 1 << 20) -> Iterator[tuple[int, dict[str, Any]]]:
    """Objects of a JSON list with the line on which each begins, read `most` characters at a time.

    Raises TraceError where the file is no such list, or ends in the middle of it.
    """
    decoder, text, at, line, begun = json.JSONDecoder(), "", 0, 1, False
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        while more := stream.read(most):
            text, at = text[at:] + more, 0
            while True:
                at, line = _skip(text, at, line, " \t\r\n," if begun else " \t\r\n[")
                begun = begun or at > 0
                if text[at : at + 1] in ("", "]"):
                    break
                try:
                    entry, end = decoder.raw_decode(text, at)
                except json.JSONDecodeError:
                    break  # it may go on in what is read next
                if not isinstance(entry, dict):
                    raise TraceError(f"{file}:{line}: a job is an object with {', '.join(PHILLY)}, not {str(entry)[:40]}")
                yield line, entry
                line += text.count("\n", at, end)
                at = end
    if text[at : at + 1] != "]":
        raise TraceError(f"{file}:{line}: the list of jobs ends here, without its `]`: no JSON, or cut short ({text[at : at + 60]!r})")


def _skip(text: str, at: int, line: int, blanks: str) -> tuple[int, int]:
    """The next place that holds none of `blanks`, and its line."""
    while at < len(text) and text[at] in blanks:
        line += text[at] == "\n"
        at += 1
    return at, line
