"""A stay: a job from one start to its end, a failure or a preemption, and what its time was good for.

**Axes**    stays; jobs.
**Units**   ms; bins in GPU-ms, whole numbers that add up to the GPUs held x the length of the stay.
**Signs**   every part >= 0.
**Order**   restart, then work in stretches of TAU, a checkpoint after each but the last. A failure throws away what was done since the
            last checkpoint; a preempted job writes one in the last SAVE of its stay. An elastic gang works in proportion to its GPUs, so
            that its GPU time is the same at every size; to change it the stay ends like a preempted one and another begins.
**Source**  model R-02; Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", 2006, eq. 37.
"""

import numpy as np

from .compiled import entry
from .replay_compiled import inner, step
from .replay_fabric import APART, place, release, taken_by, write_log
from .replay_heap import push, rebuild
from .replay_state import (
    AGAIN,
    ASKED,
    AT_LEAST,
    ATTAINED,
    BEGIN,
    BEGUN,
    BELOW,
    CHECKPOINT,
    COUNT,
    CUT,
    DONE,
    ELASTIC,
    ELDER,
    ELDEST,
    END,
    ENDED,
    FINISH,
    FRAGMENTATION,
    FULL,
    GIVE_WAY,
    HEAP,
    HELD_BY,
    HOLD,
    HOPELESS,
    IN_DOMAIN,
    INTERRUPTED,
    JOB,
    KEY,
    KIND,
    LEAST,
    LEFT,
    LOST,
    MILLION,
    NEVER,
    NEWER,
    NEWEST,
    NEXT_PIECE,
    NODE,
    OLDER,
    ORDER,
    PART,
    PIECES,
    PREEMPT,
    PREEMPTED,
    RANK,
    RESCALE,
    RESCALED,
    RESTART,
    RESTARTING,
    RIGID,
    RUNNING,
    SAVE,
    SEQUENCE,
    SERVES,
    SERVING,
    SET_BACK,
    SLACK,
    SLOT_BITS,
    SLOT_STACK,
    SLOTS_LEFT,
    SLOW,
    SLOWED,
    START,
    STARTS,
    STRETCH,
    TAKEN,
    TAU,
    USEFUL,
    WHERE,
    WORK,
    YOUNGER,
    YOUNGEST,
)  # fmt: skip

RATE, INTERVAL, SHARES, MIDDLES, SPREADS = 0, 1, 2, 8, 14  # places in `chance`: per GPU-ms, ms, and six numbers each by cause


@entry
def daly_interval(save, between):
    """Work between checkpoints that wastes least, from the time to write one and the mean time between failures, one unit for all."""
    if save >= 2.0 * between:
        return between
    x = save / (2.0 * between)
    return np.sqrt(2.0 * save * between) * (1.0 + np.sqrt(x) / 3.0 + x / 9.0) - save


@step
def interval_of(s, gpus):
    """ms of work between two checkpoints of a gang; NEVER where none is written."""
    save, rate = s.tally[SAVE], s.chance[RATE]
    if save <= 0:
        return NEVER
    if s.chance[INTERVAL] > 0.0:
        return max(int(s.chance[INTERVAL] + 0.5), 1)
    return max(int(daly_interval(float(save), 1.0 / (rate * gpus)) + 0.5), 1) if rate > 0.0 else NEVER


@step
def stretched(work, stretch):
    """Time that work takes at a slowdown in millionths."""
    return work + work * stretch // MILLION


@step
def wall_of(work, tau, stretch, save):
    """Time of a stay after its restart: work and the checkpoints between."""
    if work <= tau:
        return stretched(work, stretch)
    saves = (work - 1) // tau
    return saves * (stretched(tau, stretch) + save) + stretched(work - saves * tau, stretch)


