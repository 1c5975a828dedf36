"""An edited month function must never be answered by a kernel that was compiled before the edit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import offtake.kernels
from offtake.kernels.cache import folder_key, user_folder

ASK = """
import numpy as np
from offtake.kernels.probe_loop import loop
out = np.zeros(4)
loop(out)
assert loop.stats.cache_path.startswith(__import__("numba").config.CACHE_DIR), loop.stats.cache_path
print(out[0], sum(loop.stats.cache_hits.values()))
"""
MONTH = """
from numba import njit

@njit(cache=True, forceinline=True, error_model="numpy")
def month():
    return 1.0
"""
LOOP = """
from numba import njit
from .probe_month import month

@njit(cache=True, nogil=True, error_model="numpy")
def loop(out):
    for i in range(out.shape[0]):
        out[i] = month()
"""


def copied(folder: Path) -> Path:
    """A copy of the package with a month function and a loop in two files of its own; returns its kernels."""
    source = Path(offtake.kernels.__file__).parent
    kernels = folder / "offtake" / "kernels"
    kernels.mkdir(parents=True)
    (folder / "offtake" / "__init__.py").write_text("")
    for name in ("__init__.py", "cache.py"):
        shutil.copy(source / name, kernels / name)
    (kernels / "probe_month.py").write_text(MONTH)
    (kernels / "probe_loop.py").write_text(LOOP)
    return kernels


def ask(folder: Path) -> list[float]:
    """The number the loop gives in a new process, and how often its compiled form came from the cache."""
    env = {**os.environ, "PYTHONPATH": str(folder), "OFFTAKE_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, "-c", ASK], env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


def test_an_edited_month_function_gives_the_new_number(tmp_path):
    kernels = copied(tmp_path)
    assert ask(tmp_path) == [1.0, 0.0]
    assert ask(tmp_path) == [1.0, 1.0]
    (kernels / "probe_month.py").write_text(MONTH.replace("1.0", "2.0"))
    assert ask(tmp_path) == [2.0, 0.0]


def test_the_key_is_the_text_of_every_kernel(tmp_path):
    kernels = copied(tmp_path)
    before = folder_key(kernels)
    assert before == folder_key(kernels)
    (kernels / "probe_month.py").write_text(MONTH + "\n")
    assert folder_key(kernels) != before


def test_the_folder_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("OFFTAKE_CACHE", str(tmp_path))
    assert user_folder() == tmp_path
    monkeypatch.delenv("OFFTAKE_CACHE")
    endings = {"win32": ("offtake", "cache"), "darwin": ("Caches", "offtake"), "linux": (".cache", "offtake")}
    for platform, ending in endings.items():
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.delenv("LOCALAPPDATA", raising=False)
        assert user_folder().parts[-2:] == ending and user_folder().is_absolute()
