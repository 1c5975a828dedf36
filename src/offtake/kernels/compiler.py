"""Numba's compiler as kernels use it: tuples in pieces (`lowering`), and no machine code for what only other kernels call.

Numba makes machine code of every function by itself, with all that it calls in it, and once more for each of its callers. Nobody but a
way in from Python calls most functions here, so they are kept as they were written until that is made (`Part`). It takes less than half the
time and moves no bit. Numba lists no way to say it: where it is not built as it was when this was written, functions are compiled one by
one as before.
"""

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.targetconfig import TargetConfig
from numba.core.typed_passes import NativeLowering, NoPythonSupportedFeatureValidation

from .lowering import AS_VALUES, use_values

NEEDED = ("_optimize_final_module", "_finalize_final_module", "_finalize_dynamic_globals", "_ensure_finalized", "get_pointer_to_function")
AS_PARTS = AS_VALUES and all(hasattr(JITCodeLibrary, name) for name in NEEDED)  # whether numba is built as this file expects


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


def keep_as_part(state):
    """Say that what is compiled is a part."""
    if state.library is None:
        state.library = Part(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()


@register_pass(mutates_CFG=False, analysis_only=True)
class KeepAsPart(FunctionPass):  # type: ignore[misc]
    """Before a function is lowered: say that it is a part."""

    _name = "keep_as_part"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        """Whether the function was changed: it was not."""
        keep_as_part(state)
        return False


class Kernels(Compiler):  # type: ignore[misc]
    """Numba's compiler, with values in place of stack slots."""

    within = 0  # how many kernels are being compiled, each for the one before

    def _compile_core(self):
        Kernels.within += 1
        try:
            return super()._compile_core()
        finally:
            Kernels.within -= 1

    def define_pipelines(self):
        """Numba's own passes, but for the last."""
        pipelines = super().define_pipelines()
        for passes in pipelines:
            self.change(passes)
            passes.finalize()
        return pipelines

    def change(self, passes):
        """Change one list of passes."""
        use_values(passes)


class Parts(Kernels):
    """The same, which keeps what it compiles as parts."""

    def change(self, passes):
        """`KeepAsPart` besides."""
        super().change(passes)
        if AS_PARTS:
            passes.add_pass_after(KeepAsPart, NoPythonSupportedFeatureValidation)


def keep_numbas_own_as_parts():
    """What numba compiles of its own for a kernel (the making of an array, a copy of a row) is a part too; once a process.

    Nothing else is: a function that Python may call asks for its wrapper.
    """
    run = NativeLowering.run_pass
    if run.__name__ == "run_or_keep":
        return

    def run_or_keep(self, state):
        if AS_PARTS and AS_VALUES and Kernels.within and state.flags.no_cpython_wrapper:
            keep_as_part(state)
        return run(self, state)

    NativeLowering.run_pass = run_or_keep


def compare_options_quickly():
    """Numba compares all forty options of two functions, one by one, some fifty thousand times; those that were set tell as much."""
    same = TargetConfig.__eq__
    if same.__name__ == "equal":
        return

    def equal(self, other):
        return (type(self) is type(other) and getattr(self, "_values", self) == getattr(other, "_values", other)) or same(self, other)

    TargetConfig.__eq__ = equal


keep_numbas_own_as_parts()
compare_options_quickly()
