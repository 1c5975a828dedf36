"""What each path counts once something was observed (E-02): weights from log-likelihoods, and how far one may trust them.

Axes   paths (P,).
Units  a weight is a whole number up to 2**30, so that sums are the same in any order; only ratios matter.
Source effective paths: Kish, Survey Sampling, 1965; shape of the weights' tail: Vehtari, Simpson, Gelman, Yao and Gabry, Pareto
       smoothed importance sampling, J. Mach. Learn. Res. 25 (2024), fitted as by Zhang and Stephens, Technometrics 51 (2009) 316.
"""

from __future__ import annotations

import math

import numpy as np

HEAVIEST = 1 << 30
FEWEST_IN_TAIL = 5
UNRELIABLE = 0.7  # shape above which an average over weights is not to be trusted, whatever its error says (the source's own limit)


def fixed(log_weights: np.ndarray) -> np.ndarray:
    """Whole weights (P,) int64 in proportion to exp(log_weights), the heaviest 2**30; all 0 where every likelihood is 0.

    A path lighter than 2**-31 of the heaviest gets 0: two billion such would weigh one.
    """
    top = log_weights.max(initial=-math.inf)
    if top == -math.inf:
        return np.zeros(len(log_weights), np.int64)
    found: np.ndarray = np.floor(np.exp(log_weights - top) * HEAVIEST + 0.5).astype(np.int64)
    return found


def effective(weights: np.ndarray) -> float:
    """As many equal paths would err as much: (sum w)2 / sum w2; 0 where nothing has weight."""
    w = weights.astype(float)
    squares = float(w @ w)
    return float(w.sum()) ** 2 / squares if squares > 0.0 else 0.0


def pareto_tail(weights: np.ndarray) -> float | None:
    """Shape k of a generalised Pareto law fitted to the heaviest weights: the mean exists below 1, the variance below 1/2.

    None where the weights are all alike and have no tail; infinite where too few paths have weight for a fit.
    """
    w = np.sort(weights[weights > 0].astype(float))
    if len(w) and w[0] == w[-1]:
        return None
    count = int(min(len(weights) / 5, 3.0 * math.sqrt(len(weights))))
    if count < FEWEST_IN_TAIL or len(w) <= count:
        return math.inf
    beyond = w[-count:] - w[-count - 1]
    if beyond[-1] == 0.0:
        return None
    shape = generalised_pareto_shape(beyond[beyond > 0.0])
    return (count * shape + 10 * 0.5) / (count + 10)  # drawn towards 1/2 as if ten points said so: the source's rule


def generalised_pareto_shape(x: np.ndarray) -> float:
    """Shape k of a generalised Pareto law behind x (N,), positive and sorted; k is positive for a heavy tail."""
    n = len(x)
    if n < FEWEST_IN_TAIL:
        return math.inf
    m = 30 + int(math.sqrt(n))
    quarter = x[int(n / 4 + 0.5) - 1]
    theta = 1.0 / x[-1] + (1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3.0 * quarter)
    shape = np.log1p(-theta[:, None] * x).mean(axis=1)
    fit = n * (np.log(-theta / shape) - shape - 1.0)
    share = np.exp(fit - fit.max())
    best = float((theta * share).sum() / share.sum())
    return float(np.log1p(-best * x).mean())


def alike(weights: np.ndarray) -> np.ndarray:
    """Numbers (P,) of paths that count alike and stand for the weighted ones: each about as often as its weight says, in order.

    Path i covers its share of the line from 0 to 1; what is picked are the paths at (j + 1/2) / P. Equal weights pick each path once.
    """
    reach = np.cumsum(weights)
    at = (np.arange(len(weights)) * 2 + 1) * (reach[-1] / (2 * len(weights)))
    found: np.ndarray = np.searchsorted(reach, at, side="right")
    return found
