"""The command line as a person types it: output, JSON, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from offtake import cli
from offtake.reports.terminal import answers_text


def offtake(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "from offtake.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=cwd, check=False)


def test_run_writes_the_report_and_thirteen_answers(tmp_path: Path) -> None:
    done = offtake("run", "two-clouds", "--paths", "256", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert set(told) == {"stamp", "answers", "identities", "coupled"}
    assert [a["n"] for a in told["answers"]] == list(range(1, 14))
    assert all(set(a) == {"n", "question", "text", "values", "rests_on"} for a in told["answers"])
    assert [a["n"] for a in told["answers"] if a["text"].startswith("not computed")] == [9, 10, 12]
    assert all(i["worst"] <= 1e-9 for i in told["identities"])
    page = (tmp_path / "two-clouds.html").read_text(encoding="utf-8")
    assert "A lab and two clouds" in page
    again = offtake("run", "two-clouds", "--paths", "256", "--out", str(tmp_path), "--json")
    assert again.stdout == done.stdout and (tmp_path / "two-clouds.html").read_text(encoding="utf-8") == page


def test_terminal_answers_fit_in_two_screens(tmp_path: Path) -> None:
    done = offtake("run", "two-clouds", "--paths", "128", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 100
    assert max(len(line) for line in done.stdout.splitlines()) <= 120


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_answers_are_cut_where_a_sentence_ends(width: int) -> None:
    """Thirteen answers of twenty sentences: two screens, no word cut, `full` prints all; short ones stay whole."""
    text = " ".join(f"Sentence {n} of some length says something; and a second part." for n in range(20))
    short = [{"n": n, "question": "What?", "text": "This.", "rests_on": []} for n in range(1, 14)]
    told = {"answers": [x | {"text": text} for x in short], "identities": [{"worst": 0.0, "rule": "S-05: x"}],
            "stamp": {"book": "0" * 64, "seed": 1, "paths": 64}}  # fmt: skip
    shown = answers_text(told, width)
    assert 80 < len(shown.splitlines()) <= 100 and max(map(len, shown.splitlines())) <= width
    first = " ".join(line.strip() for line in shown.split("\n 2  ")[0].splitlines()[1:])
    assert first.endswith(" [..]") and text.startswith(first[:-5]) and first[-6] in ".;"
    assert "--full prints it" in " ".join(shown.split()) and " ".join(answers_text(told, width, full=True).split()).count(text) == 13
    assert "[..]" not in answers_text(told | {"answers": short}, width)


def test_measure_json_has_the_promised_shape() -> None:
    done = offtake("measure", "two-clouds", "revenue", "--of", "contracts.north", "--by", "calendar-year", "--paths", "256", "--json")
    told = json.loads(done.stdout)
    assert {"stamp", "measure", "of", "by", "unit", "rows"} <= set(told)
    assert (told["measure"], told["of"], told["by"], told["unit"]) == ("revenue", "contracts.north", "calendar-year", "USD")
    names = {"period", "mean", "se", "p05", "p25", "p50", "p75", "p95", "straight_line"}
    names |= {f"se_{q}" for q in ("p05", "p25", "p50", "p75", "p95")}
    assert set(told["rows"][0]) == names
    assert set(told["stamp"]) >= {"book", "catalog", "seed", "sampler", "paths", "block", "version"}


def test_a_cut_period_says_its_months() -> None:
    done = offtake("measure", "openai-aws", "rpo", "--of", "contracts.aws", "--by", "calendar-year", "--paths", "64", "--json")
    told = json.loads(done.stdout)["rows"]
    assert told[0]["period"] == "2025" and told[0]["months"] == 2
    assert told[1]["period"] == "2026" and "months" not in told[1]


def test_address_gives_one_number() -> None:
    done = offtake("measure", "two-clouds", "p95(revenue of contracts.north @ 2027)", "--paths", "256", "--json")
    told = json.loads(done.stdout)["rows"]
    assert len(told) == 1 and set(told[0]) == {"period", "p95", "se_p95"}


def test_binding_rows() -> None:
    done = offtake("measure", "two-clouds", "binding", "--of", "contracts.north", "--paths", "64", "--json")
    told = json.loads(done.stdout)["rows"]
    assert {"period", "pool", "cause", "share"} <= set(told[0])
    share = sum(row["share"] for row in told if row["period"] == "2026" and row["pool"] == "pools.plains.new")
    assert share == pytest.approx(1.0)


def test_csv_and_path() -> None:
    done = offtake("measure", "two-clouds", "used", "--of", "contracts.south", "--by", "total", "--path", "3", "--paths", "64", "--csv")
    header, row = done.stdout.splitlines()
    assert header == "period,value" and row.startswith("total,")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("run", "no-such-book"), 1, "is neither a file nor a shipped book"),
        (("measure", "two-clouds", "revenue", "--of", "contracts.nort"), 1, "is not known of"),
        (("measure", "two-clouds", "revenue", "--set", "contracts.north.totl=1 USD"), 1, "did you mean contracts.north.total?"),
        (("measure", "two-clouds", "revenue", "--scenario", "sunny"), 1, "no scenario is called 'sunny'"),
        (("mesure", "two-clouds"), 2, "No such command"),
        (("list", "things"), 2, "is none of books, measures, fields, catalog"),
        (("run",), 2, "Missing argument"),
        (("show", "two-clouds", "contracts.north.totl"), 1, "did you mean contracts.north.total or"),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int, sentence: str) -> None:
    done = offtake(*words)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_empty_folder_is_not_a_book(tmp_path: Path) -> None:
    done = offtake("check", str(tmp_path))
    assert done.returncode == 1 and "is a folder" in done.stderr


def test_every_verb_has_help() -> None:
    from typer.testing import CliRunner

    from offtake.cli import app

    verbs = [command.name for command in app.registered_commands]
    assert {"run", "check", "show", "measure", "list", "schema", "explain", "compare", "focus"} <= set(verbs)
    for verb in verbs:
        done = CliRunner().invoke(app, [str(verb), "--help"], env={"COLUMNS": "80"})
        assert done.exit_code == 0 and "Usage" in done.stdout and max(map(len, done.stdout.splitlines())) <= 80, verb


def test_version() -> None:
    assert offtake("--version").stdout == "offtake 0.1.0\n"
    assert "Usage" in offtake().stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not on this machine: no full disk to write to")
@pytest.mark.parametrize("words", [("list",), ("list", "--json"), ("schema",)])
def test_a_full_disk_behind_standard_output_is_no_bug_of_ours(words: tuple[str, ...]) -> None:
    code = "from offtake.cli import main; main()"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "offtake: standard output could not be written (No space left on device)\n")


def test_show_gives_source_and_line() -> None:
    told = json.loads(offtake("show", "openai-aws", "contracts.aws.total", "--json").stdout)
    assert told[0]["quality"] == "stated" and told[0]["published"] == "2025-11-03" and told[0]["line"] > 0


def test_lists_and_schema() -> None:
    assert {row["book"] for row in json.loads(offtake("list", "--json").stdout)} == {"gpu-cloud", "openai-aws", "small-lab", "two-clouds"}
    assert {"revenue", "rpo", "binding", "npv"} <= {row["measure"] for row in json.loads(offtake("list", "measures", "--json").stdout)}
    assert {"contracts.*.total", "sites.*.lots.[].gpus"} <= {row["field"] for row in json.loads(offtake("list", "fields", "--json").stdout)}
    assert json.loads(offtake("schema").stdout)["type"] == "object"


def test_explain_names_inputs() -> None:
    told = json.loads(
        offtake("explain", "two-clouds", "revenue", "--of", "contracts.north", "--at", "2027", "--paths", "512", "--json").stdout
    )
    assert told["rule"] == "A-01" and told["inputs"] and told["inputs"][0]["quality"]


@pytest.mark.parametrize(("stated", "threads"), [(None, "1"), ("3", "3")])
def test_linear_algebra_keeps_to_one_thread_unless_told(monkeypatch: pytest.MonkeyPatch, stated: str | None, threads: str) -> None:
    seen = []
    for name in cli.ALONE:
        monkeypatch.setenv(name, stated) if stated else monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cli, "app", lambda **_: seen.extend(os.environ[name] for name in cli.ALONE))
    with pytest.raises(SystemExit):
        cli.main()
    for name in cli.ALONE:
        monkeypatch.delenv(name, raising=False)
    assert seen == [threads] * len(cli.ALONE)
