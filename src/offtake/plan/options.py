"""Options of the book's contracts -> the table that `kernels/options` reads (C-06)."""

from __future__ import annotations

from ..book.options import Option
from ..book.terms import Book
from ..kernels.options import Options
from .names import Names
from .rows import Rows
from .supply import ints

KIND = ("expand", "extend", "terminate", "reprice", "swap")
SIZE = ("by", "months", "share", "price", "swap.ratio")
STATE = ("always", "occupancy", "market_price", "coverage")


def all_of(book: Book, names: Names) -> list[tuple[str, str, Option]]:
    """Contract, name and option, in book order."""
    return [(c, o, option) for c in names.contracts for o, option in book.contracts[c].options.items()]


def options(book: Book, names: Names, rows: Rows) -> Options:
    found = all_of(book, names)
    at = [f"contracts.{c}.options.{o}" for c, o, _ in found]
    start = int(book.start)
    rules = [option.when for _, _, option in found]
    swaps = [(s, k, names.pools.index((site, option.swap.new, c)))
             for s, (c, _, option) in enumerate(found) if option.swap
             for k, (site, chip, holder) in enumerate(names.pools)
             if holder == c and chip == option.swap.old and (site, option.swap.new, c) in names.pools]  # fmt: skip
    declines = [_asked_first(book, names, c, option) for c, _, option in found]
    return Options(
        contract=ints([names.contracts.index(c) for c, _, _ in found]),
        kind=ints([KIND.index(option.kind) for _, _, option in found]),
        state=ints([STATE.index(rule.state) if rule else 0 for rule in rules]),
        above=ints([int(rule is not None and rule.side == "above") for rule in rules]),
        level_x=ints([rows.x(f"{path}.when.level") if rule else rows.fixed(0.0) for path, rule in zip(at, rules)]),
        run_x=ints([rows.x(f"{path}.when.months") if rule and rule.months else rows.fixed(1.0) for path, rule in zip(at, rules)]),
        first=ints([int(option.first) - start for _, _, option in found]),
        last=ints([int(option.last) - start if option.last is not None else book.months for _, _, option in found]),
        probability_x=ints([rows.x(f"{path}.probability") if option.probability else -1 for path, (_, _, option) in zip(at, found)]),
        luck_x=ints([rows.x(f"{p}.luck") if option.luck else rows.uniform(f"{p}.luck") for p, (_, _, option) in zip(at, found)]),
        declines_x=ints([rows.x(f"contracts.{holder}.first_refusal") if holder else -1 for holder in declines]),
        declines_luck_x=ints([rows.uniform(f"{path}.declined") if holder else -1 for path, holder in zip(at, declines)]),
        size_x=ints([rows.x(f"{path}.{SIZE[KIND.index(option.kind)]}") for path, (_, _, option) in zip(at, found)]),
        penalty_x=ints([rows.x_or(f"{path}.penalty", 0.0) for path in at]),
        lag_x=ints([rows.x_or(f"{path}.lag", 0.0) for path in at]),
        swap_option=ints([s for s, _, _ in swaps]), swap_from=ints([k for _, k, _ in swaps]), swap_to=ints([j for _, _, j in swaps]),
    )  # fmt: skip


def _asked_first(book: Book, names: Names, contract: str, option: Option) -> str | None:
    """The contract whose provider may match what this option would add with another provider (C-01)."""
    deal = book.contracts[contract]
    if option.kind not in ("expand", "extend"):
        return None
    for name in names.contracts:
        other = book.contracts[name]
        if other.first_refusal is not None and other.customer == deal.customer and other.provider != deal.provider:
            return name
    return None
