"""The response surface of many replays: from load, mix, failures, growth and clouds to what of the hours is useful.

**Axes**    pools (K), months (M), lanes (L), terms (T), axes of the surface (5): load, mix, failures, growth, clouds; variants (V).
**Units**   GPU, GPU-h; shares 0 to 1; failures as a multiple of the surface's own rate; clouds counted.
**Signs**   all outputs >= 0. used = useful + overhead + unfilled; ready x hours = offered + down (S-05).
**Order within the month**   availability before anything is placed; what is useful after placement, at the load that placement gave.
**Source**  model R-03, S-05. Hours that a fluid would fill and gangs do not are `unfilled`: used - occupancy x capacity.
"""

from typing import NamedTuple

import numpy as np

from .compiled import apart, block, entry, inner, piece, step
from .draw import log_

AXES = 5
LOAD, MIX, FAILURES, GROWTH, CLOUDS = range(AXES)
LINEAR, ROOT, LOG = range(3)  # how an axis is scaled to 0 .. 1
AVAILABILITY, OCCUPANCY, GOODPUT = range(3)
TINY = 1e-300  # keeps 0 / 0 at 0


class Surface(NamedTuple):
    """Polynomials in the scaled axes, and what the book says for all pools.

    scale          (5,) int64    LINEAR, ROOT, LOG
    low, high      (5,)          natural units; a point outside is moved to the edge
    first          (4,) int64    terms of output o are first[o] .. first[o + 1] - 1
    power          (T, 5) int64  exponents
    weight         (T,)          coefficients, share
    top            (5,) int64    highest exponent of each axis in any term
    mix_x, failures_x  int64     rows of X; -1 without a surface
    goodput_x      (W,) int64    rows of X: a workload's own goodput, which stands in for the surface's; -1 where it states none
    site           (S,) int64    1 where a site takes its availability from the surface
    variant        (V, 2)        mix and number of clouds that stand in for the book's own; -1 keeps it
    """

    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray
    power: np.ndarray
    weight: np.ndarray
    top: np.ndarray
    mix_x: int
    failures_x: int
    goodput_x: np.ndarray
    site: np.ndarray
    variant: np.ndarray


class Filled(NamedTuple):
    """What becomes of used hours, GPU-h."""

    useful: np.ndarray  # (K, M, L)
    overhead: np.ndarray  # (K, M, L) checkpoints, restarts, lost work
    unfilled: np.ndarray  # (K, M, L) held for gangs that do not fit or still assemble
    other: np.ndarray  # (V, K, M, L) overhead + unfilled of each variant


@step
def scaled(value, low, high, how):
    """A point of an axis as 0 .. 1, moved to the edge where it lies outside."""
    v = min(max(value, low), high)
    if how == ROOT:
        return np.sqrt(v / high)
    if how == LOG:
        return log_(v / low) / log_(high / low)
    return (v - low) / (high - low)


@inner
def place_on(s, axis, value):
    """A value of an axis as 0 .. 1."""
    return scaled(value, s.low[axis], s.high[axis], s.scale[axis])


@apart
def place_all(s, axis, row):
    """`place_on` of a row (L,), in place; how the axis is scaled is asked once."""
    low, high = s.low[axis], s.high[axis]
    if s.scale[axis] == ROOT:
        for i in range(row.shape[0]):
            row[i] = scaled(row[i], low, high, ROOT)
    elif s.scale[axis] == LOG:
        for i in range(row.shape[0]):
            row[i] = scaled(row[i], low, high, LOG)
    else:
        for i in range(row.shape[0]):
            row[i] = scaled(row[i], low, high, LINEAR)


@apart
def raise_all(powers):
    """Powers 0 to N - 1 of scaled points: row 1 of `powers` (N, L) is given, the others are filled."""
    first = powers[1]
    for i in range(first.shape[0]):
        powers[0, i] = 1.0
    for e in range(2, powers.shape[0]):
        before, now = powers[e - 1], powers[e]
        for i in range(first.shape[0]):
            now[i] = before[i] * first[i]


@apart
def weigh(s, failures, weight):
    """Coefficients at the failures of each path, which stay the same over pools and months: `weight` (T, L), filled; powers (N, L)."""
    for t in range(weight.shape[0]):
        here, power, coefficient = weight[t], failures[s.power[t, FAILURES]], s.weight[t]
        for i in range(here.shape[0]):
            here[i] = coefficient * power[i]


@apart
def multiply(load, growth, both):
    """Products of every power of load with every power of growth, (N x R, L), filled."""
    for p in range(load.shape[0]):
        for r in range(growth.shape[0]):
            row, left, right = both[p * growth.shape[0] + r], load[p], growth[r]
            for i in range(row.shape[0]):
                row[i] = left[i] * right[i]


