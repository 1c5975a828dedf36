"""Waiting jobs of a pool: a list a class in the order of arrival, or a heap by the work left (shortest first; inference before all).

**Axes**    pools, classes (0 first), jobs.
**Units**   jobs; GPUs asked.
**Signs**   counts >= 0.
**Order**   class, then number of the job, which is its place by (submit, id): a job that comes back stands where it stood before.
**Source**  model R-01.
"""

import numpy as np

from .replay_compiled import inner, step
from .replay_fabric import count_at, lowest
from .replay_heap import drop_first, push, rebuild
from .replay_state import (
    AHEAD,
    ASKING,
    AT_LEAST,
    BEHIND,
    FIRST,
    FRESH,
    FRESH_COUNT,
    LAST,
    LEFT,
    MOST_NODES,
    ORDER,
    QUEUED,
    SERVES,
    SHORTEST,
    SIZES,
    WAITING,
    WAITING_ALL,
)  # fmt: skip


@step
def needs(jobs, j):
    """The fewest GPUs that a job starts on."""
    return np.int64(jobs.gpus[j]) if jobs.terms.shape[0] == 0 else jobs.terms[j, AT_LEAST]


@step
def count_in(s, jobs, p, j, sign):
    """Count a job in (1) or out (-1) of a pool's queue."""
    s.pool[p, WAITING] += sign
    s.pool[p, QUEUED] += sign * jobs.gpus[j]
    s.tally[WAITING_ALL] += sign
    count_at(s, p, ASKING, SIZES, min(needs(jobs, j), MOST_NODES), sign)


@step
def smallest(s, p):
    """The fewest GPUs that a waiting job of the pool needs, or MOST_NODES where all need more; for a queue that is not empty."""
    return lowest(s.pool[p, SIZES])


@step
def join(s, jobs, p, j):
    """Put a job into a pool's queue at its place, looked for from the end."""
    if s.tally[ORDER] == SHORTEST:
        first = jobs.terms.shape[0] > 0 and jobs.terms[j, SERVES]
        push(s.sort[0, p], s.sort[1, p], s.pool[p, WAITING], -1 if first else s.job[j, LEFT], j)
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
    count_in(s, jobs, p, j, 1)


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
    """Take a job out of a pool's queue."""
    if s.tally[ORDER] == SHORTEST:
        if s.sort[1, p, 0] == j:
            drop_first(s.sort[0, p], s.sort[1, p], s.pool[p, WAITING])
        else:
            drop_inside(s, p, j)
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
    count_in(s, jobs, p, j, -1)


@inner
def join_back(s, jobs, p, j):
    """`join`, called instead of written out: for the rarer places."""
    join(s, jobs, p, j)


@inner
def take_away(s, jobs, p, j):
    """`take_out`, called instead of written out: for the rarer places."""
    take_out(s, jobs, p, j)


@inner
def waits_in(s, j):
    """The pool in whose queue inference waits, in the first class or anywhere in the shortest-first heap; -1 where it does not."""
    for p in range(s.pool.shape[0]):
        if s.tally[ORDER] == SHORTEST:
            for i in range(s.pool[p, WAITING]):
                if s.sort[1, p, i] == j:
                    return p
        else:
            other = s.queue[p, 0, FIRST]
            while other >= 0:
                if other == j:
                    return p
                other = np.int64(s.link[other, BEHIND])
    return -1


@inner
def drop_inside(s, p, j):
    """Take a job out of the middle of the shortest-first heap."""
    i, last = 0, s.pool[p, WAITING] - 1
    while s.sort[1, p, i] != j:
        i += 1
    s.sort[0, p, i], s.sort[1, p, i] = s.sort[0, p, last], s.sort[1, p, last]
    rebuild(s.sort[0, p], s.sort[1, p], last)


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
