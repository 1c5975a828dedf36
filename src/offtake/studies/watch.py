"""The watch list with numbers (E-01, E-04): what is due and where, what the model expects to read, what it would tell, what we would do;
and thresholds that were crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from .. import montecarlo
from ..book.terms import Signal
from ..errors import QuestionError
from ..evidence.observations import Observation
from ..plan import Plan
from .compare import Asked
from .observe import address_of
from .signals import goal_of, listing, questions, seen
from .weighing import evidence_of, weigh


def alerts(plan: Plan, observations: Sequence[Observation]) -> list[dict[str, Any]]:
    """Thresholds that an observation in the store has crossed, in the order of the book's signals."""
    found = []
    for name, signal in plan.book.signals.items():
        about = address_of(plan, signal.measure)
        found += [_alert(name, signal, o) for o in observations if o.about == about and crossed(signal, o)]
    return found


def crossed(signal: Signal, o: Observation) -> bool:
    """Whether what was printed lies on the alert's side; a bound does where all of it lies there."""
    if signal.threshold is None or signal.alert is None or o.middle is None:
        return False
    level, figure = signal.threshold.median(), o.middle / o.covers
    if (o.relation == ">" and signal.alert == "below") or (o.relation == "<" and signal.alert == "above"):
        return False
    if o.relation in (">", "<"):
        return figure >= level if signal.alert == "above" else figure <= level
    return figure > level if signal.alert == "above" else figure < level


def _alert(name: str, signal: Signal, o: Observation) -> dict[str, Any]:
    assert signal.threshold is not None
    return {
        "signal": name, "about": o.about, "written": o.written, "unit": o.unit, "figure": o.middle, "alert": signal.alert,
        "threshold": signal.threshold.text, "level": signal.threshold.median(), "document": o.document, "published": str(o.published),
        "action": signal.action,
    }  # fmt: skip


def watch(plan: Plan, observations: Sequence[Observation], how: Asked, target: str | None, today: date) -> dict[str, Any]:
    """The list, the most telling signal first, ready for JSON. Raises QuestionError where there is no signal or no target."""
    if not plan.book.signals:
        raise QuestionError("this book registers no signal; add `signals` with what will be published, where and when")
    goal = goal_of(plan, target)
    wanted, found = questions(plan, goal), evidence_of(plan, observations)
    paths = min(how.paths, montecarlo.KEPT)
    run = montecarlo.run(plan, [*wanted.values(), *found.questions], paths, how.seed, how.workers, how.reporter)
    many = f"{len(observations)} observation{'s' * (len(observations) != 1)} taken in"
    weights, note = np.ones(run.paths, np.int64), many if observations else "nothing observed yet"
    if observations:
        weighing = weigh(plan, found, Asked(run.paths, how.seed, how.workers, how.reporter), run)
        if weighing.trusted:
            weights = weighing.weights
        else:
            note = f"the observations leave {weighing.effective:,.0f} effective paths: intervals are those of the prior"
    values = {name: tally.kept[0] for name, tally in zip(wanted, run.tallies)}
    told = listing(plan, seen(plan, values, weights, how.seed), goal, today, observations)
    return told | {"note": note, "alerts": alerts(plan, observations)}
