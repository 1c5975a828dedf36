"""What the customer pays for without progress, and what the provider could not sell: books with a surface of replays, and without."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import offtake
from offtake import front
from offtake.book import text
from offtake.catalog import surface
from offtake.errors import BookError
from offtake.identities import worst_of
from offtake.losses import RATIOS
from offtake.measures import MEASURES
from offtake.plan import compile_book
from offtake.reports.terminal import explain_text
from offtake.stages import allocate, fill
from tests.naive.test_surface import naive

BOOK = (Path(front.BOOKS) / "two-clouds.yaml").read_text(encoding="utf-8")
REPLAY = "replay: {surface: nvl72, mix: {value: 'uniform(0, 1)', assumed: x}, failures: {value: 0.5 to 2, assumed: x}}\n"
LEFT_OUT = re.compile(r"^    availability: .*\n", re.MULTILINE)


def with_replay(book: str = BOOK) -> str:
    """Two clouds that read the surface, their sites' availability too."""
    return LEFT_OUT.sub("", book) + REPLAY


@pytest.fixture(scope="module")
def run() -> offtake.Run:
    return offtake.run(text.read(with_replay()), paths=128, seed=1)


def rows(run: offtake.Run, name: str) -> dict[str, float | None]:
    deal = f"contracts.{run.plan.names.contracts[0]}"
    return {r["period"]: r["mean"] for r in run.table(name, deal, "calendar-year").rows()}


def test_hours_add_up_on_every_path(run: offtake.Run) -> None:
    b = allocate(run.plan)
    fill(b, 1, 0, np.zeros(len(run.plan.factor_paths), np.int64))
    assert np.allclose(b.filled.useful + b.filled.overhead + b.filled.unfilled, b.used, rtol=1e-12)
    assert b.filled.unfilled.max() > 0.0 and min(a.min() for a in (b.filled.useful, b.filled.unfilled)) >= 0.0
    assert max(w.error for w in worst_of(b, 64)) < 1e-9
    share = b.supply.offered / np.maximum(b.supply.ready * run.plan.hours[:, None], 1e-300)
    there = b.supply.ready > 0.0
    assert share[there].min() > 0.98 and share[there].max() < 1.0  # hours to repair a day or less: no path loses more than 2 %
    assert np.ptp(share[there].reshape(-1)) > 0.0


def test_a_broken_split_is_named(run: offtake.Run) -> None:
    b = allocate(run.plan)
    fill(b, 1, 0, np.zeros(len(run.plan.factor_paths), np.int64))
    b.filled.useful[0, 5, 3] += 1e-6 * b.used[0, 5, 3] + 1.0
    worst = max(worst_of(b, 64), key=lambda w: w.error)
    assert (worst.rule, worst.path, worst.month) == ("S-05 used = useful + overhead + unfilled", 3, 5)


def test_causes_are_the_whole(run: offtake.Run) -> None:
    for whole, parts in (("no_progress", ("idle", "unfilled", "overhead")), ("unsold", ("late_power", "late_other", "down", "idle"))):
        by_path = {name: run.table(name, "contracts.north", "total", path=7).rows()[0]["value"] for name in
                   (whole, *(f"{whole}_{part}" for part in parts))}  # fmt: skip
        assert by_path[whole] == pytest.approx(sum(by_path[f"{whole}_{part}"] for part in parts), rel=1e-12)
        assert 0.0 < by_path[whole] < 1.0


def test_a_variant_is_the_book_with_that_number() -> None:
    """Half and half is the book with a mix of 0.5; the number of clouds of one is told apart from the book's two."""
    half = offtake.run(text.read(with_replay().replace("value: 'uniform(0, 1)'", "value: 0.5")), paths=64, seed=1)
    for name, of in (("no_progress_if_half", 1.0), ("no_progress_if_one", None), ("no_progress_if_own", None)):
        told, book = rows(half, name), rows(half, "no_progress")
        same = [told[p] == pytest.approx(book[p], rel=1e-12) for p in told if told[p] is not None]
        assert all(same) if of else not all(same)


