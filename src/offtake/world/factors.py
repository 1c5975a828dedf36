"""Uncertain quantities as rows of the draw tables (N-02).

Laws with a formula are drawn by it. Beta, mixture and empirical laws become quantile tables of 257 nodes at equally spaced
normal scores from -5 to 5: straight lines between the nodes are within 1e-3 of the law's standard deviation for smooth laws
(a step of a mixture is smeared over one node, 0.04 of a score). A discrete law is drawn exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..book.numbers import Number
from ..kernels import draw
from .laws import bounds, outcomes, quantile

KINDS = {
    "constant": draw.CONSTANT,
    "normal": draw.NORMAL,
    "lognormal": draw.LOGNORMAL,
    "logit_normal": draw.LOGIT_NORMAL,
    "uniform": draw.UNIFORM,
    "triangular": draw.TRIANGULAR,
    "beta": draw.TABLE,
    "mixture": draw.TABLE,
    "empirical": draw.TABLE,
    "discrete": draw.DISCRETE,
}


@dataclass(frozen=True)
class Factors:
    """Rows of `draw.Draws` that say how each factor is drawn; shapes and meaning as there."""

    kind: np.ndarray
    par: np.ndarray
    low: np.ndarray
    high: np.ndarray
    input: np.ndarray
    table: np.ndarray
    own: np.ndarray


def law_of(number: Number) -> tuple[object, ...]:
    """What decides how a number is drawn: two numbers of one law share their tables."""
    return (number.kind, tuple(number.params), number.clip, tuple(law_of(part) for part in number.parts or ()))


class Tables:
    """Table rows as they are handed out, one set per law."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self._first: dict[tuple[object, ...], int] = {}

    def parameters(self, number: Number) -> tuple[float, ...]:
        """Parameters of a number's draw, with the table rows it needs."""
        kind = KINDS[number.kind]
        if kind not in (draw.TABLE, draw.DISCRETE):
            return tuple(float(p) for p in number.params[:4])
        law = law_of(number)
        if law not in self._first:
            self._first[law] = len(self.rows)
            self.rows += _discrete_rows(number) if kind == draw.DISCRETE else [_quantile_row(number)]
        return (float(self._first[law]), float(len(outcomes(number)[0]) if kind == draw.DISCRETE else 0))

    def array(self) -> np.ndarray:
        """(T, 257)."""
        return np.array(self.rows).reshape(len(self.rows), draw.TABLE_NODES)


def _quantile_row(number: Number) -> np.ndarray:
    return quantile(number, np.linspace(-draw.TABLE_REACH, draw.TABLE_REACH, draw.TABLE_NODES))


def _discrete_rows(number: Number) -> list[np.ndarray]:
    values, chances = outcomes(number)
    if len(values) > draw.TABLE_NODES:
        raise ValueError(f"a discrete number has at most {draw.TABLE_NODES} values, not {len(values)} (N-02)")
    rows = np.ones((2, draw.TABLE_NODES))
    rows[0, : len(values)], rows[1, : len(values)] = np.cumsum(chances), values
    return [rows[0], rows[1]]


def compile_factors(names: Sequence[str], per_scenario: Sequence[Mapping[str, Number]]) -> Factors:
    """Rows of all factors, base first; inputs are numbered from 1 in the order of `names`, 0 is the scenario (U-03)."""
    shape = (len(per_scenario), len(names))
    found = Factors(
        kind=np.zeros(shape, np.int64),
        par=np.zeros((*shape, 4)),
        low=np.full(shape, -np.inf),
        high=np.full(shape, np.inf),
        input=np.full(len(names), -1, np.int64),
        table=np.zeros((0, draw.TABLE_NODES)),
        own=np.zeros(shape, np.int64),
    )
    tables = Tables()
    inputs = 0
    for f, name in enumerate(names):
        numbers = [scenario[name] for scenario in per_scenario]
        if any(number.kind != "constant" for number in numbers):
            inputs += 1
            found.input[f] = inputs
        for n, number in enumerate(numbers):
            found.kind[n, f] = KINDS[number.kind]
            parameters = tables.parameters(number)
            found.par[n, f, : len(parameters)] = parameters
            found.own[n, f] = law_of(number) != law_of(numbers[0])
            if number.kind != "constant":
                found.low[n, f], found.high[n, f] = bounds(number)
    return Factors(**{**vars(found), "table": tables.array()})
