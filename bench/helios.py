"""Helios Earth, May 2020: the observed allocation beside a replay of a like load; `python -m bench helios` draws docs/helios.svg.

The published utilisation holds no jobs: GPUs that run and GPUs that wait, by minute and virtual cluster. So jobs are borrowed: those of
philly2017, in their order and with their run times, for each virtual cluster until they ask for the GPU-hours that it was seen to run,
those larger than the cluster left out. Each is submitted at a moment drawn from the observed arrivals of work: in proportion to the GPUs
that ran in the hour; the first week runs once more before it, so that the machines are full when the month begins. A job runs in its own
virtual cluster alone, on nodes of 8, under backfill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from offtake.fleet import Pool, Rules, run_jobs
from offtake.kernels import replay_state as k
from offtake.reports import svg
from offtake.traces import read_jobs

from .replay import ROOT, TRACES

HOURS = 744
WARM = 168  # hours of the first week, run once more before it, that fill the machines
FILE = ROOT / "docs" / "helios.svg"
BLUE, SAND = "#5b8fc4", "#e7b48c"


def observed() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Virtual clusters (V,), their GPUs (V,), and hourly means of GPUs that run and that wait (V, 744)."""
    import polars as pl

    frame = pl.read_parquet(TRACES / "util_helios_earth_202005.parquet").sort("pool", "t_s")
    pools = frame["pool"].unique().sort().to_list()
    gpus = np.array([int(frame.filter(pl.col("pool") == pool)["total_gpus"].max()) for pool in pools])
    run, wait = (frame[name].to_numpy().reshape(len(pools), HOURS, 60).mean(axis=2) for name in ("running_gpus", "pending_gpus"))
    return pools, gpus, run, wait


def borrowed(gpus: np.ndarray, run: np.ndarray, seed: int = 1) -> k.Jobs:
    """Jobs of philly2017 for each virtual cluster, submitted while it was seen to run."""
    rng, source = np.random.default_rng(seed), read_jobs(TRACES / "jobs_philly2017.parquet")
    work = source.gpus * source.duration_s / 3600.0
    rows, first = [], 0
    seen = np.concatenate([run[:, :WARM], run], axis=1)
    for pool, size in enumerate(gpus):
        fits = np.flatnonzero((source.gpus <= size) & (source.duration_s <= 86_400.0 * 7))
        turn = np.roll(fits, -first)
        many = int(np.searchsorted(np.cumsum(work[turn]), seen[pool].sum()))
        first += many
        hour = rng.choice(HOURS + WARM, many, p=seen[pool] / seen[pool].sum())
        for job, at in zip(turn[:many], (hour + rng.random(many)) * 3600.0, strict=True):
            rows.append((at, source.duration_s[job], source.gpus[job], 1 << pool))
    table = np.array(sorted(rows))
    ms = np.rint(table[:, :2] * 1000.0).astype(np.int64)
    return k.Jobs(ms[:, 0], np.maximum(ms[:, 1], 1), table[:, 2].astype(np.int32), np.zeros(1, np.int16), table[:, 3].astype(np.int64))


def replayed(pools: Sequence[str], gpus: np.ndarray, jobs: k.Jobs) -> tuple[np.ndarray, np.ndarray]:
    """Hourly means of GPUs that run and that wait (744,) in the replay."""
    places = [Pool(name, ((0.0, int(size)),), 8, 8) for name, size in zip(pools, gpus, strict=True)]
    found = run_jobs(jobs, places, Rules("backfill", 100, until=(WARM + HOURS) * 3600.0, move=None))
    end = (WARM + HOURS) * 3_600_000
    begun = np.where(found.begun >= 0, found.begun, end)
    ended = np.where(found.ended >= 0, found.ended, end)
    return hourly(begun, ended, jobs.gpus), hourly(jobs.submit, begun, jobs.gpus)


