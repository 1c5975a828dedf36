"""What a kernel that comes out of the cache holds in memory: its machine code, and the rest once another kernel is compiled with it.

Numba stores with each kernel's machine code the code that it was made of, and reads both into the compiler as it loads one: some 60 MB and
a fifth of the CPU time of a short run, for what only compiling a further kernel needs. Here the second is read when that asks for it.
The compiler must be told beforehand which names the machine code defines, since asking it for one that it lacks ends the process; numba
reads them off the second code, so they are stored beside it. A numba whose insides look otherwise is left as it is.

Before it loads a kernel numba also fills its tables of all types and functions that it can compile, which takes longer than all kernels do,
the more where SciPy is there, whose linear algebra it then imports. Here that waits until something is compiled.
"""

from typing import Any

import numba
from numba.core import codegen
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

from .cache import KernelLocator

TRIED = ("0.68.",)  # numba's versions with which this was tried: the same names may mean something else in another

NEEDED = ("_unserialize", "serialize_using_object_code", "_get_module_for_linking", "_finalize_final_module", "_set_compiled_object")
OURS = "7offtake7kernels"  # in the names of what these kernels are made of


def defined(module: Any) -> tuple[str, ...]:
    """Names of the functions and variables that a module defines."""
    return tuple(part.name for parts in (module.functions, module.global_variables) for part in parts if not part.is_declaration)


def load_late() -> bool:
    """Make numba load cached kernels so; says whether it does. Once a process, before the first kernel is loaded."""
    library: Any = codegen.CPUCodeLibrary
    if not all(hasattr(library, name) for name in NEEDED) or not hasattr(codegen.JitEngine, "_load_defined_symbols"):
        return False
    if library._unserialize.__func__.__name__ == "load":
        return True
    stored, given, linked = library._unserialize.__func__, library.serialize_using_object_code, library._get_module_for_linking

    def save(self: Any) -> tuple[str, str, tuple[Any, ...]]:
        name, kind, (machine, source) = given(self)
        names = defined(self._get_module_for_linking())
        if not any(OURS in n for n in names):  # somebody else's: read back by a process without these kernels too
            return name, kind, (machine, source)
        return name, kind, (machine, source, names)

    def load(cls: Any, owner: Any, state: tuple[str, str, tuple[Any, ...]]) -> Any:
        name, kind, data = state
        if kind != "object" or len(data) != 3:
            return stored(cls, owner, state)
        made = owner.create_library(name)
        machine, made.offtake_source, names = data
        made.enable_object_caching()
        made._set_compiled_object(machine)
        made._finalize_final_module()
        owner._engine._defined_symbols.update(names)
        return made

    def link(self: Any) -> Any:
        if self._shared_module is None and getattr(self, "offtake_source", None) is not None:
            self._shared_module = codegen.ll.parse_bitcode(self.offtake_source)
        return linked(self)

    library._unserialize, library.serialize_using_object_code, library._get_module_for_linking = classmethod(load), save, link
    return True


def load_alone() -> bool:
    """Make numba load these kernels without its tables for compiling; says whether it does. Others are loaded as numba does."""
    if not numba.__version__.startswith(TRIED):
        return False
    given = FunctionCache.load_overload
    if given.__name__ == "load_kernel":
        return True

    def load_kernel(self: Any, signature: Any, target: Any) -> Any:
        if not isinstance(self._impl.locator, KernelLocator):
            return given(self, signature, target)
        rtsys.initialize(target)  # what makes and counts arrays
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, target)

    FunctionCache.load_overload = load_kernel
    return True