def test_without_a_surface_nobody_knows(small: offtake.Run) -> None:
    assert set(rows(small, "unfilled").values()) == {None} and set(rows(small, "no_progress").values()) == {None}
    assert all(v is not None for v in rows(small, "unsold").values())  # what could not be sold is known without replays
    assert "buys no progress" not in small.answers()["answers"][3]["text"] and "replays" not in small.explain("unfilled", "contracts.north")


def test_the_answer_and_the_replays_behind_it(run: offtake.Run) -> None:
    answer = run.answers()["answers"][3]
    useful = answer["values"]["useful"]
    assert set(useful["rows"]) == {name for name, _, _ in RATIOS} <= set(MEASURES)
    mean = {name: row["mean"] for name, row in useful["rows"].items()}
    mixes = [mean[f"no_progress_if_{mix}"] for mix in ("trace", "half", "own")]
    assert useful["moved_by_mix"] == max(mixes) - min(mixes)
    assert useful["added_by_replays"] == mean["no_progress_unfilled"] + mean["no_progress_overhead"]
    assert useful["mix_moves_more"] == (useful["moved_by_mix"] > useful["added_by_replays"])
    assert ("The mix of jobs moves what follows more" in answer["text"]) == useful["mix_moves_more"]
    assert "As one cloud with the same GPUs" in answer["text"] and "late power" in answer["text"]
    apart = 100 * (mean["no_progress"] - mean["no_progress_if_one"])
    assert f"keeping clouds apart takes {apart:.1f} points of what is charged" in answer["text"]
    told = run.explain("unfilled", "contracts.north")
    assert told["replays"]["surface"] == "nvl72" and len(told["nearest_replays"]) == 5
    assert all(abs(r["load"] - 1.0) < 0.3 for r in told["nearest_replays"])
    assert "surface nvl72: " in explain_text(told, 100) and "  replay " in explain_text(told, 100)


def test_a_site_without_availability_needs_a_surface() -> None:
    with pytest.raises(BookError) as caught:
        offtake.load(_written(LEFT_OUT.sub("", BOOK)))
    rule = "a site states its availability, unless the book names a surface of replays (S-05, R-03)"
    assert len(caught.value.issues) == 2 and all(issue.rule == rule for issue in caught.value.issues)


def _written(book: str) -> Path:
    import tempfile

    file = Path(tempfile.mkdtemp()) / "book.yaml"
    file.write_text(book, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", surface.names())
def test_a_shipped_surface_is_what_its_replays_say(name: str) -> None:
    """Its terms give every replay back within a little more than the stated leave-one-out error, and the file says what made it."""
    about = surface.about(name)
    replays = surface.rows(name, "replays")
    assert len(replays) == int(about["replays"]) and sum(int(r["jobs"]) for r in replays) == int(about["jobs"])
    s = compile_book(text.read(with_replay()), ()).surface
    for o, output in enumerate(surface.OUTPUTS):
        inside = [row for row in replays if float(row["load"]) >= surface.axis(name, "load")[0]]
        errors = [naive(s, o, [float(row[a]) for a in surface.AXES]) - float(row[output]) for row in inside]
        left_out = float(about[f"{output} leave-one-out"])
        assert left_out < 0.005, "R-03: within half a point, or said"
        assert 0.3 * left_out < float(np.sqrt(np.mean(np.square(errors)))) < 1.05 * left_out


def test_below_the_axis_of_load_gangs_find_room() -> None:
    low = [row for row in surface.rows("nvl72", "replays") if float(row["load"]) < surface.axis("nvl72", "load")[0]]
    worst = max(float(row["load"]) - float(row["occupancy"]) for row in low)
    assert len(low) >= 16 and worst == float(surface.about("nvl72")["unfilled below"]) < 0.002


def test_every_kind_of_job_has_its_origin() -> None:
    with (surface.folder("nvl72") / "mix.csv").open(encoding="utf-8", newline="") as file:
        kinds = list(csv.DictReader(file))
    for mix in ("trace", "book"):
        assert sum(float(k["hours_share"]) for k in kinds if k["mix"] == mix) == pytest.approx(1.0, abs=1e-5)
    assert all(k["source"] and k["quality"] in ("derived", "assumed") for k in kinds)
