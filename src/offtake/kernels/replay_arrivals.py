"""Who comes and who goes without having started: to which pool a job goes, jobs put off, inference that is over, moves.

**Axes**    pools, jobs.
**Units**   ms, GPUs.
**Signs**   counts >= 0.
**Order**   a job that may be put off waits aside, for all pools together, the earliest latest start first. It starts in the first pool that
            may run it, has room and no queue, and holds a stated share of its GPUs at most with it (LOW); when its latest start has come
            it joins a queue like one that is submitted then. Inference is over at its time: what of it still waits leaves the queue.
            The head of a queue moves where it can start at once and, if waiting has a stated price (VALUE), where that pays.
**Source**  model R-01, P-01, D-01, D-03.
"""

import numpy as np

from .replay_compiled import inner, once, step
from .replay_fabric import NO, find_room, room, write_log
from .replay_heap import drop_first, push
from .replay_queue import head, join, needs, note_fresh, take_away, waits_in
from .replay_starts import promise, start, widen, widest
from .replay_state import (
    ASIDE,
    BELOW,
    CHANGED,
    EXPIRE,
    FREE,
    HELD,
    LATEST,
    LEAVING,
    LEFT,
    LIT,
    LOW,
    MILLION,
    MOVE,
    MOVED,
    NEVER,
    OVER_AT,
    OVER_JOB,
    PRICE,
    PUT_OFF_AT,
    PUT_OFF_JOB,
    QUEUED,
    SERVES,
    SHADOW,
    SHADOW_JOB,
    SUBMIT,
    TRANSFER,
    UNASKED,
    VALUE,
    WAIT_ASIDE,
    WAITING,
)  # fmt: skip


@step
def allowed(jobs, j, p):
    """Whether pool p may run the job."""
    return (jobs.allow[j if jobs.allow.shape[0] > 1 else 0] >> p) & 1 != 0


@inner
def choose_pool(s, jobs, j):
    """The cheapest pool that can start the job now (the first, where waiting has no stated price), else the one with the least queued work
    per GPU of those that may run it."""
    gpus = needs(jobs, j)
    best, load, cheapest = -1, np.inf, -1
    for p in range(s.pool.shape[0]):
        if allowed(jobs, j, p):
            if s.pool[p, WAITING] == 0 and room(s, p, gpus) != NO:
                if s.tally[VALUE] < 0:
                    return p
                if cheapest < 0 or s.pool[p, PRICE] < s.pool[cheapest, PRICE]:
                    cheapest = p
            queued = s.pool[p, QUEUED] / s.pool[p, LIT] if s.pool[p, LIT] > 0 else np.inf
            if queued < load or best < 0:
                best, load = p, queued
    return best if cheapest < 0 else cheapest


@step
def enter(s, jobs, j, now):
    """A job joins the queue of a pool; which one."""
    p = 0 if s.pool.shape[0] == 1 else choose_pool(s, jobs, j)
    write_log(s, now, SUBMIT, j, p, jobs.gpus[j], -1)
    join(s, jobs, p, j)
    return p


@inner
def enter_late(s, jobs, j, now):
    """`enter`, called instead of written out: for the rarer places."""
    return enter(s, jobs, j, now)


@step
def arrive(s, jobs, j, now):
    """A job is submitted."""
    if jobs.terms.shape[0] > 0 and jobs.terms[j, LATEST] > now:
        push(s.turn[PUT_OFF_AT], s.turn[PUT_OFF_JOB], s.tally[ASIDE], jobs.terms[j, LATEST], j)
        s.tally[ASIDE] += 1
        write_log(s, now, WAIT_ASIDE, j, -1, jobs.gpus[j], -1)
        return
    if jobs.terms.shape[0] > 0 and jobs.terms[j, SERVES]:
        push(s.turn[OVER_AT], s.turn[OVER_JOB], s.tally[LEAVING], now + jobs.duration[j], j)
        s.tally[LEAVING] += 1
    note_fresh(s, enter(s, jobs, j, now), j)


