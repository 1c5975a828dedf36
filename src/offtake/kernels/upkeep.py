"""What planned maintenance and power outages leave of the hours that are offered.

**Axes**    kinds of stop (2): maintenance, outages; sites (T), pools (K), months (M), lanes (L); path last.
**Units**   months from one stop to the next, hours of one; GPU, GPU-h.
**Signs**   all outputs >= 0. ready x hours = offered + down (S-05).
**Order within the month**   after availability, which is that of failures alone: the three multiply.
**Source**  model S-05, R-01. Renewal: over a long time the share down is the mean time down of a cycle over the mean length of the cycle.
            Maintenance comes at fixed times, so that its cycle is `every`; power runs for `every` on average before it fails,
            so that the cycle of an outage is `every` + its length.
"""

from typing import NamedTuple

import numpy as np

from .compiled import block, piece

MONTH = 730.5  # hours, as in `units`
MAINTENANCE, OUTAGES = range(2)


class Upkeep(NamedTuple):
    """Stops that sites state."""

    every_x: np.ndarray  # (2, T) int64 rows of X: months; -1 where a site states no such stop
    length_x: np.ndarray  # (2, T) int64 rows of X: hours


@piece
def planned_share(every, length):
    """Share of the time that each rack is down for maintenance: it starts once in `every` months and takes `length` hours."""
    return min(length / (every * MONTH), 1.0)


@piece
def dark_share(every, length):
    """Share of the time without power, which runs for `every` months on average and then is off for `length` hours."""
    return length / (every * MONTH + length)


@block
def upkeep_block(u, pool_site, ready, hours, X, stops, offered, down):
    """Fill the shares of the time `stops` (2, T, L), and lower `offered` and raise `down` (K, M, L) GPU-h in place at sites that state
    stops; ready (K, M, L) GPU, hours (M,)."""
    stops[:] = 0.0
    for t in range(stops.shape[1]):
        if u.every_x[MAINTENANCE, t] >= 0:
            every, length = X[u.every_x[MAINTENANCE, t]], X[u.length_x[MAINTENANCE, t]]
            for i in range(stops.shape[2]):
                stops[MAINTENANCE, t, i] = planned_share(every[i], length[i])
        if u.every_x[OUTAGES, t] >= 0:
            every, length = X[u.every_x[OUTAGES, t]], X[u.length_x[OUTAGES, t]]
            for i in range(stops.shape[2]):
                stops[OUTAGES, t, i] = dark_share(every[i], length[i])
    for k in range(ready.shape[0]):
        t = pool_site[k]
        if u.every_x[MAINTENANCE, t] < 0 and u.every_x[OUTAGES, t] < 0:
            continue
        for m in range(ready.shape[1]):
            for i in range(stops.shape[2]):
                offered[k, m, i] *= (1.0 - stops[OUTAGES, t, i]) * (1.0 - stops[MAINTENANCE, t, i])
                down[k, m, i] = ready[k, m, i] * hours[m] - offered[k, m, i]
