"""No file imports, at once or late, for types or for work, a file that imports it in turn; `.importlinter` says so of rooms."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def order(graph: dict[str, set[str]]) -> list[str]:
    """Files such that each comes after all that it imports. Raises CycleError with one circle."""
    return list(TopologicalSorter(graph).static_order())


def test_no_file_imports_in_circles():
    found = grimp.build_graph("offtake", exclude_type_checking_imports=False)
    assert order({module: found.find_modules_directly_imported_by(module) for module in found.modules})


def test_a_circle_would_be_seen():
    with pytest.raises(CycleError):
        order({"laws": {"grammar"}, "grammar": {"laws"}})
