"""How functions that only other kernels call are compiled.

`inner` builds no way in from Python and caches a function inside its callers (half the compile time). It also counts no arrays in or
out of a call, which halves the run time of short functions: so an `inner` function may neither make, return nor slice-copy arrays.

A lane loop that writes one array and reads another is only done eight lanes at a time where the compiler knows that they share no memory.
It can ask as the loop begins, but gives up beyond some tens of pairs, and then goes lane by lane, at a quarter of the speed. `block` and
`apart` say it beforehand: no array that such a function writes may share memory with another one it is given
(tests/laws/test_apart.py looks at every one of a run). Numba has the flag for loops of its own and lists it for none: it is listed here.
"""

from numba import njit
from numba.core.compiler import Flags
from numba.core.cpu import CPUTargetOptions
from numba.core.options import TargetOptions

if hasattr(Flags, "noalias"):
    CPUTargetOptions.noalias = TargetOptions.Mapping("noalias")
_KNOWN = {"noalias": True} if hasattr(Flags, "noalias") else {}
_INSIDE = {"error_model": "numpy", "nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}

inner = njit(**_INSIDE)

# The same, and copied into its caller: a step of a month that is handed whole tables would else copy them at every call.
step = njit(forceinline=True, **_INSIDE)

# `step`, and no array that it writes shares memory with another.
apart = njit(forceinline=True, **_INSIDE, **_KNOWN)

# A way in from Python: all of a stage, whose arrays share no memory.
block = njit(cache=True, nogil=True, error_model="numpy", **_KNOWN)

# A way in from Python that counts no arrays, as `inner` does not: then what is written out in it (`once`) needs no function between them.
way_in = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)

# Written out in its caller before that is compiled: for what has one caller, itself compiled so that it counts no arrays. Every other
# function costs the compiling of all that it calls once more, for each caller above it.
once = njit(error_model="numpy", nogil=True, inline="always")


@apart
def copy_months(given, out):
    """(M, L) to (M, L), months and lanes one by one: handing on a row of a table whole would count arrays."""
    for m in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[m, i] = given[m, i]
