"""How the steps of a replay are compiled: as `compiled` says, but for all whole numbers alike.

A constant that is handed to a function is a kind of its own to numba, and so is every other constant: a step that is told why a job
leaves was compiled once for each reason, with all that it calls. A replay's steps are long and their constants many; here a constant is
handed over as the whole number that it is. It moves no bit.
"""

from numba import types

from . import compiled
from .compiled import once

__all__ = ["inner", "once", "step"]


def _for_all_numbers(function):
    """A compiled function that is handed constants as whole numbers; a plain one, where nothing is compiled, as it is."""
    asked = getattr(function, "get_call_template", None)
    if asked is not None:
        function.get_call_template = lambda args, kws: asked(
            tuple(types.unliteral(a) for a in args), {name: types.unliteral(a) for name, a in kws.items()}
        )
    return function


def inner(function):
    """`compiled.inner`, for all numbers."""
    return _for_all_numbers(compiled.inner(function))


def step(function):
    """`compiled.step`, for all numbers."""
    return _for_all_numbers(compiled.step(function))
