"""Where a gang finds room: shared nodes, whole nodes, domains, segments.

**Axes**    pools, domains, nodes; a domain's nodes are the bits of one integer.
**Units**   GPUs and nodes.
**Signs**   counts >= 0.
**Order**   best fit: the domain (or shared node) with the fewest free nodes (GPUs) that suffice; of equals the one that came to that
            count last; in a domain the lowest nodes first. A gang larger than a node takes whole nodes. With a segment, each full
            segment of the gang lies in one domain, and so does the rest; where that fails a soft segment is given up for the fullest
            domains first, at a stated slowdown.
**Source**  model R-01, P-03.
"""

import numpy as np

from .replay_compiled import inner, step
from .replay_state import (
    AFTER,
    BEFORE,
    BESIDE,
    BITS,
    BUCKET,
    BUCKETS,
    COUNT,
    COUNTS,
    DOMAIN_NODES,
    FIRST_DOMAIN,
    FIRST_NODE,
    FIRST_PIECE,
    FREE,
    FREE_BITS,
    FREE_NODES,
    HELD,
    IN_DOMAIN,
    LAST_HERE,
    LOGGED,
    NEXT_HERE,
    NEXT_PIECE,
    NODE,
    NODE_AFTER,
    NODE_BEFORE,
    OF_STAY,
    OPEN,
    PART,
    PARTS,
    PIECE_STACK,
    PIECES,
    PIECES_LEFT,
    SEATING,
    SEATS,
    SEGMENT,
    SHARED,
    SLOW,
    SPREAD,
    TAKEN,
    WHERE,
    WHOLE,
)  # fmt: skip

NO, YES, APART = range(3)  # answers of `room`: none; as wished; only with the gang's parts apart
SPELL = 0x03F79D71B4CB0A89
LOWEST = np.argsort([((SPELL << bit) & 0xFFFFFFFFFFFFFFFF) >> 58 for bit in range(64)])  # place of a bit by the top six of bit x SPELL


@step
def lowest(bits):
    """Position of the lowest bit that is set."""
    return LOWEST[(((bits & -bits) * SPELL) >> 58) & 63]


@step
def write_log(s, time, kind, job, pool, gpus, domain):
    """A row of the event log, if one is kept; rows beyond its end are counted only."""
    if s.log.shape[0] > 0:
        n = s.tally[LOGGED]
        if n < s.log.shape[0]:
            s.log[n, 0], s.log[n, 1], s.log[n, 2] = time, kind, job
            s.log[n, 3], s.log[n, 4], s.log[n, 5] = pool, gpus, domain
        s.tally[LOGGED] = n + 1


@step
def nodes_of(gpus, node):
    """Whole nodes of a gang; 0 where it shares one."""
    return 0 if gpus < node else (gpus + node - 1) // node


@step
def taken_by(gpus, node):
    """GPUs that a gang holds: whole nodes once it fills one."""
    return gpus if gpus < node or node == 1 else (gpus + node - 1) // node * node


@step
def room(s, p, gpus):
    """Whether the gang finds room in the pool now: NO, YES or APART."""
    node = s.pool[p, NODE]
    if node == 1:
        return YES if gpus <= s.pool[p, FREE] else NO
    if gpus < node:
        return YES if s.pool[p, WHOLE] > 0 or (s.pool[p, PARTS] >> gpus) != 0 else NO
    n, segment = (gpus + node - 1) // node, s.pool[p, SEGMENT]
    if n > s.pool[p, WHOLE]:
        return NO
    if segment == 0:
        return YES
    full = n // segment
    rest, seats = n - full * segment, s.pool[p, SEATS]
    if seats > full or (seats == full and (rest == 0 or (s.pool[p, BUCKETS] & s.shelf[p, BESIDE, rest]) != 0)):
        return YES
    return APART if s.pool[p, SLOW] >= 0 else NO


@step
def move_domain(s, p, d, free):
    """Note that a domain has `free` whole nodes now: it goes to the front of its new bucket."""
    was = s.domain[d, FREE_NODES]
    if was > 0:
        after, before = s.domain[d, AFTER], s.domain[d, BEFORE]
        if before >= 0:
            s.domain[before, AFTER] = after
        else:
            s.shelf[p, BUCKET, was] = after
        if after >= 0:
            s.domain[after, BEFORE] = before
        s.shelf[p, COUNTS, was] -= 1
        if s.shelf[p, COUNTS, was] == 0:
            s.pool[p, BUCKETS] ^= 1 << was
    if free > 0:
        first = s.shelf[p, BUCKET, free]
        s.domain[d, AFTER], s.domain[d, BEFORE] = first, -1
        if first >= 0:
            s.domain[first, BEFORE] = d
        else:
            s.pool[p, BUCKETS] ^= 1 << free
        s.shelf[p, BUCKET, free] = d
        s.shelf[p, COUNTS, free] += 1
    s.domain[d, FREE_NODES] = free
    s.pool[p, WHOLE] += free - was
    s.pool[p, SEATS] += s.shelf[p, SEATING, free] - s.shelf[p, SEATING, was]


