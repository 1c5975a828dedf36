"""Who starts: the head of the queue, those who may pass it without delaying it, and those for whom others give way.

**Axes**    pools, jobs.
**Units**   ms, GPUs.
**Signs**   `EXTRA` >= 0: GPUs that are free beside the head's gang when it starts.
**Order**   heads while they find room; preemption for a head of a higher class, lowest class first and newest first; then, with a depth,
            EASY backfill: the head is promised the first time at which the running jobs' ends give it room; a job further back starts
            if it ends by then or fits into what is left beside the head. The promise stands until its time comes, the head changes or
            machines fail, return or grow; what may pass is counted in GPUs, so that where gangs need domains the promise may slip.
**Source**  model R-01; Lifka, "The ANL/IBM SP scheduling system", 1995; Gu et al., "Tiresias", 2019 (least attained service).
"""

import numpy as np

from .compiled import inner, step
from .replay_fabric import NO, lend, opened, room, room_lent, taken_by
from .replay_heap import drop_first, push
from .replay_queue import follower, head, join, take_out
from .replay_state import (
    AGAIN,
    BEGUN,
    CHANGED,
    DEPTH,
    EXTRA,
    FREE,
    FRESH,
    FRESH_COUNT,
    GIVE_WAY,
    HEAP,
    HELD_BY,
    HOPELESS,
    KEY,
    LEFT,
    NEVER,
    NEWEST,
    NODE,
    OLDER,
    PREEMPT,
    SAVE,
    SHADOW,
    SHADOW_JOB,
    SLOT_BITS,
    SLOW,
    WAITING,
    WHERE,
)  # fmt: skip
from .replay_stays import begin, break_off, interval_of, wall_of


@inner
def start(s, jobs, j, p, how, now, moving):
    """`begin`, called instead of written out: for the rarer places."""
    begin(s, jobs, j, p, how, now, moving)


@inner
def victims(s, p, j, gpus):
    """Stays of lower classes that must end so that j finds room, into scratch; how many, 0 where all together would not do."""
    rank, free = np.int64(s.level[j]), s.pool[p, FREE]
    for c in range(rank + 1, s.queue.shape[1]):
        free += s.queue[p, c, HELD_BY]
    if free < taken_by(gpus, s.pool[p, NODE]):
        return 0
    n, most, found = 0, 0, False
    for c in range(s.queue.shape[1] - 1, rank, -1):
        slot = s.queue[p, c, NEWEST]
        while slot >= 0 and not found:
            most = lend(s, slot, 1)
            s.scratch[n] = slot
            n += 1
            found = room_lent(s, p, gpus, most)
            slot = s.stay[slot, OLDER]
    return spare_some(s, p, gpus, n) if found else take_back(s, n)


@inner
def take_back(s, n):
    """Undo the loans of all n stays in scratch; 0."""
    for i in range(n):
        lend(s, s.scratch[i], -1)
    return 0


@inner
def lend_one(s, slot, sign):
    """`lend`, called instead of written out: for the rarer places."""
    return lend(s, slot, sign)


@inner
def spare_some(s, p, gpus, n):
    """Of n lent stays in scratch, the last of which made room, keep those without which there is none; how many. Loans are undone."""
    last, kept = s.scratch[n - 1], 0
    for i in range(n):
        slot = s.scratch[i]
        lend_one(s, slot, -1)
        if i == n - 1 or not room_lent(s, p, gpus, opened(s, last)):
            lend_one(s, slot, 1)
            s.scratch[kept] = slot
            kept += 1
    take_back(s, kept)
    return kept


@inner
def make_room(s, jobs, p, j, now):
    """Let stays of lower classes give way to j; whether that was of use."""
    if s.pool[p, HOPELESS] == j and s.pool[p, CHANGED] == 0:
        return False  # nothing came free since this was tried in vain
    n = victims(s, p, j, np.int64(jobs.gpus[j]))
    s.pool[p, HOPELESS] = j if n == 0 else -1
    for i in range(n):
        join(s, jobs, p, break_off(s, s.scratch[i], now, GIVE_WAY))
    if n > 0:
        s.pool[p, SHADOW_JOB], s.pool[p, CHANGED] = -1, 1
    return n > 0