@inner
def purge(s):
    """Drop the entries of stays that are over."""
    kept = 0
    for i in range(s.tally[HEAP]):
        key = s.heap[1, i]
        if s.stay[key & ((1 << SLOT_BITS) - 1), KEY] == key >> SLOT_BITS:
            s.heap[0, kept], s.heap[1, kept] = s.heap[0, i], key
            kept += 1
    s.tally[HEAP] = kept
    rebuild(s.heap[0], s.heap[1], kept)


@step
def push_event(s, time, key):
    """Set the next event of a stay."""
    if s.tally[HEAP] == s.heap.shape[1]:
        purge(s)
    push(s.heap[0], s.heap[1], s.tally[HEAP], time, key)
    s.tally[HEAP] += 1


@inner
def crossing(s, jobs, j, gpus, since):
    """When a job will have had enough service for the next class down; NEVER in the last (least attained service)."""
    level = s.level[j]
    if level >= s.ladder.shape[0]:
        return NEVER
    missing = max(s.ladder[level] - (jobs.duration[j] - s.job[j, LEFT]) * jobs.gpus[j], 0)
    return since + (missing + gpus - 1) // gpus


@inner
def join_class(s, slot, p, rank):
    """Put a stay at the front of its class, newest first."""
    first = s.queue[p, rank, NEWEST]
    s.stay[slot, RANK], s.stay[slot, OLDER], s.stay[slot, NEWER] = rank, first, -1
    if first >= 0:
        s.stay[first, NEWER] = slot
    s.queue[p, rank, NEWEST] = slot
    s.queue[p, rank, HELD_BY] += s.stay[slot, TAKEN]


@inner
def leave_class(s, slot, p):
    """Take a stay out of its class."""
    older, newer, rank = s.stay[slot, OLDER], s.stay[slot, NEWER], s.stay[slot, RANK]
    if newer >= 0:
        s.stay[newer, OLDER] = older
    else:
        s.queue[p, rank, NEWEST] = older
    if older >= 0:
        s.stay[older, NEWER] = newer
    s.queue[p, rank, HELD_BY] -= s.stay[slot, TAKEN]
    for c in range(rank, s.queue.shape[1]):  # what lower classes hold counts as room for the others as it is
        s.queue[p, c, HOPELESS] = NEVER


@step
def log_stay(s, slot, now, kind):
    """Rows of the event log for a start or an end, and where the gang lies."""
    if s.log.shape[0] > 0:
        j, p = s.stay[slot, JOB], s.stay[slot, WHERE]
        write_log(s, now, kind, j, p, s.stay[slot, TAKEN], -1)
        k = s.stay[slot, PIECES] if kind == BEGIN and s.pool[p, NODE] > 1 else -1
        while k >= 0:
            gpus = s.piece[k, COUNT] * s.pool[p, NODE] if s.piece[k, COUNT] > 0 else s.piece[k, PART]
            write_log(s, now, HOLD, j, p, gpus, s.piece[k, IN_DOMAIN])
            k = s.piece[k, NEXT_PIECE]


@inner
def join_elastic(s, slot, p):
    """Note a stay that may change its size: the youngest of its pool."""
    first = s.pool[p, YOUNGEST]
    s.stay[slot, ELDER], s.stay[slot, YOUNGER] = first, -1
    if first >= 0:
        s.stay[first, YOUNGER] = slot
    else:
        s.pool[p, ELDEST] = slot
    s.pool[p, YOUNGEST] = slot
    count_elastic(s, slot, p, 1)


@inner
def leave_elastic(s, slot, p):
    """Forget a stay that may change its size."""
    elder, younger = s.stay[slot, ELDER], s.stay[slot, YOUNGER]
    if younger >= 0:
        s.stay[younger, ELDER] = elder
    else:
        s.pool[p, YOUNGEST] = elder
    if elder >= 0:
        s.stay[elder, YOUNGER] = younger
    else:
        s.pool[p, ELDEST] = younger
    count_elastic(s, slot, p, -1)


@inner
def count_elastic(s, slot, p, sign):
    """Count what a stay could give up, and whether it is below its full size."""
    s.pool[p, SLACK] += sign * (s.stay[slot, TAKEN] - taken_by(s.stay[slot, LEAST], s.pool[p, NODE]))
    s.pool[p, BELOW] += sign if s.stay[slot, ASKED] < s.stay[slot, FULL] else 0


