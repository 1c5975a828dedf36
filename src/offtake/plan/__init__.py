"""compile(book) -> Plan: the crossing from terms to arrays, and the only room that knows both.

`names` says who stands at which index, `rows` which number stands in which row of X or Y; `supply`, `work` and `deal` fill
the tables that the kernels read. A plan has no terms left in it: a run needs nothing else.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..book.terms import Book
from ..book.text import scenario_book
from ..catalog import us_generation_mwh
from ..kernels.accounts import Costs, SegmentTerms
from ..kernels.company import Finances
from ..kernels.couple import Coupled
from ..kernels.customer import Customers
from ..kernels.demand import Fabrics, Places, Workloads
from ..kernels.draw import Draws
from ..kernels.equity import Edges
from ..kernels.lease import LeaseTerms
from ..kernels.options import Options
from ..kernels.place import Jobs
from ..kernels.recognise import Recognition
from ..kernels.series import Timelines
from ..kernels.settle import Terms
from ..kernels.supply import Lots, Pools, Sites
from ..kernels.surface import Surface
from ..kernels.upkeep import Upkeep
from ..kernels.wear import WearTerms
from ..world.draws import Inputs, assemble, on_sobol
from . import company, coupled, deal, equity, options, supply, surface, work
from .names import Names, names_of
from .rows import Rows

__all__ = ["RANDOM", "SAMPLERS", "SOBOL", "Names", "Plan", "compile_book", "compile_with"]

SOBOL, RANDOM = "sobol", "random"
SAMPLERS = {SOBOL: "sobol-owen-16", RANDOM: "threefry2x64-20"}  # as asked for, and as stamped


@dataclass(frozen=True)
class Plan:
    """The compiled book: arrays and names only."""

    book: Book
    names: Names
    start: int
    months: int
    hours: np.ndarray
    draws: Draws
    inputs: Inputs
    timelines: Timelines
    factor_paths: tuple[str, ...]
    series_paths: tuple[str, ...]
    lots: Lots
    sites: Sites
    pools: Pools
    surface: Surface
    upkeep: Upkeep
    workloads: Workloads
    fabrics: Fabrics
    places: Places
    jobs: Jobs
    segment_pool: np.ndarray
    segment_kind: np.ndarray
    coupled: Coupled
    terms: Terms
    options: Options
    edges: Edges
    leases: LeaseTerms
    wear: WearTerms
    finances: Finances
    recognition: Recognition
    customers: Customers
    costs: Costs
    segments: SegmentTerms
    rate_x: np.ndarray
    tax_x: np.ndarray
    shares_x: np.ndarray
    customer_of_company: np.ndarray
    us_generation: np.ndarray
    forced: int
    sampler: str

    def labels(self, axis: str) -> Iterable[tuple[int, str, str]]:
        """(index, address, company whose calendar counts) of everything on an axis."""
        names, book = self.names, self.book
        if axis == "contracts":
            return [(i, f"contracts.{n}", book.contracts[n].provider) for i, n in enumerate(names.contracts)]
        if axis == "options":
            found = options.all_of(book, names)
            return [(i, f"contracts.{c}.options.{o}", book.contracts[c].provider) for i, (c, o, _) in enumerate(found)]
        if axis == "companies":
            return [(i, f"companies.{n}", n) for i, n in enumerate(names.companies)]
        if axis == "customers":
            return [(names.companies.index(n), f"companies.{n}", n) for n in names.customers]
        if axis == "sites":
            return [(i, f"sites.{n}", book.sites[n].provider) for i, n in enumerate(names.sites)]
        if axis == "pools":
            return [(k, f"pools.{label}", book.contracts[names.pools[k][2]].provider) for k, label in enumerate(names.pool_labels)]
        if axis in ("slots", "pool_slots", "workload_slots"):
            return self._slots(axis)
        if axis == "workloads":
            return [(i, f"workloads.{n}", book.workloads[n].customer) for i, n in enumerate(names.workloads)]
        return [(0, axis, "")]

    def _slots(self, axis: str) -> Iterable[tuple[int, str, str]]:
        """Slots of the day in the book's order: of all pools, of each pool, of each workload; index item x slots + slot."""
        names, order = self.names, [(self.names.slots.index(slot), slot) for slot in self.book.day]
        if axis == "slots":
            return [(s, f"slots.{slot}", "") for s, slot in order]
        whole = "pools" if axis == "pool_slots" else "workloads"
        return [(i * len(names.slots) + s, f"{label}.{slot}", who) for i, label, who in self.labels(whole) for s, slot in order]

    def fiscal_year_end(self, company: str) -> int:
        """Last month of a company's fiscal year; December where the book names none (T-01)."""
        return (self.book.companies[company].fiscal_year_end if company in self.book.companies else None) or 12

    def has(self, company: str, what: str) -> bool:
        """Whether a company states a `segment`, its `capex` or `finances`, or any `revenue` (a segment, or a customer's own)."""
        found = self.book.companies[company]
        if what == "capex":
            return found.capex is not None
        if what == "finances":
            return found.finances is not None
        return found.segment is not None or (what == "revenue" and found.customer is not None)


