"""What every pool offers in a month: GPUs by marginal cost, from the placement of the mean path (P-02).

Use-it-or-lose-it hours cost nothing, hours up to a monthly commitment their price, hours past it the overage price: the segments of the
placement itself. A commitment that is trued up by the year, at the end of its term, or in USD has one shadow price per month: the dual of
what remains of it, found as placement finds it (`shadow`), with what is used to date taken off and other contracts as the mean path has
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

import numpy as np

from ..block import Block
from ..book.numbers import Month
from ..kernels import schedule
from ..kernels.share import Case
from ..occupied import Busy
from ..plan import Plan
from ..plan.coupled import is_yearly
from ..shadow import case_of, empty, one_lane, scratch, share_out
from .meanpath import mean_path
from .place import PAST, Fit, Level, Offers, Pool, Queue, Waits
from .queue import queues_of

FREE, WITHIN, OVER = 0, 1, 2  # kinds of segments (P-02)
WHY = {FREE: "paid whether used or not", WITHIN: "within the commitment, paid as it is used", OVER: PAST}


def offers_of(plan: Plan, seed: int, month: int, used: Mapping[str, float]) -> Offers:
    """Offers of month index `month`; `used` is USD used to date of a contract's period under way, the mean path's where it is not told."""
    b = mean_path(plan, seed)
    queues = queues_of(b, month)
    shadows = shadows_of(b, month, used)
    pools = tuple(replace(_pool(b, k, month, shadows), queue=queues[k]) for k in range(len(plan.names.pools)))
    return Offers(str(Month(plan.start + month)), pools, _fits(b), _values(b), float(plan.hours[month]))


def shadows_of(b: Block, month: int, used: Mapping[str, float]) -> dict[int, tuple[float, float]]:
    """What `shadow_price` says of every contract that has a shadow price."""
    contracts = enumerate(b.plan.names.contracts)
    return {c: shadow_price(b, c, month, used.get(name)) for c, name in contracts if has_shadow(b.plan, c)}


AT_ONCE = Queue((Waits(inf, 0.0, 0.0, 1.0),), ("by the state enough is free now",))


def with_busy(offers: Offers, busy: tuple[Busy, ...], hours_left: float) -> Offers:
    """Offers with what a state says is busy; in a pool that it speaks of, a job that fits starts now."""
    held = {pool.label: tuple((b.gpus, b.until) for b in busy if b.pool == pool.label) for pool in offers.pools}
    pools = (replace(p, busy=held[p.label], queue=AT_ONCE if held[p.label] else p.queue) for p in offers.pools)
    return replace(offers, pools=tuple(pools), hours=hours_left)


def has_shadow(plan: Plan, c: int) -> bool:
    """Whether a commitment can be used in a later month of its period."""
    return bool(np.isin(c, plan.coupled.contract))


def period_of(plan: Plan, b: Block, c: int, month: int) -> tuple[int, int]:
    """First month of the true-up period that `month` lies in, which may be before the book's first, and the month after its last."""
    first, term = first_of_period(plan, c, month), int(b.X[plan.terms.term_x[c], 0] + 0.5)
    inside = np.flatnonzero(b.schedule.in_term[c, :, 0])  # a term may have been extended (C-07), or made longer by an option
    whole = max(int(plan.terms.starts[c]) + term, int(inside[-1]) + 1 if len(inside) else 0)
    return first, min(first + 12, whole) if is_yearly(plan.terms, c) else whole


