"""Dependence between inputs: common factors and rank correlations through a Gaussian copula (N-04).

A Spearman rank correlation r is asked for as the correlation 2 sin(pi r / 6) of the normal scores. Two inputs that the same
common factor drives are correlated by the product of theirs with it (summed over common factors, which do not depend on each
other), unless their own correlation is stated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

TOLERANCE = 1e-9  # an eigenvalue or pivot this close to zero is zero


class ImpossibleDependence(ValueError):
    """Rank correlations that no set of numbers can have; the text names the nearest that some can."""


def score_correlation(rank: np.ndarray | float) -> np.ndarray:
    """Correlation of normal scores that gives a Spearman rank correlation."""
    return np.asarray(2.0 * np.sin(np.pi * np.asarray(rank, float) / 6.0))


def rank_correlation(rho: np.ndarray | float) -> np.ndarray:
    """Inverse of `score_correlation`."""
    return np.asarray(6.0 / np.pi * np.arcsin(np.clip(np.asarray(rho, float), -1.0, 1.0) / 2.0))


def correlation_matrix(
    names: Sequence[str], common: Mapping[str, Mapping[str, float]], pairs: Sequence[tuple[str, str, float]]
) -> np.ndarray:
    """Correlations (D, D) of the normal scores of `names`, which holds the common factors too, as asked and unchecked."""
    at = {name: i for i, name in enumerate(names)}
    loading = np.zeros((len(names), len(common)))
    for c, (factor, drives) in enumerate(common.items()):
        loading[at[factor], c] = 1.0
        for name, rank in drives.items():
            loading[at[name], c] = score_correlation(rank)
    matrix = loading @ loading.T
    for a, b, rank in pairs:
        matrix[at[a], at[b]] = matrix[at[b], at[a]] = score_correlation(rank)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def is_possible(matrix: np.ndarray) -> bool:
    """Whether a correlation matrix is positive semi-definite."""
    return matrix.size == 0 or bool(np.linalg.eigvalsh(matrix)[0] >= -TOLERANCE)


def nearest_correlation(matrix: np.ndarray, rounds: int = 2000) -> np.ndarray:
    """The nearest correlation matrix in the Frobenius norm: alternating projections (Higham, IMA J. Numer. Anal. 22, 2002)."""
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(rounds):
        before = found
        value, vector = np.linalg.eigh(found - correction)
        cone = (vector * np.maximum(value, 0.0)) @ vector.T
        correction = cone - (found - correction)
        found = cone.copy()
        np.fill_diagonal(found, 1.0)
        if np.abs(found - before).max() < 1e-12:
            break
    value, vector = np.linalg.eigh(found)
    cone = (vector * np.maximum(value, 0.0)) @ vector.T
    scale = 1.0 / np.sqrt(np.diag(cone))
    return np.asarray(cone * scale[:, None] * scale)


def lower_factor(matrix: np.ndarray) -> np.ndarray:
    """Cholesky factor of a positive semi-definite matrix; a pivot that is zero leaves its column zero."""
    lower = np.zeros_like(matrix)
    for j in range(len(matrix)):
        pivot = matrix[j, j] - lower[j, :j] @ lower[j, :j]
        if pivot > TOLERANCE:
            lower[j, j] = np.sqrt(pivot)
            lower[j + 1 :, j] = (matrix[j + 1 :, j] - lower[j + 1 :, :j] @ lower[j, :j]) / lower[j, j]
    return lower


def require_possible(names: Sequence[str], matrix: np.ndarray) -> None:
    """Refuse a matrix that no numbers can have, and name the nearest valid rank correlations (N-04)."""
    if is_possible(matrix):
        return
    asked, nearest = rank_correlation(matrix), rank_correlation(nearest_correlation(matrix))
    moved = [
        f"  {names[i]} and {names[j]}: {asked[i, j]:.3f}, nearest {nearest[i, j]:.3f}"
        for i in range(len(names))
        for j in range(i)
        if abs(asked[i, j] - nearest[i, j]) >= 5e-4
    ]
    raise ImpossibleDependence("these rank correlations cannot hold together (N-04):\n" + "\n".join(moved))
