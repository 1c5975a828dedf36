"""The one source of chance: a draw is a pure function of (seed, path, input, month), and so is every path (U-01).

**Axes**    inputs (I), factors (F), scenarios (N, base first), lanes (L); path last.
**Units**   a uniform draw lies in (0, 1), ends excluded; a normal score has mean 0 and standard deviation 1; a factor has the
            base unit of its number.
**Signs**   a larger score never gives a smaller factor.
**Order**   scores of all inputs; dependence (N-04); scenario (U-03, input 0); factors of the scenario; clips, counted (N-02).
**Source**  uniforms: `threefry`, `sobol`; inverse normal: Wichura, algorithm AS 241, 1988, its two outer ranges fitted anew as one;
            normal distribution function: Cody, 1969; model N-02, N-04, U-01.

exp_ and log_ are own forms: the C library's stop vectorisation and differ between platforms in the last bit.
"""

from typing import NamedTuple

import numpy as np

from .compiled import entry, piece
from .sobol import REPLICATES, sobol_row
from .threefry import threefry2x64 as threefry2x64
from .threefry import uniform as uniform
from .threefry import uniform_row as uniform_row

LANES = 64

CONSTANT, NORMAL, LOGNORMAL, LOGIT_NORMAL, UNIFORM, TRIANGULAR, TABLE, DISCRETE = range(8)
TABLE_NODES = 257  # of a quantile table, at equally spaced normal scores
TABLE_REACH = 5.0  # from -5 to 5; flat outside, where one draw in 1.7 million falls

MAGIC = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to the nearest integer and leaves that in the low bits
MAGIC_BITS = np.int64(0x4338000000000000)
LOG2E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10


class Draws(NamedTuple):
    """How each factor is drawn, per scenario.

    kind        (N, F) int64     CONSTANT .. DISCRETE
    par         (N, F, 4)        parameters by kind; of TABLE and DISCRETE: first row of `table`, number of values
    low, high   (N, F)           clip bounds, -inf and inf where none was asked
    input       (F,) int64       input number; -1 where the factor is constant in every scenario
    table       (T, 257)         quantile tables; of DISCRETE a row of cumulative probabilities, then a row of values
    mixed       (D,) int64       inputs that depend on each other
    chol        (D, D)           lower factor of their correlation matrix
    cumulative  (N,)             cumulative probability of the scenarios
    own         (N, F) int64     1 where the scenario draws the factor in another way than the base does
    coordinate  (I,) int64       Sobol coordinate of each input; -1 draws it by Threefry
    directions  (64, 32) uint64  `sobol.directions()`
    """

    kind: np.ndarray
    par: np.ndarray
    low: np.ndarray
    high: np.ndarray
    input: np.ndarray
    table: np.ndarray
    mixed: np.ndarray
    chol: np.ndarray
    cumulative: np.ndarray
    own: np.ndarray
    coordinate: np.ndarray
    directions: np.ndarray


@piece
def exp_(x):
    """e to the x: 0 below -745.2, inf above 709.79."""
    x = -746.0 if x < -746.0 else x
    x = 710.0 if x > 710.0 else x
    shifted = np.float64(x * LOG2E + MAGIC)
    k = shifted.view(np.int64) - MAGIC_BITS
    whole = shifted - MAGIC
    r = (x - whole * LN2_HIGH) - whole * LN2_LOW
    p = 1.6059043836821613e-10
    p = p * r + 2.08767569878681e-09
    p = p * r + 2.505210838544172e-08
    p = p * r + 2.755731922398589e-07
    p = p * r + 2.7557319223985893e-06
    p = p * r + 2.48015873015873e-05
    p = p * r + 1.984126984126984e-04
    p = p * r + 1.388888888888889e-03
    p = p * r + 8.333333333333333e-03
    p = p * r + 4.1666666666666664e-02
    p = p * r + 1.6666666666666666e-01
    p = p * r + 0.5
    p = p * r * r + r + 1.0
    half = k >> np.int64(1)  # two steps, so that neither scale leaves the range of a float
    first = np.int64((half + np.int64(1023)) << np.int64(52))
    second = np.int64((k - half + np.int64(1023)) << np.int64(52))
    return p * first.view(np.float64) * second.view(np.float64)


