"""Sampling: squared errors of plain random paths over those of scrambled Sobol points, on the same number of paths.

Errors are those of the sixteen replicates, squared and added over several seeds, since one error from sixteen numbers is off by a fifth.
A ratio of 9 means that random paths need nine times as many.
"""

from dataclasses import replace

import numpy as np

from offtake import front, montecarlo
from offtake.questions import at_period, question
from offtake.studies.compare import headlines
from offtake.world.draws import off_sobol


def leading_alone(plan):
    """The leading 64 inputs on Sobol, the rest by Threefry."""
    coordinate = plan.draws.coordinate
    return replace(plan, draws=plan.draws._replace(coordinate=np.where(coordinate < 64, coordinate, -1)))


def samplers(book):
    """The plan of a book under each sampler."""
    plan = front.compile(front.load(book))
    return {"random": replace(plan, draws=off_sobol(plan.draws)), "leading 64": leading_alone(plan), "sobol": plan}


def squared_errors(plan, paths, seeds):
    """(headlines, 3): squared errors of mean, median and 95th percentile, added over seeds."""
    columns = headlines(plan)
    asked = [question(plan, c.measure, c.of, c.by) for c in columns]
    rows = [at_period(q, c.period) for q, c in zip(asked, columns)]
    asked = [replace(q, periods=(q.periods[row],), keep=False) for q, row in zip(asked, rows)]
    total = np.zeros((len(columns), 3))
    for seed in range(1, seeds + 1):
        for i, t in enumerate(montecarlo.run(plan, asked, paths, seed).tallies):
            total[i] += np.square([t.se[0], t.errors[0.5][0], t.errors[0.95][0]])
    return [c.label for c in columns], total


def gains(book="openai-aws", paths=4096, seeds=6):
    """Ratio of squared errors, random over each sampler: {sampler: (labels, (headlines, 3))}; NaN where neither has an error."""
    found = {name: squared_errors(plan, paths, seeds) for name, plan in samplers(book).items()}
    labels, base = found.pop("random")
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: (labels, np.where(mine > 0.0, base / mine, np.nan)) for name, (_, mine) in found.items()}