@step
def kind_of(jobs, j):
    """RIGID, ELASTIC or SERVING."""
    if jobs.terms.shape[0] > 0 and jobs.terms[j, SERVES]:
        return SERVING
    return ELASTIC if jobs.terms.shape[0] > 0 and jobs.terms[j, AT_LEAST] < jobs.gpus[j] else RIGID


@step
def work_of(s, jobs, j, gpus, ready):
    """ms of work that a stay on so many GPUs has before it, from the time it is ready on; inference is over at its time."""
    kind = kind_of(jobs, j)
    if kind == SERVING:
        return max(jobs.submit[j] + jobs.duration[j] - ready, 0)
    return s.job[j, LEFT] if kind == RIGID else (s.job[j, LEFT] * jobs.gpus[j] + gpus - 1) // gpus


@inner
def serve(s, jobs, slot, now, restart):
    """A stay of inference: it ends at its time, writes no checkpoints, and is not slowed down. Returns its end."""
    over, row = jobs.submit[s.stay[slot, JOB]] + jobs.duration[s.stay[slot, JOB]], s.stay[slot]
    row[RESTART] = min(restart, over - now)
    row[WORK], row[TAU], row[STRETCH], row[END] = over - now - row[RESTART], NEVER, 0, over
    return over


@step
def begin(s, jobs, j, p, gpus, how, now, moving):
    """Start a job on so many GPUs of a pool that has room for them; `moving` ms are paid first where it came from another."""
    left = s.tally[SLOTS_LEFT] - 1
    slot = s.stay[left, SLOT_STACK]
    s.tally[SLOTS_LEFT] = left
    tau, save, kind = interval_of(s, gpus), s.tally[SAVE], kind_of(jobs, j)
    restart = moving + (s.tally[AGAIN] if s.job[j, BEGUN] >= 0 else 0)
    work = work_of(s, jobs, j, gpus, now + restart)
    stretch = s.pool[p, SLOW] if how == APART else 0
    end = now + restart + wall_of(work, tau, stretch, save)
    sequence = s.tally[SEQUENCE] + 1
    s.tally[SEQUENCE] = sequence
    row = s.stay[slot]
    row[JOB], row[KEY], row[START], row[END] = j, sequence, now, end
    row[WORK], row[RESTART], row[TAU], row[STRETCH] = work, restart, tau, stretch
    row[ASKED], row[TAKEN], row[WHERE], row[KIND] = gpus, taken_by(gpus, s.pool[p, NODE]), p, kind
    if kind == ELASTIC:
        row[FULL], row[LEAST] = jobs.gpus[j], jobs.terms[j, AT_LEAST]
        join_elastic(s, slot, p)
    elif kind == SERVING:
        end = serve(s, jobs, slot, now, restart)
    place(s, p, slot, gpus, how)
    if s.job[j, BEGUN] < 0:
        s.job[j, BEGUN] = now
    event = end
    if s.tally[PREEMPT] > 0:
        rank = np.int64(s.level[j])
        join_class(s, slot, p, rank)
        if s.tally[ORDER] == ATTAINED:
            event = min(end, crossing(s, jobs, j, gpus, now + restart))
    push_event(s, event, (sequence << SLOT_BITS) | slot)
    s.tally[RUNNING] += 1
    s.tally[STARTS] += 1
    log_stay(s, slot, now, BEGIN)


@step
def leave(s, slot, now, kind):
    """Free what a stay holds."""
    log_stay(s, slot, now, kind)
    if s.tally[PREEMPT] > 0:
        leave_class(s, slot, s.stay[slot, WHERE])
    if s.stay[slot, KIND] == ELASTIC:
        leave_elastic(s, slot, s.stay[slot, WHERE])
    release(s, slot)
    s.stay[slot, KEY] = -1
    left = s.tally[SLOTS_LEFT]
    s.stay[left, SLOT_STACK] = slot
    s.tally[SLOTS_LEFT] = left + 1
    s.tally[RUNNING] -= 1


