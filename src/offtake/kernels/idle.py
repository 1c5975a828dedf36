"""Why hours stay idle: the left-over hours of a month by cause.

Axes    jobs (J), pools (K), slots (S, or 1 where the month is one block), months (M), lanes (L); path last.
Units   GPU-h.
Signs   all >= 0. Causes add up to what is left.
Order within the month   last: pools by rank, causes, jobs by rank, slots. `free` and `todo` are used up.
Source  model P-06, S-05. Unserved work is shared out once; a job of a slot finds hours there alone, one through the day only such
        as are left in every slot.
"""

import numpy as np

from offtake.kernels.compiled import inner, step

NO_DEMAND, NOT_ALLOWED, NO_ROOM = 0, 1, 2


@inner
def explain_hours(left, todo, speed):
    """Hours of `left` that `todo` work would fill, and the work that is then spoken for."""
    hours = min(left, todo / speed) if speed > 0.0 else 0.0
    return hours, min(hours * speed, todo)


@step
def blame_there(j, at, cause, desk, hours):
    """Blame hours left at `at` (a pool in a slot) on the job of pair j."""
    pools = desk.limit.shape[0]
    free, limit = desk.free[at], desk.limit[at % pools]
    todo, speed, gang = desk.todo[j // pools], desk.blame[j], desk.gang[j]
    for i in range(free.shape[0]):
        blamed, spoken = explain_hours(free[i], todo[i], speed[i])
        counts = cause == NOT_ALLOWED or gang[i] > limit[i]
        hours[i] += blamed if counts else 0.0
        free[i] -= blamed if counts else 0.0
        todo[i] -= spoken if counts else 0.0


@step
def blame_through(j, share, cause, desk, hours):
    """Blame hours that are left all through the day on the job of pair j."""
    pools = desk.limit.shape[0]
    k, todo, speed, gang = j % pools, desk.todo[j // pools], desk.blame[j], desk.gang[j]
    for i in range(todo.shape[0]):
        through = np.inf
        for s in range(share.shape[0]):
            through = min(through, desk.free[s * pools + k, i] / share[s])
        blamed, spoken = explain_hours(through, todo[i], speed[i])
        counts = cause == NOT_ALLOWED or gang[i] > desk.limit[k, i]
        for s in range(share.shape[0]):
            free = desk.free[s * pools + k, i]
            desk.free[s * pools + k, i] = max(free - share[s] * blamed, 0.0) if counts else free
        hours[i] += blamed if counts else 0.0
        todo[i] -= spoken if counts else 0.0


@step
def blame_job(r, k, cause, jobs, desk, hours):
    """Blame left-over hours of pool k on job r, where it could have run."""
    pools, share, spot = desk.limit.shape[0], jobs.day.share, jobs.day.spot[r]
    if spot > share.shape[0]:
        blame_through(r * pools + k, share, cause, desk, hours)
    else:
        for s in range(max(share.shape[0], 1)):
            if spot == 0 or spot == 1 + s:
                blame_there(r * pools + k, s * pools + k, cause, desk, hours)


@inner
def blame_month(jobs, desk, m, idle):
    """Left-over hours by cause (P-06): no room for the gang, then not allowed, then no demand. `idle` comes in as zeros."""
    pools = desk.limit.shape[0]
    for k in desk.pool_turn:
        for cause in (NO_ROOM, NOT_ALLOWED):
            for r in desk.job_turn:
                if (jobs.eligible[jobs.day.owner[r], k] != 0) == (cause == NO_ROOM):
                    blame_job(r, k, cause, jobs, desk, idle[cause, k, m])
        for at in range(k, desk.free.shape[0], pools):
            for i in range(desk.free.shape[1]):
                idle[NO_DEMAND, k, m, i] += desk.free[at, i]