@apart
def gather(s, output, weight, both, group):
    """Sum an output's terms over load and growth: a polynomial in mix and clouds is left, `group` (B, E, L)."""
    for b in range(group.shape[0]):
        for e in range(group.shape[1]):
            total = group[b, e]
            for i in range(total.shape[0]):
                total[i] = 0.0
    power, growths = s.power, s.top[GROWTH] + 2
    for t in range(s.first[output], s.first[output + 1]):
        here, product = weight[t], both[power[t, LOAD] * growths + power[t, GROWTH]]
        total = group[power[t, MIX], power[t, CLOUDS]]
        for i in range(total.shape[0]):
            total[i] += here[i] * product[i]


@apart
def at_clouds(group, clouds, rest):
    """`group` (B, E, L) at scaled numbers of clouds (L,): a polynomial in mix is left, `rest` (B, L)."""
    for b in range(group.shape[0]):
        row = rest[b]
        for i in range(row.shape[0]):
            row[i] = 0.0
        for e in range(group.shape[1] - 1, -1, -1):
            term = group[b, e]
            for i in range(row.shape[0]):
                row[i] = row[i] * clouds[i] + term[i]


@apart
def at_mix(rest, mix, out):
    """Shares `out` (L,) at scaled mixes (L,), kept within 0 and 1."""
    for i in range(out.shape[0]):
        out[i] = 0.0
    for b in range(rest.shape[0] - 1, -1, -1):
        row = rest[b]
        for i in range(out.shape[0]):
            out[i] = out[i] * mix[i] + row[i]
    for i in range(out.shape[0]):
        out[i] = min(max(out[i], 0.0), 1.0)


@piece
def fill_month(used, capacity, occupancy, goodput):
    """Used hours as useful, overhead and unfilled: gangs fill at most `occupancy` of the capacity, progress is `goodput` of that."""
    unfilled = max(used - capacity * occupancy, 0.0)
    useful = (used - unfilled) * goodput
    return useful, used - unfilled - useful, unfilled


@piece
def growth_month(ready, before):
    """Growth of a pool in a month, share of what stood before; 0 where nothing did."""
    return max(ready / before - 1.0, 0.0) if before > 0.0 else 0.0


@block
def offer_block(s, pool_site, ready, hours, X, offered, down):
    """Offered and down hours (K, M, L) of sites that take their availability from the surface, in place; ready (K, M, L) GPU.

    Availability is read at full load, without growth, of one cloud: failures strike machines, not queues.
    """
    lanes = ready.shape[2]
    load, growth = np.zeros((s.top[LOAD] + 2, lanes)), np.zeros((s.top[GROWTH] + 2, lanes))
    failures = np.zeros((s.top[FAILURES] + 2, lanes))
    weight, both = np.zeros((s.weight.shape[0], lanes)), np.zeros((load.shape[0] * growth.shape[0], lanes))
    group, at, row = np.zeros((s.top[MIX] + 1, s.top[CLOUDS] + 1, lanes)), np.zeros((2, lanes)), np.zeros(lanes)
    rest = np.zeros((s.top[MIX] + 1, lanes))
    for i in range(lanes):
        load[1, i], growth[1, i] = place_on(s, LOAD, 1.0), place_on(s, GROWTH, 0.0)
        failures[1, i] = place_on(s, FAILURES, X[s.failures_x, i])
        at[0, i], at[1, i] = place_on(s, MIX, X[s.mix_x, i]), place_on(s, CLOUDS, 1.0)
    raise_all(load)
    raise_all(growth)
    raise_all(failures)
    weigh(s, failures, weight)
    multiply(load, growth, both)
    gather(s, AVAILABILITY, weight, both, group)
    at_clouds(group, at[1], rest)
    at_mix(rest, at[0], row)
    for k in range(ready.shape[0]):
        if s.site[pool_site[k]] == 0:
            continue
        for m in range(ready.shape[1]):
            for i in range(lanes):
                offered[k, m, i] = ready[k, m, i] * hours[m] * row[i]
                down[k, m, i] = ready[k, m, i] * hours[m] - offered[k, m, i]


@block
def clouds_block(pool_contract, capacity, count):
    """How many contracts offer hours in each month: `count` (M, L) int64, filled."""
    contracts = 0
    for k in range(capacity.shape[0]):
        contracts = max(contracts, pool_contract[k] + 1)
    seen = np.zeros(contracts, np.int64)
    for m in range(capacity.shape[1]):
        for i in range(capacity.shape[2]):
            seen[:] = 0
            count[m, i] = 0
            for k in range(capacity.shape[0]):
                c = pool_contract[k]
                if capacity[k, m, i] > 0.0 and seen[c] == 0:
                    seen[c] = 1
                    count[m, i] += 1


@block
def own_block(goodput_x, use, X, own, kept):
    """Hours (K, M, L) of workloads that state their goodput, and what these keep of them; use (W, K, M, L) GPU-h. Both are filled."""
    own[:] = 0.0
    kept[:] = 0.0
    for w in range(use.shape[0]):
        if goodput_x[w] >= 0:
            share = X[goodput_x[w]]
            for k in range(use.shape[1]):
                for m in range(use.shape[2]):
                    for i in range(use.shape[3]):
                        own[k, m, i] += use[w, k, m, i]
                        kept[k, m, i] += use[w, k, m, i] * share[i]


