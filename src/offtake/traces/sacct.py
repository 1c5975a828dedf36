"""A dump of Slurm's accounting: `sacct -a -P -o JobID,Submit,Start,End,Elapsed,State,ReqTRES,AllocTRES,..`, fields between pipes.

A row is a job, a step of one (123.batch, 123.0), a task of an array (123_4), tasks that wait (123_[5-9]), or a part of a
heterogeneous job (123+1: the parts start together, so they are joined into one gang by `convert`).
Source  sacct(1), Slurm 17.11 to 24.05: JOB STATE CODES, Elapsed, AllocTRES, --parsable2
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from .batches import line_batches
from .foreign import Foreign, Reason, Rule, judged, moment
from .jobs import TraceError

NEEDED = ("JobID", "Submit", "Start", "End", "State")
ASK = "ask for `sacct -a -P -o JobID,User,Partition,Submit,Start,End,Elapsed,State,ReqTRES,AllocTRES`"
JOB = r"^\d+(?:_(?:\d+|\[[^\]]*\]))?(?:\+\d+)?(?:\..+)?$"
SPAN = r"^(?:(\d+)-)?(\d+):(\d+):(\d+)(?:\.\d+)?$"
GPUS = r"(?:^|,)gres/gpu=(\d+)"
TYPED = r"gres/gpu:[^=,]+=\d+"

c = pl.col


def is_sacct(head: str) -> bool:
    """Told by the header: names between pipes, JobID among them."""
    return "|" in head and "JobID" in head.split("|")


def sacct(file: Path) -> Foreign:
    """Rows of a dump. Raises TraceError where it is none or lacks a column."""
    with file.open(encoding="utf-8", errors="replace") as stream:
        head = stream.readline().rstrip("\r\n").removeprefix("\ufeff")
    if not is_sacct(head):
        raise TraceError(f"{file}:1: no header of sacct: '{head[:60]}'; {ASK}")
    columns = tuple(head.split("|"))
    missing = [name for name in NEEDED if name not in columns]
    if "Elapsed" not in columns and "ElapsedRaw" not in columns:
        missing.append("Elapsed")
    if "AllocTRES" not in columns and "ReqTRES" not in columns:
        missing.append("AllocTRES")
    if missing:
        raise TraceError(f"{file}:1: no column {', '.join(missing)}; {ASK}")
    parts = (judged(_jobs(_fields(lines, columns), columns), APART, RULES) for lines in line_batches(file))
    return Foreign(file, columns, parts, tuple(why for _, why in APART), tuple(rule[1:] for rule in RULES))


def _fields(lines: pl.DataFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    """`raw_NAME`, null where blank, Unknown or None; `fields` counts what stands in a row."""
    lazy = lines.lazy().filter((c("row") > 1) & c("line").is_not_null())
    parts = c("line").str.split_exact("|", len(columns) - 1).struct
    raw = []
    for number, name in enumerate(columns):
        text = parts.field(f"field_{number}").str.strip_chars()
        if name and name not in columns[:number]:
            raw.append(pl.when(~text.is_in(["", "Unknown", "None", "INVALID"])).then(text).alias(f"raw_{name}"))
    fields = c("line").str.count_matches("|", literal=True) + 1
    return lazy.with_columns(*raw, (fields != len(columns)).alias("ragged"))


def _jobs(lazy: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    start, end = _moment("raw_Start"), _moment("raw_End")
    asked = _text(columns, "ReqTRES")
    given = pl.coalesce(_text(columns, "AllocTRES"), asked)
    state = c("raw_State").str.split(" ").list.first()
    lazy = lazy.with_columns(
        _submitted(columns).alias("time"), start.alias("start"), end.alias("end"), _elapsed(columns).alias("duration_s"),
        given.alias("tres"), (_text(columns, "AllocTRES").is_null() & ("AllocTRES" in columns)).alias("unplaced"),
        state.alias("status"), c("raw_JobID").alias("job_id"),
    )  # fmt: skip
    return lazy.with_columns(
        _text(columns, "Partition").alias("pool"), _text(columns, "User").alias("user"), _text(columns, "Priority").alias("priority"),
        _gpus("tres").alias("gpus"), _types(asked).alias("gpu_type"),
        c("tres").str.extract(r"(?:^|,)cpu=(\d+)").cast(pl.Float32).alias("cpus"),
        _memory().alias("mem_gib"), pl.when(c("end").is_null()).then(pl.lit("right")).otherwise(pl.lit("none")).alias("censored"),
    )  # fmt: skip


def _text(columns: tuple[str, ...], name: str) -> pl.Expr:
    return c(f"raw_{name}") if name in columns else pl.lit(None, pl.String)


def _moment(column: str) -> pl.Expr:
    """Local time as sacct prints it, or seconds since 1970 where SLURM_TIME_FORMAT=%s."""
    digits = pl.when(c(column).str.contains(r"^\d{9,10}$")).then(c(column)).cast(pl.Float64, strict=False)
    return pl.coalesce(moment(column, "%Y-%m-%dT%H:%M:%S"), digits)


def _submitted(columns: tuple[str, ...]) -> pl.Expr:
    """When the job could first start: Eligible, which waits for what it depends on, where it is known, else Submit."""
    submit = _moment("raw_Submit")
    return pl.max_horizontal(submit, _moment("raw_Eligible")) if "Eligible" in columns else submit


def _elapsed(columns: tuple[str, ...]) -> pl.Expr:
    """Seconds of run time, without time suspended: ElapsedRaw, else Elapsed as [days-]hours:minutes:seconds."""
    raw = c("raw_ElapsedRaw").cast(pl.Float64, strict=False) if "ElapsedRaw" in columns else pl.lit(None, pl.Float64)
    if "Elapsed" not in columns:
        return raw
    part = [c("raw_Elapsed").str.extract(SPAN, n).cast(pl.Float64) for n in (1, 2, 3, 4)]
    return pl.coalesce(raw, part[0].fill_null(0.0) * 86_400 + part[1] * 3_600 + part[2] * 60 + part[3])


def _gpus(column: str) -> pl.Expr:
    """gres/gpu=8; where only types are told (gres/gpu:a100=4,gres/gpu:h100=2), their sum."""
    counts = c(column).str.extract_all(TYPED).list.join(",").str.replace_all(r"gres/gpu:[^=,]+=", "")
    typed = pl.when(counts.str.len_chars() > 0).then(counts).str.split(",").cast(pl.List(pl.Float64)).list.sum()
    return pl.coalesce(c(column).str.extract(GPUS).cast(pl.Float64), typed, pl.lit(0.0))


def _types(asked: pl.Expr) -> pl.Expr:
    """The chip that was asked for; what was merely given is no constraint."""
    names = asked.str.extract_all(TYPED).list.join(",").str.replace_all(r"gres/gpu:|=\d+", "").str.split(",").list.unique().list.sort()
    joined = names.list.join("|")
    return pl.when(joined.str.len_chars() > 0).then(joined)


def _memory() -> pl.Expr:
    """GiB of mem=512G."""
    size = c("tres").str.extract(r"(?:^|,)mem=([\d.]+)[KMGTP]", 1).cast(pl.Float64, strict=False)
    power = c("tres").str.extract(r"(?:^|,)mem=[\d.]+([KMGTP])", 1)
    return pl.coalesce(*(pl.when(power == letter).then(size * 1024.0**n) for letter, n in zip("KMGTP", (-2, -1, 0, 1, 2))))


APART: tuple[Reason, ...] = (
    (c("raw_JobID") == "JobID", "a header again: dumps were joined"),
    (c("raw_JobID").str.contains(r"^\d[^.]*\..+$"), "a step of a job; the job has a row of its own"),
    (c("raw_JobID").str.contains("[", literal=True), "tasks of an array that had not started"),
    (c("start").is_null() | (c("unplaced") & (c("duration_s") == 0)) | (c("status") == "PENDING"), "never started"),
    ((c("gpus") == 0) & c("tres").str.contains("gres/shard=", literal=True), "takes a share of a GPU (gres/shard)"),
    ((c("gpus") == 0) & ~c("ragged"), "takes no GPU"),
)
RULES: tuple[Rule, ...] = (
    (c("ragged"), "line", "a row has the fields of the header", "a name may hold a pipe: leave JobName out, or give sacct --delimiter"),
    (~c("raw_JobID").str.contains(JOB) | c("raw_JobID").is_null(), "JobID", "a job id is 123, 123_4, 123+1 or one of their steps", ASK),
    (c("time").is_null(), "Submit", "a time reads 2025-01-31T13:45:00", "unset SLURM_TIME_FORMAT"),
    (c("duration_s").is_null(), "Elapsed", "a run time reads [days-]hours:minutes:seconds", ASK),
    (c("end") < c("start"), "End", "a job does not end before it starts", "mend the row (a clock change is not one: times are local)"),
)
