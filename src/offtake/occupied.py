"""What is busy now: GPUs by pool and until when, and what was used of commitments to date; from Slurm's own output or a small YAML file.

    sacct   `sacct -a -P -X -s R -o JobID,Partition,Submit,Start,End,Elapsed,Timelimit,State,AllocTRES`, read by `traces.sacct`
    squeue  `squeue -t R -o "%i|%P|%T|%D|%b|%e"`
    YAML    at: 2026-09-14T08:00, busy: {POOL: [{gpus: 64, until: 2026-09-15T12:00}]}, used: {CONTRACT: 1.2 M USD | {focus: FILE}}

Times are local times of the machine that wrote them. A partition stands for the pool of its name, as `offtake export schedule` writes it.
Source  sacct(1), squeue(1), Slurm 23.11: JOB STATE CODES, %b TRES_PER_NODE, %e END_TIME, --parsable2
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .errors import BookError, Issue, QuestionError, one_line
from .units import UnitError, read_quantity

SHAPE = "a state is the pipe output of sacct or squeue, or a YAML file with `at` and `busy` (docs/actions.md)"
HOLDING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "CONFIGURING")
OLDEST = timedelta(days=1)
AHEAD = timedelta(hours=1)  # clocks of two machines differ by less
SPAN = re.compile(r"(?:(\d+)-)?(\d+):(\d+)(?::(\d+))?")
PER_NODE = re.compile(r"gres[:/]gpu(?:[:/][^:=,\d][^:=,]*)?[:=](\d+)")
SQUEUE = ("JOBID", "PARTITION", "STATE", "NODES", "TRES_PER_NODE", "END_TIME")
ASK_SQUEUE = 'ask for `squeue -t R -o "%i|%P|%T|%D|%b|%e"`'


@dataclass(frozen=True)
class Busy:
    """GPUs that something holds; `until` in hours from now, None where it is not known."""

    pool: str
    gpus: int
    until: float | None


@dataclass(frozen=True)
class State:
    """What is busy at a moment, and USD used to date of commitments, of the period under way."""

    file: str
    at: datetime
    busy: tuple[Busy, ...]
    used: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What a state may speak of: pools, contracts with the months of their period under way, partitions by other names; and the time."""

    pools: Sequence[str]
    periods: Mapping[str, Sequence[str]]
    partitions: Mapping[str, str]
    now: datetime


def plain_name(label: str) -> str:
    """A pool's name where only letters, digits and `-` are allowed: `north.gb200` is `north-gb200`."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def read_state(path: str | Path, known: Known) -> State:
    """Read a state. Raises QuestionError where it cannot be read, is older than a day, or names what the book does not know."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
        written = datetime.fromtimestamp(file.stat().st_mtime)
    except (OSError, UnicodeDecodeError) as fault:
        raise QuestionError(f"{file}: the state could not be read ({getattr(fault, 'strerror', None) or 'no text'}); {SHAPE}") from None
    if not text.strip():
        raise QuestionError(f"{file}: the file is empty; {SHAPE}")
    head = text.splitlines()[0].split("|")
    if "JobID" in head:
        state = _dump(file, known, written, *_of_sacct(file, text, known))
    elif "JOBID" in head:
        state = _dump(file, known, written, *_of_squeue(file, text, known))
    else:
        state = _of_yaml(file, text, known)
    age = known.now - state.at
    if age > OLDEST or age < -AHEAD:
        what = f"is {_days(age)} old: what was busy then says nothing of now" if age > OLDEST else "lies in the future"
        raise QuestionError(f"{file}: the state of {state.at:%Y-%m-%d %H:%M} {what}; write it anew (a state counts for a day)")
    return state


def _days(age: timedelta) -> str:
    hours = age.total_seconds() / 3600.0
    return f"{hours / 24.0:,.1f} days" if hours >= 48.0 else f"{hours:,.1f} hours"


Held = tuple[str, int, datetime | None]  # pool, GPUs, until


def _dump(file: Path, known: Known, written: datetime, held: list[Held], newest: datetime | None) -> State:
    """A dump is as old as its file; where the file is newer than now (a question about the past), as its newest moment."""
    at = written if written <= known.now + AHEAD else (newest or written)
    return State(str(file), at, tuple(Busy(pool, gpus, _hours(until, known.now)) for pool, gpus, until in held))


