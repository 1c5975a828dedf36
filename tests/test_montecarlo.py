"""How chunks become sums: units in order, each from nothing, whatever order chunks are finished in."""

from collections.abc import Iterable
from dataclasses import fields, replace

import numpy as np
import pytest

import offtake
from offtake import montecarlo, stages
from offtake.measures import MEASURES, entities
from offtake.montecarlo import UNIT, Futures, _Chunk, _Done
from offtake.questions import Question, question, read_all
from offtake.tallies import Ranges, Tally, starts_of, tally_of

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


def everything_asked(run: offtake.Run) -> list[Question]:
    """Each measure of everything it is known of, by month and by year, on all paths and where the scenario is the base."""
    plan, found = run.plan, []
    for measure in MEASURES.values():
        for of in entities(measure, plan) if measure.kind != "postings" else ():
            by = (None,) if measure.kind == "once" else ("calendar-year", "month")
            for given in (None, ("scenario", 0.0)):
                found += [question(plan, measure.name, of.label, period, given) for period in by]
    return found


@pytest.mark.parametrize("lanes", [64, 17])
def test_rows_read_at_once_are_those_of_each_question_alone(small: offtake.Run, lanes: int) -> None:
    """To the bit, zeros that are negative too: what is written where it belongs, and what others have read before."""
    block = stages.allocate(small.plan)
    stages.fill(block, 1, 0, np.zeros(len(small.plan.factor_paths), np.int64))
    block.books.revenue[:, 3], block.books.rpo[:, 4] = -0.0, -0.0
    some = [question(small.plan, "revenue", "contracts.north", by) for by in ("month", "calendar-year")]
    asked = [*everything_asked(small), replace(some[0], periods=some[0].periods[3:7]), replace(some[1], periods=some[1].periods[:1])]
    rows = np.empty((sum(q.width for q in asked), 2 * 64))[:, 64 : 64 + lanes]
    read_all(asked, block, rows)
    alone = np.concatenate([q.read(block)[:, :lanes] for q in asked])
    assert np.ascontiguousarray(rows).tobytes() == np.ascontiguousarray(alone, float).tobytes()


def test_hours_of_a_contract_are_a_sum_from_nothing(first: offtake.Run) -> None:
    """Over its pools in their order; of none nothing, and no zero is negative."""
    block, values = stages.allocate(first.plan), np.random.default_rng(1).normal(size=(len(first.plan.names.pools), 3, 4))
    values[:, 0] = -0.0
    pools = [block.pools_of(c) for c in range(len(first.plan.names.contracts))]
    assert sorted(k for each in pools for k in each) == list(range(len(values))) and max(map(len, pools)) > 2
    for c, mine in enumerate(pools):
        total = np.zeros((3, 4))
        for k in mine:
            total += values[k]
        assert block.over_pools(values, c).tobytes() == total.tobytes()


def test_figures_of_a_question_do_not_know_the_others(small: offtake.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of all questions at once, against each read alone from the same counts."""
    asked, seen = everything_asked(small)[::7], []
    real = montecarlo.tallies_of
    monkeypatch.setattr(montecarlo, "tallies_of", lambda *given: seen.append(given) or real(*given))
    together = montecarlo.run(small.plan, asked, 300, 1, 1).tallies
    (_, counts, total, _, weight), = seen
    for q, at, one in zip(asked, starts_of(asked), together, strict=True):
        alone = tally_of(q, at, counts, total, weight)
        for name in (f.name for f in fields(Tally) if f.name not in ("question", "kept")):
            ours, theirs = getattr(one, name), getattr(alone, name)
            pairs = [(ours[p], theirs[p]) for p in theirs] if isinstance(theirs, dict) else [(ours, theirs)]
            assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs), (q.key, name)
