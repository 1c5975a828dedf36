"""An edited month function must never be answered by a kernel that was compiled before the edit."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import offtake.kernels
from offtake.kernels import cache, loaded
from offtake.kernels.cache import key, reached, texts, user_folder

ASK = """
import numpy as np
from offtake.kernels.probe_loop import loop
out = np.zeros(4)
loop(out)
assert "probe_loop-" in loop.stats.cache_path, loop.stats.cache_path
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

LATE = """
from numba import njit
from offtake.kernels.loaded import load_late
assert load_late() and load_late()
library = loop.overloads[loop.signatures[0]].library
held = library._shared_module
@njit
def again(out):
    loop(out)
    out[0] += 1.0
again(out)
print(out[0], int(held is None), int(library._shared_module is None))
"""


def copied(folder: Path) -> Path:
    """A copy of the package with a month function and a loop in two files of its own; returns its kernels."""
    source = Path(offtake.kernels.__file__).parent
    kernels = folder / "offtake" / "kernels"
    kernels.mkdir(parents=True)
    (folder / "offtake" / "__init__.py").write_text("")
    for name in ("__init__.py", "cache.py", "loaded.py"):
        shutil.copy(source / name, kernels / name)
    (kernels / "probe_month.py").write_text(MONTH)
    (kernels / "probe_loop.py").write_text(LOOP)
    return kernels


def ask(folder: Path, more: str = "") -> list[float]:
    """The number the loop gives in a new process, and how often its compiled form came from the cache; then what `more` prints."""
    env = {**os.environ, "PYTHONPATH": str(folder), "OFFTAKE_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("NUMBA_DISABLE_JIT", None)
    done = subprocess.run([sys.executable, "-c", ASK + more], env=env, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


def test_an_edited_month_function_gives_the_new_number(tmp_path):
    kernels = copied(tmp_path)
    assert ask(tmp_path) == [1.0, 0.0]
    assert ask(tmp_path) == [1.0, 1.0]
    (kernels / "probe_month.py").write_text(MONTH.replace("1.0", "2.0"))
    assert ask(tmp_path) == [2.0, 0.0]


def test_a_loaded_kernel_holds_its_machine_code_alone_until_another_is_compiled_with_it(tmp_path):
    copied(tmp_path)
    assert ask(tmp_path, LATE)[2:] == [2.0, 0.0, 0.0]  # compiled here: all of it is at hand
    assert ask(tmp_path, LATE) == [1.0, 1.0, 2.0, 1.0, 0.0]


def test_an_edit_elsewhere_compiles_nothing_again(tmp_path):
    kernels = copied(tmp_path)
    assert ask(tmp_path) == [1.0, 0.0]
    (kernels / "other.py").write_text("A = 1\n")
    os.utime(kernels / "probe_loop.py")
    assert ask(tmp_path) == [1.0, 1.0]


def keys(kernels: Path) -> tuple[str, str, str]:
    """The keys of the two files and of all kernels, from their texts as they are now."""
    texts.cache_clear()
    key.cache_clear()
    return key(kernels, "probe_month"), key(kernels, "probe_loop"), key(kernels)


def test_a_key_is_the_text_of_all_that_a_kernel_reaches(tmp_path):
    kernels = copied(tmp_path)
    month, loop, everything = keys(kernels)
    assert keys(kernels) == (month, loop, everything)
    (kernels / "probe_loop.py").write_text(LOOP + "\n")
    assert keys(kernels)[0] == month and keys(kernels)[1] != loop and keys(kernels)[2] != everything
    (kernels / "probe_loop.py").write_text(LOOP)
    (kernels / "probe_month.py").write_text(MONTH + "\n")
    assert all(new != old for new, old in zip(keys(kernels), (month, loop, everything), strict=True))


def imported(path: Path) -> set[str]:
    """The kernel files one file imports, by Python's own reading of it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.level == 1 or (node.module or "").startswith("offtake.kernels")):
            module = (node.module or "").removeprefix("offtake.kernels").strip(".")
            found |= {module} if module else {alias.name for alias in node.names}
    return found


def test_every_import_of_a_kernel_is_seen():
    kernels = Path(offtake.kernels.__file__).parent
    texts.cache_clear()
    of = texts(kernels)
    for name in of:
        direct = imported(kernels / f"{name}.py")
        assert direct <= set(reached(of, name)), name
        assert set(reached(of, name)) == {name}.union(*(reached(of, other) for other in direct)), name


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


def run_alone(code: str, folder: Path, **said: str) -> str:
    """What a process of its own prints, in a folder."""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env={**os.environ, **said}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_functions_of_others_are_kept_as_numba_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text("from numba import njit\n\n@njit(cache=True)\ndef twice(x):\n    return 2 * x\n")
    call = "import theirs; print(theirs.twice(21), len(theirs.twice._cache_hits))"
    assert run_alone(f"import offtake.kernels; {call}", tmp_path) == "42 0\n"
    assert run_alone(call, tmp_path) == "42 1\n"


def test_where_nothing_can_be_kept_a_process_compiles_for_itself(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = (
        "from offtake.kernels import draw\n"
        "print(draw.normal_cdf(0.0), draw.normal_cdf._cache._impl.locator.get_cache_path())"
    )
    before = set(Path(cache.__file__).parent.rglob("*.nbi"))  # of whoever ran an older text here
    value, path = run_alone(code, tmp_path, OFFTAKE_CACHE=str(tmp_path / "file" / "in it")).split()
    assert value == "0.5" and "offtake-" in path and not Path(path).exists()
    assert set(Path(cache.__file__).parent.rglob("*.nbi")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="no limit for the size of a file is known there")
def test_a_kernel_that_cannot_be_written_runs(tmp_path: Path) -> None:
    code = (
        "import resource, signal\n"
        "from offtake.kernels import draw\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "print(draw.normal_cdf(0.0))"
    )
    assert run_alone(code, tmp_path, OFFTAKE_CACHE=str(tmp_path)) == "0.5\n"


def test_kernels_are_loaded_without_what_only_compiling_needs(tmp_path: Path) -> None:
    """Every kernel of a short run is there and called, and numba's tables of NumPy's functions are not, nor the linear algebra that they
    import; a function that is compiled afterwards finds them. Where the kernels are compiled first, the second process tells."""
    run = (
        "import sys, numpy as np, offtake; offtake.run(offtake.load('two-clouds'), paths=64).measure('revenue', 'contracts.north')\n"
        "print(int('numba.np.arraymath' in sys.modules), int('scipy.linalg' in sys.modules))\n"
        "import numba; print(numba.njit(lambda x: x.sum())(np.ones(3)), int('numba.np.arraymath' in sys.modules))\n"
    )
    run_alone(run, tmp_path)
    tables, algebra, total, after = run_alone(run, tmp_path).split()
    assert (total, after) == ("3.0", "1")
    assert (tables, algebra) == ("0", "0") if loaded.load_alone() else tables == "1"


def test_another_numba_loads_kernels_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "TRIED", ("0.0.",))
    assert not loaded.load_alone()
