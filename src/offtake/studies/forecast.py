"""Forecasts for the ledger, and what they came to (E-05).

A forecast is read from a run, with what was observed or without; others' numbers of the same are its references, as they were known on the
book's day: what somebody claimed, the straight line of a contract, the last value and the drift of the series that a company names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from .. import montecarlo
from ..errors import QuestionError
from ..evidence.ledger import Forecast
from ..evidence.observations import Observation, now
from ..evidence.scores import brier, crps, log_score, pit, wilson
from ..facts import Facts
from ..montecarlo import Tally
from ..periods import Period
from ..plan import Plan
from ..questions import Question, question
from ..recount import reweigh
from ..tables import Stamp, plain
from .compare import Asked
from .history import WINDOW, extrapolated, unbroken
from .observe import MEASURE_OF, address_of, amount_of, asked, named
from .single import one
from .weighing import evidence_of, weigh

SAMPLES = 512
FEWEST = 6  # distinct target periods under which a score says nothing
SHOWN = {"p05": 0.05, "p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95}


def make(plan: Plan, book: str, addresses: Sequence[str], how: Asked, known: tuple[Sequence[Observation], Facts, Stamp]) -> list[Forecast]:
    """Forecasts of the addresses; of the measures of all signals where none is given. `known` has the evidence, the facts on record and the
    run's stamp. Raises QuestionError where there is nothing to forecast, or the evidence leaves too few paths."""
    observations, facts, stamp = known
    wanted = list(addresses) or [s.measure for s in plan.book.signals.values()]
    if not wanted:
        raise QuestionError("this book registers no signal; say what to forecast, as in 'revenue of companies.x @ 2027'")
    asking = {named(plan, q, row): one(q, row) for q, row in (asked(plan, text) for text in wanted)}
    found = evidence_of(plan, observations)
    run = montecarlo.run(plan, [*asking.values(), *found.questions], how.paths, how.seed, how.workers, how.reporter)
    if found.observations:
        weighing = weigh(plan, found, how, run)
        if not weighing.trusted or how.paths > montecarlo.KEPT:
            left = f"{weighing.effective:,.0f} effective paths of {how.paths:,}"
            raise QuestionError(f"the evidence leaves {left}, or more paths are asked than are kept; `offtake condition` says more")
        run = reweigh(run, weighing.weights)
    made = now()
    return [
        Forecast(
            made, book, about, q.measure.unit, str(plan.book.as_of.date()), str(last_day(plan, q.periods[0])),
            {name: float(tally.quantiles[p][0]) for name, p in SHOWN.items()}, _samples(run.alike(tally.kept)[0]),
            float(1.0 - tally.share[0]), _event(plan, about, run.alike(tally.kept)[0]), references(plan, about, q, facts),
            [f"{o.about} {o.written} ({o.document}, {o.published})" for o in found.observations], stamp.to_dict(),
        )
        for (about, q), tally in zip(asking.items(), run.tallies)
        if _answered(about, tally)
    ]  # fmt: skip


def beside(made: list[Forecast], others: Sequence[str]) -> list[Forecast]:
    """The one forecast with what others say of its number, `NAME=AMOUNT` each. Raises QuestionError."""
    if others and len(made) != 1:
        raise QuestionError(f"what others say is of one number; {len(made)} are recorded: record it alone")
    told = {}
    for text in others:
        name, equals, amount = (part.strip() for part in text.partition("="))
        if not equals or not name or not amount:
            raise QuestionError(f"'{text}' is no reference; write it as 'guidance=125 bn USD'")
        told[name] = amount_of(amount, made[0].unit)
    return [replace(f, references=f.references | told) for f in made]


def _answered(about: str, tally: Tally) -> bool:
    if not tally.count[0]:
        raise QuestionError(f"no path has a number for {about}: there is nothing to forecast")
    return True


def _samples(values: np.ndarray) -> list[float]:
    """Values at evenly spaced probabilities, equally likely."""
    there = np.sort(values[~np.isnan(values)])
    n = min(SAMPLES, len(there))
    found: list[float] = np.quantile(there, (np.arange(n) + 0.5) / n).tolist()
    return found


def _event(plan: Plan, about: str, values: np.ndarray) -> dict[str, float] | None:
    """The threshold that a signal states for this number, and the chance to lie above it."""
    for signal in plan.book.signals.values():
        if signal.threshold is not None and address_of(plan, signal.measure) == about:
            level = signal.threshold.median()
            return {"threshold": level, "above": float((values[~np.isnan(values)] > level).mean())}
    return None


