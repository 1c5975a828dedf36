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

from .replay_compiled import inner, once, step
from .replay_fabric import APART, NO, find_room, find_room_lent, lend, opened, room, room_lent, taken_by
from .replay_heap import drop_first, push
from .replay_queue import follower, head, join_back, needs, smallest, take_away, take_out
from .replay_state import (
    AGAIN,
    ASKED,
    BEGUN,
    BELOW,
    CHANGED,
    DEPTH,
    ELDER,
    ELDEST,
    END,
    EXTRA,
    FREE,
    FRESH,
    FRESH_COUNT,
    FULL,
    GIVE_WAY,
    HEAP,
    HELD_BY,
    HOPELESS,
    JOB,
    KEY,
    LEAST,
    LEFT,
    NARROWED,
    NEVER,
    NEWEST,
    NODE,
    OLDER,
    PREEMPT,
    PREEMPTED,
    RESCALE,
    RESTART,
    SAVE,
    SCRATCH,
    SEEK_KEYS,
    SEEK_TIMES,
    SERVING,
    SHADOW,
    SHADOW_JOB,
    SLACK,
    SLOT_BITS,
    SLOW,
    START,
    TAKEN,
    UNASKED,
    WAITING,
    WHERE,
    YOUNGER,
    YOUNGEST,
)  # fmt: skip
from .replay_stays import begin, break_off, done_by, interval_of, kind_of, split_stay, wall_of, work_of


@inner
def start(s, jobs, j, p, gpus, now, moving):
    """`begin`, called instead of written out: for the rarer places."""
    begin(s, jobs, j, p, gpus, find_room(s, p, gpus), now, moving)


@inner
def widest(s, jobs, j, p, most):
    """The most GPUs that a job finds room for, up to its full gang and holding `most` at most; 0 below its least."""
    low, high, node = needs(jobs, j), np.int64(jobs.gpus[j]), s.pool[p, NODE]
    if taken_by(low, node) > most or find_room(s, p, low) == NO:
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        if taken_by(middle, node) <= most and find_room(s, p, middle) != NO:
            low = middle
        else:
            high = middle - 1
    return low


@once
def victims(s, p, j, gpus):
    """Stays of lower classes that must end so that j finds room, into scratch; how many, 0 where all together would not do."""
    n, most, found = 0, 0, False
    for c in range(s.queue.shape[1] - 1, np.int64(s.level[j]), -1):
        slot = s.queue[p, c, NEWEST]
        while slot >= 0 and not found:
            most = lend(s, slot, 1)
            s.heap[SCRATCH, n] = slot
            n += 1
            found = room_lent(s, p, gpus, most)
            slot = s.stay[slot, OLDER]
    return spare_some(s, p, gpus, n) if found else take_back(s, n)


@inner
def take_back(s, n):
    """Undo the loans of all n stays in scratch; 0."""
    for i in range(n):
        lend(s, s.heap[SCRATCH, i], -1)
    return 0


@inner
def lend_one(s, slot, sign):
    """`lend`, called instead of written out: for the rarer places."""
    return lend(s, slot, sign)


@once
def spare_some(s, p, gpus, n):
    """Of n lent stays in scratch, the last of which made room, keep those without which there is none; how many. Loans are undone."""
    last, kept = s.heap[SCRATCH, n - 1], 0
    for i in range(n):
        slot = s.heap[SCRATCH, i]
        lend_one(s, slot, -1)
        if i == n - 1 or not room_lent(s, p, gpus, opened(s, last)):
            lend_one(s, slot, 1)
            s.heap[SCRATCH, kept] = slot
            kept += 1
    take_back(s, kept)
    return kept


@step
def in_vain(s, p, j, gpus):
    """Whether nobody need be asked to give way to j: that was tried for no larger gang, and what is free or held by lower classes has not
    grown since; or there is too little of it."""
    rank, free = np.int64(s.level[j]), s.pool[p, FREE]
    if gpus >= s.queue[p, rank, HOPELESS] or rank + 1 == s.queue.shape[1]:
        return True
    for c in range(rank + 1, s.queue.shape[1]):
        free += s.queue[p, c, HELD_BY]
    return free < taken_by(gpus, s.pool[p, NODE])


@inner
def make_room(s, jobs, p, j, now):
    """Let stays of lower classes give way to j; whether that was of use."""
    gpus = needs(jobs, j)
    n = victims(s, p, j, gpus)
    if n == 0:
        s.queue[p, np.int64(s.level[j]), HOPELESS] = gpus
    for i in range(n):
        join_back(s, jobs, p, break_off(s, s.heap[SCRATCH, i], now, GIVE_WAY))
    if n > 0:
        s.pool[p, SHADOW_JOB], s.pool[p, CHANGED] = -1, 1
    return n > 0


