"""The reference book: the whole job, its draws, and its sensitivities, in CPU seconds of one thread.

The book has the shape of the design's study (40 dependent inputs, 6 pools, 4 workloads, 6 contracts, 96 months) and asks 20 monthly series
with quantiles of all paths. It computes what every run computes, exact placement, accounts and identities included.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import offtake
from offtake import front, montecarlo, stages
from offtake.identities import worst_of
from offtake.questions import question
from offtake.studies.holds import sensitivity
from offtake.world.draws import off_sobol

BOOK = Path(__file__).parent / "books" / "reference.yaml"
DEALS = [f"contracts.deal-{n}" for n in range(1, 7)]
SERIES = [
    *(("revenue", deal) for deal in DEALS), *(("used", deal) for deal in DEALS), *(("ready", deal) for deal in DEALS),
    ("cash_balance", "companies.lab"), ("coverage", "companies.lab"),
]  # fmt: skip


def cpu(work):
    """CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def whole_job(paths):
    """Paths a CPU second, 20 monthly series with quantiles of all paths; the first 1,024 warm up."""
    plan = front.compile(front.load(BOOK))
    asked = [replace(question(plan, measure, of, "month"), keep=False) for measure, of in SERIES]
    montecarlo.run(plan, asked, 64, 1, 1)
    return paths / cpu(lambda: montecarlo.run(plan, asked, paths, 1, 1))


def one_by_one(blocks):
    """CPU seconds a path, draws to identities: 64 lanes at a time, and the same kernels on one path at a time."""
    plan, lanes, found = front.compile(front.load(BOOK)), stages.LANES, []
    clipped = np.zeros(len(plan.factor_paths), np.int64)
    for width in (lanes, 1):
        b = stages.allocate(plan, width)

        def work(b=b, width=width):
            stages.fill(b, 1, 0, clipped)
            for first in range(0, blocks * lanes, width):
                stages.fill(b, 1, first, clipped)
                worst_of(b, width)

        work()
        found.append(cpu(work) / (blocks * lanes))
    return found


def draws(blocks, repeats):
    """Nanoseconds a draw by sampler: scores, dependence and factors of a block, least of some repeats."""
    plan = front.compile(front.load(BOOK))
    found = {}
    for name, draws_of in (("random", off_sobol(plan.draws)), ("sobol", plan.draws)):
        b = stages.allocate(replace(plan, draws=draws_of))
        clipped = np.zeros(len(plan.factor_paths), np.int64)

        def work(b=b, clipped=clipped):
            for n in range(blocks):
                stages.draw.draw_block(b.plan.draws, 1, 64 * n, -1, b.Z, b.X, b.scenario, clipped)

        work()
        found[name] = min(cpu(work) for _ in range(repeats)) / (blocks * 64 * len(plan.inputs.names)) * 1e9
    return found


def sensitivities(paths):
    """CPU seconds of all indices of one number over those of the run that they come from."""
    run = offtake.run(offtake.load("two-clouds"), paths=paths, workers=1)
    q = [question(run.plan, "npv", "contracts.north")]
    run.outcome(q)
    alone = cpu(lambda: run.outcome(q))
    return (cpu(lambda: sensitivity(run, "npv", "contracts.north")) - alone) / alone