@piece
def log_(x):
    """Natural logarithm: -inf at 0, NaN below, inf at inf."""
    tiny = x < 2.2250738585072014e-308
    scaled = np.float64(x * 18014398509481984.0 if tiny else x)
    bits = scaled.view(np.int64) - np.int64(0x3FE6A09E667F3BCD)  # so that the mantissa lies in [sqrt(1/2), sqrt(2))
    k = bits >> np.int64(52)
    mantissa = np.int64((bits & np.int64(0x000FFFFFFFFFFFFF)) + np.int64(0x3FE6A09E667F3BCD))
    f = mantissa.view(np.float64) - 1.0
    whole = np.int64(k + MAGIC_BITS).view(np.float64) - MAGIC
    whole = whole - 54.0 if tiny else whole
    s = f / (2.0 + f)
    z = s * s
    p = 1.479819860511658591e-01
    p = p * z + 1.531383769920937332e-01
    p = p * z + 1.818357216161805012e-01
    p = p * z + 2.222219843214978396e-01
    p = p * z + 2.857142874366239149e-01
    p = p * z + 3.999999999940941908e-01
    p = p * z + 6.666666666666735130e-01
    half = 0.5 * f * f
    found = whole * LN2_HIGH - ((half - (s * (half + p * z) + whole * LN2_LOW)) - f)
    found = x if x > 1.7976931348623157e308 else found
    found = np.nan if x < 0.0 else found
    found = -np.inf if x == 0.0 else found
    return x if x != x else found


@piece
def central_score(q):
    """AS 241 for probabilities 0.5 + q, |q| <= 0.425."""
    r = 0.180625 - q * q
    n = 2.5090809287301226727e3
    n = n * r + 3.3430575583588128105e4
    n = n * r + 6.7265770927008700853e4
    n = n * r + 4.5921953931549871457e4
    n = n * r + 1.3731693765509461125e4
    n = n * r + 1.9715909503065514427e3
    n = n * r + 1.3314166789178437745e2
    n = n * r + 3.3871328727963666080e0
    d = 5.2264952788528545610e3
    d = d * r + 2.8729085735721942674e4
    d = d * r + 3.9307895800092710610e4
    d = d * r + 2.1213794301586595867e4
    d = d * r + 5.3941960214247511077e3
    d = d * r + 6.8718700749205790830e2
    d = d * r + 4.2313330701600911252e1
    return q * n, d * r + 1.0


@piece
def tail_score(r):
    """Numerator and denominator of the score where r = sqrt(-log(tail probability)) is 1.6 to 6.08; fitted, 8e-18 relative."""
    r = r - 1.6
    n = 3.500345330993368e-05
    n = n * r + 0.0018164843101892121
    n = n * r + 0.03219954693875396
    n = n * r + 0.2775261898019754
    n = n * r + 1.3285602884525378
    n = n * r + 3.676795699316917
    n = n * r + 5.753881448398723
    n = n * r + 4.617482276162469
    n = n * r + 1.4234371107496835
    d = 2.4750462616828263e-05
    d = d * r + 0.0012449922107594946
    d = d * r + 0.020850559549004038
    d = d * r + 0.16560873779851404
    d = d * r + 0.7094849932804749
    d = d * r + 1.6762496057714698
    d = d * r + 2.044160268738631
    return n, d * r + 1.0


@piece
def tail_radius(u):
    """sqrt(-log) of the probability on the near side."""
    return np.sqrt(-log_(u if u < 0.5 else 1.0 - u))


@piece
def score_at(u, radius):
    """Normal score of a probability and its tail_radius."""
    q = u - 0.5
    n, d = central_score(q)
    tail_n, tail_d = tail_score(radius)
    inside = abs(q) <= 0.425
    score = (n if inside else tail_n) / (d if inside else tail_d)
    return -score if (not inside) & (q < 0.0) else score


