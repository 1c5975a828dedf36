"""Public formats, read from small files in tests/cases/traces; every figure is worked by hand from the rows."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from offtake.cli import app
from offtake.errors import WriteError
from offtake.traces import TraceError, batches, ordered, read_any, read_jobs
from offtake.traces.convert import Converted, convert
from offtake.traces.logs import entries
from offtake.traces.read import format_of
from offtake.traces.requests import convert_requests

CASES = Path(__file__).parent / "cases" / "traces"


def converted(form: str, name: str, folder: Path, skip_bad: bool = False) -> tuple[Converted, dict[str, list[object]]]:
    out = folder / "jobs.parquet"
    done = convert(form, [CASES / name], out, skip_bad)
    assert [p.name for p in folder.iterdir()] == ["jobs.parquet"]
    return done, pl.read_parquet(out).to_dict(as_series=False)


def test_sacct(tmp_path: Path) -> None:
    """Steps, jobs without GPUs, jobs that never started stand apart; 104's parts are one gang of 16; 106 ran twice; 105 still runs."""
    done, jobs = converted("sacct", "sacct.txt", tmp_path)
    assert jobs["job_id"] == ["100", "103_1", "104", "105", "106", "106#2"]
    assert jobs["submit_s"] == [0.0, 3600.0, 7200.0, 10_800.0, 12_600.0, 16_200.0]
    assert jobs["duration_s"] == [93_600.0, 3600.0, 7200.0, 18_000.0, 1800.0, 7200.0]
    assert jobs["gpus"] == [8, 1, 16, 16, 2, 2] and jobs["start_s"][0] == 300.0 and jobs["end_s"][3] is None
    assert jobs["gpu_type"] == [None, "a100", None, None, None, None]  # 100 was given an h100, but asked for any
    assert jobs["status"][2] == "TIMEOUT" and jobs["censored"][3] == "right" and jobs["mem_gib"] == [512, 64, None, None, None, None]
    assert (done.jobs, done.gpu_hours, done.largest, done.refusals.read) == (6, 326.0, 16, 12)
    assert list(done.refusals.apart.values()) == [2, 1, 1, 1] and list(done.refusals.changed.values()) == [1, 1, 2]


def test_sacct_rows_at_fault(tmp_path: Path) -> None:
    with pytest.raises(TraceError) as caught:
        converted("sacct", "sacct_bad.txt", tmp_path)
    places = [(i.line, i.column, i.path, i.got) for i in caught.value.issues]
    assert [p[:3] for p in places] == [(3, 0, "line"), (4, 1, "JobID"), (5, 5, "Submit"), (6, 8, "Elapsed"), (7, 7, "End")]
    assert [p[3] for p in places[1:]] == ["202x", "yesterday", "nothing", "2025-03-01T01:00:05"] and list(tmp_path.iterdir()) == []
    done, jobs = converted("sacct", "sacct_bad.txt", tmp_path, skip_bad=True)
    assert jobs["job_id"] == ["200"] and done.refusals.left_out == 5 and done.refusals.apart == {"takes a share of a GPU (gres/shard)": 1}


def test_dumps_that_overlap_count_a_run_once(tmp_path: Path) -> None:
    """The second dump was made later: 105 has ended by then, after 10 h."""
    text = (CASES / "sacct.txt").read_text()
    later = tmp_path / "later.txt"
    later.write_text(text.replace("|Unknown|05:00:00|RUNNING", "|2025-01-06T00:00:00|10:00:00|COMPLETED"))
    done = convert("sacct", [CASES / "sacct.txt", later], tmp_path / "jobs.parquet")
    jobs = read_jobs(tmp_path / "jobs.parquet")
    assert (done.jobs, done.gpu_hours, len(jobs)) == (6, 326.0 + 16 * 5, 6)
    assert done.refusals.apart["the same run again, where dumps overlap: the later row stands"] == 7