def _hours(until: datetime | None, now: datetime) -> float | None:
    """Hours from now; what should have ended already holds its GPUs still, until nobody knows when."""
    return None if until is None or until <= now else (until - now).total_seconds() / 3600.0


def _pool(file: Path, row: int, partition: str, known: Known) -> str:
    """The pool that a partition stands for. Raises QuestionError for one that the book does not know."""
    wanted = known.partitions.get(partition, partition)
    for label in known.pools:
        if wanted in (label, plain_name(label)):
            return label
    raise QuestionError(
        f"{file}:{row}: no pool of the book is called '{wanted}'; its pools are {', '.join(known.pools)} (--partition NAME=POOL says which "
        "one a partition is)"
    )


def _of_sacct(file: Path, text: str, known: Known) -> tuple[list[Held], datetime | None]:
    """Jobs that hold GPUs, and the newest moment of the dump. Raises TraceError for a row that breaks a rule."""
    import polars as pl

    from .traces.jobs import TraceError
    from .traces.sacct import sacct

    read = sacct(file)
    for number, line in enumerate(text.splitlines(), 1):  # a row cut short would count as a job that never started
        if line.strip() and line.count("|") != len(read.columns) - 1:
            raise QuestionError(f"{file}:{number}: {line.count('|') + 1} fields under a header of {len(read.columns)}; leave JobName out")
    rows = pl.concat([part.collect() for part in read.parts]).sort("row")
    bad = rows.filter(pl.col("skip") >= 0)
    if len(bad):
        issues = tuple(read.issue(r["row"], r["skip"], r["cell"]) for r in bad.head(20).iter_rows(named=True))
        raise TraceError("\n".join(i.to_text() for i in issues), issues)
    limit, lines = read.columns.index("Timelimit") if "Timelimit" in read.columns else -1, text.splitlines()
    held: list[Held] = []
    for r in rows.filter((pl.col("apart") < 0) & pl.col("status").is_in(HOLDING)).iter_rows(named=True):
        span = _span(lines[r["row"] - 1].split("|")[limit]) if limit >= 0 else None
        until = None if span is None or r["start"] is None else _moment(r["start"]) + span
        held.append((_pool(file, r["row"], r["pool"] or "", known), int(r["gpus"]), until))
    newest = rows.select(pl.max_horizontal(*(pl.col(c).max() for c in ("time", "start", "end")))).item()
    return held, None if newest is None else _moment(newest)


def _moment(seconds: float) -> datetime:
    """A local time as `traces` keeps it: seconds since 1970 of the time as written."""
    return datetime(1970, 1, 1) + timedelta(seconds=float(seconds))


def _span(text: str) -> timedelta | None:
    """`1-12:00:00` of a time limit; UNLIMITED and Partition_Limit are not known."""
    found = SPAN.fullmatch(text.strip())
    if not found:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _of_squeue(file: Path, text: str, known: Known) -> tuple[list[Held], datetime | None]:
    """Jobs that hold GPUs. Raises QuestionError for a dump that lacks a column or a row that does not read."""
    lines = text.splitlines()
    head = lines[0].strip().split("|")
    missing = [name for name in SQUEUE if name not in head]
    if missing:
        raise QuestionError(f"{file}:1: no column {', '.join(missing)}; {ASK_SQUEUE}")
    held: list[Held] = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = line.strip().split("|")
        if len(cells) != len(head):
            raise QuestionError(f"{file}:{number}: {len(cells)} fields under a header of {len(head)}; {ASK_SQUEUE}")
        row = dict(zip(head, (cell.strip() for cell in cells)))
        gpus = [int(n) for n in PER_NODE.findall(row["TRES_PER_NODE"])]
        if row["STATE"] not in HOLDING or not gpus:
            continue
        if not row["NODES"].isdigit():
            raise QuestionError(f"{file}:{number}: '{one_line(row['NODES'])}' is no number of nodes; {ASK_SQUEUE}")
        held.append((_pool(file, number, row["PARTITION"], known), int(row["NODES"]) * sum(gpus), _time(row["END_TIME"])))
    return held, None


