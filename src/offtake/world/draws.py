"""Who draws what: input numbers, and the table that `kernels/draw` reads.

Input 0 is the scenario. Then come the factors that are uncertain in some scenario, in the order of their names, then the common
factors, then the monthly noise of time paths. The first three have one normal score a path (a row of Z); noise has one a month
and no row. An input number is part of the key of its draws, so a book's inputs keep their draws while its order stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..book.numbers import Number
from ..kernels import sobol
from ..kernels.draw import Draws
from .dependence import correlation_matrix, lower_factor, require_possible
from .factors import compile_factors

SCENARIO = "scenario"


@dataclass(frozen=True)
class Inputs:
    """What is drawn.

    names    names of the rows of Z, by input number: `scenario`, uncertain factors, common factors as `factors.NAME`
    streams  input number of the monthly noise of each noisy time path
    idle     what a stated dependence names but nothing draws: a number that is constant here, or that no rule reads
    """

    names: tuple[str, ...]
    streams: Mapping[str, int]
    idle: tuple[str, ...] = ()


def assemble(
    names: Sequence[str],
    numbers_by_scenario: Sequence[Mapping[str, Number]],
    probabilities: Sequence[float],
    common: Mapping[str, Mapping[str, float]],
    pairs: Sequence[tuple[str, str, float]],
    stream_names: Sequence[str],
) -> tuple[Draws, Inputs]:
    """Draws and inputs of a compiled book.

    names                factor names; the position is the row of X
    numbers_by_scenario  number of each factor, base first
    probabilities        of the scenarios, base first; they add up to 1
    common               per common factor, the Spearman rank correlation of each factor it drives
    pairs                (factor, factor, Spearman rank correlation); an end may be a common factor by its name
    stream_names         time paths with monthly noise
    raises               ImpossibleDependence if the correlations cannot hold together
    """
    factors = compile_factors(names, numbers_by_scenario)
    number = {name: int(i) for name, i in zip(names, factors.input) if i > 0}
    shown = [SCENARIO, *number, *(f"factors.{name}" for name in common)]
    number.update({name: len(number) + 1 + c for c, name in enumerate(common)})
    streams = {name: len(shown) + s for s, name in enumerate(stream_names)}
    mixed, chol, idle = _dependence(number, common, pairs)
    draws = Draws(
        coordinate=np.full(len(shown), -1, np.int64),
        directions=_directions(),
        mixed=np.array([number[name] for name in mixed], np.int64),
        chol=chol,
        cumulative=_cumulative(probabilities),
        **vars(factors),
    )
    return draws, Inputs(tuple(shown), streams, idle)


@cache
def _directions() -> np.ndarray:
    """`sobol.directions`, found once: those of every book are the same, and nobody writes them."""
    found: np.ndarray = sobol.directions()
    return found


def on_sobol(draws: Draws, inputs: Inputs, common: Sequence[str]) -> Draws:
    """The same draws with every input on a Sobol coordinate: the scenario first, then the common factors, since each moves many
    numbers, then the numbers by input number. The first 64 are one net; each further 64 are another, in an order of its own."""
    number = {name: i for i, name in enumerate(inputs.names)}
    leading = [0, *(number[f"factors.{name}"] for name in common)]
    coordinate = np.empty(len(inputs.names), np.int64)
    coordinate[[*leading, *sorted(set(number.values()) - set(leading))]] = np.arange(len(coordinate))
    return draws._replace(coordinate=coordinate)


def off_sobol(draws: Draws) -> Draws:
    """The same draws by Threefry: no path knows of another."""
    return draws._replace(coordinate=np.full_like(draws.coordinate, -1))


def _cumulative(probabilities: Sequence[float]) -> np.ndarray:
    if min(probabilities) < -1e-12 or abs(sum(probabilities) - 1.0) > 1e-9:
        raise ValueError(f"scenario probabilities are shares that add up to 1, not {list(probabilities)} (U-03)")
    return np.cumsum(probabilities)


def _dependence(
    number: Mapping[str, int], common: Mapping[str, Mapping[str, float]], pairs: Sequence[tuple[str, str, float]]
) -> tuple[list[str], np.ndarray, tuple[str, ...]]:
    """Names that depend on each other, common factors first, their lower factor, and the names that nothing draws."""
    asked = {name for drives in common.values() for name in drives} | {name for a, b, _ in pairs for name in (a, b)}
    idle = tuple(sorted(asked - set(number)))
    driven = {factor: {name: rank for name, rank in drives.items() if name in number} for factor, drives in common.items()}
    stated = [(a, b, rank) for a, b, rank in pairs if a in number and b in number]
    tied = {name for drives in driven.values() for name in drives} | {name for a, b, _ in stated for name in (a, b)}
    mixed = [*common, *sorted(tied - set(common), key=number.__getitem__)]
    matrix = correlation_matrix(mixed, driven, stated)
    require_possible(mixed, matrix)
    return mixed, lower_factor(matrix), idle
