"""The arithmetic between claims: a total over its years, a multiple, a rise in percent, a price and its move, a sum, a part.

Each check recomputes one claim from others of the text. It holds where the result rounds to what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from ...units import format_value
from .claims import Claim
from .records import HEDGED

MANY = 100  # claims back in which a total is looked for
REACH = 400  # characters within which claims belong to one calculation
APART = 1.5  # two figures for one thing further apart than this are not the same thing


class Check(NamedTuple):
    """`claims` are places in the list of claims; `computed` from all but the last of them is set beside `stated`, the last."""

    kind: str
    claims: tuple[int, ...]
    formula: str
    computed: float
    stated: float | None
    low: float | None
    high: float | None
    unit: str
    verdict: str


class _Item(NamedTuple):
    n: int
    claim: Claim

    @property
    def value(self) -> float | None:
        return None if self.claim.negated else self.claim.quantity.value

    @property
    def at(self) -> int:
        return self.claim.span[0]

    @property
    def shown(self) -> str:
        q = self.claim.quantity
        if q.value is not None and q.unit not in ("share", "multiple", "count") and abs(q.value) < 1e4:
            return f"{q.value:,.10g} {q.unit}"  # a price to the cent
        return format_value(q.value, None if q.unit in ("multiple", "count") else q.unit)


def checks(claims: tuple[Claim, ...], closes: Mapping[str, float] | None = None) -> list[Check]:
    """All that can be recomputed, in the order of the claims that are recomputed; `closes` holds the last close before the article's day
    by company."""
    items = [_Item(n, c) for n, c in enumerate(claims)]
    deals: dict[str, _Item] = {}
    for item in items:
        if item.claim.metric == "contract value" and item.claim.quantity.unit != "share" and item.value:
            deals.setdefault(item.claim.quantity.unit, item)
    moves = [x for x in items if x.claim.metric == "share price change" and x.claim.quantity.low is not None]
    found: list[Check] = []
    for item in items:
        near = _near(items, item)
        before = items[max(0, item.n - MANY) : item.n]
        found += [*_per_year(item, near, before), *_multiple(item, near), *_rise(item, near)]
        deal = deals.get(item.claim.quantity.unit)
        if deal is not None:
            found += [*_sum(item, before, deal), *_part(item, near, deal)]
        found += _price(item, near, moves, closes or {})
    seen: set[tuple[str, tuple[int, ...]]] = set()
    return [c for c in found if not ((c.kind, c.claims) in seen or seen.add((c.kind, c.claims)))]  # type: ignore[func-returns-value]


def _near(items: list[_Item], item: _Item) -> list[_Item]:
    """Claims before and behind within reach, at most 12 on a side."""
    return [x for x in items[max(0, item.n - 12) : item.n + 13] if x.n != item.n and abs(x.at - item.at) <= REACH]


def _same(a: _Item, b: _Item) -> bool:
    return a.claim.sentence == b.claim.sentence


def _per_year(item: _Item, near: list[_Item], before: list[_Item]) -> Iterator[Check]:
    """A total over its term against the amount a year."""
    if item.claim.metric != "contract value a year" or item.value is None:
        return
    term = _last([x for x in near if x.claim.quantity.unit == "month" and (x.value or 0) >= 12 and x.n < item.n and x.at > item.at - 200])
    total = _last(
        [x for x in before if x.claim.metric == "contract value" and x.claim.quantity.unit == item.claim.quantity.unit and x.value]
    )
    if term and total and term.value and total.value and total.at > item.at - 3_000:
        years = term.value / 12
        yield _check("per year", (total, term, item), f"{total.shown} / {years:g} years", total.value / years)


def _last(items: list[_Item]) -> _Item | None:
    return items[-1] if items else None


def _pair(item: _Item, near: list[_Item]) -> tuple[_Item, _Item] | None:
    """The two amounts of one unit and metric that stand in the sentence of a share or multiple."""
    amounts = [x for x in near if _same(x, item) and x.value and x.claim.quantity.unit not in ("share", "multiple", "month", "date")]
    for a, b in pairwise(amounts):
        if a.claim.quantity.unit == b.claim.quantity.unit and a.claim.metric == b.claim.metric and a.value != b.value:
            return a, b
    return None


def _multiple(item: _Item, near: list[_Item]) -> Iterator[Check]:
    """From one amount to another against the multiple."""
    if item.claim.quantity.unit != "multiple" or not item.value:
        return
    pair = _pair(item, near)
    if pair and pair[0].value and pair[1].value:
        a, b = pair
        yield _check("multiple", (a, b, item), f"{b.shown} / {a.shown}", pair[1].value / pair[0].value)


def _rise(item: _Item, near: list[_Item]) -> Iterator[Check]:
    """From one amount to another against the percentage."""
    if item.claim.quantity.unit != "share" or item.value is None or item.claim.metric in ("paying share", "margin change", "interest"):
        return
    pair = _pair(item, near)
    if pair is None or not pair[0].value or not pair[1].value or not (1 / APART < pair[0].value / pair[1].value < APART):
        return
    ways = [(a, b, abs(b.value / a.value - 1)) for a, b in (pair, pair[::-1]) if a.value and b.value]
    a, b, rise = min(ways, key=lambda way: abs(way[2] - (item.value or 0.0)))
    if abs(rise - item.value) <= 0.01 + item.claim.quantity.step:
        yield _check("rise", (a, b, item), f"{b.shown} / {a.shown} - 1", rise)


def _price(item: _Item, near: list[_Item], moves: list[_Item], closes: Mapping[str, float]) -> Iterator[Check]:
    """A price and its move imply the price before; a second price is set against a move that the text states elsewhere."""
    if item.claim.metric != "share price change" or not item.value:
        return
    prices = [x for x in near if _same(x, item) and x.claim.metric == "share price" and x.value]
    if not prices or not prices[0].value or any(c.kind == "rise" for c in _rise(item, near)):
        return
    first = prices[0]
    before = prices[0].value / (1 + item.value)
    formula = f"{first.shown} / (1 + {item.shown})"
    close = closes.get(first.claim.company)
    yield Check(
        "price before", (first.n, item.n), formula, before, close, close, close, first.claim.quantity.unit, _closed(first, item, close)
    )
    for other in prices[1:2]:
        move = (other.value or 0.0) / before - 1
        for x in [x for x in moves[:2] if x.n != item.n][:1]:
            yield _check("rise", (first, item, other, x), f"{other.shown} / ({formula}) - 1", move)


def _closed(price: _Item, move: _Item, close: float | None) -> str:
    """Whether the last close and the move, as rounded, lead to the price."""
    if close is None or price.value is None or move.value is None:
        return "implied; no price before is stated"
    step, cent = move.claim.quantity.step / 2, price.claim.quantity.step / 2
    low, high = (price.value - cent) / (1 + move.value + step), (price.value + cent) / (1 + move.value - step)
    if low * (1 - 1e-9) <= close <= high * (1 + 1e-9):
        return "holds"
    return f"differs by {100 * (price.value / (1 + move.value) / close - 1):+.2f} %"


def _sum(item: _Item, before: list[_Item], deal: _Item) -> Iterator[Check]:
    """Two totals of one thing: the smaller, with the deal of the article, against the greater."""
    if item.claim.metric != "commitments" or not item.value:
        return
    earlier = [
        x for x in before
        if x.claim.metric == "commitments" and x.claim.company == item.claim.company and x.claim.quantity.unit == item.claim.quantity.unit
        and x.value and x.value < item.value < APART * x.value
    ]  # fmt: skip
    for x in earlier[-1:]:
        if deal.value and x.value:
            yield _check("sum", (x, deal, item), f"{x.shown} + {deal.shown}", x.value + deal.value)


def _part(item: _Item, near: list[_Item], deal: _Item) -> Iterator[Check]:
    """A share of the deal against the amount in the same sentence."""
    if item.claim.metric != "contract value" or not item.value or item.n <= deal.n:
        return
    share = _last(
        [x for x in near if _same(x, item) and x.n < item.n and x.claim.quantity.unit == "share" and x.claim.metric == "contract value"]
    )
    if share and share.value and deal.value and item.value < deal.value:
        yield _check("part", (share, deal, item), f"{share.shown} of {deal.shown}", share.value * deal.value)


def _check(kind: str, items: tuple[_Item, ...], formula: str, computed: float) -> Check:
    """Set a result beside the last of the claims it is computed from."""
    q = items[-1].claim.quantity
    return Check(kind, tuple(x.n for x in items), formula, computed, q.value, q.low, q.high, q.unit, _verdict(items[-1].claim, computed))


def _verdict(claim: Claim, computed: float) -> str:
    """`holds` where the result rounds to what is written, or lies in the range; else by how much the claim is off."""
    q = claim.quantity
    if q.value is None:
        low, high = q.low if q.low is not None else -float("inf"), q.high if q.high is not None else float("inf")
        if low - q.step / 2 <= computed <= high + q.step / 2:
            return "holds"
        end = low if computed < low else high
        return (
            f"differs by {100 * (end - computed):+.1f} points" if q.unit == "share" else f"differs by {100 * (end / computed - 1):+.1f} %"
        )
    slack = max(q.step / 2, HEDGED * abs(q.value) if q.hedge else 0.0) * (1 + 1e-9)
    if abs(computed - q.value) <= slack:
        return "holds"
    if q.unit == "share":
        return f"differs by {100 * (q.value - computed):+.1f} points"
    return f"differs by {100 * (q.value / computed - 1):+.1f} %"
