"""Failures, repairs, spares and maintenance: what breaks the machines under the jobs.

**Axes**    pools, domains, nodes; causes GPU, tray, rack, network, site, software.
**Units**   failures per GPU-ms; ms; a repair is lognormal.
**Signs**   counts >= 0.
**Order**   a failure strikes one GPU of those ready, drawn evenly, and takes its node (GPU, tray, network), its domain (rack) or its pool
            (site) down; software interrupts the jobs of the node and takes nothing down. Jobs on what goes down lose what they did since
            their last checkpoint and wait at their old place. Spares step in at once, those of the domain first; what is repaired
            becomes a spare again while spares are missing, and stays dark where the power is off by then. What is dark does not fail.
            In a pool that counts GPUs (node 1) one GPU is struck, or the whole pool.
**Source**  model R-01, R-02; S-05.
"""

from .draw import exp_, inverse_normal, log_, uniform
from .replay_compiled import inner, once
from .replay_fabric import lowest, shift_domain, write_log
from .replay_heap import drop_first, push
from .replay_queue import join_back
from .replay_state import (
    BITS,
    BREAK,
    CHANGED,
    DARK,
    DARK_BITS,
    DIM,
    DOMAIN_NODES,
    DOMAINS,
    DOWN,
    DOWN_BITS,
    FAILED,
    FAILURE,
    FIRST_DOMAIN,
    FIRST_PIECE,
    FREE,
    FREE_BITS,
    FREE_NODES,
    GIVE_WAY,
    HOPELESS,
    KEY,
    LIT,
    MAINTENANCE,
    MEND,
    NEVER,
    NEXT_FAILURE,
    NEXT_HERE,
    NEXT_SERVICE,
    NODE,
    NOTICE,
    OF_STAY,
    PATH,
    POOL,
    QUOTA,
    REPAIR,
    RUNNING,
    SEED,
    SERVED,
    SERVICE,
    SERVICE_LENGTH,
    SET_BACK,
    SHADOW_JOB,
    SPARE,
    SPARE_BITS,
    TAKEN,
    UNIT_BITS,
    UNIT_CAUSE,
    UNIT_DOMAIN,
    UNIT_GPUS,
    UNIT_POOL,
    UNIT_SINCE,
    UNIT_STACK,
    UNITS,
    UNITS_LEFT,
    WHERE,
)  # fmt: skip
from .replay_stays import MIDDLES, RATE, SHARES, SPREADS, break_off

LONGEST = 1e17  # ms; what is never reached
GPU, TRAY, RACK, NETWORK, SITE, SOFTWARE, SERVICING = range(7)


@inner
def chance(s, p, which):
    """A number in (0, 1) for the pool's next failure: `which` is 0 its time, 1 its cause, 2 the GPU, 3 its repair."""
    return uniform(s.tally[SEED], s.tally[PATH], 4 * p + which, s.pool[p, FAILED])


@inner
def plan_failure(s, p, now):
    """Draw when something in the pool fails next."""
    s.pool[p, FAILED] += 1
    rate = s.chance[RATE] * s.pool[p, LIT]
    s.pool[p, NEXT_FAILURE] = now + 1 + int(min(-log_(chance(s, p, 0)) / rate, LONGEST)) if rate > 0.0 else NEVER


@once
def repair_time(s, p, cause):
    """ms until it works again: lognormal by cause."""
    score = inverse_normal(chance(s, p, 3))
    return max(int(exp_(s.chance[MIDDLES + cause] + s.chance[SPREADS + cause] * score) + 0.5), 1)


@inner
def changed(s, p):
    """The pool's machines changed: promises are void and everybody may try again."""
    s.pool[p, SHADOW_JOB], s.pool[p, CHANGED] = -1, 1
    for c in range(s.queue.shape[1]):
        s.queue[p, c, HOPELESS] = NEVER


@inner
def send_back(s, jobs, slot, now, kind):
    """Break a stay off and let its job wait again where it stood."""
    p = s.stay[slot, WHERE]
    join_back(s, jobs, p, break_off(s, slot, now, kind))
    changed(s, p)


@inner
def clear_nodes(s, jobs, d, bits, now, kind):
    """Send back every job that holds one of these nodes."""
    k = s.domain[d, FIRST_PIECE]
    while k >= 0:
        if s.piece[k, BITS] & bits:
            send_back(s, jobs, s.piece[k, OF_STAY], now, kind)
            k = s.domain[d, FIRST_PIECE]
        else:
            k = s.piece[k, NEXT_HERE]


