"""Workloads of the book -> demand and placement tables (D-01 to D-04, P-03)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..book.terms import Book, Workload
from ..kernels.demand import Fabrics, Places, Workloads
from ..kernels.place import Jobs
from ..kernels.slots import Day
from .names import Names
from .rows import Rows
from .supply import ints

KIND = ("inference", "training", "batch")


def places(names: Names) -> Places:
    return Places(
        site=ints([names.sites.index(site) for site, _, _ in names.pools]),
        chip=ints([names.chips.index(chip) for _, chip, _ in names.pools]),
        contract=ints([names.contracts.index(name) for _, _, name in names.pools]),
    )


def fabrics(names: Names, rows: Rows) -> Fabrics:
    return Fabrics(
        gpus_x=ints([rows.x(f"sites.{site}.fabric.gpus") for site in names.sites]),
        half_x=ints([rows.x(f"sites.{site}.fabric.half") for site in names.sites]),
    )


def _may_run(book: Book, names: Names, work: Workload, k: int) -> bool:
    """Residency and exclusivity by contract, chip support, and the scale-up domain the parts must share (P-03)."""
    _, chip, contract = names.pools[k]
    allowed = contract in work.may_run and book.contracts[contract].customer == work.customer
    name = next(n for n, w in book.workloads.items() if w is work)
    holders = [n for n in names.contracts if name in book.contracts[n].exclusive]
    allowed = allowed and (not holders or contract in holders)
    return allowed and (not work.chips or chip in work.chips) and book.chips[chip].domain >= work.domain


def workloads(book: Book, names: Names, rows: Rows) -> Workloads:
    works = [(name, book.workloads[name]) for name in names.workloads]

    def x(key: str, absent: float = 0.0) -> np.ndarray:
        return ints([rows.x_or(f"workloads.{name}.{key}", absent) for name, _ in works])

    def y(key: str) -> np.ndarray:
        return ints([rows.y_or_absent(f"workloads.{name}.{key}") for name, _ in works])

    runs = [(name, i, run) for name, work in works for i, run in enumerate(work.runs)]
    return Workloads(
        kind=ints([KIND.index(work.kind) for _, work in works]),
        users_y=y("users"), requests_y=y("requests"), input_tokens_y=y("input_tokens"), output_tokens_y=y("output_tokens"),
        tokens_y=y("tokens"), input_weight_x=x("input_weight"), headroom_x=x("headroom", 1.0), efficiency_y=y("efficiency"),
        gpu_hours_y=y("gpu_hours"), derate_x=x("derate", 1.0), mfu_x=x("mfu"), goodput_x=x("goodput", 1.0), gang_x=x("gang"),
        value_x=x("value"), moving_x=x("moving"),
        reference=ints([names.chips.index(work.reference) for _, work in works]),
        deferrable=ints([int(work.deferrable) for _, work in works]),
        throughput_x=_throughput(names, works, rows), dense_x=_dense(book, names, works, rows),
        home=ints([names.contracts.index(work.home) for _, work in works]),
        eligible=_pairs(len(works), len(names.pools),
                        [int(_may_run(book, names, work, k)) for _, work in works for k in range(len(names.pools))]),
        run_first=ints([sum(1 for n, _, _ in runs if names.workloads.index(n) < w) for w in range(len(works) + 1)]),
        run_flop_x=ints([rows.x(f"workloads.{n}.runs.{i}.flop") for n, i, _ in runs]),
        run_month=ints([int(run.month) - int(book.start) for _, _, run in runs]),
        run_over_x=ints([rows.x(f"workloads.{n}.runs.{i}.over") for n, i, _ in runs]),
    )  # fmt: skip


def _throughput(names: Names, works: list[tuple[str, Workload]], rows: Rows) -> np.ndarray:
    return _pairs(
        len(works), len(names.chips),
        [rows.x(f"workloads.{n}.throughput.{g}") if g in work.throughput else -1 for n, work in works for g in names.chips],
    )  # fmt: skip


def _pairs(count: int, others: int, values: list[int]) -> np.ndarray:
    """(count, others), also where there is none of either."""
    return ints(values).reshape(count, others)


def _dense(book: Book, names: Names, works: list[tuple[str, Workload]], rows: Rows) -> np.ndarray:
    """FLOP/s at the workload's precision; bf16 where it names none (batch work counts reference-chip hours)."""
    table = np.full((len(works), len(names.chips)), -1, np.int64)
    for w, (_, work) in enumerate(works):
        precision = work.precision or "bf16"
        for g, chip in enumerate(names.chips):
            if work.kind != "inference" and precision in book.chips[chip].dense:
                table[w, g] = rows.x(f"chips.{chip}.dense.{precision}")
    return table


def ranks(labels: Sequence[Any]) -> np.ndarray:
    """Rank of each name in alphabetical order: the key of the tie rule does not depend on the book's order (P-05)."""
    return ints([sorted(labels).index(label) for label in labels])


def _spots(names: Names, work: Workload) -> list[int]:
    """Where the jobs of a workload stand: each slot has its own load of inference; training goes through the day; what may wait, or is
    batch work, runs at any time of the month."""
    if names.slots and work.kind == "inference" and not work.deferrable:
        return [1 + s for s in range(len(names.slots))]
    return [1 + len(names.slots)] if names.slots and work.kind == "training" else [0]


def day(book: Book, names: Names, rows: Rows) -> Day:
    """The slots of the day and the jobs that come of them."""
    found = [(w, name, spot) for w, name in enumerate(names.workloads) for spot in _spots(names, book.workloads[name])]
    profile = []
    for _, name, spot in found:
        slot = names.slots[spot - 1] if 0 < spot <= len(names.slots) else None
        stated = slot in book.workloads[name].profile
        profile.append(-1 if slot is None else rows.x(f"workloads.{name}.profile.{slot}") if stated else rows.fixed(1.0))
    return Day(
        share=np.array([book.day[slot] / 24.0 for slot in names.slots], float),
        owner=ints([w for w, _, _ in found]), spot=ints([spot for _, _, spot in found]), profile_x=ints(profile),
    )  # fmt: skip


def jobs(book: Book, names: Names, table: Workloads, rows: Rows) -> Jobs:
    today = day(book, names, rows)
    return Jobs(
        eligible=table.eligible,
        gang_x=table.gang_x,
        deferrable=table.deferrable,
        rank_w=ranks([(names.workloads[w], spot) for w, spot in zip(today.owner, today.spot)]),
        rank_k=ranks(list(names.pool_labels)),
        fabric_x=ints([rows.x(f"sites.{site}.fabric.gpus") for site, _, _ in names.pools]),
        day=today,
    )
