"""Names that lead somewhere: companies, chips, sites, contracts, paths, signals' measures; no circles."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ...fact_rows import catalog
from ..numbers import Month, Number, Series
from ..outputs import all_measures, measures_of
from ..sharing import chips_of, pool_label
from ..terms import Book
from ..walk import fields_of, numbers_of
from .finding import Finding, Steps, billing, undrawn, unknown

ADDRESS = re.compile(r"^\s*(?P<measure>[a-z_]+)(?:\s+of\s+(?P<of>[\w.\-]+))?(?:\s*@\s*(?P<period>[\w\-]+))?\s*$")
STATISTIC = re.compile(r"^\s*(?:mean|p05|p25|p50|p75|p95)\s*\((.*)\)\s*$")
PERIOD = re.compile(r"^(?:FY)?(\d{4})(?:-(\d\d)|Q[1-4])?$")


def companies(book: Book) -> Iterator[Finding]:
    """Customers and providers stand under `companies`."""
    asked: list[tuple[Steps, str]] = []
    asked += [(("sites", n, "provider"), s.provider) for n, s in book.sites.items()]
    asked += [(("contracts", n, role), getattr(c, role)) for n, c in book.contracts.items() for role in ("customer", "provider")]
    asked += [(("workloads", n, "customer"), w.customer) for n, w in book.workloads.items()]
    asked += [(("companies", n, "customer", "revenue_share_to"), c.customer.revenue_share_to)
              for n, c in book.companies.items() if c.customer]  # fmt: skip
    yield from _missing(asked, book.companies, "companies", "C-01")
    for name, deal in billing(book).items():
        customer = book.companies.get(deal.customer)
        if customer is not None and customer.customer is None:
            fix = f"add companies.{deal.customer}.customer, or make the contract `form: announced`"
            yield Finding(("contracts", name, "customer"), deal.customer, "a company with a `customer` section (V-01)", fix)


def chips(book: Book) -> Iterator[Finding]:
    """Lots and workloads name chips of the book."""
    asked: list[tuple[Steps, str]] = []
    asked += [(("sites", n, "lots", i, "chip"), lot.chip) for n, s in book.sites.items() for i, lot in enumerate(s.lots)]
    for name, work in book.workloads.items():
        asked += [(("workloads", name, "reference"), work.reference)]
        asked += [(("workloads", name, "chips", i), chip) for i, chip in enumerate(work.chips)]
        asked += [(("workloads", name, "throughput", chip), chip) for chip in work.throughput]
    yield from _missing(asked, book.chips, "chips", "S-01")


def contracts(book: Book) -> Iterator[Finding]:
    """Workloads run on contracts that bill; a contract lies inside one of the book."""
    inside: list[tuple[Steps, str]] = [
        (("contracts", n, "inside", i), other) for n, c in book.contracts.items() for i, other in enumerate(c.inside)
    ]
    yield from _missing(inside, book.contracts, "contracts", "C-11")
    asked: list[tuple[Steps, str]] = []
    for name, work in book.workloads.items():
        asked += [(("workloads", name, "home"), work.home)]
        asked += [(("workloads", name, "may_run", i), contract) for i, contract in enumerate(work.may_run)]
    for steps, contract in asked:
        if contract in book.contracts and contract not in billing(book):
            rule = "a contract that bills; this one is `announced` (P-03)"
            yield Finding(steps, contract, rule, "name a contract with another form")
    yield from _missing(asked, book.contracts, "contracts", "P-03")


def sites(book: Book) -> Iterator[Finding]:
    """Contracts name sites of the book, each once."""
    asked: list[tuple[Steps, str]] = []
    for name, deal in book.contracts.items():
        for i, site in enumerate(deal.sites):
            asked.append((("contracts", name, "sites", i), site))
            if site in deal.sites[:i]:
                yield Finding(("contracts", name, "sites", i), site, "a contract names a site once (C-01)", "remove it here")
    yield from _missing(asked, book.sites, "sites", "C-01")


def inside_cycles(book: Book) -> Iterator[Finding]:
    """No commitment lies inside itself (C-11)."""
    ways = {name: [other for other in deal.inside if other in book.contracts] for name, deal in book.contracts.items()}
    for circle in _circles(ways):
        got = " inside ".join([*circle, circle[0]])
        yield Finding(("contracts", circle[0], "inside"), got, "no contract lies inside itself (C-11)", "remove one of these")


def indices(book: Book) -> Iterator[Finding]:
    """An index follows another path in time, and not itself (N-03)."""
    paths = dict(fields_of(book))
    ways: dict[str, list[str]] = {}
    for path, field in paths.items():
        if isinstance(field, Series) and field.kind == "index":
            of = str(field.args["of"])
            if of in paths:
                ways[path] = [of]
            else:
                near = unknown((*path.split("."), "index", "of"), of, list(paths), "numbers of this book", "N-03")
                yield Finding(near.steps, of, "the path of a number or a path in time (N-03)", near.fix)
    for circle in _circles(ways):
        got = " follows ".join([*circle, circle[0]])
        steps = (*circle[0].split("."), "index", "of")
        yield Finding(steps, got, "no index follows itself (N-03)", "give one of these a path of its own")


def inputs(book: Book) -> Iterator[Finding]:
    """Factors and correlations name numbers of the book that are uncertain here or in a scenario (N-04)."""
    numbers = dict(numbers_of(book))
    patched = [path for scenario in book.scenarios.values() for path in scenario.set]
    asked: list[tuple[Steps, str]] = [(("factors", n, "drives", path), path)
                                      for n, f in book.factors.items() for path in f.drives]  # fmt: skip
    asked += [(("correlations", i, "between", e), end) for i, c in enumerate(book.correlations) for e, end in enumerate(c.between)
              if end not in book.factors]  # fmt: skip
    for steps, path in asked:
        number = numbers.get(path)
        if not isinstance(number, Number):
            below = next((p for p in numbers if p.startswith(f"{path}.")), None)
            fix = f"did you mean `{below}`?" if below else unknown(steps, path, list(numbers), "numbers", "N-04").fix
            yield Finding(steps, path, "the path of a number of this book (N-04)", fix)
        elif number.kind == "constant" and not any(path == p or path.startswith(f"{p}.") for p in patched):
            rule = "an uncertain number; this one is the same on every path (N-04)"
            yield Finding(steps, f"{path} = {number.text}", rule, "give it an interval, or remove the dependence")
        elif idle := undrawn(book, path):
            yield Finding(steps, f"{path}: {idle}", "a number that paths draw (N-04)", "remove the dependence: it would change nothing")


def pairs(book: Book) -> Iterator[Finding]:
    """A pair is correlated once, and never with itself (N-04)."""
    seen: set[frozenset[str]] = set()
    for i, correlation in enumerate(book.correlations):
        pair = frozenset(correlation.between)
        got = " and ".join(correlation.between)
        if len(pair) == 1:
            yield Finding(("correlations", i, "between"), got, "two different numbers (N-04)", "name another number")
        elif pair in seen:
            yield Finding(("correlations", i, "between"), got, "a pair is correlated once (N-04)", "remove one of the two")
        seen.add(pair)


def measures(book: Book) -> Iterator[Finding]:
    """Signals and claims ask `MEASURE of ENTITY @ PERIOD` of something in the book, within the horizon (E-01)."""
    known = _entities(book)
    asked: list[tuple[Steps, str]] = [(("signals", n, "measure"), s.measure) for n, s in book.signals.items()]
    asked += [(("signals", n, "proxy", "measure"), s.proxy.measure) for n, s in book.signals.items() if s.proxy]
    asked += [(("claims", n, "measure"), c.measure) for n, c in book.claims.items() if c.measure]
    for steps, text in asked:
        if outer := STATISTIC.match(text):
            rule = "a measure alone: its interval is told anyway (E-01)"
            yield Finding(steps, text[:60], rule, f"write `{outer[1]}`")
            continue
        found = ADDRESS.match(text)
        if not found:
            rule = "a measure: MEASURE of ENTITY @ PERIOD (E-01)"
            yield Finding(steps, text[:60], rule, "write `revenue of contracts.aws @ 2027`")
            continue
        yield from _astray(steps, text, found, known)
        if found["period"] and not _in_horizon(found["period"], book):
            last = Month(int(book.start) + book.months - 1)
            rule = f"a period from {book.start} to {last} (E-01)"
            yield Finding(steps, found["period"], rule, "write 2026-03, 2026Q1, FY2026Q2, FY2026, 2026 or total")


def _astray(steps: Steps, text: str, found: re.Match[str], known: Collection[str]) -> Iterator[Finding]:
    """A measure that there is none of, of nothing, of nobody, or not of this."""
    measure, of = found["measure"], found["of"]
    if measure not in all_measures():
        near = get_close_matches(measure, all_measures(), n=1)
        fix = f"did you mean `{near[0]}`?" if near else "`offtake list measures` shows them"
        yield Finding(steps, measure, "a measure (E-01)", fix)
    elif not of:
        yield Finding(steps, text[:60], "a measure says whose it is: MEASURE of ENTITY @ PERIOD (E-01)", f"write `{measure} of ..`")
    elif of not in known:
        nearest = unknown(steps, of, known, "contracts", "E-01")
        yield Finding(steps, of, "a contract that bills, a company, site, pool or workload (E-01)", nearest.fix)
    elif measure not in measures_of(of):
        kinds = sorted({name.split(".")[0] for name in known if measure in measures_of(name)})
        fix = f"ask it of one of its {' or '.join(kinds)}" if kinds else "the book has nothing to ask it of"
        yield Finding(steps, f"{measure} of {of}", f"a measure of {of.split('.')[0]} (E-01)", fix)


def histories(book: Book) -> Iterator[Finding]:
    """Series that companies reported stand among the facts on record (E-05)."""
    facts = book._beside.facts or catalog()
    for name, company in book.companies.items():
        for measure, key in company.history.items():
            keys = facts.series  # a store is read here, if at all
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                fix = f"did you mean {near[0]}?" if near else "see `offtake facts list`"
                yield Finding(("companies", name, "history", measure), key, "a series of reported facts (E-05)", fix)


def _entities(book: Book) -> list[str]:
    held = [(name, site) for name, deal in billing(book).items() for site in deal.sites if site in book.sites]
    by_hour = [f"pools.{pool_label(book, site, chip, name)}" for name, site in held for chip in chips_of(book, book.contracts[name], site)]
    by_hour += [f"workloads.{n}" for n in book.workloads]
    return [
        *(f"contracts.{n}" for n in billing(book)), *(f"companies.{n}" for n in book.companies), *(f"sites.{n}" for _, n in held),
        *by_hour, *(f"{of}.{slot}" for of in ("slots", *by_hour) for slot in book.day),
        *(f"contracts.{n}.options.{o}" for n, deal in billing(book).items() for o in deal.options),
        "national",
    ]  # fmt: skip


def _in_horizon(period: str, book: Book) -> bool:
    if period == "total":
        return True
    found = PERIOD.match(period)
    if not found or (found[2] and not 1 <= int(found[2]) <= 12):
        return False
    first, last = int(book.start), int(book.start) + book.months - 1
    if found[2]:
        return first <= int(found[1]) * 12 + int(found[2]) - 1 <= last
    slack = 11 if period.startswith("FY") else 0  # a fiscal year may begin in the calendar year before
    return first // 12 <= int(found[1]) <= (last + slack) // 12


def _missing(asked: list[tuple[Steps, str]], known: Collection[str], what: str, rule: str) -> Iterator[Finding]:
    for steps, name in asked:
        if name not in known:
            yield unknown(steps, name, known, what, rule)


def _circles(ways: dict[str, list[str]]) -> list[list[str]]:
    """Circles of a graph, each once, from its first name in order."""
    found: list[list[str]] = []
    done: set[str] = set()
    for first in ways:
        trail: list[tuple[str, Iterator[str]]] = [(first, iter(ways[first]))] if first not in done else []
        on = [first] if trail else []
        while trail:
            name, following = trail[-1]
            after = next(following, None)
            if after is None:
                done.add(name)
                trail.pop()
                on.pop()
            elif after in on:
                found.append(on[on.index(after) :])
            elif after not in done:
                trail.append((after, iter(ways.get(after, []))))
                on.append(after)
    return found
