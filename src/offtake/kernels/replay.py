"""The replay: jobs arrive, wait, start, end, are interrupted, on machines that come, go, fail and return; every hour in one bin.

**Axes**    pools, jobs, bins.
**Units**   ms; GPU-ms. All integers: the same bits every time, and bins that add up exactly (S-05).
**Signs**   every bin >= 0.
**Order**   at one time: ends by the sequence of their starts, repairs, steps of size, failures and maintenance pool by pool, arrivals by
            number; then one pass of starts, pool by pool; then moves between pools; then jobs put off, then elastic stays that grow; then
            each pool's idle time gets its cause until the next time.
**Source**  model R-01, R-02, S-05.
"""


from .compiled import way_in
from .replay_arrivals import allowed, arrive, fill, move_one, next_turn, turns
from .replay_compiled import inner, step
from .replay_fabric import NO, find_room, taken_by, write_log
from .replay_failures import count_down, fail, mend, service
from .replay_heap import drop_first
from .replay_queue import head, needs
from .replay_sizes import resize
from .replay_starts import start_all
from .replay_state import (
    ASIDE,
    ASKED,
    ASSEMBLING,
    ATTAINED,
    CAUSE,
    CHANGED,
    CUT,
    DARK,
    DEMOTE,
    DEPTH,
    END,
    FRAGMENTATION,
    FREE,
    GPUS,
    HEAP,
    JOB,
    KEY,
    MOVE,
    NEVER,
    NEXT_FAILURE,
    NEXT_JOB,
    NEXT_SERVICE,
    NEXT_STEP,
    NO_DEMAND,
    NODE,
    NOT_ALLOWED,
    NOT_WORTH,
    ORDER,
    POWER,
    PUT_OFF,
    PUT_OFF_JOB,
    RANK,
    READY,
    RESERVED,
    RUNNING,
    SINCE,
    SLOT_BITS,
    SPARE,
    SPARED,
    STOPPED,
    UNITS,
    UNTIL,
    VALUE,
    WAITING,
    WAITING_ALL,
    WHERE,
)  # fmt: skip
from .replay_stays import break_off, finish, join_class, leave_class, push_event

SLOTS = (1 << SLOT_BITS) - 1


@step
def settle(s, p, now):
    """Book what the pool's GPUs outside jobs and repairs did since the last event."""
    length = now - s.pool[p, SINCE]
    s.pool[p, SINCE] = now
    s.bins[p, s.pool[p, CAUSE]] += length * s.pool[p, FREE]
    s.bins[p, SPARED] += length * s.pool[p, SPARE]
    s.bins[p, POWER] += length * s.pool[p, DARK]
    s.bins[p, READY] += length * s.pool[p, GPUS]


@step
def for_head(s, jobs, p, q):
    """Why free GPUs of pool p, which may run the head of pool q's queue, do not: no place for its gang, or not yet enough of them."""
    if taken_by(needs(jobs, head(s, q)), s.pool[p, NODE]) <= s.pool[p, FREE]:
        return FRAGMENTATION
    return RESERVED if s.tally[DEPTH] > 0 and s.pool[q, WAITING] > 1 else ASSEMBLING


@inner
def why_not(s, jobs, p, q):
    """Why free GPUs of pool p do not serve the head of another pool q's queue."""
    j = head(s, q)
    if s.tally[MOVE] < 0 or not allowed(jobs, j, p):
        return NOT_ALLOWED
    if s.tally[VALUE] >= 0 and find_room(s, p, needs(jobs, j)) != NO:
        return NOT_WORTH
    return for_head(s, jobs, p, q)


@step
def idle_cause(s, jobs, p):
    """The cause of the pool's idle time until the next event: by its own queue, else by the first other queue."""
    if s.pool[p, WAITING] > 0:
        return for_head(s, jobs, p, p)
    if s.tally[WAITING_ALL] > 0:
        for q in range(s.pool.shape[0]):
            if s.pool[q, WAITING] > 0:
                return why_not(s, jobs, p, q)
    if s.tally[ASIDE] > 0:
        return PUT_OFF if allowed(jobs, s.turn[PUT_OFF_JOB, 0], p) else NOT_ALLOWED
    return NO_DEMAND


