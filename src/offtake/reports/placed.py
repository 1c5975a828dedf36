"""Where jobs go, as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from ..quotas import DUST
from ..units import format_value
from .terminal import grid


def job_text(found: dict[str, Any], width: int) -> str:
    """The pool, why, the runner-up, every pool, and what was taken as given."""
    job, best = found["job"], found["best"]
    asked = f"{job['gpus']:,} GPUs for {job['hours']:g} h" + "".join(f", {job[key]}" for key in ("workload", "chip") if job[key])
    lines = textwrap.wrap(_answer(found) if best else _nowhere(found["nowhere"]), width)
    lines += ["", grid([_cells(row) for row in found["pools"]], width, "--json has all"), ""]
    rooms = ((row["pool"], f"{row['told']}; would make room: {row['room']}") for row in found["pools"] if row["cause"])
    queues = ((row["pool"], told) for row in found["pools"] for told in row["queue_told"])
    of_pools = [f"{pools}: {told}." for pools, told in _alike(rooms)]
    of_pools += [f"Queue at {pools}: {told}." for pools, told in _alike(queues)]
    for said in [*of_pools, *(f"{note[0].upper()}{note[1:]}." for note in found["notes"]), _basis(found, asked)]:
        lines += textwrap.wrap(said, width, break_on_hyphens=False)
    return "\n".join(lines)


def _answer(found: dict[str, Any]) -> str:
    best, second = found["best"], found["runner_up"]
    told = f"{best['pool']} ({best['cloud']}): {_usd(best['total_usd'])}, {_rate(best)} a GPU-h; {', then '.join(best['why'])}."
    if best["queue_h"] == 0.0:
        told += " No wait is expected."
    elif best["queue_h"] is not None:
        longest = "" if best["queue_p95_h"] is None else f", 95 % of such gangs no more than {format_hours(best['queue_p95_h'])}"
        told += f" Expected to wait {_hours(best)}{longest}."
    if second:
        share = "" if found["worse_share"] is None else f", {100 * found['worse_share']:.1f} %"
        more = "as cheap"
        if found["worse_usd"] is None:
            more = "whose queue is not known"
        elif found["worse_usd"] > 0.0:
            more = f"{_usd(found['worse_usd'])}{share} more"
        told += f" Next: {second['pool']}, {more}."
    if found["value_usd"] is not None and best["total_usd"] > found["value_usd"]:
        told += f" That is more than the work is worth by the book ({_usd(found['value_usd'])})."
    return told


def _nowhere(row: dict[str, Any]) -> str:
    return f"Nowhere. Nearest: {row['pool']} ({row['cause']}): {row['told']}; would make room: {row['room']}."


def _usd(value: float | None) -> str:
    return format_value(value, "USD")


def _rate(row: dict[str, Any]) -> str:
    return format_value(row["marginal_usd_per_gpu_h"], "USD")


def format_hours(hours: float) -> str:
    """As 5 min, 3.4 h, 120 h."""
    if hours < 1.0:
        return f"{60.0 * hours:.0f} min"
    return f"{hours:,.0f} h" if hours >= 100.0 else f"{hours:.1f} h"


def _hours(row: dict[str, Any]) -> str:
    """The queue of a pool; a dash where nobody knows it."""
    if row["queue_h"] is None:
        return "–"
    return f"{'at most ' if row['queue_at_most'] else ''}{format_hours(row['queue_h'])}"


def _alike(told: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pools of which the same is said, together."""
    said: dict[str, list[str]] = {}
    for pool, text in told:
        said.setdefault(text, []).append(pool)
    for text, pools in said.items():
        yield ", ".join(pools), text


def _cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "pool": row["pool"], "total": _usd(row["total_usd"]) if row["cause"] is None else row["cause"], "a GPU-h": _rate(row),
        "queue": _hours(row).replace("at most ", "<= "), "moving": _usd(row["moving_usd"]), "free": f"{row['free_gpus']:,}",
        "ready": f"{int(row['ready_gpus'] + DUST):,}", "runs": f"{row['run_h']:,.1f} h", "cloud": row["cloud"],
    }  # fmt: skip


def _basis(found: dict[str, Any], asked: str) -> str:
    state = found["state"]
    busy = "no state was given: nothing counts as busy"
    if state:
        busy = f"busy by {state['file']} of {state['at']}: {state['busy_gpus']:,} GPUs"
    return f"{asked}; prices of {found['month']} on the mean path (seed {found['seed']}), {busy}."


def batch_text(found: dict[str, Any], width: int) -> str:
    """Totals, the gap to the bound, every job, and what was taken as given."""
    gap = "" if found["gap_share"] is None else f" ({100 * found['gap_share']:.2f} %)"
    head = (
        f"{found['placed']:,} of {len(found['jobs']):,} jobs placed in {found['window_h']:,.1f} h: {_usd(found['total_usd'])}; "
        f"no placement of them can cost less than {_usd(found['bound_usd'])}: at most {_usd(found['gap_usd'])}{gap} too much."
    )
    rows = [
        {"job": row["job"], "pool": row["pool"] if row["cause"] is None else "nowhere", "total": _usd(row["total_usd"]),
         "a GPU-h": _rate(row), "GPUs": f"{row['gpus']:,}", "runs": f"{row['run_h']:,.1f} h",
         "why": row["cause"] or ", then ".join(row["why"])}
        for row in found["jobs"]
    ]  # fmt: skip
    lines = [*textwrap.wrap(head, width), "", grid(rows, width, "--json has all"), ""]
    rooms = [f"{r['job']}: nearest {r['pool']}: {r['told']}; would make room: {r['room']}." for r in found["jobs"] if r["cause"]]
    notes = [f"{note[0].upper()}{note[1:]}." for note in found["notes"]]
    for said in [*rooms, f"Order: {found['order']}.", *notes, _basis(found, f"{len(found['jobs']):,} jobs")]:
        lines += textwrap.wrap(said, width, break_on_hyphens=False)
    return "\n".join(lines)
