"""How chunks become sums: units in order, each from nothing, whatever order chunks are finished in."""

from collections.abc import Iterable

import numpy as np
import pytest

import offtake
from offtake import montecarlo
from offtake.montecarlo import UNIT, Futures, _Chunk, _Done
from offtake.questions import question
from offtake.tallies import Ranges

SILENT = montecarlo.Silent()
TINY = 2.0**-60  # added to 1 it is lost


def chunk(value: float) -> _Chunk:
    return _Chunk(montecarlo.no_worst(), 1, np.full((1, 16), value))


def total(values: Iterable[float]) -> float:
    done = _Done(1)
    done.add(((n, chunk(value)) for n, value in enumerate(values)), 1, SILENT)
    assert (done.total == done.total[0, 0]).all()
    return float(done.total[0, 0])


def test_a_units_chunks_are_added_to_one_another_first() -> None:
    """A unit of 16 x 2^-54 is 2^-50, which the sum 1 of the unit before it takes up; each chunk alone it would lose."""
    assert total([1.0] + [0.0] * (UNIT - 1) + [2.0**-54] * UNIT) == 1.0 + 2.0**-50
    assert total([1.0] + [2.0**-54] * (UNIT - 1)) == 1.0  # in one unit each is lost


def test_units_are_added_in_their_order() -> None:
    """1 - 1 + tiny is tiny; 1 + tiny - 1, or with the units the other way round, is 0."""
    rest = [0.0] * (UNIT - 1)
    assert total([1.0, *rest, -1.0, *rest, TINY, *rest]) == TINY
    assert total([1.0, *rest, TINY, *rest, -1.0, *rest]) == 0.0


def test_a_unit_begins_from_nothing() -> None:
    """Three whole units and a part of a fourth: each chunk counts once."""
    assert total([1.0] * (3 * UNIT + 5)) == 3 * UNIT + 5


def test_what_was_added_before_goes_on_in_its_unit() -> None:
    """A run that is judged in the middle of a unit has the sums of one that is not."""
    values = [1.0, *[2.0**-54] * (UNIT + 3)]
    done = _Done(1)
    for part in (range(5), range(5, 7), range(7, len(values))):
        done.add(((n, chunk(values[n])) for n in part), part.stop, SILENT)
    assert done.total[0, 0] == total(values)
    assert (done.paths, done.unsolved) == (len(values), len(values))


@pytest.mark.parametrize("workers", [1, 2])
def test_chunks_are_added_by_number_though_the_heaviest_come_first(
    small: offtake.Run, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With weights the pilot is of late chunks; what is added rises all the same, each number once, those without weight never."""
    added: list[int] = []
    monkeypatch.setattr(montecarlo.Silent, "step", lambda self, done, until, unit="paths": added.append(done))
    weights = np.ones(3_000, np.int64)
    weights[2_200:] = 9
    weights[256:512] = 0
    asked = [question(small.plan, "npv", "contracts.north")]
    futures = Futures(3_000, 1, weights)
    assert futures.chunks[0][-1] == 11
    found = montecarlo.compute(small.plan, asked, futures, workers)
    assert added == [256 * n for n in (1, *range(3, 12))] + [3_000]
    kept, w = found.tallies[0].kept[0], weights.astype(float)
    kept = np.where(w > 0, kept, 0.0)
    assert found.tallies[0].mean[0] == pytest.approx(float(kept @ w / w.sum()), rel=1e-12)


def test_a_mean_over_several_units_is_that_of_its_paths(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units of two chunks: 1,900 paths are four of them, the last short."""
    monkeypatch.setattr(montecarlo, "UNIT", 2)
    asked = [question(small.plan, "npv", "contracts.north")]
    found = montecarlo.run(small.plan, asked, 1_900, 1, 2).tallies[0]
    assert found.mean[0] == pytest.approx(float(found.kept[0].mean()), rel=1e-12)


@pytest.mark.parametrize("workers", [2, 3, 9])
def test_ranges_do_not_know_how_rows_were_shared_out(workers: int) -> None:
    """Seven rows, one without a value and one with ties, by one thread and by many; with weights too."""
    rows = np.random.default_rng(3).normal(size=(7, 300))
    rows[2], rows[4], rows[5, ::3] = np.nan, np.round(rows[4]), np.inf
    for weight in (None, np.arange(300) % 4):
        alone, shared = Ranges.of(rows, weight), Ranges.of(rows, weight, workers)
        for name in ("low", "scale", "marks"):
            assert np.array_equal(getattr(alone, name), getattr(shared, name), equal_nan=True) and len(getattr(shared, name)) == 7
        assert shared.weighted is (weight is not None)
