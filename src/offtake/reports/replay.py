"""A replay as text for a terminal; formatting only."""

from __future__ import annotations

import textwrap
from typing import Any

from .terminal import grid

GROUPS = {
    "useful": {"useful": "useful"},
    "overhead": {"checkpointing": "checkpoints", "restart": "restarts", "lost_work": "lost work", "slowdown": "slowdown, gang apart"},
    "down": {"failure": "failed, not noticed", "repair": "repair", "maintenance": "maintenance", "power": "no power"},
    "idle": {
        "spare": "spares", "fragmentation": "no place for the gang", "assembling": "gang assembling", "reserved": "reserved by backfill",
        "not_allowed": "not allowed", "not_worth": "a move would not pay", "put_off": "jobs put off", "no_demand": "no demand",
    },
}  # fmt: skip


COUNTS = {
    "interruptions": "interruptions", "preemptions": "preemptions", "moved": "moves to another pool", "spread_out": "gangs set apart",
    "resized": "changes of size",
}  # fmt: skip


def _from(found: dict[str, Any]) -> str:
    mix = found["book"]["mix"] if "book" in found else "trace"
    name = found["stamp"]["trace"]
    told = {"trace": name, "book": "the book's own workloads", "half": f"{name} and the book's own workloads, half each"}
    return str(told[mix])


def _about(about: dict[str, Any]) -> str:
    """Window, demand and scale of a book's replay, and what was left out or cut."""
    left = sum(about["left_out_gpu_h"].values())
    parts = [
        f"The book's pools on its mean path, {about['months'][0]} to {about['months'][1]}; its workloads ask for "
        f"{about['demand_gpu_h'] / 1e6:,.1f} M GPU-h."
    ]
    if about["scale"] > 1:
        parts.append(f"Replayed 1 : {about['scale']}: pools, hours and the book's gangs are that much smaller, a trace's jobs are not.")
    if left >= 5e4:
        parts.append(f"Left out: {left / 1e6:,.1f} M GPU-h of parts of a node.")
    for name, cut in about["gangs_cut"].items():
        parts.append(f"The gang of {name} is cut from {cut['stated']:,} to {cut['replayed']:,} GPUs: no pool holds more.")
    parts += [_follows(name, told) for name, told in about["inference"].items()]
    return " ".join(parts + [_stops(site, stops) for site, stops in about["stops"].items()])


def _follows(name: str, told: dict[str, Any]) -> str:
    """What the inference of a workload follows, and its peak over its mean."""
    peak = f"peak {told['peak_over_mean']:.2f} times the mean"
    if told["follows"] == "requests":
        span = f"{told['requests']:,} requests of {told['file']}, {told['trace']}, in {told['steps']:,} steps of {_time(told['step_s'])}"
        by = "by the clock" if told["begins_at_s"] is not None else "from the replay's beginning on"
        again = f" It repeats every {_figure(told['repeats_s'] / 3600.0)} h, {by}."
        many, last = told["left_out"], "day" if told["days"] else "step"
        left = f" Left out: {many:,} request{'s' * (many != 1)} after its last whole {last}." if many else ""
        return f"{name} follows {span} ({peak}), scaled to its GPU-hours of each month, headroom inside, one replica at least.{again}{left}"
    return f"{name} follows {'its profile' if told['follows'] == 'profile' else 'an assumed day'} ({peak})."


def _stops(site: str, stops: dict[str, Any]) -> str:
    """What a site states of maintenance and outages, and what share of the time it comes to."""
    told = []
    if found := stops.get("maintenance"):
        often = "month" if (months := _months(found["every_months"])) == "1 month" else months
        told.append(f"{_figure(found['length_h'])} h of maintenance every {often} ({_share(found['share'])})")
    if found := stops.get("outages"):
        often = f"{found['times']:,} time{'s' * (found['times'] != 1)} in this replay"
        told.append(
            f"{_figure(found['length_h'])} h without power after {_months(found['every_months'])} with it on average "
            f"({_share(found['share'])}; {often})"
        )
    return f"{site} states {' and '.join(told)}."


def _months(many: float) -> str:
    shown = _figure(many)
    return f"{shown} month{'s' * (shown != '1')}"


