"""Where compiled kernels are kept: a per-user folder with one entry a kernel file, keyed by what its machine code depends on.

Numba's own check sees an edit of the file that holds a loop, not one of a month function in another file, and then goes on returning
the old number. So the key of a file is the text of it and of every kernel file it imports, however far; an edit compiles again what
it reaches and nothing else, and clones with the same kernels share them. Several processes may share the folder; numba writes each
entry under a temporary name and renames it.
"""

import functools
import hashlib
import os
import re
import sys
from pathlib import Path

import numba
from numba.core.caching import _CacheLocator

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
        """The locator of one function, None where it is not a kernel or the folder cannot be written."""
        file = Path(py_file)
        if file.parent != Path(__file__).parent:
            return None
        path = folder(file.parent, file.stem)
        return cls(path, py_func.__code__.co_firstlineno) if path else None  # type: ignore[attr-defined]


def is_kept() -> bool:
    """Whether what one process compiles another can read."""
    return not numba.config.DISABLE_JIT and folder(Path(__file__).parent, "compiled") is not None


def mark() -> Path:
    """The file that says that all these kernels have been compiled on this machine."""
    return user_folder() / "kernels" / f"compiled-{key(Path(__file__).parent)}"


def use_own_folder() -> None:
    """Make numba ask `KernelLocator` first; must run before the first decorator does."""
    others = numba.config.CACHE_LOCATOR_CLASSES or NUMBAS_OWN
    mine = f"{__name__}.{KernelLocator.__name__}"
    if mine not in others:
        numba.config.CACHE_LOCATOR_CLASSES = f"{mine},{others}"
