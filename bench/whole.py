"""The whole job of the reference book, 20 monthly series with means, their errors and quantiles of all paths: `montecarlo.run` against
`twin_whole` in NumPy, in one process and on one thread.

The twin is checked first, on the draws of the run: each series on every path and month, means and their errors. Then both are timed in
turns, the twin on plain random scores of its own, which cost it less than scrambled Sobol points cost the kernel. The run computes
what every run computes, for any book: it places with certificates and duals, keeps the accounts, values the deals and checks all
identities; the twin answers these 20 questions of this book. `stages_read` times the kernels without what the twin leaves out.
"""

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from bench import drawn, twin_whole
from bench.reference import BOOK, SERIES
from offtake import front, montecarlo, stages
from offtake.questions import question, read_all
from offtake.tallies import QUANTILES, Counts, Ranges

SEED, CHUNKS, REPLICATES = 1, (256, 1_024, 2_048, 4_096), 16


class Whole(NamedTuple):
    """CPU seconds a path of the run, of the kernels that the series read alone, and of the twin at its best chunk; how far apart they are,
    and their quantiles as a share of what a row ranges over."""

    run: float
    read: float
    twin: float
    chunk: int
    apart: float
    quantiles: float


def asked(plan, keep):
    """The questions of the 20 series."""
    return [replace(question(plan, measure, of, "month"), keep=keep) for measure, of in SERIES]


def figures(rows):
    """Means of rows (R, P), their errors from sixteen replicates, and quantiles of all paths."""
    height, paths = rows.shape
    sums = rows.reshape(height, -1, REPLICATES).sum(axis=1)
    mean = sums.sum(axis=1) / paths
    sums -= mean[:, None] * (paths / REPLICATES)
    errors = np.sqrt((sums * sums).sum(axis=1) * (REPLICATES / (REPLICATES - 1))) / paths
    return mean, errors, np.quantile(rows, QUANTILES, axis=1)


def differ(ours, theirs):
    """Largest difference relative to the largest entry of each series."""
    ours, theirs = (np.reshape(a, (len(SERIES), -1)) for a in (ours, theirs))
    return float((np.abs(ours - theirs).max(axis=1) / np.maximum(np.abs(theirs).max(axis=1), 1e-300)).max())


def check(plan, paths):
    """How far the twin is from a run on the same draws: values by series, means and their errors; quantiles, which the run reads off a
    histogram, over the range of their row; and the cells found."""
    tallies = montecarlo.run(plan, asked(plan, True), paths, SEED, 1).tallies
    kept, mean, error = (np.concatenate([getattr(t, name) for t in tallies]) for name in ("kept", "mean", "se"))
    rows, places = np.empty(kept.shape), twin_whole.Work(plan)
    twin_whole.answer(plan, ndtri(drawn.uniforms(plan, paths)), places, rows)
    means, errors, exact = figures(rows)
    width = np.ptp(rows, axis=1)
    off = np.abs(exact - [np.concatenate([t.quantiles[p] for t in tallies]) for p in QUANTILES]) / np.where(width > 0.0, width, 1.0)
    return max(differ(rows, kept), differ(means, mean), differ(errors, error)), float(off.max()), places


def twin_job(plan, places, paths, chunk, rng):
    """All paths, some at a time; means and quantiles need every path."""
    rows = np.empty((len(SERIES) * plan.months, paths))
    for first in range(0, paths, chunk):
        scores = rng.standard_normal((len(plan.inputs.names), min(chunk, paths - first)))
        twin_whole.answer(plan, scores, places, rows[:, first : first + chunk])
    return figures(rows)


def stages_read(plan, questions, paths):
    """The work of the kernels that these series read, and their counts: no ledger, no worth, no identities."""
    b, clipped, counts = stages.allocate(plan), np.zeros(len(plan.factor_paths), np.int64), None
    chunk = np.empty((sum(q.width for q in questions), montecarlo.CHUNK))

    def work():
        nonlocal counts
        for first in range(0, paths, montecarlo.LANES):
            at = first % montecarlo.CHUNK
            stages.draw_inputs(b, SEED, first, clipped)
            stages.serve(b)
            stages._settle(b)
            stages._recognise(b)
            read_all(questions, b, chunk[:, at : at + montecarlo.LANES])
            if at + montecarlo.LANES == montecarlo.CHUNK:
                counts = counts or Counts(Ranges.of(chunk, None))
                counts.tally(chunk, None)

    return work


def cpu(work):
    """CPU seconds of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(paths=4_096, repeats=5):
    """Both whole jobs, in turns, the least of some repeats of each; `paths` a multiple of 256."""
    plan = front.compile(front.load(BOOK))
    twin_whole.refuse(plan)
    apart, off, places = check(plan, paths)
    questions, rng = asked(plan, False), np.random.default_rng(SEED)
    jobs = {
        "run": lambda: montecarlo.run(plan, questions, paths, SEED, 1), "read": stages_read(plan, questions, paths),
        **{n: lambda n=n: twin_job(plan, places, paths, n, rng) for n in CHUNKS if n <= paths},
    }  # fmt: skip
    took = {name: np.inf for name in jobs}
    for _ in range(repeats):
        for name, work in jobs.items():
            took[name] = min(took[name], cpu(work) / paths)
    twin, chunk = min((took[n], n) for n in took if n not in ("run", "read"))
    return Whole(took["run"], took["read"], twin, chunk, apart, off)