def _figure(value: float) -> str:
    """Three figures, never a power of ten: 0.657, 36, 1,570."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def _open(found: dict[str, Any], unfinished: int) -> str:
    return f"; {unfinished:,} had not ended when the replay stopped, {found['jobs'] - found['started']:,} of them never started"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:,.1f} s"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def replay_text(found: dict[str, Any], width: int) -> str:
    """Waits, rates, bins by pool, waits by size, and what the replay took as given."""
    rules = found["stamp"]["rules"]
    unfinished = found["jobs"] - found["finished"]
    lines = textwrap.wrap(
        f"{found['jobs']:,} jobs of {_from(found)}, policy {rules['policy']}" + (_open(found, unfinished) if unfinished else "") + ".",
        width,
    )
    if about := found.get("book"):
        lines += textwrap.wrap(_about(about), width)
    lines += textwrap.wrap(
        f"Wait: mean {_time(found['mean_wait_s'])}, median {_time(found['p50_wait_s'])}, 95th percentile {_time(found['p95_wait_s'])}. "
        f"Makespan {_time(found['makespan_s'])}. Occupancy {_share(found['occupancy'])} of the GPU time not down, goodput "
        f"{_share(found['goodput'])} of that, availability {_share(found['availability'])}.",
        width,
    )
    if told := [f"{name}: {found[key]:,}" for key, name in COUNTS.items() if found[key]]:
        lines += textwrap.wrap(", ".join(told) + f"; {found['lost_gpu_h']:,.1f} GPU-h of work lost.", width)
    lines += _beside(found, width)
    lines += ["", f"Every ready GPU-hour in one bin ({found['ready_gpu_h']:,.1f} GPU-h ready):", ""]
    lines.append(grid(_bins(found), width, "--json has all"))
    sizes = [
        {"gang": _sizes(r), "jobs": f"{r['jobs']:,}", "mean wait": _time(r["mean_wait_s"]), "median": _time(r["p50_wait_s"]),
         "95th": _time(r["p95_wait_s"]), "slowdown": "–" if r["mean_slowdown"] is None else f"{r['mean_slowdown']:,.1f}x"}
        for r in found["sizes"]
    ]  # fmt: skip
    lines += ["", grid(sizes, width, "--json has all")]
    if rows := found.get("compare"):
        lines += ["", "The same jobs with and without, as stated first:", "", grid([_choice(row) for row in rows], width, "--json has all")]
    if refused := found["refused"]:
        lines += ["", *textwrap.wrap(_left_out(refused), width)]
    if rules["failures"]:
        lines += ["", *textwrap.wrap(_failures(rules), width)]
    return "\n".join(lines)


def _beside(found: dict[str, Any], width: int) -> list[str]:
    """What inference did without, and what the allocated time costs."""
    lines: list[str] = []
    for name, fleet in found["inference"].items():
        share = fleet["unmet_gpu_h"] / fleet["asked_gpu_h"] if fleet["asked_gpu_h"] else None
        wish = f"{fleet['asked_gpu_h']:,.1f} GPU-h wanted hour by hour, {fleet['unmet_gpu_h']:,.1f} of them unmet ({_share(share)})"
        lines += textwrap.wrap(f"Inference {name}: {wish}.", width)
    if found["usd"]:
        lines += textwrap.wrap(f"Allocated GPU time costs {found['usd']:,.0f} USD at the prices of its pools.", width)
    return lines


def _bins(found: dict[str, Any]) -> list[dict[str, str]]:
    pools = found["pools"]
    rows = []
    for group, names in GROUPS.items():
        for key, name in names.items():
            bin_ = found["bins"][key]
            if bin_["gpu_ms"] or key in ("useful", "no_demand"):
                full = name if group == "useful" else f"{group}: {name}"
                row = {"of ready GPU time": full, "share": _share(bin_["share"]), "GPU-h": f"{bin_['gpu_h']:,.1f}"}
                rows.append(row | ({p: _share(pools[p]["bins"][key]["share"]) for p in pools} if len(pools) > 1 else {}))
    return rows


def _choice(row: dict[str, Any]) -> dict[str, str]:
    kept = {name: "with" if row[name] else "without" for name in ("segment", "spares") if name in row}
    return kept | {
        "occupancy": _share(row["occupancy"]), "goodput": _share(row["goodput"]), "mean wait": _time(row["mean_wait_s"]),
        "95th": _time(row["p95_wait_s"]), "stranded GPU-h": f"{row['stranded_gpu_h']:,.1f}", "spare GPU-h": f"{row['spare_gpu_h']:,.1f}",
        "finished": f"{row['finished']:,}",
    }  # fmt: skip


def _sizes(row: dict[str, Any]) -> str:
    return f"{row['from_gpus']:,}" if row["from_gpus"] == row["to_gpus"] else f"{row['from_gpus']:,} to {row['to_gpus']:,}"


def _failures(rules: dict[str, Any]) -> str:
    failures, saving = rules["failures"], rules["saving"]
    interval = "Daly's optimum for each gang" if saving["interval"] is None else _time(saving["interval"])
    written = (
        f"a checkpoint takes {_time(saving['write'])}, a restart {_time(saving['restart'])}, between checkpoints {interval}"
        if saving["write"]
        else "no checkpoints: an interrupted job starts again from its beginning"
    )
    return f"Failures: {failures['rate']:.3g} per GPU-day ({failures['source']}); {written}."


def _left_out(refused: dict[str, Any]) -> str:
    """Rows of the trace that were not replayed, by rule, with their GPU time; and those counted otherwise."""
    told = f"Left out: {refused['rows_skipped']:,} of {refused['rows_read']:,} rows, {refused['skipped_gpu_h']:,.1f} GPU-h"
    if refused["skipped_without_gpu_h"]:
        told += f" and that of {refused['skipped_without_gpu_h']:,} rows which do not say it"
    if refused["skipped"]:
        told += f" ({'; '.join(f'{n:,}: {rule}' for rule, n in refused['skipped'].items())})"
    return told + "".join(f"; {n:,} kept: {rule}" for rule, n in refused["changed"].items()) + "."
