"""Sites, lots and pools of the book -> supply tables (S-01 to S-05)."""

from __future__ import annotations

import numpy as np

from ..book.sharing import claim_of
from ..book.terms import Book, Step
from ..kernels.supply import Lots, Pools, Sites
from ..kernels.upkeep import Upkeep
from .names import Names
from .rows import Rows

BASIS = ("it", "facility", "utility")


def ints(values: list[int]) -> np.ndarray:
    return np.array(values, np.int64)


def lots(book: Book, names: Names, rows: Rows) -> Lots:
    served = {(site, chip) for site, chip, _ in names.pools}
    found = [(site, i, lot) for site in names.sites for i, lot in enumerate(book.sites[site].lots) if (site, lot.chip) in served]

    def x(key: str) -> np.ndarray:
        return ints([rows.x(f"sites.{site}.lots.{i}.{key}") for site, i, _ in found])

    first = {(site, chip): k for k, (site, chip, _) in reversed(list(enumerate(names.pools)))}  # pools stand first served first
    return Lots(
        pool=ints([first[site, lot.chip] for site, _, lot in found]),
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
        availability_x=ints([rows.x_or(f"sites.{site}.availability", 1.0) for site in names.sites]),
    )  # fmt: skip


def upkeep(book: Book, names: Names, rows: Rows) -> Upkeep:
    """Maintenance and outages of each site (S-05); a site that states none gets no row."""

    def x(key: str) -> np.ndarray:
        found = [
            [rows.x(f"sites.{site}.{kind}.{key}") if getattr(book.sites[site], kind) else -1 for site in names.sites]
            for kind in ("maintenance", "outages")
        ]
        return np.array(found, np.int64).reshape(2, len(names.sites))

    return Upkeep(every_x=x("every"), length_x=x("length"))


def pools(book: Book, names: Names, rows: Rows) -> Pools:
    """Within a site the contract served first takes the power first, and of its chips the newest (C-01, S-03)."""
    part = [names.parts.index((site, name)) for site, _, name in names.pools]
    order = sorted(range(len(part)), key=lambda k: (part[k], -book.chips[names.pools[k][1]].generation, names.pools[k][1]))
    paths = [f"contracts.{name}.pools.{site}.{chip}" for site, chip, name in names.pools]
    claims = [claim_of(book.contracts[name], site, chip) for site, chip, name in names.pools]
    return Pools(
        site=ints([names.sites.index(site) for site, _, _ in names.pools]),
        chip=ints([names.chips.index(chip) for _, chip, _ in names.pools]),
        kw_x=ints([rows.x(f"chips.{chip}.power.value") for _, chip, _ in names.pools]),
        overhead_x=ints([rows.x(f"chips.{chip}.overhead") for _, chip, _ in names.pools]),
        kw_basis=ints([3 if book.chips[chip].power.basis == "facility" else 0 for _, chip, _ in names.pools]),
        order=ints(order),
        part=ints(part),
        claim_x=ints([rows.x(path) if claim is not None else -1 for path, claim in zip(paths, claims)]),
        heir=ints([_heir(names, k) for k in range(len(part))]),
        part_site=ints([names.sites.index(site) for site, _ in names.parts]),
    )


def _heir(names: Names, k: int) -> int:
    """The pool that gets what pool k leaves: the same chips at the same site, for the contract served next; -1 if none."""
    later = range(k + 1, len(names.pools))
    return next((j for j in later if names.pools[j][:2] == names.pools[k][:2]), -1)
