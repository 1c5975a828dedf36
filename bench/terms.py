"""What each kind of job or machine costs a replay: jobs a second with it, against the same jobs without."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.replay import invented, racks
from offtake.fleet import Pool, Rules
from offtake.fleet.fleets import Fleet, with_fleets
from offtake.fleet.machines import state_of
from offtake.fleet.pools import Outage
from offtake.fleet.work import largest_gang
from offtake.kernels import replay_state as k
from offtake.kernels.replay import replay

GPUS, LOAD = 1280, 0.7
HOUR_MS = 3_600_000
Asked = tuple[k.Jobs, Sequence[Pool], Rules]


def rate(asked: Asked, times: int) -> float:
    """Jobs of the trace a second of the event loop, at best."""
    work, pools, rules = asked
    both, _ = with_fleets(work, rules.serving, [largest_gang(pool) for pool in pools], float(work.submit[-1]) / 1000.0)
    took = []
    for _ in range(times):
        state = state_of(pools, rules, both)
        start = time.thread_time()
        replay(both, state)
        took.append(time.thread_time() - start)
    return len(work.submit) / min(took)


def with_terms(work: k.Jobs, least: np.ndarray, latest: np.ndarray) -> k.Jobs:
    """The same jobs, which may shrink to so many GPUs, or wait until so many ms."""
    return work._replace(terms=np.stack([least, latest, np.zeros(len(least))], axis=1).astype(np.int64))


def kinds(jobs: int) -> Iterator[tuple[str, Asked, Asked]]:
    """What is measured: its name, with it, without it."""
    work, pool = invented(jobs, GPUS, LOAD), racks(GPUS)
    plain: Asked = (work, [pool], Rules())
    never, every = np.full(jobs, -1), np.arange(jobs)
    yield "half the jobs elastic", (with_terms(work, np.where(every % 2, work.gpus, (work.gpus + 1) // 2), never), [pool], Rules()), plain
    later = np.where(every % 4, -1, work.submit + 6 * HOUR_MS)
    yield "a quarter put off by up to 6 h", (with_terms(work, work.gpus, later), [pool], Rules()), plain
    day = tuple(int(8 + 4 * np.sin(hour / 24 * 2 * np.pi)) for hour in range(24))
    yield "a fleet of 4 to 12 replicas of 8", (work, [pool], Rules(serving=(Fleet("chat", 8, day, 3600.0),))), plain
    span = float(work.submit[-1]) / 1000.0
    dark = tuple(Outage(float(at), 3600.0, 256) for at in np.arange(3600.0, span, max(span / 200, 7200.0)))
    yield "an outage of 256 GPUs now and then", (work, [replace(pool, outages=dark)], Rules()), plain
    two = [replace(racks(GPUS // 2), name=name, price=price) for name, price in (("dear", 3.0), ("cheap", 2.0))]
    yield "moves between two pools by price", (work, two, Rules(move=600.0, value=1.0)), (work, two, Rules(move=None))
    yield "moves wherever there is room", (work, two, Rules(move=600.0)), (work, two, Rules(move=None))


def costs(jobs: int = 200_000, times: int = 3) -> Iterator[tuple[str, float, float]]:
    """Of each kind its name, and jobs a second with it and without it."""
    for name, on, off in kinds(jobs):
        yield name, rate(on, times), rate(off, times)
