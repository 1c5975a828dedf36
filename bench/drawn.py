"""Draws, time paths and demand against their NumPy twins (`twin_drawn`), on the first book, as `stages` does the stages of money.

The twin is checked on the kernels' own uniform draws and monthly scores, and timed with NumPy's: plain random numbers, which cost it less
than the scrambled Sobol points that the kernel draws.
"""

import numpy as np

from bench import twin_drawn
from bench.stages import LANES, Ratio, apart, best_chunk, compared, least, slices
from offtake.kernels import demand, draw, series

SEED = 1


def uniforms(plan, paths):
    """What the kernel draws: (I, P)."""
    words, keys, u = np.empty((2, LANES), np.uint64), np.empty((4, draw.REPLICATES), np.uint64), np.empty(LANES)
    made = np.empty((len(plan.inputs.names), paths))
    for first in range(0, paths, LANES):
        for i in range(len(made)):
            draw.input_row(plan.draws, SEED, first, i, words, keys, u)
            made[i, first : first + LANES] = u
    return made


def noise(plan, paths):
    """Monthly draws of the kernel by stream: scores (M + 1, P) of mean reversions, uniform draws of jumps."""
    table, made, radius, row = plan.timelines, {}, np.empty(LANES), np.empty(LANES)
    for s in np.flatnonzero(table.stream >= 0):
        made[table.stream[s]] = np.empty((plan.months + 1, paths))
        for first in range(0, paths, LANES):
            for m in range(plan.months + 1):
                if (table.kind[:, s] == series.JUMP).any():
                    draw.uniform_row(SEED, first, table.stream[s], m, row)
                else:
                    draw.score_row(SEED, first, table.stream[s], m, row, radius)
                made[table.stream[s]][m, first : first + LANES] = row
    return made


def draw_ratio(p, repeats):
    plan, b, rng = p.plan, p.blocks[0], np.random.default_rng(SEED)
    clipped = np.zeros(len(plan.factor_paths), np.int64)
    Z, X, scenario = twin_drawn.factors(plan.draws, plan.forced, uniforms(plan, p.count))
    gap = max(apart(Z, p.side_by_side(lambda b: b.Z)), apart(X / np.maximum(np.abs(p.X), 1e-300), np.sign(p.X)))
    gap = max(gap, apart(scenario, p.side_by_side(lambda b: b.scenario)))

    def theirs(size):
        return twin_drawn.factors(plan.draws, plan.forced, rng.random((len(plan.inputs.names), size.shape[-1])))

    ours = least(lambda: draw.draw_block(plan.draws, SEED, 0, plan.forced, b.Z, b.X, b.scenario, clipped), repeats) / LANES
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, np.empty((1, p.count))), theirs, repeats)
    return Ratio("draws", ours, seconds, chunk, gap, count)


def series_ratio(p, repeats):
    plan, b, rng = p.plan, p.blocks[0], np.random.default_rng(SEED)
    scenario = p.side_by_side(lambda b: b.scenario)
    made = twin_drawn.timelines(plan.timelines, p.X, scenario, noise(plan, p.count), plan.months)
    gap = apart(made / np.maximum(np.abs(p.Y), 1e-300), np.sign(p.Y))
    streams = {s: (plan.timelines.kind[:, plan.timelines.stream == s] == series.JUMP).any() for s in plan.timelines.stream if s >= 0}

    def theirs(X, scenario):
        shape = (plan.months + 1, X.shape[-1])
        drawn = {s: rng.random(shape) if jumps else rng.standard_normal(shape) for s, jumps in streams.items()}
        return twin_drawn.timelines(plan.timelines, X, scenario, drawn, plan.months)

    ours = least(lambda: series.series_block(plan.timelines, b.X, b.scenario, SEED, 0, b.Y), repeats) / LANES
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, p.X, scenario), theirs, repeats)
    return Ratio("time paths", ours, seconds, chunk, gap, count)


def demand_ratio(p, repeats):
    plan, b = p.plan, p.blocks[0]

    def theirs(X, Y):
        return twin_drawn.demand(plan.workloads, plan.fabrics, plan.places, X, Y)

    gap = compared(lambda n: p.side_by_side(lambda b: getattr(b.demand, n)), theirs(p.X, p.Y))
    ours = least(lambda: demand.demand_block(plan.workloads, plan.fabrics, plan.places, b.X, b.Y, b.demand), repeats) / LANES
    seconds, chunk, count = best_chunk(p.count, lambda at: slices(at, p.X, p.Y), theirs, repeats)
    return Ratio("demand", ours, seconds, chunk, gap, count)
