"""Rank correlations that can hold together (N-04).

A rank correlation r asks for 2 sin(pi r / 6) between normal scores; numbers that one factor drives get the product of theirs
with it. The stated ones are put in one after the other: the first that makes the matrix impossible is named, with the nearest
value that the ones before it leave.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..numbers import Number
from ..terms import Book
from .finding import Finding, Steps

TOLERANCE = 1e-9
HALVINGS = 40
Matrix = list[list[float]]
Stated = tuple[Steps, str, str, float]


def possible(book: Book) -> Iterator[Finding]:
    """The stated dependence is possible; else the nearest correlation that is."""
    stated = _stated(book)
    if semidefinite(matrix_of(stated, book)):
        return
    for count in range(1, len(stated) + 1):
        if semidefinite(matrix_of(stated[:count], book)):
            continue
        steps, a, b, rank = stated[count - 1]
        nearest = _nearest(stated[:count], book)
        got = f"{rank:g} between {a} and {b}"
        rule = "rank correlations that can hold together: the matrix of 2 sin(pi r/6) is positive semi-definite (N-04)"
        yield Finding(steps, got, rule, f"with those before it, the nearest valid one is {nearest:.3f}")
        return


def _stated(book: Book) -> list[Stated]:
    found: list[Stated] = []
    for name, factor in book.factors.items():
        found += [(("factors", name, "drives", path), f"factors.{name}", path, _rank(n)) for path, n in factor.drives.items()]
    for i, correlation in enumerate(book.correlations):
        a, b = (f"factors.{end}" if end in book.factors else end for end in correlation.between)
        if a != b:
            found.append((("correlations", i, "rank"), a, b, _rank(correlation.rank)))
    return found


def _rank(number: Number) -> float:
    return min(max(number.params[0], -1.0), 1.0)


def matrix_of(stated: list[Stated], book: Book) -> Matrix:
    """Correlations of the normal scores of all numbers and factors that are named."""
    names = list(dict.fromkeys(name for _, a, b, _ in stated for name in (a, b)))
    at = {name: i for i, name in enumerate(names)}
    matrix = [[float(i == j) for j in range(len(names))] for i in range(len(names))]
    loads: dict[str, dict[int, float]] = {}
    for steps, a, b, rank in stated:
        if steps[0] == "factors":
            loads.setdefault(a, {})[at[b]] = 2.0 * math.sin(math.pi * rank / 6.0)
    for factor, driven in loads.items():
        for i, load in driven.items():
            matrix[i][at[factor]] = matrix[at[factor]][i] = load
            for j, other in driven.items():
                matrix[i][j] += load * other if i != j else 0.0
    for steps, a, b, rank in stated:
        if steps[0] == "correlations":
            matrix[at[a]][at[b]] = matrix[at[b]][at[a]] = 2.0 * math.sin(math.pi * rank / 6.0)
    return matrix


def semidefinite(matrix: Matrix) -> bool:
    """Whether a symmetric matrix has no negative pivot; a pivot of zero leaves nothing below it."""
    rows = [row[:] for row in matrix]
    n = len(rows)
    for k in range(n):
        pivot = rows[k][k]
        if pivot < TOLERANCE:
            if pivot < -TOLERANCE or any(abs(rows[i][k]) > math.sqrt(TOLERANCE) for i in range(k + 1, n)):
                return False
            continue
        for i in range(k + 1, n):
            share = rows[i][k] / pivot
            if share:
                for j in range(k + 1, n):
                    rows[i][j] -= share * rows[k][j]
    return True


def _nearest(stated: list[Stated], book: Book) -> float:
    """The value nearest to the last stated one that the others leave possible; the possible ones form an interval."""
    steps, a, b, asked = stated[-1]
    without = matrix_of([*stated[:-1], (steps, a, b, 0.0)], book) if steps[0] == "factors" else matrix_of(stated[:-1], book)
    names = list(dict.fromkeys(name for _, x, y, _ in stated[:-1] for name in (x, y)))
    inside = 0.0
    if steps[0] == "correlations" and a in names and b in names:
        inside = 6.0 / math.pi * math.asin(min(max(without[names.index(a)][names.index(b)], -1.0), 1.0) / 2.0)
    good, bad = inside, asked
    for _ in range(HALVINGS):
        half = (good + bad) / 2.0
        if semidefinite(matrix_of([*stated[:-1], (steps, a, b, half)], book)):
            good = half
        else:
            bad = half
    return math.floor(abs(good) * 1000.0) / 1000.0 * (1.0 if good >= 0 else -1.0)
