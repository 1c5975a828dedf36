"""Where workloads run, by year and cloud, and how much of that the optimum leaves open (P-05)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import stages
from ..periods import periods_of
from .asked import Run
from .whatif import Look

OPEN = 0.10


def looked(run: Run) -> Look:
    """Smallest, chosen and largest served work of each workload on each contract's pools, (3, W, C, M) of the first 64 paths."""
    n = run.plan.names
    shape = (3, len(n.workloads), len(n.contracts), run.plan.months)
    return Look(shape, min(stages.LANES, run.stamp.paths), lambda b: np.stack(stages.ranges(b)))


def shares(run: Run, look: Look) -> dict[str, Any]:
    """Rows {period, workload, cloud, share, low, high, undetermined}: means over the first 64 paths of the smallest, chosen and
    largest share of the workload's served work on each cloud over all optimal plans."""
    plan, rows = run.plan, []
    low, mid, high = look.values(plan, run.stamp.seed, run.workers)
    for period in periods_of(plan.start, plan.months, "calendar-year", 12):
        months = slice(period.first, period.last + 1)
        total = mid[:, :, months].sum(axis=(1, 2))
        for w, workload in enumerate(plan.names.workloads):
            for j, cloud in enumerate(plan.names.contracts):
                one = [_mean(a[w, j, months].sum(axis=0), total[w]) for a in (low, mid, high)]
                if one[2] is not None and one[2] > 0.0:
                    wide = one[2] - (one[0] or 0.0) > OPEN
                    rows.append(
                        {
                            "period": period.label,
                            "workload": workload,
                            "cloud": cloud,
                            "share": one[1],
                            "low": one[0],
                            "high": one[2],
                            "undetermined": wide,
                        }
                    )
    return {"paths": low.shape[-1], "rows": rows}


def _mean(part: np.ndarray, total: np.ndarray) -> float | None:
    served = total > 0.0
    return float(np.mean(part[served] / total[served])) if served.any() else None
