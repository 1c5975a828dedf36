"""Request traces at fault: each with its row, column, what was got, the rule and the fix; by `traces profile`, a book and a file of pools.

    trace  arrival_s  input_tokens  output_tokens  begins
    chat   0.0        100           250            2025-01-06 18:15
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import BookError
from offtake.fleet.text import load_pools
from offtake.traces import TraceError
from offtake.traces.load import read_requests
from offtake.traces.profile import profile_of

MANY = 100  # requests, half an hour apart: two days


def table(**columns: list[Any]) -> dict[str, Any]:
    sound = {
        "trace": ["chat"] * MANY, "arrival_s": [1800.0 * n for n in range(MANY)], "input_tokens": [100] * MANY,
        "output_tokens": [250] * MANY,
    }  # fmt: skip
    return sound | columns


def written(folder: Path, **columns: list[Any]) -> Path:
    file = folder / "r.parquet"
    pl.DataFrame(table(**columns), strict=False).write_parquet(file)
    return file


def but(column: str, row: int, value: Any) -> dict[str, list[Any]]:
    """The sound column with one other value, at a row that counts from 1."""
    cells = list(table()[column])
    cells[row - 1] = value
    return {column: cells}


@pytest.mark.parametrize(
    ("column", "row", "value", "got", "rule"),
    [
        ("output_tokens", 3, None, "nothing", "a request states its tokens"),
        ("input_tokens", 4, None, "nothing", "a request states its tokens"),
        ("output_tokens", 5, -7, "-7", "tokens are a finite number from 0"),
        ("input_tokens", 6, float("nan"), "nan", "tokens are a finite number from 0"),
        ("arrival_s", 7, None, "nothing", "a request states when it came, in seconds"),
        ("arrival_s", 8, float("inf"), "inf", "a time is a finite number of seconds from 0"),
        ("arrival_s", 1, -1.5, "-1.5", "a time is a finite number of seconds from 0"),
        ("arrival_s", 9, 60.0, "60", "requests of a trace stand in the order of their coming"),
        ("trace", 2, None, "nothing", "a request names its trace"),
    ],
)
def test_a_row_at_fault(column: str, row: int, value: Any, got: str, rule: str, tmp_path: Path) -> None:
    file = written(tmp_path, **but(column, row, value))
    with pytest.raises(TraceError) as caught:
        profile_of(file, None, "00:00", None, 0.0)
    (issue,) = caught.value.issues
    place = list(table()).index(column) + 1
    assert (issue.file, issue.line, issue.column, issue.path, issue.got, issue.rule) == (str(file), row, place, column, got, rule)
    assert issue.fix and issue.to_text() in str(caught.value) and f"1 row: {column}, {rule}" in str(caught.value)


def test_every_row_at_fault_is_counted(tmp_path: Path) -> None:
    """Twenty of one rule and one of another: five of the first are shown, all are counted."""
    tokens = [None if n < 20 else 250 for n in range(MANY)]
    file = written(tmp_path, output_tokens=tokens, **but("input_tokens", 50, -1))
    with pytest.raises(TraceError) as caught:
        read_requests(file, None, 0.0)
    assert len(caught.value.issues) == 21 and str(caught.value).count("got   nothing") == 5
    assert "20 rows: output_tokens" in str(caught.value) and "1 row: input_tokens" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "values", "got"),
    [
        ("arrival_s", [str(1800.0 * n) for n in range(MANY)], "String, as in '0.0'"),
        ("output_tokens", [True] * MANY, "Boolean, as in 'True'"),
        ("begins", ["18:15"] * MANY, "String, as in '18:15'"),
        ("trace", list(range(MANY)), "Int64, as in '0'"),
        ("arrival_s", [timedelta(minutes=30 * n) for n in range(MANY)], "Duration(time_unit='us'), as in '0:00:00'"),
    ],
)
def test_a_column_of_another_type(column: str, values: list[Any], got: str, tmp_path: Path) -> None:
    file = written(tmp_path, **{column: values})
    with pytest.raises(TraceError) as caught:
        profile_of(file, None, "00:00", None, 0.0)
    (issue,) = caught.value.issues
    assert (issue.file, issue.path, issue.got) == (str(file), column, got) and issue.rule and issue.fix


def test_times_in_another_unit(tmp_path: Path) -> None:
    """Two days in milliseconds are 5.4 years of seconds; seconds since 1970 are no seconds since the first request."""
    file = written(tmp_path, arrival_s=[1.8e6 * n for n in range(MANY)])
    with pytest.raises(TraceError) as caught:
        read_requests(file, None, 0.0)
    (issue,) = caught.value.issues
    assert (issue.line, issue.column, issue.path) == (MANY, 2, "arrival_s")
    assert issue.got == "0 to 178,200,000: as seconds 2,062 days, as milliseconds 49.5 h"
    assert issue.rule == "times are seconds since the trace's first request, and span a year at the most"
    assert issue.fix.startswith("divide the column by 1,000")
    with pytest.raises(TraceError, match="that is a calendar time, since 1970"):
        read_requests(written(tmp_path, arrival_s=[1.7e9 + n for n in range(MANY)]), None, 0.0)


def test_a_trace_began_once(tmp_path: Path) -> None:
    """A time with a zone is one; a row that states another, or none, is a fault; a column without any time says nothing."""
    at = datetime(2025, 1, 6, 18, 15)
    assert read_requests(written(tmp_path, begins=[at] * MANY), None, 0.0).begins == at
    aware = profile_of(written(tmp_path, begins=[at.replace(tzinfo=UTC)] * MANY), None, None, None, 0.0)
    assert aware["begins_at_s"] == 65_700.0
    for other in (None, at + timedelta(hours=1)):
        with pytest.raises(TraceError) as caught:
            read_requests(written(tmp_path, begins=[at] * (MANY - 1) + [other]), None, 0.0)
        (issue,) = caught.value.issues
        assert (issue.line, issue.column, issue.path) == (MANY, 5, "begins")
    assert read_requests(written(tmp_path, begins=[None] * MANY), None, 0.0).begins is None


def test_only_the_trace_that_is_asked_for(tmp_path: Path) -> None:
    """Another trace's rows are its own affair; times start anew with each, and rows count in the file."""
    names = ["a"] * 50 + ["b"] * 50
    file = written(tmp_path, trace=names, **but("output_tokens", 60, None))
    assert len(read_requests(file, "a", 0.0).at) == 50
    with pytest.raises(TraceError) as caught:
        read_requests(file, "b", 0.0)
    assert [issue.line for issue in caught.value.issues] == [60]
    again = table()["arrival_s"][:50]
    assert read_requests(written(tmp_path, trace=names, arrival_s=again * 2), "b", 0.0).span == again[-1]


