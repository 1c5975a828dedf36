"""The tables of a replay: one row a pool, domain, node, stay or piece, one named column a field; integers only.

**Axes**    pools (P), domains (Q), nodes (N), slots (R, one a running job), pieces (K, what a job holds in one domain), jobs (J).
**Units**   time in milliseconds since the trace began; GPU time in GPU-milliseconds; everything is an integer, so that sums are exact.
**Signs**   every count is >= 0; -1 stands for `none` in a link or for a time that never came.
**Order**   events by (time, kind, sequence): ends, repairs, steps of a pool's size, failures, arrivals; then one pass of starts.
**Source**  model R-01, R-02, S-05.
"""

from typing import NamedTuple

import numpy as np

NEVER = 1 << 62
UNASKED = NEVER + 1  # of SHADOW: a promise that nothing has hung on yet
SLOT_BITS = 21  # of a heap key: sequence above, slot below
MOST_NODES = 62  # of a domain, and GPUs of a node: free ones are bits of one positive int64
MILLION = 1_000_000

# pool: what it is, what is free, how its queue stands
(GPUS, FREE, WHOLE, SEATS, HELD, DOWN, SPARE, NODE, DOMAIN_NODES, SEGMENT, SLOW, FIRST_DOMAIN, DOMAINS, NODES, QUOTA, SINCE, CAUSE,
 WAITING, QUEUED, BUCKETS, PARTS, SHADOW, SHADOW_JOB, EXTRA, CHANGED, FRESH, FRESH_COUNT, NEXT_FAILURE, FAILED, SPARE_SEATS,
 SIZES, NEXT_SERVICE, SERVED, LIT, DARK, YOUNGEST, ELDEST, SLACK, BELOW, PRICE, SERVICE,
 SERVICE_LENGTH, NARROWED, POOL_FIELDS) = range(44)  # fmt: skip

# domain: nodes as bits
POOL, FREE_BITS, FREE_NODES, AFTER, BEFORE, SPARE_BITS, DOWN_BITS, FIRST_PIECE, FIRST_NODE, DARK_BITS, DOMAIN_FIELDS = range(11)

# node: only those that several jobs may share; OPEN is what is free of a shared node, -1 where it is whole
OPEN, NODE_AFTER, NODE_BEFORE, NODE_FIELDS = range(4)

# stay: a job from one start to its end or interruption
(JOB, KEY, START, END, WORK, RESTART, TAU, STRETCH, ASKED, TAKEN, WHERE, RANK, PIECES, NEWER, OLDER, SLOT_STACK, KIND, FULL, LEAST,
 YOUNGER, ELDER, STAY_FIELDS) = range(22)  # fmt: skip
RIGID, ELASTIC, SERVING = range(3)  # values of KIND

# piece: nodes as bits, or PART GPUs of one shared node
OF_STAY, IN_DOMAIN, BITS, COUNT, PART, NEXT_PIECE, NEXT_HERE, LAST_HERE, PIECE_STACK, PIECE_FIELDS = range(10)

# repair
UNIT_POOL, UNIT_DOMAIN, UNIT_BITS, UNIT_GPUS, UNIT_SINCE, UNIT_CAUSE, UNIT_STACK, UNIT_FIELDS = range(8)

# bins of ready GPU time (S-05)
(USEFUL, CHECKPOINT, RESTARTING, LOST, SLOWED, FAILURE, REPAIR, MAINTENANCE, POWER, SPARED, FRAGMENTATION, ASSEMBLING, RESERVED,
 NOT_ALLOWED, NOT_WORTH, PUT_OFF, NO_DEMAND, READY, BIN_FIELDS) = range(19)
BINS = READY  # those that add up to READY  # fmt: skip

# shelf: by a number of free nodes or GPUs; queue: by class; link and job: by job
BUCKET, COUNTS, SHARED, SEATING, BESIDE, ASKING, SHELVES = range(7)
FIRST, LAST, HELD_BY, NEWEST, HOPELESS, QUEUE_FIELDS = range(6)
AHEAD, BEHIND = range(2)
BEGUN, ENDED, LEFT, JOB_FIELDS = range(4)
AT_LEAST, LATEST, SERVES, TERM_FIELDS = range(4)
TIMES, KEYS, SEEK_TIMES, SEEK_KEYS, SCRATCH, HEAP_ROWS = range(6)
PUT_OFF_AT, PUT_OFF_JOB, OVER_AT, OVER_JOB, TURN_ROWS = range(5)

