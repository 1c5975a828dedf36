"""Options of a contract: when a rule on the path without them fires, and what follows (C-06).

Axes    options (O), contracts (C), pools (K), parts of sites (B), months (M), lanes (L); path last.
Units   shares and multiples; months; `when` counts months from the book's start, the horizon where never.
Signs   scale, price and kept > 0 or 0 at least; change > 0 adds to the value that is left.
Order within the month   the state at month end decides; what follows begins in the next month, after the lag.
Source  model C-06, U-03. Every option is judged on the path on which none is exercised, as renegotiation is (V-04).
"""

from typing import NamedTuple

import numpy as np

from .compiled import entry, piece, step

EXPAND, EXTEND, TERMINATE, REPRICE, SWAP = 0, 1, 2, 3, 4
ALWAYS, OCCUPANCY, MARKET, COVERAGE = 0, 1, 2, 3


class Options(NamedTuple):
    """One row an option, `_x` rows of X (-1 absent); then the pools that a swap moves."""

    contract: np.ndarray
    kind: np.ndarray
    state: np.ndarray
    above: np.ndarray  # 1: fires above the level, 0: below
    level_x: np.ndarray
    run_x: np.ndarray  # months in a row
    first: np.ndarray  # months from the book's start
    last: np.ndarray
    probability_x: np.ndarray
    luck_x: np.ndarray  # a uniform draw: below `probability` the option is exercised
    declines_x: np.ndarray  # share of cases in which who may match first declines
    declines_luck_x: np.ndarray
    size_x: np.ndarray  # share added or terminated, months, price or GPUs as a multiple of the old
    penalty_x: np.ndarray  # share of the value terminated
    lag_x: np.ndarray
    swap_option: np.ndarray
    swap_from: np.ndarray
    swap_to: np.ndarray


class Changes(NamedTuple):
    """What options do to contracts, all (C, M, L); without any: 1, 1, 1, 0, 0, 0."""

    scale: np.ndarray  # GPUs of its pools as a multiple of the book's
    price: np.ndarray  # price as a multiple
    kept: np.ndarray  # share not terminated
    fee: np.ndarray  # penalty as a share of the value left
    change: np.ndarray  # relative change of the value left
    longer: np.ndarray  # months added to the term, in the month of exercise


@piece
def holds_month(value, level, above):
    """Whether the state stands on the option's side of its level."""
    return value > level if above == 1 else value < level


@entry
def state_block(state, c, customer, pool_contract, market_k, planned, used, capacity, price, coverage, Y, out):
    """Fill `out` (M, L) with the state that a rule reads, of contract c.

    market_k  (K,) rows of Y: market price of each pool's chip;  planned, used, capacity (K, M, L);  price (C, M, L)
    """
    months, lanes = out.shape
    below = np.zeros((months, lanes))
    out[:] = 0.0
    for k in range(pool_contract.shape[0]):
        if pool_contract[k] == c:
            for m in range(months):
                for i in range(lanes):
                    out[m, i] += used[k, m, i] if state == OCCUPANCY else planned[k, m, i] * Y[market_k[k], m, i]
                    below[m, i] += capacity[k, m, i] if state == OCCUPANCY else planned[k, m, i] * price[c, m, i]
    for m in range(months):
        for i in range(lanes):
            out[m, i] = coverage[customer, m, i] if state == COVERAGE else out[m, i] / below[m, i]


@piece
def drawn(o, i, chance_x, luck_x, X):
    """Whether a stated probability comes true on the path; without one it does."""
    return chance_x[o] < 0 or X[luck_x[o], i] < X[chance_x[o], i]


@entry
def exercise_block(options, terms, schedule, signed, pool_contract, market_k, supply, used, capacity, X, Y, when):
    """Fill `when` (O, L) int64: the month in which each option is exercised, the horizon if never."""
    months, lanes = schedule.price.shape[1], schedule.price.shape[2]
    value = np.zeros((months, lanes))
    for o in range(options.contract.shape[0]):
        c, state = options.contract[o], options.state[o]
        if state != ALWAYS:
            state_block(
                state, c, terms.customer[c], pool_contract, market_k, supply.planned, used, capacity, schedule.price, signed.coverage,
                Y, value,
            )  # fmt: skip
        for i in range(lanes):
            when[o, i], count = months, 0
            asked = drawn(o, i, options.probability_x, options.luck_x, X)
            asked = asked and drawn(o, i, options.declines_x, options.declines_luck_x, X)
            run = int(X[options.run_x[o], i] + 0.5) if state != ALWAYS else 0
            for m in range(months if asked else 0):
                live = schedule.in_term[c, m, i] * schedule.standing[c, m, i] > 0.0
                if state != ALWAYS:
                    holds = live and holds_month(value[m, i], X[options.level_x[o], i], options.above[o])
                    count = count + 1 if holds else 0
                if live and count >= run and options.first[o] <= m <= options.last[o]:
                    when[o, i] = m
                    break


