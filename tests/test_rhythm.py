"""Inference of a book that follows a request trace, its own profile or an assumed day; and a trace as the profile that a book states."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from offtake import front
from offtake.book import text
from offtake.book.check import check
from offtake.cli import app
from offtake.errors import QuestionError
from offtake.fleet.ask import Asked
from offtake.front import replays
from offtake.studies.cluster import Wanted, cluster_of, replay_book, window_of
from offtake.studies.meanpath import mean_path
from offtake.studies.rhythm import Followed, Rhythm, hourly, rhythms_of
from offtake.traces import TraceError
from offtake.traces.load import load_of
from offtake.traces.profile import clock_of, profile_of, slots_of
from tests.shared import SHARED

DAY_OF_THREE = [1.0] * 8 + [3.0] * 12 + [2.0] * 4  # tokens by clock hour: night, day, evening


def requests(folder: Path, hours: list[float], begins: datetime | None = None, name: str = "r") -> Path:
    """A trace with four requests in each hour, a quarter of an hour apart, of as many output tokens together."""
    at = [3600.0 * h + 900.0 * q for h in range(len(hours)) for q in range(4)]
    out = [250.0 * tokens for tokens in hours for _ in range(4)]
    table: dict[str, Any] = {"trace": [name] * len(at), "arrival_s": at, "input_tokens": [100] * len(at), "output_tokens": out}
    frame = pl.DataFrame(table)
    file = folder / f"{name}.parquet"
    (frame if begins is None else frame.with_columns(pl.lit(begins).alias("begins"))).write_parquet(file)
    return file


@pytest.fixture(scope="module")
def told():
    plan = front.compile(front.load("two-clouds"))
    return plan, mean_path(plan, 1), window_of(plan, (plan.start + 12, plan.start + 13))


def naive_replicas(hours: float, load: list[float], gang: int, first: int, many: int) -> list[int]:
    """A month's replicas, one step after another: what the GPU-hours come to, spread as the load is, rounded up, one at least."""
    steps = [load[(first + n) % len(load)] for n in range(many)]
    return [max(math.ceil(hours * step / sum(steps) / gang - 1e-9), 1) for step in steps]


def test_inference_follows_the_trace(told, tmp_path: Path) -> None:
    """Hour by hour as a person would count it, over two months, whose GPU-hours are those that the plan gives; of 50 hours two days."""
    plan, b, window = told
    load = [float(1 + h * h % 7) for h in range(50)]
    wanted = Wanted("book", None, None, 0, Followed((str(requests(tmp_path, load)),)))
    cluster = cluster_of(plan, b, window, wanted, None)
    (fleet,) = cluster.fleets
    w = plan.names.workloads.index("chat")
    used = b.placement.use[w, :, window.first : window.end, 0].sum(axis=0)
    months = np.round(np.diff(window.begins) / 3600.0).astype(int)
    weighed = [1000.0 * x + 4 * 100 * plan.book.workloads["chat"].input_weight.median() for x in load]
    expected: list[int] = []
    for m, many in enumerate(months):
        expected += naive_replicas(float(used[m]), weighed[:48], fleet.gang, len(expected), int(many))
    assert list(fleet.replicas) == expected and fleet.step == 3600.0
    held = np.array(fleet.replicas, float) * fleet.gang
    assert held[: months[0]].sum() == pytest.approx(used[0], rel=0.02) and held[: months[0]].sum() >= used[0] - 1.0


def test_hours_of_a_trace_are_those_of_the_clock(told, tmp_path: Path) -> None:
    """A trace of two days that began at 18:15 has its first hour at 18:00; one that does not know begins with the window."""
    plan, *_ = told
    load = [*DAY_OF_THREE[18:], *DAY_OF_THREE, *DAY_OF_THREE[:18]]
    found = rhythms_of(plan, Followed((str(requests(tmp_path, load, datetime(2024, 5, 10, 18, 15), "at")),)))["chat"]
    assert (found.load * 3.6).tolist() == pytest.approx([x + 0.04 for x in DAY_OF_THREE] * 2) and found.told["begins_at_s"] == 18 * 3600.0
    bare = rhythms_of(plan, Followed((str(requests(tmp_path, load)),)))["chat"]
    assert (bare.load[:6] * 3.6).tolist() == pytest.approx([x + 0.04 for x in load[:6]])


