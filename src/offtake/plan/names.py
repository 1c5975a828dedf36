"""Who stands at which index: the names behind the axes of all arrays."""

from __future__ import annotations

from dataclasses import dataclass

from ..book.sharing import chips_of, pool_label, serving
from ..book.terms import Book


@dataclass(frozen=True)
class Names:
    """Names in axis order. Pools are (site, chip, contract); `contracts` are those that bill (C-11), `commitments` all of them."""

    commitments: tuple[str, ...]
    contracts: tuple[str, ...]
    sites: tuple[str, ...]
    pools: tuple[tuple[str, str, str], ...]
    pool_labels: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]  # (site, contract): what each contract has of a site
    chips: tuple[str, ...]
    workloads: tuple[str, ...]
    slots: tuple[str, ...]  # of the day, by name: their order in the book decides nothing
    customers: tuple[str, ...]
    companies: tuple[str, ...]
    scenarios: tuple[str, ...]


def names_of(book: Book) -> Names:
    """The axes of a book. Only sites of billing contracts are computed."""
    contracts = tuple(name for name, c in book.contracts.items() if c.form != "announced")
    sites = tuple(dict.fromkeys(site for name in contracts for site in book.contracts[name].sites))
    parts = tuple((site, name) for site in sites for name in serving(book, site))
    pools = tuple((site, chip, name) for site, name in parts for chip in chips_of(book, book.contracts[name], site))
    return Names(
        commitments=tuple(book.contracts),
        contracts=contracts,
        sites=sites,
        pools=pools,
        pool_labels=tuple(pool_label(book, *pool) for pool in pools),
        parts=parts,
        chips=tuple(book.chips),
        workloads=tuple(book.workloads),
        slots=tuple(sorted(book.day)),
        customers=tuple(name for name, c in book.companies.items() if c.customer),
        companies=tuple(
            name
            for name, c in book.companies.items()
            if c.segment or c.capex or c.customer or name in {book.contracts[n].provider for n in contracts}
        ),
        scenarios=("base", *book.scenarios),
    )