@inner
def drop_aside(s):
    """The first job put off is so no longer; which one."""
    j = s.turn[PUT_OFF_JOB, 0]
    drop_first(s.turn[PUT_OFF_AT], s.turn[PUT_OFF_JOB], s.tally[ASIDE])
    s.tally[ASIDE] -= 1
    return j


@once
def turns(s, jobs, now):
    """Jobs put off whose time has come join a queue; inference that is over and has not begun leaves it."""
    while s.tally[ASIDE] > 0 and s.turn[PUT_OFF_AT, 0] == now:
        s.pool[enter_late(s, jobs, drop_aside(s), now), CHANGED] = 1
    while s.tally[LEAVING] > 0 and s.turn[OVER_AT, 0] == now:
        j = s.turn[OVER_JOB, 0]
        drop_first(s.turn[OVER_AT], s.turn[OVER_JOB], s.tally[LEAVING])
        s.tally[LEAVING] -= 1
        p = waits_in(s, j)
        if p >= 0:
            take_away(s, jobs, p, j)
            write_log(s, now, EXPIRE, j, p, jobs.gpus[j], -1)
            s.pool[p, SHADOW_JOB], s.pool[p, CHANGED] = -1, 1


@inner
def next_turn(s):
    """When the next of them is due."""
    time = s.turn[PUT_OFF_AT, 0] if s.tally[ASIDE] > 0 else NEVER
    return min(time, s.turn[OVER_AT, 0]) if s.tally[LEAVING] > 0 else time


@once
def start_aside(s, jobs, now):
    """Start the first job put off where load is low; whether it did."""
    j = s.turn[PUT_OFF_JOB, 0]
    for p in range(s.pool.shape[0]):
        if s.pool[p, WAITING] == 0 and allowed(jobs, j, p):
            gpus = widest(s, jobs, j, p, ((s.pool[p, HELD] + s.pool[p, FREE]) * s.tally[LOW]) // MILLION - s.pool[p, HELD])
            if gpus > 0:
                drop_aside(s)
                start(s, jobs, j, p, gpus, now, 0)
                return True
    return False


@once
def worth(s, jobs, j, q, p, now):
    """Whether the head j of queue q gains by going to pool p: what the wait it is promised would cost, against transfer and price there."""
    if s.tally[VALUE] < 0:
        return True
    if s.pool[q, SHADOW_JOB] != j or now >= s.pool[q, SHADOW] or s.pool[q, SHADOW] == UNASKED:
        promise(s, jobs, q, j)
    if s.pool[q, SHADOW] == NEVER:
        return True
    saved = (s.pool[q, SHADOW] - now - s.tally[MOVE]) * s.tally[VALUE]
    return saved > s.pool[p, PRICE] * s.tally[MOVE] + (s.pool[p, PRICE] - s.pool[q, PRICE]) * s.job[j, LEFT]


@inner
def fill(s, jobs, now):
    """What starts or grows while nobody waits: jobs put off, then elastic stays."""
    while s.tally[ASIDE] > 0 and start_aside(s, jobs, now):
        pass
    for p in range(s.pool.shape[0]):
        if s.pool[p, BELOW] > 0 and s.pool[p, WAITING] == 0:
            widen(s, jobs, p, now)


@inner
def move_one(s, jobs, now):
    """Let one waiting head move to the first pool that has no queue of its own, can start it at once and is worth it, paying the move."""
    for p in range(s.pool.shape[0]):
        for q in range(s.pool.shape[0]):
            if s.pool[p, WAITING] == 0 and s.pool[q, WAITING] > 0:
                j = head(s, q)
                if allowed(jobs, j, p) and find_room(s, p, needs(jobs, j)) != NO and worth(s, jobs, j, q, p, now):
                    take_away(s, jobs, q, j)
                    write_log(s, now, TRANSFER, j, p, jobs.gpus[j], -1)
                    start(s, jobs, j, p, widest(s, jobs, j, p, s.pool[p, FREE]), now, s.tally[MOVE])
                    s.tally[MOVED] += 1
                    s.pool[q, SHADOW_JOB], s.pool[q, CHANGED] = -1, 1
                    return True
    return False
