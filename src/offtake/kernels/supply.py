"""How many GPUs are ready each month, what held the others up, and the hours that follow.

**Axes**    lots (G), steps of power or shell (S), sites (T), pools (K), months (M), factors (F), lanes (L); path last.
**Units**   GPU at month end; MW and kW with their basis; GPU-h per month; months from the start of the book.
**Signs**   all outputs >= 0. planned x hours + early = ready x hours + late, ready x hours = offered + down (S-05).
**Order within the month**   what arrives in a month counts for the whole month; contracts claim GPUs, first served first; steps
            energise; who is served first takes power and shell first, for its newest chips first; ready; late hours by cause.
**Source**  model S-01 to S-05, C-01.

A pool is the chips of one kind that one contract has at one site. Where several contracts share a site, all lots of a chip fall on
the pool of the contract served first; what it does not claim passes on to its heir, the next one's. What the last one does not
claim belongs to nobody here. A site's MW are allotted to its contracts by the kW of what each is promised at the end.

A GPU holds its share of power and shell from delivery, hence while it is being accepted. Shell MW count as power MW do: same
conversions of basis, same reserve, same load that is not GPUs. Both shares are of the IT power, so they add.

Late hours are the schedule's less the ready ones. What only acceptance holds up is acceptance's; the rest has one cause, the
scarcest of delivered chips, power and shell (ties in that order). `binding` is the cause with more of the late hours.
"""

from typing import NamedTuple

import numpy as np

from offtake.kernels.compiled import apart, block, inner, piece

AT_IT, AT_FACILITY, AT_UTILITY = 0, 1, 2  # basis of a step
KW_FACILITY = 3  # basis of a chip's kW; every other one is IT power once multiplied by the overhead
NONE, CHIPS, POWER, SHELL, ACCEPTANCE = 0, 1, 2, 3, 4  # binding; `late` has the same order from chips on
NO_LIMIT = 1e18  # GPUs a site without shell steps could house
SHORTEST = 1e-9  # months: a ramp over less is a ramp over this
ROUNDING = 1e-6  # months: more than sums of some months can be off
EVEN = 1e-12  # kW: a site's MW are split evenly where nobody is promised any


class Lots(NamedTuple):
    """GPUs that arrive evenly over some months (S-01)."""

    pool: np.ndarray  # (G,) int64
    month: np.ndarray  # (G,) int64 first month of the delivery
    gpus_x: np.ndarray  # (G,) int64 rows of X: GPU
    over_x: np.ndarray  # (G,) int64 rows of X: months that the delivery takes
    slip_x: np.ndarray  # (G,) int64 rows of X: months late
    acceptance_x: np.ndarray  # (G,) int64 rows of X: months from delivery to acceptance
    running: np.ndarray  # (G,) int64 1: there from month 0, whatever the rest says


class Sites(NamedTuple):
    """Steps of power and shell, by site, and what turns MW into power for GPUs (S-02, S-03)."""

    step_first: np.ndarray  # (T+1,) int64 first power step of each site
    step_mw_x: np.ndarray  # (S,) int64 rows of X: MW at the basis
    step_month: np.ndarray  # (S,) int64
    step_slip_x: np.ndarray  # (S,) int64 rows of X: months late
    step_basis: np.ndarray  # (S,) int64 AT_IT, AT_FACILITY or AT_UTILITY
    shell_first: np.ndarray  # (T+1,) int64 first shell step of each site; a site without one has no limit
    shell_mw_x: np.ndarray  # (S,) int64
    shell_month: np.ndarray  # (S,) int64
    shell_slip_x: np.ndarray  # (S,) int64
    shell_basis: np.ndarray  # (S,) int64
    peak_pue_x: np.ndarray  # (T,) int64 rows of X
    non_gpu_x: np.ndarray  # (T,) int64 rows of X: share of IT power
    reserve_x: np.ndarray  # (T,) int64 rows of X: share of IT power
    losses_x: np.ndarray  # (T,) int64 rows of X: share lost between grid and facility
    availability_x: np.ndarray  # (T,) int64 rows of X: share of ready hours that can be used