def test_a_message_says_which_file(tmp_path: Path) -> None:
    for name, held in (("no.parquet", b"trace"), ("short.parquet", None)):
        file = tmp_path / name
        file.write_bytes(held) if held else pl.DataFrame({"trace": ["a"]}).write_parquet(file)
        with pytest.raises(TraceError, match=f"^{name}: a request trace is a Parquet file with trace, arrival_s"):
            read_requests(file, None, 0.0)
    with pytest.raises(TraceError, match=r"^r\.parquet holds a, b: `trace` says which one$"):
        read_requests(written(tmp_path, trace=["a"] * 50 + ["b"] * 50), None, 0.0)
    with pytest.raises(TraceError, match=r"^r\.parquet holds no request$"):
        read_requests(written(tmp_path, trace=[], arrival_s=[], input_tokens=[], output_tokens=[]), None, 0.0)


def test_the_verbs_and_a_file_of_pools(tmp_path: Path) -> None:
    """What printed nan and went on is refused by all three."""
    run, file = CliRunner(), written(tmp_path, **but("output_tokens", 3, None))
    asked = ["traces", "profile", str(file), "--begins", "00:00"], ["replay", "two-clouds", "--mix", "book", "--requests", str(file)]
    for words in asked:
        done = run.invoke(app, words)
        assert done.exit_code == 1 and isinstance(done.exception, TraceError) and f"{file}:3:4  output_tokens" in str(done.exception)
    fleet = "{requests: r.parquet, gang: 4, rate: 1000 token/s}"
    (tmp_path / "pools.yaml").write_text(f"pools:\n  a: {{gpus: 64}}\nfleets:\n  chat: {fleet}\n", encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_pools(tmp_path / "pools.yaml")
    (issue,) = caught.value.issues
    assert (issue.path, issue.rule) == ("fleets.chat.requests", "output_tokens in row 3 is nothing: a request states its tokens")
