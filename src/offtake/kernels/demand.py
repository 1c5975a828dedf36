"""What the customer wants to compute, how fast each pool does it, and what it is worth.

**Axes**    workloads (W), pools (K), chips, runs (R), sites (T), months (M), factors (F), series (S), lanes (L); path last.
**Units**   work: inference in weighted tokens (input tokens x their weight + output tokens), training in FLOP, batch in hours of
            the reference chip; speed in work per GPU-h; value in USD per unit of work; moving in USD per GPU-h.
**Signs**   all outputs >= 0. A speed of 0: the workload cannot run there.
**Order within the month**   demand of the month, over the efficiency reached; nothing is carried over here (D-03 is placement's).
**Source**  model D-01 to D-04, P-03: MFU halves where the gang is the fabric's `half`, mfu / (1 + gang / half).

Efficiency divides work: with twice the efficiency the same users need half the work, on every chip alike. The value of a
unit of work is that of a reference-chip hour over what that chip does in an hour, without the roofline.
"""

from typing import NamedTuple

import numpy as np

from .compiled import entry, piece

INFERENCE, TRAINING, BATCH = 0, 1, 2
WEEKS = 365.25 / 12.0 / 7.0  # in a month
SECONDS = 3600.0  # in an hour
SHORTEST = 1e-9  # months: a run over less is a run over this


class Workloads(NamedTuple):
    """Demand by workload; a row of X or Y is -1 where the term is absent."""

    kind: np.ndarray  # (W,) int64 INFERENCE, TRAINING or BATCH
    users_y: np.ndarray  # (W,) int64 rows of Y: weekly users
    requests_y: np.ndarray  # (W,) int64 rows of Y: requests per weekly user and week
    input_tokens_y: np.ndarray  # (W,) int64 rows of Y: tokens per request
    output_tokens_y: np.ndarray  # (W,) int64 rows of Y: tokens per request
    tokens_y: np.ndarray  # (W,) int64 rows of Y: weighted tokens per month, beside those of users
    input_weight_x: np.ndarray  # (W,) int64 rows of X: cost of an input token over that of an output token
    headroom_x: np.ndarray  # (W,) int64 rows of X: capacity for the peak over the average
    efficiency_y: np.ndarray  # (W,) int64 rows of Y: multiple, 1 in month 0
    gpu_hours_y: np.ndarray  # (W,) int64 rows of Y: reference-chip hours per month
    derate_x: np.ndarray  # (W,) int64 rows of X: share of the benchmark that service reaches
    mfu_x: np.ndarray  # (W,) int64 rows of X: model FLOP over dense peak
    goodput_x: np.ndarray  # (W,) int64 rows of X: share of the time kept as progress
    gang_x: np.ndarray  # (W,) int64 rows of X: GPUs that start together
    value_x: np.ndarray  # (W,) int64 rows of X: USD per hour of the reference chip
    moving_x: np.ndarray  # (W,) int64 rows of X: USD per GPU-h away from home
    reference: np.ndarray  # (W,) int64 chip
    deferrable: np.ndarray  # (W,) int64 1: what is not served waits (D-03)
    throughput_x: np.ndarray  # (W, chips) int64 rows of X: tokens per second and GPU
    dense_x: np.ndarray  # (W, chips) int64 rows of X: FLOP/s at the workload's precision
    home: np.ndarray  # (W,) int64 contract
    eligible: np.ndarray  # (W, K) int64 1: may run there (P-03)
    run_first: np.ndarray  # (W+1,) int64 first training run of each workload
    run_flop_x: np.ndarray  # (R,) int64 rows of X: FLOP
    run_month: np.ndarray  # (R,) int64
    run_over_x: np.ndarray  # (R,) int64 rows of X: months


class Fabrics(NamedTuple):
    """Scale-out network of each site (P-03)."""

    gpus_x: np.ndarray  # (T,) int64 rows of X: GPUs that one fabric joins
    half_x: np.ndarray  # (T,) int64 rows of X: the gang at which MFU has halved


class Places(NamedTuple):
    """What a pool is part of."""

    site: np.ndarray  # (K,) int64
    chip: np.ndarray  # (K,) int64
    contract: np.ndarray  # (K,) int64


class Demand(NamedTuple):
    """What `demand_block` fills."""

    work: np.ndarray  # (W, M, L) work of the month
    speed: np.ndarray  # (W, K, L) work per GPU-h
    value: np.ndarray  # (W, L) USD per unit of work
    moving: np.ndarray  # (W, K, L) USD per GPU-h


@piece
def tokens_month(users, requests, weight, tokens_in, tokens_out, tokens):
    """Weighted tokens of a month: those of users and those asked for by tokens (D-01)."""
    return users * requests * WEEKS * (weight * tokens_in + tokens_out) + tokens


@piece
def run_by(since, over):
    """Share of a run done `since` months after its start (D-02)."""
    return min(max(since / max(over, SHORTEST), 0.0), 1.0)


@piece
def flop_month(flop, since, over):
    """FLOP of a run in the month that ends `since` months after its start (D-02)."""
    return flop * (run_by(since, over) - run_by(since - 1.0, over))


@piece
def inference_speed(throughput, derate):
    """Weighted tokens per GPU-h (D-01)."""
    return throughput * derate * SECONDS