@inner
def demote(s, jobs, slot, now):
    """A stay has had enough service for the next class down."""
    j, p, rank = s.stay[slot, JOB], s.stay[slot, WHERE], s.stay[slot, RANK]
    leave_class(s, slot, p)
    join_class(s, slot, p, rank + 1)
    s.level[j] = rank + 1
    end = s.stay[slot, END]
    if rank + 1 < s.ladder.shape[0]:
        gpus = s.stay[slot, ASKED]
        end = min(end, now + (s.ladder[rank + 1] - s.ladder[rank] + gpus - 1) // gpus)
    push_event(s, end, (s.stay[slot, KEY] << SLOT_BITS) | slot)
    s.pool[p, CHANGED] = 1
    write_log(s, now, DEMOTE, j, p, jobs.gpus[j], -1)


@step
def ends(s, jobs, now):
    """All stays that end now."""
    while s.tally[HEAP] > 0 and s.heap[0, 0] == now:
        key = s.heap[1, 0]
        drop_first(s.heap[0], s.heap[1], s.tally[HEAP])
        s.tally[HEAP] -= 1
        slot = key & SLOTS
        if s.stay[slot, KEY] == key >> SLOT_BITS:
            if s.tally[ORDER] == ATTAINED and s.stay[slot, END] > now:
                demote(s, jobs, slot, now)
            else:
                s.pool[s.stay[slot, WHERE], CHANGED] = 1
                finish(s, slot, now)


@inner
def machines(s, jobs, now):
    """Repairs, steps of the pools' sizes, failures and maintenance that are due now; then jobs whose time has come."""
    while s.tally[UNITS] > 0 and s.mended[0, 0] == now:
        mend(s, now)
    while s.tally[NEXT_STEP] < s.steps.shape[0] and s.steps[s.tally[NEXT_STEP], 0] == now:
        at = s.tally[NEXT_STEP]
        resize(s, jobs, s.steps[at, 1], s.steps[at, 2], s.steps[at, 3], now)
        s.tally[NEXT_STEP] = at + 1
    for p in range(s.pool.shape[0]):
        if s.pool[p, NEXT_FAILURE] == now:
            fail(s, jobs, p, now)
        if s.pool[p, NEXT_SERVICE] == now:
            service(s, jobs, p, now)
    turns(s, jobs, now)


@inner
def machines_next(s):
    """When the machines change next."""
    time = s.mended[0, 0] if s.tally[UNITS] > 0 else NEVER
    if s.tally[NEXT_STEP] < s.steps.shape[0]:
        time = min(time, s.steps[s.tally[NEXT_STEP], 0])
    for p in range(s.pool.shape[0]):
        time = min(time, s.pool[p, NEXT_FAILURE], s.pool[p, NEXT_SERVICE])
    return min(time, next_turn(s))


@step
def over(s, jobs):
    """Whether nothing is left that could still happen to a job."""
    if s.tally[NEXT_JOB] < jobs.submit.shape[0] or s.tally[RUNNING] + s.tally[ASIDE] > 0:
        return False
    return s.tally[WAITING_ALL] == 0 or (s.tally[UNITS] == 0 and s.tally[NEXT_STEP] == s.steps.shape[0])


@inner
def close(s, now):
    """Cut what still runs and book what is still down."""
    for p in range(s.pool.shape[0]):
        settle(s, p, now)
    slot = 0
    while s.tally[RUNNING] > 0:
        if s.stay[slot, KEY] >= 0:
            break_off(s, slot, now, CUT)
        slot += 1
    for i in range(s.tally[UNITS]):
        count_down(s, s.mended[1, i], now)
    s.tally[STOPPED] = now


@way_in  # what is written out in it counts no arrays either (`compiled`)
def replay(jobs, s):
    """Run all jobs, or until the time the rule names; results are in the state's bins, begun, ended, left and tally."""
    pools, number = s.pool.shape[0], jobs.submit.shape[0]
    now, until, change = s.steps[0, 0], s.tally[UNTIL], s.steps[0, 0]
    while not over(s, jobs):
        while s.tally[HEAP] > 0 and s.stay[s.heap[1, 0] & SLOTS, KEY] != s.heap[1, 0] >> SLOT_BITS:
            drop_first(s.heap[0], s.heap[1], s.tally[HEAP])
            s.tally[HEAP] -= 1
        time = s.heap[0, 0] if s.tally[HEAP] > 0 else NEVER
        j = s.tally[NEXT_JOB]
        if j < number:
            time = min(time, jobs.submit[j])
        time = min(time, change)
        if time >= until:
            now = until
            break
        now = time
        for p in range(pools):
            settle(s, p, now)
        ends(s, jobs, now)
        if now == change:
            machines(s, jobs, now)
            change = machines_next(s)
        while j < number and jobs.submit[j] == now:
            arrive(s, jobs, j, now)
            j += 1
        s.tally[NEXT_JOB] = j
        moved = True
        while moved:
            for p in range(pools):
                start_all(s, jobs, p, now)
            moved = pools > 1 and s.tally[MOVE] >= 0 and s.tally[WAITING_ALL] > 0 and move_one(s, jobs, now)
        if jobs.terms.shape[0] > 0:
            fill(s, jobs, now)
        if s.turn.shape[1] > 0:
            change = machines_next(s)  # a turn of who started early is none
        for p in range(pools):
            s.pool[p, CAUSE] = idle_cause(s, jobs, p)
    close(s, now)