def test_sacct_reads_elapsed_raw_eligible_and_a_trailing_pipe(tmp_path: Path) -> None:
    """`sacct -p` ends rows with a pipe; a job that waits for another is submitted when it may start; types alone are summed."""
    dump = tmp_path / "dump.txt"
    dump.write_text(
        "JobID|Submit|Eligible|Start|End|ElapsedRaw|State|AllocTRES|\n"
        "1|2025-01-01T00:00:00|2025-01-01T00:00:00|2025-01-01T00:00:00|2025-01-01T01:00:00|3600|COMPLETED|gres/gpu:a100=2,gres/gpu:h100=4|\n"
        "2|2025-01-01T00:00:00|2025-01-01T01:00:00|2025-01-01T01:00:00|2025-01-01T02:00:00|1800|COMPLETED|gres/gpu=1|\n"
        "JobID|Submit|Eligible|Start|End|ElapsedRaw|State|AllocTRES|\n\n"
    )
    done = convert("sacct", [dump], tmp_path / "jobs.parquet")
    jobs = read_jobs(tmp_path / "jobs.parquet")
    assert jobs.gpus.tolist() == [6, 1] and jobs.submit_s.tolist() == [0.0, 3600.0] and jobs.duration_s.tolist() == [3600.0, 1800.0]
    assert done.refusals.apart == {"a header again: dumps were joined": 1}


def test_swf(tmp_path: Path) -> None:
    """Job 2 was cancelled in the queue, one line of job 3 is a part, job 4 says its request alone. Processors count as GPUs."""
    done, jobs = converted("swf", "log.swf", tmp_path)
    assert jobs["job_id"] == ["1", "3", "4"] and jobs["gpus"] == [8, 16, 32] and jobs["duration_s"] == [3600, 250, 60]
    assert jobs["start_s"] == [10, 120, 180] and jobs["user"] == ["3", "4", None] and jobs["pool"] == ["2", "2", None]
    assert (sum(done.refusals.apart.values()), done.refusals.read) == (2, 5)


def test_philly(tmp_path: Path) -> None:
    """0001 ran 60 s on 2 GPUs, then 3600 s on 4: (120 + 14,400) / 4 = 3,630 s. 0003 runs on, 30 s of it are known."""
    with pytest.raises(TraceError) as caught:
        converted("philly", "philly.json", tmp_path)
    assert [(i.line, i.column, i.got) for i in caught.value.issues][1:] == [(15, 2, "None")]
    assert caught.value.issues[0].line == 13 and caught.value.issues[0].rule == "an attempt does not end before it starts"
    done, jobs = converted("philly", "philly.json", tmp_path, skip_bad=True)
    assert jobs["job_id"] == ["application_1_0001", "application_1_0003"] and jobs["duration_s"] == [3630.0, 30.0]
    assert jobs["gpus"] == [4, 1] and jobs["submit_s"] == [0.0, 6480.0] and jobs["pool"] == ["ee9e8c", "103959"]
    assert list(done.refusals.apart.values()) == [1, 1] and done.refusals.hours == 1.0


def test_json_is_read_in_pieces_and_its_end_is_needed(tmp_path: Path) -> None:
    file = CASES / "philly.json"
    whole = [(line, entry["jobid"][-4:]) for line, entry in entries(file)]
    assert whole == [(2, "0001"), (6, "0002"), (7, "0003"), (11, "0004"), (13, "0005"), (15, "0006")]
    for size in (1, 7, 100):
        assert [(line, entry["jobid"][-4:]) for line, entry in entries(file, size)] == whole
    cut = tmp_path / "cut.json"
    for end in (len(file.read_text()) - 3, file.read_text().index(' {"status": "Killed"')):
        cut.write_text(file.read_text()[:end])
        with pytest.raises(TraceError, match="without its `]`: no JSON, or cut short"):
            list(entries(cut))
    cut.write_text("[1]")
    with pytest.raises(TraceError, match=r"cut\.json:1: a job is an object with jobid"):
        list(entries(cut))


def test_helios(tmp_path: Path) -> None:
    with pytest.raises(TraceError) as caught:
        converted("helios", "helios.csv", tmp_path)
    places = [(i.line, i.column, i.got) for i in caught.value.issues]
    assert places == [(5, 4, "nothing"), (6, 8, "2020-06-09T18:41"), (7, 11, "-8"), (8, 0, "11")]
    done, jobs = converted("helios", "helios.csv", tmp_path, skip_bad=True)
    assert jobs["job_id"] == ["11", "12"] and jobs["submit_s"] == [0.0, 26.0] and jobs["start_s"] == [0.0, 86.0]
    assert jobs["gpus"] == [1, 16] and jobs["pool"] == ["vcX", "vcY"] and done.refusals.apart == {"takes no GPU": 1}
    assert done.refusals.hours == (2 * 2 + 36_848) / 3600


