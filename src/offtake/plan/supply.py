"""Sites, lots and pools of the book -> supply tables (S-01 to S-05)."""

from __future__ import annotations

import numpy as np

from ..book.terms import Book, Step
from ..kernels.supply import Lots, Pools, Sites
from .names import Names
from .rows import Rows

BASIS = ("it", "facility", "utility")


def ints(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def lots(book: Book, names: Names, rows: Rows) -> Lots:
    found = [(site, i, lot) for site in names.sites for i, lot in enumerate(book.sites[site].lots)]

    def x(key: str) -> np.ndarray:
        return ints([rows.x(f"sites.{site}.lots.{i}.{key}") for site, i, _ in found])

    return Lots(
        pool=ints([names.pools.index((site, lot.chip)) for site, _, lot in found]),
        month=ints([int(lot.month) - int(book.start) for _, _, lot in found]),
        gpus_x=x("gpus"),
        over_x=x("over"),
        slip_x=x("slip"),
        acceptance_x=x("acceptance"),
        running=ints([int(lot.running) for _, _, lot in found]),
    )


def _steps(book: Book, names: Names, rows: Rows, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """First row per site, MW row, month, slip row and basis of all steps of one kind (`power` or `shell`)."""
    first = [0]
    mw, month, slip, basis = [], [], [], []
    for site in names.sites:
        steps: list[Step] = getattr(book.sites[site], kind)
        for i, step in enumerate(steps):
            mw.append(rows.x(f"sites.{site}.{kind}.{i}.mw"))
            month.append(int(step.month) - int(book.start))
            slip.append(rows.x(f"sites.{site}.{kind}.{i}.slip"))
            basis.append(BASIS.index(step.basis))
        first.append(len(mw))
    return ints(first), ints(mw), ints(month), ints(slip), ints(basis)


def sites(book: Book, names: Names, rows: Rows) -> Sites:
    power, shell = _steps(book, names, rows, "power"), _steps(book, names, rows, "shell")

    def x(key: str) -> np.ndarray:
        return ints([rows.x(f"sites.{site}.{key}") for site in names.sites])

    return Sites(
        step_first=power[0], step_mw_x=power[1], step_month=power[2], step_slip_x=power[3], step_basis=power[4],
        shell_first=shell[0], shell_mw_x=shell[1], shell_month=shell[2], shell_slip_x=shell[3], shell_basis=shell[4],
        peak_pue_x=x("peak_pue"), non_gpu_x=x("non_gpu"), reserve_x=x("reserve"), losses_x=x("losses"),
        availability_x=x("availability"),
    )  # fmt: skip


def pools(book: Book, names: Names, rows: Rows) -> Pools:
    """Within a site the newest chips take the power first (S-03)."""
    order = sorted(
        range(len(names.pools)),
        key=lambda k: (names.sites.index(names.pools[k][0]), -book.chips[names.pools[k][1]].generation, names.pools[k][1]),
    )
    return Pools(
        site=ints([names.sites.index(site) for site, _ in names.pools]),
        chip=ints([names.chips.index(chip) for _, chip in names.pools]),
        kw_x=ints([rows.x(f"chips.{chip}.power.value") for _, chip in names.pools]),
        overhead_x=ints([rows.x(f"chips.{chip}.overhead") for _, chip in names.pools]),
        kw_basis=ints([3 if book.chips[chip].power.basis == "facility" else 0 for _, chip in names.pools]),
        order=ints(order),
    )