def first_of_period(plan: Plan, c: int, month: int) -> int:
    """First month of the true-up period that `month` lies in; commitment years are counted from the contract's first month."""
    start = int(plan.terms.starts[c])
    return start + 12 * ((month - start) // 12) if is_yearly(plan.terms, c) else start


def remaining(b: Block, c: int, month: int, used: float | None) -> float:
    """What is left of a commitment at the start of a month, to be used by the end of its period or of the horizon: USD, or GPU-h."""
    p, s = b.plan, b.settlement
    _, closing = period_of(p, b, c, month)
    end = min(closing, p.months)
    _, taken, owed = schedule.opening(c, 0, p.terms, b.X)
    fresh = month > 0 and s.trued[c, month - 1, 0] > 0.0
    base = 0.0 if fresh else float(s.ytd_base[c, month - 1, 0] if month else taken)
    if p.terms.form[c] >= schedule.BURN_DOWN:
        amount, _ = schedule.period_amount(c, 0, month - int(p.terms.starts[c]), p.terms, b.X)
        amount = float(b.X[p.terms.total_x[c], 0]) if p.terms.form[c] == schedule.BURN_DOWN else float(amount)
        left = max(amount - (base if used is None else used), 0.0)
        return left * (end - month) / (closing - month)
    share = float(b.X[p.terms.take_or_pay_x[c], 0])
    due = 0.0 if fresh else float(s.ytd_due[c, month - 1, 0] if month else owed)
    for n in range(month, end):
        due += float(schedule.due_month(b.schedule.committed[c, n, 0], b.schedule.available[c, n, 0], share))
    if used is not None:
        price = float(b.schedule.price[c, month, 0])
        base = used / price if price > 0.0 else 0.0
    return max(due - base, 0.0)


def shadow_price(b: Block, c: int, month: int, used: float | None) -> tuple[float, float]:
    """Share of its price that an hour of a commitment costs in `month` (P-02), and the GPU-h that remain of it; (1, 0) outside its term."""
    p, price = b.plan, float(b.schedule.price[c, month, 0])
    if not b.schedule.in_term[c, month, 0] * b.signed.alive[c, month, 0] or price <= 0.0:
        return 1.0, 0.0
    left = remaining(b, c, month, used)
    case = rest_of(b, c, slice(month, min(period_of(p, b, c, month)[1], p.months)), left)
    share_out(case, scratch(case))
    return float(case.known.price[0, 0]) / (1.0 if in_usd(p, c) else price), left / (price if in_usd(p, c) else 1.0)


def rest_of(b: Block, c: int, months: slice, left: float) -> Case:
    """The mean path's programs with one stock: what is left of contract c's commitment for some months, other contracts as they stand."""
    table = b.plan.coupled
    n = int(np.flatnonzero(table.contract == c)[0])
    period = np.full((1, b.plan.months), -1, np.int64)
    period[0, months] = 0
    one = table._replace(
        contract=table.contract[[n]], period=period, first=np.array([0, 1]), owner=np.where(table.owner == n, 0, -1)
    )  # fmt: skip
    known = empty(one, len(table.owner), b.plan.months, 1, len(b.plan.jobs.day.share))
    known.stock[:], known.unit[0] = left, b.shadow.unit[n, :, :1]
    whole = one_lane(case_of(b), 0)
    todo = (b.placement.served + b.placement.unserved)[..., :1]  # work that waits is held to what the plan left of it
    jobs = whole.jobs._replace(deferrable=np.zeros_like(whole.jobs.deferrable))
    return whole._replace(coupled=one, known=known, jobs=jobs, loads=whole.loads._replace(work=np.ascontiguousarray(todo)))


def in_usd(plan: Plan, c: int) -> bool:
    """Whether a commitment is an amount of money."""
    return bool(plan.terms.form[c] >= schedule.BURN_DOWN)


def price_of(b: Block, k: int) -> np.ndarray:
    """(M,) USD per GPU-h of a pool: that of its chip where the contract names one (C-01)."""
    c, row = b.plan.places.contract[k], b.plan.terms.price_k[k]
    by_chip = b.Y[row, :, 0] * b.schedule.factor[c, :, 0] if row >= 0 else b.schedule.price[c, :, 0]
    return np.asarray(by_chip)


def counts(plan: Plan, c: int, q: int) -> bool:
    """Whether hours of a segment use a commitment up: overage does not, but where the commitment is in USD."""
    return bool(plan.places.contract[plan.segment_pool[q]] == c and (in_usd(plan, c) or plan.segment_kind[q] != OVER))


def _pool(b: Block, k: int, month: int, shadows: Mapping[int, tuple[float, float]]) -> Pool:
    """A pool's GPUs by marginal cost; hours that are not offered (S-05) are missing from each level alike."""
    p = b.plan
    site, chip, cloud = p.names.pools[k]
    fabric = p.jobs.fabric_x[k]
    later = tuple((str(Month(p.start + m)), float(b.supply.ready[k, m, 0])) for m in range(month + 1, p.months))
    return Pool(
        p.names.pool_labels[k], cloud, site, chip, float(b.supply.ready[k, month, 0]), float(b.X[fabric, 0]) if fabric >= 0 else inf,
        levels_of(b, k, month, shadows.get(int(p.places.contract[k]))), (), later,
    )  # fmt: skip


def levels_of(b: Block, k: int, month: int, told: tuple[float, float] | None) -> tuple[Level, ...]:
    """GPUs of a pool by marginal cost, cheapest first; `told` is what `shadow_price` says of its contract, where it has one."""
    p, c = b.plan, int(b.plan.places.contract[k])
    gpus, found = segment_gpus(b, k, month), []
    if told is not None and (count := sum(n for q, n in gpus.items() if counts(p, c, q))) > 0.0:
        price = float(price_of(b, k)[month]) if in_usd(p, c) else float(b.schedule.price[c, month, 0])
        found.append(Level(count, told[0] * price, _reason(told[0]), told[1], price))
    for q, count in gpus.items():
        if count > 0.0 and not (told is not None and counts(p, c, q)):
            found.append(Level(count, float(b.segment_hours.cost[q, month, 0]), WHY[int(p.segment_kind[q])]))
    return tuple(sorted(found, key=lambda level: level.cost))


def segment_gpus(b: Block, k: int, month: int) -> dict[int, float]:
    """GPUs of each segment of a pool: its share of the hours offered, of the GPUs that are ready."""
    ready, offered = float(b.supply.ready[k, month, 0]), float(b.supply.offered[k, month, 0])
    found = np.flatnonzero(b.plan.segment_pool == k)
    return {int(q): ready * float(b.segment_hours.cap[q, month, 0]) / offered if offered > 0.0 else 0.0 for q in found}


def _reason(share: float) -> str:
    if share <= 0.0:
        return "inside a commitment that is not expected to be used up"
    if share >= 1.0:
        return "what remains of the commitment will be used in any case: an hour now is an hour paid for later"
    return "shadow price of what remains of the commitment"


def _fits(b: Block) -> dict[tuple[str, str], Fit]:
    """How each workload fits each pool: eligible (P-03), and slower than in its fastest pool by so much."""
    p, speed = b.plan, b.demand.speed[:, :, 0]
    found = {}
    for w, work in enumerate(p.names.workloads):
        fastest = float(speed[w].max())
        for k, label in enumerate(p.names.pool_labels):
            runs = bool(p.jobs.eligible[w, k]) and speed[w, k] > 0.0
            found[work, label] = Fit(runs, fastest / float(speed[w, k]) if runs else 1.0, float(b.demand.moving[w, k, 0]))
    return found


def _values(b: Block) -> dict[str, float]:
    """USD that an hour of a GPU is worth to each workload where it is fastest (D-04)."""
    fastest = b.demand.speed[:, :, 0].max(axis=1)
    return {name: float(b.demand.value[w, 0] * fastest[w]) for w, name in enumerate(b.plan.names.workloads)}
