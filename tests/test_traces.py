"""The canonical job table: what is read, what is refused and named, and what --skip-bad leaves out."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from offtake.traces import Jobs, TraceError, read_jobs
from offtake.traces.jobs import fit

SHARED = Path(__file__).parents[2] / "shared" / "traces"
HEAD = "job_id,submit_s,duration_s,gpus,pool,user,gpu_milli,gpu_type,priority"
GOOD = ["b,0,60,8,p1,ann,,,", "a,0,30,1,p2,bob,,A10|T4,LS", "c,5.5,3600,16,,ann,1000,T4,7"]


def written(folder: Path, *rows: str, head: str = HEAD) -> Path:
    file = folder / "jobs.csv"
    file.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return file


def refused(file: Path) -> str:
    with pytest.raises(TraceError) as caught:
        read_jobs(file)
    return str(caught.value).replace(f"{file.parent}/", "")


def test_arrays_sorted_by_submission_and_id(tmp_path: Path) -> None:
    jobs = read_jobs(written(tmp_path, *GOOD))
    assert [jobs.name(i) for i in range(3)] == ["a", "b", "c"] and jobs.job_id.tolist() == [0, 1, 2]
    assert jobs.submit_s.tolist() == [0.0, 0.0, 5.5] and jobs.duration_s.tolist() == [30.0, 60.0, 3600.0]
    assert jobs.gpus.tolist() == [1, 8, 16] and jobs.gpus.dtype == np.int32
    assert jobs.priority.tolist() == [2, 0, 7]
    assert (jobs.pool_names, jobs.pool.tolist()) == (("p1", "p2"), [1, 0, -1])
    assert (jobs.chip_names, jobs.chip.tolist()) == (("A10|T4", "T4"), [0, -1, 1])
    assert jobs.user.tolist() == [1, 0, 0] and jobs.row is not None and jobs.row.tolist() == [3, 2, 4]
    assert jobs.gpu_hours == (30 + 480 + 57_600) / 3600 and jobs.span_s == 5.5 and jobs.refusals.total == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blank_lines_before_the_header_count(end: str, tmp_path: Path) -> None:
    """A fault in line 5 of a file is told as row 5, whether a cell is wrong or a field too many."""
    file = tmp_path / "jobs.csv"
    for row, said in (("b,-1,60,8", "jobs.csv:5:2  submit_s\n  got   -1"), ("b,1,60,8,9", "jobs.csv:5:5\n  got   5 fields: b,1,60,8,9")):
        lines = ["", "", "job_id,submit_s,duration_s,gpus", "a,0,60,8", row]
        file.write_bytes("".join(line + end for line in lines).encode())
        assert said in refused(file)


def test_whole_numbers_are_their_own_ids_and_sort_as_numbers(tmp_path: Path) -> None:
    jobs = read_jobs(written(tmp_path, "10,0,1,1", "9,0,1,1", head="job_id,submit_s,duration_s,gpus"))
    assert jobs.job_id.tolist() == [9, 10] and jobs.name(0) == "9" and jobs.names is None
    zeros = read_jobs(written(tmp_path, "010,0,1,1", "10,0,1,1", head="job_id,submit_s,duration_s,gpus"))
    assert zeros.name(0) == "010" and zeros.job_id.tolist() == [0, 1]


def test_parquet_says_what_csv_says(tmp_path: Path) -> None:
    csv = written(tmp_path, *GOOD)
    frame = pl.read_csv(csv).with_columns(pl.col("pool").cast(pl.Categorical), pl.col("gpus").cast(pl.Float32))
    frame.write_parquet(tmp_path / "jobs.parquet")
    a, b = read_jobs(csv), read_jobs(tmp_path / "jobs.parquet")
    for name in ("submit_s", "duration_s", "gpus", "priority", "user", "pool", "chip", "job_id", "names"):
        assert getattr(a, name).tolist() == getattr(b, name).tolist(), name
    assert b.row is not None and b.row.tolist() == [2, 1, 3]


TRAPS = [
    (",1,60,8,,,,,", 1, "job_id", "nothing", "a job has an id"),
    ("a,1,60,8,,,,,", 1, "job_id", "a", "an id stands once"),
    ("x,soon,60,8,,,,,", 2, "submit_s", "soon", "a job states when it was submitted, in seconds since the start"),
    ("x,-1,60,8,,,,,", 2, "submit_s", "-1", "times count from the trace's start: none is below 0"),
    ("x,6,-60,8,,,,,", 3, "duration_s", "-60", "a run time is not below 0"),
    ("x,6,,8,,,,,", 3, "duration_s", "nothing", "a job states its run time in seconds"),
    ("x,6,inf,8,,,,,", 3, "duration_s", "inf", "a job states its run time in seconds"),
    ("x,6,60,,,,,,", 4, "gpus", "nothing", "a job states its GPUs"),
    ("x,6,60,0,,,,,", 4, "gpus", "0", "a job has one GPU or more"),
    ("x,6,60,-8,,,,,", 4, "gpus", "-8", "a job has one GPU or more"),
    ("x,6,60,1e20,,,,,", 4, "gpus", "1e20", "a job has no more than a billion GPUs"),
    ("x,6,1e300,8,,,,,", 3, "duration_s", "1e300", "a run time is below 20 years"),
]


@pytest.mark.parametrize(("row", "column", "name", "got", "rule"), TRAPS)
def test_a_row_at_fault_is_named(tmp_path: Path, row: str, column: int, name: str, got: str, rule: str) -> None:
    file = written(tmp_path, *GOOD, row)
    assert refused(file).startswith(f"jobs.csv:5:{column}  {name}\n  got   {got}\n  rule  {rule}\n  fix   ")
    jobs = read_jobs(file, skip_bad=True)
    assert [jobs.name(i) for i in range(len(jobs))] == ["a", "b", "c"]
    assert jobs.refusals.skipped == {rule: 1} and jobs.refusals.issues[0].line == 5


CHANGES = [
    ("x,6,3600,0.5,,,,,", "gpus", "a part of a GPU counts as a whole one", 1),
    ("x,6,3600,1,,,460,,", "gpu_milli", "a part of a GPU counts as a whole one", 1),
    ("x,6,3600,2.25,,,,,", "gpus", "a part of a GPU counts as a whole one", 3),
    ("x,6,3600,2,,,,,gold", "priority", "a priority is a whole number or one of BE, Burstable, LS, Guaranteed; else it counts as 0", 2),
]


@pytest.mark.parametrize(("row", "name", "rule", "gpus"), CHANGES)
def test_a_number_counted_otherwise_is_said(tmp_path: Path, row: str, name: str, rule: str, gpus: int) -> None:
    file = written(tmp_path, *GOOD, row)
    assert f"  {name}\n" in refused(file) and rule in refused(file)
    jobs = read_jobs(file, skip_bad=True)
    assert (len(jobs), jobs.gpus[3], jobs.priority[3], jobs.refusals.changed) == (4, gpus, 0, {rule: 1})
    assert jobs.refusals.counts() == [f"1 row kept: {rule}"]


def test_jobs_out_of_order_are_an_issue_and_sorted_when_told(tmp_path: Path) -> None:
    file = written(tmp_path, *GOOD, "x,4,60,1,,,,,", "y,9,60,1,,,,,")
    assert refused(file).startswith("jobs.csv:5:2  submit_s\n  got   4\n  rule  jobs stand in the order of their submission")
    jobs = read_jobs(file, skip_bad=True)
    assert [jobs.name(i) for i in range(len(jobs))] == ["a", "b", "x", "c", "y"] and jobs.refusals.left_out == 0


def test_skipped_gpu_time_is_said(tmp_path: Path) -> None:
    """4 GPUs x 2 h stand twice, 0.5 GPU x 2 h count as one GPU, one job does not say its run time."""
    file = written(tmp_path, *GOOD, "a,6,7200,4,,,,,", "a,7,7200,4,,,,,", "z,8,,4,,,,,")
    found = read_jobs(file, skip_bad=True).refusals
    assert (found.hours, found.unknown, found.left_out, found.read) == (16.0, 1, 3, 6)
    assert found.counts()[-1] == "skipped in all 3 of 6 rows: 16.0 GPU-h, and 1 of them do not say their GPU time"


def test_a_message_shows_five_rows_of_each_rule(tmp_path: Path) -> None:
    """Seven jobs without a run time hide neither the two that come last nor their number."""
    rows = [f"x{n},6,,8,,,,," for n in range(7)] + [f"y{n},6,60,0.5,,,,," for n in range(2)]
    told = refused(written(tmp_path, *GOOD, *rows)).splitlines()
    assert [line.split("  ")[0] for line in told if line.startswith("jobs.csv")] == [
        *(f"jobs.csv:{n}:3" for n in range(5, 10)), "jobs.csv:12:4", "jobs.csv:13:4",
    ]  # fmt: skip
    assert ".. and 2 more" in told and "7 rows: a job states its run time in seconds" in told


def test_labels_and_ids_of_many_rows(tmp_path: Path) -> None:
    """Labels get codes in the order of their names; ids are numbers until one is not, and then texts in their own order."""
    rows = [f"{n},{n // 3},60,1,p{n % 5},u{(7 * n) % 11},,," for n in range(1000)]
    jobs = read_jobs(written(tmp_path, *rows))
    assert jobs.job_id.tolist() == list(range(1000)) and jobs.names is None and jobs.pool_names == ("p0", "p1", "p2", "p3", "p4")
    assert jobs.pool.tolist() == [n % 5 for n in range(1000)]
    assert jobs.user.tolist() == [sorted(f"u{i}" for i in range(11)).index(f"u{(7 * n) % 11}") for n in range(1000)]
    mixed = read_jobs(written(tmp_path, *rows, "010,400,60,1,p9,,,,"))
    assert mixed.name(1000) == "010" and mixed.pool_names[-1] == "p9" and mixed.user[-1] == -1
    assert [mixed.name(n) for n in range(9, 12)] == ["10", "11", "9"]
    with pytest.raises(TraceError, match="an id stands once"):
        read_jobs(written(tmp_path, *rows, "17,400,60,1,,,,,"))


UNITS = [
    (["a,0,60,1", "b,5184000000,60,1"], "read as seconds it spans 164 years, as milliseconds 60.0 days"),
    (["a,1583020800,60,1", "b,1583020900,60,1"], "that is a calendar time, in seconds since 1970"),
]


@pytest.mark.parametrize(("rows", "said"), UNITS)
def test_another_unit_is_named_and_not_skipped(tmp_path: Path, rows: list[str], said: str) -> None:
    file = written(tmp_path, *rows, head="job_id,submit_s,duration_s,gpus")
    assert said in refused(file) and "jobs.csv:1:0  submit_s" in refused(file)
    with pytest.raises(TraceError):
        read_jobs(file, skip_bad=True)


def test_run_times_in_another_unit_than_their_ends(tmp_path: Path) -> None:
    file = written(tmp_path, "a,0,60000,1,10,70", "b,0,90000,1,20,110", head="job_id,submit_s,duration_s,gpus,start_s,end_s")
    assert "end_s - start_s is 0.001 times duration_s (median)" in refused(file)


def test_files_that_are_no_trace(tmp_path: Path) -> None:
    empty, parquet = tmp_path / "empty.csv", tmp_path / "jobs.parquet"
    empty.write_text("")
    assert refused(empty).startswith("empty.csv: the file is empty; a job trace is a Parquet or CSV file")
    assert refused(written(tmp_path)).startswith("jobs.csv: the trace has no job;")
    assert refused(written(tmp_path, "1,2", head="a,b")).startswith("jobs.csv: no column job_id, submit_s, duration_s, gpus (it has a, b)")
    assert refused(written(tmp_path, *GOOD, "d,6,1,1,,,,,,,")).startswith("jobs.csv:5:11\n  got   11 fields: d,6,1,1")
    assert "a row has the 9 fields of the header" in refused(written(tmp_path, *GOOD, "d,6,1,1,,,,,,,"))
    pl.read_csv(written(tmp_path, *GOOD)).write_parquet(parquet)
    whole = parquet.read_bytes()
    parquet.write_bytes(whole[: len(whole) // 2])
    assert "the Parquet file is cut short" in refused(parquet)
    parquet.write_bytes(b"PK" + whole[2:])
    assert "no Parquet file" in refused(parquet)
    dated = pl.DataFrame({"job_id": [1], "submit_s": ["2020-01-01"], "duration_s": [1.0], "gpus": [1]}).with_columns(
        pl.col("submit_s").str.to_datetime()
    )
    dated.write_parquet(parquet)
    assert "column submit_s holds Datetime" in refused(parquet)
    with pytest.raises(TraceError, match="could not be read"):
        read_jobs(tmp_path / "none.csv")
    with pytest.raises(TraceError, match="a folder is no trace"):
        read_jobs(tmp_path)


def test_jobs_that_fit_no_pool(tmp_path: Path) -> None:
    """`c` wants 16 GPUs of T4, where the pool of T4 has 8; `a` may run on A10 or T4."""
    jobs = read_jobs(written(tmp_path, *GOOD))
    assert len(fit(jobs, [64], [None])) == 3
    with pytest.raises(TraceError) as caught:
        fit(jobs, [64, 8], ["H100", "T4"])
    assert "gpus of job c\n  got   16 GPUs on T4; the largest such pool has 8" in str(caught.value)
    kept = fit(jobs, [64, 8], ["H100", "T4"], skip_bad=True)
    assert [kept.name(i) for i in range(len(kept))] == ["a", "b"] and kept.refusals.hours == 16.0
    with pytest.raises(TraceError) as caught:
        fit(jobs, [64], ["H100"])
    assert "gpu_type of job a" in str(caught.value) and "gpu_type of job c" in str(caught.value)


def test_select_and_hours() -> None:
    one = np.ones(4, np.int64)
    jobs = Jobs(np.arange(4.0), np.full(4, 3600.0), one, one, -one, -one, -one, np.arange(4))
    assert jobs.select(slice(0, 2)).job_id.tolist() == [0, 1] and jobs.gpu_hours == 4.0


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the public traces of ../shared, which are not shipped")
def test_public_traces() -> None:
    """Rows and GPU-hours as published beside the traces; openb2023 holds parts of a GPU and pods that never started."""
    itp, philly = read_jobs(SHARED / "jobs_itp2021.parquet"), read_jobs(SHARED / "jobs_philly2017.parquet")
    assert (len(itp), round(itp.gpu_hours, 1), itp.refusals.total) == (69_351, 1_632_719.7, 0)
    assert (len(philly), len(philly.pool_names), philly.refusals.total) == (82_247, 15, 0)
    with pytest.raises(TraceError, match="--skip-bad"):
        read_jobs(SHARED / "jobs_openb2023.parquet")
    openb = read_jobs(SHARED / "jobs_openb2023.parquet", skip_bad=True)
    assert len(openb) == 8_152 - openb.refusals.left_out and sum(openb.refusals.changed.values()) == 2_573
