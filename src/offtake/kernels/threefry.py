"""Random words and uniforms: Threefry2x64-20, a pure function of a key and a counter (U-01).

**Axes**    lanes (L), paths in a row.
**Units**   a uniform draw lies in (0, 1), ends excluded.
**Signs**   none.
**Order**   none: a draw depends on (seed, path, input, month) alone.
**Source**  Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011; its known answers are tests.
"""

import numpy as np

from .compiled import entry, piece

PARITY = np.uint64(0x1BD11BDAA9FC1A22)


@piece
def turn(x, y, by):
    """One Threefry round: add, rotate left, exclusive or."""
    x = x + y
    return x, ((y << np.uint64(by)) | (y >> np.uint64(64 - by))) ^ x


@piece
def four_rounds(x, y, a, b, c, d):
    x, y = turn(x, y, a)
    x, y = turn(x, y, b)
    x, y = turn(x, y, c)
    return turn(x, y, d)


@piece
def threefry2x64(key0, key1, counter0, counter1):
    """Two uint64 of Threefry2x64-20 from a key and a counter of two uint64 each."""
    key2 = PARITY ^ key0 ^ key1
    x, y = four_rounds(counter0 + key0, counter1 + key1, 16, 42, 12, 31)
    x, y = four_rounds(x + key1, y + (key2 + np.uint64(1)), 16, 32, 24, 21)
    x, y = four_rounds(x + key2, y + (key0 + np.uint64(2)), 16, 42, 12, 31)
    x, y = four_rounds(x + key0, y + (key1 + np.uint64(3)), 16, 32, 24, 21)
    x, y = four_rounds(x + key1, y + (key2 + np.uint64(4)), 16, 42, 12, 31)
    return x + key2, y + (key0 + np.uint64(5))


@piece
def unit_of(word):
    """The top 52 bits of a word as (k + 1/2) / 2**52, never 0 or 1. 52 bits, not 53: with 53 the last value would round to 1."""
    whole = np.int64((word >> np.uint64(12)) | np.uint64(0x3FF0000000000000))  # bits of a float in [1, 2)
    return (whole.view(np.float64) - 1.0) + 1.1102230246251565e-16


@piece
def uniform(seed, path, input, month):
    """The draw of an input on a path, in a month (0 for what does not change in time)."""
    x, _ = threefry2x64(np.uint64(seed), np.uint64(input), np.uint64(path), np.uint64(month))
    return unit_of(x)


@entry
def uniform_row(seed, first, input, month, u):
    """Uniform draws of the paths first, first + 1, .. into u (L,)."""
    for i in range(u.shape[0]):
        u[i] = uniform(seed, first + i, input, month)