def hourly(begins: np.ndarray, ends: np.ndarray, gpus: np.ndarray) -> np.ndarray:
    """Mean GPUs by hour of what lasts from `begins` to `ends`, milliseconds."""
    edges = (WARM + np.arange(HOURS + 1)) * 3_600_000
    order, back = np.argsort(begins), np.argsort(ends)

    def until(times: np.ndarray, size: np.ndarray, edge: np.ndarray) -> np.ndarray:
        """GPU-ms that would have passed by each edge, had nothing of this ended."""
        count, moment = np.concatenate([[0.0], np.cumsum(size)]), np.concatenate([[0.0], np.cumsum(size * times.astype(float))])
        at = np.searchsorted(times, edge)
        passed: np.ndarray = count[at] * edge - moment[at]
        return passed

    held = until(begins[order], gpus[order].astype(float), edges) - until(ends[back], gpus[back].astype(float), edges)
    return np.diff(held) / 3_600_000


def told(gpus: float, run: np.ndarray, wait: np.ndarray) -> str:
    low, high = np.percentile(run, [5, 95])
    return (
        f"allocated {100 * run.mean() / gpus:.1f} % (90 % of hours {100 * low / gpus:.0f} to {100 * high / gpus:.0f} %), "
        f"GPUs asked for by those who wait {wait.mean():.0f} on average"
    )


def panel(title: str, gpus: float, run: np.ndarray, wait: np.ndarray) -> str:
    """GPUs that run, and on top of them those that wait, over the days of May."""
    top, left, wide = 1000.0, svg.LEFT, svg.WIDTH - svg.LEFT - svg.RIGHT
    high = svg.HEIGHT - svg.TOP - svg.BOTTOM

    def place(hour: float, value: float) -> str:
        return f"{left + wide * hour / HOURS:.1f},{svg.TOP + high * (1.0 - value / top):.1f}"

    def area(values: np.ndarray, colour: str) -> str:
        points = " ".join(place(hour, min(float(v), top)) for hour, v in enumerate(values))
        return f"<polygon points='{place(0, 0)} {points} {place(HOURS - 1, 0)}' fill='{colour}'/>"

    parts = [svg.text(left, 18, title, "start", more="font-weight='600'"), svg.text(left, 36, told(gpus, run, wait), "start", svg.GREY)]
    parts += [area(run + wait, SAND), area(run, BLUE)]
    for value in range(0, 1001, 250):
        y = svg.TOP + high * (1.0 - value / top)
        parts += [svg.line(left, y, left + wide, y), svg.text(left - 8, y + 4, f"{value:,} GPU", "end", svg.GREY)]
    y = svg.TOP + high * (1.0 - gpus / top)
    parts += [svg.line(left, y, left + wide, y, svg.INK, 1.5), svg.text(left + wide, y - 5, f"{gpus:.0f} GPU there are", "end")]
    for day in range(1, 32, 5):
        x = left + wide * (day - 1) * 24 / HOURS
        parts.append(svg.text(x, svg.TOP + high + 18, f"{day} May", "middle", svg.GREY))
    for n, (colour, words) in enumerate(((BLUE, "allocated"), (SAND, "asked for by jobs that wait, up to 1,000 GPU in all"))):
        x, base = left + 150 * n, svg.TOP + high + 40
        parts.append(f"<rect x='{x}' y='{base - 10}' width='12' height='12' fill='{colour}'/>")
        parts.append(svg.text(x + 18, base, words, "start", svg.GREY))
    return "".join(parts)


def compare() -> Iterator[str]:
    """Both in words, and the picture."""
    if not (TRACES / "util_helios_earth_202005.parquet").exists():
        yield "../shared/traces is not here"
        return
    pools, gpus, run, wait = observed()
    jobs = borrowed(gpus, run)
    found = replayed(pools, gpus, jobs)
    total, seen = float(gpus.sum()), (run.sum(axis=0), wait.sum(axis=0))
    yield f"observed: {told(total, *seen)}"
    yield f"replayed: {told(total, *found)}; {len(jobs.submit):,} jobs"
    panels = [panel("Helios Earth, May 2020, as observed", total, *seen), panel("A replay of a like load", total, *found)]
    Path(FILE).write_text(svg.page(panels, "Helios Earth, observed allocation beside a replay of a like load"), encoding="utf-8")
    yield f"picture: {FILE.relative_to(ROOT)}"
