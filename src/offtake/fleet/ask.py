"""A question to a replay: files and choices in, one dictionary out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..errors import QuestionError
from ..traces import read_any
from ..traces.jobs import Names, Refusals
from .compare import COMPARED, compared
from .known import LLAMA3, LLAMA3_SAVING
from .outcome import Outcome
from .pools import POLICIES, Failures, Pool, Rules, Saving, Service
from .run import run_jobs, run_trace
from .text import load_pools, seconds
from .work import arrays_of

FAILURES = ("none", "book", "llama3")


@dataclass(frozen=True)
class Asked:
    """How to replay: policy; failures `none`, those the `book` (or file of pools) states, or `llama3`; pins; faulty rows; log rows kept;
    what to leave out in further replays (COMPARED); maintenance, instead of what a file states."""

    policy: str = "fifo"
    failures: str = "none"
    pin: bool = False
    skip_bad: bool = False
    seed: int = 1
    log: int = 0
    compare: tuple[str, ...] = ()
    service: Service | None = None

    def __post_init__(self) -> None:
        for name, value, known in (("policy", self.policy, POLICIES), ("failures", self.failures, FAILURES)):
            if value not in known:
                raise QuestionError(f"--{name} is one of {', '.join(known)}, not '{value}'")
        for name in self.compare:
            if name not in COMPARED or self.compare.count(name) > 1:
                raise QuestionError(f"--compare takes {' and '.join(COMPARED)}, each once, not '{','.join(self.compare)}'")


def time_of(text: str, option: str) -> float:
    """`5 min` as seconds. Raises QuestionError, naming the option, for anything else."""
    try:
        return seconds(text)
    except ValueError:
        raise QuestionError(f"{option} is a time, as in '1 h' or '5 min', not '{text}'") from None


def service_of(text: str) -> Service:
    """`8 h every 90 days` as maintenance. Raises QuestionError for anything else."""
    length, _, every = text.partition(" every ")
    try:
        found = Service(seconds(every), seconds(length))
    except ValueError:
        found = Service(0.0, 0.0)
    if not 0.0 < found.length <= found.every:
        raise QuestionError(f"--maintenance reads LENGTH every TIME, as in '8 h every 90 days', not '{text}'")
    return found


def rules_of(asked: Asked, stated: Rules, where: str) -> Rules:
    """The rules that a file states, with the failures that were asked for. Raises QuestionError where it states none."""
    if asked.failures == "book" and stated.failures is None:
        raise QuestionError(f"{where} states no failures: give a `failures` block (docs/replay.md), or --failures llama3 or none")
    failures: Failures | None = {"none": None, "book": stated.failures, "llama3": LLAMA3}[asked.failures]
    assumed = asked.failures == "llama3" or (failures is not None and failures.shares == LLAMA3.shares)
    saving = LLAMA3_SAVING if assumed and stated.saving == Saving() else stated.saving
    service = asked.service or stated.service
    return replace(stated, policy=asked.policy, failures=failures, saving=saving, seed=asked.seed, log=asked.log, service=service)


def compiled() -> bool:
    """Whether the replay has been compiled on this machine; a run compiles it else."""
    from ..kernels import cache

    path = cache.folder(Path(cache.__file__).parent, "replay")
    return path is not None and any(path.rglob("*.nbi"))


def digest(path: str | Path) -> str:
    """SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(trace: str | Path | None, pools: Sequence[Pool], rules: Rules) -> dict[str, Any]:
    """What the figures hang on: the same stamp, the same bits."""
    told = {key: value for key, value in asdict(rules).items() if key not in ("log", "path")}
    name, sha = (None, None) if trace is None else (Path(trace).name, digest(trace))
    return {
        "trace": name, "trace_sha256": sha, "version": version("offtake"),
        "pools": {p.name: {key: value for key, value in asdict(p).items() if key != "name"} for p in pools}, "rules": told,
    }  # fmt: skip


def told(outcome: Outcome, refusals: Refusals | None, trace: str | Path | None) -> dict[str, Any]:
    """Everything to print of one replay; `refusals` of its trace."""
    refused = refusals.to_dict() if refusals is not None and refusals.total else None
    return outcome.to_dict() | {"refused": refused, "stamp": stamp(trace, outcome.pools, outcome.rules)}


@dataclass(frozen=True)
class Answer:
    """What a replay says, its outcome, and the names of the trace's jobs where they are known."""

    told: dict[str, Any]
    outcome: Outcome
    names: Names | None = None

    def name(self, job: int) -> str:
        """A job as the trace calls it, else its number; a replica by its fleet."""
        job = job if self.outcome.source is None else int(self.outcome.source[job])
        if job < 0:
            return self.outcome.rules.serving[-1 - job].name
        return str(job) if self.names is None else self.names.of(job)


def replay_pools(trace: str | Path, pools: str | Path, asked: Asked) -> Answer:
    """Replay a trace over the pools of a file. Raises BookError, TraceError or QuestionError for what is wrong with either."""
    found, stated = load_pools(pools)
    rules = rules_of(asked, stated, Path(pools).name)
    if rules.service and any(pool.node == 1 for pool in found):
        raise QuestionError("maintenance goes by domains, so pools need nodes: give node and domain")
    known = read_any(trace, asked.skip_bad)
    jobs, work = arrays_of(known, found, rules, asked.pin, asked.skip_bad)
    refusals, names = jobs.refusals, jobs.ids
    del jobs
    if not asked.compare:
        del known  # of many jobs the trace's own times are large, and all but their names is in `work`
    outcome = run_jobs(work, found, rules)
    said = told(outcome, refusals, trace)
    if asked.compare:
        quiet, how = replace(rules, log=0), (asked.pin, asked.skip_bad)
        said["compare"] = compared(found, asked.compare, outcome, lambda pools: run_trace(known, pools, quiet, *how)[1])
    return Answer(said, outcome, names)
