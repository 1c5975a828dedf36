"""The canonical job table: arrays, one entry a job, sorted by (submit_s, job_id); and what was refused on the way to it.

Axes    jobs (J,)
Units   seconds since the trace's start, GPUs, GPU-hours
Order   (submit_s, job_id): ties of a second are broken by id, never by chance
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import Issue, OfftakeError

NAMED = 1_000  # refused rows that are kept by name; all are counted
SHOWN = 5  # refused rows of a rule that a message prints
HOUR = 3600.0
SHAPE = "a job trace is a Parquet or CSV file with the columns job_id, submit_s, duration_s, gpus (docs/traces.md)"


@dataclass(frozen=True)
class Refusals:
    """Rows that broke a rule, by rule: counted, the first of them named, and the GPU time that they were.

    read     rows of the file
    skipped  rows left out, by rule; `hours` of those that state GPUs and a duration, `unknown` of them do not
    changed  rows kept with one number counted otherwise, by rule (a part of a GPU as one)
    issues   the first NAMED of both, in file order
    apart    rows of a log that are no job to replay, by reason: steps, jobs without GPUs
    """

    file: str = ""
    read: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    hours: float = 0.0
    unknown: int = 0
    issues: tuple[Issue, ...] = ()
    apart: dict[str, int] = field(default_factory=dict)

    @property
    def left_out(self) -> int:
        return sum(self.skipped.values())

    @property
    def total(self) -> int:
        return self.left_out + sum(self.changed.values())

    def __add__(self, other: Refusals) -> Refusals:
        """Both, the second read from what the first let through."""
        return Refusals(
            self.file or other.file,
            self.read + other.read,
            _sum(self.skipped, other.skipped),
            _sum(self.changed, other.changed),
            self.hours + other.hours,
            self.unknown + other.unknown,
            (self.issues + other.issues)[:NAMED],
            _sum(self.apart, other.apart),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "file": self.file, "rows_read": self.read, "rows_skipped": self.left_out, "skipped": self.skipped, "changed": self.changed,
            "apart": self.apart, "skipped_gpu_h": self.hours, "skipped_without_gpu_h": self.unknown,
            "issues": [i.to_dict() for i in self.issues],
        }  # fmt: skip

    def counts(self) -> list[str]:
        """One line a rule, and one for the GPU time left out; nothing where nothing was refused."""
        lines = [f"{n:,} row{'s' * (n != 1)} apart: {why}" for why, n in self.apart.items()]
        lines += [f"{n:,} row{'s' * (n != 1)} skipped: {rule}" for rule, n in self.skipped.items()]
        lines += [f"{n:,} row{'s' * (n != 1)} kept: {rule}" for rule, n in self.changed.items()]
        if self.left_out:
            more = f", and {self.unknown:,} of them do not say their GPU time" if self.unknown else ""
            lines.append(f"skipped in all {self.left_out:,} of {self.read:,} rows: {self.hours:,.1f} GPU-h{more}")
        return lines

    def faults(self) -> str:
        """The first rows at fault with got, rule and fix; how many there are; how to go on without them."""
        of_rule: dict[str, int] = {}
        lines = []
        for issue in self.issues:
            of_rule[issue.rule] = of_rule.get(issue.rule, 0) + 1
            if of_rule[issue.rule] <= SHOWN:
                lines.append(issue.to_text())
        if self.total > len(lines):
            lines.append(f".. and {self.total - len(lines):,} more")
        counted = [*self.skipped.items(), *self.changed.items()]
        lines += [f"{n:,} row{'s' * (n != 1)}: {rule}" for rule, n in counted]
        return "\n".join([*lines, "mend the rows, or say --skip-bad to go on without them: what is skipped is counted and said"])


def _sum(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in (*a, *(k for k in b if k not in a))}


class TraceError(OfftakeError):
    """A trace that cannot be replayed as it is: every fault is in `issues` (the first 1,000) and in the message."""

    def __init__(self, message: str, issues: tuple[Issue, ...] = ()) -> None:
        super().__init__(message)
        self.issues = issues


@dataclass(frozen=True)
class Names:
    """What a trace calls its jobs, which is all that is kept of it once their times are read: `job_id` and `names` of `Jobs`."""

    job_id: np.ndarray
    names: np.ndarray | None

    def of(self, job: int) -> str:
        """Id of the job at position `job`, as the trace writes it."""
        return str(self.job_id[job] if self.names is None else self.names[job])


@dataclass(frozen=True)
class Jobs:
    """Jobs of a trace, sorted by (submit_s, job_id).

    submit_s    (J,) float64 seconds since the trace's start
    duration_s  (J,) float64 seconds of run time
    gpus        (J,) int32, started all together or not at all
    priority    (J,) int32 (int64 where it does not fit), the higher goes first; 0 where the trace states none
    user, pool  (J,) int32 codes, -1 where absent; a pool is a label of the trace, not a constraint
    chip        (J,) int32 codes into chip_names, -1 any; a name may hold several chips: 'A10|T4'
    job_id      (J,) int64: the id where all ids are whole numbers, else the rank by (submit_s, text); `name` gives the text
    names       (J,) the text of the ids, where they are no whole numbers
    row         (J,) uint32 row of the file, the header of a CSV file being row 1
    least       (J,) int32 the fewest GPUs that a job may shrink to; None where the trace states none
    latest_s    (J,) float64 second until which its start may be put off, -1 for a job that may not; None where the trace states none
    """

    submit_s: np.ndarray
    duration_s: np.ndarray
    gpus: np.ndarray
    priority: np.ndarray
    user: np.ndarray
    pool: np.ndarray
    chip: np.ndarray
    job_id: np.ndarray
    pool_names: tuple[str, ...] = ()
    chip_names: tuple[str, ...] = ()
    names: np.ndarray | None = None
    row: np.ndarray | None = None
    refusals: Refusals = field(default_factory=Refusals)
    least: np.ndarray | None = None
    latest_s: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.job_id)

    @property
    def gpu_hours(self) -> float:
        """Run time x GPUs of all jobs."""
        return float(self.gpus @ self.duration_s) / HOUR

    @property
    def span_s(self) -> float:
        """Seconds from the first submission to the last; 0 without jobs."""
        return float(self.submit_s[-1] - self.submit_s[0]) if len(self) else 0.0

    @property
    def smallest(self) -> np.ndarray:
        """(J,) GPUs that a job needs at the least."""
        return self.gpus if self.least is None else self.least

    def name(self, job: int) -> str:
        """Id of the job at position `job`, as the trace writes it."""
        return self.ids.of(job)

    @property
    def ids(self) -> Names:
        """The names alone."""
        return Names(self.job_id, self.names)

    def select(self, chosen: np.ndarray | slice) -> Jobs:
        """The jobs of a mask, of positions in order, or of a slice."""
        arrays = ("submit_s", "duration_s", "gpus", "priority", "user", "pool", "chip", "job_id", "names", "row", "least", "latest_s")
        columns = {name: getattr(self, name) for name in arrays}
        return replace(self, **{name: column[chosen] for name, column in columns.items() if column is not None})

    def allowed(self, chips: Sequence[str | None]) -> np.ndarray:
        """Which pools (K,), of these chips, each of chip_names (C,) may run on: (C, K) bool. A pool without a chip takes any job."""
        wanted = [set(name.split("|")) for name in self.chip_names]
        return np.array([[chip is None or chip in want for chip in chips] for want in wanted], bool).reshape(len(wanted), len(chips))


TOO_LARGE = ("a job is not larger than the largest pool that may run it", "give a larger pool, or leave the job out")
NO_SUCH_CHIP = ("a job asks for a chip that some pool has", "give a pool of that chip, or leave the job out")


def fit(jobs: Jobs, gpus: Sequence[int], chips: Sequence[str | None], skip_bad: bool = False) -> Jobs:
    """Jobs that some pool can hold: not larger than the largest pool (K,) that has a chip they may run on.

    Raises TraceError where one fits nowhere, unless `skip_bad`: then it is left out, counted and named.
    """
    size = np.asarray(gpus, np.int64)
    if not jobs.chip_names and int(jobs.smallest.max(initial=0)) <= size.max(initial=0):
        return jobs  # what most traces come to, without a table of jobs
    allowed = np.vstack([jobs.allowed(chips), np.ones((1, len(size)), bool)])  # the last row is `any`, code -1
    most = np.where(allowed, size, 0).max(axis=1, initial=0)[jobs.chip]
    lost: np.ndarray = np.logical_not(allowed.any(axis=1))[jobs.chip]
    bad = np.flatnonzero(jobs.smallest > most)
    if len(bad) == 0:
        return jobs
    issues = tuple(_unfit(jobs, int(job), int(most[job]), bool(lost[job])) for job in bad[:NAMED])
    count = int(lost[bad].sum())
    skipped = {rule: n for (rule, _), n in ((TOO_LARGE, len(bad) - count), (NO_SUCH_CHIP, count)) if n}
    hours = float(jobs.gpus[bad] @ jobs.duration_s[bad]) / HOUR
    found = Refusals(jobs.refusals.file, 0 if jobs.refusals.read else len(jobs), skipped, {}, hours, 0, issues)
    if not skip_bad:
        raise TraceError(found.faults(), issues)
    kept = np.ones(len(jobs), bool)
    kept[bad] = False
    return replace(jobs.select(kept), refusals=jobs.refusals + found)


def _unfit(jobs: Jobs, job: int, most: int, lost: bool) -> Issue:
    rule, remedy = NO_SUCH_CHIP if lost else TOO_LARGE
    chip = jobs.chip_names[jobs.chip[job]] if jobs.chip[job] >= 0 else ""
    got = f"{jobs.gpus[job]} GPUs{f' on {chip}' if chip else ''}; the largest such pool has {most}"
    row = 0 if jobs.row is None else int(jobs.row[job])
    return Issue(jobs.refusals.file, row, 0, f"{'gpu_type' if lost else 'gpus'} of job {jobs.name(job)}", got, rule, remedy)
