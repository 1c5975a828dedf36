"""Numbers of every path as Parquet: the bits of the run, absent is null, and nobody else's file is touched."""

from pathlib import Path

import numpy as np
import polars
import pytest
from typer.testing import CliRunner

import offtake
from offtake.cli import app
from offtake.errors import WriteError
from offtake.files import is_ours
from offtake.studies import scalars


def test_every_path_has_the_bits_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 paths in pieces of 128: the columns are the kept values of a run, and the scenarios those that were drawn."""
    monkeypatch.setattr(scalars, "SLICE", 128)
    run = offtake.run(offtake.load("two-clouds"), paths=500)
    found = polars.read_parquet(run.paths(tmp_path / "paths.parquet"))
    asked = scalars.figures(run)
    done = run.outcome([q for _, q in asked])
    assert found.columns == ["path", "scenario", *(name for name, _ in asked)] and found["path"].to_list() == list(range(500))
    for (name, _), tally in zip(asked, done.tallies):
        assert np.array_equal(found[name].to_numpy(), tally.kept[0], equal_nan=True), name
    assert set(found["scenario"]) == {"base", "slow-grid", "sober"}  # the fourth has no probability
    alone = run.table("npv", "contracts.north", path=137).rows()[0]["value"]
    assert found["npv of contracts.north @ total"][137] == alone


def test_absent_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = offtake.run(offtake.load("two-clouds"), paths=64)
    read = scalars.values

    def with_a_gap(*given: object) -> tuple[np.ndarray, np.ndarray]:
        rows, scenario = read(*given)  # type: ignore[arg-type]
        rows[0, 3] = np.nan
        return rows, scenario

    monkeypatch.setattr(scalars, "values", with_a_gap)
    found = polars.read_parquet(run.paths(tmp_path / "paths.parquet"))
    assert found[:, 2].null_count() == 1 and found[:, 2].is_nan().sum() == 0


def test_the_option_and_whose_file_it_is(tmp_path: Path) -> None:
    file = tmp_path / "paths.parquet"
    words = ["run", "two-clouds", "--paths", "64", "--out", str(tmp_path), "--paths-out", str(file)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0 and f"paths: {file}" in done.stderr and is_ours(file)
    assert CliRunner().invoke(app, words).exit_code == 0  # its own file is replaced
    polars.DataFrame({"a": [1]}).write_parquet(file)
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, WriteError) and polars.read_parquet(file).columns == ["a"]
