"""Who stands at which index: the names behind the axes of all arrays."""

from __future__ import annotations

from dataclasses import dataclass

from ..book.terms import Book


@dataclass(frozen=True)
class Names:
    """Names in axis order. Pools are (site, chip); `contracts` are those that bill (C-11), `commitments` all of them."""

    commitments: tuple[str, ...]
    contracts: tuple[str, ...]
    sites: tuple[str, ...]
    pools: tuple[tuple[str, str], ...]
    chips: tuple[str, ...]
    workloads: tuple[str, ...]
    customers: tuple[str, ...]
    companies: tuple[str, ...]
    scenarios: tuple[str, ...]

    @property
    def pool_labels(self) -> tuple[str, ...]:
        return tuple(f"{site}.{chip}" for site, chip in self.pools)


def names_of(book: Book) -> Names:
    """The axes of a book. Only sites of billing contracts are computed."""
    contracts = tuple(name for name, c in book.contracts.items() if c.form != "announced")
    sites = tuple(site for name in contracts for site in book.contracts[name].sites)
    pools = tuple(dict.fromkeys((site, lot.chip) for site in sites for lot in book.sites[site].lots))
    return Names(
        commitments=tuple(book.contracts),
        contracts=contracts,
        sites=sites,
        pools=pools,
        chips=tuple(book.chips),
        workloads=tuple(book.workloads),
        customers=tuple(name for name, c in book.companies.items() if c.customer),
        companies=tuple(
            name
            for name, c in book.companies.items()
            if c.segment or c.capex or c.customer or name in {book.contracts[n].provider for n in contracts}
        ),
        scenarios=("base", *book.scenarios),
    )
