"""A batch of jobs on pools made up for the purpose: seconds to place it, bound and all."""

import time

from offtake.studies.place import Fit, Job, Level, Offers, Pool
from offtake.studies.placed import place_batch


def offers() -> Offers:
    """Twelve pools of three price levels, some of them busy; two workloads that run at their own speeds."""
    pools, fits = [], {}
    for n in range(12):
        levels = tuple(Level(4_000.0 + 500.0 * n, 1.1 * i + 0.1 * n, f"level {i}") for i in range(3))
        held = ((500 * (n % 3), 30.0), (200, None))
        pools.append(Pool(f"hall-{n}", f"cloud-{n % 4}", f"hall-{n}", "gpu", 12_000.0 + 1_500.0 * n, 4_096.0, levels, held))
        for w, work in enumerate(("training", "batch")):
            fits[work, f"hall-{n}"] = Fit((n + w) % 3 > 0, 1.0 + 0.1 * ((n * 7 + w) % 5), 0.1 * (n % 4))
    return Offers("2026-01", tuple(pools), fits)


def seconds(count: int) -> tuple[float, int, float | None]:
    """Least of three: seconds, jobs placed, share above the bound."""
    jobs = [Job(f"job-{n}", 8 * (1 + n * 37 % 97), 1.0 + n * 13 % 160, ("training", "batch", None)[n % 3]) for n in range(count)]
    made = offers()
    place_batch(made, jobs[:2])  # compiled, or read from the cache
    took = []
    for _ in range(3):
        start = time.perf_counter()
        found = place_batch(made, jobs)
        took.append(time.perf_counter() - start)
    return min(took), found["placed"], found["gap_share"]
