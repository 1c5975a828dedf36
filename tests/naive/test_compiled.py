"""Steps are compiled into the ways in that call them alone, those of a replay once whatever constants they are handed; tuples in pieces."""

import copy
import pickle
import re
import sys
from typing import NamedTuple

import numpy as np
import pytest
from llvmlite import ir as llvm
from numba import njit
from numba.core import config
from numba.core.runtime import _nrt_python as memory
from numba.core.runtime import rtsys

from offtake.kernels import compiled, draw
from offtake.kernels.compiler import AS_PARTS, Kernels, Part
from offtake.kernels.lowering import AS_VALUES, Folding, drop_unread
from offtake.kernels.replay_compiled import inner, step

alone = njit(error_model="numpy", pipeline_class=Kernels)  # a way in that is kept nowhere: compiled anew as the compiler now is
compiling = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="without compilation there is nothing to look at")


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


@compiling
def test_a_step_is_compiled_once_for_all_constants_and_without_machine_code() -> None:
    assert loop(5) == (53 + 57) - 54 + 53 + 54
    assert len(told_before.overloads) == 2  # what other kernels do: once a constant
    assert len(told.overloads) == len(twice.overloads) == 1
    assert AS_PARTS
    for function in (told, twice, told_before):
        made = next(iter(function.overloads.values()))
        assert isinstance(made.library, Part)
        assert "define" in made.library.get_llvm_str() and made.library.get_pointer_to_function(made.fndesc.llvm_func_name) == 0


def test_without_compilation_a_step_is_plain_python() -> None:
    assert getattr(told, "py_func", told)(5, 3) == 53


class Pair(NamedTuple):
    """Two arrays."""

    a: np.ndarray
    b: np.ndarray


class Pairs(NamedTuple):
    """Two pairs."""

    first: Pair
    second: Pair


@compiled.inner
def add_up(pairs, turns):
    """A loop in which a tuple is read, a variable is set again, and one is set on one of two ways."""
    total, pair = 0.0, pairs.first
    for i in range(turns):
        way = 1.0 if i % 3 == 0 else -1.0
        step = way * pair.a[i % pair.a.shape[0]]
        total += step
        if total > 2.0:
            pair = pairs.second
    return total + pair.b[0]


@alone
def with_arrays(pairs, turns):
    """A way in that makes arrays, hands one on that it was given, and one that it made."""
    made = np.zeros(turns)
    for i in range(turns):
        made[i] = add_up(pairs, i)
    kept = pairs.first if turns > 3 else pairs.second
    return kept.a, made


@compiled.piece
def doubled(x):
    """Called from Python and from another."""
    return 2.0 * x


@alone
def fourfold(x):
    """Calls another that Python may call too."""
    return doubled(doubled(x))


def pairs() -> Pairs:
    """Arrays of their own."""
    return Pairs(Pair(np.array([1.0, 0.5]), np.array([7.0])), Pair(np.array([3.0, -2.0, 5.0]), np.array([-4.0])))


def plain(given: Pairs, turns: int) -> float:
    """`add_up` in Python."""
    return float(getattr(add_up, "py_func", add_up)(given, turns))


def test_what_is_written_as_values_computes_what_python_does() -> None:
    given = pairs()
    for turns in (1, 5, 40):
        kept, made = with_arrays(given, turns)
        assert made.tolist() == [plain(given, i) for i in range(turns)]
        assert kept is given.first.a or kept.ctypes.data == (given.first if turns > 3 else given.second).a.ctypes.data
    assert len({plain(given, i) for i in range(40)}) > 20


@compiling
def test_arrays_that_are_given_and_made_are_counted_as_often_as_they_are_held() -> None:
    given = pairs()
    with_arrays(given, 5)
    memory.memsys_enable_stats()
    held, before = [sys.getrefcount(array) for pair in given for array in pair], rtsys.get_allocation_stats()
    for _ in range(100):
        kept, made = with_arrays(given, 5)
    assert made.tolist() == [plain(given, i) for i in range(5)]
    del kept, made
    after = rtsys.get_allocation_stats()
    memory.memsys_disable_stats()
    assert [sys.getrefcount(array) for pair in given for array in pair] == held
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free >= 100


@compiling
def test_tuples_are_neither_stored_nor_put_together_where_they_are_only_read() -> None:
    assert AS_VALUES
    with_arrays(pairs(), 5)
    (made,) = add_up.overloads.values()
    text = made.library.get_llvm_str()
    assert "fadd" in text and not re.search(r"(insert|extract)value", text)


def test_a_tuple_s_piece_is_what_was_put_in_and_tuples_that_nobody_reads_go() -> None:
    whole, pair = llvm.IntType(64), llvm.LiteralStructType([llvm.IntType(64)] * 2)
    outer = llvm.LiteralStructType([pair, whole])
    function = llvm.Function(llvm.Module(), llvm.FunctionType(outer, [whole, whole, outer]), "f")
    x, y, given = function.args
    builder = Folding(function.append_basic_block())
    inside = builder.insert_value(builder.insert_value(llvm.Constant(pair, llvm.Undefined), x, 0), y, 1)
    made = builder.insert_value(builder.insert_value(given, inside, 0), y, 1)
    assert builder.extract_value(made, 0) is inside and builder.extract_value(inside, 0) is x and builder.extract_value(made, [1]) is y
    changed = builder.insert_value(made, y, [0, 0])  # into the pair that it holds
    assert builder.extract_value(changed, 1) is y and builder.extract_value(changed, 0) is not inside
    builder.extract_value(builder.extract_value(changed, 0), 1)
    builder.ret(builder.insert_value(given, x, 1))
    assert len(function.blocks[0].instructions) == 10
    drop_unread(function)
    assert [i.opname for i in function.blocks[0].instructions] == ["insertvalue", "ret"]


def test_a_piece_is_a_part_to_other_kernels_and_whole_to_python() -> None:
    assert fourfold(1.5) == 6.0
    if not config.DISABLE_JIT:
        assert isinstance(doubled._part.overloads[doubled._part.signatures[0]].library, Part) and not doubled.signatures
    assert doubled(1.5) == 3.0 and getattr(doubled, "py_func", doubled)(2.0) == 4.0
    assert doubled.__name__ == "doubled" and "Called from" in doubled.__doc__


def test_a_kernel_that_is_a_part_too_may_be_copied_and_sent():
    assert pickle.loads(pickle.dumps(draw.normal_cdf)) is draw.normal_cdf
    assert copy.copy(draw.normal_cdf) is draw.normal_cdf and copy.deepcopy(draw.normal_cdf) is draw.normal_cdf


@compiled.piece
def put(given, out):
    """All of a row."""
    out[:] = given


@alone
def put_twice(given, out):
    """A way in that is made of another."""
    put(given, out)


def test_faults_of_parts_are_told_in_the_process_that_compiles_them():
    with pytest.raises(ValueError, match=r"cannot assign slice|could not broadcast"):
        put_twice(np.zeros(2), np.zeros(3))
