"""The day inside a month: which slots there are, what of a workload falls to each, and which hours of the plan lie where.

Axes    workloads (W), jobs (J), pools (K), slots (S), months (M), lanes (L); path last.
Units   GPU-h per month, the slot's share of every day; shares of the day and of a workload's work.
Signs   all >= 0. Use in slots adds up to use, idle in slots to idle.
Order within the month   after the program is solved: hours bound to slots, then the jobs of any time in what these leave.
Source  model D-01, D-03, P-01. What the program does not ask (when a job of any time runs) is shared out in proportion.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import inner

DUST = 1e-14  # unserved work and left-over hours below this share of the whole are rounding, and zero


class Day(NamedTuple):
    """The slots of the day and the jobs that come of them; jobs of a workload stand side by side."""

    share: np.ndarray  # (S,) of the day, sum 1; none where a month is one block
    owner: np.ndarray  # (J,) int64 workload, not falling
    spot: np.ndarray  # (J,) int64: 0 any time of the month, 1 + s in slot s, 1 + S through the day
    profile_x: np.ndarray  # (J,) int64 rows of X: load in the slot over its mean, -1 none (spots of the month and of the day)


def one_block(workloads):
    """The `Day` of a month that is one block: every workload is a job."""
    return Day(np.zeros(0), np.arange(workloads), np.zeros(workloads, np.int64), np.full(workloads, -1))


@inner
def load_parts(day, X, desk):
    """Part of the workload's work that falls to each job: its slot's share of the day x its load, over what these add up to."""
    for r in range(day.owner.shape[0]):
        part, whole, spot = desk.part[r], desk.limit[0], day.spot[r]
        part[:] = 1.0
        if day.profile_x[r] >= 0:
            whole[:] = 0.0
            for other in range(day.owner.shape[0]):
                if day.owner[other] == day.owner[r]:
                    profile, share = X[day.profile_x[other]], day.share[day.spot[other] - 1]
                    for i in range(whole.shape[0]):
                        whole[i] += share * profile[i]
            profile, share = X[day.profile_x[r]], day.share[spot - 1]
            for i in range(part.shape[0]):
                part[i] = share * profile[i] / whole[i] if whole[i] > 0.0 else share


@inner
def bound_hours(k, jobs, b, desk, m, out):
    """Hours of pool k that are bound to slots, into `slot_use`; what they leave into `free`, and over the day into `total`."""
    pools, day, total = b.pools, jobs.day, b.total
    slots = day.share.shape[0]
    total[:] = 0.0
    for s in range(slots):
        free, room = desk.free[s * pools + k], b.room[b.speed.shape[0] + b.fill.shape[0] - pools * slots + s * pools + k]
        for i in range(free.shape[0]):
            free[i] = room[i]
        for r in range(day.owner.shape[0]):
            use, plan = out.slot_use[day.owner[r], k, s, m], b.use[r * pools + k]
            part = day.share[s] if day.spot[r] > slots else (1.0 if day.spot[r] == 1 + s else 0.0)
            if r == 0 or day.owner[r] != day.owner[r - 1]:
                use[:] = 0.0
            for i in range(free.shape[0] if part > 0.0 else 0):
                use[i] += part * plan[i]
                free[i] -= part * plan[i]
        for i in range(free.shape[0]):
            free[i] = free[i] if free[i] > DUST * room[i] else 0.0
            total[i] += free[i]


@inner
def book_slots(jobs, b, desk, m, out):
    """Hours by slot: those bound to them, then the jobs of any time and what stays idle in proportion to what is left of each."""
    pools, day, total = b.pools, jobs.day, b.total
    for k in range(pools):
        left = desk.left[k]
        if day.share.shape[0] == 0:
            for i in range(left.shape[0]):
                desk.free[k, i] = left[i]
            continue
        bound_hours(k, jobs, b, desk, m, out)
        for s in range(day.share.shape[0]):
            free, idle = desk.free[s * pools + k], out.slot_idle[k, s, m]
            for r in range(day.owner.shape[0]):
                use, plan = out.slot_use[day.owner[r], k, s, m], b.use[r * pools + k]
                for i in range(free.shape[0] if day.spot[r] == 0 else 0):
                    use[i] += plan[i] * (free[i] / total[i]) if total[i] > 0.0 else 0.0
            for i in range(free.shape[0]):
                free[i] = left[i] * (free[i] / total[i]) if total[i] > 0.0 else 0.0
                idle[i] = free[i]