@inner
def many(bits):
    """How many bits are set."""
    n = 0
    while bits != 0:
        bits &= bits - 1
        n += 1
    return n


@inner
def note_down(s, p, d, bits, gpus, cause, until, now):
    """Write a row of what is down and when it comes back."""
    left = s.tally[UNITS_LEFT] - 1
    s.tally[UNITS_LEFT] = left
    u, row = s.unit[left, UNIT_STACK], s.unit[s.unit[left, UNIT_STACK]]
    row[UNIT_POOL], row[UNIT_DOMAIN], row[UNIT_BITS], row[UNIT_GPUS] = p, d, bits, gpus
    row[UNIT_SINCE], row[UNIT_CAUSE] = now, cause
    push(s.mended[0], s.mended[1], s.tally[UNITS], until, u)
    s.tally[UNITS] += 1
    s.pool[p, DOWN] += gpus
    write_log(s, now, BREAK, cause, p, gpus, d)


@inner
def set_free(s, p, d, bits):
    """Let jobs have these nodes."""
    s.domain[d, FREE_BITS] |= bits
    shift_domain(s, p, d, s.domain[d, FREE_NODES] + many(bits))
    s.pool[p, FREE] += many(bits) * s.pool[p, NODE]


@inner
def set_dark(s, p, d, bits, now):
    """These nodes are ready but have no power; bits of 0 where only the log is to say so."""
    s.domain[d, DARK_BITS] |= bits
    s.pool[p, DARK] += many(bits) * s.pool[p, NODE]
    write_log(s, now, DIM, -1, p, many(s.domain[d, DARK_BITS]) * s.pool[p, NODE], d)


@inner
def step_in(s, p, d, nodes):
    """Put up to `nodes` spares to work: of domain d first, then of the pool's others from the first on."""
    first = s.pool[p, FIRST_DOMAIN]
    for i in range(-1, s.pool[p, DOMAINS]):
        at = d if i < 0 else first + i
        while nodes > 0 and s.domain[at, SPARE_BITS] != 0:
            bit = s.domain[at, SPARE_BITS] & -s.domain[at, SPARE_BITS]
            s.domain[at, SPARE_BITS] ^= bit
            s.pool[p, SPARE] -= s.pool[p, NODE]
            set_free(s, p, at, bit)
            nodes -= 1
        if nodes == 0 or s.pool[p, SPARE] == 0:
            return


@inner
def take_down(s, jobs, d, bits, cause, until, now):
    """Take nodes of a domain down, those not down yet; how many that jobs could have had."""
    p = s.domain[d, POOL]
    clear_nodes(s, jobs, d, bits, now, SET_BACK if cause != SERVICING else GIVE_WAY)
    free, spare = s.domain[d, FREE_BITS] & bits, s.domain[d, SPARE_BITS] & bits
    node = s.pool[p, NODE]
    if free | spare:
        s.domain[d, FREE_BITS] ^= free
        shift_domain(s, p, d, s.domain[d, FREE_NODES] - many(free))
        s.domain[d, SPARE_BITS] ^= spare
        s.domain[d, DOWN_BITS] |= free | spare
        s.pool[p, FREE] -= many(free) * node
        s.pool[p, SPARE] -= many(spare) * node
        note_down(s, p, d, free | spare, many(free | spare) * node, cause, until, now)
        changed(s, p)
    return many(free)


@once
def strike_counted(s, jobs, p, at, cause, until, now):
    """A failure in a pool that counts GPUs: GPU number `at`, jobs' first by slot, then free ones, then spares; or everything."""
    left = s.tally[RUNNING]
    slot = 0
    while left > 0 and (at >= 0 or cause == SITE):
        if s.stay[slot, KEY] >= 0:
            left -= 1
            if s.stay[slot, WHERE] == p:
                at -= s.stay[slot, TAKEN]
                if at < 0 or cause == SITE:
                    send_back(s, jobs, slot, now, SET_BACK)
                    if cause != SITE:
                        break
        slot += 1
    if cause == SOFTWARE:
        return
    lost = 1 if at < 0 or at < s.pool[p, FREE] else 0
    spare = 1 if lost == 0 and at < s.pool[p, FREE] + s.pool[p, SPARE] else 0
    if cause == SITE:
        lost, spare = s.pool[p, FREE], s.pool[p, SPARE]
    if lost + spare == 0:
        return
    swap = min(lost, s.pool[p, SPARE] - spare)
    s.pool[p, FREE] += swap - lost
    s.pool[p, SPARE] -= swap + spare
    note_down(s, p, -1, 0, lost + spare, cause, until, now)
    changed(s, p)


