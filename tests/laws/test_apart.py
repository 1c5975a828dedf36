"""What kernels are compiled on: no array that one writes shares memory with another it is given (`kernels/compiled.block`)."""

import importlib
import pkgutil

import numpy as np
import pytest

import offtake.kernels
from bench.features import everything
from offtake import front, stages
from offtake.identities import worst_of

SAME = {"supply_block"}  # `allotted` is `energised` where no site is shared, and is then neither read nor written under that name


def arrays(value):
    """Every array of an argument, those of tuples too."""
    if isinstance(value, np.ndarray):
        return [value]
    return [a for part in value for a in arrays(part)] if isinstance(value, tuple) else []


def shared(arguments):
    """Pairs of arrays in one call that share memory."""
    given = [a for value in arguments for a in arrays(value) if a.size]
    return [(a, b) for n, a in enumerate(given) for b in given[:n] if np.may_share_memory(a, b) and np.shares_memory(a, b)]


def watched(kernel, wrong):
    """The kernel, which notes its name in `wrong` if an array that it shares between two arguments changes."""

    def call(*arguments):
        pairs = [(a, a.copy()) for pair in shared(arguments) for a in pair]
        kernel(*arguments)
        if any(not np.array_equal(a, before, equal_nan=True) for a, before in pairs):
            wrong.append(getattr(kernel, "__name__", "kernel"))

    return call


def ways_in():
    """Modules of kernels, and the names in them that are compiled with arrays known to be apart and called from Python."""
    for found in pkgutil.iter_modules(offtake.kernels.__path__):
        module = importlib.import_module(f"offtake.kernels.{found.name}")
        for name, kernel in vars(module).items():
            options = getattr(kernel, "targetoptions", {})
            if options.get("noalias") and not options.get("no_cpython_wrapper"):
                yield module, name, kernel


@pytest.mark.parametrize("book", ["first", "everything"])
def test_no_stage_is_given_memory_twice(book, monkeypatch):
    plan = front.compile(front.load("openai-aws") if book == "first" else everything())
    b, clipped, wrong, names = stages.allocate(plan), np.zeros(len(plan.factor_paths), np.int64), [], set()
    stages.fill(b, 1, 0, clipped)  # compiled, before names are replaced
    worst_of(b, stages.LANES)
    for module, name, kernel in list(ways_in()):
        if name not in SAME:
            monkeypatch.setattr(module, name, watched(kernel, wrong))
            names.add(name)
    stages.fill(b, 1, 64, clipped)
    worst_of(b, stages.LANES)
    assert not wrong
    assert len(names) >= 30


def test_memory_given_twice_is_seen():
    """A kernel that writes what it also reads under another name is caught; one that only reads it twice is not."""
    row, wrong = np.arange(8.0), []

    def shift(old, new):
        new[:] = old.copy() + 1.0

    watched(shift, wrong)(row[:4], row[4:])
    watched(lambda a, b: None, wrong)(row, row)
    assert wrong == []
    watched(shift, wrong)(row[:6], row[2:])
    assert wrong == ["shift"]