@inner
def shift_domain(s, p, d, free):
    """`move_domain`, called instead of written out: for the rarer places."""
    move_domain(s, p, d, free)


@step
def move_node(s, p, n, open_):
    """Note that a shared node has `open_` GPUs free now; -1 or all of them: it is shared no more."""
    size, was = s.pool[p, NODE], s.node[n, OPEN]
    if was > 0:
        after, before = s.node[n, NODE_AFTER], s.node[n, NODE_BEFORE]
        if before >= 0:
            s.node[before, NODE_AFTER] = after
        else:
            s.shelf[p, SHARED, was] = after
            if after < 0:
                s.pool[p, PARTS] ^= 1 << was
        if after >= 0:
            s.node[after, NODE_BEFORE] = before
    s.node[n, OPEN] = open_ if open_ < size else -1
    if 0 < open_ < size:
        first = s.shelf[p, SHARED, open_]
        s.node[n, NODE_AFTER], s.node[n, NODE_BEFORE] = first, -1
        if first >= 0:
            s.node[first, NODE_BEFORE] = n
        else:
            s.pool[p, PARTS] ^= 1 << open_
        s.shelf[p, SHARED, open_] = n


@step
def add_piece(s, slot, d, bits, count, part):
    """Note what a stay holds in a domain."""
    left = s.tally[PIECES_LEFT] - 1
    k = s.piece[left, PIECE_STACK]
    s.tally[PIECES_LEFT] = left
    first = s.domain[d, FIRST_PIECE]
    s.piece[k, OF_STAY], s.piece[k, IN_DOMAIN], s.piece[k, BITS] = slot, d, bits
    s.piece[k, COUNT], s.piece[k, PART], s.piece[k, NEXT_PIECE] = count, part, s.stay[slot, PIECES]
    s.piece[k, NEXT_HERE], s.piece[k, LAST_HERE] = first, -1
    if first >= 0:
        s.piece[first, LAST_HERE] = k
    s.domain[d, FIRST_PIECE] = k
    s.stay[slot, PIECES] = k


@step
def drop_piece(s, k):
    """Forget a piece."""
    after, before = s.piece[k, NEXT_HERE], s.piece[k, LAST_HERE]
    if before >= 0:
        s.piece[before, NEXT_HERE] = after
    else:
        s.domain[s.piece[k, IN_DOMAIN], FIRST_PIECE] = after
    if after >= 0:
        s.piece[after, LAST_HERE] = before
    left = s.tally[PIECES_LEFT]
    s.piece[left, PIECE_STACK] = k
    s.tally[PIECES_LEFT] = left + 1


@step
def best_domain(s, p, nodes):
    """The domain with the fewest free nodes that suffice; -1 where none does."""
    fit = (s.pool[p, BUCKETS] >> nodes) << nodes
    return s.shelf[p, BUCKET, lowest(fit)] if fit != 0 else -1


@inner
def fullest_domain(s, p):
    """The domain with the most free nodes."""
    f = s.pool[p, DOMAIN_NODES]
    while s.shelf[p, COUNTS, f] == 0:
        f -= 1
    return s.shelf[p, BUCKET, f]


@step
def take_nodes(s, p, slot, d, nodes):
    """Take the lowest free nodes of a domain."""
    free, rest = s.domain[d, FREE_BITS], s.domain[d, FREE_BITS]
    if nodes == s.domain[d, FREE_NODES]:
        rest = 0
    else:
        for _ in range(nodes):
            rest &= rest - 1
    s.domain[d, FREE_BITS] = rest
    move_domain(s, p, d, s.domain[d, FREE_NODES] - nodes)
    add_piece(s, slot, d, free ^ rest, nodes, 0)


@step
def take_part(s, p, slot, gpus):
    """Take GPUs of the shared node that they fill best, or break up a whole one."""
    fit = (s.pool[p, PARTS] >> gpus) << gpus
    if fit != 0:
        n = s.shelf[p, SHARED, lowest(fit)]
        d = s.pool[p, FIRST_DOMAIN] + (n - s.domain[s.pool[p, FIRST_DOMAIN], FIRST_NODE]) // s.pool[p, DOMAIN_NODES]
        move_node(s, p, n, s.node[n, OPEN] - gpus)
    else:
        d = best_domain(s, p, 1)
        bit = lowest(s.domain[d, FREE_BITS])
        n = s.domain[d, FIRST_NODE] + bit
        s.domain[d, FREE_BITS] ^= 1 << bit
        move_domain(s, p, d, s.domain[d, FREE_NODES] - 1)
        move_node(s, p, n, s.pool[p, NODE] - gpus)
    add_piece(s, slot, d, 1 << (n - s.domain[d, FIRST_NODE]), 0, gpus)


