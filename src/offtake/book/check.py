"""A list of small named rules: Book -> list[Issue]; they never raise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import Issue, one_line
from .rules import (
    consumed,
    day,
    deals,
    dependence,
    equity,
    figures,
    forms,
    knowledge,
    market,
    options,
    references,
    replay,
    sense,
    sharing,
    work,
)  # fmt: skip
from .rules.finding import Finding
from .terms import Book
from .walk import place_of

Rule = Callable[[Book], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    references.companies, references.chips, references.contracts, references.sites, references.inside_cycles, references.indices,
    references.inputs, references.pairs, references.measures, references.histories,
    sharing.sites, sharing.priorities, sharing.payment_ties, sharing.claims, sharing.within_lots, sharing.blocks,
    equity.parties, equity.vesting, equity.bearable,
    knowledge.known_sources, knowledge.sourced, knowledge.one_origin, knowledge.published, knowledge.notes, knowledge.due, knowledge.alerts,
    deals.needed_terms, deals.exemptions, deals.words, deals.order_of_dates, deals.within_total, deals.providers, deals.finances,
    options.complete, options.in_time, options.possible, options.prices, options.exclusive, options.refusal,
    consumed.begun, consumed.one_way, consumed.whole, consumed.period, consumed.others,
    forms.makeup, forms.leases, forms.fixed_words, forms.yearly, forms.own_terms, forms.years, forms.block_cost,
    day.whole, day.profiles,
    work.needed_terms, work.reference_speed, work.somewhere, work.anchor,
    figures.above_zero, figures.lengths, figures.pue, figures.scenario_chances, figures.shares_in_time, dependence.possible,
    sense.runs, sense.gangs, sense.nowhere, sense.served, sense.prepaid, sense.scenarios, sense.rates,
    replay.surfaces, replay.availability, replay.stops,
    market.events, market.tree, market.positions,
)  # fmt: skip


def check(book: Book) -> list[Issue]:
    """Every issue of a book that reads, in the order of its text."""
    return sorted({_issue(book, finding) for rule in RULES for finding in rule(book)})


def _issue(book: Book, finding: Finding) -> Issue:
    file, line, column = place_of(book, finding.steps)
    path = one_line(".".join(str(step) for step in finding.steps))
    return Issue(file, line, column, path, one_line(finding.got), finding.rule, finding.fix)
