"""What a replay says: waits, occupancy, goodput, and every ready GPU-hour in one bin (S-05)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import IdentityError
from ..kernels import replay_state as k
from .machines import HOUR_MS, MS, STRETCH
from .pools import Pool, Rules

Array = np.ndarray[Any, Any]
BINS = (
    "useful", "checkpointing", "restart", "lost_work", "slowdown", "failure", "repair", "maintenance", "power", "spare", "fragmentation",
    "assembling", "reserved", "not_allowed", "not_worth", "put_off",
    "no_demand",
)  # fmt: skip
GROUPS = {"useful": BINS[:1], "overhead": BINS[1:5], "down": BINS[5:9], "idle": BINS[9:]}
SHORT_S = 10.0  # a slowdown counts shorter jobs as this long


@dataclass(frozen=True)
class Outcome:
    """Results of one replay.

    begun, ended  (J,) int64 ms, -1 where that never came
    left          (J,) int64 ms of work not done; of inference, not served
    source        (J,) integer: place of a job among those given, -1 - n for a replica of fleet n; None where all are jobs as given
    stops         (J,) int32 interruptions and preemptions
    bins          (P, len(BINS)) int64 GPU-ms, adding up to ready (P,)
    log           (L, 6) int64: ms, kind, job, pool, GPUs, domain
    """

    pools: tuple[Pool, ...]
    rules: Rules
    jobs: k.Jobs
    begun: Array
    ended: Array
    left: Array
    source: Array | None
    stops: Array
    bins: Array
    ready: Array
    counts: dict[str, int]
    log: Array
    unlogged: int

    def of_jobs(self, values: Array) -> Array:
        """Those of values (J,) that are of a job and of no replica of a fleet."""
        return values if self.source is None else np.asarray(values[self.source >= 0])

    def started(self) -> Array:
        """(J,) bool: jobs that have started; inference is none."""
        found: Array = self.begun >= 0
        return found if self.source is None else found & (self.source >= 0)

    def inference(self) -> dict[str, dict[str, float]]:
        """Of each fleet the GPU-hours that it wanted and those that it did not get."""
        if self.source is None:
            return {}
        mine = [self.source == -1 - n for n in range(len(self.rules.serving))]
        return {
            fleet.name: {"asked_gpu_h": self._hours(m, self.jobs.duration), "unmet_gpu_h": self._hours(m, self.left)}
            for fleet, m in zip(self.rules.serving, mine, strict=True)
        }

    def _hours(self, mine: Array, ms: Array) -> float:
        """GPU-hours of a time (J,) in ms, of those that a mask (J,) chooses."""
        return float((self.jobs.gpus[mine].astype(np.int64) * ms[mine] / HOUR_MS).sum())

    def usd(self) -> float:
        """What the allocated GPU time costs at the prices of its pools."""
        held = self.bins[:, : BINS.index("failure")].sum(axis=1) / HOUR_MS
        return float(held @ np.array([pool.price for pool in self.pools]))

    def wait_s(self) -> Array:
        """Seconds from submission to the first start, of the jobs that started; inference is none."""
        return self.waits_of(self.started())

    def waits_of(self, mine: Array) -> Array:
        """Seconds from submission to the first start of those that a mask (J,) chooses."""
        return _of(mine, lambda rows, m: (self.begun[rows][m] - self.jobs.submit[rows][m]) / MS)

    def to_dict(self) -> dict[str, Any]:
        """All figures; shares are of ready GPU time, occupancy of what is not down, goodput of what is allocated."""
        wait, ended = self.wait_s(), self.of_jobs(self.ended)
        total, finished = self.bins.sum(axis=0), int((ended >= 0).sum())
        waits = {"started": len(wait), "finished": finished, **_spread(wait)}
        del wait  # of many jobs it is large
        first = int(self.of_jobs(self.jobs.submit)[:1].sum())
        makespan = (int(ended.max()) - first) / MS if finished == len(ended) > 0 else None
        return (
            {"jobs": len(ended)} | waits | {"makespan_s": makespan}
            | rates(total)
            | {"ready_gpu_h": float(self.ready.sum()) / HOUR_MS, "lost_gpu_h": float(total[BINS.index("lost_work")]) / HOUR_MS}
            | self.counts
            | {"usd": self.usd(), "inference": self.inference()}
            | {
                "bins": told_bins(total),
                "pools": {p.name: rates(row) | {"bins": told_bins(row)} for p, row in zip(self.pools, self.bins, strict=True)},
                "sizes": self.by_size(),
            }
        )  # fmt: skip

    def by_size(self) -> list[dict[str, Any]]:
        """Waits and slowdowns by size: gangs of 1, 2 to 3, 4 to 7, .. GPUs."""
        started, gpus, rows = self.started(), self.jobs.gpus, []
        for e in range(int(gpus.max(initial=0)).bit_length()):
            mine = gpus >= 1 << e
            mine &= gpus < 1 << (e + 1)
            mine &= started
            if not mine.any():
                continue
            count = int(mine.sum())
            waits = _spread(self.waits_of(mine))
            mine &= self.ended >= 0
            rows.append({"from_gpus": 1 << e, "to_gpus": (2 << e) - 1, "jobs": count, **waits, "mean_slowdown": self._slowdown(mine)})
        return rows

    def _slowdown(self, mine: Array) -> float | None:
        """Mean time from submission to end over run time, 1 at the least, of those that a mask (J,) chooses; all of them have ended."""
        submit, duration = self.jobs.submit, self.jobs.duration
        slow = _of(mine, lambda rows, m: (self.ended[rows][m] - submit[rows][m]) / MS / np.maximum(duration[rows][m] / MS, SHORT_S))
        return float(np.maximum(slow, 1.0, out=slow).mean()) if len(slow) else None


def _of(mine: Array, value: Callable[[slice, Array], Array]) -> Array:
    """What `value` says of the jobs that a mask (J,) chooses, a stretch of jobs at a time; it is handed their rows and the mask there."""
    found, at = np.empty(int(mine.sum())), 0
    for first in range(0, len(mine), STRETCH):
        rows = slice(first, first + STRETCH)
        part = value(rows, mine[rows])
        found[at : at + len(part)] = part
        at += len(part)
    return found


def _spread(wait: Array) -> dict[str, float | None]:
    """Mean, median and 95th percentile of waits, which lose their order; None of none."""
    if len(wait) == 0:
        return {"mean_wait_s": None, "p50_wait_s": None, "p95_wait_s": None}
    mean = float(wait.mean())
    half = float(np.median(wait, overwrite_input=True))
    return {"mean_wait_s": mean, "p50_wait_s": half, "p95_wait_s": float(np.percentile(wait, 95, overwrite_input=True))}


def rates(bins: Array) -> dict[str, float | None]:
    """Availability, occupancy and goodput from bins (len(BINS),); None where there was nothing to share."""
    useful, overhead, down, idle = (int(sum(bins[BINS.index(b)] for b in group)) for group in GROUPS.values())
    ready, offered, held = useful + overhead + down + idle, useful + overhead + idle, useful + overhead
    return {
        "availability": offered / ready if ready else None,
        "occupancy": held / offered if offered else None,
        "goodput": useful / held if held else None,
    }


def told_bins(bins: Array) -> dict[str, dict[str, float | int | None]]:
    """Each bin in whole GPU-milliseconds (these add up exactly), GPU-hours and share of ready time."""
    ready = int(bins.sum())
    return {
        name: {"gpu_ms": int(n), "gpu_h": float(n) / HOUR_MS, "share": int(n) / ready if ready else None}
        for name, n in zip(BINS, bins, strict=True)
    }


def outcome_of(pools: Sequence[Pool], rules: Rules, jobs: k.Jobs, s: k.State, source: Array | None = None) -> Outcome:
    """Read the results off a finished replay. Raises IdentityError where the bins do not add up to the ready time."""
    bins, ready = s.bins[:, : k.BINS], s.bins[:, k.READY]
    for pool, row, whole in zip(pools, bins, ready, strict=True):
        if row.sum() != whole or (row < 0).any():
            raise IdentityError(f"S-05: the bins of pool '{pool.name}' add up to {row.sum():,} GPU-ms, not to {whole:,} ready ones")
    names = {"preemptions": k.PREEMPTED, "interruptions": k.INTERRUPTED, "moved": k.MOVED, "spread_out": k.SPREAD, "resized": k.RESCALED}
    counts = {name: int(s.tally[at]) for name, at in names.items()}
    kept = min(int(s.tally[k.LOGGED]), len(s.log))
    return Outcome(
        tuple(pools), rules, jobs, s.job[:, k.BEGUN], s.job[:, k.ENDED], s.job[:, k.LEFT],
        source, s.stops, bins, ready, counts, s.log[:kept],
        int(s.tally[k.LOGGED]) - kept,
    )  # fmt: skip