def test_several_clusters_keep_their_names(tmp_path: Path) -> None:
    """The same id in two clusters is two jobs."""
    other = tmp_path / "cluster02.csv"
    other.write_text((CASES / "cluster01.csv").read_text())
    one = tmp_path / "one"
    one.mkdir()
    done, jobs = converted("itp", "cluster01.csv", one)
    assert jobs["job_id"] == ["bbb", "aaa"] and jobs["submit_s"] == [0.0, 16_466.0] and jobs["pool"] == ["cluster01", "cluster01"]
    done = convert("itp", [CASES / "cluster01.csv", other], tmp_path / "both.parquet")
    both = read_jobs(tmp_path / "both.parquet")
    assert done.jobs == 4 and both.pool_names == ("cluster01", "cluster02") and both.name(0) == "cluster01/bbb"


def test_azure(tmp_path: Path) -> None:
    """Ticks of 100 ns survive; two files are two traces with a start each."""
    files = [CASES / "azure.csv", CASES / "azure2024.csv"]
    with pytest.raises(TraceError) as caught:
        convert_requests(files, tmp_path / "requests.parquet")
    assert [(i.line, i.column, i.got) for i in caught.value.issues] == [(5, 2, "-1"), (6, 1, "2023-11-16")]
    done = convert_requests(files, tmp_path / "requests.parquet", skip_bad=True)
    frame = pl.read_parquet(tmp_path / "requests.parquet")
    assert frame.columns == ["trace", "arrival_s", "input_tokens", "output_tokens", "begins", "prefix_blocks"]
    assert [str(at) for at in frame["begins"].unique().sort()] == ["2023-11-16 18:15:46.680590", "2024-05-10 00:00:00.009930"]
    assert frame["arrival_s"].to_list() == [0.0, 1.41941, 4.314579, 0.0, 1.0]
    assert frame["trace"].to_list() == ["azure"] * 3 + ["azure2024"] * 2 and (done.requests, done.input_tokens) == (5, 12_659)
    assert frame["prefix_blocks"].null_count() == 5


@pytest.mark.parametrize(
    ("name", "form"),
    [("sacct.txt", "sacct"), ("log.swf", "swf"), ("philly.json", "philly"), ("helios.csv", "helios"), ("cluster01.csv", "itp")],
)
def test_a_log_is_told_by_its_first_line(name: str, form: str, tmp_path: Path) -> None:
    assert format_of(CASES / name) == form
    done = convert(form, [CASES / name], tmp_path / "jobs.parquet", skip_bad=True)
    jobs, same = read_any(CASES / name, skip_bad=True), read_jobs(tmp_path / "jobs.parquet")
    assert format_of(tmp_path / "jobs.parquet") == "canonical" and read_any(tmp_path / "jobs.parquet").gpu_hours == done.gpu_hours
    for column in ("submit_s", "duration_s", "gpus", "priority", "user", "pool", "chip"):
        assert getattr(jobs, column).tolist() == getattr(same, column).tolist(), column
    assert jobs.refusals.read == done.refusals.read and jobs.refusals.apart == done.refusals.apart


def test_rows_of_a_log_that_was_read_directly_are_its_own() -> None:
    jobs = read_any(CASES / "sacct.txt")
    assert jobs.row is not None and jobs.row.tolist() == [2, 7, 9, 11, 12, 13]