@piece
def effect_month(when, lag, state):
    """First month of what an option does: the month after the state was seen, or the stated month, and the lag."""
    return when + int(lag + 0.5) + (0 if state == ALWAYS else 1)


@entry
def change_block(options, schedule, when, X, out):
    """Fill `out` with what the exercised options change."""
    months = schedule.price.shape[1]
    out.scale[:] = 1.0
    out.price[:] = 1.0
    out.kept[:] = 1.0
    out.fee[:] = 0.0
    out.change[:] = 0.0
    out.longer[:] = 0.0
    for o in range(options.contract.shape[0]):
        c, kind = options.contract[o], options.kind[o]
        for i in range(when.shape[1]):
            if when[o, i] >= months:
                continue
            size = X[options.size_x[o], i]
            if kind == EXTEND:
                out.longer[c, when[o, i], i] += float(int(size + 0.5))
            first = effect_month(when[o, i], X[options.lag_x[o], i], options.state[o])
            if first >= months or schedule.in_term[c, first, i] <= 0.0:
                continue
            if kind == TERMINATE:
                out.fee[c, first, i] += X[options.penalty_x[o], i] * size
            if kind in (EXPAND, REPRICE):
                by = 1.0 + size if kind == EXPAND else size
                out.change[c, first, i] = (1.0 + out.change[c, first, i]) * by - 1.0
            for m in range(first, months):
                if kind == EXPAND:
                    out.scale[c, m, i] *= 1.0 + size
                elif kind == REPRICE:
                    out.price[c, m, i] *= size
                elif kind == TERMINATE:
                    out.kept[c, m, i] *= 1.0 - size


@entry
def swap_month(j, k, m, i, ratio, supply):
    """Replace what stands ready in pool k by `ratio` as much in pool j; the old chips stay bought, the new ones are bought."""
    for values in (supply.planned, supply.ready, supply.offered, supply.down, supply.early):
        values[j, m, i] += ratio * values[k, m, i]
        values[k, m, i] = 0.0
    supply.delivered[j, m, i] += ratio * supply.delivered[k, m, i]
    for cause in range(supply.late.shape[0]):
        supply.late[cause, j, m, i] += ratio * supply.late[cause, k, m, i]
        supply.late[cause, k, m, i] = 0.0


@step
def concerns(options, c):
    """Whether any option is of contract c."""
    found = False
    for o in range(options.contract.shape[0]):
        found = found or options.contract[o] == c
    return found


@entry
def enlarge_block(options, changes, in_term, when, pool_contract, part_contract, X, supply):
    """Change supply (in place) by what options add and swap: the same again in proportion, its power and building too."""
    months, lanes = supply.planned.shape[1], supply.planned.shape[2]
    for s in range(options.swap_option.shape[0]):
        o = options.swap_option[s]
        for i in range(lanes):
            first = effect_month(when[o, i], X[options.lag_x[o], i], options.state[o]) if when[o, i] < months else months
            still = first < months and in_term[options.contract[o], min(first, months - 1), i] > 0.0
            for m in range(first, months if still else first):
                swap_month(options.swap_to[s], options.swap_from[s], m, i, X[options.size_x[o], i], supply)
    for k in range(pool_contract.shape[0]):
        if not concerns(options, pool_contract[k]):
            continue  # nothing scales what no option can enlarge
        for m in range(months):
            for i in range(lanes):
                scale = changes.scale[pool_contract[k], m, i]
                for values in (
                    supply.planned, supply.delivered, supply.accepted, supply.ready, supply.offered, supply.down, supply.early
                ):  # fmt: skip
                    values[k, m, i] *= scale
                for cause in range(supply.late.shape[0]):
                    supply.late[cause, k, m, i] *= scale
    for b in range(part_contract.shape[0]):
        if not concerns(options, part_contract[b]):
            continue
        for m in range(months):
            for i in range(lanes):
                supply.allotted[b, m, i] *= changes.scale[part_contract[b], m, i]
