"""Rank correlations that can hold together (N-04).

A rank correlation r asks for 2 sin(pi r / 6) between normal scores; numbers that one factor drives get the product of theirs
with it. Where that matrix is impossible, the stated value is named that has to move least, alone, to make it possible; where no
single one can, the first that its predecessors rule out.
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
    if semidefinite(matrix_of(stated)):
        return
    moves = [(abs(near - stated[i][3]), i, near) for i in range(len(stated)) if (near := _nearest(stated, i)) is not None]
    if moves:
        _, i, near = min(moves)
        fix = f"with all others as they are, the nearest valid one is {near:.3f}"
    else:
        i, near = _first_ruled_out(stated)
        fix = f"with those before it, the nearest valid one is {near:.3f}"
    steps, a, b, rank = stated[i]
    rule = "rank correlations that can hold together: the matrix of 2 sin(pi r/6) is positive semi-definite (N-04)"
    yield Finding(steps, f"{rank:g} between {a} and {b}", rule, fix)


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


def matrix_of(stated: list[Stated]) -> Matrix:
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


def _with(stated: list[Stated], i: int, rank: float) -> Matrix:
    steps, a, b, _ = stated[i]
    return matrix_of([*stated[:i], (steps, a, b, rank), *stated[i + 1 :]])


def _nearest(stated: list[Stated], i: int) -> float | None:
    """The value nearest to the stated one that makes all possible, others unchanged; None where there is none.

    Scores' correlations are linear in it, so their lowest eigenvalue is concave and the possible values form an interval.
    """
    import numpy as np

    def lowest(score: float) -> float:
        return float(np.linalg.eigvalsh(np.array(_with(stated, i, _rank_of(score))))[0])

    asked = 2.0 * math.sin(math.pi * stated[i][3] / 6.0)
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        low, high = (a, high) if lowest(a) < lowest(b) else (low, b)
    good, bad = (low + high) / 2.0, asked
    if lowest(good) < -TOLERANCE:
        return None
    for _ in range(HALVINGS):
        half = (good + bad) / 2.0
        good, bad = (half, bad) if lowest(half) >= -TOLERANCE else (good, half)
    rounded = math.ceil if good > asked else math.floor
    return rounded(_rank_of(good) * 1000.0) / 1000.0


def _rank_of(score: float) -> float:
    return 6.0 / math.pi * math.asin(min(max(score, -1.0), 1.0) / 2.0)


def _first_ruled_out(stated: list[Stated]) -> tuple[int, float]:
    """The first stated value that those before it rule out, and the nearest one they allow."""
    for count in range(1, len(stated) + 1):
        if not semidefinite(matrix_of(stated[:count])):
            near = _nearest(stated[:count], count - 1)
            return count - 1, 0.0 if near is None else near
    return len(stated) - 1, 0.0
