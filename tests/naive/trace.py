"""A job trace read row by row, in plain Python, as docs/traces.md says; what `traces.canonical` and `traces.copied` are held to."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

CLASSES = {"BE": 0, "Burstable": 1, "LS": 2, "Guaranteed": 3}
YEARS = 20 * 365.25 * 86_400


def number(text: str | None) -> float | None:
    """A finite number, None for anything else."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def left_out(job: str, submit: float | None, duration: float | None, gpus: float | None) -> str | None:
    """The rule for which a row is left out: the first that it breaks."""
    tests = [
        (not job, "a job has an id"),
        (submit is None, "a job states when it was submitted, in seconds since the start"),
        (submit is not None and submit < 0, "times count from the trace's start: none is below 0"),
        (gpus is None, "a job states its GPUs"),
        (gpus is not None and gpus <= 0, "a job has one GPU or more"),
        (duration is None, "a job states its run time in seconds"),
        (duration is not None and duration < 0, "a run time is not below 0"),
        (gpus is not None and gpus > 1e9, "a job has no more than a billion GPUs"),
        (duration is not None and duration > YEARS, "a run time is below 20 years"),
    ]
    return next((rule for broken, rule in tests if broken), None)


def read(text: str) -> dict[str, Any]:
    """Jobs in order as (submit, id, duration, GPUs, priority, pool, least, latest), and rows by rule: left out, kept otherwise."""
    jobs, skipped, changed, seen = [], dict[str, int](), dict[str, int](), set[str]()
    latest_yet, lost, unknown, count = -math.inf, 0.0, 0, 0
    for row in csv.DictReader(io.StringIO(text)):
        count += 1
        cells = {name: (value or "").strip() for name, value in row.items()}
        submit, duration, gpus = (number(cells[name]) for name in ("submit_s", "duration_s", "gpus"))
        job = cells["job_id"]
        rule = left_out(job, submit, duration, gpus) or ("an id stands once" if job in seen else None)
        seen |= {job} - {""}
        if rule:
            skipped[rule] = skipped.get(rule, 0) + 1
            if gpus is not None and gpus <= 0:
                continue
            if gpus is None or duration is None or gpus > 1e9 or duration > YEARS:
                unknown += 1
            else:
                lost += math.ceil(gpus) * max(duration, 0) / 3600
            continue
        assert submit is not None and duration is not None and gpus is not None
        least, latest, milli = number(cells["min_gpus"]), number(cells["latest_s"]), number(cells["gpu_milli"])
        word = cells["priority"]
        rank = 0 if not word else CLASSES.get(word, int(word) if word.lstrip("-").isdigit() else None)
        tests = [
            (gpus != math.ceil(gpus) or (milli is not None and milli < 1000), "a part of a GPU counts as a whole one"),
            (least is not None and not 1 <= least <= gpus, "a job shrinks to 1 GPU or more of its own; else it keeps them all"),
            (latest is not None and latest < submit, "a job may be put off until after its submission; else it is not put off"),
            (rank is None, "a priority is a whole number or one of BE, Burstable, LS, Guaranteed; else it counts as 0"),
        ]
        other = next((told for broken, told in tests if broken), None)
        late = submit < latest_yet
        for told in ([other] if other else []) + (["jobs stand in the order of their submission; they are sorted"] if late else []):
            changed[told] = changed.get(told, 0) + 1
        latest_yet = max(latest_yet, submit)
        whole = math.ceil(gpus)
        least = math.ceil(least) if least is not None and 1 <= least <= gpus else whole
        latest = latest if latest is not None and latest >= submit else -1.0
        jobs.append((submit, job, duration, whole, rank or 0, cells["pool"] or None, least, latest))
    plain = all(j.isdigit() and str(int(j)) == j for j in seen) and "a job has an id" not in skipped
    jobs.sort(key=lambda j: (j[0], int(j[1]) if plain else j[1].encode()))
    return {"jobs": jobs, "skipped": skipped, "changed": changed, "hours": lost, "unknown": unknown, "read": count}
