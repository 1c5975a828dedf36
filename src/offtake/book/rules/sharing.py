"""Several contracts on one site: who is served first, and of which GPUs (C-01, S-03)."""

from __future__ import annotations

from collections.abc import Iterator

from ..sharing import chips_of, claim_of, serving
from ..terms import Book, Site
from .finding import Finding, billing, middle, unknown

ROUNDED = 1.0 + 1e-9  # claims that add up to the lots


def sites(book: Book) -> Iterator[Finding]:
    """A site serves contracts of its own provider and of the tenants it names."""
    for name, deal in billing(book).items():
        for i, site in enumerate(deal.sites):
            if site not in book.sites or deal.provider not in book.companies:
                continue
            owner = book.sites[site].provider
            if deal.provider != owner and deal.provider not in book.sites[site].tenants:
                rule = f"a site of the contract's provider, {deal.provider}; this one is {owner}'s (C-01)"
                fix = f"name a site of this provider, mend the provider, or add `tenants: [{deal.provider}]` to the site"
                yield Finding(("contracts", name, "sites", i), site, rule, fix)
    for name, place in book.sites.items():
        for i, tenant in enumerate(place.tenants):
            if tenant not in book.companies:
                yield unknown(("sites", name, "tenants", i), tenant, book.companies, "companies", "C-01")


def priorities(book: Book) -> Iterator[Finding]:
    """Contracts that share a site say who is served first, without ties."""
    for site in book.sites:
        sharing = serving(book, site)
        holder: dict[int, str] = {}
        for name in sharing if len(sharing) > 1 else []:
            priority = book.contracts[name].service_priority
            others = ", ".join(other for other in sharing if other != name)
            if priority is None:
                rule = f"contracts that share a site ({site}, with {others}) say who is served first when it is short (C-01)"
                yield Finding(("contracts", name), "no `service_priority`", rule, "add `service_priority: 1`; higher first")
            elif priority in holder:
                rule = f"no tie among the contracts of a site; `{holder[priority]}` at {site} has this priority already (C-01)"
                yield Finding(("contracts", name, "service_priority"), str(priority), rule, "give one of the two another number")
            else:
                holder[priority] = name


def payment_ties(book: Book) -> Iterator[Finding]:
    """A customer's contracts have different payment priorities where they state any (V-02)."""
    holder: dict[tuple[str, int], str] = {}
    for name, deal in billing(book).items():
        if deal.priority is None:
            continue
        key = (deal.customer, deal.priority)
        if key in holder:
            rule = f"no tie among the contracts of a customer; `{holder[key]}` has this priority already (V-02)"
            yield Finding(("contracts", name, "priority"), str(deal.priority), rule, "give one of the two another number")
        holder.setdefault(key, name)


def claims(book: Book) -> Iterator[Finding]:
    """`pools` names sites of the contract and chips of their lots; only who is served last may leave it out (C-01)."""
    for name, deal in billing(book).items():
        for site, wanted in deal.pools.items():
            at = ("contracts", name, "pools", site)
            if site not in deal.sites:
                yield unknown(at, site, deal.sites, f"contracts.{name}.sites", "C-01")
                continue
            held = list(dict.fromkeys(lot.chip for lot in book.sites[site].lots)) if site in book.sites else []
            for chip in wanted if held else []:
                if chip not in held:
                    yield unknown((*at, chip), chip, held, f"the lots of sites.{site}", "C-01")
            if not wanted:
                yield Finding(at, "no chip", "GPUs by chip (C-01)", "write `{gb300: 10 k GPU}`, or remove it")
    for site in book.sites:
        sharing = serving(book, site)
        ordered = all(book.contracts[name].service_priority is not None for name in sharing)
        for name in sharing[:-1] if ordered else []:
            if site not in book.contracts[name].pools:
                rule = f"all contracts of a shared site but the one served last state their GPUs of it (C-01), here of {site}"
                yield Finding(("contracts", name), "no `pools`", rule, f"add `pools: {{{site}: {{CHIP: 10 k GPU}}}}`")


def _total(place: Site, chip: str) -> float:
    return sum(middle(lot.gpus) for lot in place.lots if lot.chip == chip)


def within_lots(book: Book) -> Iterator[Finding]:
    """Contracts claim no more GPUs of a pool than it will ever have (C-01, S-01)."""
    for site, place in book.sites.items():
        for chip in dict.fromkeys(lot.chip for lot in place.lots):
            claimed, whole = 0.0, _total(place, chip)
            for name in serving(book, site):
                claim = claim_of(book.contracts[name], site, chip)
                claimed += claim.median() if claim else 0.0
                if claim and claimed > whole * ROUNDED:
                    got = f"{claimed:,.0f} GPU claimed in all"
                    rule = f"no more {chip} than {site} will ever have, {whole:,.0f} GPU (C-01)"
                    yield Finding(("contracts", name, "pools", site, chip), got, rule, "lower the claims, or add a lot")


def blocks(book: Book) -> Iterator[Finding]:
    """A capacity block is no larger than what its sites will ever give it (C-08)."""
    for name, deal in billing(book).items():
        if deal.gpus is None or deal.form != "capacity_block" or any(site not in book.sites for site in deal.sites):
            continue
        held = 0.0
        for site in deal.sites:
            for chip in chips_of(book, deal, site):
                claim = claim_of(deal, site, chip)
                held += claim.median() if claim else _total(book.sites[site], chip)
        if deal.gpus.median() > held * ROUNDED:
            rule = f"no more GPUs than its sites will ever have for it, {held:,.0f} GPU (C-08)"
            yield Finding(("contracts", name, "gpus"), deal.gpus.text, rule, "lower it, or add a lot")
