"""The watch list with numbers (E-01, E-04): what is due and where, what the model expects to read, what it would tell, what we would do.

A signal's figure is drawn from the model path by path: its measure, off by the stated discrepancy. A proxy's is drawn likewise, off by its
link error. What it tells of a target is mutual information; a signal that may never come counts by its chance, its proxy by the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from .. import montecarlo
from ..book.terms import Signal
from ..errors import QuestionError
from ..evidence.information import cells_for, cells_of, information, jackknifed, of_cells, of_pair
from ..evidence.observations import Observation
from ..evidence.waiting import worth_of_waiting
from ..kernels import draw
from ..measures import MEASURES
from ..plan import Plan
from ..questions import address
from ..tables import plain
from .beliefs import once, one
from .compare import Asked
from .found import subject
from .observe import address_of, asked, named
from .weighing import evidence_of, weigh

SHARE = 0.02  # the discrepancy that `observe` takes where none is stated
NOISE = 1 << 24  # input numbers of figures' noise begin here, far from those of any book


@dataclass(frozen=True)
class Seen:
    """Figures of every path: a signal's, its proxy's, the target and the scenario, with what each path counts."""

    figures: dict[str, np.ndarray]
    proxies: dict[str, np.ndarray]
    target: np.ndarray
    scenario: np.ndarray
    weights: np.ndarray


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
    goal = target or f"npv of {subject(plan).deal} @ total"
    seen, note = _seen(plan, observations, how, goal)
    unit = MEASURES[address(goal).measure].unit
    rows = [_row(plan, name, seen, unit, today, observations) for name in plan.book.signals]
    rows.sort(key=lambda r: (-r["information"], r["signal"]))
    return {
        "as_of": str(today), "paths": int(len(seen.target)), "target": goal, "target_unit": unit, "note": note,
        "estimator": "mutual information of cells about equally likely, bias taken off; a lower bound; error by jackknife over 16 groups",
        "signals": rows, "together": together(seen), "alerts": alerts(plan, observations),
    }  # fmt: skip


def measures_of(plan: Plan) -> dict[str, str]:
    """What each signal measures, and below it each proxy, `NAME proxy`: the order in which their noise is numbered."""
    signals = plan.book.signals
    return {name: s.measure for name, s in signals.items()} | {f"{n} proxy": s.proxy.measure for n, s in signals.items() if s.proxy}


def figure_of(plan: Plan, number: int, values: np.ndarray, seed: int) -> np.ndarray:
    """The printed figure (P,) of the signal or proxy of this number in `measures_of`: off by its discrepancy, or its link error."""
    name, text = list(measures_of(plan).items())[number]
    signal = plan.book.signals[name.removesuffix(" proxy")]
    off = signal.proxy.link.median() if signal.proxy and name.endswith(" proxy") else _discrepancy(signal)
    return printed(values, off, MEASURES[address(text).measure].unit == "share", seed, NOISE + number)


def _seen(plan: Plan, observations: Sequence[Observation], how: Asked, goal: str) -> tuple[Seen, str]:
    signals, texts = plan.book.signals, measures_of(plan)
    questions = [one(*asked(plan, text)) for text in (*texts.values(), goal)]
    questions.append(once("scenario", "", plan.months, lambda b: b.scenario.astype(float)))
    found = evidence_of(plan, observations)
    run = montecarlo.run(plan, [*questions, *found.questions], min(how.paths, montecarlo.KEPT), how.seed, how.workers, how.reporter)
    weights, note = np.ones(run.paths, np.int64), f"{len(observations)} observations taken in" if observations else "nothing observed yet"
    if observations:
        weighing = weigh(plan, found, Asked(run.paths, how.seed, how.workers, how.reporter), run)
        if weighing.trusted:
            weights = weighing.weights
        else:
            note = f"the observations leave {weighing.effective:,.0f} effective paths: intervals are those of the prior"
    figures = {name: figure_of(plan, i, tally.kept[0], how.seed) for i, (name, tally) in enumerate(zip(texts, run.tallies))}
    own = {name: figures[name] for name in signals}
    proxies = {name: figures[f"{name} proxy"] for name, s in signals.items() if s.proxy}
    return Seen(own, proxies, run.tallies[len(texts)].kept[0], run.tallies[len(texts) + 1].kept[0].astype(int), weights), note


def _discrepancy(signal: Signal) -> float:
    return SHARE if signal.discrepancy is None else signal.discrepancy.median()


def printed(values: np.ndarray, off: float, share: bool, seed: int, number: int) -> np.ndarray:
    """The figure of each path (P,): its value, off by a share of it that is drawn for this figure alone; nobody prints more than all."""
    scores, scratch = np.empty(len(values)), np.empty(len(values))
    draw.score_row(seed, 0, number, 0, scores, scratch)
    found: np.ndarray = values * (1.0 + off * scores)
    return found if not share or np.nanmax(values, initial=0.0) > 1.0 else np.minimum(found, 1.0)


def _row(plan: Plan, name: str, seen: Seen, unit: str, today: date, observations: Sequence[Observation]) -> dict[str, Any]:
    """One line of the list."""
    signal, figure = plan.book.signals[name], seen.figures[name]
    q, row = asked(plan, signal.measure)
    about = named(plan, q, row)
    came = [o for o in observations if o.about == about]
    never = signal.never.median() if signal.never else 0.0
    told: dict[str, Any] = {
        "signal": name, "title": signal.title, "about": about, "unit": q.measure.unit, "document": signal.document, "table": signal.table,
        "due": str(signal.due), "days": (signal.due - today).days, "observed": [f"{o.written} ({o.document}, {o.published})" for o in came],
        "figure": spread(figure, seen.weights), "threshold": signal.threshold.text if signal.threshold else None, "alert": signal.alert,
        "chance": _chance(signal, figure, seen.weights), "action": signal.action, "otherwise": signal.otherwise,
        "discrepancy": _discrepancy(signal), "discrepancy_stated": signal.discrepancy is not None, "never": never,
    }  # fmt: skip
    published = information(figure, seen.target, seen.weights)
    proxy = information(seen.proxies[name], seen.target, seen.weights) if signal.proxy else (0.0, 0.0)
    told["proxy"] = None if signal.proxy is None else {
        "measure": signal.proxy.measure, "link": signal.proxy.link.median(), "information": proxy[0], "se": proxy[1],
        "figure": spread(seen.proxies[name], seen.weights),
    }  # fmt: skip
    told["information"] = (1.0 - never) * published[0] + never * proxy[0]
    told["information_se"] = float(np.hypot((1.0 - never) * published[1], never * proxy[1]))
    told["if_published"] = {"information": published[0], "se": published[1]}
    told["on_scenario"] = dict(zip(("information", "se"), on_scenario(figure, seen)))
    told["waiting"] = worth_of_waiting(figure, held_or_not(seen.target), seen.weights).to_dict() if unit == "USD" else None
    return told


def together(seen: Seen) -> list[dict[str, Any]]:
    """Every two signals, were both published: what they tell of the target together, and what the second adds to the first, the more
    telling of the two; the best pair first."""
    found = []
    for first, second in combinations(seen.figures, 2):
        pair = of_pair(seen.figures[first], seen.figures[second], seen.target, seen.weights)
        if pair.alone[1] > pair.alone[0]:
            first, second = second, first
            pair = of_pair(seen.figures[first], seen.figures[second], seen.target, seen.weights)
        found.append({"signals": [first, second]} | asdict(pair) | {"alone": list(pair.alone)})
    return sorted(found, key=lambda p: (-p["information"], p["signals"]))


def held_or_not(target: np.ndarray) -> np.ndarray:
    """Payoffs (2, P) of nothing and of holding the target; a path without the target is worth nothing."""
    held = np.where(np.isnan(target), 0.0, target)
    return np.stack([np.zeros(len(held)), held])


def on_scenario(figure: np.ndarray, seen: Seen) -> tuple[float, float]:
    """What a figure tells of the scenario, in nats, and its error."""
    cells = cells_of(figure, seen.weights, cells_for(seen.weights))
    return jackknifed(lambda keep: of_cells(cells[keep], seen.scenario[keep], seen.weights[keep]), len(figure))


def spread(values: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    """Weighted 5th, 50th and 95th percentile of the paths that have a number, and the share that has none."""
    there = ~np.isnan(values)
    if not there.any():
        return {"p05": None, "p50": None, "p95": None, "absent": 1.0}
    order = np.argsort(values[there], kind="stable")
    v, w = values[there][order], weights[there][order].astype(float)
    middle = (np.cumsum(w) - 0.5 * w) / w.sum()
    found = {f"p{round(100 * p):02d}": plain(np.interp(p, middle, v)) for p in (0.05, 0.5, 0.95)}
    return found | {"absent": float(1.0 - w.sum() / weights.sum())}


def _chance(signal: Signal, figure: np.ndarray, weights: np.ndarray) -> float | None:
    """Chance that the figure crosses the threshold."""
    if signal.threshold is None or signal.alert is None:
        return None
    level, there = signal.threshold.median(), ~np.isnan(figure)
    beyond = figure > level if signal.alert == "above" else figure < level
    return float(weights[there & beyond].sum() / weights[there].sum()) if there.any() else None
