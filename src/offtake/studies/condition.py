"""What follows from what was observed (E-02, E-03): every headline, scenario and input before and after.

The evidence is conditioned on as a whole and read in its own order, so the order in which it came does not matter. Each path is weighted
by the likelihood of all figures on it; effective paths and the tail of the weights say whether that carries. Where it does not, the
evidence is taken in step by step by fresh paths (`temper`), or refused with what it rules out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import montecarlo, recount
from ..evidence import weights
from ..evidence.observations import Observation
from ..montecarlo import Futures, Outcome
from ..plan import Plan
from ..tables import plain
from .beliefs import Beliefs, before_and_after, beliefs
from .compare import Asked
from .temper import Tempered, Tempering, filler
from .weighing import ENOUGH, Evidence, Weighing, evidence_of, log_mean, weigh

STRAINED = 2.0  # prior standard deviations that the mean of an input had to move, above which the evidence rules out what the book said
STRETCHED = 2.0  # discrepancies between figure and posterior, above which the discrepancy carries what no input does


def reweighed(plan: Plan, prior: Outcome, weights: np.ndarray, how: Asked) -> Outcome:
    """The prior's questions with the paths weighed."""
    if how.paths <= montecarlo.KEPT:
        return recount.reweigh(prior, weights)
    return montecarlo.compute(plan, [t.question for t in prior.tallies], Futures(how.paths, how.seed, weights), how.workers, how.reporter)


def condition(plan: Plan, observations: Sequence[Observation], how: Asked, shown: Sequence[str] = ()) -> dict[str, Any]:
    """Before and after, ready for JSON. Without evidence both are the same paths, each counting one."""
    found = evidence_of(plan, observations)
    wanted = beliefs(plan, [*(o.about for o in found.observations), *shown])
    prior = montecarlo.run(plan, wanted.questions, how.paths, how.seed, how.workers, how.reporter)
    if not found.observations:
        return {"method": "none", "paths": how.paths, "evidence": [], **before_and_after(wanted, prior, prior)}
    weighing = weigh(plan, found, how, prior)
    told: dict[str, Any] = {"paths": how.paths, "evidence": [_told(o, i, weighing) for i, o in enumerate(found.observations)]}
    told["weights"] = {
        "effective": weighing.effective, "enough": min(ENOUGH, how.paths), "tail": plain(weighing.tail), "trusted": weighing.trusted,
        "log_evidence": plain(log_mean(weighing.by_observation.sum(axis=0))),
    }  # fmt: skip
    if weighing.trusted:
        posterior = reweighed(plan, prior, weighing.weights, how)
        return {"method": "weights", **told, **before_and_after(wanted, prior, posterior)}
    return told | _tempered(plan, found, wanted, prior, how)


def _tempered(plan: Plan, found: Evidence, wanted: Beliefs, prior: Outcome, how: Asked) -> dict[str, Any]:
    """Posterior by fresh paths, or a refusal; both say which assumptions the evidence strains."""
    done = Tempering(plan, found, how).run()
    p = done.particles
    told = {
        "particles": len(p.noise), "powers": done.powers, "accepted": done.accepted[-1], "log_evidence": plain(done.log_evidence),
        "populations": done.agree, "strained": strained(plan, done), "stretched": stretched(found, done),
    }  # fmt: skip
    if done.refused:
        return {"method": "refused", "refused": done.refused, "tempering": told, **before_and_after(wanted, prior, None)}
    futures = Futures(len(p.noise), how.seed, done.weights, filler(p.scores, p.noise))
    posterior = montecarlo.compute(plan, wanted.questions, futures, how.workers, how.reporter)
    return {"method": "tempered", "tempering": told, **before_and_after(wanted, prior, posterior)}


def strained(plan: Plan, done: Tempered) -> list[dict[str, Any]]:
    """Inputs whose mean score the particles moved far from the prior's 0, the furthest first."""
    w = done.weights if done.weights.any() else np.ones(len(done.particles.noise))
    means = done.particles.scores @ w / w.sum()
    names = plan.inputs.names
    far = [i for i in np.argsort(-np.abs(means), kind="stable") if abs(means[i]) >= STRAINED and names[i] != "scenario"]
    return [{"input": names[i], "moved": float(means[i])} for i in far]


def stretched(found: Evidence, done: Tempered) -> list[dict[str, Any]]:
    """Figures that the particles meet only by several discrepancies; a path without the number meets none."""
    rows = []
    for o, values in zip(found.observations, done.particles.values):
        there = values[~np.isnan(values)]
        off = math.hypot(o.discrepancy, o.spread)
        if not len(there) or o.middle is None or o.relation not in ("=", "~", "in") or off == 0.0:
            continue
        apart = (o.middle - o.covers * float(np.median(there))) / off
        if abs(apart) >= STRETCHED:
            rows.append({"about": o.about, "written": o.written, "discrepancies": apart})
    return rows


def _told(o: Observation, i: int, weighing: Weighing) -> dict[str, Any]:
    """One observation as it was read, where the prior puts it, and how far it alone goes."""
    values = weighing.values[i]
    there = values[~np.isnan(values)] * o.covers
    alone = weights.fixed(weighing.by_observation[i])
    ends = [plain(np.quantile(there, q)) if len(there) else None for q in (0.05, 0.5, 0.95)]
    middle = o.middle
    return o.to_dict() | {
        "prior": {"p05": ends[0], "p50": ends[1], "p95": ends[2], "absent": 1.0 - len(there) / len(values)},
        "below": None if middle is None or not len(there) else float((there < middle).mean()),
        "chance": None if middle is None or not len(there) else as_far_out(o, there, middle),
        "effective": weights.effective(alone),
        "log_evidence": plain(log_mean(weighing.by_observation[i])),
    }


def as_far_out(o: Observation, values: np.ndarray, figure: float) -> float | None:
    """Chance, before anything was observed, of a figure at least as far out on its side, twice: values of the paths blurred by the
    discrepancy. A bound says no such thing, and a count has its own law."""
    if o.relation not in ("=", "~", "in"):
        return None
    spread = np.hypot(np.hypot(o.discrepancy, o.spread), o.covers_spread * values)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(spread > 0.0, (figure - values) / spread, np.sign(figure - values) * np.inf)
    below = float(np.mean([0.5 * math.erfc(-z / math.sqrt(2.0)) for z in np.nan_to_num(scores)]))
    return 2.0 * min(below, 1.0 - below)
