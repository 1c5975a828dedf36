"""Where batches, runs and stretches end is nobody's business: the same bits of a file, the same jobs and the same errors."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offtake.traces import Jobs, TraceError, batches, hashes, ordered
from offtake.traces.sums import gpu_time
from offtake.traces.told import converted

from ..naive import trace as naive

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
CASES = Path(__file__).parents[1] / "cases" / "traces"
HEAD = "job_id,submit_s,duration_s,gpus,pool,gpu_milli,priority,min_gpus,latest_s"
COLUMNS = ("submit_s", "duration_s", "gpus", "priority", "user", "pool", "chip", "job_id", "names", "row", "least", "latest_s")


def cut(patch: pytest.MonkeyPatch, block: int, run: int) -> None:
    """Batches of so many bytes, or rows; runs of so many rows and stretches of about as many."""
    for module, name, value in ((batches, "BLOCK", block), (batches, "ROWS", run), (hashes, "HELD", run), (hashes, "STRETCH", run),
                                (hashes, "SAMPLE", 2), (ordered, "RUN", run), (ordered, "SAMPLE", 2), (ordered, "GROUP", 4)):  # fmt: skip
        patch.setattr(module, name, value)


def cells(sound: bool) -> st.SearchStrategy[str]:
    """A row of a table; one that is not sound may break any rule."""
    id_ = st.integers(0, 30).map(str) if sound else st.sampled_from(["", "a", "b", "007", "7", "12", "13", '"x\ny"', '"1,2"', " 9 "])
    submit = st.sampled_from(["0", "5", "5.5", "60", "61", "1e3", " 7 ", *([] if sound else ["", "soon", "-1", "inf"])])
    duration = st.sampled_from(["0", "30", "3600", "0.1", *([] if sound else ["", "-60", "1e300", "nan"])])
    gpus = st.sampled_from(["1", "8", "16", *([] if sound else ["", "0", "-8", "2.25", "0.5", "1e20"])])
    rest = [st.sampled_from(["", "p1", "p2", "q"]), st.sampled_from(["", "1000", *([] if sound else ["460"])]),
            st.sampled_from(["", "LS", "7", "-3", *([] if sound else ["gold"])]), st.sampled_from(["", "1", *([] if sound else ["99"])]),
            st.sampled_from(["", "1e4", *([] if sound else ["3"])])]  # fmt: skip
    return st.tuples(id_, submit, duration, gpus, *rest).map(",".join)


def tables() -> st.SearchStrategy[str]:
    """Tables, some sound but for ids and order, some not."""
    rows = st.one_of(st.lists(cells(True), min_size=1, max_size=40), st.lists(cells(False), min_size=1, max_size=40))
    return st.tuples(rows, st.booleans()).map(lambda t: "\n".join([HEAD, *t[0]]) + ("\n" if t[1] else ""))


def said(ask: Callable[[], Any]) -> Any:
    """What is answered, or the error with its issues."""
    try:
        return ask()
    except TraceError as error:
        return (str(error), [issue.to_dict() for issue in error.issues])


def plainly(jobs: Any) -> Any:
    """Jobs as lists, an error as it is."""
    if not isinstance(jobs, Jobs):
        return jobs
    arrays = {name: getattr(jobs, name) for name in COLUMNS}
    return {name: None if a is None else a.tolist() for name, a in arrays.items()} | {
        "pools": jobs.pool_names, "chips": jobs.chip_names, "refusals": jobs.refusals.to_dict()
    }  # fmt: skip


@QUIET
@given(tables(), st.integers(1, 120), st.integers(1, 9), st.booleans())
def test_a_table_reads_alike_in_any_batches(tmp_path: Path, text: str, block: int, run: int, skip_bad: bool) -> None:
    file, out = tmp_path / "jobs.csv", tmp_path / "jobs.parquet"
    file.write_text(text, encoding="utf-8")

    def both() -> list[Any]:
        jobs = plainly(said(lambda: fresh(file, skip_bad)))
        told = said(lambda: converted("table", [file], out, skip_bad))
        return [jobs, told, out.read_bytes() if isinstance(told, dict) else None]

    whole = both()
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, block, run)
        parts = both()
    assert parts == whole
    if isinstance(whole[1], dict):  # what was written says what was read
        again = plainly(fresh(out, False))
        same = [name for name in COLUMNS if name not in ("row", "job_id", "names")]
        assert {name: again[name] for name in same} == {name: whole[0][name] for name in same} and again["refusals"]["issues"] == []
        refusals = whole[0]["refusals"]
        assert whole[1]["jobs"] == len(again["gpus"]) and refusals == {k: whole[1][k] for k in refusals} | {"file": str(file)}
    elif skip_bad:
        assert whole[0] == whole[1] or "no job is left to replay" in whole[1][0]
    else:
        assert whole[0] == whole[1]


def fresh(file: Path, skip_bad: bool) -> Jobs:
    """Read, and not remembered from before: files of one name are written within one tick of the clock."""
    from offtake.traces.canonical import canonical

    return canonical(file, skip_bad)


@QUIET
@given(tables(), st.integers(1, 120), st.integers(1, 9))
def test_a_table_against_plain_python(tmp_path: Path, text: str, block: int, run: int) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text(text, encoding="utf-8")
    wanted = naive.read(text)
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, block, run)
        jobs = fresh(file, True)
    rows = range(len(jobs))
    least, latest = jobs.smallest.tolist(), np.full(len(jobs), -1.0) if jobs.latest_s is None else jobs.latest_s
    names = [None if code < 0 else jobs.pool_names[code] for code in jobs.pool.tolist()]
    ids, numbers = [jobs.name(j) for j in rows], (jobs.submit_s, jobs.duration_s, jobs.gpus, jobs.priority)
    found = [(n[0], ids[j], *n[1:], names[j], least[j], latest[j]) for j, n in enumerate(zip(*numbers, strict=True))]
    assert found == wanted["jobs"]
    told = jobs.refusals
    assert (told.skipped, told.changed, told.unknown, told.read) == tuple(wanted[k] for k in ("skipped", "changed", "unknown", "read"))
    assert told.hours == pytest.approx(wanted["hours"], rel=1e-9, abs=1e-9)
    assert set(jobs.pool_names) == {name for name in names if name is not None}


LOGS = [("sacct", ["sacct.txt"]), ("sacct", ["sacct_bad.txt"]), ("sacct", ["sacct.txt", "sacct_bad.txt"]), ("swf", ["log.swf"]),
        ("philly", ["philly.json"]), ("helios", ["helios.csv"]), ("itp", ["cluster01.csv"]), ("azure-llm", ["azure.csv", "azure2024.csv"]),
        ("azure-llm", ["azure.csv", "azure.csv"]), ("helios", ["helios.csv", "helios.csv"])]  # fmt: skip


@pytest.mark.parametrize(("form", "names"), LOGS)
@pytest.mark.parametrize("skip_bad", [True, False])
def test_a_log_converts_alike_in_any_batches(tmp_path: Path, form: str, names: list[str], skip_bad: bool) -> None:
    files, out = [CASES / name for name in names], tmp_path / "out.parquet"

    def once() -> list[Any]:
        told = said(lambda: converted(form, files, out, skip_bad))
        return [told, out.read_bytes() if isinstance(told, dict) else None]

    whole = once()
    for block, run in ((1, 1), (7, 3), (50, 2), (333, 5)):
        with pytest.MonkeyPatch.context() as patch:
            cut(patch, block, run)
            assert once() == whole, (block, run)


def test_dumps_that_overlap_in_any_batches(tmp_path: Path) -> None:
    """Runs told twice, requeued jobs and gangs lie in different runs on disk."""
    text = (CASES / "sacct.txt").read_text()
    later = tmp_path / "later.txt"
    later.write_text(text.replace("|Unknown|05:00:00|RUNNING", "|2025-01-06T00:00:00|10:00:00|COMPLETED"))
    found = []
    for block, run in ((1 << 24, 1 << 20), (1, 1), (90, 2), (400, 4)):
        with pytest.MonkeyPatch.context() as patch:
            cut(patch, block, run)
            told = converted("sacct", [CASES / "sacct.txt", later], tmp_path / "jobs.parquet", False)
        found.append((told, (tmp_path / "jobs.parquet").read_bytes()))
    assert all(other == found[0] for other in found[1:]) and found[0][0]["gpu_h"] == 326.0 + 16 * 5


def test_a_quote_that_is_never_closed_is_named(tmp_path: Path) -> None:
    """It would else take the rest of the file in as one row."""
    file = tmp_path / "jobs.csv"
    file.write_text(HEAD + "\n" + "".join(f"{n},{n},60,1,p,,,,\n" for n in range(20)) + '"21,21,60,1,p,,,,\n' + "x" * 400 + "\n")
    with pytest.MonkeyPatch.context() as patch:
        cut(patch, 64, 8)
        patch.setattr(batches, "LONGEST", 200)
        with pytest.raises(TraceError, match="a quote that opens in it closes in it") as caught:
            fresh(file, True)
    assert str(caught.value).startswith(f"{file}:22:0\n  got   \"21,21,60,1")


def test_a_table_at_a_time(tmp_path: Path) -> None:
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    with pytest.raises(TraceError, match=r"b\.csv: one table at a time"):
        converted("table", files, tmp_path / "out.parquet", False)


def test_a_unit_is_seen_across_batches(tmp_path: Path) -> None:
    """What is said of a file's span is said of all of it, wherever its batches end; run times are compared over all rows."""
    file = tmp_path / "jobs.csv"
    head = "job_id,submit_s,duration_s,gpus,start_s,end_s\n"
    late = head + "".join(f"{n},{n * 1e8:.0f},60,1,,\n" for n in range(16))
    slow = head + "".join(f"{n},{n},60,1,{n},{n + (60 if n < 6 else 60_000)}\n" for n in range(16))
    span = "runs from 0 to 1,500,000,000: read as seconds it spans 48 years"
    for text, told in ((late, span), (slow, "is 1,000 times duration_s (median)")):
        file.write_text(text)
        for block in (1 << 20, 40, 1):
            with pytest.MonkeyPatch.context() as patch:
                cut(patch, block, 3)
                with pytest.raises(TraceError) as caught:
                    fresh(file, True)
            assert told in str(caught.value)


@given(st.lists(st.floats(0.0, 6e17), min_size=1, max_size=30), st.integers(0, 30))
def test_gpu_time_adds_up_to_the_last_millionth_in_any_parts(seconds: list[float], at: int) -> None:
    """Against exact fractions: each term is rounded by less than its own last bit or a millionth, whichever is larger."""
    frame = pl.DataFrame({"s": seconds})
    whole = gpu_time(frame, pl.col("s"))
    assert whole == gpu_time(frame[:at], pl.col("s")) + gpu_time(frame[at:], pl.col("s"))
    exact = sum(Fraction(s) for s in seconds) * 1_000_000
    assert abs(whole - exact) <= len(seconds) + sum(Fraction(s) for s in seconds) * 1_000_000 / 2**52
