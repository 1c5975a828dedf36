"""A part of a run as it travels on a cluster: its bytes, and the seconds that it takes (what sending it costs beside computing it)."""

import time
from dataclasses import replace

from offtake import front, montecarlo
from offtake.parts import PATHS, Job, code, compute_part
from offtake.questions import question


def one(book, series):
    """Bytes of a part of 4,096 paths beyond the first 16,384, whose values are not kept; seconds of one thread; rows of the questions."""
    plan = front.compile(front.load(book))
    asked = tuple(replace(question(plan, measure, of, "month"), keep=False) for measure, of in series)
    futures = montecarlo.Futures(PATHS, 1)
    ranges, _ = montecarlo.pilot_ranges(plan, asked, futures, 1, montecarlo.Silent())
    job = Job(plan, asked, futures, ranges, code())
    begun = time.perf_counter()
    raw = compute_part(job, (0, 1))
    return len(raw), time.perf_counter() - begun, sum(q.width for q in asked)