def hours_of(start: int, months: int) -> np.ndarray:
    """Calendar hours of each month."""
    return np.array([24.0 * calendar.monthrange((start + m) // 12, (start + m) % 12 + 1)[1] for m in range(months)])


def compile_with(book: Book, scenario: Sequence[str] = (), sampler: str = SOBOL) -> Plan:
    """The plan of a book with all its scenarios; one that is forced by its number, several as a stack of their own."""
    patched = [scenario_book(book, [name]) for name in book.scenarios]
    forced = -1
    if len(scenario) == 1:
        forced = list(book.scenarios).index(scenario[0]) + 1
    elif scenario:
        patched.append(scenario_book(book, list(scenario)))
        forced = len(patched)
    return compile_book(book, patched, forced, sampler)


def compile_book(book: Book, scenario_books: Sequence[Book], forced: int = -1, sampler: str = SOBOL) -> Plan:
    """Compile a book with its scenario books (in the order of `book.scenarios`); `forced` is a scenario number or -1, `sampler` one
    of SAMPLERS."""
    names = names_of(book)
    rows = Rows([book, *scenario_books])
    workloads = work.workloads(book, names, rows)
    segment_pool, segment_kind = deal.segment_kinds(book, names, rows)
    tables: dict[str, Any] = dict(
        lots=supply.lots(book, names, rows), sites=supply.sites(book, names, rows), pools=supply.pools(book, names, rows),
        surface=surface.surface(book, names, rows), upkeep=supply.upkeep(book, names, rows),
        workloads=workloads, fabrics=work.fabrics(names, rows), places=work.places(names),
        jobs=work.jobs(book, names, workloads, rows), segment_pool=segment_pool, segment_kind=segment_kind,
        terms=deal.terms(book, names, rows), options=options.options(book, names, rows),
        edges=equity.edges(book, names, rows),
        leases=deal.leases(book, names, rows), wear=deal.wear(book, names, rows),
        finances=company.finances(book, names, rows), recognition=deal.recognition(book, names, rows),
        customers=deal.customers(names, rows), costs=deal.costs(book, names, rows), segments=deal.segments(book, names, rows),
        rate_x=np.array([rows.x_or(f"companies.{book.contracts[n].provider}.discount_rate", 0.0) for n in names.contracts], np.int64),
        tax_x=deal.of_provider(book, names, rows, "tax_rate"), shares_x=deal.of_provider(book, names, rows, "shares"),
    )  # fmt: skip
    tables["coupled"] = coupled.coupled(
        tables["terms"], tables["places"].contract, segment_pool, segment_kind, book.months
    )
    draws, inputs = _world(book, rows)
    draws = on_sobol(draws, inputs, list(book.factors)) if sampler == SOBOL else draws
    start = int(book.start)
    return Plan(
        book=book, names=names, start=start, months=book.months, hours=hours_of(start, book.months), draws=draws, inputs=inputs,
        timelines=rows.timelines(inputs.streams), factor_paths=tuple(rows.numbers), series_paths=tuple(rows.series),
        customer_of_company=np.array([names.customers.index(n) if n in names.customers else -1 for n in names.companies], np.int64),
        us_generation=us_generation_mwh(book.months), forced=forced, sampler=sampler,
        **tables,
    )  # fmt: skip


def _world(book: Book, rows: Rows) -> tuple[Draws, Inputs]:
    """Draws of all factors with their dependence (N-04) and the scenario probabilities (U-03)."""
    probabilities = [s.probability.params[0] if s.probability else 0.0 for s in book.scenarios.values()]
    return assemble(
        names=list(rows.numbers),
        numbers_by_scenario=[{name: found[s] for name, found in rows.numbers.items()} for s in range(len(rows.books))],
        probabilities=[1.0 - sum(probabilities), *probabilities],
        common={name: {path: n.params[0] for path, n in factor.drives.items()} for name, factor in book.factors.items()},
        pairs=[(*c.between, c.rank.params[0]) for c in book.correlations],
        stream_names=rows.noisy(),
    )