@inner
def promise(s, jobs, p, j):
    """When the running jobs' ends will give j room (SHADOW, NEVER if they do not), and what will be free beside it then (EXTRA)."""
    gpus = np.int64(jobs.gpus[j])
    seeking, lent, most, when = 0, 0, 0, NEVER
    if s.tally[HEAP] > 0:
        push(s.seek[0], s.seek[1], 0, s.heap[0, 0], 0)
        seeking = 1
    while seeking > 0 and s.seek[0, 0] <= when:
        time, i = s.seek[0, 0], s.seek[1, 0]
        drop_first(s.seek[0], s.seek[1], seeking)
        seeking -= 1
        for c in range(4 * i + 1, min(4 * i + 5, s.tally[HEAP])):
            push(s.seek[0], s.seek[1], seeking, s.heap[0, c], c)
            seeking += 1
        slot = s.heap[1, i] & ((1 << SLOT_BITS) - 1)
        if s.stay[slot, KEY] == s.heap[1, i] >> SLOT_BITS and s.stay[slot, WHERE] == p:
            most = max(most, lend(s, slot, 1))
            s.scratch[lent] = slot
            lent += 1
            if when == NEVER and room_lent(s, p, gpus, most):
                when = time
    s.pool[p, SHADOW], s.pool[p, SHADOW_JOB] = when, j
    s.pool[p, EXTRA] = max(s.pool[p, FREE] - taken_by(gpus, s.pool[p, NODE]), 0) if when < NEVER else 0
    take_back(s, lent)


@inner
def pass_head(s, jobs, p, j, now):
    """Start j past the head if that does not delay it."""
    gpus = np.int64(jobs.gpus[j])
    how = room(s, p, gpus)
    if how == NO:
        return
    restart = s.tally[AGAIN] if s.job[j, BEGUN] >= 0 else 0
    stretch = s.pool[p, SLOW] if how > 1 else 0
    ready, work = now + restart, s.job[j, LEFT]
    late = ready + work > s.pool[p, SHADOW] or ready + wall_of(work, interval_of(s, gpus), stretch, s.tally[SAVE]) > s.pool[p, SHADOW]
    taken = taken_by(gpus, s.pool[p, NODE])
    if late and taken > s.pool[p, EXTRA]:
        return
    s.pool[p, EXTRA] -= taken if late else 0
    take_out(s, jobs, p, j)
    start(s, jobs, j, p, how, now, 0)


@inner
def backfill(s, jobs, p, first, now):
    """Offer what is free to those behind the head: to all within the depth where something changed, else to the one that just came."""
    whole = s.pool[p, CHANGED] != 0
    if s.pool[p, SHADOW_JOB] != first or now >= s.pool[p, SHADOW]:
        promise(s, jobs, p, first)
        whole = True
    if not whole:
        count, within = s.pool[p, FRESH_COUNT], s.pool[p, WAITING] - 2 < s.tally[DEPTH]
        if count == 1 and within:
            pass_head(s, jobs, p, s.pool[p, FRESH], now)
        if count == 0 or (count == 1 and (within or s.queue.shape[1] == 1)):
            return
    j, seen = follower(s, p, first), 0
    while j >= 0 and seen < s.tally[DEPTH] and s.pool[p, FREE] > 0:
        after, waiting = follower(s, p, j), s.pool[p, WAITING]
        pass_head(s, jobs, p, j, now)
        seen += 1 if s.pool[p, WAITING] == waiting else 0
        j = after


@step
def start_all(s, jobs, p, now):
    """One pass of starts in a pool."""
    j = head(s, p)
    while j >= 0:
        how = room(s, p, np.int64(jobs.gpus[j]))
        if how != NO:
            take_out(s, jobs, p, j)
            begin(s, jobs, j, p, how, now, 0)
            s.pool[p, SHADOW_JOB] = -1
        elif s.tally[PREEMPT] == 0 or not make_room(s, jobs, p, j, now):
            break
        j = head(s, p)
    if j >= 0 and s.tally[DEPTH] > 0 and s.pool[p, FREE] > 0 and s.pool[p, WAITING] > 1:
        backfill(s, jobs, p, j, now)
    s.pool[p, CHANGED] = s.pool[p, FRESH_COUNT] = 0