@inner
def leave_early(s, slot, now, kind):
    """`leave`, called instead of written out: for the rarer places."""
    leave(s, slot, now, kind)


@step
def finish(s, slot, now):
    """A job is done."""
    row = s.stay[slot]
    j, gpus, work = row[JOB], row[ASKED], row[WORK]
    bins, length = s.bins[row[WHERE]], now - row[START]
    saves = (work - 1) // row[TAU] if work > row[TAU] else 0
    saving = saves * s.tally[SAVE]
    useful = s.job[j, LEFT] * row[FULL] if row[KIND] == ELASTIC else work * gpus
    bins[USEFUL] += useful
    bins[CHECKPOINT] += saving * gpus
    bins[RESTARTING] += row[RESTART] * gpus
    bins[SLOWED] += (length - saving - row[RESTART]) * gpus - useful
    bins[FRAGMENTATION] += (row[TAKEN] - gpus) * length
    s.job[j, LEFT] = s.job[j, LEFT] - work if row[KIND] == SERVING else 0
    s.job[j, ENDED] = now
    s.tally[DONE] += 1
    leave(s, slot, now, FINISH)


@inner
def split_stay(row, length, save, last):
    """Work kept, time in whole checkpoints, and time of the rest, of a stay broken off `length` ms after its restart.

    `last` is what the final checkpoint of a preempted job takes; -1 where a failure throws the rest away.
    """
    tau, stretch = row[TAU], row[STRETCH]
    cycle = stretched(tau, stretch) + save if tau < NEVER else NEVER
    whole = length // cycle
    rest = length - whole * cycle
    work, saving = (whole * tau if whole > 0 else 0), whole * save
    if last < 0:
        return work, saving, rest
    if tau < NEVER and rest >= cycle - save:  # it was writing one already
        return work + tau, saving + rest - (cycle - save), 0
    writing = min(last, rest)
    more = (rest - writing) * MILLION // (MILLION + stretch)
    return min(work + more, row[WORK]), saving + writing, 0


@inner
def done_by(s, row, work):
    """ms at full size that so much work of a stay is worth; of an elastic one rounded down."""
    return min(work * row[ASKED] // row[FULL], s.job[row[JOB], LEFT]) if row[KIND] == ELASTIC else work


@inner
def break_off(s, slot, now, kind):
    """Stop a stay before its end: SET_BACK by a failure, GIVE_WAY to another job, RESCALE to go on at another size, CUT where the replay
    ends. Returns the job."""
    row = s.stay[slot]
    j, gpus, length = row[JOB], row[ASKED], now - row[START]
    bins = s.bins[row[WHERE]]
    restart = min(length, row[RESTART])
    last = -1 if kind == SET_BACK else (0 if kind == CUT else s.tally[SAVE])
    last = 0 if row[KIND] == SERVING else last
    work, saving, lost = split_stay(row, length - restart, s.tally[SAVE], last)
    done = done_by(s, row, work)
    useful = done * row[FULL] if row[KIND] == ELASTIC else work * gpus
    bins[USEFUL] += useful
    bins[CHECKPOINT] += saving * gpus
    bins[RESTARTING] += restart * gpus
    bins[LOST] += lost * gpus
    bins[SLOWED] += (length - restart - saving - lost) * gpus - useful
    bins[FRAGMENTATION] += (row[TAKEN] - gpus) * length
    s.job[j, LEFT] -= done
    s.stops[j] += 1 if kind in (SET_BACK, GIVE_WAY) else 0
    s.tally[RESCALED] += 1 if kind == RESCALE else 0
    s.tally[INTERRUPTED] += 1 if kind == SET_BACK else 0
    s.tally[PREEMPTED] += 1 if kind == GIVE_WAY else 0
    leave_early(s, slot, now, kind)
    return j
