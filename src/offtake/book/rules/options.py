"""Options, exclusivity and refusal: each says all it needs, in time, and in a contract that can have it (C-01, C-06)."""

from __future__ import annotations

from collections.abc import Iterator

from ..numbers import Month, Number
from ..options import Option, Swap
from ..sharing import chips_of
from ..terms import Book, Contract
from .finding import Finding, Steps, billing, middle, unknown

SIZE = {"expand": "by", "extend": "months", "terminate": "share", "reprice": "price", "swap": "swap"}
EXAMPLE = {"by": "0.5", "months": "12 months", "share": "50 %", "price": "0.85", "swap": "{old: a, new: b, ratio: 0.5}"}
HOURLY = ("reserved", "take_or_pay")


def _options(book: Book) -> Iterator[tuple[Steps, Contract, Option]]:
    for name, deal in billing(book).items():
        for key, option in deal.options.items():
            yield ("contracts", name, "options", key), deal, option


def complete(book: Book) -> Iterator[Finding]:
    """An option says when and what, and nothing that belongs to another kind (C-06)."""
    for at, _, option in _options(book):
        if option.when is None and option.probability is None:
            fix = "add `when: occupancy > 0.9 for 3 months`, `probability: 30 %`, or both"
            yield Finding(at, "neither `when` nor `probability`", "an option is exercised by a rule or with a probability (C-06)", fix)
        own = SIZE[option.kind]
        if getattr(option, own) is None:
            rule = f"an option to {option.kind} states `{own}` (C-06)"
            yield Finding(at, f"no `{own}`", rule, f"add `{own}: {EXAMPLE[own]}` or what the contract says")
        for kind, key in (*SIZE.items(), ("terminate", "penalty")):
            if kind != option.kind and getattr(option, key) is not None:
                rule = f"`{key}` is a term of an option to {kind} (C-06)"
                yield Finding((*at, key), f"`{key}` in an option to {option.kind}", rule, f"remove it, or write `kind: {kind}`")
        if option.luck is not None and option.probability is None:
            rule = "luck is the draw of a probability (C-06)"
            yield Finding((*at, "luck"), "luck without a probability", rule, "add `probability: 30 %`")


def in_time(book: Book) -> Iterator[Finding]:
    """An option is exercised within the term (C-06)."""
    for at, deal, option in _options(book):
        if deal.term is None:
            continue
        starts = deal.starts if deal.starts is not None else deal.signed
        last = Month(int(starts) + int(middle(deal.term) + 0.5) - 1)
        if not starts <= option.first <= last:
            rule = f"an option is exercised within the term, {starts} to {last} (C-06)"
            yield Finding((*at, "first"), str(option.first), rule, "mend the month or the term")
        if option.last is not None and option.last < option.first:
            rule = f"the last month of exercise is not before the first, {option.first} (C-06)"
            yield Finding((*at, "last"), str(option.last), rule, "swap the two")


def possible(book: Book) -> Iterator[Finding]:
    """Hours can be added, re-priced or swapped where a contract promises hours; a swap has pools of both chips (C-06, U-03)."""
    for at, deal, option in _options(book):
        if option.kind != "terminate" and deal.form not in HOURLY:
            rule = f"a {deal.form} has no option but to terminate (C-06)"
            yield Finding((*at, "kind"), option.kind, rule, "make it a reserved or take_or_pay contract, or remove the option")
        if option.swap is None:
            continue
        yield from _swap(book, at, deal, option.swap)
        if deal.price == "implied":
            rule = "a contract whose chips may change states what an hour costs (C-01)"
            yield Finding((*at[:2], "price"), "implied, with a swap", rule, "write `price`, or `prices` by chip")


def _swap(book: Book, at: Steps, deal: Contract, swap: Swap) -> Iterator[Finding]:
    strange = [(key, chip) for key, chip in (("old", swap.old), ("new", swap.new)) if chip not in book.chips]
    for key, chip in strange:
        yield unknown((*at, "swap", key), chip, book.chips, "chips", "C-06")
    sites = [set(chips_of(book, deal, site)) for site in deal.sites if site in book.sites]
    if not strange and (swap.old == swap.new or not any({swap.old, swap.new} <= held for held in sites)):
        rule = "a swap is between two chips that one site of the contract holds, if only as a lot of 0 GPU (C-06, U-03)"
        fix = f"name two of {', '.join(sorted(set().union(*sites)))}, or add a lot of 0 GPU"
        yield Finding((*at, "swap"), f"{swap.old} for {swap.new}", rule, fix)


def prices(book: Book) -> Iterator[Finding]:
    """One price, or one for each chip of the contract's sites (C-01)."""
    for name, deal in billing(book).items():
        at = ("contracts", name, "prices")
        if not deal.prices:
            continue
        if deal.price is not None:
            yield Finding(at, "`price` and `prices`", "a contract has one price, or one by chip (C-01)", "keep one of the two")
        held = list(dict.fromkeys(chip for site in deal.sites for chip in chips_of(book, deal, site)))
        for chip in held:
            if chip not in deal.prices:
                rule = "each chip of the contract's sites has a price (C-01)"
                yield Finding(at, f"no price for {chip}", rule, f"add `{chip}: 2 USD/GPU-h`")
        for chip in deal.prices:
            if chip not in held:
                yield unknown((*at, chip), chip, held, "chips of the contract's sites", "C-01")
        if deal.form not in HOURLY:
            rule = f"a {deal.form} has one price (C-08)"
            yield Finding(at, f"`prices` in a {deal.form}", rule, "write `price`")


def exclusive(book: Book) -> Iterator[Finding]:
    """What is exclusive to one contract runs on no other (C-01, P-03)."""
    holder: dict[str, str] = {}
    for name, deal in billing(book).items():
        for i, work in enumerate(deal.exclusive):
            at = ("contracts", name, "exclusive", i)
            if work not in book.workloads:
                yield unknown(at, work, book.workloads, "workloads", "P-03")
                continue
            if work in holder:
                rule = f"a workload is exclusive to one contract; `{holder[work]}` has it already (C-01)"
                yield Finding(at, work, rule, "remove one of the two")
            holder.setdefault(work, name)
            others = [other for other in book.workloads[work].may_run if other != name]
            if others:
                got = f"{work}, which may run on {', '.join(others)}"
                rule = f"what is exclusive to `{name}` may run on no other contract (P-03)"
                yield Finding(at, got, rule, f"write `may_run: [{name}]`, or remove it here")


def refusal(book: Book) -> Iterator[Finding]:
    """A right of first refusal is about another provider of the same customer (C-01)."""
    for name, deal in billing(book).items():
        if not isinstance(deal.first_refusal, Number):
            continue
        others = [d for d in billing(book).values() if d.customer == deal.customer and d.provider != deal.provider]
        if not any(option.kind in ("expand", "extend") for other in others for option in other.options.values()):
            rule = "a right of first refusal meets an expand or extend option with another provider (C-01)"
            fix = "give another contract of this customer such an option, or remove it"
            yield Finding(("contracts", name, "first_refusal"), deal.first_refusal.text, rule, fix)