def _time(text: str) -> datetime | None:
    """A moment such as 2026-09-14T08:00:00; None where it is none or carries a zone, since local times cannot be set beside it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None else None


class _Yaml:
    """Reads the nodes of a state and collects its issues."""

    def __init__(self, file: Path, known: Known) -> None:
        self.file, self.known = file, known
        self.issues: list[Issue] = []

    def fault(self, node: Any, path: str, rule: str, fix: str) -> None:
        got = one_line(str(node.plain()) if node.value else "", 60)
        self.issues.append(Issue(str(self.file), node.line, node.column, path, got, rule, fix))

    def table(self, node: Any, path: str, keys: Sequence[str] | None = None) -> dict[str, Any]:
        """Entries of a mapping; keys that are not known are faults."""
        if not isinstance(node.value, dict):
            self.fault(node, path, "a mapping", "busy: {POOL: [{gpus: 64, until: 2026-09-15T12:00}]}")
            return {}
        for key, child in node.value.items():
            if keys is not None and key not in keys:
                self.fault(child, f"{path}.{key}".lstrip("."), f"one of {', '.join(keys)}", "mind the spelling")
        found: dict[str, Any] = node.value
        return found

    def moment(self, node: Any, path: str) -> datetime | None:
        found = _time(node.value) if isinstance(node.value, str) else None
        if found is None:
            self.fault(node, path, "a local moment without a zone", "write it as 2026-09-14T08:00")
        return found

    def busy(self, node: Any) -> list[Held]:
        held: list[Held] = []
        for pool, rows in self.table(node, "busy", self.known.pools).items():
            if not isinstance(rows.value, list):
                self.fault(rows, f"busy.{pool}", "a list of what holds GPUs there", "- {gpus: 64, until: 2026-09-15T12:00}")
                continue
            for n, row in enumerate(rows.value):
                terms = self.table(row, f"busy.{pool}.{n}", ("gpus", "until"))
                gpus = terms.get("gpus", row)
                if not (isinstance(gpus.value, str) and gpus.value.isascii() and gpus.value.isdigit()):
                    self.fault(gpus, f"busy.{pool}.{n}.gpus", "a whole number of GPUs, 0 or more", "write the number alone: gpus: 64")
                    continue
                until = self.moment(terms["until"], f"busy.{pool}.{n}.until") if "until" in terms else None
                held.append((pool, int(gpus.value), until))
        return held

    def used(self, node: Any) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, term in self.table(node, "used", list(self.known.periods)).items():
            if name not in self.known.periods:
                continue
            usd = self.usd(term, name)
            if usd is not None:
                found[name] = usd
        return found

    def usd(self, node: Any, name: str) -> float | None:
        """USD used of a contract in the period under way: written, or the months of an export that lie in it."""
        path = f"used.{name}"
        if isinstance(node.value, dict):
            terms = self.table(node, path, ("focus", "commitment"))
            export = terms.get("focus", node)
            if not isinstance(export.value, str):
                self.fault(export, f"{path}.focus", "the name of a FOCUS 1.2 export", "used: {NAME: {focus: costs.csv}}")
                return None
            return self.exported(export, path, str(terms["commitment"].value) if "commitment" in terms else None, name)
        try:
            usd = read_quantity(str(node.value)).to_base("USD")
        except UnitError as fault:
            self.fault(node, path, fault.rule, fault.fix)
            return None
        if usd < 0.0:
            self.fault(node, path, "what was used is not below 0", "write what was billed, as in 1.2 M USD")
        return usd

    def exported(self, node: Any, path: str, commitment: str | None, name: str) -> float | None:
        from .focus_rows import read_sound

        try:
            months = read_sound(self.file.parent / node.value, allow_refused=False).by_month(commitment)
        except QuestionError as fault:
            self.fault(node, f"{path}.focus", one_line(str(fault)), "mend the name, file or `commitment`; `offtake focus` names each row")
            return None
        return sum(usd for month, usd in months.items() if month in self.known.periods[name])


def _of_yaml(file: Path, text: str, known: Known) -> State:
    """Raises BookError with every issue of the file."""
    from .book.tree import parse

    read = _Yaml(file, known)
    tree = parse(text, str(file), read.issues)
    if tree is None or read.issues:
        raise BookError(tuple(read.issues)) if read.issues else QuestionError(f"{file}: {SHAPE}")
    if not isinstance(tree.value, dict):
        raise QuestionError(f"{file}: {SHAPE}")
    top = read.table(tree, "", ("at", "busy", "used"))
    at = read.moment(top.get("at", tree), "at")
    held = read.busy(top["busy"]) if "busy" in top else []
    used = read.used(top["used"]) if "used" in top else {}
    if read.issues or at is None:
        raise BookError(tuple(read.issues))
    return State(str(file), at, tuple(Busy(pool, gpus, _hours(until, known.now)) for pool, gpus, until in held), used)