@inner
def take_gang(s, p, slot, nodes, how):
    """Take the nodes of a large gang: segment by segment, or as few domains as there may be."""
    segment = s.pool[p, SEGMENT]
    while nodes > 0:
        most = min(segment, nodes) if segment > 0 and how == YES else nodes
        d = best_domain(s, p, most)
        d = d if d >= 0 else fullest_domain(s, p)
        many = min(most, s.domain[d, FREE_NODES])
        take_nodes(s, p, slot, d, many)
        nodes -= many


@step
def place(s, p, slot, gpus, how):
    """Take the gang's GPUs, for which there is room."""
    node = s.pool[p, NODE]
    taken = taken_by(gpus, node)
    s.pool[p, FREE] -= taken
    s.pool[p, HELD] += taken
    s.stay[slot, PIECES] = -1
    s.tally[SPREAD] += 1 if how == APART else 0
    if node > 1:
        nodes = nodes_of(gpus, node)
        if nodes == 0:
            take_part(s, p, slot, gpus)
        elif nodes == 1:
            take_nodes(s, p, slot, best_domain(s, p, 1), 1)
        else:
            take_gang(s, p, slot, nodes, how)


@step
def release(s, slot):
    """Give back all that a stay holds."""
    p, taken = s.stay[slot, WHERE], s.stay[slot, TAKEN]
    s.pool[p, FREE] += taken
    s.pool[p, HELD] -= taken
    k = s.stay[slot, PIECES]
    while k >= 0:
        d = s.piece[k, IN_DOMAIN]
        back = s.piece[k, BITS]
        many = s.piece[k, COUNT]
        if s.piece[k, PART] > 0:
            n = s.domain[d, FIRST_NODE] + lowest(back)
            open_ = s.node[n, OPEN] + s.piece[k, PART]
            move_node(s, p, n, open_)
            many = 1 if open_ == s.pool[p, NODE] else 0
        if many > 0:
            s.domain[d, FREE_BITS] |= back
            move_domain(s, p, d, s.domain[d, FREE_NODES] + many)
        drop_piece(s, k)
        k = s.piece[k, NEXT_PIECE]


@step
def lend(s, slot, sign):
    """Count what a stay holds as free (sign 1), or take that back (-1), without touching lists: to ask `room_lent` about the future.

    Returns the most GPUs that are free in a shared node of the stay."""
    p = s.stay[slot, WHERE]
    s.pool[p, FREE] += sign * s.stay[slot, TAKEN]
    k = s.stay[slot, PIECES] if s.pool[p, NODE] > 1 else -1
    while k >= 0:
        d, many = s.piece[k, IN_DOMAIN], s.piece[k, COUNT]
        if s.piece[k, PART] > 0:
            n = s.domain[d, FIRST_NODE] + lowest(s.piece[k, BITS])
            was = s.node[n, OPEN]
            s.node[n, OPEN] = was + sign * s.piece[k, PART]
            many = 1 if max(was, s.node[n, OPEN]) == s.pool[p, NODE] else 0
        if many > 0:
            was = s.domain[d, FREE_NODES]
            free = was + sign * many
            if was > 0:
                count_domains(s, p, was, -1)
            if free > 0:
                count_domains(s, p, free, 1)
            s.domain[d, FREE_NODES] = free
            s.pool[p, WHOLE] += sign * many
            s.pool[p, SEATS] += s.shelf[p, SEATING, free] - s.shelf[p, SEATING, was]
        k = s.piece[k, NEXT_PIECE]
    return opened(s, slot)


@step
def count_at(s, p, counts, marks, at, sign):
    """Count one in (1) or out (-1) at a place of a pool's shelf; of the pool's marks the place has one while anything is there."""
    many = s.shelf[p, counts, at] + sign
    s.shelf[p, counts, at] = many
    if many == (1 if sign > 0 else 0):
        s.pool[p, marks] ^= 1 << at


@step
def count_domains(s, p, free, sign):
    """Count a domain with so many free nodes in (1) or out (-1), without touching lists."""
    count_at(s, p, COUNTS, BUCKETS, free, sign)


@step
def opened(s, slot):
    """GPUs free in the node that a stay shares with others; 0 where it shares none."""
    k = s.stay[slot, PIECES]
    if k < 0 or s.piece[k, PART] == 0:
        return 0
    return s.node[s.domain[s.piece[k, IN_DOMAIN], FIRST_NODE] + lowest(s.piece[k, BITS]), OPEN]


@inner
def find_room(s, p, gpus):
    """`room`, called instead of written out: for the rarer places."""
    return room(s, p, gpus)


@step
def room_lent(s, p, gpus, most):
    """`room`, once stays are lent: a gang that shares a node also fits one where `most` GPUs came free."""
    return room(s, p, gpus) != NO or (gpus < s.pool[p, NODE] and gpus <= most)


@inner
def find_room_lent(s, p, gpus, most):
    """`room_lent`, called instead of written out: for the rarer places."""
    return room_lent(s, p, gpus, most)
