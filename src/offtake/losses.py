"""What measures of lost value read from a block: hours that buy no progress, and hours that could not be sold (S-05, R-03).

Without a surface of replays nobody knows what of the used hours is useful: these measures have no value then (N-06).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .block import Block
from .plan.surface import VARIANTS

Parts = tuple[np.ndarray, ...]
Reader = Callable[[Block, int], Parts]
POWER = 1  # of the causes of late hours: chips, power, shell, acceptance


def hours(field: str) -> Callable[[Block], np.ndarray]:
    """GPU-h (K, M, L) of `useful`, `overhead` or `unfilled`."""
    return lambda b: getattr(b.filled, field) if len(b.filled.useful) else np.full(b.used.shape, np.nan)


def _priced(b: Block, c: int, values: np.ndarray) -> np.ndarray:
    """GPU-h (K, M, L) of the contract's pools at its price, USD (M, L)."""
    priced: np.ndarray = b.over_pools(values, c) * b.schedule.price[c]
    return priced


def _bill(b: Block, c: int) -> np.ndarray:
    """What the customer is charged for hours, before credits, USD (M, L)."""
    whole: np.ndarray = b.settlement.charge[c] + b.settlement.overage_usd[c]
    return whole


def charged(*causes: str) -> Reader:
    """USD that the customer is charged for hours without progress, over all that it is charged."""

    def read(b: Block, c: int) -> Parts:
        lost = np.zeros(b.used.shape[1:])
        for cause in causes:
            lost += b.idle_cost[0, :, c].sum(axis=0) if cause == "idle" else _priced(b, c, hours(cause)(b))
        return lost, _bill(b, c)

    return read


def charged_if(variant: str) -> Reader:
    """The same with another mix of jobs, or as one cloud, all else unchanged."""
    place = list(VARIANTS).index(variant)

    def read(b: Block, c: int) -> Parts:
        if not len(b.filled.useful):
            return np.full(b.used.shape[1:], np.nan), _bill(b, c)
        return b.idle_cost[0, :, c].sum(axis=0) + _priced(b, c, b.filled.other[place]), _bill(b, c)

    return read


def unsold(*causes: str) -> Reader:
    """USD at the contract's price of scheduled hours that earn nothing, over those of all scheduled hours."""

    def read(b: Block, c: int) -> Parts:
        s = b.supply
        late = s.late[POWER]
        hours_by = {"late_power": late, "late_other": s.late.sum(axis=0) - late, "down": s.down}
        lost = np.zeros(b.used.shape[1:])
        for cause in causes:
            lost += b.idle_cost[1, :, c].sum(axis=0) if cause == "idle" else _priced(b, c, hours_by[cause])
        return lost, _priced(b, c, s.late.sum(axis=0) + s.ready * b.plan.hours[:, None])

    return read


def down(cause: str) -> Callable[[Block], np.ndarray]:
    """GPU-h (K, M, L) down: `all`, for want of `power`, for `maintenance` while there is power, or by `failure`, which is the rest."""

    def read(b: Block) -> np.ndarray:
        if cause == "all" or not b.stops.size:
            return b.supply.down if cause in ("all", "failure") else np.zeros(b.used.shape)
        planned, dark = b.stops[:, b.plan.places.site][:, :, None]
        ready = b.supply.ready * b.plan.hours[:, None]
        if cause == "power":
            return np.asarray(ready * dark)
        kept_up = ready * (1.0 - dark) * planned
        return np.asarray(kept_up if cause == "maintenance" else b.supply.down - ready * dark - kept_up)

    return read


DOWN = (
    ("down", "all", "ready hours - offered, by whatever cause"),
    ("down_failure", "failure", "part of down: failures and their repair"),
    ("down_maintenance", "maintenance", "part of down: length / every, of the hours with power"),
    ("down_power", "power", "part of down: length / (every + length) of the outages"),
)
ALL_UNSOLD = ("late_power", "late_other", "down", "idle")
RATIOS: tuple[tuple[str, str, Reader], ...] = (
    ("no_progress", "charged for idle, unfilled and overhead hours / charged", charged("idle", "unfilled", "overhead")),
    ("no_progress_idle", "part of no_progress: paid and not used", charged("idle")),
    ("no_progress_unfilled", "part of no_progress: gangs do not fit", charged("unfilled")),
    ("no_progress_overhead", "part of no_progress: failures and checkpoints", charged("overhead")),
    ("no_progress_if_trace", "no_progress with the jobs of the public trace", charged_if("trace")),
    ("no_progress_if_half", "no_progress with half of each", charged_if("half")),
    ("no_progress_if_own", "no_progress with the book's own workloads", charged_if("own")),
    ("no_progress_if_one", "no_progress, were the same GPUs one cloud", charged_if("one")),
    ("unsold", "late, down and unpaid idle hours x price / (ready + late) x price", unsold(*ALL_UNSOLD)),
    ("unsold_late_power", "part of unsold: late for want of power", unsold("late_power")),
    ("unsold_late_other", "part of unsold: late chips, shell, acceptance", unsold("late_other")),
    ("unsold_down", "part of unsold: failure and repair, maintenance, no power", unsold("down")),
    ("unsold_idle", "part of unsold: idle and not paid", unsold("idle")),
)