@piece
def goodput_month(used, own, kept, goodput):
    """Goodput of a pool: that of workloads that state theirs, and the surface's for the other hours."""
    return min((kept + max(used - own, 0.0) * goodput) / used, 1.0)


@apart
def write_own(k, m, used, capacity, own, kept, shares, out):
    """The book's own split of the month; shares (2, L) occupancy and goodput."""
    took, there, mine, mine_kept, occupancy, progress = used[k, m], capacity[k, m], own[k, m], kept[k, m], shares[0], shares[1]
    useful, overhead, unfilled = out.useful[k, m], out.overhead[k, m], out.unfilled[k, m]
    for i in range(took.shape[0]):
        goodput = goodput_month(max(took[i], TINY), mine[i], mine_kept[i], progress[i])
        useful[i], overhead[i], unfilled[i] = fill_month(took[i], there[i], occupancy[i], goodput)


@apart
def write_other(v, k, m, used, capacity, own, kept, shares, out):
    """What variant `v` would lose in the month; shares (2, L) occupancy and goodput."""
    took, there, mine, mine_kept, occupancy, progress = used[k, m], capacity[k, m], own[k, m], kept[k, m], shares[0], shares[1]
    lost = out.other[v, k, m]
    for i in range(took.shape[0]):
        goodput = goodput_month(max(took[i], TINY), mine[i], mine_kept[i], progress[i])
        _, overhead, unfilled = fill_month(took[i], there[i], occupancy[i], goodput)
        lost[i] = overhead + unfilled


@entry
def variants_of(s, clouds, X, mix, many):
    """Scaled mix (V + 1, L) and clouds (V + 1, M, L) by variant, the book's own first; clouds (M, L) are counted. Both are filled."""
    most = 0
    for m in range(clouds.shape[0]):
        for i in range(clouds.shape[1]):
            most = max(most, clouds[m, i])
    scaled_count = np.zeros(most + 1)  # few counts, many months: a logarithm each is dear
    for n in range(scaled_count.shape[0]):
        scaled_count[n] = place_on(s, CLOUDS, float(n))
    for v in range(mix.shape[0]):
        jobs, count = (s.variant[v - 1, 0], s.variant[v - 1, 1]) if v > 0 else (-1.0, -1.0)
        fixed = place_on(s, CLOUDS, count)
        for i in range(mix.shape[1]):
            mix[v, i] = place_on(s, MIX, jobs if jobs >= 0.0 else X[s.mix_x, i])
        for m in range(clouds.shape[0]):
            for i in range(mix.shape[1]):
                many[v, m, i] = fixed if count >= 0.0 else scaled_count[clouds[m, i]]


@block
def fill_block(s, used, capacity, ready, clouds, own, kept, X, out):
    """Fill `out`. used, capacity, own, kept (K, M, L) GPU-h, ready (K, M, L) GPU, clouds (M, L) int64."""
    months, lanes, kinds = used.shape[1], used.shape[2], s.variant.shape[0] + 1
    load, growth = np.zeros((s.top[LOAD] + 2, lanes)), np.zeros((s.top[GROWTH] + 2, lanes))
    failures, weight = np.zeros((s.top[FAILURES] + 2, lanes)), np.zeros((s.weight.shape[0], lanes))
    both = np.zeros((load.shape[0] * growth.shape[0], lanes))
    occupied, progress = np.zeros((s.top[MIX] + 1, s.top[CLOUDS] + 1, lanes)), np.zeros((s.top[MIX] + 1, s.top[CLOUDS] + 1, lanes))
    mix, many, shares = np.zeros((kinds, lanes)), np.zeros((kinds, months, lanes)), np.zeros((2, lanes))
    rest = np.zeros((2, s.top[MIX] + 1, lanes))
    variants_of(s, clouds, X, mix, many)
    for i in range(lanes):
        failures[1, i] = place_on(s, FAILURES, X[s.failures_x, i])
    raise_all(failures)
    weigh(s, failures, weight)
    for k in range(used.shape[0]):
        for m in range(months):
            for i in range(lanes):
                load[1, i] = used[k, m, i] / max(capacity[k, m, i], TINY)
                growth[1, i] = growth_month(ready[k, m, i], ready[k, max(m - 1, 0), i]) if m > 0 else 0.0
            place_all(s, LOAD, load[1])
            place_all(s, GROWTH, growth[1])
            raise_all(load)
            raise_all(growth)
            multiply(load, growth, both)
            gather(s, OCCUPANCY, weight, both, occupied)
            gather(s, GOODPUT, weight, both, progress)
            for v in range(kinds):
                if v == 0 or s.variant[v - 1, 1] != (s.variant[v - 2, 1] if v > 1 else -1.0):  # not the clouds of the one before
                    at_clouds(occupied, many[v, m], rest[0])
                    at_clouds(progress, many[v, m], rest[1])
                at_mix(rest[0], mix[v], shares[0])
                at_mix(rest[1], mix[v], shares[1])
                if v == 0:
                    write_own(k, m, used, capacity, own, kept, shares, out)
                else:
                    write_other(v - 1, k, m, used, capacity, own, kept, shares, out)