def test_requests_after_the_last_whole_day_are_told(told, tmp_path: Path) -> None:
    """50 hours of four requests: two days of 192 are followed, 8 are left out; of 5 hours the last."""
    plan, *_ = told
    found = rhythms_of(plan, Followed((str(requests(tmp_path, [1.0] * 50)),)))["chat"].told
    assert (found["requests"], found["left_out"], found["days"], found["steps"], found["repeats_s"]) == (192, 8, 2, 48, 48 * 3600.0)
    found = rhythms_of(plan, Followed((str(requests(tmp_path, [1.0] * 5)),)))["chat"].told
    assert (found["requests"], found["left_out"], found["days"], found["steps"], found["repeats_s"]) == (16, 4, 0, 4, 4 * 3600.0)


def test_a_trace_of_less_than_a_day_has_no_hours_of_the_day(told, tmp_path: Path) -> None:
    """Of a morning that knows its clock time, nothing can be rolled to the clock: it begins with the replay, again every 4 h."""
    file = requests(tmp_path, [1.0, 4.0, 2.0, 3.0, 1.0], datetime(2024, 5, 10, 9, 0))
    found = rhythms_of(told[0], Followed((str(file),)))["chat"]
    assert (found.load * 3.6).tolist() == pytest.approx([x + 0.04 for x in (1.0, 4.0, 2.0, 3.0)]) and found.told["begins_at_s"] is None
    wide = CliRunner().invoke(app, ["replay", "two-clouds", "--mix", "book", "--months", "2027-01", "--requests", str(file)]).stdout
    said = "It repeats every 4 h, from the replay's beginning on. Left out: 4 requests after its last whole step."
    assert said in " ".join(wide.split())