def last_day(plan: Plan, period: Period) -> date:
    """Last day of a period's last month."""
    year, month = divmod(plan.start + period.last + 1, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


def references(plan: Plan, about: str, q: Question, facts: Facts) -> dict[str, float]:
    """Others' point forecasts of the same number, by name."""
    found: dict[str, float] = {}
    for name, claim in plan.book.claims.items():
        if claim.measure and claim.claimed is not None and address_of(plan, claim.measure) == about:
            found[f"claim {name}"] = claim.claimed.median()
    if q.measure.name == "revenue" and q.entity.axis == "contracts":
        line = question(plan, "straight_line", q.entity.label, q.by)
        found["straight line"] = float(montecarlo.run(plan, [_same(line, q)], 256, 1).tallies[0].mean[0])
    company = plan.book.companies.get(q.entity.label.removeprefix("companies."))
    for what, key in company.history.items() if company and q.entity.axis == "companies" else ():
        if MEASURE_OF[what] == q.measure.name:
            history = unbroken(facts.quarters(key, plan.book.as_of.date()))
            quarters = _quarters(plan, q)
            if quarters and len(history) > WINDOW:
                found |= extrapolated([f.value for f in history], [t - history[-1].quarter for t in quarters])
    return found


def _same(line: Question, q: Question) -> Question:
    return one(line, [p.label for p in line.periods].index(q.periods[0].label))


def _quarters(plan: Plan, q: Question) -> list[int]:
    """Quarters (since year 0, by their last month) that a flow's period is made of, or at whose end a stock is taken; none if it is not."""
    period = q.periods[0]
    last = plan.start + period.last
    if q.measure.kind == "stock":
        return [] if period.cut and period.last == plan.months - 1 else [last // 3]
    months = period.last - period.first + 1
    return [] if period.cut or months % 3 else [(last - 3 * k) // 3 for k in range(months // 3)]


def score(forecasts: Sequence[Forecast], outcomes: Sequence[tuple[str, Observation]]) -> dict[str, Any]:
    """Scores of every forecast whose number was printed since, and their means by series; `outcomes` are (book, observation)."""
    printed: dict[tuple[str, str], Observation] = {}
    for book, o in sorted(outcomes, key=lambda pair: pair[1].order):
        if o.relation in ("=", "~"):
            printed.setdefault((book, o.about), o)
    rows, pending = [], 0
    for f in forecasts:
        came = printed.get((f.book, f.about))
        if came is None or str(came.published) <= f.as_of:
            pending += 1
        else:
            rows.append(scored(f, came))
    series = list(dict.fromkeys((r["book"], r["series"]) for r in rows))
    return {"forecasts": len(forecasts), "pending": pending, "scored": rows, "series": [mean_of(rows, *key) for key in series]}


def scored(f: Forecast, came: Observation) -> dict[str, Any]:
    """One forecast against what was printed first: a `hindcast` where it was made on that day or later, though its book knew less."""
    assert came.middle is not None
    y, x = came.middle / came.covers, np.array(f.samples)
    own = crps(x, y)
    hit = None if f.event is None else brier(f.event["above"], y > f.event["threshold"])
    return {
        "book": f.book, "about": f.about, "series": f.about.partition(" @ ")[0], "period": f.ends, "unit": f.unit, "made": f.made,
        "as_of": f.as_of, "kind": "forecast" if f.made[:10] < str(came.published) else "hindcast", "published": str(came.published),
        "came": y, "p05": f.quantiles["p05"], "p50": f.quantiles["p50"], "p95": f.quantiles["p95"],
        "inside": f.quantiles["p05"] <= y <= f.quantiles["p95"], "crps": own, "log_score": plain(log_score(x, y)), "pit": pit(x, y),
        "brier": hit, "references": {name: abs(value - y) for name, value in f.references.items()},
    }  # fmt: skip


def mean_of(rows: Sequence[dict[str, Any]], book: str, series: str) -> dict[str, Any]:
    """Means of one series' scores; absent, and said so, below six distinct periods."""
    mine = [r for r in rows if (r["book"], r["series"]) == (book, series)]
    periods = len({r["period"] for r in mine})
    found: dict[str, Any] = {"book": book, "series": series, "unit": mine[0]["unit"], "forecasts": len(mine), "periods": periods}
    if periods < FEWEST:
        return found | {"verdict": f"not scored: {periods} distinct periods, {FEWEST} are needed"}
    share = sum(r["inside"] for r in mine) / len(mine)
    low, high = wilson(round(share * periods), periods)
    found |= {"crps": _mean([r["crps"] for r in mine]), "log_score": _mean([r["log_score"] for r in mine]),
              "pit": _mean([r["pit"] for r in mine]), "brier": _mean([r["brier"] for r in mine]),
              "covered": share, "covered_low": low, "covered_high": high}  # fmt: skip
    names = dict.fromkeys(name for r in mine for name in r["references"])
    return found | {"skill": {name: _skill(mine, name) for name in names}, "verdict": "scored"}


def _skill(rows: Sequence[dict[str, Any]], name: str) -> float | None:
    """1 - our CRPS over a reference's, over the forecasts that have it."""
    pairs = [(r["crps"], r["references"][name]) for r in rows if name in r["references"]]
    theirs = sum(p[1] for p in pairs)
    return 1.0 - sum(p[0] for p in pairs) / theirs if theirs > 0.0 else None


def _mean(values: Sequence[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if there else None