def test_sorted_in_runs_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log too large to be sorted at once: runs and stretches of 5 rows, many of one second, give the same file."""
    log = tmp_path / "log.csv"
    rows = [f"j{n:03d},{n * 7 % 30},{n + 1},1" for n in range(60)]
    log.write_text("job_id,submission_time,duration,num_gpu\n" + "\n".join(rows) + "\n")
    convert("itp", [log], tmp_path / "one.parquet")
    monkeypatch.setattr(ordered, "RUN", 5)
    monkeypatch.setattr(ordered, "SAMPLE", 2)
    monkeypatch.setattr(batches, "BLOCK", 100)
    convert("itp", [log], tmp_path / "many.parquet")
    one, many = pl.read_parquet(tmp_path / "one.parquet"), pl.read_parquet(tmp_path / "many.parquet")
    assert one.equals(many) and one.height == 60 and one["submit_s"].is_sorted()


WRONG = [
    ("sacct", "a,b\n1,2\n", "log:1: no header of sacct: 'a,b'"),
    ("sacct", "JobID|Submit|Start|End|State|AllocTRES\n", "log:1: no column Elapsed;"),
    ("sacct", "JobID|Submit|Start|End|State|Elapsed\n1|x|y|z|w|1\n", "log:1: no column AllocTRES;"),
    ("helios", "a,b\n1,2\n", "log: no column job_id, user, vc"),
    ("itp", "job_id,submission_time,duration,num_gpu\na,1,2,3,4\n", "a row has the 4 fields of the header"),
    ("itp", "job_id,submission_time,duration,num_gpu\na,1,2,0\n", "log: no job is left to replay\n1 row apart: takes no GPU"),
    ("swf", "1 2 3\n", "log:1:0  line\n  got   1 2 3\n  rule  a line has 18 fields"),
    ("philly", "{", "without its `]`"),
    ("philly", "[]", "the log holds no job"),
    ("itp", "", "log: the file is empty"),
]


@pytest.mark.parametrize(("form", "text", "said"), WRONG)
def test_a_log_that_is_none(form: str, text: str, said: str, tmp_path: Path) -> None:
    log, out = tmp_path / "log", tmp_path / "out" / "jobs.parquet"
    log.write_text(text)
    with pytest.raises(TraceError) as caught:
        convert(form, [log], out)
    assert said in str(caught.value) and not out.exists()


def test_the_old_file_stays_whole(tmp_path: Path) -> None:
    out = tmp_path / "jobs.parquet"
    convert("itp", [CASES / "cluster01.csv"], out)
    before = out.read_bytes()
    with pytest.raises(TraceError):
        convert("helios", [CASES / "helios.csv"], out)
    assert out.read_bytes() == before
    (tmp_path / "held.parquet").mkdir()
    with pytest.raises(WriteError, match="could not be written"):
        convert("itp", [CASES / "cluster01.csv"], tmp_path / "held.parquet")
    assert sorted(os.listdir(tmp_path)) == ["held.parquet", "jobs.parquet"]


@pytest.mark.parametrize(("form", "name"), [("sacct", "sacct.txt"), ("azure-llm", "azure2024.csv"), ("table", "jobs.csv")])
def test_what_is_read_is_not_written_over(form: str, name: str, tmp_path: Path) -> None:
    """By its own name, through a link, and as a second name of the file; and no other file than .parquet is written."""
    held = b"job_id,submit_s,duration_s,gpus\na,0,60,8\n" if form == "table" else (CASES / name).read_bytes()
    log, link, twin = tmp_path / name, tmp_path / "link.parquet", tmp_path / "twin.parquet"
    log.write_bytes(held)
    link.symlink_to(log)
    os.link(log, twin)
    before = sorted(os.listdir(tmp_path))
    for out, said in (
        (log, f"{log}: what is written is a Parquet file, and its name ends in .parquet; write -o {log.stem}.parquet"),
        (link, f"{link}: this file is read, so nothing is written in its place; name another with -o"),
        (twin, f"{twin}: this file is read, so nothing is written in its place; name another with -o"),
    ):
        done = CliRunner().invoke(app, ["traces", "convert", form, str(log), "-o", str(out), "--skip-bad"])
        assert isinstance(done.exception, WriteError) and str(done.exception) == said
        assert log.read_bytes() == held and sorted(os.listdir(tmp_path)) == before
    assert CliRunner().invoke(app, ["traces", "convert", form, str(log), "-o", str(tmp_path / "new.parquet"), "--skip-bad"]).exit_code == 0


def test_verbs(tmp_path: Path) -> None:
    out = str(tmp_path / "jobs.parquet")
    done = CliRunner().invoke(app, ["traces", "convert", "sacct", str(CASES / "sacct.txt"), "-o", out])
    assert done.exit_code == 0 and f"{out}: 6 jobs, 326.0 GPU-h, submitted over 4.5 h, the largest on 16 GPUs\n" in done.output
    assert "  2 rows apart: a step of a job; the job has a row of its own\n" in done.output
    found = json.loads(CliRunner().invoke(app, ["traces", "check", out, "--json"]).output)
    assert (found["jobs"], found["gpu_h"], found["notes"]) == (6, 326.0, [])
    asked = ["traces", "convert", "azure-llm", str(CASES / "azure2024.csv"), "-o", str(tmp_path / "r.parquet")]
    assert "2 requests over 1.0 s, 4,561 tokens in, 11 tokens out" in CliRunner().invoke(app, asked).output
    assert CliRunner().invoke(app, ["traces", "convert", "slurm", out, "-o", out]).exit_code == 2
    assert isinstance(CliRunner().invoke(app, ["traces", "check", str(CASES / "helios.csv")]).exception, TraceError)