def test_which_file_and_which_workload(told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is there is a file, whatever its name holds; a workload or all the rest follows one trace."""
    plan, *_ = told
    monkeypatch.chdir(tmp_path)
    for folder in ("month=3", "at:10"):
        Path(folder).mkdir()
        requests(Path(folder), [1.0, 2.0, 3.0])
    one, other = "month=3/r.parquet", "at:10/r.parquet"
    for how in (one, f"{one}:r", f"chat={one}", f"chat={one}:r", other, f"chat={other}", f"chat={other}:r"):
        assert rhythms_of(plan, Followed((how,)))["chat"].told["file"] == "r.parquet"
    both = f"one trace, not both {one} and {other}; leave one out, or name its workload"
    form = "write [WORKLOAD=]FILE[:TRACE], as in chat=chat.parquet"
    for asked, message in (
        ((f"chat={one}", f"chat={other}"), f"--requests: chat follows {both}"),
        ((one, other), f"--requests: inference without a trace of its own follows {both}"),
        ((other, f"chat={one}"), f"--requests: chat has a trace of its own, so nothing follows {other}; leave it out"),
        (("chat=",), f"--requests: 'chat=' names no file; {form}"),
        (("",), f"--requests: '' names no file; {form}"),
        ((f"{one}:",), f"--requests: '{one}:' names no trace behind its last `:`; {form}"),
        (("month=4/r.parquet",), "--requests: 'month' is no inference of the book; there are: chat"),
    ):
        with pytest.raises(QuestionError) as caught:
            rhythms_of(plan, Followed(asked))
        assert str(caught.value) == message


def test_options_that_nothing_would_follow(tmp_path: Path) -> None:
    """Each is refused with what to do; a fault of a request trace comes before `replaying`."""
    run, file = CliRunner(), str(requests(tmp_path, [1.0, 2.0, 3.0]))
    for words, said in (
        (["two-clouds", "--mix", "book", "--step", "5 min"], "--step says how often replicas of --requests come and go: add --requests"),
        (["two-clouds", "--mix", "book", "--trace", file], "--mix book replays the book's own workloads and no trace: leave --trace out"),
    ):
        assert said in str(run.invoke(app, ["replay", *words]).exception)
    done = run.invoke(app, ["replay", "--pools", "p.yaml", "--trace", "t.csv", "--step", "5 min"], env={"COLUMNS": "400"})
    assert done.exit_code == 2 and "--requests, --step and --set are questions to a BOOK" in " ".join(done.output.replace("│", " ").split())
    with pytest.raises(QuestionError, match="--step says how often replicas of --requests come and go"):
        replays.wanted("book", step="1 h")
    assert [replays.wanted("book", requests=[file], step=step).followed.step for step in (None, "5 min")] == [3600.0, 300.0]
    plan = front.compile(front.load("two-clouds"))
    with pytest.raises(QuestionError, match="--mix book replays the book's own workloads and no trace"):
        replays.on_book(plan, replays.asked(), replays.wanted("book"), file)
    stages: list[str] = []

    class Told:
        def stage(self, text: str) -> None:
            stages.append(text)

    for name, told in ((str(tmp_path / "none.parquet"), 0), (file, 1)):
        wanted = replays.wanted("book", (plan.start + 12, plan.start + 12), requests=[name])
        if told == 0:
            with pytest.raises(TraceError):
                replays.on_book(plan, Asked(), wanted, None, Told())  # type: ignore[arg-type]
        else:
            replays.on_book(plan, Asked(), wanted, None, Told())  # type: ignore[arg-type]
        assert len(stages) == told


def test_a_workload_by_its_name_comes_before_all(tmp_path: Path) -> None:
    """A trace without a name is for the inference that has none of its own; where there is none, nothing would follow it."""
    plan = front.compile(front.load("openai-aws"))
    one, other = requests(tmp_path, [1.0, 2.0, 3.0], None, "one"), requests(tmp_path, [1.0, 2.0, 3.0], None, "other")
    for how in ((f"chatgpt={one}", str(other)), (str(other), f"chatgpt={one}")):
        found = rhythms_of(plan, Followed(how))
        assert [found[name].told["trace"] for name in ("chatgpt", "api")] == ["one", "other"]
    with pytest.raises(QuestionError) as caught:
        rhythms_of(plan, Followed((f"chatgpt={one}", str(other), f"api={one}")))
    assert str(caught.value) == f"--requests: all inference of the book has traces of its own, so nothing follows {other}; leave it out"


def test_steps_may_be_shorter_than_an_hour(told, tmp_path: Path) -> None:
    plan, b, window = told
    wanted = Wanted("book", None, None, 0, Followed((f"chat={requests(tmp_path, [1.0, 4.0, 2.0, 2.0])}:r",), 900.0))
    (fleet,) = cluster_of(plan, b, window, wanted, None).fleets
    assert fleet.step == 900.0 and len(fleet.replicas) == round(window.until / 900.0)
    assert fleet.gang * sum(fleet.replicas) / 4.0 == pytest.approx(hours_of(plan, b, window), rel=0.02)
    january = fleet.replicas[: 31 * 96]
    assert max(january) == fleet.replicas[4] == fleet.replicas[7] > fleet.replicas[8] > fleet.replicas[0] == fleet.replicas[3]


def hours_of(plan, b, window) -> float:
    w = plan.names.workloads.index("chat")
    return float(b.placement.use[w, :, window.first : window.end, 0].sum())


def test_a_profile_is_followed_where_nothing_else_is_asked() -> None:
    """small-lab states slots: replicas stand as its loads, and ask for the plan's GPU-hours; its sum is that of its slots."""
    plan = front.compile(front.load("small-lab"))
    name = next(n for n, w in plan.book.workloads.items() if w.profile)
    work, found = plan.book.workloads[name], rhythms_of(plan, Followed())[name]
    assert found.told["follows"] == "profile" and found.held == 1.0 and found.load.mean() == pytest.approx(1.0)
    hour = 0
    for slot, length in plan.book.day.items():
        assert found.load[hour : hour + int(length)] == pytest.approx(work.profile[slot].median(), rel=0.01)
        hour += int(length)
    assert hourly([7.5, 16.5], [2.0, 1.0])[6:9].tolist() == [2.0, 1.5, 1.0]


def test_one_replica_at_least_and_none_where_nothing_is_wanted() -> None:
    rhythm = Rhythm(np.array([0.0, 1.0, 5.0]), up=True)
    begins = np.array([0.0, 6 * 3600.0, 9 * 3600.0])
    assert rhythm.replicas(np.array([48.0, 0.0]), 8, begins) == (1, 1, 3, 1, 1, 3, 0, 0, 0)
    with pytest.raises(QuestionError, match="no tokens in month 1 of the replay"):
        Rhythm(np.zeros(3)).replicas(np.array([1.0]), 8, begins[:2])


def test_questions_that_cannot_be(told, tmp_path: Path) -> None:
    plan, *_ = told
    file = requests(tmp_path, [1.0, 2.0, 3.0])
    for how, message in (
        ((f"chaat={file}",), "--requests: 'chaat' is no inference of the book; did you mean chat?"),
        ((f"{file}:other",), "--requests r.parquet holds r, not other"),
        ((str(tmp_path / "none.parquet"),), "--requests none.parquet is not there"),
    ):
        with pytest.raises((QuestionError, TraceError)) as caught:
            rhythms_of(plan, Followed(how))
        assert str(caught.value) == message
    with pytest.raises(QuestionError, match="spans 165 min, fewer than two steps of 180 min: a shorter --step shows its shape"):
        rhythms_of(plan, Followed((str(file),), 3 * 3600.0))
    with pytest.raises(QuestionError, match="--step is a whole part of a day, as in '1 h' or '5 min', not 7000 s"):
        Followed((), 7_000.0)
    with pytest.raises(QuestionError, match="--mix trace has none: ask for --mix book or half"):
        Wanted("trace", followed=Followed((str(file),)))


def test_a_step_counts_where_a_request_comes_in_its_last_sixtieth(tmp_path: Path) -> None:
    """Five hours of requests every quarter of an hour: four are whole, and the fifth where one comes 59 s before its end."""
    file = requests(tmp_path, [1.0] * 5)
    assert len(load_of(file, None, 0.0, 3600.0).tokens) == 4
    late = pl.concat([pl.read_parquet(file), pl.DataFrame(
        {"trace": ["r"], "arrival_s": [5 * 3600.0 - 59.0], "input_tokens": [0], "output_tokens": [0.0]}
    ).cast(pl.read_parquet(file).schema)])  # fmt: skip
    late.write_parquet(file)
    assert load_of(file, None, 0.0, 3600.0).tokens == pytest.approx([1000 / 3600.0] * 5)


def test_a_trace_becomes_the_profile_it_was_made_of(tmp_path: Path) -> None:
    """Three days from 18:15 on, the third with twice the tokens: loads over the mean by slot, the same on all days."""
    load = [*DAY_OF_THREE[18:], *DAY_OF_THREE, *DAY_OF_THREE, *DAY_OF_THREE[:18]]
    file = requests(tmp_path, [x * (2 if n >= 48 else 1) for n, x in enumerate(load)] + [9.0] * 5, datetime(2024, 5, 10, 18))
    found = profile_of(file, None, None, "night 8 h, day 12 h, evening: 4 h", 0.0)
    mean = 52.0 / 24.0
    assert found["days"] == 3 and found["left_out"] == 20 and found["requests"] == 288
    for slot, tokens in (("night", 1.0), ("day", 3.0), ("evening", 2.0)):
        row = found["slots"][slot]
        assert row["load"] == pytest.approx(tokens / mean) and row["low"] == pytest.approx(row["high"])
    assert found["hours"] == pytest.approx([x / mean for x in DAY_OF_THREE]) and found["peak_over_mean"] == pytest.approx(3 / mean)
    halves = profile_of(file, "r", None, "a 7.5 h, b 16.5 h", 0.0)["slots"]
    assert halves["a"]["load"] == pytest.approx(1 / mean) and halves["b"]["load"] == pytest.approx((24 - 7.5 / mean) / 16.5)
    heavy = profile_of(file, None, None, None, 1.0)["hours"]
    assert heavy[0] / heavy[12] == pytest.approx((1000 * 4 + 1200) / (3000 * 4 + 1200))  # 400 in each of three days


def test_days_that_differ_are_told(tmp_path: Path) -> None:
    file = requests(tmp_path, DAY_OF_THREE + [1.0] * 24)
    row = profile_of(file, None, "00:00", "night 8 h, day 12 h, evening 4 h", 0.0)["slots"]["day"]
    assert row["low"] == pytest.approx(1.0) and row["high"] == pytest.approx(72 / 52) and row["load"] == pytest.approx(4 * 24 / 76)


def test_profiles_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"r spans 4\.8 h: a profile of the day takes a whole day at least"):
        profile_of(requests(tmp_path, [1.0] * 5), None, "00:00", None, 0.0)
    file = requests(tmp_path, DAY_OF_THREE * 2)
    with pytest.raises(QuestionError, match="nothing says at which hour r begins: add --begins, as in --begins 18:15"):
        profile_of(file, None, None, None, 0.0)
    with pytest.raises(TraceError, match="day 2 has no tokens"):
        profile_of(requests(tmp_path, [*DAY_OF_THREE, *[0.0] * 24, 1.0], None, "z"), None, "00:00", None, 0.0)
    for slots in ("night 8 h, day 12 h", "night 8, day 16 h", "a 12 h, a 12 h", "a 0 h, b 24 h"):
        with pytest.raises(QuestionError, match="--day"):
            slots_of(slots)
    for clock in ("24:00", "18", "noon"):
        with pytest.raises(QuestionError, match="--begins is the clock time"):
            clock_of(clock)
    assert clock_of("18:15") == 65_700.0