@piece
def inverse_normal(u):
    """Normal score of a probability between 1e-16 and 1 - 1e-16."""
    return score_at(u, tail_radius(u))


@piece
def normal_cdf(z):
    """Probability of a normal score below z; within 1e-15 absolute."""
    y = abs(z)
    s = z * z
    n = ((0.065682337918207449113 * s + 2.2352520354606839287) * s + 161.02823106855587881) * s + 1067.6894854603709582
    d = ((s + 47.20258190468824187) * s + 976.09855173777669322) * s + 10260.932208618978205
    inner = 0.5 + z * (n * s + 18154.981253343561249) / (d * s + 45507.789335026729956)
    y = 37.0 if y > 37.0 else y
    n = 1.0765576773720192317e-8
    n = n * y + 0.39894151208813466764
    n = n * y + 8.8831497943883759412
    n = n * y + 93.506656132177855979
    n = n * y + 597.27027639480026226
    n = n * y + 2494.5375852903726711
    n = n * y + 6848.1904505362823326
    n = n * y + 11602.651437647350124
    n = n * y + 9842.7148383839780218
    d = y + 22.266688044328115691
    d = d * y + 235.38790178262499861
    d = d * y + 1519.377599407554805
    d = d * y + 6485.558298266760755
    d = d * y + 18615.571640885098091
    d = d * y + 34900.952721145977266
    d = d * y + 38912.003286093271411
    d = d * y + 19685.429676859990727
    tail = n / d * exp_(-0.5 * y * y)
    outer = tail if z < 0.0 else 1.0 - tail
    return inner if abs(z) <= 0.67448975 else outer


@entry
def to_scores(z, radius):
    """Uniforms in z (L,) become their normal scores; `radius` (L,) is scratch. Two short loops: one long body spills registers."""
    for i in range(z.shape[0]):
        radius[i] = tail_radius(z[i])
    for i in range(z.shape[0]):
        z[i] = score_at(z[i], radius[i])


@entry
def score_row(seed, first, input, month, z, radius):
    """Normal scores of what is drawn anew each month into z (L,); `radius` (L,) is scratch."""
    uniform_row(seed, first, input, month, z)
    to_scores(z, radius)


@entry
def input_row(draws, seed, first, input, words, keys, u):
    """Uniform draws of an input into u (L,), by the sampler it is on; words (2, L) and keys (4, 16) uint64 are scratch."""
    if draws.coordinate[input] < 0:
        uniform_row(seed, first, input, 0, u)
    else:
        sobol_row(draws.directions, seed, input, draws.coordinate[input], first, words, keys, u)


@entry
def correlate(mixed, chol, Z):
    """Replace the scores of the mixed inputs by chol times them, last first, so that no copy is needed (N-04)."""
    for d in range(mixed.shape[0] - 1, -1, -1):
        row = Z[mixed[d]]
        for i in range(row.shape[0]):
            row[i] *= chol[d, d]
        for e in range(d):
            weight = chol[d, e]
            if weight != 0.0:
                other = Z[mixed[e]]
                for i in range(row.shape[0]):
                    row[i] += weight * other[i]


@entry
def choose_scenario(cumulative, forced, scenario, u):
    """Scenario of each path: forced, or the draws u (L,) of input 0 against the cumulative probabilities (U-03)."""
    last = cumulative.shape[0] - 1
    for i in range(scenario.shape[0]):
        scenario[i] = max(forced, 0)
    if forced < 0:
        for n in range(last):
            for i in range(scenario.shape[0]):
                scenario[i] += 1 if u[i] >= cumulative[n] else 0


@piece
def triangular_draw(z, low, mode, high):
    """Inverse distribution function of a triangle, each side from its own end."""
    below = normal_cdf(z)
    above = normal_cdf(-z)
    rising = low + np.sqrt(below * (high - low) * (mode - low))
    falling = high - np.sqrt(above * (high - low) * (high - mode))
    return rising if below * (high - low) < mode - low else falling


