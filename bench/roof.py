"""The roof: how long the float operations of the stages with twins would take if nothing else did, and the bytes of a block.

Operations are counted in the NumPy twins: one for every element that an addition, subtraction, multiplication, division, minimum, maximum,
comparison or root makes. The machine's rate is that of a multiplication and an addition on rows of 64 lanes that stay in the first cache,
in this very process, compiled as the kernels are. A block's arrays are filled with a constant, one after the other, in the order of a run:
what writing them costs without computing anything.
"""

import time

import numpy as np
from numba import njit

from offtake import front, stages
from offtake.identities import worst_of

FLOPS = {
    "add", "subtract", "multiply", "divide", "minimum", "maximum", "fmin", "fmax", "sqrt", "square", "greater", "less", "greater_equal",
    "less_equal", "power", "exp", "log", "floor", "absolute", "negative",
}  # fmt: skip


class Counted(np.ndarray):
    """An array that counts what is done with it."""

    operations = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **more):
        plain = [np.asarray(a) if isinstance(a, Counted) else a for a in inputs]
        if out is not None:
            more["out"] = tuple(np.asarray(a) if isinstance(a, Counted) else a for a in out)
        made = getattr(ufunc, method)(*plain, **more)
        if ufunc.__name__ in FLOPS:
            size = np.size(made) if method == "__call__" else max(np.size(a) for a in plain)
            Counted.operations += size
        return made.view(Counted) if isinstance(made, np.ndarray) else made


def counted(value):
    """The same arrays, of dicts and tuples too, that count."""
    if isinstance(value, dict):
        return {name: counted(v) for name, v in value.items()}
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value.view(Counted)
    return value


def operations(work, given, paths):
    """Float operations a path of a twin."""
    Counted.operations = 0
    work(*(counted(v) for v in given))
    return Counted.operations / paths


def least(work, repeats):
    """CPU seconds, the least of some repeats; the first call is not counted."""
    work()
    found = np.inf
    for _ in range(repeats):
        begun = time.process_time()
        work()
        found = min(found, time.process_time() - begun)
    return found


@njit(error_model="numpy")
def _spin(rows, times):
    for _ in range(times):
        for r in range(rows.shape[0] - 2):
            a, b, c = rows[r], rows[r + 1], rows[r + 2]
            for i in range(a.shape[0]):
                c[i] = a[i] * b[i] + 0.5


def rate():
    """Float operations a second of one thread."""
    rows, times = np.full((18, 64), 0.5), 2_000
    return 2 * 16 * 64 * times / least(lambda: _spin(rows, times), 5)


def arrays(block):
    """All arrays of a block, each memory once."""
    found = {}
    for value in vars(block).values():
        for a in value if isinstance(value, tuple) else (value,):
            if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.size:
                found.setdefault(a.__array_interface__["data"][0], a)
    return list(found.values())


def writing(book, repeats):
    """Bytes of a block's arrays, CPU seconds to fill them with a constant, and to compute them with their identities."""
    plan = front.compile(front.load(book))
    b, clipped = stages.allocate(plan), np.zeros(len(plan.factor_paths), np.int64)

    def compute():
        stages.fill(b, 1, 0, clipped)
        worst_of(b, stages.LANES)

    mine = arrays(stages.allocate(plan))
    return sum(a.nbytes for a in mine), least(lambda: [a.fill(1.0) for a in mine], repeats), least(compute, repeats)
