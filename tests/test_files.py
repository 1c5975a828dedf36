"""Whose a file is: a second run into the same folder is no error, someone else's file in the place is, and it stays whole."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial

import pytest

from offtake.errors import WriteError
from offtake.files import MARK, allowed, is_ours, writable
from offtake.reports.html import put


def test_own_files_are_written_again(small, tmp_path):
    for name, write in (("a/book.html", small.report), ("a/book.xlsx", small.workbook)):
        target = write(tmp_path / name)
        first = target.read_bytes()
        assert is_ours(target) and write(target).read_bytes() == first


def test_someone_elses_file_stays_as_it_is(small, tmp_path):
    for name, write in (("book.html", small.report), ("book.xlsx", small.workbook)):
        theirs = tmp_path / name
        for content in (b"mine", b""):
            theirs.write_bytes(content)
            with pytest.raises(WriteError) as told:
                write(theirs)
            assert str(told.value) == f"{theirs}: offtake did not write this file, so it stays as it is; move it or name another place"
            assert theirs.read_bytes() == content and os.listdir(tmp_path) == [name]
        theirs.unlink()


def test_a_workbook_saved_by_another_program_is_theirs(small, tmp_path):
    """A spreadsheet program writes who saved it last; the analyst's own changes are not overwritten."""
    ours, theirs = small.workbook(tmp_path / "ours.xlsx"), tmp_path / "theirs.xlsx"
    with zipfile.ZipFile(ours) as old, zipfile.ZipFile(theirs, "w") as new:
        for part in old.namelist():
            old_part = old.read(part)
            new.writestr(part, old_part.replace(b"<cp:lastModifiedBy>offtake<", b"<cp:lastModifiedBy>Ana Lyst<"))
    assert is_ours(ours) and not is_ours(theirs)
    shutil.copy(ours, theirs)
    assert is_ours(theirs)
    with zipfile.ZipFile(theirs, "w") as new:
        new.writestr("readme.txt", "any other archive")
    assert not is_ours(theirs)


def test_what_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "book.html").mkdir()
    for asked in (allowed, writable):
        with pytest.raises(WriteError, match=r"file: the folder could not be made \(File exists\)"):
            asked(tmp_path / "file" / "book.html")
        with pytest.raises(WriteError, match=r"book.html: a folder stands where the file would go"):
            asked(tmp_path / "book.html")
    assert allowed(tmp_path / "new" / "book.html") and not (tmp_path / "new").exists()
    assert writable(tmp_path / "new" / "book.html") and (tmp_path / "new").is_dir()


def test_the_refusal_comes_before_the_wait(tmp_path):
    """A million paths of the first book would take minutes; the file in the way is told at once."""
    (tmp_path / "openai-aws.html").write_text("mine")
    code = "from offtake.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "openai-aws", "--paths", "1000000", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and done.stderr.endswith("move it or name another place\n"), done.stderr
    assert (tmp_path / "openai-aws.html").read_text() == "mine"


def test_ctrl_c_says_so_and_leaves_the_old_report_whole(tmp_path):
    """The report of before stands, no temporary file beside it, and the exit code is a shell's for an interrupt."""
    old = b"<head>" + MARK.encode()
    (tmp_path / "two-clouds.html").write_bytes(old)
    code = "from offtake.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "two-clouds", "--paths", "4000000", "--out", str(tmp_path)]
    heed = partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so do theirs
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    assert started.stderr is not None
    try:
        told = started.stderr.readline()  # it computes
        time.sleep(1.0)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=120)
    finally:  # a test that fails leaves nobody computing
        started.kill()
    assert started.returncode == 130 and out == "", (told, err)
    assert err.endswith("offtake: interrupted; nothing half-written is left\n") and "Traceback" not in err
    assert os.listdir(tmp_path) == ["two-clouds.html"] and (tmp_path / "two-clouds.html").read_bytes() == old


def test_a_failing_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    target = tmp_path / "book.html"
    put(b"old", target)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="No space left on device"):
        put(b"new", target)
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["book.html"]