class Pools(NamedTuple):
    """Where each pool stands and what one of its GPUs draws (S-02)."""

    site: np.ndarray  # (K,) int64
    chip: np.ndarray  # (K,) int64
    kw_x: np.ndarray  # (K,) int64 rows of X: kW per GPU
    overhead_x: np.ndarray  # (K,) int64 rows of X: provisioned IT kW over that
    kw_basis: np.ndarray  # (K,) int64 KW_FACILITY: divided by the peak PUE too
    order: np.ndarray  # (K,) int64 pools; within a site first served first, then the newest chips (S-03)
    part: np.ndarray  # (K,) int64 part of the site: the pools of one contract there
    claim_x: np.ndarray  # (K,) int64 rows of X: GPU; -1: all that is left
    heir: np.ndarray  # (K,) int64 pool that gets what is not claimed; -1: nobody
    part_site: np.ndarray  # (B,) int64 site of each part


class Supply(NamedTuple):
    """What `supply_block` fills."""

    planned: np.ndarray  # (K, M, L) GPU, the schedule without slip and acceptance
    delivered: np.ndarray  # (K, M, L) GPU
    accepted: np.ndarray  # (K, M, L) GPU
    powered: np.ndarray  # (K, M, L) GPU that the power left by newer chips would run, before options; no rows but where tests look
    shelled: np.ndarray  # (K, M, L) GPU that the shell left by newer chips would house; the same
    ready: np.ndarray  # (K, M, L) GPU
    offered: np.ndarray  # (K, M, L) GPU-h
    down: np.ndarray  # (K, M, L) GPU-h
    binding: np.ndarray  # (K, M, L) int64: NONE, CHIPS, POWER, SHELL or ACCEPTANCE
    late: np.ndarray  # (4, K, M, L) GPU-h by cause: chips, power, shell, acceptance
    early: np.ndarray  # (K, M, L) GPU-h ready before the schedule
    energised: np.ndarray  # (T, M, L) MW at the facility, by steps that take power
    allotted: np.ndarray  # (B, M, L) the same by part; the same array as `energised` where no site is shared


@piece
def arrived(since, over):
    """Share of an even ramp that is there `since` months after its start (S-01)."""
    return min(max(since / max(over, SHORTEST), 0.0), 1.0)


@piece
def step_month(mw, basis, pue, losses, since, slip):
    """MW at the facility that a step gives in the month; in the month it slips into, for the rest of it (S-02)."""
    facility = mw * pue if basis == AT_IT else (mw * (1.0 - losses) if basis == AT_UTILITY else mw)
    return facility * min(max(since - slip, 0.0), 1.0)


@piece
def for_gpus(facility_mw, pue, reserve, non_gpu):
    """kW of IT power that GPUs may be provisioned with (S-03)."""
    return 1000.0 * facility_mw / pue * max(1.0 - reserve - non_gpu, 0.0)


@piece
def kw_per_gpu(kw, overhead, basis, pue):
    """Provisioned IT kW of one GPU (S-02)."""
    return kw * overhead / pue if basis == KW_FACILITY else kw * overhead


@piece
def ready_month(delivered, accepted, power, shell, kw):
    """Ready GPUs (S-04): powered, shelled, ready, kW held. `power` and `shell` are kW that newer chips left."""
    powered, shelled = power / kw, min(shell / kw, NO_LIMIT)
    return powered, shelled, min(accepted, min(powered, shelled)), min(delivered * kw, min(power, shell))


@piece
def late_month(planned, delivered, powered, shelled, ready, hours):
    """Late hours by cause, early hours and the binding cause (S-05)."""
    late, early = max(planned - ready, 0.0) * hours, max(ready - planned, 0.0) * hours
    there = min(delivered, min(powered, shelled))  # what would be ready but for acceptance
    acceptance = max(min(there, planned) - ready, 0.0) * hours
    rest = late - acceptance
    chips = rest if delivered <= there else 0.0
    power = rest if powered <= there and delivered > there else 0.0
    shell = rest - chips - power
    scarce = CHIPS if delivered <= there else (POWER if powered <= there else SHELL)
    binding = (ACCEPTANCE if acceptance > rest else scarce) if late > 0.0 else NONE
    return chips, power, shell, acceptance, early, binding


@apart
def add_lot(first, since, none, all_there, gpus, over, slip, wait, into):
    """Add to `into` (L,) what of a lot is there `since` months after its start, on paths that are `slip` + `wait` months late (S-01);
    `first`: nothing stands there yet. `none` and `all_there` say so of every path: then nothing is divided."""
    if all_there:
        for i in range(into.shape[0]):
            into[i] = (0.0 if first else into[i]) + gpus[i]
    elif not none:
        for i in range(into.shape[0]):
            into[i] = (0.0 if first else into[i]) + gpus[i] * arrived(since - slip[i] - wait[i], over[i])
    elif first:
        for i in range(into.shape[0]):
            into[i] = 0.0


