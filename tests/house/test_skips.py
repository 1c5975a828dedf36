"""A skip is said; on a CI machine a skip for want of a program fails the run, one for want of data beside the checkout does not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("reason", "ci", "code"),
    [
        ("chromium is not installed: the report was not opened", "true", 1),
        ("chromium is not installed: the report was not opened", "", 0),
        ("../shared is not here: its files were not read", "true", 0),
    ],
)
def test_what_a_skip_means(tmp_path, reason, ci, code):
    shutil.copy(TESTS / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(f"import pytest\ndef test_a(): pass\n@pytest.mark.skip(reason={reason!r})\ndef test_b(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"CI": ci}, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert reason in done.stdout
    assert ("CI=true, and tests were skipped" in done.stdout) == bool(code)


def test_the_machine_is_given_what_tests_skip_without():
    """Each program whose absence skips a test is installed by .ci/run."""
    wanted = (TESTS.parent / ".ci" / "run").read_text(encoding="utf-8")
    for file in TESTS.rglob("test_*.py"):
        for program in ("chromium", "soffice", "slurmctld", "slurmdbd", "mariadbd"):
            if f'shutil.which("{program}")' in file.read_text(encoding="utf-8"):
                assert f"command -v {program}" in wanted, file
    assert "scripts/skypilot" in wanted


def test_nothing_names_a_folder_of_one_machine():
    for folder in ("src", "tests", "bench", "docs", "scripts", ".ci"):
        for file in (TESTS.parent / folder).rglob("*"):
            if file.suffix in (".py", ".md", ".yaml", ".toml", ".csv", "") and file.is_file() and "vendor" not in file.parts:
                assert b"/".join((b"", b"work", b"")) not in file.read_bytes(), file
