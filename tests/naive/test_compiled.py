"""Steps of a replay are compiled once, whatever constants they are handed, and into the loop that calls them alone."""

import pytest
from numba import njit
from numba.core import config

from offtake.kernels import compiled
from offtake.kernels.replay_compiled import AS_PARTS, Part, inner, step


@inner
def told(x, why):
    """A number that depends on a reason."""
    return 10 * x + why


@step
def twice(x, why):
    """A step that calls another with a constant of its own."""
    return told(x, why) + told(x, why=7)


@compiled.inner
def told_before(x, why):
    """The same, compiled as other kernels are."""
    return 10 * x + why


@njit
def loop(x):
    """What is called from Python."""
    return twice(x, 3) - told(x, 4) + told_before(x, 3) + told_before(x, 4)


@pytest.mark.skipif(bool(config.DISABLE_JIT), reason="without compilation there is nothing to count")
def test_a_step_is_compiled_once_for_all_constants_and_without_machine_code() -> None:
    assert loop(5) == (53 + 57) - 54 + 53 + 54
    assert len(told_before.overloads) == 2  # what other kernels do: once a constant
    assert AS_PARTS
    for function in (told, twice):
        (made,) = function.overloads.values()
        assert isinstance(made.library, Part)
        assert "define" in made.library.get_llvm_str() and made.library.get_pointer_to_function(made.fndesc.llvm_func_name) == 0


def test_without_compilation_a_step_is_plain_python() -> None:
    assert getattr(told, "py_func", told)(5, 3) == 53
