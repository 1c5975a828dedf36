"""Scrambled Sobol points: sixteen independent scrambles side by side, a pure function of (seed, path, coordinate) (U-01).

**Axes**    dimensions (64), columns (32: digits of a point's number), lanes (L), paths in a row.
**Units**   a uniform draw lies in (0, 1), ends excluded; a word holds a draw's binary digits, the first one in its lowest bit.
**Signs**   none.
**Order**   path p is point p div 16 of scramble p mod 16: every prefix of 16 x 2^k paths holds 2^k points of each scramble, in each
            coordinate one in every interval of width 2^-k.
**Source**  Sobol, 1967; Owen, "Randomly permuted (t, m, s)-nets and (t, s)-sequences", 1995; hashes in place of stored trees: Laine
            and Karras, 2011; a shuffled order for every further 64 coordinates: Burley, "Practical hash-based Owen scrambling",
            2020. Direction numbers: own search, `scripts/directions`, with Sobol's property A in 64 dimensions.

A digit is flipped by a hash of the digits before it: adding, multiplying by an odd word and x ^ (x times an even word) carry from
lower bits to higher ones only. All 52 digits of a draw are scrambled, so a draw is uniform whatever the number of paths.
"""

import numpy as np

from .compiled import entry, piece
from .threefry import threefry2x64, unit_of

REPLICATES = 16
DIMENSIONS = 64
COLUMNS = 32  # 2**32 points a scramble: 68 billion paths
FLIPS, SHUFFLES = 0xFFFFFFFFFFFFFF00, 0xFFFFFFFFFFFFFE00  # counters far from any month: no key is that of a plain draw
EVEN = np.uint64(0x9E3779B97F4A7C16)

# By dimension from the second on: the primitive polynomial, a bit a power, highest first, and the first odd numbers of the recurrence.
FOUND = (
    (3, (1,)), (7, (1, 1)), (11, (1, 1, 1)), (13, (1, 3, 1)), (19, (1, 1, 7, 13)), (25, (1, 1, 1, 5)), (37, (1, 3, 5, 15, 7)),
    (41, (1, 3, 1, 1, 3)), (47, (1, 3, 7, 7, 25)), (55, (1, 1, 3, 13, 15)), (59, (1, 3, 3, 11, 9)), (61, (1, 1, 5, 15, 11)),
    (67, (1, 1, 5, 7, 19, 3)), (91, (1, 3, 7, 15, 13, 41)), (97, (1, 3, 5, 3, 31, 21)), (103, (1, 3, 1, 1, 3, 1)),
    (109, (1, 1, 5, 1, 3, 9)), (115, (1, 3, 5, 9, 11, 45)), (131, (1, 1, 3, 15, 17, 9, 17)), (137, (1, 3, 5, 5, 13, 11, 119)),
    (143, (1, 1, 7, 9, 15, 9, 99)), (145, (1, 1, 1, 3, 19, 23, 13)), (157, (1, 1, 5, 7, 17, 47, 51)),
    (167, (1, 3, 1, 3, 23, 17, 111)), (171, (1, 1, 5, 3, 9, 57, 73)), (185, (1, 3, 7, 1, 5, 35, 109)),
    (191, (1, 1, 7, 11, 9, 57, 57)), (193, (1, 3, 7, 9, 27, 61, 77)), (203, (1, 1, 1, 13, 13, 7, 7)),
    (211, (1, 1, 5, 5, 21, 1, 117)), (213, (1, 1, 7, 13, 21, 13, 49)), (229, (1, 3, 1, 3, 7, 63, 69)),
    (239, (1, 3, 3, 11, 27, 47, 5)), (241, (1, 3, 5, 15, 17, 51, 21)), (247, (1, 3, 5, 13, 23, 21, 33)),
    (253, (1, 3, 3, 11, 3, 59, 123)), (285, (1, 3, 1, 13, 11, 39, 49, 141)), (299, (1, 1, 5, 1, 15, 59, 55, 205)),
    (301, (1, 1, 7, 7, 17, 37, 67, 71)), (333, (1, 3, 1, 11, 13, 63, 25, 215)), (351, (1, 3, 1, 1, 13, 5, 93, 37)),
    (355, (1, 1, 3, 13, 7, 19, 85, 127)), (357, (1, 3, 7, 3, 25, 45, 89, 215)), (361, (1, 3, 3, 11, 29, 21, 67, 243)),
    (369, (1, 3, 5, 11, 1, 1, 43, 235)), (391, (1, 1, 1, 5, 17, 25, 47, 143)), (397, (1, 1, 5, 1, 7, 7, 7, 169)),
    (425, (1, 1, 3, 15, 31, 45, 51, 179)), (451, (1, 1, 5, 1, 15, 49, 41, 35)), (463, (1, 1, 1, 3, 25, 57, 29, 61)),
    (487, (1, 3, 7, 15, 5, 23, 5, 143)), (501, (1, 3, 3, 11, 31, 27, 77, 117)), (529, (1, 1, 1, 13, 15, 45, 27, 97, 467)),
    (539, (1, 1, 5, 13, 29, 29, 25, 233, 403)), (545, (1, 3, 1, 5, 7, 47, 19, 5, 1)), (557, (1, 1, 5, 15, 7, 11, 81, 41, 439)),
    (563, (1, 3, 5, 15, 15, 51, 101, 35, 393)), (601, (1, 1, 7, 11, 15, 55, 73, 103, 443)),
    (607, (1, 3, 3, 11, 29, 25, 99, 13, 225)), (617, (1, 3, 3, 11, 11, 39, 109, 211, 345)),
    (623, (1, 3, 3, 11, 27, 53, 101, 253, 205)), (631, (1, 3, 5, 3, 31, 37, 21, 69, 227)),
    (637, (1, 3, 1, 1, 1, 43, 35, 217, 267)),
)


