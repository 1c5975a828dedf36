"""How long jobs waited in the replays of a design, by the size of their gang (R-03).

Axes    classes of gangs (C,), by the largest of each; replays (N,)
Units   seconds from submission to the first start
Counted jobs submitted after the months not counted and before the last one, which leaves them a month to start; one that never started
        waits until the end
Fitted  the logarithm of a wait and a tenth of an hour (of its 95th percentile: an hour), in the axes of the surface, over replays in which
        work does not pile up: where more is submitted than gangs fill, waits have no end but the replay's
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..fleet import Outcome

TOPS = (8, 64, 128, 256)  # the largest gang of each class, on 4,608 GPUs
FIGURES = {"mean": 360.0, "p95": 3_600.0}  # seconds added before the logarithm
SETTLED = 0.01  # load above occupancy, beyond which work piles up
FEWEST = 100  # jobs of a class behind a figure


def columns(tops: Sequence[int]) -> tuple[str, ...]:
    """What `waited` counts, by class."""
    return tuple(f"{name}_{top}" for top in tops for name in ("jobs", "unstarted", *FIGURES))


COLUMNS = columns(TOPS)


def waited(outcome: Outcome, begin: float, end: float, tops: Sequence[int] = TOPS) -> dict[str, float]:
    """Jobs of each class submitted from `begin` to `end` (seconds), those of them that never started, mean and 95th percentile of waits."""
    until = outcome.rules.until
    assert until is not None
    submit, begun = outcome.jobs.submit, outcome.begun
    counted = (submit >= begin * 1000.0) & (submit < end * 1000.0)
    wait = (np.where(begun >= 0, begun, int(until * 1000.0)) - submit) / 1000.0
    kind = np.searchsorted(tops, outcome.jobs.gpus)
    found: dict[str, float] = {}
    for n, top in enumerate(tops):
        mine = counted & (kind == n)
        own = wait[mine] if mine.any() else np.zeros(1)
        found |= {
            f"jobs_{top}": float(mine.sum()), f"unstarted_{top}": float((begun[mine] < 0).sum()),
            f"mean_{top}": float(own.mean()), f"p95_{top}": float(np.percentile(own, 95)),
        }  # fmt: skip
    return found


def stands(row: Mapping[str, float], top: int) -> bool:
    """Whether a replay counts for a class: work does not pile up, jobs are enough, and all started."""
    return row["load"] - row["occupancy"] <= SETTLED and row[f"jobs_{top}"] >= FEWEST and row[f"unstarted_{top}"] == 0
