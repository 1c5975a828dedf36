"""Events, benchmarks, the tree and positions: names that lead somewhere, chances that add up, what each method needs (V-06 to V-08)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ..market import Branch, Pricing, Statement, Tree
from ..terms import Book
from .finding import Finding, Steps, unknown

NEEDS = {
    "pe": {"company": "amzn", "multiple": "18 to 30"},
    "ev_revenue": {"company": "amzn", "multiple": "4 to 9", "net_debt": "5 bn USD"},
    "elastic": {"follows": "revenue of companies.amzn @ 2027", "elasticity": "0.1 to 0.5"},
    "basket": {"weights": "{AMZN: 60 %, MSFT: 40 %}"},
}
SLACK = 1e-9


def events(book: Book) -> Iterator[Finding]:
    """An event is a listed company's, and not after `as_of`; so are earnings days and news (T-02)."""
    limit = book.as_of.date()
    for name, event in book.events.items():
        if event.of not in book.companies:
            yield unknown(("events", name, "of"), event.of, book.companies, "companies", "V-06")
        elif not book.companies[event.of].ticker:
            rule = "a company with a `ticker` (V-06)"
            yield Finding(("events", name, "of"), event.of, rule, f"add `ticker` to companies.{event.of}")
        if event.contract is not None and event.contract not in book.contracts:
            yield unknown(("events", name, "contract"), event.contract, book.contracts, "contracts", "V-06")
        dated: list[tuple[Steps, date]] = [(("events", name, "day"), event.day)]
        dated += [(("events", name, "news", i, "day"), n.day) for i, n in enumerate(event.news)]
        yield from (_late(steps, day, limit) for steps, day in dated if day > limit)
    for name, company in book.companies.items():
        for i, report in enumerate(company.earnings):
            if report.day > limit:
                yield _late(("companies", name, "earnings", i, "day"), report.day, limit)
    for name, benchmark in (book.market.benchmarks if book.market else {}).items():
        for held in benchmark.holds:
            if held not in book.companies:
                yield unknown(("market", "benchmarks", name, "holds", held), held, book.companies, "companies", "V-06")


def _late(steps: Steps, day: date, limit: date) -> Finding:
    rule = f"a day known on {limit}, the book's `as_of` (T-02)"
    return Finding(steps, str(day), rule, "take it out, or move `as_of`")


def tree(book: Book) -> Iterator[Finding]:
    """Branches hang together, their chances add up, every price has what its method needs (V-07)."""
    if book.tree is None:
        return
    yield from _nodes(book, book.tree)
    for ticker, pricing in book.tree.prices.items():
        yield from _pricing(book, book.tree, ticker, pricing)
    for name, said in book.tree.statements.items():
        yield from _statement(book, book.tree, name, said)
    last = (int(book.start) + book.months) // 12 - 1
    if not int(book.start) // 12 < book.tree.year <= last:
        rule = f"a whole calendar year of the horizon, {int(book.start) // 12 + 1} to {last} (V-07)"
        yield Finding(("tree", "year"), str(book.tree.year), rule, "move the year, or lengthen `months`")


def _nodes(book: Book, tree: Tree) -> Iterator[Finding]:
    children: dict[str | None, list[str]] = {}
    for name, node in tree.nodes.items():
        at: Steps = ("tree", "nodes", name)
        if node.after is not None and node.after not in tree.nodes:
            yield unknown((*at, "after"), node.after, tree.nodes, "tree.nodes", "V-07")
        elif _circles(tree.nodes, name):
            yield Finding((*at, "after"), str(node.after), "no node comes after itself (V-07)", "name an earlier node")
        if node.scenario is not None and node.scenario not in book.scenarios:
            yield unknown((*at, "scenario"), node.scenario, book.scenarios, "scenarios", "V-07")
        if node.probability.kind != "constant":
            yield Finding((*at, "probability"), node.probability.text, "a branch's probability is one number (V-07)", "write 20 %")
        children.setdefault(node.after, []).append(name)
    for parent, names in children.items():
        total = sum(tree.nodes[n].probability.median() for n in names)
        if abs(total - 1.0) > SLACK:
            after = f"after `{parent}`" if parent else "at the root"
            rule = f"the branches {after} have probabilities that add up to 1 (V-07)"
            yield Finding(("tree", "nodes", names[-1], "probability"), f"{total:.6g} over {', '.join(names)}", rule, "mend one of them")


def _circles(nodes: dict[str, Branch], name: str) -> bool:
    seen: set[str] = set()
    at: str | None = name
    while at is not None and at in nodes:
        if at in seen:
            return True
        seen.add(at)
        at = nodes[at].after
    return False


def _pricing(book: Book, tree: Tree, ticker: str, pricing: Pricing) -> Iterator[Finding]:
    at: Steps = ("tree", "prices", ticker)
    for key, example in NEEDS[pricing.method].items():
        if not getattr(pricing, key):
            yield Finding(at, f"no `{key}`", f"a price by `{pricing.method}` states `{key}` (V-07)", f"add `{key}: {example}`")
    if pricing.company is not None and pricing.company not in book.companies:
        yield unknown((*at, "company"), pricing.company, book.companies, "companies", "V-07")
    elif pricing.company is not None and pricing.method in ("pe", "ev_revenue"):
        company = book.companies[pricing.company]
        wanted = ["segment", "shares", *(["tax_rate"] if pricing.method == "pe" else [])]
        for key in wanted:
            if getattr(company, key) is None:
                rule = f"a price by `{pricing.method}` needs companies.{pricing.company}.{key} (V-07)"
                yield Finding((*at, "company"), pricing.company, rule, f"add `{key}`, or use another method")
    for name in pricing.weights:
        if name not in tree.prices or tree.prices[name].method == "basket":
            rule = "a ticker under `tree.prices` that is no basket itself (V-07)"
            yield Finding((*at, "weights", name), name, rule, "price it there, or leave it out")


def _statement(book: Book, tree: Tree, name: str, said: Statement) -> Iterator[Finding]:
    at: Steps = ("tree", "statements", name)
    if said.ticker not in tree.prices:
        yield unknown((*at, "ticker"), said.ticker, tree.prices, "tree.prices", "V-07")
        return
    level, falls = said.above is not None, said.fall is not None
    if level == falls:
        yield Finding(at, "both" if level else "neither", "a statement is `above` a value, or a `fall` (V-07)", "write one of them")
    if level and said.reading is None:
        yield Finding(at, "no `reading`", "a level is reached at any close, or at the end (V-07)", "add `reading: touch` or `at date`")
    company = tree.prices[said.ticker].company
    if level and (company is None or company not in book.companies or book.companies[company].shares is None):
        yield Finding((*at, "above"), said.ticker, "a market value needs the company's `shares` (V-07)", "add them")
    if falls and said.days is None:
        yield Finding(at, "no `days`", "a fall says over how many trading days (V-07)", "add `days: 1` for one night")


def positions(book: Book) -> Iterator[Finding]:
    """A basket is named or picked by a rule, not both (V-08)."""
    for name, position in book.positions.items():
        if position.basket and position.rule:
            yield Finding(("positions", name, "rule"), position.rule, "a basket is listed, or picked by a rule (V-08)", "keep one")
