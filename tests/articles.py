"""Keys of articles made by hand, and the score of what is read against them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

from offtake.evidence.article.claims import Claim, read
from offtake.evidence.article.source import source_of

CASES = Path(__file__).parent / "cases" / "articles"
SEED = Path(__file__).parents[2] / "shared" / "seed" / "article.zh.txt"


class Row(NamedTuple):
    """One quantity of a key, at [a, b) of the text."""

    a: int
    b: int
    cells: dict[str, str]


class Score(NamedTuple):
    """Rows found and not, claims that no row knows, and of the pairs how many agree on each further field."""

    pairs: list[tuple[Row, Claim]]
    missed: list[str]
    extra: list[str]

    @property
    def recall(self) -> float:
        return len(self.pairs) / (len(self.pairs) + len(self.missed))

    @property
    def precision(self) -> float:
        return len(self.pairs) / (len(self.pairs) + len(self.extra))

    def right(self, field: str) -> int:
        return sum(_agrees(row.cells, claim, field) for row, claim in self.pairs)


def text_of(name: str) -> str:
    """The text of a key, as it stands in the file."""
    file = SEED if name == "seed.zh" else CASES / ("wire.html" if name == "wire" else f"{name}.txt")
    with file.open(encoding="utf-8", newline="") as text:
        return text.read()


def key_of(name: str, text: str) -> list[Row]:
    """The rows of a key; raises where the words of a row do not stand in the text, in order."""
    found: list[Row] = []
    with (CASES / f"{name}.csv").open(encoding="utf-8") as rows:
        for cells in csv.DictReader(rows):
            a = -1
            for _ in range(int(cells["nth"])):
                a = text.index(cells["text"], a + 1)
            assert not found or a > found[-1].a, cells
            found.append(Row(a, a + len(cells["text"]), cells))
    return found


def score(name: str) -> Score:
    """A claim and a row match where their spans overlap and value (of a range, or a vague number, both ends), unit and a date of its own
    agree."""
    text = text_of(name)
    claims = list(read(source_of(text)).claims)
    pairs, missed = [], []
    for row in key_of(name, text):
        hit = next((c for c in claims if c.span[0] < row.b and row.a < c.span[1] and _same(row.cells, c)), None)
        if hit is None:
            missed.append(row.cells["text"])
        else:
            claims.remove(hit)
            pairs.append((row, hit))
    return Score(pairs, missed, [c.text for c in claims])


def _number(text: str) -> float | None:
    return float(text) if text else None


def _equal(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and abs(a - b) <= 1e-9 * abs(b))


def _bounds(cells: dict[str, str], claim: Claim) -> bool:
    return _equal(claim.quantity.low, _number(cells["low"])) and _equal(claim.quantity.high, _number(cells["high"]))


def _same(cells: dict[str, str], claim: Claim) -> bool:
    q = claim.quantity
    if q.unit != cells["unit"] or not _equal(q.value, _number(cells["value"])):
        return False
    if q.unit == "date":
        return claim.date == cells["date"]
    return bool(cells["value"]) or _bounds(cells, claim)


def _agrees(cells: dict[str, str], claim: Claim, field: str) -> bool:
    if field == "bounds":
        return _bounds(cells, claim)
    if field == "negated":
        return claim.negated == (cells["negated"] == "y")
    if field == "entity":
        return not cells["entity"] or claim.company in cells["entity"].split()
    if field == "of":
        return claim.quantity.of == cells["of"]
    return bool(getattr(claim, field) == cells[field])