@inner
def promise(s, jobs, p, j):
    """When the running jobs' ends will give j room (SHADOW, NEVER if they do not), and what will be free beside it then (EXTRA)."""
    gpus = needs(jobs, j)
    seeking, lent, most, when = 0, 0, 0, NEVER
    if s.tally[HEAP] > 0:
        push(s.heap[SEEK_TIMES], s.heap[SEEK_KEYS], 0, s.heap[0, 0], 0)
        seeking = 1
    while seeking > 0 and s.heap[SEEK_TIMES, 0] <= when:
        time, i = s.heap[SEEK_TIMES, 0], s.heap[SEEK_KEYS, 0]
        drop_first(s.heap[SEEK_TIMES], s.heap[SEEK_KEYS], seeking)
        seeking -= 1
        for c in range(4 * i + 1, min(4 * i + 5, s.tally[HEAP])):
            push(s.heap[SEEK_TIMES], s.heap[SEEK_KEYS], seeking, s.heap[0, c], c)
            seeking += 1
        slot = s.heap[1, i] & ((1 << SLOT_BITS) - 1)
        if s.stay[slot, KEY] == s.heap[1, i] >> SLOT_BITS and s.stay[slot, WHERE] == p:
            most = max(most, lend(s, slot, 1))
            s.heap[SCRATCH, lent] = slot
            lent += 1
            if when == NEVER and room_lent(s, p, gpus, most):
                when = time
    s.pool[p, SHADOW], s.pool[p, SHADOW_JOB] = when, j
    s.pool[p, EXTRA] = max(s.pool[p, FREE] - taken_by(gpus, s.pool[p, NODE]), 0) if when < NEVER else 0
    take_back(s, lent)


@inner
def pass_head(s, jobs, p, j, now):
    """Start j past the head if that does not delay it."""
    gpus = needs(jobs, j)
    how = room(s, p, gpus)
    if how == NO:
        return
    if gpus < jobs.gpus[j]:
        gpus = widest(s, jobs, j, p, s.pool[p, FREE])
        how = find_room(s, p, gpus)
    restart = s.tally[AGAIN] if s.job[j, BEGUN] >= 0 else 0
    stretch = s.pool[p, SLOW] if how > 1 and kind_of(jobs, j) != SERVING else 0
    ready = now + restart
    work = work_of(s, jobs, j, gpus, ready)
    tau = interval_of(s, gpus) if kind_of(jobs, j) != SERVING else NEVER
    late = ready + work > s.pool[p, SHADOW] or ready + wall_of(work, tau, stretch, s.tally[SAVE]) > s.pool[p, SHADOW]
    taken = taken_by(gpus, s.pool[p, NODE])
    if late and taken > s.pool[p, EXTRA]:
        return
    s.pool[p, EXTRA] -= taken if late else 0
    take_out(s, jobs, p, j)
    start(s, jobs, j, p, gpus, now, 0)
    s.pool[p, NARROWED] = 1 if jobs.terms.shape[0] > 0 else 0


@step
def may_pass(s, jobs, p, j, now):
    """Whether it is worth asking if j may pass the head: it finds room, and it does not end too late on too many GPUs at its best."""
    gpus = needs(jobs, j)
    if gpus > s.pool[p, FREE] or room(s, p, gpus) == NO:
        return False
    late = now + s.job[j, LEFT] > s.pool[p, SHADOW] and kind_of(jobs, j) != SERVING
    return not late or taken_by(gpus, s.pool[p, NODE]) <= s.pool[p, EXTRA]


@once
def backfill(s, jobs, p, first, now):
    """Offer what is free to those behind the head: to all within the depth where something changed, else to the one that just came.

    An elastic job that was too wide to pass may be narrow enough once less is free: after a start all are asked again (NARROWED)."""
    whole = s.pool[p, CHANGED] != 0 or s.pool[p, NARROWED] != 0
    s.pool[p, NARROWED] = 0
    if s.pool[p, SHADOW_JOB] != first or now >= s.pool[p, SHADOW]:
        s.pool[p, SHADOW_JOB], s.pool[p, SHADOW] = first, UNASKED
        whole = True
    if room(s, p, smallest(s, p)) == NO:
        return
    if s.pool[p, SHADOW] == UNASKED:  # nobody started since it was due, so that it is what it would have been then
        promise(s, jobs, p, first)
    if not whole:
        count, within = s.pool[p, FRESH_COUNT], s.pool[p, WAITING] - 2 < s.tally[DEPTH]
        if count == 1 and within and may_pass(s, jobs, p, s.pool[p, FRESH], now):
            pass_head(s, jobs, p, s.pool[p, FRESH], now)
        if count == 0 or (count == 1 and (within or s.queue.shape[1] == 1)):
            return
    j, seen = follower(s, p, first), 0
    while j >= 0 and seen < s.tally[DEPTH] and s.pool[p, FREE] > 0:
        after, waiting = follower(s, p, j), s.pool[p, WAITING]
        if may_pass(s, jobs, p, j, now):
            pass_head(s, jobs, p, j, now)
        seen += 1 if s.pool[p, WAITING] == waiting else 0
        j = after


