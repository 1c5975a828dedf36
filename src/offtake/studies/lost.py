"""What the customer pays for and gets no progress from, and what the provider could not sell: by cause, mix of jobs and clouds (R-03)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..catalog import surface
from ..losses import RATIOS
from ..plan import Plan
from ..questions import Question, question
from ..units import format_interval, format_value
from .found import Asked

NAMES = tuple(name for name, _, _ in RATIOS)
CAUSES = {
    "no_progress_unfilled": "gangs that do not fit", "no_progress_overhead": "failures and checkpoints",
    "no_progress_idle": "hours paid and not used",
}  # fmt: skip
UNSOLD = {
    "unsold_late_power": "late power", "unsold_late_other": "late chips, halls and acceptance", "unsold_down": "failure and repair",
    "unsold_idle": "idle and not paid",
}  # fmt: skip
MIXES = {"no_progress_if_trace": "a public trace", "no_progress_if_half": "half and half", "no_progress_if_own": "the book's own workloads"}


def questions(plan: Plan, deal: str) -> Iterator[tuple[str, Question]]:
    """Over the whole horizon, of the subject; nothing in a book without a surface."""
    if plan.book.replay is not None:
        for name in NAMES:
            yield name, question(plan, name, deal, "total")


def found(a: Asked) -> dict[str, Any] | None:
    """Rows of every measure by name, and whether the mix of jobs moves the loss more than what the replays add to it."""
    rows = {name: a.at(name, "total") for name in NAMES}
    if a.plan.book.replay is None or any(row is None for row in rows.values()):
        return None
    mean = {name: row["mean"] or 0.0 for name, row in rows.items() if row is not None}
    mixes = [mean[name] for name in MIXES]
    added = mean["no_progress_unfilled"] + mean["no_progress_overhead"]
    moved = max(mixes) - min(mixes)
    upkeep = bool((a.plan.upkeep.every_x >= 0).any())
    return {"rows": rows, "upkeep": upkeep, "added_by_replays": added, "moved_by_mix": moved, "mix_moves_more": moved > added}


def _part(row: dict[str, Any]) -> str:
    return format_value(row["mean"], "share")


def _span(row: dict[str, Any]) -> str:
    return f"{format_value(row['mean'], 'share')} ({format_interval(row['p05'], row['p95'], 'share')})"


def sentence(told: dict[str, Any]) -> str:
    """What answer 4 says of it: to the customer, to the provider, under three mixes, and as one cloud."""
    rows = told["rows"]
    causes = ", ".join(f"{words} {_part(rows[name])}" for name, words in CAUSES.items())
    kinds = UNSOLD | ({"unsold_down": "failure, maintenance and outages"} if told["upkeep"] else {})
    unsold = ", ".join(f"{words} {_part(rows[name])}" for name, words in kinds.items())
    mixes = ", ".join(f"{words} {_part(rows[name])}" for name, words in MIXES.items())
    apart = 100.0 * ((rows["no_progress"]["mean"] or 0.0) - (rows["no_progress_if_one"]["mean"] or 0.0))
    head = "The mix of jobs moves what follows more than gangs and failures add to it: of" if told["mix_moves_more"] else "Of"
    one = f"As one cloud with the same GPUs {_span(rows['no_progress_if_one'])}: "
    one += f"keeping clouds apart takes {apart:.1f} points of what is charged."
    return (
        f"{head} what the customer is charged, {_span(rows['no_progress'])} buys no progress: {causes}. By mix of jobs: {mixes}. {one}\n"
        f"Of what the provider could sell, {_span(rows['unsold'])} is not sold: {unsold}."
    )


def table(told: dict[str, Any], name: str) -> dict[str, Any]:
    """The same as a table of the report, with what stands behind it."""
    about = surface.about(name)
    lines = [("buys the customer no progress, of what it is charged", "no_progress"), *((w, n) for n, w in CAUSES.items())]
    lines += [(f"mix of jobs: {w}", n) for n, w in MIXES.items()] + [("were the same GPUs one cloud", "no_progress_if_one")]
    lines += [("not sold, of what the provider could sell", "unsold"), *((w, n) for n, w in UNSOLD.items())]
    shown = [(words, told["rows"][n]) for words, n in lines]
    rows = [[words, row["mean"], format_interval(row["p05"], row["p95"], "share")] for words, row in shown]
    return {
        "section": "concentration", "title": "Hours that serve nobody",
        "columns": ["share of value over the horizon", "mean", "90 % interval"],
        "units": [None, "share", None], "rows": rows,
        "note": (
            f"From {int(about['replays']):,} replays ({int(about['jobs']):,} jobs) on {about['machines']}: surface `{name}`, its occupancy "
            f"off by {100 * float(about['occupancy leave-one-out']):.1f} points where a replay is left out. Causes add up."
        ),
    }  # fmt: skip


def behind(plan: Plan, rule: str) -> dict[str, Any]:
    """What stands behind a number of rule R-03: the surface, its errors, and the replays nearest to this book at full load."""
    asked = plan.book.replay
    if asked is None or rule != "R-03":
        return {}
    clouds = len(plan.names.contracts)
    low, high = surface.axis(asked.surface, "failures")
    mix, failures = asked.mix.median(), min(max(asked.failures.median(), low), high)

    def far(row: dict[str, str]) -> float:
        return abs(float(row["mix"]) - mix) + abs(float(row["failures"]) - failures) / high + abs(float(row["load"]) - 1.0) + (
            abs(float(row["clouds"]) - clouds) / max(clouds, 8)
        )

    nearest = sorted(surface.rows(asked.surface, "replays"), key=far)[:5]
    keep = (*surface.AXES, *surface.OUTPUTS)
    return {"replays": {"surface": asked.surface} | surface.about(asked.surface), "nearest_replays": [
        {key: float(row[key]) for key in keep} | {"seed": int(row["seed"])} for row in nearest
    ]}  # fmt: skip
