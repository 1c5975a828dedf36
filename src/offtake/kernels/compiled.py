"""How functions that only other kernels call are compiled.

`inner` builds no way in from Python and caches a function inside its callers (half the compile time). It also counts no arrays in or
out of a call, which halves the run time of short functions: so an `inner` function may neither make, return nor slice-copy arrays.
"""

from numba import njit

inner = njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)

# The same, and copied into its caller: a step of a month that is handed whole tables would else copy them at every call.
step = njit(error_model="numpy", nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False, forceinline=True)
