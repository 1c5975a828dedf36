"""How likely a printed figure is on each path: the logarithm, so that no surprise underflows (E-02).

**Axes**    paths (P).
**Units**   value, low and high in the measure's unit; covers and covers_spread without unit; what comes out is in nats.
**Signs**   never above 0 where low < high; a density (low = high) may be.
**Order**   figure the model would print = covers x value; its standard deviation; the chance that what was printed covers it.
**Source**  model E-02. A figure printed between low and high is a normal variable's interval (a rounded or bounded measurement);
            tail of the normal distribution: Abramowitz and Stegun 26.2.12.
"""

import numpy as np

from .compiled import entry, piece
from .draw import exp_, log_, normal_cdf

HALF_LOG_2PI = 0.9189385332046727
FAR = 30.0  # standard deviations beyond which the asymptotic series of the tail is exact to 1e-11
NARROW = 1e-5  # standard deviations under which an interval is its width times the density


@piece
def log_density(z):
    return -0.5 * z * z - HALF_LOG_2PI


@piece
def log_tail(z):
    """log of the probability above z."""
    s = 1.0 / (z * z) if z > FAR else 0.0
    far = log_density(z) - log_(max(z, 1.0)) + log_(1.0 - s * (1.0 - s * (3.0 - 15.0 * s)))
    return far if z > FAR else log_(normal_cdf(-z))


@piece
def log_between(a, b):
    """log of the probability between a and b > a, either of which may be infinite; turned to the upper side, where tails are small."""
    turned = a + b < 0.0
    low, high = (-b, -a) if turned else (a, b)
    if high - low < NARROW:
        return log_density(0.5 * (low + high)) + log_(high - low)
    if low <= 0.0:
        return log_(max(normal_cdf(high) - normal_cdf(low), 0.0))
    upper = log_tail(low)
    return upper if high == np.inf else upper + log_(1.0 - exp_(log_tail(high) - upper))


@piece
def log_likelihood(value, low, high, discrepancy, covers, covers_spread):
    """log-likelihood of a figure printed between low and high where the model says `value`; minus infinity where it has no value.

    discrepancy    standard deviation of the world's figure around the model's
    covers         how much of the measure the printed figure covers, its median; covers_spread its standard deviation in logs
    """
    if np.isnan(value):
        return -np.inf
    middle = covers * value
    off = covers_spread * middle
    spread = np.sqrt(discrepancy * discrepancy + off * off)
    if spread == 0.0:
        return 0.0 if low <= middle <= high else -np.inf
    a, b = (low - middle) / spread, (high - middle) / spread
    return log_density(a) - log_(spread) if low == high else log_between(a, b)


@piece
def log_counted(share, hits, count):
    """log-likelihood of `hits` of `count` where the model says the share, up to what no path changes; 0 times log 0 is 0."""
    if np.isnan(share) or share < 0.0 or share > 1.0:
        return -np.inf
    return (hits * log_(share) if hits > 0.0 else 0.0) + ((count - hits) * log_(1.0 - share) if hits < count else 0.0)


@entry
def log_counted_row(shares, hits, count, out):
    """`log_counted` of each path's share (P,), added to out (P,)."""
    for i in range(shares.shape[0]):
        out[i] += log_counted(shares[i], hits, count)


@entry
def log_likelihood_row(values, low, high, discrepancy, covers, covers_spread, out):
    """`log_likelihood` of each path's value (P,), added to out (P,)."""
    for i in range(values.shape[0]):
        out[i] += log_likelihood(values[i], low, high, discrepancy, covers, covers_spread)
