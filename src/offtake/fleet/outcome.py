"""What a replay says: waits, occupancy, goodput, and every ready GPU-hour in one bin (S-05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import IdentityError
from ..kernels import replay_state as k
from .machines import HOUR_MS, MS
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
    source        (J,) integer: place of a job among those given, -1 - n for a replica of fleet n
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
    source: Array
    stops: Array
    bins: Array
    ready: Array
    counts: dict[str, int]
    log: Array
    unlogged: int

    @property
    def is_job(self) -> Array:
        """(J,) bool: what is a job and no replica of a fleet."""
        return np.asarray(self.source >= 0)

    def inference(self) -> dict[str, dict[str, float]]:
        """Of each fleet the GPU-hours that it wanted and those that it did not get."""
        asked = self.jobs.gpus.astype(np.int64) * self.jobs.duration / HOUR_MS
        unmet = self.jobs.gpus.astype(np.int64) * self.left / HOUR_MS
        mine = [self.source == -1 - n for n in range(len(self.rules.serving))]
        return {
            fleet.name: {"asked_gpu_h": float(asked[m].sum()), "unmet_gpu_h": float(unmet[m].sum())}
            for fleet, m in zip(self.rules.serving, mine, strict=True)
        }

    def usd(self) -> float:
        """What the allocated GPU time costs at the prices of its pools."""
        held = self.bins[:, : BINS.index("failure")].sum(axis=1) / HOUR_MS
        return float(held @ np.array([pool.price for pool in self.pools]))

    def wait_s(self) -> Array:
        """Seconds from submission to the first start, of the jobs that started; inference is none."""
        started = (self.begun >= 0) & self.is_job
        wait: Array = (self.begun[started] - self.jobs.submit[started]) / MS
        return wait

    def to_dict(self) -> dict[str, Any]:
        """All figures; shares are of ready GPU time, occupancy of what is not down, goodput of what is allocated."""
        wait, done = self.wait_s(), self.ended[self.is_job] >= 0
        total = self.bins.sum(axis=0)
        first = int(self.jobs.submit[self.is_job][:1].sum())
        return (
            {
                "jobs": len(done), "started": len(wait), "finished": int(done.sum()),
                "mean_wait_s": _or_none(np.mean, wait), "p50_wait_s": _or_none(np.median, wait),
                "p95_wait_s": _or_none(lambda x: np.percentile(x, 95), wait),
                "makespan_s": (int(self.ended[self.is_job].max()) - first) / MS if done.all() and len(done) else None,
            }
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
        started, gpus, rows = (self.begun >= 0) & self.is_job, self.jobs.gpus, []
        for e in range(int(gpus.max(initial=0)).bit_length()):
            mine = started & (gpus >= 1 << e) & (gpus < 1 << (e + 1))
            if not mine.any():
                continue
            submit, ended = self.jobs.submit[mine], self.ended[mine]
            wait, finished = (self.begun[mine] - submit) / MS, ended >= 0
            slow = ((ended - submit) / MS)[finished] / np.maximum(self.jobs.duration[mine][finished] / MS, SHORT_S)
            rows.append(
                {
                    "from_gpus": 1 << e, "to_gpus": (2 << e) - 1, "jobs": len(wait),
                    "mean_wait_s": float(wait.mean()), "p50_wait_s": float(np.median(wait)),
                    "p95_wait_s": float(np.percentile(wait, 95)),
                    "mean_slowdown": _or_none(lambda x: np.maximum(x, 1.0).mean(), slow),
                }
            )  # fmt: skip
        return rows


def _or_none(of: Any, values: Array) -> float | None:
    return float(of(values)) if len(values) else None


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
        np.arange(len(jobs.submit)) if source is None else source, s.stops, bins, ready, counts, s.log[:kept],
        int(s.tally[k.LOGGED]) - kept,
    )  # fmt: skip
