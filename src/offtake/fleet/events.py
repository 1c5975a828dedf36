"""The event log of a replay as rows, and as spans: what lay where from when to when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..kernels import replay_state as k
from .machines import MS
from .outcome import Outcome
from .pools import CAUSES

KINDS = (
    "submit", "start", "hold", "end", "set back", "give way", "break", "mend", "ready", "move", "fall a class", "cut", "dark",
    "put off", "resize", "over",
)  # fmt: skip
HEADER = ("time_s", "event", "job", "pool", "gpus", "domain")
DOWN = (*CAUSES, "maintenance")
LEAVES = (k.FINISH, k.SET_BACK, k.GIVE_WAY, k.CUT, k.RESCALE)


@dataclass(frozen=True)
class Span:
    """GPUs of one domain (of one pool, where that counts GPUs) held by a job or down by a cause, in seconds."""

    row: str
    begins: float
    ends: float
    gpus: int
    what: str
    down: bool


def rows(outcome: Outcome, name: Callable[[int], str]) -> Iterator[tuple[str, ...]]:
    """Rows of the log in order, as text; a break names its cause where other rows name a job."""
    for time, kind, job, pool, gpus, domain in outcome.log.tolist():
        who = DOWN[job] if kind == k.BREAK else name(job) if job >= 0 else ""
        where = outcome.pools[pool].name if pool >= 0 else ""
        yield f"{time / MS:.3f}", KINDS[kind], who, where, str(gpus), "" if domain < 0 else str(domain)


def spans(outcome: Outcome, name: Callable[[int], str]) -> list[Span]:
    """What lay where: holds of jobs from start to end, and what was down until it was mended or the log ends."""
    found: list[Span] = []
    held: dict[int, list[tuple[str, float, int]]] = {}
    down: dict[tuple[int, int, int], list[tuple[float, str]]] = {}
    dark: dict[tuple[int, int], tuple[float, int]] = {}
    last = 0.0
    for ms, kind, job, pool, gpus, domain in outcome.log.tolist():
        last, place = ms / MS, outcome.pools[pool]
        row = f"{place.name} {domain}" if domain >= 0 else place.name
        if kind == k.HOLD or (kind == k.BEGIN and place.node == 1):
            held.setdefault(job, []).append((row, last, gpus))
        elif kind in LEAVES:
            found += [Span(r, since, last, n, name(job), False) for r, since, n in held.pop(job, [])]
        elif kind == k.BREAK:
            down.setdefault((pool, domain, gpus), []).append((last, DOWN[job]))
        elif kind == k.DIM:
            before = dark.pop((pool, domain), None)
            if before and before[0] < last:  # nodes go dark one by one in the same moment
                found.append(Span(row, before[0], last, before[1], "power", True))
            if gpus:
                dark[pool, domain] = (last, gpus)
        elif kind == k.MEND and down.get((pool, domain, gpus)):
            since, cause = down[pool, domain, gpus].pop(0)
            found.append(Span(row, since, last, gpus, cause, True))
    for (pool, domain, gpus), left in down.items():
        row = f"{outcome.pools[pool].name} {domain}" if domain >= 0 else outcome.pools[pool].name
        found += [Span(row, since, last, gpus, cause, True) for since, cause in left]
    for (pool, domain), (begins, gpus) in dark.items():
        row = f"{outcome.pools[pool].name} {domain}" if domain >= 0 else outcome.pools[pool].name
        found.append(Span(row, begins, last, gpus, "power", True))
    found += [Span(r, since, last, n, name(job), False) for job, rest in held.items() for r, since, n in rest]
    return sorted(found, key=lambda s: (s.begins, s.row, s.what))


def sizes(outcome: Outcome) -> dict[str, int]:
    """GPUs of each row of `spans`: domains by number, or a pool that counts GPUs."""
    found: dict[str, int] = {}
    first = 0
    for pool in outcome.pools:
        if pool.node == 1:
            found[pool.name] = pool.most
            continue
        domain = max(pool.domain, pool.node)
        many = -(-pool.most // domain)
        found |= {f"{pool.name} {first + d}": min(domain, pool.most - d * domain) for d in range(many)}
        first += many
    return found


def standing(outcome: Outcome) -> dict[str, list[tuple[float, float, int]]]:
    """Of each row of `sizes`: from when to when (seconds) how many GPUs stand there; a pool's nodes come from the first domain on."""
    found: dict[str, list[tuple[float, float, int]]] = {}
    rows = iter(sizes(outcome))
    for pool in outcome.pools:
        domain = pool.most if pool.node == 1 else max(pool.domain, pool.node)
        edges = [at for at, _ in pool.gpus] + [float("inf")]
        for d in range(-(-pool.most // max(domain, 1))):
            mine = [min(max(gpus - d * domain, 0), domain) for _, gpus in pool.gpus]
            found[next(rows)] = list(zip(edges[:-1], edges[1:], mine, strict=True))
    return found
