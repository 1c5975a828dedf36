"""Jobs of a trace as arrays for a replay: whole milliseconds, classes, and which pools may run each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import QuestionError
from ..kernels import replay_state as k
from ..traces import Jobs
from ..traces.jobs import fit
from .machines import MS, STRETCH
from .pools import Pool, Rules

Array = np.ndarray[Any, Any]
MOST_CLASSES = 64
MOST_POOLS = 62


def largest_gang(pool: Pool) -> int:
    """The largest gang that the pool holds when it is empty, whole and fully grown."""
    if pool.node == 1:
        return pool.most - pool.spares
    nodes, spares = pool.most // pool.node, pool.spares // pool.node
    if pool.segment == 0 or pool.slowdown is not None:
        return (nodes - spares) * pool.node
    per, segment = pool.domain // pool.node, pool.segment // pool.node
    at = np.arange(nodes)
    held_back = (at + 1) * spares // nodes > at * spares // nodes
    free = np.bincount(at // per, weights=~held_back).astype(int)
    return int((free // segment).sum() * segment + (free % segment).max()) * pool.node


def whole_ms(seconds: Array) -> Array:
    """Seconds as whole milliseconds, made a stretch at a time."""
    ms = np.empty(len(seconds), np.int64)
    for first in range(0, len(ms), STRETCH):
        ms[first : first + STRETCH] = np.rint(seconds[first : first + STRETCH] * MS)
    return ms


def _ranks(jobs: Jobs, rules: Rules) -> Array:
    """Class of each job, 0 for the highest priority. Raises QuestionError for more than MOST_CLASSES priorities."""
    if rules.policy != "priority":
        return np.zeros(1, np.int16)
    values, place = np.unique(-jobs.priority.astype(np.int64), return_inverse=True)
    if len(values) > MOST_CLASSES:
        raise QuestionError(f"the trace has {len(values):,} different priorities; --policy priority keeps at most {MOST_CLASSES} apart")
    return place.astype(np.int16)


def _pinned(jobs: Jobs, pools: Sequence[Pool]) -> Array:
    """Bit of the pool that each job names. Raises QuestionError where a job names none of them or does not fit there."""
    names = [pool.name for pool in pools]
    bits = np.array([1 << names.index(name) if name in names else 0 for name in jobs.pool_names] + [0], np.int64)
    allow: Array = bits[jobs.pool]
    if (allow == 0).any():
        lost = int(np.flatnonzero(allow == 0)[0])
        told = f"'{jobs.pool_names[jobs.pool[lost]]}'" if jobs.pool[lost] >= 0 else "no pool"
        count = int((allow == 0).sum())
        raise QuestionError(
            f"--pin-pools: {count:,} job{'s' * (count != 1)} of the trace name a pool that is not in the file, the first "
            f"({jobs.name(lost)}) {told}; there are: {', '.join(names)}"
        )
    return allow


def _allow(jobs: Jobs, pools: Sequence[Pool], pin: bool) -> Array:
    """Bit p of job j where pool p may run it: by chip, by size, and by name if pinned."""
    if not pin and not jobs.chip_names and jobs.smallest.max(initial=0) <= min(largest_gang(pool) for pool in pools):
        return np.array([(1 << len(pools)) - 1], np.int64)  # any pool may run any job: no table of jobs is made
    chips = np.vstack([jobs.allowed([pool.chip for pool in pools]), np.ones((1, len(pools)), bool)])
    may = chips[jobs.chip] & (jobs.smallest[:, None] <= np.array([largest_gang(pool) for pool in pools]))
    allow: Array = (may * (1 << np.arange(len(pools)))).sum(axis=1)
    if pin:
        both: Array = allow & _pinned(jobs, pools)
        if not both.all():
            lost = int(np.flatnonzero(both == 0)[0])
            raise QuestionError(
                f"--pin-pools: job {jobs.name(lost)} ({jobs.gpus[lost]} GPUs) does not fit into its pool "
                f"'{jobs.pool_names[jobs.pool[lost]]}': too small, or another chip"
            )
        return both
    return allow if (allow != allow[0]).any() else allow[:1]


def arrays_of(jobs: Jobs, pools: Sequence[Pool], rules: Rules, pin: bool = False, skip_bad: bool = False) -> tuple[Jobs, k.Jobs]:
    """The jobs that some pool can hold, and their arrays.

    Raises TraceError where a job fits nowhere (unless `skip_bad`), QuestionError for pins and priorities that cannot be kept.
    """
    if len(pools) > MOST_POOLS:
        raise QuestionError(f"{len(pools)} pools; a replay keeps at most {MOST_POOLS} apart")
    held = fit(jobs, [largest_gang(pool) for pool in pools], [pool.chip for pool in pools], skip_bad)
    if len(held) == 0:
        raise QuestionError("the trace has no job to replay")
    work = k.Jobs(
        whole_ms(held.submit_s), whole_ms(held.duration_s), held.gpus.astype(np.int32, copy=False), _ranks(held, rules),
        _allow(held, pools, pin),
        _terms(held),
    )  # fmt: skip
    return held, work


def _terms(jobs: Jobs) -> Array:
    """What jobs state beyond a rigid gang; no rows where none does."""
    if jobs.least is None and jobs.latest_s is None:
        return np.zeros((0, k.TERM_FIELDS), np.int64)
    latest = np.full(len(jobs), -1, np.int64) if jobs.latest_s is None else np.where(jobs.latest_s < 0, -1, whole_ms(jobs.latest_s))
    return np.stack([jobs.smallest, latest, np.zeros(len(jobs), np.int64)], axis=1).astype(np.int64)