def test_the_commands(tmp_path: Path) -> None:
    """What `traces profile` prints goes into a book, which has no issue; a replay says what its inference follows."""
    run, file = CliRunner(), requests(tmp_path, DAY_OF_THREE * 3)
    asked = ["traces", "profile", str(file), "--begins", "00:00", "--day", "night 8 h, day 12 h, evening 4 h"]
    printed = run.invoke(app, asked).stdout
    day, profile = (line for line in printed.splitlines() if not line.startswith("#"))
    assert day == "day: {night: 8 h, day: 12 h, evening: 4 h}" and profile == "profile: {night: 0.462, day: 1.385, evening: 0.923}"
    sound = (Path(__file__).parent / "cases/malformed/sound.yaml").read_text(encoding="utf-8")
    book = sound.replace("months: 24\n", f"months: 24\n{day}\n").replace("    headroom: 1.8\n", f"    headroom: 1.8\n    {profile}\n")
    assert check(text.read(book)) == []
    told = run.invoke(app, ["replay", "two-clouds", "--mix", "book", "--months", "2027-01", "--requests", f"chat={file}", "--json"])
    found = json.loads(told.stdout)["book"]["inference"]["chat"]
    assert (found["follows"], found["file"], found["trace"], found["requests"], found["steps"]) == ("requests", "r.parquet", "r", 288, 72)
    wide = run.invoke(app, ["replay", "two-clouds", "--mix", "book", "--months", "2027-01", "--requests", str(file)]).stdout
    assert "chat follows 288 requests of r.parquet, r, in 72 steps of 60.0 min (peak 1.38 times the mean)" in " ".join(wide.split())
    assert "It repeats every 72 h, from the replay's beginning on." in " ".join(wide.split()) and "Left out" not in wide
    assert run.invoke(app, ["replay", "--pools", "p.yaml", "--trace", "t.csv", "--requests", str(file)]).exit_code == 2


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared")
def test_public_request_traces(told) -> None:
    """Azure's traces last under an hour: five-minute steps show their shape, and a profile of the day is refused."""
    plan, *_ = told
    file = SHARED / "traces/requests_llm.parquet"
    for trace, many in (("azure2023_code", 8_819), ("azure2023_conv", 19_366)):
        months = (plan.start + 12, plan.start + 12)
        wanted = Wanted("book", months, None, 0, Followed((f"{file}:{trace}",), 300.0))
        found = replay_book(plan, Asked("backfill"), wanted, None).told
        about, fleet = found["book"]["inference"]["chat"], found["inference"]["chat"]
        assert (about["requests"] + about["left_out"], about["steps"]) == (many, 11)
        assert about["left_out"] > 0 and about["peak_over_mean"] > 1.05
        assert 0.0 <= fleet["unmet_gpu_h"] < 0.1 * fleet["asked_gpu_h"]
        with pytest.raises(TraceError, match=f"{trace} spans 1.0 h: a profile of the day takes a whole day at least"):
            profile_of(file, trace, "18:15", None, 0.0)