@piece
def training_speed(dense, mfu, goodput, gang, half):
    """FLOP per GPU-h; MFU falls with the gang over what the fabric carries well (D-02, P-03)."""
    return dense * mfu * goodput * SECONDS / (1.0 + gang / half)


@entry
def row_or(rows, number, absent):
    """Row `number` of X, or `absent` where there is none."""
    return rows[number] if number >= 0 else absent


@entry
def month_or(Y, number, m, absent):
    """Month m of series `number`, or `absent` where there is none."""
    return Y[number, m] if number >= 0 else absent


@entry
def inference_work(workloads, w, X, Y, nothing, work):
    """Work (M, L) of an inference workload (D-01). `nothing` (L,) zeros."""
    weight = row_or(X, workloads.input_weight_x[w], nothing)
    headroom, efficiency = X[workloads.headroom_x[w]], Y[workloads.efficiency_y[w]]
    for m in range(work.shape[0]):
        users, requests = month_or(Y, workloads.users_y[w], m, nothing), month_or(Y, workloads.requests_y[w], m, nothing)
        tokens_in = month_or(Y, workloads.input_tokens_y[w], m, nothing)
        tokens_out = month_or(Y, workloads.output_tokens_y[w], m, nothing)
        tokens = month_or(Y, workloads.tokens_y[w], m, nothing)
        for i in range(work.shape[1]):
            asked = tokens_month(users[i], requests[i], weight[i], tokens_in[i], tokens_out[i], tokens[i])
            work[m, i] = asked * headroom[i] / efficiency[m, i]


@entry
def training_work(workloads, w, X, Y, work):
    """Work (M, L) of a training workload: its runs, evenly over their months (D-02)."""
    efficiency = Y[workloads.efficiency_y[w]]
    work[:] = 0.0
    for r in range(workloads.run_first[w], workloads.run_first[w + 1]):
        flop, over = X[workloads.run_flop_x[r]], X[workloads.run_over_x[r]]
        for m in range(work.shape[0]):
            since = float(m + 1 - workloads.run_month[r])
            for i in range(work.shape[1]):
                work[m, i] += flop_month(flop[i], since, over[i])
    for m in range(work.shape[0]):
        for i in range(work.shape[1]):
            work[m, i] /= efficiency[m, i]


@entry
def batch_work(workloads, w, Y, work):
    """Work (M, L) of a batch workload (D-03)."""
    asked, efficiency = workloads.gpu_hours_y[w], Y[workloads.efficiency_y[w]]
    for m in range(work.shape[0]):
        for i in range(work.shape[1]):
            work[m, i] = Y[asked, m, i] / efficiency[m, i] if asked >= 0 else 0.0


@entry
def chip_speed(workloads, w, chip, half, X, nothing, speed):
    """Work per GPU-h (L,) of workload w on a chip in a fabric that halves MFU at `half` (L,); 0 where it cannot run."""
    kind, reference = workloads.kind[w], workloads.dense_x[w, workloads.reference[w]]
    x = workloads.throughput_x[w, chip] if kind == INFERENCE else workloads.dense_x[w, chip]
    if x < 0 or (kind == BATCH and reference < 0):
        speed[:] = 0.0
    elif kind == INFERENCE:
        derate = X[workloads.derate_x[w]]
        for i in range(speed.shape[0]):
            speed[i] = inference_speed(X[x, i], derate[i])
    elif kind == TRAINING:
        mfu, goodput, gang = X[workloads.mfu_x[w]], X[workloads.goodput_x[w]], row_or(X, workloads.gang_x[w], nothing)
        for i in range(speed.shape[0]):
            speed[i] = training_speed(X[x, i], mfu[i], goodput[i], gang[i], half[i])
    else:
        for i in range(speed.shape[0]):
            speed[i] = X[x, i] / X[reference, i]


@entry
def worth(workloads, w, X, nothing, boundless, value):
    """USD per unit of work (L,), from the reference chip; 0 where that chip cannot do the work (D-04)."""
    hour = X[workloads.value_x[w]]
    if workloads.kind[w] == BATCH:
        value[:] = hour
    else:
        chip_speed(workloads, w, workloads.reference[w], boundless, X, nothing, value)
        for i in range(value.shape[0]):
            value[i] = hour[i] / value[i] if value[i] > 0.0 else 0.0


@entry
def demand_block(workloads, fabrics, places, X, Y, out):
    """Fill `out` from the factors and series of a block.

    workloads, fabrics, places   tables
    X    (F, L)                  factors
    Y    (S, M, L)               series
    out  Demand
    """
    nothing, boundless = np.zeros(X.shape[1]), np.full(X.shape[1], np.inf)
    for w in range(out.work.shape[0]):
        if workloads.kind[w] == INFERENCE:
            inference_work(workloads, w, X, Y, nothing, out.work[w])
        elif workloads.kind[w] == TRAINING:
            training_work(workloads, w, X, Y, out.work[w])
        else:
            batch_work(workloads, w, Y, out.work[w])
        worth(workloads, w, X, nothing, boundless, out.value[w])
        for k in range(out.speed.shape[1]):
            if workloads.eligible[w, k] != 0:
                chip_speed(workloads, w, places.chip[k], X[fabrics.half_x[places.site[k]]], X, nothing, out.speed[w, k])
            else:
                out.speed[w, k] = 0.0
            out.moving[w, k] = nothing if places.contract[k] == workloads.home[w] else row_or(X, workloads.moving_x[w], nothing)
