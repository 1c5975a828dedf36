"""Where compiled kernels are kept: a per-user folder, keyed by the text of all kernels and the numba version.

Several processes may share the folder; numba writes each entry under a temporary name and renames it.
"""

import hashlib
import os
import sys
from pathlib import Path

import numba


def folder_key(kernels: Path) -> str:
    """Hash of the names and texts of `kernels/*.py`, of numba's version and of Python's."""
    digest = hashlib.sha256(f"numba {numba.__version__} python {sys.version_info[:2]}".encode())
    for path in sorted(kernels.glob("*.py")):
        text = path.read_bytes()
        digest.update(f"\n{path.name} {len(text)}\n".encode())
        digest.update(text)
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


def use_own_folder() -> None:
    """Point numba's cache at the folder of these kernels; must run before the first decorator does."""
    numba.config.CACHE_DIR = str(user_folder() / "kernels" / folder_key(Path(__file__).parent))
