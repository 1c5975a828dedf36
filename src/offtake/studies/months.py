"""The placement of one month of the mean path as whole GPUs, for schedulers (P-01, P-02)."""

from __future__ import annotations

from collections.abc import Sequence

from ..block import Block
from ..book.numbers import Month
from ..errors import QuestionError
from ..occupied import plain_name
from ..plan import Plan
from ..quotas import DUST, Hall, Quota, Schedule, node_of, whole
from .meanpath import mean_path
from .offers import OVER, levels_of, segment_gpus, shadows_of


def schedule_of(plan: Plan, seed: int, month: int, book: str) -> Schedule:
    """The schedule of month index `month`. Raises QuestionError where two names become one."""
    labels, works = [plain_name(p) for p in plan.names.pool_labels], [plain_name(w) for w in plan.names.workloads]
    for names in (labels, works, [plain_name(c) for c in plan.names.contracts]):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise QuestionError(f"two names of the book are both '{twice[0]}' to a scheduler (letters, digits and -); rename one")
    b = mean_path(plan, seed)
    shadows, halls, quotas = shadows_of(b, month, {}), [], []
    for k in range(len(labels)):
        hall = _hall(b, k, month, labels[k])
        halls.append(hall)
        quotas += _quotas(b, k, hall, works, marginal(b, k, month, shadows.get(int(plan.places.contract[k]))), month)
    gangs = {name: max(int(float(b.X[plan.jobs.gang_x[w], 0]) + 0.5), 1) for w, name in enumerate(works)}
    return Schedule(book, str(Month(plan.start + month)), tuple(halls), tuple(quotas), gangs)


def _hall(b: Block, k: int, month: int, name: str) -> Hall:
    """A pool; its GPUs are those that are ready and whose hours are open to the customer."""
    p = b.plan
    _, chip, contract = p.names.pools[k]
    domain, fabric = int(p.book.chips[chip].domain), int(p.jobs.fabric_x[k])
    ready = min(float(b.supply.ready[k, month, 0]), sum(segment_gpus(b, k, month).values()))
    return Hall(
        name, plain_name(contract), plain_name(p.book.contracts[contract].customer), plain_name(chip), int(ready + DUST),
        node_of(domain), domain, int(float(b.X[fabric, 0])) if fabric >= 0 else None,
    )  # fmt: skip


def _quotas(b: Block, k: int, hall: Hall, works: Sequence[str], usd: float, month: int) -> list[Quota]:
    """Whole GPUs of each workload that may run in pool k: those that give it its hours at the pool's availability."""
    p = b.plan
    offered = float(b.supply.offered[k, month, 0])
    each = float(b.supply.ready[k, month, 0]) / offered if offered > 0.0 else 0.0
    may = [w for w in range(len(works)) if p.jobs.eligible[w, k]]
    names = [works[w] for w in may]
    used = [float(b.placement.use[w, k, month, 0]) * each for w in may]
    gpus = whole(used, names, hall.ready)
    total, sure = sum(gpus), sum(n for q, n in segment_gpus(b, k, month).items() if p.segment_kind[q] != OVER)
    paid = total if sum(used) <= sure * (1.0 + DUST) else min(total, int(sure + DUST))  # a GPU that is paid in part is one of them
    committed = whole([n * paid / total if total else 0.0 for n in gpus], names, paid)
    return [
        Quota(name, hall.name, hall.cloud, firm, n - firm, usd + float(b.demand.moving[w, k, 0]))
        for w, name, n, firm in zip(may, names, gpus, committed)
    ]


def marginal(b: Block, k: int, month: int, told: tuple[float, float] | None) -> float:
    """USD of the next GPU-h of a pool beside those of the placement (P-02), `told` being its contract's shadow price."""
    levels = levels_of(b, k, month, told)
    left = float(b.used[k, month, 0]) / max(float(b.supply.offered[k, month, 0]), DUST) * float(b.supply.ready[k, month, 0])
    for level in levels:
        if left < level.gpus * (1.0 - DUST):
            return level.cost
        left -= level.gpus
    return levels[-1].cost if levels else 0.0
