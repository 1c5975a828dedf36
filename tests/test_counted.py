"""What a run counts rather than hides is told on the terminal, in JSON and in the report."""

import pytest

import offtake
from offtake.kernels import place
from offtake.reports.terminal import answers_text
from offtake.studies import counted
from offtake.studies.found import Asked


def test_paths_without_a_proof_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third lane of every block of 64 says that a month is not solved: 4 of 256 paths."""
    right = place.place_block

    def wrong(*given: object) -> None:
        right(*given)
        given[-1].status[2] = 5  # type: ignore[attr-defined]

    monkeypatch.setattr(place, "place_block", wrong)
    run = offtake.run(offtake.load("two-clouds"), paths=256)
    told = run.answers()
    assert told["unsolved"] == 4
    said = "4 of 256 paths have a month whose placement is not shown to be within 1e-9 of the best (P-04)."
    assert said in " ".join(answers_text(told, 100).split())
    (table,) = counted.panels(Asked(run))
    assert table["section"] == "checks" and table["rows"] == [["4", "256"]]


def test_a_run_that_counted_nothing_says_nothing() -> None:
    run = offtake.run(offtake.load("two-clouds"), paths=64)
    assert not {"clipped", "unsolved"} & set(run.answers()) and counted.panels(Asked(run)) == []
