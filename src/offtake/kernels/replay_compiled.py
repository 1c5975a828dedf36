"""How the steps of a replay are compiled: as `compiled` says, but for all whole numbers alike, and to machine code once.

A constant that is handed to a function is a kind of its own to numba, and so is every other constant: a step that is told why a job
leaves was compiled once for each reason, with all that it calls. A replay's steps are long and their constants many; here a constant is
handed over as the whole number that it is.

Numba also makes machine code of every function by itself, with all that it calls in it, and once more for each of its callers. Nobody
but the event loop calls the steps of a replay, so they are kept as they were written until the loop is made (`Part`). Both together take
less than half the time, and neither moves a bit. Numba lists no way to say the second: where it is not built as it was when this was
written, steps are compiled one by one as before.
"""

from numba import njit, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NoPythonSupportedFeatureValidation

from .compiled import once

__all__ = ["inner", "once", "step"]

NEEDED = ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals", "_ensure_finalized", "get_pointer_to_function")
AS_PARTS = all(hasattr(JITCodeLibrary, name) for name in NEEDED)  # whether numba is built as this file expects


class Unset:
    """A code generator that leaves a function's globals alone: those are in machine code only."""

    def __init__(self, codegen):
        self._codegen = codegen

    def __getattr__(self, name):
        return getattr(self._codegen, name)

    def set_env(self, name, env):
        """Nothing is there to be set."""


class Part(JITCodeLibrary):  # type: ignore[misc]  # numba is untyped
    """A function that is only ever written into others: linked with what it calls, not optimised, without machine code."""

    @property
    def codegen(self):
        """The generator, for all but globals."""
        return Unset(self._codegen)

    def _optimize_final_module(self):
        """Left to the function that it is written into."""

    def _finalize_final_module(self):
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name):
        """0: there is no such place."""
        self._ensure_finalized()
        return 0


@register_pass(mutates_CFG=False, analysis_only=True)
class KeepAsPart(FunctionPass):  # type: ignore[misc]
    """Before a function is lowered: say that it is a part."""

    _name = "keep_as_part"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        """Whether the function was changed: it was not."""
        if state.library is None:
            state.library = Part(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        return False


class Parts(Compiler):  # type: ignore[misc]
    """Numba's compiler, which keeps what it compiles as parts."""

    def define_pipelines(self):
        """Numba's own passes, and `KeepAsPart` among them."""
        pipelines = super().define_pipelines()
        for passes in pipelines:
            passes.add_pass_after(KeepAsPart, NoPythonSupportedFeatureValidation)
            passes.finalize()
        return pipelines


_INSIDE = {"error_model": "numpy", "nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
_PARTS = {"pipeline_class": Parts} if AS_PARTS else {}
_inner, _step = njit(**_INSIDE, **_PARTS), njit(forceinline=True, **_INSIDE, **_PARTS)


def _for_all_numbers(function):
    """A compiled function that is handed constants as whole numbers; a plain one, where nothing is compiled, as it is."""
    asked = getattr(function, "get_call_template", None)
    if asked is not None:
        function.get_call_template = lambda args, kws: asked(
            tuple(types.unliteral(a) for a in args), {name: types.unliteral(a) for name, a in kws.items()}
        )
    return function


def inner(function):
    """`compiled.inner`, as a part."""
    return _for_all_numbers(_inner(function))


def step(function):
    """`compiled.step`, as a part."""
    return _for_all_numbers(_step(function))