@inner
def lot_months(first, start, running, gpus, over, slip, wait, out):
    """Add a lot to a pool's months `out` (M, L): even from month `start` + slip + wait on, over some months; all (L,)."""
    early, late = np.inf, -np.inf  # months after `start` before which nothing is there on any path, and from which on all is
    for i in range(over.shape[0]):
        early, late = min(early, slip[i] + wait[i]), max(late, slip[i] + wait[i] + max(over[i], SHORTEST))
    for m in range(out.shape[0]):
        since = float(m + 1 - start)
        add_lot(first, since, since < early - ROUNDING, running or since > late + ROUNDING, gpus, over, slip, wait, out[m])


@inner
def schedule(lots, X, nothing, out):
    """Fill `planned`, `delivered` and `accepted` (K, M, L), pool by pool; nothing (L,) is zero."""
    for k in range(out.planned.shape[0]):
        first = True
        for g in range(lots.pool.shape[0]):
            if lots.pool[g] == k:
                start, running, gpus, over = lots.month[g], lots.running[g] != 0, X[lots.gpus_x[g]], X[lots.over_x[g]]
                slip, acceptance = X[lots.slip_x[g]], X[lots.acceptance_x[g]]
                lot_months(first, start, running, gpus, over, nothing, nothing, out.planned[k])
                lot_months(first, start, running, gpus, over, slip, nothing, out.delivered[k])
                lot_months(first, start, running, gpus, over, slip, acceptance, out.accepted[k])
                first = False
        if first:
            out.planned[k], out.delivered[k], out.accepted[k] = 0.0, 0.0, 0.0


@inner
def pass_on(claim, mine, theirs):
    """Keep the claim (L,) of what is there (N, L) and add the rest to the heir's."""
    for n in range(mine.shape[0]):
        for i in range(claim.shape[0]):
            kept = min(mine[n, i], claim[i])
            theirs[n, i] += mine[n, i] - kept
            mine[n, i] = kept


@inner
def claim_pools(pools, X, spare, values):
    """Pass what is not claimed from pool to pool; values (K, N, L), `spare` (N, L) takes what nobody claims."""
    for k in pools.order:
        if pools.claim_x[k] >= 0:
            pass_on(X[pools.claim_x[k]], values[k], values[pools.heir[k]] if pools.heir[k] >= 0 else spare)


@block
def sunk_block(lots, pools, X, out):
    """Fill `out` (K, 1, L) with GPUs that ran before month 0."""
    spare = np.zeros(out.shape[1:])
    out[:] = 0.0
    for g in range(lots.pool.shape[0]):
        if lots.running[g] != 0:
            out[lots.pool[g], 0] += X[lots.gpus_x[g]]
    claim_pools(pools, X, spare, out)


@apart
def allot(sites, pools, X, whole, mine, out):
    """Split each site's MW by the kW promised to each contract at the end (B, M, L); whole (T, L), mine (B, L)."""
    mine[:] = EVEN
    whole[:] = 0.0
    last = out.planned.shape[1] - 1
    for k in range(pools.site.shape[0]):
        t, b, basis = pools.site[k], pools.part[k], pools.kw_basis[k]
        rated, overhead, pue, planned = X[pools.kw_x[k]], X[pools.overhead_x[k]], X[sites.peak_pue_x[t]], out.planned[k, last]
        for i in range(planned.shape[0]):
            mine[b, i] += planned[i] * kw_per_gpu(rated[i], overhead[i], basis, pue[i])
    for b in range(pools.part_site.shape[0]):
        for i in range(mine.shape[1]):
            whole[pools.part_site[b], i] += mine[b, i]
    for b in range(pools.part_site.shape[0]):
        t = pools.part_site[b]
        for m in range(last + 1):
            energised, allotted = out.energised[t, m], out.allotted[b, m]
            for i in range(allotted.shape[0]):
                allotted[i] = energised[i] * (mine[b, i] / whole[t, i])


@apart
def add_steps(mw_x, month, slip_x, basis, pue, losses, X, m, into):
    """Add the MW at the facility of some steps to `into` (L,)."""
    for s in range(mw_x.shape[0]):
        mw, slip, at, since = X[mw_x[s]], X[slip_x[s]], basis[s], float(m + 1 - month[s])
        for i in range(into.shape[0]):
            into[i] += step_month(mw[i], at, pue[i], losses[i], since, slip[i])


