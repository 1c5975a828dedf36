"""Where compiled kernels are kept: a per-user folder with one entry a kernel file, keyed by what its machine code depends on.

Numba's own check sees an edit of the file that holds a loop, not one of a month function in another file, and then goes on returning
the old number. So the key of a file is the text of it and of every kernel file it imports, however far; an edit compiles again what
it reaches and nothing else, and clones with the same kernels share them. Several processes may share the folder; numba writes each
entry under a temporary name and renames it.
"""

import atexit
import contextlib
import functools
import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numba
from numba.core.caching import FunctionCache, _CacheLocator

IMPORT = re.compile(rb"^from (?:offtake\.kernels)?\.(\w+) import\b", re.MULTILINE)
NUMBAS_OWN = "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,IPythonCacheLocator,ZipCacheLocator"

FORM = "with names"  # what `loaded` stores of a kernel


@functools.cache
def texts(kernels: Path) -> dict[str, bytes]:
    """The text of every kernel file by its name without ending."""
    return {path.stem: path.read_bytes() for path in sorted(kernels.glob("*.py"))}


def reached(texts_of: dict[str, bytes], name: str) -> list[str]:
    """`name` and the kernel files it imports, directly or through another, sorted."""
    found, open_ = {name}, [name]
    while open_:
        for word in IMPORT.findall(texts_of[open_.pop()]):
            other = word.decode()
            if other in texts_of and other not in found:
                found.add(other)
                open_.append(other)
    return sorted(found)


@functools.cache
def key(kernels: Path, *names: str) -> str:
    """Hash of the texts that the kernel files `names` reach (all files where none is named), of what is stored, and of numba's and Python's
    versions."""
    digest = hashlib.sha256(f"numba {numba.__version__} python {sys.version_info[:2]} {FORM}".encode())
    of = texts(kernels)
    for file in sorted({file for name in names or of for file in reached(of, name)}):
        digest.update(f"\n{file} {len(of[file])}\n".encode())
        digest.update(of[file])
    return digest.hexdigest()[:20]


def user_folder() -> Path:
    """The parent folder: `OFFTAKE_CACHE` if set, else the platform's place for files that may be deleted at any time."""
    if own := os.environ.get("OFFTAKE_CACHE"):
        return Path(own).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "offtake" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "offtake"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "offtake"


@functools.cache
def folder(kernels: Path, name: str) -> Path | None:
    """The folder of one kernel file, made if need be; None where it cannot be (then that kernel is compiled by each process)."""
    path = user_folder() / "kernels" / f"{name}-{key(kernels, name)}"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return path if os.access(path, os.W_OK) else None


class KernelLocator(_CacheLocator):  # type: ignore[misc]  # numba is untyped
    """Tells numba where a function of these kernels is kept; functions of anybody else go numba's own way."""

    def __init__(self, path: Path, line: int) -> None:
        self._path, self._line = path, line

    def get_cache_path(self) -> str:
        """The folder of the function's file."""
        return str(self._path)

    def get_source_stamp(self) -> str:
        """The key, which the folder's name ends in."""
        return self._path.name

    def get_disambiguator(self) -> str:
        """The function's first line."""
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: object, py_file: str) -> "KernelLocator | None":
        """The locator of one function, None where it is not a kernel. Where the folder cannot be written, one for this process alone:
        numba's own places know nothing of the texts that a kernel is made of."""
        file = Path(py_file)
        if file.parent != Path(__file__).parent:
            return None
        path = folder(file.parent, file.stem) or passing_folder() / file.stem
        path.mkdir(exist_ok=True)
        return cls(path, py_func.__code__.co_firstlineno)  # type: ignore[attr-defined]


@functools.cache
def passing_folder() -> Path:
    """A folder of this process, gone with it."""
    path = tempfile.mkdtemp(prefix="offtake-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


def is_kept() -> bool:
    """Whether what one process compiles another can read."""
    return not numba.config.DISABLE_JIT and folder(Path(__file__).parent, "compiled") is not None


def mark() -> Path:
    """The file that says that all these kernels have been compiled on this machine."""
    return user_folder() / "kernels" / f"compiled-{key(Path(__file__).parent)}"


def lose_what_has_no_room() -> None:
    """A kernel that cannot be written (a full disk, a quota) is compiled, and runs: it is only not kept."""
    save = FunctionCache.save_overload
    if save.__name__ == "save_where_there_is_room":
        return

    def save_where_there_is_room(self: FunctionCache, signature: object, data: object) -> None:
        forgiven = (OSError,) if isinstance(self._impl.locator, KernelLocator) else ()
        with contextlib.suppress(*forgiven):
            save(self, signature, data)

    FunctionCache.save_overload = save_where_there_is_room


def use_own_folder() -> None:
    """Make numba ask `KernelLocator` first; must run before the first decorator does."""
    others = numba.config.CACHE_LOCATOR_CLASSES or NUMBAS_OWN
    lose_what_has_no_room()
    mine = f"{__name__}.{KernelLocator.__name__}"
    if mine not in others:
        numba.config.CACHE_LOCATOR_CLASSES = f"{mine},{others}"
