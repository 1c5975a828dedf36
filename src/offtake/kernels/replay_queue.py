"""Waiting jobs of a pool: a list a class in the order of arrival, or a heap by the work left (shortest first).

**Axes**    pools, classes (0 first), jobs.
**Units**   jobs; GPUs asked.
**Signs**   counts >= 0.
**Order**   class, then number of the job, which is its place by (submit, id): a job that comes back stands where it stood before.
**Source**  model R-01.
"""

import numpy as np

from .compiled import inner, step
from .replay_heap import drop_first, push
from .replay_state import AHEAD, BEHIND, FIRST, FRESH, FRESH_COUNT, LAST, LEFT, ORDER, QUEUED, SHORTEST, WAITING, WAITING_ALL


@step
def count_in(s, p, gpus, sign):
    """Count a job in (1) or out (-1) of a pool's queue."""
    s.pool[p, WAITING] += sign
    s.pool[p, QUEUED] += sign * gpus
    s.tally[WAITING_ALL] += sign


@step
def join(s, jobs, p, j):
    """Put a job into a pool's queue at its place, looked for from the end."""
    if s.tally[ORDER] == SHORTEST:
        push(s.sort[0, p], s.sort[1, p], s.pool[p, WAITING], s.job[j, LEFT], j)
    else:
        c = s.level[j]
        last = s.queue[p, c, LAST]
        if last < 0:
            s.queue[p, c, FIRST] = s.queue[p, c, LAST] = j
            s.link[j, BEHIND] = s.link[j, AHEAD] = -1
        elif last < j:
            s.link[last, BEHIND], s.link[j, AHEAD], s.link[j, BEHIND] = j, last, -1
            s.queue[p, c, LAST] = j
        else:
            join_early(s, p, c, j)
    count_in(s, p, jobs.gpus[j], 1)


@inner
def join_early(s, p, c, j):
    """Put a job that comes back before those of a higher number."""
    at = s.queue[p, c, FIRST]
    while at < j:
        at = s.link[at, BEHIND]
    ahead = s.link[at, AHEAD]
    s.link[j, AHEAD], s.link[j, BEHIND], s.link[at, AHEAD] = ahead, at, j
    if ahead >= 0:
        s.link[ahead, BEHIND] = j
    else:
        s.queue[p, c, FIRST] = j


@step
def take_out(s, jobs, p, j):
    """Take a job out of a pool's queue; of the shortest-first heap only its first."""
    if s.tally[ORDER] == SHORTEST:
        drop_first(s.sort[0, p], s.sort[1, p], s.pool[p, WAITING])
    else:
        c, after, before = s.level[j], s.link[j, BEHIND], s.link[j, AHEAD]
        if before >= 0:
            s.link[before, BEHIND] = after
        else:
            s.queue[p, c, FIRST] = after
        if after >= 0:
            s.link[after, AHEAD] = before
        else:
            s.queue[p, c, LAST] = before
    count_in(s, p, jobs.gpus[j], -1)


@step
def head(s, p):
    """The job whose turn it is; -1 where nobody waits."""
    if s.pool[p, WAITING] == 0:
        return np.int64(-1)
    if s.tally[ORDER] == SHORTEST:
        return s.sort[1, p, 0]
    c = 0
    while s.queue[p, c, FIRST] < 0:
        c += 1
    return s.queue[p, c, FIRST]


@step
def follower(s, p, j):
    """The job that waits behind j; -1 behind the last."""
    if s.link[j, BEHIND] >= 0:
        return np.int64(s.link[j, BEHIND])
    for c in range(s.level[j] + 1, s.queue.shape[1]):
        if s.queue[p, c, FIRST] >= 0:
            return s.queue[p, c, FIRST]
    return np.int64(-1)


@step
def note_fresh(s, p, j):
    """Remember who arrived since the last pass of starts."""
    s.pool[p, FRESH] = j
    s.pool[p, FRESH_COUNT] += 1
