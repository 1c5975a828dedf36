"""What would pass in silence and never happen: a run of the past, a gang that no site can hold, a scenario that changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ..numbers import Number
from ..sharing import chips_of
from ..terms import Book, Workload
from .finding import Finding, Steps, billing, terms_of

RATES = ("discount_rate", "financing_rate", "lease_rate", "interest")
LIVES = ("life", "other_life", "building_life")


def runs(book: Book) -> Iterator[Finding]:
    """A training run falls into the horizon, or at least a part of it (D-02)."""
    start, end = int(book.start), int(book.start) + book.months
    for name, work in book.workloads.items():
        for i, run in enumerate(work.runs):
            if int(run.month) >= end or int(run.month) + run.over.median() <= start:
                last = type(book.start)(end - 1)
                rule = f"a run falls into the horizon, {book.start} to {last} (D-02)"
                yield Finding(("workloads", name, "runs", i, "month"), str(run.month), rule, "mend the month, or remove the run")


def gangs(book: Book) -> Iterator[Finding]:
    """A gang is at least one GPU, and some site will ever hold as many of its chips (P-03)."""
    for name, work in book.workloads.items():
        at, gang = ("workloads", name, "gang"), work.gang.median()
        if 0.0 < gang < 1.0:
            yield Finding(at, work.gang.text, "a gang is at least 1 GPU (P-03)", "write how many GPUs one job needs at once")
        most = largest(book, work)
        if most is not None and gang > most:
            rule = f"a gang fits a site of its contracts, at most {most:,.0f} GPU (P-03)"
            yield Finding(at, work.gang.text, rule, "lower the gang, add a lot, or let it run elsewhere")


def largest(book: Book, work: Workload) -> float | None:
    """The most GPUs of its chips that one site of its contracts will ever hold, in one path of twenty; None where an option may add
    to them, or where nothing is known to run it."""
    deals = [deal for name, deal in billing(book).items() if name in work.may_run]
    if any(deal.options for deal in deals):
        return None
    found = []
    for deal in deals:
        for site in deal.sites:
            chips = {c for c in chips_of(book, deal, site) if not work.chips or c in work.chips} if site in book.sites else set()
            held = [lot.gpus.quantile(0.95) for lot in book.sites[site].lots if lot.chip in chips] if chips else []
            found += [sum(held)] if held else []
    return max(found, default=None)


def nowhere(book: Book) -> Iterator[Finding]:
    """A workload that may run nowhere is never served (P-03)."""
    for name, work in book.workloads.items():
        if not work.may_run:
            yield Finding(("workloads", name, "may_run"), "[]", "a workload may run somewhere (P-03)", "name contracts of its customer")


def served(book: Book) -> Iterator[Finding]:
    """The sites of a contract hold GPUs, and power for them (S-01, S-02)."""
    for name, deal in billing(book).items():
        sites = [site for site in deal.sites if site in book.sites]
        if sites and not any(book.sites[site].lots for site in sites):
            yield Finding(("contracts", name, "sites"), ", ".join(sites), "sites that ever hold a GPU (S-01)", "add `lots` to the site")
        for site in sites:
            if book.sites[site].lots and not book.sites[site].power:
                yield Finding(
                    ("sites", site, "power"), "[]", "a site with GPUs takes power in at least one step (S-02)", "add a step to `power`"
                )


def prepaid(book: Book) -> Iterator[Finding]:
    """Nobody pays more ahead than the whole contract (C-09)."""
    for name, deal in billing(book).items():
        if deal.prepaid is None or not isinstance(deal.total, Number) or deal.prepaid.median() <= deal.total.median():
            continue
        rule = f"what is prepaid stays within the total, {deal.total.text} (C-09)"
        yield Finding(("contracts", name, "prepaid"), deal.prepaid.text, rule, "mend the one or the other")


def scenarios(book: Book) -> Iterator[Finding]:
    """A scenario changes something, and `base` is what no scenario changes (U-03)."""
    for name, scenario in book.scenarios.items():
        if name == "base":
            yield Finding(("scenarios", name), "base", "`base` is the book without any scenario (U-03)", "give it another name")
        if not scenario.set:
            yield Finding(
                ("scenarios", name, "set"), "{}", "a scenario changes a number (U-03)", "add one under `set`, or remove the scenario"
            )


def rates(book: Book) -> Iterator[Finding]:
    """A yearly rate lies between -100 % and 100 %; a useful life is a month or more (A-04, V-06)."""
    for steps, term in terms_of(book):
        if not isinstance(term, Number) or not steps:
            continue
        yield from _rate(steps, term)
        if steps[-1] in LIVES and 0.0 < term.median() < 1.0:
            yield Finding(steps, term.text, "a useful life is at least a month (A-04)", "write it in months, as in `60 months`")


def _rate(steps: Steps, rate: Number) -> Iterator[Finding]:
    if steps[-1] in RATES and not -1.0 < rate.median() < 1.0:
        yield Finding(steps, rate.text, "a yearly rate is above -100 % and below 100 % (V-06)", "write 9 % for nine percent a year")
