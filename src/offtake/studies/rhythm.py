"""How the inference of a book follows time in a replay: a request trace, the profile that the workload states, or an assumed day (D-01).

Axes    workloads (W), steps (H) of a rhythm, repeated from the window's beginning; months of the window (N)
Units   load over any scale; seconds; GPU-h
Assumed without a trace and a profile: a cosine with its peak at 16:00 and the workload's headroom as peak over average; slots of `day`
        follow one another from midnight on
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..plan import Plan
from ..traces import TraceError
from ..traces.load import after_midnight, load_of

Array = np.ndarray[Any, Any]
HOUR, DAY = 3600.0, 86400.0
PEAK_HOUR = 16


@dataclass(frozen=True)
class Followed:
    """What inference is to follow: request traces as `[WORKLOAD=]FILE[:TRACE]`, and the step in seconds."""

    requests: tuple[str, ...] = ()
    step: float = HOUR

    def __post_init__(self) -> None:
        if not 0.0 < self.step <= DAY or DAY % self.step:
            raise QuestionError(f"--step is a whole part of a day, as in '1 h' or '5 min', not {self.step:g} s")


@dataclass(frozen=True)
class Rhythm:
    """Load (H,) of each step of `step` seconds, over any scale; `held` is what a month asks for over the GPU-hours that the plan counts:
    all of them, or less where inference gives up at night what the plan holds for its peak. `up`: replicas are rounded up."""

    load: Array
    step: float = HOUR
    held: float = 1.0
    up: bool = False
    told: dict[str, Any] = field(default_factory=dict)

    def replicas(self, hours: Array, gang: int, begins: Array) -> tuple[int, ...]:
        """Replicas of `gang` GPUs wanted in each step of a window whose months begin at `begins` (N + 1,) seconds, for the GPU-hours (N,)
        of each: one at least where a month wants any."""
        found: list[int] = []
        for m, wanted in enumerate(hours):
            first, last = (round(at / self.step) for at in begins[m : m + 2])
            shape = self.load[np.arange(first, last) % len(self.load)]
            total = float(shape.sum())
            if wanted > 0.0 and total == 0.0:
                told = f"{self.told.get('file')}: no tokens in month {m + 1} of the replay"
                raise QuestionError(f"{told}, so nothing says how its load is spread")
            many = wanted / (self.step / HOUR) / (total or 1.0) / gang * shape
            rounded = np.ceil(many - 1e-9) if self.up else np.rint(many)
            found += np.maximum(rounded, 1.0 if wanted > 0.0 else 0.0).astype(int).tolist()
        return tuple(found)


def daily(headroom: float) -> Array:
    """(24,) inference by the hour, as a share of its peak: a cosine whose peak over average is the headroom, 0 at the lowest."""
    shape = np.maximum(1.0 + (headroom - 1.0) * np.cos(2.0 * np.pi * (np.arange(24) - PEAK_HOUR) / 24.0), 0.0)
    return np.asarray(shape / shape.max())


def hourly(lengths: Sequence[float], loads: Sequence[float]) -> Array:
    """(24,) mean load of each hour, of slots (hours, load) that follow one another from midnight on."""
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    sums = np.concatenate([[0.0], np.cumsum(np.array(lengths) * np.array(loads))])
    return np.diff(np.interp(np.arange(25.0), edges, sums))


def rhythms_of(plan: Plan, followed: Followed) -> dict[str, Rhythm]:
    """How each workload follows time. Raises QuestionError for a trace of no inference workload, TraceError for the file."""
    files = _files(plan, followed.requests)
    found: dict[str, Rhythm] = {}
    for name in plan.names.workloads:
        work = plan.book.workloads[name]
        if work.kind != "inference":
            found[name] = Rhythm(np.ones(24))
        elif name in files:
            found[name] = _traced(plan, name, *files[name], followed.step)
        elif work.profile:
            loads = hourly(list(plan.book.day.values()), [work.profile[slot].median() for slot in plan.book.day])
            found[name] = Rhythm(loads / loads.mean(), told={"follows": "profile", "peak_over_mean": float(loads.max() / loads.mean())})
        else:
            day = daily(work.headroom.median()) if work.headroom is not None else np.ones(24)
            mean = float(day.mean())
            found[name] = Rhythm(day, held=mean, told={"follows": "assumed day", "peak_over_mean": 1.0 / mean})
    return found


def _files(plan: Plan, requests: Sequence[str]) -> dict[str, tuple[Path, str | None]]:
    """File and trace of each workload; one without a name is for all that have none of their own. Raises QuestionError, also where one is
    left that nothing follows."""
    inference = [name for name in plan.names.workloads if plan.book.workloads[name].kind == "inference"]
    if requests and not inference:
        raise QuestionError("--requests: the book has no inference to follow them")
    found: dict[str, str] = {}
    for text in requests:
        name, rest = _parted(text, inference)
        if name in found:
            whose = f"{name} follows" if name else "inference without a trace of its own follows"
            raise QuestionError(f"--requests: {whose} one trace, not both {found[name]} and {rest}; leave one out, or name its workload")
        found[name] = rest
    if "" in found and all(name in found for name in inference):
        whose = f"{inference[0]} has a trace" if len(inference) == 1 else "all inference of the book has traces"
        raise QuestionError(f"--requests: {whose} of its own, so nothing follows {found['']}; leave it out")
    return {name: _file_and_trace(found[key]) for name in inference if (key := name if name in found else "") in found}


def _parted(text: str, inference: Sequence[str]) -> tuple[str, str]:
    """Workload, "" where none is named, and what stands behind it; a name of a file that is there may have a `=` in it."""
    name, rest = "", text
    if "=" in text and not any(Path(whole).is_file() for whole in (text, text.rpartition(":")[0])):
        name, _, rest = text.partition("=")
        if name not in inference:
            near = get_close_matches(name, inference, n=1)
            fix = f"did you mean {near[0]}?" if near else f"there are: {', '.join(inference)}"
            raise QuestionError(f"--requests: '{name}' is no inference of the book; {fix}")
    if not rest.strip() or rest.endswith(":"):
        missing = "trace behind its last `:`" if rest.strip(": ") else "file"
        raise QuestionError(f"--requests: '{text}' names no {missing}; write [WORKLOAD=]FILE[:TRACE], as in chat=chat.parquet")
    return name, rest


def _file_and_trace(text: str) -> tuple[Path, str | None]:
    file, _, trace = text.rpartition(":")
    return (Path(text), None) if Path(text).is_file() or not file else (Path(file), trace)


def _traced(plan: Plan, name: str, file: Path, trace: str | None, step: float) -> Rhythm:
    """A workload that follows a trace again and again: by whole days where it has any, and then, where the file knows when it began, its
    hours are those of the day; a shorter one has no hours of a day, and begins with the window."""
    weight = plan.book.workloads[name].input_weight
    try:
        load = load_of(file, trace, weight.median() if weight is not None else 0.0, step)
    except TraceError as error:
        more = "; write FILE:TRACE" if trace is None and "says which one" in str(error) else ""
        raise TraceError(f"--requests {error}{more}", error.issues) from None
    if load.span < step or len(load.tokens) < 2:
        spans = f"{load.trace} spans {load.span / 60:,.0f} min, fewer than two steps of {step / 60:g} min"
        raise QuestionError(f"--requests {file.name}: {spans}: a shorter --step shows its shape")
    whole = round(load.days * DAY / step) or len(load.tokens)  # by whole days, so that its hours stay those of the day
    tokens, used = np.array(load.tokens[:whole]), sum(load.counts[:whole])
    begins = after_midnight(load.begins) if load.begins is not None and load.days else None
    turned = 0 if begins is None else math.floor(begins / step)
    with file.open("rb") as stream:
        sha = hashlib.file_digest(stream, "sha256").hexdigest()
    told = {
        "follows": "requests", "file": file.name, "sha256": sha, "trace": load.trace, "requests": used, "left_out": load.requests - used,
        "days": load.days, "steps": len(tokens), "step_s": step, "repeats_s": len(tokens) * step,
        "begins_at_s": None if begins is None else turned * step, "peak_over_mean": float(tokens.max() / tokens.mean()),
    }  # fmt: skip
    return Rhythm(np.roll(tokens, turned), step, up=True, told=told)