def numbers(polynomial, first, count):
    """The odd numbers m_1 .. m_count of one dimension: m_j over 2^j is its j-th direction (Sobol's recurrence)."""
    degree, found = polynomial.bit_length() - 1, list(first)
    for j in range(len(found), count):
        number = found[j - degree] ^ (found[j - degree] << degree)
        for k in range(1, degree):
            number ^= (polynomial >> (degree - k) & 1) * (found[j - k] << k)
        found.append(number)
    return found[:count]


def directions():
    """(64, 32) uint64: the digits of every direction, the first one in the lowest bit."""
    found = np.zeros((DIMENSIONS, COLUMNS), np.uint64)
    for d in range(DIMENSIONS):
        odd = numbers(*FOUND[d - 1], COLUMNS) if d else [1] * COLUMNS
        for j, number in enumerate(odd):
            found[d, j] = int(f"{number:0{j + 1}b}"[::-1], 2)
    return found


@piece
def swapped(x, by, mask):
    """Groups of `by` bits change places with their neighbours."""
    return ((x >> np.uint64(by)) & np.uint64(mask)) | ((x & np.uint64(mask)) << np.uint64(by))


@piece
def reversed_bits(x):
    """The 64 bits of a word from last to first."""
    x = swapped(x, 1, 0x5555555555555555)
    x = swapped(x, 2, 0x3333333333333333)
    x = swapped(x, 4, 0x0F0F0F0F0F0F0F0F)
    x = swapped(x, 8, 0x00FF00FF00FF00FF)
    x = swapped(x, 16, 0x0000FFFF0000FFFF)
    return (x >> np.uint64(32)) | (x << np.uint64(32))


@piece
def scrambled(x, a, b, c, d):
    """Every bit of a word flipped by a hash of the bits below it, keyed by four words."""
    x = (x + a) * (b | np.uint64(1))
    x = x ^ (x * (c << np.uint64(1)))
    x = (x + d) * (a | np.uint64(1))
    return x ^ (x * EVEN)


@entry
def keys_row(seed, of, use, keys):
    """Four words a scramble into keys (4, 16): those of an input (FLIPS) or of a group of coordinates (SHUFFLES)."""
    for s in range(REPLICATES):
        keys[0, s], keys[1, s] = threefry2x64(np.uint64(seed), np.uint64(of), np.uint64(s), np.uint64(use))
        keys[2, s], keys[3, s] = threefry2x64(np.uint64(seed), np.uint64(of), np.uint64(s), np.uint64(use + 1))


@entry
def index_row(seed, group, first, keys, index):
    """Number of the point of each path into index (L,): p div 16; in later groups shuffled so that every run of 2^k points that
    begins at a multiple of 2^k stays one."""
    for i in range(index.shape[0]):
        index[i] = np.uint64(first + i) >> np.uint64(4)
    if group > 0:
        keys_row(seed, group, SHUFFLES, keys)
        for i in range(index.shape[0]):
            s = (first + i) & 15
            x = reversed_bits(index[i]) >> np.uint64(32)
            x = scrambled(x, keys[0, s], keys[1, s], keys[2, s], keys[3, s])
            index[i] = reversed_bits(x << np.uint64(32))


@entry
def points_row(columns, index, x):
    """Digits of the points `index` (L,) of one dimension into x (L,): what all points share is added once."""
    zero, one = np.uint64(0), np.uint64(1)
    shared, differ = zero, zero
    for i in range(index.shape[0]):
        differ |= index[i] ^ index[0]
    for j in range(columns.shape[0]):
        shared ^= columns[j] if (index[0] >> np.uint64(j)) & one else zero
    for i in range(x.shape[0]):
        x[i] = shared
    for j in range(columns.shape[0]):
        if (differ >> np.uint64(j)) & one:
            for i in range(x.shape[0]):
                x[i] ^= columns[j] & (zero - (((index[i] ^ index[0]) >> np.uint64(j)) & one))


@entry
def sobol_row(directions, seed, input, coordinate, first, words, keys, u):
    """Uniform draws of the paths first, first + 1, .. into u (L,); words (2, L) and keys (4, 16) uint64 are scratch."""
    index, x = words[0], words[1]
    index_row(seed, coordinate // DIMENSIONS, first, keys, index)
    points_row(directions[coordinate % DIMENSIONS], index, x)
    keys_row(seed, input, FLIPS, keys)
    for i in range(u.shape[0]):
        s = (first + i) & 15
        u[i] = unit_of(reversed_bits(scrambled(x[i], keys[0, s], keys[1, s], keys[2, s], keys[3, s])))
