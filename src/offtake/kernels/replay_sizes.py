"""Pools that grow and shrink, and power that fails: which GPUs come, leave, go dark and return.

**Axes**    pools, domains, nodes.
**Units**   GPUs and nodes; ms.
**Signs**   counts >= 0; `LIT` <= `GPUS`.
**Order**   nodes come from the first on and leave from the last. What leaves is planned: its jobs write a checkpoint and wait at their old
            place, and a repair under way is broken off. Power fails without notice, for the last of those ready: their jobs lose what they
            did since their last checkpoint; a node under repair is mended in the dark. Spares do not step in, but with fewer nodes fewer
            are held back. A pool that counts GPUs (node 1) gives up free GPUs, then those of jobs, the newest start first, then spares,
            then what is under repair.
**Source**  model R-01, S-02, S-05.
"""

from .replay_compiled import inner, once
from .replay_fabric import shift_domain, write_log
from .replay_failures import changed, clear_nodes, count_part, many, plan_failure, send_back, set_dark, set_free, step_in
from .replay_heap import rebuild
from .replay_state import (
    DARK,
    DARK_BITS,
    DIM,
    DOMAIN_NODES,
    DOMAINS,
    DOWN,
    DOWN_BITS,
    FIRST_DOMAIN,
    FREE,
    FREE_BITS,
    FREE_NODES,
    GIVE_WAY,
    GPUS,
    KEY,
    LIT,
    NEVER,
    NEXT_SERVICE,
    NODE,
    NODES,
    QUOTA,
    RESIZE,
    SERVICE,
    SET_BACK,
    SPARE,
    SPARE_BITS,
    SPARE_SEATS,
    UNIT_BITS,
    UNIT_DOMAIN,
    UNIT_GPUS,
    UNIT_POOL,
    UNIT_STACK,
    UNITS,
    UNITS_LEFT,
    WHERE,
)  # fmt: skip


@inner
def quota(s, p, gpus):
    """GPUs held back as spares of the pool's first `gpus`: they lie as evenly as they can, the last nodes of each stretch."""
    node = s.pool[p, NODE]
    return gpus // node * s.pool[p, SPARE_SEATS] // s.pool[p, NODES] * node


@inner
def drop_unit(s, at, gpus, now):
    """So many GPUs of the unit at place `at` of the heap are no longer waited for; with none left the unit is forgotten."""
    u = s.mended[1, at]
    count_part(s, u, gpus, now)
    s.unit[u, UNIT_GPUS] -= gpus
    s.pool[s.unit[u, UNIT_POOL], DOWN] -= gpus
    if s.unit[u, UNIT_GPUS] == 0:
        left = s.tally[UNITS] - 1
        s.mended[0, at], s.mended[1, at] = s.mended[0, left], s.mended[1, left]
        rebuild(s.mended[0], s.mended[1], left)
        s.tally[UNITS] = left
        s.unit[s.tally[UNITS_LEFT], UNIT_STACK] = u
        s.tally[UNITS_LEFT] += 1


@once
def forget(s, p, d, bits, now):
    """Break off the repairs of these nodes, unit by unit."""
    while s.domain[d, DOWN_BITS] & bits:
        at = -1
        for i in range(s.tally[UNITS]):
            u = s.mended[1, i]
            if s.unit[u, UNIT_DOMAIN] == d and s.unit[u, UNIT_BITS] & bits and (at < 0 or u < s.mended[1, at]):
                at = i
        u = s.mended[1, at]
        gone = s.unit[u, UNIT_BITS] & bits
        s.unit[u, UNIT_BITS] ^= gone
        s.domain[d, DOWN_BITS] ^= gone
        drop_unit(s, at, many(gone) * s.pool[p, NODE], now)


@once
def lose(s, jobs, p, d, bits, now, kind):
    """Nodes of a domain leave (GIVE_WAY), or lose their power (SET_BACK)."""
    clear_nodes(s, jobs, d, bits, now, kind)
    free, spare = s.domain[d, FREE_BITS] & bits, s.domain[d, SPARE_BITS] & bits
    s.domain[d, FREE_BITS] ^= free
    shift_domain(s, p, d, s.domain[d, FREE_NODES] - many(free))
    s.domain[d, SPARE_BITS] ^= spare
    s.pool[p, FREE] -= many(free) * s.pool[p, NODE]
    s.pool[p, SPARE] -= many(spare) * s.pool[p, NODE]
    if kind == SET_BACK:
        set_dark(s, p, d, free | spare, now)
    else:
        forget(s, p, d, bits, now)
        dark = s.domain[d, DARK_BITS] & bits
        if dark:
            light(s, p, d, dark, now)


@inner
def light(s, p, d, bits, now):
    """These nodes are dark no longer."""
    s.domain[d, DARK_BITS] ^= bits
    s.pool[p, DARK] -= many(bits) * s.pool[p, NODE]
    set_dark(s, p, d, 0, now)


@once
def within(s, p, d, first, end):
    """Bits of the pool's nodes `first` to `end` - 1 that lie in domain d."""
    size = s.pool[p, DOMAIN_NODES]
    begins = (d - s.pool[p, FIRST_DOMAIN]) * size
    low, high = max(first - begins, 0), min(end - begins, size)
    return (1 << high) - (1 << low) if high > low else 0


