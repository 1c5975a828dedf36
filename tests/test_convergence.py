"""Error against paths: the table of the report, and the power that errors fall with."""

import numpy as np
import pytest

import offtake
from offtake.kernels.replicates import error_of_mean
from offtake.studies.convergence import doublings, errors, rate, table


def test_doublings() -> None:
    assert doublings(16_384) == [1024, 2048, 4096, 8192, 16_384]
    assert doublings(5_000) == [1024, 2048, 4096] and doublings(300) == [300]


def test_errors_are_those_of_the_first_paths() -> None:
    values = np.random.default_rng(1).normal(size=4096)
    assert errors(values, [1024, 4096]) == [error_of_mean(values[:1024]), error_of_mean(values)]


def test_rate_of_a_known_law() -> None:
    counts = [1024, 2048, 4096]
    assert rate([n**-0.5 for n in counts], counts) == pytest.approx(0.5)
    assert rate([n**-1.5 for n in counts], counts) == pytest.approx(1.5)
    assert rate([0.0, 0.0, 1.0], counts) is None


def test_every_headline_has_a_row_in_the_report(small: offtake.Run) -> None:
    run = offtake.run(small.plan.book, paths=2048)
    found = table(run.findings)
    assert [c for c in found["columns"] if "paths" in c] == ["1,024 paths", "2,048 paths"]
    assert len(found["rows"]) >= 5 and all(len(row) == len(found["columns"]) for row in found["rows"])
    assert found["rows"][0][0].startswith("revenue of contracts.north @ 2028")