@apart
def site_month(sites, t, X, m, energised, power, shell):
    """MW energised, and kW for GPUs by power and by shell, all (L,), of site t in month m (S-02, S-03)."""
    pue, losses, reserve, non_gpu = X[sites.peak_pue_x[t]], X[sites.losses_x[t]], X[sites.reserve_x[t]], X[sites.non_gpu_x[t]]
    a, b = sites.step_first[t], sites.step_first[t + 1]
    c, d = sites.shell_first[t], sites.shell_first[t + 1]
    energised[:] = 0.0
    shell[:] = 0.0
    add_steps(
        sites.step_mw_x[a:b], sites.step_month[a:b], sites.step_slip_x[a:b], sites.step_basis[a:b], pue, losses, X, m, energised
    )
    add_steps(
        sites.shell_mw_x[c:d], sites.shell_month[c:d], sites.shell_slip_x[c:d], sites.shell_basis[c:d], pue, losses, X, m, shell
    )
    for i in range(power.shape[0]):
        power[i] = for_gpus(energised[i], pue[i], reserve[i], non_gpu[i])
        shell[i] = for_gpus(shell[i], pue[i], reserve[i], non_gpu[i]) if d > c else np.inf


@apart
def ready_pool(sites, pools, k, m, hours, X, power, shell, powered, shelled, out):
    """Ready hours of pool k in month m, and the GPUs (L,) that its power and shell would run; takes its kW out of `power` and `shell`
    (L,) of its site."""
    t, basis = pools.site[k], pools.kw_basis[k]
    rated, overhead = X[pools.kw_x[k]], X[pools.overhead_x[k]]
    pue, availability = X[sites.peak_pue_x[t]], X[sites.availability_x[t]]
    delivered, accepted = out.delivered[k, m], out.accepted[k, m]
    ready, offered, down = out.ready[k, m], out.offered[k, m], out.down[k, m]
    for i in range(ready.shape[0]):
        kw = kw_per_gpu(rated[i], overhead[i], basis, pue[i])
        powered[i], shelled[i], ready[i], held = ready_month(delivered[i], accepted[i], power[i], shell[i], kw)
        power[i] -= held
        shell[i] -= held
        offered[i] = ready[i] * hours * availability[i]
        down[i] = ready[i] * hours - offered[i]


@apart
def late_pool(k, m, hours, powered, shelled, out):
    """Late hours of pool k in month m by cause, and early ones; powered, shelled (L,) GPU."""
    planned, delivered, ready = out.planned[k, m], out.delivered[k, m], out.ready[k, m]
    early, binding = out.early[k, m], out.binding[k, m]
    by_chips, by_power, by_shell, by_acceptance = out.late[0, k, m], out.late[1, k, m], out.late[2, k, m], out.late[3, k, m]
    for i in range(ready.shape[0]):
        by_chips[i], by_power[i], by_shell[i], by_acceptance[i], early[i], binding[i] = late_month(
            planned[i], delivered[i], powered[i], shelled[i], ready[i], hours
        )


@block
def supply_block(lots, sites, pools, X, hours, out):
    """Fill `out` from lots, steps and the factors of a block.

    lots, sites, pools   tables
    X      (F, L)        factors
    hours  (M,)          calendar hours of each month
    out    Supply
    """
    (count, months, lanes), parts, kept = out.energised.shape, out.allotted.shape[0], out.powered.shape[0] > 0
    spare, nothing = np.zeros(out.planned.shape[1:]), np.zeros(lanes)
    schedule(lots, X, nothing, out)
    for values in (out.planned, out.delivered, out.accepted):
        claim_pools(pools, X, spare, values)
    power, shell, limits = np.empty((months, lanes)), np.empty((months, lanes)), np.empty((2, months, lanes))
    for t in range(count):
        for m in range(months):
            site_month(sites, t, X, m, out.energised[t, m], power[m], shell[m])
        for k in pools.order:
            if pools.site[k] == t:
                powered, shelled = (out.powered[k], out.shelled[k]) if kept else (limits[0], limits[1])
                for m in range(months):
                    ready_pool(sites, pools, k, m, hours[m], X, power[m], shell[m], powered[m], shelled[m], out)
                for m in range(months):
                    late_pool(k, m, hours[m], powered[m], shelled[m], out)
    if parts != count:
        whole, mine = np.empty((count, lanes)), np.empty((parts, lanes))
        allot(sites, pools, X, whole, mine, out)