@once
def fail(s, jobs, p, now):
    """Something in the pool fails."""
    u, cause = chance(s, p, 1), GPU
    while cause < SOFTWARE and u >= s.chance[SHARES + cause]:
        cause += 1
    at = min(int(chance(s, p, 2) * s.pool[p, LIT]), s.pool[p, LIT] - 1)
    until = now + repair_time(s, p, cause)
    node = s.pool[p, NODE]
    if node == 1:
        strike_counted(s, jobs, p, at, cause, until, now)
    else:
        size, first = s.pool[p, DOMAIN_NODES], s.pool[p, FIRST_DOMAIN]
        d, bit = first + at // node // size, 1 << (at // node % size)
        down = s.domain[d, DOWN_BITS] & bit != 0  # what is down already cannot fail
        if cause == SOFTWARE:
            clear_nodes(s, jobs, d, bit, now, SET_BACK)
        elif cause == SITE and not down:
            for i in range(s.pool[p, DOMAINS]):
                take_down(s, jobs, first + i, (1 << size) - 1, cause, until, now)
        elif not down:
            step_in(s, p, d, take_down(s, jobs, d, (1 << size) - 1 if cause == RACK else bit, cause, until, now))
    plan_failure(s, p, now)


@once
def service(s, jobs, p, now):
    """Take the next domain down for maintenance; its jobs write a checkpoint and wait again. Spares do not step in."""
    d = s.pool[p, FIRST_DOMAIN] + s.pool[p, SERVED] % s.pool[p, DOMAINS]
    s.pool[p, SERVED] += 1
    s.pool[p, NEXT_SERVICE] = now + max(s.pool[p, SERVICE] // s.pool[p, DOMAINS], 1)
    take_down(s, jobs, d, (1 << s.pool[p, DOMAIN_NODES]) - 1, SERVICING, now + s.pool[p, SERVICE_LENGTH], now)


@inner
def count_part(s, u, gpus, now):
    """Book the time that GPUs of a unit were down: until somebody noticed a failure, then its repair."""
    row = s.unit[u]
    bins, length = s.bins[row[UNIT_POOL]], now - row[UNIT_SINCE]
    if row[UNIT_CAUSE] == SERVICING:
        bins[MAINTENANCE] += length * gpus
    else:
        unseen = min(length, s.tally[NOTICE])
        bins[FAILURE] += unseen * gpus
        bins[REPAIR] += (length - unseen) * gpus


@inner
def count_down(s, u, now):
    """Book the time that a unit was down."""
    count_part(s, u, s.unit[u, UNIT_GPUS], now)


@once
def mend(s, now):
    """The first unit that was down works again."""
    u = s.mended[1, 0]
    drop_first(s.mended[0], s.mended[1], s.tally[UNITS])
    s.tally[UNITS] -= 1
    s.unit[s.tally[UNITS_LEFT], UNIT_STACK] = u
    s.tally[UNITS_LEFT] += 1
    count_down(s, u, now)
    p, d, bits, gpus = s.unit[u, UNIT_POOL], s.unit[u, UNIT_DOMAIN], s.unit[u, UNIT_BITS], s.unit[u, UNIT_GPUS]
    s.pool[p, DOWN] -= gpus
    if d < 0:
        spare = min(gpus, s.pool[p, QUOTA] - s.pool[p, SPARE])
        s.pool[p, SPARE] += spare
        s.pool[p, FREE] += gpus - spare
    else:
        s.domain[d, DOWN_BITS] ^= bits
        while bits != 0:
            bit = bits & -bits
            bits ^= bit
            if ((d - s.pool[p, FIRST_DOMAIN]) * s.pool[p, DOMAIN_NODES] + lowest(bit)) * s.pool[p, NODE] >= s.pool[p, LIT]:
                set_dark(s, p, d, bit, now)
            elif s.pool[p, SPARE] < s.pool[p, QUOTA]:
                s.domain[d, SPARE_BITS] |= bit
                s.pool[p, SPARE] += s.pool[p, NODE]
            else:
                set_free(s, p, d, bit)
    changed(s, p)
    write_log(s, now, MEND, -1, p, gpus, d)
