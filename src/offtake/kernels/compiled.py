"""How functions of kernels are compiled: parts, which other kernels are made of, and ways in from Python.

`inner` builds no way in from Python, and no machine code: that is made of the whole way in (`compiler`). It also counts no arrays in or
out of a call, which halves the run time of short functions: so an `inner` function may neither make, return nor slice-copy arrays. Two of
them may not call each other.

A lane loop that writes one array and reads another is only done eight lanes at a time where the compiler knows that they share no memory.
It can ask as the loop begins, but gives up beyond some tens of pairs, and then goes lane by lane, at a quarter of the speed. `block` and
`apart` say it beforehand: no array that such a function writes may share memory with another one it is given
(tests/laws/test_apart.py looks at every one of a run). Numba has the flag for loops of its own and lists it for none: it is listed here.
"""

import functools

from numba import config, njit
from numba.core.compiler import Flags
from numba.core.cpu import CPUTargetOptions
from numba.core.options import TargetOptions

from .compiler import Kernels, Parts

if hasattr(Flags, "noalias"):
    CPUTargetOptions.noalias = TargetOptions.Mapping("noalias")
_KNOWN = {"noalias": True} if hasattr(Flags, "noalias") else {}
_PART = {"error_model": "numpy", "nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Parts}
_INSIDE = {**_PART, "_nrt": False}
_WAY_IN = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "pipeline_class": Kernels}

inner = njit(**_INSIDE)

# The same, and copied into its caller: a step of a month that is handed whole tables would else copy them at every call.
step = njit(forceinline=True, **_INSIDE)

# `step`, and no array that it writes shares memory with another.
apart = njit(forceinline=True, **_INSIDE, **_KNOWN)

# A way in from Python: all of a stage, whose arrays share no memory.
block = njit(**_WAY_IN, **_KNOWN)

# A way in from Python that counts no arrays, as `inner` does not: then what is written out in it (`once`) needs no function between them.
way_in = njit(_nrt=False, **_WAY_IN)

# Written out in its caller before that is compiled: for what has one caller and is handed whole tables, itself compiled so that it counts
# no arrays.
once = njit(error_model="numpy", nogil=True, inline="always")


class Either:
    """A function that kernels take as a part of theirs; Python calls one that is compiled for it alone, when it first does."""

    def __init__(self, function, **said):
        functools.update_wrapper(self, function)
        self._part, self._alone = njit(**_PART, **said)(function), njit(**_WAY_IN)(function)

    @property
    def _numba_type_(self):
        return self._part._numba_type_

    def __call__(self, *args, **named):
        """What it returns to Python."""
        return self._alone(*args, **named)

    def __getattr__(self, name):
        if name in ("_part", "_alone"):  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self._alone, name)

    def __reduce__(self):
        """Another process, and a copy, get it by its name."""
        return self.__qualname__


def entry(function):
    """A way in from Python whose arrays may share memory, which other kernels may call too."""
    return function if config.DISABLE_JIT else Either(function)


def piece(function):
    """A short function that is copied into its callers, and that Python may call too."""
    return function if config.DISABLE_JIT else Either(function, forceinline=True)


@apart
def copy_months(given, out):
    """(M, L) to (M, L), months and lanes one by one: handing on a row of a table whole would count arrays."""
    for m in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[m, i] = given[m, i]
