"""The signals of a book with numbers (E-01, E-04): what will be printed, how likely past its threshold, and what it would tell of a target.

A signal's figure is drawn from the model path by path: its measure, off by the stated discrepancy. A proxy's is drawn likewise, off by its
link error. What it tells of a target is mutual information; a signal that may never come counts by its chance, its proxy by the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np

from ..book.terms import Signal
from ..evidence.information import cells_for, cells_of, information, jackknifed, of_cells, of_pair
from ..evidence.observations import Observation
from ..evidence.waiting import worth_of_waiting
from ..kernels import draw
from ..measures import MEASURES
from ..plan import Plan
from ..questions import Question, address
from ..tables import plain
from .found import subject
from .observe import asked, named
from .single import once, one

SHARE = 0.02  # the discrepancy that `observe` takes where none is stated
NOISE = 1 << 24  # input numbers of figures' noise begin here, far from those of any book
TARGET, SCENARIO = " target", " scenario"  # no signal is named so
ESTIMATOR = "mutual information of cells about equally likely, bias taken off; a lower bound; error by jackknife over 16 groups"


@dataclass(frozen=True)
class Seen:
    """Figures of every path: a signal's, its proxy's, the target and the scenario, with what each path counts."""

    figures: dict[str, np.ndarray]
    proxies: dict[str, np.ndarray]
    target: np.ndarray
    scenario: np.ndarray
    weights: np.ndarray


def goal_of(plan: Plan, target: str | None) -> str:
    """The number that signals are to tell of: the value of the first contract unless told. Raises QuestionError where there is none."""
    return target or f"npv of {subject(plan).deal} @ total"


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


def questions(plan: Plan, goal: str) -> dict[str, Question]:
    """What every signal, proxy, the target and the scenario are read from, a row each. Raises QuestionError for what does not read."""
    named_ones = {name: one(*asked(plan, text)) for name, text in (measures_of(plan) | {TARGET: goal}).items()}
    return named_ones | {SCENARIO: once("scenario", "", plan.months, lambda b: b.scenario.astype(float))}


def seen(plan: Plan, values: Mapping[str, np.ndarray], weights: np.ndarray, seed: int) -> Seen:
    """Figures from the values (P,) of every one of `questions`."""
    signals = plan.book.signals
    figures = {name: figure_of(plan, i, values[name], seed) for i, name in enumerate(measures_of(plan))}
    own = {name: figures[name] for name in signals}
    proxies = {name: figures[f"{name} proxy"] for name, s in signals.items() if s.proxy}
    return Seen(own, proxies, values[TARGET], values[SCENARIO].astype(int), weights)


def listing(plan: Plan, found: Seen, goal: str, today: date, observations: Sequence[Observation] = ()) -> dict[str, Any]:
    """The list, the most telling signal first, ready for JSON."""
    unit = MEASURES[address(goal).measure].unit
    rows = [_row(plan, name, found, unit, today, observations) for name in plan.book.signals]
    rows.sort(key=lambda r: (-r["information"], r["signal"]))
    return {
        "as_of": str(today), "paths": int(len(found.target)), "target": goal, "target_unit": unit, "estimator": ESTIMATOR,
        "signals": rows, "together": together(found),
    }  # fmt: skip


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
