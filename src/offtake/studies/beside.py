"""Studies beside the ensemble: what answers and report read that draws paths of its own, or walks all kept ones, side by side.

Each is computed once a run and by one thread; who has none left helps the others with their blocks (`spread`). They come from the
shortest to the longest, so that the last ones, which have blocks to share out, fill all threads to the end. No study asks for answers:
those ask for studies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..montecarlo import Silent
from ..spread import cores, in_order
from . import calibration_panels, exposure, late, pace_panels, scenarios, tornado, watch_panels, where
from .findings import scenario_columns
from .found import Asked, Found

STUDIES: dict[str, tuple[str, Callable[[Asked], Any]]] = {
    "watch": ("signals", watch_panels.watched),
    "where": ("where workloads run", lambda a: where.shares(a.run, a.f.looks["where"])),
    "movers": ("what moves each answer", lambda a: a.f.sensitivity),
    "past": ("back-test", lambda a: calibration_panels.panels(a.run)),
    "link": ("wrong-way risk", lambda a: exposure.wrong_way(a.run)),
    "tornado": ("tornado", tornado.tornado),
    "scenarios": ("scenarios", lambda a: scenarios.compare(a.run, scenario_columns(a.plan))),
    "pace": ("pace", pace_panels.panels),
    "late": ("late deliveries", lambda a: late.told(a.run)),
}  # what a run says it is doing, and what does it
ANSWERED = ("watch", "where", "movers", "late")  # what the answers read; the report reads all


def compute(run: Found, names: Sequence[str]) -> dict[str, Any]:
    """What these studies come to, by name; the run's own questions before them, which they read."""
    asked, wanted = Asked(run), [name for name in STUDIES if name in names]
    if not wanted:
        return {}
    tell, found = run.progress or Silent(), dict[str, Any]()
    results = in_order(lambda name: STUDIES[name][1](asked), wanted, run.workers or cores())
    for done, name in enumerate(wanted):
        tell.stage(f"studies: {STUDIES[name][0]}")  # the first of those under way
        tell.step(done, len(wanted), "studies")
        found[name] = next(results)
    return found
