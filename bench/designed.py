"""Replays that the documentation quotes: training runs up to 200,000 GPUs, policies with and without, waits on larger machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np

from offtake.catalog import surface
from offtake.fleet import Pool, Rules, Saving, Service, run_jobs
from offtake.fleet.known import LLAMA3, LLAMA3_SAVING
from offtake.kernels import replay_state as k
from offtake.studies import distil
from offtake.studies.mixes import jobs_of, kinds_of
from offtake.studies.waits import TOPS, waited

DAY = 86_400.0
DAYS = 54
SIZES = (16_384, 32_768, 65_536, 100_000, 131_072, 200_000)
SAVINGS = ((10.0, 120.0), (30.0, 300.0), (60.0, 300.0), (60.0, 600.0), (180.0, 600.0))
Policy = tuple[int, int, Service | None]
MIX = kinds_of(surface.rows("nvl72", "mix"))


def training(gpus: int, write: float, restart: float, seeds: int) -> tuple[float, float]:
    """Share of 54 days that one gang's progress takes, and its interruptions: means of seeds; a sixteenth more GPUs stand as spares."""
    spares = gpus // 16 // 8 * 8
    submit, length = np.zeros(1, np.int64), np.array([int(DAYS * DAY * 1000)])
    work = k.Jobs(submit, length, np.array([gpus], np.int32), np.zeros(1, np.int16), np.ones(1, np.int64))
    pool = Pool("cluster", ((0.0, gpus + spares),), node=8, domain=8, spares=spares)
    kept, broken = [], []
    for seed in range(1, seeds + 1):
        rules = Rules(failures=LLAMA3, saving=Saving(write, restart), until=DAYS * DAY, seed=seed)
        told = run_jobs(work, [pool], rules).to_dict()
        kept.append(told["bins"]["useful"]["gpu_h"] / (gpus * DAYS * 24.0))
        broken.append(told["interruptions"])
    return float(np.mean(kept)), float(np.mean(broken))


def table_of_training(sizes: tuple[int, ...] = SIZES, seeds: int = 4) -> Iterator[str]:
    """Rows of the table in docs/replay.md."""
    for gpus in sizes:
        found = [training(gpus, *saving, seeds) for saving in SAVINGS]
        yield f"| {gpus:,} | " + " | ".join(f"{100 * kept:.1f} %" for kept, _ in found) + f" | {found[1][1]:,.0f} |"


def designed(
    gpus: int, pools: int, load: float, mix: float, policy: Policy = (64, 0, None), times: int = 1, seed: int = 1
) -> dict[str, float]:
    """Occupancy, goodput and waits of one replay like those of the design, without growth, at the published failures.

    `policy` is the segment and the spares of a rack, and maintenance; gangs are `times` as large as in the mix.
    """
    m, months = distil.Machines(), 5
    each = gpus // pools // m.domain * m.domain
    kinds = [replace(kind, gpus=kind.gpus * times) for kind in MIX]
    jobs = jobs_of(kinds, mix, [load * each * pools * distil.MONTH / 3600.0] * months, distil.MONTH, seed)
    segment, spares, service = policy
    found = [Pool(f"cloud-{n}", ((0.0, each),), m.node, m.domain, segment, each // m.domain * spares) for n in range(pools)]
    rules = Rules("backfill", m.depth, move=m.move_s, failures=LLAMA3, saving=LLAMA3_SAVING, until=months * distil.MONTH, seed=seed)
    outcome = run_jobs(jobs, found, replace(rules, service=service))
    told = outcome.to_dict()
    waits = waited(replace(outcome, jobs=jobs._replace(gpus=jobs.gpus // times)), distil.MONTH, (months - 1) * distil.MONTH)
    return {key: told[key] for key in ("occupancy", "goodput")} | {str(top): waits[f"mean_{top}"] / 3600.0 for top in TOPS}


POLICIES: dict[str, Policy] = {
    "segment 64, no spares": (64, 0, None), "whole rack as segment": (72, 0, None), "no segment": (0, 0, None),
    "segment 64, 4 spares a rack": (64, 4, None), "segment 64, 8 spares a rack": (64, 8, None),
}  # fmt: skip


def table_of_policies(load: float = 0.95, mix: float = 0.5, pools: int = 2, seeds: int = 3) -> Iterator[str]:
    """Rows of the table of docs/replay.md: what fills under each policy at a load that no policy can take."""
    for name, policy in POLICIES.items():
        rows = [designed(4_608, pools, load, mix, policy, seed=seed) for seed in range(1, seeds + 1)]
        mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
        hours = " | ".join(f"{mean[str(t)]:,.1f} h" for t in TOPS)
        yield f"| {name} | {100 * mean['occupancy']:.1f} % | {100 * mean['goodput']:.1f} % | {hours} |"


SERVICES = (Service(90 * DAY, 8 * 3600.0), Service(30 * DAY, 24 * 3600.0))


def table_of_maintenance(
    loads: tuple[float, ...] = (0.85, 0.95, 1.0), mixes: tuple[float, ...] = (0.0, 0.5, 1.0), pools: int = 2, seeds: int = 6
) -> Iterator[str]:
    """Rows of docs/replay.md: occupancy and goodput without maintenance, and by how many points each of SERVICES moves them where as large
    a share of the hours that are left is asked for; with standard errors over the seeds."""
    for mix, load in product(mixes, loads):
        bare = [designed(4_608, pools, load, mix, seed=seed) for seed in range(1, seeds + 1)]
        cells = [f"{100 * np.mean([row[key] for row in bare]):.2f} %" for key in ("occupancy", "goodput")]
        for service in SERVICES:
            left = load * (1.0 - service.length / service.every)
            rows = [designed(4_608, pools, left, mix, (64, 0, service), seed=seed) for seed in range(1, seeds + 1)]
            for key in ("occupancy", "goodput"):
                apart = np.array([100 * (a[key] - b[key]) for a, b in zip(rows, bare, strict=True)])
                cells.append(f"{apart.mean():+.2f} ± {apart.std(ddof=1) / seeds**0.5:.2f}")
        yield f"| {100 * mix:.0f} % | {100 * load:.0f} % | " + " | ".join(cells) + " |"


def table_of_sizes(load: float = 0.85, mix: float = 0.5, pools: int = 4, seeds: int = 3) -> Iterator[str]:
    """Rows of docs/replay.md: waits on four times the machines, with gangs as large and with gangs four times as large."""
    for gpus, times, gangs in ((4_608, 1, ""), (18_432, 1, ", the same gangs"), (18_432, 4, ", gangs four times as large")):
        rows = [designed(gpus, pools, load, mix, times=times, seed=seed) for seed in range(1, seeds + 1)]
        yield f"| {gpus:,} GPUs{gangs} | " + " | ".join(f"{np.mean([row[str(t)] for row in rows]):,.2f} h" for t in TOPS) + " |"
