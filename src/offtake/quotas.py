"""The plan of one month as whole GPUs: what each workload may hold in each pool, and how much of that a commitment pays for.

Axes    quotas: workload x pool; names are plain (letters, digits, `-`), as schedulers take them
Units   GPUs, whole; cost in USD per GPU-h
Signs   all >= 0; the quotas of a pool never exceed the GPUs that are ready there
Source  model P-01, P-02; largest remainder: Hamilton's method of apportionment
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DUST = 1e-6  # of a GPU: rounding


@dataclass(frozen=True)
class Hall:
    """A pool as a scheduler sees it: `ready` GPUs in nodes of `node`, `domain` of them in one scale-up domain, `fabric` in one network."""

    name: str
    cloud: str
    customer: str
    chip: str
    ready: int
    node: int
    domain: int
    fabric: int | None

    @property
    def nodes(self) -> int:
        """Nodes, the last of which may hold fewer GPUs."""
        return -(-self.ready // self.node)


@dataclass(frozen=True)
class Quota:
    """GPUs that a workload may hold in a pool; `cost` is what one GPU-h there costs it, moving included."""

    workload: str
    hall: str
    cloud: str
    committed: int
    flexible: int
    cost: float

    @property
    def gpus(self) -> int:
        return self.committed + self.flexible


@dataclass(frozen=True)
class Schedule:
    """Pools and quotas of a month; every pair that the book allows has a quota, if only of 0. `gangs` are GPUs that start together."""

    book: str
    month: str
    halls: tuple[Hall, ...]
    quotas: tuple[Quota, ...]
    gangs: Mapping[str, int]

    def hall(self, name: str) -> Hall:
        return next(hall for hall in self.halls if hall.name == name)

    def of(self, workload: str) -> list[Quota]:
        """A workload's quotas above 0, the cheapest first."""
        return sorted((q for q in self.quotas if q.workload == workload and q.gpus), key=lambda q: (q.cost, q.hall))

    @property
    def clouds(self) -> list[str]:
        return sorted({hall.cloud for hall in self.halls})

    @property
    def workloads(self) -> list[str]:
        return sorted({q.workload for q in self.quotas})


def node_of(domain: int) -> int:
    """GPUs of a node: a scale-up domain of up to 8, or a tray of 4 in a rack-scale one (R-01)."""
    return domain if domain <= 8 else 4


def whole(parts: Sequence[float], names: Sequence[str], most: int) -> list[int]:
    """Whole numbers beside `parts` by largest remainder; their sum is that of the parts rounded, at most `most`. Ties go by name.

    raises  ValueError  where the parts' floors alone exceed `most`
    """
    floors = [int(part) for part in parts]
    if sum(floors) > most:
        raise ValueError(f"{sum(floors)} GPUs are more than {most}")
    over = max(min(int(sum(parts) + 0.5), most) - sum(floors), 0)
    turn = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], names[i]))
    for i in turn[:over]:
        floors[i] += 1
    return floors


Plan = Mapping[tuple[str, str, str], int]  # workload, pool, cloud -> GPUs above 0


def in_force(quotas: Sequence[Quota]) -> dict[tuple[str, str, str], int]:
    """What readers of exported files find again."""
    return {(q.workload, q.hall, q.cloud): q.gpus for q in quotas if q.gpus}


def changes(before: Plan, after: Plan) -> list[dict[str, object]]:
    """The least difference: a row for each quota that is not the same."""
    rows: list[dict[str, object]] = []
    for key in sorted({*before, *after}):
        was, now = before.get(key, 0), after.get(key, 0)
        if was != now:
            workload, hall, cloud = key
            rows.append({"workload": workload, "pool": hall, "cloud": cloud, "from": was, "to": now, "change": now - was})
    return rows