@inner
def lose_all(s, jobs, p, first, end, now, kind):
    """Nodes `first` to `end` - 1 leave or lose their power, domain by domain."""
    size = s.pool[p, DOMAIN_NODES]
    for i in range(first // size, (end + size - 1) // size):
        d = s.pool[p, FIRST_DOMAIN] + i
        lose(s, jobs, p, d, within(s, p, d, first, end), now, kind)


@once
def come(s, p, first, end, now):
    """Nodes `first` to `end` - 1 have power: new ones, and dark ones but for those still under repair."""
    node, size = s.pool[p, NODE], s.pool[p, DOMAIN_NODES]
    for n in range(first, end):
        d, bit = s.pool[p, FIRST_DOMAIN] + n // size, 1 << (n % size)
        if s.domain[d, DARK_BITS] & bit:
            light(s, p, d, bit, now)
        if s.domain[d, DOWN_BITS] & bit == 0:
            if quota(s, p, (n + 1) * node) > quota(s, p, n * node):
                s.domain[d, SPARE_BITS] |= bit
                s.pool[p, SPARE] += node
            else:
                set_free(s, p, d, bit)


@once
def resize_nodes(s, jobs, p, gpus, lit, now):
    """Nodes leave from the last on, then lose power from the last on, then come from the first on."""
    node = s.pool[p, NODE]
    had, was = s.pool[p, LIT] // node, s.pool[p, GPUS] // node
    if gpus // node < was:
        lose_all(s, jobs, p, gpus // node, was, now, GIVE_WAY)
    had = min(had, gpus // node)
    if lit // node < had:
        lose_all(s, jobs, p, lit // node, had, now, SET_BACK)
    s.pool[p, LIT] = lit
    come(s, p, had, lit // node, now)
    for n in range(max(was, lit // node), gpus // node):
        set_dark(s, p, s.pool[p, FIRST_DOMAIN] + n // s.pool[p, DOMAIN_NODES], 1 << (n % s.pool[p, DOMAIN_NODES]), now)
    s.pool[p, QUOTA] = quota(s, p, lit)
    s.pool[p, DOMAINS] = (lit // node + s.pool[p, DOMAIN_NODES] - 1) // s.pool[p, DOMAIN_NODES]
    if s.pool[p, SPARE] > s.pool[p, QUOTA]:
        step_in(s, p, s.pool[p, FIRST_DOMAIN], (s.pool[p, SPARE] - s.pool[p, QUOTA]) // node)


@once
def newest(s, p):
    """The stay of a pool that started last; -1 where there is none."""
    found = -1
    for slot in range(s.stay.shape[0]):
        if s.stay[slot, KEY] >= 0 and s.stay[slot, WHERE] == p and (found < 0 or s.stay[slot, KEY] > s.stay[found, KEY]):
            found = slot
    return found


@once
def last_mended(s, p):
    """Place in the heap of the pool's unit that is mended last."""
    at = -1
    for i in range(s.tally[UNITS]):
        u = s.mended[1, i]
        if s.unit[u, UNIT_POOL] == p:
            later = at < 0 or s.mended[0, i] > s.mended[0, at] or (s.mended[0, i] == s.mended[0, at] and u > s.mended[1, at])
            at = i if later else at
    return at


@inner
def lose_counted(s, jobs, p, gpus, now, kind):
    """So many GPUs of a pool that counts them leave, or lose their power."""
    while s.pool[p, FREE] < gpus:
        slot = newest(s, p)
        if slot < 0:
            break
        send_back(s, jobs, slot, now, kind)
    free = min(s.pool[p, FREE], gpus)
    s.pool[p, FREE] -= free
    spare = min(s.pool[p, SPARE], gpus - free)
    s.pool[p, SPARE] -= spare
    down = gpus - free - spare
    while down > 0:
        at = last_mended(s, p)
        part = min(s.unit[s.mended[1, at], UNIT_GPUS], down)
        drop_unit(s, at, part, now)
        down -= part


@once
def resize_counted(s, jobs, p, gpus, lit, now):
    """The same in a pool that counts GPUs: fewer with power hold back fewer spares."""
    had, kept = s.pool[p, LIT], quota(s, p, lit)
    if lit < had:
        over = max(s.pool[p, SPARE] - kept, 0)
        s.pool[p, SPARE] -= over
        s.pool[p, FREE] += over
        staying = min(had, gpus)
        lose_counted(s, jobs, p, had - staying, now, GIVE_WAY)
        lose_counted(s, jobs, p, staying - lit, now, SET_BACK)
    else:
        spare = kept - s.pool[p, QUOTA]
        s.pool[p, SPARE] += spare
        s.pool[p, FREE] += lit - had - spare
    s.pool[p, LIT], s.pool[p, QUOTA] = lit, kept
    if s.pool[p, DARK] != gpus - lit:
        s.pool[p, DARK] = gpus - lit
        write_log(s, now, DIM, -1, p, gpus - lit, -1)


@once
def resize(s, jobs, p, gpus, lit, now):
    """From now on the pool has `gpus` GPUs ready, `lit` of them with power."""
    if s.pool[p, NODE] == 1:
        resize_counted(s, jobs, p, gpus, lit, now)
    else:
        resize_nodes(s, jobs, p, gpus, lit, now)
    s.pool[p, GPUS] = gpus
    changed(s, p)
    plan_failure(s, p, now)
    if s.pool[p, DOMAINS] == 0:
        s.pool[p, NEXT_SERVICE] = NEVER
    elif s.pool[p, SERVICE] > 0 and s.pool[p, NEXT_SERVICE] == NEVER:
        s.pool[p, NEXT_SERVICE] = now + max(s.pool[p, SERVICE] // s.pool[p, DOMAINS], 1)
    write_log(s, now, RESIZE, -1, p, gpus, -1)