# tally: counters of the whole replay, then the rule: the policy and its costs
(HEAP, UNITS, SEQUENCE, SLOTS_LEFT, PIECES_LEFT, LOGGED, NEXT_JOB, NEXT_STEP, RUNNING, UNITS_LEFT, STOPPED, STARTS, PREEMPTED,
 INTERRUPTED, MOVED, DONE, SPREAD, WAITING_ALL, ASIDE, LEAVING, RESCALED, LOW, VALUE, ORDER, DEPTH, PREEMPT, SAVE, AGAIN, MOVE, UNTIL,
 NOTICE, SEED, PATH, TALLIES) = range(34)  # fmt: skip
ARRIVAL, SHORTEST, CLASS, ATTAINED = range(4)  # values of ORDER

# kinds of a log row: time, kind, job, pool, GPUs, domain
SUBMIT, BEGIN, HOLD, FINISH, SET_BACK, GIVE_WAY, BREAK, MEND, RESIZE, TRANSFER, DEMOTE, CUT, DIM, WAIT_ASIDE, RESCALE, EXPIRE = range(16)


class Jobs(NamedTuple):
    """What is to run, sorted by (submit, number).

    submit    (J,) int64  ms
    duration  (J,) int64  ms of work
    gpus      (J,) int32  the gang
    rank      (J,) int16  class, 0 first; or (1,) for all
    allow     (J,) int64  bit p where pool p may run it; or (1,) for all
    terms     (J, TERM_FIELDS) int64; or (0, TERM_FIELDS) where all are rigid gangs that start when they can. AT_LEAST: the fewest GPUs it
              runs on. LATEST: ms until which it may be put off, -1 for a job that may not. SERVES: 1 for inference, which is over at
              submit + duration whenever it began
    """

    submit: np.ndarray
    duration: np.ndarray
    gpus: np.ndarray
    rank: np.ndarray
    allow: np.ndarray
    terms: np.ndarray = np.zeros((0, 3), np.int64)


class State(NamedTuple):
    """Machines, queues and results; all int64 unless told. A stack holds the numbers of free rows in a column of its own.

    pool    (P, POOL_FIELDS)
    shelf   (P, SHELVES, 64)      BUCKET, COUNTS: first domain with f free nodes, how many there are; SHARED: first shared node with f
                                  GPUs free; SEATING: segments that f free nodes hold; BESIDE: bit n where n of them hold f beside those;
                                  ASKING: waiting jobs that need f GPUs, of MOST_NODES what needs more too (SIZES: bits where any are)
    domain  (Q, DOMAIN_FIELDS)    node (N, NODE_FIELDS)
    stay    (R, STAY_FIELDS)      piece (K, PIECE_FIELDS)
    heap    (5, H)                TIMES, KEYS: of each stay's next event, those of stays that are over are skipped; the rest is for work
    unit    (U, UNIT_FIELDS)      what is down; mended (2, U) heap of when it works again
    steps   (G, 4)                time, pool, GPUs ready from then on, GPUs of those with power
    queue   (P, C, QUEUE_FIELDS)  FIRST, LAST waiting job of a class; HELD_BY GPUs of its stays, NEWEST of them; HOPELESS: no gang of so
                                  many GPUs finds room for it, even if all lower classes give way
    link    (J, 2) int32          who waits before and behind
    sort    (2, P, J or 1)        heap of waiting jobs of the shortest-first policy, WAITING entries a pool
    job     (J, JOB_FIELDS)       first start, end, work left
    level   (J,) int16            class now
    stops   (J,) int32            interruptions and preemptions
    bins    (P, BIN_FIELDS)       GPU-ms
    tally   (TALLIES,)            counters and rule
    log     (L, 6)                rows above its end are counted in LOGGED only
    chance  (20,) float64         failures: rate, interval, and by cause share (cumulative), log of the middle repair, its spread
    turn    (4, D)                heaps of (latest start, job) of jobs put off, and of (end, job) of inference that has come
    ladder  (C - 1,)              GPU-ms of service after which a job falls to the next class (ATTAINED)
    """

    pool: np.ndarray
    shelf: np.ndarray
    domain: np.ndarray
    node: np.ndarray
    stay: np.ndarray
    piece: np.ndarray
    heap: np.ndarray
    unit: np.ndarray
    mended: np.ndarray
    steps: np.ndarray
    queue: np.ndarray
    link: np.ndarray
    sort: np.ndarray
    job: np.ndarray
    level: np.ndarray
    stops: np.ndarray
    bins: np.ndarray
    tally: np.ndarray
    log: np.ndarray
    chance: np.ndarray
    turn: np.ndarray
    ladder: np.ndarray
