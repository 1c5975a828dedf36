"""Who is served from a site: the contracts on it, first served first, and the GPUs that each may claim (C-01, S-03)."""

from __future__ import annotations

from .numbers import Number
from .terms import Book, Contract, Site


def serving(book: Book, site: str) -> list[str]:
    """Contracts that bill and draw on a site, first served first; those without a priority last, in book order."""
    found = [name for name, deal in book.contracts.items() if deal.form != "announced" and site in deal.sites]
    return sorted(found, key=lambda name: -_priority(book.contracts[name]))


def _priority(deal: Contract) -> float:
    return float("-inf") if deal.service_priority is None else float(deal.service_priority)


def chips_of(book: Book, deal: Contract, site: str) -> list[str]:
    """Chips of a site that serve a contract: those it claims, or all, in the order of the lots."""
    held = list(dict.fromkeys(lot.chip for lot in book.sites[site].lots)) if site in book.sites else []
    return [chip for chip in held if site not in deal.pools or chip in deal.pools[site]]


def claim_of(deal: Contract, site: str, chip: str) -> Number | None:
    """GPUs of a chip that a contract may claim at a site; None where it takes what is left."""
    return deal.pools[site].get(chip) if site in deal.pools else None


def pool_label(book: Book, site: str, chip: str, contract: str) -> str:
    """`site.chip`, and the contract behind it where several share the site."""
    return f"{site}.{chip}.{contract}" if len(serving(book, site)) > 1 else f"{site}.{chip}"


def promised_gpus(book: Book, name: str, site: str, month: int, chip: str) -> float:
    """GPUs of one chip that the signed schedule gives a contract at the end of an absolute month, at medians (S-01)."""
    left = planned_gpus(book.sites[site], month, chip)
    for other in serving(book, site):
        deal = book.contracts[other]
        claim = claim_of(deal, site, chip)
        mine = 0.0 if chip not in chips_of(book, deal, site) else left if claim is None else min(claim.median(), left)
        if other == name:
            return mine
        left -= mine
    return 0.0


def planned_gpus(site: Site, month: int, chip: str) -> float:
    """GPUs of one chip in the signed schedule at the end of an absolute month: no slip, no acceptance (S-01)."""
    total = 0.0
    for lot in site.lots:
        if lot.chip != chip:
            continue
        since = month + 1 - int(lot.month)
        share = 1.0 if lot.running else min(max(since / max(lot.over.median(), 1e-9), 0.0), 1.0)
        total += lot.gpus.median() * share
    return total