@once
def who_shrinks(s, p, j, gpus, now):
    """Elastic stays, youngest first and none of a higher class, that make room for a gang if they shrink, into scratch.

    Returns how many, 0 where all together would not do; and the GPUs that they keep at the least."""
    taken, node = taken_by(gpus, s.pool[p, NODE]), s.pool[p, NODE]
    if s.pool[p, FREE] + s.pool[p, SLACK] < taken:
        return 0, 0
    n, most, kept, found, slot = 0, 0, 0, False, s.pool[p, YOUNGEST]
    while slot >= 0 and not found:
        least = taken_by(s.stay[slot, LEAST], node)
        smaller = s.stay[slot, TAKEN] > least and s.stay[slot, START] < now
        if smaller and s.level[s.stay[slot, JOB]] >= s.level[j]:
            most = max(most, lend_one(s, slot, 1))
            s.heap[SCRATCH, n] = slot
            n += 1
            kept += least
            found = s.pool[p, FREE] - kept >= taken and find_room_lent(s, p, gpus, most)
        slot = s.stay[slot, ELDER]
    take_back(s, n)
    return (n, kept) if found else (0, 0)


@inner
def shrink(s, jobs, p, j, now):
    """Let elastic stays shrink for the head j, which starts at once; each goes on with what is left, the eldest first. One that finds no
    room for its least waits at its old place. Whether that was of use."""
    n, kept = who_shrinks(s, p, j, needs(jobs, j), now)
    if n == 0:
        return False
    for i in range(n):
        s.heap[SCRATCH, i] = break_off(s, s.heap[SCRATCH, i], now, RESCALE)
    take_away(s, jobs, p, j)
    start(s, jobs, j, p, widest(s, jobs, j, p, s.pool[p, FREE] - kept), now, 0)
    for i in range(n - 1, -1, -1):
        other = s.heap[SCRATCH, i]
        kept -= taken_by(needs(jobs, other), s.pool[p, NODE])
        gpus = widest(s, jobs, other, p, s.pool[p, FREE] - kept)
        if gpus > 0:
            start(s, jobs, other, p, gpus, now, 0)
        else:
            s.stops[other] += 1
            s.tally[PREEMPTED] += 1
            join_back(s, jobs, p, other)
    return True


@once
def wider(s, slot, p):
    """The most GPUs that an elastic stay finds room for beside the others, and how it would lie."""
    low, high = s.stay[slot, ASKED], s.stay[slot, FULL]
    most = lend_one(s, slot, 1)
    while low < high:
        middle = (low + high + 1) // 2
        if find_room_lent(s, p, middle, most):
            low = middle
        else:
            high = middle - 1
    how = find_room(s, p, low)
    lend_one(s, slot, -1)
    return low, how


@once
def pays(s, slot, p, gpus, how, now):
    """Whether a stay would end earlier on so many GPUs, checkpoint and restart paid."""
    row, save = s.stay[slot], s.tally[SAVE]
    length = now - row[START]
    work, _, _ = split_stay(row, length - min(length, row[RESTART]), save, save)
    left = s.job[row[JOB], LEFT] - done_by(s, row, work)
    wall = wall_of((left * row[FULL] + gpus - 1) // gpus, interval_of(s, gpus), s.pool[p, SLOW] if how == APART else 0, save)
    return now + s.tally[AGAIN] + wall < row[END]


@once
def widen(s, jobs, p, now):
    """Elastic stays below their full size grow into what is free, the eldest first, where that pays. Only while nobody waits."""
    slot = s.pool[p, ELDEST]
    while slot >= 0 and s.pool[p, FREE] > 0 and s.pool[p, BELOW] > 0:
        after = s.stay[slot, YOUNGER]
        if s.stay[slot, ASKED] < s.stay[slot, FULL] and s.stay[slot, START] < now:
            gpus, how = wider(s, slot, p)
            if gpus > s.stay[slot, ASKED] and pays(s, slot, p, gpus, how, now):
                start(s, jobs, break_off(s, slot, now, RESCALE), p, gpus, now, 0)
        slot = after


@once
def start_all(s, jobs, p, now):
    """One pass of starts in a pool."""
    j = head(s, p)
    while j >= 0:
        gpus = needs(jobs, j)
        how = room(s, p, gpus)
        if how != NO:
            if gpus < jobs.gpus[j]:
                gpus = widest(s, jobs, j, p, s.pool[p, FREE])
                how = find_room(s, p, gpus)
            take_out(s, jobs, p, j)
            begin(s, jobs, j, p, gpus, how, now, 0)
            s.pool[p, SHADOW_JOB] = -1
        elif s.pool[p, SLACK] > 0 and shrink(s, jobs, p, j, now):
            s.pool[p, SHADOW_JOB], s.pool[p, CHANGED] = -1, 1
        elif s.tally[PREEMPT] == 0 or in_vain(s, p, j, gpus) or not make_room(s, jobs, p, j, now):
            break
        j = head(s, p)
    if j >= 0 and s.tally[DEPTH] > 0 and s.pool[p, FREE] > 0 and s.pool[p, WAITING] > 1:
        backfill(s, jobs, p, j, now)
    s.pool[p, CHANGED] = s.pool[p, FRESH_COUNT] = 0