@entry
def table_row(values, z, x):
    """Linear between nodes at equally spaced normal scores, flat outside them."""
    scale = (TABLE_NODES - 1) / (2.0 * TABLE_REACH)
    for i in range(z.shape[0]):
        at = min(max((z[i] + TABLE_REACH) * scale, 0.0), TABLE_NODES - 1.0)
        node = min(int(at), TABLE_NODES - 2)
        x[i] = values[node] + (at - node) * (values[node + 1] - values[node])


@entry
def discrete_row(cumulative, values, count, z, x):
    """The first value whose cumulative probability exceeds that of the score."""
    for i in range(z.shape[0]):
        u = normal_cdf(z[i])
        found = values[0]
        for k in range(count - 1):
            found = values[k + 1] if u >= cumulative[k] else found
        x[i] = found


@entry
def factor_row(kind, par, table, z, x):
    """A factor on all lanes from its scores; z (L,), x (L,) out."""
    a, b, c = par[0], par[1], par[2]
    lanes = x.shape[0]
    if kind == CONSTANT:
        for i in range(lanes):
            x[i] = a
    elif kind == NORMAL:
        for i in range(lanes):
            x[i] = a + b * z[i]
    elif kind == LOGNORMAL:
        for i in range(lanes):
            x[i] = exp_(a + b * z[i])
    elif kind == LOGIT_NORMAL:
        for i in range(lanes):
            x[i] = 1.0 / (1.0 + exp_(-(a + b * z[i])))
    elif kind == UNIFORM:
        for i in range(lanes):
            x[i] = a + (b - a) * normal_cdf(z[i])
    elif kind == TRIANGULAR:
        for i in range(lanes):
            x[i] = triangular_draw(z[i], a, b, c)
    elif kind == TABLE:
        table_row(table[int(a)], z, x)
    else:
        discrete_row(table[int(a)], table[int(a) + 1], int(b), z, x)


@entry
def clip_row(low, high, mine, x):
    """Clip x (L,) in place; how many of the lanes marked in `mine` were outside (N-02)."""
    count = 0
    for i in range(x.shape[0]):
        outside = (x[i] < low) | (x[i] > high)
        count += 1 if outside & mine[i] else 0
        x[i] = min(max(x[i], low), high)
    return count


@entry
def factors_block(draws, Z, scenario, X, clipped):
    """Factors of one block from the scores of its inputs: what draw_block does once they are drawn; shapes as there."""
    lanes = Z.shape[1]
    x, mine = np.empty(lanes), np.empty(lanes, np.bool_)
    for n in range(draws.kind.shape[0]):
        present = n == 0
        for i in range(lanes):
            present = present or scenario[i] == n
        if present:
            for f in range(X.shape[0]):
                if n == 0 or draws.own[n, f] != 0:
                    factor_row(draws.kind[n, f], draws.par[n, f], draws.table, Z[max(draws.input[f], 0)], x)
                    for i in range(lanes):
                        mine[i] = scenario[i] == n or (n == 0 and draws.own[scenario[i], f] == 0)
                    if draws.low[n, f] > -np.inf or draws.high[n, f] < np.inf:
                        clipped[f] += clip_row(draws.low[n, f], draws.high[n, f], mine, x)
                    for i in range(lanes):
                        X[f, i] = x[i] if mine[i] else X[f, i]


@entry
def draw_block(draws, seed, first, forced, Z, X, scenario, clipped):
    """Draw one block of paths first, first + 1, ..

    forced    scenario number for every path, or -1
    Z         (I, L) out   normal scores of the inputs, after dependence
    X         (F, L) out   factors
    scenario  (L,) int64 out
    clipped   (F,) int64   raised by the number of clipped draws
    """
    lanes = Z.shape[1]
    x, words, keys = np.empty(lanes), np.empty((2, lanes), np.uint64), np.empty((4, REPLICATES), np.uint64)
    input_row(draws, seed, first, 0, words, keys, x)
    choose_scenario(draws.cumulative, forced, scenario, x)
    for i in range(Z.shape[0]):
        input_row(draws, seed, first, i, words, keys, Z[i])
        to_scores(Z[i], x)
    correlate(draws.mixed, draws.chol, Z)
    factors_block(draws, Z, scenario, X, clipped)
